/*
 * export.h - the door of this folder: checkpoints as folders of Parquet files
 *
 * See <repartir/export.h>.  Without the engine's lock.
 */
#ifndef RPT_IO_EXPORT_EXPORT_H
#define RPT_IO_EXPORT_EXPORT_H

#include "comm/comm.h"

#include <repartir/export.h>

/* Collective.  All arguments but the group are checked here, by all ranks
 * together. */
rpt_status_t rpt__export(struct rpt_group *group, const char *directory,
                         const char *task, const rpt_export_config_t *config,
                         rpt_export_result_t *result_out);

#endif /* RPT_IO_EXPORT_EXPORT_H */
