/*
 * history.c - what the events of a task say: jobs, failures, run time
 *
 * A job is what lies between "open" and "close".  One that has no "close"
 * failed, unless it still runs; that is known by the lock, not by the file.
 */
#include "io/checkpoint/events.h"

#include <string.h>

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
    }
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
