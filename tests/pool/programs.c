/*
 * programs.c - external programs as tasks: how they start and end
 */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rpt_task_t *task_program(const char *program)
{
    const char *argv[] = { program, NULL };
    rpt_task_t *task = NULL;

    CHECK(rpt_task_create(&task) == RPT_OK);
    CHECK(rpt_task_set_program(task, argv) == RPT_OK);
    return task;
}

static void exit_with(struct world *w)
{
    static const int codes[] = { 0, 3, 255 };

    for (int i = 0; i < 3; i++) {
        char line[32];
        rpt_future_t *future;
        const rpt_result_t *result;

        snprintf(line, sizeof line, "exit %d", codes[i]);
        future = submit(w->pool, task_shell(line));
        result = ended(future,
                       codes[i] == 0 ? RPT_OUTCOME_OK : RPT_OUTCOME_FAILED);
        if (result != NULL) {
            CHECK(result->exit_code == codes[i] && result->signal == 0);
            CHECK((result->message[0] == '\0') == (codes[i] == 0));
            CHECK(result->rank >= 0 && result->rank < w->size);
            CHECK(result->max_rss_kib > 0);
            CHECK(result->start_time > 1.5e9 && result->duration_s > 0);
        }
        rpt_future_destroy(future);
    }
}

static void exit_codes_are_kept(void)
{
    drive(1, 4, NULL, exit_with);
}

static void die_by(struct world *w)
{
    static const int signals[] = { SIGKILL, SIGTERM, SIGABRT };

    for (int i = 0; i < 3; i++) {
        char line[32];
        rpt_future_t *future;
        const rpt_result_t *result;

        snprintf(line, sizeof line, "kill -%d $$", signals[i]);
        future = submit(w->pool, task_shell(line));
        result = ended(future, RPT_OUTCOME_SIGNALED);
        if (result != NULL) {
            CHECK(result->signal == signals[i] && result->exit_code == -1);
            CHECK(strstr(result->message, "killed by signal") != NULL);
        }
        rpt_future_destroy(future);
    }
}

static void a_signal_is_told_from_an_exit_code(void)
{
    drive(1, 3, NULL, die_by);
}

static void start_nothing(struct world *w)
{
    const char *paths[] = { "rpt-there-is-no-such-program", "/nowhere/at/all",
                            "/tmp", NULL };
    const char *plain = scratch_path("plain");

    write_file(plain, "#!/bin/sh\nexit 0\n");
    paths[3] = plain; /* may not be executed */
    for (int i = 0; i < 4; i++) {
        rpt_future_t *future = submit(w->pool, task_program(paths[i]));
        const rpt_result_t *result = ended(future, RPT_OUTCOME_FAILED);

        if (result != NULL) {
            CHECK(result->exit_code == -1 && result->signal == 0);
            CHECK(strstr(result->message, paths[i]) != NULL);
        }
        rpt_future_destroy(future);
    }
}

static void what_cannot_start_fails_and_says_why(void)
{
    drive(1, 3, NULL, start_nothing);
}

static void set_environment(struct world *w)
{
    rpt_task_t *task = task_shell("echo $A-$B-${HOME-none}-$PATH_IS");
    rpt_future_t *future;

    CHECK(rpt_task_set_env(task, "A", "one") == RPT_OK);
    CHECK(rpt_task_set_env(task, "B", "") == RPT_OK);
    CHECK(rpt_task_set_env(task, "HOME", NULL) == RPT_OK);
    CHECK(rpt_task_set_env(task, "PATH_IS", "a = b 'c'") == RPT_OK);
    future = submit(w->pool, task);
    CHECK(stdout_is(ended(future, RPT_OUTCOME_OK), "one--none-a = b 'c'\n"));
    rpt_future_destroy(future);
}

static void variables_are_set_and_removed(void)
{
    drive(1, 3, NULL, set_environment);
}

static void look_at_variables(struct world *w)
{
    static const char line[] = "echo $RPT_TASK_ID $RPT_TASK_ATTEMPT "
                               "$RPT_TASK_RANK $RPT_TASK_SLOT";
    char text[64];
    rpt_future_t *future = submit_as(w->pool, task_shell(line), "my task");
    const rpt_result_t *result = ended(future, RPT_OUTCOME_OK);

    if (result != NULL) {
        snprintf(text, sizeof text, "my task 1 %d 1\n", result->rank);
        CHECK(stdout_is(result, text));
    }
    rpt_future_destroy(future);
    future = submit(w->pool, task_shell(line));
    result = ended(future, RPT_OUTCOME_OK);
    if (result != NULL) {
        snprintf(text, sizeof text, "%s 1 %d 1\n", result->id, result->rank);
        CHECK(stdout_is(result, text));
    }
    rpt_future_destroy(future);
}

static void a_program_finds_its_task_in_the_environment(void)
{
    drive(1, 4, "pool.slots=1", look_at_variables);
}

