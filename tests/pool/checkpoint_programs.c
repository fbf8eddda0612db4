/*
 * checkpoint_programs.c - programs that save their state in files, and go on
 * from there
 */
#include "saving.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GO_ON                                                                  \
    "trap : USR1; n=$RPT_CHECKPOINT_ITERATION; sum=1; "                        \
    "cd \"$RPT_CHECKPOINT_DIR\" || exit 20; "                                  \
    "if [ -n \"${RPT_CHECKPOINT_RESTORE:-}\" ]; then "                         \
    "read sum <\"$RPT_CHECKPOINT_RESTORE/deep/sum\" || exit 21; fi; "
#define SAVE                                                                   \
    "mkdir deep; echo $sum >deep/sum; echo more >other; echo $n >COMMIT; "     \
    "while [ -e COMMIT ]; do sleep 0.01; done; "                               \
    "[ -z \"$(ls)\" ] || exit 22; "

static rpt_task_t *program(const char *line, int retries)
{
    rpt_task_t *task = task_shell(line);

    CHECK(rpt_task_set_checkpoint(task, 1000) == RPT_OK);
    CHECK(rpt_task_set_retries(task, retries) == RPT_OK);
    return task;
}

static void kill_program(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool,
        program(GO_ON "while [ $n -lt 6 ]; do n=$((n + 1)); "
                      "sum=$((sum + n)); echo $n >>../../../steps; " SAVE
                      "[ $n != 4 -o $RPT_TASK_ATTEMPT != 1 ] || "
                      "{ sleep 1; kill -9 $$; }; "
                      "done; echo $sum",
                1),
        "p");
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);
    char *steps = read_file(scratch_path("steps"));

    CHECK(stdout_is(result, "22\n"));
    CHECK(result == NULL ||
          (result->attempts == 2 && result->resumed_iteration == 4 &&
           result->checkpoints == 6 && result->wasted_s >= 0.1 &&
           result->wasted_s < 60));
    CHECK(steps != NULL && strcmp(steps, "1\n2\n3\n4\n5\n6\n") == 0);
    free(steps);
    rpt_future_destroy(future);
}

static void killed_program(struct world *w)
{
    next_job(w, NULL, kill_program);
    CHECK(entries("saved", "") == 0);
}

static void a_program_that_was_killed_goes_on_from_its_files(void)
{
    on_all(1, 3, DIRECTORY, killed_program);
}

/* What stands there when it ends counts, and what it did after it does not; one
 * that names no number does not count. */
static void end_at_once(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool,
        program(GO_ON
                "if [ $n = 0 ]; then mkdir deep; echo 5 >deep/sum; "
                "printf 3 >COMMIT; sleep 1; exit 1; fi; "
                "[ $n = 3 ] || exit 23; echo $sum; "
                "echo x >COMMIT; while [ -e COMMIT ]; do sleep 0.01; done",
                1),
        "p");
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    CHECK(stdout_is(result, "5\n"));
    CHECK(result == NULL ||
          (result->checkpoints == 1 && result->wasted_s > 0.9));
    rpt_future_destroy(future);
    /* No links; the task goes on all the same. */
    future = submit_as(w->pool,
                       program(GO_ON "ln -s /etc/passwd here; " SAVE, 0), "q");
    result = ended(future, RPT_OUTCOME_OK);
    CHECK(result == NULL || result->checkpoints == 0);
    rpt_future_destroy(future);
}

static void what_a_program_leaves_at_its_end_counts(void)
{
    drive(1, 2, DIRECTORY "log.level=0", end_at_once);
}

/* A full disk leaves an empty COMMIT, a printf one without an end of line, and
 * some programs clear their folder in their own way: they are not left waiting
 * for ever. */
