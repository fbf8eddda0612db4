/*
 * looking.c - what a catalog says
 */
#include "make.h"
#include "newer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count_entries(const rpt_catalog_t *catalog)
{
    const rpt_catalog_entry_t *entry;
    size_t n = 0;

    while (rpt_catalog_entry(catalog, n, &entry) == RPT_OK) {
        n++;
    }
    return n;
}

static const rpt_catalog_task_t *task_at(const rpt_catalog_t *catalog, size_t i)
{
    const rpt_catalog_task_t *task = NULL;

    WORKS(rpt_catalog_task(catalog, i, &task));
    CU_ASSERT_PTR_NOT_NULL_FATAL(task);
    return task;
}

static const rpt_catalog_entry_t *entry_at(const rpt_catalog_t *catalog,
                                           size_t i)
{
    const rpt_catalog_entry_t *entry = NULL;

    WORKS(rpt_catalog_entry(catalog, i, &entry));
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    return entry;
}

static void tasks_and_checkpoints_are_listed_newest_first(void)
{
    rpt_catalog_t *c;
    const rpt_catalog_task_t *task;
    const rpt_catalog_entry_t *e;

    folder_begin();
    save_in_folder("one", 3);
    save_in_folder("two", 1);
    shell("mkdir ck/nothing && touch ck/file && mkdir ck/.hidden");
    c = catalog_of("ck");
    task = task_at(c, 0);
    CU_ASSERT_EQUAL(task->size, sizeof *task);
    CU_ASSERT_STRING_EQUAL(task->name, "one");
    CU_ASSERT_EQUAL(task->n_by_state[RPT_STORED_COMMITTED], 3);
    CU_ASSERT_EQUAL(task->is_open, 0);
    CU_ASSERT_TRUE(task->pid > 0 && task->host[0] != '\0');
    CU_ASSERT_STRING_EQUAL(task_at(c, 1)->name, "two");
    CU_ASSERT_EQUAL(rpt_catalog_task(c, 2, &task), RPT_END);
    CU_ASSERT_EQUAL(count_entries(c), 4);
    for (size_t i = 0; i < 3; i++) {
        struct stat file;
        uint64_t bytes = 0;

        e = entry_at(c, i);
        CU_ASSERT_EQUAL(e->size, sizeof *e);
        CU_ASSERT_EQUAL(e->iteration, 3 - i);
        CU_ASSERT_EQUAL(e->n_ranks, 2);
        CU_ASSERT_EQUAL(e->n_datasets, 9);
        CU_ASSERT_EQUAL(e->state, RPT_STORED_COMMITTED);
        CU_ASSERT_STRING_EQUAL(e->task, "one");
        CU_ASSERT_STRING_EQUAL(e->engine, "direct");
        CU_ASSERT_STRING_EQUAL(e->library, rpt_version_text());
        CU_ASSERT_STRING_EQUAL(e->why, "");
        CU_ASSERT_TRUE(e->time_s > 1.6e9);
        for (int f = 0; f < 3; f++) {
            static const char *const files[] = { "MANIFEST.json", "blocks.xxh",
                                                 "state.h5" };

            CU_ASSERT_EQUAL(
                stat(in_folder("ck/one/%s/%s", e->name, files[f]), &file), 0);
            bytes += (uint64_t)file.st_size;
        }
        CU_ASSERT_EQUAL(e->bytes, bytes);
    }
    CU_ASSERT_EQUAL(rpt_catalog_entry(c, 4, &e), RPT_END);
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_entry(NULL, 0, &e));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_entry(c, 0, NULL));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_task(NULL, 0, &task));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_task(c, 0, NULL));
    rpt_catalog_close(c);
    rpt_catalog_close(NULL);
    folder_end();
}

