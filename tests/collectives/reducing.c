/*
 * reducing.c - reducers against a serial reference
 *
 * Elements are small whole numbers, so that every order of a sum gives the same
 * result; those that travel as bf16 are compared with a sum in f64, within the
 * bound that the header states.
 */
#include "reducing.h"

#include "fixture.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a reducer and its arrays ---- */

enum { MAX_ARRAYS = 16 };

struct trial {
    rpt_group_t *group;
    int rank, size, round;
    rpt_reducer_config_t config;
    size_t n_arrays;
    rpt_reducer_array_t arrays[MAX_ARRAYS];
    rpt_reducer_t *reducer;
};

static double value(const struct trial *t, int rank, size_t array, size_t i)
{
    return (double)((rank + 1) * (int)((i + array) % 5 + 1) + t->round % 3);
}

static double expected(const struct trial *t, size_t array, size_t i)
{
    double all = value(t, 0, array, i);

    for (int r = 1; r < t->size; r++) {
        double x = value(t, r, array, i);

        all = t->config.op == RPT_OP_MAX ? fmax(all, x) : all + x;
    }
    return t->config.op == RPT_OP_AVERAGE ? all / t->size : all;
}

static void put(const struct trial *t, size_t array, size_t i, double x)
{
    void *data = t->arrays[array].data;

    if (t->config.type == RPT_TYPE_F64) {
        ((double *)data)[i] = x;
    } else if (t->config.type == RPT_TYPE_F32) {
        ((float *)data)[i] = (float)x;
    } else {
        ((int32_t *)data)[i] = (int32_t)x;
    }
}

static double get(const struct trial *t, size_t array, size_t i)
{
    const void *data = t->arrays[array].data;

    return t->config.type == RPT_TYPE_F64 ? ((const double *)data)[i]
           : t->config.type == RPT_TYPE_F32
               ? (double)((const float *)data)[i]
               : (double)((const int32_t *)data)[i];
}

static void begin(struct trial *t, const size_t counts[], size_t n)
{
    size_t bytes = rpt_type_bytes(t->config.type);

    t->rank = rpt_group_rank(t->group);
    t->size = rpt_group_size(t->group);
    t->n_arrays = n;
    for (size_t i = 0; i < n; i++) {
        t->arrays[i].count = counts[i];
        t->arrays[i].data = counts[i] > 0 ? calloc(counts[i], bytes) : NULL;
    }
    CHECK(rpt_reducer_create(t->group, &t->config, t->arrays, n, &t->reducer) ==
          RPT_OK);
}

static void end(struct trial *t)
{
    rpt_reducer_destroy(t->reducer);
    for (size_t i = 0; i < t->n_arrays; i++) {
        free(t->arrays[i].data);
    }
}

static void fill(const struct trial *t)
{
    for (size_t a = 0; a < t->n_arrays; a++) {
        for (size_t i = 0; i < t->arrays[a].count; i++) {
            put(t, a, i, value(t, t->rank, a, i));
        }
    }
}

static bool is_right(const struct trial *t)
{
    for (size_t a = 0; a < t->n_arrays; a++) {
        for (size_t i = 0; i < t->arrays[a].count; i++) {
            if (fabs(get(t, a, i) - expected(t, a, i)) >
                1e-6 * expected(t, a, i)) {
                printf("  rank %d of %d: array %zu, element %zu: %g, not %g\n",
                       t->rank, t->size, a, i, get(t, a, i), expected(t, a, i));
                return false;
            }
        }
    }
    return true;
}

