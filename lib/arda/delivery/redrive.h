/* SPDX-License-Identifier: ISC
 *
 * redrive: deliveries (delivery.h) that are to be tried once more. Threads: the loop's.
 */
#ifndef ARDA_DELIVERY_REDRIVE_H
#define ARDA_DELIVERY_REDRIVE_H

#include "base/err.h"

#include <stdint.h>

struct arda_bus;

enum arda_delivery_redriven {
    ARDA_DELIVERY_REDRIVEN,  /* it is pending and due now */
    ARDA_DELIVERY_UNDER_WAY, /* somebody is trying it just now: left as it was */
    ARDA_DELIVERY_EMPTY,     /* a digest whose members have all gone elsewhere: left as it was */
};

/* Results: 0; BASE_ERR_NOTFOUND; BASE_ERR_CLOSED, the answer was lost; BASE_ERR_AGAIN, Redis cannot
 * just now; BASE_ERR_DENIED or BASE_ERR_INTERNAL, refused, with the reason in `why`. */
typedef void (*arda_delivery_redrive_fn)(void *data, int result,
                                         enum arda_delivery_redriven redriven,
                                         const struct base_why *why);

/* Makes a delivery, whatever became of it, pending and due now, in one atomic step. The schedule
 * begins anew, attemptCount with it; the attempts stay listed. An e-mail is not held any more,
 * neither by quiet hours nor by a digest. The members of a digest wait with it; one that is
 * redriven alone leaves its digest, and a digest that nothing is left of and that has not gone out
 * is removed. Returns 0; BASE_ERR_INVALID for a tenant or id that is none; BASE_ERR_UNAVAILABLE
 * while Redis is away; BASE_ERR_NOMEM; and then `done` is not called. */
int arda_delivery_redrive(struct arda_bus *bus, const char *tenant, const char *id, int64_t now_ms,
                          arda_delivery_redrive_fn done, void *data);

#endif
