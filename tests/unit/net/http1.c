/* SPDX-License-Identifier: ISC */
#include "net/codec/http1.h"

#include "base/mem.h"
#include "lib/corpus.h"
#include "lib/http1_trace.h"

#define MAX  100
#define HOST "Host: h\r\n"

static void gives_bytes(const char *input, size_t len, const char *events)
{
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        char *got = http1_trace(cuts, MAX, input, len);
        CHECK_STR(got, events);
        free(got);
    }
}

static void gives(const char *input, const char *events)
{
    gives_bytes(input, strlen(input), events);
}

/* A request with these lines behind Host has this outcome. */
static void gives_for(const char *lines, const char *events)
{
    char input[4096];
    snprintf(input, sizeof input, "POST / HTTP/1.1\r\n" HOST "%s", lines);
    gives(input, events);
}

static void reads_requests(void)
{
    gives("GET /a/b?c=d&e HTTP/1.1\r\n" HOST "Origin: \t http://o \t\r\nX:\r\n\r\n",
          "GET \"/a/b\" \"c=d&e\" 1.1 keep\norigin: \"http://o\"\nx: \"\"\ndone \"\"\n");
    gives("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n12345",
          "POST \"/\" \"\" 1.1 keep length=5\ndone \"12345\"\n");
    gives("HEAD /? HTTP/1.1\r\n" HOST "\r\n", "HEAD \"/\" \"\" 1.1 keep\ndone \"\"\n");
    gives("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS \"*\" \"\" 1.1 keep\ndone \"\"\n");
    gives("DELETE / HTTP/1.1\r\n" HOST "\r\n", "OTHER \"/\" \"\" 1.1 keep\ndone \"\"\n");
    gives("PATCH / HTTP/1.1\r\nhOST:h\r\ncOOKIE:a=b\r\n\r\n",
          "OTHER \"/\" \"\" 1.1 keep\ncookie: \"a=b\"\ndone \"\"\n");
}

static void reads_pipelined_requests(void)
{
    gives("\r\nPOST /1 HTTP/1.1\r\n" HOST "X: one\r\nContent-Length: 2\r\n\r\nab"
          "GET /2 HTTP/1.1\r\n" HOST "\r\n\r\n\r\n"
          "POST /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
          "GET /4 HTTP/1.1\r\n" HOST "X: four\r\n\r\nGET /5",
          "POST \"/1\" \"\" 1.1 keep length=2\nx: \"one\"\ndone \"ab\"\n"
          "GET \"/2\" \"\" 1.1 keep\ndone \"\"\n"
          "POST \"/3\" \"\" 1.1 keep\ndone \"abc\"\n"
          "GET \"/4\" \"\" 1.1 keep\nx: \"four\"\ndone \"\"\n");
    gives("GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/2.0\r\n\r\n",
          "GET \"/1\" \"\" 1.1 keep\ndone \"\"\nerror 505\n");
}

static void joins_headers_of_one_name(void)
{
    gives("GET / HTTP/1.1\r\n" HOST "X: a\r\nCookie: c\r\nx: \r\nX:b\r\n\r\n",
          "GET \"/\" \"\" 1.1 keep\ncookie: \"c\"\nx: \"a, , b\"\ndone \"\"\n");
    gives("GET / HTTP/1.1\r\n" HOST "Origin: a\r\nOrigin: b\r\nX:\r\nX:\r\nCookie:\r\n\r\n",
          "GET \"/\" \"\" 1.1 keep\ncookie: \"\"\norigin: \"a, b\"\nx: \", \"\ndone \"\"\n");
}

static void tells_whether_to_keep_the_connection(void)
{
    gives("GET / HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n",
          "GET \"/\" \"\" 1.1 close\ndone \"\"\n");
    gives("GET / HTTP/1.1\r\n" HOST "Connection: x, ,close ,y\r\n\r\n",
          "GET \"/\" \"\" 1.1 close\ndone \"\"\n");
    gives("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n",
          "GET \"/\" \"\" 1.1 keep\ndone \"\"\n");
    gives("GET / HTTP/1.0\r\n\r\n", "GET \"/\" \"\" 1.0 close\ndone \"\"\n");
    gives("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          "GET \"/\" \"\" 1.0 keep\ndone \"\"\n");
}

