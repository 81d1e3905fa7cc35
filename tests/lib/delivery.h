/* SPDX-License-Identifier: ISC
 *
 * delivery: deliveries in a Redis of the test's own, claims of them, and what became of each. The
 * time is an argument, so days pass at once.
 */
#ifndef TEST_DELIVERY_H
#define TEST_DELIVERY_H

#include "arda/delivery/delivery.h"

#include "lib/bus.h"
#include "lib/redis.h"

#include <stdarg.h>

static struct test_redis test_redis;
static struct test_bus test_bus;

#define TEST_T0     1770552000000 /* 2026-02-08T12:00:00Z */
#define TEST_LEASE  60000
#define TEST_URL    "https://acme.example/hook"
#define TEST_SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

/* ---- what Redis holds ---- */

/* The id of the delivery with a number; good for a few calls. */
static inline const char *test_id(int number)
{
    static char ids[8][ARDA_NOTIFY_ID_LEN + 1];
    static unsigned turn;
    char *id = ids[turn++ % 8];
    snprintf(id, sizeof ids[0], "00000000-0000-8000-8000-%012d", number);
    return id;
}

/* A text that the next calls do not change soon; "(nil)": there is none. */
static inline const char *test_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline const char *test_text(const char *format, ...)
{
    static char texts[4][8192];
    static unsigned turn;
    char *text = texts[turn++ % 4], command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    redisReply *reply = test_redis_ask(&test_redis, command);
    if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(text, sizeof texts[0], "%lld", reply->integer);
    else
        snprintf(text, sizeof texts[0], "%s", reply->str ? reply->str : "(nil)");
    freeReplyObject(reply);
    return text;
}

static inline const char *test_field(const char *tenant, int number, const char *field)
{
    return test_text("HGET arda:delivery:%s:%s %s", tenant, test_id(number), field);
}

static inline const char *test_endpoint(const char *field)
{
    return test_text("HGET arda:endpoint:acme %s", field);
}

/* As the notification step records it. */
static inline void test_put(const char *tenant, const char *channel, int number, int64_t due_ms)
{
    const char *id = test_id(number);
    long long due = due_ms;
    test_redis_do(&test_redis,
                  "HSET arda:delivery:%s:%s id %s tenantId %s notificationId n%d userId ann "
                  "channel %s type po_created status pending attemptCount 0 createdAt x updatedAt "
                  "x nextAttemptAt x notification %s cause k1",
                  tenant, id, id, tenant, number, channel, "{\"id\":\"n\"}");
    test_redis_do(&test_redis, "ZADD arda:deliveries:%s %lld %s", tenant, due, id);
    test_redis_do(&test_redis, "ZADD arda:due:%s:%s %lld %s", tenant, channel, due, id);
    test_redis_do(&test_redis, "ZADD arda:due LT %lld %s:%s", due, tenant, channel);
}

static inline void test_put_webhook(const char *tenant)
{
    test_redis_do(&test_redis, "HSET arda:webhook:%s url %s secret %s enabled 1", tenant, TEST_URL,
                  TEST_SECRET);
}

/* ---- claims ---- */

static struct test_claimed {
    struct arda_delivery *list[256];
    size_t count;
    int calls, result;
    int64_t next_ms;
    char why[256];
} test_claimed;

static inline void test_forget(void)
{
    for (size_t i = 0; i < test_claimed.count; i++)
        arda_delivery_free(test_claimed.list[i]);
    test_claimed = (struct test_claimed){0};
}

static inline void test_on_delivery(void *data, struct arda_delivery *delivery)
{
    struct test_claimed *to = data;
    CHECK_INT(to->calls, 0);
    to->list[to->count++] = delivery;
}

static inline void test_on_claimed(void *data, int result, int64_t next_ms,
                                   const struct base_why *why)
{
    struct test_claimed *to = data;
    to->calls++;
    to->result = result;
    to->next_ms = next_ms;
    snprintf(to->why, sizeof to->why, "%s", result ? why->text : "");
}

static inline const char *test_new_lease(void)
{
    static char lease[ARDA_NOTIFY_ID_LEN + 1];
    static int number;
    snprintf(lease, sizeof lease, "1ea5e000-0000-7000-8000-%012d", ++number);
    return lease;
}

static inline struct arda_delivery_claim test_claim(int64_t now_ms)
{
    return (struct arda_delivery_claim){
        .now_ms = now_ms,
        .lease_ms = TEST_LEASE,
        .channels = ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL) | ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK),
        .max = 100,
        .per_lane = 16,
        .lease = test_new_lease(),
    };
}

