/*
 * test_dir.c - one job at a time, and one epoch a job
 */
#include "fixture.h"
#include "logged.h"

#include "base/hash.h"
#include "journal/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that opens the directory, says so with one byte, and stays until its
 * pipe closes or it is killed. */
struct child {
    pid_t pid;
    int to_child;
};

static struct child start_holder(const char *dir)
{
    int in[2], out[2];
    char byte = 0;
    struct child child = { -1, -1 };

    CU_ASSERT_EQUAL_FATAL(pipe(in), 0);
    CU_ASSERT_EQUAL_FATAL(pipe(out), 0);
    child.pid = fork();
    if (child.pid == 0) {
        struct rpt_statedir *holder = NULL;
        uint64_t epoch;

        close(in[1]);
        byte = rpt__statedir_open(dir, 4, &holder, &epoch) == RPT_OK ? 'y'
                                                                     : 'n';
        if (write(out[1], &byte, 1) == 1 && read(in[0], &byte, 1) >= 0) {
            rpt__statedir_close(holder);
        }
        _exit(0);
    }
    close(in[0]);
    close(out[1]);
    CU_ASSERT_EQUAL(read(out[0], &byte, 1), 1);
    CU_ASSERT_EQUAL(byte, 'y');
    close(out[0]);
    child.to_child = in[1];
    return child;
}

static void end_holder(struct child child, int signal)
{
    if (signal != 0) {
        kill(child.pid, signal);
    }
    close(child.to_child);
    CU_ASSERT_EQUAL(waitpid(child.pid, NULL, 0), child.pid);
}

/* ---- the holder ---- */

static void every_job_gets_the_next_epoch(void)
{
    char *dir = scratch_make();
    char *made = strdup(in_dir(dir, "made"));

    for (uint64_t i = 1; i <= 12; i++) {
        CU_ASSERT_EQUAL(pass_epoch(made), i);
    }
    CU_ASSERT(exists(made, "epoch-00000012"));
    free(made);
    scratch_remove(dir);
}

static void a_second_job_is_refused_and_told_who_is_there(void)
{
    char *dir = scratch_make();
    struct child child = start_holder(dir);
    struct rpt_statedir *holder = NULL;
    uint64_t epoch = 77;
    char host[128] = "", pid[32];
    int n_fds = count_fds();

    gethostname(host, sizeof host - 1);
    snprintf(pid, sizeof pid, "process %d ", (int)child.pid);
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &holder, &epoch), RPT_ERR_BUSY);
    CU_ASSERT_PTR_NULL(holder);
    CU_ASSERT_EQUAL(epoch, 77);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, dir));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, host));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, pid));
    CU_ASSERT_EQUAL(count_fds(), n_fds);
    end_holder(child, 0);
    CU_ASSERT_EQUAL(pass_epoch(dir), 2);
    scratch_remove(dir);
}

static void one_process_cannot_hold_it_twice(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *first = NULL, *second = NULL;
    uint64_t epoch;

    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &first, &epoch), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &second, &epoch), RPT_ERR_BUSY);
    rpt__statedir_close(first);
    rpt__statedir_close(NULL);
    CU_ASSERT_EQUAL(pass_epoch(dir), 2);
    scratch_remove(dir);
}

static void kill_9_frees_the_directory(void)
{
    char *dir = scratch_make();

    end_holder(start_holder(dir), SIGKILL);
    CU_ASSERT_EQUAL(pass_epoch(dir), 2);
    scratch_remove(dir);
}

static void a_look_from_outside_tells_the_last_job(void)
{
    char *dir = scratch_make();
    struct rpt_statedir_info info;
    struct child child;
    char host[128] = "";

    gethostname(host, sizeof host - 1);
    CU_ASSERT_EQUAL(pass_epoch(dir), 1);
    child = start_holder(dir);
    CU_ASSERT_EQUAL(rpt__statedir_info(dir, &info), RPT_OK);
    CU_ASSERT(info.running);
    CU_ASSERT_EQUAL(info.epoch, 2);
    CU_ASSERT_EQUAL(info.n_ranks, 4);
    CU_ASSERT_EQUAL(info.pid, child.pid);
    CU_ASSERT_STRING_EQUAL(info.host, host);
    end_holder(child, SIGKILL);
    CU_ASSERT_EQUAL(rpt__statedir_info(dir, &info), RPT_OK);
    CU_ASSERT(!info.running);
    CU_ASSERT_EQUAL(info.epoch, 2);
    CU_ASSERT_EQUAL(info.pid, child.pid);
    scratch_remove(dir);
}