static void a_path_is_a_directory_a_task_or_a_checkpoint(void)
{
    rpt_catalog_t *c;
    char path[300], top[300];

    folder_begin();
    save_in_folder("one", 2);
    save_in_folder("two", 2);
    c = catalog_of("ck");
    snprintf(top, sizeof top, "%s", rpt_catalog_directory(c));
    CU_ASSERT_PTR_NULL(rpt_catalog_checkpoint(c));
    rpt_catalog_close(c);
    c = catalog_of("ck/two/");
    CU_ASSERT_EQUAL(count_entries(c), 2);
    CU_ASSERT_STRING_EQUAL(rpt_catalog_directory(c), top);
    CU_ASSERT_STRING_EQUAL(task_at(c, 0)->name, "two");
    CU_ASSERT_PTR_NULL(rpt_catalog_checkpoint(c));
    rpt_catalog_close(c);
    snprintf(path, sizeof path, "%s/../%s", path_of("two", "1"),
             strrchr(path_of("two", "1"), '/') + 1);
    c = catalog_of(path);
    CU_ASSERT_EQUAL(count_entries(c), 1);
    CU_ASSERT_EQUAL(entry_at(c, 0)->iteration, 1);
    CU_ASSERT_STRING_EQUAL(rpt_catalog_checkpoint(c), entry_at(c, 0)->name);
    CU_ASSERT_STRING_EQUAL(rpt_catalog_directory(c), top);
    rpt_catalog_close(c);
    /* Without its lock and events a task still has checkpoints. */
    shell("rm ck/two/lock ck/two/events.jsonl");
    c = catalog_of("ck/two");
    CU_ASSERT_EQUAL(count_entries(c), 2);
    rpt_catalog_close(c);
    shell("mkdir empty && touch file");
    c = catalog_of("empty");
    CU_ASSERT_EQUAL(count_entries(c), 0);
    rpt_catalog_close(c);
    FAILS(RPT_ERR_NOT_FOUND, "/nowhere",
          rpt_catalog_open(in_folder("nowhere"), &c));
    FAILS(RPT_ERR_NOT_FOUND, "/file", rpt_catalog_open(in_folder("file"), &c));
    FAILS(RPT_ERR_INVALID, "no characters", rpt_catalog_open("", &c));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_open(NULL, &c));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_open("x", NULL));
    CU_ASSERT_PTR_NULL(rpt_catalog_directory(NULL));
    CU_ASSERT_PTR_NULL(rpt_catalog_checkpoint(NULL));
    folder_end();
}

static void what_does_not_count_has_a_state_and_a_reason(void)
{
    static const rpt_stored_state_t wanted[] = {
        RPT_STORED_COMMITTED,  RPT_STORED_DAMAGED, RPT_STORED_DAMAGED,
        RPT_STORED_UNREADABLE, RPT_STORED_BAD,     RPT_STORED_TMP
    };
    rpt_catalog_t *c;
    const rpt_catalog_entry_t *e;

    folder_begin();
    save_in_folder("t", 6);
    flip(path_of("t", "6"), "MANIFEST.json", 20);
    shell("rm %s/MANIFEST.json && ln -s /dev/zero %s/MANIFEST.json",
          path_of("t", "5"), path_of("t", "5"));
    CU_ASSERT(
        make_newer(in_folder("%s/MANIFEST.json", path_of("t", "4"))));
    shell("cd ck/t && set -- it-*3-* && mv $1 .bad-${1##*-} && "
          "set -- it-*2-* && mv $1 .tmp-${1##*-} && mkdir .old-123 .tmp-x");
    c = catalog_of("ck/t");
    CU_ASSERT_EQUAL(count_entries(c), 6);
    for (size_t i = 0; i < 6; i++) {
        e = entry_at(c, i);
        CU_ASSERT_EQUAL(e->state, wanted[i]);
        CU_ASSERT_EQUAL(task_at(c, 0)->n_by_state[wanted[i]],
                        i == 1 || i == 2 ? 2 : 1);
    }
    CU_ASSERT_EQUAL(entry_at(c, 0)->iteration, 1);
    CU_ASSERT_EQUAL(entry_at(c, 1)->iteration, 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(entry_at(c, 1)->why, "digest"));
    CU_ASSERT_PTR_NOT_NULL(strstr(entry_at(c, 2)->why, "link"));
    CU_ASSERT_PTR_NOT_NULL(strstr(entry_at(c, 3)->why, "newer"));
    CU_ASSERT_EQUAL(entry_at(c, 4)->iteration, 3);
    CU_ASSERT_EQUAL(entry_at(c, 5)->iteration, 2);
    CU_ASSERT_STRING_EQUAL(rpt_stored_state_name(RPT_STORED_COMMITTED),
                           "committed");
    CU_ASSERT_STRING_EQUAL(rpt_stored_state_name(RPT_STORED_DAMAGED),
                           "damaged-manifest");
    CU_ASSERT_STRING_EQUAL(rpt_stored_state_name((rpt_stored_state_t)9), "?");
    rpt_catalog_close(c);
    folder_end();
}

