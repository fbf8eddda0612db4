/*
 * repartir/query.h - directories of checkpoints and of pools, seen by SQL
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_QUERY_H
#define REPARTIR_QUERY_H

#include <repartir/base.h>
#include <repartir/options.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_query Queries
 *
 * A view shows what is in directories as tables of SQL: `checkpoints`,
 * `datasets`, `files`, `blocks`, `events`, of those that
 * rpt_checkpoint_open() got; `tasks`, of those that are the `pool.state_dir` of
 * a pool; `attempts`, of both; and `array('NAME')`, the elements of a dataset,
 * of the newest committed checkpoint unless another is named: the newest whose
 * manifest and checksums can be used; one of a newer format ends the query.
 * Its data are compared with their checksums as they are read: what is damaged
 * or missing ends the query (#RPT_ERR_CORRUPT), and no older one is taken
 * instead.
 * rpt_view_schema() has their columns.  The SQL is that of SQLite, and it only
 * reads.  Saves that are on the nodes only (`io.checkpoint.local_dir`) are not
 * seen.
 *
 *     const char *directory = "ckpt";
 *     rpt_view_open(&directory, 1, NULL, &view);
 *     rpt_query_open(view, "SELECT avg(value) FROM array(?) WHERE i0 = ?",
 *                    &query);
 *     rpt_query_bind_text(query, 1, "u");
 *     rpt_query_bind_i64(query, 2, 5);
 *     while (rpt_query_step(query) == RPT_OK) {
 *         rpt_query_value(query, 0, &value);
 *     }
 *
 * Nothing here is collective.  A view and its queries belong to one thread
 * at a time; other views may be used by others meanwhile.  A job may write
 * in the directories: a checkpoint is seen whole or not at all.  SQLite's
 * library is opened by the first rpt_view_open().  Who may open no more files
 * gets #RPT_ERR_SYSTEM.
 *
 * \since 0.1
 *
 * \{
 */

/** Directories, and what was in them. */
typedef struct rpt_view rpt_view_t;

/** A statement of SQL on a view. */
typedef struct rpt_query rpt_query_t;

/** Look at directories.
 *
 * Not collective.  Reads the manifests of all checkpoints there, and shows them
 * as they were now until the view is closed; it reads their data when a
 * query asks for them.  Writes nothing.  Release with rpt_view_close().
 *
 * \param directories  paths, copied: of a directory of checkpoints, of a task
 *                     in one, which is shown alone, or of a state directory.
 *                     What was given twice, by any paths, is there once.
 * \param n            how many, 1 or more
 * \param options      those of `io.query`; NULL: of files and environment.
 *                     Stays the caller's.
 * \retval RPT_ERR_NOT_FOUND    a directory does not exist
 * \retval RPT_ERR_UNSUPPORTED  SQLite's library cannot be used
 * \retval RPT_ERR_INVALID      one is a checkpoint, or a bad argument
 * \retval RPT_ERR_IO, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_view_open(const char *const directories[], size_t n,
                                   const rpt_options_t *options,
                                   rpt_view_t **view_out);

/** Release.  Queries that are open stay usable until they are closed. */
RPT_API void rpt_view_close(rpt_view_t *view);

/** End the step that is under way: it returns #RPT_ERR_CANCELLED.
 *
 * Not collective.  Returns at once.  From any thread, also from a signal
 * handler; not after the view was closed.  When none is under way, the next
 * step ends so.
 */
RPT_API void rpt_view_interrupt(rpt_view_t *view);

/** The tables and their columns, as CREATE TABLE statements with comments.  Not
 * to be freed. */
RPT_API const char *rpt_view_schema(void);

/** Prepare a statement.
 *
 * Not collective.  Release with rpt_query_close().
 *
 * \param sql  one statement in UTF-8: SELECT, VALUES, EXPLAIN, or a PRAGMA that
 *             lists columns or functions; copied
 * \retval RPT_ERR_PARSE        it is no such statement, or names what is not
 *                              there
 * \retval RPT_ERR_UNSUPPORTED  it would change or open something
 * \retval RPT_ERR_OVERFLOW     it is longer than 1 MB
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_query_open(rpt_view_t *view, const char *sql,
                                    rpt_query_t **query_out);

/** Release.  NULL is ignored. */
RPT_API void rpt_query_close(rpt_query_t *query);

