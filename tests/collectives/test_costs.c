/*
 * test_costs.c - what each rank sends, to the message and the element
 *
 * Every algorithm that sends messages stands here with the formula of its
 * paper (formulas.c), for each rank of 1 to 64 and not only for the one that
 * sends most; the simulator counts.  Bytes are elements times their size.
 */
#include "formulas.h"
#include "harness.h"
#include "proof.h"

#include <stdio.h>
#include <string.h>

/* ---- all of them ---- */

static const struct known {
    rpt_coll_kind_t kind;
    const char *name;
    formula_fn *sent; /* NULL: one of several, see below */
} all_known[] = {
    { RPT_COLL_ALLREDUCE, "doubling", doubling },
    { RPT_COLL_ALLREDUCE, "halving", halving },
    { RPT_COLL_ALLREDUCE, "mixed", NULL },
    { RPT_COLL_ALLREDUCE, "circulant", NULL },
    { RPT_COLL_ALLREDUCE, "ring", ring },
    { RPT_COLL_ALLREDUCE, "direct", direct },
    { RPT_COLL_REDUCE, "binomial", vector_to_parent },
    { RPT_COLL_REDUCE, "scattered", sum_to_root },
    { RPT_COLL_REDUCE, "linear", vector_to_root },
    { RPT_COLL_BROADCAST, "binomial", to_children },
    { RPT_COLL_BROADCAST, "scattered", van_de_geijn },
    { RPT_COLL_BARRIER, "dissemination", dissemination },
    { RPT_COLL_ALLGATHER, "circulant", blocks_put_together },
    { RPT_COLL_ALLGATHER, "ring", round_the_ring },
    { RPT_COLL_GATHER, "binomial", subtree_to_parent },
    { RPT_COLL_GATHER, "linear", own_to_root },
    { RPT_COLL_SCATTER, "binomial", blocks_to_children },
    { RPT_COLL_SCATTER, "linear", root_each_its_own },
    { RPT_COLL_REDUCE_SCATTER, "circulant", blocks_shared_out },
    { RPT_COLL_REDUCE_SCATTER, "direct", each_its_own },
    { RPT_COLL_ALLTOALL, "pairwise", each_its_own },
    { RPT_COLL_ALLTOALL, "bruck", bruck },
    { RPT_COLL_SCAN, "doubling", upwards },
    { RPT_COLL_SCAN, "chain", to_the_next },
    { RPT_COLL_EXSCAN, "doubling", upwards },
    { RPT_COLL_EXSCAN, "chain", to_the_next },
};
enum { N_KNOWN = sizeof all_known / sizeof *all_known };

static const struct rpt_algorithm *named(rpt_coll_kind_t kind, const char *name)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);

    while (*all != NULL && strcmp((*all)->name, name) != 0) {
        all++;
    }
    CU_ASSERT_FATAL(*all != NULL);
    return *all;
}

static bool is_sent(const struct sent found[], const struct call *call,
                    formula_fn *sent)
{
    for (int r = 0; r < call->c.n_ranks; r++) {
        struct sent wanted = sent(call, r);

        if (found[r].n_messages != wanted.n_messages ||
            found[r].n_elements != wanted.n_elements) {
            printf("  rank %d: messages %d, not %d, elements %d, not %d\n", r,
                   (int)found[r].n_messages, (int)wanted.n_messages,
                   (int)found[r].n_elements, (int)wanted.n_elements);
            return false;
        }
    }
    return true;
}

static void count_sent(const struct rpt_algorithm *algorithm,
                       const struct call *call, struct sent found[])
{
    struct rpt_simulation *sim = NULL;

    CU_ASSERT_FATAL(
        rpt__simulation_create(call->c.n_ranks, call->node_of, &sim) == RPT_OK);
    CU_ASSERT(proof_run(algorithm, call, sim, false));
    for (int r = 0; r < call->c.n_ranks; r++) {
        const struct rpt_tally *t = rpt__simulation_tally(sim, r);

        found[r] = (struct sent){ t->n_messages, t->n_sent };
    }
    rpt__simulation_destroy(sim);
}

/* ---- where the model of costs decides how ranks are grouped ---- */

static bool fits(const struct sent found[], const struct call *call,
                 const struct levels *levels, int b)
{
    for (int r = 0; r < call->c.n_ranks; r++) {
        struct sent wanted = levels != NULL ? in_levels(call, r, levels)
                                            : grouped(call, r, b);

        if (found[r].n_messages != wanted.n_messages ||
            found[r].n_elements != wanted.n_elements) {
            return false;
        }
    }
    return true;
}

