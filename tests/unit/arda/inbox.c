/* SPDX-License-Identifier: ISC */
#include "arda/inbox.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;
static const struct arda_inbox ann = {"acme", "ann"};

/* ---- answers ---- */

static struct answer {
    int calls, result;
    bool more;
    struct arda_inbox_counts counts;
    uint64_t changed;
    struct arda_notify_result added;
    char why[256];
    struct base_buf said; /* rows, ids that are bad or unknown: one a line */
} answer;

static void say(const char *mark, const char *text, size_t len)
{
    base_buf_printf(&answer.said, "%s%.*s\n", mark, (int)len, text);
}

static void end(int result, const struct base_why *why)
{
    answer.calls++;
    answer.result = result;
    snprintf(answer.why, sizeof answer.why, "%s", result ? why->text : "");
}

static void on_row(void *data, struct base_slice row, bool is_read)
{
    (void)data;
    say(is_read ? "+" : "-", row.data, row.len);
}

static void on_bad(void *data, const char *id)
{
    (void)data;
    say("bad ", id, strlen(id));
}

static void on_listed(void *data, int result, bool more, const struct base_why *why)
{
    (void)data;
    answer.more = more;
    end(result, why);
}

static void on_counted(void *data, int result, const struct arda_inbox_counts *counts,
                       const struct base_why *why)
{
    (void)data;
    answer.counts = *counts;
    end(result, why);
}

static void on_unknown(void *data, const char *id)
{
    (void)data;
    say("unknown ", id, strlen(id));
}

static void on_changed(void *data, int result, uint64_t changed, const struct base_why *why)
{
    (void)data;
    answer.changed = changed;
    end(result, why);
}

static void on_added(void *data, int result, const struct arda_notify_result *added,
                     const struct base_why *why)
{
    (void)data;
    answer.added = *added;
    end(result, why);
}

static const struct arda_inbox_reader reader = {on_row, on_bad, on_listed, NULL};
static const struct arda_inbox_changer changer = {on_unknown, on_changed, NULL};

static void forget(void)
{
    base_buf_fini(&answer.said);
    answer = (struct answer){0};
}

static int finish(int failed)
{
    CHECK_INT(failed, 0);
    RUN_UNTIL(answer.calls == 1);
    return answer.result;
}

static int list(uint32_t limit, const char *before, bool unread)
{
    const struct arda_inbox_query query = {limit, before, unread};
    forget();
    return finish(arda_inbox_list(test.bus, &ann, &query, &reader));
}

static int get(const char *id)
{
    forget();
    return finish(arda_inbox_get(test.bus, &ann, id, &reader));
}

static int change(enum arda_inbox_change what, const char *const *ids, size_t count)
{
    forget();
    return finish(arda_inbox_change(test.bus, &ann, what, ids, count, 1770552000000, &changer));
}

static void check_counts(uint64_t all, uint64_t unread)
{
    forget();
    CHECK_INT(finish(arda_inbox_count(test.bus, &ann, on_counted, NULL)), 0);
    CHECK_INT(answer.counts.all, all);
    CHECK_INT(answer.counts.unread, unread);
}

static void check_said(const char *want)
{
    CHECK_BYTES(answer.said.len ? answer.said.data : "", answer.said.len, want);
}

/* ---- rows ---- */

static void put(const char *id, long long score)
{
    test_redis_do(&redis, "ZADD arda:inbox:acme:ann %lld %s", score, id);
    test_redis_do(&redis, "ZADD arda:unread:acme:ann %lld %s", score, id);
    test_redis_do(&redis, "HSET arda:rows:acme:ann %s {\"id\":\"%s\",\"body\":1}", id, id);
}

/* a, then B, b and c of one moment, then d. */
static void put_five(void)
{
    test_redis_do(&redis, "FLUSHALL");
    put("a", 1);
    put("b", 1770552000123);
    put("c", 1770552000123);
    put("B", 1770552000123);
    put("d", 1770552000124);
}

#define UNREAD(id) "-{\"id\":\"" id "\",\"body\":1,\"isRead\":false,\"readAt\":null}\n"
#define READ(id)                                                                                   \
    "+{\"id\":\"" id "\",\"body\":1,\"isRead\":true,\"readAt\":\"2026-02-08T12:00:00.000Z\"}\n"

