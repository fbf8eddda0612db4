/*
 * test_exec_end.c - how programs are ended, and that nothing is left behind
 */
#include "client.h"

#include "base/clock.h"
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

static struct client client;

static void open_client(double grace_s)
{
    CU_ASSERT_EQUAL_FATAL(client_open(&client, MIB, grace_s), RPT_OK);
}

/* ---- waiting for what a program says ---- */

static bool said_all(struct client *c)
{
    return c->streamed[1].bytes > 0 &&
           c->streamed[1].data[c->streamed[1].bytes - 1] == '\n';
}

/* Starts a shell line, in the folder, that says one line of numbers and goes
 * on; gives the numbers. */
static bool try_to_listen(const char *line, double timeout_s, int n,
                          int numbers_out[])
{
    struct job job = { .shell = line,
                       .program = { .output = RPT_OUTPUT_STREAM,
                                    .cwd = folder },
                       .run = { .timeout_s = timeout_s } };
    char *at;

    if (client_start(&client, &job) == 0 ||
        !client_wait(&client, said_all, 30)) {
        return false;
    }
    at = client.streamed[1].data;
    for (int i = 0; i < n; i++) {
        numbers_out[i] = (int)strtol(at, &at, 10);
        if (numbers_out[i] <= 0) {
            return false;
        }
    }
    return true;
}

static void start_and_listen(const char *line, double timeout_s, int n,
                             int numbers_out[])
{
    CU_ASSERT_FATAL(try_to_listen(line, timeout_s, n, numbers_out));
}

/* A line that starts a process in a session of its own, which keeps the
 * outputs open, and says its number. */
#define DAEMON                                                                 \
    "rm -f fifo; mkfifo fifo; "                                                \
    "setsid sh -c 'echo $$ >fifo; exec sleep 1000' & read daemon <fifo; "

/* ---- time ---- */

static void time_over_means_term(void)
{
    const struct ended *job;

    open_client(1000);
    job = client_run(&client, &(struct job){ .argv = { "sleep", "1000" },
                                             .run = { .timeout_s = 0.1 } });
    CU_ASSERT_EQUAL(job->end.signal, SIGTERM);
    CU_ASSERT(job->end.timed_out);
    CU_ASSERT_FALSE(job->end.killed);
    CU_ASSERT(job->end.duration_s >= 0.1 && job->end.duration_s < 30);
    client_close(&client);
}

static void a_program_may_obey_term_in_its_own_way(void)
{
    const struct ended *job;

    open_client(1000);
    job = client_run(&client,
                     &(struct job){ .shell = "trap 'echo bye; exit 9' TERM; "
                                             "while :; do sleep 0.01; done",
                                    .run = { .timeout_s = 0.3 } });
    CU_ASSERT(job->end.timed_out);
    CU_ASSERT_EQUAL(job->end.exit_code, 9);
    CU_ASSERT_EQUAL(job->end.signal, 0);
    CU_ASSERT_STRING_EQUAL(job->out, "bye\n");
    client_close(&client);
}

static void who_ignores_term_is_killed_after_the_grace(void)
{
    const struct ended *job;

    open_client(0.2);
    job = client_run(&client,
                     &(struct job){ .shell = "trap '' TERM; echo $PPID; "
                                             "while :; do sleep 0.01; done",
                                    .run = { .timeout_s = 0.3 } });
    CU_ASSERT(job->end.timed_out);
    CU_ASSERT_EQUAL(job->end.signal, SIGKILL);
    CU_ASSERT(job->end.duration_s >= 0.5);
    client_close(&client);
}

static void a_stopped_program_ends_too(void)
{
    const struct ended *job;

    open_client(1000);
    job = client_run(&client, &(struct job){ .shell = "kill -STOP $$",
                                             .run = { .timeout_s = 0.1 } });
    CU_ASSERT(job->end.timed_out);
    CU_ASSERT_EQUAL(job->end.signal, SIGTERM);
    client_close(&client);
}

