/*
 * test_exec_run.c - programs through the keeper: that they start, and if not
 */
#include "client.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, LARGE_BYTES = 16 * MIB };

static struct client client;

static void open_client(uint64_t capture_bytes)
{
    CU_ASSERT_EQUAL_FATAL(client_open(&client, capture_bytes, 5), RPT_OK);
}

/* ---- ends ---- */

static void a_program_that_succeeds_gives_0(void)
{
    const struct ended *job;
    struct timespec now;

    open_client(MIB);
    job = client_run(&client, &(struct job){ .argv = { "true" } });
    clock_gettime(CLOCK_REALTIME, &now);
    CU_ASSERT_EQUAL(job->n, 1);
    CU_ASSERT_EQUAL(job->end.error, 0);
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.signal, 0);
    CU_ASSERT_STRING_EQUAL(job->message, "");
    CU_ASSERT_FALSE(job->end.timed_out || job->end.killed);
    CU_ASSERT(job->end.start_time <= (double)now.tv_sec + 1);
    CU_ASSERT(job->end.start_time > (double)now.tv_sec - 60);
    CU_ASSERT(job->end.duration_s > 0 && job->end.duration_s < 60);
    CU_ASSERT(job->end.max_rss_kib > 100);
    client_close(&client);
}

static void every_exit_code_comes_back(void)
{
    const int codes[] = { 1, 2, 77, 126, 127, 128, 254, 255 };

    open_client(MIB);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char line[32];
        const struct ended *job;

        snprintf(line, sizeof line, "exit %d", codes[i]);
        job = client_shell(&client, line);
        CU_ASSERT_EQUAL(job->n, 1);
        CU_ASSERT_EQUAL(job->end.exit_code, codes[i]);
        CU_ASSERT_EQUAL(job->end.error, 0);
    }
    client_close(&client);
}

static void death_by_a_signal_comes_back(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_shell(&client, "kill -SEGV $$");
    CU_ASSERT_EQUAL(job->end.signal, SIGSEGV);
    CU_ASSERT_EQUAL(job->end.exit_code, -1);
    CU_ASSERT_FALSE(job->end.killed || job->end.timed_out);
    client_close(&client);
}

static void the_duration_is_that_of_the_program(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_run(&client, &(struct job){ .argv = { "sleep", "0.2" } });
    CU_ASSERT(job->end.duration_s >= 0.2);
    client_close(&client);
}

/* ---- programs that cannot be started ---- */

static void a_missing_program_says_so(void)
{
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { "rpt-no-such-program" } }, ENOENT,
            "rpt-no-such-program: not found in PATH (");
    refused(&client, &(struct job){ .argv = { "/no/such/program" } }, ENOENT,
            "/no/such/program: no such file");
    refused(&client, &(struct job){ .argv = { "" } }, ENOENT, "empty");
    client_close(&client);
}

static void an_empty_command_is_an_error(void)
{
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { NULL } }, EINVAL, "empty");
    client_close(&client);
}

static void a_file_that_is_no_program_says_what_it_is(void)
{
    struct rpt_program here = { .cwd = folder };

    make_file("plain", "echo hello\n", 0644);
    make_file("orphan", "#!/no/such/shell -x\n", 0755);
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { "/etc" } }, EACCES,
            "/etc: is a directory");
    refused(&client, &(struct job){ .argv = { "./plain" }, .program = here },
            EACCES, "./plain: no permission to execute it");
    refused(&client, &(struct job){ .argv = { "./orphan" }, .program = here },
            ENOENT, "./orphan: its interpreter /no/such/shell is missing");
    refused(&client, &(struct job){ .argv = { "/etc/passwd/x" } }, ENOTDIR,
            "Not a directory");
    client_close(&client);
}

