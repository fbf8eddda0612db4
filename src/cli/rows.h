/*
 * rows.h - rows of values as a table, CSV or JSON
 *
 * Pure: values in, bytes out, into a text that the caller writes and empties
 * whenever it likes.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli/text.h"

#include <repartir/query.h>

#include <stdbool.h>

enum rows_format { ROWS_TABLE, ROWS_CSV, ROWS_JSON };

/* Names of the formats, ends with NULL. */
extern const char *const rows_formats[];

struct rows {
    enum rows_format format;
    bool has_header;
    struct text out;
    /* what follows belongs to rows.c */
    int n_columns;
    char **names;
    size_t n_rows;
    struct text *kept; /* cells of a table, until widths are known */
    bool *is_number;
    size_t n_kept;
    size_t *widths;
};

void rows_begin(struct rows *rows, const char *const names[], int n_columns);
/* A row of n_columns values. */
void rows_add(struct rows *rows, const rpt_value_t values[]);
void rows_end(struct rows *rows);
void rows_free(struct rows *rows);

#endif /* CLI_ROWS_H */
