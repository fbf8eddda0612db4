/*
 * no_memory.c - memory ends while checkpoints are looked at, queried, removed
 * and exported, at each allocation in turn
 *
 * Something is done again and again, and of what this thread allocates for it
 * the first fails, then the second, and so on, until it is done without one
 * failing.  Each time before it is RPT_ERR_NOMEM that is told, and nothing is
 * given.  SQLite, HDF5 and Arrow allocate by themselves and are not asked.
 *
 * What is not released then, and what is used that is not there, sanitizers
 * find.
 */
#include "allocations.h"
#include "harness.h"
#include "saved.h"

#include <repartir/export.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];
static unsigned first_to_fail, left_over;

static bool shell(const char *command)
{
    char line[400];

    snprintf(line, sizeof line, "cd %s && %s", folder, command);
    return system(line) == 0;
}

static void arm(void)
{
    rpt_test_fails_in = first_to_fail;
}

static void disarm(void)
{
    left_over = rpt_test_fails_in;
    rpt_test_fails_in = 0;
    rpt_test_is_out = false;
}

/* Manifests are many small allocations. */
static unsigned step(void)
{
    unsigned begin = rpt_test_is_short() ? 20 : 60;

    if (getenv("RPT_TEST_LONG") != NULL || first_to_fail < begin) {
        return 1;
    }
    return rpt_test_is_short() ? 97 : 11;
}

static bool is_for_lack_of_memory(rpt_status_t status)
{
    const rpt_error_t *error = rpt_last_error();

    return status == RPT_ERR_NOMEM && error->status == status &&
           error->what[0] != '\0' && left_over == 0;
}

/* `fn` arms and disarms.  How often it failed; what can be done without may be,
 * as long as only one is missing. */
static unsigned in_turn_with(rpt_status_t (*fn)(void), bool all_after_it)
{
    unsigned n_failed = 0;
    bool good = true;

    rpt_test_fails_on = all_after_it;
    left_over = 0;
    for (first_to_fail = 1; left_over == 0 && good; first_to_fail += step()) {
        rpt_status_t status = fn();

        good = status == RPT_OK || is_for_lack_of_memory(status);
        n_failed += status != RPT_OK;
        if (!good) {
            printf("   allocation %u%s: %s: %s\n", first_to_fail,
                   all_after_it ? " and all after it" : "",
                   rpt_status_name(status), rpt_last_error_text());
        }
    }
    CU_ASSERT(good);
    rpt_test_fails_on = false;
    return n_failed;
}

static unsigned in_turn(rpt_status_t (*fn)(void))
{
    unsigned n_one = in_turn_with(fn, false), n_all = in_turn_with(fn, true);

    CU_ASSERT(n_all >= n_one);
    return n_one;
}

/* ---- a directory ---- */

static rpt_status_t look(void)
{
    rpt_catalog_t *catalog = NULL;
    const rpt_catalog_entry_t *entry = NULL;
    rpt_catalog_event_t *events = NULL;
    rpt_catalog_interval_t interval = { .size = 0 };
    char *path = NULL;
    size_t n = 0;
    rpt_status_t status;

    arm();
    status = rpt_catalog_open(folder, &catalog);
    CU_ASSERT_EQUAL(catalog != NULL, status == RPT_OK);
    if (status == RPT_OK) {
        status = rpt_catalog_find(catalog, "heat", "200", &entry);
        CU_ASSERT_EQUAL(entry != NULL, status == RPT_OK);
    }
    if (status == RPT_OK) {
        status = rpt_catalog_path(catalog, "heat", "newest", &path);
        CU_ASSERT_EQUAL(path != NULL, status == RPT_OK);
    }
    if (status == RPT_OK) {
        status = rpt_catalog_events(catalog, "heat", &events, &n);
        CU_ASSERT_EQUAL(events != NULL, status == RPT_OK);
    }
    if (status == RPT_OK) {
        status = rpt_catalog_interval(catalog, "heat", &interval);
        CU_ASSERT_EQUAL(interval.n_commits, status == RPT_OK ? 3 : 0);
    }
    disarm();
    free(events);
    free(path);
    rpt_catalog_close(catalog);
    return status;
}

static void a_directory_is_seen_whole_or_not(void)
{
    CU_ASSERT(in_turn(look) > 3);
}

/* ---- one checkpoint ---- */

static rpt_catalog_t *catalog_open(void)
{
    rpt_catalog_t *catalog = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_catalog_open(folder, &catalog), RPT_OK);
    return catalog;
}

static const rpt_catalog_entry_t *entry_of(const rpt_catalog_t *catalog,
                                           const char *which)
{
    const rpt_catalog_entry_t *entry = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_catalog_find(catalog, "heat", which, &entry),
                          RPT_OK);
    return entry;
}

