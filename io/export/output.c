/*
 * output.c - the folder OUT.part-ID, which becomes OUT when all is in it
 *
 *   OUT.part-ID    being written, or left by a job that was killed; rank 0 of
 *                  the one that writes holds a lock on the folder (flock), so
 *                  that the next export removes only what nobody writes
 *   OUT.old-ID     what was replaced, where folders cannot be exchanged
 *
 * Only what looks like an export is ever replaced: folders with nothing but
 * files part-NNNNN.parquet in them.
 */
#include "io/export/export_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

/* ---- names ---- */

/* DIR and NAME of DIR/NAME. */
static rpt_status_t split(const char *path, char **dir_out, char **name_out)
{
    char *dir = strdup(path), *slash;
    size_t n = dir != NULL ? strlen(dir) : 0;

    if (dir == NULL) {
        return rpt__fail_nomem(strlen(path) + 1);
    }
    while (n > 1 && dir[n - 1] == '/') {
        dir[--n] = '\0';
    }
    slash = strrchr(dir, '/');
    *name_out = strdup(slash != NULL ? slash + 1 : dir);
    if (slash == NULL) {
        strcpy(dir, "."); /* the name has one byte at least */
    } else {
        slash[slash == dir ? 1 : 0] = '\0';
    }
    if (*name_out == NULL) {
        free(dir);
        return rpt__fail_nomem(n + 1);
    }
    *dir_out = dir;
    return RPT_OK;
}

/* The length of the longest name of a path. */
static size_t longest_name(const char *path)
{
    size_t most = 0;

    while (*path != '\0') {
        size_t n = strcspn(path, "/");

        most = n > most ? n : most;
        path += n + (path[n] == '/');
    }
    return most;
}

/* Room for ".part-ID", too. */
static rpt_status_t check_length(const char *path, const char *name)
{
    enum { MOST = NAME_MAX - 6 - (RPT_ID_BYTES - 1) };
    size_t n = strlen(name);
    bool is_last = n > MOST;

    if (!is_last && longest_name(path) <= NAME_MAX && strlen(path) < PATH_MAX) {
        return RPT_OK;
    }
    rpt__fail(RPT_ERR_INVALID, "cannot export to \"%.300s%s\"", path,
              strlen(path) > 300 ? "..." : "");
    if (is_last) {
        rpt__fail_why("the name of the folder is too long: %zu bytes, %d at "
                      "most",
                      n, MOST);
    } else {
        rpt__fail_why("the path is too long: %d bytes at most, %d for a name",
                      PATH_MAX - 1, NAME_MAX);
    }
    rpt__fail_hint("name a folder with a shorter name");
    return RPT_ERR_INVALID;
}

static rpt_status_t check_name(const char *path, const char *name)
{
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        rpt__fail(RPT_ERR_INVALID, "cannot export to \"%s\"", path);
        rpt__fail_hint("name a folder that is not there yet");
        return RPT_ERR_INVALID;
    }
    return check_length(path, name);
}

/* Whether a name is OUT, `between` and 16 digits. */
static bool is_of(const char *name, const char *out, const char *between)
{
    size_t n = strlen(out), m = strlen(between);

    return strncmp(name, out, n) == 0 && strncmp(name + n, between, m) == 0 &&
           strlen(name + n + m) == RPT_ID_BYTES - 1 &&
           strspn(name + n + m, "0123456789abcdef") == RPT_ID_BYTES - 1;
}

static bool lacks(const struct rpt_dir *dir, const char *name)
{
    struct stat found;

    return fstatat(dir->fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 &&
           errno == ENOENT;
}

/* ---- what is there already ---- */

static bool is_part_file(const char *name)
{
    static const char start[] = "part-", end[] = ".parquet";
    size_t n = strlen(name),
           digits = strspn(name + (n > 5 ? 5 : n), "0123456789");

    return strncmp(name, start, sizeof start - 1) == 0 && digits >= 5 &&
           strcmp(name + 5 + digits, end) == 0;
}

/* RPT_ERR_EXISTS: there is something that no export wrote. */
static rpt_status_t check_table(const struct rpt_dir *out, const char *name)
{
    struct rpt_dir table = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_open(out, name, &table);

    if (status == RPT_OK) {
        status = rpt__dir_list(&table, &names);
    }
    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (!is_part_file(names.list[i])) {
            rpt__fail(RPT_ERR_EXISTS, "%s is not replaced", out->path);
            rpt__fail_why("no export wrote %s/%s", table.path, names.list[i]);
            status = RPT_ERR_EXISTS;
        }
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&table);
    return status;
}

