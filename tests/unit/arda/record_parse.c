/* SPDX-License-Identifier: ISC */
#include "arda/record.h"

#include "base/err.h"
#include "lib/test.h"

static struct arda_record record;

static enum arda_drop parse(const char *line)
{
    return arda_record_parse(line, strlen(line), &record, NULL);
}

static void check_value(const struct base_json_value *value, const char *want)
{
    CHECK_BYTES(value->text ? value->text : "", value->len, want);
}

static void check_slice(struct base_slice slice, const char *want)
{
    CHECK_BYTES(slice.data ? slice.data : "", slice.len, want);
}

static void an_event_alone(void)
{
    CHECK_INT(parse("{\"type\":\"a\",\"tenantId\":\"t\",\"eventId\":\"e\",\"position\":\"1-0\","
                    "\"channel\":\"arda:events:x\"}\n"),
              ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_EVENT);
    check_slice(record.message.tenant, "t");
    check_value(&record.message.id, "\"e\"");
    CHECK(arda_stream_id_is_zero(record.position));
    check_slice(record.channel, "");
}

static void an_envelope_as_it_was_printed(void)
{
    struct arda_record_meta meta;
    CHECK_INT(parse("{\"id\":\"v\",\"position\":\"12-3\",\"channel\":\"arda:events:t\","
                    "\"schemaVersion\":1,\"source\":\"s\",\"correlationId\":\"c\",\"timestamp\":"
                    "\"2026-02-08T12:00:00Z\",\"replayed\":true,\"event\":{\"type\":\"a\"}}"),
              ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_ENVELOPE);
    CHECK_INT(record.position.ms, 12);
    CHECK_INT(record.position.seq, 3);
    check_slice(record.channel, "arda:events:t");
    check_slice(record.message.tenant, "t");
    check_slice(record.message.event, "{\"type\":\"a\"}");
    check_value(&record.message.id, "\"v\"");
    arda_record_meta(&record, &meta);
    check_value(&meta.schema_version, "1");
    check_value(&meta.source, "\"s\"");
    check_value(&meta.correlation_id, "\"c\"");
    check_value(&meta.timestamp, "\"2026-02-08T12:00:00Z\"");
    CHECK_INT(meta.replayed.kind, BASE_JSON_TRUE);
}

static void where_it_stood_may_be_unknown(void)
{
    CHECK_INT(parse("{\"id\":null,\"position\":null,\"channel\":null,\"event\":{\"type\":\"a\"}}"),
              ARDA_DROP_NONE);
    CHECK(arda_stream_id_is_zero(record.position));
    check_slice(record.channel, "");
    check_slice(record.message.tenant, "");
    CHECK_INT(parse("{\"position\":null,\"channel\":\"a:b:events:t1\",\"event\":{\"type\":\"a\"}}"),
              ARDA_DROP_NONE);
    check_slice(record.message.tenant, "t1");
    CHECK_INT(parse("{\"position\":null,\"channel\":\"arda:events:global\",\"event\":{\"type\":"
                    "\"a\",\"tenantId\":\"t2\"}}"),
              ARDA_DROP_NONE);
    check_slice(record.channel, "arda:events:global");
    check_slice(record.message.tenant, "t2");
}

/* Members of these names that mean something else in the envelope of somebody else. */
static void an_envelope_of_another_origin(void)
{
    static const char *const members[] = {
        "",
        "\"position\":\"1-0\",",
        "\"channel\":\"arda:events:t\",",
        "\"position\":\"left\",\"channel\":\"arda:events:t\",",
        "\"position\":7,\"channel\":\"arda:events:t\",",
        "\"position\":\"1-0\",\"channel\":\"email\",",
        "\"position\":\"1-0\",\"channel\":\"events:t\",",
        "\"position\":\"1-0\",\"channel\":\":events:t\",",
        "\"position\":\"1-0\",\"channel\":\"a b:events:t\",",
        "\"position\":\"1-0\",\"channel\":\"ar\\u0064a:events:t\",",
        "\"position\":\"1-0\",\"channel\":\"arda:events:\",",
        "\"position\":\"1-0\",\"channel\":\"arda:events:a b\",",
        "\"position\":\"1-0\",\"channel\":\"\",",
        "\"position\":\"1-0\",\"channel\":5,",
        "\"position\":\"1-0-0\",\"channel\":null,",
        "\"position\":\"18446744073709551616-0\",\"channel\":null,",
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "{%s\"event\":{\"type\":\"a\"}}", members[i]);
        CHECK_INT(parse(line), ARDA_DROP_NONE);
        CHECK_INT(record.form, ARDA_RECORD_ENVELOPE);
        CHECK(arda_stream_id_is_zero(record.position));
        check_slice(record.channel, "");
        check_slice(record.message.tenant, "");
    }
}

static void the_form_of_web_clients(void)
{
    CHECK_INT(parse("{\"type\":\"card:triggered\",\"tenantId\":\"t\",\"payload\":{\"type\":"
                    "\"card.transition\",\"toStage\":\"triggered\"},\"timestamp\":\"now\","
                    "\"eventId\":\"e\"}"),
              ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_WS);
    check_slice(record.message.event, "{\"type\":\"card.transition\",\"toStage\":\"triggered\"}");
    check_value(&record.message.type, "\"card.transition\"");
    check_slice(record.message.tenant, "t");
    check_value(&record.message.id, "\"e\"");
    check_value(&record.message.timestamp, "\"now\"");
    CHECK_INT(record.message.envelope.kind, BASE_JSON_ABSENT);
    CHECK_INT(parse("{\"type\":\"user:activity\",\"tenantId\":null,\"payload\":{\"type\":"
                    "\"user.activity\",\"tenantId\":\"t\",\"eventId\":\"own\",\"timestamp\":1},"
                    "\"timestamp\":null,\"eventId\":null}"),
              ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_WS);
    check_slice(record.message.tenant, "t");
    check_value(&record.message.id, "\"own\"");
    check_value(&record.message.timestamp, "1");
}

