/* SPDX-License-Identifier: ISC */
#include "arda/mail/digest.h"

#include "base/mem.h"
#include "lib/test.h"

#include <unistd.h>

static char folder[] = "/tmp/arda-digest-XXXXXX";

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

static struct arda_mail_digest_item item(enum arda_notify_type type, const char *title,
                                         const char *body, const char *url, const char *link)
{
    struct arda_mail_digest_item item = {.type = type};
    item.values.of[ARDA_MAIL_TITLE] = slice(title);
    item.values.of[ARDA_MAIL_BODY] = slice(body);
    item.values.of[ARDA_MAIL_ACTION_URL] = slice(url);
    item.values.of[ARDA_MAIL_TYPE] = slice(arda_notify_type_name(type));
    item.values.of[ARDA_MAIL_UNSUBSCRIBE_URL] = slice(link);
    item.values.of[ARDA_MAIL_USER_NAME] = slice("Ann");
    item.values.of[ARDA_MAIL_TENANT_NAME] = slice("Acme & Sons");
    return item;
}

static int has(const struct base_buf *text, const char *part)
{
    return memmem(text->data, text->len, part, strlen(part)) != NULL;
}

/* Of two types: three items, two links. */
#define ITEMS                                                                                      \
    {                                                                                              \
        item(ARDA_NOTIFY_PO_CREATED, "Order <7> {{title}}", "Two\nlines",                          \
             "https://arda.example/7", "https://arda.example/u?t=1&x=2"),                          \
            item(ARDA_NOTIFY_PO_SENT, "Order 8 sent", "", "", "https://arda.example/u?t=3"),       \
            item(ARDA_NOTIFY_PO_CREATED, "Order 9", "Text", "", "https://arda.example/u?t=4"),     \
    }

static void built_in_texts(void)
{
    struct arda_mail_digests *digests;
    struct arda_mail_content content = {0};
    const struct arda_mail_digest_item items[] = ITEMS;
    CHECK_INT(arda_mail_digests_new(NULL, &digests, NULL), 0);
    CHECK_INT(arda_mail_digests_write(digests, items, 3, &content), 0);
    CHECK_BYTES(content.subject.data, content.subject.len, "[Arda] 3 notifications");
    CHECK_BYTES(content.plain.data, content.plain.len,
                "Hello Ann,\r\n\r\n3 notifications have come:\r\n"
                "\r\n* Order <7> {{title}}\r\nTwo\r\nlines\r\nhttps://arda.example/7\r\n"
                "\r\n* Order 8 sent\r\n"
                "\r\n* Order 9\r\nText\r\n"
                "\r\n-- \r\n"
                "You get this e-mail because notifications are collected for you and sent "
                "together.\r\n"
                "They are about Acme & Sons.\r\n"
                "To get no more of po_created: https://arda.example/u?t=1&x=2\r\n"
                "To get no more of po_sent: https://arda.example/u?t=3\r\n");
    CHECK(has(&content.html, "<title>3 notifications</title>\r\n"));
    CHECK(has(&content.html, ">Order &lt;7&gt; {{title}}</h2>\r\n"));
    CHECK(has(&content.html, ">Two\r\nlines</p>\r\n"));
    CHECK(has(&content.html, "href=\"https://arda.example/7\""));
    CHECK(has(&content.html, "href=\"https://arda.example/u?t=1&amp;x=2\""));
    CHECK(has(&content.html, ">Get no more of po_sent</a></p>\r\n</div>\r\n"));
    CHECK(has(&content.html, "about Acme &amp; Sons."));
    CHECK(!has(&content.html, "u?t=4"));
    arda_mail_content_fini(&content);
    arda_mail_digests_free(digests);
}

static void what_is_not_known_is_not_mentioned(void)
{
    struct arda_mail_digests *digests;
    struct arda_mail_content content = {0};
    struct arda_mail_digest_item items[2] = {{.type = ARDA_NOTIFY_PO_SENT},
                                             {.type = ARDA_NOTIFY_PO_SENT}};
    items[0].values.of[ARDA_MAIL_TITLE] = items[1].values.of[ARDA_MAIL_TITLE] = slice("Title");
    CHECK_INT(arda_mail_digests_new(NULL, &digests, NULL), 0);
    CHECK_INT(arda_mail_digests_write(digests, items, 2, &content), 0);
    CHECK_BYTES(content.plain.data, content.plain.len,
                "2 notifications have come:\r\n\r\n* Title\r\n\r\n* Title\r\n\r\n-- \r\n"
                "You get this e-mail because notifications are collected for you and sent "
                "together.\r\n");
    CHECK(!has(&content.html, "Hello") && !has(&content.html, "href"));
    arda_mail_content_fini(&content);
    arda_mail_digests_free(digests);
}

