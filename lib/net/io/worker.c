/* SPDX-License-Identifier: ISC
 *
 * The turn of a worker: events are handled first, in any order and any number, and only mark what
 * has something to send, or what their handlers want ended; then that is ended, and everything
 * marked is written, once; then what has ended is released.
 */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

struct net_deflate *net_worker_deflate(struct net_worker *worker)
{
    if (!worker->deflate)
        worker->deflate = net_deflate_new();
    return worker->deflate;
}

/* ---- marks ---- */

void net_worker_dirty_view(struct net_worker *worker, struct net_view *view)
{
    if (view->dirty)
        return;
    view->dirty = true;
    view->dirty_next = worker->dirty_views;
    worker->dirty_views = view;
}

void net_worker_again(struct net_conn *conn)
{
    if (conn->in_again)
        return;
    conn->in_again = true;
    conn->next = conn->worker->again;
    conn->worker->again = conn;
}

int net_worker_enter(struct net_worker *worker)
{
    int failed = net_deadlines_reserve(&worker->deadlines, worker->deadline_owners + 1);
    if (!failed)
        worker->deadline_owners++;
    return failed;
}

void net_worker_leave(struct net_worker *worker)
{
    worker->deadline_owners--;
}

/* ---- the turn ---- */

/* What calls of the application have ended; the handlers that learn of it may end more. */
static void end_doomed(struct net_worker *worker)
{
    while (worker->doomed || worker->left || worker->lost_pipes) {
        net_sockets_end(worker);
        net_pipes_end(worker);
        struct net_session *session = worker->doomed;
        if (!session)
            continue;
        worker->doomed = session->dead_next;
        session->doomed = false;
        if (session->dead) {
            session->dead_next = worker->dead_sessions;
            worker->dead_sessions = session;
        } else {
            net_session_close(session, (enum net_reason)session->doom_reason);
        }
    }
}

static void flush_session(struct net_session *session)
{
    if (!session->dead && !session->doomed)
        session->transport->flush(session);
}

/* Sessions may leave the list while it is walked, also others than the one being flushed; so each
 * is moved from the one list to the other before its turn. */
static void flush_view(struct net_view *view)
{
    struct base_list waiting;
    base_list_init(&waiting);
    base_list_splice(&waiting, &view->followers);
    while (!base_list_empty(&waiting)) {
        struct base_list *link = waiting.next;
        base_list_remove(link);
        base_list_append(&view->followers, link);
        struct net_cursor *cursor = base_container(link, struct net_cursor, link);
        flush_session(base_container(cursor, struct net_session, cursor));
    }
}

static void flush_dirty(struct net_worker *worker)
{
    for (end_doomed(worker); worker->dirty_views || worker->dirty_sessions; end_doomed(worker)) {
        struct net_view *view = worker->dirty_views;
        if (view) {
            worker->dirty_views = view->dirty_next;
            view->dirty = false;
            flush_view(view);
            continue;
        }
        struct net_session *session = worker->dirty_sessions;
        worker->dirty_sessions = session->dirty_next;
        session->dirty = false;
        flush_session(session);
    }
}

static void read_again(struct net_worker *worker)
{
    struct net_conn *list = worker->again;
    worker->again = NULL;
    while (list) {
        struct net_conn *conn = list;
        list = conn->next;
        conn->in_again = false;
        if (conn->state == NET_CONN_DEAD) {
            conn->next = worker->dead_conns;
            worker->dead_conns = conn;
        } else {
            net_conn_again(conn);
        }
    }
}

/* In the lists of what is marked nothing must be left that is dead. */
static void release_dead(struct net_worker *worker)
{
    flush_dirty(worker);
    while (worker->dead_sockets) {
        struct net_socket *socket = worker->dead_sockets;
        worker->dead_sockets = socket->next;
        base_free(socket);
    }
    while (worker->dead_sessions) {
        struct net_session *session = worker->dead_sessions;
        worker->dead_sessions = session->dead_next;
        net_session_free(session);
    }
    while (worker->dead_conns) {
        struct net_conn *conn = worker->dead_conns;
        worker->dead_conns = conn->next;
        net_conn_free(conn);
    }
}

/* Those of a site do not keep a worker alive. */
static bool has_conns(const struct net_worker *worker)
{
    BASE_LIST_FOREACH (link, &worker->conns)
        if (!base_container(link, struct net_conn, link)->of_site)
            return true;
    return false;
}

static bool has_site_listener(const struct net_worker *worker)
{
    return worker->index == 0;
}

/* When one of its listeners accepts again; 0: none has been paused. */
static uint64_t accept_due_us(const struct net_worker *worker)
{
    const struct net_server *server = worker->server;
    uint64_t due_us = server->listeners[worker->index].resume_us;
    uint64_t site_due_us = has_site_listener(worker) ? server->site_listener.resume_us : 0;
    return due_us && (!site_due_us || due_us < site_due_us) ? due_us : site_due_us;
}

