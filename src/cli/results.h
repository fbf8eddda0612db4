/*
 * results.h - --results FILE.jsonl: one JSON object a task that ended
 */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include "cli/list.h"

/* What a task wrote, wherever it was caught. */
struct captured {
    const char *data[2]; /* of standard output, of standard error */
    size_t bytes[2];
    uint64_t dropped[2]; /* not kept */
};

/* Appends the object and a line end.  Keys: id, argv, status, exit_code,
 * signal, attempts, rank, host, start_time, duration_s, max_rss_kib, stdout,
 * stderr or stdout_path, stderr_path; message (why there is neither exit code
 * nor signal) and …_dropped only where there is something to say.  What is not
 * known is null. */
void results_json(struct text *text, const struct task_spec *spec,
                  const rpt_result_t *result, const struct captured *captured);

#endif /* CLI_RESULTS_H */
