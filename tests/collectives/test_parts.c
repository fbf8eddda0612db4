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

/* In short runs not every number of ranks. */
static int next(int p)
{
    return p + (rpt_test_is_short() && p >= 8 ? 4 : 1);
}

static int at_least(int n)
{
    return rpt_test_is_short() ? n / 4 : n;
}

/* Some nodes have no stages; those of one rank never have. */
static void make_nodes(struct nodes *nodes, int kind, int p)
{
    int node_of[MAX_P] = { 0 };

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
    .across_flag_s = 60e-9,
    .across_byte_s = 1 / 30e9,
};

/* Flags are so slow that some parts are done by messages. */
static const struct rpt_model slow_flags = {
    .step_s = 10e-9,
    .flag_s = 2e-6,
    .copy_byte_s = 1 / 20e9,
    .reduce_byte_s = 1 / 10e9,
    .message_s = 1e-6,
    .byte_s = 1 / 20e9,
    .across_flag_s = 2e-6,
    .across_byte_s = 1 / 30e9,
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
    double cost = algorithm->cost(&first, first.model, 4);

    for (int r = 1; r < call->c.n_ranks; r++) {
        struct rpt_case c = case_of(call, r);

        if (!algorithm->applies(&c) ||
            algorithm->cost(&c, c.model, 4) != cost) {
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

/* One that lacks only its root and its blocks. */
static int check_with_root(struct call *call, size_t count, bool uneven)
{
    int n_run;

    call->c.root = (int)((count + (size_t)call->c.n_ranks / 2) %
                         (size_t)call->c.n_ranks);
    if (uneven) {
        make_uneven(call, count);
        call->c.offsets = NULL;
    }
    n_run = check_parts(call);
    call_free(call);
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
            n_run += check_with_root(&call, count, uneven == 1);
        }
    }
    return n_run;
}

static void several_nodes_are_right(void)
{
    static const size_t counts[] = { 0, 1, 2, 7, 30, 131 };
    int n_run = 0;

    for (int p = 2; p <= 24; p = next(p)) {
        for (int kind = 0; kind < N_LAYOUTS; kind++) {
            struct nodes nodes;

            make_nodes(&nodes, kind, p);
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                n_run += check_on_nodes(&nodes, counts[i]);
            }
            rpt__layout_destroy(nodes.layout);
        }
    }
    CU_ASSERT(n_run > at_least(2000));
}

/* ---- domains of one node ---- */

static struct rpt_layout *make_domains(int kind, int p)
{
    struct rpt_layout *domains;
    int domain_of[MAX_P];

    for (int r = 0; r < p; r++) {
        domain_of[r] = place_rank(kind, r);
    }
    CU_ASSERT_FATAL(rpt__layout_create(domain_of, p, &domains) == RPT_OK);
    return domains;
}

static void set_domains(struct call *call, const struct rpt_layout *domains,
                        const struct rpt_model *m)
{
    call->c.layout = domains;
    call->c.n_across = rpt__layout_across(domains);
    call->c.model = m;
    call->c.element_bytes = 4;
}

static int check_on_domains(const struct rpt_layout *domains, size_t count,
                            size_t stage, const struct rpt_model *m)
{
    int p = domains->n_ranks, n_run = 0;

    for (int kind = 0; kind < N_KINDS; kind++) {
        for (int uneven = 0; uneven < 1 + (kind == RPT_COLL_ALLGATHER);
             uneven++) {
            struct call call = { .kind = (rpt_coll_kind_t)kind };

            fill(&call.c, p, count, 1 + count % 7);
            set_domains(&call, domains, m);
            call.c.stage_count = stage;
            n_run += check_with_root(&call, count, uneven == 1);
        }
    }
    return n_run;
}

/* Stages for all of it, for a part, for hardly anything, and none. */
static void domains_of_a_node_are_right(void)
{
    static const size_t counts[] = { 0, 1, 2, 7, 30, 131 };
    static const size_t stages[] = { 600, STAGE, 7, 0 };
    int n_run = 0;

    for (int p = 2; p <= 24; p = next(p)) {
        for (int kind = 0; kind < N_LAYOUTS; kind++) {
            struct rpt_layout *domains = make_domains(kind, p);

            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                n_run += check_on_domains(domains, counts[i], stages[i % 4],
                                          &model);
                n_run += check_on_domains(domains, counts[i],
                                          stages[(i + 1) % 4], &slow_flags);
            }
            rpt__layout_destroy(domains);
        }
    }
    CU_ASSERT(n_run > at_least(4000));
}

/* Every second rank of a node that is large enough is in the other domain, or
 * its first ranks are in one. */
static void divide_nodes(struct nodes *nodes, int kind)
{
    for (int node = 0; node < nodes->layout->n_nodes; node++) {
        int n = rpt__layout_size(nodes->layout, node), domain_of[MAX_P];

        for (int i = 0; i < n; i++) {
            domain_of[i] = kind % 2 == 0 ? i / 2 : i % 2;
        }
        if (n >= 4 && (node + kind) % 4 != 3) {
            CU_ASSERT_FATAL(
                rpt__layout_divide(nodes->layout, node, domain_of) == RPT_OK);
        }
    }
}

static void domains_of_several_nodes_are_right(void)
{
    static const size_t counts[] = { 1, 7, 131 };
    int n_run = 0;

    for (int p = 8; p <= 24; p = next(p)) {
        for (int kind = 1; kind < N_LAYOUTS; kind++) {
            struct nodes nodes;

            make_nodes(&nodes, kind, p);
            divide_nodes(&nodes, kind);
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                n_run += check_on_nodes(&nodes, counts[i]);
            }
            rpt__layout_destroy(nodes.layout);
        }
    }
    CU_ASSERT(n_run > at_least(700));
}

