/* SPDX-License-Identifier: ISC */
#include "arda/inbox.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;
static const struct arda_inbox ann = {"acme", "ann"};

static struct seen {
    struct arda_inbox_watch *watch;
    int rows, last; /* how many have come; end after this many, 0: never */
    bool standing;
    struct base_buf text; /* of the rows, one a line */
} seen;

static void on_row(void *data, struct base_slice row)
{
    (void)data;
    seen.rows++;
    base_buf_printf(&seen.text, "%.*s\n", (int)row.len, row.data);
    if (seen.rows == seen.last) {
        arda_inbox_unwatch(seen.watch);
        seen.watch = NULL;
    }
}

static void on_standing(void *data, bool standing)
{
    (void)data;
    seen.standing = standing;
}

static const struct arda_inbox_watcher watcher = {on_row, on_standing, NULL};

static void watch(void)
{
    base_buf_fini(&seen.text);
    seen = (struct seen){0};
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(arda_inbox_watch(test.bus, &ann, &watcher, &seen.watch), 0);
    RUN_UNTIL(seen.standing);
}

static void unwatch(void)
{
    arda_inbox_unwatch(seen.watch);
    seen.watch = NULL;
}

/* Published by another, with an id of its own each time. */
static void announce(const char *members)
{
    static int number;
    char event[512];
    snprintf(event, sizeof event, "{\"type\":\"notification.created\",\"eventId\":\"e%d\",%s}",
             ++number, members);
    test_redis_do(&redis, "PUBLISH arda:events:acme %s", event);
}

static void put(const char *id)
{
    test_redis_do(&redis, "HSET arda:rows:acme:ann %s {\"id\":\"%s\",\"body\":1}", id, id);
}

static void check_text(const char *want)
{
    CHECK_BYTES(seen.text.len ? seen.text.data : "", seen.text.len, want);
}

#define ROW(id)  "{\"id\":\"" id "\",\"body\":1,\"isRead\":false,\"readAt\":null}\n"
#define MINE(id) "\"userId\":\"ann\",\"notificationId\":\"" id "\""

static void rows_come_in_the_order_of_their_events(void)
{
    watch();
    put("n1");
    put("n2");
    put("n3");
    announce(MINE("n2"));
    announce(MINE("n1"));
    announce(MINE("n3"));
    RUN_UNTIL(seen.rows == 3);
    check_text(ROW("n2") ROW("n1") ROW("n3"));
    unwatch();
}

static void what_concerns_others_is_left_out(void)
{
    watch();
    put("n1");
    announce("\"userId\":\"bob\",\"notificationId\":\"n1\"");
    announce("\"notificationId\":\"n1\"");
    announce("\"userId\":\"ann\"");
    announce(MINE("../n1"));
    announce("\"tenantId\":\"other\"," MINE("n1"));
    test_redis_do(&redis, "PUBLISH arda:events:acme %s",
                  "{\"type\":\"card.transition\",\"userId\":\"ann\",\"notificationId\":\"n1\"}");
    test_redis_do(&redis, "PUBLISH arda:events:other %s",
                  "{\"type\":\"notification.created\"," MINE("n1") "}");
    announce(MINE("n1"));
    RUN_UNTIL(seen.rows > 0);
    CHECK_INT(seen.rows, 1);
    unwatch();
}

static void an_event_without_a_row_is_told_as_it_is(void)
{
    watch();
    announce(MINE("n1") ",\"notificationType\":\"po_sent\",\"title\":\"Purchase \\\"order\\\"\","
                        "\"timestamp\":\"2026-02-08T12:00:00.000Z\",\"correlationId\":\"e\"");
    announce(MINE("n2") ",\"title\":[1,\n2]");
    RUN_UNTIL(seen.rows == 2);
    check_text("{\"id\":\"n1\",\"tenantId\":\"acme\",\"userId\":\"ann\",\"type\":\"po_sent\","
               "\"title\":\"Purchase \\\"order\\\"\",\"body\":null,\"isRead\":false,"
               "\"readAt\":null,\"actionUrl\":null,\"metadata\":null,"
               "\"createdAt\":\"2026-02-08T12:00:00.000Z\",\"eventId\":\"e\"}\n"
               "{\"id\":\"n2\",\"tenantId\":\"acme\",\"userId\":\"ann\",\"type\":null,"
               "\"title\":[1, 2],\"body\":null,\"isRead\":false,\"readAt\":null,"
               "\"actionUrl\":null,\"metadata\":null,\"createdAt\":null,\"eventId\":null}\n");
    unwatch();
}

