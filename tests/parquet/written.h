/*
 * written.h - files that tests write, and Python that reads them
 */
#ifndef RPT_TESTS_PARQUET_WRITTEN_H
#define RPT_TESTS_PARQUET_WRITTEN_H

#include "harness.h"
#include "io/parquet/parquet.h"

/* Whether this build has librepartir-parquet; skips the test if not. */
bool has_library(void);

/* The folder of this process's files, and a path in it, good until the fourth
 * call after. */
const char *scratch(void);
const char *in_scratch(const char *name);

bool exists(const char *path);
/* A file that is this text. */
void put(const char *path, const char *text);
bool holds(const char *path, const char *text);

/* Whether the last error says so. */
bool says(const char *what);

/* A writer with the library of the build tree. */
rpt_status_t open_file(const char *path,
                       const struct rpt_parquet_schema *schema,
                       const struct rpt_parquet_settings *settings,
                       struct rpt_parquet **writer_out);

/* The same with one column of f64, x, for tests of the file around it. */
rpt_status_t open_numbers(const char *path,
                          const struct rpt_parquet_settings *settings,
                          struct rpt_parquet **writer_out);
rpt_status_t append_numbers(struct rpt_parquet *writer, const double *values,
                            int64_t n);

/* Runs a check of tests/parquet/read.py, and asserts that it passes; skips the
 * test where a reader is missing. */
void python(const char *check, const char *path, const char *arguments);

/* A file of rows 0 to n - 1 of every kind of column, in batches of different
 * sizes: read.py has the same formulas. */
void write_every_kind(const char *path, int64_t n_rows,
                      const struct rpt_parquet_settings *settings);

extern const struct rpt_test disk_tests[], error_tests[], keepbits_tests[],
    kind_tests[], whole_tests[];

#endif /* RPT_TESTS_PARQUET_WRITTEN_H */
