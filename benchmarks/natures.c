/*
 * natures.c - squares of doubles that are more or less easy to compress
 */
#include "benchmarks/natures.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { STEPS = 200 };

/* A map of materials: 64 x 64 cells of each of 16 values. */
static void fill_structured(double *field, size_t side)
{
    for (size_t i = 0; i < side * side; i++) {
        size_t row = i / side / 64, column = i % side / 64;

        field[i] = 0.1 * (double)((row * 7 + column * 3) % 16);
    }
}

/* A hot square that has diffused for some steps. */
static void fill_heat(double *field, size_t side)
{
    double *next = calloc(side * side, sizeof *next), *from = field;

    if (next == NULL) {
        return;
    }
    for (size_t i = 0; i < side * side; i++) {
        size_t row = i / side, column = i % side;
        bool hot = row >= side / 4 && row < side / 2 && column >= side / 4 &&
                   column < side / 2;

        field[i] = hot ? 100 : 20;
        next[i] = field[i];
    }
    for (int step = 0; step < STEPS; step++) {
        double *swap = from;

        for (size_t row = 1; row + 1 < side; row++) {
            for (size_t i = row * side + 1; i < (row + 1) * side - 1; i++) {
                next[i] = from[i] +
                          0.2 * (from[i - 1] + from[i + 1] + from[i - side] +
                                 from[i + side] - 4 * from[i]);
            }
        }
        from = next;
        next = swap;
    }
    free(from == field ? next : from); /* STEPS are even: it is in field */
}

/* Waves. */
static void fill_smooth(double *field, size_t side)
{
    for (size_t i = 0; i < side * side; i++) {
        double x = (double)(i % side) / (double)side,
               y = (double)(i / side) / (double)side;

        field[i] = sin(9 * x) * cos(7 * y) + 0.3 * sin(31 * (x + y));
    }
}

/* Uniform in [0, 1). */
static void fill_noise(double *field, size_t side)
{
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < side * side; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        field[i] = (double)(x >> 11) / 9007199254740992.0;
    }
}

const struct nature natures[] = { { "structured", fill_structured },
                                  { "heat", fill_heat },
                                  { "smooth", fill_smooth },
                                  { "noise", fill_noise },
                                  { NULL, NULL } };
