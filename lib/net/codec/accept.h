/* SPDX-License-Identifier: ISC
 *
 * accept: what a peer of HTTP would rather have (RFC 9110 section 12.5.1). No I/O. Threads: any.
 */
#ifndef NET_CODEC_ACCEPT_H
#define NET_CODEC_ACCEPT_H

#include "base/buf.h"

/* How much the media type `type` ("text/plain") is wanted by an Accept header, 0 (not) to 1000: the
 * weight of the range that names it most closely. Parameters of ranges other than `q` are left out
 * of account, ranges that make no sense too. A header with data NULL, which is absent, wants all.
 */
unsigned net_accept_weight(struct base_slice accept, const char *type);

#endif
