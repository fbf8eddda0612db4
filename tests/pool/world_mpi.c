/*
 * world_mpi.c - ranks that mpirun started; run by tests/pool/under_mpirun
 *
 *     mpirun -n N test_pool_mpi [funneled|multiple] [test ...]
 */
#include "world_priv.h"

#include "over_mpi.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const bool ranks_are_processes = true;
static int rank, size, level;

bool any_thread_may_call(void)
{
    return level == MPI_THREAD_MULTIPLE;
}

/* All ranks map the file of rank 0, which has no name. */
static void share_board(void)
{
    char path[64] = "";
    int fd = -1;

    if (rank == 0) {
        board = board_make(&fd);
        snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), fd);
    }
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank != 0) {
        board = board_open(path);
    }
    if (rpt_test_any(board == NULL)) {
        fprintf(stderr, "cannot share %s\n", path);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (fd >= 0) {
        close(fd);
    }
}

void on_all(int least, int most, const char *settings, world_fn fn)
{
    struct world world = { .rank = rank, .size = size };
    rpt_options_t *options;

    (void)most;
    if (size < least) {
        return;
    }
    world_begins(size, rank == 0);
    if (rank == 0) {
        scratch_folder();
    }
    MPI_Barrier(MPI_COMM_WORLD);
    options = options_with(settings);
    if (CHECK(rpt_context_create_mpi(MPI_COMM_WORLD, options, &world.context) ==
              RPT_OK)) {
        fn(&world);
        rpt_context_destroy(world.context);
    }
    rpt_options_destroy(options);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        world_ends();
    }
}

/* MPI libraries keep some memory to the end; ours is looked at without MPI. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char *argv[])
{
    bool funneled = argc > 1 && strcmp(argv[1], "funneled") == 0;
    bool named = argc > 1 && (funneled || strcmp(argv[1], "multiple") == 0);
    struct rpt_test *tests;
    char name[64];
    int result = 1;

    MPI_Init_thread(&argc, &argv,
                    funneled ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE,
                    &level);
    rpt_test_over_mpi(&rank, &size);
    share_board();
    tests = all_tests(size);
    snprintf(name, sizeof name, "test_pool_mpi on %d ranks%s", size,
             level == MPI_THREAD_MULTIPLE ? "" : ", funneled");
    if (tests != NULL) {
        result = rpt_test_main(name, tests, 600, argc - named, argv + named);
    }
    free(tests);
    MPI_Finalize();
    return result;
}
