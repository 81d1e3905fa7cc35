/* SPDX-License-Identifier: ISC
 *
 * conn: a TCP connection, and the table of what happens to it in each of its states.
 *
 * An idle connection owns neither buffer nor parser. Threads: its worker's.
 */
#ifndef NET_IO_CONN_H
#define NET_IO_CONN_H

#include "base/list.h"
#include "net/codec/http1.h"
#include "net/codec/ws.h"
#include "net/io/worker.h"

#include <sys/uio.h>

struct net_pipe;
struct net_request;
struct net_session;

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
    /* It has come to this worker with a request whose head has been read. */
    void (*arrive)(struct net_conn *conn);
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

/* The roles of the two states that conn.c itself deals with. */
extern const struct net_conn_role net_conn_dead, net_conn_closing;

#endif
