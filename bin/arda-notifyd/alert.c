/* SPDX-License-Identifier: ISC
 *
 * A tenant whose endpoint was disabled is told by a notification of each of its users, as their
 * preferences say. Any daemon makes it, several at a time if need be: its key follows from the
 * tenant and the moment, so that the notification step makes one of all attempts, and the note that
 * asks for it goes when that is done.
 */
#include "notifyd.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct alert {
    struct notifyd *nd;
    int64_t since_ms;
    struct people *people;
    struct base_buf body, metadata;
    char why[256];
    char tenant[ARDA_ID_MAX + 1];
};

static void end_alert(struct alert *alert, bool done)
{
    deliver_alerted(alert->nd->deliver, alert->tenant, alert->since_ms, done);
    people_unref(alert->people);
    base_buf_fini(&alert->body);
    base_buf_fini(&alert->metadata);
    base_free(alert);
}

static void on_step(void *data, int result, const struct arda_notify_result *outcome,
                    const struct base_why *why)
{
    static struct base_log_limit limit;
    struct alert *alert = data;
    struct notifyd *nd = alert->nd;
    if (result)
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "%s is not notified yet of its disabled webhook: %s", alert->tenant,
                         why->text);
    if (!result) {
        nd->counters.rows += outcome->rows;
        nd->counters.deliveries += outcome->deliveries;
        deliver_wake(nd->deliver);
    }
    end_alert(alert, !result);
}

static int write_texts(struct alert *alert)
{
    char at[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(alert->since_ms, at);
    int failed =
        base_buf_printf(&alert->body, "Nothing more is sent to your webhook: %s.", alert->why);
    failed |= base_buf_printf(&alert->metadata, "{\"disabledAt\":\"%s\",\"reason\":", at);
    failed |= base_json_quote(&alert->metadata, alert->why, strlen(alert->why));
    failed |= base_buf_add_byte(&alert->metadata, '}');
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

static int step(struct alert *alert)
{
    struct notifyd *nd = alert->nd;
    struct people *people = alert->people;
    const char *type = arda_notify_type_name(ARDA_NOTIFY_SYSTEM_ALERT);
    const char *title = "Webhook disabled";
    const struct arda_notify_user *users = people_users(people, ARDA_NOTIFY_SYSTEM_ALERT);
    if (!users || write_texts(alert) < 0)
        return BASE_ERR_NOMEM;
    struct arda_notify_step step = {
        .tenant = alert->tenant,
        .cause = {.time_ms = alert->since_ms},
        .notification = {.type = {type, strlen(type)},
                         .title = {title, strlen(title)},
                         .body = {alert->body.data, alert->body.len},
                         .metadata = {alert->metadata.data, alert->metadata.len}},
        .users = users,
        .user_count = people->count,
        .version = -1, /* they were read after the note: no need to catch up with changes since */
        .now_ms = base_clock_wall_ms(),
        .retention = nd->retention,
    };
    snprintf(step.cause.key, sizeof step.cause.key, "webhook-disabled:%" PRId64, alert->since_ms);
    return arda_notify_step(nd->bus, &step, on_step, alert);
}

static void on_people(void *data, int result, struct people *people, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct alert *alert = data;
    alert->people = people;
    if (result && result != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "%s is not notified yet of its disabled webhook: %s", alert->tenant,
                         why->text);
    if (result || alert->nd->closed || step(alert) < 0)
        end_alert(alert, false);
}

void alert_make(void *data, const char *tenant, int64_t since_ms, const char *why)
{
    struct notifyd *nd = data;
    struct alert *alert = base_calloc(1, sizeof *alert);
    if (!alert) {
        deliver_alerted(nd->deliver, tenant, since_ms, false);
        return;
    }
    alert->nd = nd;
    alert->since_ms = since_ms;
    snprintf(alert->tenant, sizeof alert->tenant, "%s", tenant);
    snprintf(alert->why, sizeof alert->why, "%s", why);
    if (people_load(nd->bus, tenant, false, on_people, alert) < 0)
        end_alert(alert, false);
}
