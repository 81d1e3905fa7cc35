/* SPDX-License-Identifier: ISC */
#include "gateway.h"
#include "option_tables.h"
#include "settings.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/service.h"
#include "base/url.h"
#include "net/io/tls.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define DEFAULT_LISTEN ":3000"
#define BUS_DRAIN_MS   1000
#define HOST_MAX       256
#define SIGNALS        3

static const struct base_opt rows[] = {GATEWAY_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-gateway",
    .operands = "",
    .about = "Serve the events of Arda's tenants to browsers over Socket.IO. With REDIS_URL,\n"
             "JWT_SECRET, APP_URL and PORT in the environment it needs no option.",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

/* What main owns beside the gateway itself. */
struct process {
    struct settings settings;
    struct gateway gateway;
    struct limits limits;
    struct net_tls *tls; /* NULL: plain HTTP */
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
};

/* ---- messages of the bus ---- */

static void on_bus_state(void *data, bool up, const struct base_why *why)
{
    struct gateway *gateway = data;
    if (up) {
        base_log(BASE_LOG_INFO, "redis: connected");
        relay_bus_up(gateway->relay);
        if (!gateway->room_checked)
            arda_bus_check_room(gateway->bus, gateway->max_event);
        gateway->room_checked = true;
        return;
    }
    base_log(BASE_LOG_WARNING, "%s; trying again until it is back", why->text);
    tenants_bus_down(gateway);
}

static void log_cuts(struct gateway *gateway)
{
    for (unsigned cut = 0; cut < GATEWAY_CUT_COUNT; cut++) {
        unsigned long long count = atomic_load(&gateway->cut[cut]);
        if (count)
            base_log(BASE_LOG_INFO, "%llu sockets ended: %s", count, gateway_cut_text(cut));
    }
}

static void log_drops(const struct gateway *gateway)
{
    base_log(BASE_LOG_DEBUG, "%" PRIu64 " events forwarded", gateway->forwarded);
    for (int drop = 0; drop < GATEWAY_DROP_COUNT; drop++)
        if (gateway->dropped[drop])
            base_log(BASE_LOG_INFO, "%" PRIu64 " events not forwarded: %s", gateway->dropped[drop],
                     gateway_drop_text((enum gateway_drop)drop));
    if (!gateway->bus)
        return;
    struct arda_bus_stats stats;
    arda_bus_get_stats(gateway->bus, &stats);
    for (int drop = 1; drop < ARDA_DROP_COUNT; drop++)
        if (stats.dropped[drop])
            base_log(BASE_LOG_INFO, "%" PRIu64 " messages dropped: %s", stats.dropped[drop],
                     arda_drop_text((enum arda_drop)drop));
}

/* ---- the end ---- */

static void close_signals(struct process *process)
{
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&process->signals[i], NULL);
}

/* After the server: no handler of a socket will ask the bus for anything any more. */
static void on_server_closed(void *data)
{
    struct process *process = data;
    struct gateway *gateway = &process->gateway;
    gateway->server = NULL;
    log_cuts(gateway);
    log_drops(gateway);
    relay_close(gateway->relay);
    admin_stop(gateway);
    source_stop(gateway);
    if (gateway->bus)
        arda_bus_shutdown(gateway->bus, BUS_DRAIN_MS, NULL, NULL);
    gateway->bus = NULL;
    close_signals(process);
}

static void stop(struct process *process)
{
    if (process->gateway.stopping) {
        base_log(BASE_LOG_WARNING, "stopped at once");
        exit(BASE_EXIT_TEMPFAIL);
    }
    process->gateway.stopping = true;
    base_log(BASE_LOG_INFO, "stopping");
    base_service_notify("STOPPING=1");
    expiry_stop(&process->gateway);
    relay_stop(process->gateway.relay);
    net_server_close(process->gateway.server, (uint32_t)process->settings.drain, on_server_closed,
                     process);
}

void gateway_end(struct gateway *gateway, int status)
{
    gateway->status = status;
    if (!gateway->stopping)
        stop(base_container(gateway, struct process, gateway));
}

static void load_again(struct process *process)
{
    struct base_why why;
    if (gateway_load_keys(&process->gateway, &why) < 0)
        base_log(BASE_LOG_ERROR, "the keys of tokens were not loaded again: %s", why.text);
    else
        base_log(BASE_LOG_INFO, "the keys of tokens were loaded again");
    if (process->gateway.unsubscribe_key) {
        if (unsubscribe_load_key(&process->gateway, &why) < 0)
            base_log(BASE_LOG_ERROR, "the secret of links in e-mails was not loaded again: %s",
                     why.text);
        else
            base_log(BASE_LOG_INFO, "the secret of links in e-mails was loaded again");
    }
    if (!process->tls)
        return;
    if (net_tls_reload(process->tls, &why) < 0)
        base_log(BASE_LOG_ERROR, "the certificate was not loaded again: %s", why.text);
    else
        base_log(BASE_LOG_INFO, "the certificate was loaded again");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct process *process = handle->data;
    if (number == SIGHUP)
        load_again(process);
    else
        stop(process);
}

