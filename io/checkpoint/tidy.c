/*
 * tidy.c - removes checkpoints, while a job may write others
 *
 * What is committed goes as a job lets it go: it is renamed to .old-ID, which
 * counts for nobody, then removed.  Two that remove the same one help each
 * other.  A .tmp- folder is the job's: it goes only with the task's lock in our
 * hand, so that no job can begin meanwhile.
 */
#include "io/checkpoint/catalog_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALT "HALT"

enum { MOST_LOOKS = 20 };

/* A task as it is now. */
struct task {
    const char *name; /* the catalog's */
    struct rpt_dir dir;
    struct rpt_folders folders;
    int lock_fd;
};

static rpt_status_t open_task(const struct rpt_catalog *c, const char *name,
                              struct task *task)
{
    const struct rpt_shelf *shelf;
    rpt_status_t status = rpt__catalog_shelf(c, name, &shelf);

    *task = (struct task){ .dir = RPT_DIR_CLOSED, .lock_fd = -1 };
    if (status == RPT_OK) {
        task->name = shelf->name;
        status = rpt__dir_open(&c->top, task->name, &task->dir);
    }
    if (status == RPT_OK) {
        status = rpt__folders_read(&task->dir, task->name, NULL,
                                   &task->folders);
    }
    return status;
}

static void close_task(struct task *task)
{
    rpt__folders_free(&task->folders);
    rpt__dir_close(&task->dir);
    rpt__lock_give(task->lock_fd);
}

/* So that no job can open it.  RPT_ERR_BUSY: one has. */
static rpt_status_t take_lock(const struct rpt_catalog *c, struct task *task)
{
    rpt_status_t status = rpt__lock_take(&c->top, task->name, &task->dir, NULL,
                                         &task->lock_fd);

    if (status == RPT_ERR_NOT_FOUND) {
        return RPT_OK; /* no job ever opened it */
    }
    return status == RPT_PENDING ? RPT_ERR_BUSY : status;
}

/* ---- one goes ---- */

static rpt_status_t let_go(const struct task *task,
                           const rpt_catalog_entry_t *entry,
                           const struct rpt_tidying *tidying)
{
    rpt_status_t status = (tidying->flags & RPT_CATALOG_DRY_RUN) != 0
                              ? RPT_OK
                              : rpt__retire(&task->dir, entry->name);

    if (status == RPT_OK && tidying->fn != NULL) {
        tidying->fn(tidying->user, entry);
    }
    return status;
}

static rpt_status_t remove_old(const struct task *task,
                               const struct rpt_tidying *tidying)
{
    return (tidying->flags & RPT_CATALOG_DRY_RUN) != 0
               ? RPT_OK
               : rpt__clear_old(&task->dir, task->lock_fd >= 0);
}

/* ---- by rules ---- */

/* Those whose manifest is right stand first. */
static size_t n_good(const struct rpt_folders *folders)
{
    size_t n = 0;

    while (n < folders->n &&
           folders->list[n]->entry.state == RPT_STORED_COMMITTED) {
        n++;
    }
    return n;
}

static rpt_status_t choose(const struct task *task,
                           const rpt_options_t *options, bool goes[])
{
    struct rpt_retention rules = rpt__retention_of(options);
    size_t n = n_good(&task->folders);
    struct rpt_found *found = calloc(n + 1, sizeof *found);
    struct rpt_history history;
    rpt_status_t status = found != NULL
                              ? rpt__history_read(&task->dir, false, &history)
                              : rpt__fail_nomem((n + 1) * sizeof *found);

    if (status == RPT_OK) {
        rules.verified = history.last_verified;
        for (size_t i = 0; i < n; i++) {
            const rpt_catalog_entry_t *e = &task->folders.list[i]->entry;

            found[i].iteration = e->iteration;
            found[i].id = e->id;
            found[i].time_s = e->time_s;
            found[i].bytes = e->bytes;
        }
        rpt__retention_choose(&rules, found, n, rpt__wall_s(), goes);
    }
    free(found);
    return status;
}

