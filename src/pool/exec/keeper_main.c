/*
 * keeper_main.c - the program repartir-keeper: one loop over its descriptors
 *
 * Takes requests, lets programs run, tells their ends, all in one thread that
 * waits in epoll only.  What was written in one turn of the loop is sent by
 * one call, and the bell is rung once.  It ends when its rank does: then the
 * socket closes, or (should a forked copy of the rank hold it open) the rank's
 * pidfd says so.
 */
#include "pool/exec/keeper_priv.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long ends wait for more of them, when that holds up no program. */
static const double ring_every_s = 2e-3;

enum { N_EVENTS = 64, EXIT_SYSTEM = 71, EXIT_USAGE = 64 };

extern char **environ;

/* ---- start ---- */

static bool map_shared(struct rpt_kept *kept)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t within;
    char *bell;
    void *page = mmap(NULL, sizeof *kept->page, PROT_READ | PROT_WRITE,
                      MAP_SHARED, RPT_KEEPER_PAGE, 0);

    if (page == MAP_FAILED) {
        return false;
    }
    kept->page = page;
    within = kept->page->bell_offset % page_bytes;
    bell = mmap(NULL, within + sizeof *kept->bell, PROT_READ | PROT_WRITE,
                MAP_SHARED, RPT_KEEPER_BELL,
                (off_t)(kept->page->bell_offset - within));
    if (bell == MAP_FAILED) {
        return false;
    }
    kept->bell = (struct rpt_bell *)(void *)(bell + within);
    return true;
}

/* 0 and 1 become /dev/null, which programs inherit; 2 stays the rank's, for
 * us to complain; the socket stays; all that the rank's other parts left open
 * is closed. */
static bool settle_descriptors(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        (fcntl(2, F_GETFD) < 0 && dup2(null, 2) < 0)) {
        return false;
    }
    fcntl(RPT_KEEPER_SOCKET, F_SETFD, FD_CLOEXEC);
    close(RPT_KEEPER_BELL);
    close(RPT_KEEPER_PAGE);
#ifdef SYS_close_range
    if (syscall(SYS_close_range, RPT_KEEPER_BELL, ~0U, 0) == 0) {
        return true;
    }
#endif
    for (int fd = RPT_KEEPER_BELL; fd < (int)sysconf(_SC_OPEN_MAX); fd++) {
        close(fd);
    }
    return true;
}

/* Each program may need three pipes. */
static void raise_files(struct rpt_kept *kept)
{
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &kept->files) == 0) {
        raised = kept->files;
        raised.rlim_cur = raised.rlim_max;
        setrlimit(RLIMIT_NOFILE, &raised);
    }
}

static bool watch(struct rpt_kept *kept, struct rpt_source *source)
{
    struct epoll_event event = { EPOLLIN, { source } };

    return source->fd >= 0 &&
           epoll_ctl(kept->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

static bool open_sources(struct rpt_kept *kept)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    kept->socket_events = EPOLLIN;
    kept->epoll = epoll_create1(EPOLL_CLOEXEC);
    kept->socket = (struct rpt_source){ RPT_SOURCE_SOCKET, RPT_KEEPER_SOCKET,
                                        NULL, 0, false };
    kept->signals = (struct rpt_source){
        RPT_SOURCE_SIGNALS, signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK),
        NULL, 0, false
    };
    kept->rank = (struct rpt_source){ RPT_SOURCE_RANK, -1, NULL, 0, false };
#ifdef SYS_pidfd_open
    kept->rank.fd = (int)syscall(SYS_pidfd_open, kept->page->rank_pid, 0);
#endif
    watch(kept, &kept->rank); /* old systems: the socket must do */
    kept->peak_fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    return kept->epoll >= 0 && watch(kept, &kept->socket) &&
           watch(kept, &kept->signals);
}

