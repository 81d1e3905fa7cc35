/* SPDX-License-Identifier: ISC */
#include "arda/notify_rules.h"

#include "arda/event.h"
#include "arda/notify_channels.h"
#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#include <stdbool.h>

static struct base_buf room;
static struct arda_notification made;

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static enum arda_notify_match find(const char *event)
{
    const struct arda_notify_rule *rule = NULL;
    enum arda_notify_match match = arda_notify_rule_find(slice(event), &rule);
    CHECK((match == ARDA_NOTIFY_RULE) == (rule != NULL));
    if (rule)
        CHECK_INT(arda_notify_render(rule, slice(event), &room, &made), 0);
    return match;
}

static void check(const char *event, const char *type, const char *title)
{
    made = (struct arda_notification){0};
    CHECK_INT(find(event), ARDA_NOTIFY_RULE);
    CHECK_BYTES(made.type.data, made.type.len, type);
    CHECK_BYTES(made.title.data, made.title.len, title);
}

static void check_texts(const char *body, const char *action_url, const char *metadata)
{
    CHECK_BYTES(made.body.len ? made.body.data : "", made.body.len, body);
    CHECK_BYTES(made.action_url.len ? made.action_url.data : "", made.action_url.len, action_url);
    CHECK_BYTES(made.metadata.data, made.metadata.len, metadata);
}

#define CARD(from, to)                                                                             \
    "{\"type\":\"card.transition\",\"tenantId\":\"t\",\"cardId\":\"c1\",\"loopId\":\"l1\","        \
    "\"fromStage\":" from ",\"toStage\":" to ",\"method\":\"scan\",\"userId\":\"u1\"}"
#define CREATED(type)                                                                              \
    "{\"type\":\"order.created\",\"orderType\":" type ",\"orderId\":\"o1\","                       \
    "\"orderNumber\":\"PO-0001\",\"linkedCardIds\":[\"c1\",\n\"c2\"]}"
#define CHANGED(type, to)                                                                          \
    "{\"type\":\"order.status_changed\",\"orderType\":" type ",\"orderId\":\"o1\","                \
    "\"orderNumber\":\"PO-0001\",\"fromStatus\":\"in_progress\",\"toStatus\":" to "}"

/* ---- the catalog's section 8 ---- */

static void cards_that_are_triggered_received_or_restocked(void)
{
    check(CARD("\"created\"", "\"triggered\""), "card_triggered", "Kanban card moved to triggered");
    check_texts("The card moved from created to triggered.", "/loops/l1/cards/c1",
                "{\"cardId\":\"c1\",\"loopId\":\"l1\",\"fromStage\":\"created\","
                "\"toStage\":\"triggered\",\"method\":\"scan\",\"userId\":\"u1\"}");
    check(CARD("\"in_transit\"", "\"received\""), "card_triggered",
          "Kanban card moved to received");
    check_texts("The card moved from in transit to received.", "/loops/l1/cards/c1",
                "{\"cardId\":\"c1\",\"loopId\":\"l1\",\"fromStage\":\"in_transit\","
                "\"toStage\":\"received\",\"method\":\"scan\",\"userId\":\"u1\"}");
    check(CARD("null", "\"restocked\""), "card_triggered", "Kanban card moved to restocked");
    check_texts("The card is now restocked.", "/loops/l1/cards/c1",
                "{\"cardId\":\"c1\",\"loopId\":\"l1\",\"fromStage\":null,"
                "\"toStage\":\"restocked\",\"method\":\"scan\",\"userId\":\"u1\"}");
}

