/* SPDX-License-Identifier: ISC
 *
 * via_record: what a Socket.IO client has seen, as a line of JSON; arda-events(5) has the form. No
 * I/O. Threads: any.
 */
#ifndef SUBSCRIBE_VIA_RECORD_H
#define SUBSCRIBE_VIA_RECORD_H

#include "via_handshake.h"
#include "via_net.h"

#include "base/buf.h"
#include "net/codec/sio.h"

enum via_kind {
    VIA_RECORD_HANDSHAKE,  /* url, transport, open */
    VIA_RECORD_CONNECT,    /* packet */
    VIA_RECORD_EVENT,      /* packet, args */
    VIA_RECORD_UPGRADE,    /* transport */
    VIA_RECORD_DISCONNECT, /* end */
    VIA_RECORD_ERROR,      /* packet of a refusal, or end */
};

/* The members that its kind names are set, the others NULL or zero; all is borrowed. */
struct via_record {
    enum via_kind kind;
    const char *url;
    const char *transport;
    const struct via_open *open;
    const struct net_sio_packet *packet;
    struct base_slice args; /* an event's, as they came, without the brackets */
    const struct via_end *end;
};

/* What stands behind the name in the array of an event's packet. */
struct base_slice via_event_args(const struct net_sio_packet *packet);
/* The first of them; ABSENT without one. */
struct base_json_value via_event_first(const struct net_sio_packet *packet);

/* Appends a line with its end, `at_ms` since 1970. BASE_ERR_NOMEM: `out` unchanged. */
int via_record_write(struct base_buf *out, const struct via_record *record, int64_t at_ms);

#endif
