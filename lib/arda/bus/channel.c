/* SPDX-License-Identifier: ISC
 *
 * A channel is subscribed once, for any number of handlers. It waits in `unsent` until the
 * connection can take it, in `refused` until another try, and stands when Redis has said so.
 */
#include "arda/bus/internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS_PER_COMMAND 500
#define DEFAULT_DEDUPE       4096

struct bus_channel *arda_bus_find_channel(struct arda_bus *bus, const char *name, size_t len)
{
    return base_map_get(&bus->channels, name, len);
}

/* ---- messages ---- */

static void release(struct bus_channel *channel);

static void dropped(struct bus_channel *channel, enum arda_drop drop,
                    const struct base_json_error *error)
{
    static struct base_log_limit limit;
    channel->bus->stats.dropped[drop]++;
    if (drop == ARDA_DROP_DUPLICATE)
        return;
    if (drop == ARDA_DROP_NOT_JSON && error->text)
        base_log_limited(&limit, BASE_LOG_WARNING, "%s: message dropped: not JSON: byte %zu: %s",
                         channel->name, error->offset + 1, error->text);
    else
        base_log_limited(&limit, BASE_LOG_WARNING, "%s: message dropped: %s", channel->name,
                         arda_drop_text(drop));
}

/* An id is what it says, however it is written; one that says nothing (a lone surrogate) is its
 * text. */
static bool is_duplicate(struct bus_channel *channel, const struct base_json_value *id)
{
    struct base_slice plain;
    struct base_buf decoded = BASE_BUF_INIT;
    if (id->kind != BASE_JSON_STRING)
        return false;
    if (base_json_plain(id, &plain))
        return arda_seen_add(&channel->seen, plain.data, plain.len);
    int failed = base_json_unescape(id, &decoded);
    bool seen =
        failed != BASE_ERR_NOMEM && arda_seen_add(&channel->seen, failed ? id->text : decoded.data,
                                                  failed ? id->len : decoded.len);
    base_buf_fini(&decoded);
    return seen;
}

void arda_bus_channel_message(struct bus_channel *channel, const char *text, size_t len)
{
    struct arda_message message;
    struct base_json_error error = {0, NULL};
    const char *tenant = channel->global ? NULL : channel->name + channel->tenant_at;
    channel->bus->stats.messages++;
    enum arda_drop drop =
        arda_message_parse(text, len, tenant, channel->tenant_len, &message, &error);
    if (!drop && is_duplicate(channel, &message.id))
        drop = ARDA_DROP_DUPLICATE;
    if (drop) {
        dropped(channel, drop, &error);
        return;
    }
    /* Who subscribes from a handler is behind the last one, and hears the next message first. */
    const struct base_list *last = channel->subscriptions.prev;
    channel->walks++;
    BASE_LIST_FOREACH (link, &channel->subscriptions) {
        struct arda_subscription *one = base_container(link, struct arda_subscription, link);
        if (!one->gone)
            one->on.on_message(one->on.data, &message);
        if (link == last)
            break;
    }
    channel->walks--;
    release(channel);
}

void arda_bus_channel_standing(struct bus_channel *channel, bool standing)
{
    if (channel->standing == standing)
        return;
    channel->standing = standing;
    channel->stood |= standing;
    if (standing)
        channel->bus->refusal[0] = '\0';
    channel->bus->stats.subscribed_channels += standing ? 1 : (uint64_t)-1;
    const struct base_list *last = channel->subscriptions.prev; /* later ones know already */
    channel->walks++;
    BASE_LIST_FOREACH (link, &channel->subscriptions) {
        struct arda_subscription *one = base_container(link, struct arda_subscription, link);
        if (!one->gone && one->on.on_standing)
            one->on.on_standing(one->on.data, standing);
        if (link == last)
            break;
    }
    channel->walks--;
    release(channel);
}

/* ---- life of a channel ---- */

static void free_channel(struct bus_channel *channel)
{
    base_list_remove(&channel->link);
    arda_seen_fini(&channel->seen);
    base_free(channel);
}

