/*
 * test_schedule.c - every schedule, run on symbols, for many numbers of ranks
 *
 * Expected results are what the operation means; expected numbers of messages,
 * elements and rounds are the formulas of the papers that the algorithms name.
 * Schedules that are made of parts are in test_parts.c.
 */
#include "harness.h"
#include "proof.h"

#include "base/error.h"
#include "collectives/algorithm/allreduce/allreduce.h"
#include "collectives/algorithm/broadcast/broadcast.h"
#include "collectives/pattern/checked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the calls that are made here. */
static enum check_first check_first;

/* ---- right for every number of ranks ---- */

/* Every algorithm that can, in all its ways; gives their number. */
static int check_call(struct call *call)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(call->kind);
    int n_run = 0;

    for (int a = 0; all[a] != NULL; a++) {
        for (int ordered = 0; ordered < 1 + has_order(call->kind); ordered++) {
            struct rpt_case mine = case_of(call, 0);

            call->c.commutative = mine.commutative = ordered == 0;
            if (!all[a]->applies(&mine)) {
                continue;
            }
            CU_ASSERT(proof_run_alone(all[a], call, false));
            if (can_be_in_place(call->kind)) {
                CU_ASSERT(proof_run_alone(all[a], call, true));
            }
            n_run++;
        }
    }
    return n_run;
}

static int check(rpt_coll_kind_t kind, int p, size_t count, size_t segment,
                 bool uneven)
{
    struct call call = { .kind = kind, .check_first = check_first };
    int n_run;

    fill(&call.c, p, count, segment);
    call.c.stage_count = STAGE - 12 + segment;
    call.c.root = (int)((count + segment) % (size_t)p);
    if (uneven && kind == RPT_COLL_ALLTOALL) {
        make_uneven_alltoall(&call, count);
    } else if (uneven) {
        make_uneven(&call, count);
    }
    n_run = check_call(&call);
    call_free(&call);
    return n_run;
}

/* Where outputs of others cannot be written: see struct rpt_case. */
static void what_only_reads_is_right(void)
{
    for (int p = 2; p <= 16; p++) {
        for (size_t count = 1; count <= 40; count += 13) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };
            struct rpt_schedule schedule = { .window = 1 };

            fill(&call.c, p, count, 3);
            call.c.only_reads = true;
            CU_ASSERT(proof_run_alone(&rpt__allreduce_pulled, &call, false));
            CU_ASSERT(proof_run_alone(&rpt__allreduce_pulled, &call, true));
            rpt__allreduce_pulled.build(&call.c, &schedule);
            for (size_t i = 0; i < schedule.n_steps; i++) {
                CU_ASSERT_FALSE(schedule.steps[i].everywhere);
            }
            rpt__schedule_free(&schedule);
            call_free(&call);
        }
    }
}

static void every_vector_is_right_for_1_to_64_ranks(void)
{
    int n_run = 0;

    for (int p = 1; p <= MAX_P; p = next_number(p)) {
        size_t n = (size_t)p;
        const size_t counts[] = { 0, 1, n - 1, n, n + 1, 2 * n + 3 };

        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            for (int kind = 0; kind < N_KINDS; kind++) {
                if (!has_blocks((rpt_coll_kind_t)kind)) {
                    n_run += check((rpt_coll_kind_t)kind, p, counts[i],
                                   p <= 16 ? 2 : 20, false);
                }
            }
        }
    }
    CU_ASSERT(n_run > (every() > 1 ? 2000 : 6000));
}

static void all_blocks_are_right_for_1_to_64_ranks(void)
{
    int n_run = 0;

    for (int p = 1; p <= MAX_P; p = next_number(p)) {
        for (size_t count = 0; count <= (p <= 16 ? 5 : 2); count++) {
            for (int kind = 0; kind < N_KINDS; kind++) {
                for (int uneven = 0;
                     has_blocks((rpt_coll_kind_t)kind) && uneven < 2;
                     uneven++) {
                    n_run += check((rpt_coll_kind_t)kind, p, count,
                                   1 + count % 3, uneven == 1);
                }
            }
        }
    }
    CU_ASSERT(n_run > (every() > 1 ? 1500 : 4000));
}

static void segments_of_any_size_are_right(void)
{
    int n_run = 0;

    for (int p = 2; p <= 9; p++) {
        for (size_t segment = 1; segment <= 12; segment++) {
            for (int kind = 0; kind < N_KINDS; kind++) {
                n_run += check((rpt_coll_kind_t)kind, p,
                               has_blocks((rpt_coll_kind_t)kind) ? 13 : 83,
                               segment, false);
            }
        }
    }
    CU_ASSERT(n_run > 3000);
}

