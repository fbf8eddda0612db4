/*
 * level_save.c - a save that stays on the nodes
 *
 * In the call, where another node keeps something: the file of each rank is put
 * together from its copy of the state, with its checksums, and goes where it is
 * kept, whole (partner) or in chunks (xor).  In the thread: files are written
 * under another name, and renamed.  When all ranks are down it counts.
 *
 * Cost in the call, for a rank's part of B bytes: partner sends and gets B and
 * needs memory for B; xor in a set of n nodes sends and gets B, and needs
 * memory for B / (n - 1).
 */
#include "io/checkpoint/level_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/talk.h"

#include <stdlib.h>
#include <string.h>

static const char call[] = "rpt_checkpoint_save";

void rpt__level_drop_files(struct rpt_checkpoint *c)
{
    struct rpt_levels *level = &c->level;

    for (size_t i = 0; i < level->n_files; i++) {
        rpt__buf_free(&level->files[i].front);
        free(level->files[i].pieces);
        free(level->files[i].memory);
    }
    free(level->files);
    level->files = NULL;
    level->n_files = 0;
}

static rpt_status_t add_file(struct rpt_checkpoint *c,
                             struct rpt_local_out **file_out)
{
    struct rpt_levels *level = &c->level;
    struct rpt_local_out *list = realloc(level->files,
                                         (level->n_files + 1) * sizeof *list);

    if (list == NULL) {
        return rpt__fail_nomem((level->n_files + 1) * sizeof *list);
    }
    level->files = list;
    *file_out = &list[level->n_files++];
    **file_out = (struct rpt_local_out){ .n_pieces = 0 };
    return RPT_OK;
}

static struct rpt_local_head head_of(const struct rpt_checkpoint *c,
                                     enum rpt_local_kind kind, int number)
{
    const struct rpt_stamp *stamp = &c->save.stamp;

    return (struct rpt_local_head){
        .kind = kind,
        .number = (uint32_t)number,
        .n_ranks = (uint32_t)c->size,
        .id = stamp->id,
        .iteration = stamp->iteration,
        .time_s = stamp->time_s,
        .base = c->level.base,
    };
}

/* ---- this rank's own file ---- */

/* Pieces 1 to n_parts, and all checksums in one look at the bytes. */
static void hash_parts(struct rpt_checkpoint *c, struct rpt_local_out *file,
                       struct rpt_local_head *head, uint64_t *hashes,
                       struct rpt_hasher *hasher)
{
    const struct rpt_file_layout *layout = &c->layout;
    double began_s = rpt__now_s();
    uint64_t at = 0;

    for (size_t i = 0; i < layout->n_parts; i++) {
        const char *data = rpt__stream_part(&c->stream, layout, i, &at);
        uint64_t bytes = rpt__part_bytes(layout->datasets, &layout->parts[i]);

        file->pieces[i + 1] = (struct rpt_piece){ data, bytes };
        head->body_bytes += bytes;
        for (uint64_t k = 0; k < bytes; k += RPT_BLOCK_BYTES) {
            uint64_t left = bytes - k;
            size_t n = left < RPT_BLOCK_BYTES ? (size_t)left : RPT_BLOCK_BYTES;

            *hashes++ = rpt__hash64(data + k, n, 0);
            rpt__hasher_add(hasher, data + k, n);
        }
    }
    head->body = rpt__hasher_digest(hasher);
    c->save.times = (struct rpt_write_times){
        .hash_s = rpt__now_s() - began_s, .bytes = head->body_bytes
    };
}

static rpt_status_t make_front(struct rpt_checkpoint *c,
                               struct rpt_local_out *file,
                               struct rpt_local_head *head,
                               const struct rpt_dataset datasets[],
                               const uint64_t *hashes)
{
    const struct rpt_file_layout *layout = &c->layout;
    struct rpt_buf section = RPT_BUF_EMPTY, table = RPT_BUF_EMPTY;
    struct rpt_buf *draft = &c->save.draft;
    rpt_status_t status = RPT_OK;

    rpt__section_write(head->id, head->number, 0, datasets, layout->parts,
                       layout->n_parts, hashes, &section);
    rpt__buf_clear(draft);
    if (c->rank == 0) {
        rpt__blocks_head(
            rpt__format_version(layout->datasets, layout->n_datasets), head->id,
            head->n_ranks, layout->section_offsets, layout->section_bytes,
            &table);
        status = rpt__workdir_make_draft(c);
    }
    rpt__local_put_rank(head, &section, draft, &table, &file->front);
    file->front.failed |= section.failed || table.failed;
    if (status == RPT_OK) {
        status = rpt__buf_status(&file->front);
    }
    rpt__buf_free(&section);
    rpt__buf_free(&table);
    file->pieces[0] = (struct rpt_piece){ file->front.data, file->front.bytes };
    rpt__local_name(head, file->name);
    return status;
}

