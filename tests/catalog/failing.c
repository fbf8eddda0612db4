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
ssize_t __real_read(int fd, void *to, size_t bytes);
ssize_t __wrap_read(int fd, void *to, size_t bytes);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

static bool reads_fail, lists_fail;
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

ssize_t __wrap_read(int fd, void *to, size_t bytes)
{
    if (reads_fail) {
        errno = EIO;
        return -1;
    }
    return __real_read(fd, to, bytes);
}

struct dirent *__wrap_readdir(DIR *dir)
{
    if (lists_fail) {
        errno = EIO;
        return NULL;
    }
    return __real_readdir(dir);
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

/* ---- queries ---- */

static rpt_status_t look_at(const char *name, rpt_view_t **view_out)
{
    const char *path = in_folder("%s", name);

    return rpt_view_open(&path, 1, NULL, view_out);
}

/* How a query ends; what it takes up it gives back. */
static rpt_status_t ask(rpt_view_t *view, const char *sql)
{
    rpt_query_t *query = NULL;
    rpt_status_t status = rpt_query_open(view, sql, &query);

    while (status == RPT_OK) {
        status = rpt_query_step(query);
    }
    rpt_query_close(query);
    return status;
}

static void a_view_of_what_cannot_be_listed_is_an_error(void)
{
    rpt_view_t *view = NULL;
    rpt_status_t status;

    folder_begin();
    save_in_folder("t", 1);
    status = look_at("ck", &view);
    rpt_view_close(view);
    view = NULL;
    if (status == RPT_ERR_UNSUPPORTED) {
        rpt_test_skip("there is no SQLite");
    } else {
        WORKS(status);
        lists_fail = true;
        FAILS(RPT_ERR_IO, strerror(EIO), look_at("ck", &view));
        FAILS(RPT_ERR_IO, strerror(EIO), look_at("ck/t", &view));
        lists_fail = false;
        shell("ln -s loop loop");
        FAILS(RPT_ERR_IO, "loop", look_at("loop", &view));
        CU_ASSERT(view == NULL);
    }
    folder_end();
}

static void a_query_of_what_cannot_be_read_is_an_error(void)
{
    static const char *const statements[] = {
        "SELECT sum(value) FROM array('flow/u')",
        "SELECT sum(value) FROM array('flow/u', 1)",
        "SELECT event FROM events",
        "SELECT host FROM attempts",
    };
    rpt_view_t *view = NULL;
    rpt_status_t status;

    folder_begin();
    save_in_folder("t", 2);
    status = look_at("ck", &view);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (status == RPT_OK) {
            reads_fail = true;
            FAILS(RPT_ERR_IO, strerror(EIO), ask(view, statements[i]));
            reads_fail = false;
            CU_ASSERT_EQUAL(ask(view, statements[i]), RPT_END);
        }
    }
    if (status == RPT_OK) {
        /* The manifest has been read now, data are read again. */
        reads_fail = true;
        FAILS(RPT_ERR_IO, "state.h5", ask(view, statements[0]));
        reads_fail = false;
        rpt_view_close(view);
    } else {
        CU_ASSERT_EQUAL(status, RPT_ERR_UNSUPPORTED);
        rpt_test_skip("there is no SQLite");
    }
    folder_end();
}

const struct rpt_test failing_tests[] = {
    RPT_TEST(what_is_not_pruned_is_told_and_goes_later),
    RPT_TEST(what_is_not_removed_is_told_and_goes_later),
    RPT_TEST(a_task_that_is_not_removed_is_told_and_goes_later),
    RPT_TEST(what_cannot_be_read_is_told),
    RPT_TEST(a_view_of_what_cannot_be_listed_is_an_error),
    RPT_TEST(a_query_of_what_cannot_be_read_is_an_error),
    RPT_TEST_END,
};
