/* SPDX-License-Identifier: ISC
 *
 * The table of the catalog's section 8, version 1.0.0, in its order, and finding an event's row.
 * Bodies, addresses and metadata are ours: the catalog leaves them open.
 */
#include "arda/notify_rules.h"

#include <stdbool.h>
#include <string.h>

#define CARD   "card.transition"
#define STATUS "order.status_changed"

#define STATUS_BODY                                                                                \
    "{orderNumber} changed from {fromStatus} to {toStatus}.|{orderNumber} is now {toStatus}.|"     \
    "The order is now {toStatus}."
#define ORDER_URL       "/orders/{orderId}|/orders"
#define STATUS_METADATA "orderType|orderId|orderNumber|fromStatus|toStatus"

#define STATUS_ROW(order_type, field, values, type, title)                                         \
    {                                                                                              \
        STATUS, order_type, field, values, type, title, STATUS_BODY, ORDER_URL, STATUS_METADATA    \
    }

const struct arda_notify_rule arda_notify_rules[] = {
    {CARD, NULL, "toStage", "triggered|received|restocked", "card_triggered",
     "Kanban card moved to {stage}",
     "The card moved from {fromStage} to {toStage}.|The card is now {toStage}.",
     "/loops/{loopId}/cards/{cardId}|/loops/{loopId}|/loops",
     "cardId|loopId|fromStage|toStage|method|userId"},
    {"order.created", "*", NULL, NULL, "po_created", "New {orderType} created",
     "{orderNumber} was created.", ORDER_URL, "orderType|orderId|orderNumber|linkedCardIds"},
    STATUS_ROW("purchase_order", "toStatus", "sent", "po_sent", "Purchase order sent"),
    STATUS_ROW("purchase_order", "toStatus", "received", "po_received", "Purchase order received"),
    STATUS_ROW("purchase_order", "toStatus", "partially_received", "po_received",
               "Purchase order partially received"),
    STATUS_ROW("purchase_order", NULL, NULL, "system_alert", "Purchase order status updated"),
    STATUS_ROW("work_order", NULL, NULL, "wo_status_change", "Work order status updated"),
    STATUS_ROW("transfer_order", NULL, NULL, "transfer_status_change",
               "Transfer order status updated"),
    {"relowisa.recommendation", NULL, NULL, NULL, "relowisa_recommendation",
     "New ReLoWiSa recommendation",
     "The engine recommends new parameters for a loop, with a confidence of {confidenceScore}.|"
     "The engine recommends new parameters for a loop.",
     "/loops/{loopId}|/loops", "loopId|recommendationId|confidenceScore"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- finding ---- */

static const char order_types[] = "purchase_order|work_order|transfer_order";

/* Whether a value is one of "a|b|c". */
static bool is_one_of(const struct base_json_value *value, const char *choices)
{
    while (*choices) {
        size_t len = strcspn(choices, "|");
        if (base_json_equals(value, choices, len))
            return true;
        choices += len + (choices[len] == '|');
    }
    return false;
}

enum found { TYPE, ORDER_TYPE, TO_STAGE, TO_STATUS, FOUND };

static bool fits(const struct arda_notify_rule *rule, const struct base_json_member found[])
{
    const struct base_json_value *order_type = &found[ORDER_TYPE].value;
    if (rule->order_type && *rule->order_type != '*' &&
        !base_json_equals(order_type, rule->order_type, strlen(rule->order_type)))
        return false;
    if (!rule->field)
        return true;
    bool stage = strcmp(rule->field, found[TO_STAGE].key) == 0;
    return is_one_of(&found[stage ? TO_STAGE : TO_STATUS].value, rule->values);
}

enum arda_notify_match arda_notify_rule_find(struct base_slice event,
                                             const struct arda_notify_rule **rule)
{
    struct base_json_member found[FOUND] = {
        [TYPE] = BASE_JSON_WANT("type"),
        [ORDER_TYPE] = BASE_JSON_WANT("orderType"),
        [TO_STAGE] = BASE_JSON_WANT("toStage"),
        [TO_STATUS] = BASE_JSON_WANT("toStatus"),
    };
    if (base_json_pick(event.data, event.len, found, FOUND, NULL, NULL) < 0)
        return ARDA_NOTIFY_NOTHING;
    for (const struct arda_notify_rule *row = arda_notify_rules; row->event; row++) {
        if (!base_json_equals(&found[TYPE].value, row->event, strlen(row->event)))
            continue;
        if (row->order_type && !is_one_of(&found[ORDER_TYPE].value, order_types))
            return ARDA_NOTIFY_FOREIGN_ORDER;
        if (fits(row, found)) {
            *rule = row;
            return ARDA_NOTIFY_RULE;
        }
    }
    return ARDA_NOTIFY_NOTHING;
}
