/*
 * repartir/context.h - the context: one instance of the library over some ranks
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_CONTEXT_H
#define REPARTIR_CONTEXT_H

#include <repartir/base.h>
#include <repartir/options.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_context Contexts
 *
 * A context is one instance of the library over a set of ranks.  Contexts
 * over MPI are made by rpt_context_create_mpi() in <repartir/mpi.h>; local
 * ones have threads as ranks and need no MPI.
 *
 * Threads: at MPI_THREAD_MULTIPLE, and in local contexts, any thread may
 * call; below that only the threads that may call MPI.
 *
 * What only tells something of a context (rank, size, node, host, level,
 * order) is not collective, needs no communication and returns at once.
 *
 * \since 0.1
 *
 * \{
 */

/** One instance of the library over some ranks. */
typedef struct rpt_context rpt_context_t;

/** Make \a n_ranks contexts for \a n_ranks threads of this process.
 *
 * Not collective: one thread calls it, then hands contexts_out[r] to the
 * thread that shall be rank r.  Each is released by rpt_context_destroy().
 *
 * \param n_ranks       1 … 4096
 * \param options       NULL for the values of environment and files; stays
 *                      the caller's
 * \param contexts_out  [out] array of \a n_ranks
 * \retval RPT_ERR_VERSION  headers and library do not fit together
 * \retval RPT_ERR_PARSE    an option of the environment or of a file, or a line
 *                          of the rules of option `coll.rules`
 * \retval RPT_ERR_IO       the file that it names cannot be read
 * \retval RPT_ERR_INVALID, RPT_ERR_NOMEM, RPT_ERR_SYSTEM
 * \since 0.1
 */
#define rpt_context_create_local(n_ranks, options, contexts_out)               \
    rpt_context_create_local_v((n_ranks), (options), RPT_VERSION_NUMBER,       \
                               (contexts_out))

/** What rpt_context_create_local() calls, with the version of the headers. */
RPT_API rpt_status_t rpt_context_create_local_v(int n_ranks,
                                                const rpt_options_t *options,
                                                int header_version,
                                                rpt_context_t **contexts_out);

/** What a rank of rpt_local_run() does, in a thread of its own.  The context
 * is released when it returns; a status other than 0 is passed on. */
typedef rpt_status_t (*rpt_local_fn)(rpt_context_t *context, void *user);

/** Run \a fn on \a n_ranks threads, each with its own local context.
 *
 * Not collective.  Blocking.  Contexts are made and destroyed inside.
 * \param n_ranks  1 … 4096
 * \param options  as in rpt_context_create_local()
 * \param user     handed to every \a fn as it is
 * \return the status of the lowest rank whose \a fn did not return 0, or why
 *         contexts or threads could not be made; the last error of that rank
 *         is the caller's then
 * \since 0.1
 */
RPT_API rpt_status_t rpt_local_run(int n_ranks, const rpt_options_t *options,
                                   rpt_local_fn fn, void *user);

/** Release a context.
 *
 * Groups, pools and checkpoints made from it must be gone; while checkpoints
 * are open it stays, which is logged as an error.  A local context: not
 * collective.  One over MPI: collective, before MPI_Finalize; waits for the
 * other ranks up to `comm.internal_deadline_s`.  NULL is ignored.
 * \since 0.1
 */
RPT_API void rpt_context_destroy(rpt_context_t *context);

/** This rank, 0 … size - 1. */
RPT_API int rpt_context_rank(const rpt_context_t *context);

/** Number of ranks. */
RPT_API int rpt_context_size(const rpt_context_t *context);

/** Whether what was started goes on without calls of the library: a thread of
 * it sees to that.
 *
 * Not collective.  1 where all ranks share the memory of one node, or MPI was
 * initialised with MPI_THREAD_MULTIPLE; else 0.
 * \since 0.1
 */
RPT_API int rpt_context_progresses(const rpt_context_t *context);

/** Number of nodes; virtual ones (option `topo.virtual_nodes`) count. */
RPT_API int rpt_context_n_nodes(const rpt_context_t *context);

/** Node of a rank, 0 … n_nodes - 1; -1 for a rank that does not exist. */
RPT_API int rpt_context_node_of(const rpt_context_t *context, int rank);

/** Host name of a rank.  Belongs to the context; NULL for no such rank. */
RPT_API const char *rpt_context_host_of(const rpt_context_t *context, int rank);

/** How close two ranks are: the nearest thing that they share. */
typedef enum rpt_level {
    RPT_LEVEL_PU = 0,      /**< the same hardware thread  */
    RPT_LEVEL_CORE = 1,    /**< a core                    */
    RPT_LEVEL_L3 = 2,      /**< a last-level cache        */
    RPT_LEVEL_NUMA = 3,    /**< a NUMA node               */
    RPT_LEVEL_PACKAGE = 4, /**< a socket                  */
    RPT_LEVEL_NODE = 5,    /**< a node: shared memory     */
    RPT_LEVEL_SYSTEM = 6   /**< nothing but the network   */
} rpt_level_t;

/** Name of a level: "pu", "core", "l3", "numa", "package", "node", "system". */
RPT_API const char *rpt_level_name(rpt_level_t level);

/** Nearest level that two ranks share.
 *
 * \retval RPT_ERR_INVALID  no such rank
 * \since 0.1
 */
RPT_API rpt_status_t rpt_context_level(const rpt_context_t *context, int rank_a,
                                       int rank_b, rpt_level_t *level_out);

/** The other ranks in the order in which \a rank should look for work or
 * partners: nearest first, ranks at the same distance starting after \a rank.
 *
 * \param order_out  [out] array of size - 1 ranks
 * \retval RPT_ERR_INVALID  no such rank
 * \since 0.1
 */
RPT_API rpt_status_t rpt_context_order(const rpt_context_t *context, int rank,
                                       int *order_out);

/** Describe library, machine and ranks as text for a person.
 *
 * Not collective.  What `repartir info` prints.
 * \param text_out  [out] to be released with free()
 * \retval RPT_ERR_NOMEM
 * \since 0.1
 */
RPT_API rpt_status_t rpt_context_describe(const rpt_context_t *context,
                                          char **text_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_CONTEXT_H */
