/*
 * disk.c - when a file is on the disk and has its name, and what does not fit
 *
 * fsync() and rename() of the library go through functions here, which note
 * their order and may fail.
 */
#include "written.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static char order[16]; /* f: a file was synced, d: a directory, r: renamed */
static char failing;   /* which of these fails */

static int note(char what)
{
    size_t n = strlen(order);

    if (n + 1 < sizeof order) {
        order[n] = what;
    }
    if (what == failing) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int __wrap_fsync(int fd)
{
    struct stat found;

    CU_ASSERT_EQUAL(fstat(fd, &found), 0);
    return note(S_ISDIR(found.st_mode) ? 'd' : 'f') == 0 ? __real_fsync(fd)
                                                         : -1;
}

int __wrap_rename(const char *from, const char *to)
{
    return note('r') == 0 ? __real_rename(from, to) : -1;
}

static void a_file_is_on_the_disk_before_it_has_its_name(void)
{
    static const double values[] = { 1, 2 };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        put(in_scratch("synced"), "of before");
        CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("synced"), NULL, &writer),
                              RPT_OK);
        CU_ASSERT_EQUAL(append_numbers(writer, values, 2), RPT_OK);
        memset(order, 0, sizeof order);
        failing = "-frd"[i];
        CU_ASSERT_EQUAL(rpt__parquet_close(writer),
                        i == 0 ? RPT_OK : RPT_ERR_IO);
        CU_ASSERT(i == 0 || (says("synced was not written") &&
                             says("Input/output error")));
        failing = '\0';
        CU_ASSERT_STRING_EQUAL(order, i == 1 ? "f" : i == 2 ? "fr" : "frd");
        CU_ASSERT(holds(in_scratch("synced"), "of before") ==
                  (i == 1 || i == 2));
        CU_ASSERT(!exists(in_scratch("synced.part")));
    }
}

static void fill_noise(double *values, int n)
{
    for (int i = 0; i < n; i++) {
        values[i] = (double)rand() / (1 + rand());
    }
}

/* A file of some megabytes into a folder with less: an error, PATH is what it
 * was, and there is nothing else. */
static void does_not_fit(const char *path, const char *why)
{
    enum { N = 100000 };
    static const struct rpt_parquet_settings settings = { .group_rows = N };
    static double values[N];
    char part[600];
    struct rpt_parquet *writer = NULL;
    rpt_status_t status = RPT_OK;

    fill_noise(values, N);
    put(path, "of before");
    snprintf(part, sizeof part, "%s.part", path);
    CU_ASSERT_EQUAL_FATAL(open_numbers(path, &settings, &writer), RPT_OK);
    for (int i = 0; i < 8 && status == RPT_OK; i++) {
        status = append_numbers(writer, values, N);
    }
    CU_ASSERT_EQUAL(status, RPT_ERR_IO);
    CU_ASSERT(says("was not written") && says(why));
    CU_ASSERT(exists(part));
    CU_ASSERT_EQUAL(append_numbers(writer, values, 1), RPT_ERR_STATE);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_ERR_STATE);
    CU_ASSERT(holds(path, "of before"));
    CU_ASSERT(!exists(part));

    /* The same where the last group does not fit. */
    CU_ASSERT_EQUAL_FATAL(open_numbers(path, NULL, &writer), RPT_OK);
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(append_numbers(writer, values, N), RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_ERR_IO);
    CU_ASSERT(says("was not written") && says(why));
    CU_ASSERT(holds(path, "of before"));
    CU_ASSERT(!exists(part));
}

static void a_file_that_becomes_too_large_is_an_error(void)
{
    struct rlimit before, little;

    if (!has_library()) {
        return;
    }
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 1 << 20;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &little), 0);
    does_not_fit(in_scratch("limited"), "File too large");
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void a_full_disk_is_an_error(void)
{
    char disk[600];

    if (!has_library()) {
        return;
    }
    snprintf(disk, sizeof disk, "%s", in_scratch("disk"));
    CU_ASSERT_EQUAL_FATAL(mkdir(disk, 0700), 0);
    if (mount("none", disk, "tmpfs", 0, "size=2m") != 0) {
        rpt_test_skip("this user may not mount a small disk");
        return;
    }
    does_not_fit(in_scratch("disk/full"), "No space left");
    CU_ASSERT_EQUAL(umount2(disk, MNT_DETACH), 0);
}

static void a_file_has_its_name_when_it_is_complete(void)
{
    static const double values[] = { 1, 2 };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("named"), NULL, &writer),
                          RPT_OK);
    CU_ASSERT_EQUAL(append_numbers(writer, values, 2), RPT_OK);
    CU_ASSERT(exists(in_scratch("named.part")) && !exists(in_scratch("named")));
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    CU_ASSERT(!exists(in_scratch("named.part")));
    python("numbers", in_scratch("named"), "1 2");
}

static void a_file_that_is_abandoned_leaves_the_one_of_before(void)
{
    static const double values[] = { 1, 2 };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    put(in_scratch("old"), "of before");
    CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("old"), NULL, &writer),
                          RPT_OK);
    CU_ASSERT_EQUAL(append_numbers(writer, values, 2), RPT_OK);
    rpt__parquet_abandon(writer);
    CU_ASSERT(holds(in_scratch("old"), "of before"));
    CU_ASSERT(!exists(in_scratch("old.part")));
    rpt__parquet_abandon(NULL);
    CU_ASSERT_EQUAL(rpt__parquet_close(NULL), RPT_OK);
}

static void a_link_leads_to_the_file_that_is_replaced(void)
{
    static const double values[] = { 3, 4 };
    struct rpt_parquet *writer = NULL;
    struct stat found;

    if (!has_library()) {
        return;
    }
    put(in_scratch("target"), "of before");
    put(in_scratch("target.part"), "of a killed job, longer than the new one");
    CU_ASSERT_EQUAL_FATAL(truncate(in_scratch("target.part"), 65536), 0);
    CU_ASSERT_EQUAL_FATAL(symlink("target", in_scratch("link")), 0);
    CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("link"), NULL, &writer),
                          RPT_OK);
    CU_ASSERT_EQUAL(append_numbers(writer, values, 2), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    CU_ASSERT(lstat(in_scratch("link"), &found) == 0 && S_ISLNK(found.st_mode));
    CU_ASSERT(!exists(in_scratch("target.part")));
    python("numbers", in_scratch("target"), "3 4");
}

static void two_writers_of_one_file_do_not_mix(void)
{
    static const double values[] = { 1, 2 };
    struct rpt_parquet *first = NULL, *second = NULL;

    if (!has_library()) {
        return;
    }
    CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("both"), NULL, &first),
                          RPT_OK);
    CU_ASSERT_EQUAL(open_numbers(in_scratch("both"), NULL, &second),
                    RPT_ERR_BUSY);
    CU_ASSERT(says("both.part") && says("a file of its own"));
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_EQUAL(append_numbers(first, values, 2), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(first), RPT_OK);
    python("numbers", in_scratch("both"), "1 2");
}

const struct rpt_test disk_tests[] = {
    RPT_TEST(a_file_is_on_the_disk_before_it_has_its_name),
    RPT_TEST(a_file_that_becomes_too_large_is_an_error),
    RPT_TEST(a_full_disk_is_an_error),
    RPT_TEST(a_file_has_its_name_when_it_is_complete),
    RPT_TEST(a_file_that_is_abandoned_leaves_the_one_of_before),
    RPT_TEST(a_link_leads_to_the_file_that_is_replaced),
    RPT_TEST(two_writers_of_one_file_do_not_mix),
    RPT_TEST_END
};
