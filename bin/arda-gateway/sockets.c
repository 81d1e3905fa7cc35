/* SPDX-License-Identifier: ISC
 *
 * A client's life on its worker. The first client of a tenant asks the home loop for the tenant's
 * events and waits for the answer; those that come meanwhile wait with it; `connected` is sent when
 * what is published from then on will arrive.
 */
#include "gateway.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <stdio.h>
#include <string.h>

#define SLICE(text)                                                                                \
    (struct base_slice)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void emit(struct client *client, struct base_slice name, struct base_slice arguments)
{
    net_socket_emit(client->socket, name, arguments, NULL);
}

void sockets_error(struct client *client, const char *message)
{
    char json[96];
    int len = snprintf(json, sizeof json, "{\"message\":\"%s\"}", message);
    emit(client, SLICE("\"error\""), (struct base_slice){json, (size_t)len});
}

static void emit_connected(struct client *client)
{
    char now[BASE_RFC3339_LEN + 1], json[256];
    base_rfc3339_format(base_clock_wall_ms(), now);
    /* Ids are of an alphabet that needs no escapes. */
    int len =
        snprintf(json, sizeof json, "{\"tenantId\":\"%s\",\"userId\":\"%s\",\"timestamp\":\"%s\"}",
                 client->tenant->id, client->user->id, now);
    emit(client, SLICE("\"connected\""), (struct base_slice){json, (size_t)len});
}

static void emit_pong(struct client *client)
{
    char now[BASE_RFC3339_LEN + 1], json[64];
    base_rfc3339_format(base_clock_wall_ms(), now);
    int len = snprintf(json, sizeof json, "{\"timestamp\":\"%s\"}", now);
    emit(client, SLICE("\"pong\""), (struct base_slice){json, (size_t)len});
}

/* ---- tenants of a worker ---- */

static struct tenant_request *make_request(struct gateway_worker *worker, const char *id,
                                           struct net_view *view)
{
    struct tenant_request *request = base_calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->gateway = worker->gateway;
    request->worker = worker->index;
    request->view = view;
    memcpy(request->id, id, strlen(id));
    return request;
}

static void acquire_at_home(void *arg)
{
    tenants_acquire(arg);
}

static void release_at_home(void *arg)
{
    struct tenant_request *request = arg;
    tenants_release(request->gateway, request->id, request->view);
    base_free(request);
}

static struct worker_tenant *new_tenant(struct gateway_worker *worker, const char *id)
{
    struct worker_tenant *tenant = base_calloc(1, sizeof *tenant);
    struct tenant_request *request = make_request(worker, id, NULL);
    if (!tenant || !request || base_map_set(&worker->tenants, id, strlen(id), tenant) < 0) {
        base_free(request);
        base_free(tenant);
        return NULL;
    }
    tenant->worker = worker;
    memcpy(tenant->id, id, strlen(id));
    base_list_init(&tenant->waiting);
    if (net_server_post_home(worker->gateway->server, acquire_at_home, request) < 0) {
        base_map_remove(&worker->tenants, id, strlen(id));
        base_free(request);
        base_free(tenant);
        return NULL;
    }
    return tenant;
}

static void free_tenant(struct worker_tenant *tenant)
{
    base_map_fini(&tenant->users);
    base_free(tenant);
}

/* Without clients the home loop is told so, once it has answered. */
static void release_if_empty(struct worker_tenant *tenant)
{
    struct gateway_worker *worker = tenant->worker;
    if (tenant->clients > 0)
        return;
    if (tenant->refused) {
        free_tenant(tenant);
        return;
    }
    if (!tenant->view)
        return;
    struct tenant_request *request = make_request(worker, tenant->id, tenant->view);
    if (!request || net_server_post_home(worker->gateway->server, release_at_home, request) < 0) {
        base_free(request);
        return; /* the tenant stays subscribed until its next last client leaves */
    }
    base_map_remove(&worker->tenants, tenant->id, strlen(tenant->id));
    free_tenant(tenant);
}

