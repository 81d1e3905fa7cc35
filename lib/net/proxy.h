/* SPDX-License-Identifier: ISC
 *
 * proxy: which peers are proxies of ours, and what they say of the client behind them with
 * X-Forwarded-For and X-Forwarded-Proto. No I/O. Threads: any.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A block of addresses; IPv4 as IPv4-mapped IPv6. */
struct net_block {
    uint8_t bytes[16];
    uint8_t bits;
};

/* "10.0.0.0/8", "::1", "fd00::/8". BASE_ERR_INVALID with the reason. */
int net_block_parse(const char *text, struct net_block *block, struct base_why *why);
/* `host`: an address as text without a port, brackets or a zone. */
bool net_block_has(const struct net_block *blocks, size_t count, struct base_slice host);

/* The client's address out of X-Forwarded-For, which `peer` has sent: the last one that is not a
 * proxy of ours, or `peer` itself when that is none or the header makes no sense. The result lies
 * in one of the arguments. */
struct base_slice net_proxy_client(const struct net_block *blocks, size_t count,
                                   struct base_slice peer, struct base_slice forwarded_for);
/* Whether X-Forwarded-Proto's last value is https. */
bool net_proxy_is_https(struct base_slice forwarded_proto);

#endif
