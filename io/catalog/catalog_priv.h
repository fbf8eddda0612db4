/*
 * catalog_priv.h - what the files of this folder share
 *
 *   find.c    what is in the directories, once
 *   hold.c    checkpoints that are open: manifest, checksums, data
 *   table.c   a table of SQL from a few functions; lists.c, tasks.c,
 *             attempts.c, blocks.c, events.c, array.c are such
 *   guard.c   what statements may do, and how long
 *   query.c   statements, and how they end
 */
#ifndef RPT_IO_CATALOG_PRIV_H
#define RPT_IO_CATALOG_PRIV_H

#include "io/catalog/catalog.h"
#include "io/catalog/sqlite_priv.h"
#include "io/checkpoint/commit.h"
#include "pool/attempts.h"

#include <repartir/state.h>

#include <stdatomic.h>
#include <sys/stat.h>

/* ---- find.c ---- */

enum rpt_found_state {
    RPT_FOUND_COMMITTED,
    RPT_FOUND_DAMAGED,
    RPT_FOUND_ASIDE,
    RPT_FOUND_UNFINISHED,
    RPT_FOUND_UNREADABLE,
    RPT_FOUND_REMOVED,
    RPT_FOUND_UNKNOWN /* committed, but its checksums were not looked at yet */
};

/* The folder of a checkpoint. */
struct rpt_saved {
    size_t task;
    char name[RPT_FOLDER_NAME_BYTES];
    uint64_t id;
    uint64_t iteration;
    bool has_iteration;
    enum rpt_found_state state;
    bool has_manifest;
    struct rpt_manifest manifest;
};

/* A folder of a directory that has checkpoints or events. */
struct rpt_view_task {
    char *directory; /* as it was given; of a task that was: the one above */
    char *name;
    struct stat place; /* so that it is there once */
    char newest[RPT_FOLDER_NAME_BYTES]; /* "": nobody has asked yet */
};

/* A state directory of a pool. */
struct rpt_view_pool {
    char *path;
    rpt_state_t *state;
    struct stat place;
};

/* Reads names and manifests. */
rpt_status_t rpt__view_find(struct rpt_view *catalog);
/* Once: opens the state directories. */
rpt_status_t rpt__view_find_pools(struct rpt_view *catalog);
void rpt__view_forget(struct rpt_view *catalog);

/* ---- hold.c ---- */

/* An open checkpoint, whose manifest and checksums are good. */
struct rpt_held {
    struct rpt_held *next; /* the one that was used before */
    size_t task;
    char name[RPT_FOLDER_NAME_BYTES];
    int n_users;
    bool is_newest; /* stays open longer: it may be removed */
    struct rpt_opened opened;
    int fd; /* of state.h5 */
};

/* RPT_ERR_NOT_FOUND: it is gone; RPT_ERR_CORRUPT: it is damaged. */
rpt_status_t rpt__hold(struct rpt_view *catalog, size_t task, const char *name,
                       struct rpt_held **held_out);
/* The newest one of a task whose manifest and checksums can be used, as a
 * restore chooses: what is of a newer format ends it.  The same one in all
 * queries of a catalog. */
rpt_status_t rpt__hold_newest(struct rpt_view *catalog, size_t task,
                              struct rpt_held **held_out);
void rpt__unhold(struct rpt_view *catalog, struct rpt_held *held);
/* When nobody reads any more. */
void rpt__unhold_all(struct rpt_view *catalog);
/* What a checkpoint is, for sure. */
rpt_status_t rpt__saved_judge(struct rpt_view *catalog,
                              struct rpt_saved *saved);

/* ---- starts.c ---- */

/* A row of attempts. */
struct rpt_start {
    const char *directory;
    bool is_event;           /* else of a journal */
    struct rpt_attempt said; /* host: owned, in events */
    uint64_t failed_saves;
};

struct rpt_starts {
    struct rpt_start *list;
    size_t n;
};

/* Once: from the journals of pools, and the events of tasks. */
rpt_status_t rpt__view_find_starts(struct rpt_view *catalog);
/* NULL is ignored. */
void rpt__starts_free(struct rpt_starts *starts);

/* ---- guard.c ---- */

/* What a connection may do, and how much. */
rpt_status_t rpt__guard(struct rpt_view *catalog);
/* Whether the statement must end, and why; for what takes long without
 * returning to SQLite. */
