/* SPDX-License-Identifier: ISC
 *
 * Filling the templates of a rule. Each text is written behind the others into one buffer, and
 * becomes a slice when the buffer does not move any more.
 */
#include "arda/notify_rules.h"

#include "arda/tenant.h"
#include "base/err.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

#define NUMBER_MAX 40 /* bytes; a longer one is nothing to read */

enum use { IN_TEXT, IN_URL };

/* ---- members ---- */

/* Members whose values are words of ours, with underscores for blanks. */
static bool is_words(const char *name, size_t len)
{
    static const char *const names[] = {"toStage", "fromStage", "orderType", "toStatus",
                                        "fromStatus"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return true;
    return false;
}

static struct base_json_value member_of(struct base_slice event, const char *name, size_t len)
{
    struct base_json_member member = {.key = name, .key_len = len};
    base_json_pick(event.data, event.len, &member, 1, NULL, NULL);
    return member.value;
}

/* For a person: C0 and C1 controls and DEL become blanks, what is long is cut. */
static int tidy(struct base_buf *out, size_t from, bool words)
{
    size_t len = out->len - from;
    bool cut = len > ARDA_NOTIFY_VALUE_MAX;
    if (cut)
        out->len = from + base_utf8_cut(out->data + from, ARDA_NOTIFY_VALUE_MAX);
    for (size_t i = from; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c < ' ' || c == 0x7F || (c == '_' && words))
            out->data[i] = ' ';
        if (c == 0xC2 && i + 1 < out->len && (unsigned char)out->data[i + 1] < 0xA0) {
            out->data[i] = ' ';
            out->data[++i] = ' ';
        }
    }
    return cut ? base_buf_add_text(out, "…") : BASE_OK;
}

static int add_text(struct base_buf *out, const struct base_json_value *value, bool words)
{
    size_t from = out->len;
    if (value->kind == BASE_JSON_NUMBER && value->len <= NUMBER_MAX)
        return base_buf_add(out, value->text, value->len);
    if (value->kind != BASE_JSON_STRING)
        return BASE_ERR_NOTFOUND;
    int failed = base_json_unescape(value, out);
    if (failed)
        return failed == BASE_ERR_NOMEM ? failed : BASE_ERR_NOTFOUND;
    return out->len > from ? tidy(out, from, words) : BASE_ERR_NOTFOUND;
}

/* A name of dots would lead elsewhere. */
static int add_id(struct base_buf *out, const struct base_json_value *value)
{
    struct base_slice id;
    if (!base_json_plain(value, &id) || !arda_id_valid(id.data, id.len))
        return BASE_ERR_NOTFOUND;
    size_t dots = 0;
    while (dots < id.len && id.data[dots] == '.')
        dots++;
    return dots == id.len ? BASE_ERR_NOTFOUND : base_buf_add(out, id.data, id.len);
}

/* ---- templates ---- */

/* Fills one alternative. BASE_ERR_NOTFOUND: a member is missing. */
static int add_alternative(struct base_buf *out, const char *template, size_t len, enum use use,
                           struct base_slice event)
{
    const char *end = template + len;
    while (template <end) {
        const char *open = memchr(template, '{', (size_t)(end - template));
        int failed = base_buf_add(out, template, (size_t)((open ? open : end) - template));
        if (failed || !open)
            return failed;
        const char *name = open + 1;
        size_t name_len = strcspn(name, "}");
        template = name + name_len + 1;
        if (name_len == 5 && memcmp(name, "stage", 5) == 0) {
            name = "toStage";
            name_len = 7;
        }
        struct base_json_value value = member_of(event, name, name_len);
        failed =
            use == IN_URL ? add_id(out, &value) : add_text(out, &value, is_words(name, name_len));
        if (failed)
            return failed;
    }
    return BASE_OK;
}

/* The first alternative that can be filled, or nothing. */
static int add_filled(struct base_buf *out, const char *template, enum use use,
                      struct base_slice event)
{
    size_t from = out->len;
    while (*template) {
        size_t len = strcspn(template, "|");
        int failed = add_alternative(out, template, len, use, event);
        if (failed != BASE_ERR_NOTFOUND)
            return failed;
        out->len = from;
        template += len + (template[len] == '|');
    }
    return BASE_OK;
}

/* ---- metadata ---- */

static int add_metadata(struct base_buf *out, const char *names, struct base_slice event)
{
    size_t from = out->len;
    int failed = base_buf_add_byte(out, '{');
    while (*names && !failed) {
        size_t len = strcspn(names, "|");
        struct base_json_value value = member_of(event, names, len);
        if (value.kind != BASE_JSON_ABSENT && value.len <= ARDA_NOTIFY_METADATA_MAX) {
            failed = base_buf_printf(out, "%s\"%.*s\":", out->len > from + 1 ? "," : "", (int)len,
                                     names);
            failed |= base_text_flat(out, (struct base_slice){value.text, value.len});
        }
        names += len + (names[len] == '|');
    }
    return failed | base_buf_add_byte(out, '}');
}

/* ---- all of it ---- */

int arda_notify_render(const struct arda_notify_rule *rule, struct base_slice event,
                       struct base_buf *room, struct arda_notification *notification)
{
    size_t ends[4];
    room->len = 0;
    int failed = add_filled(room, rule->title, IN_TEXT, event);
    ends[0] = room->len;
    failed = failed ? failed : add_filled(room, rule->body, IN_TEXT, event);
    ends[1] = room->len;
    failed = failed ? failed : add_filled(room, rule->action_url, IN_URL, event);
    ends[2] = room->len;
    failed = failed ? failed : add_metadata(room, rule->metadata, event);
    ends[3] = room->len;
    if (failed)
        return BASE_ERR_NOMEM;
    const char *texts = room->data;
    *notification = (struct arda_notification){
        .type = {rule->type, strlen(rule->type)},
        .title = {texts, ends[0]},
        .body = {texts + ends[0], ends[1] - ends[0]},
        .action_url = {texts + ends[1], ends[2] - ends[1]},
        .metadata = {texts + ends[2], ends[3] - ends[2]},
    };
    return BASE_OK;
}
