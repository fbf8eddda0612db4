/*
 * levels.c - saves that stay on the nodes, and come back when nodes are lost
 *
 * Nodes are virtual, so their folders are in one directory, LOCAL/repartir-UID/
 * TASK-HASH/node-N: a node is lost when its folder is.
 */
#include "state.h"
#include "tables.h"

#include "io/checkpoint/level_priv.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const copies[] = { "none", "partner", "xor" };
enum { NONE, PARTNER, XOR };

/* Runs fn with so many to 4 nodes, where there are as many ranks. */
static int n_virtual;
static world_fn tried;

static void try_it(struct world *w)
{
    if (w->size >= n_virtual) {
        tried(w);
    }
}

static void on_nodes(int least, world_fn fn)
{
    tried = fn;
    state_shrink(true);
    rpt_log_set_level(RPT_LOG_ERROR); /* what is lost is a warning */
    for (n_virtual = least; n_virtual <= 4; n_virtual++) {
        char settings[64];

        snprintf(settings, sizeof settings, "topo.virtual_nodes=%d", n_virtual);
        on_all(n_virtual, settings, try_it);
    }
    state_shrink(false);
    rpt_log_set_level(RPT_LOG_WARN);
}

/* On rank 0, between two meetings; %s of the format is the folder. */
static void shell(struct world *w, const char *format, ...)
{
    char line[4096];
    va_list list;

    meet(w);
    if (w->rank == 0) {
        int n = snprintf(line, sizeof line, "cd %s && ", w->folder);

        va_start(list, format);
        vsnprintf(line + n, sizeof line - (size_t)n, format, list);
        va_end(list);
        if (!CHECK(system(line) == 0)) {
            fprintf(stderr, "%s\n", line);
        }
    }
    meet(w);
}

static int count_of(const struct world *w, const char *pattern)
{
    char line[4096], text[32] = "";
    FILE *out;

    snprintf(line, sizeof line, "find %s -path '%s' | wc -l", w->folder,
             pattern);
    out = popen(line, "r");
    CHECK(out != NULL && fgets(text, sizeof text, out) != NULL);
    pclose(out);
    return atoi(text);
}

/* Files of the local level; all ranks count before anybody goes on. */
static int local_files(struct world *w)
{
    int n;

    meet(w);
    n = count_of(w, "*/local/repartir-*/*/*/?*");
    meet(w);
    return n;
}

static rpt_checkpoint_t *open_in(rpt_group_t *group, const char *folder,
                                 struct state *state, int copy,
                                 const char *more)
{
    rpt_checkpoint_t *c = NULL;
    rpt_options_t *options;
    char settings[1024];

    snprintf(settings, sizeof settings,
             "io.checkpoint.local_dir=%s/local io.checkpoint.local_copy=%s "
             "io.checkpoint.flush_every=100 io.checkpoint.sync=no %s",
             folder, copies[copy], more);
    options = options_with(settings);
    WORKS(rpt_checkpoint_open(group, folder, "task", options, &c));
    rpt_options_destroy(options);
    if (c != NULL) {
        state_add(state, c);
    }
    return c;
}

/* Saves seeds 1 to n as iterations 1 to n: the first one is shared. */
static void save_in(rpt_group_t *group, const char *folder, int copy, int n,
                    bool async)
{
    struct state state;
    rpt_checkpoint_t *c;

    state_make(&state, rpt_group_rank(group), rpt_group_size(group), false);
    c = open_in(group, folder, &state, copy, "");
    for (int i = 1; i <= n; i++) {
        state_fill(&state, i);
        if (async) {
            WORKS(rpt_checkpoint_save_async(c, (uint64_t)i));
            state_spoil(&state);
            WORKS(rpt_checkpoint_wait(c));
        } else {
            WORKS(rpt_checkpoint_save(c, (uint64_t)i));
        }
    }
    rpt_checkpoint_close(c);
    state_free(&state);
}

