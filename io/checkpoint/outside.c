/*
 * outside.c - HDF5 opens the file of a checkpoint, in a process of its own
 *
 * A file that was made to harm can crash HDF5, or let it take all memory and
 * time.  So repartir-checker opens it, which limits itself; we give it the file
 * (already open: nobody can put another in its place), what should be in it,
 * and a pipe for its answer.  No answer is one, too.
 *
 * Cost: the start of a process with HDF5, some 10 ms.
 */
#include "io/checkpoint/outside.h"

#include "base/beside.h"
#include "base/clock.h"
#include "base/error.h"
#include "io/hdf5/checker.h"
#include "io/hdf5/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of addresses: HDF5 with the MPI that it is linked with has some 300 MiB. */
#define MEMORY_BYTES (UINT64_C(2) << 30)
#define MEMORY_BYTES_DATASET UINT64_C(16384)

struct outside {
    const char *path;
    double limit_s;
    int request_fd;
    int answer_fds[2];
    pid_t pid;
    bool is_late;
    char answer[RPT_CHECKER_ANSWER_BYTES + 1];
    size_t bytes;
};

/* ---- what is asked ---- */

/* 0, or bytes of a slot, chunk, and where the slots are. */
static void write_slots(const struct rpt_dataset *set, struct rpt_buf *text)
{
    const struct rpt_chunk_slots *slots = set->slots;

    if (slots == NULL) {
        rpt__buf_printf(text, " 0");
        return;
    }
    rpt__buf_printf(text, " %" PRIu64, slots->bytes);
    for (int d = 0; d < set->n_dims; d++) {
        rpt__buf_printf(text, " %" PRIu64, slots->chunk[d]);
    }
    rpt__buf_printf(text, " %zu", slots->n_runs);
    for (size_t i = 0; i < slots->n_runs; i++) {
        rpt__buf_printf(text, " %" PRIu64 " %" PRIu64, slots->runs[i].n,
                        slots->runs[i].offset);
    }
}

static void write_request(const struct rpt_manifest *m, struct rpt_buf *text)
{
    for (size_t i = 0; i < m->n_datasets; i++) {
        const struct rpt_dataset *set = &m->datasets[i];
        int n_dims = set->is_scalar ? 0 : set->n_dims;

        rpt__buf_printf(text, "%d %d", (int)set->type, n_dims);
        for (int d = 0; d < n_dims; d++) {
            rpt__buf_printf(text, " %" PRIu64, set->dims[d]);
        }
        rpt__buf_printf(text, " %" PRIu64, set->offset);
        write_slots(set, text);
        rpt__buf_printf(text, " %zu %s\n", strlen(set->name), set->name);
    }
}

static rpt_status_t make_request(struct outside *o,
                                 const struct rpt_manifest *m)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status;
    size_t at = 0;

    write_request(m, &text);
    status = rpt__buf_status(&text);
    o->request_fd = memfd_create("repartir-request", MFD_CLOEXEC);
    while (status == RPT_OK && at < text.bytes) {
        ssize_t n = o->request_fd >= 0 ? pwrite(o->request_fd, text.data + at,
                                                text.bytes - at, (off_t)at)
                                       : -1;

        if (n < 0 && errno != EINTR) {
            status = rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                                     "cannot ask " RPT_CHECKER_PROGRAM);
        }
        at += n > 0 ? (size_t)n : 0;
    }
    rpt__buf_free(&text);
    return status;
}

/* ---- the process ---- */

