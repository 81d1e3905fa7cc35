/* SPDX-License-Identifier: ISC */
#include "client/handshake.h"

#include "base/mem.h"
#include "lib/test.h"

static void is_at(const char *url, const char *origin, const char *path)
{
    struct client_place place;
    struct base_why why;
    CHECK_INT(client_place_parse(url, &place, &why), 0);
    CHECK_BYTES(place.origin.data, place.origin.len, origin);
    CHECK_BYTES(place.path.data, place.path.len, path);
    client_place_fini(&place);
}

static void finds_places(void)
{
    is_at("http://h", "http://h", "/socket.io/");
    is_at("https://H:443/", "https://h", "/socket.io/");
    is_at("ws://h:3000", "http://h:3000", "/socket.io/");
    is_at("wss://h:80", "https://h:80", "/socket.io/");
    is_at("http://[::1]:3000/a/b", "http://[::1]:3000", "/a/b/");
    is_at("http://h/a/", "http://h", "/a/");
}

static void refuses_other_places(void)
{
    static const char *const urls[] = {
        "",         "h:3000",     "ftp://h",    "http://",      "http://u@h", "http://u:p@h",
        "http://?", "http://h?a", "http://h#a", "http://h/a b", "wsx://h",    "http://h:99999",
    };
    struct client_place place;
    struct base_why why;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        CHECK_INT(client_place_parse(urls[i], &place, &why), BASE_ERR_SYNTAX);
        CHECK(why.text[0] != '\0');
        client_place_fini(&place);
    }
}

static void makes_urls(void)
{
    struct client_place place;
    struct base_buf url = BASE_BUF_INIT;
    CHECK_INT(client_place_parse("wss://h:3000/a", &place, NULL), 0);
    CHECK_INT(client_place_url(&place, "polling", NULL, &url), 0);
    CHECK_STR(url.data, "https://h:3000/a/?EIO=4&transport=polling");
    url.len = 0;
    CHECK_INT(client_place_url(&place, "polling", "s-1", &url), 0);
    CHECK_STR(url.data, "https://h:3000/a/?EIO=4&transport=polling&sid=s-1");
    base_buf_fini(&url);
    client_place_fini(&place);
}

static void survives_no_memory(void)
{
    for (long n = 1;; n++) {
        struct client_place place;
        struct base_buf url = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        int failed = client_place_parse("ws://h:3000/a", &place, NULL);
        if (!failed)
            failed = client_place_url(&place, "polling", "s", &url);
        if (!failed)
            failed = client_ws_request(&place, NULL, "test", "key", &url);
        bool tried = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        base_buf_fini(&url);
        client_place_fini(&place);
        if (!tried)
            break;
        CHECK_INT(failed, BASE_ERR_NOMEM);
    }
}

/* ---- WebSocket ---- */

/* The example of RFC 6455, section 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define HEAD                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"                                   \
    "connection:keep-alive ,\tUpgrade\r\n"

static void asks(void)
{
    struct client_place place;
    struct base_buf request = BASE_BUF_INIT;
    char key[CLIENT_KEY_LEN + 1], other[CLIENT_KEY_LEN + 1];
    CHECK_INT(client_place_parse("http://h:3000", &place, NULL), 0);
    CHECK_INT(client_ws_request(&place, "s", "test", KEY, &request), 0);
    CHECK_BYTES(request.data, request.len,
                "GET /socket.io/?EIO=4&transport=websocket&sid=s HTTP/1.1\r\nHost: h:3000\r\n"
                "User-Agent: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n");
    base_buf_fini(&request);
    client_place_fini(&place);
    CHECK_INT(client_ws_key(key), 0);
    CHECK_INT(client_ws_key(other), 0);
    CHECK_INT(strlen(key), CLIENT_KEY_LEN);
    CHECK(strcmp(key, other) != 0);
}

static int answer(const char *text, struct client_ws_answer *out)
{
    struct base_why why;
    return client_ws_answer_parse(text, strlen(text), KEY, out, &why);
}

/* Every beginning wants more, and does not read behind itself. */
static void answers_come_in_pieces(void)
{
    static const char text[] = HEAD "Sec-WebSocket-Accept: " ACCEPT " \r\n\r\n\x81";
    struct client_ws_answer out;
    for (size_t len = 0; len < sizeof text - 2; len++) {
        char *part = malloc(len + 1);
        memcpy(part, text, len);
        CHECK_INT(client_ws_answer_parse(part, len, KEY, &out, NULL), 0);
        free(part);
    }
    CHECK_INT(answer(text, &out), 1);
    CHECK_INT(out.status, 101);
    CHECK_INT(out.head_bytes, sizeof text - 2);
}