/* As for a restore: until it is mended the one before is the newest. */
static void a_folder_that_others_may_write_does_not_count(void)
{
    rpt_options_t *options = NULL;
    rpt_catalog_t *c;

    folder_begin();
    save_in_folder("t", 2);
    shell("chmod o+w %s", path_of("t", "2"));
    c = catalog_of("ck");
    CU_ASSERT_EQUAL(entry_at(c, 0)->iteration, 1);
    CU_ASSERT_EQUAL(entry_at(c, 0)->state, RPT_STORED_COMMITTED);
    CU_ASSERT_EQUAL(entry_at(c, 1)->iteration, 2);
    CU_ASSERT_EQUAL(entry_at(c, 1)->state, RPT_STORED_UNREADABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(entry_at(c, 1)->why, "everybody"));
    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.checkpoint.keep", "1"));
    WORKS(rpt_catalog_prune(c, "t", options, 0, NULL, NULL));
    rpt_catalog_close(c);
    rpt_options_destroy(options);
    shell("chmod o-w ck/t/it-*2-*");
    c = catalog_of("ck");
    CU_ASSERT_EQUAL(count_entries(c), 2);
    CU_ASSERT_EQUAL(entry_at(c, 0)->iteration, 2);
    CU_ASSERT_EQUAL(entry_at(c, 0)->state, RPT_STORED_COMMITTED);
    rpt_catalog_close(c);
    folder_end();
}

/* Of a task that has succeeded, whose folder was being removed. */
static void a_task_on_its_way_out_is_none(void)
{
    rpt_catalog_t *c;
    const rpt_catalog_task_t *task;

    folder_begin();
    save_in_folder("t", 1);
    save_in_folder("u", 1);
    shell("mv ck/u ck/.old-u && rm ck/.old-u/it-*/MANIFEST.json");
    c = catalog_of("ck");
    CU_ASSERT_EQUAL(count_entries(c), 1);
    CU_ASSERT_STRING_EQUAL(task_at(c, 0)->name, "t");
    CU_ASSERT_EQUAL(rpt_catalog_task(c, 1, &task), RPT_END);
    rpt_catalog_close(c);
    folder_end();
}

/* Where PATH/state.h5 is a file. */
static bool has_state(const char *path)
{
    char file[1024];

    snprintf(file, sizeof file, "%s/state.h5", path);
    return access(file, R_OK) == 0;
}

static void the_path_of_one_is_that_of_its_folder(void)
{
    rpt_catalog_t *c;
    char *path = NULL, wanted[1024], name[300];

    folder_begin();
    save_in_folder("t", 3);
    c = catalog_of("ck");
    WORKS(rpt_catalog_path(c, NULL, NULL, &path));
    snprintf(wanted, sizeof wanted, "%s",
             in_folder("ck/t/%s", entry_at(c, 0)->name));
    CU_ASSERT_STRING_EQUAL(path, wanted);
    CU_ASSERT(has_state(path) && strstr(path, "it-000000000003-") != NULL);
    free(path);
    WORKS(rpt_catalog_path(c, "t", "2", &path));
    CU_ASSERT(has_state(path) && strstr(path, "it-000000000002-") != NULL);
    rpt_catalog_close(c);
    /* From the path of a task, and of a checkpoint. */
    c = catalog_of("ck/t/");
    free(path);
    WORKS(rpt_catalog_path(c, NULL, NULL, &path));
    CU_ASSERT_STRING_EQUAL(path, wanted);
    rpt_catalog_close(c);
    free(path);
    snprintf(name, sizeof name, "ck/t/%s", strrchr(wanted, '/') + 1);
    c = catalog_of(name);
    WORKS(rpt_catalog_path(c, NULL, NULL, &path));
    CU_ASSERT_STRING_EQUAL(path, wanted);
    free(path);
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"", rpt_catalog_path(c, "u", NULL, &path));
    FAILS(RPT_ERR_NOT_FOUND, "\"9\"", rpt_catalog_path(c, NULL, "9", &path));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_path(NULL, NULL, NULL, &path));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_path(c, NULL, NULL, NULL));
    rpt_catalog_close(c);
    save_in_folder("v", 1);
    c = catalog_of("ck");
    FAILS(RPT_ERR_INVALID, "task", rpt_catalog_path(c, NULL, NULL, &path));
    rpt_catalog_close(c);
    folder_end();
}

