/*
 * hold.c - checkpoints that are open: manifest, checksums, data
 *
 * One that is open stays readable when the job removes it.  A few that nobody
 * reads any more stay open, since a join comes back to them, and so does the
 * newest of a task once somebody has asked for it: all queries of a catalog
 * see the same one.  With many tasks only those of the tasks that were asked
 * for last stay open; of another one it is known which it was, and that it is
 * gone when it was removed since.
 */
#include "io/catalog/catalog_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/choice.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_UNUSED = 4,
    MOST_NEWEST = 16, /* two descriptors each */
    MOST_LOOKS = 100  /* for one that is not removed while it is opened */
};

static rpt_status_t open_task(const struct rpt_view *c, size_t task,
                              struct rpt_dir *dir_out)
{
    struct rpt_dir top = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open_path(c->tasks[task].directory, &top);

    if (status == RPT_OK) {
        status = rpt__dir_open(&top, c->tasks[task].name, dir_out);
    }
    rpt__dir_close(&top);
    return status;
}

static rpt_status_t gone(const struct rpt_dir *task, const char *name)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "checkpoint %s/%s is gone", task->path, name);
    rpt__fail_why("it was removed or put aside since the directory was looked "
                  "at");
    rpt__fail_hint("ask again; the job that writes there keeps as many as "
                   "io.checkpoint.keep says");
    return RPT_ERR_NOT_FOUND;
}

/* is_usable: its manifest and checksums are. */
static rpt_status_t open_it(const struct rpt_dir *task, struct rpt_held *held,
                            bool *is_usable)
{
    rpt_status_t status = rpt__opened_read(task, held->name, &held->opened);

    *is_usable = status == RPT_OK;
    if (status == RPT_OK) {
        status = rpt__state_open(&held->opened.dir, &held->fd);
    }
    /* While it is removed its files go first. */
    if (status != RPT_OK && status != RPT_ERR_NOMEM &&
        faccessat(task->fd, held->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        status = gone(task, held->name);
    }
    return status;
}

static void free_held(struct rpt_held *held)
{
    if (held->fd >= 0) {
        close(held->fd);
    }
    rpt__opened_free(&held->opened);
    free(held);
}

static struct rpt_held *take_out(struct rpt_view *c, size_t task,
                                 const char *name)
{
    for (struct rpt_held **h = &c->held; *h != NULL; h = &(*h)->next) {
        struct rpt_held *held = *h;

        if (held->task == task && strcmp(held->name, name) == 0) {
            *h = held->next;
            return held;
        }
    }
    return NULL;
}

static rpt_status_t hold(struct rpt_view *c, size_t task, const char *name,
                         bool *is_usable, struct rpt_held **held_out)
{
    struct rpt_held *held = take_out(c, task, name);
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = RPT_OK;

    *is_usable = true;
    if (held == NULL) {
        held = calloc(1, sizeof *held);
        if (held == NULL) {
            return rpt__fail_nomem(sizeof *held);
        }
        held->task = task;
        held->fd = -1;
        held->opened = (struct rpt_opened)RPT_OPENED_NONE;
        snprintf(held->name, sizeof held->name, "%s", name);
        status = open_task(c, task, &dir);
        if (status == RPT_OK) {
            status = open_it(&dir, held, is_usable);
        }
        rpt__dir_close(&dir);
        if (status != RPT_OK) {
            free_held(held);
            return status;
        }
    }
    held->n_users++;
    held->next = c->held;
    c->held = held;
    *held_out = held;
    return RPT_OK;
}

rpt_status_t rpt__hold(struct rpt_view *c, size_t task, const char *name,
                       struct rpt_held **held_out)
{
    bool is_usable;

    return hold(c, task, name, &is_usable, held_out);
}

void rpt__unhold(struct rpt_view *c, struct rpt_held *held)
{
    int n_unused[2] = { 0, 0 };

    if (held == NULL) {
        return;
    }
    held->n_users--;
    for (struct rpt_held **h = &c->held; *h != NULL;) {
        struct rpt_held *one = *h;
        bool is_newest = one->is_newest;

        n_unused[is_newest] += one->n_users == 0;
        if (one->n_users == 0 &&
            n_unused[is_newest] > (is_newest ? MOST_NEWEST : MOST_UNUSED)) {
            *h = one->next;
            free_held(one);
        } else {
            h = &one->next;
        }
    }
}

void rpt__unhold_all(struct rpt_view *c)
{
    while (c->held != NULL) {
        struct rpt_held *held = c->held;

        c->held = held->next;
        free_held(held);
    }
}

/* ---- the newest ---- */

/* One look: RPT_END, it changes. */
static rpt_status_t look(struct rpt_view *c, size_t task,
                         struct rpt_held **held_out)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    struct rpt_found *found = NULL;
    size_t n = 0;
    rpt_status_t status = open_task(c, task, &dir);
    rpt_status_t refused = RPT_OK;

    if (status == RPT_OK) {
        status = rpt__find_all(&dir, &found, &n);
    }
    for (size_t i = 0; i < n && status == RPT_OK && *held_out == NULL; i++) {
        bool is_usable;

        status = hold(c, task, found[i].name, &is_usable, held_out);
        if (status == RPT_ERR_NOT_FOUND) {
            status = RPT_END;
        } else if (!is_usable && rpt__choice_passes(status)) {
            rpt__log(RPT_LOG_WARN, "%s/%s is passed over: %s (%s)", dir.path,
                     found[i].name, rpt_last_error()->what,
                     rpt_last_error()->why);
            refused = status;
            status = RPT_OK;
        }
    }
    free(found);
    if (status == RPT_OK && *held_out == NULL && refused == RPT_OK) {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s has no checkpoint", dir.path);
        status = RPT_ERR_NOT_FOUND;
    } else if (status == RPT_OK && *held_out == NULL) {
        status = refused; /* recorded: of the oldest one */
    }
    rpt__dir_close(&dir);
    return status;
}

