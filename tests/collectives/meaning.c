/*
 * meaning.c - symbols that an operation must give, and calls to try
 */
#include "meaning.h"

#include "harness.h"

#include <stdlib.h>

size_t *numbers(size_t n)
{
    size_t *array = calloc(n + 1, sizeof *array);

    CU_ASSERT_FATAL(array != NULL);
    return array;
}

int every(void)
{
    return rpt_test_is_short() ? 20 : EVERY;
}

int next_number(int p)
{
    return p < 24 ? p + 1 : p + every();
}

/* A message costs as much as twenty bytes, so that where an algorithm has a
 * choice it depends on how many elements and ranks there are. */
static const struct rpt_model model = { .message_s = 20, .byte_s = 1 };

void fill(struct rpt_case *c, int p, size_t count, size_t segment)
{
    *c = (struct rpt_case){ .n_ranks = p,
                            .count = count,
                            .segment = segment,
                            .stage_count = STAGE,
                            .commutative = true,
                            .model = &model,
                            .element_bytes = 4,
                            .one_node = p <= MAX_P,
                            .can_pull = p <= MAX_P };
}

/* Some blocks are empty; in the buffer there are gaps, and the last is first.
 */
void make_uneven(struct call *call, size_t most)
{
    size_t p = (size_t)call->c.n_ranks, end = 0;

    call->counts = numbers(p);
    call->starts = numbers(p + 1);
    call->offsets = numbers(p);
    for (size_t r = 0; r < p; r++) {
        call->counts[r] = (r * 7 + 3) % 5 == 0 ? 0
                                               : (r * 5 + most) % (most + 1);
        call->starts[r + 1] = call->starts[r] + call->counts[r];
    }
    for (size_t r = p; r-- > 0;) {
        call->offsets[r] = end;
        end += call->counts[r] + 1;
    }
    call->c.count = 0;
    call->c.counts = call->counts;
    call->c.starts = call->starts;
    if (call->kind != RPT_COLL_REDUCE_SCATTER) {
        call->c.offsets = call->offsets;
    }
}

/* Each rank has something else for each. */
void make_uneven_alltoall(struct call *call, size_t most)
{
    size_t p = (size_t)call->c.n_ranks;

    call->all_counts = numbers(p * p);
    call->all_starts = numbers(p * p);
    call->in_counts = numbers(p * p);
    call->in_starts = numbers(p * p);
    for (size_t s = 0; s < p; s++) {
        size_t at = 1;

        for (size_t d = 0; d < p; d++) {
            size_t n = (3 * s + 5 * d) % (most + 1);

            call->all_counts[s * p + d] = call->in_counts[d * p + s] = n;
            call->all_starts[s * p + d] = at;
            at += n + 1;
        }
    }
    for (size_t i = 0; i < p * p; i++) {
        call->in_starts[i] = i % p == 0 ? 0
                                        : call->in_starts[i - 1] +
                                              call->in_counts[i - 1];
    }
    call->c.count = 0;
}

void call_free(struct call *call)
{
    free(call->counts);
    free(call->starts);
    free(call->offsets);
    free(call->all_counts);
    free(call->all_starts);
    free(call->in_counts);
    free(call->in_starts);
}

struct rpt_case case_of(const struct call *call, int rank)
{
    struct rpt_case c = call->c;
    size_t p = (size_t)c.n_ranks, row = (size_t)rank * p;

    c.rank = rank;
    if (call->has_stages != NULL) {
        c.node_has_stages = call->has_stages[rank];
        c.stage_count = c.node_has_stages ? c.node_stage_count : 0;
    }
    if (call->all_counts != NULL) {
        c.counts = call->all_counts + row;
        c.starts = c.offsets = call->all_starts + row;
        c.out_counts = call->in_counts + row;
        c.out_offsets = call->in_starts + row;
    }
    return c;
}

/* ---- what an operation means ---- */

/* Behind the last element of any block in the buffer. */
static size_t end_of_blocks(const struct rpt_case *c)
{
    size_t end = 0;

    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__block_of(c, r);

        if (block.offset + block.count > end) {
            end = block.offset + block.count;
        }
    }
    return end;
}

static size_t end_of_output_blocks(const struct rpt_case *c)
{
    return c->out_counts == NULL
               ? end_of_blocks(c)
               : c->out_offsets[c->n_ranks - 1] + c->out_counts[c->n_ranks - 1];
}

void sizes_of(rpt_coll_kind_t kind, const struct rpt_case *c, size_t *input,
              size_t *output)
{
    bool is_root = c->rank == c->root;
    size_t own = rpt__packed(c, c->rank).count;

    switch (kind) {
    case RPT_COLL_REDUCE:
        *input = c->count;
        *output = is_root ? c->count : 0;
        break;
    case RPT_COLL_BROADCAST:
        *input = is_root ? c->count : 0;
        *output = is_root ? 0 : c->count;
        break;
    case RPT_COLL_BARRIER:
        *input = 1;
        *output = 0;
        break;
    case RPT_COLL_ALLGATHER:
    case RPT_COLL_GATHER:
        *input = own;
        *output = is_root || kind == RPT_COLL_ALLGATHER ? end_of_blocks(c) : 0;
        break;
    case RPT_COLL_SCATTER:
        *input = is_root ? end_of_blocks(c) : 0;
        *output = own;
        break;
    case RPT_COLL_REDUCE_SCATTER:
        *input = rpt__packed_count(c);
        *output = own;
        break;
    case RPT_COLL_ALLTOALL:
        *input = end_of_blocks(c);
        *output = end_of_output_blocks(c);
        break;
    default:
        *input = *output = c->count;
        break;
    }
}