static void an_empty_inbox(void)
{
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(list(10, NULL, false), 0);
    CHECK(!answer.more);
    check_said("");
    check_counts(0, 0);
    CHECK_INT(get("a"), BASE_ERR_NOTFOUND);
    for (int what = ARDA_INBOX_READ; what <= ARDA_INBOX_REMOVE; what++) {
        CHECK_INT(change((enum arda_inbox_change)what, NULL, 0), BASE_ERR_NOTFOUND);
        CHECK_STR(answer.why, "user ann has no notifications");
        CHECK_INT(answer.changed, 0);
    }
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 0);
}

static void the_newest_come_first(void)
{
    put_five();
    CHECK_INT(list(10, NULL, false), 0);
    CHECK(!answer.more);
    check_said(UNREAD("d") UNREAD("c") UNREAD("b") UNREAD("B") UNREAD("a"));
    CHECK_INT(list(5, NULL, false), 0);
    CHECK(!answer.more);
    CHECK_INT(list(4, NULL, false), 0);
    CHECK(answer.more);
    check_said(UNREAD("d") UNREAD("c") UNREAD("b") UNREAD("B"));
}

static void pages_join_without_a_seam(void)
{
    put_five();
    CHECK_INT(list(2, NULL, false), 0);
    check_said(UNREAD("d") UNREAD("c"));
    CHECK_INT(list(2, "c", false), 0);
    CHECK(answer.more);
    check_said(UNREAD("b") UNREAD("B"));
    put("e", 1770552000999);
    CHECK_INT(list(2, "B", false), 0);
    CHECK(!answer.more);
    check_said(UNREAD("a"));
    CHECK_INT(list(2, "a", false), 0);
    check_said("");
    CHECK_INT(list(1, "d", false), 0);
    CHECK(answer.more);
    check_said(UNREAD("c"));
}

static void unread_pages_go_on_behind_a_row_that_was_read(void)
{
    static const char *const c[] = {"c"};
    put_five();
    CHECK_INT(list(2, NULL, true), 0);
    check_said(UNREAD("d") UNREAD("c"));
    CHECK_INT(change(ARDA_INBOX_READ, c, 1), 0);
    CHECK_INT(list(2, "c", true), 0);
    check_said(UNREAD("b") UNREAD("B"));
    CHECK_INT(list(9, NULL, true), 0);
    check_said(UNREAD("d") UNREAD("b") UNREAD("B") UNREAD("a"));
    CHECK_INT(list(2, NULL, false), 0);
    check_said(UNREAD("d") READ("c"));
}

static void a_page_behind_nothing_is_told(void)
{
    put_five();
    CHECK_INT(list(2, "x", false), BASE_ERR_NOTFOUND);
    CHECK_STR(answer.why, "there is no such row to begin after");
    CHECK_INT(list(2, "a.read", false), BASE_ERR_NOTFOUND);
}

static void large_pages_fit(void)
{
    test_redis_do(&redis, "FLUSHALL");
    char id[16];
    for (int i = 0; i < 1100; i++) {
        snprintf(id, sizeof id, "%04d", i);
        put(id, 5);
    }
    CHECK_INT(list(ARDA_INBOX_LIMIT_MAX, NULL, false), 0);
    CHECK(answer.more);
    CHECK(strncmp(answer.said.data, "-{\"id\":\"1099\"", 13) == 0);
    CHECK_INT(list(ARDA_INBOX_LIMIT_MAX, "0100", false), 0);
    CHECK(strncmp(answer.said.data, "-{\"id\":\"0099\"", 13) == 0);
    CHECK(!answer.more);
}

static void one_row(void)
{
    static const char *const b[] = {"b"};
    put_five();
    CHECK_INT(get("b"), 0);
    check_said(UNREAD("b"));
    CHECK_INT(change(ARDA_INBOX_READ, b, 1), 0);
    CHECK_INT(get("b"), 0);
    check_said(READ("b"));
    CHECK_INT(get("b.read"), BASE_ERR_NOTFOUND);
    CHECK_INT(get("x"), BASE_ERR_NOTFOUND);
}

static void entries_that_are_no_rows_do_not_hide_others(void)
{
    put_five();
    test_redis_do(&redis, "HDEL arda:rows:acme:ann c");
    test_redis_do(&redis, "HSET arda:rows:acme:ann b nonsense");
    CHECK_INT(list(3, NULL, false), 0);
    check_said(UNREAD("d") "bad c\nbad b\n");
}

/* ---- changing ---- */

