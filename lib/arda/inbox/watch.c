/* SPDX-License-Identifier: ISC
 *
 * Happy path: a notification.created of the user on the tenant's channel, its row, told. Questions
 * go out in the order of the events and answers come back so. Without a row, or without an answer,
 * the event itself is what is told; so an event is kept until then.
 */
#include "arda/inbox.h"

#include "arda/bus.h"
#include "arda/tenant.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

struct arda_inbox_watch {
    struct arda_bus *bus;
    struct arda_inbox_watcher watcher;
    struct arda_subscription *subscription;
    size_t asked; /* answers to come; then the struct lives on */
    bool gone;
    char tenant[ARDA_ID_MAX + 1], user[ARDA_ID_MAX + 1];
};

/* A row that was asked for. */
struct question {
    struct arda_inbox_watch *watch;
    struct base_buf event; /* what to tell instead, as a row */
    bool told;
};

/* ---- an event as a row ---- */

enum member { USER, ID, TYPE, TITLE, TIMESTAMP, CAUSE, MEMBERS };

static const struct base_json_member wanted[MEMBERS] = {
    [USER] = BASE_JSON_WANT("userId"),           [ID] = BASE_JSON_WANT("notificationId"),
    [TYPE] = BASE_JSON_WANT("notificationType"), [TITLE] = BASE_JSON_WANT("title"),
    [TIMESTAMP] = BASE_JSON_WANT("timestamp"),   [CAUSE] = BASE_JSON_WANT("correlationId"),
};

static int add_value(struct base_buf *out, const char *before, const struct base_json_value *value)
{
    int failed = base_buf_add_text(out, before);
    if (value->kind == BASE_JSON_ABSENT)
        return failed | base_buf_add_text(out, "null");
    return failed | base_text_flat(out, (struct base_slice){value->text, value->len});
}

static int row_of_event(struct base_buf *out, const struct arda_inbox_watch *watch,
                        const struct base_json_member *found)
{
    int failed = add_value(out, "{\"id\":", &found[ID].value);
    failed |=
        base_buf_printf(out, ",\"tenantId\":\"%s\",\"userId\":\"%s\"", watch->tenant, watch->user);
    failed |= add_value(out, ",\"type\":", &found[TYPE].value);
    failed |= add_value(out, ",\"title\":", &found[TITLE].value);
    failed |= base_buf_add_text(out, ",\"body\":null,\"isRead\":false,\"readAt\":null,"
                                     "\"actionUrl\":null,\"metadata\":null");
    failed |= add_value(out, ",\"createdAt\":", &found[TIMESTAMP].value);
    failed |= add_value(out, ",\"eventId\":", &found[CAUSE].value);
    return failed | base_buf_add_byte(out, '}');
}

/* ---- asking ---- */

static void free_if_gone(struct arda_inbox_watch *watch)
{
    if (watch->gone && watch->asked == 0)
        base_free(watch);
}

static void tell(struct question *question, struct base_slice row)
{
    struct arda_inbox_watch *watch = question->watch;
    question->told = true;
    if (!watch->gone)
        watch->watcher.on_row(watch->watcher.data, row);
}

static void free_question(struct question *question)
{
    base_buf_fini(&question->event);
    base_free(question);
}

static void on_row(void *data, struct base_slice row, bool is_read)
{
    (void)is_read;
    tell(data, row);
}

static void on_done(void *data, int result, bool more, const struct base_why *why)
{
    struct question *question = data;
    struct arda_inbox_watch *watch = question->watch;
    (void)result, (void)more, (void)why;
    if (!question->told)
        tell(question, (struct base_slice){question->event.data, question->event.len});
    watch->asked--;
    free_if_gone(watch);
    free_question(question);
}

static void ask(struct arda_inbox_watch *watch, const struct base_json_member *found,
                struct base_slice notification)
{
    const struct arda_inbox inbox = {watch->tenant, watch->user};
    char id[ARDA_ID_MAX + 1] = "";
    struct question *question = base_calloc(1, sizeof *question);
    if (!question)
        return;
    const struct arda_inbox_reader reader = {on_row, NULL, on_done, question};
    question->watch = watch;
    if (row_of_event(&question->event, watch, found) < 0) {
        free_question(question);
        return;
    }
    memcpy(id, notification.data, notification.len);
    watch->asked++;
    if (arda_inbox_get(watch->bus, &inbox, id, &reader) < 0)
        on_done(question, BASE_ERR_UNAVAILABLE, false, NULL);
}

/* ---- the subscription ---- */

static void on_message(void *data, const struct arda_message *message)
{
    static const char name[] = "notification.created";
    struct arda_inbox_watch *watch = data;
    struct base_json_member found[MEMBERS];
    char text[ARDA_ID_MAX + 1];
    memcpy(found, wanted, sizeof found);
    if (!base_json_equals(&message->type, name, sizeof name - 1) ||
        base_json_pick(message->event.data, message->event.len, found, MEMBERS, NULL, NULL) < 0 ||
        !base_json_equals(&found[USER].value, watch->user, strlen(watch->user)))
        return;
    ssize_t len = base_json_copy(&found[ID].value, text, sizeof text);
    if (len >= 0 && arda_id_valid(text, (size_t)len))
        ask(watch, found, (struct base_slice){text, (size_t)len});
}

static void on_standing(void *data, bool standing)
{
    struct arda_inbox_watch *watch = data;
    if (watch->watcher.on_standing)
        watch->watcher.on_standing(watch->watcher.data, standing);
}

int arda_inbox_watch(struct arda_bus *bus, const struct arda_inbox *inbox,
                     const struct arda_inbox_watcher *watcher, struct arda_inbox_watch **watch)
{
    size_t user_len = strlen(inbox->user), tenant_len = strlen(inbox->tenant);
    if (!arda_id_valid(inbox->user, user_len) || !arda_tenant_valid(inbox->tenant, tenant_len))
        return BASE_ERR_INVALID;
    struct arda_inbox_watch *fresh = base_calloc(1, sizeof *fresh);
    if (!fresh)
        return BASE_ERR_NOMEM;
    const struct arda_handlers handlers = {on_message, on_standing, fresh};
    fresh->bus = bus;
    fresh->watcher = *watcher;
    memcpy(fresh->tenant, inbox->tenant, tenant_len);
    memcpy(fresh->user, inbox->user, user_len);
    *watch = fresh; /* before on_standing may be called */
    int failed =
        arda_bus_subscribe_tenant(bus, fresh->tenant, tenant_len, &handlers, &fresh->subscription);
    if (failed) {
        *watch = NULL;
        base_free(fresh);
    }
    return failed;
}

void arda_inbox_unwatch(struct arda_inbox_watch *watch)
{
    if (!watch)
        return;
    arda_bus_unsubscribe(watch->subscription);
    watch->gone = true;
    free_if_gone(watch);
}