/* One click ends all of one type; of several types there is no such click. */
static void a_link_for_the_header(void)
{
    const struct arda_mail_digest_item items[] = ITEMS;
    const struct arda_mail_digest_item same[] = {items[0], items[2]};
    struct base_slice link = arda_mail_digest_link(same, 2);
    CHECK_BYTES(link.data, link.len, "https://arda.example/u?t=1&x=2");
    CHECK_INT(arda_mail_digest_link(items, 3).len, 0);
    link = arda_mail_digest_link(items + 1, 1);
    CHECK_BYTES(link.data, link.len, "https://arda.example/u?t=3");
}

static void files_replace_them(void)
{
    struct arda_mail_digests *digests;
    struct arda_mail_content content = {0};
    const struct arda_mail_digest_item items[] = ITEMS;
    struct base_why why = {0, ""};
    make_file("digest.txt", "Subject: {{count}} for {{tenantName}}{{items}}\n\nA\n{{items}}\nZ\n");
    make_file("digest-item.txt", "{{notificationType}}: {{title}}\n");
    make_file("digest.html", "<ul>{{items}}</ul>{{types}}");
    make_file("digest-item.html", "<li>{{title}}");
    make_file("digest-type.html", "<b>{{unsubscribeUrl}}</b>");
    CHECK_INT(arda_mail_digests_new(folder, &digests, &why), 0);
    CHECK_STR(why.text, "");
    if (digests) {
        CHECK_INT(arda_mail_digests_write(digests, items, 3, &content), 0);
        CHECK_BYTES(content.subject.data, content.subject.len, "3 for Acme & Sons");
        CHECK_BYTES(content.plain.data, content.plain.len,
                    "A\r\npo_created: Order <7> {{title}}\r\npo_sent: Order 8 sent\r\n"
                    "po_created: Order 9\r\nZ\r\n");
        CHECK_BYTES(content.html.data, content.html.len,
                    "<ul><li>Order &lt;7&gt; {{title}}<li>Order 8 sent<li>Order 9</ul>"
                    "<b>https://arda.example/u?t=1&amp;x=2</b><b>https://arda.example/u?t=3</b>");
    }
    arda_mail_content_fini(&content);
    arda_mail_digests_free(digests);
    remove_files();
}

static void errors_name_file_and_line(void)
{
    static const char all[] = "title, body, notificationType, actionUrl, tenantId, tenantName, "
                              "userName, unsubscribeUrl";
    static const char own[] = "count, items, types, tenantId, tenantName, userName";
    const struct {
        const char *name, *text, *want, *names, *got;
    } rows[] = {
        {"digest.txt", "Hello\n", "/digest.txt: line 1: expected `Subject:' and a text", "", ""},
        {"digest.txt", "Subject: x\n{{title}}\n", "/digest.txt: line 2: expected one of ", own,
         ", got `title'"},
        {"digest.html", "{{unsubscribeUrl}}", "/digest.html: line 1: expected one of ", own,
         ", got `unsubscribeUrl'"},
        {"digest-item.txt", "a\n{{items}}", "/digest-item.txt: line 2: expected one of ", all,
         ", got `items'"},
        {"digest-type.html", "{{", "/digest-type.html: line 1: {{ without }}", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_mail_digests *digests;
        struct base_why why = {0, ""};
        char want[300];
        snprintf(want, sizeof want, "%s%s%s", rows[i].want, rows[i].names, rows[i].got);
        make_file(rows[i].name, rows[i].text);
        CHECK_INT(arda_mail_digests_new(folder, &digests, &why), BASE_ERR_CONFIG);
        CHECK(digests == NULL && strncmp(why.text, folder, strlen(folder)) == 0);
        CHECK_STR(why.text + strlen(folder), want);
        remove_files();
    }
}

static void memory_may_be_short(void)
{
    const struct arda_mail_digest_item items[] = ITEMS;
    int result = BASE_ERR_NOMEM;
    make_file("digest-item.txt", "{{title}}\n");
    for (long n = 1; result && n < 400; n++) {
        struct arda_mail_digests *digests;
        struct arda_mail_content content = {0};
        base_mem_fail(n, 1);
        result = arda_mail_digests_new(folder, &digests, NULL);
        CHECK((result == 0) == (digests != NULL));
        if (!result)
            result = arda_mail_digests_write(digests, items, 3, &content);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && content.plain.len == 0));
        arda_mail_content_fini(&content);
        arda_mail_digests_free(digests);
    }
    CHECK_INT(result, 0);
    remove_files();
    arda_mail_digests_free(NULL);
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    RUN(built_in_texts);
    RUN(what_is_not_known_is_not_mentioned);
    RUN(a_link_for_the_header);
    RUN(files_replace_them);
    RUN(errors_name_file_and_line);
    RUN(memory_may_be_short);
    rmdir(folder);
    return test_end();
}
