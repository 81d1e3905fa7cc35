/* SPDX-License-Identifier: ISC
 *
 * Requests on a connection. A request is dealt with twice: when its head is complete (does it
 * belong to another worker, is it an upgrade, may a body come at all) and when all of it has been
 * read. Bytes that come meanwhile wait: those of the next request until the answer has gone, those
 * of this one's body, for a session that is elsewhere, until it is there.
 */
#include "net/server/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/codec/negotiate.h"
#include "net/io/answer.h"
#include "net/io/exchange.h"
#include "net/io/move.h"
#include "net/io/refusal.h"
#include "net/session/transport.h"

#include <string.h>

#define UNUSED_BODY_MAX 4096 /* of a request whose body means nothing */

/* The path is served with and without a final slash. */
static const struct net_endpoint *find_endpoint(struct net_worker *worker, struct base_slice path)
{
    const struct net_server *server = net_server_of(worker);
    for (size_t i = 0; i < server->shared.options.endpoint_count; i++) {
        const struct net_endpoint *endpoint = &server->endpoints[i];
        size_t len = strlen(endpoint->path);
        if (path.len >= len && memcmp(path.data, endpoint->path, len) == 0 &&
            (path.len == len || (path.len == len + 1 && path.data[len] == '/')))
            return endpoint;
    }
    return NULL;
}

static void set_due(struct net_conn *conn, uint32_t timeout_ms)
{
    net_deadline_set(&conn->worker->deadlines, &conn->deadline,
                     base_clock_mono_us() + timeout_ms * NET_MS);
}

static void answer_plain(struct net_conn *conn, int status, bool close)
{
    net_answer(conn, &(struct net_answer){.status = status, .close = close});
}

static void upgrade(struct net_conn *conn, struct net_http1 *http, const struct net_query *query)
{
    struct net_session *session;
    struct net_denial denial;
    if (net_query_verify(conn, net_http1_request(http), query, &session, &denial)) {
        net_upgrade_open(conn, http, session);
        return;
    }
    net_refusal_of_conn(conn, http, denial.refused);
    net_error_answer(conn, denial.error, true);
}

/* Sends a request to where its session is, if that is elsewhere. */
static bool send_away(struct net_conn *conn, const struct net_query *query, bool may_move)
{
    struct net_worker *worker = conn->worker;
    const struct net_server_options *options = &worker->shared->options;
    uint16_t own = atomic_load_explicit(&worker->sessions->shared->id, memory_order_relaxed), id;
    unsigned owner;
    const struct net_relay *relay = options->relay;
    if (own && !conn->relayed && net_session_server(worker, net_query_sid(query), &id) &&
        id != own && (!relay->knows || relay->knows(relay->data, id))) {
        if (worker->index == 0)
            net_pipe_begin(conn, id);
        else
            net_move_begin(conn, 0);
        return true;
    }
    if (!may_move || !net_session_worker(net_query_sid(query), &owner) || owner == worker->index ||
        owner >= options->workers)
        return false;
    net_move_begin(conn, owner);
    return true;
}

/* ---- when the head has come ---- */

/* Before the head is complete no body is read, and after it only that of a POST of a session. */
static size_t max_body_bytes(const struct net_conn *conn)
{
    if (!conn->head_done)
        return 0;
    if (!conn->http.endpoint)
        return net_site_max_body_bytes(conn, net_http1_request(conn->http.parser));
    return conn->session ? net_session_max_bytes(conn->session) : UNUSED_BODY_MAX;
}

/* `more`: bytes that have come after the head. A short body that has come with it may as well be
 * taken, so that the connection can go on. */
static bool has_come(const struct net_http1_request *request, size_t more)
{
    int64_t len = request->content_length; /* -1: in chunks */
    return len >= 0 && (uint64_t)len <= more && len <= UNUSED_BODY_MAX;
}

/* Refuses what is going to be refused now, before a body comes that nobody is going to read. */
static bool admit_body(struct net_conn *conn, struct net_http1 *http, const struct net_query *query,
                       size_t more)
{
    struct net_http1_request *request = net_http1_request(http);
    struct net_session *session;
    struct net_denial denial;
    if (request->method == NET_HTTP1_OPTIONS || has_come(request, more))
        return true;
    conn->keep_alive = false;
    if (!net_query_verify(conn, request, query, &session, &denial)) {
        net_refusal_of_conn(conn, http, denial.refused);
        net_error_answer(conn, denial.error, false);
        return false;
    }
    if (request->method != NET_HTTP1_GET && request->method != NET_HTTP1_POST) {
        answer_plain(conn, 405, true);
        return false;
    }
    conn->keep_alive = request->keep_alive && !conn->relayed;
    return true;
}

