/*
 * world.h - the ranks of a test of the pool: threads, or processes under MPI
 *
 * A test is written once and linked twice.  world_local.c runs it with ranks
 * as threads, for several numbers of ranks one after another; world_mpi.c in
 * the ranks that mpirun started.  In both, what a test and its tasks have to
 * tell each other stands on the board, which all ranks see.
 *
 *     static void something(struct world *w) { … runs on the driver … }
 *     static void a_sentence(void) { drive(1, 7, "pool.slots=1", something); }
 */
#ifndef RPT_TESTS_POOL_WORLD_H
#define RPT_TESTS_POOL_WORLD_H

#include "harness.h"

#include <repartir.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- tables ---- */

struct pool_test {
    struct rpt_test test;
    int least; /* ranks without which it makes no sense */
};

#define TEST(function) { { #function, function }, 1 }
#define TEST_FROM(least, function) { { #function, function }, least }
#define TEST_END { { NULL, NULL }, 0 }

/* ---- the board ---- */

enum { N_GATES = 16, N_COUNTS = 512, LOG_MAX = 16384, TEXT_BYTES = 1024 };

/* All zero when a world begins. */
struct board {
    _Atomic uint32_t gate[N_GATES];   /* 0: closed */
    _Atomic uint32_t count[N_COUNTS];
    _Atomic uint32_t n_log;
    _Atomic int32_t log[LOG_MAX]; /* in the order in which it was written */
    char folder[TEXT_BYTES];      /* see scratch_folder() */
    double began_s;               /* CLOCK_MONOTONIC                      */
};
extern struct board *board;

void gate_open(int gate);
/* False when it stays closed for limit_s. */
bool gate_pass(int gate, double limit_s);
void count_up(int counter);
uint32_t count_of(int counter);
/* Waits for a count without the help of the library. */
bool count_reaches(int counter, uint32_t least, double limit_s);
void log_add(int32_t value);
/* Whether the world is younger than that: for streams of tasks that end when
 * something else has had its turn, or when they must give up. */
bool is_young(double seconds);
int log_length(void);
int32_t log_at(int index);

/* ---- checks, from any thread ---- */

