/*
 * retain.c - which checkpoints may go when a new one has been committed
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

struct rpt_retention rpt__retention_of(const rpt_options_t *options)
{
    return (struct rpt_retention){
        .keep = (uint64_t)rpt__option_integer(options,
                                              RPT_OPT_IO_CHECKPOINT_KEEP),
        .every = (uint64_t)rpt__option_integer(
            options, RPT_OPT_IO_CHECKPOINT_KEEP_EVERY),
        .age_s = rpt__option_seconds(options, RPT_OPT_IO_CHECKPOINT_KEEP_AGE_S),
        .bytes = rpt__option_size(options, RPT_OPT_IO_CHECKPOINT_KEEP_BYTES),
    };
}

void rpt__retention_choose(const struct rpt_retention *rules,
                           const struct rpt_found found[], size_t n,
                           double now_s, bool goes_out[])
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_kept_by_number = i < rules->keep ||
                                 (rules->every > 0 &&
                                  found[i].iteration % rules->every == 0);
        bool is_too_old = rules->age_s > 0 &&
                          now_s - found[i].time_s > rules->age_s;
        bool is_too_much = rules->bytes > 0 &&
                           bytes + found[i].bytes > rules->bytes;

        goes_out[i] = i > 0 && found[i].id != rules->verified &&
                      found[i].id != rules->committed &&
                      (!is_kept_by_number || is_too_old || is_too_much);
        if (!goes_out[i]) {
            bytes += found[i].bytes;
        }
    }
}

/* The newest that goes is the last one. */
static rpt_status_t retire(const struct rpt_dir *task,
                           struct rpt_retention *rules,
                           const struct rpt_found *found, bool is_last)
{
    rpt_status_t status;

    if (!is_last || !rules->spares) {
        return rpt__retire(task, found->name);
    }
    status = rpt__retire_aside(task, found->id, found->name);
    rules->spare = status == RPT_OK ? found->id : 0;
    return status;
}

rpt_status_t rpt__retain(const struct rpt_dir *task,
                         struct rpt_retention *rules)
{
    struct rpt_found *found = NULL;
    size_t n = 0, n_left = 0;
    bool *goes_out;
    rpt_status_t status = rpt__find_all(task, &found, &n);

    if (status != RPT_OK) {
        return status;
    }
    goes_out = calloc(n + 1, sizeof *goes_out);
    if (goes_out == NULL) {
        status = rpt__fail_nomem(n);
    } else {
        rpt__retention_choose(rules, found, n, rpt__wall_s(), goes_out);
    }
    for (size_t i = 0; i < n && status == RPT_OK; i++) {
        n_left += goes_out[i];
    }
    for (size_t i = n; i > 0 && status == RPT_OK; i--) {
        if (goes_out[i - 1]) {
            status = retire(task, rules, &found[i - 1], --n_left == 0);
        }
    }
    free(goes_out);
    free(found);
    return status;
}
