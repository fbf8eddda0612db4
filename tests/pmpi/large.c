/*
 * large.c - counts and places above int: MPI_..._c
 *
 * The tests of the other forms run with such counts as well; here is what they
 * cannot show.  Memory that is far from the rest is never touched, so that it
 * takes none.
 */
#include "app.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef HAVE_LARGE

void large_counts_are_right(void)
{
#define RUN(name)                                                              \
    name##_large(MPI_COMM_WORLD);                                              \
    name##_large_started(MPI_COMM_WORLD);                                      \
    name##_large_persistent(MPI_COMM_WORLD);                                   \
    name##_large(MPI_COMM_SELF);
    IN_ALL_FORMS(RUN)
#undef RUN
}

/* The same collective, of ranks that count in int and others. */
void counts_of_both_kinds_match(void)
{
    bool is_large = world_rank % 2 == 1;

#define RUN(name)                                                              \
    (is_large ? name##_large : name)(MPI_COMM_WORLD);                          \
    (is_large ? name##_large_started : name##_started)(MPI_COMM_WORLD);        \
    (is_large ? name##_large_persistent : name##_persistent)(MPI_COMM_WORLD);
    IN_ALL_FORMS(RUN)
#undef RUN
}

/* ---- memory ---- */

static char *map(size_t bytes)
{
    void *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int own = all != MAP_FAILED, everywhere = 0;

    PMPI_Allreduce(&own, &everywhere, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (!everywhere) {
        if (own) {
            munmap(all, bytes);
        }
        rpt_test_skip("there are not enough addresses");
        return NULL;
    }
    return all;
}

/* ---- places ---- */

enum { N = 5, MOST = 8, ROOM = 16 };

/* In elements; every second block is far from the others. */
static const MPI_Aint far_away = ((MPI_Aint)1 << 31) + 11;

/* What blocks are made of: bytes, with a gap behind each or not. */
struct far_blocks {
    MPI_Datatype type;
    MPI_Aint step;
    char *all;
    MPI_Count counts[MOST];
    MPI_Aint places[MOST];
};

static char item(int r, int s, int i)
{
    return (char)(16 * r + 2 * s + i + 1);
}

static void put(const struct far_blocks *b, int block, int r, int s)
{
    for (int i = 0; i < N; i++) {
        b->all[(b->places[block] + i) * b->step] = item(r, s, i);
    }
}

static bool has(const struct far_blocks *b, int block, int r, int s)
{
    for (int i = 0; i < N; i++) {
        if (b->all[(b->places[block] + i) * b->step] != item(r, s, i)) {
            return false;
        }
    }
    return true;
}

static void gather_far(const struct far_blocks *b)
{
    char in[N];

    for (int i = 0; i < N; i++) {
        in[i] = item(world_rank, 0, i);
    }
    MPI_Allgatherv_c(in, N, MPI_BYTE, b->all, b->counts, b->places, b->type,
                     MPI_COMM_WORLD);
    for (int r = 0; r < world_size; r++) {
        CHECK(has(b, r, r, 0));
        put(b, r, 0, 0);
    }
    MPI_Gatherv_c(in, N, MPI_BYTE, b->all, b->counts, b->places, b->type, 0,
                  MPI_COMM_WORLD);
    for (int r = 0; world_rank == 0 && r < world_size; r++) {
        CHECK(has(b, r, r, 0));
        put(b, r, 0, r);
    }
    MPI_Scatterv_c(b->all, b->counts, b->places, b->type, in, N, MPI_BYTE, 0,
                   MPI_COMM_WORLD);
    for (int i = 0; i < N; i++) {
        CHECK(in[i] == item(0, world_rank, i));
    }
}

static void exchange_far(const struct far_blocks *b)
{
    MPI_Datatype types[MOST];
    MPI_Aint in_bytes[MOST];
    MPI_Request request;

    for (int r = 0; r < world_size; r++) {
        put(b, r, world_rank, r);
        types[r] = b->type;
        in_bytes[r] = b->places[r] * b->step;
    }
    MPI_Ialltoallv_c(MPI_IN_PLACE, NULL, NULL, MPI_DATATYPE_NULL, b->all,
                     b->counts, b->places, b->type, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int r = 0; r < world_size; r++) {
        CHECK(has(b, r, r, world_rank));
        put(b, r, world_rank, r);
    }
    MPI_Alltoallw_c(MPI_IN_PLACE, NULL, NULL, NULL, b->all, b->counts, in_bytes,
                    types, MPI_COMM_WORLD);
    for (int r = 0; r < world_size; r++) {
        CHECK(has(b, r, r, world_rank));
    }
}

void places_may_be_above_int(void)
{
    size_t bytes = 2 * ((size_t)far_away + MOST * ROOM);
    struct far_blocks b = { .all = map(bytes) };

    if (b.all == NULL) {
        return;
    }
    for (int r = 0; r < world_size; r++) {
        b.counts[r] = N;
        b.places[r] = r * ROOM + (r % 2 == 1 ? far_away : 0);
    }
    for (b.step = 1; b.step <= 2; b.step++) {
        MPI_Type_create_resized(MPI_BYTE, 0, b.step, &b.type);
        MPI_Type_commit(&b.type);
        gather_far(&b);
        exchange_far(&b);
        MPI_Type_free(&b.type);
    }
    munmap(b.all, bytes);
}

/* ---- counts ---- */

static const MPI_Count many = ((MPI_Count)1 << 31) + 8;

static char at(MPI_Count i)
{
    return (char)(i + (i >> 12));
}

static void fill(char *v)
{
    for (MPI_Count i = 0; i < many; i++) {
        v[i] = at(i);
    }
}

static bool is_filled(const char *v)
{
    MPI_Count n_wrong = 0;

    for (MPI_Count i = 0; i < many; i++) {
        n_wrong += v[i] != at(i);
    }
    return n_wrong == 0;
}

/* Almost all of it is rank 0's. */
static void gather_many(char *v)
{
    MPI_Count counts[MOST] = { 0 };
    MPI_Aint places[MOST] = { 0 };

    counts[0] = many - 3;
    counts[1] = 3;
    places[1] = many - 3;
    memset(v + (world_rank == 0 ? many - 3 : 0), 0,
           world_rank == 0 ? 3 : (size_t)many - 3);
    MPI_Allgatherv_c(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, v, counts, places,
                     MPI_BYTE, MPI_COMM_WORLD);
    CHECK(is_filled(v));
}

static char *map_many(void)
{
    if (getenv("RPT_TEST_LONG") == NULL || world_size != 2) {
        rpt_test_skip("needs 2 ranks and 9 GB; RPT_TEST_LONG=1 runs it");
        return NULL;
    }
    return map((size_t)many);
}

void counts_above_int_arrive(void)
{
    char *v = map_many();

    if (v == NULL) {
        return;
    }
    if (world_rank == 1) {
        fill(v);
    }
    MPI_Bcast_c(v, many, MPI_BYTE, 1, MPI_COMM_WORLD);
    CHECK(is_filled(v));
    MPI_Allreduce_c(MPI_IN_PLACE, v, many, MPI_BYTE, MPI_BOR, MPI_COMM_WORLD);
    CHECK(is_filled(v));
    gather_many(v);
    munmap(v, (size_t)many);
}

/* On rank 1, of a type that is not known to have no gaps: it is copied. */
void an_element_may_be_above_int(void)
{
    char *v = map_many();
    MPI_Datatype type;

    if (v == NULL) {
        return;
    }
    MPI_Type_vector_c(many / 8, 8, 8, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    for (int root = 0; root < 2; root++) {
        if (world_rank == root) {
            fill(v);
        } else {
            memset(v, 0, (size_t)many);
        }
        MPI_Bcast_c(v, world_rank == 1 ? 1 : many,
                    world_rank == 1 ? type : MPI_BYTE, root, MPI_COMM_WORLD);
        CHECK(is_filled(v));
    }
    MPI_Type_free(&type);
    munmap(v, (size_t)many);
}

/* ---- types ---- */

/* Rank 0 has integers at these places in one element, the others have them one
 * behind the other.  From rank 0, and to it. */
static void broadcast_as(MPI_Datatype type, int n, const int places[])
{
    int v[2 * N] = { 0 };

    for (int i = 0; i < n; i++) {
        v[world_rank == 0 ? places[i] : i] = world_rank == 0 ? i + 7 : -1;
    }
    MPI_Bcast_c(v, world_rank == 0 ? 1 : n, world_rank == 0 ? type : MPI_INT, 0,
                MPI_COMM_WORLD);
    for (int i = 0; i < n; i++) {
        int *at = &v[world_rank == 0 ? places[i] : i];

        CHECK(*at == i + 7);
        *at = world_rank == world_size - 1 ? i + 9 : -1;
    }
    MPI_Bcast(v, world_rank == 0 ? 1 : n, world_rank == 0 ? type : MPI_INT,
              world_size - 1, MPI_COMM_WORLD);
    for (int i = 0; i < n; i++) {
        CHECK(v[world_rank == 0 ? places[i] : i] == i + 9);
    }
}

void types_may_be_made_with_large_counts(void)
{
    const int row[] = { 0, 1, 2 }, gaps[] = { 0, 2, 4 };
    MPI_Datatype types[5];

    MPI_Type_contiguous_c(3, MPI_INT, &types[0]);
    MPI_Type_dup(types[0], &types[1]);
    MPI_Type_create_resized_c(types[1], 0, 3 * sizeof(int), &types[2]);
    MPI_Type_contiguous(1, types[2], &types[3]);
    MPI_Type_vector_c(3, 1, 2, MPI_INT, &types[4]);
    for (int i = 0; i < 5; i++) {
        MPI_Type_commit(&types[i]);
        broadcast_as(types[i], 3, i < 4 ? row : gaps);
    }
    for (int i = 0; i < 5; i++) {
        MPI_Type_free(&types[i]);
    }
}

/* ---- errors ---- */

static int sum(const double in[], double out[], int n, MPI_Comm comm)
{
    return MPI_Allreduce_c(in, out, n, MPI_DOUBLE, MPI_SUM, comm);
}

void a_wrong_large_call_is_told_to_the_error_handler(void)
{
    a_wrong_call_is_told(sum);
}

/* MPICH does not look at the counts of reductions. */
void a_bad_argument_of_a_large_call_is_left_to_the_mpi(void)
{
    int in[2] = { 0 }, out[MOST * 2] = { 0 };
    MPI_Count counts[MOST] = { 0 };
    MPI_Aint places[MOST] = { 0 };
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Datatype row;
    MPI_Comm comm;

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Type_contiguous(2, MPI_INT, &row);
    CHECK(MPI_Bcast_c(in, -many, MPI_INT, 0, comm) != MPI_SUCCESS);
    CHECK(MPI_Bcast_c(in, 1, MPI_INT, world_size, comm) != MPI_SUCCESS);
    CHECK(MPI_Bcast_c(in, 1, row, 0, comm) != MPI_SUCCESS);
    CHECK(MPI_Allgatherv_c(in, 0, row, out, counts, places, row, comm) !=
          MPI_SUCCESS);
    CHECK(MPI_Iallgather_c(in, 1, row, out, 1, row, comm, &request) !=
          MPI_SUCCESS);
    CHECK(MPI_Alltoall_init_c(in, 1, row, out, 1, row, comm, MPI_INFO_NULL,
                              &request) != MPI_SUCCESS);
    MPI_Type_free(&row);
    MPI_Comm_free(&comm);
}

#else

#define SKIPPED(name)                                                          \
    void name(void)                                                            \
    {                                                                          \
        rpt_test_skip("this MPI has no counts above int");                     \
    }

SKIPPED(large_counts_are_right)
SKIPPED(counts_of_both_kinds_match)
SKIPPED(places_may_be_above_int)
SKIPPED(counts_above_int_arrive)
SKIPPED(an_element_may_be_above_int)
SKIPPED(types_may_be_made_with_large_counts)
SKIPPED(a_wrong_large_call_is_told_to_the_error_handler)
SKIPPED(a_bad_argument_of_a_large_call_is_left_to_the_mpi)

#endif