static void send_unsubscribe(struct bus_channel *channel)
{
    struct arda_bus *bus = channel->bus;
    const char *argv[] = {"UNSUBSCRIBE", channel->name};
    /* Without memory the channel stays subscribed until the connection is made anew; its messages
     * find no channel here and go nowhere. */
    if (arda_bus_reader_ask(bus, 2, argv) == 0)
        arda_redis_conn_touch(bus->subscriber);
}

/* Frees subscriptions that are gone, and the channel with its last one. */
static void release(struct bus_channel *channel)
{
    struct arda_bus *bus = channel->bus;
    if (channel->walks > 0)
        return;
    BASE_LIST_FOREACH_SAFE (link, &channel->subscriptions) {
        struct arda_subscription *one = base_container(link, struct arda_subscription, link);
        if (one->gone) {
            base_list_remove(link);
            base_free(one);
        }
    }
    if (!base_list_empty(&channel->subscriptions))
        return;
    bool sent = base_list_empty(&channel->link);
    base_map_remove(&bus->channels, channel->name, channel->name_len);
    bus->channel_changes++;
    if (channel->standing)
        bus->stats.subscribed_channels--;
    if (bus->reading == channel)
        bus->reading = NULL;
    if (sent && !bus->closing && arda_redis_conn_is_up(bus->subscriber))
        send_unsubscribe(channel);
    free_channel(channel);
}

static struct bus_channel *make_channel(struct arda_bus *bus, const char *tenant, size_t len,
                                        bool global)
{
    struct bus_channel *channel = base_calloc(1, sizeof *channel);
    if (!channel)
        return NULL;
    channel->bus = bus;
    channel->global = global;
    channel->name_len = arda_key(channel->name, bus->prefix, ARDA_KEY_EVENTS, tenant, len);
    channel->tenant_at = channel->name_len - len;
    channel->tenant_len = len;
    channel->seen.max = bus->options.dedupe_ids ? bus->options.dedupe_ids : DEFAULT_DEDUPE;
    base_list_init(&channel->subscriptions);
    base_list_init(&channel->link);
    if (base_map_set(&bus->channels, channel->name, channel->name_len, channel) < 0) {
        base_free(channel);
        return NULL;
    }
    bus->channel_changes++;
    base_list_append(&bus->unsent, &channel->link);
    if (arda_redis_conn_is_up(bus->subscriber))
        arda_redis_conn_touch(bus->subscriber);
    return channel;
}

/* ---- subscribing ---- */

static int subscribe(struct arda_bus *bus, const char *tenant, size_t len, bool global,
                     const struct arda_handlers *handlers, struct arda_subscription **out)
{
    char name[ARDA_KEY_MAX];
    if (bus->closing)
        return BASE_ERR_CLOSED;
    struct arda_subscription *one = base_calloc(1, sizeof *one);
    if (!one)
        return BASE_ERR_NOMEM;
    struct bus_channel *channel =
        arda_bus_find_channel(bus, name, arda_key(name, bus->prefix, ARDA_KEY_EVENTS, tenant, len));
    if (!channel)
        channel = make_channel(bus, tenant, len, global);
    if (!channel) {
        base_free(one);
        return BASE_ERR_NOMEM;
    }
    one->channel = channel;
    one->on = *handlers;
    base_list_append(&channel->subscriptions, &one->link);
    *out = one;
    if (channel->standing && one->on.on_standing)
        one->on.on_standing(one->on.data, true);
    return BASE_OK;
}

int arda_bus_subscribe_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                              const struct arda_handlers *handlers, struct arda_subscription **out)
{
    if (!arda_tenant_valid(tenant, tenant_len))
        return BASE_ERR_INVALID;
    return subscribe(bus, tenant, tenant_len, false, handlers, out);
}

int arda_bus_subscribe_global(struct arda_bus *bus, const struct arda_handlers *handlers,
                              struct arda_subscription **out)
{
    return subscribe(bus, "global", 6, true, handlers, out);
}

void arda_bus_unsubscribe(struct arda_subscription *subscription)
{
    subscription->gone = true;
    release(subscription->channel);
}

/* ---- with the connection ---- */

