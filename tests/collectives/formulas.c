/*
 * formulas.c - what each rank sends, by the papers that algorithms name
 *
 * Formulas know ranks, elements and segments, and nothing of how schedules are
 * built.  What does not divide evenly is shared out as evenly as can be, the
 * longer parts first.
 */
#include "formulas.h"

/* ---- what formulas are made of ---- */

/* There is no message of no elements. */
struct sent message(uint64_t n_elements)
{
    return (struct sent){ n_elements > 0, n_elements };
}

struct sent plus(struct sent a, struct sent b)
{
    return (struct sent){ a.n_messages + b.n_messages,
                          a.n_elements + b.n_elements };
}

struct sent times(uint64_t n, struct sent one)
{
    return (struct sent){ n * one.n_messages, n * one.n_elements };
}

static struct sent in_segments(const struct call *call, uint64_t n_elements)
{
    uint64_t segment = call->c.segment;

    return (struct sent){ (n_elements + segment - 1) / segment, n_elements };
}

struct sent nothing(void)
{
    return (struct sent){ 0, 0 };
}

static int rounds_of(int p)
{
    int n = 0;

    while (1 << n < p) {
        n++;
    }
    return n;
}

static int modulo(int a, int n)
{
    return ((a % n) + n) % n;
}

/* Part i of `n` elements in so many parts. */
static uint64_t share(uint64_t n, int parts, int i)
{
    return (n + (uint64_t)(parts - 1 - i)) / (uint64_t)parts;
}

/* Blocks of a vector, one behind the other; or apart, each a message. */
struct cut {
    int n;
    uint64_t size[MAX_P];
    bool apart;
};

static struct cut cut_evenly(uint64_t n_elements, int n)
{
    struct cut cut = { .n = n };

    for (int i = 0; i < n; i++) {
        cut.size[i] = share(n_elements, n, i);
    }
    return cut;
}

/* The blocks of the ranks; of a vector, those it is cut into. */
static struct cut blocks_of(const struct call *call)
{
    int p = call->c.n_ranks;
    struct cut cut = cut_evenly(call->c.count, p);

    cut.apart = call->counts != NULL;
    for (int i = 0; has_blocks(call->kind) && i < p; i++) {
        cut.size[i] = cut.apart ? call->counts[i] : call->c.count;
    }
    return cut;
}

/* Blocks from `first` on: what goes over the end is a message more. */
static struct sent run(const struct cut *cut, int first, int n)
{
    struct sent sum = nothing();
    uint64_t part = 0;

    for (int i = 0; i < n; i++) {
        int block = modulo(first + i, cut->n);

        if (cut->apart || block == 0) {
            sum = plus(sum, message(part));
            part = 0;
        }
        part += cut->size[block];
    }
    return plus(sum, message(part));
}

static uint64_t elements(const struct cut *cut, int first, int n)
{
    return run(cut, first, n).n_elements;
}

/* Each block but one, a message each. */
static struct sent all_but(const struct cut *cut, int block)
{
    struct sent sum = nothing();

    for (int i = 1; i < cut->n; i++) {
        sum = plus(sum, message(cut->size[modulo(block + i, cut->n)]));
    }
    return sum;
}

/* ---- circulant graphs: Traeff 2024, arXiv:2410.14234 ----
 *
 * Round k of ceil(log2 p) has the distance ceil(p/2^k).  Sharing out, a rank
 * gives away what lies between this distance and the one before; putting
 * together it sends as many blocks from its own on, the way back. */

static int distance(int p, int k)
{
    return (p + (1 << k) - 1) >> k;
}

static struct sent shared_out(const struct cut *cut, int mine)
{
    struct sent sum = nothing();

    for (int k = 1; k <= rounds_of(cut->n); k++) {
        int s = distance(cut->n, k), n = distance(cut->n, k - 1) - s;

        sum = plus(sum, run(cut, mine + s, n));
    }
    return sum;
}

static struct sent put_together(const struct cut *cut, int mine)
{
    struct sent sum = nothing();

    for (int k = 1; k <= rounds_of(cut->n); k++) {
        int n = distance(cut->n, k - 1) - distance(cut->n, k);

        sum = plus(sum, run(cut, mine, n));
    }
    return sum;
}

/* ---- halving and doubling ----
 *
 * Rabenseifner 2004, doi:10.1007/978-3-540-24685-5_1; Thakur, Rabenseifner,
 * Gropp 2005, doi:10.1177/1094342005051521.  Member i of 2^k has, when they
 * have halved so often, part i of 2^k in a vector dealt out like cards. */

/* All but the own part goes away. */
static struct sent halved(uint64_t n_elements, int members, int mine)
{
    struct sent sum = nothing();

    for (int m = 2; m <= members; m *= 2) {
        sum = plus(sum, message(share(n_elements, m, (mine ^ m / 2) % m)));
    }
    return sum;
}

/* The own part, then the double, to half of the vector. */
static struct sent gathered(uint64_t n_elements, int members, int mine)
{
    struct sent sum = nothing();

