/* SPDX-License-Identifier: ISC
 *
 * notify: an event for the notification step, what became of it, and an ear that drops nothing.
 */
#ifndef TEST_NOTIFY_H
#define TEST_NOTIFY_H

#include "arda/notify_step.h"

#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis test_redis;
static struct test_bus test_bus;

/* ---- an event and its users ---- */

#define TEST_KEY    "019c3d5e-8a00-7abc-8def-0123456789ab"
#define TEST_NOW_MS 1770552000123
#define TEST_NOW    "2026-02-08T12:00:00.123Z"

static struct arda_notify_user test_three[] = {{"ann", 3}, {"bob", 1}, {"cid", 7}};

static inline struct arda_notify_step test_step(void)
{
    return (struct arda_notify_step){
        .tenant = "acme",
        .cause = {.key = TEST_KEY, .time_ms = 0x019c3d5e8a00, .id = test_slice("\"" TEST_KEY "\"")},
        .event = test_slice("{\"type\":\"x\"}"),
        .notification = {.type = test_slice("po_created"),
                         .title = test_slice("New \"purchase\" order created"),
                         .body = test_slice("PO-1 was created."),
                         .action_url = test_slice("/orders/o1"),
                         .metadata = test_slice("{\"orderId\":\"o1\"}")},
        .users = test_three,
        .user_count = 3,
        .version = -1,
        .now_ms = TEST_NOW_MS,
    };
}

static struct test_answer {
    int calls, result;
    struct arda_notify_result got;
    char why[256];
    struct base_buf rows;
} test_answer;

static inline void test_on_done(void *data, int result, const struct arda_notify_result *got,
                                const struct base_why *why)
{
    struct test_answer *to = data;
    to->calls++;
    to->result = result;
    to->got = *got;
    snprintf(to->why, sizeof to->why, "%s", result ? why->text : "");
}

static inline void test_on_row(void *data, struct base_slice row)
{
    struct test_answer *to = data;
    base_buf_add(&to->rows, row.data, row.len);
    base_buf_add_byte(&to->rows, '\n');
}

static inline void test_answer_forget(struct test_answer *to)
{
    base_buf_fini(&to->rows);
    *to = (struct test_answer){0};
}

static inline int test_step_begin(struct arda_bus *bus, const struct arda_notify_step *step,
                                  struct test_answer *to)
{
    test_answer_forget(to);
    return arda_notify_step(bus, step, test_on_done, to);
}

static inline int test_step_run(const struct arda_notify_step *step)
{
    CHECK_INT(test_step_begin(test_bus.bus, step, &test_answer), 0);
    RUN_UNTIL(test_answer.calls == 1);
    return test_answer.result;
}

static inline void test_step_done(const struct arda_notify_step *step, uint64_t rows,
                                  uint64_t deliveries)
{
    CHECK_INT(test_step_run(step), 0);
    CHECK_STR(test_answer.why, "");
    CHECK_INT(test_answer.got.outcome, ARDA_NOTIFY_DONE);
    CHECK_INT(test_answer.got.rows, rows);
    CHECK_INT(test_answer.got.deliveries, deliveries);
}

static inline void test_step_outcome(const struct arda_notify_step *step,
                                     enum arda_notify_outcome outcome)
{
    CHECK_INT(test_step_run(step), 0);
    CHECK_INT(test_answer.got.outcome, outcome);
    CHECK_INT(test_answer.got.rows + test_answer.got.deliveries, 0);
}

/* ---- what Redis holds and publishes ---- */

static inline long long test_count(const char *format, const char *argument)
{
    return test_redis_number(&test_redis, format, argument);
}

static inline const char *test_row_id(const char *user)
{
    static char id[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_INT(arda_notify_id(0x019c3d5e8a00, test_slice("acme"), TEST_KEY, test_slice(user),
                             test_slice("po_created"), id),
              0);
    return id;
}

/* A subscriber of its own, since a bus drops what it has seen. */
static redisContext *ear;

static inline void *test_next_reply(void)
{
    void *reply = NULL;
    if (redisGetReply(ear, &reply) == REDIS_OK)
        return reply;
    printf("Bail out! %s\n", ear->errstr);
    exit(EXIT_FAILURE);
}

static inline void test_listen(const char *channels)
{
    ear = redisConnectUnix(test_redis.socket);
    redisAppendCommand(ear, channels);
    for (const char *at = strchr(channels, ' '); at; at = strchr(at + 1, ' '))
        freeReplyObject(test_next_reply());
}

/* Whatever has been published so far: "channel text" lines to `out`; their number. */
static inline size_t test_hear(struct base_buf *out)
{
    redisAppendCommand(ear, "PING");
    for (size_t messages = 0;; messages++) {
        redisReply *reply = test_next_reply();
        bool message = reply->elements == 3;
        if (message && out)
            base_buf_printf(out, "%s %s\n", reply->element[1]->str, reply->element[2]->str);
        freeReplyObject(reply);
        if (!message)
            return messages;
    }
}

static inline void test_stop_listening(void)
{
    redisFree(ear);
    ear = NULL;
}

static inline void test_step_start(void)
{
    test_redis_init(&test_redis);
    test_redis_start(&test_redis);
    test_loop_init();
    test_bus_up(&test_bus, test_redis.url);
}

static inline void test_step_end(void)
{
    test_answer_forget(&test_answer);
    test_bus_close(&test_bus);
    test_loop_fini();
    test_redis_fini(&test_redis);
}

#endif
