/* SPDX-License-Identifier: ISC
 *
 * ws: WebSocket frames of a server, RFC 6455 sections 5 to 7 and 4.2; no I/O.
 *
 * The reader turns bytes into messages and control frames. It unmasks in place, so a message that
 * arrives whole is never copied; what is incomplete is kept in one block that exists only
 * meanwhile. Threads: one at a time per reader; the functions without a reader: any.
 */
#ifndef NET_CODEC_WS_H
#define NET_CODEC_WS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_ws_opcode {
    NET_WS_CONTINUATION = 0x0,
    NET_WS_TEXT = 0x1,
    NET_WS_BINARY = 0x2,
    NET_WS_CLOSE = 0x8,
    NET_WS_PING = 0x9,
    NET_WS_PONG = 0xA,
};

/* Close codes of section 7.4.1 that this server sends. 0 stands for an empty payload. */
enum net_ws_code {
    NET_WS_CODE_NONE = 0,
    NET_WS_CODE_NORMAL = 1000,
    NET_WS_CODE_GOING_AWAY = 1001,
    NET_WS_CODE_PROTOCOL = 1002,
    NET_WS_CODE_DATA = 1007,
    NET_WS_CODE_POLICY = 1008,
    NET_WS_CODE_TOO_BIG = 1009,
    NET_WS_CODE_INTERNAL = 1011,
    NET_WS_CODE_TRY_LATER = 1013,
};

#define NET_WS_CONTROL_MAX 125  /* payload of a control frame, section 5.5 */
#define NET_WS_HEADER_MAX  10   /* of an unmasked frame */
#define NET_WS_COMPRESSED  0x40 /* RSV1, in the first byte of a message (RFC 7692 section 6) */

struct net_ws_partial; /* of an incomplete message or control frame */

/* Embedded by its owner; zeroed: nothing read yet. */
struct net_ws {
    struct net_ws_partial *partial;
    uint32_t frame_left; /* payload bytes of the current frame that have not come */
    uint8_t head[14];    /* of the current frame as far as it has come */
    uint8_t head_len;
    uint8_t flags; /* of ws.c */
};

struct net_ws_event {
    enum net_ws_opcode opcode; /* TEXT, BINARY (whole messages), PING, PONG, CLOSE */
    char *data;                /* borrowed until the next call; a CLOSE's reason */
    size_t len;
    uint16_t code;   /* of a CLOSE, NET_WS_CODE_NONE without one; of a violation: what to send */
    bool compressed; /* a message as it was sent; whether a TEXT is UTF-8 is not known yet */
};

/* permessage-deflate has been agreed on: messages may come with RSV1 set. */
void net_ws_allow_compressed(struct net_ws *ws);
bool net_ws_allows_compressed(const struct net_ws *ws);

void net_ws_fini(struct net_ws *ws);

/* Reads from `data`, which it may change, until there is an event or no byte is left; `*used` is
 * how many it has taken. 1: an event; call again with the rest, even if that is empty: it frees
 * what the event lay in. 0: everything taken. BASE_ERR_SYNTAX: a violation, event->code is 1002,
 * 1007 or 1009 (decided from the header, before the payload has come). BASE_ERR_NOMEM: likewise,
 * code 1011. Behind a CLOSE or a failure everything is taken and ignored. Messages longer than
 * `max_message_bytes` (4 GB at most), fragments summed, are violations. */
int net_ws_next(struct net_ws *ws, size_t max_message_bytes, char *data, size_t len, size_t *used,
                struct net_ws_event *event);

/* True while a message or a frame is incomplete, and neither a CLOSE nor a failure has been. */
bool net_ws_midway(const struct net_ws *ws);

/* Writes the header of an unmasked, final frame; its length is the result. */
size_t net_ws_header(char out[static NET_WS_HEADER_MAX], enum net_ws_opcode opcode,
                     size_t payload_len);
/* Reads such a header back: its length; `*payload_len` is what follows. The bytes must be ours. */
size_t net_ws_header_read(const char *frame, size_t *payload_len);

#define NET_WS_ACCEPT_LEN 28
/* The value of Sec-WebSocket-Accept (section 4.2.2) for a key. BASE_ERR_SYNTAX unless the key is
 * the base64 of 16 bytes. `out` gets a NUL. */
int net_ws_accept(const char *key, size_t key_len, char out[static NET_WS_ACCEPT_LEN + 1]);

#endif
