/* SPDX-License-Identifier: ISC
 *
 * options: what an application gives to a server, and the names of what the server tells it. All
 * folders of lib/net know these; applications get them with server/server.h, which says on which
 * threads the handlers run.
 */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include "base/buf.h"
#include "base/json.h"
#include "net/codec/proxy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_pipe;
struct net_session;
struct net_site;
struct net_socket;
struct net_tls;

#define NET_ADDRESS_MAX 64 /* an address with its port as text, and a NUL */

/* Why a session ended: name for counters, text for logs. */
#define NET_REASON_MAP(X)                                                                          \
    X(NET_REASON_CLIENT, "client_close", "closed by the client")                                   \
    X(NET_REASON_TRANSPORT, "transport_close", "connection lost")                                  \
    X(NET_REASON_PING_TIMEOUT, "ping_timeout", "no answer to a ping")                              \
    X(NET_REASON_CONNECT_TIMEOUT, "connect_timeout", "no namespace was joined in time")            \
    X(NET_REASON_MESSAGE_TIMEOUT, "message_timeout", "message not complete in time")               \
    X(NET_REASON_PROTOCOL, "protocol_error", "protocol violated by the client")                    \
    X(NET_REASON_SLOW, "slow_consumer", "too far behind")                                          \
    X(NET_REASON_RATE, "event_rate", "too many events")                                            \
    X(NET_REASON_LIMIT, "limit", "too many connections")                                           \
    X(NET_REASON_SERVER, "server_close", "closed by the server")                                   \
    X(NET_REASON_SHUTDOWN, "shutdown", "server shutting down")                                     \
    X(NET_REASON_NOMEM, "out_of_memory", "out of memory")                                          \
    X(NET_REASON_LEAVE, "namespace_leave", "client left the namespace")

enum net_reason {
#define NET_REASON_ENUM_(code, name, text) code,
    NET_REASON_MAP(NET_REASON_ENUM_)
#undef NET_REASON_ENUM_
        NET_REASON_COUNT
};

const char *net_reason_name(enum net_reason reason);
const char *net_reason_text(enum net_reason reason);

/* What is refused before there is a session: name for counters, text. */
#define NET_REFUSAL_MAP(X)                                                                         \
    X(NET_REFUSED_CONNECTIONS, "connections", "too many connections")                              \
    X(NET_REFUSED_DESCRIPTORS, "descriptors", "no file descriptors left")                          \
    X(NET_REFUSED_ADDRESS, "address", "too many sessions of one address")                          \
    X(NET_REFUSED_JOINING, "joining", "too many sessions that have not joined")                    \
    X(NET_REFUSED_ORIGIN, "origin", "origin not allowed")                                          \
    X(NET_REFUSED_PATH, "path", "unknown path")                                                    \
    X(NET_REFUSED_VERSION, "version", "unsupported revision of Engine.IO")                         \
    X(NET_REFUSED_SESSION, "session", "unknown session")                                           \
    X(NET_REFUSED_UPGRADE, "upgrade", "WebSocket without the headers of an upgrade")               \
    X(NET_REFUSED_REQUEST, "request", "request that is not served")                                \
    X(NET_REFUSED_HEAD, "head", "request line and headers too long")                               \
    X(NET_REFUSED_BODY, "body", "body too long")                                                   \
    X(NET_REFUSED_LATE, "late", "request not complete in time")                                    \
    X(NET_REFUSED_MALFORMED, "malformed", "malformed request")                                     \
    X(NET_REFUSED_TLS, "tls", "TLS handshake not completed")

enum net_refusal {
#define NET_REFUSAL_ENUM_(code, name, text) code,
    NET_REFUSAL_MAP(NET_REFUSAL_ENUM_)
#undef NET_REFUSAL_ENUM_
        NET_REFUSAL_COUNT
};

const char *net_refusal_name(enum net_refusal refusal);
const char *net_refusal_text(enum net_refusal refusal);

/* One of these, for a log. Everything is borrowed for the call. */
struct net_refused {
    enum net_refusal refusal;
    struct base_slice
        address; /* of the client, without a port, as far as it is known; else empty */
    /* What was wrong, as the client has sent it (any bytes): the origin (ORIGIN), the path without
     * a query (PATH), the revision (VERSION); else empty. */
    struct base_slice what;
    const char *why; /* more of the cause, in words, or NULL */
    uint64_t limit;  /* the bound that was passed: connections, sessions, bytes, or ms; 0: none */
};

/* ---- what an application provides ---- */

/* A CONNECT for a namespace. Borrowed for the call. */
struct net_connect {
    struct base_json_value auth;     /* the CONNECT's payload: an OBJECT, or ABSENT */
    struct base_slice authorization; /* header of the session's first request; data NULL: none, or
                                        the session has joined before */
    bool authorization_too_long;     /* there was one, and it was not kept */
};

struct net_attachments {
    struct base_slice *items;
    size_t count;
};

/* An event of a client. Borrowed for the call. */
struct net_event {
    struct base_json_value name; /* a STRING or NUMBER */
    struct base_json_value data; /* the whole array, name first */
    bool has_ack;
    uint64_t ack;
    struct net_attachments attachments;
};

