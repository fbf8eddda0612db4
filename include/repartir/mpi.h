/*
 * repartir/mpi.h - contexts and groups over MPI communicators
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_MPI_H
#define REPARTIR_MPI_H

#include <repartir/base.h>
#include <repartir/context.h>
#include <repartir/group.h>
#include <repartir/pool.h>

#include <mpi.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_mpi Interface to MPI
 *
 * The only header that needs <mpi.h>: of the MPI that the library was built
 * with.
 *
 * \since 0.1
 *
 * \{
 */

/** Make a context over a communicator.
 *
 * Collective over \a comm.  Blocking.  The communicator is duplicated, once;
 * errors on the duplicate are returned, never fatal.  MPI must have been
 * initialised, at any thread level.  Release with rpt_context_destroy()
 * before MPI_Finalize.
 *
 * Rank 0 reads the rules that choose algorithms of collectives (option
 * `coll.rules`).  The first context on a host takes some milliseconds longer,
 * in which two ranks measure what things cost there (option `coll.measure`).
 *
 * \param comm     any intra-communicator; stays the caller's
 * \param options  NULL for the values of environment and files; stays the
 *                 caller's; what matters must be the same on all ranks
 * \retval RPT_ERR_INVALID   null or inter-communicator
 * \retval RPT_ERR_STATE     MPI is not initialised, or is finalised already
 * \retval RPT_ERR_VERSION   headers and library do not fit together
 * \retval RPT_ERR_PARSE     an option of the environment or of a file; on rank
 *                           0 a line of the rules
 * \retval RPT_ERR_IO        the file of `coll.rules` cannot be read; on rank 0
 * \retval RPT_ERR_MISMATCH  an option that must be the same differs
 * \retval RPT_ERR_PEER      another rank could not join; the error says which
 * \retval RPT_ERR_TIMEOUT   not all came within `comm.internal_deadline_s`
 * \retval RPT_ERR_MPI, RPT_ERR_NOMEM, RPT_ERR_SYSTEM
 * \since 0.1
 */
#define rpt_context_create_mpi(comm, options, context_out)                     \
    rpt_context_create_mpi_v((comm), (options), RPT_VERSION_NUMBER,            \
                             (context_out))

/** What rpt_context_create_mpi() calls, with the version of the headers. */
RPT_API rpt_status_t rpt_context_create_mpi_v(MPI_Comm comm,
                                              const rpt_options_t *options,
                                              int header_version,
                                              rpt_context_t **context_out);

/** Make a group of the ranks of a communicator.
 *
 * Collective over \a comm, whose processes must all be ranks of \a context.
 * No communicator is made.  Release with rpt_group_destroy().
 *
 * \retval RPT_ERR_INVALID      a process of \a comm is not in \a context
 * \retval RPT_ERR_UNSUPPORTED  the context is not over MPI
 * \retval RPT_ERR_NOMEM, RPT_ERR_MPI
 * \since 0.1
 */
RPT_API rpt_status_t rpt_group_from_mpi(rpt_context_t *context, MPI_Comm comm,
                                        rpt_group_t **group_out);

/** The same as rpt_context_create_mpi(), for a communicator of Fortran.
 *
 * Fortran has it in repartir.f03, and the version of the headers there, too.
 *
 * \param comm  an integer of mpif.h or module mpi; of mpi_f08 comm%MPI_VAL
 * \since 0.1
 */
RPT_API rpt_status_t rpt_context_create_mpi_f(MPI_Fint comm,
                                              const rpt_options_t *options,
                                              int header_version,
                                              rpt_context_t **context_out);

/** The same as rpt_group_from_mpi(), for a communicator of Fortran.
 *
 * \since 0.1
 */
RPT_API rpt_status_t rpt_group_from_mpi_f(rpt_context_t *context, MPI_Fint comm,
                                          rpt_group_t **group_out);

/** Communicator of the gang that runs this call (see rpt_task_set_gang()).
 *
 * Not collective.  It belongs to the pool, which uses it again for the next
 * gang of the same ranks; duplicate it to keep it.
 *
 * \retval RPT_ERR_STATE        not a gang
 * \retval RPT_ERR_UNSUPPORTED  the context is not over MPI, or MPI could not
 *                              make one more communicator
 * \since 0.1
 */
RPT_API rpt_status_t rpt_call_mpi_comm(rpt_call_t *call, MPI_Comm *comm_out);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_MPI_H */