/* ---- clients ---- */

static struct user *ref_user(struct worker_tenant *tenant, const char *id)
{
    struct user *user = base_map_get(&tenant->users, id, strlen(id));
    if (!user) {
        user = base_calloc(1, sizeof *user);
        if (!user || base_map_set(&tenant->users, id, strlen(id), user) < 0) {
            base_free(user);
            return NULL;
        }
        base_list_init(&user->clients);
        memcpy(user->id, id, strlen(id));
    }
    user->refs++;
    return user;
}

static void unref_user(struct worker_tenant *tenant, struct user *user)
{
    if (--user->refs > 0)
        return;
    base_map_remove(&tenant->users, user->id, strlen(user->id));
    base_free(user);
}

/* Lets a client in that has waited, or has not had to. */
static void admit(struct client *client)
{
    base_list_remove(&client->link);
    base_list_append(&client->user->clients, &client->link);
    client->admitted = true;
    net_socket_accept(client->socket);
    emit_connected(client);
    net_socket_follow(client->socket, client->tenant->view);
}

/* Those that wait are closed, those that come from now on ask again. */
static void refuse_tenant(struct worker_tenant *tenant)
{
    base_map_remove(&tenant->worker->tenants, tenant->id, strlen(tenant->id));
    tenant->refused = true;
    BASE_LIST_FOREACH (link, &tenant->waiting)
        net_socket_close(base_container(link, struct client, link)->socket, NET_REASON_NOMEM);
    release_if_empty(tenant);
}

void sockets_tenant_ready(struct gateway_worker *worker, const char *id, struct net_view *view)
{
    struct worker_tenant *tenant = base_map_get(&worker->tenants, id, strlen(id));
    base_assert(tenant && !tenant->view);
    if (!view) {
        refuse_tenant(tenant);
        return;
    }
    tenant->view = view;
    while (!base_list_empty(&tenant->waiting))
        admit(base_container(tenant->waiting.next, struct client, link));
    release_if_empty(tenant);
}

/* ---- how many sockets a user has, on all workers ---- */

#define QUOTA_KEY_MAX (2 * ARDA_ID_MAX + 2)

static size_t quota_key(char key[static QUOTA_KEY_MAX], const char *tenant, const char *user)
{
    return (size_t)snprintf(key, QUOTA_KEY_MAX, "%s/%s", tenant, user);
}

static int take_quota(struct gateway *gateway, const struct arda_claims *claims)
{
    char key[QUOTA_KEY_MAX];
    return base_quota_take(&gateway->users, key, quota_key(key, claims->tenant, claims->user));
}

static void give_quota(struct gateway *gateway, const char *tenant, const char *user)
{
    char key[QUOTA_KEY_MAX];
    base_quota_give(&gateway->users, key, quota_key(key, tenant, user));
}

/* ---- coming and going ---- */

static struct client *new_client(struct net_socket *socket, const struct arda_claims *claims,
                                 struct worker_tenant *tenant)
{
    size_t expiries = tenant->worker->gateway->ends_expired ? 1 : 0;
    struct client *client = base_calloc(1, sizeof *client + expiries * sizeof(struct net_deadline));
    struct user *user = client ? ref_user(tenant, claims->user) : NULL;
    if (!user || expiry_reserve(tenant->worker) < 0) {
        if (user)
            unref_user(tenant, user);
        base_free(client);
        return NULL;
    }
    client->socket = socket;
    client->tenant = tenant;
    client->user = user;
    base_list_append(&tenant->waiting, &client->link);
    tenant->clients++;
    net_socket_set_data(socket, client);
    expiry_set(client, claims->expires_ms);
    return client;
}