static void recognises_upgrades(void)
{
    gives("GET /s HTTP/1.1\r\n" HOST "Connection:keep-alive,Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
          "\x81\x80zzzz",
          "GET \"/s\" \"\" 1.1 keep websocket\ndone \"\"\nupgraded \"\\x81\\x80zzzz\"\n");
    static const char *const others[][2] = {
        {"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n\r\n", "GET \"/\" \"\" 1.1 keep\n"},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", "GET \"/\" \"\" 1.1 keep\n"},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
         "GET \"/\" \"\" 1.1 keep\n"},
        {"POST / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "POST \"/\" \"\" 1.1 keep\n"},
        {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "GET \"/\" \"\" 1.0 close\n"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char want[200];
        snprintf(want, sizeof want, "%sdone \"\"\n", others[i][1]);
        gives(others[i][0], want);
    }
    gives("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n"
          "Content-Length: 1\r\n\r\na",
          "GET \"/\" \"\" 1.1 keep length=1\ndone \"a\"\n");
}

static void announces_what_waits_for_100(void)
{
    gives_for("Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na",
              "POST \"/\" \"\" 1.1 keep continue length=1\ndone \"a\"\n");
    gives_for("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep continue\ndone \"\"\n");
    gives_for("Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep length=0\ndone \"\"\n");
    gives_for("Expect: 100-continue\r\nContent-Length: 101\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep continue length=101\nerror 413\n");
}

static void splits_targets(void)
{
    static const char *const cases[][2] = {
        {"http://h/a?b", "\"/a\" \"b\""},  {"http://h?b", "\"/\" \"b\""},
        {"HTTP://h:80", "\"/\" \"\""},     {"/?a?b=/", "\"/\" \"a?b=/\""},
        {"/a://b/c", "\"/a://b/c\" \"\""}, {"/%00%2f", "\"/%00%2f\" \"\""},
        {"//h/a", "\"//h/a\" \"\""},       {"*", "\"*\" \"\""},
    };
    static const char *const bad[] = {
        "/a#b", "*a",    "*?x=http://h/p", "h:80",      "a/b",     "",          "/a b",
        "/\t",  "/\x7f", "/\x01",          "/\xc3\xa9", "?a",      "http:///a", "http://?a",
        " /",   "/ ",    "1://h/",         "http//",    "*://h/a", "://h/",
    };
    char input[200], want[200];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(input, sizeof input, "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i][0]);
        snprintf(want, sizeof want, "GET %s 1.1 keep\ndone \"\"\n", cases[i][1]);
        gives(input, want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(input, sizeof input, "GET %s HTTP/1.1\r\n" HOST "\r\n", bad[i]);
        gives(input, "error 400\n");
    }
}

static void refuses_request_lines(void)
{
    static const char *const bad[] = {
        "get / HTTP/1.1\r\n",
        "GET\r\n",
        "GET /\r\n",
        "GET / HTTP/1.1 \r\n",
        "FROB / HTTP/1.1\r\n",
        "GET  / HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n",
        "GET / http/1.1\r\n",
        "GET / HTTP/1.10\r\n",
        "GET / HTTP/11\r\n",
        " GET / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        "GET / HTTP/1\r\n",
        "SOURCE / ICE/1.1\r\n",
        "\nGET / HTTP/1.1\r\n",
        "\rGET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\r\n",
        "GET / HTTP/+.1\r\n",
    };
    char input[200];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(input, sizeof input, "%s" HOST "\r\n", bad[i]);
        gives(input, "error 400\n");
    }
    gives("GET / HTTP/2.0\r\n" HOST "\r\n", "error 505\n");
    gives("GET / HTTP/1.2\r\n" HOST "\r\n", "error 505\n");
    gives("GET / HTTP/0.9\r\n" HOST "\r\n", "error 505\n");
    gives("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", "error 501\n");
}