static void begin_body(struct net_conn *conn, struct net_http1_request *request,
                       const struct net_query *query)
{
    struct net_session *session = NULL;
    if (request->method == NET_HTTP1_POST && query->has_sid)
        session = net_session_find(conn->worker, net_query_sid(query));
    if (session && session->transport->polls)
        net_polling_post_begins(conn, session);
    if (conn->state == NET_CONN_HTTP && request->method != NET_HTTP1_GET)
        net_answer_continue(conn, request, max_body_bytes(conn));
}

static void on_endpoint_head(struct net_conn *conn, struct net_http1 *http, size_t more,
                             bool may_move)
{
    struct net_http1_request *request = net_http1_request(http);
    struct net_query query;
    conn->gzip = conn->http.endpoint->compression &&
                 net_negotiate_gzip(net_http1_header(http, "accept-encoding"));
    set_due(conn, conn->worker->shared->options.request_timeout_ms);
    net_query_read(conn->worker, request->query, &query);
    if (query.has_sid && request->method != NET_HTTP1_OPTIONS && send_away(conn, &query, may_move))
        return;
    if (request->websocket) {
        upgrade(conn, http, &query);
        if (conn->state == NET_CONN_HTTP)
            net_exchange_release(conn);
        return;
    }
    if (!request->has_body || admit_body(conn, http, &query, more))
        begin_body(conn, request, &query);
}

static void on_head(struct net_conn *conn, size_t more, bool may_move)
{
    struct net_http1 *http = conn->http.parser;
    struct net_http1_request *request = net_http1_request(http);
    struct net_worker *worker = conn->worker;
    conn->timing = false;
    conn->head_done = true;
    conn->keep_alive = request->keep_alive && !conn->relayed;
    conn->http10 = request->http10;
    conn->head_only = request->method == NET_HTTP1_HEAD_METHOD;
    net_exchange_forget_origin(conn);
    conn->http.endpoint = conn->of_site ? NULL : find_endpoint(worker, request->path);
    if (!conn->http.endpoint) {
        set_due(conn, worker->shared->options.request_timeout_ms);
        net_site_head(conn, http);
    } else if (net_cors_note(conn, net_http1_header(http, "origin")) < 0) {
        net_conn_kill(conn, true);
    } else if (!net_cors_allows(conn, http)) {
        net_refusal_of_conn(conn, http,
                            (struct net_refused){.refusal = NET_REFUSED_ORIGIN,
                                                 .what = net_http1_header(http, "origin")});
        conn->keep_alive = false;
        net_error_answer(conn, NET_EIO_FORBIDDEN, request->websocket);
    } else {
        on_endpoint_head(conn, http, more, may_move);
    }
}

static void serve(struct net_conn *conn, struct net_http1 *http)
{
    struct net_http1_request *request = net_http1_request(http);
    struct net_session *session;
    struct net_query query;
    struct net_denial denial;
    net_query_read(conn->worker, request->query, &query);
    if (!net_query_verify(conn, request, &query, &session, &denial)) {
        net_refusal_of_conn(conn, http, denial.refused);
        net_error_answer(conn, denial.error, false);
    } else if (!session)
        net_polling_open(conn, http);
    else if (request->method == NET_HTTP1_GET)
        net_polling_get(conn, session);
    else if (request->method == NET_HTTP1_POST)
        net_polling_post(conn, session, &request->body);
    else
        answer_plain(conn, 405, false);
}

static void on_request(struct net_conn *conn)
{
    struct net_http1 *http = conn->http.parser;
    struct net_http1_request *request = net_http1_request(http);
    conn->http.parser = NULL; /* ours until the end of this function */
    conn->head_done = false;
    if (!conn->http.endpoint)
        net_site_serve(conn, http);
    else if (request->method == NET_HTTP1_OPTIONS)
        net_cors_answer_preflight(conn, http);
    else
        serve(conn, http);
    net_exchange_give_back(conn->worker, http);
}

/* The record of a TLS handshake, where a request of plain HTTP is expected. */
static bool looks_like_tls(const char *bytes, size_t len)
{
    return len >= 3 && bytes[0] == 0x16 && bytes[1] == 0x03;
}