static bool added;

static void on_added(void *data, int result, const struct arda_notify_result *outcome,
                     const struct base_why *why)
{
    (void)data, (void)outcome, (void)why;
    CHECK_INT(result, 0);
    added = true;
}

static void what_the_step_adds_is_seen(void)
{
    static const struct arda_notify_user users[] = {{"ann", 1}, {"bob", 1}};
    const struct arda_inbox_addition addition = {
        .tenant = "acme",
        .id = "a1",
        .notification = {.type = test_slice("system_alert"), .title = test_slice("Title")},
        .users = users,
        .user_count = 2,
        .version = -1,
        .now_ms = 1770552000000,
    };
    watch();
    CHECK_INT(arda_inbox_add(test.bus, &addition, on_added, NULL), 0);
    RUN_UNTIL(added && seen.rows == 1);
    CHECK(strstr(base_buf_cstr(&seen.text), "\"title\":\"Title\"") != NULL);
    CHECK(strstr(seen.text.data, "\"userId\":\"ann\"") != NULL);
    unwatch();
}

static void it_may_end_from_within(void)
{
    watch();
    seen.last = 2;
    for (int i = 0; i < 5; i++)
        announce(MINE("n1"));
    RUN_UNTIL(seen.watch == NULL);
    CHECK_INT(seen.rows, 2);
    watch();
    put("n1");
    seen.last = 1;
    announce(MINE("n1"));
    announce(MINE("n1"));
    RUN_UNTIL(seen.watch == NULL);
    CHECK_INT(seen.rows, 1);
    RUN_UNTIL(test_redis_subscribers(&redis, "arda:events:acme") == 0);
    CHECK_INT(seen.rows, 1);
}

static void it_outlives_redis(void)
{
    watch();
    test_redis_stop(&redis);
    RUN_UNTIL(!seen.standing);
    test_redis_start(&redis);
    RUN_UNTIL(seen.standing);
    announce(MINE("n1"));
    RUN_UNTIL(seen.rows == 1);
    unwatch();
    arda_inbox_unwatch(NULL);
}

static void arguments_that_make_no_sense_are_refused(void)
{
    const struct arda_inbox inboxes[] = {{"global", "ann"}, {"acme", ""}};
    for (size_t i = 0; i < 2; i++)
        CHECK_INT(arda_inbox_watch(test.bus, &inboxes[i], &watcher, &seen.watch), BASE_ERR_INVALID);
}

static void survives_failing_allocations(void)
{
    int refused = 0;
    for (long n = 1; n < 6; n++) {
        base_mem_fail(n, 1);
        int result = arda_inbox_watch(test.bus, &ann, &watcher, &seen.watch);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK((result == 0) == (seen.watch != NULL));
        refused += result != 0;
        unwatch();
    }
    CHECK(refused > 0);
    watch();
    for (long n = 1; n < 10; n++) {
        int before = seen.rows;
        base_mem_fail(n, 1);
        announce(MINE("n1"));
        RUN_UNTIL(base_mem_tries() >= n || seen.rows > before);
        base_mem_fail(0, 0);
        RUN_UNTIL(seen.standing && arda_bus_is_up(test.bus));
    }
    unwatch();
}

static void ends_without_an_open_handle(void)
{
    base_buf_fini(&seen.text);
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
    RUN(rows_come_in_the_order_of_their_events);
    RUN(what_concerns_others_is_left_out);
    RUN(an_event_without_a_row_is_told_as_it_is);
    RUN(what_the_step_adds_is_seen);
    RUN(it_may_end_from_within);
    RUN(it_outlives_redis);
    RUN(arguments_that_make_no_sense_are_refused);
    RUN(survives_failing_allocations);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
