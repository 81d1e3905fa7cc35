/* SPDX-License-Identifier: ISC
 *
 * In front of malloc stands a countdown, which only tests set.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Armed only by tests; a single relaxed load on the way to malloc otherwise. */
static atomic_bool armed;
static atomic_long tries, fail_from, fail_until;

void base_mem_fail(long countdown, long repeat)
{
    atomic_store(&tries, 0);
    atomic_store(&fail_from, countdown);
    atomic_store(&fail_until, countdown + repeat);
    atomic_store(&armed, 1);
}

long base_mem_tries(void)
{
    return atomic_load(&tries);
}

static int must_fail(void)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return 0;
    long now = atomic_fetch_add(&tries, 1) + 1;
    long from = atomic_load(&fail_from);
    return from > 0 && now >= from && now < atomic_load(&fail_until);
}

void *base_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *base_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *base_realloc(void *block, size_t size)
{
    return must_fail() ? NULL : realloc(block, size);
}

char *base_memdup(const char *bytes, size_t len)
{
    char *copy = base_malloc(len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *base_strdup(const char *text)
{
    return base_memdup(text, strlen(text));
}

void base_free(void *block)
{
    free(block);
}
