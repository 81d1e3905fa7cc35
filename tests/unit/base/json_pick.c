/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "base/json.h"
#include "lib/test.h"

/* The text of the member `key`; NULL when there is none. */
static const char *picked(const char *text, const char *key, char out[static 128])
{
    struct base_json_member member = {key, strlen(key), {BASE_JSON_NULL, "junk", 4}};
    CHECK_INT(base_json_pick(text, strlen(text), &member, 1, NULL, NULL), 0);
    if (member.value.kind == BASE_JSON_ABSENT) {
        CHECK(member.value.text == NULL && member.value.len == 0);
        return "(absent)";
    }
    snprintf(out, 128, "%d:%.*s", (int)member.value.kind, (int)member.value.len, member.value.text);
    return out;
}

static void finds_every_kind(void)
{
    const char *text =
        " { \"n\" : null, \"f\":false ,\"t\": true,\"i\" : -1.5e3 , \"s\":\"x\\\"y\","
        "\"a\": [ 1, {\"s\":2} ] ,\"o\":{ \"n\":{} }, \"e\":[] , \"p\":{} } ";
    char out[128];
    CHECK_STR(picked(text, "n", out), "1:null");
    CHECK_STR(picked(text, "f", out), "2:false");
    CHECK_STR(picked(text, "t", out), "3:true");
    CHECK_STR(picked(text, "i", out), "4:-1.5e3");
    CHECK_STR(picked(text, "s", out), "5:\"x\\\"y\"");
    CHECK_STR(picked(text, "a", out), "6:[ 1, {\"s\":2} ]");
    CHECK_STR(picked(text, "o", out), "7:{ \"n\":{} }");
    CHECK_STR(picked(text, "e", out), "6:[]");
    CHECK_STR(picked(text, "p", out), "7:{}");
    CHECK_STR(picked(text, "x", out), "(absent)");
    CHECK_STR(picked("{}", "x", out), "(absent)");
}

static void looks_at_the_outermost_object_alone(void)
{
    char out[128];
    CHECK_STR(picked("{\"a\":{\"type\":1},\"b\":[{\"type\":2}]}", "type", out), "(absent)");
    CHECK_STR(picked("{\"a\":{\"type\":1},\"type\":2,\"b\":{\"type\":3}}", "type", out), "4:2");
}

static void the_last_of_duplicated_keys_counts(void)
{
    char out[128];
    CHECK_STR(picked("{\"a\":1,\"b\":0,\"a\":2}", "a", out), "4:2");
    CHECK_STR(picked("{\"a\":{\"x\":1},\"a\":2}", "a", out), "4:2");
    CHECK_STR(picked("{\"a\":2,\"a\":{\"a\":1}}", "a", out), "7:{\"a\":1}");
    CHECK_STR(picked("{\"a\":[1],\"a\":[2,[3]]}", "a", out), "6:[2,[3]]");
    CHECK_STR(picked("{\"a\":1,\"\\u0061\":null}", "a", out), "1:null");
    CHECK_STR(picked("{\"\\u0061\":1,\"a\":[]}", "a", out), "6:[]");
}

static void understands_escaped_keys(void)
{
    char out[128];
    CHECK_STR(picked("{\"\\u0074ype\":1}", "type", out), "4:1");
    CHECK_STR(picked("{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1}", "\"\\/\b\f\n\r\t", out), "4:1");
    CHECK_STR(picked("{\"\\ud83d\\ude00\":1}", "\xf0\x9f\x98\x80", out), "4:1");
    CHECK_STR(picked("{\"typ\\u0065x\":1}", "type", out), "(absent)");
    CHECK_STR(picked("{\"typ\\u0065\":1}", "typex", out), "(absent)");
    CHECK_STR(picked("{\"\":1}", "", out), "4:1");
    CHECK_STR(picked("{\"a\":1}", "", out), "(absent)");
}

static void odd_keys_are_keys(void)
{
    struct base_json_member nul[] = {BASE_JSON_WANT("a\0b"), BASE_JSON_WANT("a")};
    const char *text = "{\"a\\u0000b\":1,\"\\ud800\":2}";
    char out[128];
    CHECK_INT(base_json_pick(text, strlen(text), nul, 2, NULL, NULL), 0);
    CHECK_INT(nul[0].value.kind, BASE_JSON_NUMBER);
    CHECK_INT(nul[1].value.kind, BASE_JSON_ABSENT);
    /* A lone surrogate has no UTF-8 form, so no wanted key can be equal to it. */
    CHECK_STR(picked(text, "\xed\xa0\x80", out), "(absent)");
    CHECK_STR(picked("{\"\\ud800\":2}", "", out), "(absent)");
}

static void finds_several_in_one_pass(void)
{
    struct base_json_member members[] = {BASE_JSON_WANT("type"), BASE_JSON_WANT("event"),
                                         BASE_JSON_WANT("tenantId"), BASE_JSON_WANT("none")};
    const char *text =
        "\t{\"event\":{\"type\":\"x\"},\"tenantId\":\"t1\",\"type\":\"order.created\"}\n";
    struct base_json_value object;
    CHECK_INT(base_json_pick(text, strlen(text), members, 4, &object, NULL), 0);
    CHECK_BYTES(members[0].value.text, members[0].value.len, "\"order.created\"");
    CHECK_BYTES(members[1].value.text, members[1].value.len, "{\"type\":\"x\"}");
    CHECK_BYTES(members[2].value.text, members[2].value.len, "\"t1\"");
    CHECK_INT(members[3].value.kind, BASE_JSON_ABSENT);
    CHECK_INT(object.kind, BASE_JSON_OBJECT);
    CHECK(object.text == text + 1 && object.len == strlen(text) - 2);
}

static void refuses_what_is_no_object(void)
{
    static const char *const texts[] = {"[]", " [{\"a\":1}]", "[{\"a\":{}},{}]", "\"a\"",
                                        "1",  "null"};
    struct base_json_error error;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct base_json_member member = BASE_JSON_WANT("a");
        CHECK_INT(base_json_pick(texts[i], strlen(texts[i]), &member, 1, NULL, &error),
                  BASE_ERR_INVALID);
        CHECK_INT(member.value.kind, BASE_JSON_ABSENT);
        CHECK_INT(error.offset, strspn(texts[i], " "));
        CHECK_STR(error.text, "expected an object");
    }
}

static void refuses_what_is_no_json(void)
{
    static const char *const texts[] = {"",          "{", "{\"a\":1",        "{\"a\":1}x",
                                        "{\"a\":[}", "[", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct base_json_member member = BASE_JSON_WANT("a");
        CHECK_INT(base_json_pick(texts[i], strlen(texts[i]), &member, 1, NULL, NULL),
                  BASE_ERR_SYNTAX);
    }
}

int main(void)
{
    RUN(finds_every_kind);
    RUN(looks_at_the_outermost_object_alone);
    RUN(the_last_of_duplicated_keys_counts);
    RUN(understands_escaped_keys);
    RUN(odd_keys_are_keys);
    RUN(finds_several_in_one_pass);
    RUN(refuses_what_is_no_object);
    RUN(refuses_what_is_no_json);
    return test_end();
}
