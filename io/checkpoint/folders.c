/*
 * folders.c - what is in a task's folder at one moment, for who has no lock
 *
 * A job may commit, put aside and remove while we look.  A folder that was
 * listed and is not there any more may have another name by then, so that it
 * would be missed: we list again, some times.
 */
#include "io/checkpoint/catalog_priv.h"

#include "base/error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_LOOKS = 20, MOST_LEVELS = 128 };

/* ---- names ---- */

static bool parse_id(const char *text, uint64_t *id_out)
{
    if (strlen(text) != RPT_ID_BYTES - 1 ||
        strspn(text, "0123456789abcdef") != RPT_ID_BYTES - 1) {
        return false;
    }
    *id_out = strtoull(text, NULL, 16);
    return true;
}

bool rpt__folder_kind(const char *name, rpt_stored_state_t *state_out,
                      uint64_t *iteration_out, uint64_t *id_out)
{
    *iteration_out = 0;
    if (strncmp(name, ".bad-", 5) == 0) {
        *state_out = RPT_STORED_BAD;
        return parse_id(name + 5, id_out);
    }
    if (strncmp(name, ".tmp-", 5) == 0) {
        *state_out = RPT_STORED_TMP;
        return parse_id(name + 5, id_out);
    }
    *state_out = RPT_STORED_COMMITTED;
    return rpt__folder_parse(name, iteration_out, id_out);
}

/* ---- one folder ---- */

