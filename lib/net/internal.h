/* SPDX-License-Identifier: ISC
 *
 * internal: the structs of the server that its files share. Nobody outside lib/net includes this.
 *
 *     server.c     the public functions, start and end
 *     worker.c     one thread: its turn, what is dirty, what is dead
 *     listen.c     sockets that accept
 *     conn.c       a TCP connection: reading, writing, closing
 *     conn_tls.c   the same of a connection over TLS
 *     http.c       requests on a connection, and their way to an endpoint
 *     answer.c     answers of HTTP
 *     refusal.c    what is refused before there is a session
 *     site.c       plain pages, beside the endpoints or on a port of their own
 *     pipe.c       requests for sessions of other servers
 *     polling.c    the long-polling transport
 *     websocket.c  the WebSocket transport, and the upgrade from polling
 *     session.c    an Engine.IO session: life, heartbeat
 *     lag.c        how far a session is behind, and since when
 *     queue.c      what a session has to send: its own frames and its place in a log
 *     socket.c     Socket.IO namespaces on a session
 *     joining.c    sessions whose clients have not joined yet
 *     incoming.c   a packet whose attachments have not all come
 *     broadcast.c  logs, from the home loop to the workers
 *
 * A connection, session or socket that ends is marked and put on the worker's list of the dead; its
 * memory is released at the end of the turn, so every caller up the stack may still look at it.
 * Handlers of the application are called by what the loop has called, never inside a function of
 * server.h: what such a function ends is put on a list of the worker, and ended by the turn.
 * Threads: everything here belongs to one worker, except where a comment says otherwise.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "base/quota.h"
#include "net/codec/deflate.h"
#include "net/codec/eio.h"
#include "net/codec/http1.h"
#include "net/codec/sio.h"
#include "net/codec/ws.h"
#include "net/io/deadline.h"
#include "net/io/loop.h"
#include "net/io/tls.h"
#include "net/server/server.h"
#include "net/session/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#define NET_SID_LEN 20

#define NET_READ_BYTES     (64 * 1024)
#define NET_READS_PER_TURN 4
#define NET_TLS_READS      16       /* the same of records */
#define NET_LINGER_US      5000000u /* for the peer to close after we have */
#define NET_IOVECS         32
#define NET_MS             UINT64_C(1000) /* microseconds */

/* ---- worker ---- */

enum net_deadline_kind { NET_DEADLINE_CONN, NET_DEADLINE_SESSION };

struct net_worker {
    struct net_server *server;
    struct net_loop *loop;
    unsigned index;
    bool closing; /* no new sessions */
    bool ended;
    uint64_t drain_until_us;
    pthread_t thread;

    uintptr_t *slots; /* sessions; a free one holds the next free one, see session.c */
    uint32_t slot_cap;
    uint32_t free_slot;
    struct base_list conns;
    struct base_list joining; /* of struct net_joining, the oldest first */

    struct net_deadlines deadlines;
    size_t deadline_owners;

    struct net_view *dirty_views;
    struct net_session *dirty_sessions;
    const struct net_conn_role *const *roles; /* of connections, by state */
    struct net_conn *again;                   /* to be read in this turn, without an event */
    struct net_session *doomed;               /* end in this turn: net_session_doom */
    struct net_socket *left;                  /* on_disconnect has still to be called for them */
    struct net_pipe *lost_pipes;              /* and on_gone for these */
    struct net_conn *dead_conns;
    struct net_session *dead_sessions;
    struct net_socket *dead_sockets;

    struct net_http1 *scratch_http; /* of the connection being read, while it is not midway */
    char *read_bytes;
    struct base_buf head;        /* for building the head of an answer */
    struct base_buf scratch;     /* for building packets and bodies */
    struct net_deflate *deflate; /* NULL until something is to be compressed or expanded */

    /* Read by the home loop for net_server_get_stats. */
    _Atomic uint64_t conn_count, session_count, sessions_opened, request_errors;
    _Atomic uint64_t closed[NET_REASON_COUNT], refused[NET_REFUSAL_COUNT];

    /* Of `joining`, also read by other workers; and that one has asked this one to make room. */
    atomic_size_t joining_count;
    atomic_bool asked_for_room;
};

int net_worker_init(struct net_worker *worker, struct net_server *server, unsigned index,
                    struct uv_loop_s *home);
