/* SPDX-License-Identifier: ISC */
#include "arda/ws_type.h"

#include <stddef.h>
#include <string.h>

const struct arda_ws_row arda_ws_rows[] = {
    {"card.transition", "toStage", "triggered", "card:triggered", false},
    {"card.transition", NULL, NULL, "card:stage_changed", false},
    {"order.created", "orderType", "purchase_order", "po:status_changed", false},
    {"order.status_changed", "orderType", "purchase_order", "po:status_changed", false},
    {"order.status_changed", "orderType", "work_order", "wo:status_changed", false},
    {"order.status_changed", "orderType", "transfer_order", "transfer:status_changed", false},
    {"notification.created", NULL, NULL, "notification:new", false},
    {"relowisa.recommendation", NULL, NULL, "relowisa:recommendation", false},
    {NULL, NULL, NULL, "inventory:updated", true},
    {NULL, NULL, NULL, NULL, false},
};

static bool fits(const struct arda_ws_row *row, const struct base_json_value *type,
                 const struct base_json_value *event)
{
    if (!row->type || !base_json_equals(type, row->type, strlen(row->type)))
        return false;
    if (!row->field)
        return true;
    struct base_json_member member = {.key = row->field, .key_len = strlen(row->field)};
    return base_json_pick(event->text, event->len, &member, 1, NULL, NULL) == 0 &&
           base_json_equals(&member.value, row->value, strlen(row->value));
}

const char *arda_ws_type(const struct base_json_value *event)
{
    struct base_json_member type = BASE_JSON_WANT("type");
    if (base_json_pick(event->text, event->len, &type, 1, NULL, NULL) < 0)
        return NULL;
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++)
        if (fits(row, &type.value, event))
            return row->ws_type;
    return NULL;
}