static void enter(struct gateway_worker *worker, struct net_socket *socket,
                  const struct arda_claims *claims)
{
    int failed = take_quota(worker->gateway, claims);
    if (failed) {
        net_socket_close(socket, failed == BASE_ERR_LIMIT ? NET_REASON_LIMIT : NET_REASON_NOMEM);
        return;
    }
    struct worker_tenant *tenant =
        base_map_get(&worker->tenants, claims->tenant, strlen(claims->tenant));
    if (!tenant)
        tenant = new_tenant(worker, claims->tenant);
    struct client *client = tenant ? new_client(socket, claims, tenant) : NULL;
    if (!client) {
        give_quota(worker->gateway, claims->tenant, claims->user);
        net_socket_close(socket, NET_REASON_NOMEM);
    } else if (tenant->view) {
        admit(client);
    }
}

static struct gateway_worker *worker_of(void *data, const struct net_socket *socket)
{
    struct gateway *gateway = data;
    return &gateway->workers[net_socket_worker(socket)];
}

static void on_connect(void *data, struct net_socket *socket, const struct net_connect *connect)
{
    struct gateway *gateway = data;
    static struct base_log_limit limit;
    struct arda_claims claims;
    struct base_why why;
    char address[NET_ADDRESS_MAX];
    int failed = gateway_authenticate(gateway, connect, &claims, &why);
    if (!failed) {
        enter(worker_of(data, socket), socket, &claims);
        return;
    }
    bool missing = failed == BASE_ERR_NOTFOUND;
    atomic_fetch_add_explicit(
        &worker_of(data, socket)
             ->auth_failures[missing ? GATEWAY_AUTH_MISSING : GATEWAY_AUTH_INVALID],
        1, memory_order_relaxed);
    if (base_log_enabled(BASE_LOG_DEBUG)) {
        net_socket_address(socket, address);
        base_log_limited(&limit, BASE_LOG_DEBUG, "%s: refused: %s", address, why.text);
    }
    net_socket_refuse(socket, missing ? "Authentication required" : "Invalid token");
}

void sockets_drop_client(struct client *client)
{
    if (client->socket || client->look_ups > 0)
        return;
    loops_free(client);
    base_free(client);
}

/* One who was too slow is named, so that somebody can go and look. */
static void log_end(const struct client *client, enum net_reason reason)
{
    const char *tenant = client->tenant->id, *user = client->user->id;
    char address[NET_ADDRESS_MAX];
    struct net_lag lag;
    if (reason != NET_REASON_SLOW) {
        base_log(BASE_LOG_DEBUG, "tenant %s: user %s: %s", tenant, user, net_reason_text(reason));
        return;
    }
    net_socket_address(client->socket, address);
    net_socket_lag(client->socket, &lag);
    char since[32] = "";
    if (lag.since_us)
        snprintf(since, sizeof since, " for %.1f s",
                 (double)(base_clock_mono_us() - lag.since_us) / 1e6);
    base_log(BASE_LOG_WARNING,
             "tenant %s: user %s: %s: slow reader disconnected, %llu bytes behind%s", tenant, user,
             address, (unsigned long long)lag.bytes, since);
}

/* The socket is gone, or is going. */
static void leave(struct client *client)
{
    struct worker_tenant *tenant = client->tenant;
    struct user *user = client->user;
    give_quota(tenant->worker->gateway, tenant->id, user->id);
    expiry_clear(client);
    base_list_remove(&client->link);
    client->socket = NULL;
    client->tenant = NULL;
    client->user = NULL;
    unref_user(tenant, user);
    sockets_drop_client(client);
    tenant->clients--;
    release_if_empty(tenant);
}

static void on_disconnect(void *data, struct net_socket *socket, enum net_reason reason)
{
    (void)data;
    struct client *client = net_socket_get_data(socket);
    if (!client)
        return;
    log_end(client, reason);
    net_socket_unfollow(socket);
    leave(client);
}

