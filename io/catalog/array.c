/*
 * array.c - the elements of a dataset as rows
 *
 * The box that is wanted is walked part by part, in the order of their streams,
 * so that each block of a MiB is read, and compared with its checksum, once; a
 * block is read when a value in it is asked for.  Where parts are rows that is
 * the order of the array, too.  A dataset that is compressed is walked chunk by
 * chunk in each part; a block is a chunk then, expanded.  Who asks
 * for that order (ORDER BY i0, i1, ...)
 * gets it from a walk through the whole box, with the blocks that were used
 * last in memory.
 */
#include "io/catalog/array_priv.h"

#include "base/error.h"
#include "io/checkpoint/chunks.h"
#include "io/checkpoint/verify.h"

#include <stdlib.h>
#include <string.h>

enum { N_BLOCKS = 32, N_BLOCKS_IN_TURN = 2 };

/* A block in memory. */
struct block {
    const struct rpt_written *of; /* NULL: none */
    uint64_t k;
    uint64_t used; /* when, by the cursor's count */
    char *data;
};

struct array_cursor {
    struct rpt_cursor base;
    struct rpt_held *held;
    const struct rpt_dataset *set;
    size_t type_bytes;
    bool in_order;
    struct rpt_box wanted;
    uint32_t *parts; /* that share elements with it, by where they begin */
    size_t n_parts;
    size_t part;              /* which of these has the element */
    uint64_t piece, n_pieces; /* of that part: chunks, or 1 */
    /* the walk */
    struct rpt_box box;
    uint64_t at[RPT_BOX_DIMS];
    uint64_t index; /* of the element in the stream of the part, or the chunk */
    uint64_t chunk; /* of the part                                            */
    uint64_t left;  /* elements that follow it in the same row of it          */
    /* data */
    struct block blocks[N_BLOCKS];
    size_t block_bytes;
    struct rpt_unpacker *unpacker; /* of this dataset, or NULL */
    uint64_t n_used;
    char *element; /* of one that lies in several blocks */
};

/* ---- data ---- */

static void forget_blocks(struct array_cursor *c)
{
    for (size_t i = 0; i < N_BLOCKS; i++) {
        free(c->blocks[i].data);
        c->blocks[i] = (struct block){ .of = NULL };
    }
    rpt__unpacker_destroy(c->unpacker);
    c->unpacker = NULL;
    free(c->element);
    c->element = NULL;
}

static void take_set(struct array_cursor *c, const struct rpt_dataset *set)
{
    c->set = set;
    c->type_bytes = rpt_type_bytes(set->type);
    c->block_bytes = set->slots != NULL
                         ? (size_t)rpt__chunk_bytes(set, set->slots->chunk)
                         : RPT_BLOCK_BYTES;
}

/* Blocks in memory at a time; large ones are fewer. */
static size_t most_blocks(const struct array_cursor *c)
{
    size_t n = c->in_order ? N_BLOCKS : N_BLOCKS_IN_TURN;

    if (c->block_bytes > RPT_BLOCK_BYTES) {
        n = n * RPT_BLOCK_BYTES / c->block_bytes;
    }
    return n > 1 ? n : 1;
}

static const struct rpt_written *written_of(const struct array_cursor *c)
{
    return &c->held->opened.written[c->parts[c->part]];
}

static rpt_status_t read_chunk(struct array_cursor *c,
                               const struct rpt_written *of, uint64_t k,
                               char *to)
{
    const struct rpt_opened *o = &c->held->opened;
    struct rpt_box grid = rpt__chunk_grid(c->set, &of->part.box);
    const char *data = NULL;
    rpt_status_t status = RPT_OK;

    if (c->unpacker == NULL) {
        status = rpt__unpacker_create(c->set, &c->unpacker);
    }
    if (status == RPT_OK) {
        status = rpt__unpack_chunk(c->unpacker, &o->dir, c->held->fd, c->set,
                                   rpt__chunk_at(c->set, &grid, k), &data);
    }
    if (status == RPT_OK) {
        memcpy(to, data, c->block_bytes);
    }
    return status;
}

