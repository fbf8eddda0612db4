/*
 * rows.c - rows of values as a table, CSV (RFC 4180) or JSON
 *
 * Numbers read back as the same numbers.  Blobs are hexadecimal digits in all
 * formats.  A table is as wide as its first 1000 rows need; later cells that
 * are longer push the rest of their line.
 */
#include "cli/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_KEPT = 1000 };

const char *const rows_formats[] = { "table", "csv", "json", NULL };

/* ---- values ---- */

/* A number with a point or an exponent, so that it stays a real one. */
static void add_real(struct text *text, double value, const char *infinity)
{
    char digits[40];

    if (isinf(value)) {
        text_printf(text, "%s%s", value < 0 ? "-" : "", infinity);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        double again;

        snprintf(digits, sizeof digits, "%.*g", precision, value);
        again = strtod(digits, NULL);
        if (again >= value && again <= value) {
            break;
        }
    }
    text_string(text, digits);
    if (strpbrk(digits, ".e") == NULL) {
        text_string(text, ".0");
    }
}

static void add_hex(struct text *text, const char *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)data[i];

        text_char(text, digits[byte >> 4]);
        text_char(text, digits[byte & 15]);
    }
}

/* ---- CSV ---- */

/* An empty text is "", NULL is nothing. */
static void add_csv_text(struct text *text, const char *data, size_t bytes)
{
    bool plain = bytes > 0;

    for (size_t i = 0; i < bytes && plain; i++) {
        plain = strchr(",\"\r\n", data[i]) == NULL;
    }
    if (plain) {
        text_add(text, data, bytes);
        return;
    }
    text_char(text, '"');
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] == '"') {
            text_char(text, '"');
        }
        text_char(text, data[i]);
    }
    text_char(text, '"');
}

static void add_csv(struct text *text, const rpt_value_t *value)
{
    switch (value->type) {
    case RPT_VALUE_I64:
        text_printf(text, "%" PRId64, value->i64);
        break;
    case RPT_VALUE_F64:
        add_real(text, value->f64, "Inf");
        break;
    case RPT_VALUE_TEXT:
        add_csv_text(text, value->data, value->bytes);
        break;
    case RPT_VALUE_BLOB:
        add_hex(text, value->data, value->bytes);
        break;
    default:
        break;
    }
}

static void begin_csv(struct rows *rows)
{
    for (int i = 0; rows->has_header && i < rows->n_columns; i++) {
        text_string(&rows->out, i > 0 ? "," : "");
        add_csv_text(&rows->out, rows->names[i], strlen(rows->names[i]));
    }
    text_string(&rows->out, rows->has_header ? "\r\n" : "");
}

static void row_csv(struct rows *rows, const rpt_value_t values[])
{
    for (int i = 0; i < rows->n_columns; i++) {
        text_string(&rows->out, i > 0 ? "," : "");
        add_csv(&rows->out, &values[i]);
    }
    text_string(&rows->out, "\r\n");
}

/* ---- JSON ---- */

static void add_json(struct text *text, const rpt_value_t *value)
{
    switch (value->type) {
    case RPT_VALUE_I64:
        text_printf(text, "%" PRId64, value->i64);
        break;
    case RPT_VALUE_F64:
        add_real(text, value->f64, "1e999");
        break;
    case RPT_VALUE_TEXT:
        text_json(text, value->data, value->bytes);
        break;
    case RPT_VALUE_BLOB:
        text_char(text, '"');
        add_hex(text, value->data, value->bytes);
        text_char(text, '"');
        break;
    default:
        text_string(text, "null");
        break;
    }
}

static void row_json(struct rows *rows, const rpt_value_t values[])
{
    text_string(&rows->out, rows->n_rows > 0 ? ",\n{" : "[{");
    for (int i = 0; i < rows->n_columns; i++) {
        text_string(&rows->out, i > 0 ? "," : "");
        text_json(&rows->out, rows->names[i], strlen(rows->names[i]));
        text_char(&rows->out, ':');
        add_json(&rows->out, &values[i]);
    }
    text_char(&rows->out, '}');
}

/* ---- a table ---- */

static void add_shown(struct text *text, const rpt_value_t *value)
{
    if (value->type == RPT_VALUE_TEXT) {
        text_visible(text, value->data, value->bytes);
    } else {
        add_csv(text, value);
    }
}

/* Characters, if it is UTF-8. */
static size_t width_of(const struct text *text)
{
    size_t n = 0;

    for (size_t i = 0; i < text->bytes; i++) {
        n += ((unsigned char)text->data[i] & 0xc0) != 0x80;
    }
    return n;
}

static void add_blanks(struct text *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_char(text, ' ');
    }
}

