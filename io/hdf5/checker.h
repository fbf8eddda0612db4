/*
 * checker.h - how repartir-checker is asked, and what it answers
 *
 *   repartir-checker LIBRARY MEMORY_BYTES CPU_SECONDS
 *
 * Descriptors: 0 the request, a file that is read to its end; 1 the answer; 3
 * the file to be opened.  The request is one line for each dataset,
 *
 *   TYPE N_DIMS DIM... OFFSET SLOTS BYTES_OF_NAME NAME
 *
 * in decimal numbers, where SLOTS are 0 or
 *
 *   SLOT_BYTES CHUNK... N_RUNS (SLOTS_OF_RUN OFFSET)...
 *
 * The answer is the number of a status, a space, why, and a newline.  An answer
 * without newline is none.
 */
#ifndef RPT_IO_HDF5_CHECKER_H
#define RPT_IO_HDF5_CHECKER_H

enum {
    RPT_CHECKER_REQUEST = 0,
    RPT_CHECKER_ANSWER = 1,
    RPT_CHECKER_FILE = 3,
    RPT_CHECKER_ANSWER_BYTES = 1024
};

#define RPT_CHECKER_PROGRAM "repartir-checker"

#endif /* RPT_IO_HDF5_CHECKER_H */
