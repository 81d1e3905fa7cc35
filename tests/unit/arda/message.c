/* SPDX-License-Identifier: ISC */
#include "arda/message.h"

#include "lib/test.h"

static struct arda_message message;

static enum arda_drop parse(const char *text, const char *tenant)
{
    return arda_message_parse(text, strlen(text), tenant, tenant ? strlen(tenant) : 0, &message,
                              NULL);
}

static void check_value(const struct base_json_value *value, const char *want)
{
    if (want)
        CHECK_BYTES(value->text, value->len, want);
    else
        CHECK_INT(value->kind, BASE_JSON_ABSENT);
}

static void reads_a_bare_event(void)
{
    static const char text[] = " {\"type\":\"card.transition\",\"tenantId\":\"t1\",\"eventId\":"
                               "\"e1\",\"timestamp\":\"now\",\"x\":1}\n";
    CHECK_INT(parse(text, "t1"), ARDA_DROP_NONE);
    CHECK_BYTES(message.text.data, message.text.len, text);
    CHECK(message.event.data == text + 1 && message.event.len == strlen(text) - 2);
    check_value(&message.type, "\"card.transition\"");
    CHECK_BYTES(message.tenant.data, message.tenant.len, "t1");
    check_value(&message.id, "\"e1\"");
    check_value(&message.timestamp, "\"now\"");
    check_value(&message.envelope, NULL);
}

static void reads_an_envelope(void)
{
    static const char text[] =
        "\t{\"id\":\"v1\",\"schemaVersion\":1,\"source\":\"s\",\"timestamp\":\"outer\",\"event\": "
        "{\"type\":\"a\",\"tenantId\":\"t1\",\"eventId\":\"e1\",\"timestamp\":\"inner\"} } ";
    CHECK_INT(parse(text, NULL), ARDA_DROP_NONE);
    CHECK_BYTES(message.event.data, message.event.len,
                "{\"type\":\"a\",\"tenantId\":\"t1\",\"eventId\":\"e1\",\"timestamp\":\"inner\"}");
    check_value(&message.type, "\"a\"");
    CHECK_BYTES(message.tenant.data, message.tenant.len, "t1");
    check_value(&message.id, "\"v1\"");
    check_value(&message.timestamp, "\"inner\"");
    CHECK(message.envelope.text == text + 1 && message.envelope.len == strlen(text) - 2);
}

/* An object with a string type is an event, whatever it has besides. */
static void the_form_is_told_by_the_type(void)
{
    CHECK_INT(parse("{\"type\":\"a\",\"event\":{\"type\":\"b\"}}", "t"), ARDA_DROP_NONE);
    check_value(&message.type, "\"a\"");
    check_value(&message.envelope, NULL);
    CHECK_INT(parse("{\"type\":7,\"event\":{\"type\":\"b\"}}", "t"), ARDA_DROP_NONE);
    check_value(&message.type, "\"b\"");
    CHECK_INT(parse("{\"event\":{\"event\":{\"type\":\"b\"}}}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"event\":\"type\"}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"event\":[{\"type\":\"b\"}]}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"event\":{\"type\":null}}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"type\":{}}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{}", "t"), ARDA_DROP_NO_TYPE);
    CHECK_INT(parse("{\"type\":\"\"}", "t"), ARDA_DROP_NONE);
}