/* As many at the same time as there are slots: each has one of its own. */
static void look_at_slots(struct world *w)
{
    enum { SLOTS = 2 };
    int n = SLOTS * w->size, seen[64] = {0}, fd;
    const char *pipe = scratch_path("pipe");
    rpt_future_t *futures[64];
    char line[TEXT_BYTES + 64];

    CHECK(n <= 64);
    CHECK(mkfifo(pipe, 0600) == 0);
    snprintf(line, sizeof line,
             "read x <%s; echo $RPT_TASK_RANK $RPT_TASK_SLOT", pipe);
    for (int i = 0; i < n; i++) {
        futures[i] = submit(w->pool, task_shell(line));
    }
    wait_running(w->pool, (uint64_t)n);
    fd = open(pipe, O_RDWR);
    for (int i = 0; i < n; i++) {
        CHECK(write(fd, "\n", 1) == 1);
    }
    for (int i = 0; i < n; i++) {
        const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_OK);
        int rank = -1, slot = 0;

        if (result != NULL && CHECK(result->stdout_bytes < sizeof line)) {
            memcpy(line, result->stdout_data, result->stdout_bytes);
            line[result->stdout_bytes] = '\0';
            CHECK(sscanf(line, "%d %d", &rank, &slot) == 2);
            CHECK(rank == result->rank);
        }
        if (CHECK(rank >= 0 && rank < w->size && slot >= 1 && slot <= SLOTS)) {
            seen[rank * SLOTS + slot - 1]++;
        }
        rpt_future_destroy(futures[i]);
    }
    close(fd);
    for (int i = 0; i < n; i++) {
        CHECK(seen[i] == 1);
    }
}

static void slots_are_numbered_apart(void)
{
    drive(1, 4, "pool.slots=2", look_at_slots);
}

static void change_folder(struct world *w)
{
    const char *folder = scratch_folder();
    rpt_task_t *task = task_shell("pwd -P");
    char *real = realpath(folder, NULL);
    char text[TEXT_BYTES + 2];
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(rpt_task_set_cwd(task, folder) == RPT_OK);
    future = submit(w->pool, task);
    snprintf(text, sizeof text, "%s\n", real != NULL ? real : "?");
    CHECK(stdout_is(ended(future, RPT_OUTCOME_OK), text));
    rpt_future_destroy(future);
    free(real);

    task = task_shell("pwd");
    CHECK(rpt_task_set_cwd(task, "/there/is/none") == RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_FAILED);
    CHECK(result != NULL && strstr(result->message, "/there/is/none") != NULL);
    rpt_future_destroy(future);
}

static void a_program_runs_in_its_folder(void)
{
    drive(1, 3, NULL, change_folder);
}

static void feed(struct world *w)
{
    enum { BYTES = 1 << 20 };
    char *data = malloc(BYTES);
    rpt_task_t *task = task_program("cat");
    rpt_future_t *future;
    const rpt_result_t *result;

    for (int i = 0; i < BYTES; i++) {
        data[i] = (char)(i * 7 + i / 256);
    }
    CHECK(rpt_task_set_stdin(task, data, BYTES) == RPT_OK);
    future = submit(w->pool, task);
    result = ended(future, RPT_OUTCOME_OK);
    if (result != NULL && CHECK(result->stdout_bytes == BYTES)) {
        CHECK(memcmp(result->stdout_data, data, BYTES) == 0);
    }
    rpt_future_destroy(future);
    future = submit(w->pool, task_program("cat")); /* /dev/null */
    CHECK(stdout_is(ended(future, RPT_OUTCOME_OK), ""));
    rpt_future_destroy(future);
    /* A program that does not read what it is given ends all the same. */
    task = task_program("true");
    CHECK(rpt_task_set_stdin(task, data, BYTES) == RPT_OK);
    ends(submit(w->pool, task), RPT_OUTCOME_OK);
    free(data);
}

static void a_megabyte_goes_in_and_comes_out(void)
{
    drive(1, 3, NULL, feed);
}

static void run_many(struct world *w)
{
    enum { N = 60 };
    rpt_future_t *futures[N];

    for (int i = 0; i < N; i++) {
        char line[32];

        snprintf(line, sizeof line, "echo %d; echo %d >&2", i, 2 * i);
        futures[i] = submit(w->pool, task_shell(line));
    }
    CHECK(rpt_future_wait_all(futures, N, 60) == RPT_OK);
    for (int i = 0; i < N; i++) {
        const rpt_result_t *result = ended(futures[i], RPT_OUTCOME_OK);
        char out[32], err[32];

        snprintf(out, sizeof out, "%d\n", i);
        snprintf(err, sizeof err, "%d\n", 2 * i);
        CHECK(stdout_is(result, out) && stderr_is(result, err));
        rpt_future_destroy(futures[i]);
    }
}

static void many_programs_each_have_their_own_output(void)
{
    drive(1, 4, NULL, run_many);
}

const struct pool_test programs_tests[] = {
    TEST(exit_codes_are_kept),
    TEST(a_signal_is_told_from_an_exit_code),
    TEST(what_cannot_start_fails_and_says_why),
    TEST(variables_are_set_and_removed),
    TEST(a_program_finds_its_task_in_the_environment),
    TEST(slots_are_numbered_apart),
    TEST(a_program_runs_in_its_folder),
    TEST(a_megabyte_goes_in_and_comes_out),
    TEST(many_programs_each_have_their_own_output),
    TEST_END,
};
