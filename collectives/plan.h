/*
 * plan.h - a call with its algorithm, its schedule and its memory
 *
 * The door of this folder: src/api/coll.c fills a call and has it run.
 */
#ifndef RPT_COLLECTIVES_PLAN_H
#define RPT_COLLECTIVES_PLAN_H

#include "collectives/algorithm/algorithm.h"
#include "collectives/engine/run.h"
#include "collectives/select/select.h"

struct rpt_device_call; /* device/call.h */

struct rpt_plan {
    struct rpt_run run;    /* first */
    struct rpt_plan *next; /* in the team's cache */
    struct rpt_team *team;
    rpt_coll_t coll; /* arrays are the plan's own; buffers those of the last
                        start */
    bool in_place;
    size_t input_bytes; /* of this rank's buffers */
    size_t output_bytes;
    bool is_cached;
    bool is_used;    /* somebody has it */
    bool is_dropped; /* its user does not want it any more */
    struct rpt_case c;
    struct rpt_model model; /* of c */
    const struct rpt_algorithm *algorithm;
    struct rpt_schedule schedule;
    /* Where all buffers can be read; NULL: the call is too small for that. */
    const struct rpt_algorithm *pulling_algorithm;
    struct rpt_schedule pulling;
    struct rpt_schedule fetching; /* the same by the kernel; or empty */
    struct rpt_combine combine;
    size_t *arrays;
    void *scratch;
    char *bounce; /* a copy of an input that is in place, or NULL */
    size_t bounce_bytes;
    struct rpt_device_call *call; /* NULL: buffers are the host's */
};

/* Makes one.  Under the lock.  coll has been checked (rpt__coll_check()). */
rpt_status_t rpt__plan_create(struct rpt_team *team, const rpt_coll_t *coll,
                              struct rpt_plan **plan_out);
/* The same with this algorithm; RPT_ERR_UNSUPPORTED: it cannot do that.  NULL:
 * one is chosen. */
rpt_status_t rpt__plan_create_with(struct rpt_team *team,
                                   const rpt_coll_t *coll,
                                   const struct rpt_algorithm *algorithm,
                                   struct rpt_plan **plan_out);
/* One from the cache, or a new one; it is in use until rpt__plan_drop(). */
rpt_status_t rpt__plan_find(struct rpt_team *team, const rpt_coll_t *coll,
                            struct rpt_plan **plan_out);
/* Starts it and waits for it.  Under the lock. */
rpt_status_t rpt__plan_run(struct rpt_plan *plan, const void *in, void *out);
/* Its algorithm and its schedule, from its case. */
rpt_status_t rpt__plan_choose(struct rpt_plan *plan);
/* In front of its schedule, if all ranks are to compare their calls there, at
 * least when a rank may be ahead. */
void rpt__plan_put_checks(struct rpt_plan *plan);
/* Back into the cache, or away; not before it is over.  Under the lock. */
void rpt__plan_drop(struct rpt_plan *plan);
/* Whether a plan is for calls like this one. */
bool rpt__plan_fits(const struct rpt_plan *plan, const rpt_coll_t *coll);
void rpt__plan_free(struct rpt_plan *plan);
/* All of a team. */
void rpt__plans_release(struct rpt_team *team);

/* These three without the lock.  The plan is idle: */
rpt_status_t rpt__plan_start(struct rpt_plan *plan);

/* Whether a started one is over: RPT_PENDING, or how it went. */
rpt_status_t rpt__plan_test(struct rpt_plan *plan);
/* The same, but the caller does not wait for it yet: no time counts. */
rpt_status_t rpt__plan_look(struct rpt_plan *plan);
rpt_status_t rpt__plan_wait(struct rpt_plan *plan);
/* What its algorithm was chosen by. */
struct rpt_question rpt__plan_question(const struct rpt_plan *plan);
/* Release the text with free(). */
rpt_status_t rpt__plan_explain(const struct rpt_plan *plan, char **text_out);
/* Blocks of one size; no group is needed. */
rpt_status_t rpt__coll_explain(const rpt_coll_t *coll, int n_ranks, int n_nodes,
                               const rpt_options_t *options, char **text_out);

/* The whole call, blocking, checked first.  Without the lock. */
rpt_status_t rpt__coll_run(struct rpt_group *group, const rpt_coll_t *coll);

/* Elements of the buffers as this rank has them; the call is good. */
void rpt__coll_extent(const struct rpt_group *group, const rpt_coll_t *coll,
                      size_t *in_out, size_t *out_out);
/* Whether input and output, of so many elements each, share bytes; n ranks. */
rpt_status_t rpt__coll_overlap(const rpt_coll_t *coll, int n, size_t n_in,
                               size_t n_out, bool *overlap_out);

/* What this rank can see that is wrong with a call. */
rpt_status_t rpt__coll_check(const struct rpt_group *group,
                             const rpt_coll_t *coll);

#endif /* RPT_COLLECTIVES_PLAN_H */
