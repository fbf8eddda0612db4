/*
 * bell.h - how a sleeping rank is woken: a counter in shared memory
 *
 * The sleeper sets `sleeping`, looks once more for work, and sleeps while
 * `count` stays what it was.  A ringer adds to `count` after it has put the
 * work where the sleeper looks.  Ringing costs nanoseconds when nobody sleeps.
 */
#ifndef RPT_COMM_BELL_H
#define RPT_COMM_BELL_H

#include "base/futex.h"

#include <stdatomic.h>
#include <stdint.h>

/* 64 bytes, so that two bells never share a cache line. */
struct rpt_bell {
    _Atomic uint32_t count;    /* grows with every ring */
    _Atomic uint32_t sleeping; /* 1 while somebody sleeps on count */
    uint32_t unused[14];
};

/* Any thread, any process that maps the bell. */
static inline void rpt__bell_ring(struct rpt_bell *bell)
{
    atomic_fetch_add(&bell->count, 1);
    if (atomic_load(&bell->sleeping) != 0 &&
        atomic_exchange(&bell->sleeping, 0) != 0) {
        rpt__futex_wake(&bell->count, 1);
    }
}

#endif /* RPT_COMM_BELL_H */
