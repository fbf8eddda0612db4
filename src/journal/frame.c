/*
 * frame.c - packs and checks the frames of a journal file
 *
 * Structs are copied as they are: they have no holes, and base/buf.c refuses
 * to be built on a big-endian machine.  Cost of a frame: two XXH3, one of 24
 * bytes, one of the payload.
 */
#include "journal/frame_priv.h"

#include "base/hash.h"

#include <string.h>

#define FRAME_MAGIC 0x66747072u /* "rptf" */

static const char file_magic[8] = { 'r', 'p', 't', 'j', 'r', 'n', 'l', '\n' };

struct file_head {
    char magic[8];
    uint32_t version;
    uint32_t writer;
    uint64_t epoch;
    uint64_t covers;
    uint64_t seed;
    uint64_t sum;
};
_Static_assert(sizeof(struct file_head) == RPT_FILE_HEAD, "no holes");

struct frame_head {
    uint32_t magic;
    uint32_t head_sum;
    uint32_t type;
    uint32_t bytes;
    uint64_t sequence;
    uint64_t sum;
};
_Static_assert(sizeof(struct frame_head) == RPT_FRAME_HEAD, "no holes");

void rpt__file_head_pack(const struct rpt_file_head *head,
                         char to[RPT_FILE_HEAD])
{
    struct file_head h = { .version = head->version,
                           .writer = head->writer,
                           .epoch = head->epoch,
                           .covers = head->covers,
                           .seed = head->seed };

    memcpy(h.magic, file_magic, sizeof h.magic);
    h.sum = rpt__hash64(&h, offsetof(struct file_head, sum), 0);
    memcpy(to, &h, sizeof h);
}

bool rpt__file_head_unpack(const char from[RPT_FILE_HEAD],
                           struct rpt_file_head *head_out)
{
    struct file_head h;

    memcpy(&h, from, sizeof h);
    if (memcmp(h.magic, file_magic, sizeof h.magic) != 0 ||
        h.sum != rpt__hash64(&h, offsetof(struct file_head, sum), 0)) {
        return false;
    }
    *head_out = (struct rpt_file_head){ h.version, h.writer, h.epoch, h.covers,
                                        h.seed };
    return true;
}

void rpt__frame_put(char *to, const struct rpt_frame *frame,
                    const void *payload)
{
    struct frame_head h = { .magic = FRAME_MAGIC,
                            .type = frame->type,
                            .bytes = frame->bytes,
                            .sequence = frame->sequence };
    size_t end = rpt__frame_bytes(frame->bytes);

    if (end > RPT_FRAME_HEAD) {
        memset(to + end - 8, 0, 8);
    }
    memcpy(to, &h, sizeof h);
    if (frame->bytes > 0) {
        memcpy(to + RPT_FRAME_HEAD, payload, frame->bytes);
    }
}

enum {
    SUMMED = offsetof(struct frame_head, type),
    SUM = offsetof(struct frame_head, sum)
};

/* Of everything but the two sums. */
static uint64_t sum_of(const struct frame_head *h, const char *at,
                       uint64_t seed)
{
    uint64_t head = rpt__hash64((const char *)h + SUMMED, SUM - SUMMED, seed);

    return rpt__hash64(at + RPT_FRAME_HEAD,
                       rpt__frame_bytes(h->bytes) - RPT_FRAME_HEAD, head);
}

static uint32_t head_sum_of(const struct frame_head *h, uint64_t seed)
{
    return (uint32_t)rpt__hash64((const char *)h + SUMMED, sizeof *h - SUMMED,
                                 seed);
}

size_t rpt__frame_seal(char *at, uint64_t seed)
{
    struct frame_head h;

    memcpy(&h, at, sizeof h);
    h.sum = sum_of(&h, at, seed);
    h.head_sum = head_sum_of(&h, seed);
    memcpy(at, &h, sizeof h);
    return rpt__frame_bytes(h.bytes);
}

bool rpt__frame_head(const char at[RPT_FRAME_HEAD], uint64_t seed,
                     struct rpt_frame *frame_out)
{
    struct frame_head h;

    memcpy(&h, at, sizeof h);
    if (h.magic != FRAME_MAGIC || h.bytes > RPT_PAYLOAD_MAX ||
        h.head_sum != head_sum_of(&h, seed)) {
        return false;
    }
    *frame_out = (struct rpt_frame){ h.type, h.bytes, h.sequence };
    return true;
}

bool rpt__frame_intact(const char *at, uint64_t seed)
{
    struct frame_head h;

    memcpy(&h, at, sizeof h);
    return h.sum == sum_of(&h, at, seed);
}

uint64_t rpt__frame_number(const char *at)
{
    uint64_t number;

    memcpy(&number, at + RPT_FRAME_HEAD, sizeof number);
    return number;
}

void rpt__frame_set_number(char *at, uint64_t number)
{
    memcpy(at + RPT_FRAME_HEAD, &number, sizeof number);
}
