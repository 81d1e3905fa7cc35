/* SPDX-License-Identifier: ISC */
#include "arda/delivery.h"
#include "base/id.h"
#include "lib/notify.h"

/* Times are arguments, so nothing here waits for one. */
#define NOW    1770552000000
#define LEASE  60000
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
#define URL    "http://a.example/"

static struct arda_delivery *got[300];
static size_t got_count;
static int64_t next_ms;
static int done_calls, done_result;
static struct arda_delivery_settled settled;

static void on_delivery(void *data, struct arda_delivery *delivery)
{
    (void)data;
    got[got_count++] = delivery;
}

static void on_claimed(void *data, int result, int64_t next, const struct base_why *why)
{
    (void)data;
    if (result)
        printf("# %s\n", why->text);
    done_result = result;
    next_ms = next;
    done_calls++;
}

static void on_settled(void *data, int result, const struct arda_delivery_settled *is,
                       const struct base_why *why)
{
    (void)data;
    if (result)
        printf("# %s\n", why->text);
    done_result = result;
    settled = *is;
    done_calls++;
}

static void forget(void)
{
    for (size_t i = 0; i < got_count; i++)
        arda_delivery_free(got[i]);
    got_count = 0;
}

static size_t claim_with(int64_t now_ms, uint32_t max, uint32_t per_lane,
                         const struct arda_delivery_share *shares, size_t count)
{
    const struct arda_delivery_claimer claimer = {on_delivery, on_claimed, NULL};
    char lease[BASE_UUID_LEN + 1];
    size_t before = got_count;
    CHECK_INT(base_id_uuid7(lease), 0);
    const struct arda_delivery_claim claim = {now_ms,   LEASE,  6,     max,
                                              per_lane, shares, count, lease};
    int calls = done_calls;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), 0);
    RUN_UNTIL(done_calls > calls);
    CHECK_INT(done_result, 0);
    return got_count - before;
}

static size_t claim(int64_t now_ms)
{
    return claim_with(now_ms, 100, 16, NULL, 0);
}

static void settle(const struct arda_delivery *delivery, enum arda_delivery_status status,
                   enum arda_endpoint_verdict verdict, int64_t now_ms, int64_t spare_ms)
{
    const struct arda_delivery_settlement settlement = {
        .delivery = delivery,
        .now_ms = now_ms,
        .status = status,
        .due_ms = now_ms,
        .attempted = true,
        .answer = 500,
        .text = "said \"no\"},{\"at\":",
        .endpoint = verdict,
        .spare_ms = spare_ms,
        .retain_ms = 1000000000000,
    };
    int calls = done_calls;
    CHECK_INT(arda_delivery_settle(test_bus.bus, &settlement, on_settled, NULL), 0);
    RUN_UNTIL(done_calls > calls);
    CHECK_INT(done_result, 0);
}

static void put(const char *channel, const char *id, int64_t due_ms)
{
    test_redis_do(&test_redis,
                  "HSET arda:delivery:acme:%s id %s tenantId acme userId ann channel %s type "
                  "po_created status pending attemptCount 0 notification {\"id\":\"%s\"} cause k1",
                  id, id, channel, id);
    test_redis_do(&test_redis, "ZADD arda:deliveries:acme %lld %s", (long long)due_ms, id);
    test_redis_do(&test_redis, "ZADD arda:due:acme:%s %lld %s", channel, (long long)due_ms, id);
    test_redis_do(&test_redis, "ZADD arda:due LT %lld acme:%s", (long long)due_ms, channel);
}

static void begin(void)
{
    forget();
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "HSET arda:webhook:acme url %s secret %s enabled 1", URL, SECRET);
    test_redis_do(&test_redis, "HSET arda:users:acme ann {\"active\":true}");
    test_redis_do(&test_redis, "SET arda:cause:acme:k1 {\"type\":\"x\"}");
}

static void check_field(const char *key, const char *field, const char *want)
{
    redisReply *reply = test_redis_ask(&test_redis, "HGET %s %s", key, field);
    CHECK_STR(reply->type == REDIS_REPLY_STRING ? reply->str : "(nil)", want);
    freeReplyObject(reply);
}

/* ---- claims ---- */

