/* SPDX-License-Identifier: ISC
 *
 * server: a Socket.IO v4 server (Engine.IO protocol 4, Socket.IO protocol 5) for C programs.
 *
 * A server has endpoints, each a path with its own protocol options, spoken over long-polling and
 * WebSocket on the same port. An endpoint is either Socket.IO, with namespaces, or bare Engine.IO.
 * What goes to many sockets goes through a log that they follow (log.h). A site of plain pages may
 * be served beside the endpoints, and another, for those who look after the server, on another
 * port.
 *
 * Threads: a server has a home loop and workers, each with a loop and thread of its own; worker 0
 * lives on the home loop. A session lives its whole life on one worker, on whose thread its
 * handlers run and its functions must be called. net_server_* belong to the home loop, except where
 * another thread is named.
 *
 * Handlers are called by the loop, never inside a call of a function below (but on_worker, inside
 * net_server_new). So whoever makes such a call finds all objects as they were, his own and the
 * server's, and may go through a list of his meanwhile. What a call ends, for instance a session
 * for which too much waits, ends in the same turn of the loop, after the handler that has made the
 * call returned: then on_disconnect, on_close and on_gone tell. Until they have returned, the
 * functions of a socket, session or pipe that is ending may be called and have no effect.
 */
#ifndef NET_SERVER_SERVER_H
#define NET_SERVER_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "net/codec/proxy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;
struct net_server;
struct net_session;
struct net_socket;
struct net_log;
struct net_view;
struct net_tls;

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

