/* SPDX-License-Identifier: ISC
 *
 * mail_address: addresses that may be handed to a mail relay. Threads: any.
 */
#ifndef ARDA_MAIL_ADDRESS_H
#define ARDA_MAIL_ADDRESS_H

#include "base/buf.h"
#include "base/err.h"

#define ARDA_MAIL_ADDRESS_MAX 254 /* bytes; RFC 5321 section 4.5.3.1.3, without the brackets */

/* Takes `local@domain` with a local part of dot-atoms (RFC 5321 section 4.1.2) and a domain of
 * labels of letters, digits and hyphens, and nothing else: no quoted local part, no comment, no
 * address literal, no character outside ASCII, so nothing in it means anything to SMTP or to a
 * header. 0, or BASE_ERR_INVALID with the reason. */
int arda_mail_address_check(struct base_slice address, struct base_why *why);

/* The same of a sender, `NAME <local@domain>` or the address alone. `name` and `address` lie in
 * `text`; `name` is empty when there is none, and may be UTF-8, without control characters. */
int arda_mail_sender_parse(const char *text, struct base_slice *name, struct base_slice *address,
                           struct base_why *why);

#endif
