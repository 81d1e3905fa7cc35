/* SPDX-License-Identifier: ISC
 *
 * A link that is made here: find the address, resolve, connect, await the nonce, greet, await the
 * proof; one that is accepted: send a nonce, await the greeting, prove. Then frames. Whatever goes
 * wrong closes it: streams that wait for it are refused, those that it carries break off. There is
 * one timer for everything before frames.
 */
#include "relay/internal.h"

#include "arda/bus/registry.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAKING_MS   5000
#define STRANGER_MS 2000 /* a gateway answers the nonce at once */
#define MAKING_MAX  64
#define KEEPALIVE_S 10
#define LOST_MS     20000u             /* what was sent and is not confirmed */
#define LINK_HIGH   (4u * 1024 * 1024) /* that wait to be written */
#define LINK_LOW    (1u * 1024 * 1024)
#define READ_BYTES  (64 * 1024)

struct write {
    uv_write_t request;
    struct relay_link *link;
    char *bytes;
};

/* ---- life ---- */

static void drop_ref(struct relay_link *link)
{
    if (--link->refs > 0)
        return;
    base_map_fini(&link->streams);
    base_buf_fini(&link->in);
    base_free(link);
}

static void on_closed(uv_handle_t *handle)
{
    drop_ref(handle->data);
}

/* Clients of a gateway that has gone ask for it again and again. */
static void not_made(struct relay_link *link, const char *why)
{
    static struct base_log_limit limit;
    base_log_limited(&limit, BASE_LOG_INFO, "relay: gateway %u: %s", link->peer, why);
    relay_link_close(link);
}

static void on_timer(uv_timer_t *timer)
{
    static struct base_log_limit limit;
    struct relay_link *link = timer->data;
    char name[INET6_ADDRSTRLEN];
    if (link->state == LINK_GREETING && !link->failed) {
        base_log_limited(&limit, BASE_LOG_INFO, "relay: %s: no proof of the secret within %d ms",
                         relay_stranger_name(link, name), STRANGER_MS);
        relay_link_close(link);
        return;
    }
    not_made(link, link->failed ? "out of memory" : "timed out");
}

/* Whoever sends is not surprised by the end of its stream. */
static void fail_soon(struct relay_link *link)
{
    link->failed = true;
    if (link->state != LINK_CLOSED)
        uv_timer_start(&link->timer, on_timer, 0, 0);
}

static struct relay_link *new_link(struct relay *relay, enum relay_link_state state)
{
    struct relay_link *link = base_calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->relay = relay;
    link->state = state;
    link->made = state == LINK_FINDING;
    link->refs = 2;
    base_list_init(&link->list);
    base_list_append(link->made ? &relay->made : &relay->taken, &link->link);
    uv_tcp_init(relay->loop, &link->tcp);
    uv_timer_init(relay->loop, &link->timer);
    link->tcp.data = link->timer.data = link->connect.data = link->resolve.data = link;
    uv_timer_start(&link->timer, on_timer, link->made ? MAKING_MS : STRANGER_MS, 0);
    return link;
}

void relay_link_close(struct relay_link *link)
{
    struct relay *relay = link->relay;
    enum relay_link_state state = link->state;
    if (state == LINK_CLOSED)
        return;
    link->state = LINK_CLOSED;
    base_list_remove(&link->link);
    if (state == LINK_GREETING)
        relay->strangers--;
    if (state == LINK_UP) {
        relay->stats.links--;
        if (!relay->stopping)
            base_log(BASE_LOG_INFO, "relay: gateway %u: link %s closed", link->peer,
                     link->made ? "to" : "from");
    }
    if (link->made)
        relay_entry_link_closed(link, state == LINK_UP);
    else
        relay_owner_link_closed(link);
    uv_close((uv_handle_t *)&link->timer, on_closed);
    uv_close((uv_handle_t *)&link->tcp, on_closed);
    relay_check_end(relay);
}

