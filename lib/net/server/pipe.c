/* SPDX-License-Identifier: ISC
 *
 * A connection whose request is for a session of another server. First the application is asked
 * whether it knows the way: until then the request stays in its parser, so that it can be answered
 * here. Then the bytes go by as they come, in both directions, until either side ends. A client
 * that is lost while it is sent to is reported in the end of the turn: the handlers are not called
 * within calls of the application.
 */
#include "net/server/internal.h"

#include "base/mem.h"
#include "net/io/exchange.h"
#include "net/io/refusal.h"

struct net_pipe {
    struct net_conn *conn; /* dead, once the pipe is lost */
    void *data;
    struct net_pipe *next_lost; /* of the worker's lost pipes */
    bool sending;
    bool lost; /* on_gone has still to be called */
};

static const struct net_relay *relay_of(const struct net_conn *conn)
{
    return conn->worker->shared->options.relay;
}

static void forget_lost(struct net_pipe *pipe)
{
    struct net_pipe **place = &pipe->conn->worker->turn->lost_pipes;
    while (*place != pipe)
        place = &(*place)->next_lost;
    *place = pipe->next_lost;
}

/* The connection goes on without the pipe. */
static struct net_conn *detach(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
    if (pipe->lost)
        forget_lost(pipe);
    conn->pipe = NULL;
    base_free(pipe);
    return conn;
}

void net_pipe_begin(struct net_conn *conn, uint16_t server_id)
{
    struct net_pipe *pipe = base_calloc(1, sizeof *pipe);
    if (!pipe) {
        net_conn_kill(conn, true);
        return;
    }
    pipe->conn = conn;
    conn->pipe = pipe;
    conn->state = NET_CONN_ASKING;
    conn->paused = false;
    /* How long the client may take is for the other server to say. */
    net_deadline_clear(&conn->worker->deadlines, &conn->deadline);
    const struct net_relay *relay = relay_of(conn);
    relay->on_request(relay->data, pipe, server_id);
}

void net_pipe_set_data(struct net_pipe *pipe, void *data)
{
    pipe->data = data;
}

void *net_pipe_get_data(const struct net_pipe *pipe)
{
    return pipe->data;
}

void net_pipe_open(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
    conn->state = NET_CONN_PIPED;
    conn->head_done = false;
    net_worker_again(conn);
}

/* Passes on the head of the request and what has come with it, if that has still to be done. The
 * parser stays with the connection until the head in it has been passed on. */
static void pass_first(struct net_conn *conn)
{
    const struct net_relay *relay = relay_of(conn);
    struct base_buf *stash = conn->http.stash;
    if (!conn->http.parser)
        return;
    relay->on_bytes(relay->data, conn->pipe, net_http1_head(conn->http.parser));
    if (conn->state != NET_CONN_PIPED)
        return;
    net_exchange_release(conn);
    if (!stash)
        return;
    conn->http.stash = NULL;
    relay->on_bytes(relay->data, conn->pipe, (struct base_slice){stash->data, stash->len});
    base_buf_fini(stash);
    base_free(stash);
}

void net_pipe_refuse(struct net_pipe *pipe)
{
    struct net_conn *conn = detach(pipe);
    struct net_http1 *http = conn->http.parser;
    bool websocket = net_http1_request(http)->websocket;
    net_refusal_of_conn(conn, http, (struct net_refused){.refusal = NET_REFUSED_SESSION});
    conn->keep_alive = false; /* a body may follow, which nobody is going to read */
    net_error_answer(conn, NET_EIO_SID_UNKNOWN, websocket);
}

int net_pipe_send(struct net_pipe *pipe, struct base_slice bytes)
{
    struct net_conn *conn = pipe->conn;
    pipe->sending = true;
    net_conn_send(conn, bytes, (struct base_slice){NULL, 0});
    pipe->sending = false;
    if (pipe->lost)
        return BASE_ERR_CLOSED;
    return conn->out ? 1 : 0;
}

void net_pipe_pause(struct net_pipe *pipe, bool paused)
{
    struct net_conn *conn = pipe->conn;
    if (pipe->lost)
        return;
    conn->paused = paused;
    if (!paused && conn->more_to_read)
        net_worker_again(conn);
}

void net_pipe_finish(struct net_pipe *pipe)
{
    net_conn_finish(detach(pipe));
}

void net_pipe_reset(struct net_pipe *pipe)
{
    net_conn_kill(detach(pipe), true);
}

static void report_lost(struct net_pipe *pipe)
{
    const struct net_relay *relay = relay_of(pipe->conn);
    relay->on_gone(relay->data, pipe);
    detach(pipe);
}

void net_pipe_end_lost(struct net_turn *turn)
{
    while (turn->lost_pipes)
        report_lost(turn->lost_pipes);
}

/* ---- the roles ---- */

static size_t take(struct net_conn *conn, char *bytes, size_t len)
{
    const struct net_relay *relay = relay_of(conn);
    pass_first(conn);
    if (conn->state == NET_CONN_PIPED)
        relay->on_bytes(relay->data, conn->pipe, (struct base_slice){bytes, len});
    return len;
}

static bool reads(const struct net_conn *conn)
{
    return !conn->paused;
}

static bool again(struct net_conn *conn)
{
    pass_first(conn);
    return true;
}

static void writable(struct net_conn *conn)
{
    const struct net_relay *relay = relay_of(conn);
    if (!conn->out)
        relay->on_sent(relay->data, conn->pipe);
}

static void lost(struct net_conn *conn)
{
    struct net_pipe *pipe = conn->pipe;
    if (!pipe)
        return;
    if (!pipe->sending) {
        report_lost(pipe);
        return;
    }
    pipe->lost = true;
    pipe->next_lost = conn->worker->turn->lost_pipes;
    conn->worker->turn->lost_pipes = pipe;
}

const struct net_conn_role net_pipe_asking_role = {
    .name = "asking",
    .take = net_exchange_stash,
    .lost = lost,
    .drop = net_exchange_drop,
    .awaited = true,
};

const struct net_conn_role net_pipe_open_role = {
    .name = "piped",
    .take = take,
    .reads = reads,
    .again = again,
    .writable = writable,
    .lost = lost,
    .drop = net_exchange_drop,
};
