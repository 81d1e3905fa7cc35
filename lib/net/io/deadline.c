/* SPDX-License-Identifier: ISC */
#include "net/io/deadline.h"

#include "base/err.h"
#include "base/mem.h"

void net_deadlines_fini(struct net_deadlines *all)
{
    base_free(all->heap);
    *all = (struct net_deadlines){0};
}

int net_deadlines_reserve(struct net_deadlines *all, size_t owners)
{
    if (owners + 1 <= all->cap)
        return BASE_OK;
    size_t cap = all->cap ? all->cap * 2 : 64;
    while (cap < owners + 1)
        cap *= 2;
    struct net_deadline **heap = base_realloc(all->heap, cap * sizeof(struct net_deadline *));
    if (!heap)
        return BASE_ERR_NOMEM;
    all->heap = heap;
    all->cap = cap;
    return BASE_OK;
}

static void put(struct net_deadlines *all, size_t place, struct net_deadline *deadline)
{
    all->heap[place] = deadline;
    deadline->place = (uint32_t)place;
}

static void sift_up(struct net_deadlines *all, size_t place, struct net_deadline *deadline)
{
    for (; place > 1 && all->heap[place / 2]->due_us > deadline->due_us; place /= 2)
        put(all, place, all->heap[place / 2]);
    put(all, place, deadline);
}

static void sift_down(struct net_deadlines *all, size_t place, struct net_deadline *deadline)
{
    for (size_t child; (child = place * 2) <= all->count; place = child) {
        if (child < all->count && all->heap[child + 1]->due_us < all->heap[child]->due_us)
            child++;
        if (all->heap[child]->due_us >= deadline->due_us)
            break;
        put(all, place, all->heap[child]);
    }
    put(all, place, deadline);
}

void net_deadline_set(struct net_deadlines *all, struct net_deadline *deadline, uint64_t due_us)
{
    uint64_t old = deadline->due_us;
    deadline->due_us = due_us;
    if (!deadline->place) {
        base_assert(all->count + 1 < all->cap);
        sift_up(all, ++all->count, deadline);
    } else if (due_us < old) {
        sift_up(all, deadline->place, deadline);
    } else {
        sift_down(all, deadline->place, deadline);
    }
}

void net_deadline_clear(struct net_deadlines *all, struct net_deadline *deadline)
{
    size_t place = deadline->place;
    if (!place)
        return;
    deadline->place = 0;
    struct net_deadline *last = all->heap[all->count--];
    if (last == deadline)
        return;
    if (place > 1 && all->heap[place / 2]->due_us > last->due_us)
        sift_up(all, place, last);
    else
        sift_down(all, place, last);
}

struct net_deadline *net_deadlines_take(struct net_deadlines *all, uint64_t now_us)
{
    if (!all->count || all->heap[1]->due_us > now_us)
        return NULL;
    struct net_deadline *first = all->heap[1];
    net_deadline_clear(all, first);
    return first;
}

bool net_deadlines_next(const struct net_deadlines *all, uint64_t *due_us)
{
    if (!all->count)
        return false;
    *due_us = all->heap[1]->due_us;
    return true;
}
