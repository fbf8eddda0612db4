/*
 * repartir/group.h - ranks that act together
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REPARTIR_GROUP_H
#define REPARTIR_GROUP_H

#include <repartir/base.h>
#include <repartir/context.h>

RPT_BEGIN_DECLS

/**
 * \defgroup rpt_group Groups
 *
 * A group is an ordered set of the ranks of one context.  It is a number and
 * a list: making one costs a small exchange and no MPI communicator, so that
 * thousands may come and go.
 *
 * Collective calls of one group are made by one thread of a rank at a time, in
 * the same order on all ranks; those of repartir/coll.h and
 * repartir/reducer.h count, too.  After a deadline has passed in one, or ranks
 * have made different calls, the group is of no further use (RPT_ERR_STATE) but
 * to be destroyed.
 *
 * \since 0.1
 *
 * \{
 */

/** Ranks that act together. */
typedef struct rpt_group rpt_group_t;

/** All ranks of the context.  Not collective.  Belongs to the context. */
RPT_API rpt_group_t *rpt_group_world(rpt_context_t *context);

/** Colour of ranks that shall be in no group of an rpt_group_split(). */
#define RPT_COLOR_NONE (-1)

/** Split a group: ranks that give the same colour form a new one.
 *
 * Collective over \a group.  Blocking.  Ranks are ordered by \a key, then by
 * their rank in \a group.  Release with rpt_group_destroy().
 *
 * \param color      >= 0, or #RPT_COLOR_NONE: *group_out becomes NULL
 * \retval RPT_ERR_INVALID   a negative colour other than #RPT_COLOR_NONE
 * \retval RPT_ERR_PEER      another rank could not make its group
 * \retval RPT_ERR_MISMATCH  ranks made different calls
 * \retval RPT_ERR_TIMEOUT   `comm.deadline_s` passed
 * \retval RPT_ERR_NOMEM, RPT_ERR_STATE, RPT_ERR_MPI
 * \since 0.1
 */
RPT_API rpt_status_t rpt_group_split(rpt_group_t *group, int color, int key,
                                     rpt_group_t **group_out);

/** Release a group.  Not collective; one that had calls on device buffers waits
 * up to 10 s for the others.  The world group is left alone.  Calls that this
 * rank has started, and that are not over, are given up.  Who makes one more
 * call of repartir/coll.h in it, or waits in one that was given up, gets
 * RPT_ERR_MISMATCH after some seconds, if this rank had a call in it, and its
 * context is driven meanwhile. */
RPT_API void rpt_group_destroy(rpt_group_t *group);

/** This rank in the group.  Not collective. */
RPT_API int rpt_group_rank(const rpt_group_t *group);

/** Number of ranks of the group.  Not collective. */
RPT_API int rpt_group_size(const rpt_group_t *group);

/** Rank in the context of a rank of the group; -1 when there is none. */
RPT_API int rpt_group_world_rank(const rpt_group_t *group, int rank);

/** Return when all ranks of the group have called.
 *
 * Collective over \a group.  Blocking.  Drives MPI progress, so that messages
 * which the program has under way arrive meanwhile.  There is no time limit
 * unless option `comm.deadline_s` sets one; after `comm.warn_s` one warning
 * names the ranks that are missing.
 *
 * \retval RPT_ERR_TIMEOUT  `comm.deadline_s` passed; the error names who is
 *                          missing
 * \retval RPT_ERR_MISMATCH  ranks made different calls
 * \retval RPT_ERR_STATE, RPT_ERR_PEER, RPT_ERR_MPI
 * \since 0.1
 */
RPT_API rpt_status_t rpt_group_barrier(rpt_group_t *group);

/** \} */

RPT_END_DECLS

#endif /* REPARTIR_GROUP_H */