/* Whether this iteration is restored, with its values. */
static bool restore_in(rpt_group_t *group, const char *folder, int wanted,
                       int n_savers, bool turned)
{
    struct state state;
    rpt_checkpoint_t *c;
    uint64_t iteration = 0;
    bool good;

    state_make(&state, rpt_group_rank(group), rpt_group_size(group), turned);
    state.policy = RPT_BLOB_ALL;
    state.n_savers = n_savers;
    state_spoil(&state);
    state.seed = wanted;
    c = open_in(group, folder, &state, NONE, "");
    WORKS(rpt_checkpoint_restore(c, &iteration));
    good = iteration == (uint64_t)wanted && state_is(&state, wanted);
    rpt_checkpoint_close(c);
    state_free(&state);
    return good;
}

static void begin(struct world *w)
{
    shell(w, "rm -rf local task && mkdir local");
}

static void save_some(struct world *w, int copy, int n)
{
    begin(w);
    save_in(w->group, w->folder, copy, n, false);
}

static bool restored(struct world *w, int wanted)
{
    return restore_in(w->group, w->folder, wanted, w->size, false);
}

/* ---- which save goes where ---- */

static void go_round(struct world *w)
{
    static const bool is_shared[] = { true,  false, false, true,
                                      false, false, true };
    struct state state;
    rpt_checkpoint_stats_t stats;
    rpt_checkpoint_t *c;
    int n_shared = 0;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    c = open_in(w->group, w->folder, &state, XOR,
                "io.checkpoint.flush_every=3 io.checkpoint.keep=9");
    for (int i = 0; i < 7; i++) {
        state_fill(&state, i + 1);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i + 1));
        n_shared += is_shared[i];
        CHECK(count_names(w, "task", "it-") == n_shared);
        CHECK(count_names(w, "task", ".tmp-") == 0);
        meet(w);
    }
    WORKS(rpt_checkpoint_stats(c, &stats));
    CHECK(stats.n_saves == 7 && stats.n_local == 4);
    rpt_checkpoint_close(c);
    CHECK(local_files(w) == 0);
    CHECK(count_names(w, "local", "repartir-") == 0);
    state_free(&state);
}

static void one_of_so_many_saves_is_shared(void)
{
    on_nodes(1, go_round);
}

static void keep_few(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    c = open_in(w->group, w->folder, &state, NONE,
                "io.checkpoint.local_keep=2");
    for (int i = 1; i <= 5; i++) {
        state_fill(&state, i);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i));
    }
    rpt_checkpoint_close(c);
    CHECK(local_files(w) == 2 * w->size);
    CHECK(restored(w, 5));
    CHECK(local_files(w) == 0);
    CHECK(count_names(w, "local", "repartir-") == 0);
    state_free(&state);
}

static void the_newest_ones_are_kept(void)
{
    on_nodes(1, keep_few);
}

static void stop_soon(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;
    int due = 0;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 1);
    c = open_in(w->group, w->folder, &state, NONE, "io.checkpoint.keep=9");
    WORKS(rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_save(c, 2));
    shell(w, "touch HALT");
    WORKS(rpt_checkpoint_due(c, 3, &due));
    CHECK(due == RPT_DUE_HALT);
    WORKS(rpt_checkpoint_save(c, 3));
    CHECK(count_names(w, "task", "it-") == 2);
    rpt_checkpoint_close(c);
    CHECK(local_files(w) == 0);
    shell(w, "rm HALT");
    state_free(&state);
}

static void a_save_before_a_stop_is_shared(void)
{
    on_nodes(1, stop_soon);
}

static void route_one(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;
    char *path = NULL, name[32];
    FILE *out;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 1);
    c = open_in(w->group, w->folder, &state, NONE, "io.checkpoint.keep=9");
    WORKS(rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_begin(c, 2));
    snprintf(name, sizeof name, "mine%d", w->rank);
    WORKS(rpt_checkpoint_route(c, name, &path));
    out = fopen(path, "w");
    CHECK(out != NULL && fputs("x", out) >= 0);
    fclose(out);
    free(path);
    WORKS(rpt_checkpoint_save(c, 2));
    CHECK(count_names(w, "task", "it-") == 2);
    rpt_checkpoint_close(c);
    CHECK(local_files(w) == 0);
    state_free(&state);
}

static void one_with_files_of_the_program_is_shared(void)
{
    on_nodes(1, route_one);
}

/* ---- coming back ---- */

