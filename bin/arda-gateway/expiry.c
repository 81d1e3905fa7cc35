/* SPDX-License-Identifier: ISC
 *
 * --token-expiry=disconnect. Each worker keeps its clients in the order in which their tokens end;
 * the home loop tells it when another second has begun. It goes by the wall clock, as `exp` does,
 * and so notices within a second when somebody has set it.
 */
#include "gateway.h"

#include "base/clock.h"
#include "base/mem.h"

#include <uv.h>

/* ---- home loop ---- */

static void expire(void *arg)
{
    struct gateway_worker *worker = arg;
    uint64_t now_us = (uint64_t)base_clock_wall_ms() * 1000;
    struct net_deadline *deadline;
    while ((deadline = net_deadlines_take(&worker->expiries, now_us)))
        sockets_cut(base_container(deadline, struct client, expiry), GATEWAY_CUT_EXPIRED);
}

static void on_second(uv_timer_t *timer);

static void wait_for_second(uv_timer_t *timer)
{
    uv_update_time(timer->loop);
    uv_timer_start(timer, on_second, 1000 - (uint64_t)base_clock_wall_ms() % 1000, 0);
}

static void on_second(uv_timer_t *timer)
{
    struct gateway *gateway = timer->data;
    /* Without memory for a task its worker looks a second later. */
    for (unsigned i = 0; i < gateway->worker_count; i++)
        (void)net_server_post(gateway->server, i, expire, &gateway->workers[i]);
    wait_for_second(timer);
}

int expiry_start(struct gateway *gateway)
{
    if (!gateway->ends_expired)
        return BASE_OK;
    gateway->expiry_timer = base_calloc(1, sizeof *gateway->expiry_timer);
    if (!gateway->expiry_timer)
        return BASE_ERR_NOMEM;
    uv_timer_init(gateway->loop, gateway->expiry_timer);
    gateway->expiry_timer->data = gateway;
    wait_for_second(gateway->expiry_timer);
    return BASE_OK;
}

static void on_timer_closed(uv_handle_t *timer)
{
    base_free(timer);
}

void expiry_stop(struct gateway *gateway)
{
    if (gateway->expiry_timer)
        uv_close((uv_handle_t *)gateway->expiry_timer, on_timer_closed);
    gateway->expiry_timer = NULL;
}

/* ---- workers ---- */

int expiry_reserve(struct gateway_worker *worker)
{
    if (!worker->gateway->ends_expired)
        return BASE_OK;
    int failed = net_deadlines_reserve(&worker->expiries, worker->expiring + 1);
    if (!failed)
        worker->expiring++;
    return failed;
}

void expiry_set(struct client *client, int64_t expires_ms)
{
    struct gateway_worker *worker = client->tenant->worker;
    if (!worker->gateway->ends_expired || expires_ms == 0)
        return;
    expires_ms += worker->gateway->key_options.leeway_ms;
    net_deadline_set(&worker->expiries, client->expiry, (uint64_t)expires_ms * 1000);
}

void expiry_clear(struct client *client)
{
    struct gateway_worker *worker = client->tenant->worker;
    if (!worker->gateway->ends_expired)
        return;
    net_deadline_clear(&worker->expiries, client->expiry);
    worker->expiring--;
}
