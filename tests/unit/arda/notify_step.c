/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "base/mem.h"
#include "lib/notify.h"

#include <stdarg.h>

static void check_text(const char *want, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void check_text(const char *want, const char *format, ...)
{
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    redisReply *reply = test_redis_ask(&test_redis, command);
    CHECK_STR(reply->type == REDIS_REPLY_STRING ? reply->str : "(nil)", want);
    freeReplyObject(reply);
}

/* ---- one event ---- */

static void check_row(const char *user, const char *id)
{
    char want[1024];
    snprintf(want, sizeof want,
             "{\"id\":\"%s\",\"tenantId\":\"acme\",\"userId\":\"%s\",\"type\":\"po_created\","
             "\"title\":\"New \\\"purchase\\\" order created\",\"body\":\"PO-1 was created.\","
             "\"actionUrl\":\"/orders/o1\",\"metadata\":{\"orderId\":\"o1\"},"
             "\"createdAt\":\"" TEST_NOW "\",\"eventId\":\"" TEST_KEY "\"}",
             id, user);
    check_text(want, "HGET arda:rows:acme:%s %s", user, id);
    check_text("1770552000123", "ZSCORE arda:inbox:acme:%s %s", user, id);
    check_text("1770552000123", "ZSCORE arda:unread:acme:%s %s", user, id);
}

static void every_user_gets_a_row(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_step_done(&step, 3, 3);
    for (int i = 0; i < 3; i++) {
        check_row(test_three[i].id, test_row_id(test_three[i].id));
        CHECK_INT(test_count("HLEN arda:rows:acme:%s", test_three[i].id), 1);
        CHECK_INT(test_count("ZCARD arda:inbox:acme:%s", test_three[i].id), 1);
    }
    CHECK_INT(test_count("EXISTS arda:handled:acme:%s", TEST_KEY), 1);
    CHECK(test_count("TTL arda:handled:acme:%s", TEST_KEY) > 86000);
    CHECK_INT(test_count("EXISTS arda:progress:acme:%s", TEST_KEY), 0);
}

static void each_is_announced_once_on_both_channels(void)
{
    struct arda_notify_step step = test_step();
    struct base_buf heard = BASE_BUF_INIT, want = BASE_BUF_INIT;
    char event_id[ARDA_NOTIFY_ID_LEN + 1];
    test_redis_do(&test_redis, "FLUSHALL");
    test_listen("SUBSCRIBE arda:events:acme arda:events:global");
    test_step_done(&step, 3, 3);
    CHECK_INT(test_hear(&heard), 6);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            CHECK_INT(arda_notify_event_id(test_row_id(test_three[i].id), event_id), 0);
            base_buf_printf(
                &want,
                "arda:events:%s {\"type\":\"notification.created\",\"tenantId\":\"acme\","
                "\"userId\":\"%s\",\"notificationId\":\"%s\",\"notificationType\":\"po_created\","
                "\"title\":\"New \\\"purchase\\\" order created\",\"timestamp\":\"" TEST_NOW "\","
                "\"eventId\":\"%s\",\"schemaVersion\":1,\"correlationId\":\"" TEST_KEY "\"}\n",
                k ? "acme" : "global", test_three[i].id, test_row_id(test_three[i].id), event_id);
        }
    CHECK_BYTES(heard.data, heard.len, base_buf_cstr(&want));
    CHECK_INT(test_count("EXISTS arda:stream:%s", "acme"), 0);
    test_step_outcome(&step, ARDA_NOTIFY_BEFORE);
    CHECK_INT(test_hear(NULL), 0);
    test_stop_listening();
    base_buf_fini(&heard);
    base_buf_fini(&want);
}

