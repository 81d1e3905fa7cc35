/* SPDX-License-Identifier: ISC
 *
 * The table of the gateway's metrics. A new one is a row here and in the manual, nothing else.
 */
#ifndef METRICS_H
#define METRICS_H

#include "arda/bus.h"
#include "base/metric_table.h"
#include "base/process.h"
#include "gateway.h"
#include "net/server/server.h"

/* What the metrics are made of, taken at one moment. */
struct metrics_snapshot {
    const struct gateway *gateway;
    struct net_server_stats net;
    struct net_server_queued queued; /* of all workers */
    unsigned stuck;                  /* workers that do not answer */
    struct arda_bus_stats events;    /* of the bus, or of standard input */
    uint64_t auth_failures[GATEWAY_AUTH_COUNT];
    struct relay_stats relay; /* zeros without --advertise */
    struct base_process process;
};

/* As metric_table.h says. */
#define METRICS_MAP(ONE, SOME)                                                                     \
    SOME(arda_gateway_build, INFO, "", "Version of the gateway.", 1, "version", PACKAGE_VERSION,   \
         1)                                                                                        \
    ONE(arda_gateway_connections, GAUGE, "", "TCP connections of clients.", s->net.connections)    \
    ONE(arda_gateway_sessions, GAUGE, "", "Engine.IO sessions.", s->net.sessions)                  \
    ONE(arda_gateway_joining_sessions, GAUGE, "",                                                  \
        "Of these, those that have not shown a valid token yet.", s->net.joining)                  \
    ONE(arda_gateway_sessions_opened, COUNTER, "", "Engine.IO sessions that began.",               \
        s->net.sessions_opened)                                                                    \
    SOME(arda_gateway_disconnects, COUNTER, "", "Engine.IO sessions that ended, by reason.",       \
         NET_REASON_COUNT, "reason", net_reason_name((enum net_reason)i), s->net.closed[i])        \
    ONE(arda_gateway_request_errors, COUNTER, "",                                                  \
        "HTTP requests of clients that were answered with an error.", s->net.request_errors)       \
    SOME(arda_gateway_refusals, COUNTER, "",                                                       \
         "Connections and requests refused before there was a session, by cause.",                 \
         NET_REFUSAL_COUNT, "cause", net_refusal_name((enum net_refusal)i), s->net.refused[i])     \
    SOME(arda_gateway_auth_failures, COUNTER, "",                                                  \
         "Clients that were refused, by what was wrong with their token.", GATEWAY_AUTH_COUNT,     \
         "kind", gateway_auth_name((enum gateway_auth)i), s->auth_failures[i])                     \
    SOME(arda_gateway_cuts, COUNTER, "", "Sockets that were disconnected for good, by cause.",     \
         GATEWAY_CUT_COUNT, "cause", gateway_cut_name((enum gateway_cut)i), s->gateway->cut[i])    \
    SOME(arda_gateway_unsubscribes, COUNTER, "", "Requests of the links in e-mails, by outcome.",  \
         GATEWAY_UNSUBSCRIBE_COUNT, "outcome",                                                     \
         gateway_unsubscribe_name((enum gateway_unsubscribe)i), s->gateway->unsubscribes[i])       \
    ONE(arda_gateway_events_received, COUNTER, "",                                                 \
        "Messages that came from Redis or standard input.", s->events.messages)                    \
    ONE(arda_gateway_events_forwarded, COUNTER, "",                                                \
        "Events that were passed on to the clients of a tenant or user.", s->gateway->forwarded)   \
    SOME(arda_gateway_events_dropped, COUNTER, "", "Events that were not passed on, by cause.",    \
         METRICS_DROPS, "cause", drop_name(i), drop_count(s, i))                                   \
    ONE(arda_gateway_queue_bytes, GAUGE, "bytes", "What waits for clients that are slow.",         \
        s->queued.bytes)                                                                           \
    ONE(arda_gateway_largest_queue_bytes, GAUGE, "bytes",                                          \
        "What waits for the client that lags the most.", s->queued.most_bytes)                     \
    ONE(arda_gateway_tenants, GAUGE, "", "Tenants that have clients.", s->gateway->tenants.count)  \
    SOME(arda_gateway_subscribed_channels, GAUGE, "", "Channels that are subscribed in Redis.",    \
         METRICS_HAVE_REDIS, NULL, NULL, s->events.subscribed_channels)                            \
    SOME(arda_gateway_redis_up, GAUGE, "", "1 while both connections to Redis stand, else 0.",     \
         METRICS_HAVE_REDIS, NULL, NULL, arda_bus_is_up(s->gateway->bus))                          \
    SOME(arda_gateway_redis_reconnects, COUNTER, "",                                               \
         "Connections to Redis that were lost and had to be made again.", METRICS_HAVE_REDIS,      \
         NULL, NULL, s->events.reconnects)                                                         \
    ONE(arda_gateway_relay_links, GAUGE, "", "Links to other gateways, and from them.",            \
        s->relay.links)                                                                            \
    ONE(arda_gateway_relay_links_opened, COUNTER, "", "Such links that were made.",                \
        s->relay.links_made)                                                                       \
    ONE(arda_gateway_relay_streams, GAUGE, "", "Requests and WebSockets on them.",                 \
        s->relay.streams)                                                                          \
    SOME(arda_gateway_relay_requests, COUNTER, "",                                                 \
         "Requests that were passed on to another gateway, or came from one.", 2, "direction",     \
         i ? "in" : "out", i ? s->relay.taken : s->relay.passed_on)                                \
    SOME(arda_gateway_relay_failures, COUNTER, "",                                                 \
         "Requests for gateways that could not be reached, links refused for want of the secret, " \
         "requests and WebSockets that broke off on a link.",                                      \
         3, "cause",                                                                               \
         i == 0   ? "unreachable"                                                                  \
         : i == 1 ? "denied"                                                                       \
                  : "broken",                                                                      \
         i == 0   ? s->relay.refused                                                               \
         : i == 1 ? s->relay.denied                                                                \
                  : s->relay.broken)                                                               \
    ONE(arda_gateway_workers, GAUGE, "", "Threads that serve clients.", s->gateway->worker_count)  \
    ONE(arda_gateway_stuck_workers, GAUGE, "", "Threads that did not answer within 2 seconds.",    \
        s->stuck)                                                                                  \
    ONE(process_start_time_seconds, GAUGE, "seconds", "When the gateway was started, since 1970.", \
        (double)s->gateway->started_ms / 1000)                                                     \
    ONE(process_resident_memory_bytes, GAUGE, "bytes", "Memory that the process occupies.",        \
        s->process.resident_bytes)                                                                 \
    ONE(process_open_fds, GAUGE, "", "Descriptors that are open.", s->process.open_fds)            \
    ONE(process_max_fds, GAUGE, "", "Descriptors that may be open.", s->process.max_fds)

#define METRICS_DROPS      (ARDA_DROP_COUNT - 1 + GATEWAY_DROP_COUNT)
#define METRICS_HAVE_REDIS (s->gateway->bus != NULL)

#endif
