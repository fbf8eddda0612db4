/*
 * attempts.c - each time that a task was started, from the journal
 *
 * START says where and when, ATTEMPT how it went with one that was tried again
 * or stopped, END the same of the last one.  What ended before anybody could
 * say that it had begun has no START.  An END has the sums of all attempts of
 * its job: what the others had is taken off.  What a compaction left of older
 * jobs are ENDs, so only their last attempts are known.
 */
#include "pool/state_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct known_attempt {
    uint64_t epoch;
    size_t before;    /* the one of the same task before it: its index + 1 */
    bool is_complete; /* its record was read, so sums can be divided       */
    char *host;
};

struct rpt_attempts {
    struct rpt_attempt *shown;
    struct known_attempt *known; /* as many */
    size_t n, capacity;
};

void rpt__attempts_free(struct rpt_attempts *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        free(a->known[i].host);
    }
    free(a->shown);
    free(a->known);
    free(a);
}

static rpt_status_t make_room(struct rpt_attempts *a)
{
    size_t capacity = a->capacity > 0 ? 2 * a->capacity : 256;
    struct rpt_attempt *shown;
    struct known_attempt *known;

    if (a->n < a->capacity) {
        return RPT_OK;
    }
    shown = realloc(a->shown, capacity * sizeof *shown);
    a->shown = shown != NULL ? shown : a->shown;
    known = realloc(a->known, capacity * sizeof *known);
    a->known = known != NULL ? known : a->known;
    if (shown == NULL || known == NULL) {
        return rpt__fail_nomem(capacity * (sizeof *shown + sizeof *known));
    }
    a->capacity = capacity;
    return RPT_OK;
}

/* Its index + 1; 0: it was not heard of yet. */
static size_t find(const struct rpt_attempts *a,
                   const struct rpt_known_task *task, uint64_t epoch,
                   int number)
{
    size_t at = task->last_attempt;

    while (at > 0 && a->known[at - 1].epoch == epoch &&
           a->shown[at - 1].number != number) {
        at = a->known[at - 1].before;
    }
    return at > 0 && a->known[at - 1].epoch == epoch ? at : 0;
}

/* The attempt, which is added if need be. */
static rpt_status_t need(struct rpt_state *state, struct rpt_known_task *task,
                         uint64_t epoch, int number, struct rpt_attempt **out)
{
    struct rpt_attempts *a = state->attempts;
    size_t at = find(a, task, epoch, number);
    rpt_status_t status = at > 0 ? RPT_OK : make_room(a);

    if (status != RPT_OK) {
        return status;
    }
    if (at == 0) {
        a->known[a->n] = (struct known_attempt){ .epoch = epoch,
                                                 .before = task->last_attempt };
        a->shown[a->n] = (struct rpt_attempt){ .task = task->id,
                                               .job = epoch,
                                               .number = number,
                                               .exit_code = -1,
                                               .host = "" };
        at = task->last_attempt = ++a->n;
    }
    *out = &a->shown[at - 1];
    return RPT_OK;
}

static rpt_status_t set_host(struct rpt_attempts *a, struct rpt_attempt *shown,
                             const char *host)
{
    char *copy = strdup(host != NULL ? host : "");
    struct known_attempt *known = &a->known[shown - a->shown];

    if (copy == NULL) {
        return rpt__fail_nomem(1);
    }
    free(known->host);
    shown->host = known->host = copy;
    return RPT_OK;
}

static rpt_status_t note_start(struct rpt_state *state, uint64_t epoch,
                               const void *data, size_t bytes)
{
    struct rpt_known_task *task = rpt__state_find(state, data, bytes);
    struct rpt_start_record record;
    struct rpt_attempt *shown = NULL;
    struct rpt_reader reader;
    rpt_status_t status;

    if (task == NULL || bytes < sizeof record) {
        return RPT_OK;
    }
    memcpy(&record, data, sizeof record);
    status = need(state, task, epoch, record.attempt, &shown);
    if (status != RPT_OK || shown->has_end) {
        return status;
    }
    reader = rpt__reader((const char *)data + sizeof record,
                         bytes - sizeof record);
    shown->rank = record.rank;
    shown->start_time = record.time;
    shown->status = state->job_runs && epoch == state->last_epoch
                        ? "running"
                        : rpt_outcome_name(RPT_OUTCOME_LOST);
    return set_host(state->attempts, shown, rpt__read_str(&reader));
}

