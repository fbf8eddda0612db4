/*
 * checkpoint_bad.c - tasks whose checkpoints are damaged or cannot be read: to
 * begin from nothing although there was something is for a person to decide
 */
#include "saving.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- functions ---- */

/* Begins at 0, and saves 10, 20 and 30. */
static int save_three(rpt_call_t *call, void *user)
{
    (void)user;
    for (uint64_t i = 10; i <= 30; i += 10) {
        CHECK(rpt_call_checkpoint_save(call, i, "state", 5) == RPT_OK);
    }
    return 3;
}

/* Writes down the iteration, or the status, and comes to nothing. */
static int look(rpt_call_t *call, void *user)
{
    uint64_t iteration = 0;
    const void *data;
    size_t bytes;
    rpt_status_t status = rpt_call_checkpoint_restore(call, &iteration, &data,
                                                      &bytes);

    (void)user;
    log_add(status == RPT_OK ? (int32_t)iteration : (int32_t)status);
    return 4;
}

static void set_up(struct world *w)
{
    CHECK(rpt_pool_register(w->pool, "save_three", save_three, w) == RPT_OK);
    CHECK(rpt_pool_register(w->pool, "look", look, w) == RPT_OK);
}

static void fails(struct world *w, rpt_task_t *task, int retries)
{
    CHECK(rpt_task_set_checkpoint(task, 1000) == RPT_OK);
    CHECK(rpt_task_set_retries(task, retries) == RPT_OK);
    ends(submit_as(w->pool, task, "a"), RPT_OUTCOME_FAILED);
}

static void three(struct world *w)
{
    fails(w, task_new("save_three", NULL, 0), 0);
}

static void look_once(struct world *w)
{
    fails(w, task_new("look", NULL, 0), 0);
}

static void look_thrice(struct world *w)
{
    fails(w, task_new("look", NULL, 0), 2);
}

static bool log_is(const int32_t values[], int n)
{
    bool same = log_length() == n;

    for (int i = 0; same && i < n; i++) {
        same = log_at(i) == values[i];
    }
    return same;
}

/* ---- what becomes of files ---- */

static void damage(const char *path)
{
    FILE *file = fopen(path, "r+");

    if (CHECK(file != NULL)) {
        fputc('x', file);
        fclose(file);
    }
}

static void let_others_write(const char *path)
{
    CHECK(chmod(path, 0666) == 0);
}

static void let_nobody_write(const char *path)
{
    CHECK(chmod(path, 0644) == 0);
}

/* Does something to a file of each checkpoint but that of an iteration. */
static int to_all(const char *name, int but, void (*fn)(const char *path))
{
    DIR *folder = opendir(scratch_path("saved/a"));
    struct dirent *entry;
    int n = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[2 * TEXT_BYTES];

        if (strncmp(entry->d_name, "it-", 3) == 0 &&
            atoi(entry->d_name + 3) != but) {
            snprintf(path, sizeof path, "saved/a/%s/%s", entry->d_name, name);
            fn(scratch_path(path));
            n++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return n;
}

/* ---- the last one that is left ---- */

static void doubted(struct world *w)
{
    static const int32_t always[] = { 30, 30, 30 };

    next_job(w, set_up, three);
    if (w->rank == 0) {
        CHECK(to_all("files/state", 30, damage) == 2);
    }
    next_job(w, set_up, look_thrice);
    if (w->rank == 0) {
        CHECK(log_is(always, 3));
        CHECK(entries("saved/a", ".bad-") == 2);
        CHECK(entries("saved/a", "it-") == 1);
    }
    meet(w);
}

static void one_that_leads_nowhere_is_better_than_none(void)
{
    on_all(1, 2, DIRECTORY "io.checkpoint.tries=2 log.level=0", doubted);
}

/* ---- none is left ---- */

static void run_program(struct world *w)
{
    rpt_task_t *task = task_shell("exit 0");
    rpt_future_t *future;
    const rpt_result_t *result;

    CHECK(rpt_task_set_checkpoint(task, 1000) == RPT_OK);
    future = submit_as(w->pool, task, "a");
    result = ended(future, RPT_OUTCOME_FAILED);
    CHECK(result == NULL ||
          strstr(result->message, "no checkpoint in") != NULL);
    rpt_future_destroy(future);
}

static void all_damaged(struct world *w)
{
    static const int32_t corrupt[] = { RPT_ERR_CORRUPT, RPT_ERR_CORRUPT };

    next_job(w, set_up, three);
    if (w->rank == 0) {
        CHECK(to_all("files/state", 0, damage) == 3);
    }
    next_job(w, set_up, look_once);
    next_job(w, set_up, look_once);
    next_job(w, set_up, run_program);
    if (w->rank == 0) {
        CHECK(log_is(corrupt, 2));
        CHECK(entries("saved/a", ".bad-") == 3);
    }
    meet(w);
}

static void nothing_begins_anew_when_all_are_damaged(void)
{
    on_all(1, 2, DIRECTORY "log.level=0", all_damaged);
}

static void all_unreadable(struct world *w)
{
    static const int32_t then_good[] = { RPT_ERR_CORRUPT, 30 };

    next_job(w, set_up, three);
    if (w->rank == 0) {
        CHECK(to_all("MANIFEST.json", 0, let_others_write) == 3);
    }
    next_job(w, set_up, look_once);
    if (w->rank == 0) {
        CHECK(entries("saved/a", "it-") == 3);
        CHECK(to_all("MANIFEST.json", 0, let_nobody_write) == 3);
    }
    next_job(w, set_up, look_once);
    if (w->rank == 0) {
        CHECK(log_is(then_good, 2));
    }
    meet(w);
}

static void nothing_begins_anew_when_none_can_be_read(void)
{
    on_all(1, 2, DIRECTORY "log.level=0", all_unreadable);
}

const struct pool_test checkpoint_bad_tests[] = {
    TEST(one_that_leads_nowhere_is_better_than_none),
    TEST(nothing_begins_anew_when_all_are_damaged),
    TEST(nothing_begins_anew_when_none_can_be_read),
    TEST_END,
};
