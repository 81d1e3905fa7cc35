/* SPDX-License-Identifier: ISC */
#include "base/terminal.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static void check(const char *text, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_terminal_add(&out, text, strlen(text)), 0);
    CHECK_BYTES(out.data ? out.data : "", out.len, want);
    base_buf_fini(&out);
}

static void what_a_terminal_obeys_is_escaped(void)
{
    check("{\"a\":\"\xc2\x9b"
          "31m\"}\n",
          "{\"a\":\"\\u009b31m\"}\n");
    check("\x7f", "\\u007f");
    check("\xc2\x80 \xc2\x9f", "\\u0080 \\u009f");
    check("\xe2\x80\xaa\xe2\x80\xae", "\\u202a\\u202e");
    check("\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069");
    check("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029");
    check("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u061c\\u200e\\u200f");
}

static void the_rest_stays(void)
{
    check("", "");
    check("\x1b[2m{\"a\":\t1}\x1b[0m\r\n", "\x1b[2m{\"a\":\t1}\x1b[0m\r\n");
    check("\xc2\xa0\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc2\xa0\xc3\xa4 \xe2\x82\xac "
                                                            "\xf0\x9f\x98\x80");
}

static void what_is_no_utf8_is_replaced(void)
{
    check("a\x9b"
          "31m\xff",
          "a\\ufffd31m\\ufffd");
    check("\xe2\x80", "\\ufffd\\ufffd");
}

static void memory_may_be_short(void)
{
    static const char text[] = "some text and \xc2\x9b more of it, so that the buffer has to grow";
    for (long n = 1;; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        int failed = base_terminal_add(&out, text, sizeof text - 1);
        bool used = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        base_buf_fini(&out);
        CHECK_INT(failed, used ? BASE_ERR_NOMEM : BASE_OK);
        if (!used)
            break;
    }
}

int main(void)
{
    RUN(what_a_terminal_obeys_is_escaped);
    RUN(the_rest_stays);
    RUN(what_is_no_utf8_is_replaced);
    RUN(memory_may_be_short);
    return test_end();
}
