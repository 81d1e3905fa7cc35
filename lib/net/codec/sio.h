/* SPDX-License-Identifier: ISC
 *
 * sio: packets of the Socket.IO protocol, revision 5; no I/O. Threads: any.
 *
 * Parsing is strict in what the protocol says of each type (shape of the payload, names that are
 * reserved) and checks the JSON with base/json; whether a packet is due is the session's business.
 */
#ifndef NET_CODEC_SIO_H
#define NET_CODEC_SIO_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_sio_type {
    NET_SIO_CONNECT = '0',
    NET_SIO_DISCONNECT = '1',
    NET_SIO_EVENT = '2',
    NET_SIO_ACK = '3',
    NET_SIO_CONNECT_ERROR = '4',
    NET_SIO_BINARY_EVENT = '5',
    NET_SIO_BINARY_ACK = '6',
};

#define NET_SIO_MAX_ATTACHMENTS 10
#define NET_SIO_MAX_NAMESPACE   16384 /* bytes of a namespace's name as sent */

/* All positions point into the packet that was parsed, or to static storage ("/"). */
struct net_sio_packet {
    enum net_sio_type type;
    struct base_slice nsp; /* with its leading slash and, if sent, its query */
    bool has_ack;
    uint64_t ack;
    unsigned attachments;        /* binary frames that follow */
    struct base_json_value data; /* ABSENT without one; CONNECT: an object; EVENT, ACK: an array */
    struct base_json_value name; /* EVENT: the first element, a STRING or NUMBER */
};

/* What a server accepts from a client: CONNECT (data absent or an object), DISCONNECT (no data),
 * EVENT and BINARY_EVENT (an array whose first element is a string that is not reserved, or a
 * number), ACK and BINARY_ACK (an array, with an id), at most NET_SIO_MAX_ATTACHMENTS attachments.
 * 0, or BASE_ERR_SYNTAX with `*reason` (may be NULL) set to static text for the log. */
int net_sio_parse(const char *text, size_t len, struct net_sio_packet *packet, const char **reason);

/* What a client accepts from a server: the same, and CONNECT_ERROR with an object, or with a string
 * as older servers send it. */
int net_sio_parse_server(const char *text, size_t len, struct net_sio_packet *packet,
                         const char **reason);

/* Whether an event may not be called that, in either direction: connect, connect_error,
 * disconnect, disconnecting, newListener, removeListener. `name` is a STRING as it stands. */
bool net_sio_reserved(const struct base_json_value *name);

/* The formatters append an Engine.IO message packet, type '4' included, and return 0 or
 * BASE_ERR_NOMEM with `out` unchanged. `nsp` is as sent; "/" is left out, as the protocol has it.
 */
int net_sio_format_connect(struct base_buf *out, struct base_slice nsp, const char *sid);
int net_sio_format_connect_error(struct base_buf *out, struct base_slice nsp, const char *message);
int net_sio_format_disconnect(struct base_buf *out, struct base_slice nsp);
/* `name` is a JSON string with its quotes; `arguments` is JSON text behind it without the
 * brackets ("1,\"2\""), empty for none. With attachments the type is BINARY_EVENT. */
int net_sio_format_event(struct base_buf *out, struct base_slice nsp, struct base_slice name,
                         struct base_slice arguments, unsigned attachments);
/* `arguments` as above. */
int net_sio_format_ack(struct base_buf *out, struct base_slice nsp, uint64_t ack,
                       struct base_slice arguments, unsigned attachments);

#endif
