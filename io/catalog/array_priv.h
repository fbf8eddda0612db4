/*
 * array_priv.h - what a statement wants of array(): which dataset, which box
 */
#ifndef RPT_IO_CATALOG_ARRAY_PRIV_H
#define RPT_IO_CATALOG_ARRAY_PRIV_H

#include "io/catalog/catalog_priv.h"

enum {
    ARRAY_I0, /* to i7: RPT_BOX_DIMS of them */
    ARRAY_VALUE = RPT_BOX_DIMS,
    ARRAY_IMAG,
    ARRAY_INDEX,
    ARRAY_NAME,
    ARRAY_CHECKPOINT,
    ARRAY_TASK
};

/* What SQLite may leave to us: equality of name, checkpoint and task, and
 * bounds of i0 to i7; written as two characters each to idxStr. */
int rpt__array_best(struct rpt_table *table, sqlite3_index_info *info);

/* The dataset that is meant; held_out is to be given back by rpt__unhold(). */
rpt_status_t rpt__array_find(struct rpt_view *catalog, const char *wishes,
                             sqlite3_value *values[],
                             struct rpt_held **held_out,
                             const struct rpt_dataset **set_out);
/* The box that is meant: elements outside need not be looked at.  False: all
 * are outside. */
bool rpt__array_bound(const struct rpt_dataset *set, const char *wishes,
                      sqlite3_value *values[], struct rpt_box *box_out);

#endif /* RPT_IO_CATALOG_ARRAY_PRIV_H */
