/* SPDX-License-Identifier: ISC
 *
 * Each case takes a good event of a type and puts another value in place of one field.
 */
#include "arda/event.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "lib/test.h"

#define ID  "0190c0de-0000-7000-8000-000000000001"
#define T   "\"type\":"
#define TEN "\"tenantId\":\"" ID "\","
#define NOW "\"timestamp\":\"2026-02-08T12:00:00Z\""

static const char *const good_events[] = {
    "{" T "\"card.transition\"," TEN "\"cardId\":\"" ID "\",\"loopId\":\"" ID
    "\",\"fromStage\":\"created\",\"toStage\":\"triggered\",\"method\":\"scan\"," NOW "}",
    "{" T "\"order.created\"," TEN "\"orderType\":\"work_order\",\"orderId\":\"" ID
    "\",\"orderNumber\":\"WO-0001\",\"linkedCardIds\":[\"" ID "\",\"" ID "\"]," NOW "}",
    "{" T "\"order.status_changed\"," TEN "\"orderType\":\"purchase_order\",\"orderId\":\"" ID
    "\",\"orderNumber\":\"PO-0001\",\"fromStatus\":\"draft\",\"toStatus\":\"sent\"," NOW "}",
    "{" T "\"loop.parameters_changed\"," TEN "\"loopId\":\"" ID
    "\",\"changeType\":\"manual\",\"reason\":\"\"," NOW "}",
    "{" T "\"relowisa.recommendation\"," TEN "\"loopId\":\"" ID "\",\"recommendationId\":\"" ID
    "\",\"confidenceScore\":87.5," NOW "}",
    "{" T "\"notification.created\"," TEN "\"userId\":\"" ID "\",\"notificationId\":\"" ID
    "\",\"notificationType\":\"po_sent\",\"title\":\"\"," NOW "}",
};
enum { CARD, ORDER, STATUS, LOOP, RELOWISA, NOTIFICATION, TYPES };

/* ---- what was complained about: "field: text" a line ---- */

static struct base_buf complaints;

static void complain(void *data, const char *field, const char *text)
{
    CHECK(data == &complaints);
    CHECK_INT(base_buf_printf(&complaints, "%s: %s\n", field, text), 0);
}

static size_t check_text(const char *text, size_t len, bool loose_ids)
{
    struct base_json_member type = BASE_JSON_WANT("type");
    struct base_json_value event;
    complaints.len = 0;
    CHECK_INT(base_json_pick(text, len, &type, 1, &event, NULL), 0);
    const struct arda_event_type *known = NULL;
    if (type.value.kind == BASE_JSON_STRING)
        known = arda_event_find(type.value.text + 1, type.value.len - 2);
    return arda_event_check(known, &event, loose_ids, complain, &complaints);
}

/* A good event with `field` set to `value`, or without it for NULL. */
static void change(const char *event, const char *field, const char *value, struct base_buf *out)
{
    struct base_json_value object, key, old;
    struct base_json_iter iter;
    CHECK_INT(base_json_check(event, strlen(event), &object, NULL), 0);
    base_json_iter_init(&iter, &object);
    CHECK_INT(base_buf_add_byte(out, '{'), 0);
    while (base_json_iter_next(&iter, &key, &old))
        if (!base_json_equals(&key, field, strlen(field)))
            CHECK_INT(
                base_buf_printf(out, "%.*s:%.*s,", (int)key.len, key.text, (int)old.len, old.text),
                0);
    if (value)
        CHECK_INT(base_buf_printf(out, "\"%s\":%s,", field, value), 0);
    out->data[out->len - 1] = '}';
}

static void expect_of(int type, const char *field, const char *value, bool loose_ids,
                      const char *want)
{
    struct base_buf text = BASE_BUF_INIT;
    change(good_events[type], field, value, &text);
    size_t wrong = check_text(text.data, text.len, loose_ids);
    CHECK_BYTES(complaints.len ? complaints.data : "", complaints.len, want);
    CHECK((wrong == 0) == (want[0] == '\0'));
    base_buf_fini(&text);
}

static void expect(int type, const char *field, const char *value, const char *want)
{
    expect_of(type, field, value, false, want);
}

/* ---- tests ---- */

static void good_events_are_good(void)
{
    for (int i = 0; i < TYPES; i++)
        CHECK_INT(check_text(good_events[i], strlen(good_events[i]), false), 0);
}

