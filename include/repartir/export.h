/*
 * repartir/export.h - checkpoints as tables in Parquet files
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_EXPORT_H
#define REPARTIR_EXPORT_H

#include <repartir/base.h>
#include <repartir/group.h>
#include <repartir/options.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_export Export of checkpoints
 *
 * A committed checkpoint is written as a folder of tables, each a folder of
 * Parquet files, which pandas, polars, DuckDB and others read as one
 * table:
 *
 *     OUT/temperature/part-00000.parquet     i0, i1, temperature
 *     OUT/temperature/part-00001.parquet
 *     OUT/flow.u/part-00000.parquet          i0, i1, "flow/u"
 *     OUT/values/part-00000.parquet          name, index, part, type, value,
 *                                            text
 *     OUT/blobs/part-00000.parquet           name, rank, offset, data
 *     OUT/checkpoints/part-00000.parquet     task_id, checkpoint_id, iteration,
 *                                            timestamp, data_bytes, data
 *
 * Numbers of parts have five digits, or as many as the last one needs.
 *
 * Every element of an array is a row: where it is (i0, i1, ..., the last one
 * runs fastest), and its value; complex numbers are NAME_re and NAME_im, pairs
 * NAME_value and NAME_index.  In the name of a folder '/' is a dot; one that is
 * taken, also that of another table, gets "-2", "-3" and so on (arrays in the
 * order of the checkpoint).  Where an array has the name of an index column,
 * such as i0, that is i_0.  Each file says in its own key/value metadata
 * (repartir.task, .checkpoint, .iteration, .time, .ranks, .library, .version,
 * .dims, .type.NAME, .keepbits.NAME) what it was made from.
 *
 * \since 0.1
 *
 * \{
 */

/** Tables to write; a sum. */
enum {
    RPT_EXPORT_ARRAYS = 1, /**< a folder for each array                      */
    RPT_EXPORT_VALUES = 2, /**< what is the same on all ranks, a row for each
                              number; of pairs and complex numbers two       */
    RPT_EXPORT_BLOBS = 4,  /**< the bytes that each rank packed; more than 64
                              MiB in several rows, by offset                 */
    RPT_EXPORT_CHECKPOINTS = 8 /**< a row for each checkpoint of the task, with
                                  the bytes of its state.h5                  */
};

/** How to write them; a sum. */
enum {
    RPT_EXPORT_NO_INDEX = 1, /**< arrays without the columns i0, i1, ...: rows
                                are in row-major order, part by part         */
    RPT_EXPORT_TOGETHER = 2, /**< arrays of the same extents share a table, a
                                column for each; it is named as 512x512      */
    RPT_EXPORT_REPLACE = 4,  /**< what an earlier export wrote is replaced   */
    RPT_EXPORT_NO_DATA = 8,  /**< `checkpoints` has no bytes of state.h5     */
    RPT_EXPORT_ALL_DATA = 16 /**< a state.h5 that is too large for a row is an
                                error                                        */
};

/** What to export, and how.  Zeros are the defaults, but for size and output.
 * The same on all ranks. */
typedef struct rpt_export_config {
    size_t size; /**< sizeof(rpt_export_config_t), set by the caller */
    /** OUT: a folder that is not there yet, or see #RPT_EXPORT_REPLACE; folders
     * above it are made */
    const char *output;
    /** "newest" (that counts: see rpt_stored_state_t; but one that cannot be
     * read, by a fault of the disk, for want of permission, or for being of a
     * newer format, is an error, not a reason to take another), an iteration
     * (the newest of that one), an id, or the name of a folder; NULL: the
     * newest, and for `checkpoints` all that are committed */
    const char *checkpoint;
    /** names of arrays, values and blobs, ending with NULL; NULL: all */
    const char *const *names;
    int tables;   /**< 0: arrays, values and blobs                          */
    int flags;    /**< see #RPT_EXPORT_NO_INDEX and others                  */
    int level;    /**< of zstd, 1 … 22; 0: 3                                */
    int keepbits; /**< bits of the mantissa that stay in f32 and f64 of
                      arrays, also in complex numbers and pairs, 1 … 52;
                      0: all                                                 */
    int64_t group_rows;  /**< rows of a row group, 0: 1 Mi                   */
    uint64_t data_bytes; /**< a state.h5 of more bytes has empty data in
                            `checkpoints`, 0: 1 GiB, which is the most       */
} rpt_export_config_t;

