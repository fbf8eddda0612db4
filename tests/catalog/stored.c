/*
 * stored.c - what is in a checkpoint, reading it, comparing two
 */
#include "make.h"
#include "newer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const rpt_stored_dataset_t *dataset(const rpt_stored_t *s,
                                           const char *name)
{
    const rpt_stored_dataset_t *set;

    for (size_t i = 0; rpt_stored_dataset(s, i, &set) == RPT_OK; i++) {
        if (strcmp(set->name, name) == 0) {
            return set;
        }
    }
    CU_FAIL_FATAL("no such dataset");
    return NULL;
}

static void close_both(rpt_stored_t *s, rpt_catalog_t *c)
{
    rpt_stored_close(s);
    rpt_catalog_close(c);
}

static void datasets_and_boxes_say_who_wrote_what(void)
{
    rpt_catalog_t *c;
    rpt_stored_t *s;
    const rpt_stored_dataset_t *u, *set;
    const rpt_stored_box_t *box;
    uint64_t bytes = 0;
    bool is_seen[2] = { false, false };
    size_t n = 0;

    folder_begin();
    save_in_folder("t", 1);
    s = stored_of("t", NULL, &c);
    rpt_catalog_close(c); /* which it does not need */
    u = dataset(s, "flow/u");
    CU_ASSERT_EQUAL(u->size, sizeof *u);
    CU_ASSERT_EQUAL(u->kind, RPT_STORED_ARRAY);
    CU_ASSERT_EQUAL(u->type, RPT_TYPE_F64);
    CU_ASSERT_TRUE(u->n_dims == 2 && u->dims[0] == ROWS &&
                   u->dims[1] == COLUMNS);
    CU_ASSERT_EQUAL(u->bytes, ROWS * COLUMNS * 8);
    CU_ASSERT_TRUE(u->n_boxes == 2 && u->n_blocks == 2);
    CU_ASSERT_EQUAL(u->block_bytes, 1048576);
    set = dataset(s, "time");
    CU_ASSERT_TRUE(set->kind == RPT_STORED_VALUE && set->n_dims == 0);
    set = dataset(s, "bytes");
    CU_ASSERT_TRUE(set->kind == RPT_STORED_BLOB && set->bytes == 10);
    set = dataset(s, "empty");
    CU_ASSERT_TRUE(set->bytes == 0 && set->n_dims == 1 && set->n_blocks == 0);
    for (; rpt_stored_box(s, n, &box) == RPT_OK; n++) {
        CU_ASSERT_EQUAL(box->size, sizeof *box);
        bytes += box->bytes;
        if (box->dataset == SIZE_MAX) {
            CU_ASSERT_EQUAL(box->n_dims, 1);
            continue;
        }
        WORKS(rpt_stored_dataset(s, box->dataset, &set));
        if (set == u) {
            CU_ASSERT_TRUE_FATAL(box->writer_rank >= 0 && box->writer_rank < 2);
            is_seen[box->writer_rank] = true;
            CU_ASSERT_EQUAL(box->start[0], 2 * (uint64_t)box->writer_rank);
            CU_ASSERT_TRUE(box->count[0] == 2 && box->count[1] == COLUMNS);
            CU_ASSERT_EQUAL(box->n_blocks, 1);
        }
    }
    CU_ASSERT_TRUE(is_seen[0] && is_seen[1]);
    /* Together they are the file. */
    shell("[ $(stat -c %%s %s/state.h5) = %llu ]", path_of("t", NULL),
          (unsigned long long)bytes);
    CU_ASSERT_EQUAL(rpt_stored_box(s, n, &box), RPT_END);
    CU_ASSERT_EQUAL(rpt_stored_dataset(s, 9, &set), RPT_END);
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_box(NULL, 0, &box));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_box(s, 0, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_dataset(NULL, 0, &set));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_dataset(s, 0, NULL));
    CU_ASSERT_STRING_EQUAL(rpt_stored_kind_name(RPT_STORED_BLOB), "blob");
    CU_ASSERT_STRING_EQUAL(rpt_stored_kind_name((rpt_stored_kind_t)7), "?");
    rpt_stored_close(s);
    rpt_stored_close(NULL);
    folder_end();
}

