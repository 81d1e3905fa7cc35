/* SPDX-License-Identifier: ISC
 *
 * The explanation for a person, and as JSON.
 */
#include "arda-deliveries/explain.h"

#include "arda/mail/address.h"
#include "base/text.h"

#include <string.h>

static const char *email_obstacle(const struct base_buf *address)
{
    struct base_slice text = {address->data, address->len};
    if (text.len == 0)
        return "no e-mail address";
    return arda_mail_address_wire(text, NULL, NULL) == BASE_ERR_INVALID
               ? "e-mail cannot be sent to this address"
               : NULL;
}

const char *explain_obstacle(const struct explain *explain, enum arda_notify_channel channel,
                             unsigned on)
{
    if (!explain->user_known)
        return "there is no such user";
    if (!explain->active)
        return "the user is not active";
    if (!(on & ARDA_NOTIFY_BIT(channel)))
        return "the channel is off";
    if (channel == ARDA_NOTIFY_IN_APP)
        return NULL;
    if (explain->shadow)
        return "nothing goes out for a shadow tenant";
    if (channel == ARDA_NOTIFY_EMAIL)
        return email_obstacle(&explain->email);
    if (!explain->endpoint.known)
        return "the tenant has no webhook";
    return explain->endpoint.enabled ? NULL : "the webhook is disabled";
}

/* Why there is nothing although something would go, or NULL. */
static const char *absence(const struct explain *explain)
{
    if (*explain->event && explain->text.len == 0)
        return "no such event is known";
    if (explain->ruled && explain->rule.len == 0)
        return "the event makes no notification";
    if (*explain->event && !explain->handled && !explain->in_inbox)
        return "the event has not been handled, or longer ago than a day";
    if (!*explain->event && !*explain->notification)
        return "there is no notification of this type that went this way";
    return "it was off, or had no address, when the event was handled; or it was removed since";
}

static struct base_slice slice(const struct base_buf *buf)
{
    return (struct base_slice){buf->data ? buf->data : "", buf->len};
}

static unsigned resolve(const struct explain *explain,
                        enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS])
{
    memset(sources, 0, ARDA_NOTIFY_CHANNELS * sizeof *sources);
    if (!explain->typed)
        return 0;
    return arda_notify_resolve(explain->preferences, explain->user, strlen(explain->user),
                               explain->type, sources);
}

/* ---- for a person ---- */

static int add_clean(struct base_buf *out, const struct base_buf *text)
{
    return base_text_clean(out, slice(text).data, text->len);
}

static int add_label(struct base_buf *out, const char *label, const char *text)
{
    return base_buf_printf(out, "%-8s  ", label) | base_text_clean(out, text, strlen(text));
}

static int print_user(struct base_buf *out, const struct explain *explain)
{
    int failed = add_label(out, "user", explain->user);
    if (!explain->user_known)
        return failed | base_buf_add_text(out, ", who is not in the directory\n");
    if (!explain->active)
        failed |= base_buf_add_text(out, ", not active");
    return failed | base_buf_add_byte(out, '\n');
}

static int print_event(struct base_buf *out, const struct explain *explain)
{
    int failed = BASE_OK;
    if (*explain->event) {
        failed |= add_label(out, "event", explain->event) | base_buf_add_byte(out, ' ');
        failed |= explain->text.len ? add_clean(out, &explain->event_type)
                                    : base_buf_add_text(out, "(its text is not kept any more)");
        failed |= base_buf_add_byte(out, '\n');
    }
    if (explain->ruled) {
        failed |= base_buf_add_text(out, "rule      ");
        failed |= explain->rule.len ? add_clean(out, &explain->rule)
                                    : base_buf_add_text(out, "none: it makes no notification");
        failed |= base_buf_add_byte(out, '\n');
    }
    if (*explain->notification) {
        failed |= add_label(out, "notified", explain->notification);
        failed |= base_buf_add_byte(out, ' ') | add_clean(out, &explain->title) |
                  base_buf_add_byte(out, '\n');
    }
    if (explain->typed)
        failed |= base_buf_printf(out, "type      %s\n", arda_notify_type_name(explain->type));
    return failed;
}

static int print_address(struct base_buf *out, const struct explain *explain,
                         enum arda_notify_channel channel)
{
    int failed = BASE_OK;
    if (channel == ARDA_NOTIFY_IN_APP && explain->in_inbox)
        return base_buf_add_text(out, ", in the inbox");
    if (channel == ARDA_NOTIFY_EMAIL && explain->email.len > 0) {
        failed |= base_buf_add_text(out, ", to ") | add_clean(out, &explain->email);
        if (explain->digest.len > 0)
            failed |= base_buf_add_text(out, ", digest ") | add_clean(out, &explain->digest);
        if (explain->quiet.len > 0)
            failed |= base_buf_add_text(out, ", quiet hours ") | add_clean(out, &explain->quiet);
        if (explain->time_zone.len > 0 && explain->digest.len + explain->quiet.len > 0)
            failed |= base_buf_add_byte(out, ' ') | add_clean(out, &explain->time_zone);
    }
    if (channel == ARDA_NOTIFY_WEBHOOK && explain->endpoint.known)
        failed |= base_buf_add_text(out, ", to ") | endpoint_print(out, &explain->endpoint);
    return failed;
}

