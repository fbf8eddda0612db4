/*
 * export.c - the public functions that export checkpoints
 */
#include "api/api.h"

#include "base/error.h"
#include "base/options.h"
#include "io/export/export.h"

#include <repartir/export.h>

/* What all ranks do together is checked together, in io/export. */
rpt_status_t rpt_checkpoint_export(rpt_group_t *group, const char *directory,
                                   const char *task,
                                   const rpt_export_config_t *config,
                                   rpt_export_result_t *result_out)
{
    RPT_REQUIRE(group != NULL, "NULL argument");
    return rpt__export(group, directory, task, config, result_out);
}

struct local {
    const char *directory;
    const char *task;
    const rpt_export_config_t *config;
    rpt_export_result_t *result;
};

static rpt_status_t run_thread(rpt_context_t *context, void *user)
{
    const struct local *local = user;

    return rpt__export(rpt_group_world(context), local->directory, local->task,
                       local->config,
                       rpt_context_rank(context) == 0 ? local->result : NULL);
}

rpt_status_t rpt_checkpoint_export_local(int n_threads, const char *directory,
                                         const char *task,
                                         const rpt_export_config_t *config,
                                         const rpt_options_t *options,
                                         rpt_export_result_t *result_out)
{
    rpt_export_result_t result = { .size = sizeof result };
    struct local local = { directory, task, config, &result };
    rpt_options_t *mine = NULL;
    rpt_status_t status;

    RPT_REQUIRE(n_threads >= 1 && n_threads <= 4096, "n_threads is 1 to 4096");
    status = rpt__options_copy(options, &mine);
    if (status == RPT_OK) {
        /* To look for them may take as long as half of an export. */
        status = rpt_options_set(mine, "topo.devices", "no");
    }
    if (status == RPT_OK) {
        status = rpt_local_run(n_threads, mine, run_thread, &local);
    }
    rpt_options_destroy(mine);
    if (status == RPT_OK && result_out != NULL) {
        *result_out = result;
    }
    return status;
}
