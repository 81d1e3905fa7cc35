/* SPDX-License-Identifier: ISC
 *
 * quantile: percentiles of many values in little memory.
 *
 * Values are counted in classes whose width is at most 1/64 of the value, so that a percentile is
 * at most 1.6 % above the true one; the largest value is exact, and below 128 every value is. A
 * zeroed struct is empty. Threads: one at a time.
 */
#ifndef BASE_QUANTILE_H
#define BASE_QUANTILE_H

#include <stdint.h>

#define BASE_QUANTILE_CLASSES (128 + 57 * 64)

struct base_quantile {
    uint64_t count;
    uint64_t max;
    uint64_t classes[BASE_QUANTILE_CLASSES];
};

void base_quantile_add(struct base_quantile *quantile, uint64_t value);
/* The value that `share` (0 to 1) of all values do not exceed; 0 when there are none. */
uint64_t base_quantile_get(const struct base_quantile *quantile, double share);

#endif
