/* SPDX-License-Identifier: ISC
 *
 * http1: requests of HTTP/1.1 (RFC 9110, RFC 9112) for a server; no I/O.
 *
 * The tokenising is llhttp's or http-parser's; this module collects what they yield, bounds it and
 * refuses what they let through and RFC 9112 does not, among it: blanks in the request line other
 * than the two, a target with other characters than visible ASCII or with a fragment, an HTTP/1.1
 * request without Host (it may be empty), and any request with two of them. One parser reads one
 * request after another from a connection; between requests it holds nothing. Threads: one at a
 * time per parser.
 */
#ifndef NET_CODEC_HTTP1_H
#define NET_CODEC_HTTP1_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_HTTP1_HEAD_MAX 16384 /* bytes of request line and headers by default; more is 431 */

enum net_http1_method {
    NET_HTTP1_GET,
    NET_HTTP1_POST,
    NET_HTTP1_OPTIONS,
    NET_HTTP1_HEAD_METHOD,
    NET_HTTP1_OTHER,
};

/* A request whose head is complete. All slices live until the parser is fed the next request. */
struct net_http1_request {
    enum net_http1_method method;
    struct base_slice path;  /* of an origin-form or absolute-form target, as sent */
    struct base_slice query; /* without the question mark, as sent */
    bool keep_alive;         /* what the peer wants: version and Connection considered */
    bool websocket; /* a GET of HTTP/1.1 without a body, Connection: upgrade, Upgrade: websocket */
    bool expect_continue; /* 100 is awaited before the body */
    bool http10;
    bool has_body;          /* one is announced, and it is not empty */
    int64_t content_length; /* -1: none, or chunked */
    struct base_buf body;   /* complete at NET_HTTP1_DONE; may be changed by the reader */
};

enum net_http1_event {
    NET_HTTP1_MORE = 0, /* everything taken, feed more */
    NET_HTTP1_HEAD,     /* the head is complete; feed the rest for the body, even if it is empty */
    NET_HTTP1_DONE,     /* the request is complete; the next byte belongs to the next one */
};

struct net_http1;

/* NULL without memory. */
struct net_http1 *net_http1_new(void);
void net_http1_free(struct net_http1 *http);
/* Between requests. At most 64 KB, where the tokenisers end. */
void net_http1_limit_head(struct net_http1 *http, size_t max_bytes);
/* Ready for the next request; keeps small buffers for it, frees large ones. */
void net_http1_reset(struct net_http1 *http);
/* True when no byte of a request has been taken since the last reset (whole blank lines
 * between requests do not count). */
bool net_http1_idle(const struct net_http1 *http);

/* Takes bytes up to the next event. A body over `max_body_bytes` ends with status 413: when the
 * size of a chunk says so, or, if Content-Length does, in the feed after HEAD, so that the head can
 * be looked at. After a HEAD with `websocket` set the bytes behind it are frames: not to be fed
 * here (a feed gives DONE and takes none). Bytes fed after a DONE reset the parser and begin the
 * next request. Negative: BASE_ERR_SYNTAX, BASE_ERR_LIMIT or BASE_ERR_NOMEM; net_http1_status tells
 * what to answer, and the connection is to be closed; further feeds take nothing and say the same.
 * Extensions of chunks and trailers are left out; many more of them than data is 413 too. */
int net_http1_feed(struct net_http1 *http, size_t max_body_bytes, const char *data, size_t len,
                   size_t *used);
/* 400, 413, 431 (also more than 256 header lines), 501 (unknown transfer coding, CONNECT), 505, 500
 * after an error. */
int net_http1_status(const struct net_http1 *http);

/* Valid from HEAD on, until the next reset. */
struct net_http1_request *net_http1_request(struct net_http1 *http);
/* The head as it has come, from the request line to the empty line. Borrowed likewise. */
struct base_slice net_http1_head(const struct net_http1 *http);
/* The value of a header (name in lower case), trimmed; several of one name are joined by ", ".
 * An empty slice with data NULL when absent. */
struct base_slice net_http1_header(struct net_http1 *http, const char *name);

/* The value of a query parameter, percent-decoded ('+' is a blank), appended to `out`; of repeated
 * ones the first counts. Names may be percent-encoded too. 1: found; 0: absent; BASE_ERR_SYNTAX: a
 * bad escape in the value; BASE_ERR_NOMEM; `out` is unchanged unless it was found. */
int net_http1_query(struct base_slice query, const char *name, struct base_buf *out);

#endif
