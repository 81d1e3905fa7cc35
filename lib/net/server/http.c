/* SPDX-License-Identifier: ISC
 *
 * A request is dealt with twice: when its head is complete (does it belong to another worker, is it
 * an upgrade, may a body come at all) and when all of it has been read.
 */
#include "net/codec/negotiate.h"
#include "net/codec/origin.h"
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNUSED_BODY_MAX 4096 /* of a request whose body means nothing */

/* The query parameters of Engine.IO. What does not fit, or cannot be decoded, is as good as
 * unknown. */
struct query {
    char transport[16];
    char sid[NET_SID_LEN + 2];
    char eio[4];
    bool has_sid; /* a session is named, whether it can be read or not */
};

/* Why a request is not served: the error of Engine.IO, and what is logged. */
struct denial {
    enum net_eio_error error;
    struct net_refused refused;
};

static void read_parameter(struct net_worker *worker, struct base_slice query, const char *name,
                           char *out, size_t size, bool *present)
{
    struct base_buf *value = &worker->scratch;
    value->len = 0;
    int found = net_http1_query(query, name, value);
    size_t len = found == 1 && value->len < size ? value->len : 0;
    if (len && memchr(value->data, '\0', len))
        len = 0; /* what follows it would be overlooked */
    if (len)
        memcpy(out, value->data, len);
    out[len] = '\0';
    if (present)
        *present = found < 0 || (found == 1 && value->len > 0);
}

static void read_query(struct net_worker *worker, struct base_slice text, struct query *query)
{
    read_parameter(worker, text, "transport", query->transport, sizeof query->transport, NULL);
    read_parameter(worker, text, "sid", query->sid, sizeof query->sid, &query->has_sid);
    read_parameter(worker, text, "EIO", query->eio, sizeof query->eio, NULL);
}

static struct base_slice sid_slice(const struct query *query)
{
    return (struct base_slice){query->sid, strlen(query->sid)};
}

/* The path is served with and without a final slash. */
static const struct net_endpoint *find_endpoint(struct net_worker *worker, struct base_slice path)
{
    const struct net_server *server = worker->server;
    for (size_t i = 0; i < server->options.endpoint_count; i++) {
        const struct net_endpoint *endpoint = &server->endpoints[i];
        size_t len = strlen(endpoint->path);
        if (path.len >= len && memcmp(path.data, endpoint->path, len) == 0 &&
            (path.len == len || (path.len == len + 1 && path.data[len] == '/')))
            return endpoint;
    }
    return NULL;
}

static bool deny(struct denial *denial, enum net_eio_error error, enum net_refusal refusal,
                 const char *why)
{
    *denial = (struct denial){error, {.refusal = refusal, .why = why}};
    return false;
}

static bool verify_session(struct net_conn *conn, const struct net_http1_request *request,
                           const struct query *query, struct net_session **session,
                           struct denial *denial)
{
    bool websocket = strcmp(query->transport, "websocket") == 0;
    *session = net_session_find(conn->worker, sid_slice(query));
    if (!*session || (*session)->endpoint != conn->http.endpoint)
        return deny(denial, NET_EIO_SID_UNKNOWN, NET_REFUSED_SESSION, NULL);
    if (websocket && !request->websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_UPGRADE, NULL);
    /* A second WebSocket for one session is turned away after the handshake. */
    if (websocket != request->websocket || (!websocket && !(*session)->polling))
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_REQUEST,
                    "its session uses another transport");
    return true;
}

/* The checks of the reference server in its order. True: fine, and `*session` is the one named. */
static bool verify(struct net_conn *conn, const struct net_http1_request *request,
                   const struct query *query, struct net_session **session, struct denial *denial)
{
    bool websocket = strcmp(query->transport, "websocket") == 0;
    *session = NULL;
    if (!websocket && strcmp(query->transport, "polling") != 0)
        return deny(denial, NET_EIO_TRANSPORT_UNKNOWN, NET_REFUSED_REQUEST,
                    "transport is neither polling nor websocket");
    if (query->has_sid)
        return verify_session(conn, request, query, session, denial);
    if (request->method != NET_HTTP1_GET)
        return deny(denial, NET_EIO_BAD_METHOD, NET_REFUSED_REQUEST,
                    "a session is opened with GET");
    if (websocket && !request->websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_UPGRADE, NULL);
    if (request->websocket && !websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_REQUEST,
                    "a WebSocket with transport=polling");
    if (strcmp(query->eio, "4") != 0) {
        deny(denial, NET_EIO_BAD_VERSION, NET_REFUSED_VERSION, NULL);
        denial->refused.what = (struct base_slice){query->eio, strlen(query->eio)};
        return false;
    }
    return true;
}

void net_http_release(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    struct net_http1 *parser = conn->http.parser;
    conn->http.parser = NULL;
    if (!parser)
        return;
    if (worker->scratch_http) {
        net_http1_free(parser);
        return;
    }
    net_http1_reset(parser);
    worker->scratch_http = parser;
}

/* ---- where a request comes from ---- */

