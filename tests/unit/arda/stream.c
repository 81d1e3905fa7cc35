/* SPDX-License-Identifier: ISC
 *
 * Pages, facts, positions and the clock of streams in a real Redis.
 */
#include "arda/stream/stream.h"

#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

static struct base_slice tenant(void)
{
    return test_slice("t1");
}

static void add(const char *id, const char *envelope)
{
    test_redis_do(&redis, "XADD arda:stream:t1 %s envelope %s type x source s timestamp t", id,
                  envelope);
}

static bool is_id(struct arda_stream_id id, const char *want)
{
    char text[ARDA_STREAM_ID_LEN + 1];
    arda_stream_id_format(id, text);
    CHECK_STR(text, want);
    return strcmp(text, want) == 0;
}

/* ---- pages ---- */

struct page {
    int answers, result;
    size_t count;
    char text[512]; /* id=envelope, each followed by a blank */
    char why[256];
};

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct page *got = data;
    size_t used = 0;
    got->answers++;
    got->result = result;
    got->count = page->count;
    snprintf(got->why, sizeof got->why, "%s", result ? why->text : "");
    for (size_t i = 0; i < page->count; i++) {
        char id[ARDA_STREAM_ID_LEN + 1];
        arda_stream_id_format(page->entries[i].id, id);
        used +=
            (size_t)snprintf(got->text + used, sizeof got->text - used, "%s=%.*s ", id,
                             (int)page->entries[i].envelope.len,
                             page->entries[i].envelope.len ? page->entries[i].envelope.data : "");
    }
}

static struct page get_page(struct arda_stream_id first, struct arda_stream_id last, size_t max,
                            bool backwards)
{
    struct page page = {0};
    const struct arda_stream_range range = {tenant(), first, last, max, backwards};
    CHECK_INT(arda_stream_read(test.bus, &range, on_page, &page), 0);
    RUN_UNTIL(page.answers == 1);
    return page;
}

static const struct arda_stream_id zero = {0, 0};

static void pages_have_both_edges_and_a_bound(void)
{
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(get_page(zero, ARDA_STREAM_ID_LAST, 5, false).count, 0);
    add("1-1", "a");
    add("1-2", "b");
    add("2-0", "c");
    CHECK_STR(get_page(zero, ARDA_STREAM_ID_LAST, 5, false).text, "1-1=a 1-2=b 2-0=c ");
    CHECK_STR(get_page(zero, ARDA_STREAM_ID_LAST, 2, false).text, "1-1=a 1-2=b ");
    CHECK_STR(get_page(zero, ARDA_STREAM_ID_LAST, 2, true).text, "2-0=c 1-2=b ");
    struct arda_stream_id second = {1, 2};
    CHECK_STR(get_page(second, second, 5, false).text, "1-2=b ");
    CHECK_STR(get_page(second, ARDA_STREAM_ID_LAST, 5, true).text, "2-0=c 1-2=b ");
    CHECK_STR(get_page(arda_stream_id_next(second), ARDA_STREAM_ID_LAST, 5, false).text, "2-0=c ");
    CHECK_STR(get_page(ARDA_STREAM_ID_LAST, zero, 5, false).text, "");
}

static void fields_are_found_by_name(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "XADD arda:stream:t1 1-1 more m timestamp t envelope e");
    test_redis_do(&redis, "XADD arda:stream:t1 1-2 other o");
    CHECK_STR(get_page(zero, ARDA_STREAM_ID_LAST, 5, false).text, "1-1=e 1-2= ");
}

static void the_size_of_pages_follows_that_of_entries(void)
{
    struct arda_stream_page page = {NULL, 10, 10 * 1024};
    size_t first = arda_stream_page_size(NULL, 0);
    CHECK(first >= 1 && first <= 1000);
    CHECK(arda_stream_page_size(&page, first) > 900);
    page.bytes = 10;
    CHECK_INT(arda_stream_page_size(&page, first), 1000);
    page.bytes = 10 * 1024 * 1024;
    CHECK_INT(arda_stream_page_size(&page, first), 1);
    page.count = 0;
    CHECK_INT(arda_stream_page_size(&page, 17), 17);
}

/* ---- facts ---- */

struct facts {
    int answers, result;
    struct arda_stream_info info;
    char why[256];
};

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    struct facts *facts = data;
    facts->answers++;
    facts->result = result;
    facts->info = *info;
    snprintf(facts->why, sizeof facts->why, "%s", result ? why->text : "");
}

static struct facts get_info(void)
{
    struct facts facts = {0};
    CHECK_INT(arda_stream_info(test.bus, tenant(), on_info, &facts), 0);
    RUN_UNTIL(facts.answers == 1);
    return facts;
}

