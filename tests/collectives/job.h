/*
 * job.h - a function on all ranks of a context whose ranks are threads
 */
#ifndef RPT_TESTS_COLLECTIVES_JOB_H
#define RPT_TESTS_COLLECTIVES_JOB_H

#include "fixture.h"
#include "harness.h"

#include <repartir.h>

struct job {
    void (*with_context)(rpt_context_t *context);
    void (*fn)(rpt_group_t *group);
    unsigned long long (*bits)(rpt_group_t *group);
    unsigned long long found[16];
};

static inline rpt_status_t do_job(rpt_context_t *context, void *user)
{
    struct job *job = user;

    if (job->with_context != NULL) {
        job->with_context(context);
    } else if (job->fn != NULL) {
        job->fn(rpt_group_world(context));
    } else {
        job->found[rpt_context_rank(context)] = job->bits(
            rpt_group_world(context));
    }
    return RPT_OK;
}

static inline void run_job(int n, const char *const settings[], struct job *job)
{
    rpt_options_t *options = options_with(settings);

    CU_ASSERT_EQUAL(rpt_local_run(n, options, do_job, job), RPT_OK);
    rpt_options_destroy(options);
}

#endif /* RPT_TESTS_COLLECTIVES_JOB_H */
