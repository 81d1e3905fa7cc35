/* SPDX-License-Identifier: ISC
 *
 * deflate: messages and bodies compressed and expanded, RFC 7692 section 7.2 and RFC 1952; no I/O.
 *
 * One state serves everything on a thread, since nothing is carried from one message to the next
 * ("no context takeover"): 268 KB for compressing and 40 KB for expanding, each allocated when it
 * is used for the first time. The only file that knows zlib. Threads: one at a time per state.
 */
#ifndef NET_CODEC_DEFLATE_H
#define NET_CODEC_DEFLATE_H

#include "base/buf.h"

#include <stddef.h>

/* What is shorter is sent as it is, as by the reference server (its `threshold`). */
#define NET_DEFLATE_MIN_BYTES 1024
/* The same for what is compressed once for many receivers: work that is shared pays sooner. */
#define NET_DEFLATE_SHARED_MIN_BYTES 256

struct net_deflate;

/* NULL without memory. */
struct net_deflate *net_deflate_new(void);
void net_deflate_free(struct net_deflate *state);

/* The results of the functions below are borrowed until the next call on the same state. */

/* Compresses a message, for a peer with a window of 15 bits. BASE_ERR_LIMIT: it would not become
 * shorter; BASE_ERR_NOMEM. Either way it can be sent as it is. */
int net_deflate_message(struct net_deflate *state, struct base_slice message,
                        struct base_slice *out);
/* The same as a gzip file. */
int net_deflate_gzip(struct net_deflate *state, struct base_slice body, struct base_slice *out);
/* Expands what a peer has compressed. At most `max_bytes` (4 GB) come of it: BASE_ERR_LIMIT as soon
 * as there is one more. BASE_ERR_SYNTAX: broken, or cut short; BASE_ERR_NOMEM. */
int net_deflate_expand(struct net_deflate *state, struct base_slice message, size_t max_bytes,
                       struct base_slice *out);

#endif
