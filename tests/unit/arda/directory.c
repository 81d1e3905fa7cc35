/* SPDX-License-Identifier: ISC
 *
 * Questions and entries of the directory, in a real Redis.
 */
#include "arda/directory.h"

#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

/* ---- questions ---- */

static int answers, answer;

static void on_answer(void *data, int result)
{
    CHECK(data == &answers);
    answers++;
    answer = result;
}

static int has_loop(const char *tenant, const char *loop)
{
    answers = 0;
    arda_directory_has_loop(test.bus, tenant, strlen(tenant), loop, strlen(loop), on_answer,
                            &answers);
    RUN_UNTIL(answers == 1);
    return answer;
}

static int has_tenant(const char *tenant)
{
    answers = 0;
    arda_directory_has_tenant(test.bus, tenant, strlen(tenant), on_answer, &answers);
    RUN_UNTIL(answers == 1);
    return answer;
}

static void loops_belong_to_their_tenant(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:loops:t1 l1 l2");
    test_redis_do(&redis, "SADD arda:tenants t1");
    CHECK_INT(has_loop("t1", "l1"), 1);
    CHECK_INT(has_loop("t1", "l3"), 0);
    CHECK_INT(has_loop("t2", "l1"), 0);
    CHECK_INT(has_loop("t1", ""), 0);
    CHECK_INT(has_tenant("t1"), 1);
    CHECK_INT(has_tenant("t2"), 0);
}

static void a_directory_that_cannot_be_read_says_so(void)
{
    test_redis_do(&redis, "SET arda:loops:t1 x");
    CHECK_INT(has_loop("t1", "l1"), BASE_ERR_INTERNAL);
    base_mem_fail(1, 1);
    answers = 0;
    arda_directory_has_tenant(test.bus, "t1", 2, on_answer, &answers);
    base_mem_fail(0, 0);
    CHECK_INT(answers, 1);
    CHECK_INT(answer, BASE_ERR_NOMEM);
}

static void without_redis_the_answer_comes_at_once(void)
{
    struct test_bus fresh;
    test_bus_open(&fresh, redis.url);
    answers = 0;
    arda_directory_has_loop(fresh.bus, "t1", 2, "l1", 2, on_answer, &answers);
    CHECK_INT(answers, 1);
    CHECK_INT(answer, BASE_ERR_UNAVAILABLE);
    test_bus_close(&fresh);
}

/* ---- entries ---- */

struct done {
    int calls, result;
    char why[256];
};

static void on_done(void *data, int result, const struct base_why *why)
{
    struct done *done = data;
    done->calls++;
    done->result = result;
    snprintf(done->why, sizeof done->why, "%s", result ? why->text : "");
}

static struct done done;
static struct arda_directory_line line;

static void parse(const char *text)
{
    struct base_why why = {0, ""};
    CHECK_INT(arda_directory_line_parse(text, strlen(text), &line, &why), 0);
    CHECK_STR(why.text, "");
}

typedef int (*request_fn)(struct arda_bus *bus, const struct arda_directory_line *line,
                          arda_directory_done_fn on_done, void *data);

