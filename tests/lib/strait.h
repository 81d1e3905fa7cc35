/* SPDX-License-Identifier: ISC
 *
 * strait: the way between a client and Redis, on the test's loop, where bytes can be held up and
 * connections cut on the client's side while Redis still has the other.
 *
 * What is held goes on its way with test_strait_release, however long its client has been gone.
 */
#ifndef TEST_STRAIT_H
#define TEST_STRAIT_H

#include "base/buf.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TEST_STRAIT_PAIRS 64

struct test_strait;

/* A connection: from the client, and to Redis. */
struct test_pair {
    struct test_strait *strait;
    uv_tcp_t client, server;
    uv_connect_t connect;
    struct base_buf held; /* on the way to Redis */
    bool holds, client_gone, server_gone, connected;
};

struct test_strait {
    uv_tcp_t listener;
    int redis_port;
    char url[48];
    struct test_pair *pairs[TEST_STRAIT_PAIRS];
    int count;
};

struct test_write {
    uv_write_t request;
    struct test_pair *pair;
    char bytes[];
};

static inline void test_on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)handle;
    (void)size;
    *buf = uv_buf_init(malloc(65536), 65536);
}

static inline void test_on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static inline void test_pass(struct test_pair *pair, uv_tcp_t *to, const char *bytes, size_t len,
                             uv_write_cb done)
{
    struct test_write *write = malloc(sizeof *write + len);
    write->pair = pair;
    memcpy(write->bytes, bytes, len);
    uv_buf_t buf = uv_buf_init(write->bytes, (unsigned)len);
    if (uv_write(&write->request, (uv_stream_t *)to, &buf, 1, done) < 0)
        done(&write->request, -1);
}

static inline void test_close_client(struct test_pair *pair)
{
    if (!pair->client_gone)
        uv_close((uv_handle_t *)&pair->client, NULL);
    pair->client_gone = true;
}

static inline void test_close_server(struct test_pair *pair)
{
    if (!pair->server_gone)
        uv_close((uv_handle_t *)&pair->server, NULL);
    pair->server_gone = true;
}

static inline void test_on_client_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct test_pair *pair = stream->data;
    if (got > 0 && (pair->holds || !pair->connected))
        CHECK_INT(base_buf_add(&pair->held, buf->base, (size_t)got), 0);
    else if (got > 0 && !pair->server_gone)
        test_pass(pair, &pair->server, buf->base, (size_t)got, test_on_written);
    if (got < 0) {
        test_close_client(pair);
        test_close_server(pair);
    }
    free(buf->base);
}

static inline void test_on_server_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct test_pair *pair = stream->data;
    if (got > 0 && !pair->client_gone)
        test_pass(pair, &pair->client, buf->base, (size_t)got, test_on_written);
    if (got < 0) {
        test_close_client(pair);
        test_close_server(pair);
    }
    free(buf->base);
}

static inline void test_on_connect(uv_connect_t *connect, int status)
{
    struct test_pair *pair = connect->data;
    if (status < 0) {
        test_close_client(pair);
        test_close_server(pair);
        return;
    }
    pair->connected = true;
    uv_read_start((uv_stream_t *)&pair->server, test_on_alloc, test_on_server_bytes);
    if (pair->held.len > 0)
        test_pass(pair, &pair->server, pair->held.data, pair->held.len, test_on_written);
    pair->held.len = 0;
}

static inline void test_on_client(uv_stream_t *listener, int status)
{
    struct test_strait *strait = listener->data;
    struct test_pair *pair = calloc(1, sizeof *pair);
    struct sockaddr_in address;
    CHECK_INT(status, 0);
    if (strait->count == TEST_STRAIT_PAIRS)
        abort();
    strait->pairs[strait->count++] = pair;
    pair->strait = strait;
    uv_tcp_init(&test_loop, &pair->client);
    uv_tcp_init(&test_loop, &pair->server);
    pair->client.data = pair->server.data = pair->connect.data = pair;
    CHECK_INT(uv_accept(listener, (uv_stream_t *)&pair->client), 0);
    uv_ip4_addr("127.0.0.1", strait->redis_port, &address);
    uv_tcp_connect(&pair->connect, &pair->server, (const struct sockaddr *)&address,
                   test_on_connect);
    uv_read_start((uv_stream_t *)&pair->client, test_on_alloc, test_on_client_bytes);
}

static inline void test_strait_open(struct test_strait *strait, int redis_port)
{
    struct sockaddr_in address;
    int len = sizeof address;
    *strait = (struct test_strait){.redis_port = redis_port};
    uv_tcp_init(&test_loop, &strait->listener);
    strait->listener.data = strait;
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_INT(uv_tcp_bind(&strait->listener, (const struct sockaddr *)&address, 0), 0);
    CHECK_INT(uv_listen((uv_stream_t *)&strait->listener, 16, test_on_client), 0);
    CHECK_INT(uv_tcp_getsockname(&strait->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(strait->url, sizeof strait->url, "redis://127.0.0.1:%d", ntohs(address.sin_port));
}

/* From now on nothing that the present clients send arrives. */
static inline void test_strait_hold(struct test_strait *strait)
{
    for (int i = 0; i < strait->count; i++)
        strait->pairs[i]->holds = !strait->pairs[i]->client_gone;
}

static inline bool test_strait_holds(const struct test_strait *strait, const char *text)
{
    for (int i = 0; i < strait->count; i++) {
        struct test_pair *pair = strait->pairs[i];
        if (pair->holds && pair->held.len > 0 &&
            memmem(pair->held.data, pair->held.len, text, strlen(text)))
            return true;
    }
    return false;
}

/* The clients lose the connections that are held; Redis does not see it. */
static inline void test_strait_cut(struct test_strait *strait)
{
    for (int i = 0; i < strait->count; i++)
        if (strait->pairs[i]->holds)
            test_close_client(strait->pairs[i]);
}

static inline void test_on_shut(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

static inline void test_on_released(uv_write_t *request, int status)
{
    struct test_pair *pair = ((struct test_write *)request)->pair;
    uv_shutdown_t *shut = malloc(sizeof *shut);
    free(request);
    if (status < 0 || pair->server_gone ||
        uv_shutdown(shut, (uv_stream_t *)&pair->server, test_on_shut) < 0)
        free(shut);
}

/* What was held goes on, and nothing behind it. */
static inline void test_strait_release(struct test_strait *strait)
{
    for (int i = 0; i < strait->count; i++) {
        struct test_pair *pair = strait->pairs[i];
        if (pair->holds && !pair->server_gone)
            test_pass(pair, &pair->server, pair->held.data ? pair->held.data : "", pair->held.len,
                      test_on_released);
        pair->held.len = 0;
    }
}

/* Redis has closed the connections that were held, and so has read what was released. */
static inline bool test_strait_is_released(const struct test_strait *strait)
{
    bool all = true;
    for (int i = 0; i < strait->count; i++)
        all = all && (!strait->pairs[i]->holds || strait->pairs[i]->server_gone);
    return all;
}

static inline void test_strait_close(struct test_strait *strait)
{
    uv_close((uv_handle_t *)&strait->listener, NULL);
    for (int i = 0; i < strait->count; i++) {
        test_close_client(strait->pairs[i]);
        test_close_server(strait->pairs[i]);
    }
    uv_run(&test_loop, UV_RUN_NOWAIT);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    for (int i = 0; i < strait->count; i++) {
        base_buf_fini(&strait->pairs[i]->held);
        free(strait->pairs[i]);
    }
}

#endif
