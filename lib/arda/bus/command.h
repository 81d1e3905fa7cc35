/* SPDX-License-Identifier: ISC
 *
 * command: commands of Redis for the other parts of libarda, on the bus's connection for commands.
 * Not installed: answers are hiredis's. Threads: the loop's.
 */
#ifndef ARDA_BUS_COMMAND_H
#define ARDA_BUS_COMMAND_H

#include "arda/bus.h"
#include "arda/bus/reply.h"

struct arda_script;

/* `reply` is NULL when `result` is not 0 (BASE_ERR_UNAVAILABLE: not sent, BASE_ERR_CLOSED: answer
 * lost); an error reply of Redis is a reply. Borrowed for the call. */
typedef void (*arda_reply_fn)(void *data, int result, const struct redisReply *reply);

/* Sends a command of `argc` words, which are copied; `lens` NULL: they end with NUL. `done` is
 * called once, later, unless this returns other than 0: BASE_ERR_UNAVAILABLE while Redis is away,
 * BASE_ERR_NOMEM. */
int arda_bus_command(struct arda_bus *bus, int argc, const char *const *argv, const size_t *lens,
                     arda_reply_fn done, void *data);

/* Commands of a step. Zeroed: none. `bytes` is the owner's to free. */
struct bus_commands {
    struct base_buf bytes;
    unsigned count;
    const struct arda_script *given[4]; /* scripts whose text is among them */
    size_t given_count;
};

/* Sends MULTI, these commands, and EXEC. `done` is given the array of EXEC's replies, none of which
 * is an error, or the first error of all as a reply. Returns as arda_bus_command. */
int arda_bus_step(struct arda_bus *bus, const struct bus_commands *commands, arda_reply_fn done,
                  void *data);

/* Appends a call without keys to the commands of a step; its `words` are to follow. Errors as
 * arda_bus_call_begin. */
int arda_bus_step_call(struct bus_commands *commands, struct arda_bus *bus,
                       const struct arda_script *script, size_t words);

/* The code that belongs to an error of Redis, with its text (may be NULL): 0 for a reply that is
 * none; BASE_ERR_AGAIN when trying later helps, BASE_ERR_DENIED, BASE_ERR_INTERNAL. */
int arda_bus_reply_error(const struct arda_bus *bus, const redisReply *reply, struct base_why *why);

#endif
