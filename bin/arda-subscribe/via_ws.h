/* SPDX-License-Identifier: ISC
 *
 * via_ws: the client's end of a WebSocket, RFC 6455 without extensions. Threads: the loop's only.
 */
#ifndef SUBSCRIBE_VIA_WS_H
#define SUBSCRIBE_VIA_WS_H

#include "via_handshake.h"
#include "via_net.h"

struct via_ws;

struct via_ws_handlers {
    void (*on_open)(void *data);
    /* A whole message, text checked for UTF-8; borrowed for the call. */
    void (*on_message)(void *data, const char *bytes, size_t len, bool binary);
    /* Once: it could not be made, was closed, or broke; then it is to be freed. Not called from
     * inside a call of this module. */
    void (*on_end)(void *data, const struct via_end *end);
    void *data;
};

/* `sid` is NULL for a session that is to be opened. All is copied but `net`. 0, or BASE_ERR_NOMEM
 * or BASE_ERR_INTERNAL. */
int via_ws_new(const struct via_net *net, const struct via_place *place, const char *sid,
               const struct via_ws_handlers *handlers, struct via_ws **ws);
/* No handler is called any more. May be called by a handler. NULL is allowed. */
void via_ws_free(struct via_ws *ws);

/* Sends a text message, after on_open; what does not fit in the socket waits. BASE_ERR_NOMEM. */
int via_ws_send(struct via_ws *ws, const char *text, size_t len);
/* Sends a close frame of code 1000; on_end follows when the peer has answered it. */
void via_ws_close(struct via_ws *ws);

#endif
