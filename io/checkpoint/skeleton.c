/*
 * skeleton.c - HDF5 makes the structure of a file, in memory
 *
 * The file is in /dev/shm, where no disk is full, and has a name only until
 * HDF5 has opened it (HDF5 takes no other file: it wants the real path).  It
 * writes its own few KiB, the datasets are holes.  What lies outside of the
 * datasets and slots is kept.  Cost: about a millisecond for a hundred datasets
 * or slots, once for each shape.
 */
#include "io/checkpoint/layout.h"

#include "base/again.h"
#include "base/error.h"
#include "base/options.h"
#include "io/checkpoint/dir.h"
#include "io/checkpoint/slots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what HDF5 shall make ---- */

static void add_attributes(const char *dataset,
                           const struct rpt_attributes *from,
                           struct rpt_hdf5_attribute *to, size_t *n)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct rpt_attribute *a = &from->list[i];

        to[(*n)++] = (struct rpt_hdf5_attribute){ dataset, a->name,  a->is_text,
                                                  a->type, a->count, a->value };
    }
}

static rpt_status_t describe(const struct rpt_items *items,
                             const struct rpt_file_layout *layout,
                             struct rpt_hdf5_shape *shape)
{
    size_t n_attributes = items->attributes.n, n = 0;
    struct rpt_hdf5_attribute *attributes;

    for (size_t i = 0; i < items->n; i++) {
        n_attributes += items->list[i].attributes.n;
    }
    shape->datasets = calloc(layout->n_datasets, sizeof *shape->datasets);
    attributes = calloc(n_attributes + 1, sizeof *attributes);
    shape->attributes = attributes;
    if (shape->datasets == NULL || attributes == NULL) {
        return rpt__fail_nomem(layout->n_datasets * sizeof *shape->datasets);
    }
    add_attributes(NULL, &items->attributes, attributes, &n);
    for (size_t i = 0; i < items->n; i++) {
        add_attributes(items->list[i].name, &items->list[i].attributes,
                       attributes, &n);
    }
    shape->n_attributes = n;
    shape->n_datasets = layout->n_datasets;
    for (size_t i = 0; i < layout->n_datasets; i++) {
        const struct rpt_dataset *from = &layout->datasets[i];
        struct rpt_hdf5_dataset *to = &shape->datasets[i];

        to->name = from->name;
        to->type = from->type;
        to->n_dims = from->is_scalar ? 0 : from->n_dims;
        memcpy(to->dims, from->dims, sizeof to->dims);
        if (from->slots != NULL) {
            to->slot_bytes = from->slots->bytes;
            memcpy(to->chunk, from->slots->chunk, sizeof to->chunk);
        }
    }
    return RPT_OK;
}

/* ---- what it has written for itself ---- */

static rpt_status_t keep_gap(int fd, uint64_t from, uint64_t end,
                             struct rpt_file_layout *layout)
{
    struct rpt_raw *raw = &layout->raw[layout->n_raw];
    int error;

    if (end <= from) {
        return RPT_OK;
    }
    *raw = (struct rpt_raw){ from, end - from, malloc((size_t)(end - from)) };
    if (raw->data == NULL) {
        return rpt__fail_nomem((size_t)(end - from));
    }
    layout->n_raw++;
    error = rpt__read_at(fd, raw->data, (size_t)raw->bytes, raw->offset);
    return error == 0 ? RPT_OK
                      : rpt__fail_errno(RPT_ERR_SYSTEM, error,
                                        "cannot read the structure that HDF5 "
                                        "made");
}

/* All that is between the datasets. */
static rpt_status_t keep_raw(int fd, struct rpt_file_layout *layout)
{
    struct rpt_extent *list = NULL;
    uint64_t at = 0;
    size_t n = 0;
    rpt_status_t status = rpt__extents_list(layout->datasets,
                                            layout->n_datasets, &list, &n);

    if (status == RPT_OK) {
        layout->raw = calloc(n + 1, sizeof *layout->raw);
        status = layout->raw != NULL
                     ? RPT_OK
                     : rpt__fail_nomem((n + 1) * sizeof *layout->raw);
    }
    for (size_t i = 0; i < n && status == RPT_OK; i++) {
        status = keep_gap(fd, at, list[i].from, layout);
        at = list[i].from + list[i].bytes;
    }
    if (status == RPT_OK) {
        status = keep_gap(fd, at, layout->file_bytes, layout);
    }
    free(list);
    return status;
}

/* ---- the file ---- */

#define FOLDER "/dev/shm"
#define PREFIX "repartir-hdf5-"

