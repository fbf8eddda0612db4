/*
 * thread.c - threads of the library, and what they wait for
 */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

int rpt__thread_start(pthread_t *thread_out, void *(*fn)(void *),
                      void *argument)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread_out, NULL, fn, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void rpt__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
