/* SPDX-License-Identifier: ISC
 *
 * endpoint: what the daemons have noted of a tenant's endpoint. The directory has the rest.
 */
#include "arda-deliveries/explain.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "base/url.h"

#include <inttypes.h>
#include <string.h>

/* The host alone: a path or query may be a secret. */
static int add_host(struct base_buf *out, struct base_slice text)
{
    struct base_buf copy = BASE_BUF_INIT;
    struct base_url url;
    int failed = base_buf_add(&copy, text.data, text.len);
    const char *plain = failed ? NULL : base_buf_cstr(&copy);
    if (!plain)
        failed = BASE_ERR_NOMEM;
    else if (base_url_parse(plain, &url, NULL) == 0)
        failed = base_text_clean(out, url.host.data, url.host.len);
    else
        failed = base_buf_add_byte(out, '?');
    base_buf_fini(&copy);
    return failed;
}

int endpoint_take(struct endpoint *endpoint, const struct arda_directory_line *line)
{
    struct base_json_value url = arda_directory_line_member(line, "url");
    struct base_buf text = BASE_BUF_INIT;
    endpoint->known = true;
    endpoint->enabled = arda_directory_line_member(line, "enabled").kind != BASE_JSON_FALSE;
    endpoint->host.len = 0;
    int failed = base_json_unescape(&url, &text);
    if (!failed)
        failed = add_host(&endpoint->host, (struct base_slice){text.data, text.len});
    base_buf_fini(&text);
    return failed == BASE_ERR_NOMEM ? failed : BASE_OK;
}

int endpoint_note(struct endpoint *endpoint, const struct arda_delivery_facts *facts)
{
    endpoint->facts = *facts;
    endpoint->why.len = 0;
    return base_buf_add(&endpoint->why, facts->disabled_why.data, facts->disabled_why.len);
}

void endpoint_fini(struct endpoint *endpoint)
{
    base_buf_fini(&endpoint->host);
    base_buf_fini(&endpoint->why);
}

/* ---- for a person ---- */

static int add_since(struct base_buf *out, const char *text, int64_t ms)
{
    return base_buf_add_text(out, text) | print_ms(out, ms);
}

int endpoint_print(struct base_buf *out, const struct endpoint *endpoint)
{
    const struct arda_delivery_facts *facts = &endpoint->facts;
    int64_t now = base_clock_wall_ms();
    if (!endpoint->known)
        return base_buf_add_text(out, "the tenant has no webhook");
    int failed = base_buf_add(out, endpoint->host.data, endpoint->host.len);
    failed |= base_buf_add_text(out, endpoint->enabled ? ", enabled" : ", disabled");
    if (!endpoint->enabled && facts->disabled_at_ms > 0) {
        failed |= add_since(out, " ", facts->disabled_at_ms) | base_buf_add_text(out, ": ");
        failed |= base_text_clean(out, endpoint->why.data, endpoint->why.len);
    }
    if (facts->failures > 0)
        failed |= base_buf_printf(out, ", %" PRIu64 " failures in a row", facts->failures);
    if (facts->failing_since_ms > 0)
        failed |= add_since(out, ", failing since ", facts->failing_since_ms);
    if (facts->open_until_ms > now)
        failed |= add_since(out, ", left alone until ", facts->open_until_ms);
    else if (facts->open_until_ms > 0)
        failed |= base_buf_add_text(out, ", tried with one at a time");
    if (facts->spare_until_ms > now)
        failed |= add_since(out, ", spared until ", facts->spare_until_ms);
    else if (facts->pause_ms > 0)
        failed |= base_buf_printf(out, ", slowed down by %" PRId64 " ms", facts->pause_ms);
    return failed;
}

/* ---- as JSON ---- */

static int add_time(struct base_buf *out, const char *name, int64_t ms)
{
    char text[BASE_RFC3339_LEN + 1];
    if (ms <= 0)
        return base_buf_printf(out, ",\"%s\":null", name);
    base_rfc3339_format(ms, text);
    return base_buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

int endpoint_write(struct base_buf *out, const struct endpoint *endpoint)
{
    const struct arda_delivery_facts *facts = &endpoint->facts;
    if (!endpoint->known)
        return base_buf_add_text(out, "null");
    int failed = base_buf_add_text(out, "{\"host\":");
    failed |=
        base_json_quote(out, endpoint->host.data ? endpoint->host.data : "", endpoint->host.len);
    failed |= base_buf_printf(out, ",\"enabled\":%s", endpoint->enabled ? "true" : "false");
    failed |= add_time(out, "disabledAt", facts->disabled_at_ms);
    failed |= base_buf_add_text(out, ",\"disabledWhy\":");
    failed |= endpoint->why.len ? base_json_quote(out, endpoint->why.data, endpoint->why.len)
                                : base_buf_add_text(out, "null");
    failed |= base_buf_printf(out, ",\"failures\":%" PRIu64, facts->failures);
    failed |= add_time(out, "failingSince", facts->failing_since_ms);
    failed |= add_time(out, "openUntil", facts->open_until_ms);
    failed |= add_time(out, "spareUntil", facts->spare_until_ms);
    return failed | base_buf_printf(out, ",\"pauseMs\":%" PRId64 "}", facts->pause_ms);
}

/* ---- the command ---- */

static struct endpoint shown;

static void on_facts(void *data, int result, const struct arda_delivery_facts *facts,
                     const struct base_why *why)
{
    if (!result && endpoint_note(&shown, facts) < 0)
        app_tool_out_of_memory(&((struct request *)data)->tool->base);
    tool_answer(data, result, why);
}

static int send_facts(struct arda_bus *bus, struct request *request)
{
    return arda_delivery_facts(bus, tool_tenant(request), NULL, NULL, NULL, on_facts, request);
}

static void on_line(void *data, const struct arda_directory_line *line)
{
    if (endpoint_take(&shown, line) < 0)
        app_tool_out_of_memory(&((struct request *)data)->tool->base);
}

static int send_webhook(struct arda_bus *bus, struct request *request)
{
    const struct arda_directory_handlers handlers = {on_line, tool_left_out, tool_snapshot,
                                                     request};
    return arda_directory_snapshot(bus, tool_tenant(request),
                                   ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_WEBHOOK), &handlers);
}

static void start(struct tool *tool)
{
    tool_ask(tool, send_webhook);
    tool_ask(tool, send_facts);
}

static void on_done(struct tool *tool)
{
    int failed = tool->settings.json ? endpoint_write(&tool->line, &shown)
                                     : endpoint_print(&tool->line, &shown);
    bool known = shown.known;
    endpoint_fini(&shown);
    tool_print(tool, failed | base_buf_add_byte(&tool->line, '\n'));
    tool_end(tool, known ? BASE_EXIT_OK : BASE_EXIT_NO);
}

const struct command endpoint_command = {"endpoint", false, false, true, start, on_done};
