/*
 * saving.c - tasks with checkpoints: functions save themselves
 *
 * All in the function's own thread, without the engine's lock and without MPI
 * (io/checkpoint/solo.h), so that it works wherever a function runs.  The
 * folder is opened when the function first asks, and closed when it returns:
 * so long no other attempt can write there.  A gang gets a checkpoint over its
 * group instead, and tells here what it has committed.
 */
#include "pool/saving_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/plain.h"
#include "io/checkpoint/due.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

rpt_status_t rpt__saving_signal(struct rpt_pool *pool)
{
    const char *name = rpt__option_text(rpt__comm_options(pool->comm),
                                        RPT_OPT_POOL_CHECKPOINT_SIGNAL);

    pool->checkpoint_signal = rpt__signal_number(name);
    if (pool->checkpoint_signal == 0 && strcmp(name, "none") != 0) {
        rpt__fail(RPT_ERR_PARSE,
                  "option pool.checkpoint_signal cannot be \"%s\"", name);
        rpt__fail_hint("give USR1, USR2, HUP, INT, TERM, XCPU or none");
        return RPT_ERR_PARSE;
    }
    return RPT_OK;
}

/* ---- names ---- */

enum { SAFE_BYTES = 80, GANG_LOOKS = 20 };

static bool is_safe(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("._-+", c));
}

/* What had to be changed is told apart by a hash of the whole.  HALT is the
 * file that stops jobs. */
static void make_safe(const char *id, size_t bytes,
                      char name[RPT_SAVING_NAME_BYTES])
{
    bool same = bytes <= SAFE_BYTES && id[0] != '.' &&
                !(bytes == 4 && memcmp(id, "HALT", 4) == 0);
    size_t n = bytes < SAFE_BYTES ? bytes : SAFE_BYTES;

    for (size_t i = 0; i < n; i++) {
        bool safe = is_safe(id[i]) && (i > 0 || id[i] != '.');

        name[i] = safe ? id[i] : '_';
        same = same && safe;
    }
    name[n] = '\0';
    if (!same) {
        snprintf(name + n, RPT_SAVING_NAME_BYTES - n, "-%016llx",
                 (unsigned long long)rpt__hash64(id, bytes, 0));
    }
}

void rpt__saving_name(const struct rpt_spec *spec, size_t spec_bytes,
                      int owner_rank, uint64_t number,
                      char name_out[RPT_SAVING_NAME_BYTES])
{
    if (spec->n_id > 0) {
        make_safe((const char *)spec + spec_bytes - spec->n_id, spec->n_id,
                  name_out);
        return;
    }
    snprintf(name_out, RPT_SAVING_NAME_BYTES, "task-%d-%llu-%016llx",
             owner_rank, (unsigned long long)number,
             (unsigned long long)spec->work);
}

void rpt__saving_item_name(const struct rpt_item *item,
                           char name_out[RPT_SAVING_NAME_BYTES])
{
    rpt__saving_name(item->spec, item->spec_bytes, item->owner, item->number,
                     name_out);
}

/* ---- of an item ---- */

rpt_status_t rpt__saving_make(struct rpt_item *item)
{
    item->saved = calloc(1, sizeof *item->saved);
    return item->saved != NULL ? RPT_OK : rpt__fail_nomem(sizeof *item->saved);
}

static void close_solo(struct rpt_saved *saved)
{
    rpt__solo_close(saved->solo);
    saved->solo = NULL;
}

void rpt__saving_free(struct rpt_item *item)
{
    if (item->saved != NULL) {
        close_solo(item->saved);
        rpt__buf_free(&item->saved->state);
        free(item->saved);
        item->saved = NULL;
    }
}

void rpt__saving_end(struct rpt_item *item)
{
    close_solo(item->saved);
    if (item->saved->group != NULL) {
        rpt__log(RPT_LOG_WARN, "function \"%s\" has not closed its checkpoint",
                 item->function->name);
        rpt__checkpoint_tell(item->saved->group, NULL, NULL);
    }
}

void rpt__saving_hurry(struct rpt_pool *pool)
{
    struct rpt_item *item;

    TAILQ_FOREACH (item, &pool->worker.running, link) {
        atomic_store(&item->call.hurry, 1);
    }
}

static double start_of(const struct rpt_item *item)
{
    return item->saved != NULL && item->saved->begun_s > 0
               ? item->saved->begun_s
               : item->start_s;
}

