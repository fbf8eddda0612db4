/*
 * call.c - from a call on device buffers to a plan: the road and the memory
 */
#include "collectives/device/call.h"

#include "collectives/select/select.h"

#include "base/error.h"
#include "base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a barrier sends. */
static char token;

/* ---- where buffers are ---- */

enum { NOT_SEEN = -2 };

static int whose(const struct rpt_gpu *gpu, const void *buffer, bool is_used)
{
    return buffer == NULL || buffer == RPT_IN_PLACE || !is_used
               ? NOT_SEEN
               : gpu->device->whose(buffer);
}

rpt_status_t rpt__device_where(const struct rpt_group *group,
                               const rpt_coll_t *coll, int *device_out)
{
    const struct rpt_gpu *gpu = rpt__device_gpu();
    size_t n_in = 0, n_out = 0;
    bool is_empty;
    int in, out;

    *device_out = -1;
    if (gpu == NULL || coll->kind == RPT_COLL_BARRIER) {
        return RPT_OK;
    }
    rpt__coll_extent(group, coll, &n_in, &n_out);
    is_empty = n_in == 0 && n_out == 0; /* where it would be still counts */
    in = whose(gpu, coll->in, n_in > 0 || is_empty);
    out = whose(gpu, coll->out,
                n_out > 0 || is_empty || coll->in == RPT_IN_PLACE);
    if (in != NOT_SEEN && out != NOT_SEEN && in != out) {
        rpt__fail(RPT_ERR_INVALID, "%s: bad argument",
                  rpt_coll_name(coll->kind));
        rpt__fail_why("input and output are not in the same memory (device %d "
                      "and %d; -1 is the host)",
                      in, out);
        return RPT_ERR_INVALID;
    }
    in = in != NOT_SEEN ? in : out;
    *device_out = in != NOT_SEEN ? in : -1;
    return RPT_OK;
}

/* ---- which road ---- */

static bool is_reduction(const struct rpt_plan *plan)
{
    return plan->combine.kernel != NULL || plan->combine.fn != NULL;
}

static bool is_reproducible(const struct rpt_plan *plan)
{
    return rpt__option_switch(rpt__comm_options(plan->team->comm),
                              RPT_OPT_COLL_REPRODUCIBLE);
}

/* The cheapest of those that use nothing but stages and flags; its schedule is
 * the plan's then.  The cost is that of the host, but for the same steps. */
static bool build_shared(struct rpt_plan *plan)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(plan->coll.kind);
    bool ordered = is_reduction(plan) && is_reproducible(plan);
    double least = INFINITY;

    for (; *all != NULL; all++) {
        struct rpt_schedule schedule = { .window = 1 };
        double cost;

        if ((ordered && !(*all)->in_rank_order) || !(*all)->applies(&plan->c)) {
            continue;
        }
        cost = (*all)->cost(&plan->c, plan->c.model,
                            plan->combine.element_bytes);
        if (cost < least) {
            (*all)->build(&plan->c, &schedule);
            if (schedule.status == RPT_OK &&
                !rpt__schedule_has_messages(&schedule)) {
                rpt__schedule_free(&plan->schedule);
                plan->schedule = schedule;
                plan->algorithm = *all;
                least = cost;
                continue;
            }
        }
        rpt__schedule_free(&schedule);
    }
    return plan->algorithm != NULL;
}

/* All wait for all, before NCCL is given anything. */
static rpt_status_t build_gate(struct rpt_plan *plan)
{
    struct rpt_case c = plan->c;
    struct rpt_question question;
    rpt_status_t status;

    c.count = 0;
    c.counts = c.starts = c.offsets = c.out_counts = c.out_offsets = NULL;
    c.root = 0;
    c.segment = 1;
    plan->combine = (struct rpt_combine){ .type = RPT_TYPE_U8,
                                          .element_bytes = 1,
                                          .commutative = true };
    question = rpt__plan_question(plan);
    question.kind = RPT_COLL_BARRIER;
    question.c = &c;
    status = rpt__select(&question, &plan->algorithm);
    if (status == RPT_OK) {
        plan->algorithm->build(&c, &plan->schedule);
        status = plan->schedule.status;
    }
    return status;
}

