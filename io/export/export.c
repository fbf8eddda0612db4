/*
 * export.c - the road of an export: all ranks together
 *
 *   agree     same arguments? Parquet everywhere?
 *   choose    the checkpoint, verified by all          choose.c
 *   plan      its tables                               plan.c
 *   begin     OUT.part-ID                              output.c
 *   rounds    each rank writes for a while, then all   part.c
 *             hear who has failed and who is done
 *   commit    OUT                                      output.c
 *
 * In rounds, so that a failure ends the others' work soon, and nobody waits
 * longer for another rank than a round and the end of a file take.
 */
#include "io/export/export_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "io/checkpoint/talk.h"
#include "io/parquet/library.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double round_s = 0.5;

const char rpt__export_call[] = "rpt_checkpoint_export";

/* ---- arguments ---- */

static const char *why_not(const char *directory,
                           const rpt_export_config_t *config)
{
    int tables = RPT_EXPORT_ARRAYS | RPT_EXPORT_VALUES | RPT_EXPORT_BLOBS |
                 RPT_EXPORT_CHECKPOINTS;
    int flags = RPT_EXPORT_NO_INDEX | RPT_EXPORT_TOGETHER | RPT_EXPORT_REPLACE |
                RPT_EXPORT_NO_DATA | RPT_EXPORT_ALL_DATA;

    if (directory == NULL || directory[0] == '\0') {
        return "the directory of checkpoints has no name";
    }
    if (config == NULL || config->size != sizeof *config) {
        return "config->size is not sizeof(rpt_export_config_t)";
    }
    if (config->output == NULL || config->output[0] == '\0') {
        return "the output has no name";
    }
    if ((config->tables & ~tables) != 0 || (config->flags & ~flags) != 0) {
        return "tables or flags have bits that mean nothing";
    }
    if (config->level < 0 || config->level > 22) {
        return "a level is 1 to 22, or 0";
    }
    if (config->keepbits < 0 || config->keepbits > 52) {
        return "keepbits is 1 to 52, or 0";
    }
    if (config->group_rows < 0) {
        return "a row group has no negative number of rows";
    }
    return NULL;
}

static rpt_status_t check(const char *directory,
                          const rpt_export_config_t *config)
{
    const char *why = why_not(directory, config);

    if (why == NULL) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_INVALID, "%s: bad argument", rpt__export_call);
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

static uint64_t hash_of(const char *directory, const char *task,
                        const rpt_export_config_t *c)
{
    struct rpt_buf buf = RPT_BUF_EMPTY;
    uint64_t hash;

    rpt__buf_str(&buf, directory);
    rpt__buf_str(&buf, task);
    rpt__buf_str(&buf, c->output);
    rpt__buf_str(&buf, c->checkpoint);
    rpt__buf_u8(&buf, c->names != NULL);
    for (size_t i = 0; c->names != NULL && c->names[i] != NULL; i++) {
        rpt__buf_str(&buf, c->names[i]);
    }
    rpt__buf_u32(&buf, (uint32_t)c->tables);
    rpt__buf_u32(&buf, (uint32_t)c->flags);
    rpt__buf_u32(&buf, (uint32_t)c->level);
    rpt__buf_u32(&buf, (uint32_t)c->keepbits);
    rpt__buf_u64(&buf, (uint64_t)c->group_rows);
    rpt__buf_u64(&buf, c->data_bytes);
    hash = rpt__hash64(buf.data, buf.bytes, 0);
    rpt__buf_free(&buf);
    return hash;
}

/* Collective. */
static rpt_status_t compare(const struct rpt_export *e, const char *directory,
                            const char *task)
{
    uint64_t mine, *all = calloc((size_t)e->size, sizeof *all);
    rpt_status_t status = all != NULL ? check(directory, e->config)
                                      : rpt__fail_nomem(sizeof *all);

    status = rpt__talk_agree(e->group, rpt__export_call, status);
    if (status == RPT_OK) {
        mine = hash_of(directory, task, e->config);
        status = rpt__talk_all(e->group, rpt__export_call, &mine, sizeof mine,
                               all);
    }
    for (int r = 0; status == RPT_OK && r < e->size; r++) {
        if (all[r] != all[0]) {
            rpt__fail(RPT_ERR_MISMATCH,
                      "%s: ranks 0 and %d gave different arguments",
                      rpt__export_call, r);
            rpt__fail_hint("give the same on all ranks");
            status = RPT_ERR_MISMATCH;
        }
    }
    free(all);
    return status;
}

/* ---- rounds ---- */

static rpt_status_t write_for_a_while(struct rpt_export *e, bool *done_out)
{
    double end_s = rpt__now_s() + round_s;
    rpt_status_t status = RPT_OK;

    do {
        status = rpt__export_some(e, done_out);
    } while (status == RPT_OK && !*done_out && rpt__now_s() < end_s);
    if (status != RPT_OK) {
        rpt__export_part_abandon(e);
    }
    return status;
}

