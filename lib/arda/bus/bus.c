/* SPDX-License-Identifier: ISC
 *
 * Two connections, one for commands and one for subscriptions. The application is told up when both
 * stand, and down when one is lost; each makes itself again.
 */
#include "arda/bus/internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define RETRY_MS 1000

static struct arda_bus *shared_bus;

/* ---- state ---- */

bool arda_bus_is_up(const struct arda_bus *bus)
{
    return arda_redis_conn_is_up(bus->commands) && arda_redis_conn_is_up(bus->subscriber) &&
           !bus->fencing;
}

bool arda_bus_is_refusal(const struct base_why *why)
{
    return why->code == BASE_ERR_DENIED || why->code == BASE_ERR_CONFIG;
}

const char *arda_bus_reason(const struct arda_bus *bus)
{
    return bus->reason;
}

const char *arda_bus_refusal(const struct arda_bus *bus)
{
    return bus->refusal;
}

/* Reports each change once, whichever of the connections brought it. */
static void tell_up(struct arda_bus *bus)
{
    if (!arda_bus_is_up(bus))
        return; /* the first of the two: there is nothing to report yet */
    bus->reason[0] = bus->refusal[0] = '\0';
    if (!bus->options.on_state || bus->told_up)
        return;
    bus->told_up = true;
    bus->told_down = bus->told_answer = false;
    bus->options.on_state(bus->options.data, true, NULL);
}

/* That the network fails now in this way and now in that is no news, but what Redis answers is. */
static void tell_down(struct arda_bus *bus, const struct base_why *reason)
{
    struct base_why why = *reason;
    bool is_answer = why.code != BASE_ERR_UNAVAILABLE, is_news = is_answer || bus->told_answer;
    bool same = strcmp(bus->reason, why.text) == 0;
    snprintf(bus->reason, sizeof bus->reason, "%s", why.text);
    if (!bus->options.on_state || (bus->told_down && (same || !is_news)))
        return;
    bus->told_up = false;
    bus->told_down = true;
    bus->told_answer = is_answer;
    if (bus->was_up || why.code == BASE_ERR_AGAIN)
        why.code = BASE_ERR_UNAVAILABLE;
    bus->options.on_state(bus->options.data, false, &why);
}

void arda_bus_tell_up(struct arda_bus *bus)
{
    tell_up(bus);
}

static void on_commands_up(void *data)
{
    struct arda_bus *bus = data;
    bus->was_up = true;
    /* Out of memory: every byte that comes will be refused, and the connection made again. */
    (void)arda_reply_reader_open(&bus->reply_reader, NULL, NULL);
    arda_bus_calls_up(bus);
    bus->renew_at_us = 0;
    arda_bus_fence_start(bus);
    if (!bus->fencing)
        tell_up(bus);
}

static void on_commands_down(void *data, bool was_up, const struct base_why *why)
{
    struct arda_bus *bus = data;
    arda_reply_reader_close(&bus->reply_reader);
    bus->stats.reconnects += was_up;
    arda_bus_commands_lost(bus);
    tell_down(bus, why);
}

static int on_commands_bytes(void *data, const char *bytes, size_t len)
{
    return arda_bus_commands_bytes(data, bytes, len);
}

static void on_commands_flush(void *data)
{
    (void)data;
}

static void on_commands_quiet(void *data)
{
    struct arda_bus *bus = data;
    struct bus_waiting nobody = {.kind = WAIT_NOBODY, .replies_left = 1};
    struct base_buf *out = arda_bus_out(bus);
    size_t before = out->len;
    if (base_buf_add_text(out, "*1\r\n$4\r\nPING\r\n") == 0 &&
        arda_bus_add_waiting(bus, &nobody) == 0)
        arda_redis_conn_touch(bus->commands);
    else
        out->len = before;
}

static void on_subscriber_up(void *data)
{
    struct arda_bus *bus = data;
    bus->was_up = true;
    if (arda_bus_reader_start(bus) < 0)
        return; /* every byte that comes will be refused, and the connection made anew */
    arda_bus_channels_up(bus);
    tell_up(bus);
}

