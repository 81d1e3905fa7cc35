/* SPDX-License-Identifier: ISC
 *
 * The gateway's number is drawn at the start and used from then on. Redis is told when it is there;
 * if it knows the number as another's already, the next one is tried, and sessions that were opened
 * meanwhile are unknown to the others.
 */
#include "relay/internal.h"

#include "arda/bus/registry.h"
#include "base/log.h"

#include <string.h>

#define REFRESH_MS 10000
#define RETRY_MS   1000

static void on_timer(uv_timer_t *timer);

static void again_after(struct relay *relay, uint64_t ms)
{
    if (!relay->stopping)
        uv_timer_start(&relay->registry_timer, on_timer, ms, 0);
}

static void try_next(struct relay *relay)
{
    base_log(BASE_LOG_INFO, "relay: the number %u is taken", relay->id);
    relay->id = relay->id == UINT16_MAX ? 1 : (uint16_t)(relay->id + 1);
    net_server_set_id(relay->server, relay->id);
    again_after(relay, 0);
}

static void on_told(void *data, int result, struct base_slice address)
{
    struct relay *relay = data;
    (void)address;
    relay->asking = false;
    if (relay->stopping)
        return;
    if (!relay->claimed && result == BASE_ERR_DENIED) {
        try_next(relay);
        return;
    }
    if (!result && !relay->claimed)
        base_log(BASE_LOG_INFO, "relay: gateway %u at %s", relay->id, relay->address);
    relay->claimed |= !result;
    again_after(relay, result ? RETRY_MS : REFRESH_MS);
}

static void tell(struct relay *relay)
{
    struct arda_bus *bus = relay->bus;
    if (relay->asking || relay->stopping)
        return;
    int failed = relay->claimed
                     ? arda_registry_refresh(bus, relay->id, relay->address, on_told, relay)
                     : arda_registry_claim(bus, relay->id, relay->address, on_told, relay);
    relay->asking = !failed;
    if (failed)
        again_after(relay, RETRY_MS);
}

static void on_timer(uv_timer_t *timer)
{
    struct relay *relay = timer->data;
    tell(relay);
}

void relay_bus_up(struct relay *relay)
{
    if (relay)
        tell(relay);
}

int relay_registry_start(struct relay *relay)
{
    while (relay->id == 0)
        if (base_crypto_random(&relay->id, sizeof relay->id) < 0)
            return BASE_ERR_INTERNAL;
    net_server_set_id(relay->server, relay->id);
    tell(relay);
    return BASE_OK;
}

static void on_released(void *data, int result, struct base_slice address)
{
    (void)data;
    (void)result;
    (void)address;
}

void relay_registry_stop(struct relay *relay)
{
    uv_timer_stop(&relay->registry_timer);
    if (relay->claimed)
        (void)arda_registry_release(relay->bus, relay->id, on_released, NULL);
}
