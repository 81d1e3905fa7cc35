/* SPDX-License-Identifier: ISC
 *
 * Open addressing with linear probing; removal shifts the following run back, so there are no
 * tombstones and a lookup ends at the first free slot. SipHash-1-3 after Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF" (2012), with one round per word and three at the end.
 */
#include "base/map.h"

#include "base/err.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 16

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
    /* Without a random source the map still works, only the protection is gone. */
    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed[0] ^= (uint64_t)(uintptr_t)&seed;
}

static inline uint64_t rotl(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t base_map_hash(const char *key, size_t key_len)
{
    pthread_once(&seeded, draw_seed);
    return base_map_hash_of(seed, key, key_len);
}

uint64_t base_map_hash_of(const uint64_t of[static 2], const char *key, size_t key_len)
{
    uint64_t v[4] = {of[0] ^ 0x736f6d6570736575u, of[1] ^ 0x646f72616e646f6du,
                     of[0] ^ 0x6c7967656e657261u, of[1] ^ 0x7465646279746573u};
    size_t left = key_len;
    for (; left >= 8; left -= 8, key += 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)key_len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)(unsigned char)key[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The slot that holds the key, or the free one where it would go. The table is never full. */
static size_t find_slot(const struct base_map *map, uint64_t hash, const char *key, size_t key_len)
{
    size_t slot = hash & (map->cap - 1);
    for (struct base_map_entry *entry; (entry = map->slots[slot]) != NULL;
         slot = (slot + 1) & (map->cap - 1))
        if (entry->hash == hash && entry->key_len == key_len &&
            memcmp(entry->key, key, key_len) == 0)
            break;
    return slot;
}

static int grow(struct base_map *map)
{
    if (map->cap && map->count + 1 <= map->cap - map->cap / 4)
        return BASE_OK;
    struct base_map bigger = {NULL, map->count, map->cap ? map->cap * 2 : FIRST_SLOTS};
    bigger.slots = base_calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < map->cap; i++) {
        struct base_map_entry *entry = map->slots[i];
        if (entry)
            bigger.slots[find_slot(&bigger, entry->hash, entry->key, entry->key_len)] = entry;
    }
    base_free(map->slots);
    *map = bigger;
    return BASE_OK;
}

void base_map_fini(struct base_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        base_free(map->slots[i]);
    base_free(map->slots);
    *map = (struct base_map){0};
}

void *base_map_get(const struct base_map *map, const char *key, size_t key_len)
{
    if (map->count == 0)
        return NULL;
    struct base_map_entry *entry =
        map->slots[find_slot(map, base_map_hash(key, key_len), key, key_len)];
    return entry ? entry->value : NULL;
}

int base_map_set(struct base_map *map, const char *key, size_t key_len, void *value)
{
    base_assert(value != NULL && key_len < UINT32_MAX);
    if (grow(map) < 0)
        return BASE_ERR_NOMEM;
    uint64_t hash = base_map_hash(key, key_len);
    size_t slot = find_slot(map, hash, key, key_len);
    if (map->slots[slot]) {
        map->slots[slot]->value = value;
        return BASE_OK;
    }
    struct base_map_entry *entry = base_malloc(sizeof *entry + key_len + 1);
    if (!entry)
        return BASE_ERR_NOMEM;
    entry->hash = hash;
    entry->value = value;
    entry->key_len = (uint32_t)key_len;
    if (key_len)
        memcpy(entry->key, key, key_len);
    entry->key[key_len] = '\0';
    map->slots[slot] = entry;
    map->count++;
    return BASE_OK;
}

void *base_map_remove(struct base_map *map, const char *key, size_t key_len)
{
    if (map->count == 0)
        return NULL;
    size_t mask = map->cap - 1;
    size_t hole = find_slot(map, base_map_hash(key, key_len), key, key_len);
    struct base_map_entry *entry = map->slots[hole];
    if (!entry)
        return NULL;
    void *value = entry->value;
    base_free(entry);
    map->slots[hole] = NULL;
    map->count--;
    for (size_t slot = (hole + 1) & mask; map->slots[slot]; slot = (slot + 1) & mask) {
        size_t home = map->slots[slot]->hash & mask;
        /* An entry may move back only if its home is not between the hole and its place. */
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            map->slots[hole] = map->slots[slot];
            map->slots[slot] = NULL;
            hole = slot;
        }
    }
    return value;
}

struct base_map_entry *base_map_next(const struct base_map *map, size_t *cursor)
{
    while (*cursor < map->cap) {
        struct base_map_entry *entry = map->slots[(*cursor)++];
        if (entry)
            return entry;
    }
    return NULL;
}
