/* SPDX-License-Identifier: ISC
 *
 * The fence between a lost connection for commands and the next one.
 *
 * Bytes that were sent on a connection outlive it: in the buffers of the kernel, of a proxy, or of
 * a Redis that stands still. Redis may carry them out after what was sent again on the next
 * connection has been, so asking for a mark first would not help. CLIENT KILL ends that.
 *
 * Happy path: the connection stands; INFO tells which process it is, CLIENT ID who we are; if it is
 * the process of the lost connection, that one is killed; then the bus is up. Another process never
 * had those bytes. An answer that is lost: all of it again on the next connection, with the same
 * fence. Redis refuses: the bus is up without a fence, and says so once.
 */
#include "arda/bus/internal.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define RUN_ID_LEN (sizeof((struct arda_bus *)0)->fence.process - 1)

static void finish(struct arda_bus *bus)
{
    bus->fence = bus->fence_next;
    bus->fencing = false;
    arda_bus_tell_up(bus);
}

static bool refused(struct arda_bus *bus, const redisReply *reply)
{
    static struct base_log_limit limit;
    if (reply->type != REDIS_REPLY_ERROR)
        return false;
    base_log_limited(&limit, BASE_LOG_WARNING,
                     "redis %s: %s; what is sent again after a loss may be published twice",
                     bus->url.name, reply->str);
    return true;
}

/* An error only says that it was gone. */
static void on_killed(void *data, int result, const redisReply *reply)
{
    struct arda_bus *bus = data;
    if (result)
        return;
    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0)
        refused(bus, reply);
    finish(bus);
}

static void on_client(void *data, int result, const redisReply *reply)
{
    struct arda_bus *bus = data;
    char id[24];
    const char *const kill[] = {"CLIENT", "KILL", "ID", id};
    if (result)
        return;
    bool told = bus->fence_next.process[0] && !refused(bus, reply);
    bus->fence_next.client = told && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    bool same = strcmp(bus->fence.process, bus->fence_next.process) == 0;
    snprintf(id, sizeof id, "%lld", bus->fence.client);
    if (!bus->fence.client || !same || !bus->fence_next.client ||
        arda_bus_command(bus, 4, kill, NULL, on_killed, bus) < 0)
        finish(bus);
}

/* The line "run_id:" of INFO. */
static void on_process(void *data, int result, const redisReply *reply)
{
    static const char name[] = "\nrun_id:";
    struct arda_bus *bus = data;
    bus->fence_next.process[0] = '\0';
    if (result || refused(bus, reply) || reply->type != REDIS_REPLY_STRING)
        return;
    const char *line = strstr(reply->str, name);
    size_t len = line ? strcspn(line + sizeof name - 1, "\r\n") : 0;
    if (len == 0 || len > RUN_ID_LEN)
        return;
    memcpy(bus->fence_next.process, line + sizeof name - 1, len);
    bus->fence_next.process[len] = '\0';
}

void arda_bus_fence_start(struct arda_bus *bus)
{
    static const char *const info[] = {"INFO", "server"}, *const client[] = {"CLIENT", "ID"};
    bus->fencing = bus->options.fence;
    if (!bus->fencing)
        return;
    if (arda_bus_command(bus, 2, info, NULL, on_process, bus) < 0 ||
        arda_bus_command(bus, 2, client, NULL, on_client, bus) < 0) {
        bus->fence_next.client = 0; /* without memory, without a fence */
        finish(bus);
    }
}
