/* SPDX-License-Identifier: ISC
 *
 * templates: what e-mails about notifications say. Built in is one plain and one HTML text for
 * all types; a folder may replace them:
 *
 *     TYPE.txt, TYPE.html          for one type of notification, such as po_created.txt
 *     default.txt, default.html    for the types that have none
 *
 * The first line of a .txt is `Subject: ` and the template of a header; the text begins behind it
 * and the empty lines that follow. Other files are nobody's business. Threads: any; a set does not
 * change.
 */
#ifndef ARDA_MAIL_TEMPLATES_H
#define ARDA_MAIL_TEMPLATES_H

#include "arda/mail/template.h"
#include "arda/notify_channels.h"

#define ARDA_MAIL_TEMPLATE_MAX 65536 /* bytes of a file */

/* Name in a template. An empty value is one that is not known. */
#define ARDA_MAIL_NAME_MAP(X)                                                                      \
    X(ARDA_MAIL_TITLE, "title")                                                                    \
    X(ARDA_MAIL_BODY, "body")                                                                      \
    X(ARDA_MAIL_TYPE, "notificationType")                                                          \
    X(ARDA_MAIL_ACTION_URL, "actionUrl")                                                           \
    X(ARDA_MAIL_TENANT_ID, "tenantId")                                                             \
    X(ARDA_MAIL_TENANT_NAME, "tenantName")                                                         \
    X(ARDA_MAIL_USER_NAME, "userName")                                                             \
    X(ARDA_MAIL_UNSUBSCRIBE_URL, "unsubscribeUrl")

enum arda_mail_name {
#define ARDA_MAIL_NAME_ENUM_(name, text) name,
    ARDA_MAIL_NAME_MAP(ARDA_MAIL_NAME_ENUM_)
#undef ARDA_MAIL_NAME_ENUM_
        ARDA_MAIL_NAMES
};

/* UTF-8, not escaped; links absolute and safe (link.h). */
struct arda_mail_values {
    struct base_slice of[ARDA_MAIL_NAMES];
};

/* Subject on one line, texts with lines that end with CR LF. */
struct arda_mail_content {
    struct base_buf subject, plain, html;
};

struct arda_mail_templates;

/* `folder` NULL: what is built in. 0; BASE_ERR_CONFIG where the folder or a file in it cannot be
 * used, with a reason that begins with its path and, for what is in a file, its line;
 * BASE_ERR_NOMEM. */
int arda_mail_templates_new(const char *folder, struct arda_mail_templates **templates,
                            struct base_why *why);
void arda_mail_templates_free(struct arda_mail_templates *templates); /* NULL is allowed */

/* Overwrites `content` (zeroed or used before). 0 or BASE_ERR_NOMEM; then it is empty. */
int arda_mail_templates_write(const struct arda_mail_templates *templates,
                              enum arda_notify_type type, const struct arda_mail_values *values,
                              struct arda_mail_content *content);
void arda_mail_content_fini(struct arda_mail_content *content);

#endif