static void came_up(struct relay_link *link)
{
    if (link->state == LINK_GREETING) {
        link->relay->strangers--;
        relay_stranger_proven(link);
    }
    link->state = LINK_UP;
    link->relay->stats.links++;
    link->relay->stats.links_made++;
    if (!link->failed)
        uv_timer_stop(&link->timer);
    base_log(BASE_LOG_INFO, "relay: gateway %u: link %s stands", link->peer,
             link->made ? "to" : "from");
    if (link->made)
        relay_entry_link_up(link);
}

/* ---- writing ---- */

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct relay_link *link = write->link;
    base_free(write->bytes);
    base_free(write);
    if (status < 0) {
        relay_link_close(link);
        return;
    }
    if (!link->congested || link->tcp.write_queue_size > LINK_LOW)
        return;
    link->congested = false;
    if (link->made)
        relay_entry_writable(link);
    else
        relay_owner_writable(link);
}

static void write_bytes(struct relay_link *link, struct base_buf *bytes)
{
    struct write *write = base_malloc(sizeof *write);
    if (!write) {
        base_buf_fini(bytes);
        fail_soon(link);
        return;
    }
    uv_buf_t piece = uv_buf_init(NULL, 0);
    piece.len = bytes->len;
    write->link = link;
    write->bytes = piece.base = base_buf_take(bytes, NULL);
    if (uv_write(&write->request, (uv_stream_t *)&link->tcp, &piece, 1, on_written) < 0) {
        base_free(write->bytes);
        base_free(write);
        fail_soon(link);
        return;
    }
    link->congested |= link->tcp.write_queue_size > LINK_HIGH;
}

void relay_link_send(struct relay_link *link, enum relay_frame_type type, uint32_t stream,
                     struct base_slice data)
{
    struct base_buf bytes = BASE_BUF_INIT;
    if (link->state != LINK_UP || link->failed)
        return;
    if (relay_frame_add(&bytes, type, stream, data) < 0) {
        base_buf_fini(&bytes);
        fail_soon(link);
        return;
    }
    write_bytes(link, &bytes);
}

void relay_link_give(struct relay_link *link, uint32_t stream, struct relay_window *window,
                     uint32_t passed_on)
{
    struct base_buf bytes = BASE_BUF_INIT;
    uint32_t credit = relay_window_passed_on(window, passed_on);
    if (credit == 0 || link->state != LINK_UP || link->failed)
        return;
    if (relay_frame_add_credit(&bytes, stream, credit) < 0)
        fail_soon(link);
    else
        write_bytes(link, &bytes);
}

static void write_copy(struct relay_link *link, const void *data, size_t len)
{
    struct base_buf bytes = BASE_BUF_INIT;
    if (base_buf_add(&bytes, data, len) < 0)
        fail_soon(link);
    else
        write_bytes(link, &bytes);
}

/* ---- who is there ---- */

static struct base_slice secret_of(const struct relay_link *link)
{
    const struct base_buf *secret = &link->relay->secret;
    return (struct base_slice){secret->data, secret->len};
}

static void denied(struct relay_link *link)
{
    static struct base_log_limit limit;
    link->relay->stats.denied++;
    base_log_limited(&limit, BASE_LOG_WARNING,
                     "relay: a link was refused: the other side does not know the secret");
    relay_link_close(link);
}

/* The nonce of the gateway that we have connected to. */
static void greet(struct relay_link *link, const uint8_t *nonce)
{
    uint8_t bytes[RELAY_FRAME_GREETING_LEN];
    memcpy(link->nonce, nonce, sizeof link->nonce);
    link->greeting.from = link->relay->id;
    link->greeting.to = link->peer;
    link->state = LINK_PROOF;
    if (base_crypto_random(link->greeting.nonce, sizeof link->greeting.nonce) < 0 ||
        relay_frame_greet(&link->greeting, link->nonce, secret_of(link), bytes) < 0)
        relay_link_close(link);
    else
        write_copy(link, bytes, sizeof bytes);
}

