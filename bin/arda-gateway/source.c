/* SPDX-License-Identifier: ISC
 *
 * Events from standard input instead of Redis, for demonstrations, tests and pipes that end in a
 * browser: `arda-subscribe … | arda-gateway --stdin`. Directory lines tell the loops. The gateway
 * goes on serving when the input ends.
 */
#include "gateway.h"

#include "app/input.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define MAX_LINE_BYTES (16u * 1024 * 1024)
#define KEY_MAX        (2 * ARDA_ID_MAX + 2)

struct source {
    struct gateway *gateway;
    struct app_input *input;
    struct base_map loops; /* "tenant/loop" */
    struct arda_bus_stats stats;
};

static size_t make_key(char key[static KEY_MAX], struct base_slice tenant, struct base_slice loop)
{
    memcpy(key, tenant.data, tenant.len);
    key[tenant.len] = '/';
    memcpy(key + tenant.len + 1, loop.data, loop.len);
    return tenant.len + 1 + loop.len;
}

bool source_has_loop(const struct source *source, const char *tenant, const char *loop)
{
    char key[KEY_MAX];
    size_t len = make_key(key, (struct base_slice){tenant, strlen(tenant)},
                          (struct base_slice){loop, strlen(loop)});
    return base_map_get(&source->loops, key, len) != NULL;
}

/* True when the line is one of a directory; those of other kinds than loops are of no use here. */
static bool take_directory_line(struct source *source, uint64_t number, struct base_slice line)
{
    struct base_json_member wanted[] = {BASE_JSON_WANT("kind"), BASE_JSON_WANT("tenantId"),
                                        BASE_JSON_WANT("loopId"), BASE_JSON_WANT("type")};
    char tenant[ARDA_ID_MAX + 1], loop[ARDA_ID_MAX + 1], key[KEY_MAX];
    if (base_json_pick(line.data, line.len, wanted, 4, NULL, NULL) < 0 ||
        wanted[0].value.kind != BASE_JSON_STRING || wanted[3].value.kind == BASE_JSON_STRING)
        return false;
    if (!base_json_equals(&wanted[0].value, "loop", 4))
        return true;
    ssize_t tenant_len = base_json_copy(&wanted[1].value, tenant, sizeof tenant);
    ssize_t loop_len = base_json_copy(&wanted[2].value, loop, sizeof loop);
    if (tenant_len < 0 || loop_len < 0 || !arda_tenant_valid(tenant, (size_t)tenant_len) ||
        !arda_id_valid(loop, (size_t)loop_len)) {
        base_log(BASE_LOG_ERROR, "line %" PRIu64 ": tenantId or loopId is missing or no id",
                 number);
        return true;
    }
    size_t len = make_key(key, (struct base_slice){tenant, (size_t)tenant_len},
                          (struct base_slice){loop, (size_t)loop_len});
    if (base_map_set(&source->loops, key, len, source) < 0)
        base_log(BASE_LOG_ERROR, "line %" PRIu64 ": out of memory", number);
    return true;
}

static void on_line(void *data, uint64_t number, struct base_slice line)
{
    struct source *source = data;
    struct arda_message message;
    if (take_directory_line(source, number, line))
        return;
    source->stats.messages++;
    enum arda_drop drop = arda_message_parse(line.data, line.len, NULL, 0, &message, NULL);
    if (drop) {
        source->stats.dropped[drop]++;
        if (app_input_may_complain(source->input))
            base_log(BASE_LOG_ERROR, "line %" PRIu64 ": %s", number, arda_drop_text(drop));
        return;
    }
    struct home_tenant *tenant =
        message.tenant.len
            ? base_map_get(&source->gateway->tenants, message.tenant.data, message.tenant.len)
            : NULL;
    if (tenant)
        forward_message(tenant, &message);
    else if (message.tenant.len == 0 && source->gateway->revocation)
        revoke_message(source->gateway, &message);
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    (void)data;
    base_log(BASE_LOG_ERROR, "line %" PRIu64 ": %s", number, base_err_text(result));
}

static void on_end(void *data, int result, const struct base_why *why)
{
    struct source *source = data;
    if (result < 0)
        base_log(BASE_LOG_ERROR, "standard input: %s", why->text);
    if (result == BASE_ERR_SYNTAX) /* there will never be an event */
        gateway_end(source->gateway, base_exit_status(result));
    if (!result)
        base_log(BASE_LOG_INFO, "standard input has ended; serving goes on");
}

void source_get_stats(const struct source *source, struct arda_bus_stats *stats)
{
    *stats = source->stats;
}

int source_start(struct gateway *gateway, struct base_why *why)
{
    struct source *source = base_calloc(1, sizeof *source);
    if (!source)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    struct app_input_handlers handlers = {on_line, on_bad_line, on_end, source,
                                          "arda-gateway --stdin"};
    source->gateway = gateway;
    gateway->source = source;
    return app_input_open(gateway->loop, "-", MAX_LINE_BYTES, &handlers, &source->input, why);
}

void source_stop(struct gateway *gateway)
{
    struct source *source = gateway->source;
    if (!source)
        return;
    app_input_close(source->input);
    base_map_fini(&source->loops);
    base_free_clear(&gateway->source);
}
