/*
 * level_file.c - the bytes of a file of the local level
 *
 *   head     "RPTLOCAL", version u32, kind u32, number u32, ranks u32, id u64,
 *            iteration u64, time f64, base u64, bytes of the front u64, bytes
 *            of the body u64, XXH3-128 of the body (high, low)
 *   a rank   blobs (u64 length, bytes): its section of blocks.xxh; of rank 0,
 *            else empty: draft.json, the head of blocks.xxh with its table
 *   parity   member u32, members u32, chunk u64; for each member: rank u32 and
 *            bytes u64 of its file
 *   seal     XXH3-128 of all before it: the end of the front
 *   body     a rank: the streams of its parts, one after another, none of
 *            them compressed, whatever the draft says; parity
 *
 * What a seal proves is that nothing changed by accident, see dir.h for the
 * rest.
 */
#include "io/checkpoint/level_priv.h"

#include "base/again.h"
#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = { 'R', 'P', 'T', 'L', 'O', 'C', 'A', 'L' };

enum {
    VERSION = 1,
    HEAD_BYTES = 88,
    FRONT_BYTES_MAX = RPT_BLOCKS_BYTES_MAX + 2 * RPT_MANIFEST_BYTES_MAX,
    READ_BYTES = 1 << 20
};

/* ---- names ---- */

static const char *const endings[] = { "rank", "xor" };

void rpt__local_name(const struct rpt_local_head *head,
                     char name_out[RPT_LOCAL_NAME_BYTES])
{
    char folder[RPT_FOLDER_NAME_BYTES];

    rpt__folder_name(head->iteration, head->id, folder);
    snprintf(name_out, RPT_LOCAL_NAME_BYTES, "%s.%s-%05u", folder,
             endings[head->kind], head->number);
}

bool rpt__local_parse(const char *name, uint64_t *id_out, uint32_t *number_out)
{
    char folder[RPT_FOLDER_NAME_BYTES];
    uint64_t iteration;
    const char *dot, *digits;

    if (strncmp(name, ".tmp-", 5) == 0) {
        name += 5;
    }
    dot = strchr(name, '.');
    if (dot == NULL || (size_t)(dot - name) >= sizeof folder) {
        return false;
    }
    memcpy(folder, name, (size_t)(dot - name));
    folder[dot - name] = '\0';
    digits = strchr(dot, '-');
    if (!rpt__folder_parse(folder, &iteration, id_out) || digits == NULL) {
        return false;
    }
    for (const char *c = digits + 1; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c)) {
            return false;
        }
    }
    *number_out = (uint32_t)strtoul(digits + 1, NULL, 10);
    return strncmp(dot, ".rank-", 6) == 0 || strncmp(dot, ".xor-", 5) == 0;
}

/* ---- writing ---- */

static void put_head(const struct rpt_local_head *head, struct rpt_buf *out)
{
    rpt__buf_add(out, magic, sizeof magic);
    rpt__buf_u32(out, VERSION);
    rpt__buf_u32(out, (uint32_t)head->kind);
    rpt__buf_u32(out, head->number);
    rpt__buf_u32(out, head->n_ranks);
    rpt__buf_u64(out, head->id);
    rpt__buf_u64(out, head->iteration);
    rpt__buf_f64(out, head->time_s);
    rpt__buf_u64(out, head->base);
    rpt__buf_u64(out, head->front_bytes);
    rpt__buf_u64(out, head->body_bytes);
    rpt__buf_u64(out, head->body.high);
    rpt__buf_u64(out, head->body.low);
}

static void put_seal(struct rpt_buf *out)
{
    struct rpt_digest seal;

    if (!out->failed) {
        seal = rpt__digest(out->data, out->bytes);
        rpt__buf_u64(out, seal.high);
        rpt__buf_u64(out, seal.low);
    }
}

void rpt__local_put_rank(struct rpt_local_head *head,
                         const struct rpt_buf *section,
                         const struct rpt_buf *draft,
                         const struct rpt_buf *table, struct rpt_buf *out)
{
    head->front_bytes = HEAD_BYTES + 3 * sizeof(uint64_t) + section->bytes +
                        draft->bytes + table->bytes + RPT_SEAL_BYTES;
    put_head(head, out);
    rpt__buf_blob(out, section->data, section->bytes);
    rpt__buf_blob(out, draft->data, draft->bytes);
    rpt__buf_blob(out, table->data, table->bytes);
    put_seal(out);
}

