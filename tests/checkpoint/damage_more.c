/*
 * damage_more.c - what damage.c does, to files of the program, to what is
 * compressed, and to what is on the nodes only
 */
#include "harm.h"
#include "state.h"
#include "tables.h"

#include "io/checkpoint/level_priv.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* On rank 0, between two meetings. */
static void shell(struct world *w, const char *command)
{
    char line[2048];

    meet(w);
    if (w->rank == 0) {
        snprintf(line, sizeof line, "cd %s && %s", w->folder, command);
        if (!CHECK(system(line) == 0)) {
            fprintf(stderr, "%s\n", line);
        }
    }
    meet(w);
}

/* ---- two checkpoints in the shared directory ---- */

enum { SMALL = 40, LARGE = 33000 };

/* A state, how it is saved, and where that is. */
struct saved {
    struct world *w;
    bool has_files;
    size_t n;
    uint16_t values[LARGE];
    char task[512], name[128];
};

static uint16_t value_of(uint64_t iteration, size_t i)
{
    return (uint16_t)(iteration * 7919 + i / 7);
}

static rpt_checkpoint_t *open_task(struct saved *s)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(s->w->group, s->w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "v", RPT_TYPE_U16, s->n, s->values));
    return c;
}

static void write_files(rpt_checkpoint_t *c, uint64_t iteration)
{
    static const char *const names[] = { "mine", "deep/er/one", "empty" };

    WORKS(rpt_checkpoint_begin(c, iteration));
    for (size_t i = 0; i < 3; i++) {
        char *path = NULL;
        FILE *file;

        WORKS(rpt_checkpoint_route(c, names[i], &path));
        file = fopen(path, "w");
        CHECK(file != NULL);
        for (int k = 0; k < 200 && i < 2; k++) {
            fprintf(file, "%d of %d\n", k, (int)iteration);
        }
        CHECK(fclose(file) == 0);
        free(path);
    }
}

static bool file_is_right(rpt_checkpoint_t *c, uint64_t iteration)
{
    char *path = NULL, line[64] = "";
    int first = -1, second = -1;
    FILE *file;

    WORKS(rpt_checkpoint_file(c, "mine", &path));
    file = path != NULL ? fopen(path, "r") : NULL;
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "%d of %d", &first, &second);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(path);
    return first == 0 && second == (int)iteration;
}

static void save_two(struct saved *s)
{
    rpt_checkpoint_t *c = open_task(s);
    char *name;

    for (uint64_t iteration = 1; iteration <= 2; iteration++) {
        for (size_t i = 0; i < s->n; i++) {
            s->values[i] = value_of(iteration, i);
        }
        if (s->has_files) {
            write_files(c, iteration);
        }
        WORKS(rpt_checkpoint_save(c, iteration));
    }
    rpt_checkpoint_close(c);
    name = nth_newest(s->w, "task", 0);
    snprintf(s->task, sizeof s->task, "%s/task", s->w->folder);
    snprintf(s->name, sizeof s->name, "%s", name);
    free(name);
}

static uint64_t restored(struct saved *s)
{
    rpt_checkpoint_t *c = open_task(s);
    uint64_t iteration = 0;

    memset(s->values, 0xee, sizeof s->values);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    for (size_t i = 0; i < s->n; i++) {
        if (!CHECK(s->values[i] == value_of(iteration, i))) {
            break;
        }
    }
    CHECK(!s->has_files || file_is_right(c, iteration));
    rpt_checkpoint_close(c);
    return iteration;
}

static bool is_damaged(void *user)
{
    const struct saved *s = user;
    rpt_status_t status = verdict(s->task, s->name);

    CHECK(status == RPT_OK || status == RPT_ERR_CORRUPT);
    return status == RPT_ERR_CORRUPT;
}

/* The one before is restored; the damaged one, which was put aside, gets its
 * name back. */
static bool falls_back(void *user)
{
    struct saved *s = user;
    char from[1024], to[1024];
    bool good = restored(s) == 1;

    snprintf(from, sizeof from, "%s/.bad-%s", s->task,
             strrchr(s->name, '-') + 1);
    snprintf(to, sizeof to, "%s/%s", s->task, s->name);
    return rename(from, to) == 0 && good;
}