static void a_binary_for_no_machine_is_refused(void)
{
    char path[PATH_MAX];
    FILE *file;

    make_file("binary", "", 0755);
    path_in(path, "binary");
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fwrite("\x7f"
           "ELF\0\0\0\0",
           1, 8, file);
    fclose(file);
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { path } }, ENOEXEC,
            "not a program for this machine");
    client_close(&client);
}

static void what_the_path_refuses_is_named(void)
{
    char path[PATH_MAX];
    struct rpt_env_change change = { "PATH", path };
    struct rpt_program program = { .env = &change, .n_env = 1 };

    path_in(path, "bin");
    mkdir(path, 0755);
    make_file("bin/tool", "echo tool\n", 0644);
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { "tool" }, .program = program },
            EACCES, "bin/tool: no permission to execute it");
    client_close(&client);
}

static void a_program_is_searched_in_the_path_of_the_task(void)
{
    char path[PATH_MAX];
    struct rpt_env_change change = { "PATH", path };
    struct rpt_program program = { .env = &change, .n_env = 1 };
    const struct ended *job;

    path_in(path, "bin");
    mkdir(path, 0755);
    make_file("bin/tool2", "#!/bin/sh\necho tool $1\n", 0755);
    open_client(MIB);
    job = client_run(
        &client, &(struct job){ .argv = { "tool2", "x" }, .program = program });
    CU_ASSERT_STRING_EQUAL(job->out, "tool x\n");
    /* Relative entries begin at the working directory, as everywhere. */
    strcpy(path, "/nowhere:bin");
    program.cwd = folder;
    job = client_run(
        &client, &(struct job){ .argv = { "tool2", "y" }, .program = program });
    CU_ASSERT_STRING_EQUAL(job->out, "tool y\n");
    client_close(&client);
}

static void a_script_without_a_first_line_runs_in_the_shell(void)
{
    struct rpt_program here = { .cwd = folder };
    const struct ended *job;

    make_file("script", "echo \"$1-$2\"; exit 3\n", 0755);
    open_client(MIB);
    job = client_run(&client, &(struct job){ .argv = { "./script", "a b", "c" },
                                             .program = here });
    CU_ASSERT_EQUAL(job->end.exit_code, 3);
    CU_ASSERT_STRING_EQUAL(job->out, "a b-c\n");
    client_close(&client);
}

