/*
 * endings.c - what ends before a request does, or never, and what is left
 */
#include "app.h"
#include "harness.h"

#include <stdlib.h>

static int sum_of_ranks(int add)
{
    return world_size * (world_size - 1) / 2 + world_size * add;
}

static bool are_ours(void)
{
    if (!has_shim() || world_size < 2) {
        rpt_test_skip("they are the MPI's, which need not allow it");
        return false;
    }
    return true;
}

enum { N = 200, ROOM = 3 * N };

/* Integers that are three apart: a copy of an element has some memory. */
static MPI_Datatype apart(void)
{
    MPI_Datatype type;

    MPI_Type_vector(N, 1, 3, MPI_INT, &type);
    MPI_Type_commit(&type);
    return type;
}

static void put(int v[ROOM], int first)
{
    for (int i = 0; i < ROOM; i++) {
        v[i] = i % 3 == 0 ? first + i : -2;
    }
}

/* With the gaps as they were. */
static bool has(const int v[ROOM], int first)
{
    for (int i = 0; i < ROOM - 2; i++) {
        if (v[i] != (i % 3 == 0 ? first + i : -2)) {
            return false;
        }
    }
    return true;
}

/* ---- types ---- */

/* Types of blocks, of which some are not used, go right after the start. */
void types_of_blocks_may_be_freed_meanwhile(void)
{
    enum { MOST = 16 };
    static int in[MOST][ROOM], out[MOST][ROOM];
    int counts[MOST] = { 0 }, places[MOST] = { 0 };
    MPI_Datatype types[MOST];
    MPI_Request request;

    if (world_size > MOST) {
        rpt_test_skip("there is no room for so many ranks");
        return;
    }
    for (int r = 0; r < world_size; r++) {
        types[r] = apart();
        counts[r] = (r + world_rank) % 3 == 1 ? 0 : 1;
        places[r] = r * (int)sizeof in[r];
        put(in[r], 1000 * world_rank + r);
        put(out[r], -1000);
    }
    MPI_Ialltoallw(in, counts, places, types, out, counts, places, types,
                   MPI_COMM_WORLD, &request);
    for (int r = 0; r < world_size; r++) {
        MPI_Type_free(&types[r]);
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int r = 0; r < world_size; r++) {
        CHECK(has(out[r], counts[r] > 0 ? 1000 * r + world_rank : -1000));
    }
}

#ifdef HAVE_PERSISTENT
/* ---- communicators and requests of persistent ones ---- */

void a_persistent_request_outlives_its_communicator(void)
{
    int in = 0, sum = -1, v[ROOM];
    MPI_Datatype type;
    MPI_Request requests[2];
    MPI_Comm comm;

    if (!are_ours()) {
        return;
    }
    type = apart();
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL,
         &requests[0]);
    INIT(Bcast, v, 1, type, world_size - 1, comm, MPI_INFO_NULL, &requests[1]);
    in = world_rank;
    MPI_Start(&requests[0]);
    MPI_Comm_free(&comm);
    MPI_Type_free(&type);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    CHECK(sum == sum_of_ranks(0));
    for (int i = 1; i < 20; i++) {
        in = world_rank + i;
        put(v, world_rank == world_size - 1 ? i : -i);
        MPI_Startall(2, requests);
        MPI_Waitall(2, requests, statuses_ignored());
        CHECK(sum == sum_of_ranks(i) && has(v, i));
    }
    MPI_Request_free(&requests[0]);
    MPI_Request_free(&requests[1]);
}