/* For a worker that has no connection left. Its loop has to be closed before. */
void net_worker_fini(struct net_worker *worker);
/* NULL without memory. */
struct net_deflate *net_worker_deflate(struct net_worker *worker);
void net_worker_dirty_view(struct net_worker *worker, struct net_view *view);
void net_worker_again(struct net_conn *conn);
/* One more thing with a deadline lives on the worker, or one less. */
int net_worker_enter(struct net_worker *worker);
void net_worker_leave(struct net_worker *worker);

/* ---- connection ---- */

enum net_conn_state {
    NET_CONN_DEAD,    /* its memory goes at the end of the turn */
    NET_CONN_CLOSING, /* sends what is left, then waits for the peer to close */
    NET_CONN_HTTP,    /* reads a request, or waits for one */
    NET_CONN_WAITING, /* a GET of a session is answered when there is something to send */
    NET_CONN_PAGE,    /* a request is answered by a page, later */
    NET_CONN_MOVING,  /* its request belongs to a session of another worker */
    NET_CONN_ASKING,  /* ... of another server, which may be found: nothing is read */
    NET_CONN_PIPED,   /* its bytes go to another server as they come */
    NET_CONN_WS,      /* frames of a session */
    NET_CONN_PROBE,   /* frames of an upgrade that is not finished */
    NET_CONN_STATES
};

/* What happens to a connection in one state. A member that is NULL: nothing, unless it says more.
 * Each function may kill the connection. */
struct net_conn_role {
    const char *name; /* for debuggers */
    /* Takes bytes that have come; how many. What is left is offered again, to the role that the
     * connection has then. */
    size_t (*take)(struct net_conn *conn, char *bytes, size_t len);
    /* Whether anything is to be read now. NULL: nothing is. */
    bool (*reads)(const struct net_conn *conn);
    /* In the turn after net_worker_again. False when the connection has left the worker. */
    bool (*again)(struct net_conn *conn);
    /* The kernel takes bytes again; what waited has been offered to it. */
    void (*writable)(struct net_conn *conn);
    /* Some of what waited has been written. */
    void (*progress)(struct net_conn *conn);
    /* Time is up. NULL: the connection is killed. */
    void (*due)(struct net_conn *conn);
    /* The connection is about to be dead: who waits for something on it learns of that. */
    void (*lost)(struct net_conn *conn);
    /* It turns to something else: who waits for something on it forgets it. */
    void (*leave)(struct net_conn *conn);
    /* Frees what the state has in the union of the connection. */
    void (*drop)(struct net_conn *conn);
    /* A request of plain HTTP has come where TLS was expected; the connection is plain now. NULL:
     * it is killed. */
    void (*plain)(struct net_conn *conn);
    /* Nothing has been asked. NULL: false. */
    bool (*idle)(const struct net_conn *conn);
    bool awaited;  /* a peer that goes away is not coming back for what it waits for */
    bool sends_on; /* what waits is still sent to a peer that has closed its side */
};

struct net_conn {
    struct net_worker *worker;
    struct base_list link; /* of worker->conns */
    struct net_deadline deadline;
    union {
        struct net_session *session; /* of a waiting GET, of frames */
        struct net_pipe *pipe;       /* ASKING, PIPED */
    };
    struct base_buf *out;  /* bytes of answers that could not be written yet */
    struct net_conn *next; /* in worker->again or worker->dead_conns */
    int fd;
    uint8_t state;         /* enum net_conn_state */
    bool blocked : 1;      /* the kernel's buffer is full; an event will tell */
    bool more_to_read : 1; /* bytes may wait in the kernel without an event */
    bool in_again : 1;
    bool keep_alive : 1; /* of the request being answered */
    bool http10 : 1;
    bool head_only : 1;
    bool hangup : 1;      /* the kernel has said that the end is near */
    bool peer_closed : 1; /* it has been read */
    bool timing : 1;      /* the header deadline runs */
    bool head_done : 1;   /* the body is being read */
    bool secure : 1;      /* a struct net_secure_conn */
    bool gzip : 1;        /* the answer to the request may be compressed */
    bool of_site : 1;     /* reaches the site and nothing else */
    bool relayed : 1;     /* comes from another server: one request, never passed on again */
    bool paused : 1;      /* PIPED: nothing is read */
    bool origin_ours : 1; /* http.origin is ours to free */
    bool refused : 1;     /* a handshake of TLS that failed has been counted */
    union {
        struct net_ws ws; /* WS, PROBE */
        struct {
            struct net_http1 *parser;            /* of an incomplete request */
            const struct net_endpoint *endpoint; /* of the request; NULL: it is for a page */
            struct base_buf *stash;              /* bytes behind the request being answered */
            union {
                /* Of the request, as CORS names it: one of the endpoint's, or a copy of what the
                 * client has sent; NULL: none that is allowed. */
                const char *origin;
                uint16_t move_to;            /* MOVING: worker */
                struct net_request *request; /* of a page */
            };
        } http;
    };
};

