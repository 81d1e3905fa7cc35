/* SPDX-License-Identifier: ISC
 *
 * session: an Engine.IO session (protocol 4): its life, its heartbeat, what it has to send, and the
 * table of what its transport does.
 *
 * Handlers of the application are called by what the loop has called, never inside a function of
 * server.h: what such a function ends is put on a list of the worker, and ended by the turn.
 * Threads: its worker's.
 */
#ifndef NET_SESSION_SESSION_H
#define NET_SESSION_SESSION_H

#include "base/quota.h"
#include "net/codec/eio.h"
#include "net/codec/ws.h"
#include "net/io/conn.h"
#include "net/session/log.h"

struct net_frame;
struct net_incoming;
struct net_joining;
struct net_polling;
struct net_queue_lag;

#define NET_SID_LEN 20

#define NET_DEADLINE_SESSION 1u

/* Those of all workers together; any thread. */
struct net_sessions_shared {
    struct base_quota addresses; /* sessions of each */
    _Atomic uint16_t id;         /* of the server, among servers; 0: none */
    atomic_size_t joining;       /* sessions that have not joined */
};

/* Those of one worker. */
struct net_sessions {
    struct net_worker *worker;
    struct net_sessions_shared *shared;
    uintptr_t *slots; /* a free one holds the next free one, see id.c */
    uint32_t slot_cap;
    uint32_t free_slot;
    struct base_list joining; /* of struct net_joining, the oldest first */

    struct net_view *dirty_views;
    struct net_session *dirty;
    struct net_session *doomed; /* end in this turn: net_session_doom */
    struct net_session *dead;

    /* Read by the home loop for net_server_get_stats. */
    _Atomic uint64_t count, opened;
    _Atomic uint64_t closed[NET_REASON_COUNT];

    /* Of `joining`, also read by other workers; and that one has asked this one to make room. */
    atomic_size_t joining_count;
    atomic_bool asked_for_room;
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
bool net_session_server(const struct net_worker *worker, struct base_slice sid, uint16_t *id);
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
/* What waits for all sessions of the worker: the sum, and the most of one. */
void net_session_queued(const struct net_sessions *sessions, uint64_t *bytes, uint64_t *most_bytes);
/* Closes the sessions of the worker, or those that have nothing to send. */
void net_session_close_all(struct net_sessions *sessions, bool also_busy);
/* For a worker whose sessions have ended. */
void net_session_fini(struct net_sessions *sessions);

/* ---- marks: what the turn is to do for a session ---- */

/* Something is to be sent. */
void net_session_dirty(struct net_session *session);
/* Queues a frame of the session's own, as net_queue_add; a failure dooms the session. */
void net_session_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                     size_t len);
/* Sends a message: see server.h, where this stands for applications. */
void net_session_send(struct net_session *session, bool binary, struct base_slice message);
/* As net_queue_unfollow; a failure dooms the session. */
void net_session_unfollow(struct net_session *session);
/* A view has a new end: its followers have something to send. */
void net_session_view_moved(struct net_sessions *sessions, struct net_view *view);
/* The view is going to be freed. */
void net_session_forget_view(struct net_sessions *sessions, const struct net_view *view);

#endif