/** The highest number of a parameter, 0: it has none, or NULL was given. */
RPT_API int rpt_query_n_parameters(const rpt_query_t *query);

/** Give a parameter a value; those that got none are NULL.
 *
 * Not collective.  Before the first step, or after rpt_query_reset(), which
 * keeps values.
 *
 * \param parameter  `?` are counted from 1
 * \retval RPT_ERR_INVALID  there is no such parameter
 * \retval RPT_ERR_STATE    the query has begun
 * \since 0.1
 */
RPT_API rpt_status_t rpt_query_bind_i64(rpt_query_t *query, int parameter,
                                        int64_t value);

/** Give a parameter a number, see rpt_query_bind_i64().  A NaN is NULL. */
RPT_API rpt_status_t rpt_query_bind_f64(rpt_query_t *query, int parameter,
                                        double value);

/** Give a parameter a text in UTF-8, see rpt_query_bind_i64(); copied.
 * \retval RPT_ERR_OVERFLOW  it is longer than 64 MiB
 * \retval RPT_ERR_INVALID, RPT_ERR_STATE, RPT_ERR_NOMEM
 */
RPT_API rpt_status_t rpt_query_bind_text(rpt_query_t *query, int parameter,
                                         const char *text);

/** Make a parameter NULL again, see rpt_query_bind_i64(). */
RPT_API rpt_status_t rpt_query_bind_null(rpt_query_t *query, int parameter);

/** Go to the next row.
 *
 * Not collective.  Blocking, while rows are looked for.  After a failure
 * rpt_query_reset() begins anew.
 *
 * \retval RPT_OK             there is one
 * \retval RPT_END            there are no more
 * \retval RPT_ERR_CORRUPT    data are not what was written; the error says
 *                            which block of which file
 * \retval RPT_ERR_NOT_FOUND  no such dataset, task or checkpoint; or it was
 *                            removed since the view was opened
 * \retval RPT_ERR_TIMEOUT    the query took longer than `io.query.deadline_s`
 * \retval RPT_ERR_NOMEM      or more memory than `io.query.memory_bytes`
 * \retval RPT_ERR_OVERFLOW   a value would be longer than 64 MiB
 * \retval RPT_ERR_CANCELLED  rpt_view_interrupt()
 * \retval RPT_ERR_INVALID    a function of SQL has refused its arguments, such
 *                            as a sum() that overflows
 * \retval RPT_ERR_STATE      the step before failed
 * \retval RPT_ERR_IO         files cannot be read
 * \since 0.1
 */
RPT_API rpt_status_t rpt_query_step(rpt_query_t *query);

/** Go back to before the first row.  Values of parameters stay. */
RPT_API rpt_status_t rpt_query_reset(rpt_query_t *query);

/** The number of columns, 0 for NULL. */
RPT_API int rpt_query_n_columns(const rpt_query_t *query);

/** The name of a column, from 0; NULL: there is none.  Belongs to the query. */
RPT_API const char *rpt_query_column_name(const rpt_query_t *query, int column);

/** What a value is. */
typedef enum rpt_value_type {
    RPT_VALUE_NULL = 0, /**< nothing                     */
    RPT_VALUE_I64 = 1,  /**< a whole number              */
    RPT_VALUE_F64 = 2,  /**< a number, never NaN         */
    RPT_VALUE_TEXT = 3, /**< in UTF-8                    */
    RPT_VALUE_BLOB = 4  /**< bytes                       */
} rpt_value_type_t;

/** A value of a row. */
typedef struct rpt_value {
    size_t size;           /**< size of this struct, set by the library      */
    rpt_value_type_t type; /**< which of these                               */
    int64_t i64;           /**< 0 for other types                            */
    double f64;            /**< 0 for other types                            */
    const char *data;      /**< text, which ends with 0, or blob; else NULL.
                                Belongs to the query until its next step     */
    size_t bytes;          /**< of data, without the 0                       */
} rpt_value_t;

/** A value of the row that the last step went to.
 *
 * Not collective.  Returns at once.
 * \param column  from 0
 * \retval RPT_ERR_INVALID  there is no such column
 * \retval RPT_ERR_STATE    there is no row
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_query_value(rpt_query_t *query, int column,
                                     rpt_value_t *value_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_QUERY_H */
