/* SPDX-License-Identifier: ISC
 *
 * conn: a connection made by libcurl (name, proxy, TLS and all), for bytes of another protocol.
 * Threads: the loop's only.
 */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include "client/net.h"

#include <stddef.h>
#include <sys/types.h>

struct client_conn;

/* Each may close the connection. */
struct client_conn_handlers {
    void (*on_open)(void *data);
    /* There may be something to read, or room to write; to be tried until BASE_ERR_AGAIN. */
    void (*on_ready)(void *data);
    /* It could not be made. Nothing else is called then. */
    void (*on_fail)(void *data, const struct client_end *end);
    void *data;
};

/* `url` is that of http or https; its path does not matter. 0, or BASE_ERR_NOMEM. */
int client_conn_open(const struct client_net *net, const char *url,
                     const struct client_conn_handlers *handlers, struct client_conn **conn);
/* No handler is called any more; the struct is freed by the loop. NULL is allowed. */
void client_conn_close(struct client_conn *conn);

/* The number of bytes, BASE_ERR_AGAIN, BASE_ERR_CLOSED at the end, BASE_ERR_IO. */
ssize_t client_conn_read(struct client_conn *conn, void *bytes, size_t len);
ssize_t client_conn_write(struct client_conn *conn, const void *bytes, size_t len);
/* Whether on_ready is called for room to write, too. */
void client_conn_want_write(struct client_conn *conn, bool want);

#endif
