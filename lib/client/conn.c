/* SPDX-License-Identifier: ISC
 *
 * libcurl connects and says so; from then on the descriptor is watched here, and bytes go through
 * curl_easy_send and curl_easy_recv, which do the TLS. Both want the transfer to stay in its multi
 * handle.
 */
#include "client/conn.h"

#include "base/mem.h"

#include <uv.h>

struct client_conn {
    struct client_conn_handlers on;
    struct http_curl *curl; /* of its own, see `keep` in curl_loop.h */
    struct http_transfer *transfer;
    struct uv_loop_s *loop;
    uv_poll_t poll;
    bool watched; /* `poll` is a handle of the loop */
    bool closing;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct client_conn *conn = poll->data;
    (void)events;
    (void)status; /* what is wrong is said by the next read */
    conn->on.on_ready(conn->on.data);
}

void client_conn_want_write(struct client_conn *conn, bool want)
{
    uv_poll_start(&conn->poll, UV_READABLE | (want ? UV_WRITABLE : 0), on_ready);
}

static void fail(struct client_conn *conn, CURLcode result, const char *text)
{
    struct client_end end;
    client_end_of_transfer(&end, result, text);
    conn->on.on_fail(conn->on.data, &end);
}

static void on_connected(void *data, CURLcode result, const char *text)
{
    struct client_conn *conn = data;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (result != CURLE_OK) {
        fail(conn, result, text);
        return;
    }
    curl_easy_getinfo(http_transfer_easy(conn->transfer), CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD || uv_poll_init_socket(conn->loop, &conn->poll, fd) < 0) {
        fail(conn, CURLE_COULDNT_CONNECT, "the connection is gone already");
        return;
    }
    conn->poll.data = conn;
    conn->watched = true;
    client_conn_want_write(conn, false);
    conn->on.on_open(conn->on.data);
}

static ssize_t outcome(CURLcode result, size_t len, bool reading)
{
    if (result == CURLE_AGAIN)
        return BASE_ERR_AGAIN;
    if (result != CURLE_OK)
        return BASE_ERR_IO;
    return reading && len == 0 ? BASE_ERR_CLOSED : (ssize_t)len;
}

ssize_t client_conn_read(struct client_conn *conn, void *bytes, size_t len)
{
    size_t done = 0;
    CURLcode result = curl_easy_recv(http_transfer_easy(conn->transfer), bytes, len, &done);
    return outcome(result, done, true);
}

ssize_t client_conn_write(struct client_conn *conn, const void *bytes, size_t len)
{
    size_t done = 0;
    CURLcode result = curl_easy_send(http_transfer_easy(conn->transfer), bytes, len, &done);
    return outcome(result, done, false);
}

static void release(struct client_conn *conn)
{
    http_transfer_free(conn->transfer);
    http_curl_close(conn->curl);
    base_free(conn);
}

static void on_poll_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void client_conn_close(struct client_conn *conn)
{
    if (!conn || conn->closing)
        return;
    conn->closing = true;
    /* The loop lets go of the descriptor before libcurl closes it. */
    if (conn->watched)
        uv_close((uv_handle_t *)&conn->poll, on_poll_closed);
    else
        release(conn);
}

int client_conn_open(const struct client_net *net, const char *url,
                     const struct client_conn_handlers *handlers, struct client_conn **out)
{
    struct client_conn *conn = base_calloc(1, sizeof *conn);
    if (!conn)
        return BASE_ERR_NOMEM;
    struct http_transfer_options options = {.protocols = "http,https",
                                            .env_proxy = true,
                                            .keep = true,
                                            .done = on_connected,
                                            .data = conn};
    conn->on = *handlers;
    conn->loop = net->loop;
    int failed = http_curl_new(net->loop, &conn->curl);
    if (!failed)
        failed = client_net_transfer(net, conn->curl, &options, url, &conn->transfer);
    if (!failed) {
        CURL *easy = http_transfer_easy(conn->transfer);
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        failed = http_transfer_start(conn->transfer);
    }
    if (failed)
        release(conn);
    else
        *out = conn;
    return failed;
}
