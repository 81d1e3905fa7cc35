/* SPDX-License-Identifier: ISC */
#include "arda/directory_line.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "lib/test.h"

static struct arda_directory_line line;
static struct base_why why;

static int parse(const char *text)
{
    why = (struct base_why){0, ""};
    return arda_directory_line_parse(text, strlen(text), &line, &why);
}

static void becomes(const char *text, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(parse(text), 0);
    CHECK_STR(why.text, "");
    CHECK_INT(arda_directory_line_write(&out, &line), 0);
    CHECK_BYTES(out.data, out.len, want);
    base_buf_fini(&out);
}

/* The canonical form is a fixed point. */
static void becomes_and_stays(const char *text, const char *want)
{
    becomes(text, want);
    becomes(want, want);
}

static void refuses(const char *text, const char *reason)
{
    CHECK_INT(parse(text), BASE_ERR_SYNTAX);
    CHECK_INT(why.code, BASE_ERR_SYNTAX);
    CHECK_STR(why.text, reason);
}

#define KINDS "digest, loop, preference, quiet, tenant, user, webhook"
#define USER  "{\"kind\":\"user\",\"tenantId\":\"t1\",\"userId\":\"u1\""
#define LOOP  "{\"kind\":\"loop\",\"tenantId\":\"t1\",\"loopId\":\"l1\""

static void loops_are_an_id(void)
{
    becomes_and_stays(" { \"loopId\" : \"l1\", \"tenantId\":\"t1\" ,\"kind\":\"loop\"} ", LOOP "}");
    CHECK_INT(line.kind, ARDA_DIRECTORY_LOOP);
    CHECK_STR(line.tenant, "t1");
    CHECK_STR(line.id, "l1");
    CHECK_INT(line.value.len, 0);
}

static void users_have_members_in_a_fixed_order(void)
{
    becomes_and_stays("{\"timeZone\":\"Europe/Berlin\",\"locale\":\"en\",\"name\":\"A B\","
                      "\"active\":false,\"email\":\"a@example.org\",\"userId\":\"u1\","
                      "\"tenantId\":\"t1\",\"kind\":\"user\"}",
                      USER ",\"email\":\"a@example.org\",\"active\":false,\"name\":\"A B\","
                           "\"locale\":\"en\",\"timeZone\":\"Europe/Berlin\"}");
    CHECK_INT(line.kind, ARDA_DIRECTORY_USER);
    CHECK_BYTES(line.value.data, line.value.len,
                "{\"email\":\"a@example.org\",\"active\":false,\"name\":\"A B\","
                "\"locale\":\"en\",\"timeZone\":\"Europe/Berlin\"}");
}

static void users_are_active_unless_they_say_no(void)
{
    becomes_and_stays(USER "}", USER ",\"active\":true}");
    becomes_and_stays(USER ",\"active\":true}", USER ",\"active\":true}");
    becomes_and_stays(USER ",\"active\":false}", USER ",\"active\":false}");
}

static void unknown_members_of_users_are_kept_as_they_came(void)
{
    becomes_and_stays(
        "{\"z\":[1,{\"b\":null,\"a\":1}],\"kind\":\"user\",\"tenantId\":\"t1\","
        "\"name\":\"\xc3\xa9\\u00e9\\\"\",\"a\":\"x\",\"userId\":\"u1\",\"n\":12345678901}",
        USER ",\"active\":true,\"name\":\"\xc3\xa9\\u00e9\\\"\","
             "\"z\":[1,{\"b\":null,\"a\":1}],\"a\":\"x\",\"n\":12345678901}");
    becomes_and_stays(USER ",\"weight\":1.10,\"far\":1e400,\"big\":123456789012345678901234567890}",
                      USER ",\"active\":true,\"weight\":1.10,\"far\":1e400,"
                           "\"big\":123456789012345678901234567890}");
    becomes_and_stays(USER ", \"a b\" : { \"x\" : [ 1 ,\t2 ] , \"y\" : \" \\\" \" } }",
                      USER ",\"active\":true,\"a b\":{\"x\":[1,2],\"y\":\" \\\" \"}}");
    becomes_and_stays(USER ",\"loopId\":\"mine\"}", USER ",\"active\":true,\"loopId\":\"mine\"}");
}

