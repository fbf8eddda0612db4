/*
 * recycling.c - saves that write only what has changed
 */
#include "tables.h"

#include "io/checkpoint/checkpoint_priv.h"

#include <repartir/catalog.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 3 << 17 }; /* doubles of a rank: three blocks */

struct two {
    rpt_checkpoint_t *c;
    double *fixed, *moving;
    uint64_t iteration;
};

static void add(const struct world *w, struct two *two, const char *name,
                double *data)
{
    rpt_checkpoint_array_t a = {
        .size = sizeof a, .name = name, .type = RPT_TYPE_F64, .n_dims = 1
    };

    a.dims[0] = (uint64_t)N * (uint64_t)w->size;
    a.start[0] = (uint64_t)N * (uint64_t)w->rank;
    a.count[0] = N;
    a.data = data;
    WORKS(rpt_checkpoint_add_array(two->c, &a));
}

static void open_two(struct world *w, struct two *two)
{
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &two->c));
    add(w, two, "fixed", two->fixed);
    add(w, two, "moving", two->moving);
}

static void make_two(struct world *w, struct two *two)
{
    two->fixed = calloc(N, sizeof(double));
    two->moving = calloc(N, sizeof(double));
    two->iteration = 0;
    for (int i = 0; i < N; i++) {
        two->fixed[i] = w->rank + 1.0 / (1 + i);
    }
    open_two(w, two);
}

static void free_two(struct two *two)
{
    rpt_checkpoint_close(two->c);
    free(two->fixed);
    free(two->moving);
}

static void fill(struct two *two, uint64_t iteration)
{
    for (int i = 0; i < N; i++) {
        two->moving[i] = (double)iteration + i;
    }
}

/* Saves the next one; the bytes that this rank wrote. */
static uint64_t save(struct world *w, struct two *two)
{
    rpt_checkpoint_stats_t before, after;

    fill(two, ++two->iteration);
    WORKS(rpt_checkpoint_stats(two->c, &before));
    WORKS(rpt_checkpoint_save(two->c, two->iteration));
    WORKS(rpt_checkpoint_stats(two->c, &after));
    meet(w);
    /* Old ones go in the background; here none begins the next one before. */
    rpt__engine_lock(two->c->engine);
    WORKS(rpt__save_settle(two->c));
    rpt__engine_unlock(two->c->engine);
    meet(w);
    return after.bytes - before.bytes;
}

static bool is_right(const struct two *two, uint64_t iteration, int rank)
{
    bool good = true;

    for (int i = 0; i < N; i++) {
        good &= two->fixed[i] == rank + 1.0 / (1 + i) &&
                two->moving[i] == (double)iteration + i;
    }
    return good;
}

static void spoil(struct two *two)
{
    memset(two->fixed, 1, N * sizeof(double));
    memset(two->moving, 1, N * sizeof(double));
}

static void restore(struct world *w, struct two *two)
{
    uint64_t iteration = 0;

    spoil(two);
    WORKS(rpt_checkpoint_restore(two->c, &iteration));
    CHECK(iteration == two->iteration);
    CHECK(is_right(two, iteration, w->rank));
}

static const uint64_t block = 1 << 20;

static void save_some(struct world *w)
{
    struct two two;

    make_two(w, &two);
    for (int i = 0; i < 3; i++) {
        CHECK(save(w, &two) >= 6 * block); /* keep=2: nothing went before */
    }
    for (int i = 0; i < 4; i++) {
        uint64_t bytes = save(w, &two);

        CHECK(bytes >= 3 * block && bytes < 4 * block);
        CHECK(count_names(w, "task", ".spare-") == 1);
        meet(w);
    }
    restore(w, &two);
    CHECK(save(w, &two) < 4 * block);
    rpt_checkpoint_close(two.c);
    CHECK(count_names(w, "task", ".spare-") == 0);
    CHECK(count_names(w, "task", "it-") == 2);
    meet(w);
    open_two(w, &two);
    restore(w, &two);
    free_two(&two);
}

