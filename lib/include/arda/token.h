/* SPDX-License-Identifier: ISC
 *
 * token: JSON Web Tokens (RFC 7519) of users, and the keys that sign them (catalog section 2).
 *
 * A key is of one kind, and serves the algorithms of that kind only: a secret HS256, HS384 and
 * HS512, an RSA key RS256, a key over P-256 ES256. Header and claims are read with the strict
 * scanner. Several keys, and what else is asked of tokens, are in keyring.h.
 * Threads: any; a key may be shared.
 */
#ifndef ARDA_TOKEN_H
#define ARDA_TOKEN_H

#include "arda/tenant.h"
#include "base/api.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define ARDA_TOKEN_MAX_BYTES  8192
#define ARDA_TOKEN_MIN_SECRET 32
#define ARDA_TOKEN_KID_MAX    128
#define ARDA_TOKEN_ROLE_MAX   64

struct arda_token_key;

/* Copies the secret. BASE_ERR_CONFIG for one shorter than ARDA_TOKEN_MIN_SECRET bytes, and for a
 * text that is a key in PEM or a public key in another form, which are no secrets;
 * BASE_ERR_NOMEM. */
ARDA_API int arda_token_key_new(const char *secret, size_t len, struct arda_token_key **key,
                                struct base_why *why);
/* Wipes and frees; NULL is allowed. */
ARDA_API void arda_token_key_free(struct arda_token_key *key);

/* The secret of the tokens: the content of `file` without a final newline, or, if that is NULL, of
 * ARDA_JWT_SECRET or JWT_SECRET. `*key` is NULL and the result BASE_ERR_NOTFOUND when there is
 * none; BASE_ERR_CONFIG for a file that cannot be read or a secret that is too short. */
ARDA_API int arda_token_key_load(const char *file, struct arda_token_key **key,
                                 struct base_why *why);

/* A key from `[KID=]FILE`: RSA of 2048 bits or more, or P-256, in PEM; a file without PEM is a
 * secret as above. A name of a file that has a `=` needs one before it. BASE_ERR_CONFIG, with the
 * file's name, for what cannot be read or used; BASE_ERR_NOMEM. */
ARDA_API int arda_token_key_open(const char *kid_and_file, struct arda_token_key **key,
                                 struct base_why *why);

/* What a good token says. */
struct arda_claims {
    char user[ARDA_ID_MAX + 1];         /* `sub` */
    char tenant[ARDA_ID_MAX + 1];       /* `tenantId` */
    char role[ARDA_TOKEN_ROLE_MAX + 1]; /* empty when absent or longer */
    int64_t expires_ms;                 /* `exp` in milliseconds since 1970; 0: none */
};

/* Accepts the usual algorithm of the key (HS256, RS256 or ES256) and nothing else, an exact
 * signature, `sub` and `tenantId` of the id alphabet (a tenant is never "global"), `exp` after and
 * `nbf` not after now, without leeway. 0, or BASE_ERR_DENIED with the reason, which never quotes
 * the token. */
ARDA_API int arda_token_verify(const struct arda_token_key *key, const char *token, size_t len,
                               struct arda_claims *claims, struct base_why *why);

/* Header and claims as JSON text, without any check of the signature. BASE_ERR_SYNTAX when the
 * token cannot be taken apart. The buffers are the caller's. */
ARDA_API int arda_token_decode(const char *token, size_t len, struct base_buf *header,
                               struct base_buf *claims, struct base_why *why);

/* What goes into a new token; NULL members are left out, times are seconds since 1970. */
struct arda_token_request {
    const char *user;
    const char *tenant;
    const char *role;
    const char *email;
    const char *issuer;
    const char *audience;
    int64_t issued_s;
    int64_t expires_s;
};

/* Appends the token, signed with the usual algorithm of the key, and with its kid in the header if
 * it has one. BASE_ERR_INVALID for ids that a gateway would refuse, BASE_ERR_CONFIG for a public
 * key, BASE_ERR_NOMEM. */
ARDA_API int arda_token_mint(const struct arda_token_key *key,
                             const struct arda_token_request *request, struct base_buf *out,
                             struct base_why *why);

#endif
