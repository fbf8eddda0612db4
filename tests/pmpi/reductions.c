/*
 * reductions.c - reductions of several types and operators; those that the shim
 * passes through
 */
#include "app.h"

#include <stdint.h>
#include <string.h>

enum { N = 37, MOST = 8 };

/* Small whole numbers, so that sums are exact in any order. */
static double value(int rank, int i)
{
    return (rank * 7 + i * 3) % 11 - 5;
}

static double fold(MPI_Op op, double a, double b)
{
    if (op == MPI_SUM) {
        return a + b;
    }
    if (op == MPI_PROD) {
        return a * b;
    }
    return op == MPI_MAX ? (a > b ? a : b) : (a < b ? a : b);
}

/* Of ranks first to last. */
static double folded(MPI_Op op, int first, int last, int i)
{
    double all = value(first, i);

    for (int r = first + 1; r <= last; r++) {
        all = fold(op, all, value(r, i));
    }
    return all;
}

static bool is_folded(const double *v, MPI_Op op, int last)
{
    for (int i = 0; i < N; i++) {
        if (v[i] != folded(op, 0, last, i)) {
            return false;
        }
    }
    return true;
}

static void fill(double *v, int rank)
{
    for (int i = 0; i < N; i++) {
        v[i] = value(rank, i);
    }
}

static void with(MPI_Comm comm, MPI_Op op)
{
    double in[N], out[N];
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    fill(in, rank);
    memset(out, 0, sizeof out);
    MPI_Allreduce(in, out, N, MPI_DOUBLE, op, comm);
    CHECK(is_folded(out, op, size - 1));
    fill(out, rank);
    MPI_Allreduce(MPI_IN_PLACE, out, N, MPI_DOUBLE, op, comm);
    CHECK(is_folded(out, op, size - 1));
    for (int root = 0; root < size; root++) {
        fill(out, rank);
        MPI_Reduce(rank == root && root % 2 == 1 ? MPI_IN_PLACE : in,
                   rank == root ? out : NULL, N, MPI_DOUBLE, op, root, comm);
        CHECK(is_folded(out, op, size - 1) || rank != root);
    }
    MPI_Scan(in, out, N, MPI_DOUBLE, op, comm);
    CHECK(is_folded(out, op, rank));
    fill(out, rank);
    MPI_Scan(MPI_IN_PLACE, out, N, MPI_DOUBLE, op, comm);
    CHECK(is_folded(out, op, rank));
    /* On rank 0 nobody looks at the output. */
    MPI_Exscan(in, rank > 0 ? out : in + 1, N, MPI_DOUBLE, op, comm);
    CHECK(rank == 0 || is_folded(out, op, rank - 1));
    fill(out, rank);
    MPI_Exscan(MPI_IN_PLACE, out, N, MPI_DOUBLE, op, comm);
    CHECK(rank == 0 || is_folded(out, op, rank - 1));
}

void FORM(reductions)(MPI_Comm comm)
{
    with(comm, MPI_SUM);
    with(comm, MPI_PROD);
    with(comm, MPI_MIN);
    with(comm, MPI_MAX);
}

/* ---- types ---- */

#define SUM_OF(ctype, mpitype)                                                 \
    do {                                                                       \
        ctype in = (ctype)(rank + 1), sum = 0, most = 0;                       \
        MPI_Allreduce(&in, &sum, 1, mpitype, MPI_SUM, comm);                   \
        CHECK(sum == (ctype)(size * (size + 1) / 2));                          \
        MPI_Allreduce(&in, &most, 1, mpitype, MPI_MAX, comm);                  \
        CHECK(most == (ctype)size);                                            \
    } while (0)

#define BITS_OF(ctype, mpitype)                                                \
    do {                                                                       \
        ctype in = (ctype)(1 << rank), all = 0;                                \
        MPI_Allreduce(&in, &all, 1, mpitype, MPI_BOR, comm);                   \
        CHECK(all == (ctype)((1 << size) - 1));                                \
        MPI_Allreduce(&in, &all, 1, mpitype, MPI_BXOR, comm);                  \
        CHECK(all == (ctype)((1 << size) - 1));                                \
        MPI_Allreduce(&in, &all, 1, mpitype, MPI_BAND, comm);                  \
        CHECK(all == (ctype)(size == 1));                                      \
    } while (0)