_Static_assert(sizeof(struct net_conn) <= 104, "idle connections are many");

/* A connection with `secure`; plain ones do not pay for it. */
struct net_secure_conn {
    struct net_conn conn;
    struct net_tls_conn *tls;
};

static inline struct net_tls_conn *net_conn_tls(const struct net_conn *conn)
{
    return base_container(conn, struct net_secure_conn, conn)->tls;
}

/* Of its present state. */
static inline const struct net_conn_role *net_conn_role(const struct net_conn *conn)
{
    return conn->worker->roles[conn->state];
}

enum net_conn_kind { NET_CONN_OF_CLIENT, NET_CONN_OF_SITE, NET_CONN_RELAYED };
int net_conn_open(struct net_worker *worker, int fd, enum net_conn_kind kind);
void net_conn_on_ready(struct net_conn *conn, unsigned events);
void net_conn_on_due(struct net_conn *conn);
/* Hands bytes, which may be changed, to the role, and to those that follow it. */
void net_conn_take(struct net_conn *conn, char *bytes, size_t len);
/* Sends two pieces (the second may be empty) behind what is waiting. */
void net_conn_send(struct net_conn *conn, struct base_slice head, struct base_slice body);
/* Writes as much as goes; the number of bytes, 0 when blocked or lost (the connection is then
 * dead). What TLS has taken counts as written, and is never to be handed in again. */
size_t net_conn_writev(struct net_conn *conn, const struct iovec *pieces, int count);
/* Something waits to be sent from now on. */
void net_conn_give_time(struct net_conn *conn);
/* Ends sending after what is waiting; the peer is given time to close. */
void net_conn_finish(struct net_conn *conn);
/* At once. `reset` makes the peer see a reset. */
void net_conn_kill(struct net_conn *conn, bool reset);
/* Goes on where reading was put off: see net_worker_again. */
void net_conn_again(struct net_conn *conn);
void net_conn_free(struct net_conn *conn);
/* It has no request and nothing to send. */
bool net_conn_idle(const struct net_conn *conn);
/* Leaves its worker, or enters conn->worker, to which nothing refers before. The latter can fail
 * (BASE_ERR_NOMEM, BASE_ERR_LIMIT): then the connection is of no worker. */
void net_conn_detach(struct net_conn *conn);
int net_conn_attach(struct net_conn *conn);
/* Of one that is of no worker: closes and frees it. */
void net_conn_discard(struct net_conn *conn);

extern const struct net_conn_role net_conn_dead, net_conn_closing;
extern const struct net_conn_role net_http_role, net_moving_role, net_page_role;
extern const struct net_conn_role net_asking_role, net_piped_role;
extern const struct net_conn_role net_waiting_role, net_websocket_role, net_probe_role;
/* By state. */
extern const struct net_conn_role *const net_roles[NET_CONN_STATES];

/* ---- a request on a connection ---- */

/* The parser of a request that is midway stays with the connection, else it serves the next: gives
 * it one, false without memory; and takes it back. */
bool net_exchange_borrow(struct net_conn *conn);
void net_exchange_release(struct net_conn *conn);
/* The same of a parser that has left the connection. */
void net_exchange_give_back(struct net_worker *worker, struct net_http1 *parser);
/* Keeps bytes that cannot be handled now, all of them; as the `take` of a role. */
size_t net_exchange_stash(struct net_conn *conn, char *bytes, size_t len);
/* Has the next request read in this turn, unless some of the last answer still waits. */
void net_exchange_resume(struct net_conn *conn);
/* Before something else takes the place of the request's origin. */
void net_exchange_forget_origin(struct net_conn *conn);
/* The `drop` of all states that have a request. */
void net_exchange_drop(struct net_conn *conn);

