/* SPDX-License-Identifier: ISC
 *
 * The turn of a worker: events are handled first, in any order and any number, and only mark what
 * has something to send, or what their handlers want ended; then that is ended, and everything
 * marked is written, once; then what has ended is released.
 */
#include "net/server/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/io/conn.h"

/* What calls of the application have ended; the handlers that learn of it may end more. */
static void end_doomed(struct net_turn *turn)
{
    struct net_sessions *sessions = &turn->sessions;
    while (sessions->doomed || turn->left || turn->lost_pipes) {
        net_socket_end_left(turn);
        net_pipe_end_lost(turn);
        struct net_session *session = sessions->doomed;
        if (!session)
            continue;
        sessions->doomed = session->dead_next;
        session->doomed = false;
        if (session->dead) {
            session->dead_next = sessions->dead;
            sessions->dead = session;
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

static void flush_dirty(struct net_turn *turn)
{
    struct net_sessions *sessions = &turn->sessions;
    for (end_doomed(turn); sessions->dirty_views || sessions->dirty; end_doomed(turn)) {
        struct net_view *view = sessions->dirty_views;
        if (view) {
            sessions->dirty_views = view->dirty_next;
            view->dirty = false;
            flush_view(view);
            continue;
        }
        struct net_session *session = sessions->dirty;
        sessions->dirty = session->dirty_next;
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
static void release_dead(struct net_turn *turn)
{
    struct net_worker *worker = &turn->worker;
    flush_dirty(turn);
    while (turn->dead_sockets) {
        struct net_socket *socket = turn->dead_sockets;
        turn->dead_sockets = socket->next;
        base_free(socket);
    }
    while (turn->sessions.dead) {
        struct net_session *session = turn->sessions.dead;
        turn->sessions.dead = session->dead_next;
        net_session_free(session);
    }
    while (worker->dead_conns) {
        struct net_conn *conn = worker->dead_conns;
        worker->dead_conns = conn->next;
        net_conn_free(conn);
    }
}

static bool has_site_listener(const struct net_worker *worker)
{
    return worker->index == 0;
}

/* When one of its listeners accepts again; 0: none has been paused. */
static uint64_t accept_due_us(const struct net_worker *worker)
{
    const struct net_server *server = net_server_of(worker);
    uint64_t due_us = server->listeners[worker->index].resume_us;
    uint64_t site_due_us = has_site_listener(worker) ? server->site_listener.resume_us : 0;
    return due_us && (!site_due_us || due_us < site_due_us) ? due_us : site_due_us;
}

static void resume_accepting(struct net_worker *worker, uint64_t now_us)
{
    struct net_server *server = net_server_of(worker);
    net_listen_resume(&server->listeners[worker->index], now_us);
    if (has_site_listener(worker))
        net_listen_resume(&server->site_listener, now_us);
}

static void set_timer(struct net_turn *turn)
{
    struct net_worker *worker = &turn->worker;
    uint64_t due_us, resume_us = accept_due_us(worker);
    bool any = net_deadlines_next(&worker->deadlines, &due_us);
    if (resume_us && (!any || due_us > resume_us)) {
        due_us = resume_us;
        any = true;
    }
    bool drains = worker->closing && net_drain_has_conns(worker);
    if (drains && (!any || due_us > turn->drain_until_us)) {
        due_us = turn->drain_until_us;
        any = true;
    }
    if (any)
        net_loop_wake_at(worker->loop, due_us);
    else
        net_loop_wake_never(worker->loop);
}

static void on_turn(void *data)
{
    struct net_turn *turn = data;
    struct net_worker *worker = &turn->worker;
    if (worker->ended)
        return;
    read_again(worker);
    if (worker->index == 0)
        net_server_post_logs(turn->server);
    flush_dirty(turn);
    if (worker->closing && net_drain(turn)) {
        worker->ended = true;
        release_dead(turn);
        net_loop_close(worker->loop, turn->on_closed, turn);
        return;
    }
    release_dead(turn);
    if (worker->again)
        net_loop_again(worker->loop);
    set_timer(turn);
}

static void on_due(void *data)
{
    struct net_worker *worker = &((struct net_turn *)data)->worker;
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

int net_turn_init(struct net_turn *turn, struct net_server *server, unsigned index,
                  struct uv_loop_s *home, void (*on_closed)(void *turn))
{
    const struct net_loop_handlers handlers = {on_ready, on_due, on_turn, turn};
    struct net_worker *worker = &turn->worker;
    turn->server = server;
    turn->on_closed = on_closed;
    worker->turn = turn;
    worker->sessions = &turn->sessions;
    worker->roles = net_roles;
    turn->sessions.worker = worker;
    turn->sessions.shared = &server->sessions;
    base_list_init(&turn->sessions.joining);
    return net_worker_init(worker, &server->shared, index, home, &handlers);
}

void net_turn_fini(struct net_turn *turn)
{
    release_dead(turn);
    net_session_fini(&turn->sessions);
    net_worker_fini(&turn->worker);
}
