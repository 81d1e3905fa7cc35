/* SPDX-License-Identifier: ISC */
#include "base/path.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static const char text[] =
    "{\"a\":{\"b\":1,\"b\":[10,{\"c\":\"deep\"},[]]},\"x.y\":true,\"e\\u0073c\":2,\"0\":\"zero\"}";

static const char *follow(const char *spelling)
{
    static char out[64];
    struct base_path path;
    struct base_json_value value;
    CHECK_INT(base_path_parse(&path, spelling, strlen(spelling), NULL), 0);
    CHECK_INT(base_json_check(text, strlen(text), &value, NULL), 0);
    value = base_path_follow(&path, 0, value);
    snprintf(out, sizeof out, "%.*s", (int)value.len, value.text ? value.text : "");
    base_path_fini(&path);
    return out;
}

static void leads_to_values(void)
{
    CHECK_STR(follow("a.b.0"), "10");
    CHECK_STR(follow("a.b.1.c"), "\"deep\"");
    CHECK_STR(follow("a.b.2"), "[]");
    CHECK_STR(follow("a.b.01"), "{\"c\":\"deep\"}");
    CHECK_STR(follow("x\\.y"), "true");
    CHECK_STR(follow("esc"), "2");
    CHECK_STR(follow("0"), "\"zero\"");
    CHECK_STR(follow("\\a.\\b.\\0"), "10");
}

static void leads_nowhere(void)
{
    static const char *const paths[] = {
        "b",   "a.c",   "a.b.3", "a.b.x",   "a.b.-1",         "a.b.0.0",
        "x.y", "esc.a", "A",     "a.b.2.0", "a.b.4294967296", "a\\.b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        CHECK_STR(follow(paths[i]), "");
}

static void refuses_what_is_no_path(void)
{
    static const struct {
        const char *text;
        int code;
        size_t at;
    } rows[] = {
        {"", BASE_ERR_SYNTAX, 0},
        {".", BASE_ERR_SYNTAX, 0},
        {".a", BASE_ERR_SYNTAX, 0},
        {"a.", BASE_ERR_SYNTAX, 2},
        {"a..b", BASE_ERR_SYNTAX, 2},
        {"ab\\", BASE_ERR_SYNTAX, 2},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", BASE_ERR_LIMIT, 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct base_path path;
        size_t at = 99;
        CHECK_INT(base_path_parse(&path, rows[i].text, strlen(rows[i].text), &at), rows[i].code);
        CHECK_INT(at, rows[i].at);
        CHECK(path.text == NULL);
    }
    struct base_path longest;
    CHECK_INT(base_path_parse(&longest, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", 31, NULL), 0);
    CHECK_INT(longest.count, BASE_PATH_MAX);
    base_path_fini(&longest);
}

static void heads_are_wanted_once(void)
{
    struct base_heads heads = {NULL, 0};
    CHECK_INT(base_heads_add(&heads, "a", 1), 0);
    CHECK_INT(base_heads_add(&heads, "x.y", 3), 1);
    CHECK_INT(base_heads_add(&heads, "a", 1), 0);
    CHECK_INT(base_heads_add(&heads, "none", 4), 2);
    base_heads_pick(&heads, text, strlen(text));
    CHECK_INT(heads.members[0].value.kind, BASE_JSON_OBJECT);
    CHECK_INT(heads.members[1].value.kind, BASE_JSON_TRUE);
    CHECK_INT(heads.members[2].value.kind, BASE_JSON_ABSENT);
    base_heads_fini(&heads);
    base_heads_pick(&heads, text, strlen(text));
}

static void says_that_memory_is_short(void)
{
    struct base_heads heads = {NULL, 0};
    struct base_path path;
    base_mem_fail(1, 1);
    CHECK_INT(base_path_parse(&path, "a", 1, NULL), BASE_ERR_NOMEM);
    base_mem_fail(1, 1);
    CHECK_INT(base_heads_add(&heads, "a", 1), BASE_ERR_NOMEM);
    base_mem_fail(2, 1);
    CHECK_INT(base_heads_add(&heads, "a", 1), 0);
    CHECK_INT(base_heads_add(&heads, "b", 1), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(heads.count, 1);
    base_heads_fini(&heads);
}

int main(void)
{
    RUN(leads_to_values);
    RUN(leads_nowhere);
    RUN(refuses_what_is_no_path);
    RUN(heads_are_wanted_once);
    RUN(says_that_memory_is_short);
    return test_end();
}
