/* SPDX-License-Identifier: ISC
 *
 * Redis is not there, goes, comes back, is silent, or does not allow what is asked.
 */
#include "base/clock.h"
#include "lib/bus.h"
#include "lib/redis.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static struct test_redis redis;

static void say(const char *channel, const char *text)
{
    test_redis_do(&redis, "PUBLISH %s %s", channel, text);
}

static void hears(struct test_ear *ear, const char *channel)
{
    int messages = ear->messages;
    say(channel, "{\"type\":\"a\"}");
    RUN_UNTIL(ear->messages == messages + 1);
}

static void publishes(struct test_bus *test)
{
    struct test_publication answer;
    CHECK_INT(test_publish(test->bus, "t1", "{\"type\":\"a\"}", "", &answer), 0);
    RUN_UNTIL(answer.answers == 1);
    CHECK_INT(answer.result, 0);
}

/* The backoff doubles from 50 ms: by the second pause more than one attempt has failed. */
static void let_it_fail_some_times(struct test_bus *test)
{
    uint64_t until;
    RUN_UNTIL(test->downs > 0);
    until = uv_now(&test_loop) + 500;
    RUN_UNTIL(uv_now(&test_loop) > until);
}

static void waits_for_a_redis_that_is_not_there(void)
{
    struct test_bus test;
    struct test_ear ear;
    struct test_publication answer;
    char want[96];
    test_bus_open(&test, redis.url);
    test_ear_open(&ear, test.bus, "t1");
    CHECK_INT(test_publish(test.bus, "t1", "{}", "", &answer), BASE_ERR_UNAVAILABLE);
    let_it_fail_some_times(&test);
    CHECK_INT(test.downs, 1);
    CHECK_INT(test.ups, 0);
    snprintf(want, sizeof want, "redis %s: Connection refused", redis.url + strlen("redis://"));
    CHECK_STR(test.why, want);
    CHECK_INT(test_publish(test.bus, "t1", "{}", "", &answer), BASE_ERR_UNAVAILABLE);
    CHECK(!arda_bus_is_up(test.bus));
    test_redis_start(&redis);
    RUN_UNTIL(test.ups == 1 && ear.standing);
    CHECK(arda_bus_is_up(test.bus));
    CHECK_INT(test.downs, 1);
    CHECK_INT(ear.stands, 1);
    CHECK_INT(ear.falls, 0);
    hears(&ear, "arda:events:t1");
    publishes(&test);
    test_bus_close(&test);
}

static void mends_itself_after_a_restart(void)
{
    struct test_bus test;
    struct test_ear ear, global;
    struct arda_bus_stats stats;
    test_bus_up(&test, redis.url);
    test_ear_up(&ear, test.bus, "t1");
    test_ear_up(&global, test.bus, NULL);
    for (int round = 1; round <= 3; round++) {
        test_redis_stop(&redis);
        RUN_UNTIL(!ear.standing && !global.standing);
        let_it_fail_some_times(&test);
        CHECK_INT(test.downs, round);
        arda_bus_get_stats(test.bus, &stats);
        CHECK_INT(stats.subscribed_channels, 0);
        test_redis_start(&redis);
        RUN_UNTIL(ear.standing && global.standing && arda_bus_is_up(test.bus));
        CHECK_INT(test.ups, round + 1);
        CHECK_INT(ear.falls, round);
        CHECK_INT(ear.stands, round + 1);
        hears(&ear, "arda:events:t1");
        hears(&global, "arda:events:global");
        publishes(&test);
    }
    arda_bus_get_stats(test.bus, &stats);
    CHECK_INT(stats.reconnects, 6); /* of two connections */
    CHECK_INT(stats.subscribed_channels, 2);
    test_bus_close(&test);
}