static void only_what_has_changed_is_written(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2", save_some);
}

static void change_layout(struct world *w)
{
    struct two two;
    double more = 7;

    make_two(w, &two);
    for (int i = 0; i < 4; i++) {
        save(w, &two);
    }
    WORKS(rpt_checkpoint_add_value(two.c, "more", RPT_TYPE_F64, 1, &more));
    CHECK(save(w, &two) >= 6 * block);
    restore(w, &two);
    CHECK(save(w, &two) >= 6 * block); /* the one that went is of the old */
    restore(w, &two);
    free_two(&two);
}

/* What does not change is noise, so that it takes its room in slots as well. */
static void save_some_packed(struct world *w)
{
    struct two two;
    uint64_t first = 0, bytes, state = (uint64_t)w->rank + 1;

    make_two(w, &two);
    for (int i = 0; i < N; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        two.fixed[i] = (double)(state >> 11);
    }
    for (int i = 0; i < 7; i++) {
        bytes = save(w, &two);
        first = i == 0 ? bytes : first;
        CHECK(i < 3 ? bytes > 2 * block : bytes < first - 2 * block);
    }
    spoil(&two);
    WORKS(rpt_checkpoint_restore(two.c, &bytes));
    CHECK(bytes == two.iteration);
    state = (uint64_t)w->rank + 1;
    for (int i = 0; i < N; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (!CHECK(two.fixed[i] == (double)(state >> 11) &&
                   two.moving[i] == (double)two.iteration + i)) {
            break;
        }
    }
    free_two(&two);
}

static void so_it_is_with_compression(void)
{
    on_all(1,
           "io.checkpoint.changed_only=yes io.checkpoint.keep=2 "
           "io.checkpoint.compress=deflate",
           save_some_packed);
}

static void another_layout_takes_new_files(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2",
           change_layout);
}

/* The file of the oldest committed one. */
static int open_oldest(struct world *w, int n, bool links)
{
    char *name = nth_newest(w, "task", n), file[300];
    int fd;

    if (!CHECK(name != NULL)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/state.h5", name);
    fd = open(path_of(w, "task", file), O_RDONLY);
    CHECK(fd >= 0);
    if (links) {
        CHECK(link(path_of(w, "task", file), path_of(w, "copy", NULL)) == 0);
    }
    free(name);
    return fd;
}

static char *content(int fd, size_t *bytes_out)
{
    struct stat found;
    char *data;

    CHECK(fstat(fd, &found) == 0);
    *bytes_out = (size_t)found.st_size;
    data = calloc(1, *bytes_out);
    CHECK(pread(fd, data, *bytes_out, 0) == (ssize_t)*bytes_out);
    return data;
}

/* What somebody reads, or has linked, stays as it is. */
static void keep_off(struct world *w, bool links)
{
    struct two two;
    char *before = NULL, *after;
    size_t n_before = 0, n_after = 0;
    int fd = -1;

    make_two(w, &two);
    for (int i = 0; i < 3; i++) {
        save(w, &two);
    }
    if (w->rank == 0) {
        fd = open_oldest(w, 1, links);
        CHECK(links || flock(fd, LOCK_SH) == 0);
        before = content(fd, &n_before);
    }
    meet(w);
    for (int i = 0; i < 4; i++) {
        save(w, &two);
    }
    if (w->rank == 0) {
        after = content(fd, &n_after);
        CHECK(n_before == n_after && memcmp(before, after, n_after) == 0);
        free(before);
        free(after);
        close(fd);
    }
    restore(w, &two);
    free_two(&two);
}

static void keep_off_readers(struct world *w)
{
    keep_off(w, false);
}

static void keep_off_links(struct world *w)
{
    keep_off(w, true);
}

static void what_is_read_or_linked_is_not_written_to(void)
{
    static const char settings[] = "io.checkpoint.changed_only=yes "
                                   "io.checkpoint.keep=2";

    on_all(1, settings, keep_off_readers);
    on_all(1, settings, keep_off_links);
}

/* Somebody else has taken it away. */
static void lose_spare(struct world *w)
{
    struct two two;
    char command[2048];

    make_two(w, &two);
    for (int i = 0; i < 4; i++) {
        save(w, &two);
    }
    if (w->rank == 0) {
        CHECK(count_names(w, "task", ".spare-") == 1);
        snprintf(command, sizeof command, "rm -r '%s'/.spare-*",
                 path_of(w, "task", NULL));
        CHECK(system(command) == 0);
    }
    meet(w);
    CHECK(save(w, &two) >= 6 * block);
    restore(w, &two);
    free_two(&two);
}

static void without_old_files_all_is_written(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2",
           lose_spare);
}

