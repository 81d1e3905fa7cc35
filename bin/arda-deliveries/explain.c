/* SPDX-License-Identifier: ISC
 *
 * Happy path: the delivery that was named, all deliveries in question, what Redis knows of the
 * event, perhaps the event in the tenant's stream and with it the notification it would have made,
 * then the directory. Whatever is missing is part of the answer.
 */
#include "arda-deliveries/explain.h"

#include "arda/message.h"
#include "arda/notify_ids.h"
#include "arda/notify_rules.h"
#include "arda/stream/stream.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum stage { DELIVERY, RECORDS, FACTS, FIND, READ, ROW, DIRECTORY, PRINT };

void explain_free(struct tool *tool)
{
    struct explain *explain = tool->explain;
    if (!explain)
        return;
    arda_notify_preferences_free(explain->preferences);
    endpoint_fini(&explain->endpoint);
    base_buf_fini(&explain->text);
    base_buf_fini(&explain->event_type);
    base_buf_fini(&explain->rule);
    base_buf_fini(&explain->title);
    base_buf_fini(&explain->email);
    base_buf_fini(&explain->time_zone);
    base_buf_fini(&explain->digest);
    base_buf_fini(&explain->quiet);
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS; i++)
        base_buf_fini(&explain->deliveries[i]);
    base_free_clear(&tool->explain);
}

static const char *tenant_of(const struct tool *tool)
{
    return tool->tenants.data + tool->explain->tenant;
}

static struct explain *of(void *request)
{
    return ((struct request *)request)->tool->explain;
}