/* Another order on each rank and in each round. */
static void mark_all(const struct trial *t)
{
    size_t order[MAX_ARRAYS];
    unsigned seed = (unsigned)(t->rank * 31 + t->round * 7 + 1);

    for (size_t i = 0; i < t->n_arrays; i++) {
        size_t k = (size_t)rand_r(&seed) % (i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    for (size_t i = 0; i < t->n_arrays; i++) {
        CHECK(rpt_reducer_ready(t->reducer, order[i]) == RPT_OK);
    }
}

static void play_rounds(struct trial *t, int n_rounds)
{
    for (t->round = 0; t->round < n_rounds; t->round++) {
        fill(t);
        mark_all(t);
        CHECK(rpt_reducer_wait(t->reducer) == RPT_OK);
        CHECK(is_right(t));
    }
}

/* ---- what lists there are ---- */

struct shape {
    size_t n_arrays, n_buckets, n_in_place; /* of 1000 bytes, f64 */
    size_t counts[MAX_ARRAYS];
};

static const struct shape shapes[] = {
    { 0, 0, 0, { 0 } },
    { 2, 0, 0, { 0, 0 } },
    { 1, 1, 1, { 1 } },
    { 1, 1, 1, { 100000 } },                  /* much more than a bucket */
    { 3, 1, 0, { 100, 0, 25 } },              /* just full               */
    { 3, 2, 2, { 100, 0, 26 } },              /* one too many            */
    { 4, 3, 3, { 1, 125, 0, 1 } },            /* between full ones       */
    { 6, 3, 1, { 0, 50, 50, 20000, 7, 100 } } /* and around a huge one   */
};

static void is_divided_as_said(const struct trial *t, const struct shape *shape)
{
    rpt_reducer_stats_t stats;
    size_t count = 0;

    for (size_t i = 0; i < shape->n_arrays; i++) {
        count += shape->counts[i];
    }
    CHECK(rpt_reducer_stats(t->reducer, &stats) == RPT_OK);
    CHECK(stats.n_arrays == shape->n_arrays);
    CHECK(stats.n_buckets == shape->n_buckets);
    CHECK(stats.n_in_place == shape->n_in_place);
    CHECK(stats.array_bytes == count * sizeof(double));
    CHECK(stats.wire_bytes == stats.array_bytes);
}

void lists_of_every_shape(rpt_group_t *group)
{
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct trial t = { .group = group,
                           .config = { .type = RPT_TYPE_F64,
                                       .bucket_bytes = 1000 } };
        rpt_reducer_stats_t stats;
        char *text = NULL;

        begin(&t, shapes[s].counts, shapes[s].n_arrays);
        is_divided_as_said(&t, &shapes[s]);
        play_rounds(&t, 3);
        CHECK(rpt_reducer_stats(t.reducer, &stats) == RPT_OK);
        CHECK(stats.n_rounds == 3 && stats.n_started == 0);
        CHECK(stats.n_over_early <= 3 * stats.n_buckets);
        CHECK(rpt_reducer_explain(t.reducer, &text) == RPT_OK);
        CHECK(text != NULL && strstr(text, "sum of f64") != NULL);
        CHECK(text != NULL && strstr(text, "3 rounds") != NULL);
        free(text);
        end(&t);
    }
}

void rounds_in_any_order(rpt_group_t *group)
{
    static const size_t counts[] = { 3, 0,    1000, 1,   7, 20000, 5,
                                     0, 9000, 2,    300, 9, 1,     1 };
    static const size_t buckets[] = { 1, 64, 3000, 60000, 0 };
    static const rpt_type_t types[] = { RPT_TYPE_F64, RPT_TYPE_F32,
                                        RPT_TYPE_I32 };
    static const rpt_op_t ops[] = { RPT_OP_SUM, RPT_OP_AVERAGE, RPT_OP_MAX };

    for (size_t k = 0; k < 5 * 3; k++) {
        struct trial t = { .group = group,
                           .config = { .type = types[k % 3],
                                       .op = ops[k / 3 % 3],
                                       .bucket_bytes = buckets[k / 3] } };

        if (t.config.type == RPT_TYPE_I32 && t.config.op == RPT_OP_AVERAGE) {
            continue;
        }
        begin(&t, counts, sizeof counts / sizeof *counts);
        play_rounds(&t, 12);
        end(&t);
    }
}

/* ---- several at once ---- */

/* Two of one group and one of another, marked in another order on each rank,
 * with other calls of the groups in between. */
void several_reducers_at_once(rpt_group_t *group)
{
    static const size_t counts[] = { 10, 9000, 1, 2000 };
    struct trial trials[3];
    rpt_group_t *reversed = NULL;
    int rank = rpt_group_rank(group), n = rpt_group_size(group), sum;

    CHECK(rpt_group_split(group, 0, -rank, &reversed) == RPT_OK);
    for (int k = 0; k < 3; k++) {
        trials[k] = (struct trial){ .group = k == 1 ? reversed : group,
                                    .config = { .type = RPT_TYPE_F32,
                                                .bucket_bytes = 5000 } };
        begin(&trials[k], counts, 4);
    }
    for (int round = 0; round < 20; round++) {
        for (int k = 0; k < 3; k++) {
            trials[k].round = round + k;
            fill(&trials[k]);
        }
        for (size_t i = 0; i < 12; i++) {
            size_t step = (i + (size_t)(rank * 5)) % 12;

            CHECK(rpt_reducer_ready(trials[step % 3].reducer, step / 3) ==
                  RPT_OK);
            if (i % 4 == 3) {
                CHECK(rpt_allreduce(i == 7 ? reversed : group, &rank, &sum, 1,
                                    RPT_TYPE_I32, RPT_OP_SUM) == RPT_OK);
                CHECK(sum == n * (n - 1) / 2);
            }
        }
        for (int k = 0; k < 3; k++) {
            struct trial *t = &trials[(k + rank + round) % 3];

            CHECK(rpt_reducer_wait(t->reducer) == RPT_OK);
            CHECK(is_right(t));
        }
    }
    for (int k = 0; k < 3; k++) {
        end(&trials[k]);
    }
    rpt_group_destroy(reversed);
}

/* ---- under a computation ---- */

/* How many buckets of this round have begun. */
static size_t n_started(const struct trial *t)
{
    rpt_reducer_stats_t stats = { .n_started = 99 };

    CHECK(rpt_reducer_stats(t->reducer, &stats) == RPT_OK);
    return stats.n_started;
}

static void mark(const struct trial *t, size_t array, size_t started)
{
    CHECK(rpt_reducer_ready(t->reducer, array) == RPT_OK);
    CHECK(n_started(t) == started);
}

/* An element that another thread may be writing. */
__attribute__((no_sanitize("thread"))) static double
peek(const struct trial *t, size_t array, size_t i)
{
    return ((const volatile double *)t->arrays[array].data)[i];
}

/* What the first bucket has is the sum before the last array is marked: seen in
 * an array that is reduced in place. */
void buckets_begin_before_the_wait(rpt_group_t *group)
{
    static const size_t counts[] = { 200, 5, 5, 200, 0, 7 };
    struct trial t = {
        .group = group, .config = { .type = RPT_TYPE_F64, .bucket_bytes = 1000 }
    };
    rpt_reducer_stats_t stats;

    begin(&t, counts, 6);
    for (t.round = 0; t.round < 5; t.round++) {
        fill(&t);
        CHECK(rpt_reducer_test(t.reducer) == RPT_PENDING);
        mark(&t, 3, 0); /* not before those before it */
        mark(&t, 1, 0);
        mark(&t, 4, 0); /* in no bucket               */
        mark(&t, 0, 1);
        do {
            CHECK(rpt_reducer_test(t.reducer) == RPT_PENDING);
        } while (fabs(peek(&t, 0, 199) - expected(&t, 0, 199)) > 0.1);
        mark(&t, 2, 3);
        CHECK(rpt_reducer_ready(t.reducer, 5) == RPT_OK);
        CHECK(n_started(&t) == 4);
        while (rpt_reducer_test(t.reducer) == RPT_PENDING) {
        }
        CHECK(rpt_reducer_wait(t.reducer) == RPT_OK);
        CHECK(is_right(&t));
    }
    CHECK(rpt_reducer_stats(t.reducer, &stats) == RPT_OK);
    CHECK(stats.n_early == 15 && stats.n_over_early == 20);
    CHECK(stats.wait_s >= 0);
    end(&t);
}

/* ---- as bf16 ---- */

/* Numbers of very different size, and some that are below those of full
 * precision. */
static float awkward(int rank, size_t i)
{
    double scale = i % 11 == 10 ? 1e-39 : pow(10, (rank * 3 + (int)i) % 6);

    return (float)(sin((double)i + 13 * rank) * scale);
}

/* An f32 as bf16: nearbyint() in units of its last place. */
static double as_bf16(double x)
{
    int exponent;

    frexp(x, &exponent);
    exponent = exponent > -125 ? exponent : -125; /* of all subnormal ones */
    return ldexp(nearbyint(ldexp(x, 8 - exponent)), exponent - 8);
}

/* Of the sum of p numbers: what repartir/reducer.h states. */
static double bound_of(int p, double magnitudes)
{
    double growth = pow(1 + ldexp(1, -8), p);

    return (growth - 1) * magnitudes + growth * p * ldexp(1, -134);
}

static bool is_within_bound(const struct trial *t, size_t i, double found)
{
    double sum = 0, magnitudes = 0, least = INFINITY, most = -INFINITY;
    double error = 0, bound = 0;

    for (int r = 0; r < t->size; r++) {
        double x = awkward(r, i);

        sum += x;
        magnitudes += fabs(x);
        least = fmin(least, x);
        most = fmax(most, x);
    }
    bound = bound_of(t->size, magnitudes);
    switch (t->config.op) {
    case RPT_OP_MIN:
        return memcmp(&found, &(double){ as_bf16(least) }, sizeof found) == 0;
    case RPT_OP_MAX:
        return memcmp(&found, &(double){ as_bf16(most) }, sizeof found) == 0;
    case RPT_OP_AVERAGE:
        error = fabs(found - sum / t->size);
        bound = bound / t->size + fabs(found) * ldexp(1, -24) + ldexp(1, -150);
        break;
    default:
        error = fabs(found - sum);
    }
    return error <= bound;
}

static bool has_same_bits_on_all(rpt_group_t *group, const float *x, size_t n)
{
    uint32_t *bits = malloc(2 * (n + 1) * sizeof *bits);
    bool same;

    memcpy(bits, x, n * sizeof *bits);
    memcpy(bits + n, x, n * sizeof *bits);
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, bits, n, RPT_TYPE_U32,
                        RPT_OP_MIN) == RPT_OK);
    CHECK(rpt_allreduce(group, RPT_IN_PLACE, bits + n, n, RPT_TYPE_U32,
                        RPT_OP_MAX) == RPT_OK);
    same = memcmp(bits, bits + n, n * sizeof *bits) == 0;
    free(bits);
    return same;
}