static void every_field_that_is_not_optional_is_missed(void)
{
    for (int i = 0; i < TYPES; i++)
        for (const struct arda_field *field = arda_event_types[i].fields; field->name; field++) {
            char want[64];
            snprintf(want, sizeof want, "%s%s", field->name, field->optional ? "" : ": missing\n");
            expect(i, field->name, NULL, field->optional ? "" : want);
        }
}

/* null is no value of any field, fromStage apart, and no way to leave one out. */
static void null_is_a_value_of_nullable_fields_only(void)
{
    for (int i = 0; i < TYPES; i++)
        for (const struct arda_field *field = arda_event_types[i].fields; field->name; field++) {
            struct base_buf text = BASE_BUF_INIT;
            change(good_events[i], field->name, "null", &text);
            CHECK_INT(check_text(text.data, text.len, false), field->nullable ? 0 : 1);
            CHECK(field->nullable == (i == CARD && strcmp(field->name, "fromStage") == 0));
            base_buf_fini(&text);
        }
}

static void wrong_kinds_are_shown(void)
{
    expect(CARD, "cardId", "5", "cardId: expected a UUID, got 5\n");
    expect(CARD, "cardId", "\"\"", "cardId: expected a UUID, got \"\"\n");
    expect(CARD, "cardId", "\"c1\"", "cardId: expected a UUID, got \"c1\"\n");
    expect(CARD, "cardId", "{}", "cardId: expected a UUID, got {}\n");
    expect(CARD, "fromStage", "5",
           "fromStage: expected a string that is not empty or null, got 5\n");
    expect(CARD, "fromStage", "\"\"",
           "fromStage: expected a string that is not empty or null, got \"\"\n");
    expect(CARD, "fromStage", "\"anything\"", "");
    expect(LOOP, "reason", "[]", "reason: expected a string, got []\n");
    expect(LOOP, "reason", "\"\\ud800\"", "");
    expect(ORDER, "linkedCardIds", "\"x\"",
           "linkedCardIds: expected an array of UUIDs, got \"x\"\n");
}

static void uuids_have_any_version_and_case(void)
{
    expect(CARD, "userId", "\"" ID "\"", "");
    expect(CARD, "userId", "\"FFFFFFFF-ffff-ffff-FFFF-ffffffffffff\"", "");
    expect(CARD, "userId", "\"00000000-0000-0000-0000-000000000000\"", "");
    expect(CARD, "userId", "\"0190c0de00007000800000000000000a\"",
           "userId: expected a UUID, got \"0190c0de00007000800000000000000a\"\n");
    expect(CARD, "userId", "\"0190c0de-0000-7000-8000-00000000000g\"",
           "userId: expected a UUID, got \"0190c0de-0000-7000-8000-00000000000g\"\n");
    expect(CARD, "userId", "\"{190c0de-0000-7000-8000-00000000000}\"",
           "userId: expected a UUID, got \"{190c0de-0000-7000-8000-00000000000}\"\n");
}

static void loose_ids_are_those_of_the_wire(void)
{
    expect_of(CARD, "cardId", "\"c1\"", true, "");
    expect_of(CARD, "cardId", "\"" ID "\"", true, "");
    expect_of(CARD, "cardId", "\"a b\"", true, "cardId: expected an identifier, got \"a b\"\n");
    expect_of(CARD, "cardId", "7", true, "cardId: expected an identifier, got 7\n");
    expect_of(ORDER, "linkedCardIds", "[\"c1\",\"c:2\"]", true,
              "linkedCardIds[1]: expected an identifier, got \"c:2\"\n");
    expect_of(CARD, "timestamp", "\"c1\"", true,
              "timestamp: expected an RFC 3339 timestamp with a zone, got \"c1\"\n");
}

static void elements_are_told_by_their_place(void)
{
    expect(ORDER, "linkedCardIds", "[]", "");
    expect(ORDER, "linkedCardIds", "[\"" ID "\",\"" ID "\",\"x\"]",
           "linkedCardIds[2]: expected a UUID, got \"x\"\n");
    expect(ORDER, "linkedCardIds", "[ 1 , \"" ID "\" , null , [\"" ID "\"] ]",
           "linkedCardIds[0]: expected a UUID, got 1\n"
           "linkedCardIds[2]: expected a UUID, got null\n"
           "linkedCardIds[3]: expected a UUID, got [\"" ID "\"]\n");
}

