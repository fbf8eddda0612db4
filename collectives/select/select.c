/*
 * select.c - forced, or the cheapest
 */
#include "collectives/select/select.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* Of a usual machine of two cores and more, and a usual network. */
static const struct rpt_model usual = {
    .step_s = 10e-9,
    .flag_s = 100e-9,
    .copy_byte_s = 1 / 20e9,
    .reduce_byte_s = 1 / 10e9,
    .message_s = 2e-6,
    .byte_s = 1 / 2e9,
};

const struct rpt_model *rpt__model(void)
{
    return &usual;
}

static const enum rpt_option option_of[] = {
    [RPT_COLL_ALLREDUCE] = RPT_OPT_COLL_ALLREDUCE_ALGORITHM,
    [RPT_COLL_REDUCE] = RPT_OPT_COLL_REDUCE_ALGORITHM,
    [RPT_COLL_BROADCAST] = RPT_OPT_COLL_BROADCAST_ALGORITHM,
    [RPT_COLL_BARRIER] = RPT_OPT_COLL_BARRIER_ALGORITHM,
    [RPT_COLL_ALLGATHER] = RPT_OPT_COLL_ALLGATHER_ALGORITHM,
    [RPT_COLL_GATHER] = RPT_OPT_COLL_GATHER_ALGORITHM,
    [RPT_COLL_SCATTER] = RPT_OPT_COLL_SCATTER_ALGORITHM,
    [RPT_COLL_REDUCE_SCATTER] = RPT_OPT_COLL_REDUCE_SCATTER_ALGORITHM,
    [RPT_COLL_ALLTOALL] = RPT_OPT_COLL_ALLTOALL_ALGORITHM,
    [RPT_COLL_SCAN] = RPT_OPT_COLL_SCAN_ALGORITHM,
    [RPT_COLL_EXSCAN] = RPT_OPT_COLL_EXSCAN_ALGORITHM,
};

static bool reduces(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLREDUCE || kind == RPT_COLL_REDUCE ||
           kind == RPT_COLL_REDUCE_SCATTER || kind == RPT_COLL_SCAN ||
           kind == RPT_COLL_EXSCAN;
}

static rpt_status_t find_forced(const rpt_options_t *options,
                                rpt_coll_kind_t kind, const char *name,
                                const struct rpt_case *c,
                                const struct rpt_algorithm **algorithm_out)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);
    const char *why = NULL;

    while (*all != NULL && strcmp((*all)->name, name) != 0) {
        all++;
    }
    if (*all == NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no algorithm %s of %s", name,
                  rpt_coll_name(kind));
        rpt__fail_hint("`repartir explain %s` lists them", rpt_coll_name(kind));
        return RPT_ERR_NOT_FOUND;
    }
    if (!(*all)->applies(c)) {
        why = "it cannot do this call: see what it says of itself in "
              "`repartir explain`";
    } else if (reduces(kind) && !(*all)->in_rank_order &&
               rpt__option_switch(options, RPT_OPT_COLL_REPRODUCIBLE)) {
        why = "its bits depend on the layout, and coll.reproducible is set";
    }
    if (why != NULL) {
        rpt__fail(RPT_ERR_UNSUPPORTED, "%s with the forced algorithm %s",
                  rpt_coll_name(kind), name);
        rpt__fail_why("%s", why);
        return RPT_ERR_UNSUPPORTED;
    }
    *algorithm_out = *all;
    return RPT_OK;
}

bool rpt__is_forced(const rpt_options_t *options, rpt_coll_kind_t kind)
{
    return rpt__option_text(options, option_of[kind])[0] != '\0';
}

rpt_status_t rpt__select(const rpt_options_t *options, rpt_coll_kind_t kind,
                         const struct rpt_case *c, size_t element_bytes,
                         const struct rpt_algorithm **algorithm_out)
{
    const struct rpt_algorithm *const *all = rpt__algorithms(kind);
    const char *forced = rpt__option_text(options, option_of[kind]);
    bool ordered = reduces(kind) &&
                   rpt__option_switch(options, RPT_OPT_COLL_REPRODUCIBLE);
    const struct rpt_algorithm *best = NULL;
    double least = INFINITY;

    if (forced[0] != '\0') {
        return find_forced(options, kind, forced, c, algorithm_out);
    }
    for (; *all != NULL; all++) {
        double cost;

        if ((ordered && !(*all)->in_rank_order) || !(*all)->applies(c)) {
            continue;
        }
        cost = (*all)->cost(c, rpt__model(), element_bytes);
        if (best == NULL || cost < least) {
            best = *all;
            least = cost;
        }
    }
    if (best == NULL) {
        return rpt__fail(RPT_ERR_INTERNAL, "no algorithm of %s for %d ranks",
                         rpt_coll_name(kind), c->n_ranks);
    }
    *algorithm_out = best;
    return RPT_OK;
}
