/* SPDX-License-Identifier: ISC */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- start ---- */

static void *run_worker(void *arg)
{
    struct net_worker *worker = arg;
    const struct net_server_options *options = &worker->server->options;
    char name[16];
    snprintf(name, sizeof name, "worker %u", worker->index);
    pthread_setname_np(pthread_self(), name); /* for top(1) and debuggers */
    if (options->on_worker)
        options->on_worker(options->data, worker->index, true);
    net_loop_run(worker->loop);
    if (options->on_worker)
        options->on_worker(options->data, worker->index, false);
    return NULL;
}

static void free_server(struct net_server *server)
{
    for (unsigned i = 0; server->workers && i < server->options.workers; i++)
        net_worker_fini(&server->workers[i]);
    base_free(server->workers);
    base_free(server->listeners);
    base_free(server->endpoints);
    base_free(server->site_name);
    base_quota_fini(&server->addresses);
    base_free(server);
}

/* A connection that ends has no endpoint any more. */
static uint32_t longest_age(const struct net_server *server)
{
    uint32_t longest_ms = 0;
    for (size_t i = 0; i < server->options.endpoint_count; i++) {
        uint32_t age_ms = server->endpoints[i].max_queue_age_ms;
        if (!age_ms)
            return 0;
        longest_ms = age_ms > longest_ms ? age_ms : longest_ms;
    }
    return longest_ms;
}

static int copy_endpoints(struct net_server *server)
{
    size_t bytes = server->options.endpoint_count * sizeof *server->endpoints;
    if (bytes == 0)
        return BASE_OK;
    server->endpoints = base_malloc(bytes);
    if (!server->endpoints)
        return BASE_ERR_NOMEM;
    memcpy(server->endpoints, server->options.endpoints, bytes);
    for (size_t i = 0; i < server->options.endpoint_count; i++)
        if (!server->endpoints[i].engine)
            server->endpoints[i].engine = &net_socket_engine;
    server->max_answer_age_ms = longest_age(server);
    return BASE_OK;
}

static int allocate(const struct net_server_options *options, struct net_server **out)
{
    struct net_server *server = base_calloc(1, sizeof *server);
    if (!server)
        return BASE_ERR_NOMEM;
    server->options = *options;
    server->home_thread = pthread_self();
    base_quota_init(&server->addresses, options->max_sessions_per_address);
    if (!server->options.max_head_bytes)
        server->options.max_head_bytes = NET_HTTP1_HEAD_MAX;
    server->workers = base_calloc(options->workers, sizeof *server->workers);
    server->listeners = base_calloc(options->workers, sizeof *server->listeners);
    if (!server->workers || !server->listeners || copy_endpoints(server) < 0) {
        server->options.workers = 0;
        free_server(server);
        return BASE_ERR_NOMEM;
    }
    for (unsigned i = 0; i < options->workers; i++)
        server->listeners[i] = (struct net_listener){.fd = -1, .worker = &server->workers[i]};
    server->site_listener =
        (struct net_listener){.fd = -1, .worker = &server->workers[0], .of_site = true};
    *out = server;
    return BASE_OK;
}

