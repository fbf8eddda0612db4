/*
 * machine_priv.h - the hwloc side of this folder: topologies and sets of cpus
 */
#ifndef RPT_TOPO_MACHINE_PRIV_H
#define RPT_TOPO_MACHINE_PRIV_H

#include "topo/topo.h"

#include <hwloc.h>

struct rpt_machine {
    hwloc_topology_t topology;
    bool synthetic;      /* not the machine that this process runs on      */
    hwloc_bitmap_t cpus; /* what the thread that made it may use; all cpus
                              of a synthetic machine                         */
};

/* ---- cpus.c ---- */

/* What counts as a core: PU on machines that have none. */
hwloc_obj_type_t rpt__cpus_core_type(hwloc_topology_t topology);

/* Objects of a type that hold at least one of the cpus. */
int rpt__cpus_count(hwloc_topology_t topology, hwloc_obj_type_t type,
                    hwloc_const_bitmap_t cpus);

/* Part `index` of `n` of the cpus: whole cores while there are enough of them,
 * else hardware threads, else one that several parts have. */
rpt_status_t rpt__cpus_part(hwloc_topology_t topology,
                            hwloc_const_bitmap_t cpus, int index, int n,
                            hwloc_bitmap_t part_out);

/* Operating system numbers: the first hardware thread of each core, then the
 * second of each, and so on.  list_out is released with free(). */
rpt_status_t rpt__cpus_list(hwloc_topology_t topology,
                            hwloc_const_bitmap_t cpus, int **list_out,
                            int *n_out);

/* The same for the same set, on every rank. */
rpt_status_t rpt__cpus_key(hwloc_const_bitmap_t cpus, uint64_t *key_out);

/* ---- devices.c ---- */

/* GPU `index` in the order of PCI addresses, or NULL. */
hwloc_obj_t rpt__machine_gpu(const struct rpt_machine *machine, int index);

/* "NVIDIA", "AMD" or "Intel". */
const char *rpt__machine_gpu_vendor(hwloc_obj_t gpu);

#endif /* RPT_TOPO_MACHINE_PRIV_H */
