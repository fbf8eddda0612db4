/*
 * thread.h - threads of the library, and what they wait for
 */
#ifndef RPT_BASE_THREAD_H
#define RPT_BASE_THREAD_H

#include <pthread.h>

/* A thread in which no signal is handled: these are the program's business.
 * 0, or an errno. */
int rpt__thread_start(pthread_t *thread_out, void *(*fn)(void *),
                      void *argument);

/* One whose deadlines are those of rpt__deadline_after(). */
void rpt__cond_init(pthread_cond_t *cond);

#endif /* RPT_BASE_THREAD_H */
