/* SPDX-License-Identifier: ISC */
#include "arda/mail/digest.h"

#include "arda/mail/template_file.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char digest_text[] = "Subject: [Arda] {{count}} notifications\n"
                                  "\n"
                                  "Hello {{userName}},\n"
                                  "\n"
                                  "{{count}} notifications have come:\n"
                                  "{{items}}\n"
                                  "\n"
                                  "-- \n"
                                  "You get this e-mail because notifications are collected for "
                                  "you and sent together.\n"
                                  "They are about {{tenantName}}.\n"
                                  "{{types}}\n";

/* The empty line comes first: one behind a line that is left out would go with it. */
static const char item_text[] = "\n"
                                "* {{title}}\n"
                                "{{body}}\n"
                                "{{actionUrl}}\n";

static const char type_text[] = "To get no more of {{notificationType}}: {{unsubscribeUrl}}\n";

static const char digest_html[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>{{count}} notifications</title>\n"
    "</head>\n"
    "<body style=\"margin:0;padding:24px;background:#f4f5f7;color:#1c2330;"
    "font:16px/1.5 sans-serif\">\n"
    "<div style=\"max-width:560px;margin:0 auto;padding:24px;background:#ffffff;"
    "border-radius:8px\">\n"
    "<p>Hello {{userName}},</p>\n"
    "<h1 style=\"margin:0 0 12px;font-size:20px\">{{count}} notifications</h1>\n"
    "{{items}}\n"
    "</div>\n"
    "<div style=\"max-width:560px;margin:16px auto 0;color:#5b6472;font-size:13px\">\n"
    "<p style=\"margin:0\">You get this e-mail because notifications are collected for you and "
    "sent together.</p>\n"
    "<p style=\"margin:0\">They are about {{tenantName}}.</p>\n"
    "{{types}}\n"
    "</div>\n"
    "</body>\n"
    "</html>\n";

static const char item_html[] =
    "<div style=\"margin:0;padding:12px 0;border-top:1px solid #e2e5ea\">\n"
    "<h2 style=\"margin:0;font-size:16px\">{{title}}</h2>\n"
    "<p style=\"margin:4px 0;white-space:pre-line\">{{body}}</p>\n"
    "<p style=\"margin:4px 0\"><a href=\"{{actionUrl}}\" style=\"color:#1f5fbf\">Open it in "
    "Arda</a></p>\n"
    "</div>\n";

static const char type_html[] =
    "<p style=\"margin:0\"><a href=\"{{unsubscribeUrl}}\" style=\"color:#5b6472\">"
    "Get no more of {{notificationType}}</a></p>\n";

static const char *const digest_names[ARDA_MAIL_DIGEST_NAMES + 1] = {
#define NAME_TEXT_(name, text) text,
    ARDA_MAIL_DIGEST_NAME_MAP(NAME_TEXT_)
#undef NAME_TEXT_
};

static const char *const item_names[ARDA_MAIL_NAMES + 1] = {
#define NAME_TEXT_(name, text) text,
    ARDA_MAIL_NAME_MAP(NAME_TEXT_)
#undef NAME_TEXT_
};

/* One of the mail's two forms. */
struct form {
    struct arda_mail_template *digest, *item, *type;
};

struct arda_mail_digests {
    struct arda_mail_template *subject;
    struct form plain, html;
};

/* ---- reading ---- */

static int read_folder(const char *folder, struct arda_mail_digests *digests, struct base_why *why)
{
    struct form *plain = &digests->plain, *html = &digests->html;
    int failed = arda_mail_file_plain(folder, "digest", digest_names, &digests->subject,
                                      &plain->digest, why);
    if (!failed)
        failed = arda_mail_file_plain(folder, "digest-item", item_names, NULL, &plain->item, why);
    if (!failed)
        failed = arda_mail_file_plain(folder, "digest-type", item_names, NULL, &plain->type, why);
    if (!failed)
        failed = arda_mail_file_html(folder, "digest", digest_names, &html->digest, why);
    if (!failed)
        failed = arda_mail_file_html(folder, "digest-item", item_names, &html->item, why);
    if (!failed)
        failed = arda_mail_file_html(folder, "digest-type", item_names, &html->type, why);
    return failed;
}

static int fill_in(struct arda_mail_template **form, const char *text, enum arda_mail_kind kind,
                   const char *const *names, struct base_why *why)
{
    struct base_slice slice = {text, strlen(text)};
    return *form ? BASE_OK : arda_mail_template_new(slice, kind, names, 1, form, why);
}

/* What no file has replaced. */
static int read_built_in(struct arda_mail_digests *digests, struct base_why *why)
{
    struct form *plain = &digests->plain, *html = &digests->html;
    const struct base_slice text = {digest_text, sizeof digest_text - 1};
    int failed = BASE_OK;
    if (!plain->digest)
        failed = arda_mail_file_text(text, digest_names, &digests->subject, &plain->digest, why);
    if (!failed)
        failed = fill_in(&plain->item, item_text, ARDA_MAIL_PLAIN, item_names, why);
    if (!failed)
        failed = fill_in(&plain->type, type_text, ARDA_MAIL_PLAIN, item_names, why);
    if (!failed)
        failed = fill_in(&html->digest, digest_html, ARDA_MAIL_HTML, digest_names, why);
    if (!failed)
        failed = fill_in(&html->item, item_html, ARDA_MAIL_HTML, item_names, why);
    if (!failed)
        failed = fill_in(&html->type, type_html, ARDA_MAIL_HTML, item_names, why);
    base_assert(!failed || failed == BASE_ERR_NOMEM);
    return failed;
}

int arda_mail_digests_new(const char *folder, struct arda_mail_digests **digests,
                          struct base_why *why)
{
    struct base_why reason = {BASE_OK, ""};
    int failed = BASE_OK;
    *digests = base_calloc(1, sizeof **digests);
    if (!*digests)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    if (folder)
        failed = read_folder(folder, *digests, &reason);
    if (!failed)
        failed = read_built_in(*digests, &reason);
    if (failed) {
        failed = failed == BASE_ERR_NOMEM ? failed : BASE_ERR_CONFIG;
        base_why_set(why, failed, "%s", reason.text);
        arda_mail_digests_free(*digests);
        *digests = NULL;
    }
    return failed;
}

static void free_form(struct form *form)
{
    arda_mail_template_free(form->digest);
    arda_mail_template_free(form->item);
    arda_mail_template_free(form->type);
}

void arda_mail_digests_free(struct arda_mail_digests *digests)
{
    if (!digests)
        return;
    arda_mail_template_free(digests->subject);
    free_form(&digests->plain);
    free_form(&digests->html);
    base_free(digests);
}

/* ---- writing ---- */

static bool is_first_of_type(const struct arda_mail_digest_item *items, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (items[i].type == items[at].type)
            return false;
    return true;
}

static struct base_slice without_line_end(const struct base_buf *text)
{
    size_t end = text->len >= 2 && memcmp(text->data + text->len - 2, "\r\n", 2) == 0 ? 2 : 0;
    return (struct base_slice){text->data, text->len - end};
}

static int write_form(const struct form *form, struct base_slice *values,
                      const struct arda_mail_digest_item *items, size_t count, struct base_buf *out)
{
    const unsigned made = 1u << ARDA_MAIL_DIGEST_ITEMS | 1u << ARDA_MAIL_DIGEST_TYPES;
    struct base_buf rows = BASE_BUF_INIT, types = BASE_BUF_INIT;
    int failed = BASE_OK;
    for (size_t i = 0; !failed && i < count; i++) {
        const struct base_slice *item = items[i].values.of;
        failed = arda_mail_template_write(form->item, item, &rows);
        if (!failed && item[ARDA_MAIL_UNSUBSCRIBE_URL].len > 0 && is_first_of_type(items, i))
            failed = arda_mail_template_write(form->type, item, &types);
    }
    values[ARDA_MAIL_DIGEST_ITEMS] = without_line_end(&rows);
    values[ARDA_MAIL_DIGEST_TYPES] = without_line_end(&types);
    if (!failed)
        failed = arda_mail_template_fill(form->digest, values, made, out);
    base_buf_fini(&rows);
    base_buf_fini(&types);
    return failed;
}

int arda_mail_digests_write(const struct arda_mail_digests *digests,
                            const struct arda_mail_digest_item *items, size_t count,
                            struct arda_mail_content *content)
{
    char number[24];
    const struct base_slice *first = items[0].values.of;
    struct base_slice values[ARDA_MAIL_DIGEST_NAMES] = {
        [ARDA_MAIL_DIGEST_COUNT] = {number, (size_t)snprintf(number, sizeof number, "%zu", count)},
        [ARDA_MAIL_DIGEST_TENANT_ID] = first[ARDA_MAIL_TENANT_ID],
        [ARDA_MAIL_DIGEST_TENANT_NAME] = first[ARDA_MAIL_TENANT_NAME],
        [ARDA_MAIL_DIGEST_USER_NAME] = first[ARDA_MAIL_USER_NAME],
    };
    content->subject.len = content->plain.len = content->html.len = 0;
    int failed = write_form(&digests->plain, values, items, count, &content->plain);
    if (!failed)
        failed = write_form(&digests->html, values, items, count, &content->html);
    /* What is made for a text is nothing for a header. */
    values[ARDA_MAIL_DIGEST_ITEMS] = values[ARDA_MAIL_DIGEST_TYPES] = (struct base_slice){NULL, 0};
    if (!failed)
        failed = arda_mail_template_write(digests->subject, values, &content->subject);
    if (failed)
        content->subject.len = content->plain.len = content->html.len = 0;
    return failed;
}

struct base_slice arda_mail_digest_link(const struct arda_mail_digest_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (items[i].type != items[0].type)
            return (struct base_slice){NULL, 0};
    return items[0].values.of[ARDA_MAIL_UNSUBSCRIBE_URL];
}
