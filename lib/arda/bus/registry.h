/* SPDX-License-Identifier: ISC
 *
 * registry: how gateways find each other: the key PREFIX:gateway:ID says where the one of that
 * number listens for the others, and goes away with it; arda-events(5). Threads: the loop's only.
 */
#ifndef ARDA_BUS_REGISTRY_H
#define ARDA_BUS_REGISTRY_H

#include "arda/bus.h"
#include "base/buf.h"

#include <stdbool.h>

#define ARDA_REGISTRY_TTL_S 30

/* `result` is 0; BASE_ERR_DENIED: the number is taken; BASE_ERR_NOTFOUND; others: Redis did not
 * say. `address` is what was found, borrowed for the call. */
typedef void (*arda_registry_fn)(void *data, int result, struct base_slice address);

/* All return 0, or BASE_ERR_UNAVAILABLE or BASE_ERR_NOMEM, and then `done` is not called. */

/* Takes a number that nobody has. */
int arda_registry_claim(struct arda_bus *bus, uint16_t id, const char *address,
                        arda_registry_fn done, void *data);
/* Keeps it for another while, also when it has expired meanwhile. */
int arda_registry_refresh(struct arda_bus *bus, uint16_t id, const char *address,
                          arda_registry_fn done, void *data);
int arda_registry_release(struct arda_bus *bus, uint16_t id, arda_registry_fn done, void *data);
int arda_registry_find(struct arda_bus *bus, uint16_t id, arda_registry_fn done, void *data);

/* Which of the numbers somebody has: `present`, one for each of `ids`; both borrowed for the call,
 * and `count` is 0 with a `result` that is not 0. `ids` is copied. */
typedef void (*arda_registry_which_fn)(void *data, int result, const uint16_t *ids,
                                       const bool *present, size_t count);
int arda_registry_which(struct arda_bus *bus, const uint16_t *ids, size_t count,
                        arda_registry_which_fn done, void *data);

#endif
