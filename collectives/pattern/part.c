/*
 * part.c - builds a part as if its ranks were alone, then renames
 */
#include "collectives/pattern/part.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

bool rpt__is_on_two_levels(const struct rpt_case *c)
{
    return c->layout != NULL && c->layout->n_nodes > 1 && c->layout->most > 1;
}

bool rpt__may_add_nodes(const struct rpt_case *c)
{
    return c->commutative || c->layout->in_order;
}

/* ---- as the ranks of a part see it ---- */

static struct rpt_case case_of(const struct rpt_case *c, int n_ranks,
                               size_t count)
{
    return (struct rpt_case){
        .n_ranks = n_ranks,
        .count = count,
        .segment = c->segment,
        .commutative = c->commutative,
        .model = c->model,
        .element_bytes = c->element_bytes,
    };
}

static struct rpt_case case_of_node(const struct rpt_case *c, int n_ranks,
                                    size_t count)
{
    struct rpt_case mine = case_of(c, n_ranks, count);

    mine.stage_count = c->node_stage_count / 2;
    mine.one_node = c->node_has_stages;
    return mine;
}

struct rpt_part rpt__part_of_node(const struct rpt_case *c,
                                  rpt_coll_kind_t kind)
{
    const struct rpt_layout *layout = c->layout;
    int node = layout->node_of[c->rank];
    struct rpt_part part = {
        .kind = kind,
        .c = case_of_node(c, rpt__layout_size(layout, node), c->count),
        .ranks = rpt__layout_node(layout, node),
    };

    part.c.rank = layout->place_of[c->rank];
    return part;
}

struct rpt_part rpt__part_of_leaders(const struct rpt_case *c,
                                     rpt_coll_kind_t kind, const int leaders[])
{
    struct rpt_part part = {
        .kind = kind,
        .c = case_of(c, c->layout->n_nodes, c->count),
        .ranks = leaders,
    };

    part.c.rank = c->layout->node_of[c->rank];
    return part;
}

int *rpt__leaders(const struct rpt_case *c, int place,
                  struct rpt_schedule *schedule)
{
    size_t n = (size_t)c->layout->n_nodes;
    int *leaders = calloc(n, sizeof *leaders);

    if (leaders == NULL) {
        schedule->status = rpt__fail_nomem(n * sizeof *leaders);
        return NULL;
    }
    for (int node = 0; node < c->layout->n_nodes; node++) {
        leaders[node] = rpt__layout_node(c->layout, node)[place];
    }
    return leaders;
}

int *rpt__leaders_with_root(const struct rpt_case *c,
                            struct rpt_schedule *schedule)
{
    int *leaders = rpt__leaders(c, 0, schedule);

    if (leaders != NULL) {
        leaders[c->layout->node_of[c->root]] = c->root;
    }
    return leaders;
}

/* ---- which algorithm ---- */

static const struct rpt_algorithm *cheapest(rpt_coll_kind_t kind,
                                            const struct rpt_case *c,
                                            const struct rpt_model *m,
                                            size_t bytes, double *cost_out)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);
    const struct rpt_algorithm *best = NULL;

    *cost_out = INFINITY;
    for (; *all != NULL; all++) {
        if ((*all)->applies(c)) {
            double cost = (*all)->cost(c, m, bytes);

            if (best == NULL || cost < *cost_out) {
                best = *all;
                *cost_out = cost;
            }
        }
    }
    return best;
}

static double cost_of(rpt_coll_kind_t kind, const struct rpt_case *c,
                      const struct rpt_model *m, size_t bytes)
{
    double cost;

    cheapest(kind, c, m, bytes, &cost);
    return cost;
}

double rpt__part_cost_of_node(const struct rpt_case *c,
                              const struct rpt_model *m, size_t bytes,
                              rpt_coll_kind_t kind, size_t count)
{
    struct rpt_case mine = case_of_node(c, c->layout->most, count);

    mine.one_node = true; /* what a node lacks the others do not know */
    return cost_of(kind, &mine, m, bytes);
}

double rpt__part_cost_of_leaders(const struct rpt_case *c,
                                 const struct rpt_model *m, size_t bytes,
                                 rpt_coll_kind_t kind, size_t count)
{
    struct rpt_case mine = case_of(c, c->layout->n_nodes, count);

    return cost_of(kind, &mine, m, bytes);
}

/* ---- building ---- */

void rpt__part_build(const struct rpt_part *part, uint32_t number,
                     struct rpt_schedule *whole)
{
    struct rpt_schedule schedule = { .window = 1 };
    const struct rpt_algorithm *algorithm;
    double cost;

    if (whole->status != RPT_OK) {
        return;
    }
    algorithm = cheapest(part->kind, &part->c, part->c.model,
                         part->c.element_bytes, &cost);
    if (algorithm == NULL) {
        whole->status = rpt__fail(RPT_ERR_INTERNAL,
                                  "no algorithm of %s for %d ranks",
                                  rpt_coll_name(part->kind), part->c.n_ranks);
        return;
    }
    algorithm->build(&part->c, &schedule);
    if (schedule.status == RPT_OK) {
        rpt__schedule_append(whole, &schedule, number, part->ranks, part->input,
                             part->output);
    } else {
        whole->status = schedule.status;
    }
    rpt__schedule_free(&schedule);
}