static void read_unread_and_remove(void)
{
    static const char *const ids[] = {"b", "x", "c", "b.read"};
    put_five();
    CHECK_INT(change(ARDA_INBOX_READ, ids, 4), 0);
    CHECK_INT(answer.changed, 2);
    check_said("unknown x\nunknown b.read\n");
    check_counts(5, 3);
    CHECK_INT(change(ARDA_INBOX_READ, ids, 1), 0);
    CHECK_INT(answer.changed, 0);
    check_said("");
    CHECK_INT(change(ARDA_INBOX_UNREAD, ids, 4), 0);
    CHECK_INT(answer.changed, 2);
    check_said("unknown x\nunknown b.read\n");
    check_counts(5, 5);
    CHECK_INT(list(9, NULL, true), 0);
    check_said(UNREAD("d") UNREAD("c") UNREAD("b") UNREAD("B") UNREAD("a"));
    CHECK_INT(change(ARDA_INBOX_READ, ids, 1), 0);
    CHECK_INT(change(ARDA_INBOX_REMOVE, ids, 4), 0);
    CHECK_INT(answer.changed, 2);
    check_said("unknown x\nunknown b.read\n");
    check_counts(3, 3);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:rows:acme:ann"), 3);
    CHECK_INT(change(ARDA_INBOX_REMOVE, ids, 1), 0);
    check_said("unknown b\n");
}

static void all_at_once(void)
{
    put_five();
    CHECK_INT(change(ARDA_INBOX_READ, NULL, 0), 0);
    CHECK_INT(answer.changed, 5);
    check_counts(5, 0);
    CHECK_INT(list(1, NULL, false), 0);
    check_said(READ("d"));
    put("e", 7);
    CHECK_INT(change(ARDA_INBOX_READ, NULL, 0), 0);
    CHECK_INT(answer.changed, 1);
    CHECK_INT(change(ARDA_INBOX_UNREAD, NULL, 0), 0);
    CHECK_INT(answer.changed, 6);
    check_counts(6, 6);
    CHECK_INT(change(ARDA_INBOX_REMOVE, NULL, 0), 0);
    CHECK_INT(answer.changed, 6);
    check_counts(0, 0);
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 0);
}

/* How often scripts have been called. */
static long long calls(void)
{
    redisReply *reply = test_redis_ask(&redis, "INFO commandstats");
    const char *line = strstr(reply->str, "cmdstat_evalsha:calls=");
    long long count = line ? strtoll(line + strlen("cmdstat_evalsha:calls="), NULL, 10) : 0;
    freeReplyObject(reply);
    return count;
}

static void fill(int from, int to, long long score)
{
    test_redis_do(&redis, "EVAL %s 0 %d %d %lld",
                  "for i = ARGV[1], ARGV[2] do\n"
                  "  local id = string.format('n%05d', i)\n"
                  "  redis.call('ZADD', 'arda:inbox:acme:ann', ARGV[3], id)\n"
                  "  redis.call('ZADD', 'arda:unread:acme:ann', ARGV[3], id)\n"
                  "  redis.call('HSET', 'arda:rows:acme:ann', id, '{\"body\":1}')\n"
                  "end\n"
                  "return 1",
                  from, to, score);
}

/* No step holds up others for long, whatever there is. */
static void many_are_changed_in_steps_of_a_thousand(void)
{
    test_redis_do(&redis, "FLUSHALL");
    fill(1, 400, 1);
    fill(401, 2300, 2); /* more of one time than a step takes */
    fill(2301, 2500, 3);
    test_redis_do(&redis, "ZREM arda:inbox:acme:ann n00007"); /* there without a row */
    test_redis_do(&redis, "ZADD arda:unread:acme:ann 4 later");
    long long before = calls();
    CHECK_INT(change(ARDA_INBOX_READ, NULL, 0), 0);
    CHECK_INT(answer.changed, 2499);
    CHECK_INT(calls() - before, 3);
    check_counts(2499, 1); /* what came after the beginning is left alone */
    CHECK_INT(test_redis_number(&redis, "HLEN arda:rows:acme:ann"), 2500 + 2499);
    CHECK_INT(test_redis_number(&redis, "HEXISTS arda:rows:acme:ann n00007.read"), 0);
    before = calls();
    CHECK_INT(change(ARDA_INBOX_UNREAD, NULL, 0), 0);
    CHECK_INT(answer.changed, 2499);
    CHECK_INT(calls() - before, 3);
    check_counts(2499, 2500);
    CHECK_INT(test_redis_number(&redis, "HLEN arda:rows:acme:ann"), 2500);
    CHECK_INT(change(ARDA_INBOX_REMOVE, NULL, 0), 0);
    CHECK_INT(answer.changed, 2499);
    CHECK_INT(test_redis_number(&redis, "DBSIZE"), 0);
}

