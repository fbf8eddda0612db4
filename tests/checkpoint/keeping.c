/*
 * keeping.c - which checkpoints a job keeps by their age and bytes, and how
 * nice the thread is that writes them
 *
 * The library's clock of the day is ahead by as much as a test says.
 */
#include "faults_tables.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

double __real_rpt__wall_s(void);
double __wrap_rpt__wall_s(void);

static _Atomic int ahead_s;

double __wrap_rpt__wall_s(void)
{
    return __real_rpt__wall_s() + (double)ahead_s;
}

enum { VALUES = 100000 };

struct job {
    rpt_checkpoint_t *c;
    rpt_options_t *options;
    double *values;
};

/* A job that has these options. */
static struct job job_begin(struct world *w, const char *settings)
{
    struct job job = { NULL, options_with(settings),
                       calloc(VALUES, sizeof *job.values) };

    WORKS(
        rpt_checkpoint_open(w->group, w->folder, "task", job.options, &job.c));
    WORKS(rpt_checkpoint_add_value(job.c, "values", RPT_TYPE_F64, VALUES,
                                   job.values));
    return job;
}

/* What is to go is gone then. */
static void job_end(struct world *w, struct job *job)
{
    rpt_checkpoint_close(job->c);
    rpt_options_destroy(job->options);
    free(job->values);
    meet(w);
}

/* All ranks: the clock stands so far ahead. */
static void set_ahead(struct world *w, int seconds)
{
    meet(w);
    ahead_s = seconds;
    meet(w);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Whether just these iterations are there: "1 2 3". */
static bool are_left(struct world *w, const char *wanted)
{
    DIR *dir = opendir(path_of(w, "task", NULL));
    struct dirent *entry;
    int found[100], n = 0;
    char text[300] = "";

    meet(w);
    while (dir != NULL && n < 100 && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "it-", 3) == 0) {
            found[n++] = atoi(entry->d_name + 3);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    qsort(found, (size_t)n, sizeof *found, by_number);
    for (int i = 0; i < n; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d",
                 i > 0 ? " " : "", found[i]);
    }
    meet(w);
    if (strcmp(text, wanted) != 0) {
        printf("   left: %s, not %s\n", text, wanted);
    }
    return strcmp(text, wanted) == 0;
}

/* One job that saves an iteration, restoring first when it is told to. */
static void save_one(struct world *w, const char *settings, uint64_t iteration,
                     uint64_t restored)
{
    struct job job = job_begin(w, settings);
    uint64_t found = 0;

    if (restored > 0) {
        WORKS(rpt_checkpoint_restore(job.c, &found));
        CHECK(found == restored);
    }
    WORKS(rpt_checkpoint_save(job.c, iteration));
    job_end(w, &job);
}

/* ---- age ---- */

#define AGE "io.checkpoint.keep=50 io.checkpoint.keep_age_s=100"

/* Never restored: all but the newest one may go. */
static void let_them_age(struct world *w)
{
    struct job job;

    set_ahead(w, 0);
    save_one(w, AGE, 1, 0);
    set_ahead(w, 60);
    save_one(w, AGE, 2, 0);
    CHECK(are_left(w, "1 2"));
    set_ahead(w, 120);
    save_one(w, AGE, 3, 0);
    CHECK(are_left(w, "2 3"));
    /* Several saves of one job, and one in the background. */
    job = job_begin(w, AGE);
    WORKS(rpt_checkpoint_save(job.c, 4));
    set_ahead(w, 180);
    WORKS(rpt_checkpoint_save_async(job.c, 5));
    WORKS(rpt_checkpoint_wait(job.c));
    job_end(w, &job);
    CHECK(are_left(w, "3 4 5"));
    set_ahead(w, 10000);
    save_one(w, AGE, 6, 0);
    CHECK(are_left(w, "6"));
    set_ahead(w, 20000);
    job = job_begin(w, AGE); /* saves nothing: the last one stays */
    job_end(w, &job);
    CHECK(are_left(w, "6"));
    /* A number is no reason to keep an old one, and age none to keep many. */
    save_one(w, AGE " io.checkpoint.keep_every=2", 8, 0);
    CHECK(are_left(w, "8"));
    save_one(w, AGE " io.checkpoint.keep=2", 9, 0);
    save_one(w, AGE " io.checkpoint.keep=2", 10, 0);
    CHECK(are_left(w, "9 10"));
    /* The newest one is kept although it is too old when it is committed. */
    save_one(w, "io.checkpoint.keep_age_s=0.000001", 11, 0);
    CHECK(are_left(w, "11"));
    set_ahead(w, 0); /* a clock that went back ends nothing */
    save_one(w, AGE, 12, 0);
    CHECK(are_left(w, "11 12"));
}

static void a_job_removes_those_that_are_too_old(void)
{
    on_all(1, NULL, let_them_age);
}

static void let_the_verified_age(struct world *w)
{
    set_ahead(w, 0);
    save_one(w, AGE, 1, 0);
    save_one(w, AGE, 2, 1); /* verifies 1 */
    set_ahead(w, 1000);
    save_one(w, AGE, 3, 0); /* a job that does not know that one */
    CHECK(are_left(w, "1 3"));
    set_ahead(w, 2000);
    save_one(w, AGE, 4, 3);
    CHECK(are_left(w, "3 4"));
    set_ahead(w, 3000);
    save_one(w, AGE, 5, 0);
    CHECK(are_left(w, "3 5"));
    set_ahead(w, 0);
}

static void the_last_that_was_verified_is_never_too_old(void)
{
    on_all(1, NULL, let_the_verified_age);
}

