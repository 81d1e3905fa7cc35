/* SPDX-License-Identifier: ISC */
#include "arda/directory/kind.h"

#include "arda/event.h"
#include "arda/notify_channels.h"
#include "base/utf8.h"

#include <string.h>

#define SHOWN 40 /* bytes of a wrong value */

/* What notification.created may name, so that there is one list. */
static const char *notification_types(void)
{
    const struct arda_event_type *type = arda_event_find("notification.created", 20);
    return arda_event_field(type, "notificationType", 16)->choices;
}

static const char *channels(void)
{
#define NAME_(channel, name) "|" name
    static const char names[] = ARDA_NOTIFY_CHANNEL_MAP(NAME_);
#undef NAME_
    return names + 1;
}

#define ID(name)                                                                                   \
    {                                                                                              \
        name, false, NULL                                                                          \
    }
#define USER_OR_ALL                                                                                \
    {                                                                                              \
        "userId", true, NULL                                                                       \
    }
#define TIME(member)                                                                               \
    {                                                                                              \
        .name = member, .expected = "a time such as \"22:00\"",                                    \
        .is_right = arda_directory_is_time, .required = true                                       \
    }

const struct directory_kind arda_directory_kinds[ARDA_DIRECTORY_KINDS] = {
    [ARDA_DIRECTORY_DIGEST] =
        {
            .name = "digest",
            .called = "a digest",
            .family = ARDA_KEY_DIGEST,
            .form = DIRECTORY_HASH,
            .parts = {USER_OR_ALL, {"notificationType", true, notification_types}},
            .members = {{.name = "schedule",
                         .expected = "\"hourly\" or \"daily@HH:MM\"",
                         .is_right = arda_directory_is_schedule,
                         .required = true}},
        },
    [ARDA_DIRECTORY_LOOP] =
        {
            .name = "loop",
            .called = "a loop",
            .family = ARDA_KEY_LOOPS,
            .form = DIRECTORY_SET,
            .parts = {ID("loopId")},
        },
    [ARDA_DIRECTORY_PREFERENCE] =
        {
            .name = "preference",
            .called = "a preference",
            .family = ARDA_KEY_PREFERENCES,
            .form = DIRECTORY_HASH,
            .parts = {USER_OR_ALL,
                      {"notificationType", false, notification_types},
                      {"channel", false, channels}},
            .members = {{.name = "enabled",
                         .value = DIRECTORY_BOOLEAN,
                         .expected = "true or false",
                         .required = true}},
        },
    [ARDA_DIRECTORY_QUIET] =
        {
            .name = "quiet",
            .called = "quiet hours",
            .family = ARDA_KEY_QUIET,
            .form = DIRECTORY_HASH,
            .parts = {USER_OR_ALL},
            .members = {TIME("from"), TIME("to")},
        },
    [ARDA_DIRECTORY_TENANT] =
        {
            .name = "tenant",
            .called = "a tenant",
            .family = ARDA_KEY_TENANTS,
            .form = DIRECTORY_SET,
        },
    [ARDA_DIRECTORY_USER] =
        {
            .name = "user",
            .called = "a user",
            .family = ARDA_KEY_USERS,
            .form = DIRECTORY_HASH,
            .open = true,
            .parts = {ID("userId")},
            .members =
                {
                    {.name = "email",
                     .expected = "an address",
                     .is_right = arda_directory_is_address,
                     .check = arda_directory_check_address},
                    {.name = "active",
                     .value = DIRECTORY_BOOLEAN,
                     .expected = "true or false",
                     .otherwise = "true"},
                    {.name = "name", .expected = "a string"},
                    {.name = "locale", .expected = "a string such as \"en\""},
                    {.name = "timeZone",
                     .expected = "a time zone such as \"Europe/Berlin\"",
                     .is_right = arda_directory_is_zone,
                     .lenient = true},
                },
        },
    [ARDA_DIRECTORY_WEBHOOK] =
        {
            .name = "webhook",
            .called = "a webhook",
            .family = ARDA_KEY_WEBHOOK,
            .form = DIRECTORY_FIELDS,
            .members =
                {
                    {.name = "url",
                     .expected = "an http or https URL without user, password and fragment",
                     .is_right = arda_directory_is_url,
                     .required = true,
                     .hidden = true},
                    {.name = "secret",
                     .expected = "\"whsec_\" and the base64 of 24 to 64 bytes",
                     .is_right = arda_directory_is_secret,
                     .required = true,
                     .hidden = true,
                     .secret = true},
                    {.name = "previousSecret",
                     .expected = "\"whsec_\" and the base64 of 24 to 64 bytes",
                     .is_right = arda_directory_is_secret,
                     .hidden = true,
                     .secret = true,
                     .erasable = true},
                    {.name = "enabled",
                     .value = DIRECTORY_BOOLEAN,
                     .expected = "true or false",
                     .otherwise = "true"},
                },
        },
};

