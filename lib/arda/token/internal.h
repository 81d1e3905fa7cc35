/* SPDX-License-Identifier: ISC
 *
 * internal: what the files of token.h and keyring.h share.
 */
#ifndef ARDA_TOKEN_INTERNAL_H
#define ARDA_TOKEN_INTERNAL_H

#include "arda/keyring.h"
#include "arda/token/key.h"
#include "base/crypto.h"
#include "base/pkey.h"

/* RFC 7518 section 3.1. The first of a kind is its usual one. */
#define TOKEN_ALGORITHM_MAP(X)                                                                     \
    X(TOKEN_HS256, "HS256", TOKEN_SECRET, BASE_HASH_SHA256)                                        \
    X(TOKEN_HS384, "HS384", TOKEN_SECRET, BASE_HASH_SHA384)                                        \
    X(TOKEN_HS512, "HS512", TOKEN_SECRET, BASE_HASH_SHA512)                                        \
    X(TOKEN_RS256, "RS256", TOKEN_RSA, BASE_HASH_SHA256)                                           \
    X(TOKEN_ES256, "ES256", TOKEN_P256, BASE_HASH_SHA256)

enum token_algorithm {
#define TOKEN_ENUM_(code, name, kind, hash) code,
    TOKEN_ALGORITHM_MAP(TOKEN_ENUM_)
#undef TOKEN_ENUM_
        TOKEN_ALGORITHMS
};

struct token_algorithm_row {
    const char *name;
    enum token_kind kind;
    enum base_hash hash;
};

extern const struct token_algorithm_row arda_token_algorithms[TOKEN_ALGORITHMS];

/* One bit for each algorithm. */
#define TOKEN_BIT(algorithm) (1u << (algorithm))
#define TOKEN_USUAL          (TOKEN_BIT(TOKEN_HS256) | TOKEN_BIT(TOKEN_RS256) | TOKEN_BIT(TOKEN_ES256))
/* Those of a kind of key. */
unsigned arda_token_algorithms_of(enum token_kind kind);
enum token_algorithm arda_token_usual_algorithm(enum token_kind kind);
/* TOKEN_ALGORITHMS for a name that is none. */
enum token_algorithm arda_token_find_algorithm(const char *name, size_t len);

struct arda_keyring {
    const struct arda_token_key *keys[ARDA_KEYRING_MAX];
    size_t count;
    unsigned algorithms;
    char *issuer;
    char *audience;
    int64_t leeway_ms;
    bool require_exp;
};

/* Reads and judges the claims of a token whose signature is good. */
int arda_token_read_claims(const struct base_buf *text, const struct arda_keyring *ring,
                           struct arda_claims *claims, struct base_why *why);
int arda_token_mint_with(const struct arda_token_key *key, enum token_algorithm algorithm,
                         const struct arda_token_request *request, struct base_buf *out,
                         struct base_why *why);

#endif
