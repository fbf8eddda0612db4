/*
 * talk.c - small agreements among the ranks of a checkpoint
 */
#include "io/checkpoint/talk.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

rpt_status_t rpt__talk_all(struct rpt_group *group, const char *call,
                           const void *mine, size_t bytes, void *all_out)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__group_exchange(group, call, mine, bytes, all_out);
    rpt__engine_unlock(engine);
    return status;
}

static rpt_status_t share(struct rpt_group *group, const char *call, int root,
                          struct rpt_buf *bytes)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    rpt_status_t status;

    rpt__engine_lock(engine);
    status = rpt__group_share(group, call, root, bytes);
    rpt__engine_unlock(engine);
    return status;
}

rpt_status_t rpt__talk_one(struct rpt_group *group, const char *call,
                           struct rpt_buf *bytes)
{
    return share(group, call, 0, bytes);
}

rpt_status_t rpt__talk_from(struct rpt_group *group, const char *call, int root,
                            struct rpt_buf *bytes)
{
    return share(group, call, root, bytes);
}

/* Collective; most: the longest of all. */
static rpt_status_t collect_padded(struct rpt_group *group, const char *call,
                                   const struct rpt_buf *mine, uint64_t most,
                                   struct rpt_buf *padded)
{
    size_t n = (size_t)rpt__group_size(group);
    char *block = calloc((size_t)most + 1, 1);
    char *all = rpt__buf_reserve(padded, n * (size_t)most + 1);
    rpt_status_t status = block != NULL && all != NULL
                              ? RPT_OK
                              : rpt__fail_nomem(n * (size_t)most);

    status = rpt__talk_agree(group, call, status);
    if (status == RPT_OK && most > 0) {
        if (mine->bytes > 0) {
            memcpy(block, mine->data, mine->bytes);
        }
        status = rpt__talk_all(group, call, block, (size_t)most, all);
    }
    free(block);
    return status;
}

rpt_status_t rpt__talk_collect(struct rpt_group *group, const char *call,
                               const struct rpt_buf *mine,
                               struct rpt_buf *all_out, uint64_t ends_out[])
{
    struct rpt_buf padded = RPT_BUF_EMPTY;
    uint64_t bytes = mine->bytes, most = 0, at = 0;
    int n = rpt__group_size(group);
    rpt_status_t status = rpt__talk_all(group, call, &bytes, sizeof bytes,
                                        ends_out);

    for (int r = 0; status == RPT_OK && r < n; r++) {
        most = ends_out[r] > most ? ends_out[r] : most;
    }
    if (status == RPT_OK) {
        status = collect_padded(group, call, mine, most, &padded);
    }
    for (int r = 0; status == RPT_OK && r < n; r++) {
        rpt__buf_add(all_out, padded.data + (size_t)r * most,
                     (size_t)ends_out[r]);
        at += ends_out[r];
        ends_out[r] = at;
    }
    rpt__buf_free(&padded);
    return status == RPT_OK ? rpt__buf_status(all_out) : status;
}

void rpt__error_pack(struct rpt_buf *out)
{
    const rpt_error_t *error = rpt_last_error();

    rpt__buf_u32(out, (uint32_t)error->status);
    rpt__buf_u32(out, (uint32_t)error->rank);
    rpt__buf_u32(out, (uint32_t)error->n_ranks);
    rpt__buf_str(out, error->host);
    rpt__buf_str(out, error->what);
    rpt__buf_str(out, error->why);
    rpt__buf_str(out, error->hint);
}

static const char *text_or_none(struct rpt_reader *reader)
{
    const char *text = rpt__read_str(reader);

    return text != NULL ? text : "";
}

void rpt__error_unpack(struct rpt_reader *reader)
{
    rpt_error_t error = { .size = sizeof error };

    error.status = (rpt_status_t)(int32_t)rpt__read_u32(reader);
    error.rank = (int)rpt__read_u32(reader);
    error.n_ranks = (int)rpt__read_u32(reader);
    error.host = text_or_none(reader);
    error.what = text_or_none(reader);
    error.why = text_or_none(reader);
    error.hint = text_or_none(reader);
    rpt__fail_remote(&error);
}

/* All get the error of one rank. */
static rpt_status_t spread_error(struct rpt_group *group, const char *call,
                                 int rank, rpt_status_t failure)
{
    struct rpt_buf text = RPT_BUF_EMPTY;
    rpt_status_t status;

    if (rpt__group_rank(group) == rank) {
        rpt__error_pack(&text);
    }
    status = share(group, call, rank, &text);
    if (status == RPT_OK && rpt__group_rank(group) != rank) {
        struct rpt_reader reader = rpt__reader(text.data, text.bytes);

        rpt__error_unpack(&reader);
    }
    rpt__buf_free(&text);
    return status == RPT_OK ? failure : status;
}

enum { FEW_RANKS = 64 };

static bool is_failed(struct rpt_group *group)
{
    struct rpt_engine *engine = rpt__comm_engine(rpt__group_comm(group));
    bool failed;

    rpt__engine_lock(engine);
    failed = rpt__group_is_failed(group);
    rpt__engine_unlock(engine);
    return failed;
}

rpt_status_t rpt__talk_agree(struct rpt_group *group, const char *call,
                             rpt_status_t own)
{
    int n = rpt__group_size(group);
    int32_t mine = own < 0 ? (int32_t)own : 0;
    int32_t few[FEW_RANKS], *all = n <= FEW_RANKS ? few : NULL;
    rpt_status_t status = RPT_OK;

    /* The talk has failed before, and own is why: it is not to be replaced by
     * that there is no more talk. */
    if (own < 0 && is_failed(group)) {
        return own;
    }
    /* Who has no memory for the answers cannot take part: the others end at
     * their deadline. */
    if (all == NULL) {
        all = malloc((size_t)n * sizeof *all);
        status = all != NULL ? RPT_OK : rpt__fail_nomem((size_t)n * 4);
    }
    if (status == RPT_OK) {
        status = rpt__talk_all(group, call, &mine, sizeof mine, all);
    }
    for (int r = 0; status == RPT_OK && r < n; r++) {
        if (all[r] < 0) {
            status = spread_error(group, call, r, (rpt_status_t)all[r]);
        }
    }
    if (all != few) {
        free(all);
    }
    return status;
}