void rpt__saving_count(const struct rpt_item *item, struct rpt_end *end)
{
    const struct rpt_saved *saved = item->saved;
    double began_s = start_of(item);
    double ended_s = end->duration_s > 0 ? began_s + end->duration_s
                                         : rpt__now_s();

    if (saved != NULL) {
        end->checkpoints = saved->n_commits;
        end->restored = saved->iteration;
        began_s = saved->commit_s > began_s ? saved->commit_s : began_s;
    }
    if (item->ran && end->outcome != RPT_OUTCOME_OK && ended_s > began_s) {
        end->wasted_s = ended_s - began_s;
    }
}

/* ---- opening ---- */

static void look_again_later(double seconds)
{
    struct timespec pause = { 0, (long)(1e9 * seconds) };

    nanosleep(&pause, NULL);
}

/* The attempt before may still be on its way out, in a job that was killed: a
 * lock of a file has no bell. */
static rpt_status_t open_patiently(const struct rpt_item *item)
{
    struct rpt_pool *pool = item->pool;
    char name[RPT_SAVING_NAME_BYTES];
    double limit_s = rpt__now_s() + RPT_SAVING_WAIT_S;
    rpt_status_t status;

    rpt__saving_item_name(item, name);
    for (;;) {
        status = rpt__solo_open(pool->checkpoint_dir, name,
                                rpt__comm_options(pool->comm),
                                rpt__map_host_of(rpt__comm_map(pool->comm),
                                                 rpt__comm_rank(pool->comm)),
                                &item->saved->solo);
        if (status != RPT_ERR_BUSY || rpt__now_s() > limit_s ||
            rpt_call_cancelled(&item->call)) {
            return status;
        }
        look_again_later(RPT_SAVING_LOOK_S);
    }
}

static rpt_status_t open_and_restore(struct rpt_saved *saved,
                                     const struct rpt_item *item)
{
    rpt_status_t status = open_patiently(item);

    if (status == RPT_OK) {
        status = rpt__solo_restore(saved->solo, &saved->iteration);
        if (status == RPT_END) {
            return RPT_OK;
        }
    }
    if (status == RPT_OK) {
        status = rpt__solo_read(saved->solo, &saved->state);
    }
    saved->has_state = status == RPT_OK;
    return status;
}

static rpt_status_t no_checkpoints(const char *function, const char *why,
                                   const char *hint)
{
    rpt__fail(RPT_ERR_STATE, "%s: this task has no checkpoints", function);
    rpt__fail_why("%s", why);
    rpt__fail_hint("%s", hint);
    return RPT_ERR_STATE;
}

/* The open folder of a call. */
static rpt_status_t need_open(const char *function, rpt_call_t *call,
                              struct rpt_saved **saved_out)
{
    struct rpt_saved *saved = call->item->saved;

    if (saved == NULL) {
        return no_checkpoints(function, "it was not asked for any",
                              "submit it with rpt_task_set_checkpoint()");
    }
    if (call->item->kind == RPT_KIND_GANG) {
        return no_checkpoints(function, "it is a gang, which saves together",
                              "use rpt_call_checkpoint_open()");
    }
    if (!saved->is_open) {
        saved->is_open = true;
        saved->opened = open_and_restore(saved, call->item);
    } else if (saved->opened != RPT_OK) {
        rpt__fail(saved->opened,
                  "%s: the folder of the task's checkpoints "
                  "could not be opened",
                  function);
        rpt__fail_hint("the first call of this attempt told why");
    }
    *saved_out = saved;
    return saved->opened;
}

/* ---- what a function calls ---- */

rpt_status_t rpt_call_checkpoint_restore(rpt_call_t *call,
                                         uint64_t *iteration_out,
                                         const void **data_out,
                                         size_t *bytes_out)
{
    struct rpt_saved *saved;
    rpt_status_t status;

    if (call == NULL || iteration_out == NULL || data_out == NULL ||
        bytes_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_call_checkpoint_restore: NULL argument");
    }
    if (call->item->saved == NULL) {
        return RPT_END;
    }
    status = need_open("rpt_call_checkpoint_restore", call, &saved);
    if (status != RPT_OK) {
        return status;
    }
    if (!saved->has_state) {
        return RPT_END;
    }
    *iteration_out = saved->iteration;
    *data_out = saved->state.data;
    *bytes_out = saved->state.bytes;
    return RPT_OK;
}

