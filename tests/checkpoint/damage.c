/*
 * damage.c - files that are not as they were written
 */
#include "state.h"
#include "tables.h"

#include "io/checkpoint/checkpoint_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rpt_checkpoint_t *open_small(struct world *w, uint64_t *mine)
{
    rpt_checkpoint_t *c = NULL;
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = "numbers",
                                 .type = RPT_TYPE_U64,
                                 .n_dims = 1,
                                 .dims = { 40 } };

    a.start[0] = (uint64_t)(40 * w->rank / w->size);
    a.count[0] = (uint64_t)(40 * (w->rank + 1) / w->size) - a.start[0];
    a.data = mine + a.start[0];
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_array(c, &a));
    return c;
}

static void fill(uint64_t *mine, uint64_t seed)
{
    for (uint64_t i = 0; i < 40; i++) {
        mine[i] = seed * 1000 + i;
    }
}

/* Two checkpoints, of iterations 1 and 2. */
static void save_two(struct world *w)
{
    uint64_t mine[40];
    rpt_checkpoint_t *c = open_small(w, mine);

    for (uint64_t i = 1; i <= 2; i++) {
        fill(mine, i);
        WORKS(rpt_checkpoint_save(c, i));
    }
    rpt_checkpoint_close(c);
}

/* The iteration that is restored; the values are its. */
static uint64_t restored(struct world *w)
{
    uint64_t mine[40], iteration = 0;
    rpt_checkpoint_t *c = open_small(w, mine);

    fill(mine, 99);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    for (uint64_t i = 0; i < 40; i++) {
        bool is_mine = i >= (uint64_t)(40 * w->rank / w->size) &&
                       i < (uint64_t)(40 * (w->rank + 1) / w->size);

        CHECK(mine[i] == (is_mine ? iteration : 99) * 1000 + i);
    }
    rpt_checkpoint_close(c);
    return iteration;
}

/* ---- one file, changed and put back ---- */

struct file {
    char path[1024];
    unsigned char *data;
    size_t bytes;
};

static struct file load(const char *folder, const char *name)
{
    struct file file = { "", NULL, 0 };
    FILE *in;

    snprintf(file.path, sizeof file.path, "%s/%s", folder, name);
    in = fopen(file.path, "r");
    CHECK(in != NULL);
    fseek(in, 0, SEEK_END);
    file.bytes = (size_t)ftell(in);
    rewind(in);
    file.data = malloc(file.bytes + 1);
    CHECK(fread(file.data, 1, file.bytes, in) == file.bytes);
    fclose(in);
    return file;
}

static void store(const struct file *file, size_t bytes)
{
    FILE *out = fopen(file->path, "w");

    CHECK(out != NULL && fwrite(file->data, 1, bytes, out) == bytes);
    fclose(out);
}

/* The one that was put aside gets its name back. */
static void put_back(const char *task, const char *name)
{
    char from[1024], to[1024];

    snprintf(from, sizeof from, "%s/.bad-%s", task, strrchr(name, '-') + 1);
    snprintf(to, sizeof to, "%s/%s", task, name);
    CHECK(rename(from, to) == 0);
}

static const char *const files[] = { "MANIFEST.json", "blocks.xxh",
                                     "state.h5" };

/* Does something to each file of the newest checkpoint, in many ways; each time
 * it must be found, and now and then a whole restore must give the other one.
 */
static void damage_each(struct world *w,
                        size_t (*change)(struct file *file, size_t i))
{
    char *name, task[512], folder[1024];

    rpt_log_set_level(RPT_LOG_ERROR);
    save_two(w);
    name = nth_newest(w, "task", 0);
    snprintf(task, sizeof task, "%s/task", w->folder);
    snprintf(folder, sizeof folder, "%s/%s", task, name);
    for (size_t f = 0; f < 3; f++) {
        struct file file = load(folder, files[f]);

        for (size_t i = 0; i < file.bytes; i++) {
            unsigned char before = file.data[i];

            store(&file, change(&file, i));
            if (!CHECK(verdict(task, name) == RPT_ERR_CORRUPT)) {
                fprintf(stderr, "%s, byte %zu\n", files[f], i);
            }
            if (i % 499 == 0) {
                CHECK(restored(w) == 1);
                put_back(task, name);
            }
            file.data[i] = before;
            store(&file, file.bytes);
        }
        free(file.data);
    }
    CHECK(verdict(task, name) == RPT_OK);
    CHECK(restored(w) == 2);
    free(name);
    rpt_log_set_level(RPT_LOG_WARN);
}

