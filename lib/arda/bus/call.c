/* SPDX-License-Identifier: ISC
 *
 * Calls of scripts on the connection for commands.
 *
 * Happy path: the first call of a script on a connection is preceded by SCRIPT LOAD; each is an
 * EVALSHA in the order it was given, pipelined like any command.
 *
 * Redis may have forgotten the script meanwhile (SCRIPT FLUSH), or a user may not load any. Then
 * the answer is NOSCRIPT, nothing has been done, and the call is sent again as an EVAL with the
 * text, which Redis cannot refuse so. The calls that are under way behind it meet the same answer
 * and follow in their order. What is given meanwhile is held back until the last one of them has
 * been answered, so it stays behind them. Only a plain command that was on its way already is done
 * before a call that it had followed.
 *
 *     on the way:  call 1, call 2, GET      answers:  NOSCRIPT, NOSCRIPT, 7
 *     sent again:                           call 1, call 2
 *     held back:                                             what was given since the first
 * NOSCRIPT
 *
 * For that the bytes of calls are kept until they are answered, one after the other in `calls`.
 * Inside a MULTI nothing could be sent again, so there the first call of a script is an EVAL.
 */
#include "arda/bus/internal.h"

#include "base/crypto.h"
#include "base/mem.h"

#include <string.h>

#define SHA1_LEN     40
#define KEPT_SLACK   65536 /* answered bytes that may stand before those that are kept */
#define EVALSHA_LEN  60    /* of "$7 EVALSHA $40 ...", which follows the header of a call */
#define EVALSHA_HEAD "$7\r\nEVALSHA\r\n$40\r\n"

/* ---- scripts ---- */

struct bus_script {
    const struct arda_script *script;
    char sha1[SHA1_LEN + 1];
    bool loaded; /* this connection has been given it */
};

static int name_script(struct bus_script *known)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[BASE_SHA1_LEN];
    if (base_crypto_sha1(known->script->text, known->script->len, hash) < 0)
        return BASE_ERR_INTERNAL;
    for (size_t i = 0; i < sizeof hash; i++) {
        known->sha1[2 * i] = hex[hash[i] >> 4];
        known->sha1[2 * i + 1] = hex[hash[i] & 15];
    }
    return BASE_OK;
}

/* A few scripts at most, so they are looked for one by one. */
static int find_script(struct arda_bus *bus, const struct arda_script *script,
                       struct bus_script **out)
{
    struct bus_script *scripts = bus->scripts;
    for (size_t i = 0; i < bus->script_count; i++)
        if (scripts[i].script == script) {
            *out = &scripts[i];
            return BASE_OK;
        }
    size_t bytes = (bus->script_count + 1) * sizeof *scripts;
    scripts = scripts ? base_realloc(scripts, bytes) : base_malloc(bytes);
    if (!scripts)
        return BASE_ERR_NOMEM;
    bus->scripts = scripts;
    *out = &scripts[bus->script_count];
    **out = (struct bus_script){.script = script};
    int failed = name_script(*out);
    bus->script_count += !failed;
    return failed;
}

static int load(struct arda_bus *bus, struct bus_script *known)
{
    const char *const argv[] = {"SCRIPT", "LOAD", known->script->text};
    const size_t lens[] = {6, 4, known->script->len};
    const struct bus_waiting nobody = {.kind = WAIT_NOBODY, .replies_left = 1};
    struct base_buf *out = arda_bus_out(bus);
    size_t before = out->len;
    if (known->loaded)
        return BASE_OK;
    int failed = arda_redis_format(out, 3, argv, lens);
    if (!failed && (failed = arda_bus_add_waiting(bus, &nobody)) < 0)
        out->len = before;
    known->loaded = !failed;
    return failed;
}

void arda_bus_calls_up(struct arda_bus *bus)
{
    for (size_t i = 0; i < bus->script_count; i++)
        bus->scripts[i].loaded = false;
}

/* ---- calls ---- */

int arda_bus_call_begin(struct arda_bus *bus, const struct arda_script *script, unsigned keys,
                        size_t words, struct bus_call *call)
{
    struct bus_script *known;
    int failed = find_script(bus, script, &known);
    if (!failed)
        failed = load(bus, known);
    if (failed)
        return failed;
    *call = (struct bus_call){bus, script, arda_bus_out(bus), arda_bus_out(bus)->len, BASE_OK};
    call->failed = arda_redis_add_header(call->out, words + 3) |
                   base_buf_add(call->out, EVALSHA_HEAD, sizeof EVALSHA_HEAD - 1) |
                   base_buf_add(call->out, known->sha1, SHA1_LEN) |
                   base_buf_add(call->out, "\r\n", 2) | arda_redis_add_number(call->out, keys);
    return BASE_OK;
}

/* Keeps the bytes of a call until it is answered. */
static int keep(struct arda_bus *bus, const char *bytes, size_t len)
{
    if (bus->calls_answered == bus->calls.len)
        bus->calls.len = bus->calls_answered = 0;
    if (bus->calls_answered > KEPT_SLACK && bus->calls_answered > bus->calls.len / 2) {
        base_buf_consume(&bus->calls, bus->calls_answered);
        bus->calls_answered = 0;
    }
    return base_buf_add(&bus->calls, bytes, len);
}

