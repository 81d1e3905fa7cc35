/* SPDX-License-Identifier: ISC */
#include "arda/ws_type.h"

#include "lib/test.h"

static const char *ws_type(const char *text)
{
    struct base_json_value event;
    CHECK_INT(base_json_check(text, strlen(text), &event, NULL), 0);
    const char *name = arda_ws_type(&event);
    return name ? name : "(none)";
}

/* The table of the catalog's section 5, told apart by what each of its rows says. */
static void every_row_of_the_catalog(void)
{
    static const struct {
        const char *event, *ws_type;
    } rows[] = {
        {"{\"type\":\"card.transition\",\"toStage\":\"triggered\"}", "card:triggered"},
        {"{\"type\":\"card.transition\",\"toStage\":\"created\"}", "card:stage_changed"},
        {"{\"type\":\"card.transition\",\"toStage\":\"ordered\"}", "card:stage_changed"},
        {"{\"type\":\"card.transition\",\"toStage\":\"in_transit\"}", "card:stage_changed"},
        {"{\"type\":\"card.transition\",\"toStage\":\"received\"}", "card:stage_changed"},
        {"{\"type\":\"card.transition\",\"toStage\":\"restocked\"}", "card:stage_changed"},
        {"{\"type\":\"order.created\",\"orderType\":\"purchase_order\"}", "po:status_changed"},
        {"{\"type\":\"order.status_changed\",\"orderType\":\"purchase_order\"}",
         "po:status_changed"},
        {"{\"type\":\"order.status_changed\",\"orderType\":\"work_order\"}", "wo:status_changed"},
        {"{\"type\":\"order.status_changed\",\"orderType\":\"transfer_order\"}",
         "transfer:status_changed"},
        {"{\"type\":\"notification.created\"}", "notification:new"},
        {"{\"type\":\"relowisa.recommendation\"}", "relowisa:recommendation"},
        {"{\"type\":\"loop.parameters_changed\"}", "(none)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(ws_type(rows[i].event), rows[i].ws_type);
}

/* What services publish besides: the table of what their gateway tells web clients. */
static void every_row_behind_the_catalogs(void)
{
    static const struct {
        const char *event, *ws_type;
    } rows[] = {
        {"{\"type\":\"lifecycle.transition\",\"toStage\":\"triggered\"}", "card:triggered"},
        {"{\"type\":\"lifecycle.transition\",\"toStage\":\"ordered\"}", "card:stage_changed"},
        {"{\"type\":\"order.created\",\"orderType\":\"work_order\"}", "wo:status_changed"},
        {"{\"type\":\"order.created\",\"orderType\":\"transfer_order\"}",
         "transfer:status_changed"},
        {"{\"type\":\"order.created\",\"orderType\":\"sales_order\"}", "so:status_changed"},
        {"{\"type\":\"order.created\",\"orderType\":\"other\"}", "(none)"},
        {"{\"type\":\"order.status_changed\",\"orderType\":\"sales_order\"}", "so:status_changed"},
        {"{\"type\":\"order.status_changed\",\"orderType\":\"other\"}", "(none)"},
        {"{\"type\":\"order.status_changed\"}", "(none)"},
        {"{\"type\":\"sales_order.approved\"}", "so:status_changed"},
        {"{\"type\":\"sales_order.cancelled\"}", "so:status_changed"},
        {"{\"type\":\"demand_signal.created\"}", "demand_signal:created"},
        {"{\"type\":\"production.step_completed\"}", "wo:step_completed"},
        {"{\"type\":\"production.quantity_reported\"}", "wo:quantity_reported"},
        {"{\"type\":\"production.expedite\"}", "wo:expedited"},
        {"{\"type\":\"production.hold\"}", "wo:held"},
        {"{\"type\":\"production.resume\"}", "wo:resumed"},
        {"{\"type\":\"receiving.completed\"}", "receiving:completed"},
        {"{\"type\":\"receiving.exception_created\"}", "receiving:exception_created"},
        {"{\"type\":\"receiving.exception_resolved\"}", "receiving:exception_resolved"},
        {"{\"type\":\"automation.po_created\"}", "automation:po_created"},
        {"{\"type\":\"automation.to_created\"}", "automation:to_created"},
        {"{\"type\":\"automation.email_dispatched\"}", "automation:email_dispatched"},
        {"{\"type\":\"automation.shopping_list_item_added\"}",
         "automation:shopping_list_item_added"},
        {"{\"type\":\"automation.card_stage_changed\"}", "automation:card_stage_changed"},
        {"{\"type\":\"automation.escalated\"}", "automation:escalated"},
        {"{\"type\":\"kpi.refreshed\"}", "kpi:refreshed"},
        {"{\"type\":\"audit.created\"}", "audit:created"},
        {"{\"type\":\"user.activity\"}", "user:activity"},
        {"{\"type\":\"inventory:updated\"}", "inventory:updated"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(ws_type(rows[i].event), rows[i].ws_type);
}

static void these_are_not_sent(void)
{
    static const char *const types[] = {
        "loop.parameters_changed",    "queue.risk_detected",    "lifecycle.transition_rejected",
        "lifecycle.cycle_complete",   "lifecycle.queue_entry",  "lifecycle.order_linked",
        "production.split",           "production.rework",      "scan.conflict_detected",
        "order.email_draft_created",  "order.email_sent",       "order.issue_created",
        "order.issue_status_changed", "security.token.revoked", "security.auth.login_failed",
        "inventory.updated",          "card:triggered",         ""};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char event[128];
        snprintf(event, sizeof event, "{\"type\":\"%s\",\"toStage\":\"triggered\"}", types[i]);
        CHECK_STR(ws_type(event), "(none)");
    }
}

/* The catalog's rows come first, and none hides one behind it. */
static void the_table_is_in_order(void)
{
    size_t count = 0, catalog = 0;
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++, count++) {
        CHECK((row->field == NULL) == (row->value == NULL));
        CHECK(!row->catalog || catalog == count);
        catalog += row->catalog;
        for (const struct arda_ws_row *before = arda_ws_rows; before < row; before++)
            CHECK(strcmp(before->type, row->type) != 0 ||
                  (before->field && (!row->value || strcmp(before->value, row->value) != 0)));
    }
    CHECK_INT(catalog, 9);
    CHECK_INT(count, 35);
}

static void odd_events(void)
{
    CHECK_STR(ws_type("{}"), "(none)");
    CHECK_STR(ws_type("[]"), "(none)");
    CHECK_STR(ws_type("{\"type\":null}"), "(none)");
    CHECK_STR(ws_type("{\"type\":\"card.transition.v2\"}"), "(none)");
    CHECK_STR(ws_type("{\"type\":\"Card.transition\"}"), "(none)");
    CHECK_STR(ws_type("{\"type\":\"card.transition\"}"), "card:stage_changed");
    CHECK_STR(ws_type("{\"type\":\"card.transition\",\"toStage\":[\"triggered\"]}"),
              "card:stage_changed");
    CHECK_STR(ws_type("{\"type\":\"order.status_changed\",\"orderType\":7}"), "(none)");
    CHECK_STR(ws_type("{\"type\":\"x\",\"event\":{\"type\":\"notification.created\"}}"), "(none)");
}

static void escapes_mean_what_they_stand_for(void)
{
    CHECK_STR(ws_type("{\"t\\u0079pe\":\"card\\u002etransition\",\"to\\u0053tage\":"
                      "\"tri\\u0067gered\"}"),
              "card:triggered");
    CHECK_STR(ws_type("{\"type\":\"x\",\"type\":\"notification.created\"}"), "notification:new");
}

int main(void)
{
    RUN(every_row_of_the_catalog);
    RUN(every_row_behind_the_catalogs);
    RUN(these_are_not_sent);
    RUN(the_table_is_in_order);
    RUN(odd_events);
    RUN(escapes_mean_what_they_stand_for);
    return test_end();
}
