/* SPDX-License-Identifier: ISC
 *
 * The connection for subscriptions. Its replies are read by hiredis with object functions that
 * build nothing: what they are given points into the reader's buffer and is valid inside the call
 * only, so the channel is resolved at once, and a message is handled when its body is there.
 */
#include "arda/bus/internal.h"

#include "base/mem.h"

#include <string.h>

#define FEED_BYTES   16384 /* hiredis moves what is left of a feed after each reply */
#define MAX_ELEMENTS 16    /* of a push; Redis has three or four */

#if HIREDIS_MAJOR >= 1
typedef size_t count_type;
#else
typedef int count_type;
#endif

/* Not NULL, which would mean that there is no memory. */
static char something;

static int note(struct arda_bus *bus, int argc, const char *const *argv)
{
    bool subscribes = strcmp(argv[0], "SUBSCRIBE") == 0;
    size_t len = 0;
    for (int i = 1; i < argc && subscribes; i++)
        len += strlen(argv[i]) + 1;
    struct bus_asked *asked = base_malloc(sizeof *asked + len);
    if (!asked)
        return BASE_ERR_NOMEM;
    *asked = (struct bus_asked){.number = ++bus->asked_number,
                                .replies_left = argc > 1 ? (unsigned)argc - 1 : 1,
                                .count = subscribes ? (size_t)argc - 1 : 0};
    char *name = asked->names;
    for (int i = 1; i < argc && subscribes; i++)
        name = stpcpy(name, argv[i]) + 1;
    base_list_append(&bus->asked, &asked->link);
    return BASE_OK;
}

int arda_bus_reader_ask(struct arda_bus *bus, int argc, const char *const *argv)
{
    struct base_buf *out = arda_redis_conn_out(bus->subscriber);
    size_t before = out->len;
    int failed = arda_redis_format(out, argc, argv, NULL);
    if (!failed && (failed = note(bus, argc, argv)) < 0)
        out->len = before;
    return failed;
}

static struct bus_asked *oldest(struct arda_bus *bus)
{
    return base_list_empty(&bus->asked) ? NULL
                                        : base_container(bus->asked.next, struct bus_asked, link);
}

/* An answer to the oldest command; an error is the only one it gets. The command's number. */
static uint64_t answered(struct arda_bus *bus, const char *error)
{
    struct bus_asked *asked = oldest(bus);
    if (!asked)
        return 0;
    uint64_t number = asked->number;
    if (--asked->replies_left > 0 && !error)
        return number;
    base_list_remove(&asked->link);
    if (error && asked->count > 0)
        arda_bus_channels_refused(bus, asked, error);
    base_free(asked);
    return number;
}

static void take_error(struct arda_bus *bus, const char *text, size_t len)
{
    char copy[128];
    struct base_why why;
    size_t keep = len < sizeof copy - 1 ? len : sizeof copy - 1;
    memcpy(copy, text, keep);
    copy[keep] = '\0';
    if (strncmp(copy, "NOAUTH ", 7) == 0) { /* let in once, and not any more: to be greeted again */
        base_why_set(&why, BASE_ERR_AGAIN, "%s", copy);
        arda_redis_conn_leave(bus->subscriber, &why);
    }
    answered(bus, copy);
}

static void *on_string(const redisReadTask *task, char *text, size_t len)
{
    struct arda_bus *bus = task->privdata;
    if (!task->parent) {
        if (task->type == REDIS_REPLY_ERROR)
            take_error(bus, text, len);
        else
            answered(bus, NULL); /* PONG while nothing is subscribed */
    } else if (task->idx == 0) {
        bus->push_kind = len > 0 ? *text : '\0';
        if (bus->push_kind == 'p') /* pong */
            answered(bus, NULL);
    } else if (task->idx == 1) {
        bus->reading = arda_bus_find_channel(bus, text, len);
    } else if (task->idx == 2 && bus->push_kind == 'm' && bus->reading) {
        arda_bus_channel_message(bus->reading, text, len);
    }
    return &something;
}

static void *on_array(const redisReadTask *task, count_type count)
{
    struct arda_bus *bus = task->privdata;
    if (count > MAX_ELEMENTS)
        return NULL;
    if (!task->parent)
        bus->reading = NULL;
    return &something;
}

/* The number of subscriptions, which ends the answer to SUBSCRIBE and UNSUBSCRIBE. */
static void *on_integer(const redisReadTask *task, long long value)
{
    (void)value;
    struct arda_bus *bus = task->privdata;
    if (task->parent && task->idx == 2) {
        uint64_t number = answered(bus, NULL);
        /* A channel may have been given up and asked for again meanwhile. */
        if (bus->push_kind == 's' && bus->reading && bus->reading->asked == number)
            arda_bus_channel_standing(bus->reading, true);
    }
    return &something;
}

static void *on_nil(const redisReadTask *task)
{
    struct arda_bus *bus = task->privdata;
    if (!task->parent)
        answered(bus, NULL);
    return &something;
}

static void free_nothing(void *object)
{
    (void)object;
}

int arda_bus_reader_start(struct arda_bus *bus)
{
    static redisReplyObjectFunctions functions = {
        .createString = on_string,
        .createArray = on_array,
        .createInteger = on_integer,
        .createNil = on_nil,
        .freeObject = free_nothing,
    };
    return arda_reply_reader_open(&bus->push_reader, &functions, bus);
}

void arda_bus_reader_stop(struct arda_bus *bus)
{
    arda_reply_reader_close(&bus->push_reader);
    bus->reading = NULL;
    BASE_LIST_FOREACH_SAFE (link, &bus->asked) {
        base_list_remove(link);
        base_free(base_container(link, struct bus_asked, link));
    }
}

int arda_bus_reader_bytes(struct arda_bus *bus, const char *bytes, size_t len)
{
    /* A handler may end the bus, whose reader then stays until the loop is out of here. */
    while (len > 0 && !bus->closing) {
        size_t step = len < FEED_BYTES ? len : FEED_BYTES;
        int failed = arda_reply_reader_feed(&bus->push_reader, bytes, step);
        void *reply = NULL;
        do {
            if (!failed)
                failed = arda_reply_reader_next(&bus->push_reader, &reply);
            if (failed)
                return failed;
        } while (reply && !bus->closing);
        bytes += step;
        len -= step;
    }
    return BASE_OK;
}
