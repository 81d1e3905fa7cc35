/* SPDX-License-Identifier: ISC
 *
 * Deliveries that are given back or put off, and digests with the fate of their members.
 */
#include "base/err.h"
#include "lib/delivery.h"

#define LATER (TEST_T0 + 3600000)

static int begin_hold(const struct arda_delivery *delivery, const char *schedule, const char *id,
                      int64_t until_ms)
{
    test_ended = (struct test_end){0};
    return arda_delivery_hold(test_bus.bus, delivery, until_ms, schedule, id, TEST_T0, test_on_end,
                              &test_ended);
}

static void hold(const struct arda_delivery *delivery, const char *schedule, const char *id,
                 bool late)
{
    CHECK_INT(begin_hold(delivery, schedule, id, LATER), 0);
    RUN_UNTIL(test_ended.calls == 1);
    CHECK_INT(test_ended.result, 0);
    CHECK_STR(test_ended.why, "");
    CHECK_INT(test_ended.settled.late, late);
}

/* Puts one into the open digest of a schedule, else into a new one. */
static void collect(int number, const char *schedule, int digest)
{
    test_put("acme", "email", number, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    hold(got, schedule, test_id(digest), false);
    arda_delivery_free(got);
}

/* ---- giving back and putting off ---- */

static void what_is_given_back_is_anybodys(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    test_release(got, TEST_T0 + 5, false);
    CHECK_STR(test_field("acme", 1, "attemptCount"), "0");
    CHECK_STR(test_field("acme", 1, "status"), "pending");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "2026-02-08T12:00:00.005Z");
    CHECK_INT(test_claim_at(TEST_T0 + 4), 0);
    CHECK_INT(test_claimed.next_ms, TEST_T0 + 5);
    test_release(got, TEST_T0 + 9, true); /* told twice */
    CHECK_INT(test_claim_at(TEST_T0 + 5), 1);
    arda_delivery_free(got);
}

static void quiet_hours_put_one_off(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *got = test_claim_one(TEST_T0);
    hold(got, NULL, NULL, false);
    CHECK_STR(test_field("acme", 1, "heldUntil"), "2026-02-08T13:00:00.000Z");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "2026-02-08T13:00:00.000Z");
    CHECK_STR(test_field("acme", 1, "lease"), "(nil)");
    CHECK_STR(test_field("acme", 1, "digestId"), "(nil)");
    hold(got, NULL, NULL, true);
    CHECK_INT(test_claim_at(LATER - 1), 0);
    CHECK_INT(test_claimed.next_ms, LATER);
    arda_delivery_free(got);
    got = test_claim_one(LATER + 86400000); /* nobody was there at its moment */
    CHECK(got->held);
    CHECK_INT(got->item_count, 0);
    CHECK_STR(got->notification.data, "{\"id\":\"n\"}");
    arda_delivery_free(got);
}

/* ---- digests ---- */

static void a_digest_collects_until_it_is_claimed(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    collect(2, "hourly", 102);
    CHECK_STR(test_field("acme", 1, "digestId"), test_id(101));
    CHECK_STR(test_field("acme", 2, "digestId"), test_id(101));
    CHECK_STR(test_field("acme", 1, "heldUntil"), "2026-02-08T13:00:00.000Z");
    CHECK_STR(test_field("acme", 1, "nextAttemptAt"), "(nil)");
    CHECK_STR(test_text("EXISTS arda:delivery:acme:%s", test_id(102)), "0");
    CHECK_STR(test_field("acme", 101, "items"), "2");
    CHECK_STR(test_field("acme", 101, "channel"), "email");
    CHECK_STR(test_field("acme", 101, "status"), "pending");
    CHECK_STR(test_field("acme", 101, "userId"), "ann");
    CHECK_STR(test_field("acme", 101, "schedule"), "hourly");
    CHECK_STR(test_text("GET arda:digesting:acme:ann:hourly"), test_id(101));
    CHECK_STR(test_text("ZCARD arda:deliveries:acme"), "3");
    CHECK_STR(test_text("ZCARD arda:due:acme:email"), "1");
    CHECK_INT(test_claim_at(LATER - 1), 0);

    struct arda_delivery *digest = test_claim_one(LATER);
    CHECK_STR(digest->id, test_id(101));
    CHECK(digest->held);
    CHECK_INT(digest->item_count, 2);
    CHECK_STR(digest->items[0].data, "{\"id\":\"n\"}");
    CHECK_INT(digest->notification.len, 0);
    CHECK_STR(test_text("EXISTS arda:digesting:acme:ann:hourly"), "0");
    /* What comes now is not in what is being sent. */
    collect(3, "hourly", 103);
    CHECK_STR(test_field("acme", 3, "digestId"), test_id(103));
    arda_delivery_free(digest);
}

