/* SPDX-License-Identifier: ISC */
#include "arda/mail/template.h"

#include "base/mem.h"
#include "lib/test.h"

static const char *const names[] = {"one", "two", NULL};

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static void writes_bytes(enum arda_mail_kind kind, const char *text, struct base_slice one,
                         const char *two, const char *want)
{
    struct base_slice values[] = {one, slice(two)};
    struct arda_mail_template *form;
    struct base_buf out = BASE_BUF_INIT;
    struct base_why why = {0, ""};
    CHECK_INT(arda_mail_template_new(slice(text), kind, names, 1, &form, &why), 0);
    CHECK_STR(why.text, "");
    if (!form)
        return;
    CHECK_INT(base_buf_add_text(&out, "-"), 0);
    CHECK_INT(arda_mail_template_write(form, values, &out), 0);
    CHECK_BYTES(out.data + 1, out.len - 1, want);
    arda_mail_template_free(form);
    base_buf_fini(&out);
}

static void writes(enum arda_mail_kind kind, const char *text, const char *one, const char *two,
                   const char *want)
{
    writes_bytes(kind, text, slice(one), two, want);
}

static void names_become_values(void)
{
    writes(ARDA_MAIL_PLAIN, "", "1", "2", "");
    writes(ARDA_MAIL_PLAIN, "none\n", "1", "2", "none\r\n");
    writes(ARDA_MAIL_PLAIN, "{{one}}", "1", "2", "1");
    writes(ARDA_MAIL_PLAIN, "a {{two}}{{one}} b {{one}}\r\nc", "1", "2", "a 21 b 1\r\nc");
    writes(ARDA_MAIL_PLAIN, "{ {one} }} }\n\n\n", "1", "2", "{ {one} }} }\r\n\r\n\r\n");
    writes(ARDA_MAIL_PLAIN, "{{one}}", "{{two}}", "2", "{{two}}");
    writes(ARDA_MAIL_HEADER, "[{{one}}] {{two}}", "1", "2", "[1] 2");
}

static void lines_without_a_value_are_left_out(void)
{
    writes(ARDA_MAIL_PLAIN, "Hello {{one}},\n\n\nx\n", "", "2", "x\r\n");
    writes(ARDA_MAIL_PLAIN, "a\n\nb {{one}}\n\nc\n\nd {{one}}{{two}}\n", "", "",
           "a\r\n\r\nc\r\n\r\n");
    writes(ARDA_MAIL_PLAIN, "b {{one}}{{two}}\n", "", "2", "b 2\r\n");
    writes(ARDA_MAIL_PLAIN, "x {{one}}", "", "", "");
    writes(ARDA_MAIL_HTML, "<a href=\"{{one}}\">x</a>\n<p>\n", "", "", "<p>\r\n");
    writes(ARDA_MAIL_HEADER, "x {{one}}", "", "", "x ");
}

static void html_is_escaped(void)
{
    writes(ARDA_MAIL_HTML, "<b title=\"{{one}}\">{{two}}</b>", "\"><script>alert('x')</script>",
           "&amp;",
           "<b title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\">&amp;amp;</b>");
    writes(ARDA_MAIL_HTML, "{{one}}", "a\n\tb\x1b\xc2\x9b", "", "a\r\n\tb  ");
}

static void plain_text_has_no_controls(void)
{
    writes(ARDA_MAIL_PLAIN, "{{one}}", "<&>'\"", "", "<&>'\"");
    writes(ARDA_MAIL_PLAIN, "{{one}}", "a\nb\r\nc\rd\te\x01\x7f\xc2\x85", "",
           "a\r\nb\r\nc d\te   ");
    writes(ARDA_MAIL_PLAIN, "{{one}}", "\xc3\xbc\xe2\x80\xa8", "", "\xc3\xbc\xe2\x80\xa8");
    writes_bytes(ARDA_MAIL_PLAIN, "{{one}}", (struct base_slice){"a\0b", 3}, "", "a b");
}

