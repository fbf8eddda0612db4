/*
 * act.c - the start, and what is done around each call
 *
 * A process that is to die writes its line and its counts first, then sends
 * itself SIGKILL.  The whole job dies with it when a rule says so: every
 * process that was started with the same RPT_DISK_DIR and RPT_DISK_FAULT and
 * has a rank (or has none, when the process itself has none), which is what
 * /proc tells.  The launcher has no rank and lives, so that it can say what
 * happened.
 */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const disk_names[DISK_N_KINDS] = {
#define NAME(name, class) #name,
    DISK_CALLS(NAME)
};
const unsigned char disk_classes[DISK_N_KINDS] = {
#define CLASS(name, class) DISK_##class,
    DISK_CALLS(CLASS)
};
bool disk_is_active;
int disk_rank = -1;

static _Atomic(void *) next[DISK_N_KINDS];

static const char *const rank_variables[] = { "OMPI_COMM_WORLD_RANK",
                                              "PMIX_RANK", "PMI_RANK" };
enum { N_RANK_VARIABLES = sizeof rank_variables / sizeof *rank_variables };

/* Enough for the environment of any process of a job. */
enum { ENVIRON_BYTES = 1 << 18, MAX_VICTIMS = 4096 };
static char environ_of[ENVIRON_BYTES];
static pid_t victims[MAX_VICTIMS];

void *disk_next(enum disk_kind kind)
{
    void *found = next[kind];

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, disk_names[kind]);
        if (found == NULL) {
            disk_refuse(disk_names[kind], "the C library has no such call");
        }
        next[kind] = found;
    }
    return found;
}

_Noreturn void disk_refuse(const char *what, const char *text)
{
    const char *const words[] = { "disk faults: ", what, ": ", text, "\n" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (syscall(SYS_write, 2, words[i], strlen(words[i])) < 0) {
            break;
        }
    }
    _exit(DISK_BAD_PLAN);
}

static void after_fork(void)
{
    disk_plan_forget();
    disk_counts_forget();
}

__attribute__((constructor)) static void start(void)
{
    const char *folder = getenv("RPT_DISK_DIR");
    const char *fault = getenv("RPT_DISK_FAULT");
    const char *trace = getenv("RPT_DISK_TRACE");
    const char *counts = getenv("RPT_DISK_COUNT");
    const char *shared = getenv("RPT_DISK_SHARED");

    if (fault == NULL && trace == NULL && counts == NULL) {
        return;
    }
    if (folder == NULL) {
        disk_refuse("RPT_DISK_DIR", "it is not set, so there are no files");
    }
    const char *why = disk_places_start(folder);
    if (why != NULL) {
        disk_refuse(folder, why);
    }
    for (int i = 0; i < N_RANK_VARIABLES && disk_rank < 0; i++) {
        const char *rank = getenv(rank_variables[i]);
        disk_rank = rank != NULL ? atoi(rank) : -1;
    }
    disk_plan_start(fault);
    disk_plan_share(shared);
    disk_trace_start(trace, counts);
    for (int kind = 0; kind < DISK_N_KINDS; kind++) {
        next[kind] = dlsym(RTLD_NEXT, disk_names[kind]);
    }
    pthread_atfork(NULL, NULL, after_fork);
    disk_is_active = true;
}

__attribute__((destructor)) static void finish(void)
{
    if (disk_is_active) {
        disk_counts_write();
    }
}

/* Of /proc/PID/environ, n bytes in environ_of; value NULL: any. */
static bool has_variable(size_t n, const char *name, const char *value)
{
    const size_t length = strlen(name);

    for (size_t at = 0; at < n; at += strlen(environ_of + at) + 1) {
        const char *entry = environ_of + at;
        if (strncmp(entry, name, length) == 0 && entry[length] == '=') {
            return value == NULL || strcmp(entry + length + 1, value) == 0;
        }
    }
    return false;
}

static bool is_of_job(const char *pid, int proc)
{
    char file[64];

    if (strlen(pid) > 20) {
        return false;
    }
    strcpy(file, pid);
    strcat(file, "/environ");
    const int fd = (int)syscall(SYS_openat, proc, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    size_t n = 0;
    for (;;) {
        const ssize_t got = syscall(SYS_read, fd, environ_of + n,
                                    ENVIRON_BYTES - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    syscall(SYS_close, fd);
    environ_of[n] = '\0';
    bool is_ranked = false;
    for (int i = 0; i < N_RANK_VARIABLES; i++) {
        is_ranked |= has_variable(n, rank_variables[i], NULL);
    }
    return is_ranked == (disk_rank >= 0) &&
           has_variable(n, "RPT_DISK_FAULT", getenv("RPT_DISK_FAULT")) &&
           has_variable(n, "RPT_DISK_DIR", getenv("RPT_DISK_DIR"));
}

/* As the kernel gives it. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short bytes;
    unsigned char type;
    char name[];
};

/* All are found before the first is killed: they should die together. */
static void kill_others(void)
{
    static _Alignas(struct entry) char entries[1 << 15];
    const int proc = (int)syscall(SYS_openat, AT_FDCWD, "/proc",
                                  O_RDONLY | O_DIRECTORY);
    int n_victims = 0;
    long n;

    while ((n = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(entries + at);
            at += e->bytes;
            const pid_t pid = (pid_t)atoi(e->name);
            if (pid > 1 && pid != getpid() && n_victims < MAX_VICTIMS &&
                is_of_job(e->name, proc)) {
                victims[n_victims++] = pid;
            }
        }
    }
    for (int i = 0; i < n_victims; i++) {
        kill(victims[i], SIGKILL);
    }
}

_Noreturn void disk_die(enum disk_death death)
{
    disk_counts_write();
    if (death == DISK_ALL_KILLED) {
        static _Atomic bool is_begun;
        if (!is_begun) {
            is_begun = true;
            kill_others();
        }
    }
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

bool disk_begin(struct disk_call *call)
{
    call->saved_errno = errno;
    call->allowed = call->bytes > 0 ? (size_t)call->bytes : 0;
    disk_count(call->kind);
    disk_plan_apply(call);
    if (call->death != DISK_LIVES && !call->is_after) {
        call->begin_ns = disk_now_ns();
        disk_trace(call, 0, 0, "killed");
        disk_die(call->death);
    }
    /* A file is closed whatever close() says of it. */
    if (call->error != 0 && call->kind == DISK_close) {
        call->is_after = true;
    }
    call->begin_ns = disk_now_ns();
    if (call->error != 0 && !call->is_after) {
        errno = call->error;
        return false;
    }
    errno = call->saved_errno;
    return true;
}

int64_t disk_end(struct disk_call *call, int64_t result)
{
    if (call->error != 0 && call->is_after && result >= 0) {
        result = -1;
        errno = call->error;
    }
    const int error = errno;
    disk_trace(call, result, error, NULL);
    if (call->death != DISK_LIVES) {
        disk_die(call->death);
    }
    errno = error;
    return result;
}
