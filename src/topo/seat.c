/*
 * seat.c - where a rank sits: the object of each level that holds its cpus
 *
 * Levels nest: PU in core in L3 in NUMA node in package.  Where a machine has
 * it otherwise (an L3 over two NUMA nodes, a NUMA node over two packages) the
 * larger object of the lower level is left out, so that "nearer" always means
 * a smaller part of the machine.
 *
 * Machines without L3 have their L2 in its place.
 */
#include "topo/machine_priv.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Cut where it is longer than there is room for. */
static void host_name(char *name, size_t bytes)
{
    struct utsname uts;
    const char *full = uname(&uts) == 0 ? uts.nodename : "localhost";
    size_t n = strnlen(full, bytes - 1);

    memcpy(name, full, n);
    name[n] = '\0';
}

uint64_t rpt__host_key(void)
{
    char name[256];
    char boot[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file != NULL) {
        if (fgets(boot, sizeof boot, file) == NULL) {
            boot[0] = '\0';
        }
        fclose(file);
    }
    host_name(name, sizeof name);
    return rpt__hash64(name, strlen(name), rpt__hash64(boot, strlen(boot), 0));
}

static hwloc_obj_type_t type_of(hwloc_topology_t topology, int level)
{
    switch (level) {
    case RPT_LEVEL_PACKAGE:
        return HWLOC_OBJ_PACKAGE;
    case RPT_LEVEL_NUMA:
        return HWLOC_OBJ_NUMANODE;
    case RPT_LEVEL_L3:
        return hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_L3CACHE) > 0
                   ? HWLOC_OBJ_L3CACHE
                   : HWLOC_OBJ_L2CACHE;
    case RPT_LEVEL_CORE:
        return HWLOC_OBJ_CORE;
    default:
        return HWLOC_OBJ_PU;
    }
}

/* The smallest object of a type that holds all the cpus, or NULL. */
static hwloc_obj_t holder(hwloc_topology_t topology, hwloc_obj_type_t type,
                          hwloc_const_bitmap_t cpus)
{
    hwloc_obj_t best = NULL, obj = NULL;

    while ((obj = hwloc_get_next_obj_by_type(topology, type, obj)) != NULL) {
        if (hwloc_bitmap_isincluded(cpus, obj->cpuset) &&
            (best == NULL || hwloc_bitmap_weight(obj->cpuset) <
                                 hwloc_bitmap_weight(best->cpuset))) {
            best = obj;
        }
    }
    return best;
}

static void fill_objects(hwloc_topology_t topology, hwloc_const_bitmap_t cpus,
                         int32_t object[])
{
    hwloc_obj_t outer = NULL;

    for (int level = RPT_LEVEL_PACKAGE; level >= RPT_LEVEL_PU; level--) {
        hwloc_obj_t obj = holder(topology, type_of(topology, level), cpus);

        object[level] = -1;
        if (obj != NULL && (outer == NULL || hwloc_bitmap_isincluded(
                                                 obj->cpuset, outer->cpuset))) {
            object[level] = (int32_t)obj->logical_index;
            outer = obj;
        }
    }
}

static rpt_status_t fill(hwloc_topology_t topology, hwloc_const_bitmap_t cpus,
                         struct rpt_seat *seat)
{
    hwloc_obj_type_t core = rpt__cpus_core_type(topology);

    seat->host_key = rpt__host_key();
    host_name(seat->host, sizeof seat->host);
    seat->pid = (int32_t)getpid();
    seat->n_pus = hwloc_bitmap_weight(cpus);
    seat->n_cores = rpt__cpus_count(topology, core, cpus);
    if (seat->n_cores == 0) { /* cpus that the machine does not know */
        seat->n_cores = seat->n_pus;
    }
    seat->n_host_cores = hwloc_get_nbobjs_by_type(topology, core);
    seat->n_host_pus = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    fill_objects(topology, cpus, seat->object);
    return rpt__cpus_key(cpus, &seat->cpus_key);
}

rpt_status_t rpt__seat_take(const struct rpt_machine *machine, int local_rank,
                            int n_local, struct rpt_seat *seat_out)
{
    hwloc_bitmap_t cpus;
    rpt_status_t status = RPT_OK;
    struct rpt_seat seat;

    if (local_rank < 0 || local_rank >= n_local) {
        return rpt__fail(RPT_ERR_INVALID, "there is no local rank %d of %d",
                         local_rank, n_local);
    }
    cpus = hwloc_bitmap_dup(machine->cpus);
    if (cpus == NULL) {
        return rpt__fail_nomem(sizeof cpus);
    }
    if (machine->synthetic) {
        status = rpt__cpus_part(machine->topology, machine->cpus, local_rank,
                                n_local, cpus);
    }
    if (status == RPT_OK) {
        memset(&seat, 0, sizeof seat); /* the gaps too: it travels as bytes */
        status = fill(machine->topology, cpus, &seat);
    }
    if (status == RPT_OK) {
        *seat_out = seat;
    }
    hwloc_bitmap_free(cpus);
    return status;
}
