/* SPDX-License-Identifier: ISC */
#include "arda/replay/id_map.h"

#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "lib/test.h"

#define OLD   "0b9f4b1e-7a55-4c3d-9e21-111111111111"
#define OTHER "0b9f4b1e-7a55-4c3d-9e21-222222222222"
#define UPPER "0B9F4B1E-7A55-4C3D-9E21-111111111111"

static const struct base_slice seed = {"run", 3};

static int map(struct base_buf *out, const char *text, const char *type)
{
    struct base_json_value event;
    out->len = 0;
    CHECK_INT(base_json_check(text, strlen(text), &event, NULL), 0);
    return arda_id_map(out, &event, (struct base_slice){type, strlen(type)}, seed);
}

/* What an id becomes. */
static const char *mapped(const char *id)
{
    static char text[4][BASE_UUID_LEN + 1];
    static int next;
    char *out = text[next++ % 4];
    CHECK_INT(base_id_derive(seed.data, seed.len, id, strlen(id), out), 0);
    return out;
}

static void check(const char *text, const char *type, const char *wanted)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(map(&out, text, type), 0);
    CHECK_BYTES(out.data, out.len, wanted);
    base_buf_fini(&out);
}

static void the_same_by_the_same(void)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted,
             "{ \"a\" : \"%s\",\"b\":[\"%s\", \"%s\"],\"c\":{\"%s\":\"%s\"}}", mapped(OLD),
             mapped(OTHER), mapped(OLD), OLD, mapped(OLD));
    check("{ \"a\" : \"" OLD "\",\"b\":[\"" OTHER "\", \"" UPPER "\"],\"c\":{\"" OLD "\":\"" OLD
          "\"}}",
          "x", wanted);
    CHECK(strcmp(mapped(OLD), mapped(OTHER)) != 0);
    CHECK(base_id_is_uuid(mapped(OLD), BASE_UUID_LEN));
}

static void event_and_tenant_keep_theirs(void)
{
    check("{\"eventId\":\"" OLD "\",\"tenantId\":\"" OLD "\"}", "card.transition",
          "{\"eventId\":\"" OLD "\",\"tenantId\":\"" OLD "\"}");
}

static void loose_ids_are_known_by_the_table(void)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted,
             "{\"cardId\":\"%s\",\"linkedCardIds\":[\"%s\"],\"reason\":\"c17\",\"userId\":\"\"}",
             mapped("c17"), mapped("c17"));
    /* `linkedCardIds` is no member of this type, so only UUIDs are replaced there. */
    char plain[512];
    snprintf(plain, sizeof plain,
             "{\"cardId\":\"%s\",\"linkedCardIds\":[\"c17\"],\"reason\":\"c17\",\"userId\":\"\"}",
             mapped("c17"));
    check("{\"cardId\":\"c17\",\"linkedCardIds\":[\"c17\"],\"reason\":\"c17\",\"userId\":\"\"}",
          "card.transition", plain);
    snprintf(wanted, sizeof wanted, "{\"orderId\":\"%s\",\"linkedCardIds\":[\"%s\",null,7]}",
             mapped("o1"), mapped("c17"));
    check("{\"orderId\":\"o1\",\"linkedCardIds\":[\"c17\",null,7]}", "order.created", wanted);
}

static void other_text_stays_as_it_was(void)
{
    static const char text[] =
        "{\"n\":1.50e+3 , \"s\":\"caf\\u00e9 \\\"" OLD "\\\"\",\"t\":\"\\ud800\",\"e\":[],"
        "\"o\":{},\"k\\\"\":\"\\\\\"}";
    check(text, "x", text);
    check("{}", "x", "{}");
    check("{\"a\":\"\\\\\",\"b\":\"" OLD "x\"}", "x", "{\"a\":\"\\\\\",\"b\":\"" OLD "x\"}");
}

static void escaped_ids_are_the_same(void)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "{\"a\":\"%s\"}", mapped(OLD));
    check("{\"a\":\"\\u0030b9f4b1e-7a55-4c3d-9e21-111111111111\"}", "x", wanted);
}

static void without_memory_nothing_is_added(void)
{
    static const char text[] = "{\"a\":\"" OLD "\",\"b\":{\"c\":\"" OTHER "\"}}";
    struct base_buf out = BASE_BUF_INIT;
    long fail = 0;
    int failed;
    do {
        base_buf_fini(&out);
        base_mem_fail(++fail, 1);
        failed = map(&out, text, "x");
        base_mem_fail(0, 0);
        CHECK(failed == 0 || (failed == BASE_ERR_NOMEM && out.len == 0));
    } while (failed && fail < 100);
    CHECK(fail > 2 && fail < 100);
    base_buf_fini(&out);
}

int main(void)
{
    RUN(the_same_by_the_same);
    RUN(event_and_tenant_keep_theirs);
    RUN(loose_ids_are_known_by_the_table);
    RUN(other_text_stays_as_it_was);
    RUN(escaped_ids_are_the_same);
    RUN(without_memory_nothing_is_added);
    return test_end();
}