static void each_has_its_own_time(void)
{
    struct job job = { .argv = { "sleep", "1000" } };

    open_client(1000);
    job.run.timeout_s = 0.3;
    client_start(&client, &job);
    job.run.timeout_s = 0.1;
    client_start(&client, &job);
    job.argv[1] = "0.6";
    job.run.timeout_s = 0;
    client_start(&client, &job);
    job.run.timeout_s = 60;
    client_start(&client, &job);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT(client.jobs[1].end.timed_out);
    CU_ASSERT(client.jobs[1].end.duration_s >= 0.3);
    CU_ASSERT(client.jobs[2].end.timed_out);
    CU_ASSERT(client.jobs[2].end.duration_s >= 0.1);
    CU_ASSERT_FALSE(client.jobs[3].end.timed_out);
    CU_ASSERT_FALSE(client.jobs[4].end.timed_out);
    CU_ASSERT_EQUAL(client.jobs[4].end.exit_code, 0);
    client_close(&client);
}

/* ---- kill ---- */

static void a_program_can_be_killed(void)
{
    int pid;

    open_client(1000);
    start_and_listen("echo $$; exec sleep 1000", 0, 1, &pid);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 77), RPT_OK);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_OK);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT(client.jobs[1].end.killed);
    CU_ASSERT_FALSE(client.jobs[1].end.timed_out);
    CU_ASSERT_EQUAL(client.jobs[1].end.signal, SIGTERM);
    CU_ASSERT_FALSE(is_alive(pid));
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_OK);
    client_close(&client);
}

static void a_killed_program_that_ignores_term_goes_after_the_grace(void)
{
    int pid;

    open_client(0.1);
    start_and_listen("trap '' TERM; echo $$; while :; do sleep 0.01; done", 60,
                     1, &pid);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_OK);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT(client.jobs[1].end.killed);
    CU_ASSERT_EQUAL(client.jobs[1].end.signal, SIGKILL);
    client_close(&client);
}

static void a_kill_right_after_the_start_counts(void)
{
    open_client(1000);
    client_start(&client, &(struct job){ .argv = { "sleep", "1000" } });
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_OK);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT(client.jobs[1].end.killed);
    client_close(&client);
}

/* ---- groups and those who leave them ---- */

static void the_rest_of_the_group_goes_with_the_program(void)
{
    const struct ended *job;

    open_client(1000);
    job = client_shell(&client, "sleep 1000 & echo $!; exit 5");
    CU_ASSERT_EQUAL(job->end.exit_code, 5);
    CU_ASSERT(job->end.duration_s < 30);
    CU_ASSERT(ends_within(atoi(job->out), 10));
    client_close(&client);
}

static void time_over_ends_the_whole_group(void)
{
    int pids[2];

    open_client(0.1);
    start_and_listen("trap '' TERM; sleep 1000 & echo $$ $!; wait", 0.2, 2,
                     pids);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT(client.jobs[1].end.timed_out);
    CU_ASSERT(ends_within(pids[0], 10));
    CU_ASSERT(ends_within(pids[1], 10));
    client_close(&client);
}

/* It keeps the pipe open, and it is not in the group. */
static void a_daemon_does_not_delay_the_end_and_lives_until_the_stop(void)
{
    const struct ended *job;
    int daemon;

    open_client(1000);
    job = client_run(&client, &(struct job){ .shell = DAEMON "echo $daemon",
                                             .program = { .cwd = folder } });
    daemon = atoi(job->out);
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT(is_alive(daemon));
    client_shell(&client, "true");
    CU_ASSERT(is_alive(daemon));
    client_close(&client);
    CU_ASSERT_FALSE(is_alive(daemon));
}

static void orphans_do_not_stay_as_zombies(void)
{
    const struct ended *job;
    int orphan, n;

    open_client(1000);
    job = client_run(&client, &(struct job){ .shell = DAEMON "echo $daemon",
                                             .program = { .cwd = folder } });
    orphan = atoi(job->out);
    CU_ASSERT_EQUAL(kill(orphan, SIGKILL), 0);
    /* Each program that ends shows that the keeper has been through. */
    for (n = 0; n < 100 && kill(orphan, 0) == 0; n++) {
        client_shell(&client, "sleep 0.01");
    }
    CU_ASSERT(n < 100);
    client_close(&client);
}

