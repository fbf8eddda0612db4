/*
 * test_parts.c - schedules made of parts, run on symbols, for many layouts
 */
#include "harness.h"
#include "proof.h"

#include <string.h>

/* ---- several nodes ---- */

enum { N_LAYOUTS = 4 };

struct nodes {
    struct rpt_layout *layout;
    bool has_stages[MAX_P]; /* the node of a rank */
};

static int place_rank(int kind, int r)
{
    switch (kind) {
    case 0: /* neighbours, two and two */
        return r / 2;
    case 1: /* one behind the other, of different sizes */
        return r < 1 ? 0 : r < 4 ? 1 : 2 + (r - 4) / 5;
    case 2: /* in turn */
        return r % 3;
    default: /* anyhow */
        return (r * r + 3) % 7 % 4;
    }
}

/* Some nodes have no stages; those of one rank never have. */
static void make_nodes(struct nodes *nodes, int kind, int p)
{
    int node_of[MAX_P];

    for (int r = 0; r < p; r++) {
        node_of[r] = place_rank(kind, r);
    }
    CU_ASSERT_FATAL(rpt__layout_create(node_of, p, &nodes->layout) == RPT_OK);
    for (int r = 0; r < p; r++) {
        int node = nodes->layout->node_of[r];

        nodes->has_stages[r] = (node + kind) % 3 != 2 &&
                               rpt__layout_size(nodes->layout, node) > 1;
    }
}

/* Of a usual machine, between nodes. */
static const struct rpt_model model = {
    .step_s = 10e-9,
    .flag_s = 100e-9,
    .copy_byte_s = 1 / 20e9,
    .reduce_byte_s = 1 / 10e9,
    .message_s = 2e-6,
    .byte_s = 1 / 2e9,
};

static void set_nodes(struct call *call, const struct nodes *nodes)
{
    call->c.one_node = false;
    call->c.stage_count = 0;
    call->c.node_stage_count = STAGE;
    call->c.layout = nodes->layout;
    call->c.model = &model;
    call->c.element_bytes = 4;
    call->node_of = nodes->layout->node_of;
    call->has_stages = nodes->has_stages;
}

/* Ranks must choose alike: what only their own node has may not count. */
static bool costs_the_same(const struct rpt_algorithm *algorithm,
                           const struct call *call)
{
    struct rpt_case first = case_of(call, 0);
    double cost = algorithm->cost(&first, &model, 4);

    for (int r = 1; r < call->c.n_ranks; r++) {
        struct rpt_case c = case_of(call, r);

        if (!algorithm->applies(&c) || algorithm->cost(&c, &model, 4) != cost) {
            return proof_complain(algorithm, call, "not as dear on all ranks");
        }
    }
    return true;
}

/* Every algorithm that is made of parts. */
static int check_parts(struct call *call)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(call->kind);
    int n_run = 0;

    for (int a = 0; all[a] != NULL; a++) {
        for (int ordered = 0; ordered < 1 + has_order(call->kind); ordered++) {
            struct rpt_case mine;

            call->c.commutative = ordered == 0;
            mine = case_of(call, 0);
            if (strchr(all[a]->name, '-') != NULL && all[a]->applies(&mine)) {
                CU_ASSERT(costs_the_same(all[a], call));
                CU_ASSERT(proof_run_alone(all[a], call, false));
                if (can_be_in_place(call->kind)) {
                    CU_ASSERT(proof_run_alone(all[a], call, true));
                }
                n_run++;
            }
        }
    }
    return n_run;
}

static int check_on_nodes(const struct nodes *nodes, size_t count)
{
    int p = nodes->layout->n_ranks, n_run = 0;

    for (int kind = 0; kind < N_KINDS; kind++) {
        for (int uneven = 0; uneven < 1 + (kind == RPT_COLL_ALLGATHER);
             uneven++) {
            struct call call = { .kind = (rpt_coll_kind_t)kind };

            fill(&call.c, p, count, 1 + count % 7);
            set_nodes(&call, nodes);
            call.c.root = (int)((count + (size_t)p / 2) % (size_t)p);
            if (uneven == 1) {
                make_uneven(&call, count);
                call.c.offsets = NULL;
            }
            n_run += check_parts(&call);
            call_free(&call);
        }
    }
    return n_run;
}

static void several_nodes_are_right(void)
{
    static const size_t counts[] = { 0, 1, 2, 7, 30, 131 };
    int n_run = 0;

    for (int p = 2; p <= 24; p++) {
        for (int kind = 0; kind < N_LAYOUTS; kind++) {
            struct nodes nodes;

            make_nodes(&nodes, kind, p);
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                n_run += check_on_nodes(&nodes, counts[i]);
            }
            rpt__layout_destroy(nodes.layout);
        }
    }
    CU_ASSERT(n_run > 2000);
}

static unsigned random_number(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

/* One of all algorithms, whatever the operation. */
static bool run_any(unsigned *seed, int p, const struct nodes *nodes,
                    struct rpt_simulation *sim)
{
    struct call call = { .kind = (rpt_coll_kind_t)(random_number(seed) %
                                                   N_KINDS) };
    const struct rpt_algorithm *const *all = rpt__algorithms(call.kind);
    unsigned n_all = 0, a;
    bool blocks = has_blocks(call.kind), in_place;

    while (all[n_all] != NULL) {
        n_all++;
    }
    a = random_number(seed) % n_all;
    fill(&call.c, p, random_number(seed) % (blocks ? 12 : 90),
         1 + random_number(seed) % 20);
    if (nodes != NULL) {
        set_nodes(&call, nodes);
    }
    call.c.root = (int)(random_number(seed) % (unsigned)p);
    in_place = can_be_in_place(call.kind) && random_number(seed) % 2 == 0;
    if (!all[a]->applies(&call.c)) {
        return false;
    }
    if (nodes == NULL && random_number(seed) % 2 == 0) {
        call.check_first = BY_MEETING;
    }
    CU_ASSERT(proof_run(all[a], &call, sim, in_place));
    return true;
}

static int run_many(unsigned *seed, int p, const struct nodes *nodes)
{
    struct rpt_simulation *sim = NULL;
    int n_run = 0;

    CU_ASSERT_FATAL(
        rpt__simulation_create(p, nodes != NULL ? nodes->layout->node_of : NULL,
                               &sim) == RPT_OK);
    for (int i = 0; i < 300; i++) {
        n_run += run_any(seed, p, nodes, sim);
    }
    rpt__simulation_destroy(sim);
    return n_run;
}

/* Whatever comes before, a stage is not written while it is read. */
static void different_ones_in_a_row_are_right(void)
{
    unsigned seed = 1;
    int n_run = 0;

    for (int p = 2; p <= 8; p++) {
        n_run += run_many(&seed, p, NULL);
        for (int kind = 0; kind < N_LAYOUTS; kind++) {
            struct nodes nodes;

            make_nodes(&nodes, kind, p);
            n_run += run_many(&seed, p,
                              nodes.layout->n_nodes > 1 ? &nodes : NULL);
            rpt__layout_destroy(nodes.layout);
        }
    }
    CU_ASSERT(n_run > 5000);
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(several_nodes_are_right),
        RPT_TEST(different_ones_in_a_row_are_right),
        RPT_TEST_END,
    };

    return rpt_test_main("collectives parts", tests, 900, argc, argv);
}
