/*
 * solo.c - checkpoints of one writer: no group, no engine, no HDF5
 *
 *   open      the lock of the task's folder; leftovers
 *   restore   the newest that is whole, in this thread
 *   save      .tmp-ID: draft, files, blocks.xxh with the seal; then as any
 *             other is committed (commit.c), and old ones go (retain.c)
 *   files of a program: solo_files.c
 *   remove    the folder gets another name first, so that who comes next makes
 *             a new one
 *
 * The files are hashed and synced as those of any program (routes.c).  state.h5
 * is empty: there are no datasets.  A save costs the state, four small files
 * (two are synced), and the syncs of three folders.
 */
#include "io/checkpoint/solo_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/choice.h"
#include "io/checkpoint/talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* ---- open, close ---- */

/* The folder of a task, locked; errors as rpt__lock_take() has. */
static rpt_status_t enter(const struct rpt_dir *top, const char *task,
                          const char *host, struct rpt_dir *dir_out,
                          int *fd_out)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open(top, task, &dir);

    if (status == RPT_OK) {
        status = rpt__dir_check(&dir, -1);
    }
    if (status == RPT_OK) {
        status = rpt__lock_take(top, task, &dir, host, fd_out);
    }
    if (status != RPT_OK) {
        rpt__dir_close(&dir);
        return status;
    }
    *dir_out = dir;
    return RPT_OK;
}

static void old_name(const char *task, char name_out[256])
{
    snprintf(name_out, 256, ".old-%s", task);
}

/* Beside one that could not be removed. */
static rpt_status_t other_old_name(const char *task, char name_out[256])
{
    uint64_t number = 0;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    snprintf(name_out, 256, ".old-%s.%016llx", task,
             (unsigned long long)number);
    return RPT_OK;
}

/* Its first name is gone for good before a part of it is.  What cannot be
 * removed takes room, and does no other harm. */
static void remove_old(const struct rpt_dir *top, const char *old)
{
    if (!rpt__dir_lacks(top, old) &&
        (rpt__dir_sync(top) != RPT_OK || rpt__dir_remove(top, old) != RPT_OK)) {
        rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s (%s)", top->path, old,
                 rpt_last_error()->what, rpt_last_error()->why);
    }
}

/* RPT_END: there is no room for the folder or its lock: nothing was ever
 * saved. */
static rpt_status_t make_and_enter(struct rpt_solo *s)
{
    rpt_status_t status;
    char old[256];

    old_name(s->task, old);
    remove_old(&s->top, old);
    do {
        int error = mkdirat(s->top.fd, s->task, 0775) == 0 ? 0 : errno;

        /* Some say that there is no room before they look what is there. */
        if (error != 0 && error != EEXIST &&
            !(rpt__is_full(error) && !rpt__dir_lacks(&s->top, s->task))) {
            status = rpt__dir_fail(&s->top, s->task, "make the folder", error,
                                   0);
            return rpt__is_full(error) ? RPT_END : status;
        }
        status = enter(&s->top, s->task, s->host, &s->dir, &s->lock_fd);
    } while (status == RPT_PENDING || status == RPT_ERR_NOT_FOUND);
    return status == RPT_OK ? rpt__dir_sync(&s->top) : status;
}

static rpt_status_t look_around(struct rpt_solo *s)
{
    struct rpt_found *found = NULL;
    size_t n = 0;
    rpt_status_t status = rpt__commit_leftovers(&s->dir);

    if (status == RPT_OK) {
        status = rpt__find_all(&s->dir, &found, &n);
    }
    if (status == RPT_OK) {
        s->has_newest = n > 0;
        s->newest = n > 0 ? found[0].iteration : 0;
        rpt__history_shorten(
            &s->dir,
            rpt__option_size(s->options, RPT_OPT_IO_CHECKPOINT_EVENTS_BYTES));
        rpt__event_add_open(&s->dir, s->newest, s->host);
    }
    free(found);
    return status;
}

/* As make_and_enter(). */
static rpt_status_t open_task(struct rpt_solo *s)
{
    rpt_status_t status = make_and_enter(s);

    if (status == RPT_OK) {
        status = look_around(s);
    }
    if (status != RPT_OK) {
        rpt__lock_give(s->lock_fd);
        s->lock_fd = -1;
        rpt__dir_close(&s->dir);
    }
    return status;
}

/* What could not be made before: there may be room by now. */
rpt_status_t rpt__solo_need_task(struct rpt_solo *s)
{
    return s->dir.fd >= 0 ? RPT_OK : open_task(s);
}

