/* SPDX-License-Identifier: ISC
 *
 * net: what requests and connections of the Socket.IO client have in common: how they are made,
 * and how their failures are told. Threads: the loop's only.
 */
#ifndef CLIENT_NET_H
#define CLIENT_NET_H

#include "base/err.h"
#include "http/curl_loop.h"

#include <stdbool.h>

/* Bytes of one message, or of one answer of long-polling, when expanded. */
#define CLIENT_MAX_MESSAGE (64 * 1024 * 1024)

struct client_net {
    struct uv_loop_s *loop;
    const char *cacert; /* file with certificates to trust instead of the system's, or NULL */
    const char *user_agent;
};

/* Why an attempt or a connection has ended. */
struct client_end {
    const char *reason;  /* in the words of socket.io-client, such as "transport close"; static */
    struct base_why why; /* `code` says which exit status fits */
    bool lasting;        /* the same would happen again, so trying again makes no sense */
    int http_status;     /* of the answer that was not wanted, or 0 */
    int close_code;      /* of the WebSocket: 1005 without one, 0 where there was no close frame */
};

/* A transfer for a URL of http or https with what `net` says. BASE_ERR_NOMEM. */
int client_net_transfer(const struct client_net *net, struct http_curl *curl,
                        const struct http_transfer_options *options, const char *url,
                        struct http_transfer **transfer);

/* Fill `end`, with the reason "transport error". */
void client_end_of_transfer(struct client_end *end, CURLcode result, const char *text);
/* An answer with another status than the one that was wanted; its body may explain it. */
void client_end_of_status(struct client_end *end, int status, const char *body, size_t len);
void client_end_set(struct client_end *end, const char *reason, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
