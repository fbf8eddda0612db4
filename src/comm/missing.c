/*
 * missing.c - a barrier takes long: who is it that we wait for?
 *
 * Nothing of this happens in the first tenth of a second.  Then, every tenth:
 * a rank greets the children that wait for it (HERE) and reports upward which
 * ranks below it are missing (REPORT, when that has changed), so that the root
 * knows all.  When the root has not greeted, its children report to each other
 * too, and the first of those that wait takes its place.
 *
 *   warning    by the root, or the first child when the root is missing; once
 *   deadline   whoever reaches it asks its parent to end the barrier (DECIDE);
 *              that goes up to the root, or to the first child, who tells all
 *              ranks of the group whom it is missing (FAIL).  Who hears nothing
 *              for a while decides by itself, on what it knows.
 *
 * Cost: about two small messages for each inner rank of a long wait; p - 1 for
 * a deadline that has passed.  What lies behind a missing inner rank is not
 * known, and not named.
 */
#include "comm/barrier_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <math.h>
#include <string.h>

#define STEP_S 0.1
#define GRACE_S 1.0

static double option(const struct rpt_barrier *b, enum rpt_option option)
{
    return rpt__option_seconds(b->group->comm->options, option);
}

void rpt__barrier_set_moments(struct rpt_barrier *b)
{
    double warn = option(b, RPT_OPT_COMM_WARN_S);
    double deadline = option(b, RPT_OPT_COMM_DEADLINE_S);

    b->began_s = rpt__now_s();
    b->warn_s = warn > 0 ? b->began_s + warn : INFINITY;
    b->deadline_s = deadline > 0 ? b->began_s + deadline : INFINITY;
    b->give_up_s = INFINITY;
    b->ask_s = rpt__place_ask_s(b->began_s, b->deadline_s);
    b->step_s = fmin(STEP_S, (fmin(b->warn_s, b->deadline_s) - b->began_s) / 4);
    b->notice_s = warn > 0 || deadline > 0 ? b->began_s + b->step_s : INFINITY;
}

double rpt__barrier_next_s(const struct rpt_barrier *b)
{
    return fmin(fmin(fmin(b->notice_s, b->ask_s), b->warn_s),
                fmin(b->deadline_s, b->give_up_s));
}

void rpt__barrier_hear(struct rpt_barrier *b)
{
    const struct rpt_group *group = b->group;

    for (const struct rpt_letter *l = group->letters; l != NULL; l = l->next) {
        if (l->head.seq != group->seq) {
            continue;
        }
        if (l->head.kind == RPT_LETTER_HERE && !b->parent_is_here) {
            b->parent_is_here = true;
            b->report_sent = false; /* it may have missed the first one */
        }
        b->warned |= l->head.kind == RPT_LETTER_WARNED;
        b->asked |= l->head.kind == RPT_LETTER_DECIDE;
        b->mismatch |= l->head.kind == RPT_LETTER_DATA;
    }
}

/* ---- who is missing ---- */

static void add(struct rpt_missing *missing, int rank)
{
    if (missing->n < RPT_NAMED_MAX) {
        missing->named[missing->n] = rank;
    }
    missing->n++;
}

static void add_all(struct rpt_missing *missing, const struct rpt_missing *more)
{
    int named = more->n < RPT_NAMED_MAX ? more->n : RPT_NAMED_MAX;

    for (int i = 0; i < named; i++) {
        add(missing, more->named[i]);
    }
    missing->n += more->n - named;
}

/* The newest report of a rank; false when it sent none. */
static bool report_of(const struct rpt_barrier *b, int rank,
                      struct rpt_missing *report)
{
    const struct rpt_group *group = b->group;
    int source = rpt__group_world_rank(group, rank);
    bool found = false;

    for (const struct rpt_letter *l = group->letters; l != NULL; l = l->next) {
        if (l->head.seq == group->seq && l->head.kind == RPT_LETTER_REPORT &&
            l->source == source && l->bytes == sizeof *report) {
            memcpy(report, l->data, sizeof *report);
            found = true;
        }
    }
    return found;
}

static void add_part(const struct rpt_barrier *b, int rank,
                     struct rpt_missing *missing)
{
    struct rpt_missing report;

    if (report_of(b, rank, &report)) {
        add_all(missing, &report);
    } else {
        add(missing, rank);
    }
}

static void missing_below(const struct rpt_barrier *b,
                          struct rpt_missing *missing)
{
    for (int i = 0; i < b->n_children; i++) {
        if ((b->arrived >> i & 1) == 0) {
            add_part(b, b->first_child + i, missing);
        }
    }
}

/* Children of the root: 1 ... */
static int last_sibling(const struct rpt_barrier *b)
{
    return b->group->size - 1 < RPT_BARRIER_ARITY ? b->group->size - 1
                                                  : RPT_BARRIER_ARITY;
}

static void missing_all(const struct rpt_barrier *b,
                        struct rpt_missing *missing)
{
    if (b->parent >= 0 && !b->parent_is_here) {
        add(missing, b->parent);
        for (int r = 1; b->parent == 0 && r <= last_sibling(b); r++) {
            if (r != b->group->rank) {
                add_part(b, r, missing);
            }
        }
    }
    missing_below(b, missing);
}

