/*
 * open.c - a task's folder of checkpoints is opened by all ranks, for one job
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/collective.h"
#include "io/checkpoint/due.h"
#include "io/checkpoint/talk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_open";

enum { TASK_BYTES_MAX = 100 };

int rpt__checkpoint_choice(const struct rpt_checkpoint *c,
                           enum rpt_option option, const char *const names[])
{
    const char *text = rpt__option_text(c->options, option);
    struct rpt_buf list = RPT_BUF_EMPTY;

    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    rpt__fail(RPT_ERR_INVALID, "%s=%s", rpt__option_name(option), text);
    for (int i = 0; names[i] != NULL; i++) {
        rpt__buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    rpt__fail_hint("it is one of: %s", list.data != NULL ? list.data : "");
    rpt__buf_free(&list);
    return -1;
}

static const char *host_of(const struct rpt_checkpoint *c)
{
    return rpt__map_host_of(rpt__comm_map(c->comm), rpt__comm_rank(c->comm));
}

/* ---- what rank 0 does ---- */

static rpt_status_t look_around(struct rpt_checkpoint *c)
{
    struct rpt_found *found = NULL;
    struct rpt_history history;
    size_t n = 0;
    rpt_status_t status = rpt__commit_leftovers(&c->dir);

    if (status == RPT_OK) {
        status = rpt__find_all(&c->dir, &found, &n);
    }
    if (status == RPT_OK) {
        status = rpt__history_read(&c->dir, false, &history);
    }
    if (status == RPT_OK) {
        c->has_newest = n > 0;
        c->newest = n > 0 ? found[0].iteration : 0;
        c->verified = history.last_verified;
        c->timing.run_s = history.run_s;
        c->timing.n_failures = history.n_failures;
    }
    free(found);
    return status;
}

static uint64_t events_bytes(const struct rpt_checkpoint *c)
{
    return rpt__option_size(c->options, RPT_OPT_IO_CHECKPOINT_EVENTS_BYTES);
}

static rpt_status_t prepare(struct rpt_checkpoint *c, const char *directory)
{
    rpt_status_t status = rpt__dir_make_path(directory);

    if (status == RPT_OK) {
        status = rpt__dir_open_path(directory, &c->top);
    }
    if (status == RPT_OK) {
        status = rpt__dir_check_top(&c->top);
    }
    if (status == RPT_OK) {
        status = rpt__dir_make(&c->top, c->task, true);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open(&c->top, c->task, &c->dir);
    }
    if (status == RPT_OK) {
        status = rpt__dir_check(&c->dir, -1);
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(&c->top);
    }
    if (status == RPT_OK) {
        status = rpt__lock_take(&c->top, c->task, &c->dir, host_of(c),
                                &c->lock_fd);
        if (status == RPT_PENDING || status == RPT_END) {
            status = rpt_last_error()->status;
        }
    }
    if (status == RPT_OK) {
        status = look_around(c);
    }
    if (status == RPT_OK) {
        rpt__history_shorten(&c->dir, events_bytes(c));
        rpt__due_warn(c);
    }
    return status;
}

/* ---- what all do ---- */

const char *rpt__task_check(const char *task)
{
    size_t bytes = strlen(task);

    if (bytes == 0 || bytes > TASK_BYTES_MAX || task[0] == '.') {
        return "the name of a task has 1 to 100 characters, and does not "
               "begin with a dot";
    }
    if (strcmp(task, "HALT") == 0) {
        return "HALT is the name of the file that stops the jobs of the "
               "directory";
    }
    for (size_t i = 0; i < bytes; i++) {
        if (!isalnum((unsigned char)task[i]) &&
            strchr("._-+", task[i]) == NULL) {
            return "the name of a task has letters, digits, '.', '_', '-' "
                   "and '+' only";
        }
    }
    return NULL;
}

static rpt_status_t check_names(const char *directory, const char *task)
{
    const char *why = rpt__task_check(task);

    if (why == NULL && directory[0] == '\0') {
        why = "the directory has no name";
    }
    if (why == NULL) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_INVALID, "%s: task \"%s\" in directory \"%s\"", call,
              task, directory);
    rpt__fail_why("%s", why);
    return RPT_ERR_INVALID;
}

/* Names and options are the same everywhere. */
static rpt_status_t compare(struct rpt_checkpoint *c, const char *directory)
{
    uint64_t mine[2], *all = calloc((size_t)c->size, sizeof mine);
    rpt_status_t status = all != NULL ? check_names(directory, c->task)
                                      : rpt__fail_nomem(sizeof mine);

    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        mine[0] = rpt__hash64(directory, strlen(directory), 0) ^
                  rpt__hash64(c->task, strlen(c->task), 1);
        mine[1] = rpt__options_hash(c->options, RPT_OPT_IO_CHECKPOINT_EVERY,
                                    RPT_OPT_IO_CHECKPOINT_DEADLINE_S);
        status = rpt__talk_all(c->group, call, mine, sizeof mine, all);
    }
    for (int r = 0; status == RPT_OK && r < c->size; r++) {
        bool same_names = all[2 * r] == all[0], same = all[2 * r + 1] == all[1];

        if (!same_names || !same) {
            rpt__fail(RPT_ERR_MISMATCH, "%s: ranks 0 and %d gave different %s",
                      call, r,
                      same_names ? "options of io.checkpoint"
                                 : "directories or tasks");
            rpt__fail_hint("give the same on all ranks");
            status = RPT_ERR_MISMATCH;
        }
    }
    free(all);
    return status;
}

