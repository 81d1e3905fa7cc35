/* SPDX-License-Identifier: ISC
 *
 * key: keys and the compact form, for the other parts of libarda that have tokens of their own. Not
 * installed. Threads: any.
 */
#ifndef ARDA_TOKEN_KEY_H
#define ARDA_TOKEN_KEY_H

#include "arda/token.h"
#include "base/err.h"

struct base_pkey;

enum token_kind { TOKEN_SECRET, TOKEN_RSA, TOKEN_P256 };

struct arda_token_key {
    enum token_kind kind;
    struct base_pkey *pkey;           /* NULL: a secret */
    char kid[ARDA_TOKEN_KID_MAX + 1]; /* empty: none */
    size_t len;
    char text[]; /* the secret, or the PEM */
};

/* The secret in `file`, or, if that is NULL or empty, in the first variable of the environment that
 * is set; `missing` says what to do without any. As arda_token_key_load (token.h). */
int arda_token_secret_load(const char *file, const char *const names[static 2], const char *missing,
                           struct arda_token_key **key, struct base_why *why);

/* Of a token in the compact form, RFC 7515 section 7.1; they point into it. */
struct token_parts {
    struct base_slice header, claims, signature;
};

/* BASE_ERR_SYNTAX with its text: it is too long or has not three parts. */
int arda_token_split(const char *token, size_t len, struct token_parts *parts,
                     struct base_why *why);

#endif
