/* SPDX-License-Identifier: ISC
 *
 * A server's begin and end, and what is asked of all of it. The end: listeners are closed on each
 * worker, which then drains; each of them that is done tells the home loop; worker 0 goes last, and
 * then the threads are joined, what is still posted is run, and the memory goes.
 */
#include "net/server/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/io/address.h"
#include "net/io/conn.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* ---- the end of all workers ---- */

static void free_server(struct net_server *server)
{
    for (unsigned i = 0; server->turns && i < server->shared.options.workers; i++)
        net_turn_fini(&server->turns[i]);
    base_free(server->turns);
    base_free(server->shared.workers);
    base_free(server->listeners);
    base_free(server->endpoints);
    base_free(server->site_name);
    base_quota_fini(&server->sessions.addresses);
    base_free(server);
}

/* On the home loop: worker 0 ends last. */
static void one_less(void *arg)
{
    struct net_server *server = arg;
    server->workers_left--;
    net_loop_again(server->turns[0].worker.loop);
}

/* What was posted to a worker after its end still has to run, or its memory would be lost. */
static void run_rest(struct net_server *server)
{
    bool any;
    do {
        any = false;
        for (unsigned i = 0; i < server->shared.options.workers; i++)
            any |= net_loop_run_rest(server->turns[i].worker.loop);
    } while (any);
}

static void finish(struct net_server *server)
{
    const struct net_server_options options = server->shared.options;
    for (unsigned i = 1; i < options.workers; i++)
        pthread_join(server->turns[i].worker.thread, NULL);
    run_rest(server);
    if (options.on_worker)
        options.on_worker(options.data, 0, false);
    void (*done)(void *) = server->on_closed;
    void *data = server->closed_data;
    free_server(server);
    if (done)
        done(data);
}

static void on_loop_closed(void *arg)
{
    struct net_turn *turn = arg;
    if (turn->worker.index == 0)
        finish(turn->server);
    else
        net_server_post_home(turn->server, one_less, turn->server);
}

/* ---- start ---- */

/* A connection that ends has no endpoint any more. */
static uint32_t longest_age(const struct net_server *server)
{
    uint32_t longest_ms = 0;
    for (size_t i = 0; i < server->shared.options.endpoint_count; i++) {
        uint32_t age_ms = server->endpoints[i].max_queue_age_ms;
        if (!age_ms)
            return 0;
        longest_ms = age_ms > longest_ms ? age_ms : longest_ms;
    }
    return longest_ms;
}

static int copy_endpoints(struct net_server *server)
{
    size_t bytes = server->shared.options.endpoint_count * sizeof *server->endpoints;
    if (bytes == 0)
        return BASE_OK;
    server->endpoints = base_malloc(bytes);
    if (!server->endpoints)
        return BASE_ERR_NOMEM;
    memcpy(server->endpoints, server->shared.options.endpoints, bytes);
    for (size_t i = 0; i < server->shared.options.endpoint_count; i++)
        if (!server->endpoints[i].engine)
            server->endpoints[i].engine = &net_socket_engine;
    server->shared.max_answer_age_ms = longest_age(server);
    return BASE_OK;
}

