/*
 * follow.c - who ends a run knows that all ranks have begun the one before
 *
 * And that it was the same call.  Most runs tell that by what they wait for.
 * Of the others, those with flags look at what the ranks of the node have left
 * in the blocks of the run before; those by messages, and those with flags
 * behind one by messages, begin with a comparison (rpt__run_will_check()).
 *
 *   first   before its own flag: who only gives, and gives no more till then
 *   last    behind its last step: who waits for some ranks, not for all
 *
 * There are two long blocks, and others may write that of the run before as
 * soon as this rank has raised its flag in this run: then it looks first in any
 * case.  In short ones it may look last, since nobody gets three runs ahead of
 * a rank while all end theirs in this way.
 *
 * Cost: a look at a line of each rank of the node, which they write anyway.
 */
#include "collectives/engine/run.h"

#include "base/futex.h"

/* Lines that are asked for before they are needed. */
enum { FETCHED_MAX = 8 };

_Static_assert(RPT_N_SHORT > 4, "a block is kept for so many runs, and more");

static bool is_first(const struct rpt_run *run)
{
    return run->follows == RPT_FOLLOWS_FIRST || run->before.turn >= RPT_N_SHORT;
}

bool rpt__run_follows_on(const struct rpt_run *run, int rank)
{
    return !rpt__run_follows(run) || rank == run->team->rank ||
           rpt__team_flag_in(run->team, run->before.turn, rank) >
               run->before.flag;
}

static bool have_begun(struct rpt_run *run)
{
    struct rpt_team *team = run->team;
    const struct rpt_trace *before = &run->before;

    for (int i = 0; team->seen_all <= before->flag && i < team->n_near; i++) {
        if (!rpt__run_follows_on(run, team->near[i])) {
            run->awaited = team->near[i];
            return false;
        }
    }
    if (team->seen_all <= before->flag) {
        team->seen_all = before->flag + 1;
    }
    run->awaited = -1;
    return true;
}

/* Once: when this rank raises its flags again others may use their blocks. */
static rpt_status_t compare(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    const struct rpt_trace *before = &run->before;

    for (int i = 0; i < team->n_near; i++) {
        int rank = team->near[i];
        struct rpt_signature theirs = rpt__block_signature(
            rpt__team_block(team, before->turn, rank));

        if (!rpt__signature_is_same(theirs, before->signature)) {
            return rpt__run_mismatch_before(run, rank, theirs);
        }
    }
    return RPT_OK;
}

/* They may take as long as the steps of a short run. */
static void fetch_lines(const struct rpt_run *run)
{
    const struct rpt_team *team = run->team;

    for (int i = 0; i < team->n_near && i < FETCHED_MAX; i++) {
        rpt__fetch_to_read(
            rpt__team_block(team, run->before.turn, team->near[i]));
    }
}

bool rpt__follow_is_near(struct rpt_run *run)
{
    return (!run->begun && !is_first(run)) || have_begun(run);
}

rpt_status_t rpt__follow_begin(struct rpt_run *run)
{
    if (is_first(run)) {
        return compare(run);
    }
    fetch_lines(run);
    return RPT_OK;
}

rpt_status_t rpt__follow_end(struct rpt_run *run, int n_more_looks)
{
    if (is_first(run)) {
        return RPT_OK;
    }
    while (!have_begun(run)) {
        if (n_more_looks-- <= 0) {
            return RPT_PENDING;
        }
        rpt__cpu_relax();
    }
    return compare(run);
}
