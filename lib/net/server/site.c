/* SPDX-License-Identifier: ISC
 *
 * Pages over HTTP: those beside the endpoints, and those of a listener of their own, whose
 * connections reach nothing else. A request waits for its answer like a long poll does: nothing
 * more is read from its connection meanwhile.
 */
#include "net/server/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/codec/host.h"
#include "net/io/answer.h"
#include "net/io/exchange.h"
#include "net/io/refusal.h"

#include <string.h>

struct net_request {
    struct net_conn *conn;  /* NULL when it has been lost */
    struct net_http1 *http; /* NULL when the handler has returned */
};

/* NULL: there is none. */
static const struct net_site *site_of(const struct net_conn *conn)
{
    const struct net_server *server = net_server_of(conn->worker);
    return conn->of_site ? &server->site : server->shared.options.pages;
}

static const struct net_page *find_page(const struct net_conn *conn, struct base_slice path)
{
    const struct net_site *site = site_of(conn);
    for (size_t i = 0; site && i < site->page_count; i++)
        if (strlen(site->pages[i].path) == path.len &&
            memcmp(site->pages[i].path, path.data, path.len) == 0)
            return &site->pages[i];
    return NULL;
}

static bool takes(const struct net_page *page, enum net_http1_method method)
{
    return method == NET_HTTP1_GET || method == NET_HTTP1_HEAD_METHOD ||
           (method == NET_HTTP1_POST && page->max_body_bytes > 0);
}

static void answer_status(struct net_conn *conn, int status, const char *headers, bool close)
{
    net_answer(conn, &(struct net_answer){.status = status, .headers = headers, .close = close});
}

#define SHOWN_BYTES 100

/* On a loopback address those who are on this machine may ask, and not every page that one of them
 * reads in a browser. On another address scrapers know us by any name. */
static bool may_ask(const struct net_conn *conn, struct net_http1 *http)
{
    const struct net_server *server = net_server_of(conn->worker);
    const char *const given[] = {server->site_name};
    struct base_slice host = net_http1_header(http, "host");
    return !conn->of_site || !server->site_is_local || net_host_is_local(host, given, 1) ||
           net_host_is_local(host, server->site.hosts, server->site.host_count);
}

static void refuse_host(struct net_conn *conn, struct net_http1 *http)
{
    static struct base_log_limit limit;
    static const char text[] = "Not served under this host name.\n";
    struct base_slice host = net_http1_header(http, "host");
    base_log_limited(
        &limit, BASE_LOG_WARNING,
        "page refused: on a loopback address it is not served as %.*s, a host name that "
        "was not configured",
        (int)(host.len < SHOWN_BYTES ? host.len : SHOWN_BYTES), host.data);
    net_answer(conn, &(struct net_answer){.status = 403,
                                          .type = "text/plain",
                                          .body = {text, sizeof text - 1},
                                          .close = true});
}

/* Refused here, before a body comes that nobody is going to read. */
void net_site_head(struct net_conn *conn, struct net_http1 *http)
{
    if (!may_ask(conn, http)) {
        refuse_host(conn, http);
        return;
    }
    const struct net_http1_request *request = net_http1_request(http);
    const struct net_page *page = find_page(conn, request->path);
    bool readable = request->method == NET_HTTP1_GET || request->method == NET_HTTP1_HEAD_METHOD;
    if (!page && (!readable || !conn->of_site)) {
        net_refusal_of_conn(
            conn, http, (struct net_refused){.refusal = NET_REFUSED_PATH, .what = request->path});
        answer_status(conn, 404, NULL, true);
    } else if (page && !takes(page, request->method)) {
        net_refusal_of_conn(conn, http,
                            (struct net_refused){.refusal = NET_REFUSED_REQUEST,
                                                 .why = "a method that the page does not take"});
        answer_status(conn, 405,
                      page->max_body_bytes ? "Allow: GET, HEAD, POST\r\n" : "Allow: GET, HEAD\r\n",
                      true);
    } else if (!readable)
        net_answer_continue(conn, request, page->max_body_bytes);
}

size_t net_site_max_body_bytes(const struct net_conn *conn, const struct net_http1_request *request)
{
    const struct net_page *page =
        request->method == NET_HTTP1_POST ? find_page(conn, request->path) : NULL;
    return page ? page->max_body_bytes : 0;
}

void net_site_serve(struct net_conn *conn, struct net_http1 *http)
{
    struct net_worker *worker = conn->worker;
    const struct net_page *page = find_page(conn, net_http1_request(http)->path);
    if (!page) {
        answer_status(conn, 404, NULL, false);
        return;
    }
    struct net_request *request = base_malloc(sizeof *request);
    if (!request) {
        answer_status(conn, 503, NULL, true);
        return;
    }
    *request = (struct net_request){conn, http};
    conn->http.request = request;
    conn->state = NET_CONN_PAGE;
    net_deadline_set(&worker->deadlines, &conn->deadline,
                     base_clock_mono_us() + worker->shared->options.request_timeout_ms * NET_MS);
    page->on_request(site_of(conn)->data, request);
    if (conn->state == NET_CONN_PAGE && conn->http.request == request)
        request->http = NULL;
}

static void lost(struct net_conn *conn)
{
    conn->http.request->conn = NULL;
    conn->http.request = NULL;
}

const struct net_conn_role net_site_role = {
    .name = "page",
    .take = net_exchange_stash,
    .lost = lost,
    .drop = net_exchange_drop,
    .awaited = true,
};

bool net_request_is_post(const struct net_request *request)
{
    return request->http && net_http1_request(request->http)->method == NET_HTTP1_POST;
}

struct base_slice net_request_header(struct net_request *request, const char *name)
{
    return request->http ? net_http1_header(request->http, name) : (struct base_slice){NULL, 0};
}

struct base_slice net_request_query(const struct net_request *request)
{
    return request->http ? net_http1_request(request->http)->query : (struct base_slice){NULL, 0};
}

struct base_slice net_request_body(const struct net_request *request)
{
    if (!request->http)
        return (struct base_slice){NULL, 0};
    const struct base_buf *body = &net_http1_request(request->http)->body;
    return (struct base_slice){body->data, body->len};
}

unsigned net_request_worker(const struct net_request *request)
{
    return request->conn ? request->conn->worker->index : 0;
}

void net_request_answer(struct net_request *request, const struct net_response *response)
{
    struct net_conn *conn = request->conn;
    base_free(request);
    if (!conn)
        return;
    conn->http.request = NULL;
    net_answer(conn, &(struct net_answer){.status = response->status,
                                          .type = response->type,
                                          .headers = response->headers,
                                          .body = response->body});
}
