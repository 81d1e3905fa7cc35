/* SPDX-License-Identifier: ISC
 *
 * The nodes are in a binary heap by the time at which they are due, and know their place in it.
 */
#include "net/io/deadline.h"

#include "base/err.h"

static bool is_before(const void *deadline, const void *other)
{
    return ((const struct net_deadline *)deadline)->due_us <
           ((const struct net_deadline *)other)->due_us;
}

static void placed(void *deadline, size_t place)
{
    ((struct net_deadline *)deadline)->place = (uint32_t)place;
}

void net_deadlines_fini(struct net_deadlines *all)
{
    base_heap_fini(&all->heap);
}

int net_deadlines_reserve(struct net_deadlines *all, size_t owners)
{
    return base_heap_reserve(&all->heap, owners);
}

void net_deadline_set(struct net_deadlines *all, struct net_deadline *deadline, uint64_t due_us)
{
    uint64_t old = deadline->due_us;
    deadline->due_us = due_us;
    if (!deadline->place) {
        base_assert(all->heap.count < all->heap.cap);
        base_heap_add(&all->heap, deadline, is_before, placed);
    } else if (due_us < old) {
        base_heap_rise(&all->heap, deadline->place, deadline, is_before, placed);
    } else {
        base_heap_sink(&all->heap, deadline->place, deadline, is_before, placed);
    }
}

void net_deadline_clear(struct net_deadlines *all, struct net_deadline *deadline)
{
    size_t place = deadline->place;
    if (!place)
        return;
    deadline->place = 0;
    base_heap_remove(&all->heap, place, is_before, placed);
}

struct net_deadline *net_deadlines_take(struct net_deadlines *all, uint64_t now_us)
{
    struct net_deadline *first = base_heap_first(&all->heap);
    if (!first || first->due_us > now_us)
        return NULL;
    net_deadline_clear(all, first);
    return first;
}

bool net_deadlines_next(const struct net_deadlines *all, uint64_t *due_us)
{
    const struct net_deadline *first = base_heap_first(&all->heap);
    if (first)
        *due_us = first->due_us;
    return first;
}
