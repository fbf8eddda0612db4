/*
 * progress.h - how far the job is: a bar on a terminal, a line a minute in a
 * log
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/text.h"

#include <stdbool.h>

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
    bool on;
    bool bar;       /* else lines                       */
    int columns;    /* of the terminal                  */
    double start_s; /* of the job                       */
    double next_s;  /* when to print again              */
    bool shown;     /* a bar stands on the last line    */
};

/* What a job has to tell. */
struct progress_counts {
    size_t total;
    size_t ended; /* resumed ones too */
    size_t resumed;
    size_t failed;
    size_t running;
};

/* `terminal`: standard error is one, so wide. */
void progress_start(struct progress *progress, enum progress_when when,
                    bool terminal, int columns, double now_s);

/* True when it is time to print; then `text` is what to print. */
bool progress_step(struct progress *progress, double now_s,
                   const struct progress_counts *counts, struct text *text);

/* What removes the bar, before something else is printed: "" when there is
 * none. */
const char *progress_erase(struct progress *progress);

/* "3 s", "4 min 05 s", "2 h 07 min", "3 d 04 h". */
void progress_time(struct text *text, double seconds);

#endif /* CLI_PROGRESS_H */