static bool nccl_can(const struct rpt_plan *plan)
{
    const rpt_coll_t *coll = &plan->coll;

    if (!is_reduction(plan)) {
        return true;
    }
    return coll->kind != RPT_COLL_SCAN && coll->kind != RPT_COLL_EXSCAN &&
           !is_reproducible(plan) &&
           plan->call->device->nccl->can_reduce(coll->type, coll->op);
}

/* A sum over all ranks is one kernel: of parts of it, the later ones would find
 * an input overwritten where the result is in place. */
static bool kernels_can(const struct rpt_plan *plan)
{
    return !is_reduction(plan) || (plan->team->size <= RPT_DEVICE_INPUTS_MAX &&
                                   plan->call->device->ops->can_reduce(
                                       plan->coll.type, plan->coll.op));
}

/* The same on all ranks: from what they know alike. */
static rpt_status_t build(struct rpt_plan *plan)
{
    struct rpt_device_call *call = plan->call;
    enum rpt_road road = call->device->road;

    if (road == RPT_ROAD_NCCL && nccl_can(plan)) {
        call->road = RPT_ROAD_NCCL;
        return build_gate(plan);
    }
    if (road == RPT_ROAD_SHARED && kernels_can(plan) && build_shared(plan)) {
        call->road = RPT_ROAD_SHARED;
        rpt__plan_put_checks(plan);
        return plan->schedule.status;
    }
    call->road = RPT_ROAD_HOST;
    return rpt__plan_choose(plan);
}

rpt_status_t rpt__device_call_create(struct rpt_plan *plan, int number)
{
    struct rpt_team *team = plan->team;
    struct rpt_device_call *call;
    rpt_status_t status = RPT_OK;

    if (team->device == NULL) {
        status = rpt__device_team_of(team, plan->run.signature, number);
    }
    if (status != RPT_OK) {
        return status;
    }
    if (team->device->device != number) {
        return rpt__fail(RPT_ERR_INVALID,
                         "the buffers are on device %d; this rank's of the "
                         "group are on device %d",
                         number, team->device->device);
    }
    call = plan->call = calloc(1, sizeof *call);
    if (call == NULL) {
        return rpt__fail_nomem(sizeof *call);
    }
    call->device = team->device;
    return build(plan);
}

/* ---- what memory it needs ---- */

static bool needs_bounce(const struct rpt_plan *plan)
{
    return plan->in_place && plan->call->road != RPT_ROAD_HOST &&
           (plan->coll.kind == RPT_COLL_REDUCE_SCATTER ||
            plan->coll.kind == RPT_COLL_ALLTOALL);
}

/* Some of the output is to stay as it is. */
static bool keeps_output(const struct rpt_plan *plan)
{
    return plan->coll.kind == RPT_COLL_BROADCAST ||
           plan->coll.offsets != NULL || plan->coll.out_offsets != NULL;
}

static rpt_status_t take_host(struct rpt_device_call *call)
{
    const struct rpt_device_ops *ops = call->device->ops;
    void *in = NULL, *out = NULL;
    rpt_status_t status = ops->host_alloc(call->in_bytes + 1, &in);

    call->host_in = in;
    if (status == RPT_OK) {
        status = ops->host_alloc(call->out_bytes + 1, &out);
        call->host_out = out;
    }
    return status;
}

static rpt_status_t take_device(struct rpt_device_call *call)
{
    const struct rpt_device_ops *ops = call->device->ops;
    void *scratch = NULL, *bounce = NULL;
    rpt_status_t status = RPT_OK;

    if (call->scratch_bytes > 0) {
        status = ops->alloc(call->scratch_bytes, &scratch);
        call->scratch = scratch;
    }
    if (status == RPT_OK && call->bounce_bytes > 0) {
        status = ops->alloc(call->bounce_bytes, &bounce);
        call->bounce = bounce;
    }
    return status;
}

