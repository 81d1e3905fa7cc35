/* SPDX-License-Identifier: ISC
 *
 * What attempts say of an endpoint, and what becomes of its deliveries then.
 */
#include "arda/directory.h"
#include "base/err.h"
#include "lib/delivery.h"

#define DAY_MS 86400000LL

static int next_number;

static void begin(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put_webhook("acme");
    next_number = 1;
}

static void put(int count, int64_t due_ms)
{
    for (int i = 0; i < count; i++)
        test_put("acme", "webhook", next_number++, due_ms);
}

/* Takes the only one that may go out. */
static void attempt(int64_t now_ms, enum arda_endpoint_verdict verdict, int64_t spare_ms)
{
    struct arda_delivery *got = test_claim_one(now_ms);
    struct arda_delivery_settlement settlement = test_bad(got, now_ms, now_ms);
    settlement.endpoint = verdict;
    settlement.spare_ms = spare_ms;
    if (verdict == ARDA_ENDPOINT_WELL)
        settlement = test_good(got, now_ms);
    test_settle_well(&settlement, false);
    arda_delivery_free(got);
}

/* Of one delivery, again and again. */
static void fail(int times, int64_t now_ms)
{
    for (int i = 0; i < times; i++)
        attempt(now_ms, ARDA_ENDPOINT_FAILING, 0);
}

/* ---- the circuit ---- */

static void ten_failures_in_a_row_open_the_circuit(void)
{
    begin();
    put(1, TEST_T0);
    fail(9, TEST_T0);
    CHECK_STR(test_endpoint("failures"), "9");
    CHECK_STR(test_endpoint("openUntil"), "(nil)");
    fail(1, TEST_T0 + 1);
    CHECK_STR(test_endpoint("failures"), "10");
    CHECK_STR(test_endpoint("openUntil"), "1770552060001");
    CHECK_STR(test_endpoint("openFor"), "60000");
    CHECK_STR(test_endpoint("failingSince"), "1770552000000");
    put(3, TEST_T0 + 2);
    CHECK_INT(test_claim_at(TEST_T0 + 60000), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + 60001);
}

static void a_success_between_them_begins_anew(void)
{
    begin();
    put(2, TEST_T0);
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.max = 1;
    CHECK_INT(test_claim_with(&claim), 1);
    struct arda_delivery *good = test_claimed.list[0];
    test_claimed.count = 0;
    struct arda_delivery_settlement settlement = test_good(good, TEST_T0);
    fail(9, TEST_T0);
    test_settle_well(&settlement, false);
    arda_delivery_free(good);
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
    fail(9, TEST_T0);
    CHECK_STR(test_endpoint("openUntil"), "(nil)");
}

static void half_open_lets_one_through_over_all_daemons(void)
{
    begin();
    put(1, TEST_T0);
    fail(10, TEST_T0);
    put(4, TEST_T0);
    struct arda_delivery *probe = test_claim_one(TEST_T0 + 60000);
    CHECK(probe->probe);
    CHECK_INT(test_claim_at(TEST_T0 + 60001), 0); /* of another daemon */
    CHECK_INT(test_claimed.next_ms, TEST_T0 + 60000 + TEST_LEASE);
    struct arda_delivery_settlement settlement = test_good(probe, TEST_T0 + 60002);
    test_settle_well(&settlement, false);
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
    arda_delivery_free(probe);
    CHECK_INT(test_claim_at(TEST_T0 + 60003), 4);
    CHECK(!test_claimed.list[0]->probe);
}

static void a_probe_that_fails_opens_it_for_twice_as_long_up_to_half_an_hour(void)
{
    static const long long pauses[] = {60000,  120000,  240000,  480000,
                                       960000, 1800000, 1800000, 1800000};
    int64_t now_ms = TEST_T0;
    begin();
    put(1, TEST_T0);
    fail(9, now_ms);
    for (size_t i = 0; i < 8; i++) {
        char until[32];
        fail(1, now_ms);
        snprintf(until, sizeof until, "%lld", (long long)now_ms + pauses[i]);
        CHECK_STR(test_endpoint("openUntil"), until);
        CHECK_INT(test_claim_at(now_ms + pauses[i] - 1), 0);
        now_ms += pauses[i];
    }
    attempt(now_ms, ARDA_ENDPOINT_WELL, 0);
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
}

/* The daemon that had it was killed. */
static void a_probe_that_is_lost_is_replaced(void)
{
    begin();
    put(1, TEST_T0);
    fail(10, TEST_T0);
    struct arda_delivery *lost = test_claim_one(TEST_T0 + 60000);
    CHECK_INT(test_claim_at(TEST_T0 + 60000 + TEST_LEASE - 1), 0);
    struct arda_delivery *next = test_claim_one(TEST_T0 + 60000 + TEST_LEASE);
    CHECK(next->probe && next->taken_over);
    arda_delivery_free(lost);
    arda_delivery_free(next);
}

