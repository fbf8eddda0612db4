/*
 * submit.c - from the list to the pool, a batch at a time
 *
 * Batches keep the queue of the library fed while results are taken; tasks
 * that wait for later ones of the list go together, in one batch.
 */
#include "cli/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 };

/* What few tasks have. */
static rpt_status_t fill_more(rpt_task_t *task, const struct task_more *more)
{
    rpt_status_t status = rpt_task_set_priority(task, more->priority);

    if (status == RPT_OK && more->cwd != NULL) {
        status = rpt_task_set_cwd(task, more->cwd);
    }
    if (status == RPT_OK && more->stdin_data != NULL) {
        status = rpt_task_set_stdin(task, more->stdin_data, more->stdin_bytes);
    }
    for (size_t i = 0; i < more->n_env && status == RPT_OK; i++) {
        status = rpt_task_set_env(task, more->env[i].name, more->env[i].value);
    }
    for (size_t i = 0; i < more->n_after && status == RPT_OK; i++) {
        status = rpt_task_add_dependency(task, more->after[i]);
    }
    return status;
}

static rpt_status_t fill_needs(rpt_task_t *task, const struct task_spec *spec)
{
    const struct task_more *more = spec->more;
    rpt_status_t status = RPT_OK;

    if (spec->slots > 0) {
        status = rpt_task_set_slots(task, spec->slots);
    }
    if (status == RPT_OK && more != NULL && more->memory_mib > 0) {
        status = rpt_task_set_memory(task, more->memory_mib);
    }
    if (status == RPT_OK && more != NULL) {
        status = rpt_task_set_checkpoint(task, more->checkpoint_s);
    }
    for (size_t i = 0; status == RPT_OK && more != NULL && i < more->n_needs;
         i++) {
        status = rpt_task_set_resource(task, more->needs[i].name,
                                       more->needs[i].units);
    }
    return status;
}

static rpt_status_t fill_output(rpt_task_t *task, const struct job *job,
                                const struct task_spec *spec)
{
    struct text paths = { NULL, 0, 0 };
    rpt_status_t status;

    if (spec->output == NULL) {
        return rpt_task_set_output(task, output_of_task(&job->output));
    }
    text_printf(&paths, "%s.out%c%s.err", spec->output, '\0', spec->output);
    status = rpt_task_set_output_files(task, paths.data,
                                       paths.data + strlen(paths.data) + 1);
    text_free(&paths);
    return status;
}

static rpt_status_t fill(rpt_task_t *task, const struct job *job,
                         const struct task_spec *spec)
{
    const struct run_options *o = job->options;
    double timeout_s = spec->timeout_s >= 0 ? spec->timeout_s : o->timeout_s;
    int retries = spec->retries >= 0 ? spec->retries : o->retries;
    rpt_status_t status = rpt_task_set_program(task,
                                               (const char *const *)spec->argv);

    if (status == RPT_OK && spec->id != NULL) {
        status = rpt_task_set_id(task, spec->id);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_timeout(task, timeout_s);
    }
    if (status == RPT_OK) {
        status = rpt_task_set_retries(task, retries);
    }
    if (status == RPT_OK) {
        status = fill_needs(task, spec);
    }
    if (status == RPT_OK && spec->more != NULL) {
        status = fill_more(task, spec->more);
    }
    return status == RPT_OK ? fill_output(task, job, spec) : status;
}

/* "tasks.txt:17: " before what the library says about a task. */
static int name_line(const char *source, const struct task_spec *spec,
                     struct fault *fault)
{
    int code = fault_library(fault);

    snprintf(fault->what, sizeof fault->what, "%.200s:%u: %.900s", source,
             spec->line, rpt_last_error()->what);
    return code;
}

/* More than the one slot that every rank has: also a place for checkpoints. */
static bool has_needs(const struct task_spec *spec)
{
    return spec->slots > 1 ||
           (spec->more != NULL &&
            (spec->more->memory_mib > 0 || spec->more->n_needs > 0 ||
             spec->more->checkpoint_s > 0));
}

int check_needs(rpt_pool_t *pool, const struct task_list *list,
                struct fault *fault)
{
    int code = CODE_OK;

