/*
 * test_schedule.c - every schedule, run on symbols, for many numbers of ranks
 *
 * Expected results are what the operation means; expected numbers of messages,
 * elements and rounds are the formulas of the papers that the algorithms name.
 */
#include "harness.h"

#include "base/error.h"
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_P = 64, STAGE = 40 };

static const struct rpt_algorithm *const *const all = rpt__allreduce_table;

/* ---- running ---- */

static void fill(struct rpt_case *c, int p, size_t count, size_t segment)
{
    *c = (struct rpt_case){ .n_ranks = p,
                            .count = count,
                            .segment = segment,
                            .stage_count = STAGE,
                            .commutative = true,
                            .one_node = p <= MAX_P };
}

static void build_all(const struct rpt_algorithm *algorithm,
                      const struct rpt_case *c, struct rpt_schedule schedules[])
{
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_case mine = *c;

        mine.rank = r;
        schedules[r] = (struct rpt_schedule){ .window = 1 };
        algorithm->build(&mine, &schedules[r]);
    }
}

static bool complain(const struct rpt_algorithm *algorithm,
                     const struct rpt_case *c, const char *what)
{
    printf("  %s, %d ranks, %zu elements, segments of %zu: %s\n",
           algorithm->name, c->n_ranks, c->count, c->segment, what);
    return false;
}

/* Each output holds the input of each rank once, with the same brackets on all
 * ranks; in the order of the ranks where the algorithm promises it. */
static bool is_sum(const struct rpt_algorithm *algorithm,
                   const struct rpt_case *c, const struct rpt_simulation *sim)
{
    const struct rpt_symbol *first = rpt__simulation_output(sim, 0);
    uint64_t sources = 0;

    for (int r = 0; r < c->n_ranks; r++) {
        sources += rpt__symbol_of_rank(r);
    }
    for (int r = 0; r < c->n_ranks; r++) {
        const struct rpt_symbol *output = rpt__simulation_output(sim, r);

        for (size_t i = 0; i < c->count; i++) {
            if (output[i].n_values != (uint32_t)c->n_ranks ||
                output[i].sources != sources || output[i].position != i) {
                return complain(algorithm, c, "wrong sum");
            }
            if (output[i].tree != first[i].tree) {
                return complain(algorithm, c, "ranks differ");
            }
            if (!c->commutative && output[i].first != 0) {
                return complain(algorithm, c, "not in the order of the ranks");
            }
        }
    }
    return true;
}

static bool run(const struct rpt_algorithm *algorithm, const struct rpt_case *c,
                struct rpt_simulation *sim, bool in_place)
{
    struct rpt_schedule *schedules = calloc((size_t)c->n_ranks,
                                            sizeof *schedules);
    size_t *counts = calloc((size_t)c->n_ranks, sizeof *counts);
    rpt_status_t status;
    bool good;

    CU_ASSERT_FATAL(schedules != NULL && counts != NULL);
    for (int r = 0; r < c->n_ranks; r++) {
        counts[r] = c->count;
    }
    build_all(algorithm, c, schedules);
    status = rpt__simulation_run(sim, schedules, counts, counts, in_place);
    good = status == RPT_OK ? is_sum(algorithm, c, sim)
                            : complain(algorithm, c, rpt_last_error()->what);
    for (int r = 0; r < c->n_ranks; r++) {
        rpt__schedule_free(&schedules[r]);
    }
    free(schedules);
    free(counts);
    return good;
}

/* Three in a row, so that stages are used again. */
static bool run_alone(const struct rpt_algorithm *algorithm,
                      const struct rpt_case *c, bool in_place)
{
    struct rpt_simulation *sim = NULL;
    bool good = true;

    CU_ASSERT_FATAL(rpt__simulation_create(c->n_ranks, NULL, &sim) == RPT_OK);
    for (int i = 0; good && i < 3; i++) {
        good = run(algorithm, c, sim, in_place);
    }
    rpt__simulation_destroy(sim);
    return good;
}

/* ---- right for every number of ranks ---- */

static void check_case(struct rpt_case *c, int *n_run)
{
    for (int a = 0; all[a] != NULL; a++) {
        for (int ordered = 0; ordered < 2; ordered++) {
            c->commutative = ordered == 0;
            if (all[a]->applies(c)) {
                CU_ASSERT(run_alone(all[a], c, false));
                CU_ASSERT(run_alone(all[a], c, true));
                ++*n_run;
            }
        }
    }
}

static void every_all_reduce_is_right_for_1_to_64_ranks(void)
{
    int n_run = 0;

    for (int p = 1; p <= MAX_P; p++) {
        size_t n = (size_t)p;
        const size_t counts[] = { 0, 1, n - 1, n, n + 1, 2 * n + 3 };

        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            struct rpt_case c;

            fill(&c, p, counts[i], p <= 16 ? 2 : 20);
            check_case(&c, &n_run);
        }
    }
    CU_ASSERT(n_run > 1500);
}

