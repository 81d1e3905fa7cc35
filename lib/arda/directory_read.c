/* SPDX-License-Identifier: ISC
 *
 * Reading entries, one or all of a kind. Lists are sorted here, since Redis' sets and hashes have
 * no order and a dump has to be canonical.
 */
#include "arda/bus_internal.h"
#include "arda/directory.h"

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
    int failed = bus_reply_error(look_up->bus, reply, why);
    if (failed)
        return failed;
    if (look_up->line->kind != ARDA_DIRECTORY_USER && reply->integer == 1)
        return BASE_OK;
    if (reply->type != REDIS_REPLY_STRING)
        return base_why_set(why, BASE_ERR_NOTFOUND, "not found");
    return arda_directory_line_set_value(look_up->line, reply->str, reply->len, why);
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
    char key[ARDA_KEY_MAX];
    bool user = line->kind == ARDA_DIRECTORY_USER;
    struct look_up *look_up = base_malloc(sizeof *look_up);
    if (!look_up)
        return BASE_ERR_NOMEM;
    *look_up = (struct look_up){bus, line, done, data};
    size_t len = arda_key(key, arda_bus_prefix(bus), user ? "users" : "loops", line->tenant,
                          strlen(line->tenant));
    const char *const argv[] = {user ? "HGET" : "SISMEMBER", key, line->id};
    const size_t lens[] = {strlen(argv[0]), len, strlen(line->id)};
    int failed = arda_bus_command(bus, 3, argv, lens, on_entry, look_up);
    if (failed)
        base_free(look_up);
    return failed;
}

/* ---- lists ---- */

struct listing {
    struct arda_bus *bus;
    struct arda_directory_list list;
    struct arda_directory_line line; /* of entries: kind and tenant */
    bool of_tenants;
};

/* A member of a set, or a field of a hash with its value. */
struct element {
    const redisReply *name;
    const redisReply *value;
};

static int compare(const void *left, const void *right)
{
    const redisReply *a = ((const struct element *)left)->name;
    const redisReply *b = ((const struct element *)right)->name;
    int order = memcmp(a->str, b->str, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void give_entry(struct listing *listing, const struct element *element)
{
    struct arda_directory_line *line = &listing->line;
    struct base_why why;
    bool user = line->kind == ARDA_DIRECTORY_USER;
    int failed = BASE_OK;
    if (!arda_id_valid(element->name->str, element->name->len)) {
        failed = base_why_set(&why, BASE_ERR_SYNTAX, "not an id");
    } else {
        memcpy(line->id, element->name->str, element->name->len + 1);
        if (user)
            failed =
                arda_directory_line_set_value(line, element->value->str, element->value->len, &why);
    }
    if (!failed) {
        listing->list.on_line(listing->list.data, line);
        return;
    }
    base_why_prefix(&why, "tenant %s: %s %.64s", line->tenant, arda_directory_kind_name(line->kind),
                    element->name->str);
    listing->list.on_bad(listing->list.data, &why);
}

static int give_all(struct listing *listing, const redisReply *reply, struct base_why *why)
{
    bool pairs = !listing->of_tenants && listing->line.kind == ARDA_DIRECTORY_USER;
    size_t step = pairs ? 2 : 1, count = reply->elements / step;
    struct element *elements = base_calloc(count + 1, sizeof *elements);
    if (!elements)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        elements[i] =
            (struct element){reply->element[i * step], reply->element[i * step + step - 1]};
    qsort(elements, count, sizeof *elements, compare);
    for (size_t i = 0; i < count; i++)
        if (listing->of_tenants)
            listing->list.on_tenant(listing->list.data, elements[i].name->str,
                                    elements[i].name->len);
        else
            give_entry(listing, &elements[i]);
    base_free(elements);
    return BASE_OK;
}

static void on_list(void *data, int result, const struct redisReply *reply)
{
    struct listing *listing = data;
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = bus_reply_error(listing->bus, reply, &why);
    if (!result)
        result = give_all(listing, reply, &why);
    listing->list.done(listing->list.data, result, &why);
    arda_directory_line_fini(&listing->line);
    base_free(listing);
}

static int ask(struct listing *listing, const char *command, const char *key)
{
    const char *const argv[] = {command, key};
    const size_t lens[] = {strlen(command), strlen(key)};
    int failed = arda_bus_command(listing->bus, 2, argv, lens, on_list, listing);
    if (failed)
        base_free(listing);
    return failed;
}

int arda_directory_tenants(struct arda_bus *bus, const struct arda_directory_list *list)
{
    char key[ARDA_KEY_MAX];
    struct listing *listing = base_calloc(1, sizeof *listing);
    if (!listing)
        return BASE_ERR_NOMEM;
    listing->bus = bus;
    listing->list = *list;
    listing->of_tenants = true;
    arda_key(key, arda_bus_prefix(bus), "tenants", NULL, 0);
    return ask(listing, "SMEMBERS", key);
}

int arda_directory_entries(struct arda_bus *bus, const char *tenant, enum arda_directory_kind kind,
                           const struct arda_directory_list *list)
{
    char key[ARDA_KEY_MAX];
    size_t len = strlen(tenant);
    bool users = kind == ARDA_DIRECTORY_USER;
    if (!arda_tenant_valid(tenant, len))
        return BASE_ERR_INVALID;
    struct listing *listing = base_calloc(1, sizeof *listing);
    if (!listing)
        return BASE_ERR_NOMEM;
    listing->bus = bus;
    listing->list = *list;
    listing->line.kind = kind;
    memcpy(listing->line.tenant, tenant, len + 1);
    arda_key(key, arda_bus_prefix(bus), users ? "users" : "loops", tenant, len);
    return ask(listing, users ? "HGETALL" : "SMEMBERS", key);
}
