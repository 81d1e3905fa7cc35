/* SPDX-License-Identifier: ISC
 *
 * Answers to requests: a head with what every answer has, a body if there is one, and what becomes
 * of the connection then.
 */
#include "net/io/answer.h"

#include "net/codec/origin.h"
#include "net/io/exchange.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {204, "No Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {410, "Gone"},
        {413, "Payload Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Error";
}

/* The Date header's value, made once a second per thread. */
static const char *date_now(void)
{
    static _Thread_local char text[32];
    static _Thread_local time_t made;
    time_t now = (time_t)(base_clock_wall_ms() / 1000);
    if (now != made) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        made = now;
    }
    return text;
}

/* One origin is named whoever asks, so that a page that is not allowed can see why; of several, or
 * of a pattern, the one that has asked. */
int net_answer_cors(struct base_buf *out, const struct net_conn *conn)
{
    const struct net_endpoint *endpoint = conn->http.endpoint;
    if (!endpoint || endpoint->origin_count == 0)
        return BASE_OK;
    const char *first = endpoint->origins[0];
    bool any = strcmp(first, "*") == 0;
    int failed = any ? BASE_OK : base_buf_add_text(out, "Vary: Origin\r\n");
    const char *origin = conn->http.origin;
    if (!origin && endpoint->origin_count == 1 && (any || !net_origin_is_pattern(first)))
        origin = first;
    if (!origin)
        return failed;
    failed |= base_buf_printf(out, "Access-Control-Allow-Origin: %s\r\n", origin);
    if (endpoint->cors_credentials)
        failed |= base_buf_add_text(out, "Access-Control-Allow-Credentials: true\r\n");
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

static int format_head(struct net_conn *conn, const struct net_answer *answer, bool keep_alive)
{
    struct base_buf *head = &conn->worker->head;
    head->len = 0;
    int failed = base_buf_printf(head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", answer->status,
                                 status_text(answer->status), date_now());
    if (answer->type)
        failed |= base_buf_printf(head, "Content-Type: %s\r\n", answer->type);
    if (answer->status != 204)
        failed |= base_buf_printf(head, "Content-Length: %zu\r\n", answer->body.len);
    if (answer->headers)
        failed |= base_buf_add_text(head, answer->headers);
    failed |= net_answer_cors(head, conn);
    if (!keep_alive)
        failed |= base_buf_add_text(head, "Connection: close\r\n");
    else if (conn->http10)
        failed |= base_buf_add_text(head, "Connection: keep-alive\r\n");
    failed |= base_buf_add_text(head, "\r\n");
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

void net_answer(struct net_conn *conn, const struct net_answer *answer)
{
    bool keep_alive = conn->keep_alive && !answer->close && !conn->worker->closing;
    if (format_head(conn, answer, keep_alive) < 0) {
        net_conn_kill(conn, true);
        return;
    }
    net_exchange_forget_origin(conn);
    struct base_slice head = {conn->worker->head.data, conn->worker->head.len};
    struct base_slice body = answer->body;
    if (conn->head_only)
        body.len = 0;
    if (answer->status >= 400 && !conn->of_site)
        atomic_fetch_add_explicit(&conn->worker->request_errors, 1, memory_order_relaxed);
    const struct net_conn_role *role = net_conn_role(conn);
    if (role->leave)
        role->leave(conn);
    conn->state = NET_CONN_HTTP;
    net_conn_send(conn, head, body);
    if (conn->state == NET_CONN_DEAD)
        return;
    if (!keep_alive) {
        net_conn_finish(conn);
        return;
    }
    struct net_worker *worker = conn->worker;
    if (conn->out)
        net_conn_give_time(conn);
    else
        net_deadline_set(&worker->deadlines, &conn->deadline,
                         base_clock_mono_us() + worker->shared->options.idle_timeout_ms * NET_MS);
    net_exchange_resume(conn);
}

void net_answer_continue(struct net_conn *conn, const struct net_http1_request *request,
                         size_t max_body_bytes)
{
    if (request->expect_continue && request->content_length <= (int64_t)max_body_bytes)
        net_conn_send(conn, (struct base_slice){"HTTP/1.1 100 Continue\r\n\r\n", 25},
                      (struct base_slice){NULL, 0});
}
