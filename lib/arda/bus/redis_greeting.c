/* SPDX-License-Identifier: ISC
 *
 * The greeting is sent as one piece, and its answers are read one by one. What Redis says to a
 * client that it does not want at all ("max number of clients", "protected mode") comes as the
 * first answer, whatever had been asked.
 */
#include "arda/bus/redis_greeting.h"

#include "arda/bus/redis_conn.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define GREETING_BYTES (64 * 1024) /* of an answer */

/* Answers that stay the same until somebody changes the URL or the server, of Redis 4 to 7. Others,
 * LOADING or a proxy's, may be others the next time. */
static const struct {
    const char *begins;
    int code;
} lasting[] = {
    {"WRONGPASS ", BASE_ERR_DENIED},
    {"NOAUTH ", BASE_ERR_DENIED},
    {"NOPERM ", BASE_ERR_DENIED},
    {"DENIED ", BASE_ERR_DENIED}, /* protected mode */
    {"ERR invalid password", BASE_ERR_DENIED},
    {"ERR Client sent AUTH, but no password is set", BASE_ERR_DENIED},
    {"ERR AUTH <password> called without any password", BASE_ERR_DENIED},
    {"ERR wrong number of arguments for 'auth'", BASE_ERR_DENIED}, /* a user before Redis 6 */
    {"ERR DB index is out of range", BASE_ERR_CONFIG},
    {"ERR invalid DB index", BASE_ERR_CONFIG},
    {"ERR SELECT is not allowed in cluster mode", BASE_ERR_CONFIG},
};

/* ---- asking ---- */

static int add(struct arda_redis_greeting *greeting, struct base_buf *out, int argc,
               const char *const *argv)
{
    greeting->commands[greeting->sent++] = argv[0][0];
    return arda_redis_format(out, argc, argv, NULL);
}

int arda_redis_greet(struct arda_redis_greeting *greeting, const struct arda_redis_url *url,
                     const char *name, struct base_buf *out)
{
    int failed = 0;
    char db[16];
    *greeting = (struct arda_redis_greeting){0};
    failed |= arda_reply_reader_open(&greeting->reader, NULL, NULL);
    greeting->reader.max_bytes = GREETING_BYTES;
    /* A user without a password is one whose every password will do. */
    if (url->user)
        failed |= add(greeting, out, 3,
                      (const char *[]){"AUTH", url->user, url->password ? url->password : ""});
    else if (url->password)
        failed |= add(greeting, out, 2, (const char *[]){"AUTH", url->password});
    if (name)
        failed |= add(greeting, out, 3, (const char *[]){"CLIENT", "SETNAME", name});
    snprintf(db, sizeof db, "%d", url->db);
    /* Always sent: it also shows that there is a Redis that lets us in. */
    failed |= add(greeting, out, 2, (const char *[]){"SELECT", db});
    failed |= add(greeting, out, 1, (const char *[]){"ROLE"});
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* ---- answers ---- */

enum arda_redis_role arda_redis_role_of(const redisReply *reply)
{
    const redisReply *name =
        reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : NULL;
    if (!name || name->type != REDIS_REPLY_STRING)
        return ARDA_REDIS_UNKNOWN;
    if (strcmp(name->str, "master") == 0)
        return ARDA_REDIS_PRIMARY;
    return strcmp(name->str, "slave") == 0 ? ARDA_REDIS_REPLICA : ARDA_REDIS_UNKNOWN;
}

static int refused(const char *text, struct base_why *why)
{
    int code = BASE_ERR_AGAIN;
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++)
        if (strncmp(text, lasting[i].begins, strlen(lasting[i].begins)) == 0)
            code = lasting[i].code;
    return base_why_set(why, code, "%s", text);
}

/* Without its answer a replica is known only by the writes that it refuses. */
static void take_role(struct arda_redis_greeting *greeting, const redisReply *reply)
{
    static bool reported;
    greeting->role = arda_redis_role_of(reply);
    if (reply->type != REDIS_REPLY_ERROR || reported)
        return;
    reported = true;
    base_log(BASE_LOG_WARNING,
             "redis: %s; a server that becomes a replica is noticed only by what it refuses",
             reply->str);
}

/* CLIENT SETNAME may be refused, which is no reason to stay away; but the first answer may be that
 * Redis does not want us, after which it closes the connection. */
static bool is_unwelcome(const char *text)
{
    return strncmp(text, "DENIED ", 7) == 0 || strncmp(text, "ERR max number of clients", 25) == 0;
}

static int take_answer(struct arda_redis_greeting *greeting, const redisReply *reply,
                       struct base_why *why)
{
    char command = greeting->commands[greeting->answered];
    bool is_error = reply->type == REDIS_REPLY_ERROR;
    if (command == 'R')
        take_role(greeting, reply);
    else if (is_error && (command != 'C' || is_unwelcome(reply->str)))
        return refused(reply->str, why);
    greeting->answered++;
    return BASE_OK;
}

static int take_answers(struct arda_redis_greeting *greeting, struct base_why *why)
{
    while (greeting->answered < greeting->sent) {
        void *reply = NULL;
        if (arda_reply_reader_next(&greeting->reader, &reply) < 0)
            return base_why_set(why, BASE_ERR_UNAVAILABLE, "not a Redis server");
        if (!reply)
            return 0;
        int failed = take_answer(greeting, reply, why);
        freeReplyObject(reply);
        if (failed)
            return failed;
    }
    return 1;
}

int arda_redis_greeting_take(struct arda_redis_greeting *greeting, const char *bytes, size_t len,
                             struct base_why *why)
{
    if (arda_reply_reader_feed(&greeting->reader, bytes, len) < 0)
        return base_why_set(why, BASE_ERR_UNAVAILABLE, "not a Redis server");
    return take_answers(greeting, why);
}

void arda_redis_greeting_fini(struct arda_redis_greeting *greeting)
{
    arda_reply_reader_close(&greeting->reader);
    *greeting = (struct arda_redis_greeting){0};
}