/* ---- adding ---- */

static const struct arda_notify_user users[] = {{"ann", 3}, {"bob", 1}};

static struct arda_inbox_addition addition(void)
{
    return (struct arda_inbox_addition){
        .tenant = "acme",
        .id = "stock-7",
        .notification = {.type = test_slice("stockout_warning"), .title = test_slice("Low stock")},
        .users = users,
        .user_count = 2,
        .version = -1,
        .now_ms = 1770552000000,
    };
}

static int add(const struct arda_inbox_addition *what)
{
    forget();
    return finish(arda_inbox_add(test.bus, what, on_added, NULL));
}

static void what_is_added_is_there_once(void)
{
    struct arda_inbox_addition what = addition();
    test_redis_do(&redis, "FLUSHALL");
    CHECK_INT(add(&what), 0);
    CHECK_INT(answer.added.outcome, ARDA_NOTIFY_DONE);
    CHECK_INT(answer.added.rows, 2);
    CHECK_INT(answer.added.deliveries, 1);
    CHECK_INT(add(&what), 0);
    CHECK_INT(answer.added.outcome, ARDA_NOTIFY_BEFORE);
    check_counts(1, 1);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:cause:acme:add:stock-7"), 0);
    CHECK_INT(list(1, NULL, false), 0);
    CHECK(strstr(base_buf_cstr(&answer.said), "\"userId\":\"ann\",\"type\":\"stockout_warning\","
                                              "\"title\":\"Low stock\",\"body\":null,") != NULL);
    CHECK(strstr(answer.said.data, "\"eventId\":\"stock-7\"}\n") != NULL);
}

static void an_id_of_version_7_tells_the_time(void)
{
    struct arda_inbox_addition what = addition();
    test_redis_do(&redis, "FLUSHALL");
    what.id = "019c3d5e-8a00-7abc-8def-0123456789ab";
    CHECK_INT(add(&what), 0);
    CHECK_INT(list(1, NULL, false), 0);
    CHECK(strncmp(answer.said.data, "-{\"id\":\"019c3d5e-8a00-8", 22) == 0);
}

static void additions_that_make_no_sense_are_refused(void)
{
    struct arda_inbox_addition what = addition();
    forget();
    what.id = "a b";
    CHECK_INT(arda_inbox_add(test.bus, &what, on_added, NULL), BASE_ERR_INVALID);
    what = addition();
    what.notification.type = test_slice("stock");
    CHECK_INT(arda_inbox_add(test.bus, &what, on_added, NULL), BASE_ERR_INVALID);
    CHECK_INT(answer.calls, 0);
}

/* ---- what goes wrong ---- */

static void questions_that_make_no_sense_are_refused(void)
{
    static const char *const ids[] = {"a b"};
    const struct arda_inbox inboxes[] = {{"global", "ann"}, {"acme", "a b"}, {"", "ann"}};
    struct arda_inbox_query query = {1, NULL, false};
    forget();
    for (size_t i = 0; i < 3; i++) {
        const struct arda_inbox *inbox = &inboxes[i];
        CHECK_INT(arda_inbox_list(test.bus, inbox, &query, &reader), BASE_ERR_INVALID);
        CHECK_INT(arda_inbox_get(test.bus, inbox, "a", &reader), BASE_ERR_INVALID);
        CHECK_INT(arda_inbox_count(test.bus, inbox, on_counted, NULL), BASE_ERR_INVALID);
        CHECK_INT(arda_inbox_change(test.bus, inbox, ARDA_INBOX_READ, NULL, 0, 0, &changer),
                  BASE_ERR_INVALID);
    }
    query.before = "a b";
    CHECK_INT(arda_inbox_list(test.bus, &ann, &query, &reader), BASE_ERR_INVALID);
    query = (struct arda_inbox_query){0, NULL, false};
    CHECK_INT(arda_inbox_list(test.bus, &ann, &query, &reader), BASE_ERR_LIMIT);
    query.limit = ARDA_INBOX_LIMIT_MAX + 1;
    CHECK_INT(arda_inbox_list(test.bus, &ann, &query, &reader), BASE_ERR_LIMIT);
    CHECK_INT(arda_inbox_get(test.bus, &ann, "a b", &reader), BASE_ERR_INVALID);
    CHECK_INT(arda_inbox_change(test.bus, &ann, ARDA_INBOX_READ, ids, 1, 0, &changer),
              BASE_ERR_INVALID);
    CHECK_INT(arda_inbox_change(test.bus, &ann, ARDA_INBOX_READ, ids, 0, 0, &changer),
              BASE_ERR_LIMIT);
    CHECK_INT(arda_inbox_change(test.bus, &ann, ARDA_INBOX_READ, ids, ARDA_INBOX_IDS_MAX + 1, 0,
                                &changer),
              BASE_ERR_LIMIT);
    CHECK_INT(answer.calls, 0);
}

