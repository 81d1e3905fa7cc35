/* SPDX-License-Identifier: ISC
 *
 * message: the headers of an e-mail, right by RFC 5322 and RFC 2047 whatever the values are.
 * MIME-Version and Content-Type are left to who sends the parts. Threads: any.
 */
#ifndef ARDA_MAIL_MESSAGE_H
#define ARDA_MAIL_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* How the two parts of a multipart/alternative are announced, and which encoding keeps their lines
 * short enough for every relay. */
#define ARDA_MAIL_PLAIN_TYPE "text/plain; charset=utf-8"
#define ARDA_MAIL_HTML_TYPE  "text/html; charset=utf-8"
#define ARDA_MAIL_ENCODING   "quoted-printable"

#define ARDA_MAIL_LIST_URL_MAX 990 /* bytes; a longer one does not fit a line of RFC 5322 */

/* Names and subject may hold anything; they become one line (ARDA_MAIL_HEADER of text.h)
 * without blanks at its ends. */
struct arda_mail {
    struct base_slice delivery_id; /* the same at every try, and so is the Message-ID */
    struct base_slice from_name;   /* empty: none; so is to_name */
    struct base_slice from_address;
    struct base_slice to_name;
    struct base_slice to_address;
    struct base_slice subject;
    struct base_slice unsubscribe_url; /* empty: none */
    int64_t date_ms;                   /* since 1970 */
};

/* Appends the headers, each with a NUL behind it and without its last line end; inside a long one
 * lines end with CR LF and go on behind a blank. They are Date, Message-ID (`<ID@DOMAIN>`, the
 * domain of the sender), From, To, Subject, Auto-Submitted (RFC 3834), List-Unsubscribe (RFC 2369),
 * and, where it is an https one, List-Unsubscribe-Post (RFC 8058). A link over
 * ARDA_MAIL_LIST_URL_MAX gets neither.
 *
 * Addresses are those for the wire; one in UTF-8 stands as it is (RFC 6532).
 *
 * 0; BASE_ERR_INVALID with a reason that names the field: an address not in its form for the wire,
 * an id that cannot stand before an @, an unsubscribe link that is no http(s) URL, a date outside
 * the years 1970 to 9999; BASE_ERR_NOMEM. `out` is then as it was. */
int arda_mail_headers_add(struct base_buf *out, const struct arda_mail *mail, struct base_why *why);

/* The header behind `header`, the first for NULL; NULL behind the last. Borrowed from `headers`,
 * which holds what arda_mail_headers_add has appended and nothing else. */
const char *arda_mail_headers_next(const struct base_buf *headers, const char *header);

#endif
