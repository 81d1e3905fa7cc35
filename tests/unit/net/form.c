/* SPDX-License-Identifier: ISC */
#include "net/codec/form.h"

#include "base/mem.h"
#include "lib/test.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART  "multipart/form-data; boundary=b"

/* The body lies in memory of exactly its size, so that a sanitizer sees a read behind its end. */
static int look_up(const char *type, const char *body, size_t len, struct base_buf *out)
{
    char *exact = malloc(len ? len : 1);
    memcpy(exact, body, len);
    struct base_slice of_type = {type, type ? strlen(type) : 0};
    int result = net_form_value(of_type, (struct base_slice){exact, len}, "a", out);
    free(exact);
    return result;
}

static void gives(const char *type, const char *body, int result, const char *value)
{
    struct base_buf out = BASE_BUF_INIT;
    base_buf_add_text(&out, "before");
    CHECK_INT(look_up(type, body, strlen(body), &out), result);
    CHECK_BYTES(out.data + 6, out.len - 6, value);
    base_buf_fini(&out);
}

static void reads_the_common_form(void)
{
    gives(URLENCODED, "a=1", 1, "1");
    gives(URLENCODED, "x=2&a=1+2%26&a=3", 1, "1 2&");
    gives(URLENCODED, "%61=1", 1, "1");
    gives(URLENCODED, "", 0, "");
    gives(URLENCODED, "b=1", 0, "");
    gives(URLENCODED, "a=%", BASE_ERR_SYNTAX, "");
    gives("Application/X-WWW-Form-URLencoded ; charset=UTF-8", "a=1", 1, "1");
    gives(" " URLENCODED, "a=1", 1, "1");
}

static void knows_two_types(void)
{
    static const char *const others[] = {NULL,
                                         "",
                                         ";",
                                         "text/plain",
                                         "application/json",
                                         URLENCODED "x",
                                         "multipart/mixed; boundary=b"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        gives(others[i], "a=1", BASE_ERR_INVALID, "");
}

#define FIELD(name, value) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static void reads_parts(void)
{
    gives(MULTIPART, "--b\r\n" FIELD("a", "1") "--b--\r\n", 1, "1");
    gives(MULTIPART, "--b\r\n" FIELD("a", "1") "--b--", 1, "1");
    gives(MULTIPART, "--b\r\n" FIELD("x", "2") "--b\r\n" FIELD("a", "1") "--b--\r\n", 1, "1");
    gives(MULTIPART, "--b\r\n" FIELD("a", "1") "--b\r\n" FIELD("a", "2") "--b--\r\n", 1, "1");
    gives(MULTIPART, "--b\r\n" FIELD("a", "") "--b--\r\n", 1, "");
    gives(MULTIPART, "--b\r\n" FIELD("a", "1\r\n--\r\n\r\n2\n--b") "--b--\r\n", 1,
          "1\r\n--\r\n\r\n2\n--b");
    gives(MULTIPART, "--b\r\n" FIELD("x", "2") "--b--\r\n", 0, "");
    gives(MULTIPART, "--b\r\n" FIELD("A", "2") "--b--\r\n", 0, "");
    gives(MULTIPART, "--b--\r\n", 0, "");
    gives(MULTIPART, "before\r\n--b \t\r\n" FIELD("a", "1") "--b--\r\nbehind", 1, "1");
    gives(MULTIPART, "--b\r\n\r\nno headers\r\n--b\r\n" FIELD("a", "1") "--b--\r\n", 1, "1");
    gives(
        MULTIPART,
        "--b\r\nContent-Type: text/plain\r\n"
        "content-disposition:form-data ; filename=\"a;b\"; NAME = a\r\nX: y\r\n\r\n1\r\n--b--\r\n",
        1, "1");
}

static void takes_a_boundary_with_and_without_quotes(void)
{
    static const char body[] = "---- x'y\r\n" FIELD("a", "1") "---- x'y--\r\n";
    gives("multipart/form-data; boundary=\"-- x'y\"", body, 1, "1");
    gives("multipart/form-data;charset=utf-8;Boundary=-- x'y ;x=y", body, 1, "1");
    gives("multipart/form-data; boundary=---F", "-----F\r\n" FIELD("a", "One-Click") "-----F--\r\n",
          1, "One-Click");
}

#define TOO_LONG                                                                                   \
    "multipart/form-data; boundary="                                                               \
    "01234567890123456789012345678901234567890123456789012345678901234567890"

static void refuses_what_is_no_form(void)
{
    static const char good[] = "--b\r\n" FIELD("a", "1") "--b--\r\n";
    static const char *const types[] = {
        "multipart/form-data",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"b",
        "multipart/form-data; boundary=\"b\"c",
        "multipart/form-data; boundary=\"\\b\"",
        "multipart/form-data; boundary=c",
        TOO_LONG,
    };
    static const char *const bodies[] = {
        "",
        "a=1",
        "--b",
        "--b\r\n",
        "--bb\r\n" FIELD("a", "1") "--b--\r\n",
        "--b\r\n" FIELD("a", "1"),
        "--b\r\n" FIELD("x", "1") "--bx\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n",
        "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"\\a\"\r\n\r\n1\r\n--b--\r\n",
        "--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n--b--\n",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        gives(types[i], good, BASE_ERR_SYNTAX, "");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        gives(MULTIPART, bodies[i], BASE_ERR_SYNTAX, "");
}

/* Cut anywhere, and with any byte replaced, a body is read to its end and no further. */
static void survives_what_is_cut_or_changed(void)
{
    static const char body[] =
        "x\r\n--b\r\n" FIELD("x", "2") "--b\r\nContent-Disposition: form-data; name=a; x=\"y\"\r\n"
                                       "\r\n1\r\n--b--\r\n";
    static const char bytes[] = "\0\r\n\"\\;:-= b";
    struct base_buf out = BASE_BUF_INIT;
    size_t len = sizeof body - 1;
    for (size_t cut = 0; cut <= len; cut++) {
        int result = look_up(MULTIPART, body, cut, &out);
        /* Complete as soon as the boundary behind the part has come. */
        CHECK_INT(result, cut >= len - 4 ? 1 : BASE_ERR_SYNTAX);
        out.len = 0;
    }
    for (size_t at = 0; at < len; at++)
        for (size_t i = 0; i < sizeof bytes - 1; i++) {
            char changed[sizeof body];
            memcpy(changed, body, len);
            changed[at] = bytes[i];
            int result = look_up(MULTIPART, changed, len, &out);
            CHECK(result == 1 || result == 0 || result == BASE_ERR_SYNTAX);
            CHECK(result == 1 || out.len == 0);
            out.len = 0;
        }
    base_buf_fini(&out);
}

static void without_memory_nothing_is_added(void)
{
    static const char *const types[] = {URLENCODED, MULTIPART};
    static const char *const bodies[] = {"a=1", "--b\r\n" FIELD("a", "1") "--b--\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(1, 1);
        CHECK_INT(look_up(types[i], bodies[i], strlen(bodies[i]), &out), BASE_ERR_NOMEM);
        base_mem_fail(0, 0);
        CHECK_INT(out.len, 0);
        base_buf_fini(&out);
    }
}

int main(void)
{
    RUN(reads_the_common_form);
    RUN(knows_two_types);
    RUN(reads_parts);
    RUN(takes_a_boundary_with_and_without_quotes);
    RUN(refuses_what_is_no_form);
    RUN(survives_what_is_cut_or_changed);
    RUN(without_memory_nothing_is_added);
    return test_end();
}
