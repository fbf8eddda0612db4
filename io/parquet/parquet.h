/*
 * parquet.h - writes one Parquet file from typed columns
 *
 * A writer belongs to one thread at a time, and to one file.  Nothing here is
 * collective.  The file is written as PATH.part and gets its name when it is
 * complete and on the disk: who looks for PATH finds the file of before, the
 * whole new one, or none.
 *
 * What a column becomes:
 *
 *   i8 to u64            an integer of that size           by differences
 *   f32, f64             float, double                     split
 *   f16, bf16            float, which holds all of them    split
 *   c64, c128            two columns, NAME_re and NAME_im  split
 *   f32-i32 and the like two columns, NAME_value and NAME_index
 *   opaque               FIXED_LEN_BYTE_ARRAY              dictionary, plain
 *   text                 BYTE_ARRAY, as STRING             dictionary, plain
 *   binary               BYTE_ARRAY                        plain, no statistics
 *   time                 TIMESTAMP in microseconds, UTC    by differences
 *
 * "Split" is BYTE_STREAM_SPLIT, "by differences" DELTA_BINARY_PACKED.  Where a
 * dictionary (up to 1 MiB) or plain values are smaller after zstd, as a sample
 * of a row group's rows says, that row group has these (encodings.cc).
 *
 * There are no missing values: columns are REQUIRED.
 */
#ifndef RPT_IO_PARQUET_PARQUET_H
#define RPT_IO_PARQUET_PARQUET_H

#include <repartir/options.h>
#include <repartir/types.h>

#include <stdbool.h>

enum rpt_parquet_kind {
    RPT_PARQUET_NUMBER, /* of an rpt_type_t */
    RPT_PARQUET_TEXT,   /* UTF-8 */
    RPT_PARQUET_BINARY, /* bytes */
    RPT_PARQUET_TIME    /* int64_t: microseconds since 1970 in UTC */
};

struct rpt_parquet_column {
    const char *name; /* UTF-8; no two in the file are the same */
    enum rpt_parquet_kind kind;
    rpt_type_t type; /* of numbers */
    int keepbits;  /* 0: as the settings say, -1: the values stay as they are */
    bool is_index; /* of integers: they stay or go on by the same, which takes
                      next to nothing as differences */
};

enum {
    RPT_PARQUET_GROUP_ROWS = 1 << 20, /* unless settings say so */
    RPT_PARQUET_WHOLE_BYTES = 32 << 20
};

/* Of the file, beside the columns; both in UTF-8. */
struct rpt_parquet_entry {
    const char *key;
    const char *value;
};

struct rpt_parquet_schema {
    const struct rpt_parquet_column *columns;
    int n_columns;
    const struct rpt_parquet_entry *entries;
    int n_entries;
};

/* Zeros are the defaults; so is NULL for all of them. */
struct rpt_parquet_settings {
    const char *compression; /* "zstd" (default), "none" */
    int level;               /* of zstd, 1 to 22; 0: 3 */
    /* Bits of the mantissa that stay of f32 and f64 (also in complex numbers
     * and pairs), rounded to the nearest, ties to even; 0: all.  NaN and
     * infinities stay, and what is finite stays so.  The file's entry
     * repartir.keepbits.NAME says it of each column that was rounded. */
    int keepbits;
    /* A row group ends at so many rows (0: 1 Mi) or bytes of values (0: 512
     * MiB).  One is kept in memory, encoded; but not where all of it comes in
     * one call and is at most RPT_PARQUET_WHOLE_BYTES of numbers. */
    int64_t group_rows;
    int64_t group_bytes;
    /* How many rows the file will have, where it is known: so the last row
     * group is known for one. */
    int64_t n_rows;
    bool without_checksums; /* of the pages */
};

/* The values of a column in a batch, those of numbers as a C compiler aligns
 * them. */
struct rpt_parquet_data {
    const void *values;     /* an array; of text and binary: all the bytes */
    const int64_t *offsets; /* of text and binary: row i is the bytes from
                               offsets[i] on, up to offsets[i + 1] */
};

struct rpt_parquet;

/* Everything that is named is copied.  io.parquet.library of the options names
 * the library to use; options may be NULL.
 *
 *   RPT_ERR_UNSUPPORTED  no Parquet in this build, or on this node
 *   RPT_ERR_INVALID      columns, entries, settings; a path that is no file's
 *   RPT_ERR_IO           PATH.part cannot be written
 *   RPT_ERR_BUSY         somebody else writes PATH.part
 */
rpt_status_t rpt__parquet_open(const char *path,
                               const struct rpt_parquet_schema *schema,
                               const struct rpt_parquet_settings *settings,
                               const rpt_options_t *options,
                               struct rpt_parquet **writer_out);

/* n_rows more, of one entry of data for each column of the schema; nothing of
 * them is needed afterwards.  After a failure other than these the file cannot
 * be completed, and close says so:
 *
 *   RPT_ERR_INVALID   data that no column can be; nothing was appended
 *   RPT_ERR_OVERFLOW  a text or binary value of more than 1 GiB; the same
 */
rpt_status_t rpt__parquet_append(struct rpt_parquet *writer, int64_t n_rows,
                                 const struct rpt_parquet_data data[]);

/* Completes the file, waits until it is on the disk, and gives it its name; on
 * failure nothing is left of it and PATH is as it was (unless all that failed
 * is the sync of the directory).  The writer is gone in any case.  NULL is
 * fine.
 *
 *   RPT_ERR_IO     a write or sync failed
 *   RPT_ERR_STATE  rows could not be appended, as was said then
 */
rpt_status_t rpt__parquet_close(struct rpt_parquet *writer);

/* Ends the writer and removes what it wrote; PATH stays as it was. */
void rpt__parquet_abandon(struct rpt_parquet *writer);

#endif /* RPT_IO_PARQUET_PARQUET_H */
