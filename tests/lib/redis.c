/* SPDX-License-Identifier: ISC */
#include "lib/redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 20000
#define TRIES    5 /* somebody may take the free port first */

bool test_redis_missing(void)
{
    const char *path = getenv("PATH");
    char file[512];
    for (const char *at = path ? path : ""; *at;) {
        size_t len = strcspn(at, ":");
        snprintf(file, sizeof file, "%.*s/redis-server", (int)len, at);
        if (access(file, X_OK) == 0)
            return false;
        at += len + (at[len] == ':');
    }
    printf("1..0 # SKIP redis-server is missing\n");
    return true;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        perror("a free port");
        exit(EXIT_FAILURE);
    }
    close(fd);
    return ntohs(address.sin_port);
}

static void pick_port(struct test_redis *redis)
{
    redis->port = free_port();
    snprintf(redis->url, sizeof redis->url, "redis://127.0.0.1:%d", redis->port);
}

void test_redis_init(struct test_redis *redis)
{
    *redis = (struct test_redis){.folder = "/tmp/arda-test-XXXXXX"};
    if (!mkdtemp(redis->folder)) {
        perror(redis->folder);
        exit(EXIT_FAILURE);
    }
    snprintf(redis->socket, sizeof redis->socket, "%s/r.sock", redis->folder);
    pick_port(redis);
}

static _Noreturn void become_redis(const struct test_redis *redis, int out)
{
    char port[16];
    snprintf(port, sizeof port, "%d", redis->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket",
           redis->socket, "--dir", redis->folder, "--save", "", "--appendonly", "no", (char *)NULL);
    _exit(127);
}

/* Reads its log until it says that it is ready. False when it ends instead. */
static bool is_ready(int log)
{
    static const char ready[] = "ready to accept connections at"; /* the Unix socket, its last */
    char text[8192];
    size_t len = 0;
    struct pollfd wait = {.fd = log, .events = POLLIN};
    while (len < sizeof text - 1 && poll(&wait, 1, START_MS) > 0) {
        ssize_t got = read(log, text + len, sizeof text - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        text[len] = '\0';
        if (strstr(text, ready))
            return true;
    }
    printf("# redis-server: %.*s\n", (int)len, text);
    return false;
}

void test_redis_start(struct test_redis *redis)
{
    for (int i = 0; i < TRIES; i++) {
        int log[2];
        if (pipe(log) < 0)
            break;
        redis->pid = fork();
        if (redis->pid == 0)
            become_redis(redis, log[1]);
        close(log[1]);
        bool ready = redis->pid > 0 && is_ready(log[0]);
        close(log[0]);
        if (ready)
            return;
        test_redis_stop(redis);
        pick_port(redis);
    }
    printf("Bail out! redis-server does not start\n");
    exit(EXIT_FAILURE);
}

void test_redis_stop(struct test_redis *redis)
{
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    redis->pid = 0;
    unlink(redis->socket);
}

void test_redis_fini(struct test_redis *redis)
{
    test_redis_stop(redis);
    rmdir(redis->folder);
}

static redisReply *ask(struct test_redis *redis, const char *format, va_list args)
{
    if (!redis->context)
        redis->context = redisConnectUnix(redis->socket);
    void *reply =
        redis->context && !redis->context->err ? redisvCommand(redis->context, format, args) : NULL;
    if (reply)
        return reply;
    printf("Bail out! %s: no answer\n", format);
    exit(EXIT_FAILURE);
}

redisReply *test_redis_ask(struct test_redis *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    return reply;
}

long long test_redis_number(struct test_redis *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    freeReplyObject(reply);
    return number;
}

void test_redis_do(struct test_redis *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    if (reply->type == REDIS_REPLY_ERROR) {
        printf("Bail out! %s: %s\n", format, reply->str);
        exit(EXIT_FAILURE);
    }
    freeReplyObject(reply);
}

long long test_redis_subscribers(struct test_redis *redis, const char *channel)
{
    redisReply *reply = test_redis_ask(redis, "PUBSUB NUMSUB %s", channel);
    long long count = reply->elements == 2 ? reply->element[1]->integer : -1;
    freeReplyObject(reply);
    return count;
}