static void on_subscriber_down(void *data, bool was_up, const struct base_why *why)
{
    struct arda_bus *bus = data;
    arda_bus_reader_stop(bus);
    bus->stats.reconnects += was_up;
    tell_down(bus, why);
    arda_bus_channels_down(bus);
}

static int on_subscriber_bytes(void *data, const char *bytes, size_t len)
{
    struct arda_bus *bus = data;
    return bus->push_reader.reader ? arda_bus_reader_bytes(bus, bytes, len) : BASE_ERR_NOMEM;
}

static void on_subscriber_flush(void *data)
{
    arda_bus_channels_flush(data);
}

static void on_subscriber_quiet(void *data)
{
    struct arda_bus *bus = data;
    const char *argv[] = {"PING"};
    if (arda_bus_reader_ask(bus, 1, argv) == 0)
        arda_redis_conn_touch(bus->subscriber);
}

static void on_retry(uv_timer_t *timer)
{
    arda_bus_channels_retry(timer->data);
}

void arda_bus_retry_later(struct arda_bus *bus)
{
    if (!bus->closing) /* then the timer is the shutdown's */
        uv_timer_start(&bus->timer, on_retry, RETRY_MS, 0);
}

/* ---- begin ---- */

static int copy_options(struct arda_bus *bus, const struct arda_bus_options *options,
                        struct base_why *why)
{
    const char *prefix = options->prefix ? options->prefix : "arda";
    if (!arda_prefix_valid(prefix))
        return base_why_set(why, BASE_ERR_CONFIG,
                            "prefix: expected up to %d of A-Z a-z 0-9 . _ - :", ARDA_PREFIX_MAX);
    bus->options = *options;
    bus->options.url = bus->options.prefix = bus->options.name = NULL;
    bus->prefix = base_strdup(prefix);
    if (options->name) {
        struct base_buf name = BASE_BUF_INIT;
        bus->name = base_strdup(options->name);
        if (base_buf_printf(&name, "%s:subscriptions", options->name) == 0 && base_buf_cstr(&name))
            bus->name_sub = base_buf_take(&name, NULL);
        base_buf_fini(&name);
    }
    if (!bus->prefix || (options->name && (!bus->name || !bus->name_sub)))
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    return arda_redis_url_parse(options->url ? options->url : "redis://127.0.0.1:6379", &bus->url,
                                why);
}

static void free_bus(struct arda_bus *bus)
{
    if (shared_bus == bus)
        shared_bus = NULL;
    arda_redis_url_fini(&bus->url);
    base_free(bus->prefix);
    base_free(bus->name);
    base_free(bus->name_sub);
    base_free(bus->sent.items);
    base_free(bus->held.items);
    arda_bus_calls_free(bus);
    base_free(bus);
}

static int open_connections(struct arda_bus *bus)
{
    const struct arda_redis_conn_handlers commands = {
        arda_bus_role_commands, on_commands_up,    on_commands_down,     on_commands_bytes,
        on_commands_flush,      on_commands_quiet, arda_bus_role_second, bus,
    };
    const struct arda_redis_conn_handlers subscriber = {
        arda_bus_role_subscriber,
        on_subscriber_up,
        on_subscriber_down,
        on_subscriber_bytes,
        on_subscriber_flush,
        on_subscriber_quiet,
        NULL,
        bus,
    };
    int failed = arda_redis_conn_open(bus->loop, &bus->url, bus->name, &commands, &bus->commands);
    if (failed)
        return failed;
    failed =
        arda_redis_conn_open(bus->loop, &bus->url, bus->name_sub, &subscriber, &bus->subscriber);
    if (failed)
        arda_redis_conn_close(bus->commands, NULL, NULL);
    return failed;
}

int arda_bus_new(struct uv_loop_s *loop, const struct arda_bus_options *options,
                 struct arda_bus **out, struct base_why *why)
{
    struct arda_bus *bus = base_calloc(1, sizeof *bus);
    if (!bus)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    bus->loop = loop;
    base_list_init(&bus->unsent);
    base_list_init(&bus->refused);
    base_list_init(&bus->asked);
    int failed = copy_options(bus, options, why);
    arda_bus_role_init(bus);
    if (!failed && open_connections(bus) < 0)
        failed = base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    if (failed) {
        free_bus(bus);
        return failed;
    }
    uv_timer_init(loop, &bus->timer);
    bus->timer.data = bus;
    *out = bus;
    return BASE_OK;
}

