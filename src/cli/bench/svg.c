/*
 * svg.c - numbers become a plot: a panel for each series
 *
 * Both axes are logarithmic.  Above the time of each side, below it what ours
 * takes of the MPI's, with a line at 1.  Colours follow the reader's scheme,
 * light or dark.  Points say their numbers when the mouse is over them.
 *
 * Pure: numbers in, text out.
 */
#include "cli/bench/bench.h"

#include <math.h>
#include <stdio.h>

enum {
    COLUMNS = 3,
    PANEL_WIDTH = 330,
    PANEL_HEIGHT = 330,
    HEAD_HEIGHT = 60,
    LEFT = 62, /* of the axes in a panel */
    WIDTH = 250,
    TIME_TOP = 34,
    TIME_HEIGHT = 170,
    RATIO_TOP = 224,
    RATIO_HEIGHT = 70
};

static const char *const classes[BENCH_SIDES] = { "mpi", "ours", "plain" };
static const char *const labels[BENCH_SIDES] = { "MPI", "ours",
                                                 "ours, blocking" };

static const char style[] =
    "<style>\n"
    "text{font:12px sans-serif;fill:#222}.title{font-weight:bold}\n"
    ".back{fill:#fff}.grid{stroke:#ddd}\n"
    ".one{stroke:#222;stroke-dasharray:3 3}\n"
    "polyline{fill:none;stroke-width:2}\n"
    "polyline.mpi{stroke:#b45309}circle.mpi{fill:#b45309}\n"
    "polyline.ours{stroke:#1d4ed8}circle.ours{fill:#1d4ed8}\n"
    "polyline.plain{stroke:#15803d}circle.plain{fill:#15803d}\n"
    "@media(prefers-color-scheme:dark){\n"
    "text{fill:#ddd}.back{fill:#15181c}.grid{stroke:#3a3f45}\n"
    ".one{stroke:#ddd}\n"
    "polyline.mpi{stroke:#f59e0b}circle.mpi{fill:#f59e0b}\n"
    "polyline.ours{stroke:#60a5fa}circle.ours{fill:#60a5fa}\n"
    "polyline.plain{stroke:#4ade80}circle.plain{fill:#4ade80}}\n"
    "</style>\n";

/* A logarithmic axis: where a value is between two pixels. */
struct axis {
    double least, most; /* values        */
    double first, last; /* pixels        */
};

static double place(const struct axis *axis, double value)
{
    double share = log(value / axis->least) / log(axis->most / axis->least);

    return axis->first + share * (axis->last - axis->first);
}

/* Of the times, to whole powers of ten. */
static struct axis time_axis(const struct bench_series *series)
{
    struct axis axis = { INFINITY, 0, TIME_TOP + TIME_HEIGHT, TIME_TOP };

    for (int k = 0; k < series->n_points; k++) {
        for (int side = 0; side < series->n_sides; side++) {
            axis.least = fmin(axis.least, series->points[k].seconds[side]);
            axis.most = fmax(axis.most, series->points[k].seconds[side]);
        }
    }
    axis.least = pow(10, floor(log10(axis.least)));
    axis.most = fmax(pow(10, ceil(log10(axis.most))), 10 * axis.least);
    return axis;
}

/* Of the ratios, to whole powers of two; 1 is in it. */
static struct axis ratio_axis(const struct bench_series *series)
{
    struct axis axis = { 0.5, 2, RATIO_TOP + RATIO_HEIGHT, RATIO_TOP };

    for (int k = 0; k < series->n_points; k++) {
        double ratio = bench_ratio(&series->points[k], BENCH_MPI);

        axis.least = fmin(axis.least, exp2(floor(log2(ratio))));
        axis.most = fmax(axis.most, exp2(ceil(log2(ratio))));
    }
    return axis;
}

/* A barrier has one point, which is in the middle. */
static struct axis size_axis(const struct bench_series *series)
{
    double least = (double)series->points[0].bytes;
    double most = (double)series->points[series->n_points - 1].bytes;

    if (series->n_points == 1) {
        least = fmax(least, 1) / 2;
        most = 4 * least;
    }
    return (struct axis){ least, most, LEFT, LEFT + WIDTH };
}

static double place_bytes(const struct axis *axis, size_t bytes)
{
    return place(axis, bytes > 0 ? (double)bytes : 1);
}

/* ---- axes ---- */

static void add_label(struct text *text, double y, const char *label)
{
    text_printf(text,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                "y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%s</text>\n",
                LEFT, LEFT + WIDTH, y, y, LEFT - 6, y + 4, label);
}

static void add_times(struct text *text, const struct axis *axis)
{
    for (double s = axis->least; s < axis->most * 1.01; s *= 10) {
        char label[32];

        if (s < 0.9e-3) {
            snprintf(label, sizeof label, "%g &#181;s", rint(1e7 * s) / 10);
        } else if (s < 0.9) {
            snprintf(label, sizeof label, "%g ms", rint(1e3 * s));
        } else {
            snprintf(label, sizeof label, "%g s", rint(s));
        }
        add_label(text, place(axis, s), label);
    }
}

/* Not more than fit below each other. */
static void add_ratios(struct text *text, const struct axis *axis)
{
    double n = log2(axis->most / axis->least);
    double step = exp2(ceil(n / 4));

    for (double r = axis->least; r < axis->most * 1.01; r *= step) {
        char label[32];

        snprintf(label, sizeof label, r < 1 ? "1/%g" : "%g", r < 1 ? 1 / r : r);
        add_label(text, place(axis, r), label);
    }
    text_printf(text,
                "<line class=\"one\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                "y2=\"%.1f\"/>\n",
                LEFT, LEFT + WIDTH, place(axis, 1), place(axis, 1));
}

