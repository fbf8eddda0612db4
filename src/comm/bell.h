/*
 * bell.h - how a sleeping rank is woken: a counter in shared memory
 *
 * The sleeper reads `count`, looks for work, says in `sleeping` which count it
 * has seen, and sleeps while `count` stays that.  A ringer adds to `count`
 * after it has put the work where the sleeper looks, and wakes a sleeper that
 * has not seen that.  One that has is left alone: it looked afterwards, and to
 * take its mark away before it sleeps would leave it asleep for ever, when the
 * ringer was held up between its two steps.  Ringing costs nanoseconds when
 * nobody sleeps.
 */
#ifndef RPT_COMM_BELL_H
#define RPT_COMM_BELL_H

#include "base/futex.h"

#include <stdatomic.h>
#include <stdint.h>

/* 64 bytes, so that two bells never share a cache line. */
struct rpt_bell {
    _Atomic uint32_t count;    /* grows with every ring */
    _Atomic uint32_t sleeping; /* rpt__bell_mark() of what was seen; 0: nobody
                                  sleeps */
    uint32_t unused[14];
};

static inline uint32_t rpt__bell_mark(uint32_t count)
{
    return 2 * count + 1; /* never 0 */
}

/* The two steps of a ring; the first gives the count that it made. */
static inline uint32_t rpt__bell_count(struct rpt_bell *bell)
{
    return atomic_fetch_add(&bell->count, 1) + 1;
}

static inline void rpt__bell_wake(struct rpt_bell *bell, uint32_t count)
{
    uint32_t seen = atomic_load(&bell->sleeping);

    if (seen != 0 && (int32_t)(seen - rpt__bell_mark(count)) < 0 &&
        atomic_compare_exchange_strong(&bell->sleeping, &seen, 0)) {
        rpt__futex_wake(&bell->count, 1);
    }
}

/* Any thread, any process that maps the bell. */
static inline void rpt__bell_ring(struct rpt_bell *bell)
{
    rpt__bell_wake(bell, rpt__bell_count(bell));
}

#endif /* RPT_COMM_BELL_H */
