/*
 * changing.c - queries while a job saves and removes, and what queries leave
 * behind: nothing
 */
#include "logged.h"
#include "shown.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 150 };

/* A process that saves for ever, one checkpoint is kept. */
static pid_t start_saving(const char *folder)
{
    pid_t child = fork();

    if (child == 0) {
        alarm(250);
        _exit(saved_more(folder, "t", 3, UINT64_C(1) << 40, "1") ? 0 : 1);
    }
    return child;
}

/* What may happen to a checkpoint that is named: it is gone. */
static bool is_whole_or_gone(rpt_view_t *c, const char *sql, bool may_go)
{
    rpt_query_t *q = NULL;
    rpt_value_t v[4];
    rpt_status_t status = rpt_query_open(c, sql, &q);
    bool good = true;

    CU_ASSERT_FATAL(status == RPT_OK);
    while ((status = rpt_query_step(q)) == RPT_OK) {
        for (int i = 0; i < 4; i++) {
            CU_ASSERT(rpt_query_value(q, i, &v[i]) == RPT_OK);
        }
        /* iteration, least and greatest value, how many */
        good = good && v[0].i64 == v[1].i64 && v[0].i64 == v[2].i64 &&
               v[3].i64 == 5;
    }
    if (status != RPT_END && !(may_go && status == RPT_ERR_NOT_FOUND &&
                               strstr(rpt_last_error()->what, "is gone"))) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
        good = false;
    }
    rpt_query_close(q);
    return good;
}

static void while_a_job_saves_checkpoints_are_whole_or_gone(void)
{
    const char *folder = scratch_make();
    int64_t first = 0, last = 0;
    int status = 0;
    pid_t child;

    rpt_log_set_level(RPT_LOG_ERROR);
    CU_ASSERT(saved_more(folder, "t", 1, 2, "1"));
    child = start_saving(folder);
    for (int i = 0; i < ROUNDS || last < first + 100; i++) {
        rpt_view_t *c = open_with(folder, NULL, NULL);

        CU_ASSERT(is_whole_or_gone(
            c,
            "SELECT (SELECT value FROM array('repartir/iteration')), "
            "min(value), max(value), count(value) FROM array('v')",
            false));
        CU_ASSERT(is_whole_or_gone(
            c,
            "SELECT c.iteration, min(value), max(value), count(value) FROM "
            "checkpoints c, array('v', c.id) WHERE c.state = 'committed' GROUP "
            "BY c.id",
            true));
        CU_ASSERT(number_of(c, "SELECT count(*) FROM checkpoints WHERE state "
                               "IN ('damaged', 'unreadable', 'aside')") == 0);
        CU_ASSERT(number_of(c, "SELECT count(xxh3) FROM blocks") >= 0);
        last = number_of(c, "SELECT max(iteration) FROM events");
        first = i == 0 ? last : first;
        rpt_view_close(c);
        if (waitpid(child, &status, WNOHANG) == child) {
            child = 0;
            CU_FAIL("the saving process has ended");
            break;
        }
    }
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    CU_ASSERT(last >= first + 100); /* it did save meanwhile */
    rpt_log_set_level(RPT_LOG_WARN);
    scratch_remove(folder);
}

/* All queries of a catalog see the same newest one. */
static void the_newest_stays_the_same(void)
{
    const char *folder = scratch_make();
    rpt_view_t *c;

    CU_ASSERT(saved_more(folder, "t", 1, 1, "1"));
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "1;");
    CU_ASSERT(saved_more(folder, "t", 2, 3, "1"));
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "1;");
    SHOWS(c, "SELECT iteration, state FROM checkpoints", "1 'committed';");
    FAILS(c, "SELECT * FROM array('v', 3)", RPT_ERR_NOT_FOUND, "iteration 3");
    rpt_view_close(c);
    /* Nobody has asked yet: the one that is there now. */
    c = open_with(folder, NULL, NULL);
    CU_ASSERT(saved_more(folder, "t", 4, 4, "1"));
    FAILS(c, "SELECT * FROM array('v', 3)", RPT_ERR_NOT_FOUND, "is gone");
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "4;");
    rpt_view_close(c);
    scratch_remove(folder);
}

static void harm(const char *folder, int nth, const char *command)
{
    char line[1200];

    snprintf(line, sizeof line, "cd '%s' && %s",
             committed_path(folder, "t", nth), command);
    CU_ASSERT_EQUAL(system(line), 0);
}

/* What a restore would pass over is passed over, with a warning; data that are
 * not there are not those of an older one. */
static void the_newest_is_one_whose_manifest_can_be_used(void)
{
    const char *folder = scratch_make();
    const char *logged;
    rpt_view_t *c;

    CU_ASSERT(saved_more(folder, "t", 1, 4, "4"));
    harm(folder, 0, "chmod o+w .");
    harm(folder, 1, "rm blocks.xxh");
    harm(folder, 2, "mv state.h5 other");
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT iteration, state FROM checkpoints",
          "4 'unreadable';3 'damaged';2 'damaged';1 'committed';");
    log_begin();
    FAILS(c, "SELECT value FROM array('v')", RPT_ERR_CORRUPT,
          "state.h5 is damaged");
    logged = log_end();
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "is passed over: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "everybody may write"));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "blocks.xxh"));
    FAILS(c, "SELECT value FROM array('v', 4)", RPT_ERR_INVALID,
          "everybody may write");
    SHOWS(c, "SELECT DISTINCT value FROM array('v', 1)", "1;");
    rpt_view_close(c);
    harm(folder, 2, "mv other state.h5");
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "2;");
    rpt_view_close(c);
    harm(folder, 0, "chmod o-w .");
    c = open_with(folder, NULL, NULL);
    SHOWS(c, "SELECT DISTINCT value FROM array('v')", "4;");
    rpt_view_close(c);
    scratch_remove(folder);
}

