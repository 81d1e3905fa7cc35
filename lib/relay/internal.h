/* SPDX-License-Identifier: ISC
 *
 * internal: what the files of the relay share.
 *
 *     relay.c      life: the secret, start and end
 *     listen.c     where other gateways connect
 *     registry.c   the gateway's number, and where the others are
 *     lookup.c     which numbers are those of gateways
 *     link.c       a link: making it, who is at the other end, frames out and in
 *     frame.c      the form of frames, greetings and proofs; no I/O
 *     window.c     how much either side of a stream may send
 *     strangers.c  others' connections, until they have proved to be gateways
 *     entry.c      streams of links made here: clients whose session is elsewhere
 *     owner.c      streams of links that others have made: their clients' requests
 *
 * Memory: a stream holds two windows at most (frame.h); a link on which LINK_HIGH bytes wait reads
 * from no client until it has sent them. Threads: the home loop's only, except where lookup.c says
 * otherwise.
 */
#ifndef RELAY_INTERNAL_H
#define RELAY_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "net/server/server.h"
#include "relay/frame.h"
#include "relay/relay.h"
#include "relay/window.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <uv.h>

#define RELAY_ADDRESS_MAX 300 /* of HOST:PORT */
#define RELAY_PROVEN_MAX  64

/* Numbers that no gateway had when Redis was asked, a bit each. */
struct relay_generation {
    _Atomic uint64_t since_us;
    _Atomic uint64_t bits[65536 / 64];
};

struct relay {
    uv_loop_t *loop;
    struct net_server *server; /* from relay_start on */
    struct arda_bus *bus;      /* likewise */
    struct net_relay handlers;
    struct base_buf secret;
    uint16_t id;
    uint16_t port; /* of the listener */
    bool claimed;  /* in Redis */
    bool asking;   /* ... and no answer yet */
    bool stopping;
    bool closing;          /* links end when their streams have */
    unsigned strangers;    /* links of others that have not proved themselves yet */
    struct base_list made; /* of struct relay_link */
    struct base_list taken;
    int listen_fd;
    uv_poll_t listener;
    uv_timer_t accept_timer;
    struct relay_generation absent[2];
    unsigned generation;      /* that is written */
    struct base_list lookups; /* of struct relay_wait */
    size_t lookup_count;
    bool batch_sent; /* to Redis, and no answer yet */
    uint64_t next_batch_us;
    uv_timer_t batch_timer;
    uint8_t proven[RELAY_PROVEN_MAX][16]; /* addresses that gateways have connected from */
    unsigned next_proven;
    uv_timer_t registry_timer;
    uv_timer_t end_timer;
    struct relay_stats stats;
    char address[RELAY_ADDRESS_MAX]; /* for the others */
    char host[256];
    char read_bytes[RELAY_FRAME_DATA_MAX];
};

/* ---- registry ---- */

/* Draws the number and begins to make it known. 0, or BASE_ERR_INTERNAL. */
int relay_registry_start(struct relay *relay);
void relay_registry_stop(struct relay *relay);

/* ---- listening ---- */

/* On relay->host and port; notes the address. BASE_ERR_CONFIG, BASE_ERR_DENIED,
 * BASE_ERR_UNAVAILABLE. */
int relay_listen_start(struct relay *relay, struct base_why *why);
void relay_listen_stop(struct relay *relay);

/* ---- which numbers are those of gateways ---- */

/* A request that waits for that. */
struct relay_wait {
    struct base_list at;
    uint16_t id;
    bool asked; /* it is in what was sent to Redis */
};

void relay_lookup_init(struct relay *relay);
void relay_lookup_start(struct relay *relay);
void relay_lookup_stop(struct relay *relay);
/* relay_entry_looked_up will be called, not within the call. False: nobody has the number, or too
 * many ask. */
bool relay_lookup_ask(struct relay *relay, struct relay_wait *wait);
void relay_lookup_forget(struct relay *relay, struct relay_wait *wait);
/* The wait is over. */
void relay_entry_looked_up(struct relay *relay, struct relay_wait *wait, bool found);

