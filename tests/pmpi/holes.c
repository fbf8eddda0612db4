/*
 * holes.c - ranks that describe the same data by different types
 *
 * Ranks with even numbers have plain integers; the others have them with gaps,
 * or in another order, in types of their own.
 */
#include "app.h"

#include <string.h>

enum { N = 4, MOST = 8, ROOM = 2 * N, ALL = MOST * ROOM };

/* N integers, with a gap behind each. */
static MPI_Datatype with_gaps(void)
{
    MPI_Datatype vector, type;

    MPI_Type_vector(N, 1, 2, MPI_INT, &vector);
    MPI_Type_create_resized(vector, 0, ROOM * sizeof(int), &type);
    MPI_Type_free(&vector);
    MPI_Type_commit(&type);
    return type;
}

/* N integers, the last one first: no gaps, and size and extent are the same. */
static MPI_Datatype backwards(void)
{
    int lengths[N], places[N];
    MPI_Datatype type;

    for (int i = 0; i < N; i++) {
        lengths[i] = 1;
        places[i] = N - 1 - i;
    }
    MPI_Type_indexed(N, lengths, places, MPI_INT, &type);
    MPI_Type_commit(&type);
    return type;
}

/* N integers as they are, in one element. */
static MPI_Datatype together(void)
{
    MPI_Datatype pair, row, type;

    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_contiguous(N / 2, pair, &row);
    MPI_Type_dup(row, &type);
    MPI_Type_free(&pair);
    MPI_Type_free(&row);
    MPI_Type_commit(&type);
    return type;
}

/* How a rank describes N integers. */
struct shape {
    MPI_Datatype type;
    int count;       /* elements that N integers are */
    int step, first; /* where they lie: first + i * step */
    int room;        /* from one block to the next */
};

static struct shape shape_of(int rank)
{
    switch (rank % 4) {
    case 1:
        return (struct shape){ with_gaps(), 1, 2, 0, ROOM };
    case 2:
        return (struct shape){ together(), 1, 1, 0, N };
    case 3:
        return (struct shape){ backwards(), 1, -1, N - 1, N };
    default:
        return (struct shape){ MPI_INT, N, 1, 0, N };
    }
}

static void release(struct shape *shape)
{
    if (shape->type != MPI_INT) {
        MPI_Type_free(&shape->type);
    }
}

static int item(int r, int s, int i)
{
    return 10000 * r + 100 * s + i + 1;
}

static void put(const struct shape *shape, int *v, int block, int r, int s)
{
    for (int i = 0; i < N; i++) {
        v[block * shape->room + shape->first + i * shape->step] = item(r, s, i);
    }
}

static bool has(const struct shape *shape, const int *v, int block, int r,
                int s)
{
    for (int i = 0; i < N; i++) {
        if (v[block * shape->room + shape->first + i * shape->step] !=
            item(r, s, i)) {
            return false;
        }
    }
    return shape->step != 2 || v[block * shape->room + 1] == -1;
}

static void rooted(MPI_Comm comm, const struct shape *my, int rank, int size,
                   int root)
{
    int in[ALL], out[ALL];
    bool is_root = rank == root, in_place = is_root && root % 2 == 1;

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    if (is_root) {
        put(my, out, 0, root, 0);
    }
    MPI_Bcast(out, my->count, my->type, root, comm);
    CHECK(has(my, out, 0, root, 0));

    memset(out, -1, sizeof out);
    put(my, in, 0, rank, root);
    put(my, out, rank, rank, root);
    MPI_Gather(in_place ? MPI_IN_PLACE : in, my->count, my->type, out,
               my->count, my->type, root, comm);
    for (int r = 0; is_root && r < size; r++) {
        CHECK(has(my, out, r, r, root));
    }

    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        put(my, in, r, root, r);
    }
    MPI_Scatter(in, my->count, my->type, in_place ? MPI_IN_PLACE : out,
                my->count, my->type, root, comm);
    CHECK(in_place ? has(my, in, rank, root, rank)
                   : has(my, out, 0, root, rank));
}

static void to_all(MPI_Comm comm, const struct shape *my, int rank, int size,
                   bool in_place)
{
    int in[ALL], out[ALL];

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    put(my, in, 0, rank, 0);
    put(my, out, rank, rank, 0);
    MPI_Allgather(in_place ? MPI_IN_PLACE : in, my->count, my->type, out,
                  my->count, my->type, comm);
    for (int r = 0; r < size; r++) {
        CHECK(has(my, out, r, r, 0));
    }
    for (int r = 0; r < size; r++) {
        put(my, in, r, rank, r);
        put(my, out, r, rank, r);
    }
    MPI_Alltoall(in_place ? MPI_IN_PLACE : in, my->count, my->type, out,
                 my->count, my->type, comm);
    for (int r = 0; r < size; r++) {
        CHECK(has(my, out, r, r, rank));
    }
}

