/*
 * refusing.c - what the public functions refuse: writing, too much, bad
 * arguments
 */
#include "shown.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- only reading ---- */

static void nothing_can_be_written(void)
{
    static const char *const statements[] = {
        "DELETE FROM checkpoints",
        "INSERT INTO events VALUES (1)",
        "UPDATE datasets SET name = 'x'",
        "CREATE TABLE t(x)",
        "CREATE TEMP TABLE t(x)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING checkpoints",
        "ATTACH '/tmp/rpt-query.db' AS x",
        "VACUUM INTO '/tmp/rpt-query.db'",
        "PRAGMA user_version = 3",
        "PRAGMA journal_mode = OFF",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA writable_schema = ON",
        "SELECT load_extension('libm.so.6')",
        "BEGIN",
        "SAVEPOINT x",
        "ANALYZE",
        "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
        "DETACH main",
        "UPDATE sqlite_master SET sql = 'x'",
        "EXPLAIN DELETE FROM checkpoints",
    };
    rpt_view_t *c = open_saved();

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        FAILS(c, statements[i], RPT_ERR_UNSUPPORTED, "does more than read");
    }
    SHOWS(c, "SELECT count(*) FROM checkpoints", "4;");
    SHOWS(c, "SELECT count(*) FROM sqlite_master", "0;");
    SHOWS(c, "SELECT name FROM pragma_table_info('events') LIMIT 2",
          "'directory';'task';");
    rpt_view_close(c);
}

static void one_statement_is_one(void)
{
    rpt_view_t *c = open_saved();

    SHOWS(c, " SELECT 1 ; ;\n", "1;");
    SHOWS(c, "VALUES (1, 'a'), (NULL, x'00ff')", "1 'a';NULL X'00ff';");
    SHOWS(c, "SELECT 1; -- a comment", "1;");
    SHOWS(c, "SELECT 1 -- a comment\n;;/* two */ ; /* three\n", "1;");
    FAILS(c, "SELECT 1; SELECT 2", RPT_ERR_PARSE, "SELECT 2");
    FAILS(c, "SELECT 1; -- a comment\nSELECT 2", RPT_ERR_PARSE, "SELECT 2");
    FAILS(c, "SELECT 1;; nonsense", RPT_ERR_PARSE, "after the statement");
    FAILS(c, "SELECT 1; DROP TABLE checkpoints", RPT_ERR_PARSE, "DROP");
    FAILS(c, "", RPT_ERR_PARSE, "no statement");
    FAILS(c, "  -- nothing", RPT_ERR_PARSE, "no statement");
    FAILS(c, "SELEC 1", RPT_ERR_PARSE, "syntax error");
    FAILS(c, "SELECT nope FROM checkpoints", RPT_ERR_PARSE, "nope");
    FAILS(c, "SELECT * FROM nope", RPT_ERR_PARSE, "--schema");
    rpt_view_close(c);
}

/* ---- parameters ---- */

static void parameters_are_values_and_never_sql(void)
{
    static const char *const texts[] = { HOSTILE, "u'); DROP TABLE x; --",
                                         "\" OR 1=1", "' OR ''='" };
    rpt_view_t *c = open_saved();
    char wanted[200], *found;

    found = shown(c, "SELECT value FROM array(?)", 1, HOSTILE);
    CU_ASSERT_STRING_EQUAL(found, "1.0;2.0;");
    free(found);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        found = shown(c, "SELECT ?, count(*) FROM datasets WHERE name = ?1", 1,
                      texts[i]);
        snprintf(wanted, sizeof wanted, "'%s' %d;", texts[i], i == 0 ? 3 : 0);
        CU_ASSERT_STRING_EQUAL(found, wanted);
        free(found);
    }
    found = shown(c, "SELECT value FROM array(?)", 1, texts[1]);
    CU_ASSERT(strstr(found, "RPT_ERR_NOT_FOUND") == found);
    free(found);
    SHOWS(c, "SELECT count(*) FROM checkpoints", "4;");
    rpt_view_close(c);
}