static void another_schedule_or_person_has_another_digest(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    collect(2, "daily@08:00", 102);
    test_put("acme", "email", 3, TEST_T0);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s userId bob", test_id(3));
    struct arda_delivery *got = test_claim_one(TEST_T0);
    hold(got, "hourly", test_id(103), false);
    arda_delivery_free(got);
    for (int i = 1; i <= 3; i++)
        CHECK_STR(test_field("acme", i, "digestId"), test_id(100 + i));
    CHECK_INT(test_claim_at(LATER), 3);
}

static void the_members_have_its_fate(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    collect(2, "hourly", 102);
    /* One has left it, as by a redrive. */
    collect(3, "hourly", 103);
    test_redis_do(&test_redis, "HDEL arda:delivery:acme:%s digestId", test_id(3));

    struct arda_delivery *digest = test_claim_one(LATER);
    CHECK_INT(digest->item_count, 2);
    struct arda_delivery_settlement settlement = test_bad(digest, LATER, LATER + 5000);
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "pending");
    arda_delivery_free(digest);

    digest = test_claim_one(LATER + 5000); /* the same once more, under its id */
    CHECK_STR(digest->id, test_id(101));
    CHECK_INT(digest->item_count, 2);
    CHECK_INT(digest->attempts, 1);
    settlement = test_bad(digest, LATER + 5000, 0);
    settlement.status = ARDA_DELIVERY_BOUNCED;
    settlement.text = "550 no such user";
    test_settle_well(&settlement, false);
    for (int i = 1; i <= 2; i++) {
        CHECK_STR(test_field("acme", i, "status"), "bounced");
        CHECK_STR(test_field("acme", i, "lastError"), "550 no such user");
        CHECK_STR(test_field("acme", i, "attemptCount"), "2");
        CHECK_STR(test_field("acme", i, "lastAttemptAt"), "2026-02-08T13:00:04.995Z");
    }
    CHECK_STR(test_field("acme", 3, "status"), "pending");
    CHECK_STR(test_field("acme", 101, "status"), "bounced");
    arda_delivery_free(digest);
}

static void good_ends_are_the_members_too(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    struct arda_delivery *digest = test_claim_one(LATER);
    struct arda_delivery_settlement settlement = test_good(digest, LATER);
    settlement.retain_ms = 1;
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "(nil)"); /* which --retain-deliveries removed */
    CHECK_STR(test_field("acme", 101, "status"), "(nil)");
    CHECK_STR(test_text("DBSIZE"), "0");
    arda_delivery_free(digest);
}

static void a_full_digest_makes_room_for_another(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s items %d", test_id(101),
                  ARDA_DELIVERY_ITEMS_MAX - 1);
    collect(2, "hourly", 102);
    collect(3, "hourly", 103);
    CHECK_STR(test_field("acme", 2, "digestId"), test_id(101));
    CHECK_STR(test_field("acme", 3, "digestId"), test_id(103));
    CHECK_STR(test_text("GET arda:digesting:acme:ann:hourly"), test_id(103));
    /* The first is claimed, and the other one is open still. */
    test_redis_do(&test_redis, "ZADD arda:due:acme:email %lld %s", LATER + 1LL, test_id(103));
    struct arda_delivery *first = test_claim_one(LATER);
    CHECK_STR(first->id, test_id(101));
    CHECK_STR(test_text("GET arda:digesting:acme:ann:hourly"), test_id(103));
    arda_delivery_free(first);
}

/* Whoever reads the pointer of a digest that is over makes a new one. */
static void a_digest_that_is_over_takes_no_more(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s status sent", test_id(101));
    collect(2, "hourly", 102);
    CHECK_STR(test_field("acme", 2, "digestId"), test_id(102));
    test_redis_do(&test_redis, "SET arda:digesting:acme:ann:hourly gone");
    collect(3, "hourly", 103);
    CHECK_STR(test_field("acme", 3, "digestId"), test_id(103));
}

static void members_come_oldest_first(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(2, "hourly", 101);
    collect(1, "hourly", 102);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s notification one", test_id(1));
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s notification two", test_id(2));
    test_redis_do(&test_redis, "ZADD arda:digest-items:acme:%s %lld %s", test_id(101),
                  TEST_T0 - 1LL, test_id(2));
    struct arda_delivery *digest = test_claim_one(LATER);
    CHECK_INT(digest->item_count, 2);
    CHECK_STR(digest->items[0].data, "two");
    CHECK_STR(digest->items[1].data, "one");
    arda_delivery_free(digest);
}

/* ---- what goes wrong ---- */