static void a_claim_brings_all_that_an_attempt_needs(void)
{
    begin();
    test_redis_do(&test_redis, "HSET arda:digest:acme *:* hourly ann:* daily@08:00");
    test_redis_do(&test_redis, "HSET arda:quiet:acme * 22:00-06:00");
    put("email", "e1", NOW);
    put("webhook", "w1", NOW + 1);
    CHECK_INT(claim(NOW - 1), 0);
    CHECK_INT(next_ms, NOW);
    CHECK_INT(claim(NOW + 1), 2);
    CHECK_STR(got[0]->id, "e1");
    CHECK_INT(got[0]->channel, ARDA_NOTIFY_EMAIL);
    CHECK_INT(got[0]->type, ARDA_NOTIFY_PO_CREATED);
    CHECK_INT(got[0]->created_ms, NOW);
    CHECK_STR(got[0]->digest.data, "daily@08:00");
    CHECK_STR(got[0]->quiet.data, "22:00-06:00");
    CHECK_STR(got[0]->person.data, "{\"active\":true}");
    CHECK_STR(got[1]->url.data, URL);
    CHECK_STR(got[1]->secret.data, SECRET);
    CHECK_STR(got[1]->previous_secret.data, "");
    CHECK_STR(got[1]->notification.data, "{\"id\":\"w1\"}");
    CHECK_STR(got[1]->cause.data, "{\"type\":\"x\"}");
    CHECK(got[1]->endpoint_enabled && !got[1]->probe && !got[1]->held);
}

static void two_claimers_never_get_the_same_until_the_lease_ends(void)
{
    begin();
    put("webhook", "w1", NOW);
    CHECK_INT(claim(NOW), 1);
    CHECK_INT(claim(NOW + LEASE - 1), 0);
    CHECK_INT(next_ms, NOW + LEASE);
    CHECK_INT(claim(NOW + LEASE), 1);
    /* The first one comes too late with a failure, and in time with a success. */
    settle(got[0], ARDA_DELIVERY_FAILED, ARDA_ENDPOINT_FAILING, NOW + LEASE, 0);
    CHECK(settled.late);
    check_field("arda:delivery:acme:w1", "status", "pending");
    CHECK_INT(test_count("EXISTS arda:endpoint:%s", "acme"), 0);
    settle(got[0], ARDA_DELIVERY_DELIVERED, ARDA_ENDPOINT_WELL, NOW + LEASE, 0);
    CHECK(settled.late);
    check_field("arda:delivery:acme:w1", "status", "delivered");
    settle(got[1], ARDA_DELIVERY_FAILED, ARDA_ENDPOINT_FAILING, NOW + LEASE, 0);
    CHECK(settled.late);
    check_field("arda:delivery:acme:w1", "status", "delivered");
    check_field("arda:delivery:acme:w1", "attemptCount", "1");
    CHECK_INT(test_count("EXISTS arda:%s", "due"), 0);
}

static void shares_bound_a_lane(void)
{
    const struct arda_delivery_share share = {"acme:webhook", 3};
    char id[16];
    begin();
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof id, "w%d", i);
        put("webhook", id, NOW + i);
    }
    CHECK_INT(claim_with(NOW + 100, 100, 3, &share, 1), 0);
    CHECK_INT(next_ms, -1);
    CHECK_INT(claim_with(NOW + 100, 100, 5, &share, 1), 2);
    CHECK_STR(got[0]->id, "w0");
    CHECK_INT(claim_with(NOW + 100, 1, 16, NULL, 0), 1);
    CHECK_INT(next_ms, NOW + 100); /* there is more */
}

static void attempts_are_kept_the_latest_twenty(void)
{
    begin();
    put("webhook", "w1", NOW);
    for (int i = 0; i < 25; i++) {
        CHECK_INT(claim(NOW + i), 1);
        settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_UNTOUCHED, NOW + i, 0);
        CHECK(!settled.late);
    }
    check_field("arda:delivery:acme:w1", "attemptCount", "25");
    check_field("arda:delivery:acme:w1", "lastError", "said \"no\"},{\"at\":");
    redisReply *reply = test_redis_ask(&test_redis, "HGET arda:delivery:acme:w1 attempts");
    struct base_json_value list, one, at;
    struct base_json_iter iter;
    int count = 0;
    CHECK_INT(base_json_check(reply->str, reply->len, &list, NULL), 0);
    base_json_iter_init(&iter, &list);
    while (base_json_iter_next(&iter, NULL, &one)) {
        struct base_json_member member = BASE_JSON_WANT("at");
        CHECK_INT(base_json_pick(one.text, one.len, &member, 1, NULL, NULL), 0);
        at = member.value;
        if (count++ == 0)
            CHECK(base_json_equals(&at, "2026-02-08T12:00:00.005Z", 24));
    }
    CHECK_INT(count, 20);
    freeReplyObject(reply);
}

