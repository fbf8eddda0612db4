/*
 * find.c - what is in the directories: tasks, their checkpoints, state
 * directories
 *
 * Names and manifests are read once, when the catalog is opened; what goes
 * away meanwhile was not there.  Checksums are looked at when somebody asks
 * (rpt__saved_judge()): there may be 8 bytes of them for each MiB of data.
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LOOKS = 100 };

/* The list with room for one more; NULL: there is no memory, recorded. */
static void *room(void *list, size_t n, size_t bytes)
{
    size_t wanted = (n > 0 ? 2 * n : 1) * bytes;

    if ((n & (n - 1)) != 0) {
        return list; /* there is room up to the next power of 2 */
    }
    list = realloc(list, wanted);
    if (list == NULL) {
        rpt__fail_nomem(wanted);
    }
    return list;
}

static bool is_there(const struct rpt_dir *dir, const char *name)
{
    return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- checkpoints ---- */

static bool begins_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

/* What a folder is by its name; false: none of ours. */
static bool read_name(const char *name, struct rpt_saved *saved)
{
    const char *digits = name + strlen(".tmp-");

    snprintf(saved->name, sizeof saved->name, "%s", name);
    if (rpt__folder_parse(name, &saved->iteration, &saved->id)) {
        saved->has_iteration = true;
        saved->state = RPT_FOUND_UNKNOWN;
        return true;
    }
    if (!begins_with(name, ".tmp-") && !begins_with(name, ".bad-")) {
        return false;
    }
    saved->state = name[1] == 't' ? RPT_FOUND_UNFINISHED : RPT_FOUND_ASIDE;
    saved->id = strtoull(digits, NULL, 16);
    return strlen(digits) == RPT_ID_BYTES - 1 &&
           strspn(digits, "0123456789abcdef") == RPT_ID_BYTES - 1;
}

static rpt_status_t read_manifest(const struct rpt_dir *dir, const char *name,
                                  struct rpt_manifest *m)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    char path[1024];
    rpt_status_t status = rpt__dir_read_all(dir, name, RPT_MANIFEST_BYTES_MAX,
                                            &text);

    if (status == RPT_OK) {
        snprintf(path, sizeof path, "%s/%s", dir->path, name);
        status = rpt__manifest_read(path, text.data, text.bytes,
                                    strcmp(name, RPT_DRAFT) == 0, m);
    }
    rpt__buf_free(&text);
    return status;
}

static void take_manifest(struct rpt_saved *saved, rpt_status_t status)
{
    struct rpt_manifest *m = &saved->manifest;

    if (status == RPT_OK && saved->state == RPT_FOUND_UNKNOWN &&
        (m->id != saved->id || m->iteration != saved->iteration)) {
        rpt__manifest_free(m);
        status = RPT_ERR_CORRUPT; /* of another checkpoint */
    }
    saved->has_manifest = status == RPT_OK;
    if (status == RPT_OK) {
        saved->iteration = m->iteration;
        saved->has_iteration = true;
    } else if (saved->state == RPT_FOUND_UNKNOWN) {
        saved->state = status == RPT_ERR_IO || status == RPT_ERR_SYSTEM ||
                               status == RPT_ERR_VERSION
                           ? RPT_FOUND_UNREADABLE
                           : RPT_FOUND_DAMAGED;
    }
}

/* RPT_END: it is gone. */
static rpt_status_t look_at(const struct rpt_dir *task, struct rpt_saved *saved)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open(task, saved->name, &dir);

    if (status == RPT_OK && saved->state == RPT_FOUND_UNFINISHED) {
        status = read_manifest(&dir, RPT_DRAFT, &saved->manifest);
    }
    if (dir.fd >= 0 &&
        (status == RPT_ERR_NOT_FOUND || saved->state != RPT_FOUND_UNFINISHED)) {
        status = read_manifest(&dir, RPT_MANIFEST, &saved->manifest);
    }
    if (status == RPT_OK && saved->state == RPT_FOUND_UNKNOWN &&
        rpt__dir_check(&dir, rpt__dir_owner(task)) != RPT_OK) {
        saved->state = RPT_FOUND_UNREADABLE; /* as a restore does */
    }
    rpt__dir_close(&dir);
    if (status == RPT_ERR_NOMEM) {
        return status;
    }
    if (status != RPT_OK && !is_there(task, saved->name)) {
        return RPT_END;
    }
    take_manifest(saved, status);
    return RPT_OK;
}

