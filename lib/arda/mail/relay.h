/* SPDX-License-Identifier: ISC
 *
 * relay: where e-mails are handed over, from a URL. Threads: any.
 */
#ifndef ARDA_MAIL_RELAY_H
#define ARDA_MAIL_RELAY_H

#include "base/err.h"

#include <stdbool.h>

struct arda_mail_relay {
    char *url;      /* scheme, host, port and path: nothing that is secret */
    char *name;     /* host and port as they were given, for a person */
    char *user;     /* decoded; NULL: none. So is the password */
    char *password; /* a user without one has an empty one */
    bool tls;       /* smtps: TLS from the first byte */
    bool loopback;  /* localhost, 127.0.0.0/8 or ::1, as spelled in the URL */
};

/* Reads `smtp[s]://[USER:PASSWORD@]HOST[:PORT][/NAME]`; user and password are percent-encoded, NAME
 * is what we call ourselves to the relay, in place of the name of this computer. 0;
 * BASE_ERR_CONFIG with a reason that quotes neither user nor password; BASE_ERR_NOMEM. */
int arda_mail_relay_parse(const char *text, struct arda_mail_relay *relay, struct base_why *why);
/* Overwrites user and password before they are freed. A zeroed struct is allowed. */
void arda_mail_relay_fini(struct arda_mail_relay *relay);

#endif
