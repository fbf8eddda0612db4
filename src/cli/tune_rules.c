/*
 * tune_rules.c - times of algorithms become a choice, a table and rules
 *
 * Pure: numbers in, text out.
 */
#include "cli/tune.h"

#include <math.h>
#include <string.h>

/* From here on ranks look whether they can read each other's buffers: see
 * repartir/buffer.h. */
enum { SHARED_FROM = 32 * 1024 };

/* Another algorithm must be so much faster, or the one of the smaller size is
 * kept: a rule less is worth more than what may be noise. */
#define CLEARLY 1.05

bool tune_has_blocks(rpt_coll_kind_t kind)
{
    return kind == RPT_COLL_ALLGATHER || kind == RPT_COLL_GATHER ||
           kind == RPT_COLL_SCATTER || kind == RPT_COLL_REDUCE_SCATTER ||
           kind == RPT_COLL_ALLTOALL;
}

int tune_reader(rpt_coll_kind_t kind)
{
    const char *name;

    for (int i = 0; (name = rpt_coll_algorithm(kind, i)) != NULL; i++) {
        if (strcmp(name, "pulled") == 0) {
            return i;
        }
    }
    return -1;
}

void tune_sizes(struct tune_series *series, struct tune_layout layout,
                size_t max_bytes)
{
    size_t n_blocks = tune_has_blocks(series->kind) ? (size_t)layout.n_ranks
                                                    : 1;
    size_t most = max_bytes / n_blocks;
    size_t bytes = series->kind == RPT_COLL_BARRIER ? 0 : sizeof(float);

    series->n_points = 0;
    do {
        if (!series->shared || bytes * n_blocks >= SHARED_FROM) {
            series->points[series->n_points++].bytes = bytes;
        }
        bytes *= 4;
    } while (bytes > 0 && bytes <= most && series->n_points < MOST_SIZES);
}

/* ---- choice ---- */

static int fastest(const struct tune_series *series,
                   const struct tune_point *point)
{
    int best = -1;

    for (int i = 0; i < series->n_algorithms; i++) {
        if (point->seconds[i] >= 0 &&
            (best < 0 || point->seconds[i] < point->seconds[best])) {
            best = i;
        }
    }
    return best;
}

void tune_choose(struct tune_series *series)
{
    int before = -1;

    for (int k = 0; k < series->n_points; k++) {
        struct tune_point *point = &series->points[k];

        point->best = fastest(series, point);
        if (before >= 0 && point->best >= 0 && point->seconds[before] >= 0 &&
            point->seconds[before] < CLEARLY * point->seconds[point->best]) {
            point->best = before;
        }
        before = point->best;
    }
}

/* ---- for people ---- */

/* Whether there is anything to say of an algorithm. */
static bool is_shown(const struct tune_series *series, int algorithm)
{
    bool is_shown = false;

    for (int k = 0; k < series->n_points; k++) {
        is_shown |= series->points[k].seconds[algorithm] >= 0;
    }
    return is_shown;
}

static void add_point(struct text *text, const struct tune_series *series,
                      const struct tune_point *point)
{
    text_printf(text, "%12zu", point->bytes);
    for (int i = 0; i < series->n_algorithms; i++) {
        if (!is_shown(series, i)) {
            continue;
        }
        if (point->seconds[i] >= 0) {
            text_printf(text, " %c%13.2f", i == point->best ? '*' : ' ',
                        1e6 * point->seconds[i]);
        } else {
            text_printf(text, " %14s", "-");
        }
    }
    text_char(text, '\n');
}

void tune_table(struct text *text, const struct tune_series *series,
                struct tune_layout layout)
{
    text_printf(text, "%s, %d ranks on %d node%s,%s microseconds\n",
                rpt_coll_name(series->kind), layout.n_ranks, layout.n_nodes,
                layout.n_nodes > 1 ? "s" : "",
                series->shared ? " buffers that all can read," : "");
    text_printf(text, "%12s",
                tune_has_blocks(series->kind) ? "block bytes" : "bytes");
    for (int i = 0; i < series->n_algorithms; i++) {
        if (is_shown(series, i)) {
            text_printf(text, " %14s", rpt_coll_algorithm(series->kind, i));
        }
    }
    text_char(text, '\n');
    for (int k = 0; k < series->n_points; k++) {
        add_point(text, series, &series->points[k]);
    }
    text_char(text, '\n');
}

/* ---- for the library ---- */

static bool is_obeyed(const struct tune_series *series, int algorithm)
{
    return algorithm >= 0 &&
           (!series->shared || algorithm == tune_reader(series->kind));
}

/* Half-way, as sizes go, to the next point. */
static size_t last_of(const struct tune_series *series, int k)
{
    return (size_t)sqrt((double)series->points[k].bytes *
                        (double)series->points[k + 1].bytes);
}

static void add_rule(struct text *text, const struct tune_series *series,
                     int first, int last)
{
    const char *name = rpt_coll_algorithm(series->kind,
                                          series->points[last].best);
    size_t from = first > 0 ? last_of(series, first - 1) + 1 : 0;

    if (last + 1 < series->n_points) {
        text_printf(text, " bytes=%zu-%zu", from, last_of(series, last));
    } else if (first > 0) {
        text_printf(text, " bytes=%zu-", from);
    }
    text_printf(text, " -> %s%s\n", name,
                series->shared ? "  # where all can read the buffers" : "");
}

void tune_rules(struct text *text, const struct tune_series *series,
                struct tune_layout layout)
{
    int first = 0;

    for (int k = 0; k < series->n_points; k++) {
        if (k + 1 < series->n_points &&
            series->points[k + 1].best == series->points[k].best) {
            continue;
        }
        if (is_obeyed(series, series->points[k].best)) {
            text_printf(text, "%s ranks=%d nodes=%d",
                        rpt_coll_name(series->kind), layout.n_ranks,
                        layout.n_nodes);
            add_rule(text, series, first, k);
        }
        first = k + 1;
    }
}
