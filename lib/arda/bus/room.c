/* SPDX-License-Identifier: ISC
 *
 * How much Redis keeps for a subscriber that reads slowly (client-output-buffer-limit of class
 * pubsub, "pubsub HARD SOFT SECONDS"): past HARD bytes it closes the connection, and whatever was
 * on the way to any tenant is lost. One event is there twice for who subscribes both of its
 * channels.
 */
#include "arda/bus/internal.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct arda_bus *bus;
    size_t event_bytes;
};

/* HARD of the class; 0: there is none, or it cannot be read. */
static unsigned long long find_hard(const char *text)
{
    const char *class = strstr(text, "pubsub ");
    if (!class)
        return 0;
    errno = 0;
    unsigned long long hard = strtoull(class + sizeof "pubsub " - 1, NULL, 10);
    return errno ? 0 : hard;
}

static void judge(const struct question *question, unsigned long long hard)
{
    if (hard == 0 || question->event_bytes <= hard / 2)
        return;
    base_log(BASE_LOG_WARNING,
             "redis %s: client-output-buffer-limit pubsub is %llu bytes, less than twice "
             "--max-event=%zu: such an event ends the subscription",
             question->bus->url.name, hard, question->event_bytes);
}

static void on_answer(void *data, int result, const redisReply *reply)
{
    struct question *question = data;
    bool is_pair = !result && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                   reply->element[1]->type == REDIS_REPLY_STRING;
    if (is_pair)
        judge(question, find_hard(reply->element[1]->str));
    else if (!result)
        base_log(BASE_LOG_DEBUG, "redis %s: what it keeps for a subscriber is not known: %s",
                 question->bus->url.name,
                 reply->type == REDIS_REPLY_ERROR ? reply->str : "no such setting");
    base_free(question);
}

void arda_bus_check_room(struct arda_bus *bus, size_t event_bytes)
{
    static const char *const argv[] = {"CONFIG", "GET", "client-output-buffer-limit"};
    struct question *question = base_malloc(sizeof *question);
    if (!question)
        return;
    *question = (struct question){bus, event_bytes};
    if (arda_bus_command(bus, 3, argv, NULL, on_answer, question) < 0)
        base_free(question);
}
