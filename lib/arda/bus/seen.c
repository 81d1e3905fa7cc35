/* SPDX-License-Identifier: ISC */
#include "arda/bus/seen.h"

#include "base/map.h"
#include "base/mem.h"

#define FIRST_CAP 64

void arda_seen_fini(struct arda_seen *seen)
{
    base_free(seen->ring);
    base_free(seen->table);
    seen->ring = seen->table = NULL;
    seen->cap = seen->count = seen->next = 0;
}

static uint32_t mask_of(const struct arda_seen *seen)
{
    return seen->cap * 2 - 1;
}

/* Where the hash is, or the free place where it would be. */
static uint32_t find(const struct arda_seen *seen, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & mask_of(seen);
    while (seen->table[at] && seen->table[at] != hash)
        at = (at + 1) & mask_of(seen);
    return at;
}

/* Takes a hash out and closes the gap, so that every other one is still found. */
static void forget(struct arda_seen *seen, uint64_t hash)
{
    uint32_t mask = mask_of(seen), hole = find(seen, hash);
    seen->table[hole] = 0;
    for (uint32_t at = (hole + 1) & mask; seen->table[at]; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)seen->table[at] & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            seen->table[hole] = seen->table[at];
            seen->table[at] = 0;
            hole = at;
        }
    }
}

static bool grow(struct arda_seen *seen)
{
    uint32_t cap = seen->cap ? seen->cap * 2 : FIRST_CAP;
    struct arda_seen bigger = {
        .cap = cap, .count = seen->count, .next = seen->count, .max = seen->max};
    bigger.ring = base_calloc(cap, sizeof *bigger.ring);
    bigger.table = base_calloc(cap * 2, sizeof *bigger.table);
    if (!bigger.ring || !bigger.table) {
        arda_seen_fini(&bigger);
        return false;
    }
    /* It grows only when full, so the oldest one is at `next`. */
    for (uint32_t i = 0; i < seen->count; i++) {
        uint64_t hash = seen->ring[(seen->next + i) % seen->cap];
        bigger.ring[i] = hash;
        bigger.table[find(&bigger, hash)] = hash;
    }
    arda_seen_fini(seen);
    *seen = bigger;
    return true;
}

static uint64_t hash_of(const char *id, size_t len)
{
    uint64_t hash = base_map_hash(id, len);
    return hash ? hash : 1;
}

bool arda_seen_has(const struct arda_seen *seen, const char *id, size_t len)
{
    return seen->cap && seen->table[find(seen, hash_of(id, len))];
}

bool arda_seen_add(struct arda_seen *seen, const char *id, size_t len)
{
    uint64_t hash = hash_of(id, len);
    if (seen->cap && seen->table[find(seen, hash)])
        return true;
    if (seen->count == seen->cap && seen->cap < seen->max && !grow(seen) && !seen->cap)
        return false;
    if (seen->count == seen->cap)
        forget(seen, seen->ring[seen->next]);
    else
        seen->count++;
    seen->ring[seen->next] = hash;
    seen->next = (seen->next + 1) % seen->cap;
    seen->table[find(seen, hash)] = hash;
    return false;
}
