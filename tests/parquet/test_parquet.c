/*
 * test_parquet.c - Parquet files: what is in them, and how they are divided
 *
 * Others read them: pyarrow, pandas, DuckDB, Polars, by tests/parquet/read.py.
 */
#include "written.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_numbers(const char *path,
                          const struct rpt_parquet_settings *settings,
                          int n_batches, int n)
{
    double *values = calloc((size_t)n, sizeof *values);
    struct rpt_parquet *writer = NULL;

    CU_ASSERT_EQUAL_FATAL(open_numbers(path, settings, &writer), RPT_OK);
    for (int b = 0; b < n_batches; b++) {
        for (int i = 0; i < n; i++) {
            values[i] = b * n + i;
        }
        CU_ASSERT_EQUAL(append_numbers(writer, values, n), RPT_OK);
    }
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    free(values);
}

static void row_groups_end_at_rows_or_bytes(void)
{
    static const struct rpt_parquet_settings by_rows = { .group_rows = 10 };
    static const struct rpt_parquet_settings by_bytes = { .group_bytes = 800 };

    if (!has_library()) {
        return;
    }
    write_numbers(in_scratch("rows"), &by_rows, 3, 5);
    python("groups", in_scratch("rows"), "10 5");
    python("numbers", in_scratch("rows"), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14");
    write_numbers(in_scratch("rows"), &by_rows, 2, 10); /* no empty one */
    python("groups", in_scratch("rows"), "10 10");
    write_numbers(in_scratch("rows"), &by_rows, 1, 25);
    python("groups", in_scratch("rows"), "10 10 5");
    write_numbers(in_scratch("bytes"), &by_bytes, 3, 60);
    python("groups", in_scratch("bytes"), "120 60");
}

/* 200 to 209 as bytes: a place to find, and to damage. */
static void write_place(const char *path, bool without_checksums)
{
    static const struct rpt_parquet_column column = {
        .name = "x", .kind = RPT_PARQUET_BINARY
    };
    static const struct rpt_parquet_schema schema = { &column, 1, NULL, 0 };
    static const char place[] = "\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf\xd0\xd1";
    static const int64_t offsets[] = { 0, 10 };
    struct rpt_parquet_settings settings = { .compression = "none" };
    struct rpt_parquet_data data = { place, offsets };
    struct rpt_parquet *writer = NULL;

    settings.without_checksums = without_checksums;
    CU_ASSERT_EQUAL_FATAL(open_file(path, &schema, &settings, &writer), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, 1, &data), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
}

static void a_damaged_page_is_noticed(void)
{
    if (!has_library()) {
        return;
    }
    write_place(in_scratch("page"), false);
    python("flipped", in_scratch("page"), "noticed");
    write_place(in_scratch("page"), true);
    python("flipped", in_scratch("page"), "silent");
}

static int64_t bytes_of(const char *path)
{
    struct stat found;

    CU_ASSERT_EQUAL_FATAL(stat(path, &found), 0);
    return found.st_size;
}

static void the_level_of_zstd_is_used(void)
{
    enum { N = 20000 };
    struct rpt_parquet_settings settings = { .level = 1 };
    int64_t bytes[4];

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        settings.level = i == 0 ? 1 : i == 1 ? 3 : i == 2 ? 0 : 19;
        write_every_kind(in_scratch("level"), N, &settings);
        bytes[i] = bytes_of(in_scratch("level"));
    }
    CU_ASSERT(bytes[0] > bytes[1]);
    CU_ASSERT(bytes[1] > bytes[3]);
    CU_ASSERT_EQUAL(bytes[1], bytes[2]); /* the default */
}

static int n_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    while (readdir(folder) != NULL) {
        n++;
    }
    closedir(folder);
    return n;
}

/* Arrow and the heap fill caches of their own for some rounds; what is lost in
 * each round takes 32 bytes at least. */
static void a_writer_leaves_nothing_behind(void)
{
    enum { WARM = 100, N_ROUNDS = 300 };
    static const struct rpt_parquet_settings settings = { .keepbits = 7 };
    static const double values[1000];
    size_t heap = 0;
    int n_files = 0;

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < WARM + N_ROUNDS; i++) {
        struct rpt_parquet *writer = NULL;

        if (i == WARM) {
            heap = rpt_test_heap_bytes();
            n_files = n_open_files();
        }
        CU_ASSERT_EQUAL_FATAL(
            open_numbers(in_scratch("left"), &settings, &writer), RPT_OK);
        CU_ASSERT_EQUAL(append_numbers(writer, values, 1000), RPT_OK);
        if (i % 2 == 0) {
            rpt__parquet_abandon(writer);
        } else {
            CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
        }
    }
    CU_ASSERT_EQUAL(n_open_files(), n_files);
    CU_ASSERT(rpt_test_heap_bytes() < heap + 16 * N_ROUNDS);
}

