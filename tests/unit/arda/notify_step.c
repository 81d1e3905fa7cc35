/* SPDX-License-Identifier: ISC */
#include "arda/notify_step.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

/* ---- an event and its users ---- */

#define KEY    "019c3d5e-8a00-7abc-8def-0123456789ab"
#define NOW_MS 1770552000123
#define NOW    "2026-02-08T12:00:00.123Z"
#define MANY   10000

static struct arda_notify_user three[] = {{"ann", 3}, {"bob", 1}, {"cid", 7}};
static struct arda_notify_user many[MANY];
static char many_ids[MANY][16];

static void make_many(unsigned channels)
{
    for (int i = 0; i < MANY; i++) {
        snprintf(many_ids[i], sizeof many_ids[i], "u%05d", i);
        many[i] = (struct arda_notify_user){many_ids[i], channels};
    }
}

static struct arda_notify_step model(void)
{
    return (struct arda_notify_step){
        .tenant = "acme",
        .cause = {.key = KEY, .time_ms = 0x019c3d5e8a00, .id = test_slice("\"" KEY "\"")},
        .event = test_slice("{\"type\":\"x\"}"),
        .notification = {.type = test_slice("po_created"),
                         .title = test_slice("New \"purchase\" order created"),
                         .body = test_slice("PO-1 was created."),
                         .action_url = test_slice("/orders/o1"),
                         .metadata = test_slice("{\"orderId\":\"o1\"}")},
        .users = three,
        .user_count = 3,
        .version = -1,
        .now_ms = NOW_MS,
    };
}

static struct answer {
    int calls, result;
    struct arda_notify_result got;
    char why[256];
    struct base_buf rows;
} answer, other;

static void on_done(void *data, int result, const struct arda_notify_result *got,
                    const struct base_why *why)
{
    struct answer *to = data;
    to->calls++;
    to->result = result;
    to->got = *got;
    snprintf(to->why, sizeof to->why, "%s", result ? why->text : "");
}

static void on_row(void *data, struct base_slice row)
{
    struct answer *to = data;
    base_buf_add(&to->rows, row.data, row.len);
    base_buf_add_byte(&to->rows, '\n');
}

static void forget(struct answer *to)
{
    base_buf_fini(&to->rows);
    *to = (struct answer){0};
}

static int begin(struct arda_bus *bus, const struct arda_notify_step *step, struct answer *to)
{
    forget(to);
    return arda_notify_step(bus, step, on_done, to);
}

static int run(const struct arda_notify_step *step)
{
    CHECK_INT(begin(test.bus, step, &answer), 0);
    RUN_UNTIL(answer.calls == 1);
    return answer.result;
}

static void check_done(const struct arda_notify_step *step, uint64_t rows, uint64_t deliveries)
{
    CHECK_INT(run(step), 0);
    CHECK_STR(answer.why, "");
    CHECK_INT(answer.got.outcome, ARDA_NOTIFY_DONE);
    CHECK_INT(answer.got.rows, rows);
    CHECK_INT(answer.got.deliveries, deliveries);
}

static void check_outcome(const struct arda_notify_step *step, enum arda_notify_outcome outcome)
{
    CHECK_INT(run(step), 0);
    CHECK_INT(answer.got.outcome, outcome);
    CHECK_INT(answer.got.rows + answer.got.deliveries, 0);
}

/* ---- what Redis holds and publishes ---- */

static void check_text(const char *want, const char *format, ...)
{
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    redisReply *reply = test_redis_ask(&redis, command);
    CHECK_STR(reply->type == REDIS_REPLY_STRING ? reply->str : "(nil)", want);
    freeReplyObject(reply);
}

static long long count(const char *format, const char *argument)
{
    return test_redis_number(&redis, format, argument);
}

