/*
 * recycle.c - a new checkpoint in the files of one that was removed
 *
 * With io.checkpoint.changed_only the last checkpoint that goes is kept as
 * .spare-ID, which others leave alone as they do .tmp-ID.  The next save of the
 * same layout takes its file over and writes only blocks whose checksum is
 * another than what that file has there.  So no checkpoint depends on another
 * one, and each is a file like any other.
 *
 *   1  nobody has state.h5 open (readers hold a shared lock), and it has no
 *      other name
 *   2  MANIFEST.json and blocks.xxh go, the folder is synced: it cannot be
 *      taken for the old checkpoint any more
 *   3  .spare-ID becomes .tmp-ID2; and 1 again
 *
 * Whatever of this does not work leaves a save that writes all.
 *
 * Which checksums a file has, each rank remembers of its own saves; they fit
 * as long as the layout is the same.
 */
#include "io/checkpoint/checkpoint_priv.h"

#include "base/error.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool rpt__recycle_is_on(const struct rpt_checkpoint *c)
{
    return rpt__option_switch(c->options, RPT_OPT_IO_CHECKPOINT_CHANGED_ONLY);
}

/* ---- what this rank remembers ---- */

static struct rpt_memory *find(struct rpt_checkpoint *c, uint64_t id)
{
    for (size_t i = 0; i < RPT_MEMORIES; i++) {
        struct rpt_memory *m = &c->memories[i];

        if (id != 0 && m->id == id && m->layout == c->n_layouts) {
            return m;
        }
    }
    return NULL;
}

/* A free one, or the oldest. */
static struct rpt_memory *make_room(struct rpt_checkpoint *c)
{
    struct rpt_memory *oldest = &c->memories[0];

    for (size_t i = 0; i < RPT_MEMORIES; i++) {
        if (c->memories[i].id == 0) {
            return &c->memories[i];
        }
        if (c->memories[i].number < oldest->number) {
            oldest = &c->memories[i];
        }
    }
    return oldest;
}

const uint64_t *rpt__recycle_known(struct rpt_checkpoint *c)
{
    const struct rpt_memory *m = find(c, c->save.recycled);

    return m != NULL ? m->words : NULL;
}

void rpt__recycle_note(struct rpt_checkpoint *c)
{
    struct rpt_memory *m;

    if (c->save.words == NULL || !rpt__recycle_is_on(c)) {
        return;
    }
    m = make_room(c);
    free(m->words);
    *m = (struct rpt_memory){ c->save.stamp.id, c->n_layouts, c->n_memories++,
                              c->save.words };
    c->save.words = NULL;
}

void rpt__recycle_free(struct rpt_checkpoint *c)
{
    for (size_t i = 0; i < RPT_MEMORIES; i++) {
        free(c->memories[i].words);
        c->memories[i] = (struct rpt_memory){ 0 };
    }
    free(c->save.words);
    c->save.words = NULL;
}

/* ---- the folder; rank 0 ---- */

static void spare_name(uint64_t id, char name[RPT_FOLDER_NAME_BYTES])
{
    char text[RPT_ID_BYTES];

    rpt__id_text(id, text);
    snprintf(name, RPT_FOLDER_NAME_BYTES, RPT_SPARE "%s", text);
}

void rpt__recycle_drop(struct rpt_checkpoint *c)
{
    char name[RPT_FOLDER_NAME_BYTES];

    if (c->retention.spare == 0) {
        return;
    }
    spare_name(c->retention.spare, name);
    c->retention.spare = 0;
    if (rpt__dir_remove(&c->dir, name) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", c->dir.path, name,
                 rpt_last_error()->why);
    }
}

/* Step 1.  A program that copies the folder just now without a lock gets a mix
 * of two, which its checksums tell. */
static bool is_free(const struct rpt_dir *dir, uint64_t bytes)
{
    struct stat found;
    int fd = -1;
    bool is;

    if (rpt__dir_open_file(dir, RPT_STATE_FILE, true, &fd) != RPT_OK) {
        return false;
    }
    is = fstat(fd, &found) == 0 && found.st_nlink == 1 &&
         (uint64_t)found.st_size == bytes && flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return is;
}

/* Step 2; nothing but state.h5 stays. */
static rpt_status_t strip(const struct rpt_dir *dir)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(dir, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (strcmp(names.list[i], RPT_STATE_FILE) != 0) {
            status = rpt__dir_remove(dir, names.list[i]);
        }
    }
    rpt__dir_names_free(&names);
    return status == RPT_OK ? rpt__dir_sync(dir) : status;
}

bool rpt__recycle_take(struct rpt_checkpoint *c)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    char name[RPT_FOLDER_NAME_BYTES];
    uint64_t id;
    bool taken;

    if (rpt__saver_has_rest(c->saver)) {
        return false; /* what goes is being chosen now */
    }
    id = c->retention.spare;
    if (id == 0 || !c->has_layout || c->items.changed || find(c, id) == NULL) {
        rpt__recycle_drop(c);
        return false;
    }
    spare_name(id, name);
    taken = rpt__dir_open(&c->dir, name, &dir) == RPT_OK &&
            is_free(&dir, c->layout.file_bytes) && strip(&dir) == RPT_OK &&
            rpt__dir_rename(&c->dir, name, c->save.folder) == RPT_OK;
    /* Who has opened it since step 1 has seen its old name, or will see that it
     * is gone. */
    if (taken && !is_free(&dir, c->layout.file_bytes)) {
        rpt__dir_close(&dir);
        c->retention.spare = 0;
        rpt__workdir_remove(c);
        return false;
    }
    rpt__dir_close(&dir);
    if (!taken) {
        rpt__recycle_drop(c);
        return false;
    }
    c->retention.spare = 0;
    c->save.recycled = id;
    return true;
}