static void on_error(struct net_conn *conn, const char *bytes, size_t len)
{
    struct net_http1 *http = conn->http.parser;
    struct net_refused refused = {.refusal = NET_REFUSED_MALFORMED};
    int status = net_http1_status(http);
    if (status == 431) {
        refused.refusal = NET_REFUSED_HEAD;
        refused.limit = conn->worker->shared->options.max_head_bytes;
    } else if (status == 413) {
        refused.refusal = NET_REFUSED_BODY;
        refused.limit = max_body_bytes(conn);
    } else if (!conn->secure && looks_like_tls(bytes, len)) {
        refused.why = "it uses TLS on a port for plain HTTP";
    }
    net_refusal_of_conn(conn, conn->head_done ? http : NULL, refused);
    conn->http10 = conn->head_only = false;
    net_answer(conn, &(struct net_answer){.status = status, .close = true});
}

static size_t feed(struct net_conn *conn, char *bytes, size_t len)
{
    size_t used = 0;
    if (!net_exchange_borrow(conn)) {
        net_conn_kill(conn, true);
        return len;
    }
    int event = net_http1_feed(conn->http.parser, max_body_bytes(conn), bytes, len, &used);
    if (event < 0) {
        on_error(conn, bytes, len);
        return len;
    }
    switch (event) {
    case NET_HTTP1_MORE:
        if (net_http1_idle(conn->http.parser)) {
            net_exchange_release(conn);
        } else if (!conn->timing && !conn->head_done) {
            conn->timing = true;
            set_due(conn, conn->worker->shared->options.header_timeout_ms);
        }
        break;
    case NET_HTTP1_HEAD:
        on_head(conn, len - used, true);
        /* A request without a body is complete as soon as the parser is asked again. */
        if (conn->state == NET_CONN_HTTP && conn->head_done)
            used += feed(conn, bytes + used, len - used);
        break;
    case NET_HTTP1_DONE: on_request(conn); break;
    default: break;
    }
    return used;
}

/* Its parser and what came after the head have come with it. */
static void arrive(struct net_conn *conn)
{
    on_head(conn, conn->http.stash ? conn->http.stash->len : 0, false);
    if (conn->state == NET_CONN_HTTP && conn->head_done && !conn->http.stash)
        feed(conn, NULL, 0);
}

/* ---- the role ---- */

/* Answers go in order: while one waits, nothing more is taken. */
static size_t take(struct net_conn *conn, char *bytes, size_t len)
{
    return conn->out ? net_exchange_stash(conn, bytes, len) : feed(conn, bytes, len);
}

/* A peer that does not take its answers is not asked for more requests, and those that have come
 * already go first. */
static bool reads(const struct net_conn *conn)
{
    return !conn->out && !conn->http.stash;
}

static bool again(struct net_conn *conn)
{
    if (!conn->http.stash || conn->out)
        return true;
    struct base_buf *stash = conn->http.stash;
    conn->http.stash = NULL;
    net_conn_take(conn, stash->data, stash->len);
    base_buf_fini(stash);
    base_free(stash);
    return true;
}

static bool is_idle(const struct net_conn *conn)
{
    return !conn->http.parser;
}

static void give_more_time(struct net_conn *conn)
{
    const struct net_shared *shared = conn->worker->shared;
    if (!is_idle(conn))
        return;
    if (!conn->out)
        set_due(conn, shared->options.idle_timeout_ms);
    else if (!shared->max_answer_age_ms)
        net_conn_give_time(conn);
}

/* The request has not come in time: that is answered, and an idle connection just ends. */
static void late(struct net_conn *conn)
{
    const struct net_server_options *options = &conn->worker->shared->options;
    if (is_idle(conn)) {
        net_conn_kill(conn, false);
        return;
    }
    net_refusal_of_conn(conn, conn->head_done ? conn->http.parser : NULL,
                        (struct net_refused){.refusal = NET_REFUSED_LATE,
                                             .why = conn->head_done ? "body" : "head",
                                             .limit = conn->head_done
                                                          ? options->request_timeout_ms
                                                          : options->header_timeout_ms});
    answer_plain(conn, 408, true);
}

static void answer_without_tls(struct net_conn *conn)
{
    static const char text[] = "This port speaks HTTPS.\n";
    net_answer(conn, &(struct net_answer){.status = 400,
                                          .type = "text/plain",
                                          .body = {text, sizeof text - 1},
                                          .close = true});
}

const struct net_conn_role net_http_role = {
    .name = "http",
    .take = take,
    .reads = reads,
    .again = again,
    .writable = net_exchange_resume,
    .progress = give_more_time,
    .due = late,
    .lost = net_polling_lost,
    .leave = net_polling_leave,
    .drop = net_exchange_drop,
    .arrive = arrive,
    .plain = answer_without_tls,
    .idle = is_idle,
    .sends_on = true,
};
