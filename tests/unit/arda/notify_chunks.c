/* SPDX-License-Identifier: ISC
 *
 * The notification step with many users, several callers, and inboxes that are full.
 */
#include "base/err.h"
#include "lib/notify.h"

#define MANY 10000

static struct test_answer second_answer;
static struct arda_notify_user many[MANY];
static char many_ids[MANY][16];

static void make_many(unsigned channels)
{
    for (int i = 0; i < MANY; i++) {
        snprintf(many_ids[i], sizeof many_ids[i], "u%05d", i);
        many[i] = (struct arda_notify_user){many_ids[i], channels};
    }
}

/* ---- many users, several callers ---- */

/* Each of the many has exactly one row, and was told so once. */
static void check_all(size_t heard)
{
    CHECK_INT(heard, MANY);
    for (int i = 0; i < MANY; i += 97) {
        CHECK_INT(test_count("HLEN arda:rows:acme:%s", many_ids[i]), 1);
        CHECK_INT(test_count("ZCARD arda:unread:acme:%s", many_ids[i]), 1);
    }
    redisReply *reply = test_redis_ask(&test_redis, "DBSIZE");
    CHECK_INT(reply->integer, 3 * MANY + 1);
    freeReplyObject(reply);
    CHECK_INT(test_count("EXISTS arda:handled:acme:%s", TEST_KEY), 1);
}

static struct arda_notify_step many_model(uint32_t chunk)
{
    struct arda_notify_step step = test_step();
    step.users = many;
    step.user_count = MANY;
    step.chunk = chunk;
    return step;
}

static void many_users_are_done_in_chunks(void)
{
    struct arda_notify_step step = many_model(0);
    test_redis_do(&test_redis, "FLUSHALL");
    test_listen("SUBSCRIBE arda:events:acme");
    test_step_done(&step, MANY, 0);
    check_all(test_hear(NULL));
    test_stop_listening();
}

static void two_callers_share_an_event(void)
{
    struct arda_notify_step one = many_model(70), two = many_model(110);
    struct test_bus second;
    test_redis_do(&test_redis, "FLUSHALL");
    test_bus_up(&second, test_redis.url);
    test_listen("SUBSCRIBE arda:events:acme");
    CHECK_INT(test_step_begin(test_bus.bus, &one, &test_answer), 0);
    CHECK_INT(test_step_begin(second.bus, &two, &second_answer), 0);
    RUN_UNTIL(test_answer.calls == 1 && second_answer.calls == 1);
    CHECK_INT(test_answer.result, 0);
    CHECK_INT(second_answer.result, 0);
    CHECK(test_answer.got.outcome != second_answer.got.outcome);
    CHECK_INT(test_answer.got.rows + second_answer.got.rows, MANY);
    check_all(test_hear(NULL));
    test_stop_listening();
    test_bus_close(&second);
}

static bool has_begun(void)
{
    return test_count("EXISTS arda:progress:acme:%s", TEST_KEY) == 1;
}

/* The first caller loses its connection for good after some chunks. Meanwhile the last user that it
 * has done leaves, and one joins who would have been before. */
static void another_takes_up_what_was_cut(void)
{
    static struct arda_notify_user changed[MANY];
    struct arda_notify_step step = many_model(10);
    struct test_bus first;
    size_t kept = 1, done = 0;
    test_redis_do(&test_redis, "FLUSHALL");
    test_bus_up(&first, test_redis.url);
    test_listen("SUBSCRIBE arda:events:acme");
    CHECK_INT(test_step_begin(first.bus, &step, &test_answer), 0);
    RUN_UNTIL(has_begun());
    test_bus_close(&first);
    CHECK_INT(test_answer.calls, 1);
    CHECK(test_answer.result != 0);
    redisReply *reached = test_redis_ask(&test_redis, "GET arda:progress:acme:" TEST_KEY);
    changed[0] = (struct arda_notify_user){"a-new-one", 1};
    for (int i = 0; i < MANY; i++) {
        done += strcmp(many_ids[i], reached->str) <= 0;
        if (strcmp(many_ids[i], reached->str) != 0)
            changed[kept++] = many[i];
    }
    CHECK_INT(kept, MANY);
    freeReplyObject(reached);
    step.users = changed;
    step.chunk = 333;
    test_step_done(&step, MANY - done, 0);
    check_all(test_hear(NULL));
    CHECK_INT(test_count("EXISTS arda:rows:acme:%s", "a-new-one"), 0);
    test_stop_listening();
}

