/* SPDX-License-Identifier: ISC
 *
 * Logs as the server's users see them. The home worker's view moves with every append; the other
 * workers hear of a turn's appends in one message, before anything else that is posted to them.
 */
#include "net/internal.h"

#include "base/mem.h"

#include <string.h>

int net_server_log_new(struct net_server *server, struct net_log **log)
{
    return net_log_new(server->options.workers, log);
}

static void advance_home(struct net_server *server, struct net_log *log)
{
    struct net_view *view = log->views[0];
    if (!view)
        return;
    struct net_log_news news;
    net_log_news(log, view, &news);
    net_view_advance(view, &news);
    net_worker_dirty_view(&server->workers[0], view);
}

static bool has_remote_view(const struct net_log *log)
{
    for (unsigned i = 1; i < log->workers; i++)
        if (log->views[i])
            return true;
    return false;
}

int net_server_log_event(struct net_server *server, struct net_log *log, struct base_slice name,
                         struct base_slice arguments)
{
    size_t comma = arguments.len > 0;
    size_t len = 3 + name.len + comma + arguments.len + 1;
    char *at = net_log_reserve(log, len);
    if (!at)
        return BASE_ERR_NOMEM;
    memcpy(at, "42[", 3);
    at += 3;
    memcpy(at, name.data, name.len);
    at += name.len;
    if (comma) {
        *at++ = ',';
        memcpy(at, arguments.data, arguments.len);
        at += arguments.len;
    }
    *at = ']';
    net_log_commit(log, len);
    advance_home(server, log);
    if (!has_remote_view(log)) {
        net_log_posted(log);
    } else if (!log->dirty) {
        log->dirty = true;
        log->dirty_next = server->dirty_logs;
        server->dirty_logs = log;
    }
    return BASE_OK;
}

/* ---- to the other workers ---- */

struct batch {
    struct net_worker *worker;
    size_t count;
    struct net_log_news news[];
};

static void take_batch(void *arg)
{
    struct batch *batch = arg;
    for (size_t i = 0; i < batch->count; i++) {
        net_view_advance(batch->news[i].view, &batch->news[i]);
        net_worker_dirty_view(batch->worker, batch->news[i].view);
    }
    base_free(batch);
}

static size_t count_views(const struct net_log *logs, unsigned worker)
{
    size_t count = 0;
    for (const struct net_log *log = logs; log; log = log->dirty_next)
        count += log->views[worker] != NULL;
    return count;
}

/* False when memory is short: the logs stay dirty, and the next turn tries again. */
static bool post_to(struct net_server *server, unsigned worker)
{
    size_t count = count_views(server->dirty_logs, worker);
    if (count == 0)
        return true;
    struct batch *batch = base_malloc(sizeof *batch + count * sizeof batch->news[0]);
    if (!batch)
        return false;
    batch->worker = &server->workers[worker];
    batch->count = 0;
    for (struct net_log *log = server->dirty_logs; log; log = log->dirty_next)
        if (log->views[worker])
            net_log_news(log, log->views[worker], &batch->news[batch->count++]);
    /* The references are taken; a message that cannot be sent is kept for the next try by taking
     * its contents over here. */
    if (net_loop_post(batch->worker->loop, take_batch, batch) == 0)
        return true;
    base_free(batch);
    return false;
}

void net_server_post_logs(struct net_server *server)
{
    bool told = true;
    if (!server->dirty_logs)
        return;
    for (unsigned i = 1; i < server->options.workers; i++)
        told &= post_to(server, i);
    if (!told)
        return;
    while (server->dirty_logs) {
        struct net_log *log = server->dirty_logs;
        server->dirty_logs = log->dirty_next;
        log->dirty = false;
        net_log_posted(log);
    }
}

/* ---- views ---- */

struct net_view *net_server_log_attach(struct net_server *server, struct net_log *log,
                                       unsigned worker)
{
    (void)server;
    return net_log_attach(log, worker);
}

struct detached {
    struct net_worker *worker;
    struct net_view *view;
};

static void free_view(void *arg)
{
    struct detached *detached = arg;
    struct net_view **place = &detached->worker->dirty_views;
    while (*place && *place != detached->view)
        place = &(*place)->dirty_next;
    if (*place)
        *place = detached->view->dirty_next;
    net_view_free(detached->view);
    base_free(detached);
}

void net_server_log_detach(struct net_server *server, struct net_view *view)
{
    unsigned worker = view->worker;
    net_server_post_logs(server);
    net_log_detach(view->log, view);
    struct detached *detached = base_malloc(sizeof *detached);
    if (!detached)
        return; /* the view is lost, and with it a few hundred bytes */
    *detached = (struct detached){&server->workers[worker], view};
    if (worker == 0)
        free_view(detached);
    else if (net_server_post(server, worker, free_view, detached) < 0)
        base_free(detached);
}

void net_server_log_free(struct net_server *server, struct net_log *log)
{
    struct net_log **place = &server->dirty_logs;
    while (*place && *place != log)
        place = &(*place)->dirty_next;
    if (*place)
        *place = log->dirty_next;
    net_log_free(log);
}