/* ---- bytes ---- */

/* Of all files of the newest checkpoint, as the disk has them. */
static long bytes_of_one(struct world *w)
{
    char *name = nth_newest(w, "task", 0), line[700];
    long bytes = 0;
    FILE *sizes;

    snprintf(line, sizeof line, "find %s/%s -type f -printf '%%s\\n'",
             path_of(w, "task", NULL), name != NULL ? name : "");
    sizes = popen(line, "r");
    if (CHECK(sizes != NULL)) {
        long one;

        while (fscanf(sizes, "%ld", &one) == 1) {
            bytes += one;
        }
        CHECK(pclose(sizes) == 0);
    }
    free(name);
    CHECK(bytes > VALUES * (long)sizeof(double));
    return bytes;
}

/* Settings that have room for so many checkpoints, in tenths. */
static const char *room_for(struct world *w, long bytes, int tenths)
{
    static _Thread_local char text[200];

    (void)w;
    snprintf(text, sizeof text,
             "io.checkpoint.keep=50 io.checkpoint.keep_bytes=%ld",
             bytes / 10 * tenths);
    return text;
}

static void fill_the_room(struct world *w)
{
    struct job job;
    long bytes;

    save_one(w, "io.checkpoint.keep=50", 1, 0);
    bytes = bytes_of_one(w);
    meet(w);
    for (uint64_t i = 2; i <= 4; i++) {
        save_one(w, room_for(w, bytes, 35), i, 0);
    }
    CHECK(are_left(w, "2 3 4"));
    job = job_begin(w, room_for(w, bytes, 25));
    WORKS(rpt_checkpoint_save(job.c, 5));
    WORKS(rpt_checkpoint_save_async(job.c, 6));
    WORKS(rpt_checkpoint_wait(job.c));
    job_end(w, &job);
    CHECK(are_left(w, "5 6"));
    save_one(w, "io.checkpoint.keep=50 io.checkpoint.keep_bytes=1", 7, 0);
    CHECK(are_left(w, "7")); /* the newest one is always kept */
    job = job_begin(w, "io.checkpoint.keep_bytes=1");
    job_end(w, &job);
    CHECK(are_left(w, "7"));
}

static void a_job_removes_those_that_are_too_much(void)
{
    on_all(1, NULL, fill_the_room);
}

static void fill_the_room_but_for_one(struct world *w)
{
    long bytes;

    save_one(w, "io.checkpoint.keep=50", 1, 0);
    bytes = bytes_of_one(w);
    meet(w);
    save_one(w, room_for(w, bytes, 10), 2, 1); /* verifies 1 */
    CHECK(are_left(w, "1 2"));
    for (uint64_t i = 3; i <= 5; i++) {
        save_one(w, room_for(w, bytes, 25), i, 0);
    }
    CHECK(are_left(w, "1 4 5"));
    save_one(w, room_for(w, bytes, 1), 6, 5);
    CHECK(are_left(w, "5 6"));
    save_one(w, room_for(w, bytes, 1), 7, 0);
    CHECK(are_left(w, "5 7"));
}

static void the_last_that_was_verified_is_never_too_much(void)
{
    on_all(1, NULL, fill_the_room_but_for_one);
}

/* ---- nice ---- */

/* How many threads of this process have this nice value: the 19th field of
 * /proc/self/task/ID/stat, the 17th behind the name. */
static int count_nice(int nice)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    int n = 0;

    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300], text[1024] = "", *at;
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL) {
            continue;
        }
        at = fgets(text, sizeof text, file) != NULL ? strrchr(text, ')') : NULL;
        for (int i = 0; i < 17 && at != NULL; i++) {
            at = strchr(at + 1, ' ');
        }
        n += at != NULL && atoi(at + 1) == nice;
        fclose(file);
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    return n;
}

static void be_nice(struct world *w)
{
    int mine = getpriority(PRIO_PROCESS, 0);

    for (int by = 0; by <= 11; by += 11) {
        char settings[100];
        struct job job;

        snprintf(settings, sizeof settings, "io.checkpoint.nice=%d", by);
        CHECK(mine + 11 > 19 || count_nice(mine + 11) == 0);
        job = job_begin(w, settings);
        WORKS(rpt_checkpoint_save(job.c, 1)); /* so the thread has begun */
        meet(w);
        if (mine + 11 > 19) {
            rpt_test_skip("this process is very nice itself");
        } else {
            CHECK(count_nice(mine + 11) == (by == 11 ? w->size : 0));
        }
        CHECK(getpriority(PRIO_PROCESS, 0) == mine); /* of others nothing */
        meet(w);
        job_end(w, &job);
    }
    {
        struct job job = job_begin(w, NULL); /* 5 by default */

        WORKS(rpt_checkpoint_save(job.c, 2));
        meet(w);
        CHECK(mine + 5 > 19 || count_nice(mine + 5) == w->size);
        meet(w);
        job_end(w, &job);
    }
}

static void the_thread_that_writes_is_as_nice_as_asked(void)
{
    on_all(1, NULL, be_nice);
}

const struct rpt_test keeping_tests[] = {
    RPT_TEST(a_job_removes_those_that_are_too_old),
    RPT_TEST(the_last_that_was_verified_is_never_too_old),
    RPT_TEST(a_job_removes_those_that_are_too_much),
    RPT_TEST(the_last_that_was_verified_is_never_too_much),
    RPT_TEST(the_thread_that_writes_is_as_nice_as_asked),
    RPT_TEST_END,
};
