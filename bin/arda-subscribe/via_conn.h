/* SPDX-License-Identifier: ISC
 *
 * via_conn: a connection made by libcurl (name, proxy, TLS and all), for bytes of another protocol.
 * Threads: the loop's only.
 */
#ifndef SUBSCRIBE_VIA_CONN_H
#define SUBSCRIBE_VIA_CONN_H

#include "via_net.h"

#include <stddef.h>
#include <sys/types.h>

struct via_conn;

/* Each may close the connection. */
struct via_conn_handlers {
    void (*on_open)(void *data);
    /* There may be something to read, or room to write; to be tried until BASE_ERR_AGAIN. */
    void (*on_ready)(void *data);
    /* It could not be made. Nothing else is called then. */
    void (*on_fail)(void *data, const struct via_end *end);
    void *data;
};

/* `url` is that of http or https; its path does not matter. 0, or BASE_ERR_NOMEM. */
int via_conn_open(const struct via_net *net, const char *url,
                  const struct via_conn_handlers *handlers, struct via_conn **conn);
/* No handler is called any more; the struct is freed by the loop. NULL is allowed. */
void via_conn_close(struct via_conn *conn);

/* The number of bytes, BASE_ERR_AGAIN, BASE_ERR_CLOSED at the end, BASE_ERR_IO. */
ssize_t via_conn_read(struct via_conn *conn, void *bytes, size_t len);
ssize_t via_conn_write(struct via_conn *conn, const void *bytes, size_t len);
/* Whether on_ready is called for room to write, too. */
void via_conn_want_write(struct via_conn *conn, bool want);

#endif
