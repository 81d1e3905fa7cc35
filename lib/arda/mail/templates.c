/* SPDX-License-Identifier: ISC */
#include "arda/mail/templates.h"

#include "arda/mail/template_file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static const char built_in_text[] = "Subject: {{title}}\n"
                                    "\n"
                                    "Hello {{userName}},\n"
                                    "\n"
                                    "{{title}}\n"
                                    "\n"
                                    "{{body}}\n"
                                    "\n"
                                    "Open it in Arda: {{actionUrl}}\n"
                                    "\n"
                                    "-- \n"
                                    "You get this e-mail because notifications of this kind are "
                                    "sent to you.\n"
                                    "It is about {{tenantName}}.\n"
                                    "To get no more of them: {{unsubscribeUrl}}\n";

static const char built_in_html[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>{{title}}</title>\n"
    "</head>\n"
    "<body style=\"margin:0;padding:24px;background:#f4f5f7;color:#1c2330;"
    "font:16px/1.5 sans-serif\">\n"
    "<div style=\"max-width:560px;margin:0 auto;padding:24px;background:#ffffff;"
    "border-radius:8px\">\n"
    "<p>Hello {{userName}},</p>\n"
    "<h1 style=\"margin:0 0 12px;font-size:20px\">{{title}}</h1>\n"
    "<p style=\"white-space:pre-line\">{{body}}</p>\n"
    "<p><a href=\"{{actionUrl}}\" style=\"display:inline-block;padding:10px 16px;"
    "background:#1f5fbf;color:#ffffff;border-radius:6px;text-decoration:none\">Open it in Arda</a>"
    "</p>\n"
    "</div>\n"
    "<div style=\"max-width:560px;margin:16px auto 0;color:#5b6472;font-size:13px\">\n"
    "<p style=\"margin:0\">You get this e-mail because notifications of this kind are sent to you."
    "</p>\n"
    "<p style=\"margin:0\">It is about {{tenantName}}.</p>\n"
    "<p style=\"margin:0\"><a href=\"{{unsubscribeUrl}}\" style=\"color:#5b6472\">"
    "Get no more of them</a></p>\n"
    "</div>\n"
    "</body>\n"
    "</html>\n";

static const char *const names[ARDA_MAIL_NAMES + 1] = {
#define NAME_TEXT_(name, text) text,
    ARDA_MAIL_NAME_MAP(NAME_TEXT_)
#undef NAME_TEXT_
};

/* What one pair of files holds; NULL for a file that is not there. */
struct texts {
    struct arda_mail_template *subject, *plain; /* both or none */
    struct arda_mail_template *html;
};

/* Behind those of the types stand those of default.txt and default.html, and what is built in. */
enum { OF_ALL = ARDA_NOTIFY_TYPES, BUILT_IN, SETS };

struct arda_mail_templates {
    struct texts sets[SETS];
};

/* ---- reading ---- */

static int read_set(const char *folder, const char *name, struct texts *texts, struct base_why *why)
{
    int failed = arda_mail_file_plain(folder, name, names, &texts->subject, &texts->plain, why);
    return failed ? failed : arda_mail_file_html(folder, name, names, &texts->html, why);
}

static int read_folder(const char *folder, struct arda_mail_templates *templates,
                       struct base_why *why)
{
    struct stat status;
    if (stat(folder, &status) < 0)
        return base_why_errno(why, BASE_ERR_CONFIG, errno, "%s", folder);
    if (!S_ISDIR(status.st_mode))
        return base_why_set(why, BASE_ERR_CONFIG, "%s: not a folder", folder);
    int failed = read_set(folder, "default", &templates->sets[OF_ALL], why);
    for (int type = 0; !failed && type < ARDA_NOTIFY_TYPES; type++)
        failed = read_set(folder, arda_notify_type_name((enum arda_notify_type)type),
                          &templates->sets[type], why);
    return failed;
}

static int read_built_in(struct texts *texts, struct base_why *why)
{
    struct base_slice text = {built_in_text, sizeof built_in_text - 1};
    struct base_slice html = {built_in_html, sizeof built_in_html - 1};
    int failed = arda_mail_file_text(text, names, &texts->subject, &texts->plain, why);
    if (!failed)
        failed = arda_mail_template_new(html, ARDA_MAIL_HTML, names, 1, &texts->html, why);
    return failed;
}

int arda_mail_templates_new(const char *folder, struct arda_mail_templates **templates,
                            struct base_why *why)
{
    struct base_why reason = {BASE_OK, ""};
    int failed = BASE_ERR_NOMEM;
    *templates = base_calloc(1, sizeof **templates);
    if (!*templates)
        return base_why_set(why, failed, "%s", base_err_text(failed));
    failed = read_built_in(&(*templates)->sets[BUILT_IN], &reason);
    base_assert(!failed || failed == BASE_ERR_NOMEM);
    if (!failed && folder)
        failed = read_folder(folder, *templates, &reason);
    if (failed) {
        failed = failed == BASE_ERR_NOMEM ? failed : BASE_ERR_CONFIG;
        base_why_set(why, failed, "%s", reason.text);
        arda_mail_templates_free(*templates);
        *templates = NULL;
    }
    return failed;
}

void arda_mail_templates_free(struct arda_mail_templates *templates)
{
    if (!templates)
        return;
    for (int i = 0; i < SETS; i++) {
        arda_mail_template_free(templates->sets[i].subject);
        arda_mail_template_free(templates->sets[i].plain);
        arda_mail_template_free(templates->sets[i].html);
    }
    base_free(templates);
}

/* ---- writing ---- */

int arda_mail_templates_write(const struct arda_mail_templates *templates,
                              enum arda_notify_type type, const struct arda_mail_values *values,
                              struct arda_mail_content *content)
{
    const struct texts *sets = templates->sets;
    int text = sets[type].plain ? (int)type : sets[OF_ALL].plain ? OF_ALL : BUILT_IN;
    int html = sets[type].html ? (int)type : sets[OF_ALL].html ? OF_ALL : BUILT_IN;
    content->subject.len = content->plain.len = content->html.len = 0;
    if (arda_mail_template_write(sets[text].subject, values->of, &content->subject) < 0 ||
        arda_mail_template_write(sets[text].plain, values->of, &content->plain) < 0 ||
        arda_mail_template_write(sets[html].html, values->of, &content->html) < 0) {
        content->subject.len = content->plain.len = content->html.len = 0;
        return BASE_ERR_NOMEM;
    }
    return BASE_OK;
}

void arda_mail_content_fini(struct arda_mail_content *content)
{
    base_buf_fini(&content->subject);
    base_buf_fini(&content->plain);
    base_buf_fini(&content->html);
}
