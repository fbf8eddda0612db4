/*
 * describe.c - machine and seats as text for a person
 *
 * A line for the machine, one for each GPU, then one a rank; beyond 64 ranks
 * one a node, which stays readable at 10 000 ranks.
 */
#include "topo/machine_priv.h"
#include "topo/map_priv.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RANK_LINES = 64 };

static void add_count(struct rpt_buf *text, int n, const char *one,
                      const char *many)
{
    if (n > 0) {
        rpt__buf_printf(text, "%d %s, ", n, n == 1 ? one : many);
    }
}

static void describe_machine(const struct rpt_machine *machine,
                             struct rpt_buf *text)
{
    static const struct {
        hwloc_obj_type_t type;
        const char *one;
        const char *many;
    } rows[] = {
        { HWLOC_OBJ_PACKAGE, "package", "packages" },
        { HWLOC_OBJ_NUMANODE, "NUMA node", "NUMA nodes" },
        { HWLOC_OBJ_L3CACHE, "L3 cache", "L3 caches" },
        { HWLOC_OBJ_CORE, "core", "cores" },
        { HWLOC_OBJ_PU, "hardware thread", "hardware threads" },
    };

    rpt__buf_printf(text, "machine  ");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_count(text,
                  hwloc_get_nbobjs_by_type(machine->topology, rows[i].type),
                  rows[i].one, rows[i].many);
    }
    rpt__buf_printf(text, "%.1f GiB of memory%s\n",
                    (double)rpt__machine_memory(machine) / 0x1p30,
                    machine->synthetic ? " (synthetic)" : "");
}

static void describe_gpus(const struct rpt_machine *machine,
                          struct rpt_buf *text)
{
    hwloc_obj_t gpu;

    for (int i = 0; (gpu = rpt__machine_gpu(machine, i)) != NULL; i++) {
        const struct hwloc_pcidev_attr_s *pci = &gpu->attr->pcidev;
        hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(machine->topology,
                                                         gpu);
        char cpus[256];

        hwloc_bitmap_list_snprintf(cpus, sizeof cpus, near->cpuset);
        rpt__buf_printf(text,
                        "gpu %-4d %s %04x at %04x:%02x:%02x.%x, near "
                        "cpus %s\n",
                        i, rpt__machine_gpu_vendor(gpu),
                        (unsigned)pci->device_id, (unsigned)pci->domain,
                        (unsigned)pci->bus, (unsigned)pci->dev,
                        (unsigned)pci->func, cpus);
    }
}

static void describe_ranks(const struct rpt_map *map, struct rpt_buf *text)
{
    rpt__buf_printf(text, "  rank  node  cores  cpus");
    for (int level = RPT_LEVEL_PACKAGE; level >= RPT_LEVEL_PU; level--) {
        rpt__buf_printf(text, "  %7s", rpt_level_name((rpt_level_t)level));
    }
    rpt__buf_printf(text, "  host\n");
    for (int r = 0; r < map->n_ranks; r++) {
        const struct rpt_seat *seat = &map->seats[r];

        rpt__buf_printf(text, "  %4d  %4d  %5d  %4d", r, map->places[r].node,
                        rpt__map_cores_of(map, r), seat->n_pus);
        for (int level = RPT_LEVEL_PACKAGE; level >= RPT_LEVEL_PU; level--) {
            if (seat->object[level] >= 0) {
                rpt__buf_printf(text, "  %7d", (int)seat->object[level]);
            } else {
                rpt__buf_printf(text, "  %7s", "-");
            }
        }
        rpt__buf_printf(text, "  %s\n", seat->host);
    }
}

struct node_line {
    int n_ranks;
    int n_cores;
    int first;
    int last;
};

static void describe_nodes(const struct rpt_map *map, struct rpt_buf *text)
{
    struct node_line *lines = calloc((size_t)map->n_nodes, sizeof *lines);

    if (lines == NULL) {
        text->failed = true;
        return;
    }
    for (int r = 0; r < map->n_ranks; r++) {
        struct node_line *line = &lines[map->places[r].node];

        if (line->n_ranks++ == 0) {
            line->first = r;
        }
        line->last = r;
        line->n_cores += rpt__map_cores_of(map, r);
    }
    rpt__buf_printf(text, "   node  ranks  lowest  highest  cores  host\n");
    for (int node = 0; node < map->n_nodes; node++) {
        rpt__buf_printf(text, "  %5d  %5d  %6d  %7d  %5d  %s\n", node,
                        lines[node].n_ranks, lines[node].first,
                        lines[node].last, lines[node].n_cores,
                        map->seats[lines[node].first].host);
    }
    free(lines);
}

void rpt__map_describe(const struct rpt_map *map,
                       const struct rpt_machine *machine, struct rpt_buf *text)
{
    describe_machine(machine, text);
    describe_gpus(machine, text);
    rpt__buf_printf(text, "ranks    %d on %d %s\n", map->n_ranks, map->n_nodes,
                    map->n_nodes == 1 ? "node" : "nodes");
    if (map->n_ranks <= MAX_RANK_LINES) {
        describe_ranks(map, text);
    } else {
        describe_nodes(map, text);
    }
}
