/*
 * parquet.c - the writer: columns in slices, to librepartir-parquet, to a file
 *
 * Here is the policy (what is checked, where a row group ends, when a file has
 * its name); the library encodes.
 */
#include "io/parquet/parquet.h"

#include "base/error.h"
#include "io/parquet/columns.h"
#include "io/parquet/file.h"
#include "io/parquet/keepbits.h"
#include "io/parquet/library.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES ((int64_t)512 << 20)
enum { ZSTD_LEVEL = 3, ZSTD_MOST = 22 };

/* Rows of a row group by which its encodings are chosen; the second ones where
 * the first leave doubts.  Fewer than 1024 rows say nothing of the others. */
struct sample {
    int64_t n_pieces, piece_rows;
};
static const struct sample samples[] = { { 8, 1024 }, { 48, 2048 } };
enum { SAMPLE_LEAST = 1024 };

struct rpt_parquet {
    const struct rpt_parquet_ops *ops;
    void *writer; /* of the library */
    struct rpt_parquet_columns *columns;
    struct rpt_parquet_file *file;
    int64_t group_rows, group_bytes; /* most of a group */
    int64_t rows, bytes;             /* of the one that is written */
    int64_t left;                    /* rows of the file, if they are known */
    bool has_failed;
};

static rpt_status_t bad_setting(const char *what, const char *hint)
{
    rpt__fail(RPT_ERR_INVALID, "settings of a Parquet file: %s", what);
    rpt__fail_hint("%s", hint);
    return RPT_ERR_INVALID;
}

/* The level of zstd, 0: no compression, -1: wrong. */
static int level_of(const struct rpt_parquet_settings *settings)
{
    const char *name = settings->compression;

    if (name != NULL && strcmp(name, "none") == 0) {
        return 0;
    }
    if ((name != NULL && strcmp(name, "zstd") != 0) || settings->level < 0 ||
        settings->level > ZSTD_MOST) {
        return -1;
    }
    return settings->level == 0 ? ZSTD_LEVEL : settings->level;
}

static rpt_status_t check_settings(const struct rpt_parquet_schema *schema,
                                   const struct rpt_parquet_settings *settings)
{
    int keep = settings->keepbits;

    if (level_of(settings) < 0) {
        return bad_setting("no such compression",
                           "it is zstd, with a level of 1 to 22, or none");
    }
    for (int i = 0; i < schema->n_columns; i++) {
        int of_column = schema->columns[i].keepbits;

        if (of_column < -1 || of_column > RPT_KEEPBITS_F64) {
            keep = -1;
        }
    }
    if (keep < 0 || keep > RPT_KEEPBITS_F64) {
        return bad_setting("no such number of bits to keep",
                           "1 to 52; 0 keeps all, and so does -1 for a column");
    }
    if (settings->group_rows < 0 || settings->group_bytes < 0 ||
        settings->n_rows < 0) {
        return bad_setting("a size is negative", "0 takes the default");
    }
    return RPT_OK;
}

/* What the library has to say, unless the file failed: that is recorded. */
static rpt_status_t fail_library(struct rpt_parquet *writer,
                                 rpt_status_t status)
{
    rpt_status_t of_file = rpt__parquet_file_status(writer->file);

    writer->has_failed = true;
    if (of_file != RPT_OK) {
        return of_file;
    }
    rpt__fail(status, "%s was not written",
              rpt__parquet_file_path(writer->file));
    rpt__fail_why("Arrow: %s", writer->ops->why());
    return status;
}

static rpt_status_t open_writer(struct rpt_parquet *writer,
                                const struct rpt_parquet_settings *settings)
{
    struct rpt_parquet_plan plan = {
        .schema = rpt__parquet_columns_schema(writer->columns),
        .is_index = rpt__parquet_columns_indices(writer->columns),
        .zstd_level = level_of(settings),
        .group_rows = writer->group_rows,
        .has_checksums = !settings->without_checksums,
        .write = rpt__parquet_file_write,
        .user = writer->file
    };
    rpt_status_t status = writer->ops->open(&plan, &writer->writer);

    return status == RPT_OK ? RPT_OK : fail_library(writer, status);
}

static void destroy(struct rpt_parquet *writer)
{
    if (writer->writer != NULL) {
        writer->ops->drop(writer->writer);
    }
    if (writer->file != NULL) {
        rpt__parquet_file_remove(writer->file);
    }
    rpt__parquet_columns_destroy(writer->columns);
    free(writer);
}

rpt_status_t rpt__parquet_open(const char *path,
                               const struct rpt_parquet_schema *schema,
                               const struct rpt_parquet_settings *settings,
                               const rpt_options_t *options,
                               struct rpt_parquet **writer_out)
{
    static const struct rpt_parquet_settings defaults;
    struct rpt_parquet *writer = calloc(1, sizeof *writer);
    rpt_status_t status;

