/*
 * test_area.c - a rank dies while it takes or drops a piece of shared memory
 *
 * Another process takes and drops pieces, one instruction after the other.
 * Whenever it has changed the memory, a copy is made as if it had died there,
 * and the copy must be good: nobody gets a piece that somebody else has, nor
 * one that is not clean.
 */
#include "comm/area.h"

#include "harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNIT = 16 * 1024, N_UNITS = 8, MANY_STEPS = 1000 * 1000, FIRST = 7 };

#define PIECES_BYTES ((size_t)N_UNITS * UNIT)

static void clean(void *piece, const struct rpt_area_kind *kind)
{
    (void)kind;
    memset(piece, 0, 16);
}

static const struct rpt_area_kind kind = { 3, clean };

/* What others may find there is that somebody has it. */
static void take(struct rpt_area *area, uint64_t name, size_t bytes)
{
    void *piece = NULL;

    for (int user = 0; user < 2; user++) {
        if (rpt__area_take_kind(area, name, bytes, 2, &kind, &piece) !=
            RPT_OK) {
            _exit(1);
        }
    }
    memset(piece, 0x55, 16);
}

static void drop(struct rpt_area *area, uint64_t name,
                 const struct rpt_area_kind *as)
{
    rpt__area_drop_kind(area, name, as);
    rpt__area_drop_kind(area, name, as);
}

/* New pieces, kept ones, and a large one that takes the room of a kept one. */
static void come_and_go(struct rpt_area *area)
{
    take(area, FIRST, UNIT);
    take(area, FIRST + 1, UNIT);
    drop(area, FIRST, &kind);
    take(area, FIRST + 2, UNIT);
    drop(area, FIRST + 1, NULL);
    take(area, FIRST + 3, UNIT);
    drop(area, FIRST + 2, &kind);
    drop(area, FIRST + 3, &kind);
    take(area, FIRST + 4, PIECES_BYTES);
    drop(area, FIRST + 4, NULL);
    _exit(0);
}

/* ---- what the others find ---- */

static bool is_zero(const char *piece)
{
    static const char zeros[16];

    return memcmp(piece, zeros, sizeof zeros) == 0;
}

/* Those that had a piece with the dead one find that; then others come, and all
 * of them have memory of their own. */
static bool is_good(struct rpt_area *area)
{
    char *pieces[5 + N_UNITS];
    int n = 0;

    for (uint64_t name = FIRST; name < FIRST + 5 + N_UNITS; name++) {
        void *piece = NULL;

        if (rpt__area_take_kind(area, name, UNIT, 2, &kind, &piece) == RPT_OK) {
            if (name >= FIRST + 5 && !is_zero(piece)) {
                return false;
            }
            pieces[n++] = piece;
        }
    }
    for (int i = 0; i < n; i++) {
        memset(pieces[i], i + 1, 16);
    }
    for (int i = 0; i < n; i++) {
        if (pieces[i][0] != i + 1 || pieces[i][15] != i + 1) {
            return false;
        }
    }
    return n > 0;
}

/* The lock lies first, and is free for the one after the dead. */
static bool is_good_if_it_died(const char *memory, char *copy, size_t bytes)
{
    struct rpt_area area;

    memcpy(copy, memory, bytes);
    memset(copy, 0, sizeof(pthread_mutex_t));
    rpt__area_view(&area, copy, -1, 0);
    return is_good(&area);
}

/* ---- step by step ---- */

static pid_t start(struct rpt_area *area)
{
    pid_t child = fork();

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(77);
        }
        raise(SIGSTOP);
        come_and_go(area);
    }
    return child;
}

static bool step(pid_t child, int *status)
{
    return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, status, 0) == child && WIFSTOPPED(*status);
}

/* The number of places where it would not be good. */
static int follow(pid_t child, const char *memory, size_t bytes, int *status)
{
    char *before = malloc(bytes), *copy = aligned_alloc(4096, bytes);
    int n_bad = 0, n_changes = 0;

    CU_ASSERT_FATAL(before != NULL && copy != NULL);
    memcpy(before, memory, bytes);
    for (int i = 0; i < MANY_STEPS && step(child, status); i++) {
        if (memcmp(before, memory, bytes) != 0) {
            memcpy(before, memory, bytes);
            n_changes++;
            n_bad += !is_good_if_it_died(memory, copy, bytes);
        }
    }
    CU_ASSERT(n_changes > 100);
    free(before);
    free(copy);
    return n_bad;
}

static void who_dies_leaves_no_piece_to_two(void)
{
    size_t bytes = rpt__area_head_bytes() + PIECES_BYTES;
    int fd = memfd_create("area", MFD_CLOEXEC), status = 0;
    struct rpt_area area;
    char *memory;
    pid_t child;

    CU_ASSERT_FATAL(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CU_ASSERT_FATAL(memory != MAP_FAILED);
    CU_ASSERT_FATAL(rpt__area_create(memory, PIECES_BYTES) == RPT_OK);
    rpt__area_view(&area, memory, fd, 0);
    child = start(&area);
    CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFSTOPPED(status)) {
        CU_ASSERT_EQUAL(follow(child, memory, bytes, &status), 0);
        if (WIFSTOPPED(status)) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            rpt_test_skip("a process does not get on step by step");
        } else {
            CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            CU_ASSERT_EQUAL(rpt__area_used(&area), 0);
        }
    } else {
        rpt_test_skip("no process may look at another one");
    }
    munmap(memory, bytes);
    close(fd);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(who_dies_leaves_no_piece_to_two),
        RPT_TEST_END,
    };

    return rpt_test_main("test_area", tests, 60, argc, argv);
}
