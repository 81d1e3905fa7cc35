/* SPDX-License-Identifier: ISC */
#include "arda/filter.h"

#include "base/mem.h"
#include "lib/test.h"

static const char event[] =
    "{\"type\":\"card.transition\",\"tenantId\":\"t\",\"cardId\":\"c1\",\"loopId\":\"l1\","
    "\"toStage\":\"triggered\",\"fromStage\":null,\"userId\":\"u\\u0031\",\"n\":1.50,\"yes\":true,"
    "\"empty\":\"\",\"payload\":{\"x\":1,\"deep\":{\"y\":\"a=b\"}},\"list\":[\"p\",{\"q\":\"r\"}],"
    "\"a.b\":\"dotted\",\"no!\":\"bang\"}";
static const char order[] =
    "{\"type\":\"order.created\",\"orderId\":\"o1\",\"orderNumber\":\"PO-0001\","
    "\"linkedCardIds\":[\"c8\",7,\"c9\"],\"correlationId\":\"own\"}";

#define MAX_VALUES 8

/* Whether the text passes a filter: the values of one criterion after its name, "--type=a" style,
 * up to a NULL. */
static int passes(const char *text, const char *const *arguments)
{
    static const char *const names[] = {"type", "loop",        "card", "order",
                                        "user", "correlation", "match"};
    const char *values[7][MAX_VALUES];
    struct arda_filter_options options = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},
                                          {NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct arda_filter_values *lists[] = {&options.type,  &options.loop, &options.card,
                                          &options.order, &options.user, &options.correlation,
                                          &options.match};
    for (; *arguments; arguments++)
        for (size_t i = 0; i < 7; i++) {
            size_t len = strlen(names[i]);
            if (strncmp(*arguments, names[i], len) == 0 && (*arguments)[len] == '=') {
                values[i][lists[i]->count++] = *arguments + len + 1;
                lists[i]->items = values[i];
            }
        }
    struct arda_filter *filter;
    struct arda_message message;
    struct base_why why;
    int failed = arda_filter_new(&options, &filter, &why);
    if (failed) {
        printf("# %s\n", why.text);
        return failed;
    }
    CHECK_INT(arda_message_parse(text, strlen(text), NULL, 0, &message, NULL), ARDA_DROP_NONE);
    int result = arda_filter_match(filter, &message);
    CHECK_INT(arda_filter_match(filter, &message), result);
    arda_filter_free(filter);
    return result;
}

#define PASSES(text, ...) passes(text, (const char *const[]){__VA_ARGS__, NULL})

static void without_criteria_everything_passes(void)
{
    CHECK_INT(passes(event, (const char *const[]){NULL}), 1);
    CHECK_INT(passes("{\"type\":\"\"}", (const char *const[]){NULL}), 1);
}

static void types_are_patterns(void)
{
    CHECK_INT(PASSES(event, "type=card.transition"), 1);
    CHECK_INT(PASSES(event, "type=card"), 0);
    CHECK_INT(PASSES(event, "type=card.transition.v2"), 0);
    CHECK_INT(PASSES(event, "type=card.*"), 1);
    CHECK_INT(PASSES(event, "type=order.*"), 0);
    CHECK_INT(PASSES(event, "type=*"), 1);
    CHECK_INT(PASSES(event, "type=*.transition"), 1);
    CHECK_INT(PASSES(event, "type=c?rd.[a-t]*"), 1);
    CHECK_INT(PASSES(event, "type=card\\.transition"), 1);
    CHECK_INT(PASSES(event, "type=Card.*"), 0);
    CHECK_INT(PASSES(event, "type=order.*", "type=card.*"), 1);
    CHECK_INT(PASSES("{\"type\":\"a/b.c\"}", "type=a*c"), 1);
    CHECK_INT(PASSES("{\"type\":\"\"}", "type=*"), 1);
    CHECK_INT(PASSES("{\"type\":\"\"}", "type="), 1);
    CHECK_INT(PASSES(event, "type="), 0);
}

static void odd_types(void)
{
    char text[600], name[500];
    CHECK_INT(PASSES("{\"type\":\"c\\u0061rd\"}", "type=card"), 1);
    CHECK_INT(PASSES("{\"type\":\"c\\u0061rd\"}", "type=*rd"), 1);
    CHECK_INT(PASSES("{\"type\":\"\\ud800\"}", "type=*"), 0);
    CHECK_INT(PASSES("{\"type\":\"a\\u0000b\"}", "type=a"), 0);
    CHECK_INT(PASSES("{\"type\":\"a\\u0000b\"}", "type=a*"), 0);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "{\"type\":\"%s.end\"}", name);
    CHECK_INT(PASSES(text, "type=x*"), 1);
    CHECK_INT(PASSES(text, "type=*.end"), 1);
    CHECK_INT(PASSES(text, "type=*.and"), 0);
}

