/*
 * encodings.c - values of several natures are written in the way that is best
 *
 * read.py has the same formulas, and writes the same again in each way.
 */
#include "tables.h"

#include <repartir/types.h>

#include <math.h>
#include <stdlib.h>

enum { N = 240000, GROUP_ROWS = 30000, N_NATURES = 7 };

/* As good as random. */
static uint64_t mix(uint64_t i)
{
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

static double constant(uint64_t i)
{
    (void)i;
    return 1.5;
}

static double few(uint64_t i)
{
    return 0.1 * (double)(mix(i / 16) % 16);
}

static double smooth(uint64_t i)
{
    return sqrt((double)i);
}

static double noise(uint64_t i)
{
    return (double)(mix(i) >> 11) * 0x1p-53;
}

static double mixed(uint64_t i)
{
    return i < N / 2 ? few(i) : noise(i);
}

static int64_t sorted(uint64_t i)
{
    return (int64_t)(i * i);
}

static int64_t random_(uint64_t i)
{
    return (int64_t)(mix(i) >> 1);
}

static const struct nature {
    const char *name;
    double (*real)(uint64_t i);
    int64_t (*integer)(uint64_t i);
} natures[N_NATURES] = {
    { "constant", constant, NULL }, { "few", few, NULL },
    { "smooth", smooth, NULL },     { "noise", noise, NULL },
    { "mixed", mixed, NULL },       { "sorted", NULL, sorted },
    { "random", NULL, random_ }
};

static void *fill(const struct nature *nature, uint64_t from, uint64_t n)
{
    double *reals = malloc(n * sizeof *reals + 1);
    int64_t *integers = (int64_t *)(void *)reals;

    for (uint64_t i = 0; reals != NULL && i < n; i++) {
        if (nature->real != NULL) {
            reals[i] = nature->real(from + i);
        } else {
            integers[i] = nature->integer(from + i);
        }
    }
    return reals;
}

static void save(struct world *w)
{
    uint64_t rank = (uint64_t)w->rank, size = (uint64_t)w->size;
    uint64_t from = N * rank / size, n = N * (rank + 1) / size - from;
    rpt_checkpoint_t *c = NULL;
    void *memory[N_NATURES];

    if (!WORKS(rpt_checkpoint_open(w->group, w->folder, "t", NULL, &c))) {
        return;
    }
    for (int i = 0; i < N_NATURES; i++) {
        rpt_checkpoint_array_t a = { .size = sizeof a,
                                     .name = natures[i].name,
                                     .type = natures[i].real != NULL
                                                 ? RPT_TYPE_F64
                                                 : RPT_TYPE_I64,
                                     .n_dims = 1,
                                     .dims = { N },
                                     .start = { from },
                                     .count = { n } };

        a.data = memory[i] = fill(&natures[i], from, n);
        WORKS(rpt_checkpoint_add_array(c, &a));
    }
    WORKS(rpt_checkpoint_save(c, 1));
    rpt_checkpoint_close(c);
    for (int i = 0; i < N_NATURES; i++) {
        free(memory[i]);
    }
}

static void export_natures(struct world *w)
{
    rpt_export_config_t config = config_to(path_of(w, "out", NULL));

    save(w);
    config.group_rows = GROUP_ROWS;
    WORKS(rpt_checkpoint_export(w->group, w->folder, "t", &config, NULL));
    config = config_to(path_of(w, "again", NULL));
    config.group_rows = GROUP_ROWS;
    WORKS(rpt_checkpoint_export(w->group, w->folder, "t", &config, NULL));
    config = config_to(path_of(w, "rounded", NULL));
    config.group_rows = GROUP_ROWS;
    config.keepbits = 2;
    WORKS(rpt_checkpoint_export(w->group, w->folder, "t", &config, NULL));
    if (w->rank == 0) {
        read_by("natures", path_of(w, "out", NULL), "+", "same_files",
                path_of(w, "out", NULL), path_of(w, "again", NULL), "+",
                "rounded_natures", path_of(w, "rounded", NULL), "2", NULL);
    }
    meet(w);
}

static void what_values_are_like_says_how_they_are_encoded(void)
{
    if (has_parquet()) {
        on_all(1, with_library(NULL), export_natures);
    }
}

const struct rpt_test encodings_tests[] = {
    RPT_TEST(what_values_are_like_says_how_they_are_encoded), RPT_TEST_END
};
