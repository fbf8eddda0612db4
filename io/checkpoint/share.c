/*
 * share.c - one checkpoint, opened and verified by all ranks of a group
 */
#include "io/checkpoint/share.h"

#include "base/error.h"
#include "io/checkpoint/checkpoint_priv.h"
#include "io/checkpoint/talk.h"

static void pack(const char *name, const struct rpt_opened *o,
                 struct rpt_buf *bytes)
{
    struct rpt_buf text = RPT_BUF_EMPTY;

    rpt__buf_str(bytes, name);
    if (name != NULL) {
        rpt__manifest_write(&o->manifest, false, &text);
        bytes->failed |= text.failed;
        rpt__buf_blob(bytes, text.data, text.bytes);
        rpt__buf_blob(bytes, o->blocks.data, o->blocks.bytes);
        rpt__buf_free(&text);
    }
}

static rpt_status_t unpack(const struct rpt_dir *task, struct rpt_reader reader,
                           struct rpt_opened *out)
{
    const char *name = rpt__read_str(&reader);
    size_t text_bytes = 0, blocks_bytes = 0;
    const void *text = rpt__read_blob(&reader, &text_bytes);
    const void *blocks = rpt__read_blob(&reader, &blocks_bytes);
    rpt_status_t status = rpt__dir_open(task, name, &out->dir);

    if (status == RPT_OK) {
        status = rpt__manifest_read(name, text, text_bytes, false,
                                    &out->manifest);
    }
    if (status == RPT_OK) {
        rpt__buf_add(&out->blocks, blocks, blocks_bytes);
        status = rpt__buf_status(&out->blocks);
    }
    if (status == RPT_OK) {
        status = rpt__blocks_read(name, out->blocks.data, out->blocks.bytes,
                                  &out->manifest, &out->written,
                                  &out->n_written, NULL);
    }
    /* Rank 0 has found all that good. */
    return status == RPT_ERR_CORRUPT || status == RPT_ERR_NOT_FOUND ? RPT_ERR_IO
                                                                    : status;
}

rpt_status_t rpt__opened_share(struct rpt_group *group, const char *call,
                               const struct rpt_dir *task, const char *name,
                               struct rpt_opened *opened)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    int rank = rpt__group_rank(group);
    rpt_status_t status;

    if (rank == 0) {
        pack(name, opened, &bytes);
    }
    status = rpt__talk_agree(group, call, rpt__buf_status(&bytes));
    if (status == RPT_OK) {
        status = rpt__talk_one(group, call, &bytes);
    }
    if (status == RPT_OK) {
        struct rpt_reader reader = rpt__reader(bytes.data, bytes.bytes);

        if (rpt__read_str(&reader) == NULL) {
            status = RPT_END;
        } else if (rank > 0) {
            status = unpack(task, rpt__reader(bytes.data, bytes.bytes), opened);
        }
    }
    rpt__buf_free(&bytes);
    return status;
}

rpt_status_t rpt__verify_together(struct rpt_group *group, const char *call,
                                  const struct rpt_opened *opened,
                                  rpt_status_t own)
{
    if (own == RPT_OK) {
        own = rpt__verify(opened, rpt__group_rank(group),
                          rpt__group_size(group));
    }
    return rpt__talk_agree(group, call, own);
}
