/* SPDX-License-Identifier: ISC
 *
 * Attempts against receivers of the test's own, on the same loop.
 */
#include "arda/webhook/send.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "lib/loop.h"
#include "net/io/tls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_PEERS 8
#define BODY       "{\"type\":\"notification\",\"text\":\"a \\u00e9 b\"}"
#define ID         "msg_0195f3c2"

/* ---- the receiver ---- */

enum mode { ANSWER, SILENT, RESET, FLOOD };

static struct {
    uv_tcp_t listener;
    uv_tcp_t peers[MOST_PEERS];
    int count, closed;
    enum mode mode;
    const char *answer;
    const char *flood;
    char flooding[16384];
    uv_write_t writes[MOST_PEERS];
    int port;
    char read[4096];
    char request[8192];
    size_t request_len;
} receiver;

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(receiver.read, sizeof receiver.read);
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
    receiver.closed++;
}

static void end_peer(uv_stream_t *peer)
{
    if (!uv_is_closing((uv_handle_t *)peer))
        uv_close((uv_handle_t *)peer, on_closed);
}

static bool request_is_whole(void)
{
    receiver.request[receiver.request_len] = '\0';
    const char *end = strstr(receiver.request, "\r\n\r\n");
    const char *length = strcasestr(receiver.request, "\r\nContent-Length: ");
    return end && length &&
           receiver.request_len >=
               (size_t)(end + 4 - receiver.request) + strtoul(length + 18, NULL, 10);
}

/* Without end, until the other side closes. */
static void on_flooded(uv_write_t *write, int status)
{
    uv_buf_t more = uv_buf_init(receiver.flooding, sizeof receiver.flooding);
    if (status < 0 || uv_is_closing((uv_handle_t *)write->handle))
        end_peer(write->handle);
    else
        uv_write(write, write->handle, &more, 1, on_flooded);
}

static void on_read(uv_stream_t *peer, ssize_t got, const uv_buf_t *buf)
{
    if (got < 0) {
        end_peer(peer);
        return;
    }
    base_assert(receiver.request_len + (size_t)got < sizeof receiver.request);
    memcpy(receiver.request + receiver.request_len, buf->base, (size_t)got);
    receiver.request_len += (size_t)got;
    if (receiver.mode == SILENT || !request_is_whole())
        return;
    if (receiver.mode == RESET) {
        uv_tcp_close_reset((uv_tcp_t *)peer, on_closed);
        return;
    }
    uv_buf_t answer =
        uv_buf_init((char *)(uintptr_t)receiver.answer, (unsigned)strlen(receiver.answer));
    CHECK_INT(uv_try_write(peer, &answer, 1), answer.len);
    if (receiver.mode == FLOOD) {
        uv_write_t *write = &receiver.writes[(uv_tcp_t *)peer - receiver.peers];
        write->handle = peer;
        on_flooded(write, 0);
    }
}

static void on_peer(uv_stream_t *listener, int status)
{
    CHECK_INT(status, 0);
    base_assert(receiver.count < MOST_PEERS);
    uv_tcp_t *peer = &receiver.peers[receiver.count++];
    uv_tcp_init(&test_loop, peer);
    CHECK_INT(uv_accept(listener, (uv_stream_t *)peer), 0);
    uv_read_start((uv_stream_t *)peer, on_alloc, on_read);
}

/* ---- a sender, and an attempt of it ---- */

static struct arda_webhook_sender *sender;
static struct arda_webhook_key keys[2];
static struct base_block loopback;

static struct {
    struct arda_webhook_attempt *attempt;
    int ends;
    bool close_sender;
    struct arda_webhook_result result;
} seen;

static void on_done(void *data, const struct arda_webhook_result *result)
{
    CHECK(data == &seen);
    seen.ends++;
    seen.result = *result;
    if (seen.close_sender)
        arda_webhook_sender_close(sender);
}

