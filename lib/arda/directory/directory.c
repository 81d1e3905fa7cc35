/* SPDX-License-Identifier: ISC */
#include "arda/directory.h"

#include "arda/bus/command.h"
#include "arda/name/keys.h"
#include "base/mem.h"

#include <hiredis/hiredis.h>

struct question {
    arda_directory_answer_fn done;
    void *data;
};

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    if (!result)
        result = reply->type == REDIS_REPLY_INTEGER ? reply->integer != 0 : BASE_ERR_INTERNAL;
    question->done(question->data, result);
    base_free(question);
}

/* SISMEMBER key member */
static void ask_member(struct arda_bus *bus, const char *key, size_t key_len, const char *member,
                       size_t member_len, arda_directory_answer_fn done, void *data)
{
    const char *argv[] = {"SISMEMBER", key, member};
    const size_t lens[] = {9, key_len, member_len};
    struct question *question = base_malloc(sizeof *question);
    int failed = question ? BASE_OK : BASE_ERR_NOMEM;
    if (question) {
        *question = (struct question){done, data};
        failed = arda_bus_command(bus, 3, argv, lens, on_reply, question);
    }
    if (failed) {
        base_free(question);
        done(data, failed);
    }
}

void arda_directory_has_loop(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                             const char *loop, size_t loop_len, arda_directory_answer_fn done,
                             void *data)
{
    char key[ARDA_KEY_MAX];
    size_t len = arda_key(key, arda_bus_prefix(bus), ARDA_KEY_LOOPS, tenant, tenant_len);
    ask_member(bus, key, len, loop, loop_len, done, data);
}

void arda_directory_has_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                               arda_directory_answer_fn done, void *data)
{
    char key[ARDA_KEY_MAX];
    size_t len = arda_key(key, arda_bus_prefix(bus), ARDA_KEY_TENANTS, NULL, 0);
    ask_member(bus, key, len, tenant, tenant_len, done, data);
}