void net_http_forget_origin(struct net_conn *conn)
{
    if (conn->origin_ours)
        base_free((char *)(uintptr_t)conn->http.origin);
    conn->origin_ours = false;
    conn->http.origin = NULL;
}

/* NULL: none of the endpoint's. */
static const char *find_origin(const struct net_endpoint *endpoint, struct base_slice origin)
{
    for (size_t i = 0; i < endpoint->origin_count; i++)
        if (net_origin_matches(endpoint->origins[i], origin))
            return endpoint->origins[i];
    return NULL;
}

static bool is_same(struct base_slice origin, const char *known)
{
    return strlen(known) == origin.len && memcmp(known, origin.data, origin.len) == 0;
}

/* What browsers compare with their own is what they have sent, letter by letter. */
static int note_origin(struct net_conn *conn, struct base_slice origin)
{
    const char *found = origin.data ? find_origin(conn->http.endpoint, origin) : NULL;
    if (!found || strcmp(found, "*") == 0 || is_same(origin, found)) {
        conn->http.origin = found;
        return BASE_OK;
    }
    conn->http.origin = base_memdup(origin.data, origin.len);
    conn->origin_ours = conn->http.origin != NULL;
    return conn->origin_ours ? BASE_OK : BASE_ERR_NOMEM;
}

/* A page that we have served ourselves, or a proxy before us has. */
static bool is_own_origin(struct net_conn *conn, struct net_http1 *http, struct base_slice origin)
{
    const struct net_server_options *options = &conn->worker->server->options;
    struct base_slice host = net_http1_header(http, "host");
    char peer[NET_ADDRESS_MAX];
    struct base_slice forwarded = net_http1_header(http, "x-forwarded-proto");
    bool https = conn->secure;
    if (options->proxy_count > 0 && forwarded.data &&
        base_block_has(options->proxies, options->proxy_count, net_listen_host(conn->fd, peer)))
        https = net_proxy_is_https(forwarded);
    const char *scheme = https ? "https://" : "http://";
    size_t len = strlen(scheme);
    return host.len > 0 && origin.len == len + host.len && memcmp(origin.data, scheme, len) == 0 &&
           strncasecmp(origin.data + len, host.data, host.len) == 0;
}

/* Whether the request may be served; the preflight of one that may not be is answered all the
 * same, so that the browser can tell its page why. */
