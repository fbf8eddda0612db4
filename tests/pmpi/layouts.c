/*
 * layouts.c - types with holes: what lies in them is left alone
 *
 * Each rank has the same integers in a layout of its own.  Buffers begin as a
 * pattern, and afterwards are compared byte by byte with what they should be,
 * with all that lies between, before and behind the elements.
 */
#include "app.h"

#include <stddef.h>
#include <string.h>

enum {
    ITEM = 3,  /* integers                        */
    BLOCK = 2, /* items that a rank gives another */
    MOST = 8,
    ORIGIN = 64,
    BYTES = 2 * ORIGIN + 64 * (BLOCK + 1) * MOST
};

/* How a rank describes an item. */
struct layout {
    MPI_Datatype type;
    int per_item; /* elements            */
    MPI_Aint extent;
    MPI_Aint at[ITEM]; /* of its integers */
};

struct image {
    unsigned char bytes[BYTES];
};

static MPI_Datatype resized(MPI_Datatype old, MPI_Aint lower, MPI_Aint extent)
{
    MPI_Datatype type;

    MPI_Type_create_resized(old, lower, extent, &type);
    MPI_Type_free(&old);
    MPI_Type_commit(&type);
    return type;
}

/* A row of integers. */
static struct layout plain(void)
{
    return (struct layout){ MPI_INT, ITEM, 12, { 0, 4, 8 } };
}

/* | pad | a | gap | gap | b c | gap |, 28 bytes */
static struct layout as_struct(void)
{
    const int lengths[] = { 1, 2 };
    const MPI_Aint places[] = { 4, 16 };
    const MPI_Datatype types[] = { MPI_INT, MPI_INT };
    MPI_Datatype type;

    MPI_Type_create_struct(2, lengths, places, types, &type);
    return (struct layout){ resized(type, 0, 28), 1, 28, { 4, 16, 20 } };
}

/* The second one lies before the address, the first one behind the third. */
static struct layout backwards(void)
{
    const int lengths[] = { 1, 1, 1 };
    const MPI_Aint places[] = { 8, -8, 0 };
    MPI_Datatype type;

    MPI_Type_create_hindexed(3, lengths, places, MPI_INT, &type);
    return (struct layout){ resized(type, -8, 24), 1, 24, { 8, -8, 0 } };
}

/* A column of a matrix. */
static struct layout column(void)
{
    const int sizes[] = { 3, 4 }, subsizes[] = { 3, 1 }, starts[] = { 0, 1 };
    MPI_Datatype type;

    MPI_Type_create_subarray(2, sizes, subsizes, starts, MPI_ORDER_C, MPI_INT,
                             &type);
    MPI_Type_commit(&type);
    return (struct layout){ type, 1, 48, { 4, 20, 36 } };
}

static struct layout layout_of(int rank)
{
    struct layout (*const all[])(void) = { plain, as_struct, backwards,
                                           column };

    return all[rank % 4]();
}

static void *origin(struct image *image)
{
    return image->bytes + ORIGIN;
}

static void clear(struct image *image)
{
    memset(image, 0xa5, sizeof *image);
}

/* What rank r gives rank s, from an item of the buffer on. */
static void put(struct image *image, const struct layout *my, int first, int r,
                int s)
{
    for (int j = 0; j < BLOCK; j++) {
        for (int i = 0; i < ITEM; i++) {
            int value = 100000 * r + 1000 * s + 10 * j + i + 1;

            memcpy(image->bytes + ORIGIN + (first + j) * my->extent + my->at[i],
                   &value, sizeof value);
        }
    }
}

