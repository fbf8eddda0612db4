/*
 * leaving.c - what a job that was killed, or a power failure, has left; and
 * checkpoints that go while somebody looks
 */
#include "world.h"
#include "newer.h"
#include "tables.h"

#include "io/checkpoint/catalog_priv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rpt_checkpoint_t *open_task(struct world *w, uint64_t *value)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "value", RPT_TYPE_U64, 1, value));
    return c;
}

/* Iterations 1 to n, each with a value, and a file two folders deep. */
static void save_some(struct world *w, uint64_t n)
{
    uint64_t value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    for (uint64_t i = 1; i <= n; i++) {
        char *path = NULL;
        FILE *file;

        value = 1000 + i;
        WORKS(rpt_checkpoint_begin(c, i));
        WORKS(rpt_checkpoint_route(c, "a/b/c", &path));
        file = fopen(path, "w");
        if (CHECK(file != NULL)) {
            fprintf(file, "the file of iteration %d\n", (int)i);
            fclose(file);
        }
        free(path);
        WORKS(rpt_checkpoint_save(c, i));
    }
    rpt_checkpoint_close(c);
}

static uint64_t restored(struct world *w)
{
    uint64_t iteration = 0, value = 0;
    rpt_checkpoint_t *c = open_task(w, &value);

    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(value == 1000 + iteration);
    rpt_checkpoint_close(c);
    return iteration;
}

static void open_dir(struct world *w, struct rpt_dir *dir)
{
    WORKS(rpt__dir_open_path(path_of(w, "task", NULL), dir));
}

/* ---- leftovers ---- */

/* The newest one as it was before its commit, with its manifest beside. */
static void undo_commit(struct world *w)
{
    char *name = nth_newest(w, "task", 0), tmp[RPT_FOLDER_NAME_BYTES];
    struct rpt_dir task = RPT_DIR_CLOSED;
    struct rpt_opened o = RPT_OPENED_NONE;
    struct rpt_buf draft = RPT_BUF_EMPTY, list = RPT_BUF_EMPTY;

    open_dir(w, &task);
    WORKS(rpt__opened_read(&task, name, &o));
    rpt__routed_write(o.manifest.files, o.manifest.n_files, &list);
    rpt__manifest_write(&o.manifest, true, &draft);
    WORKS(rpt__dir_write(&o.dir, RPT_DRAFT, draft.data, draft.bytes));
    WORKS(rpt__dir_write(&o.dir, "files-00000.json", list.data, list.bytes));
    snprintf(tmp, sizeof tmp, ".tmp-%s", strrchr(name, '-') + 1);
    WORKS(rpt__dir_rename(&task, name, tmp));
    rpt__buf_free(&draft);
    rpt__buf_free(&list);
    rpt__opened_free(&o);
    rpt__dir_close(&task);
    free(name);
}

struct loss {
    const char *command; /* in the folder .tmp-ID           */
    uint64_t left;       /* the iteration that is found then */
};

static const struct loss losses[] = {
    { "true", 2 },
    { "rm MANIFEST.json", 2 },
    { "rm draft.json files-00000.json", 2 },
    { ": >MANIFEST.json", 2 },
    { ": >draft.json", 2 },
    { "rm files-00000.json", 2 },
    { "rm draft.json MANIFEST.json", 1 },
    { ": >draft.json; rm MANIFEST.json", 1 },
    { "rm files-00000.json MANIFEST.json", 1 },
    { ": >files-00000.json; rm MANIFEST.json", 1 },
    { "rm state.h5", 1 },
    { "truncate -s -1 state.h5", 1 },
    { "truncate -s +1 state.h5", 1 },
    { "rm blocks.xxh", 1 },
    { "truncate -s -1 blocks.xxh", 1 },
    { "rm -r files", 1 },
    { "rm files/a/b/c", 1 },
    { "truncate -s -1 files/a/b/c", 1 },
    { "rm files/a/b/c && mkfifo files/a/b/c", 1 },
    { "rm draft.json state.h5", 1 },
    { "rm draft.json; truncate -s -1 state.h5", 1 },
    { "rm draft.json files/a/b/c", 1 },
    { "rm MANIFEST.json files/a/b/c", 1 },
    { "rm MANIFEST.json state.h5", 1 },
    { NULL, 0 },
};

/* One is finished only when all of it is there, and else removed; what is found
 * then is never damaged. */
