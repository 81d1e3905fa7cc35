/* SPDX-License-Identifier: ISC
 *
 * Sites on a port of their own and beside an endpoint, and what a connection may make the server
 * keep: a server on this thread, and raw clients of it between the turns of its loop.
 */
#include "net/server/server.h"

#include "base/buf.h"
#include "base/mem.h"
#include "lib/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static struct {
    uv_loop_t loop;
    struct net_server *server;
    uint16_t port, site_port;
    struct net_request *held; /* of /later */
    bool done;
} t;

/* ---- the server ---- */

static void on_now(void *data, struct net_request *request)
{
    CHECK(data == &t);
    struct base_slice accept = net_request_header(request, "accept");
    net_request_answer(request, &(struct net_response){.status = 200,
                                                       .type = "text/x-accept",
                                                       .headers = "X-More: yes\r\n",
                                                       .body = accept});
}

static void on_later(void *data, struct net_request *request)
{
    (void)data;
    CHECK(t.held == NULL);
    t.held = request;
}

/* The method, the query and the body. */
static void on_form(void *data, struct net_request *request)
{
    struct base_buf text = BASE_BUF_INIT;
    CHECK(data == &t.held);
    CHECK_INT(net_request_worker(request), 0);
    struct base_slice query = net_request_query(request), body = net_request_body(request);
    base_buf_printf(&text, "%s?", net_request_is_post(request) ? "POST" : "GET");
    base_buf_add(&text, query.data, query.len);
    base_buf_add_byte(&text, '=');
    base_buf_add(&text, body.data, body.len);
    net_request_answer(
        request,
        &(struct net_response){.status = 200, .type = "text/plain", .body = {text.data, text.len}});
    base_buf_fini(&text);
}

static void on_held(void *data, struct net_request *request)
{
    CHECK(data == &t.held);
    CHECK(t.held == NULL);
    t.held = request;
}

static const struct net_page pages[] = {
    {.path = "/now", .on_request = on_now},
    {.path = "/later", .on_request = on_later},
};

static const struct net_page pages_beside[] = {
    {.path = "/form", .on_request = on_form, .max_body_bytes = 20},
    {.path = "/held", .on_request = on_held, .max_body_bytes = 20},
    {.path = "/read", .on_request = on_form},
};

static void on_closed(void *data)
{
    (void)data;
    t.done = true;
}

static uint16_t port_of(const char *bound)
{
    return (uint16_t)atoi(strrchr(bound, ':') + 1);
}

static void begin(void)
{
    char bound[NET_ADDRESS_MAX];
    struct base_why why;
    struct net_server_options options = {
        .endpoints = &net_endpoint_defaults,
        .endpoint_count = 1,
        .workers = 1,
        .header_timeout_ms = 10000,
        .request_timeout_ms = 10000,
        .idle_timeout_ms = 10000,
    };
    struct net_site site = {.pages = pages, .page_count = 2, .data = &t};
    static const struct net_site beside = {.pages = pages_beside, .page_count = 3, .data = &t.held};
    options.pages = &beside;
    memset(&t, 0, sizeof t);
    uv_loop_init(&t.loop);
    CHECK_INT(net_server_new(&t.loop, &options, &t.server, &why), 0);
    CHECK_INT(net_server_listen(t.server, "127.0.0.1", 0, bound, &why), 0);
    t.port = port_of(bound);
    CHECK_INT(net_server_listen_site(t.server, "127.0.0.1", 0, &site, bound, &why), 0);
    t.site_port = port_of(bound);
}

static void end(void)
{
    if (!t.done)
        net_server_close(t.server, 0, on_closed, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK(t.done);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}

static void turn(void)
{
    uv_run(&t.loop, UV_RUN_NOWAIT);
}

/* ---- its clients ---- */

static int dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), room = 64 * 1024;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Adds what comes until the server closes, or has been silent for so many turns. */
static void hear(int fd, struct base_buf *heard, int turns)
{
    char bytes[4096];
    for (int silent = 0; silent < turns; silent++) {
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return;
        if (got > 0) {
            base_buf_add(heard, bytes, (size_t)got);
            silent = 0;
        } else {
            turn();
        }
    }
}