static void arguments_that_are_too_long_are_an_error(void)
{
    char *text = malloc(MIB + 1);
    const struct ended *job;

    CU_ASSERT_FATAL(text != NULL);
    memset(text, 'x', MIB);
    text[MIB] = '\0';
    open_client(MIB);
    refused(&client, &(struct job){ .argv = { "true", text } }, E2BIG,
            "too long");
    text[100000] = '\0';
    job = client_run(&client, &(struct job){ .argv = { "echo", text } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.stdout_bytes, 100001);
    client_close(&client);
    free(text);
}

/* ---- working directory and environment ---- */

static void a_program_runs_in_its_working_directory(void)
{
    struct rpt_program program = { .cwd = folder };
    const struct ended *job;
    char expected[PATH_MAX];

    open_client(MIB);
    job = client_run(&client,
                     &(struct job){ .shell = "pwd -P", .program = program });
    snprintf(expected, sizeof expected, "%s\n", folder);
    CU_ASSERT_STRING_EQUAL(job->out, expected);
    program.cwd = "/no/such/place";
    refused(&client, &(struct job){ .argv = { "true" }, .program = program },
            ENOENT, "working directory /no/such/place: No such file");
    program.cwd = "/etc/passwd";
    refused(&client, &(struct job){ .argv = { "true" }, .program = program },
            ENOTDIR, "working directory /etc/passwd: Not a directory");
    client_close(&client);
}

static void the_environment_is_the_ranks_with_changes(void)
{
    const char *const env[] = { "RPT_TASK_ID=7", "RPT_T_BOTH=run", NULL };
    struct rpt_env_change changes[] = { { "RPT_T_SET", "a=b c" },
                                        { "RPT_T_BOTH", "task" },
                                        { "RPT_T_REMOVED", NULL },
                                        { "RPT_T_EMPTY", "" } };
    struct rpt_program program = { .env = changes, .n_env = 4 };
    const struct ended *job;

    setenv("RPT_T_REMOVED", "1", 1);
    setenv("RPT_T_KEPT", "kept", 1);
    open_client(MIB);
    job = client_run(
        &client,
        &(struct job){ .shell = "echo \"$RPT_TASK_ID|$RPT_T_BOTH|$RPT_T_SET|"
                                "${RPT_T_REMOVED-none}|$RPT_T_KEPT|"
                                "${RPT_T_EMPTY-none}|\"",
                       .program = program,
                       .run = { .env = env } });
    CU_ASSERT_STRING_EQUAL(job->out, "7|task|a=b c|none|kept||\n");
    /* The next one starts from the same base. */
    job = client_shell(&client, "echo ${RPT_T_REMOVED-none}${RPT_T_SET-none}");
    CU_ASSERT_STRING_EQUAL(job->out, "1none\n");
    client_close(&client);
}

static void a_bad_name_of_a_variable_is_an_error(void)
{
    struct rpt_env_change change = { "A=B", "c" };
    struct rpt_program program = { .env = &change, .n_env = 1 };

    open_client(MIB);
    refused(&client, &(struct job){ .argv = { "true" }, .program = program },
            EINVAL, "environment variables");
    client_close(&client);
}

static void the_launchers_variables_do_not_reach_a_program(void)
{
    const char *const hidden[] = {
        "OMPI_COMM_WORLD_RANK", "OMPI_MCA_ess",    "PMIX_RANK",    "PMI_FD",
        "HYDI_CONTROL_FD",      "MPI_LOCALRANKID", "SLURM_STEP_ID"
    };
    const size_t n = sizeof hidden / sizeof *hidden;
    const struct ended *job;

    for (size_t i = 0; i < n; i++) {
        setenv(hidden[i], "1", 1);
    }
    setenv("OMPI_MCA_btl_test", "self", 1);
    open_client(MIB);
    job = client_run(&client, &(struct job){ .argv = { "env" } });
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_PTR_NULL(strstr(job->out, hidden[i]));
        unsetenv(hidden[i]);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(job->out, "OMPI_MCA_btl_test=self"));
    client_close(&client);
}

static void a_program_starts_with_clean_signals(void)
{
    unsigned long blocked = 1, ignored = 1;
    const struct ended *job;
    sigset_t set, old;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGPIPE, SIG_IGN);
    open_client(MIB);
    job = client_run(&client,
                     &(struct job){ .argv = { "grep", "-E", "Sig(Blk|Ign)",
                                              "/proc/self/status" } });
    CU_ASSERT_EQUAL(
        sscanf(job->out, "SigBlk: %lx SigIgn: %lx", &blocked, &ignored), 2);
    CU_ASSERT_EQUAL(blocked, 0);
    /* Signals 32 and 33 are glibc's own: posix_spawn() ignores them. */
    CU_ASSERT_EQUAL(ignored & ~0x180000000UL, 0);
    client_close(&client);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

/* ---- many ---- */

static bool has_room(struct client *c)
{
    return c->n_started - c->n_ended < 8;
}

static void thousands_run_eight_at_a_time(void)
{
    struct job job = { .argv = { "/bin/true" },
                       .program = { .output = RPT_OUTPUT_DISCARD } };
    char fds[64];
    int n_before, keeper;

    open_client(MIB);
    keeper = atoi(client_shell(&client, "echo $PPID")->out);
    snprintf(fds, sizeof fds, "/proc/%d/fd", keeper);
    n_before = n_open_files(fds);
    client.bell_only = true;
    while (client.n_started < 2001) {
        /* Some with pipes, that they are closed again. */
        job.program.output = client.n_started % 16 == 0 ? RPT_OUTPUT_CAPTURE
                                                        : RPT_OUTPUT_DISCARD;
        CU_ASSERT_FATAL(client_wait(&client, has_room, 30));
        CU_ASSERT_NOT_EQUAL_FATAL(client_start(&client, &job), 0);
    }
    CU_ASSERT(client_wait_all(&client));
    for (uint64_t key = 1; key <= 2001; key++) {
        CU_ASSERT_EQUAL(client.jobs[key].n, 1);
        CU_ASSERT_EQUAL(client.jobs[key].end.exit_code, 0);
    }
    CU_ASSERT_EQUAL(n_open_files(fds), n_before);
    client_close(&client);
}

