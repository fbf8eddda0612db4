/*
 * bytes.c - the buffers of calls that move data, as bytes
 *
 * MPI lets a rank give four integers and another one take an element of a type
 * that has four integers somewhere in it.  So ranks agree on bytes, not on
 * types: each one makes of its own buffer a row of bytes in the order of
 * sending, in place where the type allows, else in a copy that PMPI_Pack and
 * PMPI_Unpack fill and empty.
 *
 * Cost: three questions to the MPI for a buffer; a copy where it is not dense.
 * It does not look into structs and vectors that happen to have no holes: these
 * are copied too.
 */
#include "collectives/pmpi/shim.h"

#include <limits.h>
#include <stdlib.h>

/* Of one call of MPI_Pack, whose counts are int. */
enum { PACK_BYTES = 1 << 30, N_NESTED = 16 };

/* ---- types ---- */

static bool is_dense(MPI_Datatype type, int depth);

/* Of a type that is made of one other. */
static bool inner_is_dense(MPI_Datatype type, int n_ints, int n_addresses,
                           int depth)
{
    int ints[4], n[4];
    MPI_Aint addresses[4];
    MPI_Datatype inner = MPI_DATATYPE_NULL;
    int combiner = MPI_COMBINER_NAMED;
    bool dense;

    PMPI_Type_get_contents(type, n_ints, n_addresses, 1, ints, addresses,
                           &inner);
    dense = is_dense(inner, depth + 1);
    PMPI_Type_get_envelope(inner, &n[0], &n[1], &n[2], &combiner);
    if (combiner != MPI_COMBINER_NAMED &&
        combiner != MPI_COMBINER_F90_INTEGER &&
        combiner != MPI_COMBINER_F90_REAL &&
        combiner != MPI_COMBINER_F90_COMPLEX) {
        PMPI_Type_free(&inner);
    }
    return dense;
}

/* That size and extent are the same is not enough: the parts of an element may
 * be sent in another order than they lie, or one of them twice. */
static bool is_dense(MPI_Datatype type, int depth)
{
    MPI_Aint lower = 0, extent = 0;
    MPI_Count size = 0;
    int n_ints = 0, n_addresses = 0, n_types = 0, combiner = 0;

    PMPI_Type_get_extent(type, &lower, &extent);
    PMPI_Type_size_x(type, &size);
    if (lower != 0 || (MPI_Count)extent != size) {
        return false;
    }
    PMPI_Type_get_envelope(type, &n_ints, &n_addresses, &n_types, &combiner);
    switch (combiner) {
    case MPI_COMBINER_NAMED:
    case MPI_COMBINER_F90_INTEGER:
    case MPI_COMBINER_F90_REAL:
    case MPI_COMBINER_F90_COMPLEX:
        return true;
    case MPI_COMBINER_DUP:
    case MPI_COMBINER_CONTIGUOUS:
    case MPI_COMBINER_RESIZED:
        return depth < N_NESTED && n_ints <= 4 && n_addresses <= 4 &&
               n_types == 1 && inner_is_dense(type, n_ints, n_addresses, depth);
    default:
        return false;
    }
}

static void set_type(struct rpt_pmpi_side *side, MPI_Comm comm,
                     const void *buffer, MPI_Datatype type)
{
    MPI_Aint lower = 0;
    MPI_Count size = 0;

    side->comm = comm;
    side->buffer = (char *)buffer;
    side->type = type;
    PMPI_Type_get_extent(type, &lower, &side->extent);
    PMPI_Type_size_x(type, &size);
    side->element_bytes = size > 0 ? (size_t)size : 0;
    side->is_dense = !side->copy && is_dense(type, 0);
}

/* ---- the two forms ---- */

void rpt__pmpi_side_set(struct rpt_pmpi_side *side, MPI_Comm comm,
                        const void *buffer, size_t count, MPI_Datatype type)
{
    set_type(side, comm, buffer, type);
    side->count = count;
    side->bytes = count * side->element_bytes;
}

