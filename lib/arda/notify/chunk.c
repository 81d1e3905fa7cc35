/* SPDX-License-Identifier: ISC
 *
 * Texts that all users of an event share are written and sent once; for a user only ids follow.
 */
#include "arda/notify/internal.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define GROUP ARDA_NOTIFY_GROUP

/* ---- what is the same for all chunks ---- */

/* The next word begins where the former one ends. */
static void end_word(struct notify_run *run, enum notify_word word)
{
    size_t from = 0;
    if (word > 0)
        from = run->spans[word - 1].at + run->spans[word - 1].len;
    run->spans[word] = (struct notify_span){from, run->words.len - from};
}

static int add_text(struct notify_run *run, enum notify_word word, const char *text)
{
    int failed = base_buf_add_text(&run->words, text);
    end_word(run, word);
    return failed;
}

static int add_number(struct notify_run *run, enum notify_word word, int64_t number)
{
    int failed = base_buf_printf(&run->words, "%lld", (long long)number);
    end_word(run, word);
    return failed;
}

static int add_names(struct notify_run *run)
{
    const struct arda_notify_step *step = &run->step;
    int failed = add_text(run, NOTIFY_PREFIX, arda_bus_prefix(run->bus));
    failed |= add_text(run, NOTIFY_TENANT, step->tenant);
    failed |= add_text(run, NOTIFY_EVENT, step->cause.key);
    failed |= add_text(run, NOTIFY_GROUP, GROUP);
    failed |= add_text(run, NOTIFY_ENTRY, step->stream_id ? step->stream_id : "");
    failed |= step->version < 0 ? add_text(run, NOTIFY_VERSION, "")
                                : add_number(run, NOTIFY_VERSION, step->version);
    failed |= add_text(run, NOTIFY_FROM, "") | add_text(run, NOTIFY_UPTO, "");
    return failed;
}

static int add_rules(struct notify_run *run, const char *now)
{
    const struct arda_notify_step *step = &run->step;
    int64_t age_ms = step->retention.age_ms;
    int failed = add_number(run, NOTIFY_HANDLED_S, ARDA_NOTIFY_HANDLED_S);
    failed |= add_number(run, NOTIFY_CAUSE_S, ARDA_NOTIFY_CAUSE_S);
    failed |= add_number(run, NOTIFY_NOW_MS, step->now_ms) | add_text(run, NOTIFY_NOW, now);
    failed |= add_number(run, NOTIFY_COUNT, step->retention.count);
    failed |= age_ms > 0 ? add_number(run, NOTIFY_CUTOFF, step->now_ms - age_ms)
                         : add_text(run, NOTIFY_CUTOFF, "");
    failed |= add_text(run, NOTIFY_TOLD, step->on_row ? "1" : "0");
    failed |= base_buf_add(&run->words, step->event.data, step->event.len);
    end_word(run, NOTIFY_TEXT);
    return failed;
}

/* ,"NAME":VALUE, where an empty text is null. */
static int add_member(struct base_buf *out, const char *name, struct base_slice text, bool json)
{
    int failed = base_buf_printf(out, ",\"%s\":", name);
    if (text.len == 0)
        return failed | base_buf_add_text(out, "null");
    return failed | (json ? base_buf_add(out, text.data, text.len)
                          : base_json_quote(out, text.data, text.len));
}

static int add_row(struct notify_run *run, const char *now)
{
    const struct arda_notification *told = &run->step.notification;
    struct base_buf *out = &run->words;
    int failed = add_text(run, NOTIFY_ROW_HEAD, "{\"id\":\"");
    failed |= base_buf_printf(out, "\",\"tenantId\":\"%s\",\"userId\":\"", run->step.tenant);
    end_word(run, NOTIFY_ROW_MIDDLE);
    failed |= base_buf_add_byte(out, '"') | add_member(out, "type", told->type, false);
    failed |= base_buf_add_text(out, ",\"title\":");
    failed |= base_json_quote(out, told->title.data, told->title.len);
    failed |= add_member(out, "body", told->body, false);
    failed |= add_member(out, "actionUrl", told->action_url, false);
    failed |= add_member(out, "metadata", told->metadata, true);
    failed |= base_buf_printf(out, ",\"createdAt\":\"%s\"", now);
    failed |= add_member(out, "eventId", run->step.cause.id, true) | base_buf_add_byte(out, '}');
    end_word(run, NOTIFY_ROW_TAIL);
    return failed;
}

/* The catalog's section 6.6, and what publication adds to an event. */
static int add_created(struct notify_run *run, const char *now)
{
    const struct arda_notification *told = &run->step.notification;
    struct base_buf *out = &run->words;
    int failed =
        base_buf_printf(out, "{\"type\":\"notification.created\",\"tenantId\":\"%s\",\"userId\":\"",
                        run->step.tenant);
    end_word(run, NOTIFY_CREATED_HEAD);
    failed |= add_text(run, NOTIFY_CREATED_MIDDLE, "\",\"notificationId\":\"");
    failed |= base_buf_add_byte(out, '"') | add_member(out, "notificationType", told->type, false);
    failed |= base_buf_add_text(out, ",\"title\":");
    failed |= base_json_quote(out, told->title.data, told->title.len);
    failed |= base_buf_printf(out, ",\"timestamp\":\"%s\",\"eventId\":\"", now);
    end_word(run, NOTIFY_CREATED_TAIL);
    failed |= base_buf_add_text(out, "\",\"schemaVersion\":1");
    if (run->step.cause.id.len > 0)
        failed |= add_member(out, "correlationId", run->step.cause.id, true);
    failed |= base_buf_add_byte(out, '}');
    end_word(run, NOTIFY_CREATED_END);
    failed |= base_buf_add(out, told->type.data, told->type.len);
    end_word(run, NOTIFY_TYPE);
    return failed;
}

