/*
 * errors.c - files that cannot be written, and what is said of it
 */
#include "written.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void a_library_that_is_missing_is_unsupported(void)
{
    static const struct rpt_parquet_column column = { .name = "x",
                                                      .type = RPT_TYPE_F64 };
    static const struct rpt_parquet_schema schema = { &column, 1, NULL, 0 };
    static const char *const whys[] = { "No such file",
                                        "text.so: file too short",
                                        "it is a pipe", "it is a directory",
                                        "undefined symbol" };
    const char *libraries[5];
    struct rpt_parquet *writer = NULL;

    put(in_scratch("text.so"), "no library at all, not even a small one, for "
                               "it has no header");
    CU_ASSERT_EQUAL_FATAL(mkfifo(in_scratch("pipe.so"), 0600), 0);
    libraries[0] = strdup(in_scratch("nothing.so"));
    libraries[1] = strdup(in_scratch("text.so"));
    libraries[2] = strdup(in_scratch("pipe.so"));
    libraries[3] = strdup(scratch());
    libraries[4] = strdup("libm.so.6");
    for (int i = 0; i < 5; i++) {
        rpt_options_t *options = NULL;

        CU_ASSERT_EQUAL_FATAL(rpt_options_create(&options), RPT_OK);
        CU_ASSERT_EQUAL(
            rpt_options_set(options, "io.parquet.library", libraries[i]),
            RPT_OK);
        CU_ASSERT_EQUAL(
            rpt__parquet_open(in_scratch("x"), &schema, NULL, options, &writer),
            RPT_ERR_UNSUPPORTED);
        CU_ASSERT(says(whys[i]) && says(libraries[i]));
        CU_ASSERT(says("io.parquet.library"));
        CU_ASSERT_PTR_NULL(writer);
        CU_ASSERT(!exists(in_scratch("x.part")));
        rpt_options_destroy(options);
        free((void *)libraries[i]);
    }
}

static void a_build_without_parquet_says_how_to_get_it(void)
{
    struct rpt_parquet *writer = NULL;
    static const struct rpt_parquet_column column = { .name = "x",
                                                      .type = RPT_TYPE_F64 };
    static const struct rpt_parquet_schema schema = { &column, 1, NULL, 0 };

#ifdef RPT_HAVE_PARQUET
    (void)schema;
    rpt_test_skip("this build has Parquet");
    CU_ASSERT_PTR_NULL(writer);
#else
    CU_ASSERT_EQUAL(
        rpt__parquet_open(in_scratch("x"), &schema, NULL, NULL, &writer),
        RPT_ERR_UNSUPPORTED);
    CU_ASSERT(says("--with-arrow") && says("pip install pyarrow"));
#endif
}

struct wrong {
    struct rpt_parquet_column columns[2];
    struct rpt_parquet_entry entry;
    struct rpt_parquet_settings settings;
    const char *says;
};

/* clang-format off */
#define F64(NAME) { .name = NAME, .type = RPT_TYPE_F64 }
#define GOOD { F64("x"), F64("y") }
#define NO_ENTRY { "k", "v" }
/* clang-format on */

