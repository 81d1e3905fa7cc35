/* SPDX-License-Identifier: ISC
 *
 * text: values on their way into an e-mail. Threads: any.
 */
#ifndef ARDA_MAIL_TEXT_H
#define ARDA_MAIL_TEXT_H

#include "base/buf.h"

enum arda_mail_kind {
    ARDA_MAIL_HTML,   /* also between quotation marks of an attribute */
    ARDA_MAIL_PLAIN,  /* text/plain */
    ARDA_MAIL_HEADER, /* what a header says, one line; message.h encodes it */
};

/* Appends `value` so that it stays a value, as UTF-8: what is not UTF-8 becomes U+FFFD, and control
 * characters (C0, DEL, C1) become blanks. Tabs and line ends stay in HTML and plain text, a line
 * end as CR LF; for a header they, and U+2028 and U+2029, are blanks, too. In HTML & < > " ' become
 * references. 0 or BASE_ERR_NOMEM; then `out` is as it was. */
int arda_mail_text_add(struct base_buf *out, struct base_slice value, enum arda_mail_kind kind);

#endif
