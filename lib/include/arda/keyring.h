/* SPDX-License-Identifier: ISC
 *
 * keyring: what is asked of tokens: the keys that may have signed them, the algorithms that are
 * allowed, and whom they must come from and be for (RFC 7519 section 4.1, RFC 8725).
 *
 * A token whose `kid` names a key is checked with that key alone, any other with the keys that have
 * no kid. An algorithm is only ever used with a key of its kind, so the text of a public key is
 * never a secret. Threads: any; a keyring may be shared.
 */
#ifndef ARDA_KEYRING_H
#define ARDA_KEYRING_H

#include "arda/token.h"
#include "base/api.h"

#include <stdbool.h>

#define ARDA_KEYRING_MAX 16 /* keys */

struct arda_keyring;

/* Zeroed: the secret of the environment, HS256, nothing asked of issuer and audience. */
struct arda_keyring_options {
    const char *secret_file;      /* as for arda_token_key_load */
    const char *const *key_files; /* as for arda_token_key_open */
    size_t key_file_count;
    const char *algorithms;  /* separated by commas; NULL: HS256, RS256 and ES256 */
    const char *issuer;      /* that `iss` must be; NULL: any, or none */
    const char *audience;    /* that `aud` must be or, as an array, hold; NULL: any, or none */
    int64_t leeway_ms;       /* that `exp` may be over, or `nbf` ahead */
    bool require_exp;        /* a token without `exp` is denied */
    bool allow_private_keys; /* which only somebody who signs should have */
};

/* Copies the options. BASE_ERR_NOTFOUND without any key; BASE_ERR_CONFIG for keys that cannot be
 * read or used, more than ARDA_KEYRING_MAX of them, two of one kid, or none that an allowed
 * algorithm fits; BASE_ERR_INVALID for an unknown algorithm or an empty issuer or audience;
 * BASE_ERR_NOMEM. */
ARDA_API int arda_keyring_new(const struct arda_keyring_options *options,
                              struct arda_keyring **ring, struct base_why *why);
/* NULL is allowed. */
ARDA_API void arda_keyring_free(struct arda_keyring *ring);

/* As arda_token_verify, with all that the keyring asks. */
ARDA_API int arda_keyring_verify(const struct arda_keyring *ring, const char *token, size_t len,
                                 struct arda_claims *claims, struct base_why *why);

/* Appends a token, signed with the first key that can, those of `key_files` before the secret.
 * `algorithm` NULL is the usual one of that key. BASE_ERR_INVALID for an unknown algorithm or ids
 * that a gateway would refuse, BASE_ERR_CONFIG when no key fits, BASE_ERR_NOMEM. */
ARDA_API int arda_keyring_mint(const struct arda_keyring *ring, const char *algorithm,
                               const struct arda_token_request *request, struct base_buf *out,
                               struct base_why *why);

#endif
