/* SPDX-License-Identifier: ISC
 *
 * The connection for commands: whoever asks waits in a ring, in the order of the commands, which is
 * that of the answers.
 */
#include "arda/bus/internal.h"

#include "base/mem.h"

#include <string.h>

#define FEED_BYTES    16384 /* hiredis moves what is left of a feed after each reply */
#define FIRST_WAITING 64

/* ---- who waits ---- */

int arda_bus_ring_reserve(struct bus_ring *ring, size_t more)
{
    size_t cap = ring->cap ? ring->cap : FIRST_WAITING;
    while (cap < ring->count + more)
        cap *= 2;
    if (cap == ring->cap)
        return BASE_OK;
    struct bus_waiting *items = base_malloc(cap * sizeof *items);
    if (!items)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < ring->count; i++)
        items[i] = ring->items[(ring->first + i) % ring->cap];
    base_free(ring->items);
    *ring = (struct bus_ring){items, cap, 0, ring->count};
    return BASE_OK;
}

int arda_bus_ring_add(struct bus_ring *ring, const struct bus_waiting *waiting)
{
    if (ring->count == ring->cap && arda_bus_ring_reserve(ring, 1) < 0)
        return BASE_ERR_NOMEM;
    ring->items[(ring->first + ring->count++) % ring->cap] = *waiting;
    return BASE_OK;
}

struct bus_waiting arda_bus_ring_take(struct bus_ring *ring)
{
    struct bus_waiting first = ring->items[ring->first];
    ring->first = (ring->first + 1) % ring->cap;
    ring->count--;
    return first;
}

struct base_buf *arda_bus_out(struct arda_bus *bus)
{
    return bus->overtaken > 0 ? &bus->held_out : arda_redis_conn_out(bus->commands);
}

static int add_held(struct arda_bus *bus, const struct bus_waiting *waiting)
{
    struct bus_waiting held = *waiting;
    held.held = bus->held_out.len - bus->held_len;
    int failed = arda_bus_ring_add(&bus->held, &held);
    if (!failed)
        bus->held_len = bus->held_out.len;
    return failed;
}

int arda_bus_add_waiting(struct arda_bus *bus, const struct bus_waiting *waiting)
{
    int failed =
        bus->overtaken > 0 ? add_held(bus, waiting) : arda_bus_ring_add(&bus->sent, waiting);
    if (!failed)
        bus->publications += waiting->kind == WAIT_PUBLISHED;
    return failed;
}

static struct bus_waiting take(struct arda_bus *bus, struct bus_ring *ring)
{
    struct bus_waiting first = arda_bus_ring_take(ring);
    bus->publications -= first.kind == WAIT_PUBLISHED;
    return first;
}

/* ---- answers ---- */

static void give_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                       const redisReply *reply)
{
    if (waiting->kind == WAIT_PUBLISHED)
        arda_bus_publish_reply(bus, waiting, reply);
    else if (waiting->kind == WAIT_STEP)
        arda_bus_step_reply(bus, waiting, reply);
    else if (waiting->kind == WAIT_REPLY)
        waiting->on_reply(waiting->data, BASE_OK, reply);
}

/* False when nobody asked for it. */
static bool take_reply(struct arda_bus *bus, const redisReply *reply)
{
    if (bus->sent.count == 0)
        return false;
    struct bus_waiting *first = &bus->sent.items[bus->sent.first];
    if (reply->type == REDIS_REPLY_ERROR)
        arda_bus_role_refusal(bus, reply->str);
    if (first->kind == WAIT_STEP || (first->kind == WAIT_PUBLISHED && !first->script))
        arda_bus_step_note(bus, reply);
    if (--first->replies_left > 0)
        return true;
    struct bus_waiting waiting = take(bus, &bus->sent);
    if (arda_bus_call_answered(bus, &waiting, reply))
        give_reply(bus, &waiting, reply);
    arda_bus_call_passed(bus);
    return true;
}

static int take_replies(struct arda_bus *bus)
{
    while (bus->reply_reader.reader) {
        void *reply;
        int failed = arda_reply_reader_next(&bus->reply_reader, &reply);
        if (failed || !reply)
            return failed;
        bool expected = take_reply(bus, reply);
        freeReplyObject(reply);
        if (!expected)
            return BASE_ERR_SYNTAX;
    }
    return BASE_OK;
}

int arda_bus_commands_bytes(struct arda_bus *bus, const char *bytes, size_t len)
{
    int failed = bus->reply_reader.reader ? BASE_OK : BASE_ERR_NOMEM;
    while (len > 0 && !failed) {
        size_t step = len < FEED_BYTES ? len : FEED_BYTES;
        failed = arda_reply_reader_feed(&bus->reply_reader, bytes, step);
        if (!failed)
            failed = take_replies(bus);
        bytes += step;
        len -= step;
    }
    return failed;
}

/* Those who ask again from within their callback are not served here. */
static void lose(struct arda_bus *bus, struct bus_ring *ring)
{
    struct base_why why;
    base_why_set(&why, BASE_ERR_CLOSED, "the connection to Redis was lost before the answer");
    for (size_t left = ring->count; left > 0; left--) {
        struct bus_waiting waiting = take(bus, ring);
        if (waiting.kind == WAIT_PUBLISHED)
            waiting.on_published(waiting.data, BASE_ERR_CLOSED, NULL, &why);
        else if (waiting.kind == WAIT_REPLY || waiting.kind == WAIT_STEP)
            waiting.on_reply(waiting.data, BASE_ERR_CLOSED, NULL);
    }
}

void arda_bus_commands_lost(struct arda_bus *bus)
{
    arda_bus_calls_lost(bus);
    lose(bus, &bus->sent);
    lose(bus, &bus->held);
    bus->step_error[0] = '\0';
}

/* EXEC refuses a step for what changed since it began; before Redis 7 a script's errors had a frame
 * of words. */
const char *arda_bus_error_cause(const char *text)
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
    const char *cause = arda_bus_error_cause(text);
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

int arda_bus_error(const struct arda_bus *bus, const char *text, struct base_why *why)
{
    return base_why_set(why, error_code(text), "redis %s: %s", bus->url.name,
                        arda_bus_error_cause(text));
}

int arda_bus_reply_error(const struct arda_bus *bus, const redisReply *reply, struct base_why *why)
{
    return reply->type == REDIS_REPLY_ERROR ? arda_bus_error(bus, reply->str, why) : BASE_OK;
}

int arda_bus_command(struct arda_bus *bus, int argc, const char *const *argv,
                     const size_t *argv_len, arda_reply_fn done, void *data)
{
    if (!arda_redis_conn_is_up(bus->commands))
        return BASE_ERR_UNAVAILABLE;
    struct base_buf *out = arda_bus_out(bus);
    struct bus_waiting waiting = {
        .kind = WAIT_REPLY, .replies_left = 1, .on_reply = done, .data = data};
    size_t before = out->len;
    if (arda_redis_format(out, argc, argv, argv_len) < 0)
        return BASE_ERR_NOMEM;
    if (arda_bus_add_waiting(bus, &waiting) < 0) {
        out->len = before;
        return BASE_ERR_NOMEM;
    }
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}
