/* SPDX-License-Identifier: ISC
 *
 * From options to the bounds of what a peer can take, and to whose pages may connect.
 */
#include "gateway.h"
#include "settings.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/codec/origin.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MOST_MS (24 * 3600 * 1000)

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
}

/* Durations have no range of their own. */
static int take_ms(const char *option, int64_t ms, int64_t least_ms, uint32_t *out,
                   struct base_why *why)
{
    if (ms < least_ms || ms > MOST_MS)
        return base_why_set(why, BASE_ERR_INVALID, "%s: expected %s to 1d", option,
                            least_ms ? "1ms" : "0");
    *out = (uint32_t)ms;
    return BASE_OK;
}

static int take_times(const struct settings *settings, struct net_endpoint *endpoint,
                      struct net_server_options *options, struct base_why *why)
{
    const struct {
        const char *option;
        int64_t ms;
        int64_t least_ms;
        uint32_t *out;
    } times[] = {
        {"--ping-interval", settings->ping_interval, 1, &endpoint->ping_interval_ms},
        {"--ping-timeout", settings->ping_timeout, 1, &endpoint->ping_timeout_ms},
        {"--connect-timeout", settings->connect_timeout, 1, &endpoint->connect_timeout_ms},
        {"--upgrade-timeout", settings->upgrade_timeout, 1, &endpoint->upgrade_timeout_ms},
        {"--max-queue-age", settings->max_queue_age, 0, &endpoint->max_queue_age_ms},
        {"--header-timeout", settings->header_timeout, 1, &options->header_timeout_ms},
        {"--request-timeout", settings->request_timeout, 1, &options->request_timeout_ms},
        {"--idle-timeout", settings->idle_timeout, 1, &options->idle_timeout_ms},
    };
    int failed = BASE_OK;
    for (size_t i = 0; i < sizeof times / sizeof times[0] && !failed; i++)
        failed = take_ms(times[i].option, times[i].ms, times[i].least_ms, times[i].out, why);
    return failed;
}

/* `is_url`: of a page, else it is the origin alone. */
static int add_origin(struct limits *limits, const char *url, bool is_url, const char *option,
                      struct base_why *why)
{
    struct base_buf origin = BASE_BUF_INIT;
    int failed = net_origin_parse(url, is_url, &origin, why);
    if (failed) {
        base_buf_fini(&origin);
        if (!strchr(url, '@')) /* what stands before it may be a secret */
            base_why_prefix(why, "%s", url);
        base_why_prefix(why, "%s", option);
        return failed == BASE_ERR_NOMEM ? failed : BASE_ERR_CONFIG;
    }
    char **origins =
        base_buf_cstr(&origin)
            ? base_realloc(limits->origins, (limits->origin_count + 1) * sizeof *limits->origins)
            : NULL;
    if (!origins) {
        base_buf_fini(&origin);
        return no_memory(why);
    }
    limits->origins = origins;
    origins[limits->origin_count++] = base_buf_take(&origin, NULL);
    return BASE_OK;
}

/* RFC 3986 section 3.3: what stands in a path as it is, or three bytes of an escape. */
static size_t path_char(const char *at)
{
    if (*at == '%')
        return isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) ? 3 : 0;
    return (*at > 0 && isalnum((unsigned char)*at)) || (*at && strchr("-._~!$&'()*+,;=:@", *at));
}

/* Browsers take %2e for a dot. */
static bool is_dot(const char *at)
{
    return *at == '.' || strncasecmp(at, "%2e", 3) == 0;
}

/* Segments that no client changes on its way here: none is empty, `.` or `..`. */
static bool is_path(const char *at, size_t len)
{
    const char *end = at + len;
    while (at < end) {
        bool only_dots = true;
        size_t used;
        if (*at++ != '/')
            return false;
        for (; at < end && (used = path_char(at)) > 0; at += used)
            only_dots &= is_dot(at);
        if (only_dots)
            return false;
    }
    return true;
}

static int take_path(const struct settings *settings, struct limits *limits,
                     struct net_endpoint *endpoint, struct base_why *why)
{
    const char *path = settings->path;
    size_t len = strlen(path);
    if (len > 0 && path[len - 1] == '/')
        len--;
    if (*path != '/' || !is_path(path, len))
        return base_why_set(why, BASE_ERR_CONFIG,
                            "--path: expected an absolute path, such as /realtime/socket.io, got "
                            "`%s'",
                            path);
    endpoint->path = limits->path = base_memdup(path, len);
    return limits->path ? BASE_OK : no_memory(why);
}

/* --cors-origin, or the one of APP_URL. */
static int take_origins(const struct settings *settings, struct limits *limits,
                        struct net_endpoint *endpoint, struct base_why *why)
{
    const struct base_opt_list *list = &settings->cors_origin;
    const char *app_url = settings->app_url;
    int failed = BASE_OK;
    for (size_t i = 0; i < list->count && !failed; i++)
        failed = add_origin(limits, list->items[i], false, "--cors-origin", why);
    if (list->count == 0 && app_url && *app_url)
        failed = add_origin(limits, app_url, true, "--app-url", why);
    if (limits->origin_count == 0 && !failed)
        base_log(BASE_LOG_WARNING, "no APP_URL: pages of other origins cannot connect");
    endpoint->origins = (const char *const *)limits->origins;
    endpoint->origin_count = limits->origin_count;
    endpoint->check_origin = true;
    endpoint->cors_credentials = true;
    return failed;
}

static int take_proxies(const struct settings *settings, struct limits *limits,
                        struct net_server_options *options, struct base_why *why)
{
    const struct base_opt_list *list = &settings->trusted_proxy;
    limits->proxies = base_calloc(list->count + 1, sizeof *limits->proxies);
    if (!limits->proxies)
        return no_memory(why);
    for (size_t i = 0; i < list->count; i++)
        if (base_block_parse(list->items[i], &limits->proxies[i], why) < 0) {
            base_why_prefix(why, "--trusted-proxy");
            return BASE_ERR_INVALID;
        }
    options->proxies = limits->proxies;
    options->proxy_count = limits->proxy_count = list->count;
    return BASE_OK;
}

int limits_apply(const struct settings *settings, struct limits *limits,
                 struct net_endpoint *endpoint, struct net_server_options *options,
                 struct base_why *why)
{
    endpoint->max_payload_bytes = (uint32_t)settings->max_payload;
    endpoint->max_queue_bytes = (size_t)settings->max_queue;
    endpoint->events_per_s = (uint32_t)settings->max_events;
    endpoint->events_burst = (uint32_t)settings->max_events_burst;
    options->max_head_bytes = (uint32_t)settings->max_header;
    endpoint->max_authorization_bytes = GATEWAY_AUTHORIZATION_MAX;
    options->max_joining = (uint32_t)settings->max_joining;
    options->max_connections = (uint32_t)settings->max_connections;
    options->max_sessions_per_address = (uint32_t)settings->max_per_address;
    int failed = take_path(settings, limits, endpoint, why);
    if (!failed)
        failed = take_times(settings, endpoint, options, why);
    if (!failed)
        failed = take_origins(settings, limits, endpoint, why);
    return failed ? failed : take_proxies(settings, limits, options, why);
}

void limits_fini(struct limits *limits)
{
    for (size_t i = 0; i < limits->origin_count; i++)
        base_free(limits->origins[i]);
    base_free(limits->origins);
    base_free(limits->path);
    base_free(limits->proxies);
}
