/*
 * refusing.c - what is not exported, and that nothing is left of it
 *
 * fsync() of the library goes through a function here, which fails on one rank.
 */
#include "logged.h"
#include "newer.h"
#include "tables.h"

#include "base/error.h"
#include "io/export/export_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags);

static volatile int failing_rank = -1;
static volatile bool cannot_exchange;

int __wrap_fsync(int fd)
{
    if (failing_rank >= 0 && rpt__identity() == failing_rank) {
        errno = ENOSPC;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                     unsigned flags)
{
    if (cannot_exchange) {
        errno = EINVAL;
        return -1;
    }
    return __real_renameat2(from_dir, from, to_dir, to, flags);
}

static const char *const only_time[] = { "time", NULL };

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static rpt_status_t try_to(struct world *w, const rpt_export_config_t *config)
{
    return rpt_checkpoint_export(w->group, w->folder, "t", config, NULL);
}

/* ---- arguments ---- */

static void give_bad_arguments(struct world *w)
{
    static const char *const unknown[] = { "nobody", NULL };
    rpt_export_config_t good = config_to(path_of(w, "out", NULL)), bad;

    make_checkpoint(w, "t", 3);
    bad = good;
    bad.size = 8;
    FAILS(RPT_ERR_INVALID, "sizeof", try_to(w, &bad));
    bad = good;
    bad.output = NULL;
    FAILS(RPT_ERR_INVALID, "the output has no name", try_to(w, &bad));
    bad = good;
    bad.output = "/";
    FAILS(RPT_ERR_INVALID, "name a folder", try_to(w, &bad));
    bad = good;
    bad.level = 23;
    FAILS(RPT_ERR_INVALID, "a level is", try_to(w, &bad));
    bad = good;
    bad.keepbits = 53;
    FAILS(RPT_ERR_INVALID, "keepbits is", try_to(w, &bad));
    bad = good;
    bad.flags = 1 << 20;
    FAILS(RPT_ERR_INVALID, "mean nothing", try_to(w, &bad));
    bad = good;
    bad.names = unknown;
    FAILS(RPT_ERR_NOT_FOUND, "there is no \"nobody\"", try_to(w, &bad));
    bad = good;
    bad.checkpoint = "4";
    FAILS(RPT_ERR_NOT_FOUND, "there is no checkpoint \"4\"", try_to(w, &bad));
    bad.checkpoint = "0123456789abcdef";
    FAILS(RPT_ERR_NOT_FOUND, "no checkpoint", try_to(w, &bad));
    FAILS(RPT_ERR_INVALID, "bad argument",
          rpt_checkpoint_export(w->group, NULL, "t", &good, NULL));
    FAILS(RPT_ERR_INVALID, "bad argument",
          rpt_checkpoint_export(w->group, w->folder, "t", NULL, NULL));
    FAILS(RPT_ERR_INVALID, "no task \"../t\"",
          rpt_checkpoint_export(w->group, w->folder, "../t", &good, NULL));
    FAILS(RPT_ERR_NOT_FOUND, "",
          rpt_checkpoint_export(w->group, w->folder, "u", &good, NULL));
    FAILS(RPT_ERR_NOT_FOUND, "",
          rpt_checkpoint_export(w->group, path_of(w, "no", NULL), "t", &good,
                                NULL));
    meet(w);
    CHECK(count_in(w, "out") == 0);
    meet(w);
    make_checkpoint(w, "u", 3);
    FAILS(RPT_ERR_INVALID, "there are several tasks",
          rpt_checkpoint_export(w->group, w->folder, NULL, &good, NULL));
}

/* There is no group to be checked together. */
static void threads_are_one_to_4096(void)
{
    static const int numbers[] = { -1, 0, 4097 };
    rpt_export_config_t config = config_to("/nowhere/out");

    for (size_t i = 0; i < 3; i++) {
        FAILS(RPT_ERR_INVALID, "n_threads is 1 to 4096",
              rpt_checkpoint_export_local(numbers[i], "/nowhere", "t", &config,
                                          NULL, NULL));
    }
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_checkpoint_export(NULL, "/nowhere", "t", &config, NULL));
}

