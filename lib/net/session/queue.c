/* SPDX-License-Identifier: ISC
 *
 * Two sources make up what a session sends: the log it follows, and frames of its own. Each own
 * frame carries the position in the log behind which it belongs, so the order is that in which
 * things happened, and nothing has to be copied from the log to keep it.
 */
#include "net/session/queue.h"

#include "base/mem.h"

#include <string.h>

/* Compresses a message where that is agreed on and shortens it; the bits for its header. */
static char deflate(struct net_session *session, enum net_ws_opcode opcode,
                    struct base_slice *message)
{
    bool is_message = opcode == NET_WS_TEXT || opcode == NET_WS_BINARY;
    if (!session->deflates || !is_message || message->len < NET_DEFLATE_MIN_BYTES)
        return 0;
    struct net_deflate *state = net_worker_deflate(session->worker);
    return state && net_deflate_message(state, *message, message) == 0 ? NET_WS_COMPRESSED : 0;
}

int net_queue_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                  size_t len)
{
    struct base_slice payload = {bytes, len};
    char bits = deflate(session, opcode, &payload);
    bytes = payload.data;
    len = payload.len;
    size_t limit = session->endpoint->max_queue_bytes;
    if (!net_queue_empty(session) && net_queue_bytes(session) + len > limit)
        return BASE_ERR_LIMIT;
    char header[NET_WS_HEADER_MAX];
    size_t header_len = net_ws_header(header, opcode, len);
    header[0] |= bits;
    struct net_frame *frame = base_malloc(sizeof *frame + header_len + len);
    if (!frame)
        return BASE_ERR_NOMEM;
    *frame = (struct net_frame){.len = (uint32_t)(header_len + len)};
    frame->after = session->cursor.view ? session->cursor.view->end : 0;
    memcpy(frame->bytes, header, header_len);
    if (len)
        memcpy(frame->bytes + header_len, bytes, len);
    if (session->first_frame)
        session->last_frame->next = frame;
    else
        session->first_frame = frame;
    session->last_frame = frame;
    session->queued_bytes += frame->len;
    return BASE_OK;
}

static void drop_first(struct net_session *session)
{
    struct net_frame *frame = session->first_frame;
    session->first_frame = frame->next;
    session->queued_bytes -= frame->len - frame->sent;
    base_free(frame);
}

void net_queue_clear(struct net_session *session)
{
    while (session->first_frame)
        drop_first(session);
    net_cursor_detach(&session->cursor);
}

bool net_queue_empty(const struct net_session *session)
{
    return !session->first_frame && net_cursor_behind(&session->cursor) == 0;
}

uint64_t net_queue_bytes(const struct net_session *session)
{
    return net_cursor_behind(&session->cursor) + session->queued_bytes;
}

bool net_queue_midway(const struct net_session *session)
{
    return (session->first_frame && session->first_frame->sent > 0) ||
           (session->cursor.view && session->cursor.frame_left > 0);
}

struct base_slice net_queue_rest_of_frame(struct net_session *session)
{
    struct net_frame *frame = session->first_frame;
    if (frame && frame->sent > 0)
        return (struct base_slice){frame->bytes + frame->sent, frame->len - frame->sent};
    return net_cursor_peek(&session->cursor, session->cursor.pos + session->cursor.frame_left);
}

static int add_piece(struct iovec *pieces, int count, const char *bytes, size_t len)
{
    pieces[count] = (struct iovec){(void *)(uintptr_t)bytes, len};
    return count + 1;
}

/* The pieces of the log from `*pos` to `limit`. */
static int peek_log(const struct net_view *view, const struct net_slab **slab, uint64_t *pos,
                    uint64_t limit, struct iovec *pieces, int count)
{
    while (*pos < limit && count < NET_IOVECS) {
        uint64_t end = *slab == view->tail ? view->end : (*slab)->start + (*slab)->used;
        if (*pos == end) {
            *slab = (*slab)->next;
            continue;
        }
        if (end > limit)
            end = limit;
        count = add_piece(pieces, count, (*slab)->bytes + (*pos - (*slab)->start),
                          (size_t)(end - *pos));
        *pos = end;
    }
    return count;
}

