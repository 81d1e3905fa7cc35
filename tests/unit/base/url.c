/* SPDX-License-Identifier: ISC */
#include "base/url.h"

#include "base/mem.h"
#include "lib/test.h"

#include <stdbool.h>

static size_t show_part(char *out, size_t room, const char *name, struct base_slice part)
{
    if (!part.data)
        return 0;
    return (size_t)snprintf(out, room, "%s=%.*s ", name, (int)part.len, part.data);
}

/* The parts that are there, by name. */
static const char *parts(const char *text, char out[static 256])
{
    struct base_url url;
    struct base_why why;
    size_t len = 0;
    if (base_url_parse(text, &url, &why) < 0) {
        CHECK_INT(why.code, BASE_ERR_SYNTAX);
        snprintf(out, 256, "%s", why.text);
        return out;
    }
    len += show_part(out + len, 256 - len, "scheme", url.scheme);
    len += show_part(out + len, 256 - len, "user", url.user);
    len += show_part(out + len, 256 - len, "password", url.password);
    len += show_part(out + len, 256 - len, "host", url.host);
    if (url.port >= 0)
        len += (size_t)snprintf(out + len, 256 - len, "port=%d ", url.port);
    len += show_part(out + len, 256 - len, "path", url.path);
    show_part(out + len, 256 - len, "query", url.query);
    return out;
}

static void takes_urls_apart(void)
{
    char out[256];
    CHECK_STR(parts("redis://h", out), "scheme=redis host=h ");
    CHECK_STR(parts("redis://u:p@h:6379/2?n=1#f", out),
              "scheme=redis user=u password=p host=h port=6379 path=/2 query=n=1 ");
    CHECK_STR(parts("http://h/", out), "scheme=http host=h path=/ ");
    CHECK_STR(parts("http://h?a/b:c@d", out), "scheme=http host=h query=a/b:c@d ");
    CHECK_STR(parts("http://h/p?", out), "scheme=http host=h path=/p query= ");
    CHECK_STR(parts("http://h#/p?q", out), "scheme=http host=h ");
    CHECK_STR(parts("http://h/a@b:c", out), "scheme=http host=h path=/a@b:c ");
    CHECK_STR(parts("unix:///run/redis.sock?db=3", out),
              "scheme=unix host= path=/run/redis.sock query=db=3 ");
    CHECK_STR(parts("a+b-c.1://h", out), "scheme=a+b-c.1 host=h ");
}

static void tells_user_password_and_their_absence(void)
{
    char out[256];
    CHECK_STR(parts("redis://:p@h", out), "scheme=redis user= password=p host=h ");
    CHECK_STR(parts("redis://u@h", out), "scheme=redis user=u host=h ");
    CHECK_STR(parts("redis://u:@h", out), "scheme=redis user=u password= host=h ");
    CHECK_STR(parts("redis://u:a:b@h", out), "scheme=redis user=u password=a:b host=h ");
    CHECK_STR(parts("redis://u:a@b@h", out), "scheme=redis user=u password=a@b host=h ");
}

static void knows_ipv6_addresses(void)
{
    char out[256];
    CHECK_STR(parts("http://[::1]", out), "scheme=http host=::1 ");
    CHECK_STR(parts("http://u:p@[fe80::1]:80/x", out),
              "scheme=http user=u password=p host=fe80::1 port=80 path=/x ");
    CHECK_STR(parts("http://[::1", out), "not a URL: '[' without ']'");
    CHECK_STR(parts("http://[::1]80", out), "not a URL: bad port");
    CHECK_STR(parts("http://::1/", out), "not a URL: bad port");
}

