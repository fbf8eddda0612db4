/*
 * test_base.c - statuses, errors, options, packing, JSON, clocks
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/futex.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/options.h"
#include "base/size.h"

#include "harness.h"
#include "logged.h"

#include <repartir.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void every_status_has_a_name_and_a_text(void)
{
    CU_ASSERT_STRING_EQUAL(rpt_status_name(RPT_OK), "RPT_OK");
    CU_ASSERT_STRING_EQUAL(rpt_status_name(RPT_ERR_IO), "RPT_ERR_IO");
    CU_ASSERT_STRING_EQUAL(rpt_status_text(RPT_PENDING), "not finished yet");
    CU_ASSERT_STRING_EQUAL(rpt_status_name((rpt_status_t)-999),
                           "RPT_ERR_UNKNOWN");
    CU_ASSERT_STRING_EQUAL(rpt_status_text((rpt_status_t)-999),
                           "unknown status");
}

static void an_error_says_what_why_and_do(void)
{
    rpt__identify(3, 8, "node17");
    CU_ASSERT_EQUAL(rpt__fail_errno(RPT_ERR_IO, ENOSPC, "write %s", "a.h5"),
                    RPT_ERR_IO);
    rpt__fail_hint("free %d GiB", 2);
    CU_ASSERT_EQUAL(rpt_last_error()->rank, 3);
    CU_ASSERT_STRING_EQUAL(rpt_last_error_text(),
                           "repartir: rank 3 of 8 on node17: write a.h5\n"
                           "  why   No space left on device\n"
                           "  do    free 2 GiB   [RPT_ERR_IO]");
    rpt__identify(-1, 0, NULL);
    rpt__fail(RPT_ERR_STATE, "later");
    CU_ASSERT_STRING_EQUAL(rpt_last_error_text(),
                           "repartir: later   [RPT_ERR_STATE]");
}

static void a_long_error_is_cut_visibly(void)
{
    char text[3000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rpt__fail(RPT_ERR_INVALID, "%s", text);
    CU_ASSERT_EQUAL(strlen(rpt_last_error()->what), 1023);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->what + 1019, " ...");
}

static void an_error_of_another_rank_is_kept_whole(void)
{
    rpt_error_t remote = { sizeof remote, RPT_ERR_PEER, 5,     9,
                           "far",         "what",       "why", "hint" };

    rpt__fail_remote(&remote);
    CU_ASSERT_EQUAL(rpt_last_error()->rank, 5);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->host, "far");
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->why, "why");
}

static void options_obey_their_precedence(void)
{
    rpt_options_t *options = NULL, *copy = NULL;
    const char *value = NULL;

    setenv("RPT_LOG_LEVEL", "2", 1);
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_get(options, "log.level", &value), RPT_OK);
    CU_ASSERT_STRING_EQUAL(value, "2");
    CU_ASSERT_STRING_EQUAL(rpt_options_origin(options, "log.level"),
                           "environment");
    CU_ASSERT_EQUAL(rpt_options_set(options, "log.level", "3"), RPT_OK);
    CU_ASSERT_EQUAL(rpt__options_copy(options, &copy), RPT_OK);
    CU_ASSERT_EQUAL(rpt__option_integer(copy, RPT_OPT_LOG_LEVEL), 3);
    CU_ASSERT_STRING_EQUAL(rpt_options_origin(copy, "log.level"), "program");
    rpt_options_destroy(copy);
    rpt_options_destroy(options);
    rpt_options_destroy(NULL);
    unsetenv("RPT_LOG_LEVEL");
}

static void a_file_sets_options_and_its_faults_are_named(void)
{
    rpt_options_t *options = NULL;
    FILE *file = fopen("repartir.conf", "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("# sample\nlog.level = 4\nlog.level # = 0\nlog.levle = 1\n", file);
    fclose(file);
    log_begin();
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt__option_integer(options, RPT_OPT_LOG_LEVEL), 4);
    CU_ASSERT_STRING_EQUAL(rpt_options_origin(options, "log.level"),
                           "file repartir.conf line 2");
    CU_ASSERT_PTR_NOT_NULL(strstr(log_end(), "did you mean log.level?"));
    rpt_options_destroy(options);
    unlink("repartir.conf");
}

/* A pipe would make us wait for its writer. */
static void what_is_no_file_sets_no_options(void)
{
    rpt_options_t *options = NULL;

    CU_ASSERT_EQUAL_FATAL(mkfifo("repartir.conf", 0600), 0);
    log_begin();
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_STRING_EQUAL(log_end(),
                           "repartir: warning: repartir.conf sets no options: "
                           "it is a pipe\n");
    rpt_options_destroy(options);
    unlink("repartir.conf");
}