static void a_look_at_nothing_finds_nothing(void)
{
    char *dir = scratch_make();
    struct rpt_statedir_info info = { .pid = 77 };

    CU_ASSERT_EQUAL(rpt__statedir_info(in_dir(dir, "none"), &info),
                    RPT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(rpt__statedir_info(dir, &info), RPT_ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(rpt_last_error()->what, "no state directory"));
    CU_ASSERT_EQUAL(rpt__statedir_info("/dev/null", &info), RPT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(info.pid, 77);
    CU_ASSERT_EQUAL(count_names(dir, ""), 0);
    scratch_remove(dir);
}

static void a_directory_that_cannot_be_used_is_an_error(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *holder = NULL;
    uint64_t epoch;

    CU_ASSERT_EQUAL(rpt__statedir_open(in_dir(dir, "a/b"), 1, &holder, &epoch),
                    RPT_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "parent"));
    file_write(dir, "file", "", 0);
    CU_ASSERT_EQUAL(rpt__statedir_open(in_dir(dir, "file"), 1, &holder, &epoch),
                    RPT_ERR_IO);
    CU_ASSERT_EQUAL(
        rpt__statedir_open(in_dir(dir, "file/under"), 1, &holder, &epoch),
        RPT_ERR_IO);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->why, strerror(ENOTDIR));
    CU_ASSERT_PTR_NULL(holder);
    scratch_remove(dir);
}

static void a_full_disk_at_the_start_leaves_nothing_behind(void)
{
    char *dir = scratch_make();
    int n_fds = count_fds();

    for (long space = 0; space < 200; space += 13) {
        struct rpt_statedir *holder = NULL;
        uint64_t epoch;

        faults_begin();
        faults.space = space;
        if (rpt__statedir_open(dir, 1, &holder, &epoch) == RPT_OK) {
            rpt__statedir_close(holder);
            faults_end();
            break;
        }
        CU_ASSERT_EQUAL(rpt_last_error()->status, RPT_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "free space"));
        faults_end();
        CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
        CU_ASSERT_EQUAL(count_names(dir, "epoch"), 0);
    }
    CU_ASSERT_EQUAL(count_fds(), n_fds);
    CU_ASSERT_EQUAL(pass_epoch(dir), (uint64_t)count_names(dir, "epoch"));
    scratch_remove(dir);
}

static void no_descriptor_reaches_a_program_that_is_started(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *holder = NULL;
    struct rpt_journal *journal;
    uint64_t epoch;
    bool before[256];

    for (int fd = 0; fd < 256; fd++) {
        before[fd] = fcntl(fd, F_GETFD) >= 0;
    }
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &holder, &epoch), RPT_OK);
    journal = journal_make(dir, epoch, 0);
    for (int fd = 0; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);

        CU_ASSERT(before[fd] || flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
    rpt__journal_close(journal);
    rpt__statedir_close(holder);
    scratch_remove(dir);
}

/* Of this process, or of one that is gone. */
static void put_aside(const char *dir, char name_out[RPT_NAME_BYTES])
{
    struct rpt_folder folder;

    CU_ASSERT_EQUAL(rpt__folder_open(in_dir(dir, "requests"), &folder), RPT_OK);
    CU_ASSERT_EQUAL(rpt__disk_put_aside(&folder, "half", 4, name_out), RPT_OK);
    rpt__folder_close(&folder);
}