static bool is_same(const struct image *a, const struct image *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* One call: what is there before, and what must be there after it. */
struct trial {
    MPI_Comm comm;
    struct layout my;
    int rank, size, count; /* of elements in a block */
    struct image in, given, out, wanted;
};

static void begin(struct trial *t)
{
    clear(&t->in);
    clear(&t->out);
    clear(&t->wanted);
}

/* Before the call. */
static void keep(struct trial *t)
{
    t->given = t->in;
}

static void check(const struct trial *t)
{
    CHECK(is_same(&t->in, &t->given));
    CHECK(is_same(&t->out, &t->wanted));
}

static void from_root(struct trial *t, int root)
{
    bool is_root = t->rank == root;

    begin(t);
    if (is_root) {
        put(&t->out, &t->my, 0, root, 0);
    }
    keep(t);
    MPI_Bcast(origin(&t->out), t->count, t->my.type, root, t->comm);
    put(&t->wanted, &t->my, 0, root, 0);
    check(t);

    begin(t);
    for (int r = 0; is_root && r < t->size; r++) {
        put(&t->in, &t->my, BLOCK * r, root, r);
    }
    keep(t);
    MPI_Scatter(origin(&t->in), t->count, t->my.type, origin(&t->out), t->count,
                t->my.type, root, t->comm);
    put(&t->wanted, &t->my, 0, root, t->rank);
    check(t);
}

static void to_root(struct trial *t, int root, bool in_place)
{
    bool is_root = t->rank == root;

    begin(t);
    put(in_place && is_root ? &t->out : &t->in, &t->my,
        in_place && is_root ? BLOCK * root : 0, t->rank, root);
    for (int r = 0; is_root && r < t->size; r++) {
        put(&t->wanted, &t->my, BLOCK * r, r, root);
    }
    keep(t);
    MPI_Gather(in_place && is_root ? MPI_IN_PLACE : origin(&t->in), t->count,
               t->my.type, origin(&t->out), t->count, t->my.type, root,
               t->comm);
    check(t);
}

static void between_all(struct trial *t, bool in_place)
{
    struct image *input = in_place ? &t->out : &t->in;

    begin(t);
    put(input, &t->my, in_place ? BLOCK * t->rank : 0, t->rank, 0);
    keep(t);
    MPI_Allgather(in_place ? MPI_IN_PLACE : origin(&t->in), t->count,
                  t->my.type, origin(&t->out), t->count, t->my.type, t->comm);
    for (int r = 0; r < t->size; r++) {
        put(&t->wanted, &t->my, BLOCK * r, r, 0);
    }
    check(t);

    begin(t);
    for (int r = 0; r < t->size; r++) {
        put(input, &t->my, BLOCK * r, t->rank, r);
        put(&t->wanted, &t->my, BLOCK * r, r, t->rank);
    }
    keep(t);
    MPI_Alltoall(in_place ? MPI_IN_PLACE : origin(&t->in), t->count, t->my.type,
                 origin(&t->out), t->count, t->my.type, t->comm);
    check(t);
}

/* ---- with counts: the last block first, an item between them ---- */

static int first_of(const struct trial *t, int r)
{
    return (BLOCK + 1) * (t->size - 1 - r);
}

static void blocks_between_all(struct trial *t, const count_t counts[],
                               const place_t places[])
{
    begin(t);
    put(&t->in, &t->my, 0, t->rank, 0);
    keep(t);
    MPI_Allgatherv(origin(&t->in), t->count, t->my.type, origin(&t->out),
                   counts, places, t->my.type, t->comm);
    for (int r = 0; r < t->size; r++) {
        put(&t->wanted, &t->my, first_of(t, r), r, 0);
    }
    check(t);

    begin(t);
    for (int r = 0; r < t->size; r++) {
        put(&t->in, &t->my, first_of(t, r), t->rank, r);
        put(&t->wanted, &t->my, first_of(t, r), r, t->rank);
    }
    keep(t);
    MPI_Alltoallv(origin(&t->in), counts, places, t->my.type, origin(&t->out),
                  counts, places, t->my.type, t->comm);
    check(t);
}

static void types_between_all(struct trial *t, const count_t counts[])
{
    MPI_Datatype types[MOST];
    place_t bytes[MOST] = { 0 };

    begin(t);
    for (int r = 0; r < t->size; r++) {
        types[r] = t->my.type;
        bytes[r] = (place_t)(first_of(t, r) * t->my.extent);
        put(&t->in, &t->my, first_of(t, r), t->rank, r);
        put(&t->wanted, &t->my, first_of(t, r), r, t->rank);
    }
    keep(t);
    MPI_Alltoallw(origin(&t->in), counts, bytes, types, origin(&t->out), counts,
                  bytes, types, t->comm);
    check(t);
}

static void blocks_of_root(struct trial *t, const count_t counts[],
                           const place_t places[], int root)
{
    bool is_root = t->rank == root, in_place = is_root && root % 2 == 1;

    begin(t);
    put(in_place ? &t->out : &t->in, &t->my, in_place ? first_of(t, root) : 0,
        t->rank, root);
    for (int r = 0; is_root && r < t->size; r++) {
        put(&t->wanted, &t->my, first_of(t, r), r, root);
    }
    keep(t);
    MPI_Gatherv(in_place ? MPI_IN_PLACE : origin(&t->in), t->count, t->my.type,
                origin(&t->out), counts, places, t->my.type, root, t->comm);
    check(t);

    begin(t);
    for (int r = 0; is_root && r < t->size; r++) {
        put(&t->in, &t->my, first_of(t, r), root, r);
    }
    keep(t);
    MPI_Scatterv(origin(&t->in), counts, places, t->my.type,
                 in_place ? MPI_IN_PLACE : origin(&t->out), t->count,
                 t->my.type, root, t->comm);
    if (!in_place) {
        put(&t->wanted, &t->my, 0, root, t->rank);
    }
    check(t);
}

void FORM(layouts)(MPI_Comm comm)
{
    static struct trial t;
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };

    t.comm = comm;
    MPI_Comm_rank(comm, &t.rank);
    MPI_Comm_size(comm, &t.size);
    t.my = layout_of(t.rank);
    t.count = BLOCK * t.my.per_item;
    for (int r = 0; r < t.size; r++) {
        counts[r] = t.count;
        places[r] = first_of(&t, r) * t.my.per_item;
    }
    for (int root = 0; root < t.size; root++) {
        from_root(&t, root);
        to_root(&t, root, root % 2 == 1);
        blocks_of_root(&t, counts, places, root);
    }
    between_all(&t, false);
    between_all(&t, true);
    blocks_between_all(&t, counts, places);
    types_between_all(&t, counts);
    if (t.my.type != MPI_INT) {
        MPI_Type_free(&t.my.type);
    }
}
