/*
 * failing.c - a disk that fails while checkpoints are looked at and removed
 *
 * Calls of the library that read, remove and rename are functions here, one of
 * which fails.
 */
#include "make.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t __real_pread(int fd, void *to, size_t bytes, off_t offset);
ssize_t __wrap_pread(int fd, void *to, size_t bytes, off_t offset);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

static bool reads_fail;
static unsigned change_fails_in; /* 0: none does */

static bool change_fails(void)
{
    return change_fails_in > 0 && --change_fails_in == 0;
}

ssize_t __wrap_pread(int fd, void *to, size_t bytes, off_t offset)
{
    if (reads_fail) {
        errno = EIO;
        return -1;
    }
    return __real_pread(fd, to, bytes, offset);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    if (change_fails()) {
        errno = EIO;
        return -1;
    }
    return __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
    if (change_fails()) {
        errno = EIO;
        return -1;
    }
    return __real_unlinkat(dir, name, flags);
}

/* ---- removing ---- */

static rpt_status_t prune(const rpt_catalog_t *c)
{
    rpt_options_t *options = NULL;
    rpt_status_t status;

    WORKS(rpt_options_create(&options));
    WORKS(rpt_options_set(options, "io.checkpoint.keep", "2"));
    status = rpt_catalog_prune(c, "t", options, 0, NULL, NULL);
    rpt_options_destroy(options);
    return status;
}

static rpt_status_t remove_first(const rpt_catalog_t *c)
{
    return rpt_catalog_remove(c, "t", "1", 0, NULL, NULL);
}

static rpt_status_t remove_all(const rpt_catalog_t *c)
{
    return rpt_catalog_remove_task(c, "t", RPT_CATALOG_FORCE, NULL, NULL);
}

static int count(const char *start)
{
    DIR *dir = opendir(in_folder("ck/t"));
    struct dirent *entry;
    int n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, start, strlen(start)) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

static rpt_status_t verify_newest(void)
{
    rpt_catalog_t *c = NULL;
    rpt_stored_t *stored = stored_of("t", "newest", &c);
    rpt_status_t status = rpt_stored_verify(stored, RPT_VERIFY_CHECKSUMS, NULL);

    rpt_stored_close(stored);
    rpt_catalog_close(c);
    return status;
}

/* What a failure leaves counts for nobody, and goes the next time. */
static void fail_once(rpt_status_t (*fn)(const rpt_catalog_t *c), int n_left,
                      unsigned n)
{
    rpt_catalog_t *c = catalog_of("ck");

    change_fails_in = n;
    FAILS(RPT_ERR_IO, strerror(EIO), fn(c));
    CU_ASSERT(change_fails_in == 0);
    rpt_catalog_close(c);
    if (n_left > 0) {
        CU_ASSERT(verify_newest() == RPT_OK);
        c = catalog_of("ck");
        if (fn != remove_first || count("it-000000000001-") == 1) {
            WORKS(fn(c));
        }
        WORKS(prune(c)); /* and what is half removed */
        rpt_catalog_close(c);
        CU_ASSERT(count("it-") == 2 && count(".old-") == 0);
        CU_ASSERT(verify_newest() == RPT_OK);
    } else if (rmdir(in_folder("ck/t")) != 0) { /* it is not empty */
        c = catalog_of("ck");
        WORKS(fn(c));
        rpt_catalog_close(c);
        CU_ASSERT(access(in_folder("ck/t"), F_OK) != 0);
    }
}

/* Each call that removes or renames, in turn. */
static void fail_in_turn(rpt_status_t (*fn)(const rpt_catalog_t *c), int n_left)
{
    unsigned most = 1000, n_calls;
    rpt_catalog_t *c;

    rpt_log_set_level(RPT_LOG_ERROR);
    save_in_folder("t", 4);
    c = catalog_of("ck");
    change_fails_in = most;
    WORKS(fn(c));
    n_calls = most - change_fails_in;
    change_fails_in = 0;
    rpt_catalog_close(c);
    CU_ASSERT(n_calls > 4);
    CU_ASSERT(n_left == 0 || count("it-") == n_left);
    for (unsigned n = 1; n <= n_calls; n++) {
        shell("rm -rf ck");
        save_in_folder("t", 4);
        fail_once(fn, n_left, n);
    }
    rpt_log_set_level(RPT_LOG_WARN);
}

static void what_is_not_pruned_is_told_and_goes_later(void)
{
    folder_begin();
    fail_in_turn(prune, 2);
    folder_end();
}

static void what_is_not_removed_is_told_and_goes_later(void)
{
    folder_begin();
    fail_in_turn(remove_first, 3);
    folder_end();
}

static void a_task_that_is_not_removed_is_told_and_goes_later(void)
{
    folder_begin();
    fail_in_turn(remove_all, 0);
    folder_end();
}

/* ---- reading ---- */

static void what_cannot_be_read_is_told(void)
{
    rpt_catalog_t *c = NULL, *again = NULL;
    rpt_stored_t *stored, *other = NULL;
    rpt_catalog_event_t *events = NULL;
    const rpt_catalog_entry_t *entry = NULL;
    rpt_catalog_interval_t interval;
    rpt_difference_t *differences = NULL;
    double u[ROWS * COLUMNS];
    size_t n = 0;

    folder_begin();
    save_in_folder("t", 2);
    stored = stored_of("t", "newest", &c);
    WORKS(rpt_catalog_find(c, "t", "newest", &entry));
    reads_fail = true;
    FAILS(RPT_ERR_IO, strerror(EIO), rpt_stored_open(c, entry, &other));
    FAILS(RPT_ERR_IO, strerror(EIO),
          rpt_stored_read(stored, "flow/u", NULL, NULL, u, sizeof u));
    FAILS(RPT_ERR_IO, strerror(EIO),
          rpt_stored_verify(stored, RPT_VERIFY_CHECKSUMS, NULL));
    FAILS(RPT_ERR_IO, strerror(EIO),
          rpt_stored_diff(stored, stored, 0, 0, &differences, &n));
    FAILS(RPT_ERR_IO, strerror(EIO), rpt_catalog_events(c, "t", &events, &n));
    FAILS(RPT_ERR_IO, strerror(EIO), rpt_catalog_interval(c, "t", &interval));
    CU_ASSERT(rpt_catalog_open(in_folder("ck"), &again) == RPT_OK);
    WORKS(rpt_catalog_entry(again, 0, &entry));
    CU_ASSERT(entry->state == RPT_STORED_UNREADABLE);
    CU_ASSERT(strstr(entry->why, strerror(EIO)) != NULL);
    reads_fail = false;
    CU_ASSERT(other == NULL && events == NULL && differences == NULL);
    WORKS(rpt_stored_verify(stored, RPT_VERIFY_CHECKSUMS, NULL));
    rpt_catalog_close(again);
    rpt_stored_close(stored);
    rpt_catalog_close(c);
    /* A link to itself leads nowhere. */
    shell("ln -s loop loop");
    again = NULL;
    FAILS(RPT_ERR_IO, "loop", rpt_catalog_open(in_folder("loop"), &again));
    CU_ASSERT(again == NULL);
    folder_end();
}

const struct rpt_test failing_tests[] = {
    RPT_TEST(what_is_not_pruned_is_told_and_goes_later),
    RPT_TEST(what_is_not_removed_is_told_and_goes_later),
    RPT_TEST(a_task_that_is_not_removed_is_told_and_goes_later),
    RPT_TEST(what_cannot_be_read_is_told),
    RPT_TEST_END,
};
