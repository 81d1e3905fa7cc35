/* SPDX-License-Identifier: ISC */
#include "arda/envelope.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#define SLICE(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static struct base_json_value value_of(const char *text)
{
    struct base_json_value value = {BASE_JSON_ABSENT, NULL, 0};
    CHECK_INT(base_json_check(text, strlen(text), &value, NULL), 0);
    return value;
}

/* ---- envelopes ---- */

static const struct arda_envelope full = {
    .id = SLICE("id-1"),
    .schema_version = {BASE_JSON_NUMBER, "12", 2},
    .source = SLICE("orders"),
    .correlation_id = SLICE("trace"),
    .timestamp = SLICE("2026-02-08T12:00:00.000Z"),
    .replayed = true,
    .event = SLICE("{ \"type\" : \"x\" }"),
};

static const char full_text[] = "{\"id\":\"id-1\",\"schemaVersion\":12,\"source\":\"orders\","
                                "\"correlationId\":\"trace\","
                                "\"timestamp\":\"2026-02-08T12:00:00.000Z\",\"replayed\":true,"
                                "\"event\":{ \"type\" : \"x\" }}";

static void members_stand_in_the_catalogs_order(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_envelope_write(&out, &full), 0);
    CHECK_BYTES(out.data, out.len, full_text);
    base_buf_fini(&out);
}

static void optional_members_are_left_out(void)
{
    static const struct base_json_value others[] = {
        {BASE_JSON_ABSENT, NULL, 0}, {BASE_JSON_STRING, "\"2\"", 3}, {BASE_JSON_NULL, "null", 4}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct base_buf out = BASE_BUF_INIT;
        struct arda_envelope envelope = full;
        envelope.schema_version = others[i];
        envelope.correlation_id.len = 0;
        envelope.replayed = false;
        CHECK_INT(base_buf_add_text(&out, "before "), 0);
        CHECK_INT(arda_envelope_write(&out, &envelope), 0);
        CHECK_BYTES(out.data, out.len,
                    "before {\"id\":\"id-1\",\"schemaVersion\":1,\"source\":\"orders\","
                    "\"timestamp\":\"2026-02-08T12:00:00.000Z\",\"event\":{ \"type\" : \"x\" }}");
        base_buf_fini(&out);
    }
}

static void texts_are_quoted(void)
{
    struct base_buf out = BASE_BUF_INIT;
    struct arda_envelope envelope = full;
    struct base_json_member members[] = {BASE_JSON_WANT("source"), BASE_JSON_WANT("event")};
    envelope.source = (struct base_slice)SLICE("a\"b\\c\n\x01 \xc3\xa9");
    CHECK_INT(arda_envelope_write(&out, &envelope), 0);
    CHECK_INT(base_json_pick(out.data, out.len, members, 2, NULL, NULL), 0);
    CHECK(base_json_equals(&members[0].value, envelope.source.data, envelope.source.len));
    CHECK_BYTES(members[1].value.text, members[1].value.len, "{ \"type\" : \"x\" }");
    base_buf_fini(&out);
}

static void a_failed_write_leaves_nothing(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 100; n++) {
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "before"), 0);
        base_mem_fail(n, 1);
        result = arda_envelope_write(&out, &full);
        base_mem_fail(0, 0);
        if (result)
            CHECK_INT(result, BASE_ERR_NOMEM);
        CHECK_INT(out.len, result ? 6 : 6 + strlen(full_text));
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
}

/* ---- completing ---- */

static const struct arda_member missing[] = {
    {"timestamp", SLICE("now"), false, false},
    {"eventId", SLICE("new"), false, false},
    {"schemaVersion", SLICE("1"), true, false},
};
static const struct arda_member instead[] = {
    {"eventId", SLICE("n\"w"), false, true},
    {"timestamp", SLICE("now"), false, true},
    {"n", SLICE("[1]"), true, true},
};

