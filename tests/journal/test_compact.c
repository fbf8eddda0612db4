/*
 * test_compact.c - old files become one, and a crash at any moment
 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Drops records that begin with '-'. */
static bool keep_wanted(void *user, uint64_t epoch, int writer, uint32_t type,
                        const void *data, size_t bytes)
{
    (void)user;
    (void)epoch;
    (void)writer;
    (void)type;
    return bytes == 0 || *(const char *)data != '-';
}

/* Two jobs of two ranks. */
static const char old_text[] = "1.0:a 1.0:-b 1.1:c 2.0:d 2.1:e 2.1:-f";
static const char kept_text[] = "0.0:a 0.0:c 0.0:d 0.0:e";

static void make_old_jobs(const char *dir)
{
    static const char *const records[][2] = {
        { "a", "-b" }, { "c", NULL }, { "d", NULL }, { "e", "-f" }
    };

    for (int i = 0; i < 4; i++) {
        struct rpt_journal *journal;

        if (i % 2 == 0) {
            pass_epoch(dir);
        }
        journal = journal_make(dir, (uint64_t)i / 2 + 1, i % 2);
        say(journal, records[i][0]);
        if (records[i][1] != NULL) {
            say(journal, records[i][1]);
        }
        rpt__journal_close(journal);
    }
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), old_text);
}

static void compaction_keeps_what_is_wanted_in_one_file(void)
{
    char *dir = scratch_make();
    uint64_t before;

    make_old_jobs(dir);
    CU_ASSERT_EQUAL(pass_epoch(dir), 3);
    before = rpt__journal_bytes(dir, 3);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 3, keep_wanted, NULL), RPT_OK);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), kept_text);
    CU_ASSERT_EQUAL(count_names(dir, "e0"), 1);
    CU_ASSERT_EQUAL(count_names(dir, "epoch"), 1);
    CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
    CU_ASSERT(rpt__journal_bytes(dir, 3) < before);
    CU_ASSERT_EQUAL(pass_epoch(dir), 4);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), kept_text);
    scratch_remove(dir);
}

static void the_bytes_of_old_files_are_those_on_the_disk(void)
{
    char *dir = scratch_make();

    file_write(dir, "e00000001-r00000.rptj", "12345", 5);
    file_write(dir, "e00000002-r00000.rptj", "1234567", 7);
    file_write(dir, "e00000003-r00000.rptj", "1", 1);
    CU_ASSERT_EQUAL(rpt__journal_bytes(dir, 3), 12);
    CU_ASSERT_EQUAL(rpt__journal_bytes(dir, UINT64_MAX), 13);
    scratch_remove(dir);
}

static void a_compacted_directory_grows_and_is_compacted_again(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal;

    make_old_jobs(dir);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 3, keep_wanted, NULL), RPT_OK);
    journal = journal_make(dir, 3, 5);
    say(journal, "g");
    say(journal, "-h");
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "0.0:a 0.0:c 0.0:d 0.0:e 3.5:g 3.5:-h");
    CU_ASSERT_EQUAL(pass_epoch(dir), 4);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 4, keep_wanted, NULL), RPT_OK);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "0.0:a 0.0:c 0.0:d 0.0:e 0.0:g");
    scratch_remove(dir);
}

static bool keep_none(void *user, uint64_t epoch, int writer, uint32_t type,
                      const void *data, size_t bytes)
{
    (void)user;
    (void)epoch;
    (void)writer;
    (void)type;
    (void)data;
    (void)bytes;
    return false;
}

static void compaction_may_keep_nothing_or_find_nothing(void)
{
    char *dir = scratch_make();

    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 1, keep_none, NULL), RPT_OK);
    CU_ASSERT_EQUAL(count_names(dir, "e0"), 0);
    scratch_remove(dir);
    dir = scratch_make();
    make_old_jobs(dir);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 3, keep_none, NULL), RPT_OK);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    CU_ASSERT_EQUAL(
        rpt__journal_compact(in_dir(dir, "none"), 3, keep_none, NULL),
        RPT_ERR_NOT_FOUND);
    scratch_remove(dir);
}

