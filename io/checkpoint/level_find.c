/*
 * level_find.c - the newest checkpoint of the local level that is whole
 *
 *   all:     list what is on their node; all get all lists
 *   each id  that is newer than the newest shared one, and based on that, the
 *            newest first: its files are read and compared by who can; then all
 *            know whether each rank's part is there, or can be rebuilt
 *   all:     rebuild, and write it to the shared directory
 *
 * From then on it is a checkpoint like any other.  When there is none, or it
 * has too many holes, the shared one is restored.
 */
#include "io/checkpoint/level_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_restore";

/* ---- candidates ---- */

/* The one of the shared directory that was committed last, if it can be read;
 * of rank 0.  One of a higher iteration may be of an older history. */
struct shared {
    uint64_t id, iteration;
    double time_s;
};

static rpt_status_t ask_shared(struct rpt_checkpoint *c, struct shared *out)
{
    struct rpt_buf bytes = RPT_BUF_EMPTY;
    struct rpt_found *found = NULL;
    rpt_status_t status = RPT_OK;
    size_t n = 0;

    if (c->rank == 0) {
        status = rpt__find_all(&c->dir, &found, &n);
        *out = (struct shared){ 0, 0, 0 };
        for (size_t i = 0; i < n; i++) {
            if (found[i].counts && found[i].time_s > out->time_s) {
                *out = (struct shared){ found[i].id, found[i].iteration,
                                        found[i].time_s };
            }
        }
        rpt__buf_add(&bytes, out, sizeof *out);
        free(found);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_one(c->group, call, &bytes);
    }
    if (status == RPT_OK) {
        memcpy(out, bytes.data, sizeof *out);
    }
    rpt__buf_free(&bytes);
    return status;
}

static bool is_newer(const struct rpt_local_head *a, uint64_t iteration,
                     double time_s, uint64_t id)
{
    if (a->iteration != iteration) {
        return a->iteration > iteration;
    }
    return a->time_s > time_s || (!(a->time_s < time_s) && a->id > id);
}

/* NULL: there is none. */
static const struct rpt_local_head *newest(const struct rpt_finding *f,
                                           const struct shared *shared)
{
    const struct rpt_local_head *best = NULL;

    for (size_t i = 0; i < f->n_seen; i++) {
        const struct rpt_local_head *head = &f->seen[i].head;

        if (!f->seen[i].is_out && shared->id != 0 && head->base == shared->id &&
            is_newer(head, shared->iteration, shared->time_s, shared->id) &&
            (best == NULL ||
             is_newer(head, best->iteration, best->time_s, best->id))) {
            best = head;
        }
    }
    return best;
}

/* One byte for each file of this id that this rank can read. */
static void judge_own(const struct rpt_finding *f, uint64_t id,
                      struct rpt_buf *out)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        const struct rpt_seen *seen = &f->seen[i];
        struct rpt_supply supply = { NULL, 0, -1, 0 };
        struct rpt_local local;
        rpt_status_t status;

        if (seen->head.id != id || seen->holder != f->c->rank) {
            continue;
        }
        status = rpt__own_open(f, seen->index, &supply);
        if (status == RPT_OK) {
            status = rpt__local_read(f->own[seen->index].name, &supply, &local);
        }
        if (status == RPT_OK) {
            status = rpt__local_verify(f->own[seen->index].name, &supply,
                                       &local.head);
            rpt__local_free(&local);
        }
        if (supply.fd >= 0) {
            close(supply.fd);
        }
        if (status != RPT_OK) {
            rpt__log(RPT_LOG_WARN, "%s in io.checkpoint.local_dir: %s (%s)",
                     f->own[seen->index].folder, rpt_last_error()->what,
                     rpt_last_error()->why);
        }
        rpt__buf_u8(out, status == RPT_OK);
    }
}

/* Collective: all learn which files of this id are good. */
static rpt_status_t judge(struct rpt_finding *f, uint64_t id)
{
    struct rpt_checkpoint *c = f->c;
    struct rpt_buf mine = RPT_BUF_EMPTY, all = RPT_BUF_EMPTY;
    uint64_t *ends = calloc((size_t)c->size, sizeof *ends);
    size_t at = 0;
    rpt_status_t status;

    judge_own(f, id, &mine);
    status = ends != NULL ? rpt__buf_status(&mine)
                          : rpt__fail_nomem((size_t)c->size * 8);
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_collect(c->group, call, &mine, &all, ends);
    }
    for (size_t i = 0; i < f->n_seen && status == RPT_OK; i++) {
        if (f->seen[i].head.id == id && at < all.bytes) {
            f->seen[i].is_good = all.data[at++] != 0;
        }
    }
    rpt__buf_free(&mine);
    rpt__buf_free(&all);
    free(ends);
    return rpt__talk_agree(c->group, call, status);
}

/* ---- one candidate ---- */

static bool is_complete(const struct rpt_finding *f,
                        const struct rpt_local_head *head)
{
    for (uint32_t r = 0; r < head->n_ranks; r++) {
        if (rpt__found_part(f, head->id, r) < 0 &&
            !rpt__can_rebuild(f, head->id, r)) {
            return false;
        }
    }
    return head->n_ranks > 0;
}

/* Where the part of a rank will be. */
static int place_of(const struct rpt_finding *f, uint64_t id, uint32_t rank)
{
    int64_t i = rpt__found_part(f, id, rank);

    return i >= 0 ? f->seen[i].holder : (int)(rank % (uint32_t)f->c->size);
}

