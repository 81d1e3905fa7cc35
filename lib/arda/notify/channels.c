/* SPDX-License-Identifier: ISC */
#include "arda/notify_channels.h"

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/names.h"

#include <string.h>

struct choices {
    uint8_t on[ARDA_NOTIFY_TYPES], off[ARDA_NOTIFY_TYPES]; /* as bits */
};

struct arda_notify_preferences {
    struct base_map users; /* of struct choices, by userId */
    struct choices tenant;
};

BASE_NAME_TABLE(channel_names, ARDA_NOTIFY_CHANNEL_MAP, BASE_NAME_SECOND);

BASE_NAME_TABLE(type_names, ARDA_NOTIFY_TYPE_MAP, BASE_NAME_SECOND);

static const uint8_t defaults[] = {
#define BITS_(type, name, in_app, email, webhook)                                                  \
    [type] = in_app << ARDA_NOTIFY_IN_APP | email << ARDA_NOTIFY_EMAIL |                           \
             webhook << ARDA_NOTIFY_WEBHOOK,
    ARDA_NOTIFY_TYPE_MAP(BITS_)
#undef BITS_
};

BASE_NAME_TABLE(source_texts, ARDA_NOTIFY_SOURCE_MAP, BASE_NAME_SECOND);

const char *arda_notify_channel_name(enum arda_notify_channel channel)
{
    return channel_names[channel];
}

const char *arda_notify_type_name(enum arda_notify_type type)
{
    return type_names[type];
}

const char *arda_notify_source_text(enum arda_notify_source source)
{
    return source_texts[source];
}

int arda_notify_channel_find(const char *name, size_t len, enum arda_notify_channel *channel)
{
    int found = base_names_find(channel_names, ARDA_NOTIFY_CHANNELS, name, len);
    if (found < 0)
        return BASE_ERR_NOTFOUND;
    *channel = (enum arda_notify_channel)found;
    return BASE_OK;
}

int arda_notify_type_find(const char *name, size_t len, enum arda_notify_type *type)
{
    int found = base_names_find(type_names, ARDA_NOTIFY_TYPES, name, len);
    if (found < 0)
        return BASE_ERR_NOTFOUND;
    *type = (enum arda_notify_type)found;
    return BASE_OK;
}

unsigned arda_notify_defaults(enum arda_notify_type type)
{
    return defaults[type];
}

/* ---- preferences ---- */

struct arda_notify_preferences *arda_notify_preferences_new(void)
{
    return base_calloc(1, sizeof(struct arda_notify_preferences));
}

void arda_notify_preferences_free(struct arda_notify_preferences *preferences)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    if (!preferences)
        return;
    while ((entry = base_map_next(&preferences->users, &cursor)) != NULL)
        base_free(entry->value);
    base_map_fini(&preferences->users);
    base_free(preferences);
}

static struct choices *choices_of(struct arda_notify_preferences *preferences, const char *user,
                                  size_t user_len)
{
    struct choices *choices = base_map_get(&preferences->users, user, user_len);
    if (choices)
        return choices;
    choices = base_calloc(1, sizeof *choices);
    if (choices && base_map_set(&preferences->users, user, user_len, choices) < 0)
        base_free_clear(&choices);
    return choices;
}

int arda_notify_preferences_set(struct arda_notify_preferences *preferences, const char *user,
                                size_t user_len, enum arda_notify_type type,
                                enum arda_notify_channel channel, bool on)
{
    struct choices *choices = user ? choices_of(preferences, user, user_len) : &preferences->tenant;
    uint8_t bit = (uint8_t)ARDA_NOTIFY_BIT(channel);
    if (!choices)
        return BASE_ERR_NOMEM;
    choices->on[type] = (uint8_t)(on ? choices->on[type] | bit : choices->on[type] & ~bit);
    choices->off[type] = (uint8_t)(on ? choices->off[type] & ~bit : choices->off[type] | bit);
    return BASE_OK;
}

int arda_notify_preferences_set_field(struct arda_notify_preferences *preferences,
                                      const char *field, size_t field_len, const char *value,
                                      size_t value_len)
{
    enum arda_notify_type type;
    enum arda_notify_channel channel;
    const char *end = field + field_len;
    const char *first = memchr(field, ':', field_len);
    const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
    if (!second || first == field || value_len != 1 || (*value != '0' && *value != '1') ||
        arda_notify_type_find(first + 1, (size_t)(second - first - 1), &type) < 0 ||
        arda_notify_channel_find(second + 1, (size_t)(end - second - 1), &channel) < 0)
        return BASE_ERR_SYNTAX;
    size_t user_len = (size_t)(first - field);
    bool tenant = user_len == 1 && *field == '*';
    return arda_notify_preferences_set(preferences, tenant ? NULL : field, user_len, type, channel,
                                       *value == '1');
}

unsigned arda_notify_resolve(const struct arda_notify_preferences *preferences, const char *user,
                             size_t user_len, enum arda_notify_type type,
                             enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS])
{
    static const struct choices none;
    const struct choices *own = base_map_get(&preferences->users, user, user_len);
    const struct choices *tenant = &preferences->tenant;
    if (!own)
        own = &none;
    unsigned by_user = own->on[type] | own->off[type];
    unsigned by_tenant = (tenant->on[type] | tenant->off[type]) & ~by_user;
    for (int i = 0; sources && i < ARDA_NOTIFY_CHANNELS; i++)
        sources[i] = by_user & ARDA_NOTIFY_BIT(i)     ? ARDA_NOTIFY_BY_USER
                     : by_tenant & ARDA_NOTIFY_BIT(i) ? ARDA_NOTIFY_BY_TENANT
                                                      : ARDA_NOTIFY_BY_CATALOG;
    return own->on[type] | (tenant->on[type] & by_tenant) |
           (defaults[type] & ~by_user & ~by_tenant);
}
