/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "base/mem.h"
#include "lib/delivery.h"

/* ---- what a claim gives ---- */

static void all_that_an_attempt_needs(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put_webhook("acme");
    test_redis_do(&test_redis, "HSET arda:webhook:acme previousSecret whsec_old");
    test_redis_do(&test_redis, "HSET arda:users:acme ann %s", "{\"email\":\"ann@acme.example\"}");
    test_redis_do(&test_redis, "SET arda:cause:acme:k1 %s", "{\"type\":\"x\"}");
    test_put("acme", "webhook", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    CHECK_STR(got->tenant, "acme");
    CHECK_STR(got->user, "ann");
    CHECK_STR(got->id, test_id(1));
    CHECK_INT(got->channel, ARDA_NOTIFY_WEBHOOK);
    CHECK_INT(got->type, ARDA_NOTIFY_PO_CREATED);
    CHECK_INT(got->attempts, 0);
    CHECK_INT(got->created_ms, TEST_T0);
    CHECK(!got->held && !got->probe && !got->taken_over && got->endpoint_enabled);
    CHECK_STR(got->notification.data, "{\"id\":\"n\"}");
    CHECK_STR(got->cause.data, "{\"type\":\"x\"}");
    CHECK_STR(got->person.data, "{\"email\":\"ann@acme.example\"}");
    CHECK_STR(got->url.data, TEST_URL);
    CHECK_STR(got->secret.data, TEST_SECRET);
    CHECK_STR(got->previous_secret.data, "whsec_old");
    CHECK_INT(got->digest.len + got->quiet.len + got->item_count, 0);
    CHECK_STR(test_field("acme", 1, "lease"), got->lease);
    arda_delivery_free(got);
}

static void check_email(const char *digest, const char *quiet)
{
    struct arda_delivery *got = test_claim_one(TEST_T0);
    CHECK_STR(got->digest.data, digest);
    CHECK_STR(got->quiet.data, quiet);
    CHECK_INT(got->url.len, 0);
    test_release(got, TEST_T0, false);
    arda_delivery_free(got);
}

static void the_entry_of_the_person_counts_before_those_for_all(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    check_email("", "");
    test_redis_do(&test_redis, "HSET arda:digest:acme *:* d1 bob:* no ann:po_sent no");
    test_redis_do(&test_redis, "HSET arda:quiet:acme * q1 bob no");
    check_email("d1", "q1");
    test_redis_do(&test_redis, "HSET arda:digest:acme *:po_created d2");
    test_redis_do(&test_redis, "HSET arda:quiet:acme ann q2");
    check_email("d2", "q2");
    test_redis_do(&test_redis, "HSET arda:digest:acme ann:* d3");
    check_email("d3", "q2");
    test_redis_do(&test_redis, "HSET arda:digest:acme ann:po_created d4");
    check_email("d4", "q2");
}

static void what_redis_does_not_have_is_empty(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s status pending type of_tomorrow",
                  test_id(1));
    test_redis_do(&test_redis, "ZADD arda:due:acme:webhook 1 %s", test_id(1));
    test_redis_do(&test_redis, "ZADD arda:due 1 acme:webhook");
    struct arda_delivery *got = test_claim_one(TEST_T0);
    CHECK_INT(got->type, ARDA_NOTIFY_SYSTEM_ALERT);
    CHECK(!got->endpoint_enabled);
    CHECK_STR(got->user, "");
    CHECK_INT(got->created_ms, 0);
    CHECK_INT(got->notification.len + got->cause.len + got->person.len + got->url.len, 0);
    arda_delivery_free(got);
}

/* ---- leases ---- */

static void nobody_gets_what_another_has_until_the_lease_ends(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    CHECK_INT(test_claim_at(TEST_T0 - 1), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0);
    struct arda_delivery *first = test_claim_one(TEST_T0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + TEST_LEASE);
    CHECK_INT(test_claim_at(TEST_T0 + TEST_LEASE - 1), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + TEST_LEASE);
    struct arda_delivery *second = test_claim_one(TEST_T0 + TEST_LEASE);
    CHECK(!first->taken_over && second->taken_over);
    CHECK(strcmp(first->lease, second->lease) != 0);
    CHECK_STR(test_field("acme", 1, "lease"), second->lease);
    test_release(first, TEST_T0, true);
    CHECK_INT(test_claim_at(TEST_T0 + TEST_LEASE), 0);
    test_release(second, TEST_T0 + TEST_LEASE, false);
    CHECK_STR(test_field("acme", 1, "lease"), "(nil)");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "2026-02-08T12:01:00.000Z");
    struct arda_delivery *third = test_claim_one(TEST_T0 + TEST_LEASE);
    CHECK(!third->taken_over);
    arda_delivery_free(first);
    arda_delivery_free(second);
    arda_delivery_free(third);
}

