/* SPDX-License-Identifier: ISC
 *
 * What the lines look like is fixed by tests/unit/arda/format.c and its golden files; here is what
 * they do with what is odd, and that they can be read back.
 */
#include "arda/record.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

typedef int (*write_fn)(struct base_buf *out, const struct arda_record *record);

static int write_ws(struct base_buf *out, const struct arda_record *record)
{
    int result = arda_record_write_ws(out, record);
    return result == 1 ? 0 : result == 0 ? BASE_ERR_NOTFOUND : result;
}

static const struct arda_stream_id position = {5, 6};

static struct arda_record record_of(const char *text, const char *tenant, const char *channel)
{
    struct arda_message message;
    CHECK_INT(
        arda_message_parse(text, strlen(text), tenant, tenant ? strlen(tenant) : 0, &message, NULL),
        ARDA_DROP_NONE);
    return arda_record_of(&message, position, (struct base_slice){channel, strlen(channel)});
}

static void check(write_fn write, const char *text, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    struct arda_record record = record_of(text, "t", "arda:events:t");
    CHECK_INT(base_buf_add_text(&out, "before"), 0);
    CHECK_INT(write(&out, &record), 0);
    CHECK_BYTES(out.data + 6, out.len - 6, want);
    base_buf_fini(&out);
}

static void line_ends_become_blanks(void)
{
    static const char text[] = "{\r\n\"type\":\n\"user.activity\",\n\"s\":\"\\n\\r\"}\n";
    check(arda_record_write_json, text, "{  \"type\": \"user.activity\", \"s\":\"\\n\\r\"}\n");
    check(arda_record_write_envelope, text,
          "{\"id\":null,\"position\":\"5-6\",\"channel\":\"arda:events:t\",\"event\":{  \"type\": "
          "\"user.activity\", \"s\":\"\\n\\r\"}}\n");
    check(write_ws, text,
          "{\"type\":\"user:activity\",\"tenantId\":\"t\",\"payload\":{  \"type\": "
          "\"user.activity\", \"s\":\"\\n\\r\"},\"timestamp\":null,\"eventId\":null}\n");
    check(arda_record_write_envelope, "{\"source\":[\n1,\r\n2],\"event\":{\"type\":\"a\"}}",
          "{\"id\":null,\"position\":\"5-6\",\"channel\":\"arda:events:t\",\"source\":[ 1,  2],"
          "\"event\":{\"type\":\"a\"}}\n");
}

static void an_envelope_keeps_what_it_has(void)
{
    check(arda_record_write_envelope,
          "{\"z\":1,\"event\":{\"type\":\"a\",\"eventId\":\"e\"},\"replayed\":false,\"timestamp\":"
          "5,\"k\":[\"v\"],\"correlationId\":null,\"source\":\"s\",\"schemaVersion\":2.0,\"id\":"
          "\"i\"}",
          "{\"id\":\"i\",\"position\":\"5-6\",\"channel\":\"arda:events:t\",\"schemaVersion\":2.0,"
          "\"source\":\"s\",\"correlationId\":null,\"timestamp\":5,\"replayed\":false,\"z\":1,"
          "\"k\":[\"v\"],\"event\":{\"type\":\"a\",\"eventId\":\"e\"}}\n");
}

static void members_of_ours_are_not_taken_from_an_envelope(void)
{
    check(arda_record_write_envelope,
          "{\"position\":\"9-9\",\"channel\":\"x\",\"\\u0069d\":\"i\",\"event\":{\"type\":\"a\"}}",
          "{\"id\":\"i\",\"position\":\"5-6\",\"channel\":\"arda:events:t\",\"event\":{\"type\":"
          "\"a\"}}\n");
}

static void the_time_for_web_clients(void)
{
    check(write_ws, "{\"id\":\"i\",\"timestamp\":\"outer\",\"event\":{\"type\":\"user.activity\"}}",
          "{\"type\":\"user:activity\",\"tenantId\":\"t\",\"payload\":{\"type\":\"user.activity\"},"
          "\"timestamp\":\"outer\",\"eventId\":\"i\"}\n");
    check(write_ws,
          "{\"timestamp\":\"outer\",\"event\":{\"type\":\"user.activity\",\"timestamp\":\"own\"}}",
          "{\"type\":\"user:activity\",\"tenantId\":\"t\",\"payload\":{\"type\":\"user.activity\","
          "\"timestamp\":\"own\"},\"timestamp\":\"own\",\"eventId\":null}\n");
}

static void what_web_clients_do_not_know_is_no_line(void)
{
    struct base_buf out = BASE_BUF_INIT;
    struct arda_record record = record_of("{\"type\":\"queue.risk_detected\"}", "t", "");
    CHECK_INT(arda_record_write_ws(&out, &record), 0);
    CHECK_INT(out.len, 0);
    base_buf_fini(&out);
}

