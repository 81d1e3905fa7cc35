/* SPDX-License-Identifier: ISC
 *
 * clock: the two clocks, replaceable by tests. Threads: reading, any; replacing, before threads.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds of a clock that never goes back; its zero means nothing. */
uint64_t base_clock_mono_us(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t base_clock_wall_ms(void);

/* Tests put functions of their own here; NULL restores the system's clock. */
void base_clock_replace(uint64_t (*mono_us)(void), int64_t (*wall_ms)(void));

#endif