/* The newest one stays, so it had better be whole.  RPT_END: it went meanwhile,
 * recorded. */
static rpt_status_t verify_newest(const struct task *task)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    const char *name;
    rpt_status_t status;

    if (n_good(&task->folders) == 0) {
        return RPT_OK;
    }
    name = task->folders.list[0]->name;
    status = rpt__opened_read(&task->dir, name, &opened);
    if (status == RPT_OK) {
        status = rpt__verify(&opened, 0, 1);
    }
    rpt__opened_free(&opened);
    if (status != RPT_OK && rpt__dir_lacks(&task->dir, name)) {
        rpt__gone(&task->dir, name);
        return RPT_END;
    }
    if (status == RPT_ERR_CORRUPT) {
        rpt__fail_hint("nothing was removed; the checkpoints before that one "
                       "are needed: remove it by `repartir ckpt rm --force', "
                       "then prune");
    }
    return status;
}

static rpt_status_t prune(const struct task *task, const bool goes[],
                          const struct rpt_tidying *tidying)
{
    rpt_status_t status = RPT_OK, one;

    for (size_t i = task->folders.n; i > 0; i--) {
        const rpt_catalog_entry_t *e = &task->folders.list[i - 1]->entry;
        bool is_damaged = e->state == RPT_STORED_DAMAGED ||
                          e->state == RPT_STORED_BAD;

        if (goes[i - 1] ||
            (is_damaged && (tidying->flags & RPT_CATALOG_DAMAGED) != 0)) {
            one = let_go(task, e, tidying);
            status = one != RPT_OK ? one : status;
        }
    }
    return status;
}

/* One look. */
static rpt_status_t prune_once(const struct rpt_catalog *c, const char *name,
                               const rpt_options_t *options,
                               const struct rpt_tidying *tidying)
{
    /* What only looks whole must not outlive what is. */
    bool reads = (tidying->flags &
                  (RPT_CATALOG_VERIFY | RPT_CATALOG_DAMAGED)) != 0;
    struct task task;
    bool *goes = NULL;
    rpt_status_t status = open_task(c, name, &task);

    if (status == RPT_OK) {
        goes = calloc(task.folders.n + 1, sizeof *goes);
        status = goes != NULL ? choose(&task, options, goes)
                              : rpt__fail_nomem(task.folders.n + 1);
    }
    if (status == RPT_OK && reads) {
        status = verify_newest(&task);
    }
    if (status == RPT_OK) {
        status = prune(&task, goes, tidying);
    }
    if (status == RPT_OK) {
        status = remove_old(&task, tidying);
    }
    free(goes);
    close_task(&task);
    return status;
}

rpt_status_t rpt__catalog_prune(const struct rpt_catalog *c, const char *name,
                                const rpt_options_t *options,
                                const struct rpt_tidying *tidying)
{
    rpt_options_t *own = NULL;
    rpt_status_t status = options != NULL ? RPT_OK
                                          : rpt__options_copy(NULL, &own);

    if (status == RPT_OK) {
        int looks = 0;

        do {
            status = prune_once(c, name, options != NULL ? options : own,
                                tidying);
        } while (status == RPT_END && ++looks < MOST_LOOKS);
    }
    rpt_options_destroy(own);
    return status == RPT_END ? RPT_ERR_NOT_FOUND : status;
}

/* ---- by name ---- */

static rpt_status_t keep_newest(const struct task *task, const char *name)
{
    rpt__fail(RPT_ERR_STATE, "%s/%s is not removed", task->dir.path, name);
    rpt__fail_why("it is the newest checkpoint that counts: the program would "
                  "go on from it");
    rpt__fail_hint("say that you mean it (--force, RPT_CATALOG_FORCE)");
    return RPT_ERR_STATE;
}

