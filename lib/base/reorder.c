/* SPDX-License-Identifier: ISC */
#include "base/reorder.h"

#include "base/err.h"
#include "base/mem.h"

#define FIRST_ITEMS 64

static bool is_before(const struct base_reorder_item *a, const struct base_reorder_item *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->number < b->number;
}

static int grow(struct base_reorder *reorder)
{
    size_t cap = reorder->cap ? reorder->cap * 2 : FIRST_ITEMS;
    struct base_reorder_item **heap = base_realloc(reorder->heap, cap * sizeof(void *));
    if (!heap)
        return BASE_ERR_NOMEM;
    reorder->heap = heap;
    reorder->cap = cap;
    return BASE_OK;
}

void base_reorder_fini(struct base_reorder *reorder)
{
    base_free_clear(&reorder->heap);
    reorder->count = reorder->cap = reorder->bytes = 0;
}

int base_reorder_add(struct base_reorder *reorder, struct base_reorder_item *item)
{
    if (reorder->count == reorder->cap && grow(reorder) < 0)
        return BASE_ERR_NOMEM;
    if (reorder->added == 0 || item->time_ms > reorder->youngest_ms)
        reorder->youngest_ms = item->time_ms;
    item->number = reorder->added++;
    reorder->bytes += item->bytes;
    reorder->flushing = false;
    size_t at = reorder->count++;
    for (; at > 0 && is_before(item, reorder->heap[(at - 1) / 2]); at = (at - 1) / 2)
        reorder->heap[at] = reorder->heap[(at - 1) / 2];
    reorder->heap[at] = item;
    return BASE_OK;
}

/* Takes the root out and lets the last one sink from there. */
static void remove_first(struct base_reorder *reorder)
{
    struct base_reorder_item *last = reorder->heap[--reorder->count];
    size_t at = 0;
    for (size_t child; (child = at * 2 + 1) < reorder->count; at = child) {
        if (child + 1 < reorder->count && is_before(reorder->heap[child + 1], reorder->heap[child]))
            child++;
        if (!is_before(reorder->heap[child], last))
            break;
        reorder->heap[at] = reorder->heap[child];
    }
    reorder->heap[at] = last;
}

struct base_reorder_item *base_reorder_next(struct base_reorder *reorder)
{
    if (reorder->count == 0)
        return NULL;
    struct base_reorder_item *first = reorder->heap[0];
    /* Without a sign: the two may lie further apart than an int64_t tells. */
    uint64_t lead_ms = (uint64_t)reorder->youngest_ms - (uint64_t)first->time_ms;
    bool full = reorder->count > reorder->max_items || reorder->bytes > reorder->max_bytes;
    if (!reorder->flushing && !full && lead_ms < (uint64_t)reorder->window_ms)
        return NULL;
    remove_first(reorder);
    reorder->bytes -= first->bytes;
    return first;
}

void base_reorder_flush(struct base_reorder *reorder)
{
    reorder->flushing = true;
}
