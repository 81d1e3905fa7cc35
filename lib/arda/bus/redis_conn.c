/* SPDX-License-Identifier: ISC */
#include "arda/bus/redis_conn.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

enum state { IDLE, RESOLVING, CONNECTING, GREETING, UP, PAUSING, CLOSING };

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
    struct addrinfo *addresses;
    struct addrinfo *next_address;
    struct wire *wire;
    struct arda_redis_greeting greeting;
    struct base_buf out;
    size_t out_sent;
    char *read_bytes;
    enum state state;
    int open_handles;
    bool resolving; /* the request cannot be taken back */
    bool blocked;
    bool leaving; /* for this reason, with the loop's next turn */
    struct base_why leave_why;
    uint32_t backoff_ms;
    uint64_t up_since_us;
    uint64_t last_read_us;
    void (*on_closed)(void *data);
    void *closed_data;
};

static void begin(struct arda_redis_conn *conn);
static void on_timer(uv_timer_t *timer);
static void on_prepare(uv_prepare_t *prepare);

/* ---- protocol ---- */

int arda_redis_add_header(struct base_buf *out, size_t argc)
{
    char text[24];
    int len = snprintf(text, sizeof text, "*%zu\r\n", argc);
    return base_buf_add(out, text, (size_t)len);
}

/* Decimal digits that end at `end`; where they begin is the result. */
static char *put_digits(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    return end;
}

int arda_redis_add_number(struct base_buf *out, uint64_t number)
{
    char digits[24];
    char *at = put_digits(digits + sizeof digits, number);
    return arda_redis_add_argument(out, at, (size_t)(digits + sizeof digits - at));
}

int arda_redis_add_argument(struct base_buf *out, const char *bytes, size_t len)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = '\n';
    *--at = '\r';
    at = put_digits(at, len);
    *--at = '$';
    size_t head = (size_t)(digits + sizeof digits - at);
    if (base_buf_reserve(out, head + len + 2) < 0)
        return BASE_ERR_NOMEM;
    char *to = out->data + out->len;
    memcpy(to, at, head);
    if (len)
        memcpy(to + head, bytes, len);
    memcpy(to + head + len, "\r\n", 2);
    out->len += head + len + 2;
    return BASE_OK;
}

int arda_redis_format(struct base_buf *out, int argc, const char *const *argv,
                      const size_t *argv_len)
{
    size_t before = out->len;
    int failed = arda_redis_add_header(out, (size_t)argc);
    for (int i = 0; i < argc && !failed; i++)
        failed = arda_redis_add_argument(out, argv[i], argv_len ? argv_len[i] : strlen(argv[i]));
    if (failed)
        out->len = before;
    return failed;
}

/* ---- states ---- */

static void enter(struct arda_redis_conn *conn, enum state state)
{
    uint64_t wait_ms = 0;
    if (conn->state == CLOSING)
        return;
    conn->state = state;
    switch (state) {
    case CONNECTING: wait_ms = CONNECT_TIMEOUT_MS; break;
    case UP: wait_ms = QUIET_CHECK_MS; break;
    case PAUSING: {
        uint32_t random = 0;
        (void)base_crypto_random(&random, sizeof random);
        wait_ms = conn->backoff_ms / 2 + random % (conn->backoff_ms / 2 + 1);
        conn->backoff_ms =
            conn->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : conn->backoff_ms * 2;
        break;
    }
    default: break;
    }
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
        conn->backoff_ms = BACKOFF_FIRST_MS;
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

/* 0, or an errno. */
static int start_connect(struct arda_redis_conn *conn, int family, const struct sockaddr *address,
                         socklen_t len)
{
    int on = 1, error = 0;
    struct wire *wire = base_calloc(1, sizeof *wire);
    int fd = wire ? socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        error = wire ? errno : ENOMEM;
        base_free(wire);
        return error;
    }
    if (family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    if (connect(fd, address, len) < 0 && errno != EINPROGRESS)
        error = errno;
    else
        error = -uv_poll_init(conn->loop, &wire->poll, fd); /* libuv's errors are negated ones */
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
        last_error = start_connect(conn, address->ai_family, address->ai_addr, address->ai_addrlen);
        if (!last_error)
            return;
    }
    fail_errno(conn, last_error);
}

static void check_connected(struct arda_redis_conn *conn)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(conn->wire->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
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

static void finish_closing(struct arda_redis_conn *conn);

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
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(conn->url->path);
    int error = ENAMETOOLONG;
    enter(conn, RESOLVING); /* an attempt has begun: without it no failure would be one */
    if (len < sizeof address.sun_path) {
        memcpy(address.sun_path, conn->url->path, len + 1);
        error = start_connect(conn, AF_UNIX, (struct sockaddr *)&address, sizeof address);
    }
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
    conn->backoff_ms = BACKOFF_FIRST_MS;
    conn->open_handles = 2;
    uv_timer_init(loop, &conn->timer);
    uv_prepare_init(loop, &conn->prepare);
    conn->timer.data = conn->prepare.data = conn->resolve.data = conn;
    /* Begun by the loop, so that no handler runs before this has returned. */
    uv_timer_start(&conn->timer, on_timer, 0, 0);
    *out = conn;
    return BASE_OK;
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