/* ---- the beginning ---- */

static _Noreturn void fail(int code, const char *what, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s%s%s", what, *what ? ": " : "", why->text);
    exit(base_exit_status(code));
}

static void watch_signals(struct process *process)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&process->loop, &process->signals[i]);
        process->signals[i].data = process;
        uv_signal_start(&process->signals[i], on_signal, numbers[i]);
    }
}

static void load_certificate(struct process *process)
{
    struct settings *settings = &process->settings;
    struct base_why why;
    bool cert = settings->tls_cert && *settings->tls_cert;
    bool key = settings->tls_key && *settings->tls_key;
    if (cert != key)
        fail(BASE_ERR_INVALID, "",
             &(struct base_why){.text = "--tls-cert and --tls-key need each other"});
    int failed = cert ? net_tls_new(settings->tls_cert, settings->tls_key, &process->tls, &why) : 0;
    if (failed)
        fail(failed, "", &why);
}

static void start_workers(struct gateway *gateway, unsigned count)
{
    gateway->worker_count = count;
    gateway->workers = base_calloc(count, sizeof *gateway->workers);
    if (!gateway->workers)
        fail(BASE_ERR_NOMEM, "", &(struct base_why){.text = "out of memory"});
    for (unsigned i = 0; i < count; i++) {
        gateway->workers[i].gateway = gateway;
        gateway->workers[i].index = i;
    }
}

static void start_server(struct process *process)
{
    struct settings *settings = &process->settings;
    struct gateway *gateway = &process->gateway;
    static struct net_namespace nsp;
    static struct net_endpoint endpoint;
    struct base_why why;
    nsp = sockets_namespace;
    nsp.data = gateway;
    endpoint = net_endpoint_defaults;
    endpoint.compression = settings->compression == 1;
    endpoint.namespaces = &nsp;
    endpoint.namespace_count = 1;
    struct net_server_options options = {
        .endpoints = &endpoint,
        .endpoint_count = 1,
        .workers = (unsigned)settings->workers,
        .tls = process->tls,
        .relay = relay_handlers(gateway->relay),
        .on_refusal = refusals_log,
        .data = gateway,
    };
    int failed = limits_apply(settings, &process->limits, &endpoint, &options, &why);
    gateway->path = endpoint.path;
    if (!failed)
        failed = unsubscribe_site(gateway, &options.pages, &why);
    if (failed)
        fail(failed, "", &why);
    start_workers(gateway, options.workers);
    failed = net_server_new(&process->loop, &options, &gateway->server, &why);
    if (failed)
        fail(failed, "", &why);
}

static void start_events(struct process *process)
{
    struct gateway *gateway = &process->gateway;
    struct base_why why;
    struct arda_bus_options options = {
        .url = process->settings.redis,
        .prefix = process->settings.prefix,
        .name = "arda-gateway",
        .use = ARDA_BUS_READS,
        .on_state = on_bus_state,
        .data = gateway,
    };
    int failed = process->settings.stdin
                     ? source_start(gateway, &why)
                     : arda_bus_new(&process->loop, &options, &gateway->bus, &why);
    if (!failed)
        failed = revoke_start(gateway, &why);
    if (failed)
        fail(failed, "", &why);
    if (expiry_start(gateway) < 0)
        fail(BASE_ERR_NOMEM, "", &(struct base_why){.text = "out of memory"});
}

static void prepare_relay(struct process *process)
{
    const struct settings *settings = &process->settings;
    struct base_why why;
    if (!settings->advertise || !*settings->advertise)
        return;
    if (settings->stdin)
        fail(BASE_ERR_INVALID, "",
             &(struct base_why){.text = "--advertise needs Redis: not with --stdin"});
    const struct relay_options options = {process->gateway.loop, settings->advertise,
                                          settings->relay_secret_file};
    int failed = relay_new(&options, &process->gateway.relay, &why);
    if (failed)
        fail(failed, "", &why);
}

static void start_relay(struct process *process)
{
    struct base_why why;
    struct gateway *gateway = &process->gateway;
    int failed = relay_start(gateway->relay, gateway->server, gateway->bus, &why);
    if (failed)
        fail(failed, "--advertise", &why);
}

