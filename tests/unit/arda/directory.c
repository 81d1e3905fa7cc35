/* SPDX-License-Identifier: ISC
 *
 * Questions, entries and lists of the directory, in a real Redis.
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
    CHECK_INT(ask(arda_directory_put), 0);
}

static void entries_that_make_no_sense_are_told(void)
{
    test_redis_do(&redis, "HSET arda:users:t1 u1 nonsense");
    parse(USER "}");
    CHECK_INT(get(), BASE_ERR_SYNTAX);
    CHECK(done.why[0] != '\0');
}

/* ---- lists ---- */

static struct base_buf listed;

static void on_tenant(void *data, const char *tenant, size_t len)
{
    (void)data;
    CHECK_INT(base_buf_printf(&listed, "%.*s\n", (int)len, tenant), 0);
}

static void on_line(void *data, const struct arda_directory_line *one)
{
    (void)data;
    CHECK_INT(arda_directory_line_write(&listed, one), 0);
    CHECK_INT(base_buf_add_byte(&listed, '\n'), 0);
}

static void on_bad(void *data, const struct base_why *why)
{
    (void)data;
    CHECK_INT(base_buf_printf(&listed, "bad %s\n", why->text), 0);
}

static const struct arda_directory_list list = {on_tenant, on_line, on_bad, on_done, &done};

static int list_tenants(void)
{
    done = (struct done){0};
    listed.len = 0;
    CHECK_INT(arda_directory_tenants(test.bus, &list), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

static int list_entries(const char *tenant, enum arda_directory_kind kind)
{
    done = (struct done){0};
    listed.len = 0;
    CHECK_INT(arda_directory_entries(test.bus, tenant, kind, &list), 0);
    RUN_UNTIL(done.calls == 1);
    return done.result;
}

static void check_listed(const char *want)
{
    CHECK_BYTES(listed.len ? listed.data : "", listed.len, want);
}

static void lists_are_sorted_by_bytes(void)
{
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(list_tenants(), 0);
    check_listed("");
    test_redis_do(&redis, "SADD arda:tenants b B a ab A0 10 9");
    CHECK_INT(list_tenants(), 0);
    check_listed("10\n9\nA0\nB\na\nab\nb\n");
    test_redis_do(&redis, "SADD arda:loops:t1 l2 l10 l1");
    CHECK_INT(list_entries("t1", ARDA_DIRECTORY_LOOP), 0);
    check_listed("{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"l1\"}\n"
                 "{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"l10\"}\n"
                 "{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"l2\"}\n");
    test_redis_do(&redis, "HSET arda:users:t1 u2 %s u1 %s", "{}", "{\"active\":false}");
    CHECK_INT(list_entries("t1", ARDA_DIRECTORY_USER), 0);
    check_listed("{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u1\",\"active\":false}\n"
                 "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u2\",\"active\":true}\n");
    CHECK_INT(list_entries("t2", ARDA_DIRECTORY_USER), 0);
    check_listed("");
}

static void bad_entries_do_not_hide_good_ones(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:loops:t1 ok %s", "not an id");
    CHECK_INT(list_entries("t1", ARDA_DIRECTORY_LOOP), 0);
    check_listed("bad tenant t1: loop not an id: not an id\n"
                 "{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"ok\"}\n");
    test_redis_do(&redis, "HSET arda:users:t1 u1 %s u2 %s", "{\"email\":5}", "{}");
    CHECK_INT(list_entries("t1", ARDA_DIRECTORY_USER), 0);
    check_listed("bad tenant t1: user u1: email: expected an address, got 5\n"
                 "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u2\",\"active\":true}\n");
}

static void lists_that_cannot_be_read_say_so(void)
{
    test_redis_do(&redis, "SET arda:tenants x");
    CHECK_INT(list_tenants(), BASE_ERR_INTERNAL);
    CHECK(strstr(done.why, "WRONGTYPE") != NULL);
    test_redis_do(&redis, "DEL arda:users:t1");
    test_redis_do(&redis, "SET arda:users:t1 x");
    CHECK_INT(list_entries("t1", ARDA_DIRECTORY_USER), BASE_ERR_INTERNAL);
    CHECK(strstr(done.why, "WRONGTYPE") != NULL);
    CHECK_INT(arda_directory_entries(test.bus, "a b", ARDA_DIRECTORY_USER, &list),
              BASE_ERR_INVALID);
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
    CHECK_INT(arda_directory_tenants(fresh.bus, &list), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_directory_entries(fresh.bus, "t1", ARDA_DIRECTORY_LOOP, &list),
              BASE_ERR_UNAVAILABLE);
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
    RUN(lists_are_sorted_by_bytes);
    RUN(bad_entries_do_not_hide_good_ones);
    RUN(lists_that_cannot_be_read_say_so);
    RUN(nothing_is_asked_while_redis_is_away);
    RUN(a_lost_answer_is_told);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