static void lose(struct world *w)
{
    char line[4096];

    if (w->size > 1) {
        return;
    }
    rpt_log_set_level(RPT_LOG_ERROR);
    for (const struct loss *l = losses; l->command != NULL; l++) {
        snprintf(line, sizeof line, "rm -rf %s/task", w->folder);
        CHECK(system(line) == 0);
        save_some(w, 2);
        undo_commit(w);
        snprintf(line, sizeof line, "cd %s/task/.tmp-* && %s", w->folder,
                 l->command);
        CHECK(system(line) == 0);
        if (!CHECK(restored(w) == l->left)) {
            printf("   after: %s\n", l->command);
        }
        CHECK(count_names(w, "task", "it-") == (int)l->left);
        CHECK(count_names(w, "task", ".") == 2); /* . and .. */
        snprintf(line, sizeof line,
                 "! ls %s/task/it-*/* | grep -q 'draft\\|files-'", w->folder);
        CHECK(system(line) == 0);
    }
    rpt_log_set_level(RPT_LOG_WARN);
}

static void what_a_power_failure_took_a_part_of_is_removed(void)
{
    on_all(1, NULL, lose);
}

/* Three that nobody can read, and one of which two ranks wrote a file. */
static void leave_strange_ones(struct world *w)
{
    struct rpt_dir task = RPT_DIR_CLOSED;
    char line[4096];

    if (w->size > 1) {
        return;
    }
    rpt_log_set_level(RPT_LOG_ERROR);
    save_some(w, 2);
    undo_commit(w);
    open_dir(w, &task);
    snprintf(
        line, sizeof line,
        "cd %s/task && mv .tmp-* .tmp-newer && rm .tmp-newer/MANIFEST.json "
        "&& touch .tmp-file && ln -s /tmp .tmp-link",
        w->folder);
    CHECK(system(line) == 0);
    CHECK(make_newer(path_of(w, "task/.tmp-newer", RPT_DRAFT)));
    CHECK(restored(w) == 1);
    CHECK(count_names(w, "task", ".tmp-") == 3);
    snprintf(line, sizeof line,
             "cd %s/task && test -d .tmp-newer && test -f .tmp-file && "
             "test -d /tmp && rm -r .tmp-*",
             w->folder);
    CHECK(system(line) == 0);
    rpt__dir_close(&task);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void what_cannot_be_read_stays_and_refuses_no_job(void)
{
    on_all(1, NULL, leave_strange_ones);
}

/* Both have sealed their part, and were killed. */
static void leave_one_twice(struct world *w)
{
    struct rpt_dir task = RPT_DIR_CLOSED;
    struct rpt_opened o = RPT_OPENED_NONE;
    struct rpt_buf list = RPT_BUF_EMPTY;
    rpt_checkpoint_t *c;
    uint64_t value = 1;
    char *path = NULL, name[64], line[4096];

    if (w->size != 2) {
        return;
    }
    c = open_task(w, &value);
    WORKS(rpt_checkpoint_begin(c, 1));
    snprintf(name, sizeof name, "of-%d", w->rank);
    WORKS(rpt_checkpoint_route(c, name, &path));
    snprintf(line, sizeof line, ": >%s", path);
    CHECK(system(line) == 0);
    free(path);
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    meet(w);
    if (w->rank == 0) {
        char *newest = nth_newest(w, "task", 0);

        open_dir(w, &task);
        WORKS(rpt__opened_read(&task, newest, &o));
        CHECK(o.manifest.n_files == 2);
        snprintf(o.manifest.files[1].name, 5, "of-0");
        WORKS(rpt__dir_remove(&o.dir, RPT_MANIFEST));
        rpt__manifest_write(&o.manifest, true, &list);
        WORKS(rpt__dir_write(&o.dir, RPT_DRAFT, list.data, list.bytes));
        for (int r = 0; r < 2; r++) {
            snprintf(name, sizeof name, "files-%05d.json", r);
            rpt__buf_clear(&list);
            rpt__routed_write(&o.manifest.files[r], 1, &list);
            WORKS(rpt__dir_write(&o.dir, name, list.data, list.bytes));
        }
        WORKS(rpt__dir_rename(&task, newest, ".tmp-both"));
        rpt__buf_free(&list);
        rpt__opened_free(&o);
        rpt__dir_close(&task);
        free(newest);
    }
    meet(w);
    c = open_task(w, &value);
    CHECK(rpt_checkpoint_restore(c, &value) == RPT_END);
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "task", ".tmp-") == 0);
}

static void what_could_never_be_committed_is_removed(void)
{
    on_all(2, NULL, leave_one_twice);
}

/* The newest one may be whole: an older state is not silently taken for it. */
static void restore_newer(struct world *w)
{
    uint64_t value = 0, iteration = 0;
    rpt_checkpoint_t *c;

    c = open_task(w, &value);
    WORKS(rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_save(c, 2));
    rpt_checkpoint_close(c);
    meet(w);
    if (w->rank == 0) {
        CHECK(make_newer(in_newest(w, "task", RPT_MANIFEST)));
    }
    meet(w);
    c = open_task(w, &value);
    FAILS(RPT_ERR_VERSION, "newer format",
          rpt_checkpoint_restore(c, &iteration));
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "task", "it-") == 2);
}

