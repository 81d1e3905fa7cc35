/* SPDX-License-Identifier: ISC */
#include "arda/mail/link.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static void link_is(const char *public_url, const char *action_url, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&out, "-"), 0);
    CHECK_INT(arda_mail_link_add(&out, slice(public_url), slice(action_url)), 0);
    CHECK_BYTES(out.data + 1, out.len - 1, want);
    base_buf_fini(&out);
}

static void paths_go_behind_the_public_url(void)
{
    link_is("https://arda.example", "/orders/po/7", "https://arda.example/orders/po/7");
    link_is("https://arda.example/app//", "/x?a=1&b=%20#y",
            "https://arda.example/app/x?a=1&b=%20#y");
    link_is("HTTP://arda.example:8080", "/", "HTTP://arda.example:8080/");
    link_is("", "/orders", "");
    link_is("ftp://arda.example", "/orders", "");
}

static void only_safe_urls_stay(void)
{
    static const char *const bad[] = {
        "",
        "orders/7",
        "//evil.example/x",
        "javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
        "https://",
        "https:///x",
        "https://@evil.example",
        "https://evil.example/\"onclick=x",
        "https://evil.example/ x",
        "https://evil.example/\r\nBcc: x",
        "https://evil.example/<b>",
        "https://evil.example/\\x",
        "https://b\xc3\xbc.example/",
        "/a b",
        "/a\nb",
        "/a\"b",
        "/\\evil.example",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        link_is("https://arda.example", bad[i], "");
    link_is("https://arda.example", "https://other.example/x", "https://other.example/x");
    CHECK(!arda_mail_link_is_safe((struct base_slice){"https://a\0b", 11}));
    CHECK(!arda_mail_link_is_safe((struct base_slice){"https://\0ab", 11}));
    CHECK(!arda_mail_link_is_safe((struct base_slice){NULL, 0}));
}

static void memory_may_be_short(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 20; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = arda_mail_link_add(&out, slice("https://arda.example"), slice("/orders"));
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && out.len == 0));
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(paths_go_behind_the_public_url);
    RUN(only_safe_urls_stay);
    RUN(memory_may_be_short);
    return test_end();
}
