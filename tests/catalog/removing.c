/*
 * removing.c - prune, remove, HALT
 */
#include "make.h"
#include "newer.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was told to go, as iterations. */
struct going {
    char text[256];
};

static void note(void *user, const rpt_catalog_entry_t *entry)
{
    struct going *g = user;
    size_t at = strlen(g->text);

    snprintf(g->text + at, sizeof g->text - at, "%llu ",
             (unsigned long long)entry->iteration);
}

/* The iterations that are left, by the names of folders. */
static const char *left(const char *task)
{
    static char text[256];
    struct dirent **names = NULL;
    int n = scandir(in_folder("ck/%s", task), &names, NULL, alphasort);

    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (strncmp(names[i]->d_name, "it-", 3) == 0) {
            size_t at = strlen(text);

            snprintf(text + at, sizeof text - at, "%d ",
                     atoi(names[i]->d_name + 3));
        }
        free(names[i]);
    }
    free(names);
    return text;
}

static rpt_options_t *options_with(const char *name, const char *value)
{
    rpt_options_t *options = NULL;

    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.checkpoint.keep", "2"));
    if (name != NULL) {
        WORKS(rpt_options_set(options, name, value));
    }
    return options;
}

static void prune(const char *name, const char *value, int flags,
                  const char *wanted, const char *wanted_left)
{
    rpt_catalog_t *c = catalog_of("ck/t");
    rpt_options_t *options = options_with(name, value);
    struct going g = { "" };

    WORKS(rpt_catalog_prune(c, NULL, options, flags, note, &g));
    CU_ASSERT_STRING_EQUAL(g.text, wanted);
    CU_ASSERT_STRING_EQUAL(left("t"), wanted_left);
    rpt_options_destroy(options);
    rpt_catalog_close(c);
}

static void old_ones_go_by_the_rules_of_jobs(void)
{
    folder_begin();
    save_in_folder("t", 8);
    prune(NULL, NULL, RPT_CATALOG_DRY_RUN, "1 2 3 4 5 6 ", "1 2 3 4 5 6 7 8 ");
    prune("io.checkpoint.keep_every", "3", 0, "1 2 4 5 ", "3 6 7 8 ");
    prune("io.checkpoint.keep_every", "3", 0, "", "3 6 7 8 ");
    prune("io.checkpoint.keep_bytes", "1K", 0, "3 6 7 ", "8 ");
    prune("io.checkpoint.keep_age_s", "1ms", 0, "", "8 ");
    shell("mkdir ck/t/.old-0123456789abcdef && "
          "touch ck/t/.old-0123456789abcdef/x");
    prune(NULL, NULL, 0, "", "8 ");
    CU_ASSERT_NOT_EQUAL(access(in_folder("ck/t/.old-0123456789abcdef"), F_OK),
                        0);
    folder_end();
}

static void options_of_the_environment_are_the_default(void)
{
    rpt_catalog_t *c;
    struct going g = { "" };

    folder_begin();
    save_in_folder("t", 6);
    c = catalog_of("ck");
    unsetenv("RPT_IO_CHECKPOINT_KEEP");
    WORKS(rpt_catalog_prune(c, "t", NULL, 0, note, &g));
    CU_ASSERT_STRING_EQUAL(g.text, "1 2 3 ");
    setenv("RPT_IO_CHECKPOINT_KEEP", "1", 1);
    g.text[0] = '\0';
    WORKS(rpt_catalog_prune(c, "t", NULL, 0, note, &g));
    unsetenv("RPT_IO_CHECKPOINT_KEEP");
    CU_ASSERT_STRING_EQUAL(g.text, "4 5 ");
    WORKS(rpt_catalog_prune(c, "t", NULL, 0, NULL, NULL));
    rpt_catalog_close(c);
    folder_end();
}

