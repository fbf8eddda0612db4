/*
 * coll.c - the public functions of collective operations
 */
#include "api/api.h"

#include "collectives/plan.h"

#include "base/error.h"

#include <repartir/coll.h>

/* What a barrier sends. */
static const char token = 0;

/* `name`: of the function that was called. */
static rpt_status_t run_named(const char *name, rpt_group_t *group,
                              const rpt_coll_t *coll)
{
    RPT_REQUIRE_IN(name, group != NULL, "group is NULL");
    return rpt__coll_run(group, coll);
}

#define run(group, coll) run_named(__func__, group, coll)

/* Every field is named: compilers zero a whole structure with an instruction
 * that takes longer than the rest of a short call. */
static inline rpt_coll_t call_of(rpt_coll_kind_t kind, const void *in,
                                 void *out, size_t count, rpt_type_t type)
{
    rpt_coll_t coll;

    coll.kind = kind;
    coll.in = in;
    coll.out = out;
    coll.count = count;
    coll.type = type;
    coll.op = RPT_OP_SUM;
    coll.root = 0;
    coll.counts = coll.offsets = NULL;
    coll.out_counts = coll.out_offsets = NULL;
    coll.stream = NULL;
    return coll;
}

rpt_status_t rpt_allreduce(rpt_group_t *group, const void *in, void *out,
                           size_t count, rpt_type_t type, rpt_op_t op)
{
    rpt_coll_t coll = call_of(RPT_COLL_ALLREDUCE, in, out, count, type);

    coll.op = op;

    return run(group, &coll);
}

rpt_status_t rpt_reduce(rpt_group_t *group, const void *in, void *out,
                        size_t count, rpt_type_t type, rpt_op_t op, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_REDUCE, in, out, count, type);

    coll.op = op;
    coll.root = root;

    return run(group, &coll);
}

rpt_status_t rpt_broadcast(rpt_group_t *group, void *buffer, size_t count,
                           rpt_type_t type, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_BROADCAST, NULL, buffer, count, type);

    coll.root = root;

    return run(group, &coll);
}

rpt_status_t rpt_barrier(rpt_group_t *group)
{
    rpt_coll_t coll = call_of(RPT_COLL_BARRIER, &token, NULL, 0, RPT_TYPE_U8);

    return run(group, &coll);
}

rpt_status_t rpt_allgather(rpt_group_t *group, const void *in, void *out,
                           size_t count, rpt_type_t type)
{
    rpt_coll_t coll = call_of(RPT_COLL_ALLGATHER, in, out, count, type);

    return run(group, &coll);
}

rpt_status_t rpt_allgatherv(rpt_group_t *group, const void *in, void *out,
                            const size_t *counts, const size_t *offsets,
                            rpt_type_t type)
{
    rpt_coll_t coll = call_of(RPT_COLL_ALLGATHER, in, out, 0, type);

    coll.counts = counts;
    coll.offsets = offsets;

    RPT_REQUIRE(counts != NULL, "counts is NULL");
    return run(group, &coll);
}

rpt_status_t rpt_gather(rpt_group_t *group, const void *in, void *out,
                        size_t count, rpt_type_t type, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_GATHER, in, out, count, type);

    coll.root = root;

    return run(group, &coll);
}

rpt_status_t rpt_gatherv(rpt_group_t *group, const void *in, void *out,
                         const size_t *counts, const size_t *offsets,
                         rpt_type_t type, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_GATHER, in, out, 0, type);

    coll.root = root;
    coll.counts = counts;
    coll.offsets = offsets;

    RPT_REQUIRE(counts != NULL, "counts is NULL");
    return run(group, &coll);
}

rpt_status_t rpt_scatter(rpt_group_t *group, const void *in, void *out,
                         size_t count, rpt_type_t type, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_SCATTER, in, out, count, type);

    coll.root = root;

    return run(group, &coll);
}

rpt_status_t rpt_scatterv(rpt_group_t *group, const void *in, void *out,
                          const size_t *counts, const size_t *offsets,
                          rpt_type_t type, int root)
{
    rpt_coll_t coll = call_of(RPT_COLL_SCATTER, in, out, 0, type);

    coll.root = root;
    coll.counts = counts;
    coll.offsets = offsets;

    RPT_REQUIRE(counts != NULL, "counts is NULL");
    return run(group, &coll);
}

