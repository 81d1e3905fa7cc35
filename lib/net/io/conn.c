/* SPDX-License-Identifier: ISC
 *
 * A TCP connection: it is read, written and closed here, whatever it carries. What its bytes mean
 * is for the role of its state, a table of functions that the server has given to the worker.
 *
 *                      +--> WAITING --+   +--> PAGE --+
 *                      |              |   |           |
 *     accepted ---> HTTP <------------+---+-----------+
 *                   |  |  |
 *                   |  |  +--> MOVING ---> HTTP of another worker
 *                   |  +--> ASKING ---> PIPED                    any state but CLOSING
 *                   +--> WS, or PROBE ---> WS                      |            |
 *                                                             net_conn_finish   |
 *                                                                  v            v
 *                                                               CLOSING ---> DEAD   net_conn_kill
 *
 * This file knows CLOSING, where what waits is sent and the peer is given time to close, and DEAD,
 * where only the memory is left.
 */
#include "net/io/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whoever watches the server does not count. */
static void count(struct net_conn *conn, int more)
{
    if (!conn->of_site)
        atomic_fetch_add_explicit(&conn->worker->conn_count, (uint64_t)more, memory_order_relaxed);
}

static struct net_conn *new_conn(struct net_worker *worker, int fd, enum net_conn_kind kind)
{
    struct net_tls *tls = kind == NET_CONN_OF_CLIENT ? worker->shared->options.tls : NULL;
    struct net_conn *conn =
        base_calloc(1, tls ? sizeof(struct net_secure_conn) : sizeof(struct net_conn));
    if (!conn)
        return NULL;
    if (tls &&
        net_tls_accept(tls, fd, &base_container(conn, struct net_secure_conn, conn)->tls) < 0) {
        base_free(conn);
        return NULL;
    }
    conn->secure = tls != NULL;
    conn->worker = worker;
    conn->fd = fd;
    conn->state = NET_CONN_HTTP;
    conn->deadline.kind = NET_DEADLINE_CONN;
    conn->of_site = kind == NET_CONN_OF_SITE;
    conn->relayed = kind == NET_CONN_RELAYED;
    return conn;
}

int net_conn_attach(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    int failed = net_worker_enter(worker);
    if (failed)
        return failed;
    failed = net_loop_watch(worker->loop, conn->fd, conn, false);
    if (failed) {
        net_worker_leave(worker);
        return failed;
    }
    base_list_append(&worker->conns, &conn->link);
    count(conn, 1);
    return BASE_OK;
}

void net_conn_detach(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    net_deadline_clear(&worker->deadlines, &conn->deadline);
    net_loop_unwatch(worker->loop, conn->fd);
    base_list_remove(&conn->link);
    net_worker_leave(worker);
    count(conn, -1);
}

int net_conn_open(struct net_worker *worker, int fd, enum net_conn_kind kind)
{
    struct net_conn *conn = new_conn(worker, fd, kind);
    if (!conn)
        return BASE_ERR_NOMEM;
    int failed = net_conn_attach(conn);
    if (failed) {
        net_conn_free(conn);
        return failed;
    }
    net_deadline_set(&worker->deadlines, &conn->deadline,
                     base_clock_mono_us() + worker->shared->options.header_timeout_ms * NET_MS);
    conn->timing = true;
    return BASE_OK;
}

static void drop_buffer(struct base_buf **buffer)
{
    if (!*buffer)
        return;
    base_buf_fini(*buffer);
    base_free_clear(buffer);
}

/* What the state owns. */
static void drop(struct net_conn *conn)
{
    if (net_conn_role(conn)->drop)
        net_conn_role(conn)->drop(conn);
}