/* The newest whose manifest is right stays, and what a job has verified. */
static void what_counts_is_never_lost_to_what_does_not(void)
{
    folder_begin();
    save_in_folder("t", 6);
    flip(path_of("t", "6"), "MANIFEST.json", 30);
    CU_ASSERT(
        make_newer(in_folder("%s/MANIFEST.json", path_of("t", "5"))));
    shell("mv %s ck/t/.bad-$(basename %s | cut -d- -f3)", path_of("t", "4"),
          path_of("t", "4"));
    prune("io.checkpoint.keep", "1", 0, "1 2 ", "3 5 6 ");
    prune("io.checkpoint.keep", "1", RPT_CATALOG_DAMAGED, "4 6 ", "3 5 ");
    folder_end();

    folder_begin();
    save_in_folder("t", 4);
    shell("id=$(basename %s | cut -d- -f3) && printf '{\"time\": 1, "
          "\"event\": \"verify\", \"id\": \"%%s\"}\\n' $id >>ck/t/events.jsonl",
          path_of("t", "2"));
    prune("io.checkpoint.keep", "1", 0, "1 3 ", "2 4 ");
    folder_end();
}

static void a_damaged_newest_one_keeps_the_others(void)
{
    rpt_catalog_t *c;
    rpt_options_t *options;
    struct going g = { "" };

    folder_begin();
    save_in_folder("t", 4);
    flip(path_of("t", "4"), "state.h5", -5);
    c = catalog_of("ck/t");
    options = options_with(NULL, NULL);
    FAILS(RPT_ERR_CORRUPT, "nothing was removed",
          rpt_catalog_prune(c, NULL, options, RPT_CATALOG_VERIFY, note, &g));
    CU_ASSERT_STRING_EQUAL(g.text, "");
    CU_ASSERT_STRING_EQUAL(left("t"), "1 2 3 4 ");
    flip(path_of("t", "4"), "state.h5", -5);
    WORKS(rpt_catalog_prune(c, NULL, options, RPT_CATALOG_VERIFY, note, &g));
    CU_ASSERT_STRING_EQUAL(left("t"), "3 4 ");
    rpt_options_destroy(options);
    rpt_catalog_close(c);
    folder_end();
}

static void what_cannot_be_pruned_is_said(void)
{
    rpt_catalog_t *c;

    folder_begin();
    save_in_folder("t", 2);
    c = catalog_of("ck");
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"",
          rpt_catalog_prune(c, "u", NULL, 0, NULL, NULL));
    FAILS(RPT_ERR_INVALID, "flag",
          rpt_catalog_prune(c, "t", NULL, 64, NULL, NULL));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_catalog_prune(NULL, "t", NULL, 0, NULL, NULL));
    rpt_catalog_close(c);
    c = catalog_of(path_of("t", "1"));
    FAILS(RPT_ERR_INVALID, "one checkpoint",
          rpt_catalog_prune(c, "t", NULL, 0, NULL, NULL));
    FAILS(RPT_ERR_INVALID, "one checkpoint",
          rpt_catalog_remove_task(c, "t", RPT_CATALOG_FORCE, NULL, NULL));
    rpt_catalog_close(c);
    CU_ASSERT_STRING_EQUAL(left("t"), "1 2 ");
    folder_end();
}

/* ---- by name ---- */

