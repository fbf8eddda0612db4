/*
 * state.c - looks into the state directory of a job, read only
 */
#include "pool/state_priv.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rpt_known_task *rpt__state_find(const struct rpt_state *state,
                                       const void *data, size_t bytes)
{
    struct rpt_digest key;

    if (bytes < sizeof key) {
        return NULL;
    }
    memcpy(&key, data, sizeof key);
    return rpt__table_get(&state->by_key, key);
}

/* Submitted again, by a later job: a number may be another one there. */
static rpt_status_t rename_task(struct rpt_known_task *task, const char *id,
                                uint64_t epoch)
{
    char *copy = strdup(id);

    if (copy == NULL) {
        return rpt__fail_nomem(strlen(id));
    }
    free(task->id);
    task->shown.id = task->id = copy;
    task->epoch = epoch;
    return RPT_OK;
}

static rpt_status_t add_task(struct rpt_state *state, uint64_t epoch,
                             const void *data, size_t bytes)
{
    struct rpt_submit_record record;
    struct rpt_reader reader;
    struct rpt_known_task *task = rpt__state_find(state, data, bytes);
    const char *id;

    if (bytes < sizeof record) {
        return RPT_OK;
    }
    memcpy(&record, data, sizeof record);
    reader = rpt__reader((const char *)data + sizeof record,
                         bytes - sizeof record);
    id = rpt__read_str(&reader);
    if (task != NULL) {
        return id != NULL && epoch > task->epoch ? rename_task(task, id, epoch)
                                                 : RPT_OK;
    }
    if (state->n == state->capacity) {
        size_t capacity = state->capacity > 0 ? 2 * state->capacity : 256;
        struct rpt_known_task **tasks = realloc(state->tasks,
                                                capacity * sizeof *tasks);

        if (tasks == NULL) {
            return rpt__fail_nomem(capacity * sizeof *tasks);
        }
        state->tasks = tasks;
        state->capacity = capacity;
    }
    task = calloc(1, sizeof *task);
    if (task == NULL || (task->id = strdup(id != NULL ? id : "?")) == NULL ||
        rpt__table_put(&state->by_key, record.key, task) != RPT_OK) {
        if (task != NULL) {
            free(task->id);
        }
        free(task);
        return rpt__fail_nomem(sizeof *task);
    }
    task->epoch = epoch;
    task->has_number = (record.work.high | record.work.low) != 0;
    task->shown = (rpt_state_task_t){ .size = sizeof task->shown,
                                      .id = task->id,
                                      .status = "queued",
                                      .exit_code = -1,
                                      .rank = -1,
                                      .host = "" };
    state->tasks[state->n++] = task;
    return RPT_OK;
}

static rpt_status_t set_host(struct rpt_known_task *task, const char *host)
{
    char *copy = strdup(host != NULL ? host : "");

    if (copy == NULL) {
        return rpt__fail_nomem(1);
    }
    free(task->host);
    task->shown.host = task->host = copy;
    return RPT_OK;
}

static rpt_status_t note_start(struct rpt_state *state, uint64_t epoch,
                               const void *data, size_t bytes)
{
    struct rpt_start_record record;
    struct rpt_known_task *task = rpt__state_find(state, data, bytes);
    struct rpt_reader reader;

    if (task == NULL || task->has_end || bytes < sizeof record) {
        return RPT_OK;
    }
    memcpy(&record, data, sizeof record);
    reader = rpt__reader((const char *)data + sizeof record,
                         bytes - sizeof record);
    /* What ran in a job that is gone is queued again. */
    task->shown.status = state->job_runs && epoch == state->last_epoch
                             ? "running"
                             : "queued";
    task->shown.attempts = record.attempt;
    task->shown.rank = record.rank;
    task->shown.start_time = record.time;
    return set_host(task, rpt__read_str(&reader));
}

