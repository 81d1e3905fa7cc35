/* SPDX-License-Identifier: ISC
 *
 * A publication that must not happen twice: a script looks at the event's mark, and only without
 * one appends, marks and publishes, all in one step.
 */
#include "arda/bus/internal.h"

#include <stdio.h>
#include <string.h>

ARDA_SCRIPT(bus_publish_once);

#define HEAD_WORDS 7 /* keys and arguments before the forms */
#define FORM_WORDS 5

/* ---- asking ---- */

bool arda_bus_needs_script(const struct arda_publication *publication)
{
    return publication->dedupe_for_ms > 0 && (publication->run.len == 0 || publication->again);
}

static int add_slice(struct base_buf *out, struct base_slice slice)
{
    return arda_redis_add_argument(out, slice.data, slice.len);
}

/* The mark, and where in it. */
static int add_keys(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    char mark[ARDA_MARK_KEY_MAX], stream[ARDA_KEY_MAX];
    struct base_slice tenant = publication->tenant, id = publication->event_id,
                      run = publication->run;
    size_t len = run.len > 0
                     ? arda_run_key(mark, bus->prefix, run.data, run.len, publication->number)
                     : arda_mark_key(mark, bus->prefix, tenant.data, tenant.len, id.data, id.len);
    int failed = arda_redis_add_argument(out, mark, len);
    len = arda_key(stream, bus->prefix, ARDA_KEY_STREAM, tenant.len > 0 ? tenant.data : "global",
                   tenant.len > 0 ? tenant.len : sizeof "global" - 1);
    failed |= arda_redis_add_argument(out, stream, len);
    failed |= run.len > 0 ? arda_redis_add_number(out, publication->number % ARDA_RUN_CHUNK)
                          : arda_redis_add_argument(out, "", 0);
    return failed | arda_redis_add_number(out, publication->dedupe_for_ms);
}

static int add_channels(struct arda_bus *bus, struct base_buf *out, struct base_slice tenant)
{
    char channel[ARDA_KEY_MAX];
    size_t len = arda_key(channel, bus->prefix, ARDA_KEY_EVENTS, "global", 6);
    int failed = arda_redis_add_argument(out, channel, len);
    if (tenant.len > 0)
        len = arda_key(channel, bus->prefix, ARDA_KEY_EVENTS, tenant.data, tenant.len);
    return failed | arda_redis_add_argument(out, channel, tenant.len > 0 ? len : 0);
}

static int add_form(struct base_buf *out, const struct arda_publication *publication)
{
    static const struct base_slice none = {NULL, 0};
    int failed = add_slice(out, publication->message);
    failed |= add_slice(out, publication->tenant.len > 0 ? publication->envelope : none);
    failed |= add_slice(out, publication->type) | add_slice(out, publication->source);
    return failed | add_slice(out, publication->timestamp);
}

int arda_bus_script_send(struct arda_bus *bus, const struct arda_publication *publication,
                         arda_published_fn done, void *data)
{
    const struct bus_waiting waiting = {
        .kind = WAIT_PUBLISHED, .replies_left = 1, .on_published = done, .data = data};
    size_t forms = publication->also ? 2 : 1;
    struct bus_call call;
    int failed = arda_bus_call_begin(bus, &arda_bus_publish_once_script, 2,
                                     HEAD_WORDS + forms * FORM_WORDS, &call);
    if (failed)
        return failed;
    call.failed |= add_keys(bus, call.out, publication);
    call.failed |= add_channels(bus, call.out, publication->tenant);
    call.failed |= arda_redis_add_number(call.out, arda_bus_stream_bound(publication));
    call.failed |= add_form(call.out, publication);
    if (publication->also)
        call.failed |= add_form(call.out, publication->also);
    return arda_bus_call_end(&call, &waiting);
}

/* ---- the answer ---- */

static const char *entry_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && reply->len > 0 ? reply->str : NULL;
}

void arda_bus_script_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                           const redisReply *reply)
{
    struct base_why why;
    int code = arda_bus_reply_error(bus, reply, &why);
    bool duplicate = reply->type == REDIS_REPLY_ARRAY && reply->elements == 1;
    if (!code && !duplicate && reply->type != REDIS_REPLY_STRING)
        code = base_why_set(&why, BASE_ERR_INTERNAL, "redis %s: a script gave no answer",
                            bus->url.name);
    if (code) {
        waiting->on_published(waiting->data, code, NULL, &why);
        return;
    }
    bus->stats.published += !duplicate;
    waiting->on_published(waiting->data, duplicate ? ARDA_DUPLICATE : ARDA_PUBLISHED,
                          entry_of(duplicate ? reply->element[0] : reply), NULL);
}
