/*
 * explain.c - what a reducer is made of and how its rounds went, for a person
 */
#include "collectives/reducer/reducer.h"

#include "base/buf.h"

rpt_reducer_stats_t rpt__reducer_stats(const struct rpt_reducer *reducer)
{
    rpt_reducer_stats_t stats = { .n_arrays = reducer->n_parts,
                                  .n_buckets = reducer->n_buckets,
                                  .n_started = reducer->n_started,
                                  .n_rounds = reducer->n_rounds,
                                  .n_early = reducer->n_early_ever,
                                  .n_over_early = reducer->n_over_early,
                                  .wait_s = reducer->wait_s };

    for (size_t i = 0; i < reducer->n_buckets; i++) {
        const struct rpt_bucket *bucket = &reducer->buckets[i];

        stats.n_in_place += !bucket->is_packed;
        stats.array_bytes += bucket->count *
                             rpt_type_bytes(reducer->config.type);
        stats.wire_bytes += bucket->count * rpt_type_bytes(reducer->wire_type);
    }
    return stats;
}

static void add_head(const struct rpt_reducer *reducer, struct rpt_buf *text)
{
    rpt_reducer_stats_t stats = rpt__reducer_stats(reducer);
    rpt_op_t op = reducer->config.op;
    rpt_type_t type = reducer->config.type;
    double n = (double)(stats.n_rounds > 0 ? stats.n_rounds : 1);

    rpt__buf_printf(
        text, "reducer on %d ranks: %s of %s%s, %zu arrays, %zu bytes\n",
        rpt__group_size(reducer->group),
        op < RPT_OP_USER_0 ? rpt_op_name(op) : "an operator of the user",
        type < RPT_TYPE_OPAQUE_0 ? rpt_type_name(type) : "opaque elements",
        reducer->config.wire == RPT_WIRE_BF16 ? " as bf16" : "", stats.n_arrays,
        stats.array_bytes);
    rpt__buf_printf(text,
                    "%zu buckets of up to %zu bytes, %zu bytes in all; %zu of "
                    "one array, without copies\n",
                    stats.n_buckets, reducer->config.bucket_bytes,
                    stats.wire_bytes, stats.n_in_place);
    rpt__buf_printf(text,
                    "%llu rounds; in each %.1f buckets began before the last "
                    "array was ready, %.1f were over before the wait, which "
                    "took %.6f s\n",
                    (unsigned long long)stats.n_rounds,
                    (double)stats.n_early / n, (double)stats.n_over_early / n,
                    stats.wait_s / n);
}

static void add_bucket(const struct rpt_reducer *reducer, size_t index,
                       struct rpt_buf *text)
{
    const struct rpt_bucket *bucket = &reducer->buckets[index];
    const struct rpt_plan *plan = bucket->plan;

    rpt__buf_printf(text, "%8zu %8zu %8zu %12zu %12zu  %-8s  %s", index,
                    bucket->first, bucket->end - 1, bucket->count,
                    bucket->count * rpt_type_bytes(reducer->wire_type),
                    bucket->is_packed ? "packed" : "in place",
                    plan->algorithm->name);
    if (plan->pulling_algorithm != NULL &&
        plan->pulling_algorithm != plan->algorithm) {
        rpt__buf_printf(text, ", or %s", plan->pulling_algorithm->name);
    }
    rpt__buf_printf(text, "\n");
}

rpt_status_t rpt__reducer_explain(const struct rpt_reducer *reducer,
                                  char **text_out)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status;

    add_head(reducer, &text);
    if (reducer->n_buckets > 0) {
        rpt__buf_printf(&text, "\n%8s %8s %8s %12s %12s  %-8s  %s\n", "bucket",
                        "first", "last", "elements", "bytes", "where",
                        "algorithm");
    }
    for (size_t i = 0; i < reducer->n_buckets; i++) {
        add_bucket(reducer, i, &text);
    }
    status = rpt__buf_status(&text);
    if (status != RPT_OK) {
        rpt__buf_free(&text);
        return status;
    }
    *text_out = text.data;
    return RPT_OK;
}