/* Of few values and of many; an index has none. */
static void few_values_are_a_dictionary(void)
{
    enum { N = 300000 };
    static const struct rpt_parquet_column columns[] = {
        { .name = "few", .type = RPT_TYPE_I64 },
        { .name = "many", .type = RPT_TYPE_F64 },
        { .name = "index", .type = RPT_TYPE_I64, .is_index = true }
    };
    static const struct rpt_parquet_schema schema = { columns, 3, NULL, 0 };
    static int64_t few[N];
    static double many[N];
    const struct rpt_parquet_data data[] = { { few, NULL },
                                             { many, NULL },
                                             { few, NULL } };
    struct rpt_parquet *writer = NULL;

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < N; i++) {
        few[i] = (int64_t)(((uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) >> 17) *
                               UINT64_C(0xbf58476d1ce4e5b9) >>
                           40) %
                 11;
        many[i] = i / 3.0;
    }
    CU_ASSERT_EQUAL_FATAL(open_file(in_scratch("few"), &schema, NULL, &writer),
                          RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, N, data), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    python("dictionaries", in_scratch("few"), "300000");
}

static void *write_of_thread(void *path)
{
    static const struct rpt_parquet_settings settings = { .group_rows = 700 };

    write_numbers(path, &settings, 5, 1000);
    return NULL;
}

static void writers_of_several_threads_do_not_disturb_each_other(void)
{
    enum { N_THREADS = 4 };
    pthread_t threads[N_THREADS];
    char *paths[N_THREADS], name[24];

    if (!has_library()) {
        return;
    }
    for (int i = 0; i < N_THREADS; i++) {
        snprintf(name, sizeof name, "thread%d", i);
        paths[i] = strdup(in_scratch(name));
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, write_of_thread, paths[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        python("groups", paths[i], "700 700 700 700 700 700 700 100");
        free(paths[i]);
    }
}

static void *zeros(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CU_ASSERT_FATAL(memory != MAP_FAILED);
    return memory;
}

/* More than 2 GiB at once, of bytes and of numbers. */
static void more_than_an_int_counts_is_written(void)
{
    enum { N = 2100, EACH = 1 << 20 };
    static const struct rpt_parquet_column column = {
        .name = "x", .kind = RPT_PARQUET_TEXT
    };
    static const struct rpt_parquet_schema schema = { &column, 1, NULL, 0 };
    static int64_t offsets[N + 1];
    const int64_t n_numbers = ((int64_t)1 << 28) + 5;
    size_t bytes = (size_t)n_numbers * sizeof(double);
    struct rpt_parquet_data data = { zeros(bytes), offsets };
    struct rpt_parquet *writer = NULL;
    char arguments[64];

    if (getenv("RPT_TEST_LONG") == NULL) {
        rpt_test_skip("set RPT_TEST_LONG for files of more than 2 GiB");
        munmap((void *)data.values, bytes);
        return;
    }
    if (!has_library()) {
        return;
    }
    for (int i = 0; i <= N; i++) {
        offsets[i] = (int64_t)i * EACH;
    }
    munmap((void *)data.values, bytes);
    data.values = zeros((size_t)N * EACH);
    CU_ASSERT_EQUAL_FATAL(
        open_file(in_scratch("large"), &schema, NULL, &writer), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_append(writer, N, &data), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    snprintf(arguments, sizeof arguments, "0 %d %d", N, EACH);
    python("large", in_scratch("large"), arguments);
    munmap((void *)data.values, (size_t)N * EACH);

    data.values = zeros(bytes);
    CU_ASSERT_EQUAL_FATAL(open_numbers(in_scratch("large"), NULL, &writer),
                          RPT_OK);
    CU_ASSERT_EQUAL(append_numbers(writer, data.values, n_numbers), RPT_OK);
    CU_ASSERT_EQUAL(rpt__parquet_close(writer), RPT_OK);
    snprintf(arguments, sizeof arguments, "%lld 0 0", (long long)n_numbers);
    python("large", in_scratch("large"), arguments);
    munmap((void *)data.values, bytes);
}

static const struct rpt_test file_tests[] = {
    RPT_TEST(row_groups_end_at_rows_or_bytes),
    RPT_TEST(a_damaged_page_is_noticed),
    RPT_TEST(the_level_of_zstd_is_used),
    RPT_TEST(few_values_are_a_dictionary),
    RPT_TEST(a_writer_leaves_nothing_behind),
    RPT_TEST(writers_of_several_threads_do_not_disturb_each_other),
    RPT_TEST(more_than_an_int_counts_is_written),
    RPT_TEST_END
};

/* One table of those of all files. */
static void join(struct rpt_test *to, const struct rpt_test *const tables[])
{
    for (int t = 0; tables[t] != NULL; t++) {
        for (const struct rpt_test *test = tables[t]; test->name != NULL;
             test++) {
            *to++ = *test;
        }
    }
}

int main(int argc, char *argv[])
{
    static struct rpt_test all[64];
    static const struct rpt_test *const tables[] = {
        error_tests, disk_tests, kind_tests, keepbits_tests,
        whole_tests, file_tests, NULL
    };

    join(all, tables);
    return rpt_test_main("test_parquet", all, 300, argc, argv);
}