static void identifiers(void)
{
    CHECK_INT(PASSES(event, "loop=l1"), 1);
    CHECK_INT(PASSES(event, "loop=l2"), 0);
    CHECK_INT(PASSES(event, "loop=l2", "loop=l1"), 1);
    CHECK_INT(PASSES(event, "loop=l"), 0);
    CHECK_INT(PASSES(order, "loop=l1"), 0);
    CHECK_INT(PASSES(event, "card=c1"), 1);
    CHECK_INT(PASSES(order, "card=c9"), 1);
    CHECK_INT(PASSES(order, "card=c8"), 1);
    CHECK_INT(PASSES(order, "card=7"), 0);
    CHECK_INT(PASSES(order, "card=c1"), 0);
    CHECK_INT(PASSES("{\"type\":\"x\",\"linkedCardIds\":\"c9\"}", "card=c9"), 0);
    CHECK_INT(PASSES(order, "order=o1"), 1);
    CHECK_INT(PASSES(order, "order=PO-0001"), 1);
    CHECK_INT(PASSES(order, "order=PO-0002"), 0);
    CHECK_INT(PASSES(event, "user=u1"), 1);
    CHECK_INT(PASSES(event, "user=u2"), 0);
}

static void all_criteria_must_agree(void)
{
    CHECK_INT(PASSES(event, "type=card.*", "loop=l1", "card=c1", "user=u1", "match=yes=true"), 1);
    CHECK_INT(PASSES(event, "type=card.*", "loop=l2"), 0);
    CHECK_INT(PASSES(event, "type=order.*", "loop=l1"), 0);
    CHECK_INT(PASSES(event, "card=c1", "user=u2"), 0);
    CHECK_INT(PASSES(event, "card=c1", "match=yes=false"), 0);
}

static void correlations(void)
{
    static const char wrapped[] =
        "{\"correlationId\":\"outer\",\"event\":{\"type\":\"x\",\"correlationId\":\"own\"}}";
    CHECK_INT(PASSES(wrapped, "correlation=outer"), 1);
    CHECK_INT(PASSES(wrapped, "correlation=own"), 0);
    CHECK_INT(PASSES(order, "correlation=own"), 1);
    CHECK_INT(PASSES(order, "correlation=other"), 0);
    CHECK_INT(PASSES(event, "correlation=own"), 0);
    CHECK_INT(PASSES("{\"event\":{\"type\":\"x\",\"correlationId\":\"own\"}}", "correlation=own"),
              1);
}