/* Two claims are on their way at a time. */
static void two_never_get_the_same(void)
{
    struct test_claimed other = {0};
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 0; i < 40; i++)
        test_put(i % 2 ? "acme" : "globex", "email", i, TEST_T0 + i);
    struct arda_delivery_claim claim = test_claim(TEST_T0 + 100);
    const struct arda_delivery_claimer mine = {test_on_delivery, test_on_claimed, &test_claimed};
    const struct arda_delivery_claimer theirs = {test_on_delivery, test_on_claimed, &other};
    test_forget();
    claim.per_lane = 12;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &mine), 0);
    claim.lease = test_new_lease();
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &theirs), 0);
    RUN_UNTIL(test_claimed.calls == 1 && other.calls == 1);
    CHECK_INT(test_claimed.count, 24);
    CHECK_INT(other.count, 16);
    for (size_t i = 0; i < other.count; i++)
        for (size_t k = 0; k < test_claimed.count; k++)
            CHECK(strcmp(other.list[i]->id, test_claimed.list[k]->id) != 0);
    for (size_t i = 0; i < other.count; i++)
        arda_delivery_free(other.list[i]);
}

static void what_is_over_or_gone_is_passed_by(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 1; i <= 3; i++)
        test_put("acme", "email", i, TEST_T0 + i);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s status sent", test_id(1));
    test_redis_do(&test_redis, "DEL arda:delivery:acme:%s", test_id(2));
    struct arda_delivery *got = test_claim_one(TEST_T0 + 10);
    CHECK_STR(got->id, test_id(3));
    CHECK_STR(test_text("ZCARD arda:due:acme:email"), "1");
    arda_delivery_free(got);
}

/* ---- lanes, shares, order ---- */

static void the_oldest_come_first_and_lanes_by_their_oldest(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("late", "email", 1, TEST_T0 + 50);
    test_put("acme", "email", 4, TEST_T0 + 40);
    test_put("acme", "email", 2, TEST_T0 + 10);
    test_put("acme", "email", 3, TEST_T0 + 20);
    CHECK_INT(test_claim_at(TEST_T0 + 100), 4);
    static const int want[] = {2, 3, 4, 1};
    for (size_t i = 0; i < 4; i++)
        CHECK_STR(test_claimed.list[i]->id, test_id(want[i]));
}

static void no_more_than_asked_for(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 0; i < 30; i++)
        test_put(i < 20 ? "acme" : "globex", "email", i, TEST_T0 + i);
    struct arda_delivery_claim claim = test_claim(TEST_T0 + 100);
    claim.max = 7;
    claim.per_lane = 5;
    CHECK_INT(test_claim_with(&claim), 7);
    CHECK_INT(test_claimed.next_ms, claim.now_ms); /* there may be more */
    for (size_t i = 0; i < 7; i++)
        CHECK_STR(test_claimed.list[i]->tenant, i < 5 ? "acme" : "globex");
    CHECK_STR(test_text("ZSCORE arda:due acme:email"), "1770552000005");
}

static void what_is_in_flight_counts_for_the_lane(void)
{
    const struct arda_delivery_share shares[] = {{"acme:email", 4}, {"globex:email", 5}};
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 0; i < 20; i++)
        test_put(i % 2 ? "acme" : "globex", "email", i, TEST_T0 + i);
    struct arda_delivery_claim claim = test_claim(TEST_T0 + 100);
    claim.per_lane = 5;
    claim.shares = shares;
    claim.share_count = 2;
    CHECK_INT(test_claim_with(&claim), 1);
    CHECK_STR(test_claimed.list[0]->tenant, "acme");
    CHECK(test_claimed.next_ms != claim.now_ms); /* not at once, it would be in vain */
}

static void only_the_channels_that_are_asked_for(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    test_put("acme", "webhook", 2, TEST_T0);
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.channels = ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
    CHECK_INT(test_claim_with(&claim), 1);
    CHECK_STR(test_claimed.list[0]->id, test_id(2));
}

