/*
 * futex.c - the two Linux calls behind futex.h
 */
#include "base/futex.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void rpt__futex_wait(_Atomic uint32_t *word, uint32_t seen, double timeout_s)
{
    struct timespec limit = { 0, 0 };

    if (timeout_s >= 0) {
        double whole = timeout_s < 1e6 ? timeout_s : 1e6;

        limit.tv_sec = (time_t)whole;
        limit.tv_nsec = (long)(1e9 * (whole - (double)limit.tv_sec));
    }
    syscall(SYS_futex, word, FUTEX_WAIT, seen, timeout_s >= 0 ? &limit : NULL,
            NULL, 0);
}

void rpt__futex_wake(_Atomic uint32_t *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}
