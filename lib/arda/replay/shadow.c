/* SPDX-License-Identifier: ISC */
#include "arda/replay/shadow.h"

#include "arda/bus/command.h"
#include "arda/name/keys.h"
#include "base/mem.h"

struct question {
    struct arda_bus *bus;
    arda_shadow_fn done;
    void *data;
};

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = arda_bus_reply_error(question->bus, reply, &why);
    question->done(question->data, result, &why);
    base_free(question);
}

int arda_shadow_add(struct arda_bus *bus, const char *tenant, size_t len, arda_shadow_fn done,
                    void *data)
{
    char key[ARDA_KEY_MAX];
    size_t key_len = arda_key(key, arda_bus_prefix(bus), ARDA_KEY_SHADOWS, NULL, 0);
    const char *const argv[] = {"SADD", key, tenant};
    const size_t lens[] = {4, key_len, len};
    struct question *question = base_malloc(sizeof *question);
    if (!question)
        return BASE_ERR_NOMEM;
    *question = (struct question){bus, done, data};
    int failed = arda_bus_command(bus, 3, argv, lens, on_reply, question);
    if (failed)
        base_free(question);
    return failed;
}
