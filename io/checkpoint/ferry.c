/*
 * ferry.c - which items are on devices; their copies, begun and waited for
 *
 * A box is copied row by row, slice by slice, in one call for up to three
 * dimensions that lie apart; more are loops around that.  So a block with
 * ghost cells of an array of three dimensions is one call, and never an element
 * is.  Rows of few bytes are slow on any device.
 *
 * A save begins all of these, copies what is on the host meanwhile, and then
 * waits for each device once.
 */
#include "io/checkpoint/ferry.h"

#include "base/error.h"
#include "base/log.h"
#include "device/device.h"

#include <stdlib.h>

static void explain(const struct rpt_ferry *ferry)
{
    rpt__fail_why("%s", ferry->ops->why());
    rpt__fail_hint("an earlier call of the program may have failed: look at "
                   "what its own calls of CUDA give; checkpoints that were "
                   "committed before are intact");
}

static rpt_status_t fail(const struct rpt_ferry *ferry, rpt_status_t status,
                         const char *what)
{
    rpt__fail(status, "%s on device %d", what, ferry->device);
    explain(ferry);
    return status;
}

/* ---- ferries ---- */

/* The thread uses another device until ferry_leave(). */
static rpt_status_t ferry_use(const struct rpt_ferry *ferry, int *before_out)
{
    rpt_status_t status;

    *before_out = ferry->device; /* if the one before is not told */
    status = ferry->ops->use(ferry->device, before_out);
    return status == RPT_OK ? RPT_OK
                            : fail(ferry, status, "nothing can be done");
}

static void ferry_leave(const struct rpt_ferry *ferry, int before)
{
    ferry->ops->use(before, &before);
}

static void ferry_free(struct rpt_ferry *ferry)
{
    int before = ferry->device;

    ferry->ops->use(ferry->device, &before);
    if (ferry->event != NULL) {
        ferry->ops->event_destroy(ferry->event);
    }
    if (ferry->stream != NULL) {
        ferry->ops->stream_destroy(ferry->stream);
    }
    ferry_leave(ferry, before);
    free(ferry);
}

void rpt__ferries_destroy(struct rpt_ferry *ferries)
{
    while (ferries != NULL) {
        struct rpt_ferry *next = ferries->next;

        ferry_free(ferries);
        ferries = next;
    }
}

static rpt_status_t ferry_make(const struct rpt_device_ops *ops, int device,
                               struct rpt_ferry **ferry_out)
{
    struct rpt_ferry *ferry = calloc(1, sizeof *ferry);
    rpt_status_t status;
    int before;

    if (ferry == NULL) {
        return rpt__fail_nomem(sizeof *ferry);
    }
    ferry->ops = ops;
    ferry->device = device;
    status = ferry_use(ferry, &before);
    if (status == RPT_OK) {
        status = ops->stream_create(&ferry->stream);
        if (status == RPT_OK) {
            status = ops->event_create(&ferry->event);
        }
        if (status != RPT_OK) {
            fail(ferry, status, "no stream can be made");
        }
        ferry_leave(ferry, before);
    }
    if (status != RPT_OK) {
        ferry_free(ferry);
        return status;
    }
    *ferry_out = ferry;
    return RPT_OK;
}

/* What follows in the ferry comes behind what the program has queued. */
static rpt_status_t ferry_enter(struct rpt_ferry *ferry)
{
    int before;
    rpt_status_t status = ferry->is_entered ? RPT_OK
                                            : ferry_use(ferry, &before);

    if (status != RPT_OK || ferry->is_entered) {
        return status;
    }
    status = ferry->ops->event_record(ferry->event, NULL);
    if (status == RPT_OK) {
        status = ferry->ops->stream_wait(ferry->stream, ferry->event);
    }
    if (status != RPT_OK) {
        fail(ferry, status, "the default stream cannot be waited for");
    }
    ferry_leave(ferry, before);
    ferry->is_entered = status == RPT_OK;
    return status;
}

/* The ferry of a device, made now if there is none. */
static rpt_status_t ferry_of(struct rpt_ferry **ferries,
                             const struct rpt_device_ops *ops, int device,
                             struct rpt_ferry **ferry_out)
{
    struct rpt_ferry *ferry = *ferries;
    rpt_status_t status = RPT_OK;

