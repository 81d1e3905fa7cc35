/* SPDX-License-Identifier: ISC
 *
 * One attempt after the other: a session of Engine.IO, the token, its answer, events, the end, and
 * a pause before the next. One timer bounds the attempt, the pause, and the leaving, of which there
 * is only one at a time. The struct is freed when the loop has closed the timer.
 */
#include "client/client.h"

#include "client/connect.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret_file.h"

#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#define PAUSE_FIRST_MS 250
#define PAUSE_MOST_MS  5000
#define LEAVE_MS       1000

enum state {
    PAUSING,   /* until the next attempt */
    OPENING,   /* the session is being opened */
    JOINING,   /* the token was sent */
    CONNECTED, /* events may come */
    LEAVING,   /* stopped, the session is being closed */
    OVER,
};

struct client {
    struct client_options options;
    struct client_handlers on;
    struct client_net net;
    struct client_place place;
    struct base_buf url;    /* of the place, for the records */
    struct base_buf joined; /* the packet that joins, where the token can be read only once */
    struct client_engine *engine;
    uv_timer_t timer;
    enum state state;
    bool was_connected;
    int outage; /* what was told of it: code and status of HTTP, as a negative number; 1: that it
                   began; 0: there is none */
    struct base_backoff backoff;
    struct base_buf held; /* an event whose attachments have not come */
    unsigned awaited;     /* attachments */
};

static void attempt(struct client *client);

static void tell(struct client *client, const struct client_record *record)
{
    if (client->state < LEAVING)
        client->on.on_record(client->on.data, record);
}

/* ---- the token ---- */

static void forget(struct base_buf *packet)
{
    if (packet->len)
        explicit_bzero(packet->data, packet->len);
    base_buf_fini(packet);
}

/* A pipe of a shell, say, has its token once; a file is read for each connection. */
static bool is_read_again(const char *file)
{
    struct stat status;
    return !file || (stat(file, &status) == 0 && S_ISREG(status.st_mode));
}

static int join_packet(const struct client *client, struct base_buf *packet, struct base_why *why)
{
    const struct base_buf *joined = &client->joined;
    if (joined->len == 0)
        return client_connect_packet(client->options.token_file, client->options.token, packet,
                                     why);
    if (base_buf_add(packet, joined->data, joined->len) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    return BASE_OK;
}

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client_place_fini(&client->place);
    base_buf_fini(&client->url);
    forget(&client->joined);
    base_buf_fini(&client->held);
    base_free(client);
}

static void close_engine(struct client *client)
{
    client_engine_free(client->engine);
    client->engine = NULL;
    client->awaited = 0;
}