static void fields(void)
{
    static const struct {
        const char *match;
        int result;
    } rows[] = {
        {"toStage=triggered", 1},
        {"toStage=trigger", 0},
        {"toStage=", 0},
        {"userId=u1", 1},
        {"n=1.50", 1},
        {"n=1.5", 0},
        {"yes=true", 1},
        {"yes=1", 0},
        {"fromStage=null", 1},
        {"fromStage=", 0},
        {"empty=", 1},
        {"empty=x", 0},
        {"missing=", 0},
        {"missing=x", 0},
        {"payload.x=1", 1},
        {"payload.deep.y=a=b", 1},
        {"payload.x.y=1", 0},
        {"payload={\"x\":1}", 0},
        {"payload.deep={\"y\":\"a=b\"}", 1},
        {"list.0=p", 1},
        {"list.1.q=r", 1},
        {"list.2=", 0},
        {"a\\.b=dotted", 1},
        {"a.b=dotted", 0},
        {"no\\!=bang", 1},
        {"toStage!=triggered", 0},
        {"toStage!=ordered", 1},
        {"missing!=x", 1},
        {"n!=2", 1},
        {"empty!=", 0},
        {"payload.x!=1", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char argument[64];
        snprintf(argument, sizeof argument, "match=%s", rows[i].match);
        int result = PASSES(event, argument);
        if (result != rows[i].result)
            printf("# %s\n", argument);
        CHECK_INT(result, rows[i].result);
    }
}

static void several_fields(void)
{
    CHECK_INT(PASSES(event, "match=toStage=ordered", "match=toStage=triggered"), 1);
    CHECK_INT(PASSES(event, "match=toStage=ordered", "match=toStage=received"), 0);
    CHECK_INT(PASSES(event, "match=toStage=triggered", "match=yes=true"), 1);
    CHECK_INT(PASSES(event, "match=toStage=triggered", "match=yes=false"), 0);
    CHECK_INT(PASSES(event, "match=yes=false", "match=toStage=triggered", "match=yes=true"), 1);
    CHECK_INT(PASSES(event, "match=payload.x=2", "match=payload.deep.y=a=b", "match=payload.x=1"),
              1);
    CHECK_INT(PASSES(event, "match=toStage!=ordered", "match=toStage!=received"), 1);
    CHECK_INT(PASSES(event, "match=toStage!=ordered", "match=toStage!=triggered"), 0);
    CHECK_INT(PASSES(event, "match=toStage!=ordered", "match=toStage=triggered"), 1);
}

static void check_refused(struct arda_filter_options options, const char *want)
{
    struct arda_filter *filter;
    struct base_why why = {0, ""};
    CHECK_INT(arda_filter_new(&options, &filter, &why), BASE_ERR_INVALID);
    CHECK(filter == NULL);
    CHECK_STR(why.text, want);
}

static void misuse_is_named(void)
{
    static const char *const none[] = {""}, *const bare[] = {"a=1", "x"},
                             *const path[] = {"a..b=1"}, *const empty[] = {"=1"},
                             *const bang[] = {"!=1"}, *const slash[] = {"a\\=1"};
    check_refused((struct arda_filter_options){.loop = {none, 1}},
                  "--loop: expected an identifier, got `'");
    check_refused((struct arda_filter_options){.correlation = {none, 1}},
                  "--correlation: expected an identifier, got `'");
    check_refused((struct arda_filter_options){.match = {bare, 2}},
                  "--match: expected FIELD=VALUE, got `x'");
    check_refused((struct arda_filter_options){.match = {none, 1}},
                  "--match: expected FIELD=VALUE, got `'");
    check_refused((struct arda_filter_options){.match = {slash, 1}},
                  "--match: expected FIELD=VALUE, got `a\\=1'");
    check_refused((struct arda_filter_options){.match = {path, 1}},
                  "--match: `a..b' is no path to a field");
    check_refused((struct arda_filter_options){.match = {empty, 1}},
                  "--match: `' is no path to a field");
    check_refused((struct arda_filter_options){.match = {bang, 1}},
                  "--match: `' is no path to a field");
}

static void matching_does_not_allocate(void)
{
    static const char *const globs[] = {"*.transition"}, *const cards[] = {"c1"},
                             *const rules[] = {"payload.deep.y=a=b"};
    struct arda_filter_options options = {
        .type = {globs, 1}, .card = {cards, 1}, .match = {rules, 1}};
    struct arda_filter *filter;
    struct arda_message message;
    CHECK_INT(arda_filter_new(&options, &filter, NULL), 0);
    CHECK_INT(arda_message_parse(event, strlen(event), NULL, 0, &message, NULL), ARDA_DROP_NONE);
    base_mem_fail(0, 0);
    CHECK_INT(arda_filter_match(filter, &message), 1);
    CHECK_INT(base_mem_tries(), 0);
    arda_filter_free(filter);
    arda_filter_free(NULL);
}

static void memory_may_be_short(void)
{
    static const char *const globs[] = {"c*"}, *const ids[] = {"c1", "c2"},
                             *const rules[] = {"cardId=c1", "b.c=2"};
    static const char text[] = "{\"type\":\"c\\u0061rd\",\"cardId\":\"c1\",\"b\":{\"c\":2}}";
    struct arda_filter_options options = {
        .type = {globs, 1}, .card = {ids, 2}, .match = {rules, 2}};
    struct arda_message message;
    int result = BASE_ERR_NOMEM;
    CHECK_INT(arda_message_parse(text, strlen(text), NULL, 0, &message, NULL), ARDA_DROP_NONE);
    for (long n = 1; result == BASE_ERR_NOMEM && n < 100; n++) {
        struct arda_filter *filter;
        base_mem_fail(n, 1);
        result = arda_filter_new(&options, &filter, NULL);
        CHECK(!result == (filter != NULL));
        if (filter)
            result = arda_filter_match(filter, &message);
        base_mem_fail(0, 0);
        arda_filter_free(filter);
    }
    CHECK_INT(result, 1);
}

int main(void)
{
    RUN(without_criteria_everything_passes);
    RUN(types_are_patterns);
    RUN(odd_types);
    RUN(identifiers);
    RUN(all_criteria_must_agree);
    RUN(correlations);
    RUN(fields);
    RUN(several_fields);
    RUN(misuse_is_named);
    RUN(matching_does_not_allocate);
    RUN(memory_may_be_short);
    return test_end();
}
