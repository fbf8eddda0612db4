/*
 * request.h - a request of ours, and the table in which its handle is found
 */
#ifndef RPT_PMPI_REQUEST_H
#define RPT_PMPI_REQUEST_H

#include "collectives/pmpi/shim.h"

struct rpt_pmpi_request {
    struct rpt_pmpi_request *next; /* in the table, or in one of request.c */
    MPI_Request handle;
    struct rpt_pmpi_call call;
    rpt_plan_t *plan;
    rpt_status_t status; /* RPT_PENDING: under way */
    int tag;             /* of a persistent one */
};

/* By its handle, which is set. */
void rpt__pmpi_table_add(struct rpt_pmpi_request *request);
void rpt__pmpi_table_remove(struct rpt_pmpi_request *request);
bool rpt__pmpi_table_has_some(void);
/* Any one; NULL: there is none. */
struct rpt_pmpi_request *rpt__pmpi_table_first(void);

#endif /* RPT_PMPI_REQUEST_H */
