/* SPDX-License-Identifier: ISC
 *
 * A line of input becomes a publication: parsed in either form, checked, completed by splicing, and
 * wrapped for the log. Everything that is wrong is said, each thing on a line of its own.
 */
#include "arda-publish/publish.h"

#include "arda/event.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_SOURCE "arda-publish"

static void complain(void *data, const char *field, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s: %s", base_place_text(data, where), field, text);
}

static int refuse(const struct base_place *place, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(place, where), text);
    return BASE_ERR_SYNTAX;
}

/* ---- checking ---- */

static int refuse_form(const struct base_place *place, enum arda_drop drop,
                       const struct base_json_error *error)
{
    char text[256];
    if (drop != ARDA_DROP_NOT_JSON)
        return refuse(place, arda_drop_text(drop));
    snprintf(text, sizeof text, "column %zu: %s", error->offset + 1, error->text);
    return refuse(place, text);
}

static int refuse_type(const struct base_place *place, struct base_slice name)
{
    char text[384];
    int len = snprintf(text, sizeof text, "type: \"%.*s\" is not one of",
                       name.len < 60 ? (int)name.len : 60, name.data);
    for (const struct arda_event_type *type = arda_event_types; type->name; type++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s %s",
                        type == arda_event_types ? "" : ",", type->name);
    snprintf(text + len, sizeof text - (size_t)len, " (see --allow-unknown)");
    return refuse(place, text);
}

/* ---- all of it ---- */

/* The completed event, so that what was filled in is not missed. */
static int check(const struct settings *settings, const struct base_place *place,
                 const struct arda_publication *publication, enum arda_drop drop)
{
    struct base_slice name = publication->type;
    const struct arda_event_type *type = arda_event_find(name.data, name.len);
    struct base_json_value event = {BASE_JSON_OBJECT, publication->message.data,
                                    publication->message.len};
    if (!type && (name.len == 0 || !settings->allow_unknown))
        return refuse_type(place, name);
    void *data = (void *)(uintptr_t)place;
    if (arda_event_check(type, &event, settings->loose_ids, complain, data) > 0)
        return BASE_ERR_SYNTAX;
    if (drop == ARDA_DROP_FOREIGN_TENANT)
        return refuse(place, "tenantId: not the id of a tenant");
    return BASE_OK;
}

int prepare(const struct settings *settings, const struct base_place *place, struct base_slice line,
            struct outgoing *event)
{
    struct arda_message message;
    struct base_json_error error = {0};
    enum arda_drop drop = arda_message_parse(line.data, line.len, NULL, 0, &message, &error);
    if (drop != ARDA_DROP_NONE && drop != ARDA_DROP_FOREIGN_TENANT)
        return refuse_form(place, drop, &error);
    struct arda_overrides overrides = {
        .source = {settings->source, settings->source ? strlen(settings->source) : 0},
        .missing_source = {DEFAULT_SOURCE, sizeof DEFAULT_SOURCE - 1},
    };
    int failed =
        arda_publication_make(&message, &overrides, &event->texts, &event->publication, NULL);
    if (!failed)
        failed = check(settings, place, &event->publication, drop);
    event->item.place = *place;
    return failed;
}
