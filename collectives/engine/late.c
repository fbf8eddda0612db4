/*
 * late.c - a run takes long, or ranks disagree: who is it?
 *
 * After two seconds a rank tells the one that it waits for which call it is in:
 * who has passed there with another one knows it then; so does, by the place of
 * the call, who is in one of the group itself (comm/place.c).  It tells again
 * when it has waited twice as long, since that rank may come later.
 *
 * Half-way to the first warning or deadline every rank that is in the run tells
 * all others so (in a group of up to 512); who has not told by then is missing.
 * Some may be further, their part being done, others still wait in the call
 * before: the missing are those of whom nothing is heard.
 * In a larger group only the rank that is waited for is named.
 */
#include "collectives/engine/run.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>

enum { TELL_ALL_MAX = 512, NAMED_MAX = 16 };

/* ---- ranks that make different calls ---- */

static int name_call(char *text, size_t size, struct rpt_signature signature)
{
    unsigned kind = (unsigned)(signature.what & 0x7f);
    bool on_device = (signature.what & RPT_SIGNATURE_DEVICE) != 0;
    unsigned op = (unsigned)(signature.what >> 8 & 0xff);
    unsigned type = (unsigned)(signature.what >> 16 & 0xffff);
    int root = (int)(signature.what >> 32);

    return snprintf(text, size,
                    "%s of %s%s, operator %s, root %d, count (or a hash of "
                    "counts) %llu",
                    rpt_coll_name((rpt_coll_kind_t)kind),
                    type < RPT_N_TYPES ? rpt_type_name((rpt_type_t)type)
                                       : "opaque",
                    on_device ? " in buffers of devices" : "",
                    op < RPT_N_OPS ? rpt_op_name((rpt_op_t)op)
                    : op == 0xff   ? "none"
                                   : "user",
                    root, (unsigned long long)signature.size);
}

void rpt__team_name_run(const void *team, uint64_t seq, char *text,
                        size_t bytes)
{
    struct rpt_signature signature;

    if (rpt__team_past(team, seq, &signature)) {
        name_call(text, bytes, signature);
    } else {
        snprintf(text, bytes, "a collective operation");
    }
}

/* The first call in which they parted, as far as that can still be seen. */
static bool find_parting(const struct rpt_team *team, int rank,
                         struct rpt_signature *mine,
                         struct rpt_signature *theirs)
{
    uint64_t n = atomic_load(&team->n_runs);
    bool is_near = team->slice.head != NULL && team->places[rank] >= 0;

    for (uint64_t back = 1; is_near && back <= n && back <= RPT_N_PAST;
         back++) {
        if (!rpt__team_past(team, n - back, mine)) {
            continue;
        }
        for (int turn = 0; turn < RPT_N_TURNS; turn++) {
            *theirs = rpt__block_signature(rpt__team_block(team, turn, rank));
            if (theirs->history == mine->history &&
                !rpt__signature_is_call(*mine, *theirs)) {
                return true;
            }
        }
    }
    return false;
}

/* As the last error. */
static void say_mismatch(const struct rpt_team *team, int rank,
                         struct rpt_signature mine, struct rpt_signature theirs,
                         bool is_over)
{
    bool parted_before = theirs.history == 0 ||
                         rpt__signature_is_call(mine, theirs);
    bool is_found = !parted_before || find_parting(team, rank, &mine, &theirs);
    char here[192], there[192];

    name_call(here, sizeof here, mine);
    name_call(there, sizeof there, theirs);
    if (is_found) {
        rpt__fail(RPT_ERR_MISMATCH,
                  "rank %d calls %s; rank %d calls %s (ranks of a group of "
                  "%d%s)",
                  team->rank, here, rank, there, team->size,
                  parted_before || is_over ? "; found in a later call" : "");
    } else {
        rpt__fail(RPT_ERR_MISMATCH,
                  "rank %d and rank %d have made different calls before this "
                  "%s (ranks of a group of %d)",
                  team->rank, rank, here, team->size);
    }
    rpt__group_advise();
}

void rpt__team_mismatch(struct rpt_team *team, uint64_t seq, int rank,
                        struct rpt_signature mine, struct rpt_signature theirs)
{
    say_mismatch(team, rank, mine, theirs, false);
    rpt__group_spoil(team->group, RPT_ERR_MISMATCH, seq);
}

/* Of a failure that is no mismatch, all runs fail. */
static rpt_status_t fail_from(struct rpt_run *run, rpt_status_t status,
                              uint64_t seq)
{
    struct rpt_team *team = run->team;
    bool takes_lock = run->is_here && team->here == NULL;

    if (takes_lock) {
        rpt__engine_lock(team->engine);
    }
    status = status == RPT_ERR_MISMATCH
                 ? rpt__group_fail_from(team->group, status, seq)
                 : rpt__group_fail(team->group, status);
    if (takes_lock) {
        rpt__engine_unlock(team->engine);
    }
    return status;
}

rpt_status_t rpt__run_fail(struct rpt_run *run, rpt_status_t status)
{
    return fail_from(run, status, run->seq);
}

