/* SPDX-License-Identifier: ISC
 *
 * internal: deliveries as their own files see them. Nobody else includes this.
 *
 *     delivery.c  names, and the calls whose answer says little
 *     claim.c     what is due, and the script that gives it under a lease
 *     parse.c     the answer of that script
 *     settle.c    the end of an attempt, and what it says of an endpoint
 *     release.c   giving back, putting off, digests
 *     alert.c     endpoints that were disabled, and how it all stands
 *     attend.c    which channels daemons attend to
 */
#ifndef ARDA_DELIVERY_INTERNAL_H
#define ARDA_DELIVERY_INTERNAL_H

#include "arda/bus/command.h"
#include "arda/bus/script.h"
#include "arda/delivery/delivery.h"
#include "arda/name/keys.h"
#include "base/rfc3339.h"

#define DELIVERY_MS_LEN 24 /* room for a moment in digits */

/* Digits. */
void arda_delivery_ms(int64_t ms, char out[static DELIVERY_MS_LEN]);

/* A script whose answer is two numbers, late and disabled, or an error; `argv` as
 * arda_script_call. */
int arda_delivery_change(struct arda_bus *bus, const struct arda_script *script, int argc,
                         const char *const *argv, arda_delivery_settle_fn done, void *data);

/* The claimed delivery in an element of the claim's answer. BASE_ERR_NOMEM; BASE_ERR_SYNTAX: it
 * makes no sense. */
int arda_delivery_parse(const struct redisReply *reply, const char *lease,
                        struct arda_delivery **out);

#endif