static void show_end(struct rpt_known_task *task, const struct rpt_end *end)
{
    task->has_end = true;
    task->outcome = end->outcome;
    task->shown.status = rpt_outcome_name(end->outcome);
    task->shown.exit_code = end->exit_code;
    task->shown.signal = end->signal;
    task->shown.duration_s = end->duration_s;
    task->shown.checkpoints = end->checkpoints;
    task->shown.resumed_iteration = end->restored;
    task->shown.wasted_s = end->wasted_s;
}

/* The end of the task, or of an attempt: then it waits for the next one. */
static rpt_status_t note_end(struct rpt_state *state, uint32_t type,
                             const void *data, size_t bytes)
{
    struct rpt_known_task *task = rpt__state_find(state, data, bytes);
    struct rpt_reader reader;
    struct rpt_end end;

    if (task == NULL) {
        return RPT_OK;
    }
    reader = rpt__reader((const char *)data + sizeof(struct rpt_digest),
                         bytes - sizeof(struct rpt_digest));
    if (!rpt__attempt_unpack(&reader, &end) ||
        (task->has_end &&
         (type == RPT_RECORD_ATTEMPT || !rpt__end_replaces(task->outcome)))) {
        return RPT_OK;
    }
    if (type == RPT_RECORD_END) {
        show_end(task, &end);
    } else {
        task->shown.status = "queued";
    }
    task->shown.attempts = end.attempts;
    task->shown.rank = end.rank;
    task->shown.start_time = end.start_time;
    return set_host(task, end.host);
}

static rpt_status_t read_record(void *user, uint64_t epoch, int writer,
                                uint32_t type, const void *data, size_t bytes)
{
    struct rpt_state *state = user;

    (void)writer;
    switch (type) {
    case RPT_RECORD_SUBMIT:
        return add_task(state, epoch, data, bytes);
    case RPT_RECORD_START:
        return note_start(state, epoch, data, bytes);
    case RPT_RECORD_ATTEMPT:
    case RPT_RECORD_END:
        return note_end(state, type, data, bytes);
    default:
        return RPT_OK;
    }
}

/* "7@2": the number 7 of job 2, for what the last job did not submit. */
static rpt_status_t mark_old_numbers(struct rpt_state *state)
{
    for (size_t i = 0; i < state->n; i++) {
        struct rpt_known_task *task = state->tasks[i];
        char *id;

        if (!task->has_number || task->epoch == state->last_epoch) {
            continue;
        }
        if (asprintf(&id, "%s@%llu", task->id,
                     (unsigned long long)task->epoch) < 0) {
            return rpt__fail_nomem(strlen(task->id));
        }
        free(task->id);
        task->shown.id = task->id = id;
    }
    return RPT_OK;
}

static void sum_up(struct rpt_state *state)
{
    rpt_state_summary_t *s = &state->summary;

    s->n_tasks = state->n;
    for (size_t i = 0; i < state->n; i++) {
        const struct rpt_known_task *task = state->tasks[i];

        s->checkpoints += task->shown.checkpoints;
        s->wasted_s += task->shown.wasted_s;
        if (task->has_end) {
            s->by_outcome[task->outcome]++;
        } else if (strcmp(task->shown.status, "running") == 0) {
            s->n_running++;
        } else {
            s->n_queued++;
        }
    }
}

static rpt_status_t read_state(const char *directory, rpt_state_t **state_out)
{
    struct rpt_statedir_info info;
    struct rpt_state *state;
    rpt_status_t status = rpt__statedir_info(directory, &info);

    if (status != RPT_OK) {
        return status;
    }
    state = calloc(1, sizeof *state);
    if (state == NULL) {
        return rpt__fail_nomem(sizeof *state);
    }
    state->directory = strdup(directory);
    if (state->directory == NULL) {
        free(state);
        return rpt__fail_nomem(strlen(directory) + 1);
    }
    state->job_runs = info.running;
    state->last_epoch = info.epoch;
    memcpy(state->host, info.host, sizeof state->host);
    state->summary.size = sizeof state->summary;
    state->summary.running = info.running;
    state->summary.host = state->host;
    state->summary.pid = info.pid;
    state->summary.epoch = info.epoch;
    status = rpt__journal_replay(directory, UINT64_MAX, read_record, state);
    if (status == RPT_OK) {
        status = mark_old_numbers(state);
    }
    if (status != RPT_OK) {
        rpt_state_close(state);
        return status;
    }
    sum_up(state);
    *state_out = state;
    return RPT_OK;
}