static void segments_of_any_size_are_right(void)
{
    int n_run = 0;

    for (int p = 2; p <= 9; p++) {
        for (size_t segment = 1; segment <= 12; segment++) {
            struct rpt_case c;

            fill(&c, p, 83, segment);
            check_case(&c, &n_run);
        }
    }
    CU_ASSERT(n_run > 500);
}

/* Of a ring 300: the simulator keeps all that is under way. */
static void a_thousand_ranks_are_right(void)
{
    for (int a = 0; all[a] != NULL; a++) {
        int p = all[a] == &rpt__allreduce_ring ? 300 : 1000;
        struct rpt_case c;

        fill(&c, p, (size_t)p + 3, (size_t)p + 3);
        if (all[a]->applies(&c)) {
            struct rpt_simulation *sim = NULL;

            CU_ASSERT_FATAL(rpt__simulation_create(p, NULL, &sim) == RPT_OK);
            CU_ASSERT(run(all[a], &c, sim, false));
            rpt__simulation_destroy(sim);
        }
    }
}

/* Whatever comes before, a stage is not written while it is read. */
static void different_ones_in_a_row_are_right(void)
{
    unsigned seed = 1, n_all = 0, n_run = 0;

    while (all[n_all] != NULL) {
        n_all++;
    }
    for (int p = 2; p <= 8; p++) {
        struct rpt_simulation *sim = NULL;

        CU_ASSERT_FATAL(rpt__simulation_create(p, NULL, &sim) == RPT_OK);
        for (int i = 0; i < 60; i++) {
            struct rpt_case c;
            int a;

            seed = seed * 1103515245 + 12345;
            fill(&c, p, (seed >> 16) % 90, 1 + (seed >> 24) % 20);
            seed = seed * 1103515245 + 12345;
            a = (int)((seed >> 16) % n_all);
            if (all[a]->applies(&c)) {
                CU_ASSERT(run(all[a], &c, sim, (seed >> 28) % 2 == 0));
                n_run++;
            }
        }
        rpt__simulation_destroy(sim);
    }
    CU_ASSERT(n_run > 150);
}

/* ---- as cheap as the papers say ---- */

struct cost {
    uint64_t n_messages, n_sent, n_reduced;
    uint32_t n_rounds;
};

static struct cost largest(const struct rpt_algorithm *algorithm,
                           const struct rpt_case *c)
{
    struct rpt_simulation *sim = NULL;
    struct cost cost = { 0, 0, 0, 0 };

    CU_ASSERT_FATAL(rpt__simulation_create(c->n_ranks, NULL, &sim) == RPT_OK);
    CU_ASSERT(run(algorithm, c, sim, false));
    for (int r = 0; r < c->n_ranks; r++) {
        const struct rpt_tally *t = rpt__simulation_tally(sim, r);

        cost.n_messages = t->n_messages > cost.n_messages ? t->n_messages
                                                          : cost.n_messages;
        cost.n_sent = t->n_sent > cost.n_sent ? t->n_sent : cost.n_sent;
        cost.n_reduced = t->n_reduced > cost.n_reduced ? t->n_reduced
                                                       : cost.n_reduced;
        cost.n_rounds = t->n_rounds > cost.n_rounds ? t->n_rounds
                                                    : cost.n_rounds;
    }
    rpt__simulation_destroy(sim);
    return cost;
}

static uint32_t log2_up(int p)
{
    uint32_t n = 0;

    while (1 << n < p) {
        n++;
    }
    return n;
}

static void costs_are(const struct rpt_algorithm *algorithm, int p,
                      size_t count, struct cost expected)
{
    struct rpt_case c;
    struct cost found;
    char what[200];

    fill(&c, p, count, count);
    found = largest(algorithm, &c);
    if (found.n_messages != expected.n_messages ||
        found.n_sent != expected.n_sent ||
        found.n_reduced != expected.n_reduced ||
        found.n_rounds != expected.n_rounds) {
        snprintf(what, sizeof what,
                 "messages %d (%d) sent %d (%d) reduced %d (%d) rounds %u (%u)",
                 (int)found.n_messages, (int)expected.n_messages,
                 (int)found.n_sent, (int)expected.n_sent, (int)found.n_reduced,
                 (int)expected.n_reduced, found.n_rounds, expected.n_rounds);
        CU_ASSERT(complain(algorithm, &c, what));
    }
}

static void costs_are_those_of_the_papers(void)
{
    for (int p = 2; p <= MAX_P; p++) {
        size_t n = (size_t)p, count = 6 * n; /* blocks of 6 */
        uint32_t rounds = log2_up(p);
        bool power = (p & (p - 1)) == 0;

        costs_are(&rpt__allreduce_ring, p, count,
                  (struct cost){ 2 * (n - 1), 2 * (n - 1) * 6, (n - 1) * 6,
                                 2 * (uint32_t)(n - 1) });
        if (power) {
            costs_are(&rpt__allreduce_doubling, p, count,
                      (struct cost){ rounds, rounds * count, rounds * count,
                                     rounds });
            costs_are(&rpt__allreduce_halving, p, count,
                      (struct cost){ 2 * rounds, 2 * (n - 1) * 6, (n - 1) * 6,
                                     2 * rounds });
        }
    }
}

