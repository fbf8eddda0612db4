/*
 * frame_priv.h - what a journal file looks like, byte by byte
 *
 *   file    head, frame, frame, …
 *   head    48 bytes: magic, version, writer, epoch, covers, seed, sum
 *   frame   32 bytes: magic, head sum, type, length, sequence, sum;
 *           then the payload, filled with zeros to a multiple of 8
 *
 * Numbers are little-endian.  Sums are XXH3; a frame's are seeded with the
 * file's seed, so that frames of another file never pass for its own.  `sum`
 * covers head and payload; `head sum` covers the frame's head alone, so that a
 * search for frames reads no payload in vain.  Sequence numbers count the
 * frames of a file from 1 without a gap.
 *
 * Two types are the journal's own:
 *   MARK   begins each batch of a file that is synced; its payload says how
 *          many bytes of the file were on the disk before.  Damage below that
 *          is corruption; damage above it is a commit that never finished.
 *   LAST   ends a compacted file; its payload is the number of records.
 */
#ifndef RPT_JOURNAL_FRAME_PRIV_H
#define RPT_JOURNAL_FRAME_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RPT_FILE_HEAD = 48, RPT_FRAME_HEAD = 32 };

#define RPT_JOURNAL_VERSION 1u
#define RPT_PAYLOAD_MAX ((size_t)1 << 30)
#define RPT_TYPE_OWN 0xffffff00u /* from here on: not for users */
#define RPT_TYPE_MARK 0xffffff01u
#define RPT_TYPE_LAST 0xffffff02u

struct rpt_file_head {
    uint32_t version;
    uint32_t writer;
    uint64_t epoch;
    uint64_t covers; /* a compacted file stands for all jobs before this one */
    uint64_t seed;
};

void rpt__file_head_pack(const struct rpt_file_head *head,
                         char to[RPT_FILE_HEAD]);
/* False when it is none; a newer version's head has the same layout. */
bool rpt__file_head_unpack(const char from[RPT_FILE_HEAD],
                           struct rpt_file_head *head_out);

struct rpt_frame {
    uint32_t type;
    uint32_t bytes;
    uint64_t sequence;
};

/* Bytes of a whole frame. */
static inline size_t rpt__frame_bytes(size_t payload)
{
    return RPT_FRAME_HEAD + ((payload + 7) & ~(size_t)7);
}

/* Writes a frame without its sums, which rpt__frame_seal() adds: appending is
 * cheap, and the committing thread does the rest. */
void rpt__frame_put(char *to, const struct rpt_frame *frame,
                    const void *payload);
/* Gives the bytes of the frame. */
size_t rpt__frame_seal(char *at, uint64_t seed);

/* Whether a frame's head stands here, and what it says. */
bool rpt__frame_head(const char at[RPT_FRAME_HEAD], uint64_t seed,
                     struct rpt_frame *frame_out);
/* Whether the whole frame, whose head is good, is as it was written. */
bool rpt__frame_intact(const char *at, uint64_t seed);

/* Payload of a MARK or LAST. */
uint64_t rpt__frame_number(const char *at);
void rpt__frame_set_number(char *at, uint64_t number);

#endif /* RPT_JOURNAL_FRAME_PRIV_H */