static void values_are_bound_and_stay_bound(void)
{
    rpt_view_t *c = open_saved();
    rpt_query_t *q = NULL;
    rpt_value_t v;

    CU_ASSERT(rpt_query_open(c, "SELECT typeof(?3), ?1, ?2, ?3, ?4", &q) ==
              RPT_OK);
    CU_ASSERT(rpt_query_n_parameters(q) == 4);
    CU_ASSERT(rpt_query_bind_i64(q, 1, INT64_MIN) == RPT_OK);
    CU_ASSERT(rpt_query_bind_f64(q, 2, 0.1) == RPT_OK);
    CU_ASSERT(rpt_query_bind_text(q, 3, "t\xc3\xbc") == RPT_OK);
    CU_ASSERT(rpt_query_bind_text(q, 4, "gone") == RPT_OK);
    CU_ASSERT(rpt_query_bind_null(q, 4) == RPT_OK);
    for (int round = 0; round < 2; round++) {
        CU_ASSERT(rpt_query_step(q) == RPT_OK);
        CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_OK);
        CU_ASSERT_STRING_EQUAL(v.data, "text");
        CU_ASSERT(rpt_query_value(q, 1, &v) == RPT_OK);
        CU_ASSERT(v.type == RPT_VALUE_I64 && v.i64 == INT64_MIN);
        CU_ASSERT(v.data == NULL && v.bytes == 0);
        CU_ASSERT(rpt_query_value(q, 2, &v) == RPT_OK);
        CU_ASSERT(v.type == RPT_VALUE_F64 && v.f64 == 0.1 && v.i64 == 0);
        CU_ASSERT(rpt_query_value(q, 3, &v) == RPT_OK);
        CU_ASSERT(v.type == RPT_VALUE_TEXT && v.bytes == 3);
        CU_ASSERT_STRING_EQUAL(v.data, "t\xc3\xbc");
        CU_ASSERT(rpt_query_value(q, 4, &v) == RPT_OK);
        CU_ASSERT(v.type == RPT_VALUE_NULL && v.data == NULL);
        CU_ASSERT(rpt_query_bind_i64(q, 1, 5) == RPT_ERR_STATE);
        CU_ASSERT(rpt_query_step(q) == RPT_END);
        CU_ASSERT(rpt_query_step(q) == RPT_END);
        CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_ERR_STATE);
        CU_ASSERT(rpt_query_reset(q) == RPT_OK);
    }
    CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_ERR_STATE);
    CU_ASSERT(rpt_query_n_columns(q) == 5);
    CU_ASSERT_STRING_EQUAL(rpt_query_column_name(q, 1), "?1");
    rpt_query_close(q);
    CU_ASSERT(rpt_query_open(c, "SELECT zeroblob(0) AS \"a b\"", &q) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_OK);
    CU_ASSERT(v.type == RPT_VALUE_BLOB && v.bytes == 0 && v.data != NULL);
    CU_ASSERT_STRING_EQUAL(rpt_query_column_name(q, 0), "a b");
    rpt_query_close(q);
    rpt_view_close(c);
}

/* ---- arguments ---- */

#define INVALID(call) CU_ASSERT((call) == RPT_ERR_INVALID)

