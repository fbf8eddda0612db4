/*
 * meet.c - the ranks of a node meet before a large call moves anything
 *
 * Each writes beside its flag where its buffers are, and whether others can
 * read them there.  When all have come all know the same, and take the same
 * way: the schedule that pulls, the one that has the kernel do so, or the usual
 * one.
 *
 * Cost: a flag.
 */
#include "collectives/engine/run.h"

#include "base/error.h"
#include "comm/buffer.h"

struct rpt_exposed *rpt__run_exposed(const struct rpt_run *run, int rank)
{
    char *block = (char *)rpt__team_block(run->team, run->turn, rank);

    return (struct rpt_exposed *)(void *)(block +
                                          sizeof(struct rpt_block_head));
}

static uint64_t name_of(const struct rpt_run *run, bool is_open,
                        const void *buffer)
{
    return is_open ? rpt__buffer_name(run->team->comm, buffer)
                   : (uint64_t)(uintptr_t)buffer;
}

/* What is not there is of an empty part: nobody reads it. */
static bool may_be_read(const struct rpt_run *run, bool is_read,
                        const void *buffer)
{
    return !is_read || buffer == NULL ||
           rpt__buffer_is_open(run->team->comm, buffer);
}

static void come(struct rpt_run *run)
{
    struct rpt_exposed *mine = rpt__run_exposed(run, run->team->rank);
    bool is_open = may_be_read(run, run->input_is_read, run->input) &&
                   may_be_read(run, run->output_is_read, run->output);

    atomic_store_explicit(&mine->failure, 0, memory_order_relaxed);
    if (run->pulling == NULL) { /* only to compare what they call */
        mine->is_open = 0;
        rpt__run_raise(run, 1);
        return;
    }
    mine->input = name_of(run, is_open, run->input);
    mine->output = name_of(run, is_open, run->output);
    mine->is_open = is_open;
    if (run->fetching != NULL) {
        rpt__agree_offer(run, mine);
    }
    rpt__run_raise(run, 1);
}

void rpt__run_take_back(const struct rpt_run *run)
{
    if (run->meets && run->has_raised &&
        rpt__group_is_failed(run->team->group)) {
        atomic_store(&rpt__run_exposed(run, run->team->rank)->failure,
                     (int8_t)run->status);
    }
}

rpt_status_t rpt__run_check_stayed(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    rpt_status_t status = RPT_OK;
    int rank = 0;

    for (int i = 0; i < team->n_near && status == RPT_OK; i++) {
        rank = team->near[i];
        status = (rpt_status_t)atomic_load(
            &rpt__run_exposed(run, rank)->failure);
    }
    if (status == RPT_OK) {
        return RPT_OK;
    }
    if (status != RPT_ERR_TIMEOUT && status != RPT_ERR_MISMATCH) {
        status = RPT_ERR_PEER;
    }
    rpt__fail(status, "rank %d of a group of %d has given up %s", rank,
              team->size, run->name);
    rpt__fail_hint("its own error says why; after a deadline, come earlier or "
                   "raise coll.deadline_s");
    return rpt__run_fail(run, status);
}

rpt_status_t rpt__run_refuse(const struct rpt_run *run)
{
    rpt__fail(RPT_ERR_UNSUPPORTED,
              "%s with the forced algorithm pulled, and buffers that the other "
              "ranks cannot read",
              run->name);
    rpt__fail_hint("have all ranks take their buffers from rpt_buffer_alloc(), "
                   "or force no algorithm");
    return RPT_ERR_UNSUPPORTED;
}

/* All have come. */
static rpt_status_t choose(struct rpt_run *run, bool are_open)
{
    run->has_met = true;
    run->flag++;
    if (are_open) {
        run->schedule = run->pulling;
    } else if (run->must_pull) {
        /* Others may still read here what this rank calls. */
        rpt__run_leave_block(run);
        return rpt__run_refuse(run);
    } else if (run->fetching != NULL) {
        rpt__agree(run);
        run->schedule = run->by_kernel ? run->fetching : run->usual;
    }
    rpt__pace_settle(&run->trial, run->by_kernel);
    return RPT_OK;
}

rpt_status_t rpt__run_meet(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    bool are_open = true;
    rpt_status_t status;

    if (!run->has_raised) {
        come(run);
    }
    for (int i = 0; i < team->n_near; i++) {
        if (team->near[i] != team->rank) {
            run->meeting = (struct rpt_step){ .kind = RPT_STEP_WAIT,
                                              .peer = team->near[i],
                                              .value = 1 };
            status = rpt__run_wait_flag(run, &run->meeting);
            if (status != RPT_OK) {
                run->waiting = &run->meeting;
                return status;
            }
        }
        are_open = are_open &&
                   rpt__run_exposed(run, team->near[i])->is_open != 0;
    }
    status = rpt__run_check_stayed(run);
    return status == RPT_OK ? choose(run, are_open) : status;
}

char *rpt__run_buffer_of(const struct rpt_run *run, int rank, bool output)
{
    const struct rpt_exposed *exposed = rpt__run_exposed(run, rank);

    return rpt__buffer_find(run->team->comm,
                            output ? exposed->output : exposed->input);
}
