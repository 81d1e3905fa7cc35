/* SPDX-License-Identifier: ISC
 *
 * The catalog's section 6, version 1.0.0, written down once more by hand. Whatever the library's
 * table has now must still accept an event of that version: its fields stay, new ones are optional
 * (section 10).
 */
#include "arda/event.h"

#include "lib/test.h"

/* A type with its fields: NAME:KIND, behind it `?` for optional and `0` for nullable, and the
 * choices. */
static const struct first_table {
    const char *name, *section;
    const char *fields[10];
    size_t producers;
} first_table[] = {
    {"card.transition",
     "6.1",
     {"tenantId:UUID", "cardId:UUID", "loopId:UUID", "fromStage:NAME0",
      "toStage:CHOICE=created|triggered|ordered|in_transit|received|restocked",
      "method:CHOICE=manual|scan|system", "userId:UUID?", "timestamp:TIMESTAMP"},
     3},
    {"order.created",
     "6.2",
     {"tenantId:UUID", "orderType:CHOICE=purchase_order|work_order|transfer_order", "orderId:UUID",
      "orderNumber:NAME", "linkedCardIds:UUIDS", "timestamp:TIMESTAMP"},
     4},
    {"order.status_changed",
     "6.3",
     {"tenantId:UUID", "orderType:CHOICE=purchase_order|work_order|transfer_order", "orderId:UUID",
      "orderNumber:NAME", "fromStatus:NAME", "toStatus:NAME", "timestamp:TIMESTAMP"},
     3},
    {"loop.parameters_changed",
     "6.4",
     {"tenantId:UUID", "loopId:UUID", "changeType:CHOICE=manual|relowisa", "reason:TEXT",
      "timestamp:TIMESTAMP"},
     1},
    {"relowisa.recommendation",
     "6.5",
     {"tenantId:UUID", "loopId:UUID", "recommendationId:UUID", "confidenceScore:PERCENT",
      "timestamp:TIMESTAMP"},
     1},
    {"notification.created",
     "6.6",
     {"tenantId:UUID", "userId:UUID", "notificationId:UUID",
      "notificationType:CHOICE=card_triggered|po_created|po_sent|po_received|stockout_warning|"
      "relowisa_recommendation|exception_alert|wo_status_change|transfer_status_change|"
      "system_alert",
      "title:TEXT", "timestamp:TIMESTAMP"},
     1},
};
#define TYPES (sizeof first_table / sizeof first_table[0])

static const char *kind_name(enum arda_field_kind kind)
{
    switch (kind) {
#define NAME_(kind, text)                                                                          \
    case kind: return &#kind[sizeof "ARDA_FIELD_" - 1];
        ARDA_FIELD_MAP(NAME_)
#undef NAME_
    }
    return "?";
}

static void describe(const struct arda_field *field, char *out, size_t size)
{
    snprintf(out, size, "%s:%s%s%s%s%s", field->name, kind_name(field->kind),
             field->optional ? "?" : "", field->nullable ? "0" : "", field->choices ? "=" : "",
             field->choices ? field->choices : "");
}

static void every_type_with_every_field(void)
{
    for (size_t i = 0; i < TYPES; i++) {
        const struct first_table *row = &first_table[i];
        const struct arda_event_type *type = arda_event_find(row->name, strlen(row->name));
        CHECK(type != NULL);
        if (!type)
            continue;
        CHECK_STR(type->section, row->section);
        CHECK(type->about[0] != '\0');
        for (size_t f = 0; f < 10 && row->fields[f]; f++) {
            char text[512];
            size_t len = strcspn(row->fields[f], ":");
            const struct arda_field *field = arda_event_field(type, row->fields[f], len);
            CHECK(field != NULL);
            if (!field)
                continue;
            describe(field, text, sizeof text);
            CHECK_STR(text, row->fields[f]);
        }
    }
}

/* What is not in the first table came later and has to be optional. */
static void later_fields_are_optional(void)
{
    for (size_t i = 0; i < TYPES; i++) {
        const struct arda_event_type *type =
            arda_event_find(first_table[i].name, strlen(first_table[i].name));
        for (const struct arda_field *field = type->fields; field->name; field++) {
            bool first = false;
            for (size_t f = 0; f < 10 && first_table[i].fields[f]; f++) {
                size_t len = strcspn(first_table[i].fields[f], ":");
                first |= len == strlen(field->name) &&
                         memcmp(field->name, first_table[i].fields[f], len) == 0;
            }
            CHECK(first || field->optional);
            CHECK(field->about[0] != '\0');
            CHECK((field->kind == ARDA_FIELD_CHOICE) == (field->choices != NULL));
        }
    }
}

static void the_types_stand_in_the_catalogs_order(void)
{
    for (size_t i = 0; i < TYPES; i++)
        CHECK_STR(arda_event_types[i].name, first_table[i].name);
}

static void producers_are_named(void)
{
    for (size_t i = 0; i < TYPES; i++) {
        size_t count = 0;
        while (arda_event_types[i].producers[count])
            count++;
        CHECK_INT(count, first_table[i].producers);
    }
}

static void unknown_names_are_not_found(void)
{
    CHECK(!arda_event_find("card.transition.v2", 18));
    CHECK(!arda_event_find("card.transitio", 14));
    CHECK(!arda_event_find("Card.transition", 15));
    CHECK(!arda_event_find("", 0));
    CHECK(!arda_event_field(&arda_event_types[0], "orderId", 7));
    CHECK(!arda_event_field(&arda_event_types[0], "card", 4));
    CHECK(!arda_event_field(NULL, "tenantId", 8));
}

static void every_event_may_have_the_extras(void)
{
    char text[64];
    describe(arda_event_field(NULL, "schemaVersion", 13), text, sizeof text);
    CHECK_STR(text, "schemaVersion:VERSION?");
    describe(arda_event_field(&arda_event_types[3], "eventId", 7), text, sizeof text);
    CHECK_STR(text, "eventId:UUID?");
    for (const struct arda_field *field = arda_event_extras; field->name; field++)
        CHECK(field->optional);
}

int main(void)
{
    RUN(every_type_with_every_field);
    RUN(later_fields_are_optional);
    RUN(the_types_stand_in_the_catalogs_order);
    RUN(producers_are_named);
    RUN(unknown_names_are_not_found);
    RUN(every_event_may_have_the_extras);
    return test_end();
}
