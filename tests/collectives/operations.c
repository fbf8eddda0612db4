/*
 * operations.c - calls with known data, and what must come of them
 */
#include "operations.h"

#include "fixture.h"
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3 };

/* ---- elements ---- */

static double get(const void *data, rpt_type_t type, size_t i)
{
    switch (type) {
    case RPT_TYPE_I8:
        return ((const int8_t *)data)[i];
    case RPT_TYPE_U8:
        return ((const uint8_t *)data)[i];
    case RPT_TYPE_I32:
        return ((const int32_t *)data)[i];
    case RPT_TYPE_I64:
        return (double)((const int64_t *)data)[i];
    case RPT_TYPE_F32:
        return (double)((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

static void put(void *data, rpt_type_t type, size_t i, double value)
{
    switch (type) {
    case RPT_TYPE_I8:
        ((int8_t *)data)[i] = (int8_t)value;
        break;
    case RPT_TYPE_U8:
        ((uint8_t *)data)[i] = (uint8_t)value;
        break;
    case RPT_TYPE_I32:
        ((int32_t *)data)[i] = (int32_t)value;
        break;
    case RPT_TYPE_I64:
        ((int64_t *)data)[i] = (int64_t)value;
        break;
    case RPT_TYPE_F32:
        ((float *)data)[i] = (float)value;
        break;
    default:
        ((double *)data)[i] = value;
        break;
    }
}

static void *elements(size_t n, rpt_type_t type)
{
    char *data = malloc(n * rpt_type_bytes(type) + 1);

    if (data == NULL) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        put(data, type, i, 113); /* what nobody must see */
    }
    return data;
}

/* Element i of the input of a rank; call: so that each call has other data. */
static double value_of(int rank, size_t i, unsigned call)
{
    return (double)((i * 7 + (size_t)rank * 5 + call) % 11);
}

static double combine(double a, double b, rpt_op_t op)
{
    switch (op) {
    case RPT_OP_MIN:
        return a < b ? a : b;
    case RPT_OP_MAX:
        return a > b ? a : b;
    default:
        return a + b;
    }
}

/* Ranks first to last - 1, at position i. */
static double sum_of(int first, int last, size_t i, unsigned call, rpt_op_t op)
{
    double sum = value_of(first, i, call);

    for (int r = first + 1; r < last; r++) {
        sum = combine(sum, value_of(r, i, call), op);
    }
    return op == RPT_OP_AVERAGE ? sum / (last - first) : sum;
}

/* ---- one call ---- */

struct trial {
    rpt_group_t *group;
    int rank, size;
    rpt_coll_t coll;
    bool in_place;
    unsigned call;
    enum form form;
    size_t *counts, *offsets, *out_counts, *out_offsets;
    size_t n_in, n_out;
    void *in, *out;
};

static bool is_root(const struct trial *t)
{
    return t->rank == t->coll.root;
}

static size_t count_of(const struct trial *t, int r)
{
    return t->counts != NULL ? t->counts[r] : t->coll.count;
}

static size_t offset_of(const struct trial *t, int r)
{
    size_t offset = 0;

    if (t->offsets != NULL) {
        return t->offsets[r];
    }
    for (int i = 0; i < r; i++) {
        offset += count_of(t, i);
    }
    return offset;
}

static size_t end_of(int size, const size_t counts[], const size_t offsets[])
{
    size_t end = 0;

    for (int r = 0; r < size; r++) {
        end = offsets[r] + counts[r] > end ? offsets[r] + counts[r] : end;
    }
    return end;
}

static size_t all_blocks(const struct trial *t)
{
    if (t->offsets != NULL) {
        return end_of(t->size, t->counts, t->offsets);
    }
    return offset_of(t, t->size);
}

static void measure(struct trial *t)
{
    switch (t->coll.kind) {
    case RPT_COLL_REDUCE:
        t->n_in = t->coll.count;
        t->n_out = is_root(t) ? t->coll.count : 0;
        break;
    case RPT_COLL_BROADCAST:
        t->n_in = 0;
        t->n_out = t->coll.count;
        break;
    case RPT_COLL_BARRIER:
        t->n_in = t->n_out = 0;
        break;
    case RPT_COLL_ALLGATHER:
    case RPT_COLL_GATHER:
        t->n_in = count_of(t, t->rank);
        t->n_out = is_root(t) || t->coll.kind == RPT_COLL_ALLGATHER
                       ? all_blocks(t)
                       : 0;
        break;
    case RPT_COLL_SCATTER:
        t->n_in = is_root(t) ? all_blocks(t) : 0;
        t->n_out = count_of(t, t->rank);
        break;
    case RPT_COLL_REDUCE_SCATTER:
        t->n_in = all_blocks(t);
        t->n_out = t->in_place ? t->n_in : count_of(t, t->rank);
        break;
    case RPT_COLL_ALLTOALL:
        t->n_in = t->n_out = all_blocks(t);
        if (t->out_counts != NULL) {
            t->n_out = end_of(t->size, t->out_counts, t->out_offsets);
        }
        break;
    default:
        t->n_in = t->n_out = t->coll.count;
        break;
    }
}

/* Where the input is; in place it is in the output. */
static size_t place_of_input(const struct trial *t)
{
    bool gathers = t->coll.kind == RPT_COLL_ALLGATHER ||
                   t->coll.kind == RPT_COLL_GATHER;

    return t->in_place && gathers ? offset_of(t, t->rank) : 0;
}

static bool can_be_in_place(const struct trial *t)
{
    switch (t->coll.kind) {
    case RPT_COLL_BROADCAST:
    case RPT_COLL_BARRIER:
    case RPT_COLL_SCATTER:
        return false;
    case RPT_COLL_ALLTOALL:
        return t->counts == NULL;
    case RPT_COLL_REDUCE:
    case RPT_COLL_GATHER:
        return is_root(t);
    default:
        return true;
    }
}

static void fill(struct trial *t)
{
    rpt_type_t type = t->coll.type;
    size_t at = place_of_input(t);
    void *input;

    t->in = elements(t->n_in, type);
    t->out = elements(t->n_out, type);
    input = t->in_place ? t->out : t->in;
    for (size_t i = 0; i < t->n_in; i++) {
        put(input, type, at + i, value_of(t->rank, i, t->call));
    }
    if (t->coll.kind == RPT_COLL_BROADCAST && is_root(t)) {
        for (size_t i = 0; i < t->n_out; i++) {
            put(t->out, type, i, value_of(t->rank, i, t->call));
        }
    }
    t->coll.in = t->in_place ? RPT_IN_PLACE : t->in;
    t->coll.out = t->out;
    t->coll.counts = t->counts;
    t->coll.offsets = t->offsets;
    t->coll.out_counts = t->out_counts;
    t->coll.out_offsets = t->out_offsets;
}

static rpt_status_t call_with_counts(const struct trial *t)
{
    const rpt_coll_t *c = &t->coll;

    switch (c->kind) {
    case RPT_COLL_ALLGATHER:
        return rpt_allgatherv(t->group, c->in, c->out, c->counts, c->offsets,
                              c->type);
    case RPT_COLL_GATHER:
        return rpt_gatherv(t->group, c->in, c->out, c->counts, c->offsets,
                           c->type, c->root);
    case RPT_COLL_SCATTER:
        return rpt_scatterv(t->group, c->in, c->out, c->counts, c->offsets,
                            c->type, c->root);
    case RPT_COLL_REDUCE_SCATTER:
        return rpt_reduce_scatter(t->group, c->in, c->out, c->counts, c->type,
                                  c->op);
    default:
        return rpt_alltoallv(t->group, c->in, c->counts, c->offsets, c->out,
                             c->out_counts, c->out_offsets, c->type);
    }
}

static rpt_status_t call_blocking(const struct trial *t)
{
    const rpt_coll_t *c = &t->coll;
    rpt_group_t *g = t->group;

    if (t->counts != NULL) {
        return call_with_counts(t);
    }
    switch (c->kind) {
    case RPT_COLL_ALLREDUCE:
        return rpt_allreduce(g, c->in, c->out, c->count, c->type, c->op);
    case RPT_COLL_REDUCE:
        return rpt_reduce(g, c->in, c->out, c->count, c->type, c->op, c->root);
    case RPT_COLL_BROADCAST:
        return rpt_broadcast(g, c->out, c->count, c->type, c->root);
    case RPT_COLL_BARRIER:
        return rpt_barrier(g);
    case RPT_COLL_ALLGATHER:
        return rpt_allgather(g, c->in, c->out, c->count, c->type);
    case RPT_COLL_GATHER:
        return rpt_gather(g, c->in, c->out, c->count, c->type, c->root);
    case RPT_COLL_SCATTER:
        return rpt_scatter(g, c->in, c->out, c->count, c->type, c->root);
    case RPT_COLL_REDUCE_SCATTER:
        return rpt_reduce_scatter_block(g, c->in, c->out, c->count, c->type,
                                        c->op);
    case RPT_COLL_ALLTOALL:
        return rpt_alltoall(g, c->in, c->out, c->count, c->type);
    case RPT_COLL_SCAN:
        return rpt_scan(g, c->in, c->out, c->count, c->type, c->op);
    default:
        return rpt_exscan(g, c->in, c->out, c->count, c->type, c->op);
    }
}

static rpt_status_t wait_and_destroy(rpt_plan_t *plan)
{
    rpt_status_t status = RPT_PENDING;

    for (int i = 0; i < 20 && status == RPT_PENDING; i++) {
        status = rpt_plan_test(plan);
    }
    if (status == RPT_PENDING) {
        status = rpt_plan_wait(plan);
    }
    rpt_plan_destroy(plan);
    return status;
}

static rpt_status_t make_call(const struct trial *t)
{
    rpt_plan_t *plan = NULL;
    rpt_status_t status;

    if (t->form == BLOCKING) {
        return call_blocking(t);
    }
    if (t->form == STARTED) {
        status = rpt_coll_start(t->group, &t->coll, &plan);
        return status == RPT_OK ? wait_and_destroy(plan) : status;
    }
    status = rpt_plan_create(t->group, &t->coll, &plan);
    if (status == RPT_OK) {
        status = rpt_plan_start(plan);
    }
    return status == RPT_OK ? wait_and_destroy(plan) : status;
}

/* Element i of the output; NAN: not looked at. */
static double expected(const struct trial *t, size_t i)
{
    int p = t->size;
    rpt_op_t op = t->coll.op;

    switch (t->coll.kind) {
    case RPT_COLL_ALLREDUCE:
    case RPT_COLL_REDUCE:
        return sum_of(0, p, i, t->call, op);
    case RPT_COLL_BROADCAST:
        return value_of(t->coll.root, i, t->call);
    case RPT_COLL_SCATTER:
        return value_of(t->coll.root, offset_of(t, t->rank) + i, t->call);
    case RPT_COLL_REDUCE_SCATTER:
        return i < count_of(t, t->rank)
                   ? sum_of(0, p, offset_of(t, t->rank) + i, t->call, op)
                   : (double)NAN;
    case RPT_COLL_SCAN:
        return sum_of(0, t->rank + 1, i, t->call, op);
    case RPT_COLL_EXSCAN:
        return t->rank > 0   ? sum_of(0, t->rank, i, t->call, op)
               : t->in_place ? value_of(0, i, t->call)
                             : 113;
    default:
        break;
    }
    for (int r = 0; r < p; r++) { /* gathers, all-to-all */
        size_t at = t->out_offsets != NULL ? t->out_offsets[r]
                                           : offset_of(t, r);
        size_t n = t->out_counts != NULL ? t->out_counts[r] : count_of(t, r);

        if (i >= at && i < at + n) {
            size_t from = t->coll.kind == RPT_COLL_ALLTOALL
                              ? t->counts != NULL
                                    ? (size_t)t->rank * 10 + GAP
                                    : (size_t)t->rank * t->coll.count
                              : 0;

            return value_of(r, from + i - at, t->call);
        }
    }
    return 113; /* a gap */
}

static bool is_right(const struct trial *t)
{
    for (size_t i = 0; i < t->n_out; i++) {
        double found = get(t->out, t->coll.type, i), wanted = expected(t, i);

        if (!isnan(wanted) && fabs(found - wanted) > 1e-6) {
            printf("  %s of %d ranks, rank %d, root %d, %zu %s %s, form %d%s: "
                   "element %zu is %g, not %g\n",
                   rpt_coll_name(t->coll.kind), t->size, t->rank, t->coll.root,
                   t->coll.count, rpt_type_name(t->coll.type),
                   rpt_op_name(t->coll.op), (int)t->form,
                   t->in_place ? ", in place" : "", i, found, wanted);
            return false;
        }
    }
    return true;
}

static const struct memory *memory;

void operate_in(const struct memory *wanted)
{
    memory = wanted;
}

static rpt_status_t make_call_there(struct trial *t)
{
    size_t element = rpt_type_bytes(t->coll.type);
    void *in = memory->give(t->in, t->n_in * element);
    void *out = memory->give(t->out, t->n_out * element);
    rpt_status_t status;

    t->coll.in = t->in_place ? RPT_IN_PLACE : in;
    t->coll.out = out;
    status = make_call(t);
    memory->take(in, t->in, t->n_in * element);
    memory->take(out, t->out, t->n_out * element);
    return status;
}

static void run(struct trial *t)
{
    rpt_status_t status;

    t->rank = rpt_group_rank(t->group);
    t->size = rpt_group_size(t->group);
    t->in_place = t->in_place && can_be_in_place(t);
    measure(t);
    fill(t);
    status = memory != NULL ? make_call_there(t) : make_call(t);
    if (status != RPT_OK) {
        printf("  %s\n", rpt_last_error_text());
    }
    CHECK(status == RPT_OK && is_right(t));
    free(t->in);
    free(t->out);
}

static rpt_op_t op_of(const struct trial *t)
{
    static const rpt_op_t ops[] = { RPT_OP_MAX, RPT_OP_SUM, RPT_OP_SUM };
    bool divides = t->coll.type == RPT_TYPE_F64 &&
                   t->coll.kind != RPT_COLL_SCAN &&
                   t->coll.kind != RPT_COLL_EXSCAN;

    return divides && t->call % 3 == 2 ? RPT_OP_AVERAGE : ops[t->call % 3];
}

static void try_call(rpt_group_t *group, rpt_coll_kind_t kind, size_t count,
                     enum form form, unsigned call)
{
    struct trial t = { .group = group, .call = call, .form = form };

    t.coll.kind = kind;
    t.coll.count = kind == RPT_COLL_BARRIER ? 0 : count;
    t.coll.type = call % 2 == 0 ? RPT_TYPE_F64 : RPT_TYPE_I32;
    t.coll.op = op_of(&t);
    t.coll.root = (int)(call % (unsigned)rpt_group_size(group));
    t.in_place = call % 5 == 0;
    run(&t);
}

void every_operation(rpt_group_t *group)
{
    static const size_t counts[] = { 0,   1,    2,    3,     7,     8,     29,
                                     100, 1000, 4096, 33000, 70000, 300001 };
    unsigned call = 0;

    for (int kind = 0; kind <= RPT_COLL_EXSCAN; kind++) {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            int times = counts[i] < 1000        ? 5
                        : rpt_test_is_short() ? 1
                                              : 2;

            for (int again = 0; again < times; again++) {
                try_call(group, (rpt_coll_kind_t)kind, counts[i], BLOCKING,
                         call++);
            }
        }
    }
}

void every_form_of_call(rpt_group_t *group)
{
    static const size_t counts[] = { 0, 1, 5, 1000, 40000 };
    unsigned call = 0;

    for (int kind = 0; kind <= RPT_COLL_EXSCAN; kind++) {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            for (int form = 0; form < N_FORMS; form++) {
                try_call(group, (rpt_coll_kind_t)kind, counts[i],
                         (enum form)form, call++);
                try_call(group, (rpt_coll_kind_t)kind, counts[i],
                         (enum form)form, call++);
            }
        }
    }
}

/* The same on all ranks. */
static unsigned random_number(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

void random_calls(rpt_group_t *group)
{
    unsigned seed = 1;

    for (unsigned i = 0; i < (rpt_test_is_short() ? 200 : 600); i++) {
        rpt_coll_kind_t kind = (rpt_coll_kind_t)(random_number(&seed) % 11);
        size_t count = random_number(&seed) % 8 == 0
                           ? random_number(&seed) % 30000
                           : random_number(&seed) % 300;
        enum form form = (enum form)(random_number(&seed) % N_FORMS);

        try_call(group, kind, count, form, random_number(&seed));
    }
}

/* x -> a x + b, on 64-bit numbers; to(with(x)) does not commute. */
struct affine {
    uint32_t a, b;
};

static void compose(void *to, const void *with, size_t count, rpt_type_t type,
                    void *user)
{
    struct affine *left = to;
    const struct affine *right = with;

    CHECK(rpt_type_bytes(type) == sizeof(struct affine));
    for (size_t i = 0; i < count; i++) {
        struct affine f = left[i], g = right[i];

        left[i].a = f.a * g.a;
        left[i].b = f.a * g.b + f.b;
    }
    ++*(_Atomic int *)user;
}

static struct affine function_of(int rank, size_t i)
{
    return (struct affine){ 2 * (uint32_t)rank + 3, (uint32_t)i + 7 };
}

static struct affine composed(int first, int last, size_t i)
{
    struct affine f = function_of(first, i);

    for (int r = first + 1; r < last; r++) {
        struct affine g = function_of(r, i);
        _Atomic int unused = 0;

        compose(&f, &g, 1, RPT_TYPE_OPAQUE(8), &unused);
    }
    return f;
}

static void check_composed(const struct affine *out, size_t count, size_t from,
                           int first, int last)
{
    bool good = true;

    for (size_t i = 0; i < count && first < last; i++) {
        struct affine wanted = composed(first, last, from + i);

        good = good && out[i].a == wanted.a && out[i].b == wanted.b;
    }
    CHECK(good);
}

void operators_of_users(rpt_group_t *group)
{
    static const size_t counts[] = { 1, 10, 2000, 40000 };
    int rank = rpt_group_rank(group), size = rpt_group_size(group);
    const rpt_type_t type = RPT_TYPE_OPAQUE(sizeof(struct affine));
    _Atomic int n_calls = 0;
    rpt_op_t op;

    CHECK(rpt_op_create(compose, &n_calls, 0, &op) == RPT_OK);
    for (size_t k = 0; k < 4; k++) {
        size_t n = counts[k], p = (size_t)size;
        struct affine *in = malloc(n * p * sizeof *in);
        struct affine *out = malloc(n * p * sizeof *out);

        for (size_t i = 0; i < n * p; i++) {
            in[i] = function_of(rank, i);
        }
        CHECK(rpt_allreduce(group, in, out, n, type, op) == RPT_OK);
        check_composed(out, n, 0, 0, size);
        CHECK(rpt_reduce(group, in, out, n, type, op, size - 1) == RPT_OK);
        check_composed(out, n, 0, 0, rank == size - 1 ? size : 0);
        CHECK(rpt_scan(group, in, out, n, type, op) == RPT_OK);
        check_composed(out, n, 0, 0, rank + 1);
        CHECK(rpt_exscan(group, in, rank > 0 ? out : NULL, n, type, op) ==
              RPT_OK);
        check_composed(out, n, 0, 0, rank);
        CHECK(rpt_reduce_scatter_block(group, in, out, n, type, op) == RPT_OK);
        check_composed(out, n, n * (size_t)rank, 0, size);
        free(in);
        free(out);
    }
    CHECK(size == 1 || n_calls > 0);
    rpt_barrier(group); /* others may still combine */
    rpt_op_destroy(op);
}

/* ---- blocks of different sizes ---- */

static void try_counts(rpt_group_t *group, rpt_coll_kind_t kind, size_t most,
                       unsigned call)
{
    size_t p = (size_t)rpt_group_size(group), at = 0;
    size_t me = (size_t)rpt_group_rank(group);
    size_t *a = malloc(4 * p * sizeof *a);
    struct trial t = { .group = group,
                       .call = call,
                       .form = (enum form)(call % N_FORMS),
                       .counts = a };

    t.coll.kind = kind;
    t.coll.type = call % 2 == 0 ? RPT_TYPE_F32 : RPT_TYPE_I64;
    t.coll.root = (int)(call % p);
    t.in_place = call % 4 == 0;
    for (size_t r = 0; r < p; r++) {
        a[r] = (r + call) % 3 == 0 ? 0 : (r * 37 + call) % (most + 1);
    }
    if (kind == RPT_COLL_ALLTOALL) { /* s gives d: 10 d + GAP on, s + d + 1 */
        t.offsets = a + p;
        t.out_counts = a + 2 * p;
        t.out_offsets = a + 3 * p;
        for (size_t r = 0; r < p; r++) {
            a[r] = (me + r + call) % 7;
            t.offsets[r] = 10 * r + GAP;
            t.out_counts[r] = (me + r + call) % 7;
            t.out_offsets[r] = at;
            at += t.out_counts[r] + r % 2;
        }
    } else if (kind != RPT_COLL_REDUCE_SCATTER && call % 3 != 0) {
        t.offsets = a + p;
        for (size_t r = p; r-- > 0;) { /* the last is first, with gaps */
            t.offsets[r] = at;
            at += a[r] + GAP;
        }
    }
    run(&t);
    free(a);
}

void blocks_of_different_sizes(rpt_group_t *group)
{
    static const rpt_coll_kind_t kinds[] = { RPT_COLL_ALLGATHER,
                                             RPT_COLL_GATHER, RPT_COLL_SCATTER,
                                             RPT_COLL_REDUCE_SCATTER,
                                             RPT_COLL_ALLTOALL };

    for (unsigned call = 0; call < 60; call++) {
        try_counts(group, kinds[call % 5], call % 4 == 3 ? 20000 : 50, call);
    }
}