/* All ranks send what those of one choice do: levels that leave ranks, or
 * none; or groups of a power of two. */
static bool one_fits(const struct sent found[], const struct call *call,
                     bool leaves_some)
{
    int p = call->c.n_ranks, odd = p;

    while (odd % 2 == 0) {
        odd /= 2;
    }
    for (int f = 1; f <= odd; f++) {
        for (int g = 1; odd % f == 0 && g <= odd / f; g++) {
            struct levels levels = levels_of(p, f, g);

            if (odd / f % g == 0 && (levels.left > 1) == leaves_some &&
                fits(found, call, &levels, 0)) {
                return true;
            }
        }
    }
    for (int b = 2; leaves_some && b <= p / 2; b *= 2) {
        if (p % b < p / b && fits(found, call, NULL, b)) {
            return true;
        }
    }
    return false;
}

/* ---- calls ---- */

static int check_call(const struct known *known, const struct call *call)
{
    const struct rpt_algorithm *algorithm = named(known->kind, known->name);
    struct rpt_case mine = case_of(call, 0);
    struct sent found[MAX_P];
    bool good;

    if (!algorithm->applies(&mine)) {
        return 0;
    }
    count_sent(algorithm, call, found);
    good = known->sent != NULL
               ? is_sent(found, call, known->sent)
               : one_fits(found, call, strcmp(known->name, "mixed") == 0);
    CU_ASSERT(good || proof_complain(algorithm, call, "sends something else"));
    return 1;
}

static int check(const struct known *known, int p, size_t count, bool uneven,
                 bool ordered)
{
    struct call call = { .kind = known->kind };
    int n_run;

    fill(&call.c, p, count, 1 + count % 7);
    call.c.root = (int)(3 * count % (size_t)p);
    call.c.commutative = !ordered;
    if (uneven) {
        make_uneven(&call, count);
    }
    n_run = check_call(known, &call);
    call_free(&call);
    return n_run;
}

/* Some of no element, some that do not divide, some that do. */
static int check_vectors(const struct known *known, int p)
{
    size_t n = (size_t)p;
    const size_t counts[] = { 0, 1, n - 1, n, 2 * n + 1, 3 * n - 1, 6 * n };
    int n_run = 0;

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        n_run += check(known, p, counts[i], false, false);
        if (has_order(known->kind)) {
            n_run += check(known, p, counts[i], false, true);
        }
    }
    return n_run;
}

static int check_blocks(const struct known *known, int p)
{
    int n_run = 0;

    for (size_t count = 0; count <= 5; count++) {
        n_run += check(known, p, count, false, false);
        if (known->kind != RPT_COLL_ALLTOALL) {
            n_run += check(known, p, count, true, false);
        }
    }
    return n_run;
}

static void each_rank_sends_what_the_papers_say(void)
{
    for (int i = 0; i < N_KNOWN; i++) {
        int n_run = 0;

        for (int p = 1; p <= MAX_P; p = next_number(p)) {
            n_run += has_blocks(all_known[i].kind)
                         ? check_blocks(&all_known[i], p)
                         : check_vectors(&all_known[i], p);
        }
        CU_ASSERT(n_run > (rpt_test_is_short() ? 50 : every() > 1 ? 100 : 200));
    }
}

/* A dissemination before anything else. */
static struct sent checked(const struct call *call, int rank)
{
    return plus(dissemination(call, rank), dissemination(call, rank));
}

static void a_check_in_front_is_a_message_a_round(void)
{
    const struct rpt_algorithm *barrier = named(RPT_COLL_BARRIER,
                                                "dissemination");

    for (int p = 2; p <= MAX_P; p++) {
        struct call call = { .kind = RPT_COLL_BARRIER,
                             .check_first = BY_MESSAGES };
        struct sent found[MAX_P];

        fill(&call.c, p, 1, 1);
        count_sent(barrier, &call, found);
        CU_ASSERT(is_sent(found, &call, checked));
    }
}

/* ---- several nodes ---- */

struct nodes {
    struct rpt_layout *layout;
    bool has_stages[MAX_P];
};

/* N nodes of d neighbours each. */
static void make_nodes(struct nodes *nodes, int N, int d, bool have_stages)
{
    int node_of[MAX_P];

    for (int r = 0; r < N * d; r++) {
        node_of[r] = r / d;
        nodes->has_stages[r] = have_stages;
    }
    CU_ASSERT_FATAL(rpt__layout_create(node_of, N * d, &nodes->layout) ==
                    RPT_OK);
}

