/*
 * lifetimes.c - what ends while a request is under way; requests that are
 * started again and again
 */
#include "app.h"
#include "harness.h"

#include <pthread.h>
#include <string.h>

static int sum_of_ranks(int add)
{
    return world_size * (world_size - 1) / 2 + world_size * add;
}

void a_communicator_may_be_freed_meanwhile(void)
{
    if (!has_shim()) {
        rpt_test_skip("not every MPI survives it");
        return;
    }
    for (int i = 0; i < 20; i++) {
        int in = world_rank + i, sum = -1;
        MPI_Request request;
        MPI_Comm comm;

        MPI_Comm_dup(MPI_COMM_WORLD, &comm);
        MPI_Barrier(comm);
        MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, comm, &request);
        MPI_Comm_free(&comm);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK(sum == sum_of_ranks(i));
    }
}

/* Two integers, three apart. */
static MPI_Datatype apart(void)
{
    MPI_Datatype type;

    MPI_Type_vector(2, 1, 3, MPI_INT, &type);
    MPI_Type_commit(&type);
    return type;
}

void a_type_may_be_freed_meanwhile(void)
{
    MPI_Datatype type = apart();
    int v[4] = { -1, -1, -1, -1 };
    MPI_Request request;

    if (world_rank == 0) {
        v[0] = 1;
        v[3] = 2;
    }
    MPI_Ibcast(v, 1, type, 0, MPI_COMM_WORLD, &request);
    MPI_Type_free(&type);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(v[0] == 1 && v[1] == -1 && v[2] == -1 && v[3] == 2);
}

/* The program learns by a message that the operation is over. */
void a_request_may_be_freed_meanwhile(void)
{
    static int v[4], in, sum;
    MPI_Datatype type;
    MPI_Request request;

    if (!has_shim()) {
        rpt_test_skip("MPI does not allow it");
        return;
    }
    type = apart();
    memset(v, -1, sizeof v);
    v[0] = v[3] = world_rank == 0 ? 7 : -1;
    in = world_rank;
    MPI_Ibcast(v, 1, type, 0, MPI_COMM_WORLD, &request);
    if (world_size > 1) { /* else it is the MPI's */
        MPI_Request_free(&request);
    } else {
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    CHECK(request == MPI_REQUEST_NULL);
    MPI_Type_free(&type);
    MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(sum == sum_of_ranks(0));
    CHECK(v[0] == 7 && v[1] == -1 && v[3] == 7);
}

/* ---- threads ---- */

enum { ROUNDS = 200 };

struct shared {
    MPI_Request requests[ROUNDS];
    int sums[ROUNDS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int n_started;
};

static void *wait_for_all(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&shared->lock);
        while (shared->n_started <= i) {
            pthread_cond_wait(&shared->changed, &shared->lock);
        }
        pthread_mutex_unlock(&shared->lock);
        MPI_Wait(&shared->requests[i], MPI_STATUS_IGNORE);
    }
    return NULL;
}

void a_thread_may_wait_while_another_one_starts(void)
{
    static struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                    .changed = PTHREAD_COND_INITIALIZER };
    pthread_t thread;
    int in = world_rank;

    if (!is_multiple || !has_shim() || world_size < 2) {
        rpt_test_skip("only one thread may call MPI, or it is the MPI's");
        return;
    }
    CHECK(pthread_create(&thread, NULL, wait_for_all, &shared) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        int all = -1;

        MPI_Iallreduce(&in, &shared.sums[i], 1, MPI_INT, MPI_SUM,
                       MPI_COMM_WORLD, &shared.requests[i]);
        pthread_mutex_lock(&shared.lock);
        shared.n_started++;
        pthread_cond_signal(&shared.changed);
        pthread_mutex_unlock(&shared.lock);
        if (i % 3 == 0) { /* while the other one waits */
            MPI_Allreduce(&in, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
            CHECK(all == sum_of_ranks(0));
        }
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(shared.sums[i] == sum_of_ranks(0));
    }
}

/* ---- persistent ---- */

#ifdef HAVE_PERSISTENT
/* MPICH 4.0 hangs in a wait for inactive ones of its own. */
static bool are_ours(void)
{
    if (!has_shim() || world_size < 2) {
        rpt_test_skip("they are the MPI's");
        return false;
    }
    return true;
}