static void other_stages_make_nothing(void)
{
    CHECK_INT(find(CARD("null", "\"created\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "\"ordered\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "\"in_transit\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "\"Triggered\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "\"\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "\"received|restocked\"")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find(CARD("null", "7")), ARDA_NOTIFY_NOTHING);
    CHECK_INT(find("{\"type\":\"card.transition\"}"), ARDA_NOTIFY_NOTHING);
}

static void orders_that_are_created(void)
{
    check(CREATED("\"purchase_order\""), "po_created", "New purchase order created");
    check_texts("PO-0001 was created.", "/orders/o1",
                "{\"orderType\":\"purchase_order\",\"orderId\":\"o1\",\"orderNumber\":\"PO-0001\","
                "\"linkedCardIds\":[\"c1\", \"c2\"]}");
    check(CREATED("\"work_order\""), "po_created", "New work order created");
    check(CREATED("\"transfer_order\""), "po_created", "New transfer order created");
}

static void purchase_orders(void)
{
    check(CHANGED("\"purchase_order\"", "\"sent\""), "po_sent", "Purchase order sent");
    check_texts("PO-0001 changed from in progress to sent.", "/orders/o1",
                "{\"orderType\":\"purchase_order\",\"orderId\":\"o1\",\"orderNumber\":\"PO-0001\","
                "\"fromStatus\":\"in_progress\",\"toStatus\":\"sent\"}");
    check(CHANGED("\"purchase_order\"", "\"received\""), "po_received", "Purchase order received");
    check(CHANGED("\"purchase_order\"", "\"partially_received\""), "po_received",
          "Purchase order partially received");
    check_texts("PO-0001 changed from in progress to partially received.", "/orders/o1",
                "{\"orderType\":\"purchase_order\",\"orderId\":\"o1\",\"orderNumber\":\"PO-0001\","
                "\"fromStatus\":\"in_progress\",\"toStatus\":\"partially_received\"}");
    check(CHANGED("\"purchase_order\"", "\"cancelled\""), "system_alert",
          "Purchase order status updated");
    check(CHANGED("\"purchase_order\"", "null"), "system_alert", "Purchase order status updated");
    check_texts("", "/orders/o1",
                "{\"orderType\":\"purchase_order\",\"orderId\":\"o1\",\"orderNumber\":\"PO-0001\","
                "\"fromStatus\":\"in_progress\",\"toStatus\":null}");
}

static void work_and_transfer_orders(void)
{
    static const char *const statuses[] = {"\"sent\"", "\"received\"", "\"done\"", "{}"};
    char event[512];
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        snprintf(event, sizeof event, CHANGED("\"work_order\"", "%s"), statuses[i]);
        check(event, "wo_status_change", "Work order status updated");
        snprintf(event, sizeof event, CHANGED("\"transfer_order\"", "%s"), statuses[i]);
        check(event, "transfer_status_change", "Transfer order status updated");
    }
}

static void recommendations(void)
{
    check("{\"type\":\"relowisa.recommendation\",\"loopId\":\"l1\",\"recommendationId\":\"r1\","
          "\"confidenceScore\":87.50}",
          "relowisa_recommendation", "New ReLoWiSa recommendation");
    check_texts("The engine recommends new parameters for a loop, with a confidence of 87.50.",
                "/loops/l1",
                "{\"loopId\":\"l1\",\"recommendationId\":\"r1\",\"confidenceScore\":87.50}");
}

static void other_order_types_are_told_apart(void)
{
    CHECK_INT(find(CREATED("\"sales_order\"")), ARDA_NOTIFY_FOREIGN_ORDER);
    CHECK_INT(find(CREATED("null")), ARDA_NOTIFY_FOREIGN_ORDER);
    CHECK_INT(find(CHANGED("\"sales_order\"", "\"sent\"")), ARDA_NOTIFY_FOREIGN_ORDER);
    CHECK_INT(find(CHANGED("[\"work_order\"]", "\"sent\"")), ARDA_NOTIFY_FOREIGN_ORDER);
    CHECK_INT(find("{\"type\":\"order.created\"}"), ARDA_NOTIFY_FOREIGN_ORDER);
}

