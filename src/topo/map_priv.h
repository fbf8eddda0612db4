/*
 * map_priv.h - what the map keeps of every rank beside its seat
 */
#ifndef RPT_TOPO_MAP_PRIV_H
#define RPT_TOPO_MAP_PRIV_H

#include "topo/topo.h"

struct rpt_place {
    int node;
    int n_on_host;   /* ranks of its host, itself included                  */
    int share_index; /* among those of them that may use the same cpus      */
    int n_sharers;   /* how many these are, itself included                 */
    int domain;      /* virtual one of its node; -1: as it is bound         */
};

struct rpt_map {
    int n_ranks;
    int n_nodes;
    struct rpt_seat *seats;
    struct rpt_place *places;
};

#endif /* RPT_TOPO_MAP_PRIV_H */