static rpt_status_t check_export(const struct rpt_export_output *o)
{
    struct rpt_dir out = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_open(&o->parent, o->name, &out);

    if (status == RPT_OK) {
        status = rpt__dir_list(&out, &names);
    }
    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        status = check_table(&out, names.list[i]);
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&out);
    if (status == RPT_ERR_INVALID) { /* a link, or no folder */
        status = RPT_ERR_EXISTS;
        rpt__fail(RPT_ERR_EXISTS, "%s/%s is not replaced", o->parent.path,
                  o->name);
        rpt__fail_why("it is, or has, what no export wrote");
    }
    if (status == RPT_ERR_EXISTS) {
        rpt__fail_hint("name another folder, or remove that one yourself");
    }
    return status;
}

static rpt_status_t check_place(const struct rpt_export *e)
{
    const struct rpt_export_output *o = &e->output;

    if (lacks(&o->parent, o->name)) {
        return RPT_OK;
    }
    if ((e->config->flags & RPT_EXPORT_REPLACE) == 0) {
        rpt__fail(RPT_ERR_EXISTS, "%s/%s is there already", o->parent.path,
                  o->name);
        rpt__fail_hint("name another folder, or say that what an export wrote "
                       "is to be replaced (--replace, RPT_EXPORT_REPLACE)");
        return RPT_ERR_EXISTS;
    }
    return check_export(o);
}

/* A folder that nobody writes any more. */
static rpt_status_t remove_leftover(const struct rpt_export_output *o,
                                    const char *name)
{
    struct rpt_dir dir = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open(&o->parent, name, &dir);

    if (status == RPT_OK && flock(dir.fd, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK) {
        rpt__fail(RPT_ERR_BUSY, "another job exports to %s/%s", o->parent.path,
                  o->name);
        rpt__fail_why("it writes %s", dir.path);
        rpt__fail_hint("wait until it has ended, or name another folder");
        status = RPT_ERR_BUSY;
    }
    if (status == RPT_OK) {
        status = rpt__dir_remove(&o->parent, name);
    }
    rpt__dir_close(&dir);
    return status == RPT_ERR_NOT_FOUND ? RPT_OK : status;
}

static rpt_status_t tidy(const struct rpt_export_output *o)
{
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__dir_list(&o->parent, &names);

    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (is_of(names.list[i], o->name, ".part-")) {
            status = remove_leftover(o, names.list[i]);
        } else if (is_of(names.list[i], o->name, ".old-")) {
            /* A job was killed between the two renames, or after them. */
            status = lacks(&o->parent, o->name)
                         ? rpt__dir_rename(&o->parent, names.list[i], o->name)
                         : rpt__dir_remove(&o->parent, names.list[i]);
        }
    }
    rpt__dir_names_free(&names);
    return status;
}

/* ---- begin ---- */

static rpt_status_t make_part(struct rpt_export *e)
{
    struct rpt_export_output *o = &e->output;
    size_t bytes = strlen(o->name) + 32;
    char id_text[RPT_ID_BYTES];
    uint64_t id;
    rpt_status_t status;

    if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno,
                               "cannot draw a random number");
    }
    o->part_name = malloc(bytes);
    if (o->part_name == NULL) {
        return rpt__fail_nomem(bytes);
    }
    rpt__id_text(id, id_text);
    snprintf(o->part_name, bytes, "%s.part-%s", o->name, id_text);
    status = rpt__dir_make(&o->parent, o->part_name, false);
    if (status == RPT_OK) {
        status = rpt__dir_open(&o->parent, o->part_name, &o->dir);
    }
    if (status == RPT_OK) {
        /* Where there are no locks, nobody else may export to OUT. */
        flock(o->dir.fd, LOCK_EX | LOCK_NB);
    }
    for (size_t i = 0; i < e->n_list && status == RPT_OK; i++) {
        status = rpt__dir_make(&o->dir, e->list[i].folder, false);
    }
    return status;
}

/* Without links, of what is there of it; NULL: no memory, or it cannot be
 * known. */
