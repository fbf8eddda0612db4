/*
 * make.h - checkpoints for tests, and what is done to them
 *
 * The program of these tests makes some for the tests of the command, too:
 *
 *     test_catalog save DIRECTORY TASK RANKS N MS [MS_BEFORE_CLOSE [files]]
 *     test_catalog forge KIND FOLDER
 */
#ifndef RPT_TESTS_CATALOG_MAKE_H
#define RPT_TESTS_CATALOG_MAKE_H

#include "harness.h"

#include <repartir.h>

#include <stdbool.h>
#include <stdint.h>

enum { ROWS = 4, COLUMNS = 10 };

/* A call that ends well, or says why not. */
#define WORKS(call) works_here((call), #call, __FILE__, __LINE__)
bool works_here(rpt_status_t status, const char *call, const char *file,
                int line);
/* A call that ends with this status, and an error whose text has `words`. */
#define FAILS(wanted, words, call)                                             \
    fails_here((wanted), (words), (call), #call, __FILE__, __LINE__)
bool fails_here(rpt_status_t wanted, const char *words, rpt_status_t status,
                const char *call, const char *file, int line);

/* ---- a folder of the running test ---- */

void folder_begin(void);
void folder_end(void);
/* FOLDER/NAME; until the eighth call after this one. */
const char *in_folder(const char *format, ...) RPT_PRINTF(1, 2);
/* Runs a line of shell in the folder. */
void shell(const char *format, ...) RPT_PRINTF(1, 2);

/* ---- saving ---- */

struct saving {
    const char *directory;
    const char *task;
    int n;                 /* saves */
    unsigned ms, ms_close; /* to wait after each, before closing */
    double added;          /* to the values */
    bool has_more;         /* datasets */
    bool has_files;        /* part/RANK, a line "ITERATION of RANK"; of rank 0
                              also "same", with "stays" */
    void (*between)(void); /* called by rank 0 while it is open */
};
/* Iterations after those that are there; u[i][j] is 1000 times the iteration
 * + 10 i + j.  False: it did not work. */
bool save(int n_ranks, const struct saving *saving);
/* Two ranks, n saves, in FOLDER/ck. */
void save_in_folder(const char *task, int n);

/* ---- looking ---- */

/* Of a path in the folder. */
rpt_catalog_t *catalog_of(const char *path);
/* The checkpoint `which` of FOLDER/ck/TASK, open; both to be closed. */
rpt_stored_t *stored_of(const char *task, const char *which,
                        rpt_catalog_t **catalog_out);
/* Its folder, in the folder of the test: ck/TASK/NAME. */
const char *path_of(const char *task, const char *which);

/* ---- harm ---- */

/* Changes a byte of a file of a checkpoint; negative: from its end. */
void flip(const char *path, const char *name, long at);
/* Does something to state.h5 of a checkpoint and gives it checksums and a
 * manifest that fit.  False: there is no such kind. */
bool forge(const char *kind, const char *folder);
extern const char *const forged_kinds[]; /* ends with NULL */

extern const struct rpt_test looking_tests[], removing_tests[], stored_tests[],
    hostile_tests[], failing_tests[];

#endif /* RPT_TESTS_CATALOG_MAKE_H */