/* Lanes of a channel that is not asked for, all due before, as of a day without a relay. */
static void many_lanes_of_other_channels_hold_up_nobody(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "EVAL %s 0",
                  "for i = 1, 4500 do redis.call('ZADD', 'arda:due', i, 't' .. i .. ':email') end");
    test_put("acme", "webhook", 1, TEST_T0);
    test_put("globex", "webhook", 2, TEST_T0);
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.channels = ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
    CHECK_INT(test_claim_with(&claim), 2);
}

/* ---- who attends to what ---- */

static size_t claim_webhooks(int64_t patience_ms)
{
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.channels = ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
    claim.patience_ms = patience_ms;
    return test_claim_with(&claim);
}

static void attend(unsigned channels, const char *why)
{
    const struct arda_delivery_attendance attendance = {
        .name = "a-daemon", .channels = channels, .why_left = {[ARDA_NOTIFY_EMAIL] = why}};
    CHECK_INT(arda_delivery_attend(test_bus.bus, &attendance), 0);
    RUN_UNTIL(strcmp(test_text("EXISTS arda:%s:email", why ? "left" : "attended"), "1") == 0);
}

static void what_nobody_attends_to_is_given_up_in_the_end(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0 - 5000);
    test_put("acme", "email", 2, TEST_T0 - 4999);
    test_put("globex", "email", 3, TEST_T0 - 9000);
    CHECK_INT(claim_webhooks(0), 0);
    CHECK_INT(claim_webhooks(9001), 0);
    attend(ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL), NULL);
    CHECK_INT(claim_webhooks(5000), 0);
    CHECK_STR(test_text("GET arda:attended:email"), "a-daemon");
    long long left_ms = strtoll(test_text("PTTL arda:attended:email"), NULL, 10);
    CHECK(left_ms > 0 && left_ms <= ARDA_DELIVERY_ATTENDED_MS);
    test_redis_do(&test_redis, "DEL arda:attended:email");
    CHECK_INT(claim_webhooks(5000), 2);
    CHECK_STR(test_claimed.list[0]->id, test_id(3));
    CHECK_STR(test_claimed.list[1]->id, test_id(1));
    CHECK(test_claimed.list[0]->unattended && test_claimed.list[1]->unattended);
    CHECK_INT(claim_webhooks(5000), 0);
    CHECK_INT(test_claim_at(TEST_T0), 1);
    CHECK(!test_claimed.list[0]->unattended);
}

static void why_a_channel_is_left_is_kept(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    attend(ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK), "no relay");
    CHECK_STR(test_text("GET arda:left:email"), "no relay");
    CHECK_STR(test_text("GET arda:attended:webhook"), "a-daemon");
    CHECK_STR(test_text("EXISTS arda:attended:email arda:left:webhook"), "0");
}

static void nothing_is_due_in_an_empty_redis(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    CHECK_INT(test_claim_at(TEST_T0), 0);
    CHECK_INT(test_claimed.next_ms, -1);
}

/* ---- how it stands ---- */

static struct arda_delivery_counts counts;
static int counted;

static void on_counts(void *data, int result, const struct arda_delivery_counts *got)
{
    (void)data;
    CHECK_INT(result, 0);
    counts = *got;
    counted++;
}

static void count_at(int64_t now_ms)
{
    counted = 0;
    CHECK_INT(arda_delivery_count(test_bus.bus, now_ms, on_counts, NULL), 0);
    RUN_UNTIL(counted == 1);
}

static void what_waits_is_counted(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    count_at(TEST_T0);
    CHECK(counts.pending == 0 && counts.circuits == 0 && counts.oldest_ms == -1);
    test_put("acme", "email", 1, TEST_T0);
    test_put("acme", "webhook", 2, TEST_T0 - 10);
    test_put("globex", "email", 3, TEST_T0 + 10);
    count_at(TEST_T0);
    CHECK(counts.pending == 3 && counts.circuits == 0 && counts.oldest_ms == TEST_T0 - 10);
    test_redis_do(&test_redis, "HSET arda:endpoint:acme openUntil %lld", TEST_T0 + 1LL);
    count_at(TEST_T0);
    CHECK(counts.pending == 3 && counts.circuits == 1 && counts.oldest_ms == TEST_T0);
    count_at(TEST_T0 + 1); /* half open: one may go out */
    CHECK(counts.circuits == 0 && counts.oldest_ms == TEST_T0 - 10);
    test_redis_do(&test_redis, "SET arda:due:globex:email x");
    test_redis_do(&test_redis, "DEL arda:endpoint:acme");
    test_redis_do(&test_redis, "SET arda:endpoint:acme x");
    count_at(TEST_T0);
    CHECK(counts.pending == 2 && counts.oldest_ms == TEST_T0 - 10);
}

