/* SPDX-License-Identifier: ISC
 *
 * script: a step that Redis does as a whole, as a Lua script of ours.
 *
 * A script is called by the hash of its text, and sent in full when Redis does not know it: at
 * first, after a restart, after SCRIPT FLUSH. Scripts name their keys from their arguments, since
 * no installation here is a cluster. A script that fails half way keeps what it has written, so
 * each is made to be called again. Threads: the loop's.
 */
#ifndef ARDA_SCRIPT_H
#define ARDA_SCRIPT_H

#include "arda/bus.h"

/* A script, which embed.awk makes of NAME.lua: `ARDA_SCRIPT(NAME);` declares it as NAME_script. */
struct arda_script {
    const char *text;
    size_t len;
    char sha1[41]; /* empty until the first call */
};

#define ARDA_SCRIPT(name) extern struct arda_script name##_script

#define ARDA_SCRIPT_MAX_ARGS 4096

/* Calls it with `argc` values of ARGV, at most ARDA_SCRIPT_MAX_ARGS, which are copied; `lens` NULL:
 * they end with NUL. `done` gets what the script returns, or its error, as arda_bus_command does.
 * A call that had to send the text is done after commands that were given behind it. Returns 0;
 * BASE_ERR_UNAVAILABLE, BASE_ERR_NOMEM, BASE_ERR_LIMIT, BASE_ERR_INTERNAL, and then `done` is not
 * called. */
int arda_script_call(struct arda_bus *bus, struct arda_script *script, int argc,
                     const char *const *argv, const size_t *lens, arda_reply_fn done, void *data);

/* The code that belongs to a failed call or an error of Redis, with its text (may be NULL): 0 for
 * an answer; BASE_ERR_CLOSED, the answer was lost; BASE_ERR_AGAIN, Redis cannot just now;
 * BASE_ERR_DENIED; BASE_ERR_INTERNAL. */
int arda_script_error(const struct arda_bus *bus, int result, const struct redisReply *reply,
                      struct base_why *why);

#endif
