/*
 * table.c - which handles of requests are ours
 *
 * Cost: a lock and a hash for each question; none while there are no requests
 * of ours.
 */
#include "collectives/pmpi/request.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { BITS = 12, N_BUCKETS = 1 << BITS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpt_pmpi_request *table[N_BUCKETS];
static _Atomic int n_known;

/* A handle is a number in one MPI, an address in another one. */
static struct rpt_pmpi_request **bucket_of(MPI_Request handle)
{
    uint64_t bits = 0;

    memcpy(&bits, &handle, sizeof handle);
    return &table[bits * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BITS)];
}

void rpt__pmpi_table_add(struct rpt_pmpi_request *request)
{
    struct rpt_pmpi_request **bucket = bucket_of(request->handle);

    pthread_mutex_lock(&lock);
    request->next = *bucket;
    *bucket = request;
    atomic_fetch_add(&n_known, 1);
    pthread_mutex_unlock(&lock);
}

void rpt__pmpi_table_remove(struct rpt_pmpi_request *request)
{
    struct rpt_pmpi_request **link = bucket_of(request->handle);

    pthread_mutex_lock(&lock);
    while (*link != request) {
        link = &(*link)->next;
    }
    *link = request->next;
    atomic_fetch_sub(&n_known, 1);
    pthread_mutex_unlock(&lock);
}

bool rpt__pmpi_table_has_some(void)
{
    return atomic_load_explicit(&n_known, memory_order_acquire) > 0;
}

struct rpt_pmpi_request *rpt__pmpi_request_of(MPI_Request handle)
{
    struct rpt_pmpi_request *request;

    if (handle == MPI_REQUEST_NULL || !rpt__pmpi_table_has_some()) {
        return NULL;
    }
    pthread_mutex_lock(&lock);
    request = *bucket_of(handle);
    while (request != NULL && request->handle != handle) {
        request = request->next;
    }
    pthread_mutex_unlock(&lock);
    return request;
}

struct rpt_pmpi_request *rpt__pmpi_table_first(void)
{
    struct rpt_pmpi_request *first = NULL;

    pthread_mutex_lock(&lock);
    for (int i = 0; first == NULL && i < N_BUCKETS; i++) {
        first = table[i];
    }
    pthread_mutex_unlock(&lock);
    return first;
}
