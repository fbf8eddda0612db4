/*
 * plate.h - a plate of cells on a grid of ranks, and how heat spreads over it
 *
 * The plate is a square of n times n cells, each rank has a block of it with a
 * frame of one cell around, where the borders of its neighbours are copied to;
 * outside of the plate it is cold, 0.  In each step a cell comes nearer to the
 * mean of its four neighbours:
 *
 *   new = u + 1/8 ((north + south) + (west + east) - 4 u)
 *
 * Why the bits are the same on any number of ranks: no cell's sum depends on
 * where blocks begin, and 1/8 and 4 are powers of two, so that nothing is
 * rounded but the additions, even by a compiler that makes one instruction of a
 * product and a sum.
 */
#ifndef PLATE_H
#define PLATE_H

#include <mpi.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* This rank's block: count[0] rows of count[1] cells, and the frame. */
struct block {
    MPI_Comm grid;
    MPI_Datatype column; /* one cell of each row */
    int north, south, west, east;
    uint64_t n, start[2], count[2];
    double *u, *next; /* each (count[0] + 2) * (count[1] + 2) cells */
};

/* Parts of n cells as equal as can be; with more parts than cells the last
 * ones are empty. */
static void cut(uint64_t n, int n_parts, int part, uint64_t *start,
                uint64_t *count)
{
    uint64_t parts = (uint64_t)n_parts, i = (uint64_t)part;
    uint64_t least = n / parts, more = n % parts;

    *count = least + (i < more);
    *start = least * i + (i < more ? i : more);
}

static size_t width(const struct block *b)
{
    return (size_t)b->count[1] + 2;
}

/* An empty block talks to nobody; neither does one with a neighbour that is
 * empty, or beyond the edge. */
static void find_neighbours(struct block *b)
{
    MPI_Cart_shift(b->grid, 0, 1, &b->north, &b->south);
    MPI_Cart_shift(b->grid, 1, 1, &b->west, &b->east);
    if (b->count[0] == 0 || b->count[1] == 0) {
        b->north = b->south = b->west = b->east = MPI_PROC_NULL;
    }
    if (b->start[0] + b->count[0] == b->n) {
        b->south = MPI_PROC_NULL;
    }
    if (b->start[1] + b->count[1] == b->n) {
        b->east = MPI_PROC_NULL;
    }
}

/* Two discs are hot at the beginning; in whole numbers, so that all compilers
 * have the same. */
static double first(uint64_t n, uint64_t y, uint64_t x)
{
    const int64_t size = (int64_t)n, y8 = (int64_t)y * 8, x8 = (int64_t)x * 8;
    const int64_t y_a = y8 - 3 * size, x_a = x8 - 3 * size;
    const int64_t y_b = y8 - 5 * size, x_b = x8 - 6 * size;

    return y_a * y_a + x_a * x_a < 4 * size * size ? 1.0
           : y_b * y_b + x_b * x_b < size * size   ? 0.75
                                                   : 0.0;
}

/* 0, or -1: there is no memory. */
static int block_create(struct block *b, uint64_t n)
{
    int size, rank, dims[2] = { 0, 0 }, periods[2] = { 0, 0 }, at[2];
    size_t cells;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &b->grid);
    MPI_Comm_rank(b->grid, &rank);
    MPI_Cart_coords(b->grid, rank, 2, at);
    b->n = n;
    for (int d = 0; d < 2; d++) {
        cut(n, dims[d], at[d], &b->start[d], &b->count[d]);
    }
    find_neighbours(b);
    MPI_Type_vector((int)b->count[0], 1, (int)width(b), MPI_DOUBLE, &b->column);
    MPI_Type_commit(&b->column);
    cells = ((size_t)b->count[0] + 2) * width(b);
    b->u = calloc(cells, sizeof *b->u);
    b->next = calloc(cells, sizeof *b->next);
    if (b->u == NULL || b->next == NULL) {
        return -1;
    }
    for (size_t y = 0; y < b->count[0]; y++) {
        for (size_t x = 0; x < b->count[1]; x++) {
            b->u[(y + 1) * width(b) + x + 1] = first(n, b->start[0] + y,
                                                     b->start[1] + x);
        }
    }
    return 0;
}

static void block_destroy(struct block *b)
{
    free(b->u);
    free(b->next);
    MPI_Type_free(&b->column);
    MPI_Comm_free(&b->grid);
}

/* The borders of the neighbours come to the frame. */
static void exchange(struct block *b)
{
    const size_t w = width(b), rows = (size_t)b->count[0];
    const int columns = (int)b->count[1];
    double *u = b->u;

    MPI_Sendrecv(u + w + 1, columns, MPI_DOUBLE, b->north, 0,
                 u + (rows + 1) * w + 1, columns, MPI_DOUBLE, b->south, 0,
                 b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + rows * w + 1, columns, MPI_DOUBLE, b->south, 1, u + 1,
                 columns, MPI_DOUBLE, b->north, 1, b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + w + 1, 1, b->column, b->west, 2, u + w + columns + 1, 1,
                 b->column, b->east, 2, b->grid, MPI_STATUS_IGNORE);
    MPI_Sendrecv(u + w + columns, 1, b->column, b->east, 3, u + w, 1, b->column,
                 b->west, 3, b->grid, MPI_STATUS_IGNORE);
}

/* One step; returns the largest change of a cell of this rank. */
static double advance(struct block *b)
{
    const size_t w = width(b);
    double largest = 0, *old = b->u;

    exchange(b);
    for (size_t y = 1; y <= b->count[0]; y++) {
        for (size_t x = 1; x <= b->count[1]; x++) {
            const double *u = old + y * w + x;
            const double change = 0.125 * (((u[-(ptrdiff_t)w] + u[w]) +
                                            (u[-1] + u[1])) -
                                           4.0 * u[0]);

            b->next[y * w + x] = u[0] + change;
            largest = change > largest    ? change
                      : -change > largest ? -change
                                          : largest;
        }
    }
    b->u = b->next;
    b->next = old;
    return largest;
}

#endif /* PLATE_H */
