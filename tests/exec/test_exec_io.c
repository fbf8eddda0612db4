/*
 * test_exec_io.c - what programs are given, and what comes back from them
 */
#include "client.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

/* The sanitizer's own memory says nothing about the keeper's. */
#if defined(__SANITIZE_ADDRESS__)
static const bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif
#else
static const bool sanitized = false;
#endif

static struct client client;

static void open_client(uint64_t capture_bytes)
{
    CU_ASSERT_EQUAL_FATAL(client_open(&client, capture_bytes, 5), RPT_OK);
}

/* ---- input ---- */

static void input_is_none_by_default(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_run(&client, &(struct job){ .argv = { "cat" } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.stdout_bytes, 0);
    client_close(&client);
}

static void a_megabyte_of_input_arrives(void)
{
    char *data = malloc(MIB);
    const struct ended *job;

    CU_ASSERT_FATAL(data != NULL);
    for (size_t i = 0; i < MIB; i++) {
        data[i] = (char)(i * 7 + i / 251);
    }
    open_client(2 * MIB);
    for (size_t bytes = 1; bytes <= MIB; bytes *= 1024) {
        job = client_run(&client,
                         &(struct job){ .argv = { "cat" },
                                        .program = { .stdin_data = data,
                                                     .stdin_bytes = bytes } });
        CU_ASSERT_EQUAL(job->end.exit_code, 0);
        CU_ASSERT_EQUAL(job->end.stdout_bytes, bytes);
        CU_ASSERT_EQUAL(job->end.stdout_dropped, 0);
        CU_ASSERT_EQUAL(memcmp(job->out, data, bytes), 0);
    }
    client_close(&client);
    free(data);
}

static void a_program_may_leave_its_input_alone(void)
{
    char *data = calloc(1, MIB);
    const struct ended *job;

    CU_ASSERT_FATAL(data != NULL);
    open_client(MIB);
    job = client_run(
        &client,
        &(struct job){ .shell = "exec 0<&-; exit 4",
                       .program = { .stdin_data = data, .stdin_bytes = MIB } });
    CU_ASSERT_EQUAL(job->end.exit_code, 4);
    job = client_run(
        &client,
        &(struct job){ .argv = { "true" },
                       .program = { .stdin_data = data, .stdin_bytes = MIB } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    client_close(&client);
    free(data);
}

/* ---- output ---- */

static void both_outputs_are_captured_apart(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_shell(&client, "echo out; echo err >&2; printf 'a\\0b'");
    CU_ASSERT_EQUAL(job->end.stdout_bytes, 7);
    CU_ASSERT_EQUAL(memcmp(job->out, "out\na\0b", 7), 0);
    CU_ASSERT_STRING_EQUAL(job->err, "err\n");
    client_close(&client);
}

static void output_beyond_the_limit_is_counted(void)
{
    const struct ended *job;

    open_client(1000);
    job = client_shell(&client, "head -c 100000000 /dev/zero >&2; echo end");
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.stderr_bytes, 1000);
    CU_ASSERT_EQUAL(job->end.stderr_dropped, 100000000 - 1000);
    CU_ASSERT_STRING_EQUAL(job->out, "end\n");
    CU_ASSERT_EQUAL(job->end.stdout_dropped, 0);
    client_close(&client);
}

static void nothing_is_kept_with_a_limit_of_0(void)
{
    const struct ended *job;

    open_client(0);
    job = client_shell(&client, "echo 123");
    CU_ASSERT_EQUAL(job->end.stdout_bytes, 0);
    CU_ASSERT_EQUAL(job->end.stdout_dropped, 4);
    client_close(&client);
}

static void a_program_may_close_its_outputs_and_go_on(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_shell(&client, "echo x; exec 1>&- 2>&-; sleep 0.1; exit 6");
    CU_ASSERT_EQUAL(job->end.exit_code, 6);
    CU_ASSERT_STRING_EQUAL(job->out, "x\n");
    client_close(&client);
}

static void discarded_output_goes_nowhere(void)
{
    const struct ended *job;

    open_client(MIB);
    job = client_run(
        &client, &(struct job){ .shell = "echo x; echo y >&2",
                                .program = { .output = RPT_OUTPUT_DISCARD } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.stdout_bytes + job->end.stderr_bytes, 0);
    CU_ASSERT_EQUAL(job->end.stdout_dropped + job->end.stderr_dropped, 0);
    client_close(&client);
}

static void output_goes_to_files(void)
{
    char out[PATH_MAX];
    struct rpt_program program = { .output = RPT_OUTPUT_FILES,
                                   .stdout_path = out,
                                   .stderr_path = "err.txt",
                                   .cwd = folder };
    struct job job = { .shell = "echo out; echo err >&2", .program = program };

    path_in(out, "out.txt");
    make_file("out.txt", "old content that is longer\n", 0644);
    open_client(MIB);
    CU_ASSERT_EQUAL(client_run(&client, &job)->end.exit_code, 0);
    file_is("out.txt", "out\n");
    file_is("err.txt", "err\n"); /* relative: in the working directory */
    job.program.stdout_path = job.program.stderr_path = "both.txt";
    CU_ASSERT_EQUAL(client_run(&client, &job)->end.exit_code, 0);
    file_is("both.txt", "out\nerr\n");
    job.program.stdout_path = NULL;
    job.program.stderr_path = "err2.txt";
    CU_ASSERT_EQUAL(client_run(&client, &job)->end.exit_code, 0);
    file_is("err2.txt", "err\n");
    client_close(&client);
}

static void files_that_cannot_be_made_are_errors(void)
{
    char fifo[PATH_MAX];
    struct job job = { .argv = { "true" },
                       .program = { .output = RPT_OUTPUT_FILES } };

    path_in(fifo, "fifo");
    mkfifo(fifo, 0600);
    open_client(MIB);
    job.program.stdout_path = "/no/such/place/out";
    refused(&client, &job, ENOENT,
            "output file /no/such/place/out: No such file");
    job.program.stdout_path = NULL;
    job.program.stderr_path = "/etc";
    refused(&client, &job, EISDIR, "output file /etc: Is a directory");
    job.program.stderr_path = fifo;
    refused(&client, &job, ENXIO, "that nobody reads");
    client_close(&client);
}

static void output_is_streamed_as_it_comes(void)
{
    const struct ended *job;

    open_client(10);
    job = client_run(
        &client, &(struct job){ .shell = "head -c 1000000 /dev/zero; "
                                         "echo done >&2",
                                .program = { .output = RPT_OUTPUT_STREAM } });
    CU_ASSERT_EQUAL(job->end.exit_code, 0);
    CU_ASSERT_EQUAL(job->end.stdout_bytes, 0);
    CU_ASSERT_EQUAL(job->end.stdout_dropped, 0);
    CU_ASSERT_EQUAL(client.streamed[1].bytes, 1000000);
    CU_ASSERT_EQUAL(client.streamed[2].bytes, 5);
    CU_ASSERT_EQUAL(memcmp(client.streamed[2].data, "done\n", 5), 0);
    client_close(&client);
}

static bool streamed_a_line(struct client *c)
{
    return c->streamed[1].bytes > 0 &&
           memchr(c->streamed[1].data, '\n', c->streamed[1].bytes) != NULL;
}

static long status_kib(pid_t pid, const char *what)
{
    char path[64], line[256];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0) {
            kib = atol(line + strlen(what));
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

/* The program announces itself, then writes 100 MB which nobody takes: once it
 * no longer gets on, the keeper holds its 4 MiB and not all of it. */
static void a_rank_that_does_not_listen_stops_the_stream(void)
{
    struct job job = { .shell = "echo $PPID $$; exec head -c 100000000 "
                                "/dev/zero",
                       .program = { .output = RPT_OUTPUT_STREAM } };
    int keeper = 0, pid = 0, n_still = 0;
    char *end;
    size_t line;
    char path[64], text[256], before[256] = "";

    open_client(MIB);
    client_start(&client, &job);
    CU_ASSERT_FATAL(client_wait(&client, streamed_a_line, 30));
    line = strcspn(client.streamed[1].data, "\n") + 1;
    keeper = (int)strtol(client.streamed[1].data, &end, 10);
    pid = (int)strtol(end, NULL, 10);
    snprintf(path, sizeof path, "/proc/%d/io", pid);
    while (n_still < 100) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

        CU_ASSERT_FATAL(n > 0);
        close(fd);
        text[n] = '\0';
        n_still = strcmp(text, before) == 0 ? n_still + 1 : 0;
        strcpy(before, text);
        usleep(1000);
    }
    CU_ASSERT(sanitized || status_kib(keeper, "VmHWM:") < 16 * 1024);
    CU_ASSERT(is_alive(pid));
    CU_ASSERT(client_wait_all(&client));
    CU_ASSERT_EQUAL(client.streamed[1].bytes, line + 100000000);
    CU_ASSERT_EQUAL(client.jobs[1].end.exit_code, 0);
    client_close(&client);
}

/* ---- limits and placement ---- */

static void memory_is_limited(void)
{
    struct job job = { .shell = "ulimit -v; exec dd if=/dev/zero of=/dev/null "
                                "bs=200M count=1",
                       .run = { .memory_bytes = 64 * MIB } };
    const struct ended *got;

    open_client(MIB);
    got = client_run(&client, &job);
    CU_ASSERT_STRING_EQUAL(got->out, "65536\n");
    CU_ASSERT_EQUAL(got->end.exit_code, 1);
    job.run.memory_bytes = 0;
    got = client_run(&client, &job);
    CU_ASSERT_STRING_EQUAL(got->out, "unlimited\n");
    CU_ASSERT_EQUAL(got->end.exit_code, 0);
    client_close(&client);
}

static void peak_memory_is_that_of_the_program(void)
{
    const struct ended *job;
    char *data = malloc(64 * MIB);

    CU_ASSERT_FATAL(data != NULL);
    memset(data, 1, 64 * MIB);
    open_client(MIB);
    job = client_shell(&client, "dd if=/dev/zero of=/dev/null bs=64M count=1");
    CU_ASSERT(job->end.max_rss_kib >= 64 * 1024);
    CU_ASSERT(job->end.max_rss_kib < 96 * 1024);
    /* The keeper itself was large; small programs stay small. */
    client_run(&client,
               &(struct job){ .argv = { "true" },
                              .program = { .stdin_data = data,
                                           .stdin_bytes = 64 * MIB } });
    client_run(&client, &(struct job){ .argv = { "true" } });
    job = client_run(&client, &(struct job){ .argv = { "true" } });
    CU_ASSERT(sanitized || job->end.max_rss_kib < 16 * 1024);
    client_close(&client);
    free(data);
}

static void a_program_is_pinned(void)
{
    cpu_set_t mine;
    char expected[64];

    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof mine, &mine), 0);
    open_client(MIB);
    for (int cpu = 0; cpu < (int)CPU_SETSIZE; cpu++) {
        struct job job = { .argv = { "grep", "Cpus_allowed_list",
                                     "/proc/self/status" },
                           .run = { .cpus = &cpu, .n_cpus = 1 } };

        if (CPU_ISSET((size_t)cpu, &mine)) {
            snprintf(expected, sizeof expected, "Cpus_allowed_list:\t%d\n",
                     cpu);
            CU_ASSERT_STRING_EQUAL(client_run(&client, &job)->out, expected);
        }
    }
    client_close(&client);
}

static void a_processor_that_is_not_there_is_an_error(void)
{
    const int cpus[] = { 8000, 8192 };
    struct job job = { .argv = { "true" },
                       .run = { .cpus = cpus, .n_cpus = 1 } };

    open_client(MIB);
    refused(&client, &job, EINVAL, "pin to its processors: Invalid");
    job.run.cpus = cpus + 1;
    refused(&client, &job, EINVAL, "pin to processor 8192");
    client_close(&client);
}

static void a_program_has_three_descriptors(void)
{
    struct job job = { .argv = { "ls", "/proc/self/fd" } };
    int kept = dup(0); /* without CLOEXEC: must not reach programs */

    open_client(MIB);
    /* The fourth is the folder that ls reads. */
    CU_ASSERT_STRING_EQUAL(client_run(&client, &job)->out, "0\n1\n2\n3\n");
    job.program.stdin_data = "x";
    job.program.stdin_bytes = 1;
    job.program.cwd = folder;
    CU_ASSERT_STRING_EQUAL(client_run(&client, &job)->out, "0\n1\n2\n3\n");
    client_close(&client);
    close(kept);
}

static void the_limit_of_open_files_is_the_ranks(void)
{
    const struct ended *job;
    struct rlimit limit, lower;
    char expected[64];

    getrlimit(RLIMIT_NOFILE, &limit);
    lower = limit;
    lower.rlim_cur = limit.rlim_max < 300 ? limit.rlim_max : 300;
    setrlimit(RLIMIT_NOFILE, &lower);
    open_client(MIB);
    job = client_shell(&client, "ulimit -Sn");
    snprintf(expected, sizeof expected, "%lu\n", (unsigned long)lower.rlim_cur);
    CU_ASSERT_STRING_EQUAL(job->out, expected);
    client_close(&client);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static const struct rpt_test tests[] = {
    RPT_TEST(input_is_none_by_default),
    RPT_TEST(a_megabyte_of_input_arrives),
    RPT_TEST(a_program_may_leave_its_input_alone),
    RPT_TEST(both_outputs_are_captured_apart),
    RPT_TEST(output_beyond_the_limit_is_counted),
    RPT_TEST(nothing_is_kept_with_a_limit_of_0),
    RPT_TEST(a_program_may_close_its_outputs_and_go_on),
    RPT_TEST(discarded_output_goes_nowhere),
    RPT_TEST(output_goes_to_files),
    RPT_TEST(files_that_cannot_be_made_are_errors),
    RPT_TEST(output_is_streamed_as_it_comes),
    RPT_TEST(a_rank_that_does_not_listen_stops_the_stream),
    RPT_TEST(memory_is_limited),
    RPT_TEST(peak_memory_is_that_of_the_program),
    RPT_TEST(a_program_is_pinned),
    RPT_TEST(a_processor_that_is_not_there_is_an_error),
    RPT_TEST(a_program_has_three_descriptors),
    RPT_TEST(the_limit_of_open_files_is_the_ranks),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    int code;

    if (!make_folder()) {
        return 1;
    }
    code = rpt_test_main("exec io", tests, 120, argc, argv);
    remove_folder();
    return code;
}
