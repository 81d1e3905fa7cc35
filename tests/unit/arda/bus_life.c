/* SPDX-License-Identifier: ISC
 *
 * The life of a bus: ping, the shared one, the end, and beginning without memory.
 */
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

#include <signal.h>
#include <sys/wait.h>

static struct test_redis redis;

static void is_stopped(void)
{
    int status = 0;
    kill(redis.pid, SIGSTOP);
    CHECK(waitpid(redis.pid, &status, WUNTRACED) == redis.pid && WIFSTOPPED(status));
}

/* ---- ping ---- */

static int pongs, pong_result;

static void on_pong(void *data, int result)
{
    CHECK(data == &pongs);
    pongs++;
    pong_result = result;
}

static void pings(void)
{
    struct test_bus test;
    test_bus_open(&test, redis.url);
    pongs = 0;
    arda_bus_ping(test.bus, on_pong, &pongs);
    CHECK_INT(pongs, 1);
    CHECK_INT(pong_result, BASE_ERR_UNAVAILABLE);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    arda_bus_ping(test.bus, on_pong, &pongs);
    CHECK_INT(pongs, 1);
    RUN_UNTIL(pongs == 2);
    CHECK_INT(pong_result, 0);
    is_stopped();
    arda_bus_ping(test.bus, on_pong, &pongs);
    test_redis_stop(&redis);
    RUN_UNTIL(pongs == 3);
    CHECK_INT(pong_result, BASE_ERR_CLOSED);
    test_redis_start(&redis);
    test_bus_close(&test);
}

/* ---- the shared bus ---- */

static void there_is_one_shared_bus(void)
{
    const struct arda_bus_options options = {.url = redis.url};
    const struct arda_bus_options bad = {.url = "nonsense"};
    struct test_bus test = {0};
    struct arda_bus *again = NULL, *other = NULL;
    struct base_why why;
    CHECK_INT(arda_bus_get(&test_loop, &bad, &test.bus, &why), BASE_ERR_CONFIG);
    CHECK_INT(arda_bus_get(&test_loop, &options, &test.bus, &why), 0);
    CHECK_INT(arda_bus_get(&test_loop, &bad, &again, &why), 0);
    CHECK(again == test.bus);
    CHECK_INT(arda_bus_new(&test_loop, &options, &other, &why), 0);
    CHECK(other != test.bus);
    RUN_UNTIL(arda_bus_is_up(test.bus) && arda_bus_is_up(other));
    struct test_bus second = {.bus = other};
    test_bus_close(&second);
    CHECK_INT(arda_bus_get(&test_loop, &bad, &again, &why), 0);
    CHECK(again == test.bus);
    test_bus_close(&test);
    CHECK_INT(arda_bus_get(&test_loop, &bad, &again, &why), BASE_ERR_CONFIG);
    CHECK_INT(arda_bus_get(&test_loop, &options, &test.bus, &why), 0);
    test.closed = false;
    test_bus_close(&test);
}

/* ---- the end ---- */

static void what_is_pending_is_sent_first(void)
{
    enum { COUNT = 1000 };
    struct test_bus test;
    struct test_publication answers = {0};
    test_redis_do(&redis, "FLUSHALL");
    test_bus_up(&test, redis.url);
    const struct arda_publication publication = {.tenant = {"t1", 2},
                                                 .message = {"{\"type\":\"a\"}", 12},
                                                 .envelope = {"{}", 2},
                                                 .type = {"a", 1},
                                                 .source = {"b", 1},
                                                 .timestamp = {"c", 1}};
    for (int i = 0; i < COUNT; i++)
        CHECK_INT(arda_bus_publish(test.bus, &publication, test_on_published, &answers), 0);
    test_bus_close(&test);
    CHECK_INT(answers.answers, COUNT);
    CHECK_INT(answers.result, 0);
    CHECK_INT(test_redis_number(&redis, "XLEN arda:stream:t1"), COUNT);
}

static void what_cannot_be_is_reported(void)
{
    struct test_bus test;
    struct test_publication answer;
    test_bus_up(&test, redis.url);
    is_stopped();
    CHECK_INT(test_publish(test.bus, "t1", "{\"type\":\"a\"}", "", &answer), 0);
    pongs = 0;
    arda_bus_ping(test.bus, on_pong, &pongs);
    arda_bus_shutdown(test.bus, 50, test_on_closed, &test);
    RUN_UNTIL(test.closed);
    CHECK_INT(answer.answers, 1);
    CHECK_INT(answer.result, BASE_ERR_CLOSED);
    CHECK(answer.why[0] != '\0');
    CHECK_INT(pongs, 1);
    CHECK_INT(pong_result, BASE_ERR_CLOSED);
    kill(redis.pid, SIGCONT);
}