static void check_put(const char *text, const struct arda_member members[3], const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    struct base_json_value event = value_of(text), done;
    CHECK_INT(arda_event_put(&out, &event, members, 3), 0);
    CHECK_BYTES(out.data, out.len, want);
    CHECK_INT(base_json_check(out.data, out.len, &done, NULL), 0);
    CHECK_INT(done.kind, BASE_JSON_OBJECT);
    base_buf_fini(&out);
}

static void check_complete(const char *text, const char *want)
{
    check_put(text, missing, want);
}

static void adds_what_is_missing_and_nothing_else(void)
{
    check_complete("{\"type\":\"x\"}", "{\"type\":\"x\",\"timestamp\":\"now\",\"eventId\":\"new\","
                                       "\"schemaVersion\":1}");
    check_complete("{\"timestamp\":\"t\"}",
                   "{\"timestamp\":\"t\",\"eventId\":\"new\",\"schemaVersion\":1}");
    check_complete("{\"eventId\":\"e\"}",
                   "{\"eventId\":\"e\",\"timestamp\":\"now\",\"schemaVersion\":1}");
    check_complete("{\"schemaVersion\":2}",
                   "{\"schemaVersion\":2,\"timestamp\":\"now\",\"eventId\":\"new\"}");
    check_complete("{\"eventId\":null,\"schemaVersion\":\"x\",\"timestamp\":[]}",
                   "{\"eventId\":null,\"schemaVersion\":\"x\",\"timestamp\":[]}");
}

static void keeps_the_text_byte_for_byte(void)
{
    check_complete(" { \"b\" : 1.50E+02 ,\t\"a\":\"\\u00e9\\/\" , \"b\": {\"eventId\":1} } ",
                   "{ \"b\" : 1.50E+02 ,\t\"a\":\"\\u00e9\\/\" , \"b\": {\"eventId\":1} "
                   ",\"timestamp\":\"now\",\"eventId\":\"new\",\"schemaVersion\":1}");
}

static void understands_escaped_keys(void)
{
    check_complete("{\"\\u0074imestamp\":\"t\",\"event\\u0049d\":\"e\",\"schema\\u0056ersion\":3}",
                   "{\"\\u0074imestamp\":\"t\",\"event\\u0049d\":\"e\",\"schema\\u0056ersion\":3}");
}

static void completes_an_empty_object(void)
{
    check_complete("{}", "{\"timestamp\":\"now\",\"eventId\":\"new\",\"schemaVersion\":1}");
    check_complete("{ \n}", "{ \n\"timestamp\":\"now\",\"eventId\":\"new\",\"schemaVersion\":1}");
}

static void exchanges_members_where_they_stand(void)
{
    check_put("{\"n\" : 1.5e3 ,\"timestamp\":{\"n\":2}, \"x\":[3],\"eventId\":null }", instead,
              "{\"n\" : [1] ,\"timestamp\":\"now\", \"x\":[3],\"eventId\":\"n\\\"w\" }");
    check_put("{\"n\":1,\"n\":2,\"\\u006e\":3}", instead,
              "{\"n\":1,\"n\":2,\"\\u006e\":[1],\"eventId\":\"n\\\"w\",\"timestamp\":\"now\"}");
    check_put("{}", instead, "{\"eventId\":\"n\\\"w\",\"timestamp\":\"now\",\"n\":[1]}");
}

static void a_failed_completion_leaves_nothing(void)
{
    struct base_json_value event = value_of("{\"type\":\"x\"}");
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 100; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = arda_event_put(&out, &event, missing, 3);
        base_mem_fail(0, 0);
        CHECK((result == BASE_ERR_NOMEM && out.len == 0) || (result == 0 && out.len > 0));
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(members_stand_in_the_catalogs_order);
    RUN(optional_members_are_left_out);
    RUN(texts_are_quoted);
    RUN(a_failed_write_leaves_nothing);
    RUN(adds_what_is_missing_and_nothing_else);
    RUN(keeps_the_text_byte_for_byte);
    RUN(understands_escaped_keys);
    RUN(completes_an_empty_object);
    RUN(exchanges_members_where_they_stand);
    RUN(a_failed_completion_leaves_nothing);
    return test_end();
}
