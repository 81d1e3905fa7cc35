/* SPDX-License-Identifier: ISC */
#include "arda/mail/templates.h"

#include "base/mem.h"
#include "lib/test.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/arda-mail-XXXXXX";
static char long_file[ARDA_MAIL_TEMPLATE_MAX + 2];

/* Names of files that the present test has made. */
static char made[8][64];
static size_t made_count;

static void make_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    snprintf(made[made_count++], sizeof made[0], "%s", name);
}

static void remove_files(void)
{
    char path[128];
    while (made_count > 0) {
        snprintf(path, sizeof path, "%s/%s", folder, made[--made_count]);
        CHECK(remove(path) == 0);
    }
}

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static struct arda_mail_values all_values(void)
{
    struct arda_mail_values values = {{{NULL, 0}}};
    values.of[ARDA_MAIL_TITLE] = slice("Order <7> created");
    values.of[ARDA_MAIL_BODY] = slice("Two lines\nof \"text\"");
    values.of[ARDA_MAIL_TYPE] = slice("po_created");
    values.of[ARDA_MAIL_ACTION_URL] = slice("https://arda.example/o?a=1&b=2");
    values.of[ARDA_MAIL_TENANT_ID] = slice("acme");
    values.of[ARDA_MAIL_TENANT_NAME] = slice("Acme & Sons");
    values.of[ARDA_MAIL_USER_NAME] = slice("Ann");
    values.of[ARDA_MAIL_UNSUBSCRIBE_URL] = slice("https://arda.example/u?token=t");
    return values;
}

static int has(const struct base_buf *text, const char *part)
{
    return memmem(text->data, text->len, part, strlen(part)) != NULL;
}

static void built_in_texts_serve_all_types(void)
{
    struct arda_mail_templates *templates;
    struct arda_mail_content content = {0};
    struct arda_mail_values values = all_values();
    CHECK_INT(arda_mail_templates_new(NULL, &templates, NULL), 0);
    for (int type = 0; type < ARDA_NOTIFY_TYPES; type++) {
        CHECK_INT(
            arda_mail_templates_write(templates, (enum arda_notify_type)type, &values, &content),
            0);
        CHECK_BYTES(content.subject.data, content.subject.len, "Order <7> created");
        CHECK_BYTES(content.plain.data, content.plain.len,
                    "Hello Ann,\r\n\r\nOrder <7> created\r\n\r\nTwo lines\r\nof \"text\"\r\n\r\n"
                    "Open it in Arda: https://arda.example/o?a=1&b=2\r\n\r\n-- \r\n"
                    "You get this e-mail because notifications of this kind are sent to you.\r\n"
                    "It is about Acme & Sons.\r\n"
                    "To get no more of them: https://arda.example/u?token=t\r\n");
        CHECK(has(&content.html, "<p>Hello Ann,</p>\r\n"));
        CHECK(has(&content.html, ">Order &lt;7&gt; created</h1>\r\n"));
        CHECK(has(&content.html, ">Two lines\r\nof &quot;text&quot;</p>\r\n"));
        CHECK(has(&content.html, "href=\"https://arda.example/o?a=1&amp;b=2\""));
        CHECK(has(&content.html, "It is about Acme &amp; Sons.</p>"));
        CHECK(has(&content.html, "href=\"https://arda.example/u?token=t\""));
        CHECK(has(&content.html, "</html>\r\n"));
    }
    arda_mail_content_fini(&content);
    arda_mail_templates_free(templates);
}

static void what_is_not_known_is_not_mentioned(void)
{
    struct arda_mail_templates *templates;
    struct arda_mail_content content = {0};
    struct arda_mail_values values = {{{NULL, 0}}};
    values.of[ARDA_MAIL_TITLE] = slice("Title");
    CHECK_INT(arda_mail_templates_new(NULL, &templates, NULL), 0);
    CHECK_INT(arda_mail_templates_write(templates, ARDA_NOTIFY_PO_SENT, &values, &content), 0);
    CHECK_BYTES(content.plain.data, content.plain.len,
                "Title\r\n\r\n-- \r\n"
                "You get this e-mail because notifications of this kind are sent to you.\r\n");
    CHECK(!has(&content.html, "Hello") && !has(&content.html, "href") &&
          !has(&content.html, "about"));
    arda_mail_content_fini(&content);
    arda_mail_templates_free(templates);
}

