/* SPDX-License-Identifier: ISC */
#include "arda/bus/registry.h"

#include "arda/bus/internal.h"

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
    lens[1] = arda_key(key, arda_bus_prefix(bus), ARDA_KEY_GATEWAY, number, (size_t)len);
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

/* ---- many at once ---- */

struct which {
    arda_registry_which_fn done;
    void *data;
    size_t count;
    bool *present; /* behind ids */
    uint16_t ids[];
};

static void on_values(void *data, int result, const struct redisReply *reply)
{
    struct which *which = data;
    if (!result && (reply->type != REDIS_REPLY_ARRAY || reply->elements != which->count))
        result = BASE_ERR_UNAVAILABLE;
    for (size_t i = 0; i < which->count && !result; i++)
        which->present[i] = reply->element[i]->type == REDIS_REPLY_STRING;
    which->done(which->data, result, which->ids, which->present, result ? 0 : which->count);
    base_free(which);
}

static int send_which(struct arda_bus *bus, struct which *which)
{
    size_t count = which->count;
    const char **argv = base_malloc((count + 1) * sizeof *argv);
    size_t *lens = base_malloc((count + 1) * sizeof *lens);
    char(*keys)[ARDA_KEY_MAX] = base_malloc(count * sizeof *keys);
    int failed = argv && lens && keys ? BASE_OK : BASE_ERR_NOMEM;
    for (size_t i = 0; i < count && !failed; i++) {
        char number[8];
        int len = snprintf(number, sizeof number, "%u", which->ids[i]);
        lens[i + 1] =
            arda_key(keys[i], arda_bus_prefix(bus), ARDA_KEY_GATEWAY, number, (size_t)len);
        argv[i + 1] = keys[i];
    }
    if (!failed) {
        argv[0] = "MGET";
        lens[0] = 4;
        failed = arda_bus_command(bus, (int)count + 1, argv, lens, on_values, which);
    }
    base_free(argv);
    base_free(lens);
    base_free(keys);
    return failed;
}

int arda_registry_which(struct arda_bus *bus, const uint16_t *ids, size_t count,
                        arda_registry_which_fn done, void *data)
{
    struct which *which =
        base_malloc(sizeof *which + count * (sizeof which->ids[0] + sizeof which->present[0]));
    if (!which)
        return BASE_ERR_NOMEM;
    which->done = done;
    which->data = data;
    which->count = count;
    which->present = (bool *)(which->ids + count);
    memcpy(which->ids, ids, count * sizeof ids[0]);
    int failed = send_which(bus, which);
    if (failed)
        base_free(which);
    return failed;
}