/* It ends as if it were waited for, while others begin and end. */
void a_persistent_request_may_be_freed_meanwhile(void)
{
    static int v[20][ROOM];
    MPI_Request request = MPI_REQUEST_NULL, other;
    MPI_Datatype type;
    int flag;

    if (!are_ours()) {
        return;
    }
    type = apart();
    for (int i = 0; i < 20; i++) {
        put(v[i], world_rank == 0 ? i : -1);
        INIT(Bcast, v[i], 1, type, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
        MPI_Start(&request);
        MPI_Request_free(&request);
        CHECK(request == MPI_REQUEST_NULL);
        INIT(Barrier, MPI_COMM_WORLD, MPI_INFO_NULL, &other);
        MPI_Start(&other);
        MPI_Wait(&other, MPI_STATUS_IGNORE);
        MPI_Request_free(&other);
    }
    MPI_Type_free(&type);
    for (int i = 0; i < 20; i++) {
        while (!has(v[i], i)) { /* a test of whatever goes on with it */
            MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
        }
    }
}

/* The ranks have different counts. */
static void fail_once(int way)
{
    int in[2] = { 0 }, out[2], flag = 0, index = 0, code;
    MPI_Request request;
    MPI_Comm comm;

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    INIT(Allreduce, in, out, world_rank > 0 ? 2 : 1, MPI_INT, MPI_SUM, comm,
         MPI_INFO_NULL, &request);
    MPI_Barrier(MPI_COMM_WORLD); /* else who comes late is given no request */
    code = MPI_Start(&request);  /* who comes late may learn it here */
    while (code == MPI_SUCCESS) {
        code = way == 0   ? MPI_Wait(&request, MPI_STATUS_IGNORE)
               : way == 1 ? MPI_Waitall(1, &request, statuses_ignored())
               : way == 2 ? MPI_Waitany(1, &request, &index, MPI_STATUS_IGNORE)
                          : MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
        CHECK(code != MPI_SUCCESS || (way == 3 && !flag));
    }
    CHECK(MPI_Waitall(1, &request, statuses_ignored()) == MPI_SUCCESS);
    CHECK(MPI_Wait(&request, MPI_STATUS_IGNORE) == MPI_SUCCESS);
    CHECK(MPI_Start(&request) != MPI_SUCCESS); /* its group is of no use */
    MPI_Request_free(&request);
    MPI_Comm_free(&comm);
}

void a_persistent_request_tells_once_that_it_failed(void)
{
    if (!are_ours()) {
        return;
    }
    for (int way = 0; way < 4; way++) {
        fail_once(way);
    }
}

/* Each begins again as soon as it is over, on each rank in another order.  One
 * beside them is not started, and one is none. */
void persistent_requests_start_again_as_they_end(void)
{
    enum { KINDS = 4, INACTIVE = KINDS, NOTHING, ALL, ROUNDS = 30 };
    int in = 0, sum = -1, v = -1, before = 0, ahead = -1;
    int n_rounds[KINDS] = { 0 };
    MPI_Request requests[ALL];

    if (!are_ours()) {
        return;
    }
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &requests[0]);
    INIT(Bcast, &v, 1, MPI_INT, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[1]);
    INIT(Barrier, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[2]);
    INIT(Exscan, &before, &ahead, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &requests[3]);
    INIT(Barrier, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[INACTIVE]);
    requests[NOTHING] = MPI_REQUEST_NULL;
    in = before = world_rank;
    v = world_rank == 0 ? 0 : -1;
    for (int k = 0; k < KINDS; k++) {
        MPI_Start(&requests[world_rank % 2 == 0 ? k : KINDS - 1 - k]);
    }
    for (int left = KINDS * ROUNDS; left > 0;) {
        int indices[ALL], n = 0;

        if (left % 2 == 0) {
            MPI_Waitsome(ALL, requests, &n, indices, statuses_ignored());
        } else {
            MPI_Waitany(ALL, requests, &indices[0], MPI_STATUS_IGNORE);
            n = 1;
        }
        CHECK(n > 0 && n <= KINDS);
        for (int i = 0; i < n; i++) {
            int k = indices[i], round = n_rounds[k]++;

            CHECK(k >= 0 && k < KINDS);
            CHECK(k != 0 || sum == sum_of_ranks(round));
            CHECK(k != 1 || v == round);
            CHECK(k != 3 || world_rank == 0 ||
                  ahead ==
                      world_rank * (world_rank - 1) / 2 + world_rank * round);
            in = k == 0 ? world_rank + round + 1 : in;
            before = k == 3 ? world_rank + round + 1 : before;
            v = k == 1 ? (world_rank == 0 ? round + 1 : -1) : v;
            if (n_rounds[k] < ROUNDS) {
                MPI_Start(&requests[k]);
            }
        }
        left -= n;
    }
    for (int k = 0; k < NOTHING; k++) {
        MPI_Request_free(&requests[k]);
    }
}
#else
void a_persistent_request_tells_once_that_it_failed(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}

