/*
 * commit.c - the steps that make a folder a checkpoint, in their order
 *
 *   1  every rank's section has its seal: its data are on the disk
 *   2  MANIFEST.json, with the digest of blocks.xxh, is written and synced
 *   3  draft.json and lists of files go, the folder is synced
 *   4  the folder gets its name; the folder above is synced
 *
 * A crash before 4 leaves a folder .tmp-ID, of which the next job does the rest
 * when 1 holds.  Nothing is removed before 4 is done.
 */
#include "io/checkpoint/commit.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/routes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

void rpt__opened_free(struct rpt_opened *opened)
{
    rpt__dir_close(&opened->dir);
    rpt__manifest_free(&opened->manifest);
    free(opened->written);
    rpt__buf_free(&opened->blocks);
    *opened = (struct rpt_opened)RPT_OPENED_NONE;
}

rpt_status_t rpt__manifest_load(const struct rpt_dir *dir, bool is_draft,
                                struct rpt_manifest *manifest_out)
{
    const char *name = is_draft ? RPT_DRAFT : RPT_MANIFEST;
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status = rpt__dir_read_all(dir, name, RPT_MANIFEST_BYTES_MAX,
                                            &text);
    char path[512];

    if (status == RPT_OK) {
        snprintf(path, sizeof path, "%s/%s", dir->path, name);
        status = rpt__manifest_read(path, text.data, text.bytes, is_draft,
                                    manifest_out);
    }
    rpt__buf_free(&text);
    return status;
}

static rpt_status_t damaged(const struct rpt_dir *dir, const char *name,
                            const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/%s is damaged", dir->path, name);
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* blocks.xxh as it is; its digest is compared unless the manifest is a
 * draft. */
static rpt_status_t read_blocks(struct rpt_opened *o, bool is_draft,
                                uint32_t n_files[])
{
    struct rpt_digest digest;
    char path[512];
    rpt_status_t status = rpt__dir_read_all(
        &o->dir, RPT_BLOCKS, o->manifest.blocks_bytes, &o->blocks);

    if (status != RPT_OK) {
        return status;
    }
    digest = rpt__digest(o->blocks.data, o->blocks.bytes);
    if (!is_draft && (digest.high != o->manifest.blocks_digest.high ||
                      digest.low != o->manifest.blocks_digest.low)) {
        return damaged(&o->dir, RPT_BLOCKS, "the manifest has another digest");
    }
    o->manifest.blocks_digest = digest;
    snprintf(path, sizeof path, "%s/" RPT_BLOCKS, o->dir.path);
    return rpt__blocks_read(path, o->blocks.data, o->blocks.bytes, &o->manifest,
                            &o->written, &o->n_written, n_files);
}

/* A file that is gone, or no file, is damage; who cannot read cannot say. */
static rpt_status_t judge(const struct rpt_opened *o, rpt_status_t status)
{
    if (status != RPT_ERR_NOT_FOUND && status != RPT_ERR_INVALID) {
        return status;
    }
    return damaged(&o->dir, "", rpt_last_error()->what);
}

/* it-ITERATION-ID, or .bad-ID. */
static bool is_name_of(const char *name, const struct rpt_manifest *m)
{
    char id[RPT_ID_BYTES], good[RPT_FOLDER_NAME_BYTES];

    rpt__folder_name(m->iteration, m->id, good);
    rpt__id_text(m->id, id);
    return strcmp(name, good) == 0 ||
           (strncmp(name, ".bad-", 5) == 0 && strcmp(name + 5, id) == 0);
}

rpt_status_t rpt__opened_read(const struct rpt_dir *task, const char *name,
                              struct rpt_opened *opened_out)
{
    struct rpt_opened o = RPT_OPENED_NONE;
    rpt_status_t status = rpt__dir_open(task, name, &o.dir);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__dir_check(&o.dir, rpt__dir_owner(task));
    if (status == RPT_OK) {
        status = judge(&o, rpt__manifest_load(&o.dir, false, &o.manifest));
    }
    if (status == RPT_OK && !is_name_of(name, &o.manifest)) {
        status = damaged(&o.dir, RPT_MANIFEST, "it is of another checkpoint");
    }
    if (status == RPT_OK) {
        status = judge(&o, read_blocks(&o, false, NULL));
        if (status == RPT_PENDING) {
            status = damaged(&o.dir, RPT_BLOCKS, "a seal is missing");
        }
    }
    if (status != RPT_OK) {
        rpt__opened_free(&o);
        return status;
    }
    *opened_out = o;
    return RPT_OK;
}

/* ---- committing ---- */

static rpt_status_t put_manifest(const struct rpt_opened *o)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status = rpt__dir_remove(&o->dir, RPT_MANIFEST);

    rpt__manifest_write(&o->manifest, false, &text);
    if (status == RPT_OK) {
        status = rpt__buf_status(&text);
    }
    if (status == RPT_OK) {
        status = rpt__dir_put(&o->dir, RPT_MANIFEST, text.data, text.bytes);
    }
    rpt__buf_free(&text);
    return status;
}

