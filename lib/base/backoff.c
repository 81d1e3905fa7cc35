/* SPDX-License-Identifier: ISC
 *
 * Without random numbers the pause is half of the bound: to try again matters more than to differ.
 */
#include "base/backoff.h"

#include "base/crypto.h"

uint32_t base_backoff_pause(struct base_backoff *backoff)
{
    uint32_t random = 0, bound = backoff->next_ms ? backoff->next_ms : backoff->first_ms;
    (void)base_crypto_random(&random, sizeof random);
    backoff->next_ms = bound > backoff->most_ms / 2 ? backoff->most_ms : bound * 2;
    return bound / 2 + random % (bound / 2 + 1);
}

void base_backoff_reset(struct base_backoff *backoff)
{
    backoff->next_ms = 0;
}
