/* SPDX-License-Identifier: ISC
 *
 * The one user of libjwt, which builds a token and signs it.
 */
#include "arda/token/internal.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

static int add_claims(jwt_t *jwt, const struct arda_token_request *request)
{
    const struct {
        const char *name, *value;
    } texts[] = {{"sub", request->user},   {"tenantId", request->tenant},
                 {"role", request->role},  {"email", request->email},
                 {"iss", request->issuer}, {"aud", request->audience}};
    int failed = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !failed; i++)
        if (texts[i].value)
            failed = jwt_add_grant(jwt, texts[i].name, texts[i].value);
    if (!failed)
        failed = jwt_add_grant_int(jwt, "iat", (long)request->issued_s);
    if (!failed)
        failed = jwt_add_grant_int(jwt, "exp", (long)request->expires_s);
    return failed;
}

static jwt_alg_t of_libjwt(enum token_algorithm algorithm)
{
    switch (algorithm) {
    case TOKEN_HS256: return JWT_ALG_HS256;
    case TOKEN_HS384: return JWT_ALG_HS384;
    case TOKEN_HS512: return JWT_ALG_HS512;
    case TOKEN_RS256: return JWT_ALG_RS256;
    case TOKEN_ES256: return JWT_ALG_ES256;
    default: return JWT_ALG_INVAL;
    }
}

static int check_request(const struct arda_token_key *key, enum token_algorithm algorithm,
                         const struct arda_token_request *request, struct base_why *why)
{
    if (!request->tenant || !arda_tenant_valid(request->tenant, strlen(request->tenant)))
        return base_why_set(why, BASE_ERR_INVALID, "the tenant is no id");
    if (!request->user || !arda_id_valid(request->user, strlen(request->user)))
        return base_why_set(why, BASE_ERR_INVALID, "the user is no id");
    base_assert(arda_token_algorithms[algorithm].kind == key->kind);
    if (key->pkey && !base_pkey_is_private(key->pkey))
        return base_why_set(why, BASE_ERR_CONFIG, "a public key cannot sign");
    return BASE_OK;
}

int arda_token_mint_with(const struct arda_token_key *key, enum token_algorithm algorithm,
                         const struct arda_token_request *request, struct base_buf *out,
                         struct base_why *why)
{
    int failed = check_request(key, algorithm, request, why);
    if (failed)
        return failed;
    jwt_t *jwt = NULL;
    if (jwt_new(&jwt))
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    char *token = NULL;
    if (!(*key->kid && jwt_add_header(jwt, "kid", key->kid)) && !add_claims(jwt, request) &&
        !jwt_set_alg(jwt, of_libjwt(algorithm), (const unsigned char *)key->text, (int)key->len))
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    failed = token ? base_buf_add_text(out, token) : BASE_ERR_NOMEM;
    free(token); /* libjwt 1.10 has no function of its own for it */
    if (failed)
        return base_why_set(why, failed, "out of memory");
    return BASE_OK;
}

int arda_token_mint(const struct arda_token_key *key, const struct arda_token_request *request,
                    struct base_buf *out, struct base_why *why)
{
    return arda_token_mint_with(key, arda_token_usual_algorithm(key->kind), request, out, why);
}
