/* SPDX-License-Identifier: ISC
 *
 * The rest of the module is seen through net/http1, in http1.c.
 */
#include "net/codec/http1_head.h"

#include "base/mem.h"
#include "lib/test.h"

struct parsed {
    struct net_http1_request request;
    struct net_http1_fields fields;
    bool chunked;
    int status;
};

static void parse(struct parsed *parsed, const char *text)
{
    struct base_slice head = {text, strlen(text)};
    *parsed = (struct parsed){0};
    parsed->status =
        net_http1_head_parse(head, &parsed->request, &parsed->fields, &parsed->chunked);
}

static void has(struct parsed *parsed, const char *name, const char *value)
{
    struct base_slice found = net_http1_fields_find(&parsed->fields, name);
    CHECK(!found.data == !value);
    if (found.data && value)
        CHECK_BYTES(found.data, found.len, value);
}

static void finds_fields_by_their_whole_name(void)
{
    struct parsed parsed;
    parse(&parsed, "GET / HTTP/1.1\r\nHost: h\r\nAB: 1\r\na: 2\r\nabc: \r\n\r\n");
    CHECK_INT(parsed.status, 0);
    has(&parsed, "a", "2");
    has(&parsed, "ab", "1");
    has(&parsed, "abc", "");
    has(&parsed, "abcd", NULL);
    has(&parsed, "", NULL);
    net_http1_fields_fini(&parsed.fields);
}

/* A field without a value neither lends its name nor takes the next one's. */
static void keeps_fields_apart(void)
{
    struct parsed parsed;
    parse(&parsed,
          "GET / HTTP/1.1\r\nHost:\r\na:\r\nb: \t \r\nc:x\r\nTransfer-Encoding: chunked\r\n"
          "d:\r\n\r\n");
    CHECK_INT(parsed.status, 0);
    CHECK(parsed.chunked);
    has(&parsed, "host", "");
    has(&parsed, "a", "");
    has(&parsed, "b", "");
    has(&parsed, "c", "x");
    has(&parsed, "d", "");
    net_http1_fields_fini(&parsed.fields);
}

/* The joined values never need more than was reserved for them: the head's length. */
static void joins_within_what_was_reserved(void)
{
    char text[4096];
    size_t len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost:\r\n");
    for (int i = 0; i < 200; i++)
        len += (size_t)sprintf(text + len, "%c:%s\r\n", 'a' + i % 4, i % 8 < 4 ? "" : "1");
    memcpy(text + len, "\r\n", 3);
    struct parsed parsed;
    parse(&parsed, text);
    CHECK_INT(parsed.status, 0);
    CHECK(parsed.fields.joined.len <= len + 2);
    CHECK_INT(parsed.fields.joined.len, 4 * (49 * 2 + 25));
    has(&parsed, "host", "");
    CHECK_INT(net_http1_fields_find(&parsed.fields, "d").len, 49 * 2 + 25);
    net_http1_fields_fini(&parsed.fields);
}

static void forgets_at_reset(void)
{
    struct parsed parsed;
    parse(&parsed, "GET / HTTP/1.1\r\nHost:\r\na: 1\r\na: 2\r\n\r\n");
    has(&parsed, "a", "1, 2");
    net_http1_fields_reset(&parsed.fields, 1 << 20);
    has(&parsed, "a", NULL);
    CHECK(parsed.fields.table.cap > 0);
    net_http1_fields_reset(&parsed.fields, 0);
    CHECK_INT(parsed.fields.table.cap, 0);
    net_http1_fields_fini(&parsed.fields);
}

static void survives_every_failing_allocation(void)
{
    long failures = 0;
    for (bool failed = true; failed;) {
        struct parsed parsed;
        base_mem_fail(failures + 1, 1);
        parse(&parsed, "GET / HTTP/1.1\r\nHost:\r\na: 1\r\na: 2\r\nb: 3\r\n\r\n");
        failed = base_mem_tries() > failures;
        base_mem_fail(0, 0);
        CHECK_INT(parsed.status, failed ? 500 : 0);
        failures += failed;
        net_http1_fields_fini(&parsed.fields);
    }
    CHECK(failures > 1);
}

int main(void)
{
    RUN(finds_fields_by_their_whole_name);
    RUN(keeps_fields_apart);
    RUN(joins_within_what_was_reserved);
    RUN(forgets_at_reset);
    RUN(survives_every_failing_allocation);
    return test_end();
}