static rpt_status_t read_block(struct array_cursor *c, struct block *block,
                               const struct rpt_written *of, uint64_t k)
{
    rpt_status_t status = rpt__view_stops(c->base.catalog);

    block->of = NULL;
    if (status == RPT_OK && block->data == NULL) {
        block->data = malloc(c->block_bytes);
        if (block->data == NULL) {
            status = rpt__fail_nomem(c->block_bytes);
        }
    }
    if (status == RPT_OK) {
        status = rpt__verify_block(&c->held->opened, c->held->fd, of, k,
                                   block->data);
    }
    if (status == RPT_OK && of->slots != NULL) {
        status = read_chunk(c, of, k, block->data);
    }
    if (status == RPT_OK) {
        block->of = of;
        block->k = k;
    }
    return status;
}

static rpt_status_t get_block(struct array_cursor *c, uint64_t k,
                              const char **data_out)
{
    const struct rpt_written *of = written_of(c);
    size_t n = most_blocks(c);
    struct block *block = NULL;
    rpt_status_t status = RPT_OK;

    for (size_t i = 0; i < n; i++) {
        struct block *b = &c->blocks[i];

        if (b->of == of && b->k == k) {
            b->used = ++c->n_used;
            *data_out = b->data;
            return RPT_OK;
        }
        if (block == NULL || b->of == NULL ||
            (block->of != NULL && b->used < block->used)) {
            block = b;
        }
    }
    status = read_block(c, block, of, k);
    if (status == RPT_OK) {
        block->used = ++c->n_used;
        *data_out = block->data;
    }
    return status;
}

/* An element that goes on in the next block. */
static rpt_status_t gather(struct array_cursor *c, uint64_t from)
{
    size_t done = 0;
    rpt_status_t status = RPT_OK;

    if (c->type_bytes > RPT_CELL_BYTES_MAX) {
        rpt__fail(RPT_ERR_OVERFLOW, "an element of \"%s\" has %zu bytes",
                  c->set->name, c->type_bytes);
        rpt__fail_why("a value has %d bytes at most", RPT_CELL_BYTES_MAX);
        return RPT_ERR_OVERFLOW;
    }
    if (c->element == NULL) {
        c->element = malloc(c->type_bytes);
        if (c->element == NULL) {
            return rpt__fail_nomem(c->type_bytes);
        }
    }
    while (done < c->type_bytes && status == RPT_OK) {
        size_t skip = (size_t)((from + done) % RPT_BLOCK_BYTES);
        size_t bytes = RPT_BLOCK_BYTES - skip;
        const char *data = NULL;

        bytes = bytes < c->type_bytes - done ? bytes : c->type_bytes - done;
        status = get_block(c, (from + done) / RPT_BLOCK_BYTES, &data);
        if (status == RPT_OK) {
            memcpy(c->element + done, data + skip, bytes);
            done += bytes;
        }
    }
    return status;
}

static rpt_status_t get_element(struct array_cursor *c, const char **out)
{
    uint64_t from = c->index * c->type_bytes;
    size_t skip = (size_t)(from % RPT_BLOCK_BYTES);
    rpt_status_t status;

    if (c->set->slots != NULL) {
        status = get_block(c, c->chunk, out);
        if (status == RPT_OK) {
            *out += from;
        }
        return status;
    }
    if (skip + c->type_bytes <= RPT_BLOCK_BYTES) {
        status = get_block(c, from / RPT_BLOCK_BYTES, out);
        if (status == RPT_OK) {
            *out += skip;
        }
        return status;
    }
    status = gather(c, from);
    if (status == RPT_OK) {
        *out = c->element;
    }
    return status;
}

/* ---- the walk ---- */

static bool holds(const struct rpt_box *box, const uint64_t at[], int n_dims)
{
    for (int d = 0; d < n_dims; d++) {
        if (at[d] < box->start[d] || at[d] - box->start[d] >= box->count[d]) {
            return false;
        }
    }
    return true;
}

static rpt_status_t damaged(const struct array_cursor *c, const char *why)
{
    rpt__fail(RPT_ERR_CORRUPT, "%s/" RPT_BLOCKS " is damaged",
              c->held->opened.dir.path);
    rpt__fail_why("the boxes of dataset \"%s\" %s", c->set->name, why);
    return RPT_ERR_CORRUPT;
}

