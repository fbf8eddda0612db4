/*
 * meanwhile.c - a save that is under way, ranks that do not come, and calls of
 * the system that fail
 *
 * The library's fdatasync() and getrandom() are functions here: the
 * first may wait until it is told to go on.
 */
#include "faults_tables.h"

#include "base/error.h"
#include "io/checkpoint/checkpoint_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_getrandom(void *bytes, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_held;
static int failing_rank = -1;
static volatile bool has_no_random;
static ino_t renamed_in;  /* a checkpoint got its name in this folder ... */
static bool is_name_down; /* ... which was synced since                   */

int __wrap_fdatasync(int fd)
{
    bool fails;

    pthread_mutex_lock(&lock);
    while (is_held) {
        pthread_cond_wait(&changed, &lock);
    }
    fails = failing_rank >= 0 && rpt__identity() == failing_rank;
    pthread_mutex_unlock(&lock);
    if (fails) {
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    int result = __real_fsync(fd);
    struct stat found;

    pthread_mutex_lock(&lock);
    if (result == 0 && fstat(fd, &found) == 0 && found.st_ino == renamed_in) {
        is_name_down = true;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat found;

    pthread_mutex_lock(&lock);
    if (strncmp(to, "it-", 3) == 0 && fstat(to_dir, &found) == 0) {
        renamed_in = found.st_ino;
        is_name_down = false;
    }
    pthread_mutex_unlock(&lock);
    return __real_renameat(from_dir, from, to_dir, to);
}

ssize_t __wrap_getrandom(void *bytes, size_t n, unsigned flags)
{
    if (has_no_random) {
        errno = ENOSYS;
        return -1;
    }
    return __real_getrandom(bytes, n, flags);
}

/* Of all ranks: syncs wait, and then fail on this one (-1: on none). */
static void set(struct world *w, bool held, int rank)
{
    meet(w);
    if (w->rank == 0) {
        pthread_mutex_lock(&lock);
        is_held = held;
        failing_rank = rank;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    meet(w);
}

static rpt_checkpoint_t *open_task(struct world *w, uint64_t *value)
{
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_checkpoint_open(w->group, w->folder, "task", NULL, &c));
    WORKS(rpt_checkpoint_add_value(c, "value", RPT_TYPE_U64, 1, value));
    return c;
}

/* ---- without librepartir-hdf5 ---- */

static void save_without(struct world *w)
{
    uint64_t value = 1;
    rpt_checkpoint_t *c = open_task(w, &value);
    rpt_status_t status = rpt_checkpoint_save(c, 1);

    if (status == RPT_OK) { /* it is inside of this library */
        rpt_test_skip("HDF5 is inside of this library");
    } else {
        CHECK(status == RPT_ERR_UNSUPPORTED);
        CHECK(strstr(rpt_last_error_text(), "/no/such.so") != NULL);
        CHECK(strstr(rpt_last_error()->hint, "io.hdf5.library") != NULL);
        FAILS(RPT_ERR_UNSUPPORTED, "/no/such.so",
              rpt_checkpoint_save_async(c, 2));
        meet(w);
        CHECK(count_names(w, "task", ".tmp-") == 0);
        CHECK(count_names(w, "task", "it-") == 0);
    }
    rpt_checkpoint_close(c);
}

/* First of all: what was opened once is not opened again. */
static void without_hdf5_nothing_is_saved_and_that_is_said(void)
{
    on_all(1, "io.hdf5.library=/no/such.so", save_without);
}

static void save_with_another(struct world *w)
{
    uint64_t value = 1;
    rpt_checkpoint_t *c = open_task(w, &value);
    rpt_status_t status = rpt_checkpoint_save(c, 1);

    if (status == RPT_OK) {
        rpt_test_skip("HDF5 is inside of this library");
    } else {
        CHECK(status == RPT_ERR_UNSUPPORTED);
        CHECK(strstr(rpt_last_error_text(), "no librepartir-hdf5") != NULL);
    }
    rpt_checkpoint_close(c);
}

static void another_library_is_not_taken_for_it(void)
{
    on_all(1, "io.hdf5.library=libm.so.6", save_with_another);
}

/* ---- under way ---- */

static void ask_meanwhile(struct world *w)
{
    uint64_t value = 7, iteration = 0;
    rpt_checkpoint_t *c = open_task(w, &value);
    rpt_status_t status;

    CHECK(rpt_checkpoint_test(c) == RPT_OK); /* there was none */
    set(w, true, -1);
    WORKS(rpt_checkpoint_save_async(c, 1));
    for (int i = 0; i < 3; i++) {
        CHECK(rpt_checkpoint_test(c) == RPT_PENDING);
    }
    meet(w);
    CHECK(count_names(w, "task", "it-") == 0);
    set(w, false, -1);
    while ((status = rpt_checkpoint_test(c)) == RPT_PENDING) {
        usleep(1000);
    }
    CHECK(status == RPT_OK && rpt_checkpoint_test(c) == RPT_OK);
    WORKS(rpt_checkpoint_wait(c));
    value = 0;
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 1 && value == 7);
    rpt_checkpoint_close(c);
}

static void a_save_that_is_under_way_is_pending(void)
{
    on_all(1, NULL, ask_meanwhile);
}

static void ask_about_a_failure(struct world *w)
{
    uint64_t value = 7, iteration = 0;
    rpt_checkpoint_t *c = open_task(w, &value);
    rpt_status_t status;

    WORKS(rpt_checkpoint_save(c, 1));
    for (int r = 0; r < w->size; r++) {
        set(w, false, r);
        value = 8;
        WORKS(rpt_checkpoint_save_async(c, 2));
        while ((status = rpt_checkpoint_test(c)) == RPT_PENDING) {
            usleep(1000);
        }
        FAILS(RPT_ERR_IO, strerror(EIO), status);
        CHECK(rpt_last_error()->rank == r);
        CHECK(rpt_checkpoint_test(c) == RPT_OK); /* it is told once */
        WORKS(rpt_checkpoint_wait(c));
        set(w, false, -1);
        CHECK(count_names(w, "task", "it-") == 1);
        CHECK(count_names(w, "task", ".tmp-") == 0);
    }
    WORKS(rpt_checkpoint_restore(c, &iteration));
    CHECK(iteration == 1 && value == 7);
    WORKS(rpt_checkpoint_save(c, 2));
    rpt_checkpoint_close(c);
}

static void a_save_that_failed_is_told_once_by_a_test(void)
{
    on_all(1, NULL, ask_about_a_failure);
}

/* ---- the name ---- */

static void look_for_name(struct world *w)
{
    uint64_t value = 7;
    rpt_checkpoint_t *c = open_task(w, &value);
    struct stat task;

    for (uint64_t i = 1; i <= 2; i++) {
        WORKS(i == 1 ? rpt_checkpoint_save(c, i)
                     : rpt_checkpoint_save_async(c, i));
        WORKS(rpt_checkpoint_wait(c));
        CHECK(stat(path_of(w, "task", NULL), &task) == 0);
        pthread_mutex_lock(&lock);
        CHECK(renamed_in == task.st_ino && is_name_down);
        pthread_mutex_unlock(&lock);
        meet(w);
    }
    rpt_checkpoint_close(c);
}

/* Through a power failure: its folder is synced before that is told. */
static void what_is_committed_keeps_its_name(void)
{
    on_all(1, NULL, look_for_name);
}

/* ---- no random numbers ---- */

static void draw_none(struct world *w)
{
    uint64_t value = 7;
    rpt_checkpoint_t *c = open_task(w, &value);

    meet(w);
    has_no_random = true;
    meet(w);
    FAILS(RPT_ERR_SYSTEM, "no random numbers", rpt_checkpoint_begin(c, 1));
    FAILS(RPT_ERR_SYSTEM, "no random numbers", rpt_checkpoint_save(c, 1));
    meet(w);
    has_no_random = false;
    meet(w);
    WORKS(rpt_checkpoint_begin(c, 1));
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
}

static void without_random_numbers_nothing_is_begun(void)
{
    on_all(1, NULL, draw_none);
}

/* ---- who does not come ---- */

static rpt_status_t ask_due(rpt_checkpoint_t *c)
{
    int due;

    return rpt_checkpoint_due(c, 1, &due);
}

static rpt_status_t begin(rpt_checkpoint_t *c)
{
    return rpt_checkpoint_begin(c, 1);
}

static rpt_status_t save(rpt_checkpoint_t *c)
{
    return rpt_checkpoint_save(c, 1);
}

static rpt_status_t save_async(rpt_checkpoint_t *c)
{
    return rpt_checkpoint_save_async(c, 1);
}

static rpt_status_t restore(rpt_checkpoint_t *c)
{
    uint64_t iteration;

    return rpt_checkpoint_restore(c, &iteration);
}

static rpt_status_t (*const calls[])(rpt_checkpoint_t *c) = { ask_due, begin,
                                                              save, save_async,
                                                              restore };

/* Rank 1 comes when the others have given up.  The checkpoints must be opened
 * again then. */
static void miss_one(struct world *w)
{
    uint64_t value = 7;

    if (w->size > 2) {
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        rpt_checkpoint_t *c = open_task(w, &value);

        if (w->rank == 0) {
            FAILS(RPT_ERR_TIMEOUT, "for rank 1", calls[i](c));
        }
        meet(w);
        for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
            FAILS(RPT_ERR_STATE, "no further use", calls[k](c));
        }
        rpt_checkpoint_close(c);
        meet(w);
        CHECK(count_names(w, "task", ".tmp-") == 0);
    }
    {
        rpt_checkpoint_t *c = open_task(w, &value);

        WORKS(rpt_checkpoint_save(c, 1));
        rpt_checkpoint_close(c);
    }
}