static void flags(MPI_Comm comm, int rank, int size)
{
    int in = rank == 0 ? (size > 1 ? 5 : 1) : 0, out = -1;
    bool flag = rank == size - 1, all = false;

    MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_LOR, comm);
    CHECK(out == 1);
    MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_LAND, comm);
    CHECK(out == (size == 1));
    MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_LXOR, comm);
    CHECK(out == 1);
    MPI_Allreduce(&flag, &all, 1, MPI_C_BOOL, MPI_LOR, comm);
    CHECK(all);
}

static void complex_numbers(MPI_Comm comm, int rank, int size)
{
    double z[2] = { rank, 2 }, sum[2] = { 0, 0 };

    MPI_Allreduce(z, sum, 1, MPI_C_DOUBLE_COMPLEX, MPI_SUM, comm);
    CHECK(sum[0] == size * (size - 1) / 2 && sum[1] == 2 * size);
}

/* The first rank has the least numbers of a type, the last one the largest,
 * so that a wrong sign or width is seen. */
#define ENDS_OF(ctype, mpitype)                                                \
    do {                                                                       \
        const uintmax_t half = (uintmax_t)1 << (8 * sizeof(ctype) - 1);        \
        const bool is_signed = (ctype)-1 < (ctype)1;                           \
        const ctype most = (ctype)(is_signed ? half - 1 : 2 * half - 1);       \
        const ctype least = (ctype)(is_signed ? half : 0);                     \
        ctype in[2] = { rank == 0 ? least : most,                              \
                        rank == size - 1 ? most : least };                     \
        ctype high[2] = { 0 }, low[2] = { 0 };                                 \
        MPI_Allreduce(in, high, 2, mpitype, MPI_MAX, comm);                    \
        MPI_Allreduce(in, low, 2, mpitype, MPI_MIN, comm);                     \
        CHECK(high[0] == (size > 1 ? most : least) && high[1] == most);        \
        CHECK(low[0] == least && low[1] == (size > 1 ? least : most));         \
    } while (0)

#ifndef FORM_STARTED
/* Open MPI 4.1 itself has the ends of signed bytes wrong. */
static void ends(MPI_Comm comm, int rank, int size)
{
    ENDS_OF(signed char, MPI_SIGNED_CHAR);
    ENDS_OF(unsigned char, MPI_UNSIGNED_CHAR);
    ENDS_OF(short, MPI_SHORT);
    ENDS_OF(unsigned short, MPI_UNSIGNED_SHORT);
    ENDS_OF(int, MPI_INT);
    ENDS_OF(unsigned, MPI_UNSIGNED);
    ENDS_OF(long, MPI_LONG);
    ENDS_OF(unsigned long, MPI_UNSIGNED_LONG);
    ENDS_OF(long long, MPI_LONG_LONG);
    ENDS_OF(unsigned long long, MPI_UNSIGNED_LONG_LONG);
    ENDS_OF(int8_t, MPI_INT8_T);
    ENDS_OF(uint8_t, MPI_UINT8_T);
    ENDS_OF(int16_t, MPI_INT16_T);
    ENDS_OF(uint16_t, MPI_UINT16_T);
    ENDS_OF(int32_t, MPI_INT32_T);
    ENDS_OF(uint32_t, MPI_UINT32_T);
    ENDS_OF(int64_t, MPI_INT64_T);
    ENDS_OF(uint64_t, MPI_UINT64_T);
    ENDS_OF(MPI_Aint, MPI_AINT);
    ENDS_OF(MPI_Count, MPI_COUNT);
    ENDS_OF(MPI_Offset, MPI_OFFSET);
}
#endif

void FORM(numbers)(MPI_Comm comm)
{
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
#ifndef FORM_STARTED /* which may pass through, as all do without the shim */
    if (has_shim()) {
        ends(comm, rank, size);
    }
#endif
    SUM_OF(signed char, MPI_SIGNED_CHAR);
    SUM_OF(unsigned char, MPI_UNSIGNED_CHAR);
    SUM_OF(short, MPI_SHORT);
    SUM_OF(unsigned short, MPI_UNSIGNED_SHORT);
    SUM_OF(int, MPI_INT);
    SUM_OF(unsigned, MPI_UNSIGNED);
    SUM_OF(long, MPI_LONG);
    SUM_OF(unsigned long, MPI_UNSIGNED_LONG);
    SUM_OF(long long, MPI_LONG_LONG);
    SUM_OF(int64_t, MPI_INT64_T);
    SUM_OF(uint8_t, MPI_UINT8_T);
    SUM_OF(float, MPI_FLOAT);
    SUM_OF(double, MPI_DOUBLE);
    BITS_OF(unsigned char, MPI_BYTE);
    BITS_OF(unsigned, MPI_UNSIGNED);
    flags(comm, rank, size);
    complex_numbers(comm, rank, size);
}

