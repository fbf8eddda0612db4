/*
 * export.c - how small checkpoints become as Parquet, and how fast
 *
 *     benchmarks/export FOLDER [SIDE [THREADS [keep]]]   make bench-export
 *
 * Arrays of SIDE x SIDE doubles (2048: 4 Mi) of several natures are saved, each
 * in a checkpoint, and exported in several ways; a line for each: bytes of the
 * values by bytes of the files, and rows a second, verifying and syncing
 * included (the best of three).  Files are made in FOLDER, and removed; with
 * `keep` they stay, each line says where its table is, and level 19 of zstd is
 * left out: for export.py, which writes the same tables by pyarrow.
 */
#include "benchmarks/natures.h"

#include <repartir.h>

#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3 };

static size_t side = 2048;
static int threads = 1;
static bool keeps;
static double *field;
static char folder[256];

/* ---- a checkpoint, and its exports ---- */

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, rpt_last_error_text());
    return 1;
}

static rpt_status_t save(rpt_context_t *context, void *user)
{
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = "u",
                                 .type = RPT_TYPE_F64,
                                 .n_dims = 2,
                                 .dims = { side, side },
                                 .count = { side, side },
                                 .data = field };
    rpt_checkpoint_t *c = NULL;
    rpt_status_t status = rpt_checkpoint_open(rpt_group_world(context), folder,
                                              user, NULL, &c);

    if (status == RPT_OK) {
        status = rpt_checkpoint_add_array(c, &a);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_save(c, 1);
    }
    rpt_checkpoint_close(c);
    return status;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int measure(const char *task, int keepbits, int level, int flags)
{
    char out[300];
    rpt_export_config_t config = { .size = sizeof config,
                                   .output = out,
                                   .tables = RPT_EXPORT_ARRAYS,
                                   .flags = flags | RPT_EXPORT_REPLACE,
                                   .level = level,
                                   .keepbits = keepbits };
    rpt_export_result_t result;
    double best_s = 1e9;

    snprintf(out, sizeof out, keeps ? "%s/%s-%d-%d" : "%s/out", folder, task,
             keepbits, flags);
    for (int i = 0; i < ROUNDS; i++) {
        double began_s = now_s();

        if (rpt_checkpoint_export_local(threads, folder, task, &config, NULL,
                                        &result) != RPT_OK) {
            return failed(task);
        }
        best_s = fmin(best_s, now_s() - began_s);
    }
    printf("{\"bench\":\"export\",\"nature\":\"%s\",\"keepbits\":%d,"
           "\"level\":%d,\"index\":%s,\"threads\":%d,\"rows\":%llu,"
           "\"raw_bytes\":%llu,\"file_bytes\":%llu,\"ratio\":%.2f,"
           "\"rows_per_s\":%.3g",
           task, keepbits, level > 0 ? level : 3,
           flags & RPT_EXPORT_NO_INDEX ? "false" : "true", threads,
           (unsigned long long)result.n_rows,
           (unsigned long long)result.raw_bytes,
           (unsigned long long)result.file_bytes,
           (double)result.raw_bytes / (double)result.file_bytes,
           (double)result.n_rows / best_s);
    printf(keeps ? ",\"output\":\"%s\"}\n" : "}\n", out);
    return fflush(stdout) != 0;
}

static int try_nature(const struct nature *nature)
{
    const char *name = nature->name;
    char task[32];

    snprintf(task, sizeof task, "%s", name);
    nature->fill(field, side);
    if (rpt_local_run(1, NULL, save, task) != RPT_OK) {
        return failed(name);
    }
    return measure(name, 0, 0, 0) || measure(name, 0, 0, RPT_EXPORT_NO_INDEX) ||
           (!keeps && measure(name, 0, 19, 0)) || measure(name, 10, 0, 0);
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    (void)file;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char *argv[])
{
    int failure = 0;

    side = argc > 2 ? strtoul(argv[2], NULL, 10) : side;
    threads = argc > 3 ? atoi(argv[3]) : threads;
    keeps = argc > 4;
    snprintf(folder, sizeof folder, "%s/rpt-export.XXXXXX",
             argc > 1 ? argv[1] : ".");
    field = malloc(side * side * sizeof *field);
    if (field == NULL || side < 64 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "no memory, no folder, or too small a side\n");
        return 1;
    }
    for (const struct nature *n = natures; n->name != NULL && !failure; n++) {
        failure = try_nature(n);
    }
    if (!keeps) {
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    free(field);
    return failure;
}
