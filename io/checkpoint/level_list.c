/*
 * level_list.c - what is on all nodes, as a list that all ranks have
 *
 * Each rank reads the fronts of its share of the files that its node has.  What
 * cannot be read, or is damaged there, is not listed.  Cost: one exchange.
 */
#include "io/checkpoint/level_priv.h"

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char call[] = "rpt_checkpoint_restore";

/* No job has more. */
enum { RANKS_MAX = 1 << 24 };

/* ---- this rank's list ---- */

struct listing {
    struct rpt_finding *f;
    struct rpt_buf records;
};

static rpt_status_t open_in(const struct rpt_dir *dir, const char *name,
                            struct rpt_supply *supply)
{
    rpt_status_t status = rpt__dir_open_file(dir, name, false, &supply->fd);

    if (status == RPT_OK) {
        status = rpt__dir_bytes(dir, name, supply->fd, &supply->bytes);
    }
    return status;
}

static void add_record(struct rpt_buf *out, const struct rpt_local *local,
                       uint64_t bytes)
{
    const struct rpt_local_head *head = &local->head;

    rpt__buf_u32(out, (uint32_t)head->kind);
    rpt__buf_u32(out, head->number);
    rpt__buf_u32(out, head->n_ranks);
    rpt__buf_u64(out, head->id);
    rpt__buf_u64(out, head->iteration);
    rpt__buf_f64(out, head->time_s);
    rpt__buf_u64(out, head->base);
    rpt__buf_u64(out, bytes);
    rpt__buf_u32(out, local->me);
    rpt__buf_u32(out, local->n_members);
    rpt__buf_u64(out, local->chunk);
    for (uint32_t i = 0; i < local->n_members; i++) {
        rpt__buf_u32(out, local->members[i].rank);
        rpt__buf_u64(out, local->members[i].bytes);
    }
}

static rpt_status_t add_own(struct rpt_finding *f, const char *folder,
                            const char *name)
{
    struct rpt_own *own = realloc(f->own, (f->n_own + 1) * sizeof *own);

    if (own == NULL) {
        return rpt__fail_nomem((f->n_own + 1) * sizeof *own);
    }
    f->own = own;
    own += f->n_own++;
    snprintf(own->folder, sizeof own->folder, "%s", folder);
    snprintf(own->name, sizeof own->name, "%s", name);
    return RPT_OK;
}