static void come_back(struct world *w)
{
    for (int copy = NONE; copy <= XOR; copy++) {
        for (int async = 0; async < 2; async++) {
            begin(w);
            save_in(w->group, w->folder, copy, 3, async != 0);
            CHECK(count_names(w, "task", "it-") == 1);
            CHECK(local_files(w) > 0);
            CHECK(restored(w, 3));
            CHECK(count_names(w, "task", "it-") == 2);
            CHECK(local_files(w) == 0);
        }
    }
}

static void a_newer_local_one_is_restored(void)
{
    on_nodes(1, come_back);
}

/* More than one message of bytes. */
static void come_back_large(struct world *w)
{
    for (int copy = PARTNER; copy <= XOR; copy++) {
        state_shrink(false);
        save_some(w, copy, 2);
        shell(w, "rm -r local/repartir-*/*/node-00001");
        CHECK(restored(w, 2));
        meet(w);
        state_shrink(true);
    }
}

static void large_parts_are_copied_too(void)
{
    on_nodes(2, come_back_large);
}

/* The same again, while the job goes on. */
static void look_back(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;
    uint64_t iteration = 0;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    c = open_in(w->group, w->folder, &state, XOR, "");
    for (int i = 1; i <= 3; i++) {
        state_fill(&state, i);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i));
    }
    state.seed = 3;
    for (int i = 0; i < 2; i++) {
        state_spoil(&state);
        WORKS(rpt_checkpoint_restore(c, &iteration));
        CHECK(iteration == 3 && state_is(&state, 3));
    }
    state_fill(&state, 4);
    WORKS(rpt_checkpoint_save(c, 4));
    rpt_checkpoint_close(c);
    CHECK(restored(w, 4));
    state_free(&state);
}

static void the_job_itself_may_go_back(void)
{
    on_nodes(1, look_back);
}

static void from_any_to_any(struct world *w)
{
    for (int from = 1; from <= w->size && w->size <= 4; from++) {
        for (int to = 1; to <= w->size; to++) {
            rpt_group_t *savers = NULL, *restorers = NULL;

            WORKS(rpt_group_split(w->group, w->rank < from ? 0 : -1, w->rank,
                                  &savers));
            WORKS(rpt_group_split(w->group, w->rank >= w->size - to ? 0 : -1,
                                  w->rank, &restorers));
            begin(w);
            if (savers != NULL) {
                save_in(savers, w->folder, (from + to) % 2 == 0 ? XOR : PARTNER,
                        2, false);
            }
            meet(w);
            if (restorers != NULL) {
                CHECK(restore_in(restorers, w->folder, 2, from, to % 3 == 0));
            }
            CHECK(local_files(w) == 0);
            rpt_group_destroy(savers);
            rpt_group_destroy(restorers);
        }
    }
}

static void any_number_of_ranks_restores_it(void)
{
    on_nodes(2, from_any_to_any);
}

/* ---- nodes are lost ---- */

static void lose_one(struct world *w)
{
    for (int copy = NONE; copy <= XOR; copy++) {
        bool survives = copy != NONE && n_virtual > 1;

        for (int node = 0; node < n_virtual; node++) {
            save_some(w, copy, 3);
            shell(w, "rm -r local/repartir-*/*/node-%05d", node);
            CHECK(restored(w, survives ? 3 : 1));
        }
    }
}

static void one_node_may_be_lost(void)
{
    on_nodes(1, lose_one);
}

static void lose_two(struct world *w)
{
    for (int copy = NONE; copy <= XOR; copy++) {
        for (int node = 0; node < n_virtual; node++) {
            save_some(w, copy, 3);
            shell(w, "cd local/repartir-*/* && rm -r node-%05d node-%05d", node,
                  (node + 1) % n_virtual);
            CHECK(restored(w, 1));
        }
    }
}

static void when_two_are_lost_the_shared_one_is_restored(void)
{
    on_nodes(2, lose_two);
}

/* One of each set. */
static void lose_one_of_each(struct world *w)
{
    struct state state;
    rpt_checkpoint_t *c;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    c = open_in(w->group, w->folder, &state, XOR, "io.checkpoint.local_set=2");
    for (int i = 1; i <= 2; i++) {
        state_fill(&state, i);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i));
    }
    rpt_checkpoint_close(c);
    shell(w, "cd local/repartir-*/* && rm -r node-00001 node-00002");
    CHECK(restored(w, 2));
    state_free(&state);
}

