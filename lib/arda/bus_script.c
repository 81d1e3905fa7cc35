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

#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

#define SHA1_HEX 40

/* KEYS: the mark, the stream. ARGV: how long the mark stays in milliseconds, the global channel,
 * the tenant's channel or "", the bound of the stream, and of the publication: the message, the
 * envelope or "", type, source, timestamp.
 *
 * The answer is the id of the entry, or "" without one; of a duplicate, an array that holds what
 * the mark tells of the first. What may be refused for want of memory comes before what cannot be
 * taken back, and an error leaves neither entry nor mark behind. */
static const char script[] =
    "local mark, stream, done = KEYS[1], KEYS[2], ''\n"
    "local first = redis.call('GET', mark)\n"
    "if first then return {first} end\n"
    "local function failed(answer) return type(answer) == 'table' and answer.err end\n"
    "local function undo(answer)\n"
    "  redis.call('DEL', mark)\n"
    "  if done ~= '' then redis.call('XDEL', stream, done) end\n"
    "  return answer\n"
    "end\n"
    "if ARGV[6] ~= '' then\n"
    "  local id = redis.pcall('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'envelope', ARGV[6],\n"
    "    'type', ARGV[7], 'source', ARGV[8], 'timestamp', ARGV[9])\n"
    "  if failed(id) then return id end\n"
    "  done = id\n"
    "end\n"
    "local marked = redis.pcall('SET', mark, done, 'PX', ARGV[1])\n"
    "if failed(marked) then return undo(marked) end\n"
    "for channel = 2, 3 do\n"
    "  if ARGV[channel] ~= '' then\n"
    "    local heard = redis.pcall('PUBLISH', ARGV[channel], ARGV[5])\n"
    "    if failed(heard) then return undo(heard) end\n"
    "  end\n"
    "end\n"
    "return done\n";

/* ---- asking ---- */

bool bus_needs_script(const struct arda_publication *publication)
{
    return publication->dedupe_for_ms > 0;
}

static int name_script(char hex[static SHA1_HEX + 1])
{
    uint8_t digest[BASE_SHA1_LEN];
    if (base_crypto_sha1(script, sizeof script - 1, digest) < 0)
        return BASE_ERR_INTERNAL;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return BASE_OK;
}

static int load(struct arda_bus *bus, struct base_buf *out)
{
    static const char *const argv[] = {"SCRIPT", "LOAD", script};
    struct bus_waiting nobody = {.kind = WAIT_NOBODY, .replies_left = 1};
    size_t before = out->len;
    if (bus->script_loaded)
        return BASE_OK;
    int failed = arda_redis_format(out, 3, argv, NULL);
    if (!failed && (failed = bus_add_waiting(bus, &nobody)) < 0)
        out->len = before;
    bus->script_loaded = !failed;
    return failed;
}

static int add_slice(struct base_buf *out, struct base_slice slice)
{
    return arda_redis_add_argument(out, slice.data, slice.len);
}

static int add_number(struct base_buf *out, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    return arda_redis_add_argument(out, digits, (size_t)len);
}

static int add_keys(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    char mark[ARDA_MARK_KEY_MAX], stream[ARDA_KEY_MAX];
    struct base_slice tenant = publication->tenant, id = publication->event_id;
    size_t len = arda_mark_key(mark, bus->prefix, tenant.data, tenant.len, id.data, id.len);
    int failed = arda_redis_add_argument(out, mark, len);
    len = arda_key(stream, bus->prefix, "stream", tenant.len ? tenant.data : "global",
                   tenant.len ? tenant.len : 6);
    return failed | arda_redis_add_argument(out, stream, len);
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

static int add_call(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    static const struct base_slice none = {NULL, 0};
    char hex[SHA1_HEX + 1];
    if (name_script(hex) < 0)
        return BASE_ERR_INTERNAL;
    size_t before = out->len;
    int failed = base_buf_add_text(out, "*14\r\n$7\r\nEVALSHA\r\n");
    failed |= arda_redis_add_argument(out, hex, SHA1_HEX) | add_number(out, 2);
    failed |= add_keys(bus, out, publication) | add_number(out, publication->dedupe_for_ms);
    failed |= add_channels(bus, out, publication->tenant);
    failed |= add_number(out, bus_stream_bound(publication));
    failed |= add_slice(out, publication->message);
    failed |= add_slice(out, publication->tenant.len > 0 ? publication->envelope : none);
    failed |= add_slice(out, publication->type) | add_slice(out, publication->source);
    failed |= add_slice(out, publication->timestamp);
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
    if (!arda_id_valid(publication->event_id.data, publication->event_id.len))
        return BASE_ERR_INVALID;
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
