/* SPDX-License-Identifier: ISC
 *
 * map: a hash map from byte strings to pointers.
 *
 * Keys are copied, values are not touched. The hash is seeded once per process from the system's
 * random source, so a peer cannot choose colliding keys. A zeroed struct is an empty map.
 * Threads: one at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct base_map_entry {
    uint64_t hash;
    void *value;
    uint32_t key_len;
    char key[]; /* key_len bytes and a NUL */
};

struct base_map {
    struct base_map_entry **slots;
    size_t count;
    size_t cap; /* slots, a power of two, or 0 */
};

void base_map_fini(struct base_map *map);
/* The value, or NULL. */
void *base_map_get(const struct base_map *map, const char *key, size_t key_len);
/* Sets a value that is not NULL, replacing an older one. 0, or BASE_ERR_NOMEM (nothing changed). */
int base_map_set(struct base_map *map, const char *key, size_t key_len, void *value);
/* Removes the key and returns its value, NULL if it was not there. Never fails. */
void *base_map_remove(struct base_map *map, const char *key, size_t key_len);
/* Walks the map: start with *cursor = 0; NULL at the end. The map must not change meanwhile. */
struct base_map_entry *base_map_next(const struct base_map *map, size_t *cursor);

/* The seeded 64 bit hash itself (SipHash-1-3), for filters of recent ids. */
uint64_t base_map_hash(const char *key, size_t key_len);
/* The same with a seed of the caller's. */
uint64_t base_map_hash_of(const uint64_t seed[static 2], const char *key, size_t key_len);

#endif