/* ---- connection over TLS: what conn.c does for it alone ---- */

/* Like recv into worker->read_bytes, with an `errno` that says how to go on. */
ssize_t net_conn_tls_read(struct net_conn *conn);
/* As net_conn_writev. */
size_t net_conn_tls_write(struct net_conn *conn, const struct iovec *pieces, int count);
/* Sends what TLS holds, which goes before anything else. False when some of it stays, or the
 * connection is lost. */
bool net_conn_tls_flush(struct net_conn *conn);
/* Says that no more will come. False when that has to wait. */
bool net_conn_tls_shut_down(struct net_conn *conn);
/* Before the descriptor is closed: the peer of an ordered end is told, if that goes at once. */
void net_conn_tls_kill(struct net_conn *conn, bool reset);

/* ---- refusals ---- */

/* Counts one, and tells the application. The first as it is; the others put in whose it was: of a
 * descriptor; of a connection, with what a proxy of ours says of it if `http` has a complete head
 * (else NULL). */
void net_worker_refused(struct net_worker *worker, const struct net_refused *refused);
void net_fd_refused(struct net_worker *worker, int fd, struct net_refused refused);
void net_conn_refused(struct net_conn *conn, struct net_http1 *http, struct net_refused refused);

/* ---- pipes; worker 0 ---- */

/* The head of a request for another server has been read. */
void net_pipe_begin(struct net_conn *conn, uint16_t server_id);
/* Calls on_gone for those that were lost while they were sent to. */
void net_pipes_end(struct net_worker *worker);

/* ---- HTTP ---- */

/* Engine.IO's error answers: {"code":…,"message":…} with status 400. */
enum net_eio_error {
    NET_EIO_TRANSPORT_UNKNOWN = 0,
    NET_EIO_SID_UNKNOWN = 1,
    NET_EIO_BAD_METHOD = 2,
    NET_EIO_BAD_REQUEST = 3,
    NET_EIO_FORBIDDEN = 4,
    NET_EIO_BAD_VERSION = 5,
};

/* Takes a request on whose head has been read by another worker. */
void net_http_adopt(struct net_conn *conn);
/* Sends the connection of a request to another worker, at the end of which net_http_adopt is
 * called. */
void net_moving_begin(struct net_conn *conn, unsigned worker);

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

/* Answers the request of `conn` and goes on with the connection as it allows. */
struct net_answer {
    int status;
    const char *type;    /* Content-Type; NULL without a body */
    const char *headers; /* more, each with its CR LF; NULL: none */
    struct base_slice body;
    bool close; /* whatever the request says */
};
void net_answer(struct net_conn *conn, const struct net_answer *answer);
/* Asks for the body of a request that waits for that, unless its length is known to be too much. */
void net_answer_continue(struct net_conn *conn, const struct net_http1_request *request,
                         size_t max_body_bytes);
/* The same as an error of Engine.IO. */
void net_answer_error(struct net_conn *conn, enum net_eio_error error, bool websocket);
/* Appends the CORS headers of the connection's endpoint. */
int net_answer_cors(struct base_buf *out, const struct net_conn *conn);

/* The head of a request that is for no endpoint is complete: answers what no page takes. */
void net_site_head(struct net_conn *conn, struct net_http1 *http);
size_t net_site_max_body_bytes(const struct net_conn *conn,
                               const struct net_http1_request *request);
/* The whole request. */
void net_site_serve(struct net_conn *conn, struct net_http1 *http);

/* ---- transports ---- */

/* A complete request of a session, or to open one; the query parameters have been checked. */
void net_polling_open(struct net_conn *conn, struct net_http1 *http);
void net_polling_get(struct net_conn *conn, struct net_session *session);
/* The head of a POST has come. */
void net_polling_post_begins(struct net_conn *conn, struct net_session *session);
void net_polling_post(struct net_conn *conn, struct net_session *session, struct base_buf *body);
/* The session goes over to another transport, and none of its requests is for it any more. */
void net_polling_end(struct net_session *session);
/* The connection has no request of its session any more, answered or not. */
void net_polling_leave(struct net_conn *conn);
/* The connection of a waiting GET or a running POST has been lost. */
void net_polling_lost(struct net_conn *conn);

