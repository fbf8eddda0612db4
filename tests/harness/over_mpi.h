/*
 * over_mpi.h - test programs that are jobs of MPI
 *
 * Between MPI_Init() and MPI_Finalize(), for all ranks of MPI_COMM_WORLD.
 */
#ifndef RPT_TESTS_OVER_MPI_H
#define RPT_TESTS_OVER_MPI_H

#include <repartir/context.h>

/* Whether a flag is set on any rank. */
int rpt_test_any(int flag);

/* Where this rank is; a test passes when it passes on every rank.  Before
 * rpt_test_main(). */
void rpt_test_over_mpi(int *rank_out, int *size_out);

/* A context with the options of the environment; ends the program when there
 * is none. */
rpt_context_t *rpt_test_context(void);

/* A test that is a function on the world, in a file that has with_world(). */
#define WITH_WORLD(name, fn)                                                   \
    static void name(void)                                                     \
    {                                                                          \
        with_world(fn);                                                        \
    }

#endif /* RPT_TESTS_OVER_MPI_H */