/* What cannot be read is not there. */
static rpt_status_t look_at(void *user, const struct rpt_dir *dir,
                            const char *folder, const char *name)
{
    struct listing *listing = user;
    struct rpt_supply supply = { NULL, 0, -1, 0 };
    struct rpt_local local = { .front = RPT_BUF_EMPTY };
    char right[RPT_LOCAL_NAME_BYTES];
    char path[1024];
    rpt_status_t status = name[0] == '.' ? RPT_END
                                         : open_in(dir, name, &supply);

    if (status == RPT_OK) {
        snprintf(path, sizeof path, "%s/%s", dir->path, name);
        status = rpt__local_read(path, &supply, &local);
    }
    if (supply.fd >= 0) {
        close(supply.fd);
    }
    if (status < 0) {
        rpt__log(RPT_LOG_WARN, "a file in io.checkpoint.local_dir: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
    if (status != RPT_OK) {
        return RPT_OK;
    }
    rpt__local_name(&local.head, right);
    if (strcmp(name, right) == 0 && local.head.n_ranks <= RANKS_MAX) {
        status = add_own(listing->f, folder, name);
        if (status == RPT_OK) {
            add_record(&listing->records, &local, supply.bytes);
        }
    }
    rpt__local_free(&local);
    return status;
}

rpt_status_t rpt__own_open(const struct rpt_finding *f, size_t index,
                           struct rpt_supply *supply_out)
{
    const struct rpt_own *own = &f->own[index];
    struct rpt_supply supply = { NULL, 0, -1, 0 };
    struct rpt_dir task = RPT_DIR_CLOSED, node = RPT_DIR_CLOSED;
    rpt_status_t status = rpt__place_open(f->c, &task);

    if (status == RPT_OK) {
        status = rpt__dir_open(&task, own->folder, &node);
    }
    if (status == RPT_OK) {
        status = open_in(&node, own->name, &supply);
    }
    rpt__dir_close(&node);
    rpt__dir_close(&task);
    if (status != RPT_OK) {
        if (supply.fd >= 0) {
            close(supply.fd);
        }
        return status;
    }
    *supply_out = supply;
    return RPT_OK;
}

/* ---- all lists ---- */

static rpt_status_t read_members(struct rpt_finding *f, struct rpt_seen *seen,
                                 struct rpt_reader *reader)
{
    struct rpt_local_member *members, **lists;

    if (seen->n_members == 0) {
        return RPT_OK;
    }
    lists = realloc(f->members, (f->n_member_lists + 1) * sizeof(void *));
    if (lists != NULL) {
        f->members = lists;
    }
    members = calloc(seen->n_members, sizeof *members);
    if (lists == NULL || members == NULL) {
        free(members);
        return rpt__fail_nomem(seen->n_members * sizeof *members);
    }
    lists[f->n_member_lists++] = members;
    for (uint32_t i = 0; i < seen->n_members; i++) {
        members[i].rank = rpt__read_u32(reader);
        members[i].bytes = rpt__read_u64(reader);
    }
    seen->members = members;
    return RPT_OK;
}

static rpt_status_t read_record(struct rpt_finding *f, int holder, size_t index,
                                struct rpt_reader *reader)
{
    struct rpt_seen *list = realloc(f->seen, (f->n_seen + 1) * sizeof *list);
    struct rpt_seen *seen;

    if (list == NULL) {
        return rpt__fail_nomem((f->n_seen + 1) * sizeof *list);
    }
    f->seen = list;
    seen = &list[f->n_seen++];
    *seen = (struct rpt_seen){ .holder = holder, .index = index };
    seen->head.kind = (enum rpt_local_kind)rpt__read_u32(reader);
    seen->head.number = rpt__read_u32(reader);
    seen->head.n_ranks = rpt__read_u32(reader);
    seen->head.id = rpt__read_u64(reader);
    seen->head.iteration = rpt__read_u64(reader);
    seen->head.time_s = rpt__read_f64(reader);
    seen->head.base = rpt__read_u64(reader);
    seen->bytes = rpt__read_u64(reader);
    seen->me = rpt__read_u32(reader);
    seen->n_members = rpt__read_u32(reader);
    seen->chunk = rpt__read_u64(reader);
    return read_members(f, seen, reader);
}

static rpt_status_t read_all(struct rpt_finding *f, const struct rpt_buf *all,
                             const uint64_t ends[])
{
    rpt_status_t status = RPT_OK;
    uint64_t begin = 0;

    for (int r = 0; r < f->c->size && status == RPT_OK; r++) {
        struct rpt_reader reader = rpt__reader(all->data + begin,
                                               (size_t)(ends[r] - begin));
        size_t index = 0;

        while (status == RPT_OK && reader.next < reader.end) {
            status = read_record(f, r, index++, &reader);
        }
        begin = ends[r];
    }
    return status;
}

rpt_status_t rpt__finding_list(struct rpt_finding *f)
{
    struct rpt_checkpoint *c = f->c;
    struct listing listing = { f, RPT_BUF_EMPTY };
    struct rpt_buf all = RPT_BUF_EMPTY;
    uint64_t *ends = calloc((size_t)c->size, sizeof *ends);
    rpt_status_t status = ends != NULL ? RPT_OK
                                       : rpt__fail_nomem((size_t)c->size * 8);

    if (status == RPT_OK && rpt__place_each(c, look_at, &listing) != RPT_OK) {
        rpt__log(RPT_LOG_WARN, "io.checkpoint.local_dir is not used: %s (%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
        rpt__buf_clear(&listing.records);
        f->n_own = 0;
    }
    if (status == RPT_OK) {
        status = rpt__buf_status(&listing.records);
    }
    status = rpt__talk_agree(c->group, call, status);
    if (status == RPT_OK) {
        status = rpt__talk_collect(c->group, call, &listing.records, &all,
                                   ends);
    }
    if (status == RPT_OK) {
        status = read_all(f, &all, ends);
    }
    rpt__buf_free(&listing.records);
    rpt__buf_free(&all);
    free(ends);
    return rpt__talk_agree(c->group, call, status);
}

void rpt__finding_free(struct rpt_finding *f)
{
    for (size_t i = 0; i < f->n_member_lists; i++) {
        free(f->members[i]);
    }
    free(f->members);
    free(f->seen);
    free(f->own);
}
