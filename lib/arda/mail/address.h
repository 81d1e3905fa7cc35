/* SPDX-License-Identifier: ISC
 *
 * address: addresses as people write them, and as they are handed to a mail relay. Threads:
 * any.
 */
#ifndef ARDA_MAIL_ADDRESS_H
#define ARDA_MAIL_ADDRESS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

#define ARDA_MAIL_ADDRESS_MAX 254 /* bytes; RFC 5321 section 4.5.3.1.3, without the brackets */

/* Takes `local@domain` as people write it, and appends its form for the wire to `wire`, which may
 * be NULL: the domain becomes labels of letters, digits and hyphens (IDNA2008 with the mapping of
 * UTS #46), the local part stays. The local part is of dot-atoms (RFC 5321 section 4.1.2) and may
 * be UTF-8 (RFC 6531), but without spaces and characters that control how others are shown; there
 * is no quoted local part, no comment and no address literal. So nothing in it means anything to
 * SMTP or to a header. 0; BASE_ERR_INVALID with the reason; BASE_ERR_NOMEM. `wire` is unchanged
 * then. */
int arda_mail_address_wire(struct base_slice address, struct base_buf *wire, struct base_why *why);

/* Whether an address has the form for the wire already. 0, or BASE_ERR_INVALID with the reason. */
int arda_mail_address_check(struct base_slice address, struct base_why *why);

/* Of an address for the wire: whether it needs SMTPUTF8 (RFC 6531). */
bool arda_mail_address_is_utf8(struct base_slice address);

/* A sender, `NAME <local@domain>` or the address alone, as people write it. `name` and `address`
 * lie in `text`; `name` is empty when there is none, and may be UTF-8, without control characters.
 * Errors as arda_mail_address_wire. */
int arda_mail_sender_parse(const char *text, struct base_slice *name, struct base_slice *address,
                           struct base_why *why);

#endif
