/*
 * reading.c - what is exported is what was saved, as others read it
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *number(uint64_t n)
{
    static _Thread_local char texts[4][32];
    static _Thread_local int next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof texts[0], "%llu", (unsigned long long)n);
    return text;
}

/* Exports task "t" to OUT, with all ranks. */
static bool export(struct world *w, rpt_export_config_t *config,
                   rpt_export_result_t *result_out)
{
    return WORKS(
        rpt_checkpoint_export(w->group, w->folder, "t", config, result_out));
}

static void export_all(struct world *w)
{
    const char *out = path_of(w, "out", NULL);
    rpt_export_config_t config = config_to(out);
    rpt_export_result_t result;
    char id[32];

    make_checkpoint(w, "t", 3);
    if (!export(w, &config, &result)) {
        return;
    }
    CHECK(result.iteration == 3 && result.id != 0 && result.n_tables == 35);
    CHECK(result.n_files > 0 && result.file_bytes > 0 && result.n_rows > 0);
    if (w->rank == 0) {
        snprintf(id, sizeof id, "%016llx", (unsigned long long)result.id);
        read_by("everything", out, number((uint64_t)w->size), "3", "+",
                "metadata", out, "t", number((uint64_t)w->size), "3", id,
                rpt_version_text(), NULL);
        CHECK(count_in(w, "out") == 1);
    }
    meet(w);
}

static void all_readers_find_what_was_saved(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_all);
    }
}

static void export_by_others(struct world *w)
{
    static const int sizes[] = { 1, 2, 3, 4, 7 };
    rpt_export_config_t config = config_to("");
    rpt_options_t *options;
    rpt_export_result_t result, first = { 0 };

    make_checkpoint(w, "t", 3);
    if (w->rank == 0) {
        options = options_with(with_library(NULL));
        for (int i = 0; i < 5; i++) {
            config.output = path_of(w, number((uint64_t)sizes[i]), NULL);
            WORKS(rpt_checkpoint_export_local(sizes[i], w->folder, "t", &config,
                                              options, &result));
            first = i == 0 ? result : first;
            CHECK(result.n_rows == first.n_rows &&
                  result.raw_bytes == first.raw_bytes);
        }
        rpt_options_destroy(options);
        read_by("same_rows", path_of(w, "1", NULL), path_of(w, "2", NULL),
                path_of(w, "3", NULL), path_of(w, "4", NULL),
                path_of(w, "7", NULL),
                /* Who has no rows writes no file; nobody: one without rows. */
                "+", "files", path_of(w, "4", NULL), "dims.1=4", "dims.5=2",
                "none=1", "values=1", "types.i8=4", NULL);
    }
    meet(w);
}

static void any_number_of_ranks_exports_the_same_rows(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_by_others);
    }
}

static void export_ways(struct world *w)
{
    static const char *const names[] = { "dims/1", "time", "rng", NULL };
    rpt_export_config_t config = config_to(path_of(w, "plain", NULL));

    make_checkpoint(w, "t", 3);
    config.tables = RPT_EXPORT_ARRAYS;
    config.flags = RPT_EXPORT_NO_INDEX;
    config.level = 1;
    export(w, &config, NULL);
    config = config_to(path_of(w, "together", NULL));
    config.tables = RPT_EXPORT_ARRAYS;
    config.flags = RPT_EXPORT_TOGETHER;
    export(w, &config, NULL);
    config = config_to(path_of(w, "rounded", NULL));
    config.keepbits = 10;
    config.group_rows = 128;
    config.names = names;
    export(w, &config, NULL);
    if (w->rank == 0) {
        read_by("plain", path_of(w, "plain", NULL), "+", "together",
                path_of(w, "together", NULL), "+", "rounded",
                path_of(w, "rounded", NULL), "10", "+", "groups",
                path_of(w, "rounded", NULL), "128", "+", "only",
                path_of(w, "rounded", NULL), "dims.1", "values", "blobs", NULL);
    }
    meet(w);
}