/* Answers an upgrade request: of a new session (NULL), or of one that polls. */
void net_websocket_open(struct net_conn *conn, struct net_http1 *http, struct net_session *session);
/* ---- session ---- */

/* A frame of one session alone. */
struct net_frame {
    struct net_frame *next;
    uint64_t after; /* the position in the log behind which it belongs */
    uint32_t len;
    uint32_t sent;
    char bytes[]; /* as a WebSocket frame */
};

/* What exists only while a session polls. */
struct net_polling {
    struct net_conn *get;   /* waits for something to send */
    struct net_conn *post;  /* its body is being read */
    struct net_conn *probe; /* of an upgrade */
};

/* How a session gets its bytes to the client. A member that is NULL: nothing. */
struct net_transport {
    const char *name; /* for debuggers */
    bool polls;       /* requests may come for the session: GET, POST, an upgrade */
    /* The session is being opened. 0, or BASE_ERR_NOMEM. */
    int (*begin)(struct net_session *session);
    /* Sends what is queued as far as it goes without waiting; the session may end by it. */
    void (*flush)(struct net_session *session);
    /* The same before an end: nothing is done about what has to wait. */
    void (*drain)(struct net_session *session);
    /* The session goes: tells the client. The payload is that of a close frame. */
    void (*close)(struct net_session *session, enum net_reason reason, struct base_slice payload);
    /* The connection that it always has, or NULL. */
    struct net_conn *(*conn)(const struct net_session *session);
    /* Frees what it has in the union of the session. */
    void (*free)(struct net_session *session);
};

extern const struct net_transport net_polling_transport, net_websocket_transport;

struct net_session {
    struct net_worker *worker;
    const struct net_endpoint *endpoint;
    const struct net_transport *transport;
    union {
        struct net_conn *conn;       /* of a WebSocket; NULL at its begin and end */
        struct net_polling *polling; /* while it polls */
    };
    struct net_joining *joining; /* NULL once it has joined, and on an endpoint of Engine.IO */
    struct net_socket *sockets;
    struct net_cursor cursor;
    struct net_frame *first_frame;
    struct net_frame *last_frame;
    struct net_session *dirty_next;
    struct net_session *dead_next; /* or of the doomed */
    struct net_incoming *incoming; /* a packet whose attachments have not all come */
    char *peer;                    /* address, where it is not simply the WebSocket's */
    struct net_queue_lag *lag;     /* NULL while it keeps up */
    uint64_t event_due_us;         /* when its allowance of events is whole again */
    struct net_deadline deadline;
    uint64_t beat_us;      /* when to ping, or when the pong is due */
    uint32_t queued_bytes; /* of own frames */
    uint32_t slot;
    bool awaiting_pong : 1;
    bool probed : 1; /* an upgrade has been probed: the old transport is only drained */
    bool dirty : 1;
    bool doomed : 1; /* in the worker's list of those */
    bool dead : 1;
    bool deflates : 1;   /* on a WebSocket: permessage-deflate has been agreed on */
    uint8_t doom_reason; /* enum net_reason */
    char sid[NET_SID_LEN + 1];
};

_Static_assert(sizeof(struct net_session) <= 216, "idle sessions are many");

/* A session of the request whose head has been read. 0; BASE_ERR_LIMIT for an address that has too
 * many; BASE_ERR_NOMEM, also when the worker closes. The open packet is the transport's to send;
 * net_session_opened tells the application. */
int net_session_open(struct net_conn *conn, struct net_http1 *http,
                     const struct net_transport *transport, struct net_session **session);
/* The connection that it always has, or NULL. */
static inline struct net_conn *net_session_conn(const struct net_session *session)
{
    return session->transport->conn ? session->transport->conn(session) : NULL;
}
/* Answers a request whose session could not be opened. */
void net_session_not_opened(struct net_conn *conn, int failed);
void net_session_opened(struct net_session *session);
/* The session of this worker with that id, or NULL. */
struct net_session *net_session_find(struct net_worker *worker, struct base_slice sid);
/* The number of the server that a well-formed id names; false for another text. */
bool net_session_server(const struct net_server *server, struct base_slice sid, uint16_t *id);
/* The worker that a well-formed id names; false for another text. */
bool net_session_worker(struct base_slice sid, unsigned *worker);
/* Ends the session and tells the application. The transport closes in its own way. */
void net_session_close(struct net_session *session, enum net_reason reason);
/* The same with the payload of the close frame, which on polling has no counterpart. */
void net_session_close_with(struct net_session *session, enum net_reason reason,
                            struct base_slice payload);
