/* SPDX-License-Identifier: ISC
 *
 * Subscriptions: who hears what, and what Redis is asked for.
 */
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

static void say(const char *channel, const char *text)
{
    test_redis_do(&redis, "PUBLISH %s %s", channel, text);
}

static struct arda_bus_stats stats(void)
{
    struct arda_bus_stats now;
    arda_bus_get_stats(test.bus, &now);
    return now;
}

static void subscribers_become(const char *channel, long long count)
{
    RUN_UNTIL(test_redis_subscribers(&redis, channel) == count);
}

static void many_handlers_are_one_subscription(void)
{
    enum { EARS = 50 };
    static struct test_ear ears[EARS];
    for (int i = 0; i < EARS; i++)
        test_ear_open(&ears[i], test.bus, "t1");
    for (int i = 0; i < EARS; i++)
        RUN_UNTIL(ears[i].standing);
    CHECK_INT(test_redis_subscribers(&redis, "arda:events:t1"), 1);
    CHECK_INT(stats().subscribed_channels, 1);
    say("arda:events:t1", "{\"type\":\"a\"}");
    for (int i = 0; i < EARS; i++)
        RUN_UNTIL(ears[i].messages == 1);
    for (int i = 0; i < EARS - 1; i++)
        arda_bus_unsubscribe(ears[i].subscription);
    say("arda:events:t1", "{\"type\":\"b\"}");
    RUN_UNTIL(ears[EARS - 1].messages == 2);
    CHECK_INT(ears[0].messages, 1);
    CHECK_INT(test_redis_subscribers(&redis, "arda:events:t1"), 1);
    arda_bus_unsubscribe(ears[EARS - 1].subscription);
    subscribers_become("arda:events:t1", 0);
    CHECK_INT(stats().subscribed_channels, 0);
}

static void a_standing_channel_says_so_at_once(void)
{
    struct test_ear first, second;
    test_ear_up(&first, test.bus, "t1");
    test_ear_open(&second, test.bus, "t1");
    CHECK(second.standing);
    CHECK_INT(first.stands, 1);
    arda_bus_unsubscribe(first.subscription);
    arda_bus_unsubscribe(second.subscription);
}

static void more_channels_than_one_command_takes(void)
{
    enum { CHANNELS = 1203 };
    static struct test_ear ears[CHANNELS];
    char tenant[32];
    for (int i = 0; i < CHANNELS; i++) {
        snprintf(tenant, sizeof tenant, "many-%d", i);
        test_ear_open(&ears[i], test.bus, tenant);
    }
    RUN_UNTIL(stats().subscribed_channels == CHANNELS);
    for (int i = 0; i < CHANNELS; i++) {
        snprintf(tenant, sizeof tenant, "arda:events:many-%d", i);
        say(tenant, "{\"type\":\"a\"}");
    }
    for (int i = 0; i < CHANNELS; i++)
        RUN_UNTIL(ears[i].messages == 1);
    for (int i = 0; i < CHANNELS; i++)
        arda_bus_unsubscribe(ears[i].subscription);
    subscribers_become(tenant, 0);
}

/* The last one goes and the first one comes in the same turn. */
static void unsubscribe_then_subscribe_ends_subscribed(void)
{
    struct test_ear old, new;
    test_ear_up(&old, test.bus, "t1");
    arda_bus_unsubscribe(old.subscription);
    test_ear_up(&new, test.bus, "t1");
    subscribers_become("arda:events:t1", 1);
    say("arda:events:t1", "{\"type\":\"a\"}");
    RUN_UNTIL(new.messages == 1);
    CHECK_INT(old.messages, 0);
    arda_bus_unsubscribe(new.subscription);
    subscribers_become("arda:events:t1", 0);
}

/* Before anything was sent, and while the answer is under way. */
static void quick_changes_end_as_the_last_one_says(void)
{
    struct test_ear ear;
    for (int turns = 0; turns < 4; turns++)
        for (int last = 0; last < 2; last++) {
            for (int i = 0; i < 5; i++) {
                test_ear_open(&ear, test.bus, "t1");
                for (int turn = 0; turn < turns; turn++)
                    uv_run(&test_loop, UV_RUN_NOWAIT);
                arda_bus_unsubscribe(ear.subscription);
            }
            if (last) {
                test_ear_up(&ear, test.bus, "t1");
                say("arda:events:t1", "{\"type\":\"a\"}");
                RUN_UNTIL(ear.messages == 1);
                arda_bus_unsubscribe(ear.subscription);
            }
            subscribers_become("arda:events:t1", 0);
            CHECK_INT(stats().subscribed_channels, 0);
        }
}

static void tenants_that_are_none_are_refused(void)
{
    static const char *const bad[] = {"global", "", "a b", "a:b", "*"};
    const struct arda_handlers handlers = {test_on_message, NULL, NULL};
    struct arda_subscription *subscription;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(
            arda_bus_subscribe_tenant(test.bus, bad[i], strlen(bad[i]), &handlers, &subscription),
            BASE_ERR_INVALID);
}