static void add_sizes(struct text *text, const struct bench_series *series,
                      const struct axis *axis)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
    size_t last = 0;

    for (int k = 0; k < series->n_points; k++) {
        size_t bytes = series->points[k].bytes, number = bytes;
        int unit = 0;

        if (k > 0 && bytes / last < 64) {
            continue;
        }
        last = bytes;
        for (; number >= 1024 && unit < 3; unit++) {
            number /= 1024;
        }
        text_printf(text,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%zu "
                    "%s</text>\n",
                    place_bytes(axis, bytes), RATIO_TOP + RATIO_HEIGHT + 16,
                    number, units[unit]);
    }
}

/* ---- lines ---- */

/* Points, their numbers, and the line that joins them: the times of a side, or
 * the ratio when side < 0. */
static void add_line(struct text *text, const struct bench_series *series,
                     int side, const struct axis *across, const struct axis *up)
{
    const char *class = classes[side < 0 ? BENCH_OURS : side];

    text_printf(text, "<polyline class=\"%s\" points=\"", class);
    for (int k = 0; k < series->n_points; k++) {
        const struct bench_point *point = &series->points[k];

        text_printf(text, "%s%.1f,%.1f", k > 0 ? " " : "",
                    place_bytes(across, point->bytes),
                    place(up, side < 0 ? bench_ratio(point, BENCH_MPI)
                                       : point->seconds[side]));
    }
    text_string(text, "\"/>\n");
    for (int k = 0; k < series->n_points; k++) {
        const struct bench_point *point = &series->points[k];
        double ratio = bench_ratio(point, BENCH_MPI);

        text_printf(text,
                    "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">"
                    "<title>%zu B: MPI %.2f us, ours %.2f us, ratio "
                    "%.2f</title></circle>\n",
                    class, place_bytes(across, point->bytes),
                    place(up, side < 0 ? ratio : point->seconds[side]),
                    point->bytes, 1e6 * point->seconds[BENCH_MPI],
                    1e6 * point->seconds[BENCH_OURS], ratio);
    }
}

static void add_panel(struct text *text, const struct bench_series *series,
                      int index)
{
    const struct axis across = size_axis(series);
    const struct axis time = time_axis(series), ratio = ratio_axis(series);

    text_printf(text,
                "<g transform=\"translate(%d,%d)\">\n"
                "<text class=\"title\" x=\"%d\" y=\"20\">%s</text>\n",
                index % COLUMNS * PANEL_WIDTH,
                HEAD_HEIGHT + index / COLUMNS * PANEL_HEIGHT, LEFT,
                series->operation);
    add_times(text, &time);
    add_ratios(text, &ratio);
    add_sizes(text, series, &across);
    for (int side = series->n_sides - 1; side >= 0; side--) {
        add_line(text, series, side, &across, &time);
    }
    add_line(text, series, -1, &across, &ratio);
    text_string(text, "</g>\n");
}

/* ---- the file ---- */

/* What is not ours to choose may have any character. */
static void add_escaped(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        if (*string == '<') {
            text_string(text, "&lt;");
        } else if (*string == '&') {
            text_string(text, "&amp;");
        } else if (*string >= ' ' && *string <= '~') {
            text_char(text, *string);
        }
    }
}

static void add_head(struct text *text, const struct bench_machine *machine,
                     int n_sides)
{
    text_printf(text, "<text class=\"title\" x=\"%d\" y=\"22\">", LEFT);
    add_escaped(text, machine->mpi);
    text_printf(text, ": %d rank%s on %d node%s, %s buffers</text>\n",
                machine->n_ranks, machine->n_ranks > 1 ? "s" : "",
                machine->n_nodes, machine->n_nodes > 1 ? "s" : "",
                machine->buffers);
    for (int side = 0; side < n_sides; side++) {
        text_printf(text,
                    "<circle class=\"%s\" cx=\"%d\" cy=\"42\" r=\"4\"/>"
                    "<text x=\"%d\" y=\"46\">%s</text>\n",
                    classes[side], LEFT + 4 + 60 * side, LEFT + 14 + 60 * side,
                    labels[side]);
    }
    text_printf(text,
                "<text x=\"%d\" y=\"46\">above: time; below: MPI / "
                "ours</text>\n",
                LEFT + 60 * n_sides + (n_sides > BENCH_BLOCKING ? 60 : 10));
}

void bench_add_svg(struct text *text, const struct bench_machine *machine,
                   const struct bench_series series[], int n_series)
{
    int n_rows = (n_series + COLUMNS - 1) / COLUMNS;
    int n_columns = n_series < COLUMNS ? n_series : COLUMNS;
    int width = (n_columns > 1 ? n_columns : 2) * PANEL_WIDTH;
    int height = HEAD_HEIGHT + n_rows * PANEL_HEIGHT;

    text_printf(text,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                "height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                width, height, width, height);
    text_string(text, style);
    text_string(text, "<rect class=\"back\" width=\"100%\" "
                      "height=\"100%\"/>\n");
    add_head(text, machine, n_series > 0 ? series[0].n_sides : 0);
    for (int i = 0; i < n_series; i++) {
        add_panel(text, &series[i], i);
    }
    text_string(text, "</svg>\n");
}