rpt_status_t rpt__run_say(const struct rpt_run *run, rpt_status_t status)
{
    if (rpt__group_is_failed(run->team->group)) {
        return rpt__group_failure(run->team->group);
    }
    return status == RPT_ERR_UNSUPPORTED ? rpt__run_refuse(run) : status;
}

/* Others may have ended devices' parts of it already. */
bool rpt__run_is_failed(const struct rpt_run *run)
{
    const struct rpt_group *group = run->team->group;

    return run->ops != NULL ? rpt__group_is_failed(group)
                            : rpt__group_run_failed(group, run->seq);
}

rpt_status_t rpt__run_mismatch(struct rpt_run *run, int rank,
                               struct rpt_signature other)
{
    say_mismatch(run->team, rank, run->signature, other, false);
    return rpt__run_fail(run, RPT_ERR_MISMATCH);
}

rpt_status_t rpt__run_mismatch_before(struct rpt_run *run, int rank,
                                      struct rpt_signature theirs)
{
    say_mismatch(run->team, rank, run->before.signature, theirs, true);
    return fail_from(run, RPT_ERR_MISMATCH, run->before.seq);
}

/* The call that a near rank is in instead of this run; false: it may still
 * come, or it is in this run. */
static bool is_elsewhere(const struct rpt_run *run, int rank,
                         struct rpt_signature *other)
{
    const struct rpt_team *team = run->team;
    uint64_t before = run->flag - (run->meets && run->has_met);

    for (int turn = 0; turn < RPT_N_TURNS; turn++) {
        if (turn == run->turn ||
            rpt__team_flag_in(team, turn, rank) <= before) {
            continue;
        }
        *other = rpt__block_signature(rpt__team_block(team, turn, rank));
        /* Flags are raised in order: a rank that has been in this run has
         * raised the flag here before any other. */
        return rpt__team_flag_in(team, run->turn, rank) <= before;
    }
    return false;
}

/* The same of one that waits for the rank to begin the run before. */
static bool is_beside(const struct rpt_run *run, int rank,
                      struct rpt_signature *other)
{
    const struct rpt_team *team = run->team;
    const struct rpt_trace *before = &run->before;

    for (int turn = 0; turn < RPT_N_TURNS; turn++) {
        if (turn != before->turn &&
            rpt__team_flag_in(team, turn, rank) > before->flag) {
            *other = rpt__block_signature(rpt__team_block(team, turn, rank));
            return !rpt__run_follows_on(run, rank);
        }
    }
    return false;
}

static rpt_status_t look_for_strays_of(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    struct rpt_signature other;

    if (run->awaited >= 0 && is_beside(run, run->awaited, &other)) {
        return rpt__run_mismatch_before(run, run->awaited, other);
    }
    for (int r = 0; r < team->size; r++) {
        if (rpt__run_early_signature(run, r, &other) &&
            !rpt__signature_is_same(other, run->signature)) {
            return rpt__run_mismatch(run, r, other);
        }
    }
    for (int i = 0; run->n_values > 0 && i < team->n_near; i++) {
        int r = team->near[i];

        if (r != team->rank && is_elsewhere(run, r, &other)) {
            return rpt__run_mismatch(run, r, other);
        }
    }
    return RPT_OK;
}

rpt_status_t rpt__run_look_for_strays(struct rpt_run *run)
{
    const struct rpt_team *team = run->team;
    struct rpt_run *before = STAILQ_FIRST(&team->queue);
    rpt_status_t status = RPT_OK;

    if (rpt__group_is_failed(team->group)) {
        return RPT_OK; /* that is found and told */
    }
    /* Who has parted in a run before has parted there. */
    while (status == RPT_OK && before != NULL && before->seq < run->seq) {
        status = look_for_strays_of(before);
        before = STAILQ_NEXT(before, link);
    }
    return status == RPT_OK ? look_for_strays_of(run) : status;
}

/* ---- long waits ---- */

struct rpt_late rpt__late_from_now(const struct rpt_team *team)
{
    const rpt_options_t *options = rpt__comm_options(team->comm);
    double warn = rpt__option_seconds(options, RPT_OPT_COMM_WARN_S);
    double deadline = rpt__option_seconds(options, RPT_OPT_COLL_DEADLINE_S);
    double now = rpt__now_s();
    struct rpt_late late = { now, rpt__place_ask_s(now, INFINITY), INFINITY,
                             INFINITY, INFINITY };

    if (deadline <= 0) {
        deadline = rpt__option_seconds(options, RPT_OPT_COMM_DEADLINE_S);
    }
    if (warn > 0) {
        late.warn_s = now + warn;
    }
    if (deadline > 0) {
        late.deadline_s = now + deadline;
    }
    if (warn > 0 || deadline > 0) {
        late.notice_s = now + (fmin(late.warn_s, late.deadline_s) - now) / 2;
        late.tell_s = fmin(late.tell_s, late.notice_s);
    }
    return late;
}

double rpt__late_next_s(const struct rpt_late *late)
{
    return fmin(fmin(late->tell_s, late->notice_s),
                fmin(late->warn_s, late->deadline_s));
}