static char *real_beginning(const char *path)
{
    char *left = strdup(path), *real, *slash;

    while (left != NULL && (real = realpath(left, NULL)) == NULL &&
           errno == ENOENT) {
        slash = strrchr(left, '/');
        if (slash == NULL) {
            strcpy(left, "."); /* the name had one byte at least */
        } else {
            slash[slash == left ? 1 : 0] = '\0';
        }
    }
    real = left != NULL ? realpath(left, NULL) : NULL;
    free(left);
    return real;
}

/* What lies in the task's folder goes with a checkpoint, or changes one. */
static rpt_status_t check_outside(const struct rpt_export *e,
                                  const char *parent)
{
    char *task = realpath(e->dir.path, NULL), *real = real_beginning(parent);
    size_t n = task != NULL ? strlen(task) : 0;
    rpt_status_t status = RPT_OK;

    if (task != NULL && real != NULL && strncmp(real, task, n) == 0 &&
        (real[n] == '/' || real[n] == '\0')) {
        status = rpt__fail(RPT_ERR_INVALID, "%s is not used",
                           e->config->output);
        rpt__fail_why("it lies in %s, where checkpoints are removed by jobs",
                      task);
        rpt__fail_hint("choose a folder beside %s", e->top.path);
    }
    free(task);
    free(real);
    return status;
}

static rpt_status_t open_parent(struct rpt_export *e, bool makes)
{
    struct rpt_export_output *o = &e->output;
    char *parent = NULL;
    rpt_status_t status = split(e->config->output, &parent, &o->name);

    if (status == RPT_OK) {
        status = check_name(e->config->output, o->name);
    }
    if (status == RPT_OK && makes) {
        status = check_outside(e, parent);
    }
    if (status == RPT_OK && makes) {
        status = rpt__dir_make_path(parent);
    }
    if (status == RPT_OK) {
        status = rpt__dir_open_path(parent, &o->parent);
    }
    free(parent);
    return status;
}

static rpt_status_t begin_first(struct rpt_export *e)
{
    rpt_status_t status = open_parent(e, true);

    if (status == RPT_OK) {
        status = tidy(&e->output);
    }
    if (status == RPT_OK) {
        status = check_place(e);
    }
    return status == RPT_OK ? make_part(e) : status;
}

/* The other ranks open what rank 0 made. */
static rpt_status_t follow(struct rpt_export *e, const char *part_name)
{
    struct rpt_export_output *o = &e->output;
    rpt_status_t status = open_parent(e, false);

    if (status == RPT_OK) {
        status = rpt__dir_open(&o->parent, part_name, &o->dir);
    }
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail(RPT_ERR_IO, "%s does not reach %s", rpt__export_call,
                  e->config->output);
        rpt__fail_why("rank 0 has made the folder %s, this rank does not see "
                      "it",
                      part_name);
        rpt__fail_hint("choose a folder that all nodes share");
        status = RPT_ERR_IO;
    }
    return status;
}

rpt_status_t rpt__export_output_begin(struct rpt_export *e)
{
    struct rpt_buf name = RPT_BUF_EMPTY;
    rpt_status_t status = RPT_OK;

    if (e->rank == 0) {
        status = begin_first(e);
        rpt__buf_str(&name, e->output.part_name);
        status = status == RPT_OK ? rpt__buf_status(&name) : status;
    }
    status = rpt__talk_agree(e->group, rpt__export_call, status);
    if (status == RPT_OK) {
        status = rpt__talk_one(e->group, rpt__export_call, &name);
    }
    if (status == RPT_OK && e->rank > 0) {
        struct rpt_reader reader = rpt__reader(name.data, name.bytes);

        status = follow(e, rpt__read_str(&reader));
    }
    rpt__buf_free(&name);
    return rpt__talk_agree(e->group, rpt__export_call, status);
}

/* ---- end ---- */

/* Its files are synced, each by its rank; now the names. */
static rpt_status_t sync_names(struct rpt_export *e)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < e->n_list && status == RPT_OK; i++) {
        struct rpt_dir table = RPT_DIR_CLOSED;

        status = rpt__dir_open(&e->output.dir, e->list[i].folder, &table);
        if (status == RPT_OK) {
            status = rpt__dir_sync(&table);
        }
        rpt__dir_close(&table);
    }
    return status == RPT_OK ? rpt__dir_sync(&e->output.dir) : status;
}

/* In the folder above; 0 or an errno.  What was done counts as done, also when
 * it is called an error: of a network's file system the answer may be lost. */