/* Some end while the keeper is still busy starting others. */
static void all_that_start_at_once_keep_their_output(void)
{
    char line[64], expected[64];

    open_client(MIB);
    for (int i = 1; i <= 200; i++) {
        snprintf(line, sizeof line, "echo %d; echo -%d >&2", i, i);
        client_start(&client, &(struct job){ .shell = line });
    }
    CU_ASSERT(client_wait_all(&client));
    for (int i = 1; i <= 200; i++) {
        snprintf(expected, sizeof expected, "%d\n", i);
        CU_ASSERT_STRING_EQUAL(client.jobs[i].out, expected);
        snprintf(expected, sizeof expected, "-%d\n", i);
        CU_ASSERT_STRING_EQUAL(client.jobs[i].err, expected);
    }
    client_close(&client);
}

/* ---- one after the other ---- */

/* Each adds its letter to a file: the order of the starts and ends. */
static uint64_t letter(const char *shell, uint64_t after)
{
    return client_start(&client, &(struct job){ .shell = shell,
                                                .program = { .cwd = folder },
                                                .run = { .after = after } });
}

static void a_program_may_wait_for_the_end_of_another(void)
{
    uint64_t first, second;

    make_file("letters", "", 0644);
    open_client(MIB);
    first = letter("sleep 0.2; printf a >>letters", 0);
    second = letter("printf b >>letters; exit 1", first);
    letter("sleep 0.1; printf c >>letters", second);
    CU_ASSERT(client_wait_all(&client));
    file_is("letters", "abc");
    for (uint64_t key = 1; key < 3; key++) {
        const struct rpt_program_end *end = &client.jobs[key].end;

        CU_ASSERT(client.jobs[key + 1].end.start_time >=
                  end->start_time + end->duration_s - 0.01);
    }
    /* What has ended, or never was, holds nobody up. */
    letter("printf d >>letters", first);
    CU_ASSERT(client_wait_all(&client));
    letter("printf e >>letters", 12345);
    CU_ASSERT(client_wait_all(&client));
    file_is("letters", "abcde");
    client_close(&client);
}

static void a_program_that_cannot_start_lets_the_next_ones_go(void)
{
    struct job job = { .argv = { "/no/such/program" } };

    open_client(MIB);
    job.run.after = client_start(&client,
                                 &(struct job){ .shell = "sleep 0.1" });
    for (int i = 0; i < 100; i++) {
        job.run.after = client_start(&client, &job);
    }
    letter("exit 7", job.run.after);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT_EQUAL(client.jobs[50].end.error, ENOENT);
    CU_ASSERT_EQUAL(client.jobs[102].end.exit_code, 7);
    client_close(&client);
}

static void a_program_that_waits_can_be_taken_back(void)
{
    open_client(MIB);
    client_start(&client, &(struct job){ .argv = { "sleep", "1000" } });
    letter("exit 2", 1);
    letter("exit 3", 2);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 2), RPT_OK);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 1), RPT_OK);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT_EQUAL(client.jobs[1].end.signal, SIGTERM);
    CU_ASSERT_EQUAL(client.jobs[2].end.error, ECANCELED);
    CU_ASSERT(client.jobs[2].end.killed);
    CU_ASSERT_STRING_EQUAL(client.jobs[2].message,
                           "taken back before it started");
    CU_ASSERT_EQUAL(client.jobs[3].end.exit_code, 3);
    client_close(&client);
}

