/*
 * level_mix.c - saves that stay on the nodes, together with compression and
 * with files that are used again
 */
#include "state.h"
#include "tables.h"

#include <repartir/catalog.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1 << 17 }; /* of each rank and array: a MiB */

/* One array is smooth and one is noise; a third changes only with `fixed`. */
struct three {
    rpt_checkpoint_t *c;
    uint64_t *data[3];
    int rank;
};

static const char *const names[] = { "smooth", "noise", "fixed" };

static uint64_t value(int array, uint64_t i, uint64_t seed, uint64_t fixed)
{
    switch (array) {
    case 0:
        return i / 100 + seed;
    case 1:
        return (i + 1) * (seed + 7) * 0x9e3779b97f4a7c15 ^ i << 17;
    default:
        return i + fixed;
    }
}

static void fill(struct three *t, uint64_t seed, uint64_t fixed)
{
    for (int a = 0; a < 3; a++) {
        for (uint64_t i = 0; i < N; i++) {
            t->data[a][i] = value(a, (uint64_t)t->rank * N + i, seed, fixed);
        }
    }
}

/* `n` elements of each array, from where this rank begins. */
static bool holds(const struct three *t, uint64_t start, uint64_t n,
                  uint64_t seed, uint64_t fixed)
{
    bool good = true;

    for (int a = 0; a < 3; a++) {
        for (uint64_t i = 0; i < n; i++) {
            good &= t->data[a][i] == value(a, start + i, seed, fixed);
        }
    }
    return good;
}

static void open_three(rpt_group_t *group, const char *folder,
                       uint64_t n_savers, const char *more, struct three *t)
{
    uint64_t rank = (uint64_t)rpt_group_rank(group);
    uint64_t size = (uint64_t)rpt_group_size(group);
    uint64_t all = N * n_savers, start = all * rank / size;
    rpt_options_t *options;
    char settings[1024];

    snprintf(settings, sizeof settings,
             "io.checkpoint.local_dir=%s/local io.checkpoint.sync=no %s",
             folder, more);
    options = options_with(settings);
    t->rank = (int)rank;
    WORKS(rpt_checkpoint_open(group, folder, "task", options, &t->c));
    rpt_options_destroy(options);
    for (int a = 0; a < 3; a++) {
        rpt_checkpoint_array_t array = { .size = sizeof array,
                                         .name = names[a],
                                         .type = RPT_TYPE_U64,
                                         .n_dims = 1,
                                         .dims = { all },
                                         .start = { start } };

        array.count[0] = all * (rank + 1) / size - start;
        t->data[a] = calloc((size_t)array.count[0] + 1, sizeof *t->data[a]);
        array.data = t->data[a];
        WORKS(rpt_checkpoint_add_array(t->c, &array));
    }
}

static void close_three(struct three *t)
{
    rpt_checkpoint_close(t->c);
    for (int a = 0; a < 3; a++) {
        free(t->data[a]);
    }
}

static void restored(rpt_group_t *group, const char *folder, int n_savers,
                     uint64_t seed, uint64_t fixed)
{
    uint64_t all = (uint64_t)n_savers * N;
    uint64_t rank = (uint64_t)rpt_group_rank(group);
    uint64_t size = (uint64_t)rpt_group_size(group);
    uint64_t start = all * rank / size, iteration = 0;
    struct three t;

    open_three(group, folder, (uint64_t)n_savers,
               "io.checkpoint.local_copy=none", &t);
    WORKS(rpt_checkpoint_restore(t.c, &iteration));
    CHECK(iteration == seed);
    CHECK(holds(&t, start, all * (rank + 1) / size - start, seed, fixed));
    close_three(&t);
}

/* Iterations 1 to n. */
static void save_some(struct three *t, uint64_t n)
{
    for (uint64_t k = 1; k <= n; k++) {
        fill(t, k, k);
        WORKS(rpt_checkpoint_save(t->c, k));
    }
}

