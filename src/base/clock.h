/*
 * clock.h - time, in seconds; tests may put their own clock in
 */
#ifndef RPT_BASE_CLOCK_H
#define RPT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic seconds since some moment; for durations and deadlines. */
double rpt__now_s(void);

/* Seconds since 1970; for records that people read. */
double rpt__wall_s(void);

/* Replaces rpt__now_s() (NULL: the real clock again).  For tests. */
void rpt__clock_set(double (*now_s)(void));

/* Turns seconds from now into an absolute CLOCK_MONOTONIC moment. */
struct timespec rpt__deadline_after(double seconds);

#endif /* RPT_BASE_CLOCK_H */