static void harm_each(struct saved *s, const char *const names[], size_t some)
{
    char path[1024];

    for (size_t i = 0; names[i] != NULL; i++) {
        struct harm harm = { path, is_damaged, falls_back, s, some };

        snprintf(path, sizeof path, "%s/%s/%s", s->task, s->name, names[i]);
        harm_bytes(&harm);
        harm_length(&harm);
        CHECK(unlink(path) == 0);
        CHECK(is_damaged(s) && falls_back(s));
        shell(s->w, "rm -r task");
        save_two(s);
    }
    CHECK(restored(s) == 2);
}

static void harm_files(struct world *w)
{
    static const char *const names[] = { "MANIFEST.json", "blocks.xxh",
                                         "files/mine",    "files/deep/er/one",
                                         "files/empty",   NULL };
    struct saved *s = calloc(1, sizeof *s);

    if (w->size == 1) {
        rpt_log_set_level(RPT_LOG_ERROR);
        *s = (struct saved){ .w = w, .has_files = true, .n = SMALL };
        save_two(s);
        harm_each(s, names, 401);
        rpt_log_set_level(RPT_LOG_WARN);
    }
    free(s);
}

static void any_damage_to_files_of_the_program_is_found(void)
{
    on_all(1, "io.checkpoint.tries=0 io.checkpoint.sync=no", harm_files);
}

/* Bytes are done by packing.c. */
static void harm_compressed(struct world *w)
{
    static const char *const names[] = { "MANIFEST.json", "blocks.xxh",
                                         "state.h5" };
    struct saved *s = calloc(1, sizeof *s);

    if (w->size == 1) {
        rpt_log_set_level(RPT_LOG_ERROR);
        *s = (struct saved){ .w = w, .n = LARGE };
        save_two(s);
        for (size_t i = 0; i < 3; i++) {
            char path[1024];
            struct harm harm = { path, is_damaged, falls_back, s, 4001 };

            snprintf(path, sizeof path, "%s/%s/%s", s->task, s->name, names[i]);
            harm_length(&harm);
        }
        CHECK(restored(s) == 2);
        rpt_log_set_level(RPT_LOG_WARN);
    }
    free(s);
}

static void any_length_of_a_compressed_one_but_its_own_is_found(void)
{
    on_all(1,
           "io.checkpoint.compress=deflate io.checkpoint.tries=0 "
           "io.checkpoint.sync=no",
           harm_compressed);
}

/* ---- on the nodes ---- */

static rpt_checkpoint_t *open_local(struct world *w, const char *copy,
                                    uint64_t values[SMALL])
{
    uint64_t begin = (uint64_t)(SMALL * w->rank / w->size);
    rpt_checkpoint_array_t a = {
        .size = sizeof a,
        .name = "a",
        .type = RPT_TYPE_U64,
        .n_dims = 1,
        .dims = { SMALL },
        .start = { begin },
        .count = { (uint64_t)(SMALL * (w->rank + 1) / w->size) - begin },
        .data = values + begin
    };
    char settings[600];
    rpt_options_t *options;
    rpt_checkpoint_t *c = NULL;

    snprintf(settings, sizeof settings,
             "io.checkpoint.local_dir=%s/local io.checkpoint.local_copy=%s "
             "io.checkpoint.flush_every=100 io.checkpoint.sync=no",
             w->folder, copy);
    options = options_with(settings);
    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", options, &c));
    WORKS(rpt_checkpoint_add_array(c, &a));
    rpt_options_destroy(options);
    return c;
}

/* The first one is shared, the second is not. */
static void save_local(struct world *w, const char *copy)
{
    uint64_t values[SMALL];
    rpt_checkpoint_t *c;

    shell(w, "rm -rf local task && mkdir local");
    c = open_local(w, copy, values);
    for (uint64_t iteration = 1; iteration <= 2; iteration++) {
        for (uint64_t i = 0; i < SMALL; i++) {
            values[i] = iteration * 1000 + i;
        }
        WORKS(rpt_checkpoint_save(c, iteration));
    }
    rpt_checkpoint_close(c);
}

