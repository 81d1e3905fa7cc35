/* SPDX-License-Identifier: ISC */
#include "net/codec/http1_lines.h"

#include "base/err.h"
#include "lib/cuts.h"
#include "lib/test.h"
#include "lib/trace.h"

/* However it is cut: this result, with so many bytes taken in all. */
static void gives(int request_line, const char *text, int result, size_t taken)
{
    size_t len = strlen(text);
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        struct net_http1_lines lines;
        size_t at = 0, used = 0, piece;
        int got = 0;
        net_http1_lines_init(&lines, request_line);
        for (; got == 0 && at < len; at += used) {
            piece = cuts_piece(&cuts, len - at);
            char *copy = trace_copy(text + at, piece);
            got = net_http1_lines_feed(&lines, copy, piece, &used);
            CHECK(got != 0 || used == piece);
            free(copy);
        }
        CHECK_INT(got, result);
        CHECK_INT(at, taken);
    }
}

static void ends(int request_line, const char *text)
{
    char more[200];
    gives(request_line, text, 1, strlen(text));
    snprintf(more, sizeof more, "%sbehind it", text);
    gives(request_line, more, 1, strlen(text));
}

static void finds_the_end(void)
{
    ends(0, "\r\n");
    ends(0, "a:\r\n\r\n");
    ends(0, "Some-Name: its value : \"\t\xff\"\r\nb:c\r\n\r\n");
    ends(0, "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n");
    ends(1, "GET / HTTP/1.1\r\n\r\n");
    ends(1, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ends(1, "\r\n\r\n");
}

static void waits_for_the_end(void)
{
    gives(0, "a: b\r\n", 0, 6);
    gives(0, "a: b\r\n\r", 0, 7);
    gives(1, "GET", 0, 3);
}

static void refuses_at_the_byte(void)
{
    static const struct {
        const char *text;
        size_t taken;
    } cases[] = {
        {"\n", 0},
        {"\rx", 1},
        {"a\r\n", 1},
        {"a: b\n", 4},
        {"a: b\r\r\n", 5},
        {"a: b\rc\r\n", 5},
        {"a : b\r\n", 1},
        {" a: b\r\n", 0},
        {"a: b\r\n c\r\n", 6},
        {"a: b\r\n\tc\r\n", 6},
        {": a\r\n", 0},
        {"a: \x01", 3},
        {"a: \x7f", 3},
        {"a\xc3: b", 1},
        {"a(b: c", 1},
        {"a: b\r\n\n", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        gives(0, cases[i].text, BASE_ERR_SYNTAX, cases[i].taken);
    gives(1, "GET / HTTP/1.1\n", BASE_ERR_SYNTAX, 14);
    gives(1, "GET /\x01", BASE_ERR_SYNTAX, 5);
}

static void knows_every_byte(void)
{
    for (int byte = 0; byte < 256; byte++) {
        struct net_http1_lines lines;
        char c = (char)byte;
        size_t used;
        net_http1_lines_init(&lines, 0);
        bool token = byte && byte < 0x7f && byte > ' ' && !strchr("\"(),/:;<=>?@[\\]{}", byte);
        CHECK_INT(net_http1_lines_feed(&lines, &c, 1, &used),
                  token || byte == '\r' ? 0 : BASE_ERR_SYNTAX);
        net_http1_lines_init(&lines, 0);
        CHECK_INT(net_http1_lines_feed(&lines, "a:", 2, &used), 0);
        bool text = (byte >= ' ' && byte != 0x7f) || byte == '\t' || byte == '\r';
        CHECK_INT(net_http1_lines_feed(&lines, &c, 1, &used), text ? 0 : BASE_ERR_SYNTAX);
    }
}

int main(void)
{
    RUN(finds_the_end);
    RUN(waits_for_the_end);
    RUN(refuses_at_the_byte);
    RUN(knows_every_byte);
    return test_end();
}
