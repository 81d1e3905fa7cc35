/* SPDX-License-Identifier: ISC */
#include "arda-subscribe/match.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static char told[1024]; /* differences, such as "missing bus e1;" */

static void on_found(void *data, const struct match_difference *difference)
{
    static const char *const kinds[] = {"missing", "order", "text", "name", "unexpected"};
    struct base_json_member id = BASE_JSON_WANT("eventId");
    size_t len = strlen(told);
    (void)data;
    base_json_pick(difference->text.data, difference->text.len, &id, 1, NULL, NULL);
    snprintf(told + len, sizeof told - len, "%s %s %.*s;", kinds[difference->kind],
             difference->side == MATCH_BUS ? "bus" : "gateway", (int)id.value.len, id.value.text);
}

static struct match match;
static int64_t now_ms;

static void begin(void)
{
    told[0] = '\0';
    now_ms = 0;
    match_init(&match, 100, on_found, NULL);
}

static int bus_text(const char *text, bool optional)
{
    return match_bus(&match, now_ms, (struct base_slice){text, strlen(text)},
                     (struct base_slice){"ann", 3}, optional);
}

static int gateway_text(const char *name, const char *text, bool optional)
{
    struct base_json_value value;
    CHECK_INT(base_json_check(name, strlen(name), &value, NULL), 0);
    return match_gateway(&match, now_ms, &value, (struct base_slice){text, strlen(text)}, optional);
}

/* Events of the type x; several ids one after the other. */
static void comes(enum match_side side, const char *ids)
{
    for (; *ids; ids++) {
        char text[64];
        snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"%c\"}", *ids);
        CHECK_INT(side == MATCH_BUS ? bus_text(text, false) : gateway_text("\"x\"", text, false),
                  0);
    }
}

static void ends(const char *differences, uint64_t both)
{
    now_ms += 100;
    match_expire(&match, now_ms);
    CHECK_STR(told, differences);
    CHECK_INT(match.both, both);
    CHECK_INT(match_undecided(&match), 0);
    CHECK_INT(match_due_ms(&match), -1);
    CHECK_INT(match.bytes, 0);
    match_fini(&match);
}

static void same(void)
{
    begin();
    comes(MATCH_BUS, "abc");
    comes(MATCH_GATEWAY, "abcde");
    CHECK_INT(match_undecided(&match), 2);
    comes(MATCH_BUS, "de");
    CHECK_INT(match_decided(&match), 5);
    CHECK_INT(match_differences(&match), 0);
    ends("", 5);
}

static void missing(void)
{
    begin();
    comes(MATCH_BUS, "ab");
    comes(MATCH_GATEWAY, "bz");
    CHECK_INT(match_due_ms(&match), 100);
    now_ms = 99;
    match_expire(&match, now_ms);
    CHECK_STR(told, "");
    CHECK_INT(match_undecided(&match), 2);
    now_ms = 0;
    ends("missing gateway \"a\";missing bus \"z\";", 1);
}

static void twice(void)
{
    begin();
    comes(MATCH_GATEWAY, "aa");
    comes(MATCH_BUS, "a");
    CHECK_INT(match_undecided(&match), 1);
    ends("missing bus \"a\";", 1);
    begin();
    comes(MATCH_BUS, "aaa");
    comes(MATCH_GATEWAY, "aa");
    ends("missing gateway \"a\";", 2);
}

static void order(void)
{
    begin();
    comes(MATCH_BUS, "abcd");
    comes(MATCH_GATEWAY, "acbd");
    ends("order gateway \"b\";", 4);
    /* The same when the bus is behind. */
    begin();
    comes(MATCH_GATEWAY, "acbd");
    comes(MATCH_BUS, "abcd");
    ends("order gateway \"b\";", 4);
    /* One that is missing puts nothing out of order. */
    begin();
    comes(MATCH_GATEWAY, "bd");
    comes(MATCH_BUS, "abcd");
    ends("missing gateway \"a\";missing gateway \"c\";", 2);
}

