/* SPDX-License-Identifier: ISC
 *
 * add: who receives it and on which channels is read from the directory, then it goes through the
 * notification step, whatever has changed in between: the directory was read after the program had
 * been started, which is as new as it has to be. The id is made before the first try, so that all
 * tries together add it once.
 */
#include "arda-inbox/inbox.h"

#include "arda/directory.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

struct add {
    struct arda_inbox_addition addition;
    enum arda_notify_type type;
    char id[ARDA_ID_MAX + 1];
    struct base_buf metadata;

    /* As the directory has them: ids, each with its NUL, and for each its channels. */
    struct base_buf ids, channels;
    struct arda_notify_preferences *preferences;
    struct arda_notify_user *users;
    bool known; /* the one that is named */
    bool failed;
};

void add_free(struct tool *tool)
{
    struct add *add = tool->add;
    if (!add)
        return;
    arda_notify_preferences_free(add->preferences);
    base_buf_fini(&add->metadata);
    base_buf_fini(&add->ids);
    base_buf_fini(&add->channels);
    base_free(add->users);
    base_free_clear(&tool->add);
}

/* ---- who ---- */

static void add_user(struct add *add, const char *id)
{
    unsigned channels = arda_notify_resolve(add->preferences, id, strlen(id), add->type, NULL);
    add->failed |= base_buf_add(&add->ids, id, strlen(id) + 1) < 0;
    add->failed |= base_buf_add(&add->channels, &channels, sizeof channels) < 0;
}

static void take_preference(struct add *add, const struct arda_directory_line *line)
{
    struct base_json_value enabled = arda_directory_line_member(line, "enabled");
    int failed = arda_notify_preferences_set_field(add->preferences, line->id, strlen(line->id),
                                                   enabled.kind == BASE_JSON_TRUE ? "1" : "0", 1);
    add->failed |= failed == BASE_ERR_NOMEM;
}

/* Preferences come before users. */
static void on_line(void *data, const struct arda_directory_line *line)
{
    struct tool *tool = ((struct request *)data)->tool;
    const char *named = tool->settings.user;
    if (line->kind == ARDA_DIRECTORY_PREFERENCE)
        take_preference(tool->add, line);
    else if (named && strcmp(line->id, named) == 0)
        tool->add->known = true;
    else if (!named && arda_directory_line_member(line, "active").kind != BASE_JSON_FALSE)
        add_user(tool->add, line->id);
}

static void on_bad(void *data, const struct base_why *why)
{
    (void)data;
    base_log(BASE_LOG_WARNING, "%s; it is left out", why->text);
}

static int list_users(struct add *add)
{
    size_t count = add->channels.len / sizeof(unsigned);
    const char *id = add->ids.data;
    base_free(add->users);
    add->users = base_calloc(count + 1, sizeof *add->users);
    if (!add->users)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < count; i++, id += strlen(id) + 1) {
        add->users[i].id = id;
        memcpy(&add->users[i].channels, add->channels.data + i * sizeof(unsigned),
               sizeof(unsigned));
    }
    add->addition.users = add->users;
    add->addition.user_count = count;
    return BASE_OK;
}

/* ---- the step ---- */

static void on_added_row(void *data, struct base_slice row)
{
    struct tool *tool = ((struct request *)data)->tool;
    if (!tool->base.ending)
        tool_print_row(tool, row);
}

static void on_added(void *data, int result, const struct arda_notify_result *outcome,
                     const struct base_why *why)
{
    struct request *request = data;
    struct tool *tool = request->tool;
    if (!result && outcome->outcome == ARDA_NOTIFY_BEFORE)
        base_log(BASE_LOG_INFO, "%s was added before", tool->add->id);
    tool_answer(data, result, why);
}

static int send_step(struct arda_bus *bus, struct request *request)
{
    return arda_inbox_add(bus, &request->tool->add->addition, on_added, request);
}

static bool has_recipients(struct tool *tool)
{
    const struct add *add = tool->add;
    unsigned channels = 0;
    for (size_t i = 0; i < add->addition.user_count; i++)
        channels |= add->users[i].channels;
    if (add->addition.user_count == 0 && tool->settings.user)
        base_log(BASE_LOG_ERROR, "user %s of tenant %s is not in the directory",
                 tool->settings.user, tool->settings.tenant);
    else if (add->addition.user_count == 0)
        base_log(BASE_LOG_ERROR, "tenant %s has no active users", tool->settings.tenant);
    else if (channels == 0)
        base_log(BASE_LOG_ERROR, "nobody has a channel on for %s", tool->settings.type);
    return channels != 0;
}