static void addresses_look_like_one(void)
{
    static const char *const fine[] = {"a@b", "first.last+tag@sub.example.org", "\xc3\xa9@b.c",
                                       "\\u0061@b"};
    static const char *const bad[] = {"\"\"", "\"a\"",     "\"@b\"",   "\"a@\"",     "5",
                                      "null", "\"a b@c\"", "\"a@b \"", "\"a@b\\n\"", "[\"a@b\"]"};
    char text[160], want[160];
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        snprintf(text, sizeof text, USER ",\"email\":\"%s\"}", fine[i]);
        CHECK_INT(parse(text), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, USER ",\"email\":%s}", bad[i]);
        snprintf(want, sizeof want, "email: expected an address, got %s", bad[i]);
        refuses(text, want);
    }
}

static void each_wrong_member_is_named(void)
{
    refuses(USER ",\"active\":\"yes\"}", "active: expected true or false, got \"yes\"");
    refuses(USER ",\"active\":null}", "active: expected true or false, got null");
    refuses(USER ",\"active\":1}", "active: expected true or false, got 1");
    refuses(USER ",\"name\":null}", "name: expected a string, got null");
    refuses(USER ",\"locale\":5}", "locale: expected a string such as \"en\", got 5");
    refuses(USER ",\"timeZone\":{}}",
            "timeZone: expected a time zone such as \"Europe/Berlin\", got {}");
    refuses(LOOP ",\"name\":\"x\"}", "name: unknown member of a loop");
    refuses(LOOP ",\"userId\":\"x\"}", "userId: unknown member of a loop");
}

static void kind_and_ids_are_needed(void)
{
    refuses("{}", "kind: missing");
    refuses("{\"kind\":\"order\"}", "kind: \"order\" is not one of " KINDS);
    refuses("{\"kind\":null}", "kind: null is not one of " KINDS);
    refuses("{\"kind\":\"User\"}", "kind: \"User\" is not one of " KINDS);
    refuses("{\"kind\":\"user\"}", "tenantId: missing");
    refuses("{\"kind\":\"user\",\"tenantId\":\"global\"}",
            "tenantId: expected the id of a tenant, got \"global\"");
    refuses("{\"kind\":\"user\",\"tenantId\":\"\"}",
            "tenantId: expected the id of a tenant, got \"\"");
    refuses("{\"kind\":\"user\",\"tenantId\":7}", "tenantId: expected the id of a tenant, got 7");
    refuses("{\"kind\":\"user\",\"tenantId\":\"t\",\"loopId\":\"l\"}", "userId: missing");
    refuses("{\"kind\":\"loop\",\"tenantId\":\"t\",\"userId\":\"u\"}", "loopId: missing");
    refuses("{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":\"a b\"}",
            "loopId: expected an id, got \"a b\"");
    refuses("{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":[]}",
            "loopId: expected an id, got []");
    CHECK_INT(parse("{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":\"global\"}"), 0);
}

static void ids_have_up_to_64_characters(void)
{
    char text[256], id[66];
    memset(id, 'i', sizeof id);
    id[65] = '\0';
    snprintf(text, sizeof text, "{\"kind\":\"loop\",\"tenantId\":\"%s\",\"loopId\":\"%s\"}", id + 1,
             id + 1);
    becomes("{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":\"l\"}",
            "{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":\"l\"}");
    CHECK_INT(parse(text), 0);
    CHECK_STR(line.id, id + 1);
    snprintf(text, sizeof text, "{\"kind\":\"loop\",\"tenantId\":\"t\",\"loopId\":\"%s\"}", id);
    CHECK_INT(parse(text), BASE_ERR_SYNTAX);
}

