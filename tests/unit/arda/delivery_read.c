/* SPDX-License-Identifier: ISC */
#include "arda/delivery/read.h"
#include "arda/delivery/redrive.h"

#include "base/err.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

#define NOW 1770552000000 /* 2026-02-08T12:00:00Z */

/* ---- answers ---- */

static struct answer {
    int calls, result;
    bool more;
    enum arda_delivery_redriven redriven;
    struct arda_delivery_tally tally;
    struct base_buf said;
} answer;

static void on_record(void *data, const struct arda_delivery_record *record)
{
    bool whole = *(bool *)data;
    if (whole)
        arda_delivery_record_write(&answer.said, record);
    else
        base_buf_printf(&answer.said, "%.*s ", (int)record->id.len, record->id.data);
}

static void on_bad(void *data, const char *id)
{
    (void)data;
    base_buf_printf(&answer.said, "bad:%s ", id);
}

static void on_done(void *data, int result, bool more, const struct base_why *why)
{
    (void)data, (void)why;
    answer.calls++;
    answer.result = result;
    answer.more = more;
}

static void on_tally(void *data, int result, const struct arda_delivery_tally *tally, bool more,
                     const struct base_why *why)
{
    answer.tally = *tally;
    on_done(data, result, more, why);
}

static void on_redriven(void *data, int result, enum arda_delivery_redriven redriven,
                        const struct base_why *why)
{
    answer.redriven = redriven;
    on_done(data, result, false, why);
}

static int finish(int failed)
{
    CHECK_INT(failed, 0);
    RUN_UNTIL(answer.calls == 1);
    return answer.result;
}

static void forget(void)
{
    base_buf_fini(&answer.said);
    answer = (struct answer){0};
}

static void check_said(const char *want)
{
    CHECK_BYTES(answer.said.len ? answer.said.data : "", answer.said.len, want);
}

static bool short_form = false, whole_form = true;
static struct arda_delivery_position position;
static const struct arda_delivery_filter any = {.channel = -1, .since_ms = -1, .until_ms = -1};

static int list(const struct arda_delivery_filter *filter, uint32_t limit)
{
    const struct arda_delivery_reader reader = {on_record, on_bad, on_done, &short_form};
    forget();
    return finish(arda_delivery_list(test.bus, "acme", filter, limit, &position, &reader));
}

static int get(const char *id)
{
    const struct arda_delivery_reader reader = {on_record, on_bad, on_done, &whole_form};
    forget();
    return finish(arda_delivery_get(test.bus, "acme", id, &reader));
}

static int redrive(const char *id)
{
    forget();
    return finish(arda_delivery_redrive(test.bus, "acme", id, NOW, on_redriven, NULL));
}

/* ---- records ---- */

static void put(const char *id, const char *channel, const char *status, long long ms)
{
    test_redis_do(&redis, "ZADD arda:deliveries:acme %lld %s", ms, id);
    test_redis_do(&redis,
                  "HSET arda:delivery:acme:%s id %s tenantId acme notificationId n-%s userId ann "
                  "channel %s type po_created status %s attemptCount 2 createdAt "
                  "2026-02-08T12:00:00.000Z updatedAt 2026-02-08T12:00:00.000Z cause e1",
                  id, id, id, channel, status);
}

static void set(const char *id, const char *field, const char *value)
{
    test_redis_do(&redis, "HSET arda:delivery:acme:%s %s %s", id, field, value);
}

static bool is(const char *id, const char *field, const char *value)
{
    redisReply *reply = test_redis_ask(&redis, "HGET arda:delivery:acme:%s %s", id, field);
    bool same = reply->type == REDIS_REPLY_STRING ? strcmp(reply->str, value) == 0 : !*value;
    freeReplyObject(reply);
    return same;
}

static long long due(const char *lane, const char *id)
{
    redisReply *reply = test_redis_ask(&redis, "ZSCORE arda:due:acme:%s %s", lane, id);
    long long score = reply->type == REDIS_REPLY_STRING ? atoll(reply->str) : -1;
    freeReplyObject(reply);
    return score;
}

static void begin(void)
{
    position = (struct arda_delivery_position){0};
    test_redis_do(&redis, "FLUSHALL");
}

static void put_five(void)
{
    begin();
    put("a", "email", "failed", 1);
    put("b", "webhook", "failed", 5);
    put("c", "email", "sent", 5);
    put("d", "email", "pending", 5);
    put("e", "email", "bounced", 9);
}

