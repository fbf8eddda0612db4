/*
 * table.h - a hash table from 128-bit digests to pointers
 *
 * Open addressing, linear probing, at most 3/4 full.  Keys are digests, which
 * are spread evenly and may be taken to be unique, so no key is ever compared
 * as text.  24 bytes an entry.
 */
#ifndef RPT_BASE_TABLE_H
#define RPT_BASE_TABLE_H

#include "base/hash.h"

#include <repartir/base.h>

struct rpt_entry {
    struct rpt_digest key;
    void *value; /* NULL: free */
};

struct rpt_table {
    struct rpt_entry *entries;
    size_t capacity; /* 0 or a power of two */
    size_t n;
};

#define RPT_TABLE_EMPTY                                                        \
    {                                                                          \
        NULL, 0, 0                                                             \
    }

/* The value, or NULL. */
void *rpt__table_get(const struct rpt_table *table, struct rpt_digest key);

/* Sets a value (not NULL).  RPT_ERR_NOMEM. */
rpt_status_t rpt__table_put(struct rpt_table *table, struct rpt_digest key,
                            void *value);

/* Takes a key out and gives its value, or NULL when it was not there. */
void *rpt__table_remove(struct rpt_table *table, struct rpt_digest key);

/* Releases the table, and every value with `release` unless that is NULL. */
void rpt__table_free(struct rpt_table *table, void (*release)(void *value));

#endif /* RPT_BASE_TABLE_H */
