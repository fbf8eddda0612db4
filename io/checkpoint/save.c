/*
 * save.c - from the copy to the commit: the thread, and a few messages
 *
 *   every rank   thread: writes, syncs      -> "down", or why not, to rank 0
 *   rank 0       all down: thread: commits
 *                one has failed: thread: removes the folder
 *                                           -> "over", and how, to all
 *                thread: removes old ones, before it writes the next
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

/* Of the save with this id. */
static rpt_status_t send(struct rpt_checkpoint *c, uint64_t id, int rank,
                         rpt_status_t status, const struct rpt_buf *error)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    rpt_status_t sent;

    rpt__buf_u64(&bytes, rpt__group_number(c->group));
    rpt__buf_u64(&bytes, id);
    rpt__buf_u32(&bytes, c->rank == 0 ? OVER : DOWN);
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

/* The text of a failure is in save->error. */
static void is_over(struct rpt_checkpoint *c, rpt_status_t status)
{
    struct rpt_save *save = &c->save;

    save->phase = RPT_PHASE_IDLE;
    save->result = status;
    save->is_told = status >= 0;
    if (status < 0) {
        c->stats.n_failures++;
    } else {
        c->stats.n_saves++;
        c->stats.n_local += save->is_local;
        c->stats.bytes += save->times.bytes;
        if (!save->is_local) {
            rpt__recycle_note(c);
        }
        c->stats.write_s = save->times.write_s + save->times.sync_s +
                           save->times.hash_s + save->times.pack_s;
        c->stats.pack_s = save->times.pack_s;
        c->stats.hash_s = save->times.hash_s;
        c->stats.total_s = rpt__now_s() - save->began_s;
        c->newest = save->stamp.iteration;
        c->has_newest = true;
        c->wants_files = false;
        if (c->tell != NULL) {
            c->tell(c->tell_user, RPT_CHECKPOINT_COMMITTED, c->newest,
                    save->left_s > 0 ? save->left_s : rpt__now_s());
        }
    }
    c->timing.last_s = rpt__now_s();
    c->timing.last_iteration = save->stamp.iteration;
    rpt__level_note(c, status);
    rpt__save_leave(c, status);
    rpt__engine_tell(c->engine);
}

/* Rank 0 has said how it went.  It may have given up while this rank's thread
 * still writes: the next save waits for that, or two would be mixed. */
static void hear_over(struct rpt_checkpoint *c, rpt_status_t status,
                      const struct rpt_reader *error)
{
    struct rpt_save *save = &c->save;

    if (status < 0) {
        rpt__buf_clear(&save->error);
        rpt__buf_add(&save->error, error->next,
                     (size_t)(error->end - error->next));
    }
    if (save->phase == RPT_PHASE_WAIT) {
        is_over(c, status);
    } else {
        save->verdict = status;
    }
}

/* A rank is done with a save that rank 0 has given up, or could not begin. */
static void turn_away(struct rpt_checkpoint *c, uint64_t id, int rank)
{
    struct rpt_buf error = RPT_BUF_EMPTY;

    rpt__fail(RPT_ERR_TIMEOUT, "the save was given up by rank 0");
    rpt__fail_why("rank %d was done with its part too late", rank);
    rpt__fail_hint("look why that rank was late; checkpoints that were "
                   "committed before are intact");
    rpt__error_pack(&error);
    send(c, id, rank, RPT_ERR_TIMEOUT, &error);
    rpt__buf_free(&error);
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
    if (c == NULL || reader.failed || (kind == DOWN) != (c->rank == 0)) {
        return;
    }
    if (c->save.stamp.id == id && c->save.phase != RPT_PHASE_IDLE) {
        if (kind == DOWN) {
            is_down(c, (int)rank, status, &reader);
        } else {
            hear_over(c, status, &reader);
        }
    } else if (kind == DOWN && rank > 0 && rank < (uint32_t)c->size) {
        turn_away(c, id, (int)rank);
    }
}