static bool check_origin(struct net_conn *conn, struct net_http1 *http)
{
    struct base_slice origin = net_http1_header(http, "origin");
    return !origin.data || conn->http.origin || !conn->http.endpoint->check_origin ||
           conn->relayed || net_http1_request(http)->method == NET_HTTP1_OPTIONS ||
           is_own_origin(conn, http, origin);
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

static void answer_preflight(struct net_conn *conn, struct net_http1 *http)
{
    struct base_slice asked = net_http1_header(http, "access-control-request-headers");
    char headers[1024];
    int len = snprintf(headers, sizeof headers,
                       "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
                       "Vary: Access-Control-Request-Headers\r\n"
                       "Content-Length: 0\r\n");
    if (asked.data && asked.len < sizeof headers - (size_t)len - 64)
        snprintf(headers + len, sizeof headers - (size_t)len,
                 "Access-Control-Allow-Headers: %.*s\r\n", (int)asked.len, asked.data);
    net_answer(conn, &(struct net_answer){.status = 204, .headers = headers});
}

static void upgrade(struct net_conn *conn, struct net_http1 *http, const struct query *query)
{
    struct net_session *session;
    struct denial denial;
    if (verify(conn, net_http1_request(http), query, &session, &denial)) {
        net_websocket_open(conn, http, session);
        return;
    }
    net_conn_refused(conn, http, denial.refused);
    net_answer_error(conn, denial.error, true);
}

static void move(struct net_conn *conn, unsigned worker)
{
    net_http_forget_origin(conn);
    conn->http.move_to = (uint16_t)worker;
    conn->state = NET_CONN_MOVING;
    net_worker_again(conn);
}

/* Sends a request to where its session is, if that is elsewhere. */
static bool send_away(struct net_conn *conn, const struct query *query, bool may_move)
{
    struct net_worker *worker = conn->worker;
    const struct net_server *server = worker->server;
    uint16_t own = atomic_load_explicit(&server->id, memory_order_relaxed), id;
    unsigned owner;
    const struct net_relay *relay = server->options.relay;
    if (own && !conn->relayed && net_session_server(server, sid_slice(query), &id) && id != own &&
        (!relay->knows || relay->knows(relay->data, id))) {
        if (worker->index == 0)
            net_pipe_begin(conn, id);
        else
            move(conn, 0);
        return true;
    }
    if (!may_move || !net_session_worker(sid_slice(query), &owner) || owner == worker->index ||
        owner >= server->options.workers)
        return false;
    move(conn, owner);
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
static bool admit_body(struct net_conn *conn, struct net_http1 *http, const struct query *query,
                       size_t more)
{
    struct net_http1_request *request = net_http1_request(http);
    struct net_session *session;
    struct denial denial;
    if (request->method == NET_HTTP1_OPTIONS || has_come(request, more))
        return true;
    conn->keep_alive = false;
    if (!verify(conn, request, query, &session, &denial)) {
        net_conn_refused(conn, http, denial.refused);
        net_answer_error(conn, denial.error, false);
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
                       const struct query *query)
{
    struct net_session *session = NULL;
    if (request->method == NET_HTTP1_POST && query->has_sid)
        session = net_session_find(conn->worker, sid_slice(query));
    if (session && session->polling)
        net_polling_post_begins(conn, session);
    if (conn->state == NET_CONN_HTTP && request->method != NET_HTTP1_GET)
        net_answer_continue(conn, request, max_body_bytes(conn));
}

static void on_endpoint_head(struct net_conn *conn, struct net_http1 *http, size_t more,
                             bool may_move)
{
    struct net_http1_request *request = net_http1_request(http);
    struct query query;
    conn->gzip = conn->http.endpoint->compression &&
                 net_negotiate_gzip(net_http1_header(http, "accept-encoding"));
    set_due(conn, conn->worker->server->options.request_timeout_ms);
    read_query(conn->worker, request->query, &query);
    if (query.has_sid && request->method != NET_HTTP1_OPTIONS && send_away(conn, &query, may_move))
        return;
    if (request->websocket) {
        upgrade(conn, http, &query);
        if (conn->state == NET_CONN_HTTP)
            net_http_release(conn);
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
    net_http_forget_origin(conn);
    conn->http.endpoint = conn->of_site ? NULL : find_endpoint(worker, request->path);
    if (!conn->http.endpoint) {
        set_due(conn, worker->server->options.request_timeout_ms);
        net_site_head(conn, http);
    } else if (note_origin(conn, net_http1_header(http, "origin")) < 0) {
        net_conn_kill(conn, true);
    } else if (!check_origin(conn, http)) {
        net_conn_refused(conn, http,
                         (struct net_refused){.refusal = NET_REFUSED_ORIGIN,
                                              .what = net_http1_header(http, "origin")});
        conn->keep_alive = false;
        net_answer_error(conn, NET_EIO_FORBIDDEN, request->websocket);
    } else {
        on_endpoint_head(conn, http, more, may_move);
    }
}

static void serve(struct net_conn *conn, struct net_http1 *http)
{
    struct net_http1_request *request = net_http1_request(http);
    struct net_session *session;
    struct query query;
    struct denial denial;
    read_query(conn->worker, request->query, &query);
    if (!verify(conn, request, &query, &session, &denial)) {
        net_conn_refused(conn, http, denial.refused);
        net_answer_error(conn, denial.error, false);
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
        answer_preflight(conn, http);
    else
        serve(conn, http);
    struct net_worker *worker = conn->worker;
    net_http1_reset(http);
    if (worker->scratch_http)
        net_http1_free(http);
    else
        worker->scratch_http = http;
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
        refused.limit = conn->worker->server->options.max_head_bytes;
    } else if (status == 413) {
        refused.refusal = NET_REFUSED_BODY;
        refused.limit = max_body_bytes(conn);
    } else if (!conn->secure && looks_like_tls(bytes, len)) {
        refused.why = "it uses TLS on a port for plain HTTP";
    }
    net_conn_refused(conn, conn->head_done ? http : NULL, refused);
    conn->http10 = conn->head_only = false;
    net_answer(conn, &(struct net_answer){.status = status, .close = true});
}

/* The parser of a request that is midway stays with the connection, else it serves the next. */
static bool borrow_parser(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    if (conn->http.parser)
        return true;
    conn->http.parser = worker->scratch_http ? worker->scratch_http : net_http1_new();
    worker->scratch_http = NULL;
    if (conn->http.parser)
        net_http1_limit_head(conn->http.parser, worker->server->options.max_head_bytes);
    return conn->http.parser != NULL;
}

size_t net_http_take(struct net_conn *conn, char *bytes, size_t len)
{
    size_t used = 0;
    if (!borrow_parser(conn)) {
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
            net_http_release(conn);
        } else if (!conn->timing && !conn->head_done) {
            conn->timing = true;
            set_due(conn, conn->worker->server->options.header_timeout_ms);
        }
        break;
    case NET_HTTP1_HEAD:
        on_head(conn, len - used, true);
        /* A request without a body is complete as soon as the parser is asked again. */
        if (conn->state == NET_CONN_HTTP && conn->head_done)
            used += net_http_take(conn, bytes + used, len - used);
        break;
    case NET_HTTP1_DONE: on_request(conn); break;
    default: break;
    }
    return used;
}

void net_http_late(struct net_conn *conn)
{
    const struct net_server_options *options = &conn->worker->server->options;
    net_conn_refused(conn, conn->head_done ? conn->http.parser : NULL,
                     (struct net_refused){.refusal = NET_REFUSED_LATE,
                                          .why = conn->head_done ? "body" : "head",
                                          .limit = conn->head_done ? options->request_timeout_ms
                                                                   : options->header_timeout_ms});
}

void net_http_adopt(struct net_conn *conn)
{
    on_head(conn, conn->http.stash ? conn->http.stash->len : 0, false);
    if (conn->state == NET_CONN_HTTP && conn->head_done && !conn->http.stash)
        net_http_take(conn, NULL, 0);
}
