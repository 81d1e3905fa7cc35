/* SPDX-License-Identifier: ISC
 *
 * Publications that must not happen twice: marks by id, marks of a run, and the fence between two
 * connections.
 */
#include "arda/name/keys.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"
#include "lib/strait.h"

#define MESSAGE  "{\"type\":\"a\"}"
#define ENVELOPE "{\"id\":\"e1\",\"event\":" MESSAGE "}"

static struct test_redis redis;
static struct test_bus test;
static struct test_publication answer, other;

static struct arda_publication marked(const char *tenant, const char *id)
{
    return (struct arda_publication){
        .tenant = test_slice(tenant),
        .event_id = test_slice(id),
        .message = test_slice(MESSAGE),
        .envelope = test_slice(ENVELOPE),
        .type = test_slice("card.transition"),
        .source = test_slice("tests"),
        .timestamp = test_slice("2026-02-08T12:00:00.000Z"),
        .dedupe_for_ms = 60000,
    };
}

static int ask(struct arda_bus *bus, const struct arda_publication *publication,
               struct test_publication *to)
{
    *to = (struct test_publication){0};
    return arda_bus_publish(bus, publication, test_on_published, to);
}

static int publish(const struct arda_publication *publication)
{
    CHECK_INT(ask(test.bus, publication, &answer), 0);
    RUN_UNTIL(answer.answers == 1);
    return answer.result;
}

static int publish_once(const char *tenant, const char *id)
{
    struct arda_publication publication = marked(tenant, id);
    return publish(&publication);
}

static long long entries(const char *tenant)
{
    return test_redis_number(&redis, "XLEN arda:stream:%s", tenant);
}

/* ---- by id ---- */

static void a_marked_id_is_published_once(void)
{
    struct test_ear tenant, global;
    struct arda_bus_stats before, after;
    char first[64];
    arda_bus_get_stats(test.bus, &before);
    test_ear_up(&tenant, test.bus, "t-once");
    test_ear_up(&global, test.bus, NULL);
    CHECK_INT(publish_once("t-once", "e-1"), ARDA_PUBLISHED);
    CHECK(answer.stream_id[0] != '\0');
    snprintf(first, sizeof first, "%s", answer.stream_id);
    CHECK_INT(publish_once("t-once", "e-1"), ARDA_DUPLICATE);
    CHECK_STR(answer.stream_id, first);
    CHECK_INT(publish_once("t-once", "e-2"), ARDA_PUBLISHED);
    RUN_UNTIL(tenant.messages == 2 && global.messages == 2);
    CHECK_STR(tenant.text, MESSAGE);
    CHECK_INT(entries("t-once"), 2);
    long long left_ms = test_redis_number(&redis, "PTTL arda:dedupe:t-once:e-1");
    CHECK(left_ms > 0 && left_ms <= 60000);
    arda_bus_get_stats(test.bus, &after);
    CHECK_INT(after.published - before.published, 2);
    arda_bus_unsubscribe(tenant.subscription);
    arda_bus_unsubscribe(global.subscription);
}

static void check_same_entries(const char *one, const char *two)
{
    redisReply *replies[] = {test_redis_ask(&redis, "XRANGE arda:stream:%s - +", one),
                             test_redis_ask(&redis, "XRANGE arda:stream:%s - +", two)};
    CHECK_INT(replies[0]->elements, replies[1]->elements);
    for (size_t i = 0; i < replies[0]->elements; i++) {
        redisReply *first = replies[0]->element[i]->element[1];
        redisReply *second = replies[1]->element[i]->element[1];
        CHECK_INT(first->elements, second->elements);
        for (size_t j = 0; j < first->elements; j++)
            CHECK_STR(first->element[j]->str, second->element[j]->str);
    }
    freeReplyObject(replies[0]);
    freeReplyObject(replies[1]);
}

static void the_entry_is_that_of_a_plain_publication(void)
{
    struct arda_publication plain = marked("t-plain", "e-1");
    plain.dedupe_for_ms = 0;
    CHECK_INT(publish(&plain), ARDA_PUBLISHED);
    publish_once("t-marked", "e-1");
    check_same_entries("t-plain", "t-marked");
}