static void on_snapshot(void *data, int result, const struct arda_directory_state *state,
                        const struct base_why *why)
{
    struct request *request = data;
    struct tool *tool = request->tool;
    struct add *add = tool->add;
    (void)state;
    if (result) {
        tool_answer(data, result, why);
        return;
    }
    if (tool->settings.user && add->known)
        add_user(add, tool->settings.user);
    if (add->failed || list_users(add) < 0) {
        app_tool_out_of_memory(&tool->base);
        tool_answer(data, BASE_OK, NULL);
        return;
    }
    if (!has_recipients(tool)) {
        tool->base.status = BASE_EXIT_NO;
        tool_answer(data, BASE_OK, NULL);
        return;
    }
    request->send = send_step; /* also if this has to be sent again */
    int failed = send_step(tool->base.bus, request);
    if (failed)
        app_outbox_unsent(&request->item, failed);
}

static int send_snapshot(struct arda_bus *bus, struct request *request)
{
    struct tool *tool = request->tool;
    struct add *add = tool->add;
    const struct arda_directory_handlers handlers = {on_line, on_bad, on_snapshot, request};
    arda_notify_preferences_free(add->preferences);
    add->preferences = arda_notify_preferences_new();
    add->ids.len = add->channels.len = 0;
    if (!add->preferences)
        return BASE_ERR_NOMEM;
    return arda_directory_snapshot(bus, tool->settings.tenant,
                                   ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_PREFERENCE) |
                                       ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_USER),
                                   &handlers);
}

/* ---- what ---- */

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, text ? strlen(text) : 0};
}

static bool is_text(const char *option, const char *text)
{
    if (!text || base_utf8_valid(text, strlen(text)))
        return true;
    base_log(BASE_LOG_ERROR, "%s: not UTF-8", option);
    return false;
}

static int take_metadata(struct add *add, const char *text)
{
    struct base_json_value value;
    struct base_json_error error;
    if (!text)
        return BASE_EXIT_OK;
    if (base_json_check(text, strlen(text), &value, &error) < 0) {
        base_log(BASE_LOG_ERROR, "--metadata: column %zu: %s", error.offset + 1, error.text);
        return BASE_EXIT_USAGE;
    }
    if (value.kind != BASE_JSON_OBJECT) {
        base_log(BASE_LOG_ERROR, "--metadata: expected a JSON object");
        return BASE_EXIT_USAGE;
    }
    return base_text_flat(&add->metadata, (struct base_slice){value.text, value.len}) < 0
               ? BASE_EXIT_SOFTWARE
               : BASE_EXIT_OK;
}

static int take_type(struct add *add, const char *type)
{
    if (type && arda_notify_type_find(type, strlen(type), &add->type) == 0)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "--type: expected one of"
#define NAME_(type, name, in_app, email, webhook) " " name
             ARDA_NOTIFY_TYPE_MAP(NAME_)
#undef NAME_
    );
    return BASE_EXIT_USAGE;
}

static int take_id(struct add *add, const char *id)
{
    if (!id)
        return base_id_uuid7(add->id) < 0 ? BASE_EXIT_SOFTWARE : BASE_EXIT_OK;
    if (!arda_id_valid(id, strlen(id))) {
        base_log(BASE_LOG_ERROR, "--id: expected 1 to 64 characters of A-Z a-z 0-9 . _ -");
        return BASE_EXIT_USAGE;
    }
    strcpy(add->id, id);
    return BASE_EXIT_OK;
}

static int take_settings(struct add *add, const struct settings *settings)
{
    int status = take_type(add, settings->type);
    if (!status && (!settings->title || !*settings->title)) {
        base_log(BASE_LOG_ERROR, "--title is missing");
        status = BASE_EXIT_USAGE;
    }
    if (!status && (!is_text("--title", settings->title) || !is_text("--body", settings->body) ||
                    !is_text("--action-url", settings->action_url)))
        status = BASE_EXIT_USAGE;
    if (!status)
        status = take_metadata(add, settings->metadata);
    if (!status)
        status = take_id(add, settings->id);
    add->addition = (struct arda_inbox_addition){
        .tenant = settings->tenant,
        .id = add->id,
        .notification = {.type = slice(settings->type),
                         .title = slice(settings->title),
                         .body = slice(settings->body),
                         .action_url = slice(settings->action_url),
                         .metadata = {add->metadata.data, add->metadata.len}},
        .version = -1,
        .now_ms = base_clock_wall_ms(),
        .on_row = settings->json ? on_added_row : NULL,
    };
    return status;
}

static int start(struct tool *tool)
{
    tool->add = base_calloc(1, sizeof *tool->add);
    if (!tool->add)
        return BASE_EXIT_SOFTWARE;
    int status = take_settings(tool->add, &tool->settings);
    if (!status)
        tool_ask(tool, send_snapshot);
    return status;
}

static void on_done(struct tool *tool)
{
    app_tool_end(&tool->base, BASE_EXIT_OK);
}

const struct command add_command = {"add", false, false, start, on_done};
