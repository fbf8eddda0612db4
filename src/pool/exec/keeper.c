/*
 * keeper.c - the rank's side of the keeper: starts it, asks it, listens to it
 *
 * Nothing here blocks but start and stop: requests go to a buffer and from
 * there to the socket, as far as it takes them.  A shared word that grows with
 * all the keeper sends makes looking free of system calls.  A keeper that was
 * killed rings no bell, so that the socket is also looked at ten times a
 * second.  Only the keeper's own pid is ever waited for: the program that
 * holds us may have children of its own.
 */
#include "pool/exec/keeper.h"

#include "base/clock.h"
#include "base/error.h"
#include "pool/exec/find.h"
#include "pool/exec/protocol.h"
#include "pool/exec/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const double look_every_s = 0.1;
static const double hello_limit_s = 30;
static const double stop_limit_s = 5;

extern char **environ;

struct rpt_keeper {
    struct rpt_wire wire;
    struct rpt_keeper_page *page;
    int page_fd;
    int far_fd; /* the keeper's end, until it has it     */
    pid_t pid;  /* 0: not started, or waited for         */
    int pidfd;  /* -1: the system has none               */
    uint32_t seen;
    double look_s; /* next look at the socket without a ring */
    bool polling;
    bool lost; /* the socket said so, died() is to come  */
    bool gone;
    const struct rpt_keeper_events *events;
    void *user;
    char path[PATH_MAX];
};

/* ---- waiting for the keeper's process ---- */

static bool has_ended(struct rpt_keeper *keeper)
{
    siginfo_t info = { 0 };

    /* ECHILD: somebody else has waited for it, or SIGCHLD is ignored. */
    if (keeper->pid > 0 &&
        waitid(P_PID, (id_t)keeper->pid, &info, WEXITED | WNOHANG) == 0 &&
        info.si_pid == 0) {
        return false;
    }
    keeper->pid = 0;
    return true;
}

static bool wait_ended(struct rpt_keeper *keeper, double limit_s)
{
    double end_s = rpt__now_s() + limit_s;

    while (!has_ended(keeper)) {
        struct pollfd look = { keeper->pidfd, POLLIN, 0 };
        double left_s = end_s - rpt__now_s();

        if (left_s <= 0) {
            return false;
        }
        /* Without pidfd: poll() of nothing, as a pause. */
        poll(&look, keeper->pidfd >= 0,
             keeper->pidfd >= 0 ? (int)(1e3 * left_s) + 1 : 1);
    }
    return true;
}

static void end_process(struct rpt_keeper *keeper)
{
    if (!wait_ended(keeper, stop_limit_s)) {
        kill(keeper->pid, SIGKILL);
        wait_ended(keeper, stop_limit_s);
    }
}

/* ---- start ---- */

/* A file that grows beyond the limit ends the process by SIGXFSZ. */
static rpt_status_t check_limit(size_t bytes)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_FSIZE, &files) != 0 || files.rlim_cur >= bytes) {
        return RPT_OK;
    }
    rpt__fail_errno(RPT_ERR_SYSTEM, EFBIG, "memory shared with the keeper");
    rpt__fail_hint("raise the limit of a file's size (ulimit -f)");
    return RPT_ERR_SYSTEM;
}

static rpt_status_t make_page(struct rpt_keeper *keeper, size_t bell_offset,
                              uint64_t capture_bytes, double grace_s)
{
    rpt_status_t status = check_limit(sizeof *keeper->page);
    void *page = MAP_FAILED;

    if (status != RPT_OK) {
        return status;
    }
    keeper->page_fd = memfd_create("repartir-keeper", MFD_CLOEXEC);
    if (keeper->page_fd >= 0 &&
        ftruncate(keeper->page_fd, sizeof *keeper->page) == 0) {
        page = mmap(NULL, sizeof *keeper->page, PROT_READ | PROT_WRITE,
                    MAP_SHARED, keeper->page_fd, 0);
    }
    if (page == MAP_FAILED) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                               "memory shared with the keeper");
    }
    keeper->page = page;
    keeper->page->version = RPT_VERSION_NUMBER;
    keeper->page->rank_pid = getpid();
    keeper->page->bell_offset = bell_offset;
    keeper->page->capture_bytes = capture_bytes;
    keeper->page->grace_s = grace_s;
    return RPT_OK;
}