static void on_event(void *data, struct net_socket *socket, const struct net_event *event)
{
    (void)data;
    struct client *client = net_socket_get_data(socket);
    if (base_json_equals(&event->name, "ping", 4))
        emit_pong(client);
    else if (base_json_equals(&event->name, "subscribe:loop", 14))
        loops_subscribe(client, event);
    else if (base_json_equals(&event->name, "unsubscribe:loop", 16))
        loops_unsubscribe(client, event);
    /* Anything else is no business of a client: mutations go through REST. */
}

const struct net_namespace sockets_namespace = {
    .name = "/",
    .on_connect = on_connect,
    .on_event = on_event,
    .on_disconnect = on_disconnect,
};

void sockets_emit_user(struct gateway_worker *worker, const char *tenant_id, const char *user_id,
                       struct base_slice name, struct base_slice event)
{
    struct worker_tenant *tenant = base_map_get(&worker->tenants, tenant_id, strlen(tenant_id));
    struct user *user = tenant ? base_map_get(&tenant->users, user_id, strlen(user_id)) : NULL;
    if (!user)
        return;
    /* One that is too slow is still in the list afterwards: it goes at the end of the turn. */
    BASE_LIST_FOREACH (link, &user->clients)
        emit(base_container(link, struct client, link), name, event);
}

/* ---- cutting ---- */

void sockets_cut(struct client *client, enum gateway_cut why)
{
    struct net_socket *socket = client->socket;
    struct gateway *gateway = client->tenant->worker->gateway;
    base_log(BASE_LOG_DEBUG, "tenant %s: user %s: %s", client->tenant->id, client->user->id,
             gateway_cut_text(why));
    atomic_fetch_add_explicit(&gateway->cut[why], 1, memory_order_relaxed);
    net_socket_set_data(socket, NULL);
    if (client->admitted)
        net_socket_disconnect(socket);
    else
        net_socket_refuse(socket, "Invalid token");
    /* At once, and not when on_disconnect comes, or it would be there for the next event; but after
     * the socket has ceased to follow, since the view may go with the tenant. */
    leave(client);
}

/* Those that wait for the tenant, too: their token was looked at before. */
static void cut_waiting(struct worker_tenant *tenant, const struct user *user)
{
    BASE_LIST_FOREACH_SAFE (link, &tenant->waiting) {
        struct client *client = base_container(link, struct client, link);
        if (client->user == user)
            sockets_cut(client, GATEWAY_CUT_REVOKED);
    }
}

/* Whether somebody was cut; then the tenant may be gone after the call. */
static bool cut_in_tenant(struct worker_tenant *tenant, const char *user_id)
{
    struct user *user = base_map_get(&tenant->users, user_id, strlen(user_id));
    if (!user)
        return false;
    size_t before = tenant->clients++; /* one more, so that it stays */
    user->refs++;
    cut_waiting(tenant, user);
    while (!base_list_empty(&user->clients))
        sockets_cut(base_container(user->clients.next, struct client, link), GATEWAY_CUT_REVOKED);
    unref_user(tenant, user);
    bool fewer = --tenant->clients < before;
    release_if_empty(tenant);
    return fewer;
}

void sockets_cut_user(struct gateway_worker *worker, const char *tenant_id, const char *user_id)
{
    struct worker_tenant *tenant;
    struct base_map_entry *entry;
    size_t cursor = 0;
    if (*tenant_id) {
        tenant = base_map_get(&worker->tenants, tenant_id, strlen(tenant_id));
        if (tenant)
            cut_in_tenant(tenant, user_id);
        return;
    }
    /* A tenant that goes with its last client changes the map: then the walk begins anew. */
    while ((entry = base_map_next(&worker->tenants, &cursor)))
        if (cut_in_tenant(entry->value, user_id))
            cursor = 0;
}

void sockets_fini(struct gateway_worker *worker)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&worker->tenants, &cursor)))
        free_tenant(entry->value);
    base_map_fini(&worker->tenants);
    net_deadlines_fini(&worker->expiries);
}