static void run(struct world *w, const char *command)
{
    char line[4096];

    meet(w);
    if (w->rank == 0) {
        snprintf(line, sizeof line, "cd %s && %s", w->folder, command);
        CHECK(system(line) == 0);
    }
    meet(w);
}

/* ---- compression ---- */

/* Whether the newest one in the shared directory is compressed. */
static void check_stored(const struct world *w)
{
    const rpt_catalog_entry_t *entry = NULL;
    const rpt_stored_dataset_t *set = NULL;
    rpt_catalog_t *catalog = NULL;
    rpt_stored_t *stored = NULL;
    int n_cut = 0;

    WORKS(rpt_catalog_open(w->folder, &catalog));
    WORKS(rpt_catalog_entry(catalog, 0, &entry));
    WORKS(rpt_stored_open(catalog, entry, &stored));
    for (size_t i = 0; rpt_stored_dataset(stored, i, &set) == RPT_OK; i++) {
        if (strcmp(set->name, "smooth") == 0) {
            CHECK(set->stored_bytes < set->bytes / 10);
        }
        n_cut += set->chunk[0] > 0;
    }
    CHECK(n_cut == 3);
    rpt_stored_close(stored);
    rpt_catalog_close(catalog);
}

static void compress(struct world *w)
{
    static const char *const copies[] = { "none", "partner", "xor" };

    for (int i = 0; i < 3; i++) {
        struct three t;
        char settings[256];

        run(w, "rm -rf local task && mkdir local");
        snprintf(settings, sizeof settings,
                 "io.checkpoint.compress=deflate io.checkpoint.flush_every=100 "
                 "io.checkpoint.local_copy=%s",
                 copies[i]);
        open_three(w->group, w->folder, (uint64_t)w->size, settings, &t);
        save_some(&t, 3);
        close_three(&t);
        CHECK(count_names(w, "task", "it-") == 1);
        if (i > 0) {
            run(w, "rm -r local/repartir-*/*/node-00001");
        } else {
            meet(w);
        }
        restored(w->group, w->folder, w->size, 3, 3);
        CHECK(w->rank > 0 || (check_stored(w), true));
        meet(w);
    }
}

static void what_leaves_the_nodes_is_compressed(void)
{
    on_all(2,
           "topo.virtual_nodes=2 io.checkpoint.keep=9 "
           "io.checkpoint.compress_level=1",
           compress);
}

/* One rank compresses what all have saved. */
static void compress_alone(struct world *w)
{
    rpt_group_t *alone = NULL;
    struct three t;

    run(w, "rm -rf local task && mkdir local");
    open_three(w->group, w->folder, (uint64_t)w->size,
               "io.checkpoint.compress=deflate io.checkpoint.flush_every=100 "
               "io.checkpoint.local_copy=none",
               &t);
    save_some(&t, 2);
    close_three(&t);
    meet(w);
    WORKS(
        rpt_group_split(w->group, w->rank == w->size - 1 ? 0 : -1, 0, &alone));
    if (alone != NULL) {
        restored(alone, w->folder, w->size, 2, 2);
        check_stored(w);
    }
    rpt_group_destroy(alone);
    meet(w);
}

static void one_rank_may_compress_what_all_have_saved(void)
{
    on_all(1, NULL, compress_alone);
}

/* ---- files that are used again ---- */

/* The third array is another one on the nodes, and in the last two shared
 * saves: what ranks remember of shared files is not that of local ones. */
