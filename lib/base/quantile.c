/* SPDX-License-Identifier: ISC
 *
 * Below 128 a value is its class. Above, the seven highest bits of a value and how far they are
 * shifted tell the class: 64 classes for each doubling, as the highest bit is always set.
 */
#include "base/quantile.h"

#define EXACT 128
#define STEPS 64 /* for each doubling */

static unsigned class_of(uint64_t value)
{
    if (value < EXACT)
        return (unsigned)value;
    unsigned shift = 57u - (unsigned)__builtin_clzll(value);
    return EXACT + (shift - 1) * STEPS + (unsigned)(value >> shift) - STEPS;
}

static uint64_t largest_of(unsigned class)
{
    if (class < EXACT)
        return class;
    unsigned shift = (class - EXACT) / STEPS + 1;
    uint64_t bits = (class - EXACT) % STEPS + STEPS;
    return (bits << shift) + ((UINT64_C(1) << shift) - 1);
}

void base_quantile_add(struct base_quantile *quantile, uint64_t value)
{
    quantile->count++;
    quantile->classes[class_of(value)]++;
    if (value > quantile->max)
        quantile->max = value;
}

uint64_t base_quantile_get(const struct base_quantile *quantile, double share)
{
    double exactly = share * (double)quantile->count;
    uint64_t wanted = (uint64_t)exactly, seen = 0;
    wanted += (double)wanted < exactly;
    for (unsigned class = 0; class < BASE_QUANTILE_CLASSES; class ++) {
        seen += quantile->classes[class];
        if (seen == 0 || seen < wanted)
            continue;
        uint64_t value = largest_of(class);
        return value < quantile->max ? value : quantile->max;
    }
    return quantile->max;
}