/* How far the event had come is lost: all is done again, and changes nothing. */
static void a_lost_position_does_no_harm(void)
{
    struct arda_notify_step step = many_model(10);
    struct test_bus first;
    test_redis_do(&test_redis, "FLUSHALL");
    test_bus_up(&first, test_redis.url);
    test_listen("SUBSCRIBE arda:events:acme");
    CHECK_INT(test_step_begin(first.bus, &step, &test_answer), 0);
    RUN_UNTIL(has_begun());
    test_bus_close(&first);
    CHECK(test_answer.result != 0);
    test_redis_do(&test_redis, "DEL arda:progress:acme:" TEST_KEY);
    step.chunk = 500;
    CHECK_INT(test_step_run(&step), 0);
    CHECK(test_answer.got.rows < MANY);
    check_all(test_hear(NULL));
    test_stop_listening();
}

/* ---- retention ---- */

static void add_old(int number, long long score)
{
    test_redis_do(&test_redis, "ZADD arda:inbox:acme:ann %lld old-%d", score, number);
    test_redis_do(&test_redis, "ZADD arda:unread:acme:ann %lld old-%d", score, number);
    test_redis_do(&test_redis, "HSET arda:rows:acme:ann old-%d {} old-%d.read x", number, number);
}

static void old_rows_go_by_age(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 0; i < 4; i++)
        add_old(i, TEST_NOW_MS - 1002 + i);
    step.retention.age_ms = 1000;
    test_step_done(&step, 3, 3);
    CHECK_INT(test_answer.got.trimmed, 2);
    CHECK_INT(test_count("ZCARD arda:inbox:acme:%s", "ann"), 3);
    CHECK_INT(test_count("ZCARD arda:unread:acme:%s", "ann"), 3);
    CHECK_INT(test_count("HLEN arda:rows:acme:%s", "ann"), 5);
    CHECK_INT(test_count("HEXISTS arda:rows:acme:ann %s", "old-1"), 0);
    CHECK_INT(test_count("HEXISTS arda:rows:acme:ann %s", "old-2.read"), 1);
    CHECK_INT(test_count("ZCARD arda:inbox:acme:%s", "bob"), 1);
}

static void old_rows_go_by_count(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    for (int i = 0; i < 700; i++)
        add_old(i, 1000 + i);
    step.retention.count = 3;
    test_step_done(&step, 3, 3);
    CHECK_INT(test_answer.got.trimmed, 500); /* at once */
    strcpy(step.cause.key, "another");
    test_step_done(&step, 3, 3);
    CHECK_INT(test_answer.got.trimmed, 199);
    CHECK_INT(test_count("ZCARD arda:inbox:acme:%s", "ann"), 3);
    CHECK_INT(test_count("ZCARD arda:unread:acme:%s", "ann"), 3);
    CHECK_INT(test_count("HLEN arda:rows:acme:%s", "ann"), 4);
    CHECK_INT(test_count("HEXISTS arda:rows:acme:ann %s", "old-699"), 1);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    make_many(1);
    test_step_start();
    RUN(many_users_are_done_in_chunks);
    RUN(two_callers_share_an_event);
    RUN(another_takes_up_what_was_cut);
    RUN(a_lost_position_does_no_harm);
    RUN(old_rows_go_by_age);
    RUN(old_rows_go_by_count);
    test_answer_forget(&second_answer);
    test_step_end();
    return test_end();
}