static void a_check_in_front_changes_no_result(void)
{
    int n_run = 0;

    check_first = BY_MESSAGES;
    for (int p = 2; p <= 9; p++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            n_run += check((rpt_coll_kind_t)kind, p, 13, 5, false);
        }
    }
    check_first = UNCHECKED;
    CU_ASSERT(n_run > 300);
}

static void a_meeting_in_front_changes_no_result(void)
{
    int n_run = 0;

    check_first = BY_MEETING;
    for (int p = 1; p <= 9; p++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            n_run += check((rpt_coll_kind_t)kind, p, 13, 5, false);
        }
    }
    check_first = UNCHECKED;
    CU_ASSERT(n_run > 300);
}

/* In the same block again, behind a broadcast from stages: its root waits for
 * nobody, and does not know how far the others are. */
static bool is_kept(const struct rpt_algorithm *algorithm, struct call *call)
{
    struct call between = { .kind = RPT_COLL_BROADCAST };
    struct rpt_simulation *sim = NULL;
    bool good;

    fill(&between.c, call->c.n_ranks, 3, 3);
    between.c.root = call->c.root;
    CU_ASSERT_FATAL(rpt__simulation_create(call->c.n_ranks, NULL, &sim) ==
                    RPT_OK);
    call->check_first = BY_MEETING;
    good = proof_run(algorithm, call, sim, false) &&
           proof_run(&rpt__broadcast_staged, &between, sim, false) &&
           proof_run(algorithm, call, sim, false);
    rpt__simulation_destroy(sim);
    return good;
}

static void what_lies_beside_a_flag_is_kept_until_all_have_read_it(void)
{
    int n_run = 0;

    for (int kind = 0; kind < N_KINDS; kind++) {
        const struct rpt_algorithm *const *all = rpt__algorithms(
            (rpt_coll_kind_t)kind);

        for (int i = 0; all[i] != NULL; i++) {
            for (int root = 0; root < 5; root++) {
                struct call call = { .kind = (rpt_coll_kind_t)kind };

                fill(&call.c, 5, 6, 3);
                call.c.root = root;
                if (all[i]->applies(&call.c)) {
                    CU_ASSERT(is_kept(all[i], &call));
                    n_run++;
                }
            }
        }
    }
    CU_ASSERT(n_run > 150);
}

/* Nobody begins unless all have come. */
static void a_check_in_front_waits_for_all(void)
{
    enum { P = 7 };
    const size_t counts[P] = { 4, 4, 4, 4, 4, 4, 4 };

    for (int missing = 0; missing < P; missing++) {
        struct rpt_schedule schedules[P];
        struct rpt_simulation *sim = NULL;
        struct rpt_case c;

        for (int r = 0; r < P; r++) {
            fill(&c, P, 4, 4);
            c.rank = r;
            schedules[r] = (struct rpt_schedule){ .window = 1 };
            if (r != missing) {
                rpt__step_copy(&schedules[r], rpt__output(0), rpt__input(0), 4);
                rpt__checked(&c, &schedules[r]);
            }
        }
        CU_ASSERT_FATAL(rpt__simulation_create(P, NULL, &sim) == RPT_OK);
        CU_ASSERT_EQUAL(
            rpt__simulation_run(sim, schedules, counts, counts, true),
            RPT_ERR_STATE);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "deadlock"));
        for (int r = 0; r < P; r++) {
            CU_ASSERT_EQUAL(rpt__simulation_tally(sim, r)->n_copied, 0);
            rpt__schedule_free(&schedules[r]);
        }
        rpt__simulation_destroy(sim);
    }
}

/* Of a ring 300: the simulator keeps all that is under way.  In short runs a
 * third of them. */