/* ---- endpoints ---- */

/* An attempt at a moment, with that result; whether there was one. */
static bool attempt(int64_t now_ms, enum arda_endpoint_verdict verdict, int64_t spare_ms)
{
    if (claim(now_ms) == 0)
        return false;
    settle(got[got_count - 1], ARDA_DELIVERY_PENDING, verdict, now_ms, spare_ms);
    return true;
}

static void ten_failures_open_the_circuit_and_a_probe_closes_it(void)
{
    begin();
    put("webhook", "w1", NOW);
    put("webhook", "w2", NOW);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(claim_with(NOW, 1, 16, NULL, 0), 1);
        settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_FAILING, NOW, 0);
    }
    CHECK(!attempt(NOW + 59999, ARDA_ENDPOINT_WELL, 0));
    CHECK_INT(next_ms, NOW + 60000);
    CHECK_INT(claim(NOW + 60000), 1);
    CHECK(got[got_count - 1]->probe);
    CHECK_INT(claim(NOW + 60000), 0); /* one at a time */
    settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_FAILING, NOW + 60000, 0);
    CHECK(!attempt(NOW + 179999, ARDA_ENDPOINT_WELL, 0));
    CHECK(attempt(NOW + 180000, ARDA_ENDPOINT_WELL, 0));
    CHECK_INT(test_count("EXISTS arda:endpoint:%s", "acme"), 0);
    CHECK_INT(claim(NOW + 180000), 2);
    CHECK(!got[got_count - 1]->probe);
}

static void a_busy_endpoint_is_spared_and_recovers(void)
{
    begin();
    put("webhook", "w1", NOW);
    put("webhook", "w2", NOW);
    CHECK_INT(claim_with(NOW, 1, 16, NULL, 0), 1);
    settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_BUSY, NOW, 0);
    CHECK_INT(claim(NOW + 999), 0);
    CHECK_INT(claim(NOW + 1000), 1);
    settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_BUSY, NOW + 1000, 10000);
    CHECK_INT(claim(NOW + 10999), 0);
    CHECK(attempt(NOW + 11000, ARDA_ENDPOINT_WELL, 0));
    CHECK_INT(claim(NOW + 11000), 1); /* halved: still one at a time */
    settle(got[got_count - 1], ARDA_DELIVERY_PENDING, ARDA_ENDPOINT_WELL, NOW + 11000, 0);
    CHECK_INT(claim(NOW + 11000), 2);
}

static void gone_or_failing_for_five_days_disables(void)
{
    const int64_t days = 5 * 86400000LL;
    begin();
    put("webhook", "w1", NOW);
    CHECK(attempt(NOW, ARDA_ENDPOINT_FAILING, 0));
    CHECK(attempt(NOW + days - 1, ARDA_ENDPOINT_FAILING, 0));
    CHECK(!settled.disabled);
    CHECK(attempt(NOW + days, ARDA_ENDPOINT_FAILING, 0));
    CHECK(settled.disabled);
    check_field("arda:webhook:acme", "enabled", "0");
    check_field("arda:disabled", "acme", "1770984000000 it has been failing for five days");
    CHECK_INT(test_count("INCRBY arda:version:%s 0", "acme"), 1);
    CHECK_INT(claim(NOW + days), 1);
    CHECK(!got[got_count - 1]->endpoint_enabled);
    begin();
    put("webhook", "w1", NOW);
    CHECK_INT(claim(NOW), 1);
    /* What an old URL has said is not said of the new one. */
    test_redis_do(&test_redis, "HSET arda:webhook:acme url http://b.example/");
    settle(got[0], ARDA_DELIVERY_FAILED, ARDA_ENDPOINT_GONE, NOW, 0);
    CHECK(!settled.disabled);
    put("webhook", "w2", NOW);
    CHECK_INT(claim(NOW), 1);
    settle(got[1], ARDA_DELIVERY_FAILED, ARDA_ENDPOINT_GONE, NOW, 0);
    CHECK(settled.disabled);
    check_field("arda:endpoint:acme", "disabledWhy", "it has answered 410 Gone");
}

