/* SPDX-License-Identifier: ISC
 *
 * What a parser of others makes of the headers is tested in tests/tools/1400-mail-headers.bats.
 */
#include "arda/mail/message.h"

#include "base/mem.h"
#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static struct arda_mail ordinary(void)
{
    return (struct arda_mail){
        .delivery_id = slice("d-1"),
        .from_name = slice("Arda"),
        .from_address = slice("arda@acme.example"),
        .to_address = slice("ann@works.example"),
        .subject = slice("Order 7"),
        .unsubscribe_url = slice("https://arda.example/u?token=t"),
        .date_ms = INT64_C(1770552896789),
    };
}

/* The headers with `|` between them. */
static void headers_are(const struct arda_mail *mail, const char *want)
{
    struct base_buf headers = BASE_BUF_INIT, all = BASE_BUF_INIT;
    struct base_why why = {0, ""};
    CHECK_INT(arda_mail_headers_add(&headers, mail, &why), 0);
    CHECK_STR(why.text, "");
    for (const char *at = NULL; (at = arda_mail_headers_next(&headers, at));)
        CHECK_INT(base_buf_printf(&all, "%s|", at), 0);
    CHECK_BYTES(all.data, all.len, want);
    base_buf_fini(&headers);
    base_buf_fini(&all);
}

#define TOP    "Date: Sun, 08 Feb 2026 12:14:56 +0000|Message-ID: <d-1@acme.example>|"
#define TO     "To: <ann@works.example>|"
#define AUTO   "Auto-Submitted: auto-generated|"
#define LIST   "List-Unsubscribe: <https://arda.example/u?token=t>|"
#define POST   "List-Unsubscribe-Post: List-Unsubscribe=One-Click|"
#define BOTTOM AUTO LIST POST

static void an_ordinary_mail(void)
{
    struct arda_mail mail = ordinary();
    headers_are(&mail, TOP "From: \"Arda\" <arda@acme.example>|" TO "Subject: Order 7|" BOTTOM);
    mail.from_name = slice("");
    mail.to_name = slice("Ann \"A\" O'Hara");
    mail.subject = slice("");
    mail.unsubscribe_url = slice("");
    headers_are(&mail, TOP "From: <arda@acme.example>|"
                           "To: \"Ann \\\"A\\\" O'Hara\" <ann@works.example>|Subject:|" AUTO);
}