static rpt_status_t make_own(struct rpt_checkpoint *c)
{
    const struct rpt_file_layout *layout = &c->layout;
    struct rpt_local_head head = head_of(c, RPT_LOCAL_RANK, c->rank);
    struct rpt_hasher *hasher = rpt__hasher_create();
    struct rpt_dataset *datasets = rpt__local_datasets(layout->datasets,
                                                       layout->n_datasets);
    struct rpt_local_out *file = NULL;
    uint64_t n_blocks = 0, *hashes;
    rpt_status_t status = add_file(c, &file);

    for (size_t i = 0; datasets != NULL && i < layout->n_parts; i++) {
        n_blocks += rpt__part_n_blocks(datasets, &layout->parts[i]);
    }
    hashes = malloc((size_t)n_blocks * sizeof *hashes + 1);
    if (status == RPT_OK) {
        file->pieces = calloc(layout->n_parts + 1, sizeof *file->pieces);
        file->n_pieces = layout->n_parts + 1;
    }
    if (status == RPT_OK &&
        (hashes == NULL || hasher == NULL || datasets == NULL ||
         file->pieces == NULL)) {
        status = rpt__fail_nomem((size_t)n_blocks * sizeof *hashes);
    }
    if (status == RPT_OK) {
        hash_parts(c, file, &head, hashes, hasher);
        status = make_front(c, file, &head, datasets, hashes);
    }
    free(hashes);
    free(datasets);
    rpt__hasher_destroy(hasher);
    return status;
}

static uint64_t bytes_of(const struct rpt_local_out *file)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < file->n_pieces; i++) {
        bytes += file->pieces[i].bytes;
    }
    return bytes;
}

/* ---- what this rank keeps for others ---- */

struct sharing {
    struct rpt_checkpoint *c;
    struct rpt_ship ship;
    struct rpt_supply own;
    uint64_t *sizes; /* of the file of each rank */
};

/* Room for `bytes` bytes that are expected; zeros. */
static rpt_status_t make_room(struct rpt_checkpoint *c, uint64_t bytes,
                              bool has_front, struct rpt_local_out **file_out)
{
    struct rpt_local_out *file = NULL;
    rpt_status_t status = add_file(c, &file);

    if (status != RPT_OK) {
        return status;
    }
    file->n_pieces = has_front ? 2 : 1;
    file->pieces = calloc(file->n_pieces, sizeof *file->pieces);
    file->memory = bytes < SIZE_MAX ? calloc((size_t)bytes + 1, 1) : NULL;
    if (file->pieces == NULL || file->memory == NULL) {
        file->n_pieces = 0;
        rpt__fail_nomem((size_t)bytes);
        rpt__fail_hint("what another rank writes is kept here for a moment: "
                       "choose another io.checkpoint.local_copy");
        return RPT_ERR_NOMEM;
    }
    file->pieces[file->n_pieces - 1] = (struct rpt_piece){ file->memory,
                                                           bytes };
    *file_out = file;
    return RPT_OK;
}

static rpt_status_t plan_partner(struct sharing *s)
{
    struct rpt_checkpoint *c = s->c;
    const struct rpt_nodes *nodes = &c->level.nodes;
    struct rpt_range all = { 0, s->own.bytes };
    rpt_status_t status = rpt__ship_send(
        &s->ship, rpt__nodes_partner(nodes, c->rank), 0, &s->own, all);

    for (int r = 0; r < c->size && status == RPT_OK; r++) {
        struct rpt_local_head head = head_of(c, RPT_LOCAL_RANK, r);
        struct rpt_local_out *file;

        if (rpt__nodes_partner(nodes, r) != c->rank) {
            continue;
        }
        status = make_room(c, s->sizes[r], false, &file);
        if (status == RPT_OK) {
            rpt__local_name(&head, file->name);
            status = rpt__ship_expect(&s->ship, r, 0, file->memory,
                                      s->sizes[r]);
        }
    }
    return status;
}

/* The members of a place, and the longest of their files. */
static uint64_t list_members(const struct sharing *s,
                             const struct rpt_xor_set *set, int place,
                             struct rpt_local_member members[])
{
    uint64_t most = 0;