static void who_does_not_come_is_named_and_they_are_opened_again(void)
{
    on_all(2,
           "comm.internal_deadline_s=1 io.checkpoint.deadline_s=1 "
           "coll.deadline_s=1",
           miss_one);
}

/* ---- who cannot go on ---- */

/* Rank 1 finds so instead of its call; the others may be in it already, or
 * come later. */
static void lack_one(struct world *w)
{
    uint64_t value = 7;

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        rpt_checkpoint_t *c = open_task(w, &value);

        meet(w);
        if (w->rank == 1) {
            FAILS(RPT_ERR_NOMEM, "12345", give_up(c->group));
        } else {
            FAILS(RPT_ERR_PEER, "12345", calls[i](c));
        }
        meet(w);
        for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
            FAILS(RPT_ERR_STATE, "no further use", calls[k](c));
        }
        rpt_checkpoint_close(c);
        meet(w);
        CHECK(count_names(w, "task", ".tmp-") == 0);
        CHECK(count_names(w, "task", "it-") == 0);
    }
}

static void who_cannot_go_on_tells_the_others(void)
{
    on_all(2, "comm.internal_deadline_s=100 io.checkpoint.deadline_s=100",
           lack_one);
}

static void open_alone(struct world *w)
{
    rpt_group_t *part = NULL;
    rpt_checkpoint_t *c = NULL;

    WORKS(rpt_group_split(w->group, 0, w->rank, &part));
    if (w->rank == 0) {
        FAILS(RPT_ERR_TIMEOUT, "",
              rpt_checkpoint_open(part, w->folder, "task", NULL, &c));
    }
    meet(w);
    FAILS(RPT_ERR_STATE, "no further use",
          rpt_checkpoint_open(part, w->folder, "task", NULL, &c));
    CHECK(c == NULL);
    rpt_group_destroy(part);
}

static void nobody_opens_alone(void)
{
    on_all(2, "comm.internal_deadline_s=1", open_alone);
}

const struct rpt_test opening_tests[] = {
    RPT_TEST(without_hdf5_nothing_is_saved_and_that_is_said),
    RPT_TEST(another_library_is_not_taken_for_it),
    RPT_TEST_END,
};

const struct rpt_test meanwhile_tests[] = {
    RPT_TEST(a_save_that_is_under_way_is_pending),
    RPT_TEST(a_save_that_failed_is_told_once_by_a_test),
    RPT_TEST(what_is_committed_keeps_its_name),
    RPT_TEST(without_random_numbers_nothing_is_begun),
    RPT_TEST(who_does_not_come_is_named_and_they_are_opened_again),
    RPT_TEST(who_cannot_go_on_tells_the_others),
    RPT_TEST(nobody_opens_alone),
    RPT_TEST_END,
};
