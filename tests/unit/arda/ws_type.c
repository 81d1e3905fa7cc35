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
        {"{\"type\":\"order.created\",\"orderType\":\"work_order\"}", "(none)"},
        {"{\"type\":\"order.created\",\"orderType\":\"transfer_order\"}", "(none)"},
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

static void the_planned_row_is_there_and_leads_nowhere(void)
{
    size_t planned = 0, count = 0;
    for (const struct arda_ws_row *row = arda_ws_rows; row->ws_type; row++, count++) {
        planned += row->planned;
        CHECK(row->planned == (row->type == NULL));
        CHECK(row->planned == (strcmp(row->ws_type, "inventory:updated") == 0));
        CHECK((row->field == NULL) == (row->value == NULL));
    }
    CHECK_INT(planned, 1);
    CHECK_INT(count, 9);
    CHECK_STR(ws_type("{\"type\":\"inventory.updated\"}"), "(none)");
    CHECK_STR(ws_type("{\"type\":\"inventory:updated\"}"), "(none)");
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
    RUN(the_planned_row_is_there_and_leads_nowhere);
    RUN(odd_events);
    RUN(escapes_mean_what_they_stand_for);
    return test_end();
}
