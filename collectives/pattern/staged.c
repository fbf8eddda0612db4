/*
 * staged.c - rounds of putting and getting
 *
 * Flag k + 1: round k is in my stage, and I am done with what I got in round
 * k - 1.  So a half is free for round k when those who took from it in round
 * k - 2 show flag k.
 *
 * Cost of n elements on p ranks: a signal and at most p-1 waits a round; who
 * gives copies n in, who takes reads what it takes.
 */
#include "collectives/pattern/staged.h"

static size_t longest(const struct rpt_case *c)
{
    size_t most = c->count;

    if (c->counts != NULL) {
        most = 0;
        for (int r = 0; r < c->n_ranks; r++) {
            most = c->counts[r] > most ? c->counts[r] : most;
        }
    }
    return most;
}

static size_t n_blocks(const struct rpt_staged *staged,
                       const struct rpt_case *c)
{
    return staged->in_blocks && c->n_ranks > 1 ? (size_t)c->n_ranks - 1 : 1;
}

/* Elements of a block that a round moves; one round takes the whole stage, if
 * it is not to be got while it is put. */
static size_t most_of(const struct rpt_staged *staged, const struct rpt_case *c)
{
    size_t room = c->stage_count / n_blocks(staged, c), all = longest(c);
    size_t piece = room / 4;

    if (all > room) {
        return room / 2;
    }
    return staged->in_pieces && piece > 0 && all > piece ? piece : all;
}

bool rpt__staged_applies(const struct rpt_staged *staged,
                         const struct rpt_case *c)
{
    size_t all = longest(c), most = most_of(staged, c);

    return c->n_ranks > 1 && c->n_ranks <= RPT_MAX_INPUTS && c->one_node &&
           c->out_counts == NULL &&
           (all == 0 || (most > 0 && all / most < UINT32_MAX / 4));
}

static bool is_one_of(const struct rpt_case *c, enum rpt_who who, int rank)
{
    return who == RPT_ALL || who == RPT_LOWER ||
           (who == RPT_ROOT && rank == c->root);
}

static void wait_for(const struct rpt_staged *staged, const struct rpt_case *c,
                     struct rpt_schedule *schedule, bool givers, uint32_t value)
{
    enum rpt_who who = givers ? staged->giver : staged->taker;

    for (int i = 1; i < c->n_ranks; i++) {
        int r = (c->rank + i) % c->n_ranks;
        bool is_related = who != RPT_LOWER ||
                          (givers ? r < c->rank : r > c->rank);

        if (is_one_of(c, who, r) && is_related) {
            rpt__step_wait(schedule, r, value);
        }
    }
}

static void build_round(const struct rpt_staged *staged,
                        const struct rpt_case *c, struct rpt_schedule *schedule,
                        struct rpt_round round, uint32_t k)
{
    bool gives = is_one_of(c, staged->giver, c->rank) &&
                 (staged->giver != RPT_LOWER || c->rank + 1 < c->n_ranks);

    if (gives && staged->put != NULL) {
        if (k >= 2) {
            wait_for(staged, c, schedule, false, k);
        }
        staged->put(c, schedule, round);
    }
    rpt__step_signal(schedule, k + 1);
    if (is_one_of(c, staged->taker, c->rank)) {
        wait_for(staged, c, schedule, true, k + 1);
        if (staged->get != NULL) {
            staged->get(c, schedule, round);
        }
    }
}

void rpt__staged_build(const struct rpt_staged *staged,
                       const struct rpt_case *c, struct rpt_schedule *schedule)
{
    size_t all = longest(c), most = most_of(staged, c), from = 0;
    size_t half = most * n_blocks(staged, c);
    uint32_t k = 0;

    do {
        build_round(staged, c, schedule,
                    (struct rpt_round){ from, most, k % 2 * half }, k);
        from += most;
        k++;
    } while (from < all);
    schedule->stage_count = k > 1 ? 2 * half : half;
    schedule->n_values = k;
    schedule->free_value = k + 1; /* who is in the next one has got it */
    if (staged->giver == RPT_ALL && is_one_of(c, staged->taker, c->rank)) {
        schedule->seen_value = k;
    }
}

double rpt__staged_cost(const struct rpt_staged *staged,
                        const struct rpt_case *c, const struct rpt_model *m,
                        size_t bytes)
{
    size_t all = longest(c), most = most_of(staged, c);
    double rounds = most > 0 ? (double)((all + most - 1) / most) : 1;
    double p = c->n_ranks, moved = (double)all * (double)bytes;
    double given = staged->in_blocks ? (p - 1) * moved : moved;
    double taken = staged->giver == RPT_ROOT ? moved : p * moved;

    return (rounds < 1 ? 1 : rounds) * rpt__flags_cost(c, m) +
           (given + taken) * m->copy_byte_s + rpt__across_cost(c, m, moved);
}
