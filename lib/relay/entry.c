/* SPDX-License-Identifier: ISC
 *
 * A client whose session is another gateway's: its connection is a pipe of the server's (a client
 * that waits for the link is refused when there will be none), its bytes are a stream of the link.
 */
#include "relay/internal.h"

#include "base/mem.h"

struct relay_entry {
    struct relay_wait wait;
    struct relay_link *link; /* NULL: whether there is such a gateway is being looked up */
    struct base_list at;     /* of link->list */
    struct net_pipe *pipe;
    uint32_t stream; /* 0: not opened yet */
    struct relay_window window;
};

static const struct base_slice nothing;

/* Without the pipe, which is gone or about to be. */
static void forget(struct relay_entry *entry)
{
    struct relay_link *link = entry->link;
    if (entry->stream) {
        relay_link_remove_stream(link, entry->stream);
        link->relay->stats.streams--;
    }
    base_list_remove(&entry->at);
    base_free(entry);
}

static void refuse(struct relay *relay, struct net_pipe *pipe)
{
    relay->stats.refused++;
    net_pipe_refuse(pipe);
}

static void break_off(struct relay_entry *entry)
{
    struct net_pipe *pipe = entry->pipe;
    entry->link->relay->stats.broken++;
    forget(entry);
    net_pipe_reset(pipe);
}

/* ---- from the client ---- */

static void open_stream(struct relay_entry *entry)
{
    struct relay_link *link = entry->link;
    struct relay *relay = link->relay;
    uint32_t stream = ++link->last_stream ? link->last_stream : ++link->last_stream;
    if (relay_link_add_stream(link, stream, entry) < 0) {
        struct net_pipe *pipe = entry->pipe;
        forget(entry);
        refuse(relay, pipe);
        return;
    }
    entry->stream = stream;
    relay->stats.streams++;
    relay->stats.passed_on++;
    relay_link_send(link, RELAY_FRAME_OPEN, stream, nothing);
    net_pipe_open(entry->pipe);
}

/* Waits until the link is up, if it is not; NULL: there will be none. */
static void join_link(struct relay *relay, struct relay_entry *entry, struct relay_link *link)
{
    if (!link) {
        struct net_pipe *pipe = entry->pipe;
        base_free(entry);
        refuse(relay, pipe);
        return;
    }
    entry->link = link;
    base_list_append(&link->list, &entry->at);
    if (link->state == LINK_UP)
        open_stream(entry);
}

void relay_entry_looked_up(struct relay *relay, struct relay_wait *wait, bool found)
{
    struct relay_entry *entry = base_container(wait, struct relay_entry, wait);
    join_link(relay, entry, found ? relay_link_to(relay, wait->id) : NULL);
}

static void on_request(void *data, struct net_pipe *pipe, uint16_t id)
{
    struct relay *relay = data;
    struct relay_entry *entry = relay->stopping ? NULL : base_calloc(1, sizeof *entry);
    if (!entry) {
        refuse(relay, pipe);
        return;
    }
    entry->pipe = pipe;
    entry->wait.id = id;
    relay_window_init(&entry->window);
    net_pipe_set_data(pipe, entry);
    struct relay_link *link = relay_link_find(relay, id);
    if (link || !relay_lookup_ask(relay, &entry->wait))
        join_link(relay, entry, link);
}

static bool may_send(const struct relay_entry *entry)
{
    return entry->window.credit > 0 && !entry->link->congested;
}

static void on_bytes(void *data, struct net_pipe *pipe, struct base_slice bytes)
{
    struct relay_entry *entry = net_pipe_get_data(pipe);
    (void)data;
    entry->window.credit -= (int64_t)bytes.len;
    relay_link_send(entry->link, RELAY_FRAME_DATA, entry->stream, bytes);
    if (!may_send(entry))
        net_pipe_pause(pipe, true);
}

static void on_sent(void *data, struct net_pipe *pipe)
{
    struct relay_entry *entry = net_pipe_get_data(pipe);
    (void)data;
    relay_link_give(entry->link, entry->stream, &entry->window, entry->window.waiting);
}

static void on_gone(void *data, struct net_pipe *pipe)
{
    struct relay_entry *entry = net_pipe_get_data(pipe);
    struct relay_link *link = entry->link;
    uint32_t stream = entry->stream;
    if (!link) {
        relay_lookup_forget(data, &entry->wait);
        base_free(entry);
        return;
    }
    forget(entry);
    if (stream)
        relay_link_send(link, RELAY_FRAME_RESET, stream, nothing);
}

void relay_entry_init(struct relay *relay)
{
    relay->handlers.on_request = on_request;
    relay->handlers.on_bytes = on_bytes;
    relay->handlers.on_sent = on_sent;
    relay->handlers.on_gone = on_gone;
    relay->handlers.data = relay;
}

/* ---- from the link ---- */

static void take_data(struct relay_entry *entry, struct base_slice bytes)
{
    struct relay_link *link = entry->link;
    if (!relay_window_received(&entry->window, bytes.len)) {
        relay_link_send(link, RELAY_FRAME_RESET, entry->stream, nothing);
        break_off(entry);
        return;
    }
    if (net_pipe_send(entry->pipe, bytes) == 0)
        relay_link_give(link, entry->stream, &entry->window, entry->window.waiting);
}

static void take_credit(struct relay_entry *entry, uint32_t credit)
{
    entry->window.credit += credit;
    if (may_send(entry))
        net_pipe_pause(entry->pipe, false);
}

/* A stream that is not known has ended here while the frame was on its way. */
void relay_entry_frame(struct relay_link *link, const struct relay_frame *frame)
{
    struct relay_entry *entry =
        base_map_get(&link->streams, (const char *)&frame->stream, sizeof frame->stream);
    if (!entry)
        return;
    struct net_pipe *pipe = entry->pipe;
    switch (frame->type) {
    case RELAY_FRAME_DATA: take_data(entry, frame->data); break;
    case RELAY_FRAME_CREDIT: take_credit(entry, relay_frame_credit(frame)); break;
    case RELAY_FRAME_EOF:
        forget(entry);
        net_pipe_finish(pipe);
        break;
    case RELAY_FRAME_OPEN:
    case RELAY_FRAME_RESET: break_off(entry); break;
    }
}

void relay_entry_writable(struct relay_link *link)
{
    BASE_LIST_FOREACH (at, &link->list) {
        struct relay_entry *entry = base_container(at, struct relay_entry, at);
        if (entry->stream && may_send(entry))
            net_pipe_pause(entry->pipe, false);
    }
}

void relay_entry_link_up(struct relay_link *link)
{
    BASE_LIST_FOREACH_SAFE (at, &link->list) {
        struct relay_entry *entry = base_container(at, struct relay_entry, at);
        open_stream(entry);
        if (link->state != LINK_UP)
            return;
    }
}

void relay_entry_link_closed(struct relay_link *link, bool was_up)
{
    while (!base_list_empty(&link->list)) {
        struct relay_entry *entry = base_container(link->list.next, struct relay_entry, at);
        struct net_pipe *pipe = entry->pipe;
        if (was_up && entry->stream) {
            break_off(entry);
        } else {
            forget(entry);
            refuse(link->relay, pipe);
        }
    }
}