static void what_cannot_be_opened_is_said(void)
{
    rpt_catalog_t *c;
    const rpt_catalog_entry_t *e;
    rpt_stored_t *s = NULL;

    folder_begin();
    save_in_folder("t", 4);
    flip(path_of("t", "4"), "blocks.xxh", 60);
    CU_ASSERT(
        make_newer(in_folder("%s/MANIFEST.json", path_of("t", "3"))));
    shell("mv %s ck/t/.tmp-$(basename %s | cut -d- -f3)", path_of("t", "2"),
          path_of("t", "2"));
    c = catalog_of("ck");
    WORKS(rpt_catalog_find(c, NULL, "4", &e));
    FAILS(RPT_ERR_CORRUPT, "blocks.xxh", rpt_stored_open(c, e, &s));
    WORKS(rpt_catalog_find(c, NULL, "3", &e));
    FAILS(RPT_ERR_VERSION, "newer", rpt_stored_open(c, e, &s));
    WORKS(rpt_catalog_entry(c, 3, &e));
    FAILS(RPT_ERR_STATE, "not committed", rpt_stored_open(c, e, &s));
    WORKS(rpt_catalog_find(c, NULL, "1", &e));
    shell("rm -r %s", path_of("t", "1"));
    FAILS(RPT_ERR_NOT_FOUND, "is gone", rpt_stored_open(c, e, &s));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_open(c, NULL, &s));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_open(NULL, e, &s));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_open(c, e, NULL));
    CU_ASSERT_PTR_NULL(s);
    rpt_catalog_close(c);
    folder_end();
}

static void parts_of_datasets_are_read(void)
{
    static const uint64_t start[] = { 1, 3 }, count[] = { 2, 4 };
    static const uint64_t none[] = { 2, 0 }, far[] = { 1, 11 };
    static const uint64_t past[] = { 5, 0 }, wrap[] = { UINT64_MAX, 1 };
    rpt_catalog_t *c;
    rpt_stored_t *s;
    double all[ROWS * COLUMNS], part[8], time = 0;
    float z[4];

    folder_begin();
    save_in_folder("t", 3);
    s = stored_of("t", "3", &c);
    WORKS(rpt_stored_read(s, "flow/u", NULL, NULL, all, sizeof all));
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        CU_ASSERT_EQUAL(all[i], 3000 + i);
    }
    WORKS(rpt_stored_read(s, "flow/u", start, count, part, sizeof part));
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(part[i], 3000 + 10 * (1 + i / 4) + 3 + i % 4);
    }
    WORKS(rpt_stored_read(s, "flow/u", (uint64_t[]){ 3, 4 }, NULL, part, 48));
    CU_ASSERT_TRUE(part[0] == 3034 && part[5] == 3039);
    WORKS(rpt_stored_read(s, "flow/u", start, none, NULL, 0));
    WORKS(rpt_stored_read(s, "time", past, far, &time, sizeof time));
    CU_ASSERT_EQUAL(time, 0.75);
    WORKS(rpt_stored_read(s, "z", NULL, NULL, z, sizeof z));
    CU_ASSERT_TRUE(z[0] == 3 && z[3] == 6);
    WORKS(rpt_stored_read(s, "empty", NULL, NULL, NULL, 0));
    FAILS(RPT_ERR_INVALID, "dimension 1",
          rpt_stored_read(s, "flow/u", NULL, far, all, sizeof all));
    FAILS(RPT_ERR_INVALID, "dimension 0",
          rpt_stored_read(s, "flow/u", past, NULL, all, sizeof all));
    FAILS(RPT_ERR_INVALID, "dimension 0",
          rpt_stored_read(s, "flow/u", start, wrap, all, sizeof all));
    FAILS(RPT_ERR_OVERFLOW, "320",
          rpt_stored_read(s, "flow/u", NULL, NULL, all, sizeof all - 1));
    FAILS(RPT_ERR_NOT_FOUND, "\"v\"",
          rpt_stored_read(s, "v", NULL, NULL, all, sizeof all));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_stored_read(s, NULL, NULL, NULL, all, sizeof all));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_stored_read(s, "time", NULL, NULL, NULL, 8));
    close_both(s, c);
    s = stored_of("t", "2", &c);
    shell("truncate -s -1 %s/state.h5", path_of("t", "2"));
    FAILS(RPT_ERR_CORRUPT, "bytes",
          rpt_stored_read(s, "time", NULL, NULL, &time, sizeof time));
    close_both(s, c);
    s = stored_of("t", "1", &c);
    shell("rm -r %s", path_of("t", "1"));
    FAILS(RPT_ERR_NOT_FOUND, "is gone",
          rpt_stored_read(s, "time", NULL, NULL, &time, sizeof time));
    close_both(s, c);
    folder_end();
}