void rpt__late_put_off(struct rpt_late *late, double by_s)
{
    late->tell_s += by_s;
    late->notice_s += by_s;
    late->warn_s += by_s;
    late->deadline_s += by_s;
}

static enum rpt_heard heard_of(const struct rpt_run *run, int rank,
                               double since_s)
{
    const struct rpt_team *team = run->team;

    if (run->awaited >= 0) { /* nobody else is missed */
        return team->places[rank] < 0 || rpt__run_follows_on(run, rank)
                   ? RPT_HEARD_HERE
                   : RPT_HEARD_NOTHING;
    }
    if (rank == team->rank || (run->n_values > 0 && team->places[rank] >= 0 &&
                               rpt__team_flag_of(team, rank) > run->flag)) {
        return RPT_HEARD_HERE;
    }
    return rpt__run_heard(run, rank, since_s);
}

static void add_name(struct rpt_buf *names, const struct rpt_run *run, int rank)
{
    const struct rpt_team *team = run->team;
    int world = rpt__group_world_rank(team->group, rank);

    rpt__buf_printf(names, "%srank %d on %s", names->bytes > 0 ? ", " : "",
                    rank, rpt__map_host_of(rpt__comm_map(team->comm), world));
    if (world != rank) {
        rpt__buf_printf(names, " (rank %d of all)", world);
    }
}

/* Those of whom that much is heard; their number. */
static int name_all(struct rpt_buf *names, const struct rpt_run *run,
                    enum rpt_heard heard, double since_s)
{
    int n = 0;

    for (int r = 0; r < run->team->size && run->team->size <= TELL_ALL_MAX;
         r++) {
        if (heard_of(run, r, since_s) == heard) {
            if (n < NAMED_MAX) {
                add_name(names, run, r);
            }
            n++;
        }
    }
    if (n > NAMED_MAX) {
        rpt__buf_printf(names, " and %d more", n - NAMED_MAX);
    }
    return n;
}

/* The rank that it waits for; -1: it is no one, or not known. */
static int waits_for(const struct rpt_run *run)
{
    const struct rpt_step *step = run->waiting;

    if (step == NULL) {
        return run->awaited;
    }
    if (step->kind == RPT_STEP_FLUSH) {
        return run->first_send < run->n_sends
                   ? run->sends[run->first_send].dest
                   : -1;
    }
    return step->kind == RPT_STEP_RECV || step->kind == RPT_STEP_WAIT
               ? step->peer
               : -1;
}

/* Those who are missing; or those who are in the call before; or, when all are
 * here, the one that is waited for. */
static void name_missing(struct rpt_buf *names, const struct rpt_run *run,
                         double since_s)
{
    int n = name_all(names, run, RPT_HEARD_NOTHING, since_s);

    if (n == 0) {
        n = name_all(names, run, RPT_HEARD_BEFORE, since_s);
    }
    if (n == 0 && run->asked_s > 0) {
        rpt__buf_printf(names, "its devices; all ranks are in this call");
    } else if (n == 0 && waits_for(run) >= 0) {
        add_name(names, run, waits_for(run));
        if (run->team->size <= TELL_ALL_MAX) {
            rpt__buf_printf(names, ", which is in this call too");
        }
    } else if (n == 0) {
        rpt__buf_printf(names, "ranks that are in this call too");
    }
    rpt__buf_u8(names, 0);
}

/* The rank that is waited for may have passed here with another call.  Who
 * waits for its block may not know for whom. */
static void tell_peer(struct rpt_run *run)
{
    int rank = waits_for(run);

    if (rank >= 0 || !run->begun) {
        rpt__run_tell_here(run, rank);
        rpt__group_tell_place(run->team->group, rank);
    }
}

rpt_status_t rpt__late(struct rpt_late *late, struct rpt_run *run)
{
    double now = rpt__now_s();
    struct rpt_team *team = run->team;
    struct rpt_buf names = RPT_BUF_EMPTY;
    rpt_status_t status = RPT_OK;

    if (now >= late->tell_s) {
        late->tell_s = rpt__place_ask_again_s(late->began_s);
        tell_peer(run);
    }
    if (now >= late->notice_s) {
        late->notice_s = INFINITY;
        if (team->size <= TELL_ALL_MAX) {
            rpt__run_tell_here(run, -1);
        }
    }
    if (now < late->warn_s && now < late->deadline_s) {
        return RPT_OK;
    }
    name_missing(&names, run, late->began_s);
    if (now >= late->deadline_s) {
        rpt__fail(RPT_ERR_TIMEOUT, "%s of %d ranks waited too long for %s",
                  run->name, team->size,
                  names.failed ? "some rank" : names.data);
        rpt__fail_hint("look at what those ranks do; if they only need longer, "
                       "raise coll.deadline_s");
        status = rpt__group_fail(team->group, RPT_ERR_TIMEOUT);
    } else {
        late->warn_s = INFINITY;
        rpt__log(RPT_LOG_WARN, "%s of %d ranks waits for %s", run->name,
                 team->size, names.failed ? "some rank" : names.data);
    }
    rpt__buf_free(&names);
    return status;
}
