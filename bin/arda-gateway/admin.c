/* SPDX-License-Identifier: ISC
 *
 * --admin: pages for those who look after the gateway.
 *
 *     /metrics   counters, as text
 *     /healthz   200 while every loop of the process turns
 *     /readyz    200 while clients are well served here
 *
 * For the first two each worker is asked for what it alone knows. All requests that come while the
 * workers are being asked wait together for their answers. Who does not answer in time is stuck:
 * from then on requests are answered at once, with what is known, until it has answered.
 */
#include "gateway.h"
#include "metrics.h"

#include "base/mem.h"
#include "base/opt.h"
#include "net/server/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define ANSWER_MS 2000

/* What one worker is asked. */
struct probe {
    struct admin *admin;
    unsigned worker;
    enum { IDLE, ASKED, ANSWERED } state; /* under the lock, as `queued` is */
    struct net_server_queued queued;
};

struct admin {
    struct gateway *gateway;
    struct base_list waiting; /* of struct visit */
    bool asking;
    bool late;
    uv_timer_t timer;
    pthread_mutex_t lock; /* of the probes */
    struct probe probes[];
};

/* A request that waits for the workers. */
struct visit {
    struct base_list link;
    struct net_request *request;
    void (*answer)(struct admin *admin, struct visit *visit);
    enum base_metric_form form;
};

/* ---- answers ---- */

/* How many have not answered; `first` is set to one of them. */
static unsigned count_asked(struct admin *admin, unsigned *first)
{
    unsigned count = 0;
    pthread_mutex_lock(&admin->lock);
    for (unsigned i = 0; i < admin->gateway->worker_count; i++)
        if (admin->probes[i].state == ASKED && count++ == 0)
            *first = i;
    pthread_mutex_unlock(&admin->lock);
    return count;
}

static unsigned count_stuck(struct admin *admin, unsigned *first)
{
    return admin->late ? count_asked(admin, first) : 0;
}

/* What they have said, now or the last time. */
static void add_queued(struct admin *admin, struct net_server_queued *queued)
{
    pthread_mutex_lock(&admin->lock);
    for (unsigned i = 0; i < admin->gateway->worker_count; i++) {
        const struct net_server_queued *of = &admin->probes[i].queued;
        queued->bytes += of->bytes;
        if (of->most_bytes > queued->most_bytes)
            queued->most_bytes = of->most_bytes;
    }
    pthread_mutex_unlock(&admin->lock);
}

static void answer_health(struct admin *admin, struct visit *visit)
{
    unsigned first = 0;
    char reason[64];
    bool stuck = count_stuck(admin, &first) > 0;
    if (stuck)
        snprintf(reason, sizeof reason, "worker %u does not answer", first);
    net_pages_answer_state(visit->request, "healthy", stuck ? reason : NULL);
}

static void answer_metrics(struct admin *admin, struct visit *visit)
{
    struct gateway *gateway = admin->gateway;
    struct metrics_snapshot snapshot = {.gateway = gateway};
    struct base_buf text = BASE_BUF_INIT;
    unsigned first = 0;
    snapshot.stuck = count_stuck(admin, &first);
    add_queued(admin, &snapshot.queued);
    net_server_get_stats(gateway->server, &snapshot.net);
    if (gateway->bus)
        arda_bus_get_stats(gateway->bus, &snapshot.events);
    else
        source_get_stats(gateway->source, &snapshot.events);
    for (unsigned i = 0; i < gateway->worker_count; i++)
        for (int kind = 0; kind < GATEWAY_AUTH_COUNT; kind++)
            snapshot.auth_failures[kind] += atomic_load_explicit(
                &gateway->workers[i].auth_failures[kind], memory_order_relaxed);
    relay_get_stats(gateway->relay, &snapshot.relay);
    base_process_get(&snapshot.process);
    bool failed = metrics_format(&snapshot, visit->form, &text) < 0;
    net_pages_answer_metrics(visit->request, visit->form, (struct base_slice){text.data, text.len},
                             failed);
    base_buf_fini(&text);
}

static void answer_waiting(struct admin *admin)
{
    while (!base_list_empty(&admin->waiting)) {
        struct visit *visit = base_container(admin->waiting.next, struct visit, link);
        base_list_remove(&visit->link);
        visit->answer(admin, visit);
        base_free(visit);
    }
}

/* ---- asking the workers ---- */

static void end_if_answered(struct admin *admin)
{
    unsigned first = 0;
    if (!admin->asking || count_asked(admin, &first) > 0)
        return;
    admin->asking = admin->late = false;
    uv_timer_stop(&admin->timer);
    answer_waiting(admin);
}

static void on_answered(void *arg)
{
    end_if_answered(arg);
}

