/* SPDX-License-Identifier: ISC
 *
 * What would become of an event, and why: a line for the event, then one for each user and channel.
 * --explain does that for the events of standard input, one after the other; --dry-run for those
 * that come.
 */
#include "notifyd.h"

#include "app/input.h"
#include "arda/mail/address.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define MAX_LINE 1048576

struct explain {
    struct base_list todo; /* of works, in the order of the input */
    struct app_input *input;
    bool unread; /* the input, or what is left of it */
    bool asking;
    bool waits; /* until what was printed is read */
    int status;
};

/* ---- lines ---- */

static int add_string(struct base_buf *out, const char *key, struct base_slice text)
{
    int failed = base_buf_printf(out, ",\"%s\":", key);
    return failed |
           (text.data ? base_json_quote(out, text.data, text.len) : base_buf_add_text(out, "null"));
}

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, text ? strlen(text) : 0};
}

/* What the event is known by: its id, else what stands for one. */
static int begin_line(struct base_buf *out, const struct arda_message *message,
                      const struct arda_notify_cause *cause)
{
    int failed = base_buf_add_text(out, "{\"event\":");
    if (cause->id.len > 0)
        failed |= base_buf_add(out, cause->id.data, cause->id.len);
    else
        failed |= base_json_quote(out, cause->key, strlen(cause->key));
    return failed | add_string(out, "tenantId", message->tenant);
}

static void end_line(struct notifyd *nd, struct base_buf *out, int failed)
{
    failed |= base_buf_add_text(out, "}\n");
    if (failed)
        base_log(BASE_LOG_ERROR, "out of memory: a line was not printed");
    else
        print_text(nd, out->data, out->len);
    out->len = 0;
}

static int add_rule(struct base_buf *out, const struct arda_notify_rule *rule)
{
    struct base_buf text = BASE_BUF_INIT;
    int failed = base_buf_add_text(&text, rule->event);
    if (rule->order_type && *rule->order_type != '*')
        failed |= base_buf_printf(&text, ", orderType %s", rule->order_type);
    if (rule->field)
        failed |= base_buf_printf(&text, ", %s %s", rule->field, rule->values);
    failed |= add_string(out, "rule", (struct base_slice){text.data, text.len});
    base_buf_fini(&text);
    return failed;
}

static void print_event(const struct work *work)
{
    struct base_buf out = BASE_BUF_INIT;
    const struct arda_notification *notification = &work->notification;
    const struct base_json_value *type = &work->message.type;
    int failed = begin_line(&out, &work->message, &work->cause);
    failed |= base_buf_add_text(&out, ",\"type\":") | base_buf_add(&out, type->text, type->len);
    failed |= add_rule(&out, work->rule);
    failed |= add_string(&out, "notificationType", notification->type);
    failed |= add_string(&out, "title", notification->title);
    failed |= add_string(&out, "body", notification->body);
    failed |= add_string(&out, "actionUrl", notification->action_url);
    end_line(work->tenant->nd, &out, failed);
    base_buf_fini(&out);
}

/* Where a channel leads, or NULL. */
static const char *address_of(const struct people *people, const struct person *person, int channel)
{
    if (channel == ARDA_NOTIFY_EMAIL)
        return person->email;
    return channel == ARDA_NOTIFY_WEBHOOK ? people->webhook : person->id;
}

/* Why nothing can go there, or NULL. */
static const char *obstacle(int channel, const char *address)
{
    if (channel == ARDA_NOTIFY_EMAIL && address)
        return arda_mail_address_wire(slice(address), NULL, NULL) == BASE_ERR_INVALID
                   ? "e-mail cannot be sent to this address"
                   : NULL;
    if (address)
        return NULL;
    return channel == ARDA_NOTIFY_EMAIL ? "no e-mail address" : "no webhook that is enabled";
}

static void print_channel(const struct work *work, const struct people *people,
                          const struct person *person, int channel, bool on, const char *because)
{
    struct base_buf out = BASE_BUF_INIT;
    char id[ARDA_NOTIFY_ID_LEN + 1] = "";
    const char *address = address_of(people, person, channel);
    const char *why_not = obstacle(channel, address);
    bool goes = on && !why_not && person->active;
    (void)arda_notify_id(work->cause.time_ms, work->message.tenant, work->cause.key,
                         slice(person->id), work->notification.type, id);
    if (!person->active)
        because = "the user is not active";
    else if (on && why_not)
        because = why_not;
    int failed = begin_line(&out, &work->message, &work->cause);
    failed |= add_string(&out, "userId", slice(person->id));
    failed |= add_string(&out, "notificationId", slice(id));
    failed |= add_string(&out, "channel",
                         slice(arda_notify_channel_name((enum arda_notify_channel)channel)));
    failed |= base_buf_printf(&out, ",\"goes\":%s", goes ? "true" : "false");
    failed |= add_string(&out, "because", slice(because));
    failed |= add_string(&out, "address", slice(address));
    end_line(work->tenant->nd, &out, failed);
    base_buf_fini(&out);
}

void explain_work(struct work *work, const struct people *people)
{
    enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS];
    print_event(work);
    for (size_t i = 0; i < people->count; i++) {
        const struct person *person = &people->persons[i];
        unsigned on = arda_notify_resolve(people->preferences, person->id, strlen(person->id),
                                          work->type, sources);
        for (int channel = 0; channel < ARDA_NOTIFY_CHANNELS; channel++)
            print_channel(work, people, person, channel, on & ARDA_NOTIFY_BIT(channel),
                          arda_notify_source_text(sources[channel]));
    }
}

