/* SPDX-License-Identifier: ISC */
#include "arda/publication.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lib/test.h"

#define NOW "2026-02-08T12:00:00.000Z"
#define ID  "0195e0a0-0000-7000-8000-000000000001"

static struct arda_publication_texts texts;
static struct arda_publication made;
static struct base_slice event;

static int64_t noon(void)
{
    return 1770552000000;
}

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static int try_make(const char *text, const char *channel, const struct arda_overrides *overrides)
{
    static const struct arda_overrides none;
    struct arda_message message;
    arda_message_parse(text, strlen(text), channel, channel ? strlen(channel) : 0, &message, NULL);
    CHECK(message.event.len > 0);
    return arda_publication_make(&message, overrides ? overrides : &none, &texts, &made, &event);
}

static void make(const char *text, const struct arda_overrides *overrides)
{
    CHECK_INT(try_make(text, NULL, overrides), 0);
}

static void check_slice(struct base_slice got, const char *want)
{
    CHECK_BYTES(got.data ? got.data : "", got.len, want);
}

static void a_bare_event_is_completed_and_wrapped(void)
{
    struct arda_overrides overrides = {.missing_id = slice(ID), .missing_source = slice("tests")};
    make("{\"type\":\"card.transition\",\"tenantId\":\"t1\"}", &overrides);
    check_slice(made.message,
                "{\"type\":\"card.transition\",\"tenantId\":\"t1\",\"timestamp\":\"" NOW
                "\",\"eventId\":\"" ID "\",\"schemaVersion\":1}");
    CHECK(event.data == made.message.data && event.len == made.message.len);
    check_slice(made.tenant, "t1");
    check_slice(made.type, "card.transition");
    check_slice(made.source, "tests");
    check_slice(made.timestamp, NOW);
    check_slice(made.event_id, ID);
    CHECK(strncmp(made.envelope.data,
                  "{\"id\":\"" ID "\",\"schemaVersion\":1,\"source\":\"tests\","
                  "\"timestamp\":\"" NOW "\",\"event\":{\"type\"",
                  100) == 0);
}

static void a_new_id_is_a_uuid_each_time_another(void)
{
    char first[64];
    make("{\"type\":\"a\"}", NULL);
    CHECK_INT(made.event_id.len, 36);
    CHECK_INT(made.event_id.data[14], '7');
    memcpy(first, made.event_id.data, 36);
    make("{\"type\":\"a\"}", NULL);
    CHECK(memcmp(first, made.event_id.data, 36) != 0);
    check_slice(made.source, "unknown");
}

static void what_event_and_envelope_say_is_kept(void)
{
    struct arda_overrides overrides = {
        .missing_id = slice(ID), .missing_source = slice("tests"), .missing_tenant = slice("t9")};
    make(
        "{\"id\":\"e-1\",\"source\":\"or\\u0064ers\",\"correlationId\":\"c\",\"timestamp\":\"old\","
        "\"event\":{\"type\":\"a\",\"tenantId\":\"t1\",\"timestamp\":\"then\",\"schemaVersion\":2}"
        "}",
        &overrides);
    check_slice(made.event_id, "e-1");
    check_slice(made.tenant, "t1");
    check_slice(made.message, "{\"type\":\"a\",\"tenantId\":\"t1\",\"timestamp\":\"then\","
                              "\"schemaVersion\":2,\"eventId\":\"e-1\"}");
    check_slice(made.envelope,
                "{\"id\":\"e-1\",\"schemaVersion\":2,\"source\":\"orders\",\"correlationId\":\"c\","
                "\"timestamp\":\"" NOW "\",\"event\":{\"type\":\"a\",\"tenantId\":\"t1\","
                "\"timestamp\":\"then\",\"schemaVersion\":2,\"eventId\":\"e-1\"}}");
    /* The event knows its own id best. */
    make("{\"id\":\"e-1\",\"event\":{\"type\":\"a\",\"eventId\":\"e-2\"}}", &overrides);
    check_slice(made.event_id, "e-2");
}

static void overrides_stand_in_their_place(void)
{
    struct arda_overrides overrides = {
        .event_id = slice("e-9"),
        .tenant = slice("t9"),
        .event_timestamp = slice("later"),
        .source = slice("replay"),
        .correlation_id = slice("c9"),
        .timestamp = slice("sent"),
        .missing_id = slice(ID),
        .replayed = true,
        .max_len = 7,
        .dedupe_for = 8,
    };
    make("{\"source\":\"orders\",\"correlationId\":\"c\",\"event\":"
         "{\"type\":\"a\",\"eventId\":\"e-1\",\"tenantId\":\"t1\",\"timestamp\":\"then\" }}",
         &overrides);
    check_slice(made.message, "{\"type\":\"a\",\"eventId\":\"e-9\",\"tenantId\":\"t9\","
                              "\"timestamp\":\"later\" ,\"schemaVersion\":1}");
    check_slice(
        made.envelope,
        "{\"id\":\"e-9\",\"schemaVersion\":1,\"source\":\"replay\",\"correlationId\":\"c9\","
        "\"timestamp\":\"sent\",\"replayed\":true,\"event\":{\"type\":\"a\","
        "\"eventId\":\"e-9\",\"tenantId\":\"t9\",\"timestamp\":\"later\" ,"
        "\"schemaVersion\":1}}");
    check_slice(made.tenant, "t9");
    check_slice(made.source, "replay");
    check_slice(made.timestamp, "sent");
    check_slice(made.event_id, "e-9");
    CHECK_INT(made.max_len, 7);
    CHECK_INT(made.dedupe_for_ms, 8);
}

