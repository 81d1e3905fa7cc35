/* SPDX-License-Identifier: ISC
 *
 * --admin: pages for those who look after the daemon.
 *
 *     /metrics   counters, as text
 *     /healthz   200 while the loop turns
 *     /readyz    200 while events are taken
 */
#include "metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/url.h"
#include "net/server/pages.h"

#include <string.h>

#define HOST_MAX 256

/* The age of the oldest entry that is in work; of what came on the channel there is none. */
static double find_lag(const struct notifyd *nd)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    int64_t now = base_clock_wall_ms(), oldest = now;
    struct arda_stream_id id;
    while ((entry = base_map_next(&nd->tenants, &cursor))) {
        const struct tenant *tenant = entry->value;
        if (base_list_empty(&tenant->queue))
            continue;
        const struct work *work = base_container(tenant->queue.next, struct work, link);
        if (arda_stream_id_parse(work->id, strlen(work->id), &id) && (int64_t)id.ms < oldest)
            oldest = (int64_t)id.ms;
    }
    return (double)(now - oldest) / 1000;
}

static void on_metrics(void *data, struct net_request *request)
{
    struct notifyd *nd = data;
    struct metrics_snapshot snapshot = {.nd = nd, .counters = &nd->counters, .lag_s = find_lag(nd)};
    enum base_metric_form form = net_pages_metric_form(request);
    struct base_buf text = BASE_BUF_INIT;
    deliver_get_stats(nd->deliver, &snapshot.deliver);
    int64_t oldest_ms = snapshot.deliver.counts.oldest_ms;
    if (oldest_ms >= 0 && oldest_ms < base_clock_wall_ms())
        snapshot.delivery_age_s = (double)(base_clock_wall_ms() - oldest_ms) / 1000;
    arda_bus_get_stats(nd->bus, &snapshot.bus);
    base_process_get(&snapshot.process);
    bool failed = metrics_format(&snapshot, form, &text) < 0;
    net_pages_answer_metrics(request, form, (struct base_slice){text.data, text.len}, failed);
    base_buf_fini(&text);
}

static void on_health(void *data, struct net_request *request)
{
    (void)data;
    net_pages_answer_state(request, "healthy", NULL);
}

static void on_ready(void *data, struct net_request *request)
{
    struct notifyd *nd = data;
    const char *reason = NULL;
    if (nd->stopping)
        reason = "stopping";
    else if (!arda_bus_is_up(nd->bus))
        reason = *arda_bus_reason(nd->bus) ? arda_bus_reason(nd->bus) : "redis: connecting";
    else if (!nd->channel.standing)
        reason =
            *arda_bus_refusal(nd->bus) ? arda_bus_refusal(nd->bus) : "redis: not subscribed yet";
    else if (print_is_stuck(nd))
        reason = "standard output is not read";
    net_pages_answer_state(request, "ready", reason);
}

static const struct net_page pages[] = {
    {.path = "/metrics", .on_request = on_metrics},
    {.path = "/healthz", .on_request = on_health},
    {.path = "/readyz", .on_request = on_ready},
};

int admin_start(struct notifyd *nd, const char *address, struct base_why *why)
{
    const struct net_server_options options = {
        .workers = 1,
        .header_timeout_ms = 10000,
        .request_timeout_ms = 30000,
        .idle_timeout_ms = 65000,
    };
    char host[HOST_MAX], bound[NET_ADDRESS_MAX];
    uint16_t port;
    if (base_url_listen(address, host, sizeof host, &port, why) < 0)
        return BASE_ERR_INVALID;
    int failed = net_server_new(&nd->loop, &options, &nd->server, why);
    if (failed)
        return failed;
    struct net_site site = {.pages = pages,
                            .page_count = sizeof pages / sizeof pages[0],
                            .data = nd,
                            .hosts = nd->settings.admin_host.items,
                            .host_count = nd->settings.admin_host.count};
    failed = net_server_listen_site(nd->server, host, port, &site, bound, why);
    if (failed)
        return failed;
    deliver_watch(nd->deliver);
    base_log(BASE_LOG_INFO, "admin on %s", bound);
    return BASE_OK;
}

void admin_stop(struct notifyd *nd)
{
    if (nd->server)
        net_server_close(nd->server, 0, NULL, NULL);
    nd->server = NULL;
}