static void wants_one_host(void)
{
    gives("GET / HTTP/1.1\r\n\r\n", "error 400\n");
    gives("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "error 400\n");
    gives("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "error 400\n");
    gives("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET \"/\" \"\" 1.1 keep\ndone \"\"\n");
    gives("GET / HTTP/1.0\r\n\r\n", "GET \"/\" \"\" 1.0 close\ndone \"\"\n");
}

static void refuses_header_lines(void)
{
    static const char *const bad[] = {
        "X : a\r\n",       "X\r\n",          ": a\r\n",     " X: a\r\n",    "X: a\r\n b\r\n",
        "X: a\r\n\tb\r\n", "X: a\nY: b\r\n", "X: a\rb\r\n", "X: a\x01\r\n", "X: \x7f\r\n",
        "X(: a\r\n",       "X\x80: a\r\n",   "X a: b\r\n",  "X: a\r\n\n",   "\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char lines[100];
        snprintf(lines, sizeof lines, "%s\r\n", bad[i]);
        gives_for(lines, "error 400\n");
    }
    static const char nul[] = "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
    gives_bytes(nul, sizeof nul - 1, "error 400\n");
    gives_for("X: \xc3\xa9\ta\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep\nx: \"\\xc3\\xa9\\x09a\"\ndone \"\"\n");
}

/* RFC 9112 section 6.3: where the body ends must be beyond doubt. */
static void refuses_to_be_smuggled_past(void)
{
    static const char *const lines400[] = {
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: 1;\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551617\r\n",
        "Content-Length: 0000000000000000001\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: ,\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
    };
    static const char *const lines501[] = {
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
    };
    char lines[200];
    for (size_t i = 0; i < sizeof lines400 / sizeof *lines400; i++) {
        snprintf(lines, sizeof lines, "%s\r\n0\r\n\r\n", lines400[i]);
        gives_for(lines, "error 400\n");
    }
    for (size_t i = 0; i < sizeof lines501 / sizeof *lines501; i++) {
        snprintf(lines, sizeof lines, "%s\r\n0\r\n\r\n", lines501[i]);
        gives_for(lines, "error 501\n");
    }
    gives("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "error 400\n");
    gives_for("transfer-encoding: , Chunked,\r\n\r\n0\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep\ndone \"\"\n");
    gives_for("X:\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep\nx: \"\"\ndone \"a\"\n");
}

static char *fill(char *to, char c, size_t len)
{
    memset(to, c, len);
    return to + len;
}

static void bounds_the_head(void)
{
    static char input[NET_HTTP1_HEAD_MAX + 100];
    char *at = input + sprintf(input, "GET / HTTP/1.1\r\n" HOST "Y: ");
    at = fill(at, 'y', (size_t)(input + NET_HTTP1_HEAD_MAX - 4 - at));
    memcpy(at, "\r\n\r\n", 4);
    gives_bytes(input, NET_HTTP1_HEAD_MAX, "GET \"/\" \"\" 1.1 keep\ndone \"\"\n");
    memcpy(at, "y\r\n\r\n", 5);
    gives_bytes(input, NET_HTTP1_HEAD_MAX + 1, "error 431\n");
    memset(at, 'y', 50);
    gives_bytes(input, NET_HTTP1_HEAD_MAX, "");
    gives_bytes(input, NET_HTTP1_HEAD_MAX + 1, "error 431\n");
    at = input + sprintf(input, "GET /");
    fill(at, 'y', NET_HTTP1_HEAD_MAX);
    gives_bytes(input, NET_HTTP1_HEAD_MAX + 1, "error 431\n");
}

static void bounds_the_number_of_headers(void)
{
    static char input[8192];
    char *at = input + sprintf(input, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < 256; i++)
        at += sprintf(at, "a: %d\r\n", i % 10);
    strcpy(at, "\r\n");
    gives(input, "GET \"/\" \"\" 1.1 keep\ndone \"\"\n");
    strcpy(at, "a:\r\n\r\n");
    gives(input, "error 431\n");
}

static void bounds_the_body(void)
{
    char input[400];
    int len = sprintf(input, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n%0100d", 7);
    char want[300];
    sprintf(want, "POST \"/\" \"\" 1.1 keep length=100\ndone \"%0100d\"\n", 7);
    gives_bytes(input, (size_t)len, want);
    gives_for("Content-Length: 101\r\n\r\n", "POST \"/\" \"\" 1.1 keep length=101\nerror 413\n");
    gives_for("Content-Length: 999999999999999999\r\n\r\n",
              "POST \"/\" \"\" 1.1 keep length=999999999999999999\nerror 413\n");
    gives_for("Transfer-Encoding: chunked\r\n\r\n65", "POST \"/\" \"\" 1.1 keep\nerror 413\n");
}

/* An idle parser is lent to other connections, so it must not have half of a blank line. */
static void is_idle_between_requests_only(void)
{
    struct net_http1 *http = net_http1_new();
    static const char input[] = "\r\nGET / HTTP/1.1\r\n" HOST "\r\n";
    size_t used;
    CHECK(net_http1_idle(http));
    for (size_t i = 0; i < sizeof input - 1; i++) {
        int event = net_http1_feed(http, MAX, input + i, 1, &used);
        CHECK_INT(event, i + 2 == sizeof input ? NET_HTTP1_HEAD : NET_HTTP1_MORE);
        CHECK(net_http1_idle(http) == (i == 1));
    }
    CHECK_INT(net_http1_feed(http, MAX, NULL, 0, &used), NET_HTTP1_DONE);
    CHECK(!net_http1_idle(http));
    CHECK_INT(net_http1_feed(http, MAX, "\r\n", 2, &used), NET_HTTP1_MORE);
    CHECK(net_http1_idle(http));
    net_http1_free(http);
}

/* A request of the largest kind leaves no trace in the next one, nor after a failure. */
static void forgets_at_reset(void)
{
    struct net_http1 *http = net_http1_new();
    size_t used;
    for (int i = 0; i < 2; i++) {
        CHECK_INT(net_http1_feed(http, MAX, "GET /\xff", 6, &used), NET_HTTP1_MORE);
        net_http1_reset(http);
        CHECK(net_http1_idle(http));
        CHECK(net_http1_feed(http, MAX, "\n", 1, &used) < 0);
        CHECK_INT(net_http1_status(http), 400);
        net_http1_reset(http);
        CHECK_INT(net_http1_status(http), 0);
        static const char input[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
        CHECK_INT(net_http1_feed(http, MAX, input, sizeof input - 1, &used), NET_HTTP1_HEAD);
        CHECK(!net_http1_header(http, "x").data);
        net_http1_reset(http);
    }
    net_http1_free(http);
}

static void survives_every_failing_allocation(void)
{
    static const char input[] =
        "POST /a?b HTTP/1.1\r\n" HOST "X: 1\r\nX: 2\r\nContent-Length: 3\r\n\r\nabc"
        "POST / HTTP/1.1\r\n" HOST "X: 3\r\nX: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "50\r\n01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
        "0\r\n\r\n";
    char *want = http1_trace(cuts_of(CUTS_WHOLE, 1), MAX, input, sizeof input - 1);
    for (int run = CUTS_WHOLE; run <= CUTS_RANDOM; run++)
        for (long n = 1, failed = 1; failed; n++) {
            base_mem_fail(n, 1);
            char *got = http1_trace(cuts_of(run, 1), MAX, input, sizeof input - 1);
            failed = base_mem_tries() >= n;
            base_mem_fail(0, 0);
            const char *last = n == 1 ? "no parser\n" : failed ? "error 500\n" : "";
            size_t len = strlen(got), tail = strlen(last);
            CHECK(len >= tail && strncmp(got, want, len - tail) == 0);
            CHECK_STR(got + len - tail, last);
            CHECK(failed || strcmp(got, want) == 0);
            free(got);
        }
    free(want);
}

static void check_file(const struct corpus_file *file)
{
    char error[32] = "error ";
    if (file->code)
        snprintf(error, sizeof error, "error %ld\n", file->code);
    char *whole = http1_trace(cuts_of(CUTS_WHOLE, 1), MAX, file->data, file->len);
    CHECK(file->accept == !strstr(whole, error));
    CHECK(!file->accept || strstr(whole, "done"));
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        char *got = http1_trace(cuts, MAX, file->data, file->len);
        CHECK_STR(got, whole);
        free(got);
    }
    free(whole);
}

static void agrees_with_the_corpus(void)
{
    corpus_each("http1", check_file);
}

int main(void)
{
    RUN(reads_requests);
    RUN(reads_pipelined_requests);
    RUN(joins_headers_of_one_name);
    RUN(tells_whether_to_keep_the_connection);
    RUN(recognises_upgrades);
    RUN(announces_what_waits_for_100);
    RUN(splits_targets);
    RUN(refuses_request_lines);
    RUN(wants_one_host);
    RUN(refuses_header_lines);
    RUN(refuses_to_be_smuggled_past);
    RUN(bounds_the_head);
    RUN(bounds_the_number_of_headers);
    RUN(bounds_the_body);
    RUN(is_idle_between_requests_only);
    RUN(forgets_at_reset);
    RUN(survives_every_failing_allocation);
    RUN(agrees_with_the_corpus);
    return test_end();
}
