/*
 * refusing.c - arguments, names and directories that are not possible
 */
#include "state.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void open_badly(struct world *w)
{
    rpt_checkpoint_t *c = NULL;
    char path[512];
    char deep[300];

    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_checkpoint_open(NULL, w->folder, "t", NULL, &c));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_checkpoint_open(w->group, w->folder, "t", NULL, NULL));
    FAILS(RPT_ERR_INVALID, "no name",
          rpt_checkpoint_open(w->group, NULL, "t", NULL, &c));
    FAILS(RPT_ERR_INVALID, "1 to 100",
          rpt_checkpoint_open(w->group, w->folder, NULL, NULL, &c));
    FAILS(RPT_ERR_INVALID, "1 to 100",
          rpt_checkpoint_open(w->group, w->folder, "", NULL, &c));
    FAILS(RPT_ERR_INVALID, "stops the jobs",
          rpt_checkpoint_open(w->group, w->folder, "HALT", NULL, &c));
    FAILS(RPT_ERR_INVALID, "dot",
          rpt_checkpoint_open(w->group, w->folder, "..", NULL, &c));
    FAILS(RPT_ERR_INVALID, "letters",
          rpt_checkpoint_open(w->group, w->folder, "a/../b", NULL, &c));
    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    FAILS(RPT_ERR_INVALID, "1 to 100",
          rpt_checkpoint_open(w->group, w->folder, deep, NULL, &c));
    FAILS(RPT_ERR_IO, "/dev/null",
          rpt_checkpoint_open(w->group, "/dev/null/x", "t", NULL, &c));
    FAILS(RPT_ERR_IO, "/proc",
          rpt_checkpoint_open(w->group, "/proc/repartir", "t", NULL, &c));
    snprintf(path, sizeof path, "%s/a/b/c", w->folder);
    WORKS(rpt_checkpoint_open(w->group, path, "t", NULL, &c)); /* made */
    rpt_checkpoint_close(c);
    rpt_checkpoint_close(NULL);
}

static void a_bad_name_or_directory_is_refused(void)
{
    on_all(1, NULL, open_badly);
}