struct net_namespace {
    const char *name; /* "/" or "/custom" */
    /* Must be answered with net_socket_accept or net_socket_refuse, now or later. */
    void (*on_connect)(void *data, struct net_socket *socket, const struct net_connect *connect);
    void (*on_event)(void *data, struct net_socket *socket, const struct net_event *event);
    /* Called once for each socket, also for one that was neither accepted nor refused, but not
     * after a refusal. The socket follows no view when it returns, and is gone then. */
    void (*on_disconnect)(void *data, struct net_socket *socket, enum net_reason reason);
    void *data;
};

/* The handlers of a bare Engine.IO endpoint. Socket.IO is one of these, too. */
struct net_engine {
    void (*on_open)(void *data, struct net_session *session);
    void (*on_message)(void *data, struct net_session *session, bool binary,
                       struct base_slice message);
    /* Called once. The session is gone when it returns. */
    void (*on_close)(void *data, struct net_session *session, enum net_reason reason);
    void *data;
    bool joins; /* Socket.IO's: a session has connect_timeout_ms, and a place among max_joining,
                   until its client has joined a namespace */
};

struct net_endpoint {
    const char *path; /* without a final slash; both forms are served */
    /* Origins that CORS allows (origin.h); none: no CORS headers. */
    const char *const *origins;
    size_t origin_count;
    bool check_origin; /* requests of pages of other origins than these and its own get 403 */
    bool cors_credentials;
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t max_authorization_bytes; /* of that header, to be kept until joining; 0: any */
    uint32_t connect_timeout_ms; /* from the open packet to the first joined namespace; 0: none */
    uint32_t upgrade_timeout_ms;
    uint32_t max_payload_bytes; /* of a message, a body of a POST, a packet with attachments */
    size_t max_queue_bytes;     /* waiting for a slow session, the frame being written excepted */
    uint32_t max_queue_age_ms;  /* of what waits on a WebSocket, or of an answer; 0: any */
    uint32_t events_per_s;      /* packets and control frames of a client; 0: any number */
    uint32_t events_burst;      /* so many at once */
    bool compression; /* of WebSocket messages and polling answers, for clients that ask for it */
    const struct net_namespace *namespaces;
    size_t namespace_count;
    const struct net_engine *engine; /* a bare Engine.IO endpoint; then there are no namespaces */
};

/* What Socket.IO's documentation gives as defaults, with the path /socket.io. */
extern const struct net_endpoint net_endpoint_defaults;

struct net_server_options {
    const struct net_endpoint *endpoints; /* borrowed for the server's life */
    size_t endpoint_count;                /* 0: only a site is to be served */
    unsigned workers;                     /* 1 to NET_MAX_WORKERS */
    uint32_t header_timeout_ms;        /* to the complete head of a request: of the first one from
                                          the connection's begin, of others from their first byte */
    uint32_t request_timeout_ms;       /* from the complete head to the end of the body; from the
                                          first byte of a WebSocket message to its last; from a
                                          packet to the last of its attachments */
    uint32_t idle_timeout_ms;          /* of a connection between two requests */
    struct net_tls *tls;               /* https and wss (tls.h); borrowed; NULL: http and ws */
    uint32_t max_head_bytes;           /* of request line and headers; 0: NET_HTTP1_HEAD_MAX */
    uint32_t max_connections;          /* 0: as many as there are descriptors */
    uint32_t max_joining;              /* sessions without a socket, before the first has joined:
                                          the oldest go, of the worker with most;
                                          0: any number */
    uint32_t max_sessions_per_address; /* or per /64 of IPv6; 0: any number */
    const struct base_block *proxies;  /* whose X-Forwarded-* is believed; borrowed as endpoints */
    size_t proxy_count;
    const struct net_relay *relay; /* borrowed as endpoints; NULL: no other server is asked */
    const struct net_site *pages;  /* on other paths than the endpoints'; borrowed; NULL: none */
    /* Called on each worker's thread before its loop begins and after it has ended; may be NULL. */
    void (*on_worker)(void *data, unsigned worker, bool begins);
    /* Called for each refusal, after it was counted, on the thread of the worker concerned; may be
     * NULL. Must not call functions of the server. */
    void (*on_refusal)(void *data, const struct net_refused *refused);
    void *data;
};

#define NET_MAX_WORKERS 64

/* ---- sessions of other servers ----
 *
 * Several servers may serve the same clients behind something that sends each request to any of
 * them. Each has a number of its own, which its session ids name; what comes for a session of
 * another is offered to the application, which may take the client's connection as a pipe to there.
 */

/* All but `knows` on the home loop. A pipe is gone after on_gone, and after a call of
 * net_pipe_refuse, _finish or _reset, after which there is no on_gone. */
struct net_relay {
    /* A request has come for a session of the server `id`; to be answered with net_pipe_open or
     * net_pipe_refuse, now or later. */
    void (*on_request)(void *data, struct net_pipe *pipe, uint16_t id);
    /* False: no server has the number, and the session is unknown without on_request. Any thread;
     * NULL: on_request tells. */
    bool (*knows)(void *data, uint16_t id);
    /* What the client has sent, beginning with the whole head of the request. Borrowed. */
    void (*on_bytes)(void *data, struct net_pipe *pipe, struct base_slice bytes);
    /* What net_pipe_send has kept is on its way. */
    void (*on_sent)(void *data, struct net_pipe *pipe);
    /* The client has gone. */
    void (*on_gone)(void *data, struct net_pipe *pipe);
    void *data;
    uint64_t id_seed[2]; /* hides the numbers in session ids; all servers have the same */
};

#endif
