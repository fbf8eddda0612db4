/*
 * logged.c - messages, one after another, in one buffer
 */
#include "logged.h"

#include <repartir.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char logged[1 << 16];

static void keep(rpt_log_level_t level, const char *message, void *user)
{
    size_t n;

    (void)level;
    (void)user;
    pthread_mutex_lock(&lock);
    n = strlen(logged);
    snprintf(logged + n, sizeof logged - n, "%s\n", message);
    pthread_mutex_unlock(&lock);
}

void log_begin(void)
{
    logged[0] = '\0';
    rpt_log_set(keep, NULL);
}

const char *log_end(void)
{
    rpt_log_set(NULL, NULL);
    return logged;
}
