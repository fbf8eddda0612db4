/*
 * act.c - the start, and what is done around each call
 *
 * A process that is to die writes its line and its counts first, then sends
 * itself SIGKILL.  The whole job dies with it when a rule says so: every
 * process of this host that was started with the same folder and plan, which
 * is what /proc tells, but those from which this one descends.  So the
 * launcher lives, and can say what happened.
 */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
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

/* Both may begin the name of a setting: programs of the library warn of names
 * that begin with RPT_ and are no options, unless RPT_TEST_ begins them. */
static const char *const beginnings[] = { "RPT_TEST_DISK_", "RPT_DISK_" };

/* Enough for the environment of any process of a job. */
enum { TEXT_BYTES = 1 << 18, MAX_VICTIMS = 4096, MAX_ANCESTORS = 64 };
static char text_of[TEXT_BYTES];
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

static const char *setting(const char *name)
{
    const char *value = NULL;

    for (int i = 0; i < 2 && value == NULL; i++) {
        char variable[32];
        strcpy(variable, beginnings[i]);
        strcat(variable, name);
        value = getenv(variable);
    }
    return value;
}

static void after_fork(void)
{
    disk_plan_forget();
    disk_counts_forget();
}

__attribute__((constructor)) static void start(void)
{
    const char *folder = setting("DIR");
    const char *fault = setting("FAULT");
    const char *trace = setting("TRACE");
    const char *counts = setting("COUNT");
    const char *shared = setting("SHARED");

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

/* The text of /proc/PID/FILE, in text_of; how long it is. */
static size_t read_proc(int proc, const char *pid, const char *file)
{
    char path[64];
    size_t n = 0;

    text_of[0] = '\0';
    if (strlen(pid) > 20) {
        return 0;
    }
    strcpy(path, pid);
    strcat(path, file);
    const int fd = (int)syscall(SYS_openat, proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    for (;;) {
        const ssize_t got = syscall(SYS_read, fd, text_of + n,
                                    TEXT_BYTES - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    syscall(SYS_close, fd);
    text_of[n] = '\0';
    return n;
}

/* Of the environment in text_of. */
static bool has_setting(size_t n, const char *name, const char *value)
{
    for (size_t at = 0; at < n; at += strlen(text_of + at) + 1) {
        for (int i = 0; i < 2; i++) {
            const char *entry = text_of + at;
            const size_t length = strlen(beginnings[i]);
            if (strncmp(entry, beginnings[i], length) == 0 &&
                strncmp(entry + length, name, strlen(name)) == 0 &&
                entry[length + strlen(name)] == '=' &&
                strcmp(entry + length + strlen(name) + 1, value) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_of_job(int proc, const char *pid)
{
    const size_t n = read_proc(proc, pid, "/environ");

    return has_setting(n, "FAULT", setting("FAULT")) &&
           has_setting(n, "DIR", setting("DIR"));
}

/* Its parent, and the parent of that one, and so on; the last is 0. */
static void find_ancestors(int proc, pid_t ancestors[MAX_ANCESTORS])
{
    pid_t pid = getppid();
    int n = 0;

    while (pid > 1 && n < MAX_ANCESTORS - 1) {
        char name[24];
        char *at = name + sizeof name - 1;
        ancestors[n++] = pid;
        *at = '\0';
        for (; pid > 0; pid /= 10) {
            *--at = (char)('0' + pid % 10);
        }
        read_proc(proc, at, "/stat");
        /* PID (NAME) STATE PARENT ..., and anything may be in a name. */
        const char *end = strrchr(text_of, ')');
        pid = end != NULL && strlen(end) > 4 ? (pid_t)atoi(end + 4) : 0;
    }
    ancestors[n] = 0;
}

static bool is_among(pid_t pid, const pid_t *pids)
{
    while (*pids != 0 && *pids != pid) {
        pids++;
    }
    return *pids == pid;
}

/* As the kernel gives it. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short bytes;
    unsigned char type;
    char name[];
};

/* They should die together: all are found before the first is killed, and none
 * has time to hear from the launcher that others are dead. */
static void kill_others(void)
{
    static _Alignas(struct entry) char entries[1 << 15];
    const int proc = (int)syscall(SYS_openat, AT_FDCWD, "/proc",
                                  O_RDONLY | O_DIRECTORY);
    pid_t ancestors[MAX_ANCESTORS];
    int n_victims = 0;
    long n;

    find_ancestors(proc, ancestors);
    while ((n = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(entries + at);
            at += e->bytes;
            const pid_t pid = (pid_t)atoi(e->name);
            if (pid > 1 && pid != getpid() && n_victims < MAX_VICTIMS &&
                !is_among(pid, ancestors) && is_of_job(proc, e->name)) {
                victims[n_victims++] = pid;
            }
        }
    }
    for (int i = 0; i < n_victims; i++) {
        kill(victims[i], SIGSTOP);
    }
    for (int i = 0; i < n_victims; i++) {
        kill(victims[i], SIGKILL);
    }
}

_Noreturn void disk_die(enum disk_death death)
{
    disk_counts_write();
    /* One thread does it; another that came after it waits for its end. */
    static atomic_flag is_begun = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_begun)) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        if (death == DISK_ALL_KILLED) {
            kill_others();
        }
        kill(getpid(), SIGKILL);
    }
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