/* What a process that was killed in that moment has left. */
static void sweep(void)
{
    DIR *dir = opendir(FOLDER);
    struct dirent *entry;
    char path[sizeof FOLDER + 1 + NAME_MAX];
    int pid;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (sscanf(entry->d_name, PREFIX "%9d-", &pid) == 1 &&
            kill(pid, 0) != 0 && errno == ESRCH) {
            snprintf(path, sizeof path, FOLDER "/%s", entry->d_name);
            unlink(path); /* only one of this user's goes */
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* What HDF5 may write of a dataset in slots; it takes some 50 for each. */
enum { INDEX_BYTES = 1 << 20, INDEX_BYTES_SLOT = 256 };

/* HDF5 1.10 ends the program sooner or later when it could not write: so there
 * must be room for what it will write, and a file of that length. */
static int try_room(int fd, const struct rpt_file_layout *layout)
{
    uint64_t own = (64 << 10) + 4096 * (uint64_t)layout->n_datasets;
    uint64_t all = 0;
    int error;

    for (size_t i = 0; i < layout->n_datasets; i++) {
        const struct rpt_chunk_slots *slots = layout->datasets[i].slots;

        own += slots != NULL ? INDEX_BYTES + slots->n * INDEX_BYTES_SLOT : 0;
        all += rpt__dataset_room(&layout->datasets[i]);
    }
    all += own;
    error = all > INT64_MAX ? EFBIG : rpt__truncate_file(fd, all);
    if (error == 0) {
        error = rpt__truncate_file(fd, 0);
    }
    if (error == 0) {
        do {
            error = posix_fallocate(fd, 0, (off_t)own);
        } while (error == EINTR);
        error = error == EOPNOTSUPP || error == EINVAL ? 0 : error;
    }
    return error == 0 ? rpt__truncate_file(fd, 0) : error;
}

/* -1, and errno. */
static int make_in(const char *folder, const struct rpt_file_layout *layout,
                   char *path, size_t bytes)
{
    int fd, error;

    snprintf(path, bytes, "%s/" PREFIX "%d-XXXXXX", folder, (int)getpid());
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    error = try_room(fd, layout);
    if (error != 0) {
        unlink(path);
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int make_file(const struct rpt_file_layout *layout, char *path,
                     size_t bytes)
{
    const char *tmp = rpt__environment("TMPDIR");
    int fd;

    sweep();
    fd = make_in(FOLDER, layout, path, bytes);
    return fd >= 0 ? fd
                   : make_in(tmp != NULL ? tmp : "/tmp", layout, path, bytes);
}

static void forget_name(void *path)
{
    unlink(path);
}

static rpt_status_t keep_slot(void *user, size_t index, uint64_t offset)
{
    const struct rpt_file_layout *layout = user;

    return rpt__chunk_slots_add(layout->datasets[index].slots, offset, 1);
}

static rpt_status_t make(const struct rpt_hdf5_ops *hdf5, int fd, char *path,
                         struct rpt_hdf5_shape *shape,
                         struct rpt_file_layout *layout)
{
    rpt_status_t status = hdf5->make(path, shape, forget_name, path);
    struct stat file;

    if (status != RPT_OK) {
        unlink(path);
        rpt__fail(status, "HDF5 cannot make the structure of the checkpoint");
        rpt__fail_why("%s", hdf5->why());
        rpt__fail_hint(status == RPT_ERR_UNSUPPORTED
                           ? "use io.checkpoint.compress=none"
                           : "look at the names, types and extents of its "
                             "items");
        return status;
    }
    for (size_t i = 0; i < layout->n_datasets; i++) {
        const struct rpt_chunk_slots *slots = layout->datasets[i].slots;

        layout->datasets[i].offset = slots != NULL ? slots->runs[0].offset
                                                   : shape->datasets[i].offset;
    }
    if (fstat(fd, &file) != 0) {
        return rpt__fail_errno(RPT_ERR_SYSTEM, errno, "cannot look at %s",
                               path);
    }
    layout->file_bytes = (uint64_t)file.st_size;
    return keep_raw(fd, layout);
}

rpt_status_t rpt__skeleton_make(const struct rpt_hdf5_ops *hdf5,
                                const struct rpt_items *items,
                                struct rpt_file_layout *layout)
{
    struct rpt_hdf5_shape shape = { .level = layout->level,
                                    .placed = keep_slot,
                                    .user = layout };
    rpt_status_t status = describe(items, layout, &shape);
    char path[1024];
    int fd = -1;

    if (status == RPT_OK) {
        fd = make_file(layout, path, sizeof path);
        status = fd >= 0 ? make(hdf5, fd, path, &shape, layout)
                         : rpt__fail_errno(RPT_ERR_IO, errno,
                                           "cannot make the file %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(shape.datasets);
    free((void *)(uintptr_t)shape.attributes);
    return status;
}