void rpt__pmpi_side_set_blocks(struct rpt_pmpi_side *side,
                               const struct rpt_pmpi_call *call,
                               const void *buffer, const int counts[],
                               const int places[], MPI_Datatype type)
{
    int n = call->size, lowest = INT_MAX;

    set_type(side, call->comm, buffer, type);
    side->n_blocks = n;
    side->counts = counts;
    side->places = places;
    side->block_bytes = malloc(2 * (size_t)n * sizeof(size_t));
    if (side->block_bytes == NULL) {
        rpt__pmpi_die("there is no memory for the sizes of blocks");
    }
    side->block_offsets = side->block_bytes + n;
    for (int r = 0; r < n; r++) {
        side->block_bytes[r] = (size_t)counts[r] * side->element_bytes;
        side->block_offsets[r] = side->bytes;
        side->bytes += side->block_bytes[r];
        lowest = counts[r] > 0 && places[r] < lowest ? places[r] : lowest;
    }
    if (!side->is_dense || side->bytes == 0) {
        return;
    }
    /* A block may lie before the buffer's address, an offset may not. */
    side->buffer += (MPI_Aint)lowest * side->extent;
    for (int r = 0; r < n; r++) {
        side->block_offsets[r] = counts[r] > 0
                                     ? (size_t)(places[r] - (long)lowest) *
                                           side->element_bytes
                                     : 0;
    }
}

/* ---- copies ---- */

/* Elements, to or from a row of bytes; a part at a time. */
static void move(const struct rpt_pmpi_side *side, char *elements, size_t count,
                 char *bytes, bool unpack)
{
    size_t most = side->element_bytes > 0 ? PACK_BYTES / side->element_bytes
                                          : count;

    if (side->element_bytes > INT_MAX) {
        rpt__pmpi_die("an element of a type with holes has more than 2 GiB");
    }
    most = most > 0 ? most : 1;
    most = most < INT_MAX ? most : INT_MAX;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < most ? count - done : most;
        int length = (int)(n * side->element_bytes), at = 0;

        if (unpack) {
            PMPI_Unpack(bytes, length, &at, elements, (int)n, side->type,
                        side->comm);
        } else {
            PMPI_Pack(elements, (int)n, side->type, bytes, length, &at,
                      side->comm);
        }
        if (at != length) {
            rpt__pmpi_die("MPI packs a type into other bytes than its size "
                          "says");
        }
        elements += (MPI_Aint)n * side->extent;
        bytes += length;
        done += n;
    }
}

static void move_all(const struct rpt_pmpi_side *side, bool unpack)
{
    char *bytes = side->packed;

    if (side->counts == NULL) {
        move(side, side->buffer, side->count, bytes, unpack);
        return;
    }
    for (int r = 0; r < side->n_blocks; r++) {
        move(side, side->buffer + side->places[r] * side->extent,
             (size_t)side->counts[r], bytes, unpack);
        bytes += side->block_bytes[r];
    }
}

static void make_room(struct rpt_pmpi_side *side)
{
    side->packed = malloc(side->bytes > 0 ? side->bytes : 1);
    if (side->packed == NULL) {
        rpt__pmpi_die("there is no memory for a copy of a buffer");
    }
}

const void *rpt__pmpi_side_input(struct rpt_pmpi_side *side)
{
    if (side->is_dense) {
        return side->buffer;
    }
    make_room(side);
    move_all(side, false);
    return side->packed;
}

void *rpt__pmpi_side_output(struct rpt_pmpi_side *side, bool keep)
{
    if (side->is_dense) {
        return side->buffer;
    }
    make_room(side);
    if (keep) {
        move_all(side, false);
    }
    return side->packed;
}

void rpt__pmpi_side_unpack(const struct rpt_pmpi_side *side)
{
    if (side->packed != NULL) {
        move_all(side, true);
    }
}

void rpt__pmpi_side_release(struct rpt_pmpi_side *side)
{
    free(side->packed);
    free(side->block_bytes);
}