static void bad_arguments_are_errors(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), give_bad_arguments);
    }
}

static void give_others(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    config.keepbits = w->rank == w->size - 1 ? 5 : 0;
    FAILS(RPT_ERR_MISMATCH, "gave different arguments", try_to(w, &config));
    CHECK(count_in(w, "out") == 0);
}

static void ranks_give_the_same_arguments(void)
{
    if (has_parquet()) {
        on_all(2, with_library(NULL), give_others);
    }
}

static void the_only_task(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    config.names = only_time;
    if (w->rank == 0) {
        CHECK(mkdir(path_of(w, "data", NULL), 0777) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_NOT_FOUND, "there is no task",
          rpt_checkpoint_export(w->group, w->folder, NULL, &config, NULL));
    make_checkpoint(w, "t", 3);
    /* Folders beside it are none, so that of the first export. */
    for (int i = 0; i < 2; i++) {
        config.output = path_of(w, i == 0 ? "out" : "again", NULL);
        WORKS(rpt_checkpoint_export(w->group, w->folder, NULL, &config, NULL));
    }
}

static void names_of_parts_are_in_the_order_of_ranks(void)
{
    static const int sizes[] = { 1, 2, 99999, 100000, 100001, 1234567 };
    char last[RPT_EXPORT_NAME_BYTES], name[RPT_EXPORT_NAME_BYTES];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int rank = 0; rank < sizes[i]; rank++) {
            rpt__export_part_name(rank, sizes[i], name);
            if (rank > 0 && strcmp(last, name) >= 0) {
                CU_FAIL("names are out of order");
                break;
            }
            strcpy(last, name);
        }
    }
    rpt__export_part_name(3, 100000, name);
    CU_ASSERT_STRING_EQUAL(name, "part-00003.parquet");
    rpt__export_part_name(3, 100001, name);
    CU_ASSERT_STRING_EQUAL(name, "part-000003.parquet");
}

static void the_only_task_needs_no_name(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), the_only_task);
    }
}

static void have_no_library(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    FAILS(RPT_ERR_UNSUPPORTED, "Parquet", try_to(w, &config));
    CHECK(count_in(w, "out") == 0);
}

static void without_parquet_an_export_is_unsupported(void)
{
    on_all(1, "io.parquet.library=/nowhere/at/all.so", have_no_library);
}

/* ---- damage ---- */

/* Another byte in a file of the newest. */
static void damage(struct world *w, const char *file, long at)
{
    FILE *f = fopen(in_newest(w, "t", file), "r+");
    int byte;

    if (CHECK(f != NULL && fseek(f, at, at < 0 ? SEEK_END : SEEK_SET) == 0)) {
        byte = fgetc(f);
        CHECK(fseek(f, -1, SEEK_CUR) == 0 && fputc(byte ^ 1, f) != EOF);
    }
    CHECK(f == NULL || fclose(f) == 0);
}

static void export_damaged(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    make_checkpoint(w, "t", 5);
    if (w->rank == 0) {
        damage(w, "state.h5", -100);
    }
    meet(w);
    config.names = only_time;
    FAILS(RPT_ERR_CORRUPT, "is damaged", try_to(w, &config));
    config.tables = RPT_EXPORT_CHECKPOINTS;
    FAILS(RPT_ERR_CORRUPT, "is damaged", try_to(w, &config));
    meet(w);
    CHECK(count_in(w, "out") == 0 && count_names(w, "t", "it-") == 2);
    meet(w);
    config.checkpoint = "3"; /* is good */
    WORKS(try_to(w, &config));
    meet(w);
    if (w->rank == 0) {
        damage(w, "MANIFEST.json", 60);
    }
    meet(w);
    config.output = path_of(w, "other", NULL);
    config.checkpoint = "5";
    FAILS(RPT_ERR_CORRUPT, "MANIFEST.json", try_to(w, &config));
    CHECK(count_in(w, "other") == 0);
    meet(w);
    config.checkpoint = "newest"; /* that counts: 3 */
    if (w->rank == 0) {
        log_begin();
    }
    meet(w);
    WORKS(try_to(w, &config));
    meet(w);
    if (w->rank == 0) {
        CHECK(strstr(log_end(), "so an older one is exported") != NULL);
    }
}

