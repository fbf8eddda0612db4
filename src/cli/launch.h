/*
 * launch.h - how this process becomes a rank
 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "cli/fault.h"

#include <repartir/context.h>

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    bool mpi; /* an MPI launcher started us */
    int rank;
    int size;
};

/* An MPI launcher started this process (by the environment it sets). */
bool launch_is_mpi(void);
/* The rank as the environment has it, before MPI_Init; 0 when it says none. */
int launch_env_rank(void);

/* Initialises MPI when an MPI launcher started us, and watches that launcher;
 * without one makes no MPI call, ever.  Ends the program when the launcher is
 * that of another MPI. */
void launch_begin(struct launch *launch);

/* The same for measuring: MPI begins as MPI_Init has it, without threads, which
 * is what most programs do; and in any case, without a launcher as one rank. */
void launch_begin_single(struct launch *launch);

/* A signal of this process means that it is killed in a second: it is our
 * launcher, and one of Open MPI. */
bool launch_kills_soon(pid_t sender);

/* Collective: the exit code that all ranks end with: rank 0's, or, when that
 * is 0, the largest of the others'.  *first_out, if not NULL: rank 0's. */
int launch_agree(const struct launch *launch, int code, int *first_out);

/* Collective: all ranks get the fault of the first rank that has one, and its
 * code: CODE_OK when none has. */
int launch_agree_fault(const struct launch *launch, struct fault *fault);

/* Collective: a context over all ranks. */
int launch_context(const struct launch *launch, const rpt_options_t *options,
                   rpt_context_t **context_out, struct fault *fault);

/* Collective: ends MPI; gives the code that launch_agree() gives. */
int launch_end(const struct launch *launch, int code);

/* For a mistake before launch_begin(): lets rank 0 speak, then ends together.
 * Gives `code`. */
int launch_give_up(int code);

/* "Open MPI v4.1.4, …" to be released with free(). */
char *launch_mpi_version(void);

#endif /* CLI_LAUNCH_H */