static bool one_has_ended(struct client *c)
{
    return c->n_ended > 0;
}

static bool two_have_ended(struct client *c)
{
    return c->n_ended > 1;
}

/* A recall takes back what has not started, and nothing else. */
static void a_program_that_waits_can_be_recalled(void)
{
    make_file("letters", "", 0644);
    open_client(MIB);
    client_start(&client, &(struct job){ .argv = { "sleep", "1000" } });
    letter("printf b >>letters", 1);
    letter("printf c >>letters", 2);
    CU_ASSERT_EQUAL(rpt__keeper_recall(client.keeper, 2), RPT_OK);
    /* It comes back at once, while the one before it still runs. */
    CU_ASSERT(client_wait(&client, one_has_ended, 30));
    CU_ASSERT_EQUAL(client.jobs[2].n, 1);
    CU_ASSERT_EQUAL(client.jobs[2].end.error, ECANCELED);
    CU_ASSERT_EQUAL(client.jobs[2].end.exit_code, -1);
    CU_ASSERT_EQUAL(client.jobs[1].n, 0);
    /* What waited for it now waits for the first: it starts neither at once
     * (that would be done before the end of the fourth) nor never. */
    letter("sleep 0.1", 0);
    CU_ASSERT(client_wait(&client, two_have_ended, 30));
    CU_ASSERT_EQUAL(client.jobs[4].n, 1);
    CU_ASSERT_EQUAL(client.jobs[3].n, 0);
    file_is("letters", "");
    rpt__keeper_kill(client.keeper, 1);
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT_EQUAL(client.jobs[1].end.signal, SIGTERM);
    CU_ASSERT_EQUAL(client.jobs[2].n, 1);
    CU_ASSERT_EQUAL(client.jobs[3].end.exit_code, 0);
    file_is("letters", "c");
    client_close(&client);
}

static uint64_t n_short;

static bool short_ones_have_ended(struct client *c)
{
    return c->n_ended >= n_short;
}

/* Ends wait for more of them, but not for the end of a long program. */
static void ends_are_told_while_the_next_program_runs(void)
{
    char path[PATH_MAX];

    path_in(path, "stop");
    /* Often, because the last end may come when it is time to tell anyway. */
    for (n_short = 1; n_short <= 16; n_short++) {
        open_client(MIB);
        client.bell_only = true;
        for (uint64_t key = 1; key <= n_short; key++) {
            client_start(&client, &(struct job){ .argv = { "true" },
                                                 .run.after = key - 1 });
        }
        letter("until [ -e stop ]; do sleep 0.01; done", n_short);
        letter("exit 1", n_short + 1);
        letter("exit 2", n_short + 2);
        CU_ASSERT(client_wait(&client, short_ones_have_ended, 30));
        CU_ASSERT_EQUAL(client.n_ended, n_short);
        make_file("stop", "", 0644);
        CU_ASSERT(client_wait_all(&client));
        CU_ASSERT_EQUAL(client.jobs[n_short + 3].end.exit_code, 2);
        client_close(&client);
        unlink(path);
    }
}