/* The newest may be whole: an older one was not asked for. */
static void export_newer(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    make_checkpoint(w, "t", 5);
    if (w->rank == 0) {
        CHECK(make_newer(in_newest(w, "t", RPT_MANIFEST)));
    }
    meet(w);
    config.names = only_time;
    FAILS(RPT_ERR_VERSION, "newer format", try_to(w, &config));
    CHECK(count_in(w, "out") == 0);
    meet(w);
    config.checkpoint = "3";
    WORKS(try_to(w, &config));
}

static void one_of_a_newer_format_is_not_passed_over(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_newer);
    }
}

static void a_damaged_checkpoint_is_refused(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_damaged);
    }
}

/* ---- a rank that fails ---- */

static void fail_on(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    for (int r = 0; r < w->size; r++) {
        meet(w);
        failing_rank = r;
        meet(w);
        FAILS(RPT_ERR_IO, "No space left on device", try_to(w, &config));
        meet(w);
        failing_rank = -1;
        CHECK(count_in(w, "out") == 0);
    }
    meet(w);
    WORKS(try_to(w, &config)); /* now it can */
    meet(w);
    CHECK(count_in(w, "out") == 1);
}

static void a_rank_that_fails_fails_all_and_nothing_is_left(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), fail_on);
    }
}

/* ---- a rank that does not come, or cannot go on ---- */

/* Rank 1 is the one; it tells so, or says nothing. */
static void export_without(struct world *w, bool tells)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));
    rpt_group_t *part = NULL;

    make_checkpoint(w, "t", 3);
    WORKS(rpt_group_split(w->group, 0, w->rank, &part));
    meet(w);
    if (w->rank == 1 && tells) {
        FAILS(RPT_ERR_NOMEM, "12345", give_up(part));
    } else if (w->rank != 1) {
        FAILS(tells ? RPT_ERR_PEER : RPT_ERR_TIMEOUT,
              tells ? "12345" : "for rank 1",
              rpt_checkpoint_export(part, w->folder, "t", &config, NULL));
    }
    meet(w);
    FAILS(RPT_ERR_STATE, "no further use",
          rpt_checkpoint_export(part, w->folder, "t", &config, NULL));
    meet(w);
    CHECK(count_in(w, "out") == 0);
    meet(w);
    rpt_group_destroy(part);
    if (tells) { /* all have time */
        WORKS(try_to(w, &config));
    }
}

static void export_without_a_word(struct world *w)
{
    if (w->size == 2) { /* others may wait for one that waits for rank 1 */
        export_without(w, false);
    }
}

static void export_with_a_word(struct world *w)
{
    export_without(w, true);
}

static void the_group_of_a_rank_that_is_missed_is_of_no_use(void)
{
    if (has_parquet()) {
        on_all(2,
               with_library("comm.internal_deadline_s=3 "
                            "io.checkpoint.deadline_s=3"),
               export_without_a_word);
        on_all(2, with_library(NULL), export_with_a_word);
    }
}

/* ---- what is there already ---- */