static void marks_belong_to_their_tenant(void)
{
    publish_once("t-a", "e-1");
    CHECK_INT(publish_once("t-b", "e-1"), ARDA_PUBLISHED);
    CHECK_INT(publish_once("", "e-1"), ARDA_PUBLISHED);
    CHECK_STR(answer.stream_id, "");
    CHECK_INT(publish_once("", "e-1"), ARDA_DUPLICATE);
    CHECK_STR(answer.stream_id, "");
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:dedupe:global:e-1"), 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:stream:global"), 0);
}

static void names_that_are_none_are_refused_at_once(void)
{
    struct arda_publication publication = marked("t-a", "");
    CHECK_INT(ask(test.bus, &publication, &answer), BASE_ERR_INVALID);
    publication.event_id = test_slice("a b");
    CHECK_INT(ask(test.bus, &publication, &answer), BASE_ERR_INVALID);
    publication.run = test_slice("a:b");
    CHECK_INT(ask(test.bus, &publication, &answer), BASE_ERR_INVALID);
    CHECK_INT(answer.answers, 0);
}

static void a_forgotten_script_is_sent_again(void)
{
    publish_once("t-flush", "e-1");
    test_redis_do(&redis, "SCRIPT FLUSH");
    CHECK_INT(publish_once("t-flush", "e-2"), ARDA_PUBLISHED);
    CHECK_INT(entries("t-flush"), 2);
    CHECK_INT(publish_once("t-flush", "e-2"), ARDA_DUPLICATE);
}

static void the_stream_is_bounded(void)
{
    struct arda_publication publication = marked("t-bound", "e-1");
    char id[16];
    publication.max_len = 100; /* Redis cuts by whole nodes of 100 */
    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof id, "e-%d", i);
        publication.event_id = test_slice(id);
        publish(&publication);
    }
    CHECK(entries("t-bound") >= 100 && entries("t-bound") < 300);
}

/* ---- of a run ---- */

static struct arda_publication of_run(const char *tenant, uint64_t number)
{
    struct arda_publication publication = marked(tenant, "e-run");
    publication.run = test_slice("run-1");
    publication.number = number;
    return publication;
}