/* An id fits; anything longer is none. */
static void copy(char *to, size_t size, struct base_slice text)
{
    if (*to || text.len == 0 || text.len >= size)
        return;
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

static void set_type(struct explain *explain, struct base_slice name)
{
    if (!explain->typed && arda_notify_type_find(name.data, name.len, &explain->type) == 0)
        explain->typed = true;
}

#define TYPE_BYTES 64 /* no type has a longer name */

static void note_row(struct explain *explain, struct base_slice row)
{
    enum member { TITLE, TYPE, MEMBERS };
    struct base_json_member found[MEMBERS] = {
        [TITLE] = BASE_JSON_WANT("title"), [TYPE] = BASE_JSON_WANT("type")};
    char type[TYPE_BYTES];
    if (row.len == 0 || base_json_pick(row.data, row.len, found, MEMBERS, NULL, NULL) < 0)
        return;
    ssize_t len = base_json_copy(&found[TYPE].value, type, sizeof type);
    if (len > 0)
        set_type(explain, (struct base_slice){type, (size_t)len});
    if (explain->title.len == 0)
        explain->failed |=
            base_json_unescape(&found[TITLE].value, &explain->title) == BASE_ERR_NOMEM;
}

/* ---- deliveries ---- */

static void add_record(struct tool *tool, const struct arda_delivery_record *record)
{
    struct explain *explain = tool->explain;
    struct base_buf *out = &explain->deliveries[record->channel];
    uint64_t number = explain->counts[record->channel]++;
    int failed = BASE_OK;
    set_type(explain, record->type);
    if (tool->settings.json) {
        failed |= number > 0 ? base_buf_add_byte(out, ',') : BASE_OK;
        failed |= arda_delivery_record_write(out, record);
    } else {
        failed |= base_buf_add_text(out, "  ");
        failed |= base_text_clean(out, record->id.data, record->id.len);
        failed |= base_buf_add_text(out, "  ");
        failed |= print_state(out, record) | base_buf_add_byte(out, '\n');
        failed |= print_attempts(out, record, 4);
    }
    explain->failed |= failed < 0;
}

/* What it was made from; of a list of a type alone there may be many. */
static void note_record(struct explain *explain, const struct arda_delivery_record *record)
{
    copy(explain->event, sizeof explain->event, record->cause);
    copy(explain->notification, sizeof explain->notification, record->notification_id);
    note_row(explain, record->notification);
}

/* ---- the delivery that was named ---- */

static void on_named(void *data, const struct arda_delivery_record *record)
{
    struct request *request = data;
    struct explain *explain = of(data);
    explain->tenant = request->tenant;
    explain->named = true;
    *explain->user = '\0'; /* it is the delivery's, whatever was asked */
    copy(explain->user, sizeof explain->user, record->user);
    note_record(explain, record);
    add_record(request->tool, record);
}

/* Perhaps it is the id of a notification. */
static void on_looked(void *data, int result, bool more, const struct base_why *why)
{
    struct request *request = data;
    struct explain *explain = of(data);
    (void)more;
    if (result == BASE_ERR_NOTFOUND && tool_try_next_tenant(request))
        return;
    if (result == BASE_ERR_NOTFOUND) {
        copy(explain->notification, sizeof explain->notification,
             (struct base_slice){request->id, strlen(request->id)});
        result = BASE_OK;
    }
    tool_answer(data, result, why);
}

static int send_delivery(struct arda_bus *bus, struct request *request)
{
    const struct arda_delivery_reader reader = {on_named, walk_on_bad, on_looked, request};
    return arda_delivery_get(bus, tool_tenant(request), request->id, &reader);
}

/* ---- deliveries in question ---- */

static void on_record(void *data, const struct arda_delivery_record *record)
{
    struct tool *tool = ((struct request *)data)->tool;
    tool->left--;
    if (tool->filter.notification || tool->filter.event)
        note_record(tool->explain, record);
    add_record(tool, record);
}

/* ---- what Redis knows of it ---- */

static void on_facts(void *data, int result, const struct arda_delivery_facts *facts,
                     const struct base_why *why)
{
    struct explain *explain = of(data);
    if (!result) {
        explain->shadow = facts->shadow;
        explain->handled = facts->handled;
        explain->in_inbox = facts->row.len > 0;
        note_row(explain, facts->row);
        explain->failed |= endpoint_note(&explain->endpoint, facts) < 0;
        if (explain->text.len == 0)
            explain->failed |=
                base_buf_add(&explain->text, facts->cause.data, facts->cause.len) < 0;
    }
    tool_answer(data, result, why);
}

static int send_facts(struct arda_bus *bus, struct request *request)
{
    struct explain *explain = request->tool->explain;
    return arda_delivery_facts(bus, tenant_of(request->tool), explain->event, explain->user,
                               explain->notification, on_facts, request);
}

/* ---- the event in the stream ---- */

static void on_found(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct explain *explain = of(data);
    if (!result) {
        explain->entry = id;
        explain->in_stream = true;
    }
    tool_answer(data, result == BASE_ERR_NOTFOUND ? BASE_OK : result, why);
}

static int send_find(struct arda_bus *bus, struct request *request)
{
    struct explain *explain = request->tool->explain;
    const char *tenant = tenant_of(request->tool);
    struct arda_when when = {.kind = ARDA_WHEN_EVENT};
    strcpy(when.event_id, explain->event); /* a key fits */
    return arda_stream_find(bus, (struct base_slice){tenant, strlen(tenant)}, &when,
                            ARDA_STREAM_SINCE, on_found, request);
}

static void on_entry(void *data, int result, const struct arda_stream_page *page,
                     const struct base_why *why)
{
    struct explain *explain = of(data);
    if (!result && page->count > 0 && explain->text.len == 0)
        explain->failed |= base_buf_add(&explain->text, page->entries[0].envelope.data,
                                        page->entries[0].envelope.len) < 0;
    tool_answer(data, result, why);
}

static int send_read(struct arda_bus *bus, struct request *request)
{
    const struct explain *explain = request->tool->explain;
    const char *tenant = tenant_of(request->tool);
    const struct arda_stream_range range = {.tenant = {tenant, strlen(tenant)},
                                            .first = explain->entry,
                                            .last = explain->entry,
                                            .max_entries = 1};
    return arda_stream_read(bus, &range, on_entry, request);
}

static void note_rule(struct explain *explain, const struct arda_notify_rule *rule)
{
    int failed = base_buf_add_text(&explain->rule, rule->event);
    if (rule->order_type && *rule->order_type != '*')
        failed |= base_buf_printf(&explain->rule, ", orderType %s", rule->order_type);
    if (rule->field)
        failed |= base_buf_printf(&explain->rule, ", %s %s", rule->field, rule->values);
    explain->failed |= failed < 0;
    set_type(explain, (struct base_slice){rule->type, strlen(rule->type)});
}

void explain_read_event(struct explain *explain, const char *tenant)
{
    const struct arda_notify_rule *rule = NULL;
    struct arda_message message;
    struct arda_notify_cause cause;
    char id[ARDA_NOTIFY_ID_LEN + 1];
    if (explain->text.len == 0 || arda_message_parse(explain->text.data, explain->text.len, tenant,
                                                     strlen(tenant), &message, NULL))
        return;
    explain->ruled = true;
    explain->failed |= base_json_unescape(&message.type, &explain->event_type) == BASE_ERR_NOMEM;
    if (arda_notify_rule_find(message.event, &rule) != ARDA_NOTIFY_RULE)
        return;
    note_rule(explain, rule);
    if (*explain->notification || arda_notify_cause_of(&message, &cause) < 0)
        return;
    copy(explain->event, sizeof explain->event, (struct base_slice){cause.key, strlen(cause.key)});
    if (arda_notify_id(cause.time_ms, message.tenant, cause.key,
                       (struct base_slice){explain->user, strlen(explain->user)},
                       (struct base_slice){rule->type, strlen(rule->type)}, id) == 0)
        copy(explain->notification, sizeof explain->notification,
             (struct base_slice){id, ARDA_NOTIFY_ID_LEN});
}

/* ---- the directory ---- */

static void take_text(struct explain *explain, const struct arda_directory_line *line,
                      const char *name, struct base_buf *out)
{
    struct base_json_value value = arda_directory_line_member(line, name);
    out->len = 0;
    explain->failed |= base_json_unescape(&value, out) == BASE_ERR_NOMEM;
}

/* Entries for the user, for the type and for all: the one that is meant most exactly counts. 0: it
 * does not apply. */
static int rank(const struct explain *explain, const struct arda_directory_line *line, bool typed)
{
    struct base_slice part;
    int exact = 1;
    if (arda_directory_line_part(line, "userId", &part)) {
        if (part.len != strlen(explain->user) || memcmp(part.data, explain->user, part.len) != 0)
            return 0;
        exact += 2;
    }
    if (typed && arda_directory_line_part(line, "notificationType", &part)) {
        const char *type = explain->typed ? arda_notify_type_name(explain->type) : "";
        if (part.len != strlen(type) || memcmp(part.data, type, part.len) != 0)
            return 0;
        exact += 1;
    }
    return exact;
}

static void take_quiet(struct explain *explain, const struct arda_directory_line *line)
{
    struct base_buf until = BASE_BUF_INIT;
    explain->quiet_rank = rank(explain, line, false);
    take_text(explain, line, "from", &explain->quiet);
    take_text(explain, line, "to", &until);
    explain->failed |= base_buf_add_byte(&explain->quiet, '-') < 0 ||
                       base_buf_add(&explain->quiet, until.data, until.len) < 0;
    base_buf_fini(&until);
}

static void take_user(struct explain *explain, const struct arda_directory_line *line)
{
    explain->user_known = true;
    explain->active = arda_directory_line_member(line, "active").kind != BASE_JSON_FALSE;
    take_text(explain, line, "email", &explain->email);
    take_text(explain, line, "timeZone", &explain->time_zone);
}

static void take_preference(struct explain *explain, const struct arda_directory_line *line)
{
    struct base_json_value enabled = arda_directory_line_member(line, "enabled");
    explain->failed |= arda_notify_preferences_set_field(
                           explain->preferences, line->id, strlen(line->id),
                           enabled.kind == BASE_JSON_TRUE ? "1" : "0", 1) == BASE_ERR_NOMEM;
}

static void on_line(void *data, const struct arda_directory_line *line)
{
    struct explain *explain = of(data);
    if (line->kind == ARDA_DIRECTORY_PREFERENCE) {
        take_preference(explain, line);
    } else if (line->kind == ARDA_DIRECTORY_WEBHOOK) {
        explain->failed |= endpoint_take(&explain->endpoint, line) < 0;
    } else if (line->kind == ARDA_DIRECTORY_USER && strcmp(line->id, explain->user) == 0) {
        take_user(explain, line);
    } else if (line->kind == ARDA_DIRECTORY_DIGEST &&
               rank(explain, line, true) > explain->digest_rank) {
        explain->digest_rank = rank(explain, line, true);
        take_text(explain, line, "schedule", &explain->digest);
    } else if (line->kind == ARDA_DIRECTORY_QUIET &&
               rank(explain, line, false) > explain->quiet_rank) {
        take_quiet(explain, line);
    }
}

static int send_directory(struct arda_bus *bus, struct request *request)
{
    const struct arda_directory_handlers handlers = {on_line, tool_left_out, tool_snapshot,
                                                     request};
    unsigned kinds =
        ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_PREFERENCE) | ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_USER) |
        ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_WEBHOOK) | ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_DIGEST) |
        ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_QUIET);
    return arda_directory_snapshot(bus, tenant_of(request->tool), kinds, &handlers);
}

