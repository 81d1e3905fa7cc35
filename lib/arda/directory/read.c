/* SPDX-License-Identifier: ISC
 *
 * Reading one entry, and the list of tenants.
 */
#include "arda/bus/reply.h"
#include "arda/directory.h"
#include "arda/directory/stored.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- one entry ---- */

struct look_up {
    struct arda_bus *bus;
    struct arda_directory_line *line;
    arda_directory_done_fn done;
    void *data;
};

static int take_entry(const struct look_up *look_up, const redisReply *reply, struct base_why *why)
{
    int failed = arda_bus_reply_error(look_up->bus, reply, why);
    if (failed)
        return failed;
    enum directory_form form = arda_directory_kinds[look_up->line->kind].form;
    bool none = reply->type == REDIS_REPLY_NIL ||
                (arda_reply_is_number(reply) && reply->integer == 0) ||
                arda_reply_is_array_of(reply, 0);
    if (none)
        return base_why_set(why, BASE_ERR_NOTFOUND, "not found");
    if (form == DIRECTORY_SET && arda_reply_is_number(reply))
        return BASE_OK;
    if (form == DIRECTORY_FIELDS && arda_reply_are_texts(reply, 2))
        return arda_directory_take_fields(look_up->line, reply, why);
    if (form == DIRECTORY_HASH && arda_reply_is_text(reply))
        return arda_directory_take_text(look_up->line, reply->str, reply->len, why);
    return base_why_set(why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
}

static void on_entry(void *data, int result, const struct redisReply *reply)
{
    struct look_up *look_up = data;
    struct base_why why = {0};
    if (!result)
        result = take_entry(look_up, reply, &why);
    else
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    look_up->done(look_up->data, result, &why);
    base_free(look_up);
}

int arda_directory_get(struct arda_bus *bus, struct arda_directory_line *line,
                       arda_directory_done_fn done, void *data)
{
    static const char *const commands[] = {
        [DIRECTORY_SET] = "SISMEMBER", [DIRECTORY_HASH] = "HGET", [DIRECTORY_FIELDS] = "HGETALL"};
    char key[ARDA_KEY_MAX];
    enum directory_form form = arda_directory_kinds[line->kind].form;
    struct look_up *look_up = base_malloc(sizeof *look_up);
    if (!look_up)
        return BASE_ERR_NOMEM;
    *look_up = (struct look_up){bus, line, done, data};
    size_t len = arda_directory_key(key, bus, line->kind, line->tenant);
    const char *id = line->kind == ARDA_DIRECTORY_TENANT ? line->tenant : line->id;
    const char *const argv[] = {commands[form], key, id};
    const size_t lens[] = {strlen(argv[0]), len, strlen(id)};
    int failed =
        arda_bus_command(bus, form == DIRECTORY_FIELDS ? 2 : 3, argv, lens, on_entry, look_up);
    if (failed)
        base_free(look_up);
    return failed;
}

/* ---- tenants ---- */

struct listing {
    struct arda_bus *bus;
    void (*on_tenant)(void *data, const char *tenant, size_t len);
    arda_directory_done_fn done;
    void *data;
};

static int compare(const void *left, const void *right)
{
    return arda_directory_compare(*(redisReply *const *)left, *(redisReply *const *)right);
}

static void on_tenants(void *data, int result, const struct redisReply *reply)
{
    struct listing *listing = data;
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = arda_bus_reply_error(listing->bus, reply, &why);
    if (!result && !arda_reply_are_texts(reply, 1))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    if (!result && reply->elements > 0)
        qsort(reply->element, reply->elements, sizeof *reply->element, compare);
    for (size_t i = 0; !result && i < reply->elements; i++)
        listing->on_tenant(listing->data, reply->element[i]->str, reply->element[i]->len);
    listing->done(listing->data, result, &why);
    base_free(listing);
}

int arda_directory_tenants(struct arda_bus *bus,
                           void (*on_tenant)(void *data, const char *tenant, size_t len),
                           arda_directory_done_fn done, void *data)
{
    char key[ARDA_KEY_MAX];
    struct listing *listing = base_malloc(sizeof *listing);
    if (!listing)
        return BASE_ERR_NOMEM;
    *listing = (struct listing){bus, on_tenant, done, data};
    const char *const argv[] = {"SMEMBERS", key};
    const size_t lens[] = {8, arda_directory_key(key, bus, ARDA_DIRECTORY_TENANT, NULL)};
    int failed = arda_bus_command(bus, 2, argv, lens, on_tenants, listing);
    if (failed)
        base_free(listing);
    return failed;
}