static void choices_are_exact(void)
{
    static const char *const stages[] = {"created",    "triggered", "ordered",
                                         "in_transit", "received",  "restocked"};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        char value[32];
        snprintf(value, sizeof value, "\"%s\"", stages[i]);
        expect(CARD, "toStage", value, "");
    }
    expect(CARD, "method", "\"s\\u0063an\"", "");
    expect(CARD, "method", "\"Scan\"", "method: \"Scan\" is not one of manual, scan, system\n");
    expect(CARD, "method", "\"sca\"", "method: \"sca\" is not one of manual, scan, system\n");
    expect(CARD, "method", "\"\"", "method: \"\" is not one of manual, scan, system\n");
    expect(CARD, "method", "\"manual|scan\"",
           "method: \"manual|scan\" is not one of manual, scan, system\n");
    expect(CARD, "method", "1", "method: 1 is not one of manual, scan, system\n");
    expect(LOOP, "changeType", "\"auto\"", "changeType: \"auto\" is not one of manual, relowisa\n");
    expect(STATUS, "orderType", "\"sales_order\"",
           "orderType: \"sales_order\" is not one of purchase_order, work_order, "
           "transfer_order\n");
    expect(NOTIFICATION, "notificationType", "\"x\"",
           "notificationType: \"x\" is not one of card_triggered, po_created, po_sent, "
           "po_received, stockout_warning, relowisa_recommendation, exception_alert, "
           "wo_status_change, transfer_status_change, system_alert\n");
}

static void scores_are_numbers_from_0_to_100(void)
{
    static const char *const fine[] = {"0",   "-0",   "0.0", "100", "100.0", "99.999",
                                       "1e2", "1E-5", "87",  "0.1", "1e-400"};
    static const char *const bad[] = {"-0.1",   "100.1", "101",   "1e400",
                                      "-1e400", "1e3",   "\"5\"", "true",
                                      "[50]",   "-1",    "\"\"",  "100.00000000000001"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        expect(RELOWISA, "confidenceScore", fine[i], "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char want[128];
        snprintf(want, sizeof want, "confidenceScore: expected a number from 0 to 100, got %s\n",
                 bad[i]);
        expect(RELOWISA, "confidenceScore", bad[i], want);
    }
}

static void order_numbers_are_any_text(void)
{
    static const char *const fine[] = {
        "\"PO-0001\"", "\"0\"",        "\" \"",
        "\"\\n\"",     "\"\xc3\xa9\"", "\"a very long number that no system of ours makes, 1/2\""};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        expect(ORDER, "orderNumber", fine[i], "");
    expect(ORDER, "orderNumber", "\"\"",
           "orderNumber: expected a string that is not empty, got \"\"\n");
    expect(ORDER, "orderNumber", "1", "orderNumber: expected a string that is not empty, got 1\n");
}

static void timestamps_are_real_ones(void)
{
    static const char *const fine[] = {
        "2026-02-08T12:34:56Z",      "2026-02-08T12:34:56.7Z",         "2026-02-08t12:34:56z",
        "2026-02-08 12:34:56Z",      "2026-02-08T12:34:56.123456789Z", "2026-02-08T12:34:56+05:30",
        "2026-02-08T12:34:56-00:00", "2024-02-29T00:00:00Z",           "2000-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",      "2017-01-01T00:59:60+01:00",      "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",  "2026-02-08T12:34:56\\u002b01:00"};
    static const char *const bad[] = {"2026-02-08T12:34:56",
                                      "2026-02-08",
                                      "2026-02-30T12:00:00Z",
                                      "2025-02-29T00:00:00Z",
                                      "1900-02-29T00:00:00Z",
                                      "2026-04-31T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-10T00:00:00Z",
                                      "2026-01-00T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T12:60:00Z",
                                      "2026-01-01T12:00:61Z",
                                      "2026-06-15T12:00:60Z",
                                      "2026-01-01T12:00Z",
                                      "2026-01-01T12:00:00.Z",
                                      "2026-1-1T12:00:00Z",
                                      "2026-01-01T12:00:00+1:00",
                                      "2026-01-01T12:00:00+24:00",
                                      "12026-01-01T00:00:00Z",
                                      "2026-01-01T12:00:00ZZ",
                                      "",
                                      "now",
                                      "1770552896"};
    char value[96], want[160];
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", fine[i]);
        expect(CARD, "timestamp", value, "");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", bad[i]);
        snprintf(want, sizeof want,
                 "timestamp: expected an RFC 3339 timestamp with a zone, got %s\n", value);
        expect(CARD, "timestamp", value, want);
    }
    expect(CARD, "timestamp", "1770552896",
           "timestamp: expected an RFC 3339 timestamp with a zone, got 1770552896\n");
}

