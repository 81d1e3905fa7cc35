/* SPDX-License-Identifier: ISC
 *
 * What Engine.IO answers a request with that it does not serve.
 */
#include "net/session/error.h"

#include "net/io/answer.h"

#include <stdio.h>
#include <string.h>

void net_error_answer(struct net_conn *conn, enum net_eio_error error, bool websocket)
{
    static const char *const texts[] = {
        [NET_EIO_TRANSPORT_UNKNOWN] = "Transport unknown",
        [NET_EIO_SID_UNKNOWN] = "Session ID unknown",
        [NET_EIO_BAD_METHOD] = "Bad handshake method",
        [NET_EIO_BAD_REQUEST] = "Bad request",
        [NET_EIO_FORBIDDEN] = "Forbidden",
        [NET_EIO_BAD_VERSION] = "Unsupported protocol version",
    };
    int status = error == NET_EIO_FORBIDDEN ? 403 : 400;
    char json[96];
    if (websocket) {
        net_answer(conn, &(struct net_answer){.status = status,
                                              .type = "text/html",
                                              .body = {texts[error], strlen(texts[error])},
                                              .close = true});
        return;
    }
    int len =
        snprintf(json, sizeof json, "{\"code\":%d,\"message\":\"%s\"}", (int)error, texts[error]);
    net_answer(conn, &(struct net_answer){.status = status,
                                          .type = "application/json",
                                          .body = {json, (size_t)len}});
}