/* ---- holding and retention ---- */

static void hold(const struct arda_delivery *delivery, int64_t until_ms, const char *schedule,
                 const char *digest)
{
    int calls = done_calls;
    CHECK_INT(arda_delivery_hold(test_bus.bus, delivery, until_ms, schedule, digest, NOW,
                                 on_settled, NULL),
              0);
    RUN_UNTIL(done_calls > calls);
    CHECK_INT(done_result, 0);
}

static void a_digest_has_its_members_and_they_have_its_fate(void)
{
    const char *first = "00000000-0000-8000-8000-000000000001";
    const char *other = "00000000-0000-8000-8000-000000000002";
    begin();
    put("email", "e1", NOW);
    put("email", "e2", NOW + 1);
    put("email", "e3", NOW + 1);
    CHECK_INT(claim(NOW + 1), 3);
    hold(got[0], NOW + 5000, "hourly", first);
    hold(got[1], NOW + 5000, "hourly", other);
    hold(got[2], NOW + 100, NULL, NULL);
    CHECK_INT(claim(NOW + 99), 0);
    CHECK_INT(next_ms, NOW + 100);
    CHECK_INT(claim(NOW + 100), 1);
    CHECK_STR(got[3]->id, "e3");
    CHECK(got[3]->held);
    CHECK_INT(claim(NOW + 5000), 1);
    CHECK_STR(got[4]->id, first);
    CHECK_INT(got[4]->item_count, 2);
    CHECK_STR(got[4]->items[0].data, "{\"id\":\"e1\"}");
    CHECK_STR(got[4]->items[1].data, "{\"id\":\"e2\"}");
    CHECK_STR(got[4]->notification.data, "");
    CHECK_INT(test_count("EXISTS arda:digesting:acme:ann:%s", "hourly"), 0);
    check_field("arda:delivery:acme:e1", "status", "pending");
    settle(got[4], ARDA_DELIVERY_SENT, ARDA_ENDPOINT_UNTOUCHED, NOW + 5001, 0);
    check_field("arda:delivery:acme:e1", "status", "sent");
    check_field("arda:delivery:acme:e2", "status", "sent");
    check_field("arda:delivery:acme:e2", "deliveredAt", "2026-02-08T12:00:05.001Z");
}

static void old_records_go_and_pending_ones_stay(void)
{
    begin();
    put("webhook", "w1", 1);
    put("webhook", "w2", 2);
    put("webhook", "w3", NOW);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:w1 status failed");
    CHECK_INT(claim(NOW), 2);
    settle(got[1], ARDA_DELIVERY_DELIVERED, ARDA_ENDPOINT_WELL, NOW, 0);
    CHECK_INT(test_count("EXISTS arda:delivery:acme:%s", "w1"), 0);
    CHECK_INT(test_count("EXISTS arda:delivery:acme:%s", "w2"), 1);
    CHECK_INT(test_count("ZCARD arda:deliveries:%s", "acme"), 2);
}

static void a_release_is_due_again_without_an_attempt(void)
{
    begin();
    put("webhook", "w1", NOW);
    CHECK_INT(claim(NOW), 1);
    int calls = done_calls;
    CHECK_INT(arda_delivery_release(test_bus.bus, got[0], NOW + 5, on_settled, NULL), 0);
    RUN_UNTIL(done_calls > calls);
    CHECK_INT(claim(NOW + 4), 0);
    CHECK_INT(claim(NOW + 5), 1);
    CHECK_INT(got[1]->attempts, 0);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_step_start();
    RUN(a_claim_brings_all_that_an_attempt_needs);
    RUN(two_claimers_never_get_the_same_until_the_lease_ends);
    RUN(shares_bound_a_lane);
    RUN(attempts_are_kept_the_latest_twenty);
    RUN(ten_failures_open_the_circuit_and_a_probe_closes_it);
    RUN(a_busy_endpoint_is_spared_and_recovers);
    RUN(gone_or_failing_for_five_days_disables);
    RUN(a_digest_has_its_members_and_they_have_its_fate);
    RUN(old_records_go_and_pending_ones_stay);
    RUN(a_release_is_due_again_without_an_attempt);
    forget();
    test_step_end();
    return test_end();
}