static void check_delivery(const char *user, enum arda_notify_channel channel)
{
    static const char *const fields[] = {
        "id",           "tenantId",  "notificationId", "userId", "channel", "status",
        "attemptCount", "createdAt", "updatedAt",      "cause",  "type",    "nextAttemptAt"};
    char id[ARDA_NOTIFY_ID_LEN + 1];
    const char *name = arda_notify_channel_name(channel);
    CHECK_INT(arda_notify_delivery_id(test_row_id(user), channel, id), 0);
    const char *const want[] = {
        id,           "acme",  test_row_id(user), user,     arda_notify_channel_name(channel),
        "pending",    "0",     TEST_NOW,          TEST_NOW, TEST_KEY,
        "po_created", TEST_NOW};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        check_text(want[i], "HGET arda:delivery:acme:%s %s", id, fields[i]);
    CHECK_INT(test_count("HLEN arda:delivery:acme:%s", id), 13);
    check_text("1770552000123", "ZSCORE arda:deliveries:acme %s", id);
    check_text("1770552000123", "ZSCORE arda:due:acme:%s %s", name, id);
    check_text("1770552000123", "ZSCORE arda:due acme:%s", name);
}

static void deliveries_are_recorded(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_step_done(&step, 3, 3);
    check_delivery("ann", ARDA_NOTIFY_EMAIL);
    check_delivery("cid", ARDA_NOTIFY_EMAIL);
    check_delivery("cid", ARDA_NOTIFY_WEBHOOK);
    CHECK_INT(test_count("ZCARD arda:deliveries:%s", "acme"), 3);
    CHECK_INT(test_count("ZCARD arda:%s", "due"), 2);
    CHECK_INT(test_count("ZCARD arda:due:acme:%s", "email"), 2);
    check_text("{\"type\":\"x\"}", "GET arda:cause:acme:" TEST_KEY);
    CHECK(test_count("TTL arda:cause:acme:%s", TEST_KEY) > 2591000);
    redisReply *row = test_redis_ask(&test_redis, "HGET arda:rows:acme:ann %s", test_row_id("ann"));
    char id[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_INT(arda_notify_delivery_id(test_row_id("ann"), ARDA_NOTIFY_EMAIL, id), 0);
    redisReply *told = test_redis_ask(&test_redis, "HGET arda:delivery:acme:%s notification", id);
    CHECK_STR(told->str, row->str);
    freeReplyObject(row);
    freeReplyObject(told);
}

/* Off in the application, the others go out under the id that the row would have had. */
static void channels_that_are_off_are_left_out(void)
{
    struct arda_notify_user users[] = {{"ann", 2}, {"bob", 0}, {"cid", 1}};
    struct arda_notify_step step = test_step();
    step.users = users;
    test_redis_do(&test_redis, "FLUSHALL");
    test_listen("SUBSCRIBE arda:events:acme");
    test_step_done(&step, 1, 1);
    CHECK_INT(test_hear(NULL), 1);
    test_stop_listening();
    CHECK_INT(test_count("EXISTS arda:rows:acme:%s", "ann"), 0);
    CHECK_INT(test_count("EXISTS arda:inbox:acme:%s", "ann"), 0);
    CHECK_INT(test_count("EXISTS arda:rows:acme:%s", "bob"), 0);
    check_row("cid", test_row_id("cid"));
    check_delivery("ann", ARDA_NOTIFY_EMAIL);
}

static void a_shadow_has_no_deliveries(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "SADD arda:shadows acme");
    test_step_done(&step, 3, 0);
    check_row("cid", test_row_id("cid"));
    CHECK_INT(test_count("EXISTS arda:%s arda:deliveries:acme", "due"), 0);
    CHECK_INT(test_count("EXISTS arda:cause:acme:%s", TEST_KEY), 0);
}

static void what_is_missing_is_null(void)
{
    struct arda_notify_step step = test_step();
    const struct base_slice none = {NULL, 0};
    struct base_buf heard = BASE_BUF_INIT;
    step.cause = (struct arda_notify_cause){.key = TEST_KEY, .time_ms = 0x019c3d5e8a00};
    step.notification.body = step.notification.action_url = step.notification.metadata = none;
    step.on_row = test_on_row;
    step.user_count = 1;
    test_redis_do(&test_redis, "FLUSHALL");
    test_listen("SUBSCRIBE arda:events:acme");
    test_step_done(&step, 1, 1);
    CHECK_INT(test_hear(&heard), 1);
    test_stop_listening();
    CHECK(strstr(base_buf_cstr(&heard), "\"schemaVersion\":1}\n") != NULL);
    CHECK(strstr(base_buf_cstr(&test_answer.rows),
                 ",\"body\":null,\"isRead\":false,\"readAt\":null,\"actionUrl\":null,"
                 "\"metadata\":null,\"createdAt\":\"" TEST_NOW "\",\"eventId\":null}\n") != NULL);
    base_buf_fini(&heard);
}