static void ports_have_a_range(void)
{
    char out[256];
    CHECK_STR(parts("x://h:0", out), "scheme=x host=h port=0 ");
    CHECK_STR(parts("x://h:65535", out), "scheme=x host=h port=65535 ");
    CHECK_STR(parts("x://h:65536", out), "not a URL: bad port");
    CHECK_STR(parts("x://h:99999999999999999999", out), "not a URL: bad port");
    CHECK_STR(parts("x://h:-1", out), "not a URL: bad port");
    CHECK_STR(parts("x://h:8o", out), "not a URL: bad port");
    CHECK_STR(parts("x://h: 80", out), "not a URL: bad port");
    CHECK_STR(parts("x://h:", out), "not a URL: bad port");
}

static void a_scheme_begins_with_a_letter(void)
{
    char out[256];
    CHECK_STR(parts("h:80", out), "not a URL: no scheme://");
    CHECK_STR(parts("", out), "not a URL: no scheme://");
    CHECK_STR(parts("://h", out), "not a URL: no scheme://");
    CHECK_STR(parts("/p?x=http://h", out), "not a URL: bad scheme");
    CHECK_STR(parts("ht tp://h", out), "not a URL: bad scheme");
    CHECK_STR(parts(" http://h", out), "not a URL: bad scheme");
    CHECK_STR(parts("h\xc3\xa4://h", out), "not a URL: bad scheme");
    CHECK_STR(parts("1x://h", out), "not a URL: bad scheme");
    CHECK_STR(parts("+x://h", out), "not a URL: bad scheme");
}

static void errors_do_not_quote_secrets(void)
{
    char out[256];
    CHECK(!strstr(parts("redis://joe:secret@h:port", out), "secret"));
    CHECK(!strstr(parts("redis://joe:secret@[h", out), "secret"));
    CHECK(!strstr(parts("re dis://joe:secret@h", out), "secret"));
    struct base_url url;
    CHECK_INT(base_url_parse("no", &url, NULL), BASE_ERR_SYNTAX);
}

static int decode(const char *text, struct base_buf *out)
{
    return base_url_decode((struct base_slice){text, strlen(text)}, out);
}

static void decodes_percent_escapes(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(decode("a%20b%2Fc%2f", &out), 0);
    CHECK_INT(decode("+", &out), 0);
    CHECK_INT(decode("", &out), 0);
    CHECK_BYTES(out.data, out.len, "a b/c/+");
    out.len = 0;
    CHECK_INT(decode("%00%fF", &out), 0);
    CHECK(out.len == 2 && out.data[0] == 0 && out.data[1] == (char)0xFF);
    base_buf_fini(&out);
}

static void refuses_bad_escapes_and_adds_nothing(void)
{
    static const char *const texts[] = {"%",   "%2",   "a%",   "a%2",      "%2g",
                                        "%g2", "%%20", "% 20", "ok%20%zz", "%\x10\x11"};
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&out, "kept"), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_INT(decode(texts[i], &out), BASE_ERR_SYNTAX);
        CHECK_BYTES(out.data, out.len, "kept");
    }
    /* The part ends before the digits that follow it in the text. */
    CHECK_INT(base_url_decode((struct base_slice){"%20", 2}, &out), BASE_ERR_SYNTAX);
    base_buf_fini(&out);
}

static const char *origin(const char *text, struct base_buf *out)
{
    struct base_why why = {0};
    out->len = 0;
    CHECK_INT(base_buf_add_text(out, ">"), 0);
    int failed = base_url_origin(text, out, &why);
    if (failed) {
        CHECK_INT(failed, BASE_ERR_SYNTAX);
        CHECK_INT(why.code, BASE_ERR_SYNTAX);
        CHECK_BYTES(out->data, out->len, ">");
        return "(refused)";
    }
    return base_buf_cstr(out);
}

