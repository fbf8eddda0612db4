/*
 * api.h - what the public functions share
 */
#ifndef RPT_API_API_H
#define RPT_API_API_H

#include "comm/comm.h"
#include "pool/pool.h"

#include <repartir/context.h>

struct rpt_context {
    struct rpt_comm *comm;
    struct rpt_group *world;
    int n_pools;
};

/* A context over an end, which it takes over; on failure that is destroyed. */
rpt_status_t rpt__context_wrap(struct rpt_comm *comm,
                               rpt_context_t **context_out);

/* RPT_ERR_VERSION when a program was compiled with headers that this library
 * does not serve. */
rpt_status_t rpt__check_version(int header_version);

/* Ends the function with RPT_ERR_INVALID when an argument is bad. */
#define RPT_REQUIRE(condition, why) RPT_REQUIRE_IN(__func__, condition, why)

/* ... in a function that does it for another one. */
#define RPT_REQUIRE_IN(name, condition, why)                                   \
    do {                                                                       \
        if (!(condition)) {                                                    \
            rpt__fail(RPT_ERR_INVALID, "%s: bad argument", name);              \
            rpt__fail_why("%s", why);                                          \
            return RPT_ERR_INVALID;                                            \
        }                                                                      \
    } while (0)

#endif /* RPT_API_API_H */