rpt_status_t rpt__solo_go_without(const struct rpt_solo *s)
{
    rpt__log(RPT_LOG_WARN,
             "task %s goes on without checkpoints until there is room: %s (%s)",
             s->task, rpt_last_error()->what, rpt_last_error()->why);
    return RPT_OK;
}

/* Programs look at it from elsewhere. */
static rpt_status_t open_top(const char *directory, struct rpt_dir *top_out)
{
    rpt_status_t status = rpt__dir_make_path(directory);
    char *path;

    if (status != RPT_OK) {
        return status;
    }
    path = realpath(directory, NULL);
    if (path == NULL) {
        return rpt__fail_errno(RPT_ERR_IO, errno, "cannot find %s", directory);
    }
    status = rpt__dir_open_path(path, top_out);
    free(path);
    return status;
}

rpt_status_t rpt__solo_open(const char *directory, const char *task,
                            const rpt_options_t *options, const char *host,
                            struct rpt_solo **solo_out)
{
    struct rpt_solo *s = calloc(1, sizeof *s);
    rpt_status_t status;

    if (s == NULL || (s->task = strdup(task)) == NULL) {
        free(s);
        return rpt__fail_nomem(sizeof *s);
    }
    s->top = s->dir = s->scratch = (struct rpt_dir)RPT_DIR_CLOSED;
    s->lock_fd = -1;
    s->options = options;
    s->host = host;
    s->opened_s = rpt__now_s();
    status = open_top(directory, &s->top);
    if (status == RPT_OK) {
        status = rpt__dir_check_top(&s->top);
    }
    if (status == RPT_OK) {
        status = open_task(s);
    }
    if (status == RPT_END) {
        status = rpt__solo_go_without(s);
    }
    if (status != RPT_OK) {
        rpt__solo_close(s);
        return status;
    }
    *solo_out = s;
    return RPT_OK;
}

void rpt__solo_close(struct rpt_solo *s)
{
    if (s == NULL) {
        return;
    }
    if (s->scratch.fd >= 0 &&
        rpt__dir_remove(&s->dir, s->scratch_name) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "%s was not removed: %s", s->scratch_path,
                 rpt_last_error()->why);
    }
    if (s->lock_fd >= 0) {
        rpt__event_add(&s->dir, "close", 0, s->newest,
                       rpt__now_s() - s->opened_s);
        rpt__lock_give(s->lock_fd);
    }
    rpt__dir_close(&s->scratch);
    rpt__dir_close(&s->dir);
    rpt__dir_close(&s->top);
    free(s->scratch_path);
    free(s->files);
    free(s->task);
    free(s);
}

/* ---- restore ---- */

static rpt_status_t note_files(struct rpt_solo *s,
                               const struct rpt_found *found)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s/" RPT_FILES, s->dir.path, found->name) < 0) {
        return rpt__fail_nomem(strlen(s->dir.path));
    }
    free(s->files);
    s->files = path;
    return RPT_OK;
}

/* RPT_PENDING: the next one is to be tried. */
static rpt_status_t try_one(struct rpt_solo *s, struct rpt_choice *choice,
                            const struct rpt_found *found)
{
    struct rpt_opened opened = RPT_OPENED_NONE;
    rpt_status_t status = rpt__opened_read(&s->dir, found->name, &opened);

    if (status == RPT_OK) {
        status = rpt__verify(&opened, 0, 1);
    }
    if (status == RPT_OK) {
        rpt__choice_verified(choice, found);
        s->verified = found->id;
        status = rpt__dir_lacks(&opened.dir, RPT_FILES) ? RPT_OK
                                                        : note_files(s, found);
    } else if (rpt__choice_passes(status)) {
        rpt__choice_pass(choice, found, status);
        status = RPT_PENDING;
    }
    if (status == RPT_OK) {
        rpt__choice_take(choice, found);
    }
    rpt__opened_free(&opened);
    return status;
}

rpt_status_t rpt__solo_restore(struct rpt_solo *s, uint64_t *iteration_out)
{
    struct rpt_choice choice;
    const struct rpt_found *found = NULL;
    rpt_status_t status = s->dir.fd >= 0
                              ? rpt__choice_begin(&s->dir, s->options, &choice)
                              : RPT_END;

    if (status != RPT_OK) {
        return status;
    }
    do {
        found = rpt__choice_next(&choice);
        status = found != NULL ? try_one(s, &choice, found)
                               : rpt__choice_none(&choice);
    } while (status == RPT_PENDING);
    /* What was put aside is no bound for what comes now. */
    s->has_newest = status == RPT_OK;
    s->newest = 0;
    if (status == RPT_OK) {
        s->newest = *iteration_out = found->iteration;
    }
    rpt__choice_end(&choice);
    return status;
}

