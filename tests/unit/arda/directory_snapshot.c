/* SPDX-License-Identifier: ISC
 *
 * A tenant's entries at one instant, in a real Redis.
 */
#include "arda/directory.h"

#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

static struct test_redis redis;
static struct test_bus test;

static struct {
    struct base_buf text; /* lines, and what is bad */
    int calls, result;
    struct arda_directory_state state;
    char why[256];
} taken;

static void on_line(void *data, const struct arda_directory_line *line)
{
    CHECK(data == &taken);
    CHECK_INT(arda_directory_line_write(&taken.text, line), 0);
    CHECK_INT(base_buf_add_byte(&taken.text, '\n'), 0);
}

static void on_bad(void *data, const struct base_why *why)
{
    CHECK(data == &taken);
    CHECK_INT(base_buf_printf(&taken.text, "bad %s\n", why->text), 0);
}

static void on_done(void *data, int result, const struct arda_directory_state *state,
                    const struct base_why *why)
{
    CHECK(data == &taken);
    CHECK((result == 0) == (state != NULL));
    taken.calls++;
    taken.result = result;
    if (state)
        taken.state = *state;
    snprintf(taken.why, sizeof taken.why, "%s", result ? why->text : "");
}

static const struct arda_directory_handlers handlers = {on_line, on_bad, on_done, &taken};

static void forget(void)
{
    base_buf_fini(&taken.text);
    memset(&taken, 0, sizeof taken);
}

static int take(const char *tenant, unsigned kinds)
{
    forget();
    CHECK_INT(arda_directory_snapshot(test.bus, tenant, kinds, &handlers), 0);
    RUN_UNTIL(taken.calls == 1);
    return taken.result;
}

/* In `want` stands ' for ". */
static void check_taken(const char *want)
{
    for (size_t i = 0; i < taken.text.len; i++)
        if (taken.text.data[i] == '"')
            taken.text.data[i] = '\'';
    CHECK_BYTES(taken.text.len ? taken.text.data : "", taken.text.len, want);
}

#define OF(kind) "{\"kind\":\"" kind "\",\"tenantId\":\"t1\""
#define SECRET   "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

static void fill(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:tenants t1");
    test_redis_do(&redis, "SADD arda:loops:t1 l2 l10 l1");
    test_redis_do(&redis, "HSET arda:users:t1 u2 %s u1 %s", "{}", "{\"active\":false}");
    test_redis_do(&redis, "HSET arda:preferences:t1 u1:po_sent:email 0 *:po_sent:email 1");
    test_redis_do(&redis, "HSET arda:digest:t1 u1:* daily@08:00 *:po_sent hourly");
    test_redis_do(&redis, "HSET arda:quiet:t1 * 22:00-07:00");
    test_redis_do(&redis, "HSET arda:webhook:t1 enabled 1 secret " SECRET " url https://a.example "
                          "since 5");
    test_redis_do(&redis, "SET arda:version:t1 7");
}

#define USERS                                                                                      \
    "{'kind':'user','tenantId':'t1','userId':'u1','active':false}\n"                               \
    "{'kind':'user','tenantId':'t1','userId':'u2','active':true}\n"
#define PREFERENCES                                                                                \
    "{'kind':'preference','tenantId':'t1','userId':null,'notificationType':'po_sent',"             \
    "'channel':'email','enabled':true}\n"                                                          \
    "{'kind':'preference','tenantId':'t1','userId':'u1','notificationType':'po_sent',"             \
    "'channel':'email','enabled':false}\n"