static void a_request_that_was_killed_is_removed(void)
{
    char *dir = scratch_make(), name[RPT_NAME_BYTES];
    pid_t child;

    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "x", 1, 1), RPT_OK);
    child = fork();
    if (child == 0) {
        put_aside(dir, name);
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    put_aside(dir, name);
    CU_ASSERT_EQUAL(count_names(in_dir(dir, "requests"), ".tmp"), 2);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(count_names(in_dir(dir, "requests"), ".tmp"), 1);
    CU_ASSERT(exists(in_dir(dir, "requests"), name)); /* this one lives */
    scratch_remove(dir);
}

static void what_a_killed_job_left_half_written_is_removed(void)
{
    char *dir = scratch_make();
    struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

    pass_epoch(dir);
    file_write(dir, ".tmp-node-1-2-3", "half", 4);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "x", 1, 1), RPT_OK);
    file_write(dir, "requests/.tmp-young", "half", 4);
    file_write(dir, "requests/.tmp-old", "half", 4);
    utimensat(AT_FDCWD, in_dir(dir, "requests/.tmp-old"), old, 0);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
    CU_ASSERT(exists(dir, "requests/.tmp-young"));
    CU_ASSERT(!exists(dir, "requests/.tmp-old"));
    scratch_remove(dir);
}

/* ---- other file systems ---- */

static void without_locks_a_warning_is_printed_once(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *first = NULL, *second = NULL;
    const char *logged;
    uint64_t epoch = 0;

    faults_begin();
    faults.lock_error = ENOLCK;
    log_begin();
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &first, &epoch), RPT_OK);
    CU_ASSERT_EQUAL(epoch, 1);
    logged = log_end();
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, strerror(ENOLCK)));
    CU_ASSERT_EQUAL(strcspn(logged, "\n") + 1, strlen(logged)); /* once */
    log_begin();
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &second, &epoch), RPT_OK);
    CU_ASSERT_EQUAL(epoch, 2);
    CU_ASSERT_STRING_EQUAL(log_end(), "");
    rpt__statedir_close(first);
    rpt__statedir_close(second);
    faults_end();
    scratch_remove(dir);
}

static void a_lock_that_fails_otherwise_is_an_error(void)
{
    char *dir = scratch_make();
    struct rpt_statedir *holder = NULL;
    uint64_t epoch;

    faults_begin();
    faults.lock_error = EIO;
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &holder, &epoch), RPT_ERR_IO);
    faults_end();
    scratch_remove(dir);
}

static void jobs_that_race_without_locks_get_different_epochs(void)
{
    enum { N_JOBS = 8, N_ROUNDS = 5 };
    char *dir = scratch_make();
    pid_t pids[N_JOBS];

    faults_begin();
    faults.lock_error = ENOLCK;
    log_begin();
    for (int i = 0; i < N_JOBS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            int bad = 0;

            for (int k = 0; k < N_ROUNDS; k++) {
                struct rpt_statedir *holder = NULL;
                uint64_t epoch = 0;
                char mine[64];

                bad |= rpt__statedir_open(dir, i, &holder, &epoch) != RPT_OK;
                snprintf(mine, sizeof mine, "mine-%d", (int)epoch);
                bad |= open(in_dir(dir, mine), O_CREAT | O_EXCL, 0600) < 0;
                rpt__statedir_close(holder);
            }
            _exit(bad);
        }
    }
    for (int i = 0; i < N_JOBS; i++) {
        int status = -1;

        CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
        CU_ASSERT_EQUAL(status, 0);
    }
    log_end();
    faults_end();
    CU_ASSERT_EQUAL(count_names(dir, "mine-"), N_JOBS * N_ROUNDS);
    CU_ASSERT_EQUAL(count_names(dir, "epoch-"), N_JOBS * N_ROUNDS);
    CU_ASSERT_EQUAL(pass_epoch(dir), N_JOBS * N_ROUNDS + 1);
    scratch_remove(dir);
}