static bool open_kept(struct rpt_kept *kept)
{
    sigset_t all;

    /* Blocked since the rank started us; by hand for who starts us so. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* Large buffers go back to the system, see reap.c. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    kept->next_s = (double)INFINITY;
    STAILQ_INIT(&kept->waiting);
    rpt__wire_open(&kept->wire, RPT_KEEPER_SOCKET);
    if (!map_shared(kept) || !settle_descriptors()) {
        return false;
    }
    raise_files(kept);
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && open_sources(kept) &&
           rpt__env_open(&kept->env, environ);
}

static void close_kept(struct rpt_kept *kept)
{
    rpt__waiting_close(kept);
    rpt__wire_close(&kept->wire);
    rpt__env_close(&kept->env);
}

/* ---- the loop ---- */

/* Tells the rank to look at the socket, or that there is room in it. */
static void ring(struct rpt_kept *kept)
{
    kept->unheard = kept->hurried = false;
    kept->rung_s = rpt__now_s();
    atomic_fetch_add(&kept->page->written, 1);
    rpt__bell_ring(kept->bell);
}

bool rpt__reports_send(struct rpt_kept *kept)
{
    long sent = 0;

    if (rpt__wire_unsent(&kept->wire) > 0) {
        sent = rpt__wire_send(&kept->wire);
    }
    kept->unheard |= sent > 0;
    kept->over |= sent < 0;
    return rpt__wire_unsent(&kept->wire) == 0;
}

/* Ends are in the socket at once (should we be killed, the rank knows them),
 * but wake the rank every ring_every_s only, unless hurried. */
static void send_reports(struct rpt_kept *kept)
{
    uint32_t events;

    rpt__reports_send(kept);
    if (kept->over) {
        return;
    }
    if (kept->unheard && (kept->hurried || rpt__wire_unsent(&kept->wire) > 0 ||
                          rpt__now_s() >= kept->rung_s + ring_every_s)) {
        ring(kept);
    }
    rpt__pipes_resume(kept);
    events = rpt__wire_unsent(&kept->wire) > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (events != kept->socket_events) {
        struct epoll_event event = { events, { &kept->socket } };

        epoll_ctl(kept->epoll, EPOLL_CTL_MOD, RPT_KEEPER_SOCKET, &event);
        kept->socket_events = events;
    }
}

static void obey(struct rpt_kept *kept, const struct rpt_frame *frame)
{
    struct rpt_reader reader = rpt__reader(frame->data, frame->bytes);
    struct rpt_child *child;
    uint64_t key;

    if (frame->kind == RPT_FRAME_RUN) {
        rpt__waiting_take(kept, frame);
        /* Starting takes long, beside many others: tell ends in between. */
        rpt__reap(kept);
        rpt__waiting_launch(kept);
        send_reports(kept);
    } else if (frame->kind == RPT_FRAME_RECALL) {
        rpt__waiting_recall(kept, rpt__read_u64(&reader));
        rpt__waiting_launch(kept);
    } else if (frame->kind == RPT_FRAME_KILL) {
        key = rpt__read_u64(&reader);
        child = rpt__child_find(kept, key);
        if (child == NULL) {
            rpt__waiting_cancel(kept, key);
            rpt__waiting_launch(kept);
        } else if (!child->timed_out) {
            child->killed = true;
            rpt__child_end(kept, child);
        }
    } else if (frame->kind == RPT_FRAME_SIGNAL) {
        child = rpt__child_find(kept, rpt__read_u64(&reader));
        if (child != NULL) {
            kill(child->pid, (int)rpt__read_u32(&reader));
        }
    }
}

static void take_requests(struct rpt_kept *kept)
{
    struct rpt_frame frame;
    long n;

    do {
        n = rpt__wire_receive(&kept->wire);
        if (n < 0) {
            kept->over = true;
        }
        rpt__reap_forget_peak(kept);
        if (n > 0 && atomic_load(&kept->page->hungry) != 0 &&
            atomic_exchange(&kept->page->hungry, 0) != 0) {
            ring(kept);
        }
        while (!kept->over && rpt__wire_next(&kept->wire, &frame)) {
            obey(kept, &frame);
        }
    } while (n >= RPT_WIRE_CHUNK && !kept->over);
}

static int wait_ms(const struct rpt_kept *kept)
{
    double next_s = kept->next_s, ms;

    if (kept->n_ready > 0 && rpt__wire_unsent(&kept->wire) == 0) {
        return 0; /* the last send made way for it */
    }
    if (kept->unheard && kept->rung_s + ring_every_s < next_s) {
        next_s = kept->rung_s + ring_every_s;
    }
    if (isinf(next_s)) {
        return -1;
    }
    ms = 1e3 * (next_s - rpt__now_s());
    return ms <= 0 ? 0 : ms > 1e6 ? 1000000 : (int)ms + 1;
}

/* Pipes first: a program's last words come before its end. */
static void turn(struct rpt_kept *kept)
{
    struct epoll_event events[N_EVENTS];
    bool signalled = false, asked = false;
    int n = epoll_wait(kept->epoll, events, N_EVENTS, wait_ms(kept));

    for (int i = 0; i < n; i++) {
        struct rpt_source *source = events[i].data.ptr;

        if (source->kind == RPT_SOURCE_PIPE) {
            rpt__pipes_ready(kept, source);
        } else if (source->kind == RPT_SOURCE_RANK) {
            kept->over = true;
        } else {
            signalled |= source->kind == RPT_SOURCE_SIGNALS;
            asked |= source->kind == RPT_SOURCE_SOCKET &&
                     (events[i].events & ~(uint32_t)EPOLLOUT) != 0;
        }
    }
    rpt__reap_expired(kept);
    if (signalled) {
        struct signalfd_siginfo info;
        ssize_t got = read(kept->signals.fd, &info, sizeof info);

        (void)got;
        rpt__reap(kept);
    }
    rpt__waiting_launch(kept);
    send_reports(kept);
    if (asked && !kept->over) {
        take_requests(kept);
        send_reports(kept);
    }
}

static bool say_hello(struct rpt_kept *kept)
{
    rpt__buf_u32(rpt__wire_begin(&kept->wire, RPT_FRAME_HELLO),
                 RPT_VERSION_NUMBER);
    if (!rpt__wire_end(&kept->wire)) {
        return false;
    }
    send_reports(kept);
    return true;
}

int main(void)
{
    static struct rpt_kept kept;

    if (fcntl(RPT_KEEPER_SOCKET, F_GETFD) < 0 ||
        fcntl(RPT_KEEPER_PAGE, F_GETFD) < 0) {
        fputs("repartir-keeper: started by librepartir, not by hand\n", stderr);
        return EXIT_USAGE;
    }
    if (!open_kept(&kept)) {
        fprintf(stderr, "repartir-keeper: cannot start: %s\n", strerror(errno));
        return EXIT_SYSTEM;
    }
    kept.over = getppid() != kept.page->rank_pid || !say_hello(&kept);
    while (!kept.over) {
        turn(&kept);
    }
    rpt__reap_all(&kept);
    close_kept(&kept);
    return 0;
}
