/*
 * level_place.c - folders and names of the local level on this node
 *
 *   LOCAL_DIR/repartir-UID/TASK-HASH/node-NNNNN/it-N-ID.rank-RRRRR, .xor-PPPPP
 *
 * LOCAL_DIR may be one in which everybody makes files (/dev/shm): what lies
 * below is this user's alone.  The number of the node keeps virtual nodes, and
 * a directory that nodes share by mistake, apart; the next job may number them
 * otherwise, so it looks into all that it finds.
 */
#include "io/checkpoint/level_priv.h"

#include "base/again.h"
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE_NAME_BYTES = 32 };

static const char *local_dir(const struct rpt_checkpoint *c)
{
    return rpt__option_text(c->options, RPT_OPT_IO_CHECKPOINT_LOCAL_DIR);
}

/* ---- folders ---- */

static rpt_status_t check_private(const struct rpt_dir *dir)
{
    struct stat found;

    if (fstat(dir->fd, &found) != 0) {
        return rpt__dir_fail(dir, "", "look at", errno, 0);
    }
    if (found.st_uid != geteuid()) {
        return rpt__dir_refuse(dir, "", "it belongs to another user");
    }
    return (found.st_mode & 077) == 0
               ? RPT_OK
               : rpt__dir_refuse(dir, "", "others may look into it");
}

/* RPT_ERR_NOT_FOUND also when the parent is removed meanwhile. */
static rpt_status_t enter(const struct rpt_dir *parent, const char *name,
                          bool makes, struct rpt_dir *dir_out)
{
    rpt_status_t status;

    if (makes && mkdirat(parent->fd, name, 0700) != 0 && errno != EEXIST &&
        errno != ENOENT) {
        return rpt__dir_fail(parent, name, "make the folder", errno, 0);
    }
    status = rpt__dir_open(parent, name, dir_out);
    if (status != RPT_OK) {
        return status;
    }
    status = check_private(dir_out);
    if (status != RPT_OK) {
        rpt__dir_close(dir_out);
    }
    return status;
}

static rpt_status_t open_top(const struct rpt_checkpoint *c,
                             struct rpt_dir *top_out)
{
    struct rpt_dir top = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__dir_open_path(local_dir(c), &top);

    if (status == RPT_OK) {
        status = rpt__dir_check_top(&top);
    }
    if (status != RPT_OK) {
        rpt__dir_close(&top);
        return status;
    }
    *top_out = top;
    return RPT_OK;
}

static void user_name(char name_out[NODE_NAME_BYTES])
{
    snprintf(name_out, NODE_NAME_BYTES, "repartir-%lu",
             (unsigned long)geteuid());
}

static rpt_status_t open_task(const struct rpt_checkpoint *c,
                              const struct rpt_dir *top, bool makes,
                              struct rpt_dir *task_out)
{
    struct rpt_dir user = RPT_DIR_CLOSED;
    char name[NODE_NAME_BYTES];
    rpt_status_t status;

    user_name(name);
    status = enter(top, name, makes, &user);
    if (status == RPT_OK) {
        status = enter(&user, c->level.task, makes, task_out);
    }
    rpt__dir_close(&user);
    return status;
}

rpt_status_t rpt__place_open(const struct rpt_checkpoint *c,
                             struct rpt_dir *task_out)
{
    struct rpt_dir top = RPT_DIR_CLOSED;
    rpt_status_t status = open_top(c, &top);

    if (status == RPT_OK) {
        status = open_task(c, &top, false, task_out);
    }
    rpt__dir_close(&top);
    return status;
}

rpt_status_t rpt__place_open_node(const struct rpt_checkpoint *c,
                                  struct rpt_dir *node_out)
{
    const struct rpt_nodes *nodes = &c->level.nodes;
    struct rpt_dir top = RPT_DIR_CLOSED;
    char name[NODE_NAME_BYTES];
    rpt_status_t status = open_top(c, &top), made = RPT_ERR_NOT_FOUND;

    snprintf(name, sizeof name, "node-%05d",
             nodes->number[nodes->node[c->rank]]);
    /* Other jobs remove folders that are empty, ours just made among them. */
    for (int i = 0; i < 100 && status == RPT_OK && made == RPT_ERR_NOT_FOUND;
         i++) {
        struct rpt_dir task = RPT_DIR_CLOSED;

        made = open_task(c, &top, true, &task);
        if (made == RPT_OK) {
            made = enter(&task, name, true, node_out);
        }
        rpt__dir_close(&task);
    }
    rpt__dir_close(&top);
    status = status == RPT_OK ? made : status;
    if (status == RPT_ERR_NOT_FOUND) {
        rpt__fail(RPT_ERR_IO, "there is no directory %s on this node",
                  local_dir(c));
        rpt__fail_hint("give io.checkpoint.local_dir a directory that each "
                       "node has");
        status = RPT_ERR_IO;
    }
    return status;
}