static void extras_are_checked_on_every_type(void)
{
    static const char *const bad[] = {"0", "-1", "1.5", "\"1\"", "01e1", "1e1", "1234567890"};
    for (int i = 0; i < TYPES; i++) {
        expect(i, "schemaVersion", "1", "");
        expect(i, "schemaVersion", "999999999", "");
        expect(i, "eventId", "\"" ID "\"", "");
        expect(i, "eventId", "\"e\"", "eventId: expected a UUID, got \"e\"\n");
        expect(i, "schemaVersion", "null",
               "schemaVersion: expected a positive whole number, got null\n");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char want[96];
        if (strcmp(bad[i], "01e1") == 0)
            continue; /* no JSON */
        snprintf(want, sizeof want, "schemaVersion: expected a positive whole number, got %s\n",
                 bad[i]);
        expect(CARD, "schemaVersion", bad[i], want);
    }
}

static void unknown_members_and_types_are_no_error(void)
{
    static const char unknown[] = "{" T "\"card.exploded\",\"cardId\":5,\"tenantId\":7}";
    static const char versioned[] = "{" T "\"card.exploded\",\"schemaVersion\":\"x\"}";
    for (int i = 0; i < TYPES; i++)
        expect(i, "colour", "{\"deep\":[1e400,null]}", "");
    CHECK_INT(check_text(unknown, strlen(unknown), false), 0);
    CHECK_INT(check_text(versioned, strlen(versioned), false), 1);
}

static void everything_wrong_is_told_in_the_tables_order(void)
{
    static const char text[] =
        "{\"linkedCardIds\":[\"" ID "\",\"a\",7],\"eventId\":1," T
        "\"order.created\",\"orderType\":\"x\",\"orderNumber\":\"\"," NOW "}";
    CHECK_INT(check_text(text, strlen(text), false), 7);
    CHECK_BYTES(complaints.data, complaints.len,
                "tenantId: missing\n"
                "orderType: \"x\" is not one of purchase_order, work_order, transfer_order\n"
                "orderId: missing\n"
                "orderNumber: expected a string that is not empty, got \"\"\n"
                "linkedCardIds[1]: expected a UUID, got \"a\"\n"
                "linkedCardIds[2]: expected a UUID, got 7\n"
                "eventId: expected a UUID, got 1\n");
}

static void keys_may_be_escaped_and_doubled(void)
{
    expect(LOOP, "r\\u0065ason", "5", "reason: expected a string, got 5\n");
    expect(LOOP, "\\u0074imestamp", "1",
           "timestamp: expected an RFC 3339 timestamp with a zone, got 1\n");
}

/* A value that is too long is cut between characters. */
static void long_values_are_cut(void)
{
    struct base_buf value = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&value, "\"x"), 0);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(base_buf_add_text(&value, "\xe2\x82\xac"), 0);
    CHECK_INT(base_buf_add_byte(&value, '"'), 0);
    struct base_buf text = BASE_BUF_INIT;
    change(good_events[CARD], "method", base_buf_cstr(&value), &text);
    CHECK_INT(check_text(text.data, text.len, false), 1);
    CHECK(complaints.len < 200);
    CHECK(base_utf8_valid(complaints.data, complaints.len));
    base_buf_fini(&text);
    base_buf_fini(&value);
}

int main(void)
{
    RUN(good_events_are_good);
    RUN(every_field_that_is_not_optional_is_missed);
    RUN(null_is_a_value_of_nullable_fields_only);
    RUN(wrong_kinds_are_shown);
    RUN(uuids_have_any_version_and_case);
    RUN(loose_ids_are_those_of_the_wire);
    RUN(elements_are_told_by_their_place);
    RUN(choices_are_exact);
    RUN(scores_are_numbers_from_0_to_100);
    RUN(order_numbers_are_any_text);
    RUN(timestamps_are_real_ones);
    RUN(extras_are_checked_on_every_type);
    RUN(unknown_members_and_types_are_no_error);
    RUN(everything_wrong_is_told_in_the_tables_order);
    RUN(keys_may_be_escaped_and_doubled);
    RUN(long_values_are_cut);
    base_buf_fini(&complaints);
    return test_end();
}
