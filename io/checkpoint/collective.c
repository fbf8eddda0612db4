/*
 * collective.c - the engine in which all ranks call H5Dwrite together
 *
 * The file has its structure already: rank 0 writes what HDF5 made for the
 * layout, as in the other engine.  Then all open it with the MPI-IO driver and
 * write one dataset after the other, each rank its block or nothing.  Before
 * each they meet with a deadline, so that a rank that has stopped is found
 * outside of MPI-IO, which has none.  For one that stops inside there is
 * lookout.c.
 */
#include "io/checkpoint/collective.h"

#include "base/again.h"
#include "base/error.h"
#include "io/checkpoint/lookout.h"
#include "io/checkpoint/talk.h"
#include "io/hdf5/load.h"
#include "io/hdf5/over_mpi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_save";

rpt_status_t rpt__collective_prepare(struct rpt_checkpoint *c)
{
    rpt_status_t status = rpt__hdf5_load(c->options, &c->hdf5);

    if (status == RPT_OK && !c->hdf5->is_parallel) {
        rpt__fail(RPT_ERR_UNSUPPORTED,
                  "io.checkpoint.engine=collective needs parallel HDF5");
        rpt__fail_why("librepartir-hdf5 was built with %s, without MPI",
                      c->hdf5->version);
        rpt__fail_hint("use io.checkpoint.engine=direct");
        status = RPT_ERR_UNSUPPORTED;
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK && c->mpi == NULL) {
        status = rpt__hdf5_comm_make(c->group, &c->mpi);
        status = rpt__talk_agree(c->group, call, status);
    }
    return status;
}

void rpt__collective_release(struct rpt_checkpoint *c)
{
    rpt__hdf5_comm_free(c->mpi);
    c->mpi = NULL;
}

/* ---- what this rank gives to each dataset ---- */

/* Leaves out datasets of no elements: HDF5 1.10 takes no write to them. */
static size_t drop_empty(const struct rpt_file_layout *layout,
                         struct rpt_hdf5_box *boxes)
{
    size_t n = 0;

    for (size_t i = 0; i < layout->n_datasets; i++) {
        if (layout->datasets[i].bytes > 0) {
            boxes[n++] = boxes[i];
        }
    }
    return n;
}

/* One box a dataset: what belongs to nobody is a hole of the file. */
static struct rpt_hdf5_box *list_boxes(const struct rpt_checkpoint *c,
                                       size_t *n_out)
{
    const struct rpt_file_layout *layout = &c->layout;
    struct rpt_hdf5_box *boxes = calloc(layout->n_datasets, sizeof *boxes);
    uint64_t at = 0;

    for (size_t i = 0; boxes != NULL && i < layout->n_datasets; i++) {
        const struct rpt_dataset *set = &layout->datasets[i];

        boxes[i].name = set->name;
        boxes[i].type = set->type;
        boxes[i].n_dims = set->n_dims;
    }
    for (size_t i = 0; boxes != NULL && i < layout->n_parts; i++) {
        const struct rpt_part *part = &layout->parts[i];
        const char *data = rpt__stream_part(&c->stream, layout, i, &at);

        if (part->dataset != RPT_RAW &&
            layout->sources[i].kind != RPT_FROM_NOBODY &&
            layout->sources[i].kind != RPT_FROM_HOLE) {
            struct rpt_hdf5_box *box = &boxes[part->dataset];

            memcpy(box->start, part->box.start, sizeof box->start);
            memcpy(box->count, part->box.count, sizeof box->count);
            box->data = data;
        }
    }
    *n_out = boxes != NULL ? drop_empty(layout, boxes) : 0;
    return boxes;
}

/* Rank 0: what HDF5 finds when it opens the file. */
static rpt_status_t write_raw(struct rpt_checkpoint *c)
{
    const struct rpt_target *target = &c->save.target;
    int error = 0;

    for (size_t i = 0; i < c->layout.n_raw && error == 0; i++) {
        const struct rpt_raw *raw = &c->layout.raw[i];

        error = rpt__write_at(target->state_fd, raw->data, (size_t)raw->bytes,
                              raw->offset);
    }
    /* Other nodes open it next. */
    if (error == 0) {
        error = rpt__sync_file(target->state_fd, true);
    }
    return error == 0 ? RPT_OK
                      : rpt__dir_fail(target->dir, RPT_STATE_FILE, "write",
                                      error, c->layout.file_bytes);
}

/* A write on its way. */
struct writing {
    struct rpt_checkpoint *c;
    const char *path;
    const struct rpt_hdf5_box *boxes;
    size_t n_boxes;
    struct rpt_lookout *lookout;
    struct rpt_buf step; /* its name */
};