static void the_end_does_not_wait_for_a_redis_that_went(void)
{
    struct test_bus test;
    struct test_publication answer;
    test_bus_up(&test, redis.url);
    is_stopped();
    CHECK_INT(test_publish(test.bus, "t1", "{\"type\":\"a\"}", "", &answer), 0);
    arda_bus_shutdown(test.bus, 3600000, test_on_closed, &test);
    test_redis_stop(&redis);
    RUN_UNTIL(test.closed);
    CHECK_INT(answer.result, BASE_ERR_CLOSED);
    CHECK_INT(test.downs, 0); /* nobody is told of states any more */
    test_redis_start(&redis);
}

/* Begun, resolving, connecting, greeting, up. */
static void it_may_end_at_any_time(void)
{
    for (int turns = 0; turns < 30; turns++) {
        struct test_bus test;
        struct test_ear ear;
        test_bus_open(&test, redis.url);
        test_ear_open(&ear, test.bus, "t1");
        for (int turn = 0; turn < turns; turn++)
            uv_run(&test_loop, UV_RUN_NOWAIT);
        test_bus_close(&test);
    }
}

static void handlers_are_not_called_after_the_end(void)
{
    struct test_bus test;
    struct test_ear ear;
    test_bus_up(&test, redis.url);
    test_ear_up(&ear, test.bus, "t1");
    test_redis_do(&redis, "PUBLISH arda:events:t1 %s", "{\"type\":\"a\"}");
    test_bus_close(&test);
    CHECK_INT(ear.messages, 0);
    CHECK_INT(ear.falls, 0);
    RUN_UNTIL(test_redis_subscribers(&redis, "arda:events:t1") == 0);
}

static struct test_bus ending;

static void end_it(void *data, const struct arda_message *message)
{
    test_on_message(data, message);
    arda_bus_shutdown(ending.bus, 1000, test_on_closed, &ending);
}

static void a_handler_may_end_the_bus(void)
{
    struct test_ear ear = {0}, other;
    const struct arda_handlers handlers = {end_it, test_on_standing, &ear};
    test_bus_up(&ending, redis.url);
    CHECK_INT(arda_bus_subscribe_tenant(ending.bus, "t1", 2, &handlers, &ear.subscription), 0);
    test_ear_up(&other, ending.bus, "t1");
    RUN_UNTIL(ear.standing);
    test_redis_do(&redis, "PUBLISH arda:events:t1 %s", "{\"type\":\"a\"}");
    test_redis_do(&redis, "PUBLISH arda:events:t1 %s", "{\"type\":\"b\"}");
    RUN_UNTIL(ending.closed);
    CHECK_INT(ear.messages, 1);
    CHECK_INT(other.messages, 0);
    CHECK_STR(ear.text, "{\"type\":\"a\"}");
}

static void a_bus_that_ends_takes_no_subscription(void)
{
    const struct arda_handlers handlers = {test_on_message, NULL, NULL};
    struct arda_subscription *subscription;
    struct test_bus test;
    test_bus_up(&test, redis.url);
    arda_bus_shutdown(test.bus, 1000, test_on_closed, &test);
    CHECK_INT(arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &subscription),
              BASE_ERR_CLOSED);
    RUN_UNTIL(test.closed);
}

/* ---- without memory ---- */

/* Whichever allocation of the beginning fails, the bus says so or gets there later. */
static void survives_every_failing_allocation(void)
{
    struct arda_bus_options options = {.url = redis.url, .name = "n"};
    bool all = false;
    for (long n = 1; !all && n < 200; n++) {
        struct test_bus test = {0};
        struct test_ear ear = {0};
        const struct arda_handlers handlers = {test_on_message, test_on_standing, &ear};
        base_mem_fail(n, 1);
        int result = arda_bus_new(&test_loop, &options, &test.bus, NULL);
        if (!result &&
            arda_bus_subscribe_tenant(test.bus, "t1", 2, &handlers, &ear.subscription) == 0) {
            RUN_UNTIL(arda_bus_is_up(test.bus) && ear.standing);
            test_redis_do(&redis, "PUBLISH arda:events:t1 %s",
                          "{\"type\":\"a\",\"eventId\":\"e\"}");
            RUN_UNTIL(ear.messages == 1);
            all = base_mem_tries() < n;
        }
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        if (!result)
            test_bus_close(&test);
    }
    CHECK(all);
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
    test_redis_start(&redis);
    test_loop_init();
    RUN(pings);
    RUN(there_is_one_shared_bus);
    RUN(what_is_pending_is_sent_first);
    RUN(what_cannot_be_is_reported);
    RUN(the_end_does_not_wait_for_a_redis_that_went);
    RUN(it_may_end_at_any_time);
    RUN(handlers_are_not_called_after_the_end);
    RUN(a_handler_may_end_the_bus);
    RUN(a_bus_that_ends_takes_no_subscription);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