static void every_kind_is_there_in_its_order(void)
{
    fill();
    CHECK_INT(take("t1", ARDA_DIRECTORY_ALL), 0);
    check_taken("{'kind':'digest','tenantId':'t1','userId':null,'notificationType':'po_sent',"
                "'schedule':'hourly'}\n"
                "{'kind':'digest','tenantId':'t1','userId':'u1','notificationType':null,"
                "'schedule':'daily@08:00'}\n"
                "{'kind':'loop','tenantId':'t1','loopId':'l1'}\n"
                "{'kind':'loop','tenantId':'t1','loopId':'l10'}\n"
                "{'kind':'loop','tenantId':'t1','loopId':'l2'}\n" PREFERENCES
                "{'kind':'quiet','tenantId':'t1','userId':null,'from':'22:00','to':'07:00'}\n"
                "{'kind':'tenant','tenantId':'t1'}\n" USERS
                "{'kind':'webhook','tenantId':'t1','url':'https://a.example',"
                "'secret':'" SECRET "','enabled':true}\n");
    CHECK_INT(taken.state.version, 7);
    CHECK(taken.state.known);
}

static void only_the_kinds_that_are_asked_for(void)
{
    CHECK_INT(take("t1", ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_USER) |
                             ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_PREFERENCE)),
              0);
    check_taken(PREFERENCES USERS);
    CHECK_INT(take("t1", 0), 0);
    check_taken("");
    CHECK_INT(taken.state.version, 7);
}

static void an_unknown_tenant_has_nothing(void)
{
    CHECK_INT(take("t2", ARDA_DIRECTORY_ALL), 0);
    check_taken("");
    CHECK_INT(taken.state.version, 0);
    CHECK(!taken.state.known);
    CHECK_INT(arda_directory_snapshot(test.bus, "a b", ARDA_DIRECTORY_ALL, &handlers),
              BASE_ERR_INVALID);
}

static void bad_entries_do_not_hide_good_ones(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SADD arda:loops:t1 ok %s", "not an id");
    test_redis_do(&redis, "HSET arda:users:t1 u1 %s u2 %s", "{\"email\":5}", "{}");
    test_redis_do(&redis, "HSET arda:preferences:t1 u1:po_sent:email yes u1:po_sent:sms 1 "
                          "u1:po_sent:webhook 1");
    test_redis_do(&redis, "HSET arda:digest:t1 u1:* %s", "\xff");
    test_redis_do(&redis, "HSET arda:quiet:t1 u1 22:00 u2 22:00-22:00 u3 1-2");
    test_redis_do(&redis, "HSET arda:webhook:t1 url https://a.example enabled 1");
    CHECK_INT(take("t1", ARDA_DIRECTORY_ALL), 0);
    check_taken("bad tenant t1: digest u1:*: schedule: not UTF-8\n"
                "bad tenant t1: loop not an id: loopId: expected an id, got not an id\n"
                "{'kind':'loop','tenantId':'t1','loopId':'ok'}\n"
                "bad tenant t1: preference u1:po_sent:email: enabled: expected 0 or 1\n"
                "bad tenant t1: preference u1:po_sent:sms: channel: sms is not one of in_app, "
                "email, webhook\n"
                "{'kind':'preference','tenantId':'t1','userId':'u1','notificationType':'po_sent',"
                "'channel':'webhook','enabled':true}\n"
                "bad tenant t1: quiet u1: expected HH:MM-HH:MM\n"
                "bad tenant t1: quiet u2: to: the same as from\n"
                "bad tenant t1: quiet u3: from: expected a time such as '22:00', got '1'\n"
                "bad tenant t1: user u1: email: expected an address, got 5\n"
                "{'kind':'user','tenantId':'t1','userId':'u2','active':true}\n"
                "bad tenant t1: webhook: secret: missing\n");
    CHECK(!taken.state.known);
}

