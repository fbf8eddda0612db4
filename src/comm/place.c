/*
 * place.c - ranks that wait for each other in calls of different kinds
 *
 * A group has calls of two kinds: operations of its own, by letters
 * (exchange.c, barrier.c), and runs of an upper layer.  Each rank counts both
 * as it begins them: that is its place.
 *
 *      rank 0   run, run, operation ...      2 runs, 1 operation
 *      rank 1   run, run, run ...            3 runs, 0 operations
 *
 * Ranks that make the same calls in the same order have the same places one
 * after the other, so of two ranks one is never ahead in runs and behind in
 * operations.  One that waits for two seconds, in a call of either kind, tells
 * those that it waits for its place, and again when it has waited twice as
 * long, since they may come later than that.  Who is in runs judges, because it
 * still knows which of them took the place of the operation; who is in the
 * operation answers with its own place.
 *
 * Whoever waits in an operation waits for one that has not begun it, at the end
 * of a chain of those that have; so somebody asks the right one.
 */
#include "comm/group_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ASK_FIRST_S 2.0
#define ASK_MOST_S 30.0
#define ASK_LEAST_S 0.05

struct place {
    uint64_t n_runs; /* that the sender has begun           */
    int32_t rank;    /* of the sender, in the group         */
    char call[44];   /* its operation; "": it is in a run   */
};

uint64_t rpt__group_n_runs(const struct rpt_group *group)
{
    return group->attached != NULL ? group->layer->n_runs(group->attached) : 0;
}

double rpt__place_ask_s(double began_s, double deadline_s)
{
    return began_s + fmin(ASK_FIRST_S, (deadline_s - began_s) / 2);
}

double rpt__place_ask_again_s(double began_s)
{
    double now = rpt__now_s();

    return now + fmax(fmin(now - began_s, ASK_MOST_S), ASK_LEAST_S);
}

void rpt__group_tell_place(struct rpt_group *group, int rank)
{
    struct place place = { .n_runs = rpt__group_n_runs(group),
                           .rank = group->rank };

    if (group->busy) {
        snprintf(place.call, sizeof place.call, "%s", group->call);
    }
    for (int r = 0; r < group->size; r++) {
        if (r != group->rank && (rank < 0 || r == rank)) {
            rpt__letter_send(group, r, RPT_LETTER_PLACE, &place, sizeof place);
        }
    }
}

void rpt__group_advise(void)
{
    rpt__fail_why("all ranks of a group make the same calls in the same order, "
                  "of the same operation, type, count, root and operator");
    rpt__fail_hint("compare what these ranks call; with coll.check=full the "
                   "first call that differs fails, before data moves");
}

/* This rank has made a run where that one is in an operation. */
static void part(struct rpt_group *group, const struct place *theirs)
{
    char here[192];

    group->layer->name_run(group->attached, theirs->n_runs, here, sizeof here);
    rpt__fail(RPT_ERR_MISMATCH,
              "rank %d calls %s; rank %d calls %s (ranks of a group of %d)",
              group->rank, here, (int)theirs->rank, theirs->call, group->size);
    rpt__group_advise();
    rpt__group_spoil(group, RPT_ERR_MISMATCH, theirs->n_runs);
}

void rpt__place_came(struct rpt_group *group, const struct rpt_letter *letter)
{
    uint64_t mine = rpt__group_n_runs(group), seq = letter->head.seq;
    struct place theirs;

    if (letter->bytes != sizeof theirs || group->failed != RPT_OK) {
        return;
    }
    memcpy(&theirs, letter->data, sizeof theirs);
    theirs.call[sizeof theirs.call - 1] = '\0';
    if (rpt__group_world_rank(group, theirs.rank) != letter->source) {
        return;
    }
    if (theirs.call[0] != '\0' && seq > group->seq && theirs.n_runs < mine) {
        part(group, &theirs);
    } else if (theirs.call[0] == '\0' && group->busy && seq < group->seq &&
               theirs.n_runs > mine) {
        rpt__group_tell_place(group, theirs.rank);
    }
}

rpt_status_t rpt__group_fail_op(struct rpt_group *group, rpt_status_t status)
{
    return status == RPT_ERR_MISMATCH
               ? rpt__group_fail_from(group, status, rpt__group_n_runs(group))
               : rpt__group_fail(group, status);
}
