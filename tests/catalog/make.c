/*
 * make.c - checkpoints for tests; the program
 */
#include "make.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

bool works_here(rpt_status_t status, const char *call, const char *file,
                int line)
{
    if (status != RPT_OK) {
        fprintf(stderr, "%s: %s\n%s\n", call, rpt_status_name(status),
                status < 0 ? rpt_last_error_text() : "");
    }
    CU_assertImplementation(status == RPT_OK, (unsigned)line, call, file, "",
                            CU_FALSE);
    return status == RPT_OK;
}

bool fails_here(rpt_status_t wanted, const char *words, rpt_status_t status,
                const char *call, const char *file, int line)
{
    const char *text = status < 0 ? rpt_last_error_text() : "";
    bool good = status == wanted && strstr(text, words) != NULL;

    if (!good) {
        fprintf(stderr, "%s: %s, \"%s\" is not in:\n%s\n", call,
                rpt_status_name(status), words, text);
    }
    CU_assertImplementation(good, (unsigned)line, call, file, "", CU_FALSE);
    return good;
}

/* ---- the folder ---- */

void folder_begin(void)
{
    const char *top = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/rpt-catalog.XXXXXX",
             top != NULL ? top : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    (void)file;
    (void)kind;
    (void)where;
    return remove(path);
}

void folder_end(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *in_folder(const char *format, ...)
{
    static char paths[8][1024];
    static int next;
    char *path = paths[next++ % 8];
    size_t bytes = (size_t)snprintf(path, sizeof paths[0], "%s/", folder);
    va_list args;

    va_start(args, format);
    vsnprintf(path + bytes, sizeof paths[0] - bytes, format, args);
    va_end(args);
    return path;
}

void shell(const char *format, ...)
{
    char line[4096];
    size_t bytes = (size_t)snprintf(line, sizeof line, "cd %s && ", folder);
    va_list args;

    va_start(args, format);
    vsnprintf(line + bytes, sizeof line - bytes, format, args);
    va_end(args);
    CU_ASSERT_EQUAL(system(line), 0);
}

/* ---- saving ---- */

struct state {
    double u[ROWS * COLUMNS];
    double time;
    float z[4];
    unsigned char more[12];
};

static rpt_status_t measure(void *user, uint64_t *bytes_out)
{
    (void)user;
    *bytes_out = 5;
    return RPT_OK;
}

static rpt_status_t pack(void *user, void *bytes, uint64_t n)
{
    (void)user;
    memset(bytes, 'b', (size_t)n);
    return RPT_OK;
}

static rpt_status_t unpack(void *user, const void *bytes, uint64_t n, int from,
                           int n_from)
{
    (void)user;
    (void)bytes;
    (void)n;
    (void)from;
    (void)n_from;
    return RPT_OK;
}

static rpt_status_t describe(rpt_checkpoint_t *c, struct state *s, int rank,
                             int size, bool has_more)
{
    uint64_t first = (uint64_t)(ROWS * rank / size);
    rpt_checkpoint_array_t u = { .size = sizeof u,
                                 .name = "flow/u",
                                 .type = RPT_TYPE_F64,
                                 .n_dims = 2,
                                 .dims = { ROWS, COLUMNS },
                                 .start = { first, 0 } };
    rpt_checkpoint_blob_t blob = { .size = sizeof blob,
                                   .name = "bytes",
                                   .measure = measure,
                                   .pack = pack,
                                   .unpack = unpack,
                                   .policy = RPT_BLOB_ALL };
    rpt_status_t status;

    u.count[0] = (uint64_t)(ROWS * (rank + 1) / size) - first;
    u.count[1] = COLUMNS;
    u.data = s->u + first * COLUMNS;
    status = rpt_checkpoint_add_array(c, &u);
    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(c, "time", RPT_TYPE_F64, 1, &s->time);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(c, "z", RPT_TYPE_C64, 2, s->z);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_add_value(c, "empty", RPT_TYPE_I32, 0, NULL);
    }
    if (status == RPT_OK && has_more) {
        status = rpt_checkpoint_add_value(c, "more", RPT_TYPE_OPAQUE(6), 2,
                                          s->more);
    }
    return status == RPT_OK ? rpt_checkpoint_add_blob(c, &blob) : status;
}

static void fill(struct state *s, double iteration, double added)
{
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        s->u[i] = 1000 * iteration + i + added;
    }
    s->time = iteration / 4 + added;
    for (int i = 0; i < 4; i++) {
        s->z[i] = (float)(iteration + i);
    }
    memset(s->more, 7, sizeof s->more);
}

static rpt_status_t write_file(rpt_checkpoint_t *c, const char *name,
                               const char *text)
{
    char *path = NULL;
    rpt_status_t status = rpt_checkpoint_route(c, name, &path);
    FILE *file = status == RPT_OK ? fopen(path, "w") : NULL;

    if (status == RPT_OK && (file == NULL || fputs(text, file) < 0)) {
        status = RPT_ERR_IO;
    }
    if (file != NULL && fclose(file) != 0) {
        status = RPT_ERR_IO;
    }
    free(path);
    return status;
}

