/*
 * test_write.c - appending and committing, on good disks and bad ones
 */
#include "fixture.h"
#include "logged.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char own_name[] = "e00000001-r00000.rptj";

static rpt_status_t append_number(struct rpt_journal *journal, uint64_t n)
{
    return rpt__journal_append(journal, 9, &n, sizeof n);
}

/* Checks that numbers come as 0, 1, 2, …; counts them. */
static rpt_status_t count_numbers(void *user, uint64_t epoch, int writer,
                                  uint32_t type, const void *data, size_t bytes)
{
    uint64_t *n = user, i = UINT64_MAX;

    (void)epoch;
    (void)writer;
    if (bytes == sizeof i) {
        memcpy(&i, data, sizeof i);
    }
    return type == 9 && i == (*n)++ ? RPT_OK : RPT_ERR_INTERNAL;
}

static uint64_t numbers_in(const char *dir)
{
    uint64_t n = 0;

    CU_ASSERT_EQUAL(rpt__journal_replay(dir, UINT64_MAX, count_numbers, &n),
                    RPT_OK);
    return n;
}

static long size_of(const char *dir, const char *name)
{
    struct stat info;

    return stat(in_dir(dir, name), &info) == 0 ? (long)info.st_size : -1;
}

/* ---- committing ---- */