#define CHECK(condition)                                                       \
    check_here((condition), #condition, __FILE__, __LINE__)
bool check_here(bool good, const char *condition, const char *file, int line);
/* An error as it should be: the status, and a record of it that says what. */
#define CHECK_ERROR(wanted, call)                                              \
    check_error((wanted), (call), #call, __FILE__, __LINE__)
bool check_error(rpt_status_t wanted, rpt_status_t got, const char *call,
                 const char *file, int line);

/* ---- worlds ---- */

struct world {
    rpt_context_t *context;
    rpt_pool_t *pool; /* of drive() */
    int rank, size;
    bool closed; /* the test has shut the pool down itself */
};

typedef void (*world_fn)(struct world *world);

/* Runs fn on every rank.  With threads for the sizes 1, 2, 3, 4, 7 from
 * `least` to `most`; under MPI for the one there is.  `settings`:
 * "pool.slots=1 pool.state_dir=@/state", where @ is scratch_folder(), or
 * NULL. */
void on_all(int least, int most, const char *settings, world_fn fn);

/* The same with a pool that has the functions below: fn runs on rank 0, the
 * others serve.  At the end all gates are opened, and the pool is shut down
 * gracefully unless fn has done so and set world->closed. */
void drive(int least, int most, const char *settings, world_fn fn);
/* Another rank drives. */
void drive_from(int driver, int least, int most, const char *settings,
                world_fn fn);
/* Every rank calls setup first, to register more functions. */
void drive_with(world_fn setup, int least, int most, const char *settings,
                world_fn fn);

/* A pool with the functions below; the status of its creation. */
rpt_status_t pool_open(struct world *world, rpt_group_t *group);
/* One pool over the first n ranks of the world, driven by the first of them
 * with fn and shut down gracefully unless that did so; then all meet. */
void job(struct world *world, int n, world_fn fn);
void register_all(struct world *world, rpt_pool_t *pool);

/* Barrier of all ranks that does not use the pool. */
void meet(struct world *world);

/* Options with these settings; @ as above. */
rpt_options_t *options_with(const char *settings);

/* True under MPI, where ranks are processes. */
extern const bool ranks_are_processes;
/* Whether any thread may call the library. */
bool any_thread_may_call(void);

/* A folder of its own for the world, removed when it ends; the same on all
 * ranks after the driver has called it first. */
const char *scratch_folder(void);
/* A path in it.  Valid until the fourth call after this one. */
const char *scratch_path(const char *name);
void write_file(const char *path, const char *text);
/* Whether that process is gone, or goes within some seconds. */
bool process_ends(long pid);
/* Contents; released with free().  NULL when there is no such file. */
char *read_file(const char *path);

/* ---- the functions of every pool ----
 *
 *   noop                       returns 0
 *   echo BYTES                 output = input
 *   log INT                    writes the number on the board
 *   count INT                  counts up that counter
 *   gate GATE, COUNTER         counts up, then waits until the gate is open
 *   own_gate COUNTER           the same with OWN_GATE(rank that runs it)
 *   fail INT                   returns that number and says why
 *   fail_first INT             fails so many attempts; writes its rank on the
 *                              board's log
 *   until_cancelled COUNTER    counts up, then waits until it is cancelled;
 *                              returns 5
 *   where                      output = rank (int)
 */
struct pair {
    int a, b;
};
#define OWN_GATE(rank) (8 + (rank)) /* up to rank 7 */

/* ---- tasks ---- */

rpt_task_t *task_new(const char *function, const void *input, size_t bytes);
rpt_task_t *task_int(const char *function, int input);
rpt_task_t *task_pair(const char *function, int a, int b);
rpt_task_t *task_shell(const char *line);
/* Submits and releases the task; NULL when that failed (then CHECK has). */
rpt_future_t *submit(rpt_pool_t *pool, rpt_task_t *task);
/* The same with an id. */
rpt_future_t *submit_as(rpt_pool_t *pool, rpt_task_t *task, const char *id);
/* Submits without a future, releases the task. */
void submit_quietly(rpt_pool_t *pool, rpt_task_t *task);
/* What submitting gives; releases the task. */
rpt_status_t try_submit(rpt_pool_t *pool, rpt_task_t *task);

/* Waits for the end and checks how it was; NULL when it did not end. */
const rpt_result_t *ended(rpt_future_t *future, rpt_outcome_t outcome);
/* The same, and releases the future. */
void ends(rpt_future_t *future, rpt_outcome_t outcome);
/* Whether the captured output is this text. */
bool stdout_is(const rpt_result_t *result, const char *text);
bool stderr_is(const rpt_result_t *result, const char *text);

/* Waits for a count and drives the pool meanwhile. */
bool wait_count(rpt_pool_t *pool, int counter, uint32_t least);
/* The same for the length of the log. */
void wait_log(rpt_pool_t *pool, int least);
/* Takes n slots with tasks that wait at the gate and returns when they run
 * (it uses the counter of the gate's number). */
void hold(rpt_pool_t *pool, int n, int gate);
/* Takes every slot of every rank, each until its rank's gate is opened; for
 * a pool without other tasks. */
void hold_each(rpt_pool_t *pool);
/* Takes n times so many slots with tasks that wait at the gate. */
void hold_wide(rpt_pool_t *pool, int n, int slots, int gate);
/* Waits until every task of this rank has ended … */
void wait_all(rpt_pool_t *pool);
/* … or all but n, or until n of them run. */
void wait_all_but(rpt_pool_t *pool, uint64_t n);
void wait_running(rpt_pool_t *pool, uint64_t n);
rpt_pool_stats_t stats_of(rpt_pool_t *pool);

#endif /* RPT_TESTS_POOL_WORLD_H */
