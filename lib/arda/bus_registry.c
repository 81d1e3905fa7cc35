/* SPDX-License-Identifier: ISC */
#include "arda/registry.h"

#include "arda/bus_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct question {
    arda_registry_fn done;
    void *data;
    int absent; /* what a nil says */
};

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_slice address = {NULL, 0};
    if (!result && reply->type == REDIS_REPLY_ERROR)
        result = BASE_ERR_UNAVAILABLE;
    else if (!result && reply->type == REDIS_REPLY_NIL)
        result = question->absent;
    else if (!result && reply->type == REDIS_REPLY_STRING)
        address = (struct base_slice){reply->str, reply->len};
    question->done(question->data, result, address);
    base_free(question);
}

/* COMMAND KEY and up to four more words; NULL ends them. */
static int ask(struct arda_bus *bus, const char *command, uint16_t id, const char *const words[],
               const struct question *model)
{
    char number[8], key[ARDA_KEY_MAX];
    const char *argv[6] = {command, key};
    size_t lens[6] = {strlen(command)};
    int argc = 2;
    struct question *question = base_malloc(sizeof *question);
    if (!question)
        return BASE_ERR_NOMEM;
    *question = *model;
    int len = snprintf(number, sizeof number, "%u", id);
    lens[1] = arda_key(key, arda_bus_prefix(bus), "gateway", number, (size_t)len);
    for (; words && words[argc - 2]; argc++) {
        argv[argc] = words[argc - 2];
        lens[argc] = strlen(argv[argc]);
    }
    int failed = arda_bus_command(bus, argc, argv, lens, on_reply, question);
    if (failed)
        base_free(question);
    return failed;
}

#define TEXT_(number) #number
#define TEXT(number)  TEXT_(number)

int arda_registry_claim(struct arda_bus *bus, uint16_t id, const char *address,
                        arda_registry_fn done, void *data)
{
    const char *const words[] = {address, "EX", TEXT(ARDA_REGISTRY_TTL_S), "NX", NULL};
    return ask(bus, "SET", id, words, &(struct question){done, data, BASE_ERR_DENIED});
}

int arda_registry_refresh(struct arda_bus *bus, uint16_t id, const char *address,
                          arda_registry_fn done, void *data)
{
    const char *const words[] = {address, "EX", TEXT(ARDA_REGISTRY_TTL_S), NULL};
    return ask(bus, "SET", id, words, &(struct question){done, data, BASE_ERR_DENIED});
}

int arda_registry_release(struct arda_bus *bus, uint16_t id, arda_registry_fn done, void *data)
{
    return ask(bus, "DEL", id, NULL, &(struct question){done, data, BASE_ERR_NOTFOUND});
}

int arda_registry_find(struct arda_bus *bus, uint16_t id, arda_registry_fn done, void *data)
{
    return ask(bus, "GET", id, NULL, &(struct question){done, data, BASE_ERR_NOTFOUND});
}
