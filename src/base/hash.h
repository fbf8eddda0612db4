/*
 * hash.h - 64-bit hashes and checksums (XXH3), and a digest for names
 */
#ifndef RPT_BASE_HASH_H
#define RPT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t rpt__hash64(const void *data, size_t bytes, uint64_t seed);

struct rpt_digest {
    uint64_t high;
    uint64_t low;
};

/* 128 bits: different contents may be taken to have different digests. */
struct rpt_digest rpt__digest(const void *data, size_t bytes);

#endif /* RPT_BASE_HASH_H */
