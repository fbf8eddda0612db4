/*
 * choose.c - which checkpoint is exported; all ranks verify it
 *
 * Rank 0 looks into the folder; manifest and checksums go to all, and each
 * reads its share of the data.  One that is damaged is an error, not a reason
 * to take another: nobody should analyse what he did not ask for.
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/catalog.h"
#include "io/checkpoint/share.h"
#include "io/checkpoint/talk.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the task ---- */

/* Not any folder: there may be others beside, such as what was exported. */
static bool is_task(const struct rpt_dir *top, const char *name)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    bool is_one = rpt__task_check(name) == NULL &&
                  rpt__dir_open(top, name, &dir) == RPT_OK &&
                  rpt__dir_is_task(&dir);

    rpt__dir_close(&dir);
    return is_one;
}

/* The only one in the directory. */
static rpt_status_t find_task(struct rpt_export *e)
{
    struct rpt_dir_names names = { NULL, 0 };
    struct rpt_buf all = RPT_BUF_EMPTY;
    const char *only = NULL;
    size_t n = 0;
    rpt_status_t status = rpt__dir_list(&e->top, &names);

    for (size_t i = 0; i < names.n; i++) {
        if (is_task(&e->top, names.list[i])) {
            only = names.list[i];
            rpt__buf_printf(&all, "%s%s", n++ > 0 ? ", " : "", only);
        }
    }
    if (status == RPT_OK && n == 1) {
        e->task = strdup(only);
        status = e->task != NULL ? RPT_OK : rpt__fail_nomem(strlen(only) + 1);
    } else if (status == RPT_OK) {
        status = n == 0 ? RPT_ERR_NOT_FOUND : RPT_ERR_INVALID;
        rpt__fail(status,
                  n == 0 ? "there is no task in %s"
                         : "there are several tasks in %s",
                  e->top.path);
        rpt__fail_hint("name a task%s%s", n > 0 ? ": " : "",
                       all.data != NULL ? all.data : "");
    }
    rpt__buf_free(&all);
    rpt__dir_names_free(&names);
    return status;
}

static rpt_status_t open_task(struct rpt_export *e, const char *directory,
                              const char *task)
{
    const char *why = task != NULL ? rpt__task_check(task) : NULL;
    rpt_status_t status = rpt__dir_open_path(directory, &e->top);

    if (status != RPT_OK) {
        return status;
    }
    if (why != NULL) {
        rpt__fail(RPT_ERR_INVALID, "there is no task \"%s\"", task);
        rpt__fail_why("%s", why);
        return RPT_ERR_INVALID;
    }
    if (task == NULL) {
        status = find_task(e);
    } else {
        e->task = strdup(task);
        status = e->task != NULL ? RPT_OK : rpt__fail_nomem(strlen(task) + 1);
    }
    return status == RPT_OK ? rpt__dir_open(&e->top, e->task, &e->dir) : status;
}

/* Collective. */
static rpt_status_t open_folders(struct rpt_export *e, const char *directory,
                                 const char *task)
{
    struct rpt_buf name = RPT_BUF_EMPTY;
    rpt_status_t status = RPT_OK;

    if (e->rank == 0) {
        status = open_task(e, directory, task);
        rpt__buf_str(&name, e->task);
        status = status == RPT_OK ? rpt__buf_status(&name) : status;
    }
    status = rpt__talk_agree(e->group, rpt__export_call, status);
    if (status == RPT_OK) {
        status = rpt__talk_one(e->group, rpt__export_call, &name);
    }
    if (status == RPT_OK && e->rank > 0) {
        struct rpt_reader reader = rpt__reader(name.data, name.bytes);

        status = open_task(e, directory, rpt__read_str(&reader));
        if (status == RPT_ERR_NOT_FOUND) {
            rpt__fail(RPT_ERR_IO, "%s does not reach %s", rpt__export_call,
                      directory);
            rpt__fail_why("rank 0 has opened the task's folder there, this "
                          "rank does not see it");
            rpt__fail_hint("choose a directory that all nodes share");
            status = RPT_ERR_IO;
        }
    }
    rpt__buf_free(&name);
    return rpt__talk_agree(e->group, rpt__export_call, status);
}