/* Messages: one a round, and one more where the vector's end is passed. */
static void the_circulant_one_is_as_cheap_for_any_number(void)
{
    for (int p = 2; p <= MAX_P; p++) {
        struct rpt_case c;
        struct cost found;
        uint64_t n = (uint64_t)p;

        fill(&c, p, 6 * (size_t)p, 6 * (size_t)p);
        found = largest(&rpt__allreduce_circulant, &c);
        CU_ASSERT_EQUAL(found.n_sent, 2 * (n - 1) * 6);
        CU_ASSERT_EQUAL(found.n_reduced, (n - 1) * 6);
        CU_ASSERT_EQUAL(found.n_rounds, 2 * log2_up(p));
        CU_ASSERT(found.n_messages <= 4 * log2_up(p));
    }
}

/* ---- the simulator sees what is wrong ---- */

typedef void (*break_fn)(struct rpt_schedule schedules[2]);

static void expect_error(const struct rpt_algorithm *algorithm, break_fn spoil,
                         const char *words)
{
    struct rpt_schedule schedules[2];
    const size_t counts[2] = { 8, 8 };
    struct rpt_simulation *sim = NULL;
    struct rpt_case c;
    rpt_status_t status = RPT_OK;

    fill(&c, 2, 8, 8);
    build_all(algorithm, &c, schedules);
    spoil(schedules);
    CU_ASSERT_FATAL(rpt__simulation_create(2, NULL, &sim) == RPT_OK);
    for (int i = 0; i < 4 && status == RPT_OK; i++) {
        status = rpt__simulation_run(sim, schedules, counts, counts, true);
    }
    CU_ASSERT_EQUAL(status, RPT_ERR_STATE);
    if (strstr(rpt_last_error()->what, words) == NULL) {
        printf("  instead of \"%s\": %s\n", words, rpt_last_error()->what);
        CU_ASSERT(false);
    }
    rpt__simulation_destroy(sim);
    rpt__schedule_free(&schedules[0]);
    rpt__schedule_free(&schedules[1]);
}

/* The n-th step of a kind. */
static struct rpt_step *step_of(struct rpt_schedule *schedule,
                                enum rpt_step_kind kind, int n)
{
    for (size_t i = 0; i < schedule->n_steps; i++) {
        if (schedule->steps[i].kind == kind && n-- == 0) {
            return &schedule->steps[i];
        }
    }
    abort();
}

/* A step that does nothing. */
static void drop(struct rpt_step *step)
{
    *step = (struct rpt_step){ .kind = RPT_STEP_FLUSH, .value = UINT32_MAX };
}

static void drop_wait(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[1], RPT_STEP_WAIT, 0));
}

static void drop_signal(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_SIGNAL, 0));
}

static void drop_send(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_SEND, 0));
}

static void drop_flush(struct rpt_schedule schedules[2])
{
    drop(step_of(&schedules[0], RPT_STEP_FLUSH, 0));
}

static void send_less(struct rpt_schedule schedules[2])
{
    step_of(&schedules[1], RPT_STEP_SEND, 0)->count--;
}

static void reach_too_far(struct rpt_schedule schedules[2])
{
    step_of(&schedules[0], RPT_STEP_REDUCE, 0)->to.offset++;
}

static void write_anothers(struct rpt_schedule schedules[2])
{
    step_of(&schedules[0], RPT_STEP_COPY, 0)->to.rank = 1;
}

static void claim_to_have_seen(struct rpt_schedule schedules[2])
{
    drop_wait(schedules);
    drop(step_of(&schedules[1], RPT_STEP_REDUCE, 0));
}

static void faults_of_schedules_are_found(void)
{
    expect_error(&rpt__allreduce_flat, drop_wait, "without knowing");
    expect_error(&rpt__allreduce_flat, drop_signal, "deadlock");
    expect_error(&rpt__allreduce_flat, write_anothers, "the stage of rank 1");
    expect_error(&rpt__allreduce_flat, claim_to_have_seen, "has not seen");
    expect_error(&rpt__allreduce_doubling, drop_send, "deadlock");
    expect_error(&rpt__allreduce_doubling, drop_flush, "is sending");
    expect_error(&rpt__allreduce_doubling, send_less, "which wants 8");
    expect_error(&rpt__allreduce_doubling, reach_too_far, "which has 8");
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_all_reduce_is_right_for_1_to_64_ranks),
    RPT_TEST(segments_of_any_size_are_right),
    RPT_TEST(a_thousand_ranks_are_right),
    RPT_TEST(different_ones_in_a_row_are_right),
    RPT_TEST(costs_are_those_of_the_papers),
    RPT_TEST(the_circulant_one_is_as_cheap_for_any_number),
    RPT_TEST(faults_of_schedules_are_found),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives schedule", tests, 300, argc, argv);
}
