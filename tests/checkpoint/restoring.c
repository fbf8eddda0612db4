/*
 * restoring.c - other numbers of ranks, other blocks; which one is restored
 */
#include "state.h"
#include "tables.h"

#include "io/checkpoint/commit.h"
#include "io/checkpoint/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void save_seed(rpt_group_t *group, const char *folder, int seed,
                      bool turned)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    struct state state;
    rpt_checkpoint_t *c = NULL;

    state_make(&state, rank, size, turned);
    state_fill(&state, seed);
    WORKS(rpt_checkpoint_open(group, folder, "task", NULL, &c));
    state_add(&state, c);
    WORKS(rpt_checkpoint_save(c, (uint64_t)seed));
    rpt_checkpoint_close(c);
    state_free(&state);
}

/* Restores and gives the iteration; 0: it failed with this status. */
static uint64_t restore_as(rpt_group_t *group, const char *folder, int seed,
                           int n_savers, bool turned, rpt_blob_policy_t policy,
                           rpt_status_t wanted)
{
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    struct state state;
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 0;

    state_make(&state, rank, size, turned);
    state.policy = policy;
    state.n_savers = n_savers;
    state_spoil(&state);
    state.seed = seed;
    WORKS(rpt_checkpoint_open(group, folder, "task", NULL, &c));
    state_add(&state, c);
    if (wanted != RPT_OK) {
        CHECK(rpt_checkpoint_restore(c, &iteration) == wanted);
    } else {
        WORKS(rpt_checkpoint_restore(c, &iteration));
        CHECK(state_is(&state, seed));
    }
    rpt_checkpoint_close(c);
    state_free(&state);
    return iteration;
}

/* Every number of ranks saves, every other one restores. */
static void from_any_to_any(struct world *w)
{
    for (int from = 1; from <= w->size; from++) {
        for (int to = 1; to <= w->size; to++) {
            rpt_group_t *savers = NULL, *restorers = NULL;
            int seed = from * 10 + to;

            WORKS(rpt_group_split(w->group, w->rank < from ? 0 : -1, w->rank,
                                  &savers));
            WORKS(rpt_group_split(w->group, w->rank >= w->size - to ? 0 : -1,
                                  w->rank, &restorers));
            if (savers != NULL) {
                save_seed(savers, w->folder, seed, to % 2 == 0);
            }
            meet(w);
            if (restorers != NULL) {
                CHECK(restore_as(restorers, w->folder, seed, from, to % 3 == 0,
                                 to % 2 == 0 ? RPT_BLOB_SPREAD : RPT_BLOB_ALL,
                                 RPT_OK) == (uint64_t)seed);
            }
            meet(w);
            rpt_group_destroy(savers);
            rpt_group_destroy(restorers);
        }
    }
}

static void any_number_of_ranks_restores_what_any_number_saved(void)
{
    on_all(2, "io.checkpoint.tries=0", from_any_to_any);
}

/* ---- which one ---- */

static void restore_newest(struct world *w)
{
    for (int seed = 1; seed <= 3; seed++) {
        save_seed(w->group, w->folder, seed, false);
    }
    CHECK(restore_as(w->group, w->folder, 3, 0, true, RPT_BLOB_SAME_RANKS,
                     RPT_OK) == 3);
}

static void the_highest_iteration_is_restored(void)
{
    on_all(1, NULL, restore_newest);
}