rpt_status_t rpt_state_open(const char *directory, rpt_state_t **state_out)
{
    rpt_status_t status = RPT_ERR_BUSY;

    if (directory == NULL || state_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_state_open: NULL argument");
    }
    /* Busy: a job that has just begun compacted the files meanwhile. */
    for (int i = 0; status == RPT_ERR_BUSY && i < 10; i++) {
        status = read_state(directory, state_out);
    }
    return status;
}

const rpt_state_summary_t *rpt_state_summary(const rpt_state_t *state)
{
    return state != NULL ? &state->summary : NULL;
}

rpt_status_t rpt_state_task(const rpt_state_t *state, size_t index,
                            const rpt_state_task_t **task_out)
{
    if (state == NULL || task_out == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_state_task: NULL argument");
    }
    if (index >= state->n) {
        return RPT_END;
    }
    *task_out = &state->tasks[index]->shown;
    return RPT_OK;
}

void rpt_state_close(rpt_state_t *state)
{
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; i < state->n; i++) {
        free(state->tasks[i]->id);
        free(state->tasks[i]->host);
        free(state->tasks[i]);
    }
    free(state->tasks);
    free(state->directory);
    rpt__attempts_free(state->attempts);
    rpt__table_free(&state->by_key, NULL);
    free(state);
}

/* ---- requests ---- */

rpt_status_t rpt_state_request(const char *directory, const char *kind,
                               const char *text, size_t bytes)
{
    struct rpt_statedir_info info;
    rpt_status_t status;

    if (directory == NULL || kind == NULL || (text == NULL && bytes > 0)) {
        return rpt__fail(RPT_ERR_INVALID, "rpt_state_request: NULL argument");
    }
    if (strcmp(kind, "submit") != 0 && strcmp(kind, "cancel") != 0) {
        return rpt__fail(RPT_ERR_INVALID,
                         "there is no request \"%s\": submit or cancel", kind);
    }
    status = rpt__statedir_info(directory, &info);
    if (status != RPT_OK) {
        return status;
    }
    if (!info.running) {
        rpt__fail(RPT_ERR_STATE, "no job runs on %s", directory);
        rpt__fail_why("nobody holds its lock");
        rpt__fail_hint("start it again with the command that made it, or add "
                       "the tasks to its file");
        return RPT_ERR_STATE;
    }
    return rpt__statedir_request(directory, kind, text, bytes, info.epoch);
}

rpt_status_t rpt_state_close_requests(const char *directory, uint64_t number)
{
    struct rpt_statedir_info info;
    rpt_status_t status;

    if (directory == NULL || number == 0) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_state_close_requests: bad argument");
    }
    status = rpt__statedir_info(directory, &info);
    return status == RPT_OK
               ? rpt__statedir_close_requests(directory, number, info.epoch)
               : status;
}

rpt_status_t rpt_state_read_request(const char *directory, uint64_t number,
                                    char **kind_out, char **text_out,
                                    size_t *bytes_out)
{
    if (directory == NULL || kind_out == NULL || text_out == NULL ||
        bytes_out == NULL || number == 0) {
        return rpt__fail(RPT_ERR_INVALID,
                         "rpt_state_read_request: bad argument");
    }
    return rpt__statedir_read_request(directory, number, kind_out, text_out,
                                      bytes_out);
}