static void commit_oddly(struct world *w)
{
    rpt_future_t *future = submit_as(
        w->pool,
        program(GO_ON
                "wait_for() { while [ -e COMMIT ]; do sleep 0.01; done; };"
                "echo x >part; : >COMMIT; wait_for; "
                "echo 5 >sum; printf 4 >COMMIT; wait_for; "
                "cd ..; rm -r \"$RPT_CHECKPOINT_DIR\"; "
                "while ! cd \"$RPT_CHECKPOINT_DIR\" 2>/dev/null; do "
                "sleep 0.01; done; n=6; " SAVE "exit 0",
                0),
        "p");
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    CHECK(result == NULL || result->checkpoints == 2);
    rpt_future_destroy(future);
}

static void a_program_that_commits_oddly_is_not_left_waiting(void)
{
    drive(1, 2, DIRECTORY "log.level=0", commit_oddly);
}

/* Its folder is there, and empty. */
static void commit_a_number(struct world *w)
{
    static const char line[] =
        "cd \"$RPT_CHECKPOINT_DIR\" && [ ! -e ../../HALT ] || exit 20; "
        "if [ $RPT_CHECKPOINT_ITERATION = 0 ]; then echo 7 >COMMIT; exit 1; "
        "fi; "
        "cd \"$RPT_CHECKPOINT_RESTORE\" && echo $RPT_CHECKPOINT_ITERATION$(ls)";
    rpt_future_t *future = submit_as(w->pool, program(line, 1), "HALT");

    CHECK(stdout_is(ended(future, RPT_OUTCOME_OK), "7\n"));
    rpt_future_destroy(future);
}

static void a_number_alone_is_a_state(void)
{
    drive(1, 2, DIRECTORY "log.level=0", commit_a_number);
}

static void signal_program(struct world *w)
{
    rpt_task_t *task = program(
        GO_ON "trap 'n=$((n + 1))' USR1; "
              "while [ $n -lt 2 ]; do sleep 0.01; done; exit 0",
        0);
    rpt_future_t *future;

    CHECK(rpt_task_set_checkpoint(task, 0.5) == RPT_OK);
    future = submit_as(w->pool, task, "p");
    ends(future, RPT_OUTCOME_OK);
    /* And when the pool stops. */
    task = program(GO_ON "trap 'n=4; " SAVE "exit 0' USR1; echo >../../../up; "
                         "while :; do sleep 0.01; done",
                   0);
    future = submit_as(w->pool, task, "q");
    for (char *up = NULL; up == NULL && is_young(60);) {
        CHECK(rpt_pool_wait(w->pool, 0.01) == RPT_PENDING);
        up = read_file(scratch_path("up"));
        free(up);
    }
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, 60, NULL) == RPT_OK);
    w->closed = true;
    ends(future, RPT_OUTCOME_OK);
}

static void a_program_is_asked_by_a_signal(void)
{
    drive(1, 2, DIRECTORY, signal_program);
}

/* ---- a pool that stops ---- */

#define STATE "pool.state_dir=@/state "

static void wait_for_file(struct world *w, const char *name)
{
    for (char *text = NULL; text == NULL && is_young(60);) {
        CHECK(rpt_pool_wait(w->pool, 0.01) == RPT_PENDING);
        text = read_file(scratch_path(name));
        free(text);
    }
}

static void stop(struct world *w)
{
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_DRAIN, 60, NULL) == RPT_OK);
    w->closed = true;
}

/* One knows no signal, one saves and says that it has not done all. */
static const char deaf[] = "cd \"$RPT_CHECKPOINT_DIR\"; "
                           "if [ ! -e ../../../deaf ]; then "
                           "echo >../../../deaf; "
                           "while :; do sleep 0.01; done; fi; echo anew";
static const char busy[] = GO_ON "[ $n = 0 ] || { echo $n; exit 0; }; n=7; "
                                 "trap '" SAVE
                                 "exit 75' USR1; echo >../../../busy; "
                                 "while :; do sleep 0.01; done";

static void stop_both(struct world *w)
{
    rpt_future_t *a = submit_as(w->pool, program(deaf, 0), "a");
    rpt_future_t *b = submit_as(w->pool, program(busy, 0), "b");

    wait_for_file(w, "deaf");
    wait_for_file(w, "busy");
    stop(w);
    ends(a, RPT_OUTCOME_CANCELLED);
    ends(b, RPT_OUTCOME_CANCELLED);
}