/* The lists of files of all ranks that have some; no name twice. */
static rpt_status_t read_files(struct rpt_opened *o, const uint32_t n_files[])
{
    struct rpt_manifest *m = &o->manifest;
    rpt_status_t status = RPT_OK;

    for (int r = 0; r < m->n_ranks && status == RPT_OK; r++) {
        size_t before = m->n_files;

        if (n_files[r] > 0) {
            status = rpt__routes_read(&o->dir, r, m);
        }
        if (status == RPT_OK && m->n_files - before != n_files[r]) {
            return damaged(&o->dir, RPT_BLOCKS, "a list of files is another");
        }
    }
    for (size_t i = 0; i < m->n_files && status == RPT_OK; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(m->files[i].name, m->files[k].name) == 0) {
                rpt__fail(RPT_ERR_EXISTS,
                          "ranks %d and %d both wrote file \"%s\" of the "
                          "checkpoint",
                          m->files[k].rank, m->files[i].rank, m->files[i].name);
                rpt__fail_hint("give each file to one rank");
                return RPT_ERR_EXISTS;
            }
        }
    }
    return status;
}

/* Step 1: RPT_PENDING when something is missing. */
static rpt_status_t read_draft(struct rpt_opened *o)
{
    rpt_status_t status = rpt__manifest_load(&o->dir, true, &o->manifest);
    uint32_t *n_files = NULL;

    if (status == RPT_OK) {
        n_files = calloc((size_t)o->manifest.n_ranks, sizeof *n_files);
        status = n_files != NULL ? read_blocks(o, true, n_files)
                                 : rpt__fail_nomem(4);
    }
    if (status == RPT_OK) {
        status = read_files(o, n_files);
    }
    free(n_files);
    return status == RPT_ERR_NOT_FOUND || status == RPT_ERR_CORRUPT
               ? RPT_PENDING
               : status;
}

static rpt_status_t sync_one(const struct rpt_dir *dir, const char *name)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_open_file(dir, name, false, &fd);

    if (status != RPT_OK) {
        return status;
    }
    error = rpt__sync_file(fd, false);
    close(fd);
    return error == 0 ? RPT_OK : rpt__dir_fail(dir, name, "sync", error, 0);
}

/* A rank that was killed between a write and its sync has left a seal that is
 * in this host's memory only: that is no proof yet. */
static rpt_status_t sync_leftover(const struct rpt_opened *o)
{
    rpt_status_t status = judge(o, sync_one(&o->dir, RPT_STATE_FILE));

    if (status == RPT_OK) {
        status = judge(o, sync_one(&o->dir, RPT_BLOCKS));
    }
    return status == RPT_ERR_CORRUPT ? RPT_PENDING : status;
}

static rpt_status_t commit(const struct rpt_dir *task, const char *name,
                           bool is_leftover,
                           char name_out[RPT_FOLDER_NAME_BYTES])
{
    struct rpt_opened o = RPT_OPENED_NONE;
    char new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rpt__dir_open(task, name, &o.dir);

    if (status != RPT_OK) {
        return status;
    }
    status = read_draft(&o);
    if (status == RPT_OK && is_leftover) {
        status = sync_leftover(&o);
    }
    if (status == RPT_OK) {
        rpt__folder_name(o.manifest.iteration, o.manifest.id, new_name);
        status = put_manifest(&o);
    }
    if (status == RPT_OK) {
        status = rpt__dir_remove(&o.dir, RPT_DRAFT);
    }
    if (status == RPT_OK) {
        status = rpt__routes_forget(&o.dir, &o.manifest);
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(&o.dir);
    }
    if (status == RPT_OK) {
        status = rpt__dir_rename(task, name, new_name);
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(task);
    }
    rpt__opened_free(&o);
    if (status == RPT_OK && name_out != NULL) {
        memcpy(name_out, new_name, sizeof new_name);
    }
    return status;
}

rpt_status_t rpt__commit(const struct rpt_dir *task, const char *name,
                         char name_out[RPT_FOLDER_NAME_BYTES])
{
    return commit(task, name, false, name_out);
}

/* ---- what was left ---- */

static bool begins_with(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

/* A draft that went before the rename: step 3 or 4 is missing. */
static rpt_status_t finish(const struct rpt_dir *task, const char *name)
{
    struct rpt_opened o = RPT_OPENED_NONE;
    char new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rpt__dir_open(task, name, &o.dir);

    if (status != RPT_OK) {
        return status;
    }
    status = rpt__manifest_load(&o.dir, false, &o.manifest);
    if (status == RPT_OK) {
        status = read_blocks(&o, false, NULL);
    }
    if (status == RPT_OK) {
        status = rpt__dir_sync(&o.dir);
    }
    if (status == RPT_OK) {
        rpt__folder_name(o.manifest.iteration, o.manifest.id, new_name);
        status = rpt__dir_rename(task, name, new_name);
    }
    rpt__opened_free(&o);
    if (status == RPT_OK) {
        return rpt__dir_sync(task);
    }
    return status == RPT_ERR_NOT_FOUND || status == RPT_ERR_CORRUPT
               ? RPT_PENDING
               : status;
}

/* What cannot be removed takes room, and does no other harm. */
static void clear(const struct rpt_dir *task, const char *name)
{
    if (rpt__dir_remove(task, name) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", task->path, name,
                 rpt_last_error()->why);
    }
}

