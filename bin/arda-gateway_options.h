/* SPDX-License-Identifier: ISC */
#ifndef ARDA_GATEWAY_OPTIONS_H
#define ARDA_GATEWAY_OPTIONS_H

#include "base/opt_common.h"

#define GATEWAY_OPTIONS(OPT)                                                                       \
    OPT(listen, 'l', "listen", TEXT, "[ADDR]:PORT", NULL, NULL, NULL,                              \
        "where to listen; port 0 picks a free one (default: port $PORT, or :3000)")                \
    OPT(tls_cert, 0, "tls-cert", TEXT, "FILE", NULL, NULL, NULL,                                   \
        "serve https and wss with this certificate, in PEM, its chain behind it")                  \
    OPT(tls_key, 0, "tls-key", TEXT, "FILE", NULL, NULL, NULL, "its private key, in PEM")          \
    OPT(app_url, 0, "app-url", TEXT, "URL", "APP_URL", NULL, NULL,                                 \
        "where the web application comes from: the origin that CORS allows")                       \
    BASE_OPT_COMMON_SECRET(OPT)                                                                    \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(stdin, 0, "stdin", FLAG, NULL, NULL, NULL, NULL,                                           \
        "take events and directory lines from standard input, not from Redis")                     \
    OPT(notifications, 0, "notifications", CHOICE, "WHO", NULL, "user", "user|tenant",             \
        "who receives notification.created: the user it names, or the whole tenant")               \
    OPT(workers, 'w', "workers", INT, "N", NULL, "1", "1..64", "threads that serve connections")   \
    OPT(max_queue, 0, "max-queue", SIZE, "BYTES", NULL, "4m", "4096..1073741824",                  \
        "what may wait for a slow client before it is disconnected")                               \
    OPT(ping_interval, 0, "ping-interval", DURATION, "TIME", NULL, "25s", NULL,                    \
        "between two heartbeats of a connection")                                                  \
    OPT(ping_timeout, 0, "ping-timeout", DURATION, "TIME", NULL, "10s", NULL,                      \
        "for the answer to a heartbeat")                                                           \
    OPT(drain, 0, "drain", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how long clients may take to receive what waits for them at the end")                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif
