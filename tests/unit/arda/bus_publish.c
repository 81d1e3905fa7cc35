/* SPDX-License-Identifier: ISC
 *
 * What a publication does in Redis, and what its publisher hears.
 */
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

#define MESSAGE  "{\"type\":\"card.transition\",\"tenantId\":\"t1\", \"x\" : \"\xc3\xa9\\u00e9\"}"
#define ENVELOPE "{\"id\":\"e1\",\"event\":" MESSAGE "}"

static struct test_redis redis;
static struct test_bus test;
static struct test_publication answer, other;

static void publish(const char *tenant, const char *envelope)
{
    CHECK_INT(test_publish(test.bus, tenant, MESSAGE, envelope, &answer), 0);
    RUN_UNTIL(answer.answers == 1);
}

static void reaches_both_channels_with_the_same_text(void)
{
    struct test_ear tenant, global, foreign;
    test_ear_up(&tenant, test.bus, "t1");
    test_ear_up(&global, test.bus, NULL);
    test_ear_up(&foreign, test.bus, "t2");
    publish("t1", ENVELOPE);
    CHECK_INT(answer.result, 0);
    RUN_UNTIL(tenant.messages == 1 && global.messages == 1);
    CHECK_STR(tenant.text, MESSAGE);
    CHECK_STR(global.text, MESSAGE);
    CHECK_STR(global.tenant, "t1");
    CHECK_INT(foreign.messages, 0);
    arda_bus_unsubscribe(tenant.subscription);
    arda_bus_unsubscribe(global.subscription);
    arda_bus_unsubscribe(foreign.subscription);
}

static void the_stream_has_the_envelope_with_its_fields_in_order(void)
{
    static const char *const fields[] = {
        "envelope", ENVELOPE, "type",      "card.transition",
        "source",   "tests",  "timestamp", "2026-02-08T12:00:00.000Z"};
    publish("t-stream", ENVELOPE);
    redisReply *reply = test_redis_ask(&redis, "XRANGE arda:stream:t-stream - +");
    CHECK_INT(reply->elements, 1);
    CHECK_STR(reply->element[0]->element[0]->str, answer.stream_id);
    redisReply *entry = reply->element[0]->element[1];
    CHECK_INT(entry->elements, 8);
    for (size_t i = 0; i < 8 && i < entry->elements; i++)
        CHECK_BYTES(entry->element[i]->str, (size_t)entry->element[i]->len, fields[i]);
    freeReplyObject(reply);
}

static void without_envelope_there_is_no_entry(void)
{
    publish("t-live", "");
    CHECK_INT(answer.result, 0);
    CHECK_STR(answer.stream_id, "");
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:stream:t-live"), 0);
}

static void without_tenant_it_goes_to_the_global_channel_alone(void)
{
    struct test_ear global;
    test_redis_do(&redis, "FLUSHALL");
    test_ear_up(&global, test.bus, NULL);
    CHECK_INT(test_publish(test.bus, "", "{\"type\":\"a\"}", ENVELOPE, &answer), 0);
    RUN_UNTIL(answer.answers == 1 && global.messages == 1);
    CHECK_INT(answer.result, 0);
    CHECK_STR(answer.stream_id, "");
    CHECK_STR(global.text, "{\"type\":\"a\"}");
    CHECK_STR(global.tenant, "");
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 0);
    arda_bus_unsubscribe(global.subscription);
}

static void the_stream_is_bounded(void)
{
    const struct arda_publication publication = {
        .tenant = test_slice("t-bound"),
        .message = test_slice(MESSAGE),
        .envelope = test_slice(ENVELOPE),
        .type = test_slice("a"),
        .source = test_slice("b"),
        .timestamp = test_slice("c"),
        .max_len = 100, /* Redis cuts by whole nodes of 100 */
    };
    answer = (struct test_publication){0};
    for (int i = 0; i < 500; i++)
        CHECK_INT(arda_bus_publish(test.bus, &publication, test_on_published, &answer), 0);
    CHECK_INT(arda_bus_pending(test.bus), 500);
    RUN_UNTIL(answer.answers == 500);
    CHECK_INT(arda_bus_pending(test.bus), 0);
    long long len = test_redis_number(&redis, "XLEN arda:stream:t-bound");
    CHECK(len >= 100 && len < 300);
}

static void order_is_kept(void)
{
    enum { COUNT = 2000 };
    struct test_ear ear;
    char text[64];
    test_ear_up(&ear, test.bus, "t1");
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "{\"type\":\"n\",\"eventId\":\"%d\"}", i);
        CHECK_INT(test_publish(test.bus, "t1", text, "", &answer), 0);
    }
    RUN_UNTIL(ear.messages == COUNT);
    CHECK_STR(ear.text, text);
    arda_bus_unsubscribe(ear.subscription);
}

static void big_messages_arrive_whole(void)
{
    struct test_ear ear;
    struct base_buf text = BASE_BUF_INIT;
    struct base_json_value string;
    test_ear_up(&ear, test.bus, "t1");
    CHECK_INT(base_buf_add_text(&text, "{\"type\":\"big\",\"x\":\""), 0);
    for (int i = 0; i < 300000; i++)
        CHECK_INT(base_buf_add_text(&text, "0123456789"), 0);
    CHECK_INT(base_buf_add_text(&text, "\"}"), 0);
    CHECK(base_buf_cstr(&text) && base_json_check(text.data, text.len, &string, NULL) == 0);
    CHECK_INT(test_publish(test.bus, "t1", text.data, "", &answer), 0);
    CHECK_INT(test_publish(test.bus, "t1", MESSAGE, "", &other), 0);
    RUN_UNTIL(ear.messages == 2 && other.answers == 1);
    CHECK_INT(answer.result, 0);
    CHECK_STR(ear.text, MESSAGE);
    arda_bus_unsubscribe(ear.subscription);
    base_buf_fini(&text);
}