static void other_events_make_nothing(void)
{
    static const char *const events[] = {
        "{\"type\":\"loop.parameters_changed\",\"loopId\":\"l1\",\"orderType\":\"work_order\"}",
        "{\"type\":\"notification.created\",\"toStage\":\"triggered\"}",
        "{\"type\":\"card.transition.v2\",\"toStage\":\"triggered\"}",
        "{\"type\":\"order.creat\",\"orderType\":\"work_order\"}",
        "{\"type\":7}",
        "{}",
        "[]",
        "",
        "{\"type\":",
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        CHECK_INT(find(events[i]), ARDA_NOTIFY_NOTHING);
}

static void the_table_speaks_of_what_the_catalog_has(void)
{
    size_t rows = 0;
    enum arda_notify_type type;
    for (const struct arda_notify_rule *rule = arda_notify_rules; rule->event; rule++, rows++) {
        const struct arda_event_type *event = arda_event_find(rule->event, strlen(rule->event));
        CHECK(event != NULL);
        CHECK_INT(arda_notify_type_find(rule->type, strlen(rule->type), &type), 0);
        CHECK(!rule->field || arda_event_field(event, rule->field, strlen(rule->field)));
        for (const char *name = rule->metadata; *name;) {
            size_t len = strcspn(name, "|");
            CHECK(arda_event_field(event, name, len) != NULL);
            name += len + (name[len] == '|');
        }
    }
    CHECK_INT(rows, 9);
}

/* ---- events of foreign publishers ---- */

static void missing_members_are_left_out(void)
{
    check("{\"type\":\"card.transition\",\"toStage\":\"triggered\"}", "card_triggered",
          "Kanban card moved to triggered");
    check_texts("The card is now triggered.", "/loops", "{\"toStage\":\"triggered\"}");
    check("{\"type\":\"card.transition\",\"toStage\":\"triggered\",\"loopId\":\"l1\"}",
          "card_triggered", "Kanban card moved to triggered");
    check_texts("The card is now triggered.", "/loops/l1",
                "{\"loopId\":\"l1\",\"toStage\":\"triggered\"}");
    check("{\"type\":\"order.created\",\"orderType\":\"work_order\"}", "po_created",
          "New work order created");
    check_texts("", "/orders", "{\"orderType\":\"work_order\"}");
    check("{\"type\":\"order.status_changed\",\"orderType\":\"work_order\",\"toStatus\":\"done\"}",
          "wo_status_change", "Work order status updated");
    check_texts("The order is now done.", "/orders",
                "{\"orderType\":\"work_order\",\"toStatus\":\"done\"}");
    check("{\"type\":\"order.status_changed\",\"orderType\":\"work_order\",\"toStatus\":\"done\","
          "\"orderNumber\":12}",
          "wo_status_change", "Work order status updated");
    check_texts("12 is now done.", "/orders",
                "{\"orderType\":\"work_order\",\"orderNumber\":12,\"toStatus\":\"done\"}");
    check("{\"type\":\"relowisa.recommendation\"}", "relowisa_recommendation",
          "New ReLoWiSa recommendation");
    check_texts("The engine recommends new parameters for a loop.", "/loops", "{}");
}

static void what_is_no_identifier_is_kept_out_of_addresses(void)
{
    static const char *const ids[] = {
        "\"a b\"",          "\"../../admin\"", "\"a?b=c\"",   "\"\"",     "\".\"",
        "\"..\"",           "\"...\"",         "5",           "[\"o1\"]", "null",
        "\"javascript:x\"", "\"\\u006f\"",     "\"\\ud800\"", "{}"};
    char event[256];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        snprintf(event, sizeof event,
                 "{\"type\":\"order.created\",\"orderType\":\"work_order\",\"orderId\":%s}",
                 ids[i]);
        check(event, "po_created", "New work order created");
        CHECK_BYTES(made.action_url.data, made.action_url.len, "/orders");
    }
    check("{\"type\":\"order.created\",\"orderType\":\"work_order\",\"orderId\":\"..a\"}",
          "po_created", "New work order created");
    CHECK_BYTES(made.action_url.data, made.action_url.len, "/orders/..a");
}

static void hostile_texts_are_tidied(void)
{
    check("{\"type\":\"order.created\",\"orderType\":\"work_order\","
          "\"orderNumber\":\"a\\r\\nBcc: x\\u0000\\u007f\\u0085\\u00a0_<b>\\\"\"}",
          "po_created", "New work order created");
    check_texts("a  Bcc: x    \xc2\xa0_<b>\" was created.", "/orders",
                "{\"orderType\":\"work_order\","
                "\"orderNumber\":\"a\\r\\nBcc: x\\u0000\\u007f\\u0085\\u00a0_<b>\\\"\"}");
    check("{\"type\":\"order.created\",\"orderType\":\"work_order\",\"orderNumber\":\"\\ud800\"}",
          "po_created", "New work order created");
    CHECK_INT(made.body.len, 0);
    check("{\"type\":\"order.created\",\"orderType\":\"work_order\",\"orderNumber\":\"{orderId}\","
          "\"orderId\":\"o1\"}",
          "po_created", "New work order created");
    CHECK_BYTES(made.body.data, made.body.len, "{orderId} was created.");
    check("{\"type\":\"order.created\",\"orderType\":\"sales_order\",\"orderType\":\"work_order\"}",
          "po_created", "New work order created");
}

static void long_texts_are_cut_between_characters(void)
{
    struct base_buf event = BASE_BUF_INIT;
    base_buf_add_text(&event, "{\"type\":\"order.created\",\"orderType\":\"work_order\","
                              "\"orderNumber\":\"x");
    for (int i = 0; i < 3000; i++)
        base_buf_add_text(&event, "ü");
    base_buf_add_text(&event, "\"}");
    check(base_buf_cstr(&event), "po_created", "New work order created");
    CHECK_INT(made.body.len, 199 + 3 + strlen(" was created."));
    CHECK(memcmp(made.body.data + 197, "ü… was created.", 5) == 0);
    CHECK_BYTES(made.metadata.data, made.metadata.len, "{\"orderType\":\"work_order\"}");
    base_buf_fini(&event);
}

