/*
 * commit.c - the steps that make a folder a checkpoint, in their order
 *
 *   1  every rank's section has its seal: its data are on the disk
 *   2  MANIFEST.json, with the digest of blocks.xxh, is written and synced;
 *      then the folder, which has its name
 *   3  draft.json and lists of files go: until 2 the next job begins from them
 *   4  the folder gets its name; the folder above is synced
 *
 * A job that is killed before 4 leaves a folder .tmp-ID, of which the next one
 * does the rest when 1 holds.  A power failure before 4 may take it away, or
 * any part of it that was not synced: then it is removed.  Nothing else is
 * removed before 4 is done.  tests/model tries all of it.
 */
#include "io/checkpoint/commit.h"

#include "base/again.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/routes.h"

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

rpt_status_t rpt__gone(const struct rpt_dir *task, const char *name)
{
    rpt__fail(RPT_ERR_NOT_FOUND, "%s/%s is gone", task->path, name);
    rpt__fail_why("a job, or somebody else, removed or renamed it meanwhile");
    rpt__fail_hint("list the checkpoints again");
    return RPT_ERR_NOT_FOUND;
}

static rpt_status_t damaged(const struct rpt_dir *dir, const char *name,
                            const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/%s is damaged", dir->path, name);
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

/* A file that is gone, or no file, is damage; who cannot read cannot say. */
static rpt_status_t judge(const struct rpt_dir *dir, const char *name,
                          rpt_status_t status)
{
    char why[256];

    if (status != RPT_ERR_NOT_FOUND && status != RPT_ERR_INVALID) {
        return status;
    }
    snprintf(why, sizeof why, "%s",
             status == RPT_ERR_NOT_FOUND ? "it is not there"
                                         : rpt_last_error()->why);
    return damaged(dir, name, why);
}

rpt_status_t rpt__state_open(const struct rpt_dir *dir, int *fd_out)
{
    return judge(dir, RPT_STATE_FILE,
                 rpt__dir_open_file(dir, RPT_STATE_FILE, false, fd_out));
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
        status = judge(&o.dir, RPT_MANIFEST,
                       rpt__manifest_load(&o.dir, false, &o.manifest));
    }
    if (status == RPT_OK && !is_name_of(name, &o.manifest)) {
        status = damaged(&o.dir, RPT_MANIFEST, "it is of another checkpoint");
    }
    if (status == RPT_OK) {
        status = judge(&o.dir, RPT_BLOCKS, read_blocks(&o, false, NULL));
        if (status == RPT_PENDING) {
            status = damaged(&o.dir, RPT_BLOCKS, "a seal is missing");
        }
    }
    /* Who removes one takes its name away first. */
    if (status != RPT_OK && !rpt__dir_is_still(task, name, &o.dir)) {
        status = rpt__gone(task, name);
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
    /* Nobody would read it. */
    if (status == RPT_OK && text.bytes > RPT_MANIFEST_BYTES_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW, "a manifest of %zu bytes", text.bytes);
        rpt__fail_why("there may be %d, and it lists %zu files of the program",
                      RPT_MANIFEST_BYTES_MAX, o->manifest.n_files);
        rpt__fail_hint("write fewer files, with shorter names");
        status = RPT_ERR_OVERFLOW;
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

static rpt_status_t drop_draft(const struct rpt_opened *o)
{
    rpt_status_t status = rpt__dir_remove(&o->dir, RPT_DRAFT);

    return status == RPT_OK ? rpt__routes_forget(&o->dir, &o->manifest)
                            : status;
}

/* Steps 2 to 4, but for the last sync. */
static rpt_status_t give_name(const struct rpt_dir *task, const char *name,
                              const struct rpt_opened *o,
                              char new_name[RPT_FOLDER_NAME_BYTES])
{
    rpt_status_t status = put_manifest(o);

    if (status == RPT_OK) {
        status = rpt__dir_sync(&o->dir);
    }
    if (status == RPT_OK) {
        status = drop_draft(o);
    }
    if (status == RPT_OK) {
        rpt__folder_name(o->manifest.iteration, o->manifest.id, new_name);
        status = rpt__dir_rename(task, name, new_name);
    }
    return status;
}

rpt_status_t rpt__commit(const struct rpt_dir *task, const char *name,
                         char name_out[RPT_FOLDER_NAME_BYTES])
{
    struct rpt_opened o = RPT_OPENED_NONE;
    char new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rpt__dir_open(task, name, &o.dir);

    if (status != RPT_OK) {
        return status;
    }
    status = read_draft(&o);
    if (status == RPT_OK) {
        status = give_name(task, name, &o, new_name);
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

/* ---- what was left ---- */

/* What a power failure or a removal that was cut short has left of a folder may
 * lack any of its files. */
static rpt_status_t look_for_files(const struct rpt_opened *o)
{
    const struct rpt_manifest *m = &o->manifest;
    rpt_status_t status = rpt__dir_is_long(&o->dir, RPT_STATE_FILE,
                                           m->file_bytes);

    for (size_t i = 0; i < m->n_files && status == RPT_OK; i++) {
        status = rpt__routed_is_long(&o->dir, &m->files[i]);
    }
    return status;
}

/* A seal that is read may be in memory only, when its rank was killed before it
 * had synced it.  What it is about is on the disk. */
static rpt_status_t sync_seals(const struct rpt_opened *o)
{
    int fd = -1, error;
    rpt_status_t status = rpt__dir_open_file(&o->dir, RPT_BLOCKS, false, &fd);

    if (status != RPT_OK) {
        return status;
    }
    error = rpt__sync_file(fd, true);
    close(fd);
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(&o->dir, RPT_BLOCKS, "sync", error, 0);
}

/* What was read of a leftover.  RPT_PENDING: it is not all there, or could
 * never be committed; RPT_END: nobody can say, it stays as it is. */
static rpt_status_t judge_leftover(rpt_status_t status)
{
    switch (status) {
    case RPT_OK:
    case RPT_PENDING:
    case RPT_ERR_NOMEM:
        return status;
    case RPT_ERR_NOT_FOUND:
    case RPT_ERR_CORRUPT:
    case RPT_ERR_INVALID: /* no file */
    case RPT_ERR_EXISTS:
    case RPT_ERR_OVERFLOW:
        return RPT_PENDING;
    default:
        return RPT_END;
    }
}

static rpt_status_t commit_leftover(const struct rpt_dir *task,
                                    const char *name, struct rpt_opened *o)
{
    char new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = read_draft(o);

    if (status == RPT_OK) {
        status = look_for_files(o);
    }
    status = judge_leftover(status);
    if (status == RPT_OK) {
        status = sync_seals(o);
    }
    return status == RPT_OK ? give_name(task, name, o, new_name) : status;
}

/* The draft went, or a power failure took it: only the name is missing. */
static rpt_status_t finish(const struct rpt_dir *task, const char *name,
                           struct rpt_opened *o)
{
    char new_name[RPT_FOLDER_NAME_BYTES];
    rpt_status_t status = rpt__manifest_load(&o->dir, false, &o->manifest);

    if (status == RPT_OK) {
        status = read_blocks(o, false, NULL);
    }
    if (status == RPT_OK) {
        status = look_for_files(o);
    }
    status = judge_leftover(status);
    if (status == RPT_OK) {
        status = drop_draft(o);
    }
    if (status == RPT_OK) {
        rpt__folder_name(o->manifest.iteration, o->manifest.id, new_name);
        status = rpt__dir_rename(task, name, new_name);
    }
    return status;
}

typedef rpt_status_t (*complete_fn)(const struct rpt_dir *task,
                                    const char *name, struct rpt_opened *o);

/* RPT_PENDING, RPT_END: as judge_leftover() has it. */
static rpt_status_t complete(const struct rpt_dir *task, const char *name,
                             complete_fn fn)
{
    struct rpt_opened o = RPT_OPENED_NONE;
    rpt_status_t status = rpt__dir_open(task, name, &o.dir);

    if (status != RPT_OK) {
        return status == RPT_ERR_NOMEM       ? status
               : status == RPT_ERR_NOT_FOUND ? RPT_PENDING
                                             : RPT_END;
    }
    status = fn(task, name, &o);
    rpt__opened_free(&o);
    /* Its manifest would be too long. */
    return status == RPT_ERR_OVERFLOW ? RPT_PENDING : status;
}

static rpt_status_t settle(const struct rpt_dir *task, const char *name)
{
    rpt_status_t status = complete(task, name, commit_leftover);

    if (status == RPT_PENDING) {
        status = complete(task, name, finish);
    }
    if (status == RPT_OK) {
        rpt__log(RPT_LOG_WARN,
                 "%s/%s had all its data: the checkpoint was finished",
                 task->path, name);
    }
    if (status == RPT_END) {
        rpt__log(RPT_LOG_WARN,
                 "%s/%s was left by a job, and stays: %s (%s); remove it when "
                 "it is of no use",
                 task->path, name, rpt_last_error()->what,
                 rpt_last_error()->why);
        return RPT_OK;
    }
    if (status != RPT_PENDING) {
        return status;
    }
    /* What cannot be removed takes room, and does no other harm. */
    if (rpt__dir_remove(task, name) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", task->path, name,
                 rpt_last_error()->why);
    }
    return RPT_OK;
}

rpt_status_t rpt__commit_leftovers(const struct rpt_dir *task)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(task, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (strncmp(names.list[i], ".tmp-", 5) == 0) {
            status = settle(task, names.list[i]);
        }
    }
    rpt__dir_names_free(&names);
    /* These names, and those that a killed job had given, before anybody is
     * told of them. */
    if (status == RPT_OK) {
        status = rpt__dir_sync(task);
    }
    if (status == RPT_OK && rpt__clear_old(task, true) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s (%s)", rpt_last_error()->what,
                 rpt_last_error()->why);
    }
    return status;
}