int arda_bus_get(struct uv_loop_s *loop, const struct arda_bus_options *options,
                 struct arda_bus **bus, struct base_why *why)
{
    if (!shared_bus) {
        int failed = arda_bus_new(loop, options, &shared_bus, why);
        if (failed)
            return failed;
    }
    *bus = shared_bus;
    return BASE_OK;
}

/* ---- end ---- */

static void one_closed(struct arda_bus *bus)
{
    if (--bus->open_handles > 0)
        return;
    void (*done)(void *) = bus->on_closed;
    void *data = bus->closed_data;
    arda_bus_reader_stop(bus);
    arda_reply_reader_close(&bus->reply_reader);
    free_bus(bus);
    if (done)
        done(data);
}

static void on_conn_closed(void *data)
{
    one_closed(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    one_closed(handle->data);
}

/* The subscriptions go with the loop's next turn, when no message is being handed out. */
static void close_all(uv_timer_t *timer)
{
    struct arda_bus *bus = timer->data;
    bus->open_handles = 3;
    arda_bus_channels_free(bus);
    arda_bus_role_close(bus);
    arda_redis_conn_close(bus->commands, on_conn_closed, bus);
    arda_redis_conn_close(bus->subscriber, on_conn_closed, bus);
    arda_bus_commands_lost(bus);
    uv_close((uv_handle_t *)&bus->timer, on_timer_closed);
}

static bool ask_last(struct arda_bus *bus);

/* Calls that had to be sent again are answered after it. */
static void on_last_answer(void *data, int result, const struct redisReply *reply)
{
    (void)reply;
    struct arda_bus *bus = data;
    if (!result && bus->sent_again > 0 && ask_last(bus))
        return;
    uv_timer_start(&bus->timer, close_all, 0, 0);
}

/* What is pending is waited for by asking last: answers come in order. */
static bool ask_last(struct arda_bus *bus)
{
    const char *ping[] = {"PING"};
    return arda_bus_command(bus, 1, ping, NULL, on_last_answer, bus) == 0;
}

void arda_bus_shutdown(struct arda_bus *bus, uint32_t timeout_ms, void (*done)(void *data),
                       void *data)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    if (bus->closing)
        return;
    bus->closing = true;
    bus->options.on_state = NULL;
    bus->options.on_refused = NULL;
    bus->on_closed = done;
    bus->closed_data = data;
    while ((entry = base_map_next(&bus->channels, &cursor))) {
        struct bus_channel *channel = entry->value;
        BASE_LIST_FOREACH (link, &channel->subscriptions)
            base_container(link, struct arda_subscription, link)->gone = true;
    }
    bool waits = bus->sent.count > 0 && ask_last(bus);
    uv_timer_start(&bus->timer, close_all, waits ? timeout_ms : 0, 0);
}

/* ---- the rest ---- */

struct ping {
    void (*done)(void *data, int result);
    void *data;
};

static void on_pong(void *data, int result, const struct redisReply *reply)
{
    struct ping *ping = data;
    if (!result && reply->type == REDIS_REPLY_ERROR)
        result = BASE_ERR_UNAVAILABLE;
    ping->done(ping->data, result);
    base_free(ping);
}

void arda_bus_ping(struct arda_bus *bus, void (*done)(void *data, int result), void *data)
{
    const char *argv[] = {"PING"};
    struct ping *ping = base_malloc(sizeof *ping);
    int failed = ping ? BASE_OK : BASE_ERR_NOMEM;
    if (ping) {
        *ping = (struct ping){done, data};
        failed = arda_bus_command(bus, 1, argv, NULL, on_pong, ping);
    }
    if (failed) {
        base_free(ping);
        done(data, failed);
    }
}

void arda_bus_get_stats(const struct arda_bus *bus, struct arda_bus_stats *stats)
{
    *stats = bus->stats;
}

const char *arda_bus_prefix(const struct arda_bus *bus)
{
    return bus->prefix;
}
