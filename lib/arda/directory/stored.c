/* SPDX-License-Identifier: ISC */
#include "arda/directory/stored.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define MOST_WORDS 8 /* of a command that is no script */

size_t arda_directory_key(char out[static ARDA_KEY_MAX], const struct arda_bus *bus,
                          enum arda_directory_kind kind, const char *tenant)
{
    if (kind == ARDA_DIRECTORY_TENANT)
        return arda_key(out, arda_bus_prefix(bus), arda_directory_kinds[kind].family, NULL, 0);
    return arda_key(out, arda_bus_prefix(bus), arda_directory_kinds[kind].family, tenant,
                    strlen(tenant));
}

size_t arda_directory_version_key(char out[static ARDA_KEY_MAX], const struct arda_bus *bus,
                                  const char *tenant)
{
    return arda_key(out, arda_bus_prefix(bus), ARDA_KEY_VERSION, tenant, strlen(tenant));
}

int arda_directory_add_command(struct bus_commands *commands, int argc, const char *const *argv)
{
    size_t lens[MOST_WORDS];
    base_assert(argc <= MOST_WORDS);
    for (int i = 0; i < argc; i++)
        lens[i] = strlen(argv[i]);
    commands->count++;
    return arda_redis_format(&commands->bytes, argc, argv, lens);
}

void arda_directory_families(const char *families[static ARDA_DIRECTORY_KINDS - 1])
{
    for (int kind = 0; kind < ARDA_DIRECTORY_KINDS; kind++)
        if (kind != ARDA_DIRECTORY_TENANT)
            *families++ = arda_key_family(arda_directory_kinds[kind].family);
}

int arda_directory_add_script(struct bus_commands *commands, struct arda_bus *bus,
                              const struct arda_script *script, const char *tenant, int argc,
                              const char *const *argv)
{
    const char *words[] = {arda_bus_prefix(bus), tenant};
    int failed = arda_bus_step_call(commands, bus, script, (size_t)argc + 2);
    for (int i = 0; i < argc + 2; i++) {
        const char *word = i < 2 ? words[i] : argv[i - 2];
        failed |= arda_redis_add_argument(&commands->bytes, word, strlen(word));
    }
    return failed;
}

int arda_directory_add_look(struct bus_commands *commands, const struct arda_bus *bus,
                            const char *tenant)
{
    char due[ARDA_KEY_MAX], lane[ARDA_ID_MAX + sizeof ":webhook"];
    arda_key(due, arda_bus_prefix(bus), ARDA_KEY_DUE, NULL, 0);
    snprintf(lane, sizeof lane, "%s:webhook", tenant);
    return arda_directory_add_command(commands, 6,
                                      (const char *const[]){"ZADD", due, "XX", "LT", "0", lane});
}

int arda_directory_add_forget(struct bus_commands *commands, const struct arda_bus *bus,
                              const char *tenant)
{
    char endpoint[ARDA_KEY_MAX];
    arda_key(endpoint, arda_bus_prefix(bus), ARDA_KEY_ENDPOINT, tenant, strlen(tenant));
    return arda_directory_add_command(commands, 2, (const char *const[]){"DEL", endpoint}) |
           arda_directory_add_look(commands, bus, tenant);
}

const char *arda_directory_store_command(enum arda_directory_kind kind)
{
    return arda_directory_kinds[kind].form == DIRECTORY_SET ? "SADD" : "HSET";
}

/* ---- to Redis ---- */

/* Appends the text of a member: of a string what it says, of a boolean 0 or 1. */
static int add_member(struct base_buf *out, const struct arda_directory_line *line,
                      const char *name)
{
    struct base_json_value value = arda_directory_line_member(line, name);
    if (value.kind == BASE_JSON_STRING)
        return base_json_unescape(&value, out);
    return base_buf_add_byte(out, value.kind == BASE_JSON_TRUE ? '1' : '0');
}

/* The text that a hash holds for the entry. */
static int add_text(struct base_buf *out, const struct arda_directory_line *line)
{
    switch (line->kind) {
    case ARDA_DIRECTORY_DIGEST: return add_member(out, line, "schedule");
    case ARDA_DIRECTORY_PREFERENCE: return add_member(out, line, "enabled");
    case ARDA_DIRECTORY_QUIET:
        return add_member(out, line, "from") | base_buf_add_byte(out, '-') |
               add_member(out, line, "to");
    default: return base_buf_add(out, line->value.data, line->value.len);
    }
}

static int add_pair(struct base_buf *args, const char *name, const struct base_buf *text)
{
    return arda_redis_add_argument(args, name, strlen(name)) |
           arda_redis_add_argument(args, text->len ? text->data : "", text->len);
}

