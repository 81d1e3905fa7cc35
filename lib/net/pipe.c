/* SPDX-License-Identifier: ISC
 *
 * A connection whose request is for a session of another server. First the application is asked
 * whether it knows the way: until then the request stays in its parser, so that it can be answered
 * here. Then the bytes go by as they come, in both directions, until either side ends.
 */
#include "net/internal.h"

#include "base/mem.h"

struct net_pipe {
    struct net_conn *conn;
    void *data;
};

static const struct net_relay *relay_of(const struct net_conn *conn)
{
    return conn->worker->server->options.relay;
}

/* The connection goes on without the pipe. */
static struct net_conn *detach(struct net_pipe *pipe)
{
    struct net_conn *conn = pipe->conn;
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
    const struct net_relay *relay = relay_of(conn);
    struct base_buf *stash = conn->http.stash;
    conn->state = NET_CONN_PIPED;
    conn->http.stash = NULL;
    conn->head_done = false;
    relay->on_bytes(relay->data, pipe, net_http1_head(conn->http.parser));
    net_http_release(conn);
    if (stash) {
        relay->on_bytes(relay->data, pipe, (struct base_slice){stash->data, stash->len});
        base_buf_fini(stash);
        base_free(stash);
    }
    if (conn->more_to_read)
        net_worker_again(conn);
}

void net_pipe_refuse(struct net_pipe *pipe)
{
    struct net_conn *conn = detach(pipe);
    bool websocket = net_http1_request(conn->http.parser)->websocket;
    conn->keep_alive = false; /* a body may follow, which nobody is going to read */
    net_answer_error(conn, NET_EIO_SID_UNKNOWN, websocket);
}

int net_pipe_send(struct net_pipe *pipe, struct base_slice bytes)
{
    struct net_conn *conn = pipe->conn;
    net_conn_send(conn, bytes, (struct base_slice){NULL, 0});
    if (conn->state == NET_CONN_DEAD)
        return BASE_ERR_CLOSED;
    return conn->out ? 1 : 0;
}

void net_pipe_pause(struct net_pipe *pipe, bool paused)
{
    struct net_conn *conn = pipe->conn;
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

void net_pipe_take(struct net_conn *conn, struct base_slice bytes)
{
    const struct net_relay *relay = relay_of(conn);
    relay->on_bytes(relay->data, conn->pipe, bytes);
}

void net_pipe_written(struct net_conn *conn)
{
    const struct net_relay *relay = relay_of(conn);
    if (!conn->out)
        relay->on_sent(relay->data, conn->pipe);
}

void net_pipe_lost(struct net_conn *conn)
{
    const struct net_relay *relay = relay_of(conn);
    struct net_pipe *pipe = conn->pipe;
    if (!pipe)
        return;
    relay->on_gone(relay->data, pipe);
    detach(pipe);
}