/* ---- two ---- */

static const rpt_difference_t *difference(const rpt_difference_t list[],
                                          size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    CU_FAIL_FATAL("no such dataset");
    return NULL;
}

static void differences_are_counted(void)
{
    rpt_catalog_t *c, *d;
    rpt_stored_t *a, *b;
    rpt_difference_t *list = NULL;
    const rpt_difference_t *x;
    size_t n = 0;

    folder_begin();
    save_in_folder("t", 2);
    a = stored_of("t", "1", &c);
    b = stored_of("t", "2", &d);
    WORKS(rpt_stored_diff(a, b, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(n, 9);
    x = difference(list, n, "flow/u");
    CU_ASSERT_EQUAL(x->kind, RPT_DIFFERENCE_VALUES);
    CU_ASSERT_TRUE(x->n_elements == 40 && x->n_different == 40);
    CU_ASSERT_TRUE(x->first_different == 0 && x->most == 1000);
    x = difference(list, n, "repartir/ranks");
    CU_ASSERT_EQUAL(x->kind, RPT_DIFFERENCE_NONE);
    x = difference(list, n, "z");
    CU_ASSERT_TRUE(x->n_elements == 2 && x->n_different == 2 && x->most == 1);
    CU_ASSERT_EQUAL(difference(list, n, "bytes")->kind, RPT_DIFFERENCE_NONE);
    free(list);
    /* 1000 + i and 2000 + i: apart by less than half of the greater one from
     * i = 1 on, just half at 0. */
    WORKS(rpt_stored_diff(a, b, 0, 0.499999, &list, &n));
    x = difference(list, n, "flow/u");
    CU_ASSERT_TRUE(x->n_different == 1 && x->first_different == 0);
    free(list);
    WORKS(rpt_stored_diff(a, b, 1000, 0, &list, &n));
    x = difference(list, n, "flow/u");
    CU_ASSERT_TRUE(x->kind == RPT_DIFFERENCE_NONE && x->most == 1000);
    free(list);
    WORKS(rpt_stored_diff(a, a, 0, 0, &list, &n));
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(list[i].kind, RPT_DIFFERENCE_NONE);
    }
    free(list);
    FAILS(RPT_ERR_INVALID, "0 or more",
          rpt_stored_diff(a, b, -1, 0, &list, &n));
    FAILS(RPT_ERR_INVALID, "0 or more",
          rpt_stored_diff(a, b, 0, (double)NAN, &list, &n));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_diff(a, NULL, 0, 0, &list, &n));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_diff(a, b, 0, 0, NULL, &n));
    close_both(a, c);
    close_both(b, d);
    a = stored_of("t", "1", &c);
    b = stored_of("t", "2", &d);
    shell("truncate -s 100 %s/state.h5", path_of("t", "2"));
    FAILS(RPT_ERR_CORRUPT, "100 bytes", rpt_stored_diff(a, b, 0, 0, &list, &n));
    close_both(a, c);
    a = stored_of("t", "1", &c);
    shell("rm -r %s", path_of("t", "1"));
    FAILS(RPT_ERR_NOT_FOUND, "is gone", rpt_stored_diff(a, b, 0, 0, &list, &n));
    close_both(a, c);
    close_both(b, d);
    folder_end();
}

