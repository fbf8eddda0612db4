/*
 * catalog.c - a directory of checkpoints at one moment, without a job
 *
 *   path -> DIRECTORY [TASK [CHECKPOINT]] -> tasks -> their folders (folders.c)
 *
 * What a path is, is told by what is in it: a task has a lock, events or
 * checkpoints, a checkpoint the files of one.
 */
#include "io/checkpoint/catalog_priv.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LOOKS = 20 };

/* ---- what a folder is ---- */

static bool has_file(int fd, const char *folder, const char *name)
{
    char path[RPT_FOLDER_NAME_BYTES + 32];
    struct stat file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fstatat(fd, path, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISDIR(file.st_mode);
}

static bool is_checkpoint(int fd, const char *name)
{
    rpt_stored_state_t state;
    uint64_t iteration, id;

    return rpt__folder_kind(name, &state, &iteration, &id) &&
           (has_file(fd, name, RPT_MANIFEST) || has_file(fd, name, RPT_DRAFT) ||
            has_file(fd, name, RPT_BLOCKS) ||
            has_file(fd, name, RPT_STATE_FILE) || name[0] == '.');
}

bool rpt__dir_is_task(const struct rpt_dir *dir)
{
    struct rpt_dir_names names = { NULL, 0 };
    bool is_one = has_file(dir->fd, ".", "lock") ||
                  has_file(dir->fd, ".", RPT_EVENTS);

    if (!is_one && rpt__dir_list(dir, &names) == RPT_OK) {
        for (size_t i = 0; !is_one && i < names.n; i++) {
            is_one = is_checkpoint(dir->fd, names.list[i]);
        }
        rpt__dir_names_free(&names);
    }
    return is_one;
}

/* ---- a task ---- */

static rpt_status_t read_shelf(const struct rpt_dir *dir, const char *only,
                               struct rpt_shelf *shelf)
{
    rpt_status_t status;

    rpt__holder_read(dir, &shelf->holder);
    shelf->info.is_open = shelf->holder.is_held;
    shelf->info.pid = shelf->holder.pid;
    status = rpt__folders_read(dir, shelf->name, only, &shelf->folders);
    shelf->info.size = sizeof shelf->info;
    for (size_t i = 0; status == RPT_OK && i < shelf->folders.n; i++) {
        const rpt_catalog_entry_t *e = &shelf->folders.list[i]->entry;

        shelf->info.n_by_state[e->state]++;
        shelf->info.bytes += e->bytes;
    }
    return status;
}

/* What cannot be looked at is told: a task may be in it. */
static void tell_unread(rpt_status_t status)
{
    if (status == RPT_ERR_IO) {
        rpt__log(RPT_LOG_WARN, "%s: %s", rpt_last_error()->what,
                 rpt_last_error()->why);
    }
}

/* A folder of the directory that is no task, or that went, is passed over
 * unless it was asked for. */
static rpt_status_t add_shelf(struct rpt_catalog *c, const char *name,
                              bool is_asked)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    struct rpt_shelf *shelf = &c->shelves[c->n_shelves];
    rpt_status_t status = rpt__dir_open(&c->top, name, &dir);

    if (status != RPT_OK) {
        if (is_asked || status == RPT_ERR_NOMEM) {
            return status;
        }
        tell_unread(status);
        return RPT_OK;
    }
    if (!is_asked && !rpt__dir_is_task(&dir)) {
        rpt__dir_close(&dir);
        return RPT_OK;
    }
    *shelf = (struct rpt_shelf){ .name = strdup(name) };
    c->n_shelves++;
    status = shelf->name != NULL ? read_shelf(&dir, c->only, shelf)
                                 : rpt__fail_nomem(strlen(name) + 1);
    if (status != RPT_OK && !is_asked && rpt__dir_lacks(&c->top, name)) {
        free(shelf->name);
        c->n_shelves--;
        status = RPT_OK;
    }
    rpt__dir_close(&dir);
    return status;
}

/* ---- the path ---- */

/* Cuts the last name off a path; NULL: there is none. */
static char *cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || slash[1] == '\0') {
        return NULL;
    }
    *slash = '\0';
    return slash + 1;
}