static void of_each_set_one_node_may_be_lost(void)
{
    on_nodes(4, lose_one_of_each);
}

/* Nodes with 1, 2, 3, 1, ... ranks. */
static void sets_cover_all_nodes_and_none_is_alone(void)
{
    enum { MOST = 40 };
    int begin[MOST + 1] = { 0 }, ranks[3 * MOST];

    for (int i = 0; i < MOST; i++) {
        begin[i + 1] = begin[i] + i % 3 + 1;
    }
    for (int r = 0; r < begin[MOST]; r++) {
        ranks[r] = r;
    }
    for (int n = 2; n <= MOST; n++) {
        struct rpt_nodes nodes = { .n = n, .begin = begin, .ranks = ranks };

        for (int most = 2; most < 12; most++) {
            int next = 0;

            while (next < n) {
                struct rpt_xor_set set = rpt__nodes_set(&nodes, next, most);
                int rank = -1;

                CHECK(set.first == next);
                CHECK(set.n >= 2 && set.n <= (most > 2 ? most : 3));
                next += set.n;
                CHECK(rpt__nodes_set(&nodes, next - 1, most).first ==
                      set.first);
                for (int i = 0; i < set.n; i++) {
                    int node = set.first + i;

                    CHECK(rpt__nodes_member(&nodes, &set, 2, i, &rank) ==
                          (node % 3 == 2));
                    CHECK(rank >= begin[node] && rank < begin[node + 1]);
                }
            }
            CHECK(next == n);
        }
    }
}

/* ---- damage ---- */

/* Every file of rank 0's part that is its own, in several places. */
static void damage(struct world *w)
{
    static const char *const tricks[] = {
        "printf x | dd of=$f bs=1 seek=20 conv=notrunc 2>/dev/null",
        "printf x | dd of=$f bs=1 seek=300 conv=notrunc 2>/dev/null",
        ("printf xyz | dd of=$f bs=1 seek=$(($(stat -c %s $f) - 3)) "
         "conv=notrunc 2>/dev/null"),
        "truncate -s 30 $f",
        "truncate -s -1 $f",
        "chmod o+w $f",
        "rm $f && ln -s ../../../../HALT $f",
        "rm $f && mkfifo $f",
        "rm $f",
    };

    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        int copy = (int)(i + (size_t)w->size) % 3;
        bool survives = copy != NONE && n_virtual > 1;

        save_some(w, copy, 2);
        shell(w,
              "for f in local/repartir-*/*/node-00000/it-*.rank-00000; do %s; "
              "done",
              tricks[i]);
        if (!CHECK(restored(w, survives ? 2 : 1))) {
            fprintf(stderr, "%s, %s\n", tricks[i], copies[copy]);
        }
    }
}

static void what_is_damaged_is_not_used(void)
{
    on_nodes(1, damage);
}

/* The parity, too. */
static void damage_parity(struct world *w)
{
    save_some(w, XOR, 2);
    shell(w, "cd local/repartir-*/* && rm -r node-00000 && "
             "for f in node-00001/*.xor-*; do printf xyz | "
             "dd of=$f bs=1 seek=$(($(stat -c %%s $f) - 3)) conv=notrunc "
             "2>/dev/null; done");
    CHECK(restored(w, 1));
    save_some(w, XOR, 2);
    shell(w, "cd local/repartir-*/* && for f in node-00001/*.xor-*; do "
             "printf x >>$f; printf x | dd of=$f bs=1 seek=200 conv=notrunc "
             "2>/dev/null; done");
    CHECK(restored(w, 2));
}

static void damaged_parity_is_not_used(void)
{
    on_nodes(3, damage_parity);
}

/* The older of two local ones is better than the shared one. */
static void damage_newest(struct world *w)
{
    save_some(w, NONE, 3);
    shell(w, "rm local/repartir-*/*/node-00000/it-*3-*.rank-00000");
    CHECK(restored(w, 2));
}

static void the_one_before_is_restored_then(void)
{
    on_nodes(1, damage_newest);
}

/* ---- other histories ---- */

