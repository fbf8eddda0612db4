/*
 * test_read.c - what a journal file is read as, whole, torn and damaged
 *
 * The sample was not made by the library: another program wrote it from the
 * description in frame_priv.h, with another XXH3.
 */
#include "fixture.h"
#include "logged.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Epoch 3, rank 2: MARK 48; record "first"; an empty record; MARK 160; record
 * "eight ch". */
static const unsigned char sample[240] = {
    0x72, 0x70, 0x74, 0x6a, 0x72, 0x6e, 0x6c, 0x0a, 0x01, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x88, 0x77, 0x66, 0x55,
    0x44, 0x33, 0x22, 0x11, 0x24, 0xbc, 0x2c, 0x2f, 0xa3, 0x39, 0x48, 0x4b,
    0x72, 0x70, 0x74, 0x66, 0x32, 0x09, 0x44, 0xd1, 0x01, 0xff, 0xff, 0xff,
    0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x8a, 0x69, 0xa6, 0xf7, 0x71, 0xb0, 0xab, 0x68, 0x30, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x72, 0x70, 0x74, 0x66, 0x5c, 0x3d, 0x1e, 0x3d,
    0x07, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x90, 0x2b, 0xb7, 0x3b, 0xe9, 0xd4, 0x36, 0x9f,
    0x66, 0x69, 0x72, 0x73, 0x74, 0x00, 0x00, 0x00, 0x72, 0x70, 0x74, 0x66,
    0x6f, 0x9d, 0x1a, 0x95, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe3, 0x84, 0x00, 0x33,
    0x90, 0x0f, 0x57, 0xce, 0x72, 0x70, 0x74, 0x66, 0x6a, 0xd4, 0x64, 0x2c,
    0x01, 0xff, 0xff, 0xff, 0x08, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x4e, 0x5f, 0x47, 0x98, 0x57, 0xc5, 0x26, 0xba,
    0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x72, 0x70, 0x74, 0x66,
    0xea, 0x58, 0xa6, 0xd4, 0x07, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfe, 0x36, 0x5f, 0xc6,
    0x2c, 0x82, 0x6e, 0x8d, 0x65, 0x69, 0x67, 0x68, 0x74, 0x20, 0x63, 0x68,
};
static const char sample_name[] = "e00000003-r00002.rptj";

enum {
    FIRST_AT = 88,  /* the frame of "first"    */
    EMPTY_AT = 128, /* the empty record        */
    MARK_AT = 160,  /* says: 160 were safe     */
    EIGHT_AT = 200, /* the frame of "eight ch" */
    SEED_AT = 32
};

static uint64_t sample_seed(void)
{
    uint64_t seed;

    memcpy(&seed, sample + SEED_AT, sizeof seed);
    return seed;
}

/* ---- whole files ---- */

static void a_file_of_another_program_is_read(void)
{
    char *dir = scratch_make();

    file_write(dir, sample_name, sample, sizeof sample);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "3.2:first 3.2: 3.2:eight ch");
    scratch_remove(dir);
}

static void frames_are_written_as_another_program_writes_them(void)
{
    char head[RPT_FILE_HEAD], bytes[64];
    struct rpt_file_head h = { 1, 2, 3, 0, sample_seed() };
    struct rpt_frame first = { 7, 5, 2 }, empty = { 7, 0, 3 };

    rpt__file_head_pack(&h, head);
    CU_ASSERT_EQUAL(memcmp(head, sample, sizeof head), 0);
    memset(bytes, 'x', sizeof bytes);
    rpt__frame_put(bytes, &first, "first");
    CU_ASSERT_EQUAL(rpt__frame_seal(bytes, h.seed), 40);
    CU_ASSERT_EQUAL(memcmp(bytes, sample + FIRST_AT, 40), 0);
    rpt__frame_put(bytes, &empty, NULL);
    CU_ASSERT_EQUAL(rpt__frame_seal(bytes, h.seed), 32);
    CU_ASSERT_EQUAL(memcmp(bytes, sample + EMPTY_AT, 32), 0);
}

