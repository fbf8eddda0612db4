/*
 * cpus.c - sets of cpus: how many cores, cut into parts, as a list
 *
 * A part is made of whole neighbouring cores as long as every part can have
 * one.  Parts are disjoint and together they are the whole, except when there
 * are more parts than hardware threads.
 *
 *      cores of the set     A  B  C  D  E          3 parts:  A | B C | D E
 *
 * Costs a walk over the cores (or hardware threads) of the machine.
 */
#include "topo/machine_priv.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

hwloc_obj_type_t rpt__cpus_core_type(hwloc_topology_t topology)
{
    return hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0
               ? HWLOC_OBJ_CORE
               : HWLOC_OBJ_PU;
}

/* The next object of a type that holds one of the cpus. */
static hwloc_obj_t next_unit(hwloc_topology_t topology, hwloc_obj_type_t type,
                             hwloc_const_bitmap_t cpus, hwloc_obj_t unit)
{
    do {
        unit = hwloc_get_next_obj_by_type(topology, type, unit);
    } while (unit != NULL && !hwloc_bitmap_intersects(unit->cpuset, cpus));
    return unit;
}

int rpt__cpus_count(hwloc_topology_t topology, hwloc_obj_type_t type,
                    hwloc_const_bitmap_t cpus)
{
    int n = 0;

    for (hwloc_obj_t unit = next_unit(topology, type, cpus, NULL); unit != NULL;
         unit = next_unit(topology, type, cpus, unit)) {
        n++;
    }
    return n;
}

rpt_status_t rpt__cpus_part(hwloc_topology_t topology,
                            hwloc_const_bitmap_t cpus, int index, int n,
                            hwloc_bitmap_t part_out)
{
    hwloc_obj_type_t type = rpt__cpus_core_type(topology);
    int n_units = rpt__cpus_count(topology, type, cpus), k = 0;
    int64_t first, end;
    int error = 0;

    if (n > n_units) {
        type = HWLOC_OBJ_PU;
        n_units = rpt__cpus_count(topology, type, cpus);
    }
    first = (int64_t)index * n_units / n;
    end = (int64_t)(index + 1) * n_units / n;
    if (n > n_units && n_units > 0) {
        first = index % n_units;
        end = first + 1;
    }
    hwloc_bitmap_zero(part_out);
    for (hwloc_obj_t unit = next_unit(topology, type, cpus, NULL); unit != NULL;
         unit = next_unit(topology, type, cpus, unit), k++) {
        if (first <= k && k < end) {
            error |= hwloc_bitmap_or(part_out, part_out, unit->cpuset);
        }
    }
    error |= hwloc_bitmap_and(part_out, part_out, cpus);
    return error != 0 ? rpt__fail_nomem(sizeof(unsigned long)) : RPT_OK;
}

/* The cpu number t of a unit, or -1. */
static int thread_of(hwloc_obj_t unit, hwloc_const_bitmap_t cpus, int t)
{
    int cpu = -1;

    do {
        cpu = hwloc_bitmap_next(unit->cpuset, cpu);
        if (cpu >= 0 && hwloc_bitmap_isset(cpus, (unsigned)cpu)) {
            t--;
        }
    } while (cpu >= 0 && t >= 0);
    return cpu;
}

rpt_status_t rpt__cpus_list(hwloc_topology_t topology,
                            hwloc_const_bitmap_t cpus, int **list_out,
                            int *n_out)
{
    hwloc_obj_type_t type = rpt__cpus_core_type(topology);
    int n_cpus = rpt__cpus_count(topology, HWLOC_OBJ_PU, cpus);
    int *list = NULL;
    int n = 0;

    if (n_cpus > 0) {
        list = malloc((size_t)n_cpus * sizeof *list);
        if (list == NULL) {
            return rpt__fail_nomem((size_t)n_cpus * sizeof *list);
        }
    }
    for (int t = 0; n < n_cpus; t++) {
        for (hwloc_obj_t unit = next_unit(topology, type, cpus, NULL);
             unit != NULL; unit = next_unit(topology, type, cpus, unit)) {
            int cpu = thread_of(unit, cpus, t);

            if (cpu >= 0) {
                list[n++] = cpu;
            }
        }
    }
    *list_out = list;
    *n_out = n;
    return RPT_OK;
}

rpt_status_t rpt__cpus_key(hwloc_const_bitmap_t cpus, uint64_t *key_out)
{
    char *text;

    if (hwloc_bitmap_list_asprintf(&text, cpus) < 0) {
        return rpt__fail_nomem(sizeof(unsigned long));
    }
    *key_out = rpt__hash64(text, strlen(text), 0);
    free(text);
    return RPT_OK;
}
