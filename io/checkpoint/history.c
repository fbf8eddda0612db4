/*
 * history.c - what the events of a task say: jobs, failures, run time
 *
 * When the file has become long, the job that begins replaces it, by a rename,
 * by one that begins with "history": what all the lines before said.  Who reads
 * the old one at that moment has it to its end.
 *
 * A job is what lies between "open" and "close".  One that has no "close"
 * failed, unless it still runs; that is known by the lock, not by the file.
 * "close" has the id of what the job had restored: it led to an orderly end,
 * though perhaps to no newer checkpoint.
 */
#include "io/checkpoint/events.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* A longer one is read by nobody. */
#define MOST_BYTES (UINT64_C(1) << 30)

static void end_job(struct rpt_history *h, bool has_failed)
{
    if (h->is_open) {
        h->n_failures += has_failed;
        h->run_s += h->last_s > h->open_s ? h->last_s - h->open_s : 0;
    }
    h->is_open = false;
}

void rpt__history_add(struct rpt_history *h, const struct rpt_event *event)
{
    const char *name = event->name;

    if (strcmp(name, "history") == 0) {
        *h = event->history;
        return;
    }
    if (strcmp(name, "open") == 0) {
        end_job(h, true);
        h->is_open = true;
        h->open_s = event->time_s;
        h->n_jobs++;
    } else if (strcmp(name, "commit") == 0) {
        h->n_restores = 0;
        h->n_commits++;
    } else if (strcmp(name, "restore") == 0) {
        h->n_restores = h->last_restored == event->id ? h->n_restores + 1 : 1;
        h->last_restored = event->id;
    } else if (strcmp(name, "verify") == 0) {
        h->last_verified = event->id;
    }
    h->last_s = event->time_s;
    if (strcmp(name, "close") == 0) {
        end_job(h, false);
        if (event->id != 0 && event->id == h->last_restored) {
            h->n_restores = 0;
        }
    }
}

/* Jobs that died at once would make it seconds, for a whole day of this one. */
double rpt__history_mtbf(uint64_t n_failures, double run_s)
{
    double mtbf_s = n_failures > 0 ? run_s / (double)n_failures
                                   : RPT_MTBF_UNKNOWN_S;

    return mtbf_s > RPT_MTBF_LEAST_S ? mtbf_s : RPT_MTBF_LEAST_S;
}

static void add(void *user, const struct rpt_event *event)
{
    rpt__history_add(user, event);
}

rpt_status_t rpt__history_read(const struct rpt_dir *task, bool job_runs,
                               struct rpt_history *history_out)
{
    struct rpt_history history = { .n_jobs = 0 };
    rpt_status_t status = rpt__events_each(task, add, &history);

    /* Without it nothing is known, and that is all that is lost. */
    if (status == RPT_ERR_NOMEM) {
        return status;
    }
    end_job(&history, !job_runs);
    *history_out = history;
    return RPT_OK;
}

/* ---- making it shorter ---- */

/* Where the next line begins; NULL: this one has no end. */
static const char *line_after(const char *line, const char *end)
{
    const char *mark = memchr(line, '\n', (size_t)(end - line));

    return mark != NULL ? mark + 1 : NULL;
}

/* Where the lines begin that stay: with a job, else in the middle of one. */
static rpt_status_t find_cut(const struct rpt_buf *text, size_t keep,
                             const char **cut_out)
{
    const char *end = text->data + text->bytes;
    const char *first = line_after(end - keep, end), *next;
    struct rpt_event event;

    *cut_out = first != NULL ? first : end;
    for (const char *line = *cut_out; (next = line_after(line, end)) != NULL;
         line = next) {
        rpt_status_t status = rpt__event_parse(line, (size_t)(next - line - 1),
                                               &event);

        if (status == RPT_OK && strcmp(event.name, "open") == 0) {
            *cut_out = line;
            return RPT_OK;
        }
        if (status < 0) {
            return status;
        }
    }
    return RPT_OK;
}

static rpt_status_t sum_up(const char *line, const char *cut,
                           struct rpt_history *h)
{
    struct rpt_event event;

    for (const char *next; (next = line_after(line, cut)) != NULL;
         line = next) {
        rpt_status_t status = rpt__event_parse(line, (size_t)(next - line - 1),
                                               &event);

        if (status == RPT_OK) {
            rpt__history_add(h, &event);
        } else if (status < 0) {
            return status;
        }
    }
    return RPT_OK;
}

static rpt_status_t replace(const struct rpt_dir *task, struct rpt_buf *text)
{
    rpt_status_t status = rpt__dir_remove(task, RPT_EVENTS_NEW);

    if (status == RPT_OK) {
        status = rpt__dir_put(task, RPT_EVENTS_NEW, text->data, text->bytes);
    }
    return status == RPT_OK ? rpt__dir_rename(task, RPT_EVENTS_NEW, RPT_EVENTS)
                            : status;
}

static rpt_status_t shorten(const struct rpt_dir *task, uint64_t most,
                            struct rpt_buf *text, struct rpt_buf *shorter)
{
    struct rpt_history history = { .n_jobs = 0 };
    rpt_status_t status = rpt__dir_read_all(task, RPT_EVENTS, MOST_BYTES, text);
    const char *cut;

    if (status != RPT_OK || text->bytes <= most) {
        return status;
    }
    status = find_cut(text, (size_t)most / 2, &cut);
    if (status == RPT_OK) {
        status = sum_up(text->data, cut, &history);
    }
    if (status != RPT_OK) {
        return status;
    }
    rpt__event_write_history(&history, shorter);
    rpt__buf_add(shorter, cut, (size_t)(text->data + text->bytes - cut));
    status = rpt__buf_status(shorter);
    return status == RPT_OK ? replace(task, shorter) : status;
}

void rpt__history_shorten(const struct rpt_dir *task, uint64_t most)
{
    struct rpt_buf text = RPT_BUF_EMPTY, shorter = RPT_BUF_EMPTY;
    rpt_status_t status = most > 0 ? shorten(task, most, &text, &shorter)
                                   : RPT_OK;

    if (status != RPT_OK && status != RPT_ERR_NOT_FOUND) {
        rpt__log(RPT_LOG_INFO, "%s/" RPT_EVENTS " stays as long as it is: %s",
                 task->path, rpt_last_error()->why);
    }
    rpt__buf_free(&text);
    rpt__buf_free(&shorter);
}
