/* SPDX-License-Identifier: ISC */
#include "base/quota.h"

#include "base/err.h"

/* The map's values are the counts themselves. */
static uint32_t count_of(struct base_quota *quota, const char *key, size_t len)
{
    return (uint32_t)(uintptr_t)base_map_get(&quota->keys, key, len);
}

static int set_count(struct base_quota *quota, const char *key, size_t len, uint32_t count)
{
    return base_map_set(&quota->keys, key, len, (void *)(uintptr_t)count);
}

void base_quota_init(struct base_quota *quota, uint32_t max)
{
    pthread_mutex_init(&quota->lock, NULL);
    quota->keys = (struct base_map){0};
    quota->max = max;
}

void base_quota_fini(struct base_quota *quota)
{
    base_map_fini(&quota->keys);
    pthread_mutex_destroy(&quota->lock);
}

int base_quota_take(struct base_quota *quota, const char *key, size_t len)
{
    if (!quota->max)
        return BASE_OK;
    pthread_mutex_lock(&quota->lock);
    uint32_t count = count_of(quota, key, len);
    int failed = count < quota->max ? set_count(quota, key, len, count + 1) : BASE_ERR_LIMIT;
    pthread_mutex_unlock(&quota->lock);
    return failed;
}

void base_quota_give(struct base_quota *quota, const char *key, size_t len)
{
    if (!quota->max)
        return;
    pthread_mutex_lock(&quota->lock);
    uint32_t count = count_of(quota, key, len);
    if (count > 1)
        (void)set_count(quota, key, len, count - 1); /* replacing needs no memory */
    else
        base_map_remove(&quota->keys, key, len);
    pthread_mutex_unlock(&quota->lock);
}
