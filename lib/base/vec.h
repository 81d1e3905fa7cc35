/* SPDX-License-Identifier: ISC
 *
 * vec: an array that grows: a pointer to its items, their number, and how many there is room for,
 * which are the owner's. Items are moved when it grows. To be freed with base_free. Threads: one at
 * a time.
 *
 *     struct point *points = NULL;
 *     size_t count = 0, cap = 0;
 *     if (BASE_VEC_RESERVE(points, cap, count + 1) < 0)
 *         return BASE_ERR_NOMEM;
 *     points[count++] = point;
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

/* Room for `need` items in all; it at least doubles. 0, or BASE_ERR_NOMEM, and then nothing has
 * changed. */
#define BASE_VEC_RESERVE(items, cap, need)                                                         \
    base_vec_reserve(&(items), &(cap), sizeof *(items), (need))

/* `items` points to a pointer. */
int base_vec_reserve(void *items, size_t *cap, size_t item_size, size_t need);

#endif