/* The input of one rank, at this position, as it was. */
static bool is_leaf(const struct rpt_symbol *symbol, int rank, size_t position)
{
    return symbol->n_values == 1 && symbol->position == position &&
           symbol->sources == rpt__symbol_of_rank(rank);
}

/* Each of the ranks below `end` once, in order where that must be. */
static bool is_sum(const struct rpt_case *c, const struct rpt_symbol *symbol,
                   int end, size_t position)
{
    uint64_t sources = 0;

    for (int r = 0; r < end; r++) {
        sources += rpt__symbol_of_rank(r);
    }
    return symbol->n_values == (uint32_t)end && symbol->sources == sources &&
           symbol->position == position &&
           (c->commutative || symbol->first == 0);
}

static bool are_leaves(const struct rpt_symbol *symbols, size_t count, int rank,
                       size_t position)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_leaf(&symbols[i], rank, position + i)) {
            return false;
        }
    }
    return true;
}

static bool are_sums(const struct rpt_case *c, const struct rpt_symbol *symbols,
                     size_t count, int end, size_t position)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_sum(c, &symbols[i], end, position + i)) {
            return false;
        }
    }
    return true;
}

static bool is_gathered(const struct rpt_case *c,
                        const struct rpt_symbol *output)
{
    for (int r = 0; r < c->n_ranks; r++) {
        struct rpt_range block = rpt__block_of(c, r);

        if (!are_leaves(output + block.offset, block.count, r, 0)) {
            return false;
        }
    }
    return true;
}

static bool is_exchanged(const struct call *call, const struct rpt_case *c,
                         const struct rpt_symbol *output)
{
    for (int s = 0; s < c->n_ranks; s++) {
        struct rpt_case theirs = case_of(call, s);
        struct rpt_range block = rpt__block_of(&theirs, c->rank);
        size_t at = c->out_offsets != NULL ? c->out_offsets[s]
                                           : (size_t)s * c->count;

        if (!are_leaves(output + at, block.count, s, block.offset)) {
            return false;
        }
    }
    return true;
}

static bool is_untouched(const struct rpt_symbol *output, size_t count,
                         bool in_place, int rank)
{
    if (in_place) {
        return are_leaves(output, count, rank, 0);
    }
    for (size_t i = 0; i < count; i++) {
        if (output[i].n_values != 0) {
            return false;
        }
    }
    return true;
}

/* Same brackets as rank 0. */
static bool is_same(const struct rpt_symbol *output,
                    const struct rpt_symbol *first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (output[i].tree != first[i].tree) {
            return false;
        }
    }
    return true;
}

bool is_right(const struct call *call, int rank,
              const struct rpt_simulation *sim, bool in_place)
{
    const struct rpt_symbol *output = rpt__simulation_output(sim, rank);
    struct rpt_case mine = case_of(call, rank), *c = &mine;
    struct rpt_range own = rpt__packed(c, rank);

    switch (call->kind) {
    case RPT_COLL_ALLREDUCE:
        return are_sums(c, output, c->count, c->n_ranks, 0) &&
               is_same(output, rpt__simulation_output(sim, 0), c->count);
    case RPT_COLL_REDUCE:
        return rank != c->root || are_sums(c, output, c->count, c->n_ranks, 0);
    case RPT_COLL_BROADCAST:
        return rank == c->root || are_leaves(output, c->count, c->root, 0);
    case RPT_COLL_ALLGATHER:
        return is_gathered(c, output);
    case RPT_COLL_GATHER:
        return rank != c->root || is_gathered(c, output);
    case RPT_COLL_SCATTER:
        return are_leaves(output, own.count, c->root,
                          rpt__block_of(c, rank).offset);
    case RPT_COLL_REDUCE_SCATTER:
        return are_sums(c, output, own.count, c->n_ranks, own.offset);
    case RPT_COLL_ALLTOALL:
        return is_exchanged(call, c, output);
    case RPT_COLL_SCAN:
        return are_sums(c, output, c->count, rank + 1, 0);
    case RPT_COLL_EXSCAN:
        return rank == 0 ? is_untouched(output, c->count, in_place, 0)
                         : are_sums(c, output, c->count, rank, 0);
    default:
        return true;
    }
}

bool can_be_in_place(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLREDUCE || kind == RPT_COLL_REDUCE ||
           kind == RPT_COLL_SCAN || kind == RPT_COLL_EXSCAN;
}

bool has_order(rpt_coll_kind_t kind)
{
    return can_be_in_place(kind) || kind == RPT_COLL_REDUCE_SCATTER;
}

bool has_blocks(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLGATHER || kind == RPT_COLL_GATHER ||
           kind == RPT_COLL_SCATTER || kind == RPT_COLL_REDUCE_SCATTER ||
           kind == RPT_COLL_ALLTOALL;
}
