/*
 * moves.c - collectives that move data, of plain types
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

enum { N = 5, MOST = 8 };

/* What rank r has for rank s. */
static int item(int r, int s, int i)
{
    return 10000 * r + 100 * s + i;
}

static void fill(int *v, int r, int s, count_t n)
{
    for (int i = 0; i < n; i++) {
        v[i] = item(r, s, i);
    }
}

static bool is_filled(const int *v, int r, int s, count_t n)
{
    for (int i = 0; i < n; i++) {
        if (v[i] != item(r, s, i)) {
            return false;
        }
    }
    return true;
}

static void rooted(MPI_Comm comm, int rank, int size, int root)
{
    int in[MOST * N], out[MOST * N];
    bool is_root = rank == root, in_place = is_root && root % 2 == 1;

    memset(out, -1, sizeof out);
    if (is_root) {
        fill(out, root, 0, N);
    }
    MPI_Bcast(out, N, MPI_INT, root, comm);
    CHECK(is_filled(out, root, 0, N));

    memset(out, -1, sizeof out);
    fill(in, rank, root, N);
    fill(out + rank * N, rank, root, N);
    MPI_Gather(in_place ? MPI_IN_PLACE : in, N, MPI_INT, is_root ? out : NULL,
               is_root ? N : -1, is_root ? MPI_INT : MPI_DATATYPE_NULL, root,
               comm);
    for (int r = 0; is_root && r < size; r++) {
        CHECK(is_filled(out + r * N, r, root, N));
    }

    for (int r = 0; r < size; r++) {
        fill(in + r * N, root, r, N);
    }
    memset(out, -1, sizeof out);
    MPI_Scatter(is_root ? in : NULL, is_root ? N : -1,
                is_root ? MPI_INT : MPI_DATATYPE_NULL,
                in_place ? MPI_IN_PLACE : out, N, MPI_INT, root, comm);
    CHECK(is_filled(in_place ? in + rank * N : out, root, rank, N));
}

static void to_all(MPI_Comm comm, int rank, int size, bool in_place)
{
    int in[MOST * N], out[MOST * N];

    memset(out, -1, sizeof out);
    fill(in, rank, 0, N);
    fill(out + rank * N, rank, 0, N);
    MPI_Allgather(in_place ? MPI_IN_PLACE : in, N, MPI_INT, out, N, MPI_INT,
                  comm);
    for (int r = 0; r < size; r++) {
        CHECK(is_filled(out + r * N, r, 0, N));
    }
    for (int r = 0; r < size; r++) {
        fill(in + r * N, rank, r, N);
        fill(out + r * N, rank, r, N);
    }
    MPI_Alltoall(in_place ? MPI_IN_PLACE : in, N, MPI_INT, out, N, MPI_INT,
                 comm);
    for (int r = 0; r < size; r++) {
        CHECK(is_filled(out + r * N, r, rank, N));
    }
}

void FORM(moves)(MPI_Comm comm)
{
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    for (int root = 0; root < size; root++) {
        rooted(comm, rank, size, root);
    }
    to_all(comm, rank, size, false);
    to_all(comm, rank, size, true);
    CHECK(MPI_Barrier(comm) == MPI_SUCCESS);
}

/* ---- more than a packet ---- */

void FORM(large)(MPI_Comm comm)
{
    enum { MANY = 300001 };
    int *v = malloc(2 * MANY * sizeof *v), *sums = v + MANY;
    int rank, size, n_wrong = 0;

    CHECK(v != NULL);
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    for (int i = 0; i < MANY; i++) {
        v[i] = rank == size - 1 ? i : -1;
    }
    MPI_Bcast(v, MANY, MPI_INT, size - 1, comm);
    MPI_Allreduce(v, sums, MANY, MPI_INT, MPI_SUM, comm);
    for (int i = 0; i < MANY; i++) {
        n_wrong += v[i] != i || sums[i] != size * i;
    }
    CHECK(n_wrong == 0);
    free(v);
}

/* ---- blocks of different sizes ---- */