static void a_probe_that_is_given_back_makes_room(void)
{
    begin();
    put(1, TEST_T0);
    fail(10, TEST_T0);
    struct arda_delivery *given = test_claim_one(TEST_T0 + 60000);
    test_release(given, TEST_T0 + 60000, false);
    struct arda_delivery *next = test_claim_one(TEST_T0 + 60000);
    CHECK(next->probe && !next->taken_over);
    arda_delivery_free(given);
    arda_delivery_free(next);
}

/* Fifteen were under way when the circuit opened. */
static void what_was_under_way_opens_it_no_longer(void)
{
    begin();
    put(16, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0), 16);
    for (size_t i = 0; i < 16; i++) {
        struct arda_delivery_settlement settlement =
            test_bad(test_claimed.list[i], TEST_T0 + (int64_t)i, TEST_T0 + 99999);
        test_settle_well(&settlement, false);
    }
    CHECK_STR(test_endpoint("failures"), "16");
    CHECK_STR(test_endpoint("openFor"), "60000");
    CHECK_STR(test_endpoint("openUntil"), "1770552060009");
}

static void each_failure_in_a_row_halves_the_share(void)
{
    static const size_t shares[] = {16, 8, 4, 2, 1, 1, 1};
    begin();
    put(20, TEST_T0);
    for (size_t i = 0; i < 7; i++) {
        CHECK_INT(test_claim_at(TEST_T0), shares[i]);
        struct test_claimed mine = test_claimed;
        test_claimed.count = 0;
        for (size_t k = 1; k < mine.count; k++)
            test_release(mine.list[k], TEST_T0, false);
        struct arda_delivery_settlement settlement = test_bad(mine.list[0], TEST_T0, TEST_T0);
        test_settle_well(&settlement, false);
        for (size_t k = 0; k < mine.count; k++)
            arda_delivery_free(mine.list[k]);
    }
}