uint64_t rpt_call_checkpoint_iteration(rpt_call_t *call)
{
    const struct rpt_item *item = call != NULL ? call->item : NULL;
    struct rpt_saved *saved = item != NULL ? item->saved : NULL;
    uint64_t iteration = 0;

    if (saved == NULL) {
        return 0;
    }
    if (item->kind != RPT_KIND_GANG) {
        return need_open("rpt_call_checkpoint_iteration", call, &saved) ==
                       RPT_OK
                   ? saved->iteration
                   : 0;
    }
    rpt__engine_lock(item->pool->engine);
    iteration = saved->iteration;
    rpt__engine_unlock(item->pool->engine);
    return iteration;
}

static bool hurries(const rpt_call_t *call)
{
    rpt_call_t *c = (rpt_call_t *)(uintptr_t)call;

    return atomic_load_explicit(&c->hurry, memory_order_relaxed) != 0 ||
           rpt_call_cancelled(call);
}

int rpt_call_checkpoint_due(const rpt_call_t *call)
{
    const struct rpt_item *item = call != NULL ? call->item : NULL;
    const struct rpt_saved *saved = item != NULL ? item->saved : NULL;

    if (saved == NULL || item->kind == RPT_KIND_GANG) {
        return 0;
    }
    if (!saved->hurried && hurries(call)) {
        return 1;
    }
    return rpt__now_s() >=
           (saved->last_s > 0 ? saved->last_s : start_of(item)) +
               item->spec->checkpoint_s;
}

/* What was tried last is over: its time, and how it went. */
static rpt_status_t note(struct rpt_saved *saved, const struct rpt_item *item,
                         uint64_t iteration, rpt_status_t status)
{
    char name[RPT_SAVING_NAME_BYTES];

    saved->last_s = rpt__now_s();
    if (status == RPT_OK) {
        saved->n_commits++;
        saved->commit_s = saved->last_s;
        return RPT_OK;
    }
    rpt__saving_item_name(item, name);
    rpt__log(RPT_LOG_WARN,
             "task %s: the checkpoint of iteration %llu was not written: %s "
             "(%s)",
             name, (unsigned long long)iteration, rpt_last_error()->what,
             rpt_last_error()->why);
    return status;
}

rpt_status_t rpt_call_checkpoint_save(rpt_call_t *call, uint64_t iteration,
                                      const void *data, size_t bytes)
{
    struct rpt_saved *saved;
    rpt_status_t status;
    bool hurry;

    if (call == NULL || (data == NULL && bytes > 0)) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_call_checkpoint_save: NULL argument");
    }
    hurry = hurries(call);
    status = need_open("rpt_call_checkpoint_save", call, &saved);
    if (status != RPT_OK) {
        return status;
    }
    saved->hurried = hurry;
    status = rpt__solo_save(saved->solo, iteration, data, bytes);
    return note(saved, call->item, iteration, status);
}

rpt_status_t rpt_call_set_checkpoint(rpt_call_t *call,
                                     rpt_call_measure_fn measure,
                                     rpt_call_pack_fn pack,
                                     rpt_call_unpack_fn unpack, void *user)
{
    struct rpt_saved *saved;
    rpt_status_t status;

    if (call == NULL || measure == NULL || pack == NULL || unpack == NULL) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_call_set_checkpoint: NULL argument");
    }
    if (call->item->saved == NULL) {
        return RPT_OK;
    }
    status = need_open("rpt_call_set_checkpoint", call, &saved);
    if (status != RPT_OK) {
        return status;
    }
    saved->measure = measure;
    saved->pack = pack;
    saved->user = user;
    return saved->has_state
               ? unpack(user, saved->state.data, saved->state.bytes)
               : RPT_OK;
}

static rpt_status_t refused(const char *what, rpt_status_t status)
{
    rpt__fail(status, "the state of the task was not %s", what);
    rpt__fail_why("its function returned %s", rpt_status_name(status));
    return status;
}

static rpt_status_t pack_and_save(struct rpt_saved *saved, uint64_t iteration)
{
    uint64_t bytes = 0;
    char *data;
    rpt_status_t status = saved->measure(saved->user, &bytes);

    if (status != RPT_OK) {
        return refused("measured", status);
    }
    data = bytes < SIZE_MAX ? malloc((size_t)bytes + 1) : NULL;
    if (data == NULL) {
        return rpt__fail_nomem((size_t)bytes);
    }
    status = saved->pack(saved->user, data, bytes);
    status = status != RPT_OK
                 ? refused("packed", status)
                 : rpt__solo_save(saved->solo, iteration, data, (size_t)bytes);
    free(data);
    return status;
}