    for (size_t i = 0; i < list->n && code == CODE_OK; i++) {
        const struct task_spec *spec = &list->tasks[i];
        rpt_task_t *task = NULL;
        rpt_status_t status;

        if (!has_needs(spec)) {
            continue;
        }
        status = rpt_task_create(&task);
        if (status == RPT_OK) {
            status = rpt_task_set_program(task,
                                          (const char *const *)spec->argv);
        }
        if (status == RPT_OK) {
            status = fill_needs(task, spec);
        }
        if (status == RPT_OK) {
            status = rpt_pool_check(pool, task);
        }
        if (status != RPT_OK) {
            code = name_line(list->source, spec, fault);
        }
        rpt_task_destroy(task);
    }
    return code;
}

static rpt_status_t make_tasks(struct job *job, size_t n, rpt_task_t **tasks)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < n && status == RPT_OK; i++) {
        status = rpt_task_create(&tasks[i]);
        if (status == RPT_OK) {
            status = fill(tasks[i], job,
                          &job->list.tasks[job->n_submitted + i]);
        }
    }
    return status;
}

static void note_futures(struct job *job, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        map_set_address(&job->index_of, job->futures[job->n_submitted + i],
                        job->n_submitted + i);
    }
    job->n_submitted += n;
}

/* A batch was refused.  A full pool takes a smaller one, later; a bad task is
 * looked for one by one, so that its line can be named. */
static int refused(struct job *job, size_t n, rpt_status_t status,
                   struct fault *fault)
{
    int code;

    if (status == RPT_ERR_FULL && !job->linked) {
        job->batch = n > 1 ? n / 2 : 1;
        return CODE_OK;
    }
    code = fault_library(fault);
    if (code == CODE_INPUT && !job->linked && n > 1) {
        job->batch = 1;
        return CODE_OK;
    }
    return code == CODE_INPUT && n == 1
               ? name_line(job_source(job, job->n_submitted),
                           &job->list.tasks[job->n_submitted], fault)
               : code;
}

int job_submit(struct job *job, struct fault *fault)
{
    size_t left = job->list.n - job->n_submitted;
    size_t n = job->linked || left < job->batch ? left : job->batch;
    rpt_task_t **tasks = get_memory(n * sizeof(rpt_task_t *));
    rpt_status_t status = make_tasks(job, n, tasks);
    int code = CODE_OK;

    if (status == RPT_OK) {
        const rpt_task_t *const *batch = (const rpt_task_t *const *)tasks;

        status = rpt_pool_submit_batch(job->pool, batch, n,
                                       job->futures + job->n_submitted);
    }
    if (status == RPT_OK) {
        note_futures(job, n);
    } else {
        code = refused(job, n, status, fault);
    }
    for (size_t i = 0; i < n; i++) {
        rpt_task_destroy(tasks[i]);
    }
    free(tasks);
    return code;
}

/* A task of the list from `first` on waits for one that stands behind it. */
static bool waits_for_later(const struct job *job, size_t first)
{
    for (size_t i = first; i < job->list.n; i++) {
        const struct task_more *more = job->list.tasks[i].more;

        for (size_t k = 0; more != NULL && k < more->n_after; k++) {
            size_t other = map_find_string(&job->ids, more->after[k]);

            if (other != MAP_NONE && other > i) {
                return true;
            }
        }
    }
    return false;
}

void job_added(struct job *job, size_t first)
{
    for (size_t i = first; i < job->list.n; i++) {
        if (job->list.tasks[i].id != NULL) {
            map_set_string(&job->ids, job->list.tasks[i].id, i);
        } else {
            job->has_plain = true;
        }
    }
    if (job->output_dir != NULL) {
        files_name(&job->list, first, job->output_dir, &job->occurrences);
    }
    job->linked = job->linked || waits_for_later(job, first);
    job->batch = BATCH;
    if (job->list.n > job->room_futures) {
        job->room_futures = job->list.n;
        job->futures = get_more(job->futures,
                                job->room_futures * sizeof(rpt_future_t *));
        memset(job->futures + first, 0,
               (job->list.n - first) * sizeof(rpt_future_t *));
    }
    job->report.n_tasks = job->list.n;
}