static void enter(struct writing *w, size_t i)
{
    rpt__buf_clear(&w->step);
    if (i < w->n_boxes) {
        rpt__buf_printf(&w->step, "H5Dwrite of dataset \"%s\"",
                        w->boxes[i].name);
        rpt__buf_u8(&w->step, 0);
    }
    rpt__lookout_step(w->lookout,
                      i >= w->n_boxes  ? "H5Fclose"
                      : w->step.failed ? "H5Dwrite"
                                       : w->step.data,
                      NULL);
}

/* Outside of MPI-IO, before dataset i, and before the file is closed. */
static rpt_status_t meet(void *user, size_t i)
{
    struct writing *w = user;
    rpt_status_t status;

    rpt__lookout_step(w->lookout, NULL, NULL);
    status = rpt__talk_agree(w->c->group, call, RPT_OK);
    if (status == RPT_OK) {
        enter(w, i);
    }
    return status;
}

/* The path for MPI-IO: absolute, since OMPIO takes no other. */
static rpt_status_t find_path(const struct rpt_checkpoint *c, char **path_out)
{
    size_t bytes = strlen(c->save.dir.path) + sizeof RPT_STATE_FILE + 1;
    char *path = malloc(bytes);
    int error;

    if (path == NULL) {
        return rpt__fail_nomem(bytes);
    }
    snprintf(path, bytes, "%s/" RPT_STATE_FILE, c->save.dir.path);
    *path_out = realpath(path, NULL);
    error = *path_out == NULL ? errno : 0;
    free(path);
    return error == 0
               ? RPT_OK
               : rpt__dir_fail(&c->save.dir, RPT_STATE_FILE, "find", error, 0);
}

/* Opens it as MPI-IO will, so many times: OMPIO waits for ever when one rank
 * cannot, so that is to be found before. */
static rpt_status_t try_path(const struct rpt_checkpoint *c, const char *path)
{
    enum { N = 8 };
    int fds[N], n = 0, error = 0;

    while (n < N && error == 0) {
        fds[n] = open(path, O_RDWR | O_CLOEXEC);
        error = fds[n] < 0 && errno != EINTR ? errno : 0;
        n += fds[n] >= 0;
    }
    while (n > 0) {
        close(fds[--n]);
    }
    return error == 0
               ? RPT_OK
               : rpt__dir_fail(&c->save.dir, RPT_STATE_FILE, "open", error, 0);
}

static rpt_status_t write_boxes(struct writing *w)
{
    struct rpt_checkpoint *c = w->c;
    rpt_status_t status;

    rpt__lookout_step(w->lookout, "H5Fopen", NULL);
    status = c->hdf5->write_all(w->path, c->mpi, w->boxes, w->n_boxes, meet, w);
    if (status == RPT_ERR_IO) {
        rpt__fail(RPT_ERR_IO, "HDF5 cannot write %s", w->path);
        rpt__fail_why("%s", c->hdf5->why());
        rpt__fail_hint("checkpoints that were committed before are intact; "
                       "io.checkpoint.engine=direct does without MPI-IO");
    }
    return status;
}

/* Who has failed alone waits for the others, which may never come. */
static rpt_status_t write_watched(struct rpt_checkpoint *c, const char *path,
                                  const struct rpt_hdf5_box *boxes,
                                  size_t n_boxes)
{
    struct writing w = { c, path, boxes, n_boxes, NULL, RPT_BUF_EMPTY };
    rpt_status_t status = rpt__talk_agree(
        c->group, call, rpt__lookout_start(c, path, &w.lookout));

    if (status == RPT_OK) {
        status = write_boxes(&w);
        rpt__lookout_step(w.lookout, NULL,
                          status == RPT_ERR_IO ? c->hdf5->why() : NULL);
        status = rpt__talk_agree(c->group, call, status);
    }
    rpt__lookout_stop(w.lookout);
    rpt__buf_free(&w.step);
    return status;
}

rpt_status_t rpt__collective_write(struct rpt_checkpoint *c, rpt_status_t own)
{
    struct rpt_hdf5_box *boxes = NULL;
    char *path = NULL;
    size_t n_boxes = 0;

    if (own == RPT_OK && c->rank == 0) {
        own = write_raw(c);
    }
    if (own == RPT_OK) {
        boxes = list_boxes(c, &n_boxes);
        own = boxes != NULL ? RPT_OK : rpt__fail_nomem(c->layout.n_datasets);
    }
    if (own == RPT_OK) {
        own = find_path(c, &path);
    }
    if (own == RPT_OK) {
        own = try_path(c, path);
    }
    own = rpt__talk_agree(c->group, call, own);
    if (own == RPT_OK) {
        own = write_watched(c, path, boxes, n_boxes);
    }
    free(path);
    free(boxes);
    c->save.target.is_written = true;
    return own;
}