rpt_status_t rpt_call_checkpoint(rpt_call_t *call, uint64_t iteration)
{
    struct rpt_saved *saved;
    rpt_status_t status;

    if (call == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_call_checkpoint: call is NULL");
    }
    if (!rpt_call_checkpoint_due(call)) {
        return RPT_OK;
    }
    saved = call->item->saved;
    if (saved->is_open && saved->opened != RPT_OK) {
        return need_open("rpt_call_checkpoint", call, &saved);
    }
    if (saved->measure == NULL) {
        rpt__fail(RPT_ERR_STATE, "rpt_call_checkpoint: what is the state?");
        rpt__fail_hint("call rpt_call_set_checkpoint() first");
        return RPT_ERR_STATE;
    }
    saved->hurried = hurries(call);
    status = pack_and_save(saved, iteration);
    return note(saved, call->item, iteration, status);
}

/* ---- gangs ---- */

/* Under the lock. */
static void told(void *user, enum rpt_checkpoint_event event,
                 uint64_t iteration, double went_on_s)
{
    struct rpt_saved *saved = user;

    switch (event) {
    case RPT_CHECKPOINT_RESTORED:
        saved->iteration = iteration;
        break;
    case RPT_CHECKPOINT_COMMITTED:
        saved->n_commits++;
        saved->commit_s = went_on_s;
        break;
    case RPT_CHECKPOINT_CLOSED:
        saved->group = NULL;
        break;
    }
}

static rpt_status_t options_of(const struct rpt_item *item,
                               rpt_options_t **options_out)
{
    rpt_options_t *options = NULL;
    char seconds[32];
    rpt_status_t status = rpt__options_copy(rpt__comm_options(item->pool->comm),
                                            &options);

    if (status == RPT_OK) {
        rpt__plain_print(seconds, sizeof seconds, "%.9f",
                         item->spec->checkpoint_s);
        status = rpt_options_set(options, "io.checkpoint.interval_s", seconds);
    }
    /* The next attempt may be on other nodes, and who removes the folder of a
     * task that has succeeded does not know its nodes. */
    if (status == RPT_OK) {
        status = rpt_options_set(options, "io.checkpoint.local_dir", "");
    }
    if (status != RPT_OK) {
        rpt_options_destroy(options);
        return status;
    }
    *options_out = options;
    return RPT_OK;
}

/* As open_patiently(): all ranks are told the same, so they count looks; their
 * clocks would not agree on the last one. */
static rpt_status_t open_together(struct rpt_group *group,
                                  const struct rpt_item *item,
                                  const rpt_options_t *options,
                                  rpt_checkpoint_t **checkpoint_out)
{
    char name[RPT_SAVING_NAME_BYTES];
    rpt_status_t status;

    rpt__saving_item_name(item, name);
    for (int looks = 1;; looks++) {
        status = rpt__checkpoint_open(group, item->pool->checkpoint_dir, name,
                                      options, checkpoint_out);
        if (status != RPT_ERR_BUSY || looks > GANG_LOOKS) {
            return status;
        }
        look_again_later(RPT_SAVING_WAIT_S / GANG_LOOKS);
    }
}

rpt_status_t rpt_call_checkpoint_open(rpt_call_t *call,
                                      rpt_checkpoint_t **checkpoint_out)
{
    struct rpt_group *group;
    struct rpt_saved *saved;
    rpt_options_t *options = NULL;
    rpt_status_t status;

    if (call == NULL || checkpoint_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_call_checkpoint_open: NULL argument");
    }
    saved = call->item->saved;
    group = rpt__gang_group(call->item);
    if (saved == NULL) {
        return no_checkpoints("rpt_call_checkpoint_open",
                              "it was not asked for any",
                              "submit it with rpt_task_set_checkpoint()");
    }
    if (group == NULL) {
        return no_checkpoints("rpt_call_checkpoint_open", "it is no gang",
                              "use rpt_call_checkpoint_save()");
    }
    if (saved->group != NULL) {
        return rpt__fail(RPT_ERR_STATE, "rpt_call_checkpoint_open: it is open");
    }
    status = options_of(call->item, &options);
    if (status != RPT_OK) {
        return status;
    }
    status = open_together(group, call->item, options, checkpoint_out);
    rpt_options_destroy(options);
    if (status == RPT_OK) {
        saved->group = *checkpoint_out;
        rpt__checkpoint_tell(saved->group, told, saved);
    }
    return status;
}
