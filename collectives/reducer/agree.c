/*
 * agree.c - all ranks describe the same reducer, or learn who does not
 *
 * Each tells all others what its reducer is, with a hash of the counts.  Where
 * hashes differ, the first array that differs is found by halves, a hash of
 * the first half at a time, which all ranks do together.
 *
 * Cost: one exchange (comm/exchange.c), and log2 n more when lists differ.
 */
#include "collectives/reducer/reducer.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>

/* What a rank tells. */
struct card {
    int32_t status;
    int32_t type;
    uint32_t op; /* of a user: whether it is commutative */
    int32_t wire;
    uint64_t bucket_bytes;
    uint64_t n_arrays;
    uint64_t counts; /* a hash */
};

struct agreement {
    struct rpt_group *group;
    int size;
    uint64_t *counts; /* this rank's */
    uint64_t n_arrays;
    struct card *cards; /* of all ranks */
    uint64_t *told;     /* one number of each rank */
};

static uint64_t hash_of(const struct agreement *a, uint64_t n)
{
    return rpt__hash64(a->counts, (size_t)n * sizeof *a->counts, 0);
}

/* ---- the first array that differs ---- */

/* A rank that told something else than rank 0; 0: there is none. */
static int first_other(const struct agreement *a)
{
    int r = 1;

    while (r < a->size && a->told[r] == a->told[0]) {
        r++;
    }
    return r < a->size ? r : 0;
}

static rpt_status_t tell(const struct agreement *a, uint64_t mine)
{
    return rpt__group_exchange(a->group, "rpt_reducer_create", &mine,
                               sizeof mine, a->told);
}

/* How many arrays, of the first n, are the same on all ranks. */
static rpt_status_t count_same(const struct agreement *a, uint64_t n,
                               uint64_t *same_out)
{
    uint64_t same = 0, other = n + 1; /* the first `other` are not */
    rpt_status_t status = RPT_OK;

    while (status == RPT_OK && same + 1 < other) {
        uint64_t middle = same + (other - same) / 2;

        status = tell(a, hash_of(a, middle));
        if (status == RPT_OK && first_other(a) == 0) {
            same = middle;
        } else {
            other = middle;
        }
    }
    *same_out = same;
    return status;
}

static rpt_status_t name_array(const struct agreement *a)
{
    uint64_t n = a->n_arrays, same = 0;
    rpt_status_t status;
    int other;

    for (int r = 0; r < a->size; r++) {
        n = a->cards[r].n_arrays < n ? a->cards[r].n_arrays : n;
    }
    status = count_same(a, n, &same);
    if (status == RPT_OK) {
        status = tell(a, same < n ? a->counts[same] : a->n_arrays);
    }
    if (status != RPT_OK) {
        return status;
    }
    other = first_other(a);
    if (same < n) {
        return rpt__fail(RPT_ERR_MISMATCH,
                         "array %llu of a reducer has %llu elements on rank 0 "
                         "and %llu on rank %d (ranks of a group of %d)",
                         (unsigned long long)same,
                         (unsigned long long)a->told[0],
                         (unsigned long long)a->told[other], other, a->size);
    }
    return rpt__fail(RPT_ERR_MISMATCH,
                     "a reducer has %llu arrays on rank 0 and %llu on rank %d, "
                     "the first %llu are the same (ranks of a group of %d)",
                     (unsigned long long)a->told[0],
                     (unsigned long long)a->told[other], other,
                     (unsigned long long)n, a->size);
}

/* ---- cards ---- */

static bool is_same_kind(const struct card *a, const struct card *b)
{
    return a->type == b->type && a->op == b->op && a->wire == b->wire &&
           a->bucket_bytes == b->bucket_bytes;
}

static const char *op_text(const struct card *card)
{
    return card->op < RPT_OP_USER_0 ? rpt_op_name((rpt_op_t)card->op)
                                    : "an operator of the user";
}

static const char *type_text(const struct card *card)
{
    return card->type < RPT_N_TYPES ? rpt_type_name((rpt_type_t)card->type)
                                    : "opaque elements";
}