    for (int m = 2; m <= members; m *= 2) {
        sum = plus(sum, message(share(n_elements, m, mine % m)));
    }
    return sum;
}

/* Messages of a member.  For 2^k members one a round.  Else, with n = 2^k m and
 * m odd, they are 2^k (m+1)/2 on the left and 2^k (m-1)/2 on the right; 2^k on
 * the left have no partner, and the first on the right send to these, too. */
static uint64_t doubled(int n, int mine)
{
    int even = n & -n, left = even == n ? n / 2 : (n + even) / 2;
    int right = n - left;

    if (n == 1) {
        return 0;
    }
    if (mine < left) {
        return doubled(left, mine) + (mine < right);
    }
    return doubled(right, mine - left) + 1 + (mine - left < left - right);
}

static struct sent doubled_among(uint64_t n, int g, int mine)
{
    return times(doubled(g, mine), message(n));
}

/* p ranks in g groups of b = 2^k neighbours, the first p - b g groups with one
 * more: the last of its group, which gives each of the others its part, and
 * gets the result.  Parts are doubled among the groups (Barnett et al. 1994,
 * SHPCC). */
struct sent grouped(const struct call *call, int rank, int b)
{
    int p = call->c.n_ranks, g = p / b, n_more = p - b * g;
    bool has_more = rank < n_more * (b + 1);
    int group = has_more ? rank / (b + 1) : (rank - n_more) / b;
    int mine = has_more ? rank % (b + 1) : (rank - n_more) % b;
    uint64_t n = call->c.count;
    struct sent sum = nothing();

    if (mine == b) {
        for (int i = 0; i < b; i++) {
            sum = plus(sum, message(share(n, b, i)));
        }
        return sum;
    }
    sum = plus(halved(n, b, mine), gathered(n, b, mine));
    sum = plus(sum, doubled_among(share(n, b, mine), g, group));
    return has_more ? plus(sum, message(share(n, b, mine))) : sum;
}

struct sent doubling(const struct call *call, int rank)
{
    return doubled_among(call->c.count, call->c.n_ranks, rank);
}

/* Those above the largest power of two are folded in: they give a neighbour the
 * vector, and get the result. */
struct sent halving(const struct call *call, int rank)
{
    int p = call->c.n_ranks, members = 1 << rounds_of(p), n_more, mine;
    uint64_t n = call->c.count;
    struct sent sum;

    members = members > p ? members / 2 : members;
    n_more = p - members;
    if (rank < 2 * n_more && rank % 2 == 1) {
        return message(n);
    }
    mine = rank < 2 * n_more ? rank / 2 : rank - n_more;
    sum = plus(halved(n, members, mine), gathered(n, members, mine));
    return rank < 2 * n_more ? plus(sum, message(n)) : sum;
}

/* ---- levels ----
 *
 * p = f 2 2 ... g left: the ranks of a level, which are as far apart as all
 * levels before have ranks, share out what they have and put it together again;
 * those that are left double. */

struct levels levels_of(int p, int f, int g)
{
    struct levels levels = { .n = 0, .left = p / f / g };

    levels.factors[levels.n++] = f;
    for (; levels.left % 2 == 0; levels.left /= 2) {
        levels.factors[levels.n++] = 2;
    }
    levels.factors[levels.n++] = g;
    return levels;
}

/* Beside the paper: of more ranks than a switch has ports, and no power of two,
 * who brings back more than a message is worth hears first, in one element,
 * that it is wanted. */
static struct sent asked(const struct call *call, const struct cut *cut)
{
    const struct rpt_model *m = call->c.model;
    int p = call->c.n_ranks, f = cut->n;
    double bytes = 4 * (double)elements(cut, 0, f) / f;
    struct sent sum = nothing();

    for (int k = 1; p > 16 && p != 1 << rounds_of(p) && k <= rounds_of(f);
         k++) {
        if ((distance(f, k - 1) - distance(f, k)) * bytes * m->byte_s >
            m->message_s) {
            sum = plus(sum, message(1));
        }
    }
    return sum;
}

struct sent in_levels(const struct call *call, int rank,
                      const struct levels *levels)
{
    uint64_t n = call->c.count;
    struct sent sum = nothing();
    int stride = 1;

    for (int i = 0; i < levels->n; i++) {
        int f = levels->factors[i], mine = rank / stride % f;
        struct cut cut = cut_evenly(n, f);

        sum = plus(sum,
                   plus(shared_out(&cut, mine),
                        plus(put_together(&cut, mine), asked(call, &cut))));
        n = cut.size[mine];
        stride *= f;
    }
    return plus(sum, doubled_among(n, levels->left, rank / stride));
}

/* ---- all-reduce ---- */

/* Patarasuk, Yuan 2009, doi:10.1016/j.jpdc.2008.09.002: each block but the one
 * that comes last goes on, adding, and all but one when they come back. */
struct sent ring(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);
    struct sent sum = nothing();

    for (int i = 2; i <= cut.n; i++) {
        sum = plus(sum, in_segments(call, cut.size[modulo(rank + i, cut.n)]));
    }
    for (int i = 3; i <= cut.n + 1; i++) {
        sum = plus(sum, in_segments(call, cut.size[modulo(rank + i, cut.n)]));
    }
    return sum;
}

