/*
 * shown.h - statements and what they show, for tests of queries
 */
#ifndef RPT_TESTS_QUERY_SHOWN_H
#define RPT_TESTS_QUERY_SHOWN_H

#include "harness.h"
#include "saved.h"

/* A folder with the checkpoints of saved.h, made once; not to be changed. */
const char *saved_folder(void);
/* An empty folder of its own, and the end of it. */
const char *scratch_make(void);
void scratch_remove(const char *folder);
/* DIR/TASK/NAME of the n-th newest committed checkpoint; valid until the next
 * call. */
const char *committed_path(const char *folder, const char *task, int n);

rpt_view_t *open_with(const char *folder, const char *option,
                      const char *value);
/* A catalog of saved_folder(). */
rpt_view_t *open_saved(void);

/* All rows of a statement, as SQLite's quote() would show them: blanks between
 * columns, ';' after each row; "RPT_ERR_...: what" when it fails.  The
 * parameters are texts.  To be freed. */
char *shown(rpt_view_t *catalog, const char *sql, int n, ...);
/* That it shows this. */
#define SHOWS(catalog, sql, text)                                              \
    shows_here((catalog), (sql), (text), __FILE__, __LINE__)
void shows_here(rpt_view_t *catalog, const char *sql, const char *text,
                const char *file, int line);
/* That it ends so, now or later, with these words in its error. */
#define FAILS(catalog, sql, status, words)                                     \
    fails_here((catalog), (sql), (status), (words), __FILE__, __LINE__)
void fails_here(rpt_view_t *catalog, const char *sql, rpt_status_t status,
                const char *words, const char *file, int line);
/* A whole number that it gives. */
int64_t number_of(rpt_view_t *catalog, const char *sql);

/* The first ones must come before anything else. */
extern const struct rpt_test opening_tests[], array_tests[], changing_tests[],
    refusing_tests[], table_tests[];

#endif /* RPT_TESTS_QUERY_SHOWN_H */
