/* SPDX-License-Identifier: ISC */
#ifndef ARDA_GATEWAY_OPTIONS_H
#define ARDA_GATEWAY_OPTIONS_H

#include "base/opt_common.h"

#define GATEWAY_OPTIONS(OPT)                                                                       \
    OPT(listen, 'l', "listen", TEXT, "[ADDR]:PORT", NULL, NULL, NULL,                              \
        "where to listen; port 0 picks a free one (default: port $PORT, or :3000)")                \
    OPT(path, 0, "path", TEXT, "PATH", NULL, "/socket.io", NULL,                                   \
        "where Socket.IO is served; the pages of unsubscribing lie beside it")                     \
    OPT(tls_cert, 0, "tls-cert", TEXT, "FILE", NULL, NULL, NULL,                                   \
        "serve https and wss with this certificate, in PEM, followed by its chain")                \
    OPT(tls_key, 0, "tls-key", TEXT, "FILE", NULL, NULL, NULL, "its private key, in PEM")          \
    OPT(admin, 0, "admin", TEXT, "[ADDR]:PORT", NULL, NULL, NULL,                                  \
        "where to serve /metrics, /healthz and /readyz; without it, nowhere")                      \
    OPT(admin_host, 0, "admin-host", LIST, "NAME", NULL, NULL, NULL,                               \
        "names by which they may be asked for on a loopback address, besides localhost")           \
    OPT(app_url, 0, "app-url", TEXT, "URL", "APP_URL", NULL, NULL,                                 \
        "where the web application comes from: the origin that CORS allows")                       \
    OPT(cors_origin, 0, "cors-origin", LIST, "ORIGIN", NULL, NULL, NULL,                           \
        "origins that CORS allows instead; may be given several times")                            \
    OPT(trusted_proxy, 0, "trusted-proxy", LIST, "ADDR[/BITS]", NULL, NULL, NULL,                  \
        "proxies whose X-Forwarded-For and -Proto are believed")                                   \
    BASE_OPT_COMMON_JWT(OPT)                                                                       \
    OPT(token_expiry, 0, "token-expiry", CHOICE, "WHAT", NULL, "ignore", "ignore|disconnect",      \
        "what happens to a client whose token expires")                                            \
    OPT(revocation, 0, "revocation", FLAG, NULL, NULL, NULL, NULL,                                 \
        "end the connections of a user whose tokens are revoked, or who logs out")                 \
    OPT(unsubscribe_secret_file, 0, "unsubscribe-secret-file", TEXT, "FILE", BASE_OPT_SHARED,      \
        NULL, NULL,                                                                                \
        "file with the secret of the links in e-mails; else UNSUBSCRIBE_TOKEN_SECRET is taken")    \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(advertise, 0, "advertise", TEXT, "HOST:PORT", NULL, NULL, NULL,                            \
        "listen there for other gateways of this Redis, and find them; port 0 picks a free one")   \
    OPT(relay_secret_file, 0, "relay-secret-file", TEXT, "FILE", NULL, NULL, NULL,                 \
        "file with what gateways know each other by; else ARDA_RELAY_SECRET is taken")             \
    OPT(stdin, 0, "stdin", FLAG, NULL, NULL, NULL, NULL,                                           \
        "take events and directory lines from standard input, not from Redis")                     \
    OPT(notifications, 0, "notifications", CHOICE, "WHO", NULL, "user", "user|tenant",             \
        "who receives notification.created: the user it names, or the whole tenant")               \
    OPT(compression, 0, "compression", CHOICE, "WHETHER", NULL, "off", "off|on",                   \
        "of messages and polling answers, for clients that ask for it")                            \
    OPT(workers, 'w', "workers", INT, "N", NULL, "1", "1..64", "threads that serve connections")   \
    OPT(max_queue, 0, "max-queue", SIZE, "BYTES", NULL, "4m", "4096..1073741824",                  \
        "what may wait for a slow client before it is disconnected")                               \
    OPT(max_queue_age, 0, "max-queue-age", DURATION, "TIME", NULL, "60s", NULL,                    \
        "how long it may wait; 0: for ever")                                                       \
    BASE_OPT_COMMON_MAX_EVENT(OPT)                                                                 \
    OPT(max_connections, 0, "max-connections", INT, "N", NULL, "0", "0..4294967295",               \
        "TCP connections in all; 0: as many as there are descriptors")                             \
    OPT(max_joining, 0, "max-joining", INT, "N", NULL, "5000", "0..4294967295",                    \
        "sessions that have not shown a token yet; 0: any number")                                 \
    OPT(max_per_address, 0, "max-per-address", INT, "N", NULL, "0", "0..4294967295",               \
        "sessions of one address, or /64 of IPv6; 0: any number")                                  \
    OPT(max_per_user, 0, "max-per-user", INT, "N", NULL, "0", "0..4294967295",                     \
        "sockets of one user of a tenant; 0: any number")                                          \
    OPT(max_events, 0, "max-events", INT, "N", NULL, "1000", "0..1000000",                         \
        "packets a client may send a second; 0: any number")                                       \
    OPT(max_events_burst, 0, "max-events-burst", INT, "N", NULL, "2000", "1..1000000",             \
        "packets it may send at once")                                                             \
    OPT(max_payload, 0, "max-payload", SIZE, "BYTES", NULL, "1000000", "1024..1073741824",         \
        "longest message or body of a client")                                                     \
    OPT(max_header, 0, "max-header", SIZE, "BYTES", NULL, "16k", "1024..65536",                    \
        "longest request line and headers")                                                        \
    OPT(header_timeout, 0, "header-timeout", DURATION, "TIME", NULL, "10s", NULL,                  \
        "for a request's headers to be complete")                                                  \
    OPT(request_timeout, 0, "request-timeout", DURATION, "TIME", NULL, "30s", NULL,                \
        "for its body")                                                                            \
    OPT(idle_timeout, 0, "idle-timeout", DURATION, "TIME", NULL, "65s", NULL,                      \
        "for the next request on a connection")                                                    \
    OPT(connect_timeout, 0, "connect-timeout", DURATION, "TIME", NULL, "45s", NULL,                \
        "from the beginning of a session to CONNECT")                                              \
    OPT(upgrade_timeout, 0, "upgrade-timeout", DURATION, "TIME", NULL, "10s", NULL,                \
        "for an upgrade from polling to WebSocket")                                                \
    OPT(ping_interval, 0, "ping-interval", DURATION, "TIME", NULL, "25s", NULL,                    \
        "between two heartbeats of a connection")                                                  \
    OPT(ping_timeout, 0, "ping-timeout", DURATION, "TIME", NULL, "10s", NULL,                      \
        "for the answer to a heartbeat")                                                           \
    OPT(drain, 0, "drain", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how long clients may take to receive what waits for them at the end")                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif
