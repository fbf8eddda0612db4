/*
 * rates.c - how fast the ranks of this launch copy, read and send
 *
 * All ranks do it at once, since that is what a collective does.  The best of
 * some tries, of the slowest rank.
 */
#include "cli/bench/bench_priv.h"

#include <string.h>

enum { TRIES = 5 };

static double copy_rate(void *to, const void *from, size_t bytes)
{
    double best = 0, slowest = 0;

    for (int i = 0; i < TRIES; i++) {
        double began_s, rate;

        MPI_Barrier(WORLD);
        began_s = MPI_Wtime();
        memcpy(to, from, bytes);
        rate = (double)bytes / (MPI_Wtime() - began_s);
        best = rate > best ? rate : best;
    }
    MPI_Allreduce(&best, &slowest, 1, MPI_DOUBLE, MPI_MIN, WORLD);
    return slowest;
}

double bench_copy_rate(struct bench *b)
{
    return copy_rate(b->mpis.out, b->mpis.in, b->buffer_bytes);
}

/* From the window of the next rank of the node. */
static double window_rate(struct bench *b, MPI_Win window, void *mine)
{
    MPI_Aint bytes = 0;
    void *next = NULL;
    int unit = 0;

    memset(mine, 1, b->buffer_bytes);
    MPI_Win_shared_query(window, (b->rank + 1) % b->size, &bytes, &unit, &next);
    return copy_rate(b->mpis.out, next, b->buffer_bytes);
}

/* 0 when the ranks do not share memory, or there is too little of it. */
double bench_pull_rate(struct bench *b)
{
    MPI_Comm node;
    MPI_Win window = MPI_WIN_NULL;
    void *mine = NULL;
    int size = 0, has_it = 0, all_have_it = 0;
    double found = 0;

    MPI_Comm_split_type(WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_set_errhandler(node, MPI_ERRORS_RETURN);
    MPI_Comm_size(node, &size);
    if (size == b->size && b->machine.n_nodes == 1) {
        has_it = MPI_Win_allocate_shared((MPI_Aint)b->buffer_bytes, 1,
                                         MPI_INFO_NULL, node, &mine,
                                         &window) == MPI_SUCCESS;
    }
    MPI_Allreduce(&has_it, &all_have_it, 1, MPI_INT, MPI_MIN, WORLD);
    if (all_have_it) {
        found = window_rate(b, window, mine);
        MPI_Win_free(&window);
    }
    MPI_Comm_free(&node);
    return found;
}

/* Round a ring, as many blocks of a vector as an all-reduce on a ring sends. */
double bench_ring_rate(struct bench *b, size_t bytes)
{
    int right = (b->rank + 1) % b->size;
    int left = (b->rank + b->size - 1) % b->size;
    int block = (int)(bytes / sizeof(float) / (size_t)b->size);
    int n_blocks = 2 * (b->size - 1);
    double began_s, mine_s, slowest_s;

    MPI_Barrier(WORLD);
    began_s = MPI_Wtime();
    for (int i = 0; i < n_blocks; i++) {
        MPI_Sendrecv(b->mpis.in, block, MPI_FLOAT, right, 0, b->mpis.out, block,
                     MPI_FLOAT, left, 0, WORLD, MPI_STATUS_IGNORE);
    }
    mine_s = MPI_Wtime() - began_s;
    MPI_Allreduce(&mine_s, &slowest_s, 1, MPI_DOUBLE, MPI_MAX, WORLD);
    return n_blocks * (double)block * sizeof(float) / slowest_s;
}
