/*
 * save.c - from the copy to the commit: the thread, and a few messages
 *
 *   every rank   thread: writes, syncs      -> "down", or why not, to rank 0
 *   rank 0       all down: thread: commits, removes old ones
 *                one has failed: thread: removes the folder
 *                                           -> "over", and how, to all
 *
 * Rank 0 counts who is down; when somebody is missing for too long after the
 * first, it gives up and names who.  All of this is driven by the loop.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DOWN, OVER };

/* ---- messages ---- */

static rpt_status_t send(struct rpt_checkpoint *c, int rank, uint32_t kind,
                         rpt_status_t status, const struct rpt_buf *error)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    rpt_status_t sent;

    rpt__buf_u64(&bytes, rpt__group_number(c->group));
    rpt__buf_u64(&bytes, c->save.stamp.id);
    rpt__buf_u32(&bytes, kind);
    rpt__buf_u32(&bytes, (uint32_t)c->rank);
    rpt__buf_u32(&bytes, (uint32_t)status);
    if (status < 0) {
        rpt__buf_add(&bytes, error->data, error->bytes);
    }
    sent = rpt__buf_status(&bytes);
    if (sent == RPT_OK) {
        sent = rpt__comm_send(c->comm, rpt__group_world_rank(c->group, rank),
                              RPT_TAG_CHECKPOINT, bytes.data, bytes.bytes);
    }
    rpt__buf_free(&bytes);
    return sent;
}

static void is_down(struct rpt_checkpoint *c, int rank, rpt_status_t status,
                    struct rpt_reader *error)
{
    struct rpt_save *save = &c->save;

    if (rank < 0 || rank >= c->size || save->is_down[rank] ||
        save->phase == RPT_PHASE_COMMIT) {
        return;
    }
    save->is_down[rank] = true;
    if (save->n_down++ == 0) {
        save->first_down_s = rpt__now_s();
    }
    if (status < 0 && save->failure >= 0) {
        save->failure = status;
        rpt__buf_clear(&save->error);
        rpt__buf_add(&save->error, error->next,
                     (size_t)(error->end - error->next));
    }
}

static void is_over(struct rpt_checkpoint *c, rpt_status_t status,
                    struct rpt_reader *error)
{
    struct rpt_save *save = &c->save;

    /* Rank 0 may have given up while this rank's thread still writes. */
    save->phase = save->phase == RPT_PHASE_WRITE ? RPT_PHASE_LATE
                                                 : RPT_PHASE_IDLE;
    save->result = status;
    save->is_told = status >= 0;
    if (status < 0) {
        c->stats.n_failures++;
        if (c->rank > 0) {
            rpt__buf_clear(&save->error);
            rpt__buf_add(&save->error, error->next,
                         (size_t)(error->end - error->next));
        }
    } else {
        c->stats.n_saves++;
        c->stats.bytes += c->layout.stream_bytes;
        c->stats.write_s = save->times.write_s + save->times.sync_s +
                           save->times.hash_s;
        c->stats.hash_s = save->times.hash_s;
        c->stats.total_s = rpt__now_s() - save->began_s;
        c->newest = save->stamp.iteration;
        c->has_newest = true;
    }
    c->timing.last_s = rpt__now_s();
    c->timing.last_iteration = save->stamp.iteration;
    rpt__engine_tell(c->engine);
}

static void came(void *user, int source, const void *data, size_t bytes)
{
    struct rpt_comm *comm = user;
    struct rpt_reader reader = rpt__reader(data, bytes);
    uint64_t number = rpt__read_u64(&reader), id = rpt__read_u64(&reader);
    uint32_t kind = rpt__read_u32(&reader), rank = rpt__read_u32(&reader);
    rpt_status_t status = (rpt_status_t)(int32_t)rpt__read_u32(&reader);
    struct rpt_checkpoint *c = *rpt__comm_checkpoints(comm);

    (void)source;
    while (c != NULL && rpt__group_number(c->group) != number) {
        c = c->next;
    }
    /* What comes from a save that was given up is of no interest. */
    if (c == NULL || reader.failed || c->save.stamp.id != id ||
        c->save.phase == RPT_PHASE_IDLE || c->save.phase == RPT_PHASE_LATE) {
        return;
    }
    if (kind == DOWN) {
        is_down(c, (int)rank, status, &reader);
    } else {
        is_over(c, status, &reader);
    }
}