static rpt_status_t open_and_read(void)
{
    rpt_catalog_t *catalog = catalog_open();
    const rpt_catalog_entry_t *entry = entry_of(catalog, "100");
    rpt_stored_t *stored = NULL;
    int32_t w[6 * 9 * 10] = { -1 };
    rpt_status_t status;

    arm();
    status = rpt_stored_open(catalog, entry, &stored);
    CU_ASSERT_EQUAL(stored != NULL, status == RPT_OK);
    if (status == RPT_OK) {
        status = rpt_stored_verify(stored, RPT_VERIFY_CHECKSUMS, NULL);
    }
    if (status == RPT_OK) {
        status = rpt_stored_read(stored, "flow/w", NULL, NULL, w, sizeof w);
        CU_ASSERT_EQUAL(w[sizeof w / sizeof *w - 1] == 589, status == RPT_OK);
    }
    disarm();
    rpt_stored_close(stored);
    rpt_catalog_close(catalog);
    return status;
}

static void a_checkpoint_is_read_or_not(void)
{
    CU_ASSERT(in_turn(open_and_read) > 3);
}

static rpt_status_t verify_by_hdf5(void)
{
    rpt_catalog_t *catalog = catalog_open();
    rpt_stored_t *stored = NULL;
    rpt_status_t status;

    CU_ASSERT_EQUAL_FATAL(
        rpt_stored_open(catalog, entry_of(catalog, "100"), &stored), RPT_OK);
    arm();
    status = rpt_stored_verify(stored, RPT_VERIFY_HDF5, NULL);
    disarm();
    rpt_stored_close(stored);
    rpt_catalog_close(catalog);
    return status;
}

static void a_file_is_not_called_damaged_for_lack_of_memory(void)
{
    CU_ASSERT(in_turn(verify_by_hdf5) > 0);
}

static rpt_status_t compare(void)
{
    rpt_catalog_t *catalog = catalog_open();
    rpt_stored_t *first = NULL, *second = NULL;
    rpt_difference_t *differences = NULL;
    size_t n = 0;
    rpt_status_t status;

    CU_ASSERT_EQUAL_FATAL(
        rpt_stored_open(catalog, entry_of(catalog, "100"), &first), RPT_OK);
    CU_ASSERT_EQUAL_FATAL(
        rpt_stored_open(catalog, entry_of(catalog, "200"), &second), RPT_OK);
    arm();
    status = rpt_stored_diff(first, second, 0, 0, &differences, &n);
    disarm();
    CU_ASSERT_EQUAL(differences != NULL && n > 0, status == RPT_OK);
    free(differences);
    rpt_stored_close(second);
    rpt_stored_close(first);
    rpt_catalog_close(catalog);
    return status;
}

static void differences_are_all_told_or_none(void)
{
    CU_ASSERT(in_turn(compare) > 2);
}

/* ---- removing ---- */

static uint64_t count_committed(const char *task)
{
    rpt_catalog_t *catalog = catalog_open();
    const rpt_catalog_task_t *found = NULL;
    uint64_t n = 0;

    for (size_t i = 0; rpt_catalog_task(catalog, i, &found) == RPT_OK; i++) {
        if (strcmp(found->name, task) == 0) {
            n = found->n_by_state[RPT_STORED_COMMITTED];
        }
    }
    rpt_catalog_close(catalog);
    return n;
}

/* A task of its own, so that the others stay. */
static void save_three(void)
{
    CU_ASSERT(shell("rm -rf old"));
    CU_ASSERT_FATAL(saved_more(folder, "old", 1, 3, "1000"));
}

static rpt_status_t prune(void)
{
    rpt_options_t *options = NULL;
    rpt_catalog_t *catalog;
    rpt_status_t status;

    save_three();
    catalog = catalog_open();
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "io.checkpoint.keep", "1"),
                    RPT_OK);
    arm();
    status = rpt_catalog_prune(catalog, "old", options, RPT_CATALOG_VERIFY,
                               NULL, NULL);
    disarm();
    rpt_options_destroy(options);
    rpt_catalog_close(catalog);
    CU_ASSERT(count_committed("old") >= 1);
    CU_ASSERT(status != RPT_OK || count_committed("old") == 1);
    return status;
}

static rpt_status_t remove_one(void)
{
    rpt_catalog_t *catalog;
    rpt_status_t status;

    save_three();
    catalog = catalog_open();
    arm();
    status = rpt_catalog_remove(catalog, "old", "2", 0, NULL, NULL);
    disarm();
    rpt_catalog_close(catalog);
    CU_ASSERT(count_committed("old") >= 2);
    CU_ASSERT(status != RPT_OK || count_committed("old") == 2);
    return status;
}

static rpt_status_t remove_task(void)
{
    rpt_catalog_t *catalog;
    rpt_status_t status;

    save_three();
    catalog = catalog_open();
    arm();
    status = rpt_catalog_remove_task(catalog, "old", RPT_CATALOG_FORCE, NULL,
                                     NULL);
    disarm();
    rpt_catalog_close(catalog);
    CU_ASSERT(status != RPT_OK || count_committed("old") == 0);
    return status;
}

static void what_stays_is_whole(void)
{
    CU_ASSERT(in_turn(prune) > 10);
    CU_ASSERT(in_turn(remove_one) > 5);
    CU_ASSERT(in_turn(remove_task) > 5);
    CU_ASSERT(shell("rm -rf old"));
}

