/*
 * saving.c - what a save writes: both engines, waiting for it or not
 */
#include "state.h"
#include "tables.h"

#include "io/checkpoint/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rpt_checkpoint_t *open_task(struct world *w, struct state *state)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    if (c != NULL && state != NULL) {
        state_add(state, c);
    }
    return c;
}

/* Saves seed 1 as iteration 10, restores it in a second opening. */
static void save_and_restore(struct world *w, bool async)
{
    struct state state;
    rpt_checkpoint_t *c;
    uint64_t iteration = 99;

    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 1);
    c = open_task(w, &state);
    CHECK(rpt_checkpoint_restore(c, &iteration) == RPT_END);
    CHECK(iteration == 99);
    if (async) {
        WORKS(rpt_checkpoint_save_async(c, 10));
        state_spoil(&state); /* it may be changed at once */
        WORKS(rpt_checkpoint_wait(c));
        CHECK(rpt_checkpoint_test(c) == RPT_OK);
    } else {
        WORKS(rpt_checkpoint_save(c, 10));
    }
    rpt_checkpoint_close(c);
    c = open_task(w, &state);
    state_spoil(&state);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 10);
    CHECK(state_is(&state, 1));
    CHECK(state.n_unpacked == 1);
    rpt_checkpoint_close(c);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    state_free(&state);
}

static void save_now(struct world *w)
{
    save_and_restore(w, false);
}

static void save_behind(struct world *w)
{
    save_and_restore(w, true);
}

static void what_is_saved_comes_back(void)
{
    on_all(1, NULL, save_now);
}

static void what_is_saved_in_the_background_comes_back(void)
{
    on_all(1, NULL, save_behind);
}

static void so_it_does_without_syncs(void)
{
    on_all(1, "io.checkpoint.sync=no", save_now);
}

static void so_it_does_between_nodes(void)
{
    on_all(2, "topo.virtual_nodes=2 comm.shm=no", save_behind);
}

static void so_it_does_with_the_collective_engine(void)
{
    if (!over_mpi) {
        rpt_test_skip("ranks are threads here");
        return;
    }
    on_all(1, "io.checkpoint.engine=collective", save_now);
    on_all(1, "io.checkpoint.engine=collective", save_behind);
}

/* The files of two tasks differ by the time, 8 bytes, at most. */
static void check_same_but_time(const struct world *w)
{
    char *a = nth_newest(w, "task", 0), *b = nth_newest(w, "other", 0);
    char line[2600];

    snprintf(line, sizeof line,
             "test $(cmp -l %s/%s/state.h5 %s/%s/state.h5 | wc -l) -le 8",
             path_of(w, "task", NULL), a, path_of(w, "other", NULL), b);
    CHECK(system(line) == 0);
    free(a);
    free(b);
}

/* The two engines write the same bytes, but for the time. */
static void compare_engines(struct world *w)
{
    rpt_options_t *options = options_with("io.checkpoint.engine=collective");
    struct state state;
    rpt_checkpoint_t *c;

    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 3);
    c = open_task(w, &state);
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "other", options, &c));
    state_add(&state, c);
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    if (w->rank == 0) {
        check_same_but_time(w);
    }
    rpt_options_destroy(options);
    state_free(&state);
}

static void both_engines_write_the_same_file(void)
{
    if (!over_mpi) {
        rpt_test_skip("ranks are threads here");
        return;
    }
    on_all(1, NULL, compare_engines);
}

/* Short rows are put together inside a node, or not: the same bytes. */
static void compare_gathered(struct world *w)
{
    rpt_options_t *options = options_with("io.checkpoint.row_bytes=0");
    struct state state;
    rpt_checkpoint_t *c;

    state_make(&state, w->rank, w->size, true);
    state_fill(&state, 3);
    c = open_task(w, &state);
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    sleep(1); /* the time is nowhere else */
    WORKS(rpt_checkpoint_open(w->group, w->folder, "other", options, &c));
    state_add(&state, c);
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    if (w->rank == 0) {
        check_same_but_time(w);
    }
    rpt_options_destroy(options);
    state_free(&state);
}

