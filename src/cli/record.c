/*
 * record.c - a result comes in: printed, written, logged, counted
 */
#include "cli/joblog.h"
#include "cli/run.h"

#include <stdio.h>

/* Results taken before signals and the clock are looked at again. */
enum { A_TURN = 1024 };

static void record(struct job *job, size_t index, const rpt_result_t *result)
{
    const struct task_spec *spec = &job->list.tasks[index];
    struct captured captured;

    /* Cut off by a shutdown: not done; with a state directory it will be. */
    bool dropped = job->stopped && result->outcome == RPT_OUTCOME_CANCELLED;

    job->n_collected++;
    if (dropped && job->options->state != NULL) {
        return;
    }
    output_captured(&job->output, result, &captured);
    if (!dropped) {
        report_add(&job->report, spec, job_source(job, index), result,
                   &captured);
    }
    if (job->results.path != NULL) {
        results_json(&job->results.pending, spec, result, &captured);
    }
    if (job->joblog.path != NULL && result->attempts > 0) {
        joblog_line(&job->joblog.pending, spec, index + 1, result,
                    captured.bytes[0] + captured.dropped[0]);
    }
    output_result(&job->output, index, result);
}

static int take(struct job *job, rpt_future_t *future, struct fault *fault)
{
    size_t index = map_find_address(&job->index_of, future);
    const rpt_result_t *result;

    if (index == MAP_NONE || job->futures[index] != future) {
        return CODE_OK; /* not of our list */
    }
    if (rpt_future_result(future, &result) != RPT_OK) {
        return fault_library(fault);
    }
    record(job, index, result);
    job->futures[index] = NULL;
    rpt_future_destroy(future);
    return CODE_OK;
}

int job_collect(struct job *job, double timeout_s, struct fault *fault)
{
    int code = CODE_OK;

    for (int i = 0; i < A_TURN && code == CODE_OK; i++) {
        rpt_future_t *future;
        rpt_status_t status = rpt_pool_next(job->pool, i == 0 ? timeout_s : 0,
                                            &future);

        if (status == RPT_PENDING) {
            break;
        }
        if (status == RPT_END) {
            if (job->n_collected < job->n_submitted && !job->stopped) {
                code = fault_set(fault, CODE_SOFTWARE,
                                 "the pool lost %zu tasks",
                                 job->n_submitted - job->n_collected);
            }
            break;
        }
        code = status == RPT_OK ? take(job, future, fault)
                                : fault_library(fault);
    }
    return code;
}

void job_flush(struct job *job)
{
    if (job->output.pending.bytes > 0) {
        fputs(progress_erase(&job->progress), stderr);
        output_flush(&job->output);
    }
    sink_flush(&job->results);
    sink_flush(&job->joblog);
}