int arda_bus_call_end(struct bus_call *call, const struct bus_waiting *who)
{
    struct arda_bus *bus = call->bus;
    struct bus_waiting waiting = *who;
    bool kept = false;
    waiting.script = call->script;
    waiting.kept = call->out->len - call->start;
    if (!call->failed && bus->overtaken == 0) {
        call->failed = keep(bus, call->out->data + call->start, waiting.kept);
        kept = !call->failed;
    }
    if (!call->failed)
        call->failed = arda_bus_add_waiting(bus, &waiting);
    /* Even after a failure SCRIPT LOAD may stand there. */
    arda_redis_conn_touch(bus->commands);
    if (!call->failed)
        return BASE_OK;
    if (kept)
        bus->calls.len -= waiting.kept;
    call->out->len = call->start;
    return BASE_ERR_NOMEM;
}

/* ---- the answer NOSCRIPT ---- */

/* The call as an EVAL: header, text, and what follows the hash. */
static int send_again(struct arda_bus *bus, struct bus_waiting waiting, const char *bytes)
{
    struct base_buf *out = arda_redis_conn_out(bus->commands);
    const char *end = memchr(bytes, '\n', waiting.kept);
    size_t before = out->len, head = (size_t)(end + 1 - bytes), skipped = head + EVALSHA_LEN;
    int failed = base_buf_add(out, bytes, head) | arda_redis_add_argument(out, "EVAL", 4) |
                 arda_redis_add_argument(out, waiting.script->text, waiting.script->len) |
                 base_buf_add(out, bytes + skipped, waiting.kept - skipped);
    waiting.kept = 0;
    waiting.replies_left = 1;
    waiting.again = true;
    if (!failed)
        failed = arda_bus_ring_add(&bus->sent, &waiting);
    if (failed) {
        out->len = before;
        return failed;
    }
    bus->publications += waiting.kind == WAIT_PUBLISHED;
    bus->sent_again++;
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}

bool arda_bus_call_answered(struct arda_bus *bus, const struct bus_waiting *waiting,
                            const redisReply *reply)
{
    bus->sent_again -= waiting->again;
    if (waiting->kept == 0)
        return true;
    const char *bytes = bus->calls.data + bus->calls_answered;
    bus->calls_answered += waiting->kept;
    if (reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOSCRIPT", 8) != 0)
        return true;
    if (bus->overtaken == 0)
        bus->overtaken = bus->sent.count + 1; /* with this one */
    /* Out of memory: whoever waits gets the error, which passes. */
    return send_again(bus, *waiting, bytes) < 0;
}

/* Sends what was held back. */
static void release(struct arda_bus *bus)
{
    struct base_buf *out = arda_redis_conn_out(bus->commands);
    const char *bytes = bus->held_out.data;
    if (base_buf_reserve(out, bus->held_out.len) |
        base_buf_reserve(&bus->calls, bus->held_out.len) |
        arda_bus_ring_reserve(&bus->sent, bus->held.count)) {
        struct base_why why;
        base_why_set(&why, BASE_ERR_UNAVAILABLE, "redis %s: out of memory", bus->url.name);
        arda_redis_conn_leave(bus->commands, &why); /* all that is held back is lost with it */
        return;
    }
    while (bus->held.count > 0) { /* there is room */
        struct bus_waiting waiting = arda_bus_ring_take(&bus->held);
        base_buf_add(out, bytes, waiting.held);
        if (waiting.kept > 0)
            keep(bus, bytes, waiting.kept);
        bytes += waiting.held;
        arda_bus_ring_add(&bus->sent, &waiting);
    }
    bus->held_out.len = bus->held_len = 0;
    arda_redis_conn_touch(bus->commands);
}

void arda_bus_call_passed(struct arda_bus *bus)
{
    if (bus->overtaken > 0 && --bus->overtaken == 0 && bus->held.count > 0)
        release(bus);
}

void arda_bus_calls_lost(struct arda_bus *bus)
{
    bus->calls.len = bus->calls_answered = 0;
    bus->held_out.len = bus->held_len = 0;
    bus->overtaken = bus->sent_again = 0;
}

void arda_bus_calls_free(struct arda_bus *bus)
{
    base_free(bus->scripts);
    base_buf_fini(&bus->calls);
    base_buf_fini(&bus->held_out);
}

/* ---- in a step ---- */

int arda_bus_step_call(struct bus_commands *commands, struct arda_bus *bus,
                       const struct arda_script *script, size_t words)
{
    struct base_buf *out = &commands->bytes;
    struct bus_script *known;
    bool given = false;
    int failed = find_script(bus, script, &known);
    if (failed)
        return failed;
    for (size_t i = 0; i < commands->given_count; i++)
        given |= commands->given[i] == script;
    failed = arda_redis_add_header(out, words + 3);
    failed |= given ? arda_redis_add_argument(out, "EVALSHA", 7) |
                          arda_redis_add_argument(out, known->sha1, SHA1_LEN)
                    : arda_redis_add_argument(out, "EVAL", 4) |
                          arda_redis_add_argument(out, script->text, script->len);
    if (!given && commands->given_count < sizeof commands->given / sizeof commands->given[0])
        commands->given[commands->given_count++] = script;
    commands->count++;
    return failed | arda_redis_add_argument(out, "0", 1) ? BASE_ERR_NOMEM : BASE_OK;
}
