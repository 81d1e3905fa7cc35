/* SPDX-License-Identifier: ISC
 *
 * ca: certificates of authorities from a PEM file, to be trusted in addition to those that a TLS
 * context has anyway. They are parsed once, not for each connection. Threads: any; a set is
 * immutable.
 */
#ifndef BASE_CA_H
#define BASE_CA_H

#include "base/err.h"

#include <stdbool.h>

#define BASE_CA_FILE_MAX (4 * 1024 * 1024) /* bytes of a file */

struct base_ca;

/* Reads all certificates of the file; other kinds of blocks in it are left alone. 0;
 * BASE_ERR_CONFIG when it cannot be read, has no certificate or one that is malformed, with a
 * reason that begins with its path; BASE_ERR_NOMEM. */
int base_ca_load(const char *path, struct base_ca **ca, struct base_why *why);
/* `ssl_ctx` is an SSL_CTX of OpenSSL. False: out of memory. */
bool base_ca_add(const struct base_ca *ca, void *ssl_ctx);
void base_ca_free(struct base_ca *ca); /* NULL is allowed */

#endif