static void an_unknown_variable_is_answered_with_the_nearest(void)
{
    rpt_options_t *options = NULL;

    setenv("RPT_LOG_LEVLE", "2", 1);
    log_begin();
    CU_ASSERT_EQUAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(log_end(), "did you mean RPT_LOG_LEVEL?"));
    unsetenv("RPT_LOG_LEVLE");
    rpt_options_destroy(options);
}

static void bad_options_are_errors(void)
{
    rpt_options_t *options = NULL;
    const rpt_option_info_t *info = NULL;
    const char *value = "kept";

    CU_ASSERT_EQUAL(rpt_options_create(NULL), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    CU_ASSERT_EQUAL(rpt_options_set(options, "log.lebel", "1"),
                    RPT_ERR_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(rpt_last_error()->hint, "did you mean log.level?");
    CU_ASSERT_EQUAL(rpt_options_set(options, "log.level", "9"), RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rpt_options_set(options, "log.level", "1x"), RPT_ERR_PARSE);
    CU_ASSERT_EQUAL(rpt_options_set(options, NULL, "1"), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt_options_get(options, "no", &value), RPT_ERR_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(value, "kept");
    CU_ASSERT_EQUAL(rpt_options_get(options, NULL, &value), RPT_ERR_INVALID);
    CU_ASSERT_PTR_NULL(rpt_options_origin(options, "no"));
    CU_ASSERT_EQUAL(rpt_option_info(0, &info), RPT_OK);
    CU_ASSERT_STRING_EQUAL(info->variable, "RPT_LOG_LEVEL");
    CU_ASSERT_EQUAL(rpt_option_info(RPT_N_OPTIONS, &info), RPT_END);
    CU_ASSERT_EQUAL(rpt_option_info(0, NULL), RPT_ERR_INVALID);
    rpt_options_destroy(options);
}

/* The message says where the value comes from, and what would do. */
static void values_that_an_option_cannot_have_are_named(void)
{
    static const struct {
        const char *name, *value, *why, *hint;
    } cases[] = {
        { "comm.drive", "perhaps", "it is a switch", "give yes or no" },
        { "comm.drive", "", "it is a switch", "give yes or no" },
        { "comm.spin_us", "-1", "of type integer, from 0 to 1e+06", "as 50" },
        { "comm.spin_us", "1000001", "from 0 to 1e+06", "as 50" },
        { "comm.spin_us", "0.5", "of type integer", "as 50" },
        { "comm.spin_us", "50us", "of type integer", "as 50" },
        { "comm.spin_us", "nan", "of type integer", "as 50" },
    };
    rpt_options_t *options = NULL;

    CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char what[128];

        snprintf(what, sizeof what, "option %s cannot be \"%s\" (from program)",
                 cases[i].name, cases[i].value);
        CU_ASSERT_EQUAL(rpt_options_set(options, cases[i].name, cases[i].value),
                        RPT_ERR_PARSE);
        CU_ASSERT_STRING_EQUAL(rpt_last_error()->what, what);
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->why, cases[i].why));
        CU_ASSERT_PTR_NOT_NULL(strstr(rpt_last_error()->hint, cases[i].hint));
    }
    CU_ASSERT_EQUAL(rpt_options_set(options, "comm.drive", "OFF"), RPT_OK);
    CU_ASSERT_FALSE(rpt__option_switch(options, RPT_OPT_COMM_DRIVE));
    CU_ASSERT_EQUAL(rpt_options_set(options, "comm.spin_us", "1000000"),
                    RPT_OK);
    CU_ASSERT_EQUAL(rpt__option_integer(options, RPT_OPT_COMM_SPIN_US),
                    1000000);
    rpt_options_destroy(options);
}