void a_persistent_request_outlives_its_communicator(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}

void a_persistent_request_may_be_freed_meanwhile(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}

void persistent_requests_start_again_as_they_end(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}
#endif

/* ---- nothing is left ---- */

static void use_types(void)
{
    static int v[ROOM];
    MPI_Datatype type = apart();
    MPI_Request request;

    put(v, world_rank == 0 ? 3 : -1);
    MPI_Bcast(v, 1, type, 0, MPI_COMM_WORLD);
    CHECK(has(v, 3));
    put(v, world_rank == 0 ? 4 : -1);
    MPI_Ibcast(v, 1, type, 0, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(has(v, 4));
#ifdef HAVE_PERSISTENT
    put(v, world_rank == 0 ? 5 : -1);
    INIT(Bcast, v, 1, type, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
    MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(has(v, 5));
    MPI_Request_free(&request);
#endif
    MPI_Type_free(&type);
}

static void make_types(void)
{
    MPI_Datatype type = apart();

    MPI_Type_free(&type);
}

static void use_communicators(void)
{
    MPI_Request request;
    MPI_Comm comm;

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Barrier(comm);
    MPI_Ibarrier(comm, &request);
    MPI_Comm_free(&comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}

static int compare_longs(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return (x > y) - (x < y);
}

/* What a round of `use` leaves, in the mean, when all has been used before.
 * The middle one of three times: an MPI may yet take a large block for itself,
 * or give one back. */
static long left_by(void (*use)(void), int n_rounds)
{
    enum { TIMES = 3 };
    long left[TIMES];

    for (int time = -1; time < TIMES; time++) {
        size_t before = rpt_test_heap_bytes();

        for (int i = 0; i < n_rounds; i++) {
            use();
        }
        if (time >= 0) {
            left[time] = ((long)rpt_test_heap_bytes() - (long)before) /
                         n_rounds;
        }
    }
    qsort(left, TIMES, sizeof *left, compare_longs);
    return left[TIMES / 2];
}

void types_and_communicators_leave_nothing(void)
{
    enum { TIMES = 12 };
    long kept = 0;
    bool is_clean = false;

    if (!are_ours()) {
        return;
    }
    /* Some MPICH keep 64 bytes of each type, in one process and not in the
     * next, or for a while; of one that is in use there are two copies more.
     * What we leave would be there each time.  The calls are the same on each
     * rank: all go through all times. */
    for (int time = 0; time < TIMES; time++) {
        long used = left_by(use_types, 100), made = left_by(make_types, 100);

        kept = made > kept ? made : kept;
        is_clean = is_clean || used < 64 + 3 * kept;
    }
    CHECK(is_clean);
    CHECK(left_by(use_communicators, 100) < 64);
}

/* ---- MPI_Finalize ---- */

static int left_behind[ROOM];
static bool is_left;

/* The other ranks are in MPI_Finalize, or on their way, before the last one
 * gives them what they wait for there. */
void leave_requests(void)
{
    int root = world_size - 1, word = 0;
    MPI_Request request;
    MPI_Datatype type;

    /* MPI does not allow it, and we may leave these calls to the MPI. */
    if (!has_shim() || world_size < 2 || getenv("RPT_COMM_SHM") != NULL) {
        return;
    }
    type = apart();
    put(left_behind, world_rank == root ? 9 : -1);
    if (world_rank == root) {
        for (int r = 0; r < root; r++) {
            MPI_Recv(&word, 1, MPI_INT, r, 13, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        }
    }
    MPI_Ibcast(left_behind, 1, type, root, MPI_COMM_WORLD, &request);
    is_left = true;
    MPI_Request_free(&request);
    MPI_Type_free(&type);
    if (world_rank != root) {
        MPI_Send(&word, 1, MPI_INT, root, 13, MPI_COMM_WORLD);
    }
}

bool what_was_left_is_done(void)
{
    return !is_left || has(left_behind, 9);
}