static rpt_status_t make_socket(struct rpt_keeper *keeper)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                               "the socket to the keeper");
    }
    keeper->wire.fd = ends[0];
    keeper->far_fd = ends[1];
    return RPT_OK;
}

/* In a session of its own, every signal blocked from its first moment on: what
 * a launcher sends to all processes must not end it before its rank. */
static int spawn_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;
    int error = posix_spawnattr_init(attributes);

    if (error != 0) {
        return error;
    }
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &all);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
                                             POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    return 0;
}

/* high[i] becomes descriptor 3 + i of the keeper. */
static int spawn(struct rpt_keeper *keeper, const int high[3])
{
    char *argv[] = { keeper->path, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = spawn_attributes(&attributes);

    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        for (int i = 0; i < 3 && error == 0; i++) {
            error = posix_spawn_file_actions_adddup2(&actions, high[i],
                                                     RPT_KEEPER_SOCKET + i);
        }
        if (error == 0) {
            error = posix_spawn(&keeper->pid, keeper->path, &actions,
                                &attributes, argv, environ);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return error;
}

static rpt_status_t start_process(struct rpt_keeper *keeper, int bell_fd)
{
    const int fds[3] = { keeper->far_fd, bell_fd, keeper->page_fd };
    int high[3] = { -1, -1, -1 };
    int error = 0;

    /* High numbers, so that no dup2 overwrites what a later one needs. */
    for (int i = 0; i < 3 && error == 0; i++) {
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
        error = high[i] < 0 ? errno : 0;
    }
    if (error == 0) {
        error = spawn(keeper, high);
    }
    for (int i = 0; i < 3 && high[i] >= 0; i++) {
        close(high[i]);
    }
    close(keeper->far_fd);
    close(keeper->page_fd);
    keeper->far_fd = keeper->page_fd = -1;
    if (error != 0) {
        keeper->pid = 0;
        return rpt__fail_errno(RPT_ERR_SYSTEM, error, "start %s", keeper->path);
    }
#ifdef SYS_pidfd_open
    keeper->pidfd = (int)syscall(SYS_pidfd_open, keeper->pid, 0);
#endif
    return RPT_OK;
}

static rpt_status_t read_hello(struct rpt_keeper *keeper,
                               const struct rpt_frame *frame)
{
    struct rpt_reader reader = rpt__reader(frame->data, frame->bytes);
    uint32_t version = rpt__read_u32(&reader);

    if (frame->kind != RPT_FRAME_HELLO || reader.failed ||
        version != RPT_VERSION_NUMBER) {
        rpt__fail(RPT_ERR_VERSION, "%s belongs to another librepartir",
                  keeper->path);
        rpt__fail_why("this library has the version number %d, that keeper %u",
                      RPT_VERSION_NUMBER, version);
        rpt__fail_hint("install library and keeper together, or correct the "
                       "option pool.keeper");
        return RPT_ERR_VERSION;
    }
    return RPT_OK;
}

static rpt_status_t wait_hello(struct rpt_keeper *keeper)
{
    double end_s = rpt__now_s() + hello_limit_s;
    struct rpt_frame frame;

    for (;;) {
        struct pollfd look = { keeper->wire.fd, POLLIN, 0 };
        double left_s = end_s - rpt__now_s();

        if (left_s <= 0) {
            return rpt__fail(RPT_ERR_TIMEOUT, "%s did not answer for %g s",
                             keeper->path, hello_limit_s);
        }
        poll(&look, 1, (int)(1e3 * left_s) + 1);
        if (rpt__wire_receive(&keeper->wire) < 0) {
            rpt__fail(RPT_ERR_SYSTEM, "%s ended at once", keeper->path);
            rpt__fail_hint("is it the repartir-keeper of this librepartir? "
                           "what it said stands on standard error");
            return RPT_ERR_SYSTEM;
        }
        if (rpt__wire_next(&keeper->wire, &frame)) {
            return read_hello(keeper, &frame);
        }
    }
}

rpt_status_t rpt__keeper_start(const char *path, int bell_fd,
                               size_t bell_offset, uint64_t capture_bytes,
                               double grace_s,
                               const struct rpt_keeper_events *events,
                               void *user, struct rpt_keeper **keeper_out)
{
    struct rpt_keeper *keeper = calloc(1, sizeof *keeper);
    rpt_status_t status;

    if (keeper == NULL) {
        return rpt__fail_nomem(sizeof *keeper);
    }
    rpt__wire_open(&keeper->wire, -1);
    keeper->page_fd = keeper->far_fd = keeper->pidfd = -1;
    keeper->events = events;
    keeper->user = user;
    status = rpt__keeper_find(path, keeper->path);
    if (status == RPT_OK) {
        status = make_page(keeper, bell_offset, capture_bytes, grace_s);
    }
    if (status == RPT_OK) {
        status = make_socket(keeper);
    }
    if (status == RPT_OK) {
        status = start_process(keeper, bell_fd);
    }
    if (status == RPT_OK) {
        status = wait_hello(keeper);
    }
    if (status != RPT_OK) {
        rpt__keeper_stop(keeper);
        return status;
    }
    *keeper_out = keeper;
    return RPT_OK;
}

/* ---- requests ---- */

static void send_requests(struct rpt_keeper *keeper)
{
    if (keeper->gone || rpt__wire_unsent(&keeper->wire) == 0) {
        return;
    }
    if (rpt__wire_send(&keeper->wire) >= 0 &&
        rpt__wire_unsent(&keeper->wire) > 0) {
        /* Asks for a ring when there is room; and once more, because the
         * keeper may have made room just before it could see that. */
        atomic_store(&keeper->page->hungry, 1);
        if (rpt__wire_send(&keeper->wire) >= 0) {
            return;
        }
        keeper->lost = true;
    }
}

static rpt_status_t request(struct rpt_keeper *keeper)
{
    if (!rpt__wire_end(&keeper->wire)) {
        return rpt__fail_nomem(keeper->wire.out.bytes);
    }
    if (!keeper->polling) {
        send_requests(keeper);
    }
    return RPT_OK;
}

static rpt_status_t check_alive(const struct rpt_keeper *keeper)
{
    if (!keeper->gone) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_STATE, "the keeper process of this rank is gone");
    rpt__fail_why("somebody killed it, or memory ran out");
    return RPT_ERR_STATE;
}

rpt_status_t rpt__keeper_run(struct rpt_keeper *keeper,
                             const struct rpt_run *run)
{
    rpt_status_t status = check_alive(keeper);

    if (status != RPT_OK) {
        return status;
    }
    rpt__run_pack(rpt__wire_begin(&keeper->wire, RPT_FRAME_RUN), run);
    return request(keeper);
}

static rpt_status_t request_for(struct rpt_keeper *keeper, uint32_t kind,
                                uint64_t key)
{
    rpt_status_t status = check_alive(keeper);

    if (status != RPT_OK) {
        return status;
    }
    rpt__buf_u64(rpt__wire_begin(&keeper->wire, kind), key);
    return request(keeper);
}

rpt_status_t rpt__keeper_kill(struct rpt_keeper *keeper, uint64_t key)
{
    return request_for(keeper, RPT_FRAME_KILL, key);
}

rpt_status_t rpt__keeper_recall(struct rpt_keeper *keeper, uint64_t key)
{
    return request_for(keeper, RPT_FRAME_RECALL, key);
}

rpt_status_t rpt__keeper_signal(struct rpt_keeper *keeper, uint64_t key,
                                int number)
{
    rpt_status_t status = check_alive(keeper);
    struct rpt_buf *frame;

    if (status != RPT_OK) {
        return status;
    }
    frame = rpt__wire_begin(&keeper->wire, RPT_FRAME_SIGNAL);
    rpt__buf_u64(frame, key);
    rpt__buf_u32(frame, (uint32_t)number);
    return request(keeper);
}

/* ---- events ---- */

/* False when the frame makes no sense. */
static bool deliver(struct rpt_keeper *keeper, const struct rpt_frame *frame)
{
    struct rpt_reader reader = rpt__reader(frame->data, frame->bytes);
    struct rpt_program_end end;
    uint64_t key;

    if (frame->kind == RPT_FRAME_END) {
        if (!rpt__end_unpack(frame->data, frame->bytes, &key, &end)) {
            return false;
        }
        keeper->events->ended(keeper->user, key, &end);
        return true;
    }
    if (frame->kind == RPT_FRAME_OUTPUT) {
        int stream;

        key = rpt__read_u64(&reader);
        stream = (int)rpt__read_u32(&reader);
        if (!reader.failed) {
            keeper->events->output(keeper->user, key, stream, reader.next,
                                   (size_t)(reader.end - reader.next));
            return true;
        }
    }
    return false;
}

static int receive_events(struct rpt_keeper *keeper)
{
    struct rpt_frame frame;
    int n_events = 0;
    long n;

    do {
        n = rpt__wire_receive(&keeper->wire);
        while (n > 0 && rpt__wire_next(&keeper->wire, &frame)) {
            if (!deliver(keeper, &frame)) {
                n = -1;
                break;
            }
            n_events++;
        }
    } while (n >= RPT_WIRE_CHUNK || (n > 0 && keeper->lost));
    keeper->lost |= n < 0;
    return n_events;
}

/* Programs die with their keeper, but not what they have started. */
static void end_groups(struct rpt_keeper *keeper)
{
    for (int i = 0; i < RPT_KEEPER_GROUPS; i++) {
        int32_t group = atomic_load(&keeper->page->groups[i]);

        if (group > 1) {
            kill(-group, SIGKILL);
        }
    }
}

static void bury(struct rpt_keeper *keeper)
{
    keeper->gone = true;
    if (!has_ended(keeper)) {
        kill(keeper->pid, SIGKILL);
        wait_ended(keeper, stop_limit_s);
    }
    end_groups(keeper);
    keeper->events->died(keeper->user);
}

int rpt__keeper_poll(struct rpt_keeper *keeper)
{
    uint32_t written = atomic_load(&keeper->page->written);
    double now_s;
    int n_events;

    if (keeper->gone || keeper->polling) {
        return 0;
    }
    now_s = rpt__now_s();
    if (written == keeper->seen && now_s < keeper->look_s && !keeper->lost) {
        return 0;
    }
    keeper->seen = written;
    keeper->look_s = now_s + look_every_s;
    keeper->polling = true;
    n_events = receive_events(keeper);
    if (keeper->lost) {
        bury(keeper);
        n_events++;
    }
    keeper->polling = false;
    send_requests(keeper);
    return n_events;
}

double rpt__keeper_next_s(const struct rpt_keeper *keeper)
{
    return keeper->gone ? (double)INFINITY : keeper->lost ? 0 : keeper->look_s;
}

/* ---- stop ---- */

void rpt__keeper_stop(struct rpt_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    if (keeper->wire.fd >= 0) {
        /* Also when a forked copy of this process holds it open. */
        shutdown(keeper->wire.fd, SHUT_RDWR);
    }
    end_process(keeper);
    rpt__wire_close(&keeper->wire);
    if (keeper->far_fd >= 0) {
        close(keeper->far_fd);
    }
    if (keeper->page_fd >= 0) {
        close(keeper->page_fd);
    }
    if (keeper->pidfd >= 0) {
        close(keeper->pidfd);
    }
    if (keeper->page != NULL) {
        munmap(keeper->page, sizeof *keeper->page);
    }
    free(keeper);
}