static void compare_with_f64(const struct trial *t, size_t array, size_t first)
{
    size_t n = t->arrays[array].count;
    const float *x = t->arrays[array].data;
    size_t n_wrong = 0, n_wide = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &x[i], sizeof bits);
        n_wide += (bits & 0xffff) != 0;
        n_wrong += !is_within_bound(t, first + i, x[i]);
    }
    CHECK(n_wrong == 0);
    /* It did travel as bf16. */
    CHECK(n_wide == 0 || t->config.op == RPT_OP_AVERAGE);
    CHECK(has_same_bits_on_all(t->group, x, n));
}

void sums_as_bf16(rpt_group_t *group)
{
    static const size_t counts[] = { 5, 1000, 0, 20000, 3, 3000 };
    static const rpt_op_t ops[] = { RPT_OP_SUM, RPT_OP_AVERAGE, RPT_OP_MIN,
                                    RPT_OP_MAX };

    for (size_t k = 0; k < 8; k++) {
        struct trial t = { .group = group,
                           .config = { .type = RPT_TYPE_F32,
                                       .op = ops[k % 4],
                                       .wire = RPT_WIRE_BF16,
                                       .bucket_bytes = k < 4 ? 8000 : 0 } };
        rpt_reducer_stats_t stats;
        size_t first = 0;

        begin(&t, counts, 6);
        CHECK(rpt_reducer_stats(t.reducer, &stats) == RPT_OK);
        CHECK(stats.n_in_place == 0 &&
              2 * stats.wire_bytes == stats.array_bytes);
        CHECK(stats.n_buckets == (k < 4 ? 3 : 1));
        for (size_t a = 0; a < 6; first += counts[a++]) {
            for (size_t i = 0; i < counts[a]; i++) {
                put(&t, a, i, awkward(t.rank, first + i));
            }
        }
        CHECK(rpt_reducer_ready_all(t.reducer) == RPT_OK);
        CHECK(rpt_reducer_wait(t.reducer) == RPT_OK);
        first = 0;
        for (size_t a = 0; a < 6; first += counts[a++]) {
            if (counts[a] > 0) {
                compare_with_f64(&t, a, first);
            }
        }
        end(&t);
    }
}

