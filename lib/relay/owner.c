/* SPDX-License-Identifier: ISC
 *
 * A client of another gateway whose session is ours: its stream ends in a socket pair, whose other
 * end the server serves like a connection of a client, on whatever thread the session is.
 */
#include "relay/internal.h"

#include "base/mem.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct relay_owner {
    struct relay_link *link; /* not to be looked at once it is closed */
    struct base_list at;     /* of link->list */
    uint32_t stream;
    bool closed;
    bool reading;
    struct relay_window window;
    uv_pipe_t local;
};

struct write {
    uv_write_t request;
    struct relay_owner *owner;
    size_t len;
    char bytes[];
};

static const struct base_slice nothing;

static void on_closed(uv_handle_t *handle)
{
    base_free(handle->data);
}

static void end(struct relay_owner *owner)
{
    struct relay_link *link = owner->link;
    if (owner->closed)
        return;
    owner->closed = true;
    relay_link_remove_stream(link, owner->stream);
    base_list_remove(&owner->at);
    link->relay->stats.streams--;
    uv_close((uv_handle_t *)&owner->local, on_closed);
    if (link->relay->closing)
        relay_link_end_if_idle(link);
}

static void break_off(struct relay_owner *owner)
{
    if (owner->closed)
        return;
    owner->link->relay->stats.broken++;
    relay_link_send(owner->link, RELAY_FRAME_RESET, owner->stream, nothing);
    end(owner);
}

/* ---- from the server ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *piece)
{
    struct relay_owner *owner = handle->data;
    struct relay *relay = owner->link->relay;
    int64_t room = owner->window.credit;
    (void)suggested;
    *piece = uv_buf_init(relay->read_bytes, room < (int64_t)sizeof relay->read_bytes
                                                ? (unsigned)room
                                                : sizeof relay->read_bytes);
}

static bool may_send(const struct relay_owner *owner)
{
    return owner->window.credit > 0 && !owner->link->congested;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *piece)
{
    struct relay_owner *owner = stream->data;
    if (got < 0) {
        relay_link_send(owner->link, RELAY_FRAME_EOF, owner->stream, nothing);
        end(owner);
    } else if (got > 0) {
        owner->window.credit -= got;
        relay_link_send(owner->link, RELAY_FRAME_DATA, owner->stream,
                        (struct base_slice){piece->base, (size_t)got});
        if (may_send(owner))
            return;
        uv_read_stop(stream);
        owner->reading = false;
    }
}

static void read_on(struct relay_owner *owner)
{
    if (owner->reading || !may_send(owner))
        return;
    owner->reading = true;
    if (uv_read_start((uv_stream_t *)&owner->local, on_alloc, on_read) < 0)
        break_off(owner);
}

/* ---- to the server ---- */

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct relay_owner *owner = write->owner;
    uint32_t len = (uint32_t)write->len;
    base_free(write);
    if (owner->closed)
        return;
    /* After a failure nothing more is taken there, but what it has answered may still be read. */
    if (status == 0)
        relay_link_give(owner->link, owner->stream, &owner->window, len);
}

static void take_data(struct relay_owner *owner, struct base_slice bytes)
{
    struct write *write = NULL;
    if (relay_window_received(&owner->window, bytes.len))
        write = base_malloc(sizeof *write + bytes.len);
    if (!write) {
        break_off(owner);
        return;
    }
    write->owner = owner;
    write->len = bytes.len;
    memcpy(write->bytes, bytes.data, bytes.len);
    uv_buf_t piece = uv_buf_init(write->bytes, (unsigned)bytes.len);
    if (uv_write(&write->request, (uv_stream_t *)&owner->local, &piece, 1, on_written) < 0) {
        base_free(write);
        break_off(owner);
    }
}

/* ---- the beginning ---- */

/* Connects the stream with the server. */
static int serve(struct relay_owner *owner)
{
    struct net_server *server = owner->link->relay->server;
    int ends[2];
    if (!server || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return BASE_ERR_CLOSED;
    if (uv_pipe_open(&owner->local, ends[0]) == 0)
        return net_server_adopt(server, ends[1]);
    close(ends[0]);
    close(ends[1]);
    return BASE_ERR_INTERNAL;
}

static void open_stream(struct relay_link *link, uint32_t stream)
{
    struct relay_owner *owner = base_calloc(1, sizeof *owner);
    if (!owner || relay_link_add_stream(link, stream, owner) < 0) {
        base_free(owner);
        relay_link_send(link, RELAY_FRAME_RESET, stream, nothing);
        return;
    }
    owner->link = link;
    owner->stream = stream;
    relay_window_init(&owner->window);
    base_list_append(&link->list, &owner->at);
    link->relay->stats.streams++;
    link->relay->stats.taken++;
    uv_pipe_init(link->relay->loop, &owner->local, 0);
    owner->local.data = owner;
    if (serve(owner) < 0)
        break_off(owner);
    else
        read_on(owner);
}

bool relay_owner_frame(struct relay_link *link, const struct relay_frame *frame)
{
    struct relay_owner *owner =
        base_map_get(&link->streams, (const char *)&frame->stream, sizeof frame->stream);
    if (frame->type == RELAY_FRAME_OPEN) {
        if (!owner)
            open_stream(link, frame->stream);
        return !owner;
    }
    if (!owner) /* has ended here while the frame was on its way */
        return true;
    switch (frame->type) {
    case RELAY_FRAME_DATA: take_data(owner, frame->data); break;
    case RELAY_FRAME_CREDIT:
        owner->window.credit += relay_frame_credit(frame);
        read_on(owner);
        break;
    default: end(owner); break;
    }
    return true;
}

void relay_owner_writable(struct relay_link *link)
{
    BASE_LIST_FOREACH_SAFE (at, &link->list)
        read_on(base_container(at, struct relay_owner, at));
}

void relay_owner_link_closed(struct relay_link *link)
{
    BASE_LIST_FOREACH_SAFE (at, &link->list)
        end(base_container(at, struct relay_owner, at));
}
