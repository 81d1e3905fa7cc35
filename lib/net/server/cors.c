/* SPDX-License-Identifier: ISC
 *
 * Where a request comes from: the origin of its page, whether that may be served, and the answer to
 * a browser that asks first. The headers of the answers themselves are written by answer.c.
 */
#include "net/server/internal.h"

#include "base/block.h"
#include "base/mem.h"
#include "net/codec/origin.h"
#include "net/codec/proxy.h"
#include "net/io/address.h"
#include "net/io/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* NULL: none of the endpoint's. */
static const char *find_origin(const struct net_endpoint *endpoint, struct base_slice origin)
{
    for (size_t i = 0; i < endpoint->origin_count; i++)
        if (net_origin_matches(endpoint->origins[i], origin))
            return endpoint->origins[i];
    return NULL;
}

static bool is_same(struct base_slice origin, const char *known)
{
    return strlen(known) == origin.len && memcmp(known, origin.data, origin.len) == 0;
}

/* What browsers compare with their own is what they have sent, letter by letter. */
int net_cors_note(struct net_conn *conn, struct base_slice origin)
{
    const char *found = origin.data ? find_origin(conn->http.endpoint, origin) : NULL;
    if (!found || strcmp(found, "*") == 0 || is_same(origin, found)) {
        conn->http.origin = found;
        return BASE_OK;
    }
    conn->http.origin = base_memdup(origin.data, origin.len);
    conn->origin_ours = conn->http.origin != NULL;
    return conn->origin_ours ? BASE_OK : BASE_ERR_NOMEM;
}

/* A page that we have served ourselves, or a proxy before us has. */
static bool is_own_origin(struct net_conn *conn, struct net_http1 *http, struct base_slice origin)
{
    const struct net_server_options *options = &conn->worker->shared->options;
    struct base_slice host = net_http1_header(http, "host");
    char peer[NET_ADDRESS_MAX];
    struct base_slice forwarded = net_http1_header(http, "x-forwarded-proto");
    bool https = conn->secure;
    if (options->proxy_count > 0 && forwarded.data &&
        base_block_has(options->proxies, options->proxy_count, net_address_host(conn->fd, peer)))
        https = net_proxy_is_https(forwarded);
    const char *scheme = https ? "https://" : "http://";
    size_t len = strlen(scheme);
    return host.len > 0 && origin.len == len + host.len && memcmp(origin.data, scheme, len) == 0 &&
           strncasecmp(origin.data + len, host.data, host.len) == 0;
}

bool net_cors_allows(struct net_conn *conn, struct net_http1 *http)
{
    struct base_slice origin = net_http1_header(http, "origin");
    return !origin.data || conn->http.origin || !conn->http.endpoint->check_origin ||
           conn->relayed || net_http1_request(http)->method == NET_HTTP1_OPTIONS ||
           is_own_origin(conn, http, origin);
}

void net_cors_answer_preflight(struct net_conn *conn, struct net_http1 *http)
{
    struct base_slice asked = net_http1_header(http, "access-control-request-headers");
    char headers[1024];
    int len = snprintf(headers, sizeof headers,
                       "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
                       "Vary: Access-Control-Request-Headers\r\n"
                       "Content-Length: 0\r\n");
    if (asked.data && asked.len < sizeof headers - (size_t)len - 64)
        snprintf(headers + len, sizeof headers - (size_t)len,
                 "Access-Control-Allow-Headers: %.*s\r\n", (int)asked.len, asked.data);
    net_answer(conn, &(struct net_answer){.status = 204, .headers = headers});
}