int net_server_new(struct uv_loop_s *home, const struct net_server_options *options,
                   struct net_server **out, struct base_why *why)
{
    if (options->workers < 1 || options->workers > NET_MAX_WORKERS)
        return base_why_set(why, BASE_ERR_INVALID, "a server needs 1 to %d workers",
                            NET_MAX_WORKERS);
    struct net_server *server;
    if (allocate(options, &server) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    unsigned ready = 0;
    int failed = 0;
    for (; ready < options->workers && !failed; ready++)
        failed = net_worker_init(&server->workers[ready], server, ready, ready ? NULL : home);
    for (unsigned i = 1; i < options->workers && !failed; i++)
        failed = pthread_create(&server->workers[i].thread, NULL, run_worker, &server->workers[i]);
    /* At the start of a program there is no use for an error that leaves half a server behind. */
    if (failed)
        return base_why_set(why, BASE_ERR_INTERNAL, "cannot start worker %u", ready - 1);
    if (options->on_worker)
        options->on_worker(options->data, 0, true);
    *out = server;
    return BASE_OK;
}

static void watch_listener(void *arg)
{
    struct net_listener *listener = arg;
    if (listener->fd >= 0)
        net_loop_watch(listener->worker->loop, listener->fd, (char *)listener + 1, true);
}

int net_server_listen(struct net_server *server, const char *host, uint16_t port,
                      char bound[static NET_ADDRESS_MAX], struct base_why *why)
{
    unsigned count = server->options.workers;
    for (unsigned i = 0; i < count; i++) {
        struct net_listener *listener = &server->listeners[i];
        int failed = net_listen_open(listener, host, port, count > 1, why);
        if (!failed)
            failed = net_listen_address(listener, bound, &port);
        if (!failed)
            failed = net_server_post(server, i, watch_listener, listener);
        if (failed)
            return failed;
    }
    return BASE_OK;
}

int net_server_listen_site(struct net_server *server, const char *host, uint16_t port,
                           const struct net_site *site, char bound[static NET_ADDRESS_MAX],
                           struct base_why *why)
{
    struct net_listener *listener = &server->site_listener;
    server->site = *site;
    int failed = net_listen_open(listener, host, port, false, why);
    if (!failed && net_listen_address(listener, bound, &port) < 0)
        failed = base_why_set(why, BASE_ERR_INTERNAL, "no address");
    if (failed)
        return failed;
    server->site_is_local = net_listen_is_loopback(bound);
    server->site_name = base_strdup(host ? host : "");
    if (!server->site_name)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    watch_listener(listener);
    return failed;
}

/* ---- end ---- */

static void stop_listening(struct net_listener *listener)
{
    if (listener->fd >= 0)
        net_loop_unwatch(listener->worker->loop, listener->fd);
    net_listen_close(listener);
}

void net_server_close_site(struct net_server *server)
{
    stop_listening(&server->site_listener);
}

static void begin_drain(void *arg)
{
    struct net_worker *worker = arg;
    stop_listening(&worker->server->listeners[worker->index]);
    worker->closing = true;
    net_loop_again(worker->loop);
}

/* On the home loop: worker 0 ends last. */
static void one_less(void *arg)
{
    struct net_server *server = arg;
    server->workers_left--;
    net_loop_again(server->workers[0].loop);
}

/* What was posted to a worker after its end still has to run, or its memory would be lost. */
static void run_rest(struct net_server *server)
{
    bool any;
    do {
        any = false;
        for (unsigned i = 0; i < server->options.workers; i++)
            any |= net_loop_run_rest(server->workers[i].loop);
    } while (any);
}

static void finish(struct net_server *server)
{
    const struct net_server_options options = server->options;
    for (unsigned i = 1; i < options.workers; i++)
        pthread_join(server->workers[i].thread, NULL);
    run_rest(server);
    if (options.on_worker)
        options.on_worker(options.data, 0, false);
    void (*done)(void *) = server->on_closed;
    void *data = server->closed_data;
    free_server(server);
    if (done)
        done(data);
}

void net_server_worker_closed(struct net_worker *worker)
{
    if (worker->index == 0)
        finish(worker->server);
    else
        net_server_post_home(worker->server, one_less, worker->server);
}

void net_server_close(struct net_server *server, uint32_t drain_ms, void (*done)(void *data),
                      void *data)
{
    uint64_t until = base_clock_mono_us() + drain_ms * NET_MS;
    server->closing = true;
    server->on_closed = done;
    server->closed_data = data;
    server->workers_left = server->options.workers;
    for (unsigned i = 0; i < server->options.workers; i++)
        server->workers[i].drain_until_us = until;
    for (unsigned i = 1; i < server->options.workers; i++)
        net_server_post(server, i, begin_drain, &server->workers[i]);
    begin_drain(&server->workers[0]);
}

/* ---- posting ---- */

int net_server_post(struct net_server *server, unsigned worker, void (*task)(void *arg), void *arg)
{
    /* What has been appended to the logs comes before what is posted after it. */
    if (worker > 0 && pthread_equal(pthread_self(), server->home_thread))
        net_server_post_logs(server);
    return net_loop_post(server->workers[worker].loop, task, arg);
}

int net_server_post_home(struct net_server *server, void (*task)(void *arg), void *arg)
{
    return net_loop_post(server->workers[0].loop, task, arg);
}

void net_server_set_id(struct net_server *server, uint16_t id)
{
    if (server->options.relay)
        atomic_store_explicit(&server->id, id, memory_order_relaxed);
}

int net_server_adopt(struct net_server *server, int fd)
{
    struct net_worker *home = &server->workers[0];
    int failed = server->closing ? BASE_ERR_CLOSED : BASE_OK;
    if (!failed && net_listen_refuses(home, fd))
        failed = BASE_ERR_LIMIT;
    if (!failed)
        failed = net_conn_open(home, fd, NET_CONN_RELAYED);
    if (failed)
        close(fd);
    return failed;
}

void net_server_get_stats(struct net_server *server, struct net_server_stats *stats)
{
    *stats = (struct net_server_stats){0};
    for (unsigned i = 0; i < server->options.workers; i++) {
        struct net_worker *worker = &server->workers[i];
        stats->connections += atomic_load_explicit(&worker->conn_count, memory_order_relaxed);
        stats->sessions += atomic_load_explicit(&worker->session_count, memory_order_relaxed);
        stats->joining += atomic_load_explicit(&worker->joining_count, memory_order_relaxed);
        stats->sessions_opened +=
            atomic_load_explicit(&worker->sessions_opened, memory_order_relaxed);
        stats->request_errors +=
            atomic_load_explicit(&worker->request_errors, memory_order_relaxed);
        for (int reason = 0; reason < NET_REASON_COUNT; reason++)
            stats->closed[reason] +=
                atomic_load_explicit(&worker->closed[reason], memory_order_relaxed);
        for (int refusal = 0; refusal < NET_REFUSAL_COUNT; refusal++)
            stats->refused[refusal] +=
                atomic_load_explicit(&worker->refused[refusal], memory_order_relaxed);
    }
}

void net_server_get_queued(struct net_server *server, unsigned worker,
                           struct net_server_queued *queued)
{
    const struct net_worker *of = &server->workers[worker];
    *queued = (struct net_server_queued){0};
    for (uint32_t i = 0; i < of->slot_cap; i++) {
        if (of->slots[i] & 1)
            continue;
        uint64_t bytes = net_queue_bytes((const struct net_session *)of->slots[i]);
        queued->bytes += bytes;
        if (bytes > queued->most_bytes)
            queued->most_bytes = bytes;
    }
}
