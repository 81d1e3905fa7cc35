/* SPDX-License-Identifier: ISC
 *
 * handshake: the client's half of the opening handshake of RFC 6455 (section 4.1), the URLs of
 * Engine.IO, and its open packet; no I/O. Threads: any.
 */
#ifndef CLIENT_HANDSHAKE_H
#define CLIENT_HANDSHAKE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a server is. */
struct client_place {
    struct base_buf
        origin;           /* http://host:port or https://host:port, a port of 80 or 443 left out */
    struct base_buf path; /* of Engine.IO, with both slashes */
};

void client_place_fini(struct client_place *place);
/* From http, https, ws or wss://HOST[:PORT][/PATH]; without a path it is /socket.io/.
 * BASE_ERR_SYNTAX with the reason, BASE_ERR_NOMEM. To be finished after a failure, too. */
int client_place_parse(const char *url, struct client_place *place, struct base_why *why);
/* Appends the URL of a request with a NUL behind it; `sid` is NULL for the first. BASE_ERR_NOMEM.
 */
int client_place_url(const struct client_place *place, const char *transport, const char *sid,
                     struct base_buf *out);

#define CLIENT_KEY_LEN 24 /* characters of Sec-WebSocket-Key */

/* A new random key. BASE_ERR_INTERNAL. */
int client_ws_key(char key[static CLIENT_KEY_LEN + 1]);
/* Appends the request of the handshake. BASE_ERR_NOMEM. */
int client_ws_request(const struct client_place *place, const char *sid, const char *user_agent,
                      const char *key, struct base_buf *out);

#define CLIENT_MAX_HEAD 16384 /* bytes of an answer's head */

struct client_ws_answer {
    int status;
    size_t head_bytes; /* with the empty line; what follows is frames, or a body */
};

/* 1: the head is there, of status 101 and right, or of any other. 0: more bytes are needed.
 * BASE_ERR_LIMIT: it is too long; BASE_ERR_SYNTAX: it is no answer to this handshake, with the
 * reason. */
int client_ws_answer_parse(const char *bytes, size_t len, const char *key,
                           struct client_ws_answer *answer, struct base_why *why);

#define CLIENT_SID_MAX 128

struct client_open {
    char sid[CLIENT_SID_MAX + 1]; /* of unreserved characters of URLs */
    bool upgrade;                 /* to a WebSocket is possible */
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
    int64_t max_payload_bytes; /* 0: not said */
};

/* The data of an open packet: {"sid":…,"upgrades":[…],"pingInterval":…,…}. BASE_ERR_SYNTAX. */
int client_open_parse(const char *text, size_t len, struct client_open *open);

#endif
