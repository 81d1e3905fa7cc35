/* SPDX-License-Identifier: ISC
 *
 * retry_schedule: when a delivery that has failed is tried again. Threads: any.
 */
#ifndef ARDA_DELIVERY_RETRY_SCHEDULE_H
#define ARDA_DELIVERY_RETRY_SCHEDULE_H

#include "base/err.h"

#include <stdint.h>

#define ARDA_RETRY_MAX     32
#define ARDA_RETRY_DEFAULT "0s,5s,5m,30m,2h,5h,10h,10h"

/* The pause before the first attempt, before the second, and so on. */
struct arda_retry_schedule {
    unsigned count;
    int64_t pause_ms[ARDA_RETRY_MAX];
};

/* Durations with commas between them. BASE_ERR_INVALID with the reason. */
int arda_retry_schedule_parse(const char *text, struct arda_retry_schedule *schedule,
                              struct base_why *why);

/* The pause behind `attempts` attempts, at least `least_ms` (what a receiver has asked for), with a
 * jitter of up to a fifth of it on top, so that what has failed together does not come back
 * together; `random` is any number. Negative: there is to be no further attempt. */
int64_t arda_retry_schedule_pause(const struct arda_retry_schedule *schedule, unsigned attempts,
                                  int64_t least_ms, uint32_t random);

/* How long the whole of it takes, without jitter. */
int64_t arda_retry_schedule_span(const struct arda_retry_schedule *schedule);

#endif
