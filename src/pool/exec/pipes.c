/*
 * pipes.c - feeds and drains the pipes of programs
 *
 * Captured output is kept up to the limit; the rest is read all the same, so
 * that the program is not held up, and counted.  Streamed output goes to the
 * rank as it comes; while the rank does not take it, the pipes are left alone
 * and the programs wait.  A pipe that is left alone must leave epoll too,
 * which would report a hang-up for ever.  One read an event keeps all equal.
 */
#include "pool/exec/keeper_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    PAUSE_BYTES = 4 * 1024 * 1024, /* unsent output that stops reading */
    RESUME_BYTES = 1024 * 1024
};

static char chunk[READ_BYTES];

static void watch(struct rpt_kept *kept, struct rpt_source *source)
{
    struct epoll_event event = { source->stream == 0 ? EPOLLOUT : EPOLLIN,
                                 { source } };

    /* Fails when memory or watches run out: then it is read at the end. */
    epoll_ctl(kept->epoll, EPOLL_CTL_ADD, source->fd, &event);
}

static void close_pipe(struct rpt_kept *kept, struct rpt_source *source)
{
    if (source->fd >= 0) {
        /* By hand: a process that inherited the pipe may hold it open. */
        if (!source->paused) {
            epoll_ctl(kept->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        }
        kept->n_paused -= source->paused;
        source->paused = false;
        close(source->fd);
        source->fd = -1;
    }
}

void rpt__pipes_attach(struct rpt_kept *kept, struct rpt_child *child,
                       struct rpt_stdio *io)
{
    for (int i = 0; i < 3; i++) {
        child->pipes[i].fd = io->pipes[i];
        io->pipes[i] = -1;
        if (child->pipes[i].fd >= 0) {
            watch(kept, &child->pipes[i]);
        }
    }
}

static void feed(struct rpt_kept *kept, struct rpt_source *source)
{
    struct rpt_child *child = source->child;
    struct rpt_buf *text = &child->text[0];

    while (child->fed < text->bytes) {
        ssize_t n = write(source->fd, text->data + child->fed,
                          text->bytes - child->fed);

        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            break; /* the program does not want it */
        }
        child->fed += (size_t)n;
    }
    close_pipe(kept, source);
    kept->large |= text->bytes > RPT_LARGE_BYTES;
    rpt__buf_free(text);
}

/* What memory is short for counts as dropped. */
static void keep(struct rpt_kept *kept, struct rpt_source *source, size_t bytes)
{
    struct rpt_child *child = source->child;
    struct rpt_buf *text = &child->text[source->stream];
    uint64_t room = kept->page->capture_bytes - text->bytes;
    size_t kept_bytes = bytes < room ? bytes : (size_t)room;

    rpt__buf_add(text, chunk, kept_bytes);
    if (text->failed) {
        text->failed = false;
        kept_bytes = 0;
    }
    child->dropped[source->stream] += bytes - kept_bytes;
}

static void pass_on(struct rpt_kept *kept, struct rpt_source *source,
                    size_t bytes)
{
    struct rpt_buf *buf = rpt__wire_begin(&kept->wire, RPT_FRAME_OUTPUT);

    rpt__buf_u64(buf, source->child->key);
    rpt__buf_u32(buf, (uint32_t)source->stream);
    rpt__buf_add(buf, chunk, bytes);
    if (!rpt__wire_end(&kept->wire)) {
        source->child->dropped[source->stream] += bytes;
    }
}

/* Bytes read; closes the pipe at its end. */
static size_t drain(struct rpt_kept *kept, struct rpt_source *source,
                    size_t limit)
{
    ssize_t n = read(source->fd, chunk,
                     limit < sizeof chunk ? limit : sizeof chunk);

    if (n > 0 && source->child->output == RPT_OUTPUT_STREAM) {
        pass_on(kept, source, (size_t)n);
    } else if (n > 0) {
        keep(kept, source, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        close_pipe(kept, source);
    }
    return n > 0 ? (size_t)n : 0;
}

void rpt__pipes_ready(struct rpt_kept *kept, struct rpt_source *source)
{
    if (source->fd < 0) {
        return;
    }
    if (source->stream == 0) {
        feed(kept, source);
        return;
    }
    if (source->child->output == RPT_OUTPUT_STREAM &&
        rpt__wire_unsent(&kept->wire) > PAUSE_BYTES) {
        epoll_ctl(kept->epoll, EPOLL_CTL_DEL, source->fd, NULL);
        source->paused = true;
        kept->n_paused++;
        return;
    }
    drain(kept, source, sizeof chunk);
}

void rpt__pipes_finish(struct rpt_kept *kept, struct rpt_child *child)
{
    for (int i = 0; i < 3; i++) {
        struct rpt_source *source = &child->pipes[i];
        int left = 0;

        if (i > 0 && source->fd >= 0) {
            ioctl(source->fd, FIONREAD, &left);
        }
        while (left > 0 && source->fd >= 0) {
            size_t n = drain(kept, source, (size_t)left);

            if (n == 0) {
                break;
            }
            left -= (int)n;
        }
        close_pipe(kept, source);
    }
}

void rpt__pipes_resume(struct rpt_kept *kept)
{
    if (kept->n_paused == 0 || rpt__wire_unsent(&kept->wire) > RESUME_BYTES) {
        return;
    }
    for (struct rpt_child *c = kept->children; c != NULL; c = c->next) {
        for (int i = 1; i < 3; i++) {
            if (c->pipes[i].paused) {
                c->pipes[i].paused = false;
                kept->n_paused--;
                watch(kept, &c->pipes[i]);
            }
        }
    }
}