static int give(const struct rpt_export_output *o, const char *name,
                const char *new_name, unsigned flags)
{
    int fd = o->parent.fd, error;
    struct stat before, now;
    bool is_known = fstatat(fd, name, &before, AT_SYMLINK_NOFOLLOW) == 0;
    int failed = flags == 0 ? renameat(fd, name, fd, new_name)
                            : renameat2(fd, name, fd, new_name, flags);

    error = failed == 0 ? 0 : errno;
    if (error != 0 && is_known &&
        fstatat(fd, new_name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
        now.st_dev == before.st_dev && now.st_ino == before.st_ino) {
        error = 0;
    }
    return error;
}

static rpt_status_t cannot_rename(const struct rpt_export_output *o,
                                  const char *name, int error)
{
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(&o->parent, name, "rename", error, 0);
}

/* The names as they were. */
static void move_back(struct rpt_export_output *o)
{
    if (o->old_name == NULL) {
        give(o, o->name, o->part_name, 0);
    } else if (strcmp(o->old_name, o->part_name) == 0) {
        give(o, o->part_name, o->name, RENAME_EXCHANGE);
    } else {
        give(o, o->name, o->part_name, 0);
        give(o, o->old_name, o->name, 0);
    }
    o->is_moved = false;
}

/* Two renames, where one cannot do it. */
static rpt_status_t swap_names(struct rpt_export_output *o)
{
    size_t n = strlen(o->name);
    rpt_status_t status;

    snprintf(o->old_name + n, strlen(o->part_name) + 1 - n, ".old-%s",
             o->part_name + n + strlen(".part-"));
    status = cannot_rename(o, o->name, give(o, o->name, o->old_name, 0));
    if (status == RPT_OK) {
        status = cannot_rename(o, o->part_name,
                               give(o, o->part_name, o->name, 0));
        if (status != RPT_OK) {
            give(o, o->old_name, o->name, 0);
        }
    }
    return status;
}

/* No file system of this kind, or no such kernel. */
static bool has_no_flags(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

/* The old one is there until all know that the new one is on the disk. */
static rpt_status_t replace(struct rpt_export_output *o)
{
    int error;

    o->old_name = strdup(o->part_name);
    if (o->old_name == NULL) {
        return rpt__fail_nomem(strlen(o->part_name) + 1);
    }
    error = give(o, o->part_name, o->name, RENAME_EXCHANGE);
    return has_no_flags(error) ? swap_names(o)
                               : cannot_rename(o, o->part_name, error);
}

static rpt_status_t give_name(const struct rpt_export_output *o)
{
    int error = give(o, o->part_name, o->name, RENAME_NOREPLACE);

    if (has_no_flags(error)) {
        error = give(o, o->part_name, o->name, 0);
    }
    return cannot_rename(o, o->part_name, error);
}

static rpt_status_t move_in(struct rpt_export *e)
{
    struct rpt_export_output *o = &e->output;
    rpt_status_t status;

    if (lacks(&o->parent, o->name)) {
        status = give_name(o);
    } else {
        status = check_place(e); /* somebody may have made it */
        status = status == RPT_OK ? replace(o) : status;
    }
    o->is_moved = status == RPT_OK;
    return status == RPT_OK ? rpt__dir_sync(&o->parent) : status;
}

rpt_status_t rpt__export_output_commit(struct rpt_export *e)
{
    rpt_status_t status = sync_names(e);

    return status == RPT_OK ? move_in(e) : status;
}

/* OUT is the new one already, and the next export tries again. */
void rpt__export_output_settle(struct rpt_export *e)
{
    struct rpt_export_output *o = &e->output;

    if (o->old_name != NULL &&
        rpt__dir_remove(&o->parent, o->old_name) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "what was replaced was not removed: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
}

void rpt__export_output_abandon(struct rpt_export *e)
{
    struct rpt_export_output *o = &e->output;
    struct rpt_buf error = RPT_BUF_EMPTY;
    struct rpt_reader reader;

    if (o->part_name == NULL) {
        return;
    }
    rpt__error_pack(&error);
    if (o->is_moved) {
        move_back(o);
    }
    if (rpt__dir_remove(&o->parent, o->part_name) != RPT_OK && !error.failed) {
        reader = rpt__reader(error.data, error.bytes);
        rpt__error_unpack(&reader);
    }
    rpt__buf_free(&error);
}

void rpt__export_output_free(struct rpt_export_output *o)
{
    rpt__dir_close(&o->dir);
    rpt__dir_close(&o->parent);
    free(o->name);
    free(o->part_name);
    free(o->old_name);
}