static void gathered_rows_are_the_same_file(void)
{
    on_all(1, NULL, compare_gathered);
    on_all(2, "topo.virtual_nodes=2", compare_gathered);
}

/* ---- many, one after another ---- */

static void save_many(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;
    rpt_checkpoint_stats_t stats;
    uint64_t iteration = 0;
    char *newest;

    state_make(&state, w->rank, w->size, false);
    c = open_task(w, &state);
    for (int i = 1; i <= 12; i++) {
        state_fill(&state, i);
        WORKS(i % 2 == 0 ? rpt_checkpoint_save(c, (uint64_t)i)
                         : rpt_checkpoint_save_async(c, (uint64_t)i));
    }
    WORKS(rpt_checkpoint_wait(c));
    WORKS(rpt_checkpoint_stats(c, &stats));
    CHECK(stats.n_saves == 12 && stats.n_failures == 0);
    /* Old ones go after that, in the background. */
    rpt_checkpoint_close(c);
    c = open_task(w, &state);
    meet(w);
    CHECK(count_names(w, "task", "it-") == 5); /* 5 10; 10 11 12 */
    newest = nth_newest(w, "task", 0);
    CHECK(newest != NULL && strncmp(newest, "it-000000000012-", 16) == 0);
    free(newest);
    state_spoil(&state);
    state.seed = 12;
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 12 && state_is(&state, 12));
    rpt_checkpoint_close(c);
    state_free(&state);
}

static void old_ones_are_removed_as_the_options_say(void)
{
    on_all(1, "io.checkpoint.keep=4 io.checkpoint.keep_every=5", save_many);
}

/* Newest first: the newest one and the one just committed stay, although only
 * one is to be kept. */
static void what_was_just_committed_is_kept(void)
{
    struct rpt_retention rules = { .keep = 1, .committed = 2 };
    struct rpt_found found[4] = { { .iteration = 40, .id = 9 },
                                  { .iteration = 30, .id = 2 },
                                  { .iteration = 20, .id = 7 },
                                  { .iteration = 10, .id = 5 } };
    bool goes[4] = { false, false, false, false };

    rpt__retention_choose(&rules, found, 4, 0, goes);
    CHECK(!goes[0] && !goes[1] && goes[2] && goes[3]);
    rules.committed = 0;
    rpt__retention_choose(&rules, found, 4, 0, goes);
    CHECK(!goes[0] && goes[1] && goes[2] && goes[3]);
}

/* 128 GiB that are nobody's, of which the disk and rank 0 know nothing. */
static void save_a_corner(struct world *w)
{
    uint64_t numbers[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = "most is nobody's",
                                 .type = RPT_TYPE_U64,
                                 .n_dims = 1,
                                 .dims = { UINT64_C(1) << 34 },
                                 .start = { (UINT64_C(1) << 33) +
                                            8 * (uint64_t)w->rank },
                                 .count = { 8 },
                                 .data = numbers };
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c));
    WORKS(rpt_checkpoint_add_array(c, &a));
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    meet(w);
    CHECK(w->rank > 0 || room_of(w, "t") < 1 << 20);
}

static void what_is_nobodys_takes_no_memory(void)
{
    on_all(1, NULL, save_a_corner);
}