/* What an END has beyond the attempts of its job that are known: unless one is
 * missing, that of its own. */
static void divide_sums(const struct rpt_attempts *a, struct rpt_attempt *last)
{
    const struct known_attempt *known = &a->known[last - a->shown];
    uint64_t epoch = known->epoch;
    int n = 1;

    for (size_t at = known->before; at > 0 && a->known[at - 1].epoch == epoch;
         at = a->known[at - 1].before) {
        const struct rpt_attempt *one = &a->shown[at - 1];

        n += a->known[at - 1].is_complete;
        last->checkpoints -= one->checkpoints < last->checkpoints
                                 ? one->checkpoints
                                 : last->checkpoints;
        last->wasted_s -= one->wasted_s;
    }
    last->wasted_s = last->wasted_s > 0 ? last->wasted_s : 0;
    last->has_saves = n == last->number;
}

static rpt_status_t note_end(struct rpt_state *state, uint64_t epoch,
                             uint32_t type, const void *data, size_t bytes)
{
    struct rpt_known_task *task = rpt__state_find(state, data, bytes);
    struct rpt_attempts *a = state->attempts;
    struct rpt_attempt *shown = NULL;
    struct rpt_reader reader;
    struct rpt_end end;
    rpt_status_t status;

    if (task == NULL) {
        return RPT_OK;
    }
    reader = rpt__reader((const char *)data + sizeof(struct rpt_digest),
                         bytes - sizeof(struct rpt_digest));
    if (!rpt__attempt_unpack(&reader, &end) || end.attempts < 1 ||
        end.rank < 0) {
        return RPT_OK; /* a task that ended without one more attempt */
    }
    status = need(state, task, epoch, end.attempts, &shown);
    if (status != RPT_OK || shown->has_end) {
        return status;
    }
    shown->has_end = true;
    shown->rank = end.rank;
    shown->start_time = end.start_time;
    shown->duration_s = end.duration_s;
    shown->status = rpt_outcome_name(end.outcome);
    shown->exit_code = end.exit_code;
    shown->signal = end.signal;
    shown->checkpoints = end.checkpoints;
    shown->resumed_iteration = end.restored;
    shown->wasted_s = end.wasted_s;
    shown->has_saves = true;
    a->known[shown - a->shown].is_complete = true;
    if (type == RPT_RECORD_END) {
        divide_sums(a, shown);
    }
    return set_host(a, shown, end.host);
}

static rpt_status_t read_record(void *user, uint64_t epoch, int writer,
                                uint32_t type, const void *data, size_t bytes)
{
    struct rpt_state *state = user;

    (void)writer;
    if (epoch > state->last_epoch) {
        return RPT_OK; /* a job that began after the state was read */
    }
    switch (type) {
    case RPT_RECORD_START:
        return note_start(state, epoch, data, bytes);
    case RPT_RECORD_ATTEMPT:
    case RPT_RECORD_END:
        return note_end(state, epoch, type, data, bytes);
    default:
        return RPT_OK;
    }
}

static void forget(struct rpt_state *state)
{
    rpt__attempts_free(state->attempts);
    state->attempts = NULL;
    for (size_t i = 0; i < state->n; i++) {
        state->tasks[i]->last_attempt = 0;
    }
}

static rpt_status_t read_all(struct rpt_state *state)
{
    rpt_status_t status;

    state->attempts = calloc(1, sizeof *state->attempts);
    if (state->attempts == NULL) {
        return rpt__fail_nomem(sizeof *state->attempts);
    }
    status = rpt__journal_replay(state->directory, UINT64_MAX, read_record,
                                 state);
    if (status != RPT_OK) {
        forget(state);
    }
    return status;
}

rpt_status_t rpt__state_attempts(rpt_state_t *state,
                                 const struct rpt_attempt **list_out,
                                 size_t *n_out)
{
    rpt_status_t status = state->attempts != NULL ? RPT_OK : RPT_ERR_BUSY;

    /* Busy: a job that has just begun compacted the files meanwhile. */
    for (int i = 0; status == RPT_ERR_BUSY && i < 10; i++) {
        status = read_all(state);
    }
    if (status == RPT_OK) {
        *list_out = state->attempts->shown;
        *n_out = state->attempts->n;
    }
    return status;
}
