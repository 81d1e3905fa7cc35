/* SPDX-License-Identifier: ISC
 *
 * internal: what the files of the server share.
 *
 *     server.c     the public functions, start and end
 *     turn.c       what a worker does in a turn
 *     drain.c      the end of a worker
 *     roles.c      who is in charge of a connection in each of its states
 *     http.c       requests on a connection, and their way to an endpoint
 *     query.c      which session a request is for
 *     cors.c       which site it comes from
 *     site.c       plain pages, beside the endpoints or on a port of their own
 *     pipe.c       requests for sessions of other servers
 *     socket.c     Socket.IO namespaces on a session
 *     broadcast.c  logs, from the home loop to the workers
 *
 * Threads: everything here belongs to one worker, except where a comment says otherwise.
 */
#ifndef NET_SERVER_INTERNAL_H
#define NET_SERVER_INTERNAL_H

#include "net/io/listen.h"
#include "net/server/server.h"
#include "net/session/error.h"
#include "net/session/session.h"

/* ---- server ---- */

/* A worker, with all that lives on it. */
struct net_turn {
    struct net_server *server;
    struct net_worker worker;
    struct net_sessions sessions;
    void (*on_closed)(void *turn);
    uint64_t drain_until_us;
    struct net_socket *left; /* on_disconnect has still to be called for them */
    struct net_socket *dead_sockets;
    struct net_pipe *lost_pipes; /* on_gone has still to be called for these */
};

struct net_server {
    struct net_shared shared;
    struct net_sessions_shared sessions;
    struct net_endpoint *endpoints; /* a copy */
    struct net_turn *turns;         /* one per worker */
    struct net_listener *listeners; /* one per worker */
    struct net_listener site_listener;
    struct net_site site;
    bool site_is_local;         /* on a loopback address */
    char *site_name;            /* that it was given for an address */
    struct net_log *dirty_logs; /* home loop */
    bool closing;
    pthread_t home_thread;
    unsigned workers_left; /* of those that close, worker 0 among them; home loop */
    void (*on_closed)(void *data);
    void *closed_data;
};

static inline struct net_server *net_server_of(const struct net_worker *worker)
{
    return worker->turn->server;
}

/* On the home loop, at the end of its turn: tells the views what the logs have got. */
void net_server_post_logs(struct net_server *server);

/* ---- turns ---- */

/* 0, BASE_ERR_NOMEM, BASE_ERR_INTERNAL. `on_closed` is called on the worker's thread when its loop
 * is closed. */
int net_turn_init(struct net_turn *turn, struct net_server *server, unsigned index,
                  struct uv_loop_s *home, void (*on_closed)(void *turn));
/* For a worker that has no connection left. Its loop has to be closed before. */
void net_turn_fini(struct net_turn *turn);
/* A part of the end of a worker that closes: ends what has nothing left to send, and when time is
 * up the rest. True when nothing is left. */
bool net_drain(struct net_turn *turn);
/* Connections of the endpoints; those of a site do not keep a worker alive. */
bool net_drain_has_conns(const struct net_worker *worker);

/* ---- HTTP ---- */

/* The query parameters of Engine.IO. What does not fit, or cannot be decoded, is as good as
 * unknown. */
struct net_query {
    char transport[16];
    char sid[NET_SID_LEN + 2];
    char eio[4];
    bool has_sid; /* a session is named, whether it can be read or not */
};

/* Why a request is not served: the error of Engine.IO, and what is logged. */
struct net_denial {
    enum net_eio_error error;
    struct net_refused refused;
};

void net_query_read(struct net_worker *worker, struct base_slice text, struct net_query *query);
struct base_slice net_query_sid(const struct net_query *query);
/* The checks of the reference server in its order. True: fine, and `*session` is the one named, or
 * NULL when one is to be opened. */
bool net_query_verify(struct net_conn *conn, const struct net_http1_request *request,
                      const struct net_query *query, struct net_session **session,
                      struct net_denial *denial);

/* Notes what of the endpoint's origins the request has. 0, or BASE_ERR_NOMEM. */
int net_cors_note(struct net_conn *conn, struct base_slice origin);
/* Whether the request may be served; the preflight of one that may not be is answered all the
 * same, so that the browser can tell its page why. */
bool net_cors_allows(struct net_conn *conn, struct net_http1 *http);
void net_cors_answer_preflight(struct net_conn *conn, struct net_http1 *http);

/* The head of a request that is for no endpoint is complete: answers what no page takes. */
void net_site_head(struct net_conn *conn, struct net_http1 *http);
size_t net_site_max_body_bytes(const struct net_conn *conn,
                               const struct net_http1_request *request);
/* The whole request. */
void net_site_serve(struct net_conn *conn, struct net_http1 *http);

/* ---- pipes; worker 0 ---- */

/* The head of a request for another server has been read. */
void net_pipe_begin(struct net_conn *conn, uint16_t server_id);
/* Calls on_gone for those that were lost while they were sent to. */
void net_pipe_end_lost(struct net_turn *turn);

/* ---- sockets ---- */

enum net_socket_state { NET_SOCKET_PENDING, NET_SOCKET_OPEN, NET_SOCKET_DEAD };

struct net_socket {
    struct net_session *session;
    struct net_socket *next; /* of the session, or of the dead */
    const struct net_namespace *nsp;
    void *data;
    uint8_t state;
    bool follows; /* the session's cursor is this socket's */
};

/* Socket.IO: what an endpoint without an engine of its own gets. */
extern const struct net_engine net_socket_engine;
/* Calls on_disconnect for those that the application has disconnected. */
void net_socket_end_left(struct net_turn *turn);

/* ---- roles ---- */

extern const struct net_conn_role net_http_role, net_site_role;
extern const struct net_conn_role net_pipe_asking_role, net_pipe_open_role;
/* By state. */
extern const struct net_conn_role *const net_roles[NET_CONN_STATES];

#endif