static void what_is_not_ascii_is_encoded(void)
{
    struct arda_mail mail = ordinary();
    mail.from_name = slice("J\xc3\xb6rg");
    mail.subject = slice("=?utf-8?q?x?=");
    headers_are(&mail, TOP "From: =?UTF-8?B?SsO2cmc=?= <arda@acme.example>|" TO
                           "Subject: =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=|" BOTTOM);
    mail.from_name = slice("");
    mail.subject =
        slice("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
              "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
    headers_are(&mail,
                TOP "From: <arda@acme.example>|" TO
                    "Subject: =?UTF-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6Q=?=\r\n"
                    " =?UTF-8?B?w6Q=?=|" BOTTOM);
}

static void long_lines_are_folded(void)
{
    struct arda_mail mail = ordinary();
    mail.subject = slice("1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234 "
                         "1234567890 end");
    headers_are(&mail, TOP "From: \"Arda\" <arda@acme.example>|" TO
                           "Subject: 1234567890 1234567890 1234567890 1234567890 1234567890 "
                           "1234567890\r\n 1234 1234567890 end|" BOTTOM);
}

static void no_field_makes_a_header(void)
{
    struct arda_mail mail = ordinary();
    mail.from_name = slice("A\r\nBcc: x@y.z");
    mail.subject = slice("a\n\nb\r\n");
    headers_are(&mail, TOP "From: \"A Bcc: x@y.z\" <arda@acme.example>|" TO
                           "Subject: =?UTF-8?B?YSAgYg==?=|" BOTTOM);
    mail.subject = (struct base_slice){"a\0b", 3};
    mail.from_name = slice("\r\n");
    headers_are(&mail, TOP "From: <arda@acme.example>|" TO "Subject: a b|" BOTTOM);
}

static void one_click_needs_https(void)
{
    struct arda_mail mail = ordinary();
    char url[ARDA_MAIL_LIST_URL_MAX + 2];
    mail.unsubscribe_url = slice("http://arda.example/u");
    headers_are(&mail, TOP "From: \"Arda\" <arda@acme.example>|" TO "Subject: Order 7|" AUTO
                           "List-Unsubscribe: <http://arda.example/u>|");
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", 8);
    mail.unsubscribe_url = (struct base_slice){url, ARDA_MAIL_LIST_URL_MAX + 1};
    headers_are(&mail, TOP "From: \"Arda\" <arda@acme.example>|" TO "Subject: Order 7|" AUTO);
    mail.unsubscribe_url.len--;
    struct base_buf headers = BASE_BUF_INIT;
    CHECK_INT(arda_mail_headers_add(&headers, &mail, NULL), 0);
    const char *list = memmem(headers.data, headers.len, "List-Unsubscribe:\r\n <https://", 29);
    CHECK(list && strlen(list) == 19 + ARDA_MAIL_LIST_URL_MAX + 3);
    base_buf_fini(&headers);
}

static void refused(const struct arda_mail *mail, const char *want)
{
    struct base_buf headers = BASE_BUF_INIT;
    struct base_why why = {0, ""};
    CHECK_INT(base_buf_add_text(&headers, "before"), 0);
    CHECK_INT(arda_mail_headers_add(&headers, mail, &why), BASE_ERR_INVALID);
    CHECK_STR(why.text, want);
    CHECK_INT(headers.len, 6);
    base_buf_fini(&headers);
}

static void bad_fields_are_refused(void)
{
    struct arda_mail mail = ordinary();
    mail.from_address = slice("arda");
    refused(&mail, "From: no @ in the address");
    mail = ordinary();
    mail.to_address = slice("ann@works.example>\r\nRCPT TO:<eve@evil.example");
    refused(&mail, "To: the part before the @ is not a mailbox name");
    mail.to_address = slice("");
    refused(&mail, "To: no @ in the address");
    mail = ordinary();
    static const char *const ids[] = {"", "a b", "a>\r\nBcc: x", "a@b", "a\"", "."};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        mail.delivery_id = slice(ids[i]);
        refused(&mail, "Message-ID: the part before the @ is not a mailbox name");
    }
    mail = ordinary();
    static const char *const urls[] = {"javascript:x", "https://a/>, <https://b/",
                                       "https://a/\r\nx", "/u", "https://"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        mail.unsubscribe_url = slice(urls[i]);
        refused(&mail, "List-Unsubscribe: expected an http(s) URL");
    }
    mail = ordinary();
    static const int64_t dates[] = {-1, INT64_MIN, INT64_MAX, INT64_C(253402300800000)};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        mail.date_ms = dates[i];
        refused(&mail, "Date: expected a time of the years 1970 to 9999");
    }
}

static void dates(void)
{
    struct arda_mail mail = ordinary();
    struct base_buf headers = BASE_BUF_INIT;
    mail.date_ms = 0;
    CHECK_INT(arda_mail_headers_add(&headers, &mail, NULL), 0);
    CHECK_STR(headers.data, "Date: Thu, 01 Jan 1970 00:00:00 +0000");
    headers.len = 0;
    mail.date_ms = INT64_C(253402300799999);
    CHECK_INT(arda_mail_headers_add(&headers, &mail, NULL), 0);
    CHECK_STR(headers.data, "Date: Fri, 31 Dec 9999 23:59:59 +0000");
    base_buf_fini(&headers);
    CHECK(arda_mail_headers_next(&headers, NULL) == NULL);
}

static void memory_may_be_short(void)
{
    struct arda_mail mail = ordinary();
    int result = BASE_ERR_NOMEM;
    mail.from_name = slice("J\xc3\xb6rg \xff");
    mail.subject =
        slice("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 and long enough "
              "for more than one encoded word");
    for (long n = 1; result && n < 200; n++) {
        struct base_buf headers = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = arda_mail_headers_add(&headers, &mail, NULL);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && headers.len == 0));
        base_buf_fini(&headers);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(an_ordinary_mail);
    RUN(what_is_not_ascii_is_encoded);
    RUN(long_lines_are_folded);
    RUN(no_field_makes_a_header);
    RUN(one_click_needs_https);
    RUN(bad_fields_are_refused);
    RUN(dates);
    RUN(memory_may_be_short);
    return test_end();
}