static void one_goes_by_name_the_newest_only_by_force(void)
{
    rpt_catalog_t *c;
    struct going g = { "" };

    folder_begin();
    save_in_folder("t", 4);
    c = catalog_of("ck");
    WORKS(rpt_catalog_remove(c, NULL, "2", RPT_CATALOG_DRY_RUN, note, &g));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 2 3 4 ");
    WORKS(rpt_catalog_remove(c, NULL, "2", 0, note, &g));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 3 4 ");
    FAILS(RPT_ERR_STATE, "--force",
          rpt_catalog_remove(c, "t", "4", 0, note, &g));
    FAILS(RPT_ERR_STATE, "newest",
          rpt_catalog_remove(c, "t", "newest", 0, note, &g));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 3 4 ");
    WORKS(rpt_catalog_remove(c, "t", "4", RPT_CATALOG_FORCE, note, &g));
    /* What is the newest is looked at now. */
    FAILS(RPT_ERR_STATE, "--force",
          rpt_catalog_remove(c, "t", "3", 0, note, &g));
    /* A damaged one is nobody's newest. */
    flip(path_of("t", "3"), "MANIFEST.json", 30);
    WORKS(rpt_catalog_remove(c, "t", "3", 0, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 ");
    CU_ASSERT_STRING_EQUAL(g.text, "2 2 4 ");
    FAILS(RPT_ERR_NOT_FOUND, "\"2\"",
          rpt_catalog_remove(c, "t", "2", 0, note, &g));
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"",
          rpt_catalog_remove(c, "u", "2", 0, note, &g));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_catalog_remove(c, "t", NULL, 0, note, &g));
    FAILS(RPT_ERR_INVALID, "flag",
          rpt_catalog_remove(c, "t", "1", 64, note, &g));
    rpt_catalog_close(c);
    folder_end();
}

