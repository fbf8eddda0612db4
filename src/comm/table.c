/*
 * table.c - every transport there is, in one place
 *
 * A rank is reached by the first one that is present and reaches it.
 */
#include "comm/transport.h"

const struct rpt_transport_ops
    *const rpt__transport_table[RPT_N_TRANSPORTS + 1] = {
        &rpt__transport_self,     /* the rank itself                  */
        &rpt__transport_loopback, /* ranks of the same process        */
        &rpt__transport_shm,      /* ranks of the same node           */
        &rpt__transport_mpi,      /* all others                       */
        NULL
    };
