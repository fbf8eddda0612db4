/*
 * levels.c - all-reduce of p = f g h ... ranks in levels
 *
 * In a level of f the ranks cut what they have into f blocks and share them
 * out on a circulant graph: with distances s = ceil(f/2), ceil(s/2), ... 1 a
 * rank sends, s ranks further, the blocks from s on of those it is still
 * concerned with (counted from its own), and adds what comes from s ranks
 * before.  After ceil(log2 f) rounds it has the sum of its own block.  The same
 * distances backward bring all blocks to all.
 *
 *      f = 5, rank r:   blocks r .. r+4   s = 3: sends r+3, r+4
 *                       blocks r .. r+2   s = 2: sends r+2
 *                       blocks r, r+1     s = 1: sends r+1
 *
 * First f neighbours do so, then the g ranks that got the same block from their
 * f, and so on, so that most bytes go to neighbours.  Levels are the factors 2
 * of p, then an odd one in one piece or two.
 *
 *      p = 12:  0 1, 2 3, ...    0 2, 1 3, 4 6 ...    0 4 8, 1 5 9 ...
 *
 * Cost for n elements in levels of b = f g h ... ranks together: 2 (b-1)/b n
 * elements sent and (b-1)/b n reductions on each rank, and 2 ceil(log2 f)
 * rounds for each f (Traeff 2024, arXiv:2410.14234).  A round is two messages
 * where its blocks go over the end of what is cut.  Of many ranks, no power of
 * 2, a long round back begins when its receiver is ready: one element more.
 */
#include "collectives/algorithm/allreduce/levels.h"
#include "collectives/pattern/wrapped.h"

#include <math.h>

/* The members of one level, and what they cut. */
struct level {
    struct rpt_members m;
    struct rpt_range whole;
};

/* Whether a rank that is to send so many bytes back waits until the receiver is
 * ready.  Each of these rounds brings about as much as all before it: who is
 * ahead takes from the link of one that is behind, which falls further behind.
 * At one switch, or when all go in step, nobody is ahead. */
static bool waits(const struct rpt_case *c, const struct rpt_model *m,
                  double bytes)
{
    int p = c->n_ranks;

    return p > RPT_SWITCH_PORTS && (p & (p - 1)) != 0 &&
           bytes * m->byte_s > m->message_s;
}

/* ---- which levels ---- */

/* f, the factors 2, and g; f and g may be 1. */
static struct rpt_levels levels_of(int p, int f, int g)
{
    struct rpt_levels levels = { .n = 0 };
    int odd = p;

    if (f > 1) {
        levels.factors[levels.n++] = f;
    }
    for (; odd % 2 == 0; odd /= 2) {
        levels.factors[levels.n++] = 2;
    }
    if (g > 1) {
        levels.factors[levels.n++] = g;
    }
    levels.n_left = odd / f / g;
    return levels;
}

/* Two exchange.  Of more some send to the other end, in two messages, and a
 * message beside one is half of one; and since these go another way than the
 * others do, they share a link of it where there are several switches. */
static double cost_of(const struct rpt_case *c, const struct rpt_levels *levels,
                      const struct rpt_model *m, double bytes)
{
    int n_messages = 0;
    double b = 1, shared = 0;

    for (int i = 0; i < levels->n; i++) {
        int skips[RPT_SKIPS_MAX], f = levels->factors[i];
        int n = rpt__skips(f, skips);

        n_messages += f == 2 ? 2 : 3 * n;
        for (int k = 1; k <= n; k++) {
            n_messages += waits(c, m,
                                (skips[k - 1] - skips[k]) * bytes / b / f);
        }
        if (f > 2 && rpt__share_links(f, (int)b)) {
            shared += 2 * (f - 1.0) / f * bytes / b;
        }
        b *= f;
    }
    return n_messages * m->message_s + 2 * (b - 1) / b * bytes * m->byte_s +
           shared * m->byte_s + bytes * m->reduce_byte_s +
           rpt__exchange_double_cost(levels->n_left, (int)b, m, bytes / b);
}

/* The next divisor of n above f; n + 1: none. */
static int next_divisor(int n, int f)
{
    do {
        f++;
    } while (f <= n && n % f > 0);
    return f;
}

struct rpt_levels rpt__levels_find(const struct rpt_case *c,
                                   const struct rpt_model *m, size_t bytes,
                                   bool leaves_some, double *cost_out)
{
    double n = (double)c->count * (double)bytes;
    struct rpt_levels best = { .n = 0 };
    int odd = c->n_ranks;

    for (; odd % 2 == 0; odd /= 2) {
    }
    *cost_out = INFINITY;
    for (int f = 1; f <= odd; f = next_divisor(odd, f)) {
        for (int g = 1; g <= odd / f; g = next_divisor(odd / f, g)) {
            struct rpt_levels found = levels_of(c->n_ranks, f, g);
            double cost = cost_of(c, &found, m, n);

            if (leaves_some == (found.n_left > 1) && cost < *cost_out) {
                *cost_out = cost;
                best = found;
            }
        }
    }
    return best;
}

/* ---- steps ---- */

static struct rpt_place at(struct rpt_place place, size_t offset)
{
    place.offset += offset;
    return place;
}

static int rank_at(const struct level *level, int distance)
{
    const struct rpt_members *m = &level->m;

    return rpt__member_rank(m, rpt__modulo(m->mine + distance, m->n));
}

