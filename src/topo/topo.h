/*
 * topo.h - the machine of this node, and where every rank sits
 *
 * One rank of a node discovers the machine with hwloc and hands the XML to the
 * others (who carries it is comm's business).  Each rank then writes down its
 * seat: which object of each level holds all the cpus it may use.  All seats
 * together are the map.  How near two ranks are is computed from two seats when
 * somebody asks; there is no table of pairs.
 *
 *      machine (hwloc)  ->  seat (plain data, all-gathered)  ->  map
 */
#ifndef RPT_TOPO_TOPO_H
#define RPT_TOPO_TOPO_H

#include "base/buf.h"
#include "base/options.h"

#include <repartir/context.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpt_machine; /* an hwloc topology */
struct rpt_map;     /* the seats of all ranks of a context */

/* synthetic: an hwloc synthetic string, or "" for the real machine.
 * has_devices: with them; asking PCI for them is most of the time.
 * RPT_ERR_PARSE for a bad string, RPT_ERR_SYSTEM when hwloc fails. */
rpt_status_t rpt__machine_discover(const char *synthetic, bool has_devices,
                                   struct rpt_machine **machine_out);
/* As hwloc XML, without the ending 0. */
rpt_status_t rpt__machine_export(const struct rpt_machine *machine,
                                 struct rpt_buf *xml);
/* RPT_ERR_PARSE when it is none. */
rpt_status_t rpt__machine_import(const void *xml, size_t bytes,
                                 struct rpt_machine **machine_out);
void rpt__machine_destroy(struct rpt_machine *machine);

/* Says which ranks run on the same host: boot id and host name. */
uint64_t rpt__host_key(void);

enum { RPT_SEAT_HOST_BYTES = 64 };

/* Fixed-size plain data: ranks exchange it as bytes. */
struct rpt_seat {
    uint64_t host_key;
    uint64_t cpus_key; /* hash of the set of cpus that the rank may use     */
    int32_t pid;
    int32_t n_cores; /* cores in that set                                 */
    int32_t n_pus;   /* hardware threads in it                            */
    int32_t n_host_cores; /* cores of the whole machine                     */
    int32_t n_host_pus;   /* hardware threads of it                         */
    int32_t object[RPT_LEVEL_NODE]; /* by rpt_level_t, PU … PACKAGE: logical
                          index of the object that holds all its cpus, or -1 */
    char host[RPT_SEAT_HOST_BYTES]; /* host name, ends with 0               */
};

/* Where this rank sits.  Real machine: by the affinity that the thread had
 * which discovered or imported it.  Synthetic: rank local_rank of n_local has
 * that share of the machine.  RPT_ERR_INVALID when there is no such rank. */
rpt_status_t rpt__seat_take(const struct rpt_machine *machine, int local_rank,
                            int n_local, struct rpt_seat *seat_out);

/* virtual_nodes m > 1: the k ranks of a host count as min(m, k) nodes, of
 * neighbouring ranks.  Nodes are numbered in the order of their lowest rank. */
rpt_status_t rpt__map_create(const struct rpt_seat seats[], int n_ranks,
                             int virtual_nodes, struct rpt_map **map_out);
void rpt__map_destroy(struct rpt_map *map);

int rpt__map_size(const struct rpt_map *map);
int rpt__map_n_nodes(const struct rpt_map *map);
/* -1 / NULL for a rank that does not exist. */
int rpt__map_node_of(const struct rpt_map *map, int rank);
const char *rpt__map_host_of(const struct rpt_map *map, int rank);
const struct rpt_seat *rpt__map_seat(const struct rpt_map *map, int rank);

/* Nearest level that two ranks share; a == b gives RPT_LEVEL_PU. */
rpt_level_t rpt__map_level(const struct rpt_map *map, int a, int b);
/* The other ranks, nearest first; at the same distance beginning after `rank`
 * and wrapping round, so that not all ask the same one.  order_out: size - 1
 * ranks. */
void rpt__map_order(const struct rpt_map *map, int rank, int order_out[]);

/* virtual_domains m >= 1: the k ranks of a node count as min(m, k) domains, of
 * neighbouring ranks; 0: domains are what ranks are bound in. */
rpt_status_t rpt__map_set_domains(struct rpt_map *map, int virtual_domains);
/* Ranks of one node, by the widest of package, NUMA node and L3 that divides
 * them: all are bound inside one such object each, and there are at least two
 * of these objects, with two ranks in the mean.  domain_of: the same number for
 * ranks of one domain.  False: nothing divides them. */
bool rpt__map_divide(const struct rpt_map *map, const int ranks[], int n,
                     int domain_of[]);

/* Cores of a rank: those it may use, shared out over the ranks of its host that
 * may use the same; at least 1. */
int rpt__map_cores_of(const struct rpt_map *map, int rank);

/* The cpus (operating system numbers) of this rank's share, neighbours
 * together, one hardware thread of each core first.  cpus_out is released with
 * free().  None (*n_out = 0) on a synthetic machine, and for a rank that may
 * use other cpus than the thread that discovered or imported the machine. */
rpt_status_t rpt__machine_share(const struct rpt_machine *machine,
                                const struct rpt_map *map, int rank,
                                int **cpus_out, int *n_out);
/* Keeps of cpus[n] those near unit `index` of a device resource ("gpu"); when
 * that is unknown or would leave none, keeps all.  Gives the new number. */
int rpt__machine_near(const struct rpt_machine *machine, const char *resource,
                      int index, int cpus[], int n);
/* Bytes of memory of the node. */
uint64_t rpt__machine_memory(const struct rpt_machine *machine);

enum rpt_launcher {
    RPT_LAUNCHER_NONE,
    RPT_LAUNCHER_OPENMPI,
    RPT_LAUNCHER_MPICH,
    RPT_LAUNCHER_OTHER
};

/* When a rank is bound to fewer cpus than it has slots: true, and in `text` a
 * sentence with the exact mpirun flag that helps. */
bool rpt__map_too_narrow(const struct rpt_map *map, int rank, int slots,
                         enum rpt_launcher launcher, struct rpt_buf *text);

/* Machine and seats as text for a person (a line a rank; beyond 64 ranks a
 * line a node), for `repartir info`. */
void rpt__map_describe(const struct rpt_map *map,
                       const struct rpt_machine *machine, struct rpt_buf *text);

#endif /* RPT_TOPO_TOPO_H */
