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

#include "base/err.h"
#include "net/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;
struct net_server;
struct net_log;
struct net_view;

/* ---- the server ---- */

/* 0; BASE_ERR_INVALID, BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
int net_server_new(struct uv_loop_s *home, const struct net_server_options *options,
                   struct net_server **server, struct base_why *why);
/* Binds and listens; port 0 picks a free one. `host` NULL or empty is every address. `bound`
 * receives the address as text ("127.0.0.1:3000", "[::]:3000"). May be called once. */
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