static void gather_blocks(MPI_Comm comm, int rank, int size, bool in_place)
{
    int in[MOST], out[MOST * MOST];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };

    memset(out, -1, sizeof out);
    /* Backwards, with gaps, and measured from the end of the buffer. */
    for (int r = 0; r < size; r++) {
        counts[r] = r;
        places[r] = -(r + 1) * MOST;
    }
    fill(in, rank, 0, rank);
    fill(out + MOST * MOST + places[rank], rank, 0, rank);
    MPI_Allgatherv(in_place ? MPI_IN_PLACE : in, rank, MPI_INT,
                   out + MOST * MOST, counts, places, MPI_INT, comm);
    for (int r = 0; r < size; r++) {
        CHECK(is_filled(out + MOST * MOST + places[r], r, 0, r));
        CHECK(out[MOST * MOST + places[r] + r] == -1);
    }
}

/* Rank r has so many for rank s. */
static int count_of(int r, int s, bool in_place)
{
    return in_place ? (r + s) % 3 : (2 * r + s) % 4;
}

static void exchange_blocks(MPI_Comm comm, int rank, int size, bool in_place)
{
    int in[MOST * MOST], out[MOST * MOST];
    count_t n_in[MOST], n_out[MOST];
    place_t in_places[MOST], out_places[MOST];

    memset(out, -1, sizeof out);
    for (int r = 0; r < size; r++) {
        n_in[r] = count_of(rank, r, in_place);
        n_out[r] = count_of(r, rank, in_place);
        in_places[r] = r * MOST;
        out_places[r] = (size - 1 - r) * MOST;
        fill(in + in_places[r], rank, r, n_in[r]);
        fill(out + out_places[r], rank, r, n_out[r]);
    }
    if (in_place) {
        MPI_Alltoallv(MPI_IN_PLACE, NULL, NULL, MPI_DATATYPE_NULL, out, n_out,
                      out_places, MPI_INT, comm);
    } else {
        MPI_Alltoallv(in, n_in, in_places, MPI_INT, out, n_out, out_places,
                      MPI_INT, comm);
    }
    for (int r = 0; r < size; r++) {
        CHECK(is_filled(out + out_places[r], r, rank, n_out[r]));
        CHECK(out[out_places[r] + n_out[r]] == -1);
    }
}

/* Only the root knows the counts; what the others give is not looked at. */
static void rooted_blocks(MPI_Comm comm, int rank, int size, int root)
{
    int in[MOST * MOST], out[MOST * MOST];
    count_t counts[MOST] = { 0 };
    place_t places[MOST] = { 0 };
    bool is_root = rank == root, in_place = is_root && root % 2 == 1;

    memset(out, -1, sizeof out);
    for (int r = 0; is_root && r < size; r++) {
        counts[r] = (r + root) % 3;
        places[r] = (size - 1 - r) * MOST;
    }
    fill(in, rank, root, MOST);
    if (in_place) {
        fill(out + places[rank], rank, root, counts[rank]);
    }
    MPI_Gatherv(in_place ? MPI_IN_PLACE : in, (rank + root) % 3, MPI_INT,
                is_root ? out : NULL, is_root ? counts : NULL,
                is_root ? places : NULL, is_root ? MPI_INT : MPI_DATATYPE_NULL,
                root, comm);
    for (int r = 0; is_root && r < size; r++) {
        CHECK(is_filled(out + places[r], r, root, counts[r]));
        CHECK(out[places[r] + counts[r]] == -1);
    }
    memset(out, -1, sizeof out);
    for (int r = 0; is_root && r < size; r++) {
        fill(in + places[r], root, r, MOST);
    }
    MPI_Scatterv(is_root ? in : NULL, is_root ? counts : NULL,
                 is_root ? places : NULL, is_root ? MPI_INT : MPI_DATATYPE_NULL,
                 in_place ? MPI_IN_PLACE : out, (rank + root) % 3, MPI_INT,
                 root, comm);
    CHECK(in_place ? is_filled(in + places[rank], root, rank, MOST)
                   : is_filled(out, root, rank, (rank + root) % 3));
    CHECK(out[(rank + root) % 3] == -1);
}