static rpt_status_t take_file(const struct rpt_finding *f, size_t index,
                              struct rpt_held *held)
{
    rpt_status_t status;

    held->finding = f;
    held->index = index;
    status = rpt__held_open(held);
    if (status == RPT_OK) {
        status = rpt__local_read(f->own[index].name, &held->supply,
                                 &held->local);
    }
    rpt__held_close(held); /* a rank may hold the parts of many */
    return status;
}

/* Collective: parts that are not there are made.  held: room for n_ranks. */
static rpt_status_t hold_all(const struct rpt_finding *f,
                             const struct rpt_local_head *head,
                             struct rpt_held *held, size_t *n_held)
{
    struct rpt_checkpoint *c = f->c;
    rpt_status_t status = RPT_OK;

    for (uint32_t r = 0; r < head->n_ranks; r++) {
        int64_t i = rpt__found_part(f, head->id, r);

        if (i >= 0 && f->seen[i].holder == c->rank && status == RPT_OK) {
            status = take_file(f, f->seen[i].index, &held[(*n_held)++]);
        }
    }
    status = rpt__talk_agree(c->group, call, status);
    for (uint32_t r = 0; r < head->n_ranks && status == RPT_OK; r++) {
        if (rpt__found_part(f, head->id, r) < 0) {
            int on = place_of(f, head->id, r);

            status = rpt__rebuild(f, head->id, r, on, &held[*n_held]);
            *n_held += on == c->rank;
        }
    }
    return status;
}

/* A failure that only says that something on a node cannot be had. */
static bool is_of_node(rpt_status_t status)
{
    return status == RPT_ERR_IO || status == RPT_ERR_NOT_FOUND ||
           status == RPT_ERR_INVALID || status == RPT_ERR_NOMEM ||
           status == RPT_ERR_SYSTEM;
}

/* Collective. */
static rpt_status_t flush(const struct rpt_finding *f,
                          const struct rpt_local_head *head)
{
    struct rpt_checkpoint *c = f->c;
    struct rpt_held *held = calloc(head->n_ranks, sizeof *held);
    size_t n_held = 0;
    rpt_status_t status = held != NULL
                              ? RPT_OK
                              : rpt__fail_nomem(head->n_ranks * sizeof *held);

    for (uint32_t r = 0; held != NULL && r < head->n_ranks; r++) {
        held[r].supply.fd = -1;
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = hold_all(f, head, held, &n_held);
        if (is_of_node(status)) {
            status = RPT_ERR_CORRUPT; /* it is as if that were lost */
        }
    }
    if (status == RPT_OK) {
        status = rpt__level_flush(c, head->id, place_of(f, head->id, 0), held,
                                  n_held);
    }
    for (uint32_t r = 0; held != NULL && r < head->n_ranks; r++) {
        rpt__held_free(&held[r]);
    }
    free(held);
    return status;
}

/* Collective.  RPT_PENDING: it comes to nothing. */
static rpt_status_t try_one(struct rpt_finding *f,
                            const struct rpt_local_head *head)
{
    struct rpt_checkpoint *c = f->c;
    double began_s = rpt__now_s();
    rpt_status_t status = judge(f, head->id);

    if (status != RPT_OK) {
        return status;
    }
    if (!is_complete(f, head)) {
        rpt__log_rank0(RPT_LOG_WARN,
                       "the checkpoint of iteration %llu in "
                       "io.checkpoint.local_dir has lost too much: an older "
                       "one is used",
                       (unsigned long long)head->iteration);
        return RPT_PENDING;
    }
    status = flush(f, head);
    if (status == RPT_ERR_CORRUPT) {
        rpt__log_rank0(RPT_LOG_WARN,
                       "the checkpoint of iteration %llu in "
                       "io.checkpoint.local_dir is not used: %s (%s)",
                       (unsigned long long)head->iteration,
                       rpt_last_error()->what, rpt_last_error()->why);
        return RPT_PENDING;
    }
    if (status == RPT_OK && c->rank == 0) {
        rpt__event_add(&c->dir, "commit", head->id, head->iteration,
                       rpt__now_s() - began_s);
    }
    return status;
}

static void put_out(struct rpt_finding *f, uint64_t id)
{
    for (size_t i = 0; i < f->n_seen; i++) {
        f->seen[i].is_out |= f->seen[i].head.id == id;
    }
}

void rpt__level_restored(struct rpt_checkpoint *c, uint64_t id)
{
    if (c->level.is_on && c->level.flushed == id) {
        c->level.n_kept = 0;
        c->level.failed = 0;
        rpt__level_tidy(c);
    }
    c->level.flushed = 0;
}

rpt_status_t rpt__level_recover(struct rpt_checkpoint *c)
{
    struct rpt_finding f = { .c = c };
    const struct rpt_local_head *head;
    struct shared shared;
    rpt_status_t status;

    if (!c->level.is_on) {
        return RPT_OK;
    }
    c->level.base = 0; /* the program goes back: its next save is shared */
    c->level.flushed = 0;
    if (c->rank == 0) {
        rpt__recycle_drop(c); /* it takes the room of one */
    }
    status = ask_shared(c, &shared);
    if (status == RPT_OK) {
        status = rpt__finding_list(&f);
    }
    while (status == RPT_OK && (head = newest(&f, &shared)) != NULL) {
        uint64_t id = head->id;

        status = try_one(&f, head);
        if (status == RPT_OK) {
            c->level.flushed = id;
            break;
        }
        put_out(&f, id);
        status = status == RPT_PENDING ? RPT_OK : status;
    }
    rpt__finding_free(&f);
    return status;
}
