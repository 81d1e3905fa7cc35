/* SPDX-License-Identifier: ISC
 *
 * ws: the client's end of a WebSocket, RFC 6455 without extensions. Threads: the loop's only.
 */
#ifndef CLIENT_WS_H
#define CLIENT_WS_H

#include "client/handshake.h"
#include "client/net.h"

struct client_ws;

struct client_ws_handlers {
    void (*on_open)(void *data);
    /* A whole message, text checked for UTF-8; borrowed for the call. */
    void (*on_message)(void *data, const char *bytes, size_t len, bool binary);
    /* Once: it could not be made, was closed, or broke; then it is to be freed. Not called from
     * inside a call of this module. */
    void (*on_end)(void *data, const struct client_end *end);
    void *data;
};

/* `sid` is NULL for a session that is to be opened. All is copied but `net`. 0, or BASE_ERR_NOMEM
 * or BASE_ERR_INTERNAL. */
int client_ws_new(const struct client_net *net, const struct client_place *place, const char *sid,
                  const struct client_ws_handlers *handlers, struct client_ws **ws);
/* No handler is called any more. May be called by a handler. NULL is allowed. */
void client_ws_free(struct client_ws *ws);

/* Sends a text message, after on_open; what does not fit in the socket waits. BASE_ERR_NOMEM. */
int client_ws_send(struct client_ws *ws, const char *text, size_t len);
/* Sends a close frame of code 1000; on_end follows when the peer has answered it. */
void client_ws_close(struct client_ws *ws);

#endif
