/*
 * map.c - open addressing with linear probing, at most three quarters full
 *
 * Cost: about one cache miss a look-up.  Does not remove.
 */
#include "cli/map.h"

#include "cli/text.h"

#include <stdlib.h>
#include <string.h>

uint64_t map_hash(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *s = data;

    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ s[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t hash_of(const void *key, bool string)
{
    uintptr_t address = (uintptr_t)key;
    uint64_t hash = string ? map_hash(MAP_HASH_START, key, strlen(key))
                           : map_hash(MAP_HASH_START, &address, sizeof address);

    return hash ^ hash >> 32;
}

/* Where the key is, or would be put. */
static struct map_entry *slot_of(const struct map *map, const void *key,
                                 bool string)
{
    size_t i = hash_of(key, string) & (map->room - 1);

    while (map->entries[i].key != NULL) {
        const void *there = map->entries[i].key;

        if (there == key || (string && strcmp(there, key) == 0)) {
            break;
        }
        i = (i + 1) & (map->room - 1);
    }
    return &map->entries[i];
}

static size_t find(const struct map *map, const void *key, bool string)
{
    const struct map_entry *entry;

    if (map->room == 0) {
        return MAP_NONE;
    }
    entry = slot_of(map, key, string);
    return entry->key != NULL ? entry->value : MAP_NONE;
}

static void grow(struct map *map, bool string)
{
    struct map larger = { NULL, map->n, map->room > 0 ? map->room * 2 : 64 };

    larger.entries = get_memory(larger.room * sizeof *larger.entries);
    for (size_t i = 0; i < map->room; i++) {
        if (map->entries[i].key != NULL) {
            *slot_of(&larger, map->entries[i].key, string) = map->entries[i];
        }
    }
    free(map->entries);
    *map = larger;
}

static void set(struct map *map, const void *key, size_t value, bool string)
{
    struct map_entry *entry;

    if (map->n >= map->room / 4 * 3) {
        grow(map, string);
    }
    entry = slot_of(map, key, string);
    if (entry->key == NULL) {
        entry->key = key;
        map->n++;
    }
    entry->value = value;
}

size_t map_find_string(const struct map *map, const char *key)
{
    return find(map, key, true);
}

size_t map_find_address(const struct map *map, const void *key)
{
    return find(map, key, false);
}

void map_set_string(struct map *map, const char *key, size_t value)
{
    set(map, key, value, true);
}

void map_set_address(struct map *map, const void *key, size_t value)
{
    set(map, key, value, false);
}

void map_free(struct map *map)
{
    free(map->entries);
    *map = (struct map){ NULL, 0, 0 };
}