static void check_proof(struct relay_link *link, const uint8_t *proof)
{
    uint8_t expected[BASE_SHA256_LEN];
    if (relay_frame_prove(&link->greeting, link->nonce, secret_of(link), expected) < 0)
        relay_link_close(link);
    else if (base_crypto_equal(proof, expected, sizeof expected))
        came_up(link);
    else
        denied(link);
}

/* Somebody who looks for a gateway that was at our address before has the secret and is wrong all
 * the same. */
static void check_greeting(struct relay_link *link, const uint8_t *bytes)
{
    uint8_t proof[BASE_SHA256_LEN];
    int failed = relay_frame_check(bytes, link->nonce, secret_of(link), &link->greeting);
    if (failed) {
        denied(link);
        return;
    }
    link->peer = link->greeting.from;
    if (link->greeting.to != link->relay->id || link->relay->stopping ||
        relay_frame_prove(&link->greeting, link->nonce, secret_of(link), proof) < 0)
        relay_link_close(link);
    else {
        write_copy(link, proof, sizeof proof);
        came_up(link);
    }
}

/* ---- reading ---- */

/* What comes before frames: how many bytes were taken; 0: more are needed. */
static size_t take_first(struct relay_link *link, struct base_slice in)
{
    const uint8_t *bytes = (const uint8_t *)in.data;
    if (link->state == LINK_NONCE && in.len >= RELAY_FRAME_NONCE_LEN) {
        greet(link, bytes);
        return RELAY_FRAME_NONCE_LEN;
    }
    if (link->state == LINK_PROOF && in.len >= BASE_SHA256_LEN) {
        check_proof(link, bytes);
        return BASE_SHA256_LEN;
    }
    if (link->state == LINK_GREETING && in.len >= RELAY_FRAME_GREETING_LEN) {
        check_greeting(link, bytes);
        return RELAY_FRAME_GREETING_LEN;
    }
    return 0;
}

static size_t take_frame(struct relay_link *link, struct base_slice bytes)
{
    struct relay_frame frame;
    ssize_t len = relay_frame_read(bytes, &frame);
    bool fine = len >= 0;
    if (len > 0 && link->made)
        relay_entry_frame(link, &frame);
    else if (len > 0)
        fine = relay_owner_frame(link, &frame);
    if (!fine) {
        base_log(BASE_LOG_WARNING, "relay: gateway %u: protocol violated", link->peer);
        relay_link_close(link);
    }
    return fine ? (size_t)len : 0;
}