const char *rpt__solo_files(const struct rpt_solo *s)
{
    return s->files;
}

rpt_status_t rpt__solo_read(const struct rpt_solo *s, struct rpt_buf *out)
{
    struct rpt_dir dir;
    rpt_status_t status;

    if (s->files == NULL) {
        return rpt__fail(RPT_ERR_NOT_FOUND, "the checkpoint has no file");
    }
    status = rpt__dir_open_path(s->files, &dir);
    if (status == RPT_OK) {
        status = rpt__dir_read_all(&dir, RPT_SOLO_STATE, UINT64_C(1) << 48,
                                   out);
        rpt__dir_close(&dir);
    }
    return status;
}

/* ---- save ---- */

static rpt_status_t check_iteration(const struct rpt_solo *s,
                                    uint64_t iteration)
{
    if (!s->has_newest || iteration >= s->newest) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_EXISTS,
              "%s has a checkpoint of iteration %llu already, %llu would never "
              "be restored",
              s->dir.path, (unsigned long long)s->newest,
              (unsigned long long)iteration);
    rpt__fail_hint("go on from what was restored");
    return RPT_ERR_EXISTS;
}

rpt_status_t rpt__solo_begin(struct rpt_solo_saving *v, struct rpt_solo *s,
                             uint64_t iteration)
{
    char id[RPT_ID_BYTES];
    rpt_status_t status = rpt__solo_need_task(s);

    *v = (struct rpt_solo_saving){ .s = s, .dir = RPT_DIR_CLOSED };
    v->began_s = rpt__now_s();
    v->stamp = (struct rpt_stamp){ 0, iteration, rpt__wall_s(), 1 };
    if (status == RPT_OK) {
        status = check_iteration(s, iteration);
    }
    if (status != RPT_OK) {
        return status == RPT_END ? RPT_ERR_IO : status;
    }
    if (getrandom(&v->stamp.id, sizeof v->stamp.id, 0) !=
        (ssize_t)sizeof v->stamp.id) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "no random numbers");
    }
    rpt__id_text(v->stamp.id, id);
    snprintf(v->folder, sizeof v->folder, ".tmp-%s", id);
    status = rpt__dir_make(&s->dir, v->folder, false);
    return status == RPT_OK ? rpt__dir_open(&s->dir, v->folder, &v->dir)
                            : status;
}

static rpt_status_t put_draft(struct rpt_solo_saving *v, uint64_t blocks_bytes)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    struct rpt_manifest m = {
        .id = v->stamp.id,
        .task = v->s->task,
        .host = (char *)(uintptr_t)v->s->host,
        .engine = (char *)(uintptr_t) "direct",
        .library = (char *)(uintptr_t)rpt_version_text(),
        .iteration = v->stamp.iteration,
        .time_s = v->stamp.time_s,
        .n_ranks = 1,
        .blocks_bytes = blocks_bytes,
    };
    rpt_status_t status;

    rpt__manifest_write(&m, true, &text);
    status = rpt__buf_status(&text);
    if (status == RPT_OK) {
        status = rpt__dir_write(&v->dir, RPT_DRAFT, text.data, text.bytes);
    }
    if (status == RPT_OK) {
        status = rpt__dir_write(&v->dir, RPT_STATE_FILE, "", 0);
    }
    rpt__buf_free(&text);
    return status;
}

/* The seal of the only section: all data are down. */
static rpt_status_t put_blocks(struct rpt_solo_saving *v,
                               uint64_t section_bytes)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    uint64_t offset = RPT_BLOCKS_HEAD_BYTES + 16;
    rpt_status_t status;

    rpt__blocks_head(1, v->stamp.id, 1, &offset, &section_bytes, &bytes);
    rpt__section_write(v->stamp.id, 0, (uint32_t)v->routes.n, NULL, NULL, 0,
                       NULL, &bytes);
    status = rpt__buf_status(&bytes);
    if (status == RPT_OK) {
        status = rpt__dir_put(&v->dir, RPT_BLOCKS, bytes.data, bytes.bytes);
    }
    rpt__buf_free(&bytes);
    return status;
}