/* Sizes differ: a small old one does not stay where a newer one goes. */
static void what_is_older_than_too_much_goes(void)
{
    struct rpt_retention rules = { .keep = 9, .bytes = 100 };
    struct rpt_found found[4] = { { .iteration = 4, .id = 4, .bytes = 40 },
                                  { .iteration = 3, .id = 3, .bytes = 90 },
                                  { .iteration = 2, .id = 2, .bytes = 40 },
                                  { .iteration = 1, .id = 1, .bytes = 10 } };
    bool goes[4] = { true, false, false, false };

    rpt__retention_choose(&rules, found, 4, 0, goes);
    CHECK(!goes[0] && goes[1] && goes[2] && goes[3]);
    rules.verified = 2;
    rpt__retention_choose(&rules, found, 4, 0, goes);
    CHECK(!goes[0] && goes[1] && !goes[2] && goes[3]);
    rules.bytes = 170;
    rpt__retention_choose(&rules, found, 4, 0, goes);
    CHECK(!goes[0] && !goes[1] && !goes[2] && goes[3]);
}

/* Blocks move, an item is added: each time the file is another. */
static void change_shapes(struct world *w)
{
    struct state one, two;
    rpt_checkpoint_t *c;
    uint64_t iteration = 0;
    double more = 7;

    state_make(&one, w->rank, w->size, false);
    state_make(&two, w->rank, w->size, true);
    c = open_task(w, &one);
    state_fill(&one, 1);
    WORKS(rpt_checkpoint_save(c, 1));
    state_add(&two, c);
    state_fill(&two, 2);
    WORKS(rpt_checkpoint_save(c, 2));
    WORKS(rpt_checkpoint_add_value(c, "more", RPT_TYPE_F64, 1, &more));
    WORKS(rpt_checkpoint_save(c, 3));
    state_spoil(&two);
    more = 0;
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 3 && state_is(&two, 2));
    CHECK(more > 6.5);
    rpt_checkpoint_close(c);
    state_free(&one);
    state_free(&two);
}

static void blocks_may_move_between_saves(void)
{
    on_all(1, NULL, change_shapes);
}

/* ---- groups ---- */

static void save_in_parts(struct world *w)
{
    rpt_group_t *part = NULL;
    rpt_checkpoint_t *c = NULL, *all = NULL;
    uint64_t value = (uint64_t)w->rank % 2, all_value = 5, iteration = 0;
    char task[16];

    snprintf(task, sizeof task, "part%d", w->rank % 2);
    WORKS(rpt_group_split(w->group, w->rank % 2, -w->rank, &part));
    WORKS(rpt_checkpoint_open(part, w->folder, task, NULL, &c));
    WORKS(rpt_checkpoint_open(w->group, w->folder, "all", NULL, &all));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_U64, 1, &value));
    WORKS(rpt_checkpoint_add_value(all, "v", RPT_TYPE_U64, 1, &all_value));
    for (uint64_t i = 1; i <= 5; i++) {
        WORKS(rpt_checkpoint_save_async(c, i));
        WORKS(rpt_checkpoint_save_async(all, i));
        WORKS(rpt_group_barrier(part));
    }
    value = all_value = 77;
    WORKS(rpt_checkpoint_restore(all, &iteration));
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 5);
    CHECK(value == (uint64_t)w->rank % 2 && all_value == 5);
    rpt_checkpoint_close(all);
    rpt_checkpoint_close(c);
    rpt_group_destroy(part);
}

static void groups_save_at_the_same_time(void)
{
    on_all(2, NULL, save_in_parts);
}

const struct rpt_test saving_tests[] = {
    RPT_TEST(what_is_saved_comes_back),
    RPT_TEST(what_is_saved_in_the_background_comes_back),
    RPT_TEST(so_it_does_without_syncs),
    RPT_TEST(so_it_does_between_nodes),
    RPT_TEST(so_it_does_with_the_collective_engine),
    RPT_TEST(both_engines_write_the_same_file),
    RPT_TEST(gathered_rows_are_the_same_file),
    RPT_TEST(old_ones_are_removed_as_the_options_say),
    RPT_TEST(what_was_just_committed_is_kept),
    RPT_TEST(what_is_older_than_too_much_goes),
    RPT_TEST(what_is_nobodys_takes_no_memory),
    RPT_TEST(blocks_may_move_between_saves),
    RPT_TEST(groups_save_at_the_same_time),
    RPT_TEST_END,
};