static void branch(struct world *w)
{
    save_some(w, PARTNER, 3);
    shell(w, "cp -a local away");
    shell(w, "rm -r task");
    {
        struct state state;
        rpt_checkpoint_t *c;
        uint64_t iteration = 0;

        state_make(&state, w->rank, w->size, false);
        c = open_in(w->group, w->folder, &state, PARTNER, "");
        CHECK(rpt_checkpoint_restore(c, &iteration) == RPT_END);
        state_fill(&state, 2);
        WORKS(rpt_checkpoint_save(c, 2));
        rpt_checkpoint_close(c);
        state_free(&state);
    }
    CHECK(local_files(w) == 0);
    /* A node comes back with what it had. */
    shell(w, "rm -rf local && mv away local");
    CHECK(restored(w, 2));
    save_in(w->group, w->folder, NONE, 0, false);
}

static void those_of_another_history_are_not_restored(void)
{
    on_nodes(1, branch);
}

/* ---- failures ---- */

/* A save on the nodes fails on all ranks; the next one is shared. */
static void fail_once(struct world *w, const char *break_it, const char *words,
                      const char *mend_it)
{
    struct state state;
    rpt_checkpoint_t *c;

    begin(w);
    state_make(&state, w->rank, w->size, false);
    state_fill(&state, 1);
    c = open_in(w->group, w->folder, &state, PARTNER, "io.checkpoint.keep=9");
    WORKS(rpt_checkpoint_save(c, 1));
    shell(w, "%s", break_it);
    FAILS(RPT_ERR_IO, words, rpt_checkpoint_save(c, 2));
    CHECK(count_names(w, "task", "it-") == 1);
    shell(w, "%s", mend_it);
    state_fill(&state, 3);
    WORKS(rpt_checkpoint_save(c, 3));
    CHECK(count_names(w, "task", "it-") == 2);
    rpt_checkpoint_close(c);
    CHECK(restored(w, 3));
    state_free(&state);
}

static void take_away(struct world *w)
{
    fail_once(w, "mv local gone", "io.checkpoint.local_dir", "mv gone local");
}

static void a_node_without_the_directory_fails_the_save(void)
{
    on_nodes(1, take_away);
}

static void refuse(struct world *w)
{
    static const char *const tricks[] = {
        "chmod 777 local",
        ("mkdir elsewhere && chmod 700 elsewhere && "
         "ln -s ../elsewhere local/repartir-$(id -u)"),
        "mkdir local/repartir-$(id -u) && chmod 755 local/repartir-$(id -u)",
        "touch local/repartir-$(id -u)",
    };

    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        struct state state;
        rpt_checkpoint_t *c;

        begin(w);
        state_make(&state, w->rank, w->size, false);
        state_fill(&state, 1);
        c = open_in(w->group, w->folder, &state, XOR, "");
        WORKS(rpt_checkpoint_save(c, 1));
        shell(w, "rm -rf elsewhere; %s", tricks[i]);
        FAILS(RPT_ERR_INVALID, "is not used", rpt_checkpoint_save(c, 2));
        shell(w, "rm -rf local && mkdir local");
        rpt_checkpoint_close(c);
        state_free(&state);
    }
}

static void what_others_may_change_is_not_used(void)
{
    on_nodes(1, refuse);
}

const struct rpt_test level_tests[] = {
    RPT_TEST(one_of_so_many_saves_is_shared),
    RPT_TEST(the_newest_ones_are_kept),
    RPT_TEST(a_save_before_a_stop_is_shared),
    RPT_TEST(one_with_files_of_the_program_is_shared),
    RPT_TEST(a_newer_local_one_is_restored),
    RPT_TEST(large_parts_are_copied_too),
    RPT_TEST(the_job_itself_may_go_back),
    RPT_TEST(any_number_of_ranks_restores_it),
    RPT_TEST(one_node_may_be_lost),
    RPT_TEST(when_two_are_lost_the_shared_one_is_restored),
    RPT_TEST(of_each_set_one_node_may_be_lost),
    RPT_TEST(sets_cover_all_nodes_and_none_is_alone),
    RPT_TEST(what_is_damaged_is_not_used),
    RPT_TEST(damaged_parity_is_not_used),
    RPT_TEST(the_one_before_is_restored_then),
    RPT_TEST(those_of_another_history_are_not_restored),
    RPT_TEST(a_node_without_the_directory_fails_the_save),
    RPT_TEST(what_others_may_change_is_not_used),
    RPT_TEST_END,
};