static void a_thousand_ranks_are_right(void)
{
    static const char *const slow[] = { "ring", "direct", "pairwise", "bruck",
                                        "scattered" };
    int n_run = 0;

    for (int kind = 0; kind < N_KINDS; kind++) {
        const struct rpt_algorithm *const *all = rpt__algorithms(
            (rpt_coll_kind_t)kind);

        for (int a = 0; all[a] != NULL; a++) {
            struct call call = { .kind = (rpt_coll_kind_t)kind };
            struct rpt_simulation *sim = NULL;
            bool blocks = has_blocks(call.kind);
            int p = blocks ? 200 : 1000;

            for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
                p = strcmp(all[a]->name, slow[i]) == 0 ? blocks ? 100 : 300 : p;
            }
            p = rpt_test_is_short() ? p / 3 : p;
            fill(&call.c, p, blocks ? 1 : (size_t)p + 3, (size_t)p + 3);
            if (all[a]->applies(&call.c)) {
                CU_ASSERT_FATAL(rpt__simulation_create(p, NULL, &sim) ==
                                RPT_OK);
                CU_ASSERT(proof_run(all[a], &call, sim, false));
                rpt__simulation_destroy(sim);
                n_run++;
            }
        }
    }
    CU_ASSERT(n_run > 20);
}

/* ---- as cheap as the papers say ---- */

struct cost {
    uint64_t n_messages, n_sent, n_received, n_reduced;
    uint32_t n_rounds;
};

