/* SPDX-License-Identifier: ISC
 *
 * template: a text with `{{name}}` in it, for which a value is put, and nothing else: no
 * condition, no loop, no value as it stands.
 *
 * Two braces begin a name wherever they stand; `}}` elsewhere is text. A line with names of which
 * none has a value is left out, with the empty lines behind it: so a link, a greeting or an
 * unsubscribe line needs no condition, if all that belongs to it is on its line. A header is one
 * line and never left out. Threads: any; a template does not change.
 */
#ifndef ARDA_MAIL_TEMPLATE_H
#define ARDA_MAIL_TEMPLATE_H

#include "arda/mail/text.h"
#include "base/err.h"

struct arda_mail_template;

/* `text` and `names`, which NULL ends, are borrowed for the call. The text's first line is number
 * `line` of its file. 0; BASE_ERR_INVALID with `line N: …` for a name that is none, braces without
 * an end, what is not UTF-8, a control character that is no tab or line end, or a second line in a
 * header; BASE_ERR_NOMEM. */
int arda_mail_template_new(struct base_slice text, enum arda_mail_kind kind,
                           const char *const *names, size_t line, struct arda_mail_template **form,
                           struct base_why *why);
void arda_mail_template_free(struct arda_mail_template *form); /* NULL is allowed */

/* Appends the text with `values[i]` for `names[i]`, each as text.h has it for the kind. Lines
 * end with CR LF, as mail's do, and so does the last one if it did; a header has no line end. 0 or
 * BASE_ERR_NOMEM; then `out` is as it was. */
int arda_mail_template_write(const struct arda_mail_template *form, const struct base_slice *values,
                             struct base_buf *out);

/* The same, but the values of names that have a bit in `made` were written by templates of the same
 * kind, and are put as they stand: that is how a part is repeated. */
int arda_mail_template_fill(const struct arda_mail_template *form, const struct base_slice *values,
                            unsigned made, struct base_buf *out);

#endif
