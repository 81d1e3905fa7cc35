/* SPDX-License-Identifier: ISC
 *
 * script: a step that Redis does as a whole, as a Lua script of ours.
 *
 * Redis is given the text of a script once per connection and called by its hash; a script that it
 * has forgotten meanwhile is sent again (call.c). Scripts name their keys from their arguments,
 * since no installation here is a cluster. A script that fails half way keeps what it has written,
 * so each is made to be called again. Threads: the loop's.
 */
#ifndef ARDA_BUS_SCRIPT_H
#define ARDA_BUS_SCRIPT_H

#include "arda/bus/command.h"

/* A script, which embed.awk makes of NAME.lua: `ARDA_SCRIPT(NAME);` declares it as
 * arda_NAME_script. */
struct arda_script {
    const char *text;
    size_t len;
};

#define ARDA_SCRIPT(name) extern const struct arda_script arda_##name##_script

#define ARDA_SCRIPT_MAX_ARGS 4096

/* Calls it with `argc` values of ARGV, at most ARDA_SCRIPT_MAX_ARGS, which are copied; `lens` NULL:
 * they end with NUL. `done` gets what the script returns, or its error, as arda_bus_command does.
 * Calls are done in the order in which they were given, also if Redis has forgotten the script;
 * only a plain command that was sent before this showed is then done earlier. Returns 0;
 * BASE_ERR_UNAVAILABLE, BASE_ERR_NOMEM, BASE_ERR_LIMIT, BASE_ERR_INTERNAL, and then `done` is not
 * called. */
int arda_script_call(struct arda_bus *bus, const struct arda_script *script, int argc,
                     const char *const *argv, const size_t *lens, arda_reply_fn done, void *data);

/* The code that belongs to a failed call or an error of Redis, with its text (may be NULL): 0 for
 * an answer; BASE_ERR_CLOSED, the answer was lost; BASE_ERR_AGAIN, Redis cannot just now;
 * BASE_ERR_DENIED; BASE_ERR_INTERNAL. */
int arda_script_error(const struct arda_bus *bus, int result, const struct redisReply *reply,
                      struct base_why *why);

#endif