static void a_log_line_keeps_errno_and_its_level(void)
{
    log_begin();
    errno = EPIPE;
    rpt__log(RPT_LOG_DEBUG, "hidden");
    rpt_log_set_level(RPT_LOG_DEBUG);
    rpt__log(RPT_LOG_DEBUG, "shown %d", 7);
    CU_ASSERT_EQUAL(errno, EPIPE);
    rpt__identify(2, 4, "h");
    rpt__log_rank0(RPT_LOG_ERROR, "not by rank 2");
    rpt__identify(-1, 0, NULL);
    rpt_log_set_level(RPT_LOG_WARN);
    CU_ASSERT_STRING_EQUAL(log_end(), "repartir: debug: shown 7\n");
}

static void what_is_packed_reads_back(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__buf_u8(&buf, 7);
    rpt__buf_u32(&buf, UINT32_MAX);
    rpt__buf_u64(&buf, UINT64_MAX - 1);
    rpt__buf_f64(&buf, 0.1);
    rpt__buf_str(&buf, "text");
    rpt__buf_str(&buf, NULL);
    CU_ASSERT_EQUAL_FATAL(rpt__buf_status(&buf), RPT_OK);
    reader = rpt__reader(buf.data, buf.bytes);
    CU_ASSERT_EQUAL(rpt__read_u8(&reader), 7);
    CU_ASSERT_EQUAL(rpt__read_u32(&reader), UINT32_MAX);
    CU_ASSERT_EQUAL(rpt__read_u64(&reader), UINT64_MAX - 1);
    CU_ASSERT_EQUAL(rpt__read_f64(&reader), 0.1);
    CU_ASSERT_STRING_EQUAL(rpt__read_str(&reader), "text");
    CU_ASSERT_PTR_NULL(rpt__read_str(&reader));
    CU_ASSERT_FALSE(reader.failed);
    CU_ASSERT_EQUAL(rpt__read_u8(&reader), 0);
    CU_ASSERT_TRUE(reader.failed);
    rpt__buf_free(&buf);
}

static void every_torn_record_is_noticed(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;

    rpt__buf_u32(&buf, 1);
    rpt__buf_str(&buf, "abc");
    for (size_t n = 0; n < buf.bytes; n++) {
        struct rpt_reader reader = rpt__reader(buf.data, n);

        rpt__read_u32(&reader);
        CU_ASSERT_PTR_NULL(rpt__read_str(&reader));
        CU_ASSERT_TRUE(reader.failed);
    }
    rpt__buf_clear(&buf);
    CU_ASSERT_PTR_NULL(rpt__buf_reserve(&buf, SIZE_MAX / 2));
    CU_ASSERT_EQUAL(rpt__buf_status(&buf), RPT_ERR_NOMEM);
    rpt__buf_free(&buf);
}

static void json_strings_are_always_valid(void)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    static const char text[] = "a\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80";

    rpt__json_string(&buf, text, sizeof text - 1);
    rpt__buf_u8(&buf, 0);
    CU_ASSERT_STRING_EQUAL(buf.data, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd"
                                     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    rpt__buf_clear(&buf);
    rpt__json_number(&buf, 0.1);
    rpt__buf_u8(&buf, ' ');
    rpt__json_number(&buf, NAN);
    rpt__buf_u8(&buf, 0);
    CU_ASSERT_STRING_EQUAL(buf.data, "0.1 null");
    rpt__buf_free(&buf);
}

