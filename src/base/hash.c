/*
 * hash.c - the only user of xxhash.h
 */
#include "base/hash.h"

#include <xxhash.h>

uint64_t rpt__hash64(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

struct rpt_digest rpt__digest(const void *data, size_t bytes)
{
    XXH128_hash_t hash = XXH3_128bits(data, bytes);

    return (struct rpt_digest){ hash.high64, hash.low64 };
}