static void mends_itself_after_its_connections_were_killed(void)
{
    struct test_bus test;
    struct test_ear ear;
    test_bus_up(&test, redis.url);
    test_ear_up(&ear, test.bus, "t1");
    for (int round = 1; round <= 3; round++) {
        CHECK(test_redis_number(&redis, "CLIENT KILL TYPE pubsub") == 1);
        RUN_UNTIL(ear.falls == round && ear.standing);
        hears(&ear, "arda:events:t1");
    }
    for (int round = 4; round <= 6; round++) {
        CHECK(test_redis_number(&redis, "CLIENT KILL TYPE normal SKIPME yes") == 1);
        CHECK(test_redis_number(&redis, "CLIENT KILL TYPE pubsub") == 1);
        RUN_UNTIL(ear.falls == round && ear.standing && test.ups == round + 1);
        RUN_UNTIL(arda_bus_is_up(test.bus));
        hears(&ear, "arda:events:t1");
        publishes(&test);
    }
    CHECK(strstr(test.why, "closed by the server") || strstr(test.why, "reset by peer"));
    test_bus_close(&test);
}

/* Subscriptions made and ended while Redis is away. */
static void remembers_what_changed_meanwhile(void)
{
    struct test_bus test;
    struct test_ear gone, stays, comes;
    test_bus_up(&test, redis.url);
    test_ear_up(&gone, test.bus, "gone");
    test_ear_up(&stays, test.bus, "stays");
    test_redis_stop(&redis);
    RUN_UNTIL(!gone.standing && !stays.standing);
    arda_bus_unsubscribe(gone.subscription);
    test_ear_open(&comes, test.bus, "comes");
    test_redis_start(&redis);
    RUN_UNTIL(stays.standing && comes.standing);
    CHECK_INT(test_redis_subscribers(&redis, "arda:events:gone"), 0);
    hears(&stays, "arda:events:stays");
    hears(&comes, "arda:events:comes");
    test_bus_close(&test);
}

/* ---- a handler that changes everything when it hears of the outage ---- */

static struct test_bus *changing;
static struct test_ear changed[3];

static void change_all(void *data, bool standing)
{
    test_on_standing(data, standing);
    if (standing)
        return;
    arda_bus_unsubscribe(changed[1].subscription);
    test_ear_open(&changed[2], changing->bus, "changed-2");
}

static void handlers_may_change_subscriptions_in_an_outage(void)
{
    const struct arda_handlers handlers = {test_on_message, change_all, &changed[0]};
    struct test_bus test;
    changing = &test;
    test_bus_up(&test, redis.url);
    changed[0] = (struct test_ear){0};
    CHECK_INT(
        arda_bus_subscribe_tenant(test.bus, "changed-0", 9, &handlers, &changed[0].subscription),
        0);
    RUN_UNTIL(changed[0].standing);
    test_ear_up(&changed[1], test.bus, "changed-1");
    CHECK(test_redis_number(&redis, "CLIENT KILL TYPE pubsub") == 1);
    RUN_UNTIL(changed[0].stands == 2 && changed[2].standing);
    CHECK_INT(test_redis_subscribers(&redis, "arda:events:changed-1"), 0);
    hears(&changed[0], "arda:events:changed-0");
    test_bus_close(&test);
}

/* ---- silence ---- */

static uint64_t ahead_us;

static uint64_t advanced_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + ahead_us;
}

static void is_stopped(pid_t pid)
{
    int status = 0;
    kill(pid, SIGSTOP);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
}

static bool a_subscriber_has_asked(void)
{
    redisReply *reply = test_redis_ask(&redis, "CLIENT LIST TYPE pubsub");
    bool asked = strstr(reply->str, " cmd=ping ") != NULL;
    freeReplyObject(reply);
    return asked;
}

/* How often PING, or ROLE, was asked, by whatever connection. */
static long calls_of(const char *command)
{
    redisReply *reply = test_redis_ask(&redis, "INFO commandstats");
    const char *at = strstr(reply->str, command);
    long calls = at ? atol(at + strlen(command)) : 0;
    freeReplyObject(reply);
    return calls;
}

static long questions(void)
{
    return calls_of("cmdstat_ping:calls=") + calls_of("cmdstat_role:calls=");
}

