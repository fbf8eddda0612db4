/*
 * nodes.c - which ranks of a team are on which node, in which domain
 *
 * All of it is in the map that all ranks have, so all find the same.
 */
#include "collectives/engine/team.h"

#include "base/error.h"
#include "topo/topo.h"

#include <stdlib.h>

/* By rank of the team, or by place in a node. */
struct lists {
    int *world;  /* the rank in the map */
    int *number; /* of a node or domain */
};

/* Whether some ranks of a node are divided, by place; ranks NULL: all. */
static bool find_domains(const struct rpt_team *team, const int ranks[], int n,
                         struct lists lists)
{
    for (int i = 0; i < n; i++) {
        lists.world[i] = rpt__group_world_rank(team->group,
                                               ranks != NULL ? ranks[i] : i);
    }
    return rpt__map_divide(rpt__comm_map(team->comm), lists.world, n,
                           lists.number);
}

static rpt_status_t divide_nodes(struct rpt_team *team, struct lists lists)
{
    struct rpt_layout *layout = team->layout;
    rpt_status_t status = RPT_OK;

    for (int node = 0; status == RPT_OK && node < layout->n_nodes; node++) {
        if (find_domains(team, rpt__layout_node(layout, node),
                         rpt__layout_size(layout, node), lists)) {
            status = rpt__layout_divide(layout, node, lists.number);
        }
    }
    return status;
}

static rpt_status_t find(struct rpt_team *team, struct lists lists)
{
    const struct rpt_map *map = rpt__comm_map(team->comm);
    bool several = false;
    rpt_status_t status;

    for (int r = 0; r < team->size; r++) {
        lists.number[r] = rpt__map_node_of(
            map, rpt__group_world_rank(team->group, r));
        several = several || lists.number[r] != lists.number[0];
    }
    if (several) {
        status = rpt__layout_create(lists.number, team->size, &team->layout);
        return status == RPT_OK ? divide_nodes(team, lists) : status;
    }
    return find_domains(team, NULL, team->size, lists)
               ? rpt__layout_create(lists.number, team->size, &team->domains)
               : RPT_OK;
}

rpt_status_t rpt__team_find_nodes(struct rpt_team *team)
{
    size_t n = (size_t)team->size;
    int *numbers = malloc(2 * n * sizeof *numbers);
    rpt_status_t status;

    if (numbers == NULL) {
        return rpt__fail_nomem(2 * n * sizeof *numbers);
    }
    status = find(team, (struct lists){ numbers, numbers + n });
    free(numbers);
    return status;
}