static void stopping_ends_all_that_runs(void)
{
    int pids[4];

    open_client(1000);
    start_and_listen("trap '' TERM; " DAEMON "sleep 1000 & "
                     "echo $$ $! $daemon $PPID; wait",
                     0, 4, pids);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(is_alive(pids[i]));
    }
    client_close(&client);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(kill(pids[i], 0), -1);
    }
    CU_ASSERT_EQUAL(client.n_ended, 0);
    CU_ASSERT_EQUAL(client.n_died, 0);
}

/* ---- the keeper's own end ---- */

static bool died(struct client *c)
{
    return c->n_died > 0;
}

static void a_killed_keeper_is_noticed_and_its_programs_die(void)
{
    struct job job = { .argv = { "true" } };
    int pids[2];

    open_client(1000);
    start_and_listen("echo $$ $PPID; exec sleep 1000", 0, 2, pids);
    kill(pids[1], SIGKILL);
    CU_ASSERT(client_wait(&client, died, 10));
    CU_ASSERT_EQUAL(client.n_died, 1);
    CU_ASSERT_EQUAL(client.n_ended, 0);
    CU_ASSERT(ends_within(pids[0], 10));
    CU_ASSERT_EQUAL(kill(pids[1], 0), -1); /* and is no zombie of ours */
    CU_ASSERT_EQUAL(client_start(&client, &job), 0);
    CU_ASSERT_EQUAL(rpt_last_error()->status, RPT_ERR_STATE);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_ERR_STATE);
    CU_ASSERT_EQUAL(rpt__keeper_poll(client.keeper), 0);
    CU_ASSERT(isinf(rpt__keeper_next_s(client.keeper)));
    CU_ASSERT_EQUAL(client.n_died, 1);
    client_close(&client);
}

static void a_keeper_that_was_killed_idle_is_noticed_at_the_next_start(void)
{
    struct job job = { .argv = { "true" } };
    int keeper;

    open_client(1000);
    keeper = atoi(client_shell(&client, "echo $PPID")->out);
    kill(keeper, SIGKILL);
    CU_ASSERT(ends_within(keeper, 10));
    client_start(&client, &job);
    CU_ASSERT(rpt__keeper_next_s(client.keeper) <= rpt__now_s() + 0.1);
    CU_ASSERT(client_wait(&client, died, 10));
    client_close(&client);
}

static void a_stuck_keeper_is_killed_at_the_stop(void)
{
    int keeper;

    open_client(1000);
    keeper = atoi(client_shell(&client, "echo $PPID")->out);
    kill(keeper, SIGSTOP);
    client_close(&client);
    CU_ASSERT_EQUAL(kill(keeper, 0), -1);
}

static void the_launchers_signals_do_not_reach_the_keeper(void)
{
    const int signals[] = { SIGTERM, SIGINT,  SIGHUP, SIGUSR1,
                            SIGUSR2, SIGPIPE, SIGQUIT };
    int keeper;

    open_client(1000);
    keeper = atoi(client_shell(&client, "echo $PPID")->out);
    CU_ASSERT_EQUAL(getsid(keeper), keeper);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        CU_ASSERT_EQUAL(kill(keeper, signals[i]), 0);
    }
    CU_ASSERT_EQUAL(client_shell(&client, "exit 8")->end.exit_code, 8);
    client_close(&client);
}

/* ---- the rank's end ---- */

/* A rank in a process of its own; says what start_and_listen() got. */
static pid_t fork_rank(const char *line, int n, int numbers_out[], int *extra)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        ssize_t written;
        /* A copy of the rank that holds its socket open. */
        pid_t copy;

        if (client_open(&client, MIB, 1000) != RPT_OK ||
            !try_to_listen(line, 0, n, numbers_out)) {
            _exit(1);
        }
        copy = extra != NULL ? fork() : 0;
        if (extra != NULL && copy == 0) {
            close(ends[1]);
            pause();
        }
        numbers_out[n] = (int)copy;
        written = write(ends[1], numbers_out, sizeof(int) * ((size_t)n + 1));
        while (written > 0) {
            pause();
        }
        _exit(1);
    }
    close(ends[1]);
    if (read(ends[0], numbers_out, sizeof(int) * ((size_t)n + 1)) <= 0) {
        pid = -1;
    }
    if (extra != NULL) {
        *extra = numbers_out[n];
    }
    close(ends[0]);
    return pid;
}