static const char *id_of(const char *user)
{
    static char id[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_INT(arda_notify_id(0x019c3d5e8a00, test_slice("acme"), KEY, test_slice(user),
                             test_slice("po_created"), id),
              0);
    return id;
}

/* A subscriber of its own, since a bus drops what it has seen. */
static redisContext *ear;

static void *next_reply(void)
{
    void *reply = NULL;
    if (redisGetReply(ear, &reply) == REDIS_OK)
        return reply;
    printf("Bail out! %s\n", ear->errstr);
    exit(EXIT_FAILURE);
}

static void listen_to(const char *channels)
{
    ear = redisConnectUnix(redis.socket);
    redisAppendCommand(ear, channels);
    for (const char *at = strchr(channels, ' '); at; at = strchr(at + 1, ' '))
        freeReplyObject(next_reply());
}

/* Whatever has been published so far: "channel text" lines to `out`; their number. */
static size_t hear(struct base_buf *out)
{
    redisAppendCommand(ear, "PING");
    for (size_t messages = 0;; messages++) {
        redisReply *reply = next_reply();
        bool message = reply->elements == 3;
        if (message && out)
            base_buf_printf(out, "%s %s\n", reply->element[1]->str, reply->element[2]->str);
        freeReplyObject(reply);
        if (!message)
            return messages;
    }
}

static void stop_listening(void)
{
    redisFree(ear);
    ear = NULL;
}

/* ---- one event ---- */

static void check_row(const char *user, const char *id)
{
    char want[1024];
    snprintf(want, sizeof want,
             "{\"id\":\"%s\",\"tenantId\":\"acme\",\"userId\":\"%s\",\"type\":\"po_created\","
             "\"title\":\"New \\\"purchase\\\" order created\",\"body\":\"PO-1 was created.\","
             "\"actionUrl\":\"/orders/o1\",\"metadata\":{\"orderId\":\"o1\"},"
             "\"createdAt\":\"" NOW "\",\"eventId\":\"" KEY "\"}",
             id, user);
    check_text(want, "HGET arda:rows:acme:%s %s", user, id);
    check_text("1770552000123", "ZSCORE arda:inbox:acme:%s %s", user, id);
    check_text("1770552000123", "ZSCORE arda:unread:acme:%s %s", user, id);
}

static void every_user_gets_a_row(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    check_done(&step, 3, 3);
    for (int i = 0; i < 3; i++) {
        check_row(three[i].id, id_of(three[i].id));
        CHECK_INT(count("HLEN arda:rows:acme:%s", three[i].id), 1);
        CHECK_INT(count("ZCARD arda:inbox:acme:%s", three[i].id), 1);
    }
    CHECK_INT(count("EXISTS arda:handled:acme:%s", KEY), 1);
    CHECK(count("TTL arda:handled:acme:%s", KEY) > 86000);
    CHECK_INT(count("EXISTS arda:progress:acme:%s", KEY), 0);
}

static void each_is_announced_once_on_both_channels(void)
{
    struct arda_notify_step step = model();
    struct base_buf heard = BASE_BUF_INIT, want = BASE_BUF_INIT;
    char event_id[ARDA_NOTIFY_ID_LEN + 1];
    test_redis_do(&redis, "FLUSHALL");
    listen_to("SUBSCRIBE arda:events:acme arda:events:global");
    check_done(&step, 3, 3);
    CHECK_INT(hear(&heard), 6);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            CHECK_INT(arda_notify_event_id(id_of(three[i].id), event_id), 0);
            base_buf_printf(
                &want,
                "arda:events:%s {\"type\":\"notification.created\",\"tenantId\":\"acme\","
                "\"userId\":\"%s\",\"notificationId\":\"%s\",\"notificationType\":\"po_created\","
                "\"title\":\"New \\\"purchase\\\" order created\",\"timestamp\":\"" NOW "\","
                "\"eventId\":\"%s\",\"schemaVersion\":1,\"correlationId\":\"" KEY "\"}\n",
                k ? "acme" : "global", three[i].id, id_of(three[i].id), event_id);
        }
    CHECK_BYTES(heard.data, heard.len, base_buf_cstr(&want));
    CHECK_INT(count("EXISTS arda:stream:%s", "acme"), 0);
    check_outcome(&step, ARDA_NOTIFY_BEFORE);
    CHECK_INT(hear(NULL), 0);
    stop_listening();
    base_buf_fini(&heard);
    base_buf_fini(&want);
}

static void check_delivery(const char *user, enum arda_notify_channel channel)
{
    static const char *const fields[] = {"id",        "tenantId", "notificationId", "userId",
                                         "channel",   "status",   "attemptCount",   "createdAt",
                                         "updatedAt", "cause"};
    char id[ARDA_NOTIFY_ID_LEN + 1], member[64];
    CHECK_INT(arda_notify_delivery_id(id_of(user), channel, id), 0);
    const char *const want[] = {
        id,        "acme", id_of(user), user, arda_notify_channel_name(channel),
        "pending", "0",    NOW,         NOW,  KEY};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        check_text(want[i], "HGET arda:delivery:acme:%s %s", id, fields[i]);
    CHECK_INT(count("HLEN arda:delivery:acme:%s", id), 11);
    check_text("1770552000123", "ZSCORE arda:deliveries:acme %s", id);
    snprintf(member, sizeof member, "acme:%s", id);
    check_text("1770552000123", "ZSCORE arda:due %s", member);
}

