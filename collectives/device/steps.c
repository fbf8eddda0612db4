/*
 * steps.c - a run on device buffers, as far as it goes without blocking
 *
 * All that a group does on its device goes into one stream, in order; nothing
 * is launched before the caller's stream has come to where it was at the start.
 * A flag is raised when the stream is empty, so that what others read behind it
 * is there.
 */
#include "collectives/device/call.h"
#include "collectives/nccl/launch.h"

#include "base/error.h"

static struct rpt_plan *plan_of(struct rpt_run *run)
{
    return (struct rpt_plan *)(void *)run;
}

/* What one rank cannot do, none can. */
static rpt_status_t checked(const struct rpt_device_call *call,
                            rpt_status_t status)
{
    const struct rpt_device_team *device = call->device;

    if (status >= RPT_OK) {
        return status;
    }
    rpt__device_fail(device, status, "a collective operation failed");
    return rpt__group_fail(device->team->group, status);
}

typedef rpt_status_t (*action_fn)(struct rpt_plan *plan,
                                  struct rpt_device_call *call);

/* Does something while this thread uses the device of the call. */
static rpt_status_t on_device(struct rpt_run *run, action_fn act)
{
    struct rpt_plan *plan = plan_of(run);
    struct rpt_device_call *call = plan->call;
    const struct rpt_device_ops *ops = call->device->ops;
    int before = 0;
    rpt_status_t status = ops->use(call->device->device, &before);

    if (status == RPT_OK) {
        status = act(plan, call);
        ops->use(before, &before);
        return status;
    }
    return checked(call, status);
}

static rpt_status_t is_drained(const struct rpt_device_call *call)
{
    return call->device->ops->stream_query(call->device->stream);
}

static rpt_status_t copy(const struct rpt_device_call *call, void *to,
                         const void *from, size_t bytes)
{
    return bytes == 0 || to == from
               ? RPT_OK
               : call->device->ops->copy(call->device->stream, to, from, bytes);
}

/* ---- before the first step ---- */

static rpt_status_t follow(struct rpt_device_call *call)
{
    call->is_entered = true;
    return call->status == RPT_OK ? call->device->ops->stream_wait(
                                        call->device->stream, call->event)
                                  : call->status;
}

static rpt_status_t enter_here(struct rpt_plan *plan,
                               struct rpt_device_call *call)
{
    rpt_status_t status = follow(call);

    (void)plan;
    if (status == RPT_OK && call->bounce != NULL) {
        status = copy(call, call->bounce, call->output, call->bounce_bytes);
    }
    return checked(call, status);
}

static rpt_status_t enter_through_host(struct rpt_plan *plan,
                                       struct rpt_device_call *call)
{
    rpt_status_t status = RPT_OK;

    (void)plan;
    if (!call->is_entered) {
        status = follow(call);
        if (status == RPT_OK) {
            status = copy(call, call->host_in, call->input, call->in_bytes);
        }
        if (status == RPT_OK && call->fills_out) {
            status = copy(call, call->host_out, call->output, call->out_bytes);
        }
    }
    return checked(call, status == RPT_OK ? is_drained(call) : status);
}

static rpt_status_t enter(struct rpt_run *run)
{
    return on_device(run, enter_here);
}

static rpt_status_t enter_host(struct rpt_run *run)
{
    return on_device(run, enter_through_host);
}

/* ---- steps on the device ---- */

static char *place(const struct rpt_plan *plan, struct rpt_place place)
{
    const struct rpt_run *run = &plan->run;

    return place.kind == RPT_IN_STAGE
               ? rpt__stage_of(plan->call->device, run->turn, place.rank) +
                     place.offset * run->element_bytes
               : rpt__run_place(run, place);
}

/* No more inputs than a kernel takes; see kernels_can() in call.c. */
static rpt_status_t reduce(const struct rpt_plan *plan,
                           const struct rpt_step *step)
{
    const struct rpt_device_team *device = plan->call->device;
    const struct rpt_place *inputs = plan->schedule.inputs + step->first_input;
    struct rpt_device_reduction r = { .to = place(plan, step->to),
                                      .n_inputs = step->n_inputs,
                                      .count = step->count,
                                      .type = plan->coll.type,
                                      .op = plan->coll.op };

    for (int i = 0; i < step->n_inputs; i++) {
        r.inputs[i] = place(plan, inputs[i]);
    }
    return device->ops->reduce(device->stream, &r);
}