void rpt__local_put_xor(struct rpt_local_head *head, uint32_t me,
                        uint64_t chunk, const struct rpt_local_member members[],
                        uint32_t n_members, struct rpt_buf *out)
{
    head->front_bytes = HEAD_BYTES + 16 + 12 * (uint64_t)n_members +
                        RPT_SEAL_BYTES;
    put_head(head, out);
    rpt__buf_u32(out, me);
    rpt__buf_u32(out, n_members);
    rpt__buf_u64(out, chunk);
    for (uint32_t i = 0; i < n_members; i++) {
        rpt__buf_u32(out, members[i].rank);
        rpt__buf_u64(out, members[i].bytes);
    }
    put_seal(out);
}

struct rpt_dataset *rpt__local_datasets(const struct rpt_dataset datasets[],
                                        size_t n)
{
    struct rpt_dataset *plain = calloc(n + 1, sizeof *plain);

    for (size_t i = 0; plain != NULL && i < n; i++) {
        plain[i] = datasets[i];
        plain[i].slots = NULL;
    }
    return plain;
}

/* ---- reading ---- */

int rpt__supply_read(const struct rpt_supply *supply, uint64_t from,
                     size_t bytes, char *to)
{
    if (supply->pieces == NULL) {
        return rpt__read_at(supply->fd, to, bytes, from);
    }
    for (size_t i = 0; i < supply->n_pieces && bytes > 0; i++) {
        const struct rpt_piece *piece = &supply->pieces[i];

        if (from < piece->bytes) {
            uint64_t left = piece->bytes - from;
            size_t n = left < bytes ? (size_t)left : bytes;

            memcpy(to, piece->data + from, n);
            to += n;
            bytes -= n;
            from = 0;
        } else {
            from -= piece->bytes;
        }
    }
    return bytes == 0 ? 0 : ENODATA;
}

static rpt_status_t damaged(const char *name, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s is damaged", name);
    rpt__fail_why("%s", why);
    return RPT_ERR_CORRUPT;
}

static rpt_status_t unreadable(const char *name, int error)
{
    rpt__fail_errno(RPT_ERR_IO, error, "cannot read %s", name);
    rpt__fail_hint("look for faults of that disk in the system's log");
    return error == ENODATA ? damaged(name, "it ends too early") : RPT_ERR_IO;
}

static bool read_head(const char *bytes, struct rpt_local_head *head)
{
    struct rpt_reader reader = rpt__reader(bytes, HEAD_BYTES);
    const void *mark = rpt__read_bytes(&reader, sizeof magic);
    uint32_t version = rpt__read_u32(&reader);
    uint32_t kind = rpt__read_u32(&reader);

    head->kind = kind == RPT_LOCAL_XOR ? RPT_LOCAL_XOR : RPT_LOCAL_RANK;
    head->number = rpt__read_u32(&reader);
    head->n_ranks = rpt__read_u32(&reader);
    head->id = rpt__read_u64(&reader);
    head->iteration = rpt__read_u64(&reader);
    head->time_s = rpt__read_f64(&reader);
    head->base = rpt__read_u64(&reader);
    head->front_bytes = rpt__read_u64(&reader);
    head->body_bytes = rpt__read_u64(&reader);
    head->body.high = rpt__read_u64(&reader);
    head->body.low = rpt__read_u64(&reader);
    return memcmp(mark, magic, sizeof magic) == 0 && version == VERSION &&
           kind <= RPT_LOCAL_XOR && head->n_ranks <= INT32_MAX;
}

static bool read_members(struct rpt_local *local, struct rpt_reader *reader)
{
    local->me = rpt__read_u32(reader);
    local->n_members = rpt__read_u32(reader);
    local->chunk = rpt__read_u64(reader);
    if (reader->failed || local->n_members < 2 ||
        local->me >= local->n_members ||
        local->n_members > (size_t)(reader->end - reader->next) / 12 ||
        local->chunk != local->head.body_bytes ||
        local->chunk > INT64_MAX / local->n_members) {
        return false;
    }
    local->members = calloc(local->n_members, sizeof *local->members);
    for (uint32_t i = 0; local->members != NULL && i < local->n_members; i++) {
        local->members[i].rank = rpt__read_u32(reader);
        local->members[i].bytes = rpt__read_u64(reader);
    }
    for (uint32_t i = 0; local->members != NULL && i < local->n_members; i++) {
        if (local->members[i].bytes > local->chunk * (local->n_members - 1)) {
            return false;
        }
    }
    return local->members != NULL;
}

