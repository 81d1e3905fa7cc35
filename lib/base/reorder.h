/* SPDX-License-Identifier: ISC
 *
 * reorder: what comes nearly in order of time, put in order, within bounds.
 *
 * An item is held back until one has come that is younger by the window, or until there are too
 * many or too large ones; then the oldest goes first. Of equal times the one that came first does.
 * What comes out, and in which order, depends on what went in alone. A binary heap. A zeroed struct
 * with its settings is empty. Threads: one at a time.
 */
#ifndef BASE_REORDER_H
#define BASE_REORDER_H

#include "base/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member of what is put in order. */
struct base_reorder_item {
    int64_t time_ms;
    uint64_t number; /* set by base_reorder_add */
    size_t bytes;    /* that it counts for */
};

struct base_reorder {
    int64_t window_ms;
    size_t max_items;
    size_t max_bytes;

    struct base_heap heap;
    size_t bytes;
    uint64_t added;
    int64_t youngest_ms; /* of all that came */
    bool flushing;
};

/* Frees the heap, not the items. */
void base_reorder_fini(struct base_reorder *reorder);
/* 0, or BASE_ERR_NOMEM. */
int base_reorder_add(struct base_reorder *reorder, struct base_reorder_item *item);
/* The next one whose turn has come, or NULL. */
struct base_reorder_item *base_reorder_next(struct base_reorder *reorder);
/* No more will come: all have their turn, until the next is added. */
void base_reorder_flush(struct base_reorder *reorder);

#endif