static rpt_status_t open_folders(struct rpt_checkpoint *c,
                                 const char *directory)
{
    rpt_status_t status = RPT_OK;

    if (c->rank == 0) {
        status = prepare(c, directory);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK && c->rank > 0) {
        status = rpt__dir_open_path(directory, &c->top);
        if (status == RPT_OK) {
            status = rpt__dir_open(&c->top, c->task, &c->dir);
        }
        if (status == RPT_ERR_NOT_FOUND) {
            rpt__fail(RPT_ERR_IO, "%s does not reach %s/%s", call, directory,
                      c->task);
            rpt__fail_why("rank 0 has made that folder, this rank does not "
                          "see it");
            rpt__fail_hint("choose a directory that all nodes share");
            status = RPT_ERR_IO;
        }
    }
    return rpt__talk_agree(c->group, call, status);
}

static rpt_status_t make(struct rpt_checkpoint *c, const char *directory)
{
    const char *signals = rpt__option_text(c->options,
                                           RPT_OPT_IO_CHECKPOINT_SIGNALS);
    rpt_status_t status = compare(c, directory);

    if (status == RPT_OK) {
        status = open_folders(c, directory);
    }
    c->dir.is_lax = !rpt__option_switch(c->options, RPT_OPT_IO_CHECKPOINT_SYNC);
    if (status == RPT_OK) {
        status = rpt__saver_create(
            c->engine, rpt__comm_rank(c->comm), rpt__comm_size(c->comm),
            rpt__map_host_of(rpt__comm_map(c->comm), rpt__comm_rank(c->comm)),
            (int)rpt__option_integer(c->options, RPT_OPT_IO_CHECKPOINT_NICE),
            &c->saver);
        if (status == RPT_OK) {
            status = rpt__signals_note(signals);
            c->notes_signals = status == RPT_OK;
        }
        status = rpt__talk_agree(c->group, call, status);
    }
    if (status == RPT_OK) {
        status = rpt__level_open(c);
    }
    /* Not before: what cannot be opened is no job that has failed. */
    if (status == RPT_OK && c->rank == 0) {
        rpt__event_add_open(&c->dir, c->newest, host_of(c));
    }
    return status;
}

/* Not collective: what can be made without the others. */
static rpt_status_t allocate(struct rpt_group *group, const char *task,
                             const rpt_options_t *options,
                             struct rpt_checkpoint **out)
{
    struct rpt_checkpoint *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return rpt__fail_nomem(sizeof *c);
    }
    c->comm = rpt__group_comm(group);
    c->engine = rpt__comm_engine(c->comm);
    c->options = rpt__comm_options(c->comm);
    c->top = c->dir = c->save.dir = (struct rpt_dir)RPT_DIR_CLOSED;
    c->lock_fd = c->save.target.state_fd = c->save.target.blocks_fd = -1;
    c->task = strdup(task);
    c->size = rpt__group_size(group);
    c->rank = rpt__group_rank(group);
    c->save.is_down = calloc((size_t)c->size, sizeof(bool));
    c->save.is_told = true;
    c->stats.size = sizeof c->stats;
    c->timing.opened_s = c->timing.last_s = rpt__now_s();
    c->poller = (struct rpt_poller){ "checkpoint", rpt__save_poll,
                                     rpt__save_next_s, NULL };
    *out = c;
    if (c->task == NULL || c->save.is_down == NULL) {
        return rpt__fail_nomem(strlen(task) + (size_t)c->size);
    }
    if (options != NULL) {
        rpt_status_t status = rpt__options_copy(options, &c->own_options);

        if (status != RPT_OK) {
            return status; /* the context's are there to be looked at */
        }
        c->options = c->own_options;
    }
    return rpt__checkpoint_choices(c);
}

static void release(struct rpt_checkpoint *c)
{
    if (c == NULL) {
        return;
    }
    rpt__saver_destroy(c->saver);
    if (c->notes_signals) {
        rpt__signals_forget(
            rpt__option_text(c->options, RPT_OPT_IO_CHECKPOINT_SIGNALS));
    }
    rpt__lock_give(c->lock_fd);
    rpt__workdir_close(&c->save); /* of a save that did not end */
    rpt__dir_close(&c->dir);
    rpt__dir_close(&c->top);
    rpt__level_free(c);
    rpt__routes_clear(&c->routes);
    rpt__manifest_free(&c->restored_manifest);
    rpt__items_free(&c->items);
    rpt__file_layout_free(&c->layout);
    rpt__stream_free(&c->stream);
    rpt__ferries_destroy(c->ferries);
    rpt__recycle_free(c);
    rpt__buf_free(&c->save.error);
    rpt__buf_free(&c->save.draft);
    free(c->save.is_down);
    free(c->task);
    rpt_options_destroy(c->own_options);
    free(c);
}