/* ---- nothing is left behind ---- */

static uint64_t seen;

static int see(const char *path, const struct stat *file, int kind,
               struct FTW *where)
{
    (void)where;
    for (const char *p = path; *p != '\0'; p++) {
        seen = seen * 31 + (unsigned char)*p;
    }
    seen = seen * 31 + (uint64_t)file->st_mode + (uint64_t)kind;
    seen = seen * 31 + (uint64_t)file->st_size;
    seen = seen * 31 + (uint64_t)file->st_mtim.tv_nsec;
    seen = seen * 31 + (uint64_t)file->st_ctim.tv_nsec;
    seen = seen * 31 + (uint64_t)file->st_ino;
    return 0;
}

static int lock_away(const char *path, const struct stat *file, int kind,
                     struct FTW *where)
{
    (void)where;
    return chmod(path, file->st_mode & ~(mode_t)0222) + (kind == FTW_NS);
}

static int unlock(const char *path, const struct stat *file, int kind,
                  struct FTW *where)
{
    (void)where;
    (void)kind;
    return chmod(path, file->st_mode | 0200);
}

/* Names, times, sizes and modes are the same afterwards; it works where nobody
 * may write, also for users other than root. */
static void a_read_only_directory_is_left_as_it_is(void)
{
    const char *folder = saved_folder();
    rpt_view_t *c;
    uint64_t before;

    CU_ASSERT(nftw(folder, lock_away, 16, FTW_PHYS) == 0);
    seen = 0;
    nftw(folder, see, 16, FTW_PHYS);
    before = seen;
    c = open_saved();
    SHOWS(c, "SELECT count(value) FROM array('field')", "1048576;");
    SHOWS(c,
          "SELECT (SELECT count(*) FROM checkpoints WHERE state = "
          "'committed'), (SELECT count(*) > 0 FROM blocks), (SELECT count(*) > "
          "0 FROM events), (SELECT count(*) FROM tasks)",
          "4 1 1 0;");
    rpt_view_close(c);
    seen = 0;
    nftw(folder, see, 16, FTW_PHYS);
    CU_ASSERT(seen == before);
    CU_ASSERT(nftw(folder, unlock, 16, FTW_PHYS) == 0);
}

static size_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

/* More tasks than a process has descriptors. */
static void many_tasks_need_few_descriptors(void)
{
    enum { TASKS = 80 };
    const char *folder = scratch_make();
    struct rlimit before, few;
    char line[400];
    rpt_view_t *c;

    CU_ASSERT(saved_more(folder, "t", 1, 1, "1"));
    snprintf(line, sizeof line,
             "cd %s && for i in $(seq 2 %d); do cp -r t t$i || exit 1; done",
             folder, TASKS);
    CU_ASSERT(system(line) == 0);
    CU_ASSERT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    c = open_with(folder, NULL, NULL);
    few = before;
    few.rlim_cur = count_fds() + 60;
    CU_ASSERT(setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (int i = 0; i < 2; i++) {
        SHOWS(c,
              "SELECT count(*), sum(value) FROM (SELECT DISTINCT task FROM "
              "checkpoints) t, array('v', NULL, t.task)",
              "400 400;");
    }
    CU_ASSERT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    rpt_view_close(c);
    scratch_remove(folder);
}

static void nothing_stays_open_or_allocated(void)
{
    size_t n_fds = 0, bytes = 0;

    for (int round = 0; round < 40; round++) {
        rpt_view_t *c = open_saved();

        for (int it = 100; it <= 400; it += 100) { /* 400: there is none */
            char sql[200];

            snprintf(sql, sizeof sql,
                     "SELECT a.value FROM array('u', %d) a, array('u', %d) b "
                     "USING (i0, i1) WHERE i0 < 3",
                     it, it);
            free(shown(c, sql, 0));
        }
        free(shown(c, "SELECT * FROM blocks, events LIMIT 1000", 0));
        rpt_view_close(c);
        if (round == 19) { /* malloc keeps some of what is freed */
            n_fds = count_fds();
            bytes = rpt_test_heap_bytes();
        }
    }
    CU_ASSERT(count_fds() == n_fds);
    CU_ASSERT(rpt_test_heap_bytes() <= bytes + 8192);
}

const struct rpt_test changing_tests[] = {
    RPT_TEST(while_a_job_saves_checkpoints_are_whole_or_gone),
    RPT_TEST(the_newest_stays_the_same),
    RPT_TEST(the_newest_is_one_whose_manifest_can_be_used),
    RPT_TEST(a_read_only_directory_is_left_as_it_is),
    RPT_TEST(many_tasks_need_few_descriptors),
    RPT_TEST(nothing_stays_open_or_allocated),
    RPT_TEST_END,
};
