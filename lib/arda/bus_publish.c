/* SPDX-License-Identifier: ISC
 *
 * A publication is one MULTI of two PUBLISH and an XADD, so that a live event is never missing in
 * the log. Redis answers OK, QUEUED for each, and the array of EXEC; an error may be in any of them
 * and in any element of the array.
 */
#include "arda/bus_internal.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MAX_LEN 10000

static int add_text(struct base_buf *out, const char *text)
{
    return arda_redis_add_argument(out, text, strlen(text));
}

static int add_slice(struct base_buf *out, struct base_slice slice)
{
    return arda_redis_add_argument(out, slice.data, slice.len);
}

static int add_publish(struct base_buf *out, const char *channel, size_t channel_len,
                       struct base_slice message)
{
    int failed = base_buf_add(out, "*3\r\n$7\r\nPUBLISH\r\n", 17);
    failed |= arda_redis_add_argument(out, channel, channel_len);
    return failed | add_slice(out, message);
}

uint64_t bus_stream_bound(const struct arda_publication *publication)
{
    return publication->max_len ? publication->max_len : DEFAULT_MAX_LEN;
}

static int add_entry(struct base_buf *out, const char *key, size_t key_len,
                     const struct arda_publication *publication)
{
    char max_len[24];
    snprintf(max_len, sizeof max_len, "%llu", (unsigned long long)bus_stream_bound(publication));
    int failed = base_buf_add(out, "*14\r\n$4\r\nXADD\r\n", 15);
    failed |= arda_redis_add_argument(out, key, key_len);
    failed |= base_buf_add(out, "$6\r\nMAXLEN\r\n$1\r\n~\r\n", 19);
    failed |= add_text(out, max_len);
    failed |= base_buf_add(out, "$1\r\n*\r\n$8\r\nenvelope\r\n", 21);
    failed |= add_slice(out, publication->envelope);
    failed |= add_text(out, "type") | add_slice(out, publication->type);
    failed |= add_text(out, "source") | add_slice(out, publication->source);
    return failed | add_text(out, "timestamp") | add_slice(out, publication->timestamp);
}

/* The commands; how many answers they will have is the result, or negative. */
static int add_step(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    char key[ARDA_KEY_MAX];
    size_t len = arda_key(key, bus->prefix, "events", "global", 6);
    if (publication->tenant.len == 0)
        return add_publish(out, key, len, publication->message) ? BASE_ERR_NOMEM : 1;
    const char *tenant = publication->tenant.data;
    size_t tenant_len = publication->tenant.len;
    int failed = base_buf_add(out, "*1\r\n$5\r\nMULTI\r\n", 15);
    failed |= add_publish(out, key, len, publication->message);
    len = arda_key(key, bus->prefix, "events", tenant, tenant_len);
    failed |= add_publish(out, key, len, publication->message);
    if (publication->envelope.len > 0) {
        len = arda_key(key, bus->prefix, "stream", tenant, tenant_len);
        failed |= add_entry(out, key, len, publication);
    }
    failed |= base_buf_add(out, "*1\r\n$4\r\nEXEC\r\n", 14);
    if (failed)
        return BASE_ERR_NOMEM;
    return publication->envelope.len > 0 ? 5 : 4;
}

int arda_bus_publish(struct arda_bus *bus, const struct arda_publication *publication,
                     arda_published_fn done, void *data)
{
    if (!arda_redis_conn_is_up(bus->commands))
        return BASE_ERR_UNAVAILABLE;
    if (publication->tenant.len > 0 &&
        !arda_tenant_valid(publication->tenant.data, publication->tenant.len))
        return BASE_ERR_INVALID;
    if (bus_needs_script(publication))
        return bus_script_send(bus, publication, done, data);
    struct base_buf *out = arda_redis_conn_out(bus->commands);
    size_t before = out->len;
    int replies = add_step(bus, out, publication);
    struct bus_waiting waiting = {.kind = WAIT_PUBLISHED,
                                  .replies_left = (unsigned)replies,
                                  .on_published = done,
                                  .data = data};
    if (replies < 0 || bus_add_waiting(bus, &waiting) < 0) {
        out->len = before;
        return BASE_ERR_NOMEM;
    }
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}

size_t arda_bus_pending(const struct arda_bus *bus)
{
    return bus->publications;
}

void bus_publish_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                       const redisReply *reply)
{
    const char *stream_id = NULL;
    if (waiting->script) {
        bus_script_reply(bus, waiting, reply);
        return;
    }
    size_t elements = reply->type == REDIS_REPLY_ARRAY ? (size_t)reply->elements : 0;
    if (elements == 3 && reply->element[2]->type == REDIS_REPLY_STRING)
        stream_id = reply->element[2]->str;
    if (!bus->step_error[0]) {
        bus->stats.published++;
        waiting->on_published(waiting->data, ARDA_PUBLISHED, stream_id, NULL);
        return;
    }
    struct base_why why;
    int code = bus_error(bus, bus->step_error, &why);
    bus->step_error[0] = '\0';
    waiting->on_published(waiting->data, code, stream_id, &why);
}
