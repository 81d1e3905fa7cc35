/* SPDX-License-Identifier: ISC
 *
 * fake_redis: a server on the test's loop that greets as Redis does, takes subscriptions, and gives
 * to everything else the answer that the test has set, whatever was asked: what a proxy, a spoiled
 * key or another server may come up with.
 */
#ifndef TEST_FAKE_REDIS_H
#define TEST_FAKE_REDIS_H

#include "base/buf.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FAKE_CONNECTIONS 16

struct fake_redis {
    uv_tcp_t listener;
    char url[48];
    const char *answer; /* in the protocol of Redis; to EXEC as well */
    size_t answer_len;
    int answers; /* given so far, greetings not counted */
    struct fake_connection *connections[FAKE_CONNECTIONS];
};

struct fake_connection {
    uv_tcp_t tcp;
    struct fake_redis *fake;
    redisReader *reader;
    bool in_step;
};

struct fake_write {
    uv_write_t request;
    char bytes[];
};

static inline void fake_on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

static inline void fake_write(struct fake_connection *connection, const char *bytes, size_t len)
{
    struct fake_write *write = malloc(sizeof *write + len);
    uv_buf_t buf;
    if (!write)
        abort();
    memcpy(write->bytes, bytes, len);
    write->request.data = write;
    buf = uv_buf_init(write->bytes, (unsigned)len);
    if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &buf, 1, fake_on_written) < 0)
        free(write);
}

static inline void fake_take(struct fake_connection *connection, const redisReply *command)
{
    static const char ok[] = "+OK\r\n", queued[] = "+QUEUED\r\n", pong[] = "+PONG\r\n",
                      role[] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    struct fake_redis *fake = connection->fake;
    const char *name = command->element[0]->str;
    bool greeting = strcmp(name, "SELECT") == 0 || strcmp(name, "CLIENT") == 0;
    if (strcmp(name, "MULTI") == 0 || greeting) {
        connection->in_step |= !greeting;
        fake_write(connection, ok, sizeof ok - 1);
    } else if (strcmp(name, "PING") == 0) {
        fake_write(connection, pong, sizeof pong - 1);
    } else if (strcmp(name, "ROLE") == 0) {
        fake_write(connection, role, sizeof role - 1);
    } else if (connection->in_step && strcmp(name, "EXEC") != 0) {
        fake_write(connection, queued, sizeof queued - 1);
    } else {
        connection->in_step = false;
        fake->answers++;
        fake_write(connection, fake->answer, fake->answer_len);
    }
}

static inline void fake_on_closed(uv_handle_t *handle)
{
    struct fake_connection *connection = handle->data;
    for (int i = 0; i < FAKE_CONNECTIONS; i++)
        if (connection->fake->connections[i] == connection)
            connection->fake->connections[i] = NULL;
    redisReaderFree(connection->reader);
    free(connection);
}

static inline void fake_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char bytes[65536];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static inline void fake_on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct fake_connection *connection = stream->data;
    void *command = NULL;
    if (len < 0) {
        if (!uv_is_closing((uv_handle_t *)stream))
            uv_close((uv_handle_t *)stream, fake_on_closed);
        return;
    }
    redisReaderFeed(connection->reader, buf->base, (size_t)len);
    while (redisReaderGetReply(connection->reader, &command) == REDIS_OK && command) {
        fake_take(connection, command);
        freeReplyObject(command);
    }
}

static inline void fake_on_connection(uv_stream_t *listener, int status)
{
    struct fake_redis *fake = listener->data;
    struct fake_connection *connection = calloc(1, sizeof *connection);
    int i = 0;
    if (status < 0 || !connection)
        abort();
    while (fake->connections[i])
        if (++i == FAKE_CONNECTIONS)
            abort();
    fake->connections[i] = connection;
    connection->fake = fake;
    connection->reader = redisReaderCreate();
    uv_tcp_init(&test_loop, &connection->tcp);
    connection->tcp.data = connection;
    CHECK_INT(uv_accept(listener, (uv_stream_t *)&connection->tcp), 0);
    uv_read_start((uv_stream_t *)&connection->tcp, fake_alloc, fake_on_read);
}

static inline void fake_redis_answer(struct fake_redis *fake, const char *answer)
{
    fake->answer = answer;
    fake->answer_len = strlen(answer);
}

static inline void fake_redis_open(struct fake_redis *fake)
{
    struct sockaddr_in address;
    int len = sizeof address;
    *fake = (struct fake_redis){0};
    fake_redis_answer(fake, "+OK\r\n");
    uv_tcp_init(&test_loop, &fake->listener);
    fake->listener.data = fake;
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_INT(uv_tcp_bind(&fake->listener, (const struct sockaddr *)&address, 0), 0);
    CHECK_INT(uv_listen((uv_stream_t *)&fake->listener, FAKE_CONNECTIONS, fake_on_connection), 0);
    uv_tcp_getsockname(&fake->listener, (struct sockaddr *)&address, &len);
    snprintf(fake->url, sizeof fake->url, "redis://127.0.0.1:%d", ntohs(address.sin_port));
}

static inline bool fake_redis_is_alone(const struct fake_redis *fake)
{
    for (int i = 0; i < FAKE_CONNECTIONS; i++)
        if (fake->connections[i])
            return false;
    return true;
}

static inline void fake_redis_close(struct fake_redis *fake)
{
    uv_close((uv_handle_t *)&fake->listener, NULL);
    RUN_UNTIL(fake_redis_is_alone(fake));
}

#endif
