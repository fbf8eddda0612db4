/*
 * reducer.c - makes reducers and releases them
 *
 * Ranks meet three times: they compare what they were asked for, make a group,
 * and tell whether the plans could be made.  So all get a reducer, or none.
 */
#include "collectives/reducer/reducer.h"

#include "collectives/device/call.h"

#include "base/error.h"
#include "base/size.h"
#include "comm/buffer.h"

#include <stdlib.h>

enum { LINE = 64 };

/* ---- what one rank can see that is wrong ---- */

static rpt_status_t bad(const char *why)
{
    rpt__fail(RPT_ERR_INVALID, "rpt_reducer_create: bad argument");
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

static rpt_status_t check_wire(const rpt_reducer_config_t *config)
{
    rpt_op_t op = config->op;

    if (config->wire == RPT_WIRE_SAME) {
        return RPT_OK;
    }
    if (config->type == RPT_TYPE_F32 &&
        (op == RPT_OP_SUM || op == RPT_OP_AVERAGE || op == RPT_OP_MIN ||
         op == RPT_OP_MAX)) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_UNSUPPORTED, "no %s of %s elements travels as bf16",
              rpt_op_name(op), rpt_type_name(config->type));
    rpt__fail_hint("that is for sum, average, min and max of f32");
    return RPT_ERR_UNSUPPORTED;
}

static rpt_status_t check_config(const rpt_reducer_config_t *config)
{
    struct rpt_combine combine = { .block = NULL };
    rpt_status_t status;

    if (config == NULL) {
        return bad("config is NULL");
    }
    if (rpt_type_bytes(config->type) == 0) {
        return bad("there is no such type");
    }
    if (config->wire != RPT_WIRE_SAME && config->wire != RPT_WIRE_BF16) {
        return bad("there is no such wire");
    }
    status = rpt__combine_create(&combine, config->type, config->op);
    rpt__combine_release(&combine);
    return status == RPT_OK ? check_wire(config) : status;
}

static rpt_status_t check_arrays(const struct rpt_group *group,
                                 const rpt_reducer_config_t *config,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays)
{
    if (arrays == NULL && n_arrays > 0) {
        return bad("arrays is NULL");
    }
    for (size_t i = 0; i < n_arrays; i++) {
        const rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                                  .in = RPT_IN_PLACE,
                                  .out = arrays[i].data,
                                  .count = arrays[i].count,
                                  .type = config->type };

        if (arrays[i].data == NULL && arrays[i].count > 0) {
            rpt__fail(RPT_ERR_INVALID, "array %zu of %zu is NULL", i, n_arrays);
            return RPT_ERR_INVALID;
        }
        if (arrays[i].count > 0 && rpt__device_holds(group, &coll)) {
            rpt__fail(RPT_ERR_UNSUPPORTED,
                      "array %zu of %zu is in the memory of a device", i,
                      n_arrays);
            rpt__fail_hint("reduce such arrays with rpt_plan_create()");
            return RPT_ERR_UNSUPPORTED;
        }
    }
    return RPT_OK;
}

/* ---- making ---- */

/* Whether the node has so much shared memory left for buckets: half of it is
 * for others, whose collectives would need messages without it. */
static bool has_room(const struct rpt_reducer *reducer, size_t bytes)
{
    struct rpt_area *area = rpt__comm_area(reducer->comm);
    size_t all = rpt__area_bytes(area), used = rpt__area_used(area);

    return bytes <= all / 2 && used <= all / 2 - bytes;
}

static rpt_status_t take_memory(struct rpt_reducer *reducer,
                                struct rpt_bucket *bucket)
{
    size_t bytes = bucket->count * rpt_type_bytes(reducer->wire_type);
    rpt_status_t status = RPT_OK;

    if (bucket->n_parts == 1 && reducer->config.wire == RPT_WIRE_SAME) {
        bucket->memory = reducer->parts[bucket->first].data;
        return RPT_OK;
    }
    bucket->is_shared = has_room(reducer, bytes);
    if (bucket->is_shared) {
        status = rpt__buffer_alloc(reducer->comm, bytes, &bucket->memory);
    } else {
        bucket->memory = aligned_alloc(LINE, rpt__size_align(bytes, LINE));
        status = bucket->memory != NULL ? RPT_OK : rpt__fail_nomem(bytes);
    }
    bucket->is_packed = status == RPT_OK;
    bucket->is_shared &= bucket->is_packed;
    return status;
}

static rpt_status_t make_plan(const struct rpt_reducer *reducer,
                              struct rpt_team *team, struct rpt_bucket *bucket)
{
    const rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                              .in = RPT_IN_PLACE,
                              .out = bucket->memory,
                              .count = bucket->count,
                              .type = reducer->wire_type,
                              .op = reducer->wire_op };
    rpt_status_t status = rpt__coll_check(reducer->group, &coll);

    return status == RPT_OK ? rpt__plan_create(team, &coll, &bucket->plan)
                            : status;
}

