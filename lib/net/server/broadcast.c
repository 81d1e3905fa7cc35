/* SPDX-License-Identifier: ISC
 *
 * Logs as the server's users see them. The home worker's view moves with every append; the other
 * workers hear of a turn's appends in one message, before anything else that is posted to them. A
 * log and its twin move together: in one turn, and in one message.
 */
#include "net/server/internal.h"

#include "base/mem.h"

#include <string.h>

static bool compresses(const struct net_server *server)
{
    for (size_t i = 0; i < server->shared.options.endpoint_count; i++)
        if (server->endpoints[i].compression)
            return true;
    return false;
}

int net_server_log_new(struct net_server *server, struct net_log **out)
{
    struct net_log *log;
    int failed = net_log_new(server->shared.options.workers, &log);
    if (failed)
        return failed;
    if (compresses(server) && net_log_add_twin(log) < 0) {
        net_log_free(log);
        return BASE_ERR_NOMEM;
    }
    *out = log;
    return BASE_OK;
}

static void advance_home(struct net_server *server, struct net_log *log)
{
    struct net_view *view = log->views[0];
    if (!view)
        return;
    struct net_log_news news;
    net_log_news(log, view, &news);
    net_view_advance(view, &news);
    net_session_view_moved(&server->turns[0].sessions, view);
}

static bool has_remote_view(const struct net_log *log)
{
    for (unsigned i = 1; i < log->workers; i++)
        if (log->views[i])
            return true;
    return false;
}

/* The committed end of a log: to its views, or to the list of what they have to be told. */
static void announce(struct net_server *server, struct net_log *log)
{
    advance_home(server, log);
    if (!has_remote_view(log)) {
        net_log_posted(log);
    } else if (!log->dirty) {
        log->dirty = true;
        log->dirty_next = server->dirty_logs;
        server->dirty_logs = log;
    }
}

/* The payload for the twin: compressed if somebody follows it and there is something to gain. */
static int add_to_twin(struct net_server *server, struct net_log *twin, struct base_slice payload)
{
    struct net_deflate *deflate = NULL;
    bool compressed = false;
    if (payload.len >= NET_DEFLATE_SHARED_MIN_BYTES && net_log_is_followed(twin))
        deflate = net_worker_deflate(&server->turns[0].worker);
    if (deflate)
        compressed = net_deflate_message(deflate, payload, &payload) == 0;
    char *at = compressed ? net_log_reserve_compressed(twin, payload.len)
                          : net_log_reserve(twin, payload.len);
    if (!at)
        return BASE_ERR_NOMEM;
    memcpy(at, payload.data, payload.len);
    net_log_commit(twin, payload.len);
    return BASE_OK;
}

int net_server_log_event(struct net_server *server, struct net_log *log, struct base_slice name,
                         struct base_slice arguments)
{
    size_t comma = arguments.len > 0;
    size_t len = 3 + name.len + comma + arguments.len + 1;
    char *at = net_log_reserve(log, len), *payload = at;
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
    /* Both or none: what has only been reserved is overwritten by the next event. */
    if (log->twin && add_to_twin(server, log->twin, (struct base_slice){payload, len}) < 0)
        return BASE_ERR_NOMEM;
    net_log_commit(log, len);
    announce(server, log);
    if (log->twin)
        announce(server, log->twin);
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
        net_session_view_moved(batch->worker->sessions, batch->news[i].view);
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
    batch->worker = &server->turns[worker].worker;
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
    for (unsigned i = 1; i < server->shared.options.workers; i++)
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
    struct net_sessions *sessions = detached->worker->sessions;
    net_session_forget_view(sessions, detached->view);
    if (detached->view->twin)
        net_session_forget_view(sessions, detached->view->twin);
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
    *detached = (struct detached){&server->turns[worker].worker, view};
    /* The home loop's too: it may be walking the view's followers just now. */
    if (net_loop_post(server->turns[worker].worker.loop, free_view, detached) < 0)
        base_free(detached);
}

static void forget_log(struct net_server *server, const struct net_log *log)
{
    struct net_log **place = &server->dirty_logs;
    while (*place && *place != log)
        place = &(*place)->dirty_next;
    if (*place)
        *place = log->dirty_next;
}

void net_server_log_free(struct net_server *server, struct net_log *log)
{
    forget_log(server, log);
    if (log->twin)
        forget_log(server, log->twin);
    net_log_free(log);
}
