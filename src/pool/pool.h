/*
 * pool.h - the door of the pool for the api: what <repartir/pool.h> promises,
 * with arguments that were checked and the engine's lock held
 */
#ifndef RPT_POOL_POOL_H
#define RPT_POOL_POOL_H

#include "comm/comm.h"

#include <repartir/pool.h>

/* Collective over the group, whose ranks become those of the pool.  The group
 * stays the caller's.  *n_pools counts the pools of the context. */
rpt_status_t rpt__pool_create(struct rpt_comm *comm, struct rpt_group *group,
                              int *n_pools, struct rpt_pool **pool_out);
void rpt__pool_destroy(struct rpt_pool *pool);
struct rpt_comm *rpt__pool_comm(const struct rpt_pool *pool);

rpt_status_t rpt__pool_register(struct rpt_pool *pool, const char *name,
                                rpt_task_fn fn, void *user);

/* futures_out may be NULL.  All or none. */
rpt_status_t rpt__pool_check(struct rpt_pool *pool, const rpt_task_t *task);
rpt_status_t rpt__pool_submit(struct rpt_pool *pool,
                              const rpt_task_t *const tasks[], size_t n,
                              rpt_future_t **futures_out);

rpt_status_t rpt__pool_serve(struct rpt_pool *pool);
rpt_status_t rpt__pool_drain(struct rpt_pool *pool);
rpt_status_t rpt__pool_wait(struct rpt_pool *pool, double timeout_s);
rpt_status_t rpt__pool_cancel(struct rpt_pool *pool, const char *id);
void rpt__pool_stats(struct rpt_pool *pool, rpt_pool_stats_t *stats);
rpt_status_t rpt__pool_shutdown(struct rpt_pool *pool, rpt_shutdown_t how,
                                double grace_s, uint64_t *n_dropped_out);
void rpt__pool_on_result(struct rpt_pool *pool, rpt_result_fn fn, void *user);
void rpt__pool_on_output(struct rpt_pool *pool, rpt_output_fn fn, void *user);

struct rpt_pool *rpt__future_pool(const rpt_future_t *future);
rpt_status_t rpt__future_wait(rpt_future_t *const futures[], size_t n,
                              size_t n_wanted, double timeout_s);
bool rpt__future_done(const rpt_future_t *future);
const rpt_result_t *rpt__future_result(const rpt_future_t *future);
rpt_status_t rpt__future_cancel(rpt_future_t *future);
void rpt__future_destroy(rpt_future_t *future);
rpt_status_t rpt__pool_next(struct rpt_pool *pool, double timeout_s,
                            rpt_future_t **future_out);

/* Whether this thread runs a task's function.  That holds its slot, so to wait
 * there for other tasks could be for ever. */
bool rpt__functions_inside(void);

/* What the MPI door needs of a call: the ranks of its gang, or NULL. */
const int *rpt__call_gang_ranks(const rpt_call_t *call, int *n_out);

/* Communicators of gangs are made by a function that the MPI door puts here,
 * since only it knows MPI; NULL for local contexts.  `key` names the
 * communicator: the same on all its ranks, new keys are made, known ones are
 * used again.  Called without the lock in the thread that runs the gang. */
struct rpt_gang_mpi_ops {
    rpt_status_t (*make)(struct rpt_comm *comm, const int ranks[], int n_ranks,
                         uint64_t key, void **handle_out);
    void (*release)(void *handle);
};
extern const struct rpt_gang_mpi_ops *rpt__gang_mpi;
void *rpt__call_mpi_handle(const rpt_call_t *call);

#endif /* RPT_POOL_POOL_H */
