/* SPDX-License-Identifier: ISC
 *
 * Tests replace the functions that read the clocks.
 */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t (*mono_override)(void);
static int64_t (*wall_override)(void);

uint64_t base_clock_mono_us(void)
{
    if (mono_override)
        return mono_override();
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

int64_t base_clock_wall_ms(void)
{
    if (wall_override)
        return wall_override();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void base_clock_replace(uint64_t (*mono_us)(void), int64_t (*wall_ms)(void))
{
    mono_override = mono_us;
    wall_override = wall_ms;
}