/* Which part has the element; likely the same as before, or the next. */
static rpt_status_t find_part(struct array_cursor *c)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        if (holds(&written_of(c)->part.box, c->at, c->set->n_dims)) {
            return RPT_OK;
        }
        c->part = (c->part + 1) % c->n_parts;
    }
    return damaged(c, "leave elements out");
}

/* The chunk of the part that has the element. */
static struct rpt_box find_chunk(struct array_cursor *c,
                                 const struct rpt_box *part)
{
    const uint64_t *chunk = c->set->slots->chunk;
    struct rpt_box grid = rpt__chunk_grid(c->set, part);

    c->chunk = 0;
    for (int d = 0; d < c->set->n_dims; d++) {
        c->chunk = c->chunk * grid.count[d] +
                   (c->at[d] / chunk[d] - grid.start[d]);
    }
    return rpt__chunk_box(c->set, rpt__chunk_at(c->set, &grid, c->chunk));
}

static rpt_status_t begin_row(struct array_cursor *c)
{
    int last = c->set->n_dims - 1;
    const struct rpt_box *box;
    struct rpt_box chunk;
    uint64_t left_of_box, left_of_part;
    rpt_status_t status = find_part(c);

    if (status != RPT_OK) {
        return status;
    }
    box = &written_of(c)->part.box;
    if (c->set->slots != NULL) {
        chunk = find_chunk(c, box);
        box = &chunk;
    }
    c->index = 0;
    for (int d = 0; d <= last; d++) {
        c->index = c->index * box->count[d] + (c->at[d] - box->start[d]);
    }
    left_of_part = box->count[last] - 1 - (c->at[last] - box->start[last]);
    left_of_box = c->box.count[last] - 1 - (c->at[last] - c->box.start[last]);
    c->left = left_of_part < left_of_box ? left_of_part : left_of_box;
    return RPT_OK;
}

/* The piece of the part that is a chunk. */
static void begin_piece(struct array_cursor *c)
{
    struct rpt_box shared = c->box, chunk;
    struct rpt_box grid = rpt__chunk_grid(c->set, &shared);

    c->n_pieces = rpt__box_volume(&grid, c->set->n_dims);
    chunk = rpt__chunk_box(c->set, rpt__chunk_at(c->set, &grid, c->piece));
    rpt__box_shared(&shared, &chunk, c->set->n_dims, &c->box);
}

static rpt_status_t begin_box(struct array_cursor *c)
{
    c->n_pieces = 1;
    if (c->in_order) {
        c->box = c->wanted;
    } else if (!rpt__box_shared(&c->wanted, &written_of(c)->part.box,
                                c->set->n_dims, &c->box)) {
        return damaged(c, "are no boxes"); /* they were compared before */
    } else if (c->set->slots != NULL) {
        begin_piece(c);
    }
    memcpy(c->at, c->box.start, sizeof c->at);
    return begin_row(c);
}

static rpt_status_t array_next(struct rpt_cursor *base)
{
    struct array_cursor *c = (struct array_cursor *)base;
    int d = c->set->n_dims - 1;

    if (c->left > 0) {
        c->at[d]++;
        c->index++;
        c->left--;
        return RPT_OK;
    }
    for (; d >= 0; d--) {
        if (++c->at[d] - c->box.start[d] < c->box.count[d]) {
            return begin_row(c);
        }
        c->at[d] = c->box.start[d];
    }
    if (++c->piece < c->n_pieces) {
        return begin_box(c);
    }
    if (c->in_order || c->part + 1 == c->n_parts) {
        base->is_at_end = true;
        return RPT_OK;
    }
    c->part++;
    c->piece = 0;
    return begin_box(c);
}

/* ---- the parts ---- */

static int by_start(const void *a, const void *b, void *user)
{
    const struct rpt_written *written = user;
    const struct rpt_box *x = &written[*(const uint32_t *)a].part.box;
    const struct rpt_box *y = &written[*(const uint32_t *)b].part.box;

    for (int d = 0; d < RPT_BOX_DIMS; d++) {
        if (x->start[d] != y->start[d]) {
            return x->start[d] < y->start[d] ? -1 : 1;
        }
    }
    return 0;
}

