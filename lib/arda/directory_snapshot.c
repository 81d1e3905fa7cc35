/* SPDX-License-Identifier: ISC
 *
 * A tenant's entries at one instant, read with one MULTI: whether it is known, its version, and a
 * list for each kind. Lists are sorted here, since Redis' sets and hashes have no order and a dump
 * has to be canonical.
 */
#include "arda/directory.h"
#include "arda/directory_stored.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct snapshot {
    struct arda_bus *bus;
    struct arda_directory_handlers on;
    unsigned kinds;
    struct arda_directory_line line; /* its tenant is the one */
};

/* ---- giving entries ---- */

/* A member of a set, or a field of a hash with its value. */
struct element {
    const redisReply *name;
    const redisReply *value;
};

int directory_compare(const redisReply *a, const redisReply *b)
{
    int order = memcmp(a->str, b->str, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare(const void *left, const void *right)
{
    return directory_compare(((const struct element *)left)->name,
                             ((const struct element *)right)->name);
}

/* Gives the line, or the reason why it makes no sense. Only a lack of memory is a failure. */
static int give(struct snapshot *snapshot, int failed, const char *id, struct base_why *why)
{
    const struct arda_directory_line *line = &snapshot->line;
    if (!failed) {
        snapshot->on.on_line(snapshot->on.data, line);
    } else if (failed != BASE_ERR_NOMEM) {
        base_why_prefix(why, "tenant %s: %s%s%.100s", line->tenant,
                        arda_directory_kind_name(line->kind), *id ? " " : "", id);
        snapshot->on.on_bad(snapshot->on.data, why);
        failed = BASE_OK;
    }
    return failed;
}

static int give_entry(struct snapshot *snapshot, const struct element *element,
                      struct base_why *why)
{
    struct arda_directory_line *line = &snapshot->line;
    int failed = arda_directory_line_set_id(line, element->name->str, element->name->len, why);
    line->value.len = 0;
    if (!failed && directory_kinds[line->kind].form == DIRECTORY_HASH)
        failed = directory_take_text(line, element->value->str, element->value->len, why);
    return give(snapshot, failed, element->name->str, why);
}

static int give_list(struct snapshot *snapshot, const redisReply *list, struct base_why *why)
{
    bool pairs = directory_kinds[snapshot->line.kind].form == DIRECTORY_HASH;
    size_t step = pairs ? 2 : 1, count = list->elements / step;
    struct element *elements = base_calloc(count + 1, sizeof *elements);
    if (!elements)
        return directory_no_memory(why);
    for (size_t i = 0; i < count; i++)
        elements[i] = (struct element){list->element[i * step], list->element[i * step + step - 1]};
    qsort(elements, count, sizeof *elements, compare);
    int failed = BASE_OK;
    for (size_t i = 0; i < count && !failed; i++)
        failed = give_entry(snapshot, &elements[i], why);
    base_free(elements);
    return failed;
}

static int give_fields(struct snapshot *snapshot, const redisReply *hash, struct base_why *why)
{
    snapshot->line.id[0] = '\0';
    if (hash->elements == 0)
        return BASE_OK;
    return give(snapshot, directory_take_fields(&snapshot->line, hash, why), "", why);
}

static int give_tenant(struct snapshot *snapshot, bool known, struct base_why *why)
{
    snapshot->line.id[0] = '\0';
    snapshot->line.value.len = 0;
    return known ? give(snapshot, BASE_OK, "", why) : BASE_OK;
}

static bool wants(const struct snapshot *snapshot, int kind)
{
    return snapshot->kinds & ARDA_DIRECTORY_BIT(kind);
}

static int give_all(struct snapshot *snapshot, const redisReply *replies,
                    struct arda_directory_state *state, struct base_why *why)
{
    const redisReply *version = replies->element[1];
    size_t next = 2;
    int failed = BASE_OK;
    state->known = replies->element[0]->integer == 1;
    state->version = version->type == REDIS_REPLY_STRING ? strtoull(version->str, NULL, 10) : 0;
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS && !failed; kind++) {
        if (!wants(snapshot, kind))
            continue;
        snapshot->line.kind = (enum arda_directory_kind)kind;
        if (kind == ARDA_DIRECTORY_TENANT)
            failed = give_tenant(snapshot, state->known, why);
        else if (directory_kinds[kind].form == DIRECTORY_FIELDS)
            failed = give_fields(snapshot, replies->element[next++], why);
        else
            failed = give_list(snapshot, replies->element[next++], why);
    }
    return failed;
}

static void on_replies(void *data, int result, const struct redisReply *reply)
{
    struct snapshot *snapshot = data;
    struct arda_directory_state state = {0};
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = bus_reply_error(snapshot->bus, reply, &why);
    if (!result)
        result = give_all(snapshot, reply, &state, &why);
    snapshot->on.done(snapshot->on.data, result, result ? NULL : &state, &why);
    arda_directory_line_fini(&snapshot->line);
    base_free(snapshot);
}

/* ---- asking ---- */

static int add_questions(struct base_buf *out, unsigned *count, const struct snapshot *snapshot)
{
    const char *tenant = snapshot->line.tenant;
    char key[ARDA_KEY_MAX];
    directory_key(key, snapshot->bus, ARDA_DIRECTORY_TENANT, tenant);
    int failed =
        directory_add_command(out, count, 3, (const char *const[]){"SISMEMBER", key, tenant});
    directory_version_key(key, snapshot->bus, tenant);
    failed |= directory_add_command(out, count, 2, (const char *const[]){"GET", key});
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS; kind++) {
        if (!wants(snapshot, kind) || kind == ARDA_DIRECTORY_TENANT)
            continue;
        bool set = directory_kinds[kind].form == DIRECTORY_SET;
        directory_key(key, snapshot->bus, (enum arda_directory_kind)kind, tenant);
        failed |= directory_add_command(out, count, 2,
                                        (const char *const[]){set ? "SMEMBERS" : "HGETALL", key});
    }
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_directory_snapshot(struct arda_bus *bus, const char *tenant, unsigned kinds,
                            const struct arda_directory_handlers *handlers)
{
    struct base_buf commands = BASE_BUF_INIT;
    unsigned count = 0;
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return BASE_ERR_INVALID;
    struct snapshot *snapshot = base_calloc(1, sizeof *snapshot);
    if (!snapshot)
        return BASE_ERR_NOMEM;
    snapshot->bus = bus;
    snapshot->on = *handlers;
    snapshot->kinds = kinds;
    memcpy(snapshot->line.tenant, tenant, strlen(tenant) + 1);
    int failed = add_questions(&commands, &count, snapshot);
    if (!failed)
        failed = bus_step(bus, (struct base_slice){commands.data, commands.len}, count, on_replies,
                          snapshot);
    base_buf_fini(&commands);
    if (failed)
        base_free(snapshot);
    return failed;
}