struct sent direct(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);
    uint64_t others = (uint64_t)cut.n - 1;

    return plus(all_but(&cut, rank), times(others, message(cut.size[rank])));
}

/* ---- trees, from the root ---- */

static int from_root(const struct call *call, int rank)
{
    return modulo(rank - call->c.root, call->c.n_ranks);
}

/* Ranks below this one in a binomial tree, and itself. */
static int subtree(int p, int v)
{
    int n = v == 0 ? p : v & -v;

    return v + n < p ? n : p - v;
}

int n_children(int p, int v)
{
    return rounds_of(subtree(p, v));
}

/* The blocks in the order of the tree. */
static struct cut from_root_on(const struct call *call)
{
    struct cut cut = blocks_of(call), turned = cut;

    for (int v = 0; has_blocks(call->kind) && v < cut.n; v++) {
        turned.size[v] = cut.size[(v + call->c.root) % cut.n];
    }
    turned.apart = false;
    return turned;
}

struct sent to_children(const struct call *call, int rank)
{
    int children = n_children(call->c.n_ranks, from_root(call, rank));

    return times((uint64_t)children, in_segments(call, call->c.count));
}

/* A child gets its whole subtree at once. */
struct sent blocks_to_children(const struct call *call, int rank)
{
    struct cut cut = from_root_on(call);
    int v = from_root(call, rank);
    struct sent sum = nothing();

    for (int i = 0; i < n_children(cut.n, v); i++) {
        int child = v + (1 << i);

        sum = plus(sum, message(elements(&cut, child, subtree(cut.n, child))));
    }
    return sum;
}

struct sent subtree_to_parent(const struct call *call, int rank)
{
    struct cut cut = from_root_on(call);
    int v = from_root(call, rank);

    return v == 0 ? nothing() : message(elements(&cut, v, subtree(cut.n, v)));
}

struct sent vector_to_parent(const struct call *call, int rank)
{
    int top = call->c.commutative ? call->c.root : 0;

    /* In order the sum is made by rank 0, which sends it to the root. */
    return (call->c.commutative ? rank != top : rank > 0 || call->c.root != top)
               ? in_segments(call, call->c.count)
               : nothing();
}

struct sent vector_to_root(const struct call *call, int rank)
{
    return rank != call->c.root ? in_segments(call, call->c.count) : nothing();
}

/* Rabenseifner 2004, with a circulant graph for any p. */
struct sent sum_to_root(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);

    return plus(shared_out(&cut, rank),
                rank != call->c.root ? message(cut.size[rank]) : nothing());
}

/* Barnett et al. 1994: a scatter, and a ring that ends before the root. */
struct sent van_de_geijn(const struct call *call, int rank)
{
    struct cut cut = from_root_on(call);
    int v = from_root(call, rank), last = cut.n - 1;

    return plus(blocks_to_children(call, rank),
                v != last ? all_but(&cut, v + 1) : nothing());
}

/* ---- blocks ---- */

struct sent own_to_root(const struct call *call, int rank)
{
    return rank != call->c.root ? message(blocks_of(call).size[rank])
                                : nothing();
}

struct sent each_its_own(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);

    return all_but(&cut, rank);
}

struct sent root_each_its_own(const struct call *call, int rank)
{
    return rank == call->c.root ? each_its_own(call, rank) : nothing();
}

struct sent round_the_ring(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);

    return all_but(&cut, modulo(rank + 1, cut.n));
}

struct sent blocks_shared_out(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);

    return shared_out(&cut, rank);
}

struct sent blocks_put_together(const struct call *call, int rank)
{
    struct cut cut = blocks_of(call);

    return put_together(&cut, rank);
}

/* Bruck et al. 1997, doi:10.1109/71.642949: in round k the blocks whose way has
 * bit k set, of the ways 0 to p - 1. */
struct sent bruck(const struct call *call, int rank)
{
    int p = call->c.n_ranks;
    struct sent sum = nothing();

    (void)rank;
    for (int k = 0; k < rounds_of(p); k++) {
        int half = 1 << k, rest = p % (2 * half);
        int n = p / (2 * half) * half + (rest > half ? rest - half : 0);

        sum = plus(sum, message((uint64_t)n * call->c.count));
    }
    return sum;
}

/* ---- barrier, scan ---- */

/* Hensgen, Finkel, Manber 1988, doi:10.1007/BF01379320. */
struct sent dissemination(const struct call *call, int rank)
{
    (void)rank;
    return times((uint64_t)rounds_of(call->c.n_ranks), message(1));
}

/* Hillis, Steele 1986, doi:10.1145/7902.7903: to those 1, 2, 4 ... above. */
struct sent upwards(const struct call *call, int rank)
{
    return times((uint64_t)rounds_of(call->c.n_ranks - rank),
                 message(call->c.count));
}

struct sent to_the_next(const struct call *call, int rank)
{
    return rank + 1 < call->c.n_ranks ? in_segments(call, call->c.count)
                                      : nothing();
}