static void e_mails_of_the_tenant_go_on(void)
{
    begin();
    put(1, TEST_T0);
    fail(10, TEST_T0);
    test_put("acme", "email", 99, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    CHECK_INT(got->channel, ARDA_NOTIFY_EMAIL);
    struct arda_delivery_settlement settlement = test_bad(got, TEST_T0, TEST_T0);
    test_settle_well(&settlement, false);
    CHECK_STR(test_endpoint("failures"), "10");
    arda_delivery_free(got);
}

/* ---- slowing down ---- */

static void each_request_for_fewer_doubles_the_pause_up_to_a_minute(void)
{
    static const long long pauses[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    int64_t now_ms = TEST_T0;
    begin();
    put(3, TEST_T0);
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.max = 1;
    CHECK_INT(test_claim_with(&claim), 1);
    struct arda_delivery_settlement settlement = test_bad(test_claimed.list[0], TEST_T0, TEST_T0);
    settlement.endpoint = ARDA_ENDPOINT_BUSY;
    test_settle_well(&settlement, false);
    for (size_t i = 0; i < 9; i++) {
        char pause[32];
        snprintf(pause, sizeof pause, "%lld", pauses[i]);
        CHECK_STR(test_endpoint("pause"), pause);
        CHECK_INT(test_claim_at(now_ms + pauses[i] - 1), 0);
        CHECK_INT(test_claimed.next_ms, now_ms + pauses[i]);
        now_ms += pauses[i];
        attempt(now_ms, ARDA_ENDPOINT_BUSY, 0); /* which takes one, although three are due */
    }
    CHECK_STR(test_endpoint("failures"), "(nil)");
}

static void each_success_halves_the_pause(void)
{
    begin();
    test_redis_do(&test_redis, "HSET arda:endpoint:acme pause 4000 spareUntil 1");
    put(6, TEST_T0);
    attempt(TEST_T0, ARDA_ENDPOINT_WELL, 0);
    CHECK_STR(test_endpoint("pause"), "2000");
    CHECK_STR(test_endpoint("spareUntil"), "(nil)");
    attempt(TEST_T0, ARDA_ENDPOINT_WELL, 0);
    CHECK_STR(test_endpoint("pause"), "1000");
    attempt(TEST_T0, ARDA_ENDPOINT_WELL, 0);
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
    CHECK_INT(test_claim_at(TEST_T0), 3);
}

static void retry_after_is_obeyed(void)
{
    begin();
    put(2, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0), 2);
    struct arda_delivery_settlement settlement = test_bad(test_claimed.list[0], TEST_T0, TEST_T0);
    settlement.endpoint = ARDA_ENDPOINT_BUSY;
    settlement.spare_ms = 300000;
    test_settle_well(&settlement, false);
    CHECK_STR(test_endpoint("spareUntil"), "1770552300000");
    CHECK_STR(test_endpoint("pause"), "1000");
    /* What was under way and is answered without it does not shorten that. */
    settlement = test_bad(test_claimed.list[1], TEST_T0 + 1, TEST_T0 + 1);
    settlement.endpoint = ARDA_ENDPOINT_BUSY;
    test_settle_well(&settlement, false);
    CHECK_STR(test_endpoint("spareUntil"), "1770552300000");
    CHECK_STR(test_endpoint("pause"), "1000");
    CHECK_INT(test_claim_at(TEST_T0 + 299999), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + 300000);
    CHECK_INT(test_claim_at(TEST_T0 + 300000), 1);
}

/* ---- the end of an endpoint ---- */

static struct {
    int notes, calls, result;
    char tenant[80], why[128];
    int64_t since_ms;
} alerts;

static void on_alert(void *data, const char *tenant, int64_t since_ms, const char *why)
{
    (void)data;
    alerts.notes++;
    alerts.since_ms = since_ms;
    snprintf(alerts.tenant, sizeof alerts.tenant, "%s", tenant);
    snprintf(alerts.why, sizeof alerts.why, "%s", why);
}

static void on_alerts(void *data, int result, const struct base_why *why)
{
    (void)data;
    alerts.calls++;
    alerts.result = result;
    CHECK(!result || why->text[0]);
}

static int ask_alerts(void)
{
    const struct arda_delivery_alerts ask = {on_alert, on_alerts, NULL};
    memset(&alerts, 0, sizeof alerts);
    CHECK_INT(arda_delivery_alerts(test_bus.bus, &ask), 0);
    RUN_UNTIL(alerts.calls == 1);
    return alerts.notes;
}

static void check_disabled(const char *why)
{
    CHECK(test_ended.settled.disabled);
    CHECK_STR(test_text("HGET arda:webhook:acme enabled"), "0");
    CHECK_STR(test_text("GET arda:version:acme"), "1");
    CHECK_STR(test_endpoint("disabledWhy"), why);
    CHECK_INT(ask_alerts(), 1);
    CHECK_INT(alerts.result, 0);
    CHECK_STR(alerts.tenant, "acme");
    CHECK_STR(alerts.why, why);
}

static void an_endpoint_that_is_gone_is_disabled(void)
{
    begin();
    put(2, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0), 2);
    for (size_t i = 0; i < 2; i++) {
        struct arda_delivery_settlement settlement =
            test_bad(test_claimed.list[i], TEST_T0 + (int64_t)i, 0);
        settlement.status = ARDA_DELIVERY_FAILED;
        settlement.endpoint = ARDA_ENDPOINT_GONE;
        test_settle_well(&settlement, false);
        CHECK_INT(test_ended.settled.disabled, i == 0);
        if (i == 0)
            check_disabled("it has answered 410 Gone");
    }
    CHECK_INT(ask_alerts(), 1);
    CHECK_INT(alerts.since_ms, TEST_T0);
    CHECK_STR(test_endpoint("disabledAt"), "2026-02-08T12:00:00.000Z");
    /* What waits is given, for somebody to say why it fails. */
    put(1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0 + 10);
    CHECK(!got->endpoint_enabled && got->url.len > 0);
    arda_delivery_free(got);
}

static void five_days_of_failure_disable_it(void)
{
    begin();
    put(1, TEST_T0);
    fail(1, TEST_T0);
    fail(1, TEST_T0 + 5 * DAY_MS - 1);
    CHECK_STR(test_text("HGET arda:webhook:acme enabled"), "1");
    fail(1, TEST_T0 + 5 * DAY_MS);
    check_disabled("it has been failing for five days");
}

static void so_do_five_days_of_being_busy(void)
{
    begin();
    put(1, TEST_T0);
    attempt(TEST_T0, ARDA_ENDPOINT_BUSY, 0);
    attempt(TEST_T0 + 5 * DAY_MS, ARDA_ENDPOINT_BUSY, 0);
    check_disabled("it has been failing for five days");
}

static void a_success_within_them_saves_it(void)
{
    begin();
    put(2, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0), 2);
    struct arda_delivery_settlement settlement = test_bad(test_claimed.list[0], TEST_T0, TEST_T0);
    test_settle_well(&settlement, false);
    settlement = test_good(test_claimed.list[1], TEST_T0 + 4 * DAY_MS);
    test_settle_well(&settlement, false);
    fail(1, TEST_T0 + 6 * DAY_MS);
    CHECK_STR(test_text("HGET arda:webhook:acme enabled"), "1");
    CHECK_INT(ask_alerts(), 0);
}

