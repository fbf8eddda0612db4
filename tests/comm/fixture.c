/*
 * fixture.c - ranks as threads, and checks that they may make at once
 */
#include "fixture.h"

#include "harness.h"

#include "base/futex.h"

#include <repartir/options.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;

void check_here(bool good, const char *condition, const char *file, int line)
{
    pthread_mutex_lock(&check_lock);
    CU_assertImplementation(good, (unsigned)line, condition, file, "",
                            CU_FALSE);
    pthread_mutex_unlock(&check_lock);
}

rpt_options_t *options_with(const char *const settings[])
{
    rpt_options_t *options = NULL;

    CHECK(rpt_options_create(&options) == RPT_OK);
    for (int i = 0; settings != NULL && settings[i] != NULL; i += 2) {
        CHECK(rpt_options_set(options, settings[i], settings[i + 1]) == RPT_OK);
    }
    return options;
}

struct thread {
    pthread_t id;
    struct rpt_comm *comm;
    rank_fn fn;
};

static void *run(void *arg)
{
    struct thread *thread = arg;

    thread->fn(thread->comm);
    rpt__comm_destroy(thread->comm);
    return NULL;
}

void on_local_ranks(int n, const char *const settings[], rank_fn fn)
{
    rpt_options_t *options = options_with(settings);
    struct thread *threads = calloc((size_t)n, sizeof *threads);
    struct rpt_comm **comms = calloc((size_t)n, sizeof *comms);
    rpt_status_t status = rpt__comm_create_local(n, options, NULL, comms);

    CHECK(status == RPT_OK);
    rpt_options_destroy(options);
    for (int r = 0; status == RPT_OK && r < n; r++) {
        threads[r].comm = comms[r];
        threads[r].fn = fn;
        pthread_create(&threads[r].id, NULL, run, &threads[r]);
    }
    for (int r = 0; status == RPT_OK && r < n; r++) {
        pthread_join(threads[r].id, NULL);
    }
    free(comms);
    free(threads);
}

void lock(struct rpt_comm *comm)
{
    rpt__engine_lock(rpt__comm_engine(comm));
}

void unlock(struct rpt_comm *comm)
{
    rpt__engine_unlock(rpt__comm_engine(comm));
}

struct rpt_group *world_of(struct rpt_comm *comm)
{
    struct rpt_group *world = NULL;

    lock(comm);
    CHECK(rpt__group_world(comm, &world) == RPT_OK);
    unlock(comm);
    return world;
}

rpt_status_t meet(struct rpt_comm *comm)
{
    struct rpt_group *world = world_of(comm);
    rpt_status_t status;

    lock(comm);
    status = rpt__group_barrier(world);
    unlock(comm);
    return status;
}

void count_up(_Atomic uint32_t *count)
{
    atomic_fetch_add(count, 1);
    rpt__futex_wake(count, 1000);
}

void await(_Atomic uint32_t *count, uint32_t least)
{
    uint32_t now;

    while ((now = atomic_load(count)) < least) {
        rpt__futex_wait(count, now, -1);
    }
}

static _Atomic uint32_t warnings;
static char warning[2048];

static void keep(rpt_log_level_t level, const char *message, void *user)
{
    (void)user;
    if (level == RPT_LOG_WARN) {
        pthread_mutex_lock(&check_lock);
        snprintf(warning, sizeof warning, "%s", message);
        pthread_mutex_unlock(&check_lock);
        count_up(&warnings);
    }
}

void watch_warnings(void)
{
    atomic_store(&warnings, 0);
    warning[0] = '\0';
    rpt_log_set(keep, NULL);
}

int n_warnings(void)
{
    return (int)atomic_load(&warnings);
}

void await_warning(void)
{
    await(&warnings, 1);
}

const char *last_warning(void)
{
    return warning;
}

void stop_watching(void)
{
    rpt_log_set(NULL, NULL);
}
