/*
 * wire.h - frames over a stream socket that never blocks
 *
 *   | bytes of content (8) | kind (4) | 0 (4) | content | up to 7 zeros |
 *
 * Both ends keep what the socket does not take in a buffer of their own, and
 * read independently of writing, so that they cannot wait for each other.
 * Frames begin at multiples of 8, in the reader's memory too.
 */
#ifndef RPT_POOL_EXEC_WIRE_H
#define RPT_POOL_EXEC_WIRE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one receive asks for at least; less than that was all there was. */
enum { RPT_WIRE_CHUNK = 64 * 1024 };

struct rpt_wire {
    int fd;
    struct rpt_buf in;
    size_t in_at; /* read so far                              */
    struct rpt_buf out;
    size_t out_at;   /* sent so far                              */
    size_t begun_at; /* start of the frame that is being written */
};

struct rpt_frame {
    uint32_t kind;
    const void *data; /* valid until the next receive */
    size_t bytes;
};

void rpt__wire_open(struct rpt_wire *wire, int fd);
/* Closes the socket too. */
void rpt__wire_close(struct rpt_wire *wire);

/* Appends to the buffer it returns, then calls _end.  Nothing is sent yet.
 * False when memory ran out: then the frame was not added. */
struct rpt_buf *rpt__wire_begin(struct rpt_wire *wire, uint32_t kind);
bool rpt__wire_end(struct rpt_wire *wire);

/* Sends what the socket takes.  Bytes sent, or -1 when the other end is gone.
 */
long rpt__wire_send(struct rpt_wire *wire);
size_t rpt__wire_unsent(const struct rpt_wire *wire);

/* Receives once.  Bytes received, 0 when there was nothing, or -1 when the
 * other end is gone or memory ran out. */
long rpt__wire_receive(struct rpt_wire *wire);
/* The next frame that is complete. */
bool rpt__wire_next(struct rpt_wire *wire, struct rpt_frame *frame_out);

#endif /* RPT_POOL_EXEC_WIRE_H */
