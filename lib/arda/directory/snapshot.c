/* SPDX-License-Identifier: ISC
 *
 * A tenant's entries at one instant, read with one MULTI: whether it is known, its version, and a
 * list for each kind. Lists are sorted here, since Redis' sets and hashes have no order and a dump
 * has to be canonical.
 *
 * A key of another type makes the whole step fail, and Redis does not name it. Then the types are
 * asked for, to name the key.
 */
#include "arda/bus/reply.h"
#include "arda/directory.h"
#include "arda/directory/stored.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct snapshot {
    struct arda_bus *bus;
    struct arda_directory_handlers on;
    unsigned kinds;
    unsigned asked;                  /* answers to come */
    struct arda_directory_line line; /* its tenant is the one */
};

/* ---- giving entries ---- */

/* A member of a set, or a field of a hash with its value. */
struct element {
    const redisReply *name;
    const redisReply *value;
};

int arda_directory_compare(const redisReply *a, const redisReply *b)
{
    int order = memcmp(a->str, b->str, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare(const void *left, const void *right)
{
    return arda_directory_compare(((const struct element *)left)->name,
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
    if (!failed && arda_directory_kinds[line->kind].form == DIRECTORY_HASH)
        failed = arda_directory_take_text(line, element->value->str, element->value->len, why);
    return give(snapshot, failed, element->name->str, why);
}

static int give_list(struct snapshot *snapshot, const redisReply *list, struct base_why *why)
{
    bool pairs = arda_directory_kinds[snapshot->line.kind].form == DIRECTORY_HASH;
    size_t step = pairs ? 2 : 1, count = list->elements / step;
    struct element *elements = base_calloc(count + 1, sizeof *elements);
    if (!elements)
        return arda_directory_no_memory(why);
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
    return give(snapshot, arda_directory_take_fields(&snapshot->line, hash, why), "", why);
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

static int give_kinds(struct snapshot *snapshot, redisReply *const *lists, bool known,
                      struct base_why *why)
{
    int failed = BASE_OK;
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS && !failed; kind++) {
        if (!wants(snapshot, kind))
            continue;
        snapshot->line.kind = (enum arda_directory_kind)kind;
        if (kind == ARDA_DIRECTORY_TENANT)
            failed = give_tenant(snapshot, known, why);
        else if (arda_directory_kinds[kind].form == DIRECTORY_FIELDS)
            failed = give_fields(snapshot, *lists++, why);
        else
            failed = give_list(snapshot, *lists++, why);
    }
    return failed;
}

/* ---- the answer ---- */

/* In the order in which add_questions asks. */
enum answer { KNOWN, VERSION_EXISTS, VERSION, LISTS };

/* Whether the answers are those to the questions. */
static bool are_answers(const struct snapshot *snapshot, const redisReply *replies)
{
    size_t next = LISTS;
    if (!arda_reply_is_array_of(replies, snapshot->asked) ||
        !arda_reply_is_number(replies->element[KNOWN]) ||
        !arda_reply_is_number(replies->element[VERSION_EXISTS]) ||
        !arda_reply_is_array_of(replies->element[VERSION], 1))
        return false;
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS; kind++) {
        size_t step = arda_directory_kinds[kind].form == DIRECTORY_SET ? 1 : 2;
        if (wants(snapshot, kind) && kind != ARDA_DIRECTORY_TENANT &&
            !arda_reply_are_texts(replies->element[next++], step))
            return false;
    }
    return true;
}

/* What Redis itself would count on from, and the scripts compare as text: digits, and nothing that
 * another text could mean, too. */
static int64_t read_version(const redisReply *exists, const redisReply *text)
{
    char again[24];
    if (exists->integer == 0)
        return 0;
    if (!arda_reply_is_text(text))
        return -1;
    long long version = strtoll(text->str, NULL, 10);
    snprintf(again, sizeof again, "%lld", version);
    return version >= 0 && strlen(again) == text->len && memcmp(again, text->str, text->len) == 0
               ? version
               : -1;
}

static void finish(struct snapshot *snapshot, int result, const struct arda_directory_state *state,
                   const struct base_why *why)
{
    snapshot->on.done(snapshot->on.data, result, result ? NULL : state, why);
    arda_directory_line_fini(&snapshot->line);
    base_free(snapshot);
}

static int take_replies(struct snapshot *snapshot, const redisReply *replies,
                        struct arda_directory_state *state, struct base_why *why)
{
    if (!are_answers(snapshot, replies))
        return base_why_set(why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    redisReply *const *at = replies->element;
    state->known = at[KNOWN]->integer == 1;
    state->version = read_version(at[VERSION_EXISTS], at[VERSION]->element[0]);
    return give_kinds(snapshot, at + LISTS, state->known, why);
}

static int ask_types(struct snapshot *snapshot);

static void on_replies(void *data, int result, const struct redisReply *reply)
{
    struct snapshot *snapshot = data;
    struct arda_directory_state state = {0};
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = arda_bus_reply_error(snapshot->bus, reply, &why);
    if (result && reply && strncmp(reply->str, "WRONGTYPE", 9) == 0) {
        result = why.code = BASE_ERR_SYNTAX;
        if (ask_types(snapshot) == 0)
            return;
    }
    if (!result)
        result = take_replies(snapshot, reply, &state, &why);
    finish(snapshot, result, &state, &why);
}

/* ---- which key is of another type ---- */

static const char *type_of(int kind)
{
    return arda_directory_kinds[kind].form == DIRECTORY_SET ? "set" : "hash";
}

static void on_types(void *data, int result, const struct redisReply *reply)
{
    struct snapshot *snapshot = data;
    char key[ARDA_KEY_MAX];
    struct base_why why;
    base_why_set(&why, BASE_ERR_SYNTAX, "a key holds the wrong kind of value");
    bool named = result || !arda_reply_is_array_of(reply, ARDA_DIRECTORY_KINDS);
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS && !named; kind++) {
        const char *type = arda_reply_text(reply->element[kind]).data;
        bool asked = wants(snapshot, kind) || kind == ARDA_DIRECTORY_TENANT;
        named = asked && strcmp(type, "none") != 0 && strcmp(type, type_of(kind)) != 0;
        if (!named)
            continue;
        arda_directory_key(key, snapshot->bus, (enum arda_directory_kind)kind,
                           snapshot->line.tenant);
        base_why_set(&why, BASE_ERR_SYNTAX, "%s: expected a %s, got a %s", key, type_of(kind),
                     type);
    }
    finish(snapshot, BASE_ERR_SYNTAX, NULL, &why);
}

static int ask_types(struct snapshot *snapshot)
{
    struct bus_commands commands = {0};
    int failed = BASE_OK;
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS; kind++) {
        char key[ARDA_KEY_MAX];
        arda_directory_key(key, snapshot->bus, (enum arda_directory_kind)kind,
                           snapshot->line.tenant);
        failed |= arda_directory_add_command(&commands, 2, (const char *const[]){"TYPE", key});
    }
    if (!failed)
        failed = arda_bus_step(snapshot->bus, &commands, on_types, snapshot);
    base_buf_fini(&commands.bytes);
    return failed;
}

/* ---- asking ---- */

static int add_questions(struct bus_commands *commands, const struct snapshot *snapshot)
{
    const char *tenant = snapshot->line.tenant;
    char key[ARDA_KEY_MAX];
    arda_directory_key(key, snapshot->bus, ARDA_DIRECTORY_TENANT, tenant);
    int failed =
        arda_directory_add_command(commands, 3, (const char *const[]){"SISMEMBER", key, tenant});
    /* MGET has no error for a key of another type. */
    arda_directory_version_key(key, snapshot->bus, tenant);
    failed |= arda_directory_add_command(commands, 2, (const char *const[]){"EXISTS", key});
    failed |= arda_directory_add_command(commands, 2, (const char *const[]){"MGET", key});
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS; kind++) {
        if (!wants(snapshot, kind) || kind == ARDA_DIRECTORY_TENANT)
            continue;
        bool set = arda_directory_kinds[kind].form == DIRECTORY_SET;
        arda_directory_key(key, snapshot->bus, (enum arda_directory_kind)kind, tenant);
        failed |= arda_directory_add_command(
            commands, 2, (const char *const[]){set ? "SMEMBERS" : "HGETALL", key});
    }
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_directory_snapshot(struct arda_bus *bus, const char *tenant, unsigned kinds,
                            const struct arda_directory_handlers *handlers)
{
    struct bus_commands commands = {0};
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return BASE_ERR_INVALID;
    struct snapshot *snapshot = base_calloc(1, sizeof *snapshot);
    if (!snapshot)
        return BASE_ERR_NOMEM;
    snapshot->bus = bus;
    snapshot->on = *handlers;
    snapshot->kinds = kinds;
    memcpy(snapshot->line.tenant, tenant, strlen(tenant) + 1);
    int failed = add_questions(&commands, snapshot);
    snapshot->asked = commands.count;
    if (!failed)
        failed = arda_bus_step(bus, &commands, on_replies, snapshot);
    base_buf_fini(&commands.bytes);
    if (failed)
        base_free(snapshot);
    return failed;
}