/* The third start from it is one too many: nothing came of the others. */
static void restore_in_vain(struct world *w)
{
    save_seed(w->group, w->folder, 1, false);
    save_seed(w->group, w->folder, 2, false);
    /* Who only looks, and closes, says nothing against it. */
    for (int i = 0; i < 3; i++) {
        CHECK(restore_as(w->group, w->folder, 2, 0, false, RPT_BLOB_SAME_RANKS,
                         RPT_OK) == 2);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(restore_as(w->group, w->folder, 2, 0, false, RPT_BLOB_SAME_RANKS,
                         RPT_OK) == 2);
        die_before_close(w, "task");
    }
    CHECK(restore_as(w->group, w->folder, 1, 0, false, RPT_BLOB_SAME_RANKS,
                     RPT_OK) == 1);
    meet(w);
    CHECK(count_names(w, "task", ".bad-") == 1);
    meet(w);
    /* There is none before this one: it is tried for ever. */
    for (int i = 0; i < 3; i++) {
        die_before_close(w, "task");
        CHECK(restore_as(w->group, w->folder, 1, 0, false, RPT_BLOB_SAME_RANKS,
                         RPT_OK) == 1);
    }
    /* Progress makes it good again. */
    save_seed(w->group, w->folder, 2, false);
    CHECK(restore_as(w->group, w->folder, 2, 0, false, RPT_BLOB_SAME_RANKS,
                     RPT_OK) == 2);
}

static void one_that_leads_nowhere_is_put_aside(void)
{
    on_all(1, "io.checkpoint.tries=2", restore_in_vain);
}

/* ---- what does not fit ---- */

static rpt_checkpoint_t *open_task(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    return c;
}

static void restore_others(struct world *w)
{
    double two[2] = { 1, 2 };
    int32_t one = 3;
    uint64_t iteration = 77;
    rpt_checkpoint_t *c = open_task(w);

    WORKS(rpt_checkpoint_add_value(c, "a", RPT_TYPE_F64, 2, two));
    WORKS(rpt_checkpoint_add_value(c, "b", RPT_TYPE_I32, 1, &one));
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);

    c = open_task(w); /* less than there is */
    two[0] = two[1] = 0;
    WORKS(rpt_checkpoint_add_value(c, "a", RPT_TYPE_F64, 2, two));
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(two[0] > 0.5 && two[1] > 1.5 && iteration == 1);
    iteration = 77;
    WORKS(rpt_checkpoint_add_value(c, "c", RPT_TYPE_I32, 1, &one));
    FAILS(RPT_ERR_NOT_FOUND, "no item \"c\"",
          rpt_checkpoint_restore(c, &iteration));
    rpt_checkpoint_close(c);

    c = open_task(w);
    WORKS(rpt_checkpoint_add_value(c, "a", RPT_TYPE_F64, 1, two));
    FAILS(RPT_ERR_MISMATCH, "value f64 of 2",
          rpt_checkpoint_restore(c, &iteration));
    WORKS(rpt_checkpoint_add_value(c, "a", RPT_TYPE_I64, 2, two));
    FAILS(RPT_ERR_MISMATCH, "value i64 of 2",
          rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 77);
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "task", ".bad-") == 0);
}

static void what_does_not_fit_is_said(void)
{
    on_all(1, NULL, restore_others);
}

/* No rank takes that for damage, or for a reason to go back further. */
static void restore_without_descriptors(struct world *w)
{
    struct rlimit before = { 0, 0 }, none;
    rpt_checkpoint_t *c = NULL;
    uint64_t iteration = 77, value = 5;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_U64, 1, &value));
    WORKS(rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_save(c, 2));
    meet(w);
    if (w->rank == 0) {
        CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
        none = (struct rlimit){ 3, before.rlim_max };
        CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    meet(w);
    FAILS(RPT_ERR_SYSTEM, "open files", rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 77);
    meet(w);
    if (w->rank == 0) {
        CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(count_names(w, "t", ".bad-") == 0);
    }
    meet(w);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 2);
    rpt_checkpoint_close(c);
}

static void without_descriptors_a_restore_fails_and_nothing_else(void)
{
    on_all(1, NULL, restore_without_descriptors);
}