/* Of its files, and of those in folders in it, so many levels. */
static uint64_t bytes_in(const struct rpt_dir *dir, int levels, bool has_holes)
{
    struct rpt_dir_names names = { NULL, 0 };
    uint64_t bytes = 0;

    if (rpt__dir_list(dir, &names) != RPT_OK) {
        return 0;
    }
    for (size_t i = 0; i < names.n; i++) {
        struct rpt_dir inner = RPT_DIR_CLOSED;
        struct stat file;

        if (fstatat(dir->fd, names.list[i], &file, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (S_ISREG(file.st_mode)) {
            bytes += rpt__file_room(dir, names.list[i], has_holes);
        } else if (S_ISDIR(file.st_mode) && levels > 0 &&
                   rpt__dir_open(dir, names.list[i], &inner) == RPT_OK) {
            bytes += bytes_in(&inner, levels - 1, false);
            rpt__dir_close(&inner);
        }
    }
    rpt__dir_names_free(&names);
    return bytes;
}

/* What a manifest knows is not counted again: there may be many. */
static uint64_t bytes_of(const struct rpt_dir *dir, const struct rpt_folder *f)
{
    const struct rpt_manifest *m = &f->manifest;
    bool known = m->task != NULL && f->entry.state != RPT_STORED_TMP;
    uint64_t bytes = bytes_in(dir, known ? 0 : MOST_LEVELS,
                              rpt__manifest_has_slots(m));

    for (size_t i = 0; known && i < m->n_files; i++) {
        bytes += m->files[i].bytes;
    }
    return bytes;
}

/* A committed one that is none, and why. */
static void note_flaw(struct rpt_folder *f, rpt_stored_state_t state)
{
    const rpt_error_t *error = rpt_last_error();

    if (f->entry.state == RPT_STORED_COMMITTED) {
        f->entry.state = state;
        snprintf(f->why, sizeof f->why, "%s%s%s%s", error->what,
                 error->why[0] != '\0' ? " (" : "", error->why,
                 error->why[0] != '\0' ? ")" : "");
    }
}

static rpt_stored_state_t state_of(rpt_status_t status)
{
    return status == RPT_ERR_CORRUPT || status == RPT_ERR_INVALID ||
                   status == RPT_ERR_NOT_FOUND
               ? RPT_STORED_DAMAGED
               : RPT_STORED_UNREADABLE;
}

static rpt_status_t load(struct rpt_folder *f, const struct rpt_dir *dir)
{
    const rpt_catalog_entry_t *e = &f->entry;
    rpt_status_t status = RPT_ERR_NOT_FOUND;

    if (e->state == RPT_STORED_TMP) {
        status = rpt__manifest_load(dir, true, &f->manifest);
    }
    /* The draft goes before the commit. */
    if (status == RPT_ERR_NOT_FOUND) {
        status = rpt__manifest_load(dir, false, &f->manifest);
    }
    if (status == RPT_OK &&
        (f->manifest.id != e->id || (e->state == RPT_STORED_COMMITTED &&
                                     f->manifest.iteration != e->iteration))) {
        rpt__manifest_free(&f->manifest);
        rpt__fail(RPT_ERR_CORRUPT, "%s is not used", dir->path);
        rpt__fail_why("its manifest is of another checkpoint");
        status = RPT_ERR_CORRUPT;
    }
    return status;
}

static void describe(struct rpt_folder *f)
{
    const struct rpt_manifest *m = &f->manifest;
    rpt_catalog_entry_t *e = &f->entry;
    bool known = m->task != NULL;

    e->size = sizeof *e;
    e->task = f->task;
    e->name = f->name;
    e->why = f->why;
    e->engine = known ? m->engine : "";
    e->host = known ? m->host : "";
    e->library = known ? m->library : "";
    if (known) {
        e->iteration = m->iteration;
        e->time_s = m->time_s;
        e->n_ranks = m->n_ranks;
        e->n_datasets = m->n_datasets;
        e->n_files = m->n_files;
    }
}

/* RPT_END: it is not there any more. */
static rpt_status_t look_at(const struct rpt_dir *task, struct rpt_folder *f)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open(task, f->name, &dir);

    if (status == RPT_OK) {
        status = load(f, &dir);
    }
    if (status == RPT_OK &&
        rpt__dir_check(&dir, rpt__dir_owner(task)) != RPT_OK) {
        note_flaw(f, RPT_STORED_UNREADABLE); /* as a restore does */
    } else if (status != RPT_OK && status != RPT_ERR_NOMEM) {
        note_flaw(f, state_of(status));
        status = RPT_OK;
    }
    if (dir.fd >= 0) {
        f->entry.bytes = bytes_of(&dir, f);
        rpt__dir_close(&dir);
    }
    if (rpt__dir_lacks(task, f->name)) {
        return RPT_END;
    }
    describe(f);
    return status;
}

/* ---- all of them ---- */

static void free_folder(struct rpt_folder *f)
{
    if (f != NULL) {
        rpt__manifest_free(&f->manifest);
        free(f->task);
        free(f);
    }
}

void rpt__folders_free(struct rpt_folders *folders)
{
    for (size_t i = 0; i < folders->n; i++) {
        free_folder(folders->list[i]);
    }
    free(folders->list);
    *folders = (struct rpt_folders){ NULL, 0 };
}

static int in_order(const void *a, const void *b)
{
    const struct rpt_folder *const *p = a, *const *q = b;
    const rpt_catalog_entry_t *x = &(*p)->entry, *y = &(*q)->entry;

    if (x->state != y->state) {
        return x->state < y->state ? -1 : 1;
    }
    if (x->iteration != y->iteration) {
        return x->iteration > y->iteration ? -1 : 1;
    }
    if (x->time_s > y->time_s || x->time_s < y->time_s) {
        return x->time_s > y->time_s ? -1 : 1;
    }
    return (x->id < y->id) - (x->id > y->id);
}

static rpt_status_t add(const struct rpt_dir *dir, const char *task,
                        const char *name, struct rpt_folders *folders)
{
    struct rpt_folder *f = calloc(1, sizeof *f);
    rpt_status_t status;

    if (f == NULL || (f->task = strdup(task)) == NULL) {
        free(f);
        return rpt__fail_nomem(sizeof *f);
    }
    snprintf(f->name, sizeof f->name, "%s", name);
    rpt__folder_kind(name, &f->entry.state, &f->entry.iteration, &f->entry.id);
    status = look_at(dir, f);
    if (status != RPT_OK) {
        free_folder(f);
        return status;
    }
    folders->list[folders->n++] = f;
    return RPT_OK;
}

/* RPT_END: something was gone. */
static rpt_status_t read_once(const struct rpt_dir *dir, const char *task,
                              const char *only, struct rpt_folders *folders)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(dir, &names), one;
    rpt_stored_state_t state;
    uint64_t iteration, id;

    if (status == RPT_OK) {
        folders->list = calloc(names.n + 1, sizeof(struct rpt_folder *));
        if (folders->list == NULL) {
            status = rpt__fail_nomem((names.n + 1) * sizeof(void *));
        }
    }
    for (size_t i = 0; status >= RPT_OK && i < names.n; i++) {
        const char *name = names.list[i];

        if (rpt__folder_kind(name, &state, &iteration, &id) &&
            (only == NULL || strcmp(only, name) == 0)) {
            one = add(dir, task, name, folders);
            status = one == RPT_OK ? status : one;
        }
    }
    rpt__dir_names_free(&names);
    return status;
}

