/* SPDX-License-Identifier: ISC
 *
 * A client's way in, with each allocation of it failing once: the client learns that it is in or
 * is closed, nothing is used that was freed, and the next client of the same tenant gets in.
 */
#include "arda-gateway/gateway.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lib/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define TURNS 300

static struct {
    uv_loop_t loop;
    struct gateway gateway;
    struct gateway_worker worker;
    uint16_t port;
    char token[1024];
    bool closed;
} t;

/* Of main.c; the input of --stdin, which is not used here, ends the program by it. */
void gateway_end(struct gateway *gateway, int status)
{
    (void)gateway;
    CHECK_INT(status, 0);
}

/* ---- the gateway ---- */

static void make_token(void)
{
    int64_t now_s = base_clock_wall_ms() / 1000;
    struct arda_token_request request = {
        .user = "ann", .tenant = "acme", .issued_s = now_s, .expires_s = now_s + 600};
    struct base_buf token = BASE_BUF_INIT;
    struct base_why why;
    CHECK_INT(arda_keyring_mint(t.gateway.keys, NULL, &request, &token, &why), 0);
    CHECK(token.len < sizeof t.token);
    memcpy(t.token, token.data, token.len);
    base_buf_fini(&token);
}

static void begin(void)
{
    static struct net_namespace nsp;
    static struct net_endpoint endpoint;
    struct net_server_options options = {.endpoints = &endpoint,
                                         .endpoint_count = 1,
                                         .workers = 1,
                                         .header_timeout_ms = 10000,
                                         .request_timeout_ms = 10000,
                                         .idle_timeout_ms = 10000};
    char bound[NET_ADDRESS_MAX];
    struct base_why why;
    uv_loop_init(&t.loop);
    t.gateway.loop = &t.loop;
    t.gateway.workers = &t.worker;
    t.gateway.worker_count = 1;
    t.worker.gateway = &t.gateway;
    pthread_rwlock_init(&t.gateway.key_lock, NULL);
    base_quota_init(&t.gateway.users, 1);
    nsp = sockets_namespace;
    nsp.data = &t.gateway;
    endpoint = net_endpoint_defaults;
    endpoint.namespaces = &nsp;
    endpoint.namespace_count = 1;
    CHECK_INT(gateway_load_keys(&t.gateway, &why), 0);
    make_token();
    CHECK_INT(net_server_new(&t.loop, &options, &t.gateway.server, &why), 0);
    CHECK_INT(net_server_listen(t.gateway.server, "127.0.0.1", 0, bound, &why), 0);
    t.port = (uint16_t)atoi(strrchr(bound, ':') + 1);
}

static void on_closed(void *data)
{
    (void)data;
    t.closed = true;
}

static void end(void)
{
    net_server_close(t.gateway.server, 0, on_closed, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK(t.closed);
    t.gateway.server = NULL;
    sockets_fini(&t.worker);
    tenants_fini(&t.gateway);
    arda_keyring_free(t.gateway.keys);
    base_quota_fini(&t.gateway.users);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}

/* ---- a client ---- */

struct peer {
    int fd;
    bool gone;
    size_t len;
    char bytes[4096];
};

static void dial(struct peer *peer)
{
    static const char request[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(t.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(peer, 0, sizeof *peer);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(peer->fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(send(peer->fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
}

static void send_connect(const struct peer *peer)
{
    char packet[1200] = {(char)0x81, (char)0xfe}; /* its mask is 0 */
    int len = snprintf(packet + 8, sizeof packet - 8, "40{\"token\":\"%s\"}", t.token);
    packet[2] = (char)(len >> 8);
    packet[3] = (char)len;
    CHECK_INT(send(peer->fd, packet, (size_t)len + 8, MSG_NOSIGNAL), len + 8);
}

/* Whether the server has sent a text, or ended the connection. */
static bool got(struct peer *peer, const char *text)
{
    ssize_t len =
        recv(peer->fd, peer->bytes + peer->len, sizeof peer->bytes - peer->len, MSG_DONTWAIT);
    if (len > 0)
        peer->len += (size_t)len;
    peer->gone |= len == 0;
    return peer->gone || memmem(peer->bytes, peer->len, text, strlen(text));
}

static bool turn_until(struct peer *peer, const char *text)
{
    for (int i = 0; i < TURNS && !got(peer, text); i++)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    return got(peer, text);
}

/* Leaves, and the gateway has noticed. */
static void leave(struct peer *peer)
{
    struct net_server_stats stats = {.connections = 1};
    close(peer->fd);
    for (int i = 0; i < TURNS && (stats.connections > 0 || stats.sessions > 0); i++) {
        uv_run(&t.loop, UV_RUN_NOWAIT);
        memset(&stats, 0, sizeof stats);
        net_server_get_stats(t.gateway.server, &stats);
    }
    CHECK_INT(stats.connections, 0);
    CHECK_INT(stats.sessions, 0);
    for (int i = 0; i < 3; i++)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK_INT(t.gateway.tenants.count, 0);
    CHECK_INT(t.worker.tenants.count, 0);
}

/* ---- the sweep ---- */

static void each_allocation_fails_once(void)
{
    long n = 0, tries = 0;
    struct peer peer;
    while (tries >= n++) {
        dial(&peer);
        CHECK(turn_until(&peer, "\"sid\"") && !peer.gone);
        base_mem_fail(n, 1);
        send_connect(&peer);
        CHECK(turn_until(&peer, "\"connected\"") || got(&peer, "44{\"message\""));
        tries = base_mem_tries();
        base_mem_fail(0, 0);
        leave(&peer);
        dial(&peer);
        CHECK(turn_until(&peer, "\"sid\""));
        send_connect(&peer);
        CHECK(turn_until(&peer, "\"connected\"") && !peer.gone);
        leave(&peer);
        if (test_failed_here)
            printf("# allocation %ld of %ld\n", n, tries);
    }
    CHECK(n > 10);
}

int main(void)
{
    setenv("JWT_SECRET", "a-secret-of-thirty-two-bytes-or-more", 1);
    begin();
    RUN(each_allocation_fails_once);
    end();
    return test_end();
}
