/*
 * look.h - how long a rank looks at a flag before it sleeps
 *
 * First it spins, then it gives its core away again and again.  When somebody
 * takes the core, ranks share it, whatever their number and that of the cores
 * say: then the next spins are shorter, since who is waited for may wait for
 * this core.  A core that nobody takes makes them longer.
 */
#ifndef RPT_COLLECTIVES_ENGINE_LOOK_H
#define RPT_COLLECTIVES_ENGINE_LOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rpt_look {
    _Atomic int n_spins;
    int most_spins;
    int n_idle_yields; /* that nobody used, before a sleep */
};

/* is_shared: there are more ranks than cores. */
void rpt__look_init(struct rpt_look *look, bool is_shared);

/* False: it is time to sleep. */
bool rpt__look_at(struct rpt_look *look, const _Atomic uint64_t *flag,
                  uint64_t value);
/* The same for what is_true() tells. */
bool rpt__look_for(struct rpt_look *look, bool (*is_true)(void *arg),
                   void *arg);

static inline int rpt__look_spins(const struct rpt_look *look)
{
    return atomic_load_explicit(&look->n_spins, memory_order_relaxed);
}

#endif /* RPT_COLLECTIVES_ENGINE_LOOK_H */
