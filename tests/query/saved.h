/*
 * saved.h - checkpoints whose values are formulas, for tests of queries
 *
 * Task heat, saved by 3 ranks at iterations 100, 200 and 300:
 *
 *     u        f64  60 x 40, by rows: iteration * 1e6 + 1000 i + j
 *     flow/w   i32  6 x 9 x 10, by columns: 100 i + 10 j + k
 *     none     f64  0 x 5
 *     gaps     i16  12, of which ranks have 1 to 2, 5 to 6 and 9 to 10: i + 1,
 *              else 0
 *     types/T  4 values of each type T, see saved_types
 *     opaque   3 values of 3 bytes: "abc", "def", "g\0i"
 *     empty    no value at all
 *     pack     a blob: rank r packs r + 1 bytes of value 'A' + r
 *     HOSTILE  f64  2: 1, 2
 *
 * Task big, by 2 ranks at iteration 7:
 *
 *     field    f64  1024 x 1024, by columns: 1024 i + j
 */
#ifndef RPT_TESTS_CATALOG_SAVED_H
#define RPT_TESTS_CATALOG_SAVED_H

#include <repartir.h>

#include <stdbool.h>

#define HOSTILE "x'); DROP TABLE \"checkpoints\"; -- \xc3\xbc \xc2\x9b, %s"

enum { BIG_ROWS = 1024, BIG_COLUMNS = 1024 };

/* A value of a type: what SQL shows of it, as SQLite quotes it. */
struct saved_type {
    const char *name;
    rpt_type_t type;
    const void *values; /* 4 of them */
    const char *shown;  /* "value imag index_" of each, by quote() */
};
/* Ends with a name that is NULL. */
extern const struct saved_type saved_types[];

/* Saves both; folder exists.  False: it did not work, which is said. */
bool saved_make(const char *folder);
/* One more of a task with an array "v" of 5 elements, all of which are the
 * iteration; `keep` stay. */
bool saved_more(const char *folder, const char *task, uint64_t first,
                uint64_t last, const char *keep);

#endif /* RPT_TESTS_CATALOG_SAVED_H */