static void a_million_records_come_back_in_order(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("50ms");
    struct rpt_journal *journal = NULL;
    int bad = 0;

    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    for (uint64_t i = 0; i < 1000000; i++) {
        bad += append_number(journal, i) != RPT_OK;
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(numbers_in(dir), 1000000);
    rpt__journal_close(journal);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

/* Nobody asks for it: it is on the disk soon after journal.commit_s. */
static void what_was_appended_is_committed_in_time(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("300ms");
    struct rpt_journal *journal = NULL;
    double begin_s, end_s;

    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    begin_s = rpt__now_s();
    CU_ASSERT_EQUAL(append_number(journal, 0), RPT_OK);
    do {
        usleep(10000);
        end_s = rpt__now_s();
    } while (numbers_in(dir) == 0 && end_s < begin_s + 3);
    CU_ASSERT(end_s < begin_s + 3);
    rpt__journal_close(journal);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static void closing_commits_what_was_appended(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);

    say(journal, "kept");
    rpt__journal_close(journal);
    rpt__journal_close(NULL);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:kept");
    scratch_remove(dir);
}

static void a_journal_without_records_is_empty(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);

    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(rpt__journal_status(journal), RPT_OK);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    scratch_remove(dir);
}

static void many_records_share_one_sync(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    long before;

    faults_begin();
    journal = journal_make(dir, 1, 0);
    before = faults.n_syncs;
    for (uint64_t i = 0; i < 1000; i++) {
        append_number(journal, i);
    }
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(faults.n_syncs - before, 1);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(faults.n_syncs - before, 1);
    rpt__journal_close(journal);
    faults_end();
    scratch_remove(dir);
}

static void an_interval_of_zero_syncs_every_record(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("0");
    struct rpt_journal *journal = NULL;
    long before;

    faults_begin();
    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    before = faults.n_syncs;
    for (uint64_t i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(append_number(journal, i), RPT_OK);
        CU_ASSERT_EQUAL(faults.n_syncs - before, (long)i + 1);
        CU_ASSERT_EQUAL(numbers_in(dir), i + 1);
    }
    rpt__journal_close(journal);
    faults_end();
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static void without_sync_nothing_is_synced_and_all_is_written(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("60s");
    struct rpt_journal *journal = NULL;

    rpt_options_set(options, "journal.sync", "no");
    faults_begin();
    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    append_number(journal, 0);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(numbers_in(dir), 1);
    rpt__journal_close(journal);
    CU_ASSERT_EQUAL(faults.n_syncs, 0);
    faults_end();
    CU_ASSERT_EQUAL(numbers_in(dir), 1);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static sem_t synced;

static void post_synced(void)
{
    sem_post(&synced);
}

static void records_reach_the_disk_without_being_asked_to(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("1ms");
    struct rpt_journal *journal = NULL;

    faults_begin();
    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    sem_init(&synced, 0, 0);
    faults.on_sync = post_synced;
    append_number(journal, 0);
    /* The test's time limit ends this wait when nothing comes. */
    while (sem_wait(&synced) != 0) {
    }
    CU_ASSERT_EQUAL(numbers_in(dir), 1);
    rpt__journal_close(journal);
    faults_end();
    sem_destroy(&synced);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static sem_t may_sync;
static _Atomic bool sync_allowed;

static void wait_for_leave(void)
{
    while (sem_wait(&may_sync) != 0) {
    }
}

static void *allow_sync(void *user)
{
    (void)user;
    sync_allowed = true;
    sem_post(&may_sync);
    return NULL;
}

static void commit_returns_only_when_the_sync_is_done(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    pthread_t thread;

    faults_begin();
    journal = journal_make(dir, 1, 0);
    sem_init(&may_sync, 0, 0);
    sync_allowed = false;
    faults.on_sync = wait_for_leave;
    append_number(journal, 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, allow_sync, NULL), 0);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT(sync_allowed);
    pthread_join(thread, NULL);
    faults.on_sync = NULL;
    rpt__journal_close(journal);
    faults_end();
    sem_destroy(&may_sync);
    scratch_remove(dir);
}

static void what_was_committed_survives_kill_9(void)
{
    char *dir = scratch_make();
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct rpt_journal *journal = journal_make(dir, 1, 0);

        for (uint64_t i = 0; i < 100; i++) {
            append_number(journal, i);
        }
        rpt__journal_commit(journal);
        append_number(journal, 100);
        kill(getpid(), SIGKILL);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(numbers_in(dir), 100);
    scratch_remove(dir);
}

static void damage_to_an_older_commit_is_corruption_without_closing(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);
    struct rpt_buf bytes;
    long safe;

    append_number(journal, 0);
    rpt__journal_commit(journal);
    safe = size_of(dir, own_name);
    append_number(journal, 1);
    rpt__journal_commit(journal);
    bytes = file_read(dir, own_name);
    rpt__journal_close(journal);
    for (long i = 0; i < safe; i++) {
        bytes.data[i] ^= 1;
        file_write(dir, own_name, bytes.data, bytes.bytes);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
        bytes.data[i] ^= 1;
    }
    rpt__buf_free(&bytes);
    scratch_remove(dir);
}

/* ---- threads ---- */

enum { N_THREADS = 4, N_EACH = 20000 };

struct appender {
    struct rpt_journal *journal;
    uint64_t index;
    int bad;
};

static void *append_many(void *user)
{
    struct appender *a = user;

    for (uint64_t i = 0; i < N_EACH; i++) {
        uint64_t pair[2] = { a->index, i };

        a->bad += rpt__journal_append(a->journal, 9, pair, sizeof pair) !=
                  RPT_OK;
        if (i % 5000 == 0) {
            a->bad += rpt__journal_commit(a->journal) != RPT_OK;
        }
        a->bad += rpt__journal_status(a->journal) != RPT_OK;
    }
    return NULL;
}

static rpt_status_t check_pair(void *user, uint64_t epoch, int writer,
                               uint32_t type, const void *data, size_t bytes)
{
    uint64_t *next = user, pair[2] = { N_THREADS, 0 };

    (void)epoch;
    (void)writer;
    (void)type;
    memcpy(pair, data, bytes < sizeof pair ? bytes : sizeof pair);
    return pair[0] < N_THREADS && pair[1] == next[pair[0]]++ ? RPT_OK
                                                             : RPT_ERR_INTERNAL;
}

static void four_threads_append_and_each_order_is_kept(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("1ms");
    struct rpt_journal *journal = NULL;
    struct appender appenders[N_THREADS];
    pthread_t threads[N_THREADS];
    uint64_t next[N_THREADS] = { 0 };

    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    for (uint64_t i = 0; i < N_THREADS; i++) {
        appenders[i] = (struct appender){ journal, i, 0 };
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, append_many, &appenders[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(appenders[i].bad, 0);
    }
    rpt__journal_close(journal);
    CU_ASSERT_EQUAL(rpt__journal_replay(dir, UINT64_MAX, check_pair, next),
                    RPT_OK);
    for (int i = 0; i < N_THREADS; i++) {
        CU_ASSERT_EQUAL(next[i], N_EACH);
    }
    rpt_options_destroy(options);
    scratch_remove(dir);
}

enum { MIB = 1 << 20, LIMIT_MIB = 64 };

static _Atomic int n_appended_mib;
static _Atomic int worst_ahead_mib;
static int n_committed_mib; /* of the committing thread */

/* The first write is held until as much waits as may wait; then appenders get
 * every chance to go on, which they must not take. */
static void hold_first_write(size_t bytes)
{
    int ahead;

    while (n_committed_mib == 0 && n_appended_mib < LIMIT_MIB) {
        sched_yield();
    }
    for (int i = 0; i < 1000; i++) {
        sched_yield();
    }
    ahead = n_appended_mib - n_committed_mib;
    if (ahead > worst_ahead_mib) {
        worst_ahead_mib = ahead;
    }
    n_committed_mib += (int)(bytes / MIB);
}

static void appending_waits_while_64_mib_are_not_written(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("1ms");
    struct rpt_journal *journal = NULL;
    char *record = calloc(1, MIB);

    rpt_options_set(options, "journal.sync", "no");
    faults_begin();
    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    n_appended_mib = worst_ahead_mib = n_committed_mib = 0;
    faults.on_write = hold_first_write;
    for (int i = 0; i < 200; i++) {
        CU_ASSERT_EQUAL(rpt__journal_append(journal, 9, record, MIB), RPT_OK);
        n_appended_mib++;
    }
    rpt__journal_close(journal);
    CU_ASSERT(worst_ahead_mib >= LIMIT_MIB);
    CU_ASSERT(worst_ahead_mib <= LIMIT_MIB + 2);
    faults_end();
    free(record);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static _Atomic int n_open_signals;

static void look_at_signals(size_t bytes)
{
    sigset_t mask;

    (void)bytes;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    n_open_signals = !sigismember(&mask, SIGTERM) +
                     !sigismember(&mask, SIGINT) +
                     !sigismember(&mask, SIGUSR1) +
                     !sigismember(&mask, SIGUSR2) +
                     !sigismember(&mask, SIGALRM) +
                     !sigismember(&mask, SIGCHLD);
}

static void the_thread_takes_no_signals(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    sigset_t after;

    faults_begin();
    journal = journal_make(dir, 1, 0);
    n_open_signals = -1;
    faults.on_write = look_at_signals;
    append_number(journal, 0);
    rpt__journal_commit(journal);
    CU_ASSERT_EQUAL(n_open_signals, 0);
    faults.on_write = NULL;
    rpt__journal_close(journal);
    faults_end();
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    CU_ASSERT(!sigismember(&after, SIGTERM));
    scratch_remove(dir);
}

/* ---- bad disks ---- */

static void short_writes_are_completed(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;

    faults_begin();
    faults.chunk = 3;
    journal = journal_make(dir, 1, 0);
    for (uint64_t i = 0; i < 50; i++) {
        append_number(journal, i);
    }
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    rpt__journal_close(journal);
    faults_end();
    CU_ASSERT_EQUAL(numbers_in(dir), 50);
    scratch_remove(dir);
}

static void an_interrupted_write_is_repeated(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;

    faults_begin();
    journal = journal_make(dir, 1, 0);
    faults.error = EINTR;
    faults.fail_at = faults.n_ops + 1;
    append_number(journal, 0);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    rpt__journal_close(journal);
    faults_end();
    CU_ASSERT_EQUAL(numbers_in(dir), 1);
    scratch_remove(dir);
}

static void expect_failed(struct rpt_journal *journal, int error)
{
    rpt__fail(RPT_ERR_STATE, "something else");
    CU_ASSERT_EQUAL(rpt__journal_status(journal), RPT_ERR_IO);
    CU_ASSERT_EQUAL(rpt_last_error()->status, RPT_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, own_name));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, strerror(error)));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "resumable"));
    rpt__fail(RPT_ERR_STATE, "something else");
    CU_ASSERT_EQUAL(append_number(journal, 0), RPT_ERR_IO);
    CU_ASSERT_EQUAL(rpt_last_error()->status, RPT_ERR_IO);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_ERR_IO);
}