static rpt_status_t open_top(const char *path, struct rpt_dir *dir_out)
{
    return rpt__dir_open_path(path[0] != '\0' ? path : "/", dir_out);
}

/* Whether a path is that of a checkpoint's folder. */
static bool is_of_task(const char *path)
{
    char *above = strdup(path), *name = above != NULL ? cut_name(above) : NULL;
    struct rpt_dir dir = RPT_DIR_CLOSED;
    bool is_one = name != NULL && strchr(above, '/') != NULL &&
                  open_top(above, &dir) == RPT_OK &&
                  is_checkpoint(dir.fd, name);

    rpt__dir_close(&dir);
    free(above);
    return is_one;
}

/* Opens the directory of a path without links, which is cut there; the names
 * that follow, NULL: none. */
static rpt_status_t split(char *path, struct rpt_dir *top, const char **task,
                          const char **checkpoint)
{
    rpt_status_t status = open_top(path, top);

    *task = *checkpoint = NULL;
    if (status != RPT_OK) {
        return status;
    }
    if (rpt__dir_is_task(top)) {
        *task = cut_name(path);
    } else if (is_of_task(path)) {
        *checkpoint = cut_name(path);
        *task = cut_name(path);
    }
    if (*task != NULL) {
        rpt__dir_close(top);
        status = open_top(path, top);
    }
    return status;
}

static rpt_status_t add_all(struct rpt_catalog *c, const char *task)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = RPT_OK;

    if (task == NULL) {
        status = rpt__dir_list(&c->top, &names);
    }
    if (status == RPT_OK) {
        c->shelves = calloc(names.n + 1, sizeof *c->shelves);
        if (c->shelves == NULL) {
            status = rpt__fail_nomem((names.n + 1) * sizeof *c->shelves);
        }
    }
    if (status == RPT_OK && task != NULL) {
        status = add_shelf(c, task, true);
    }
    /* .old-TASK is on its way out; no task's name begins so. */
    for (size_t i = 0; status == RPT_OK && i < names.n; i++) {
        if (names.list[i][0] != '.') {
            status = add_shelf(c, names.list[i], false);
        }
    }
    rpt__dir_names_free(&names);
    /* Others have moved nothing: now the addresses stay. */
    for (size_t i = 0; i < c->n_shelves; i++) {
        c->shelves[i].info.name = c->shelves[i].name;
        c->shelves[i].info.host = c->shelves[i].holder.host;
    }
    return status;
}

static rpt_status_t say_what_is_wanted(rpt_status_t status)
{
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail_hint("give a directory of checkpoints, a task in it or a "
                       "checkpoint: DIRECTORY[/TASK[/CHECKPOINT]]");
    }
    return status;
}

/* The path of what is there, without links.  CHECKPOINT may be all that finds
 * one in its task. */
static rpt_status_t resolve(const char *path, struct rpt_dir *top,
                            char **real_out)
{
    char *above = NULL, *which;
    size_t n = strlen(path);
    rpt_status_t status = RPT_END;

    *real_out = realpath(path, NULL);
    if (*real_out != NULL) {
        return RPT_OK;
    }
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    if (errno == ENOENT) {
        above = strndup(path, n);
        which = above != NULL ? strrchr(above, '/') : NULL;
        if (which != NULL) {
            *which++ = '\0';
            status = rpt__folders_path(above[0] != '\0' ? above : "/", which,
                                       real_out);
        } else if (above != NULL) {
            status = rpt__folders_path(".", above, real_out);
        }
        free(above);
    }
    if (status == RPT_END) {
        status = rpt__dir_open_path(path, top); /* says why */
        status = status == RPT_OK ? rpt__fail_nomem(PATH_MAX)
                                  : say_what_is_wanted(status);
    }
    return status;
}

rpt_status_t rpt__catalog_open(const char *path,
                               struct rpt_catalog **catalog_out)
{
    struct rpt_catalog *c = calloc(1, sizeof *c);
    char *real = NULL;
    const char *task = NULL, *checkpoint = NULL;
    rpt_status_t status;