static void records_come_back_with_type_and_bytes(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);

    CU_ASSERT_EQUAL(say(journal, "one"), RPT_OK);
    CU_ASSERT_EQUAL(rpt__journal_append(journal, 8, "other type", 10), RPT_OK);
    CU_ASSERT_EQUAL(say(journal, ""), RPT_OK);
    rpt__journal_close(journal);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "1.0:one 1.0:");
    scratch_remove(dir);
}

static void files_are_read_by_epoch_then_by_rank(void)
{
    char *dir = scratch_make();
    static const struct {
        uint64_t epoch;
        int writer;
    } files[] = { { 12, 0 }, { 2, 100000 }, { 2, 3 }, { 1, 1 }, { 2, 10 } };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct rpt_journal *j = journal_make(dir, files[i].epoch,
                                             files[i].writer);

        say(j, "x");
        rpt__journal_close(j);
    }
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "1.1:x 2.3:x 2.10:x 2.100000:x 12.0:x");
    CU_ASSERT_STRING_EQUAL(replay_text(dir, 12),
                           "1.1:x 2.3:x 2.10:x 2.100000:x");
    CU_ASSERT_STRING_EQUAL(replay_text(dir, 2), "1.1:x");
    CU_ASSERT_STRING_EQUAL(replay_text(dir, 1), "");
    scratch_remove(dir);
}

static void other_files_in_the_directory_are_left_alone(void)
{
    char *dir = scratch_make();
    static const char *const names[] = { "e3-r2.rptj",
                                         "e00000003-r00002.rptj~",
                                         "e00000000-r00001.rptj",
                                         "epoch-1",
                                         "epoch-00000000",
                                         "README",
                                         ".tmp-x",
                                         "e99999999999999999999-r00000.rptj",
                                         "e00000003-r-0001.rptj" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        file_write(dir, names[i], "garbage", 7);
    }
    file_write(dir, sample_name, sample, sizeof sample);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "3.2:first 3.2: 3.2:eight ch");
    scratch_remove(dir);
}

static void a_record_larger_than_the_window_comes_back(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);
    size_t n = 3 * 1024 * 1024 + 5;
    char *big = malloc(n + 1);
    const char *text;

    memset(big, 'b', n);
    big[n - 1] = 'e';
    big[n] = '\0';
    say(journal, "before");
    say(journal, big);
    say(journal, "after");
    rpt__journal_close(journal);
    text = replay_text(dir, UINT64_MAX);
    CU_ASSERT_EQUAL(strncmp(text, "1.0:before 1.0:bbb", 18), 0);
    CU_ASSERT_STRING_EQUAL(text + 11 + 4 + n - 2, "be 1.0:after");
    free(big);
    scratch_remove(dir);
}

static rpt_status_t stop_at_second(void *user, uint64_t epoch, int writer,
                                   uint32_t type, const void *data,
                                   size_t bytes)
{
    int *n = user;

    (void)epoch;
    (void)writer;
    (void)type;
    (void)data;
    (void)bytes;
    return ++*n == 2 ? RPT_END : RPT_OK;
}

static void the_callback_can_end_the_replay(void)
{
    char *dir = scratch_make();
    int n = 0;

    file_write(dir, sample_name, sample, sizeof sample);
    CU_ASSERT_EQUAL(rpt__journal_replay(dir, UINT64_MAX, stop_at_second, &n),
                    RPT_END);
    CU_ASSERT_EQUAL(n, 2);
    scratch_remove(dir);
}

/* ---- torn tails ---- */

/* What is left of the sample when it ends after `bytes`. */
static const char *expected_up_to(size_t bytes)
{
    return bytes < EMPTY_AT        ? ""
           : bytes < MARK_AT       ? "3.2:first"
           : bytes < sizeof sample ? "3.2:first 3.2:"
                                   : "3.2:first 3.2: 3.2:eight ch";
}