static rpt_status_t settle(const struct rpt_dir *task, const char *name)
{
    rpt_status_t status;

    if (begins_with(name, ".old-")) {
        clear(task, name);
        return RPT_OK;
    }
    if (!begins_with(name, ".tmp-")) {
        return RPT_OK;
    }
    status = commit(task, name, true, NULL);
    if (status == RPT_PENDING) {
        status = finish(task, name);
    }
    if (status == RPT_OK) {
        rpt__log(RPT_LOG_WARN,
                 "%s/%s had all its data: the checkpoint was finished",
                 task->path, name);
    }
    if (status == RPT_PENDING) {
        clear(task, name);
        status = RPT_OK;
    }
    return status;
}

rpt_status_t rpt__commit_leftovers(const struct rpt_dir *task)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(task, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        status = settle(task, names.list[i]);
    }
    rpt__dir_names_free(&names);
    return status;
}

/* ---- going ---- */

static rpt_status_t rename_to(const struct rpt_dir *task, const char *name,
                              const char *start, uint64_t id)
{
    char text[RPT_ID_BYTES], new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status;

    rpt__id_text(id, text);
    snprintf(new_name, sizeof new_name, "%s%s", start, text);
    status = rpt__dir_rename(task, name, new_name);
    return status == RPT_OK ? rpt__dir_sync(task) : status;
}

rpt_status_t rpt__retire(const struct rpt_dir *task, const char *name)
{
    char text[RPT_ID_BYTES], old[RPT_FOLDER_NAME_BYTES];
    uint64_t iteration = 0, id = 0;
    rpt_status_t status;

    if (!rpt__folder_parse(name, &iteration, &id)) {
        return rpt__dir_remove(task, name);
    }
    status = rename_to(task, name, ".old-", id);
    if (status != RPT_OK && rpt__dir_lacks(task, name)) {
        status = RPT_OK; /* whoever took it removes it; we help */
    }
    rpt__id_text(id, text);
    snprintf(old, sizeof old, ".old-%s", text);
    return status == RPT_OK ? rpt__dir_remove(task, old) : status;
}

rpt_status_t rpt__put_aside(const struct rpt_dir *task, const char *name,
                            uint64_t id)
{
    return rename_to(task, name, ".bad-", id);
}

/* ---- what there is ---- */

static void look_at(const struct rpt_dir *task, struct rpt_found *found)
{
    struct rpt_dir dir;
    struct rpt_manifest m;
    struct rpt_dir_names names = { NULL, 0 };
    bool has_holes = false;

    if (rpt__dir_open(task, found->name, &dir) != RPT_OK) {
        return;
    }
    if (rpt__manifest_load(&dir, false, &m) == RPT_OK) {
        has_holes = rpt__manifest_has_slots(&m);
        found->time_s = m.time_s;
        for (size_t i = 0; i < m.n_files; i++) {
            found->bytes += m.files[i].bytes;
        }
        rpt__manifest_free(&m);
    }
    if (rpt__dir_list(&dir, &names) == RPT_OK) {
        for (size_t i = 0; i < names.n; i++) {
            found->bytes += rpt__file_room(&dir, names.list[i], has_holes);
        }
        rpt__dir_names_free(&names);
    }
    rpt__dir_close(&dir);
}

static int newest_first(const void *a, const void *b)
{
    const struct rpt_found *x = a, *y = b;

    if (x->iteration != y->iteration) {
        return x->iteration > y->iteration ? -1 : 1;
    }
    if (x->time_s > y->time_s || x->time_s < y->time_s) {
        return x->time_s > y->time_s ? -1 : 1;
    }
    return (x->id < y->id) - (x->id > y->id);
}

rpt_status_t rpt__find_all(const struct rpt_dir *task,
                           struct rpt_found **found_out, size_t *n_out)
{
    struct rpt_dir_names names = { NULL, 0 };
    struct rpt_found *found;
    rpt_status_t status = rpt__dir_list(task, &names);
    size_t n = 0;

    if (status != RPT_OK) {
        return status;
    }
    found = calloc(names.n + 1, sizeof *found);
    if (found == NULL) {
        status = rpt__fail_nomem((names.n + 1) * sizeof *found);
        rpt__dir_names_free(&names);
        return status;
    }
    for (size_t i = 0; i < names.n; i++) {
        if (rpt__folder_parse(names.list[i], &found[n].iteration,
                              &found[n].id)) {
            snprintf(found[n].name, sizeof found[n].name, "%s", names.list[i]);
            look_at(task, &found[n]);
            n++;
        }
    }
    rpt__dir_names_free(&names);
    qsort(found, n, sizeof *found, newest_first);
    *found_out = found;
    *n_out = n;
    return RPT_OK;
}