void net_conn_kill(struct net_conn *conn, bool reset)
{
    if (conn->state == NET_CONN_DEAD)
        return;
    struct net_worker *worker = conn->worker;
    if (net_conn_role(conn)->lost)
        net_conn_role(conn)->lost(conn);
    if (conn->state == NET_CONN_DEAD)
        return;
    drop(conn);
    conn->state = NET_CONN_DEAD;
    if (conn->secure)
        net_conn_tls_kill(conn, reset);
    if (reset) {
        struct linger at_once = {1, 0};
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    net_conn_detach(conn);
    close(conn->fd);
    if (!conn->in_again) {
        conn->next = worker->dead_conns;
        worker->dead_conns = conn;
    } /* else the list it is in hands it on */
}

void net_conn_free(struct net_conn *conn)
{
    drop_buffer(&conn->out);
    if (conn->secure)
        net_tls_conn_free(net_conn_tls(conn));
    base_free(conn);
}

void net_conn_discard(struct net_conn *conn)
{
    close(conn->fd);
    drop(conn);
    net_conn_free(conn);
}

/* ---- writing ---- */

static bool has_unsent(const struct net_conn *conn)
{
    return conn->out || (conn->secure && net_tls_unsent(net_conn_tls(conn)));
}

bool net_conn_idle(const struct net_conn *conn)
{
    const struct net_conn_role *role = net_conn_role(conn);
    return role->idle && role->idle(conn) && !has_unsent(conn);
}

size_t net_conn_writev(struct net_conn *conn, const struct iovec *pieces, int count)
{
    if (conn->secure)
        return net_conn_tls_write(conn, pieces, count);
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
            conn->blocked = true;
        else
            net_conn_kill(conn, false);
        return 0;
    }
    if ((size_t)sent < total)
        conn->blocked = true;
    return (size_t)sent;
}

static void set_due(struct net_conn *conn, uint64_t after_us)
{
    net_deadline_set(&conn->worker->deadlines, &conn->deadline, base_clock_mono_us() + after_us);
}

/* After the last byte of an ended connection. */
static void shut_down(struct net_conn *conn)
{
    if (conn->secure && !net_conn_tls_shut_down(conn))
        return; /* an event will bring us here again */
    shutdown(conn->fd, SHUT_WR);
    if (conn->peer_closed)
        net_conn_kill(conn, false);
    else
        set_due(conn, NET_LINGER_US);
}

/* An answer may wait no longer than what waits for a session, and so the last frames of one. Where
 * that is any time, a peer gets them as long as it takes something now and then. */
void net_conn_give_time(struct net_conn *conn)
{
    const struct net_shared *shared = conn->worker->shared;
    set_due(conn, NET_MS * (shared->max_answer_age_ms ? shared->max_answer_age_ms
                                                      : shared->options.idle_timeout_ms));
}

static void write_out(struct net_conn *conn)
{
    if (conn->secure && !net_conn_tls_flush(conn))
        return;
    while (conn->out && !conn->blocked) {
        struct iovec piece = {conn->out->data, conn->out->len};
        size_t sent = net_conn_writev(conn, &piece, 1);
        if (conn->state == NET_CONN_DEAD)
            return;
        base_buf_consume(conn->out, sent);
        if (conn->out->len == 0)
            drop_buffer(&conn->out);
        if (sent > 0 && net_conn_role(conn)->progress)
            net_conn_role(conn)->progress(conn);
    }
    if (!has_unsent(conn) && conn->state == NET_CONN_CLOSING)
        shut_down(conn);
}

/* Keeps what of the two pieces is behind the first `sent` bytes. */
static int keep_rest(struct net_conn *conn, size_t sent, struct base_slice head,
                     struct base_slice body)
{
    if (!conn->out)
        conn->out = base_calloc(1, sizeof *conn->out);
    if (!conn->out)
        return BASE_ERR_NOMEM;
    size_t of_head = sent < head.len ? sent : head.len;
    size_t of_body = sent - of_head;
    if (base_buf_add(conn->out, head.data + of_head, head.len - of_head) < 0)
        return BASE_ERR_NOMEM;
    return body.len ? base_buf_add(conn->out, body.data + of_body, body.len - of_body) : BASE_OK;
}

void net_conn_send(struct net_conn *conn, struct base_slice head, struct base_slice body)
{
    if (conn->state == NET_CONN_DEAD)
        return;
    size_t sent = 0;
    if (!conn->out && !conn->blocked) {
        struct iovec pieces[2] = {{(void *)(uintptr_t)head.data, head.len},
                                  {(void *)(uintptr_t)body.data, body.len}};
        sent = net_conn_writev(conn, pieces, body.len ? 2 : 1);
        if (conn->state == NET_CONN_DEAD || sent == head.len + body.len)
            return;
    }
    if (keep_rest(conn, sent, head, body) < 0)
        net_conn_kill(conn, true);
}

void net_conn_finish(struct net_conn *conn)
{
    if (conn->state == NET_CONN_DEAD || conn->state == NET_CONN_CLOSING)
        return;
    if (net_conn_role(conn)->leave)
        net_conn_role(conn)->leave(conn);
    drop(conn);
    conn->state = NET_CONN_CLOSING;
    if (has_unsent(conn))
        net_conn_give_time(conn);
    else
        set_due(conn, NET_LINGER_US);
    if (!conn->out)
        shut_down(conn);
    if (conn->state != NET_CONN_DEAD && conn->more_to_read)
        net_worker_again(conn);
}