/* ---- the end ---- */

/* After the last link, when the relay closes. */
void relay_check_end(struct relay *relay);

/* ---- links ---- */

enum relay_link_state {
    LINK_FINDING,    /* where the other gateway is */
    LINK_RESOLVING,  /* its name */
    LINK_CONNECTING, /* to it */
    LINK_NONCE,      /* awaits its nonce */
    LINK_PROOF,      /* awaits its proof */
    LINK_GREETING,   /* of another's: awaits what it says first */
    LINK_UP,
    LINK_CLOSED,
};

struct relay_link {
    struct relay *relay;
    struct base_list link; /* of relay->made or relay->taken */
    enum relay_link_state state;
    bool made;      /* here; streams are opened from here */
    bool congested; /* much waits to be written */
    bool failed;    /* will be closed in the next turn */
    uint16_t peer;
    uint8_t address[16]; /* of one that others have made, IPv4 as IPv6 has it */
    unsigned refs;       /* handles that are not closed, answers that are awaited */
    uint32_t last_stream;
    struct base_map streams; /* number to struct relay_entry or struct relay_owner */
    struct base_list list;   /* the same, and entries that are not opened yet */
    struct base_buf in;
    struct relay_frame_greeting greeting;
    uint8_t nonce[RELAY_FRAME_NONCE_LEN]; /* of the gateway that has accepted */
    uv_tcp_t tcp;
    uv_timer_t timer; /* until it is up */
    uv_connect_t connect;
    uv_getaddrinfo_t resolve;
};

/* The link to a gateway, up or in the making; NULL: there is none. */
struct relay_link *relay_link_find(struct relay *relay, uint16_t id);
/* The same, and one is made where there is none. NULL: no more can be made now. */
struct relay_link *relay_link_to(struct relay *relay, uint16_t id);
/* Another gateway has connected; the descriptor is taken over. */
void relay_link_accept(struct relay *relay, int fd);
/* Without effect on a link that is not up. No stream ends within the call. */
void relay_link_send(struct relay_link *link, enum relay_frame_type type, uint32_t stream,
                     struct base_slice data);

/* BASE_ERR_NOMEM. */
static inline int relay_link_add_stream(struct relay_link *link, uint32_t stream, void *value)
{
    return base_map_set(&link->streams, (const char *)&stream, sizeof stream, value);
}

static inline void relay_link_remove_stream(struct relay_link *link, uint32_t stream)
{
    base_map_remove(&link->streams, (const char *)&stream, sizeof stream);
}

/* Bytes of a stream have been passed on: gives the other side credit when there is enough of it. */
void relay_link_give(struct relay_link *link, uint32_t stream, struct relay_window *window,
                     uint32_t passed_on);
/* Its streams end. */
void relay_link_close(struct relay_link *link);
/* Ends an idle link of another gateway in order, when the relay ends. */
void relay_link_end_if_idle(struct relay_link *link);

/* ---- who has connected and not proved itself yet ---- */

/* After uv_accept: whether it may stay; another one may have to go for it. */
bool relay_stranger_admit(struct relay_link *link);
/* It is a gateway, and so will be others from there. */
void relay_stranger_proven(struct relay_link *link);
const char *relay_stranger_name(const struct relay_link *link, char out[static INET6_ADDRSTRLEN]);

/* ---- streams ---- */

void relay_entry_init(struct relay *relay);
void relay_entry_link_up(struct relay_link *link);
void relay_entry_link_closed(struct relay_link *link, bool was_up);
void relay_entry_frame(struct relay_link *link, const struct relay_frame *frame);
void relay_entry_writable(struct relay_link *link);

/* False when the other gateway violates the protocol. */
bool relay_owner_frame(struct relay_link *link, const struct relay_frame *frame);
void relay_owner_link_closed(struct relay_link *link);
void relay_owner_writable(struct relay_link *link);

#endif
