/*
 * requests.c - requests of collectives beside those of messages, in each of the
 * functions that wait or test
 */
#include "app.h"
#include "harness.h"

#include <stdlib.h>

static int sum_of_ranks(int add)
{
    return world_size * (world_size - 1) / 2 + world_size * add;
}

/* The first rank is not in the library while the second one is. */
void a_started_call_needs_no_caller(void)
{
    int in = world_rank, sum = -1, message = -1;
    MPI_Request request;

    if (world_size < 2) {
        rpt_test_skip("there is nobody to wait for");
        return;
    }
    MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    if (world_rank == 0) {
        MPI_Recv(&message, 1, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK(message == sum_of_ranks(0));
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(sum == sum_of_ranks(0) && request == MPI_REQUEST_NULL);
    if (world_rank == 1) {
        MPI_Send(&sum, 1, MPI_INT, 0, 5, MPI_COMM_WORLD);
    }
}

/* On a communicator of which nothing is known yet, and on another one. */
static void call_after_message(MPI_Comm comm)
{
    int message = 0;
    MPI_Request request;

    if (world_rank == 1) {
        MPI_Recv(&message, 1, MPI_INT, 0, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Ibarrier(comm, &request);
    if (world_rank == 0) {
        MPI_Send(&message, 1, MPI_INT, 1, 9, MPI_COMM_WORLD);
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}

void a_started_call_waits_for_nobody(void)
{
    MPI_Comm comm;

    if (world_size < 2) {
        rpt_test_skip("there is nobody to wait for");
        return;
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    call_after_message(comm);
    MPI_Barrier(comm);
    call_after_message(comm);
    MPI_Comm_free(&comm);
    call_after_message(MPI_COMM_WORLD);
}

/* Large ones, which only go on while their sender is in the MPI. */
void messages_go_on_while_ours_are_waited_for(void)
{
    enum { LARGE = 1 << 20 };
    static int large[LARGE];
    MPI_Request requests[2] = { MPI_REQUEST_NULL, MPI_REQUEST_NULL };

    if (world_size < 2) {
        rpt_test_skip("there is nobody to send to");
        return;
    }
    for (int i = 0; i < LARGE; i++) {
        large[i] = world_rank == 0 ? i : -1;
    }
    if (world_rank == 0) {
        MPI_Isend(large, LARGE, MPI_INT, 1, 14, MPI_COMM_WORLD, &requests[1]);
    } else if (world_rank == 1) {
        MPI_Recv(large, LARGE, MPI_INT, 0, 14, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        CHECK(large[1] == 1 && large[LARGE - 1] == LARGE - 1);
    }
    MPI_Ibarrier(MPI_COMM_WORLD, &requests[0]);
    CHECK(MPI_Waitall(2, requests, statuses_ignored()) == MPI_SUCCESS);
}

/* ---- errors ---- */

/* Ranks differ in the first call.  On each of them one of the calls fails, at
 * its start or in the wait, and what is beside them does not. */
void a_wrong_call_is_told_in_its_status(void)
{
    enum { FIRST, SECOND, INCOMING, OUTGOING, N };
    double in[4] = { 0 }, out[2][4] = { { 0 } };
    int message = 1, back = 0, at_start[2], all;
    MPI_Request requests[N];
    MPI_Status statuses[N] = { 0 };
    MPI_Comm comm;

    if (!has_shim() || world_size < 2) {
        rpt_test_skip("MPI itself need not see it");
        return;
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Barrier(comm);
    for (int i = FIRST; i <= SECOND; i++) {
        int count = i == FIRST && world_rank == 0 ? 3 : 4;

        at_start[i] = MPI_Iallreduce(in, out[i], count, MPI_DOUBLE, MPI_SUM,
                                     comm, &requests[i]);
        CHECK(at_start[i] == MPI_SUCCESS || requests[i] == MPI_REQUEST_NULL);
    }
    MPI_Irecv(&back, 1, MPI_INT, world_rank, 10, comm, &requests[INCOMING]);
    MPI_Isend(&message, 1, MPI_INT, world_rank, 10, comm, &requests[OUTGOING]);
    all = MPI_Waitall(N, requests, statuses);
    if (all == MPI_SUCCESS) {
        CHECK(at_start[FIRST] == MPI_ERR_OTHER ||
              at_start[SECOND] == MPI_ERR_OTHER);
    } else {
        CHECK(all == MPI_ERR_IN_STATUS);
        CHECK(statuses[FIRST].MPI_ERROR == MPI_ERR_OTHER ||
              statuses[SECOND].MPI_ERROR == MPI_ERR_OTHER);
    }
    CHECK(statuses[INCOMING].MPI_ERROR == MPI_SUCCESS && back == 1);
    CHECK(requests[FIRST] == MPI_REQUEST_NULL);
    MPI_Comm_free(&comm);
}

/* ---- an array of all kinds ---- */

enum { SUM, NOTHING, INCOMING, INACTIVE, OUTGOING, BARRIER, N_KINDS };

struct mixed {
    MPI_Request requests[N_KINDS];
    int in, sum, incoming, outgoing, unused;
};

static int next_rank(void)
{
    return (world_rank + 1) % world_size;
}

static int previous_rank(void)
{
    return (world_rank + world_size - 1) % world_size;
}

static void begin_mixed(struct mixed *m, int add)
{
    m->in = world_rank + add;
    m->sum = m->incoming = -1;
    m->outgoing = 100 * world_rank + add;
    m->requests[NOTHING] = MPI_REQUEST_NULL;
    MPI_Iallreduce(&m->in, &m->sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
                   &m->requests[SUM]);
    MPI_Irecv(&m->incoming, 1, MPI_INT, previous_rank(), 6, MPI_COMM_WORLD,
              &m->requests[INCOMING]);
    MPI_Recv_init(&m->unused, 1, MPI_INT, previous_rank(), 7, MPI_COMM_WORLD,
                  &m->requests[INACTIVE]);
    MPI_Isend(&m->outgoing, 1, MPI_INT, next_rank(), 6, MPI_COMM_WORLD,
              &m->requests[OUTGOING]);
    MPI_Ibarrier(MPI_COMM_WORLD, &m->requests[BARRIER]);
}

static void end_mixed(struct mixed *m, int add)
{
    CHECK(m->sum == sum_of_ranks(add));
    CHECK(m->incoming == 100 * previous_rank() + add);
    for (int i = 0; i < N_KINDS; i++) {
        CHECK((m->requests[i] == MPI_REQUEST_NULL) == (i != INACTIVE));
    }
    MPI_Request_free(&m->requests[INACTIVE]);
}

static bool is_of_message(const MPI_Status *status)
{
    int count = -1;

    MPI_Get_count(status, MPI_INT, &count);
    return status->MPI_SOURCE == previous_rank() && status->MPI_TAG == 6 &&
           count == 1;
}

void wait_takes_requests_of_both_kinds(void)
{
    MPI_Status statuses[N_KINDS], status;
    struct mixed m;
    int count = -1;

    begin_mixed(&m, 1);
    CHECK(MPI_Waitall(N_KINDS, m.requests, statuses) == MPI_SUCCESS);
    CHECK(is_of_message(&statuses[INCOMING]));
    MPI_Get_count(&statuses[NOTHING], MPI_INT, &count);
    CHECK(count == 0 && statuses[NOTHING].MPI_SOURCE == MPI_ANY_SOURCE);
    end_mixed(&m, 1);

    begin_mixed(&m, 2);
    CHECK(MPI_Waitall(N_KINDS, m.requests, statuses_ignored()) == MPI_SUCCESS);
    end_mixed(&m, 2);

    begin_mixed(&m, 3);
    for (int i = 0; i < N_KINDS; i++) {
        CHECK(MPI_Wait(&m.requests[i], &status) == MPI_SUCCESS);
        CHECK(i != INCOMING || is_of_message(&status));
    }
    end_mixed(&m, 3);
    CHECK(MPI_Waitall(0, NULL, statuses_ignored()) == MPI_SUCCESS);
}

void test_takes_requests_of_both_kinds(void)
{
    MPI_Status statuses[N_KINDS];
    struct mixed m;
    int flag = 0, index = -1;

    begin_mixed(&m, 1);
    while (!flag) {
        CHECK(MPI_Testall(N_KINDS, m.requests, &flag, statuses) == MPI_SUCCESS);
    }
    CHECK(is_of_message(&statuses[INCOMING]));
    end_mixed(&m, 1);

    begin_mixed(&m, 2);
    for (int i = N_KINDS - 1; i >= 0; i--) {
        for (flag = 0; !flag;) {
            MPI_Test(&m.requests[i], &flag, MPI_STATUS_IGNORE);
        }
    }
    end_mixed(&m, 2);

    begin_mixed(&m, 3);
    for (int n = 0; n < 4;) {
        MPI_Testany(N_KINDS, m.requests, &index, &flag, &statuses[0]);
        CHECK(!flag || (index != NOTHING && index != INACTIVE));
        CHECK(!flag || index != INCOMING || is_of_message(&statuses[0]));
        n += flag;
    }
    MPI_Testany(N_KINDS, m.requests, &index, &flag, MPI_STATUS_IGNORE);
    CHECK(flag && index == MPI_UNDEFINED);
    end_mixed(&m, 3);
}

static void some(struct mixed *m, bool waits)
{
    MPI_Status statuses[N_KINDS];
    int indices[N_KINDS], n = 0, seen = 0, all = 0;

    while (all < 4) {
        if (waits) {
            MPI_Waitsome(N_KINDS, m->requests, &n, indices, statuses);
            CHECK(n > 0);
        } else {
            MPI_Testsome(N_KINDS, m->requests, &n, indices, statuses);
        }
        for (int i = 0; i < n; i++) {
            seen |= 1 << indices[i];
            CHECK(indices[i] != INCOMING || is_of_message(&statuses[i]));
        }
        all += n;
    }
    CHECK(all == 4 &&
          seen == (1 << SUM | 1 << INCOMING | 1 << OUTGOING | 1 << BARRIER));
    MPI_Waitsome(N_KINDS, m->requests, &n, indices, statuses_ignored());
    CHECK(n == MPI_UNDEFINED);
}

void one_or_some_are_waited_for(void)
{
    struct mixed m;
    MPI_Status status;
    int index = -1, seen = 0;

    begin_mixed(&m, 1);
    for (int n = 0; n < 4; n++) {
        MPI_Waitany(N_KINDS, m.requests, &index, &status);
        CHECK(index >= 0 && index < N_KINDS && (seen & 1 << index) == 0);
        CHECK(index != INCOMING || is_of_message(&status));
        seen |= 1 << index;
    }
    MPI_Waitany(N_KINDS, m.requests, &index, MPI_STATUS_IGNORE);
    CHECK(index == MPI_UNDEFINED);
    end_mixed(&m, 1);
    begin_mixed(&m, 2);
    some(&m, true);
    end_mixed(&m, 2);
    begin_mixed(&m, 3);
    some(&m, false);
    end_mixed(&m, 3);
}

/* ---- many ---- */

void requests_are_waited_for_in_any_order(void)
{
    enum { MANY = 40 };
    MPI_Request requests[MANY];
    int in[MANY], sums[MANY], before = world_rank, all = -1;

    for (int i = 0; i < MANY; i++) {
        in[i] = world_rank + i;
        MPI_Iallreduce(&in[i], &sums[i], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
                       &requests[i]);
    }
    /* A blocking one comes after all of them, whoever waits for these. */
    MPI_Allreduce(&before, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(all == sum_of_ranks(0));
    for (int i = 0; i < MANY; i++) {
        int at = (i * 7 + world_rank) % MANY;

        MPI_Wait(&requests[at], MPI_STATUS_IGNORE);
        CHECK(sums[at] == sum_of_ranks(at));
    }
}

void a_status_may_be_asked_for(void)
{
    int in = world_rank, sum = -1, flag = 0;
    MPI_Request request;
    MPI_Status status;

    MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    while (!flag) {
        MPI_Request_get_status(request, &flag, &status);
    }
    CHECK(sum == sum_of_ranks(0) && request != MPI_REQUEST_NULL);
    MPI_Request_get_status(request, &flag, MPI_STATUS_IGNORE);
    CHECK(flag);
    MPI_Wait(&request, &status);
    CHECK(request == MPI_REQUEST_NULL);
    MPI_Test_cancelled(&status, &flag);
    CHECK(!flag);
}

static void use_many(int n, MPI_Request *requests, int *sums)
{
    int in = world_rank, n_wrong = 0;

    for (int i = 0; i < n; i++) {
        sums[i] = -1;
        MPI_Iallreduce(&in, &sums[i], 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
                       &requests[i]);
    }
    MPI_Waitall(n, requests, statuses_ignored());
    for (int i = 0; i < n; i++) {
        n_wrong += sums[i] != sum_of_ranks(0);
    }
    CHECK(n_wrong == 0);
}

void thousands_of_requests_leave_nothing(void)
{
    enum { MANY = 2000, ROUNDS = 4 };
    MPI_Request *requests = malloc(MANY * sizeof(MPI_Request));
    int *sums = malloc(MANY * sizeof(int));
    size_t before = 0, after;

    for (int i = 0; i < ROUNDS; i++) {
        use_many(MANY, requests, sums);
        if (i == 0) {
            before = rpt_test_heap_bytes();
        }
    }
    after = rpt_test_heap_bytes();
    /* The smallest piece of memory for each of a round would be more. */
    CHECK(!has_shim() || after < before + 16 * (size_t)MANY);
    free(requests);
    free(sums);
}

/* ---- MPI_Cancel ---- */

void a_collective_cannot_be_cancelled(void)
{
    MPI_Request request;
    MPI_Errhandler before;
    int in = 1, sum = -1;

    if (!has_shim() || world_size < 2) {
        rpt_test_skip("MPI itself need not survive it");
        return;
    }
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &before);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    CHECK(MPI_Cancel(&request) != MPI_SUCCESS);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(sum == world_size);
#ifdef HAVE_PERSISTENT
    sum = -1;
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &request);
    MPI_Start(&request);
    CHECK(MPI_Cancel(&request) != MPI_SUCCESS);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(sum == world_size);
    MPI_Request_free(&request);
#endif
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, before);
    MPI_Errhandler_free(&before);
}