/** What was exported, by all ranks together. */
typedef struct {
    size_t size;         /**< size of this struct, set by the library        */
    uint64_t id;         /**< of the checkpoint; 0: only `checkpoints`       */
    uint64_t iteration;  /**< of that checkpoint                             */
    uint64_t n_tables;   /**< folders in OUT                                 */
    uint64_t n_files;    /**< in them                                        */
    uint64_t n_rows;     /**< in them                                        */
    uint64_t raw_bytes;  /**< of elements, blobs and state.h5, as stored in
                            the checkpoint                                   */
    uint64_t file_bytes; /**< of the Parquet files                           */
    uint64_t n_left_out; /**< rows of `checkpoints` with too much data       */
} rpt_export_result_t;

/** Export a committed checkpoint as Parquet.
 *
 * Collective over \a group.  Blocking.  All ranks verify all checksums of what
 * they export first.  Rows are divided over the ranks by the slowest dimension
 * that has more than one row; who has none writes no file.  The number of ranks
 * may be any.  A job may write checkpoints of the task meanwhile.
 *
 * OUT appears in one step when all ranks have their files on the disk; until
 * then it is OUT.part-ID, with 16 hexadecimal digits.  After a failure nothing
 * is left; what a killed job left is removed by the next export to the same
 * OUT.  Replacing is one step, too, where the file system can exchange folders.
 * When what was replaced cannot be removed there is a warning, and the next
 * export tries again.
 *
 * A rank that does not come is waited for as long as `io.checkpoint.deadline_s`
 * or `comm.internal_deadline_s` say, whichever is longer; then the others get
 * #RPT_ERR_TIMEOUT, which names it, and \a group is of no further use.  When it
 * goes on, it gets an error, too.
 *
 * A rank holds a row group that has 32 MiB or less; else 8 MiB of values (one
 * row at least) and the row group that it writes, encoded; and for
 * `checkpoints` and `blobs` one row.
 *
 * \param directory   as of rpt_checkpoint_open(); links are followed
 * \param task        NULL: the only one there is
 * \param result_out  [out] the same on all ranks; may be NULL
 * \retval RPT_ERR_UNSUPPORTED  no Parquet in this build, or on some node
 * \retval RPT_ERR_NOT_FOUND    no such directory, task, checkpoint, or item
 * \retval RPT_ERR_CORRUPT      it is damaged: nothing was written
 * \retval RPT_ERR_VERSION      a newer librepartir wrote it
 * \retval RPT_ERR_EXISTS       OUT is there, and is not replaced
 * \retval RPT_ERR_BUSY         another job exports to OUT at this moment
 * \retval RPT_ERR_OVERFLOW     #RPT_EXPORT_ALL_DATA: a state.h5 is too large
 * \retval RPT_ERR_IO           some rank could not read or write
 * \retval RPT_ERR_MISMATCH     ranks gave different arguments
 * \retval RPT_ERR_SYSTEM       rank 0 got no random numbers, or a rank may open
 *                              no more files
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM, RPT_ERR_PEER, RPT_ERR_TIMEOUT,
 *         RPT_ERR_STATE
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_export(rpt_group_t *group,
                                           const char *directory,
                                           const char *task,
                                           const rpt_export_config_t *config,
                                           rpt_export_result_t *result_out);

/** Export a committed checkpoint as Parquet, in one process.
 *
 * Not collective.  Blocking.  As rpt_checkpoint_export() over a context of
 * threads, which is made and destroyed inside.
 *
 * \param n_threads  1 … 4096; each writes a part
 * \param options    `io.parquet.library`; NULL: values of files and environment
 * \return as rpt_checkpoint_export()
 * \since 0.1
 */
RPT_API rpt_status_t rpt_checkpoint_export_local(
    int n_threads, const char *directory, const char *task,
    const rpt_export_config_t *config, const rpt_options_t *options,
    rpt_export_result_t *result_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_EXPORT_H */
