/*
 * fault.h - what went wrong, in words for a person, and the exit code
 *
 * The function that finds a fault fills the record and returns its code; the
 * callers pass the code on; main() prints the record once.
 */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <repartir/base.h>

#include <stdbool.h>
#include <stddef.h>

/* Exit codes: part of the interface (see doc/man/repartir-run.1). */
enum {
    CODE_OK = 0,
    CODE_FAILED = 1,    /* some tasks did not succeed               */
    CODE_USAGE = 64,    /* the command line makes no sense          */
    CODE_INPUT = 65,    /* bad input                                */
    CODE_SOFTWARE = 70, /* MPI or the library failed                */
    CODE_BUSY = 73,     /* another job uses the state directory     */
    CODE_IO = 74,       /* a file could not be written              */
    CODE_RESUMABLE = 75 /* interrupted; the same command resumes    */
};

struct fault {
    int code; /* 0: nothing happened */
    char what[1200];
    char why[1200];
    char hint[400];
};

/* Records a fault and returns `code`. */
int fault_set(struct fault *fault, int code, const char *what, ...)
    RPT_PRINTF(3, 4);
void fault_why(struct fault *fault, const char *why, ...) RPT_PRINTF(2, 3);
void fault_hint(struct fault *fault, const char *hint, ...) RPT_PRINTF(2, 3);

/* Records the library's last error and returns the code that fits. */
int fault_library(struct fault *fault);

/* Prints the record to standard error: what, and below it why and do. */
void fault_print(const struct fault *fault);

/* Prints "repartir: …" and a line end to standard error. */
void say(const char *format, ...) RPT_PRINTF(1, 2);

/* On ranks other than 0: say() and fault_print() print nothing. */
void say_quiet(bool quiet);

/* The known word at the smallest edit distance; NULL when none is near. */
const char *nearest_word(const char *word, const char *const known[], size_t n);

#endif /* CLI_FAULT_H */