static void a_missing_tenant_is_filled_in(void)
{
    struct arda_overrides overrides = {.missing_id = slice("e"), .missing_tenant = slice("t9")};
    make("{\"type\":\"a\"}", &overrides);
    check_slice(made.tenant, "t9");
    check_slice(made.message, "{\"type\":\"a\",\"tenantId\":\"t9\",\"timestamp\":\"" NOW
                              "\",\"eventId\":\"e\",\"schemaVersion\":1}");
    make("{\"tenantId\":\"\",\"type\":\"a\"}", &overrides);
    check_slice(made.tenant, "t9");
    check_slice(made.message, "{\"tenantId\":\"t9\",\"type\":\"a\",\"timestamp\":\"" NOW
                              "\",\"eventId\":\"e\",\"schemaVersion\":1}");
    make("{\"type\":\"a\",\"tenantId\":5}", &overrides);
    check_slice(made.tenant, "");
    CHECK(strncmp(made.message.data, "{\"type\":\"a\",\"tenantId\":5,\"timestamp\"", 33) == 0);
    CHECK_INT(try_make("{\"type\":\"a\"}", "t1", &overrides), 0);
    check_slice(made.tenant, "t1");
    CHECK(strncmp(made.message.data, "{\"type\":\"a\",\"tenantId\":\"t1\"", 27) == 0);
}

static void the_stream_can_be_left_out(void)
{
    struct arda_overrides overrides = {.missing_id = slice("e"), .no_stream = true};
    make("{\"type\":\"a\",\"tenantId\":\"t1\"}", &overrides);
    check_slice(made.envelope, "");
    make("{\"type\":\"notification.created\",\"tenantId\":\"t1\"}", NULL);
    check_slice(made.envelope, "");
}

static void the_channels_can_carry_the_envelope(void)
{
    struct arda_overrides overrides = {.missing_id = slice("e"), .wrap = true};
    make("{\"type\":\"a\",\"tenantId\":\"t1\"}", &overrides);
    CHECK(made.message.data == made.envelope.data && made.message.len == made.envelope.len);
    CHECK(strncmp(made.message.data, "{\"id\":\"e\"", 9) == 0);
    CHECK(strncmp(event.data, "{\"type\":\"a\"", 11) == 0);
    make("{\"type\":\"notification.created\",\"tenantId\":\"t1\"}", &overrides);
    check_slice(made.envelope, "");
    CHECK(strncmp(made.message.data, "{\"id\":\"e\"", 9) == 0);
    overrides.no_stream = true;
    make("{\"type\":\"a\",\"tenantId\":\"t1\"}", &overrides);
    check_slice(made.envelope, "");
}

static void strings_without_utf8_are_none(void)
{
    struct arda_overrides overrides = {.missing_id = slice("e"), .missing_source = slice("tests")};
    make("{\"source\":\"\\ud800\",\"id\":\"\\udc00\",\"event\":{\"type\":\"\\ud800\"}}",
         &overrides);
    check_slice(made.source, "tests");
    check_slice(made.event_id, "e");
    check_slice(made.type, "");
}

static void survives_every_failing_allocation(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 100; n++) {
        arda_publication_texts_fini(&texts);
        base_mem_fail(n, 1);
        result = try_make("{\"source\":\"s\",\"event\":{\"type\":\"a\",\"tenantId\":\"t1\"}}", NULL,
                          NULL);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
    }
    CHECK_INT(result, 0);
    check_slice(made.tenant, "t1");
    arda_publication_texts_fini(&texts);
}

int main(void)
{
    base_clock_replace(NULL, noon);
    RUN(a_bare_event_is_completed_and_wrapped);
    RUN(a_new_id_is_a_uuid_each_time_another);
    RUN(what_event_and_envelope_say_is_kept);
    RUN(overrides_stand_in_their_place);
    RUN(a_missing_tenant_is_filled_in);
    RUN(the_stream_can_be_left_out);
    RUN(the_channels_can_carry_the_envelope);
    RUN(strings_without_utf8_are_none);
    RUN(survives_every_failing_allocation);
    return test_end();
}
