/*
 * routing.c - files that the program writes itself
 */
#include "world.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rpt_checkpoint_t *open_task(struct world *w)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    return c;
}

/* What rank `rank` writes in iteration i: so many lines. */
static void write_one(rpt_checkpoint_t *c, int rank, int i)
{
    char name[64], *path = NULL;
    FILE *file;

    snprintf(name, sizeof name, "parts/of/rank%d", rank);
    WORKS(rpt_checkpoint_route(c, name, &path));
    file = path != NULL ? fopen(path, "w") : NULL;
    if (CHECK(file != NULL)) {
        for (int k = 0; k < 30000 * rank + i; k++) {
            fprintf(file, "%d %d %d\n", rank, i, k);
        }
        fclose(file);
    }
    free(path);
}

static bool is_one(rpt_checkpoint_t *c, int rank, int i)
{
    char name[64], line[64], *path = NULL;
    FILE *file;
    int n = 0, a, b, k;
    bool good;

    snprintf(name, sizeof name, "parts/of/rank%d", rank);
    WORKS(rpt_checkpoint_file(c, name, &path));
    file = path != NULL ? fopen(path, "r") : NULL;
    good = file != NULL;
    while (good && fgets(line, sizeof line, file) != NULL) {
        good = sscanf(line, "%d %d %d", &a, &b, &k) == 3 && a == rank &&
               b == i && k == n++;
    }
    good = good && n == 30000 * rank + i;
    if (file != NULL) {
        fclose(file);
    }
    free(path);
    return good;
}

static void route_twice(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w);
    uint64_t iteration = 0;
    char *path = NULL, file[4096];

    for (int i = 1; i <= 2; i++) {
        WORKS(rpt_checkpoint_begin(c, (uint64_t)i));
        if (w->rank != 1) {
            write_one(c, w->rank, i);
        }
        WORKS(i == 1 ? rpt_checkpoint_save(c, 1)
                     : rpt_checkpoint_save_async(c, 2));
    }
    WORKS(rpt_checkpoint_wait(c));
    rpt_checkpoint_close(c);
    c = open_task(w);
    FAILS(RPT_ERR_STATE, "nothing was restored",
          rpt_checkpoint_file(c, "x", &path));
    FAILS(RPT_ERR_STATE, "nothing was restored",
          rpt_checkpoint_restored_path(c, &path));
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 2);
    WORKS(rpt_checkpoint_restored_path(c, &path));
    CHECK(strstr(path, "/task/it-000000000002-") != NULL);
    snprintf(file, sizeof file, "%s/state.h5", path);
    CHECK(access(file, R_OK) == 0);
    free(path);
    for (int r = 0; r < w->size; r++) { /* all ranks read all files */
        CHECK(r == 1 || is_one(c, r, 2));
    }
    FAILS(RPT_ERR_NOT_FOUND, "no file", rpt_checkpoint_file(c, "x", &path));
    rpt_checkpoint_close(c);
}

static void files_of_the_program_come_back(void)
{
    on_all(1, NULL, route_twice);
}

static void damage_one(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w);
    uint64_t iteration = 0;
    char line[2048];

    for (int i = 1; i <= 2; i++) {
        WORKS(rpt_checkpoint_begin(c, (uint64_t)i));
        write_one(c, w->rank, i);
        WORKS(rpt_checkpoint_save(c, (uint64_t)i));
    }
    meet(w);
    if (w->rank == 0) {
        snprintf(line, sizeof line,
                 "sed -i '$s/./7/' %s/task/it-*2-*/files/parts/of/rank%d",
                 w->folder, w->size - 1);
        CHECK(system(line) == 0);
        rpt_log_set_level(RPT_LOG_ERROR);
    }
    meet(w);
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 1);
    CHECK(is_one(c, w->size - 1, 1));
    rpt_checkpoint_close(c);
    meet(w);
    rpt_log_set_level(RPT_LOG_WARN);
}

static void a_damaged_file_is_found(void)
{
    on_all(1, NULL, damage_one);
}

