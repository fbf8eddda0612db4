/*
 * reducer.c - the public functions of reducers
 */
#include "api/api.h"

#include "base/error.h"
#include "collectives/reducer/reducer.h"

rpt_status_t rpt_reducer_create(rpt_group_t *group,
                                const rpt_reducer_config_t *config,
                                const rpt_reducer_array_t *arrays,
                                size_t n_arrays, rpt_reducer_t **reducer_out)
{
    struct rpt_engine *engine;
    rpt_status_t status;

    RPT_REQUIRE(group != NULL && reducer_out != NULL, "NULL argument");
    /* The rest is found together, so that nobody waits for this rank. */
    engine = rpt__comm_engine(rpt__group_comm(group));
    rpt__engine_lock(engine);
    status = rpt__reducer_create(group, config, arrays, n_arrays, reducer_out);
    rpt__engine_unlock(engine);
    return status;
}

rpt_status_t rpt_reducer_ready(rpt_reducer_t *reducer, size_t index)
{
    RPT_REQUIRE(reducer != NULL, "reducer is NULL");
    return rpt__reducer_ready(reducer, index);
}

rpt_status_t rpt_reducer_ready_all(rpt_reducer_t *reducer)
{
    RPT_REQUIRE(reducer != NULL, "reducer is NULL");
    rpt__reducer_ready_all(reducer);
    return RPT_OK;
}

rpt_status_t rpt_reducer_test(rpt_reducer_t *reducer)
{
    RPT_REQUIRE(reducer != NULL, "reducer is NULL");
    return rpt__reducer_test(reducer);
}

rpt_status_t rpt_reducer_wait(rpt_reducer_t *reducer)
{
    RPT_REQUIRE(reducer != NULL, "reducer is NULL");
    return rpt__reducer_wait(reducer);
}

rpt_status_t rpt_reducer_stats(const rpt_reducer_t *reducer,
                               rpt_reducer_stats_t *stats_out)
{
    RPT_REQUIRE(reducer != NULL && stats_out != NULL, "NULL argument");
    *stats_out = rpt__reducer_stats(reducer);
    return RPT_OK;
}

rpt_status_t rpt_reducer_explain(const rpt_reducer_t *reducer, char **text_out)
{
    RPT_REQUIRE(reducer != NULL && text_out != NULL, "NULL argument");
    return rpt__reducer_explain(reducer, text_out);
}

void rpt_reducer_destroy(rpt_reducer_t *reducer)
{
    if (reducer != NULL) {
        rpt__reducer_destroy(reducer);
    }
}