/* RFC 3629: what is no UTF-8 becomes U+FFFD, byte by byte. */
static void json_strings_hold_any_bytes(void)
{
#define BAD "\xef\xbf\xbd"
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        { "\t\r\b", "\"\\t\\r\\u0008\"" },
        { "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
        { "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
        { "\xe2\x82", "\"" BAD BAD "\"" },         /* it ends too early   */
        { "\xc3(", "\"" BAD "(\"" },               /* is not gone on with */
        { "\xc0\xaf", "\"" BAD BAD "\"" },         /* two bytes for one   */
        { "\xe0\x9f\xbf", "\"" BAD BAD BAD "\"" }, /* three for two       */
        { "\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"" }, /* U+110000    */
    };
#undef BAD
    struct rpt_buf buf = RPT_BUF_EMPTY;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rpt__buf_clear(&buf);
        rpt__json_string(&buf, cases[i].bytes, strlen(cases[i].bytes));
        rpt__buf_u8(&buf, 0);
        CU_ASSERT_STRING_EQUAL(buf.data, cases[i].text);
    }
    rpt__buf_free(&buf);
}

static void sizes_that_do_not_fit_are_refused(void)
{
    size_t n;

    CU_ASSERT_FALSE(rpt__size_add(SIZE_MAX, 1, &n));
    CU_ASSERT_FALSE(rpt__size_mul(SIZE_MAX / 2, 3, &n));
    CU_ASSERT_TRUE(rpt__size_mul(6, 7, &n));
    CU_ASSERT_EQUAL(n, 42);
    CU_ASSERT_EQUAL(rpt__size_align(65, 64), 128);
}

/* Published vectors of XXH3 for the empty input. */
static void hashes_are_those_of_xxh3(void)
{
    struct rpt_digest digest = rpt__digest("", 0);

    CU_ASSERT_EQUAL(rpt__hash64("", 0, 0), 0x2d06800538d394c2ULL);
    CU_ASSERT_EQUAL(digest.high, 0x99aa06d3014798d8ULL);
    CU_ASSERT_EQUAL(digest.low, 0x6001c324468d497fULL);
}

static double ten(void)
{
    return 10;
}

static void a_fake_clock_can_be_put_in(void)
{
    _Atomic uint32_t word = 1;

    rpt__clock_set(ten);
    CU_ASSERT_EQUAL(rpt__now_s(), 10);
    rpt__clock_set(NULL);
    CU_ASSERT_NOT_EQUAL(rpt__now_s(), 10);
    CU_ASSERT_TRUE(rpt__wall_s() > 1.5e9);
    CU_ASSERT_TRUE(rpt__deadline_after(0.5).tv_nsec < 1000000000L);
    rpt__futex_wait(&word, 0, 10); /* the word differs: returns at once */
    rpt__futex_wake(&word, 1);
}

static const struct rpt_test tests[] = {
    RPT_TEST(every_status_has_a_name_and_a_text),
    RPT_TEST(an_error_says_what_why_and_do),
    RPT_TEST(a_long_error_is_cut_visibly),
    RPT_TEST(an_error_of_another_rank_is_kept_whole),
    RPT_TEST(options_obey_their_precedence),
    RPT_TEST(a_file_sets_options_and_its_faults_are_named),
    RPT_TEST(what_is_no_file_sets_no_options),
    RPT_TEST(an_unknown_variable_is_answered_with_the_nearest),
    RPT_TEST(bad_options_are_errors),
    RPT_TEST(values_that_an_option_cannot_have_are_named),
    RPT_TEST(a_log_line_keeps_errno_and_its_level),
    RPT_TEST(what_is_packed_reads_back),
    RPT_TEST(every_torn_record_is_noticed),
    RPT_TEST(json_strings_are_always_valid),
    RPT_TEST(json_strings_hold_any_bytes),
    RPT_TEST(sizes_that_do_not_fit_are_refused),
    RPT_TEST(hashes_are_those_of_xxh3),
    RPT_TEST(a_fake_clock_can_be_put_in),
    RPT_TEST_END
};

int main(int argc, char *argv[])
{
    return rpt_test_main("base", tests, 60, argc, argv);
}