/* What lies between head and seal. */
static bool read_rest(struct rpt_local *local, struct rpt_reader reader)
{
    if (local->head.kind == RPT_LOCAL_XOR) {
        return read_members(local, &reader) && !reader.failed &&
               reader.next == reader.end;
    }
    local->section = rpt__read_blob(&reader, &local->section_bytes);
    local->draft = rpt__read_blob(&reader, &local->draft_bytes);
    local->table = rpt__read_blob(&reader, &local->table_bytes);
    return !reader.failed && reader.next == reader.end;
}

static rpt_status_t check_front(const char *name, struct rpt_local *local)
{
    size_t bytes = local->front.bytes - RPT_SEAL_BYTES;
    struct rpt_digest found = rpt__digest(local->front.data, bytes);
    struct rpt_reader seal = rpt__reader(local->front.data + bytes,
                                         RPT_SEAL_BYTES);

    if (rpt__read_u64(&seal) != found.high ||
        rpt__read_u64(&seal) != found.low) {
        return damaged(name, "it does not match its seal");
    }
    return read_rest(local, rpt__reader(local->front.data + HEAD_BYTES,
                                        bytes - HEAD_BYTES))
               ? RPT_OK
               : damaged(name, "its parts are not all there");
}

static rpt_status_t read_front(const char *name,
                               const struct rpt_supply *supply,
                               struct rpt_local *local)
{
    char head[HEAD_BYTES], *front;
    int error = rpt__supply_read(supply, 0, sizeof head, head);
    uint64_t bytes;

    if (error != 0) {
        return unreadable(name, error);
    }
    if (!read_head(head, &local->head)) {
        return damaged(name, "it does not begin as such a file does");
    }
    bytes = local->head.front_bytes;
    if (bytes < HEAD_BYTES + RPT_SEAL_BYTES || bytes > supply->bytes ||
        bytes > FRONT_BYTES_MAX ||
        local->head.body_bytes != supply->bytes - bytes) {
        return damaged(name, "it is not as long as it says");
    }
    front = rpt__buf_reserve(&local->front, (size_t)bytes);
    if (front == NULL) {
        return rpt__buf_status(&local->front);
    }
    error = rpt__supply_read(supply, 0, (size_t)bytes, front);
    if (error != 0) {
        return unreadable(name, error);
    }
    local->front.bytes = (size_t)bytes;
    return check_front(name, local);
}

rpt_status_t rpt__local_read(const char *name, const struct rpt_supply *supply,
                             struct rpt_local *local_out)
{
    struct rpt_local local = { .front = RPT_BUF_EMPTY };
    rpt_status_t status = read_front(name, supply, &local);

    if (status != RPT_OK) {
        rpt__local_free(&local);
        return status;
    }
    *local_out = local;
    return RPT_OK;
}

void rpt__local_free(struct rpt_local *local)
{
    rpt__buf_free(&local->front);
    free(local->members);
    *local = (struct rpt_local){ .front = RPT_BUF_EMPTY };
}

static int hash_body(const struct rpt_supply *supply,
                     const struct rpt_local_head *head,
                     struct rpt_hasher *hasher, char *buffer)
{
    for (uint64_t at = 0; at < head->body_bytes; at += READ_BYTES) {
        uint64_t left = head->body_bytes - at;
        size_t n = left < READ_BYTES ? (size_t)left : READ_BYTES;
        int error = rpt__supply_read(supply, head->front_bytes + at, n, buffer);

        if (error != 0) {
            return error;
        }
        rpt__hasher_add(hasher, buffer, n);
    }
    return 0;
}

rpt_status_t rpt__local_verify(const char *name,
                               const struct rpt_supply *supply,
                               const struct rpt_local_head *head)
{
    struct rpt_hasher *hasher = rpt__hasher_create();
    char *buffer = malloc(READ_BYTES);
    struct rpt_digest digest;
    rpt_status_t status = RPT_OK;

    if (hasher == NULL || buffer == NULL) {
        status = rpt__fail_nomem(READ_BYTES);
    } else {
        int error = hash_body(supply, head, hasher, buffer);

        digest = rpt__hasher_digest(hasher);
        if (error != 0) {
            status = unreadable(name, error);
        } else if (digest.high != head->body.high ||
                   digest.low != head->body.low) {
            status = damaged(name, "its data do not match their digest");
        }
    }
    free(buffer);
    rpt__hasher_destroy(hasher);
    return status;
}