static void finish(struct client *client, int status)
{
    if (client->state == OVER)
        return;
    client->state = OVER;
    close_engine(client);
    client->on.on_end(client->on.data, status);
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

static void on_leave_timeout(uv_timer_t *timer)
{
    finish(timer->data, BASE_EXIT_OK);
}

void client_stop(struct client *client)
{
    static const char leave[] = "41";
    bool joined = client->state == CONNECTED || client->state == JOINING;
    if (client->state >= LEAVING)
        return;
    client->state = LEAVING;
    /* Even without a session the end comes from the loop. */
    uv_timer_start(&client->timer, on_leave_timeout, joined ? LEAVE_MS : 0, 0);
    if (!joined)
        return;
    if (client_engine_send(client->engine, leave, strlen(leave)) < 0)
        uv_timer_start(&client->timer, on_leave_timeout, 0, 0);
    else if (client->state == LEAVING)
        client_engine_leave(client->engine);
}

/* ---- trouble ---- */

static void on_pause_end(uv_timer_t *timer)
{
    attempt(timer->data);
}

static void pause_then_attempt(struct client *client)
{
    client->state = PAUSING;
    uv_timer_start(&client->timer, on_pause_end, base_backoff_pause(&client->backoff), 0);
}

/* The session or the attempt is over. A trouble that stays the same is told once. */
static void on_trouble(struct client *client, const struct client_end *end)
{
    const struct client_record record = {
        .kind = client->state == CONNECTED ? CLIENT_RECORD_DISCONNECT : CLIENT_RECORD_ERROR,
        .end = end};
    int said = end->why.code * 1000 - end->http_status;
    bool final = !client->options.reconnect || (end->lasting && !client->was_connected) ||
                 end->why.code == BASE_ERR_NOMEM;
    if (record.kind == CLIENT_RECORD_DISCONNECT || client->outage != said)
        tell(client, &record);
    if (client->state >= LEAVING)
        return;
    close_engine(client);
    if (final) {
        base_log(BASE_LOG_ERROR, "%s: %s", client->place.origin.data, end->why.text);
        finish(client, base_exit_status(end->why.code));
        return;
    }
    if (!client->outage)
        base_log(BASE_LOG_WARNING, "%s: %s; trying again until it is back",
                 client->place.origin.data, end->why.text);
    /* Behind a loss the first failure of an attempt is told, too. */
    client->outage = record.kind == CLIENT_RECORD_DISCONNECT ? 1 : said;
    pause_then_attempt(client);
}

static void trouble(struct client *client, const char *reason, int code, const char *text)
{
    struct client_end end;
    client_end_set(&end, reason, code, "%s", text);
    on_trouble(client, &end);
}

static void on_attempt_timeout(uv_timer_t *timer)
{
    trouble(timer->data, "timeout", BASE_ERR_UNAVAILABLE, "no answer in time");
}

/* ---- packets ---- */

static void on_connect(struct client *client, const struct net_sio_packet *packet)
{
    const struct client_record record = {.kind = CLIENT_RECORD_CONNECT, .packet = packet};
    if (client->state != JOINING)
        return;
    client->state = CONNECTED;
    client->was_connected = true;
    base_backoff_reset(&client->backoff);
    client->outage = 0;
    uv_timer_stop(&client->timer);
    base_log(BASE_LOG_DEBUG, "%s: connected", client->place.origin.data);
    tell(client, &record);
}

static void on_refusal(struct client *client, const struct net_sio_packet *packet)
{
    const struct client_record record = {.kind = CLIENT_RECORD_ERROR, .packet = packet};
    struct base_json_member message = BASE_JSON_WANT("message");
    struct base_slice text = {"no reason was given", strlen("no reason was given")};
    if (client->state != JOINING)
        return;
    tell(client, &record);
    if (client->state != JOINING)
        return;
    if (packet->data.kind == BASE_JSON_STRING)
        message.value = packet->data;
    else
        base_json_pick(packet->data.text, packet->data.len, &message, 1, NULL, NULL);
    base_json_plain(&message.value, &text);
    base_log(BASE_LOG_ERROR, "%s: refused: %.*s", client->place.origin.data, (int)text.len,
             text.data);
    finish(client, BASE_EXIT_NOPERM);
}

static void on_kicked(struct client *client)
{
    struct client_end end;
    if (client->state != CONNECTED)
        return;
    client_end_set(&end, "io server disconnect", BASE_ERR_DENIED, "the server has disconnected us");
    const struct client_record record = {.kind = CLIENT_RECORD_DISCONNECT, .end = &end};
    tell(client, &record);
    if (client->state != CONNECTED)
        return;
    base_log(BASE_LOG_ERROR, "%s: %s; the token may have expired, or been revoked",
             client->place.origin.data, end.why.text);
    finish(client, BASE_EXIT_NOPERM);
}

static void on_event(struct client *client, const struct net_sio_packet *packet)
{
    const struct client_record record = {
        .kind = CLIENT_RECORD_EVENT, .packet = packet, .args = client_event_args(packet)};
    if (client->state == CONNECTED)
        tell(client, &record);
}

static void on_packet(struct client *client, const struct net_sio_packet *packet)
{
    if (packet->nsp.len != 1) /* of a namespace that we have not joined */
        return;
    switch (packet->type) {
    case NET_SIO_CONNECT: on_connect(client, packet); break;
    case NET_SIO_CONNECT_ERROR: on_refusal(client, packet); break;
    case NET_SIO_DISCONNECT: on_kicked(client); break;
    case NET_SIO_EVENT:
    case NET_SIO_BINARY_EVENT: on_event(client, packet); break;
    case NET_SIO_ACK: /* nothing was asked */
    case NET_SIO_BINARY_ACK: break;
    }
}

static void on_text(struct client *client, const char *bytes, size_t len)
{
    struct net_sio_packet packet;
    const char *reason;
    if (client->awaited) {
        trouble(client, "parse error", BASE_ERR_SYNTAX, "text instead of an attachment");
    } else if (net_sio_parse_server(bytes, len, &packet, &reason) < 0) {
        trouble(client, "parse error", BASE_ERR_SYNTAX, reason);
    } else if (packet.attachments == 0) {
        on_packet(client, &packet);
    } else {
        client->awaited = packet.attachments;
        client->held.len = 0;
        if (base_buf_add(&client->held, bytes, len) < 0)
            trouble(client, "parse error", BASE_ERR_NOMEM, base_err_text(BASE_ERR_NOMEM));
    }
}

/* Attachments are counted and left out. */
static void on_attachment(struct client *client)
{
    struct net_sio_packet packet;
    if (client->awaited == 0)
        trouble(client, "parse error", BASE_ERR_SYNTAX, "bytes that belong to no event");
    else if (--client->awaited == 0 &&
             net_sio_parse_server(client->held.data, client->held.len, &packet, NULL) == 0)
        on_packet(client, &packet);
}

/* ---- the session ---- */

static void on_message(void *data, const char *bytes, size_t len, bool binary)
{
    struct client *client = data;
    if (client->state != JOINING && client->state != CONNECTED)
        return;
    if (binary)
        on_attachment(client);
    else
        on_text(client, bytes, len);
}

static void on_open(void *data, const struct client_open *open, const char *transport)
{
    struct client *client = data;
    struct base_buf packet = BASE_BUF_INIT;
    struct base_why why;
    const struct client_record record = {.kind = CLIENT_RECORD_HANDSHAKE,
                                         .url = client->url.data,
                                         .transport = transport,
                                         .open = open};
    tell(client, &record);
    if (client->state != OPENING)
        return;
    client->state = JOINING;
    int failed = join_packet(client, &packet, &why);
    if (failed)
        trouble(client, "token", failed, why.text);
    else if (client_engine_send(client->engine, packet.data, packet.len) < 0)
        trouble(client, "transport error", BASE_ERR_NOMEM, base_err_text(BASE_ERR_NOMEM));
    forget(&packet);
}

static void on_upgrade(void *data, const struct client_end *failure)
{
    struct client *client = data;
    const struct client_record record = {.kind =
                                             failure ? CLIENT_RECORD_ERROR : CLIENT_RECORD_UPGRADE,
                                         .transport = "websocket",
                                         .end = failure};
    if (failure)
        base_log(BASE_LOG_WARNING, "%s: no upgrade to a WebSocket: %s", client->place.origin.data,
                 failure->why.text);
    tell(client, &record);
}

static void on_engine_end(void *data, const struct client_end *end)
{
    struct client *client = data;
    if (client->state == LEAVING)
        finish(client, BASE_EXIT_OK);
    else
        on_trouble(client, end);
}

static void attempt(struct client *client)
{
    struct client_engine_handlers handlers = {on_open, on_message, on_upgrade, on_engine_end,
                                              client};
    client->state = OPENING;
    if (client->options.attempt_ms > 0)
        uv_timer_start(&client->timer, on_attempt_timeout, (uint64_t)client->options.attempt_ms, 0);
    if (client_engine_new(&client->net, &client->place, client->options.transport, &handlers,
                          &client->engine) < 0)
        trouble(client, "transport error", BASE_ERR_NOMEM, base_err_text(BASE_ERR_NOMEM));
}

/* ---- life ---- */

/* The token is looked at before anything is tried, so that a wrong name is reported at once. */
static int check(struct client *client, struct base_why *why)
{
    int failed = client_place_parse(client->options.url, &client->place, why);
    if (failed)
        return failed;
    failed = join_packet(client, &client->joined, why);
    if (is_read_again(client->options.token_file))
        forget(&client->joined);
    if (!failed && client->options.token_file)
        base_secret_file_check(client->options.token_file);
    if (!failed &&
        (base_buf_add(&client->url, client->place.origin.data, client->place.origin.len) < 0 ||
         base_buf_add(&client->url, client->place.path.data, client->place.path.len) < 0 ||
         !base_buf_cstr(&client->url)))
        failed = base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    return failed;
}

static void on_start(uv_timer_t *timer)
{
    attempt(timer->data);
}

int client_new(struct uv_loop_s *loop, const struct client_options *options,
               const struct client_handlers *handlers, struct client **out, struct base_why *why)
{
    struct client *client = base_calloc(1, sizeof *client);
    if (!client)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    *client = (struct client){
        .options = *options,
        .on = *handlers,
        .net = {.loop = loop, .cacert = options->cacert, .user_agent = "arda-subscribe"},
        .backoff = {PAUSE_FIRST_MS, PAUSE_MOST_MS, 0},
    };
    uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    int failed = check(client, why);
    if (failed)
        uv_close((uv_handle_t *)&client->timer, on_timer_closed);
    else
        uv_timer_start(&client->timer, on_start, 0, 0);
    if (!failed)
        *out = client;
    return failed;
}
