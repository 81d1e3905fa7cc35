/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "lib/delivery.h"

/* ---- the record ---- */

static void a_good_end_is_written_down(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s lastError old", test_id(1));
    struct arda_delivery *got = test_claim_one(TEST_T0);
    struct arda_delivery_settlement settlement = test_good(got, TEST_T0 + 1000);
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "sent");
    CHECK_STR(test_field("acme", 1, "attemptCount"), "1");
    CHECK_STR(test_field("acme", 1, "deliveredAt"), "2026-02-08T12:00:01.000Z");
    CHECK_STR(test_field("acme", 1, "updatedAt"), "2026-02-08T12:00:01.000Z");
    CHECK_STR(test_field("acme", 1, "lastAttemptAt"), "2026-02-08T12:00:00.995Z");
    CHECK_STR(test_field("acme", 1, "attempts"),
              "[{\"at\":\"2026-02-08T12:00:00.995Z\",\"status\":250,\"text\":\"fine\","
              "\"durationMs\":5}]");
    CHECK_STR(test_field("acme", 1, "lastError"), "(nil)");
    CHECK_STR(test_field("acme", 1, "lease"), "(nil)");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "(nil)");
    CHECK_STR(test_text("EXISTS arda:due arda:due:acme:email"), "0");
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "1");
    arda_delivery_free(got);
}

static void one_that_is_tried_again_is_due_then(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    struct arda_delivery_settlement settlement = test_bad(got, TEST_T0 + 1, TEST_T0 + 5000);
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "pending");
    CHECK_STR(test_field("acme", 1, "lastError"), "HTTP 500");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "2026-02-08T12:00:05.000Z");
    CHECK_STR(test_field("acme", 1, "lease"), "(nil)");
    CHECK_STR(test_field("acme", 1, "deliveredAt"), "(nil)");
    arda_delivery_free(got);
    CHECK_INT(test_claim_at(TEST_T0 + 4999), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + 5000);
    got = test_claim_one(TEST_T0 + 5000);
    CHECK_INT(got->attempts, 1);
    CHECK(!got->taken_over);
    settlement = test_bad(got, TEST_T0 + 5001, 0);
    settlement.status = ARDA_DELIVERY_FAILED;
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "failed");
    CHECK_STR(test_field("acme", 1, "attemptCount"), "2");
    CHECK_STR(test_field("acme", 1, "lastError"), "HTTP 500");
    CHECK_STR(test_field("acme", 1, "deliveredAt"), "(nil)");
    arda_delivery_free(got);
}

static void what_was_not_attempted_counts_as_none(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    struct arda_delivery_settlement settlement = {
        .delivery = got, .now_ms = TEST_T0, .status = ARDA_DELIVERY_FAILED, .text = "no address"};
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "failed");
    CHECK_STR(test_field("acme", 1, "attemptCount"), "0");
    CHECK_STR(test_field("acme", 1, "attempts"), "(nil)");
    CHECK_STR(test_field("acme", 1, "lastAttemptAt"), "(nil)");
    CHECK_STR(test_field("acme", 1, "lastError"), "no address");
    arda_delivery_free(got);
}

/* The text of each says which it is, and looks like the border between two. */
static void the_latest_twenty_attempts_are_kept(void)
{
    char text[64];
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    for (int i = 1; i <= 25; i++) {
        struct arda_delivery *got = test_claim_one(TEST_T0 + i);
        struct arda_delivery_settlement settlement = test_bad(got, TEST_T0 + i, TEST_T0 + i + 1);
        snprintf(text, sizeof text, "%d},{\"at\":\"\\", i);
        settlement.text = text;
        settlement.answer = i == 25 ? 0 : 500;
        test_settle_well(&settlement, false);
        arda_delivery_free(got);
    }
    CHECK_STR(test_field("acme", 1, "attemptCount"), "25");
    CHECK_STR(test_field("acme", 1, "lastError"), "25},{\"at\":\"\\");
    const char *list = test_field("acme", 1, "attempts");
    struct base_json_value value;
    CHECK_INT(base_json_check(list, strlen(list), &value, NULL), 0);
    CHECK_INT(value.kind, BASE_JSON_ARRAY);
    int count = 0;
    for (const char *at = list; (at = strstr(at, "\"durationMs\"")); at++)
        count++;
    CHECK_INT(count, ARDA_DELIVERY_ATTEMPTS_MAX);
    CHECK(strncmp(list, "[{\"at\":\"2026-02-08T12:00:00.001Z\",\"status\":500,\"text\":\"6}", 56) ==
          0);
    CHECK(strstr(list, "\"status\":null,\"text\":\"25}") != NULL);
}