static void begin_with(enum mode mode, const char *answer, bool allowed, int64_t timeout_ms)
{
    struct sockaddr_in address;
    int len = sizeof address;
    memset(&receiver, 0, sizeof receiver);
    memset(&seen, 0, sizeof seen);
    receiver.mode = mode;
    receiver.answer = answer;
    test_loop_init();
    uv_tcp_init(&test_loop, &receiver.listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    CHECK_INT(uv_tcp_bind(&receiver.listener, (struct sockaddr *)&address, 0), 0);
    CHECK_INT(uv_listen((uv_stream_t *)&receiver.listener, 8, on_peer), 0);
    uv_tcp_getsockname(&receiver.listener, (struct sockaddr *)&address, &len);
    receiver.port = ntohs(address.sin_port);
    struct arda_webhook_sender_options options = {.loop = &test_loop,
                                                  .allowed = &loopback,
                                                  .allowed_count = allowed ? 1 : 0,
                                                  .timeout_ms = timeout_ms};
    CHECK_INT(arda_webhook_sender_new(&options, &sender), 0);
}

static void begin(enum mode mode, const char *answer)
{
    begin_with(mode, answer, true, 60000);
}

static void end(void)
{
    if (!seen.close_sender)
        arda_webhook_sender_close(sender);
    if (!uv_is_closing((uv_handle_t *)&receiver.listener))
        uv_close((uv_handle_t *)&receiver.listener, NULL);
    RUN_UNTIL(receiver.closed == receiver.count);
    test_loop_fini();
}

static void send_to(const char *url, size_t key_count)
{
    struct arda_webhook_request request = {.url = url,
                                           .id = {ID, strlen(ID)},
                                           .body = {BODY, strlen(BODY)},
                                           .keys = keys,
                                           .key_count = key_count,
                                           .done = on_done,
                                           .data = &seen};
    receiver.request_len = 0;
    CHECK_INT(arda_webhook_send(sender, &request, &seen.attempt), 0);
}

/* `url`: with %d for the port. */
static void try_url(const char *format, size_t key_count)
{
    char url[512];
    const char *mark = strstr(format, "%d");
    if (mark)
        snprintf(url, sizeof url, "%.*s%d%s", (int)(mark - format), format, receiver.port,
                 mark + 2);
    else
        snprintf(url, sizeof url, "%s", format);
    int before = seen.ends;
    send_to(url, key_count);
    CHECK_INT(seen.ends, before); /* never at once */
    RUN_UNTIL(seen.ends == before + 1);
}

static void try(void)
{
    try_url("http://127.0.0.1:%d/hook?token=s3cr3t", 1);
    CHECK(!strstr(seen.result.text, "s3cr3t"));
}

/* ---- answers ---- */

static struct base_slice header(const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(receiver.request, line);
    CHECK(at != NULL);
    at = at ? at + strlen(line) : "";
    return (struct base_slice){at, strcspn(at, "\r")};
}

static void check_request(size_t key_count)
{
    struct base_buf signature = BASE_BUF_INIT;
    const char *body = strstr(receiver.request, "\r\n\r\n") + 4;
    struct arda_webhook_content content = {header("webhook-id"),
                                           strtoll(header("webhook-timestamp").data, NULL, 10),
                                           {body, strlen(body)}};
    CHECK(strncmp(receiver.request, "POST /hook?token=s3cr3t HTTP/1.1\r\n", 34) == 0);
    CHECK_STR(body, BODY);
    CHECK_BYTES(content.id.data, content.id.len, ID);
    CHECK(llabs(content.timestamp_s - base_clock_wall_ms() / 1000) < 60);
    CHECK_INT(arda_webhook_sign(&signature, &content, keys, key_count), 0);
    struct base_slice sent = header("webhook-signature");
    CHECK_BYTES(sent.data, sent.len, base_buf_cstr(&signature));
    base_buf_fini(&signature);
    CHECK_BYTES(header("content-type").data, header("content-type").len, "application/json");
    CHECK(strncmp(header("user-agent").data, "Arda/", 5) == 0);
    CHECK(!strcasestr(receiver.request, "\r\nexpect:"));
}

static void delivers(void)
{
    begin(ANSWER, "HTTP/1.1 204 Fine\r\n\r\n");
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    CHECK_INT(seen.result.status, 204);
    CHECK_STR(seen.result.text, "HTTP 204");
    CHECK(seen.result.duration_ms >= 0 && seen.result.duration_ms < TEST_DEADLINE_MS);
    CHECK_INT(seen.result.retry_after_ms, 0);
    check_request(1);
    try_url("http://127.0.0.1:%d/hook?token=s3cr3t", 2);
    check_request(2);
    CHECK(memchr(header("webhook-signature").data, ' ', header("webhook-signature").len) != NULL);
    CHECK_INT(receiver.count, 1); /* the connection is used again */
    end();
}

static void judges_statuses(void)
{
    static const struct {
        const char *answer;
        enum arda_outcome outcome;
        int status;
        const char *text;
    } cases[] = {
        {"200 OK\r\nContent-Length: 2\r\n\r\nok", ARDA_OUTCOME_DONE, 200, "HTTP 200: ok"},
        {"299 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_DONE, 299, "HTTP 299"},
        {"410 Gone\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_GONE, 410, "HTTP 410"},
        {"429 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_SLOW_DOWN, 429, "HTTP 429"},
        {"502 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_SLOW_DOWN, 502, "HTTP 502"},
        {"504 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_SLOW_DOWN, 504, "HTTP 504"},
        {"500 X\r\nContent-Length: 4\r\n\r\nboom", ARDA_OUTCOME_RETRY, 500, "HTTP 500: boom"},
        {"503 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_RETRY, 503, "HTTP 503"},
        {"408 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_RETRY, 408, "HTTP 408"},
        {"425 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_RETRY, 425, "HTTP 425"},
        {"400 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_FAILED, 400, "HTTP 400"},
        {"401 X\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_FAILED, 401,
         "HTTP 401"},
        {"404 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_FAILED, 404, "HTTP 404"},
        {"499 X\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_FAILED, 499, "HTTP 499"},
        {"304 X\r\n\r\n", ARDA_OUTCOME_FAILED, 304, "HTTP 304, redirects are not followed"},
        {"100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ARDA_OUTCOME_DONE, 200,
         "HTTP 200"},
        {"500 X\r\nContent-Length: 27\r\n\r\n \r\n a\t\tb\x01\x1b[31m \xff\xc3\xa9\xe2\x80\xae "
         "c\r\n\r\n ",
         ARDA_OUTCOME_RETRY, 500, "HTTP 500: a b\\u0001\\u001b[31m ?\xc3\xa9\\u202e c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char answer[256];
        snprintf(answer, sizeof answer, "HTTP/1.1 %s", cases[i].answer);
        begin(ANSWER, answer);
        try();
        CHECK_INT(seen.result.outcome, cases[i].outcome);
        CHECK_INT(seen.result.status, cases[i].status);
        CHECK_STR(seen.result.text, cases[i].text);
        CHECK_INT(seen.result.retry_after_ms, 0);
        end();
    }
}

static int64_t retry_after(const char *value)
{
    char answer[256];
    snprintf(answer, sizeof answer,
             "HTTP/1.1 429 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", value);
    begin(ANSWER, answer);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_SLOW_DOWN);
    end();
    return seen.result.retry_after_ms;
}

static void tells_retry_after(void)
{
    char date[64];
    time_t in_an_hour = time(NULL) + 3600;
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&in_an_hour, &parts));
    CHECK_INT(retry_after("120"), 120000);
    CHECK_INT(retry_after("0"), 0);
    CHECK_INT(retry_after("86400"), 86400000);
    CHECK_INT(retry_after("86401"), 86400000);
    CHECK_INT(retry_after("9000000000000000000"), 86400000);
    CHECK_INT(retry_after("-5"), 0);
    CHECK_INT(retry_after("soon"), 0);
    CHECK_INT(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    CHECK_INT(retry_after("Fri, 31 Dec 2088 23:59:59 GMT"), 86400000);
    int64_t wait_ms = retry_after(date);
    CHECK(wait_ms > 3500 * 1000 && wait_ms <= 3600 * 1000);
}

static void follows_no_redirect(void)
{
    char answer[256];
    begin(ANSWER, NULL);
    receiver.answer = answer;
    snprintf(answer, sizeof answer,
             "HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:%d/there\r\nContent-Length: 0\r\n\r\n",
             receiver.port);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_FAILED);
    CHECK_INT(seen.result.status, 307);
    CHECK_STR(seen.result.text, "HTTP 307, redirects are not followed");
    CHECK(!strstr(receiver.request, "/there"));
    CHECK_INT(receiver.count, 1);
    end();
}

/* Both would go on until the deadline of the test if they were not cut off. */
static void reads_only_so_much(void)
{
    begin(FLOOD, "HTTP/1.1 500 X\r\n\r\n");
    for (size_t i = 0; i < sizeof receiver.flooding; i += 2)
        memcpy(receiver.flooding + i, "\xc3\xa9", 2);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_INT(seen.result.status, 500);
    CHECK(strncmp(seen.result.text, "HTTP 500: \xc3\xa9\xc3\xa9", 14) == 0);
    CHECK_INT(strlen(seen.result.text), 10 + ARDA_WEBHOOK_EXCERPT_MAX);
    CHECK(base_utf8_valid(seen.result.text, strlen(seen.result.text)));
    end();
    begin(FLOOD, "HTTP/1.1 503 X\r\n");
    for (size_t i = 0; i < sizeof receiver.flooding; i += 16)
        memcpy(receiver.flooding + i, "x-much: abcdef\r\n", 16);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_STR(seen.result.text, "HTTP 503");
    end();
}

/* ---- no answers ---- */

static void times_out(void)
{
    begin_with(SILENT, NULL, true, 50);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_INT(seen.result.status, 0);
    CHECK(strstr(seen.result.text, "timed out") != NULL);
    CHECK(seen.result.duration_ms >= 50);
    end();
}

static void tells_broken_connections(void)
{
    begin(RESET, NULL);
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_INT(seen.result.status, 0);
    CHECK(seen.result.text[0] != '\0');
    uv_close((uv_handle_t *)&receiver.listener, NULL);
    RUN_UNTIL(!uv_is_active((uv_handle_t *)&receiver.listener));
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK(strstr(seen.result.text, "connect") != NULL);
    /* Of its addresses one is allowed, so this may be different another time. */
    try_url("http://localhost:%d/", 1);
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    end();
    begin(ANSWER, "no HTTP at all\r\n");
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_INT(seen.result.status, 0);
    end();
}

/* ---- what is not allowed ---- */

static void refuses_addresses(void)
{
    static const char *const hosts[] = {"127.0.0.1",
                                        "localhost",
                                        "2130706433",
                                        "0x7f000001",
                                        "0177.0.0.1",
                                        "127.1",
                                        "127.0.0.01",
                                        "[::ffff:127.0.0.1]",
                                        "[::ffff:7f00:1]",
                                        "[::1]",
                                        "0.0.0.0",
                                        "0",
                                        "[::]",
                                        "[64:ff9b::7f00:1]",
                                        "LOCALHOST",
                                        "%31%32%37.0.0.1"};
    begin_with(ANSWER, "HTTP/1.1 204 X\r\n\r\n", false, 60000);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char url[128], plain[64];
        const char *host = hosts[i] + (hosts[i][0] == '[');
        snprintf(plain, sizeof plain, "not sent to %.*s: it is a", (int)strcspn(host, "]"), host);
        snprintf(url, sizeof url, "http://%s:%d/s3cr3t", hosts[i], receiver.port);
        send_to(url, 1);
        RUN_UNTIL(seen.ends == (int)i + 1);
        CHECK_INT(seen.result.outcome, ARDA_OUTCOME_FAILED);
        CHECK_INT(seen.result.status, 0);
        CHECK_BYTES(seen.result.text, strlen(plain), plain);
        CHECK(!strstr(seen.result.text, "s3cr3t"));
    }
    CHECK_INT(receiver.count, 0);
    try_url("http://127.0.0.1:%d/", 1);
    CHECK_STR(seen.result.text, "not sent to 127.0.0.1: it is a loopback address");
    try_url("http://169.254.169.254/latest/meta-data", 1);
    CHECK_STR(seen.result.text, "not sent to 169.254.169.254: it is a link-local address");
    try_url("https://10.0.0.1/", 1);
    CHECK_STR(seen.result.text, "not sent to 10.0.0.1: it is a private address");
    CHECK_INT(receiver.count, 0);
    end();
}

/* The same spellings reach the receiver when the address is allowed: it is what is judged. */
static void allows_addresses(void)
{
    begin(ANSWER, "HTTP/1.1 204 X\r\n\r\n");
    try_url("http://localhost:%d/", 1);
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    try_url("http://2130706433:%d/", 1);
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    try_url("http://[::ffff:127.0.0.1]:%d/", 1);
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    end();
}

static void refuses_urls(void)
{
    static const char *const urls[][2] = {
        {"file:///etc/passwd", "bad URL: expected http://HOST or https://HOST"},
        {"file://localhost/etc/passwd", "bad URL: neither http nor https"},
        {"ftp://127.0.0.1:%d/", "bad URL: neither http nor https"},
        {"gopher://127.0.0.1:%d/x", "bad URL: neither http nor https"},
        {"127.0.0.1:%d/", "bad URL: expected http://HOST or https://HOST"},
        {"", "bad URL: expected http://HOST or https://HOST"},
        {"http://", "bad URL: expected http://HOST or https://HOST"},
        {"http:///x", "bad URL: expected http://HOST or https://HOST"},
        {"http://127.0.0.1:%d0000/", "bad URL: expected http://HOST or https://HOST"},
        {"http://127.0.0.1:%d/a b", "bad URL: a character that a URL cannot have"},
        {"http://127.0.0.1:%d/\r\nx: y", "bad URL: a character that a URL cannot have"},
        {"http://me:s3cr3t@127.0.0.1:%d/", "bad URL: it has a user or a password"},
        {"http://[127.0.0.1]:%d/", "bad URL: malformed"},
    };
    begin(ANSWER, "HTTP/1.1 204 X\r\n\r\n");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        try_url(urls[i][0], 1);
        CHECK_INT(seen.result.outcome, ARDA_OUTCOME_FAILED);
        CHECK_INT(seen.result.status, 0);
        CHECK_STR(seen.result.text, urls[i][1]);
    }
    CHECK_INT(receiver.count, 0);
    end();
}

static void refuses_ids(void)
{
    static const char *const ids[] = {"", "a.b", "a b", "a\r\nx: y", "\xc3\xa9"};
    begin(ANSWER, "HTTP/1.1 204 X\r\n\r\n");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct arda_webhook_request request = {.url = "http://127.0.0.1/",
                                               .id = {ids[i], strlen(ids[i])},
                                               .keys = keys,
                                               .key_count = 1,
                                               .done = on_done,
                                               .data = &seen};
        CHECK_INT(arda_webhook_send(sender, &request, &seen.attempt), BASE_ERR_INVALID);
    }
    end();
}

static void knows_no_proxy_of_the_environment(void)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    begin(ANSWER, "HTTP/1.1 204 X\r\n\r\n");
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    end();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

/* ---- ends ---- */

static void is_cancelled(void)
{
    char url[64];
    begin(SILENT, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", receiver.port);
    send_to(url, 1);
    arda_webhook_cancel(seen.attempt); /* before anything has happened */
    send_to(url, 1);
    RUN_UNTIL(receiver.request_len > 0);
    arda_webhook_cancel(seen.attempt);
    RUN_UNTIL(receiver.closed == 1);
    arda_webhook_cancel(NULL);
    CHECK_INT(seen.ends, 0);
    end();
}

static void sender_is_closed_by_the_last_end(void)
{
    begin(ANSWER, "HTTP/1.1 204 X\r\n\r\n");
    seen.close_sender = true;
    try();
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_DONE);
    end();
    arda_webhook_sender_close(NULL);
}

static void survives_short_memory(void)
{
    struct arda_webhook_request request = {.url = "http://127.0.0.1:1/",
                                           .id = {ID, strlen(ID)},
                                           .keys = keys,
                                           .key_count = 2,
                                           .done = on_done,
                                           .data = &seen};
    int failed = BASE_ERR_NOMEM;
    begin(SILENT, NULL);
    base_mem_fail(0, 0);
    CHECK_INT(arda_webhook_send(sender, &request, &seen.attempt), 0);
    long tries = base_mem_tries();
    arda_webhook_cancel(seen.attempt);
    CHECK(tries > 2);
    for (long i = 1; i <= tries; i++) {
        base_mem_fail(i, 1);
        failed = arda_webhook_send(sender, &request, &seen.attempt);
        base_mem_fail(0, 0);
        CHECK_INT(failed, BASE_ERR_NOMEM);
        if (!failed)
            arda_webhook_cancel(seen.attempt);
    }
    CHECK_INT(seen.ends, 0);
    end();
}

/* ---- TLS ---- */

static void certify(const char *cert_file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"127.0.0.1", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
    FILE *file = fopen(cert_file, "w");
    PEM_write_X509(file, cert);
    fclose(file);
    file = fopen(key_file, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

struct tls_receiver {
    struct net_tls *tls;
    int listener;
    ssize_t got; /* bytes of a request */
};

/* A thread: takes one connection and reads until it ends. */
static void *receive_tls(void *data)
{
    struct tls_receiver *tls = data;
    struct net_tls_conn *conn = NULL;
    char bytes[4096];
    ssize_t got;
    int fd = accept(tls->listener, NULL, NULL);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (net_tls_accept(tls->tls, fd, &conn) == 0) {
        do {
            struct pollfd ready = {.fd = fd, .events = POLLIN};
            got = net_tls_read(conn, bytes, sizeof bytes, NULL);
            tls->got += got > 0 ? got : 0;
            if (got == BASE_ERR_AGAIN && net_tls_flush(conn) == 0)
                poll(&ready, 1, TEST_DEADLINE_MS);
        } while (got > 0 || got == BASE_ERR_AGAIN || got == BASE_ERR_LIMIT);
        net_tls_conn_free(conn);
    }
    close(fd);
    return NULL;
}

static void trusts_no_unknown_certificate(void)
{
    char folder[] = "/tmp/arda-hook-XXXXXX", cert_file[64], key_file[64], url[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct tls_receiver tls = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    pthread_t thread;
    base_assert(mkdtemp(folder));
    snprintf(cert_file, sizeof cert_file, "%s/cert.pem", folder);
    snprintf(key_file, sizeof key_file, "%s/key.pem", folder);
    certify(cert_file, key_file);
    CHECK_INT(net_tls_new(cert_file, key_file, &tls.tls, NULL), 0);
    CHECK_INT(bind(tls.listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(tls.listener, 1), 0);
    getsockname(tls.listener, (struct sockaddr *)&address, &len);
    CHECK_INT(pthread_create(&thread, NULL, receive_tls, &tls), 0);
    begin(SILENT, NULL);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", ntohs(address.sin_port));
    try_url(url, 1);
    CHECK_INT(seen.result.outcome, ARDA_OUTCOME_RETRY);
    CHECK_INT(seen.result.status, 0);
    CHECK(strstr(seen.result.text, "certificate") != NULL);
    end();
    pthread_join(thread, NULL);
    CHECK_INT(tls.got, 0);
    net_tls_free(tls.tls);
    close(tls.listener);
    unlink(cert_file);
    unlink(key_file);
    rmdir(folder);
}

int main(void)
{
    static const char *const secrets[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                          "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"};
    for (size_t i = 0; i < 2; i++) {
        struct base_slice secret = {secrets[i], strlen(secrets[i])};
        CHECK_INT(arda_webhook_key_parse(secret, &keys[i], NULL), 0);
    }
    CHECK_INT(base_block_parse("127.0.0.0/8", &loopback, NULL), 0);
    RUN(delivers);
    RUN(judges_statuses);
    RUN(tells_retry_after);
    RUN(follows_no_redirect);
    RUN(reads_only_so_much);
    RUN(times_out);
    RUN(tells_broken_connections);
    RUN(refuses_addresses);
    RUN(allows_addresses);
    RUN(refuses_urls);
    RUN(refuses_ids);
    RUN(knows_no_proxy_of_the_environment);
    RUN(is_cancelled);
    RUN(sender_is_closed_by_the_last_end);
    RUN(survives_short_memory);
    RUN(trusts_no_unknown_certificate);
    return test_end();
}
