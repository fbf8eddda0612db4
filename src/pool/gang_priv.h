/*
 * gang_priv.h - what the owner, the arbiter and the ranks of gangs share
 *
 * See gang.c for who sends what to whom.
 */
#ifndef RPT_POOL_GANG_PRIV_H
#define RPT_POOL_GANG_PRIV_H

#include "pool/pool_priv.h"

enum rpt_gang_what {
    RPT_GANG_REQUEST,
    RPT_GANG_RESERVE,
    RPT_GANG_READY,
    RPT_GANG_GO,
    RPT_GANG_RUN,
    RPT_GANG_FREE,
    RPT_GANG_RELEASE
};

/* All messages about a gang; the ranks, and for RUN the spec, follow. */
struct rpt_gang_message {
    struct rpt_pool_head head;
    uint64_t ticket; /* the owner's name for the request */
    uint64_t id;     /* the arbiter's name for the gang */
    uint64_t key;    /* of the communicator */
    uint64_t function;
    struct rpt_caps needs; /* of each rank */
    int32_t n_ranks;
    int32_t ok; /* READY: the function is known; FREE: it ran */
    uint32_t token;
    int32_t attempt;
    uint64_t number;
    uint64_t spec_bytes;
};

void rpt__gang_send(struct rpt_pool *pool, int member, enum rpt_gang_what what,
                    struct rpt_gang_message *message);

/* ---- gang_arbiter.c: one on every rank, used on the pool's first ---- */

struct rpt_arbiter;

rpt_status_t rpt__arbiter_create(int n_members, struct rpt_arbiter **out);
void rpt__arbiter_destroy(struct rpt_arbiter *arbiter);
struct rpt_arbiter *rpt__gangs_arbiter(struct rpt_pool *pool);

void rpt__arbiter_on_request(struct rpt_pool *pool, int member,
                             const struct rpt_gang_message *request);
void rpt__arbiter_on_ready(struct rpt_pool *pool,
                           const struct rpt_gang_message *ready);
void rpt__arbiter_on_free(struct rpt_pool *pool,
                          const struct rpt_gang_message *free_);

#endif /* RPT_POOL_GANG_PRIV_H */