/* ---- there and back ---- */

static bool same(const struct base_json_value *one, const struct base_json_value *other)
{
    return one->kind == other->kind && one->len == other->len &&
           (one->len == 0 || memcmp(one->text, other->text, one->len) == 0);
}

static bool same_slice(struct base_slice one, struct base_slice other)
{
    return one.len == other.len && (one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

static void round_trip(write_fn write, enum arda_record_form form, const char *text)
{
    struct arda_record record = record_of(text, "t", "arda:events:t"), back;
    struct arda_record_meta meta, back_meta;
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(write(&out, &record), 0);
    CHECK_INT(arda_record_parse(out.data, out.len, &back, NULL), ARDA_DROP_NONE);
    CHECK_INT(back.form, form);
    CHECK(same_slice(back.message.event, record.message.event));
    CHECK(same(&back.message.type, &record.message.type));
    if (form != ARDA_RECORD_EVENT) {
        CHECK(same_slice(back.message.tenant, record.message.tenant));
        CHECK(same(&back.message.id, &record.message.id));
    }
    if (form == ARDA_RECORD_ENVELOPE) {
        arda_record_meta(&record, &meta);
        arda_record_meta(&back, &back_meta);
        CHECK(same(&meta.schema_version, &back_meta.schema_version));
        CHECK(same(&meta.source, &back_meta.source));
        CHECK(same(&meta.correlation_id, &back_meta.correlation_id));
        CHECK(same(&meta.timestamp, &back_meta.timestamp));
        CHECK(same(&meta.replayed, &back_meta.replayed));
        CHECK_INT(arda_stream_id_compare(back.position, record.position), 0);
        CHECK(same_slice(back.channel, record.channel));
        struct base_buf again = BASE_BUF_INIT;
        CHECK_INT(write(&again, &back), 0);
        CHECK(same_slice((struct base_slice){again.data, again.len},
                         (struct base_slice){out.data, out.len}));
        base_buf_fini(&again);
    }
    base_buf_fini(&out);
}

static void lines_can_be_read_back(void)
{
    static const char *const texts[] = {
        "{\"type\":\"user.activity\"}",
        "{\"type\":\"order.created\",\"tenantId\":\"t\",\"orderType\":\"work_order\",\"eventId\":"
        "\"e\",\"payload\":{\"type\":\"x\"},\"gap\":{},\"event\":{\"type\":\"y\"}}",
        "{\"event\":{\"type\":\"user.activity\",\"tenantId\":\"t\",\"eventId\":\"e\"}}",
        "{\"id\":\"i\",\"schemaVersion\":1,\"source\":\"s\",\"correlationId\":\"c\",\"timestamp\":"
        "\"2026-02-08T12:00:00.000Z\",\"replayed\":true,\"gap\":{\"x\":1},\"type\":7,\"event\":"
        "{\"type\":\"user.activity\",\"timestamp\":\"\\ud800\",\"big\":1e999}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        round_trip(arda_record_write_json, ARDA_RECORD_EVENT, texts[i]);
        round_trip(arda_record_write_envelope, ARDA_RECORD_ENVELOPE, texts[i]);
        round_trip(write_ws, ARDA_RECORD_WS, texts[i]);
    }
}

static void a_failed_write_leaves_nothing(void)
{
    static const write_fn writers[] = {arda_record_write_json, arda_record_write_envelope,
                                       write_ws};
    char text[2048];
    memset(text, 'x', sizeof text);
    int len = snprintf(text, sizeof text,
                       "{\"source\":\"s\",\"event\":{\"type\":\"user.activity\",\"s\":\"");
    text[len] = 'x';
    memcpy(text + sizeof text - 5, "\"}}", 4);
    struct arda_record record = record_of(text, "t", "arda:events:t");
    for (size_t i = 0; i < 3; i++) {
        int result = BASE_ERR_NOMEM;
        for (long n = 1; result && n < 100; n++) {
            struct base_buf out = BASE_BUF_INIT;
            CHECK_INT(base_buf_add_text(&out, "before"), 0);
            base_mem_fail(n, 1);
            result = writers[i](&out, &record);
            base_mem_fail(0, 0);
            CHECK(result == 0 || (result == BASE_ERR_NOMEM && out.len == 6));
            base_buf_fini(&out);
        }
        CHECK_INT(result, 0);
    }
}

int main(void)
{
    RUN(line_ends_become_blanks);
    RUN(an_envelope_keeps_what_it_has);
    RUN(members_of_ours_are_not_taken_from_an_envelope);
    RUN(the_time_for_web_clients);
    RUN(what_web_clients_do_not_know_is_no_line);
    RUN(lines_can_be_read_back);
    RUN(a_failed_write_leaves_nothing);
    return test_end();
}