static void a_run_asks_only_when_it_sends_again(void)
{
    struct arda_publication publication = of_run("t-run", 7);
    CHECK_INT(publish(&publication), ARDA_PUBLISHED);
    CHECK(answer.stream_id[0] != '\0');
    CHECK_INT(test_redis_number(&redis, "GETBIT arda:run:run-1:0 7"), 1);
    CHECK_INT(test_redis_number(&redis, "BITCOUNT arda:run:run-1:0"), 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:dedupe:t-run:e-run"), 0);
    long long left_ms = test_redis_number(&redis, "PTTL arda:run:run-1:0");
    CHECK(left_ms > 60000 && left_ms <= 120000);
    publication.again = true;
    CHECK_INT(publish(&publication), ARDA_DUPLICATE);
    CHECK_STR(answer.stream_id, "");
    CHECK_INT(entries("t-run"), 1);
    publication.number = 8;
    CHECK_INT(publish(&publication), ARDA_PUBLISHED);
    CHECK(answer.stream_id[0] != '\0');
    CHECK_INT(entries("t-run"), 2);
    CHECK_INT(test_redis_number(&redis, "GETBIT arda:run:run-1:0 8"), 1);
}

static void another_chunk_is_another_key(void)
{
    struct arda_publication publication = of_run("", ARDA_RUN_CHUNK + 3);
    CHECK_INT(publish(&publication), ARDA_PUBLISHED);
    CHECK_INT(test_redis_number(&redis, "GETBIT arda:run:run-1:1 3"), 1);
    CHECK(test_redis_number(&redis, "PTTL arda:run:run-1:1") > 60000);
    publication.again = true;
    CHECK_INT(publish(&publication), ARDA_DUPLICATE);
    publication.number++;
    CHECK_INT(publish(&publication), ARDA_PUBLISHED);
    arda_bus_forget_run(test.bus, publication.run, publication.number);
    RUN_UNTIL(test_redis_number(&redis, "EXISTS arda:run:run-1:0 arda:run:run-1:1") == 0);
}

static void both_forms_go_in_one_step(void)
{
    for (int again = 0; again < 2; again++) {
        struct test_ear ear;
        const char *tenant = again ? "t-both-again" : "t-both";
        struct arda_publication publication = of_run(tenant, (uint64_t)again);
        struct arda_publication v1 = marked(tenant, "e-v1");
        v1.message = test_slice("{\"type\":\"v1\"}");
        v1.type = test_slice("v1");
        publication.also = &v1;
        publication.again = again;
        test_ear_up(&ear, test.bus, tenant);
        CHECK_INT(publish(&publication), ARDA_PUBLISHED);
        RUN_UNTIL(ear.messages == 2);
        CHECK_STR(ear.text, "{\"type\":\"v1\"}");
        CHECK_INT(entries(tenant), 2);
        redisReply *reply = test_redis_ask(&redis, "XRANGE arda:stream:%s - + COUNT 1", tenant);
        CHECK_STR(reply->element[0]->element[0]->str, answer.stream_id);
        freeReplyObject(reply);
        arda_bus_unsubscribe(ear.subscription);
    }
    check_same_entries("t-both", "t-both-again");
}

/* ---- refused by Redis ---- */

/* Neither entry nor mark nor message stay behind what was refused. */
static void refused(struct arda_publication publication, const char *setup, const char *undo,
                    int result, const char *reason)
{
    struct test_ear ear;
    test_redis_do(&redis, "FLUSHALL");
    test_ear_up(&ear, test.bus, "t-refused");
    publish_once("t-refused", "e-0");
    test_redis_do(&redis, setup);
    CHECK_INT(publish(&publication), result);
    CHECK(strstr(answer.why, reason) != NULL);
    test_redis_do(&redis, undo);
    if (strcmp(reason, "READONLY") == 0) /* then the server was left */
        RUN_UNTIL(ear.falls == 1 && ear.standing && arda_bus_is_up(test.bus));
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:dedupe:t-refused:e-1"), 0);
    CHECK_INT(test_redis_number(&redis, "GETBIT arda:run:run-1:0 5"), 0);
    CHECK_INT(publish(&publication), ARDA_PUBLISHED);
    RUN_UNTIL(ear.messages == 2);
    CHECK_INT(entries("t-refused"), 2);
    arda_bus_unsubscribe(ear.subscription);
}

static void refused_either_way(const char *setup, const char *undo, int result, const char *reason)
{
    struct arda_publication publication = of_run("t-refused", 5);
    publication.again = true;
    refused(marked("t-refused", "e-1"), setup, undo, result, reason);
    refused(publication, setup, undo, result, reason);
}

static void a_refusal_leaves_no_mark(void)
{
    refused_either_way("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", BASE_ERR_AGAIN, "READONLY");
    refused_either_way("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", BASE_ERR_AGAIN, "OOM");
    refused_either_way("ACL SETUSER default -xadd", "ACL SETUSER default +xadd", BASE_ERR_DENIED,
                       "");
    refused_either_way("ACL SETUSER default -set -setbit", "ACL SETUSER default +set +setbit",
                       BASE_ERR_DENIED, "");
    refused_either_way("ACL SETUSER default -publish", "ACL SETUSER default +publish",
                       BASE_ERR_DENIED, "");
    refused_either_way("ACL SETUSER default -evalsha", "ACL SETUSER default +evalsha",
                       BASE_ERR_DENIED, "NOPERM");
}

static void a_mark_that_is_none_is_told(void)
{
    test_redis_do(&redis, "RPUSH arda:dedupe:t-list:e-1 x");
    CHECK_INT(publish_once("t-list", "e-1"), BASE_ERR_INTERNAL);
    CHECK(strstr(answer.why, "WRONGTYPE") != NULL);
}

/* ---- the fence ---- */

static struct test_strait strait;

static void open_fenced(struct test_bus *fenced)
{
    struct base_why why;
    struct arda_bus_options options = {
        .url = strait.url, .fence = true, .on_state = test_on_state, .data = fenced};
    *fenced = (struct test_bus){0};
    CHECK_INT(arda_bus_new(&test_loop, &options, &fenced->bus, &why), 0);
    RUN_UNTIL(arda_bus_is_up(fenced->bus));
    CHECK_INT(fenced->ups, 1);
}

/* What was sent stays on its way; the connection is lost, made anew, and used again. */
static void lose_and_send_again(struct test_bus *fenced, const char *tenant)
{
    struct arda_publication publication = of_run(tenant, 1);
    test_strait_hold(&strait);
    CHECK_INT(ask(fenced->bus, &publication, &answer), 0);
    RUN_UNTIL(test_strait_holds(&strait, "EXEC"));
    test_strait_cut(&strait);
    RUN_UNTIL(answer.answers == 1);
    CHECK_INT(answer.result, BASE_ERR_CLOSED);
    CHECK_INT(entries(tenant), 0);
    publication.again = true;
    RUN_UNTIL(arda_bus_is_up(fenced->bus));
    CHECK_INT(ask(fenced->bus, &publication, &answer), 0);
    RUN_UNTIL(answer.answers == 1);
    CHECK_INT(answer.result, ARDA_PUBLISHED);
    CHECK_INT(entries(tenant), 1);
}

static void what_was_on_its_way_is_dropped(void)
{
    struct test_bus fenced;
    test_strait_open(&strait, redis.port);
    for (int round = 0; round < 3; round++) {
        open_fenced(&fenced);
        test_redis_do(&redis, "FLUSHALL");
        lose_and_send_again(&fenced, "t-fence");
        test_strait_release(&strait);
        RUN_UNTIL(test_strait_is_released(&strait));
        CHECK_INT(entries("t-fence"), 1);
        test_bus_close(&fenced);
    }
    test_strait_close(&strait);
}

/* The same with a user who must not ask who he is: the bus works, and can promise less. */
static void without_permission_there_is_no_fence(void)
{
    struct test_bus fenced;
    test_strait_open(&strait, redis.port);
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "ACL SETUSER default -client|id");
    open_fenced(&fenced);
    lose_and_send_again(&fenced, "t-open");
    test_strait_release(&strait);
    RUN_UNTIL(test_strait_is_released(&strait));
    CHECK_INT(entries("t-open"), 2);
    test_bus_close(&fenced);
    test_redis_do(&redis, "ACL SETUSER default +client|id -info");
    open_fenced(&fenced);
    test_bus_close(&fenced);
    test_redis_do(&redis, "ACL SETUSER default +info");
    test_strait_close(&strait);
}

