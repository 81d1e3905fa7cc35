/* SPDX-License-Identifier: ISC
 *
 * What is done with a session later in the turn, and noted now: it has something to send, or it
 * ends. Calls of the application come no further than here.
 */
#include "net/session/session.h"

#include "net/session/queue.h"

void net_session_dirty(struct net_session *session)
{
    struct net_sessions *sessions = session->worker->sessions;
    if (session->dirty || session->dead)
        return;
    session->dirty = true;
    session->dirty_next = sessions->dirty;
    sessions->dirty = session;
}

void net_session_doom(struct net_session *session, enum net_reason reason)
{
    struct net_sessions *sessions = session->worker->sessions;
    if (session->dead || session->doomed)
        return;
    session->doomed = true;
    session->doom_reason = (uint8_t)reason;
    session->dead_next = sessions->doomed;
    sessions->doomed = session;
}

void net_session_view_moved(struct net_sessions *sessions, struct net_view *view)
{
    if (view->dirty)
        return;
    view->dirty = true;
    view->dirty_next = sessions->dirty_views;
    sessions->dirty_views = view;
}

void net_session_forget_view(struct net_sessions *sessions, const struct net_view *view)
{
    struct net_view **place = &sessions->dirty_views;
    while (*place && *place != view)
        place = &(*place)->dirty_next;
    if (*place)
        *place = view->dirty_next;
}

void net_session_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                     size_t len)
{
    if (session->dead || session->doomed)
        return;
    int failed = net_queue_add(session, opcode, bytes, len);
    if (failed)
        net_session_doom(session, failed == BASE_ERR_LIMIT ? NET_REASON_SLOW : NET_REASON_NOMEM);
    else
        net_session_dirty(session);
}

void net_session_unfollow(struct net_session *session)
{
    if (net_queue_unfollow(session) < 0)
        net_session_doom(session, NET_REASON_NOMEM);
    else if (session->first_frame)
        net_session_dirty(session);
}

void net_session_send(struct net_session *session, bool binary, struct base_slice message)
{
    if (binary) {
        net_session_add(session, NET_WS_BINARY, message.data, message.len);
        return;
    }
    struct base_buf *packet = &session->worker->scratch;
    packet->len = 0;
    if (base_buf_add_byte(packet, NET_EIO_MESSAGE) < 0 ||
        base_buf_add(packet, message.data, message.len) < 0)
        net_session_doom(session, NET_REASON_NOMEM);
    else
        net_session_add(session, NET_WS_TEXT, packet->data, packet->len);
}