static void errors_of_redis_are_told(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:inbox:acme:ann x");
    test_redis_do(&redis, "SET arda:rows:acme:ann x");
    CHECK_INT(list(1, NULL, false), BASE_ERR_INTERNAL);
    CHECK(strstr(answer.why, "WRONGTYPE") != NULL);
    CHECK_INT(get("a"), BASE_ERR_INTERNAL);
    CHECK_INT(change(ARDA_INBOX_UNREAD, NULL, 0), BASE_ERR_INTERNAL);
    forget();
    CHECK_INT(finish(arda_inbox_count(test.bus, &ann, on_counted, NULL)), BASE_ERR_INTERNAL);
    test_redis_do(&redis, "FLUSHALL");
}

static void without_redis_nothing_is_asked(void)
{
    const struct arda_inbox_query query = {1, NULL, false};
    const struct arda_inbox_addition what = addition();
    struct test_bus fresh;
    test_bus_open(&fresh, redis.url);
    forget();
    CHECK_INT(arda_inbox_list(fresh.bus, &ann, &query, &reader), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_inbox_get(fresh.bus, &ann, "a", &reader), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_inbox_count(fresh.bus, &ann, on_counted, NULL), BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_inbox_change(fresh.bus, &ann, ARDA_INBOX_READ, NULL, 0, 0, &changer),
              BASE_ERR_UNAVAILABLE);
    CHECK_INT(arda_inbox_add(fresh.bus, &what, on_added, NULL), BASE_ERR_UNAVAILABLE);
    test_bus_close(&fresh);
    CHECK_INT(answer.calls, 0);
}

static int ask(int which)
{
    const struct arda_inbox_query query = {1, NULL, false};
    const struct arda_inbox_addition what = addition();
    switch (which) {
    case 0: return arda_inbox_list(test.bus, &ann, &query, &reader);
    case 1: return arda_inbox_get(test.bus, &ann, "a", &reader);
    case 2: return arda_inbox_count(test.bus, &ann, on_counted, NULL);
    case 3: return arda_inbox_change(test.bus, &ann, ARDA_INBOX_READ, NULL, 0, 0, &changer);
    default: return arda_inbox_add(test.bus, &what, on_added, NULL);
    }
}

/* A question either fails at once or calls back, never both. */
static void survives_every_failing_allocation(void)
{
    int refused = 0;
    put_five();
    for (int which = 0; which < 5; which++)
        for (long n = 1; n < 12; n++) {
            forget();
            base_mem_fail(n, 1);
            int result = ask(which);
            if (!result)
                RUN_UNTIL(answer.calls == 1);
            base_mem_fail(0, 0);
            CHECK(result == 0 || result == BASE_ERR_NOMEM);
            CHECK_INT(answer.calls, result == 0);
            refused += result != 0;
            RUN_UNTIL(arda_bus_is_up(test.bus));
        }
    CHECK(refused >= 10);
}

static void ends_without_an_open_handle(void)
{
    forget();
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
    RUN(an_empty_inbox);
    RUN(the_newest_come_first);
    RUN(pages_join_without_a_seam);
    RUN(unread_pages_go_on_behind_a_row_that_was_read);
    RUN(a_page_behind_nothing_is_told);
    RUN(large_pages_fit);
    RUN(one_row);
    RUN(entries_that_are_no_rows_do_not_hide_others);
    RUN(read_unread_and_remove);
    RUN(all_at_once);
    RUN(many_are_changed_in_steps_of_a_thousand);
    RUN(what_is_added_is_there_once);
    RUN(an_id_of_version_7_tells_the_time);
    RUN(additions_that_make_no_sense_are_refused);
    RUN(questions_that_make_no_sense_are_refused);
    RUN(errors_of_redis_are_told);
    RUN(without_redis_nothing_is_asked);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
