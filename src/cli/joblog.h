/*
 * joblog.h - --joblog FILE: the format of GNU parallel
 */
#ifndef CLI_JOBLOG_H
#define CLI_JOBLOG_H

#include "cli/list.h"

/* The first line, with its end. */
extern const char joblog_head[];

/* Appends one line: Seq Host Starttime JobRuntime Send Receive Exitval Signal
 * Command, with tabs between.  `number` counts the tasks from 1 in the order
 * of the input. */
void joblog_line(struct text *text, const struct task_spec *spec, size_t number,
                 const rpt_result_t *result, size_t stdout_bytes);

#endif /* CLI_JOBLOG_H */
