/*
 * arrays.c - array() gives the elements that were saved, and reads no more
 */
#include "shown.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void elements_are_those_that_were_saved(void)
{
    rpt_view_t *c = open_saved();

    for (int it = 100; it <= 300; it += 100) {
        char sql[300];

        snprintf(sql, sizeof sql,
                 "SELECT count(*), count(DISTINCT i0 * 100 + i1), sum(value = "
                 "%d * 1e6 + 1000 * i0 + i1), max(i0), max(i1), max(i2) FROM "
                 "array('u', %d)",
                 it, it);
        SHOWS(c, sql, "2400 2400 2400 59 39 NULL;");
    }
    SHOWS(c,
          "SELECT count(*), sum(value = 100 * i0 + 10 * i1 + i2), "
          "count(DISTINCT value) FROM array('flow/w')",
          "540 540 540;");
    SHOWS(c, "SELECT value FROM array('gaps')", "0;2;3;0;0;6;7;0;0;10;11;0;");
    SHOWS(c, "SELECT count(*) FROM array('none')", "0;");
    SHOWS(c, "SELECT count(*) FROM array('empty')", "0;");
    SHOWS(c, "SELECT value FROM array('opaque')",
          "X'616263';X'646566';X'670069';");
    SHOWS(c, "SELECT group_concat(char(value), '') FROM array('pack')",
          "'ABBCCC';");
    SHOWS(c,
          "SELECT i0, value, checkpoint = (SELECT id FROM checkpoints WHERE "
          "iteration = 200), task, name FROM array('repartir/iteration', 200)",
          "NULL 200 1 'heat' 'repartir/iteration';");
    rpt_view_close(c);
}

static void every_type_has_its_values(void)
{
    rpt_view_t *c = open_saved();

    for (const struct saved_type *t = saved_types; t->name != NULL; t++) {
        char sql[200];

        snprintf(sql, sizeof sql,
                 "SELECT value, imag, index_ FROM array('types/%s')", t->name);
        SHOWS(c, sql, t->shown);
    }
    rpt_view_close(c);
}

static rpt_status_t save_triples(rpt_context_t *context, void *user)
{
    size_t n = 400000;
    unsigned char *data = malloc(3 * n);
    rpt_checkpoint_t *c = NULL;

    for (size_t i = 0; i < 3 * n; i++) {
        data[i] = (unsigned char)(i % 251);
    }
    CU_ASSERT(rpt_checkpoint_open(rpt_group_world(context), user, "t", NULL,
                                  &c) == RPT_OK);
    CU_ASSERT(rpt_checkpoint_add_value(c, "triples", RPT_TYPE_OPAQUE(3), n,
                                       data) == RPT_OK);
    CU_ASSERT(rpt_checkpoint_save(c, 1) == RPT_OK);
    rpt_checkpoint_close(c);
    free(data);
    return RPT_OK;
}

/* 2^20 = 3 * 349525 + 1 */
static void an_element_may_lie_in_two_blocks(void)
{
    const char *folder = scratch_make();
    rpt_options_t *options = NULL;
    rpt_view_t *c;

    CU_ASSERT(rpt_options_create(&options) == RPT_OK);
    CU_ASSERT(rpt_local_run(1, options, save_triples,
                            (void *)(uintptr_t)folder) == RPT_OK);
    rpt_options_destroy(options);
    c = open_with(folder, NULL, NULL);
    /* 3 * 349524 % 251 = 145 */
    SHOWS(c,
          "SELECT i0, value FROM array('triples') WHERE i0 BETWEEN 349524 AND "
          "349526",
          "349524 X'919293';349525 X'949596';349526 X'979899';");
    SHOWS(c,
          "SELECT count(*), count(DISTINCT hex(value)) FROM array('triples')",
          "400000 251;");
    rpt_view_close(c);
    scratch_remove(folder);
}

