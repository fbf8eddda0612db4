/*
 * table.c - linear probing with backward-shift deletion (Knuth 6.4, R)
 */
#include "base/table.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>

static bool same(struct rpt_digest a, struct rpt_digest b)
{
    return a.high == b.high && a.low == b.low;
}

static size_t home_of(const struct rpt_table *table, struct rpt_digest key)
{
    return (size_t)key.low & (table->capacity - 1);
}

/* Where the key is, or the free place where it belongs. */
static size_t find(const struct rpt_table *table, struct rpt_digest key)
{
    size_t i = home_of(table, key);

    while (table->entries[i].value != NULL &&
           !same(table->entries[i].key, key)) {
        i = (i + 1) & (table->capacity - 1);
    }
    return i;
}

void *rpt__table_get(const struct rpt_table *table, struct rpt_digest key)
{
    return table->n > 0 ? table->entries[find(table, key)].value : NULL;
}

static rpt_status_t grow(struct rpt_table *table)
{
    struct rpt_table larger = { NULL,
                                table->capacity > 0 ? 2 * table->capacity : 64,
                                table->n };

    larger.entries = calloc(larger.capacity, sizeof *larger.entries);
    if (larger.entries == NULL) {
        return rpt__fail_nomem(larger.capacity * sizeof *larger.entries);
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->entries[i].value != NULL) {
            larger.entries[find(&larger, table->entries[i].key)] =
                table->entries[i];
        }
    }
    free(table->entries);
    *table = larger;
    return RPT_OK;
}

rpt_status_t rpt__table_put(struct rpt_table *table, struct rpt_digest key,
                            void *value)
{
    struct rpt_entry *entry;

    if (4 * (table->n + 1) > 3 * table->capacity) {
        rpt_status_t status = grow(table);

        if (status != RPT_OK) {
            return status;
        }
    }
    entry = &table->entries[find(table, key)];
    table->n += entry->value == NULL;
    entry->key = key;
    entry->value = value;
    return RPT_OK;
}

void *rpt__table_remove(struct rpt_table *table, struct rpt_digest key)
{
    size_t hole, i, mask = table->capacity - 1;
    void *value;

    if (table->n == 0) {
        return NULL;
    }
    hole = find(table, key);
    value = table->entries[hole].value;
    if (value == NULL) {
        return NULL;
    }
    for (i = (hole + 1) & mask; table->entries[i].value != NULL;
         i = (i + 1) & mask) {
        size_t home = home_of(table, table->entries[i].key);

        /* An entry may move back unless its home lies after the hole. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->entries[hole] = table->entries[i];
            hole = i;
        }
    }
    table->entries[hole].value = NULL;
    table->n--;
    return value;
}

void rpt__table_free(struct rpt_table *table, void (*release)(void *value))
{
    for (size_t i = 0; release != NULL && i < table->capacity; i++) {
        if (table->entries[i].value != NULL) {
            release(table->entries[i].value);
        }
    }
    free(table->entries);
    *table = (struct rpt_table)RPT_TABLE_EMPTY;
}