static void open_differently(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    FAILS(RPT_ERR_MISMATCH, "directories or tasks",
          rpt_checkpoint_open(w->group, w->folder, w->rank == 1 ? "a" : "b",
                              NULL, &c));
    if (w->rank == 1) {
        rpt_options_t *options = options_with("io.checkpoint.keep=7");

        FAILS(RPT_ERR_MISMATCH, "options of io.checkpoint",
              rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
        rpt_options_destroy(options);
    } else {
        FAILS(RPT_ERR_MISMATCH, "options of io.checkpoint",
              rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    }
    /* One rank's argument is all ranks' error. */
    FAILS(RPT_ERR_INVALID, "letters",
          rpt_checkpoint_open(w->group, w->folder,
                              w->rank == w->size - 1 ? "a b" : "ab", NULL, &c));
}

static void ranks_open_the_same(void)
{
    on_all(2, NULL, open_differently);
}

static void open_twice(struct world *w)
{
    rpt_checkpoint_t *c = NULL, *again = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    FAILS(RPT_ERR_BUSY, "process",
          rpt_checkpoint_open(w->group, w->folder, "t", NULL, &again));
    WORKS(rpt_checkpoint_open(w->group, w->folder, "other", NULL, &again));
    rpt_checkpoint_close(again);
    rpt_checkpoint_close(c);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    rpt_checkpoint_close(c);
}

static void one_job_writes_a_task(void)
{
    on_all(1, NULL, open_twice);
}

/* ---- folders that others may have made ---- */

static void open_tricks(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    if (w->rank == 0) {
        CHECK(mkdir(path_of(w, "open", NULL), 0700) == 0);
        CHECK(chmod(path_of(w, "open", NULL), 0777) == 0);
        CHECK(symlink("open", path_of(w, "link", NULL)) == 0);
        CHECK(mkfifo(path_of(w, "pipe", NULL), 0600) == 0);
        CHECK(mkdir(path_of(w, "foreign", NULL), 0700) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_INVALID, "everybody",
          rpt_checkpoint_open(w->group, w->folder, "open", NULL, &c));
    FAILS(RPT_ERR_INVALID, "sticky",
          rpt_checkpoint_open(w->group, path_of(w, "open", NULL), "t", NULL,
                              &c));
    FAILS(RPT_ERR_INVALID, "link",
          rpt_checkpoint_open(w->group, w->folder, "link", NULL, &c));
    FAILS(RPT_ERR_INVALID, "no folder",
          rpt_checkpoint_open(w->group, w->folder, "pipe", NULL, &c));
    if (geteuid() != 0) {
        return;
    }
    meet(w);
    if (w->rank == 0) {
        CHECK(chown(path_of(w, "foreign", NULL), 65534, 65534) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_INVALID, "another user",
          rpt_checkpoint_open(w->group, w->folder, "foreign", NULL, &c));
}

static void folders_of_others_are_refused(void)
{
    on_all(1, NULL, open_tricks);
}

/* ---- items ---- */

static rpt_status_t add(rpt_checkpoint_t *c, const char *name, uint64_t dim,
                        uint64_t start, uint64_t count, uint64_t memory,
                        uint64_t memory_start, void *data)
{
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = name,
                                 .type = RPT_TYPE_F64,
                                 .n_dims = 1,
                                 .dims = { dim },
                                 .start = { start },
                                 .count = { count },
                                 .memory_dims = { memory },
                                 .memory_start = { memory_start },
                                 .data = data };

    return rpt_checkpoint_add_array(c, &a);
}

static rpt_status_t nothing(void *user, uint64_t *bytes_out)
{
    (void)user;
    *bytes_out = 0;
    return RPT_OK;
}

static rpt_status_t pack_nothing(void *user, void *bytes, uint64_t n_bytes)
{
    (void)user;
    (void)bytes;
    return n_bytes == 0 ? RPT_OK : RPT_ERR_INVALID;
}

static rpt_status_t unpack_nothing(void *user, const void *bytes,
                                   uint64_t n_bytes, int from, int n_from)
{
    (void)user;
    (void)bytes;
    return n_bytes == 0 && from < n_from ? RPT_OK : RPT_ERR_INVALID;
}

static void add_badly(struct world *w)
{
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_array_t none = { .size = 8, .name = "x" };
    rpt_checkpoint_blob_t blob = { .size = sizeof blob, .name = "b" };
    double data[10] = { 0 };
    char long_name[300];

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_add_array(NULL, &none));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_add_array(c, NULL));
    FAILS(RPT_ERR_INVALID, "sizeof", rpt_checkpoint_add_array(c, &none));
    FAILS(RPT_ERR_INVALID, "in the array", add(c, "a", 10, 5, 6, 0, 0, data));
    FAILS(RPT_ERR_INVALID, "in the array",
          add(c, "a", 10, UINT64_MAX, 2, 0, 0, data));
    FAILS(RPT_ERR_INVALID, "in the memory", add(c, "a", 10, 0, 5, 4, 0, data));
    FAILS(RPT_ERR_INVALID, "in the memory", add(c, "a", 10, 0, 5, 8, 4, data));
    FAILS(RPT_ERR_INVALID, "data is NULL", add(c, "a", 10, 0, 5, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "more bytes than",
          add(c, "a", UINT64_MAX, 0, 5, 0, 0, data));
    WORKS(add(c, "a", 10, 5, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "no name", add(c, NULL, 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "no name", add(c, "", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "path", add(c, "/a", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "path", add(c, "a//b", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "path", add(c, "q/../b", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "path", add(c, "q/", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "control", add(c, "q\n", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "UTF-8", add(c, "q\xff", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "UTF-8", add(c, "\xc3", 10, 0, 0, 0, 0, NULL));
    WORKS(add(c, "\xc3\xa9t\xc3\xa9", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "part of its path",
          add(c, "a/b", 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "library's",
          add(c, "repartir/time", 10, 0, 0, 0, 0, NULL));
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    FAILS(RPT_ERR_INVALID, "255", add(c, long_name, 10, 0, 0, 0, 0, NULL));
    FAILS(RPT_ERR_INVALID, "no such type",
          rpt_checkpoint_add_value(c, "v", (rpt_type_t)77, 1, data));
    FAILS(RPT_ERR_INVALID, "data is NULL",
          rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, 1, NULL));
    FAILS(RPT_ERR_INVALID, "more bytes",
          rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, SIZE_MAX / 2, data));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_add_blob(c, &blob));
    blob.measure = nothing;
    blob.size = 3;
    FAILS(RPT_ERR_INVALID, "sizeof", rpt_checkpoint_add_blob(c, &blob));
    blob.size = sizeof blob;
    blob.pack = pack_nothing;
    blob.unpack = unpack_nothing;
    blob.name = long_name;
    long_name[240] = '\0';
    FAILS(RPT_ERR_INVALID, "239", rpt_checkpoint_add_blob(c, &blob));
    long_name[239] = '\0';
    WORKS(rpt_checkpoint_add_blob(c, &blob));
    WORKS(rpt_checkpoint_save(c, 1));
    FAILS(RPT_ERR_NOT_FOUND, "no item",
          rpt_checkpoint_set_text(c, "zz", "units", "m"));
    FAILS(RPT_ERR_INVALID, "name and a value",
          rpt_checkpoint_set_text(c, "a", NULL, "m"));
    FAILS(RPT_ERR_INVALID, "name and a value",
          rpt_checkpoint_set_text(c, "a", "units", NULL));
    FAILS(RPT_ERR_INVALID, "UTF-8",
          rpt_checkpoint_set_text(c, "a", "units", "m\xc3"));
    FAILS(RPT_ERR_INVALID, "UTF-8",
          rpt_checkpoint_set_text(c, "a", "\xff", "m"));
    FAILS(RPT_ERR_INVALID, "60000",
          rpt_checkpoint_set_attribute(c, "a", "n", RPT_TYPE_F64, 0, data));
    FAILS(RPT_ERR_INVALID, "60000",
          rpt_checkpoint_set_attribute(c, "a", "n", RPT_TYPE_F64, 9000, data));
    rpt_checkpoint_close(c);
}

static void an_item_that_is_not_possible_is_refused(void)
{
    on_all(1, NULL, add_badly);
}

/* ---- saves ---- */

static void overlap(struct world *w)
{
    double data[10] = { 0 };
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    WORKS(add(c, "a", 10, w->rank > 0, 3, 0, 0, data));
    FAILS(RPT_ERR_INVALID, "overlap", rpt_checkpoint_save(c, 1));
    WORKS(add(c, "a", 10, w->rank == 0 ? 0 : 10, w->rank == 0 ? 3 : 0, 0, 0,
              data));
    WORKS(rpt_checkpoint_save(c, 1));
    FAILS(RPT_ERR_MISMATCH, "iterations",
          rpt_checkpoint_save(c, (uint64_t)(w->rank + 2)));
    FAILS(RPT_ERR_OVERFLOW, "9223372036854775808",
          rpt_checkpoint_save(c, (uint64_t)INT64_MAX + 1));
    WORKS(rpt_checkpoint_save(c, 5));
    FAILS(RPT_ERR_EXISTS, "never be restored", rpt_checkpoint_save(c, 4));
    WORKS(rpt_checkpoint_save(c, 5));
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "t", ".tmp-") == 0);
}

static void a_save_that_makes_no_sense_fails_on_all_ranks(void)
{
    on_all(2, NULL, overlap);
}

/* A blob that one rank cannot pack: no checkpoint, on all ranks; the next save
 * is good. */
static void fail_to_pack(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_stats_t stats;

    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 1);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    state_add(&state, c);
    WORKS(rpt_checkpoint_save(c, 1));
    state.seed = w->rank == w->size - 1 ? -1 : 1;
    FAILS(RPT_ERR_CANCELLED, "pack() returned", rpt_checkpoint_save(c, 2));
    WORKS(rpt_checkpoint_save_async(c, 3));
    FAILS(RPT_ERR_CANCELLED, "pack() returned", rpt_checkpoint_wait(c));
    CHECK(rpt_checkpoint_wait(c) == RPT_OK); /* it is told once */
    meet(w);
    CHECK(count_names(w, "t", ".tmp-") == 0);
    CHECK(count_names(w, "t", "it-") == 1);
    meet(w);
    state.seed = 1;
    WORKS(rpt_checkpoint_save(c, 4));
    WORKS(rpt_checkpoint_stats(c, &stats));
    CHECK(stats.n_saves == 2 && stats.n_failures == 2);
    rpt_checkpoint_close(c);
    state_free(&state);
}

static void what_fails_on_one_rank_fails_on_all(void)
{
    on_all(1, NULL, fail_to_pack);
}

static void save_unsupported(struct world *w)
{
    rpt_options_t *options = options_with("io.checkpoint.engine=fast");
    rpt_checkpoint_t *c = NULL;
    double value = 1;

    FAILS(RPT_ERR_INVALID, "direct, collective",
          rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
    WORKS(rpt_options_set(options, "io.checkpoint.engine", "collective"));
    WORKS(rpt_options_set(options, "io.checkpoint.compress", "zstd"));
    FAILS(RPT_ERR_INVALID, "none, deflate",
          rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
    WORKS(rpt_options_set(options, "io.checkpoint.compress", "none"));
    if (!over_mpi) {
        WORKS(rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
        WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_F64, 1, &value));
        FAILS(RPT_ERR_UNSUPPORTED, "direct", rpt_checkpoint_save(c, 1));
        rpt_checkpoint_close(c);
    }
    rpt_options_destroy(options);
}

/* The options are found bad when all else is done. */
static void open_in_vain(struct world *w)
{
    rpt_options_t *options = options_with("io.checkpoint.local_copy=many");
    rpt_checkpoint_t *c = NULL;
    char line[1024];

    WORKS(rpt_options_set(options, "io.checkpoint.local_dir",
                          path_of(w, "node", NULL)));
    FAILS(RPT_ERR_INVALID, "partner",
          rpt_checkpoint_open(w->group, w->folder, "t", options, &c));
    rpt_options_destroy(options);
    meet(w);
    snprintf(line, sizeof line, "! grep -s open %s/t/events.jsonl", w->folder);
    CHECK(w->rank > 0 || system(line) == 0);
}

static void what_cannot_be_opened_is_no_job_that_failed(void)
{
    on_all(1, NULL, open_in_vain);
}

static void an_engine_that_cannot_be_used_is_an_error(void)
{
    on_all(1, NULL, save_unsupported);
}

const struct rpt_test refusing_tests[] = {
    RPT_TEST(a_bad_name_or_directory_is_refused),
    RPT_TEST(ranks_open_the_same),
    RPT_TEST(one_job_writes_a_task),
    RPT_TEST(folders_of_others_are_refused),
    RPT_TEST(an_item_that_is_not_possible_is_refused),
    RPT_TEST(a_save_that_makes_no_sense_fails_on_all_ranks),
    RPT_TEST(what_fails_on_one_rank_fails_on_all),
    RPT_TEST(an_engine_that_cannot_be_used_is_an_error),
    RPT_TEST(what_cannot_be_opened_is_no_job_that_failed),
    RPT_TEST_END,
};