/* is_gone_out: set when a committed one goes away. */
static rpt_status_t add_saved(struct rpt_view *c, const struct rpt_dir *dir,
                              const char *name, bool *is_gone_out)
{
    struct rpt_saved saved = { .task = c->n_tasks - 1 }, *more;
    rpt_status_t status;

    if (!read_name(name, &saved)) {
        return RPT_OK;
    }
    status = look_at(dir, &saved);
    if (status == RPT_END) {
        *is_gone_out |= saved.state == RPT_FOUND_UNKNOWN;
        return RPT_OK;
    }
    if (status != RPT_OK) {
        return status;
    }
    more = room(c->saved, c->n_saved, sizeof *more);
    if (more == NULL) {
        rpt__manifest_free(&saved.manifest);
        return RPT_ERR_NOMEM;
    }
    c->saved = more;
    c->saved[c->n_saved++] = saved;
    return RPT_OK;
}

/* Those of the last task. */
static rpt_status_t add_all_saved(struct rpt_view *c, const struct rpt_dir *dir,
                                  bool *is_gone_out)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(dir, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        status = add_saved(c, dir, names.list[i], is_gone_out);
    }
    rpt__dir_names_free(&names);
    return status;
}

static void drop_saved(struct rpt_view *c, size_t n)
{
    while (c->n_saved > n) {
        c->n_saved--;
        rpt__manifest_free(&c->saved[c->n_saved].manifest);
    }
}

static int newest_first(const void *a, const void *b)
{
    const struct rpt_saved *x = a, *y = b;
    double x_s = x->manifest.time_s, y_s = y->manifest.time_s;

    if (x->task != y->task) {
        return x->task < y->task ? -1 : 1;
    }
    if (x->has_iteration != y->has_iteration) {
        return x->has_iteration ? -1 : 1;
    }
    if (x->iteration != y->iteration) {
        return x->iteration > y->iteration ? -1 : 1;
    }
    if (x_s < y_s || x_s > y_s) {
        return x_s > y_s ? -1 : 1;
    }
    return (x->id < y->id) - (x->id > y->id);
}

/* ---- tasks ---- */

static bool has_checkpoints(const struct rpt_dir_names *names)
{
    struct rpt_saved saved = { .task = 0 };

    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->list[i], "events.jsonl") == 0 ||
            read_name(names->list[i], &saved)) {
            return true;
        }
    }
    return false;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* By the path of its directory, or by another one. */
static bool is_known_task(const struct rpt_view *c, const struct stat *place)
{
    bool known = false;

    for (size_t i = 0; i < c->n_tasks && !known; i++) {
        known = is_same(&c->tasks[i].place, place);
    }
    return known;
}

static rpt_status_t append_task(struct rpt_view *c, const char *directory,
                                const char *name, const struct stat *place)
{
    struct rpt_view_task *more = room(c->tasks, c->n_tasks, sizeof *more);
    struct rpt_view_task task = { .place = *place };

    if (more == NULL) {
        return RPT_ERR_NOMEM;
    }
    c->tasks = more;
    task.directory = strdup(directory);
    task.name = strdup(name);
    if (task.directory == NULL || task.name == NULL) {
        free(task.directory);
        free(task.name);
        return rpt__fail_nomem(strlen(directory) + strlen(name) + 2);
    }
    c->tasks[c->n_tasks++] = task;
    return RPT_OK;
}

/* A job commits a new one before it removes one: when one goes away between
 * the list and the look, the new one may not be in the list. */
