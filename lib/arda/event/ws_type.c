/* SPDX-License-Identifier: ISC */
#include "arda/ws_type.h"

#include <stddef.h>
#include <string.h>

#define BY_STAGE(type, stage, ws_type, catalog)                                                    \
    {                                                                                              \
        type, "toStage", stage, ws_type, catalog                                                   \
    }
#define BY_ORDER(type, order, ws_type, catalog)                                                    \
    {                                                                                              \
        type, "orderType", order, ws_type, catalog                                                 \
    }
#define ANY(type, ws_type, catalog)                                                                \
    {                                                                                              \
        type, NULL, NULL, ws_type, catalog                                                         \
    }

/* The catalog names two types for a transition and does not say which is when: a card that enters
 * the stage "triggered" is triggered. Its last row, inventory:updated, is planned there and has no
 * type of event; services publish one of the same name. */
const struct arda_ws_row arda_ws_rows[] = {
    BY_STAGE("card.transition", "triggered", "card:triggered", true),
    ANY("card.transition", "card:stage_changed", true),
    BY_ORDER("order.created", "purchase_order", "po:status_changed", true),
    BY_ORDER("order.status_changed", "purchase_order", "po:status_changed", true),
    BY_ORDER("order.status_changed", "work_order", "wo:status_changed", true),
    BY_ORDER("order.status_changed", "transfer_order", "transfer:status_changed", true),
    ANY("notification.created", "notification:new", true),
    ANY("relowisa.recommendation", "relowisa:recommendation", true),
    ANY("inventory:updated", "inventory:updated", true),

    BY_ORDER("order.created", "work_order", "wo:status_changed", false),
    BY_ORDER("order.created", "transfer_order", "transfer:status_changed", false),
    BY_ORDER("order.created", "sales_order", "so:status_changed", false),
    BY_ORDER("order.status_changed", "sales_order", "so:status_changed", false),
    ANY("sales_order.approved", "so:status_changed", false),
    ANY("sales_order.cancelled", "so:status_changed", false),
    BY_STAGE("lifecycle.transition", "triggered", "card:triggered", false),
    ANY("lifecycle.transition", "card:stage_changed", false),
    ANY("demand_signal.created", "demand_signal:created", false),
    ANY("production.step_completed", "wo:step_completed", false),
    ANY("production.quantity_reported", "wo:quantity_reported", false),
    ANY("production.expedite", "wo:expedited", false),
    ANY("production.hold", "wo:held", false),
    ANY("production.resume", "wo:resumed", false),
    ANY("receiving.completed", "receiving:completed", false),
    ANY("receiving.exception_created", "receiving:exception_created", false),
    ANY("receiving.exception_resolved", "receiving:exception_resolved", false),
    ANY("automation.po_created", "automation:po_created", false),
    ANY("automation.to_created", "automation:to_created", false),
    ANY("automation.email_dispatched", "automation:email_dispatched", false),
    ANY("automation.shopping_list_item_added", "automation:shopping_list_item_added", false),
    ANY("automation.card_stage_changed", "automation:card_stage_changed", false),
    ANY("automation.escalated", "automation:escalated", false),
    ANY("kpi.refreshed", "kpi:refreshed", false),
    ANY("audit.created", "audit:created", false),
    ANY("user.activity", "user:activity", false),
    {NULL, NULL, NULL, NULL, false},
};

enum member { TYPE, STAGE, ORDER, MEMBERS };

static bool fits(const struct arda_ws_row *row, const struct base_json_member found[static MEMBERS])
{
    if (!base_json_equals(&found[TYPE].value, row->type, strlen(row->type)))
        return false;
    for (size_t i = STAGE; row->field && i < MEMBERS; i++)
        if (strcmp(row->field, found[i].key) == 0)
            return base_json_equals(&found[i].value, row->value, strlen(row->value));
    return !row->field;
}

const char *arda_ws_type(const struct base_json_value *event)
{
    struct base_json_member found[MEMBERS] = {[TYPE] = BASE_JSON_WANT("type"),
                                              [STAGE] = BASE_JSON_WANT("toStage"),
                                              [ORDER] = BASE_JSON_WANT("orderType")};
    if (base_json_pick(event->text, event->len, found, MEMBERS, NULL, NULL) < 0)
        return NULL;
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++)
        if (fits(row, found))
            return row->ws_type;
    return NULL;
}
