/*
 * part.c - this rank's part of one table after another
 *
 * A part is a file, OUT.part-ID/TABLE/part-RRRRR.parquet.  Who has no rows
 * writes none; of a table that has no rows at all rank 0 writes one without, so
 * that readers find the columns.
 */
#include "io/export/export_priv.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void rpt__export_share(const struct rpt_export *e, uint64_t n,
                       uint64_t *from_out, uint64_t *end_out)
{
    uint64_t rank = (uint64_t)e->rank, size = (uint64_t)e->size;

    *from_out = n / size * rank + n % size * rank / size;
    *end_out = n / size * (rank + 1) + n % size * (rank + 1) / size;
}

/* As long for all ranks, so that the order of names is that of the parts. */
void rpt__export_part_name(int rank, int size,
                           char name_out[RPT_EXPORT_NAME_BYTES])
{
    int digits = snprintf(NULL, 0, "%d", size - 1);

    snprintf(name_out, RPT_EXPORT_NAME_BYTES, "part-%0*d.parquet",
             digits > 5 ? digits : 5, rank);
}

/* ---- one part ---- */

static void release(struct rpt_export_part *part)
{
    if (part->table != NULL) {
        part->table->ops->end(part);
    }
    free(part->columns);
    free(part->names);
    free(part->path);
    *part = (struct rpt_export_part){ .table = NULL };
}

static rpt_status_t open_file(struct rpt_export *e,
                              struct rpt_export_part *part)
{
    struct rpt_parquet_settings settings = {
        .level = e->config->level,
        .keepbits = e->config->keepbits,
        .group_rows = e->config->group_rows,
        .n_rows = (int64_t)part->own_rows
    };
    struct rpt_export_entries entries;
    struct rpt_parquet_schema schema = { part->columns, part->n_columns, NULL,
                                         0 };
    size_t bytes = strlen(e->output.dir.path) + strlen(part->table->folder) +
                   RPT_EXPORT_NAME_BYTES + 2;
    rpt_status_t status = rpt__export_entries(e, part->table, &entries);

    if (status != RPT_OK) {
        return status;
    }
    schema.entries = entries.list;
    schema.n_entries = entries.n;
    part->path = malloc(bytes);
    if (part->path == NULL) {
        status = rpt__fail_nomem(bytes);
    } else {
        char name[RPT_EXPORT_NAME_BYTES];

        rpt__export_part_name(e->rank, e->size, name);
        snprintf(part->path, bytes, "%s/%s/%s", e->output.dir.path,
                 part->table->folder, name);
        status = rpt__parquet_open(part->path, &schema, &settings, e->options,
                                   &part->writer);
    }
    rpt__export_entries_free(&entries);
    return status;
}

static rpt_status_t begin(struct rpt_export *e, struct rpt_export_part *part,
                          const struct rpt_export_table *table)
{
    rpt_status_t status;

    part->table = table;
    status = table->ops->begin(e, part);
    if (status == RPT_OK &&
        (part->at < part->end || (part->n_rows == 0 && e->rank == 0))) {
        status = open_file(e, part);
    }
    return status;
}

static rpt_status_t finish(struct rpt_export *e, struct rpt_export_part *part)
{
    struct rpt_parquet *writer = part->writer;
    struct stat file;
    rpt_status_t status;

    part->writer = NULL;
    if (writer == NULL) {
        release(part);
        return RPT_OK;
    }
    status = rpt__parquet_close(writer);
    if (status == RPT_OK) {
        e->result.n_files++;
        e->result.file_bytes += stat(part->path, &file) == 0
                                    ? (uint64_t)file.st_size
                                    : 0;
    }
    release(part);
    return status;
}

rpt_status_t rpt__export_some(struct rpt_export *e, bool *done_out)
{
    struct rpt_export_part *part = &e->part;
    rpt_status_t status;

    if (part->table == NULL && e->next < e->n_list) {
        status = begin(e, part, &e->list[e->next++]);
    } else if (part->table == NULL) {
        *done_out = true;
        return RPT_OK;
    } else if (part->at < part->end) {
        status = part->table->ops->step(e, part);
    } else {
        status = finish(e, part);
    }
    *done_out = false;
    return status;
}

void rpt__export_part_abandon(struct rpt_export *e)
{
    if (e->part.writer != NULL) {
        rpt__parquet_abandon(e->part.writer);
        e->part.writer = NULL;
    }
    release(&e->part);
}
