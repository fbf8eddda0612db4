/*
 * requests.c - what `repartir submit` and `repartir cancel` left for this job
 *
 * A bad request is dropped with a message; the job goes on, and ends with 1.
 * Requests of earlier jobs on the same state directory are read again first:
 * their tasks belong to the job.  Cancelling is put off until everything is
 * submitted.  At its end a job closes the requests, so that whatever was
 * accepted has run.
 */
#include "cli/run.h"

#include <repartir/state.h>

#include <stdlib.h>
#include <string.h>

/* Moves the tasks of a request to the end of the job's list. */
static void append(struct job *job, struct task_list *more)
{
    size_t first = job->list.n;

    for (size_t i = 0; i < more->n; i++) {
        *list_add(&job->list, 0) = more->tasks[i];
    }
    free(more->tasks);
    job_added(job, first);
}

/* A number as id may be that of a task of the job without one, or of this very
 * request: only the pool could tell, when it is too late to refuse it. */
static int check_ids_of_request(const struct job *job,
                                const struct task_list *more,
                                struct fault *fault)
{
    for (size_t i = 0; i < more->n && job->has_plain; i++) {
        const char *id = more->tasks[i].id;

        if (id != NULL && id_is_number(id)) {
            return fault_set(fault, CODE_INPUT,
                             "(request):%u: the id \"%s\" may be the number of "
                             "a task without id",
                             more->tasks[i].line, id);
        }
    }
    return CODE_OK;
}

static void take_submit(struct job *job, const char *text, size_t bytes)
{
    struct input_options options = { .file = "", .format = FORMAT_JSON };
    struct source source = { "(request)", text, bytes };
    struct task_list more = { NULL, NULL, 0, 0 };
    struct fault fault;

    if (input_parse(&options, &source, &more, &fault) == CODE_OK &&
        check_list(&more, &job->ids, &fault) == CODE_OK &&
        check_ids_of_request(job, &more, &fault) == CODE_OK &&
        check_needs(job->pool, &more, &fault) == CODE_OK) {
        append(job, &more);
        return;
    }
    say("a request of %zu bytes was dropped", bytes);
    fault_print(&fault);
    job->n_dropped_requests++;
    list_free(&more);
}

/* Of earlier jobs (`replay`) only ids count: numbers that the pool gave may
 * mean other tasks now. */
static void take_cancel(struct job *job, const char *text, bool replay)
{
    while (*text != '\0') {
        size_t bytes = strcspn(text, "\n");
        size_t start = job->cancels.bytes;

        text_add(&job->cancels, text, bytes);
        text_char(&job->cancels, '\0');
        if (bytes == 0 ||
            (replay && map_find_string(&job->ids, job->cancels.data + start) ==
                           MAP_NONE)) {
            job->cancels.bytes = start;
        }
        text += bytes + (text[bytes] == '\n');
    }
}

static void take(struct job *job, const char *kind, const char *text,
                 size_t bytes, bool replay)
{
    if (strcmp(kind, "submit") == 0) {
        take_submit(job, text, bytes);
    } else if (strcmp(kind, "cancel") == 0) {
        take_cancel(job, text, replay);
    } else if (strcmp(kind, "close") != 0) { /* the end of an earlier job */
        say("a request of the unknown kind \"%s\" was dropped", kind);
        job->n_dropped_requests++;
    }
}

int job_requests(struct job *job, bool replay, struct fault *fault)
{
    for (;;) {
        char *kind, *text;
        size_t bytes;
        rpt_status_t status = rpt_state_read_request(
            job->options->state, job->n_requests + 1, &kind, &text, &bytes);

        if (status == RPT_END) {
            return CODE_OK;
        }
        if (status == RPT_ERR_CORRUPT) {
            fault_library(fault);
            fault_print(fault);
            job->n_dropped_requests += !replay;
            job->n_requests++;
            continue;
        }
        if (status != RPT_OK) {
            return fault_library(fault);
        }
        job->n_requests++;
        take(job, kind, text, bytes, replay);
        free(kind);
        free(text);
    }
}

int job_close_requests(struct job *job, bool *closed_out, struct fault *fault)
{
    rpt_status_t status = rpt_state_close_requests(job->options->state,
                                                   job->n_requests + 1);

    *closed_out = status == RPT_OK;
    if (status == RPT_END) {
        return job_requests(job, false, fault);
    }
    return status == RPT_OK ? CODE_OK : fault_library(fault);
}

void job_cancel(struct job *job)
{
    const char *id = job->cancels.data;

    if (job->n_submitted < job->list.n || job->cancels.bytes == 0) {
        return;
    }
    for (; id < job->cancels.data + job->cancels.bytes; id += strlen(id) + 1) {
        rpt_status_t status = rpt_pool_cancel(job->pool, id);

        if (status < 0) {
            say("task %s was not cancelled: %s", id, rpt_last_error()->what);
        }
    }
    text_clear(&job->cancels);
}
