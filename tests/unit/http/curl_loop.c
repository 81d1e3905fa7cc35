/* SPDX-License-Identifier: ISC
 *
 * Transfers against a server of the test's own, on the same loop.
 */
#include "http/curl_loop.h"

#include "lib/loop.h"

#include <netinet/in.h>

#define MOST_PEERS 8

static struct {
    uv_tcp_t listener;
    uv_tcp_t peers[MOST_PEERS];
    int count;
    int closed;
    bool silent;
    char url[64];
    char read[4096];
} server;

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(server.read, sizeof server.read);
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
    server.closed++;
}

static void on_read(uv_stream_t *peer, ssize_t got, const uv_buf_t *buf)
{
    static char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    uv_buf_t answer = uv_buf_init(text, sizeof text - 1);
    (void)buf;
    if (got < 0)
        uv_close((uv_handle_t *)peer, on_closed);
    else if (got > 0 && !server.silent)
        CHECK_INT(uv_try_write(peer, &answer, 1), answer.len);
}

static void on_peer(uv_stream_t *listener, int status)
{
    CHECK_INT(status, 0);
    base_assert(server.count < MOST_PEERS);
    uv_tcp_t *peer = &server.peers[server.count++];
    uv_tcp_init(&test_loop, peer);
    CHECK_INT(uv_accept(listener, (uv_stream_t *)peer), 0);
    uv_read_start((uv_stream_t *)peer, on_alloc, on_read);
}

static void start_server(void)
{
    struct sockaddr_in address;
    int len = sizeof address;
    memset(&server, 0, sizeof server);
    test_loop_init();
    uv_tcp_init(&test_loop, &server.listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_INT(uv_tcp_bind(&server.listener, (struct sockaddr *)&address, 0), 0);
    CHECK_INT(uv_listen((uv_stream_t *)&server.listener, 8, on_peer), 0);
    uv_tcp_getsockname(&server.listener, (struct sockaddr *)&address, &len);
    snprintf(server.url, sizeof server.url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
}

static void stop_server(void)
{
    uv_close((uv_handle_t *)&server.listener, NULL);
    RUN_UNTIL(server.closed == server.count);
    test_loop_fini();
}

/* ---- transfers ---- */

struct seen {
    struct http_curl *curl;
    struct http_transfer *transfer;
    int ends;
    CURLcode result;
    char text[128];
    char body[64];
    size_t body_len;
    int again; /* times to start it anew */
    bool close;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct seen *seen = data;
    (void)size;
    memcpy(seen->body + seen->body_len, bytes, count);
    seen->body_len += count;
    return count;
}

static void on_done(void *data, CURLcode result, const char *text)
{
    struct seen *seen = data;
    seen->ends++;
    seen->result = result;
    snprintf(seen->text, sizeof seen->text, "%s", text);
    if (seen->again-- > 0)
        CHECK_INT(http_transfer_start(seen->transfer), 0);
    if (!seen->close)
        return;
    http_transfer_free(seen->transfer);
    http_curl_close(seen->curl);
    seen->transfer = NULL;
}

static void start(struct seen *seen, struct http_curl *curl, const char *url, bool keep)
{
    struct http_transfer_options options = {
        .protocols = "http,https", .keep = keep, .done = on_done, .data = seen};
    seen->curl = curl;
    CHECK_INT(http_transfer_new(curl, &options, &seen->transfer), 0);
    CURL *easy = http_transfer_easy(seen->transfer);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, seen);
    CHECK_INT(http_transfer_start(seen->transfer), 0);
    CHECK_INT(seen->ends, 0);
}

static void gets(void)
{
    struct http_curl *curl;
    struct seen one = {.again = 2}, other = {0};
    start_server();
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&one, curl, server.url, false);
    start(&other, curl, server.url, false);
    RUN_UNTIL(one.ends == 3 && other.ends == 1);
    CHECK_INT(one.result, CURLE_OK);
    CHECK_BYTES(one.body, one.body_len, "hellohellohello");
    CHECK_BYTES(other.body, other.body_len, "hello");
    CHECK_INT(server.count, 2); /* connections are used again */
    long status;
    curl_easy_getinfo(http_transfer_easy(other.transfer), CURLINFO_RESPONSE_CODE, &status);
    CHECK_INT(status, 200);
    http_transfer_free(one.transfer);
    http_transfer_free(other.transfer);
    http_curl_close(curl);
    stop_server();
}

