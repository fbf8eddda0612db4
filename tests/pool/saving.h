/*
 * saving.h - what tests of checkpoints of tasks share (saving.c)
 */
#ifndef RPT_TESTS_POOL_SAVING_H
#define RPT_TESTS_POOL_SAVING_H

#include "world.h"

#define DIRECTORY "pool.backoff_s=1ms pool.checkpoint_dir=@/saved "

/* Entries of a folder below the scratch folder that begin so, without . and
 * ..; -1: there is no such folder. */
int entries(const char *name, const char *start);

/* One job over all ranks, after others: every rank calls set_up (or NULL) to
 * register functions, rank 0 drives with fn.  When it returns the pool is gone
 * on all ranks. */
void next_job(struct world *w, world_fn set_up, world_fn fn);

#endif /* RPT_TESTS_POOL_SAVING_H */
