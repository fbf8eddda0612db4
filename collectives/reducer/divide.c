/*
 * divide.c - which array goes into which bucket
 *
 * In the order of the list: an array goes into the last bucket while it fits,
 * else it begins the next one.  So one that is larger than a bucket is alone in
 * its own.  Arrays without elements go nowhere, and nobody waits for them.
 */
#include "collectives/reducer/reducer.h"

#include "base/error.h"
#include "base/size.h"

#include <stdlib.h>

static rpt_status_t take_memory(struct rpt_reducer *reducer, size_t n_arrays)
{
    size_t bytes;

    if (!rpt__size_mul(n_arrays, sizeof *reducer->parts, &bytes)) {
        return rpt__fail(RPT_ERR_OVERFLOW, "%zu arrays", n_arrays);
    }
    reducer->parts = calloc(n_arrays + 1, sizeof *reducer->parts);
    reducer->buckets = calloc(n_arrays + 1, sizeof *reducer->buckets);
    return reducer->parts != NULL && reducer->buckets != NULL
               ? RPT_OK
               : rpt__fail_nomem(bytes);
}

/* Whether so many more elements do not fit into a bucket. */
static bool is_full(const struct rpt_reducer *reducer,
                    const struct rpt_bucket *bucket, size_t count)
{
    size_t most = reducer->config.bucket_bytes /
                  rpt_type_bytes(reducer->wire_type);

    return bucket->count > 0 &&
           (bucket->count > most || count > most - bucket->count);
}

static rpt_status_t put(struct rpt_reducer *reducer, size_t index)
{
    struct rpt_part *part = &reducer->parts[index];
    struct rpt_bucket *bucket = &reducer->buckets[reducer->n_buckets];
    size_t bytes;

    if (is_full(reducer, bucket, part->count)) {
        bucket++;
        reducer->n_buckets++;
    }
    if (bucket->count == 0) { /* empty arrays before it are in none */
        bucket->first = index;
    }
    part->bucket = reducer->n_buckets;
    part->offset = bucket->count;
    if (!rpt__size_add(bucket->count, part->count, &bucket->count) ||
        !rpt__size_mul(bucket->count, rpt_type_bytes(reducer->config.type),
                       &bytes) ||
        bytes > PTRDIFF_MAX) {
        return rpt__fail(RPT_ERR_OVERFLOW,
                         "array %zu has more elements than memory can hold",
                         index);
    }
    bucket->end = index + 1;
    bucket->n_parts++;
    return RPT_OK;
}

rpt_status_t rpt__reducer_divide(struct rpt_reducer *reducer,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays)
{
    rpt_status_t status = take_memory(reducer, n_arrays);

    for (size_t i = 0; status == RPT_OK && i < n_arrays; i++) {
        reducer->parts[i].data = arrays[i].data;
        reducer->parts[i].count = arrays[i].count;
        if (arrays[i].count > 0) {
            status = put(reducer, i);
        }
    }
    reducer->n_parts = status == RPT_OK ? n_arrays : 0;
    /* Behind the last one that is not empty. */
    reducer->n_buckets += reducer->buckets != NULL &&
                          reducer->buckets[reducer->n_buckets].count > 0;
    return status;
}
