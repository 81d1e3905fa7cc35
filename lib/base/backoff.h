/* SPDX-License-Identifier: ISC
 *
 * backoff: pauses between tries that grow and differ, so that many who lost the same peer at the
 * same time do not come back at the same time. Threads: one at a time.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/* Set the first two; the third is 0 at the beginning. */
struct base_backoff {
    uint32_t first_ms, most_ms;
    uint32_t next_ms;
};

/* The pause before the next try in milliseconds: between half of the present bound and all of it.
 * The bound begins with first_ms and doubles with each call, up to most_ms. */
uint32_t base_backoff_pause(struct base_backoff *backoff);
/* A try was good: the next pause is a first one. */
void base_backoff_reset(struct base_backoff *backoff);

#endif