    if (writer == NULL) {
        return rpt__fail_nomem(sizeof *writer);
    }
    settings = settings != NULL ? settings : &defaults;
    writer->group_rows = settings->group_rows > 0 ? settings->group_rows
                                                  : RPT_PARQUET_GROUP_ROWS;
    writer->group_bytes = settings->group_bytes > 0 ? settings->group_bytes
                                                    : GROUP_BYTES;
    writer->left = settings->n_rows;
    status = path == NULL || path[0] == '\0'
                 ? rpt__fail(RPT_ERR_INVALID, "a Parquet file needs a path")
                 : rpt__parquet_columns_create(schema, settings,
                                               &writer->columns);
    if (status == RPT_OK) {
        status = check_settings(schema, settings);
    }
    if (status == RPT_OK) {
        status = rpt__parquet_library(options, &writer->ops);
    }
    if (status == RPT_OK) {
        status = rpt__parquet_file_create(path, &writer->file);
    }
    if (status == RPT_OK) {
        status = open_writer(writer, settings);
    }
    if (status != RPT_OK) {
        destroy(writer);
        return status;
    }
    *writer_out = writer;
    return RPT_OK;
}

/* ---- what a row group is like ---- */

/* Where piece i of n rows begins.  Each is somewhere else in its share of the
 * rows (by the golden ratio): what is symmetric, or comes again after so many
 * rows, would not show in pieces at regular distances. */
static int64_t piece_at(const struct sample *sample, int64_t i, int64_t n)
{
    int64_t share = n / sample->n_pieces;
    int64_t where = (i * 40503) & 0xffff;

    return i * share + (share - sample->piece_rows) * where / 0x10000;
}

/* Every second piece of the n rows from `first` on: what comes in runs does so
 * in pieces, too. */
static rpt_status_t give_half(struct rpt_parquet *writer,
                              const struct rpt_parquet_data data[],
                              int64_t first, int64_t n,
                              const struct sample *sample, bool is_half)
{
    bool is_all = n <= sample->n_pieces * sample->piece_rows;
    int64_t piece = is_all ? (n + sample->n_pieces - 1) / sample->n_pieces
                           : sample->piece_rows;
    rpt_status_t status;

    for (int64_t i = is_half ? 0 : 1; i < sample->n_pieces; i += 2) {
        int64_t at = is_all ? i * piece : piece_at(sample, i, n), bytes;
        struct ArrowArray *rows;

        if (at >= n) {
            break;
        }
        rows = rpt__parquet_columns_slice(writer->columns, data, first + at,
                                          n - at < piece ? n - at : piece,
                                          &bytes);
        if (rows == NULL) {
            writer->has_failed = true;
            return RPT_ERR_NOMEM;
        }
        status = writer->ops->sample(writer->writer, rows, is_half);
        if (status != RPT_OK) {
            return fail_library(writer, status);
        }
    }
    return RPT_OK;
}

/* The row group that is next begins with these n rows. */
static rpt_status_t choose_encodings(struct rpt_parquet *writer,
                                     const struct rpt_parquet_data data[],
                                     int64_t first, int64_t n)
{
    bool is_sure = n < SAMPLE_LEAST;

    for (size_t i = 0; i < sizeof samples / sizeof *samples && !is_sure; i++) {
        const struct sample *sample = &samples[i];
        bool is_all = n <= sample->n_pieces * sample->piece_rows;
        rpt_status_t status = give_half(writer, data, first, n, sample, true);

        if (status == RPT_OK) {
            status = give_half(writer, data, first, n, sample, false);
        }
        if (status != RPT_OK) {
            return status;
        }
        status = writer->ops->choose(writer->writer,
                                     is_all ? n : writer->group_rows, &is_sure);
        if (status != RPT_OK) {
            return fail_library(writer, status);
        }
        is_sure = is_sure || is_all;
    }
    return RPT_OK;
}

/* ---- rows ---- */

static bool starts_group(const struct rpt_parquet *writer)
{
    return writer->rows == 0 || writer->rows >= writer->group_rows ||
           writer->bytes >= writer->group_bytes;
}

/* Rows of the row group that is next, if n are all of it and it is small enough
 * for being written column by column; or 0. */
static int64_t whole_group(const struct rpt_parquet *writer, int64_t n)
{
    int64_t most = writer->group_bytes < RPT_PARQUET_WHOLE_BYTES
                       ? writer->group_bytes
                       : RPT_PARQUET_WHOLE_BYTES;

    if (n < writer->group_rows && n != writer->left) {
        return 0;
    }
    n = n < writer->group_rows ? n : writer->group_rows;
    return rpt__parquet_columns_is_small(writer->columns, n, most) ? n : 0;
}