    if (c == NULL) {
        return rpt__fail_nomem(sizeof *c);
    }
    c->top = (struct rpt_dir)RPT_DIR_CLOSED;
    status = resolve(path, &c->top, &real);
    if (status == RPT_OK) {
        status = say_what_is_wanted(split(real, &c->top, &task, &checkpoint));
    }
    if (status == RPT_OK && checkpoint != NULL) {
        c->only = strdup(checkpoint);
        status = c->only != NULL ? RPT_OK : rpt__fail_nomem(PATH_MAX);
    }
    if (status == RPT_OK) {
        status = say_what_is_wanted(add_all(c, task));
    }
    free(real);
    if (status != RPT_OK) {
        rpt__catalog_close(c);
        return status;
    }
    *catalog_out = c;
    return RPT_OK;
}

void rpt__catalog_close(struct rpt_catalog *c)
{
    for (size_t i = 0; i < c->n_shelves; i++) {
        rpt__folders_free(&c->shelves[i].folders);
        free(c->shelves[i].name);
    }
    free(c->shelves);
    free(c->only);
    rpt__dir_close(&c->top);
    free(c);
}

/* ---- looking ---- */

const char *rpt__catalog_directory(const struct rpt_catalog *c)
{
    return c->top.path;
}

const char *rpt__catalog_checkpoint(const struct rpt_catalog *c)
{
    return c->only;
}

const rpt_catalog_task_t *rpt__catalog_task(const struct rpt_catalog *c,
                                            size_t index)
{
    return index < c->n_shelves ? &c->shelves[index].info : NULL;
}

const rpt_catalog_entry_t *rpt__catalog_entry(const struct rpt_catalog *c,
                                              size_t index)
{
    for (size_t i = 0; i < c->n_shelves; i++) {
        const struct rpt_folders *folders = &c->shelves[i].folders;

        if (index < folders->n) {
            return &folders->list[index]->entry;
        }
        index -= folders->n;
    }
    return NULL;
}

rpt_status_t rpt__catalog_shelf(const struct rpt_catalog *c, const char *task,
                                const struct rpt_shelf **shelf_out)
{
    if (task == NULL && c->n_shelves > 1) {
        rpt__fail(RPT_ERR_INVALID, "which task of %s?", c->top.path);
        rpt__fail_why("it has %zu tasks", c->n_shelves);
        rpt__fail_hint("name one: %s/%s", c->top.path, c->shelves[0].name);
        return RPT_ERR_INVALID;
    }
    for (size_t i = 0; i < c->n_shelves; i++) {
        if (task == NULL || strcmp(task, c->shelves[i].name) == 0) {
            *shelf_out = &c->shelves[i];
            return RPT_OK;
        }
    }
    if (task != NULL) {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s has no task \"%s\"", c->top.path,
                  task);
    } else {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s has no checkpoints", c->top.path);
    }
    rpt__fail_hint("`repartir ckpt list' tells what is there");
    return RPT_ERR_NOT_FOUND;
}

rpt_status_t rpt__catalog_find(const struct rpt_catalog *c, const char *task,
                               const char *which,
                               const rpt_catalog_entry_t **entry_out)
{
    const struct rpt_shelf *shelf;
    rpt_status_t status = rpt__catalog_shelf(c, task, &shelf);
    char path[PATH_MAX];

    if (status != RPT_OK) {
        return status;
    }
    if (which == NULL && c->only != NULL) {
        which = c->only;
    }
    snprintf(path, sizeof path, "%s/%s", c->top.path, shelf->name);
    return rpt__folders_find(&shelf->folders, path, which, entry_out);
}

rpt_status_t rpt__catalog_path(const struct rpt_catalog *c, const char *task,
                               const char *which, char **path_out)
{
    const rpt_catalog_entry_t *entry = NULL;
    rpt_status_t status = rpt__catalog_find(c, task, which, &entry);
    char *path;

    if (status != RPT_OK) {
        return status;
    }
    if (asprintf(&path, "%s/%s/%s", c->top.path, entry->task, entry->name) <
        0) {
        return rpt__fail_nomem(strlen(c->top.path));
    }
    *path_out = path;
    return RPT_OK;
}

