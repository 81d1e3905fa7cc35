/* SPDX-License-Identifier: ISC
 *
 * Long-polling: one GET is always under way, and one POST while there is something to send.
 * Upgrade: a WebSocket sends `2probe`; when `3probe` has come no new request is begun, those under
 * way end, and `5` moves the session. Until then what is to be sent waits.
 *
 * The struct is freed when the loop has closed its timer, so every function here may call a handler
 * and then ask whether the engine is `over`.
 */
#include "client/engine.h"

#include "client/request.h"
#include "client/ws.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/codec/eio.h"

#include <string.h>
#include <uv.h>

struct client_engine {
    struct client_engine_handlers on;
    const struct client_net *net;
    const struct client_place *place;
    enum client_transport wanted;
    struct http_curl *curl;
    struct client_request *poll;
    struct client_request *post;
    struct client_ws *ws; /* the transport, or the one that is tried */
    struct client_open open;
    struct base_buf out; /* packets that wait, as the body of a POST */
    uv_timer_t heartbeat;
    bool opened;
    bool on_ws;  /* the session is on the WebSocket */
    bool moving; /* to it: requests are let end */
    bool leaving;
    bool closed; /* the close packet was sent, by POST */
    bool over;
};

static void start_poll(struct client_engine *engine);
static void send_waiting(struct client_engine *engine);

/* ---- the end ---- */

static void end(struct client_engine *engine, const struct client_end *why)
{
    if (engine->over)
        return;
    engine->over = true;
    engine->on.on_end(engine->on.data, why);
}

static void end_with(struct client_engine *engine, const char *reason, int code, const char *text)
{
    struct client_end why;
    client_end_set(&why, reason, code, "%s", text);
    end(engine, &why);
}

static void out_of_memory(struct client_engine *engine)
{
    end_with(engine, "transport error", BASE_ERR_NOMEM, "out of memory");
}

static void on_silence(uv_timer_t *timer)
{
    end_with(timer->data, "ping timeout", BASE_ERR_UNAVAILABLE, "the server sends no pings");
}

static void expect_ping(struct client_engine *engine)
{
    uv_timer_start(&engine->heartbeat, on_silence,
                   (uint64_t)(engine->open.ping_interval_ms + engine->open.ping_timeout_ms), 0);
}

/* ---- upgrade ---- */

static void stay_with_polling(struct client_engine *engine, const struct client_end *failure)
{
    bool was_moving = engine->moving;
    client_ws_free(engine->ws);
    engine->ws = NULL;
    engine->moving = false;
    engine->on.on_upgrade(engine->on.data, failure);
    if (engine->over || !was_moving)
        return;
    if (!engine->poll)
        start_poll(engine);
    send_waiting(engine);
}

static void move_if_idle(struct client_engine *engine)
{
    static const char upgrade = NET_EIO_UPGRADE;
    if (!engine->moving || engine->poll || engine->post)
        return;
    engine->moving = false;
    engine->on_ws = true;
    if (client_ws_send(engine->ws, &upgrade, 1) < 0) {
        out_of_memory(engine);
        return;
    }
    engine->on.on_upgrade(engine->on.data, NULL);
    if (!engine->over)
        send_waiting(engine);
}

static void on_probe_answer(struct client_engine *engine, const char *bytes, size_t len)
{
    static const char wanted[] = "3probe";
    struct client_end failure;
    if (engine->moving)
        return;
    if (len != strlen(wanted) || memcmp(bytes, wanted, len) != 0) {
        client_end_set(&failure, "transport error", BASE_ERR_SYNTAX, "the probe was not answered");
        stay_with_polling(engine, &failure);
        return;
    }
    engine->moving = true;
    move_if_idle(engine);
}

/* ---- packets ---- */

static void begin(struct client_engine *engine, const struct net_eio_packet *packet)
{
    if (client_open_parse(packet->data, packet->len, &engine->open) < 0) {
        struct client_end why;
        client_end_set(&why, "parse error", BASE_ERR_SYNTAX,
                       "the handshake is not that of Engine.IO");
        why.lasting = true;
        end(engine, &why);
        return;
    }
    engine->opened = true;
    expect_ping(engine);
    engine->on.on_open(engine->on.data, &engine->open, engine->on_ws ? "websocket" : "polling");
}