rpt_status_t rpt__save_listen(struct rpt_comm *comm)
{
    return rpt__comm_handle(comm, RPT_TAG_CHECKPOINT, came, comm);
}

/* ---- jobs of the thread ---- */

static rpt_status_t write_job(void *arg)
{
    struct rpt_checkpoint *c = arg;
    struct rpt_save *save = &c->save;
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = rpt__dir_put(&save->dir, RPT_DRAFT, save->draft.data,
                              save->draft.bytes);
        if (status == RPT_OK && save->target.syncs) {
            status = rpt__dir_sync(&save->dir);
        }
        /* From here on the next job finds the folder, whatever happens. */
        if (status == RPT_OK && save->target.syncs) {
            status = rpt__dir_sync(&c->dir);
        }
    }
    return status == RPT_OK
               ? rpt__stream_write(&c->stream, &c->layout, c->rank,
                                   save->stamp.id, &save->target, &save->times)
               : status;
}

static rpt_status_t retain(struct rpt_checkpoint *c)
{
    struct rpt_retention rules = {
        .keep = (uint64_t)rpt__option_integer(c->options,
                                              RPT_OPT_IO_CHECKPOINT_KEEP),
        .every = (uint64_t)rpt__option_integer(
            c->options, RPT_OPT_IO_CHECKPOINT_KEEP_EVERY),
        .age_s = rpt__option_seconds(c->options,
                                     RPT_OPT_IO_CHECKPOINT_KEEP_AGE_S),
        .bytes = rpt__option_size(c->options, RPT_OPT_IO_CHECKPOINT_KEEP_BYTES),
        .verified = c->verified,
        .committed = c->save.stamp.id,
    };

    return rpt__retain(&c->dir, &rules);
}

/* The folder of a save that has failed. */
static void drop_folder(struct rpt_checkpoint *c)
{
    if (rpt__dir_remove(&c->dir, c->save.folder) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", c->dir.path,
                 c->save.folder, rpt_last_error()->why);
    }
    rpt__event_add(&c->dir, "failure", c->save.stamp.id,
                   c->save.stamp.iteration, rpt__now_s() - c->save.began_s);
}