static void a_quiet_peer_is_asked_and_a_silent_one_given_up(void)
{
    struct test_bus test;
    struct test_ear ear;
    test_bus_up(&test, redis.url);
    test_ear_up(&ear, test.bus, "t1");
    base_clock_replace(advanced_mono_us, NULL);
    /* Quiet: both connections ask, and are answered. */
    long before = questions();
    ahead_us += 4000000;
    RUN_UNTIL(a_subscriber_has_asked() && questions() >= before + 2);
    CHECK_INT(test.downs, 0);
    /* Silent: both are given up, and made anew when it speaks again. */
    is_stopped(redis.pid);
    ahead_us += 9000000;
    RUN_UNTIL(test.downs == 1 && !ear.standing);
    CHECK(strstr(test.why, "no answer for several seconds") != NULL);
    kill(redis.pid, SIGCONT);
    RUN_UNTIL(ear.standing && arda_bus_is_up(test.bus));
    base_clock_replace(NULL, NULL);
    hears(&ear, "arda:events:t1");
    test_bus_close(&test);
}

/* The answer to a former SUBSCRIBE of the channel says nothing about the one that is under way. */
static void an_old_answer_is_not_taken_for_a_new_one(void)
{
    struct test_bus test;
    struct test_ear old, new;
    test_bus_up(&test, redis.url);
    test_redis_subscribers(&redis, "any"); /* connects */
    is_stopped(redis.pid);
    test_ear_open(&old, test.bus, "t1");
    uv_run(&test_loop, UV_RUN_NOWAIT); /* sends */
    kill(redis.pid, SIGCONT);
    while (test_redis_subscribers(&redis, "arda:events:t1") == 0) {
    }
    /* The first answer waits to be read; there will be no other before Redis goes on. */
    is_stopped(redis.pid);
    CHECK(!old.standing);
    arda_bus_unsubscribe(old.subscription);
    test_ear_open(&new, test.bus, "t1");
    for (int turn = 0; turn < 20; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    CHECK(!new.standing);
    kill(redis.pid, SIGCONT);
    RUN_UNTIL(new.standing);
    hears(&new, "arda:events:t1");
    CHECK_INT(new.stands, 1);
    test_bus_close(&test);
}

/* ---- refused channels ---- */

static void a_refused_channel_is_tried_again(void)
{
    struct test_bus test;
    struct test_ear fine, refused, other;
    char url[96];
    test_redis_do(&redis, "ACL SETUSER limited on >pw ~* +@all resetchannels &arda:events:fine");
    snprintf(url, sizeof url, "redis://limited:pw@127.0.0.1:%d", redis.port);
    test_bus_up(&test, url);
    /* One command of three channels, of which one is allowed. */
    test_ear_open(&refused, test.bus, "refused");
    test_ear_open(&fine, test.bus, "fine");
    test_ear_open(&other, test.bus, "other");
    RUN_UNTIL(fine.standing);
    hears(&fine, "arda:events:fine");
    CHECK(!refused.standing && !other.standing);
    arda_bus_unsubscribe(other.subscription);
    test_redis_do(&redis, "ACL SETUSER limited &arda:events:refused");
    RUN_UNTIL(refused.standing);
    hears(&refused, "arda:events:refused");
    CHECK_INT(test.downs, 0);
    CHECK_INT(fine.falls, 0);
    test_bus_close(&test);
}

static void a_refused_channel_does_not_hinder_the_end(void)
{
    struct test_bus test;
    struct test_ear refused;
    char url[96];
    snprintf(url, sizeof url, "redis://limited:pw@127.0.0.1:%d", redis.port);
    test_bus_up(&test, url);
    test_ear_open(&refused, test.bus, "never");
    for (int turn = 0; turn < 20; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    test_bus_close(&test);
    CHECK(!refused.standing);
}

static void ends_without_an_open_handle(void)
{
    test_loop_fini();
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_redis_init(&redis);
    test_loop_init();
    RUN(waits_for_a_redis_that_is_not_there);
    RUN(mends_itself_after_a_restart);
    RUN(mends_itself_after_its_connections_were_killed);
    RUN(remembers_what_changed_meanwhile);
    RUN(handlers_may_change_subscriptions_in_an_outage);
    RUN(a_quiet_peer_is_asked_and_a_silent_one_given_up);
    RUN(an_old_answer_is_not_taken_for_a_new_one);
    RUN(a_refused_channel_is_tried_again);
    RUN(a_refused_channel_does_not_hinder_the_end);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
