/* SPDX-License-Identifier: ISC
 *
 * link: what two servers say to each other on the connection over which one passes requests on to
 * the other; arda-protocol(7), "LINKS BETWEEN GATEWAYS". No I/O.
 *
 * The server that accepts begins with a nonce. The one that has connected answers with a greeting:
 * protocol, both numbers, a nonce of its own, and proof that it knows the secret. The other proves
 * the same. Then frames follow, in which any number of streams share the connection; the side that
 * has connected opens them. Each side of a stream may send NET_LINK_WINDOW bytes, and as many again
 * as the other has given credit for. Numbers are big-endian. Threads: any.
 */
#ifndef NET_CODEC_LINK_H
#define NET_CODEC_LINK_H

#include "base/buf.h"
#include "base/crypto.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NET_LINK_NONCE_LEN    32
#define NET_LINK_GREETING_LEN (8 + NET_LINK_NONCE_LEN + BASE_SHA256_LEN)
#define NET_LINK_HEADER_LEN   9
#define NET_LINK_DATA_MAX     (64 * 1024)
#define NET_LINK_WINDOW       (256 * 1024)

/* ---- the beginning ---- */

struct net_link_greeting {
    uint16_t from;
    uint16_t to;
    uint8_t nonce[NET_LINK_NONCE_LEN];
};

/* `theirs` is the nonce of the server that has accepted. 0, or BASE_ERR_INTERNAL. */
int net_link_greet(const struct net_link_greeting *greeting, const uint8_t *theirs,
                   struct base_slice secret, uint8_t out[static NET_LINK_GREETING_LEN]);
/* BASE_ERR_SYNTAX for another protocol; BASE_ERR_DENIED without the proof. */
int net_link_check(const uint8_t greeting[static NET_LINK_GREETING_LEN], const uint8_t *nonce,
                   struct base_slice secret, struct net_link_greeting *out);
/* The proof with which the server that has accepted answers. 0, or BASE_ERR_INTERNAL. */
int net_link_prove(const struct net_link_greeting *greeting, const uint8_t *nonce,
                   struct base_slice secret, uint8_t out[static BASE_SHA256_LEN]);

/* ---- frames ---- */

enum net_link_type {
    NET_LINK_OPEN,   /* a new stream */
    NET_LINK_DATA,   /* 1 to NET_LINK_DATA_MAX bytes of it */
    NET_LINK_EOF,    /* no more will come, and the stream has ended in both directions */
    NET_LINK_RESET,  /* it has broken off */
    NET_LINK_CREDIT, /* four bytes: how many more may be sent */
};

struct net_link_frame {
    enum net_link_type type;
    uint32_t stream;
    struct base_slice data; /* borrowed */
};

/* The first frame of the bytes: how long it is, 0 when it is not complete, BASE_ERR_SYNTAX. */
ssize_t net_link_read(struct base_slice bytes, struct net_link_frame *frame);
uint32_t net_link_credit(const struct net_link_frame *frame);
/* Appends frames; data may be of any length. 0, or BASE_ERR_NOMEM: then nothing was appended. */
int net_link_add(struct base_buf *out, enum net_link_type type, uint32_t stream,
                 struct base_slice data);
int net_link_add_credit(struct base_buf *out, uint32_t stream, uint32_t bytes);

#endif