rpt_status_t rpt__catalog_remove(const struct rpt_catalog *c, const char *name,
                                 const char *which,
                                 const struct rpt_tidying *tidying)
{
    struct task task;
    const rpt_catalog_entry_t *entry;
    rpt_status_t status = open_task(c, name, &task);

    if (status == RPT_OK) {
        status = rpt__folders_find(&task.folders, task.dir.path, which, &entry);
    }
    if (status == RPT_OK && entry == &task.folders.list[0]->entry &&
        entry->state == RPT_STORED_COMMITTED &&
        (tidying->flags & RPT_CATALOG_FORCE) == 0) {
        status = keep_newest(&task, entry->name);
    }
    if (status == RPT_OK && entry->state == RPT_STORED_TMP) {
        status = take_lock(c, &task);
    }
    if (status == RPT_OK) {
        status = let_go(&task, entry, tidying);
    }
    close_task(&task);
    return status;
}

/* ---- a whole task ---- */

static rpt_status_t keep_task(const struct task *task)
{
    rpt__fail(RPT_ERR_STATE, "%s is not removed", task->dir.path);
    rpt__fail_why("it has %zu checkpoints that count", n_good(&task->folders));
    rpt__fail_hint("say that you mean it (--force, RPT_CATALOG_FORCE)");
    return RPT_ERR_STATE;
}

/* The folder last: while it has a lock, nobody but us. */
static rpt_status_t remove_folder(const struct rpt_catalog *c,
                                  const struct task *task)
{
    rpt_status_t status = rpt__dir_remove(&task->dir, RPT_EVENTS_NEW);

    if (status == RPT_OK) {
        status = rpt__dir_remove(&task->dir, RPT_EVENTS);
    }
    if (status == RPT_OK) {
        status = rpt__dir_remove(&task->dir, "lock");
    }
    if (status == RPT_OK &&
        unlinkat(c->top.fd, task->name, AT_REMOVEDIR) != 0 &&
        errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT) {
        status = rpt__dir_fail(&c->top, task->name, "remove", errno, 0);
    }
    return status;
}

rpt_status_t rpt__catalog_remove_task(const struct rpt_catalog *c,
                                      const char *name,
                                      const struct rpt_tidying *tidying)
{
    struct task task;
    rpt_status_t status = open_task(c, name, &task);

    if (status == RPT_OK && n_good(&task.folders) > 0 &&
        (tidying->flags & RPT_CATALOG_FORCE) == 0) {
        status = keep_task(&task);
    }
    if (status == RPT_OK) {
        status = take_lock(c, &task);
    }
    for (size_t i = task.folders.n; i > 0 && status == RPT_OK; i--) {
        status = let_go(&task, &task.folders.list[i - 1]->entry, tidying);
    }
    if (status == RPT_OK) {
        status = remove_old(&task, tidying);
    }
    if (status == RPT_OK && (tidying->flags & RPT_CATALOG_DRY_RUN) == 0) {
        status = remove_folder(c, &task);
    }
    close_task(&task);
    return status;
}

/* ---- HALT ---- */

rpt_status_t rpt__catalog_halt(const struct rpt_catalog *c, bool on)
{
    int fd;

    if (!on) {
        return unlinkat(c->top.fd, HALT, 0) == 0 || errno == ENOENT
                   ? RPT_OK
                   : rpt__dir_fail(&c->top, HALT, "remove", errno, 0);
    }
    fd = openat(c->top.fd, HALT,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        int error = errno;

        return error == EEXIST && rpt__catalog_is_halted(c)
                   ? RPT_OK
                   : rpt__dir_fail(&c->top, HALT, "make", error, 0);
    }
    close(fd);
    return RPT_OK;
}

bool rpt__catalog_is_halted(const struct rpt_catalog *c)
{
    struct stat found;

    /* A folder is a task of that name. */
    return fstatat(c->top.fd, HALT, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISDIR(found.st_mode);
}
