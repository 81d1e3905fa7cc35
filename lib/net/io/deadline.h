/* SPDX-License-Identifier: ISC
 *
 * deadline: when something is due, for very many things at once.
 *
 * A binary heap of 16-byte nodes that are members of what they belong to; one timer of the loop
 * serves them all. Threads: one at a time.
 */
#ifndef NET_IO_DEADLINE_H
#define NET_IO_DEADLINE_H

#include "base/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_deadline {
    uint64_t due_us;
    uint32_t place; /* in the heap, from 1; 0: not set */
    uint32_t kind;  /* of the owner, so that it finds the struct around the node */
};

struct net_deadlines {
    struct base_heap heap;
};

void net_deadlines_fini(struct net_deadlines *all);
/* Makes room for one more node to be set at any time. To be called when its owner is made, so that
 * setting cannot fail. 0, or BASE_ERR_NOMEM. */
int net_deadlines_reserve(struct net_deadlines *all, size_t owners);
/* Sets or moves it. */
void net_deadline_set(struct net_deadlines *all, struct net_deadline *deadline, uint64_t due_us);
void net_deadline_clear(struct net_deadlines *all, struct net_deadline *deadline);
/* Takes the first one that is due at `now_us`; NULL when none is. */
struct net_deadline *net_deadlines_take(struct net_deadlines *all, uint64_t now_us);
/* When the first one is due; false when none is set. */
bool net_deadlines_next(const struct net_deadlines *all, uint64_t *due_us);

#endif
