/*
 * test_request.c - requests, left by many and read in order
 */
#include "fixture.h"

#include "journal/request_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_request(const char *dir, uint64_t number,
                           const char *expected_kind, const void *expected,
                           size_t expected_bytes)
{
    char *kind = NULL, *text = NULL;
    size_t bytes = 0;

    CU_ASSERT_EQUAL_FATAL(
        rpt__statedir_read_request(dir, number, &kind, &text, &bytes), RPT_OK);
    CU_ASSERT_STRING_EQUAL(kind, expected_kind);
    CU_ASSERT_EQUAL(bytes, expected_bytes);
    CU_ASSERT_EQUAL(memcmp(text, expected, expected_bytes), 0);
    CU_ASSERT_EQUAL(text[bytes], '\0');
    free(kind);
    free(text);
}

static void requests_are_read_in_the_order_in_which_they_came(void)
{
    char *dir = scratch_make();
    char *kind = dir, *text = dir;
    size_t n = 77;

    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 1, &kind, &text, &n),
                    RPT_END);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "echo 1\n", 7, 1),
                    RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "cancel", "a\0b", 3, 1), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "", 0, 1), RPT_OK);
    expect_request(dir, 1, "submit", "echo 1\n", 7);
    expect_request(dir, 2, "cancel", "a\0b", 3);
    expect_request(dir, 3, "submit", "", 0);
    expect_request(dir, 1, "submit", "echo 1\n", 7);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 4, &kind, &text, &n),
                    RPT_END);
    CU_ASSERT_PTR_EQUAL(kind, dir);
    CU_ASSERT_EQUAL(n, 77);
    CU_ASSERT_EQUAL(count_names(in_dir(dir, "requests"), ".tmp"), 0);
    scratch_remove(dir);
}

static void requests_of_many_processes_get_numbers_without_a_gap(void)
{
    enum { N_PROCESSES = 4, N_EACH = 25 };
    char *dir = scratch_make();
    bool seen[N_PROCESSES][N_EACH] = { { false } };
    pid_t pids[N_PROCESSES];

    pass_epoch(dir);
    for (int p = 0; p < N_PROCESSES; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            int bad = 0;

            for (int i = 0; i < N_EACH; i++) {
                char text[2] = { (char)p, (char)i };

                bad |= rpt__statedir_request(dir, "submit", text, 2, 1);
            }
            _exit(bad != 0);
        }
    }
    for (int p = 0; p < N_PROCESSES; p++) {
        int status = -1;

        CU_ASSERT_EQUAL(waitpid(pids[p], &status, 0), pids[p]);
        CU_ASSERT_EQUAL(status, 0);
    }
    for (uint64_t i = 1; i <= N_PROCESSES * N_EACH; i++) {
        char *kind = NULL, *text = NULL;
        size_t bytes = 0;

        CU_ASSERT_EQUAL_FATAL(
            rpt__statedir_read_request(dir, i, &kind, &text, &bytes), RPT_OK);
        CU_ASSERT_EQUAL_FATAL(bytes, 2);
        CU_ASSERT(!seen[(int)text[0]][(int)text[1]]);
        seen[(int)text[0]][(int)text[1]] = true;
        free(kind);
        free(text);
    }
    scratch_remove(dir);
}

static void a_damaged_request_is_noticed(void)
{
    char *dir = scratch_make(), *kind = NULL, *text = NULL;
    struct rpt_buf bytes;
    size_t n = 0;

    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "echo\n", 5, 1),
                    RPT_OK);
    bytes = file_read(dir, "requests/00000001");
    for (size_t i = 0; i < bytes.bytes; i++) {
        struct rpt_request request;

        bytes.data[i] ^= 2;
        CU_ASSERT(!rpt__request_unpack(bytes.data, bytes.bytes, &request));
        bytes.data[i] ^= 2;
        CU_ASSERT(!rpt__request_unpack(bytes.data, i, &request));
    }
    file_write(dir, "requests/00000001", bytes.data, bytes.bytes - 1);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 1, &kind, &text, &n),
                    RPT_ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->what, "00000001"));
    CU_ASSERT_PTR_NULL(text);
    rpt__buf_free(&bytes);
    scratch_remove(dir);
}

static void a_job_that_ends_takes_no_more(void)
{
    char *dir = scratch_make(), *kind = NULL, *text = NULL;
    size_t n = 0;

    pass_epoch(dir);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "a", 1, 1), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_close_requests(dir, 1, 1), RPT_END);
    CU_ASSERT_EQUAL(rpt__statedir_close_requests(dir, 2, 1), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "b", 1, 1),
                    RPT_ERR_STATE);
    CU_ASSERT_EQUAL(rpt__statedir_close_requests(dir, 3, 1), RPT_ERR_STATE);
    /* The next job takes requests again. */
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "c", 1, 2), RPT_OK);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 2, &kind, &text, &n),
                    RPT_OK);
    CU_ASSERT_STRING_EQUAL(kind, RPT_REQUEST_CLOSE);
    free(kind);
    free(text);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 3, &kind, &text, &n),
                    RPT_OK);
    CU_ASSERT(n == 1 && text[0] == 'c');
    free(kind);
    free(text);
    CU_ASSERT_EQUAL(rpt__statedir_read_request(dir, 4, &kind, &text, &n),
                    RPT_END);
    scratch_remove(dir);
}

static void a_request_that_cannot_be_left_is_an_error(void)
{
    char *dir = scratch_make();
    int n_fds = count_fds();

    CU_ASSERT_EQUAL(
        rpt__statedir_request(in_dir(dir, "none"), "submit", "", 0, 1),
        RPT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "", "", 0, 1), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__statedir_request(dir, "../up", "", 0, 1),
                    RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(
        rpt__statedir_request(dir, "submit", "", ((size_t)1 << 30) + 1, 1),
        RPT_ERR_OVERFLOW);
    for (int at = 1; at <= 4; at++) {
        faults_begin();
        faults.fail_at = at;
        faults.error = ENOSPC;
        CU_ASSERT_EQUAL(rpt__statedir_request(dir, "submit", "x", 1, 1),
                        RPT_ERR_IO);
        faults_end();
        CU_ASSERT_EQUAL(count_names(in_dir(dir, "requests"), ""), 0);
    }
    file_write(dir, "occupied", "", 0);
    CU_ASSERT_EQUAL(
        rpt__statedir_request(in_dir(dir, "occupied"), "submit", "", 0, 1),
        RPT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(count_fds(), n_fds);
    scratch_remove(dir);
}

static const struct rpt_test tests[] = {
    RPT_TEST(requests_are_read_in_the_order_in_which_they_came),
    RPT_TEST(requests_of_many_processes_get_numbers_without_a_gap),
    RPT_TEST(a_damaged_request_is_noticed),
    RPT_TEST(a_job_that_ends_takes_no_more),
    RPT_TEST(a_request_that_cannot_be_left_is_an_error), RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("journal_request", tests, 120, argc, argv);
}
