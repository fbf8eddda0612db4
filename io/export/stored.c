/*
 * stored.c - the table `checkpoints`: a row for each, with its state.h5
 *
 * What a row cannot hold has empty data, which no state.h5 is; `data_bytes`
 * says how long it is in any case.
 */
#include "io/export/export_priv.h"

#include "base/again.h"
#include "base/error.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (UINT64_C(1) << 30) /* of a value of Parquet */

enum { TASK, ID, ITERATION, TIMESTAMP, DATA_BYTES, DATA, N_COLUMNS };

static const struct rpt_parquet_column columns[N_COLUMNS] = {
    [TASK] = { "task_id", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [ID] = { "checkpoint_id", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [ITERATION] = { "iteration", RPT_PARQUET_NUMBER, RPT_TYPE_I64, 0, false },
    [TIMESTAMP] = { "timestamp", RPT_PARQUET_TIME, RPT_TYPE_I64, 0, false },
    [DATA_BYTES] = { "data_bytes", RPT_PARQUET_NUMBER, RPT_TYPE_I64, 0, false },
    [DATA] = { "data", RPT_PARQUET_BINARY, RPT_TYPE_U8, 0, false }
};

static rpt_status_t begin(struct rpt_export *e, struct rpt_export_part *part)
{
    part->columns = malloc(sizeof columns);
    if (part->columns == NULL) {
        return rpt__fail_nomem(sizeof columns);
    }
    memcpy(part->columns, columns, sizeof columns);
    part->n_columns = N_COLUMNS;
    part->n_rows = e->n_stored;
    rpt__export_share(e, part->n_rows, &part->at, &part->end);
    return RPT_OK;
}

static rpt_status_t append(struct rpt_export *e, struct rpt_export_part *part,
                           const struct rpt_export_stored *s,
                           const struct rpt_buf *bytes)
{
    char id[RPT_ID_BYTES];
    int64_t iteration = (int64_t)s->iteration, length = (int64_t)s->bytes;
    int64_t time = llround(s->time_s * 1e6);
    int64_t task_offsets[2] = { 0, (int64_t)strlen(e->task) };
    int64_t id_offsets[2] = { 0, RPT_ID_BYTES - 1 };
    int64_t data_offsets[2] = { 0, (int64_t)bytes->bytes };
    struct rpt_parquet_data data[N_COLUMNS] = {
        [TASK] = { e->task, task_offsets },
        [ID] = { id, id_offsets },
        [ITERATION] = { &iteration, NULL },
        [TIMESTAMP] = { &time, NULL },
        [DATA_BYTES] = { &length, NULL },
        [DATA] = { bytes->data != NULL ? bytes->data : "", data_offsets }
    };

    rpt__id_text(s->id, id);
    e->result.n_rows++;
    e->result.raw_bytes += bytes->bytes;
    return rpt__parquet_append(part->writer, 1, data);
}

static rpt_status_t read_state(const struct rpt_dir *folder,
                               const struct rpt_export_stored *s,
                               struct rpt_buf *bytes)
{
    char *data = rpt__buf_reserve(bytes, (size_t)s->bytes);
    rpt_status_t status;
    int fd = -1, error;

    if (data == NULL) {
        return rpt__buf_status(bytes);
    }
    status = rpt__dir_open_file(folder, RPT_STATE_FILE, false, &fd);
    if (status != RPT_OK) {
        return status;
    }
    error = rpt__read_at(fd, data, (size_t)s->bytes, 0);
    close(fd);
    if (error != 0) {
        return rpt__dir_fail(folder, RPT_STATE_FILE, "read", error, 0);
    }
    bytes->bytes = (size_t)s->bytes;
    return RPT_OK;
}

static rpt_status_t too_large(const struct rpt_export *e,
                              const struct rpt_export_stored *s, uint64_t most)
{
    rpt__fail(RPT_ERR_OVERFLOW, "%s/%s/" RPT_STATE_FILE " is not exported",
              e->dir.path, s->name);
    rpt__fail_why("it has %llu bytes, a row takes %llu at most",
                  (unsigned long long)s->bytes, (unsigned long long)most);
    rpt__fail_hint("export its arrays, or let such rows have no data");
    return RPT_ERR_OVERFLOW;
}

static bool wants_data(const struct rpt_export *e,
                       const struct rpt_export_stored *s, bool *too_large_out)
{
    uint64_t most = e->config->data_bytes;
    bool wants = (e->config->flags & RPT_EXPORT_NO_DATA) == 0;

    most = most == 0 || most > MOST_BYTES ? MOST_BYTES : most;
    *too_large_out = wants && s->bytes > most;
    return wants && s->bytes <= most;
}

static rpt_status_t step(struct rpt_export *e, struct rpt_export_part *part)
{
    const struct rpt_export_stored *s = &e->stored[part->at++];
    struct rpt_dir folder = RPT_DIR_CLOSED;
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    bool is_too_large;
    bool wants = wants_data(e, s, &is_too_large);
    rpt_status_t status = RPT_OK;

    if (is_too_large && (e->config->flags & RPT_EXPORT_ALL_DATA) != 0) {
        return too_large(e, s,
                         e->config->data_bytes > 0 ? e->config->data_bytes
                                                   : MOST_BYTES);
    }
    e->result.n_left_out += is_too_large;
    if (wants) {
        status = rpt__dir_open(&e->dir, s->name, &folder);
        if (status == RPT_OK) {
            status = read_state(&folder, s, &bytes);
        }
        rpt__dir_close(&folder);
        if (status == RPT_ERR_NOT_FOUND) {
            /* A job has removed it since it was verified: it is no row. */
            rpt__buf_free(&bytes);
            return RPT_OK;
        }
    }
    if (status == RPT_OK) {
        status = append(e, part, s, &bytes);
    }
    rpt__buf_free(&bytes);
    return status;
}

static void end(struct rpt_export_part *part)
{
    (void)part;
}

const struct rpt_export_ops rpt__export_stored = { "checkpoints", begin, step,
                                                   end };