/* ---- events ---- */

static void add_event(void *user, const struct rpt_event *event)
{
    rpt_catalog_event_t one = { .time_s = event->time_s,
                                .id = event->id,
                                .iteration = event->iteration,
                                .seconds = event->seconds,
                                .pid = event->pid };

    memcpy(one.event, event->name, sizeof one.event);
    rpt__buf_add(user, &one, sizeof one);
}

rpt_status_t rpt__catalog_events(const struct rpt_catalog *c, const char *task,
                                 rpt_catalog_event_t **events_out,
                                 size_t *n_out)
{
    const struct rpt_shelf *shelf;
    struct rpt_dir dir = RPT_DIR_CLOSED;
    struct rpt_buf events = RPT_BUF_EMPTY;
    rpt_status_t status = rpt__catalog_shelf(c, task, &shelf);

    if (status == RPT_OK) {
        status = rpt__dir_open(&c->top, shelf->name, &dir);
    }
    if (status == RPT_OK) {
        status = rpt__events_each(&dir, add_event, &events);
        if (status == RPT_ERR_NOT_FOUND) {
            status = RPT_OK;
        }
    }
    if (status == RPT_OK) {
        status = rpt__buf_status(&events);
    }
    rpt__dir_close(&dir);
    if (status != RPT_OK) {
        rpt__buf_free(&events);
        return status;
    }
    *events_out = (rpt_catalog_event_t *)(void *)events.data;
    *n_out = events.bytes / sizeof **events_out;
    return RPT_OK;
}

/* ---- the interval ---- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of the last saves; 0: there was none. */
static double median_cost(const rpt_catalog_event_t events[], size_t n)
{
    double last[16];
    size_t n_last = 0;

    for (size_t i = n; i > 0 && n_last < sizeof last / sizeof *last; i--) {
        if (strcmp(events[i - 1].event, "commit") == 0) {
            last[n_last++] = events[i - 1].seconds;
        }
    }
    qsort(last, n_last, sizeof *last, by_value);
    return n_last > 0 ? (last[(n_last - 1) / 2] + last[n_last / 2]) / 2 : 0;
}

/* A job may begin or end while we read. */
static rpt_status_t read_history(const struct rpt_dir *dir,
                                 struct rpt_history *history)
{
    struct rpt_holder before, after;
    rpt_status_t status;
    int looks = 0;

    do {
        rpt__holder_read(dir, &before);
        status = rpt__history_read(dir, before.is_held, history);
        rpt__holder_read(dir, &after);
    } while (status == RPT_OK && before.is_held != after.is_held &&
             ++looks < MOST_LOOKS);
    return status;
}

rpt_status_t rpt__catalog_interval(const struct rpt_catalog *c,
                                   const char *task,
                                   rpt_catalog_interval_t *interval_out)
{
    rpt_catalog_interval_t interval = { .size = sizeof interval };
    rpt_catalog_event_t *events = NULL;
    struct rpt_history history;
    const struct rpt_shelf *shelf;
    struct rpt_dir dir = RPT_DIR_CLOSED;
    size_t n = 0;
    rpt_status_t status = rpt__catalog_shelf(c, task, &shelf);

    if (status == RPT_OK) {
        status = rpt__catalog_events(c, task, &events, &n);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open(&c->top, shelf->name, &dir);
    }
    if (status == RPT_OK) {
        status = read_history(&dir, &history);
    }
    if (status == RPT_OK) {
        interval.n_failures = history.n_failures;
        interval.run_s = history.run_s;
        interval.cost_s = median_cost(events, n);
        interval.n_commits = history.n_commits;
        interval.mtbf_s = rpt__history_mtbf(history.n_failures, history.run_s);
        interval.interval_s = rpt_checkpoint_interval(interval.cost_s,
                                                      interval.mtbf_s);
        *interval_out = interval;
    }
    rpt__dir_close(&dir);
    free(events);
    return status;
}
