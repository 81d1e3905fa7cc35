/* SPDX-License-Identifier: ISC
 *
 * via_engine: a session of Engine.IO, revision 4, as a browser has it: long-polling, a WebSocket,
 * or the first and then an upgrade to the second. Threads: the loop's only.
 */
#ifndef SUBSCRIBE_VIA_ENGINE_H
#define SUBSCRIBE_VIA_ENGINE_H

#include "via_handshake.h"
#include "via_net.h"

enum via_transport { VIA_UPGRADE, VIA_WEBSOCKET, VIA_POLLING };

struct via_engine;

/* Each may free the engine. */
struct via_engine_handlers {
    /* The handshake is over; `transport` is "polling" or "websocket". */
    void (*on_open)(void *data, const struct via_open *open, const char *transport);
    /* The data of a message packet, borrowed for the call. */
    void (*on_message)(void *data, const char *bytes, size_t len, bool binary);
    /* The session is on a WebSocket now (NULL), or it stays with long-polling, and why. */
    void (*on_upgrade)(void *data, const struct via_end *failure);
    /* Once; it is to be freed then. */
    void (*on_end)(void *data, const struct via_end *end);
    void *data;
};

/* `net` and `place` are borrowed for the engine's life. No handler is called before it returns. 0,
 * or BASE_ERR_NOMEM or BASE_ERR_INTERNAL. */
int via_engine_new(const struct via_net *net, const struct via_place *place,
                   enum via_transport transport, const struct via_engine_handlers *handlers,
                   struct via_engine **engine);
/* Breaks off; no handler is called any more. NULL is allowed. */
void via_engine_free(struct via_engine *engine);

/* Sends a packet, its type included, after on_open. BASE_ERR_NOMEM. */
int via_engine_send(struct via_engine *engine, const char *packet, size_t len);
/* Closes the session behind all that was sent, after on_open; on_end follows. */
void via_engine_leave(struct via_engine *engine);

#endif
