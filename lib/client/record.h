/* SPDX-License-Identifier: ISC
 *
 * record: what a Socket.IO client has seen, as a line of JSON; arda-events(5) has the form. No
 * I/O. Threads: any.
 */
#ifndef CLIENT_RECORD_H
#define CLIENT_RECORD_H

#include "client/handshake.h"
#include "client/net.h"

#include "base/buf.h"
#include "net/codec/sio.h"

enum client_kind {
    CLIENT_RECORD_HANDSHAKE,  /* url, transport, open */
    CLIENT_RECORD_CONNECT,    /* packet */
    CLIENT_RECORD_EVENT,      /* packet, args */
    CLIENT_RECORD_UPGRADE,    /* transport */
    CLIENT_RECORD_DISCONNECT, /* end */
    CLIENT_RECORD_ERROR,      /* packet of a refusal, or end */
};

/* The members that its kind names are set, the others NULL or zero; all is borrowed. */
struct client_record {
    enum client_kind kind;
    const char *url;
    const char *transport;
    const struct client_open *open;
    const struct net_sio_packet *packet;
    struct base_slice args; /* an event's, as they came, without the brackets */
    const struct client_end *end;
};

/* What stands behind the name in the array of an event's packet. */
struct base_slice client_event_args(const struct net_sio_packet *packet);
/* The first of them; ABSENT without one. */
struct base_json_value client_event_first(const struct net_sio_packet *packet);

/* Appends a line with its end, `at_ms` since 1970. BASE_ERR_NOMEM: `out` unchanged. */
int client_record_write(struct base_buf *out, const struct client_record *record, int64_t at_ms);

#endif