static void deliveries_are_recorded(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    check_done(&step, 3, 3);
    check_delivery("ann", ARDA_NOTIFY_EMAIL);
    check_delivery("cid", ARDA_NOTIFY_EMAIL);
    check_delivery("cid", ARDA_NOTIFY_WEBHOOK);
    CHECK_INT(count("ZCARD arda:deliveries:%s", "acme"), 3);
    CHECK_INT(count("ZCARD arda:%s", "due"), 3);
    check_text("{\"type\":\"x\"}", "GET arda:cause:acme:" KEY);
    CHECK(count("TTL arda:cause:acme:%s", KEY) > 2591000);
    redisReply *row = test_redis_ask(&redis, "HGET arda:rows:acme:ann %s", id_of("ann"));
    char id[ARDA_NOTIFY_ID_LEN + 1];
    CHECK_INT(arda_notify_delivery_id(id_of("ann"), ARDA_NOTIFY_EMAIL, id), 0);
    redisReply *told = test_redis_ask(&redis, "HGET arda:delivery:acme:%s notification", id);
    CHECK_STR(told->str, row->str);
    freeReplyObject(row);
    freeReplyObject(told);
}

/* Off in the application, the others go out under the id that the row would have had. */
static void channels_that_are_off_are_left_out(void)
{
    struct arda_notify_user users[] = {{"ann", 2}, {"bob", 0}, {"cid", 1}};
    struct arda_notify_step step = model();
    step.users = users;
    test_redis_do(&redis, "FLUSHALL");
    listen_to("SUBSCRIBE arda:events:acme");
    check_done(&step, 1, 1);
    CHECK_INT(hear(NULL), 1);
    stop_listening();
    CHECK_INT(count("EXISTS arda:rows:acme:%s", "ann"), 0);
    CHECK_INT(count("EXISTS arda:inbox:acme:%s", "ann"), 0);
    CHECK_INT(count("EXISTS arda:rows:acme:%s", "bob"), 0);
    check_row("cid", id_of("cid"));
    check_delivery("ann", ARDA_NOTIFY_EMAIL);
}

static void a_shadow_has_no_deliveries(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:shadows acme");
    check_done(&step, 3, 0);
    check_row("cid", id_of("cid"));
    CHECK_INT(count("EXISTS arda:%s arda:deliveries:acme", "due"), 0);
    CHECK_INT(count("EXISTS arda:cause:acme:%s", KEY), 0);
}

static void what_is_missing_is_null(void)
{
    struct arda_notify_step step = model();
    const struct base_slice none = {NULL, 0};
    struct base_buf heard = BASE_BUF_INIT;
    step.cause = (struct arda_notify_cause){.key = KEY, .time_ms = 0x019c3d5e8a00};
    step.notification.body = step.notification.action_url = step.notification.metadata = none;
    step.on_row = on_row;
    step.user_count = 1;
    test_redis_do(&redis, "FLUSHALL");
    listen_to("SUBSCRIBE arda:events:acme");
    check_done(&step, 1, 1);
    CHECK_INT(hear(&heard), 1);
    stop_listening();
    CHECK(strstr(base_buf_cstr(&heard), "\"schemaVersion\":1}\n") != NULL);
    CHECK(strstr(base_buf_cstr(&answer.rows),
                 ",\"body\":null,\"isRead\":false,\"readAt\":null,\"actionUrl\":null,"
                 "\"metadata\":null,\"createdAt\":\"" NOW "\",\"eventId\":null}\n") != NULL);
    base_buf_fini(&heard);
}

static void an_event_without_users_is_handled(void)
{
    struct arda_notify_step step = model();
    step.user_count = 0;
    step.users = NULL;
    test_redis_do(&redis, "FLUSHALL");
    check_done(&step, 0, 0);
    check_outcome(&step, ARDA_NOTIFY_BEFORE);
}

/* ---- the stream ---- */