static struct cost largest(const struct rpt_algorithm *algorithm,
                           const struct call *call)
{
    struct rpt_simulation *sim = NULL;
    struct cost cost = { 0, 0, 0, 0, 0 };

    CU_ASSERT_FATAL(rpt__simulation_create(call->c.n_ranks, NULL, &sim) ==
                    RPT_OK);
    CU_ASSERT(proof_run(algorithm, call, sim, false));
    for (int r = 0; r < call->c.n_ranks; r++) {
        const struct rpt_tally *t = rpt__simulation_tally(sim, r);

        cost.n_messages = t->n_messages > cost.n_messages ? t->n_messages
                                                          : cost.n_messages;
        cost.n_sent = t->n_sent > cost.n_sent ? t->n_sent : cost.n_sent;
        cost.n_received = t->n_received > cost.n_received ? t->n_received
                                                          : cost.n_received;
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
    struct call call = { .kind = RPT_COLL_ALLREDUCE };
    struct cost found;
    char what[200];

    fill(&call.c, p, count, count);
    found = largest(algorithm, &call);
    if (found.n_messages != expected.n_messages ||
        found.n_sent != expected.n_sent ||
        found.n_reduced != expected.n_reduced ||
        found.n_rounds != expected.n_rounds) {
        snprintf(what, sizeof what,
                 "messages %d (%d) sent %d (%d) reduced %d (%d) rounds %u (%u)",
                 (int)found.n_messages, (int)expected.n_messages,
                 (int)found.n_sent, (int)expected.n_sent, (int)found.n_reduced,
                 (int)expected.n_reduced, found.n_rounds, expected.n_rounds);
        CU_ASSERT(proof_complain(algorithm, &call, what));
    }
}

static void costs_are_those_of_the_papers(void)
{
    for (int p = 2; p <= MAX_P; p++) {
        size_t n = (size_t)p, count = 6 * n; /* blocks of 6 */
        uint32_t rounds = log2_up(p);
        bool power = (p & (p - 1)) == 0;

        costs_are(&rpt__allreduce_ring, p, count,
                  (struct cost){ .n_messages = 2 * (n - 1),
                                 .n_sent = 2 * (n - 1) * 6,
                                 .n_reduced = (n - 1) * 6,
                                 .n_rounds = 2 * (uint32_t)(n - 1) });
        if (power) {
            costs_are(&rpt__allreduce_doubling, p, count,
                      (struct cost){ .n_messages = rounds,
                                     .n_sent = rounds * count,
                                     .n_reduced = rounds * count,
                                     .n_rounds = rounds });
            costs_are(&rpt__allreduce_halving, p, count,
                      (struct cost){ .n_messages = 2 * rounds,
                                     .n_sent = 2 * (n - 1) * 6,
                                     .n_reduced = (n - 1) * 6,
                                     .n_rounds = 2 * rounds });
        }
    }
}

/* Whether a long round back of levels begins when its receiver is ready. */
static bool may_wait(int p)
{
    return p > 16 && (p & (p - 1)) != 0;
}

/* Messages: one a round, and one more where the vector's end is passed.  Where
 * messages cost all, no level is divided that would need a round more; where
 * they cost nothing, many ranks have an element that says that they are ready
 * in each round back: three messages where two were. */
static void circulant_is(int p, const struct rpt_model *m, uint32_t most_rounds)
{
    struct call call = { .kind = RPT_COLL_ALLREDUCE };
    struct cost found;
    uint64_t n = (uint64_t)p, n_ready = 0;

    fill(&call.c, p, 6 * (size_t)p, 6 * (size_t)p);
    call.c.model = m;
    found = largest(&rpt__allreduce_circulant, &call);
    if (m->message_s <= 0 && may_wait(p)) {
        n_ready = found.n_rounds / 3;
        most_rounds += most_rounds / 2;
    }
    CU_ASSERT_EQUAL(found.n_sent, 2 * (n - 1) * 6 + n_ready);
    CU_ASSERT_EQUAL(found.n_reduced, (n - 1) * 6);
    CU_ASSERT(found.n_rounds >= 2 * log2_up(p) + n_ready);
    CU_ASSERT(found.n_rounds <= most_rounds);
    CU_ASSERT(found.n_messages <= 2 * most_rounds);
}

static void the_circulant_one_is_as_cheap_for_any_number(void)
{
    static const struct rpt_model message = { .message_s = 1 },
                                  byte = { .byte_s = 1 };

    for (int p = 2; p <= MAX_P; p++) {
        circulant_is(p, &message, 2 * log2_up(p));
        circulant_is(p, &byte, 2 * log2_up(p) + 2);
    }
}

/* Two messages a factor of 2; three a round, one each way and half of one
 * beside each, for what is odd. */
static void an_odd_factor_of_ranks_is_all_that_wraps(void)
{
    static const struct rpt_model message = { .message_s = 1 };
    static const int known[][2] = { { 2, 2 },   { 8, 6 },   { 64, 12 },
                                    { 3, 6 },   { 24, 12 }, { 5, 9 },
                                    { 40, 15 }, { 200, 21 } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct call call = { .kind = RPT_COLL_ALLREDUCE };

        fill(&call.c, known[i][0], 1000, 1000);
        CU_ASSERT_EQUAL(rpt__allreduce_circulant.cost(&call.c, &message, 4),
                        known[i][1]);
    }
}

/* ---- which one, on many ranks ---- */

/* 10 Gbit/s and 1.4 us a message. */
static const struct rpt_model many = { .message_s = 1.4e-6, .byte_s = 0.8e-9 };

static const struct rpt_algorithm *cheapest(const struct rpt_case *c)
{
    const struct rpt_algorithm *best = NULL;
    double least = INFINITY;

    for (const struct rpt_algorithm *const *all = rpt__allreduce_table;
         *all != NULL; all++) {
        double cost = (*all)->applies(c) ? (*all)->cost(c, c->model, 4)
                                         : INFINITY;

        if (cost < least) {
            least = cost;
            best = *all;
        }
    }
    return best;
}

/* Of 17 ranks rounds back have 1, 1, 2, 4, 8 blocks of 100 elements.  A message
 * costs as much as 1750 bytes, so only the last round is worth a question. */
static void many_ranks_wait_for_the_receiver_of_much(void)
{
    static const struct {
        int ranks;
        uint64_t n_elements, n_ready;
    } known[] = { { 17, 100, 1 },
                  { 17, 50, 0 },
                  { 17, 120, 2 },
                  { 15, 1000, 0 },
                  { 32, 1000, 0 } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct call call = { .kind = RPT_COLL_ALLREDUCE };
        uint64_t n = known[i].n_elements, p = (uint64_t)known[i].ranks;
        struct cost found;

        fill(&call.c, known[i].ranks, p * n, p * n);
        call.c.model = &many;
        found = largest(&rpt__allreduce_circulant, &call);
        CU_ASSERT_EQUAL(found.n_sent, 2 * (p - 1) * n + known[i].n_ready);
    }
}

/* Elements of some KiB, of which each is worth a question, and fewer of them
 * than ranks that share them out: some have none to ask with. */
static void few_large_elements_are_right_for_many_ranks(void)
{
    const struct rpt_model bytes = { .message_s = 1, .byte_s = 1 };

    for (int p = 17; p <= MAX_P; p = next_number(p)) {
        for (size_t count = 1; count <= (size_t)p / 2; count++) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };

            fill(&call.c, p, count, count);
            call.c.model = &bytes;
            call.c.element_bytes = 4096;
            CU_ASSERT(proof_run_alone(&rpt__allreduce_mixed, &call, false));
            CU_ASSERT(proof_run_alone(&rpt__allreduce_mixed, &call, true));
        }
    }
}

/* The rounds grow fewer and the bytes more, or the other way round. */
static void long_vectors_of_many_ranks_are_not_doubled(void)
{
    static const int ranks[] = { 96, 100, 130, 160, 176, 200, 224, 250 };
    static const struct {
        size_t bytes;
        const char *name;
    } known[] = { { 8, "doubling" },
                  { 64, "doubling" },
                  { 8 << 10, "mixed" },
                  { 1 << 20, "circulant" } };

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };

            fill(&call.c, ranks[i], known[k].bytes / 4, 1 << 15);
            call.c.model = &many;
            CU_ASSERT_STRING_EQUAL(cheapest(&call.c)->name, known[k].name);
        }
    }
}