    while (ferry != NULL && ferry->device != device) {
        ferry = ferry->next;
    }
    if (ferry == NULL) {
        status = ferry_make(ops, device, &ferry);
        if (status != RPT_OK) {
            return status;
        }
        ferry->next = *ferries;
        *ferries = ferry;
    }
    *ferry_out = ferry;
    return ferry_enter(ferry);
}

rpt_status_t rpt__ferries_find(struct rpt_ferry **ferries,
                               const rpt_options_t *options,
                               struct rpt_items *items)
{
    rpt_status_t status = rpt__device_look(options);
    const struct rpt_gpu *gpu = rpt__device_gpu();

    if (status != RPT_OK || gpu == NULL) {
        return status;
    }
    for (struct rpt_ferry *ferry = *ferries; ferry != NULL;
         ferry = ferry->next) {
        ferry->is_entered = false;
    }
    for (size_t i = 0; i < items->n && status == RPT_OK; i++) {
        struct rpt_item *item = &items->list[i];
        int device = -1;

        item->ferry = NULL;
        if (item->kind != RPT_ITEM_BLOB &&
            !rpt__box_is_empty(&item->box, item->n_dims)) {
            device = gpu->device->whose(item->memory.data);
        }
        if (device >= 0) {
            status = ferry_of(ferries, gpu->device, device, &item->ferry);
        }
    }
    return status;
}

/* ---- copies ---- */

/* Up to two loops are one call; those around them are made here. */
static rpt_status_t copy_rows(const struct rpt_ferry *ferry,
                              const struct rpt_box_rows *r, int level, char *to,
                              const char *from)
{
    struct rpt_device_block block = {
        to, from, r->row_bytes, 1, 1, 0, 0, 0, 0
    };
    int n_loops = r->n_outer - level, row = r->n_outer - 1;
    rpt_status_t status = RPT_OK;

    if (n_loops == 0) {
        return ferry->ops->copy(ferry->stream, to, from, r->row_bytes);
    }
    if (n_loops <= 2) {
        block.n_rows = r->count[row];
        block.to_row_step = r->to_step[row];
        block.from_row_step = r->from_step[row];
        block.n_slices = n_loops == 2 ? r->count[row - 1] : 1;
        block.to_slice_step = n_loops == 2 ? r->to_step[row - 1]
                                           : block.n_rows * block.to_row_step;
        block.from_slice_step = n_loops == 2
                                    ? r->from_step[row - 1]
                                    : block.n_rows * block.from_row_step;
        return ferry->ops->copy_block(ferry->stream, &block);
    }
    for (uint64_t i = 0; i < r->count[level] && status == RPT_OK; i++) {
        status = copy_rows(ferry, r, level + 1, to + i * r->to_step[level],
                           from + i * r->from_step[level]);
    }
    return status;
}

rpt_status_t rpt__ferry_copy(const struct rpt_item *item,
                             const struct rpt_box_memory *to,
                             const struct rpt_box_memory *from,
                             const struct rpt_box *box)
{
    struct rpt_ferry *ferry = item->ferry;
    struct rpt_box_rows rows;
    rpt_status_t status;
    int before;

    if (rpt__box_is_empty(box, item->n_dims)) {
        return RPT_OK;
    }
    status = ferry_use(ferry, &before);
    if (status != RPT_OK) {
        return status;
    }
    ferry->is_busy = true;
    rows = rpt__box_rows(to, from, box, item->n_dims, item->type_bytes);
    status = copy_rows(ferry, &rows, 0, rows.to, rows.from);
    if (status != RPT_OK) {
        rpt__fail(status, "\"%s\" cannot be copied from or to device %d",
                  item->name, ferry->device);
        explain(ferry);
    }
    ferry_leave(ferry, before);
    return status;
}

rpt_status_t rpt__ferry_finish(struct rpt_ferry *ferry, rpt_status_t status)
{
    rpt_status_t own = RPT_OK;

    if (ferry->is_busy) {
        own = ferry->ops->stream_finish(ferry->stream);
        ferry->is_busy = false;
    }
    return own == RPT_OK || status != RPT_OK
               ? status
               : fail(ferry, own, "copies of arrays did not end well");
}

