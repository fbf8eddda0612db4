/*
 * bytes.c - the buffers of calls that move data, as bytes
 *
 * MPI lets a rank give four integers and another one take an element of a type
 * that has four integers somewhere in it.  So ranks agree on bytes, not on
 * types: each one makes of its own buffer a row of bytes in the order of
 * sending, in place where the type allows, else in a copy that PMPI_Pack and
 * PMPI_Unpack fill and empty.
 *
 * Cost: four questions to the MPI for a buffer, one more for a type of the
 * program; a copy where it is not dense (dense.c).
 */
#include "config.h"

#include "collectives/pmpi/shim.h"

#include <limits.h>
#include <stdlib.h>

/* Of one call of MPI_Pack, where an element has not more. */
enum { PACK_BYTES = 1 << 30 };

#ifdef HAVE_MPI_ALLREDUCE_C
#define PACK PMPI_Pack_c
#define UNPACK PMPI_Unpack_c
typedef MPI_Count pack_count;
static const size_t most_of_element = PTRDIFF_MAX;
#else
#define PACK PMPI_Pack
#define UNPACK PMPI_Unpack
typedef int pack_count;
static const size_t most_of_element = INT_MAX;
#endif

/* ---- what the MPI says ---- */

/* For calls that are the MPI's own and may fail: one rank, errors return.  The
 * communicator of a call may be gone when its bytes are unpacked. */
static MPI_Comm own_comm = MPI_COMM_NULL;

bool rpt__pmpi_bytes_open(void)
{
    return PMPI_Comm_dup(MPI_COMM_SELF, &own_comm) == MPI_SUCCESS &&
           PMPI_Comm_set_errhandler(own_comm, MPI_ERRORS_RETURN) == MPI_SUCCESS;
}

void rpt__pmpi_bytes_close(void)
{
    if (own_comm != MPI_COMM_NULL) {
        PMPI_Comm_free(&own_comm);
    }
}

/* There is no question for it; but MPI packs no type that is not committed. */
bool rpt__pmpi_type_may_move(MPI_Datatype type)
{
    char element = 0, packed = 0;
    int at = 0;

    if (type == MPI_DATATYPE_NULL) {
        return false;
    }
    return rpt__pmpi_type_is_named(type) ||
           PMPI_Pack(&element, 0, type, &packed, 1, &at, own_comm) ==
               MPI_SUCCESS;
}

/* ---- the two forms ---- */

static void make_room(struct rpt_pmpi_side *side)
{
    side->packed = malloc(side->bytes > 0 ? side->bytes : 1);
    if (side->packed == NULL) {
        rpt__pmpi_die("there is no memory for a copy of a buffer");
    }
}

static size_t bytes_of(MPI_Datatype type)
{
    MPI_Count size = 0;

    PMPI_Type_size_x(type, &size);
    return size > 0 ? (size_t)size : 0;
}

static void set_type(struct rpt_pmpi_side *side, const void *buffer,
                     MPI_Datatype type)
{
    MPI_Aint lower = 0;

    side->buffer = (char *)buffer;
    side->type = type;
    PMPI_Type_get_extent(type, &lower, &side->extent);
    side->element_bytes = bytes_of(type);
    side->is_dense = !side->copy && rpt__pmpi_type_is_dense(type);
}

void rpt__pmpi_side_set(struct rpt_pmpi_side *side, const void *buffer,
                        size_t count, MPI_Datatype type)
{
    set_type(side, buffer, type);
    side->count = count;
    side->bytes = count * side->element_bytes;
    if (!side->is_dense) {
        make_room(side);
    }
}

void rpt__pmpi_side_set_sizes(struct rpt_pmpi_side *side, int n)
{
    side->block_bytes = calloc(2 * (size_t)n, sizeof(size_t));
    if (side->block_bytes == NULL) {
        rpt__pmpi_die("there is no memory for the sizes of blocks");
    }
    side->block_offsets = side->block_bytes + n;
}

/* A block may lie before the buffer's address, an offset may not. */
static void begin_at_lowest(struct rpt_pmpi_side *side)
{
    MPI_Count lowest = INT64_MAX;

    for (int r = 0; r < side->n_blocks; r++) {
        MPI_Count place = rpt__pmpi_number(side->places, r);

        if (rpt__pmpi_number(side->counts, r) > 0 && place < lowest) {
            lowest = place;
        }
    }
    side->buffer += (MPI_Aint)lowest * side->extent;
    for (int r = 0; r < side->n_blocks; r++) {
        MPI_Count place = rpt__pmpi_number(side->places, r);

        side->block_offsets[r] = rpt__pmpi_number(side->counts, r) > 0
                                     ? (size_t)(place - lowest) *
                                           side->element_bytes
                                     : 0;
    }
}

void rpt__pmpi_side_set_blocks(struct rpt_pmpi_side *side, const void *buffer,
                               struct rpt_pmpi_blocks blocks)
{
    if (blocks.types == NULL) {
        set_type(side, buffer, blocks.type);
    }
    side->buffer = (char *)buffer;
    side->n_blocks = blocks.n;
    side->counts = blocks.counts;
    side->places = blocks.places;
    side->types = blocks.types;
    rpt__pmpi_side_set_sizes(side, blocks.n);
    for (int r = 0; r < blocks.n; r++) {
        size_t count = (size_t)rpt__pmpi_number(blocks.counts, r);
        size_t element = side->element_bytes;

        if (blocks.types != NULL && count > 0) {
            element = bytes_of(blocks.types[r]);
        }
        side->block_bytes[r] = count * element;
        side->block_offsets[r] = side->bytes;
        side->bytes += side->block_bytes[r];
    }
    if (!side->is_dense) {
        make_room(side);
    } else if (side->bytes > 0) {
        begin_at_lowest(side);
    }
}