static rpt_status_t write_files(rpt_checkpoint_t *c, int rank,
                                uint64_t iteration)
{
    char name[32], text[64];
    rpt_status_t status = rpt_checkpoint_begin(c, iteration);

    snprintf(name, sizeof name, "part/%d", rank);
    snprintf(text, sizeof text, "%d of %d\n", (int)iteration, rank);
    if (status == RPT_OK) {
        status = write_file(c, name, text);
    }
    if (status == RPT_OK && rank == 0) {
        status = write_file(c, "same", "stays");
    }
    return status;
}

static rpt_status_t save_all(rpt_context_t *context, rpt_checkpoint_t *c,
                             const struct saving *w)
{
    int rank = rpt_context_rank(context);
    struct state s = { .time = 0 };
    uint64_t iteration = 0;
    rpt_status_t status = describe(c, &s, rank, rpt_context_size(context),
                                   w->has_more);

    if (status == RPT_OK) {
        status = rpt_checkpoint_restore(c, &iteration);
        status = status == RPT_END ? RPT_OK : status;
    }
    for (int i = 0; i < w->n && status == RPT_OK; i++) {
        iteration++;
        fill(&s, (double)iteration, w->added);
        if (w->has_files) {
            status = write_files(c, rank, iteration);
        }
        if (status == RPT_OK) {
            status = rpt_checkpoint_save(c, iteration);
        }
        usleep(1000 * w->ms);
    }
    return status;
}

static rpt_status_t run_rank(rpt_context_t *context, void *user)
{
    const struct saving *w = user;
    rpt_checkpoint_t *c = NULL;
    rpt_status_t status = rpt_checkpoint_open(rpt_group_world(context),
                                              w->directory, w->task, NULL, &c);

    if (status == RPT_OK) {
        status = save_all(context, c, w);
    }
    if (status != RPT_OK && rpt_context_rank(context) == 0) {
        fprintf(stderr, "%s\n", rpt_last_error_text());
    }
    usleep(1000 * w->ms_close);
    if (status == RPT_OK && w->between != NULL &&
        rpt_context_rank(context) == 0) {
        w->between();
    }
    rpt_checkpoint_close(c);
    return status;
}

bool save(int n_ranks, const struct saving *saving)
{
    rpt_options_t *options = NULL;
    rpt_status_t status = rpt_options_create(&options);

    if (status == RPT_OK && getenv("RPT_IO_CHECKPOINT_KEEP") == NULL) {
        status = rpt_options_set(options, "io.checkpoint.keep", "1000");
    }
    if (status == RPT_OK) {
        status = rpt_local_run(n_ranks, options, run_rank,
                               (void *)(uintptr_t)saving);
    }
    rpt_options_destroy(options);
    return status == RPT_OK;
}

void save_in_folder(const char *task, int n)
{
    struct saving saving = { .directory = in_folder("ck"),
                             .task = task,
                             .n = n };

    CU_ASSERT_TRUE(save(2, &saving));
}

/* ---- looking ---- */

rpt_catalog_t *catalog_of(const char *path)
{
    rpt_catalog_t *catalog = NULL;

    WORKS(rpt_catalog_open(in_folder("%s", path), &catalog));
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalog);
    return catalog;
}

rpt_stored_t *stored_of(const char *task, const char *which,
                        rpt_catalog_t **catalog_out)
{
    const rpt_catalog_entry_t *entry = NULL;
    rpt_stored_t *stored = NULL;

    *catalog_out = catalog_of("ck");
    WORKS(rpt_catalog_find(*catalog_out, task, which, &entry));
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    WORKS(rpt_stored_open(*catalog_out, entry, &stored));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stored);
    return stored;
}

const char *path_of(const char *task, const char *which)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    rpt_catalog_t *catalog = catalog_of("ck");
    const rpt_catalog_entry_t *entry = NULL;

    WORKS(rpt_catalog_find(catalog, task, which, &entry));
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    snprintf(path, sizeof paths[0], "ck/%s/%s", task, entry->name);
    rpt_catalog_close(catalog);
    return path;
}

void flip(const char *path, const char *name, long at)
{
    FILE *file = fopen(in_folder("%s/%s", path, name), "r+");
    int byte;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    byte = fgetc(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* ---- the program ---- */

static struct rpt_test *all_tests(void)
{
    static const struct rpt_test *const tables[] = {
        looking_tests, removing_tests, stored_tests, hostile_tests,
        failing_tests
    };
    struct rpt_test *all = NULL;
    size_t n = 0;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const struct rpt_test *test = tables[t]; test->name != NULL;
             test++) {
            all = realloc(all, (n + 2) * sizeof *all);
            all[n++] = *test;
            all[n] = (struct rpt_test)RPT_TEST_END;
        }
    }
    return all;
}

int main(int argc, char *argv[])
{
    struct rpt_test *tests;
    int result;

    if (argc >= 7 && strcmp(argv[1], "save") == 0) {
        struct saving saving = { .directory = argv[2],
                                 .task = argv[3],
                                 .n = atoi(argv[5]),
                                 .ms = (unsigned)atoi(argv[6]),
                                 .ms_close = argc > 7 ? (unsigned)atoi(argv[7])
                                                      : 0,
                                 .has_files = argc > 8 };

        return save(atoi(argv[4]), &saving) ? 0 : 1;
    }
    if (argc == 4 && strcmp(argv[1], "forge") == 0) {
        return forge(argv[2], argv[3]) ? 0 : 1;
    }
    tests = all_tests();
    result = rpt_test_main("test_catalog", tests, 900, argc, argv);
    free(tests);
    return result;
}