rpt_status_t rpt__ferries_finish(struct rpt_ferry *ferries, rpt_status_t status)
{
    for (struct rpt_ferry *ferry = ferries; ferry != NULL;
         ferry = ferry->next) {
        status = rpt__ferry_finish(ferry, status);
    }
    return status;
}

/* ---- memory of the host ---- */

rpt_status_t rpt__ferry_host_alloc(const struct rpt_ferry *ferry, size_t bytes,
                                   char **memory_out)
{
    void *memory = NULL;
    int before;
    rpt_status_t status = ferry_use(ferry, &before);

    if (status != RPT_OK) {
        return status;
    }
    status = ferry->ops->host_alloc(bytes, &memory);
    if (status != RPT_OK) {
        fail(ferry, status, "no memory of the host is given for copies");
    }
    ferry_leave(ferry, before);
    *memory_out = memory;
    return status;
}

void rpt__ferry_host_release(const struct rpt_ferry *ferry, char *memory)
{
    ferry->ops->host_release(memory);
}

/* ---- a save ---- */

/* Pinned memory is scarce: not for a small part of a stream. */
static struct rpt_ferry *who_gives_most(const struct rpt_items *items,
                                        uint64_t bytes)
{
    struct rpt_ferry *ferry = NULL;
    uint64_t on_devices = 0;

    for (size_t i = 0; i < items->n; i++) {
        const struct rpt_item *item = &items->list[i];

        if (item->ferry != NULL) {
            ferry = item->ferry;
            on_devices += rpt__box_volume(&item->box, item->n_dims) *
                          item->type_bytes;
        }
    }
    return on_devices >= bytes - bytes / 2 ? ferry : NULL;
}

void rpt__ferries_reserve(struct rpt_ferry *ferries,
                          const struct rpt_items *items,
                          struct rpt_stream *stream, uint64_t bytes)
{
    struct rpt_ferry *ferry = ferries != NULL ? who_gives_most(items, bytes)
                                              : NULL;
    char *data = NULL;

    if (ferry == NULL || ferry->has_no_more || bytes == 0 ||
        bytes > SIZE_MAX / 2 ||
        (stream->release != NULL && bytes <= stream->capacity)) {
        return;
    }
    rpt__stream_free(stream);
    if (rpt__ferry_host_alloc(ferry, (size_t)bytes, &data) == RPT_OK) {
        *stream = (struct rpt_stream){ data, (size_t)bytes,
                                       ferry->ops->host_release };
    } else {
        ferry->has_no_more = true; /* or each save would ask again */
        rpt__log(RPT_LOG_INFO,
                 "arrays are copied from devices to memory that "
                 "is not pinned: %s",
                 rpt_last_error()->why);
    }
}

static rpt_status_t take_gathered(const struct rpt_items *items,
                                  const struct rpt_gather *gather, size_t k)
{
    const struct rpt_item *item = &items->list[gather->list[k].item];
    rpt_status_t status = RPT_OK;

    for (int i = 0; item->ferry != NULL && i < gather->n_ranks; i++) {
        struct rpt_box_memory to;
        struct rpt_box shared;

        if (status == RPT_OK &&
            rpt__gather_shares(gather, k, i, item, &to, &shared)) {
            status = rpt__ferry_copy(item, &to, &item->memory, &shared);
        }
    }
    return status;
}

rpt_status_t rpt__ferries_take(const struct rpt_items *items,
                               const struct rpt_file_layout *layout,
                               const struct rpt_stream *stream)
{
    rpt_status_t status = RPT_OK;
    uint64_t at = 0;

    for (size_t i = 0; i < layout->n_parts && status == RPT_OK; i++) {
        const struct rpt_source *source = &layout->sources[i];
        struct rpt_box_memory to = { (void *)(uintptr_t)rpt__stream_part(
                                         stream, layout, i, &at),
                                     layout->parts[i].box };

        if (source->kind == RPT_FROM_ITEM &&
            items->list[source->index].ferry != NULL) {
            const struct rpt_item *item = &items->list[source->index];

            status = rpt__ferry_copy(item, &to, &item->memory, &to.whole);
        }
    }
    for (size_t k = 0; k < layout->gather.n && status == RPT_OK; k++) {
        status = take_gathered(items, &layout->gather, k);
    }
    return status;
}