static void a_full_disk_is_reported_and_what_was_committed_is_kept(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    long safe;

    /* Full after every possible number of bytes of the second commit. */
    for (long space = 0; space < 160; space += 7) {
        faults_begin();
        journal = journal_make(dir, 1, 0);
        append_number(journal, 0);
        append_number(journal, 1);
        CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
        safe = size_of(dir, own_name);
        faults.space = space;
        append_number(journal, 2);
        append_number(journal, 3);
        append_number(journal, 4);
        CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, "needed 160 "));
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "free space"));
        expect_failed(journal, ENOSPC);
        /* Space that comes back changes nothing: records are missing. */
        faults.space = -1;
        expect_failed(journal, ENOSPC);
        rpt__journal_close(journal);
        faults_end();
        CU_ASSERT_EQUAL(size_of(dir, own_name), safe);
        CU_ASSERT_EQUAL(numbers_in(dir), 2);
        remove(in_dir(dir, own_name));
    }
    scratch_remove(dir);
}

static void a_failed_sync_is_a_failed_commit(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;

    faults_begin();
    journal = journal_make(dir, 1, 0);
    append_number(journal, 0);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    faults.sync_error = EIO;
    append_number(journal, 1);
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_ERR_IO);
    expect_failed(journal, EIO);
    rpt__journal_close(journal);
    faults_end();
    CU_ASSERT_EQUAL(numbers_in(dir), 1);
    scratch_remove(dir);
}