/* A save that was begun, for files of the program, has a folder of its own. */
static void begin_one(struct world *w)
{
    struct two two;

    make_two(w, &two);
    for (int i = 0; i < 5; i++) {
        save(w, &two);
    }
    WORKS(rpt_checkpoint_begin(two.c, two.iteration + 1));
    CHECK(save(w, &two) >= 6 * block);
    restore(w, &two);
    free_two(&two);
}

static void one_that_was_begun_takes_new_files(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2", begin_one);
}

/* What a job keeps to write into is not for others to remove while it writes:
 * they would take files out of its new folder. */
static void tidy_beside(struct world *w)
{
    struct rpt_dir task = RPT_DIR_CLOSED;
    struct two two;

    make_two(w, &two);
    for (int i = 0; i < 4; i++) {
        save(w, &two);
    }
    if (w->rank == 0) {
        WORKS(rpt__dir_open_path(path_of(w, "task", NULL), &task));
        WORKS(rpt__clear_old(&task, false));
        rpt__dir_close(&task);
        CHECK(count_names(w, "task", ".spare-") == 1);
    }
    meet(w);
    CHECK(save(w, &two) < 4 * block);
    restore(w, &two);
    free_two(&two);
}

static void others_let_it_alone(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2",
           tidy_beside);
}

/* Who has opened a checkpoint without reading it sees that it is gone, and not
 * the one that took its file. */
static void look_late(struct world *w)
{
    const rpt_catalog_entry_t *entry = NULL;
    rpt_catalog_t *catalog = NULL;
    rpt_stored_t *stored = NULL;
    double value;
    struct two two;

    make_two(w, &two);
    save(w, &two);
    if (w->rank == 0) {
        WORKS(rpt_catalog_open(w->folder, &catalog));
        WORKS(rpt_catalog_entry(catalog, 0, &entry));
        WORKS(rpt_stored_open(catalog, entry, &stored));
    }
    meet(w);
    for (int i = 0; i < 4; i++) {
        save(w, &two);
    }
    if (w->rank == 0) {
        uint64_t start = 0, count = 1;

        FAILS(RPT_ERR_NOT_FOUND, "gone",
              rpt_stored_read(stored, "moving", &start, &count, &value,
                              sizeof value));
        rpt_stored_close(stored);
        rpt_catalog_close(catalog);
    }
    meet(w);
    free_two(&two);
}

static void who_looks_late_sees_no_other_checkpoint(void)
{
    on_all(1, "io.checkpoint.changed_only=yes io.checkpoint.keep=2", look_late);
}

const struct rpt_test recycling_tests[] = {
    RPT_TEST(only_what_has_changed_is_written),
    RPT_TEST(so_it_is_with_compression),
    RPT_TEST(another_layout_takes_new_files),
    RPT_TEST(what_is_read_or_linked_is_not_written_to),
    RPT_TEST(without_old_files_all_is_written),
    RPT_TEST(one_that_was_begun_takes_new_files),
    RPT_TEST(others_let_it_alone),
    RPT_TEST(who_looks_late_sees_no_other_checkpoint),
    RPT_TEST_END,
};
