/* SPDX-License-Identifier: ISC
 *
 * seen: the ids that have come lately, so that one delivered twice counts once.
 *
 * Remembers seeded 64-bit hashes, the oldest of which make room for new ones; two different ids
 * fall together once in 2^64 / n pairs. Grows with use up to its bound. A zeroed struct with
 * `max` set is empty. Threads: one at a time.
 */
#ifndef ARDA_BUS_SEEN_H
#define ARDA_BUS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arda_seen {
    uint64_t *ring;  /* hashes in the order they came */
    uint64_t *table; /* the same for looking up; 0: free */
    uint32_t cap;    /* of the ring; the table has twice as many */
    uint32_t count;
    uint32_t next;
    uint32_t max; /* a power of two, at least 64 */
};

void arda_seen_fini(struct arda_seen *seen);
/* Whether the id was there; it is from now on. Without memory for a new one: false, and it is not
 * remembered. */
bool arda_seen_add(struct arda_seen *seen, const char *id, size_t len);
/* Whether the id is there. */
bool arda_seen_has(const struct arda_seen *seen, const char *id, size_t len);

#endif