static void tells_what_has_gone(void)
{
    test_redis_do(&redis, "FLUSHALL");
    struct facts facts = get_info();
    CHECK_INT(facts.result, 0);
    CHECK(!facts.info.exists && arda_stream_id_is_zero(facts.info.last));
    for (int i = 1; i <= 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d-0", i);
        add(id, "e");
    }
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 3");
    test_redis_do(&redis, "XDEL arda:stream:t1 4-0");
    facts = get_info();
    CHECK(facts.info.exists);
    CHECK_INT(facts.info.length, 2);
    is_id(facts.info.first, "3-0");
    is_id(facts.info.last, "5-0");
    if (facts.info.counts) {
        CHECK_INT(facts.info.added, 5);
        is_id(facts.info.last_deleted, "4-0");
    }
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 0");
    facts = get_info();
    CHECK(facts.info.exists && arda_stream_id_is_zero(facts.info.first));
    is_id(facts.info.last, "5-0");
}

static void what_is_no_stream_is_said(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:stream:t1 x");
    struct facts facts = get_info();
    CHECK_INT(facts.result, BASE_ERR_SYNTAX);
    CHECK(strstr(facts.why, "WRONGTYPE"));
    CHECK_INT(get_page(zero, ARDA_STREAM_ID_LAST, 5, false).result, BASE_ERR_SYNTAX);
    test_redis_do(&redis, "DEL arda:stream:t1");
    test_redis_do(&redis, "ACL SETUSER default -xrange -xinfo");
    CHECK_INT(get_info().result, BASE_ERR_DENIED);
    CHECK_INT(get_page(zero, ARDA_STREAM_ID_LAST, 5, false).result, BASE_ERR_DENIED);
    test_redis_do(&redis, "ACL SETUSER default +@all");
}

/* ---- positions ---- */

struct found {
    int answers, result;
    struct arda_stream_id id;
    char why[256];
};

static void on_found(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct found *found = data;
    found->answers++;
    found->result = result;
    found->id = id;
    snprintf(found->why, sizeof found->why, "%s", result ? why->text : "");
}

static struct found find(const char *text, enum arda_stream_edge edge)
{
    struct found found = {0};
    struct arda_when when = {.kind = ARDA_WHEN_NONE};
    CHECK_INT(arda_when_parse(text, 0, &when, NULL), 0);
    CHECK_INT(arda_stream_find(test.bus, tenant(), &when, edge, on_found, &found), 0);
    RUN_UNTIL(found.answers == 1);
    return found;
}

static void finds_ends_and_times(void)
{
    test_redis_do(&redis, "FLUSHALL");
    is_id(find("end", ARDA_STREAM_SINCE).id, "0-1");
    is_id(find("end", ARDA_STREAM_UNTIL).id, "0-0");
    add("5-7", "e");
    is_id(find("end", ARDA_STREAM_SINCE).id, "5-8");
    is_id(find("end", ARDA_STREAM_UNTIL).id, "5-7");
    is_id(find("start", ARDA_STREAM_SINCE).id, "0-1");
    is_id(find("start", ARDA_STREAM_UNTIL).id, "0-0");
    is_id(find("0.009", ARDA_STREAM_SINCE).id, "9-0");
    is_id(find("0.009", ARDA_STREAM_UNTIL).id, "8-18446744073709551615");
    is_id(find("3-4", ARDA_STREAM_SINCE).id, "3-4");
    is_id(find("3-4", ARDA_STREAM_UNTIL).id, "3-4");
}

/* 2500 entries, so that a walk has several pages; the eventId tells a time, or none. */
static void add_many(const char *version)
{
    for (int i = 0; i < 2500; i++) {
        char id[32], text[128];
        snprintf(id, sizeof id, "%d-0", 1000000 + i);
        snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"00000000-0000-%s-8000-%012d\"}",
                 version, i);
        add(id, text);
    }
}

static void finds_an_event_by_its_id(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add_many("4000");
    is_id(find("00000000-0000-4000-8000-000000000000", ARDA_STREAM_SINCE).id, "1000000-0");
    is_id(find("00000000-0000-4000-8000-000000002499", ARDA_STREAM_SINCE).id, "1002499-0");
    is_id(find("00000000-0000-4000-8000-000000001234", ARDA_STREAM_UNTIL).id, "1001234-0");
    struct found found = find("00000000-0000-4000-8000-000000009999", ARDA_STREAM_SINCE);
    CHECK_INT(found.result, BASE_ERR_NOTFOUND);
    CHECK_STR(found.why, "no event 00000000-0000-4000-8000-000000009999 in the stream of t1");
    test_redis_do(&redis, "DEL arda:stream:t1");
    CHECK_INT(find("00000000-0000-4000-8000-000000000000", ARDA_STREAM_SINCE).result,
              BASE_ERR_NOTFOUND);
}