static void a_file_system_without_hard_links_will_do(void)
{
    char *dir = scratch_make();

    faults_begin();
    faults.link_error = EPERM;
    CU_ASSERT_EQUAL(pass_epoch(dir), 1);
    CU_ASSERT_EQUAL(pass_epoch(dir), 2);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "a", 1, 1), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "b", 1, 1), RPT_OK);
    faults_end();
    CU_ASSERT_EQUAL(count_names(dir, "epoch-"), 2);
    CU_ASSERT_EQUAL(count_names(in_dir(dir, "requests"), "0000000"), 2);
    CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
    scratch_remove(dir);
}

static void a_link_whose_answer_was_lost_is_ours(void)
{
    char *dir = scratch_make();

    faults_begin();
    faults.link_lost = true;
    CU_ASSERT_EQUAL(pass_epoch(dir), 1);
    CU_ASSERT_EQUAL(pass_epoch(dir), 2);
    faults_end();
    CU_ASSERT_EQUAL(count_names(dir, "epoch-"), 2);
    scratch_remove(dir);
}

/* ---- epochs ---- */

static void what_an_old_job_writes_later_is_ignored(void)
{
    char *dir = scratch_make();
    uint64_t old = pass_epoch(dir);
    struct rpt_journal *journal = journal_make(dir, old, 0), *late;

    say(journal, "in-time");
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    CU_ASSERT_EQUAL(pass_epoch(dir), old + 1);
    /* The old job does not know, and goes on. */
    say(journal, "too-late");
    CU_ASSERT_EQUAL(rpt__journal_commit(journal), RPT_OK);
    late = journal_make(dir, old, 1);
    say(late, "new-file");
    rpt__journal_close(late);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:in-time");
    /* A third job notes the longer file: the smallest length counts. */
    CU_ASSERT_EQUAL(pass_epoch(dir), old + 2);
    say(journal, "later-still");
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:in-time");
    scratch_remove(dir);
}

static void the_smallest_length_that_a_later_job_noted_counts(void)
{
    char *dir = scratch_make(), body[256], text[512];
    struct rpt_journal *journal;
    struct stat info;
    struct rpt_buf noted;
    int n;

    pass_epoch(dir);
    journal = journal_make(dir, 1, 0);
    say(journal, "in-time");
    rpt__journal_commit(journal);
    stat(in_dir(dir, "e00000001-r00000.rptj"), &info);
    pass_epoch(dir);
    say(journal, "too-late");
    rpt__journal_close(journal);
    snprintf(body, sizeof body, "file e00000001-r00000.rptj %ld\n",
             (long)info.st_size);
    /* Jobs that follow note no more than that. */
    pass_epoch(dir);
    noted = file_read(dir, "epoch-00000003");
    rpt__buf_u8(&noted, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(noted.data, body));
    rpt__buf_free(&noted);
    /* One that raced with job 2 may have seen more: that changes nothing. */
    snprintf(body, sizeof body,
             "repartir-epoch 1\nfile e00000001-r00000.rptj 100000\n");
    n = snprintf(text, sizeof text, "%ssum %016" PRIx64 "\n", body,
                 rpt__hash64(body, strlen(body), 0));
    file_write(dir, "epoch-00000003", text, (size_t)n);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:in-time");
    scratch_remove(dir);
}

static void each_job_counts_up_to_its_successor(void)
{
    char *dir = scratch_make();

    for (uint64_t i = 1; i <= 3; i++) {
        struct rpt_journal *journal;

        CU_ASSERT_EQUAL(pass_epoch(dir), i);
        journal = journal_make(dir, i, 0);
        say(journal, "done");
        rpt__journal_close(journal);
    }
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "1.0:done 2.0:done 3.0:done");
    CU_ASSERT_STRING_EQUAL(replay_text(dir, 3), "1.0:done 2.0:done");
    scratch_remove(dir);
}

static void older_files_are_synced_before_a_job_relies_on_them(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    long before;

    pass_epoch(dir);
    journal = journal_make(dir, 1, 0);
    say(journal, "x");
    rpt__journal_close(journal);
    faults_begin();
    pass_epoch(dir);
    before = faults.n_syncs;
    CU_ASSERT_EQUAL(before, 2); /* the journal and the epoch file */
    pass_epoch(dir);
    CU_ASSERT_EQUAL(faults.n_syncs - before, 1);
    faults_end();
    scratch_remove(dir);
}

