/* SPDX-License-Identifier: ISC
 *
 * engine: a session of Engine.IO, revision 4, as a browser has it: long-polling, a WebSocket,
 * or the first and then an upgrade to the second. Threads: the loop's only.
 */
#ifndef CLIENT_ENGINE_H
#define CLIENT_ENGINE_H

#include "client/handshake.h"
#include "client/net.h"

enum client_transport { CLIENT_UPGRADE, CLIENT_WEBSOCKET, CLIENT_POLLING };

struct client_engine;

/* Each may free the engine. */
struct client_engine_handlers {
    /* The handshake is over; `transport` is "polling" or "websocket". */
    void (*on_open)(void *data, const struct client_open *open, const char *transport);
    /* The data of a message packet, borrowed for the call. */
    void (*on_message)(void *data, const char *bytes, size_t len, bool binary);
    /* The session is on a WebSocket now (NULL), or it stays with long-polling, and why. */
    void (*on_upgrade)(void *data, const struct client_end *failure);
    /* Once; it is to be freed then. */
    void (*on_end)(void *data, const struct client_end *end);
    void *data;
};

/* `net` and `place` are borrowed for the engine's life. No handler is called before it returns. 0,
 * or BASE_ERR_NOMEM or BASE_ERR_INTERNAL. */
int client_engine_new(const struct client_net *net, const struct client_place *place,
                      enum client_transport transport,
                      const struct client_engine_handlers *handlers, struct client_engine **engine);
/* Breaks off; no handler is called any more. NULL is allowed. */
void client_engine_free(struct client_engine *engine);

/* Sends a packet, its type included, after on_open. BASE_ERR_NOMEM. */
int client_engine_send(struct client_engine *engine, const char *packet, size_t len);
/* Closes the session behind all that was sent, after on_open; on_end follows. */
void client_engine_leave(struct client_engine *engine);

#endif