static rpt_status_t find(const rpt_options_t *options, char found_out[PATH_MAX])
{
    const char *name = rpt__option_text(options, RPT_OPT_IO_CHECKPOINT_CHECKER);

    if (name[0] == '\0' &&
        rpt__beside_library(RPT_CHECKER_PROGRAM, found_out)) {
        return RPT_OK;
    }
    if (name[0] == '\0') {
        name = RPT_LIBEXECDIR "/" RPT_CHECKER_PROGRAM;
    }
    if (strlen(name) >= PATH_MAX || access(name, X_OK) != 0) {
        rpt__fail_errno(RPT_ERR_UNSUPPORTED, errno,
                        "the program that opens checkpoints was not found: "
                        "%s",
                        name);
        rpt__fail_hint("install librepartir completely (make install), or "
                       "name " RPT_CHECKER_PROGRAM
                       " with io.checkpoint.checker, or "
                       "verify the checksums only");
        return RPT_ERR_UNSUPPORTED;
    }
    memcpy(found_out, name, strlen(name) + 1);
    return RPT_OK;
}

/* Where descriptors of ours have one of these numbers they are moved away
 * first. */
static int above_all(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, RPT_CHECKER_FILE + 1);
}

static int spawn_with(struct outside *o, int request, int answer, int file,
                      char *argv[])
{
    /* Nothing that the user's environment says about HDF5. */
    static char path[] = "PATH=/usr/bin:/bin", lock[] = "HDF5_USE_FILE_LOCKING="
                                                        "FALSE";
    const char *libraries = rpt__environment("LD_LIBRARY_PATH");
    char *with = NULL, *environment[] = { path, lock, NULL, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    sigset_t none;
    int error;

    if (libraries != NULL &&
        asprintf(&with, "LD_LIBRARY_PATH=%s", libraries) > 0) {
        environment[2] = with;
    }
    sigemptyset(&none);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, request, RPT_CHECKER_REQUEST);
    posix_spawn_file_actions_adddup2(&actions, answer, RPT_CHECKER_ANSWER);
    posix_spawn_file_actions_adddup2(&actions, file, RPT_CHECKER_FILE);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    error = posix_spawn(&o->pid, argv[0], &actions, &how, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&how);
    free(with);
    return error;
}

static rpt_status_t start(struct outside *o, int fd,
                          const struct rpt_manifest *m,
                          const rpt_options_t *options)
{
    char program[PATH_MAX], memory[32], cpu[32];
    char *argv[] = { program, (char *)(uintptr_t)rpt__hdf5_library(options),
                     memory, cpu, NULL };
    int request, answer, file, error = errno;
    rpt_status_t status = find(options, program);

    if (status != RPT_OK) {
        return status;
    }
    snprintf(memory, sizeof memory, "%" PRIu64,
             MEMORY_BYTES + m->n_datasets * MEMORY_BYTES_DATASET);
    /* Ours comes first: it can say what it was. */
    snprintf(cpu, sizeof cpu, "%.0f", ceil(o->limit_s) + 2);
    request = above_all(o->request_fd);
    answer = above_all(o->answer_fds[1]);
    file = above_all(fd);
    error = request < 0 || answer < 0 || file < 0
                ? errno
                : spawn_with(o, request, answer, file, argv);
    for (int i = 0; i < 3; i++) {
        int mine = (int[]){ request, answer, file }[i];

        if (mine >= 0) {
            close(mine);
        }
    }
    close(o->answer_fds[1]);
    o->answer_fds[1] = -1;
    if (error != 0) {
        o->pid = 0;
        rpt__fail_errno(RPT_ERR_SYSTEM, error, "cannot start %s", program);
        rpt__fail_hint("see the limits of processes and open files (ulimit)");
        return RPT_ERR_SYSTEM;
    }
    return RPT_OK;
}

/* ---- what it says ---- */

/* Until it has answered, or closes the pipe, or has said too much, or the time
 * is over. */
