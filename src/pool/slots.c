/*
 * slots.c - which slots and which units a running task has
 *
 * Slots and units are numbered on each rank, and the lowest free ones are
 * handed out, so that a program can be told GPU 0 or GPU 2 and be pinned to
 * the cpus of its slots.
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* What the earlier ranks of this host have comes first. */
static void number_units(struct rpt_pool *pool)
{
    const struct rpt_map *map = rpt__comm_map(pool->comm);
    uint64_t host = rpt__map_seat(map, pool->ranks[pool->me])->host_key;

    for (int m = 0; m < pool->me; m++) {
        if (rpt__map_seat(map, pool->ranks[m])->host_key == host) {
            for (int i = 0; i < pool->n_resources; i++) {
                pool->worker.first_unit[i] += pool->caps[m].units[i];
            }
        }
    }
}

rpt_status_t rpt__slots_create(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    w->total = pool->caps[pool->me];
    w->free = w->total;
    number_units(pool);
    w->slot_used = calloc((size_t)w->total.slots, 1);
    if (w->slot_used == NULL) {
        return rpt__fail_nomem((size_t)w->total.slots);
    }
    for (int i = 0; i < pool->n_resources; i++) {
        w->unit_used[i] = calloc((size_t)w->total.units[i] + 1, 1);
        if (w->unit_used[i] == NULL) {
            return rpt__fail_nomem((size_t)w->total.units[i]);
        }
    }
    return rpt__machine_share(rpt__comm_machine(pool->comm),
                              rpt__comm_map(pool->comm),
                              rpt__comm_rank(pool->comm), &w->cpus, &w->n_cpus);
}

void rpt__slots_destroy(struct rpt_pool *pool)
{
    free(pool->worker.slot_used);
    free(pool->worker.cpus);
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        free(pool->worker.unit_used[i]);
    }
}

/* Marks the n lowest free entries; their numbers, from `base` on, go to list
 * unless NULL. */
static int mark_free(uint8_t *used, int n, int base, int *list)
{
    int first = -1;

    for (int i = 0; n > 0; i++) {
        if (!used[i]) {
            used[i] = 1;
            first = first < 0 ? i : first;
            n--;
            if (list != NULL) {
                *list++ = base + i;
            }
        }
    }
    return first;
}

static size_t n_handed_out(const struct rpt_spec *spec)
{
    const struct rpt_need *need = rpt__spec_needs(spec);
    size_t n = (size_t)spec->slots;

    for (int i = 0; i < spec->n_needs; i++) {
        n += (size_t)need[i].units;
    }
    return n;
}

bool rpt__slots_take(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;
    const struct rpt_need *need = rpt__spec_needs(item->spec);
    struct rpt_caps needs;
    int *list = NULL;

    rpt__caps_of_spec(item->spec, &needs);
    if (!rpt__caps_fit(&needs, &w->free)) {
        return false;
    }
    if (item->spec->slots > 1 || item->spec->n_needs > 0) {
        item->unit_list = list = malloc(n_handed_out(item->spec) * sizeof(int));
        if (list == NULL) {
            return false; /* tried again when memory is back */
        }
    }
    rpt__caps_take(&w->free, &needs);
    item->slot = mark_free(w->slot_used, item->spec->slots, 0, list);
    for (int i = 0; i < item->spec->n_needs; i++) {
        list += i == 0 ? item->spec->slots : need[i - 1].units;
        mark_free(w->unit_used[need[i].resource], need[i].units,
                  w->first_unit[need[i].resource], list);
    }
    item->holds = true;
    return true;
}

void rpt__slots_give(struct rpt_pool *pool, struct rpt_item *item)
{
    struct rpt_worker *w = &pool->worker;
    const struct rpt_need *need = rpt__spec_needs(item->spec);
    const int *list = item->unit_list;
    struct rpt_caps needs;

    if (!item->holds) {
        return;
    }
    rpt__caps_of_spec(item->spec, &needs);
    rpt__caps_give(&w->free, &needs);
    if (list == NULL) {
        w->slot_used[item->slot] = 0;
    } else {
        for (int i = 0; i < item->spec->slots; i++) {
            w->slot_used[*list++] = 0;
        }
        for (int i = 0; i < item->spec->n_needs; i++) {
            for (int u = 0; u < need[i].units; u++) {
                int first = w->first_unit[need[i].resource];

                w->unit_used[need[i].resource][*list++ - first] = 0;
            }
        }
        free(item->unit_list);
        item->unit_list = NULL;
    }
    item->holds = false;
}

enum { RETIRED = 2 }; /* in slot_used */

void rpt__slots_retire(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    if (w->free.slots > 0) {
        w->slot_used[mark_free(w->slot_used, 1, 0, NULL)] = RETIRED;
        w->free.slots--;
        w->n_retired++;
    }
}

void rpt__slots_restore(struct rpt_pool *pool)
{
    struct rpt_worker *w = &pool->worker;

    for (int i = 0; w->n_retired > 0 && i < w->total.slots; i++) {
        if (w->slot_used[i] == RETIRED) {
            w->slot_used[i] = 0;
            w->free.slots++;
            w->n_retired--;
        }
    }
}

void rpt__slots_pass(struct rpt_item *from, struct rpt_item *to)
{
    to->slot = from->slot;
    to->holds = true;
    from->holds = false;
}

int rpt__slots_cpus(struct rpt_pool *pool, const struct rpt_item *item,
                    bool pin, int cpus_out[])
{
    const struct rpt_worker *w = &pool->worker;
    const struct rpt_need *need = rpt__spec_needs(item->spec);
    const int *list = item->unit_list;
    int per_slot = w->total.slots > 0 ? w->n_cpus / w->total.slots : 0;
    int n = 0;

    if (!pin || per_slot == 0) {
        /* More slots than cpus: all of the share, whatever mpirun bound. */
        memcpy(cpus_out, w->cpus, (size_t)w->n_cpus * sizeof *cpus_out);
        n = w->n_cpus;
    }
    for (int i = 0; n < w->n_cpus && i < item->spec->slots; i++) {
        int slot = list != NULL ? list[i] : item->slot;

        for (int c = 0; c < per_slot; c++) {
            cpus_out[n++] = w->cpus[slot * per_slot + c];
        }
    }
    for (int i = 0; i < item->spec->n_needs && n > 0; i++) {
        list += i == 0 ? item->spec->slots : need[i - 1].units;
        if (need[i].units > 0) {
            /* Near the device counts more than the slot's own cpus. */
            int *near = malloc((size_t)w->n_cpus * sizeof *near);

            if (near != NULL) {
                int m;

                memcpy(near, w->cpus, (size_t)w->n_cpus * sizeof *near);
                m = rpt__machine_near(rpt__comm_machine(pool->comm),
                                      pool->resources[need[i].resource], *list,
                                      near, w->n_cpus);
                if (m < w->n_cpus) {
                    memcpy(cpus_out, near, (size_t)m * sizeof *near);
                    n = m;
                }
                free(near);
            }
        }
    }
    return n;
}
