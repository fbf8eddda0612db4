/*
 * map.h - finds a number by a string or by an address
 */
#ifndef CLI_MAP_H
#define CLI_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty.  Keys stay the caller's and must outlive the map; one map
 * has keys of one kind. */
struct map {
    struct map_entry {
        const void *key;
        size_t value;
    } * entries;
    size_t n;
    size_t room; /* a power of two, or 0 */
};

#define MAP_NONE SIZE_MAX

/* The value of a key, or MAP_NONE. */
size_t map_find_string(const struct map *map, const char *key);
size_t map_find_address(const struct map *map, const void *key);

/* Sets the value of a key. */
void map_set_string(struct map *map, const char *key, size_t value);
void map_set_address(struct map *map, const void *key, size_t value);

void map_free(struct map *map);

/* FNV-1a, 64 bit; start with MAP_HASH_START. */
#define MAP_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t map_hash(uint64_t hash, const void *data, size_t bytes);

#endif /* CLI_MAP_H */
