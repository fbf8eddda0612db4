/*
 * staging.c - short programs that wait in the keeper for the one before them
 *
 * Looks into the pool, with the engine's lock, so that what is staged is known
 * and stays so while the lock is held.
 */
#include "world.h"

#include "base/clock.h"
#include "base/futex.h"
#include "pool/pool_priv.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 7, N_STAGED = 4 }; /* programs: one runs, two are queued */
#define SHORT_S 1e-4

static struct rpt_engine *engine_of(rpt_pool_t *pool)
{
    return rpt__comm_engine(rpt__pool_comm(pool));
}

static int open_pipe(const char *path)
{
    int fd;

    CHECK(mkfifo(path, 0600) == 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static void let_go(int fd)
{
    CHECK(write(fd, "x\n", 2) == 2);
}

/* The state of a process as in /proc, '-' when it is gone. */
static char state_of(long pid)
{
    char path[64], *text, *name_end, state = '-';

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    text = read_file(path);
    name_end = text != NULL ? strrchr(text, ')') : NULL;
    if (name_end != NULL && name_end[1] == ' ') {
        state = name_end[2];
    }
    free(text);
    return state;
}

static bool comes_to(long pid, const char *states)
{
    double limit = rpt__now_s() + 20;
    _Atomic uint32_t never = 0;

    while (strchr(states, state_of(pid)) == NULL && rpt__now_s() < limit) {
        rpt__futex_wait(&never, 0, 1e-3);
    }
    return CHECK(strchr(states, state_of(pid)) != NULL);
}

/* The numbers that the first program writes: its own and its keeper's. */
static void read_pids(long *own, long *keeper)
{
    double limit = rpt__now_s() + 20;
    _Atomic uint32_t never = 0;
    int n = 0;

    while (n < 2 && rpt__now_s() < limit) {
        char *text = read_file(scratch_path("pids"));

        n = text != NULL ? sscanf(text, "%ld %ld .", own, keeper) : 0;
        free(text);
        rpt__futex_wait(&never, 0, 1e-3);
    }
    CHECK(n == 2);
}

/* Programs on the only slot of a pool of one rank: `first`, which runs, `line`
 * for the others, of which the next ones are staged.  These are not taken back
 * because they wait long.  Returns with the lock held. */
static void stage(struct world *w, int n_staged, const char *first,
                  const char *line, rpt_future_t *futures[N])
{
    struct rpt_worker *worker = &w->pool->worker;
    rpt_task_t *tasks[N];

    for (int i = 0; i < N; i++) {
        tasks[i] = task_shell(i == 0 ? first : line);
    }
    rpt__engine_lock(engine_of(w->pool));
    worker->mean_s = 0.99 * RPT_STAGE_S / n_staged;
    CHECK(rpt__pool_submit(w->pool, (const rpt_task_t *const *)tasks, N,
                           futures) == RPT_OK);
    rpt__engine_poll(engine_of(w->pool));
    if (CHECK(worker->n_running == 1 &&
              worker->n_staged == (uint64_t)n_staged)) {
        TAILQ_FIRST(&worker->staged)->received_s += 3600;
    }
    for (int i = 0; i < N; i++) {
        rpt_task_destroy(tasks[i]);
    }
}

static void never_ran(rpt_future_t *future, const char *words)
{
    const rpt_result_t *result = ended(future, RPT_OUTCOME_CANCELLED);

    CHECK(result != NULL && result->attempts == 0 && result->exit_code == -1 &&
          result->rank == -1 && strstr(result->message, words) != NULL);
    rpt_future_destroy(future);
}

/* How often the program `line` of stage() ran. */
static void log_line(char line[2 * TEXT_BYTES])
{
    snprintf(line, 2 * TEXT_BYTES, "echo $RPT_TASK_ID >>%s",
             scratch_path("log"));
}

/* Those from number `first` on, without number `but`, in their order. */
static void log_is(int first, int but)
{
    char *text = read_file(scratch_path("log")), expected[4 * N] = "";

    for (int i = first; i <= N; i++) {
        if (i != but) {
            size_t used = strlen(expected);

            snprintf(expected + used, sizeof expected - used, "%d\n", i);
        }
    }
    CHECK(strcmp(text != NULL ? text : "", expected) == 0);
    free(text);
}

/* ---- in the order in which they were staged ---- */

static void run_in_a_row(struct world *w)
{
    char line[2 * TEXT_BYTES];
    rpt_future_t *f[N];

    log_line(line);
    stage(w, N_STAGED, line, line, f);
    rpt__engine_unlock(engine_of(w->pool));
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result = ended(f[i], RPT_OUTCOME_OK);

        CHECK(result != NULL && result->attempts == 1 && result->rank == 0);
        rpt_future_destroy(f[i]);
    }
    log_is(1, 0);
}

static void run_in_a_row_job(struct world *w)
{
    job(w, 1, run_in_a_row);
}

static void staged_programs_run_in_their_order(void)
{
    on_all(1, 1, "pool.slots=1", run_in_a_row_job);
}

/* ---- where they run ---- */

static void n_cpus_is(rpt_future_t *future, int n)
{
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    CHECK(result != NULL && result->stdout_bytes > 0 &&
          strtol(result->stdout_data, NULL, 10) == n);
    rpt_future_destroy(future);
}

/* Two slots: one program gets the cpus of its slot, one that is staged those of
 * the rank. */
static void count_cpus(struct world *w)
{
    struct rpt_worker *worker = &w->pool->worker;
    struct rpt_item *item;
    int all = worker->n_cpus, half = all >= 2 ? all / 2 : all;
    int fd = open_pipe(scratch_path("pipe"));
    char first[2 * TEXT_BYTES];
    rpt_task_t *tasks[N];
    rpt_future_t *f[N];

    snprintf(first, sizeof first, "read x <%s; nproc", scratch_path("pipe"));
    for (int i = 0; i < N; i++) {
        tasks[i] = task_shell(i < 2 ? first : "nproc");
    }
    n_cpus_is(submit(w->pool, task_shell("nproc")), half);
    rpt__engine_lock(engine_of(w->pool));
    worker->mean_s = SHORT_S;
    CHECK(rpt__pool_submit(w->pool, (const rpt_task_t *const *)tasks, N, f) ==
          RPT_OK);
    rpt__engine_poll(engine_of(w->pool));
    CHECK(worker->n_running == 2 && worker->n_staged >= 2);
    TAILQ_FOREACH (item, &worker->staged, link) {
        item->received_s += 3600;
    }
    rpt__engine_unlock(engine_of(w->pool));
    let_go(fd);
    let_go(fd);
    n_cpus_is(f[0], half);
    n_cpus_is(f[1], half);
    n_cpus_is(f[2], all);
    n_cpus_is(f[3], all);
    for (int i = 0; i < N; i++) {
        if (i > 3) {
            ends(f[i], RPT_OUTCOME_OK);
        }
        rpt_task_destroy(tasks[i]);
    }
    close(fd);
}

static void count_cpus_job(struct world *w)
{
    job(w, 1, count_cpus);
}

static void a_staged_program_may_use_all_cpus_of_its_rank(void)
{
    on_all(1, 1, "pool.slots=2", count_cpus_job);
}

/* ---- taken back ---- */

static int stuck_rank;

/* Whatever starts on that rank stays there. */
static void get_stuck(struct world *w)
{
    enum { MANY = 40 };
    char line[2 * TEXT_BYTES];
    int fd = open_pipe(scratch_path("pipe")), n_stuck = 0;
    rpt_future_t *f[MANY];

    snprintf(line, sizeof line,
             "if [ $RPT_TASK_RANK = %d ]; then read x <%s; fi", stuck_rank,
             scratch_path("pipe"));
    for (int i = 0; i < MANY; i++) {
        f[i] = submit(w->pool, task_shell(line));
    }
    wait_all_but(w->pool, 1);
    for (int i = 0; i < MANY; i++) { /* should there be others */
        let_go(fd);
    }
    for (int i = 0; i < MANY; i++) {
        const rpt_result_t *result = ended(f[i], RPT_OUTCOME_OK);

        n_stuck += result != NULL && result->rank == stuck_rank;
        CHECK(result != NULL && result->attempts == 1);
        rpt_future_destroy(f[i]);
    }
    CHECK(n_stuck == 1);
    close(fd);
}

static void expect_short(struct world *w)
{
    rpt__engine_lock(engine_of(w->pool));
    w->pool->worker.mean_s = SHORT_S;
    rpt__engine_unlock(engine_of(w->pool));
}

static void behind_a_long_program_none_waits(void)
{
    for (stuck_rank = 0; stuck_rank < 2; stuck_rank++) {
        drive_with(expect_short, 2, 4, "pool.slots=1", get_stuck);
    }
}

static int which; /* of the programs, one that is staged */

static void cancel_staged(struct world *w)
{
    char first[2 * TEXT_BYTES], line[2 * TEXT_BYTES];
    int fd = open_pipe(scratch_path("pipe"));
    rpt_future_t *f[N];

    snprintf(first, sizeof first, "read x <%s", scratch_path("pipe"));
    log_line(line);
    stage(w, N_STAGED, first, line, f);
    CHECK(rpt__future_cancel(f[which]) == RPT_OK);
    CHECK(rpt__future_cancel(f[which]) == RPT_OK); /* twice */
    rpt__engine_unlock(engine_of(w->pool));
    never_ran(f[which], "cancelled before it started");
    CHECK(stats_of(w->pool).running == 1);
    let_go(fd);
    for (int i = 0; i < N; i++) {
        if (i != which) {
            ends(f[i], RPT_OUTCOME_OK);
        }
    }
    log_is(2, which + 1);
    close(fd);
}

static void cancel_staged_job(struct world *w)
{
    job(w, 1, cancel_staged);
}

static void a_staged_program_can_be_cancelled(void)
{
    for (which = 1; which <= N_STAGED; which++) {
        on_all(1, 1, "pool.slots=1", cancel_staged_job);
    }
}

/* A program that comes after one that is gone would start at once. */
static void stage_more(struct world *w)
{
    char first[2 * TEXT_BYTES], line[2 * TEXT_BYTES];
    int fd = open_pipe(scratch_path("pipe"));
    struct rpt_worker *worker = &w->pool->worker;
    struct rpt_item *staged;
    rpt_future_t *f[N];

    snprintf(first, sizeof first, "read x <%s", scratch_path("pipe"));
    log_line(line);
    stage(w, 1, first, line, f);
    staged = TAILQ_FIRST(&worker->staged);
    worker->mean_s = SHORT_S; /* for more than one */
    staged->recalled = true;
    CHECK(rpt__programs_stage(w->pool) == 0 && worker->n_staged == 1);
    staged->recalled = false;
    staged->cancelled = true;
    CHECK(rpt__programs_stage(w->pool) == 0 && worker->n_staged == 1);
    staged->cancelled = false;
    CHECK(rpt__programs_stage(w->pool) == N_STAGED - 1);
    rpt__engine_unlock(engine_of(w->pool));
    let_go(fd);
    for (int i = 0; i < N; i++) {
        ends(f[i], RPT_OUTCOME_OK);
    }
    log_is(2, 0);
    close(fd);
}

static void stage_more_job(struct world *w)
{
    job(w, 1, stage_more);
}

static void none_is_staged_behind_one_that_may_be_gone(void)
{
    on_all(1, 1, "pool.slots=1", stage_more_job);
}

/* ---- the pool stops ---- */

/* The first one goes on when the staged one, the second, has been dropped. */
static void let_first_go(const rpt_result_t *result, void *user)
{
    const int *fd = user;

    if (strcmp(result->id, "2") == 0) {
        let_go(*fd);
    }
}

static void stop(struct world *w, rpt_shutdown_t how, uint64_t n_dropped)
{
    uint64_t n = 99;

    CHECK(rpt_pool_shutdown(w->pool, how, 60, &n) == RPT_OK);
    CHECK(n == n_dropped);
    w->closed = true;
}

static void drain_staged(struct world *w)
{
    char first[2 * TEXT_BYTES], line[2 * TEXT_BYTES];
    int fd = open_pipe(scratch_path("pipe"));
    rpt_future_t *f[N];

    snprintf(first, sizeof first, "read x <%s", scratch_path("pipe"));
    log_line(line);
    CHECK(rpt_pool_on_result(w->pool, let_first_go, &fd) == RPT_OK);
    stage(w, N_STAGED, first, line, f);
    rpt__engine_unlock(engine_of(w->pool));
    stop(w, RPT_SHUTDOWN_DRAIN, N - 1);
    ends(f[0], RPT_OUTCOME_OK);
    for (int i = 1; i < N; i++) {
        never_ran(f[i], "not run: the pool was shut down");
    }
    log_is(N + 1, 0);
    close(fd);
}

static void drain_staged_job(struct world *w)
{
    job(w, 1, drain_staged);
}

static void a_drain_drops_staged_programs(void)
{
    on_all(1, 1, "pool.slots=1", drain_staged_job);
}

static void stop_staged(struct world *w)
{
    char line[2 * TEXT_BYTES];
    rpt_future_t *f[N];

    log_line(line);
    stage(w, N_STAGED, "sleep 1000", line, f);
    rpt__engine_unlock(engine_of(w->pool));
    stop(w, RPT_SHUTDOWN_NOW, N);
    ends(f[0], RPT_OUTCOME_CANCELLED);
    for (int i = 1; i < N; i++) {
        never_ran(f[i], "not run: the pool was shut down");
    }
    log_is(N + 1, 0);
}

static void stop_staged_job(struct world *w)
{
    job(w, 1, stop_staged);
}

static void a_shutdown_now_starts_no_staged_program(void)
{
    on_all(1, 1, "pool.slots=1", stop_staged_job);
}

/* Lets the keeper go on when the rank has asked it to end what runs. */
static void *wake_keeper(void *arg)
{
    struct world *w = arg;
    const struct rpt_ending *ending = &w->pool->ending;
    double limit = rpt__now_s() + 20;
    _Atomic uint32_t never = 0;
    long own, keeper;
    bool asked;

    do {
        rpt__futex_wait(&never, 0, 1e-3);
        rpt__engine_lock(engine_of(w->pool));
        asked = ending->stopping && isinf(ending->kill_at_s);
        rpt__engine_unlock(engine_of(w->pool));
    } while (!asked && rpt__now_s() < limit);
    CHECK(asked);
    read_pids(&own, &keeper);
    kill((pid_t)keeper, SIGCONT);
    return NULL;
}

/* The keeper is held up while the program before the staged one ends: it starts
 * that before it reads that nothing shall start. */
static void stop_too_late(struct world *w)
{
    char first[2 * TEXT_BYTES];
    long own = 0, keeper = 0;
    const rpt_result_t *result;
    pthread_t waker;
    rpt_future_t *f[N];

    snprintf(first, sizeof first, "echo $$ $PPID . >%s; kill -STOP $PPID",
             scratch_path("pids"));
    stage(w, N_STAGED, first, "sleep 25", f);
    read_pids(&own, &keeper);
    comes_to(keeper, "T");
    comes_to(own, "Z");
    rpt__engine_unlock(engine_of(w->pool));
    pthread_create(&waker, NULL, wake_keeper, w);
    stop(w, RPT_SHUTDOWN_NOW, N - 1);
    pthread_join(waker, NULL);
    ends(f[0], RPT_OUTCOME_OK);
    result = ended(f[1], RPT_OUTCOME_CANCELLED);
    CHECK(result != NULL && result->attempts == 1 &&
          result->signal == SIGTERM &&
          strstr(result->message, "shut down") != NULL);
    rpt_future_destroy(f[1]);
    for (int i = 2; i < N; i++) {
        never_ran(f[i], "not run: the pool was shut down");
    }
}

static void stop_too_late_job(struct world *w)
{
    job(w, 1, stop_too_late);
}

static void a_staged_program_that_starts_all_the_same_is_ended(void)
{
    on_all(1, 1, "pool.slots=1", stop_too_late_job);
}

/* ---- the keeper goes ---- */

static void kill_keeper(struct world *w)
{
    char first[3 * TEXT_BYTES], line[2 * TEXT_BYTES];
    int fd = open_pipe(scratch_path("pipe"));
    long own = 0, keeper = 0;
    const rpt_result_t *result;
    rpt_future_t *f[N];

    snprintf(first, sizeof first,
             "mkdir %s || exit 0; echo $$ $PPID . >%s; read x <%s; "
             "kill -9 $PPID; sleep 1000",
             scratch_path("first"), scratch_path("pids"), scratch_path("pipe"));
    log_line(line);
    stage(w, N_STAGED, first, line, f);
    read_pids(&own, &keeper);
    let_go(fd);
    comes_to(keeper, "Z-"); /* before the staged one can be taken back */
    rpt__engine_unlock(engine_of(w->pool));
    for (int i = 0; i < N; i++) {
        result = ended(f[i], RPT_OUTCOME_OK);
        CHECK(result != NULL && result->attempts == (i == 0 ? 2 : 1));
        rpt_future_destroy(f[i]);
    }
    CHECK(stats_of(w->pool).retried == 1 && stats_of(w->pool).ended == N);
    log_is(2, 0);
    close(fd);
}

static void kill_keeper_job(struct world *w)
{
    job(w, 1, kill_keeper);
}

static void staged_programs_run_once_when_the_keeper_is_killed(void)
{
    on_all(1, 1, "pool.slots=1 pool.backoff_s=1ms log.level=0",
           kill_keeper_job);
}

const struct pool_test staging_tests[] = {
    TEST(staged_programs_run_in_their_order),
    TEST(a_staged_program_may_use_all_cpus_of_its_rank),
    TEST_FROM(2, behind_a_long_program_none_waits),
    TEST(a_staged_program_can_be_cancelled),
    TEST(none_is_staged_behind_one_that_may_be_gone),
    TEST(a_drain_drops_staged_programs),
    TEST(a_shutdown_now_starts_no_staged_program),
    TEST(a_staged_program_that_starts_all_the_same_is_ended),
    TEST(staged_programs_run_once_when_the_keeper_is_killed),
    TEST_END,
};
