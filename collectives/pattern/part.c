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

/* Of a domain, and among the leaders; of a node. */
enum { DOMAIN_PARTS = 3, NODE_PARTS = 2 };

static struct rpt_case case_of_domain(const struct rpt_case *c, int n_ranks,
                                      size_t count)
{
    struct rpt_case mine = case_of(c, n_ranks, count);

    mine.one_node = true;
    mine.stage_count = c->stage_count / DOMAIN_PARTS;
    return mine;
}

/* Without stages it is not divided: its messages do not care. */
static struct rpt_case case_of_node(const struct rpt_case *c, int node,
                                    size_t count, bool has_stages)
{
    int n_ranks = rpt__layout_size(c->layout, node);
    struct rpt_case mine;

    if (c->one_node) {
        return case_of_domain(c, n_ranks, count);
    }
    mine = case_of(c, n_ranks, count);
    mine.stage_count = c->node_stage_count / NODE_PARTS;
    mine.one_node = has_stages;
    if (has_stages) {
        mine.layout = c->layout->domains[node];
        mine.n_across = rpt__layout_across(mine.layout);
    }
    return mine;
}

static struct rpt_case case_of_leaders(const struct rpt_case *c, size_t count)
{
    int n_nodes = c->layout->n_nodes;
    struct rpt_case mine;

    if (!c->one_node) {
        return case_of(c, n_nodes, count);
    }
    mine = case_of_domain(c, n_nodes, count);
    mine.n_across = n_nodes - 1;
    return mine;
}

struct rpt_part rpt__part_of_node(const struct rpt_case *c,
                                  rpt_coll_kind_t kind)
{
    const struct rpt_layout *layout = c->layout;
    int node = layout->node_of[c->rank];
    struct rpt_part part = {
        .kind = kind,
        .in_rooms = c->one_node,
        .c = case_of_node(c, node, c->count, c->node_has_stages),
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
        .in_rooms = c->one_node,
        .c = case_of_leaders(c, c->count),
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

static int largest_node(const struct rpt_layout *layout)
{
    int node = 0;

    while (rpt__layout_size(layout, node) < layout->most) {
        node++;
    }
    return node;
}

/* What a node lacks the others do not know: as if it had stages. */
double rpt__part_cost_of_node(const struct rpt_case *c,
                              const struct rpt_model *m, size_t bytes,
                              rpt_coll_kind_t kind, size_t count)
{
    struct rpt_case mine = case_of_node(c, largest_node(c->layout), count,
                                        true);

    return cost_of(kind, &mine, m, bytes);
}

double rpt__part_cost_of_leaders(const struct rpt_case *c,
                                 const struct rpt_model *m, size_t bytes,
                                 rpt_coll_kind_t kind, size_t count)
{
    struct rpt_case mine = case_of_leaders(c, count);

    return cost_of(kind, &mine, m, bytes);
}

/* ---- rooms ---- */

/* The parts that come before have this. */
static struct rpt_room before(const struct rpt_schedule *whole, uint32_t number)
{
    struct rpt_room sum = { 0, 0, false };

    for (uint32_t i = 0; i < number; i++) {
        sum.n_values += whole->rooms[i].n_values;
        sum.stage_count += whole->rooms[i].stage_count;
        sum.by_messages = sum.by_messages || whole->rooms[i].by_messages;
    }
    return sum;
}

static void enlarge(struct rpt_room *room, struct rpt_room needed)
{
    if (needed.n_values > room->n_values) {
        room->n_values = needed.n_values;
    }
    if (needed.stage_count > room->stage_count) {
        room->stage_count = needed.stage_count;
    }
    room->by_messages = room->by_messages || needed.by_messages;
}

/* Builds the parts of a rank to see what they need. */
static void look_at(const struct rpt_case *c, int rank, rpt_parts_fn parts,
                    struct rpt_schedule *whole)
{
    struct rpt_schedule schedule = { .window = 1 };
    struct rpt_case theirs = *c;

    theirs.rank = rank;
    parts(&theirs, &schedule);
    whole->status = schedule.status;
    for (int i = 0; i < RPT_MAX_PARTS; i++) {
        enlarge(&whole->rooms[i], schedule.rooms[i]);
    }
    rpt__schedule_free(&schedule);
}

/* All ranks of a part need the same.  The parts inside domains are seen by the
 * first rank of each, those among leaders by the ranks of the first domain. */
static void find_rooms(const struct rpt_case *c, rpt_parts_fn parts,
                       struct rpt_schedule *whole)
{
    const struct rpt_layout *layout = c->layout;

    for (int r = 0; r < c->n_ranks && whole->status == RPT_OK; r++) {
        if (layout->place_of[r] == 0 || layout->node_of[r] == 0) {
            look_at(c, r, parts, whole);
        }
    }
}

static uint32_t last_value(const struct rpt_schedule *schedule)
{
    uint32_t value = 0;

    for (size_t i = 0; i < schedule->n_steps; i++) {
        if (schedule->steps[i].kind == RPT_STEP_SIGNAL) {
            value = schedule->steps[i].value;
        }
    }
    return value;
}

static void raise_behind_all(struct rpt_schedule *whole, uint32_t value)
{
    bool has_lane = whole->n_lanes > 1 || rpt__schedule_has_messages(whole);

    if (has_lane) {
        rpt__lane(whole);
    }
    rpt__step_signal(whole, value);
    if (has_lane && whole->status == RPT_OK) {
        whole->lanes[whole->n_lanes - 1].begins_part = true;
    }
}

/* Flags end alike.  Who has waited, by flags alone, for others that have waited
 * for all knows that all have raised one: they are done with the block before.
 */
static void end_rooms(struct rpt_schedule *whole, bool for_all)
{
    struct rpt_room all = before(whole, RPT_MAX_PARTS);

    whole->n_values = all.n_values;
    whole->stage_count = all.stage_count;
    whole->free_value = all.n_values + 1; /* who is in the next one has read */
    whole->seen_value = for_all && !all.by_messages;
    if (last_value(whole) < all.n_values) {
        raise_behind_all(whole, all.n_values);
    }
}

/* ---- building ---- */

void rpt__parts_build(const struct rpt_case *c, rpt_parts_fn parts,
                      bool for_all, struct rpt_schedule *schedule)
{
    if (!c->one_node) {
        parts(c, schedule);
        return;
    }
    find_rooms(c, parts, schedule);
    if (schedule->status == RPT_OK) {
        parts(c, schedule);
    }
    if (schedule->status == RPT_OK) {
        end_rooms(schedule, for_all);
    }
}

static void append(const struct rpt_part *part, uint32_t number,
                   const struct rpt_schedule *schedule,
                   struct rpt_schedule *whole)
{
    if (part->in_rooms) {
        struct rpt_room from = before(whole, number);

        whole->n_values = from.n_values;
        whole->stage_count = from.stage_count;
        enlarge(&whole->rooms[number],
                (struct rpt_room){ schedule->n_values, schedule->stage_count,
                                   part->c.n_ranks > 1 &&
                                       schedule->n_values == 0 });
    }
    rpt__schedule_append(whole, schedule, number, part->ranks, part->input,
                         part->output);
}

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
        append(part, number, &schedule, whole);
    } else {
        whole->status = schedule.status;
    }
    rpt__schedule_free(&schedule);
}