static rpt_status_t write_all(struct rpt_export *e)
{
    unsigned char mine, *all = malloc((size_t)e->size);
    bool done = false, all_done = false;
    rpt_status_t status = all != NULL ? RPT_OK
                                      : rpt__fail_nomem((size_t)e->size);

    status = rpt__talk_agree(e->group, rpt__export_call, status);
    while (status == RPT_OK && !all_done) {
        status = rpt__talk_agree(e->group, rpt__export_call,
                                 write_for_a_while(e, &done));
        mine = done;
        if (status == RPT_OK) {
            status = rpt__talk_all(e->group, rpt__export_call, &mine,
                                   sizeof mine, all);
        }
        all_done = true;
        for (int r = 0; status == RPT_OK && r < e->size; r++) {
            all_done = all_done && all[r];
        }
    }
    free(all);
    return status;
}

/* Collective: the sums of all ranks. */
static rpt_status_t add_up(struct rpt_export *e)
{
    rpt_export_result_t *all = calloc((size_t)e->size, sizeof *all), sum;
    rpt_status_t status = all != NULL ? RPT_OK : rpt__fail_nomem(sizeof *all);

    status = rpt__talk_agree(e->group, rpt__export_call, status);
    if (status == RPT_OK) {
        status = rpt__talk_all(e->group, rpt__export_call, &e->result,
                               sizeof e->result, all);
    }
    sum = (rpt_export_result_t){ .size = sizeof sum, .n_tables = e->n_list };
    if (e->has_opened) {
        sum.id = e->opened.manifest.id;
        sum.iteration = e->opened.manifest.iteration;
    }
    for (int r = 0; status == RPT_OK && r < e->size; r++) {
        sum.n_files += all[r].n_files;
        sum.n_rows += all[r].n_rows;
        sum.raw_bytes += all[r].raw_bytes;
        sum.file_bytes += all[r].file_bytes;
        sum.n_left_out += all[r].n_left_out;
    }
    e->result = sum;
    free(all);
    return status;
}

/* ---- all of it ---- */

static rpt_status_t write_output(struct rpt_export *e)
{
    rpt_status_t status = rpt__talk_agree(e->group, rpt__export_call,
                                          rpt__export_plan(e));

    if (status == RPT_OK) {
        status = rpt__export_output_begin(e);
    }
    if (status == RPT_OK) {
        status = write_all(e);
    }
    if (status == RPT_OK) {
        status = add_up(e);
    }
    if (status == RPT_OK) {
        status = rpt__talk_agree(e->group, rpt__export_call,
                                 e->rank == 0 ? rpt__export_output_commit(e)
                                              : RPT_OK);
    }
    if (status != RPT_OK) {
        rpt__export_part_abandon(e);
        if (e->rank == 0) {
            rpt__export_output_abandon(e);
        }
    } else if (e->rank == 0) {
        rpt__export_output_settle(e);
    }
    return status;
}

static void release(struct rpt_export *e)
{
    rpt__export_output_free(&e->output);
    rpt__export_plan_free(e);
    rpt__export_windows_free(e);
    if (e->state_fd >= 0) {
        close(e->state_fd);
    }
    rpt__opened_free(&e->opened);
    rpt__dir_close(&e->dir);
    rpt__dir_close(&e->top);
    free(e->stored);
    free(e->task);
}

static rpt_status_t run(struct rpt_group *group, const char *directory,
                        const char *task, const rpt_export_config_t *config,
                        rpt_export_result_t *result_out)
{
    struct rpt_export e = {
        .group = group,
        .rank = rpt__group_rank(group),
        .size = rpt__group_size(group),
        .options = rpt__comm_options(rpt__group_comm(group)),
        .config = config,
        .top = RPT_DIR_CLOSED,
        .dir = RPT_DIR_CLOSED,
        .opened = RPT_OPENED_NONE,
        .state_fd = -1,
        .output = { .parent = RPT_DIR_CLOSED, .dir = RPT_DIR_CLOSED }
    };
    const struct rpt_parquet_ops *ops;
    rpt_status_t status = compare(&e, directory, task);

    if (status == RPT_OK) {
        e.tables = config->tables != 0 ? config->tables
                                       : RPT_EXPORT_ARRAYS | RPT_EXPORT_VALUES |
                                             RPT_EXPORT_BLOBS;
        status = rpt__talk_agree(group, rpt__export_call,
                                 rpt__parquet_library(e.options, &ops));
    }
    if (status == RPT_OK) {
        status = rpt__export_choose(&e, directory, task);
    }
    if (status == RPT_OK) {
        status = write_output(&e);
    }
    if (status == RPT_OK && result_out != NULL) {
        *result_out = e.result;
    }
    release(&e);
    return status;
}

/* Ranks verify, write and sync more or less than others. */
rpt_status_t rpt__export(struct rpt_group *group, const char *directory,
                         const char *task, const rpt_export_config_t *config,
                         rpt_export_result_t *result_out)
{
    const rpt_options_t *options = rpt__comm_options(rpt__group_comm(group));
    double before_s = rpt__group_be_patient(
        group, rpt__option_seconds(options, RPT_OPT_IO_CHECKPOINT_DEADLINE_S));
    sigset_t before;
    rpt_status_t status;

    rpt__dir_begin(&before);
    status = run(group, directory, task, config, result_out);
    rpt__dir_end(&before);
    rpt__group_be_patient(group, before_s);
    return status;
}