static void nothing_is_left_of_a_killed_rank(void)
{
    int pids[5];
    pid_t rank = fork_rank("trap '' TERM HUP; " DAEMON "sleep 1000 & "
                           "echo $$ $! $daemon $PPID; wait",
                           4, pids, NULL);

    CU_ASSERT_FATAL(rank > 0);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(is_alive(pids[i]));
    }
    kill(rank, SIGKILL);
    waitpid(rank, NULL, 0);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(ends_within(pids[i], 10));
    }
}

static void a_forked_copy_of_the_rank_does_not_keep_programs_alive(void)
{
    int pids[3], copy;
    pid_t rank = fork_rank("echo $$ $PPID; exec sleep 1000", 2, pids, &copy);

    CU_ASSERT_FATAL(rank > 0);
    kill(rank, SIGKILL);
    waitpid(rank, NULL, 0);
    CU_ASSERT(ends_within(pids[0], 10));
    CU_ASSERT(ends_within(pids[1], 10));
    CU_ASSERT(is_alive(copy));
    kill(copy, SIGKILL);
}

static void the_ranks_own_children_are_not_waited_for(void)
{
    pid_t own = fork();
    int status = 0;

    if (own == 0) {
        _exit(33);
    }
    open_client(1000);
    client_shell(&client, "true");
    client_close(&client);
    CU_ASSERT_EQUAL(waitpid(own, &status, 0), own);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 33);
    CU_ASSERT_EQUAL(waitpid(-1, &status, 0), -1);
    CU_ASSERT_EQUAL(errno, ECHILD);
}

static void a_rank_that_ignores_its_children_can_stop(void)
{
    signal(SIGCHLD, SIG_IGN);
    open_client(1000);
    CU_ASSERT_EQUAL(client_shell(&client, "exit 2")->end.exit_code, 2);
    client_close(&client);
    signal(SIGCHLD, SIG_DFL);
}

static void a_rank_keeps_no_descriptor(void)
{
    int n = n_open_files("/proc/self/fd");

    for (int i = 0; i < 3; i++) {
        open_client(1000);
        client_shell(&client, "true");
        client_close(&client);
    }
    CU_ASSERT_EQUAL(n_open_files("/proc/self/fd"), n);
}

static void two_ranks_of_one_process_have_their_own_keepers(void)
{
    static struct client other;
    int keepers[2];

    open_client(1000);
    CU_ASSERT_EQUAL_FATAL(client_open(&other, MIB, 1000), RPT_OK);
    keepers[0] = atoi(client_shell(&client, "echo $PPID")->out);
    keepers[1] = atoi(client_shell(&other, "echo $PPID")->out);
    CU_ASSERT_NOT_EQUAL(keepers[0], keepers[1]);
    client_close(&client);
    CU_ASSERT_EQUAL(client_shell(&other, "exit 3")->end.exit_code, 3);
    client_close(&other);
}

/* ---- start ---- */

static void start_fails(const char *path, rpt_status_t expected)
{
    const char *old = getenv("RPT_POOL_KEEPER");
    char *saved = old != NULL ? strdup(old) : NULL;

    setenv("RPT_POOL_KEEPER", path, 1);
    CU_ASSERT_EQUAL(client_open(&client, MIB, 1), expected);
    CU_ASSERT_PTR_NULL(client.keeper);
    CU_ASSERT_EQUAL(rpt_last_error()->status, expected);
    CU_ASSERT(strlen(rpt_last_error()->hint) > 0 || expected == RPT_ERR_SYSTEM);
    client_close(&client);
    if (saved != NULL) {
        setenv("RPT_POOL_KEEPER", saved, 1);
    }
    free(saved);
}