/* A type that has addresses, from MPI_BOTTOM on. */
static void at_bottom(MPI_Comm comm, int rank, int size)
{
    int first = rank == size - 1 ? 3 : -1, second[2] = { first + 1, first + 2 };
    int lengths[2] = { 2, 1 };
    MPI_Aint places[2];
    MPI_Datatype type;

    MPI_Get_address(second, &places[0]);
    MPI_Get_address(&first, &places[1]);
    MPI_Type_create_hindexed(2, lengths, places, MPI_INT, &type);
    MPI_Type_commit(&type);
    MPI_Bcast(MPI_BOTTOM, 1, type, size - 1, comm);
    CHECK(first == 3 && second[0] == 4 && second[1] == 5);
    MPI_Type_free(&type);
}

void FORM(holes)(MPI_Comm comm)
{
    struct shape my;
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    my = shape_of(rank);
    for (int root = 0; root < size; root++) {
        rooted(comm, &my, rank, size, root);
    }
    to_all(comm, &my, rank, size, false);
    to_all(comm, &my, rank, size, true);
    at_bottom(comm, rank, size);
    release(&my);
}

/* ---- with counts ---- */

static void exchange(MPI_Comm comm, const struct shape *my, int rank, int size,
                     bool in_place)
{
    int in[ALL], out[ALL];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        /* Nothing between ranks whose sum is even. */
        counts[r] = (r + rank) % 2 == 0 ? 0 : my->count;
        places[r] = r * my->count;
        put(my, in, r, rank, r);
        put(my, out, r, rank, r);
    }
    MPI_Alltoallv(in_place ? MPI_IN_PLACE : in, counts, places, my->type, out,
                  counts, places, my->type, comm);
    for (int r = 0; r < size; r++) {
        CHECK(counts[r] > 0 ? has(my, out, r, r, rank)
                            : has(my, out, r, rank, r));
    }
}

static void gather(MPI_Comm comm, const struct shape *my, int rank, int size,
                   bool in_place)
{
    int in[ALL], out[ALL];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        counts[r] = r % 3 == 0 ? 0 : my->count;
        places[r] = (size - 1 - r) * my->count;
    }
    put(my, in, 0, rank, 0);
    put(my, out, size - 1 - rank, rank, 0);
    MPI_Allgatherv(in_place ? MPI_IN_PLACE : in, counts[rank], my->type, out,
                   counts, places, my->type, comm);
    for (int r = 0; r < size; r++) {
        CHECK(counts[r] == 0 || has(my, out, size - 1 - r, r, 0));
    }
}

/* Each block of a type of its own: of each shape, in turn. */
static void exchange_types(MPI_Comm comm, int rank, int size, bool in_place)
{
    int in[ALL], out[ALL];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };
    MPI_Datatype types[MOST] = { MPI_DATATYPE_NULL };
    struct shape shapes[MOST];

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        shapes[r] = shape_of(rank + r);
        shapes[r].room = ROOM;
        types[r] = shapes[r].type;
        counts[r] = (r + rank) % 3 == 1 ? 0 : shapes[r].count;
        places[r] = r * ROOM * (int)sizeof(int);
        put(&shapes[r], in, r, rank, r);
        put(&shapes[r], out, r, rank, r);
    }
    MPI_Alltoallw(in_place ? MPI_IN_PLACE : in, counts, places, types, out,
                  counts, places, types, comm);
    for (int r = 0; r < size; r++) {
        CHECK(counts[r] > 0 ? has(&shapes[r], out, r, r, rank)
                            : has(&shapes[r], out, r, rank, r));
        release(&shapes[r]);
    }
}

static void rooted_blocks(MPI_Comm comm, const struct shape *my, int rank,
                          int size, int root)
{
    int in[ALL], out[ALL];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };
    bool is_root = rank == root, in_place = is_root && root % 2 == 1;
    int mine = rank % 3 == 1 ? 0 : my->count;

    memset(in, -1, sizeof in);
    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        counts[r] = r % 3 == 1 ? 0 : my->count;
        places[r] = (size - 1 - r) * my->count;
    }
    put(my, in, 0, rank, root);
    if (in_place) {
        put(my, out, size - 1 - rank, rank, root);
    }
    MPI_Gatherv(in_place ? MPI_IN_PLACE : in, mine, my->type, out, counts,
                places, my->type, root, comm);
    for (int r = 0; is_root && r < size; r++) {
        CHECK(counts[r] == 0 || has(my, out, size - 1 - r, r, root));
    }
    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        put(my, in, size - 1 - r, root, r);
    }
    MPI_Scatterv(in, counts, places, my->type, in_place ? MPI_IN_PLACE : out,
                 mine, my->type, root, comm);
    CHECK(in_place || mine == 0 || has(my, out, 0, root, rank));
}

void FORM(blocks_with_holes)(MPI_Comm comm)
{
    struct shape my;
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    my = shape_of(rank);
    exchange(comm, &my, rank, size, false);
    exchange(comm, &my, rank, size, true);
    gather(comm, &my, rank, size, false);
    gather(comm, &my, rank, size, true);
    for (int root = 0; root < size; root++) {
        rooted_blocks(comm, &my, rank, size, root);
    }
    exchange_types(comm, rank, size, false);
#if !defined FORM_STARTED && !defined FORM_PERSISTENT
    /* MPICH 4.0 has it wrong in the other forms. */
    exchange_types(comm, rank, size, true);
#endif
    release(&my);
}