void special_numbers_as_bf16(rpt_group_t *group)
{
    static const size_t counts[] = { 6 };
    struct trial t = { .group = group,
                       .config = { .type = RPT_TYPE_F32,
                                   .wire = RPT_WIRE_BF16 } };
    float *x;

    begin(&t, counts, 1);
    x = t.arrays[0].data;
    x[0] = t.rank == 0 ? NAN : 1;
    x[1] = t.rank == t.size - 1 ? INFINITY : -1;
    x[2] = t.rank == 0 ? -INFINITY : INFINITY; /* one rank: no NaN */
    x[3] = -0.0F;
    x[4] = t.rank == 0 ? 0x1.ffp127F : 0; /* 2^128 - 2^119 */
    x[5] = t.rank == 0 ? 0x1.fefffep127F : 0;
    CHECK(rpt_reducer_ready(t.reducer, 0) == RPT_OK);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_OK);
    CHECK(isnan(x[0]));
    CHECK(isinf(x[1]) && x[1] > 0);
    CHECK(t.size > 1 ? isnan(x[2]) : isinf(x[2]));
    CHECK(x[3] <= 0 && signbit(x[3]));
    CHECK(isinf(x[4]));
    CHECK(!isinf(x[5]) && x[5] >= 0x1.fep127F);
    end(&t);
}