static bool unattended(enum arda_notify_channel channel, uint64_t due, int64_t oldest_ms)
{
    return counts.unattended[channel].due == due &&
           counts.unattended[channel].oldest_ms == oldest_ms;
}

static void what_nobody_attends_to_is_counted(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0 - 20);
    test_put("acme", "email", 2, TEST_T0 + 1);
    test_put("globex", "email", 3, TEST_T0 - 10);
    test_put("acme", "webhook", 4, TEST_T0 - 5);
    count_at(TEST_T0);
    CHECK(unattended(ARDA_NOTIFY_EMAIL, 2, TEST_T0 - 20));
    CHECK(unattended(ARDA_NOTIFY_WEBHOOK, 1, TEST_T0 - 5));
    attend(ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL), NULL);
    count_at(TEST_T0);
    CHECK(unattended(ARDA_NOTIFY_EMAIL, 0, -1));
    CHECK(unattended(ARDA_NOTIFY_WEBHOOK, 1, TEST_T0 - 5));
}

/* ---- what goes wrong ---- */

static void a_key_of_another_type_holds_up_nobody_else(void)
{
    static const char *const keys[] = {"arda:endpoint:acme", "arda:due:acme:webhook",
                                       "arda:webhook:acme", "arda:users:acme"};
    for (size_t i = 0; i < 4; i++) {
        test_redis_do(&test_redis, "FLUSHALL");
        test_put("acme", "webhook", 1, TEST_T0);
        test_put("globex", "webhook", 2, TEST_T0 + 1);
        test_redis_do(&test_redis, "DEL %s", keys[i]);
        if (i != 2)
            test_put_webhook("acme");
        test_redis_do(&test_redis, "SET %s x", keys[i]);
        struct arda_delivery_claim claim = test_claim(TEST_T0 + 10);
        CHECK_INT(test_claim_with(&claim), 1);
        CHECK_STR(test_claimed.list[0]->id, test_id(2));
        CHECK_INT(test_claimed.result, BASE_ERR_INTERNAL);
        CHECK(strstr(test_claimed.why, "of acme: WRONGTYPE") != NULL);
        /* It is looked at again, but not at once. */
        CHECK_INT(test_claim_at(TEST_T0 + 11), 0);
        CHECK(strtod(test_text("ZSCORE arda:due acme:webhook"), NULL) == TEST_T0 + 10 + TEST_LEASE);
    }
}

static void a_record_of_another_type_holds_up_nobody_in_its_lane(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    test_put("acme", "email", 2, TEST_T0 + 1);
    test_redis_do(&test_redis, "DEL arda:delivery:acme:%s", test_id(1));
    test_redis_do(&test_redis, "SET arda:delivery:acme:%s x", test_id(1));
    struct arda_delivery_claim claim = test_claim(TEST_T0 + 10);
    CHECK_INT(test_claim_with(&claim), 1);
    CHECK_STR(test_claimed.list[0]->id, test_id(2));
    CHECK_INT(test_claimed.result, BASE_ERR_INTERNAL);
    CHECK(strstr(test_claimed.why, test_id(1)) && strstr(test_claimed.why, "WRONGTYPE"));
    CHECK_STR(test_text("ZCARD arda:due:acme:email"), "2");
}

static void a_delivery_that_makes_no_sense_is_told(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    test_put("acme", "email", 2, TEST_T0 + 1);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s userId %0300d", test_id(1), 1);
    struct arda_delivery_claim claim = test_claim(TEST_T0 + 10);
    CHECK_INT(test_claim_with(&claim), 1);
    CHECK_INT(test_claimed.result, BASE_ERR_INTERNAL);
    CHECK_STR(test_claimed.why, "a delivery makes no sense");
}

static void scripts_that_were_forgotten_are_sent_again(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    test_release(got, TEST_T0, false);
    arda_delivery_free(got);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    count_at(TEST_T0);
    got = test_claim_one(TEST_T0);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    struct arda_delivery_settlement settlement = test_good(got, TEST_T0);
    test_settle_well(&settlement, false);
    arda_delivery_free(got);
}

