/* SPDX-License-Identifier: ISC
 *
 * frame: what two servers say to each other on the connection over which one passes requests on to
 * the other; arda-protocol(7), "LINKS BETWEEN GATEWAYS". No I/O.
 *
 * The server that accepts begins with a nonce. The one that has connected answers with a greeting:
 * protocol, both numbers, a nonce of its own, and proof that it knows the secret. The other proves
 * the same. Then frames follow, in which any number of streams share the connection; the side that
 * has connected opens them. Each side of a stream may send RELAY_FRAME_WINDOW bytes, and as many
 * again as the other has given credit for. Numbers are big-endian. Threads: any.
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include "base/buf.h"
#include "base/crypto.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RELAY_FRAME_NONCE_LEN    32
#define RELAY_FRAME_GREETING_LEN (8 + RELAY_FRAME_NONCE_LEN + BASE_SHA256_LEN)
#define RELAY_FRAME_HEADER_LEN   9
#define RELAY_FRAME_DATA_MAX     (64 * 1024)
#define RELAY_FRAME_WINDOW       (256 * 1024)

/* ---- the beginning ---- */

struct relay_frame_greeting {
    uint16_t from;
    uint16_t to;
    uint8_t nonce[RELAY_FRAME_NONCE_LEN];
};

/* `theirs` is the nonce of the server that has accepted. 0, or BASE_ERR_INTERNAL. */
int relay_frame_greet(const struct relay_frame_greeting *greeting, const uint8_t *theirs,
                      struct base_slice secret, uint8_t out[static RELAY_FRAME_GREETING_LEN]);
/* BASE_ERR_SYNTAX for another protocol; BASE_ERR_DENIED without the proof. */
int relay_frame_check(const uint8_t greeting[static RELAY_FRAME_GREETING_LEN], const uint8_t *nonce,
                      struct base_slice secret, struct relay_frame_greeting *out);
/* The proof with which the server that has accepted answers. 0, or BASE_ERR_INTERNAL. */
int relay_frame_prove(const struct relay_frame_greeting *greeting, const uint8_t *nonce,
                      struct base_slice secret, uint8_t out[static BASE_SHA256_LEN]);

/* ---- frames ---- */

enum relay_frame_type {
    RELAY_FRAME_OPEN,   /* a new stream */
    RELAY_FRAME_DATA,   /* 1 to RELAY_FRAME_DATA_MAX bytes of it */
    RELAY_FRAME_EOF,    /* no more will come, and the stream has ended in both directions */
    RELAY_FRAME_RESET,  /* it has broken off */
    RELAY_FRAME_CREDIT, /* four bytes: how many more may be sent */
};

struct relay_frame {
    enum relay_frame_type type;
    uint32_t stream;
    struct base_slice data; /* borrowed */
};

/* The first frame of the bytes: how long it is, 0 when it is not complete, BASE_ERR_SYNTAX. */
ssize_t relay_frame_read(struct base_slice bytes, struct relay_frame *frame);
uint32_t relay_frame_credit(const struct relay_frame *frame);
/* Appends frames; data may be of any length. 0, or BASE_ERR_NOMEM: then nothing was appended. */
int relay_frame_add(struct base_buf *out, enum relay_frame_type type, uint32_t stream,
                    struct base_slice data);
int relay_frame_add_credit(struct base_buf *out, uint32_t stream, uint32_t bytes);

#endif
