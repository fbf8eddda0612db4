/*
 * world_priv.h - what the two kinds of world share with world.c
 */
#ifndef RPT_TESTS_POOL_WORLD_PRIV_H
#define RPT_TESTS_POOL_WORLD_PRIV_H

#include "world.h"

/* Every table, with those tests that `size` ranks suffice for; released with
 * free(). */
struct rpt_test *all_tests(int size);

/* Memory for the board as a file that processes can share; NULL. */
struct board *board_make(int *fd_out);
struct board *board_open(const char *path);

/* The first rank of those that share a board wipes it. */
void world_begins(int size, bool first);
void world_ends(void);

#endif /* RPT_TESTS_POOL_WORLD_PRIV_H */
