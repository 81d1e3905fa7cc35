/* SPDX-License-Identifier: ISC */
#include "net/codec/origin.h"

#include "base/mem.h"
#include "lib/test.h"

static bool is_url; /* in all of the calls */

static void parses(const char *text, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    struct base_why why = {0};
    CHECK_INT(base_buf_add_text(&out, "before"), 0);
    CHECK_INT(net_origin_parse(text, is_url, &out, &why), 0);
    CHECK_BYTES(out.data + 6, out.len - 6, want);
    base_buf_fini(&out);
}

static void refuses(const char *text, const char *reason)
{
    struct base_buf out = BASE_BUF_INIT;
    struct base_why why = {0};
    CHECK_INT(base_buf_add_text(&out, "before"), 0);
    CHECK_INT(net_origin_parse(text, is_url, &out, &why), BASE_ERR_SYNTAX);
    if (!strstr(why.text, reason))
        printf("# %s: %s\n", text, why.text);
    CHECK(strstr(why.text, reason));
    CHECK_BYTES(out.data, out.len, "before");
    base_buf_fini(&out);
}

static void origins_are_in_lower_case_without_the_usual_port(void)
{
    parses("https://app.example", "https://app.example");
    parses("HTTPS://APP.example:443/", "https://app.example");
    parses("http://app.example:80/", "http://app.example");
    parses("http://app.example:443", "http://app.example:443");
    parses("http://192.0.2.1:3000", "http://192.0.2.1:3000");
    parses("http://[::1]:5173", "http://[::1]:5173");
    parses("https://[2001:DB8:0:0:0:0:0:1]", "https://[2001:db8::1]");
    parses("https://[::ffff:192.0.2.1]", "https://[::ffff:c000:201]");
    parses("https://app.example.", "https://app.example.");
}

static void pages_may_come_from_other_schemes(void)
{
    parses("capacitor://localhost", "capacitor://localhost");
    parses("ionic://localhost", "ionic://localhost");
    parses("tauri://localhost", "tauri://localhost");
    parses("app://.", "app://.");
    parses("app://-", "app://-");
    parses("chrome-extension://abcdefghijklmnopabcdefghijklmnop",
           "chrome-extension://abcdefghijklmnopabcdefghijklmnop");
    parses("moz-extension://0f0e8a3c-0000-4000-8000-000000000000",
           "moz-extension://0f0e8a3c-0000-4000-8000-000000000000");
    parses("vscode-webview://1a2b:8080", "vscode-webview://1a2b:8080");
    parses("Capacitor://LocalHost:443", "capacitor://localhost:443");
    parses("file://", "file://");
    parses("file:///", "file://");
    parses("null", "null");
    parses("NULL", "null");
}

static void patterns_are_origins(void)
{
    parses("https://*.Example.com", "https://*.example.com");
    parses("https://*.example.com:8443", "https://*.example.com:8443");
    parses("https://*.example.com:443", "https://*.example.com");
    parses("https://*.a.b.example.com", "https://*.a.b.example.com");
    parses("app://*.local", "app://*.local");
}

/* An address is more than an origin; what it has besides is no part of that. */
static void the_address_of_an_application_has_an_origin(void)
{
    is_url = true;
    parses("http://app.example:80/path?query#part", "http://app.example");
    parses("https://app.example/#/boards", "https://app.example");
    parses("file:///srv/app/index.html", "file://");
    parses("https://*.example.com/app", "https://*.example.com");
    refuses("https://user:secret@app.example/", "a user or a password");
    is_url = false;
}

static void what_no_origin_has_is_refused(void)
{
    refuses("https://user:secret@app.example", "a user or a password (@)");
    refuses("https://user@app.example", "a user or a password (@)");
    refuses("https://@app.example", "a user or a password (@)");
    refuses("https://app.example/app", "a path (/)");
    refuses("https://app.example//", "a path (/)");
    refuses("file:///srv", "a path (/)");
    refuses("https://app.example?", "a query (?)");
    refuses("https://app.example/?a=b", "a query (?)");
    refuses("https://app.example#", "a fragment (#)");
    refuses("https://user:pass/word@app.example", "bad port");
}