void net_session_close_code(struct net_session *session, enum net_reason reason, uint16_t code);
/* The same within a call of the application, which is not to be called back there: the session
 * sends and takes nothing any more, and ends before the turn does. */
void net_session_doom(struct net_session *session, enum net_reason reason);
/* Ends a session that is doomed; not within a call of the application. False when it has ended. */
bool net_session_settle(struct net_session *session);
void net_session_on_due(struct net_session *session);
void net_session_free(struct net_session *session);
/* Handles a packet of the client. False when the session has ended. */
bool net_session_take(struct net_session *session, struct net_eio_packet *packet);
void net_session_joined(struct net_session *session);
/* The longest message, or body of a POST, that it may send now. */
size_t net_session_max_bytes(const struct net_session *session);
/* Counts one thing that the client has sent. False when that was too many: the session has ended.
 */
bool net_session_spend(struct net_session *session);
/* When something has to be done next has changed. */
void net_session_set_due(struct net_session *session);
/* Formats the open packet into worker->scratch. */
int net_session_format_open(struct net_session *session, bool upgrade);

/* ---- marks: what the turn is to do for a session ---- */

/* Something is to be sent. */
void net_session_dirty(struct net_session *session);
/* Queues a frame of the session's own, as net_queue_add; a failure dooms the session. */
void net_session_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                     size_t len);
/* As net_queue_unfollow; a failure dooms the session. */
void net_session_unfollow(struct net_session *session);

/* ---- queue ---- */

/* Adds an own frame: a text packet with its type character, or a binary message. 0; BASE_ERR_LIMIT
 * when too much waits, and nothing is added; BASE_ERR_NOMEM. */
int net_queue_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                  size_t len);
void net_queue_clear(struct net_session *session);
bool net_queue_empty(const struct net_session *session);
uint64_t net_queue_bytes(const struct net_session *session);
/* Collects what is next, in order, as pieces for a write; how many. */
int net_queue_peek(struct net_session *session, struct iovec pieces[static NET_IOVECS]);
/* That many bytes of it have been written. */
void net_queue_sent(struct net_session *session, size_t len);
/* True while a frame has been written in part. */
bool net_queue_midway(const struct net_session *session);
/* What is left of it. */
struct base_slice net_queue_rest_of_frame(struct net_session *session);
/* Whether more waits than may; a single frame of any size is let through. */
bool net_queue_exceeds(struct net_session *session);
/* Follows a view from its end on, in the form that suits the session. */
void net_queue_follow(struct net_session *session, struct net_view *view);
/* For a session that has begun to follow the plain form and may have the compressed one: goes over
 * to it when it has sent all that there is. */
void net_queue_catch_up(struct net_session *session);
/* Takes the session out of its log; what is left of a frame written in part becomes its own. 0, or
 * BASE_ERR_NOMEM: that rest is lost, and the client cannot read on. */
int net_queue_unfollow(struct net_session *session);

/* ---- lag ---- */

/* Of a session that cannot be sent to just now. */
struct net_queue_lag {
    uint64_t since_us;
    uint64_t mark_us; /* when `left` was all that waited */
    uint64_t left;
};

enum net_lag_verdict {
    NET_LAG_BEGINS, /* from now on net_lag_due_us tells */
    NET_LAG_GOES_ON,
    NET_LAG_TOO_OLD,
};

/* Something waits. Without memory its age is not known, only its size. */
enum net_lag_verdict net_lag_note(struct net_session *session);
/* Some of it has gone. True when net_lag_due_us has changed. */
bool net_lag_sent(struct net_session *session, size_t len);
void net_lag_clear(struct net_session *session);
/* When what waits will be too old; UINT64_MAX: never. */
uint64_t net_lag_due_us(const struct net_session *session);

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
void net_sockets_end(struct net_worker *worker);

