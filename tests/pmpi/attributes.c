/*
 * attributes.c - collectives in the program's functions for attributes
 *
 * The shim has an attribute of its own on each communicator, which MPI deletes
 * before the program's or after them.
 */
#include "app.h"
#include "harness.h"

#include <pthread.h>

/* Of the thread that frees: how often its function was called. */
static _Thread_local int n_calls;

static void sum_in(MPI_Comm comm)
{
    int in = 1, sum = -1, later = -1, size;
    MPI_Request request;

    MPI_Comm_size(comm, &size);
    MPI_Barrier(comm);
    MPI_Allreduce(&in, &sum, 1, MPI_INT, MPI_SUM, comm);
    CHECK(sum == size);
    MPI_Iallreduce(&in, &later, 1, MPI_INT, MPI_SUM, comm, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(later == size);
}

static int sum_before_end(MPI_Comm comm, int key, void *value, void *extra)
{
    (void)key;
    (void)value;
    (void)extra;
    sum_in(comm);
    n_calls++;
    return MPI_SUCCESS;
}

static MPI_Comm twin_of_world(void)
{
    MPI_Comm twin;

    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    return twin;
}

/* ---- the end of a communicator ---- */

enum order { FUNCTION_FIRST, CALL_FIRST, NO_CALL, N_ORDERS };

static void end_with_sum(MPI_Comm *comm, enum order order, int key)
{
    if (order == CALL_FIRST) {
        sum_in(*comm);
    }
    MPI_Comm_set_attr(*comm, key, NULL);
    if (order == FUNCTION_FIRST) {
        sum_in(*comm);
    }
}

void a_delete_function_may_call_collectives(void)
{
    int key;

    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, sum_before_end, &key, NULL);
    n_calls = 0;
    for (int i = 0; i < 10 * N_ORDERS; i++) {
        MPI_Comm comm = twin_of_world();

        end_with_sum(&comm, (enum order)(i % N_ORDERS), key);
        if (i % 2 == 0) {
            MPI_Comm_free(&comm);
        } else {
            MPI_Comm_disconnect(&comm);
        }
        CHECK(comm == MPI_COMM_NULL && n_calls == i + 1);
    }
    MPI_Comm_free_keyval(&key);
}

void a_delete_function_may_run_beside_a_request(void)
{
    int key;

    if (!has_shim()) {
        rpt_test_skip("not every MPI survives it");
        return;
    }
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, sum_before_end, &key, NULL);
    for (int i = 0; i < 10; i++) {
        MPI_Comm comm = twin_of_world();
        int in = i, sum = -1;
        MPI_Request request;

        end_with_sum(&comm, (enum order)(i % NO_CALL), key);
        MPI_Iallreduce(&in, &sum, 1, MPI_INT, MPI_SUM, comm, &request);
        MPI_Comm_free(&comm);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK(sum == i * world_size);
    }
    MPI_Comm_free_keyval(&key);
}

/* As a library does that keeps a communicator of its own in an attribute. */
static int free_inner(MPI_Comm comm, int key, void *value, void *extra)
{
    MPI_Comm *inner = value;

    (void)key;
    (void)extra;
    sum_in(comm);
    sum_in(*inner);
    MPI_Comm_free(inner);
    sum_in(comm);
    return MPI_SUCCESS;
}

void a_delete_function_may_free_a_communicator(void)
{
    int outer_key, inner_key;

    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, free_inner, &outer_key, NULL);
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, sum_before_end, &inner_key,
                           NULL);
    for (int i = 0; i < 4; i++) {
        MPI_Comm outer = twin_of_world(), inner = twin_of_world();

        MPI_Comm_set_attr(inner, inner_key, NULL);
        MPI_Comm_set_attr(outer, outer_key, &inner);
        if (i % 2 == 0) {
            sum_in(outer);
            sum_in(inner);
        }
        MPI_Comm_free(&outer);
        CHECK(inner == MPI_COMM_NULL);
    }
    MPI_Comm_free_keyval(&outer_key);
    MPI_Comm_free_keyval(&inner_key);
}

/* ---- by several threads ---- */

enum { N_THREADS = 3 };

struct ending {
    MPI_Comm comm;
    int key;
    int n_calls;
};

/* The next communicator may get the handle that another thread's had. */
static void *end_in_a_thread(void *arg)
{
    struct ending *ending = arg;

    for (int i = 0; i < 12; i++) {
        MPI_Comm comm;

        MPI_Comm_dup(ending->comm, &comm);
        end_with_sum(&comm, (enum order)(i % N_ORDERS), ending->key);
        MPI_Comm_free(&comm);
    }
    ending->n_calls = n_calls;
    return NULL;
}

void threads_may_free_communicators(void)
{
    pthread_t threads[N_THREADS];
    struct ending endings[N_THREADS];
    int key;

    if (!is_multiple) {
        rpt_test_skip("only one thread may call MPI");
        return;
    }
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, sum_before_end, &key, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        endings[i] = (struct ending){ twin_of_world(), key, 0 };
    }
    for (int i = 0; i < N_THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, end_in_a_thread, &endings[i]) ==
              0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(endings[i].n_calls == 12);
        MPI_Comm_free(&endings[i].comm);
    }
    MPI_Comm_free_keyval(&key);
}

/* ---- while the communicator lives on ---- */

static int sum_before_copy(MPI_Comm comm, int key, void *extra, void *value,
                           void *value_out, int *is_copied)
{
    (void)key;
    (void)extra;
    sum_in(comm);
    *(void **)value_out = value;
    *is_copied = 1;
    n_calls++;
    return MPI_SUCCESS;
}

void functions_of_a_living_one_may_call_collectives(void)
{
    int key;

    MPI_Comm_create_keyval(sum_before_copy, sum_before_end, &key, NULL);
    for (int i = 0; i < 2; i++) {
        MPI_Comm comm = twin_of_world(), copy;

        MPI_Comm_set_attr(comm, key, NULL);
        n_calls = 0;
        if (i == 0) {
            MPI_Comm_dup(comm, &copy);
            MPI_Comm_free(&copy);
            CHECK(n_calls == 2);
        } else {
            MPI_Comm_set_attr(comm, key, &key);
            MPI_Comm_delete_attr(comm, key);
            CHECK(n_calls == 2);
        }
        sum_in(comm);
        MPI_Comm_free(&comm);
    }
    MPI_Comm_free_keyval(&key);
}

/* ---- the end of MPI ---- */

static int sum_at_finalize(MPI_Comm comm, int key, void *value, void *extra)
{
    int in = 1, sum = -1;

    (void)comm;
    (void)key;
    (void)value;
    (void)extra;
    MPI_Allreduce(&in, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (sum != world_size) {
        fprintf(stderr, "FAIL a sum at the end of MPI is %d\n", sum);
        _exit(1); /* tests have ended */
    }
    return MPI_SUCCESS;
}

void finalize_may_call_collectives(void)
{
    int key;

    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, sum_at_finalize, &key, NULL);
    CHECK(MPI_Comm_set_attr(MPI_COMM_SELF, key, NULL) == MPI_SUCCESS);
    MPI_Comm_free_keyval(&key);
}
