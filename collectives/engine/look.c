/*
 * look.c - spins, yields, and what a yield tells
 *
 * A yield that nobody uses is back after half a microsecond.
 */
#include "collectives/engine/look.h"

#include "base/clock.h"
#include "base/futex.h"

#include <sched.h>

#define USED_S 1e-6 /* a yield that takes so long was used by somebody */

/* MOST_SPINS take some 20 us, IDLE_YIELDS some 300, as long as a segment may
 * take. */
enum {
    MOST_SPINS = 1000,
    LEAST_SPINS = 10,
    IDLE_YIELDS = 1000,
    IDLE_YIELDS_SHARED = 200,
    USED_YIELDS = 200
};

void rpt__look_init(struct rpt_look *look, bool is_shared)
{
    look->most_spins = is_shared ? LEAST_SPINS : MOST_SPINS;
    look->n_idle_yields = is_shared ? IDLE_YIELDS_SHARED : IDLE_YIELDS;
    atomic_init(&look->n_spins, look->most_spins);
}

/* Whether somebody used the core meanwhile. */
static bool give_core_away(void)
{
    double began_s = rpt__now_s();

    sched_yield();
    return rpt__now_s() - began_s > USED_S;
}

static void adapt(struct rpt_look *look, bool was_used)
{
    int n = rpt__look_spins(look);

    if (was_used) {
        n = n / 2 > LEAST_SPINS ? n / 2 : LEAST_SPINS;
    } else {
        n = 2 * n < look->most_spins ? 2 * n : look->most_spins;
    }
    atomic_store_explicit(&look->n_spins, n, memory_order_relaxed);
}

bool rpt__look_for(struct rpt_look *look, bool (*is_true)(void *arg), void *arg)
{
    int n_used = 0, n_idle = 0;

    for (int i = rpt__look_spins(look); i > 0; i--) {
        if (is_true(arg)) {
            return true;
        }
        rpt__cpu_relax();
    }
    while (n_used < USED_YIELDS && n_idle < look->n_idle_yields) {
        bool was_used = give_core_away();

        if (n_used + n_idle == 0) {
            adapt(look, was_used);
        }
        if (is_true(arg)) {
            return true;
        }
        n_used += was_used;
        n_idle += !was_used;
    }
    return false;
}

struct raised {
    const _Atomic uint64_t *flag;
    uint64_t value;
};

static bool is_raised(void *arg)
{
    const struct raised *r = arg;

    return atomic_load_explicit(r->flag, memory_order_acquire) >= r->value;
}

bool rpt__look_at(struct rpt_look *look, const _Atomic uint64_t *flag,
                  uint64_t value)
{
    struct raised raised = { flag, value };

    return rpt__look_for(look, is_raised, &raised);
}
