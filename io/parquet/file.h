/*
 * file.h - a file that has its name only when it is complete
 */
#ifndef RPT_IO_PARQUET_FILE_H
#define RPT_IO_PARQUET_FILE_H

#include <repartir/base.h>

#include <stdbool.h>

struct rpt_parquet_file;

/* PATH.part, empty, which nobody else writes as long as this is open. */
rpt_status_t rpt__parquet_file_create(const char *path,
                                      struct rpt_parquet_file **file_out);

/* False: it failed, once and for all (rpt_parquet_plan.write). */
bool rpt__parquet_file_write(void *file, const void *data, size_t bytes);

/* Of the write that failed, which recorded it; RPT_OK when none did. */
rpt_status_t rpt__parquet_file_status(const struct rpt_parquet_file *file);

const char *rpt__parquet_file_path(const struct rpt_parquet_file *file);

/* On the disk, under its name.  On failure nothing is left, or it has its name
 * and only that may not survive a power failure.  The file is closed in any
 * case. */
rpt_status_t rpt__parquet_file_keep(struct rpt_parquet_file *file);

/* Closed and removed. */
void rpt__parquet_file_remove(struct rpt_parquet_file *file);

#endif /* RPT_IO_PARQUET_FILE_H */