static void retain(struct rpt_solo *s, uint64_t committed)
{
    struct rpt_retention rules = rpt__retention_of(s->options);

    rules.verified = s->verified;
    rules.committed = committed;
    if (rpt__retain(&s->dir, &rules) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "old checkpoints were not removed: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
}

/* What removing says is not why the save failed. */
static void give_up(struct rpt_solo_saving *v)
{
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    rpt__error_pack(&error);
    if (v->folder[0] != '\0') {
        rpt__event_add(&v->s->dir, "failure", v->stamp.id, v->stamp.iteration,
                       rpt__now_s() - v->began_s);
        if (rpt__dir_remove(&v->s->dir, v->folder) != RPT_OK) {
            rpt__log(RPT_LOG_WARN, "%s/%s was not removed: %s", v->s->dir.path,
                     v->folder, rpt_last_error()->why);
        }
    }
    reader = rpt__reader(error.data, error.bytes);
    rpt__error_unpack(&reader);
    rpt__buf_free(&error);
}

/* status: of what was written since begin(). */
rpt_status_t rpt__solo_end(struct rpt_solo_saving *v, rpt_status_t status)
{
    struct rpt_solo *s = v->s;
    uint64_t section_bytes = rpt__section_bytes(NULL, NULL, 0);

    if (status == RPT_OK) {
        status = put_draft(v, RPT_BLOCKS_HEAD_BYTES + 16 + section_bytes);
    }
    if (status == RPT_OK) {
        status = rpt__routes_seal(
            &v->routes, &v->dir, 0,
            rpt__option_switch(s->options, RPT_OPT_IO_CHECKPOINT_SYNC));
    }
    if (status == RPT_OK) {
        status = put_blocks(v, section_bytes);
    }
    rpt__dir_close(&v->dir);
    if (status == RPT_OK) {
        status = rpt__commit(&s->dir, v->folder, NULL);
        if (status == RPT_PENDING) {
            status = rpt__fail(RPT_ERR_INTERNAL, "%s/%s is not complete",
                               s->dir.path, v->folder);
        }
    }
    rpt__routes_clear(&v->routes);
    if (status != RPT_OK) {
        give_up(v);
        return status;
    }
    rpt__event_add(&s->dir, "commit", v->stamp.id, v->stamp.iteration,
                   rpt__now_s() - v->began_s);
    s->has_newest = true;
    s->newest = v->stamp.iteration;
    retain(s, v->stamp.id);
    return RPT_OK;
}

static rpt_status_t put_state(struct rpt_solo_saving *v, const void *data,
                              size_t bytes)
{
    struct rpt_dir files;
    rpt_status_t status = rpt__routes_add(&v->routes, &v->dir, RPT_SOLO_STATE,
                                          0);

    if (status == RPT_OK) {
        status = rpt__dir_open(&v->dir, RPT_FILES, &files);
    }
    if (status == RPT_OK) {
        status = rpt__dir_write(&files, RPT_SOLO_STATE, data, bytes);
        rpt__dir_close(&files);
    }
    return status;
}

rpt_status_t rpt__solo_save(struct rpt_solo *s, uint64_t iteration,
                            const void *data, size_t bytes)
{
    struct rpt_solo_saving v;
    rpt_status_t status = rpt__solo_begin(&v, s, iteration);

    if (status == RPT_OK) {
        status = put_state(&v, data, bytes);
    }
    return rpt__solo_end(&v, status);
}

/* ---- remove ---- */

rpt_status_t rpt__solo_remove(const char *directory, const char *task)
{
    struct rpt_dir top = RPT_DIR_CLOSED, dir = RPT_DIR_CLOSED;
    char old[256];
    int fd = -1;
    rpt_status_t status = rpt__dir_open_path(directory, &top);

    old_name(task, old);
    if (status == RPT_OK) {
        remove_old(&top, old);
        status = enter(&top, task, "", &dir, &fd);
    }
    if (status == RPT_OK && !rpt__dir_lacks(&top, old)) {
        status = other_old_name(task, old);
    }
    if (status == RPT_OK) {
        status = rpt__dir_rename(&top, task, old);
    }
    if (status == RPT_OK) {
        remove_old(&top, old);
    }
    rpt__lock_give(fd);
    rpt__dir_close(&dir);
    rpt__dir_close(&top);
    return status == RPT_ERR_NOT_FOUND || status == RPT_PENDING ? RPT_OK
                                                                : status;
}