static void a_file_cut_at_any_byte_ends_with_its_last_whole_record(void)
{
    char *dir = scratch_make();

    for (size_t n = 0; n <= sizeof sample; n++) {
        file_write(dir, sample_name, sample, n);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), expected_up_to(n));
    }
    scratch_remove(dir);
}

static void a_tail_of_zeros_or_garbage_is_cut(void)
{
    char *dir = scratch_make();
    unsigned char bytes[sizeof sample + 1000];

    srand(1);
    for (size_t n = RPT_FILE_HEAD; n < sizeof sample; n++) {
        /* A frame may end before its filling, which is zero anyway. */
        bool same = n > FIRST_AT + 36 && n < EMPTY_AT;

        memcpy(bytes, sample, n);
        memset(bytes + n, 0, sizeof bytes - n);
        file_write(dir, sample_name, bytes, sizeof bytes);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                               expected_up_to(same ? EMPTY_AT : n));
        for (size_t i = n; i < sizeof bytes; i++) {
            bytes[i] = (unsigned char)(rand() | 1);
        }
        file_write(dir, sample_name, bytes, sizeof bytes);
        CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), expected_up_to(n));
    }
    scratch_remove(dir);
}

/* A task may have read the journal and said what it read. */
static void a_torn_record_may_contain_a_copy_of_the_file(void)
{
    char *dir = scratch_make();
    char bytes[sizeof sample + 32 + 400] = { 0 };
    struct rpt_frame copy = { 7, 400, 6 };
    char payload[400] = { 0 };

    memcpy(payload, sample, sizeof sample);
    memcpy(bytes, sample, sizeof sample);
    rpt__frame_put(bytes + sizeof sample, &copy, payload);
    rpt__frame_seal(bytes + sizeof sample, sample_seed());
    file_write(dir, sample_name, bytes, sizeof bytes - 8);
    log_begin();
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "3.2:first 3.2: 3.2:eight ch");
    CU_ASSERT_STRING_EQUAL(log_end(), "");
    scratch_remove(dir);
}

static void damage_in_a_commit_that_never_finished_is_cut_with_a_warning(void)
{
    char *dir = scratch_make();
    const char *logged;
    unsigned char bytes[EMPTY_AT + 32];

    /* Blocks of one batch reach the disk in any order: the first record is
     * missing, the second one is there, and nobody was told of either. */
    memcpy(bytes, sample, sizeof bytes);
    memset(bytes + FIRST_AT, 0, 40);
    file_write(dir, sample_name, bytes, sizeof bytes);
    log_begin();
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    logged = log_end();
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, sample_name));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "byte 88"));
    scratch_remove(dir);
}

static void a_mark_that_does_not_vouch_for_the_damage_changes_nothing(void)
{
    char *dir = scratch_make();
    char bytes[sizeof sample];

    memcpy(bytes, sample, sizeof bytes);
    memset(bytes + FIRST_AT, 0, 40);
    rpt__frame_set_number(bytes + MARK_AT, FIRST_AT);
    rpt__frame_seal(bytes + MARK_AT, sample_seed());
    file_write(dir, sample_name, bytes, sizeof bytes);
    log_begin();
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    rpt__frame_set_number(bytes + MARK_AT, FIRST_AT + 1);
    rpt__frame_seal(bytes + MARK_AT, sample_seed());
    file_write(dir, sample_name, bytes, sizeof bytes);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
    log_end();
    scratch_remove(dir);
}

/* ---- corruption ---- */

static void a_bit_flipped_anywhere_is_never_a_wrong_record(void)
{
    char *dir = scratch_make();
    unsigned char bytes[sizeof sample];

    log_begin();
    for (size_t bit = 0; bit < 8 * sizeof sample; bit++) {
        size_t at = bit / 8;
        const char *text;

        memcpy(bytes, sample, sizeof bytes);
        bytes[at] ^= (unsigned char)(1u << bit % 8);
        file_write(dir, sample_name, bytes, sizeof bytes);
        text = replay_text(dir, UINT64_MAX);
        if (at < FIRST_AT) {
            CU_ASSERT_STRING_EQUAL(text, "RPT_ERR_CORRUPT");
        } else if (at < EMPTY_AT) {
            CU_ASSERT_STRING_EQUAL(text, "RPT_ERR_CORRUPT");
        } else if (at < MARK_AT) {
            CU_ASSERT_STRING_EQUAL(text, "RPT_ERR_CORRUPT 3.2:first");
        } else {
            /* The last batch: nothing says that it was finished. */
            CU_ASSERT_STRING_EQUAL(text, "3.2:first 3.2:");
        }
    }
    log_end();
    scratch_remove(dir);
}