static void a_missing_keeper_says_what_to_do(void)
{
    int n = n_open_files("/proc/self/fd");

    start_fails("/no/such/keeper", RPT_ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error_text(), "/no/such/keeper"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error_text(), "RPT_POOL_KEEPER"));
    CU_ASSERT_EQUAL(n_open_files("/proc/self/fd"), n);
}

static void another_program_is_no_keeper(void)
{
    int n = n_open_files("/proc/self/fd");

    start_fails("/bin/true", RPT_ERR_SYSTEM);
    start_fails("/etc", RPT_ERR_SYSTEM);
    CU_ASSERT_EQUAL(n_open_files("/proc/self/fd"), n);
}

/* It says hello as version 999999. */
static void a_keeper_of_another_version_is_refused(void)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s/other", folder);
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("#!/bin/sh\n"
          "printf '\\004\\0\\0\\0\\0\\0\\0\\0\\001\\0\\0\\0\\0\\0\\0\\0"
          "\\077\\102\\017\\0\\0\\0\\0\\0' >&3\n"
          "cat <&3 >/dev/null\n",
          file);
    fclose(file);
    chmod(path, 0755);
    start_fails(path, RPT_ERR_VERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error_text(), "999999"));
}

/* Beyond the limit there is a signal that ends the process. */
static void where_files_must_be_small_there_is_no_keeper(void)
{
    int n = n_open_files("/proc/self/fd");
    struct rlimit before, small;

    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 12288; /* enough for the bell */
    setrlimit(RLIMIT_FSIZE, &small);
    CU_ASSERT_EQUAL(client_open(&client, MIB, 1), RPT_ERR_SYSTEM);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_PTR_NULL(client.keeper);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error_text(), "ulimit -f"));
    client_close(&client);
    CU_ASSERT_EQUAL(n_open_files("/proc/self/fd"), n);
}

static const struct rpt_test tests[] = {
    RPT_TEST(time_over_means_term),
    RPT_TEST(a_program_may_obey_term_in_its_own_way),
    RPT_TEST(who_ignores_term_is_killed_after_the_grace),
    RPT_TEST(a_stopped_program_ends_too),
    RPT_TEST(each_has_its_own_time),
    RPT_TEST(a_program_can_be_killed),
    RPT_TEST(a_killed_program_that_ignores_term_goes_after_the_grace),
    RPT_TEST(a_kill_right_after_the_start_counts),
    RPT_TEST(the_rest_of_the_group_goes_with_the_program),
    RPT_TEST(time_over_ends_the_whole_group),
    RPT_TEST(a_daemon_does_not_delay_the_end_and_lives_until_the_stop),
    RPT_TEST(orphans_do_not_stay_as_zombies),
    RPT_TEST(stopping_ends_all_that_runs),
    RPT_TEST(a_killed_keeper_is_noticed_and_its_programs_die),
    RPT_TEST(a_keeper_that_was_killed_idle_is_noticed_at_the_next_start),
    RPT_TEST(a_stuck_keeper_is_killed_at_the_stop),
    RPT_TEST(the_launchers_signals_do_not_reach_the_keeper),
    RPT_TEST(nothing_is_left_of_a_killed_rank),
    RPT_TEST(a_forked_copy_of_the_rank_does_not_keep_programs_alive),
    RPT_TEST(the_ranks_own_children_are_not_waited_for),
    RPT_TEST(a_rank_that_ignores_its_children_can_stop),
    RPT_TEST(a_rank_keeps_no_descriptor),
    RPT_TEST(two_ranks_of_one_process_have_their_own_keepers),
    RPT_TEST(a_missing_keeper_says_what_to_do),
    RPT_TEST(another_program_is_no_keeper),
    RPT_TEST(a_keeper_of_another_version_is_refused),
    RPT_TEST(where_files_must_be_small_there_is_no_keeper),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    int code;

    if (!make_folder()) {
        return 1;
    }
    code = rpt_test_main("exec end", tests, 120, argc, argv);
    remove_folder();
    return code;
}
