/* SPDX-License-Identifier: ISC
 *
 * redis_greeting: the first commands of a connection to Redis, and what their answers mean.
 *
 * AUTH where the URL has a password, CLIENT SETNAME where there is a name, SELECT, ROLE. AUTH and
 * SELECT have to succeed; the others may be refused. Threads: the loop's.
 */
#ifndef ARDA_BUS_REDIS_GREETING_H
#define ARDA_BUS_REDIS_GREETING_H

#include "arda/bus/redis_url.h"
#include "arda/bus/reply_reader.h"
#include "base/buf.h"

#include <stdbool.h>

/* What ROLE has answered. UNKNOWN: it may not be called, or the answer is none of Redis'. */
enum arda_redis_role { ARDA_REDIS_UNKNOWN, ARDA_REDIS_PRIMARY, ARDA_REDIS_REPLICA };

/* Zeroed: no greeting. */
struct arda_redis_greeting {
    struct reply_reader reader;
    unsigned sent, answered; /* commands */
    char commands[4];        /* their first letters, in order */
    enum arda_redis_role role;
};

/* Appends the commands to `out` and begins to read their answers. BASE_ERR_NOMEM. */
int arda_redis_greet(struct arda_redis_greeting *greeting, const struct arda_redis_url *url,
                     const char *name, struct base_buf *out);
/* Bytes of the server. 1: all was answered, and `role` is set; 0: more has to come. Negative, with
 * `why`: BASE_ERR_DENIED, the user, the password or a permission is wrong; BASE_ERR_CONFIG, there
 * is no such database; both do not pass by waiting. BASE_ERR_AGAIN: another refusal.
 * BASE_ERR_UNAVAILABLE: these are no answers of Redis. */
int arda_redis_greeting_take(struct arda_redis_greeting *greeting, const char *bytes, size_t len,
                             struct base_why *why);
/* Frees what it owns and zeroes it. */
void arda_redis_greeting_fini(struct arda_redis_greeting *greeting);

/* The role in an answer to ROLE. */
enum arda_redis_role arda_redis_role_of(const redisReply *reply);

#endif
