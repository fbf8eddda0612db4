/*
 * caps.c - amounts of slots, memory and named resources
 */
#include "pool/pool_priv.h"

#include "base/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool rpt__caps_fit(const struct rpt_caps *needs, const struct rpt_caps *free)
{
    if (needs->slots > free->slots || needs->memory_mib > free->memory_mib) {
        return false;
    }
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        if (needs->units[i] > free->units[i]) {
            return false;
        }
    }
    return true;
}

void rpt__caps_take(struct rpt_caps *free, const struct rpt_caps *needs)
{
    free->slots -= needs->slots;
    free->memory_mib -= needs->memory_mib;
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        free->units[i] -= needs->units[i];
    }
}

void rpt__caps_give(struct rpt_caps *free, const struct rpt_caps *needs)
{
    free->slots += needs->slots;
    free->memory_mib += needs->memory_mib;
    for (int i = 0; i < RPT_MAX_NEEDS; i++) {
        free->units[i] += needs->units[i];
    }
}

void rpt__caps_of_spec(const struct rpt_spec *spec, struct rpt_caps *needs)
{
    const struct rpt_need *need = rpt__spec_needs(spec);

    memset(needs, 0, sizeof *needs);
    needs->slots = spec->slots;
    needs->memory_mib = spec->memory_mib;
    for (int i = 0; i < spec->n_needs; i++) {
        needs->units[need[i].resource] += need[i].units;
    }
}

static rpt_status_t bad_resources(const char *text, const char *why)
{
    rpt__fail(RPT_ERR_PARSE, "option pool.resources cannot be \"%s\"", text);
    rpt__fail_why("%s", why);
    rpt__fail_hint("give names and numbers, such as gpu=2,licence=1");
    return RPT_ERR_PARSE;
}

/* name=units; gives where the next one begins, or NULL when it is malformed. */
static const char *parse_one(const char *text, char name[RPT_NAME_BYTES],
                             int *units_out)
{
    size_t n = strcspn(text, "=,");
    char *end;
    long units;

    if (n == 0 || n >= RPT_NAME_BYTES || text[n] != '=' ||
        !isalpha((unsigned char)text[0])) {
        return NULL;
    }
    memcpy(name, text, n);
    name[n] = '\0';
    units = strtol(text + n + 1, &end, 10);
    if (end == text + n + 1 || units < 0 || units > 65536 ||
        (*end != ',' && *end != '\0')) {
        return NULL;
    }
    *units_out = (int)units;
    return *end == ',' ? end + 1 : end;
}

static rpt_status_t parse_resources(const char *text, struct rpt_caps *caps,
                                    char names[RPT_MAX_NEEDS][RPT_NAME_BYTES],
                                    int *n_out)
{
    const char *next = text;

    *n_out = 0;
    while (*next != '\0') {
        if (*n_out == RPT_MAX_NEEDS) {
            return bad_resources(text, "there are more than 16 names");
        }
        next = parse_one(next, names[*n_out], &caps->units[*n_out]);
        if (next == NULL) {
            return bad_resources(text, "a part of it is not name=units (0 to "
                                       "65536 units)");
        }
        (*n_out)++;
    }
    return RPT_OK;
}

static int ranks_on_host(const struct rpt_map *map, int rank)
{
    uint64_t key = rpt__map_seat(map, rank)->host_key;
    int n = 0;

    for (int r = 0; r < rpt__map_size(map); r++) {
        n += rpt__map_seat(map, r)->host_key == key;
    }
    return n;
}

rpt_status_t rpt__caps_own(struct rpt_pool *pool, struct rpt_caps *caps_out,
                           char resources[RPT_MAX_NEEDS][RPT_NAME_BYTES],
                           int *n_resources_out)
{
    const rpt_options_t *options = rpt__comm_options(pool->comm);
    const struct rpt_map *map = rpt__comm_map(pool->comm);
    int rank = rpt__comm_rank(pool->comm);
    uint64_t memory = rpt__option_size(options, RPT_OPT_POOL_MEMORY);

    memset(caps_out, 0, sizeof *caps_out);
    caps_out->slots = (int32_t)rpt__option_integer(options, RPT_OPT_POOL_SLOTS);
    if (caps_out->slots == 0) {
        caps_out->slots = rpt__map_cores_of(map, rank);
    }
    if (memory == 0) {
        memory = rpt__machine_memory(rpt__comm_machine(pool->comm)) /
                 (uint64_t)ranks_on_host(map, rank);
    }
    caps_out->memory_mib = memory >> 20;
    return parse_resources(rpt__option_text(options, RPT_OPT_POOL_RESOURCES),
                           caps_out, resources, n_resources_out);
}