/* ---- reading ---- */

static void one_record_as_json(void)
{
    begin();
    put("a", "email", "pending", 1);
    set("a", "lastError", "no\"reply");
    set("a", "attempts", "[{\"at\":1}]");
    set("a", "notification", "{\"id\":\"n-a\"}");
    test_redis_do(&redis, "ZADD arda:due:acme:email 1770552000000 a");
    CHECK_INT(get("a"), 0);
    check_said("{\"id\":\"a\",\"tenantId\":\"acme\",\"notificationId\":\"n-a\",\"userId\":\"ann\","
               "\"channel\":\"email\",\"type\":\"po_created\",\"status\":\"pending\","
               "\"attemptCount\":2,\"lastAttemptAt\":null,\"lastError\":\"no\\\"reply\","
               "\"deliveredAt\":null,\"nextAttemptAt\":\"2026-02-08T12:00:00.000Z\","
               "\"leasedUntil\":null,\"obstacle\":\"no daemon takes e-mails\","
               "\"heldUntil\":null,"
               "\"createdAt\":\"2026-02-08T12:00:00.000Z\","
               "\"updatedAt\":\"2026-02-08T12:00:00.000Z\",\"digestId\":null,\"items\":0,"
               "\"attempts\":[{\"at\":1}],\"notification\":{\"id\":\"n-a\"},\"cause\":\"e1\"}");
    CHECK_INT(get("b"), BASE_ERR_NOTFOUND);
    check_said("");
    test_redis_do(&redis, "HSET arda:delivery:acme:b id b");
    CHECK_INT(get("b"), 0);
    check_said("bad:b ");
}

static void lists_page_by_page(void)
{
    put_five();
    CHECK_INT(list(&any, 10), 0);
    check_said("e d c b a ");
    CHECK(!answer.more);
    position = (struct arda_delivery_position){0};
    CHECK_INT(list(&any, 2), 0);
    check_said("e d ");
    CHECK(answer.more);
    test_redis_do(&redis, "ZREM arda:deliveries:acme d"); /* the position itself goes */
    put("f", "email", "sent", 10);
    CHECK_INT(list(&any, 2), 0);
    check_said("c b ");
    CHECK_INT(list(&any, 2), 0);
    check_said("a ");
    CHECK(!answer.more);
    CHECK_INT(arda_delivery_list(test.bus, "acme", &any, 0, &position, NULL), BASE_ERR_LIMIT);
    CHECK_INT(arda_delivery_list(test.bus, "a b", &any, 1, &position, NULL), BASE_ERR_INVALID);
}

static void check_filter(struct arda_delivery_filter filter, const char *want)
{
    position = (struct arda_delivery_position){0};
    CHECK_INT(list(&filter, 10), 0);
    check_said(want);
}

static void filters(void)
{
    struct arda_delivery_filter filter = any;
    put_five();
    set("a", "userId", "bob");
    filter.statuses = ARDA_DELIVERY_STATUS_BIT(ARDA_DELIVERY_FAILED) |
                      ARDA_DELIVERY_STATUS_BIT(ARDA_DELIVERY_BOUNCED);
    check_filter(filter, "e b a ");
    filter.channel = ARDA_NOTIFY_EMAIL;
    check_filter(filter, "e a ");
    filter.user = "bob";
    check_filter(filter, "a ");
    filter = any;
    filter.since_ms = 5;
    filter.until_ms = 9;
    check_filter(filter, "d c b ");
    filter = any;
    filter.notification = "n-c";
    filter.event = "e1";
    filter.type = "po_created";
    check_filter(filter, "c ");
    filter.event = "e2";
    check_filter(filter, "");
}

static void counts(void)
{
    put_five();
    forget();
    CHECK_INT(finish(arda_delivery_tally(test.bus, "acme", &any, &position, on_tally, &short_form)),
              0);
    CHECK_INT(answer.tally.by_status[ARDA_DELIVERY_FAILED], 2);
    CHECK_INT(answer.tally.by_status[ARDA_DELIVERY_PENDING], 1);
    CHECK_INT(answer.tally.by_status[ARDA_DELIVERY_DELIVERED], 0);
    CHECK(!answer.more);
}