static void a_late_hold_changes_nothing(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "email", 1, TEST_T0);
    struct arda_delivery *slow = test_claim_one(TEST_T0);
    struct arda_delivery *heir = test_claim_one(TEST_T0 + TEST_LEASE);
    hold(slow, "hourly", test_id(101), true);
    CHECK_STR(test_field("acme", 1, "heldUntil"), "(nil)");
    CHECK_STR(test_field("acme", 1, "lease"), heir->lease);
    CHECK_STR(test_text("EXISTS arda:delivery:acme:%s", test_id(101)), "0");
    arda_delivery_free(slow);
    arda_delivery_free(heir);
}

static void arguments_that_make_no_sense_are_refused(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_put("acme", "webhook", 1, TEST_T0);
    struct arda_delivery *webhook = test_claim_one(TEST_T0);
    CHECK_INT(begin_hold(webhook, NULL, NULL, LATER), BASE_ERR_INVALID);
    test_put("acme", "email", 2, TEST_T0);
    struct arda_delivery *mail = test_claim_one(TEST_T0);
    CHECK_INT(begin_hold(mail, "hourly", NULL, LATER), BASE_ERR_INVALID);
    CHECK_INT(begin_hold(mail, "hourly", "short", LATER), BASE_ERR_INVALID);
    CHECK_INT(test_ended.calls, 0);
    arda_delivery_free(webhook);
    arda_delivery_free(mail);
}

static void a_script_that_was_forgotten_is_sent_again(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    collect(1, "hourly", 101);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    collect(2, "hourly", 102);
    CHECK_STR(test_field("acme", 101, "items"), "2");
}

/* ---- switched off meanwhile ---- */

static void prefer(const char *user, const char *type, int on)
{
    test_redis_do(&test_redis, "HSET arda:preferences:acme %s:%s:email %d", user, type, on);
}

static void a_preference_of_now_counts(void)
{
    static const struct {
        int user, tenant; /* -1: says nothing */
        bool off;
    } cases[] = {{-1, -1, false}, {0, -1, true}, {1, -1, false}, {-1, 0, true},
                 {-1, 1, false},  {1, 0, false}, {0, 1, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_redis_do(&test_redis, "FLUSHALL");
        prefer("bob", "po_created", 0);
        prefer("ann", "po_sent", 0);
        if (cases[i].user >= 0)
            prefer("ann", "po_created", cases[i].user);
        if (cases[i].tenant >= 0)
            prefer("*", "po_created", cases[i].tenant);
        test_put("acme", "email", 1, TEST_T0);
        struct arda_delivery *got = test_claim_one(TEST_T0);
        CHECK_INT(got->off, cases[i].off);
        arda_delivery_free(got);
    }
}

static void what_was_switched_off_leaves_its_digest(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    collect(2, "hourly", 102);
    test_redis_do(&test_redis, "HSET arda:delivery:acme:%s type po_sent", test_id(2));
    prefer("ann", "po_created", 0);
    struct arda_delivery *digest = test_claim_one(LATER);
    CHECK(!digest->off);
    CHECK_INT(digest->item_count, 1);
    CHECK_STR(test_field("acme", 101, "items"), "1");
    CHECK_STR(test_field("acme", 1, "status"), "failed");
    CHECK_STR(test_field("acme", 1, "lastError"), ARDA_DELIVERY_OFF);
    CHECK_STR(test_field("acme", 1, "digestId"), "(nil)");
    CHECK_STR(test_field("acme", 1, "updatedAt"), "2026-02-08T13:00:00.000Z");
    struct arda_delivery_settlement settlement = test_good(digest, LATER);
    test_settle_well(&settlement, false);
    CHECK_STR(test_field("acme", 1, "status"), "failed");
    CHECK_STR(test_field("acme", 2, "status"), "sent");
    arda_delivery_free(digest);
}

static void a_digest_of_nothing_is_off(void)
{
    test_redis_do(&test_redis, "FLUSHALL");
    collect(1, "hourly", 101);
    prefer("*", "po_created", 0);
    struct arda_delivery *digest = test_claim_one(LATER);
    CHECK(digest->off);
    CHECK_INT(digest->item_count, 0);
    arda_delivery_free(digest);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_delivery_start();
    RUN(what_is_given_back_is_anybodys);
    RUN(quiet_hours_put_one_off);
    RUN(a_digest_collects_until_it_is_claimed);
    RUN(another_schedule_or_person_has_another_digest);
    RUN(the_members_have_its_fate);
    RUN(good_ends_are_the_members_too);
    RUN(a_full_digest_makes_room_for_another);
    RUN(a_digest_that_is_over_takes_no_more);
    RUN(members_come_oldest_first);
    RUN(a_late_hold_changes_nothing);
    RUN(arguments_that_make_no_sense_are_refused);
    RUN(a_script_that_was_forgotten_is_sent_again);
    RUN(a_preference_of_now_counts);
    RUN(what_was_switched_off_leaves_its_digest);
    RUN(a_digest_of_nothing_is_off);
    test_delivery_end();
    return test_end();
}
