/* SPDX-License-Identifier: ISC
 *
 * What a connection holds of a request of HTTP, from its first byte to its answer: the parser,
 * which is borrowed from the worker, bytes that came after the request and have to wait, and the
 * origin.
 */
#include "net/io/exchange.h"

#include "base/mem.h"

#include <string.h>

bool net_exchange_borrow(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    if (conn->http.parser)
        return true;
    conn->http.parser = worker->scratch_http ? worker->scratch_http : net_http1_new();
    worker->scratch_http = NULL;
    if (conn->http.parser)
        net_http1_limit_head(conn->http.parser, worker->shared->options.max_head_bytes);
    return conn->http.parser != NULL;
}

void net_exchange_give_back(struct net_worker *worker, struct net_http1 *parser)
{
    if (worker->scratch_http) {
        net_http1_free(parser);
        return;
    }
    net_http1_reset(parser);
    worker->scratch_http = parser;
}

void net_exchange_release(struct net_conn *conn)
{
    struct net_http1 *parser = conn->http.parser;
    conn->http.parser = NULL;
    if (parser)
        net_exchange_give_back(conn->worker, parser);
}

size_t net_exchange_stash(struct net_conn *conn, char *bytes, size_t len)
{
    if (!conn->http.stash)
        conn->http.stash = base_calloc(1, sizeof *conn->http.stash);
    if (!conn->http.stash || base_buf_add(conn->http.stash, bytes, len) < 0)
        net_conn_kill(conn, true);
    return len;
}

void net_exchange_resume(struct net_conn *conn)
{
    if (!conn->out && (conn->more_to_read || conn->http.stash))
        net_worker_again(conn);
}

void net_exchange_forget_origin(struct net_conn *conn)
{
    if (conn->origin_ours)
        base_free((char *)(uintptr_t)conn->http.origin);
    conn->origin_ours = false;
    conn->http.origin = NULL;
}

void net_exchange_drop(struct net_conn *conn)
{
    net_exchange_forget_origin(conn);
    net_http1_free(conn->http.parser);
    if (conn->http.stash) {
        base_buf_fini(conn->http.stash);
        base_free(conn->http.stash);
    }
    memset(&conn->http, 0, sizeof conn->http);
}
