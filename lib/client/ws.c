/* SPDX-License-Identifier: ISC
 *
 * First the handshake on a connection of libcurl's, then frames of wslay's. wslay keeps its own
 * queue of what is to be sent. A handler may free the WebSocket while wslay is calling it, so it is
 * then only marked, and freed when the outermost call has come back.
 */
#include "client/ws.h"

#include "client/conn.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <string.h>
#include <wslay/wslay.h>

#define READ_BYTES    16384
#define MAX_FRAGMENTS 4096 /* of a message, each of which costs wslay memory */

struct client_ws {
    struct client_ws_handlers on;
    struct client_conn *conn;
    wslay_event_context_ptr frames; /* NULL before the handshake is over */
    char key[CLIENT_KEY_LEN + 1];
    struct base_buf out; /* the request */
    struct base_buf in;  /* the answer, and frames right behind it */
    size_t in_used;
    int fragments;
    int conn_result; /* why there is no more to read or no way to write; 0 so far */
    bool closing;    /* a close frame follows the last message */
    bool busy;
    bool freed;
    bool ended;
};

static void release(struct client_ws *ws)
{
    client_conn_close(ws->conn);
    if (ws->frames)
        wslay_event_context_free(ws->frames);
    base_buf_fini(&ws->out);
    base_buf_fini(&ws->in);
    base_free(ws);
}

void client_ws_free(struct client_ws *ws)
{
    if (!ws)
        return;
    ws->freed = true;
    if (!ws->busy)
        release(ws);
}

static void tell_end(struct client_ws *ws, const struct client_end *end)
{
    if (ws->ended || ws->freed)
        return;
    ws->ended = true;
    ws->on.on_end(ws->on.data, end);
}

/* ---- what wslay asks for ---- */

