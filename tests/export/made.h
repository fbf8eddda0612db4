/*
 * made.h - a checkpoint whose values are formulas, which read.py says once more
 */
#ifndef RPT_TESTS_EXPORT_MADE_H
#define RPT_TESTS_EXPORT_MADE_H

#include "world.h"

#include <repartir/export.h>

/* All types, 1 to 8 dimensions, an empty array, one with gaps, values, blobs:
 * collective; w->folder/TASK has it then. */
void make_checkpoint(struct world *w, const char *task, uint64_t iteration);

/* Whether this build writes Parquet; else skips the test. */
bool has_parquet(void);

/* Options with the library of this build, and settings as for on_all(). */
const char *with_library(const char *settings);

/* A config with the defaults, to OUT, which is copied; until the eighth call
 * after this one. */
rpt_export_config_t config_to(const char *output);

/* Runs read.py CHECK ARGUMENTS..., on one rank; ends with NULL.  Skips the test
 * where a module is missing. */
void read_by(const char *check, const char *argument, ...);

/* Whether there is such a file, below the folder of the world. */
bool is_there(const struct world *w, const char *name);
/* How many names in the folder of the world begin so. */
int count_in(const struct world *w, const char *start);

#endif /* RPT_TESTS_EXPORT_MADE_H */