rpt_status_t rpt__view_stops(struct rpt_view *catalog);
/* Records one of the reasons. */
rpt_status_t rpt__guard_fail(struct rpt_view *catalog, rpt_status_t status);
/* Longest value, in bytes. */
enum { RPT_CELL_BYTES_MAX = 64 << 20 };

/* ---- catalog.c ---- */

struct rpt_table_ops;
enum { RPT_N_TABLES = 8 };

/* What SQLite hands back for a table. */
struct rpt_table_module {
    struct rpt_view *catalog;
    const struct rpt_table_ops *ops;
};

struct rpt_view {
    sqlite3 *db;
    struct rpt_table_module modules[RPT_N_TABLES];
    rpt_options_t *options;
    char **directories;
    size_t n_directories;
    struct rpt_view_task *tasks;
    size_t n_tasks;
    struct rpt_saved *saved; /* by task, newest first */
    size_t n_saved;
    struct rpt_view_pool *pools;
    size_t n_pools;
    bool has_pools;            /* they were looked for */
    struct rpt_starts *starts; /* NULL: nobody has asked yet */
    struct rpt_held *held;     /* the one that was used last */
    int n_queries;
    bool is_closed; /* ends with its last query */
    /* while a statement runs */
    double deadline_s; /* of rpt__now_s(); 0: none                      */
    int64_t memory_begin;
    atomic_int is_interrupted;
    rpt_status_t stopped; /* why the progress handler ended it          */
    rpt_status_t fault;   /* of a table; recorded as this thread's last */
};

/* When the last of both, catalog and queries, is closed. */
void rpt__view_release(struct rpt_view *catalog);

/* ---- table.c ---- */

struct rpt_table {
    sqlite3_vtab base;
    struct rpt_view *catalog;
    const struct rpt_table_ops *ops;
};

/* Tables put their own behind it. */
struct rpt_cursor {
    sqlite3_vtab_cursor base;
    struct rpt_view *catalog;
    const struct rpt_table_ops *ops;
    bool is_at_end;
    int64_t row;
};

struct rpt_table_ops {
    const char *name;
    const char *schema;
    size_t cursor_bytes;
    /* May be NULL: all rows are looked at. */
    int (*best)(struct rpt_table *table, sqlite3_index_info *info);
    /* Goes to the first row, wishes: what best() wrote to idxStr. */
    rpt_status_t (*filter)(struct rpt_cursor *cursor, bool in_order,
                           const char *wishes, sqlite3_value *values[]);
    rpt_status_t (*next)(struct rpt_cursor *cursor);
    rpt_status_t (*column)(struct rpt_cursor *cursor, sqlite3_context *context,
                           int column);
    void (*close)(struct rpt_cursor *cursor); /* may be NULL */
};

rpt_status_t rpt__tables_add(struct rpt_view *catalog);

extern const struct rpt_table_ops rpt__table_checkpoints, rpt__table_datasets,
    rpt__table_files, rpt__table_blocks, rpt__table_events, rpt__table_tasks,
    rpt__table_attempts, rpt__table_array;
extern const char rpt__schema_checkpoints[], rpt__schema_datasets[],
    rpt__schema_files[], rpt__schema_blocks[], rpt__schema_events[],
    rpt__schema_tasks[], rpt__schema_attempts[], rpt__schema_array[];

/* Values of a column: texts are copied, NULL is NULL. */
void rpt__cell_text(sqlite3_context *context, const char *text);
/* What is above 2^63 - 1 becomes a text. */
void rpt__cell_u64(sqlite3_context *context, uint64_t value);
/* A number that is there from `least` on. */
void rpt__cell_known(sqlite3_context *context, int number, int least);
void rpt__cell_id(sqlite3_context *context, uint64_t id);
/* Numbers with a mark between them. */
void rpt__cell_list(sqlite3_context *context, const uint64_t numbers[], int n,
                    char mark);
/* An element: its number, or its bytes; the other part of it, or NULL. */
void rpt__cell_value(sqlite3_context *context, rpt_type_t type,
                     const void *element);
void rpt__cell_imag(sqlite3_context *context, rpt_type_t type,
                    const void *element);
void rpt__cell_index(sqlite3_context *context, rpt_type_t type,
                     const void *element);

#endif /* RPT_IO_CATALOG_PRIV_H */