/* A payload makes an event no line of that form. */
static void events_with_a_payload(void)
{
    static const char *const lines[] = {
        "{\"type\":\"scan.conflict_detected\",\"payload\":{\"cardId\":\"c\"}}",
        "{\"type\":\"scan.conflict_detected\",\"payload\":{\"type\":\"card.transition\"}}",
        "{\"type\":\"card:triggered\",\"payload\":{\"type\":\"card.transition\"}}",
        "{\"type\":\"card:triggered\",\"payload\":\"x\"}",
        "{\"type\":\"inventory:updated\",\"payload\":{}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK_INT(parse(lines[i]), ARDA_DROP_NONE);
        CHECK_INT(record.form, ARDA_RECORD_EVENT);
        check_slice(record.message.event, lines[i]);
    }
}

static void a_gap(void)
{
    static const char line[] = "{\"gap\":{\"tenantId\":\"t\",\"from\":\"1-0\",\"count\":3}}";
    CHECK_INT(parse(line), ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_GAP);
    check_value(&record.gap, "{\"tenantId\":\"t\",\"from\":\"1-0\",\"count\":3}");
    check_slice(record.message.text, line);
    check_slice(record.message.event, "");
    CHECK_INT(parse("{\"type\":\"a\",\"gap\":{}}"), ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_EVENT);
    CHECK_INT(parse("{\"event\":{\"type\":\"a\"},\"gap\":{}}"), ARDA_DROP_NONE);
    CHECK_INT(record.form, ARDA_RECORD_ENVELOPE);
}

static void what_is_no_record(void)
{
    struct base_json_error error = {0, NULL};
    CHECK_INT(parse(""), ARDA_DROP_NOT_JSON);
    CHECK_INT(parse("2026-02-08 13:00:00.000 acme card.transition"), ARDA_DROP_NOT_JSON);
    CHECK_INT(parse("[]"), ARDA_DROP_NOT_OBJECT);
    CHECK_INT(parse("{}"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"gap\":true}"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"event\":{}}"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"type\":\"a\",\"tenantId\":\"a b\"}"), ARDA_DROP_FOREIGN_TENANT);
    CHECK_INT(parse("{\"position\":null,\"channel\":\"arda:events:t\",\"event\":{\"type\":\"a\","
                    "\"tenantId\":\"other\"}}"),
              ARDA_DROP_FOREIGN_TENANT);
    CHECK_INT(parse("{\"type\":\"user:activity\",\"tenantId\":\"t\",\"payload\":{\"type\":"
                    "\"user.activity\",\"tenantId\":\"other\"}}"),
              ARDA_DROP_FOREIGN_TENANT);
    CHECK_INT(parse("{\"type\":\"user:activity\",\"tenantId\":\"a b\",\"payload\":{\"type\":"
                    "\"user.activity\"}}"),
              ARDA_DROP_FOREIGN_TENANT);
    CHECK_INT(arda_record_parse("{\"type\":x}", 10, &record, &error), ARDA_DROP_NOT_JSON);
    CHECK_INT(error.offset, 8);
}

static void check_time(const char *line, int64_t want)
{
    int64_t ms = -1;
    CHECK_INT(parse(line), ARDA_DROP_NONE);
    CHECK_INT(arda_record_time(&record, &ms), want < 0 ? BASE_ERR_NOTFOUND : BASE_OK);
    CHECK_INT(ms, want);
}

static void the_time_is_that_of_the_publication(void)
{
    check_time("{\"position\":\"5-0\",\"channel\":null,\"timestamp\":\"1970-01-01T00:00:01Z\","
               "\"event\":{\"type\":\"a\",\"timestamp\":\"1970-01-01T00:00:02Z\"}}",
               5);
    check_time("{\"timestamp\":\"1970-01-01T00:00:01Z\",\"event\":{\"type\":\"a\",\"timestamp\":"
               "\"1970-01-01T00:00:02Z\"}}",
               1000);
    check_time("{\"timestamp\":\"soon\",\"event\":{\"type\":\"a\",\"timestamp\":"
               "\"1970-01-01T00:00:02Z\"}}",
               2000);
    check_time("{\"type\":\"a\",\"timestamp\":\"1970-01-01T00:00:02.5Z\"}", 2500);
    check_time("{\"type\":\"user:activity\",\"payload\":{\"type\":\"user.activity\"},"
               "\"timestamp\":\"1970-01-01T00:00:03Z\"}",
               3000);
    check_time("{\"type\":\"a\",\"timestamp\":7}", -1);
    check_time("{\"type\":\"a\"}", -1);
}

int main(void)
{
    RUN(an_event_alone);
    RUN(an_envelope_as_it_was_printed);
    RUN(where_it_stood_may_be_unknown);
    RUN(an_envelope_of_another_origin);
    RUN(the_form_of_web_clients);
    RUN(events_with_a_payload);
    RUN(a_gap);
    RUN(what_is_no_record);
    RUN(the_time_is_that_of_the_publication);
    return test_end();
}