static bool is_object_on_a_line(struct base_slice text)
{
    struct base_json_value value;
    return text.len == 0 || (base_json_check(text.data, text.len, &value, NULL) == 0 &&
                             value.kind == BASE_JSON_OBJECT && !memchr(text.data, '\n', text.len) &&
                             !memchr(text.data, '\r', text.len));
}

int arda_notify_words(struct notify_run *run)
{
    const struct arda_notification *told = &run->step.notification;
    enum arda_notify_type type;
    char now[BASE_RFC3339_LEN + 1];
    if (arda_notify_type_find(told->type.data, told->type.len, &type) < 0 ||
        !base_utf8_valid(told->title.data, told->title.len) ||
        !base_utf8_valid(told->body.data, told->body.len) ||
        !base_utf8_valid(told->action_url.data, told->action_url.len) ||
        !is_object_on_a_line(told->metadata))
        return BASE_ERR_INVALID;
    base_rfc3339_format(run->step.now_ms, now);
    int failed = add_names(run) | add_rules(run, now) | add_row(run, now) | add_created(run, now);
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* ---- one chunk ---- */

static int pack_user(struct notify_run *run, const struct arda_notify_user *user)
{
    const struct arda_notify_step *step = &run->step;
    const struct base_slice tenant = {step->tenant, strlen(step->tenant)};
    const struct base_slice who = {user->id, strlen(user->id)};
    struct base_buf *out = &run->users;
    char texts[ARDA_NOTIFY_CHANNELS + 1][ARDA_NOTIFY_ID_LEN + 1];
    int failed = arda_notify_id(step->cause.time_ms, tenant, step->cause.key, who,
                                step->notification.type, texts[ARDA_NOTIFY_CHANNELS]);
    if (!failed && base_buf_reserve(out, sizeof texts + who.len) < 0)
        return BASE_ERR_NOMEM;
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS && !failed; i++) {
        const char *id = texts[ARDA_NOTIFY_CHANNELS];
        bool on = user->channels & ARDA_NOTIFY_BIT(i);
        base_buf_add_byte(out, on ? '1' : '0'); /* there is room */
        if (on && i == ARDA_NOTIFY_IN_APP)
            failed = arda_notify_event_id(id, texts[i]);
        else if (on)
            failed = arda_notify_delivery_id(id, (enum arda_notify_channel)i, texts[i]);
    }
    if (failed)
        return failed;
    base_buf_add(out, texts[ARDA_NOTIFY_CHANNELS], ARDA_NOTIFY_ID_LEN);
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS; i++)
        if (user->channels & ARDA_NOTIFY_BIT(i))
            base_buf_add(out, texts[i], ARDA_NOTIFY_ID_LEN);
    base_buf_add(out, who.data, who.len);
    return BASE_OK;
}

/* Packs the users of the chunk; where each ends goes to `ends`, how many they are to `count`. */
static int pack_users(struct notify_run *run, size_t ends[static ARDA_NOTIFY_CHUNK], int *count)
{
    run->users.len = 0;
    *count = 0;
    for (size_t i = 0; i < run->sent; i++) {
        const struct arda_notify_user *user = &run->step.users[run->next + i];
        if (user->channels == 0)
            continue;
        int failed = pack_user(run, user);
        if (failed)
            return failed;
        ends[(*count)++] = run->users.len;
    }
    return BASE_OK;
}

/* The event's text goes along only where a delivery may be recorded. */
static bool has_deliveries(const struct notify_run *run)
{
    for (size_t i = 0; i < run->sent; i++)
        if (run->step.users[run->next + i].channels & ~ARDA_NOTIFY_BIT(ARDA_NOTIFY_IN_APP))
            return true;
    return false;
}

int arda_notify_send(struct notify_run *run, arda_reply_fn done)
{
    const char *argv[NOTIFY_WORDS + ARDA_NOTIFY_CHUNK];
    size_t lens[NOTIFY_WORDS + ARDA_NOTIFY_CHUNK], ends[ARDA_NOTIFY_CHUNK];
    size_t left = run->step.user_count - run->next, chunk = run->step.chunk;
    int count;
    run->sent = left < chunk ? left : chunk;
    bool last = run->sent == left;
    int failed = pack_users(run, ends, &count);
    if (failed)
        return failed;
    for (int i = 0; i < NOTIFY_WORDS; i++) {
        argv[i] = run->words.data + run->spans[i].at;
        lens[i] = run->spans[i].len;
    }
    argv[NOTIFY_FROM] = run->from;
    lens[NOTIFY_FROM] = strlen(run->from);
    argv[NOTIFY_UPTO] = last ? "" : run->step.users[run->next + run->sent - 1].id;
    lens[NOTIFY_UPTO] = strlen(argv[NOTIFY_UPTO]);
    if (!has_deliveries(run))
        lens[NOTIFY_TEXT] = 0;
    for (int i = 0; i < count; i++) {
        size_t from = i > 0 ? ends[i - 1] : 0;
        argv[NOTIFY_WORDS + i] = run->users.data + from;
        lens[NOTIFY_WORDS + i] = ends[i] - from;
    }
    return arda_script_call(run->bus, &arda_notify_step_script, NOTIFY_WORDS + count, argv, lens,
                            done, run);
}