static void a_checkpoint_is_named_by_id_or_iteration(void)
{
    rpt_view_t *c = open_saved();

    SHOWS(c, "SELECT value FROM array('u') WHERE i0 = 0 AND i1 = 0",
          "300000000.0;");
    SHOWS(c, "SELECT value FROM array('u', NULL) WHERE i0 = 0 AND i1 = 0",
          "300000000.0;");
    SHOWS(c, "SELECT value FROM array('u', 100, 'heat') WHERE i0 + i1 = 0",
          "100000000.0;");
    SHOWS(c,
          "SELECT iteration, value FROM checkpoints c, array('u', c.id) a "
          "WHERE i0 = 1 AND i1 = 2 AND c.task = 'heat'",
          "300 300001002.0;200 200001002.0;100 100001002.0;");
    SHOWS(c,
          "SELECT value FROM array WHERE name = 'u' AND checkpoint = 200 AND "
          "i0 = 0 AND i1 = 1",
          "200000001.0;");
    FAILS(c, "SELECT * FROM array('u', 150)", RPT_ERR_NOT_FOUND,
          "iteration 150");
    FAILS(c, "SELECT * FROM array('u', '200')", RPT_ERR_NOT_FOUND,
          "without quotes");
    FAILS(c, "SELECT * FROM array('u', 1.5)", RPT_ERR_INVALID, "iteration");
    FAILS(c, "SELECT * FROM array('u', NULL, 'big')", RPT_ERR_NOT_FOUND,
          "task big");
    FAILS(c, "SELECT * FROM array('u', 'ffffffffffffffff')", RPT_ERR_NOT_FOUND,
          "ffffffffffffffff");
    FAILS(c, "SELECT * FROM array('nope')", RPT_ERR_NOT_FOUND, "\"nope\"");
    FAILS(c, "SELECT * FROM array(NULL)", RPT_ERR_NOT_FOUND, "name");
    FAILS(c, "SELECT * FROM array", RPT_ERR_PARSE, "array('NAME')");
    FAILS(c, "SELECT * FROM array('repartir/time')", RPT_ERR_INVALID,
          "several tasks");
    rpt_view_close(c);
}

/* Against the same conditions on an expression, which nobody can push down. */
static void bounds_change_no_answer(void)
{
    static const char *const conditions[] = {
        "%1$s = 3",
        "%1$s = 3.0",
        "%1$s = 3.5",
        "%1$s < 2",
        "%1$s <= 2.5",
        "%1$s > 4",
        "%1$s >= 3.5",
        "%1$s BETWEEN 1 AND 3",
        "%1$s > 100",
        "%1$s < -1",
        "%1$s = NULL",
        "%1$s > 'a'",
        "%1$s < 'a'",
        "%1$s IN (1, 3, 99)",
        "%1$s = 1 OR %1$s = 4",
        "%1$s > 1e300",
        "%1$s < 1e300",
        "%1$s >= -9223372036854775807 - 1",
        "%1$s < -9223372036854775807 - 1",
        "%1$s > 9223372036854775807",
        "%1$s > 2 AND %1$s < 3",
        "%1$s != 2",
        "%1$s IS NULL",
        "%1$s IS 2"
    };
    rpt_view_t *c = open_saved();

    for (int d = 0; d < 4; d++) {
        for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
            char column[16], hidden[16], a[200], b[200], sql[600], *x, *y;

            snprintf(column, sizeof column, "i%d", d);
            snprintf(hidden, sizeof hidden, "+i%d", d);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(a, sizeof a, conditions[i], column);
            snprintf(b, sizeof b, conditions[i], hidden);
#pragma GCC diagnostic pop
            snprintf(sql, sizeof sql,
                     "SELECT count(*), sum(value) FROM array('flow/w') WHERE "
                     "%s",
                     a);
            x = shown(c, sql, 0);
            snprintf(sql, sizeof sql,
                     "SELECT count(*), sum(value) FROM array('flow/w') WHERE "
                     "%s",
                     b);
            y = shown(c, sql, 0);
            if (strcmp(x, y) != 0) {
                fprintf(stderr, "%s: %s, not %s\n", a, x, y);
            }
            CU_ASSERT_STRING_EQUAL(x, y);
            free(x);
            free(y);
        }
    }
    /* From a formula. */
    SHOWS(c,
          "SELECT sum(value) FROM array('flow/w') WHERE i0 = 5 AND i1 >= 7 AND "
          "i2 < 2",
          "2302;"); /* 570 + 571 + 580 + 581 */
    SHOWS(c, "SELECT value FROM array('repartir/ranks', 300) WHERE i0 = 0", "");
    rpt_view_close(c);
}