static void texts(void)
{
    begin();
    CHECK_INT(bus_text("{\"type\":\"x\",\"eventId\":\"a\",\"n\":1}", false), 0);
    CHECK_INT(gateway_text("\"\\u0078\"", "{\"type\":\"x\",\"eventId\":\"a\",\"n\":1.0}", false),
              0);
    comes(MATCH_BUS, "b");
    CHECK_INT(gateway_text("\"y\"", "{\"type\":\"x\",\"eventId\":\"b\"}", false), 0);
    /* Without an id, or with one that is none, the text is what counts. */
    CHECK_INT(bus_text("{\"type\":\"x\",\"eventId\":\"\"}", false), 0);
    CHECK_INT(gateway_text("\"x\"", "{\"type\":\"x\",\"eventId\":\"\"}", false), 0);
    CHECK_INT(gateway_text("\"x\"", "{\"type\":\"x\",\"eventId\":7}", false), 0);
    CHECK_INT(bus_text("{\"type\":\"x\",\"eventId\":7}", false), 0);
    ends("text gateway \"a\";name gateway \"b\";", 4);
}

static void not_for_clients(void)
{
    begin();
    CHECK_INT(bus_text("{\"type\":\"security.a\"}", false), 0);
    CHECK_INT(bus_text("{\"type\":\"s\\u0065curity.a\"}", false), 0);
    CHECK_INT(bus_text("{\"type\":\"pong\"}", false), 0);
    CHECK_INT(bus_text("{\"type\":\"newListener\"}", false), 0);
    CHECK_INT(match.left_out, 4);
    CHECK_INT(bus_text("{\"type\":\"notification.created\",\"userId\":\"bob\"}", false), 0);
    CHECK_INT(bus_text("{\"type\":\"notification.created\"}", false), 0);
    CHECK_INT(match_undecided(&match), 0);
    CHECK_INT(
        bus_text("{\"type\":\"notification.created\",\"userId\":\"ann\",\"eventId\":\"n\"}", false),
        0);
    CHECK_INT(gateway_text("\"security.a\"", "{\"type\":\"security.a\",\"eventId\":\"s\"}", false),
              0);
    CHECK_INT(gateway_text("\"x\"", "7", false), 0);
    CHECK_INT(gateway_text("\"x\"", "", false), 0);
    ends("unexpected gateway \"s\";unexpected gateway ;unexpected gateway ;missing gateway \"n\";",
         0);
}

static void optional_events(void)
{
    begin();
    CHECK_INT(bus_text("{\"type\":\"x\",\"eventId\":\"a\"}", true), 0);
    CHECK_INT(bus_text("{\"type\":\"x\",\"eventId\":\"b\"}", true), 0);
    CHECK_INT(gateway_text("\"x\"", "{\"type\":\"x\",\"eventId\":\"y\"}", true), 0);
    comes(MATCH_GATEWAY, "b");
    comes(MATCH_BUS, "c");
    comes(MATCH_GATEWAY, "d");
    match_pause(&match);
    comes(MATCH_BUS, "e");
    comes(MATCH_GATEWAY, "e");
    ends("", 1);
}

/* What is too much is decided upon before its time. */
static void bounded(void)
{
    static char text[1024 * 1024];
    begin();
    for (int i = 0; i < 80; i++) {
        memset(text, ' ', sizeof text - 1);
        int len = snprintf(text, sizeof text, "{\"type\":\"x\",\"eventId\":\"%d\"", i);
        text[len] = ' ';
        text[sizeof text - 2] = '}';
        CHECK_INT(bus_text(text, true), 0);
        CHECK(match.bytes <= 64 * 1024 * 1024);
    }
    CHECK(match.bytes > 32 * 1024 * 1024);
    ends("", 0);
}

static void survives_no_memory(void)
{
    for (long n = 1;; n++) {
        begin();
        base_mem_fail(n, 1);
        int failed = bus_text("{\"type\":\"x\",\"eventId\":\"a\"}", false);
        failed |= gateway_text("\"x\"", "{\"type\":\"x\",\"eventId\":\"b\"}", false);
        failed |= gateway_text("\"x\"", "{\"type\":\"x\",\"eventId\":\"a\"}", false);
        bool tried = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        match_fini(&match);
        if (!tried) {
            CHECK_INT(failed, 0);
            break;
        }
    }
}

int main(void)
{
    RUN(same);
    RUN(missing);
    RUN(twice);
    RUN(order);
    RUN(texts);
    RUN(not_for_clients);
    RUN(optional_events);
    RUN(bounded);
    RUN(survives_no_memory);
    return test_end();
}