static uint64_t restored_local(struct world *w)
{
    uint64_t values[SMALL] = { 0 }, iteration = 0;
    rpt_checkpoint_t *c = open_local(w, "none", values);

    WORKS(rpt_checkpoint_restore(c, &iteration));
    for (uint64_t i = 0; i < SMALL; i++) {
        CHECK(values[i] == iteration * 1000 + i || values[i] == 0);
    }
    rpt_checkpoint_close(c);
    return iteration;
}

static bool is_local_damaged(void *user)
{
    const char *path = user;
    struct rpt_supply supply = { NULL, 0, open(path, O_RDONLY), 0 };
    struct rpt_local local;
    struct stat found;
    rpt_status_t status;

    CHECK(supply.fd >= 0 && fstat(supply.fd, &found) == 0);
    supply.bytes = (uint64_t)found.st_size;
    status = rpt__local_read(path, &supply, &local);
    if (status == RPT_OK) {
        status = rpt__local_verify(path, &supply, &local.head);
        rpt__local_free(&local);
    }
    close(supply.fd);
    CHECK(status == RPT_OK || status == RPT_ERR_CORRUPT);
    return status == RPT_ERR_CORRUPT;
}

static int n_harmed;

static int harm_local(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    char copy[1024];
    struct harm harm = { copy, is_local_damaged, NULL, copy, 1 };

    (void)file;
    if (kind == FTW_F && strncmp(path + where->base, "it-", 3) == 0) {
        snprintf(copy, sizeof copy, "%s", path);
        n_harmed++;
        harm_bytes(&harm);
        harm_length(&harm);
    }
    return 0;
}

/* Of each rank, and what stands for it elsewhere. */
static void harm_on_nodes(struct world *w)
{
    static const char *const copies[] = { "none", "partner", "xor" };

    if (w->size != 2) {
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        save_local(w, copies[i]);
        if (w->rank == 0) {
            n_harmed = 0;
            nftw(path_of(w, "local", NULL), harm_local, 16, FTW_PHYS);
            CHECK(n_harmed == (i == 0 ? 2 : 4));
        }
        meet(w);
        CHECK(restored_local(w) == 2);
    }
}

static void any_damage_on_a_node_is_found(void)
{
    on_all(2, "topo.virtual_nodes=2 io.checkpoint.tries=0", harm_on_nodes);
}

/* Damage of one rank's file is mended from its copy, or the shared one is
 * restored; so is damage of all. */
static void come_back(struct world *w)
{
    static const char *const harms[] = {
        "printf x | dd of=$f bs=1 seek=$((n * i / 7)) conv=notrunc 2>/dev/null",
        "truncate -s $((n * i / 7)) $f",
    };
    char line[512];

    for (int i = 0; i < 28 && w->size == 2; i++) {
        bool has_copy = i % 4 / 2 == 1, all = i % 2 == 1;

        save_local(w, has_copy ? "partner" : "none");
        snprintf(line, sizeof line,
                 "for f in local/*/*/node-0000%s/it-*.rank-0000%s; do "
                 "i=%d n=$(stat -c %%s $f); %s; done",
                 all ? "[01]" : "0", all ? "[01]" : "0", i / 4,
                 harms[i % 3 == 0]);
        shell(w, line);
        if (!CHECK(restored_local(w) == (has_copy && !all ? 2 : 1))) {
            printf("   %s\n", line);
        }
    }
}

static void damage_on_a_node_is_mended_or_passed_by(void)
{
    rpt_log_set_level(RPT_LOG_ERROR);
    on_all(2, "topo.virtual_nodes=2 io.checkpoint.tries=0", come_back);
    rpt_log_set_level(RPT_LOG_WARN);
}

const struct rpt_test damage_more_tests[] = {
    RPT_TEST(any_damage_to_files_of_the_program_is_found),
    RPT_TEST(any_length_of_a_compressed_one_but_its_own_is_found),
    RPT_TEST(any_damage_on_a_node_is_found),
    RPT_TEST(damage_on_a_node_is_mended_or_passed_by),
    RPT_TEST_END,
};
