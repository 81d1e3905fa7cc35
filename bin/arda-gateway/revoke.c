/* SPDX-License-Identifier: ISC
 *
 * Revocation: `security.token.revoked` and `security.auth.logout` end the sockets of their `userId`
 * at once. An event of a tenant comes on the tenant's channel while it has clients; one without
 * tenant is published on the global channel alone, so that is listened to as well. What comes on
 * both is obeyed twice, and the second time there is nobody left.
 */
#include "gateway.h"

#include "base/mem.h"

#include <string.h>

struct revocation {
    struct gateway_worker *worker;
    char tenant[ARDA_ID_MAX + 1]; /* empty: all */
    char user[ARDA_ID_MAX + 1];
};

static bool revokes(const struct base_json_value *type)
{
    static const char *const types[] = {"security.token.revoked", "security.auth.logout"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (base_json_equals(type, types[i], strlen(types[i])))
            return true;
    return false;
}

static void cut(void *arg)
{
    struct revocation *revocation = arg;
    sockets_cut_user(revocation->worker, revocation->tenant, revocation->user);
    base_free(revocation);
}

static bool post(struct gateway *gateway, unsigned worker, const struct revocation *template)
{
    struct revocation *revocation = base_malloc(sizeof *revocation);
    if (!revocation)
        return false;
    *revocation = *template;
    revocation->worker = &gateway->workers[worker];
    if (net_server_post(gateway->server, worker, cut, revocation) == 0)
        return true;
    base_free(revocation);
    return false;
}

void revoke_message(struct gateway *gateway, const struct arda_message *message)
{
    struct revocation revocation = {0};
    if (!revokes(&message->type) || !gateway->server)
        return;
    if (!forward_read_user(message, revocation.user)) {
        gateway->dropped[GATEWAY_DROP_NO_USER]++;
        return;
    }
    if (message->tenant.len > 0)
        memcpy(revocation.tenant, message->tenant.data, message->tenant.len);
    sockets_cut_user(&gateway->workers[0], revocation.tenant, revocation.user);
    for (unsigned i = 1; i < gateway->worker_count; i++)
        if (!post(gateway, i, &revocation))
            gateway->dropped[GATEWAY_DROP_NOMEM]++;
}

static void on_global_message(void *data, const struct arda_message *message)
{
    revoke_message(data, message);
}

int revoke_start(struct gateway *gateway, struct base_why *why)
{
    struct arda_handlers handlers = {on_global_message, NULL, gateway};
    if (!gateway->revocation || !gateway->bus)
        return BASE_OK;
    if (arda_bus_subscribe_global(gateway->bus, &handlers, &gateway->global_events) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    return BASE_OK;
}