static void a_failure_reaches_a_record_that_is_synced_at_once(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("0");
    struct rpt_journal *journal = NULL;

    faults_begin();
    CU_ASSERT_EQUAL_FATAL(rpt__journal_open(dir, 1, 0, options, &journal),
                          RPT_OK);
    faults.space = 10;
    CU_ASSERT_EQUAL(append_number(journal, 0), RPT_ERR_IO);
    expect_failed(journal, ENOSPC);
    rpt__journal_close(journal);
    faults_end();
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static void a_failure_that_only_closing_sees_is_printed(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;

    faults_begin();
    log_begin();
    journal = journal_make(dir, 1, 0);
    append_number(journal, 0);
    faults.space = 0;
    rpt__journal_close(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_end(), own_name));
    faults_end();
    scratch_remove(dir);
}

static void a_journal_that_cannot_be_opened_leaves_nothing(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("50ms");
    struct rpt_journal *journal = (struct rpt_journal *)dir;
    int n_fds = count_fds();

    /* Creating, writing, syncing, syncing the directory. */
    for (int at = 1; at <= 4; at++) {
        faults_begin();
        faults.fail_at = at;
        faults.error = ENOSPC;
        CU_ASSERT_EQUAL(rpt__journal_open(dir, 1, 0, options, &journal),
                        RPT_ERR_IO);
        CU_ASSERT_PTR_EQUAL(journal, (struct rpt_journal *)dir);
        faults_end();
        CU_ASSERT_EQUAL(count_names(dir, ""), 0);
    }
    CU_ASSERT_EQUAL(count_fds(), n_fds);
    rpt_options_destroy(options);
    scratch_remove(dir);
}