static void a_key_of_another_type_is_named(void)
{
    static const struct {
        const char *command, *why;
    } keys[] = {
        {"SET arda:digest:t1 x", "arda:digest:t1: expected a hash, got a string"},
        {"HSET arda:loops:t1 x 1", "arda:loops:t1: expected a set, got a hash"},
        {"RPUSH arda:preferences:t1 x", "arda:preferences:t1: expected a hash, got a list"},
        {"SET arda:quiet:t1 x", "arda:quiet:t1: expected a hash, got a string"},
        {"SADD arda:users:t1 x", "arda:users:t1: expected a hash, got a set"},
        {"ZADD arda:webhook:t1 1 x", "arda:webhook:t1: expected a hash, got a zset"},
        {"SET arda:tenants x", "arda:tenants: expected a set, got a string"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        test_redis_do(&redis, "FLUSHALL");
        test_redis_do(&redis, keys[i].command);
        CHECK_INT(take("t1", ARDA_DIRECTORY_ALL), BASE_ERR_SYNTAX);
        CHECK_STR(taken.why, keys[i].why);
        CHECK_INT(take("t2", ARDA_DIRECTORY_ALL), i < 6 ? 0 : BASE_ERR_SYNTAX);
    }
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:quiet:t1 x");
    CHECK_INT(take("t1", ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_USER)), 0);
}

/* Texts are compared by the notification step, numbers by others: both have to read the same. */
static void a_version_is_a_number_in_one_form(void)
{
    static const struct {
        const char *command;
        int64_t version;
    } keys[] = {
        {"SET arda:version:t1 0", 0},
        {"SET arda:version:t1 7", 7},
        {"SET arda:version:t1 9223372036854775807", INT64_MAX},
        {"SET arda:version:t1 9223372036854775808", -1},
        {"SET arda:version:t1 -1", -1},
        {"SET arda:version:t1 07", -1},
        {"SET arda:version:t1 +7", -1},
        {"SET arda:version:t1 7.0", -1},
        {"SET arda:version:t1 x", -1},
        {"SETRANGE arda:version:t1 1 7", -1}, /* after a NUL */
        {"RPUSH arda:version:t1 7", -1},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        test_redis_do(&redis, "FLUSHALL");
        test_redis_do(&redis, keys[i].command);
        CHECK_INT(take("t1", ARDA_DIRECTORY_ALL), 0);
        CHECK_INT(taken.state.version, keys[i].version);
    }
}

/* ---- what puts, batches and removals do ---- */

static int dones, done_result;

static void on_written(void *data, int result, const struct base_why *why)
{
    (void)data;
    (void)why;
    dones++;
    done_result = result;
}

static void put(const char *text)
{
    struct arda_directory_line line = {0};
    CHECK_INT(arda_directory_line_parse(text, strlen(text), &line, NULL), 0);
    dones = 0;
    CHECK_INT(arda_directory_put(test.bus, &line, on_written, NULL), 0);
    RUN_UNTIL(dones == 1);
    CHECK_INT(done_result, 0);
    CHECK_INT(arda_directory_get(test.bus, &line, on_written, NULL), 0);
    RUN_UNTIL(dones == 2);
    CHECK_INT(done_result, 0);
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_directory_line_write(&out, &line), 0);
    CHECK_BYTES(out.data, out.len, text);
    base_buf_fini(&out);
    arda_directory_line_fini(&line);
}

static void remove_line(const char *text, int result)
{
    struct arda_directory_line line = {0};
    CHECK_INT(arda_directory_line_parse(text, strlen(text), &line, NULL), 0);
    dones = 0;
    CHECK_INT(arda_directory_remove(test.bus, &line, on_written, NULL), 0);
    RUN_UNTIL(dones == 1);
    CHECK_INT(done_result, result);
    arda_directory_line_fini(&line);
}