/* ---- pairs ---- */

#define PAIR_OF(ctype, mpitype)                                                \
    do {                                                                       \
        struct {                                                               \
            ctype x;                                                           \
            int at;                                                            \
        } in = { 0, 0 }, least = { 0, 0 }, most = { 0, 0 };                    \
        /* The last ranks are equal: the lowest index is to be found. */       \
        in.x = (ctype)(rank < size - 1 ? rank : size - 2);                     \
        in.at = rank;                                                          \
        MPI_Allreduce(&in, &least, 1, mpitype, MPI_MINLOC, comm);              \
        MPI_Allreduce(&in, &most, 1, mpitype, MPI_MAXLOC, comm);               \
        CHECK(least.at == 0);                                                  \
        CHECK(most.at == (size > 1 ? size - 2 : 0));                           \
        CHECK(most.x == (ctype)(size - 2));                                    \
    } while (0)

void FORM(pairs)(MPI_Comm comm)
{
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    PAIR_OF(float, MPI_FLOAT_INT);
    PAIR_OF(double, MPI_DOUBLE_INT);
    PAIR_OF(int, MPI_2INT);
    PAIR_OF(long, MPI_LONG_INT);
    PAIR_OF(short, MPI_SHORT_INT);
}

/* ---- each rank gets a part ---- */

static bool is_part(const int *v, count_t n, int at, int size)
{
    for (int i = 0; i < n; i++) {
        if (v[i] != size * (at + i) + size * (size - 1) / 2) {
            return false;
        }
    }
    return true;
}

static void fill_all(int *v, int n, int rank)
{
    for (int i = 0; i < n; i++) {
        v[i] = rank + i;
    }
}

void FORM(parts)(MPI_Comm comm)
{
    int in[MOST * MOST], out[MOST * MOST], rank, size, at = 0, n = 0;
    count_t counts[MOST];

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    fill_all(in, 3 * size, rank);
    MPI_Reduce_scatter_block(in, out, 3, MPI_INT, MPI_SUM, comm);
    CHECK(is_part(out, 3, 3 * rank, size));
    fill_all(out, 3 * size, rank);
    MPI_Reduce_scatter_block(MPI_IN_PLACE, out, 3, MPI_INT, MPI_SUM, comm);
    CHECK(is_part(out, 3, 3 * rank, size));
    for (int r = 0; r < size; r++) {
        counts[r] = r; /* none for rank 0 */
        at += r < rank ? r : 0;
        n += r;
    }
    fill_all(in, n, rank);
    MPI_Reduce_scatter(in, out, counts, MPI_INT, MPI_SUM, comm);
    CHECK(is_part(out, counts[rank], at, size));
    fill_all(out, n, rank);
    MPI_Reduce_scatter(MPI_IN_PLACE, out, counts, MPI_INT, MPI_SUM, comm);
    CHECK(is_part(out, counts[rank], at, size));
}

/* ---- what the shim leaves to the MPI ---- */

/* Not commutative: the last digits stand behind. */
static void append(void *in, void *inout, int *n, MPI_Datatype *type)
{
    long *a = in, *b = inout;

    (void)type;
    for (int i = 0; i < *n; i++) {
        b[i] += 10 * a[i];
    }
}

void FORM(others)(MPI_Comm comm)
{
    long double x = 1, sum = 0;
    long in = 1, out = 0, ones = 1;
    int rank, size;
    MPI_Op op;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    MPI_Allreduce(&x, &sum, 1, MPI_LONG_DOUBLE, MPI_SUM, comm);
    CHECK(sum == size);
    /* Two ranks at most: more of them need not be grouped from the left. */
    MPI_Op_create(append, 0, &op);
    MPI_Scan(&in, &out, 1, MPI_LONG, op, comm);
    ones = rank == 0 ? 1 : 11;
    CHECK(rank > 1 || out == ones);
    MPI_Op_free(&op);
    /* Once more one of ours, in between. */
    MPI_Allreduce(&in, &out, 1, MPI_LONG, MPI_SUM, comm);
    CHECK(out == size);
}
