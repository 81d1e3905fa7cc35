/* SPDX-License-Identifier: ISC */
#include "arda/record/template.h"

#include "base/mem.h"
#include "lib/test.h"

static const char wrapped[] =
    "{\"id\":\"i1\",\"schemaVersion\":1,\"source\":\"kanban\",\"correlationId\":\"c1\","
    "\"timestamp\":\"2026-02-08T12:00:01.000Z\",\"replayed\":true,\"event\":{\"type\":"
    "\"card.transition\",\"tenantId\":\"t\",\"toStage\":\"triggered\",\"fromStage\":null,\"n\":1."
    "50,"
    "\"note\":\"a\\tb\\u001b[0m\",\"payload\":{\"list\":[\"x\",{\"y z\":\n2}],\"a}b\":\"brace\"}}}";
static const char bare[] = "{\"type\":\"x\",\"correlationId\":\"own\",\"timestamp\":\"then\"}";

static void check(const char *text, const char *template_text, const char *want)
{
    struct arda_template *form;
    struct arda_message message;
    struct base_buf out = BASE_BUF_INIT;
    struct base_why why = {0, ""};
    CHECK_INT(arda_message_parse(text, strlen(text), NULL, 0, &message, NULL), ARDA_DROP_NONE);
    struct arda_record record = arda_record_of(&message, (struct arda_stream_id){5, 6},
                                               (struct base_slice){"arda:events:t", 13});
    CHECK_INT(arda_template_new(template_text, &form, &why), 0);
    CHECK_STR(why.text, "");
    if (!form)
        return;
    CHECK_INT(arda_template_write(form, &out, &record), 0);
    CHECK_INT(out.data[out.len - 1], '\n');
    CHECK_BYTES(out.data, out.len - 1, want);
    arda_template_free(form);
    base_buf_fini(&out);
}

static void every_name(void)
{
    check(wrapped, "%{type}", "card.transition");
    check(wrapped, "%{tenantId}", "t");
    check(wrapped, "%{timestamp}", "2026-02-08T12:00:01.000Z");
    check(wrapped, "%{id}", "i1");
    check(wrapped, "%{position}", "5-6");
    check(wrapped, "%{channel}", "arda:events:t");
    check(wrapped, "%{source}", "kanban");
    check(wrapped, "%{correlationId}", "c1");
    check(wrapped, "%{wsType}", "card:triggered");
    check(bare, "%{event}", bare);
    check(wrapped, "%{envelope.event.type}", "card.transition");
    check("{\"k\":\n1,\"event\":{\"type\":\"x\"}}", "%{envelope}",
          "{\"k\": 1,\"event\":{\"type\":\"x\"}}");
}

static void what_is_absent_is_empty(void)
{
    check(bare, "[%{tenantId}%{id}%{source}%{wsType}%{envelope}%{envelope.source}%{event.no.no}]",
          "[]");
    check("{\"type\":\"x\"}", "[%{timestamp}%{correlationId}]", "[]");
    check(bare, "%{timestamp} %{correlationId}", "then own");
}

static void paths(void)
{
    check(wrapped, "%{event.toStage} %{event.n} %{event.fromStage}", "triggered 1.50 null");
    check(wrapped, "%{event.payload.list.0}", "x");
    check(wrapped, "%{event.payload.list.1.y z}", "2");
    check(wrapped, "%{event.payload.list}", "[\"x\",{\"y z\": 2}]");
    check(wrapped, "%{event.payload.a\\}b}", "brace");
    check(wrapped, "%{envelope.replayed} %{envelope.schemaVersion}", "true 1");
    check(wrapped, "%{event.toStage}%{event.toStage}", "triggeredtriggered");
}

static void text_between(void)
{
    check(bare, "", "");
    check(bare, "100%% of %{type}", "100% of x");
    check(bare, "%%{type}", "%{type}");
    check(bare, "a\\tb\\nc\\rd\\\\e", "a\tb\nc\rd\\e");
    check(bare, "{%{type}}", "{x}");
    check(bare, "\u00fc %{type} \u00fc", "\u00fc x \u00fc");
}

static void values_cannot_break_the_line_or_the_terminal(void)
{
    check(wrapped, "%{event.note}", "a\\tb\\u001b[0m");
}

static void errors_name_the_column(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"%", "column 1: expected %{NAME} or %%"},
        {"ab%s", "column 3: expected %{NAME} or %%"},
        {"\u00fc\u00fc%d", "column 3: expected %{NAME} or %%"},
        {"a %{type", "column 3: %{ without }"},
        {"a %{type\\}", "column 3: %{ without }"},
        {"a\\q", "column 2: expected \\n, \\t, \\r or \\\\"},
        {"a\\", "column 2: expected \\n, \\t, \\r or \\\\"},
        {"%{event.}", "column 9: expected a name in a path"},
        {"%{event..a}", "column 9: expected a name in a path"},
        {"%{event.a.}", "column 11: expected a name in a path"},
        {"%{event.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q}", "column 41: too many names in a path"},
    };
    static const char *const names[] = {"%{}",        "%{typ}",      "%{types}", "%{Type}",
                                        "%{orderId}", "%{type.x}",   "%{ type}", "%{wsType.a}",
                                        "%{eventId}", "%{envelop.x}"};
    struct arda_template *form;
    struct base_why why;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(arda_template_new(rows[i].text, &form, &why), BASE_ERR_INVALID);
        CHECK_STR(why.text, rows[i].want);
        CHECK(form == NULL);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_INT(arda_template_new(names[i], &form, &why), BASE_ERR_INVALID);
        CHECK_STR(why.text,
                  "column 3: expected type, tenantId, timestamp, id, position, channel, source, "
                  "correlationId, wsType, event, envelope, event.FIELD or envelope.FIELD");
    }
}

static void memory_may_be_short(void)
{
    struct arda_message message;
    int result = BASE_ERR_NOMEM;
    CHECK_INT(arda_message_parse(wrapped, sizeof wrapped - 1, NULL, 0, &message, NULL),
              ARDA_DROP_NONE);
    struct arda_record record =
        arda_record_of(&message, (struct arda_stream_id){0, 0}, (struct base_slice){NULL, 0});
    for (long n = 1; result && n < 200; n++) {
        struct arda_template *form;
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "before"), 0);
        base_mem_fail(n, 1);
        result = arda_template_new("a\\t%{event.note}b%{correlationId}%{envelope.event.a}%{event}",
                                   &form, NULL);
        CHECK((result == 0) == (form != NULL));
        if (!result)
            result = arda_template_write(form, &out, &record);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && out.len == 6));
        arda_template_free(form);
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
    arda_template_free(NULL);
}

int main(void)
{
    RUN(every_name);
    RUN(what_is_absent_is_empty);
    RUN(paths);
    RUN(text_between);
    RUN(values_cannot_break_the_line_or_the_terminal);
    RUN(errors_name_the_column);
    RUN(memory_may_be_short);
    return test_end();
}