static void an_event_without_users_is_handled(void)
{
    struct arda_notify_step step = test_step();
    step.user_count = 0;
    step.users = NULL;
    test_redis_do(&test_redis, "FLUSHALL");
    test_step_done(&step, 0, 0);
    test_step_outcome(&step, ARDA_NOTIFY_BEFORE);
}

/* ---- the stream ---- */

static void add_entry(char id[static 64])
{
    redisReply *reply = test_redis_ask(&test_redis, "XADD arda:stream:acme * envelope x");
    snprintf(id, 64, "%s", reply->str);
    freeReplyObject(reply);
    freeReplyObject(test_redis_ask(
        &test_redis, "XREADGROUP GROUP notifyd d1 COUNT 1 STREAMS arda:stream:acme >"));
}

static long long unacknowledged(void)
{
    redisReply *reply = test_redis_ask(&test_redis, "XPENDING arda:stream:acme notifyd");
    long long pending = reply->elements == 4 ? reply->element[0]->integer : -1;
    freeReplyObject(reply);
    return pending;
}

static void the_entry_is_acknowledged_with_it(void)
{
    struct arda_notify_step step = test_step();
    char id[64];
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "XGROUP CREATE arda:stream:acme notifyd 0 MKSTREAM");
    test_redis_do(&test_redis, "SET arda:version:acme 5");
    add_entry(id);
    step.stream_id = id;
    step.version = 4;
    test_step_outcome(&step, ARDA_NOTIFY_STALE);
    CHECK_INT(unacknowledged(), 1);
    step.version = 5;
    test_step_done(&step, 3, 3);
    CHECK_INT(unacknowledged(), 0);
    add_entry(id); /* the same event once more */
    CHECK_INT(unacknowledged(), 1);
    test_step_outcome(&step, ARDA_NOTIFY_BEFORE);
    CHECK_INT(unacknowledged(), 0);
}

static void an_old_directory_changes_nothing(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    step.version = 1;
    test_step_outcome(&step, ARDA_NOTIFY_STALE);
    CHECK_INT(test_count("%s", "DBSIZE"), 0);
    step.version = 0; /* a directory that was never changed */
    test_step_done(&step, 3, 3);
    test_redis_do(&test_redis, "INCR arda:version:acme");
    test_step_outcome(&step, ARDA_NOTIFY_BEFORE); /* which needs no directory */
}

/* ---- what goes wrong ---- */

static void a_script_that_was_forgotten_is_sent_again(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    test_step_done(&step, 3, 3);
    test_step_outcome(&step, ARDA_NOTIFY_BEFORE);
    test_redis_do(&test_redis, "SCRIPT FLUSH");
    strcpy(step.cause.key, "another");
    test_step_done(&step, 3, 3);
}

static void a_redis_that_was_started_anew_is_used(void)
{
    struct arda_notify_step step = test_step();
    test_redis_stop(&test_redis);
    RUN_UNTIL(!arda_bus_is_up(test_bus.bus));
    CHECK_INT(test_step_begin(test_bus.bus, &step, &test_answer), BASE_ERR_UNAVAILABLE);
    test_redis_start(&test_redis);
    RUN_UNTIL(arda_bus_is_up(test_bus.bus));
    CHECK_INT(test_answer.calls, 0);
    test_step_done(&step, 3, 3);
}

/* Not before everything that belongs to a row is there, the row is. */
static void a_step_that_was_refused_half_way_is_mended(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "SET arda:unread:acme:bob x");
    test_listen("SUBSCRIBE arda:events:acme");
    CHECK_INT(test_step_run(&step), BASE_ERR_INTERNAL);
    CHECK(strstr(test_answer.why, "WRONGTYPE") && strstr(test_answer.why, "redis 127.0.0.1:"));
    CHECK_INT(test_count("EXISTS arda:handled:acme:%s", TEST_KEY), 0);
    test_redis_do(&test_redis, "DEL arda:unread:acme:bob");
    test_step_done(&step, 2, 2);
    check_row("ann", test_row_id("ann"));
    check_row("bob", test_row_id("bob"));
    CHECK_INT(test_hear(NULL), 3);
    test_stop_listening();
}

