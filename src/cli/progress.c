/*
 * progress.c - a bar with rate and time to go, or a line a minute
 *
 *   repartir:  62% [###########.......]  620/1000  41.3/s  9 s to go  2 failed
 *
 * The rate counts what this job ran, not what it resumed.  Pure: the caller
 * reads the clock and prints.
 */
#include "cli/progress.h"

#include <string.h>

#define BAR_STEP_S 0.25
#define LINE_STEP_S 60.0
enum { BAR_CELLS = 24, MOST_COLUMNS = 400 };

void progress_start(struct progress *progress, enum progress_when when,
                    bool terminal, int columns, double now_s)
{
    progress->on = when != PROGRESS_NEVER;
    progress->bar = terminal || when == PROGRESS_ALWAYS;
    progress->columns = columns > 20 && columns < MOST_COLUMNS ? columns : 80;
    progress->start_s = now_s;
    progress->next_s = now_s + (progress->bar ? BAR_STEP_S : LINE_STEP_S);
    progress->shown = false;
}

void progress_time(struct text *text, double seconds)
{
    unsigned long long s = seconds > 0 && seconds < 1e12
                               ? (unsigned long long)(seconds + 0.5)
                               : 0;

    if (s < 60) {
        text_printf(text, "%llu s", s);
    } else if (s < 3600) {
        text_printf(text, "%llu min %02llu s", s / 60, s % 60);
    } else if (s < 86400) {
        text_printf(text, "%llu h %02llu min", s / 3600, s / 60 % 60);
    } else {
        text_printf(text, "%llu d %02llu h", s / 86400, s / 3600 % 24);
    }
}

static void add_bar(struct text *text, const struct progress_counts *c)
{
    size_t cells = c->total > 0 ? (size_t)((double)c->ended / (double)c->total *
                                           BAR_CELLS)
                                : 0;

    text_char(text, '[');
    for (size_t i = 0; i < BAR_CELLS; i++) {
        text_char(text, i < cells ? '#' : '.');
    }
    text_string(text, "] ");
}

static void add_numbers(struct text *text, const struct progress *progress,
                        double now_s, const struct progress_counts *c)
{
    double run_s = now_s - progress->start_s;
    double rate = run_s > 0 ? (double)(c->ended - c->resumed) / run_s : 0;

    text_printf(text, " %zu/%zu  %.1f/s", c->ended, c->total, rate);
    if (rate > 0 && c->ended < c->total) {
        text_string(text, "  ");
        progress_time(text, (double)(c->total - c->ended) / rate);
        text_string(text, " to go");
    }
    if (c->running > 0) {
        text_printf(text, "  %zu running", c->running);
    }
    if (c->failed > 0) {
        text_printf(text, "  %zu failed", c->failed);
    }
}

bool progress_step(struct progress *progress, double now_s,
                   const struct progress_counts *counts, struct text *text)
{
    size_t start = text->bytes;

    if (!progress->on || now_s < progress->next_s) {
        return false;
    }
    progress->next_s = now_s + (progress->bar ? BAR_STEP_S : LINE_STEP_S);
    text_string(text, progress->bar ? "\rrepartir: " : "repartir: ");
    if (counts->total > 0) {
        text_printf(text, "%3.0f%% ",
                    100.0 * (double)counts->ended / (double)counts->total);
    }
    if (progress->bar) {
        add_bar(text, counts);
    }
    add_numbers(text, progress, now_s, counts);
    if (!progress->bar) {
        text_char(text, '\n');
        return true;
    }
    /* Never wraps: a wrapped line cannot be taken back. */
    if (text->bytes - start > (size_t)progress->columns) {
        text->bytes = start + (size_t)progress->columns;
        text->data[text->bytes] = '\0';
    }
    text_string(text, "\033[K");
    progress->shown = true;
    return true;
}

const char *progress_erase(struct progress *progress)
{
    bool shown = progress->shown;

    progress->shown = false;
    return shown ? "\r\033[K" : "";
}
