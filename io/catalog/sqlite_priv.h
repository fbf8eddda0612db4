/*
 * sqlite_priv.h - what is used of SQLite, as a table of functions
 *
 * Nothing calls sqlite3_...() by name, so that librepartir.so does not bring
 * SQLite into programs that make no queries: README.md.
 */
#ifndef RPT_IO_CATALOG_SQLITE_PRIV_H
#define RPT_IO_CATALOG_SQLITE_PRIV_H

#include <repartir/options.h>

#include <sqlite3.h>

#define RPT_SQLITE_LIST(X)                                                     \
    X(bind_double)                                                             \
    X(bind_int64)                                                              \
    X(bind_null)                                                               \
    X(bind_parameter_count)                                                    \
    X(bind_text64)                                                             \
    X(close)                                                                   \
    X(column_blob)                                                             \
    X(column_bytes)                                                            \
    X(column_count)                                                            \
    X(column_double)                                                           \
    X(column_int64)                                                            \
    X(column_name)                                                             \
    X(column_text)                                                             \
    X(column_type)                                                             \
    X(create_module)                                                           \
    X(db_config)                                                               \
    X(declare_vtab)                                                            \
    X(errmsg)                                                                  \
    X(exec)                                                                    \
    X(finalize)                                                                \
    X(libversion_number)                                                       \
    X(limit)                                                                   \
    X(memory_used)                                                             \
    X(mprintf)                                                                 \
    X(open_v2)                                                                 \
    X(prepare_v2)                                                              \
    X(progress_handler)                                                        \
    X(reset)                                                                   \
    X(result_blob64)                                                           \
    X(result_double)                                                           \
    X(result_error_toobig)                                                     \
    X(result_int64)                                                            \
    X(result_null)                                                             \
    X(result_text)                                                             \
    X(set_authorizer)                                                          \
    X(step)                                                                    \
    X(stmt_readonly)                                                           \
    X(threadsafe)                                                              \
    X(value_double)                                                            \
    X(value_int64)                                                             \
    X(value_text)                                                              \
    X(value_type)                                                              \
    X(vtab_collation)

struct rpt_sqlite {
#define RPT_SQLITE_MEMBER(name) __typeof__(sqlite3_##name) *name;
    RPT_SQLITE_LIST(RPT_SQLITE_MEMBER)
#undef RPT_SQLITE_MEMBER
};

/* Filled in by the first rpt__sqlite_load() that succeeds. */
extern struct rpt_sqlite rpt__sqlite;

/* RPT_ERR_UNSUPPORTED: the library cannot be used. */
rpt_status_t rpt__sqlite_load(const rpt_options_t *options);

#endif /* RPT_IO_CATALOG_SQLITE_PRIV_H */