static void start_admin(struct process *process)
{
    char host[HOST_MAX], bound[NET_ADDRESS_MAX];
    const char *address = process->settings.admin;
    uint16_t port;
    struct base_why why;
    if (!address || !*address)
        return;
    if (base_url_listen(address, host, sizeof host, &port, &why) < 0)
        fail(BASE_ERR_INVALID, "--admin", &why);
    int failed =
        admin_start(&process->gateway, host, port, &process->settings.admin_host, bound, &why);
    if (failed)
        fail(failed, "--admin", &why);
    base_log(BASE_LOG_INFO, "admin on %s", bound);
}

static void start_listening(struct process *process)
{
    char host[HOST_MAX], bound[NET_ADDRESS_MAX];
    const char *listen = process->settings.listen, *port_text = getenv("PORT");
    uint16_t port;
    struct base_why why;
    bool from_port = !listen && port_text && *port_text;
    if (!listen)
        listen = from_port ? port_text : DEFAULT_LISTEN;
    if (base_url_listen(listen, host, sizeof host, &port, &why) < 0)
        fail(from_port ? BASE_ERR_CONFIG : BASE_ERR_INVALID, from_port ? "PORT" : "--listen", &why);
    int failed = net_server_listen(process->gateway.server, host, port, bound, &why);
    if (failed)
        fail(failed, "", &why);
    base_log(BASE_LOG_INFO, "listening on %s%s", bound, process->tls ? " (https, wss)" : "");
}

static void load_keys(struct process *process)
{
    const struct settings *settings = &process->settings;
    struct gateway *gateway = &process->gateway;
    struct base_why why;
    gateway->key_options = (struct arda_keyring_options){
        .secret_file = settings->jwt_secret_file,
        .key_files = settings->jwt_key.items,
        .key_file_count = settings->jwt_key.count,
        .algorithms = settings->jwt_algorithms,
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_ms = settings->jwt_leeway,
        .require_exp = settings->jwt_require_exp,
    };
    int failed = gateway_load_keys(gateway, &why);
    if (failed)
        fail(failed == BASE_ERR_NOTFOUND ? BASE_ERR_CONFIG : failed, "", &why);
}

static void prepare_unsubscribing(struct process *process)
{
    const char *file = process->settings.unsubscribe_secret_file;
    struct base_why why;
    bool given = file && *file;
    if (process->settings.stdin && given)
        fail(BASE_ERR_INVALID, "",
             &(struct base_why){.text = "--unsubscribe-secret-file needs Redis: not with --stdin"});
    int failed =
        process->settings.stdin ? BASE_OK : unsubscribe_prepare(&process->gateway, file, &why);
    if (failed)
        fail(failed, given ? "--unsubscribe-secret-file" : "", &why);
}

static void check_settings(struct process *process)
{
    struct settings *settings = &process->settings;
    process->gateway.max_event = (size_t)settings->max_event;
    process->gateway.notify_tenant = settings->notifications == 1;
    process->gateway.ends_expired = settings->token_expiry == 1;
    process->gateway.revocation = settings->revocation;
    load_certificate(process);
    base_quota_init(&process->gateway.users, (uint32_t)settings->max_per_user);
    load_keys(process);
    prepare_unsubscribing(process);
}

static void fini(struct process *process)
{
    struct gateway *gateway = &process->gateway;
    for (unsigned i = 0; i < gateway->worker_count; i++)
        sockets_fini(&gateway->workers[i]);
    base_free(gateway->workers);
    tenants_fini(gateway);
    relay_free(gateway->relay);
    arda_keyring_free(gateway->keys);
    unsubscribe_fini(gateway);
    pthread_rwlock_destroy(&gateway->key_lock);
    base_quota_fini(&gateway->users);
    limits_fini(&process->limits);
    net_tls_free(process->tls);
    base_opt_fini(&program, &process->settings);
}

int main(int argc, char **argv)
{
    static struct process process;
    char **operands;
    if (base_opt_start(&program, &process.settings, argc, argv, &operands) > 0) {
        base_log(BASE_LOG_ERROR, "unexpected argument `%s'", operands[0]);
        return BASE_EXIT_USAGE;
    }
    base_service_prepare();
    pthread_rwlock_init(&process.gateway.key_lock, NULL);
    uv_loop_init(&process.loop);
    process.gateway.loop = &process.loop;
    process.gateway.started_ms = base_clock_wall_ms();
    check_settings(&process);
    prepare_relay(&process);
    start_server(&process);
    start_events(&process);
    start_relay(&process);
    watch_signals(&process);
    start_admin(&process);
    start_listening(&process); /* says so: from then on a signal ends it in order */
    base_service_notify("READY=1");
    uv_run(&process.loop, UV_RUN_DEFAULT);
    uv_loop_close(&process.loop);
    fini(&process);
    return process.gateway.status;
}
