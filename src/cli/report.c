/*
 * report.c - what is said at the end of a job
 *
 *   repartir: 1000 tasks on 4 ranks: 990 ok, 8 failed, 2 skipped
 *     time    12.3 s, 81.3 tasks/s, slots 93 % busy
 *     failed  tasks.txt:17, task 17: exit code 1: cp: cannot stat 'x'
 *     next    mpirun -n 4 repartir run --state run.state tasks.txt
 */
#include "cli/report.h"

#include "cli/progress.h"

#include <stdbool.h>
#include <string.h>

enum { LINE_BYTES = 160 };

void last_line(struct text *text, const char *data, size_t bytes)
{
    size_t start;

    while (bytes > 0 && (unsigned char)data[bytes - 1] <= ' ') {
        bytes--;
    }
    start = bytes;
    while (start > 0 && data[start - 1] != '\n') {
        start--;
    }
    if (bytes - start > LINE_BYTES) {
        text_string(text, "…");
        start = bytes - LINE_BYTES;
        while (start < bytes && ((unsigned char)data[start] & 0xc0) == 0x80) {
            start++; /* not in the middle of a character */
        }
    }
    for (; start < bytes; start++) {
        unsigned char c = (unsigned char)data[start];

        text_char(text, c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
}

static bool is_failure(rpt_outcome_t outcome)
{
    return outcome == RPT_OUTCOME_FAILED || outcome == RPT_OUTCOME_SIGNALED ||
           outcome == RPT_OUTCOME_TIMEOUT || outcome == RPT_OUTCOME_LOST;
}

static void add_reason(struct text *text, const rpt_result_t *result)
{
    switch (result->outcome) {
    case RPT_OUTCOME_FAILED:
        if (result->exit_code >= 0) {
            text_printf(text, "exit code %d", result->exit_code);
        } else {
            text_string(text, "could not start");
        }
        break;
    case RPT_OUTCOME_SIGNALED:
        text_printf(text, "killed by signal %d (%s)", result->signal,
                    strsignal(result->signal));
        break;
    case RPT_OUTCOME_TIMEOUT:
        text_printf(text, "ended after %.3g s: its time was over",
                    result->duration_s);
        break;
    default:
        text_string(text, rpt_outcome_name(result->outcome));
    }
    if (result->attempts > 1) {
        text_printf(text, ", %d attempts", result->attempts);
    }
}

static void add_failure(struct report *report, const struct task_spec *spec,
                        const char *source, const rpt_result_t *result,
                        const struct captured *captured)
{
    struct text *text = &report->failures;
    struct text line = { NULL, 0, 0 };

    text_printf(text, "  failed  %s:%u, task %s: ", source, spec->line,
                result->id);
    add_reason(text, result);
    last_line(&line, captured->data[1], captured->bytes[1]);
    if (line.bytes > 0) {
        text_printf(text, ": %s", line.data);
    } else if (result->exit_code < 0 && result->signal == 0 &&
               result->message != NULL && result->message[0] != '\0') {
        bool cut = strlen(result->message) > LINE_BYTES;

        text_printf(text, ": %.*s%s", LINE_BYTES, result->message,
                    cut ? "…" : "");
    }
    text_char(text, '\n');
    text_free(&line);
}

void report_add(struct report *report, const struct task_spec *spec,
                const char *source, const rpt_result_t *result,
                const struct captured *captured)
{
    int slots = spec->slots > 0 ? spec->slots : 1;

    report->n_ended++;
    report->by_outcome[result->outcome]++;
    report->n_truncated += captured->dropped[0] + captured->dropped[1] > 0;
    if (result->resumed) {
        report->n_resumed++;
    } else if (result->attempts > 0) {
        report->slot_s += result->duration_s * slots;
        report->n_checkpoints += result->checkpoints;
        report->n_went_on += result->resumed_iteration > 0;
        report->wasted_s += result->wasted_s;
    }
    if (!is_failure(result->outcome)) {
        return;
    }
    report->n_failed_now += !result->resumed;
    if (report->n_shown < REPORT_FAILURES) {
        add_failure(report, spec, source, result, captured);
        report->n_shown++;
    }
}

size_t report_not_ok(const struct report *report)
{
    return report->n_ended - report->by_outcome[RPT_OUTCOME_OK];
}

static size_t n_failures(const struct report *report)
{
    size_t n = 0;

    for (int i = 0; i < RPT_N_OUTCOMES; i++) {
        n += is_failure((rpt_outcome_t)i) ? report->by_outcome[i] : 0;
    }
    return n;
}

static void add_counts(struct text *text, const struct report *report,
                       const struct report_job *job)
{
    text_printf(text, "repartir: %zu task%s on %d rank%s: %zu ok",
                report->n_tasks, report->n_tasks == 1 ? "" : "s", job->n_ranks,
                job->n_ranks == 1 ? "" : "s",
                report->by_outcome[RPT_OUTCOME_OK]);
    for (int i = RPT_OUTCOME_FAILED; i < RPT_N_OUTCOMES; i++) {
        if (report->by_outcome[i] > 0) {
            text_printf(text, ", %zu %s", report->by_outcome[i],
                        rpt_outcome_name((rpt_outcome_t)i));
        }
    }
    if (report->n_dropped > 0) {
        text_printf(text, ", %zu not done", report->n_dropped);
    }
    text_char(text, '\n');
}

static void add_time(struct text *text, const struct report *report,
                     const struct report_job *job)
{
    size_t ran = report->n_ended - report->n_resumed;
    double slot_s = job->wall_s * job->n_slots;

    text_string(text, "  time    ");
    if (job->wall_s < 60) {
        text_printf(text, "%.2f s", job->wall_s);
    } else {
        progress_time(text, job->wall_s);
    }
    if (job->wall_s > 0) {
        text_printf(text, ", %.1f tasks/s", (double)ran / job->wall_s);
    }
    if (slot_s > 0) {
        double busy = 100 * report->slot_s / slot_s;

        text_printf(text, ", %d slot%s %.0f %% busy", job->n_slots,
                    job->n_slots == 1 ? "" : "s", busy < 100 ? busy : 100);
    }
    text_char(text, '\n');
}

/* Where tasks have checkpoints, or it is enough to ask for them. */
static void add_waste(struct text *text, const struct report *report)
{
    if (report->n_checkpoints > 0 || report->n_went_on > 0) {
        text_printf(
            text, "  saved   %llu checkpoint%s; %zu task%s went on from one\n",
            (unsigned long long)report->n_checkpoints,
            report->n_checkpoints == 1 ? "" : "s", report->n_went_on,
            report->n_went_on == 1 ? "" : "s");
    }
    if (report->wasted_s < (report->n_checkpoints > 0 ? 0.005 : 60)) {
        return;
    }
    text_string(text, "  wasted  ");
    if (report->wasted_s < 60) {
        text_printf(text, "%.2f s", report->wasted_s);
    } else {
        progress_time(text, report->wasted_s);
    }
    text_string(text, " of task time in attempts that did not succeed\n");
}

void report_next(struct text *text, const struct report_job *job)
{
    text_printf(text, "  next    %s\n          (%s)\n", job->command,
                job->state != NULL
                    ? "runs the rest"
                    : "runs everything again: with --state DIR only the rest "
                      "would run");
}

static void add_next(struct text *text, const struct report *report,
                     const struct report_job *job)
{
    if (report->n_dropped > 0) {
        report_next(text, job);
    } else if (job->state != NULL && n_failures(report) > 0) {
        text_printf(text, "  next    the same command with --retry-failed runs "
                          "the failed tasks again\n");
    }
}

void report_text(struct text *text, const struct report *report,
                 const struct report_job *job)
{
    size_t failed = n_failures(report);

    add_counts(text, report, job);
    add_time(text, report, job);
    add_waste(text, report);
    if (report->n_resumed > 0) {
        text_printf(text, "  resumed %zu had ended before; %s knows them\n",
                    report->n_resumed, job->state != NULL ? job->state : "it");
    }
    if (report->n_truncated > 0) {
        text_printf(text,
                    "  cut     %zu wrote more output than is kept "
                    "(option pool.capture_bytes)\n",
                    report->n_truncated);
    }
    text_add(text, report->failures.data, report->failures.bytes);
    if (failed > report->n_shown) {
        text_printf(text, "  failed  … and %zu more\n",
                    failed - report->n_shown);
    }
    add_next(text, report, job);
}
