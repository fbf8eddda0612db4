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

/* The digest of bytes that come in pieces. */
struct rpt_hasher;
/* NULL: no memory. */
struct rpt_hasher *rpt__hasher_create(void);
void rpt__hasher_add(struct rpt_hasher *hasher, const void *data, size_t bytes);
struct rpt_digest rpt__hasher_digest(const struct rpt_hasher *hasher);
void rpt__hasher_destroy(struct rpt_hasher *hasher);

#endif /* RPT_BASE_HASH_H */