static void use_again(struct world *w)
{
    struct three t;
    rpt_checkpoint_stats_t before, after;
    uint64_t iteration = 0;

    run(w, "rm -rf local task && mkdir local");
    open_three(w->group, w->folder, (uint64_t)w->size,
               "io.checkpoint.changed_only=yes io.checkpoint.flush_every=3 "
               "io.checkpoint.keep=1 io.checkpoint.local_copy=none",
               &t);
    for (uint64_t k = 1; k <= 16; k++) {
        bool is_shared = k % 3 == 1;
        uint64_t fixed = is_shared ? k / 12 : 5;

        fill(&t, k, fixed);
        WORKS(rpt_checkpoint_stats(t.c, &before));
        WORKS(rpt_checkpoint_save(t.c, k));
        WORKS(rpt_checkpoint_stats(t.c, &after));
        CHECK(after.n_local - before.n_local == (is_shared ? 0 : 1));
        if (k == 10) { /* two arrays are new, the third is not */
            CHECK(after.bytes - before.bytes < 5 * (uint64_t)N * 8 / 2);
        }
    }
    fill(&t, 99, 99);
    WORKS(rpt_checkpoint_restore(t.c, &iteration));
    CHECK(iteration == 16);
    CHECK(holds(&t, (uint64_t)t.rank * N, N, 16, 1));
    close_three(&t);
    CHECK(count_names(w, "task", ".spare-") == 0);
    meet(w);
    restored(w->group, w->folder, w->size, 16, 1);
}

static void shared_files_are_used_again_with_local_saves_between(void)
{
    on_all(1, "topo.virtual_nodes=2", use_again);
}

/* ---- what must not be lost ---- */

/* A stop that comes while a shared save is under way is for the next one. */
static void stop_meanwhile(struct world *w)
{
    struct three t;
    int due = 0;

    run(w, "rm -rf local task HALT && mkdir local");
    open_three(w->group, w->folder, (uint64_t)w->size,
               "io.checkpoint.local_copy=none io.checkpoint.flush_every=100 "
               "io.checkpoint.keep=9",
               &t);
    fill(&t, 1, 1);
    WORKS(rpt_checkpoint_save_async(t.c, 1));
    run(w, "touch HALT");
    WORKS(rpt_checkpoint_due(t.c, 2, &due));
    CHECK((due & RPT_DUE_STOP) != 0);
    fill(&t, 2, 2);
    WORKS(rpt_checkpoint_save(t.c, 2));
    CHECK(count_names(w, "task", "it-") == 2);
    meet(w);
    /* And that is over: what follows may stay on the nodes. */
    run(w, "rm HALT");
    fill(&t, 3, 3);
    WORKS(rpt_checkpoint_save(t.c, 3));
    CHECK(count_names(w, "task", "it-") == 2);
    close_three(&t);
    meet(w);
    restored(w->group, w->folder, w->size, 3, 3);
}

static void a_stop_during_a_shared_save_makes_the_next_one_shared(void)
{
    on_all(1, NULL, stop_meanwhile);
}

/* A job that does not restore, and whose first save fails, takes nothing away
 * from the one before. */
static void fail_first(struct world *w)
{
    struct three t;

    run(w, "rm -rf local task && mkdir local");
    open_three(w->group, w->folder, (uint64_t)w->size,
               "io.checkpoint.local_copy=none", &t);
    save_some(&t, 3);
    close_three(&t);
    meet(w);
    open_three(w->group, w->folder, (uint64_t)w->size,
               "io.checkpoint.local_copy=none", &t);
    fill(&t, 4, 4);
    WORKS(rpt_checkpoint_begin(t.c, 4));
    {
        char *path = NULL;

        WORKS(rpt_checkpoint_route(t.c, "missing", &path));
        free(path);
    }
    FAILS(RPT_ERR_NOT_FOUND, "not there", rpt_checkpoint_save(t.c, 4));
    close_three(&t);
    meet(w);
    restored(w->group, w->folder, w->size, 3, 3);
}

static void a_save_that_fails_leaves_what_the_nodes_had(void)
{
    on_all(1, NULL, fail_first);
}

const struct rpt_test level_mix_tests[] = {
    RPT_TEST(what_leaves_the_nodes_is_compressed),
    RPT_TEST(one_rank_may_compress_what_all_have_saved),
    RPT_TEST(shared_files_are_used_again_with_local_saves_between),
    RPT_TEST(a_stop_during_a_shared_save_makes_the_next_one_shared),
    RPT_TEST(a_save_that_fails_leaves_what_the_nodes_had),
    RPT_TEST_END,
};