static void bad_arguments_are_refused(void)
{
    static const char *const good[] = { "/tmp" }, *const none[] = { NULL },
                             *const empty[] = { "" };
    static const char *const missing[] = { "/tmp", "/nowhere/at/all" };
    rpt_view_t *c = NULL, *kept = NULL;
    rpt_query_t *q = NULL;
    rpt_value_t v;
    char *file;

    INVALID(rpt_view_open(NULL, 1, NULL, &c));
    INVALID(rpt_view_open(good, 0, NULL, &c));
    INVALID(rpt_view_open(none, 1, NULL, &c));
    INVALID(rpt_view_open(empty, 1, NULL, &c));
    INVALID(rpt_view_open(good, 1, NULL, NULL));
    CU_ASSERT(rpt_view_open(missing, 2, NULL, &c) == RPT_ERR_NOT_FOUND);
    CU_ASSERT(strstr(rpt_last_error()->what, missing[1]) != NULL);
    CU_ASSERT(asprintf(&file, "%s/state.h5",
                       committed_path(saved_folder(), "big", 0)) > 0);
    CU_ASSERT(rpt_view_open((const char *const *)&file, 1, NULL, &c) ==
              RPT_ERR_NOT_FOUND);
    free(file);
    CU_ASSERT(c == NULL);
    rpt_view_close(NULL);
    rpt_view_interrupt(NULL);

    c = open_saved();
    INVALID(rpt_query_open(NULL, "SELECT 1", &q));
    INVALID(rpt_query_open(c, NULL, &q));
    INVALID(rpt_query_open(c, "SELECT 1", NULL));
    CU_ASSERT(q == NULL);
    CU_ASSERT(rpt_query_open(c, "SELECT ?", &q) == RPT_OK);
    INVALID(rpt_query_bind_i64(NULL, 1, 1));
    INVALID(rpt_query_bind_i64(q, 0, 1));
    INVALID(rpt_query_bind_i64(q, 2, 1));
    INVALID(rpt_query_bind_f64(NULL, 1, 1));
    INVALID(rpt_query_bind_f64(q, 2, 1));
    INVALID(rpt_query_bind_text(NULL, 1, "a"));
    INVALID(rpt_query_bind_text(q, 1, NULL));
    INVALID(rpt_query_bind_text(q, -1, "a"));
    INVALID(rpt_query_bind_null(NULL, 1));
    INVALID(rpt_query_bind_null(q, 2));
    INVALID(rpt_query_step(NULL));
    INVALID(rpt_query_reset(NULL));
    CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_ERR_STATE);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    INVALID(rpt_query_value(NULL, 0, &v));
    INVALID(rpt_query_value(q, 0, NULL));
    INVALID(rpt_query_value(q, 1, &v));
    INVALID(rpt_query_value(q, -1, &v));
    CU_ASSERT(rpt_query_n_parameters(NULL) == 0);
    CU_ASSERT(rpt_query_n_columns(NULL) == 0);
    CU_ASSERT(rpt_query_column_name(NULL, 0) == NULL);
    CU_ASSERT(rpt_query_column_name(q, 1) == NULL);
    CU_ASSERT(rpt_query_column_name(q, -1) == NULL);
    rpt_query_close(NULL);
    /* A catalog lives as long as its queries. */
    kept = c;
    rpt_view_close(kept);
    CU_ASSERT(rpt_query_reset(q) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    rpt_query_close(q);
}

static void without_sqlite_there_are_no_queries(void)
{
    /* Only the first catalog of a process opens the library. */
    const char *folder = saved_folder();
    rpt_options_t *options = NULL;
    rpt_view_t *c = NULL;
    rpt_status_t status;

    CU_ASSERT(rpt_options_create(&options) == RPT_OK);
    CU_ASSERT(rpt_options_set(options, "io.sqlite.library", "/no/such.so") ==
              RPT_OK);
    status = rpt_view_open(&folder, 1, options, &c);
    if (status == RPT_OK) {
        rpt_test_skip("SQLite is inside of this library, or open already");
    } else {
        CU_ASSERT(status == RPT_ERR_UNSUPPORTED);
        CU_ASSERT(strstr(rpt_last_error_text(), "/no/such.so") != NULL);
        CU_ASSERT(rpt_options_set(options, "io.sqlite.library", "libm.so.6") ==
                  RPT_OK);
        CU_ASSERT(rpt_view_open(&folder, 1, options, &c) ==
                  RPT_ERR_UNSUPPORTED);
        CU_ASSERT(strstr(rpt_last_error_text(), "it has no sqlite3_") != NULL);
    }
    rpt_view_close(c);
    rpt_options_destroy(options);
}

/* ---- too much ---- */

#define ENDLESS                                                                \
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "

