/*
 * report.c - numbers become a table, CSV and JSON
 *
 * Pure: numbers in, text out.  Times are in microseconds.
 */
#include "cli/bench/bench.h"

#include <math.h>
#include <string.h>

/* Where latency does not count, a bound by rates says something. */
enum { BOUND_BYTES = 1 << 20 };

static const char *const names[BENCH_SIDES] = { "mpi", "ours", "blocking" };

double bench_ratio(const struct bench_point *point, int side)
{
    return point->seconds[side] / point->seconds[BENCH_OURS];
}

/* ---- for people ---- */

void bench_add_head(struct text *text, const struct bench_machine *machine)
{
    text_printf(text,
                "%s, %d rank%s on %d node%s, f32, %s buffers\n"
                "each copies %.1f GB/s when all do",
                machine->mpi, machine->n_ranks, machine->n_ranks > 1 ? "s" : "",
                machine->n_nodes, machine->n_nodes > 1 ? "s" : "",
                machine->buffers, machine->copy_rate / 1e9);
    if (machine->pull_rate > 0 && machine->n_ranks > 1) {
        text_printf(text, ", and reads %.1f GB/s from another",
                    machine->pull_rate / 1e9);
    }
    text_string(text, "\n\n");
}

/* What is said of a series beside its operation. */
static const char *title_of(const struct bench_series *series)
{
    return strcmp(series->row, "plan") == 0
               ? " as a plan; MPI: persistent; blocking: our plain call"
           : strcmp(series->row, "group") == 0
               ? ", the first on a new group; MPI: a new communicator"
               : "";
}

void bench_add_columns(struct text *text, const struct bench_series *series)
{
    text_printf(text, "%s%s\n%12s %12s %12s %8s", series->operation,
                title_of(series), "bytes", "MPI us", "ours us", "ratio");
    if (series->n_sides > BENCH_BLOCKING) {
        text_printf(text, " %12s %8s", "blocking us", "ratio");
    }
    text_char(text, '\n');
}

void bench_add_point(struct text *text, const struct bench_series *series,
                     const struct bench_point *point)
{
    const double *seconds = point->seconds;

    text_printf(text, "%12zu %12.2f %12.2f %8.2f", point->bytes,
                1e6 * seconds[BENCH_MPI], 1e6 * seconds[BENCH_OURS],
                bench_ratio(point, BENCH_MPI));
    if (series->n_sides > BENCH_BLOCKING) {
        text_printf(text, " %12.2f %8.2f", 1e6 * seconds[BENCH_BLOCKING],
                    bench_ratio(point, BENCH_BLOCKING));
    }
    if (point->bound_s > 0 && point->bytes >= BOUND_BYTES) {
        text_printf(text, "  %.2f of the bound",
                    point->bound_s / seconds[BENCH_OURS]);
    }
    if (point->ring_rate > 0) {
        text_printf(text, ", a ring sends %.1f MB/s", point->ring_rate / 1e6);
    }
    text_char(text, '\n');
}

static void add_ratios(struct text *text, const struct bench_series *series,
                       int side)
{
    double logs = 0, least = INFINITY;

    for (int k = 0; k < series->n_points; k++) {
        double ratio = bench_ratio(&series->points[k], side);

        logs += log(ratio);
        least = fmin(least, ratio);
    }
    text_printf(text, "%s / ours: geometric mean %.2f, least %.2f\n",
                side == BENCH_MPI ? "MPI" : names[side],
                exp(logs / series->n_points), least);
}

void bench_add_summary(struct text *text, const struct bench_series *series)
{
    for (int side = 0; side < series->n_sides; side++) {
        if (side != BENCH_OURS) {
            add_ratios(text, series, side);
        }
    }
    text_char(text, '\n');
}

/* ---- for programs ---- */

void bench_add_csv_head(struct text *text)
{
    text_string(text, "row,operation,ranks,nodes,buffers,bytes,mpi_us,ours_us,"
                      "blocking_us,bound_us\n");
}

static void add_us(struct text *text, double seconds)
{
    if (seconds > 0) {
        text_printf(text, ",%.3f", 1e6 * seconds);
    } else {
        text_char(text, ',');
    }
}

void bench_add_csv(struct text *text, const struct bench_machine *machine,
                   const struct bench_series *series,
                   const struct bench_point *point)
{
    text_printf(text, "%s,%s,%d,%d,%s,%zu", series->row, series->operation,
                machine->n_ranks, machine->n_nodes, machine->buffers,
                point->bytes);
    for (int side = 0; side < BENCH_SIDES; side++) {
        add_us(text, side < series->n_sides ? point->seconds[side] : 0);
    }
    add_us(text, point->bound_s);
    text_char(text, '\n');
}

void bench_add_json(struct text *text, const struct bench_machine *machine,
                    const struct bench_series *series,
                    const struct bench_point *point)
{
    text_printf(text,
                "{\"row\":\"%s\",\"operation\":\"%s\",\"ranks\":%d,"
                "\"nodes\":%d,\"buffers\":\"%s\",\"bytes\":%zu",
                series->row, series->operation, machine->n_ranks,
                machine->n_nodes, machine->buffers, point->bytes);
    for (int side = 0; side < series->n_sides; side++) {
        text_printf(text, ",\"%s_us\":%.3f", names[side],
                    1e6 * point->seconds[side]);
    }
    if (point->bound_s > 0) {
        text_printf(text, ",\"bound_us\":%.3f", 1e6 * point->bound_s);
    }
    if (point->ring_rate > 0) {
        text_printf(text, ",\"ring_bytes_per_s\":%.0f", point->ring_rate);
    }
    text_printf(text,
                ",\"copy_bytes_per_s\":%.0f,\"pull_bytes_per_s\":%.0f,"
                "\"mpi\":",
                machine->copy_rate, machine->pull_rate);
    text_json(text, machine->mpi, strlen(machine->mpi));
    text_string(text, "}\n");
}
