/* SPDX-License-Identifier: ISC
 *
 * template_file: templates of e-mails as files of a folder, of ARDA_MAIL_TEMPLATE_MAX bytes at
 * most. Threads: any.
 */
#ifndef ARDA_MAIL_TEMPLATE_FILE_H
#define ARDA_MAIL_TEMPLATE_FILE_H

#include "arda/mail/template.h"

/* `names` as of arda_mail_template_new. A file that is not there leaves the templates as they are;
 * 0 then, too. BASE_ERR_INVALID and the like with a reason that begins with the path and, for what
 * is in the file, its line; BASE_ERR_NOMEM. What was made before an error stays, and is the
 * caller's to free in any case. */

/* FOLDER/NAME.txt. `subject` NULL: the file is all text; else its first line is `Subject: ` and the
 * template of a header, and the text begins behind it and the empty lines that follow. */
int arda_mail_file_plain(const char *folder, const char *name, const char *const *names,
                         struct arda_mail_template **subject, struct arda_mail_template **plain,
                         struct base_why *why);
/* FOLDER/NAME.html */
int arda_mail_file_html(const char *folder, const char *name, const char *const *names,
                        struct arda_mail_template **html, struct base_why *why);

/* What a .txt file holds, with a subject. */
int arda_mail_file_text(struct base_slice text, const char *const *names,
                        struct arda_mail_template **subject, struct arda_mail_template **plain,
                        struct base_why *why);

#endif