static rpt_status_t take_memory(struct rpt_device_call *call)
{
    const struct rpt_device_ops *ops = call->device->ops;
    int before = 0;
    rpt_status_t status = ops->use(call->device->device, &before);

    if (status == RPT_OK) {
        status = ops->event_create(&call->event);
        if (status == RPT_OK) {
            status = call->road == RPT_ROAD_HOST ? take_host(call)
                                                 : take_device(call);
        }
        if (status != RPT_OK) {
            rpt__device_fail(call->device, status, "no memory was given");
        }
        ops->use(before, &before);
    }
    return status;
}

rpt_status_t rpt__device_call_complete(struct rpt_plan *plan)
{
    static const struct rpt_run_ops *const run_ops[] = {
        [RPT_ROAD_NCCL] = &rpt__device_nccl_run,
        [RPT_ROAD_SHARED] = &rpt__device_shared_run,
        [RPT_ROAD_HOST] = &rpt__device_host_run,
    };
    struct rpt_device_call *call = plan->call;
    struct rpt_run *run = &plan->run;
    size_t element = rpt_type_bytes(plan->coll.type), n_in, n_out;

    rpt__coll_extent(plan->team->group, &plan->coll, &n_in, &n_out);
    call->in_bytes = n_in * element;
    call->out_bytes = n_out * element;
    call->fills_out = keeps_output(plan);
    if (needs_bounce(plan)) {
        call->bounce_bytes = rpt__packed_count(&plan->c) * element;
    }
    if (call->road == RPT_ROAD_SHARED) {
        call->divided_count = run->divided_count;
        run->divided_count = 0;
    }
    run->ops = run_ops[call->road];
    run->needs_lock = true;
    return take_memory(call);
}

void rpt__device_call_free(struct rpt_device_call *call)
{
    const struct rpt_device_ops *ops;
    int before;

    if (call == NULL) {
        return;
    }
    ops = call->device->ops;
    before = call->device->device; /* if the one before is not told */
    ops->use(call->device->device, &before);
    if (call->host_in != NULL) {
        ops->host_release(call->host_in);
    }
    if (call->host_out != NULL) {
        ops->host_release(call->host_out);
    }
    if (call->scratch != NULL) {
        ops->release(call->scratch);
    }
    if (call->bounce != NULL) {
        ops->release(call->bounce);
    }
    if (call->event != NULL) {
        ops->event_destroy(call->event);
    }
    ops->use(before, &before);
    free(call);
}

const char *rpt__device_call_text(const struct rpt_device_call *call)
{
    static const char *const texts[] = {
        [RPT_ROAD_NCCL] = "by NCCL, once all ranks are there",
        [RPT_ROAD_SHARED] = "in the memory of the device, which ranks share",
        [RPT_ROAD_HOST] = "through memory of the host",
    };

    return texts[call->road];
}

/* ---- starting ---- */

static void bind_host(struct rpt_plan *plan)
{
    struct rpt_device_call *call = plan->call;
    struct rpt_run *run = &plan->run;
    const struct rpt_case *c = &plan->c;

    run->input = call->host_in;
    run->output = call->host_out;
    if (plan->coll.kind == RPT_COLL_BROADCAST) {
        run->input = run->output;
    } else if (plan->coll.kind == RPT_COLL_SCATTER && call->out_bytes == 0 &&
               c->rank == c->root) { /* its block stays where it is */
        run->output = run->input +
                      rpt__block_of(c, c->rank).offset * run->element_bytes;
    }
}

void rpt__device_call_bind(struct rpt_plan *plan)
{
    struct rpt_device_call *call = plan->call;
    const struct rpt_device_ops *ops = call->device->ops;
    struct rpt_run *run = &plan->run;
    int before = 0;

    call->input = run->input;
    call->output = run->output;
    call->is_entered = call->is_launched = false;
    if (call->road == RPT_ROAD_HOST) {
        bind_host(plan);
    } else if (call->road == RPT_ROAD_NCCL) {
        run->input = &token;
    } else {
        run->scratch = call->scratch;
        run->input = call->bounce != NULL ? call->bounce : run->input;
    }
    call->status = ops->use(call->device->device, &before);
    if (call->status == RPT_OK) {
        call->status = ops->event_record(call->event, plan->coll.stream);
        ops->use(before, &before);
    }
}
