/* SPDX-License-Identifier: ISC
 *
 * Several commands as one MULTI. Redis answers OK, QUEUED for each, and the array of EXEC; an error
 * may be in any of them and in any element of the array.
 */
#include "arda/bus/internal.h"

#include <stdio.h>

int arda_bus_step(struct arda_bus *bus, const struct bus_commands *commands, arda_reply_fn done,
                  void *data)
{
    if (!arda_redis_conn_is_up(bus->commands))
        return BASE_ERR_UNAVAILABLE;
    struct base_buf *out = arda_bus_out(bus);
    size_t before = out->len;
    struct bus_waiting waiting = {
        .kind = WAIT_STEP, .replies_left = commands->count + 2, .on_reply = done, .data = data};
    int failed = base_buf_add(out, "*1\r\n$5\r\nMULTI\r\n", 15);
    failed |= base_buf_add(out, commands->bytes.data, commands->bytes.len);
    failed |= base_buf_add(out, "*1\r\n$4\r\nEXEC\r\n", 14);
    if (failed || arda_bus_add_waiting(bus, &waiting) < 0) {
        out->len = before;
        return BASE_ERR_NOMEM;
    }
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}

void arda_bus_step_note(struct arda_bus *bus, const redisReply *reply)
{
    /* The first one tells the cause; EXECABORT only that there was one. */
    if (reply->type == REDIS_REPLY_ERROR && !bus->step_error[0])
        snprintf(bus->step_error, sizeof bus->step_error, "%s", reply->str);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            arda_bus_role_refusal(bus, reply->element[i]->str);
            arda_bus_step_note(bus, reply->element[i]);
        }
}

void arda_bus_step_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                         const redisReply *reply)
{
    redisReply error = {.type = REDIS_REPLY_ERROR};
    char text[sizeof bus->step_error];
    if (bus->step_error[0]) {
        error.len = (size_t)snprintf(text, sizeof text, "%s", bus->step_error);
        error.str = text;
        bus->step_error[0] = '\0';
        reply = &error;
    }
    waiting->on_reply(waiting->data, BASE_OK, reply);
}