static int add_fields(struct base_buf *args, unsigned *argc, const struct arda_directory_line *line)
{
    int failed = BASE_OK;
    struct base_buf text = BASE_BUF_INIT;
    for (const struct directory_member *member = arda_directory_kinds[line->kind].members;
         member->name && !failed; member++) {
        text.len = 0;
        if (!member->erasable ||
            arda_directory_line_member(line, member->name).kind != BASE_JSON_ABSENT)
            failed = add_member(&text, line, member->name);
        if (!failed)
            failed = add_pair(args, member->name, &text);
        *argc += 2;
    }
    base_buf_fini(&text);
    return failed;
}

static int add_stored(struct base_buf *args, unsigned *argc, const struct arda_directory_line *line)
{
    enum directory_form form = arda_directory_kinds[line->kind].form;
    if (form == DIRECTORY_FIELDS)
        return add_fields(args, argc, line);
    if (form == DIRECTORY_SET) {
        *argc += 1;
        return arda_redis_add_argument(args, line->id, strlen(line->id));
    }
    struct base_buf text = BASE_BUF_INIT;
    int failed = add_text(&text, line);
    if (!failed)
        failed = add_pair(args, line->id, &text);
    base_buf_fini(&text);
    *argc += 2;
    return failed;
}

int arda_directory_add_stored(struct base_buf *args, unsigned *argc,
                              const struct arda_directory_line *line)
{
    size_t len_before = args->len;
    unsigned argc_before = *argc;
    if (add_stored(args, argc, line) == BASE_OK)
        return BASE_OK;
    args->len = len_before;
    *argc = argc_before;
    return BASE_ERR_NOMEM;
}

/* ---- from Redis ---- */

/* Appends a member of the object being made; `boolean`: the text is 0 or 1. */
static int take_member(struct base_buf *object, const char *name, bool boolean, const char *text,
                       size_t len, struct base_why *why)
{
    bool right = boolean ? len == 1 && (*text == '0' || *text == '1') : base_utf8_valid(text, len);
    if (!right)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: %s", name,
                            boolean ? "expected 0 or 1" : "not UTF-8");
    int failed = base_buf_printf(object, "%c\"%s\":", object->len ? ',' : '{', name);
    if (!failed && boolean)
        failed = base_buf_add_text(object, *text == '1' ? "true" : "false");
    else if (!failed)
        failed = base_json_quote(object, text, len);
    return failed ? arda_directory_no_memory(why) : BASE_OK;
}

static int take_hours(struct base_buf *object, const char *text, size_t len, struct base_why *why)
{
    const char *dash = memchr(text, '-', len);
    if (!dash)
        return base_why_set(why, BASE_ERR_SYNTAX, "expected HH:MM-HH:MM");
    int failed = take_member(object, "from", false, text, (size_t)(dash - text), why);
    return failed
               ? failed
               : take_member(object, "to", false, dash + 1, (size_t)(text + len - dash - 1), why);
}

/* Sets the value to the object, which is given up. */
static int keep_object(struct arda_directory_line *line, struct base_buf *object, int failed,
                       struct base_why *why)
{
    if (!failed && object->len > 0 && base_buf_add_byte(object, '}') < 0)
        failed = arda_directory_no_memory(why);
    if (!failed)
        failed = arda_directory_line_set_value(line, object->data, object->len, why);
    base_buf_fini(object);
    return failed;
}

int arda_directory_take_text(struct arda_directory_line *line, const char *text, size_t len,
                             struct base_why *why)
{
    struct base_buf object = BASE_BUF_INIT;
    int failed;
    switch (line->kind) {
    case ARDA_DIRECTORY_DIGEST:
        failed = take_member(&object, "schedule", false, text, len, why);
        break;
    case ARDA_DIRECTORY_PREFERENCE:
        failed = take_member(&object, "enabled", true, text, len, why);
        break;
    case ARDA_DIRECTORY_QUIET: failed = take_hours(&object, text, len, why); break;
    default: return arda_directory_line_set_value(line, text, len, why);
    }
    return keep_object(line, &object, failed, why);
}

int arda_directory_take_fields(struct arda_directory_line *line, const redisReply *hash,
                               struct base_why *why)
{
    struct base_buf object = BASE_BUF_INIT;
    int failed = BASE_OK;
    for (const struct directory_member *member = arda_directory_kinds[line->kind].members;
         member->name; member++)
        for (size_t i = 0; i + 1 < hash->elements && !failed; i += 2) {
            const redisReply *name = hash->element[i], *text = hash->element[i + 1];
            if (strcmp(name->str, member->name) == 0 && !(member->erasable && text->len == 0))
                failed = take_member(&object, member->name, member->value == DIRECTORY_BOOLEAN,
                                     text->str, text->len, why);
        }
    return keep_object(line, &object, failed, why);
}