/* The answer to a request on a connection that ends with it. Until the next call. */
static const char *ask(uint16_t port, const char *request)
{
    static struct base_buf heard;
    int fd = dial(port);
    base_buf_fini(&heard);
    say(fd, request);
    hear(fd, &heard, INT_MAX);
    close(fd);
    const char *answer = base_buf_cstr(&heard);
    static char copy[8192];
    snprintf(copy, sizeof copy, "%s", answer ? answer : "");
    base_buf_fini(&heard);
    return copy;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text), with_len = strlen(with);
    return len >= with_len && strcmp(text + len - with_len, with) == 0;
}

#define MANY 50000

#define REQUEST(method, path, more) method " " path " HTTP/1.1\r\nHost: x\r\n" more "\r\n"
#define LAST                        "Connection: close\r\n"

/* ---- tests ---- */

static void a_page_is_read(void)
{
    begin();
    const char *got = ask(t.site_port, REQUEST("GET", "/now?a=b", "Accept: a/b\r\n" LAST));
    CHECK(begins(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(strstr(got, "\r\nContent-Type: text/x-accept\r\n"));
    CHECK(strstr(got, "\r\nContent-Length: 3\r\n"));
    CHECK(strstr(got, "\r\nX-More: yes\r\n"));
    CHECK(ends(got, "\r\n\r\na/b"));
    got = ask(t.site_port, REQUEST("HEAD", "/now", "Accept: a/b\r\n" LAST));
    CHECK(begins(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(strstr(got, "\r\nContent-Length: 3\r\n"));
    CHECK(ends(got, "\r\n\r\n"));
    end();
}

static void nothing_else_is_there(void)
{
    static const char *const unknown[] = {
        REQUEST("GET", "/", LAST),
        REQUEST("GET", "/now/", LAST),
        REQUEST("GET", "/no", LAST),
        REQUEST("GET", "/nowhere", LAST),
        REQUEST("HEAD", "/nowhere", LAST),
        REQUEST("POST", "/nowhere", LAST),
        REQUEST("OPTIONS", "/x", LAST),
        REQUEST("GET", "/%6eow", LAST),
        REQUEST("GET", "/socket.io/?EIO=4&transport=polling", LAST),
        REQUEST("GET", "/socket.io/?EIO=4&transport=websocket",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" REQUEST("GET", "/", LAST)),
    };
    begin();
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        CHECK(begins(ask(t.site_port, unknown[i]), "HTTP/1.1 404 Not Found\r\n"));
    CHECK(begins(ask(t.port, REQUEST("GET", "/now", LAST)), "HTTP/1.1 404 "));
    CHECK(begins(ask(t.port, REQUEST("GET", "/socket.io/?EIO=4&transport=polling", LAST)),
                 "HTTP/1.1 200 "));
    struct net_server_stats stats;
    net_server_get_stats(t.server, &stats);
    CHECK_INT(stats.request_errors, 1); /* those of the site do not count */
    CHECK_INT(stats.sessions_opened, 1);
    end();
}

static void only_reading_is_allowed(void)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    char request[256];
    begin();
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        snprintf(request, sizeof request, "%s /now HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        const char *got = ask(t.site_port, request);
        CHECK(begins(got, "HTTP/1.1 405 Method Not Allowed\r\n"));
        CHECK(strstr(got, "\r\nAllow: GET, HEAD\r\n"));
    }
    /* Refused before it has come. */
    CHECK(begins(ask(t.site_port, REQUEST("POST", "/now", "Content-Length: 100000\r\n")),
                 "HTTP/1.1 405 "));
    CHECK(
        begins(ask(t.site_port, REQUEST("GET", "/now", "Content-Length: 1\r\n")), "HTTP/1.1 413 "));
    CHECK(begins(ask(t.site_port, REQUEST("GET", "/now", "Transfer-Encoding: chunked\r\n") "1\r\n"),
                 "HTTP/1.1 413 "));
    CHECK(begins(ask(t.site_port, REQUEST("GET", "/now", "Content-Length: 0\r\n" LAST)),
                 "HTTP/1.1 200 "));
    CHECK(begins(ask(t.site_port, "GET /now HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "));
    end();
}

static void an_answer_may_come_later(void)
{
    struct base_buf heard = BASE_BUF_INIT;
    begin();
    int fd = dial(t.site_port);
    say(fd, REQUEST("GET", "/later", "Accept: a/b\r\n")
                REQUEST("GET", "/now", "Accept: second\r\n" LAST));
    while (!t.held)
        turn();
    CHECK(net_request_header(t.held, "accept").data == NULL);
    net_request_answer(t.held, &(struct net_response){.status = 503, .body = {"first", 5}});
    hear(fd, &heard, INT_MAX);
    CHECK(begins(heard.data, "HTTP/1.1 503 "));
    CHECK(strstr(base_buf_cstr(&heard), "\r\n\r\nfirstHTTP/1.1 200 OK\r\n"));
    CHECK(ends(heard.data, "\r\n\r\nsecond"));
    close(fd);
    base_buf_fini(&heard);
    end();
}

/* ---- beside an endpoint ---- */

#define CHUNKED(path, more) REQUEST("POST", path, "Transfer-Encoding: chunked\r\n" more)

static void pages_are_beside_an_endpoint(void)
{
    begin();
    const char *got = ask(t.port, REQUEST("GET", "/form?a=b", LAST));
    CHECK(begins(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(ends(got, "\r\n\r\nGET?a=b="));
    got = ask(t.port, REQUEST("HEAD", "/form", LAST));
    CHECK(strstr(got, "\r\nContent-Length: 5\r\n"));
    CHECK(ends(got, "\r\n\r\n"));
    got = ask(t.port, REQUEST("POST", "/form?", "Content-Length: 3\r\n" LAST) "xyz");
    CHECK(ends(got, "\r\n\r\nPOST?=xyz"));
    got = ask(t.port, REQUEST("POST", "/form", LAST));
    CHECK(ends(got, "\r\n\r\nPOST?="));
    got =
        ask(t.port, REQUEST("POST", "/form", "Content-Length: 20\r\n" LAST) "01234567890123456789");
    CHECK(ends(got, "\r\n\r\nPOST?=01234567890123456789"));
    got = ask(t.port, "POST /form HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
    CHECK(ends(got, "\r\n\r\nPOST?=x"));
    CHECK(!strstr(got, "Access-Control"));
    CHECK(begins(ask(t.site_port, REQUEST("GET", "/form", LAST)), "HTTP/1.1 404 "));
    CHECK(begins(ask(t.port, REQUEST("GET", "/form/", LAST)), "HTTP/1.1 404 "));
    CHECK(begins(ask(t.port, REQUEST("GET", "/socket.io/?EIO=4&transport=polling", LAST)),
                 "HTTP/1.1 200 "));
    end();
}

static void what_a_page_does_not_take_is_refused(void)
{
    static const char *const too_long[] = {
        REQUEST("POST", "/form", "Content-Length: 21\r\n"),
        REQUEST("POST", "/form", "Content-Length: 99999999\r\nExpect: 100-continue\r\n"),
        CHUNKED("/form", "") "15\r\n",
        CHUNKED("/form", "") "14\r\n01234567890123456789\r\n1\r\n",
        REQUEST("GET", "/form", "Content-Length: 1\r\n"),
        REQUEST("HEAD", "/form", "Content-Length: 1\r\n"),
    };
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "PATCH"};
    struct net_server_stats stats;
    char request[256];
    begin();
    for (size_t i = 0; i < sizeof too_long / sizeof too_long[0]; i++)
        CHECK(begins(ask(t.port, too_long[i]), "HTTP/1.1 413 "));
    net_server_get_stats(t.server, &stats);
    CHECK_INT(stats.refused[NET_REFUSED_BODY], 6);
    CHECK_INT(stats.request_errors, 6);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        snprintf(request, sizeof request,
                 "%s /form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                 "Expect: 100-continue\r\n\r\n",
                 methods[i]);
        const char *got = ask(t.port, request);
        CHECK(begins(got, "HTTP/1.1 405 Method Not Allowed\r\n"));
        CHECK(strstr(got, "\r\nAllow: GET, HEAD, POST\r\n"));
    }
    const char *got = ask(t.port, REQUEST("POST", "/read", "Content-Length: 3\r\n") "xyz");
    CHECK(begins(got, "HTTP/1.1 405 "));
    CHECK(strstr(got, "\r\nAllow: GET, HEAD\r\n"));
    CHECK(begins(ask(t.port, CHUNKED("/form", "") "x\r\n"), "HTTP/1.1 400 "));
    CHECK(begins(ask(t.port, REQUEST("POST", "/form", "Content-Length: x\r\n")), "HTTP/1.1 400 "));
    end();
}

static void a_body_that_waits_is_asked_for(void)
{
    struct base_buf heard = BASE_BUF_INIT;
    begin();
    int fd = dial(t.port);
    say(fd, REQUEST("POST", "/form", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
    while (heard.len < 25)
        hear(fd, &heard, 10);
    CHECK_BYTES(heard.data, heard.len, "HTTP/1.1 100 Continue\r\n\r\n");
    heard.len = 0;
    say(fd, "xyz" REQUEST("GET", "/form", LAST));
    hear(fd, &heard, INT_MAX);
    CHECK(begins(heard.data, "HTTP/1.1 200 OK\r\n"));
    CHECK(strstr(base_buf_cstr(&heard), "\r\n\r\nPOST?=xyzHTTP/1.1 200 OK\r\n"));
    CHECK(ends(heard.data, "\r\n\r\nGET?="));
    close(fd);
    base_buf_fini(&heard);
    end();
}

static const char three_requests[] =
    REQUEST("POST", "/form?1", "Content-Length: 5\r\n") "a\r\n\r\n" CHUNKED(
        "/form?2",
        "") "3;x\r\nbcd\r\n1\r\ne\r\n0\r\nX: y\r\n\r\n" REQUEST("POST", "/form?3",
                                                                "Content-Length: 1\r\n" LAST) "f";

/* The bodies of the three answers. */
static void three_answers_came(struct base_buf *heard)
{
    const char *text = base_buf_cstr(heard);
    const char *first = strstr(text, "\r\n\r\nPOST?1=a\r\n\r\nHTTP/1.1 200 OK\r\n");
    CHECK(begins(text, "HTTP/1.1 200 OK\r\n"));
    CHECK(first && strstr(first, "\r\n\r\nPOST?2=bcdeHTTP/1.1 200 OK\r\n"));
    CHECK(ends(text, "\r\n\r\nPOST?3=f"));
}

static void requests_may_be_cut_anywhere(void)
{
    begin();
    for (size_t cut = 0; cut < sizeof three_requests; cut++) {
        struct base_buf heard = BASE_BUF_INIT;
        int fd = dial(t.port);
        if (cut > 0)
            CHECK_INT(send(fd, three_requests, cut, MSG_NOSIGNAL), (ssize_t)cut);
        hear(fd, &heard, 3);
        if (cut < sizeof three_requests - 1)
            say(fd, three_requests + cut);
        hear(fd, &heard, INT_MAX);
        three_answers_came(&heard);
        close(fd);
        base_buf_fini(&heard);
    }
    end();
}

static void what_follows_waits_for_the_answer(void)
{
    struct base_buf heard = BASE_BUF_INIT;
    begin();
    int fd = dial(t.port);
    say(fd, REQUEST("POST", "/held", "Content-Length: 1\r\n") "x");
    say(fd, three_requests);
    while (!t.held)
        turn();
    hear(fd, &heard, 20);
    CHECK_INT(heard.len, 0);
    CHECK_INT(net_request_body(t.held).len, 0); /* it is not kept */
    CHECK(!net_request_is_post(t.held));
    net_request_answer(t.held, &(struct net_response){.status = 410});
    hear(fd, &heard, INT_MAX);
    CHECK(begins(heard.data, "HTTP/1.1 410 Gone\r\n"));
    base_buf_consume(&heard, (size_t)(strstr(base_buf_cstr(&heard), "\r\n\r\n") + 4 - heard.data));
    three_answers_came(&heard);
    close(fd);
    base_buf_fini(&heard);
    end();
}

static void a_server_ends_before_its_answers(void)
{
    begin();
    int fd = dial(t.port);
    say(fd, REQUEST("POST", "/held", ""));
    while (!t.held)
        turn();
    end();
    net_request_answer(t.held, &(struct net_response){.status = 200});
    close(fd);
}

static uint64_t connections(void)
{
    struct net_server_stats stats;
    net_server_get_stats(t.server, &stats);
    return stats.connections;
}

static void a_peer_that_has_gone_needs_no_answer(void)
{
    begin();
    int fd = dial(t.site_port);
    say(fd, REQUEST("GET", "/later", ""));
    while (!t.held)
        turn();
    CHECK_INT(connections(), 0);
    close(fd);
    for (int i = 0; i < 100; i++)
        turn();
    net_request_answer(t.held, &(struct net_response){.status = 200});
    end();
}

/* The last that looks at the server learns how it ends. */
static void a_site_is_served_while_the_rest_is_closed(void)
{
    begin();
    int poll = dial(t.port);
    say(poll, REQUEST("GET", "/socket.io/?EIO=4&transport=polling", "X: "));
    while (connections() == 0)
        turn();
    for (int i = 0; i < 100; i++) /* half a request: it may become a whole one until time is up */
        turn();
    net_server_close(t.server, 600000, on_closed, NULL);
    turn();
    const char *got = ask(t.site_port, REQUEST("GET", "/now", ""));
    CHECK(begins(got, "HTTP/1.1 200 OK\r\n"));
    CHECK(strstr(got, "\r\nConnection: close\r\n"));
    int fd = dial(t.site_port);
    say(fd, REQUEST("GET", "/later", ""));
    while (!t.held)
        turn();
    CHECK(!t.done);
    close(poll);
    end();
    net_request_answer(t.held, &(struct net_response){.status = 200});
    close(fd);
}

/* Sends requests one after another as long as they are taken, and reads nothing; how many whole
 * ones, and in `*rest` what of the next has not been sent. */
static size_t push(int fd, const char *request, const char **rest)
{
    size_t len = strlen(request), sent = 0, count = 0;
    for (int refused = 0; refused < 100 && count < MANY; turn()) {
        ssize_t n = send(fd, request + sent, len - sent, MSG_NOSIGNAL);
        refused = n < 0 ? refused + 1 : 0;
        sent += n < 0 ? 0 : (size_t)n;
        count += sent == len;
        sent %= len;
    }
    *rest = request + (sent ? sent : len);
    return count + (sent > 0);
}

static size_t count_of(const struct base_buf *text, const char *part)
{
    size_t count = 0, len = strlen(part);
    const char *at = text->data, *end = text->data + text->len;
    while ((at = memmem(at, (size_t)(end - at), part, len))) {
        at += len;
        count++;
    }
    return count;
}

/* Its answers wait in the kernel, and behind them its requests, but not in the server. */
static void a_peer_that_takes_no_answers_is_read_no_further(void)
{
    static char request[900];
    struct base_buf heard = BASE_BUF_INIT;
    const char *rest;
    int len = snprintf(request, sizeof request,
                       "OPTIONS /socket.io/ HTTP/1.1\r\nHost: x\r\n"
                       "Access-Control-Request-Headers: ");
    memset(request + len, 'x', 800);
    strcpy(request + len + 800, "\r\n\r\n");
    begin();
    int fd = dial(t.port);
    size_t count = push(fd, request, &rest);
    CHECK(count > 100 && count < MANY);
    /* When it takes them it gets every one. */
    while (*rest) {
        ssize_t n = send(fd, rest, strlen(rest), MSG_NOSIGNAL);
        rest += n < 0 ? 0 : n;
        hear(fd, &heard, 10);
    }
    shutdown(fd, SHUT_WR);
    hear(fd, &heard, INT_MAX);
    CHECK_INT(count_of(&heard, "HTTP/1.1 204 "), count);
    close(fd);
    base_buf_fini(&heard);
    end();
}

int main(void)
{
    RUN(a_page_is_read);
    RUN(nothing_else_is_there);
    RUN(only_reading_is_allowed);
    RUN(an_answer_may_come_later);
    RUN(pages_are_beside_an_endpoint);
    RUN(what_a_page_does_not_take_is_refused);
    RUN(a_body_that_waits_is_asked_for);
    RUN(requests_may_be_cut_anywhere);
    RUN(what_follows_waits_for_the_answer);
    RUN(a_server_ends_before_its_answers);
    RUN(a_peer_that_has_gone_needs_no_answer);
    RUN(a_site_is_served_while_the_rest_is_closed);
    RUN(a_peer_that_takes_no_answers_is_read_no_further);
    return test_end();
}
