/*
 * buffer.h - memory of one rank that all ranks of its node can read
 *
 * It lies in the area of the node (area.h), which every rank has mapped, and is
 * named by its distance from the beginning of that.  Ranks that are threads of
 * one process can read everything.
 */
#ifndef RPT_COMM_BUFFER_H
#define RPT_COMM_BUFFER_H

#include "comm/comm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_buffers; /* those of an end */

/* At least `bytes`, from a page on.  Ordinary memory when the node has no
 * shared memory left.  Under the lock. */
rpt_status_t rpt__buffer_alloc(struct rpt_comm *comm, size_t bytes,
                               void **buffer_out);
/* RPT_ERR_NOT_FOUND: there is no such buffer.  Under the lock. */
rpt_status_t rpt__buffer_free(struct rpt_comm *comm, void *buffer);
void rpt__buffers_destroy(struct rpt_comm *comm);

/* Whether the ranks of this node can read it. */
bool rpt__buffer_is_open(const struct rpt_comm *comm, const void *buffer);
/* Its name, for another rank of the node, which finds it by that. */
uint64_t rpt__buffer_name(const struct rpt_comm *comm, const void *buffer);
char *rpt__buffer_find(const struct rpt_comm *comm, uint64_t name);

#endif /* RPT_COMM_BUFFER_H */