/* The second one writes its first letter, and waits for the file "go". */
static void a_recall_that_comes_too_late_does_no_harm(void)
{
    make_file("letters", "", 0644);
    open_client(MIB);
    letter("exit 1", 0);
    letter("printf b >>letters; until [ -e go ]; do sleep 0.01; done; "
           "printf B >>letters; exit 5",
           1);
    letter("printf c >>letters", 2);
    CU_ASSERT(client_wait(&client, one_has_ended, 30));
    CU_ASSERT_EQUAL(rpt__keeper_recall(client.keeper, 1), RPT_OK); /* ended */
    CU_ASSERT_EQUAL(rpt__keeper_recall(client.keeper, 2), RPT_OK); /* runs  */
    CU_ASSERT_EQUAL(rpt__keeper_recall(client.keeper, 99), RPT_OK);
    /* Requests are read in their order: with the answer to this one, the keeper
     * has read the three. */
    letter("exit 4", 0);
    CU_ASSERT(client_wait(&client, two_have_ended, 30));
    CU_ASSERT_EQUAL(client.jobs[4].end.exit_code, 4);
    CU_ASSERT_EQUAL(client.jobs[2].n, 0);
    make_file("go", "", 0644);
    CU_ASSERT(client_wait_all(&client));
    for (int key = 1; key <= 4; key++) {
        CU_ASSERT_EQUAL(client.jobs[key].n, 1);
        CU_ASSERT_EQUAL(client.jobs[key].end.error, 0);
        CU_ASSERT_FALSE(client.jobs[key].end.killed);
    }
    CU_ASSERT_EQUAL(client.jobs[2].end.exit_code, 5);
    file_is("letters", "bBc");
    client_close(&client);
}

static void a_keeper_may_stop_while_programs_wait(void)
{
    open_client(MIB);
    client_start(&client, &(struct job){ .argv = { "sleep", "1000" } });
    letter("exit 2", 1);
    letter("exit 3", 2);
    client_start(&client, &(struct job){ .argv = { "true" } });
    CU_ASSERT(client_wait(&client, one_has_ended, 30));
    client_close(&client);
    CU_ASSERT_EQUAL(client.n_ended, 1);
}

/* ---- while the rank does not listen ---- */

/* The number that a program writes into the FIFO. */
static int number_from(const char *fifo)
{
    FILE *file = fopen(fifo, "r");
    int number = 0;

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_EQUAL(fscanf(file, "%d", &number), 1);
    fclose(file);
    return number;
}

/* 1 says more than the socket takes; 2 comes after it, 3 after 2.  The output
 * file of 2 is made when it starts.  Returns when the keeper knows that 1 has
 * ended, and has had time to start others. */
static void fill_the_socket(char file[PATH_MAX])
{
    char fifo[PATH_MAX];
    int pid;

    path_in(file, "started");
    path_in(fifo, "fifo");
    CU_ASSERT_EQUAL_FATAL(mkfifo(fifo, 0600), 0);
    open_client(LARGE_BYTES);
    letter("echo $$ >fifo; head -c 20000000 /dev/zero", 0);
    client_start(&client,
                 &(struct job){ .shell = "exit 5",
                                .program = { .output = RPT_OUTPUT_FILES,
                                             .stdout_path = file },
                                .run = { .after = 1 } });
    letter("exit 6", 2);
    pid = number_from(fifo);
    while (kill(pid, 0) == 0) { /* a minute at most: the limit of a test */
        usleep(1000);
    }
    /* It was asked for after that, so that it starts later than 2 would. */
    letter("echo 7 >fifo", 0);
    CU_ASSERT_EQUAL(number_from(fifo), 7);
    CU_ASSERT_EQUAL(access(file, F_OK), -1);
    unlink(fifo);
}

static void ends_are(char file[PATH_MAX], int error_of_2, int code_of_2)
{
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT_EQUAL(client.jobs[1].end.stdout_bytes, LARGE_BYTES);
    CU_ASSERT_EQUAL(client.jobs[2].end.error, error_of_2);
    CU_ASSERT_EQUAL(client.jobs[2].end.killed, error_of_2 != 0);
    CU_ASSERT_EQUAL(client.jobs[2].end.exit_code, code_of_2);
    CU_ASSERT_EQUAL(access(file, F_OK) == 0, error_of_2 == 0);
    CU_ASSERT_EQUAL(client.jobs[3].end.exit_code, 6);
    client_close(&client);
    unlink(file);
}

/* Were it killed together with the keeper, nobody would know that it began. */
static void none_starts_before_the_end_of_the_one_before_is_sent(void)
{
    char file[PATH_MAX];

    fill_the_socket(file);
    ends_are(file, 0, 5);
}