static void one_is_found_by_name_id_iteration_or_as_the_newest(void)
{
    rpt_catalog_t *c;
    const rpt_catalog_entry_t *e = NULL, *newest;
    char id[32];

    folder_begin();
    save_in_folder("t", 12);
    c = catalog_of("ck");
    newest = entry_at(c, 0);
    WORKS(rpt_catalog_find(c, NULL, NULL, &e));
    CU_ASSERT_PTR_EQUAL(e, newest);
    WORKS(rpt_catalog_find(c, "t", "newest", &e));
    CU_ASSERT_PTR_EQUAL(e, newest);
    WORKS(rpt_catalog_find(c, NULL, "2", &e));
    CU_ASSERT_EQUAL(e->iteration, 2);
    WORKS(rpt_catalog_find(c, NULL, "000000000012", &e));
    CU_ASSERT_EQUAL(e->iteration, 12);
    WORKS(rpt_catalog_find(c, NULL, entry_at(c, 5)->name, &e));
    CU_ASSERT_EQUAL(e->iteration, 7);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)entry_at(c, 4)->id);
    WORKS(rpt_catalog_find(c, NULL, id, &e));
    CU_ASSERT_EQUAL(e->iteration, 8);
    FAILS(RPT_ERR_NOT_FOUND, "\"13\"", rpt_catalog_find(c, NULL, "13", &e));
    FAILS(RPT_ERR_NOT_FOUND, "\"\"", rpt_catalog_find(c, NULL, "", &e));
    FAILS(RPT_ERR_NOT_FOUND, "\"0x2\"", rpt_catalog_find(c, NULL, "0x2", &e));
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"", rpt_catalog_find(c, "u", NULL, &e));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_find(NULL, NULL, NULL, &e));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_find(c, NULL, NULL, NULL));
    rpt_catalog_close(c);
    save_in_folder("v", 1);
    c = catalog_of("ck");
    FAILS(RPT_ERR_INVALID, "2 tasks", rpt_catalog_find(c, NULL, NULL, &e));
    rpt_catalog_close(c);
    shell("mkdir empty");
    c = catalog_of("empty");
    FAILS(RPT_ERR_NOT_FOUND, "no checkpoints",
          rpt_catalog_find(c, NULL, NULL, &e));
    rpt_catalog_close(c);
    shell("rm -r ck/t/it-*");
    c = catalog_of("ck/t");
    FAILS(RPT_ERR_NOT_FOUND, "has no checkpoint",
          rpt_catalog_find(c, NULL, "newest", &e));
    rpt_catalog_close(c);
    folder_end();
}

/* ---- beside a job ---- */

static int seen_open, seen_failures;

static void look_beside(void)
{
    rpt_catalog_t *c = catalog_of("ck/t");
    rpt_catalog_interval_t interval;

    seen_open = task_at(c, 0)->is_open;
    WORKS(rpt_catalog_interval(c, NULL, &interval));
    seen_failures = (int)interval.n_failures;
    rpt_catalog_close(c);
}

static void a_job_that_runs_is_seen_and_is_no_failure(void)
{
    struct saving saving;
    rpt_catalog_t *c;

    folder_begin();
    saving = (struct saving){ .directory = in_folder("ck"),
                              .task = "t",
                              .n = 1,
                              .between = look_beside };
    seen_open = 0;
    seen_failures = 99;
    CU_ASSERT_TRUE(save(1, &saving));
    CU_ASSERT_EQUAL(seen_open, 1);
    CU_ASSERT_EQUAL(seen_failures, 0);
    c = catalog_of("ck/t");
    CU_ASSERT_EQUAL(task_at(c, 0)->is_open, 0);
    rpt_catalog_close(c);
    folder_end();
}

/* ---- between two looks ---- */

static char names[2][300];
static volatile bool is_over;

/* A folder that is committed, and taken back, all the time. */
static void *rename_all_the_time(void *unused)
{
    (void)unused;
    for (int i = 0; !is_over; i++) {
        rename(names[i % 2], names[(i + 1) % 2]);
        usleep(3000); /* some times what a look takes, also on a busy machine */
    }
    return NULL;
}

static void what_is_renamed_meanwhile_is_not_missed(void)
{
    pthread_t thread;
    int n_missed = 0, n_renamed = 0;

    folder_begin();
    save_in_folder("t", 1);
    snprintf(names[0], sizeof names[0], "%s",
             in_folder("%s", path_of("t", "1")));
    snprintf(names[1], sizeof names[1], "%s",
             in_folder("ck/t/.tmp-%s", strrchr(names[0], '-') + 1));
    is_over = false;
    CU_ASSERT_EQUAL_FATAL(
        pthread_create(&thread, NULL, rename_all_the_time, NULL), 0);
    for (int i = 0; i < 500; i++) {
        rpt_catalog_t *c = catalog_of("ck/t");

        n_missed += count_entries(c) != 1;
        n_renamed += count_entries(c) == 1 &&
                     entry_at(c, 0)->state == RPT_STORED_TMP;
        rpt_catalog_close(c);
    }
    is_over = true;
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(n_missed, 0);
    CU_ASSERT_TRUE(n_renamed > 0 && n_renamed < 500);
    folder_end();
}