static rpt_status_t commit_job(void *arg)
{
    struct rpt_checkpoint *c = arg;
    struct rpt_save *save = &c->save;
    struct rpt_buf error = RPT_BUF_EMPTY;
    rpt_status_t status = rpt__commit(&c->dir, save->folder, NULL);

    if (status == RPT_PENDING) {
        status = rpt__fail(RPT_ERR_INTERNAL, "%s/%s is not complete",
                           c->dir.path, save->folder);
    }
    if (status != RPT_OK) {
        struct rpt_reader reader;

        /* It may be that there is no space; removing has its own errors. */
        rpt__error_pack(&error);
        drop_folder(c);
        reader = rpt__reader(error.data, error.bytes);
        if (rpt__buf_status(&error) == RPT_OK) {
            rpt__error_unpack(&reader);
        }
        rpt__buf_free(&error);
        return status;
    }
    rpt__event_add(&c->dir, "commit", save->stamp.id, save->stamp.iteration,
                   rpt__now_s() - save->began_s);
    /* It is committed: that an old one cannot be removed is no failure of
     * it. */
    if (retain(c) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "old checkpoints were not removed: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
    return RPT_OK;
}

static rpt_status_t remove_job(void *arg)
{
    drop_folder(arg);
    return RPT_OK;
}

/* ---- the steps ---- */

static void close_files(struct rpt_save *save)
{
    if (save->target.state_fd >= 0) {
        close(save->target.state_fd);
    }
    if (save->target.blocks_fd >= 0) {
        close(save->target.blocks_fd);
    }
    save->target.state_fd = save->target.blocks_fd = -1;
    rpt__dir_close(&save->dir);
}

/* This rank's part is over. */
static void report(struct rpt_checkpoint *c, rpt_status_t status,
                   const struct rpt_buf *error)
{
    close_files(&c->save);
    c->save.phase = RPT_PHASE_WAIT;
    if (c->rank == 0) {
        struct rpt_reader reader = rpt__reader(error->data, error->bytes);

        is_down(c, 0, status, &reader);
    } else {
        send(c, 0, DOWN, status, error);
    }
}

void rpt__save_go(struct rpt_checkpoint *c, rpt_status_t own)
{
    struct rpt_save *save = &c->save;

    save->result = RPT_OK;
    save->is_told = true;
    if (own == RPT_OK) {
        save->phase = RPT_PHASE_WRITE;
        rpt__saver_start(c->saver, write_job, c);
        return;
    }
    rpt__buf_clear(&save->draft);
    rpt__error_pack(&save->draft); /* it is not needed any more */
    report(c, own, &save->draft);
}

/* Rank 0: all are down, or it has waited long enough. */
static void decide(struct rpt_checkpoint *c)
{
    c->save.phase = RPT_PHASE_COMMIT;
    rpt__saver_start(c->saver, c->save.failure < 0 ? remove_job : commit_job,
                     c);
}

static void give_up(struct rpt_checkpoint *c, double limit_s)
{
    struct rpt_save *save = &c->save;
    const struct rpt_map *map = rpt__comm_map(c->comm);
    int missing = 0;

    while (missing < c->size - 1 && save->is_down[missing]) {
        missing++;
    }
    if (save->failure >= 0) {
        int rank = rpt__group_world_rank(c->group, missing);

        rpt__fail(RPT_ERR_TIMEOUT,
                  "checkpoint of iteration %" PRIu64 " was given up",
                  save->stamp.iteration);
        rpt__fail_why("rank %d on %s did not finish its part within %g s after "
                      "the first (%d of %d ranks have)",
                      rank, rpt__map_host_of(map, rank), limit_s, save->n_down,
                      c->size);
        rpt__fail_hint("look what that rank does; io.checkpoint.deadline_s is "
                       "the limit");
        save->failure = RPT_ERR_TIMEOUT;
        rpt__buf_clear(&save->error);
        rpt__error_pack(&save->error);
    }
    decide(c);
}

/* Rank 0's thread has committed, or removed. */
static void announce(struct rpt_checkpoint *c)
{
    struct rpt_save *save = &c->save;
    const struct rpt_buf *error;
    rpt_status_t status = rpt__saver_result(c->saver, &error);
    struct rpt_reader none = { NULL, NULL, false };

    if (save->failure < 0) {
        status = save->failure;
        error = &save->error;
    } else if (status < 0) {
        rpt__buf_clear(&save->error);
        rpt__buf_add(&save->error, error->data, error->bytes);
    }
    for (int r = 1; r < c->size; r++) {
        send(c, r, OVER, status, error);
    }
    for (int r = 0; r < c->size; r++) {
        save->is_down[r] = false;
    }
    save->n_down = 0;
    save->failure = RPT_OK;
    is_over(c, status, &none);
}

static double limit_of(const struct rpt_checkpoint *c)
{
    return rpt__option_seconds(c->options, RPT_OPT_IO_CHECKPOINT_DEADLINE_S);
}

int rpt__save_poll(struct rpt_poller *poller)
{
    struct rpt_checkpoint *c =
        (struct rpt_checkpoint *)(void *)((char *)poller -
                                          offsetof(struct rpt_checkpoint,
                                                   poller));
    struct rpt_save *save = &c->save;
    const struct rpt_buf *error;
    rpt_status_t status;

    if (save->phase == RPT_PHASE_WRITE && rpt__saver_is_done(c->saver)) {
        status = rpt__saver_result(c->saver, &error);
        report(c, status, error);
        return 1;
    }
    if (save->phase == RPT_PHASE_LATE && rpt__saver_is_done(c->saver)) {
        close_files(save);
        save->phase = RPT_PHASE_IDLE;
        rpt__engine_tell(c->engine);
        return 1;
    }
    if (c->rank > 0) {
        return 0;
    }
    if (save->phase == RPT_PHASE_WAIT && save->n_down == c->size) {
        decide(c);
        return 1;
    }
    if (save->phase == RPT_PHASE_WAIT && save->n_down > 0 &&
        rpt__now_s() - save->first_down_s > limit_of(c)) {
        give_up(c, limit_of(c));
        return 1;
    }
    if (save->phase == RPT_PHASE_COMMIT && rpt__saver_is_done(c->saver)) {
        announce(c);
        return 1;
    }
    return 0;
}

double rpt__save_next_s(struct rpt_poller *poller)
{
    const struct rpt_checkpoint *c =
        (const struct rpt_checkpoint *)(void *)((char *)poller -
                                                offsetof(struct rpt_checkpoint,
                                                         poller));

    return c->rank == 0 && c->save.phase == RPT_PHASE_WAIT && c->save.n_down > 0
               ? c->save.first_down_s + limit_of(c)
               : INFINITY;
}

/* ---- waiting ---- */

static bool is_idle(void *arg)
{
    const struct rpt_checkpoint *c = arg;

    return c->save.phase == RPT_PHASE_IDLE;
}

/* How it went is known. */
static bool has_ended(void *arg)
{
    const struct rpt_checkpoint *c = arg;

    return is_idle(arg) || c->save.phase == RPT_PHASE_LATE;
}

static rpt_status_t wait_until(struct rpt_checkpoint *c, bool (*is_so)(void *))
{
    double began_s = rpt__now_s();
    /* Rank 0 gives up first, and says so. */
    double limit_s = 2 * limit_of(c) + 60;
    rpt_status_t status;

    if (is_so(c)) {
        return RPT_OK;
    }
    status = rpt__comm_wait_long(c->comm, is_so, c, limit_s, began_s);
    if (status == RPT_PENDING && has_ended(c)) {
        rpt__fail(RPT_ERR_TIMEOUT,
                  "this rank's part of a save that was given up is not written "
                  "after %g s",
                  limit_s);
        rpt__fail_hint("look what its file system does");
        return RPT_ERR_TIMEOUT;
    }
    if (status == RPT_PENDING) {
        rpt__fail(RPT_ERR_TIMEOUT,
                  "rank 0 did not say within %g s how the save went", limit_s);
        rpt__fail_hint("look what that rank does");
        return RPT_ERR_TIMEOUT;
    }
    return status;
}

rpt_status_t rpt__save_finish(struct rpt_checkpoint *c)
{
    return wait_until(c, is_idle);
}

static rpt_status_t tell(struct rpt_checkpoint *c)
{
    struct rpt_reader reader = rpt__reader(c->save.error.data,
                                           c->save.error.bytes);

    if (c->save.is_told) {
        return RPT_OK;
    }
    c->save.is_told = true;
    rpt__error_unpack(&reader);
    return c->save.result;
}

rpt_status_t rpt__checkpoint_wait(struct rpt_checkpoint *c)
{
    rpt_status_t status;

    rpt__engine_lock(c->engine);
    status = wait_until(c, has_ended);
    if (status == RPT_OK) {
        status = tell(c);
    }
    rpt__engine_unlock(c->engine);
    return status;
}

rpt_status_t rpt__checkpoint_test(struct rpt_checkpoint *c)
{
    rpt_status_t status;

    rpt__engine_lock(c->engine);
    if (!has_ended(c)) {
        rpt__engine_poll(c->engine);
    }
    status = has_ended(c) ? tell(c) : RPT_PENDING;
    rpt__engine_unlock(c->engine);
    return status;
}
