/* SPDX-License-Identifier: ISC
 *
 * heap: a binary heap of pointers, the first item on top. Its functions are inline, so that a
 * comparison that is known at compile time costs no call. Threads: one at a time.
 *
 * `before` tells whether an item comes before another one. `placed`, which may be NULL, is told
 * where an item stands now, from 1, so that its owner can take it out or move it.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/mem.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stddef.h>

struct base_heap {
    void **items;
    size_t count, cap;
};

#define BASE_HEAP_INLINE static inline __attribute__((always_inline))

typedef bool (*base_heap_before_fn)(const void *item, const void *other);
typedef void (*base_heap_placed_fn)(void *item, size_t place);

static inline void base_heap_fini(struct base_heap *heap)
{
    base_free(heap->items);
    *heap = (struct base_heap){0};
}

/* Room for so many items in all. 0, or BASE_ERR_NOMEM. */
static inline int base_heap_reserve(struct base_heap *heap, size_t count)
{
    return BASE_VEC_RESERVE(heap->items, heap->cap, count);
}

/* NULL: it is empty. */
static inline void *base_heap_first(const struct base_heap *heap)
{
    return heap->count ? heap->items[0] : NULL;
}

BASE_HEAP_INLINE void base_heap_put_(struct base_heap *heap, size_t place, void *item,
                                     base_heap_placed_fn placed)
{
    heap->items[place - 1] = item;
    if (placed)
        placed(item, place);
}

/* The item belongs at `place` or nearer to the top. */
BASE_HEAP_INLINE void base_heap_rise(struct base_heap *heap, size_t place, void *item,
                                     base_heap_before_fn before, base_heap_placed_fn placed)
{
    for (; place > 1 && before(item, heap->items[place / 2 - 1]); place /= 2)
        base_heap_put_(heap, place, heap->items[place / 2 - 1], placed);
    base_heap_put_(heap, place, item, placed);
}

/* ... or farther from it. */
BASE_HEAP_INLINE void base_heap_sink(struct base_heap *heap, size_t place, void *item,
                                     base_heap_before_fn before, base_heap_placed_fn placed)
{
    for (size_t child; (child = place * 2) <= heap->count; place = child) {
        if (child < heap->count && before(heap->items[child], heap->items[child - 1]))
            child++;
        if (!before(heap->items[child - 1], item))
            break;
        base_heap_put_(heap, place, heap->items[child - 1], placed);
    }
    base_heap_put_(heap, place, item, placed);
}

/* There has to be room. */
BASE_HEAP_INLINE void base_heap_add(struct base_heap *heap, void *item, base_heap_before_fn before,
                                    base_heap_placed_fn placed)
{
    base_heap_rise(heap, ++heap->count, item, before, placed);
}

/* Takes out the item at `place`. */
BASE_HEAP_INLINE void base_heap_remove(struct base_heap *heap, size_t place,
                                       base_heap_before_fn before, base_heap_placed_fn placed)
{
    void *last = heap->items[--heap->count];
    if (place > heap->count)
        return;
    if (place > 1 && before(last, heap->items[place / 2 - 1]))
        base_heap_rise(heap, place, last, before, placed);
    else
        base_heap_sink(heap, place, last, before, placed);
}

#endif
