/* SPDX-License-Identifier: ISC
 *
 * One connection, made again whenever it is lost:
 *
 *     IDLE -> RESOLVING -> CONNECTING -> GREETING -> UP
 *                 |            |            |         |
 *                 +------------+-- PAUSING -+---------+     any -> CLOSING
 *                                    |
 *                                    +-> RESOLVING
 *
 * A name is resolved again for each try, and its addresses are tried in turn. What lives longer
 * than one state are the timer and the request to resolve, which cannot be taken back.
 */
#include "arda/bus/redis_conn.h"

#include "arda/bus/redis_dial.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define READ_BYTES         (256 * 1024)
#define READ_TURN_BYTES    (2 * 1024 * 1024)
#define READ_TURN_US       5000
#define CONNECT_TIMEOUT_MS 5000
#define BACKOFF_FIRST_MS   50
#define BACKOFF_MAX_MS     1000
#define QUIET_CHECK_MS     1000
#define QUIET_US           3000000 /* then the peer is asked */
#define SILENT_US          8000000 /* then it is given up */
#define STOOD_US           5000000

enum state {
    IDLE,       /* not begun */
    RESOLVING,  /* the host's name */
    CONNECTING, /* to one of its addresses */
    GREETING,   /* log-in, database, role */
    UP,         /* commands may be written */
    PAUSING,    /* until the next try */
    CLOSING,    /* for good */
};

/* The descriptor and its watcher, which outlives the connection until the loop has closed it. */
struct wire {
    uv_poll_t poll;
    int fd;
    struct arda_redis_conn *conn; /* NULL: only waits to be closed */
};

struct arda_redis_conn {
    struct arda_redis_conn_handlers on;
    const struct arda_redis_url *url;
    const char *name;
    uv_loop_t *loop;
    uv_timer_t timer;     /* of the connect, the pause, the silence */
    uv_prepare_t prepare; /* runs while there is something to write */
    uv_getaddrinfo_t resolve;
    struct addrinfo *addresses, *next_address;
    struct wire *wire;
    struct arda_redis_greeting greeting;
    struct base_buf out;
    size_t out_sent;
    char *read_bytes;
    enum state state;
    int open_handles;
    bool resolving;        /* the request cannot be taken back */
    bool blocked, leaving; /* the latter for `leave_why`, with the next turn */
    struct base_why leave_why;
    struct base_backoff backoff;
    uint64_t up_since_us, last_read_us;
    void (*on_closed)(void *data);
    void *closed_data;
};

static void begin(struct arda_redis_conn *conn);
static void on_timer(uv_timer_t *timer);
static void on_prepare(uv_prepare_t *prepare);

/* ---- states ---- */

static void enter(struct arda_redis_conn *conn, enum state state)
{
    if (conn->state == CLOSING)
        return;
    conn->state = state;
    uint64_t wait_ms = state == CONNECTING ? CONNECT_TIMEOUT_MS
                       : state == UP       ? QUIET_CHECK_MS
                       : state == PAUSING  ? base_backoff_pause(&conn->backoff)
                                           : 0;
    if (wait_ms)
        uv_timer_start(&conn->timer, on_timer, wait_ms, state == UP ? wait_ms : 0);
    else if (state != GREETING) /* the connect's time covers the greeting */
        uv_timer_stop(&conn->timer);
}

static void on_wire_closed(uv_handle_t *handle)
{
    struct wire *wire = handle->data;
    close(wire->fd);
    base_free(wire);
}

/* Lets go of the socket and of what belongs to it. */
static void drop_wire(struct arda_redis_conn *conn)
{
    if (conn->wire) {
        conn->wire->conn = NULL;
        shutdown(conn->wire->fd, SHUT_RDWR);
        uv_close((uv_handle_t *)&conn->wire->poll, on_wire_closed);
        conn->wire = NULL;
    }
    arda_redis_greeting_fini(&conn->greeting);
    base_buf_fini(&conn->out);
    conn->out_sent = 0;
    conn->blocked = conn->leaving = false;
    uv_prepare_stop(&conn->prepare);
}

