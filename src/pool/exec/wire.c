/*
 * wire.c - frames over a stream socket that never blocks
 *
 * One system call moves many small frames, either way.  A frame is copied
 * once into the sender's buffer and read in place by the receiver.  Buffers
 * that a large frame made grow are given back once they are empty.  It does
 * not check what is in a frame.
 */
#include "pool/exec/wire.h"

#include "base/size.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER_BYTES = 16, KEPT_BYTES = 1024 * 1024 };

void rpt__wire_open(struct rpt_wire *wire, int fd)
{
    memset(wire, 0, sizeof *wire);
    wire->fd = fd;
}

void rpt__wire_close(struct rpt_wire *wire)
{
    if (wire->fd >= 0) {
        close(wire->fd);
        wire->fd = -1;
    }
    rpt__buf_free(&wire->in);
    rpt__buf_free(&wire->out);
}

struct rpt_buf *rpt__wire_begin(struct rpt_wire *wire, uint32_t kind)
{
    wire->begun_at = wire->out.bytes;
    rpt__buf_u64(&wire->out, 0);
    rpt__buf_u32(&wire->out, kind);
    rpt__buf_u32(&wire->out, 0);
    return &wire->out;
}

bool rpt__wire_end(struct rpt_wire *wire)
{
    static const char zeros[8];
    uint64_t bytes = wire->out.bytes - wire->begun_at - HEADER_BYTES;

    rpt__buf_add(&wire->out, zeros, rpt__size_align(bytes, 8) - bytes);
    if (wire->out.failed) {
        wire->out.bytes = wire->begun_at;
        wire->out.failed = false;
        return false;
    }
    memcpy(wire->out.data + wire->begun_at, &bytes, sizeof bytes);
    return true;
}

/* Forgets what stands before `at`. */
static void forget(struct rpt_buf *buf, size_t *at)
{
    if (*at == buf->bytes) {
        if (buf->capacity > KEPT_BYTES) {
            rpt__buf_free(buf);
        }
        buf->bytes = 0;
        *at = 0;
    } else if (*at > buf->bytes / 2) {
        memmove(buf->data, buf->data + *at, buf->bytes - *at);
        buf->bytes -= *at;
        *at = 0;
    }
}

size_t rpt__wire_unsent(const struct rpt_wire *wire)
{
    return wire->out.bytes - wire->out_at;
}

long rpt__wire_send(struct rpt_wire *wire)
{
    long sent = 0;

    while (rpt__wire_unsent(wire) > 0) {
        ssize_t n = send(wire->fd, wire->out.data + wire->out_at,
                         rpt__wire_unsent(wire), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM) {
            return -1;
        }
        if (n <= 0) {
            break;
        }
        wire->out_at += (size_t)n;
        sent += n;
    }
    if (sent > 0) {
        forget(&wire->out, &wire->out_at);
    }
    return sent;
}

long rpt__wire_receive(struct rpt_wire *wire)
{
    void *end;
    ssize_t n;

    forget(&wire->in, &wire->in_at);
    end = rpt__buf_reserve(&wire->in, RPT_WIRE_CHUNK);
    if (end == NULL) {
        return -1;
    }
    do {
        n = recv(wire->fd, end, wire->in.capacity - wire->in.bytes,
                 MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        wire->in.bytes += (size_t)n;
        return n;
    }
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

bool rpt__wire_next(struct rpt_wire *wire, struct rpt_frame *frame_out)
{
    size_t there = wire->in.bytes - wire->in_at;
    const char *start;
    uint64_t bytes;

    if (there < HEADER_BYTES) {
        return false;
    }
    start = wire->in.data + wire->in_at;
    memcpy(&bytes, start, sizeof bytes);
    if (bytes > SIZE_MAX / 2 ||
        there - HEADER_BYTES < rpt__size_align(bytes, 8)) {
        return false;
    }
    memcpy(&frame_out->kind, start + 8, sizeof frame_out->kind);
    frame_out->data = start + HEADER_BYTES;
    frame_out->bytes = bytes;
    wire->in_at += HEADER_BYTES + rpt__size_align(bytes, 8);
    return true;
}
