/* SPDX-License-Identifier: ISC
 *
 * Items wait in a heap by time, those of one time in the order in which they came.
 */
#include "base/reorder.h"

#include "base/err.h"

static bool is_before(const void *item, const void *other)
{
    const struct base_reorder_item *a = item, *b = other;
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->number < b->number;
}

void base_reorder_fini(struct base_reorder *reorder)
{
    base_heap_fini(&reorder->heap);
    reorder->bytes = 0;
}

int base_reorder_add(struct base_reorder *reorder, struct base_reorder_item *item)
{
    if (base_heap_reserve(&reorder->heap, reorder->heap.count + 1) < 0)
        return BASE_ERR_NOMEM;
    if (reorder->added == 0 || item->time_ms > reorder->youngest_ms)
        reorder->youngest_ms = item->time_ms;
    item->number = reorder->added++;
    reorder->bytes += item->bytes;
    reorder->flushing = false;
    base_heap_add(&reorder->heap, item, is_before, NULL);
    return BASE_OK;
}

struct base_reorder_item *base_reorder_next(struct base_reorder *reorder)
{
    struct base_reorder_item *first = base_heap_first(&reorder->heap);
    if (!first)
        return NULL;
    /* Without a sign: the two may lie further apart than an int64_t tells. */
    uint64_t lead_ms = (uint64_t)reorder->youngest_ms - (uint64_t)first->time_ms;
    bool full = reorder->heap.count > reorder->max_items || reorder->bytes > reorder->max_bytes;
    if (!reorder->flushing && !full && lead_ms < (uint64_t)reorder->window_ms)
        return NULL;
    base_heap_remove(&reorder->heap, 1, is_before, NULL);
    reorder->bytes -= first->bytes;
    return first;
}

void base_reorder_flush(struct base_reorder *reorder)
{
    reorder->flushing = true;
}
