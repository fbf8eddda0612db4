/*
 * directory.c - state directories that are in use, damaged, or full
 */
#include "world.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE "pool.state_dir=@/state"

static void open_twice(struct world *w)
{
    rpt_options_t *options = options_with(STATE);
    rpt_context_t *context = NULL;
    rpt_pool_t *second = NULL;
    char pid[32];

    CHECK(rpt_context_create_local(1, options, &context) == RPT_OK);
    CHECK_ERROR(RPT_ERR_BUSY, rpt_pool_create(context, NULL, &second));
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    CHECK(strstr(rpt_last_error_text(), pid) != NULL);
    CHECK(second == NULL);
    ends(submit(w->pool, task_int("count", 0)), RPT_OUTCOME_OK);
    CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) == RPT_OK);
    w->closed = true;
    rpt_context_destroy(context);
    rpt_options_destroy(options);
}

static void one_job_at_a_time(struct world *w)
{
    job(w, w->size, open_twice);
    job(w, w->size, open_twice);
}

static void a_second_job_on_the_directory_is_refused(void)
{
    on_all(1, 3, STATE, one_job_at_a_time);
}

/* Another job holds the directory: all ranks are told so. */
static void find_it_busy(struct world *w)
{
    rpt_options_t *options = options_with(STATE);
    rpt_context_t *context = NULL;
    rpt_pool_t *first = NULL, *pool = NULL;

    if (w->rank == 0) {
        CHECK(rpt_context_create_local(1, options, &context) == RPT_OK);
        CHECK(rpt_pool_create(context, NULL, &first) == RPT_OK);
    }
    meet(w);
    CHECK_ERROR(RPT_ERR_BUSY, rpt_pool_create(w->context, NULL, &pool));
    meet(w);
    if (w->rank == 0) {
        CHECK(rpt_pool_drain(first) == RPT_OK);
        rpt_pool_destroy(first);
        rpt_context_destroy(context);
    }
    rpt_options_destroy(options);
}

static void a_busy_directory_is_an_error_on_all_ranks(void)
{
    on_all(1, 4, STATE, find_it_busy);
}

static void damage(const char *pattern)
{
    glob_t found;

    CHECK(glob(pattern, 0, NULL, &found) == 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = open(found.gl_pathv[i], O_RDWR);

        CHECK(pwrite(fd, "damage", 6, 100) == 6);
        close(fd);
    }
    globfree(&found);
}

static void run_20(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        submit_quietly(w->pool, task_int("count", i));
    }
    wait_all(w->pool);
}

static void resume_damaged(struct world *w)
{
    rpt_status_t status;

    job(w, w->size, run_20);
    if (w->rank == 0) {
        damage(scratch_path("state/*.rptj"));
    }
    meet(w);
    status = pool_open(w, NULL);
    if (status == RPT_OK && w->rank == 0) {
        status = try_submit(w->pool, task_int("count", 0));
        if (status == RPT_OK) {
            status = rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL);
        } else {
            CHECK_ERROR(
                RPT_ERR_CORRUPT,
                rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL));
        }
    } else if (status == RPT_OK) {
        status = rpt_pool_serve(w->pool);
    }
    CHECK_ERROR(RPT_ERR_CORRUPT, status);
    CHECK(strstr(rpt_last_error_text(), ".rptj") != NULL);
    CHECK(count_of(0) == 1);
    rpt_pool_destroy(w->pool);
}

static void a_damaged_journal_is_an_error_on_all_ranks(void)
{
    on_all(1, 3, STATE, resume_damaged);
}

/* Whether each record is written at once, or what is not yet written when all
 * tasks have ended is found at the shutdown. */
static bool at_once;

static void fill_disk(struct world *w, bool fits)
{
    static char data[65536];
    int n_resumed = 0, n_submitted = 0;
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < 64 && status == RPT_OK; i++) {
        rpt_task_t *task;
        char id[16];

        memset(data, i, sizeof data);
        task = task_new("echo", data, sizeof data);
        snprintf(id, sizeof id, "%d", i);
        CHECK(rpt_task_set_id(task, id) == RPT_OK);
        status = try_submit(w->pool, task);
        n_submitted += status == RPT_OK;
    }
    if (status == RPT_OK) {
        status = rpt_pool_wait(w->pool, 60);
    }
    if (fits) {
        CHECK(status == RPT_OK && n_submitted == 64);
        n_resumed = (int)stats_of(w->pool).resumed;
        CHECK((n_resumed > 0 || !at_once) && n_resumed < 64);
        CHECK(rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL) ==
              RPT_OK);
    } else {
        if (at_once) {
            CHECK_ERROR(RPT_ERR_IO, status);
            CHECK_ERROR(RPT_ERR_IO, rpt_pool_wait(w->pool, 60));
            CHECK_ERROR(RPT_ERR_IO,
                        try_submit(w->pool, task_new("noop", NULL, 0)));
        }
        CHECK_ERROR(RPT_ERR_IO,
                    rpt_pool_shutdown(w->pool, RPT_SHUTDOWN_GRACEFUL, 0, NULL));
        CHECK(strstr(rpt_last_error_text(), "o space") != NULL);
    }
}

static void run_on_disk(struct world *w, bool fits)
{
    CHECK(pool_open(w, NULL) == RPT_OK);
    if (w->rank == 0) {
        fill_disk(w, fits);
    } else if (fits) {
        CHECK(rpt_pool_serve(w->pool) == RPT_OK);
    } else {
        CHECK_ERROR(RPT_ERR_IO, rpt_pool_serve(w->pool));
        CHECK(strstr(rpt_last_error_text(), "o space") != NULL);
    }
    rpt_pool_destroy(w->pool);
    meet(w);
}

static void full_disk(struct world *w)
{
    const char *disk = scratch_path("disk");

    if (w->rank == 0) {
        CHECK(mkdir(disk, 0700) == 0);
        if (mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0) {
            gate_open(0);
        }
    }
    meet(w);
    if (!gate_pass(0, 0)) {
        if (w->rank == 0) {
            rpt_test_skip("a file system of 1 MiB cannot be mounted here");
        }
        return;
    }
    run_on_disk(w, false);
    if (w->rank == 0) {
        CHECK(mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=64m") == 0);
    }
    meet(w);
    run_on_disk(w, true);
    if (w->rank == 0) {
        CHECK(umount2(disk, MNT_DETACH) == 0);
    }
}

static void a_full_disk_stops_the_job_which_can_be_resumed(void)
{
    at_once = true;
    on_all(1, 3, "pool.state_dir=@/disk/state journal.commit_s=0", full_disk);
    at_once = false;
    on_all(1, 3, "pool.state_dir=@/disk/state journal.commit_s=60", full_disk);
}

const struct pool_test directory_tests[] = {
    TEST(a_second_job_on_the_directory_is_refused),
    TEST(a_busy_directory_is_an_error_on_all_ranks),
    TEST(a_damaged_journal_is_an_error_on_all_ranks),
    TEST(a_full_disk_stops_the_job_which_can_be_resumed),
    TEST_END,
};