static rpt_status_t add_task(struct rpt_view *c, const char *directory,
                             const char *name, const struct rpt_dir *dir)
{
    struct rpt_dir_names names = { NULL, 0 };
    size_t n = c->n_saved;
    struct stat place = { .st_ino = 0 };
    bool is_gone = false;
    rpt_status_t status = rpt__dir_list(dir, &names);

    if (status == RPT_OK && fstat(dir->fd, &place) != 0) {
        status = rpt__dir_fail(dir, "", "look at", errno, 0);
    }
    if (status != RPT_OK || !has_checkpoints(&names) ||
        is_known_task(c, &place)) {
        rpt__dir_names_free(&names);
        return status;
    }
    rpt__dir_names_free(&names);
    status = append_task(c, directory, name, &place);
    if (status == RPT_OK) {
        status = add_all_saved(c, dir, &is_gone);
    }
    for (int i = 0; i < MOST_LOOKS && is_gone && status == RPT_OK; i++) {
        is_gone = false;
        drop_saved(c, n);
        status = add_all_saved(c, dir, &is_gone);
    }
    return status;
}

/* What is not for this user, such as lost+found, is passed over and said. */
static bool is_forbidden(const struct rpt_dir *top, const char *name)
{
    if (faccessat(top->fd, name, R_OK | X_OK, AT_EACCESS) == 0 ||
        errno != EACCES) {
        return false;
    }
    rpt__log(RPT_LOG_WARN, "%s/%s is passed over: %s", top->path, name,
             strerror(EACCES));
    return true;
}

static bool is_folder(const struct rpt_dir *top, const char *name)
{
    struct stat found;

    return name[0] != '.' &&
           fstatat(top->fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(found.st_mode) && !is_forbidden(top, name);
}

static rpt_status_t open_and_list(const char *directory, struct rpt_dir *top,
                                  struct rpt_dir_names *names)
{
    rpt_status_t status = rpt__dir_open_path(directory, top);

    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail_hint("name a directory of checkpoints, a task in one, or a "
                       "state directory");
    }
    return status == RPT_OK ? rpt__dir_list(top, names) : status;
}

/* What was given is a task: its directory is the one above, without links. */
static rpt_status_t add_alone(struct rpt_view *c, const char *path,
                              const struct rpt_dir *dir)
{
    char *real = realpath(path, NULL);
    char *slash = real != NULL ? strrchr(real, '/') : NULL;
    rpt_status_t status;

    if (slash == NULL) {
        return rpt__dir_fail(dir, "", "look at", errno, 0);
    }
    *slash = '\0';
    status = add_task(c, real[0] != '\0' ? real : "/", slash + 1, dir);
    free(real);
    return status;
}

static rpt_status_t refuse_checkpoint(const char *path)
{
    rpt__fail(RPT_ERR_INVALID, "%s is one checkpoint", path);
    rpt__fail_why("queries are of a task, or of a directory with tasks");
    rpt__fail_hint("give the folder above it, and choose by the id: "
                   "array('NAME', 'ID'), WHERE id = 'ID'");
    return RPT_ERR_INVALID;
}

static rpt_status_t add_inner(struct rpt_view *c, const char *directory,
                              const struct rpt_dir *top,
                              const struct rpt_dir_names *names)
{
    rpt_status_t status = RPT_OK;
    struct rpt_dir dir;

    for (size_t i = 0; i < names->n && status == RPT_OK; i++) {
        if (!is_folder(top, names->list[i])) {
            continue;
        }
        status = rpt__dir_open(top, names->list[i], &dir);
        if (status == RPT_OK) {
            status = add_task(c, directory, names->list[i], &dir);
            rpt__dir_close(&dir);
        } else if (!is_there(top, names->list[i])) {
            status = RPT_OK;
        }
    }
    return status;
}

static rpt_status_t add_directory(struct rpt_view *c, const char *directory)
{
    struct rpt_dir top = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = open_and_list(directory, &top, &names);

    if (status == RPT_OK && is_there(&top, RPT_MANIFEST) &&
        is_there(&top, RPT_STATE_FILE)) {
        status = refuse_checkpoint(directory);
    } else if (status == RPT_OK && has_checkpoints(&names) &&
               rpt__dir_is_task(&top)) {
        status = add_alone(c, directory, &top);
    } else if (status == RPT_OK) {
        status = add_inner(c, directory, &top, &names);
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&top);
    return status;
}

