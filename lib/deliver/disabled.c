/* SPDX-License-Identifier: ISC
 *
 * Endpoints that were disabled, by whichever process: the process is asked to notify their tenants,
 * and the note in Redis goes when that is done.
 */
#include "deliver/internal.h"

#include "base/log.h"

static void on_disabled(void *data, const char *tenant, int64_t since_ms, const char *why)
{
    struct deliver *deliver = data;
    if (deliver->closed)
        return;
    deliver->alerts++;
    deliver->host.alert(deliver->host.data, tenant, since_ms, why);
}

static void on_all(void *data, int result, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct deliver *deliver = data;
    deliver->alerting = false;
    if (result && result != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_WARNING, "webhooks that were disabled: %s", why->text);
    deliver_changed(deliver);
}

void deliver_disabled(struct deliver *deliver)
{
    const struct arda_delivery_alerts alerts = {on_disabled, on_all, deliver};
    if (deliver->alerting || deliver->alerts > 0)
        return;
    deliver->alerting = arda_delivery_alerts(deliver->bus, &alerts) == BASE_OK;
}

void deliver_alerted(struct deliver *deliver, const char *tenant, int64_t since_ms, bool done)
{
    if (done && !deliver->closed)
        (void)arda_delivery_alerted(deliver->bus, tenant, since_ms);
    deliver->alerts--;
    deliver_changed(deliver);
}