static size_t flip(struct file *file, size_t i)
{
    file->data[i] ^= (unsigned char)(1 << i % 8);
    return file->bytes;
}

static void flip_all(struct world *w)
{
    if (w->size == 1) {
        damage_each(w, flip);
    }
}

static void every_byte_that_changes_is_found(void)
{
    on_all(1, "io.checkpoint.tries=0 io.checkpoint.sync=no", flip_all);
}

static size_t cut(struct file *file, size_t i)
{
    (void)file;
    return i;
}

static void cut_all(struct world *w)
{
    if (w->size == 1) {
        damage_each(w, cut);
    }
}

static void every_length_below_the_right_one_is_found(void)
{
    on_all(1, "io.checkpoint.tries=0 io.checkpoint.sync=no", cut_all);
}

/* One byte more; no file. */
static void grow_all(struct world *w)
{
    char *name, task[512], folder[1024];

    if (w->size > 1) {
        return;
    }
    rpt_log_set_level(RPT_LOG_ERROR);
    save_two(w);
    name = nth_newest(w, "task", 0);
    snprintf(task, sizeof task, "%s/task", w->folder);
    snprintf(folder, sizeof folder, "%s/%s", task, name);
    for (size_t f = 0; f < 3; f++) {
        struct file file = load(folder, files[f]);

        file.data[file.bytes] = 0;
        store(&file, file.bytes + 1);
        CHECK(restored(w) == 1);
        put_back(task, name);
        CHECK(unlink(file.path) == 0);
        CHECK(restored(w) == 1);
        put_back(task, name);
        store(&file, file.bytes);
        free(file.data);
    }
    CHECK(restored(w) == 2);
    free(name);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void a_longer_file_and_a_missing_one_are_found(void)
{
    on_all(1, "io.checkpoint.tries=0", grow_all);
}

/* ---- with several ranks ---- */

/* Where the bytes are that one rank verifies. */
static void damage_one(struct world *w)
{
    char *name;

    save_two(w);
    meet(w);
    if (w->rank == 0) {
        char folder[1024];
        struct file file;

        name = nth_newest(w, "task", 0);
        snprintf(folder, sizeof folder, "%s/task/%s", w->folder, name);
        file = load(folder, "state.h5");
        file.data[file.bytes - 9] ^= 4;
        store(&file, file.bytes);
        free(file.data);
        free(name);
        rpt_log_set_level(RPT_LOG_ERROR);
    }
    meet(w);
    CHECK(restored(w) == 1);
    meet(w);
    CHECK(count_names(w, "task", ".bad-") == 1);
    CHECK(count_names(w, "task", "it-") == 1);
    meet(w);
    if (w->rank == 0) {
        rpt_log_set_level(RPT_LOG_WARN);
    }
}

static void all_ranks_use_the_one_before(void)
{
    on_all(1, NULL, damage_one);
}

/* Ranks' blocks of the same size, in the wrong places. */
static void swap_blocks(struct world *w)
{
    save_two(w);
    meet(w);
    if (w->rank == 0) {
        char folder[1024], *name = nth_newest(w, "task", 0);
        struct file file;
        unsigned char *a, *b, swap[80];

        snprintf(folder, sizeof folder, "%s/task/%s", w->folder, name);
        file = load(folder, "state.h5");
        a = memmem(file.data, file.bytes, &(uint64_t){ 2000 }, 8);
        b = memmem(file.data, file.bytes, &(uint64_t){ 2020 }, 8);
        if (CHECK(a != NULL && w->size == 2)) {
            memcpy(swap, a, sizeof swap);
            memcpy(a, b, sizeof swap);
            memcpy(b, swap, sizeof swap);
        }
        store(&file, file.bytes);
        free(file.data);
        free(name);
        rpt_log_set_level(RPT_LOG_ERROR);
    }
    meet(w);
    CHECK(restored(w) == 1);
    meet(w);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void on_two(struct world *w)
{
    if (w->size == 2) {
        swap_blocks(w);
    }
}

static void swapped_blocks_are_found(void)
{
    on_all(2, NULL, on_two);
}

/* A file of one checkpoint in the folder of another. */
static void mix(struct world *w)
{
    char *first, *second, line[4096];

    if (w->size > 1) {
        return;
    }
    rpt_log_set_level(RPT_LOG_ERROR);
    for (size_t f = 0; f < 3; f++) {
        save_two(w);
        first = nth_newest(w, "task", 1);
        second = nth_newest(w, "task", 0);
        snprintf(line, sizeof line, "cd %s/task && cp %s/%s %s/%s", w->folder,
                 first, files[f], second, files[f]);
        CHECK(system(line) == 0);
        CHECK(restored(w) == 1);
        free(first);
        free(second);
        snprintf(line, sizeof line, "rm -r %s/task", w->folder);
        CHECK(system(line) == 0);
    }
    rpt_log_set_level(RPT_LOG_WARN);
}

static void files_of_two_checkpoints_do_not_mix(void)
{
    on_all(1, NULL, mix);
}

/* All are damaged: that is said, now and at the next start. */
static void damage_both(struct world *w)
{
    uint64_t mine[40], iteration = 5;
    rpt_checkpoint_t *c;

    save_two(w);
    meet(w);
    if (w->rank == 0) {
        char line[2048];

        snprintf(line, sizeof line,
                 "for f in %s/task/it-*/state.h5; do printf x >>$f; done",
                 w->folder);
        CHECK(system(line) == 0);
        rpt_log_set_level(RPT_LOG_ERROR);
    }
    meet(w);
    for (int i = 0; i < 2; i++) {
        c = open_small(w, mine);
        FAILS(RPT_ERR_CORRUPT, ".bad-", rpt_checkpoint_restore(c, &iteration));
        CHECK(iteration == 5);
        rpt_checkpoint_close(c);
    }
    meet(w);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void damage_to_all_is_no_start_from_nothing(void)
{
    on_all(1, NULL, damage_both);
}

/* The newer one leads nowhere, the one before is damaged. */
static void doubt(struct world *w)
{
    char line[2048];

    save_two(w);
    CHECK(restored(w) == 2);
    die_before_close(w, "task");
    if (w->rank == 0) {
        snprintf(line, sizeof line,
                 "cd %s/task && set -- it-* && printf x >>$1/state.h5",
                 w->folder);
        CHECK(system(line) == 0);
        rpt_log_set_level(RPT_LOG_ERROR);
    }
    meet(w);
    for (int i = 0; i < 3; i++) {
        CHECK(restored(w) == 2);
    }
    meet(w);
    CHECK(count_names(w, "task", ".bad-") == 1);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void one_that_leads_nowhere_is_better_than_none(void)
{
    on_all(1, "io.checkpoint.tries=1", doubt);
}

/* ---- what a killed job leaves ---- */

static void leave(struct world *w)
{
    char line[4096];

    if (w->size > 1) {
        return;
    }
    save_two(w);
    /* As a job leaves them that was killed before the rename, after the draft
     * went, while it wrote, while it removed an old one. */
    snprintf(line, sizeof line,
             "cd %s/task && set -- it-* && id=${2##*-} && mv $2 .tmp-$id && "
             "mkdir .tmp-0123456789abcdef .old-0123456789abcdef && "
             "touch .tmp-0123456789abcdef/state.h5 "
             ".old-0123456789abcdef/state.h5",
             w->folder);
    CHECK(system(line) == 0);
    rpt_log_set_level(RPT_LOG_ERROR);
    CHECK(restored(w) == 2);
    rpt_log_set_level(RPT_LOG_WARN);
    CHECK(count_names(w, "task", "it-") == 2);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    CHECK(count_names(w, "task", ".old-") == 0);
}

static void what_was_left_is_finished_or_removed(void)
{
    on_all(1, NULL, leave);
}

/* ---- folders and files that are none ---- */

/* Each of these, done to the newer one, makes the other be restored.  The newer
 * one is put aside, or left alone. */
static void try_tricks(struct world *w, const char *const tricks[],
                       bool puts_aside)
{
    char line[4096];

    rpt_log_set_level(RPT_LOG_ERROR);
    for (size_t i = 0; tricks[i] != NULL; i++) {
        save_two(w);
        snprintf(line, sizeof line, "cd %s/task && set -- it-* && %s",
                 w->folder, tricks[i]);
        CHECK(system(line) == 0);
        if (!CHECK(restored(w) == 1) ||
            !CHECK(count_names(w, "task", ".bad-") == puts_aside)) {
            fprintf(stderr, "%s\n", tricks[i]);
        }
        snprintf(line, sizeof line, "rm -r %s/task", w->folder);
        CHECK(system(line) == 0);
    }
    rpt_log_set_level(RPT_LOG_WARN);
}

static void trick(struct world *w)
{
    static const char *const tricks[] = {
        "mv $2/state.h5 .. && ln -s ../../state.h5 $2/state.h5",
        "rm $2/state.h5 && mkfifo $2/state.h5",
        "rm $2/blocks.xxh && mkdir $2/blocks.xxh",
        "rm $2/MANIFEST.json && ln -s /dev/zero $2/MANIFEST.json",
        NULL,
    };

    if (w->size == 1) {
        try_tricks(w, tricks, true);
    }
}

static void links_and_pipes_are_not_read(void)
{
    on_all(1, NULL, trick);
}

/* Holes: memory would not do. */
static void stretch(struct world *w)
{
    static const char *const tricks[] = {
        "truncate -s 1T $2/MANIFEST.json",
        "truncate -s 100M $2/MANIFEST.json",
        "truncate -s 1T $2/blocks.xxh",
        "truncate -s 1T $2/state.h5",
        NULL,
    };

    if (w->size == 1) {
        try_tricks(w, tricks, true);
    }
}

static void huge_files_with_holes_are_not_read(void)
{
    on_all(1, NULL, stretch);
}

static void open_up(struct world *w)
{
    static const char *const tricks[] = {
        "chmod o+w $2",
        "chmod o+w $2/MANIFEST.json",
        "chmod o+w $2/blocks.xxh",
        "chmod o+w $2/state.h5",
        /* Only root can give a file away. */
        "chown 54321 $2/state.h5 2>/dev/null || chmod o+w $2/state.h5",
        "chown 54321 $2 2>/dev/null || chmod o+w $2",
        NULL,
    };

    if (w->size == 1) {
        try_tricks(w, tricks, false);
    }
}

static void what_others_may_write_is_left_alone(void)
{
    on_all(1, NULL, open_up);
}

/* Files are ours alone whatever the umask is. */
static void save_openly(struct world *w)
{
    mode_t before;

    if (w->size > 1) {
        return;
    }
    before = umask(0);
    save_two(w);
    CHECK(restored(w) == 2);
    umask(before);
}

static void no_umask_opens_a_checkpoint(void)
{
    on_all(1, NULL, save_openly);
}

const struct rpt_test damage_tests[] = {
    RPT_TEST(every_byte_that_changes_is_found),
    RPT_TEST(every_length_below_the_right_one_is_found),
    RPT_TEST(a_longer_file_and_a_missing_one_are_found),
    RPT_TEST(all_ranks_use_the_one_before),
    RPT_TEST(swapped_blocks_are_found),
    RPT_TEST(files_of_two_checkpoints_do_not_mix),
    RPT_TEST(damage_to_all_is_no_start_from_nothing),
    RPT_TEST(one_that_leads_nowhere_is_better_than_none),
    RPT_TEST(what_was_left_is_finished_or_removed),
    RPT_TEST(links_and_pipes_are_not_read),
    RPT_TEST(huge_files_with_holes_are_not_read),
    RPT_TEST(what_others_may_write_is_left_alone),
    RPT_TEST(no_umask_opens_a_checkpoint),
    RPT_TEST_END,
};
