/*
 * world_mpi.c - ranks that mpirun started; run by under_mpirun
 *
 *     mpirun -n N test_checkpoint_mpi [funneled|multiple] [test ...]
 */
#include "world.h"

#include "over_mpi.h"

#include <repartir/mpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bool over_mpi = true;
static int rank, size;

void on_all(int least, const char *settings, world_fn fn)
{
    struct world world = { NULL, NULL, rank, size, NULL };
    rpt_options_t *options;
    char folder[256] = "";

    if (size < least) {
        return;
    }
    if (rank == 0) {
        snprintf(folder, sizeof folder, "%s", scratch_make());
    }
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    world.folder = folder;
    options = options_with(settings);
    if (WORKS(
            rpt_context_create_mpi(MPI_COMM_WORLD, options, &world.context))) {
        world.group = rpt_group_world(world.context);
        fn(&world);
        rpt_context_destroy(world.context);
    }
    rpt_options_destroy(options);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        scratch_remove(folder);
    }
}

/* MPI libraries keep some memory to the end. */
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
    char suite[64];
    int level, result;

    MPI_Init_thread(&argc, &argv,
                    funneled ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE,
                    &level);
    rpt_test_over_mpi(&rank, &size);
    tests = all_tests();
    snprintf(suite, sizeof suite, "%s_mpi", test_suite);
    result = rpt_test_main(suite, tests, 900, argc - named, argv + named);
    free(tests);
    MPI_Finalize();
    return result;
}