void explain_skipped(struct notifyd *nd, struct base_slice text, enum notifyd_skip skip)
{
    struct base_buf out = BASE_BUF_INIT;
    struct arda_message message;
    struct arda_notify_cause cause;
    if (arda_message_parse(text.data, text.len, NULL, 0, &message, NULL) ||
        arda_notify_cause_of(&message, &cause) < 0)
        return;
    int failed = begin_line(&out, &message, &cause);
    failed |= base_buf_add_text(&out, ",\"type\":");
    failed |= base_buf_add(&out, message.type.text, message.type.len);
    failed |= add_string(&out, "rule", slice(NULL));
    failed |= add_string(&out, "because", slice(notifyd_skip_text(skip)));
    end_line(nd, &out, failed);
    base_buf_fini(&out);
}

/* ---- --explain ---- */

static void complain(struct notifyd *nd, uint64_t line, const char *reason)
{
    base_log(BASE_LOG_ERROR, "line %llu: %s", (unsigned long long)line, reason);
    nd->explain->status = BASE_EXIT_DATAERR;
}

static void complain_of_form(struct notifyd *nd, uint64_t line, const char *reason)
{
    if (app_input_may_complain(nd->explain->input))
        complain(nd, line, reason);
    nd->explain->status = BASE_EXIT_DATAERR;
}

static void take_line(struct notifyd *nd, uint64_t number, struct base_slice line)
{
    struct arda_message message;
    enum arda_drop drop = arda_message_parse(line.data, line.len, NULL, 0, &message, NULL);
    if (drop || message.tenant.len == 0) {
        complain_of_form(nd, number, drop ? arda_drop_text(drop) : "no \"tenantId\"");
        return;
    }
    struct tenant *tenant = tenants_get(nd, message.tenant.data, message.tenant.len);
    struct work_verdict verdict = {.result = WORK_NOMEM};
    if (tenant)
        verdict = work_make(tenant, line, FROM_CHANNEL, NULL);
    if (verdict.result == WORK_MADE)
        base_list_append(&nd->explain->todo, &verdict.work->link);
    else if (verdict.result == WORK_SKIPPED)
        explain_skipped(nd, line, verdict.skip);
    else
        complain(nd, number, verdict.reason ? verdict.reason : "out of memory");
}

static void on_line(void *data, uint64_t number, struct base_slice line)
{
    take_line(data, number, line);
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    complain(data, number, base_err_text(result));
}

static void on_end(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    if (result) {
        base_log(BASE_LOG_ERROR, "%s", why->text);
        nd->explain->status = base_exit_status(result);
    }
    nd->explain->unread = result != BASE_OK;
    app_input_close(nd->explain->input);
}

/* The whole input, before anything is asked: it is somebody's question, not a stream. On a loop of
 * its own, without signals: whoever waits for the input can end the program. */
int explain_read(struct notifyd *nd)
{
    const struct app_input_handlers handlers = {on_line, on_bad_line, on_end, nd,
                                                "arda-notifyd --explain"};
    struct base_why why;
    uv_loop_t loop;
    nd->explain = base_calloc(1, sizeof *nd->explain);
    if (!nd->explain)
        return BASE_EXIT_SOFTWARE;
    base_list_init(&nd->explain->todo);
    uv_loop_init(&loop);
    int failed = app_input_open(&loop, "-", MAX_LINE, &handlers, &nd->explain->input, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    nd->explain->input = NULL;
    return failed ? base_exit_status(failed) : nd->explain->unread ? nd->explain->status : 0;
}

static void on_people(void *data, int result, struct people *people, const struct base_why *why)
{
    struct notifyd *nd = data;
    struct explain *explain = nd->explain;
    explain->asking = false;
    if (result) {
        base_log(BASE_LOG_ERROR, "the directory cannot be read: %s", why->text);
        notifyd_stop(nd,
                     base_exit_status(result == BASE_ERR_CLOSED ? BASE_ERR_UNAVAILABLE : result));
        return;
    }
    struct work *work = base_container(explain->todo.next, struct work, link);
    explain_work(work, people);
    people_unref(people);
    work_free(work);
    explain_up(nd);
}

void explain_up(struct notifyd *nd)
{
    struct explain *explain = nd->explain;
    explain->waits = print_is_stuck(nd);
    if (explain->asking || nd->stopping || explain->waits)
        return;
    if (base_list_empty(&explain->todo)) {
        notifyd_stop(nd, explain->status);
        return;
    }
    struct work *work = base_container(explain->todo.next, struct work, link);
    int failed = people_load(nd->bus, work->tenant->id, true, on_people, nd);
    explain->asking = !failed;
    if (failed && failed != BASE_ERR_UNAVAILABLE) { /* else the lost connection ends us */
        base_log(BASE_LOG_ERROR, "the directory cannot be read: %s", base_err_text(failed));
        notifyd_stop(nd, base_exit_status(failed));
    }
}

void explain_turn(struct notifyd *nd)
{
    if (nd->explain && nd->explain->waits)
        explain_up(nd);
}

void explain_fini(struct notifyd *nd)
{
    if (!nd->explain)
        return;
    BASE_LIST_FOREACH_SAFE (link, &nd->explain->todo)
        work_free(base_container(link, struct work, link));
    base_free(nd->explain);
}
