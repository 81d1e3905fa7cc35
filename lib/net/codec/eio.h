/* SPDX-License-Identifier: ISC
 *
 * eio: packets of the Engine.IO protocol, revision 4; no I/O. Threads: any.
 */
#ifndef NET_CODEC_EIO_H
#define NET_CODEC_EIO_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_eio_type {
    NET_EIO_OPEN = '0',
    NET_EIO_CLOSE = '1',
    NET_EIO_PING = '2',
    NET_EIO_PONG = '3',
    NET_EIO_MESSAGE = '4',
    NET_EIO_UPGRADE = '5',
    NET_EIO_NOOP = '6',
};

#define NET_EIO_SEPARATOR '\x1e'

struct net_eio_packet {
    enum net_eio_type type;
    bool binary; /* a MESSAGE of bytes */
    char *data;  /* without the type character */
    size_t len;
};

/* The packet in a WebSocket message. BASE_ERR_SYNTAX for an empty text or an unknown type; a
 * binary message is always a MESSAGE. */
int net_eio_parse(char *message, size_t len, bool binary, struct net_eio_packet *packet);

/* Takes the next packet from the body of a POST: `*at` starts as 0 and moves on. Base64 is decoded
 * in place, which is why the body may change. 1: a packet. 0: the end. BASE_ERR_SYNTAX: an empty
 * body or packet, an unknown type, bad base64; what follows must not be handled. Bodies are not
 * checked for UTF-8 here, except that text packets must be valid: BASE_ERR_SYNTAX. */
int net_eio_payload_next(char *body, size_t len, size_t *at, struct net_eio_packet *packet);

/* Appends a packet to the body of a polling answer, with the separator before it when the body is
 * not empty; a binary MESSAGE as 'b' and base64. BASE_ERR_NOMEM: `body` unchanged. */
int net_eio_payload_add(struct base_buf *body, enum net_eio_type type, bool binary,
                        const char *data, size_t len);

/* The handshake's parameters, as the open packet names them. */
struct net_eio_open {
    const char *sid;
    bool upgrade; /* to WebSocket is possible */
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t max_payload_bytes;
};

/* Appends `0{"sid":…,"upgrades":[…],"pingInterval":…,"pingTimeout":…,"maxPayload":…}`. */
int net_eio_format_open(struct base_buf *out, const struct net_eio_open *open);

#endif