static void a_folder_replaces_them(void)
{
    struct arda_mail_templates *templates;
    struct arda_mail_content content = {0};
    struct arda_mail_values values = all_values();
    struct base_why why = {0, ""};
    make_file("po_created.txt", "\xef\xbb\xbfSubject:  PO, {{tenantName}}\r\n\r\n\nPO {{title}}");
    make_file("default.txt", "Subject: all\nALL\n");
    make_file("po_sent.html", "<p>{{title}}</p>");
    make_file("README", "{{nobody}}");
    make_file("po_sent.txt~", "{{nobody}}");
    CHECK_INT(arda_mail_templates_new(folder, &templates, &why), 0);
    CHECK_STR(why.text, "");
    if (templates) {
        CHECK_INT(arda_mail_templates_write(templates, ARDA_NOTIFY_PO_CREATED, &values, &content),
                  0);
        CHECK_BYTES(content.subject.data, content.subject.len, "PO, Acme & Sons");
        CHECK_BYTES(content.plain.data, content.plain.len, "PO Order <7> created");
        CHECK(has(&content.html, "<!DOCTYPE html>"));
        CHECK_INT(arda_mail_templates_write(templates, ARDA_NOTIFY_PO_SENT, &values, &content), 0);
        CHECK_BYTES(content.subject.data, content.subject.len, "all");
        CHECK_BYTES(content.plain.data, content.plain.len, "ALL\r\n");
        CHECK_BYTES(content.html.data, content.html.len, "<p>Order &lt;7&gt; created</p>");
    }
    remove_files();
    make_file("default.html", "<i>{{body}}");
    arda_mail_templates_free(templates);
    CHECK_INT(arda_mail_templates_new(folder, &templates, &why), 0);
    if (templates) {
        CHECK_INT(arda_mail_templates_write(templates, ARDA_NOTIFY_PO_SENT, &values, &content), 0);
        CHECK(has(&content.plain, "Hello Ann"));
        CHECK_BYTES(content.html.data, content.html.len, "<i>Two lines\r\nof &quot;text&quot;");
    }
    remove_files();
    arda_mail_content_fini(&content);
    arda_mail_templates_free(templates);
}

static void refused(const char *path, const char *want)
{
    struct arda_mail_templates *templates;
    struct base_why why = {0, ""};
    CHECK_INT(arda_mail_templates_new(path, &templates, &why), BASE_ERR_CONFIG);
    CHECK_INT(why.code, BASE_ERR_CONFIG);
    CHECK(templates == NULL);
    CHECK(strncmp(why.text, folder, strlen(folder)) == 0);
    CHECK_STR(why.text + strlen(folder), want);
}

static void errors_name_file_and_line(void)
{
    static const char all[] =
        "title, body, notificationType, actionUrl, tenantId, tenantName, userName, "
        "unsubscribeUrl";
    static const char subject[] = "expected `Subject:' and a text";
    const struct {
        const char *name, *text, *want, *rest;
    } rows[] = {
        {"default.txt", "Hello\n", "/default.txt: line 1: ", subject},
        {"default.txt", "", "/default.txt: line 1: ", subject},
        {"default.txt", "Subject: \nx", "/default.txt: line 1: ", subject},
        {"po_sent.txt", "Subject: {{tilte}}\n", "/po_sent.txt: line 1: expected one of ", all},
        {"po_sent.txt", "Subject: a\n\n\nx\n{{\n", "/po_sent.txt: line 5: ", "{{ without }}"},
        {"po_sent.txt", "Subject: a\nx\n{{\n", "/po_sent.txt: line 3: ", "{{ without }}"},
        {"system_alert.html", "<p>\n\xff", "/system_alert.html: line 2: ", "not UTF-8"},
        {"default.html", long_file, "/default.html: larger than 65536 bytes", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[256];
        snprintf(want, sizeof want, "%s%s%s", rows[i].want, rows[i].rest,
                 rows[i].rest == all ? ", got `tilte'" : "");
        make_file(rows[i].name, rows[i].text);
        refused(folder, want);
        remove_files();
    }
}

static void folders_that_cannot_be_read(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/none", folder);
    refused(path, "/none: No such file or directory");
    make_file("file", "x");
    snprintf(path, sizeof path, "%s/file", folder);
    refused(path, "/file: not a folder");
    remove_files();
    snprintf(path, sizeof path, "%s/default.txt", folder);
    CHECK(mkdir(path, 0700) == 0);
    refused(folder, "/default.txt: Is a directory");
    CHECK(rmdir(path) == 0);
}

static void memory_may_be_short(void)
{
    struct arda_mail_values values = all_values();
    int result = BASE_ERR_NOMEM;
    make_file("po_sent.txt", "Subject: {{title}}\n{{body}}");
    make_file("default.html", "<p>{{title}}</p>");
    for (long n = 1; result && n < 400; n++) {
        struct arda_mail_templates *templates;
        struct arda_mail_content content = {0};
        struct base_why why = {0, ""};
        base_mem_fail(n, 1);
        result = arda_mail_templates_new(folder, &templates, &why);
        CHECK((result == 0) == (templates != NULL));
        if (!result)
            result = arda_mail_templates_write(templates, ARDA_NOTIFY_PO_SENT, &values, &content);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && content.subject.len == 0));
        arda_mail_content_fini(&content);
        arda_mail_templates_free(templates);
    }
    CHECK_INT(result, 0);
    remove_files();
    arda_mail_templates_free(NULL);
}

int main(void)
{
    memset(long_file, 'x', sizeof long_file - 1);
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    RUN(built_in_texts_serve_all_types);
    RUN(what_is_not_known_is_not_mentioned);
    RUN(a_folder_replaces_them);
    RUN(errors_name_file_and_line);
    RUN(folders_that_cannot_be_read);
    RUN(memory_may_be_short);
    rmdir(folder);
    return test_end();
}