static void fails(void)
{
    struct http_curl *curl;
    struct seen refused = {0}, file = {0};
    char url[64];
    start_server();
    snprintf(url, sizeof url, "%s", server.url);
    uv_close((uv_handle_t *)&server.listener, NULL);
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&file, curl, "file:///etc/passwd", false);
    RUN_UNTIL(file.ends == 1);
    CHECK_INT(file.result, CURLE_UNSUPPORTED_PROTOCOL);
    CHECK_INT(file.body_len, 0);
    start(&refused, curl, url, false);
    RUN_UNTIL(refused.ends == 1);
    CHECK_INT(refused.result, CURLE_COULDNT_CONNECT);
    CHECK(strstr(refused.text, "127.0.0.1") != NULL);
    http_transfer_free(refused.transfer);
    http_transfer_free(file.transfer);
    http_curl_close(curl);
    test_loop_fini();
}

static void times_out(void)
{
    struct http_curl *curl;
    struct seen seen = {0};
    start_server();
    server.silent = true;
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&seen, curl, server.url, false);
    curl_easy_setopt(http_transfer_easy(seen.transfer), CURLOPT_TIMEOUT_MS, 50L);
    RUN_UNTIL(seen.ends == 1);
    CHECK_INT(seen.result, CURLE_OPERATION_TIMEDOUT);
    http_transfer_free(seen.transfer);
    http_curl_close(curl);
    stop_server();
}

static void is_broken_off(void)
{
    struct http_curl *curl;
    struct seen seen = {0}, never = {0};
    start_server();
    server.silent = true;
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&seen, curl, server.url, false);
    start(&never, curl, server.url, false);
    http_transfer_free(never.transfer);
    RUN_UNTIL(server.count == 1);
    http_transfer_free(seen.transfer);
    RUN_UNTIL(server.closed == 1); /* its connection is not kept */
    http_curl_close(curl);
    stop_server();
    CHECK_INT(seen.ends + never.ends, 0);
}

static void closes_itself_at_its_end(void)
{
    struct http_curl *curl;
    struct seen seen = {.close = true};
    start_server();
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&seen, curl, server.url, false);
    RUN_UNTIL(seen.ends == 1);
    stop_server();
}

/* A connection for another protocol. */
static void keeps_a_connection(void)
{
    struct http_curl *curl;
    struct seen seen = {0};
    char bytes[64];
    size_t len = 0, sent = 0;
    start_server();
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&seen, curl, server.url, true);
    curl_easy_setopt(http_transfer_easy(seen.transfer), CURLOPT_CONNECT_ONLY, 1L);
    RUN_UNTIL(seen.ends == 1);
    CHECK_INT(seen.result, CURLE_OK);
    CURL *easy = http_transfer_easy(seen.transfer);
    CHECK_INT(curl_easy_recv(easy, bytes, sizeof bytes, &len), CURLE_AGAIN);
    CHECK_INT(curl_easy_send(easy, "x", 1, &sent), CURLE_OK);
    RUN_UNTIL(curl_easy_recv(easy, bytes, sizeof bytes, &len) == CURLE_OK);
    CHECK(len > 0 && memcmp(bytes, "HTTP/1.1 200", 12) == 0);
    http_transfer_free(seen.transfer);
    http_curl_close(curl);
    stop_server();
}

static void knows_no_proxy_of_the_environment(void)
{
    struct http_curl *curl;
    struct seen seen = {0};
    start_server();
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    CHECK_INT(http_curl_new(&test_loop, &curl), 0);
    start(&seen, curl, server.url, false);
    RUN_UNTIL(seen.ends == 1);
    CHECK_INT(seen.result, CURLE_OK);
    unsetenv("http_proxy");
    http_transfer_free(seen.transfer);
    http_curl_close(curl);
    stop_server();
}

int main(void)
{
    RUN(gets);
    RUN(fails);
    RUN(times_out);
    RUN(is_broken_off);
    RUN(closes_itself_at_its_end);
    RUN(keeps_a_connection);
    RUN(knows_no_proxy_of_the_environment);
    return test_end();
}