/* ---- reading ---- */

void net_conn_take(struct net_conn *conn, char *bytes, size_t len)
{
    while (len > 0) {
        size_t used = net_conn_role(conn)->take(conn, bytes, len);
        bytes += used;
        len -= used;
    }
}

static void peer_closed(struct net_conn *conn)
{
    conn->peer_closed = true;
    conn->more_to_read = false;
    /* An answer under way is still sent; there is nothing else to do for a peer that has gone. */
    if (net_conn_role(conn)->sends_on && has_unsent(conn))
        net_conn_finish(conn);
    else
        net_conn_kill(conn, false);
}

static bool reads(const struct net_conn *conn)
{
    const struct net_conn_role *role = net_conn_role(conn);
    return role->reads && role->reads(conn) && !conn->peer_closed;
}

static ssize_t receive(struct net_conn *conn)
{
    if (conn->secure)
        return net_conn_tls_read(conn);
    return recv(conn->fd, conn->worker->read_bytes, NET_READ_BYTES, MSG_DONTWAIT);
}

/* True when there is nothing left to read. A short read means so, unless the end is what comes
 * next; TLS has to be asked until it says so, since it keeps bytes of which no event will tell. */
static bool is_last(const struct net_conn *conn, ssize_t got)
{
    return got < NET_READ_BYTES && !conn->hangup && !conn->secure;
}

/* Reads until EAGAIN or its share of the turn is used up. */
static void read_conn(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    int reads_left = conn->secure ? NET_TLS_READS : NET_READS_PER_TURN;
    for (; reads_left > 0 && reads(conn); reads_left--) {
        ssize_t got = receive(conn);
        if (got == 0) {
            peer_closed(conn);
            return;
        }
        if (got < 0) {
            if (errno == EINTR)
                continue;
            conn->more_to_read = false;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                net_conn_kill(conn, false);
            return;
        }
        net_conn_take(conn, worker->read_bytes, (size_t)got);
        if (is_last(conn, got)) {
            conn->more_to_read = false;
            return;
        }
    }
    conn->more_to_read = true;
    if (reads(conn))
        net_worker_again(conn);
}

void net_conn_again(struct net_conn *conn)
{
    const struct net_conn_role *role = net_conn_role(conn);
    if (role->again && !role->again(conn))
        return;
    if (reads(conn) && conn->more_to_read)
        read_conn(conn);
}

void net_conn_on_ready(struct net_conn *conn, unsigned events)
{
    if (conn->state == NET_CONN_DEAD)
        return;
    if (events & NET_WRITABLE && conn->blocked) {
        conn->blocked = false;
        write_out(conn);
        if (net_conn_role(conn)->writable)
            net_conn_role(conn)->writable(conn);
    }
    if (events & (NET_READABLE | NET_HANGUP)) {
        conn->more_to_read = true;
        conn->hangup |= (events & NET_HANGUP) != 0;
        if (reads(conn))
            read_conn(conn);
    }
    if (events & NET_HANGUP && net_conn_role(conn)->awaited)
        net_conn_kill(conn, false);
}

void net_conn_on_due(struct net_conn *conn)
{
    if (net_conn_role(conn)->due)
        net_conn_role(conn)->due(conn);
    else
        net_conn_kill(conn, false);
}

/* ---- closing and dead ---- */

static size_t ignore(struct net_conn *conn, char *bytes, size_t len)
{
    (void)conn;
    (void)bytes;
    return len;
}

static bool always(const struct net_conn *conn)
{
    (void)conn;
    return true;
}

static void give_more_time(struct net_conn *conn)
{
    if (!conn->worker->shared->max_answer_age_ms)
        net_conn_give_time(conn);
}

/* The kernel has bytes that the peer has not taken yet; it goes on without us. */
static bool kernel_sends(const struct net_conn *conn)
{
    int waiting = 0;
    return !has_unsent(conn) && ioctl(conn->fd, SIOCOUTQ, &waiting) == 0 && waiting > 0;
}

static void end_closing(struct net_conn *conn)
{
    net_conn_kill(conn, !kernel_sends(conn));
}

const struct net_conn_role net_conn_closing = {
    .name = "closing",
    .take = ignore,
    .reads = always,
    .progress = give_more_time,
    .due = end_closing,
    .sends_on = true,
};

const struct net_conn_role net_conn_dead = {.name = "dead", .take = ignore};