static void an_id_is_a_string_with_something_in_it(void)
{
    static const struct {
        const char *text, *id;
    } rows[] = {
        {"{\"type\":\"a\"}", NULL},
        {"{\"type\":\"a\",\"eventId\":\"\"}", NULL},
        {"{\"type\":\"a\",\"eventId\":5}", NULL},
        {"{\"type\":\"a\",\"eventId\":null}", NULL},
        {"{\"type\":\"a\",\"id\":\"no\"}", NULL}, /* no envelope: not the event's id */
        {"{\"type\":\"a\",\"eventId\":\"e\"}", "\"e\""},
        {"{\"id\":\"v\",\"event\":{\"type\":\"a\"}}", "\"v\""},
        {"{\"id\":\"\",\"event\":{\"type\":\"a\",\"eventId\":\"e\"}}", "\"e\""},
        {"{\"id\":7,\"event\":{\"type\":\"a\",\"eventId\":\"e\"}}", "\"e\""},
        {"{\"eventId\":\"outer\",\"event\":{\"type\":\"a\"}}", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(parse(rows[i].text, "t"), ARDA_DROP_NONE);
        check_value(&message.id, rows[i].id);
    }
}

static void the_tenant_is_the_channels(void)
{
    static const struct {
        const char *member, *channel, *tenant; /* NULL: foreign */
    } rows[] = {
        {"", "t1", "t1"},
        {"", NULL, ""},
        {",\"tenantId\":\"\"", "t1", "t1"},
        {",\"tenantId\":\"\"", NULL, ""},
        {",\"tenantId\":\"t1\"", "t1", "t1"},
        {",\"tenantId\":\"\\u0074\\u0031\"", "t1", "t1"},
        {",\"tenantId\":\"t1\"", NULL, "t1"},
        {",\"tenantId\":\"t2\"", "t1", NULL},
        {",\"tenantId\":\"t\"", "t1", NULL},
        {",\"tenantId\":\"t11\"", "t1", NULL},
        {",\"tenantId\":\"T1\"", "t1", NULL},
        {",\"tenantId\":null", "t1", NULL},
        {",\"tenantId\":1", "t1", NULL},
        {",\"tenantId\":[\"t1\"]", "t1", NULL},
        {",\"tenantId\":\"global\"", NULL, NULL},
        {",\"tenantId\":\"a b\"", NULL, NULL},
        {",\"tenantId\":\"a:b\"", NULL, NULL},
        {",\"tenantId\":{}", NULL, NULL},
        {",\"tenantId\":\"t2\",\"tenantId\":\"t1\"", "t1", "t1"},
        {",\"tenantId\":\"t1\",\"tenantId\":\"t2\"", "t1", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        for (int wrapped = 0; wrapped < 2; wrapped++) {
            snprintf(text, sizeof text, "%s{\"type\":\"a\"%s}%s", wrapped ? "{\"event\":" : "",
                     rows[i].member, wrapped ? "}" : "");
            enum arda_drop drop = parse(text, rows[i].channel);
            if (drop != (rows[i].tenant ? ARDA_DROP_NONE : ARDA_DROP_FOREIGN_TENANT))
                printf("# %s\n", text);
            CHECK_INT(drop, rows[i].tenant ? ARDA_DROP_NONE : ARDA_DROP_FOREIGN_TENANT);
            if (rows[i].tenant)
                CHECK_BYTES(message.tenant.len ? message.tenant.data : "", message.tenant.len,
                            rows[i].tenant);
        }
    }
    /* What the envelope says of a tenant is not the event's. */
    CHECK_INT(parse("{\"tenantId\":\"t2\",\"event\":{\"type\":\"a\"}}", "t1"), ARDA_DROP_NONE);
    CHECK_BYTES(message.tenant.data, message.tenant.len, "t1");
}

static void drops_what_is_no_object(void)
{
    static const char *const others[] = {"null", "true", "5", "\"type\"", "[{\"type\":\"a\"}]"};
    static const char *const broken[] = {"",
                                         " ",
                                         "{\"type\":\"a\"",
                                         "{\"type\":\"a\"}}",
                                         "{\"type\":\"a\",}",
                                         "{'type':'a'}",
                                         "{\"type\":\"a\",\"x\":NaN}",
                                         "{\"type\":\"\xff\"}",
                                         "\xef\xbb\xbf{\"type\":\"a\"}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK_INT(parse(others[i], "t"), ARDA_DROP_NOT_OBJECT);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        CHECK_INT(parse(broken[i], "t"), ARDA_DROP_NOT_JSON);
    CHECK_INT(arda_message_parse("{\"type\":\"a\"}\0", 13, NULL, 0, &message, NULL),
              ARDA_DROP_NOT_JSON);
}

static void tells_where_the_json_is_broken(void)
{
    struct base_json_error error = {0, NULL};
    CHECK_INT(arda_message_parse("{\"type\":x}", 10, NULL, 0, &message, &error),
              ARDA_DROP_NOT_JSON);
    CHECK_INT(error.offset, 8);
    CHECK(error.text != NULL);
}

static void every_reason_has_a_name_and_a_text(void)
{
    for (int drop = ARDA_DROP_NONE + 1; drop < ARDA_DROP_COUNT; drop++) {
        CHECK(strcmp(arda_drop_name((enum arda_drop)drop), "none") != 0);
        CHECK(strcmp(arda_drop_text((enum arda_drop)drop), "nothing wrong") != 0);
        for (int other = ARDA_DROP_NONE; other < drop; other++)
            CHECK(strcmp(arda_drop_name((enum arda_drop)drop),
                         arda_drop_name((enum arda_drop)other)) != 0);
    }
    CHECK_STR(arda_drop_name(ARDA_DROP_FOREIGN_TENANT), "foreign_tenant");
    CHECK_STR(arda_drop_name(ARDA_DROP_NONE), "none");
    CHECK_STR(arda_drop_text(ARDA_DROP_NONE), "nothing wrong");
}

int main(void)
{
    RUN(reads_a_bare_event);
    RUN(reads_an_envelope);
    RUN(the_form_is_told_by_the_type);
    RUN(an_id_is_a_string_with_something_in_it);
    RUN(the_tenant_is_the_channels);
    RUN(drops_what_is_no_object);
    RUN(tells_where_the_json_is_broken);
    RUN(every_reason_has_a_name_and_a_text);
    return test_end();
}
