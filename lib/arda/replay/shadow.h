/* SPDX-License-Identifier: ISC
 *
 * shadow: tenants that exist for replays and trials. They are the members of the set PREFIX:shadows
 * (arda-events(5)); nothing is delivered outside for them. Threads: the loop's.
 */
#ifndef ARDA_REPLAY_SHADOW_H
#define ARDA_REPLAY_SHADOW_H

#include "base/err.h"

#include <stddef.h>

struct arda_bus;

/* `result` 0: it is one from now on; BASE_ERR_CLOSED, BASE_ERR_AGAIN: worth another try; others:
 * refused, `why` says how. */
typedef void (*arda_shadow_fn)(void *data, int result, const struct base_why *why);

/* Makes the tenant a shadow; to ask twice does no harm. 0 and `done` is called later;
 * BASE_ERR_UNAVAILABLE while Redis is away, BASE_ERR_NOMEM, and then it is never called. */
int arda_shadow_add(struct arda_bus *bus, const char *tenant, size_t len, arda_shadow_fn done,
                    void *data);

#endif