static void drop_addresses(struct arda_redis_conn *conn)
{
    if (conn->addresses)
        uv_freeaddrinfo(conn->addresses);
    conn->addresses = conn->next_address = NULL;
}

/* What stood for a while is tried again soon. A server that is left right after it let us in would
 * be greeted twenty times a second: its pauses go on growing. */
static void choose_pause(struct arda_redis_conn *conn)
{
    uint64_t stood_us = base_clock_mono_us() - conn->up_since_us;
    if (conn->state == UP && (!conn->leaving || stood_us >= STOOD_US))
        base_backoff_reset(&conn->backoff);
}

/* Any failure ends here. */
static void fail(struct arda_redis_conn *conn, const struct base_why *why)
{
    bool was_up = conn->state == UP;
    struct base_why text = *why;
    if (conn->state == CLOSING || conn->state == PAUSING)
        return;
    choose_pause(conn);
    base_why_prefix(&text, "redis %s", conn->url->name);
    drop_wire(conn);
    drop_addresses(conn);
    enter(conn, PAUSING);
    conn->on.on_down(conn->on.data, was_up, &text);
}

static void fail_text(struct arda_redis_conn *conn, const char *text)
{
    struct base_why why;
    base_why_set(&why, BASE_ERR_UNAVAILABLE, "%s", text);
    fail(conn, &why);
}

static void fail_errno(struct arda_redis_conn *conn, int error)
{
    fail_text(conn, strerror(error));
}

/* ---- writing ---- */

static void watch(struct arda_redis_conn *conn);