static void add_entry(char id[static 64])
{
    redisReply *reply = test_redis_ask(&redis, "XADD arda:stream:acme * envelope x");
    snprintf(id, 64, "%s", reply->str);
    freeReplyObject(reply);
    freeReplyObject(
        test_redis_ask(&redis, "XREADGROUP GROUP notifyd d1 COUNT 1 STREAMS arda:stream:acme >"));
}

static long long unacknowledged(void)
{
    redisReply *reply = test_redis_ask(&redis, "XPENDING arda:stream:acme notifyd");
    long long pending = reply->elements == 4 ? reply->element[0]->integer : -1;
    freeReplyObject(reply);
    return pending;
}

static void the_entry_is_acknowledged_with_it(void)
{
    struct arda_notify_step step = model();
    char id[64];
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "XGROUP CREATE arda:stream:acme notifyd 0 MKSTREAM");
    test_redis_do(&redis, "SET arda:version:acme 5");
    add_entry(id);
    step.stream_id = id;
    step.version = 4;
    check_outcome(&step, ARDA_NOTIFY_STALE);
    CHECK_INT(unacknowledged(), 1);
    step.version = 5;
    check_done(&step, 3, 3);
    CHECK_INT(unacknowledged(), 0);
    add_entry(id); /* the same event once more */
    CHECK_INT(unacknowledged(), 1);
    check_outcome(&step, ARDA_NOTIFY_BEFORE);
    CHECK_INT(unacknowledged(), 0);
}

static void an_old_directory_changes_nothing(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    step.version = 1;
    check_outcome(&step, ARDA_NOTIFY_STALE);
    CHECK_INT(count("%s", "DBSIZE"), 0);
    step.version = 0; /* a directory that was never changed */
    check_done(&step, 3, 3);
    test_redis_do(&redis, "INCR arda:version:acme");
    check_outcome(&step, ARDA_NOTIFY_BEFORE); /* which needs no directory */
}

/* ---- many users, several callers ---- */

/* Each of the many has exactly one row, and was told so once. */
static void check_all(size_t heard)
{
    CHECK_INT(heard, MANY);
    for (int i = 0; i < MANY; i += 97) {
        CHECK_INT(count("HLEN arda:rows:acme:%s", many_ids[i]), 1);
        CHECK_INT(count("ZCARD arda:unread:acme:%s", many_ids[i]), 1);
    }
    redisReply *reply = test_redis_ask(&redis, "DBSIZE");
    CHECK_INT(reply->integer, 3 * MANY + 1);
    freeReplyObject(reply);
    CHECK_INT(count("EXISTS arda:handled:acme:%s", KEY), 1);
}

static struct arda_notify_step many_model(uint32_t chunk)
{
    struct arda_notify_step step = model();
    step.users = many;
    step.user_count = MANY;
    step.chunk = chunk;
    return step;
}

static void many_users_are_done_in_chunks(void)
{
    struct arda_notify_step step = many_model(0);
    test_redis_do(&redis, "FLUSHALL");
    listen_to("SUBSCRIBE arda:events:acme");
    check_done(&step, MANY, 0);
    check_all(hear(NULL));
    stop_listening();
}

static void two_callers_share_an_event(void)
{
    struct arda_notify_step one = many_model(70), two = many_model(110);
    struct test_bus second;
    test_redis_do(&redis, "FLUSHALL");
    test_bus_up(&second, redis.url);
    listen_to("SUBSCRIBE arda:events:acme");
    CHECK_INT(begin(test.bus, &one, &answer), 0);
    CHECK_INT(begin(second.bus, &two, &other), 0);
    RUN_UNTIL(answer.calls == 1 && other.calls == 1);
    CHECK_INT(answer.result, 0);
    CHECK_INT(other.result, 0);
    CHECK(answer.got.outcome != other.got.outcome);
    CHECK_INT(answer.got.rows + other.got.rows, MANY);
    check_all(hear(NULL));
    stop_listening();
    test_bus_close(&second);
}

static bool has_begun(void)
{
    return count("EXISTS arda:progress:acme:%s", KEY) == 1;
}

/* The first caller loses its connection for good after some chunks. Meanwhile the last user that it
 * has done leaves, and one joins who would have been before. */
