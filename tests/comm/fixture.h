/*
 * fixture.h - ranks as threads, and checks that they may make at once
 */
#ifndef RPT_TESTS_COMM_FIXTURE_H
#define RPT_TESTS_COMM_FIXTURE_H

#include "comm/comm.h"
#include "comm/group_priv.h"

#include <stdbool.h>
#include <stdint.h>

/* What a rank does in a test; without the lock. */
typedef void (*rank_fn)(struct rpt_comm *comm);

/* Runs fn on n threads with a local context; `settings` is a list of option
 * names and values that ends with NULL, or NULL. */
void on_local_ranks(int n, const char *const settings[], rank_fn fn);

/* As CU_ASSERT, from any thread. */
#define CHECK(condition) check_here((condition), #condition, __FILE__, __LINE__)
void check_here(bool good, const char *condition, const char *file, int line);

/* Options with these settings. */
rpt_options_t *options_with(const char *const settings[]);

/* Take the lock, act, release it. */
void lock(struct rpt_comm *comm);
void unlock(struct rpt_comm *comm);
struct rpt_group *world_of(struct rpt_comm *comm);
/* Barrier of the world; the status. */
rpt_status_t meet(struct rpt_comm *comm);

/* A number that threads wait for. */
void count_up(_Atomic uint32_t *count);
void await(_Atomic uint32_t *count, uint32_t least);

/* Counts log messages of level warning and keeps the last one. */
void watch_warnings(void);
int n_warnings(void);
void await_warning(void);
const char *last_warning(void);
void stop_watching(void);

#endif /* RPT_TESTS_COMM_FIXTURE_H */