/* ---- the checkpoint ---- */

static bool is_number(const char *text, int base, size_t digits)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if (!(base == 16 ? isxdigit((unsigned char)text[i])
                         : isdigit((unsigned char)text[i]))) {
            return false;
        }
    }
    return n > 0 && (digits == 0 || n == digits);
}

/* The newest one that counts, or may: what cannot be read now is an error when
 * it is opened.  If none does, what is wrong is that of one. */
static const struct rpt_found *newest(const struct rpt_export *e,
                                      const struct rpt_found found[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (found[i].counts || found[i].is_unread) {
            for (size_t j = 0; j < i; j++) {
                rpt__log(RPT_LOG_WARN,
                         "%s/%s does not count, so an older one is exported; "
                         "`repartir ckpt list' says why",
                         e->dir.path, found[j].name);
            }
            return &found[i];
        }
    }
    return n > 0 ? &found[0] : NULL;
}

/* Newest first, so the first one that fits is the newest. */
static const struct rpt_found *match(const struct rpt_export *e,
                                     const struct rpt_found found[], size_t n)
{
    const char *which = e->config->checkpoint;
    uint64_t id, iteration;

    if (which == NULL || strcmp(which, "newest") == 0) {
        return newest(e, found, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(found[i].name, which) == 0) {
            return &found[i];
        }
    }
    if (is_number(which, 16, RPT_ID_BYTES - 1)) {
        id = strtoull(which, NULL, 16);
        for (size_t i = 0; i < n; i++) {
            if (found[i].id == id) {
                return &found[i];
            }
        }
    }
    if (is_number(which, 10, 0)) {
        errno = 0;
        iteration = strtoull(which, NULL, 10);
        for (size_t i = 0; i < n && errno == 0; i++) {
            if (found[i].iteration == iteration) {
                return &found[i];
            }
        }
    }
    return NULL;
}

static rpt_status_t none(const struct rpt_export *e, size_t n)
{
    const char *which = e->config->checkpoint;

    if (n == 0) {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no committed checkpoint in %s",
                  e->dir.path);
    } else {
        rpt__fail(RPT_ERR_NOT_FOUND, "there is no checkpoint \"%s\" in %s",
                  which, e->dir.path);
        rpt__fail_hint("give \"newest\", an iteration, an id of 16 hexadecimal "
                       "digits, or the name of a folder");
    }
    return RPT_ERR_NOT_FOUND;
}

/* As long as it is open no job takes the file for another checkpoint; and none
 * has done so before if the folder has its name. */
static rpt_status_t open_state(const struct rpt_export *e,
                               const struct rpt_opened *opened, int *fd_out)
{
    const struct rpt_manifest *m = &opened->manifest;
    char name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rpt__dir_open_file(&opened->dir, RPT_STATE_FILE,
                                             false, fd_out);

    rpt__folder_name(m->iteration, m->id, name);
    return status == RPT_ERR_NOMEM ||
                   rpt__dir_is_still(&e->dir, name, &opened->dir)
               ? status
               : rpt__gone(&e->dir, name);
}

/* Collective: the opened folder `name` of rank 0 is whole, or an error.
 * fd_out: its state.h5, which stays open; NULL: it is not wanted. */
static rpt_status_t verify(struct rpt_export *e, const char *name,
                           struct rpt_opened *opened, rpt_status_t own,
                           int *fd_out)
{
    rpt_status_t status = rpt__talk_agree(e->group, rpt__export_call, own);

    if (status == RPT_OK) {
        status = rpt__opened_share(e->group, rpt__export_call, &e->dir, name,
                                   opened);
        if (status == RPT_OK && fd_out != NULL) {
            status = open_state(e, opened, fd_out);
        }
        status = rpt__verify_together(e->group, rpt__export_call, opened,
                                      status);
    }
    if (status == RPT_ERR_CORRUPT) {
        rpt__fail_hint("nothing was written; export another checkpoint");
    }
    return status;
}