static void listen_to(struct outside *o)
{
    double end_s = rpt__now_s() + o->limit_s;
    size_t room = sizeof o->answer - 1;

    while (o->bytes < room && memchr(o->answer, '\n', o->bytes) == NULL) {
        struct pollfd look = { o->answer_fds[0], POLLIN, 0 };
        double left_s = end_s - rpt__now_s();
        ssize_t n = 0;

        if (left_s <= 0) {
            o->is_late = true;
            return;
        }
        if (poll(&look, 1, left_s < 1e6 ? (int)(1e3 * left_s) + 1 : -1) > 0) {
            n = read(o->answer_fds[0], o->answer + o->bytes, room - o->bytes);
            if (n == 0 || (n < 0 && errno != EINTR)) {
                return;
            }
        }
        o->bytes += n > 0 ? (size_t)n : 0;
    }
}

/* Its wait status; -1: not known (the program ignores SIGCHLD).  One that has
 * ended or crashed keeps the status that it has. */
static int end(const struct outside *o)
{
    int ended = -1;

    kill(o->pid, SIGKILL);
    while (waitpid(o->pid, &ended, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return ended;
}

static rpt_status_t harmful(const struct outside *o, int ended)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s cannot be opened by HDF5", o->path);
    if (o->is_late || (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGXCPU)) {
        rpt__fail_why("it took more than %g s, and was ended", o->limit_s);
        rpt__fail_hint("do not open it with other programs; if it has very "
                       "many datasets, raise io.checkpoint.check_s");
        return RPT_ERR_CORRUPT;
    }
    if (ended != -1 && WIFSIGNALED(ended) && WTERMSIG(ended) != SIGKILL) {
        rpt__fail_why("HDF5 crashed by signal %d (%s) in a process of its own",
                      WTERMSIG(ended), strsignal(WTERMSIG(ended)));
    } else {
        rpt__fail_why("the process that opened it ended without an answer");
    }
    rpt__fail_hint("its checksums are right, so it was made like this: do not "
                   "open it with other programs");
    return RPT_ERR_CORRUPT;
}

static rpt_status_t judge(const struct outside *o, int ended)
{
    const char *newline = memchr(o->answer, '\n', o->bytes);
    char *why;
    long status;

    if (newline == NULL) {
        return harmful(o, ended);
    }
    status = strtol(o->answer, &why, 10);
    if (status == RPT_OK) {
        return RPT_OK;
    }
    if (status == RPT_ERR_UNSUPPORTED || status == RPT_ERR_INTERNAL ||
        status == RPT_ERR_NOMEM) {
        rpt__fail((rpt_status_t)status, "HDF5 cannot open %s", o->path);
    } else {
        status = rpt__fail(RPT_ERR_CORRUPT, "%s is no file of a checkpoint",
                           o->path);
    }
    rpt__fail_why("%.*s", (int)(newline - why - 1), why + 1);
    rpt__fail_hint("%s", status == RPT_ERR_UNSUPPORTED
                             ? "install librepartir-hdf5, or name it with "
                               "io.hdf5.library, or verify the checksums only"
                             : "do not use it");
    return (rpt_status_t)status;
}

rpt_status_t rpt__check_outside(const char *path, int fd,
                                const struct rpt_manifest *manifest,
                                const rpt_options_t *options)
{
    struct outside o = { .path = path,
                         .limit_s = rpt__option_seconds(
                             options, RPT_OPT_IO_CHECKPOINT_CHECK_S),
                         .request_fd = -1,
                         .answer_fds = { -1, -1 } };
    rpt_status_t status = make_request(&o, manifest);

    if (status == RPT_OK && pipe2(o.answer_fds, O_CLOEXEC) != 0) {
        status = rpt__fail_errno(RPT_ERR_SYSTEM, errno, "cannot make a pipe");
    }
    if (status == RPT_OK) {
        status = start(&o, fd, manifest, options);
    }
    if (status == RPT_OK) {
        listen_to(&o);
        status = judge(&o, end(&o));
    }
    for (int i = 0; i < 3; i++) {
        int mine = (int[]){ o.request_fd, o.answer_fds[0], o.answer_fds[1] }[i];

        if (mine >= 0) {
            close(mine);
        }
    }
    return status;
}
