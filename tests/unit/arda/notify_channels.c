/* SPDX-License-Identifier: ISC */
#include "arda/notify_channels.h"

#include "arda/event.h"
#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static struct arda_notify_preferences *preferences;
static enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS];

/* The catalog's section 8, cell by cell. */
static void defaults_are_those_of_the_catalog(void)
{
    static const struct {
        const char *type;
        bool in_app, email, webhook;
    } rows[] = {
        {"card_triggered", true, false, false},
        {"po_created", true, true, false},
        {"po_sent", true, false, false},
        {"po_received", true, true, false},
        {"stockout_warning", true, true, false},
        {"relowisa_recommendation", true, false, false},
        {"exception_alert", true, true, true},
        {"wo_status_change", true, false, false},
        {"transfer_status_change", true, false, false},
        {"system_alert", true, true, false},
    };
    CHECK_INT(sizeof rows / sizeof rows[0], ARDA_NOTIFY_TYPES);
    for (int i = 0; i < ARDA_NOTIFY_TYPES; i++) {
        enum arda_notify_type type = ARDA_NOTIFY_TYPES;
        CHECK_INT(arda_notify_type_find(rows[i].type, strlen(rows[i].type), &type), 0);
        CHECK_INT(type, i);
        CHECK_STR(arda_notify_type_name(type), rows[i].type);
        unsigned bits = arda_notify_defaults(type);
        CHECK_INT(bits >> ARDA_NOTIFY_IN_APP & 1, rows[i].in_app);
        CHECK_INT(bits >> ARDA_NOTIFY_EMAIL & 1, rows[i].email);
        CHECK_INT(bits >> ARDA_NOTIFY_WEBHOOK & 1, rows[i].webhook);
        CHECK_INT(bits >> ARDA_NOTIFY_CHANNELS, 0);
    }
}

static void names_are_found_whole(void)
{
    static const char *const names[] = {"in_app", "email", "webhook"};
    enum arda_notify_channel channel;
    enum arda_notify_type type;
    for (int i = 0; i < ARDA_NOTIFY_CHANNELS; i++) {
        CHECK_INT(arda_notify_channel_find(names[i], strlen(names[i]), &channel), 0);
        CHECK_INT(channel, i);
        CHECK_STR(arda_notify_channel_name(channel), names[i]);
    }
    CHECK_INT(arda_notify_channel_find("emails", 6, &channel), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_notify_channel_find("emails", 5, &channel), 0);
    CHECK_INT(arda_notify_channel_find("", 0, &channel), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_notify_type_find("po_sen", 6, &type), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_notify_type_find("PO_SENT", 7, &type), BASE_ERR_NOTFOUND);
}

static void the_table_of_events_has_the_same_types(void)
{
    char names[512] = "";
    const struct arda_event_type *event = arda_event_find("notification.created", 20);
    for (int i = 0; i < ARDA_NOTIFY_TYPES; i++) {
        strcat(names, i ? "|" : "");
        strcat(names, arda_notify_type_name((enum arda_notify_type)i));
    }
    CHECK_STR(arda_event_field(event, "notificationType", 16)->choices, names);
}

static int set(const char *field, const char *value)
{
    return arda_notify_preferences_set_field(preferences, field, strlen(field), value,
                                             strlen(value));
}

static unsigned resolve(const char *user, enum arda_notify_type type)
{
    return arda_notify_resolve(preferences, user, strlen(user), type, sources);
}

static void the_user_then_the_tenant_then_the_catalog_decides(void)
{
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_CREATED), 3);
    CHECK_INT(sources[ARDA_NOTIFY_IN_APP], ARDA_NOTIFY_BY_CATALOG);
    CHECK_INT(sources[ARDA_NOTIFY_EMAIL], ARDA_NOTIFY_BY_CATALOG);
    CHECK_INT(sources[ARDA_NOTIFY_WEBHOOK], ARDA_NOTIFY_BY_CATALOG);
    CHECK_INT(set("*:po_created:email", "0"), 0);
    CHECK_INT(set("*:po_created:webhook", "1"), 0);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_CREATED), 5);
    CHECK_INT(sources[ARDA_NOTIFY_IN_APP], ARDA_NOTIFY_BY_CATALOG);
    CHECK_INT(sources[ARDA_NOTIFY_EMAIL], ARDA_NOTIFY_BY_TENANT);
    CHECK_INT(sources[ARDA_NOTIFY_WEBHOOK], ARDA_NOTIFY_BY_TENANT);
    CHECK_INT(set("ann:po_created:email", "1"), 0);
    CHECK_INT(set("ann:po_created:in_app", "0"), 0);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_CREATED), 6);
    CHECK_INT(sources[ARDA_NOTIFY_IN_APP], ARDA_NOTIFY_BY_USER);
    CHECK_INT(sources[ARDA_NOTIFY_EMAIL], ARDA_NOTIFY_BY_USER);
    CHECK_INT(sources[ARDA_NOTIFY_WEBHOOK], ARDA_NOTIFY_BY_TENANT);
    CHECK_INT(resolve("bob", ARDA_NOTIFY_PO_CREATED), 5);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_SENT), 1);
    CHECK_INT(arda_notify_resolve(preferences, "ann", 3, ARDA_NOTIFY_PO_CREATED, NULL), 6);
    CHECK_STR(arda_notify_source_text(ARDA_NOTIFY_BY_TENANT), "the tenant's default");
}

static void the_last_of_two_settings_counts(void)
{
    CHECK_INT(set("ann:po_created:email", "0"), 0);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_CREATED), 4);
    CHECK_INT(set("*:po_created:webhook", "0"), 0);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_CREATED), 0);
}

static void fields_that_make_no_sense_change_nothing(void)
{
    static const char *const fields[] = {
        "",
        ":",
        "::",
        "ann:po_sent",
        "ann:po_sent:",
        "ann::email",
        ":po_sent:email",
        "ann:po_sent:sms",
        "ann:receiving_completed:email",
        "ann:po_sent:email:",
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        CHECK_INT(set(fields[i], "1"), BASE_ERR_SYNTAX);
    CHECK_INT(set("ann:po_sent:email", "2"), BASE_ERR_SYNTAX);
    CHECK_INT(set("ann:po_sent:email", "true"), BASE_ERR_SYNTAX);
    CHECK_INT(set("ann:po_sent:email", ""), BASE_ERR_SYNTAX);
    CHECK_INT(resolve("ann", ARDA_NOTIFY_PO_SENT), 1);
}

static void survives_failing_allocations(void)
{
    int refused = 0;
    for (long n = 1; n < 10; n++) {
        arda_notify_preferences_free(preferences);
        preferences = arda_notify_preferences_new();
        base_mem_fail(n, 1);
        int result = set("zoe:po_sent:email", "1");
        base_mem_fail(0, 0);
        refused += result == BASE_ERR_NOMEM;
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK_INT(resolve("zoe", ARDA_NOTIFY_PO_SENT), result ? 1 : 3);
    }
    CHECK(refused > 0);
    base_mem_fail(1, 1);
    CHECK(arda_notify_preferences_new() == NULL);
    base_mem_fail(0, 0);
}

int main(void)
{
    preferences = arda_notify_preferences_new();
    RUN(defaults_are_those_of_the_catalog);
    RUN(names_are_found_whole);
    RUN(the_table_of_events_has_the_same_types);
    RUN(the_user_then_the_tenant_then_the_catalog_decides);
    RUN(the_last_of_two_settings_counts);
    RUN(fields_that_make_no_sense_change_nothing);
    RUN(survives_failing_allocations);
    arda_notify_preferences_free(preferences);
    return test_end();
}