static rpt_status_t add_part(struct array_cursor *c, size_t i)
{
    uint32_t *parts;

    if ((c->n_parts & (c->n_parts - 1)) == 0) {
        size_t room = c->n_parts > 0 ? 2 * c->n_parts : 1;

        parts = realloc(c->parts, room * sizeof *parts);
        if (parts == NULL) {
            return rpt__fail_nomem(room * sizeof *parts);
        }
        c->parts = parts;
    }
    c->parts[c->n_parts++] = (uint32_t)i;
    return RPT_OK;
}

/* Those with wanted elements; each element must be in one of them. */
static rpt_status_t find_parts(struct array_cursor *c)
{
    const struct rpt_opened *o = &c->held->opened;
    uint32_t set = (uint32_t)(c->set - o->manifest.datasets);
    uint64_t volume = 0;
    struct rpt_box shared;
    rpt_status_t status = RPT_OK;

    c->n_parts = 0;
    c->part = 0;
    c->piece = 0;
    for (size_t i = 0; i < o->n_written && status == RPT_OK; i++) {
        if (o->written[i].part.dataset == set &&
            rpt__box_shared(&c->wanted, &o->written[i].part.box, c->set->n_dims,
                            &shared)) {
            volume += rpt__box_volume(&shared, c->set->n_dims);
            status = add_part(c, i);
        }
    }
    if (status == RPT_OK &&
        volume != rpt__box_volume(&c->wanted, c->set->n_dims)) {
        status = damaged(c, "leave elements out, or share some");
    }
    if (status == RPT_OK) {
        qsort_r(c->parts, c->n_parts, sizeof *c->parts, by_start, o->written);
    }
    return status;
}

static rpt_status_t array_filter(struct rpt_cursor *base, bool in_order,
                                 const char *wishes, sqlite3_value *values[])
{
    struct array_cursor *c = (struct array_cursor *)base;
    struct rpt_held *held = NULL;
    const struct rpt_dataset *set = NULL;
    rpt_status_t status = rpt__array_find(base->catalog, wishes, values, &held,
                                          &set);

    if (status != RPT_OK) {
        return status;
    }
    if (held != c->held || set != c->set) {
        forget_blocks(c);
    }
    rpt__unhold(base->catalog, c->held);
    c->held = held;
    take_set(c, set);
    c->in_order = in_order;
    if (!rpt__array_bound(set, wishes, values, &c->wanted)) {
        base->is_at_end = true;
        return RPT_OK;
    }
    status = find_parts(c);
    return status == RPT_OK ? begin_box(c) : status;
}

/* ---- columns ---- */

static rpt_status_t cell_of_element(struct array_cursor *c,
                                    sqlite3_context *context, int column)
{
    const char *element = NULL;
    rpt_status_t status = get_element(c, &element);

    if (status != RPT_OK) {
        return status;
    }
    if (column == ARRAY_VALUE) {
        rpt__cell_value(context, c->set->type, element);
    } else if (column == ARRAY_IMAG) {
        rpt__cell_imag(context, c->set->type, element);
    } else {
        rpt__cell_index(context, c->set->type, element);
    }
    return RPT_OK;
}

static rpt_status_t array_column(struct rpt_cursor *base,
                                 sqlite3_context *context, int column)
{
    struct array_cursor *c = (struct array_cursor *)base;

    switch (column) {
    case ARRAY_VALUE:
    case ARRAY_IMAG:
    case ARRAY_INDEX:
        return cell_of_element(c, context, column);
    case ARRAY_NAME:
        rpt__cell_text(context, c->set->name);
        break;
    case ARRAY_CHECKPOINT:
        rpt__cell_id(context, c->held->opened.manifest.id);
        break;
    case ARRAY_TASK:
        rpt__cell_text(context, base->catalog->tasks[c->held->task].name);
        break;
    default:
        if (column < (c->set->is_scalar ? 0 : c->set->n_dims)) {
            rpt__cell_u64(context, c->at[column]);
        }
        break;
    }
    return RPT_OK;
}

static void array_close(struct rpt_cursor *base)
{
    struct array_cursor *c = (struct array_cursor *)base;

    forget_blocks(c);
    free(c->parts);
    rpt__unhold(base->catalog, c->held);
}

const struct rpt_table_ops rpt__table_array = {
    .name = "array",
    .schema = rpt__schema_array,
    .cursor_bytes = sizeof(struct array_cursor),
    .best = rpt__array_best,
    .filter = array_filter,
    .next = array_next,
    .column = array_column,
    .close = array_close,
};