static void a_query_ends_at_its_deadline(void)
{
    rpt_view_t *c = open_with(saved_folder(), "io.query.deadline_s", "0.3");
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    FAILS(c, ENDLESS "SELECT count(*) FROM n", RPT_ERR_TIMEOUT, "0.3 s");
    clock_gettime(CLOCK_MONOTONIC, &end);
    CU_ASSERT(end.tv_sec - begin.tv_sec < 30);
    FAILS(c,
          "SELECT count(*) FROM array('field') a, array('field') b WHERE "
          "a.value < b.value",
          RPT_ERR_TIMEOUT, "io.query.deadline_s");
    SHOWS(c, "SELECT 1", "1;"); /* the next one has its own */
    rpt_view_close(c);
}

static void memory_has_a_limit(void)
{
    rpt_view_t *c = open_with(saved_folder(), "io.query.memory_bytes", "20MiB");

    FAILS(c, "SELECT i0, i1, value FROM array('field') ORDER BY value DESC, i1",
          RPT_ERR_NOMEM, "io.query.memory_bytes");
    FAILS(c,
          ENDLESS "SELECT DISTINCT x FROM n WHERE x < 0 UNION SELECT x FROM n",
          RPT_ERR_NOMEM, "20971520 bytes");
    SHOWS(c, "SELECT value FROM array('field') ORDER BY value DESC LIMIT 2",
          "1048575.0;1048574.0;");
    FAILS(c, "SELECT length(zeroblob(67108865))", RPT_ERR_OVERFLOW, "67108864");
    FAILS(c, "SELECT length(hex(zeroblob(50000000)))", RPT_ERR_OVERFLOW,
          "too long");
    rpt_view_close(c);
}

/* SQLite's own limit, of the library that is in use, above which it gets no
 * more memory; NULL: there is none. */
static int64_t (*find_heap_limit(void))(int64_t)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_NOLOAD);
    int64_t (*limit)(int64_t) = NULL;

    if (library != NULL) {
        *(void **)&limit = dlsym(library, "sqlite3_hard_heap_limit64");
        dlclose(library);
    }
    return limit;
}

enum { LARGE = 50 << 20, LITTLE = 10 << 20 };

static void bind_large(rpt_view_t *c, int64_t (*limit)(int64_t))
{
    char *text = calloc(LARGE + 1, 1);
    rpt_query_t *q = NULL;
    rpt_value_t v;

    memset(text, 'x', LARGE);
    CU_ASSERT(rpt_query_open(c, "SELECT length(?), ?2", &q) == RPT_OK);
    CU_ASSERT(rpt_query_bind_text(q, 2, "kept") == RPT_OK);
    limit(LITTLE);
    CU_ASSERT(rpt_query_bind_text(q, 1, text) == RPT_ERR_NOMEM);
    CU_ASSERT(strstr(rpt_last_error()->what, "no memory") != NULL);
    limit(0);
    CU_ASSERT(rpt_query_bind_text(q, 1, text) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_OK && v.i64 == LARGE);
    CU_ASSERT(rpt_query_value(q, 1, &v) == RPT_OK);
    CU_ASSERT_STRING_EQUAL(v.data, "kept");
    rpt_query_close(q);
    free(text);
}

/* A value that SQLite makes when it is asked for, or some versions before: then
 * it is there.  Whether there was no memory for it. */
