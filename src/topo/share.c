/*
 * share.c - the cpus that a rank may give to its tasks
 *
 * Ranks of a host that may use the same cpus (because nobody bound them) divide
 * them by the rule of cpus.c; what each has is known from the map alone.
 */
#include "topo/machine_priv.h"
#include "topo/map_priv.h"

#include "base/error.h"

rpt_status_t rpt__machine_share(const struct rpt_machine *machine,
                                const struct rpt_map *map, int rank,
                                int **cpus_out, int *n_out)
{
    const struct rpt_seat *seat = rpt__map_seat(map, rank);
    hwloc_bitmap_t part;
    rpt_status_t status;
    uint64_t key;

    if (seat == NULL) {
        return rpt__fail(RPT_ERR_INVALID, "there is no rank %d of %d", rank,
                         rpt__map_size(map));
    }
    status = rpt__cpus_key(machine->cpus, &key);
    if (status != RPT_OK) {
        return status;
    }
    /* Only the ranks with our own cpus are known by more than a hash. */
    if (machine->synthetic || key != seat->cpus_key) {
        *cpus_out = NULL;
        *n_out = 0;
        return RPT_OK;
    }
    part = hwloc_bitmap_alloc();
    if (part == NULL) {
        return rpt__fail_nomem(sizeof part);
    }
    status = rpt__cpus_part(machine->topology, machine->cpus,
                            map->places[rank].share_index,
                            map->places[rank].n_sharers, part);
    if (status == RPT_OK) {
        status = rpt__cpus_list(machine->topology, part, cpus_out, n_out);
    }
    hwloc_bitmap_free(part);
    return status;
}
