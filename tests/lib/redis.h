/* SPDX-License-Identifier: ISC
 *
 * redis: a redis-server of the test's own, on a free port and a Unix socket in a folder of its own.
 * It goes with the test program, however that ends.
 */
#ifndef TEST_REDIS_H
#define TEST_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct test_redis {
    pid_t pid; /* 0: does not run */
    int port;  /* kept over a restart */
    char folder[32];
    char socket[48];
    char url[48]; /* redis://127.0.0.1:port */
    redisContext *context;
};

/* Prints a plan that skips everything when there is no redis-server. */
bool test_redis_missing(void);

/* Picks folder and port; nothing runs yet. */
void test_redis_init(struct test_redis *redis);
/* Starts it, anew too, and returns when it answers. */
void test_redis_start(struct test_redis *redis);
/* Kills it; returns when it is gone. */
void test_redis_stop(struct test_redis *redis);
void test_redis_fini(struct test_redis *redis);

/* Asks through a connection of its own and waits for the answer, which is the caller's to free. The
 * program ends when none comes. The format is redisCommand's. */
redisReply *test_redis_ask(struct test_redis *redis, const char *format, ...);
/* The same for an answer that is a number; -1 for another one. */
long long test_redis_number(struct test_redis *redis, const char *format, ...);
/* The same for an answer that says nothing; the program ends when it is an error. */
void test_redis_do(struct test_redis *redis, const char *format, ...);

/* How many connections have subscribed a channel. */
long long test_redis_subscribers(struct test_redis *redis, const char *channel);

#endif
