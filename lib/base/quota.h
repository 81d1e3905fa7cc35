/* SPDX-License-Identifier: ISC
 *
 * quota: how many of something each key has, and no more than so many. Keys cost memory only while
 * they have any. Threads: any.
 */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include "base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct base_quota {
    pthread_mutex_t lock;
    struct base_map keys;
    uint32_t max; /* of each key; 0: no bound, and nothing is counted */
};

void base_quota_init(struct base_quota *quota, uint32_t max);
void base_quota_fini(struct base_quota *quota);
/* 0; BASE_ERR_LIMIT when the key has `max` already; BASE_ERR_NOMEM. */
int base_quota_take(struct base_quota *quota, const char *key, size_t len);
/* Gives back what was taken. */
void base_quota_give(struct base_quota *quota, const char *key, size_t len);

#endif