/* ---- copies ---- */

/* Elements, one behind the other. */
struct row {
    char *elements;
    size_t count;
    MPI_Datatype type;
    size_t element_bytes;
    MPI_Aint extent;
};

/* MPICH packs nothing at MPI_BOTTOM.  So a byte behind it, with a type, which
 * is to be freed, that begins a byte earlier. */
static bool leave_bottom(struct row *row)
{
    int one = 1;
    MPI_Aint back = -1;
    MPI_Datatype earlier = MPI_DATATYPE_NULL;

    if (row->elements != MPI_BOTTOM || row->count == 0) {
        return false;
    }
    PMPI_Type_create_hindexed(1, &one, &back, row->type, &earlier);
    PMPI_Type_commit(&earlier);
    row->elements = (char *)(uintptr_t)1;
    row->type = earlier;
    return true;
}

/* To or from a row of bytes; a part at a time. */
static void move(struct row row, char *bytes, bool unpack)
{
    bool has_left = leave_bottom(&row);
    size_t most = row.element_bytes > 0 ? PACK_BYTES / row.element_bytes
                                        : row.count;

    if (row.element_bytes > most_of_element) {
        rpt__pmpi_die("an element of a type with holes has more than 2 GiB");
    }
    most = most > 0 ? most : 1;
    most = most < INT_MAX ? most : INT_MAX;
    for (size_t done = 0; done < row.count;) {
        size_t n = row.count - done < most ? row.count - done : most;
        pack_count length = (pack_count)(n * row.element_bytes), at = 0;
        int code;

        if (unpack) {
            code = UNPACK(bytes, length, &at, row.elements, (pack_count)n,
                          row.type, own_comm);
        } else {
            code = PACK(row.elements, (pack_count)n, row.type, bytes, length,
                        &at, own_comm);
        }
        if (code != MPI_SUCCESS || at != length) {
            rpt__pmpi_die("MPI does not pack a type into as many bytes as "
                          "its size says");
        }
        row.elements += (MPI_Aint)n * row.extent;
        bytes += length;
        done += n;
    }
    if (has_left) {
        PMPI_Type_free(&row.type);
    }
}

static struct row block_of(const struct rpt_pmpi_side *side, int r)
{
    MPI_Aint lower = 0, place = (MPI_Aint)rpt__pmpi_number(side->places, r);
    struct row row = { side->buffer + place * side->extent,
                       (size_t)rpt__pmpi_number(side->counts, r), side->type,
                       side->element_bytes, side->extent };

    if (side->types != NULL && row.count > 0) {
        row.elements = side->buffer + place;
        row.type = side->types[r];
        row.element_bytes = bytes_of(row.type);
        PMPI_Type_get_extent(row.type, &lower, &row.extent);
    }
    return row;
}

static void move_all(const struct rpt_pmpi_side *side, bool unpack)
{
    if (side->packed == NULL) {
        return;
    }
    if (side->counts.all == NULL) {
        move((struct row){ side->buffer, side->count, side->type,
                           side->element_bytes, side->extent },
             side->packed, unpack);
        return;
    }
    for (int r = 0; r < side->n_blocks; r++) {
        move(block_of(side, r), side->packed + side->block_offsets[r], unpack);
    }
}

void *rpt__pmpi_side_bytes(const struct rpt_pmpi_side *side)
{
    return side->packed != NULL ? side->packed : side->buffer;
}

void rpt__pmpi_side_pack(const struct rpt_pmpi_side *side)
{
    move_all(side, false);
}

void rpt__pmpi_side_unpack(const struct rpt_pmpi_side *side)
{
    move_all(side, true);
}

/* ---- of requests ---- */

void rpt__pmpi_side_hold(struct rpt_pmpi_side *side)
{
    int n = side->types != NULL ? side->n_blocks : 1;

    if (side->packed == NULL) {
        return;
    }
    side->held = malloc((size_t)n * sizeof(MPI_Datatype));
    if (side->held == NULL) {
        rpt__pmpi_die("there is no memory for types");
    }
    side->n_held = n;
    for (int i = 0; i < n; i++) {
        MPI_Datatype type = side->types != NULL ? side->types[i] : side->type;

        side->held[i] = MPI_DATATYPE_NULL;
        if (side->types == NULL || rpt__pmpi_number(side->counts, i) > 0) {
            PMPI_Type_dup(type, &side->held[i]);
        }
    }
    if (side->types != NULL) {
        side->types = side->held;
    } else {
        side->type = side->held[0];
    }
}

void rpt__pmpi_side_release(struct rpt_pmpi_side *side)
{
    for (int i = 0; i < side->n_held; i++) {
        if (side->held[i] != MPI_DATATYPE_NULL) {
            PMPI_Type_free(&side->held[i]);
        }
    }
    free(side->held);
    free(side->packed);
    free(side->block_bytes);
}