/* Elements that a rank sends farther than so many ranks. */
static size_t sent_far(struct rpt_case c, int rank, int near)
{
    struct rpt_schedule schedule = { .window = 1 };
    size_t n = 0;

    c.rank = rank;
    cheapest(&c)->build(&c, &schedule);
    CU_ASSERT_EQUAL(schedule.status, RPT_OK);
    for (size_t i = 0; i < schedule.n_steps; i++) {
        const struct rpt_step *step = &schedule.steps[i];

        if (step->kind == RPT_STEP_SEND && abs(step->peer - rank) > near) {
            n += step->count;
        }
    }
    rpt__schedule_free(&schedule);
    return n;
}

/* What goes over the end of the ranks comes another way than what does not, and
 * shares links with it: that may be an eighth of what is sent, 2 n. */
static void most_of_a_long_vector_stays_with_neighbours(void)
{
    static const int ranks[] = { 96, 100, 130, 160, 176, 200, 224, 250 };

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        for (size_t count = 1 << 14; count <= 1 << 18; count *= 4) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };

            fill(&call.c, ranks[i], count, 1 << 15);
            call.c.model = &many;
            for (int r = 0; r < ranks[i]; r += 7) {
                CU_ASSERT(sent_far(call.c, r, 40) <= count / 4);
            }
        }
    }
}

/* Where a half has more ranks, some of the other one send twice, but none does
 * that in two rounds.  A rank with nothing to do in the first round sends
 * at once what is wanted in the second: sometimes a round less. */
static void doubling_has_the_least_rounds_for_any_number(void)
{
    for (int p = 2; p <= MAX_P; p++) {
        struct call call = { .kind = RPT_COLL_ALLREDUCE };
        uint64_t rounds = log2_up(p);
        struct cost found;

        fill(&call.c, p, 6, 6);
        found = largest(&rpt__allreduce_doubling, &call);
        CU_ASSERT(found.n_rounds <= rounds);
        CU_ASSERT_EQUAL(found.n_received, rounds * 6);
        CU_ASSERT_EQUAL(found.n_reduced, rounds * 6);
        CU_ASSERT(found.n_messages <= rounds + 1);
        CU_ASSERT(found.n_sent <= (rounds + 1) * 6);
    }
}

/* Of the sizes of groups that there are. */
static double least_mixed(int p, double bytes, const struct rpt_model *m)
{
    double least = INFINITY;

    for (int b = 2; b <= p / 2; b *= 2) {
        double halve = log2_up(b), twice = log2_up(p / b);
        double cost = (2 * halve + twice) * m->message_s +
                      (2 * (b - 1.0) + twice) / b * bytes * m->byte_s +
                      (b - 1.0 + twice) / b * bytes * m->reduce_byte_s;

        least = cost < least ? cost : least;
    }
    return least;
}

static void mixing_takes_the_best_groups(void)
{
    struct rpt_model m = { .byte_s = 1, .reduce_byte_s = 0.25 };

    for (int p = 4; p <= MAX_P; p *= 2) {
        for (m.message_s = 0.5; m.message_s < 1000; m.message_s *= 2) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };
            double cost, bytes = 4 * 6 * p;
            struct cost found;

            fill(&call.c, p, 6 * (size_t)p, 6 * (size_t)p);
            call.c.model = &m;
            found = largest(&rpt__allreduce_mixed, &call);
            cost = (double)found.n_rounds * m.message_s +
                   4 * (double)found.n_sent * m.byte_s +
                   4 * (double)found.n_reduced * m.reduce_byte_s;
            CU_ASSERT_EQUAL(found.n_messages, found.n_rounds);
            CU_ASSERT_DOUBLE_EQUAL(cost, least_mixed(p, bytes, &m), 1e-6);
            CU_ASSERT_DOUBLE_EQUAL(
                cost, rpt__allreduce_mixed.cost(&call.c, &m, 4), 1e-6);
        }
    }
}