static rpt_status_t name_kinds(const struct agreement *a, int rank)
{
    const struct card *first = &a->cards[0], *other = &a->cards[rank];

    return rpt__fail(
        RPT_ERR_MISMATCH,
        "rank 0 makes a reducer with %s of %s, %sbuckets of %llu bytes; rank "
        "%d with %s of %s, %sbuckets of %llu bytes (ranks of a group of %d)",
        op_text(first), type_text(first),
        first->wire == RPT_WIRE_BF16 ? "as bf16, " : "",
        (unsigned long long)first->bucket_bytes, rank, op_text(other),
        type_text(other), other->wire == RPT_WIRE_BF16 ? "as bf16, " : "",
        (unsigned long long)other->bucket_bytes, a->size);
}

/* All ranks look at the same cards, so they come to the same end. */
static rpt_status_t compare(const struct agreement *a)
{
    for (int r = 0; r < a->size; r++) {
        if (a->cards[r].status != RPT_OK) {
            return rpt__fail(
                RPT_ERR_PEER, "rank %d of %d could not make its reducer (%s)",
                r, a->size, rpt_status_text((rpt_status_t)a->cards[r].status));
        }
    }
    for (int r = 1; r < a->size; r++) {
        if (!is_same_kind(&a->cards[0], &a->cards[r])) {
            return name_kinds(a, r);
        }
    }
    for (int r = 1; r < a->size; r++) {
        if (a->cards[r].n_arrays != a->cards[0].n_arrays ||
            a->cards[r].counts != a->cards[0].counts) {
            return name_array(a);
        }
    }
    return RPT_OK;
}

/* Of a user's operator no more than that is the same on all ranks. */
static uint32_t code_of(rpt_type_t type, rpt_op_t op)
{
    struct rpt_combine combine;
    uint32_t code = (uint32_t)op;

    if (op >= RPT_OP_USER_0 &&
        rpt__combine_create(&combine, type, op) == RPT_OK) {
        code = RPT_OP_USER_0 + (combine.commutative ? 1 : 0);
        rpt__combine_release(&combine);
    }
    return code;
}

static struct card card_of(const struct agreement *a, rpt_status_t status,
                           const struct rpt_reducer *reducer)
{
    struct card card = { .status = status };

    if (status == RPT_OK) {
        const rpt_reducer_config_t *config = &reducer->config;

        card.type = (int32_t)config->type;
        card.op = code_of(config->type, config->op);
        card.wire = (int32_t)config->wire;
        card.bucket_bytes = config->bucket_bytes;
        card.n_arrays = a->n_arrays;
        card.counts = hash_of(a, a->n_arrays);
    }
    return card;
}

rpt_status_t rpt__reducer_agree(struct rpt_group *group, rpt_status_t status,
                                const struct rpt_reducer *reducer,
                                const rpt_reducer_array_t arrays[],
                                size_t n_arrays)
{
    int size = rpt__group_size(group);
    struct agreement a = { .group = group, .size = size };
    rpt_status_t found;
    struct card mine;

    a.n_arrays = status == RPT_OK ? n_arrays : 0;
    a.counts = calloc((size_t)a.n_arrays + 1, sizeof *a.counts);
    a.cards = calloc((size_t)size, sizeof *a.cards);
    a.told = calloc((size_t)size, sizeof *a.told);
    if (a.counts == NULL || a.cards == NULL || a.told == NULL) {
        found = rpt__group_fail(group, rpt__fail_nomem((size_t)size));
        goto out;
    }
    for (size_t i = 0; i < a.n_arrays; i++) {
        a.counts[i] = arrays[i].count;
    }
    mine = card_of(&a, status, reducer);
    found = rpt__group_exchange(group, "rpt_reducer_create", &mine, sizeof mine,
                                a.cards);
    if (found == RPT_OK && status == RPT_OK) {
        found = compare(&a);
    }
out:
    free(a.counts);
    free(a.cards);
    free(a.told);
    return found == RPT_OK ? status : found;
}