static void every_byte_of_a_closed_journal_is_protected(void)
{
    char *dir = scratch_make();
    struct rpt_journal *journal = journal_make(dir, 1, 0);
    struct rpt_buf bytes;
    size_t last;

    say(journal, "first");
    say(journal, "middle");
    say(journal, "last");
    rpt__journal_close(journal);
    bytes = file_read(dir, "e00000001-r00000.rptj");
    last = bytes.bytes - 40; /* the MARK that closing wrote */
    for (size_t at = 0; at < last; at++) {
        bytes.data[at] ^= 0x10;
        file_write(dir, "e00000001-r00000.rptj", bytes.data, bytes.bytes);
        CU_ASSERT_EQUAL(
            strncmp(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT", 15), 0);
        bytes.data[at] ^= 0x10;
    }
    rpt__buf_free(&bytes);
    scratch_remove(dir);
}

static void corruption_is_reported_with_file_offset_and_advice(void)
{
    char *dir = scratch_make();
    unsigned char bytes[sizeof sample];

    memcpy(bytes, sample, sizeof bytes);
    bytes[EMPTY_AT + 8] ^= 1;
    file_write(dir, sample_name, bytes, sizeof bytes);
    replay_text(dir, UINT64_MAX);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, sample_name));
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "byte 128"));
    CU_ASSERT_NOT_EQUAL(rpt_last_error()->why[0], '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, "move it out"));
    /* And the advice helps. */
    remove(in_dir(dir, sample_name));
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    scratch_remove(dir);
}

static void a_missing_record_in_the_middle_is_corruption(void)
{
    char *dir = scratch_make();
    unsigned char bytes[sizeof sample - 32];

    memcpy(bytes, sample, EMPTY_AT);
    memcpy(bytes + EMPTY_AT, sample + MARK_AT, sizeof sample - MARK_AT);
    file_write(dir, sample_name, bytes, sizeof bytes);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX),
                           "RPT_ERR_CORRUPT 3.2:first");
    scratch_remove(dir);
}

static void a_file_under_another_name_is_corruption(void)
{
    char *dir = scratch_make();

    file_write(dir, "e00000004-r00002.rptj", sample, sizeof sample);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
    remove(in_dir(dir, "e00000004-r00002.rptj"));
    file_write(dir, "e00000003-r00001.rptj", sample, sizeof sample);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_CORRUPT");
    scratch_remove(dir);
}

static void a_newer_format_is_refused(void)
{
    char *dir = scratch_make();
    char bytes[sizeof sample];
    struct rpt_file_head head = { 2, 2, 3, 0, sample_seed() };

    memcpy(bytes, sample, sizeof bytes);
    rpt__file_head_pack(&head, bytes);
    file_write(dir, sample_name, bytes, sizeof bytes);
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_VERSION");
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "format 2"));
    scratch_remove(dir);
}

/* ---- trouble ---- */

static void a_missing_directory_is_not_found(void)
{
    char *dir = scratch_make();
    char *missing = strdup(in_dir(dir, "no such"));

    CU_ASSERT_STRING_EQUAL(replay_text(missing, UINT64_MAX),
                           "RPT_ERR_NOT_FOUND");
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, missing));
    CU_ASSERT_EQUAL(rpt__journal_bytes(missing, UINT64_MAX), 0);
    file_write(dir, "no such", "", 0);
    CU_ASSERT_STRING_EQUAL(replay_text(missing, UINT64_MAX),
                           "RPT_ERR_NOT_FOUND");
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "");
    free(missing);
    scratch_remove(dir);
}