static void pong(struct client_engine *engine)
{
    static const char answer = NET_EIO_PONG;
    expect_ping(engine);
    if (client_engine_send(engine, &answer, 1) < 0)
        out_of_memory(engine);
}

static void on_packet(struct client_engine *engine, const struct net_eio_packet *packet)
{
    if (!engine->opened) {
        if (packet->type == NET_EIO_OPEN && !packet->binary) {
            begin(engine, packet);
            return;
        }
        struct client_end why;
        client_end_set(&why, "parse error", BASE_ERR_SYNTAX, "what answers is no Socket.IO server");
        why.lasting = true;
        end(engine, &why);
        return;
    }
    switch (packet->type) {
    case NET_EIO_MESSAGE:
        engine->on.on_message(engine->on.data, packet->data, packet->len, packet->binary);
        break;
    case NET_EIO_PING: pong(engine); break;
    case NET_EIO_CLOSE:
        end_with(engine, "transport close", BASE_ERR_UNAVAILABLE, "the server closed the session");
        break;
    case NET_EIO_OPEN:
    case NET_EIO_PONG:
    case NET_EIO_UPGRADE:
    case NET_EIO_NOOP: break;
    }
}

/* What is no packet at all: before the handshake the server is not what it was taken for. */
static void no_packet(struct client_engine *engine)
{
    struct client_end why;
    client_end_set(&why, "parse error", BASE_ERR_SYNTAX, "%s",
                   engine->opened ? "a packet that Engine.IO does not allow"
                                  : "what answers is no Socket.IO server");
    why.lasting = !engine->opened;
    end(engine, &why);
}

/* ---- WebSocket ---- */

static void on_ws_open(void *data)
{
    static const char probe[] = "2probe";
    struct client_engine *engine = data;
    if (!engine->on_ws && client_ws_send(engine->ws, probe, strlen(probe)) < 0)
        out_of_memory(engine);
}

static void on_ws_message(void *data, const char *bytes, size_t len, bool binary)
{
    struct client_engine *engine = data;
    struct net_eio_packet packet;
    if (engine->over)
        return;
    if (!engine->on_ws)
        on_probe_answer(engine, bytes, len);
    else if (net_eio_parse((char *)bytes, len, binary, &packet) < 0) /* which changes nothing */
        no_packet(engine);
    else
        on_packet(engine, &packet);
}

static void on_ws_end(void *data, const struct client_end *why)
{
    struct client_engine *engine = data;
    if (engine->over)
        return;
    if (engine->on_ws)
        end(engine, why);
    else
        stay_with_polling(engine, why);
}

static int open_ws(struct client_engine *engine, const char *sid)
{
    struct client_ws_handlers handlers = {on_ws_open, on_ws_message, on_ws_end, engine};
    return client_ws_new(engine->net, engine->place, sid, &handlers, &engine->ws);
}

/* ---- long-polling ---- */

static void on_polled(void *data, struct base_buf *body, const struct client_end *failure)
{
    struct client_engine *engine = data;
    struct net_eio_packet packet;
    bool first = !engine->opened;
    size_t at = 0;
    int result;
    engine->poll = NULL;
    if (failure) {
        end(engine, failure);
        return;
    }
    while ((result = net_eio_payload_next(body->data, body->len, &at, &packet)) > 0) {
        on_packet(engine, &packet);
        if (engine->over)
            return;
    }
    if (result < 0) {
        no_packet(engine);
        return;
    }
    if (first && engine->wanted == CLIENT_UPGRADE && engine->open.upgrade && !engine->leaving &&
        open_ws(engine, engine->open.sid) < 0) {
        out_of_memory(engine);
        return;
    }
    if (engine->moving)
        move_if_idle(engine);
    else
        start_poll(engine);
}

/* The close packet has a POST to itself, as that of browsers: some servers handle it before the
 * packets in front of it. */
static void finish_leaving(struct client_engine *engine)
{
    static const char close = NET_EIO_CLOSE;
    if (engine->closed) {
        end_with(engine, "transport close", BASE_OK, "left");
        return;
    }
    engine->closed = true;
    if (client_engine_send(engine, &close, 1) < 0)
        out_of_memory(engine);
}

