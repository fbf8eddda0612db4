/*
 * erring.c - functions of the program that fail, and files that it cannot write
 */
#include "tables.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- functions of a blob ---- */

/* What each of them returns on this rank. */
struct answers {
    rpt_status_t measure, pack, unpack;
    int n_unpacked;
};

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    *bytes_out = 5;
    return ((struct answers *)user)->measure;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n_bytes)
{
    memset(bytes, 5, (size_t)n_bytes);
    return ((struct answers *)user)->pack;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n_bytes,
                           int from, int n_from)
{
    struct answers *answers = user;

    (void)bytes;
    (void)from;
    (void)n_from;
    answers->n_unpacked++;
    CHECK(n_bytes == 5);
    return answers->unpack;
}

static rpt_checkpoint_t *open_task(struct world *w, struct answers *answers)
{
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_blob_t blob = { .size = sizeof blob,
                                   .name = "mine",
                                   .measure = measure,
                                   .pack = pack,
                                   .unpack = unpack,
                                   .user = answers };

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    if (answers != NULL) {
        WORKS(rpt_checkpoint_add_blob(c, &blob));
    }
    return c;
}

/* Each save that failed has left nothing, and the last one is there. */
static void check_folder(struct world *w, int n_committed)
{
    meet(w);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    CHECK(count_names(w, "task", ".bad-") == 0);
    CHECK(count_names(w, "task", "it-") == n_committed);
    meet(w);
}

/* Any status other than 0 is a failure. */
static void refuse_to_save(struct world *w)
{
    static const rpt_status_t returned[] = { RPT_ERR_OVERFLOW, RPT_END };
    static const rpt_status_t wanted[] = { RPT_ERR_OVERFLOW, RPT_ERR_INVALID };
    struct answers answers = { RPT_OK, RPT_OK, RPT_OK, 0 };
    bool is_last = w->rank == w->size - 1;
    rpt_checkpoint_t *c = open_task(w, &answers);

    WORKS(rpt_checkpoint_save(c, 1));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        answers.measure = is_last ? returned[i] : RPT_OK;
        FAILS(wanted[i], "\"mine\" was not measured",
              rpt_checkpoint_save(c, 2));
        CHECK(rpt_last_error()->rank == w->size - 1);
        FAILS(wanted[i], "measure() returned", rpt_checkpoint_save_async(c, 2));
        answers.measure = RPT_OK;
        answers.pack = is_last ? returned[i] : RPT_OK;
        FAILS(wanted[i], "\"mine\" was not packed", rpt_checkpoint_save(c, 2));
        CHECK(rpt_last_error()->rank == w->size - 1);
        answers.pack = RPT_OK;
        check_folder(w, 1);
    }
    WORKS(rpt_checkpoint_save(c, 2));
    rpt_checkpoint_close(c);
}

static void a_blob_that_is_not_measured_or_packed_fails_all(void)
{
    on_all(1, NULL, refuse_to_save);
}

static void refuse_to_restore(struct world *w)
{
    struct answers answers = { RPT_OK, RPT_OK, RPT_OK, 0 };
    rpt_checkpoint_t *c = open_task(w, &answers);
    uint64_t iteration = 77;

    WORKS(rpt_checkpoint_save(c, 1));
    answers.unpack = w->rank == w->size - 1 ? RPT_ERR_OVERFLOW : RPT_OK;
    FAILS(RPT_ERR_OVERFLOW, "\"mine\" was not unpacked",
          rpt_checkpoint_restore(c, &iteration));
    CHECK(strstr(rpt_last_error()->why, "unpack() returned") != NULL);
    CHECK(rpt_last_error()->rank == w->size - 1);
    /* It would be taken for "start from nothing". */
    answers.unpack = w->rank == w->size - 1 ? RPT_END : RPT_OK;
    FAILS(RPT_ERR_INVALID, "RPT_END", rpt_checkpoint_restore(c, &iteration));
    CHECK(answers.n_unpacked == 2 && iteration == 77);
    check_folder(w, 1); /* it is good, and stays */
    answers.unpack = RPT_OK;
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(answers.n_unpacked == 3 && iteration == 1);
    rpt_checkpoint_close(c);
}

static void a_blob_that_is_not_unpacked_fails_all(void)
{
    on_all(1, NULL, refuse_to_restore);
}

/* ---- a checkpoint that cannot be begun ---- */

static void begin_badly(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w, NULL);

    WORKS(rpt_checkpoint_save(c, 5));
    FAILS(RPT_ERR_EXISTS, "never be restored", rpt_checkpoint_begin(c, 4));
    if (w->size > 1) {
        FAILS(RPT_ERR_MISMATCH, "save iterations",
              rpt_checkpoint_begin(c, (uint64_t)(6 + w->rank)));
    }
    FAILS(RPT_ERR_OVERFLOW, "9223372036854775808",
          rpt_checkpoint_begin(c, (uint64_t)INT64_MAX + 1));
    check_folder(w, 1);
    WORKS(rpt_checkpoint_begin(c, 6));
    WORKS(rpt_checkpoint_save(c, 6));
    check_folder(w, 2);
    rpt_checkpoint_close(c);
}

