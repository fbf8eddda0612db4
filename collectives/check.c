/*
 * check.c - what one rank can see that is wrong with a call
 */
#include "collectives/plan.h"

#include "base/error.h"
#include "base/size.h"

#include <stdint.h>

static rpt_status_t bad(const rpt_coll_t *coll, const char *why)
{
    rpt__fail(RPT_ERR_INVALID, "%s: bad argument", rpt_coll_name(coll->kind));
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

/* Elements of the buffers as this rank has them. */
struct extent {
    size_t in;
    size_t out;
    bool overflow;
};

static void extend(struct extent *extent, size_t *end, size_t offset,
                   size_t count)
{
    size_t sum;

    if (!rpt__size_add(offset, count, &sum)) {
        extent->overflow = true;
    } else if (count > 0 && sum > *end) {
        *end = sum;
    }
}

/* All blocks, at their offsets. */
static void extend_blocks(struct extent *extent, size_t *end, int n,
                          const size_t *counts, const size_t *offsets)
{
    size_t at = 0;

    for (int r = 0; r < n; r++) {
        extend(extent, end, offsets != NULL ? offsets[r] : at, counts[r]);
        extent->overflow |= !rpt__size_add(at, counts[r], &at);
    }
}

static size_t all_blocks(struct extent *extent, int n, const rpt_coll_t *coll)
{
    size_t end = 0;

    if (coll->counts != NULL) {
        extend_blocks(extent, &end, n, coll->counts, coll->offsets);
    } else if (!rpt__size_mul(coll->count, (size_t)n, &end)) {
        extent->overflow = true;
    }
    return end;
}

static struct extent extent_of(const struct rpt_group *group,
                               const rpt_coll_t *coll)
{
    int n = rpt__group_size(group), rank = rpt__group_rank(group);
    size_t own = coll->counts != NULL ? coll->counts[rank] : coll->count;
    bool is_root = rank == coll->root;
    struct extent e = { 0, 0, false };

    switch (coll->kind) {
    case RPT_COLL_ALLREDUCE:
    case RPT_COLL_SCAN:
        e.in = e.out = coll->count;
        break;
    case RPT_COLL_EXSCAN:
        e.in = coll->count;
        e.out = rank > 0 ? coll->count : 0;
        break;
    case RPT_COLL_REDUCE:
        e.in = coll->count;
        e.out = is_root ? coll->count : 0;
        break;
    case RPT_COLL_BROADCAST:
        e.out = coll->count;
        break;
    case RPT_COLL_ALLGATHER:
        e.in = own;
        e.out = all_blocks(&e, n, coll);
        break;
    case RPT_COLL_GATHER:
        e.in = own;
        e.out = is_root ? all_blocks(&e, n, coll) : 0;
        break;
    case RPT_COLL_SCATTER:
        e.in = is_root ? all_blocks(&e, n, coll) : 0;
        e.out = is_root && coll->out == NULL ? 0 : own;
        break;
    case RPT_COLL_REDUCE_SCATTER:
        e.in = all_blocks(&e, n, coll);
        e.out = own;
        break;
    case RPT_COLL_ALLTOALL:
        e.in = e.out = all_blocks(&e, n, coll);
        if (coll->out_counts != NULL) {
            e.out = 0;
            extend_blocks(&e, &e.out, n, coll->out_counts, coll->out_offsets);
        }
        break;
    case RPT_COLL_BARRIER:
    default:
        break;
    }
    return e;
}

void rpt__coll_extent(const struct rpt_group *group, const rpt_coll_t *coll,
                      size_t *in_out, size_t *out_out)
{
    struct extent e = extent_of(group, coll);

    *in_out = e.in;
    *out_out = e.out;
}

static bool may_be_in_place(const struct rpt_group *group,
                            const rpt_coll_t *coll)
{
    bool is_root = rpt__group_rank(group) == coll->root;

    switch (coll->kind) {
    case RPT_COLL_REDUCE:
    case RPT_COLL_GATHER:
        return is_root;
    case RPT_COLL_SCATTER:
        return false;
    case RPT_COLL_ALLTOALL:
        return coll->counts == NULL;
    default:
        return true;
    }
}

/* Where the input would be if it were in place. */
static const char *own_place(const struct rpt_group *group,
                             const rpt_coll_t *coll, size_t element)
{
    int rank = rpt__group_rank(group);
    size_t before = 0;

    if (coll->kind != RPT_COLL_ALLGATHER && coll->kind != RPT_COLL_GATHER) {
        return coll->out;
    }
    if (coll->offsets != NULL) {
        before = coll->offsets[rank];
    } else if (coll->counts != NULL) {
        for (int r = 0; r < rank; r++) {
            before += coll->counts[r];
        }
    } else {
        before = (size_t)rank * coll->count;
    }
    return (const char *)coll->out + before * element;
}

static rpt_status_t check_buffers(const struct rpt_group *group,
                                  const rpt_coll_t *coll)
{
    struct extent e = extent_of(group, coll);
    size_t element = rpt_type_bytes(coll->type), bytes;
    bool in_place = coll->in == RPT_IN_PLACE, overlap = false;
    rpt_status_t status;

    if (e.overflow || !rpt__size_mul(e.in, element, &bytes) ||
        bytes > PTRDIFF_MAX || !rpt__size_mul(e.out, element, &bytes) ||
        bytes > PTRDIFF_MAX) {
        return rpt__fail(RPT_ERR_OVERFLOW, "%s: counts that no memory can hold",
                         rpt_coll_name(coll->kind));
    }
    if (in_place && !may_be_in_place(group, coll)) {
        return bad(coll, "in place is not allowed here");
    }
    if (coll->in == NULL && e.in > 0) {
        return bad(coll, "the input is NULL");
    }
    if (coll->out == NULL && (e.out > 0 || (in_place && e.in > 0))) {
        return bad(coll, "the output is NULL");
    }
    if (coll->out == RPT_IN_PLACE && e.out > 0) {
        return bad(coll,
                   coll->kind == RPT_COLL_SCATTER
                       ? "the output is RPT_IN_PLACE, which is for inputs "
                         "(NULL leaves the root's block where it is)"
                       : "the output is RPT_IN_PLACE, which is for inputs");
    }
    if (in_place || (may_be_in_place(group, coll) &&
                     coll->in == own_place(group, coll, element))) {
        return RPT_OK;
    }
    status = rpt__coll_overlap(coll, rpt__group_size(group), e.in, e.out,
                               &overlap);
    if (status == RPT_OK && overlap) {
        return bad(coll, "input and output overlap (see RPT_IN_PLACE)");
    }
    return status;
}

rpt_status_t rpt__coll_check(const struct rpt_group *group,
                             const rpt_coll_t *coll)
{
    int n = rpt__group_size(group), rank = rpt__group_rank(group);

    if ((int)coll->kind < 0 || coll->kind > RPT_COLL_EXSCAN) {
        rpt__fail(RPT_ERR_INVALID, "collective: bad argument");
        rpt__fail_why("there is no operation %d", (int)coll->kind);
        return RPT_ERR_INVALID;
    }
    if (rpt_type_bytes(coll->type) == 0) {
        return bad(coll, "there is no such type");
    }
    if (coll->root < 0 || coll->root >= n) {
        return bad(coll, "the root is no rank of the group");
    }
    if (coll->counts == NULL &&
        (coll->offsets != NULL || coll->out_counts != NULL)) {
        return bad(coll, "offsets or output counts, but no counts");
    }
    if (coll->kind == RPT_COLL_REDUCE_SCATTER && coll->offsets != NULL) {
        return bad(coll, "offsets; its blocks are one behind the other");
    }
    if (coll->kind == RPT_COLL_ALLTOALL && coll->counts != NULL &&
        coll->out_counts == NULL) {
        return bad(coll, "counts of the input, but none of the output");
    }
    if (coll->kind == RPT_COLL_ALLTOALL && coll->out_counts != NULL &&
        coll->counts[rank] != coll->out_counts[rank]) {
        return bad(coll, "this rank's block for itself has two counts");
    }
    return check_buffers(group, coll);
}