/* Bytes that this process has read by system calls; -1: not known here. */
static int64_t bytes_read(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    long long bytes = -1;

    if (file != NULL) {
        if (fscanf(file, "rchar: %lld", &bytes) != 1) {
            bytes = -1;
        }
        fclose(file);
    }
    return bytes;
}

static int64_t cost_of(rpt_view_t *c, const char *sql, const char *text)
{
    int64_t before = bytes_read();

    SHOWS(c, sql, text);
    return bytes_read() - before;
}

static void a_row_is_all_that_is_read(void)
{
    rpt_view_t *c = open_saved();
    int64_t mib = 1 << 20, cost;

    if (bytes_read() < 0) {
        rpt_test_skip("there is no /proc/self/io");
        return;
    }
    /* Manifest and checksums are read and kept. */
    cost = cost_of(c, "SELECT count(*) FROM array('field') WHERE i0 < 100",
                   "102400;");
    CU_ASSERT(cost < 10000);
    /* Row 5 is in the first block of each of the two ranks. */
    cost = cost_of(c,
                   "SELECT count(*), sum(value) FROM array('field') WHERE i0 = "
                   "5",
                   "1024 5766656.0;"); /* 1024 (5 1024 + 1023 / 2) */
    CU_ASSERT(cost >= 2 * mib && cost < 2 * mib + 10000);
    cost = cost_of(c,
                   "SELECT value FROM array('field') WHERE i0 = 700 AND i1 = "
                   "600",
                   "717400.0;");
    CU_ASSERT(cost >= mib && cost < mib + 10000);
    cost = cost_of(c,
                   "SELECT count(value) FROM array('field') WHERE i0 BETWEEN "
                   "250 AND 260 AND i1 < 10",
                   "110;");
    CU_ASSERT(cost >= 2 * mib && cost < 2 * mib + 10000);
    /* All of it, each block once; in order, too. */
    cost = cost_of(c, "SELECT count(value) FROM array('field')", "1048576;");
    CU_ASSERT(cost >= 8 * mib && cost < 8 * mib + 10000);
    cost = cost_of(c,
                   "SELECT count(value) FROM (SELECT value FROM "
                   "array('field') ORDER BY i0, i1)",
                   "1048576;");
    CU_ASSERT(cost >= 8 * mib && cost < 8 * mib + 10000);
    cost = cost_of(c, "SELECT value FROM array('field') LIMIT 1", "0.0;");
    CU_ASSERT(cost >= mib && cost < mib + 10000);
    rpt_view_close(c);
}

/* A million rows for each of a thousand would take minutes. */
static void rows_outside_of_bounds_are_not_visited(void)
{
    rpt_view_t *c = open_with(saved_folder(), "io.query.deadline_s", "20");

    SHOWS(c,
          "WITH RECURSIVE k(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM k "
          "WHERE x < 999) SELECT count(*), sum(i0) FROM k, array('field') "
          "WHERE i0 = x AND i1 > 4 AND i1 <= 6",
          "2000 999000;");
    rpt_view_close(c);
}

static void the_order_of_the_array_needs_no_sorting(void)
{
    rpt_view_t *c = open_saved();
    char *plan, *rows;
    struct {
        const char *sql;
        bool sorts;
    } orders[] = { { "i0", false },         { "i0, i1", false },
                   { "i0, i1, i2", false }, { "i1", true },
                   { "i0 DESC", true },     { "i0, i2", true },
                   { "value", true } };

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        char sql[200];

        snprintf(sql, sizeof sql,
                 "EXPLAIN QUERY PLAN SELECT value FROM array('flow/w') ORDER "
                 "BY %s",
                 orders[i].sql);
        plan = shown(c, sql, 0);
        CU_ASSERT((strstr(plan, "B-TREE") != NULL) == orders[i].sorts);
        free(plan);
    }
    /* Three ranks have columns: 3 rows of 10 each, by turns. */
    rows = shown(c, "SELECT value FROM array('flow/w') ORDER BY i0, i1, i2", 0);
    plan = rows;
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 9; j++) {
            for (int k = 0; k < 10; k++) {
                CU_ASSERT(strtol(plan, &plan, 10) == 100 * i + 10 * j + k);
                plan += *plan == ';';
            }
        }
    }
    CU_ASSERT(*plan == '\0');
    free(rows);
    SHOWS(c,
          "SELECT value FROM array('flow/w') WHERE i1 BETWEEN 2 AND 3 AND i2 = "
          "9 AND i0 < 2 ORDER BY i0, i1",
          "29;39;129;139;");
    rpt_view_close(c);
}

