/* SPDX-License-Identifier: ISC
 *
 * Measures a gateway from outside: many clients in several tenants, some of which stop reading, and
 * events at a steady rate through Redis.
 *
 *     fanout GATEWAY-PORT GATEWAY-PID REDIS-PORT CLIENTS TENANTS STALLED EVENTS BYTES PER-SECOND <
 * TOKENS
 *
 * STALLED is per tenant, EVENTS and PER-SECOND too; PER-SECOND 0 publishes each event when the one
 * before it has arrived everywhere. TOKENS are one a line, the tenant's id and its token, as many
 * as there are tenants. Prints one JSON line: deliveries to the clients that read, what was missing
 * or out of order, latency in milliseconds, CPU of the gateway per delivery, its memory, and how
 * many of the stalled were disconnected.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_KEPT 80 /* bytes of a payload that are looked at */
#define ID_MAX    80
#define TOKEN_MAX 1024

struct tenant {
    char id[ID_MAX], token[TOKEN_MAX];
};

struct client {
    int fd;
    unsigned tenant;
    bool stalled, gone;
    uint64_t left;                 /* of the frame's payload */
    unsigned char header[10];      /* of the next frame */
    unsigned header_len, kept_len; /* ... and how much of it is there */
    char kept[HEAD_KEPT + 1];
    long next; /* number of the next event */
};

static struct tenant *tenants;
static struct client *clients;
static unsigned client_count, tenant_count, stalled_count, event_count, event_bytes, per_second;
static uint64_t delivered, wrong;
static uint32_t *latencies_us; /* of every delivery */
static size_t latency_cap;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static int dial(int port, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (receive_bytes)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return fd;
}

static void send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = write(fd, bytes, len);
        if (sent < 0 && errno != EINTR)
            fail("write");
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        }
    }
}

static void read_until(int fd, const char *text)
{
    static char buffer[8192];
    size_t len = 0;
    while (len < sizeof buffer - 1) {
        ssize_t got = read(fd, buffer + len, sizeof buffer - 1 - len);
        if (got <= 0)
            fail(text);
        len += (size_t)got;
        buffer[len] = '\0';
        if (memmem(buffer, len, text, strlen(text)))
            return;
    }
    fail("too long an answer");
}

/* A client's text frame, masked with zeros. */
static void send_frame(int fd, const char *text)
{
    char frame[TOKEN_MAX + 64] = {(char)0x81};
    size_t len = strlen(text), at = 2;
    if (len < 126) {
        frame[1] = (char)(0x80 | len);
    } else {
        frame[1] = (char)0xfe;
        frame[2] = (char)(len >> 8);
        frame[3] = (char)len;
        at = 4;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, len);
    send_all(fd, frame, at + 4 + len);
}