/* ---- faults ---- */

void marks_that_are_wrong(rpt_group_t *group)
{
    static const size_t counts[] = { 5, 300, 0, 2 };
    struct trial t = {
        .group = group, .config = { .type = RPT_TYPE_F64, .bucket_bytes = 1000 }
    };

    begin(&t, counts, 4);
    fill(&t);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->what, "array 0 ") != NULL);
    CHECK(rpt_reducer_ready(t.reducer, 4) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_ready(t.reducer, 0) == RPT_OK);
    CHECK(rpt_reducer_ready(t.reducer, 0) == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->what, "array 0 ") != NULL);
    CHECK(rpt_reducer_ready(t.reducer, 3) == RPT_OK);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->what, "array 1 ") != NULL);
    CHECK(rpt_reducer_ready(t.reducer, 1) == RPT_OK);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->what, "array 2 ") != NULL);
    CHECK(rpt_reducer_ready_all(t.reducer) == RPT_OK); /* the rest */
    CHECK(rpt_reducer_ready(t.reducer, 2) == RPT_ERR_STATE);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_OK);
    CHECK(is_right(&t));
    play_rounds(&t, 2);
    CHECK(rpt_reducer_ready(NULL, 0) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_ready_all(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_test(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_wait(NULL) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_stats(t.reducer, NULL) == RPT_ERR_INVALID);
    CHECK(rpt_reducer_explain(t.reducer, NULL) == RPT_ERR_INVALID);
    end(&t);
    rpt_reducer_destroy(NULL);
}

/* The last rank gives something else; all ranks are told what.  NULL: nothing
 * differs. */
static void expect_mismatch(rpt_group_t *group,
                            const rpt_reducer_config_t *config,
                            const rpt_reducer_array_t arrays[], size_t n,
                            const char *what)
{
    int size = rpt_group_size(group);
    rpt_reducer_t *reducer = NULL;
    rpt_status_t status = rpt_reducer_create(group, config, arrays, n,
                                             &reducer);
    char rank[24];

    snprintf(rank, sizeof rank, "rank %d", size - 1);
    CHECK(status == (size > 1 && what != NULL ? RPT_ERR_MISMATCH : RPT_OK));
    CHECK((status == RPT_OK) == (reducer != NULL));
    if (status != RPT_OK && what != NULL) {
        CHECK(strstr(rpt_last_error()->what, what) != NULL);
        CHECK(strstr(rpt_last_error()->what, rank) != NULL);
    }
    rpt_reducer_destroy(reducer);
}

void lists_that_differ(rpt_group_t *group)
{
    enum { N = 9 };
    float x[N][8] = { { 0 } };
    bool is_last = rpt_group_rank(group) == rpt_group_size(group) - 1;
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32 }, other;
    rpt_reducer_array_t arrays[N];

    for (size_t i = 0; i < N; i++) {
        arrays[i] = (rpt_reducer_array_t){ x[i], i % 4 + 1 };
    }
    expect_mismatch(group, &config, arrays, N, NULL);
    for (size_t i = 0; i < N; i++) {
        char array[32];

        snprintf(array, sizeof array, "array %zu ", i);
        arrays[i].count += is_last ? 2 : 0;
        arrays[N - 1].count += is_last && i < 4 ? 1 : 0;
        expect_mismatch(group, &config, arrays, N, array);
        arrays[i].count -= is_last ? 2 : 0;
        arrays[N - 1].count -= is_last && i < 4 ? 1 : 0;
    }
    expect_mismatch(group, &config, arrays, is_last ? 5 : N,
                    "the first 5 are the same");
    expect_mismatch(group, &config, arrays, is_last ? 0 : 1,
                    "the first 0 are the same");
    other = config;
    other.op = is_last ? RPT_OP_MAX : RPT_OP_SUM;
    expect_mismatch(group, &other, arrays, N, "max of f32");
    other = config;
    other.type = is_last ? RPT_TYPE_I32 : RPT_TYPE_F32;
    expect_mismatch(group, &other, arrays, N, "sum of i32");
    other = config;
    other.wire = is_last ? RPT_WIRE_BF16 : RPT_WIRE_SAME;
    expect_mismatch(group, &other, arrays, N, "as bf16");
    other = config;
    other.bucket_bytes = is_last ? 1234 : 0;
    expect_mismatch(group, &other, arrays, N, "1234 bytes");
    other.bucket_bytes = is_last ? RPT_REDUCER_BUCKET_BYTES : 0;
    expect_mismatch(group, &other, arrays, N, NULL);
    CHECK(rpt_barrier(group) == RPT_OK); /* it is still of use */
}

