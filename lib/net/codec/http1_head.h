/* SPDX-License-Identifier: ISC
 *
 * http1_head: the head of a request: tokenised by llhttp or http-parser, checked against RFC 9112
 * beyond what they do. Of http1; the only file that includes their headers is http1_head.c.
 * Threads: one at a time.
 */
#ifndef NET_CODEC_HTTP1_HEAD_H
#define NET_CODEC_HTTP1_HEAD_H

#include "base/buf.h"
#include "net/codec/http1.h"

#include <stdbool.h>

#define NET_HTTP1_FIELDS_MAX 256 /* header lines; more is 431 */

struct net_http1_field {
    struct base_slice name;
    struct base_slice value;
};

/* The header fields of one request; zeroed: none. */
struct net_http1_fields {
    struct base_buf table;  /* of struct net_http1_field */
    struct base_buf joined; /* values that were joined; never grows once there are some */
};

void net_http1_fields_fini(struct net_http1_fields *fields);
/* Forgets the fields; buffers larger than `keep_max_bytes` are freed. */
void net_http1_fields_reset(struct net_http1_fields *fields, size_t keep_max_bytes);
/* `name` is in lower case. The value, or data NULL. */
struct base_slice net_http1_fields_find(const struct net_http1_fields *fields, const char *name);

/* Parses a whole head, whose lines net_http1_lines has passed, into `request` and `fields`, which
 * borrow from it. 0, or the status to answer: 400, 431, 500, 501, 505. */
int net_http1_head_parse(struct base_slice head, struct net_http1_request *request,
                         struct net_http1_fields *fields, bool *chunked);

#endif