static void set_nodes(struct call *call, const struct nodes *nodes,
                      const struct rpt_model *m)
{
    call->c.one_node = call->c.can_pull = false;
    call->c.stage_count = 0;
    call->c.node_stage_count = 2 * MAX_P;
    call->c.layout = nodes->layout;
    call->c.model = m;
    call->node_of = nodes->layout->node_of;
    call->has_stages = nodes->has_stages;
}

/* The first rank of each node, and the root in its own, is its leader. */
static int leader_of(const struct call *call, int rank)
{
    int d = call->c.layout->most, node = rank / d;
    bool has_root = call->kind == RPT_COLL_REDUCE ||
                    call->kind == RPT_COLL_BROADCAST;

    return has_root && node == call->c.root / d ? call->c.root : node * d;
}

/* What a rank sends in a call of its node; nothing if the node has stages. */
static struct sent inside(const struct call *call, int rank, size_t count,
                          formula_fn *sent)
{
    int d = call->c.layout->most;
    struct call part = { .kind = call->kind };

    fill(&part.c, d, count, call->c.segment);
    part.c.root = leader_of(call, rank) % d;
    return call->has_stages[rank] ? nothing() : sent(&part, rank % d);
}

/* ... and in one of the leaders. */
static struct sent between(const struct call *call, int rank, size_t count,
                           formula_fn *sent)
{
    int d = call->c.layout->most;
    struct call part = { .kind = call->kind };

    fill(&part.c, call->c.n_ranks / d, count, call->c.segment);
    part.c.root = call->c.root / d;
    return rank == leader_of(call, rank) ? sent(&part, rank / d) : nothing();
}

static struct sent allreduce_of_nodes(const struct call *call, int rank)
{
    size_t n = call->c.count;

    return plus(plus(inside(call, rank, n, vector_to_parent),
                     inside(call, rank, n, to_children)),
                between(call, rank, n, doubling));
}

static struct sent reduce_of_nodes(const struct call *call, int rank)
{
    size_t n = call->c.count;

    return plus(inside(call, rank, n, vector_to_parent),
                between(call, rank, n, vector_to_parent));
}

static struct sent broadcast_of_nodes(const struct call *call, int rank)
{
    size_t n = call->c.count;

    return plus(between(call, rank, n, to_children),
                inside(call, rank, n, to_children));
}

static struct sent barrier_of_nodes(const struct call *call, int rank)
{
    return plus(times(2, inside(call, rank, 0, dissemination)),
                between(call, rank, 0, dissemination));
}

/* Blocks of nodes; then all of them at once. */
static struct sent allgather_of_nodes(const struct call *call, int rank)
{
    size_t n = call->c.count, d = (size_t)call->c.layout->most;
    size_t all = (size_t)call->c.n_ranks * n;

    return plus(plus(inside(call, rank, n, subtree_to_parent),
                     between(call, rank, d * n, round_the_ring)),
                inside(call, rank, all, to_children));
}

/* A slice of one element for each rank of a node. */
static struct sent slices_of_nodes(const struct call *call, int rank)
{
    struct call part = { .kind = call->kind };
    int d = call->c.layout->most;

    fill(&part.c, call->c.n_ranks / d, call->c.count / (size_t)d, 1);
    return doubling(&part, rank / d);
}

static const struct known known_of_nodes[] = {
    { RPT_COLL_ALLREDUCE, "two-level", allreduce_of_nodes },
    { RPT_COLL_ALLREDUCE, "multi-leader", slices_of_nodes },
    { RPT_COLL_REDUCE, "two-level", reduce_of_nodes },
    { RPT_COLL_BROADCAST, "two-level", broadcast_of_nodes },
    { RPT_COLL_BARRIER, "two-level", barrier_of_nodes },
    { RPT_COLL_ALLGATHER, "two-level", allgather_of_nodes },
};
enum { N_OF_NODES = sizeof known_of_nodes / sizeof *known_of_nodes };

/* With messages of one element, where only their number counts: then all-reduce
 * is doubled, and all others go along a tree. */
