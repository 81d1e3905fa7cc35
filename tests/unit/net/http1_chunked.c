/* SPDX-License-Identifier: ISC */
#include "net/codec/http1_chunked.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"
#include "lib/trace.h"

#define MAX 64

/* Decodes what is cut like this. `*taken` counts the bytes used in all. */
static int decode(struct cuts cuts, const char *text, size_t len, struct base_buf *body,
                  size_t *taken)
{
    struct net_http1_chunked chunked = {0};
    int result = 0;
    *taken = 0;
    while (result == 0 && *taken < len) {
        size_t piece = cuts_piece(&cuts, len - *taken), used;
        char *copy = trace_copy(text + *taken, piece);
        result = net_http1_chunked_feed(&chunked, MAX, body, copy, piece, &used);
        CHECK(result != 0 || used == piece);
        free(copy);
        *taken += used;
    }
    return result;
}

/* However it is cut: this result, and as long as that is no error this body; 1 takes all. */
static void gives_bytes(const char *text, size_t len, int result, const char *body)
{
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        struct base_buf out = BASE_BUF_INIT;
        size_t taken;
        CHECK_INT(decode(cuts, text, len, &out, &taken), result);
        if (result >= 0)
            CHECK_BYTES(out.data ? out.data : "", out.len, body);
        if (result == 1)
            CHECK_INT(taken, len);
        base_buf_fini(&out);
    }
}

static void gives(const char *text, int result, const char *body)
{
    gives_bytes(text, strlen(text), result, body);
}

static void joins_chunks(void)
{
    gives("0\r\n\r\n", 1, "");
    gives("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 1, "abcd");
    gives("0A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", 1, "01234567890123456789");
    gives("3\r\n\r\n0\r\n0\r\n\r\n", 1, "\r\n0");
}

static void leaves_extensions_and_trailers_out(void)
{
    gives("1;a\r\nx\r\n1 ;a=b\r\ny\r\n1 \t ;\"\xff\t\"\r\nz\r\n0;e\r\n\r\n", 1, "xyz");
    gives("1 \r\nx\r\n0\t\r\nA: b\r\nC:\r\n\r\n", 1, "x");
}

static void stops_behind_the_body(void)
{
    static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1";
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        struct base_buf out = BASE_BUF_INIT;
        size_t taken;
        CHECK_INT(decode(cuts, text, sizeof text - 1, &out, &taken), 1);
        CHECK_STR(text + taken, "GET / HTTP/1.1");
        base_buf_fini(&out);
    }
}

static void waits_for_more(void)
{
    gives("", 0, "");
    gives("4\r\nab", 0, "ab");
    gives("2\r\nab\r\n0\r\nA: b\r\n", 0, "ab");
}

static void refuses_other_framing(void)
{
    static const char *const bad[] = {
        "\r\n",
        "x\r\n",
        " 1\r\na\r\n",
        "0x1\r\na",
        "-1\r\n",
        "+1\r\n",
        "1\na\r\n",
        "1\r\r\na",
        "1\rxa",
        "1\r\nab",
        "1\r\na\rb",
        "1\r\na\n",
        "2\r\na\r\n0\r\n\r\n",
        "1 1\r\na",
        "1;a\nb\r\n",
        "1;\x01\r\n",
        "1;\x7f\r\n",
        "1 \x01",
        "g\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\n b\r\n\r\n",
        "0\r\nA: b\n\n",
        "0\r\n\n",
        "1\r\na\r\n\r\n",
        "1,\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        gives(bad[i], BASE_ERR_SYNTAX, NULL);
    gives_bytes("1;\0\r\n", 5, BASE_ERR_SYNTAX, NULL);
}

/* Decided from the size, before the data comes. */
static void bounds_the_body(void)
{
    char text[400];
    int len = sprintf(text, "40\r\n%064d\r\n0\r\n\r\n", 1), start = 4;
    char body[65];
    snprintf(body, sizeof body, "%.*s", 64, text + start);
    gives_bytes(text, (size_t)len, 1, body);
    gives("41", BASE_ERR_LIMIT, NULL);
    gives("fffffffffffffffff", BASE_ERR_LIMIT, NULL);
    gives("10000000000000000", BASE_ERR_LIMIT, NULL);
    gives("3f\r\n000000000000000000000000000000000000000000000000000000000000000\r\n2",
          BASE_ERR_LIMIT, NULL);
}

static void bounds_what_is_not_data(void)
{
    static char text[40000];
    size_t pad = 17000;
    memset(text, '0', pad);
    gives_bytes(text, pad, BASE_ERR_LIMIT, NULL);
    memset(text, 'e', pad);
    memcpy(text, "1;", 2);
    gives_bytes(text, pad, BASE_ERR_LIMIT, NULL);
    memset(text, 'e', pad);
    memcpy(text, "0\r\nA:", 5);
    gives_bytes(text, pad, BASE_ERR_LIMIT, NULL);
    memcpy(text + pad - 4, "\r\n\r\n", 4);
    gives_bytes(text, pad, BASE_ERR_LIMIT, NULL);
    gives_bytes(text, 16000, 0, "");
}

static void survives_every_failing_allocation(void)
{
    char text[200];
    int len = sprintf(text, "28\r\n%040d\r\n18\r\n%024d\r\n0\r\n\r\n", 1, 2);
    long failures = 0;
    for (int failed = 1; failed;) {
        struct base_buf out = BASE_BUF_INIT;
        size_t taken;
        base_mem_fail(failures + 1, 1);
        int result = decode(cuts_of(CUTS_BYTES, 1), text, (size_t)len, &out, &taken);
        failed = base_mem_tries() > failures;
        base_mem_fail(0, 0);
        CHECK_INT(result, failed ? BASE_ERR_NOMEM : 1);
        CHECK(failed || out.len == 64);
        failures += failed;
        base_buf_fini(&out);
    }
    CHECK(failures > 0);
}

int main(void)
{
    RUN(joins_chunks);
    RUN(leaves_extensions_and_trailers_out);
    RUN(stops_behind_the_body);
    RUN(waits_for_more);
    RUN(refuses_other_framing);
    RUN(bounds_the_body);
    RUN(bounds_what_is_not_data);
    RUN(survives_every_failing_allocation);
    return test_end();
}
