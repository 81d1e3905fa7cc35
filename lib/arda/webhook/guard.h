/* SPDX-License-Identifier: ISC
 *
 * guard: which addresses a webhook may be sent to. A tenant names the URL, and must not
 * reach with it what only this machine and its network can reach.
 *
 * Asked of the address a socket is about to connect to, so that neither a name that resolves to
 * something else the second time nor an odd spelling gets past it. The table is that of IANA's
 * registries of special-purpose addresses (RFC 6890). Threads: any.
 */
#ifndef ARDA_WEBHOOK_GUARD_H
#define ARDA_WEBHOOK_GUARD_H

#include "base/block.h"

struct sockaddr;

/* NULL when the address may be used: it is an ordinary one, or in one of the blocks `allowed`. Else
 * what it is, such as "a loopback address"; static storage. An IPv4 address that an IPv6 one
 * carries (mapped, compatible, NAT64, 6to4) is judged as itself; a family that is neither is
 * refused. */
const char *arda_webhook_guard(const struct sockaddr *address, const struct base_block *allowed,
                               size_t allowed_count);

#endif
