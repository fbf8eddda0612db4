/*
 * client.c - a rank that only has a bell and a keeper
 */
#include "client.h"

#include "base/clock.h"

#include <CUnit/CUnit.h>
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *copy(const void *data, size_t bytes)
{
    char *text = calloc(1, bytes + 1);

    if (text != NULL && bytes > 0) {
        memcpy(text, data, bytes);
    }
    return text;
}

static void on_output(void *user, uint64_t key, int stream, const void *data,
                      size_t bytes)
{
    struct client *client = user;

    (void)key;
    rpt__buf_add(&client->streamed[stream], data, bytes);
}

static void on_ended(void *user, uint64_t key,
                     const struct rpt_program_end *end)
{
    struct client *client = user;
    struct ended *job = &client->jobs[key % MAX_JOBS];

    job->n++;
    job->end = *end;
    job->message = copy(end->message, strlen(end->message));
    job->out = copy(end->stdout_data, end->stdout_bytes);
    job->err = copy(end->stderr_data, end->stderr_bytes);
    client->n_ended++;
}

static void on_died(void *user)
{
    struct client *client = user;

    client->n_died++;
}

static const struct rpt_keeper_events events = { on_output, on_ended, on_died };

/* The bell stands in the second page, behind another one. */
static bool make_bell(struct client *client)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *memory;

    client->bell_offset = page_bytes + sizeof(struct rpt_bell);
    client->bell_fd = memfd_create("bell", MFD_CLOEXEC);
    if (client->bell_fd < 0 ||
        ftruncate(client->bell_fd, (off_t)(2 * page_bytes)) != 0) {
        return false;
    }
    memory = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                  client->bell_fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    client->bell = (struct rpt_bell *)(void *)(memory + client->bell_offset);
    return true;
}

rpt_status_t client_open(struct client *client, uint64_t capture_bytes,
                         double grace_s)
{
    memset(client, 0, sizeof *client);
    if (!make_bell(client)) {
        return RPT_ERR_SYSTEM;
    }
    return rpt__keeper_start(getenv("RPT_POOL_KEEPER"), client->bell_fd,
                             client->bell_offset, capture_bytes, grace_s,
                             &events, client, &client->keeper);
}

void client_close(struct client *client)
{
    rpt__keeper_stop(client->keeper);
    munmap((char *)client->bell - client->bell_offset,
           2 * (size_t)sysconf(_SC_PAGESIZE));
    close(client->bell_fd);
    for (size_t i = 0; i < 3; i++) {
        rpt__buf_free(&client->streamed[i]);
    }
    for (size_t i = 0; i < MAX_JOBS; i++) {
        free(client->jobs[i].message);
        free(client->jobs[i].out);
        free(client->jobs[i].err);
    }
}

uint64_t client_start(struct client *client, const struct job *job)
{
    const char *shell[] = { "/bin/sh", "-c", job->shell, NULL };
    struct rpt_program program = job->program;
    struct rpt_run run = job->run;
    struct rpt_buf buf = RPT_BUF_EMPTY;
    const char *const *argv = job->shell != NULL ? shell : job->argv;
    uint64_t key = ++client->n_started;

    program.argv = (const char **)(uintptr_t)argv;
    while (argv[program.n_argv] != NULL) {
        program.n_argv++;
    }
    rpt__program_pack(&buf, &program);
    run.key = key;
    run.program = buf.data;
    run.program_bytes = buf.bytes;
    if (buf.failed || rpt__keeper_run(client->keeper, &run) != RPT_OK) {
        key = 0;
    }
    rpt__buf_free(&buf);
    return key;
}

bool client_wait(struct client *client, bool (*condition)(struct client *),
                 double limit_s)
{
    double end_s = rpt__now_s() + limit_s;
    struct rpt_bell *bell = client->bell;

    for (;;) {
        uint32_t count = atomic_load(&bell->count);
        double now_s, wake_s;

        atomic_store(&bell->sleeping, rpt__bell_mark(count));
        rpt__keeper_poll(client->keeper);
        if (condition(client)) {
            return true;
        }
        now_s = rpt__now_s();
        if (now_s >= end_s) {
            return false;
        }
        wake_s = rpt__keeper_next_s(client->keeper);
        wake_s = wake_s < end_s && !client->bell_only ? wake_s : end_s;
        rpt__futex_wait(&bell->count, count,
                        wake_s > now_s ? wake_s - now_s : 0);
        if (client->bell_only && rpt__now_s() >= end_s &&
            atomic_load(&bell->count) == count) {
            return false; /* a look would find what nobody rang for */
        }
    }
}

static bool all_ended(struct client *client)
{
    return client->n_ended >= client->n_started || client->n_died > 0;
}

bool client_wait_all(struct client *client)
{
    return client_wait(client, all_ended, 60) && client->n_died == 0;
}

const struct ended *client_run(struct client *client, const struct job *job)
{
    static const struct ended none = { .message = (char *)"",
                                       .out = (char *)"",
                                       .err = (char *)"" };
    uint64_t key = client_start(client, job);

    return client_wait_all(client) ? &client->jobs[key % MAX_JOBS] : &none;
}

const struct ended *client_shell(struct client *client, const char *line)
{
    return client_run(client, &(struct job){ .shell = line });
}

/* ---- files ---- */

char folder[] = "/tmp/rpt-exec-XXXXXX";

bool make_folder(void)
{
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return false;
    }
    return true;
}

void remove_folder(void)
{
    char command[PATH_MAX];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s was not removed\n", folder);
    }
}

void path_in(char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

void make_file(const char *name, const char *text, mode_t mode)
{
    char path[PATH_MAX];
    FILE *file;

    path_in(path, name);
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
    CU_ASSERT_EQUAL(chmod(path, mode), 0);
}

void file_is(const char *name, const char *text)
{
    char path[PATH_MAX], got[256] = "";
    FILE *file;
    size_t n = 0;

    path_in(path, name);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file != NULL) {
        n = fread(got, 1, sizeof got - 1, file);
        fclose(file);
    }
    got[n] = '\0';
    CU_ASSERT_STRING_EQUAL(got, text);
}

const struct ended *refused(struct client *client, const struct job *job,
                            int error, const char *words)
{
    const struct ended *got = client_run(client, job);

    CU_ASSERT_EQUAL(got->n, 1);
    CU_ASSERT_EQUAL(got->end.error, error);
    CU_ASSERT_EQUAL(got->end.exit_code, -1);
    CU_ASSERT_EQUAL(got->end.signal, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got->message, words));
    if (strstr(got->message, words) == NULL) {
        printf("  \"%s\" does not say \"%s\"\n", got->message, words);
    }
    return got;
}

/* ---- processes ---- */

bool is_alive(pid_t pid)
{
    char path[64], state = 'X';
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            state = 'X';
        }
        fclose(file);
    }
    return pid > 0 && state != 'X' && state != 'Z';
}

bool ends_within(pid_t pid, double limit_s)
{
    struct pollfd look = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
    bool ended = look.fd < 0 || poll(&look, 1, (int)(1e3 * limit_s)) == 1;

    if (look.fd >= 0) {
        close(look.fd);
    }
    return ended && !is_alive(pid);
}

int n_open_files(const char *of)
{
    DIR *dir = opendir(of);
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}