static void what_cannot_be_begun_is_told_to_all(void)
{
    on_all(1, NULL, begin_badly);
}

/* Its folder goes, and is there again. */
static void take_folder_away(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w, NULL);
    char *path = NULL;

    WORKS(rpt_checkpoint_save(c, 1));
    meet(w);
    if (w->rank == 0) {
        char line[600];

        snprintf(line, sizeof line, "rm -r %s/task", w->folder);
        CHECK(system(line) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_IO, "", rpt_checkpoint_begin(c, 2));
    FAILS(RPT_ERR_IO, "", rpt_checkpoint_save(c, 2));
    FAILS(RPT_ERR_STATE, "begun", rpt_checkpoint_route(c, "a", &path));
    CHECK(path == NULL);
    rpt_checkpoint_close(c);
}

static void without_its_folder_nothing_is_begun(void)
{
    on_all(1, NULL, take_folder_away);
}

/* A file where a folder would be. */
static void route_into_a_file(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w, NULL);
    char *path = NULL, *none = NULL, name[32];
    FILE *file;

    WORKS(rpt_checkpoint_begin(c, 1));
    snprintf(name, sizeof name, "mine%d", w->rank);
    WORKS(rpt_checkpoint_route(c, name, &path));
    file = fopen(path, "w");
    CHECK(file != NULL && fclose(file) == 0);
    free(path);
    snprintf(name, sizeof name, "mine%d/more", w->rank);
    FAILS(RPT_ERR_INVALID, "it is no folder",
          rpt_checkpoint_route(c, name, &none));
    WORKS(rpt_checkpoint_save(c, 1));
    check_folder(w, 1);
    WORKS(rpt_checkpoint_begin(c, 2));
    meet(w);
    if (w->rank == 0) {
        char line[600];

        snprintf(line, sizeof line, "rm -r %s/task/.tmp-*", w->folder);
        CHECK(system(line) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_IO, "does not see", rpt_checkpoint_route(c, "a/b", &none));
    CHECK(none == NULL);
    rpt_checkpoint_close(c);
}

static void a_folder_that_cannot_be_made_for_a_file_is_an_error(void)
{
    on_all(1, NULL, route_into_a_file);
}

static void ask_nobody(struct world *w)
{
    rpt_checkpoint_stats_t stats;
    rpt_checkpoint_t *c = open_task(w, NULL);

    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_stats(NULL, &stats));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_stats(c, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_save(NULL, 1));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_save_async(NULL, 1));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_test(NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_wait(NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_restore(c, NULL));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_checkpoint_set_text(NULL, NULL, "a", "b"));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_checkpoint_add_value(NULL, "a", RPT_TYPE_U8, 0, NULL));
    rpt_checkpoint_close(c);
    rpt_checkpoint_close(NULL);
}

static void nothing_is_asked_of_nobody(void)
{
    on_all(1, NULL, ask_nobody);
}

static atomic_int n_errors;

static void count_errors(rpt_log_level_t level, const char *message, void *user)
{
    (void)user;
    n_errors += level == RPT_LOG_ERROR &&
                strstr(message, "checkpoints of it are open") != NULL;
}

static void destroy_too_early(struct world *w)
{
    rpt_context_t *context = NULL;
    rpt_checkpoint_t *c = NULL;
    uint64_t value = 3;

    if (w->rank > 0) {
        return;
    }
    WORKS(rpt_context_create_local(1, NULL, &context));
    WORKS(rpt_checkpoint_open(rpt_group_world(context), w->folder, "t", NULL,
                              &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_U64, 1, &value));
    WORKS(rpt_checkpoint_save_async(c, 1));
    n_errors = 0;
    rpt_log_set(count_errors, NULL);
    rpt_context_destroy(context);
    rpt_log_set(NULL, NULL);
    CHECK(n_errors == 1);
    WORKS(rpt_checkpoint_wait(c));
    rpt_checkpoint_close(c);
    rpt_context_destroy(context);
}

static void a_context_with_open_checkpoints_stays(void)
{
    on_all(1, NULL, destroy_too_early);
}

const struct rpt_test erring_tests[] = {
    RPT_TEST(a_blob_that_is_not_measured_or_packed_fails_all),
    RPT_TEST(a_blob_that_is_not_unpacked_fails_all),
    RPT_TEST(what_cannot_be_begun_is_told_to_all),
    RPT_TEST(without_its_folder_nothing_is_begun),
    RPT_TEST(a_folder_that_cannot_be_made_for_a_file_is_an_error),
    RPT_TEST(nothing_is_asked_of_nobody),
    RPT_TEST(a_context_with_open_checkpoints_stays),
    RPT_TEST_END,
};
