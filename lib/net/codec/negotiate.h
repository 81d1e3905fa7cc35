/* SPDX-License-Identifier: ISC
 *
 * negotiate: what a client's headers say about compression: Sec-WebSocket-Extensions (RFC 6455
 * section 9.1, RFC 7692 sections 5 to 7) and Accept-Encoding (RFC 9110 section 12.5.3).
 * Threads: any.
 */
#ifndef NET_CODEC_NEGOTIATE_H
#define NET_CODEC_NEGOTIATE_H

#include "base/buf.h"

#include <stdbool.h>

/* The answer to the first offer of permessage-deflate in the list that can be taken, as the value
 * of a Sec-WebSocket-Extensions header; NULL when there is none. Taken is an offer whose parameters
 * are all known, well-formed and given once, and which leaves the server a window of 15 bits: what
 * is compressed once for all reaches back that far. What stands behind an offer that breaks the
 * grammar is not looked at. An absent header has data NULL. */
const char *net_negotiate_deflate(struct base_slice extensions);

/* Whether an answer may be gzip'd: named, or covered by `*`, and not with a weight of 0. */
bool net_negotiate_gzip(struct base_slice accept_encoding);

#endif