static void another_takes_up_what_was_cut(void)
{
    static struct arda_notify_user changed[MANY];
    struct arda_notify_step step = many_model(10);
    struct test_bus first;
    size_t kept = 1, done = 0;
    test_redis_do(&redis, "FLUSHALL");
    test_bus_up(&first, redis.url);
    listen_to("SUBSCRIBE arda:events:acme");
    CHECK_INT(begin(first.bus, &step, &answer), 0);
    RUN_UNTIL(has_begun());
    test_bus_close(&first);
    CHECK_INT(answer.calls, 1);
    CHECK(answer.result != 0);
    redisReply *reached = test_redis_ask(&redis, "GET arda:progress:acme:" KEY);
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
    check_done(&step, MANY - done, 0);
    check_all(hear(NULL));
    CHECK_INT(count("EXISTS arda:rows:acme:%s", "a-new-one"), 0);
    stop_listening();
}

/* How far the event had come is lost: all is done again, and changes nothing. */
static void a_lost_position_does_no_harm(void)
{
    struct arda_notify_step step = many_model(10);
    struct test_bus first;
    test_redis_do(&redis, "FLUSHALL");
    test_bus_up(&first, redis.url);
    listen_to("SUBSCRIBE arda:events:acme");
    CHECK_INT(begin(first.bus, &step, &answer), 0);
    RUN_UNTIL(has_begun());
    test_bus_close(&first);
    CHECK(answer.result != 0);
    test_redis_do(&redis, "DEL arda:progress:acme:" KEY);
    step.chunk = 500;
    CHECK_INT(run(&step), 0);
    CHECK(answer.got.rows < MANY);
    check_all(hear(NULL));
    stop_listening();
}

/* ---- retention ---- */

static void add_old(int number, long long score)
{
    test_redis_do(&redis, "ZADD arda:inbox:acme:ann %lld old-%d", score, number);
    test_redis_do(&redis, "ZADD arda:unread:acme:ann %lld old-%d", score, number);
    test_redis_do(&redis, "HSET arda:rows:acme:ann old-%d {} old-%d.read x", number, number);
}

static void old_rows_go_by_age(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    for (int i = 0; i < 4; i++)
        add_old(i, NOW_MS - 1002 + i);
    step.retention.age_ms = 1000;
    check_done(&step, 3, 3);
    CHECK_INT(answer.got.trimmed, 2);
    CHECK_INT(count("ZCARD arda:inbox:acme:%s", "ann"), 3);
    CHECK_INT(count("ZCARD arda:unread:acme:%s", "ann"), 3);
    CHECK_INT(count("HLEN arda:rows:acme:%s", "ann"), 5);
    CHECK_INT(count("HEXISTS arda:rows:acme:ann %s", "old-1"), 0);
    CHECK_INT(count("HEXISTS arda:rows:acme:ann %s", "old-2.read"), 1);
    CHECK_INT(count("ZCARD arda:inbox:acme:%s", "bob"), 1);
}

static void old_rows_go_by_count(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    for (int i = 0; i < 700; i++)
        add_old(i, 1000 + i);
    step.retention.count = 3;
    check_done(&step, 3, 3);
    CHECK_INT(answer.got.trimmed, 500); /* at once */
    strcpy(step.cause.key, "another");
    check_done(&step, 3, 3);
    CHECK_INT(answer.got.trimmed, 199);
    CHECK_INT(count("ZCARD arda:inbox:acme:%s", "ann"), 3);
    CHECK_INT(count("ZCARD arda:unread:acme:%s", "ann"), 3);
    CHECK_INT(count("HLEN arda:rows:acme:%s", "ann"), 4);
    CHECK_INT(count("HEXISTS arda:rows:acme:ann %s", "old-699"), 1);
}

/* ---- what goes wrong ---- */

static void a_script_that_was_forgotten_is_sent_again(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SCRIPT FLUSH");
    check_done(&step, 3, 3);
    check_outcome(&step, ARDA_NOTIFY_BEFORE);
    test_redis_do(&redis, "SCRIPT FLUSH");
    strcpy(step.cause.key, "another");
    check_done(&step, 3, 3);
}

static void a_redis_that_was_started_anew_is_used(void)
{
    struct arda_notify_step step = model();
    test_redis_stop(&redis);
    RUN_UNTIL(!arda_bus_is_up(test.bus));
    CHECK_INT(begin(test.bus, &step, &answer), BASE_ERR_UNAVAILABLE);
    test_redis_start(&redis);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    CHECK_INT(answer.calls, 0);
    check_done(&step, 3, 3);
}