static void what_can_match_nothing_is_refused(void)
{
    static const char star[] = "a star can only be the whole first label";
    refuses("", "no scheme://");
    refuses("*", "no scheme://");
    refuses("nonsense", "no scheme://");
    refuses("app.example", "no scheme://");
    refuses("//app.example", "no scheme://");
    refuses("null.example", "no scheme://");
    refuses("https://", "no host");
    refuses("https:///path", "no host");
    refuses("https://*", star);
    refuses("https://*.", star);
    refuses("https://*..example.com", star);
    refuses("https://a*.example.com", star);
    refuses("https://*a.example.com", star);
    refuses("https://a.*.example.com", star);
    refuses("https://*.*.example.com", star);
    refuses("https://app.example.*", star);
    refuses("*://app.example", "bad scheme");
    refuses("http*://app.example", "bad scheme");
    refuses("https://app.example:*", "bad port");
    refuses("https://app.example:99999", "bad port");
    refuses("https://app example", "bad character");
    refuses(" https://app.example", "bad scheme");
    refuses("https://app.example ", "bad character");
    refuses("https://app.example,https://b.example", "bad port");
    refuses("https://\"app.example\"", "bad character");
    refuses("https://app%2eexample", "bad character");
    refuses("https://caf\xc3\xa9.example", "xn--");
    refuses("https://192.0.2.300", "IPv4");
    refuses("https://192.0.2", "IPv4");
    refuses("https://*.0.2.1", "IPv4");
    refuses("https://[::g]", "IPv6");
    refuses("https://[]", "no host");
    refuses("file://host", "pages of files");
}

static bool matches(const char *allowed, const char *origin)
{
    return net_origin_matches(allowed, (struct base_slice){origin, strlen(origin)});
}

static void an_origin_is_itself(void)
{
    CHECK(matches("https://app.example", "https://app.example"));
    CHECK(matches("app://myapp", "app://MyApp"));
    CHECK(matches("null", "null"));
    CHECK(matches("*", "https://app.example"));
    CHECK(!matches("https://app.example", "http://app.example"));
    CHECK(!matches("https://app.example", "https://app.example:8443"));
    CHECK(!matches("https://app.example", "https://app.example."));
    CHECK(!matches("https://app.example", "https://app.exampl"));
    CHECK(!matches("https://app.example", ""));
    CHECK(!matches("null", "https://null"));
}

static void a_star_is_one_label_or_more(void)
{
    static const char all[] = "https://*.example.com";
    CHECK(matches(all, "https://acme.example.com"));
    CHECK(matches(all, "https://a.b.example.com"));
    CHECK(matches(all, "https://ACME.Example.com"));
    CHECK(matches(all, "https://a-b_c.1.example.com"));
    CHECK(matches("https://*.example.com:8443", "https://a.example.com:8443"));
    static const char *const others[] = {
        "https://example.com",
        "https://evilexample.com",
        "http://acme.example.com",
        "https://.example.com",
        "https://a..example.com",
        "https://.a.example.com",
        "https://acme.example.com:8443",
        "https://acme.example.com.evil.com",
        "https://evil.com/.example.com",
        "https://evil.com#.example.com",
        "https://evil.com?.example.com",
        "https://evil.com:1.example.com",
        "https://user@a.example.com",
        "https://a b.example.com",
        "https://*.example.com",
        "https://\x01.example.com",
        "null",
        "",
        "https://",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!matches(all, others[i]));
    CHECK(!matches("https://*.example.com:8443", "https://a.example.com"));
    char long_one[400] = "https://";
    memset(long_one + 8, 'a', 300);
    strcpy(long_one + 308, ".example.com");
    CHECK(!matches(all, long_one));
}

static void some_stand_for_more_than_one(void)
{
    CHECK(net_origin_is_pattern("*"));
    CHECK(net_origin_is_pattern("https://*.example.com"));
    CHECK(!net_origin_is_pattern("https://app.example"));
    CHECK(!net_origin_is_pattern("null"));
}

static void survives_every_failing_allocation(void)
{
    static const char *const texts[] = {"null", "https://*.example.com:8443", "https://[::1]:1",
                                        "file://"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int failed = BASE_ERR_NOMEM;
        for (long n = 1; failed; n++) {
            struct base_buf out = BASE_BUF_INIT;
            base_mem_fail(n, 1);
            failed = net_origin_parse(texts[i], false, &out, NULL);
            base_mem_fail(0, 0);
            CHECK(!failed || (failed == BASE_ERR_NOMEM && out.len == 0));
            base_buf_fini(&out);
        }
    }
}

int main(void)
{
    RUN(origins_are_in_lower_case_without_the_usual_port);
    RUN(pages_may_come_from_other_schemes);
    RUN(patterns_are_origins);
    RUN(the_address_of_an_application_has_an_origin);
    RUN(what_no_origin_has_is_refused);
    RUN(what_can_match_nothing_is_refused);
    RUN(an_origin_is_itself);
    RUN(a_star_is_one_label_or_more);
    RUN(some_stand_for_more_than_one);
    RUN(survives_every_failing_allocation);
    return test_end();
}