/* ---- messages ---- */

static void what_makes_no_sense_is_dropped_and_counted(void)
{
    static const struct {
        const char *text;
        enum arda_drop drop;
    } rows[] = {
        {"{\"type\":\"a\",\"tenantId\":\"t2\"}", ARDA_DROP_FOREIGN_TENANT},
        {"{\"type\":\"a\",\"tenantId\":null}", ARDA_DROP_FOREIGN_TENANT},
        {"nope", ARDA_DROP_NOT_JSON},
        {"", ARDA_DROP_NOT_JSON},
        {"{\"type\":\"a\"", ARDA_DROP_NOT_JSON},
        {"[\"type\"]", ARDA_DROP_NOT_OBJECT},
        {"{\"tenantId\":\"t1\"}", ARDA_DROP_NO_TYPE},
        {"{\"type\":5}", ARDA_DROP_NO_TYPE},
        {"{\"event\":{}}", ARDA_DROP_NO_TYPE},
    };
    struct test_ear ear;
    test_ear_up(&ear, test.bus, "t1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_bus_stats before = stats(), after;
        int messages = ear.messages;
        say("arda:events:t1", rows[i].text);
        say("arda:events:t1", "{\"type\":\"next\"}");
        RUN_UNTIL(ear.messages == messages + 1);
        CHECK_STR(ear.text, "{\"type\":\"next\"}");
        after = stats();
        CHECK_INT(after.messages - before.messages, 2);
        for (int drop = 1; drop < ARDA_DROP_COUNT; drop++)
            CHECK_INT(after.dropped[drop] - before.dropped[drop], drop == (int)rows[i].drop);
    }
    arda_bus_unsubscribe(ear.subscription);
}

static void the_global_channel_takes_every_tenant(void)
{
    struct test_ear ear;
    test_ear_up(&ear, test.bus, NULL);
    say("arda:events:global", "{\"type\":\"a\",\"tenantId\":\"t1\"}");
    RUN_UNTIL(ear.messages == 1);
    CHECK_STR(ear.tenant, "t1");
    say("arda:events:global", "{\"type\":\"a\",\"tenantId\":\"global\"}");
    say("arda:events:global", "{\"type\":\"a\"}");
    RUN_UNTIL(ear.messages == 2);
    CHECK_STR(ear.tenant, "");
    arda_bus_unsubscribe(ear.subscription);
}

static void duplicates_by_id_count_once(void)
{
    struct test_ear ear, global;
    struct arda_bus_stats before = stats();
    test_ear_up(&ear, test.bus, "t1");
    test_ear_up(&global, test.bus, NULL);
    say("arda:events:t1", "{\"type\":\"a\",\"eventId\":\"e1\"}");
    say("arda:events:t1", "{\"type\":\"b\",\"eventId\":\"e1\"}");
    say("arda:events:t1", "{\"id\":\"e1\",\"event\":{\"type\":\"c\"}}");
    say("arda:events:t1", "{\"type\":\"d\",\"eventId\":\"\"}");
    say("arda:events:t1", "{\"type\":\"e\",\"eventId\":\"\"}");
    say("arda:events:t1", "{\"type\":\"f\"}");
    say("arda:events:t1", "{\"type\":\"f\"}");
    say("arda:events:t1", "{\"type\":\"g\",\"eventId\":\"e2\"}");
    RUN_UNTIL(ear.messages == 6);
    CHECK_STR(ear.text, "{\"type\":\"g\",\"eventId\":\"e2\"}");
    CHECK_INT(stats().dropped[ARDA_DROP_DUPLICATE] - before.dropped[ARDA_DROP_DUPLICATE], 2);
    /* Each channel has its own memory. */
    say("arda:events:global", "{\"type\":\"a\",\"eventId\":\"e1\"}");
    RUN_UNTIL(global.messages == 1);
    arda_bus_unsubscribe(ear.subscription);
    arda_bus_unsubscribe(global.subscription);
}

/* An id is what it says, however it is written; what has no bytes is its text. */
static void duplicates_are_known_however_they_are_written(void)
{
    struct test_ear ear;
    struct arda_bus_stats before = stats();
    test_ear_up(&ear, test.bus, "t1");
    say("arda:events:t1", "{\"type\":\"a\",\"eventId\":\"e\\u0031/1\"}");
    say("arda:events:t1", "{\"type\":\"b\",\"eventId\":\"\\u00651\\/1\"}");
    say("arda:events:t1", "{\"type\":\"c\",\"eventId\":\"e1/1\"}");
    say("arda:events:t1", "{\"id\":\"e1\\/1\",\"event\":{\"type\":\"d\"}}");
    say("arda:events:t1", "{\"type\":\"e\",\"eventId\":\"\\ud800\"}");
    say("arda:events:t1", "{\"type\":\"f\",\"eventId\":\"\\ud800\"}");
    say("arda:events:t1", "{\"type\":\"g\",\"eventId\":\"\\ud801\"}");
    RUN_UNTIL(ear.messages == 3);
    CHECK_STR(ear.text, "{\"type\":\"g\",\"eventId\":\"\\ud801\"}");
    CHECK_INT(stats().dropped[ARDA_DROP_DUPLICATE] - before.dropped[ARDA_DROP_DUPLICATE], 4);
    arda_bus_unsubscribe(ear.subscription);
}