/* A file system of 256 KiB of our own, when we may mount one. */
static void a_really_full_disk_stops_the_journal_and_resumes(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *holder = NULL;
    struct rpt_journal *journal;
    uint64_t epoch = 0, n = 0;
    rpt_status_t status = RPT_OK;

    if (mount("rpt", dir, "tmpfs", 0, "size=256k") != 0) {
        rpt_test_skip("mounting a small file system is not permitted");
        scratch_remove(dir);
        return;
    }
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &holder, &epoch), RPT_OK);
    journal = journal_make(dir, epoch, 0);
    while (n < 1000000 && status == RPT_OK) {
        for (int i = 0; i < 100; i++) {
            append_number(journal, n + (uint64_t)i);
        }
        status = rpt__journal_commit(journal);
        n += status == RPT_OK ? 100 : 0;
    }
    CU_ASSERT_EQUAL(status, RPT_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, strerror(ENOSPC)));
    expect_failed(journal, ENOSPC);
    rpt__journal_close(journal);
    rpt__statedir_close(holder);
    CU_ASSERT(n > 1000);
    CU_ASSERT_EQUAL(numbers_in(dir), n);
    umount2(dir, MNT_DETACH);
    scratch_remove(dir);
}

/* ---- arguments ---- */

static void bad_records_are_refused(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);

    /* The bytes are never looked at. */
    CU_ASSERT_EQUAL(rpt__journal_append(journal, 1, "", ((size_t)1 << 30) + 1),
                    RPT_ERR_OVERFLOW);
    CU_ASSERT_EQUAL(rpt__journal_append(journal, 0xffffff00u, "", 0),
                    RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(say(journal, "good"), RPT_OK);
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:good");
    scratch_remove(dir);
}

static void a_rank_has_one_journal_an_epoch(void)
{
    char *dir = scratch_make();
    rpt_options_t *options = options_with("50ms");
    struct rpt_journal *journal = journal_make(dir, 1, 0), *second = NULL;

    CU_ASSERT_EQUAL(rpt__journal_open(dir, 1, 0, options, &second),
                    RPT_ERR_EXISTS);
    say(journal, "unharmed");
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:unharmed");
    rpt_options_destroy(options);
    scratch_remove(dir);
}

static void a_journal_needs_its_directory(void)
{
    rpt_options_t *options = options_with("50ms");
    struct rpt_journal *journal = NULL;

    CU_ASSERT_EQUAL(
        rpt__journal_open("/no/such/place", 1, 0, options, &journal),
        RPT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(
        rpt__journal_open("/dev/null/place", 1, 0, options, &journal),
        RPT_ERR_NOT_FOUND);
    CU_ASSERT_PTR_NULL(journal);
    rpt_options_destroy(options);
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_million_records_come_back_in_order),
    RPT_TEST(what_was_appended_is_committed_in_time),
    RPT_TEST(closing_commits_what_was_appended),
    RPT_TEST(a_journal_without_records_is_empty),
    RPT_TEST(many_records_share_one_sync),
    RPT_TEST(an_interval_of_zero_syncs_every_record),
    RPT_TEST(without_sync_nothing_is_synced_and_all_is_written),
    RPT_TEST(records_reach_the_disk_without_being_asked_to),
    RPT_TEST(commit_returns_only_when_the_sync_is_done),
    RPT_TEST(what_was_committed_survives_kill_9),
    RPT_TEST(damage_to_an_older_commit_is_corruption_without_closing),
    RPT_TEST(four_threads_append_and_each_order_is_kept),
    RPT_TEST(appending_waits_while_64_mib_are_not_written),
    RPT_TEST(the_thread_takes_no_signals),
    RPT_TEST(short_writes_are_completed),
    RPT_TEST(an_interrupted_write_is_repeated),
    RPT_TEST(a_full_disk_is_reported_and_what_was_committed_is_kept),
    RPT_TEST(a_failed_sync_is_a_failed_commit),
    RPT_TEST(a_failure_reaches_a_record_that_is_synced_at_once),
    RPT_TEST(a_failure_that_only_closing_sees_is_printed),
    RPT_TEST(a_journal_that_cannot_be_opened_leaves_nothing),
    RPT_TEST(a_really_full_disk_stops_the_journal_and_resumes),
    RPT_TEST(bad_records_are_refused),
    RPT_TEST(a_rank_has_one_journal_an_epoch),
    RPT_TEST(a_journal_needs_its_directory),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("journal_write", tests, 120, argc, argv);
}