rpt_status_t rpt__hold_newest(struct rpt_view *c, size_t task,
                              struct rpt_held **held_out)
{
    struct rpt_held *held = NULL;
    rpt_status_t status = RPT_END;

    if (c->tasks[task].newest[0] != '\0') {
        status = rpt__hold(c, task, c->tasks[task].newest, &held);
        if (status == RPT_OK) {
            held->is_newest = true;
            *held_out = held;
        }
        return status;
    }
    for (int i = 0; i < MOST_LOOKS && status == RPT_END; i++) {
        status = look(c, task, &held);
    }
    if (status == RPT_END) {
        return RPT_ERR_NOT_FOUND; /* recorded: of the last one */
    }
    if (status == RPT_OK) {
        held->is_newest = true;
        memcpy(c->tasks[task].newest, held->name, sizeof held->name);
        *held_out = held;
    }
    return status;
}

rpt_status_t rpt__saved_judge(struct rpt_view *c, struct rpt_saved *saved)
{
    struct rpt_held *held = NULL;
    rpt_status_t status;

    if (saved->state != RPT_FOUND_UNKNOWN) {
        return RPT_OK;
    }
    status = rpt__hold(c, saved->task, saved->name, &held);
    rpt__unhold(c, held);
    switch (status) {
    case RPT_ERR_NOMEM:
        return status;
    case RPT_OK:
        saved->state = RPT_FOUND_COMMITTED;
        break;
    case RPT_ERR_CORRUPT:
        saved->state = RPT_FOUND_DAMAGED;
        break;
    case RPT_ERR_NOT_FOUND:
        saved->state = RPT_FOUND_REMOVED;
        break;
    default:
        saved->state = RPT_FOUND_UNREADABLE;
        break;
    }
    return RPT_OK;
}