static void fail_together(rpt_group_t *group,
                          const rpt_reducer_config_t *config,
                          const rpt_reducer_array_t arrays[], size_t n,
                          rpt_status_t own)
{
    rpt_reducer_t *reducer = NULL;
    bool is_first = rpt_group_rank(group) == 0;

    CHECK(rpt_reducer_create(group, config, arrays, n, &reducer) ==
          (is_first ? own : RPT_ERR_PEER));
    CHECK(is_first || strstr(rpt_last_error()->what, "rank 0") != NULL);
    CHECK(reducer == NULL);
}

void one_rank_that_cannot(rpt_group_t *group)
{
    float x[8] = { 0 };
    bool is_first = rpt_group_rank(group) == 0;
    rpt_reducer_config_t config = { .type = RPT_TYPE_F32 }, bad;
    rpt_reducer_array_t arrays[] = { { x, 4 }, { x + 4, 4 } }, wrong[2];
    rpt_reducer_t *reducer = NULL;

    CHECK(rpt_reducer_create(NULL, &config, arrays, 2, &reducer) ==
          RPT_ERR_INVALID);
    CHECK(rpt_reducer_create(group, &config, arrays, 2, NULL) ==
          RPT_ERR_INVALID);
    fail_together(group, is_first ? NULL : &config, arrays, 2, RPT_ERR_INVALID);
    fail_together(group, &config, is_first ? NULL : arrays, 2, RPT_ERR_INVALID);
    memcpy(wrong, arrays, sizeof wrong);
    wrong[1].data = is_first ? NULL : x + 4;
    fail_together(group, &config, wrong, 2, RPT_ERR_INVALID);
    memcpy(wrong, arrays, sizeof wrong);
    wrong[1].count = is_first ? SIZE_MAX / 2 : 4;
    wrong[0].count = is_first ? SIZE_MAX / 2 : 4;
    if (rpt_group_size(group) == 1) { /* else the counts differ, first */
        fail_together(group, &config, wrong, 2, RPT_ERR_OVERFLOW);
    }
    bad = config;
    bad.type = is_first ? (rpt_type_t)99 : RPT_TYPE_F32;
    fail_together(group, &bad, arrays, 2, RPT_ERR_INVALID);
    bad = config;
    bad.op = is_first ? (rpt_op_t)99 : RPT_OP_SUM;
    fail_together(group, &bad, arrays, 2, RPT_ERR_INVALID);
    bad.op = is_first ? RPT_OP_BIT_AND : RPT_OP_SUM;
    fail_together(group, &bad, arrays, 2, RPT_ERR_UNSUPPORTED);
    bad = config;
    bad.wire = is_first ? (rpt_wire_t)7 : RPT_WIRE_SAME;
    fail_together(group, &bad, arrays, 2, RPT_ERR_INVALID);
    bad.wire = RPT_WIRE_BF16;
    bad.op = is_first ? RPT_OP_PRODUCT : RPT_OP_SUM;
    fail_together(group, &bad, arrays, 2, RPT_ERR_UNSUPPORTED);
    bad.op = RPT_OP_SUM;
    bad.type = is_first ? RPT_TYPE_I32 : RPT_TYPE_F32;
    fail_together(group, &bad, arrays, 2, RPT_ERR_UNSUPPORTED);
    CHECK(rpt_barrier(group) == RPT_OK);
}

