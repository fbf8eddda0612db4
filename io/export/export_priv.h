/*
 * export_priv.h - what the files of this folder share
 *
 *   export.c    the road: all ranks together, in rounds
 *   choose.c    which checkpoint; all ranks verify it
 *   plan.c      the tables, what stands in the files beside the rows
 *   output.c    the folder OUT.part-ID, which becomes OUT
 *   part.c      this rank's part of one table: opens, appends, closes
 *   window.c    elements of a dataset, in their order
 *   arrays.c, values.c, blobs.c, stored.c   rows of each kind of table
 */
#ifndef RPT_IO_EXPORT_PRIV_H
#define RPT_IO_EXPORT_PRIV_H

#include "io/checkpoint/commit.h"
#include "io/export/export.h"
#include "io/parquet/parquet.h"

enum {
    RPT_EXPORT_BATCH_BYTES = 8 << 20, /* of values in memory              */
    RPT_EXPORT_MOST_COLUMNS = 8,      /* of a table that is no array's    */
    RPT_EXPORT_PIECE_BYTES = 64 << 20 /* of a blob in one row             */
};

/* ---- tables ---- */

struct rpt_export;
struct rpt_export_part;

/* What kinds of tables do; all of this rank's part. */
struct rpt_export_ops {
    const char *name; /* repartir.table in the files */
    /* Sets columns, at, end and n_rows; may keep something in `state`. */
    rpt_status_t (*begin)(struct rpt_export *e, struct rpt_export_part *part);
    /* Appends some rows and moves `at`. */
    rpt_status_t (*step)(struct rpt_export *e, struct rpt_export_part *part);
    void (*end)(struct rpt_export_part *part); /* releases `state` */
};

extern const struct rpt_export_ops rpt__export_arrays, rpt__export_values,
    rpt__export_blobs, rpt__export_stored;

struct rpt_export_table {
    char *folder; /* its name in OUT */
    const struct rpt_export_ops *ops;
    const struct rpt_dataset **sets; /* of the checkpoint; not of `stored` */
    size_t n_sets;
};

/* A part of a table, which this rank writes. */
struct rpt_export_part {
    const struct rpt_export_table *table;
    struct rpt_parquet_column *columns;
    int n_columns;
    char *names;       /* of columns, if they were made */
    uint64_t n_rows;   /* of the table, 0: it has none             */
    uint64_t own_rows; /* of this part; 0: not known yet          */
    uint64_t at, end;  /* what is left, in the units of its kind   */
    struct rpt_parquet *writer;
    char *path;
    void *state;
};

/* ---- one export, on this rank ---- */

/* A checkpoint for the table `checkpoints`. */
struct rpt_export_stored {
    char name[RPT_FOLDER_NAME_BYTES];
    uint64_t id, iteration;
    double time_s;
    uint64_t bytes; /* of state.h5 */
};

struct rpt_export_output {
    struct rpt_dir parent;
    struct rpt_dir dir; /* OUT.part-ID */
    char *name;         /* of OUT      */
    char *part_name;
    char *old_name; /* rank 0: of what was replaced; NULL: nothing */
    bool is_moved;  /* rank 0: OUT is the new one                  */
};

struct rpt_export {
    struct rpt_group *group;
    int rank, size;
    const rpt_options_t *options;
    const rpt_export_config_t *config;
    int tables; /* of the config, not 0 */
    char *task;
    struct rpt_dir top, dir; /* of checkpoints, of the task */
    struct rpt_opened opened;
    bool has_opened;
    int state_fd; /* of the opened one's state.h5 */
    struct rpt_export_stored *stored;
    size_t n_stored;
    struct rpt_export_table *list;
    size_t n_list;
    struct rpt_export_window *windows; /* of datasets in chunks */
    size_t n_windows;
    size_t next; /* table */
    struct rpt_export_part part;
    struct rpt_export_output output;
    rpt_export_result_t result; /* of this rank, at the end of all */
};

/* The call, for messages. */
extern const char rpt__export_call[];

/* ---- choose.c ---- */

/* Collective: opens the task's folder, finds what to export, verifies it. */
rpt_status_t rpt__export_choose(struct rpt_export *e, const char *directory,
                                const char *task);

/* ---- plan.c ---- */

/* The same on all ranks. */
rpt_status_t rpt__export_plan(struct rpt_export *e);
void rpt__export_plan_free(struct rpt_export *e);
/* Whether an item was asked for. */
bool rpt__export_wants(const struct rpt_export *e,
                       const struct rpt_dataset *set);
/* Entries of the files of a table, in texts; both to be freed.  */
struct rpt_export_entries {
    struct rpt_parquet_entry *list;
    int n;
    struct rpt_buf text;
};
rpt_status_t rpt__export_entries(const struct rpt_export *e,
                                 const struct rpt_export_table *table,
                                 struct rpt_export_entries *entries_out);
void rpt__export_entries_free(struct rpt_export_entries *entries);
/* f64, opaque12. */
void rpt__export_type_text(rpt_type_t type, char text_out[32]);
uint64_t rpt__export_elements(const struct rpt_dataset *set);

/* ---- output.c ---- */

/* Collective: OUT.part-ID and the folders of all tables in it.  Fails on all.
 */
rpt_status_t rpt__export_output_begin(struct rpt_export *e);
/* Rank 0, when all ranks have their files: OUT is the new one, and on the disk.
 */
rpt_status_t rpt__export_output_commit(struct rpt_export *e);
/* Rank 0, when all know: removes what was replaced. */
void rpt__export_output_settle(struct rpt_export *e);
/* Rank 0: OUT is what it was, nothing is left.  Keeps the last error. */
void rpt__export_output_abandon(struct rpt_export *e);
void rpt__export_output_free(struct rpt_export_output *output);

/* ---- part.c ---- */

/* Writes some more; true: this rank has written all its parts. */
rpt_status_t rpt__export_some(struct rpt_export *e, bool *done_out);
/* Lets go of what is being written. */
void rpt__export_part_abandon(struct rpt_export *e);
enum { RPT_EXPORT_NAME_BYTES = 32 };
/* Of the file of a rank in a table. */
void rpt__export_part_name(int rank, int size,
                           char name_out[RPT_EXPORT_NAME_BYTES]);
/* This rank's part [from_out, end_out) of n things in a row. */
void rpt__export_share(const struct rpt_export *e, uint64_t n,
                       uint64_t *from_out, uint64_t *end_out);

/* ---- window.c ---- */

/* n elements of a dataset of the opened checkpoint, from `first` on. */
rpt_status_t rpt__export_read(struct rpt_export *e,
                              const struct rpt_dataset *set, uint64_t first,
                              uint64_t n, void *data);
void rpt__export_windows_free(struct rpt_export *e);

#endif /* RPT_IO_EXPORT_PRIV_H */