/* Blocks first to end - 1, counted from the own one.  Both sides divide them
 * where the whole ends, so that they agree. */
static int pieces_of(const struct level *level, int first, int end,
                     struct rpt_range pieces[2])
{
    struct rpt_case alone = { .n_ranks = level->m.n,
                              .count = level->whole.count };
    int n = rpt__vector_pieces(&alone, level->m.mine, first, end, pieces);

    for (int i = 0; i < n; i++) {
        pieces[i].offset += level->whole.offset;
    }
    return n;
}

static void send_blocks(const struct rpt_exchange *x, const struct level *level,
                        int distance, int first, int end)
{
    struct rpt_range pieces[2];
    int n = pieces_of(level, first, end, pieces);

    for (int i = 0; i < n; i++) {
        rpt__step_send(x->schedule, rank_at(level, distance),
                       at(x->mine, pieces[i].offset), pieces[i].count);
    }
}

static void receive_blocks(const struct rpt_exchange *x,
                           const struct level *level, int distance, int first,
                           int end)
{
    struct rpt_range pieces[2];
    int n = pieces_of(level, first, end, pieces);

    for (int i = 0; i < n; i++) {
        rpt__step_recv(x->schedule, rank_at(level, distance),
                       rpt__output(pieces[i].offset), pieces[i].count);
    }
}

static void reduce_blocks(const struct rpt_exchange *x,
                          const struct level *level, int distance, int end)
{
    struct rpt_range pieces[2];
    int n = pieces_of(level, 0, end, pieces);

    for (int i = 0; i < n; i++) {
        size_t offset = pieces[i].offset;
        struct rpt_place both[2] = { rpt__scratch(offset),
                                     at(x->mine, offset) };

        rpt__step_recv(x->schedule, rank_at(level, distance), both[0],
                       pieces[i].count);
        rpt__step_reduce(x->schedule, rpt__output(offset), both, 2,
                         pieces[i].count);
    }
}

/* The block that the first round of an odd number leaves alone. */
static void copy_middle(const struct rpt_exchange *x, const struct level *level)
{
    int f = level->m.n;
    struct rpt_range pieces[2];

    if (f % 2 == 1 && x->mine.kind == RPT_IN_INPUT) {
        pieces_of(level, f / 2, f / 2 + 1, pieces);
        rpt__step_copy(x->schedule, rpt__output(pieces[0].offset),
                       at(x->mine, pieces[0].offset), pieces[0].count);
    }
}

static void scatter(struct rpt_exchange *x, const struct level *level)
{
    int skips[RPT_SKIPS_MAX], n = rpt__skips(level->m.n, skips);

    copy_middle(x, level);
    for (int k = 1; k <= n; k++) {
        int s = skips[k];

        send_blocks(x, level, s, s, skips[k - 1]);
        reduce_blocks(x, level, -s, skips[k - 1] - s);
        x->mine = rpt__output(0);
    }
    x->part = rpt__blocks_of(level->whole, level->m.n, level->m.mine);
}

/* Tells the sender, s ranks further, that this rank is ready, and hears it from
 * the receiver: an element that both have no use for. */
static void meet(const struct rpt_exchange *x, const struct level *level, int s)
{
    rpt__step_send(x->schedule, rank_at(level, s), rpt__output(x->part.offset),
                   1);
    rpt__step_recv(x->schedule, rank_at(level, -s), rpt__scratch(0), 1);
}

/* Where all have an element in their part, they can say that they are ready. */
static void gather(const struct rpt_exchange *x, const struct level *level,
                   bool all_have_some)
{
    int skips[RPT_SKIPS_MAX], n = rpt__skips(level->m.n, skips);
    double bytes = (double)level->whole.count * (double)x->c->element_bytes;

    for (int k = n; k >= 1; k--) {
        int s = skips[k], end = skips[k - 1];

        if (all_have_some &&
            waits(x->c, x->c->model, (end - s) * bytes / level->m.n)) {
            meet(x, level, s);
        }
        send_blocks(x, level, -s, 0, end - s);
        receive_blocks(x, level, s, s, end);
    }
}

/* n ranks that are a stride apart, of which this is one. */
static struct rpt_members members(int rank, int n, int stride)
{
    int mine = rank / stride % n;

    return (struct rpt_members){ n, mine, rank - mine * stride, stride, 0 };
}

void rpt__levels_build(const struct rpt_case *c, struct rpt_schedule *schedule,
                       const struct rpt_levels *levels)
{
    struct rpt_exchange x = { c, schedule, rpt__input(0), { 0, c->count } };
    struct level level[RPT_LEVELS_MAX];
    struct rpt_members left;
    int stride = 1;

    schedule->scratch_count = c->count;
    for (int i = 0; i < levels->n; i++) {
        int f = levels->factors[i];

        level[i] = (struct level){ members(c->rank, f, stride), x.part };
        scatter(&x, &level[i]);
        stride *= f;
    }
    rpt__step_flush(schedule, 0); /* what was given away comes back */
    left = members(c->rank, levels->n_left, stride);
    rpt__exchange_double(&x, &left);
    for (int i = levels->n - 1; i >= 0; i--) {
        gather(&x, &level[i], c->count >= (size_t)stride);
    }
}