static void take(struct relay_link *link)
{
    size_t at = 0, used;
    do {
        struct base_slice rest = {link->in.data + at, link->in.len - at};
        used = link->state == LINK_UP ? take_frame(link, rest) : take_first(link, rest);
        at += used;
    } while (used > 0 && link->state != LINK_CLOSED);
    base_buf_consume(&link->in, at);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *piece)
{
    struct relay_link *link = handle->data;
    (void)suggested;
    *piece = uv_buf_init(NULL, 0);
    if (base_buf_reserve(&link->in, READ_BYTES) == 0)
        *piece = uv_buf_init(link->in.data + link->in.len, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *piece)
{
    struct relay_link *link = stream->data;
    (void)piece;
    if (got < 0) {
        relay_link_close(link);
        return;
    }
    link->in.len += (size_t)got;
    take(link);
}

static bool begin(struct relay_link *link)
{
    unsigned lost_ms = LOST_MS;
    uv_os_fd_t fd;
    uv_tcp_nodelay(&link->tcp, 1);
    uv_tcp_keepalive(&link->tcp, 1, KEEPALIVE_S);
    if (uv_fileno((uv_handle_t *)&link->tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof lost_ms);
    return uv_read_start((uv_stream_t *)&link->tcp, on_alloc, on_read) == 0;
}

/* ---- from others ---- */

void relay_link_accept(struct relay *relay, int fd)
{
    struct relay_link *link = new_link(relay, LINK_GREETING);
    if (!link) {
        close(fd);
        return;
    }
    relay->strangers++;
    bool ours = uv_tcp_open(&link->tcp, fd) == 0;
    if (!ours)
        close(fd);
    if (!ours || !relay_stranger_admit(link) || !begin(link) ||
        base_crypto_random(link->nonce, sizeof link->nonce) < 0)
        relay_link_close(link);
    else
        write_copy(link, link->nonce, sizeof link->nonce);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct relay_link *link = request->data;
    (void)status;
    base_free(request);
    relay_link_close(link);
    drop_ref(link);
}

void relay_link_end_if_idle(struct relay_link *link)
{
    uv_shutdown_t *request;
    if (!base_list_empty(&link->list) || link->state == LINK_CLOSED)
        return;
    request = link->state == LINK_UP ? base_malloc(sizeof *request) : NULL;
    if (request)
        request->data = link;
    if (request && uv_shutdown(request, (uv_stream_t *)&link->tcp, on_shut_down) == 0) {
        link->refs++;
        return;
    }
    base_free(request);
    relay_link_close(link);
}

/* ---- to others ---- */

static void on_connected(uv_connect_t *request, int status)
{
    struct relay_link *link = request->data;
    if (link->state != LINK_CLOSED) {
        link->state = LINK_NONCE;
        if (status < 0)
            not_made(link, uv_strerror(status));
        else if (!begin(link))
            not_made(link, "cannot read");
    }
    drop_ref(link);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct relay_link *link = request->data;
    if (link->state != LINK_CLOSED) {
        link->state = LINK_CONNECTING;
        if (status == 0 &&
            uv_tcp_connect(&link->connect, &link->tcp, list->ai_addr, on_connected) == 0) {
            link->refs++;
        } else {
            not_made(link, "cannot connect");
        }
    }
    uv_freeaddrinfo(list);
    drop_ref(link);
}

static int resolve(struct relay_link *link, struct base_slice address)
{
    char text[RELAY_ADDRESS_MAX], host[256], service[8];
    uint16_t port;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (address.len >= sizeof text)
        return BASE_ERR_SYNTAX;
    memcpy(text, address.data, address.len);
    text[address.len] = '\0';
    int failed = base_url_listen(text, host, sizeof host, &port, NULL);
    if (failed)
        return failed;
    snprintf(service, sizeof service, "%u", port);
    link->state = LINK_RESOLVING;
    link->refs++;
    failed = uv_getaddrinfo(link->relay->loop, &link->resolve, on_resolved, host, service, &hints);
    if (failed)
        link->refs--;
    return failed;
}

static void on_found(void *data, int result, struct base_slice address)
{
    struct relay_link *link = data;
    if (link->state != LINK_CLOSED && (result || resolve(link, address) < 0))
        relay_link_close(link);
    drop_ref(link);
}

struct relay_link *relay_link_find(struct relay *relay, uint16_t id)
{
    BASE_LIST_FOREACH (at, &relay->made) {
        struct relay_link *link = base_container(at, struct relay_link, link);
        if (link->peer == id)
            return link;
    }
    return NULL;
}

struct relay_link *relay_link_to(struct relay *relay, uint16_t id)
{
    unsigned making = 0;
    struct relay_link *link = relay_link_find(relay, id);
    if (link)
        return link;
    BASE_LIST_FOREACH (at, &relay->made)
        making += base_container(at, struct relay_link, link)->state != LINK_UP;
    link = making < MAKING_MAX ? new_link(relay, LINK_FINDING) : NULL;
    if (!link)
        return NULL;
    link->peer = id;
    link->refs++;
    if (arda_registry_find(relay->bus, id, on_found, link) == 0)
        return link;
    link->refs--;
    relay_link_close(link);
    return NULL;
}