rpt_status_t rpt__view_find(struct rpt_view *c)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < c->n_directories && status == RPT_OK; i++) {
        status = add_directory(c, c->directories[i]);
    }
    if (c->n_saved > 0) {
        qsort(c->saved, c->n_saved, sizeof *c->saved, newest_first);
    }
    return status;
}

/* ---- state directories ---- */

static bool is_known_pool(const struct rpt_view *c, const struct stat *place)
{
    bool known = false;

    for (size_t i = 0; i < c->n_pools && !known; i++) {
        known = is_same(&c->pools[i].place, place);
    }
    return known;
}

static rpt_status_t append_pool(struct rpt_view *c, const char *path,
                                rpt_state_t *state, const struct stat *place)
{
    struct rpt_view_pool *more = room(c->pools, c->n_pools, sizeof *more);
    struct rpt_view_pool pool = { strdup(path), state, *place };

    if (more != NULL) {
        c->pools = more;
    }
    if (more == NULL || pool.path == NULL) {
        free(pool.path);
        return rpt__fail_nomem(strlen(path) + 1);
    }
    c->pools[c->n_pools++] = pool;
    return RPT_OK;
}

static rpt_status_t add_pool(struct rpt_view *c, const char *path)
{
    rpt_state_t *state = NULL;
    struct stat place = { .st_ino = 0 };
    rpt_status_t status;

    if (stat(path, &place) == 0 && is_known_pool(c, &place)) {
        return RPT_OK;
    }
    status = rpt_state_open(path, &state);
    /* The lock of a task with checkpoints looks like that of a pool. */
    if (status == RPT_OK && rpt_state_summary(state)->n_tasks > 0) {
        status = append_pool(c, path, state, &place);
        if (status == RPT_OK) {
            return RPT_OK;
        }
    }
    rpt_state_close(state);
    return status;
}

static rpt_status_t add_pools_in(struct rpt_view *c, const char *directory)
{
    struct rpt_dir top = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = open_and_list(directory, &top, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        char *path = NULL;

        if (!is_folder(&top, names.list[i])) {
            continue;
        }
        if (asprintf(&path, "%s/%s", directory, names.list[i]) < 0) {
            status = rpt__fail_nomem(strlen(directory));
            break;
        }
        status = add_pool(c, path);
        if (status == RPT_ERR_NOT_FOUND) {
            status = RPT_OK;
        }
        free(path);
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&top);
    return status;
}

rpt_status_t rpt__view_find_pools(struct rpt_view *c)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; !c->has_pools && i < c->n_directories; i++) {
        status = add_pool(c, c->directories[i]);
        if (status == RPT_ERR_NOT_FOUND) {
            status = add_pools_in(c, c->directories[i]);
        }
        if (status != RPT_OK) {
            break;
        }
    }
    /* After a failure those that were found must not be found again. */
    for (; status != RPT_OK && c->n_pools > 0; c->n_pools--) {
        free(c->pools[c->n_pools - 1].path);
        rpt_state_close(c->pools[c->n_pools - 1].state);
    }
    c->has_pools = status == RPT_OK;
    return status;
}

void rpt__view_forget(struct rpt_view *c)
{
    for (size_t i = 0; i < c->n_tasks; i++) {
        free(c->tasks[i].directory);
        free(c->tasks[i].name);
    }
    for (size_t i = 0; i < c->n_saved; i++) {
        rpt__manifest_free(&c->saved[i].manifest);
    }
    for (size_t i = 0; i < c->n_pools; i++) {
        free(c->pools[i].path);
        rpt_state_close(c->pools[i].state);
    }
    rpt__starts_free(c->starts);
    free(c->tasks);
    free(c->saved);
    free(c->pools);
}
