/* SPDX-License-Identifier: ISC
 *
 * An event's way from the bus to the sockets. Its text is passed on as it came; its `type`, a JSON
 * string already, is the event's name.
 */
#include "gateway.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/names.h"
#include "net/codec/sio.h"

#include <string.h>

BASE_NAME_FUNCTION(gateway_drop_name, enum gateway_drop, GATEWAY_DROP_MAP, BASE_NAME_SECOND,
                   "unknown")

BASE_NAME_FUNCTION(gateway_drop_text, enum gateway_drop, GATEWAY_DROP_MAP, BASE_NAME_THIRD,
                   "unknown")

static bool has_prefix(const struct base_json_value *string, const char *prefix)
{
    struct base_slice plain;
    size_t len = strlen(prefix);
    if (base_json_plain(string, &plain))
        return plain.len >= len && memcmp(plain.data, prefix, len) == 0;
    /* Written with escapes: rare enough to be decoded. */
    struct base_buf decoded = BASE_BUF_INIT;
    bool found = base_json_unescape(string, &decoded) == 0 && decoded.len >= len &&
                 memcmp(decoded.data, prefix, len) == 0;
    base_buf_fini(&decoded);
    return found;
}

/* The names that mean something else on a socket. */
static bool is_reserved(const struct base_json_value *type)
{
    static const char *const control[] = {"connected", "pong", "error"};
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++)
        if (base_json_equals(type, control[i], strlen(control[i])))
            return true;
    return net_sio_reserved(type);
}

/* ---- to one user ---- */

struct letter {
    struct gateway_worker *worker;
    struct base_slice name;
    struct base_slice event;
    char tenant[ARDA_ID_MAX + 1];
    char user[ARDA_ID_MAX + 1];
    char bytes[];
};

static void deliver(void *arg)
{
    struct letter *letter = arg;
    sockets_emit_user(letter->worker, letter->tenant, letter->user, letter->name, letter->event);
    base_free(letter);
}

static bool post_letter(struct home_tenant *tenant, unsigned worker, const char *user,
                        struct base_slice name, struct base_slice event)
{
    struct gateway *gateway = tenant->gateway;
    struct letter *letter = base_malloc(sizeof *letter + name.len + event.len);
    if (!letter)
        return false;
    letter->worker = &gateway->workers[worker];
    memcpy(letter->tenant, tenant->id, sizeof letter->tenant);
    memcpy(letter->user, user, sizeof letter->user);
    memcpy(letter->bytes, name.data, name.len);
    memcpy(letter->bytes + name.len, event.data, event.len);
    letter->name = (struct base_slice){letter->bytes, name.len};
    letter->event = (struct base_slice){letter->bytes + name.len, event.len};
    if (net_server_post(gateway->server, worker, deliver, letter) == 0)
        return true;
    base_free(letter);
    return false;
}

bool forward_read_user(const struct arda_message *message, char user[static ARDA_ID_MAX + 1])
{
    struct base_json_member member = BASE_JSON_WANT("userId");
    memset(user, 0, ARDA_ID_MAX + 1);
    if (base_json_pick(message->event.data, message->event.len, &member, 1, NULL, NULL) < 0)
        return false;
    ssize_t len = base_json_copy(&member.value, user, ARDA_ID_MAX + 1);
    return len >= 0 && arda_id_valid(user, (size_t)len);
}

static void forward_to_user(struct home_tenant *tenant, const struct arda_message *message,
                            struct base_slice name)
{
    struct gateway *gateway = tenant->gateway;
    char user[ARDA_ID_MAX + 1];
    if (!forward_read_user(message, user)) {
        gateway->dropped[GATEWAY_DROP_NO_USER]++;
        return;
    }
    sockets_emit_user(&gateway->workers[0], tenant->id, user, name, message->event);
    for (unsigned i = 1; i < gateway->worker_count; i++)
        if (!post_letter(tenant, i, user, name, message->event))
            gateway->dropped[GATEWAY_DROP_NOMEM]++;
    gateway->forwarded++;
}

/* Its publisher is not one of ours, or has another --max-event. */
static void drop_big(struct home_tenant *tenant, const struct arda_message *message)
{
    static struct base_log_limit limit;
    tenant->gateway->dropped[GATEWAY_DROP_TOO_BIG]++;
    base_log_limited(&limit, BASE_LOG_WARNING,
                     "tenant %s: event dropped: it has %zu bytes, more than --max-event=%zu",
                     tenant->id, message->text.len, tenant->gateway->max_event);
}

void forward_message(struct home_tenant *tenant, const struct arda_message *message)
{
    struct gateway *gateway = tenant->gateway;
    struct base_slice name = {message->type.text, message->type.len};
    if (is_reserved(&message->type)) {
        gateway->dropped[GATEWAY_DROP_RESERVED]++;
    } else if (has_prefix(&message->type, "security.")) {
        gateway->dropped[GATEWAY_DROP_SECURITY]++;
        if (gateway->revocation)
            revoke_message(gateway, message);
    } else if (message->text.len > gateway->max_event) {
        drop_big(tenant, message);
    } else if (!gateway->notify_tenant &&
               base_json_equals(&message->type, "notification.created", 20)) {
        forward_to_user(tenant, message, name);
    } else if (net_server_log_event(gateway->server, tenant->log, name, message->event) < 0) {
        gateway->dropped[GATEWAY_DROP_NOMEM]++;
    } else {
        gateway->forwarded++;
    }
}
