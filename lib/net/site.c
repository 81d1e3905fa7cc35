/* SPDX-License-Identifier: ISC
 *
 * Pages over plain HTTP, beside the endpoints. A connection of the site's listener reaches them and
 * nothing else. A request waits for its answer like a long poll does: nothing more is read from its
 * connection meanwhile.
 */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

struct net_request {
    struct net_conn *conn;  /* NULL when it has been lost */
    struct net_http1 *http; /* NULL when the handler has returned */
};

static const struct net_page *find_page(const struct net_site *site, struct base_slice path)
{
    for (size_t i = 0; i < site->page_count; i++)
        if (strlen(site->pages[i].path) == path.len &&
            memcmp(site->pages[i].path, path.data, path.len) == 0)
            return &site->pages[i];
    return NULL;
}

static void answer_status(struct net_conn *conn, int status, bool close)
{
    net_answer(conn, &(struct net_answer){.status = status,
                                          .headers = status == 405 ? "Allow: GET, HEAD\r\n" : NULL,
                                          .close = close});
}

void net_site_head(struct net_conn *conn, const struct net_http1_request *request)
{
    bool readable = request->method == NET_HTTP1_GET || request->method == NET_HTTP1_HEAD_METHOD;
    if (!readable) /* a body may follow, which nobody is going to read */
        answer_status(conn, find_page(&conn->worker->server->site, request->path) ? 405 : 404,
                      true);
}

void net_site_serve(struct net_conn *conn, struct net_http1 *http)
{
    struct net_worker *worker = conn->worker;
    const struct net_site *site = &worker->server->site;
    const struct net_page *page = find_page(site, net_http1_request(http)->path);
    if (!page) {
        answer_status(conn, 404, false);
        return;
    }
    struct net_request *request = base_malloc(sizeof *request);
    if (!request) {
        answer_status(conn, 503, true);
        return;
    }
    *request = (struct net_request){conn, http};
    conn->http.request = request;
    conn->state = NET_CONN_WAITING;
    net_deadline_set(&worker->deadlines, &conn->deadline,
                     base_clock_mono_us() + worker->server->options.request_timeout_ms * NET_MS);
    page->on_request(site->data, request);
    if (conn->http.request)
        conn->http.request->http = NULL;
}

void net_site_lost(struct net_conn *conn)
{
    if (conn->http.request)
        conn->http.request->conn = NULL;
    conn->http.request = NULL;
}

struct base_slice net_request_header(struct net_request *request, const char *name)
{
    return request->http ? net_http1_header(request->http, name) : (struct base_slice){NULL, 0};
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
