/* SPDX-License-Identifier: ISC */
#include "net/codec/http1.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static void gives(const char *query, const char *name, int result, const char *value)
{
    struct base_buf out = BASE_BUF_INIT;
    base_buf_add_text(&out, "before");
    struct base_slice text = {query, strlen(query)};
    CHECK_INT(net_http1_query(text, name, &out), result);
    CHECK(out.len >= 6);
    CHECK_BYTES(out.data + 6, out.len - 6, value);
    base_buf_fini(&out);
}

static void finds_parameters(void)
{
    gives("EIO=4&transport=polling&sid=abc", "EIO", 1, "4");
    gives("EIO=4&transport=polling&sid=abc", "transport", 1, "polling");
    gives("EIO=4&transport=polling&sid=abc", "sid", 1, "abc");
    gives("&&a=1&", "a", 1, "1");
    gives("a=b=c", "a", 1, "b=c");
    gives("a?=1&a=2", "a", 1, "2");
}

static void tells_absent_from_empty(void)
{
    gives("", "a", 0, "");
    gives("&", "a", 0, "");
    gives("ab=1&b=a&A=1", "a", 0, "");
    gives("a", "a", 1, "");
    gives("a=", "a", 1, "");
    gives("x&a&b=1", "a", 1, "");
}

static void lets_the_first_count(void)
{
    gives("a=1&a=2", "a", 1, "1");
    gives("%61=1&a=2", "a", 1, "1");
    gives("a&a=2", "a", 1, "");
}

static void decodes_escapes(void)
{
    gives("t=%41%c3%A9+%2B%26%3d%25", "t", 1, "A\xc3\xa9 +&=%");
    gives("%45I%4f=4", "EIO", 1, "4");
    gives("a+b=1", "a b", 1, "1");
    gives("a=%2541", "a", 1, "%41");
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(net_http1_query((struct base_slice){"a=x%00y", 7}, "a", &out), 1);
    CHECK(out.len == 3 && memcmp(out.data, "x\0y", 3) == 0);
    base_buf_fini(&out);
}

static void refuses_bad_escapes_of_the_value_alone(void)
{
    static const char *const bad[] = {"a=%", "a=x%4", "a=%4g", "a=%g4", "a=ok%", "a=%%41", "a=% 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        gives(bad[i], "a", BASE_ERR_SYNTAX, "");
    gives("b=%&a=1&c=%zz", "a", 1, "1");
    gives("%=1&a%=2&%zz=3&a=4", "a", 1, "4");
    gives("a%00=1&a=2", "a", 1, "2");
    gives("a=%4&a=1", "a", BASE_ERR_SYNTAX, "");
    gives("a=1%&1=2", "a", BASE_ERR_SYNTAX, "");
}

/* An escape does not reach beyond its parameter, nor the last one beyond the query. */
static void stays_within_the_query(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(net_http1_query((struct base_slice){"a=%41", 4}, "a", &out), BASE_ERR_SYNTAX);
    CHECK_INT(net_http1_query((struct base_slice){"a=%41", 3}, "a", &out), BASE_ERR_SYNTAX);
    CHECK_INT(net_http1_query((struct base_slice){"a=1&b=2", 4}, "b", &out), 0);
    CHECK_INT(net_http1_query((struct base_slice){NULL, 0}, "b", &out), 0);
    CHECK_INT(out.len, 0);
    base_buf_fini(&out);
}

static void survives_a_failing_allocation(void)
{
    struct base_buf out = BASE_BUF_INIT;
    base_mem_fail(1, 1);
    CHECK_INT(net_http1_query((struct base_slice){"a=1", 3}, "a", &out), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(out.len, 0);
    CHECK_INT(net_http1_query((struct base_slice){"a=1", 3}, "a", &out), 1);
    CHECK_BYTES(out.data, out.len, "1");
    base_buf_fini(&out);
}

int main(void)
{
    RUN(finds_parameters);
    RUN(tells_absent_from_empty);
    RUN(lets_the_first_count);
    RUN(decodes_escapes);
    RUN(refuses_bad_escapes_of_the_value_alone);
    RUN(stays_within_the_query);
    RUN(survives_a_failing_allocation);
    return test_end();
}
