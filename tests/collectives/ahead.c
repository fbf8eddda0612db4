/*
 * ahead.c - how far ranks get ahead of each other in calls by chance
 *
 * Who ends a call knows that all have begun the one before.  Ranks count the
 * calls that they have begun where all can see it.
 */
#include "ahead.h"

#include "fixture.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_RANKS = 8, N_CALLS = 80, LATE_NS = 1000000 };

static _Atomic int begun[MAX_RANKS];

/* The same on all ranks. */
static struct ahead_call call_of(unsigned seed, int n_ranks)
{
    static const size_t counts[] = { 0, 1, 3, 20, 32, 300, 2000, 5000 };
    struct ahead_call call;

    call.kind = rand_r(&seed) % AHEAD_N_KINDS;
    call.count = counts[rand_r(&seed) % 8];
    call.root = rand_r(&seed) % n_ranks;
    call.empty = rand_r(&seed) % n_ranks;
    return call;
}

rpt_status_t ahead_call(rpt_group_t *group, struct ahead_call call, double *in,
                        double *out)
{
    const rpt_type_t type = RPT_TYPE_F64;
    const rpt_op_t op = RPT_OP_SUM;
    bool gives = rpt_group_rank(group) != call.empty;
    size_t n = call.count, counts[MAX_RANKS], given[MAX_RANKS];

    for (int r = 0; r < MAX_RANKS; r++) {
        counts[r] = r == call.empty ? 0 : n;
        given[r] = gives ? n : 0;
    }
    switch (call.kind) {
    case 0:
        return rpt_broadcast(group, in, n, type, call.root);
    case 1:
        return rpt_reduce(group, in, out, n, type, op, call.root);
    case 2:
        return rpt_gather(group, in, out, n, type, call.root);
    case 3:
        return rpt_scatter(group, in, out, n, type, call.root);
    case 4:
        return rpt_scan(group, in, out, n, type, op);
    case 5:
        return rpt_exscan(group, in, out, n, type, op);
    case 6:
        return rpt_allgatherv(group, in, out, counts, NULL, type);
    case 7:
        return rpt_gatherv(group, in, out, counts, NULL, type, call.root);
    case 8:
        return rpt_reduce_scatter(group, in, out, counts, type, op);
    case 9:
        return rpt_alltoallv(group, in, given, NULL, out, counts, NULL, type);
    case 10:
        return rpt_alltoall(group, in, out, n, type);
    case 11:
        return rpt_allreduce(group, in, out, n, type, op);
    default:
        return rpt_barrier(group);
    }
}

void ahead_run(rpt_group_t *group, unsigned seed, double *in, double *out)
{
    int rank = rpt_group_rank(group), n = rpt_group_size(group);
    unsigned own = (unsigned)rank;

    begun[rank] = 0;
    CHECK(rpt_barrier(group) == RPT_OK);
    for (int i = 0; i < N_CALLS; i++) {
        if (rand_r(&own) % 4 == 0) {
            nanosleep(&(struct timespec){ .tv_nsec = rand_r(&own) % LATE_NS },
                      NULL);
        }
        begun[rank] = i + 1;
        CHECK(ahead_call(group, call_of(seed * 1009 + (unsigned)i, n), in,
                         out) == RPT_OK);
        for (int r = 0; r < n; r++) {
            CHECK(begun[r] >= i);
        }
    }
    CHECK(rpt_barrier(group) == RPT_OK); /* it may begin anew */
}