static void envelopes_are_delivered_too(void)
{
    struct test_ear ear;
    test_ear_up(&ear, test.bus, "t1");
    say("arda:events:t1", "{\"id\":\"v1\",\"schemaVersion\":1,\"source\":\"s\","
                          "\"event\":{\"type\":\"a\",\"tenantId\":\"t1\"}}");
    RUN_UNTIL(ear.messages == 1);
    CHECK_STR(ear.event, "{\"type\":\"a\",\"tenantId\":\"t1\"}");
    CHECK(strstr(ear.text, "\"source\":\"s\"") != NULL);
    arda_bus_unsubscribe(ear.subscription);
}

/* ---- handlers that change subscriptions ---- */

static struct test_ear self, neighbour;
static int made;

static void leave_both(void *data, const struct arda_message *message)
{
    (void)data;
    (void)message;
    self.messages++;
    arda_bus_unsubscribe(self.subscription);
    arda_bus_unsubscribe(neighbour.subscription);
}

static void a_handler_may_end_its_own_and_others(void)
{
    const struct arda_handlers handlers = {leave_both, test_on_standing, &self};
    self = (struct test_ear){0};
    CHECK_INT(arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &self.subscription), 0);
    test_ear_up(&neighbour, test.bus, "t1");
    say("arda:events:t1", "{\"type\":\"a\"}");
    say("arda:events:t1", "{\"type\":\"b\"}");
    RUN_UNTIL(self.messages == 1);
    subscribers_become("arda:events:t1", 0);
    CHECK_INT(self.messages, 1);
    CHECK_INT(neighbour.messages, 0);
}

static void come_again(void *data, const struct arda_message *message)
{
    const struct arda_handlers handlers = {come_again, NULL, NULL};
    (void)data;
    (void)message;
    self.messages++;
    arda_bus_unsubscribe(self.subscription);
    if (++made < 100)
        CHECK_INT(arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &self.subscription), 0);
}

/* Who subscribes while a message is handed out hears the next one first. */
static void a_handler_may_subscribe_anew(void)
{
    const struct arda_handlers handlers = {come_again, test_on_standing, &self};
    self = (struct test_ear){0};
    made = 0;
    CHECK_INT(arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &self.subscription), 0);
    RUN_UNTIL(self.standing);
    say("arda:events:t1", "{\"type\":\"a\"}");
    RUN_UNTIL(self.messages > 0);
    CHECK_INT(self.messages, 1);
    say("arda:events:t1", "{\"type\":\"b\"}");
    RUN_UNTIL(self.messages > 1);
    CHECK_INT(self.messages, 2);
    CHECK_INT(test_redis_subscribers(&redis, "arda:events:t1"), 1);
    if (made < 100)
        arda_bus_unsubscribe(self.subscription);
    subscribers_become("arda:events:t1", 0);
}

static void bring_a_neighbour(void *data, bool standing)
{
    test_on_standing(data, standing);
    test_ear_open(&neighbour, test.bus, "t1");
}

static void standing_is_said_once_to_one_who_comes_with_it(void)
{
    const struct arda_handlers handlers = {test_on_message, bring_a_neighbour, &self};
    self = (struct test_ear){0};
    CHECK_INT(arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &self.subscription), 0);
    RUN_UNTIL(self.standing);
    CHECK_INT(neighbour.stands, 1);
    say("arda:events:t1", "{\"type\":\"a\"}");
    RUN_UNTIL(self.messages == 1 && neighbour.messages == 1);
    CHECK_INT(neighbour.stands, 1);
    arda_bus_unsubscribe(self.subscription);
    arda_bus_unsubscribe(neighbour.subscription);
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
    RUN(many_handlers_are_one_subscription);
    RUN(a_standing_channel_says_so_at_once);
    RUN(more_channels_than_one_command_takes);
    RUN(unsubscribe_then_subscribe_ends_subscribed);
    RUN(quick_changes_end_as_the_last_one_says);
    RUN(tenants_that_are_none_are_refused);
    RUN(what_makes_no_sense_is_dropped_and_counted);
    RUN(the_global_channel_takes_every_tenant);
    RUN(duplicates_by_id_count_once);
    RUN(duplicates_are_known_however_they_are_written);
    RUN(envelopes_are_delivered_too);
    RUN(a_handler_may_end_its_own_and_others);
    RUN(a_handler_may_subscribe_anew);
    RUN(standing_is_said_once_to_one_who_comes_with_it);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