/* Every change is seen by a reader who compares versions. */
static void entries_of_every_kind_come_back_and_go(void)
{
    static const char *const lines[] = {
        OF("digest") ",\"userId\":null,\"notificationType\":null,\"schedule\":\"daily@08:00\"}",
        OF("loop") ",\"loopId\":\"l1\"}",
        OF("preference") ",\"userId\":\"u1\",\"notificationType\":\"po_sent\","
                         "\"channel\":\"email\",\"enabled\":false}",
        OF("quiet") ",\"userId\":\"u1\",\"from\":\"22:00\",\"to\":\"07:00\"}",
        OF("user") ",\"userId\":\"u1\",\"active\":true}",
        OF("webhook") ",\"url\":\"https://a.example\",\"secret\":\"" SECRET "\",\"enabled\":false}",
    };
    enum { COUNT = sizeof lines / sizeof lines[0] };
    struct base_buf all = BASE_BUF_INIT;
    test_redis_do(&redis, "FLUSHALL");
    for (unsigned i = 0; i < COUNT; i++) {
        put(lines[i]);
        CHECK_INT(base_buf_printf(&all, "%s\n", lines[i]), 0);
        CHECK_INT(take("t1", 0), 0);
        CHECK_INT(taken.state.version, i + 1);
    }
    CHECK_INT(take("t1", ARDA_DIRECTORY_ALL & ~ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_TENANT)), 0);
    CHECK_BYTES(taken.text.data, taken.text.len, base_buf_cstr(&all));
    for (unsigned i = 0; i < COUNT; i++) {
        remove_line(lines[i], 0);
        CHECK_INT(take("t1", 0), 0);
        CHECK_INT(taken.state.version, COUNT + i + 1);
    }
    remove_line(lines[COUNT - 1], BASE_ERR_NOTFOUND);
    CHECK_INT(take("t1", ARDA_DIRECTORY_ALL), 0);
    check_taken("{'kind':'tenant','tenantId':'t1'}\n");
    base_buf_fini(&all);
}

/* ---- without Redis, without memory ---- */

static void nothing_is_asked_while_redis_is_away(void)
{
    struct test_bus fresh;
    test_bus_open(&fresh, redis.url);
    forget();
    CHECK_INT(arda_directory_snapshot(fresh.bus, "t1", ARDA_DIRECTORY_ALL, &handlers),
              BASE_ERR_UNAVAILABLE);
    test_bus_close(&fresh);
    CHECK_INT(taken.calls, 0);
}

static void a_lost_answer_is_told(void)
{
    struct test_bus fresh;
    test_bus_up(&fresh, redis.url);
    forget();
    test_redis_stop(&redis);
    CHECK_INT(arda_directory_snapshot(fresh.bus, "t1", ARDA_DIRECTORY_ALL, &handlers), 0);
    RUN_UNTIL(taken.calls == 1);
    CHECK_INT(taken.result, BASE_ERR_CLOSED);
    CHECK(taken.why[0] != '\0');
    test_bus_close(&fresh);
    test_redis_start(&redis);
    RUN_UNTIL(arda_bus_is_up(test.bus));
}

/* It either fails at once or calls back once, with everything or with a reason. */
static void survives_every_failing_allocation(void)
{
    fill();
    bool whole = false;
    for (long n = 1; !whole && n < 300; n++) {
        struct test_bus fresh;
        test_bus_up(&fresh, redis.url);
        forget();
        CHECK_INT(base_buf_reserve(&taken.text, 4096), 0); /* the handlers' own */
        base_mem_fail(n, 1);
        int result = arda_directory_snapshot(fresh.bus, "t1", ARDA_DIRECTORY_ALL, &handlers);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        RUN_UNTIL(result || taken.calls == 1);
        whole = base_mem_tries() < n;
        base_mem_fail(0, 0);
        test_bus_close(&fresh);
        CHECK_INT(taken.calls, result == 0);
        CHECK(!whole || (result == 0 && taken.result == 0));
    }
    CHECK(whole);
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
    RUN(every_kind_is_there_in_its_order);
    RUN(only_the_kinds_that_are_asked_for);
    RUN(an_unknown_tenant_has_nothing);
    RUN(bad_entries_do_not_hide_good_ones);
    RUN(a_key_of_another_type_is_named);
    RUN(a_version_is_a_number_in_one_form);
    RUN(entries_of_every_kind_come_back_and_go);
    RUN(nothing_is_asked_while_redis_is_away);
    RUN(a_lost_answer_is_told);
    RUN(survives_every_failing_allocation);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
