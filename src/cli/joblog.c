/*
 * joblog.c - GNU parallel's log, checked against what it writes
 *
 * Send is the task's input, Receive its output in bytes; after a time-out
 * Exitval is -1; a program that could not be started counts as 127; line ends
 * in a command become NUL bytes, as there.
 */
#include "cli/joblog.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

const char joblog_head[] = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\t"
                           "Exitval\tSignal\tCommand\n";

enum { NOT_STARTED = 127 };

static int exit_value(const rpt_result_t *result)
{
    switch (result->outcome) {
    case RPT_OUTCOME_OK:
    case RPT_OUTCOME_SIGNALED:
        return 0;
    case RPT_OUTCOME_FAILED:
        return result->exit_code >= 0 ? result->exit_code : NOT_STARTED;
    default:
        return -1;
    }
}

static int signal_number(const rpt_result_t *result)
{
    bool ended = result->outcome == RPT_OUTCOME_TIMEOUT && result->signal == 0;

    return ended ? SIGTERM : result->signal;
}

/* A shell's line as it is, other commands with the quotes they need. */
static void add_command(struct text *text, const char *const words[])
{
    size_t start = text->bytes;

    if (strcmp(words[0], "/bin/sh") == 0 && words[1] != NULL &&
        strcmp(words[1], "-c") == 0 && words[2] != NULL && words[3] == NULL) {
        text_string(text, words[2]);
    } else {
        text_command(text, words);
    }
    for (size_t i = start; i < text->bytes; i++) {
        if (text->data[i] == '\n') {
            text->data[i] = '\0';
        }
    }
}

void joblog_line(struct text *text, const struct task_spec *spec, size_t number,
                 const rpt_result_t *result, size_t stdout_bytes)
{
    text_printf(text, "%zu\t%s\t%.3f\t%10.3f\t%zu\t%zu\t%d\t%d\t", number,
                result->host != NULL && result->host[0] != '\0' ? result->host
                                                                : ":",
                result->start_time, result->duration_s,
                spec->more != NULL ? spec->more->stdin_bytes : 0, stdout_bytes,
                exit_value(result), signal_number(result));
    add_command(text, spec_shown(spec));
    text_char(text, '\n');
}