static void join(struct client *client, int port)
{
    static const char request[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    char text[TOKEN_MAX + 32];
    client->fd = dial(port, client->stalled ? 4096 : 0);
    send_all(client->fd, request, sizeof request - 1);
    read_until(client->fd, "maxPayload");
    snprintf(text, sizeof text, "40{\"token\":\"%s\"}", tenants[client->tenant].token);
    send_frame(client->fd, text);
    read_until(client->fd, "\"connected\"");
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

/* ---- what the clients read ---- */

static void take_event(struct client *client, uint64_t now)
{
    unsigned long long sent_us;
    long number;
    if (strcmp(client->kept, "2") == 0) {
        send_frame(client->fd, "3");
        return;
    }
    if (sscanf(client->kept, "42[\"bench\",{\"type\":\"bench\",\"t\":%llu,\"n\":%ld", &sent_us,
               &number) != 2)
        return;
    wrong += number != client->next++;
    if (delivered < latency_cap)
        latencies_us[delivered] = (uint32_t)(now - sent_us);
    delivered++;
}

static bool header_complete(struct client *client)
{
    unsigned char *header = client->header;
    if (client->header_len < 2)
        return false;
    unsigned size = header[1] == 126 ? 4 : header[1] == 127 ? 10 : 2;
    if (client->header_len < size)
        return false;
    client->left = header[1];
    if (size > 2) {
        client->left = 0;
        for (unsigned i = 2; i < size; i++)
            client->left = client->left << 8 | header[i];
    }
    return true;
}

static void take(struct client *client, const char *bytes, size_t len, uint64_t now)
{
    while (len > 0) {
        if (client->left == 0) {
            client->header[client->header_len++] = (unsigned char)*bytes++;
            len--;
            if (!header_complete(client))
                continue;
            client->kept_len = client->header_len = 0;
        }
        size_t step = len < client->left ? len : (size_t)client->left;
        size_t keep = HEAD_KEPT - client->kept_len;
        keep = step < keep ? step : keep;
        memcpy(client->kept + client->kept_len, bytes, keep);
        client->kept_len += (unsigned)keep;
        client->left -= step;
        bytes += step;
        len -= step;
        if (client->left == 0) {
            client->kept[client->kept_len] = '\0';
            take_event(client, now);
        }
    }
}

static void read_client(struct client *client)
{
    static char buffer[1 << 18];
    for (;;) {
        ssize_t got = read(client->fd, buffer, sizeof buffer);
        if (got < 0)
            return;
        if (got == 0) {
            client->gone = true;
            close(client->fd);
            return;
        }
        take(client, buffer, (size_t)got, now_us());
        if ((size_t)got < sizeof buffer)
            return;
    }
}

/* ---- publishing ---- */

static void publish(int redis, unsigned number)
{
    static char *batch;
    static size_t cap;
    size_t need = tenant_count * ((size_t)event_bytes + 256), len = 0;
    if (cap < need)
        batch = realloc(batch, cap = need);
    for (unsigned i = 0; i < tenant_count; i++) {
        char head[256], channel[ID_MAX + 16];
        int head_len =
            snprintf(head, sizeof head,
                     "{\"type\":\"bench\",\"t\":%llu,\"n\":%u,\"tenantId\":\"%s\",\"pad\":\"",
                     (unsigned long long)now_us(), number, tenants[i].id);
        int channel_len = snprintf(channel, sizeof channel, "arda:events:%s", tenants[i].id);
        size_t pad =
            event_bytes > (unsigned)head_len + 2 ? event_bytes - (unsigned)head_len - 2 : 0;
        len += (size_t)sprintf(batch + len, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%zu\r\n",
                               channel_len, channel, (size_t)head_len + pad + 2);
        memcpy(batch + len, head, (size_t)head_len);
        memset(batch + len + head_len, 'x', pad);
        len += (size_t)head_len + pad;
        memcpy(batch + len, "\"}\r\n", 4);
        len += 4;
    }
    send_all(redis, batch, len);
}

static void drain_redis(int redis)
{
    char buffer[4096];
    while (recv(redis, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        ;
}

static bool is_time(uint64_t start, unsigned published)
{
    if (per_second > 0)
        return now_us() >= start + (uint64_t)published * 1000000u / per_second;
    return delivered == (uint64_t)published * (client_count - stalled_count * tenant_count);
}

static void run(int redis, int epoll, uint64_t expected)
{
    struct epoll_event events[512];
    uint64_t start = now_us(), last = start, before = 0;
    unsigned published = 0;
    while (delivered < expected && now_us() - last < 20000000u) {
        while (published < event_count && is_time(start, published))
            publish(redis, published++);
        drain_redis(redis);
        int count = epoll_wait(epoll, events, 512, 1);
        for (int i = 0; i < count; i++)
            read_client(events[i].data.ptr);
        if (delivered != before || published < event_count)
            last = now_us();
        before = delivered;
    }
}

/* ---- the gateway's figures ---- */

static double cpu_s(const char *pid)
{
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file))
        fail(path);
    fclose(file);
    sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
           &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long memory_kb(const char *pid, const char *key)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtol(line + strlen(key) + 1, NULL, 10);
    fclose(file);
    return kb;
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void report(const char *pid, double cpu, long idle_kb, uint64_t expected)
{
    unsigned cut = 0;
    char byte[4096];
    for (unsigned i = 0; i < client_count; i++) {
        ssize_t got = 1;
        while (clients[i].stalled && got > 0)
            got = recv(clients[i].fd, byte, sizeof byte, MSG_DONTWAIT);
        cut += clients[i].stalled && (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK));
    }
    size_t count = delivered < latency_cap ? (size_t)delivered : latency_cap;
    qsort(latencies_us, count, sizeof *latencies_us, compare);
    printf("{\"deliveries\":%llu,\"missing\":%lld,\"wrong\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
           "\"max_ms\":%.2f,\"cpu_us_per_delivery\":%.3f,\"idle_kb\":%ld,\"most_kb\":%ld,"
           "\"stalled\":%u,\"stalled_cut\":%u}\n",
           (unsigned long long)delivered, (long long)(expected - delivered),
           (unsigned long long)wrong, count ? latencies_us[count / 2] / 1e3 : 0,
           count ? latencies_us[count * 99 / 100] / 1e3 : 0,
           count ? latencies_us[count - 1] / 1e3 : 0, delivered ? cpu * 1e6 / (double)delivered : 0,
           idle_kb, memory_kb(pid, "VmHWM:"), stalled_count * tenant_count, cut);
}

int main(int argc, char **argv)
{
    if (argc != 10) {
        fprintf(stderr, "usage: fanout GATEWAY-PORT GATEWAY-PID REDIS-PORT CLIENTS TENANTS STALLED "
                        "EVENTS BYTES PER-SECOND < TOKENS\n");
        return 64;
    }
    client_count = (unsigned)atoi(argv[4]);
    tenant_count = (unsigned)atoi(argv[5]);
    stalled_count = (unsigned)atoi(argv[6]);
    event_count = (unsigned)atoi(argv[7]);
    event_bytes = (unsigned)atoi(argv[8]);
    per_second = (unsigned)atoi(argv[9]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    tenants = calloc(tenant_count, sizeof *tenants);
    clients = calloc(client_count, sizeof *clients);
    for (unsigned i = 0; i < tenant_count; i++)
        if (scanf("%79s %1023s", tenants[i].id, tenants[i].token) != 2)
            fail("tokens");
    int epoll = epoll_create1(0), redis = dial(atoi(argv[3]), 0);
    for (unsigned i = 0; i < client_count; i++) {
        struct client *client = &clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->tenant = i % tenant_count;
        client->stalled = i / tenant_count < stalled_count;
        join(client, atoi(argv[1]));
        if (!client->stalled)
            epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
    }
    uint64_t expected = (uint64_t)(client_count - stalled_count * tenant_count) * event_count;
    latency_cap = (size_t)expected;
    latencies_us = malloc((latency_cap + 1) * sizeof *latencies_us);
    long idle_kb = memory_kb(argv[2], "VmRSS:");
    double cpu = cpu_s(argv[2]);
    run(redis, epoll, expected);
    report(argv[2], cpu_s(argv[2]) - cpu, idle_kb, expected);
    return delivered == expected && wrong == 0 ? 0 : 1;
}