/* ---- events ---- */

static rpt_catalog_interval_t interval_of(const char *path)
{
    rpt_catalog_interval_t interval = { .size = 0 };
    rpt_catalog_t *c = catalog_of(path);

    WORKS(rpt_catalog_interval(c, NULL, &interval));
    rpt_catalog_close(c);
    return interval;
}

/* 20 jobs, of which one never closed; then one that begins with a long file,
 * and 20 more of them.  What they say together stays. */
static void long_events_are_summed_up(void)
{
    rpt_catalog_interval_t before, after;
    rpt_catalog_event_t *events = NULL;
    rpt_catalog_t *c;
    size_t n = 0;

    folder_begin();
    for (int i = 0; i < 20; i++) {
        save_in_folder("t", 1);
        if (i == 10) {
            shell("echo '{\"time\": 100, \"event\": \"open\", \"id\": \"0\"}' "
                  ">>ck/t/events.jsonl; echo '{\"time\": 107, \"event\": "
                  "\"failure\", \"id\": \"0\"}' >>ck/t/events.jsonl");
        }
    }
    before = interval_of("ck/t");
    CU_ASSERT_TRUE(before.n_commits == 20 && before.n_failures == 1);
    CU_ASSERT_TRUE(before.run_s >= 7);
    setenv("RPT_IO_CHECKPOINT_EVENTS_BYTES", "1500", 1);
    for (int i = 0; i < 20; i++) {
        save_in_folder("t", 1);
        after = interval_of("ck/t");
        CU_ASSERT_EQUAL(after.n_commits, 21 + (uint64_t)i);
        CU_ASSERT_EQUAL(after.n_failures, 1);
        CU_ASSERT_TRUE(after.run_s >= before.run_s);
        before = after;
    }
    unsetenv("RPT_IO_CHECKPOINT_EVENTS_BYTES");
    shell("test $(wc -c <ck/t/events.jsonl) -lt 2800");
    shell("test ! -e ck/t/events.new");
    c = catalog_of("ck");
    WORKS(rpt_catalog_events(c, NULL, &events, &n));
    CU_ASSERT_TRUE_FATAL(n > 4);
    CU_ASSERT_STRING_EQUAL(events[0].event, "history");
    CU_ASSERT_STRING_EQUAL(events[1].event, "open");
    CU_ASSERT_STRING_EQUAL(events[n - 1].event, "close");
    free(events);
    rpt_catalog_close(c);
    /* One that failed, and then nothing but long rubbish. */
    shell("echo '{\"time\": 1, \"event\": \"open\", \"id\": \"0\"}' "
          ">>ck/t/events.jsonl; head -c 9000 /dev/zero >>ck/t/events.jsonl");
    setenv("RPT_IO_CHECKPOINT_EVENTS_BYTES", "1500", 1);
    save_in_folder("t", 1);
    unsetenv("RPT_IO_CHECKPOINT_EVENTS_BYTES");
    after = interval_of("ck/t");
    CU_ASSERT_TRUE(after.n_commits == 41 && after.n_failures == 2);
    folder_end();
}