/* ---- one after the other ---- */

static void name_what(struct tool *tool)
{
    struct explain *explain = tool->explain;
    tool->filter.user = explain->user;
    tool->filter.notification = *explain->notification ? explain->notification : NULL;
    if (tool->filter.notification)
        tool->filter.event = NULL;
    tool->next_tenant = explain->tenant;
    tool->left = tool->settings.limit ? (uint64_t)tool->settings.limit : UINT64_MAX;
}

static void finish(struct tool *tool)
{
    struct explain *explain = tool->explain;
    int failed = explain->failed       ? BASE_ERR_NOMEM
                 : tool->settings.json ? explain_write(tool, explain)
                                       : explain_print(tool, explain);
    tool_print(tool, failed);
    tool_end(tool, BASE_EXIT_OK);
}

static bool walk_one_tenant(struct tool *tool)
{
    bool first = tool->walked == NULL;
    return (first || tool->more) && walk_on(tool, on_record);
}

static void on_done(struct tool *tool)
{
    struct explain *explain = tool->explain;
    switch (explain->stage) {
    case DELIVERY:
        if (!*explain->user) {
            base_log(BASE_LOG_ERROR, "there is no such delivery; of a notification, --tenant and "
                                     "--user are needed");
            tool_end(tool, BASE_EXIT_NO);
            return;
        }
        name_what(tool);
        explain->stage = RECORDS;
        /* fall through */
    case RECORDS:
        if (!explain->named && walk_one_tenant(tool))
            return;
        explain->stage = FACTS;
        tool_ask(tool, send_facts);
        return;
    case FACTS:
        explain->stage = FIND;
        if (*explain->event && explain->text.len == 0) {
            tool_ask(tool, send_find);
            return;
        }
        /* fall through */
    case FIND:
        explain->stage = READ;
        if (explain->in_stream) {
            tool_ask(tool, send_read);
            return;
        }
        /* fall through */
    case READ:
        explain_read_event(explain, tenant_of(tool));
        explain->stage = ROW;
        tool_ask(tool, send_facts);
        return;
    case ROW:
        explain->stage = DIRECTORY;
        tool_ask(tool, send_directory);
        return;
    default: finish(tool);
    }
}

