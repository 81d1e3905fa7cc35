/* SPDX-License-Identifier: ISC
 *
 * Happy path: EVALSHA, answer. When Redis does not know the script: EVAL with the same arguments,
 * which are kept until the answer for this; the text is known to Redis from then on.
 */
#include "arda/script.h"

#include "arda/bus_internal.h"
#include "base/crypto.h"
#include "base/mem.h"

#include <string.h>

#define OURS 3 /* words before the arguments: command, script, number of keys */

struct call {
    struct arda_bus *bus;
    const struct arda_script *script;
    arda_reply_fn done;
    void *data;
    int argc; /* with ours */
    const char **argv;
    size_t *lens;
    /* Behind this: argv, lens, and the bytes of the arguments. */
};

static int name_script(struct arda_script *script)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[BASE_SHA1_LEN];
    if (script->sha1[0])
        return BASE_OK;
    if (base_crypto_sha1(script->text, script->len, hash) < 0)
        return BASE_ERR_INTERNAL;
    for (size_t i = 0; i < sizeof hash; i++) {
        script->sha1[2 * i] = hex[hash[i] >> 4];
        script->sha1[2 * i + 1] = hex[hash[i] & 15];
    }
    return BASE_OK;
}

/* The call and its arguments in one block. */
static struct call *new_call(int argc, const char *const *argv, const size_t *lens)
{
    size_t words = (size_t)argc + OURS, bytes = 0;
    for (int i = 0; i < argc; i++)
        bytes += lens ? lens[i] : strlen(argv[i]);
    struct call *call =
        base_malloc(sizeof *call + words * (sizeof *call->argv + sizeof *call->lens) + bytes);
    if (!call)
        return NULL;
    call->argc = (int)words;
    call->argv = (const char **)(call + 1);
    call->lens = (size_t *)(call->argv + words);
    char *to = (char *)(call->lens + words);
    for (int i = 0; i < argc; i++) {
        size_t len = lens ? lens[i] : strlen(argv[i]);
        if (len)
            memcpy(to, argv[i], len);
        call->argv[OURS + i] = to;
        call->lens[OURS + i] = len;
        to += len;
    }
    return call;
}

static int send_call(struct call *call, const char *command, const char *script, size_t len,
                     arda_reply_fn done)
{
    call->argv[0] = command;
    call->lens[0] = strlen(command);
    call->argv[1] = script;
    call->lens[1] = len;
    call->argv[2] = "0";
    call->lens[2] = 1;
    return arda_bus_command(call->bus, call->argc, call->argv, call->lens, done, call);
}

static void end_call(struct call *call, int result, const struct redisReply *reply)
{
    call->done(call->data, result, reply);
    base_free(call);
}

static void on_answer(void *data, int result, const struct redisReply *reply)
{
    end_call(data, result, reply);
}

static void on_first_answer(void *data, int result, const struct redisReply *reply)
{
    struct call *call = data;
    if (result || reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOSCRIPT", 8) != 0) {
        end_call(call, result, reply);
        return;
    }
    int failed = send_call(call, "EVAL", call->script->text, call->script->len, on_answer);
    if (failed)
        end_call(call, failed, NULL);
}

int arda_script_call(struct arda_bus *bus, struct arda_script *script, int argc,
                     const char *const *argv, const size_t *lens, arda_reply_fn done, void *data)
{
    if (argc < 0 || argc > ARDA_SCRIPT_MAX_ARGS)
        return BASE_ERR_LIMIT;
    int failed = name_script(script);
    if (failed)
        return failed;
    struct call *call = new_call(argc, argv, lens);
    if (!call)
        return BASE_ERR_NOMEM;
    call->bus = bus;
    call->script = script;
    call->done = done;
    call->data = data;
    failed = send_call(call, "EVALSHA", script->sha1, 40, on_first_answer);
    if (failed)
        base_free(call);
    return failed;
}

int arda_script_error(const struct arda_bus *bus, int result, const struct redisReply *reply,
                      struct base_why *why)
{
    if (result == BASE_ERR_CLOSED)
        return base_why_set(why, result, "the connection to Redis was lost before the answer");
    if (result)
        return base_why_set(why, result, "%s", base_err_text(result));
    return bus_reply_error(bus, reply, why);
}