/* Forgets what was claimed before; how many there are. */
static inline size_t test_claim_with(const struct arda_delivery_claim *claim)
{
    const struct arda_delivery_claimer claimer = {test_on_delivery, test_on_claimed, &test_claimed};
    test_forget();
    CHECK_INT(arda_delivery_claim(test_bus.bus, claim, &claimer), 0);
    RUN_UNTIL(test_claimed.calls == 1);
    return test_claimed.count;
}

static inline size_t test_claim_at(int64_t now_ms)
{
    struct arda_delivery_claim claim = test_claim(now_ms);
    size_t count = test_claim_with(&claim);
    CHECK_STR(test_claimed.why, "");
    CHECK_INT(test_claimed.result, 0);
    return count;
}

/* The only one that is due, which is the caller's to free. */
static inline struct arda_delivery *test_claim_one(int64_t now_ms)
{
    CHECK_INT(test_claim_at(now_ms), 1);
    if (test_claimed.count != 1) {
        printf("Bail out! nothing was claimed\n");
        exit(EXIT_FAILURE);
    }
    test_claimed.count = 0;
    return test_claimed.list[0];
}

/* ---- ends ---- */

static struct test_end {
    int calls, result;
    struct arda_delivery_settled settled;
    char why[256];
} test_ended;

static inline void test_on_end(void *data, int result, const struct arda_delivery_settled *settled,
                               const struct base_why *why)
{
    struct test_end *to = data;
    to->calls++;
    to->result = result;
    to->settled = *settled;
    snprintf(to->why, sizeof to->why, "%s", result ? why->text : "");
}

static inline struct arda_delivery_settlement test_good(const struct arda_delivery *delivery,
                                                        int64_t now_ms)
{
    return (struct arda_delivery_settlement){
        .delivery = delivery,
        .now_ms = now_ms,
        .status =
            delivery->channel == ARDA_NOTIFY_WEBHOOK ? ARDA_DELIVERY_DELIVERED : ARDA_DELIVERY_SENT,
        .attempted = true,
        .answer = delivery->channel == ARDA_NOTIFY_WEBHOOK ? 204 : 250,
        .text = "fine",
        .duration_ms = 5,
        .endpoint =
            delivery->channel == ARDA_NOTIFY_WEBHOOK ? ARDA_ENDPOINT_WELL : ARDA_ENDPOINT_UNTOUCHED,
    };
}

/* Due again at `due_ms`. */
static inline struct arda_delivery_settlement test_bad(const struct arda_delivery *delivery,
                                                       int64_t now_ms, int64_t due_ms)
{
    struct arda_delivery_settlement settlement = test_good(delivery, now_ms);
    settlement.status = ARDA_DELIVERY_PENDING;
    settlement.due_ms = due_ms;
    settlement.answer = 500;
    settlement.text = "HTTP 500";
    if (delivery->channel == ARDA_NOTIFY_WEBHOOK)
        settlement.endpoint = ARDA_ENDPOINT_FAILING;
    return settlement;
}

static inline int test_settle(const struct arda_delivery_settlement *settlement)
{
    test_ended = (struct test_end){0};
    CHECK_INT(arda_delivery_settle(test_bus.bus, settlement, test_on_end, &test_ended), 0);
    RUN_UNTIL(test_ended.calls == 1);
    return test_ended.result;
}

static inline void test_settle_well(const struct arda_delivery_settlement *settlement, bool late)
{
    CHECK_INT(test_settle(settlement), 0);
    CHECK_STR(test_ended.why, "");
    CHECK_INT(test_ended.settled.late, late);
}

static inline void test_release(const struct arda_delivery *delivery, int64_t due_ms, bool late)
{
    test_ended = (struct test_end){0};
    CHECK_INT(arda_delivery_release(test_bus.bus, delivery, due_ms, test_on_end, &test_ended), 0);
    RUN_UNTIL(test_ended.calls == 1);
    CHECK_INT(test_ended.result, 0);
    CHECK_INT(test_ended.settled.late, late);
}

/* ---- begin and end ---- */

static inline void test_delivery_start(void)
{
    test_redis_init(&test_redis);
    test_redis_start(&test_redis);
    test_loop_init();
    test_bus_up(&test_bus, test_redis.url);
}

static inline void test_delivery_end(void)
{
    test_forget();
    test_bus_close(&test_bus);
    test_loop_fini();
    test_redis_fini(&test_redis);
}

#endif
