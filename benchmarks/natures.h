/*
 * natures.h - squares of doubles that are more or less easy to compress
 */
#ifndef RPT_BENCHMARKS_NATURES_H
#define RPT_BENCHMARKS_NATURES_H

#include <stddef.h>

struct nature {
    const char *name;
    void (*fill)(double *field, size_t side); /* side x side of them */
};

/* A map of materials, diffused heat, waves, noise; the last one has no name. */
extern const struct nature natures[];

#endif /* RPT_BENCHMARKS_NATURES_H */