int net_queue_peek(struct net_session *session, struct iovec pieces[static NET_IOVECS])
{
    const struct net_view *view = session->cursor.view;
    const struct net_slab *slab = session->cursor.slab;
    struct net_frame *frame = session->first_frame;
    uint64_t pos = session->cursor.pos;
    int count = 0;
    if (frame && frame->sent > 0) {
        count = add_piece(pieces, count, frame->bytes + frame->sent, frame->len - frame->sent);
        frame = frame->next;
    }
    while (count < NET_IOVECS) {
        if (view)
            count = peek_log(view, &slab, &pos, frame ? frame->after : view->end, pieces, count);
        if (!frame || count == NET_IOVECS)
            break;
        count = add_piece(pieces, count, frame->bytes, frame->len);
        frame = frame->next;
    }
    return count;
}

/* The bytes of the frame that is being written, or will be next. */
static size_t next_frame_bytes(struct net_session *session)
{
    struct iovec pieces[NET_IOVECS];
    if (net_queue_midway(session))
        return net_queue_rest_of_frame(session).len;
    if (net_queue_peek(session, pieces) == 0)
        return 0;
    size_t payload_len;
    size_t header_len = net_ws_header_read(pieces[0].iov_base, &payload_len);
    return header_len + payload_len;
}

bool net_queue_exceeds(struct net_session *session)
{
    uint64_t bytes = net_queue_bytes(session);
    size_t limit = session->endpoint->max_queue_bytes;
    return bytes > limit && bytes - next_frame_bytes(session) > limit;
}

void net_queue_sent(struct net_session *session, size_t len)
{
    struct net_cursor *cursor = &session->cursor;
    while (len > 0) {
        struct net_frame *frame = session->first_frame;
        size_t step;
        if (frame && (frame->sent > 0 || !cursor->view || cursor->pos >= frame->after)) {
            step = frame->len - frame->sent;
            if (step > len)
                step = len;
            frame->sent += (uint32_t)step;
            session->queued_bytes -= (uint32_t)step;
            if (frame->sent == frame->len)
                drop_first(session);
        } else {
            uint64_t here = (frame ? frame->after : cursor->view->end) - cursor->pos;
            step = len < here ? len : (size_t)here;
            net_cursor_move(cursor, step);
        }
        len -= step;
    }
}

void net_queue_follow(struct net_session *session, struct net_view *view)
{
    net_cursor_attach(&session->cursor, session->deflates && view->twin ? view->twin : view);
}

void net_queue_catch_up(struct net_session *session)
{
    struct net_cursor *cursor = &session->cursor;
    struct net_view *twin = cursor->view ? cursor->view->twin : NULL;
    if (!twin || cursor->pos != cursor->view->end)
        return;
    net_cursor_detach(cursor);
    net_cursor_attach(cursor, twin);
    for (struct net_frame *frame = session->first_frame; frame; frame = frame->next)
        frame->after = twin->end;
}

/* What is left of a frame of the log that was cut becomes the first own frame. It counts as begun
 * (one byte of it is "sent"), so that nothing is put before it. */
static int keep_frame_left(struct net_session *session)
{
    struct net_cursor *cursor = &session->cursor;
    struct base_slice rest = net_cursor_peek(cursor, cursor->pos + cursor->frame_left);
    struct net_frame *frame = base_malloc(sizeof *frame + rest.len + 1);
    if (!frame)
        return BASE_ERR_NOMEM;
    *frame = (struct net_frame){.next = session->first_frame, .sent = 1};
    frame->len = (uint32_t)rest.len + 1;
    memcpy(frame->bytes + 1, rest.data, rest.len);
    if (!session->first_frame)
        session->last_frame = frame;
    session->first_frame = frame;
    session->queued_bytes += (uint32_t)rest.len;
    return BASE_OK;
}

int net_queue_unfollow(struct net_session *session)
{
    struct net_cursor *cursor = &session->cursor;
    if (!cursor->view)
        return BASE_OK;
    int failed = cursor->frame_left > 0 ? keep_frame_left(session) : BASE_OK;
    for (struct net_frame *frame = session->first_frame; frame; frame = frame->next)
        frame->after = 0;
    net_cursor_detach(cursor);
    return failed;
}