rpt_status_t rpt_reduce_scatter_block(rpt_group_t *group, const void *in,
                                      void *out, size_t count, rpt_type_t type,
                                      rpt_op_t op)
{
    rpt_coll_t coll = call_of(RPT_COLL_REDUCE_SCATTER, in, out, count, type);

    coll.op = op;

    return run(group, &coll);
}

rpt_status_t rpt_reduce_scatter(rpt_group_t *group, const void *in, void *out,
                                const size_t *counts, rpt_type_t type,
                                rpt_op_t op)
{
    rpt_coll_t coll = call_of(RPT_COLL_REDUCE_SCATTER, in, out, 0, type);

    coll.op = op;
    coll.counts = counts;

    RPT_REQUIRE(counts != NULL, "counts is NULL");
    return run(group, &coll);
}

rpt_status_t rpt_alltoall(rpt_group_t *group, const void *in, void *out,
                          size_t count, rpt_type_t type)
{
    rpt_coll_t coll = call_of(RPT_COLL_ALLTOALL, in, out, count, type);

    return run(group, &coll);
}

rpt_status_t rpt_alltoallv(rpt_group_t *group, const void *in,
                           const size_t *in_counts, const size_t *in_offsets,
                           void *out, const size_t *out_counts,
                           const size_t *out_offsets, rpt_type_t type)
{
    rpt_coll_t coll = call_of(RPT_COLL_ALLTOALL, in, out, 0, type);

    coll.counts = in_counts;
    coll.offsets = in_offsets;
    coll.out_counts = out_counts;
    coll.out_offsets = out_offsets;

    RPT_REQUIRE(in_counts != NULL, "in_counts is NULL");
    RPT_REQUIRE(out_counts != NULL, "out_counts is NULL");
    return run(group, &coll);
}

rpt_status_t rpt_scan(rpt_group_t *group, const void *in, void *out,
                      size_t count, rpt_type_t type, rpt_op_t op)
{
    rpt_coll_t coll = call_of(RPT_COLL_SCAN, in, out, count, type);

    coll.op = op;

    return run(group, &coll);
}

rpt_status_t rpt_exscan(rpt_group_t *group, const void *in, void *out,
                        size_t count, rpt_type_t type, rpt_op_t op)
{
    rpt_coll_t coll = call_of(RPT_COLL_EXSCAN, in, out, count, type);

    coll.op = op;

    return run(group, &coll);
}

/* ---- plans ---- */

const char *rpt_coll_algorithm(rpt_coll_kind_t kind, int index)
{
    const struct rpt_algorithm *const *all;

    if ((int)kind < 0 || kind > RPT_COLL_EXSCAN || index < 0) {
        return NULL;
    }
    all = rpt__algorithms(kind);
    while (index > 0 && *all != NULL) {
        index--;
        all++;
    }
    return *all != NULL ? (*all)->name : NULL;
}

/* What the operation does not look at does not count. */
static rpt_coll_t normal(const rpt_coll_t *coll)
{
    rpt_coll_t copy = *coll;

    if (copy.kind == RPT_COLL_BARRIER) {
        copy = (rpt_coll_t){ .kind = RPT_COLL_BARRIER,
                             .in = &token,
                             .type = RPT_TYPE_U8 };
    }
    if (copy.counts != NULL) {
        copy.count = 0;
    }
    return copy;
}

static rpt_status_t make(rpt_group_t *group, const rpt_coll_t *coll,
                         rpt_status_t (*how)(struct rpt_team *team,
                                             const rpt_coll_t *coll,
                                             struct rpt_plan **plan_out),
                         rpt_plan_t **plan_out)
{
    rpt_coll_t own;
    struct rpt_team *team = NULL;
    rpt_status_t status;

    own = normal(coll);
    status = rpt__coll_check(group, &own);
    if (status == RPT_OK) {
        status = rpt__group_run_status(group);
    }
    if (status == RPT_OK) {
        status = rpt__team_of(group, &team);
    }
    return status == RPT_OK ? how(team, &own, plan_out) : status;
}

static struct rpt_engine *engine_of(const rpt_group_t *group)
{
    return rpt__comm_engine(rpt__group_comm(group));
}

