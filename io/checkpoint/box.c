/*
 * box.c - volumes, shared parts, runs and copies of boxes
 *
 * Copies and runs merge the fastest dimensions as far as both sides have them
 * whole, so that a block of full rows is one memcpy().  Cost of a copy: the
 * bytes, and some arithmetic a run.
 */
#include "io/checkpoint/box.h"

#include <string.h>

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t rpt__box_volume(const struct rpt_box *box, int n_dims)
{
    uint64_t volume = 1;

    if (rpt__box_is_empty(box, n_dims)) {
        return 0;
    }
    for (int d = 0; d < n_dims; d++) {
        if (__builtin_mul_overflow(volume, box->count[d], &volume)) {
            return UINT64_MAX;
        }
    }
    return volume;
}

bool rpt__box_is_empty(const struct rpt_box *box, int n_dims)
{
    for (int d = 0; d < n_dims; d++) {
        if (box->count[d] == 0) {
            return true;
        }
    }
    return false;
}

bool rpt__box_equals(const struct rpt_box *a, const struct rpt_box *b,
                     int n_dims)
{
    for (int d = 0; d < n_dims; d++) {
        if (a->start[d] != b->start[d] || a->count[d] != b->count[d]) {
            return false;
        }
    }
    return true;
}

bool rpt__box_shared(const struct rpt_box *a, const struct rpt_box *b,
                     int n_dims, struct rpt_box *shared_out)
{
    struct rpt_box shared = { { 0 }, { 0 } };

    for (int d = 0; d < n_dims; d++) {
        uint64_t from = larger(a->start[d], b->start[d]);
        uint64_t end = smaller(a->start[d] + a->count[d],
                               b->start[d] + b->count[d]);

        if (end <= from) {
            return false;
        }
        shared.start[d] = from;
        shared.count[d] = end - from;
    }
    *shared_out = shared;
    return true;
}

bool rpt__box_holds(const struct rpt_box *outer, const struct rpt_box *inner,
                    int n_dims)
{
    for (int d = 0; d < n_dims; d++) {
        if (inner->start[d] < outer->start[d] ||
            inner->count[d] > outer->count[d] ||
            inner->start[d] - outer->start[d] >
                outer->count[d] - inner->count[d]) {
            return rpt__box_is_empty(inner, n_dims);
        }
    }
    return true;
}

struct rpt_box rpt__box_hull(const struct rpt_box *a, const struct rpt_box *b,
                             int n_dims)
{
    struct rpt_box hull = *a;

    if (rpt__box_is_empty(a, n_dims)) {
        return *b;
    }
    if (rpt__box_is_empty(b, n_dims)) {
        return *a;
    }
    for (int d = 0; d < n_dims; d++) {
        uint64_t end = larger(a->start[d] + a->count[d],
                              b->start[d] + b->count[d]);

        hull.start[d] = smaller(a->start[d], b->start[d]);
        hull.count[d] = end - hull.start[d];
    }
    return hull;
}

struct rpt_box rpt__box_part(const struct rpt_box *box, int n_dims, int i,
                             int n)
{
    struct rpt_box part = *box;
    uint64_t parts = (uint64_t)n, index = (uint64_t)i, whole, rest;
    int d = 0;

    while (d < n_dims - 1 && box->count[d] == 1) {
        d++;
    }
    whole = box->count[d] / parts;
    rest = box->count[d] % parts;
    part.start[d] += whole * index + smaller(index, rest);
    part.count[d] = whole + (index < rest);
    return part;
}

uint64_t rpt__box_run(const struct rpt_box *box, const uint64_t dims[],
                      int n_dims)
{
    uint64_t run = 1;

    for (int d = n_dims - 1; d >= 0; d--) {
        run *= box->count[d];
        if (box->count[d] != dims[d]) {
            break;
        }
    }
    return run;
}

/* ---- runs ---- */

struct rpt_box_walk rpt__box_walk(const struct rpt_box *box,
                                  const uint64_t dims[], int n_dims,
                                  uint64_t from, uint64_t end)
{
    return (struct rpt_box_walk){ box,    dims,
                                  n_dims, rpt__box_run(box, dims, n_dims),
                                  from,   end };
}

bool rpt__box_next(struct rpt_box_walk *walk, uint64_t *first_out,
                   uint64_t *n_out)
{
    uint64_t rest = walk->at, first = 0, stride = 1;

    if (walk->at >= walk->end) {
        return false;
    }
    for (int d = walk->n_dims - 1; d >= 0; d--) {
        uint64_t index = rest % walk->box->count[d];

        rest /= walk->box->count[d];
        first += (walk->box->start[d] + index) * stride;
        stride *= walk->dims[d];
    }
    *first_out = first;
    *n_out = smaller(walk->run - walk->at % walk->run, walk->end - walk->at);
    walk->at += *n_out;
    return true;
}

/* ---- copies ---- */

/* Index of the first element of `box` in memory. */
static uint64_t index_in(const struct rpt_box *whole, const struct rpt_box *box,
                         int n_dims)
{
    uint64_t index = 0;

    for (int d = 0; d < n_dims; d++) {
        index = index * whole->count[d] + (box->start[d] - whole->start[d]);
    }
    return index;
}

static void copy_level(const struct rpt_box_rows *r, int level, char *to,
                       const char *from)
{
    if (level == r->n_outer) {
        memcpy(to, from, r->row_bytes);
        return;
    }
    for (uint64_t i = 0; i < r->count[level]; i++) {
        copy_level(r, level + 1, to + i * r->to_step[level],
                   from + i * r->from_step[level]);
    }
}

struct rpt_box_rows rpt__box_rows(const struct rpt_box_memory *to,
                                  const struct rpt_box_memory *from,
                                  const struct rpt_box *box, int n_dims,
                                  size_t bytes)
{
    struct rpt_box_rows r = { .row_bytes = bytes, .n_outer = n_dims };
    size_t to_step = bytes, from_step = bytes;
    bool is_whole = true; /* all faster dimensions are, on both sides */

    for (int d = n_dims - 1; d >= 0; d--) {
        if (is_whole) {
            r.row_bytes *= box->count[d];
            r.n_outer = d;
            is_whole = box->count[d] == to->whole.count[d] &&
                       box->count[d] == from->whole.count[d];
        }
        r.count[d] = box->count[d];
        r.to_step[d] = to_step;
        r.from_step[d] = from_step;
        to_step *= to->whole.count[d];
        from_step *= from->whole.count[d];
    }
    r.to = (char *)to->data + index_in(&to->whole, box, n_dims) * bytes;
    r.from = (const char *)from->data +
             index_in(&from->whole, box, n_dims) * bytes;
    return r;
}

void rpt__box_copy(const struct rpt_box_memory *to,
                   const struct rpt_box_memory *from, const struct rpt_box *box,
                   int n_dims, size_t bytes)
{
    struct rpt_box_rows r;

    if (rpt__box_is_empty(box, n_dims)) {
        return;
    }
    r = rpt__box_rows(to, from, box, n_dims, bytes);
    copy_level(&r, 0, r.to, r.from);
}