static void add_cell(struct rows *rows, int column, const struct text *cell,
                     bool to_the_right)
{
    size_t width = width_of(cell), wanted = rows->widths[column];
    size_t blanks = width < wanted ? wanted - width : 0;

    text_string(&rows->out, column > 0 ? "  " : "");
    add_blanks(&rows->out, to_the_right ? blanks : 0);
    if (cell->bytes > 0) {
        text_add(&rows->out, cell->data, cell->bytes);
    }
    if (column + 1 < rows->n_columns) {
        add_blanks(&rows->out, to_the_right ? 0 : blanks);
    }
}

static void add_header(struct rows *rows)
{
    struct text cell = { NULL, 0, 0 };

    for (int i = 0; i < rows->n_columns; i++) {
        text_clear(&cell);
        text_visible(&cell, rows->names[i], strlen(rows->names[i]));
        add_cell(rows, i, &cell, false);
    }
    text_char(&rows->out, '\n');
    for (int i = 0; i < rows->n_columns; i++) {
        text_string(&rows->out, i > 0 ? "  " : "");
        for (size_t k = 0; k < rows->widths[i]; k++) {
            text_char(&rows->out, '-');
        }
    }
    text_char(&rows->out, '\n');
    text_free(&cell);
}

/* Now the widths are known. */
static void print_kept(struct rows *rows)
{
    if (rows->kept == NULL) {
        return;
    }
    if (rows->has_header) {
        add_header(rows);
    }
    for (size_t i = 0; i < rows->n_kept; i++) {
        int column = (int)(i % (size_t)rows->n_columns);

        add_cell(rows, column, &rows->kept[i], rows->is_number[i]);
        if (column + 1 == rows->n_columns) {
            text_char(&rows->out, '\n');
        }
        text_free(&rows->kept[i]);
    }
    free(rows->kept);
    free(rows->is_number);
    rows->kept = NULL;
    rows->is_number = NULL;
}

static bool is_number(const rpt_value_t *value)
{
    return value->type == RPT_VALUE_I64 || value->type == RPT_VALUE_F64;
}

static void begin_table(struct rows *rows)
{
    size_t n = (size_t)rows->n_columns;

    rows->widths = get_memory((n + 1) * sizeof *rows->widths);
    rows->kept = get_memory((n + 1) * ROWS_KEPT * sizeof *rows->kept);
    rows->is_number = get_memory((n + 1) * ROWS_KEPT);
    for (size_t i = 0; i < n; i++) {
        struct text name = { NULL, 0, 0 };

        text_visible(&name, rows->names[i], strlen(rows->names[i]));
        rows->widths[i] = rows->has_header ? width_of(&name) : 0;
        text_free(&name);
    }
}

static void row_table(struct rows *rows, const rpt_value_t values[])
{
    struct text cell = { NULL, 0, 0 };

    if (rows->n_rows == ROWS_KEPT) {
        print_kept(rows);
    }
    for (int i = 0; i < rows->n_columns; i++) {
        if (rows->n_rows < ROWS_KEPT) {
            struct text *kept = &rows->kept[rows->n_kept];
            size_t width;

            *kept = (struct text){ NULL, 0, 0 };
            add_shown(kept, &values[i]);
            rows->is_number[rows->n_kept++] = is_number(&values[i]);
            width = width_of(kept);
            rows->widths[i] = width > rows->widths[i] ? width : rows->widths[i];
        } else {
            text_clear(&cell);
            add_shown(&cell, &values[i]);
            add_cell(rows, i, &cell, is_number(&values[i]));
        }
    }
    if (rows->n_rows >= ROWS_KEPT) {
        text_char(&rows->out, '\n');
    }
    text_free(&cell);
}

/* ---- all ---- */

void rows_begin(struct rows *rows, const char *const names[], int n_columns)
{
    rows->n_columns = n_columns;
    rows->names = get_memory(((size_t)n_columns + 1) * sizeof *rows->names);
    for (int i = 0; i < n_columns; i++) {
        rows->names[i] = copy_string(names[i]);
    }
    if (rows->format == ROWS_CSV) {
        begin_csv(rows);
    } else if (rows->format == ROWS_TABLE) {
        begin_table(rows);
    }
}

void rows_add(struct rows *rows, const rpt_value_t values[])
{
    switch (rows->format) {
    case ROWS_CSV:
        row_csv(rows, values);
        break;
    case ROWS_JSON:
        row_json(rows, values);
        break;
    default:
        row_table(rows, values);
        break;
    }
    rows->n_rows++;
}

void rows_end(struct rows *rows)
{
    if (rows->format == ROWS_JSON) {
        text_string(&rows->out, rows->n_rows > 0 ? "]\n" : "[]\n");
    } else if (rows->format == ROWS_TABLE) {
        print_kept(rows);
    }
}

void rows_free(struct rows *rows)
{
    for (int i = 0; i < rows->n_columns; i++) {
        free(rows->names[i]);
    }
    for (size_t i = 0; rows->kept != NULL && i < rows->n_kept; i++) {
        text_free(&rows->kept[i]);
    }
    free(rows->names);
    free(rows->kept);
    free(rows->is_number);
    free(rows->widths);
    text_free(&rows->out);
}
