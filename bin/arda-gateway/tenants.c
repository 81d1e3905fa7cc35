/* SPDX-License-Identifier: ISC
 *
 * The tenants with clients, as the home loop sees them. One subscription and one log per tenant,
 * one view of the log per worker with clients; all of it goes with the last client.
 */
#include "gateway.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

static void answer_on_worker(void *arg)
{
    struct tenant_request *request = arg;
    sockets_tenant_ready(&request->gateway->workers[request->worker], request->id, request->view);
    base_free(request);
}

static void send_back(struct tenant_request *request)
{
    struct net_server *server = request->gateway->server;
    if (request->worker == 0) {
        answer_on_worker(request);
    } else if (net_server_post(server, request->worker, answer_on_worker, request) < 0) {
        base_log(BASE_LOG_ERROR, "tenant %s: out of memory: clients cannot be answered",
                 request->id);
        base_free(request);
    }
}

/* The view is made now, so that it begins where the answer says. */
static void answer(struct home_tenant *tenant, struct tenant_request *request)
{
    request->view = net_server_log_attach(tenant->gateway->server, tenant->log, request->worker);
    if (!request->view)
        tenant->workers--;
    send_back(request);
}

static void answer_waiting(struct home_tenant *tenant)
{
    while (!base_list_empty(&tenant->waiting)) {
        struct tenant_request *request =
            base_container(tenant->waiting.next, struct tenant_request, link);
        base_list_remove(&request->link);
        answer(tenant, request);
    }
}

static void on_message(void *data, const struct arda_message *message)
{
    forward_message(data, message);
}

static void on_standing(void *data, bool standing)
{
    struct home_tenant *tenant = data;
    tenant->standing = standing;
    if (standing || !arda_bus_is_up(tenant->gateway->bus))
        answer_waiting(tenant);
}

static void free_tenant(struct home_tenant *tenant)
{
    struct gateway *gateway = tenant->gateway;
    base_map_remove(&gateway->tenants, tenant->id, tenant->id_len);
    if (tenant->subscription)
        arda_bus_unsubscribe(tenant->subscription);
    if (tenant->log)
        net_server_log_free(gateway->server, tenant->log);
    base_free(tenant);
}

static int set_up(struct home_tenant *tenant)
{
    struct gateway *gateway = tenant->gateway;
    if (net_server_log_new(gateway->server, &tenant->log) < 0 ||
        base_map_set(&gateway->tenants, tenant->id, tenant->id_len, tenant) < 0)
        return BASE_ERR_NOMEM;
    if (!gateway->bus)
        return BASE_OK;
    struct arda_handlers handlers = {on_message, on_standing, tenant};
    return arda_bus_subscribe_tenant(gateway->bus, tenant->id, tenant->id_len, &handlers,
                                     &tenant->subscription);
}

static struct home_tenant *get_tenant(struct gateway *gateway, const char *id)
{
    size_t len = strlen(id);
    struct home_tenant *tenant = base_map_get(&gateway->tenants, id, len);
    if (tenant)
        return tenant;
    tenant = base_calloc(1, sizeof *tenant);
    if (!tenant)
        return NULL;
    tenant->gateway = gateway;
    tenant->id_len = len;
    memcpy(tenant->id, id, len);
    base_list_init(&tenant->waiting);
    if (set_up(tenant) < 0) {
        free_tenant(tenant);
        return NULL;
    }
    return tenant;
}

void tenants_acquire(struct tenant_request *request)
{
    struct gateway *gateway = request->gateway;
    struct home_tenant *tenant = get_tenant(gateway, request->id);
    if (!tenant) {
        send_back(request);
        return;
    }
    tenant->workers++;
    if (tenant->standing || !gateway->bus || !arda_bus_is_up(gateway->bus))
        answer(tenant, request);
    else
        base_list_append(&tenant->waiting, &request->link);
    if (tenant->workers == 0) /* there was no memory for its view */
        free_tenant(tenant);
}

void tenants_release(struct gateway *gateway, const char *id, struct net_view *view)
{
    struct home_tenant *tenant = base_map_get(&gateway->tenants, id, strlen(id));
    net_server_log_detach(gateway->server, view);
    base_assert(tenant && tenant->workers > 0);
    if (--tenant->workers == 0)
        free_tenant(tenant);
}

void tenants_bus_down(struct gateway *gateway)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&gateway->tenants, &cursor)))
        answer_waiting(entry->value);
}

void tenants_fini(struct gateway *gateway)
{
    struct base_map_entry *entry;
    for (size_t cursor = 0; (entry = base_map_next(&gateway->tenants, &cursor)); cursor = 0) {
        struct home_tenant *tenant = entry->value;
        tenant->subscription = NULL; /* gone with the bus */
        tenant->log = NULL;          /* gone with the server */
        free_tenant(tenant);
    }
    base_map_fini(&gateway->tenants);
}