/* Collective. */
static rpt_status_t open_chosen(struct rpt_export *e,
                                const struct rpt_found *chosen)
{
    rpt_status_t status = RPT_OK;

    if (e->rank == 0) {
        status = rpt__opened_read(&e->dir, chosen->name, &e->opened);
    }
    e->has_opened = true;
    return verify(e, e->rank == 0 ? chosen->name : NULL, &e->opened, status,
                  &e->state_fd);
}

/* ---- all checkpoints, for the table of these ---- */

static rpt_status_t note(struct rpt_export *e, const struct rpt_manifest *m)
{
    struct rpt_export_stored *list = realloc(e->stored,
                                             (e->n_stored + 1) * sizeof *list);
    struct rpt_export_stored *s;

    if (list == NULL) {
        return rpt__fail_nomem((e->n_stored + 1) * sizeof *list);
    }
    e->stored = list;
    s = &list[e->n_stored++];
    *s = (struct rpt_export_stored){ .id = m->id,
                                     .iteration = m->iteration,
                                     .time_s = m->time_s,
                                     .bytes = m->file_bytes };
    rpt__folder_name(m->iteration, m->id, s->name);
    return RPT_OK;
}

/* Collective.  RPT_END: rank 0 has no more. */
static rpt_status_t note_one(struct rpt_export *e, const struct rpt_found *f)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    uint64_t end = e->rank == 0 && f == NULL;
    rpt_status_t status = RPT_OK;
    uint64_t *all = calloc((size_t)e->size, sizeof *all);

    if (all == NULL) {
        return rpt__fail_nomem((size_t)e->size * sizeof *all);
    }
    status = rpt__talk_all(e->group, rpt__export_call, &end, sizeof end, all);
    end = all[0];
    free(all);
    if (status != RPT_OK || end) {
        return status == RPT_OK ? RPT_END : status;
    }
    if (f != NULL) {
        status = rpt__opened_read(&e->dir, f->name, &opened);
    }
    status = verify(e, f != NULL ? f->name : NULL, &opened, status,
                    NULL);
    if (status == RPT_OK) {
        status = rpt__talk_agree(e->group, rpt__export_call,
                                 note(e, &opened.manifest));
    }
    rpt__opened_free(&opened);
    return status;
}

/* Collective: the oldest first. */
static rpt_status_t note_all(struct rpt_export *e,
                             const struct rpt_found found[], size_t n,
                             const struct rpt_found *chosen)
{
    bool only_one = e->config->checkpoint != NULL;
    rpt_status_t status = RPT_OK;

    if (only_one && e->has_opened) {
        return rpt__talk_agree(e->group, rpt__export_call,
                               note(e, &e->opened.manifest));
    }
    if (only_one) {
        status = note_one(e, chosen);
        return status == RPT_END ? RPT_OK : status;
    }
    for (size_t i = n; status == RPT_OK; i--) {
        status = note_one(e, e->rank == 0 && i > 0 ? &found[i - 1] : NULL);
        if (status == RPT_ERR_NOT_FOUND) {
            status = RPT_OK; /* a job has removed it meanwhile */
        }
    }
    return status == RPT_END ? RPT_OK : status;
}

rpt_status_t rpt__export_choose(struct rpt_export *e, const char *directory,
                                const char *task)
{
    const struct rpt_found *chosen = NULL;
    struct rpt_found *found = NULL;
    size_t n = 0;
    rpt_status_t status = open_folders(e, directory, task);

    if (status != RPT_OK) {
        return status;
    }
    if (e->rank == 0) {
        status = rpt__find_all(&e->dir, &found, &n);
        chosen = status == RPT_OK ? match(e, found, n) : NULL;
        if (status == RPT_OK && chosen == NULL) {
            status = none(e, n);
        }
    }
    status = rpt__talk_agree(e->group, rpt__export_call, status);
    if (status == RPT_OK && (e->tables & ~RPT_EXPORT_CHECKPOINTS) != 0) {
        status = open_chosen(e, chosen);
    }
    if (status == RPT_OK && (e->tables & RPT_EXPORT_CHECKPOINTS) != 0) {
        status = note_all(e, found, n, chosen);
    }
    free(found);
    return status;
}
