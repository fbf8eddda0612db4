/*
 * shm.h - packets through the inbox rings of a segment
 */
#ifndef RPT_COMM_SHM_H
#define RPT_COMM_SHM_H

#include "comm/segment.h"
#include "comm/transport.h"

struct rpt_shm_parts {
    const struct rpt_transport_ops *ops; /* loopback or shm                  */
    const struct rpt_segment *segment;   /* outlives the transport           */
    int index;         /* this rank's place in the segment                   */
    const int *places; /* of all ranks of the context, -1: not there; NULL:
                          each rank's place is its number                    */
    _Atomic int *closed; /* by place: nobody empties the inbox any more; may
                            be NULL                                          */
};

rpt_status_t rpt__shm_create(struct rpt_comm *comm,
                             const struct rpt_shm_parts *parts,
                             struct rpt_transport **transport_out);

/* Marks the inbox at a place as closed; those that wait for room there find
 * out. */
void rpt__shm_close(const struct rpt_segment *segment, int index,
                    _Atomic int *closed);

#endif /* RPT_COMM_SHM_H */
