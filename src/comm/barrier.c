/*
 * barrier.c - all ranks of a group wait for each other
 *
 * A tree of arity 16.  A rank whose children are all complete tells its parent
 * (UP); the root then lets its children go, they theirs (DOWN).
 *
 *                  0
 *          1   2  ...  16
 *       17..32  33..48
 *
 * Cost: 2 messages a rank and 2 log16 p steps; the root of a node of 16 ranks
 * takes 15 letters.  Who is missing in a long wait is missing.c's matter.
 */
#include "comm/barrier_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>

void rpt__barrier_send(struct rpt_barrier *b, int to, enum rpt_letter_kind kind,
                       const void *data, size_t bytes)
{
    rpt_status_t status = rpt__letter_send(b->group, to, kind, data, bytes);

    if (b->send_status == RPT_OK) {
        b->send_status = status;
    }
}

static void take_ups(struct rpt_barrier *b)
{
    for (int i = 0; i < b->n_children; i++) {
        struct rpt_letter *up;

        if ((b->arrived >> i & 1) != 0) {
            continue;
        }
        up = rpt__letter_find(b->group, RPT_LETTER_UP, b->first_child + i);
        if (up != NULL) {
            b->arrived |= UINT32_C(1) << i;
            rpt__letter_done(b->group, up);
        }
    }
}

static void release(struct rpt_barrier *b)
{
    b->released = true;
    for (int i = 0; i < b->n_children; i++) {
        rpt__barrier_send(b, b->first_child + i, RPT_LETTER_DOWN, NULL, 0);
    }
}

/* Tells the parent once, then waits for it. */
static void ask_parent(struct rpt_barrier *b)
{
    struct rpt_letter *down;

    if (!b->up_sent) {
        b->up_sent = true;
        rpt__barrier_send(b, b->parent, RPT_LETTER_UP, NULL, 0);
        return;
    }
    down = rpt__letter_find(b->group, RPT_LETTER_DOWN, b->parent);
    if (down != NULL) {
        rpt__letter_done(b->group, down);
        release(b);
    }
}

static bool is_over(void *arg)
{
    struct rpt_barrier *b = arg;
    struct rpt_group *group = b->group;

    if (b->released || rpt__group_op_failed(group)) {
        return true;
    }
    if (group->letters != NULL) {
        take_ups(b);
        rpt__barrier_hear(b);
    }
    if (b->arrived == (UINT32_C(1) << b->n_children) - 1) {
        if (b->parent < 0) {
            release(b);
        } else {
            ask_parent(b);
        }
    }
    return b->released || b->mismatch || b->send_status != RPT_OK ||
           (b->asked && !b->ask_sent);
}

/* What ended the wait, if it was a failure. */
static rpt_status_t failure(const struct rpt_barrier *b)
{
    rpt_status_t status = RPT_OK;

    if (!b->released && rpt__group_op_failed(b->group)) {
        status = rpt__group_failure(b->group);
    } else if (b->mismatch) {
        rpt__fail(RPT_ERR_MISMATCH,
                  "the ranks of a group of %d are in different calls: barrier, "
                  "and exchange",
                  b->group->size);
        rpt__group_advise();
        status = rpt__group_fail_op(b->group, RPT_ERR_MISMATCH);
    } else if (b->send_status != RPT_OK) {
        status = rpt__group_fail(b->group, b->send_status);
    }
    return status;
}

static rpt_status_t wait_until_over(struct rpt_barrier *b)
{
    struct rpt_comm *comm = b->group->comm;
    rpt_status_t status;

    do {
        double left = rpt__barrier_next_s(b) - rpt__now_s();
        rpt_status_t failed;

        status = rpt__comm_wait(comm, is_over, b, fmax(left, 0));
        failed = failure(b);
        if (failed != RPT_OK) {
            return failed;
        }
        if (status >= RPT_OK && !b->released) {
            status = rpt__barrier_late(b);
        }
    } while (status == RPT_OK && !b->released);
    return status;
}

rpt_status_t rpt__group_barrier(struct rpt_group *group)
{
    struct rpt_barrier b = { .group = group };
    int behind = group->size - 1 - RPT_BARRIER_ARITY * group->rank;
    rpt_status_t status = rpt__group_begin(group, "rpt_group_barrier");

    if (status != RPT_OK) {
        return status;
    }
    b.parent = group->rank > 0 ? (group->rank - 1) / RPT_BARRIER_ARITY : -1;
    b.first_child = RPT_BARRIER_ARITY * group->rank + 1;
    b.n_children = behind < 0                   ? 0
                   : behind < RPT_BARRIER_ARITY ? behind
                                                : RPT_BARRIER_ARITY;
    rpt__barrier_set_moments(&b);
    status = wait_until_over(&b);
    if (status == RPT_ERR_TIMEOUT) {
        rpt__fail_hint(
            "look at what those ranks do; option comm.deadline_s "
            "(now %g s) ends such a wait",
            rpt__option_seconds(group->comm->options, RPT_OPT_COMM_DEADLINE_S));
    }
    rpt__group_end(group);
    return status;
}