void persistent_requests_start_again(void)
{
    MPI_Datatype type;
    MPI_Request requests[2];
    int in = 0, sum = 0, v[4] = { 0 }, flag;

    if (!are_ours()) {
        return;
    }
    type = apart();
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &requests[0]);
    INIT(Bcast, v, 1, type, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[1]);
    MPI_Type_free(&type);
    for (int i = 0; i < 100; i++) {
        /* Inactive ones are no reason to wait. */
        MPI_Waitall(2, requests, statuses_ignored());
        in = world_rank + i;
        v[0] = v[3] = world_rank == 0 ? i : -1;
        v[1] = 5;
        if (i % 2 == 0) {
            MPI_Startall(2, requests);
        } else {
            MPI_Start(&requests[0]);
            MPI_Start(&requests[1]);
        }
        if (i % 3 == 0) {
            MPI_Waitall(2, requests, statuses_ignored());
        } else {
            MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
            for (flag = 0; !flag;) {
                MPI_Test(&requests[0], &flag, MPI_STATUS_IGNORE);
            }
        }
        CHECK(sum == sum_of_ranks(i));
        CHECK(v[0] == i && v[1] == 5 && v[3] == i);
        CHECK(requests[0] != MPI_REQUEST_NULL);
    }
    MPI_Request_free(&requests[0]);
    MPI_Request_free(&requests[1]);
    CHECK(requests[0] == MPI_REQUEST_NULL);
}

void persistent_requests_stand_beside_others(void)
{
    enum { SUM, INCOMING, OUTGOING, BARRIER, N };
    MPI_Request requests[N];
    int in = 0, sum = 0, to = 0, from = 0;
    int next = (world_rank + 1) % world_size;
    int previous = (world_rank + world_size - 1) % world_size;

    if (!are_ours()) {
        return;
    }
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &requests[SUM]);
    INIT(Barrier, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[BARRIER]);
    MPI_Recv_init(&from, 1, MPI_INT, previous, 8, MPI_COMM_WORLD,
                  &requests[INCOMING]);
    MPI_Send_init(&to, 1, MPI_INT, next, 8, MPI_COMM_WORLD,
                  &requests[OUTGOING]);
    for (int i = 0; i < 50; i++) {
        int n_done = 0, index = -1, n = 0, indices[N];

        in = world_rank + i;
        to = i;
        MPI_Startall(N, requests);
        while (n_done < N) {
            if (i % 2 == 0) {
                MPI_Waitany(N, requests, &index, MPI_STATUS_IGNORE);
                n = 1;
            } else {
                MPI_Waitsome(N, requests, &n, indices, statuses_ignored());
            }
            n_done += n;
        }
        MPI_Waitany(N, requests, &index, MPI_STATUS_IGNORE);
        CHECK(index == MPI_UNDEFINED);
        CHECK(sum == sum_of_ranks(i) && from == i);
    }
    for (int i = 0; i < N; i++) {
        MPI_Request_free(&requests[i]);
    }
}

/* Their order is that of their inits. */
void persistent_requests_start_in_any_order(void)
{
    MPI_Request requests[3];
    int in = world_rank, sum, v;

    if (!are_ours()) {
        return;
    }
    INIT(Allreduce, &in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD,
         MPI_INFO_NULL, &requests[0]);
    INIT(Bcast, &v, 1, MPI_INT, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[1]);
    INIT(Barrier, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[2]);
    for (int i = 0; i < 20; i++) {
        sum = -1;
        v = world_rank == 0 ? i : -1;
        for (int k = 0; k < 3; k++) {
            MPI_Start(&requests[(k + world_rank + i) % 3]);
        }
        MPI_Waitall(3, requests, statuses_ignored());
        CHECK(sum == sum_of_ranks(0) && v == i);
    }
    for (int k = 0; k < 3; k++) {
        MPI_Request_free(&requests[k]);
    }
}
#else
void persistent_requests_start_again(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}

void persistent_requests_stand_beside_others(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}

void persistent_requests_start_in_any_order(void)
{
    rpt_test_skip("this MPI has no persistent collectives");
}
#endif
