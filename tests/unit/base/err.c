/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include "base/exit.h"
#include "base/utf8.h"
#include "lib/test.h"

#include <errno.h>

static void every_code_is_negative_and_has_its_text(void)
{
#define CHECK_CODE(code, text)                                                                     \
    CHECK(code < 0);                                                                               \
    CHECK_STR(base_err_text(code), text);
    BASE_ERR_MAP(CHECK_CODE)
    CHECK_STR(base_err_text(BASE_OK), "success");
    CHECK_STR(base_err_text(1), "unknown error");
    CHECK_STR(base_err_text(BASE_ERR_FIRST_), "unknown error");
}

static void every_code_ends_a_program_with_a_known_status(void)
{
#define CHECK_STATUS(code, text)                                                                   \
    CHECK(base_exit_status(code) > 0 && base_exit_status(code) <= BASE_EXIT_TIMEOUT);
    BASE_ERR_MAP(CHECK_STATUS)
    CHECK_INT(base_exit_status(BASE_OK), 0);
    CHECK_INT(base_exit_status(BASE_ERR_SYNTAX), 65);
    CHECK_INT(base_exit_status(BASE_ERR_INVALID), 64);
    CHECK_INT(base_exit_status(-1), 70);
}

static void a_cause_can_be_left_out(void)
{
    CHECK_INT(base_why_set(NULL, BASE_ERR_IO, "x"), BASE_ERR_IO);
    CHECK_INT(base_why_errno(NULL, BASE_ERR_IO, ENOENT, "x"), BASE_ERR_IO);
    base_why_prefix(NULL, "x");
}

static void each_layer_prefixes_the_cause(void)
{
    struct base_why why;
    CHECK_INT(base_why_errno(&why, BASE_ERR_UNAVAILABLE, ECONNREFUSED, "subscribe %s", "x"),
              BASE_ERR_UNAVAILABLE);
    CHECK_STR(why.text, "subscribe x: Connection refused");
    CHECK_INT(base_why_prefix(&why, "redis %d", 1), BASE_ERR_UNAVAILABLE);
    CHECK_STR(why.text, "redis 1: subscribe x: Connection refused");
    CHECK_INT(why.code, BASE_ERR_UNAVAILABLE);
    CHECK_INT(base_why_set(&why, BASE_ERR_LIMIT, "%s", ""), BASE_ERR_LIMIT);
    CHECK_STR(why.text, "");
}

static void a_long_text_is_cut_between_characters(void)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 4; i++)
        for (size_t before = 0; before < 8; before++) {
            size_t size = strlen(characters[i]);
            char text[1024] = "1234567";
            struct base_why why;
            for (size_t at = before; at + size < sizeof text; at += size)
                memcpy(text + at, characters[i], size);
            base_why_set(&why, BASE_ERR_IO, "%s", text);
            size_t want = before + (sizeof why.text - 1 - before) / size * size;
            CHECK_INT(strlen(why.text), want);
            CHECK(strncmp(why.text, text, want) == 0);
            base_why_prefix(&why, "%.*s", (int)before, "1234567");
            CHECK(base_utf8_valid(why.text, strlen(why.text)));
            base_why_errno(&why, BASE_ERR_IO, EIO, "%s", text);
            CHECK(base_utf8_valid(why.text, strlen(why.text)));
        }
}

int main(void)
{
    RUN(every_code_is_negative_and_has_its_text);
    RUN(every_code_ends_a_program_with_a_known_status);
    RUN(a_cause_can_be_left_out);
    RUN(each_layer_prefixes_the_cause);
    RUN(a_long_text_is_cut_between_characters);
    return test_end();
}