static int ask(request_fn request)
{
    done = (struct done){0};
    CHECK_INT(request(test.bus, &line, on_done, &done), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

static int get(void)
{
    done = (struct done){0};
    CHECK_INT(arda_directory_get(test.bus, &line, on_done, &done), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

#define USER "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u1\""
#define LOOP "{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"l1\"}"

static void entries_come_back_as_they_were_put(void)
{
    test_redis_do(&redis, "FLUSHALL");
    parse(USER ",\"email\":\"a@b\",\"name\":\"first\"}");
    CHECK_INT(ask(arda_directory_put), 0);
    parse(USER ",\"email\":\"a@b\",\"name\":\"second\",\"x\":{}}");
    CHECK_INT(ask(arda_directory_put), 0);
    redisReply *reply = test_redis_ask(&redis, "HGET arda:users:t1 u1");
    CHECK_STR(reply->str, "{\"email\":\"a@b\",\"active\":true,\"name\":\"second\",\"x\":{}}");
    freeReplyObject(reply);
    parse(USER "}");
    CHECK_INT(get(), 0);
    CHECK_BYTES(line.value.data, line.value.len,
                "{\"email\":\"a@b\",\"active\":true,\"name\":\"second\",\"x\":{}}");
    parse(LOOP);
    CHECK_INT(ask(arda_directory_put), 0);
    CHECK_INT(get(), 0);
    CHECK_INT(has_loop("t1", "l1"), 1);
    CHECK_INT(has_tenant("t1"), 1);
}

static void what_is_removed_is_not_found(void)
{
    static const char *const lines[] = {USER "}", LOOP};
    for (size_t i = 0; i < 2; i++) {
        parse(lines[i]);
        CHECK_INT(ask(arda_directory_put), 0);
        CHECK_INT(ask(arda_directory_remove), 0);
        CHECK_INT(ask(arda_directory_remove), BASE_ERR_NOTFOUND);
        CHECK_STR(done.why, "not found");
        CHECK_INT(get(), BASE_ERR_NOTFOUND);
        CHECK_STR(done.why, "not found");
    }
    CHECK_INT(has_tenant("t1"), 1); /* stays known */
}

static void keys_of_another_type_are_told(void)
{
    static const char *const lines[] = {USER "}", LOOP};
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:users:t1 x");
    test_redis_do(&redis, "SET arda:loops:t1 x");
    for (size_t i = 0; i < 2; i++) {
        parse(lines[i]);
        CHECK_INT(ask(arda_directory_put), BASE_ERR_INTERNAL);
        CHECK(strstr(done.why, "WRONGTYPE") && strncmp(done.why, "redis 127.0.0.1:", 16) == 0);
        CHECK_INT(ask(arda_directory_remove), BASE_ERR_INTERNAL);
        CHECK(strstr(done.why, "WRONGTYPE") != NULL);
        CHECK_INT(get(), BASE_ERR_INTERNAL);
        CHECK(strstr(done.why, "WRONGTYPE") != NULL);
    }
}

/* The first of a request's commands may be the one that fails. */
static void the_cause_is_that_of_the_first_failure(void)
{
    int ups = test.ups;
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:tenants x");
    parse(LOOP);
    CHECK_INT(ask(arda_directory_put), BASE_ERR_INTERNAL);
    CHECK(strstr(done.why, "WRONGTYPE") != NULL);
    test_redis_do(&redis, "DEL arda:tenants");
    test_redis_do(&redis, "REPLICAOF 127.0.0.1 1");
    CHECK_INT(ask(arda_directory_put), BASE_ERR_AGAIN);
    CHECK(strstr(done.why, "READONLY") != NULL);
    test_redis_do(&redis, "REPLICAOF NO ONE");
    RUN_UNTIL(test.ups == ups + 1); /* the server was left, and is a primary again */
    CHECK_INT(ask(arda_directory_put), 0);
}

static void entries_that_make_no_sense_are_told(void)
{
    test_redis_do(&redis, "HSET arda:users:t1 u1 nonsense");
    parse(USER "}");
    CHECK_INT(get(), BASE_ERR_SYNTAX);
    CHECK(done.why[0] != '\0');
}

/* ---- tenants ---- */

static struct base_buf listed;

static void on_tenant(void *data, const char *tenant, size_t len)
{
    CHECK(data == &done);
    CHECK_INT(base_buf_printf(&listed, "%.*s\n", (int)len, tenant), 0);
}

static int list_tenants(void)
{
    done = (struct done){0};
    listed.len = 0;
    CHECK_INT(arda_directory_tenants(test.bus, on_tenant, on_done, &done), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

static void tenants_are_sorted_by_bytes(void)
{
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(list_tenants(), 0);
    CHECK_INT(listed.len, 0);
    test_redis_do(&redis, "SADD arda:tenants b B a ab A0 10 9");
    CHECK_INT(list_tenants(), 0);
    CHECK_BYTES(listed.data, listed.len, "10\n9\nA0\nB\na\nab\nb\n");
    test_redis_do(&redis, "DEL arda:tenants");
    test_redis_do(&redis, "SET arda:tenants x");
    CHECK_INT(list_tenants(), BASE_ERR_INTERNAL);
    CHECK(strstr(done.why, "WRONGTYPE") != NULL);
}

/* ---- several entries in one step ---- */

static struct arda_directory_batch *batch;

static int store(bool replace)
{
    done = (struct done){0};
    CHECK_INT(arda_directory_batch_store(test.bus, batch, replace, on_done, &done), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

static void add(const char *text)
{
    parse(text);
    CHECK_INT(arda_directory_batch_add(batch, &line), 0);
}

static void a_batch_is_stored_again_without_harm(void)
{
    test_redis_do(&redis, "FLUSHALL");
    batch = arda_directory_batch_new("t1");
    for (int round = 0; round < 2; round++) {
        CHECK_INT(store(false), 0); /* empty, and then as it was */
        add(USER ",\"name\":\"former\"}");
        add(LOOP);
        add(USER ",\"name\":\"later\"}");
    }
    CHECK_INT(store(false), 0);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:users:t1"), 1);
    CHECK_INT(test_redis_number(&redis, "SCARD arda:loops:t1"), 1);
    CHECK_INT(test_redis_number(&redis, "SISMEMBER arda:tenants t1"), 1);
    redisReply *reply = test_redis_ask(&redis, "MGET arda:version:t1 arda:version:t2");
    CHECK_STR(reply->element[0]->str, "2"); /* the third time nothing changes */
    CHECK_INT(reply->element[1]->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
    parse(USER "}");
    CHECK_INT(get(), 0);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":true,\"name\":\"later\"}");
    arda_directory_batch_free(batch);
}

static void replacing_removes_what_was_not_added(void)
{
    static const char *const others[] = {
        "HSET arda:users:t1 u7 {}",   "SADD arda:loops:t1 l7",     "HSET arda:preferences:t1 x 1",
        "HSET arda:webhook:t1 url x", "HSET arda:digest:t1 *:* x", "HSET arda:quiet:t1 * x"};
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:loops:t2 l7");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        test_redis_do(&redis, others[i]);
    batch = arda_directory_batch_new("t1");
    add(LOOP);
    add(USER "}");
    CHECK_INT(store(false), 0);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:users:t1"), 2);
    CHECK_INT(store(true), 0);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:users:t1"), 1);
    CHECK_INT(test_redis_number(&redis, "SCARD arda:loops:t1"), 1);
    CHECK_INT(test_redis_number(&redis, "SISMEMBER arda:loops:t1 l1"), 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:preferences:t1 arda:webhook:t1 arda:digest:t1 "
                                        "arda:quiet:t1"),
              0);
    CHECK_INT(test_redis_number(&redis, "SCARD arda:loops:t2"), 1);
    arda_directory_batch_free(batch);
    arda_directory_batch_free(NULL);
}

static void many_entries_take_several_commands(void)
{
    test_redis_do(&redis, "FLUSHALL");
    batch = arda_directory_batch_new("t1");
    for (int i = 0; i < 2500; i++) {
        char text[160];
        snprintf(text, sizeof text, "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u%d\"}",
                 i);
        add(text);
    }
    CHECK_INT(store(true), 0);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:users:t1"), 2500);
    arda_directory_batch_free(batch);
}

static void a_removed_tenant_leaves_its_version(void)
{
    test_redis_do(&redis, "FLUSHALL");
    parse(USER "}");
    CHECK_INT(ask(arda_directory_put), 0);
    parse(LOOP);
    CHECK_INT(ask(arda_directory_put), 0);
    parse("{\"kind\":\"tenant\",\"tenantId\":\"t1\"}");
    CHECK_INT(get(), 0);
    CHECK_INT(ask(arda_directory_remove), 0);
    CHECK_INT(get(), BASE_ERR_NOTFOUND);
    CHECK_INT(ask(arda_directory_remove), BASE_ERR_NOTFOUND);
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 1);
    CHECK_INT(test_redis_number(&redis, "INCR arda:version:t1"), 4);
    test_redis_do(&redis, "SADD arda:loops:t1 l1"); /* of a tenant that is not in the set */
    CHECK_INT(ask(arda_directory_remove), 0);
}

/* ---- the version ---- */

/* How often the version has been raised by what was done since the last call. */
static long long raised(void)
{
    static long long last;
    long long now = test_redis_number(&redis, "INCRBY arda:version:t1 0"), was = last;
    last = now;
    return now - was;
}

#define HOOK   "{\"kind\":\"webhook\",\"tenantId\":\"t1\",\"url\":\"https://a.example\","
#define SECRET "\"secret\":\"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\"}"

static void a_version_comes_with_a_change_and_with_nothing_else(void)
{
    static const char *const lines[] = {LOOP, USER "}", HOOK SECRET,
                                        "{\"kind\":\"tenant\",\"tenantId\":\"t1\"}"};
    test_redis_do(&redis, "FLUSHALL");
    raised();
    for (size_t i = 0; i < 3; i++) {
        parse(lines[i]);
        CHECK_INT(ask(arda_directory_put), 0);
        CHECK_INT(raised(), 1);
        CHECK_INT(ask(arda_directory_put), 0);
        CHECK_INT(raised(), 0);
    }
    parse(lines[3]);
    CHECK_INT(ask(arda_directory_put), 0);
    CHECK_INT(raised(), 0);
    for (size_t i = 0; i < 4; i++) {
        parse(lines[i]);
        CHECK_INT(ask(arda_directory_remove), 0);
        CHECK_INT(raised(), 1);
        CHECK_INT(ask(arda_directory_remove), BASE_ERR_NOTFOUND);
        CHECK_INT(raised(), 0);
    }
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 1);
}

static void replacing_by_the_same_is_no_change(void)
{
    test_redis_do(&redis, "FLUSHALL");
    raised();
    batch = arda_directory_batch_new("t1");
    for (int i = 0; i < 2500; i++) {
        char text[160];
        snprintf(text, sizeof text, "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u%d\"}",
                 i);
        add(text);
    }
    add(LOOP);
    add(HOOK SECRET);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(store(true), 0);
        CHECK_INT(raised(), round == 0);
    }
    test_redis_do(&redis, "HSET arda:users:t1 u2499 {}");
    CHECK_INT(store(true), 0);
    CHECK_INT(raised(), 1);
    test_redis_do(&redis, "HSET arda:users:t1 u2500 {}");
    CHECK_INT(store(true), 0);
    CHECK_INT(raised(), 1);
    test_redis_do(&redis, "SADD arda:loops:t1 l2");
    CHECK_INT(store(true), 0);
    CHECK_INT(raised(), 1);
    test_redis_do(&redis, "SET arda:quiet:t1 x");
    CHECK_INT(store(true), 0);
    CHECK_INT(raised(), 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:quiet:t1"), 0);
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 5); /* tenants, version, three kinds */
    arda_directory_batch_free(batch);
}

/* However it was stored: a member that a webhook lacks is an empty field. */
static void replacing_what_was_put_by_the_same_is_no_change(void)
{
    test_redis_do(&redis, "FLUSHALL");
    raised();
    parse(HOOK SECRET);
    CHECK_INT(ask(arda_directory_put), 0);
    CHECK_INT(raised(), 1);
    batch = arda_directory_batch_new("t1");
    add(HOOK SECRET);
    CHECK_INT(store(true), 0);
    CHECK_INT(raised(), 0);
    arda_directory_batch_free(batch);
}

/* The earlier one of two lines with an id does not count, not even for a while. */
static void the_later_line_of_an_id_may_be_the_one_that_is_there(void)
{
    test_redis_do(&redis, "FLUSHALL");
    parse(USER ",\"name\":\"later\"}");
    CHECK_INT(ask(arda_directory_put), 0);
    raised();
    batch = arda_directory_batch_new("t1");
    add(USER ",\"name\":\"former\"}");
    add(USER ",\"name\":\"later\"}");
    CHECK_INT(store(false), 0);
    CHECK_INT(raised(), 0);
    parse(USER "}");
    CHECK_INT(get(), 0);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":true,\"name\":\"later\"}");
    arda_directory_batch_free(batch);
}

static void a_version_that_is_no_number_begins_again(void)
{
    static const char *const spoiled[] = {"SET arda:version:t1 07",
                                          "SET arda:version:t1 x",
                                          "SET arda:version:t1 -2",
                                          "SET arda:version:t1 9223372036854775807",
                                          "SET arda:version:t1 99999999999999999999",
                                          "RPUSH arda:version:t1 1"};
    for (size_t i = 0; i < sizeof spoiled / sizeof spoiled[0]; i++) {
        test_redis_do(&redis, "FLUSHALL");
        test_redis_do(&redis, spoiled[i]);
        parse(LOOP);
        CHECK_INT(ask(arda_directory_put), 0);
        long long version = test_redis_number(&redis, "INCR arda:version:t1");
        CHECK(version > 1700000000000000 && version < INT64_MAX / 2);
    }
}

/* ---- without Redis, without memory ---- */

static void nothing_is_asked_while_redis_is_away(void)
{
    struct test_bus fresh;
    test_bus_open(&fresh, redis.url);
    done = (struct done){0};
    parse(LOOP);
    CHECK_INT(arda_directory_put(fresh.bus, &line, on_done, &done), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_directory_remove(fresh.bus, &line, on_done, &done), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_directory_get(fresh.bus, &line, on_done, &done), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_directory_tenants(fresh.bus, on_tenant, on_done, &done), BASE_ERR_UNAVAILABLE);
    test_bus_close(&fresh);
    CHECK_INT(done.calls, 0);
}

static void a_lost_answer_is_told(void)
{
    struct test_bus fresh;
    test_bus_up(&fresh, redis.url);
    parse(LOOP);
    done = (struct done){0};
    test_redis_stop(&redis);
    CHECK_INT(arda_directory_put(fresh.bus, &line, on_done, &done), 0);
    RUN_UNTIL(done.calls == 1);
    CHECK_INT(done.result, BASE_ERR_CLOSED);
    CHECK(done.why[0] != '\0');
    test_bus_close(&fresh);
    test_redis_start(&redis);
    RUN_UNTIL(arda_bus_is_up(test.bus));
}

/* A request either fails at once or calls back, never both. */
static void survives_every_failing_allocation(void)
{
    static const request_fn requests[] = {arda_directory_put, arda_directory_remove};
    test_redis_do(&redis, "FLUSHALL");
    parse(USER ",\"name\":\"n\"}");
    for (size_t i = 0; i < 2; i++)
        for (long n = 1; n < 30; n++) {
            struct test_bus fresh;
            test_bus_up(&fresh, redis.url);
            done = (struct done){0};
            base_mem_fail(n, 1);
            int result = requests[i](fresh.bus, &line, on_done, &done);
            base_mem_fail(0, 0);
            CHECK(result == 0 || result == BASE_ERR_NOMEM);
            if (!result)
                RUN_UNTIL(done.calls == 1);
            test_bus_close(&fresh);
            CHECK_INT(done.calls, result == 0);
        }
}

static void ends_without_an_open_handle(void)
{
    arda_directory_line_fini(&line);
    base_buf_fini(&listed);
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
    RUN(loops_belong_to_their_tenant);
    RUN(a_directory_that_cannot_be_read_says_so);
    RUN(without_redis_the_answer_comes_at_once);
    RUN(entries_come_back_as_they_were_put);
    RUN(what_is_removed_is_not_found);
    RUN(keys_of_another_type_are_told);
    RUN(the_cause_is_that_of_the_first_failure);
    RUN(entries_that_make_no_sense_are_told);
    RUN(tenants_are_sorted_by_bytes);
    RUN(a_batch_is_stored_again_without_harm);
    RUN(replacing_removes_what_was_not_added);
    RUN(many_entries_take_several_commands);
    RUN(a_removed_tenant_leaves_its_version);
    RUN(a_version_comes_with_a_change_and_with_nothing_else);
    RUN(replacing_by_the_same_is_no_change);
    RUN(replacing_what_was_put_by_the_same_is_no_change);
    RUN(the_later_line_of_an_id_may_be_the_one_that_is_there);
    RUN(a_version_that_is_no_number_begins_again);
    RUN(nothing_is_asked_while_redis_is_away);
    RUN(a_lost_answer_is_told);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