static int allocate(const struct net_server_options *options, struct net_server **out)
{
    struct net_server *server = base_calloc(1, sizeof *server);
    if (!server)
        return BASE_ERR_NOMEM;
    server->shared.options = *options;
    server->home_thread = pthread_self();
    base_quota_init(&server->sessions.addresses, options->max_sessions_per_address);
    if (!server->shared.options.max_head_bytes)
        server->shared.options.max_head_bytes = NET_HTTP1_HEAD_MAX;
    server->turns = base_calloc(options->workers, sizeof *server->turns);
    server->shared.workers = base_calloc(options->workers, sizeof(struct net_worker *));
    server->listeners = base_calloc(options->workers, sizeof *server->listeners);
    if (!server->turns || !server->shared.workers || !server->listeners ||
        copy_endpoints(server) < 0) {
        server->shared.options.workers = 0;
        free_server(server);
        return BASE_ERR_NOMEM;
    }
    for (unsigned i = 0; i < options->workers; i++) {
        server->shared.workers[i] = &server->turns[i].worker;
        server->listeners[i] = (struct net_listener){.fd = -1, .worker = &server->turns[i].worker};
    }
    server->site_listener =
        (struct net_listener){.fd = -1, .worker = &server->turns[0].worker, .of_site = true};
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
        failed = net_turn_init(&server->turns[ready], server, ready, ready ? NULL : home,
                               on_loop_closed);
    for (unsigned i = 1; i < options->workers && !failed; i++)
        failed = net_worker_start(&server->turns[i].worker);
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
    unsigned count = server->shared.options.workers;
    for (unsigned i = 0; i < count; i++) {
        struct net_listener *listener = &server->listeners[i];
        int failed = net_listen_open(listener, host, port, count > 1, why);
        if (!failed)
            failed = net_address_own(listener->fd, bound, &port);
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
    if (!failed && net_address_own(listener->fd, bound, &port) < 0)
        failed = base_why_set(why, BASE_ERR_INTERNAL, "no address");
    if (failed)
        return failed;
    server->site_is_local = net_address_is_loopback(bound);
    server->site_name = base_strdup(host ? host : "");
    if (!server->site_name)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    watch_listener(listener);
    return failed;
}

/* ---- end ---- */

static void begin_drain(void *arg)
{
    struct net_turn *turn = arg;
    struct net_worker *worker = &turn->worker;
    net_listen_close(&turn->server->listeners[worker->index]);
    worker->closing = true;
    net_loop_again(worker->loop);
}

void net_server_close(struct net_server *server, uint32_t drain_ms, void (*done)(void *data),
                      void *data)
{
    uint64_t until = base_clock_mono_us() + drain_ms * NET_MS;
    server->closing = true;
    server->on_closed = done;
    server->closed_data = data;
    server->workers_left = server->shared.options.workers;
    for (unsigned i = 0; i < server->shared.options.workers; i++)
        server->turns[i].drain_until_us = until;
    for (unsigned i = 1; i < server->shared.options.workers; i++)
        net_server_post(server, i, begin_drain, &server->turns[i]);
    begin_drain(&server->turns[0]);
}

/* ---- posting ---- */

int net_server_post(struct net_server *server, unsigned worker, void (*task)(void *arg), void *arg)
{
    /* What has been appended to the logs comes before what is posted after it. */
    if (worker > 0 && pthread_equal(pthread_self(), server->home_thread))
        net_server_post_logs(server);
    return net_loop_post(server->turns[worker].worker.loop, task, arg);
}

int net_server_post_home(struct net_server *server, void (*task)(void *arg), void *arg)
{
    return net_loop_post(server->turns[0].worker.loop, task, arg);
}

void net_server_set_id(struct net_server *server, uint16_t id)
{
    if (server->shared.options.relay)
        atomic_store_explicit(&server->sessions.id, id, memory_order_relaxed);
}

int net_server_adopt(struct net_server *server, int fd)
{
    struct net_worker *home = &server->turns[0].worker;
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
    for (unsigned i = 0; i < server->shared.options.workers; i++) {
        struct net_worker *worker = &server->turns[i].worker;
        struct net_sessions *sessions = worker->sessions;
        stats->connections += atomic_load_explicit(&worker->conn_count, memory_order_relaxed);
        stats->sessions += atomic_load_explicit(&sessions->count, memory_order_relaxed);
        stats->joining += atomic_load_explicit(&sessions->joining_count, memory_order_relaxed);
        stats->sessions_opened += atomic_load_explicit(&sessions->opened, memory_order_relaxed);
        stats->request_errors +=
            atomic_load_explicit(&worker->request_errors, memory_order_relaxed);
        for (int reason = 0; reason < NET_REASON_COUNT; reason++)
            stats->closed[reason] +=
                atomic_load_explicit(&sessions->closed[reason], memory_order_relaxed);
        for (int refusal = 0; refusal < NET_REFUSAL_COUNT; refusal++)
            stats->refused[refusal] +=
                atomic_load_explicit(&worker->refused[refusal], memory_order_relaxed);
    }
}

void net_server_get_queued(struct net_server *server, unsigned worker,
                           struct net_server_queued *queued)
{
    net_session_queued(&server->turns[worker].sessions, &queued->bytes, &queued->most_bytes);
}