static rpt_status_t make_buckets(struct rpt_reducer *reducer,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays)
{
    struct rpt_team *team = NULL;
    /* Its shared memory is taken before that of any bucket. */
    rpt_status_t status = rpt__team_of(reducer->group, &team);

    if (status == RPT_OK) {
        team->of_reducer = true;
        status = rpt__reducer_divide(reducer, arrays, n_arrays);
    }
    for (size_t i = 0; status == RPT_OK && i < reducer->n_buckets; i++) {
        status = take_memory(reducer, &reducer->buckets[i]);
        if (status == RPT_OK) {
            status = make_plan(reducer, team, &reducer->buckets[i]);
        }
    }
    rpt__reducer_reset(reducer);
    return status;
}

static rpt_status_t allocate(struct rpt_group *group,
                             const rpt_reducer_config_t *config,
                             struct rpt_reducer **reducer_out)
{
    struct rpt_reducer *reducer = calloc(1, sizeof *reducer);

    if (reducer == NULL) {
        return rpt__fail_nomem(sizeof *reducer);
    }
    reducer->comm = rpt__group_comm(group);
    reducer->config = *config;
    if (config->bucket_bytes == 0) {
        reducer->config.bucket_bytes = RPT_REDUCER_BUCKET_BYTES;
    }
    reducer->wire_type = config->type;
    reducer->wire_op = config->op;
    if (config->wire == RPT_WIRE_BF16) {
        reducer->wire_type = RPT_TYPE_BF16;
        reducer->wire_op = config->op == RPT_OP_AVERAGE ? RPT_OP_SUM
                                                        : config->op;
    }
    *reducer_out = reducer;
    return RPT_OK;
}

/* Under the lock. */
static void release(struct rpt_reducer *reducer)
{
    for (size_t i = 0; i < reducer->n_buckets; i++) {
        struct rpt_bucket *bucket = &reducer->buckets[i];

        if (bucket->plan != NULL) {
            rpt__plan_drop(bucket->plan);
        }
        if (bucket->is_shared) {
            rpt__buffer_free(reducer->comm, bucket->memory);
        } else if (bucket->is_packed) {
            free(bucket->memory);
        }
    }
    rpt__group_destroy(reducer->group);
    free(reducer->parts);
    free(reducer->buckets);
    free(reducer);
}

rpt_status_t rpt__reducer_create(struct rpt_group *group,
                                 const rpt_reducer_config_t *config,
                                 const rpt_reducer_array_t arrays[],
                                 size_t n_arrays,
                                 struct rpt_reducer **reducer_out)
{
    struct rpt_reducer *reducer = NULL;
    rpt_status_t status = check_config(config);

    if (status == RPT_OK) {
        status = check_arrays(group, config, arrays, n_arrays);
    }
    if (status == RPT_OK) {
        status = allocate(group, config, &reducer);
    }
    status = rpt__reducer_agree(group, status, reducer, arrays, n_arrays);
    if (status == RPT_OK) {
        status = rpt__group_split(group, 0, rpt__group_rank(group),
                                  &reducer->group);
    }
    if (status == RPT_OK) {
        status = make_buckets(reducer, arrays, n_arrays);
        status = rpt__reducer_agree(reducer->group, status, reducer, NULL, 0);
    }
    if (status != RPT_OK) {
        if (reducer != NULL) {
            release(reducer);
        }
        return status;
    }
    *reducer_out = reducer;
    return RPT_OK;
}

/* ---- releasing ---- */

/* Nobody else's wait may go on for ever because of this rank. */
static void give_up(struct rpt_reducer *reducer)
{
    struct rpt_engine *engine = rpt__comm_engine(reducer->comm);

    rpt__engine_lock(engine);
    rpt__fail(RPT_ERR_STATE,
              "rank %d of %d destroyed its reducer in a round, when %zu of %zu "
              "buckets had begun",
              rpt__group_rank(reducer->group), rpt__group_size(reducer->group),
              reducer->n_started, reducer->n_buckets);
    rpt__group_fail(reducer->group, RPT_ERR_STATE);
    rpt__engine_unlock(engine);
}

void rpt__reducer_destroy(struct rpt_reducer *reducer)
{
    struct rpt_engine *engine = rpt__comm_engine(reducer->comm);

    if (reducer->n_ready > 0 && reducer->n_started < reducer->n_buckets &&
        !rpt__group_is_failed(reducer->group)) {
        give_up(reducer);
    }
    for (size_t i = 0; i < reducer->n_started; i++) {
        if (reducer->buckets[i].is_running) {
            rpt__plan_wait(reducer->buckets[i].plan);
        }
    }
    rpt__engine_lock(engine);
    release(reducer);
    rpt__engine_unlock(engine);
}