rpt_status_t rpt_plan_create(rpt_group_t *group, const rpt_coll_t *coll,
                             rpt_plan_t **plan_out)
{
    rpt_status_t status;

    RPT_REQUIRE(group != NULL && coll != NULL && plan_out != NULL,
                "NULL argument");
    rpt__engine_lock(engine_of(group));
    status = make(group, coll, rpt__plan_create, plan_out);
    rpt__engine_unlock(engine_of(group));
    return status;
}

rpt_status_t rpt_coll_start(rpt_group_t *group, const rpt_coll_t *coll,
                            rpt_plan_t **plan_out)
{
    struct rpt_plan *plan = NULL;
    rpt_status_t status;

    RPT_REQUIRE(group != NULL && coll != NULL && plan_out != NULL,
                "NULL argument");
    rpt__engine_lock(engine_of(group));
    status = make(group, coll, rpt__plan_find, &plan);
    rpt__engine_unlock(engine_of(group));
    if (status != RPT_OK) {
        return status;
    }
    plan->coll.in = coll->kind == RPT_COLL_BARRIER ? &token : coll->in;
    plan->coll.out = coll->out;
    plan->coll.stream = coll->stream;
    status = rpt__plan_start(plan);
    if (status != RPT_OK) {
        rpt_plan_destroy(plan);
        return status;
    }
    *plan_out = plan;
    return RPT_OK;
}

rpt_status_t rpt_plan_start(rpt_plan_t *plan)
{
    RPT_REQUIRE(plan != NULL, "plan is NULL");
    if (atomic_load(&plan->run.state) != RPT_RUN_IDLE) {
        return rpt__fail(RPT_ERR_STATE,
                         "the plan is started already, and not waited for");
    }
    return rpt__plan_start(plan);
}

rpt_status_t rpt_plan_test(rpt_plan_t *plan)
{
    RPT_REQUIRE(plan != NULL, "plan is NULL");
    return rpt__plan_test(plan);
}

rpt_status_t rpt_plan_wait(rpt_plan_t *plan)
{
    RPT_REQUIRE(plan != NULL, "plan is NULL");
    return rpt__plan_wait(plan);
}

void rpt_plan_destroy(rpt_plan_t *plan)
{
    struct rpt_engine *engine;

    if (plan == NULL) {
        return;
    }
    engine = plan->team->engine;
    rpt__engine_lock(engine);
    if (atomic_load(&plan->run.state) == RPT_RUN_LAZY) {
        rpt__team_queue_lazy(plan->team);
    }
    if (atomic_load(&plan->run.state) == RPT_RUN_QUEUED) {
        plan->is_dropped = true;
    } else {
        atomic_store(&plan->run.state, RPT_RUN_IDLE);
        rpt__plan_drop(plan);
    }
    rpt__engine_unlock(engine);
}

rpt_status_t rpt_plan_explain(const rpt_plan_t *plan, char **text_out)
{
    RPT_REQUIRE(plan != NULL && text_out != NULL, "NULL argument");
    return rpt__plan_explain(plan, text_out);
}

rpt_status_t rpt_coll_explain(const rpt_coll_t *coll, int n_ranks, int n_nodes,
                              const rpt_options_t *options, char **text_out)
{
    rpt_options_t *own = NULL;
    rpt_coll_t copy;
    rpt_status_t status;

    RPT_REQUIRE(coll != NULL && text_out != NULL, "NULL argument");
    RPT_REQUIRE((int)coll->kind >= 0 && coll->kind <= RPT_COLL_EXSCAN,
                "there is no such operation");
    RPT_REQUIRE(rpt_type_bytes(coll->type) > 0, "there is no such type");
    RPT_REQUIRE(n_ranks >= 1 && n_nodes >= 1 && n_nodes <= n_ranks,
                "at least one rank, and one on each node");
    RPT_REQUIRE(coll->root >= 0 && coll->root < n_ranks,
                "the root is no rank of the group");
    RPT_REQUIRE(coll->counts == NULL, "blocks have one size here");
    RPT_REQUIRE(coll->count <=
                    PTRDIFF_MAX / rpt_type_bytes(coll->type) / (size_t)n_ranks,
                "counts that no memory can hold");
    copy = normal(coll);
    status = rpt__options_copy(options, &own);
    if (status == RPT_OK) {
        status = rpt__coll_explain(&copy, n_ranks, n_nodes, own, text_out);
    }
    rpt_options_destroy(own);
    return status;
}
