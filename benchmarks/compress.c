/*
 * compress.c - how small compressed checkpoints become, and what that costs
 *
 *     benchmarks/compress FOLDER [SIDE [RANKS]]      make bench-compress
 *
 * Arrays of SIDE x SIDE doubles (4096: 128 MiB) of several natures are saved by
 * RANKS threads, without compression and at two levels, in turn; a line for
 * each: what state.h5 takes of the disk, the median of the seconds of a save
 * that waits, and of a restore, also by those without compression.  Files are
 * made in FOLDER, and removed.
 */
#include "benchmarks/natures.h"

#include <repartir.h>

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, N_SETTINGS = 3 };

static const int levels[N_SETTINGS] = { 0, 1, 6 };

static size_t side = 4096;
static int n_ranks = 2;
static double *field;
static char folder[256];

/* Of one setting, each round. */
struct times {
    double save_s[ROUNDS];
    double pack_s[ROUNDS];
    double restore_s[ROUNDS];
    unsigned long long stored_bytes;
};

/* What the ranks do. */
struct job {
    const char *task;
    int level;
    double save_s, pack_s, restore_s;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- on each rank ---- */

static rpt_status_t open_task(rpt_context_t *context, const struct job *job,
                              rpt_checkpoint_t **c_out)
{
    uint64_t n = side, size = (uint64_t)rpt_context_size(context);
    uint64_t rank = (uint64_t)rpt_context_rank(context);
    rpt_checkpoint_array_t a = { .size = sizeof a,
                                 .name = "u",
                                 .type = RPT_TYPE_F64,
                                 .n_dims = 2,
                                 .dims = { n, n },
                                 .start = { n * rank / size },
                                 .count = { 0, n } };
    rpt_status_t status;

    a.count[0] = n * (rank + 1) / size - a.start[0];
    a.data = field + a.start[0] * n;
    status = rpt_checkpoint_open(rpt_group_world(context), folder, job->task,
                                 NULL, c_out);
    return status == RPT_OK ? rpt_checkpoint_add_array(*c_out, &a) : status;
}

static rpt_status_t save_and_restore(rpt_context_t *context, void *user)
{
    struct job *job = user;
    rpt_checkpoint_stats_t stats = { .size = sizeof stats };
    rpt_checkpoint_t *c = NULL;
    rpt_status_t status = open_task(context, job, &c);
    double began_s;
    uint64_t iteration;

    /* The first one makes the structure and takes the memory. */
    if (status == RPT_OK) {
        status = rpt_checkpoint_save(c, 1);
    }
    began_s = now_s();
    if (status == RPT_OK) {
        status = rpt_checkpoint_save(c, 2);
    }
    if (rpt_context_rank(context) == 0) {
        job->save_s = now_s() - began_s;
    }
    began_s = now_s();
    if (status == RPT_OK) {
        status = rpt_checkpoint_restore(c, &iteration);
    }
    if (status == RPT_OK) {
        status = rpt_checkpoint_stats(c, &stats);
    }
    if (rpt_context_rank(context) == 0) {
        job->restore_s = now_s() - began_s;
        job->pack_s = stats.pack_s;
    }
    rpt_checkpoint_close(c);
    return status;
}

/* ---- one nature ---- */

/* Bytes that the files below a folder take of the disk. */
static unsigned long long room;

static int add_room(const char *path, const struct stat *file, int kind,
                    struct FTW *where)
{
    (void)path;
    (void)where;
    room += kind == FTW_F ? 512 * (unsigned long long)file->st_blocks : 0;
    return 0;
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *where)
{
    (void)file;
    (void)kind;
    (void)where;
    return remove(path);
}

static int run(const char *task, int level, int round, struct times *times)
{
    struct job job = { .task = task, .level = level };
    rpt_options_t *options = NULL;
    char number[16], path[300];
    rpt_status_t status = rpt_options_create(&options);

    snprintf(number, sizeof number, "%d", level > 0 ? level : 1);
    rpt_options_set(options, "io.checkpoint.keep", "1");
    rpt_options_set(options, "io.checkpoint.compress",
                    level > 0 ? "deflate" : "none");
    rpt_options_set(options, "io.checkpoint.compress_level", number);
    if (status == RPT_OK) {
        status = rpt_local_run(n_ranks, options, save_and_restore, &job);
    }
    rpt_options_destroy(options);
    if (status != RPT_OK) {
        fprintf(stderr, "%s: %s\n", task, rpt_last_error_text());
        return 1;
    }
    times->save_s[round] = job.save_s;
    times->pack_s[round] = job.pack_s;
    times->restore_s[round] = job.restore_s;
    room = 0;
    snprintf(path, sizeof path, "%s/%s", folder, task);
    nftw(path, add_room, 16, FTW_PHYS);
    times->stored_bytes = room;
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double times[ROUNDS])
{
    qsort(times, ROUNDS, sizeof *times, by_value);
    return times[ROUNDS / 2];
}

static int try_nature(const struct nature *nature)
{
    struct times times[N_SETTINGS];
    double plain_s, save_s, raw = (double)(side * side) * sizeof *field;

    nature->fill(field, side);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N_SETTINGS; i++) {
            int k = round % 2 == 0 ? i : N_SETTINGS - 1 - i;

            if (run(nature->name, levels[k], round, &times[k]) != 0) {
                return 1;
            }
        }
    }
    plain_s = median(times[0].save_s);
    for (int k = 0; k < N_SETTINGS; k++) {
        save_s = k == 0 ? plain_s : median(times[k].save_s);
        printf("{\"bench\":\"compress\",\"nature\":\"%s\",\"level\":%d,"
               "\"ranks\":%d,\"raw_bytes\":%.0f,\"disk_bytes\":%llu,"
               "\"ratio\":%.2f,\"save_s\":%.3f,\"save_ratio\":%.2f,"
               "\"least_s\":%.3f,\"most_s\":%.3f,\"pack_s\":%.3f,"
               "\"restore_s\":%.3f}\n",
               nature->name, levels[k], n_ranks, raw, times[k].stored_bytes,
               raw / (double)times[k].stored_bytes, save_s, save_s / plain_s,
               times[k].save_s[0], times[k].save_s[ROUNDS - 1],
               median(times[k].pack_s), median(times[k].restore_s));
    }
    return fflush(stdout) != 0;
}

int main(int argc, char *argv[])
{
    int failure = 0;

    side = argc > 2 ? strtoul(argv[2], NULL, 10) : side;
    n_ranks = argc > 3 ? atoi(argv[3]) : n_ranks;
    snprintf(folder, sizeof folder, "%s/rpt-compress.XXXXXX",
             argc > 1 ? argv[1] : ".");
    field = malloc(side * side * sizeof *field);
    if (field == NULL || side < 64 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "no memory, no folder, or too small a side\n");
        return 1;
    }
    for (const struct nature *n = natures; n->name != NULL && !failure; n++) {
        failure = try_nature(n);
    }
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(field);
    return failure;
}
