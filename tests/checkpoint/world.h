/*
 * world.h - the ranks of a test of checkpoints: threads, or processes under MPI
 *
 * A test is written once and linked twice: world_local.c runs it with ranks as
 * threads, for several numbers of them; world_mpi.c in the ranks that mpirun
 * started.
 *
 *     static void something(struct world *w) { ... on every rank ... }
 *     static void a_sentence(void) { on_all(1, NULL, something); }
 */
#ifndef RPT_TESTS_CHECKPOINT_WORLD_H
#define RPT_TESTS_CHECKPOINT_WORLD_H

#include "harness.h"

#include <repartir.h>
#include <repartir/checkpoint.h>

#include <stdbool.h>
#include <stdint.h>

struct world {
    rpt_context_t *context;
    rpt_group_t *group; /* all of it */
    int rank, size;
    const char *folder; /* of its own, empty at first, the same on all ranks */
};

typedef void (*world_fn)(struct world *world);

/* Runs fn on every rank, if there are at least `least`.  settings: options as
 * "name=value name=value", or NULL. */
void on_all(int least, const char *settings, world_fn fn);

/* Whether ranks are processes. */
extern const bool over_mpi;

/* From any thread. */
#define CHECK(condition) check_here((condition), #condition, __FILE__, __LINE__)
bool check_here(bool good, const char *condition, const char *file, int line);
/* A call that ends well, or says why not. */
#define WORKS(call) works_here((call), #call, __FILE__, __LINE__)
bool works_here(rpt_status_t status, const char *call, const char *file,
                int line);
/* A call that ends with this status, and an error whose text has `words`. */
#define FAILS(wanted, words, call)                                             \
    fails_here((wanted), (words), (call), #call, __FILE__, __LINE__)
bool fails_here(rpt_status_t wanted, const char *words, rpt_status_t status,
                const char *call, const char *file, int line);

/* Barrier. */
void meet(struct world *world);
/* As a rank that lacks 12345 bytes in a collective call: others learn it. */
rpt_status_t give_up(rpt_group_t *group);

/* What a program gives that is linked with it: its name, without _mpi, and the
 * tables of its files, each ending with RPT_TEST_END, then NULL. */
extern const char test_suite[];
extern const struct rpt_test *const test_tables[];

/* ---- files, for rank 0 or between two meetings ---- */

/* The path of FOLDER/a/b; until the eighth call after this one. */
const char *path_of(const struct world *world, const char *a, const char *b);
/* The newest, or n-th newest, committed folder of a task: its name, or NULL.
 * To be freed. */
char *nth_newest(const struct world *world, const char *task, int n);
/* The path of a file in the newest one, as of path_of(). */
const char *in_newest(const struct world *world, const char *task,
                      const char *file);
/* What state.h5 of the newest one of a task takes on the disk. */
uint64_t room_of(const struct world *world, const char *task);
/* How many names in FOLDER/task begin so. */
int count_names(const struct world *world, const char *task, const char *start);

/* As if the job that closed last had died before.  Collective. */
void die_before_close(struct world *world, const char *task);

/* ---- all tests in one table, by world.c ---- */
struct rpt_test *all_tests(void);
rpt_options_t *options_with(const char *settings);
const char *scratch_make(void);
void scratch_remove(const char *folder);

#endif /* RPT_TESTS_CHECKPOINT_WORLD_H */
