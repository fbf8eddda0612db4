/*
 * shown.c - statements and what they show; all tests of queries in one table
 */
#include "shown.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- folders ---- */

const char *scratch_make(void)
{
    static char folders[8][256];
    static int next;
    const char *top = getenv("TMPDIR");
    char *folder = folders[next++ % 8];

    snprintf(folder, sizeof folders[0], "%s/rpt-query.XXXXXX",
             top != NULL ? top : "/tmp");
    return mkdtemp(folder);
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    (void)file;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static char saved[256];

const char *saved_folder(void)
{
    if (saved[0] == '\0') {
        snprintf(saved, sizeof saved, "%s", scratch_make());
        CU_ASSERT_FATAL(saved_make(saved));
    }
    return saved;
}

static int is_committed(const struct dirent *entry)
{
    return strncmp(entry->d_name, "it-", 3) == 0;
}

const char *committed_path(const char *folder, const char *task, int n)
{
    static char path[1024];
    struct dirent **names = NULL;
    int count;

    snprintf(path, sizeof path, "%s/%s", folder, task);
    count = scandir(path, &names, is_committed, alphasort);
    CU_ASSERT_FATAL(n < count);
    snprintf(path, sizeof path, "%s/%s/%s", folder, task,
             names[count - 1 - n]->d_name);
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    return path;
}

rpt_view_t *open_with(const char *folder, const char *option, const char *value)
{
    rpt_options_t *options = NULL;
    rpt_view_t *catalog = NULL;

    CU_ASSERT_FATAL(rpt_options_create(&options) == RPT_OK);
    if (option != NULL) {
        CU_ASSERT(rpt_options_set(options, option, value) == RPT_OK);
    }
    if (rpt_view_open(&folder, 1, options, &catalog) != RPT_OK) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    rpt_options_destroy(options);
    CU_ASSERT_FATAL(catalog != NULL);
    return catalog;
}

rpt_view_t *open_saved(void)
{
    return open_with(saved_folder(), NULL, NULL);
}

/* ---- what is shown ---- */

struct out {
    char *text;
    size_t bytes;
};

static void add(struct out *out, const char *format, ...)
{
    char *piece;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&piece, format, args);
    va_end(args);
    out->text = realloc(out->text, out->bytes + (size_t)n + 1);
    memcpy(out->text + out->bytes, piece, (size_t)n + 1);
    out->bytes += (size_t)n;
    free(piece);
}

static void add_value(struct out *out, const rpt_value_t *value)
{
    char real[64];

    switch (value->type) {
    case RPT_VALUE_I64:
        add(out, "%" PRId64, value->i64);
        break;
    case RPT_VALUE_F64:
        snprintf(real, sizeof real, "%.15g", value->f64);
        if (strpbrk(real, ".ein") == NULL) {
            strcat(real, ".0");
        }
        add(out, "%s",
            strcmp(real, "1e+300") == 0 ? "1.0e+300"
            : strcmp(real, "inf") == 0  ? "Inf"
                                        : real);
        break;
    case RPT_VALUE_TEXT:
        CU_ASSERT(strlen(value->data) == value->bytes);
        add(out, "'%s'", value->data);
        break;
    case RPT_VALUE_BLOB:
        add(out, "X'");
        for (size_t i = 0; i < value->bytes; i++) {
            add(out, "%02x", (unsigned char)value->data[i]);
        }
        add(out, "'");
        break;
    default:
        add(out, "NULL");
        break;
    }
}

static void add_rows(struct out *out, rpt_query_t *query)
{
    rpt_status_t status;

    while ((status = rpt_query_step(query)) == RPT_OK) {
        for (int i = 0; i < rpt_query_n_columns(query); i++) {
            rpt_value_t value;

            CU_ASSERT(rpt_query_value(query, i, &value) == RPT_OK);
            CU_ASSERT(value.size == sizeof value);
            add(out, "%s", i > 0 ? " " : "");
            add_value(out, &value);
        }
        add(out, ";");
    }
    if (status < 0) {
        add(out, "%s: %s", rpt_status_name(status), rpt_last_error()->what);
    }
}

char *shown(rpt_view_t *catalog, const char *sql, int n, ...)
{
    struct out out = { NULL, 0 };
    rpt_query_t *query = NULL;
    rpt_status_t status = rpt_query_open(catalog, sql, &query);
    va_list args;

    add(&out, "");
    if (status != RPT_OK) {
        add(&out, "%s: %s\n%s", rpt_status_name(status), rpt_last_error()->what,
            rpt_last_error()->why);
        return out.text;
    }
    va_start(args, n);
    for (int i = 1; i <= n; i++) {
        CU_ASSERT(rpt_query_bind_text(query, i, va_arg(args, const char *)) ==
                  RPT_OK);
    }
    va_end(args);
    add_rows(&out, query);
    rpt_query_close(query);
    return out.text;
}

void shows_here(rpt_view_t *catalog, const char *sql, const char *text,
                const char *file, int line)
{
    char *found = shown(catalog, sql, 0);
    bool good = strcmp(found, text) == 0;

    if (!good) {
        fprintf(stderr, "%s shows\n%s\nnot\n%s\n", sql, found, text);
    }
    CU_assertImplementation(good, (unsigned)line, sql, file, "", CU_FALSE);
    free(found);
}

void fails_here(rpt_view_t *catalog, const char *sql, rpt_status_t status,
                const char *words, const char *file, int line)
{
    rpt_query_t *query = NULL;
    rpt_status_t found = rpt_query_open(catalog, sql, &query);
    bool good;

    while (found == RPT_OK) {
        found = rpt_query_step(query);
    }
    good = found == status && strstr(rpt_last_error_text(), words) != NULL;
    if (!good) {
        fprintf(stderr, "%s: %s, not %s; \"%s\" in\n%s\n", sql,
                rpt_status_name(found), rpt_status_name(status), words,
                found < 0 ? rpt_last_error_text() : "");
    }
    CU_assertImplementation(good, (unsigned)line, sql, file, "", CU_FALSE);
    rpt_query_close(query);
}

int64_t number_of(rpt_view_t *catalog, const char *sql)
{
    rpt_query_t *query = NULL;
    rpt_value_t value = { .i64 = INT64_MIN };

    if (rpt_query_open(catalog, sql, &query) != RPT_OK ||
        rpt_query_step(query) != RPT_OK ||
        rpt_query_value(query, 0, &value) != RPT_OK ||
        value.type != RPT_VALUE_I64) {
        fprintf(stderr, "%s: %s\n", sql, rpt_last_error_text());
        CU_FAIL("no number");
    }
    rpt_query_close(query);
    return value.i64;
}

/* ---- all tests ---- */

int main(int argc, char *argv[])
{
    static const struct rpt_test *const tables[] = {
        opening_tests, table_tests, array_tests, refusing_tests, changing_tests
    };
    struct rpt_test all[128];
    size_t n = 0;
    int result;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const struct rpt_test *test = tables[t]; test->name != NULL;
             test++) {
            all[n++] = *test;
        }
    }
    all[n] = (struct rpt_test)RPT_TEST_END;
    result = rpt_test_main("test_query", all, 900, argc, argv);
    if (saved[0] != '\0') {
        scratch_remove(saved);
    }
    return result;
}