static void what_is_no_object_is_refused(void)
{
    static const char *const bad[] = {
        "", "{", "nope", USER "} x", USER ",\"name\":\"\xff\"}", USER ",\"name\":\"x}"};
    refuses("[]", "not a JSON object");
    refuses("null", "not a JSON object");
    refuses("\"user\"", "not a JSON object");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(parse(bad[i]), BASE_ERR_SYNTAX);
        CHECK(strncmp(why.text, "column ", 7) == 0);
    }
}

static void members_stand_once(void)
{
    char text[4096] = LOOP;
    refuses(USER ",\"userId\":\"u2\"}", "\"userId\": stands twice");
    refuses(USER ",\"x\":1,\"\\u0078\":2}", "\"x\": stands twice");
    refuses(USER ",\"\\ud800\":1}", "\"\\ud800\": no name for a member");
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), ",\"m%d\":%d", i, i);
    strcat(text, "}");
    refuses(text, "more than 100 members");
}

/* The shown part of a long value ends at a character's end. */
static void long_values_are_cut(void)
{
    char text[400] = USER ",\"email\":\"x";
    for (int i = 0; i < 60; i++)
        strcat(text, "\xe2\x82\xac");
    strcat(text, "\"}");
    CHECK_INT(parse(text), BASE_ERR_SYNTAX);
    CHECK(strlen(why.text) < 100);
    CHECK(base_utf8_valid(why.text, strlen(why.text)));
}

static void a_failed_line_leaves_nothing_behind(void)
{
    CHECK_INT(parse(USER ",\"name\":\"first\"}"), 0);
    CHECK_INT(parse(USER ",\"name\":5}"), BASE_ERR_SYNTAX);
    becomes(LOOP "}", LOOP "}");
    becomes(USER ",\"name\":\"x\"}", USER ",\"active\":true,\"name\":\"x\"}");
}

static void kinds_have_names(void)
{
    enum arda_directory_kind kind;
    CHECK_INT(arda_directory_kind_find("loop", &kind), 0);
    CHECK_INT(kind, ARDA_DIRECTORY_LOOP);
    CHECK_INT(arda_directory_kind_find("user", &kind), 0);
    CHECK_INT(kind, ARDA_DIRECTORY_USER);
    CHECK_STR(arda_directory_kind_name(kind), "user");
    CHECK_INT(arda_directory_kind_find("users", &kind), BASE_ERR_NOTFOUND);
    CHECK_INT(arda_directory_kind_find("", &kind), BASE_ERR_NOTFOUND);
}

/* ---- what Redis holds ---- */

static int set_value(const char *text)
{
    why = (struct base_why){0, ""};
    return arda_directory_line_set_value(&line, text, strlen(text), &why);
}

static void values_of_redis_become_canonical(void)
{
    CHECK_INT(parse(USER "}"), 0);
    CHECK_INT(set_value("{\"name\":\"n\",\"x\":1,\"email\":\"a@b\"}"), 0);
    CHECK_BYTES(line.value.data, line.value.len,
                "{\"email\":\"a@b\",\"active\":true,\"name\":\"n\",\"x\":1}");
    CHECK_INT(set_value(""), 0);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":true}");
    CHECK_INT(set_value("{}"), 0);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":true}");
    CHECK_INT(set_value("{\"email\":1}"), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "email: expected an address, got 1");
    CHECK_INT(set_value("1"), BASE_ERR_SYNTAX);
    CHECK_INT(set_value("x"), BASE_ERR_SYNTAX);
}

/* Another writer may have put kind and ids into the value; the line has them already. */
static void a_line_names_kind_and_ids_once(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(parse(USER "}"), 0);
    CHECK_INT(set_value("{\"userId\":\"u1\",\"tenantId\":\"t1\",\"kind\":\"user\",\"x\":1}"), 0);
    CHECK_INT(arda_directory_line_write(&out, &line), 0);
    CHECK_BYTES(out.data, out.len, USER ",\"active\":true,\"x\":1}");
    base_buf_fini(&out);
}