static void what_cannot_be_written_is_invalid(void)
{
    static const struct wrong wrongs[] = {
        { { F64("x"), F64("x") }, NO_ENTRY, { 0 }, "are called x" },
        { { F64("x"), F64("") }, NO_ENTRY, { 0 }, "name of column 1" },
        { { F64("x"), F64(NULL) }, NO_ENTRY, { 0 }, "name of column 1" },
        { { F64("\xff"), F64("y") }, NO_ENTRY, { 0 }, "name of column 0" },
        { { F64("z_im"), { .name = "z", .type = RPT_TYPE_C64 } },
          NO_ENTRY,
          { 0 },
          "NAME_re and NAME_im" },
        { { F64("x"), { .name = "y", .type = 77 } },
          NO_ENTRY,
          { 0 },
          "type 77" },
        { { F64("x"), { .name = "y", .kind = 9 } },
          NO_ENTRY,
          { 0 },
          "no known kind" },
        { { F64("x"), { .name = "y", .type = RPT_TYPE_F64, .keepbits = 53 } },
          NO_ENTRY,
          { 0 },
          "bits to keep" },
        { GOOD, { "k", "\xc0\x80" }, { 0 }, "no text in UTF-8" },
        { GOOD, { NULL, "v" }, { 0 }, "no text in UTF-8" },
        { GOOD, { "ARROW:schema", "v" }, { 0 }, "ARROW:schema" },
        { GOOD, NO_ENTRY, { .compression = "gzip" }, "zstd, with a level" },
        { GOOD, NO_ENTRY, { .level = 23 }, "zstd, with a level" },
        { GOOD, NO_ENTRY, { .level = -1 }, "zstd, with a level" },
        { GOOD, NO_ENTRY, { .keepbits = 53 }, "bits to keep" },
        { GOOD, NO_ENTRY, { .keepbits = -1 }, "bits to keep" },
        { GOOD, NO_ENTRY, { .group_rows = -1 }, "a size is negative" },
    };
    struct rpt_parquet *writer = NULL;

    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct rpt_parquet_schema schema = { wrongs[i].columns, 2,
                                             &wrongs[i].entry, 1 };

        CU_ASSERT_EQUAL(open_file(in_scratch("wrong"), &schema,
                                  &wrongs[i].settings, &writer),
                        RPT_ERR_INVALID);
        CU_ASSERT(says(wrongs[i].says));
        CU_ASSERT_PTR_NULL(writer);
    }
    CU_ASSERT_EQUAL(open_numbers("", NULL, &writer), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(open_numbers(NULL, NULL, &writer), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(open_file("x", NULL, NULL, &writer), RPT_ERR_INVALID);
    CU_ASSERT(!exists(in_scratch("wrong.part")));
}

/* Nothing of such a batch is appended, and others can be. */
static void bad_data_is_refused_and_the_file_goes_on(void)
{
    static const struct rpt_parquet_column columns[] = {
        F64("x"), { .name = "text", .kind = RPT_PARQUET_TEXT }
    };
    static const struct rpt_parquet_schema schema = { columns, 2, NULL, 0 };
    static const double x[] = { 5, 6, 7 };
    static const int64_t good[] = { 0, 2, 2 }, falling[] = { 0, 2, 1 };
    static const int64_t negative[] = { -1, 0, 1 };
    static const int64_t huge[] = { 0, 2, ((int64_t)1 << 30) + 3 };
    const struct {
        struct rpt_parquet_data data[2];
        rpt_status_t status;
        const char *says;
    } wrongs[] = {
        { { { NULL, NULL }, { "ab", good } }, RPT_ERR_INVALID, "no values" },
        { { { (const char *)x + 1, NULL }, { "ab", good } },
          RPT_ERR_INVALID,
          "not aligned" },
        { { { x, NULL }, { "ab", NULL } }, RPT_ERR_INVALID, "no offsets" },
        { { { x, NULL }, { NULL, good } }, RPT_ERR_INVALID, "no bytes" },
        { { { x, NULL }, { "ab", falling } }, RPT_ERR_INVALID, "offset 2" },
        { { { x, NULL }, { "ab", negative } }, RPT_ERR_INVALID, "negative" },
        { { { x, NULL }, { "\xed\xa0", good } }, RPT_ERR_INVALID, "row 0" },
        { { { x, NULL }, { "ab", huge } }, RPT_ERR_OVERFLOW, "1 GiB" },
    };
    const struct rpt_parquet_data right[] = { { x, NULL }, { "ab", good } };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    CU_ASSERT_EQUAL_FATAL(
        open_file(in_scratch("goes_on"), &schema, NULL, &writer), RPT_OK);
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        CU_ASSERT_EQUAL(rpt__parquet_append(writer, 2, wrongs[i].data),
                        wrongs[i].status);
        CU_ASSERT(says(wrongs[i].says));
    }
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, -1, right), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, 1, NULL), RPT_ERR_INVALID);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, 0, NULL), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, 2, right), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    python("numbers", in_scratch("goes_on"), "5 6");
}

static void a_place_where_no_file_can_be_is_an_error(void)
{
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    CU_ASSERT_EQUAL(open_numbers(in_scratch("no/such"), NULL, &writer),
                    RPT_ERR_IO);
    CU_ASSERT(says("no/such was not written") && says("No such file") &&
              says("make the directory first"));
    CU_ASSERT_EQUAL(open_numbers(scratch(), NULL, &writer), RPT_ERR_INVALID);
    CU_ASSERT(says("it is a directory"));
    CU_ASSERT_EQUAL(open_numbers("/dev/null", NULL, &writer), RPT_ERR_INVALID);
    CU_ASSERT(says("no regular file"));
    CU_ASSERT_PTR_NULL(writer);
}

const struct rpt_test error_tests[] = {
    RPT_TEST(a_build_without_parquet_says_how_to_get_it),
    RPT_TEST(what_cannot_be_written_is_invalid),
    RPT_TEST(bad_data_is_refused_and_the_file_goes_on),
    RPT_TEST(a_place_where_no_file_can_be_is_an_error),
    /* What was opened already is no excuse. */
    RPT_TEST(a_library_that_is_missing_is_unsupported), RPT_TEST_END
};