rpt_status_t rpt__folders_read(const struct rpt_dir *dir, const char *task,
                               const char *only,
                               struct rpt_folders *folders_out)
{
    struct rpt_folders folders = { NULL, 0 };
    rpt_status_t status = RPT_END;

    for (int i = 0; status == RPT_END && i < MOST_LOOKS; i++) {
        rpt__folders_free(&folders);
        status = read_once(dir, task, only, &folders);
    }
    if (status < RPT_OK) {
        rpt__folders_free(&folders);
        return status;
    }
    if (folders.n > 0) {
        qsort(folders.list, folders.n, sizeof(struct rpt_folder *), in_order);
    }
    *folders_out = folders;
    return RPT_OK;
}

/* ---- finding one ---- */

static bool is_it(const rpt_catalog_entry_t *e, const char *which, bool by_name)
{
    char id[RPT_ID_BYTES], iteration[RPT_FOLDER_NAME_BYTES];

    rpt__id_text(e->id, id);
    snprintf(iteration, sizeof iteration, "%" PRIu64, e->iteration);
    return by_name ? strcmp(which, e->name) == 0 || strcmp(which, id) == 0
                   : e->state <= RPT_STORED_UNREADABLE &&
                         strcmp(which + strspn(which, "0"),
                                e->iteration > 0 ? iteration : "") == 0;
}

rpt_status_t rpt__folders_find(const struct rpt_folders *folders,
                               const char *path, const char *which,
                               const rpt_catalog_entry_t **entry_out)
{
    bool is_newest = which == NULL || strcmp(which, "newest") == 0;
    bool is_number = !is_newest && which[0] != '\0' &&
                     which[strspn(which, "0123456789")] == '\0';

    for (int by_name = 1; by_name >= 0; by_name--) {
        for (size_t i = 0; i < folders->n; i++) {
            const rpt_catalog_entry_t *e = &folders->list[i]->entry;

            if (is_newest ? e->state == RPT_STORED_COMMITTED
                          : (by_name != 0 || is_number) &&
                                is_it(e, which, by_name != 0)) {
                *entry_out = e;
                return RPT_OK;
            }
        }
    }
    if (is_newest) {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s has no checkpoint", path);
        rpt__fail_why("nothing was committed there, or nothing that can be "
                      "read");
    } else {
        rpt__fail(RPT_ERR_NOT_FOUND, "%s has no checkpoint \"%s\"", path,
                  which);
        rpt__fail_why("it was removed, or there never was one");
    }
    rpt__fail_hint("`repartir ckpt list' tells what is there; give the name "
                   "of a folder, an id, an iteration or \"newest\"");
    return RPT_ERR_NOT_FOUND;
}

rpt_status_t rpt__folders_path(const char *task, const char *which,
                               char **path_out)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    struct rpt_folders folders = { NULL, 0 };
    const rpt_catalog_entry_t *entry = NULL;
    char *real = realpath(task, NULL), *path;
    rpt_status_t status = real != NULL &&
                                  rpt__dir_open_path(real, &dir) == RPT_OK &&
                                  rpt__dir_is_task(&dir)
                              ? RPT_OK
                              : RPT_END;

    if (status == RPT_OK) {
        status = rpt__folders_read(&dir, "", NULL, &folders);
    }
    if (status == RPT_OK) {
        status = rpt__folders_find(&folders, real, which, &entry);
    }
    if (status == RPT_OK) {
        if (asprintf(&path, "%s/%s", real, entry->name) < 0) {
            status = rpt__fail_nomem(strlen(real));
        } else {
            *path_out = path;
        }
    }
    rpt__folders_free(&folders);
    rpt__dir_close(&dir);
    free(real);
    return status;
}