static void a_million_elements_take_little_memory(void)
{
    rpt_view_t *c = open_saved();
    rpt_query_t *query = NULL;
    rpt_value_t value;
    size_t before = rpt_test_heap_bytes(), most = 0, n = 0;
    double sum = 0;

    CU_ASSERT(rpt_query_open(c, "SELECT i0, i1, value FROM array('field')",
                             &query) == RPT_OK);
    while (rpt_query_step(query) == RPT_OK) {
        if (n++ % 50000 == 0) {
            size_t now = rpt_test_heap_bytes();

            most = now > most ? now : most;
        }
        CU_ASSERT(rpt_query_value(query, 2, &value) == RPT_OK);
        sum += value.f64;
    }
    CU_ASSERT(n == 1 << 20);
    CU_ASSERT(sum == 549755289600.0); /* n (n - 1) / 2 */
    CU_ASSERT(most < before + (4 << 20));
    rpt_query_close(query);
    rpt_view_close(c);
}

/* One byte of each of two files. */
static void damage(const char *folder, int64_t offset)
{
    char path[1200], byte = 0;
    int fd;

    snprintf(path, sizeof path, "%s/state.h5",
             committed_path(folder, "big", 0));
    fd = open(path, O_RDWR);
    CU_ASSERT(pread(fd, &byte, 1, offset) == 1);
    byte ^= 4;
    CU_ASSERT(pwrite(fd, &byte, 1, offset) == 1);
    close(fd);
}

static void damage_is_an_error_that_says_where(void)
{
    const char *folder = saved_folder();
    rpt_view_t *c = open_saved();
    int64_t offset = number_of(c, "SELECT offset FROM datasets WHERE name = "
                                  "'field'");
    double last = 1048575;
    char path[1200];
    int fd;

    /* Element (600, 700): row 600 is in block 2 of rank 1. */
    damage(folder, offset + (600 * 1024 + 700) * 8);
    FAILS(c, "SELECT sum(value) FROM array('field')", RPT_ERR_CORRUPT,
          "block 2 of the box at 0,512 of field, written by rank 1");
    FAILS(c, "SELECT value FROM array('field') WHERE i0 = 512 AND i1 = 1023",
          RPT_ERR_CORRUPT, committed_path(folder, "big", 0));
    SHOWS(c, "SELECT count(value) FROM array('field') WHERE i1 < 512",
          "524288;");
    SHOWS(c, "SELECT count(value) FROM array('field') WHERE i0 < 512",
          "524288;");
    SHOWS(c, "SELECT value FROM array('field') WHERE i0 = 1023 AND i1 = 1023",
          "1048575.0;");
    damage(folder, offset + (600 * 1024 + 700) * 8);
    SHOWS(c, "SELECT count(value) FROM array('field')", "1048576;");
    rpt_view_close(c);

    snprintf(path, sizeof path, "%s/state.h5",
             committed_path(folder, "big", 0));
    CU_ASSERT(truncate(path, offset + 8 * 1024 * 1024 - 1) == 0);
    c = open_saved();
    FAILS(c, "SELECT sum(value) FROM array('field')", RPT_ERR_CORRUPT,
          "too short");
    rpt_view_close(c);
    /* The last byte of the last number. */
    fd = open(path, O_WRONLY);
    CU_ASSERT(pwrite(fd, (char *)&last + 7, 1, offset + 8 * 1024 * 1024 - 1) ==
              1);
    close(fd);
}

const struct rpt_test array_tests[] = {
    RPT_TEST(elements_are_those_that_were_saved),
    RPT_TEST(every_type_has_its_values),
    RPT_TEST(an_element_may_lie_in_two_blocks),
    RPT_TEST(a_checkpoint_is_named_by_id_or_iteration),
    RPT_TEST(bounds_change_no_answer),
    RPT_TEST(a_row_is_all_that_is_read),
    RPT_TEST(rows_outside_of_bounds_are_not_visited),
    RPT_TEST(the_order_of_the_array_needs_no_sorting),
    RPT_TEST(a_million_elements_take_little_memory),
    RPT_TEST(damage_is_an_error_that_says_where),
    RPT_TEST_END,
};