static void one_that_may_start_is_not_taken_back(void)
{
    char file[PATH_MAX];

    fill_the_socket(file);
    CU_ASSERT_EQUAL(rpt__keeper_recall(client.keeper, 2), RPT_OK);
    ends_are(file, 0, 5);
}

static void one_that_may_start_can_be_killed(void)
{
    char file[PATH_MAX];

    fill_the_socket(file);
    CU_ASSERT_EQUAL(rpt__keeper_kill(client.keeper, 2), RPT_OK);
    ends_are(file, ECANCELED, -1);
}

/* ---- requests ---- */

/* A keeper that stands still takes nothing: requests wait here. */
static void requests_never_block(void)
{
    enum { N = 4 };
    char *data = calloc(1, 8 * MIB);
    struct job job = { .shell = "wc -c",
                       .program = { .stdin_data = data,
                                    .stdin_bytes = 8 * MIB } };
    int keeper;

    CU_ASSERT_FATAL(data != NULL);
    open_client(MIB);
    keeper = atoi(client_shell(&client, "echo $PPID")->out);
    client.bell_only = true;
    kill(keeper, SIGSTOP);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_NOT_EQUAL(client_start(&client, &job), 0);
    }
    CU_ASSERT_EQUAL(rpt__keeper_poll(client.keeper), 0);
    kill(keeper, SIGCONT);
    CU_ASSERT(client_wait_all(&client));
    for (int i = 0; i < N; i++) {
        CU_ASSERT_STRING_EQUAL(client.jobs[2 + i].out, "8388608\n");
    }
    client_close(&client);
    free(data);
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_program_that_succeeds_gives_0),
    RPT_TEST(every_exit_code_comes_back),
    RPT_TEST(death_by_a_signal_comes_back),
    RPT_TEST(the_duration_is_that_of_the_program),
    RPT_TEST(a_missing_program_says_so),
    RPT_TEST(an_empty_command_is_an_error),
    RPT_TEST(a_file_that_is_no_program_says_what_it_is),
    RPT_TEST(a_binary_for_no_machine_is_refused),
    RPT_TEST(what_the_path_refuses_is_named),
    RPT_TEST(a_program_is_searched_in_the_path_of_the_task),
    RPT_TEST(a_script_without_a_first_line_runs_in_the_shell),
    RPT_TEST(arguments_that_are_too_long_are_an_error),
    RPT_TEST(a_program_runs_in_its_working_directory),
    RPT_TEST(the_environment_is_the_ranks_with_changes),
    RPT_TEST(a_bad_name_of_a_variable_is_an_error),
    RPT_TEST(the_launchers_variables_do_not_reach_a_program),
    RPT_TEST(a_program_starts_with_clean_signals),
    RPT_TEST(thousands_run_eight_at_a_time),
    RPT_TEST(all_that_start_at_once_keep_their_output),
    RPT_TEST(a_program_may_wait_for_the_end_of_another),
    RPT_TEST(a_program_that_cannot_start_lets_the_next_ones_go),
    RPT_TEST(a_program_that_waits_can_be_taken_back),
    RPT_TEST(a_program_that_waits_can_be_recalled),
    RPT_TEST(ends_are_told_while_the_next_program_runs),
    RPT_TEST(a_recall_that_comes_too_late_does_no_harm),
    RPT_TEST(a_keeper_may_stop_while_programs_wait),
    RPT_TEST(none_starts_before_the_end_of_the_one_before_is_sent),
    RPT_TEST(one_that_may_start_is_not_taken_back),
    RPT_TEST(one_that_may_start_can_be_killed),
    RPT_TEST(requests_never_block),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    int code;

    if (!make_folder()) {
        return 1;
    }
    code = rpt_test_main("exec run", tests, 120, argc, argv);
    remove_folder();
    return code;
}