/* On the worker. Should memory for the message home be short, the answer is found later. */
static void ask_worker(void *arg)
{
    struct probe *probe = arg;
    struct admin *admin = probe->admin;
    struct net_server_queued queued;
    net_server_get_queued(admin->gateway->server, probe->worker, &queued);
    pthread_mutex_lock(&admin->lock);
    probe->queued = queued;
    probe->state = ANSWERED;
    pthread_mutex_unlock(&admin->lock);
    if (probe->worker > 0)
        (void)net_server_post_home(admin->gateway->server, on_answered, admin);
}

static void on_late(uv_timer_t *timer)
{
    struct admin *admin = timer->data;
    end_if_answered(admin);
    admin->late = admin->asking;
    answer_waiting(admin);
}

static void ask(struct admin *admin)
{
    struct gateway *gateway = admin->gateway;
    admin->asking = true;
    uv_update_time(gateway->loop);
    uv_timer_start(&admin->timer, on_late, ANSWER_MS, 0);
    for (unsigned i = 0; i < gateway->worker_count; i++) {
        struct probe *probe = &admin->probes[i];
        pthread_mutex_lock(&admin->lock);
        probe->state = ASKED;
        pthread_mutex_unlock(&admin->lock);
        if (i == 0)
            ask_worker(probe);
        else if (net_server_post(gateway->server, i, ask_worker, probe) < 0)
            probe->state = IDLE; /* nobody else has the probe */
    }
    end_if_answered(admin);
}

static void wait_for_workers(struct admin *admin, struct net_request *request,
                             void (*answer)(struct admin *admin, struct visit *visit))
{
    struct visit *visit = base_malloc(sizeof *visit);
    if (!visit) {
        net_pages_answer(request, 503, NULL, (struct base_slice){NULL, 0});
        return;
    }
    *visit = (struct visit){
        .request = request, .answer = answer, .form = net_pages_metric_form(request)};
    end_if_answered(admin);
    base_list_append(&admin->waiting, &visit->link);
    /* When the gateway stops, workers end, and not answering is no fault. */
    if (admin->late || admin->gateway->stopping)
        answer_waiting(admin);
    else if (!admin->asking)
        ask(admin);
}

/* ---- pages ---- */

static void on_metrics(void *data, struct net_request *request)
{
    wait_for_workers(data, request, answer_metrics);
}

static void on_health(void *data, struct net_request *request)
{
    wait_for_workers(data, request, answer_health);
}

static void on_ready(void *data, struct net_request *request)
{
    struct gateway *gateway = ((struct admin *)data)->gateway;
    const char *reason = NULL;
    if (gateway->stopping)
        reason = "stopping";
    else if (gateway->bus && !arda_bus_is_up(gateway->bus))
        reason =
            *arda_bus_reason(gateway->bus) ? arda_bus_reason(gateway->bus) : "redis: connecting";
    net_pages_answer_state(request, "ready", reason);
}

static const struct net_page pages[] = {
    {.path = "/metrics", .on_request = on_metrics},
    {.path = "/healthz", .on_request = on_health},
    {.path = "/readyz", .on_request = on_ready},
};

/* ---- begin and end ---- */

int admin_start(struct gateway *gateway, const char *host, uint16_t port,
                const struct base_opt_list *hosts, char bound[static NET_ADDRESS_MAX],
                struct base_why *why)
{
    struct admin *admin =
        base_calloc(1, sizeof *admin + gateway->worker_count * sizeof admin->probes[0]);
    if (!admin)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    admin->gateway = gateway;
    base_list_init(&admin->waiting);
    pthread_mutex_init(&admin->lock, NULL);
    for (unsigned i = 0; i < gateway->worker_count; i++)
        admin->probes[i] = (struct probe){.admin = admin, .worker = i};
    uv_timer_init(gateway->loop, &admin->timer);
    admin->timer.data = admin;
    gateway->admin = admin;
    struct net_site site = {.pages = pages,
                            .page_count = sizeof pages / sizeof pages[0],
                            .data = admin,
                            .hosts = hosts->items,
                            .host_count = hosts->count};
    return net_server_listen_site(gateway->server, host, port, &site, bound, why);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct admin *admin = timer->data;
    pthread_mutex_destroy(&admin->lock);
    base_free(admin);
}

void admin_stop(struct gateway *gateway)
{
    struct admin *admin = gateway->admin;
    gateway->admin = NULL;
    if (!admin)
        return;
    while (!base_list_empty(&admin->waiting)) {
        struct visit *visit = base_container(admin->waiting.next, struct visit, link);
        base_list_remove(&visit->link);
        net_pages_answer(visit->request, 503, NULL, (struct base_slice){NULL, 0}); /* to nobody */
        base_free(visit);
    }
    uv_close((uv_handle_t *)&admin->timer, on_timer_closed);
}