static rpt_status_t take_step(const struct rpt_plan *plan,
                              const struct rpt_step *step)
{
    switch (step->kind) {
    case RPT_STEP_COPY:
        return copy(plan->call, place(plan, step->to),
                    place(plan, plan->schedule.inputs[step->first_input]),
                    step->count * plan->run.element_bytes);
    case RPT_STEP_REDUCE:
        return reduce(plan, step);
    default:
        return is_drained(plan->call);
    }
}

static rpt_status_t step_on_device(struct rpt_run *run,
                                   const struct rpt_step *step)
{
    struct rpt_plan *plan = plan_of(run);
    const struct rpt_device_ops *ops = plan->call->device->ops;
    int before = 0;
    rpt_status_t status = ops->use(plan->call->device->device, &before);

    if (status == RPT_OK) {
        status = take_step(plan, step);
        ops->use(before, &before);
    }
    return checked(plan->call, status);
}

/* ---- behind the last step ---- */

static rpt_status_t leave_shared(struct rpt_plan *plan,
                                 struct rpt_device_call *call)
{
    const struct rpt_device_team *device = call->device;
    rpt_status_t status = RPT_OK;

    if (!call->is_launched && call->divided_count > 0) {
        status = device->ops->divide(device->stream, call->output,
                                     call->divided_count, plan->coll.type,
                                     plan->team->size);
    }
    call->is_launched = true;
    return checked(call, status == RPT_OK ? is_drained(call) : status);
}

static rpt_status_t leave_host(struct rpt_plan *plan,
                               struct rpt_device_call *call)
{
    rpt_status_t status = RPT_OK;

    (void)plan;
    if (!call->is_launched) {
        status = copy(call, call->output, call->host_out, call->out_bytes);
    }
    call->is_launched = true;
    return checked(call, status == RPT_OK ? is_drained(call) : status);
}

static rpt_status_t leave_nccl(struct rpt_plan *plan,
                               struct rpt_device_call *call)
{
    struct rpt_device_team *device = call->device;
    const struct rpt_nccl_place where = { device->comm, device->stream };
    rpt_status_t status;

    if (!call->is_launched) {
        call->is_launched = true;
        status = rpt__nccl_launch(
            device->nccl, where,
            &(struct rpt_nccl_call){ &plan->c, &plan->coll,
                                     call->bounce != NULL ? call->bounce
                                                          : call->input,
                                     call->output });
        if (status < RPT_OK) {
            return rpt__nccl_fail(device, status, "NCCL does not begin");
        }
    }
    /* The stream says nothing before all is in it. */
    status = rpt__nccl_watch(device);
    return status == RPT_OK ? checked(call, is_drained(call)) : status;
}

static rpt_status_t leave_by_nccl(struct rpt_run *run)
{
    return on_device(run, leave_nccl);
}

static rpt_status_t leave_on_device(struct rpt_run *run)
{
    return on_device(run, leave_shared);
}

static rpt_status_t leave_through_host(struct rpt_run *run)
{
    return on_device(run, leave_host);
}

/* ---- the end with a failure ---- */

/* The caller gets its buffers back: nothing may use them any more.  Only NCCL
 * waits for other ranks on the device, so that this does not take long. */
static rpt_status_t end(struct rpt_plan *plan, struct rpt_device_call *call)
{
    const struct rpt_device_team *device = call->device;

    (void)plan;
    rpt__nccl_abort(call->device);
    return device->ops->stream_finish(device->stream);
}

static void abort_run(struct rpt_run *run)
{
    on_device(run, end);
}

const struct rpt_run_ops rpt__device_nccl_run = {
    .enter = enter,
    .leave = leave_by_nccl,
    .abort = abort_run,
};

const struct rpt_run_ops rpt__device_shared_run = {
    .enter = enter,
    .step = step_on_device,
    .leave = leave_on_device,
    .abort = abort_run,
};

const struct rpt_run_ops rpt__device_host_run = {
    .enter = enter_host,
    .leave = leave_through_host,
    .abort = abort_run,
};
