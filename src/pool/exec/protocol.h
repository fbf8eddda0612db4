/*
 * protocol.h - what a rank and its keeper say to each other
 *
 *   keeper -> rank   HELLO   its version, once, when it is ready
 *   rank -> keeper   RUN     key, limits, environment, program
 *   rank -> keeper   KILL    key
 *   rank -> keeper   SIGNAL  key, number
 *   keeper -> rank   OUTPUT  key, stream, bytes
 *   keeper -> rank   END     key, how it ended, captured output
 *
 * Frames go through one socket (wire.h).  Beside it the two share a page: what
 * the keeper must know at its start, and two words that save system calls.
 */
#ifndef RPT_POOL_EXEC_PROTOCOL_H
#define RPT_POOL_EXEC_PROTOCOL_H

#include "base/buf.h"
#include "pool/exec/keeper.h"

#include <stdatomic.h>
#include <stdint.h>

enum rpt_frame_kind {
    RPT_FRAME_HELLO = 1, /* u32 version      */
    RPT_FRAME_RUN,       /* rpt__run_pack()  */
    RPT_FRAME_KILL,      /* u64 key          */
    RPT_FRAME_RECALL,    /* u64 key          */
    RPT_FRAME_OUTPUT,    /* u64 key, u32 stream, the bytes */
    RPT_FRAME_END,       /* rpt__end_pack()  */
    RPT_FRAME_SIGNAL     /* u64 key, u32 number            */
};

/* Descriptors with which the keeper starts; all others it closes. */
enum { RPT_KEEPER_SOCKET = 3, RPT_KEEPER_BELL = 4, RPT_KEEPER_PAGE = 5 };

enum { RPT_KEEPER_GROUPS = 4096 };

struct rpt_keeper_page {
    uint32_t version; /* RPT_VERSION_NUMBER of the rank */
    int32_t rank_pid;
    uint64_t bell_offset;
    uint64_t capture_bytes;
    double grace_s;
    /* Grows when the keeper has sent something. */
    _Atomic uint32_t written;
    /* 1 while the rank has something that the socket did not take. */
    _Atomic uint32_t hungry;
    /* Process groups of programs that run, 0: none. */
    _Atomic int32_t groups[RPT_KEEPER_GROUPS];
};

void rpt__run_pack(struct rpt_buf *buf, const struct rpt_run *run);
/* Pointers lead into the bytes, which are aligned to 8, except run_out->env,
 * which is to be freed.  False when damaged, or (then run_out->key is right
 * all the same) when memory ran out. */
bool rpt__run_unpack(const void *data, size_t bytes, struct rpt_run *run_out);

void rpt__end_pack(struct rpt_buf *buf, uint64_t key,
                   const struct rpt_program_end *end);
/* Pointers lead into the bytes.  False when damaged. */
bool rpt__end_unpack(const void *data, size_t bytes, uint64_t *key_out,
                     struct rpt_program_end *end_out);

#endif /* RPT_POOL_EXEC_PROTOCOL_H */
