/* SPDX-License-Identifier: ISC
 *
 * How the bus introduces itself: passwords, users, database, name, socket.
 */
#include "arda/bus/command.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static char url[256];

/* "redis://" what "127.0.0.1:port" behind */
static const char *tcp(const char *login, const char *behind)
{
    snprintf(url, sizeof url, "redis://%s127.0.0.1:%d%s", login, redis.port, behind);
    return url;
}

static const char *local(const char *login, const char *behind)
{
    snprintf(url, sizeof url, "unix://%s%s%s", login, redis.socket, behind);
    return url;
}

/* Both connections work. */
static void works(const char *address)
{
    struct test_bus test;
    struct test_ear ear;
    struct test_publication answer;
    test_bus_up(&test, address);
    test_ear_up(&ear, test.bus, "t1");
    CHECK_INT(test_publish(test.bus, "t1", "{\"type\":\"a\"}", "", &answer), 0);
    RUN_UNTIL(ear.messages == 1 && answer.answers == 1);
    CHECK_INT(answer.result, 0);
    CHECK_INT(test.downs, 0);
    test_bus_close(&test);
}

static void fails(const char *address, const char *reason)
{
    struct test_bus test;
    test_bus_open(&test, address);
    RUN_UNTIL(test.downs == 1);
    CHECK(strstr(test.why, reason) != NULL);
    CHECK(strncmp(test.why, "redis ", 6) == 0);
    CHECK(!strstr(test.why, "hunter2"));
    CHECK_INT(test.ups, 0);
    test_bus_close(&test);
}

static void without_password(void)
{
    works(tcp("", ""));
    works(tcp(":@", "/"));
    works(local("", ""));
}

static void a_password_alone(void)
{
    test_redis_do(&redis, "CONFIG SET requirepass s3:cret@");
    works(tcp(":s3:cret@@", ""));
    works(tcp(":s3%3acret%40@", "/1"));
    works(local(":s3%3acret%40@", ""));
    fails(tcp(":hunter2@", ""), "WRONGPASS");
    fails(tcp("", ""), "NOAUTH");
    test_redis_do(&redis, "CONFIG SET requirepass %s", "");
}

static void a_user_with_a_password(void)
{
    test_redis_do(&redis, "ACL SETUSER ann on >pw ~* &* +@all");
    test_redis_do(&redis, "ACL SETUSER open on nopass ~* &* +@all");
    test_redis_do(&redis, "CONFIG SET requirepass other");
    works(tcp("ann:pw@", ""));
    works(local("ann:pw@", "?db=2"));
    works(tcp("open:@", ""));
    fails(tcp("ann:hunter2@", ""), "WRONGPASS");
    fails(tcp("nobody:hunter2@", ""), "WRONGPASS");
    test_redis_do(&redis, "CONFIG SET requirepass %s", "");
}

static void a_password_that_becomes_right(void)
{
    struct test_bus test;
    test_bus_open(&test, tcp("late:pw@", ""));
    RUN_UNTIL(test.downs == 1);
    test_redis_do(&redis, "ACL SETUSER late on >pw ~* &* +@all");
    RUN_UNTIL(arda_bus_is_up(test.bus));
    CHECK_INT(test.ups, 1);
    CHECK_INT(test.downs, 1);
    test_bus_close(&test);
}

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    int *done = data;
    *done = result == 0 && reply->type != REDIS_REPLY_ERROR ? 1 : -1;
}

static void the_database_is_selected(void)
{
    const char *set[] = {"SET", "key", "value"};
    struct test_bus test;
    int done = 0;
    test_redis_do(&redis, "FLUSHALL");
    test_bus_up(&test, tcp("", "/7"));
    CHECK_INT(arda_bus_command(test.bus, 3, set, NULL, on_reply, &done), 0);
    RUN_UNTIL(done == 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS key"), 0);
    test_redis_do(&redis, "SELECT 7");
    CHECK_INT(test_redis_number(&redis, "EXISTS key"), 1);
    test_redis_do(&redis, "SELECT 0");
    test_bus_close(&test);
    works(local("", "?db=7"));
    fails(tcp("", "/9999"), "DB index is out of range");
}

static int clients_named(const char *name)
{
    char field[64];
    int count = 0;
    snprintf(field, sizeof field, " name=%s ", name);
    redisReply *reply = test_redis_ask(&redis, "CLIENT LIST");
    for (const char *at = reply->str; (at = strstr(at, field)); at++)
        count++;
    freeReplyObject(reply);
    return count;
}

static void check_name(const char *address, int count)
{
    struct test_bus test = {0};
    const struct arda_bus_options options = {.url = address, .name = "gate-1"};
    CHECK_INT(arda_bus_new(&test_loop, &options, &test.bus, NULL), 0);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    CHECK_INT(clients_named("gate-1"), count);
    CHECK_INT(clients_named("gate-1:subscriptions"), count);
    test_bus_close(&test);
}

static void connections_have_a_name_where_it_is_allowed(void)
{
    check_name(tcp("", ""), 1);
    test_redis_do(&redis, "ACL SETUSER shy on >pw ~* &* +@all -client|setname");
    check_name(tcp("shy:pw@", ""), 0);
}

static void the_prefix_is_that_of_the_channels(void)
{
    struct test_bus test = {0};
    struct test_ear ear;
    const struct arda_bus_options options = {.url = tcp("", ""), .prefix = "acme:arda"};
    CHECK_INT(arda_bus_new(&test_loop, &options, &test.bus, NULL), 0);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    CHECK_STR(arda_bus_prefix(test.bus), "acme:arda");
    test_ear_up(&ear, test.bus, "t1");
    test_redis_do(&redis, "PUBLISH acme:arda:events:t1 %s", "{\"type\":\"a\"}");
    RUN_UNTIL(ear.messages == 1);
    test_bus_close(&test);
}

static void addresses_that_lead_nowhere(void)
{
    snprintf(url, sizeof url, "unix://%s/none.sock", redis.folder);
    fails(url, "No such file or directory");
    fails("redis://127.0.0.1:1", "Connection refused");
    snprintf(url, sizeof url, "unix:///%0150d", 0);
    fails(url, "File name too long");
}

static void options_that_make_no_sense(void)
{
    static const struct arda_bus_options bad[] = {
        {.url = "rediss://127.0.0.1"},
        {.url = "127.0.0.1"},
        {.url = "redis://127.0.0.1", .prefix = ""},
        {.url = "redis://127.0.0.1", .prefix = "a b"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arda_bus *bus = NULL;
        struct base_why why = {0, ""};
        CHECK_INT(arda_bus_new(&test_loop, &bad[i], &bus, &why), BASE_ERR_CONFIG);
        CHECK(why.text[0] != '\0' && !bus);
    }
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
    RUN(without_password);
    RUN(a_password_alone);
    RUN(a_user_with_a_password);
    RUN(a_password_that_becomes_right);
    RUN(the_database_is_selected);
    RUN(connections_have_a_name_where_it_is_allowed);
    RUN(the_prefix_is_that_of_the_channels);
    RUN(addresses_that_lead_nowhere);
    RUN(options_that_make_no_sense);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