static void events_come_in_order_without_torn_lines(void)
{
    static const char *const wanted[] = { "open", "commit", "commit", "close" };
    rpt_catalog_t *c;
    rpt_catalog_event_t *events = NULL;
    size_t n = 99;

    folder_begin();
    save_in_folder("t", 2);
    shell("printf 'no json\\n{\"event\": 3}\\n{\"time\": 1, \"event\": \"comm' "
          ">>ck/t/events.jsonl");
    c = catalog_of("ck");
    WORKS(rpt_catalog_events(c, NULL, &events, &n));
    CU_ASSERT_EQUAL_FATAL(n, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_STRING_EQUAL(events[i].event, wanted[i]);
        CU_ASSERT_TRUE(events[i].time_s > 1.6e9 && events[i].pid > 0);
    }
    CU_ASSERT_EQUAL(events[2].iteration, 2);
    CU_ASSERT_EQUAL(events[2].id, entry_at(c, 0)->id);
    CU_ASSERT_TRUE(events[2].seconds > 0);
    free(events);
    shell("rm ck/t/events.jsonl");
    WORKS(rpt_catalog_events(c, "t", &events, &n));
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_PTR_NULL(events);
    shell("ln -s lock ck/t/events.jsonl");
    FAILS(RPT_ERR_INVALID, "link", rpt_catalog_events(c, "t", &events, &n));
    shell("rm ck/t/events.jsonl && truncate -s 2G ck/t/events.jsonl");
    FAILS(RPT_ERR_CORRUPT, "too long", rpt_catalog_events(c, "t", &events, &n));
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"", rpt_catalog_events(c, "u", &events, &n));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_events(c, "t", NULL, &n));
    rpt_catalog_close(c);
    folder_end();
}

/* Daly by hand: cost 2, mean time 10000: 200 (1 + 0.01 / 3 + 0.0001 / 9) - 2.
 */
static void the_interval_is_learned_from_events(void)
{
    rpt_catalog_t *c;
    rpt_catalog_interval_t interval = { .size = 0 };

    folder_begin();
    save_in_folder("t", 1);
    shell("for line in 'open 0 0' 'commit 10 2' 'commit 10000 2' "
          "'open 20000 0' 'commit 20050 1' 'commit 20090 90' "
          "'commit 30000 2' 'open 40000 0' 'close 40000 0'; do set -- $line; "
          "printf '{\"time\": %%s, "
          "\"event\": \"%%s\", \"id\": \"0\", \"seconds\": %%s}\\n' "
          "$2 $1 $3; done >ck/t/events.jsonl");
    c = catalog_of("ck");
    WORKS(rpt_catalog_interval(c, NULL, &interval));
    CU_ASSERT_EQUAL(interval.size, sizeof interval);
    CU_ASSERT_EQUAL(interval.n_commits, 5);
    CU_ASSERT_EQUAL(interval.n_failures, 2);
    CU_ASSERT_DOUBLE_EQUAL(interval.run_s, 20000, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(interval.cost_s, 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(interval.mtbf_s, 10000, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(interval.interval_s, 198.66888889, 1e-6);
    /* One that died at once says little about the next. */
    shell("(echo '{\"time\": 0, \"event\": \"open\", \"id\": \"0\"}'; "
          "echo '{\"time\": 3, \"event\": \"restore\", \"id\": \"0\"}') "
          ">ck/t/events.jsonl");
    WORKS(rpt_catalog_interval(c, "t", &interval));
    CU_ASSERT_EQUAL(interval.n_failures, 1);
    CU_ASSERT_DOUBLE_EQUAL(interval.run_s, 3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(interval.mtbf_s, 600, 0);
    shell("rm ck/t/events.jsonl");
    WORKS(rpt_catalog_interval(c, "t", &interval));
    CU_ASSERT_EQUAL(interval.n_commits + interval.n_failures, 0);
    CU_ASSERT_DOUBLE_EQUAL(interval.mtbf_s, 86400, 0);
    CU_ASSERT_DOUBLE_EQUAL(interval.interval_s, 0, 0);
    FAILS(RPT_ERR_NOT_FOUND, "\"u\"", rpt_catalog_interval(c, "u", &interval));
    FAILS(RPT_ERR_INVALID, "NULL", rpt_catalog_interval(c, "t", NULL));
    rpt_catalog_close(c);
    folder_end();
}

const struct rpt_test looking_tests[] = {
    RPT_TEST(tasks_and_checkpoints_are_listed_newest_first),
    RPT_TEST(a_path_is_a_directory_a_task_or_a_checkpoint),
    RPT_TEST(what_does_not_count_has_a_state_and_a_reason),
    RPT_TEST(a_folder_that_others_may_write_does_not_count),
    RPT_TEST(a_task_on_its_way_out_is_none),
    RPT_TEST(the_path_of_one_is_that_of_its_folder),
    RPT_TEST(one_is_found_by_name_id_iteration_or_as_the_newest),
    RPT_TEST(a_job_that_runs_is_seen_and_is_no_failure),
    RPT_TEST(what_is_renamed_meanwhile_is_not_missed),
    RPT_TEST(long_events_are_summed_up),
    RPT_TEST(events_come_in_order_without_torn_lines),
    RPT_TEST(the_interval_is_learned_from_events),
    RPT_TEST_END,
};
