/* SPDX-License-Identifier: ISC
 *
 * redis_conn: one connection to Redis on the loop, made and made again for as long as it is open.
 *
 * The socket is ours, since hiredis' adapter for libuv never reports a refused connection and reads
 * 16 KB a turn; the protocol's reader is hiredis'. Happy path: resolve, connect, greet
 * (redis_greeting.h), then on_up. Any failure, at any step or later: on_down with the reason, a
 * pause with jitter that doubles up to one second, and the path again. A peer that says nothing for
 * several seconds is asked with on_quiet, and given up when it stays silent. A server that turns
 * out to be the wrong one is left (arda_redis_conn_leave), with the same pauses.
 * Threads: the loop's.
 */
#ifndef ARDA_BUS_REDIS_CONN_H
#define ARDA_BUS_REDIS_CONN_H

#include "arda/bus/redis_format.h"
#include "arda/bus/redis_greeting.h"
#include "arda/bus/redis_url.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct arda_redis_conn;

struct arda_redis_conn_handlers {
    /* The server has let us in and this is its role. 0, and then on_up follows; or negative with
     * `why`: it is the wrong one, and the connection has failed. NULL: any server will do. */
    int (*on_greeted)(void *data, enum arda_redis_role role, struct base_why *why);
    void (*on_up)(void *data);
    /* The connection was lost, or could not be made. `was_up`: on_up had been called. The code of
     * `why` is that of the greeting, of on_greeted or of arda_redis_conn_leave where one of these
     * was the reason, else BASE_ERR_UNAVAILABLE. */
    void (*on_down)(void *data, bool was_up, const struct base_why *why);
    /* Bytes of the server. Negative: they make no sense, and the connection is made anew. */
    int (*on_bytes)(void *data, const char *bytes, size_t len);
    /* About to write what was put into arda_redis_conn_out; more may be added. */
    void (*on_flush)(void *data);
    void (*on_quiet)(void *data);
    void (*on_second)(void *data); /* about once a second while it is up; may be NULL */
    void *data;
};

/* `url` and `name` (may be NULL) are borrowed for the connection's life. */
int arda_redis_conn_open(struct uv_loop_s *loop, const struct arda_redis_url *url, const char *name,
                         const struct arda_redis_conn_handlers *handlers,
                         struct arda_redis_conn **conn);
/* No handler is called any more but `done`, after which the struct is gone. */
void arda_redis_conn_close(struct arda_redis_conn *conn, void (*done)(void *data), void *data);

/* Ends a connection that is up, as if it had been lost for this reason, before anything more is
 * written or read; on_down is called from the loop. Nothing happens while it is not up. */
void arda_redis_conn_leave(struct arda_redis_conn *conn, const struct base_why *why);

bool arda_redis_conn_is_up(const struct arda_redis_conn *conn);
/* Where to append commands while it is up; written at the end of the loop's turn once
 * arda_redis_conn_touch has been called. */
struct base_buf *arda_redis_conn_out(struct arda_redis_conn *conn);
void arda_redis_conn_touch(struct arda_redis_conn *conn);

#endif
