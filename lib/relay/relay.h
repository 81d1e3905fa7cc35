/* SPDX-License-Identifier: ISC
 *
 * relay: several gateways behind a balancer that sends each request to any of them. What comes for
 * a session of another gateway goes there as bytes, over one link that the two keep
 * (arda-protocol(7), "LINKS BETWEEN GATEWAYS").
 *
 *     failed = relay_new(&options, &relay, &why);
 *     ...the server, with relay_handlers(relay)...
 *     failed = relay_start(relay, server, bus, &why);
 *     ...relay_bus_up whenever Redis is there...
 *     relay_stop(relay);  ...the server's end...  relay_close(relay);  ...the loop's...
 * relay_free(relay);
 *
 * NULL stands for no relay wherever one is asked for. Threads: the home loop's.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "base/err.h"

#include <stdint.h>

struct arda_bus;
struct net_relay;
struct net_server;
struct relay;
struct uv_loop_s;

/* Borrowed for the call, but for the loop. */
struct relay_options {
    struct uv_loop_s *loop;
    const char *advertise;   /* HOST:PORT at which the other gateways reach this one */
    const char *secret_file; /* NULL or empty: the secret is in ARDA_RELAY_SECRET */
};

struct relay_stats {
    uint64_t links;      /* that stand now */
    uint64_t links_made; /* in all */
    uint64_t streams;    /* of both directions, now */
    uint64_t passed_on;  /* requests to other gateways */
    uint64_t taken;      /* requests of their clients */
    uint64_t refused;    /* requests for gateways that cannot be reached */
    uint64_t denied;     /* links without the secret */
    uint64_t broken;     /* streams that were broken off */
};

/* Loads the secret. 0; BASE_ERR_CONFIG, BASE_ERR_INVALID, BASE_ERR_NOMEM, BASE_ERR_INTERNAL, and
 * then there is nothing to free. */
int relay_new(const struct relay_options *options, struct relay **relay, struct base_why *why);
/* For the server's options. */
const struct net_relay *relay_handlers(struct relay *relay);
/* Listens, and lets the other gateways know; server and bus live until relay_close. */
int relay_start(struct relay *relay, struct net_server *server, struct arda_bus *bus,
                struct base_why *why);
/* Redis is there: makes this gateway known, again after a loss. */
void relay_bus_up(struct relay *relay);
/* Passes nothing on any more; what other gateways are being sent goes on. */
void relay_stop(struct relay *relay);
/* After the server: ends what is left within a second. */
void relay_close(struct relay *relay);
/* After the loop has run to its end. */
void relay_free(struct relay *relay);
void relay_get_stats(const struct relay *relay, struct relay_stats *stats);

#endif
