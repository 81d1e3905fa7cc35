/* SPDX-License-Identifier: ISC
 *
 * pkey: RSA and P-256 keys in PEM, and the signatures that RFC 7518 (sections 3.3 and 3.4) makes
 * with them and SHA-256. A key is parsed once, since that costs more than a signature does.
 * Threads: any; a key may be shared.
 */
#ifndef BASE_PKEY_H
#define BASE_PKEY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define BASE_PKEY_MIN_RSA_BITS   2048
#define BASE_PKEY_MAX_RSA_BITS   16384
#define BASE_PKEY_MAX_SIGNATURE  (BASE_PKEY_MAX_RSA_BITS / 8)
#define BASE_PKEY_P256_SIGNATURE 64

struct base_pkey;

/* Reads "PUBLIC KEY" or one of the forms of a private key; encrypted ones are refused, nobody is
 * asked for a password. BASE_ERR_CONFIG for what is no such key, or of another kind or size. */
int base_pkey_parse(const char *pem, size_t len, struct base_pkey **key, struct base_why *why);
/* NULL is allowed. */
void base_pkey_free(struct base_pkey *key);
/* RSA, or else EC over P-256. */
bool base_pkey_is_rsa(const struct base_pkey *key);
bool base_pkey_is_private(const struct base_pkey *key);

/* RSASSA-PKCS1-v1_5, or ECDSA with the signature as r and s of 32 bytes each. 0; BASE_ERR_DENIED
 * for a signature that is not the key's, BASE_ERR_NOMEM. */
int base_pkey_verify(const struct base_pkey *key, const void *bytes, size_t len,
                     const unsigned char *signature, size_t signature_len);

/* Whether the text holds a PEM block, of whatever kind. */
bool base_pkey_is_pem(const char *text, size_t len);
/* Whether it is a public key in another form: DER, its base64, a JSON Web Key, or a line of ssh.
 * Everybody may know such a text, so it must never be taken for a secret. */
bool base_pkey_is_foreign(const char *text, size_t len);

#endif