static bool is_complete(const struct tool *tool)
{
    const struct settings *settings = &tool->settings;
    if (tool->ids.len > 0)
        return true;
    return settings->tenant && settings->user &&
           (settings->event || settings->notification || settings->type);
}

static void start(struct tool *tool)
{
    struct explain *explain = tool->explain = base_calloc(1, sizeof *explain);
    if (explain)
        explain->preferences = arda_notify_preferences_new();
    if (!explain || !explain->preferences) {
        app_tool_out_of_memory(&tool->base);
        return;
    }
    if (!is_complete(tool)) {
        base_log(BASE_LOG_ERROR, "expected the id of a delivery, or --tenant and --user with "
                                 "--event, --notification or --type");
        tool_end(tool, BASE_EXIT_USAGE);
        return;
    }
    if (tool->settings.user)
        strcpy(explain->user, tool->settings.user); /* an id fits, as do the others */
    if (tool->settings.event)
        strcpy(explain->event, tool->settings.event);
    if (tool->settings.notification)
        strcpy(explain->notification, tool->settings.notification);
    if (tool->settings.type)
        set_type(explain, (struct base_slice){tool->settings.type, strlen(tool->settings.type)});
    if (tool->ids.len == 0) {
        on_done(tool);
        return;
    }
    struct request *request = tool_request(tool, send_delivery);
    if (!request)
        return;
    strcpy(request->id, tool->ids.data);
    tool_send(request);
}

const struct command explain_command = {"explain", true, true, false, start, on_done};
