/*
 * group.c - the public functions of groups
 */
#include "api/api.h"

#include "base/error.h"

#include <repartir/group.h>

static void lock(const rpt_group_t *group)
{
    rpt__engine_lock(rpt__comm_engine(rpt__group_comm(group)));
}

static void unlock(struct rpt_comm *comm)
{
    rpt__engine_unlock(rpt__comm_engine(comm));
}

rpt_group_t *rpt_group_world(rpt_context_t *context)
{
    return context != NULL ? context->world : NULL;
}

rpt_status_t rpt_group_split(rpt_group_t *group, int color, int key,
                             rpt_group_t **group_out)
{
    rpt_status_t status;

    RPT_REQUIRE(group != NULL && group_out != NULL, "NULL argument");
    /* A bad colour is found together, so that nobody waits for this rank. */
    lock(group);
    status = rpt__group_split(group, color, key, group_out);
    unlock(rpt__group_comm(group));
    return status;
}

void rpt_group_destroy(rpt_group_t *group)
{
    struct rpt_comm *comm;

    if (group == NULL || rpt__group_is_world(group)) {
        return;
    }
    comm = rpt__group_comm(group);
    lock(group);
    rpt__group_destroy(group);
    unlock(comm);
}

int rpt_group_rank(const rpt_group_t *group)
{
    return group != NULL ? rpt__group_rank(group) : -1;
}

int rpt_group_size(const rpt_group_t *group)
{
    return group != NULL ? rpt__group_size(group) : 0;
}

int rpt_group_world_rank(const rpt_group_t *group, int rank)
{
    return group != NULL ? rpt__group_world_rank(group, rank) : -1;
}

rpt_status_t rpt_group_barrier(rpt_group_t *group)
{
    rpt_status_t status;

    RPT_REQUIRE(group != NULL, "group is NULL");
    lock(group);
    status = rpt__group_barrier(group);
    unlock(rpt__group_comm(group));
    return status;
}
