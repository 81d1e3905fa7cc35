/* SPDX-License-Identifier: ISC
 *
 * http1_chunked: the chunked transfer coding of a request, RFC 9112 section 7.1. Extensions and
 * trailers are checked, bounded and left out. Of http1. Threads: one at a time.
 */
#ifndef NET_CODEC_HTTP1_CHUNKED_H
#define NET_CODEC_HTTP1_CHUNKED_H

#include "base/buf.h"
#include "net/codec/http1_lines.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing read yet. */
struct net_http1_chunked {
    uint64_t left;     /* of the chunk; while its size is read: the size so far */
    uint64_t overhead; /* bytes so far that were not data */
    struct net_http1_lines trailers;
    uint8_t state;
};

/* Appends the data of the chunks to `body`. 1: the body ended after `*used` bytes. 0: all bytes
 * taken. BASE_ERR_SYNTAX; BASE_ERR_NOMEM; BASE_ERR_LIMIT: over `max_body_bytes`, decided from the
 * size of the chunk, or far more extensions and trailers than data. */
int net_http1_chunked_feed(struct net_http1_chunked *chunked, size_t max_body_bytes,
                           struct base_buf *body, const char *data, size_t len, size_t *used);

#endif