static void on_posted(void *data, struct base_buf *body, const struct client_end *failure)
{
    struct client_engine *engine = data;
    (void)body;
    engine->post = NULL;
    if (failure)
        end(engine, failure);
    else if (engine->moving)
        move_if_idle(engine);
    else if (engine->leaving && engine->out.len == 0)
        finish_leaving(engine);
    else
        send_waiting(engine);
}

static int request(struct client_engine *engine, const struct base_buf *packets,
                   client_answer_fn done, struct client_request **out)
{
    struct base_buf url = BASE_BUF_INIT;
    const char *sid = engine->opened ? engine->open.sid : NULL;
    int failed = client_place_url(engine->place, "polling", sid, &url);
    if (!failed)
        failed =
            client_request_start(engine->net, engine->curl, url.data, packets, done, engine, out);
    base_buf_fini(&url);
    return failed;
}

static void start_poll(struct client_engine *engine)
{
    if (request(engine, NULL, on_polled, &engine->poll) < 0)
        out_of_memory(engine);
}

/* ---- sending ---- */

/* Text has no U+001E in it, since JSON escapes it. */
static void send_over_ws(struct client_engine *engine)
{
    const char *at = engine->out.data, *last = at + engine->out.len;
    while (at < last) {
        const char *border = memchr(at, NET_EIO_SEPARATOR, (size_t)(last - at));
        const char *stop = border ? border : last;
        if (client_ws_send(engine->ws, at, (size_t)(stop - at)) < 0) {
            out_of_memory(engine);
            return;
        }
        at = stop + 1;
    }
    engine->out.len = 0;
}

static void send_waiting(struct client_engine *engine)
{
    if (engine->moving || engine->post || engine->out.len == 0)
        return;
    if (engine->on_ws)
        send_over_ws(engine);
    else if (request(engine, &engine->out, on_posted, &engine->post) < 0)
        out_of_memory(engine);
    else
        engine->out.len = 0;
}

int client_engine_send(struct client_engine *engine, const char *packet, size_t len)
{
    enum net_eio_type type = (enum net_eio_type)packet[0];
    if (net_eio_payload_add(&engine->out, type, false, packet + 1, len - 1) < 0)
        return BASE_ERR_NOMEM;
    send_waiting(engine);
    return BASE_OK;
}

void client_engine_leave(struct client_engine *engine)
{
    engine->leaving = true;
    if (engine->on_ws) {
        client_ws_close(engine->ws);
        return;
    }
    client_ws_free(engine->ws);
    engine->ws = NULL;
    engine->moving = false;
    if (engine->out.len)
        send_waiting(engine);
    else if (!engine->post)
        finish_leaving(engine);
}

/* ---- life ---- */

static void on_heartbeat_closed(uv_handle_t *handle)
{
    base_free(handle->data);
}

void client_engine_free(struct client_engine *engine)
{
    if (!engine)
        return;
    engine->over = true;
    client_request_cancel(engine->poll);
    client_request_cancel(engine->post);
    client_ws_free(engine->ws);
    http_curl_close(engine->curl);
    base_buf_fini(&engine->out);
    uv_close((uv_handle_t *)&engine->heartbeat, on_heartbeat_closed);
}

int client_engine_new(const struct client_net *net, const struct client_place *place,
                      enum client_transport transport,
                      const struct client_engine_handlers *handlers, struct client_engine **out)
{
    struct client_engine *engine = base_calloc(1, sizeof *engine);
    if (!engine)
        return BASE_ERR_NOMEM;
    *engine =
        (struct client_engine){.on = *handlers, .net = net, .place = place, .wanted = transport};
    uv_timer_init(net->loop, &engine->heartbeat);
    engine->heartbeat.data = engine;
    int failed;
    if (transport == CLIENT_WEBSOCKET) {
        engine->on_ws = true;
        failed = open_ws(engine, NULL);
    } else {
        failed = http_curl_new(net->loop, &engine->curl);
        if (!failed)
            failed = request(engine, NULL, on_polled, &engine->poll);
    }
    if (failed)
        client_engine_free(engine);
    else
        *out = engine;
    return failed;
}
