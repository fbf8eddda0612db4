/*
 * report.h - what is said at the end of a job
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/results.h"
#include "cli/text.h"

enum { REPORT_FAILURES = 10 };

struct report {
    size_t n_tasks;
    size_t n_ended;
    size_t by_outcome[RPT_N_OUTCOMES];
    size_t n_resumed;
    size_t n_failed_now; /* failed in this job, not resumed           */
    size_t n_dropped;    /* did not run to their end                  */
    size_t n_truncated;  /* wrote more than is kept                   */
    uint64_t n_checkpoints;
    size_t n_went_on; /* began their last attempt with a checkpoint */
    double wasted_s;  /* by attempts that did not succeed          */
    double slot_s;    /* slots × seconds of what ran in this job   */
    struct text failures;
    size_t n_shown;
};

/* Counts one result; keeps the reason of the first ten that failed. */
void report_add(struct report *report, const struct task_spec *spec,
                const char *source, const rpt_result_t *result,
                const struct captured *captured);

/* Tasks that ended otherwise than well. */
size_t report_not_ok(const struct report *report);

struct report_job {
    int n_ranks;
    int n_slots;
    double wall_s;
    const char *state;   /* NULL: none                                */
    const char *command; /* what was typed                            */
};

/* The report as lines for standard error. */
void report_text(struct text *text, const struct report *report,
                 const struct report_job *job);

/* The lines "next" for a job that did not end. */
void report_next(struct text *text, const struct report_job *job);

/* The last line that is not empty, without control characters, shortened. */
void last_line(struct text *text, const char *data, size_t bytes);

#endif /* CLI_REPORT_H */