static void a_damaged_epoch_file_is_noticed(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;
    struct rpt_statedir *holder = NULL;
    struct rpt_buf text;
    uint64_t epoch;

    pass_epoch(dir);
    journal = journal_make(dir, 1, 0);
    say(journal, "x");
    rpt__journal_close(journal);
    pass_epoch(dir);
    text = file_read(dir, "epoch-00000002");
    for (size_t i = 0; i < text.bytes; i++) {
        text.data[i] ^= 1;
        file_write(dir, "epoch-00000002", text.data, text.bytes);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
        text.data[i] ^= 1;
        file_write(dir, "epoch-00000002", text.data, i);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "epoch-00000002"));
    CU_ASSERT_EQUAL(rpt__statedir_open(dir, 1, &holder, &epoch),
                    RPT_ERR_CORRUPT);
    file_write(dir, "epoch-00000002", text.data, text.bytes);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:x");
    rpt__buf_free(&text);
    scratch_remove(dir);
}

static rpt_status_t parse(const char *body, struct rpt_epoch *epoch_out)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%ssum %016" PRIx64 "\n", body,
                     rpt__hash64(body, strlen(body), 0));

    return rpt__epoch_parse("here", text, (size_t)n, epoch_out, NULL, NULL);
}

static void the_text_of_an_epoch_file_is_checked(void)
{
    struct rpt_epoch epoch = { "", 0, 0, 0 };

    CU_ASSERT_EQUAL(parse("repartir-epoch 1\nhost a\npid 7\nranks 3\n"
                          "something new\n"
                          "file e00000001-r00000.rptj 48\n",
                          &epoch),
                    RPT_OK);
    CU_ASSERT_STRING_EQUAL(epoch.host, "a");
    CU_ASSERT_EQUAL(epoch.pid, 7);
    CU_ASSERT_EQUAL(epoch.n_ranks, 3);
    CU_ASSERT_EQUAL(parse("repartir-epoch 2\n", &epoch), RPT_ERR_VERSION);
    CU_ASSERT_EQUAL(parse("something else\n", &epoch), RPT_ERR_CORRUPT);
    CU_ASSERT_EQUAL(parse("", &epoch), RPT_ERR_CORRUPT);
    CU_ASSERT_EQUAL(parse("repartir-epoch 1\nfile nonsense\n", &epoch),
                    RPT_ERR_CORRUPT);
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_job_gets_the_next_epoch),
    RPT_TEST(a_second_job_is_refused_and_told_who_is_there),
    RPT_TEST(one_process_cannot_hold_it_twice),
    RPT_TEST(kill_9_frees_the_directory),
    RPT_TEST(a_look_from_outside_tells_the_last_job),
    RPT_TEST(a_look_at_nothing_finds_nothing),
    RPT_TEST(a_directory_that_cannot_be_used_is_an_error),
    RPT_TEST(a_full_disk_at_the_start_leaves_nothing_behind),
    RPT_TEST(no_descriptor_reaches_a_program_that_is_started),
    RPT_TEST(a_request_that_was_killed_is_removed),
    RPT_TEST(what_a_killed_job_left_half_written_is_removed),
    RPT_TEST(without_locks_a_warning_is_printed_once),
    RPT_TEST(a_lock_that_fails_otherwise_is_an_error),
    RPT_TEST(jobs_that_race_without_locks_get_different_epochs),
    RPT_TEST(a_file_system_without_hard_links_will_do),
    RPT_TEST(a_link_whose_answer_was_lost_is_ours),
    RPT_TEST(what_an_old_job_writes_later_is_ignored),
    RPT_TEST(the_smallest_length_that_a_later_job_noted_counts),
    RPT_TEST(each_job_counts_up_to_its_successor),
    RPT_TEST(older_files_are_synced_before_a_job_relies_on_them),
    RPT_TEST(a_damaged_epoch_file_is_noticed),
    RPT_TEST(the_text_of_an_epoch_file_is_checked),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("journal_dir", tests, 120, argc, argv);
}