/* ---- sessions that have not joined a namespace yet ---- */

#define NET_JOINING_MESSAGE_MAX 16384 /* bytes of a message before joining */

/* Makes session->joining, with the header of Authorization. 0, or BASE_ERR_NOMEM. */
int net_joining_new(struct net_session *session, struct net_http1 *http);
/* Counts a session that has no socket, and has not joined, from now on. Others may have to go: they
 * are doomed. */
void net_joining_again(struct net_session *session);
/* Before and after on_connect: fills in what is known of the client, which stays until then. */
void net_joining_ask(struct net_session *session, struct net_connect *connect);
void net_joining_asked(struct net_session *session);
/* It has joined, or ends. */
void net_joining_end(struct net_session *session);
/* When it must have joined; UINT64_MAX for NULL. */
uint64_t net_joining_due_us(const struct net_joining *joining);

/* ---- a packet with attachments that have not all come ---- */

/* Keeps a copy of its text in session->incoming; net_session_set_due is to be called then. `text`
 * is no longer than a message may be. 0, or BASE_ERR_NOMEM. */
int net_incoming_begin(struct net_session *session, struct base_slice text, size_t wanted);
/* Copies an attachment. 1: it was the last one; 0; BASE_ERR_LIMIT when the packet gets longer than
 * a message may be; BASE_ERR_NOMEM. */
int net_incoming_add(struct net_incoming *incoming, struct base_slice bytes);
/* What has come; borrowed. */
struct base_slice net_incoming_text(const struct net_incoming *incoming);
struct net_attachments net_incoming_attachments(struct net_incoming *incoming);
/* When the last one must have come; UINT64_MAX for NULL. */
uint64_t net_incoming_due_us(const struct net_incoming *incoming);
void net_incoming_free(struct net_incoming *incoming);

/* ---- listening, server ---- */

struct net_listener {
    int fd;
    struct net_worker *worker;
    uint64_t resume_us; /* accepting is put off until then; 0: it is not */
    bool starved;       /* connections have had to wait, and may wait still */
    bool of_site;
};

int net_listen_open(struct net_listener *listener, const char *host, uint16_t port, bool reuse,
                    struct base_why *why);
/* Whether an address as text, of net_listen_address, is one of this machine alone. */
bool net_listen_is_loopback(const char *text);
int net_listen_address(const struct net_listener *listener, char text[static NET_ADDRESS_MAX],
                       uint16_t *port);
void net_listen_accept(struct net_listener *listener);
void net_listen_close(struct net_listener *listener);
/* The peer's address of a descriptor as text. */
void net_listen_peer(int fd, char text[static NET_ADDRESS_MAX]);
/* True when there is no room for another client, who has this descriptor: counts that. */
bool net_listen_refuses(struct net_worker *worker, int fd);
/* Accepts again, if that is due. */
void net_listen_resume(struct net_listener *listener, uint64_t now_us);
/* Its host alone, without port and brackets; lies in `text`. */
struct base_slice net_listen_host(int fd, char text[static NET_ADDRESS_MAX]);

struct net_server {
    struct net_server_options options;
    struct net_endpoint *endpoints; /* a copy */
    uint32_t max_answer_age_ms;     /* the longest of what waits for their sessions; 0: any */
    struct net_worker *workers;
    struct net_listener *listeners; /* one per worker */
    struct net_listener site_listener;
    struct net_site site;
    bool site_is_local;          /* on a loopback address */
    char *site_name;             /* that it was given for an address */
    struct net_log *dirty_logs;  /* home loop */
    struct base_quota addresses; /* sessions of each */
    _Atomic uint16_t id;         /* among servers; 0: none */
    atomic_uint starved;         /* listeners of which that is so */
    atomic_size_t joining;       /* sessions of all workers */
    bool closing;
    pthread_t home_thread;
    unsigned workers_left; /* of those that close, worker 0 among them; home loop */
    void (*on_closed)(void *data);
    void *closed_data;
};

/* On the home loop, at the end of its turn: tells the views what the logs have got. */
void net_server_post_logs(struct net_server *server);
/* Nothing else is left on the home loop. */
void net_server_close_site(struct net_server *server);
/* The loop of a worker is closed. On its thread. */
void net_server_worker_closed(struct net_worker *worker);

#endif