static void bad_tenants_are_refused_at_once(void)
{
    CHECK_INT(test_publish(test.bus, "global", MESSAGE, "", &answer), BASE_ERR_INVALID);
    CHECK_INT(test_publish(test.bus, "a:b", MESSAGE, "", &answer), BASE_ERR_INVALID);
    CHECK_INT(arda_bus_pending(test.bus), 0);
    CHECK_INT(answer.answers, 0);
}

/* ---- refused by Redis ---- */

/* What comes behind a refused one is not touched by it. */
static void publish_refused(int result, const char *reason)
{
    CHECK_INT(test_publish(test.bus, "t1", MESSAGE, ENVELOPE, &answer), 0);
    CHECK_INT(test_publish(test.bus, "", MESSAGE, "", &other), 0);
    RUN_UNTIL(answer.answers == 1 && other.answers == 1);
    CHECK_INT(answer.result, result);
    CHECK(strstr(answer.why, reason) != NULL);
    CHECK(strncmp(answer.why, "redis 127.0.0.1:", 16) == 0);
    CHECK_STR(answer.stream_id, "");
    CHECK_INT(other.result, 0);
}

static void a_replica_helps_later(void)
{
    struct test_ear ear;
    test_ear_up(&ear, test.bus, "t1");
    test_redis_do(&redis, "REPLICAOF 127.0.0.1 1");
    publish_refused(BASE_ERR_AGAIN, "READONLY");
    test_redis_do(&redis, "REPLICAOF NO ONE");
    /* It has been left, and is found again as a primary. */
    RUN_UNTIL(ear.falls == 1 && ear.standing && arda_bus_is_up(test.bus));
    CHECK(strstr(test.why, "READONLY") || strstr(test.why, "replica"));
    publish("t1", ENVELOPE);
    CHECK_INT(answer.result, 0);
    RUN_UNTIL(ear.messages == 1); /* of what was refused nothing was published */
    arda_bus_unsubscribe(ear.subscription);
}

static void full_memory_helps_later(void)
{
    test_redis_do(&redis, "CONFIG SET maxmemory 1");
    publish_refused(BASE_ERR_AGAIN, "OOM");
    test_redis_do(&redis, "CONFIG SET maxmemory 0");
    publish("t1", ENVELOPE);
    CHECK_INT(answer.result, 0);
}

static void a_missing_permission_stays(void)
{
    test_redis_do(&redis, "ACL SETUSER default -xadd");
    publish_refused(BASE_ERR_DENIED, "NOPERM");
    test_redis_do(&redis, "ACL SETUSER default +xadd");
}

/* Found out only when the step is done. */
static void a_key_of_another_type_is_told(void)
{
    test_redis_do(&redis, "SET arda:stream:t1 x");
    publish_refused(BASE_ERR_INTERNAL, "WRONGTYPE");
    test_redis_do(&redis, "DEL arda:stream:t1");
    publish("t1", ENVELOPE);
    CHECK_INT(answer.result, 0);
    CHECK(answer.stream_id[0] != '\0');
}

static void confirmed_ones_are_counted(void)
{
    struct arda_bus_stats before, after;
    int ups = test.ups;
    arda_bus_get_stats(test.bus, &before);
    publish("t1", ENVELOPE);
    publish("", "");
    test_redis_do(&redis, "REPLICAOF 127.0.0.1 1");
    publish("t1", ENVELOPE);
    test_redis_do(&redis, "REPLICAOF NO ONE");
    RUN_UNTIL(test.ups == ups + 1); /* the server was left, and is a primary again */
    arda_bus_get_stats(test.bus, &after);
    CHECK_INT(after.published - before.published, 2);
}

static void survives_every_failing_allocation(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 100; n++) {
        struct test_bus fresh;
        test_bus_up(&fresh, redis.url);
        base_mem_fail(n, 1);
        result = test_publish(fresh.bus, "t1", MESSAGE, ENVELOPE, &answer);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK_INT(arda_bus_pending(fresh.bus), result == 0);
        CHECK_INT(test_publish(fresh.bus, "t1", MESSAGE, ENVELOPE, &other), 0);
        RUN_UNTIL(other.answers == 1);
        CHECK_INT(other.result, 0);
        CHECK_INT(answer.answers, result == 0);
        test_bus_close(&fresh);
    }
    CHECK_INT(result, 0);
}

static void ends_without_an_open_handle(void)
{
    test_bus_close(&test);
    test_loop_fini();
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&test, redis.url);
    RUN(reaches_both_channels_with_the_same_text);
    RUN(the_stream_has_the_envelope_with_its_fields_in_order);
    RUN(without_envelope_there_is_no_entry);
    RUN(without_tenant_it_goes_to_the_global_channel_alone);
    RUN(the_stream_is_bounded);
    RUN(order_is_kept);
    RUN(big_messages_arrive_whole);
    RUN(bad_tenants_are_refused_at_once);
    RUN(a_replica_helps_later);
    RUN(full_memory_helps_later);
    RUN(a_missing_permission_stays);
    RUN(a_key_of_another_type_is_told);
    RUN(confirmed_ones_are_counted);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