static void a_header_is_one_line(void)
{
    writes(ARDA_MAIL_HEADER, "{{one}}", "a\r\nBcc: x\ny\rz\t\xe2\x80\xa8\xe2\x80\xa9\xc2\x85", "",
           "a Bcc: x y z    ");
    writes_bytes(ARDA_MAIL_HEADER, "{{one}}", (struct base_slice){"a\0\r", 3}, "", "a  ");
}

static void what_is_not_utf8_is_replaced(void)
{
    writes(ARDA_MAIL_HEADER, "{{one}}",
           "a\xff"
           "b\xc3",
           "",
           "a\xef\xbf\xbd"
           "b\xef\xbf\xbd");
    writes(ARDA_MAIL_HTML, "{{one}}", "\xc3<\xc0\xbc", "",
           "\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd");
}

static void errors_name_the_line(void)
{
    static const struct {
        enum arda_mail_kind kind;
        const char *text, *want;
    } rows[] = {
        {ARDA_MAIL_PLAIN, "{{}}", "line 5: expected one of one, two, got `'"},
        {ARDA_MAIL_PLAIN, "a\n\r\n{{ one }}", "line 7: expected one of one, two, got ` one '"},
        {ARDA_MAIL_PLAIN, "{{on}}", "line 5: expected one of one, two, got `on'"},
        {ARDA_MAIL_PLAIN, "{{ones}}", "line 5: expected one of one, two, got `ones'"},
        {ARDA_MAIL_PLAIN, "{{{one}}}", "line 5: expected one of one, two, got `{one'"},
        {ARDA_MAIL_PLAIN, "{{1234567890123456789012345678901234567890x}}",
         "line 5: expected one of one, two, got `1234567890123456789012345678901234567890\u2026'"},
        {ARDA_MAIL_HTML, "x\n{{one\n}}", "line 6: {{ without }}"},
        {ARDA_MAIL_HTML, "{{one}} {{", "line 5: {{ without }}"},
        {ARDA_MAIL_HTML, "{{one}", "line 5: {{ without }}"},
        {ARDA_MAIL_PLAIN, "a\nb\xff\n", "line 6: not UTF-8"},
        {ARDA_MAIL_PLAIN, "a\rb", "line 5: a control character"},
        {ARDA_MAIL_PLAIN, "a\n\n\x1b", "line 7: a control character"},
        {ARDA_MAIL_HEADER, "a\n", "line 5: a header is one line"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_mail_template *form;
        struct base_why why;
        CHECK_INT(arda_mail_template_new(slice(rows[i].text), rows[i].kind, names, 5, &form, &why),
                  BASE_ERR_INVALID);
        CHECK_STR(why.text, rows[i].want);
        CHECK(form == NULL);
    }
}

static void memory_may_be_short(void)
{
    static const char text[] =
        "{{one}} a {{two}}\n{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}"
        "{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}{{one}}";
    struct base_slice values[] = {slice("some & more \xff text <that> grows"), slice("2")};
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 200; n++) {
        struct arda_mail_template *form;
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "before"), 0);
        base_mem_fail(n, 1);
        result = arda_mail_template_new(slice(text), ARDA_MAIL_HTML, names, 1, &form, NULL);
        CHECK((result == 0) == (form != NULL));
        if (!result)
            result = arda_mail_template_write(form, values, &out);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && out.len == 6));
        arda_mail_template_free(form);
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
    arda_mail_template_free(NULL);
}

int main(void)
{
    RUN(names_become_values);
    RUN(lines_without_a_value_are_left_out);
    RUN(html_is_escaped);
    RUN(plain_text_has_no_controls);
    RUN(a_header_is_one_line);
    RUN(what_is_not_utf8_is_replaced);
    RUN(errors_name_the_line);
    RUN(memory_may_be_short);
    return test_end();
}