static void remove_beside(void)
{
    rpt_catalog_t *c = catalog_of("ck/t");

    shell("mkdir ck/t/.tmp-0123456789abcdef");
    FAILS(RPT_ERR_BUSY, "another job",
          rpt_catalog_remove(c, NULL, ".tmp-0123456789abcdef", 0, NULL, NULL));
    FAILS(RPT_ERR_BUSY, "another job",
          rpt_catalog_remove_task(c, "t", RPT_CATALOG_FORCE, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 2 ");
    WORKS(rpt_catalog_remove(c, NULL, "1", 0, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(left("t"), "2 ");
    rpt_catalog_close(c);
}

static void what_a_job_writes_stays_as_long_as_it_runs(void)
{
    struct saving saving;
    rpt_catalog_t *c;

    folder_begin();
    saving = (struct saving){ .directory = in_folder("ck"),
                              .task = "t",
                              .n = 2,
                              .between = remove_beside };
    CU_ASSERT_TRUE(save(1, &saving));
    c = catalog_of("ck/t");
    WORKS(rpt_catalog_remove(c, NULL, ".tmp-0123456789abcdef", 0, NULL, NULL));
    CU_ASSERT_NOT_EQUAL(access(in_folder("ck/t/.tmp-0123456789abcdef"), F_OK),
                        0);
    rpt_catalog_close(c);
    folder_end();
}

static void a_task_goes_with_all_that_is_ours(void)
{
    rpt_catalog_t *c;
    struct going g = { "" };

    folder_begin();
    save_in_folder("t", 2);
    save_in_folder("u", 1);
    shell("mkdir ck/t/.old-0123456789abcdef ck/t/.tmp-0123456789abcdef "
          "ck/t/.bad-0123456789abcdef ck/t/.spare-0123456789abcdef "
          "ck/t/scratch-0123456789abcdef && "
          "mkdir ck/t/scratch-0123456789abcdef/deep && "
          "touch ck/t/scratch-0123456789abcdef/deep/mine");
    c = catalog_of("ck");
    FAILS(RPT_ERR_STATE, "2 checkpoints",
          rpt_catalog_remove_task(c, "t", 0, note, &g));
    WORKS(rpt_catalog_remove_task(
        c, "t", RPT_CATALOG_FORCE | RPT_CATALOG_DRY_RUN, note, &g));
    CU_ASSERT_STRING_EQUAL(left("t"), "1 2 ");
    CU_ASSERT_STRING_EQUAL(g.text, "0 0 1 2 ");
    WORKS(rpt_catalog_remove_task(c, "t", RPT_CATALOG_FORCE, NULL, NULL));
    CU_ASSERT_NOT_EQUAL(access(in_folder("ck/t"), F_OK), 0);
    FAILS(RPT_ERR_NOT_FOUND, "ck/t",
          rpt_catalog_remove_task(c, "t", 0, NULL, NULL));
    shell("touch ck/u/mine");
    WORKS(rpt_catalog_remove_task(c, "u", RPT_CATALOG_FORCE, NULL, NULL));
    CU_ASSERT_EQUAL(access(in_folder("ck/u/mine"), F_OK), 0);
    CU_ASSERT_NOT_EQUAL(access(in_folder("ck/u/lock"), F_OK), 0);
    FAILS(RPT_ERR_NOT_FOUND, "\"v\"",
          rpt_catalog_remove_task(c, "v", 0, NULL, NULL));
    FAILS(RPT_ERR_INVALID, "NULL",
          rpt_catalog_remove_task(c, NULL, 0, NULL, NULL));
    FAILS(RPT_ERR_INVALID, "flag",
          rpt_catalog_remove_task(c, "u", 64, NULL, NULL));
    rpt_catalog_close(c);
    folder_end();
}

/* ---- two that remove the same ---- */

static void who_removes_the_same_helps(void)
{
    folder_begin();
    save_in_folder("t", 40);
    shell("cat >race.sh <<'END'\n"
          "for n in 30 20 10 5 2 1; do \"$1\" ckpt prune --keep $n ck/t "
          "|| exit 1; done\nEND\n"
          "sh race.sh \"$BUILD/repartir\" >a 2>&1 & "
          "sh race.sh \"$BUILD/repartir\" >b 2>&1; code=$?; wait $! && "
          "[ $code = 0 ] || { cat a b; exit 1; }");
    CU_ASSERT_STRING_EQUAL(left("t"), "40 ");
    folder_end();
}

static void halt_is_made_and_removed(void)
{
    rpt_catalog_t *c;

    folder_begin();
    shell("mkdir ck");
    c = catalog_of("ck");
    CU_ASSERT_EQUAL(rpt_catalog_is_halted(c), 0);
    for (int i = 0; i < 2; i++) {
        WORKS(rpt_catalog_halt(c, 1));
        CU_ASSERT_EQUAL(rpt_catalog_is_halted(c), 1);
        CU_ASSERT_EQUAL(access(in_folder("ck/HALT"), F_OK), 0);
    }
    for (int i = 0; i < 2; i++) {
        WORKS(rpt_catalog_halt(c, 0));
        CU_ASSERT_EQUAL(rpt_catalog_is_halted(c), 0);
    }
    /* A task may be called so. */
    shell("mkdir ck/HALT");
    CU_ASSERT_EQUAL(rpt_catalog_is_halted(c), 0);
    FAILS(RPT_ERR_IO, "HALT", rpt_catalog_halt(c, 1));
    FAILS(RPT_ERR_IO, "HALT", rpt_catalog_halt(c, 0));
    shell("rmdir ck/HALT ck");
    FAILS(RPT_ERR_IO, "HALT", rpt_catalog_halt(c, 1));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_halt(NULL, 1));
    CU_ASSERT_EQUAL(rpt_catalog_is_halted(NULL), 0);
    rpt_catalog_close(c);
    folder_end();
}

const struct rpt_test removing_tests[] = {
    RPT_TEST(old_ones_go_by_the_rules_of_jobs),
    RPT_TEST(options_of_the_environment_are_the_default),
    RPT_TEST(what_counts_is_never_lost_to_what_does_not),
    RPT_TEST(a_damaged_newest_one_keeps_the_others),
    RPT_TEST(what_cannot_be_pruned_is_said),
    RPT_TEST(one_goes_by_name_the_newest_only_by_force),
    RPT_TEST(what_a_job_writes_stays_as_long_as_it_runs),
    RPT_TEST(a_task_goes_with_all_that_is_ours),
    RPT_TEST(who_removes_the_same_helps),
    RPT_TEST(halt_is_made_and_removed),
    RPT_TEST_END,
};