/* Not before everything that belongs to a row is there, the row is. */
static void a_step_that_was_refused_half_way_is_mended(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:unread:acme:bob x");
    listen_to("SUBSCRIBE arda:events:acme");
    CHECK_INT(run(&step), BASE_ERR_INTERNAL);
    CHECK(strstr(answer.why, "WRONGTYPE") && strstr(answer.why, "redis 127.0.0.1:"));
    CHECK_INT(count("EXISTS arda:handled:acme:%s", KEY), 0);
    test_redis_do(&redis, "DEL arda:unread:acme:bob");
    check_done(&step, 2, 2);
    check_row("ann", id_of("ann"));
    check_row("bob", id_of("bob"));
    CHECK_INT(hear(NULL), 3);
    stop_listening();
}

static void progress_that_makes_no_sense_is_told(void)
{
    struct arda_notify_step step = model();
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:progress:acme:" KEY " %0100d", 1);
    CHECK_INT(run(&step), BASE_ERR_INTERNAL);
    CHECK_STR(answer.why, "the progress of an event makes no sense");
}

static int refused(const struct arda_notify_step *step)
{
    int result = begin(test.bus, step, &answer);
    CHECK_INT(answer.calls, 0);
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
        struct arda_notify_step step = model();
        step.users = lists[i].users;
        step.user_count = lists[i].count;
        CHECK_INT(refused(&step), BASE_ERR_INVALID);
    }
    struct arda_notify_step step = model();
    step.tenant = "global";
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = model();
    step.cause.key[0] = '\0';
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = model();
    step.notification.type = test_slice("po_lost");
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    step = model();
    step.notification.title = test_slice("\xff");
    CHECK_INT(refused(&step), BASE_ERR_INVALID);
    static const char *const metadata[] = {"[]", "{", "{}\n", "{\"a\":\n1}", "null"};
    for (size_t i = 0; i < 5; i++) {
        step = model();
        step.notification.metadata = test_slice(metadata[i]);
        CHECK_INT(refused(&step), BASE_ERR_INVALID);
    }
}

static void survives_every_failing_allocation(void)
{
    int refusals = 0, ends = 0;
    for (long n = 1; n < 40; n++) {
        struct arda_notify_step step = model();
        step.chunk = 1;
        step.on_row = on_row;
        test_redis_do(&redis, "FLUSHALL");
        forget(&answer);
        base_mem_fail(n, 1);
        int result = arda_notify_step(test.bus, &step, on_done, &answer);
        if (!result)
            RUN_UNTIL(answer.calls == 1);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        refusals += result != 0;
        ends += !result && answer.result != 0;
        RUN_UNTIL(arda_bus_is_up(test.bus));
        bool done = answer.calls == 1 && answer.result == 0;
        CHECK_INT(run(&step), 0);
        CHECK_INT(answer.got.outcome, done ? ARDA_NOTIFY_BEFORE : ARDA_NOTIFY_DONE);
        CHECK_INT(count("ZCARD arda:inbox:acme:%s", "cid"), 1);
    }
    CHECK(refusals > 0);
    CHECK(ends > 0);
}

static void ends_without_an_open_handle(void)
{
    forget(&answer);
    forget(&other);
    test_bus_close(&test);
    test_loop_fini();
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    make_many(1);
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&test, redis.url);
    RUN(every_user_gets_a_row);
    RUN(each_is_announced_once_on_both_channels);
    RUN(deliveries_are_recorded);
    RUN(channels_that_are_off_are_left_out);
    RUN(a_shadow_has_no_deliveries);
    RUN(what_is_missing_is_null);
    RUN(an_event_without_users_is_handled);
    RUN(the_entry_is_acknowledged_with_it);
    RUN(an_old_directory_changes_nothing);
    RUN(many_users_are_done_in_chunks);
    RUN(two_callers_share_an_event);
    RUN(another_takes_up_what_was_cut);
    RUN(a_lost_position_does_no_harm);
    RUN(old_rows_go_by_age);
    RUN(old_rows_go_by_count);
    RUN(a_script_that_was_forgotten_is_sent_again);
    RUN(a_redis_that_was_started_anew_is_used);
    RUN(a_step_that_was_refused_half_way_is_mended);
    RUN(progress_that_makes_no_sense_is_told);
    RUN(arguments_that_make_no_sense_are_refused);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