static int check_nodes(const struct known *known, int N, int d,
                       bool have_stages)
{
    static const struct rpt_model messages = { .message_s = 1 };
    struct call call = { .kind = known->kind };
    bool sliced = strcmp(known->name, "multi-leader") == 0;
    struct nodes nodes;
    int n_run;

    make_nodes(&nodes, N, d, have_stages || sliced);
    fill(&call.c, N * d, sliced ? (size_t)d : 1, (size_t)(N * d));
    call.c.root = (5 * N + d) % (N * d);
    set_nodes(&call, &nodes, &messages);
    n_run = check_call(known, &call);
    rpt__layout_destroy(nodes.layout);
    return n_run;
}

static void nodes_send_what_their_parts_do(void)
{
    for (int i = 0; i < N_OF_NODES; i++) {
        int n_run = 0;

        for (int d = 2; d <= MAX_P / 2; d++) {
            for (int N = 2; N * d <= MAX_P; N++) {
                n_run += check_nodes(&known_of_nodes[i], N, d, true);
                n_run += check_nodes(&known_of_nodes[i], N, d, false);
            }
        }
        CU_ASSERT(n_run > (every() > 1 ? 100 : 200));
    }
}

/* Bayatpour et al. 2017, doi:10.1145/3126908.3126954: 2(N-1)/N n elements leave
 * a node, as many from each rank, where bytes are all that costs.  Here a slice
 * is of 3 N elements. */
static void no_more_leaves_a_node_than_must(void)
{
    static const struct rpt_model bytes = { .byte_s = 1 };

    for (int d = 2; d <= MAX_P / 2; d++) {
        for (int N = 2; N * d <= MAX_P && N <= 16; N++) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };
            struct sent found[MAX_P];
            struct nodes nodes;

            make_nodes(&nodes, N, d, true);
            fill(&call.c, N * d, (size_t)(3 * N * d), (size_t)(3 * N * d));
            set_nodes(&call, &nodes, &bytes);
            count_sent(named(RPT_COLL_ALLREDUCE, "multi-leader"), &call, found);
            for (int r = 0; r < N * d; r++) {
                CU_ASSERT_EQUAL(found[r].n_elements, 2 * ((uint64_t)N - 1) * 3);
            }
            rpt__layout_destroy(nodes.layout);
        }
    }
}

/* ---- none is forgotten ---- */

static bool is_known(rpt_coll_kind_t kind, const char *name)
{
    bool found = false;

    for (int i = 0; i < N_KNOWN; i++) {
        found = found || (all_known[i].kind == kind &&
                          strcmp(all_known[i].name, name) == 0);
    }
    for (int i = 0; i < N_OF_NODES; i++) {
        found = found || (known_of_nodes[i].kind == kind &&
                          strcmp(known_of_nodes[i].name, name) == 0);
    }
    return found;
}

/* Whether it sends anything between two nodes of three ranks. */
static bool sends(const struct rpt_algorithm *algorithm,
                  const struct call *call)
{
    struct rpt_schedule schedule = { .window = 1 };
    struct rpt_case mine = case_of(call, 0);
    bool has_messages = false;

    if (algorithm->applies(&mine)) {
        algorithm->build(&mine, &schedule);
        has_messages = rpt__schedule_has_messages(&schedule);
        rpt__schedule_free(&schedule);
    }
    return has_messages;
}

static void every_algorithm_that_sends_has_a_formula(void)
{
    static const struct rpt_model messages = { .message_s = 1 };
    struct nodes nodes;
    int n_found = 0;

    make_nodes(&nodes, 2, 3, true);
    for (int kind = 0; kind < N_KINDS; kind++) {
        const struct rpt_algorithm *const *all = rpt__algorithms(
            (rpt_coll_kind_t)kind);

        for (int i = 0; all[i] != NULL; i++) {
            struct call call = { .kind = (rpt_coll_kind_t)kind };

            fill(&call.c, 6, 12, 12);
            set_nodes(&call, &nodes, &messages);
            if (sends(all[i], &call)) {
                CU_ASSERT(is_known(call.kind, all[i]->name) ||
                          proof_complain(all[i], &call, "has no formula"));
                n_found++;
            }
        }
    }
    CU_ASSERT_EQUAL(n_found, N_KNOWN + N_OF_NODES);
    rpt__layout_destroy(nodes.layout);
}

static const struct rpt_test tests[] = {
    RPT_TEST(each_rank_sends_what_the_papers_say),
    RPT_TEST(a_check_in_front_is_a_message_a_round),
    RPT_TEST(nodes_send_what_their_parts_do),
    RPT_TEST(no_more_leaves_a_node_than_must),
    RPT_TEST(every_algorithm_that_sends_has_a_formula),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives costs", tests, 900, argc, argv);
}