static void while_redis_is_away_nothing_is_called_back(void)
{
    const struct arda_delivery_claimer claimer = {test_on_delivery, test_on_claimed, &test_claimed};
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_redis_stop(&test_redis);
    RUN_UNTIL(!arda_bus_is_up(test_bus.bus));
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    struct arda_delivery_settlement settlement = test_good(got, TEST_T0);
    test_forget();
    test_ended = (struct test_end){0};
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_delivery_settle(test_bus.bus, &settlement, test_on_end, &test_ended),
              BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_delivery_release(test_bus.bus, got, TEST_T0, test_on_end, &test_ended),
              BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_delivery_count(test_bus.bus, TEST_T0, on_counts, NULL), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_delivery_alerted(test_bus.bus, "acme", TEST_T0), BASE_ERR_UNAVAILABLE);
    test_redis_start(&test_redis);
    RUN_UNTIL(arda_bus_is_up(test_bus.bus));
    CHECK_INT(test_claimed.calls + test_ended.calls, 0);
    arda_delivery_free(got);
}

static void arguments_that_make_no_sense_are_refused(void)
{
    const struct arda_delivery_claimer claimer = {test_on_delivery, test_on_claimed, &test_claimed};
    test_forget();
    struct arda_delivery_claim claim = test_claim(TEST_T0);
    claim.lease = "short";
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_INVALID);
    claim = test_claim(TEST_T0);
    claim.lease_ms = 0;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_INVALID);
    claim = test_claim(TEST_T0);
    claim.max = 0;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_INVALID);
    claim = test_claim(TEST_T0);
    claim.per_lane = 0;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_INVALID);
    claim = test_claim(TEST_T0);
    claim.share_count = ARDA_DELIVERY_SHARES_MAX + 1;
    CHECK_INT(arda_delivery_claim(test_bus.bus, &claim, &claimer), BASE_ERR_LIMIT);
    CHECK_INT(test_claimed.calls, 0);
}

/* What could not be given is due again when its lease ends. */
static void survives_every_failing_allocation(void)
{
    const struct arda_delivery_claimer claimer = {test_on_delivery, test_on_claimed, &test_claimed};
    int refusals = 0, ends = 0;
    for (long n = 1; n < 20; n++) {
        test_redis_do(&test_redis, "FLUSHALL");
        test_put("acme", "email", 1, TEST_T0);
        test_forget();
        struct arda_delivery_claim claim = test_claim(TEST_T0);
        base_mem_fail(n, 1);
        int result = arda_delivery_claim(test_bus.bus, &claim, &claimer);
        if (!result)
            RUN_UNTIL(test_claimed.calls == 1);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        refusals += result != 0;
        ends += !result && test_claimed.result != 0;
        RUN_UNTIL(arda_bus_is_up(test_bus.bus));
        arda_delivery_free(test_claimed.count ? NULL : test_claim_one(TEST_T0 + TEST_LEASE));
    }
    CHECK(refusals > 0);
    CHECK(ends > 0);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_delivery_start();
    RUN(all_that_an_attempt_needs);
    RUN(the_entry_of_the_person_counts_before_those_for_all);
    RUN(what_redis_does_not_have_is_empty);
    RUN(nobody_gets_what_another_has_until_the_lease_ends);
    RUN(two_never_get_the_same);
    RUN(what_is_over_or_gone_is_passed_by);
    RUN(the_oldest_come_first_and_lanes_by_their_oldest);
    RUN(no_more_than_asked_for);
    RUN(what_is_in_flight_counts_for_the_lane);
    RUN(only_the_channels_that_are_asked_for);
    RUN(many_lanes_of_other_channels_hold_up_nobody);
    RUN(what_nobody_attends_to_is_given_up_in_the_end);
    RUN(why_a_channel_is_left_is_kept);
    RUN(nothing_is_due_in_an_empty_redis);
    RUN(what_waits_is_counted);
    RUN(what_nobody_attends_to_is_counted);
    RUN(a_key_of_another_type_holds_up_nobody_else);
    RUN(a_record_of_another_type_holds_up_nobody_in_its_lane);
    RUN(a_delivery_that_makes_no_sense_is_told);
    RUN(scripts_that_were_forgotten_are_sent_again);
    RUN(while_redis_is_away_nothing_is_called_back);
    RUN(arguments_that_make_no_sense_are_refused);
    RUN(survives_every_failing_allocation);
    test_delivery_end();
    return test_end();
}