static rpt_status_t append_whole(struct rpt_parquet *writer,
                                 const struct rpt_parquet_data data[],
                                 int64_t first, int64_t n)
{
    rpt_status_t status = choose_encodings(writer, data, first, n);

    if (status != RPT_OK) {
        return status;
    }
    status = writer->ops->group(writer->writer);
    for (int i = 0;
         i < rpt__parquet_columns_count(writer->columns) && status == RPT_OK;
         i++) {
        struct ArrowArray *values = rpt__parquet_columns_one(writer->columns, i,
                                                             data, first, n);

        if (values == NULL) {
            writer->has_failed = true;
            return RPT_ERR_NOMEM;
        }
        status = writer->ops->column(writer->writer, i, values);
    }
    writer->rows = writer->bytes = 0; /* another one is next */
    return status == RPT_OK ? RPT_OK : fail_library(writer, status);
}

/* Where the row group ends is known before a slice of it is made. */
static rpt_status_t append_slice(struct rpt_parquet *writer,
                                 const struct rpt_parquet_data data[],
                                 int64_t first, int64_t most,
                                 int64_t *n_rows_out)
{
    bool is_first = starts_group(writer);
    int64_t room = writer->group_rows - (is_first ? 0 : writer->rows);
    struct ArrowArray *rows;
    rpt_status_t status;
    int64_t bytes = 0;

    most = most < room ? most : room;
    if (is_first) {
        status = choose_encodings(writer, data, first, most);
        if (status != RPT_OK) {
            return status;
        }
    }
    rows = rpt__parquet_columns_slice(writer->columns, data, first, most,
                                      &bytes);
    if (rows == NULL) {
        writer->has_failed = true;
        return RPT_ERR_NOMEM;
    }
    *n_rows_out = rows->length;
    if (is_first) {
        writer->rows = writer->bytes = 0;
    }
    writer->rows += rows->length;
    writer->bytes += bytes;
    status = writer->ops->append(writer->writer, rows, is_first);
    return status == RPT_OK ? RPT_OK : fail_library(writer, status);
}

static rpt_status_t append_some(struct rpt_parquet *writer,
                                const struct rpt_parquet_data data[],
                                int64_t first, int64_t most,
                                int64_t *n_rows_out)
{
    int64_t whole = starts_group(writer) ? whole_group(writer, most) : 0;
    rpt_status_t status;

    if (whole > 0) {
        *n_rows_out = whole;
        status = append_whole(writer, data, first, whole);
    } else {
        status = append_slice(writer, data, first, most, n_rows_out);
    }
    writer->left -= *n_rows_out;
    return status;
}

static rpt_status_t has_failed(const struct rpt_parquet *writer)
{
    rpt__fail(RPT_ERR_STATE, "%s was not written",
              rpt__parquet_file_path(writer->file));
    rpt__fail_why("rows of before could not be appended");
    return RPT_ERR_STATE;
}

rpt_status_t rpt__parquet_append(struct rpt_parquet *writer, int64_t n_rows,
                                 const struct rpt_parquet_data data[])
{
    rpt_status_t status;
    int64_t n = 0;

    if (writer == NULL || n_rows < 0 || (n_rows > 0 && data == NULL)) {
        return rpt__fail(RPT_ERR_INVALID, "rows of a Parquet file");
    }
    if (writer->has_failed) {
        return has_failed(writer);
    }
    if (n_rows == 0) {
        return RPT_OK;
    }
    status = rpt__parquet_columns_check(writer->columns, data, n_rows);
    for (int64_t i = 0; i < n_rows && status == RPT_OK; i += n) {
        status = append_some(writer, data, i, n_rows - i, &n);
    }
    return status;
}

rpt_status_t rpt__parquet_close(struct rpt_parquet *writer)
{
    struct rpt_parquet_file *file;
    rpt_status_t status;

    if (writer == NULL) {
        return RPT_OK;
    }
    if (writer->has_failed) {
        status = has_failed(writer);
        destroy(writer);
        return status;
    }
    status = writer->ops->close(writer->writer);
    writer->writer = NULL;
    if (status != RPT_OK) {
        status = fail_library(writer, status);
        destroy(writer);
        return status;
    }
    file = writer->file;
    writer->file = NULL;
    status = rpt__parquet_file_keep(file);
    destroy(writer);
    return status;
}

void rpt__parquet_abandon(struct rpt_parquet *writer)
{
    if (writer != NULL) {
        destroy(writer);
    }
}