/* One array for both: what is sent at even places, what comes at odd ones.  The
 * two buffers have not the same address, which Open MPI takes for in place. */
static void begin_gaps(int both[], int rank, int size)
{
    for (int r = 0; r < size; r++) {
        both[2 * r] = item(rank, r, 0);
        both[2 * r + 1] = -1;
    }
}

static void blocks_in_gaps(MPI_Comm comm, int rank, int size)
{
    int both[2 * MOST], *odd = both + 1, last = size - 1;
    count_t ones[MOST];
    place_t even[MOST];

    for (int r = 0; r < size; r++) {
        ones[r] = 1;
        even[r] = 2 * r;
    }
    begin_gaps(both, rank, size);
    MPI_Alltoallv(both, ones, even, MPI_INT, odd, ones, even, MPI_INT, comm);
    for (int r = 0; r < size; r++) {
        CHECK(both[2 * r] == item(rank, r, 0));
        CHECK(both[2 * r + 1] == item(r, rank, 0));
    }
    begin_gaps(both, rank, size);
    MPI_Allgatherv(both + 2 * last, 1, MPI_INT, odd, ones, even, MPI_INT, comm);
    for (int r = 0; r < size; r++) {
        CHECK(both[2 * r + 1] == item(r, last, 0));
    }
    begin_gaps(both, rank, size);
    MPI_Gatherv(both + 2 * last, 1, MPI_INT, odd, ones, even, MPI_INT, 0, comm);
    for (int r = 0; rank == 0 && r < size; r++) {
        CHECK(both[2 * r + 1] == item(r, last, 0));
    }
    begin_gaps(both, rank, size);
    MPI_Scatterv(both, ones, even, MPI_INT, odd, 1, MPI_INT, 0, comm);
    CHECK(both[1] == item(0, rank, 0));
}

void FORM(blocks)(MPI_Comm comm)
{
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    gather_blocks(comm, rank, size, false);
    gather_blocks(comm, rank, size, true);
    exchange_blocks(comm, rank, size, false);
    exchange_blocks(comm, rank, size, true);
    for (int root = 0; root < size; root++) {
        rooted_blocks(comm, rank, size, root);
    }
    blocks_in_gaps(comm, rank, size);
}

/* ---- nothing ---- */

void FORM(nothing)(MPI_Comm comm)
{
    int guard = 42, in = 7;
    count_t none[MOST] = { 0 };
    place_t zeros[MOST] = { 0 };

    MPI_Bcast(NULL, 0, MPI_INT, 0, comm);
    MPI_Allreduce(&in, &guard, 0, MPI_INT, MPI_SUM, comm);
    MPI_Reduce(&in, &guard, 0, MPI_INT, MPI_SUM, 0, comm);
    MPI_Scan(&in, &guard, 0, MPI_INT, MPI_SUM, comm);
    MPI_Exscan(&in, &guard, 0, MPI_INT, MPI_SUM, comm);
    MPI_Allgather(&in, 0, MPI_INT, &guard, 0, MPI_INT, comm);
    MPI_Gather(&in, 0, MPI_INT, &guard, 0, MPI_INT, 0, comm);
    MPI_Scatter(&in, 0, MPI_INT, &guard, 0, MPI_INT, 0, comm);
    MPI_Alltoall(&in, 0, MPI_INT, &guard, 0, MPI_INT, comm);
    MPI_Allgatherv(&in, 0, MPI_INT, &guard, none, zeros, MPI_INT, comm);
    MPI_Alltoallv(&in, none, zeros, MPI_INT, &guard, none, zeros, MPI_INT,
                  comm);
    MPI_Gatherv(&in, 0, MPI_INT, &guard, none, zeros, MPI_INT, 0, comm);
    MPI_Scatterv(&in, none, zeros, MPI_INT, &guard, 0, MPI_INT, 0, comm);
    MPI_Reduce_scatter_block(&in, &guard, 0, MPI_INT, MPI_SUM, comm);
    MPI_Reduce_scatter(&in, &guard, none, MPI_INT, MPI_SUM, comm);
    CHECK(guard == 42);
}