static int print_channel(struct base_buf *out, const struct explain *explain,
                         enum arda_notify_channel channel, unsigned on,
                         enum arda_notify_source source)
{
    const char *obstacle = explain_obstacle(explain, channel, on);
    bool is_on = on & ARDA_NOTIFY_BIT(channel);
    int failed = base_buf_printf(out, "%-8s  %s (%s)", arda_notify_channel_name(channel),
                                 is_on ? "on" : "off", arda_notify_source_text(source));
    failed |= print_address(out, explain, channel);
    if (obstacle && is_on)
        failed |= base_buf_printf(out, ": %s", obstacle);
    failed |= base_buf_add_byte(out, '\n');
    if (!obstacle && channel != ARDA_NOTIFY_IN_APP && explain->counts[channel] == 0)
        failed |= base_buf_printf(out, "  no delivery: %s\n", absence(explain));
    return failed;
}

int explain_print(struct tool *tool, struct explain *explain)
{
    enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS];
    struct base_buf *out = &tool->line;
    unsigned on = resolve(explain, sources);
    int failed = print_user(out, explain) | print_event(out, explain);
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS; i++) {
        enum arda_notify_channel channel = (enum arda_notify_channel)i;
        if (explain->typed)
            failed |= print_channel(out, explain, channel, on, sources[i]);
        failed |=
            base_buf_add(out, slice(&explain->deliveries[i]).data, explain->deliveries[i].len);
    }
    if (!explain->typed)
        failed |=
            base_buf_printf(out, "no delivery: %s\n",
                            *explain->event ? absence(explain) : "no such notification is known");
    return failed;
}

/* ---- as JSON ---- */

static int add_string(struct base_buf *out, const char *name, struct base_slice text)
{
    int failed = base_buf_printf(out, ",\"%s\":", name);
    return failed |
           (text.len ? base_json_quote(out, text.data, text.len) : base_buf_add_text(out, "null"));
}

static int add_text(struct base_buf *out, const char *name, const char *text)
{
    return add_string(out, name, (struct base_slice){text ? text : "", text ? strlen(text) : 0});
}

static int add_bool(struct base_buf *out, const char *name, bool value)
{
    return base_buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static int write_channel(struct base_buf *out, const struct explain *explain,
                         enum arda_notify_channel channel, unsigned on,
                         enum arda_notify_source source)
{
    const char *obstacle = explain->typed ? explain_obstacle(explain, channel, on) : NULL;
    bool none = channel != ARDA_NOTIFY_IN_APP && explain->counts[channel] == 0;
    int failed = base_buf_printf(out, "{\"channel\":\"%s\"", arda_notify_channel_name(channel));
    failed |= add_bool(out, "on", on & ARDA_NOTIFY_BIT(channel));
    failed |= add_text(out, "because", explain->typed ? arda_notify_source_text(source) : NULL);
    failed |= add_text(out, "obstacle", obstacle ? obstacle : none ? absence(explain) : NULL);
    if (channel == ARDA_NOTIFY_EMAIL) {
        failed |= add_string(out, "address", slice(&explain->email));
        failed |= add_string(out, "digest", slice(&explain->digest));
        failed |= add_string(out, "quiet", slice(&explain->quiet));
    }
    if (channel == ARDA_NOTIFY_WEBHOOK) {
        failed |= base_buf_add_text(out, ",\"endpoint\":");
        failed |= endpoint_write(out, &explain->endpoint);
    }
    failed |= base_buf_add_text(out, ",\"deliveries\":[");
    failed |= base_buf_add(out, slice(&explain->deliveries[channel]).data,
                           explain->deliveries[channel].len);
    return failed | base_buf_add_text(out, "]}");
}

int explain_write(struct tool *tool, struct explain *explain)
{
    enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS];
    struct base_buf *out = &tool->line;
    unsigned on = resolve(explain, sources);
    int failed = base_buf_printf(out, "{\"tenantId\":\"%s\"", tool->tenants.data + explain->tenant);
    failed |= add_text(out, "userId", explain->user);
    failed |=
        add_bool(out, "known", explain->user_known) | add_bool(out, "active", explain->active);
    failed |= add_bool(out, "shadow", explain->shadow);
    failed |= add_text(out, "event", explain->event);
    failed |= add_string(out, "eventType", slice(&explain->event_type));
    failed |= add_string(out, "rule", slice(&explain->rule));
    failed |= add_text(out, "notificationId", explain->notification);
    failed |= add_text(out, "type", explain->typed ? arda_notify_type_name(explain->type) : NULL);
    failed |= add_string(out, "title", slice(&explain->title));
    failed |= add_bool(out, "inInbox", explain->in_inbox);
    failed |= base_buf_add_text(out, ",\"channels\":[");
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS; i++) {
        failed |= i > 0 ? base_buf_add_byte(out, ',') : BASE_OK;
        failed |= write_channel(out, explain, (enum arda_notify_channel)i, on, sources[i]);
    }
    return failed | base_buf_add_text(out, "]}\n");
}