static void survives_every_failing_allocation(void)
{
    static const char event[] = CREATED("\"work_order\"");
    const struct arda_notify_rule *rule = NULL;
    int refused = 0;
    CHECK_INT(arda_notify_rule_find(slice(event), &rule), ARDA_NOTIFY_RULE);
    for (long n = 1; n < 20; n++) {
        struct base_buf fresh = BASE_BUF_INIT, table = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        int result = arda_notify_render(rule, slice(event), &fresh, &made);
        base_mem_fail(n, 1);
        int printed = arda_notify_rules_print(&table, n % 2 == 0);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK(printed == 0 || (printed == BASE_ERR_NOMEM && table.len == 0));
        refused += (result != 0) + (printed != 0);
        base_buf_fini(&fresh);
        base_buf_fini(&table);
    }
    CHECK(refused >= 3);
}

/* ---- printing ---- */

static void the_table_is_printed_for_a_person(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_notify_rules_print(&out, false), 0);
    CHECK_STR(base_buf_cstr(&out),
              "EVENT                    CONDITION                                    NOTIFICATION  "
              "           TITLE\n"
              "card.transition          toStage triggered or received or restocked   "
              "card_triggered           Kanban card moved to {stage}\n"
              "order.created            always                                       po_created    "
              "           New {orderType} created\n"
              "order.status_changed     purchase_order, toStatus sent                po_sent       "
              "           Purchase order sent\n"
              "order.status_changed     purchase_order, toStatus received            po_received   "
              "           Purchase order received\n"
              "order.status_changed     purchase_order, toStatus partially_received  po_received   "
              "           Purchase order partially received\n"
              "order.status_changed     purchase_order                               system_alert  "
              "           Purchase order status updated\n"
              "order.status_changed     work_order                                   "
              "wo_status_change         Work order status updated\n"
              "order.status_changed     transfer_order                               "
              "transfer_status_change   Transfer order status updated\n"
              "relowisa.recommendation  always                                       "
              "relowisa_recommendation  New ReLoWiSa recommendation\n");
    base_buf_fini(&out);
}

static void the_table_is_printed_as_json(void)
{
    struct base_buf out = BASE_BUF_INIT;
    struct base_json_member type = BASE_JSON_WANT("notificationType");
    CHECK_INT(arda_notify_rules_print(&out, true), 0);
    size_t rows = 0;
    for (const char *line = base_buf_cstr(&out); *line; rows++) {
        size_t len = strcspn(line, "\n");
        const char *want = arda_notify_rules[rows].type;
        CHECK_INT(base_json_pick(line, len, &type, 1, NULL, NULL), 0);
        CHECK(base_json_equals(&type.value, want, strlen(want)));
        if (rows == 1)
            CHECK_BYTES(line, len,
                        "{\"event\":\"order.created\",\"orderType\":[\"purchase_order\","
                        "\"work_order\",\"transfer_order\"],\"field\":null,\"values\":null,"
                        "\"notificationType\":\"po_created\",\"title\":\"New {orderType} created\","
                        "\"body\":[\"{orderNumber} was created.\"],"
                        "\"actionUrl\":[\"/orders/{orderId}\",\"/orders\"],"
                        "\"metadata\":[\"orderType\",\"orderId\",\"orderNumber\","
                        "\"linkedCardIds\"]}");
        line += len + 1;
    }
    CHECK_INT(rows, 9);
    base_buf_fini(&out);
}

int main(void)
{
    RUN(cards_that_are_triggered_received_or_restocked);
    RUN(other_stages_make_nothing);
    RUN(orders_that_are_created);
    RUN(purchase_orders);
    RUN(work_and_transfer_orders);
    RUN(recommendations);
    RUN(other_order_types_are_told_apart);
    RUN(other_events_make_nothing);
    RUN(the_table_speaks_of_what_the_catalog_has);
    RUN(missing_members_are_left_out);
    RUN(what_is_no_identifier_is_kept_out_of_addresses);
    RUN(hostile_texts_are_tidied);
    RUN(long_texts_are_cut_between_characters);
    RUN(survives_every_failing_allocation);
    RUN(the_table_is_printed_for_a_person);
    RUN(the_table_is_printed_as_json);
    base_buf_fini(&room);
    return test_end();
}
