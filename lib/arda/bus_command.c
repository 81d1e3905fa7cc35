/* SPDX-License-Identifier: ISC */
#include "arda/bus_internal.h"

#include "base/mem.h"

#include <string.h>

#define FEED_BYTES    16384 /* hiredis moves what is left of a feed after each reply */
#define FIRST_WAITING 64

static int grow(struct arda_bus *bus)
{
    size_t cap = bus->waiting_cap ? bus->waiting_cap * 2 : FIRST_WAITING;
    struct bus_waiting *ring = base_malloc(cap * sizeof *ring);
    if (!ring)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < bus->waiting_count; i++)
        ring[i] = bus->waiting[(bus->waiting_first + i) % bus->waiting_cap];
    base_free(bus->waiting);
    bus->waiting = ring;
    bus->waiting_cap = cap;
    bus->waiting_first = 0;
    return BASE_OK;
}

int bus_add_waiting(struct arda_bus *bus, const struct bus_waiting *waiting)
{
    if (bus->waiting_count == bus->waiting_cap && grow(bus) < 0)
        return BASE_ERR_NOMEM;
    bus->waiting[(bus->waiting_first + bus->waiting_count++) % bus->waiting_cap] = *waiting;
    if (waiting->kind == WAIT_PUBLISHED)
        bus->publications++;
    return BASE_OK;
}

static struct bus_waiting take_first(struct arda_bus *bus)
{
    struct bus_waiting first = bus->waiting[bus->waiting_first];
    bus->waiting_first = (bus->waiting_first + 1) % bus->waiting_cap;
    bus->waiting_count--;
    if (first.kind == WAIT_PUBLISHED)
        bus->publications--;
    return first;
}

/* False when nobody asked for it. */
static bool take_reply(struct arda_bus *bus, const redisReply *reply)
{
    if (bus->waiting_count == 0)
        return false;
    struct bus_waiting *first = &bus->waiting[bus->waiting_first];
    if (reply->type == REDIS_REPLY_ERROR)
        bus_role_refusal(bus, reply->str);
    if (first->kind == WAIT_STEP || (first->kind == WAIT_PUBLISHED && !first->script))
        bus_step_note(bus, reply);
    if (--first->replies_left > 0)
        return true;
    struct bus_waiting waiting = take_first(bus);
    if (waiting.kind == WAIT_PUBLISHED)
        bus_publish_reply(bus, &waiting, reply);
    else if (waiting.kind == WAIT_STEP)
        bus_step_reply(bus, &waiting, reply);
    else if (waiting.kind == WAIT_REPLY)
        waiting.on_reply(waiting.data, BASE_OK, reply);
    return true;
}

static int take_replies(struct arda_bus *bus)
{
    while (bus->reply_reader.reader) {
        void *reply;
        int failed = reply_reader_next(&bus->reply_reader, &reply);
        if (failed || !reply)
            return failed;
        bool expected = take_reply(bus, reply);
        freeReplyObject(reply);
        if (!expected)
            return BASE_ERR_SYNTAX;
    }
    return BASE_OK;
}

int bus_commands_bytes(struct arda_bus *bus, const char *bytes, size_t len)
{
    int failed = bus->reply_reader.reader ? BASE_OK : BASE_ERR_NOMEM;
    while (len > 0 && !failed) {
        size_t step = len < FEED_BYTES ? len : FEED_BYTES;
        failed = reply_reader_feed(&bus->reply_reader, bytes, step);
        if (!failed)
            failed = take_replies(bus);
        bytes += step;
        len -= step;
    }
    return failed;
}

void bus_commands_lost(struct arda_bus *bus)
{
    struct base_why why;
    base_why_set(&why, BASE_ERR_CLOSED, "the connection to Redis was lost before the answer");
    /* Those who ask again from within their callback are not served here. */
    for (size_t left = bus->waiting_count; left > 0; left--) {
        struct bus_waiting waiting = take_first(bus);
        if (waiting.kind == WAIT_PUBLISHED)
            waiting.on_published(waiting.data, BASE_ERR_CLOSED, NULL, &why);
        else if (waiting.kind == WAIT_REPLY || waiting.kind == WAIT_STEP)
            waiting.on_reply(waiting.data, BASE_ERR_CLOSED, NULL);
    }
    bus->step_error[0] = '\0';
}

/* EXEC refuses a step for what changed since it began; before Redis 7 a script's errors had a frame
 * of words. */
const char *bus_error_cause(const char *text)
{
    static const char exec[] = "EXECABORT Transaction discarded because of: ";
    static const char script[] = "ERR Error running script";
    if (strncmp(text, exec, sizeof exec - 1) == 0)
        return text + sizeof exec - 1;
    const char *inner = strncmp(text, script, sizeof script - 1) == 0 ? strstr(text, ": -") : NULL;
    return inner ? inner + 3 : text;
}

/* Trying again later helps against these; everything else is refused for good. */
static int error_code(const char *text)
{
    const char *cause = bus_error_cause(text);
    static const char *const passing[] = {"LOADING",  "BUSY",       "READONLY", "MASTERDOWN",
                                          "OOM",      "NOREPLICAS", "MISCONF",  "TRYAGAIN",
                                          "NOSCRIPT", "NOAUTH"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strncmp(cause, passing[i], strlen(passing[i])) == 0)
            return BASE_ERR_AGAIN;
    /* What is denied inside a script comes as a plain ERR. */
    bool denied = strncmp(cause, "NOPERM", 6) == 0 || strstr(text, "user executing the script");
    return denied ? BASE_ERR_DENIED : BASE_ERR_INTERNAL;
}

int bus_error(const struct arda_bus *bus, const char *text, struct base_why *why)
{
    return base_why_set(why, error_code(text), "redis %s: %s", bus->url.name,
                        bus_error_cause(text));
}

int bus_reply_error(const struct arda_bus *bus, const redisReply *reply, struct base_why *why)
{
    return reply->type == REDIS_REPLY_ERROR ? bus_error(bus, reply->str, why) : BASE_OK;
}

int arda_bus_command(struct arda_bus *bus, int argc, const char *const *argv,
                     const size_t *argv_len, arda_reply_fn done, void *data)
{
    if (!arda_redis_conn_is_up(bus->commands))
        return BASE_ERR_UNAVAILABLE;
    struct base_buf *out = arda_redis_conn_out(bus->commands);
    struct bus_waiting waiting = {
        .kind = WAIT_REPLY, .replies_left = 1, .on_reply = done, .data = data};
    size_t before = out->len;
    if (arda_redis_format(out, argc, argv, argv_len) < 0)
        return BASE_ERR_NOMEM;
    if (bus_add_waiting(bus, &waiting) < 0) {
        out->len = before;
        return BASE_ERR_NOMEM;
    }
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}
