/* SPDX-License-Identifier: ISC
 *
 * proxy: which peers are proxies of ours, and what they say of the client behind them with
 * X-Forwarded-For and X-Forwarded-Proto. No I/O. Threads: any.
 */
#ifndef NET_CODEC_PROXY_H
#define NET_CODEC_PROXY_H

#include "base/block.h"

#include <stdbool.h>

/* The client's address out of X-Forwarded-For, which `peer` has sent: the last one that is not a
 * proxy of ours, or `peer` itself when that is none or the header makes no sense. The result lies
 * in one of the arguments. */
struct base_slice net_proxy_client(const struct base_block *blocks, size_t count,
                                   struct base_slice peer, struct base_slice forwarded_for);
/* Whether X-Forwarded-Proto's last value is https. */
bool net_proxy_is_https(struct base_slice forwarded_proto);

#endif