/* A UUIDv7 of 1001000 ms (f4628) is published then, long before, and long after. */
static void finds_an_event_whose_id_tells_another_time(void)
{
    static const char *const places[] = {"1001000-0", "5-0", "99000000-0"};
    static const char *const id = "00000000-000f-7628-8000-000000000001";
    for (size_t i = 0; i < 3; i++) {
        test_redis_do(&redis, "FLUSHALL");
        add("1-1", "no json");
        add(places[i],
            "{\"id\":\"000f4628-0000-7000-8000-000000000001\",\"event\":{\"type\":\"x\"}}");
        add("99000001-0", "{\"type\":\"x\"}");
        is_id(find("000f4628-0000-7000-8000-000000000001", ARDA_STREAM_SINCE).id, places[i]);
        CHECK_INT(find(id, ARDA_STREAM_SINCE).result, BASE_ERR_NOTFOUND);
    }
}

/* ---- the clock ---- */

static int times, time_result;
static uint64_t time_ms;

static void on_time(void *data, int result, uint64_t ms, const struct base_why *why)
{
    (void)data;
    (void)why;
    times++;
    time_result = result;
    time_ms = ms;
}

static void tells_the_clock(void)
{
    struct timespec before, after;
    times = 0;
    clock_gettime(CLOCK_REALTIME, &before);
    CHECK_INT(arda_stream_time(test.bus, on_time, NULL), 0);
    RUN_UNTIL(times == 1);
    clock_gettime(CLOCK_REALTIME, &after);
    CHECK_INT(time_result, 0);
    CHECK(time_ms >= (uint64_t)before.tv_sec * 1000 && time_ms / 1000 <= (uint64_t)after.tv_sec);
}

/* ---- errors ---- */

static void bad_tenants_and_an_absent_redis_are_errors(void)
{
    struct arda_when when = {.kind = ARDA_WHEN_END};
    const struct arda_stream_range bad = {test_slice("global"), zero, zero, 1, false};
    CHECK_INT(arda_stream_read(test.bus, &bad, on_page, NULL), BASE_ERR_INVALID);
    CHECK_INT(arda_stream_info(test.bus, bad.tenant, on_info, NULL), BASE_ERR_INVALID);
    CHECK_INT(arda_stream_find(test.bus, bad.tenant, &when, ARDA_STREAM_SINCE, on_found, NULL),
              BASE_ERR_INVALID);
    struct page page = {0};
    const struct arda_stream_range good = {tenant(), zero, zero, 1, false};
    CHECK_INT(arda_stream_read(test.bus, &good, on_page, &page), 0);
    test_redis_stop(&redis);
    RUN_UNTIL(page.answers == 1 && !arda_bus_is_up(test.bus));
    CHECK_INT(arda_stream_read(test.bus, &good, on_page, &page), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_stream_find(test.bus, good.tenant, &when, ARDA_STREAM_SINCE, on_found, NULL),
              BASE_ERR_UNAVAILABLE);
    test_redis_start(&redis);
    RUN_UNTIL(arda_bus_is_up(test.bus));
}

static void memory_that_fails_is_said(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("1-1", "e");
    struct arda_when when = {.kind = ARDA_WHEN_EVENT};
    strcpy(when.event_id, "00000000-0000-4000-8000-000000000000");
    bool done = false;
    for (long fail = 1; !done && fail < 100; fail++) {
        struct found found = {0};
        base_mem_fail(fail, 1);
        int result =
            arda_stream_find(test.bus, tenant(), &when, ARDA_STREAM_SINCE, on_found, &found);
        if (!result)
            RUN_UNTIL(found.answers == 1);
        done = base_mem_tries() < fail;
        base_mem_fail(0, 0);
        if (result)
            CHECK_INT(result, BASE_ERR_NOMEM);
        else if (done)
            CHECK_INT(found.result, BASE_ERR_NOTFOUND);
        else
            CHECK(found.result == BASE_ERR_NOMEM || found.result == BASE_ERR_NOTFOUND ||
                  found.result == BASE_ERR_CLOSED);
        RUN_UNTIL(arda_bus_is_up(test.bus));
    }
    CHECK(done);
}

int main(void)
{
    if (test_redis_missing())
        return 0;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&test, redis.url);
    RUN(pages_have_both_edges_and_a_bound);
    RUN(fields_are_found_by_name);
    RUN(the_size_of_pages_follows_that_of_entries);
    RUN(tells_what_has_gone);
    RUN(what_is_no_stream_is_said);
    RUN(finds_ends_and_times);
    RUN(finds_an_event_by_its_id);
    RUN(finds_an_event_whose_id_tells_another_time);
    RUN(tells_the_clock);
    RUN(bad_tenants_and_an_absent_redis_are_errors);
    RUN(memory_that_fails_is_said);
    test_bus_close(&test);
    test_loop_fini();
    test_redis_fini(&redis);
    return test_end();
}