static void export_again(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    make_checkpoint(w, "t", 3);
    config.names = only_time;
    /* What lies there is taken for a checkpoint's, or goes with one. */
    config.output = path_of(w, "t", "more/out");
    FAILS(RPT_ERR_INVALID, "removed by jobs", try_to(w, &config));
    CHECK(access(path_of(w, "t", "more"), F_OK) != 0);
    config = config_to(path_of(w, "out", NULL));
    config.names = only_time;
    WORKS(try_to(w, &config));
    FAILS(RPT_ERR_EXISTS, "is there already", try_to(w, &config));
    meet(w);
    if (w->rank == 0) {
        put(path_of(w, "out/values/part-00009.parquet", NULL), "old");
    }
    meet(w);
    config.flags = RPT_EXPORT_REPLACE;
    WORKS(try_to(w, &config));
    meet(w);
    CHECK(count_in(w, "out") == 1);
    CHECK(!is_there(w, "out/values/part-00009.parquet"));
    meet(w);
    cannot_exchange = true; /* two renames then */
    WORKS(try_to(w, &config));
    meet(w);
    cannot_exchange = false;
    CHECK(count_in(w, "out") == 1);
    CHECK(is_there(w, "out/values/part-00000.parquet"));
    meet(w);
    if (w->rank == 0) {
        put(path_of(w, "out/values/mine.txt", NULL), "mine");
    }
    meet(w);
    FAILS(RPT_ERR_EXISTS, "no export wrote", try_to(w, &config));
    meet(w);
    CHECK(count_in(w, "out") == 1 && is_there(w, "out/values/mine.txt"));
    config.output = path_of(w, "t", NULL); /* the checkpoints themselves */
    FAILS(RPT_ERR_EXISTS, "no export wrote", try_to(w, &config));
    meet(w);
    if (w->rank == 0) {
        put(path_of(w, "file", NULL), "mine");
        CHECK(symlink("out", path_of(w, "link", NULL)) == 0);
    }
    meet(w);
    config.output = path_of(w, "file", NULL);
    FAILS(RPT_ERR_EXISTS, "is not replaced", try_to(w, &config));
    config.output = path_of(w, "link", NULL);
    FAILS(RPT_ERR_EXISTS, "is not replaced", try_to(w, &config));
}

static void only_an_export_is_replaced_and_only_if_asked(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_again);
    }
}

#define LEFT "out.part-0123456789abcdef"
#define OLD "out.old-0123456789abcdef"

static void make_leftovers(struct world *w)
{
    CHECK(mkdir(path_of(w, LEFT, NULL), 0777) == 0);
    CHECK(mkdir(path_of(w, LEFT "/values", NULL), 0777) == 0);
    put(path_of(w, LEFT "/values/part-00000.parquet.part", NULL), "torn");
    mkdir(path_of(w, "out.part-mine", NULL), 0777); /* may be there */
    CHECK(mkdir(path_of(w, OLD, NULL), 0777) == 0);
    CHECK(mkdir(path_of(w, OLD "/values", NULL), 0777) == 0);
}

static void tidy(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out/", NULL));
    int fd = -1;

    make_checkpoint(w, "t", 3);
    config.names = only_time;
    if (w->rank == 0) {
        make_leftovers(w);
        fd = open(path_of(w, LEFT, NULL), O_RDONLY | O_DIRECTORY);
        CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_BUSY, "another job exports", try_to(w, &config));
    meet(w);
    if (w->rank == 0) {
        close(fd);
    }
    meet(w);
    /* What was there before is there again, and is no reason to fail. */
    FAILS(RPT_ERR_EXISTS, "is there already", try_to(w, &config));
    meet(w);
    CHECK(is_there(w, "out/values") && !is_there(w, OLD));
    CHECK(!is_there(w, LEFT) && is_there(w, "out.part-mine"));
    meet(w);
    if (w->rank == 0) {
        make_leftovers(w); /* out.part-mine is there */
    }
    meet(w);
    config.flags = RPT_EXPORT_REPLACE;
    WORKS(try_to(w, &config));
    meet(w);
    CHECK(count_in(w, "out") == 2 && is_there(w, "out.part-mine"));
    CHECK(is_there(w, "out/values/part-00000.parquet"));
}

static void what_a_killed_job_left_is_removed(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), tidy);
    }
}

const struct rpt_test refusing_tests[] = {
    RPT_TEST(threads_are_one_to_4096),
    RPT_TEST(bad_arguments_are_errors),
    RPT_TEST(ranks_give_the_same_arguments),
    RPT_TEST(names_of_parts_are_in_the_order_of_ranks),
    RPT_TEST(the_only_task_needs_no_name),
    RPT_TEST(without_parquet_an_export_is_unsupported),
    RPT_TEST(a_damaged_checkpoint_is_refused),
    RPT_TEST(one_of_a_newer_format_is_not_passed_over),
    RPT_TEST(a_rank_that_fails_fails_all_and_nothing_is_left),
    RPT_TEST(the_group_of_a_rank_that_is_missed_is_of_no_use),
    RPT_TEST(only_an_export_is_replaced_and_only_if_asked),
    RPT_TEST(what_a_killed_job_left_is_removed),
    RPT_TEST_END
};
