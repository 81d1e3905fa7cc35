/* SPDX-License-Identifier: ISC
 *
 * mask: takes out of a message what is secret by its look, so that no message repeats what somebody
 * has put in the wrong place: a token given as a file, a password in a URL. It is the last line of
 * defence, not a reason to print secrets. Threads: any.
 */
#ifndef BASE_MASK_H
#define BASE_MASK_H

/* Changes the text in place, which never gets longer: JSON Web Tokens become `eyJ***`, secrets of
 * webhooks `whsec_***`, the password of a URL `***`, and so do values of `token`, `access_token`,
 * `secret`, `password`, `key` and `sig` in the query of one. */
void base_mask(char *text);

/* How to name the file of a secret that cannot be opened: `***` for a name that may be the secret
 * itself, being as long as one and in no folder that exists; else `file`. */
const char *base_mask_file(const char *file);

#endif
