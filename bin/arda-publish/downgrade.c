/* SPDX-License-Identifier: ISC
 *
 * --downgrade: the older form of an event of a new type, made by a map that somebody has written
 * (catalog section 10). The form of the map is arda-publish(1)'s.
 *
 * The older event is the newer one, member by member: renamed, left out or set as the map says,
 * anything else as it was written. Its id follows from that of the newer one, so that sending
 * again, in another run, too, is recognised.
 */
#include "arda-publish/downgrade.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

struct downgrade *downgrade_find(const struct publisher *publisher, struct base_slice type)
{
    for (size_t i = 0; i < publisher->downgrade_count; i++) {
        struct downgrade *map = publisher->downgrades[i];
        if (strlen(map->from) == type.len && memcmp(map->from, type.data, type.len) == 0)
            return map;
    }
    return NULL;
}

static bool is_over(struct downgrade *map)
{
    if (base_clock_wall_ms() < map->until_ms)
        return false;
    if (!map->is_over)
        base_log(BASE_LOG_WARNING, "%s: untilDate is past: %s is not published any more", map->path,
                 map->to);
    map->is_over = true;
    return true;
}

static bool has(const struct base_json_value *event, const char *name)
{
    struct base_json_member member = {name, strlen(name), {BASE_JSON_ABSENT, NULL, 0}};
    base_json_pick(event->text, event->len, &member, 1, NULL, NULL);
    return member.value.kind != BASE_JSON_ABSENT;
}

/* What happens to a member, or NULL. One that would get a name that is taken gives way. */
static const struct change *find_change(const struct downgrade *map,
                                        const struct base_json_value *event,
                                        const struct base_json_value *key)
{
    static const struct change give_way = {.kind = DROP};
    const struct change *end = map->changes + map->change_count;
    for (const struct change *change = map->changes; change < end; change++)
        if (change->kind != CONSTANT && base_json_equals(key, change->name, strlen(change->name)))
            return change;
    for (const struct change *change = map->changes; change < end; change++) {
        const char *result = downgrade_result(change);
        if (result && base_json_equals(key, result, strlen(result)) &&
            (change->kind == CONSTANT || has(event, change->name)))
            return &give_way;
    }
    return NULL;
}

static int add_key(struct base_buf *out, const char *name)
{
    int failed = out->len > 1 ? base_buf_add_byte(out, ',') : 0;
    return failed | base_json_quote(out, name, strlen(name)) | base_buf_add_byte(out, ':');
}

static int add_member(struct base_buf *out, const struct downgrade *map,
                      const struct base_json_value *event, const struct base_json_value *key,
                      const struct base_json_value *value)
{
    if (base_json_equals(key, "type", 4))
        return add_key(out, "type") | base_json_quote(out, map->to, strlen(map->to));
    if (base_json_equals(key, "eventId", 7) || base_json_equals(key, "schemaVersion", 13))
        return 0;
    const struct change *change = find_change(map, event, key);
    if (change && change->kind == DROP)
        return 0;
    int failed = 0;
    if (change) {
        failed = add_key(out, change->to);
    } else {
        failed = out->len > 1 ? base_buf_add_byte(out, ',') : 0;
        failed |= base_buf_add(out, key->text, key->len) | base_buf_add_byte(out, ':');
    }
    return failed | base_buf_add(out, value->text, value->len);
}

/* The event's text in its older form, without id and version. */
static int write_older(struct base_buf *out, const struct downgrade *map,
                       const struct base_json_value *event)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    int failed = base_buf_add_byte(out, '{');
    base_json_iter_init(&iter, event);
    while (base_json_iter_next(&iter, &key, &value))
        failed |= add_member(out, map, event, &key, &value);
    for (size_t i = 0; i < map->change_count; i++) {
        const struct change *change = &map->changes[i];
        if (change->kind == CONSTANT)
            failed |=
                add_key(out, change->name) | base_buf_add(out, change->json.data, change->json.len);
    }
    return failed | base_buf_add_byte(out, '}') ? BASE_ERR_NOMEM : BASE_OK;
}

static int make_older(const struct downgrade *map, struct base_slice older,
                      const struct arda_overrides *overrides, struct outgoing *event,
                      struct base_slice *text)
{
    const struct arda_publication *newer = &event->publication;
    struct arda_overrides same = *overrides;
    struct arda_message message;
    char id[BASE_UUID_LEN + 1];
    int failed =
        base_id_derive(newer->event_id.data, newer->event_id.len, map->to, strlen(map->to), id);
    if (failed)
        return failed;
    same.missing_id = (struct base_slice){id, BASE_UUID_LEN};
    same.source = newer->source;
    same.correlation_id = newer->correlation_id;
    same.timestamp = newer->timestamp;
    arda_message_parse(older.data, older.len, NULL, 0, &message, NULL);
    return arda_publication_make(&message, &same, &event->also_texts, &event->also, text);
}

int downgrade_add(struct publisher *publisher, struct downgrade *map, struct base_slice text,
                  const struct arda_overrides *overrides, struct outgoing *event)
{
    struct base_buf older = BASE_BUF_INIT;
    struct base_json_value newer = {BASE_JSON_OBJECT, text.data, text.len};
    struct base_slice made;
    char prefix[80];
    if (is_over(map))
        return BASE_OK;
    int failed = write_older(&older, map, &newer);
    if (!failed)
        failed =
            make_older(map, (struct base_slice){older.data, older.len}, overrides, event, &made);
    base_buf_fini(&older);
    if (failed)
        return failed;
    snprintf(prefix, sizeof prefix, "as %.64s: ", map->to);
    if (prepare_check(publisher, &publisher->place, prefix, map->type, made) > 0)
        return BASE_ERR_SYNTAX;
    event->publication.also = &event->also;
    return BASE_OK;
}