static void restore_blobs(struct world *w)
{
    rpt_group_t *part = NULL;

    save_seed(w->group, w->folder, 5, false);
    WORKS(rpt_group_split(w->group, w->rank > 0 ? 0 : -1, w->rank, &part));
    if (part != NULL) {
        CHECK(restore_as(part, w->folder, 5, w->size, false,
                         RPT_BLOB_SAME_RANKS, RPT_ERR_UNSUPPORTED) == 0);
        CHECK(restore_as(part, w->folder, 5, w->size, false, RPT_BLOB_SPREAD,
                         RPT_OK) == 5);
        rpt_group_destroy(part);
    }
    meet(w);
}

static void a_blob_of_as_many_ranks_is_not_for_others(void)
{
    on_all(2, NULL, restore_blobs);
}

static void differ(struct world *w)
{
    double value = 0;
    uint64_t iteration = 0;
    rpt_checkpoint_t *c = open_task(w);

    WORKS(rpt_checkpoint_add_value(c, w->rank == 1 ? "x" : "y", RPT_TYPE_F64, 1,
                                   &value));
    FAILS(RPT_ERR_MISMATCH, "different items",
          rpt_checkpoint_restore(c, &iteration));
    FAILS(RPT_ERR_MISMATCH, "different items", rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_add_value(c, w->rank == 1 ? "y" : "x", RPT_TYPE_F64, 1,
                                   &value));
    FAILS(RPT_ERR_MISMATCH, "different items", rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    CHECK(count_names(w, "task", "it-") == 0);
}

static void ranks_with_different_items_are_told(void)
{
    on_all(2, NULL, differ);
}

/* The manifest is whole, and a blob, or its index, has no elements to read. */
static void read_badly(struct world *w)
{
    struct rpt_dir task = RPT_DIR_CLOSED;
    struct rpt_opened o = RPT_OPENED_NONE;
    struct rpt_dataset *index, *blob;
    char *name = NULL;
    uint64_t *begins = NULL;
    int fd = -1;

    save_seed(w->group, w->folder, 3, false);
    meet(w);
    if (w->rank > 0) {
        return;
    }
    name = nth_newest(w, "task", 0);
    WORKS(rpt__dir_open_path(path_of(w, "task", NULL), &task));
    WORKS(rpt__opened_read(&task, name, &o));
    WORKS(rpt__dir_open_file(&o.dir, RPT_STATE_FILE, false, &fd));
    blob = (struct rpt_dataset *)(uintptr_t)rpt__dataset_find(&o.manifest,
                                                              "rng");
    index = (struct rpt_dataset *)(uintptr_t)rpt__dataset_find(
        &o.manifest, "repartir/begins/rng");
    if (CHECK(blob != NULL && index != NULL)) {
        WORKS(rpt__load_begins(&o, fd, blob, &begins));
        free(begins);
        index->n_dims = 2;
        FAILS(RPT_ERR_CORRUPT, "table of its ranks",
              rpt__load_begins(&o, fd, blob, &begins));
        index->n_dims = 1;
        blob->n_dims = 2;
        FAILS(RPT_ERR_CORRUPT, "table of its ranks",
              rpt__load_begins(&o, fd, blob, &begins));
    }
    close(fd);
    rpt__opened_free(&o);
    rpt__dir_close(&task);
    free(name);
}

static void a_blob_of_no_such_shape_is_not_used(void)
{
    on_all(1, NULL, read_badly);
}

const struct rpt_test restoring_tests[] = {
    RPT_TEST(any_number_of_ranks_restores_what_any_number_saved),
    RPT_TEST(the_highest_iteration_is_restored),
    RPT_TEST(one_that_leads_nowhere_is_put_aside),
    RPT_TEST(what_does_not_fit_is_said),
    RPT_TEST(without_descriptors_a_restore_fails_and_nothing_else),
    RPT_TEST(a_blob_of_as_many_ranks_is_not_for_others),
    RPT_TEST(ranks_with_different_items_are_told),
    RPT_TEST(a_blob_of_no_such_shape_is_not_used),
    RPT_TEST_END,
};
