/*
 * events.c - one line for each thing that happened to a task's checkpoints
 *
 * events.jsonl is appended to by rank 0 of the job that holds the lock, a line
 * a write, and is not synced: it tells what a program did, which a crash of
 * that program does not undo.  When it has become long, the job that begins
 * makes it shorter (history.c).  Lines that are torn or unknown are skipped;
 * one that was torn by a crash is ended before the next is added.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/again.h"
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
    int fd = rpt__open_again(
        task->fd, RPT_EVENTS,
        O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0664);

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

static void add_line(const struct rpt_dir *task, const char *event,
                     struct rpt_buf *line)
{
    bool is_torn = false;
    int fd = open_events(task, &is_torn);
    sigset_t before;

    rpt__dir_begin(&before);
    if (fd < 0 || line->failed || (is_torn && !append(fd, "\n", 1)) ||
        !append(fd, line->data, line->bytes)) {
        rpt__log(RPT_LOG_INFO, "cannot note \"%s\" in %s/" RPT_EVENTS, event,
                 task->path);
    }
    rpt__dir_end(&before);
    if (fd >= 0) {
        close(fd);
    }
    rpt__buf_free(line);
}

static void begin_line(struct rpt_buf *line, const char *event, uint64_t id,
                       uint64_t iteration, double seconds)
{
    rpt__buf_printf(line, "{\"time\": ");
    rpt__json_number(line, rpt__wall_s());
    rpt__buf_printf(line,
                    ", \"event\": \"%s\", \"id\": \"%016" PRIx64
                    "\", \"iteration\": %" PRIu64 ", \"seconds\": ",
                    event, id, iteration);
    rpt__json_number(line, seconds);
    rpt__buf_printf(line, ", \"pid\": %d", (int)getpid());
}

void rpt__event_add(const struct rpt_dir *task, const char *event, uint64_t id,
                    uint64_t iteration, double seconds)
{
    struct rpt_buf line = RPT_BUF_EMPTY;

    begin_line(&line, event, id, iteration, seconds);
    rpt__buf_printf(&line, "}\n");
    add_line(task, event, &line);
}

void rpt__event_add_open(const struct rpt_dir *task, uint64_t newest,
                         const char *host)
{
    struct rpt_buf line = RPT_BUF_EMPTY;

    begin_line(&line, "open", 0, newest, 0);
    rpt__buf_printf(&line, ", \"host\": ");
    rpt__json_string(&line, host, strlen(host));
    rpt__buf_printf(&line, "}\n");
    add_line(task, "open", &line);
}

/* ---- reading ---- */

static uint64_t id_of(const json_t *root, const char *key)
{
    const json_t *id = json_object_get(root, key);

    return json_is_string(id) ? strtoull(json_string_value(id), NULL, 16) : 0;
}

/* A number of things; 0: there is none. */
static uint64_t count_of(const json_t *root, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(root, key));

    return value > 0 ? (uint64_t)value : 0;
}

static void take_history(const json_t *root, struct rpt_event *out)
{
    struct rpt_history *h = &out->history;
    const json_t *open = json_object_get(root, "open");

    *h = (struct rpt_history){
        .last_restored = id_of(root, "restored"),
        .n_restores = count_of(root, "restores"),
        .last_verified = id_of(root, "verified"),
        .n_jobs = count_of(root, "jobs"),
        .n_failures = count_of(root, "failures"),
        .n_commits = count_of(root, "commits"),
        .run_s = out->seconds,
        .is_open = json_is_number(open),
        .open_s = json_number_value(open),
        .last_s = out->time_s,
    };
}

void rpt__event_write_history(const struct rpt_history *h, struct rpt_buf *line)
{
    rpt__buf_printf(line, "{\"time\": ");
    rpt__json_number(line, h->last_s);
    rpt__buf_printf(line,
                    ", \"event\": \"history\", \"id\": \"%016" PRIx64
                    "\", \"iteration\": 0, \"seconds\": ",
                    (uint64_t)0);
    rpt__json_number(line, h->run_s);
    rpt__buf_printf(line,
                    ", \"pid\": 0, \"jobs\": %" PRIu64
                    ", \"failures\": %" PRIu64 ", \"commits\": %" PRIu64
                    ", \"restored\": \"%016" PRIx64 "\", \"restores\": %" PRIu64
                    ", \"verified\": \"%016" PRIx64 "\"",
                    h->n_jobs, h->n_failures, h->n_commits, h->last_restored,
                    h->n_restores, h->last_verified);
    if (h->is_open) {
        rpt__buf_printf(line, ", \"open\": ");
        rpt__json_number(line, h->open_s);
    }
    rpt__buf_printf(line, "}\n");
}

static bool parse(const char *line, size_t bytes, struct rpt_event *out)
{
    json_t *root = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *event = json_object_get(root, "event");
    const json_t *id = json_object_get(root, "id");
    const json_t *time = json_object_get(root, "time");
    const json_t *host = json_object_get(root, "host");
    bool good = json_is_string(event) && json_is_string(id) &&
                json_is_number(time) &&
                json_string_length(event) < sizeof out->name;

    if (good) {
        *out = (struct rpt_event){
            .time_s = json_number_value(time),
            .id = strtoull(json_string_value(id), NULL, 16),
            .iteration = count_of(root, "iteration"),
            .seconds = json_number_value(json_object_get(root, "seconds")),
            .pid = (int64_t)json_integer_value(json_object_get(root, "pid")),
        };
        strcpy(out->name, json_string_value(event));
        if (strcmp(out->name, "history") == 0) {
            take_history(root, out);
        }
        if (json_is_string(host)) {
            snprintf(out->host, sizeof out->host, "%s",
                     json_string_value(host));
        }
    }
    json_decref(root);
    return good;
}

rpt_status_t rpt__event_parse(const char *line, size_t bytes,
                              struct rpt_event *event_out)
{
    for (int looks = 0; looks < 2; looks++) {
        if (!rpt__json_has_room(bytes)) {
            return rpt__fail_nomem(bytes);
        }
        if (parse(line, bytes, event_out)) {
            return RPT_OK;
        }
    }
    return RPT_END;
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
           (end = memchr(line, '\n',
                         (size_t)(text.data + text.bytes - line))) != NULL) {
        status = rpt__event_parse(line, (size_t)(end - line), &event);
        if (status == RPT_OK) {
            fn(user, &event);
        }
        status = status == RPT_END ? RPT_OK : status;
        line = end + 1;
    }
    rpt__buf_free(&text);
    return status;
}
