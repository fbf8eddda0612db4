/*
 * cmd_status.c - `repartir status DIR`: how a job is, running or ended
 *
 * Reads the state directory and changes nothing there.
 */
#include "cli/args.h"
#include "cli/command.h"
#include "cli/text.h"

#include <repartir/state.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct status_options {
    const char *directory;
    bool json;
    bool tasks;
    bool check;
};

static const struct argp_option options_of_status[] = {
    { "json", 'j', NULL, 0, "Print one JSON object", 0 },
    { "tasks", 't', NULL, 0, "List the tasks too", 0 },
    { "check", 'c', NULL, 0,
      "Print nothing; exit as the job would: 75 when tasks are left to run, "
      "else 1 when some did not succeed, else 0",
      0 },
    { NULL, 0, NULL, 0, NULL, 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct status_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        break;
    case 't':
        o->tasks = true;
        break;
    case 'c':
        o->check = true;
        break;
    case ARGP_KEY_ARG:
        if (o->directory != NULL) {
            argp_error(state, "more than one directory");
            return EINVAL;
        }
        o->directory = arg;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which state directory?");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char *or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "-";
}

static void add_summary(struct text *text, const rpt_state_summary_t *s,
                        const char *directory)
{
    text_printf(text, "%s: %s, job %llu of this directory, on %s, pid %d\n",
                directory, s->running ? "running" : "not running",
                (unsigned long long)s->epoch, or_dash(s->host), s->pid);
    text_printf(text, "%llu tasks: %llu queued, %llu running",
                (unsigned long long)s->n_tasks, (unsigned long long)s->n_queued,
                (unsigned long long)s->n_running);
    for (int i = 0; i < RPT_N_OUTCOMES; i++) {
        if (i == RPT_OUTCOME_OK || s->by_outcome[i] > 0) {
            text_printf(text, ", %llu %s", (unsigned long long)s->by_outcome[i],
                        rpt_outcome_name((rpt_outcome_t)i));
        }
    }
    text_char(text, '\n');
    if (s->checkpoints > 0) {
        text_printf(text,
                    "%llu checkpoints, %.1f s wasted in attempts that did not "
                    "succeed\n",
                    (unsigned long long)s->checkpoints, s->wasted_s);
    }
}

static void add_task(struct text *text, const rpt_state_task_t *task)
{
    char start[32] = "-";
    time_t seconds = (time_t)task->start_time;
    struct tm when;

    if (task->start_time > 0 && localtime_r(&seconds, &when) != NULL) {
        strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%S", &when);
    }
    text_printf(text, "%-20s %-9s ", task->id, task->status);
    if (task->signal > 0) {
        text_printf(text, "s%-4d", task->signal);
    } else if (task->exit_code >= 0) {
        text_printf(text, "%-5d", task->exit_code);
    } else {
        text_string(text, "-    ");
    }
    text_printf(text, "%5d %5d %-16s %-19s %10.3f\n", task->attempts,
                task->rank, or_dash(task->host), start, task->duration_s);
}

static void add_json_string(struct text *text, const char *key,
                            const char *value)
{
    text_printf(text, "\"%s\":", key);
    if (value == NULL || value[0] == '\0') {
        text_string(text, "null");
    } else {
        text_json(text, value, strlen(value));
    }
}

static void add_json_task(struct text *text, const rpt_state_task_t *task)
{
    text_char(text, '{');
    add_json_string(text, "id", task->id);
    text_char(text, ',');
    add_json_string(text, "status", task->status);
    text_printf(text,
                task->exit_code >= 0 ? ",\"exit_code\":%d"
                                     : ",\"exit_code\":null",
                task->exit_code);
    text_printf(text, task->signal > 0 ? ",\"signal\":%d" : ",\"signal\":null",
                task->signal);
    text_printf(text, ",\"attempts\":%d", task->attempts);
    text_printf(text, task->rank >= 0 ? ",\"rank\":%d," : ",\"rank\":null,",
                task->rank);
    add_json_string(text, "host", task->host);
    text_printf(text,
                task->start_time > 0 ? ",\"start_time\":%.6f"
                                     : ",\"start_time\":null",
                task->start_time);
    text_printf(text, ",\"duration_s\":%.6f", task->duration_s);
    text_printf(text,
                ",\"checkpoints\":%llu,\"resumed_iteration\":%llu,"
                "\"wasted_s\":%.6f}",
                (unsigned long long)task->checkpoints,
                (unsigned long long)task->resumed_iteration, task->wasted_s);
}

static void add_json_summary(struct text *text, const rpt_state_summary_t *s,
                             const char *directory)
{
    text_char(text, '{');
    add_json_string(text, "directory", directory);
    text_printf(text, ",\"running\":%s,", s->running ? "true" : "false");
    add_json_string(text, "host", s->host);
    text_printf(text,
                ",\"pid\":%d,\"epoch\":%llu,\"n_tasks\":%llu,"
                "\"n_queued\":%llu,\"n_running\":%llu,\"outcomes\":{",
                s->pid, (unsigned long long)s->epoch,
                (unsigned long long)s->n_tasks, (unsigned long long)s->n_queued,
                (unsigned long long)s->n_running);
    for (int i = 0; i < RPT_N_OUTCOMES; i++) {
        text_printf(text, "%s\"%s\":%llu", i > 0 ? "," : "",
                    rpt_outcome_name((rpt_outcome_t)i),
                    (unsigned long long)s->by_outcome[i]);
    }
    text_printf(text, "},\"checkpoints\":%llu,\"wasted_s\":%.6f",
                (unsigned long long)s->checkpoints, s->wasted_s);
}

static rpt_status_t add_tasks(struct text *text, const rpt_state_t *state,
                              bool json)
{
    const rpt_state_task_t *task;
    rpt_status_t status;
    size_t i = 0;

    if (!json && rpt_state_summary(state)->n_tasks > 0) {
        text_printf(text, "%-20s %-9s %-5s%5s %5s %-16s %-19s %10s\n", "id",
                    "status", "exit", "tries", "rank", "host", "start",
                    "seconds");
    }
    while ((status = rpt_state_task(state, i, &task)) == RPT_OK) {
        if (json) {
            text_string(text, i > 0 ? "," : "");
            add_json_task(text, task);
        } else {
            add_task(text, task);
        }
        i++;
    }
    return status;
}

static rpt_status_t describe(const struct status_options *o,
                             const rpt_state_t *state, struct text *text)
{
    const rpt_state_summary_t *summary = rpt_state_summary(state);
    rpt_status_t status = RPT_END;

    if (!o->json) {
        add_summary(text, summary, o->directory);
        return o->tasks ? add_tasks(text, state, false) : status;
    }
    add_json_summary(text, summary, o->directory);
    if (o->tasks) {
        text_string(text, ",\"tasks\":[");
        status = add_tasks(text, state, true);
        text_char(text, ']');
    }
    text_string(text, "}\n");
    return status;
}

static int code_of(const rpt_state_summary_t *s)
{
    uint64_t n_ended = 0;

    for (int i = 0; i < RPT_N_OUTCOMES; i++) {
        n_ended += s->by_outcome[i];
    }
    if (n_ended < s->n_tasks) {
        return CODE_RESUMABLE;
    }
    return s->by_outcome[RPT_OUTCOME_OK] < n_ended ? CODE_FAILED : CODE_OK;
}

static int show(const struct status_options *o)
{
    struct text text = { NULL, 0, 0 };
    struct fault fault = { 0 };
    rpt_state_t *state;
    int code = CODE_OK;

    if (rpt_state_open(o->directory, &state) != RPT_OK) {
        code = fault_library(&fault);
        fault_print(&fault);
        return code;
    }
    if (o->check) {
        code = code_of(rpt_state_summary(state));
    } else if (describe(o, state, &text) < 0) {
        code = fault_library(&fault);
        fault_print(&fault);
    } else if (fwrite(text.data, 1, text.bytes, stdout) < text.bytes ||
               fflush(stdout) != 0) {
        say("standard output cannot be written");
        code = CODE_IO;
    }
    rpt_state_close(state);
    text_free(&text);
    return code;
}

int command_status(int argc, char *argv[])
{
    static const struct argp_child children[] = ARGS_CHILDREN;
    static const struct argp argp = {
        options_of_status,
        parse,
        "DIR",
        "Say how the job with the state directory DIR is, whether it runs or "
        "has ended.  Changes nothing.",
        children,
        NULL,
        NULL
    };
    struct status_options o = { NULL, false, false, false };
    int code = args_parse(&argp, argc, argv, &o);

    if (code == CODE_OK) {
        return show(&o);
    }
    return code == ARGS_ANSWERED ? CODE_OK : code;
}