/* ---- files ---- */

static rpt_status_t write_pieces(const struct rpt_dir *node, const char *name,
                                 int fd, const struct rpt_local_out *file)
{
    uint64_t at = 0, bytes = 0;

    for (size_t i = 0; i < file->n_pieces; i++) {
        bytes += file->pieces[i].bytes;
    }
    for (size_t i = 0; i < file->n_pieces; i++) {
        const struct rpt_piece *piece = &file->pieces[i];
        int error = rpt__write_at(fd, piece->data, (size_t)piece->bytes, at);

        if (error != 0) {
            return rpt__dir_fail(node, name, "write", error, bytes);
        }
        at += piece->bytes;
    }
    return RPT_OK;
}

rpt_status_t rpt__place_put(const struct rpt_dir *node,
                            const struct rpt_local_out *file, bool syncs)
{
    char draft[RPT_LOCAL_NAME_BYTES + 8];
    int fd = -1, error = 0;
    rpt_status_t status;

    snprintf(draft, sizeof draft, ".tmp-%s", file->name);
    status = rpt__dir_create(node, draft, &fd);
    if (status != RPT_OK) {
        return status;
    }
    status = write_pieces(node, draft, fd, file);
    error = status == RPT_OK && syncs ? rpt__sync_file(fd, true) : 0;
    close(fd);
    if (error != 0) {
        status = rpt__dir_fail(node, draft, "sync", error, 0);
    }
    if (status == RPT_OK) {
        status = rpt__dir_rename(node, draft, file->name);
    }
    return status == RPT_OK && syncs ? rpt__dir_sync(node) : status;
}

/* ---- all that is here ---- */

static bool is_mine(const struct rpt_nodes *nodes, int rank, const char *name)
{
    int node = nodes->node[rank];
    uint32_t n = (uint32_t)(nodes->begin[node + 1] - nodes->begin[node]);
    uint64_t id;
    uint32_t number;

    return rpt__local_parse(name, &id, &number) &&
           number % n == (uint32_t)nodes->place[rank];
}

static rpt_status_t each_in(const struct rpt_checkpoint *c,
                            const struct rpt_dir *task, const char *folder,
                            rpt_place_fn fn, void *user)
{
    struct rpt_dir node = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = enter(task, folder, false, &node);

    if (status == RPT_OK) {
        status = rpt__dir_list(&node, &names);
    }
    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (is_mine(&c->level.nodes, c->rank, names.list[i])) {
            status = fn(user, &node, folder, names.list[i]);
        }
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&node);
    return status == RPT_ERR_NOT_FOUND ? RPT_OK : status;
}

rpt_status_t rpt__place_each(const struct rpt_checkpoint *c, rpt_place_fn fn,
                             void *user)
{
    struct rpt_dir task = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    rpt_status_t status = rpt__place_open(c, &task);

    if (status == RPT_OK) {
        status = rpt__dir_list(&task, &names);
    }
    for (size_t i = 0; i < names.n && status == RPT_OK; i++) {
        if (strncmp(names.list[i], "node-", 5) == 0) {
            status = each_in(c, &task, names.list[i], fn, user);
        }
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&task);
    return status == RPT_ERR_NOT_FOUND ? RPT_OK : status;
}

/* Folders that are not empty stay. */
void rpt__place_leave(const struct rpt_checkpoint *c)
{
    struct rpt_dir top = RPT_DIR_CLOSED, user = RPT_DIR_CLOSED,
                   task = RPT_DIR_CLOSED;
    struct rpt_dir_names names = { NULL, 0 };
    char name[NODE_NAME_BYTES];

    user_name(name);
    if (open_top(c, &top) == RPT_OK &&
        enter(&top, name, false, &user) == RPT_OK &&
        enter(&user, c->level.task, false, &task) == RPT_OK &&
        rpt__dir_list(&task, &names) == RPT_OK) {
        for (size_t i = 0; i < names.n; i++) {
            unlinkat(task.fd, names.list[i], AT_REMOVEDIR);
        }
    }
    rpt__dir_names_free(&names);
    rpt__dir_close(&task);
    if (user.fd >= 0) {
        unlinkat(user.fd, c->level.task, AT_REMOVEDIR);
        unlinkat(top.fd, name, AT_REMOVEDIR);
    }
    rpt__dir_close(&user);
    rpt__dir_close(&top);
}