static void long_lists_in_steps(void)
{
    uint64_t sum = 0;
    int steps = 0;
    begin();
    freeReplyObject(test_redis_ask(
        &redis, "EVAL %s 0",
        "for i = 1, 2500 do local id = string.format('d%04d', i)\n"
        "redis.call('ZADD', 'arda:deliveries:acme', math.floor(i / 1200), id)\n"
        "redis.call('HSET', 'arda:delivery:acme:' .. id, 'channel', 'email', 'status',\n"
        "  i == 7 and 'failed' or 'sent') end"));
    do {
        forget();
        CHECK_INT(
            finish(arda_delivery_tally(test.bus, "acme", &any, &position, on_tally, &short_form)),
            0);
        sum += answer.tally.by_status[ARDA_DELIVERY_SENT];
        steps++;
    } while (answer.more && steps < 9);
    CHECK_INT(sum, 2499);
    CHECK_INT(steps, 3);
}

/* ---- redriving ---- */

static void final_ones_are_due_again(void)
{
    put_five();
    set("b", "attempts", "[{\"at\":1}]");
    CHECK_INT(redrive("b"), 0);
    CHECK_INT(answer.redriven, ARDA_DELIVERY_REDRIVEN);
    CHECK(is("b", "status", "pending") && is("b", "attemptCount", "0"));
    CHECK(is("b", "attempts", "[{\"at\":1}]") && is("b", "heldUntil", ""));
    CHECK_INT(due("webhook", "b"), NOW);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:due"), 1);
    CHECK_INT(redrive("e"), 0);
    CHECK(is("e", "heldUntil", "2026-02-08T12:00:00.000Z"));
    CHECK_INT(redrive("zzz"), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_delivery_redrive(test.bus, "acme", "a b", NOW, on_redriven, NULL),
              BASE_ERR_INVALID);
}

static void leases_are_kept(void)
{
    put_five();
    set("d", "lease", "l1");
    test_redis_do(&redis, "ZADD arda:due:acme:email %lld d", NOW + 1000);
    CHECK_INT(redrive("d"), 0);
    CHECK_INT(answer.redriven, ARDA_DELIVERY_UNDER_WAY);
    CHECK(is("d", "lease", "l1"));
    test_redis_do(&redis, "ZADD arda:due:acme:email %lld d", NOW - 1000);
    CHECK_INT(redrive("d"), 0);
    CHECK_INT(answer.redriven, ARDA_DELIVERY_REDRIVEN);
    CHECK(is("d", "lease", ""));
}

/* A digest D with the members a and c. */
static void put_digest(const char *status)
{
    put_five();
    put("D", "email", status, 10);
    set("D", "items", "2");
    set("D", "schedule", "hourly");
    set("a", "digestId", "D");
    set("c", "digestId", "D");
    set("a", "status", status);
    set("c", "status", status);
    test_redis_do(&redis, "ZADD arda:digest-items:acme:D 1 a 5 c");
}

static void digests_take_their_members_along(void)
{
    put_digest("failed");
    CHECK_INT(redrive("D"), 0);
    CHECK(is("D", "status", "pending") && is("a", "status", "pending"));
    CHECK_INT(due("email", "D"), NOW);
    CHECK_INT(due("email", "a"), -1);
}

static void members_leave_alone(void)
{
    put_digest("pending");
    test_redis_do(&redis, "SET arda:digesting:acme:ann:hourly D");
    test_redis_do(&redis, "ZADD arda:due:acme:email %lld D", NOW + 5000);
    CHECK_INT(redrive("a"), 0);
    CHECK(is("a", "digestId", "") && is("D", "items", "1"));
    CHECK_INT(due("email", "a"), NOW);
    CHECK_INT(redrive("c"), 0);
    CHECK_INT(
        test_redis_number(&redis, "EXISTS arda:delivery:acme:D arda:digesting:acme:ann:hourly"), 0);
    CHECK_INT(due("email", "D"), -1);
    put_digest("sent");
    redrive("a");
    redrive("c");
    CHECK_INT(redrive("D"), 0);
    CHECK_INT(answer.redriven, ARDA_DELIVERY_EMPTY);
    CHECK(is("D", "status", "sent"));
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&test, redis.url);
    RUN(one_record_as_json);
    RUN(lists_page_by_page);
    RUN(filters);
    RUN(counts);
    RUN(long_lists_in_steps);
    RUN(final_ones_are_due_again);
    RUN(leases_are_kept);
    RUN(digests_take_their_members_along);
    RUN(members_leave_alone);
    forget();
    test_bus_close(&test);
    test_loop_fini();
    test_redis_fini(&redis);
    return test_end();
}