static void resume_accepting(struct net_worker *worker, uint64_t now_us)
{
    struct net_server *server = worker->server;
    net_listen_resume(&server->listeners[worker->index], now_us);
    if (has_site_listener(worker))
        net_listen_resume(&server->site_listener, now_us);
}

static void set_timer(struct net_worker *worker)
{
    uint64_t due_us, resume_us = accept_due_us(worker);
    bool any = net_deadlines_next(&worker->deadlines, &due_us);
    if (resume_us && (!any || due_us > resume_us)) {
        due_us = resume_us;
        any = true;
    }
    bool drains = worker->closing && has_conns(worker);
    if (drains && (!any || due_us > worker->drain_until_us)) {
        due_us = worker->drain_until_us;
        any = true;
    }
    if (any)
        net_loop_wake_at(worker->loop, due_us);
    else
        net_loop_wake_never(worker->loop);
}

/* ---- the end ---- */

static void on_loop_closed(void *data)
{
    net_server_worker_closed(data);
}

static void close_sessions(struct net_worker *worker, bool also_busy)
{
    for (uint32_t i = 0; i < worker->slot_cap; i++) {
        struct net_session *session = (struct net_session *)worker->slots[i];
        if (!(worker->slots[i] & 1) && (also_busy || net_queue_empty(session)))
            net_session_close(session, NET_REASON_SHUTDOWN);
    }
}

static void close_conns(struct net_worker *worker, bool also_busy)
{
    BASE_LIST_FOREACH_SAFE (link, &worker->conns) {
        struct net_conn *conn = base_container(link, struct net_conn, link);
        if (also_busy || (net_conn_idle(conn) && !conn->of_site))
            net_conn_kill(conn, false);
    }
}

/* Sessions that have nothing left to send end at once, the others when time is up. Worker 0 waits
 * for the others, who tell it of their end. */
static void drain(struct net_worker *worker)
{
    bool time_is_up = base_clock_mono_us() >= worker->drain_until_us;
    close_sessions(worker, time_is_up);
    close_conns(worker, time_is_up);
    if (has_conns(worker))
        return;
    close_sessions(worker, true); /* those that poll have no way to come any more */
    if (worker->index == 0 && worker->server->workers_left > 1)
        return;
    if (worker->index == 0)
        net_server_close_site(worker->server);
    close_conns(worker, true);
    worker->ended = true;
    release_dead(worker);
    net_loop_close(worker->loop, on_loop_closed, worker);
}

static void on_turn(void *data)
{
    struct net_worker *worker = data;
    if (worker->ended)
        return;
    read_again(worker);
    if (worker->index == 0)
        net_server_post_logs(worker->server);
    flush_dirty(worker);
    if (worker->closing)
        drain(worker);
    if (worker->ended)
        return;
    release_dead(worker);
    if (worker->again)
        net_loop_again(worker->loop);
    set_timer(worker);
}

static void on_due(void *data)
{
    struct net_worker *worker = data;
    struct net_deadline *deadline;
    uint64_t now = base_clock_mono_us();
    resume_accepting(worker, now);
    while ((deadline = net_deadlines_take(&worker->deadlines, now)) != NULL) {
        if (deadline->kind == NET_DEADLINE_CONN)
            net_conn_on_due(base_container(deadline, struct net_conn, deadline));
        else
            net_session_on_due(base_container(deadline, struct net_session, deadline));
    }
}

/* Listeners are told from connections by the lowest bit of the tag. */
static void on_ready(void *data, void *tag, unsigned events)
{
    (void)data;
    if ((uintptr_t)tag & 1)
        net_listen_accept((struct net_listener *)((uintptr_t)tag & ~(uintptr_t)1));
    else
        net_conn_on_ready(tag, events);
}

int net_worker_init(struct net_worker *worker, struct net_server *server, unsigned index,
                    struct uv_loop_s *home)
{
    worker->server = server;
    worker->index = index;
    worker->roles = net_roles;
    base_list_init(&worker->conns);
    base_list_init(&worker->joining);
    worker->read_bytes = base_malloc(NET_READ_BYTES);
    if (!worker->read_bytes)
        return BASE_ERR_NOMEM;
    struct net_loop_handlers handlers = {on_ready, on_due, on_turn, worker};
    return net_loop_new(home, &handlers, &worker->loop);
}

void net_worker_fini(struct net_worker *worker)
{
    release_dead(worker);
    net_deadlines_fini(&worker->deadlines);
    net_http1_free(worker->scratch_http);
    net_deflate_free(worker->deflate);
    base_buf_fini(&worker->head);
    base_buf_fini(&worker->scratch);
    base_free(worker->slots);
    base_free(worker->read_bytes);
    net_loop_free(worker->loop);
}