static void reduces_a_url_to_its_origin(void)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_STR(origin("https://App.Example.COM/path?q#f", &out), ">https://app.example.com");
    CHECK_STR(origin("HTTP://h:80", &out), ">http://h");
    CHECK_STR(origin("https://h:443/", &out), ">https://h");
    CHECK_STR(origin("http://h:443", &out), ">http://h:443");
    CHECK_STR(origin("https://h:80", &out), ">https://h:80");
    CHECK_STR(origin("http://u:p@h:3000/x", &out), ">http://h:3000");
    CHECK_STR(origin("http://[FE80::1]:8080/", &out), ">http://[fe80::1]:8080");
    CHECK_STR(origin("ftp://h", &out), "(refused)");
    CHECK_STR(origin("httpx://h", &out), "(refused)");
    CHECK_STR(origin("http:///p", &out), "(refused)");
    CHECK_STR(origin("http://h h/", &out), "(refused)");
    CHECK_STR(origin("http://h\"/", &out), "(refused)");
    CHECK_STR(origin("http://h\xc3\xa4/", &out), "(refused)");
    CHECK_STR(origin("http://h\r\nx", &out), "(refused)");
    CHECK_STR(origin("https://*.h", &out), "(refused)"); /* a pattern leads nowhere */
    CHECK_STR(origin("h", &out), "(refused)");
    base_buf_fini(&out);
}

static const char *listen_at(const char *text, char out[static 64])
{
    char host[16];
    uint16_t port;
    struct base_why why;
    if (base_url_listen(text, host, sizeof host, &port, &why) < 0) {
        CHECK_INT(why.code, BASE_ERR_SYNTAX);
        return "(refused)";
    }
    snprintf(out, 64, "%s %d", host, port);
    return out;
}

static void splits_listen_addresses(void)
{
    char out[64];
    CHECK_STR(listen_at("3000", out), " 3000");
    CHECK_STR(listen_at(":3000", out), " 3000");
    CHECK_STR(listen_at("127.0.0.1:0", out), "127.0.0.1 0");
    CHECK_STR(listen_at("[::1]:65535", out), "::1 65535");
    CHECK_STR(listen_at("localhost:1", out), "localhost 1");
    CHECK_STR(listen_at("123456789012345:1", out), "123456789012345 1");
    CHECK_STR(listen_at("1234567890123456:1", out), "(refused)");
    CHECK_STR(listen_at("::1", out), "(refused)");
    CHECK_STR(listen_at("::1:80", out), "(refused)");
    CHECK_STR(listen_at("[::1]", out), "(refused)");
    CHECK_STR(listen_at("[::1:80", out), "(refused)");
    CHECK_STR(listen_at("", out), "(refused)");
    CHECK_STR(listen_at(":", out), "(refused)");
    CHECK_STR(listen_at("h:65536", out), "(refused)");
    CHECK_STR(listen_at("h:x", out), "(refused)");
}

static void check_without_memory(const char *text)
{
    for (long n = 1, failed = 1; failed; n++) {
        struct base_buf out = BASE_BUF_INIT, decoded = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        int first = base_url_origin(text, &out, NULL);
        int second = decode("%20", &decoded);
        base_mem_fail(0, 0);
        CHECK(first == 0 ? out.len == strlen(text) : first == BASE_ERR_NOMEM && out.len == 0);
        CHECK(second == 0 ? decoded.len == 1 : second == BASE_ERR_NOMEM && decoded.len == 0);
        failed = first || second;
        CHECK(failed || n > 2);
        base_buf_fini(&out);
        base_buf_fini(&decoded);
    }
}

static void survives_every_failing_allocation(void)
{
    /* The buffer grows at the host or at the port. */
    for (int len = 50; len < 70; len++) {
        char text[128];
        snprintf(text, sizeof text, "http://%0*d:8080", len, 0);
        check_without_memory(text);
    }
}

int main(void)
{
    RUN(takes_urls_apart);
    RUN(tells_user_password_and_their_absence);
    RUN(knows_ipv6_addresses);
    RUN(ports_have_a_range);
    RUN(a_scheme_begins_with_a_letter);
    RUN(errors_do_not_quote_secrets);
    RUN(decodes_percent_escapes);
    RUN(refuses_bad_escapes_and_adds_nothing);
    RUN(reduces_a_url_to_its_origin);
    RUN(splits_listen_addresses);
    RUN(survives_every_failing_allocation);
    return test_end();
}