static void a_note_goes_when_its_tenant_was_told(void)
{
    begin();
    test_redis_do(&test_redis, "HSET arda:disabled acme %s globex %s bad nonsense", "17 it is gone",
                  "5");
    CHECK_INT(ask_alerts(), 2);
    CHECK_INT(arda_delivery_alerted(test_bus.bus, "acme", 16), 0); /* of another time */
    CHECK_INT(ask_alerts(), 2);
    CHECK_INT(arda_delivery_alerted(test_bus.bus, "acme", 17), 0);
    CHECK_INT(arda_delivery_alerted(test_bus.bus, "globex", 5), 0);
    CHECK_INT(ask_alerts(), 0);
    test_redis_do(&test_redis, "DEL arda:disabled");
    test_redis_do(&test_redis, "SET arda:disabled x");
    CHECK_INT(ask_alerts(), 0);
    CHECK_INT(alerts.result, BASE_ERR_INTERNAL);
}

/* ---- what is not said of this endpoint ---- */

static void what_is_said_of_another_url_is_not_believed(void)
{
    begin();
    put(1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_redis_do(&test_redis, "HSET arda:webhook:acme url https://new.example/");
    struct arda_delivery_settlement settlement = test_bad(got, TEST_T0, TEST_T0);
    settlement.endpoint = ARDA_ENDPOINT_GONE;
    test_settle_well(&settlement, false);
    CHECK(!test_ended.settled.disabled);
    CHECK_STR(test_text("HGET arda:webhook:acme enabled"), "1");
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
    arda_delivery_free(got);
}

static void what_was_not_asked_says_nothing(void)
{
    begin();
    put(1, TEST_T0);
    attempt(TEST_T0, ARDA_ENDPOINT_UNTOUCHED, 0);
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
}

/* ---- the directory ---- */

static int changes;

static void on_change(void *data, int result, const struct base_why *why)
{
    (void)data;
    (void)why;
    CHECK_INT(result, 0);
    changes++;
}

static void change(const char *text)
{
    struct arda_directory_line line = {0};
    struct base_why why = {0, ""};
    changes = 0;
    CHECK_INT(arda_directory_line_parse(text, strlen(text), &line, &why), 0);
    CHECK_STR(why.text, "");
    CHECK_INT(arda_directory_put(test_bus.bus, &line, on_change, NULL), 0);
    RUN_UNTIL(changes == 1);
    arda_directory_line_fini(&line);
}

static void a_change_of_the_webhook_forgets_how_it_did(void)
{
    begin();
    put(1, TEST_T0);
    fail(10, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0 + 1), 0);
    change("{\"kind\":\"user\",\"tenantId\":\"acme\",\"userId\":\"bob\",\"active\":true}");
    CHECK_STR(test_endpoint("failures"), "10");
    change("{\"kind\":\"webhook\",\"tenantId\":\"acme\",\"url\":\"" TEST_URL
           "\",\"secret\":\"" TEST_SECRET "\",\"enabled\":true}");
    CHECK_STR(test_text("EXISTS arda:endpoint:acme"), "0");
    /* What waited for the circuit does not any more. */
    CHECK_INT(test_claim_at(TEST_T0 + 2), 1);
    CHECK(!test_claimed.list[0]->probe);
    CHECK(strcmp(test_text("ZSCORE arda:due acme:webhook"), "0") != 0);
}

static void a_change_makes_no_lane_where_nothing_waits(void)
{
    begin();
    change("{\"kind\":\"webhook\",\"tenantId\":\"acme\",\"url\":\"" TEST_URL
           "\",\"secret\":\"" TEST_SECRET "\"}");
    CHECK_STR(test_text("EXISTS arda:due"), "0");
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_delivery_start();
    RUN(ten_failures_in_a_row_open_the_circuit);
    RUN(a_success_between_them_begins_anew);
    RUN(half_open_lets_one_through_over_all_daemons);
    RUN(a_probe_that_fails_opens_it_for_twice_as_long_up_to_half_an_hour);
    RUN(a_probe_that_is_lost_is_replaced);
    RUN(a_probe_that_is_given_back_makes_room);
    RUN(what_was_under_way_opens_it_no_longer);
    RUN(each_failure_in_a_row_halves_the_share);
    RUN(e_mails_of_the_tenant_go_on);
    RUN(each_request_for_fewer_doubles_the_pause_up_to_a_minute);
    RUN(each_success_halves_the_pause);
    RUN(retry_after_is_obeyed);
    RUN(an_endpoint_that_is_gone_is_disabled);
    RUN(five_days_of_failure_disable_it);
    RUN(so_do_five_days_of_being_busy);
    RUN(a_success_within_them_saves_it);
    RUN(a_note_goes_when_its_tenant_was_told);
    RUN(what_is_said_of_another_url_is_not_believed);
    RUN(what_was_not_asked_says_nothing);
    RUN(a_change_of_the_webhook_forgets_how_it_did);
    RUN(a_change_makes_no_lane_where_nothing_waits);
    test_delivery_end();
    return test_end();
}
