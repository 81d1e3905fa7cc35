/* SPDX-License-Identifier: ISC
 *
 * A publication that must not happen twice: a script looks at the event's mark, and only without
 * one appends, marks and publishes, all in one step.
 *
 * Redis forgets scripts when it restarts. So each connection gives it the script once, before the
 * first call; should it be forgotten in between, the call is refused with NOSCRIPT, which passes,
 * and the next one brings the script along.
 */
#include "arda/bus_internal.h"
#include "arda/script.h"

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT_NAME_LEN (sizeof((struct arda_bus *)0)->script_name - 1)

ARDA_SCRIPT(bus_publish_once);

#define FORM_ARGUMENTS 5

/* ---- asking ---- */

bool bus_needs_script(const struct arda_publication *publication)
{
    return publication->dedupe_for_ms > 0 && (publication->run.len == 0 || publication->again);
}

static int name_script(struct arda_bus *bus)
{
    uint8_t digest[BASE_SHA1_LEN];
    if (base_crypto_sha1(bus_publish_once_script.text, bus_publish_once_script.len, digest) < 0)
        return BASE_ERR_INTERNAL;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(bus->script_name + 2 * i, 3, "%02x", digest[i]);
    return BASE_OK;
}

static int load(struct arda_bus *bus, struct base_buf *out)
{
    const char *const argv[] = {"SCRIPT", "LOAD", bus_publish_once_script.text};
    struct bus_waiting nobody = {.kind = WAIT_NOBODY, .replies_left = 1};
    size_t before = out->len;
    if (bus->script_loaded)
        return BASE_OK;
    int failed = name_script(bus);
    if (!failed)
        failed = arda_redis_format(out, 3, argv, NULL);
    if (!failed && (failed = bus_add_waiting(bus, &nobody)) < 0)
        out->len = before;
    bus->script_loaded = !failed;
    return failed;
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
    len = arda_key(stream, bus->prefix, "stream", tenant.len > 0 ? tenant.data : "global",
                   tenant.len > 0 ? tenant.len : sizeof "global" - 1);
    failed |= arda_redis_add_argument(out, stream, len);
    failed |= run.len > 0 ? arda_redis_add_number(out, publication->number % ARDA_RUN_CHUNK)
                          : arda_redis_add_argument(out, "", 0);
    return failed | arda_redis_add_number(out, publication->dedupe_for_ms);
}

static int add_channels(struct arda_bus *bus, struct base_buf *out, struct base_slice tenant)
{
    char channel[ARDA_KEY_MAX];
    size_t len = arda_key(channel, bus->prefix, "events", "global", 6);
    int failed = arda_redis_add_argument(out, channel, len);
    if (tenant.len > 0)
        len = arda_key(channel, bus->prefix, "events", tenant.data, tenant.len);
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

static int add_call(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    size_t before = out->len, forms = publication->also ? 2 : 1;
    int failed = arda_redis_add_header(out, 10 + forms * FORM_ARGUMENTS);
    failed |= arda_redis_add_argument(out, "EVALSHA", 7);
    failed |= arda_redis_add_argument(out, bus->script_name, SCRIPT_NAME_LEN) |
              arda_redis_add_number(out, 2);
    failed |= add_keys(bus, out, publication);
    failed |= add_channels(bus, out, publication->tenant);
    failed |= arda_redis_add_number(out, bus_stream_bound(publication));
    failed |= add_form(out, publication);
    if (publication->also)
        failed |= add_form(out, publication->also);
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int bus_script_send(struct arda_bus *bus, const struct arda_publication *publication,
                    arda_published_fn done, void *data)
{
    struct base_buf *out = arda_redis_conn_out(bus->commands);
    struct bus_waiting waiting = {.kind = WAIT_PUBLISHED,
                                  .replies_left = 1,
                                  .script = true,
                                  .on_published = done,
                                  .data = data};
    int failed = load(bus, out);
    size_t before = out->len;
    if (!failed)
        failed = add_call(bus, out, publication);
    if (!failed && (failed = bus_add_waiting(bus, &waiting)) < 0)
        out->len = before;
    /* Even after a failure the script itself may stand there. */
    arda_redis_conn_touch(bus->commands);
    return failed;
}

/* ---- the answer ---- */

static const char *entry_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING && reply->len > 0 ? reply->str : NULL;
}

void bus_script_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                      const redisReply *reply)
{
    struct base_why why;
    int code = bus_reply_error(bus, reply, &why);
    bool duplicate = reply->type == REDIS_REPLY_ARRAY && reply->elements == 1;
    if (code == BASE_ERR_AGAIN && strncmp(reply->str, "NOSCRIPT", 8) == 0)
        bus->script_loaded = false;
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