/* Puts a number where u[at] is. */
static void put(const char *path, size_t at, double value)
{
    rpt_catalog_t *c;
    rpt_stored_t *s = stored_of("t", "1", &c);
    FILE *file = fopen(in_folder("%s/state.h5", path), "r+");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, (long)(dataset(s, "flow/u")->offset + 8 * at), SEEK_SET);
    fwrite(&value, sizeof value, 1, file);
    fclose(file);
    close_both(s, c);
}

static void numbers_that_are_none_are_compared_too(void)
{
    struct saving other;
    rpt_catalog_t *c, *d;
    rpt_stored_t *a, *b;
    rpt_difference_t *list = NULL;
    const rpt_difference_t *x;
    size_t n = 0;

    folder_begin();
    save_in_folder("t", 1);
    other = (struct saving){
        .directory = in_folder("ck"), .task = "other", .n = 1, .has_more = true
    };
    CU_ASSERT_TRUE(save(1, &other));
    put(path_of("t", "1"), 5, (double)NAN);
    put(path_of("other", "1"), 5, -(double)NAN);
    put(path_of("t", "1"), 7, 0.0);
    put(path_of("other", "1"), 7, -0.0);
    a = stored_of("t", "1", &c);
    b = stored_of("other", "1", &d);
    WORKS(rpt_stored_diff(a, b, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(n, 10);
    CU_ASSERT_EQUAL(difference(list, n, "flow/u")->kind, RPT_DIFFERENCE_NONE);
    CU_ASSERT_EQUAL(difference(list, n, "bytes")->kind, RPT_DIFFERENCE_SHAPE);
    CU_ASSERT_EQUAL(difference(list, n, "more")->kind, RPT_DIFFERENCE_SECOND);
    free(list);
    WORKS(rpt_stored_diff(b, a, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(difference(list, n, "more")->kind, RPT_DIFFERENCE_FIRST);
    free(list);
    put(path_of("other", "1"), 6, (double)INFINITY);
    put(path_of("other", "1"), 5, 1);
    WORKS(rpt_stored_diff(a, b, 1e300, 1, &list, &n));
    x = difference(list, n, "flow/u");
    CU_ASSERT_TRUE(x->n_different == 2 && x->first_different == 5);
    CU_ASSERT_TRUE(isnan(x->most));
    free(list);
    CU_ASSERT_STRING_EQUAL(rpt_difference_kind_name(RPT_DIFFERENCE_SECOND),
                           "only-second");
    CU_ASSERT_STRING_EQUAL(rpt_difference_kind_name((rpt_difference_kind_t)-1),
                           "?");
    close_both(a, c);
    close_both(b, d);
    folder_end();
}

static const rpt_stored_file_t *file_of(const rpt_stored_t *s, size_t i)
{
    const rpt_stored_file_t *file = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_stored_file(s, i, &file), RPT_OK);
    return file;
}

static void files_of_the_program_are_listed(void)
{
    struct saving saving = { .task = "t", .n = 1, .has_files = true };
    rpt_catalog_t *c;
    rpt_stored_t *s;
    const rpt_stored_file_t *file;
    const rpt_catalog_task_t *task;
    const rpt_catalog_entry_t *e;
    XXH128_hash_t digest = XXH3_128bits("1 of 0\n", 7);
    char text[33];

    folder_begin();
    saving.directory = in_folder("ck");
    CU_ASSERT_TRUE(save(2, &saving));
    s = stored_of("t", NULL, &c);
    file = file_of(s, 0);
    CU_ASSERT_EQUAL(file->size, sizeof *file);
    CU_ASSERT_STRING_EQUAL(file->name, "part/0");
    CU_ASSERT_TRUE(file->writer_rank == 0 && file->bytes == 7);
    snprintf(text, sizeof text, "%016llx%016llx",
             (unsigned long long)digest.high64,
             (unsigned long long)digest.low64);
    CU_ASSERT_STRING_EQUAL(file->xxh3, text);
    CU_ASSERT_STRING_EQUAL(file_of(s, 1)->name, "same");
    CU_ASSERT_EQUAL(file_of(s, 1)->bytes, 5);
    CU_ASSERT_STRING_EQUAL(file_of(s, 2)->name, "part/1");
    CU_ASSERT_EQUAL(file_of(s, 2)->writer_rank, 1);
    CU_ASSERT_EQUAL(rpt_stored_file(s, 3, &file), RPT_END);
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_file(NULL, 0, &file));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_stored_file(s, 0, NULL));
    WORKS(rpt_catalog_entry(c, 0, &e));
    CU_ASSERT_EQUAL(e->n_files, 3);
    /* Of all that is there; also of one without a manifest, where it is seen
     * on the disk only. */
    shell("find ck/t/it-* -type f -printf '%%s\n' | awk '{ n += $1 } "
          "END { exit n != %d }'",
          (int)e->bytes);
    WORKS(rpt_catalog_task(c, 0, &task));
    CU_ASSERT_EQUAL(task->bytes, e->bytes);
    close_both(s, c);
    shell("mv ck/t/it-* ck/t/.bad-0123456789abcdef && "
          "rm ck/t/.bad-*/MANIFEST.json");
    c = catalog_of("ck");
    WORKS(rpt_catalog_entry(c, 0, &e));
    CU_ASSERT_EQUAL(e->n_files, 0);
    shell("find ck/t/.bad-* -type f -printf '%%s\n' | awk '{ n += $1 } "
          "END { exit n != %d }'",
          (int)e->bytes);
    rpt_catalog_close(c);
    folder_end();
}

static void files_of_the_program_are_compared(void)
{
    struct saving saving = { .task = "t", .n = 2, .has_files = true };
    rpt_catalog_t *c, *d;
    rpt_stored_t *a, *b;
    rpt_difference_t *list = NULL;
    size_t n = 0;

    folder_begin();
    saving.directory = in_folder("ck");
    CU_ASSERT_TRUE(save(2, &saving));
    saving.task = "one";
    saving.n = 1;
    CU_ASSERT_TRUE(save(1, &saving));
    a = stored_of("t", "1", &c);
    b = stored_of("t", "2", &d);
    WORKS(rpt_stored_diff(a, b, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(difference(list, n, "files/same")->kind,
                    RPT_DIFFERENCE_NONE);
    CU_ASSERT_EQUAL(difference(list, n, "files/same")->is_file, 1);
    CU_ASSERT_EQUAL(difference(list, n, "files/part/0")->kind,
                    RPT_DIFFERENCE_VALUES);
    CU_ASSERT_EQUAL(difference(list, n, "files/part/1")->n_elements, 0);
    CU_ASSERT_EQUAL(difference(list, n, "flow/u")->is_file, 0);
    free(list);
    close_both(b, d);
    b = stored_of("one", "1", &d);
    WORKS(rpt_stored_diff(a, b, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(difference(list, n, "files/part/0")->kind,
                    RPT_DIFFERENCE_NONE);
    CU_ASSERT_EQUAL(difference(list, n, "files/part/1")->kind,
                    RPT_DIFFERENCE_FIRST);
    free(list);
    WORKS(rpt_stored_diff(b, a, 0, 0, &list, &n));
    CU_ASSERT_EQUAL(difference(list, n, "files/part/1")->kind,
                    RPT_DIFFERENCE_SECOND);
    free(list);
    close_both(a, c);
    close_both(b, d);
    folder_end();
}

const struct rpt_test stored_tests[] = {
    RPT_TEST(files_of_the_program_are_listed),
    RPT_TEST(files_of_the_program_are_compared),
    RPT_TEST(datasets_and_boxes_say_who_wrote_what),
    RPT_TEST(what_cannot_be_opened_is_said),
    RPT_TEST(parts_of_datasets_are_read),
    RPT_TEST(differences_are_counted),
    RPT_TEST(numbers_that_are_none_are_compared_too),
    RPT_TEST_END,
};