rpt_status_t rpt__save_listen(struct rpt_comm *comm)
{
    rpt_status_t status = rpt__level_listen(comm);

    return status == RPT_OK
               ? rpt__comm_handle(comm, RPT_TAG_CHECKPOINT, came, comm)
               : status;
}

static double limit_of(const struct rpt_checkpoint *c)
{
    return rpt__option_seconds(c->options, RPT_OPT_IO_CHECKPOINT_DEADLINE_S);
}

double rpt__save_patience(const struct rpt_checkpoint *c)
{
    return 3 * limit_of(c);
}

/* ---- the steps ---- */

/* This rank's part is over, and perhaps all of it. */
static void report(struct rpt_checkpoint *c, rpt_status_t status,
                   const struct rpt_buf *error)
{
    rpt__workdir_close(&c->save);
    c->save.phase = RPT_PHASE_WAIT;
    if (c->rank == 0) {
        struct rpt_reader reader = rpt__reader(error->data, error->bytes);

        is_down(c, 0, status, &reader);
    } else if (c->save.verdict < 0) {
        is_over(c, c->save.verdict);
    } else {
        send(c, c->save.stamp.id, 0, status, error);
    }
}

void rpt__save_go(struct rpt_checkpoint *c, rpt_status_t own)
{
    struct rpt_save *save = &c->save;

    save->result = RPT_OK;
    save->is_told = true;
    if (own == RPT_OK && save->verdict == RPT_OK) {
        save->phase = RPT_PHASE_WRITE;
        rpt__saver_start(c->saver, rpt__save_write, c);
        return;
    }
    rpt__buf_clear(&save->draft);
    rpt__error_pack(&save->draft); /* it is not needed any more */
    rpt__level_drop_files(c);
    report(c, own, &save->draft);
    /* Perhaps all are down now: somebody must look, and may sleep. */
    rpt__engine_ring(c->engine);
}

/* Rank 0: all are down, or it has waited long enough. */
static void decide(struct rpt_checkpoint *c)
{
    c->save.phase = RPT_PHASE_COMMIT;
    rpt__saver_start(c->saver,
                     c->save.failure < 0 ? rpt__save_remove : rpt__save_commit,
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

    if (save->failure < 0) {
        status = save->failure;
        error = &save->error;
    } else if (status < 0) {
        rpt__buf_clear(&save->error);
        rpt__buf_add(&save->error, error->data, error->bytes);
    }
    for (int r = 1; r < c->size; r++) {
        send(c, save->stamp.id, r, status, error);
    }
    for (int r = 0; r < c->size; r++) {
        save->is_down[r] = false;
    }
    save->n_down = 0;
    save->failure = RPT_OK;
    is_over(c, status);
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
    /* Who waits for it may not be the one who polls. */
    if (save->has_rest && !rpt__saver_has_rest(c->saver)) {
        save->has_rest = false;
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

/* What was begun, and not saved yet, is waited for by nobody. */
static bool is_idle(void *arg)
{
    const struct rpt_checkpoint *c = arg;

    return c->save.phase == RPT_PHASE_IDLE || c->has_begun;
}

/* And the thread has removed old ones. */
static bool is_quiet(void *arg)
{
    const struct rpt_checkpoint *c = arg;

    return is_idle(arg) && !c->save.has_rest;
}

static rpt_status_t wait_until(struct rpt_checkpoint *c, bool (*test)(void *))
{
    double began_s = rpt__now_s();
    double limit_s = rpt__save_patience(c);
    rpt_status_t status;

    if (test(c)) {
        return RPT_OK;
    }
    status = rpt__comm_wait_long(c->comm, test, c, limit_s, began_s);
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

rpt_status_t rpt__save_settle(struct rpt_checkpoint *c)
{
    return wait_until(c, is_quiet);
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
    status = rpt__save_finish(c);
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
    if (!is_idle(c)) {
        rpt__engine_poll(c->engine);
    }
    status = is_idle(c) ? tell(c) : RPT_PENDING;
    rpt__engine_unlock(c->engine);
    return status;
}