static int set(const char *name, const char *value, bool json)
{
    why = (struct base_why){0, ""};
    const struct arda_directory_change change = {{name, strlen(name)}, value, json};
    return arda_directory_line_change(&line, &change, 1, &why);
}

static void members_are_set_one_by_one(void)
{
    CHECK_INT(parse(USER ",\"team\":\"x\"}"), 0);
    CHECK_INT(set("name", "5", false), 0);
    CHECK_INT(set("active", "false", false), 0);
    CHECK_INT(set("email", "\"a@b\"", true), 0);
    CHECK_INT(set("tags", "[1,2]", true), 0);
    CHECK_INT(set("team", "y", false), 0);
    CHECK_BYTES(
        line.value.data, line.value.len,
        "{\"email\":\"a@b\",\"active\":false,\"name\":\"5\",\"team\":\"y\",\"tags\":[1,2]}");
}

static void members_that_cannot_be_set(void)
{
    static const char *const fixed[] = {"kind", "tenantId", "userId", "loopId"};
    char want[64], name[66];
    CHECK_INT(parse(USER ",\"name\":\"n\"}"), 0);
    for (size_t i = 0; i < 4; i++) {
        CHECK_INT(set(fixed[i], "x", false), BASE_ERR_SYNTAX);
        snprintf(want, sizeof want, "%s: not to be set", fixed[i]);
        CHECK_STR(why.text, want);
    }
    CHECK_INT(set("active", "yes", false), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "active: expected true or false, got yes");
    CHECK_INT(set("active", "1", false), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "active: expected true or false, got 1");
    CHECK_INT(set("email", "nobody", false), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "email: expected an address, got \"nobody\"");
    CHECK_INT(set("name", "\xff", false), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "name: not UTF-8");
    CHECK_INT(set("x", "{", true), BASE_ERR_SYNTAX);
    CHECK(strncmp(why.text, "x: column ", 10) == 0);
    CHECK_INT(set("", "x", false), BASE_ERR_SYNTAX);
    memset(name, 'n', sizeof name);
    name[65] = '\0';
    CHECK_INT(set(name, "x", false), BASE_ERR_SYNTAX);
    CHECK_BYTES(line.value.data, line.value.len, "{\"active\":true,\"name\":\"n\"}");
}

static void survives_every_failing_allocation(void)
{
    static const char text[] =
        USER ",\"active\":true,\"email\":\"a@b\",\"name\":\"a name of some length\",\"n\":0.1}";
    static const struct arda_directory_change change = {{"name", 4}, "other", false};
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 1000; n++) {
        struct arda_directory_line fresh = {0};
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = arda_directory_line_parse(text, strlen(text), &fresh, &why);
        if (!result)
            result = arda_directory_line_change(&fresh, &change, 1, &why);
        if (!result)
            result = arda_directory_line_write(&out, &fresh);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result < 0 && !out.len));
        if (result == 0)
            CHECK_BYTES(out.data, out.len,
                        USER ",\"email\":\"a@b\",\"active\":true,\"name\":\"other\",\"n\":0.1}");
        base_buf_fini(&out);
        arda_directory_line_fini(&fresh);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(loops_are_an_id);
    RUN(users_have_members_in_a_fixed_order);
    RUN(users_are_active_unless_they_say_no);
    RUN(unknown_members_of_users_are_kept_as_they_came);
    RUN(addresses_look_like_one);
    RUN(each_wrong_member_is_named);
    RUN(kind_and_ids_are_needed);
    RUN(ids_have_up_to_64_characters);
    RUN(what_is_no_object_is_refused);
    RUN(members_stand_once);
    RUN(long_values_are_cut);
    RUN(a_failed_line_leaves_nothing_behind);
    RUN(kinds_have_names);
    RUN(values_of_redis_become_canonical);
    RUN(a_line_names_kind_and_ids_once);
    RUN(members_are_set_one_by_one);
    RUN(members_that_cannot_be_set);
    RUN(survives_every_failing_allocation);
    arda_directory_line_fini(&line);
    return test_end();
}
