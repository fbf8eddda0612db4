/*
 * blobs.c - the bytes that ranks packed, a row for each rank that saved
 *
 * More than 64 MiB are several rows, one after another: no reader likes cells
 * of gigabytes, and memory stays bounded.
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "io/checkpoint/load.h"

#include <stdlib.h>
#include <string.h>

enum { NAME, RANK, OFFSET, DATA, N_COLUMNS };

static const struct rpt_parquet_column columns[N_COLUMNS] = {
    [NAME] = { "name", RPT_PARQUET_TEXT, RPT_TYPE_U8, 0, false },
    [RANK] = { "rank", RPT_PARQUET_NUMBER, RPT_TYPE_I32, 0, false },
    [OFFSET] = { "offset", RPT_PARQUET_NUMBER, RPT_TYPE_I64, 0, false },
    [DATA] = { "data", RPT_PARQUET_BINARY, RPT_TYPE_U8, 0, false }
};

struct blobs {
    size_t set;       /* index in the table, of `begins`; SIZE_MAX: none */
    uint64_t *begins; /* of the ranks' bytes in it                       */
    uint64_t offset;  /* in the bytes of the rank that is next           */
    struct rpt_buf bytes;
};

/* A unit is the bytes of one rank in one blob. */
static rpt_status_t begin(struct rpt_export *e, struct rpt_export_part *part)
{
    struct blobs *b = calloc(1, sizeof *b);

    part->columns = malloc(sizeof columns);
    part->state = b;
    if (b == NULL || part->columns == NULL) {
        return rpt__fail_nomem(sizeof *b + sizeof columns);
    }
    b->set = SIZE_MAX;
    memcpy(part->columns, columns, sizeof columns);
    part->n_columns = N_COLUMNS;
    part->n_rows = part->table->n_sets * (uint64_t)e->opened.manifest.n_ranks;
    rpt__export_share(e, part->n_rows, &part->at, &part->end);
    return RPT_OK;
}

static rpt_status_t append(struct rpt_export_part *part, const char *name,
                           int32_t rank, int64_t offset,
                           const struct rpt_buf *bytes)
{
    int64_t name_offsets[2] = { 0, (int64_t)strlen(name) };
    int64_t data_offsets[2] = { 0, (int64_t)bytes->bytes };
    struct rpt_parquet_data data[N_COLUMNS] = {
        [NAME] = { name, name_offsets },
        [RANK] = { &rank, NULL },
        [OFFSET] = { &offset, NULL },
        [DATA] = { bytes->data != NULL ? bytes->data : "", data_offsets }
    };

    return rpt__parquet_append(part->writer, 1, data);
}

static rpt_status_t step(struct rpt_export *e, struct rpt_export_part *part)
{
    struct blobs *b = part->state;
    uint64_t ranks = (uint64_t)e->opened.manifest.n_ranks;
    uint64_t rank = part->at % ranks, left, n;
    size_t set = (size_t)(part->at / ranks);
    const struct rpt_dataset *blob = part->table->sets[set];
    rpt_status_t status = RPT_OK;

    if (b->set != set) {
        free(b->begins);
        b->begins = NULL;
        status = rpt__load_begins(&e->opened, e->state_fd, blob, &b->begins);
        b->set = set;
    }
    if (status != RPT_OK) {
        return status;
    }
    left = b->begins[rank + 1] - b->begins[rank] - b->offset;
    n = left < RPT_EXPORT_PIECE_BYTES ? left : RPT_EXPORT_PIECE_BYTES;
    rpt__buf_clear(&b->bytes);
    if (n > 0) {
        char *bytes = rpt__buf_reserve(&b->bytes, (size_t)n);

        status = bytes == NULL
                     ? rpt__buf_status(&b->bytes)
                     : rpt__export_read(e, blob, b->begins[rank] + b->offset, n,
                                        bytes);
        b->bytes.bytes = (size_t)n;
    }
    if (status == RPT_OK) {
        status = append(part, blob->name, (int32_t)rank, (int64_t)b->offset,
                        &b->bytes);
    }
    e->result.n_rows++;
    e->result.raw_bytes += n;
    b->offset += n;
    if (n == left) {
        b->offset = 0;
        part->at++;
    }
    return status;
}

static void end(struct rpt_export_part *part)
{
    struct blobs *b = part->state;

    if (b != NULL) {
        free(b->begins);
        rpt__buf_free(&b->bytes);
        free(b);
    }
}

const struct rpt_export_ops rpt__export_blobs = { "blobs", begin, step, end };