/* One SUBSCRIBE for the first channels of `unsent`. False when memory is short. */
static bool send_some(struct arda_bus *bus)
{
    const char *argv[CHANNELS_PER_COMMAND + 1] = {"SUBSCRIBE"};
    int count = 0;
    BASE_LIST_FOREACH (link, &bus->unsent) {
        if (count == CHANNELS_PER_COMMAND)
            break;
        argv[++count] = base_container(link, struct bus_channel, link)->name;
    }
    if (arda_bus_reader_ask(bus, count + 1, argv) < 0)
        return false;
    for (; count > 0; count--) {
        struct bus_channel *channel = base_container(bus->unsent.next, struct bus_channel, link);
        channel->asked = bus->asked_number;
        base_list_remove(&channel->link);
    }
    return true;
}

void arda_bus_channels_flush(struct arda_bus *bus)
{
    while (!base_list_empty(&bus->unsent))
        if (!send_some(bus)) {
            arda_bus_retry_later(bus);
            return;
        }
}

void arda_bus_channels_up(struct arda_bus *bus)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&bus->channels, &cursor))) {
        struct bus_channel *channel = entry->value;
        base_list_remove(&channel->link);
        base_list_append(&bus->unsent, &channel->link);
    }
    arda_redis_conn_touch(bus->subscriber);
}

void arda_bus_channels_down(struct arda_bus *bus)
{
    /* A handler may subscribe and unsubscribe: then the walk begins anew. */
    uint64_t changes = bus->channel_changes;
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&bus->channels, &cursor))) {
        arda_bus_channel_standing(entry->value, false);
        if (bus->channel_changes != changes)
            cursor = 0;
        changes = bus->channel_changes;
    }
}

static void report_refused(struct bus_channel *channel, const char *text)
{
    static struct base_log_limit limit;
    struct arda_bus *bus = channel->bus;
    struct base_why why;
    snprintf(bus->refusal, sizeof bus->refusal, "%s", text);
    arda_bus_error(bus, text, &why);
    base_why_set(&why, why.code, "subscribe %s: %s", channel->name, text);
    if (bus->options.on_refused && !channel->stood && why.code == BASE_ERR_DENIED)
        bus->options.on_refused(bus->options.data, &why);
    else
        base_log_limited(&limit, BASE_LOG_ERROR, "%s", why.text);
}

void arda_bus_channels_refused(struct arda_bus *bus, const struct bus_asked *asked,
                               const char *text)
{
    const char *name = asked->names;
    for (size_t i = 0; i < asked->count; i++, name += strlen(name) + 1) {
        struct bus_channel *channel = arda_bus_find_channel(bus, name, strlen(name));
        if (!channel || channel->asked != asked->number)
            continue; /* given up meanwhile, and perhaps asked for again */
        base_list_append(&bus->refused, &channel->link);
        if (asked->count == 1)
            report_refused(channel, text);
    }
    /* One refused channel refuses its whole command, so now each is asked for alone. */
    if (asked->count > 1)
        arda_bus_channels_retry(bus);
    else
        arda_bus_retry_later(bus);
}

void arda_bus_channels_retry(struct arda_bus *bus)
{
    struct base_list todo;
    base_list_init(&todo);
    base_list_splice(&todo, &bus->refused);
    while (!base_list_empty(&todo)) {
        struct base_list *link = todo.next;
        struct bus_channel *channel = base_container(link, struct bus_channel, link);
        base_list_remove(link);
        if (!arda_redis_conn_is_up(bus->subscriber))
            continue; /* all channels are asked for when it is back */
        const char *argv[] = {"SUBSCRIBE", channel->name};
        if (arda_bus_reader_ask(bus, 2, argv) == 0) {
            channel->asked = bus->asked_number;
        } else {
            base_list_append(&bus->refused, link);
            arda_bus_retry_later(bus);
        }
    }
    if (arda_redis_conn_is_up(bus->subscriber))
        arda_redis_conn_touch(bus->subscriber);
}

void arda_bus_channels_free(struct arda_bus *bus)
{
    struct base_map_entry *entry;
    for (size_t cursor = 0; (entry = base_map_next(&bus->channels, &cursor)); cursor = 0) {
        struct bus_channel *channel = entry->value;
        BASE_LIST_FOREACH (link, &channel->subscriptions)
            base_container(link, struct arda_subscription, link)->gone = true;
        channel->walks = 0;
        release(channel);
    }
    base_map_fini(&bus->channels);
}