static void write_out(struct arda_redis_conn *conn)
{
    while (conn->wire && conn->out_sent < conn->out.len) {
        ssize_t sent = send(conn->wire->fd, conn->out.data + conn->out_sent,
                            conn->out.len - conn->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            conn->blocked = true;
            watch(conn);
            return;
        }
        if (sent < 0) {
            fail_errno(conn, errno);
            return;
        }
        conn->out_sent += (size_t)sent;
    }
    conn->out.len = conn->out_sent = 0;
    if (conn->blocked) {
        conn->blocked = false;
        watch(conn);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct arda_redis_conn *conn = prepare->data;
    uv_prepare_stop(prepare);
    if (conn->leaving) {
        struct base_why why = conn->leave_why; /* `leaving` counts in fail */
        fail(conn, &why);
        return;
    }
    if (conn->state == UP)
        conn->on.on_flush(conn->on.data);
    if (!conn->blocked)
        write_out(conn);
}

void arda_redis_conn_touch(struct arda_redis_conn *conn)
{
    uv_prepare_start(&conn->prepare, on_prepare);
}

void arda_redis_conn_leave(struct arda_redis_conn *conn, const struct base_why *why)
{
    if (conn->state != UP || conn->leaving)
        return;
    conn->leaving = true;
    conn->leave_why = *why;
    arda_redis_conn_touch(conn);
}

struct base_buf *arda_redis_conn_out(struct arda_redis_conn *conn)
{
    return &conn->out;
}

bool arda_redis_conn_is_up(const struct arda_redis_conn *conn)
{
    return conn->state == UP;
}

/* ---- greeting ---- */

static void greet(struct arda_redis_conn *conn)
{
    enter(conn, GREETING);
    if (arda_redis_greet(&conn->greeting, conn->url, conn->name, &conn->out) < 0)
        fail_text(conn, base_err_text(BASE_ERR_NOMEM));
    else
        write_out(conn);
}

static void take_greeting(struct arda_redis_conn *conn, const char *bytes, size_t len)
{
    struct base_why why;
    int got = arda_redis_greeting_take(&conn->greeting, bytes, len, &why);
    if (got == 0)
        return;
    if (got > 0 && conn->on.on_greeted)
        got = conn->on.on_greeted(conn->on.data, conn->greeting.role, &why);
    if (got < 0) {
        fail(conn, &why);
        return;
    }
    arda_redis_greeting_fini(&conn->greeting);
    conn->up_since_us = base_clock_mono_us();
    enter(conn, UP);
    conn->on.on_up(conn->on.data);
}

/* ---- reading ---- */

static void read_in(struct arda_redis_conn *conn)
{
    uint64_t start = base_clock_mono_us();
    size_t total = 0;
    conn->last_read_us = start;
    while (conn->wire && total < READ_TURN_BYTES) {
        ssize_t got = recv(conn->wire->fd, conn->read_bytes, READ_BYTES, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (got <= 0) {
            fail_text(conn, got == 0 ? "connection closed by the server" : strerror(errno));
            return;
        }
        if (conn->state == GREETING)
            take_greeting(conn, conn->read_bytes, (size_t)got);
        else if (conn->on.on_bytes(conn->on.data, conn->read_bytes, (size_t)got) < 0)
            fail_text(conn, "the answer makes no sense");
        total += (size_t)got;
        if (base_clock_mono_us() - start >= READ_TURN_US)
            return;
    }
}

static void check_connected(struct arda_redis_conn *conn);

static void on_wire(uv_poll_t *poll, int status, int events)
{
    struct wire *wire = poll->data;
    struct arda_redis_conn *conn = wire->conn;
    if (!conn)
        return;
    if (conn->state == CONNECTING) {
        check_connected(conn);
        return;
    }
    if (status < 0) {  /* libuv's word for POLLERR */
        read_in(conn); /* the server may have answered before it closed; reading tells the reason */
        if (conn->wire == wire)
            fail_errno(conn, ECONNRESET);
        return;
    }
    if (events & UV_WRITABLE)
        write_out(conn);
    if (conn->wire == wire && events & (UV_READABLE | UV_DISCONNECT))
        read_in(conn);
}

static void watch(struct arda_redis_conn *conn)
{
    bool writes = conn->state == CONNECTING || conn->blocked;
    if (conn->wire)
        uv_poll_start(&conn->wire->poll, UV_READABLE | (writes ? UV_WRITABLE : 0), on_wire);
}

/* ---- connecting ---- */

/* Watches a socket that is being connected. 0, or an errno, and then it is closed. */
static int start_connect(struct arda_redis_conn *conn, int fd)
{
    struct wire *wire = base_calloc(1, sizeof *wire);
    /* libuv's errors are negated ones. */
    int error = wire ? -uv_poll_init(conn->loop, &wire->poll, fd) : ENOMEM;
    if (error) {
        close(fd);
        base_free(wire);
        return error;
    }
    wire->fd = fd;
    wire->conn = conn;
    wire->poll.data = wire;
    conn->wire = wire;
    enter(conn, CONNECTING);
    watch(conn);
    return 0;
}

/* The next address, or the end of the attempt with the last error. */
static void try_next(struct arda_redis_conn *conn, int last_error)
{
    while (conn->next_address) {
        struct addrinfo *address = conn->next_address;
        conn->next_address = address->ai_next;
        int fd = arda_redis_dial(address->ai_family, address->ai_addr, address->ai_addrlen);
        last_error = fd < 0 ? errno : start_connect(conn, fd);
        if (!last_error)
            return;
    }
    fail_errno(conn, last_error);
}

static void check_connected(struct arda_redis_conn *conn)
{
    int error = arda_redis_dial_error(conn->wire->fd);
    if (error) {
        drop_wire(conn);
        try_next(conn, error);
        return;
    }
    drop_addresses(conn);
    conn->last_read_us = base_clock_mono_us();
    greet(conn);
    watch(conn);
}

static void finish_closing(struct arda_redis_conn *conn)
{
    if (conn->open_handles > 0 || conn->resolving)
        return;
    void (*done)(void *) = conn->on_closed;
    void *data = conn->closed_data;
    base_free(conn->read_bytes);
    base_free(conn);
    if (done)
        done(data);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct arda_redis_conn *conn = request->data;
    conn->resolving = false;
    if (conn->state == CLOSING) {
        uv_freeaddrinfo(list);
        finish_closing(conn);
        return;
    }
    if (status < 0) {
        fail_text(conn, uv_strerror(status));
        return;
    }
    conn->addresses = conn->next_address = list;
    try_next(conn, ECONNREFUSED);
}

static void resolve(struct arda_redis_conn *conn)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char port[8];
    snprintf(port, sizeof port, "%d", conn->url->port);
    enter(conn, RESOLVING);
    int failed =
        uv_getaddrinfo(conn->loop, &conn->resolve, on_resolved, conn->url->host, port, &hints);
    if (failed)
        fail_text(conn, uv_strerror(failed));
    else
        conn->resolving = true;
}

static void connect_unix(struct arda_redis_conn *conn)
{
    enter(conn, RESOLVING); /* an attempt has begun: without it no failure would be one */
    int fd = arda_redis_dial_unix(conn->url->path);
    int error = fd < 0 ? errno : start_connect(conn, fd);
    if (error)
        fail_errno(conn, error);
}

static void begin(struct arda_redis_conn *conn)
{
    if (conn->url->path)
        connect_unix(conn);
    else
        resolve(conn);
}

static void on_timer(uv_timer_t *timer)
{
    struct arda_redis_conn *conn = timer->data;
    uint64_t silent_us = base_clock_mono_us() - conn->last_read_us;
    switch (conn->state) {
    case IDLE:
    case PAUSING: begin(conn); break;
    case CONNECTING:
    case GREETING: fail_errno(conn, ETIMEDOUT); break;
    case UP:
        if (silent_us >= SILENT_US)
            fail_text(conn, "no answer for several seconds");
        else if (silent_us >= QUIET_US)
            conn->on.on_quiet(conn->on.data);
        if (conn->state == UP && conn->on.on_second)
            conn->on.on_second(conn->on.data);
        break;
    default: break;
    }
}

/* ---- open and close ---- */

int arda_redis_conn_open(struct uv_loop_s *loop, const struct arda_redis_url *url, const char *name,
                         const struct arda_redis_conn_handlers *handlers,
                         struct arda_redis_conn **out)
{
    struct arda_redis_conn *conn = base_calloc(1, sizeof *conn);
    char *read_bytes = conn ? base_malloc(READ_BYTES) : NULL;
    if (!read_bytes) {
        base_free(conn);
        return BASE_ERR_NOMEM;
    }
    conn->on = *handlers;
    conn->url = url;
    conn->name = name;
    conn->loop = loop;
    conn->read_bytes = read_bytes;
    conn->backoff = (struct base_backoff){BACKOFF_FIRST_MS, BACKOFF_MAX_MS, 0};
    conn->open_handles = 2;
    uv_timer_init(loop, &conn->timer);
    uv_prepare_init(loop, &conn->prepare);
    conn->timer.data = conn->prepare.data = conn->resolve.data = conn;
    /* Begun by the loop, so that no handler runs before this has returned. */
    uv_timer_start(&conn->timer, on_timer, 0, 0);
    *out = conn;
    return BASE_OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct arda_redis_conn *conn = handle->data;
    conn->open_handles--;
    finish_closing(conn);
}

void arda_redis_conn_close(struct arda_redis_conn *conn, void (*done)(void *data), void *data)
{
    drop_wire(conn);
    drop_addresses(conn);
    conn->state = CLOSING;
    conn->on_closed = done;
    conn->closed_data = data;
    if (conn->resolving)
        uv_cancel((uv_req_t *)&conn->resolve);
    uv_close((uv_handle_t *)&conn->timer, on_handle_closed);
    uv_close((uv_handle_t *)&conn->prepare, on_handle_closed);
}