static void a_disk_that_cannot_be_read_is_an_error(void)
{
    char *dir = scratch_make();
    int n_fds = count_fds();

    file_write(dir, sample_name, sample, sizeof sample);
    faults_begin();
    faults.read_error = EIO;
    CU_ASSERT_STRING_EQUAL(replay_text(dir, UINT64_MAX), "RPT_ERR_IO");
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, sample_name));
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->why, strerror(EIO));
    faults_end();
    CU_ASSERT_EQUAL(count_fds(), n_fds);
    scratch_remove(dir);
}

/* ---- a reader beside a writer ---- */

enum { N_BESIDE = 30000 };

struct beside {
    struct rpt_journal *journal;
    _Atomic bool done;
};

static void *write_beside(void *user)
{
    struct beside *beside = user;

    for (uint64_t i = 0; i < N_BESIDE; i++) {
        rpt__journal_append(beside->journal, 7, &i, sizeof i);
        if (i % 100 == 0) {
            rpt__journal_commit(beside->journal);
        }
    }
    rpt__journal_commit(beside->journal);
    beside->done = true;
    return NULL;
}

static rpt_status_t count_in_order(void *user, uint64_t epoch, int writer,
                                   uint32_t type, const void *data,
                                   size_t bytes)
{
    uint64_t *n = user, i;

    (void)epoch;
    (void)writer;
    (void)type;
    memcpy(&i, data, bytes == sizeof i ? sizeof i : 0);
    return i == (*n)++ ? RPT_OK : RPT_ERR_INTERNAL;
}

static void a_reader_beside_the_writer_sees_a_growing_beginning(void)
{
    char *dir = scratch_make();
    struct beside beside = { journal_make(dir, 1, 0), false };
    uint64_t before = 0, n = 0;
    pthread_t thread;
    bool done;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_beside, &beside),
                          0);
    do {
        done = beside.done;
        n = 0;
        CU_ASSERT_EQUAL(
            rpt__journal_replay(dir, UINT64_MAX, count_in_order, &n), RPT_OK);
        CU_ASSERT(n >= before);
        before = n;
    } while (!done);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(n, N_BESIDE);
    rpt__journal_close(beside.journal);
    scratch_remove(dir);
}

static const struct rpt_test tests[] = {
    RPT_TEST(a_file_of_another_program_is_read),
    RPT_TEST(frames_are_written_as_another_program_writes_them),
    RPT_TEST(records_come_back_with_type_and_bytes),
    RPT_TEST(files_are_read_by_epoch_then_by_rank),
    RPT_TEST(other_files_in_the_directory_are_left_alone),
    RPT_TEST(a_record_larger_than_the_window_comes_back),
    RPT_TEST(the_callback_can_end_the_replay),
    RPT_TEST(a_file_cut_at_any_byte_ends_with_its_last_whole_record),
    RPT_TEST(a_tail_of_zeros_or_garbage_is_cut),
    RPT_TEST(a_torn_record_may_contain_a_copy_of_the_file),
    RPT_TEST(damage_in_a_commit_that_never_finished_is_cut_with_a_warning),
    RPT_TEST(a_mark_that_does_not_vouch_for_the_damage_changes_nothing),
    RPT_TEST(a_bit_flipped_anywhere_is_never_a_wrong_record),
    RPT_TEST(every_byte_of_a_closed_journal_is_protected),
    RPT_TEST(corruption_is_reported_with_file_offset_and_advice),
    RPT_TEST(a_missing_record_in_the_middle_is_corruption),
    RPT_TEST(a_file_under_another_name_is_corruption),
    RPT_TEST(a_newer_format_is_refused),
    RPT_TEST(a_missing_directory_is_not_found),
    RPT_TEST(a_disk_that_cannot_be_read_is_an_error),
    RPT_TEST(a_reader_beside_the_writer_sees_a_growing_beginning),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("journal_read", tests, 120, argc, argv);
}