static void route_badly(struct world *w)
{
    rpt_checkpoint_t *c = open_task(w);
    char *path = NULL;

    FAILS(RPT_ERR_STATE, "begun", rpt_checkpoint_route(c, "a", &path));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_route(c, "a", NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_begin(NULL, 1));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_file(c, "a", NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_restored_path(c, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_checkpoint_restored_path(NULL, &path));
    WORKS(rpt_checkpoint_begin(c, 1));
    FAILS(RPT_ERR_INVALID, "path", rpt_checkpoint_route(c, "../a", &path));
    FAILS(RPT_ERR_INVALID, "path", rpt_checkpoint_route(c, "/a", &path));
    FAILS(RPT_ERR_INVALID, "no name", rpt_checkpoint_route(c, NULL, &path));
    FAILS(RPT_ERR_INVALID, "UTF-8",
          rpt_checkpoint_route(c, "d\xe9j\xe0.dat", &path));
    /* Nothing is under way. */
    WORKS(rpt_checkpoint_test(c));
    WORKS(rpt_checkpoint_wait(c));
    WORKS(rpt_checkpoint_route(c, "missing", &path));
    free(path);
    FAILS(RPT_ERR_NOT_FOUND, "not there", rpt_checkpoint_save(c, 1));
    /* A save that is tried again has no files. */
    FAILS(RPT_ERR_STATE, "is gone", rpt_checkpoint_save(c, 1));
    /* Two ranks, one name. */
    WORKS(rpt_checkpoint_begin(c, 2));
    WORKS(rpt_checkpoint_route(c, "same", &path));
    meet(w);
    {
        FILE *file = fopen(path, "a");

        CHECK(file != NULL);
        fclose(file);
    }
    free(path);
    meet(w);
    if (w->size > 1) {
        FAILS(RPT_ERR_EXISTS, "both wrote", rpt_checkpoint_save(c, 2));
    } else {
        WORKS(rpt_checkpoint_save(c, 2));
    }
    WORKS(rpt_checkpoint_begin(c, 3));
    FAILS(RPT_ERR_INVALID, "was begun", rpt_checkpoint_save(c, 4));
    FAILS(RPT_ERR_STATE, "is gone", rpt_checkpoint_save(c, 3));
    WORKS(rpt_checkpoint_begin(c, 5));
    rpt_checkpoint_close(c); /* it comes to nothing */
    meet(w);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    CHECK(count_names(w, "task", "it-") == (w->size == 1));
}

static void routes_that_make_no_sense_are_refused(void)
{
    on_all(1, NULL, route_badly);
}

/* Their names fill more than a manifest may have. */
static void write_too_many(struct world *w)
{
    enum { N = 32000, MARKS = 240 };
    rpt_checkpoint_t *c;
    uint64_t iteration = 0;
    char name[MARKS + 16];

    if (w->size > 1) {
        return;
    }
    c = open_task(w);
    WORKS(rpt_checkpoint_save(c, 1));
    WORKS(rpt_checkpoint_begin(c, 2));
    memset(name, '"', MARKS); /* two bytes each in JSON */
    for (int i = 0; i < N; i++) {
        char *path = NULL;
        FILE *file;

        snprintf(name + MARKS, sizeof name - MARKS, "%d", i);
        WORKS(rpt_checkpoint_route(c, name, &path));
        file = path != NULL ? fopen(path, "w") : NULL;
        if (!CHECK(file != NULL)) {
            break;
        }
        fclose(file);
        free(path);
    }
    FAILS(RPT_ERR_OVERFLOW, "fewer files", rpt_checkpoint_save(c, 2));
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 1);
    CHECK(count_names(w, "task", ".tmp-") == 0);
    rpt_checkpoint_close(c);
}

static void more_files_than_a_manifest_holds_are_refused(void)
{
    on_all(1, "io.checkpoint.sync=no", write_too_many);
}

const struct rpt_test routing_tests[] = {
    RPT_TEST(files_of_the_program_come_back),
    RPT_TEST(a_damaged_file_is_found),
    RPT_TEST(routes_that_make_no_sense_are_refused),
    RPT_TEST(more_files_than_a_manifest_holds_are_refused),
    RPT_TEST_END,
};