static void progress_that_makes_no_sense_is_told(void)
{
    struct arda_notify_step step = test_step();
    test_redis_do(&test_redis, "FLUSHALL");
    test_redis_do(&test_redis, "SET arda:progress:acme:" TEST_KEY " %0100d", 1);
    CHECK_INT(test_step_run(&step), BASE_ERR_INTERNAL);
    CHECK_STR(test_answer.why, "the progress of an event makes no sense");
}

static int refused(const struct arda_notify_step *step)
{
    int result = test_step_begin(test_bus.bus, step, &test_answer);
    CHECK_INT(test_answer.calls, 0);
    return result;
}

static void arguments_that_make_no_sense_are_refused(void)
{
    struct arda_notify_user unsorted[] = {{"bob", 1}, {"ann", 1}};
    struct arda_notify_user twice[] = {{"ann", 1}, {"ann", 1}};
    struct arda_notify_user blank[] = {{"a b", 1}};
    struct arda_notify_user unknown[] = {{"ann", 8}};
    struct {
        struct arda_notify_user *users;
        size_t count;
    } lists[] = {{unsorted, 2}, {twice, 2}, {blank, 1}, {unknown, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct arda_notify_step step = test_step();
        step.users = lists[i].users;
        step.user_count = lists[i].count;
        CHECK_INT(refused(&step), BASE_ERR_INVALID);
    }
    struct arda_notify_step step = test_step();
    step.tenant = "global";
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = test_step();
    step.cause.key[0] = '\0';
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = test_step();
    step.notification.type = test_slice("po_lost");
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = test_step();
    step.notification.title = test_slice("\xff");
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    static const char *const metadata[] = {"[]", "{", "{}\n", "{\"a\":\n1}", "null"};
    for (size_t i = 0; i < 5; i++) {
        step = test_step();
        step.notification.metadata = test_slice(metadata[i]);
        CHECK_INT(refused(&step), BASE_ERR_INVALID);
    }
}

static void survives_every_failing_allocation(void)
{
    int refusals = 0, ends = 0;
    for (long n = 1; n < 40; n++) {
        struct arda_notify_step step = test_step();
        step.chunk = 1;
        step.on_row = test_on_row;
        test_redis_do(&test_redis, "FLUSHALL");
        test_answer_forget(&test_answer);
        base_mem_fail(n, 1);
        int result = arda_notify_step(test_bus.bus, &step, test_on_done, &test_answer);
        if (!result)
            RUN_UNTIL(test_answer.calls == 1);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        refusals += result != 0;
        ends += !result && test_answer.result != 0;
        RUN_UNTIL(arda_bus_is_up(test_bus.bus));
        bool done = test_answer.calls == 1 && test_answer.result == 0;
        CHECK_INT(test_step_run(&step), 0);
        CHECK_INT(test_answer.got.outcome, done ? ARDA_NOTIFY_BEFORE : ARDA_NOTIFY_DONE);
        CHECK_INT(test_count("ZCARD arda:inbox:acme:%s", "cid"), 1);
    }
    CHECK(refusals > 0);
    CHECK(ends > 0);
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_step_start();
    RUN(every_user_gets_a_row);
    RUN(each_is_announced_once_on_both_channels);
    RUN(deliveries_are_recorded);
    RUN(channels_that_are_off_are_left_out);
    RUN(a_shadow_has_no_deliveries);
    RUN(what_is_missing_is_null);
    RUN(an_event_without_users_is_handled);
    RUN(the_entry_is_acknowledged_with_it);
    RUN(an_old_directory_changes_nothing);
    RUN(a_script_that_was_forgotten_is_sent_again);
    RUN(a_redis_that_was_started_anew_is_used);
    RUN(a_step_that_was_refused_half_way_is_mended);
    RUN(progress_that_makes_no_sense_is_told);
    RUN(arguments_that_make_no_sense_are_refused);
    RUN(survives_every_failing_allocation);
    test_step_end();
    return test_end();
}