static void one_of_a_newer_format_is_not_passed_over(void)
{
    on_all(1, NULL, restore_newer);
}

/* ---- what does not count ---- */

/* Who has no job sees the same: which count, and how long they are. */
static void compare_views(const struct rpt_dir *task, size_t n_wanted)
{
    struct rpt_folders folders = { NULL, 0 };
    struct rpt_found *found = NULL;
    size_t n = 0;

    WORKS(rpt__folders_read(task, "task", NULL, &folders));
    WORKS(rpt__find_all(task, &found, &n));
    CHECK(n == n_wanted && folders.n == n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < folders.n; k++) {
            const rpt_catalog_entry_t *e = &folders.list[k]->entry;

            if (e->id == found[i].id) {
                CHECK(found[i].counts == (e->state == RPT_STORED_COMMITTED));
                /* Of a damaged one the job does not ask. */
                CHECK(!found[i].counts || found[i].bytes == e->bytes);
            }
        }
    }
    free(found);
    rpt__folders_free(&folders);
}

/* The newest one's manifest is damaged: it is none of those that are kept. */
static void save_beside(struct world *w)
{
    char line[4096];

    if (w->size > 1) {
        return;
    }
    save_some(w, 4);
    snprintf(line, sizeof line, "truncate -s 0 %s/task/it-*4-*/MANIFEST.json",
             w->folder);
    CHECK(system(line) == 0);
    {
        struct rpt_dir task = RPT_DIR_CLOSED;
        struct rpt_retention rules = { .keep = 2 };

        open_dir(w, &task);
        compare_views(&task, 4);
        WORKS(rpt__retain(&task, &rules));
        rpt__dir_close(&task);
    }
    CHECK(count_names(w, "task", "it-") == 3);
    CHECK(count_names(w, "task", "it-000000000001-") == 0);
    rpt_log_set_level(RPT_LOG_ERROR);
    CHECK(restored(w) == 3);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void what_is_damaged_is_none_of_those_kept(void)
{
    on_all(1, "io.checkpoint.keep=9", save_beside);
}

/* ---- one that goes ---- */

struct going {
    char task[1024];
    char name[RPT_FOLDER_NAME_BYTES];
    atomic_bool ends;
};

/* It is there, it goes as retention lets it go, it is there again. */
static void *come_and_go(void *arg)
{
    struct going *g = arg;
    struct rpt_dir task = RPT_DIR_CLOSED;
    char line[4096];

    snprintf(line, sizeof line, "cd %s && cp -r kept next && mv next %s",
             g->task, g->name);
    WORKS(rpt__dir_open_path(g->task, &task));
    for (int i = 0; i < 60; i++) {
        WORKS(rpt__retire(&task, g->name));
        CHECK(system(line) == 0);
    }
    rpt__dir_close(&task);
    atomic_store(&g->ends, true);
    return NULL;
}

static void look(struct world *w)
{
    struct going g = { .ends = false };
    struct rpt_dir task = RPT_DIR_CLOSED;
    char *name, line[4096];
    int n_gone = 0;
    pthread_t thread;

    if (w->size > 1) {
        return;
    }
    save_some(w, 1);
    name = nth_newest(w, "task", 0);
    snprintf(g.task, sizeof g.task, "%s", path_of(w, "task", NULL));
    snprintf(g.name, sizeof g.name, "%s", name);
    free(name);
    snprintf(line, sizeof line, "cd %s && cp -r %s kept", g.task, g.name);
    CHECK(system(line) == 0);
    open_dir(w, &task);
    CHECK(pthread_create(&thread, NULL, come_and_go, &g) == 0);
    while (!atomic_load(&g.ends)) {
        struct rpt_opened o = RPT_OPENED_NONE;
        rpt_status_t status = rpt__opened_read(&task, g.name, &o);

        CHECK(status == RPT_OK || status == RPT_ERR_NOT_FOUND);
        n_gone += status == RPT_ERR_NOT_FOUND;
        rpt__opened_free(&o);
    }
    pthread_join(thread, NULL);
    CHECK(n_gone > 0);
    rpt__dir_close(&task);
}

static void what_is_removed_meanwhile_is_gone_not_damaged(void)
{
    on_all(1, NULL, look);
}

const struct rpt_test leaving_tests[] = {
    RPT_TEST(what_a_power_failure_took_a_part_of_is_removed),
    RPT_TEST(what_cannot_be_read_stays_and_refuses_no_job),
    RPT_TEST(what_could_never_be_committed_is_removed),
    RPT_TEST(one_of_a_newer_format_is_not_passed_over),
    RPT_TEST(what_is_damaged_is_none_of_those_kept),
    RPT_TEST(what_is_removed_meanwhile_is_gone_not_damaged),
    RPT_TEST_END,
};