/* Rank 0 destroys its reducer when one bucket of two has begun. */
void one_rank_that_gives_up(rpt_group_t *group)
{
    static const size_t counts[] = { 300, 300 };
    struct trial t = {
        .group = group, .config = { .type = RPT_TYPE_F64, .bucket_bytes = 1000 }
    };
    rpt_status_t status;

    begin(&t, counts, 2);
    play_rounds(&t, 2);
    CHECK(rpt_barrier(group) == RPT_OK); /* nobody is in these any more */
    CHECK(rpt_reducer_ready(t.reducer, 0) == RPT_OK);
    if (t.rank == 0) {
        end(&t);
        CHECK(rpt_barrier(group) == RPT_OK);
        return;
    }
    CHECK(rpt_reducer_ready(t.reducer, 1) == RPT_OK);
    CHECK(rpt_reducer_wait(t.reducer) == RPT_ERR_PEER);
    CHECK(strstr(rpt_last_error()->what, "rank 0 of") != NULL);
    CHECK(strstr(rpt_last_error()->what, "1 of 2 buckets") != NULL);
    /* It is of no further use, its group is. */
    CHECK(rpt_reducer_ready_all(t.reducer) == RPT_OK);
    CHECK(rpt_reducer_test(t.reducer) == RPT_OK);
    status = rpt_reducer_wait(t.reducer);
    CHECK(status == RPT_ERR_STATE);
    CHECK(strstr(rpt_last_error()->why, "rank 0 of") != NULL);
    CHECK(rpt_barrier(group) == RPT_OK);
    end(&t);
}