static void texts_of_others_do_no_harm(void)
{
    static const char hostile[] = "a\"b\\c\n\x01\x7f\xe2\x80\xa8%s '; return 1";
    char long_text[600];
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    struct arda_delivery_settlement settlement = test_bad(got, TEST_T0, TEST_T0 + 1);
    settlement.text = hostile;
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "lastError"), hostile);
    const char *list = test_field("acme", 1, "attempts");
    CHECK_INT(base_json_check(list, strlen(list), NULL, NULL), 0);
    CHECK(strstr(list, "a\\\"b\\\\c\\u000a\\u0001\\u007f\\u2028") != NULL);
    arda_delivery_free(got);
    /* Cut between characters. */
    got = test_claim_one(TEST_T0 + 1);
    settlement = test_bad(got, TEST_T0 + 1, TEST_T0 + 2);
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
        memcpy(long_text + i, "\xc3\xa4", 3);
    settlement.text = long_text;
    test_settle_well(&settlement, false);
    CHECK_INT(strlen(test_field("acme", 1, "lastError")), 254);
    arda_delivery_free(got);
    /* Not UTF-8. */
    got = test_claim_one(TEST_T0 + 2);
    settlement = test_bad(got, TEST_T0 + 2, TEST_T0 + 3);
    settlement.text = "\xff";
    test_ended = (struct test_end){0};
    CHECK_INT(arda_delivery_settle(test_bus.bus, &settlement, test_on_end, &test_ended),
              BASE_ERR_INVALID);
    settlement.text = NULL;
    test_settle_well(&settlement, false);
    CHECK_INT(test_ended.calls, 1);
    arda_delivery_free(got);
}

/* ---- too late ---- */

static void a_late_good_end_counts(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *slow = test_claim_one(TEST_T0);
    struct arda_delivery *heir = test_claim_one(TEST_T0 + TEST_LEASE);
    struct arda_delivery_settlement settlement = test_good(slow, TEST_T0 + TEST_LEASE + 1);
    test_settle_well(&settlement, true);
    CHECK_STR(test_field("acme", 1, "status"), "sent");
    CHECK_STR(test_text("EXISTS arda:due"), "0");
    /* What the heir says of it does not matter any more. */
    settlement = test_bad(heir, TEST_T0 + TEST_LEASE + 2, TEST_T0 + TEST_LEASE + 3);
    test_settle_well(&settlement, true);
    settlement = test_good(heir, TEST_T0 + TEST_LEASE + 4);
    test_settle_well(&settlement, true);
    CHECK_STR(test_field("acme", 1, "status"), "sent");
    CHECK_STR(test_field("acme", 1, "attemptCount"), "1");
    CHECK_STR(test_text("EXISTS arda:due"), "0");
    arda_delivery_free(slow);
    arda_delivery_free(heir);
}

static void a_late_bad_end_does_not(void)
{
    static const enum arda_delivery_status ends[] = {ARDA_DELIVERY_PENDING, ARDA_DELIVERY_FAILED,
                                                     ARDA_DELIVERY_BOUNCED};
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *slow = test_claim_one(TEST_T0);
    struct arda_delivery *heir = test_claim_one(TEST_T0 + TEST_LEASE);
    for (size_t i = 0; i < 3; i++) {
        struct arda_delivery_settlement settlement = test_bad(slow, TEST_T0 + TEST_LEASE, TEST_T0);
        settlement.status = ends[i];
        test_settle_well(&settlement, true);
    }
    CHECK_STR(test_field("acme", 1, "status"), "pending");
    CHECK_STR(test_field("acme", 1, "attemptCount"), "0");
    CHECK_STR(test_field("acme", 1, "lease"), heir->lease);
    CHECK_INT(test_claim_at(TEST_T0 + 2 * TEST_LEASE - 1), 0);
    struct arda_delivery_settlement settlement = test_good(heir, TEST_T0 + TEST_LEASE);
    test_settle_well(&settlement, false);
    arda_delivery_free(slow);
    arda_delivery_free(heir);
}

/* As after an answer that was lost. */
static void an_end_that_is_told_twice_counts_once(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put_webhook("acme");
    test_put("acme", "webhook", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    struct arda_delivery_settlement settlement = test_bad(got, TEST_T0, TEST_T0 + 5000);
    test_settle_well(&settlement, false);
    test_settle_well(&settlement, true);
    CHECK_STR(test_field("acme", 1, "attemptCount"), "1");
    CHECK_STR(test_endpoint("failures"), "1");
    CHECK_INT(test_claim_at(TEST_T0 + 4999), 0);
    arda_delivery_free(got);
}

static void an_end_of_what_is_gone_makes_nothing(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_redis_do(&test_redis, "FLUSHALL");
    struct arda_delivery_settlement settlement = test_good(got, TEST_T0);
    test_settle_well(&settlement, true);
    test_release(got, TEST_T0, true);
    CHECK_STR(test_text("DBSIZE"), "0");
    arda_delivery_free(got);
}

/* ---- retention ---- */

static void settle_and_retain(int number, int64_t now_ms, int64_t retain_ms)
{
    test_put("acme", "email", number, now_ms);
    struct arda_delivery *got = test_claim_one(now_ms);
    struct arda_delivery_settlement settlement = test_good(got, now_ms);
    settlement.retain_ms = retain_ms;
    test_settle_well(&settlement, false);
    arda_delivery_free(got);
}

static void old_records_go_with_all_that_is_theirs(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    settle_and_retain(1, TEST_T0, 0);
    settle_and_retain(2, TEST_T0 + 1, 0);
    test_redis_do(&test_redis, "ZADD arda:digest-items:acme:%s 1 x", test_id(1));
    test_put("acme", "email", 3, TEST_T0 - 5); /* pending, however old it is */
    test_redis_do(&test_redis, "ZADD arda:due:acme:email %lld %s", TEST_T0 + 99999999LL,
                  test_id(3));
    settle_and_retain(4, TEST_T0 + 1001, 1000);
    CHECK_STR(
        test_text("EXISTS arda:delivery:acme:%s arda:digest-items:acme:%s", test_id(1), test_id(1)),
        "0");
    CHECK_STR(test_text("EXISTS arda:delivery:acme:%s", test_id(2)), "1");
    CHECK_STR(test_field("acme", 3, "status"), "pending");
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "3");
    settle_and_retain(5, TEST_T0 + 1000000, 0);
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "4");
    test_redis_do(&test_redis, "ZREM arda:due:acme:email %s", test_id(3));
    settle_and_retain(6, TEST_T0 + 1000001, 1000);
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "3"); /* 3, 5, 6 */
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s status failed", test_id(3));
    settle_and_retain(7, TEST_T0 + 9000000, 1000);
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "1");
    CHECK_STR(test_text("DBSIZE"), "2"); /* the last record, and the set of them */
}