static bool lacks_memory(rpt_view_t *c, int64_t (*limit)(int64_t),
                         const char *sql)
{
    rpt_query_t *q = NULL;
    rpt_value_t v = { .size = 0 };
    rpt_status_t status;

    CU_ASSERT(rpt_query_open(c, sql, &q) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    limit(LITTLE);
    status = rpt_query_value(q, 0, &v);
    if (status == RPT_OK) {
        CU_ASSERT(v.bytes == LARGE);
    } else {
        CU_ASSERT(status == RPT_ERR_NOMEM && v.size == 0 && v.data == NULL);
        CU_ASSERT(strstr(rpt_last_error()->what, "no memory") != NULL);
    }
    limit(0);
    CU_ASSERT(rpt_query_reset(q) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    CU_ASSERT(rpt_query_value(q, 0, &v) == RPT_OK && v.bytes == LARGE);
    rpt_query_close(q);
    return status == RPT_ERR_NOMEM;
}

static void without_memory_no_value_goes_in_or_out(void)
{
    rpt_view_t *c = open_saved();
    int64_t (*limit)(int64_t) = find_heap_limit();

    if (limit == NULL) {
        rpt_test_skip("this SQLite has no limit, or is inside of this library");
    } else {
        bool text = lacks_memory(c, limit,
                                 "SELECT CAST(zeroblob(52428800) AS TEXT)");
        bool blob = lacks_memory(c, limit,
                                 "SELECT zeroblob(n) FROM (SELECT 52428800 "
                                 "AS n)");

        CU_ASSERT(text || blob);
        bind_large(c, limit);
    }
    rpt_view_close(c);
}

static void statements_have_a_length(void)
{
    rpt_view_t *c = open_saved();
    char *sql = malloc(1000100), *text = malloc((64 << 20) + 2);
    rpt_query_t *q = NULL;

    memset(sql, ' ', 1000099);
    memcpy(sql, "SELECT", 6);
    sql[1000098] = '1';
    sql[1000099] = '\0';
    FAILS(c, sql, RPT_ERR_OVERFLOW, "1000000");
    memset(text, 'x', (64 << 20) + 1);
    text[(64 << 20) + 1] = '\0';
    CU_ASSERT(rpt_query_open(c, "SELECT ?", &q) == RPT_OK);
    CU_ASSERT(rpt_query_bind_text(q, 1, text) == RPT_ERR_OVERFLOW);
    rpt_query_close(q);
    free(sql);
    free(text);
    rpt_view_close(c);
}

static void what_sql_refuses_is_an_error(void)
{
    rpt_view_t *c = open_saved();
    rpt_query_t *q = NULL;

    FAILS(c, "SELECT abs(-9223372036854775807 - 1)", RPT_ERR_INVALID,
          "integer overflow");
    CU_ASSERT(rpt_query_open(c, "SELECT abs(?)", &q) == RPT_OK);
    CU_ASSERT(rpt_query_bind_i64(q, 1, INT64_MIN) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_ERR_INVALID);
    CU_ASSERT(rpt_query_step(q) == RPT_ERR_STATE);
    CU_ASSERT(rpt_query_reset(q) == RPT_OK);
    CU_ASSERT(rpt_query_bind_i64(q, 1, -5) == RPT_OK);
    CU_ASSERT(rpt_query_step(q) == RPT_OK);
    rpt_query_close(q);
    rpt_view_close(c);
}

static void *interrupt(void *catalog)
{
    struct timespec while_it_runs = { 0, 50 * 1000 * 1000 };

    nanosleep(&while_it_runs, NULL);
    rpt_view_interrupt(catalog);
    return NULL;
}

static void a_query_can_be_interrupted(void)
{
    rpt_view_t *c = open_saved();
    pthread_t thread;

    pthread_create(&thread, NULL, interrupt, c);
    FAILS(c, ENDLESS "SELECT count(*) FROM n", RPT_ERR_CANCELLED,
          "interrupted");
    pthread_join(thread, NULL);
    SHOWS(c, "SELECT 1", "1;");
    rpt_view_interrupt(c);
    FAILS(c, "SELECT 1", RPT_ERR_CANCELLED, "interrupted");
    SHOWS(c, "SELECT 1", "1;");
    rpt_view_close(c);
}

const struct rpt_test refusing_tests[] = {
    RPT_TEST(nothing_can_be_written),
    RPT_TEST(one_statement_is_one),
    RPT_TEST(parameters_are_values_and_never_sql),
    RPT_TEST(values_are_bound_and_stay_bound),
    RPT_TEST(bad_arguments_are_refused),
    RPT_TEST(a_query_ends_at_its_deadline),
    RPT_TEST(memory_has_a_limit),
    RPT_TEST(without_memory_no_value_goes_in_or_out),
    RPT_TEST(statements_have_a_length),
    RPT_TEST(what_sql_refuses_is_an_error),
    RPT_TEST(a_query_can_be_interrupted),
    RPT_TEST_END,
};

/* First of all. */
const struct rpt_test opening_tests[] = {
    RPT_TEST(without_sqlite_there_are_no_queries), RPT_TEST_END
};