/* Another process may have given the number to somebody else. */
static void after_a_restart_nobody_is_killed(void)
{
    struct test_bus fenced;
    test_strait_open(&strait, redis.port);
    open_fenced(&fenced);
    test_redis_stop(&redis);
    RUN_UNTIL(!arda_bus_is_up(fenced.bus));
    test_redis_start(&redis);
    RUN_UNTIL(fenced.ups == 2);
    redisReply *reply = test_redis_ask(&redis, "INFO commandstats");
    CHECK(strstr(reply->str, "client|id") != NULL);
    CHECK(strstr(reply->str, "client|kill") == NULL);
    freeReplyObject(reply);
    test_bus_close(&fenced);
    test_strait_close(&strait);
}

/* ---- memory, the end ---- */

static void survives_every_failing_allocation(struct arda_publication publication)
{
    struct arda_publication another = marked("t1", "another");
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 100; n++) {
        struct test_bus fresh;
        test_redis_do(&redis, "FLUSHALL");
        test_bus_up(&fresh, redis.url);
        base_mem_fail(n, 1);
        result = ask(fresh.bus, &publication, &answer);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK_INT(arda_bus_pending(fresh.bus), result == 0);
        CHECK_INT(ask(fresh.bus, &another, &other), 0);
        RUN_UNTIL(other.answers == 1);
        CHECK_INT(other.result, ARDA_PUBLISHED);
        CHECK_INT(answer.answers, result == 0);
        test_bus_close(&fresh);
    }
    CHECK_INT(result, 0);
    CHECK_INT(answer.result, ARDA_PUBLISHED);
}

static void marks_survive_every_failing_allocation(void)
{
    struct arda_publication run = of_run("t1", 1), v1 = marked("t1", "v1");
    survives_every_failing_allocation(marked("t1", "e-1"));
    run.also = &v1;
    survives_every_failing_allocation(run);
    run.again = true;
    survives_every_failing_allocation(run);
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
    RUN(a_marked_id_is_published_once);
    RUN(the_entry_is_that_of_a_plain_publication);
    RUN(marks_belong_to_their_tenant);
    RUN(names_that_are_none_are_refused_at_once);
    RUN(a_forgotten_script_is_sent_again);
    RUN(the_stream_is_bounded);
    RUN(a_run_asks_only_when_it_sends_again);
    RUN(another_chunk_is_another_key);
    RUN(both_forms_go_in_one_step);
    RUN(a_refusal_leaves_no_mark);
    RUN(a_mark_that_is_none_is_told);
    RUN(what_was_on_its_way_is_dropped);
    RUN(without_permission_there_is_no_fence);
    RUN(after_a_restart_nobody_is_killed);
    RUN(marks_survive_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