/* The handlers of a bare Engine.IO endpoint. */
struct net_engine {
    void (*on_open)(void *data, struct net_session *session);
    void (*on_message)(void *data, struct net_session *session, bool binary,
                       struct base_slice message);
    /* Called once. The session is gone when it returns. */
    void (*on_close)(void *data, struct net_session *session, enum net_reason reason);
    void *data;
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

struct net_pipe;

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

/* ---- the server ---- */

/* 0; BASE_ERR_INVALID, BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
int net_server_new(struct uv_loop_s *home, const struct net_server_options *options,
                   struct net_server **server, struct base_why *why);
/* Binds and listens; port 0 picks a free one. `host` NULL or empty is every address. `bound`
 * receives the address as text ("127.0.0.1:3000", "[::]:3000"). May be called once. */
#define NET_ADDRESS_MAX 64
int net_server_listen(struct net_server *server, const char *host, uint16_t port,
                      char bound[static NET_ADDRESS_MAX], struct base_why *why);
/* Takes no new connections, sends what is waiting for at most `drain_ms`, closes every session
 * (WebSocket code 1001), stops the workers, calls `done` on the home loop, frees the server. */
void net_server_close(struct net_server *server, uint32_t drain_ms, void (*done)(void *data),
                      void *data);

/* Runs `task` on a worker's thread, after what was posted to it before. Any thread. 0, or
 * BASE_ERR_NOMEM. While the server closes, tasks still run. */
int net_server_post(struct net_server *server, unsigned worker, void (*task)(void *arg), void *arg);
/* The same for the home loop. */
int net_server_post_home(struct net_server *server, void (*task)(void *arg), void *arg);

/* What concerns the endpoints; a site's connections and requests are not counted. */
/* The server's own number, for sessions from now on; 0, as at first: none, and no request is one
 * for another server. */
void net_server_set_id(struct net_server *server, uint16_t id);
/* Serves a connected descriptor, which is the server's from now on, for one request that another
 * server has passed on, or for the life of a WebSocket. Who sent it has been checked there. 0, or
 * BASE_ERR_LIMIT, BASE_ERR_NOMEM, BASE_ERR_CLOSED; then it is closed. */
int net_server_adopt(struct net_server *server, int fd);

void net_pipe_set_data(struct net_pipe *pipe, void *data);
void *net_pipe_get_data(const struct net_pipe *pipe);
/* on_bytes is called with what has come so far, and will come, from this turn of the loop on. */
void net_pipe_open(struct net_pipe *pipe);
/* Answers that the session is unknown. */
void net_pipe_refuse(struct net_pipe *pipe);
/* 0: on its way; 1: some of it is kept, on_sent will tell; BASE_ERR_CLOSED: the client has gone,
 * on_gone will be called in this turn of the loop. */
int net_pipe_send(struct net_pipe *pipe, struct base_slice bytes);
/* Reads no more, or reads again. What has been read already may still come. */
void net_pipe_pause(struct net_pipe *pipe, bool paused);
/* Ends the connection behind what is kept. */
void net_pipe_finish(struct net_pipe *pipe);
/* At once. */
void net_pipe_reset(struct net_pipe *pipe);

struct net_server_stats {
    uint64_t connections; /* TCP, now */
    uint64_t sessions;    /* now */
    uint64_t joining;     /* of these, what max_joining bounds */
    uint64_t sessions_opened;
    uint64_t request_errors; /* answered with an error status */
    uint64_t closed[NET_REASON_COUNT];
    uint64_t refused[NET_REFUSAL_COUNT];
};
/* Sums over the workers; figures of other workers may lag a little. */
void net_server_get_stats(struct net_server *server, struct net_server_stats *stats);

/* What waits for the sessions of a worker. */
struct net_server_queued {
    uint64_t bytes;
    uint64_t most_bytes; /* of one session */
};
/* That worker's thread. Looks at each of its sessions. */
void net_server_get_queued(struct net_server *server, unsigned worker,
                           struct net_server_queued *queued);

/* ---- a site: pages over HTTP ----
 *
 * Unknown paths are answered with 404, methods that a page does not take with 405. Heads and time
 * are bounded as on the endpoints. A request lives on the worker of its connection: its page is
 * called there, and there it is answered.
 */

struct net_request; /* waits for its answer */

struct net_page {
    const char *path; /* the whole of it; a query is left out of account */
    /* A GET or HEAD, or a POST whose body has come whole. Must be answered with net_request_answer,
     * now or later. */
    void (*on_request)(void *data, struct net_request *request);
    uint32_t max_body_bytes; /* of a POST, a longer one gets 413; 0: only GET and HEAD are taken */
};

struct net_site {
    const struct net_page *pages; /* borrowed for the server's life */
    size_t page_count;
    void *data;
    /* Names by which a listener on a loopback address may be asked (host.h), besides the one that
     * it was given; borrowed likewise. A request by another one gets 403, or a page of a foreign
     * site could read these. */
    const char *const *hosts;
    size_t host_count;
};

/* Serves pages on a listener of its own, on the home loop, without TLS; its connections reach
 * nothing else. While the server closes, the site is served until the rest has ended. Otherwise as
 * net_server_listen. */
int net_server_listen_site(struct net_server *server, const char *host, uint16_t port,
                           const struct net_site *site, char bound[static NET_ADDRESS_MAX],
                           struct base_why *why);

/* What has been asked; all of it until on_request returns, and borrowed until then. */
bool net_request_is_post(const struct net_request *request);
/* The value of a header (name in lower case), data NULL when absent. */
struct base_slice net_request_header(struct net_request *request, const char *name);
/* What is behind the question mark, as sent. */
struct base_slice net_request_query(const struct net_request *request);
struct base_slice net_request_body(const struct net_request *request);
unsigned net_request_worker(const struct net_request *request);

struct net_response {
    int status;
    const char *type;       /* Content-Type; NULL without a body */
    const char *headers;    /* more, each with its CR LF; NULL: none */
    struct base_slice body; /* left out of the answer to a HEAD */
};
/* Copies the response; the request is gone after the call. On the request's worker, or, after the
 * server's end, anywhere. A peer that has gone, or for which it took longer than
 * request_timeout_ms, gets nothing; the request has to be answered nevertheless. */
void net_request_answer(struct net_request *request, const struct net_response *response);

/* ---- broadcasts; home loop ---- */

int net_server_log_new(struct net_server *server, struct net_log **log);
/* Appends an event of the namespace "/": `name` is a JSON string with its quotes, `arguments` the
 * JSON text behind it (empty for none), both copied as they are. 0, or BASE_ERR_NOMEM. */
int net_server_log_event(struct net_server *server, struct net_log *log, struct base_slice name,
                         struct base_slice arguments);
/* The view of a worker, which must not have one of this log. To be handed to the worker by
 * net_server_post. NULL: BASE_ERR_NOMEM. */
struct net_view *net_server_log_attach(struct net_server *server, struct net_log *log,
                                       unsigned worker);
/* The worker has no follower of the view any more: it is freed, on its worker, after what has been
 * posted there. */
void net_server_log_detach(struct net_server *server, struct net_view *view);
/* Every view must have been detached. */
void net_server_log_free(struct net_server *server, struct net_log *log);

/* ---- sockets; their worker ----
 *
 * A socket is there until on_disconnect has returned for it, or net_socket_refuse was called. Any
 * of the calls that send may find that too much waits for the session, or memory short: then the
 * session is closed in this turn of the loop (NET_REASON_SLOW, NET_REASON_NOMEM), and on_disconnect
 * is called for each of its sockets. So there is no result to look at.
 */

void net_socket_set_data(struct net_socket *socket, void *data);
void *net_socket_get_data(const struct net_socket *socket);
unsigned net_socket_worker(const struct net_socket *socket);
/* The client's address as text, for logs; with a proxy of ours before it, what that says. */
void net_socket_address(const struct net_socket *socket, char out[static NET_ADDRESS_MAX]);

/* How far a socket's session lags; also for on_disconnect. */
struct net_lag {
    uint64_t bytes;    /* that wait for it */
    uint64_t since_us; /* base_clock_mono_us when it fell behind; 0: it has not, or it polls */
};
void net_socket_lag(const struct net_socket *socket, struct net_lag *lag);

/* Answers CONNECT. Once only. An accepted socket may follow a view and emit at once: the answer
 * goes first. Sends. */
void net_socket_accept(struct net_socket *socket);
/* The session stays; the socket is gone after the call, without on_disconnect. Sends. */
void net_socket_refuse(struct net_socket *socket, const char *message);

/* Sends an event; `name` and `arguments` as above. */
void net_socket_emit(struct net_socket *socket, struct base_slice name, struct base_slice arguments,
                     const struct net_attachments *attachments);
void net_socket_ack(struct net_socket *socket, uint64_t ack, struct base_slice arguments,
                    const struct net_attachments *attachments);
/* Follows a view of the socket's worker from its present end on; a session follows one at most,
 * for a second one this has no effect. */
void net_socket_follow(struct net_socket *socket, struct net_view *view);
/* The view may be detached afterwards. */
void net_socket_unfollow(struct net_socket *socket);
/* Leaves the namespace (41). Official clients do not come back by themselves after it. Nothing is
 * received or followed by the socket any more; on_disconnect is called in this turn of the loop,
 * with NET_REASON_SERVER. Sends. */
void net_socket_disconnect(struct net_socket *socket);
/* Closes the session below, in this turn of the loop: clients come back by themselves. */
void net_socket_close(struct net_socket *socket, enum net_reason reason);

/* ---- sessions of a bare Engine.IO endpoint; their worker ---- */

/* Sends, as the calls of a socket do: the session may be closed by it, in this turn of the loop. */
void net_session_send(struct net_session *session, bool binary, struct base_slice message);

#endif