static void refusals_are_answers(void)
{
    struct client_ws_answer out;
    CHECK_INT(answer("HTTP/1.1 400 Bad Request\r\nA: b\r\n\r\nbody", &out), 1);
    CHECK_INT(out.status, 400);
    CHECK_INT(answer("HTTP/1.0 503 \r\n\r\n", &out), 1);
    CHECK_INT(out.status, 503);
}

static void refuses_wrong_answers(void)
{
    static const char *const texts[] = {
        HEAD "\r\n",
        HEAD "Sec-WebSocket-Accept: " ACCEPT "=\r\n\r\n",
        HEAD "Sec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        HEAD "Sec-WebSocket-Accept: " ACCEPT
             "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        HEAD "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: x\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
        "HTTP/1.1 101 x\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
        "HTTP/1.1 1x1 x\r\n\r\n",
        "HTTP/1.1 10\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "SSH-2.0",
        "X",
    };
    struct client_ws_answer out;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_INT(answer(texts[i], &out), BASE_ERR_SYNTAX);
}

static void bounds_the_head(void)
{
    struct client_ws_answer out;
    char *text = malloc(CLIENT_MAX_HEAD + 1);
    memset(text, 'a', CLIENT_MAX_HEAD + 1);
    memcpy(text, "HTTP/1.1 101 ", 13);
    CHECK_INT(client_ws_answer_parse(text, CLIENT_MAX_HEAD, KEY, &out, NULL), 0);
    CHECK_INT(client_ws_answer_parse(text, CLIENT_MAX_HEAD + 1, KEY, &out, NULL), BASE_ERR_LIMIT);
    free(text);
}

/* ---- the open packet ---- */

static void opens(void)
{
    static const char text[] = "{\"sid\":\"a-Z_0\",\"upgrades\":[\"webtransport\",\"websocket\"],"
                               "\"pingInterval\":25000,\"pingTimeout\":1e4,\"maxPayload\":1000000}";
    struct client_open open;
    CHECK_INT(client_open_parse(text, strlen(text), &open), 0);
    CHECK_STR(open.sid, "a-Z_0");
    CHECK(open.upgrade);
    CHECK_INT(open.ping_interval_ms, 25000);
    CHECK_INT(open.ping_timeout_ms, 10000);
    CHECK_INT(open.max_payload_bytes, 1000000);
    static const char least[] = "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":2}";
    CHECK_INT(client_open_parse(least, strlen(least), &open), 0);
    CHECK(!open.upgrade);
    CHECK_INT(open.max_payload_bytes, 0);
}

static void does_not_open(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"sid\":\"\",\"pingInterval\":1,\"pingTimeout\":2}",
        "{\"sid\":7,\"pingInterval\":1,\"pingTimeout\":2}",
        "{\"sid\":\"a&b\",\"pingInterval\":1,\"pingTimeout\":2}",
        "{\"sid\":\"\\u0061\",\"pingInterval\":1,\"pingTimeout\":2}",
        "{\"sid\":\"a\",\"pingTimeout\":2}",
        "{\"sid\":\"a\",\"pingInterval\":-1,\"pingTimeout\":2}",
        "{\"sid\":\"a\",\"pingInterval\":1e99,\"pingTimeout\":2}",
        "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":\"2\"}",
        "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":2,\"maxPayload\":null}",
    };
    struct client_open open;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_INT(client_open_parse(texts[i], strlen(texts[i]), &open), BASE_ERR_SYNTAX);
    char text[CLIENT_SID_MAX + 80];
    snprintf(text, sizeof text, "{\"sid\":\"%0*d\",\"pingInterval\":1,\"pingTimeout\":2}",
             CLIENT_SID_MAX, 7);
    CHECK_INT(client_open_parse(text, strlen(text), &open), 0);
    snprintf(text, sizeof text, "{\"sid\":\"%0*d\",\"pingInterval\":1,\"pingTimeout\":2}",
             CLIENT_SID_MAX + 1, 7);
    CHECK_INT(client_open_parse(text, strlen(text), &open), BASE_ERR_SYNTAX);
}

int main(void)
{
    RUN(finds_places);
    RUN(refuses_other_places);
    RUN(makes_urls);
    RUN(survives_no_memory);
    RUN(asks);
    RUN(answers_come_in_pieces);
    RUN(refusals_are_answers);
    RUN(refuses_wrong_answers);
    RUN(bounds_the_head);
    RUN(opens);
    RUN(does_not_open);
    return test_end();
}
