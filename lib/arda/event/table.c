/* SPDX-License-Identifier: ISC
 *
 * The catalog, version 1.0.0, section 6. By its section 10 a field is never removed and a new one
 * is optional; tests/manual/compatible.bats holds the first table against this one.
 */
#include "arda/event.h"

#include "base/names.h"

#include <string.h>

#define FIELD(name, kind, about)                                                                   \
    {                                                                                              \
        name, ARDA_FIELD_##kind, NULL, false, false, about                                         \
    }
#define OPTIONAL(name, kind, about)                                                                \
    {                                                                                              \
        name, ARDA_FIELD_##kind, NULL, true, false, about                                          \
    }
#define NULLABLE(name, kind, about)                                                                \
    {                                                                                              \
        name, ARDA_FIELD_##kind, NULL, false, true, about                                          \
    }
#define CHOICE(name, choices, about)                                                               \
    {                                                                                              \
        name, ARDA_FIELD_CHOICE, choices, false, false, about                                      \
    }
#define TYPE(name, section, about, table)                                                          \
    {                                                                                              \
        name, section, about, table##_fields, table##_producers                                    \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, ARDA_FIELD_TEXT, NULL, false, false, NULL                                            \
    }

#define STAGES      "created|triggered|ordered|in_transit|received|restocked"
#define ORDER_TYPES "purchase_order|work_order|transfer_order"
#define NOTIFICATION_TYPES                                                                         \
    "card_triggered|po_created|po_sent|po_received|stockout_warning|relowisa_recommendation|"      \
    "exception_alert|wo_status_change|transfer_status_change|system_alert"

#define TENANT    FIELD("tenantId", UUID, "whose event it is")
#define TIMESTAMP FIELD("timestamp", TIMESTAMP, "when it happened")

static const struct arda_field card_transition_fields[] = {
    TENANT,
    FIELD("cardId", UUID, "the card"),
    FIELD("loopId", UUID, "the kanban loop it belongs to"),
    NULLABLE("fromStage", NAME, "the stage it left; null for its creation"),
    CHOICE("toStage", STAGES, "the stage it entered"),
    CHOICE("method", "manual|scan|system", "how it was moved"),
    OPTIONAL("userId", UUID, "who moved it; absent when the system did"),
    TIMESTAMP,
    END,
};
static const char *const card_transition_producers[] = {
    "kanban/cards.routes.ts: POST /:id/transition",
    "kanban/scan.routes.ts: POST /:cardId/trigger",
    "orders/order-queue.routes.ts: POST /create-po, /create-wo, /create-to",
    NULL,
};

static const struct arda_field order_created_fields[] = {
    TENANT,
    CHOICE("orderType", ORDER_TYPES, "what kind of order it is"),
    FIELD("orderId", UUID, "the order"),
    FIELD("orderNumber", NAME, "its number for people, such as PO-0001"),
    FIELD("linkedCardIds", UUIDS, "the cards it was made for"),
    TIMESTAMP,
    END,
};
static const char *const order_created_producers[] = {
    "orders/purchase-orders.routes.ts: POST /",
    "orders/work-orders.routes.ts: POST /",
    "orders/transfer-orders.routes.ts: POST /",
    "orders/order-queue.routes.ts: POST /create-po, /create-wo, /create-to",
    NULL,
};

static const struct arda_field order_status_changed_fields[] = {
    TENANT,
    CHOICE("orderType", ORDER_TYPES, "what kind of order it is"),
    FIELD("orderId", UUID, "the order"),
    FIELD("orderNumber", NAME, "its number for people"),
    FIELD("fromStatus", NAME, "the status it had"),
    FIELD("toStatus", NAME, "the status it has now"),
    TIMESTAMP,
    END,
};
static const char *const order_status_changed_producers[] = {
    "orders/purchase-orders.routes.ts: PATCH /:id/status, /:id/receive",
    "orders/work-orders.routes.ts: PATCH /:id/status",
    "orders/transfer-orders.routes.ts: PATCH /:id/status",
    NULL,
};

static const struct arda_field loop_parameters_changed_fields[] = {
    TENANT,
    FIELD("loopId", UUID, "the kanban loop"),
    CHOICE("changeType", "manual|relowisa", "who decided on the change"),
    FIELD("reason", TEXT, "why, in the user's words"),
    TIMESTAMP,
    END,
};
static const char *const loop_parameters_changed_producers[] = {
    "kanban/loops.routes.ts: PATCH /:id/parameters",
    NULL,
};

static const struct arda_field relowisa_recommendation_fields[] = {
    TENANT,
    FIELD("loopId", UUID, "the kanban loop"),
    FIELD("recommendationId", UUID, "the recommendation"),
    FIELD("confidenceScore", PERCENT, "how sure the engine is"),
    TIMESTAMP,
    END,
};
static const char *const relowisa_recommendation_producers[] = {
    "ReLoWiSa engine (planned)",
    NULL,
};

static const struct arda_field notification_created_fields[] = {
    TENANT,
    FIELD("userId", UUID, "whom it is for"),
    FIELD("notificationId", UUID, "the notification"),
    CHOICE("notificationType", NOTIFICATION_TYPES, "its type"),
    FIELD("title", TEXT, "its title"),
    TIMESTAMP,
    END,
};
static const char *const notification_created_producers[] = {
    "notifications/services/event-listener.ts: after the notification is stored",
    NULL,
};

const struct arda_event_type arda_event_types[] = {
    TYPE("card.transition", "6.1", "A kanban card moved between stages.", card_transition),
    TYPE("order.created", "6.2", "An order was created.", order_created),
    TYPE("order.status_changed", "6.3", "An order moved between statuses.", order_status_changed),
    TYPE("loop.parameters_changed", "6.4", "The parameters of a kanban loop were changed.",
         loop_parameters_changed),
    TYPE("relowisa.recommendation", "6.5", "The ReLoWiSa engine made a recommendation.",
         relowisa_recommendation),
    TYPE("notification.created", "6.6", "A notification was stored for a user.",
         notification_created),
    {NULL, NULL, NULL, NULL, NULL},
};

const struct arda_field arda_event_extras[] = {
    OPTIONAL("schemaVersion", VERSION, "version of the type's schema; 1 when missing"),
    OPTIONAL("eventId", UUID, "by which deliveries of one event are recognised"),
    END,
};

const struct arda_event_type *arda_event_find(const char *name, size_t len)
{
    for (const struct arda_event_type *type = arda_event_types; type->name; type++)
        if (strlen(type->name) == len && memcmp(type->name, name, len) == 0)
            return type;
    return NULL;
}

static const struct arda_field *find_field(const struct arda_field *field, const char *name,
                                           size_t len)
{
    for (; field->name; field++)
        if (strlen(field->name) == len && memcmp(field->name, name, len) == 0)
            return field;
    return NULL;
}

const struct arda_field *arda_event_field(const struct arda_event_type *type, const char *name,
                                          size_t len)
{
    const struct arda_field *field = type ? find_field(type->fields, name, len) : NULL;
    return field ? field : find_field(arda_event_extras, name, len);
}

BASE_NAME_FUNCTION(arda_field_kind_text, enum arda_field_kind, ARDA_FIELD_MAP, BASE_NAME_SECOND,
                   "?")