/* ---- queries ---- */

static const char *statement;

static rpt_status_t ask(void)
{
    const char *folders[] = { folder };
    rpt_value_t value = { .size = 0 };
    rpt_view_t *view = NULL;
    rpt_query_t *query = NULL;
    rpt_status_t status;

    arm();
    status = rpt_view_open(folders, 1, NULL, &view);
    CU_ASSERT_EQUAL(view != NULL, status == RPT_OK);
    if (status == RPT_OK) {
        status = rpt_query_open(view, statement, &query);
        CU_ASSERT_EQUAL(query != NULL, status == RPT_OK);
    }
    while (status == RPT_OK) {
        status = rpt_query_step(query);
        if (status == RPT_OK) {
            status = rpt_query_value(query, 0, &value);
        }
    }
    disarm();
    rpt_query_close(query);
    rpt_view_close(view);
    return status == RPT_END ? RPT_OK : status;
}

static void rows_come_or_an_error(void)
{
    static const char *const statements[] = {
        "SELECT name, library FROM checkpoints ORDER BY time",
        "SELECT name, dims FROM datasets",
        "SELECT xxh3 FROM blocks WHERE dataset = 'flow/w'",
        "SELECT event FROM events",
        "SELECT id FROM tasks",
        "SELECT host FROM attempts",
        "SELECT xxh3 FROM files",
        "SELECT value FROM array('flow/w') WHERE i0 = 3",
        "SELECT value FROM array('opaque', 300, 'heat')",
    };

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        statement = statements[i];
        if (!(in_turn(ask) > 3)) {
            CU_FAIL("few allocations failed");
            printf("   %s\n", statement);
        }
    }
}

/* ---- export ---- */

static rpt_status_t export_status;

static rpt_status_t export_one(rpt_context_t *context, void *user)
{
    char out[400];
    rpt_export_config_t config = { .size = sizeof config, .output = out };
    rpt_export_result_t result = { .size = 0 };

    (void)user;
    snprintf(out, sizeof out, "%s/out/put", folder);
    arm();
    export_status = rpt_checkpoint_export(rpt_group_world(context), folder,
                                          "heat", &config, &result);
    disarm();
    CU_ASSERT_EQUAL(result.n_tables > 0, export_status == RPT_OK);
    if (export_status == RPT_ERR_NOMEM) {
        CU_ASSERT_NOT_EQUAL(rpt_last_error()->what[0], '\0');
    }
    return RPT_OK;
}

static rpt_status_t export_by_a_rank(void)
{
    const char *build = getenv("BUILD");
    rpt_options_t *options = NULL;
    char library[300];

    snprintf(library, sizeof library, "%s/.libs/librepartir-parquet.so",
             build != NULL ? build : ".");
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "topo.synthetic", "core:4 pu:1"),
                    RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "io.parquet.library", library),
                    RPT_OK);
    CU_ASSERT_EQUAL(rpt_local_run(1, options, export_one, NULL), RPT_OK);
    rpt_options_destroy(options);
    if (export_status == RPT_OK) {
        CU_ASSERT(shell("test \"$(ls -A out)\" = put"));
    } else {
        CU_ASSERT(shell("test -z \"$(ls -A out 2>/dev/null)\""));
    }
    CU_ASSERT(shell("rm -rf out"));
    return export_status;
}

static void an_export_is_there_whole_or_not(void)
{
    first_to_fail = 0;
    if (export_by_a_rank() == RPT_ERR_UNSUPPORTED) {
        rpt_test_skip("this build has no Parquet");
        return;
    }
    CU_ASSERT_EQUAL(export_status, RPT_OK);
    CU_ASSERT(in_turn(export_by_a_rank) > 15);
}

/* ---- all ---- */

int main(int argc, char *argv[])
{
    static const struct rpt_test tests[] = {
        RPT_TEST(a_directory_is_seen_whole_or_not),
        RPT_TEST(a_checkpoint_is_read_or_not),
        RPT_TEST(a_file_is_not_called_damaged_for_lack_of_memory),
        RPT_TEST(differences_are_all_told_or_none),
        RPT_TEST(what_stays_is_whole),
        RPT_TEST(rows_come_or_an_error),
        RPT_TEST(an_export_is_there_whole_or_not),
        RPT_TEST_END,
    };
    const char *top = getenv("TMPDIR");
    int code;

    snprintf(folder, sizeof folder, "%s/rpt-no-memory.XXXXXX",
             top != NULL ? top : "/tmp");
    rpt_log_set_level(RPT_LOG_ERROR);
    json_set_alloc_funcs(rpt_test_json_malloc, rpt_test_json_free);
    if (mkdtemp(folder) == NULL || !saved_make(folder) ||
        !shell("rm -r big")) { /* which would take long to read */
        fprintf(stderr, "no checkpoints to look at: %s\n",
                rpt_last_error_text());
        return 1;
    }
    code = rpt_test_main("test_catalog_memory", tests, 600, argc, argv);
    return shell("cd / && rm -r \"$OLDPWD\"") ? code : 1;
}