static void compaction_leaves_out_what_an_old_job_wrote_too_late(void)
{
    char *dir = scratch_make();
    struct rpt_journal *old, *late;

    pass_epoch(dir);
    old = journal_make(dir, 1, 0);
    say(old, "in-time");
    rpt__journal_commit(old);
    pass_epoch(dir);
    say(old, "too-late");
    rpt__journal_commit(old);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 2, keep_wanted, NULL), RPT_OK);
    say(old, "later");
    rpt__journal_close(old);
    late = journal_make(dir, 1, 0); /* its name is free again */
    say(late, "new-file");
    rpt__journal_close(late);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "0.0:in-time");
    pass_epoch(dir);
    CU_ASSERT(!exists(dir, "e00000001-r00000.rptj"));
    scratch_remove(dir);
}

/* Everything is there once: as it was, or compacted. */
static bool is_whole(const char *dir)
{
    const char *text = replay_text(dir, 3);

    return strcmp(text, old_text) == 0 || strcmp(text, kept_text) == 0;
}

static void a_crash_at_any_moment_of_compaction_loses_nothing(void)
{
    int status = 0, n = 0;

    for (bool died = true; died && n < 1000; n++) {
        char *dir = scratch_make();
        pid_t pid;

        make_old_jobs(dir);
        pass_epoch(dir);
        pid = fork();
        if (pid == 0) {
            faults_begin();
            faults.fail_at = n + 1;
            _exit(rpt__journal_compact(dir, 3, keep_wanted, NULL) != RPT_OK);
        }
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        died = WEXITSTATUS(status) == 9;
        CU_ASSERT(died || status == 0);
        CU_ASSERT(is_whole(dir));
        /* The next job finds everything, cleans up, and compacts. */
        CU_ASSERT_EQUAL(pass_epoch(dir), 4);
        CU_ASSERT(is_whole(dir));
        CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
        CU_ASSERT_EQUAL(rpt__journal_compact(dir, 4, keep_wanted, NULL),
                        RPT_OK);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), kept_text);
        CU_ASSERT_EQUAL(count_names(dir, "e0"), 1);
        scratch_remove(dir);
    }
    /* Create, write, sync, rename, sync, and 4 + 2 files to remove. */
    CU_ASSERT(n > 10);
}

static void a_failure_at_any_moment_of_compaction_loses_nothing(void)
{
    bool failed = true;
    int n_failed = 0;

    for (long at = 1; failed && at < 1000; at++) {
        char *dir = scratch_make();

        make_old_jobs(dir);
        pass_epoch(dir);
        faults_begin();
        faults.fail_at = at;
        faults.error = ENOSPC;
        failed = rpt__journal_compact(dir, 3, keep_wanted, NULL) != RPT_OK;
        n_failed += failed;
        faults_end();
        if (failed) {
            CU_ASSERT_EQUAL(rpt_last_error()->status, RPT_ERR_IO);
        }
        CU_ASSERT(is_whole(dir));
        CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
        scratch_remove(dir);
    }
    CU_ASSERT_EQUAL(n_failed, 5);
}

static void a_crash_at_any_moment_of_a_start_loses_nothing(void)
{
    int status = 0, n = 0;

    for (bool died = true; died && n < 1000; n++) {
        char *dir = scratch_make();
        pid_t pid;

        make_old_jobs(dir);
        pid = fork();
        if (pid == 0) {
            struct rpt_statedir *holder = NULL;
            uint64_t epoch;

            faults_begin();
            faults.fail_at = n + 1;
            _exit(rpt__statedir_open(dir, 1, &holder, &epoch) != RPT_OK);
        }
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        died = WEXITSTATUS(status) == 9;
        CU_ASSERT(died || status == 0);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), old_text);
        CU_ASSERT(pass_epoch(dir) >= 3);
        CU_ASSERT_EQUAL(count_names(dir, ".tmp"), 0);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), old_text);
        scratch_remove(dir);
    }
    CU_ASSERT(n > 5);
}