    for (int i = 0; i < set->n; i++) {
        int rank;
        bool has = rpt__nodes_member(&s->c->level.nodes, set, place, i, &rank);

        members[i].rank = has ? (uint32_t)rank : UINT32_MAX;
        members[i].bytes = has ? s->sizes[rank] : 0;
        most = members[i].bytes > most ? members[i].bytes : most;
    }
    return most;
}

/* This rank keeps the parity of a place. */
static rpt_status_t keep_parity(struct sharing *s,
                                const struct rpt_xor_set *set, int place,
                                const struct rpt_local_member members[],
                                uint64_t chunk)
{
    struct rpt_checkpoint *c = s->c;
    struct rpt_local_head head = head_of(c, RPT_LOCAL_XOR, place);
    int me = c->level.nodes.node[c->rank] - set->first;
    struct rpt_local_out *file;
    rpt_status_t status = make_room(c, chunk, true, &file);

    if (status != RPT_OK) {
        return status;
    }
    head.body_bytes = chunk;
    rpt__local_name(&head, file->name);
    rpt__local_put_xor(&head, (uint32_t)me, chunk, members, (uint32_t)set->n,
                       &file->front); /* its digest comes later */
    status = rpt__buf_status(&file->front);
    for (int i = 0; i < set->n && status == RPT_OK; i++) {
        if (i != me) {
            status = rpt__ship_expect(&s->ship, (int)members[i].rank,
                                      (uint32_t)place, file->memory,
                                      rpt__xor_range((uint32_t)i, (uint32_t)me,
                                                     chunk, members[i].bytes)
                                          .bytes);
        }
    }
    return status;
}

static rpt_status_t send_chunks(struct sharing *s,
                                const struct rpt_xor_set *set, int place,
                                uint64_t chunk)
{
    const struct rpt_nodes *nodes = &s->c->level.nodes;
    int me = nodes->node[s->c->rank] - set->first;
    rpt_status_t status = RPT_OK;

    for (int i = 0; i < set->n && status == RPT_OK; i++) {
        int rank;

        rpt__nodes_member(nodes, set, place, i, &rank);
        if (i != me) {
            status = rpt__ship_send(
                &s->ship, rank, (uint32_t)place, &s->own,
                rpt__xor_range((uint32_t)me, (uint32_t)i, chunk, s->own.bytes));
        }
    }
    return status;
}

static rpt_status_t plan_xor(struct sharing *s)
{
    struct rpt_checkpoint *c = s->c;
    const struct rpt_nodes *nodes = &c->level.nodes;
    int node = nodes->node[c->rank];
    struct rpt_xor_set set = rpt__nodes_set(
        nodes, node,
        (int)rpt__option_integer(c->options, RPT_OPT_IO_CHECKPOINT_LOCAL_SET));
    struct rpt_local_member *members = calloc((size_t)set.n, sizeof *members);
    rpt_status_t status = members != NULL ? RPT_OK
                                          : rpt__fail_nomem((size_t)set.n * 16);

    for (int place = 0; place < set.n_places && status == RPT_OK; place++) {
        uint64_t most = list_members(s, &set, place, members);
        uint64_t chunk = rpt__xor_chunk(most, (uint32_t)set.n);
        int keeper;

        rpt__nodes_member(nodes, &set, place, node - set.first, &keeper);
        if (keeper == c->rank) {
            status = keep_parity(s, &set, place, members, chunk);
        }
        if (status == RPT_OK && place == nodes->place[c->rank]) {
            status = send_chunks(s, &set, place, chunk);
        }
    }
    free(members);
    return status;
}

/* Fronts of parity have the digest of what came; they are as long as before. */
static rpt_status_t seal_parity(struct rpt_checkpoint *c)
{
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < c->level.n_files && status == RPT_OK; i++) {
        struct rpt_local_out *file = &c->level.files[i];
        struct rpt_supply front = { file->pieces, file->n_pieces, -1,
                                    bytes_of(file) };
        struct rpt_local local;

        if (file->memory == NULL || file->n_pieces < 2) {
            continue;
        }
        file->pieces[0] = (struct rpt_piece){ file->front.data,
                                              file->front.bytes };
        front.bytes += file->front.bytes;
        status = rpt__local_read(file->name, &front, &local);
        if (status == RPT_OK) {
            local.head.body = rpt__digest(file->memory,
                                          (size_t)file->pieces[1].bytes);
            rpt__buf_clear(&file->front);
            rpt__local_put_xor(&local.head, local.me, local.chunk,
                               local.members, local.n_members, &file->front);
            status = rpt__buf_status(&file->front);
            rpt__local_free(&local);
        }
    }
    return status;
}

