/*
 * clock.c - the real clock, and the door for a fake one
 */
#include "base/clock.h"

#include <stddef.h>

static double (*fake_now_s)(void);

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double rpt__now_s(void)
{
    return fake_now_s != NULL ? fake_now_s() : seconds_of(CLOCK_MONOTONIC);
}

double rpt__wall_s(void)
{
    return seconds_of(CLOCK_REALTIME);
}

void rpt__clock_set(double (*now_s)(void))
{
    fake_now_s = now_s;
}

struct timespec rpt__deadline_after(double seconds)
{
    struct timespec t;
    double whole = seconds < 1e9 ? seconds : 1e9;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (whole > 0) {
        long ns = t.tv_nsec +
                  (long)(1e9 * (whole - (double)(time_t)whole));

        t.tv_sec += (time_t)whole + ns / 1000000000L;
        t.tv_nsec = ns % 1000000000L;
    }
    return t;
}