static ssize_t read_bytes(struct client_ws *ws, void *bytes, size_t len)
{
    size_t waiting = ws->in.len - ws->in_used;
    if (waiting == 0)
        return client_conn_read(ws->conn, bytes, len);
    if (len > waiting)
        len = waiting;
    memcpy(bytes, ws->in.data + ws->in_used, len);
    ws->in_used += len;
    return (ssize_t)len;
}

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *bytes, size_t len, int flags,
                       void *data)
{
    struct client_ws *ws = data;
    (void)flags;
    ssize_t got = ws->freed ? BASE_ERR_CLOSED : read_bytes(ws, bytes, len);
    if (got > 0)
        return got;
    if (got != BASE_ERR_AGAIN)
        ws->conn_result = (int)got;
    wslay_event_set_error(frames, got == BASE_ERR_AGAIN ? WSLAY_ERR_WOULDBLOCK
                                                        : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *bytes, size_t len, int flags,
                       void *data)
{
    struct client_ws *ws = data;
    (void)flags;
    ssize_t sent = ws->freed ? BASE_ERR_CLOSED : client_conn_write(ws->conn, bytes, len);
    if (sent >= 0)
        return sent;
    if (sent != BASE_ERR_AGAIN)
        ws->conn_result = (int)sent;
    wslay_event_set_error(frames, sent == BASE_ERR_AGAIN ? WSLAY_ERR_WOULDBLOCK
                                                         : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int on_mask(wslay_event_context_ptr frames, uint8_t *bytes, size_t len, void *data)
{
    (void)frames;
    (void)data;
    return base_crypto_random(bytes, len) < 0 ? -1 : 0;
}

static void on_frame(wslay_event_context_ptr frames,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *data)
{
    struct client_ws *ws = data;
    if (wslay_is_ctrl_frame(frame->opcode))
        return;
    ws->fragments = frame->opcode == WSLAY_CONTINUATION_FRAME ? ws->fragments + 1 : 0;
    if (ws->fragments == MAX_FRAGMENTS) {
        wslay_event_shutdown_read(frames);
        wslay_event_queue_close(frames, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
    }
}

static void on_message(wslay_event_context_ptr frames,
                       const struct wslay_event_on_msg_recv_arg *message, void *data)
{
    struct client_ws *ws = data;
    (void)frames;
    if (!ws->freed && !ws->ended && !wslay_is_ctrl_frame(message->opcode))
        ws->on.on_message(ws->on.data, (const char *)message->msg, message->msg_length,
                          message->opcode == WSLAY_BINARY_FRAME);
}

static int start_frames(struct client_ws *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .genmask_callback = on_mask,
        .on_frame_recv_start_callback = on_frame,
        .on_msg_recv_callback = on_message,
    };
    if (wslay_event_context_client_init(&ws->frames, &callbacks, ws) != 0)
        return BASE_ERR_NOMEM;
    wslay_event_config_set_max_recv_msg_length(ws->frames, CLIENT_MAX_MESSAGE);
    return BASE_OK;
}

/* ---- frames ---- */

/* What is right to say when frames are over: the peer's close frame, or what broke. */
static void end_of_frames(struct client_ws *ws, int result)
{
    struct client_end end;
    if (wslay_event_get_close_received(ws->frames)) {
        int code = wslay_event_get_status_code_received(ws->frames);
        client_end_set(&end, "transport close", BASE_ERR_UNAVAILABLE,
                       "the WebSocket was closed: %d", code);
        end.close_code = code;
    } else if (ws->conn_result == BASE_ERR_IO) {
        client_end_set(&end, "transport error", BASE_ERR_UNAVAILABLE, "the connection has broken");
    } else if (ws->conn_result) {
        client_end_set(&end, "transport close", BASE_ERR_UNAVAILABLE, "the connection was closed");
    } else if (result == WSLAY_ERR_NOMEM) {
        client_end_set(&end, "transport error", BASE_ERR_NOMEM, "out of memory");
    } else {
        client_end_set(&end, "transport error", BASE_ERR_UNAVAILABLE,
                       "a frame that WebSockets do not allow");
    }
    tell_end(ws, &end);
}

static void run_frames(struct client_ws *ws)
{
    int result = 0;
    /* Until there is no more: TLS may hold bytes that the descriptor does not tell of. */
    if (wslay_event_want_read(ws->frames))
        result = wslay_event_recv(ws->frames);
    if (ws->freed || ws->ended)
        return;
    if (result == 0 && wslay_event_want_write(ws->frames))
        result = wslay_event_send(ws->frames);
    /* Not earlier: control frames overtake messages in wslay's queue. */
    if (result == 0 && ws->closing && wslay_event_get_queued_msg_count(ws->frames) == 0) {
        ws->closing = false;
        wslay_event_queue_close(ws->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
        result = wslay_event_send(ws->frames);
    }
    bool over = !wslay_event_want_read(ws->frames) && !wslay_event_want_write(ws->frames);
    if (result != 0 || over)
        end_of_frames(ws, result);
    else
        client_conn_want_write(ws->conn, wslay_event_want_write(ws->frames));
}

/* ---- the handshake ---- */

static void refuse(struct client_ws *ws, struct base_why *why)
{
    struct client_end end = {.reason = "transport error", .why = *why, .lasting = true};
    tell_end(ws, &end);
}

/* A refusal is told with its body, of which as much has come as fits in a segment. */
static void read_answer(struct client_ws *ws)
{
    struct client_ws_answer answer;
    struct client_end end;
    struct base_why why;
    int result = client_ws_answer_parse(ws->in.data, ws->in.len, ws->key, &answer, &why);
    if (result == 0)
        return;
    if (result < 0) {
        refuse(ws, &why);
    } else if (answer.status != 101) {
        client_end_of_status(&end, answer.status, ws->in.data + answer.head_bytes,
                             ws->in.len - answer.head_bytes);
        tell_end(ws, &end);
    } else if (start_frames(ws) < 0) {
        client_end_set(&end, "transport error", BASE_ERR_NOMEM, "out of memory");
        tell_end(ws, &end);
    } else {
        ws->in_used = answer.head_bytes;
        ws->on.on_open(ws->on.data);
        if (!ws->freed && !ws->ended)
            run_frames(ws);
    }
}

static void run_handshake(struct client_ws *ws)
{
    ssize_t moved = 0;
    while (ws->out.len && (moved = client_conn_write(ws->conn, ws->out.data, ws->out.len)) > 0)
        base_buf_consume(&ws->out, (size_t)moved);
    if (moved >= 0 || moved == BASE_ERR_AGAIN) {
        client_conn_want_write(ws->conn, ws->out.len > 0);
        do {
            if (base_buf_reserve(&ws->in, READ_BYTES) < 0)
                moved = BASE_ERR_NOMEM;
            else
                moved = client_conn_read(ws->conn, ws->in.data + ws->in.len, READ_BYTES);
            if (moved > 0)
                ws->in.len += (size_t)moved;
        } while (moved > 0 && ws->in.len <= CLIENT_MAX_HEAD);
    }
    if (ws->in.len)
        read_answer(ws);
    if (!ws->frames && !ws->ended && !ws->freed && moved < 0 && moved != BASE_ERR_AGAIN) {
        struct client_end end;
        client_end_set(&end, "transport error", BASE_ERR_UNAVAILABLE,
                       "the connection was closed without an answer");
        tell_end(ws, &end);
    }
}

/* ---- the connection ---- */

/* The way in for everything that comes from the loop. */
static void run(struct client_ws *ws)
{
    if (ws->ended)
        return;
    ws->busy = true;
    if (ws->frames)
        run_frames(ws);
    else
        run_handshake(ws);
    ws->busy = false;
    if (ws->freed)
        release(ws);
}

static void on_conn_ready(void *data)
{
    run(data);
}

static void on_conn_fail(void *data, const struct client_end *end)
{
    struct client_ws *ws = data;
    ws->busy = true;
    tell_end(ws, end);
    ws->busy = false;
    if (ws->freed)
        release(ws);
}

int client_ws_new(const struct client_net *net, const struct client_place *place, const char *sid,
                  const struct client_ws_handlers *handlers, struct client_ws **out)
{
    struct client_ws *ws = base_calloc(1, sizeof *ws);
    if (!ws)
        return BASE_ERR_NOMEM;
    struct client_conn_handlers on_conn = {on_conn_ready, on_conn_ready, on_conn_fail, ws};
    ws->on = *handlers;
    int failed = client_ws_key(ws->key);
    if (!failed)
        failed = client_ws_request(place, sid, net->user_agent, ws->key, &ws->out);
    if (!failed)
        failed = client_conn_open(net, place->origin.data, &on_conn, &ws->conn);
    if (failed)
        release(ws);
    else
        *out = ws;
    return failed;
}

/* ---- sending ---- */

int client_ws_send(struct client_ws *ws, const char *text, size_t len)
{
    struct wslay_event_msg message = {WSLAY_TEXT_FRAME, (const uint8_t *)text, len};
    int result = wslay_event_queue_msg(ws->frames, &message);
    if (result == WSLAY_ERR_NOMEM)
        return BASE_ERR_NOMEM;
    client_conn_want_write(ws->conn, true); /* after a close frame there is nothing to send */
    return BASE_OK;
}

void client_ws_close(struct client_ws *ws)
{
    ws->closing = true;
    client_conn_want_write(ws->conn, true);
}