/* Collective. */
static rpt_status_t exchange_sizes(struct sharing *s, rpt_status_t own)
{
    struct rpt_checkpoint *c = s->c;

    s->sizes = calloc((size_t)c->size, sizeof *s->sizes);
    if (own == RPT_OK && s->sizes == NULL) {
        own = rpt__fail_nomem((size_t)c->size * sizeof *s->sizes);
    }
    own = rpt__talk_agree(c->group, call, own);
    return own == RPT_OK ? rpt__talk_all(c->group, call, &s->own.bytes,
                                         sizeof s->own.bytes, s->sizes)
                         : own;
}

/* Collective. */
static rpt_status_t share(struct sharing *s, rpt_status_t own)
{
    struct rpt_checkpoint *c = s->c;
    struct rpt_local_out *file = c->level.files;
    rpt_status_t status;

    if (own == RPT_OK) {
        /* The list of files will move, their pieces will not. */
        s->own = (struct rpt_supply){ file->pieces, file->n_pieces, -1,
                                      bytes_of(file) };
    }
    status = exchange_sizes(s, own);
    if (status == RPT_OK) {
        own = c->level.copy == RPT_LEVEL_COPY_XOR ? plan_xor(s)
                                                  : plan_partner(s);
        status = rpt__ship_run(c, &s->ship, own);
    }
    if (status == RPT_OK) {
        status = seal_parity(c);
    }
    return status;
}

rpt_status_t rpt__level_share(struct rpt_checkpoint *c, rpt_status_t own)
{
    struct sharing s = { .c = c, .ship = { .id = c->save.stamp.id } };
    rpt_status_t status;

    rpt__level_drop_files(c);
    if (c->level.copy == RPT_LEVEL_COPY_NONE || c->level.nodes.n < 2) {
        return own;
    }
    if (own == RPT_OK) {
        own = make_own(c);
    }
    status = share(&s, own);
    free(s.sizes);
    rpt__ship_free(&s.ship);
    if (status != RPT_OK) {
        rpt__level_drop_files(c);
    }
    return status;
}

/* ---- the thread ---- */

rpt_status_t rpt__level_write(struct rpt_checkpoint *c)
{
    struct rpt_levels *level = &c->level;
    bool syncs = rpt__option_switch(c->options, RPT_OPT_IO_CHECKPOINT_SYNC);
    struct rpt_dir node = RPT_DIR_CLOSED;
    rpt_status_t status = level->n_files == 0 ? make_own(c) : RPT_OK;
    double began_s = rpt__now_s();

    if (status == RPT_OK) {
        status = rpt__place_open_node(c, &node);
    }
    for (size_t i = 0; i < level->n_files && status == RPT_OK; i++) {
        status = rpt__place_put(&node, &level->files[i], syncs);
        if (status == RPT_ERR_IO) {
            rpt__fail_hint("checkpoints that were committed before are intact; "
                           "free space there, or lower "
                           "io.checkpoint.local_keep, or use another "
                           "io.checkpoint.local_dir");
        }
    }
    rpt__dir_close(&node);
    rpt__level_drop_files(c);
    c->save.times.write_s = rpt__now_s() - began_s;
    return status;
}

static rpt_status_t remove_old(void *user, const struct rpt_dir *dir,
                               const char *folder, const char *name)
{
    const struct rpt_checkpoint *c = user;
    uint64_t id = 0;
    uint32_t number;
    bool is_draft = name[0] == '.';

    (void)folder;
    rpt__local_parse(name, &id, &number);
    /* What an earlier job has left may be all that there is. */
    if (c->level.failed != 0 && id != c->level.failed && !is_draft) {
        return RPT_OK;
    }
    for (size_t i = 0; i < c->level.n_kept && !is_draft; i++) {
        if (c->level.kept[i] == id) {
            return RPT_OK;
        }
    }
    return rpt__dir_remove(dir, name);
}

void rpt__level_tidy(const struct rpt_checkpoint *c)
{
    if (rpt__place_each(c, remove_old, (void *)(uintptr_t)c) != RPT_OK) {
        rpt__log(RPT_LOG_WARN,
                 "old files in io.checkpoint.local_dir were not removed: %s "
                 "(%s)",
                 rpt_last_error()->what, rpt_last_error()->why);
    }
}