/* Groups of b for each b that there can be, and a rank more in some of them. */
static void mixing_is_right_in_groups_of_any_size(void)
{
    struct rpt_model m = { .byte_s = 1 };
    uint32_t most = 0;

    for (int p = 4; p <= MAX_P; p++) {
        for (m.message_s = 0; m.message_s < 2000;
             m.message_s += 1 + m.message_s) {
            struct call call = { .kind = RPT_COLL_ALLREDUCE };
            struct cost found;

            fill(&call.c, p, 2 * (size_t)p + 1, 1);
            call.c.model = &m;
            found = largest(&rpt__allreduce_mixed, &call);
            CU_ASSERT(found.n_rounds <= (may_wait(p) ? 3 : 2) * log2_up(p));
            most = found.n_rounds > most ? found.n_rounds : most;
        }
    }
    CU_ASSERT(most >= 2 * log2_up(MAX_P));
}

/* With 1 for a number of the model and 0 for the others it says how often that
 * is charged. */
static void blocks_are_charged(const struct rpt_algorithm *algorithm,
                               rpt_coll_kind_t kind, int p)
{
    static const struct rpt_model byte = { .byte_s = 1 },
                                  message = { .message_s = 1 },
                                  reduced = { .reduce_byte_s = 1 };
    struct call call = { .kind = kind };
    struct cost found;
    uint64_t moved;

    fill(&call.c, p, 6, 6);
    found = largest(algorithm, &call);
    moved = found.n_sent > found.n_received ? found.n_sent : found.n_received;
    CU_ASSERT_EQUAL(moved, 6 * ((uint64_t)p - 1));
    CU_ASSERT_EQUAL(algorithm->cost(&call.c, &byte, 4), 4 * (double)moved);
    CU_ASSERT_EQUAL(algorithm->cost(&call.c, &reduced, 4),
                    4 * (double)found.n_reduced);
    /* Who receives pays in a gather; rounds of the circulant one cost more. */
    if (kind != RPT_COLL_GATHER && strcmp(algorithm->name, "circulant") != 0) {
        CU_ASSERT_EQUAL(algorithm->cost(&call.c, &message, 4),
                        (double)found.n_messages);
    }
}

static void what_is_sent_of_blocks_is_what_the_model_charges(void)
{
    static const struct {
        rpt_coll_kind_t kind;
        const char *name;
    } known[] = { { RPT_COLL_ALLGATHER, "ring" },
                  { RPT_COLL_ALLGATHER, "circulant" },
                  { RPT_COLL_ALLTOALL, "pairwise" },
                  { RPT_COLL_REDUCE_SCATTER, "circulant" },
                  { RPT_COLL_REDUCE_SCATTER, "direct" },
                  { RPT_COLL_GATHER, "linear" },
                  { RPT_COLL_SCATTER, "linear" } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct rpt_algorithm *const *all = rpt__algorithms(known[i].kind);

        while (strcmp((*all)->name, known[i].name) != 0) {
            all++;
        }
        for (int p = 2; p <= 24; p++) {
            blocks_are_charged(*all, known[i].kind, p);
        }
    }
}

static const struct rpt_test tests[] = {
    RPT_TEST(what_only_reads_is_right),
    RPT_TEST(every_vector_is_right_for_1_to_64_ranks),
    RPT_TEST(all_blocks_are_right_for_1_to_64_ranks),
    RPT_TEST(segments_of_any_size_are_right),
    RPT_TEST(a_check_in_front_changes_no_result),
    RPT_TEST(a_check_in_front_waits_for_all),
    RPT_TEST(a_meeting_in_front_changes_no_result),
    RPT_TEST(what_lies_beside_a_flag_is_kept_until_all_have_read_it),
    RPT_TEST(a_thousand_ranks_are_right),
    RPT_TEST(costs_are_those_of_the_papers),
    RPT_TEST(the_circulant_one_is_as_cheap_for_any_number),
    RPT_TEST(many_ranks_wait_for_the_receiver_of_much),
    RPT_TEST(few_large_elements_are_right_for_many_ranks),
    RPT_TEST(an_odd_factor_of_ranks_is_all_that_wraps),
    RPT_TEST(long_vectors_of_many_ranks_are_not_doubled),
    RPT_TEST(most_of_a_long_vector_stays_with_neighbours),
    RPT_TEST(doubling_has_the_least_rounds_for_any_number),
    RPT_TEST(mixing_takes_the_best_groups),
    RPT_TEST(mixing_is_right_in_groups_of_any_size),
    RPT_TEST(what_is_sent_of_blocks_is_what_the_model_charges),
    RPT_TEST_END,
};

int main(int argc, char *argv[])
{
    return rpt_test_main("collectives schedule", tests, 900, argc, argv);
}