static void many_old_records_go_bit_by_bit(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 100; i < 150; i++) {
        test_put("acme", "webhook", i, TEST_T0);
        test_redis_do(&test_redis, "HSET arda:delivery:acme:%s status failed", test_id(i));
    }
    test_redis_do(&test_redis, "DEL arda:due arda:due:acme:webhook");
    settle_and_retain(1, TEST_T0 + 5000, 1000);
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "31");
    settle_and_retain(2, TEST_T0 + 5001, 1000);
    settle_and_retain(3, TEST_T0 + 5002, 1000);
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "3");
}

/* ---- what goes wrong ---- */

static void keys_of_another_type_are_told(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_redis_do(&test_redis, "RENAME arda:delivery:acme:%s kept", test_id(1));
    test_redis_do(&test_redis, "SET arda:delivery:acme:%s x", test_id(1));
    struct arda_delivery_settlement settlement = test_good(got, TEST_T0);
    CHECK_INT(test_settle(&settlement), BASE_ERR_INTERNAL);
    CHECK(strstr(test_ended.why, "WRONGTYPE") && strstr(test_ended.why, "redis 127.0.0.1:"));
    test_redis_do(&test_redis, "RENAME kept arda:delivery:acme:%s", test_id(1));
    test_settle_well(&settlement, false);
    arda_delivery_free(got);
}

static void survives_every_failing_allocation(void)
{
    int refusals = 0;
    for (long n = 1; n < 20; n++) {
        test_redis_do(&test_redis, "FLUSHALL");
        test_put("acme", "email", 1, TEST_T0);
        struct arda_delivery *got = test_claim_one(TEST_T0);
        struct arda_delivery_settlement settlement = test_good(got, TEST_T0);
        test_ended = (struct test_end){0};
        base_mem_fail(n, 1);
        int result = arda_delivery_settle(test_bus.bus, &settlement, test_on_end, &test_ended);
        if (!result)
            RUN_UNTIL(test_ended.calls == 1);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        refusals += result != 0;
        RUN_UNTIL(arda_bus_is_up(test_bus.bus));
        bool done = test_ended.calls == 1 && test_ended.result == 0;
        test_settle_well(&settlement, done);
        CHECK_STR(test_field("acme", 1, "attemptCount"), "1");
        arda_delivery_free(got);
    }
    CHECK(refusals > 0);
}

static void names_of_states(void)
{
    enum arda_delivery_status status;
    for (int i = 0; i < ARDA_DELIVERY_STATUSES; i++) {
        const char *name = arda_delivery_status_name((enum arda_delivery_status)i);
        CHECK_INT(arda_delivery_status_find(name, strlen(name), &status), 0);
        CHECK_INT(status, i);
    }
    CHECK_INT(arda_delivery_status_find("sen", 3, &status), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_delivery_status_find("", 0, &status), BASE_ERR_NOTFOUND);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_delivery_start();
    RUN(a_good_end_is_written_down);
    RUN(one_that_is_tried_again_is_due_then);
    RUN(what_was_not_attempted_counts_as_none);
    RUN(the_latest_twenty_attempts_are_kept);
    RUN(texts_of_others_do_no_harm);
    RUN(a_late_good_end_counts);
    RUN(a_late_bad_end_does_not);
    RUN(an_end_that_is_told_twice_counts_once);
    RUN(an_end_of_what_is_gone_makes_nothing);
    RUN(old_records_go_with_all_that_is_theirs);
    RUN(many_old_records_go_bit_by_bit);
    RUN(keys_of_another_type_are_told);
    RUN(survives_every_failing_allocation);
    RUN(names_of_states);
    test_delivery_end();
    return test_end();
}
