/*
 * hash.c - the only user of xxhash.h
 *
 * xxh_x86dispatch.h puts functions that look at the processor in place of those
 * of xxhash.h; what they give is the same.
 */
#include "config.h"

#include "base/hash.h"

#include <stdlib.h>
#ifdef HAVE_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

uint64_t rpt__hash64(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

struct rpt_digest rpt__digest(const void *data, size_t bytes)
{
    XXH128_hash_t hash = XXH3_128bits(data, bytes);

    return (struct rpt_digest){ hash.high64, hash.low64 };
}

struct rpt_hasher {
    XXH3_state_t *state;
};

struct rpt_hasher *rpt__hasher_create(void)
{
    struct rpt_hasher *hasher = malloc(sizeof *hasher);

    if (hasher != NULL) {
        hasher->state = XXH3_createState();
    }
    if (hasher == NULL || hasher->state == NULL) {
        free(hasher);
        return NULL;
    }
    XXH3_128bits_reset(hasher->state);
    return hasher;
}

void rpt__hasher_add(struct rpt_hasher *hasher, const void *data, size_t bytes)
{
    XXH3_128bits_update(hasher->state, data, bytes);
}

struct rpt_digest rpt__hasher_digest(const struct rpt_hasher *hasher)
{
    XXH128_hash_t hash = XXH3_128bits_digest(hasher->state);

    return (struct rpt_digest){ hash.high64, hash.low64 };
}

void rpt__hasher_destroy(struct rpt_hasher *hasher)
{
    if (hasher != NULL) {
        XXH3_freeState(hasher->state);
        free(hasher);
    }
}
