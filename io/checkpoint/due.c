/*
 * due.c - whether a checkpoint is due, the same answer on all ranks
 *
 * Rank 0 knows the clock, the costs and the files; a signal may have come to
 * any rank.  One all-reduce of three words: the reasons, and the iteration in
 * such a way that all see whether ranks gave different ones.
 */
#include "io/checkpoint/due.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/plain.h"
#include "collectives/plan.h"
#include "io/checkpoint/checkpoint_priv.h"

#include <repartir/coll.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>

/* HALT is looked for no more often. */
#define HALT_S 1.0

static bool is_over_cap(const struct rpt_due_rules *rules,
                        const struct rpt_due_state *s)
{
    double elapsed_s = s->now_s - s->opened_s;

    return rules->overhead > 0 && s->cost_s > 0 &&
           s->spent_s + s->cost_s > rules->overhead * (elapsed_s + s->cost_s);
}

int rpt__due(const struct rpt_due_rules *rules, const struct rpt_due_state *s)
{
    double since_s = s->now_s - s->last_s;
    int due = RPT_DUE_NO;

    if (rules->every > 0 &&
        s->iteration / rules->every > s->last_iteration / rules->every) {
        due |= RPT_DUE_ITERATIONS;
    }
    if (rules->interval_s > 0 && since_s >= rules->interval_s) {
        due |= RPT_DUE_SECONDS;
    }
    /* The first one is taken at once: it tells the cost. */
    if (rules->by_daly &&
        (!(s->cost_s > 0) ||
         since_s >= rpt_checkpoint_interval(s->cost_s, rules->mtbf_s))) {
        due |= RPT_DUE_DALY;
    }
    if (is_over_cap(rules, s)) {
        due = RPT_DUE_NO;
    }
    if (rules->before_end_s > 0 && rules->end_s > 0 &&
        s->now_s + rules->before_end_s + fmax(s->cost_s, s->save_s) >=
            rules->end_s) {
        due |= RPT_DUE_END;
    }
    return due;
}

/* ---- what the options and this job say ---- */

/* The end of the allocation on our clock; 0: not known. */
static double end_of_allocation(const struct rpt_checkpoint *c)
{
    double end = (double)rpt__option_integer(c->options,
                                             RPT_OPT_IO_CHECKPOINT_END_AT);
    const char *slurm = rpt__environment("SLURM_JOB_END_TIME");

    if (!(end > 0) && slurm != NULL) {
        end = rpt__plain_number(slurm, NULL);
    }
    /* Before this machine was started it is not 0, which means unknown. */
    return end > 0 ? fmax(end - rpt__wall_s() + rpt__now_s(), 1e-9) : 0;
}

void rpt__due_warn(const struct rpt_checkpoint *c)
{
    if (rpt__option_seconds(c->options, RPT_OPT_IO_CHECKPOINT_BEFORE_END_S) >
            0 &&
        !(end_of_allocation(c) > 0)) {
        rpt__log(RPT_LOG_WARN,
                 "io.checkpoint.before_end_s has no effect: nothing says when "
                 "the allocation ends, as newer versions of Slurm do in "
                 "SLURM_JOB_END_TIME; set io.checkpoint.end_at");
    }
}

static double mtbf_of(const struct rpt_checkpoint *c)
{
    double given_s = rpt__option_seconds(c->options,
                                         RPT_OPT_IO_CHECKPOINT_MTBF_S);

    return given_s > 0 ? given_s
                       : rpt__history_mtbf(c->timing.n_failures,
                                           c->timing.run_s + rpt__now_s() -
                                               c->timing.opened_s);
}

double rpt__due_interval(const struct rpt_checkpoint *c)
{
    return rpt_checkpoint_interval(c->timing.cost_s, mtbf_of(c));
}

static struct rpt_due_rules rules_of(const struct rpt_checkpoint *c)
{
    const rpt_options_t *o = c->options;

    return (struct rpt_due_rules){
        .every = (uint64_t)rpt__option_integer(o, RPT_OPT_IO_CHECKPOINT_EVERY),
        .interval_s = rpt__option_seconds(o, RPT_OPT_IO_CHECKPOINT_INTERVAL_S),
        .by_daly = rpt__option_switch(o, RPT_OPT_IO_CHECKPOINT_DALY),
        .mtbf_s = mtbf_of(c),
        .overhead = (double)rpt__option_integer(
                        o, RPT_OPT_IO_CHECKPOINT_OVERHEAD_PERCENT) /
                    100,
        .end_s = end_of_allocation(c),
        .before_end_s = rpt__option_seconds(o,
                                            RPT_OPT_IO_CHECKPOINT_BEFORE_END_S),
    };
}

static bool is_halted(struct rpt_checkpoint *c, double now_s)
{
    struct stat file;

    if (c->timing.halt_seen_s <= 0 || now_s - c->timing.halt_seen_s >= HALT_S) {
        c->timing.halt_seen_s = now_s;
        /* A folder is a task of that name. */
        c->timing.is_halted = fstatat(c->top.fd, "HALT", &file,
                                      AT_SYMLINK_NOFOLLOW) == 0 &&
                              !S_ISDIR(file.st_mode);
    }
    return c->timing.is_halted;
}

static int reasons(struct rpt_checkpoint *c, uint64_t iteration)
{
    struct rpt_due_rules rules = rules_of(c);
    struct rpt_due_state state;
    double now_s = rpt__now_s();

    rpt__engine_lock(c->engine);
    state = (struct rpt_due_state){ now_s,
                                    c->timing.opened_s,
                                    c->timing.last_s,
                                    iteration,
                                    c->timing.last_iteration,
                                    c->timing.cost_s,
                                    c->timing.spent_s,
                                    c->stats.total_s };
    rpt__engine_unlock(c->engine);
    return rpt__due(&rules, &state) | (is_halted(c, now_s) ? RPT_DUE_HALT : 0);
}

rpt_status_t rpt__checkpoint_due(struct rpt_checkpoint *c, uint64_t iteration,
                                 int *due_out)
{
    const char *signals = rpt__option_text(c->options,
                                           RPT_OPT_IO_CHECKPOINT_SIGNALS);
    uint64_t words[3] = { iteration, ~iteration, 0 };
    rpt_coll_t coll = { .kind = RPT_COLL_ALLREDUCE,
                        .in = RPT_IN_PLACE,
                        .out = words,
                        .count = 3,
                        .type = RPT_TYPE_U64,
                        .op = RPT_OP_BIT_OR };
    rpt_status_t status;

    if (c->rank == 0) {
        words[2] = (uint64_t)reasons(c, iteration);
    }
    if (rpt__signals_came(signals)) {
        words[2] |= RPT_DUE_SIGNAL;
    }
    status = rpt__coll_run(c->group, &coll);
    if (status != RPT_OK) {
        return status;
    }
    if (words[0] != iteration || words[1] != ~iteration) {
        rpt__fail(RPT_ERR_MISMATCH, "ranks ask about different iterations");
        rpt__fail_why("this one about %llu", (unsigned long long)iteration);
        rpt__fail_hint("give the same iteration on all ranks");
        return RPT_ERR_MISMATCH;
    }
    *due_out = (int)words[2];
    if ((*due_out & RPT_DUE_STOP) != 0) {
        rpt__level_stop(c);
    }
    return RPT_OK;
}
