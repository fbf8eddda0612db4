/*
 * pack.c - values go into a bucket as they travel, and come back
 *
 * As bf16 they are narrowed and widened on the way.  An average travels as a
 * sum then, and is divided here: in f32, so that it is not rounded again.
 */
#include "collectives/reducer/reducer.h"

#include <string.h>

/* Elements that stay in the first cache between two passes. */
enum { BLOCK = 2048 };

static bool is_narrow(const struct rpt_reducer *reducer)
{
    return reducer->config.wire == RPT_WIRE_BF16;
}

static void *place_of(const struct rpt_reducer *reducer,
                      const struct rpt_part *part)
{
    return (char *)reducer->buckets[part->bucket].memory +
           part->offset * rpt_type_bytes(reducer->wire_type);
}

void rpt__reducer_pack(const struct rpt_reducer *reducer,
                       const struct rpt_part *part)
{
    if (!reducer->buckets[part->bucket].is_packed) {
        return;
    }
    if (is_narrow(reducer)) {
        rpt__kernels()->narrow(place_of(reducer, part), part->data,
                               part->count);
    } else {
        memcpy(place_of(reducer, part), part->data,
               part->count * rpt_type_bytes(reducer->wire_type));
    }
}

static void widen(const struct rpt_reducer *reducer,
                  const struct rpt_part *part)
{
    const struct rpt_kernels *kernels = rpt__kernels();
    const uint16_t *from = (const void *)place_of(reducer, part);
    float *to = part->data;

    for (size_t at = 0; at < part->count; at += BLOCK) {
        size_t left = part->count - at, n = left < BLOCK ? left : BLOCK;

        kernels->widen(to + at, from + at, n);
        if (reducer->config.op == RPT_OP_AVERAGE) {
            kernels->divide[RPT_TYPE_F32](to + at, n,
                                          rpt__group_size(reducer->group));
        }
    }
}

void rpt__reducer_unpack(const struct rpt_reducer *reducer,
                         const struct rpt_bucket *bucket)
{
    for (size_t i = bucket->first; bucket->is_packed && i < bucket->end; i++) {
        const struct rpt_part *part = &reducer->parts[i];

        if (part->count == 0) {
            continue;
        }
        if (is_narrow(reducer)) {
            widen(reducer, part);
        } else {
            memcpy(part->data, place_of(reducer, part),
                   part->count * rpt_type_bytes(reducer->wire_type));
        }
    }
}