const char *arda_directory_kind_name(enum arda_directory_kind kind)
{
    return arda_directory_kinds[kind].name;
}

int arda_directory_kind_find(const char *name, enum arda_directory_kind *kind)
{
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++)
        if (strcmp(arda_directory_kinds[i].name, name) == 0) {
            *kind = (enum arda_directory_kind)i;
            return BASE_OK;
        }
    return BASE_ERR_NOTFOUND;
}

/* ---- messages ---- */

int arda_directory_no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
}

int arda_directory_shown(const char *text, size_t len)
{
    return (int)(len > SHOWN ? base_utf8_cut(text, SHOWN) : len);
}

int arda_directory_wrong_value(struct base_why *why, const char *name, const char *expected,
                               struct base_slice value)
{
    return base_why_set(why, BASE_ERR_SYNTAX, "%s: expected %s, got %.*s", name, expected,
                        arda_directory_shown(value.data, value.len), value.data);
}

int arda_directory_not_of(struct base_why *why, const char *name, bool nullable,
                          const char *choices, struct base_slice value)
{
    char list[200];
    size_t len = 0;
    for (const char *at = choices; *at && len + 2 < sizeof list; at++) {
        list[len++] = *at == '|' ? ',' : *at;
        if (*at == '|')
            list[len++] = ' ';
    }
    return base_why_set(why, BASE_ERR_SYNTAX, "%s: %.*s is not %sone of %.*s", name,
                        arda_directory_shown(value.data, value.len), value.data,
                        nullable ? "null or " : "", (int)len, list);
}

/* ---- parts of an id ---- */

static bool is_choice(const char *choices, const char *text, size_t len)
{
    for (const char *at = choices;; at++) {
        size_t choice = strcspn(at, "|");
        if (choice == len && memcmp(at, text, len) == 0)
            return true;
        at += choice;
        if (!*at)
            return false;
    }
}

int arda_directory_add_part(struct arda_directory_line *line, const struct directory_part *part,
                            const char *text, size_t len, struct base_slice shown,
                            struct base_why *why)
{
    size_t at = strlen(line->id);
    bool null = !text && part->nullable;
    if (part->choices && !null && (!text || !is_choice(part->choices(), text, len)))
        return arda_directory_not_of(why, part->name, part->nullable, part->choices(), shown);
    if (!part->choices && !null && (!text || !arda_id_valid(text, len)))
        return arda_directory_wrong_value(why, part->name,
                                          part->nullable ? "an id or null" : "an id", shown);
    base_assert(at + len + 3 < sizeof line->id);
    if (part != arda_directory_kinds[line->kind].parts)
        line->id[at++] = ':';
    if (null)
        line->id[at++] = '*';
    else
        memcpy(line->id + at, text, len);
    line->id[at + (null ? 0 : len)] = '\0';
    return BASE_OK;
}

/* The parts as members of a line, for messages. */
static int wrong_form(const struct arda_directory_line *line, const char *text, size_t len,
                      struct base_why *why)
{
    const struct directory_part *parts = arda_directory_kinds[line->kind].parts;
    char form[128] = "";
    for (; parts->name; parts++) {
        strcat(form, form[0] ? ":" : "");
        strcat(form, parts->name);
    }
    return base_why_set(why, BASE_ERR_SYNTAX, "expected %s, got %.*s", form[0] ? form : "no id",
                        arda_directory_shown(text, len), text);
}

int arda_directory_line_set_id(struct arda_directory_line *line, const char *text, size_t len,
                               struct base_why *why)
{
    const struct directory_part *part = arda_directory_kinds[line->kind].parts;
    const char *end = text + len;
    line->id[0] = '\0';
    if (!part->name)
        return len == 0 ? BASE_OK : wrong_form(line, text, len, why);
    for (const char *at = text; part->name; part++) {
        bool last = !part[1].name;
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (last != !colon)
            return wrong_form(line, text, len, why);
        size_t part_len = (size_t)((colon ? colon : end) - at);
        bool null = part_len == 1 && *at == '*';
        int failed = arda_directory_add_part(line, part, null ? NULL : at, part_len,
                                             (struct base_slice){at, part_len}, why);
        if (failed)
            return failed;
        at += part_len + 1;
    }
    return BASE_OK;
}

bool arda_directory_line_part(const struct arda_directory_line *line, const char *name,
                              struct base_slice *part)
{
    const char *at = line->id;
    for (const struct directory_part *p = arda_directory_kinds[line->kind].parts; p->name; p++) {
        size_t len = strcspn(at, ":");
        *part = (struct base_slice){at, len};
        if (strcmp(p->name, name) == 0)
            return len != 1 || *at != '*';
        at += len + 1;
    }
    return false;
}