/* "rank 3 on node17, rank 4 on node17 and 12 more" */
static void print_names(const struct rpt_barrier *b,
                        const struct rpt_missing *missing, struct rpt_buf *text)
{
    const struct rpt_map *map = b->group->comm->map;

    for (int i = 0; i < missing->n && i < RPT_NAMED_MAX; i++) {
        int rank = rpt__group_world_rank(b->group, missing->named[i]);

        rpt__buf_printf(text, "%srank %d on %s", i > 0 ? ", " : "", rank,
                        rpt__map_host_of(map, rank));
    }
    if (missing->n > RPT_NAMED_MAX) {
        rpt__buf_printf(text, " and %d more", missing->n - RPT_NAMED_MAX);
    }
    if (missing->n == 0) {
        rpt__buf_printf(text, "ranks that are not known");
    }
    rpt__buf_u8(text, 0);
}

static const char *names_of(const struct rpt_barrier *b, struct rpt_buf *text)
{
    struct rpt_missing missing = { 0 };

    missing_all(b, &missing);
    print_names(b, &missing, text);
    return text->failed ? "other ranks" : text->data;
}

/* ---- what is done about it ---- */

static void greet(struct rpt_barrier *b)
{
    for (int i = 0; i < b->n_children; i++) {
        uint32_t bit = UINT32_C(1) << i;
        struct rpt_missing report;

        if ((b->greeted & bit) == 0 &&
            ((b->arrived & bit) != 0 ||
             report_of(b, b->first_child + i, &report))) {
            b->greeted |= bit;
            rpt__barrier_send(b, b->first_child + i, RPT_LETTER_HERE, NULL, 0);
        }
    }
}

static void tell_siblings(struct rpt_barrier *b, enum rpt_letter_kind kind,
                          const void *data, size_t bytes)
{
    for (int r = 1; r <= last_sibling(b); r++) {
        if (r != b->group->rank) {
            rpt__barrier_send(b, r, kind, data, bytes);
        }
    }
}

static void report(struct rpt_barrier *b)
{
    struct rpt_missing missing = { 0 };

    missing_below(b, &missing);
    if (b->report_sent && memcmp(&missing, &b->reported, sizeof missing) == 0) {
        return;
    }
    b->report_sent = true;
    b->reported = missing;
    rpt__barrier_send(b, b->parent, RPT_LETTER_REPORT, &missing,
                      sizeof missing);
    if (b->parent == 0 && !b->parent_is_here) {
        tell_siblings(b, RPT_LETTER_REPORT, &missing, sizeof missing);
    }
}

/* The root, or in its absence the first of its children that waits. */
static bool is_head(const struct rpt_barrier *b)
{
    struct rpt_missing report;

    if (b->parent > 0 || b->parent_is_here) {
        return false;
    }
    for (int r = 1; b->parent == 0 && r < b->group->rank; r++) {
        if (report_of(b, r, &report)) {
            return false;
        }
    }
    return true;
}

static void warn(struct rpt_barrier *b)
{
    struct rpt_buf names = RPT_BUF_EMPTY;

    if (b->warned || !is_head(b)) {
        return;
    }
    b->warned = true;
    rpt__log(RPT_LOG_WARN, "a barrier of %d ranks has waited %g s for %s",
             b->group->size, option(b, RPT_OPT_COMM_WARN_S),
             names_of(b, &names));
    rpt__buf_free(&names);
    if (b->parent == 0) {
        rpt__barrier_send(b, 0, RPT_LETTER_WARNED, NULL, 0);
        tell_siblings(b, RPT_LETTER_WARNED, NULL, 0);
    }
}

static rpt_status_t decide(struct rpt_barrier *b)
{
    struct rpt_buf names = RPT_BUF_EMPTY;

    rpt__fail(RPT_ERR_TIMEOUT, "a barrier of %d ranks waited %g s for %s",
              b->group->size, option(b, RPT_OPT_COMM_DEADLINE_S),
              names_of(b, &names));
    rpt__buf_free(&names);
    return rpt__group_fail(b->group, RPT_ERR_TIMEOUT);
}

static int depth(const struct rpt_barrier *b)
{
    int n = 0;

    for (int r = b->group->rank; r > 0; r = (r - 1) / RPT_BARRIER_ARITY) {
        n++;
    }
    return n;
}

/* Those that are waited for may be in a call of the other kind. */
static void tell_place(struct rpt_barrier *b)
{
    for (int i = 0; i < b->n_children; i++) {
        if ((b->arrived >> i & 1) == 0) {
            rpt__group_tell_place(b->group, b->first_child + i);
        }
    }
    if (b->parent >= 0) {
        rpt__group_tell_place(b->group, b->parent);
    }
}

rpt_status_t rpt__barrier_late(struct rpt_barrier *b)
{
    double now = rpt__now_s();

    if (now >= b->notice_s) {
        b->notice_s = now + b->step_s;
        greet(b);
        if (b->parent >= 0) {
            report(b);
        }
    }
    if (now >= b->ask_s) {
        tell_place(b);
        b->ask_s = rpt__place_ask_again_s(b->began_s);
    }
    if (now >= b->warn_s) {
        b->warn_s = INFINITY;
        warn(b);
    }
    if (now >= b->deadline_s) {
        b->deadline_s = INFINITY;
        b->asked = true;
    }
    if (b->asked && !b->ask_sent) {
        b->ask_sent = true;
        if (is_head(b)) {
            return decide(b);
        }
        rpt__barrier_send(b, b->parent, RPT_LETTER_DECIDE, NULL, 0);
        b->give_up_s = now + GRACE_S * depth(b);
    }
    return now >= b->give_up_s ? decide(b) : RPT_OK;
}
