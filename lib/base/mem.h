/* SPDX-License-Identifier: ISC
 *
 * mem: the one door to the heap, so that tests can let the n-th allocation fail.
 *
 * All functions return NULL when memory is short; the caller says what happens then. Memory from
 * here is released with base_free and nothing else. Threads: any.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *base_malloc(size_t size);
void *base_calloc(size_t count, size_t size);
/* On failure the old block stays valid. A size of 0 is not allowed. */
void *base_realloc(void *block, size_t size);
/* A copy of `len` bytes with a NUL behind them. */
char *base_memdup(const char *bytes, size_t len);
char *base_strdup(const char *text);
void base_free(void *block); /* NULL is allowed */

/* Frees what `*pointer` points to and clears it. */
#define base_free_clear(pointer) (base_free(*(pointer)), *(pointer) = NULL)

/* For tests: the allocation number `countdown` from now (1 = the next) fails, and so do the
 * `repeat` - 1 after it. 0 switches failing off. Counts over all threads. */
void base_mem_fail(long countdown, long repeat);
/* Allocations tried since the last base_mem_fail call. */
long base_mem_tries(void);

#endif
