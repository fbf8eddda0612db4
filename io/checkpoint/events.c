/*
 * events.c - one line for each thing that happened to a task's checkpoints
 *
 * events.jsonl is appended to by rank 0 of the job that holds the lock, a line
 * a write, and is not synced: it tells what a program did, which a crash of
 * that program does not undo.  Lines that are torn or unknown are skipped; one
 * that was torn by a crash is ended before the next is added.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A job a minute for a year writes less. */
#define EVENTS_BYTES_MAX (UINT64_C(1) << 30)

static int open_events(const struct rpt_dir *task, bool *is_torn_out)
{
    struct stat found;
    char last = '\n';
    int fd;

    do {
        fd = openat(task->fd, RPT_EVENTS,
                    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
                        O_CLOEXEC,
                    0664);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0 && (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))) {
        close(fd);
        return -1;
    }
    if (fd >= 0 && found.st_size > 0) {
        rpt__read_at(fd, &last, 1, (uint64_t)found.st_size - 1);
    }
    *is_torn_out = last != '\n';
    return fd;
}

static bool append(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, data, bytes);

        if (n <= 0 && (n == 0 || errno != EINTR)) {
            return false;
        }
        data += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

void rpt__event_add(const struct rpt_dir *task, const char *event, uint64_t id,
                    uint64_t iteration, double seconds)
{
    struct rpt_buf line = RPT_BUF_EMPTY;
    bool is_torn = false;
    int fd = open_events(task, &is_torn);
    sigset_t before;

    rpt__buf_printf(&line, "%s{\"time\": ", is_torn ? "\n" : "");
    rpt__json_number(&line, rpt__wall_s());
    rpt__buf_printf(&line,
                    ", \"event\": \"%s\", \"id\": \"%016" PRIx64
                    "\", \"iteration\": %" PRIu64 ", \"seconds\": ",
                    event, id, iteration);
    rpt__json_number(&line, seconds);
    rpt__buf_printf(&line, ", \"pid\": %d}\n", (int)getpid());
    rpt__dir_begin(&before);
    if (fd < 0 || line.failed || !append(fd, line.data, line.bytes)) {
        rpt__log(RPT_LOG_INFO, "cannot note \"%s\" in %s/" RPT_EVENTS, event,
                 task->path);
    }
    rpt__dir_end(&before);
    if (fd >= 0) {
        close(fd);
    }
    rpt__buf_free(&line);
}

/* ---- reading ---- */

static bool take_line(const char *line, size_t bytes, struct rpt_event *out)
{
    json_t *root = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *event = json_object_get(root, "event");
    const json_t *id = json_object_get(root, "id");
    const json_t *time = json_object_get(root, "time");
    const json_t *iteration = json_object_get(root, "iteration");
    bool good = json_is_string(event) && json_is_string(id) &&
                json_is_number(time) &&
                json_string_length(event) < sizeof out->name;

    if (good) {
        *out = (struct rpt_event){
            .time_s = json_number_value(time),
            .id = strtoull(json_string_value(id), NULL, 16),
            .iteration = json_integer_value(iteration) > 0
                             ? (uint64_t)json_integer_value(iteration)
                             : 0,
            .seconds = json_number_value(json_object_get(root, "seconds")),
            .pid = (int64_t)json_integer_value(json_object_get(root, "pid")),
        };
        strcpy(out->name, json_string_value(event));
    }
    json_decref(root);
    return good;
}

rpt_status_t rpt__events_each(const struct rpt_dir *task, rpt_event_fn fn,
                              void *user)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status = rpt__dir_read_all(task, RPT_EVENTS, EVENTS_BYTES_MAX,
                                            &text);
    const char *line = text.data, *end;
    struct rpt_event event;

    while (status == RPT_OK && line != NULL &&
           (end = strchr(line, '\n')) != NULL) {
        if (take_line(line, (size_t)(end - line), &event)) {
            fn(user, &event);
        }
        line = end + 1;
    }
    rpt__buf_free(&text);
    return status;
}

/* ---- what they say ---- */

struct reading {
    struct rpt_history history;
    double open_s; /* when the job has opened */
    double last_s; /* of the event before     */
};

static void end_job(struct reading *r, bool was_killed)
{
    struct rpt_history *h = &r->history;

    if (h->is_open) {
        h->n_failures += was_killed;
        h->run_s += r->last_s > r->open_s ? r->last_s - r->open_s : 0;
    }
    h->is_open = false;
}

static void take(void *user, const struct rpt_event *event)
{
    struct reading *r = user;
    struct rpt_history *h = &r->history;
    const char *name = event->name;

    if (strcmp(name, "open") == 0) {
        end_job(r, true);
        h->is_open = true;
        r->open_s = event->time_s;
    } else if (strcmp(name, "commit") == 0) {
        h->n_restores = 0;
    } else if (strcmp(name, "restore") == 0) {
        h->n_restores = h->last_restored == event->id ? h->n_restores + 1 : 1;
        h->last_restored = event->id;
    } else if (strcmp(name, "verify") == 0) {
        h->last_verified = event->id;
    }
    r->last_s = event->time_s;
    if (strcmp(name, "close") == 0) {
        end_job(r, false);
    }
}

rpt_status_t rpt__history_read(const struct rpt_dir *task,
                               struct rpt_history *history_out)
{
    struct reading r = { .open_s = 0 };
    rpt_status_t status = rpt__events_each(task, take, &r);
    bool is_open = r.history.is_open;

    /* Without it nothing is known, and that is all that is lost. */
    if (status == RPT_ERR_NOMEM) {
        return status;
    }
    end_job(&r, true);
    *history_out = r.history;
    history_out->is_open = is_open;
    return RPT_OK;
}
