/*
 * ferry.h - arrays in the memory of devices, to the host and back
 *
 * A ferry is a stream of ours on one device.  It is made when an item is found
 * to be there, and kept until the checkpoints are closed.  Copies begin behind
 * what the program has put into the default stream of the device.  Without
 * devices there is no ferry: a save or restore pays one look, and nothing for
 * each block.
 */
#ifndef RPT_IO_CHECKPOINT_FERRY_H
#define RPT_IO_CHECKPOINT_FERRY_H

#include "base/options.h"
#include "device/gpu.h"
#include "io/checkpoint/layout.h"
#include "io/checkpoint/stream.h"

struct rpt_ferry {
    struct rpt_ferry *next;
    const struct rpt_device_ops *ops;
    int device;
    void *stream;
    void *event;
    bool is_entered;  /* its copies come behind the program's own work */
    bool has_no_more; /* of that memory of the host, see below */
    bool is_busy;     /* copies may be under way                       */
};

/* Asks whose memory each item's is: `ferry` of the item.  For a save or restore
 * that begins now, since items and devices may be others than before. */
rpt_status_t rpt__ferries_find(struct rpt_ferry **ferries,
                               const rpt_options_t *options,
                               struct rpt_items *items);
/* NULL is ignored. */
void rpt__ferries_destroy(struct rpt_ferry *ferries);

/* ---- one ferry ---- */

/* Begins to copy a box that lies in both; one of the two is the item's. */
rpt_status_t rpt__ferry_copy(const struct rpt_item *item,
                             const struct rpt_box_memory *to,
                             const struct rpt_box_memory *from,
                             const struct rpt_box *box);
/* Waits for its copies, also after a failure: gives that, or theirs. */
rpt_status_t rpt__ferry_finish(struct rpt_ferry *ferry, rpt_status_t status);
/* Memory that the device copies to and from by itself. */
rpt_status_t rpt__ferry_host_alloc(const struct rpt_ferry *ferry, size_t bytes,
                                   char **memory_out);
void rpt__ferry_host_release(const struct rpt_ferry *ferry, char *memory);

/* ---- saving ---- */

/* Room for a stream of which much comes from devices: memory that they copy to
 * by themselves.  Where there is none, other memory does. */
void rpt__ferries_reserve(struct rpt_ferry *ferries,
                          const struct rpt_items *items,
                          struct rpt_stream *stream, uint64_t bytes);
/* Begins all copies from devices: into the stream of this rank, and to where
 * ranks of its node write from. */
rpt_status_t rpt__ferries_take(const struct rpt_items *items,
                               const struct rpt_file_layout *layout,
                               const struct rpt_stream *stream);
/* Waits for all. */
rpt_status_t rpt__ferries_finish(struct rpt_ferry *ferries,
                                 rpt_status_t status);

/* ---- restoring: ferry_load.c ---- */

/* An item from the file, by pieces; all is there when it returns. */
rpt_status_t rpt__ferry_load(const struct rpt_dir *dir, int fd,
                             const struct rpt_dataset *set,
                             const struct rpt_item *item);

#endif /* RPT_IO_CHECKPOINT_FERRY_H */