/* ---- one behind the other ---- */

/* Ranks on one node, on several, or in domains of one. */
struct place {
    int n_ranks;
    const struct nodes *nodes;
    const struct rpt_layout *domains;
};

static unsigned random_number(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

/* One of all algorithms, whatever the operation. */
static bool run_any(unsigned *seed, const struct place *place,
                    struct rpt_simulation *sim)
{
    int p = place->n_ranks;
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
    if (place->nodes != NULL) {
        set_nodes(&call, place->nodes);
    } else if (place->domains != NULL) {
        set_domains(&call, place->domains, &model);
    }
    call.c.root = (int)(random_number(seed) % (unsigned)p);
    in_place = can_be_in_place(call.kind) && random_number(seed) % 2 == 0;
    if (!all[a]->applies(&call.c)) {
        return false;
    }
    if (place->nodes == NULL && random_number(seed) % 2 == 0) {
        call.check_first = BY_MEETING;
    }
    CU_ASSERT(proof_run(all[a], &call, sim, in_place));
    return true;
}

static int run_many(unsigned *seed, struct place place)
{
    struct rpt_simulation *sim = NULL;
    int n_run = 0;

    CU_ASSERT_FATAL(rpt__simulation_create(place.n_ranks,
                                           place.nodes != NULL
                                               ? place.nodes->layout->node_of
                                               : NULL,
                                           &sim) == RPT_OK);
    for (int i = 0; i < 300; i++) {
        n_run += run_any(seed, &place, sim);
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
        n_run += run_many(&seed, (struct place){ p, NULL, NULL });
        for (int kind = 0; kind < N_LAYOUTS; kind++) {
            struct nodes nodes;

            make_nodes(&nodes, kind, p);
            n_run += run_many(
                &seed,
                (struct place){ p, nodes.layout->n_nodes > 1 ? &nodes : NULL,
                                NULL });
            n_run += run_many(&seed, (struct place){ p, NULL, nodes.layout });
            rpt__layout_destroy(nodes.layout);
        }
    }
    CU_ASSERT(n_run > 9000);
}

/* ---- what goes across ---- */

/* Elements read from other domains, and flags waited for there, by all. */
struct crossing {
    size_t n_elements, n_flags;
};

static void count_crossings(const struct rpt_schedule *schedule,
                            const int domain_of[], int rank,
                            struct crossing *sum)
{
    for (size_t i = 0; i < schedule->n_steps; i++) {
        const struct rpt_step *step = &schedule->steps[i];

        if (step->kind == RPT_STEP_WAIT) {
            sum->n_flags += domain_of[step->peer] != domain_of[rank];
        }
        for (int k = 0; k < step->n_inputs; k++) {
            struct rpt_place from =
                schedule->inputs[step->first_input + (size_t)k];

            if (from.kind == RPT_IN_STAGE &&
                domain_of[from.rank] != domain_of[rank]) {
                sum->n_elements += step->count;
            }
        }
    }
}

/* Of a vector of 12 elements. */
static struct crossing crossings(rpt_coll_kind_t kind, const char *name,
                                 const struct rpt_layout *domains)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);
    struct crossing sum = { 0, 0 };
    struct call call = { .kind = kind };

    while (strcmp((*all)->name, name) != 0) {
        all++;
    }
    fill(&call.c, domains->n_ranks, 12, 12);
    set_domains(&call, domains, &model);
    call.c.stage_count = 200;
    for (int r = 0; r < domains->n_ranks; r++) {
        struct rpt_schedule schedule = { .window = 1 };
        struct rpt_case mine = case_of(&call, r);

        CU_ASSERT((*all)->applies(&mine));
        (*all)->build(&mine, &schedule);
        CU_ASSERT_EQUAL(schedule.status, RPT_OK);
        CU_ASSERT_EQUAL(schedule.n_lanes, 1); /* as of one algorithm */
        count_crossings(&schedule, domains->node_of, r, &sum);
        rpt__schedule_free(&schedule);
    }
    return sum;
}

/* D domains of d ranks each: one rank of each reads those of the others. */
static void a_line_goes_across_once_a_domain(void)
{
    for (size_t D = 2; D <= 4; D++) {
        for (size_t d = 2; d <= 5; d++) {
            size_t p = D * d, pairs = D * (D - 1);
            struct rpt_layout *domains;
            int domain_of[MAX_P];

            for (size_t r = 0; r < p; r++) {
                domain_of[r] = (int)(r / d);
            }
            CU_ASSERT_FATAL(rpt__layout_create(domain_of, (int)p, &domains) ==
                            RPT_OK);
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_ALLREDUCE, "two-level", domains).n_elements,
                12 * pairs);
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_ALLREDUCE, "flat", domains).n_elements,
                12 * p * (p - d));
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_REDUCE, "two-level", domains).n_elements,
                12 * (D - 1));
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_BROADCAST, "two-level", domains).n_elements,
                12 * (D - 1));
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_BROADCAST, "staged", domains).n_elements,
                12 * (p - d));
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_BARRIER, "two-level", domains).n_flags,
                pairs);
            CU_ASSERT_EQUAL(
                crossings(RPT_COLL_BARRIER, "staged", domains).n_flags,
                p * (p - d));
            rpt__layout_destroy(domains);
        }
    }
}

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(several_nodes_are_right),
        RPT_TEST(domains_of_a_node_are_right),
        RPT_TEST(domains_of_several_nodes_are_right),
        RPT_TEST(different_ones_in_a_row_are_right),
        RPT_TEST(a_line_goes_across_once_a_domain),
        RPT_TEST_END,
    };

    return rpt_test_main("collectives parts", tests, 900, argc, argv);
}