static void run_both(struct world *w)
{
    rpt_future_t *a = submit_as(w->pool, program(deaf, 0), "a");
    rpt_future_t *b = submit_as(w->pool, program(busy, 0), "b");

    CHECK(stdout_is(ended(a, RPT_OUTCOME_OK), "anew\n"));
    CHECK(stdout_is(ended(b, RPT_OUTCOME_OK), "7\n"));
    rpt_future_destroy(a);
    rpt_future_destroy(b);
}

static void stopped_programs(struct world *w)
{
    next_job(w, NULL, stop_both);
    next_job(w, NULL, run_both);
}

static void what_the_signal_of_a_pool_that_stops_ends_runs_again(void)
{
    on_all(1, 3, DIRECTORY STATE "pool.slots=2", stopped_programs);
}

/* The lock of a task's folder, as another process would have it. */
static int take_lock_of(const char *task)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char path[256];
    int fd;

    (void)mkdir(scratch_path("saved"), 0755);
    snprintf(path, sizeof path, "saved/%s", task);
    (void)mkdir(scratch_path(path), 0755);
    snprintf(path, sizeof path, "saved/%s/lock", task);
    fd = open(scratch_path(path), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    return fd;
}

static void stop_before_start(struct world *w)
{
    int fd = take_lock_of("p");
    rpt_future_t *future = submit_as(w->pool, program("exit 3", 0), "p");
    const rpt_result_t *result;

    wait_running(w->pool, 1);
    stop(w);
    result = ended(future, RPT_OUTCOME_CANCELLED);
    CHECK(result == NULL || result->attempts == 0);
    rpt_future_destroy(future);
    close(fd);
}

static void run_now(struct world *w)
{
    ends(submit_as(w->pool, program("exit 3", 0), "p"), RPT_OUTCOME_FAILED);
}

static void stopped_before_start(struct world *w)
{
    next_job(w, NULL, stop_before_start);
    next_job(w, NULL, run_now);
}

static void a_program_that_has_not_started_is_none_of_a_pool_that_stops(void)
{
    on_all(1, 3, DIRECTORY STATE, stopped_before_start);
}

/* ---- cancelling ---- */

/* Between its start and the folder's opening, and while it runs. */
static void cancel_programs(struct world *w)
{
    rpt_future_t *future = submit_as(w->pool, program("sleep 1000", 0), "p");

    wait_running(w->pool, 1);
    CHECK(rpt_future_cancel(future) == RPT_OK);
    ends(future, RPT_OUTCOME_CANCELLED);
    for (int i = 0; i < 20; i++) {
        char id[16];

        snprintf(id, sizeof id, "p%d", i);
        submit_quietly(w->pool, program("exit 0", 0));
        future = submit_as(w->pool, program("exit 0", 0), id);
        if (i % 2 != 0) {
            ends(future, RPT_OUTCOME_OK);
        } else {
            (void)rpt_future_cancel(future);
            rpt_future_destroy(future);
        }
    }
    CHECK(rpt_pool_wait(w->pool, 60) == RPT_OK);
}

static void cancelled_programs(struct world *w)
{
    next_job(w, NULL, cancel_programs);
    CHECK(entries("saved", ".") == 0);
}

static void programs_may_be_cancelled_at_any_moment(void)
{
    on_all(1, 3, DIRECTORY "pool.grace_s=100ms", cancelled_programs);
}

const struct pool_test checkpoint_programs_tests[] = {
    TEST(a_program_that_was_killed_goes_on_from_its_files),
    TEST(what_a_program_leaves_at_its_end_counts),
    TEST(a_program_that_commits_oddly_is_not_left_waiting),
    TEST(a_number_alone_is_a_state),
    TEST(a_program_is_asked_by_a_signal),
    TEST(what_the_signal_of_a_pool_that_stops_ends_runs_again),
    TEST(a_program_that_has_not_started_is_none_of_a_pool_that_stops),
    TEST(programs_may_be_cancelled_at_any_moment),
    TEST_END,
};
