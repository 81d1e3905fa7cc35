/* SPDX-License-Identifier: ISC
 *
 * An event as it was becomes the event that is published: its tenant, ids, times and members, by
 * splicing, so that everything else stays as it was written.
 */
#include "arda-replay/replay.h"

#include "arda/replay/id_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int rewrite_tenant(const struct replay *replay, const struct arda_message *message,
                   char out[static ARDA_ID_MAX + 1])
{
    const char *given = replay->settings.tenant, *suffix = replay->settings.shadow;
    struct base_slice tenant = message->tenant;
    if (given)
        tenant = (struct base_slice){given, strlen(given)};
    size_t suffix_len = suffix && tenant.len > 0 ? strlen(suffix) : 0;
    if (tenant.len + suffix_len > ARDA_ID_MAX)
        return BASE_ERR_LIMIT;
    memcpy(out, tenant.data ? tenant.data : "", tenant.len);
    memcpy(out + tenant.len, suffix_len ? suffix : "", suffix_len);
    out[tenant.len + suffix_len] = '\0';
    return (int)(tenant.len + suffix_len);
}

/* ---- ids ---- */

/* Of the event before, or of the line it stood in. A lone surrogate has no bytes: then it is none.
 */
static int old_id(const struct event *event, struct base_buf *out)
{
    const struct base_json_value *id = &event->record.message.id;
    int failed = id->kind == BASE_JSON_STRING ? base_json_unescape(id, out) : BASE_OK;
    return failed == BASE_ERR_SYNTAX ? BASE_OK : failed;
}

/* Derived from the old id, or without one from the place in the input. The round is part of it,
 * since each is seen anew. */
static int new_id(const struct replay *replay, const struct event *event,
                  const struct base_buf *old, char id[static BASE_UUID_LEN + 1])
{
    struct base_buf name = BASE_BUF_INIT;
    int failed = base_buf_printf(&name, "event %" PRIu64 " ", event->at.round);
    if (!failed && old->len > 0)
        failed = base_buf_add(&name, old->data, old->len);
    else if (!failed)
        failed = base_buf_printf(&name, "#%" PRIu64 "-%" PRIu64, event->at.major, event->at.minor);
    if (!failed)
        failed = base_id_derive(replay->run, strlen(replay->run), name.data, name.len, id);
    base_buf_fini(&name);
    return failed;
}

/* ---- times ---- */

/* How far the times of this round are moved; the first event that is sent decides. */
static void find_shift(struct replay *replay, const struct event *event)
{
    if (replay->shifted_round == event->at.round || event->time_ms == BASE_TIMELINE_NO_TIME)
        return;
    replay->shifted_round = event->at.round;
    replay->shift_ms = base_clock_wall_ms() - event->time_ms;
}

/* False when the event has no time that can be read. */
static bool shifted_time(struct replay *replay, const struct event *event,
                         char out[static BASE_RFC3339_LEN + 1])
{
    const struct base_json_value *said = &event->record.message.timestamp;
    int64_t ms;
    if (base_rfc3339_of_json(said, &ms) < 0)
        return false;
    find_shift(replay, event);
    if (replay->shifted_round != event->at.round)
        return false;
    base_rfc3339_format(ms + replay->shift_ms, out);
    return true;
}

/* ---- members ---- */

/* Reads the event again after its text has changed. */
static int read_again(struct arda_message *message, const struct base_buf *text)
{
    struct arda_message changed;
    enum arda_drop drop = arda_message_parse(text->data, text->len, NULL, 0, &changed, NULL);
    if (drop != ARDA_DROP_NONE)
        return BASE_ERR_SYNTAX;
    changed.envelope = message->envelope;
    changed.tenant = message->tenant;
    *message = changed;
    return BASE_OK;
}

static int set_members(struct replay *replay, struct arda_message *message)
{
    struct base_json_value object = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    replay->edited.len = 0;
    int failed =
        arda_event_put(&replay->edited, &object, replay->wishes.sets, replay->wishes.set_count);
    return failed ? failed : read_again(message, &replay->edited);
}

static int map_ids(struct replay *replay, struct arda_message *message)
{
    struct base_json_value object = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    struct base_slice run = {replay->run, strlen(replay->run)};
    struct base_buf type = BASE_BUF_INIT;
    int failed = base_json_unescape(&message->type, &type);
    replay->mapped.len = 0;
    if (failed != BASE_ERR_NOMEM) /* a type that has no bytes is not in the table */
        failed =
            arda_id_map(&replay->mapped, &object, (struct base_slice){type.data, type.len}, run);
    base_buf_fini(&type);
    return failed ? failed : read_again(message, &replay->mapped);
}

static int edit(struct replay *replay, struct arda_message *message)
{
    int failed = BASE_OK;
    if (replay->wishes.set_count > 0)
        failed = set_members(replay, message);
    if (!failed && replay->settings.map_ids)
        failed = map_ids(replay, message);
    return failed;
}

int rewrite(struct replay *replay, const struct event *event, struct arda_publication_texts *texts,
            struct arda_publication *publication)
{
    const struct settings *settings = &replay->settings;
    struct arda_message message = event->record.message;
    char id[BASE_UUID_LEN + 1], tenant[ARDA_ID_MAX + 1], time[BASE_RFC3339_LEN + 1];
    int tenant_len = rewrite_tenant(replay, &message, tenant);
    struct arda_overrides overrides = {
        .missing_source = {PROGRAM, sizeof PROGRAM - 1},
        .replayed = true,
        .wrap = settings->envelope,
        .dedupe_for = settings->dedupe_for,
    };
    replay->old_id.len = 0;
    int failed = old_id(event, &replay->old_id);
    failed = failed ? failed : new_id(replay, event, &replay->old_id, id);
    failed = failed ? failed : edit(replay, &message);
    if (failed)
        return failed;
    struct base_slice old = {replay->old_id.data, replay->old_id.len}, fresh = {id, BASE_UUID_LEN};
    if (settings->keep_ids)
        overrides.missing_id = old.len > 0 ? old : fresh;
    else
        overrides.event_id = fresh;
    if (settings->tenant || settings->shadow)
        overrides.tenant = (struct base_slice){tenant, (size_t)tenant_len};
    if (settings->retime && shifted_time(replay, event, time))
        overrides.event_timestamp = (struct base_slice){time, BASE_RFC3339_LEN};
    failed = arda_publication_make(&message, &overrides, texts, publication, NULL);
    if (!failed && publication->message.len > (size_t)settings->max_event)
        return BASE_ERR_LIMIT;
    /* What is no identifier here cannot be marked in Redis. */
    if (!failed && !arda_id_valid(publication->event_id.data, publication->event_id.len))
        publication->dedupe_for_ms = 0;
    return failed;
}

void rewrite_fini(struct replay *replay)
{
    base_buf_fini(&replay->old_id);
    base_buf_fini(&replay->edited);
    base_buf_fini(&replay->mapped);
}
