/* SPDX-License-Identifier: ISC
 *
 * Whether the server at the other end is the right one.
 *
 * A name, a virtual address or a proxy stands for the primary; after a failover it leads elsewhere,
 * but connections that are open stay with the old server, which is a replica now. So each greeting
 * asks for the role, and so does the connection for commands every few seconds; and Redis refuses
 * writes with READONLY, or everything with MASTERDOWN.
 *
 * A bus that writes leaves such a server at once and connects again. One that reads is still served
 * by the replica, as long as that follows its primary: a third connection, the scout, is made again
 * and again until the name leads to a primary, and only then the two others are made again, so that
 * nothing is missed in between. A reader whose first server was a replica was meant to read there.
 */
#include "arda/bus/internal.h"

#include "base/log.h"

#include <string.h>

#define ASK_SECONDS 2

/* ---- leaving ---- */

static void leave(struct arda_bus *bus, const char *text)
{
    struct base_why why;
    base_why_set(&why, BASE_ERR_AGAIN, "%s", text);
    arda_redis_conn_leave(bus->commands, &why);
    arda_redis_conn_leave(bus->subscriber, &why);
}

/* ---- the scout ---- */

static void close_scout(struct arda_bus *bus)
{
    arda_redis_conn_close(bus->scout, NULL, NULL);
    bus->scout = NULL;
}

static int on_scout_greeted(void *data, enum arda_redis_role role, struct base_why *why)
{
    (void)data;
    if (role == ARDA_REDIS_PRIMARY)
        return BASE_OK;
    return base_why_set(why, BASE_ERR_AGAIN, "still a replica");
}

/* The name leads to a primary. */
static void on_scout_up(void *data)
{
    struct arda_bus *bus = data;
    struct base_why why;
    close_scout(bus);
    base_why_set(&why, BASE_ERR_AGAIN, "it has become a replica, and the primary was found");
    if (bus->role == ARDA_REDIS_REPLICA)
        arda_redis_conn_leave(bus->commands, &why);
    if (bus->subscriber_role == ARDA_REDIS_REPLICA)
        arda_redis_conn_leave(bus->subscriber, &why);
}

static void on_scout_down(void *data, bool was_up, const struct base_why *why)
{
    (void)data;
    (void)was_up;
    base_log(BASE_LOG_DEBUG, "looking for the primary: %s", why->text);
}

static int on_scout_bytes(void *data, const char *bytes, size_t len)
{
    (void)data;
    (void)bytes;
    (void)len;
    return BASE_ERR_SYNTAX; /* nothing was asked */
}

static void do_nothing(void *data)
{
    (void)data;
}

static void send_scout(struct arda_bus *bus)
{
    const struct arda_redis_conn_handlers handlers = {
        .on_greeted = on_scout_greeted,
        .on_up = on_scout_up,
        .on_down = on_scout_down,
        .on_bytes = on_scout_bytes,
        .on_flush = do_nothing,
        .on_quiet = do_nothing,
        .data = bus,
    };
    if (bus->scout || bus->closing)
        return;
    /* Out of memory: the next question finds a replica again. */
    if (arda_redis_conn_open(bus->loop, &bus->url, NULL, &handlers, &bus->scout) == 0)
        base_log(BASE_LOG_WARNING, "redis %s: it has become a replica; looking for the primary",
                 bus->url.name);
}

/* ---- roles ---- */

void arda_bus_role_init(struct arda_bus *bus)
{
    bus->needs_primary = bus->options.use == ARDA_BUS_WRITES;
}

static int greeted(struct arda_bus *bus, enum arda_redis_role role, struct base_why *why)
{
    if (role == ARDA_REDIS_REPLICA && bus->needs_primary)
        return base_why_set(why, BASE_ERR_AGAIN, "a replica, which takes no writes");
    if (bus->first_role == ARDA_REDIS_UNKNOWN)
        bus->first_role = role;
    if (role == ARDA_REDIS_REPLICA && bus->first_role == ARDA_REDIS_PRIMARY)
        send_scout(bus);
    return BASE_OK;
}

int arda_bus_role_commands(void *data, enum arda_redis_role role, struct base_why *why)
{
    struct arda_bus *bus = data;
    bus->role = role;
    return greeted(bus, role, why);
}

int arda_bus_role_subscriber(void *data, enum arda_redis_role role, struct base_why *why)
{
    struct arda_bus *bus = data;
    bus->subscriber_role = role;
    return greeted(bus, role, why);
}

/* Both connections were made to the same name, and only this one can be asked. */
static void on_role(void *data, int result, const redisReply *reply)
{
    struct arda_bus *bus = data;
    enum arda_redis_role before = bus->role;
    if (result || bus->closing)
        return;
    bus->role = arda_redis_role_of(reply);
    if (bus->role != ARDA_REDIS_REPLICA)
        return;
    if (before == ARDA_REDIS_PRIMARY)
        bus->subscriber_role = ARDA_REDIS_REPLICA;
    if (bus->needs_primary)
        leave(bus, "it has become a replica");
    else if (bus->first_role == ARDA_REDIS_PRIMARY)
        send_scout(bus);
}

void arda_bus_role_second(void *data)
{
    static const char *const argv[] = {"ROLE"};
    struct arda_bus *bus = data;
    if (bus->role == ARDA_REDIS_UNKNOWN || bus->closing || ++bus->role_seconds < ASK_SECONDS)
        return;
    bus->role_seconds = 0;
    (void)arda_bus_command(bus, 1, argv, NULL, on_role, bus); /* else in a while */
}

/* ---- refusals ---- */

void arda_bus_role_refusal(struct arda_bus *bus, const char *text)
{
    const char *cause = arda_bus_error_cause(text);
    bool wrong = strncmp(cause, "READONLY ", 9) == 0 || strncmp(cause, "MASTERDOWN ", 11) == 0;
    struct base_why why;
    if (strncmp(cause, "NOAUTH ", 7) == 0) { /* let in once, and not any more: to be greeted */
        base_why_set(&why, BASE_ERR_AGAIN, "%s", cause);
        arda_redis_conn_leave(bus->commands, &why);
    } else if (wrong && bus->options.use != ARDA_BUS_READS) {
        bus->needs_primary |= *cause == 'R'; /* what only reads may be served by another replica */
        leave(bus, cause);
    } else if (wrong && bus->first_role == ARDA_REDIS_PRIMARY) {
        bus->role = bus->subscriber_role = ARDA_REDIS_REPLICA;
        send_scout(bus);
    }
}

void arda_bus_role_close(struct arda_bus *bus)
{
    if (bus->scout)
        close_scout(bus);
}
