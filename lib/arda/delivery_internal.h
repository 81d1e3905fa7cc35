/* SPDX-License-Identifier: ISC
 *
 * delivery_internal: deliveries as their own files see them. Nobody else includes this.
 *
 *     delivery.c         names, and the calls whose answer says little
 *     delivery_claim.c   what is due, and the script that gives it under a lease
 *     delivery_parse.c   the answer of that script
 *     delivery_settle.c  the end of an attempt, and what it says of an endpoint
 *     delivery_hold.c    giving back, putting off, digests
 *     delivery_alert.c   endpoints that were disabled, and how it all stands
 *     delivery_attend.c  which channels daemons attend to
 */
#ifndef ARDA_DELIVERY_INTERNAL_H
#define ARDA_DELIVERY_INTERNAL_H

#include "arda/bus_internal.h"
#include "arda/delivery.h"
#include "arda/script.h"
#include "base/rfc3339.h"

/* What scripts begin with. ARGV[1] is the prefix of all keys. A lane stands in PREFIX:due with the
 * moment of its first delivery; `rescore` brings that up to date. `endpoint_of` gives the key of
 * what is known of a tenant's endpoint, having forgotten that if it is of another URL or secret, or
 * if a disabled one was enabled again, and the mark to write there, and the URL. */
#define DELIVERY_LUA                                                                               \
    "local call = redis.call\n"                                                                    \
    "local function key(family, tenant) return ARGV[1] .. ':' .. family .. ':' .. tenant end\n"    \
    "local function rescore(lane)\n"                                                               \
    "  local first = call('ZRANGE', key('due', lane), 0, 0, 'WITHSCORES')\n"                       \
    "  if #first == 0 then call('ZREM', ARGV[1] .. ':due', lane)\n"                                \
    "  else call('ZADD', ARGV[1] .. ':due', first[2], lane) end\n"                                 \
    "end\n"                                                                                        \
    "local function endpoint_of(tenant)\n"                                                         \
    "  local hook = call('HMGET', key('webhook', tenant), 'url', 'secret', 'enabled')\n"           \
    "  local mark = redis.sha1hex((hook[1] or '') .. '\\n' .. (hook[2] or ''))\n"                  \
    "  local endpoint = key('endpoint', tenant)\n"                                                 \
    "  local known = call('HMGET', endpoint, 'mark', 'disabledAt')\n"                              \
    "  if (known[1] and known[1] ~= mark) or (known[2] and hook[3] == '1') then\n"                 \
    "    call('DEL', endpoint)\n"                                                                  \
    "  end\n"                                                                                      \
    "  return endpoint, mark, hook[1]\n"                                                           \
    "end\n"

/* Whether no daemon attends to a channel. */
#define DELIVERY_ATTENDED_LUA                                                                      \
    "local function is_unattended(channel)\n"                                                      \
    "  return redis.call('EXISTS', ARGV[1] .. ':attended:' .. channel) == 0\n"                     \
    "end\n"

#define DELIVERY_MS_LEN 24 /* room for a moment in digits */

/* Digits. */
void delivery_ms(int64_t ms, char out[static DELIVERY_MS_LEN]);

/* A script whose answer is two numbers, late and disabled, or an error; `argv` as
 * arda_script_call. */
int delivery_change(struct arda_bus *bus, struct arda_script *script, int argc,
                    const char *const *argv, arda_delivery_settle_fn done, void *data);

/* The claimed delivery in an element of the claim's answer. BASE_ERR_NOMEM; BASE_ERR_SYNTAX: it
 * makes no sense. */
int delivery_parse(const struct redisReply *reply, const char *lease, struct arda_delivery **out);

#endif