static void every_byte_of_a_compacted_file_is_protected(void)
{
    static const char name[] = "e00000000-r00000.rptj";
    char *dir = scratch_make();
    struct rpt_buf bytes;

    make_old_jobs(dir);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__journal_compact(dir, 3, keep_wanted, NULL), RPT_OK);
    bytes = file_read(dir, name);
    for (size_t i = 0; i < bytes.bytes; i++) {
        bytes.data[i] ^= 4;
        file_write(dir, name, bytes.data, bytes.bytes);
        CU_ASSERT_EQUAL(
            strncmp(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT", 15), 0);
        bytes.data[i] ^= 4;
        file_write(dir, name, bytes.data, i);
        CU_ASSERT_EQUAL(
            strncmp(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT", 15), 0);
    }
    rpt__buf_free(&bytes);
    scratch_remove(dir);
}

static void a_compacted_file_must_end_with_its_count(void)
{
    static const char name[] = "e00000000-r00000.rptj";
    static const struct rpt_file_head head = { 1, 0, 0, 3, 99 };
    char *dir = scratch_make(), bytes[48 + 40 + 40];

    for (uint64_t n = 0; n < 3; n++) {
        rpt__file_head_pack(&head, bytes);
        rpt__frame_put(bytes + 48, &(struct rpt_frame){ 7, 2, 1 }, "hi");
        rpt__frame_seal(bytes + 48, 99);
        rpt__frame_put(bytes + 88, &(struct rpt_frame){ RPT_TYPE_LAST, 8, 2 },
                       &n);
        rpt__frame_seal(bytes + 88, 99);
        file_write(dir, name, bytes, sizeof bytes);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                               n == 1 ? "0.0:hi" : "RPT_ERR_CORRUPT 0.0:hi");
    }
    scratch_remove(dir);
}

static rpt_status_t compact_meanwhile(void *user, uint64_t epoch, int writer,
                                      uint32_t type, const void *data,
                                      size_t bytes)
{
    const char *dir = user;

    (void)writer;
    (void)type;
    (void)data;
    (void)bytes;
    if (epoch != 0) {
        CU_ASSERT_EQUAL(rpt__journal_compact(dir, 3, keep_wanted, NULL),
                        RPT_OK);
    }
    return RPT_OK;
}

static void a_reader_whose_files_are_compacted_is_told_to_read_again(void)
{
    char *dir = scratch_make();

    make_old_jobs(dir);
    pass_epoch(dir);
    CU_ASSERT_EQUAL(
        rpt__journal_replay(dir, UINT64_MAX, compact_meanwhile, dir),
        RPT_ERR_BUSY);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->hint, "try again");
    CU_ASSERT_EQUAL(
        rpt__journal_replay(dir, UINT64_MAX, compact_meanwhile, dir), RPT_OK);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), kept_text);
    scratch_remove(dir);
}

static const struct rpt_test tests[] = {
    RPT_TEST(compaction_keeps_what_is_wanted_in_one_file),
    RPT_TEST(the_bytes_of_old_files_are_those_on_the_disk),
    RPT_TEST(a_compacted_directory_grows_and_is_compacted_again),
    RPT_TEST(compaction_may_keep_nothing_or_find_nothing),
    RPT_TEST(compaction_leaves_out_what_an_old_job_wrote_too_late),
    RPT_TEST(a_crash_at_any_moment_of_compaction_loses_nothing),
    RPT_TEST(a_failure_at_any_moment_of_compaction_loses_nothing),
    RPT_TEST(a_crash_at_any_moment_of_a_start_loses_nothing),
    RPT_TEST(every_byte_of_a_compacted_file_is_protected),
    RPT_TEST(a_compacted_file_must_end_with_its_count),
    RPT_TEST(a_reader_whose_files_are_compacted_is_told_to_read_again),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("journal_compact", tests, 120, argc, argv);
}