static void enlist(struct rpt_checkpoint *c)
{
    struct rpt_checkpoint **list = (struct rpt_checkpoint **)
        rpt__comm_checkpoints(c->comm);

    rpt__engine_lock(c->engine);
    c->next = *list;
    *list = c;
    rpt__engine_add(c->engine, &c->poller);
    rpt__engine_unlock(c->engine);
}

static void delist(struct rpt_checkpoint *c)
{
    struct rpt_checkpoint **at = (struct rpt_checkpoint **)
        rpt__comm_checkpoints(c->comm);

    while (*at != NULL && *at != c) {
        at = &(*at)->next;
    }
    if (*at == c) {
        *at = c->next;
        rpt__engine_remove(c->engine, &c->poller);
    }
}

/* Collective: our own group, and the first thing that it agrees on. */
static rpt_status_t join(struct rpt_group *group, struct rpt_checkpoint *c,
                         rpt_status_t own, struct rpt_group **group_out)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    struct rpt_group *part = NULL;
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__group_split(group, 0, rpt__group_rank(group), &part);
    if (status == RPT_OK && own == RPT_OK) {
        own = rpt__save_listen(rpt__group_comm(group));
    }
    rpt__engine_unlock(engine);
    if (status != RPT_OK) {
        return status;
    }
    *group_out = part;
    if (c != NULL) {
        c->group = part;
        rpt__group_be_patient(
            part,
            rpt__option_seconds(c->options, RPT_OPT_IO_CHECKPOINT_DEADLINE_S));
    }
    return rpt__talk_agree(part, call, own);
}

rpt_status_t rpt__checkpoint_open(struct rpt_group *group,
                                  const char *directory, const char *task,
                                  const rpt_options_t *options,
                                  struct rpt_checkpoint **checkpoint_out)
{
    struct rpt_checkpoint *c = NULL;
    struct rpt_group *part = NULL;
    rpt_status_t status = allocate(group, task, options, &c);
    sigset_t before;

    rpt__dir_begin(&before);
    status = join(group, c, status, &part);
    if (status == RPT_OK) {
        status = make(c, directory);
    }
    rpt__dir_end(&before);
    if (status != RPT_OK) {
        release(c);
        rpt__engine_lock(rpt__comm_engine(rpt__group_comm(group)));
        rpt__group_destroy(part);
        rpt__engine_unlock(rpt__comm_engine(rpt__group_comm(group)));
        return status;
    }
    enlist(c);
    *checkpoint_out = c;
    return RPT_OK;
}

/* What led to this end; 0: nothing was restored, or whether this is a good end
 * is for a pool to say. */
static uint64_t restored_id(const struct rpt_checkpoint *c)
{
    return c->restored[0] != '\0' && c->tell == NULL ? c->restored_manifest.id
                                                     : 0;
}

/* What all did is over when all have come. */
void rpt__checkpoint_close(struct rpt_checkpoint *c)
{
    rpt__checkpoint_abandon(c);
    rpt__engine_lock(c->engine);
    rpt__save_settle(c);
    rpt__engine_unlock(c->engine);
    rpt__recycle_drop(c);
    rpt__talk_agree(c->group, "rpt_checkpoint_close", RPT_OK);
    rpt__collective_release(c);
    rpt__level_close(c);
    if (c->rank == 0) {
        rpt__event_add(&c->dir, "close", restored_id(c), c->newest,
                       rpt__now_s() - c->timing.opened_s);
    }
    rpt__engine_lock(c->engine);
    if (c->tell != NULL) {
        c->tell(c->tell_user, RPT_CHECKPOINT_CLOSED, 0, 0);
    }
    delist(c);
    rpt__group_destroy(c->group);
    rpt__engine_unlock(c->engine);
    release(c);
}

void rpt__checkpoint_tell(struct rpt_checkpoint *c, rpt_checkpoint_tell_fn fn,
                          void *user)
{
    rpt__engine_lock(c->engine);
    c->tell = fn;
    c->tell_user = user;
    rpt__engine_unlock(c->engine);
}

struct rpt_items *rpt__checkpoint_items(struct rpt_checkpoint *c)
{
    return &c->items;
}

rpt_checkpoint_stats_t rpt__checkpoint_stats(const struct rpt_checkpoint *c)
{
    rpt_checkpoint_stats_t stats;

    rpt__engine_lock(c->engine);
    stats = c->stats;
    rpt__engine_unlock(c->engine);
    return stats;
}