static void arrays_without_indices_together_rounded_and_by_name(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_ways);
    }
}

/* ---- which checkpoint ---- */

static void choose(struct world *w, const char *which, uint64_t iteration)
{
    static const char *const names[] = { "time", NULL };
    rpt_export_config_t config = config_to(path_of(w, "chosen", NULL));
    rpt_export_result_t result = { 0 };

    config.checkpoint = which;
    config.names = names;
    config.flags = RPT_EXPORT_REPLACE;
    export(w, &config, &result);
    CHECK(result.iteration == iteration);
    meet(w);
}

static void choose_all(struct world *w)
{
    char *name, *id;

    make_checkpoint(w, "t", 3);
    make_checkpoint(w, "t", 5);
    make_checkpoint(w, "t", 7);
    name = nth_newest(w, "t", 1);
    choose(w, NULL, 7);
    choose(w, "newest", 7);
    choose(w, "3", 3);
    choose(w, "5", 5);
    if (CHECK(name != NULL)) {
        id = strrchr(name, '-') + 1;
        choose(w, name, 5);
        choose(w, id, 5);
    }
    free(name);
}

static void a_checkpoint_is_chosen_by_iteration_id_or_name(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), choose_all);
    }
}

/* ---- the table of checkpoints ---- */

static void export_checkpoints(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "all", NULL));
    rpt_export_result_t result = { 0 };

    make_checkpoint(w, "t", 3);
    make_checkpoint(w, "t", 5);
    make_checkpoint(w, "t", 7);
    config.tables = RPT_EXPORT_CHECKPOINTS;
    export(w, &config, &result);
    CHECK(result.n_rows == 3 && result.n_left_out == 0 && result.id == 0 &&
          result.n_tables == 1);
    config.output = path_of(w, "one", NULL);
    config.checkpoint = "5";
    config.tables |= RPT_EXPORT_VALUES;
    export(w, &config, &result);
    CHECK(result.iteration == 5);
    config = config_to(path_of(w, "without", NULL));
    config.tables = RPT_EXPORT_CHECKPOINTS;
    config.flags = RPT_EXPORT_NO_DATA;
    export(w, &config, &result);
    CHECK(result.n_left_out == 0 && result.raw_bytes == 0);
    config.output = path_of(w, "large", NULL);
    config.flags = 0;
    config.data_bytes = 1000;
    export(w, &config, &result);
    CHECK(result.n_left_out == 3 && result.n_rows == 3);
    config.output = path_of(w, "too-large", NULL);
    config.flags = RPT_EXPORT_ALL_DATA;
    FAILS(RPT_ERR_OVERFLOW, "a row takes 1000 at most",
          rpt_checkpoint_export(w->group, w->folder, "t", &config, NULL));
    if (w->rank == 0) {
        read_by("checkpoints", path_of(w, "all", NULL), w->folder, "t", "yes",
                "3", "5", "7", "+", "checkpoints", path_of(w, "one", NULL),
                w->folder, "t", "yes", "5", "+", "checkpoints",
                path_of(w, "without", NULL), w->folder, "t", "no", "3", "5",
                "7", "+", "checkpoints", path_of(w, "large", NULL), w->folder,
                "t", "no", "3", "5", "7", NULL);
        CHECK(count_in(w, "too-large") == 0);
    }
    meet(w);
}

static void a_table_has_all_checkpoints_of_a_task(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_checkpoints);
    }
}

const struct rpt_test reading_tests[] = {
    RPT_TEST(all_readers_find_what_was_saved),
    RPT_TEST(any_number_of_ranks_exports_the_same_rows),
    RPT_TEST(arrays_without_indices_together_rounded_and_by_name),
    RPT_TEST(a_checkpoint_is_chosen_by_iteration_id_or_name),
    RPT_TEST(a_table_has_all_checkpoints_of_a_task),
    RPT_TEST_END
};
