/* SPDX-License-Identifier: ISC
 *
 * The guards come first, because libjwt 1.10 copies a token to the stack before it looks at it,
 * writes behind an empty part, takes the algorithm from the token, and compares its name without
 * regard to case. What reaches it here has three parts of base64url characters and says HS256.
 */
#include "arda/token.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_FILE_MAX 4096

struct arda_token_key {
    size_t len;
    unsigned char secret[];
};

int arda_token_key_new(const char *secret, size_t len, struct arda_token_key **out,
                       struct base_why *why)
{
    if (len < ARDA_TOKEN_MIN_SECRET)
        return base_why_set(why, BASE_ERR_CONFIG, "the secret has %zu bytes; it needs at least %d",
                            len, ARDA_TOKEN_MIN_SECRET);
    struct arda_token_key *key = base_malloc(sizeof *key + len);
    if (!key)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    key->len = len;
    memcpy(key->secret, secret, len);
    *out = key;
    return BASE_OK;
}

void arda_token_key_free(struct arda_token_key *key)
{
    if (!key)
        return;
    explicit_bzero(key->secret, key->len);
    base_free(key);
}

/* ---- loading ---- */

static int load_file(const char *file, struct arda_token_key **key, struct base_why *why)
{
    char secret[SECRET_FILE_MAX + 1];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, secret, sizeof secret);
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (len < 0)
        return base_why_errno(why, BASE_ERR_CONFIG, saved, "cannot read the secret file %s", file);
    if (len > SECRET_FILE_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "the secret file %s is longer than %d bytes",
                            file, SECRET_FILE_MAX);
    if (len > 0 && secret[len - 1] == '\n')
        len--;
    if (len > 0 && secret[len - 1] == '\r')
        len--;
    int failed = arda_token_key_new(secret, (size_t)len, key, why);
    explicit_bzero(secret, sizeof secret);
    if (failed)
        base_why_prefix(why, "%s", file);
    return failed;
}

int arda_token_key_load(const char *file, struct arda_token_key **key, struct base_why *why)
{
    static const char *const names[] = {"ARDA_JWT_SECRET", "JWT_SECRET"};
    *key = NULL;
    if (file && *file)
        return load_file(file, key, why);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *secret = getenv(names[i]);
        if (!secret || !*secret)
            continue;
        int failed = arda_token_key_new(secret, strlen(secret), key, why);
        if (failed)
            base_why_prefix(why, "%s", names[i]);
        return failed;
    }
    return base_why_set(why, BASE_ERR_NOTFOUND,
                        "no secret: set JWT_SECRET or give --jwt-secret-file");
}

/* ---- taking apart ---- */

struct parts {
    struct base_slice header, claims, signature;
};

static bool is_base64url(struct base_slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        bool fine = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!fine)
            return false;
    }
    return part.len > 0;
}

static int split(const char *token, size_t len, struct parts *parts, struct base_why *why)
{
    if (len > ARDA_TOKEN_MAX_BYTES)
        return base_why_set(why, BASE_ERR_SYNTAX, "longer than %d bytes", ARDA_TOKEN_MAX_BYTES);
    const char *end = token + len;
    const char *first = memchr(token, '.', len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return base_why_set(why, BASE_ERR_SYNTAX, "not three parts");
    parts->header = (struct base_slice){token, (size_t)(first - token)};
    parts->claims = (struct base_slice){first + 1, (size_t)(second - first - 1)};
    parts->signature = (struct base_slice){second + 1, (size_t)(end - second - 1)};
    if (!is_base64url(parts->header) || !is_base64url(parts->claims) ||
        !is_base64url(parts->signature))
        return base_why_set(why, BASE_ERR_SYNTAX, "a part is empty or not base64url");
    return BASE_OK;
}

static int decode_part(struct base_slice part, const char *name, struct base_buf *out,
                       struct base_why *why)
{
    if (base_buf_reserve(out, part.len + 3) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    ssize_t len = base_base64_decode(BASE_BASE64_URL, part.data, part.len, out->data + out->len);
    if (len < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the %s is not base64url", name);
    out->len += (size_t)len;
    return BASE_OK;
}

int arda_token_decode(const char *token, size_t len, struct base_buf *header,
                      struct base_buf *claims, struct base_why *why)
{
    struct parts parts;
    struct base_json_error error;
    int failed = split(token, len, &parts, why);
    if (!failed)
        failed = decode_part(parts.header, "header", header, why);
    if (!failed)
        failed = decode_part(parts.claims, "payload", claims, why);
    if (failed)
        return failed;
    if (base_json_pick(header->data, header->len, NULL, 0, NULL, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the header is no JSON object: %s", error.text);
    if (base_json_pick(claims->data, claims->len, NULL, 0, NULL, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the payload is no JSON object: %s", error.text);
    return BASE_OK;
}

/* ---- verifying ---- */

static int check_header(const struct base_buf *header, struct base_why *why)
{
    struct base_json_member alg = BASE_JSON_WANT("alg");
    if (base_json_pick(header->data, header->len, &alg, 1, NULL, NULL) < 0 ||
        !base_json_equals(&alg.value, "HS256", 5))
        return base_why_set(why, BASE_ERR_DENIED, "the algorithm is not HS256");
    return BASE_OK;
}

static int copy_id(const struct base_json_member *claim, bool tenant,
                   char out[static ARDA_ID_MAX + 1], struct base_why *why)
{
    struct base_slice plain;
    if (!base_json_plain(&claim->value, &plain) ||
        !(tenant ? arda_tenant_valid(plain.data, plain.len) : arda_id_valid(plain.data, plain.len)))
        return base_why_set(why, BASE_ERR_DENIED, "%s is missing or no id", claim->key);
    memcpy(out, plain.data, plain.len);
    out[plain.len] = '\0';
    return BASE_OK;
}

/* A time claim in milliseconds; 0 when absent. */
static int read_time(const struct base_json_member *claim, int64_t *ms, struct base_why *why)
{
    double seconds = 0;
    *ms = 0;
    if (claim->value.kind == BASE_JSON_ABSENT)
        return BASE_OK;
    if (base_json_double(&claim->value, &seconds) < 0 || !(seconds > -1e12 && seconds < 1e12))
        return base_why_set(why, BASE_ERR_DENIED, "%s is no time", claim->key);
    *ms = (int64_t)(seconds * 1000);
    return BASE_OK;
}

static int check_times(const struct base_json_member *exp, const struct base_json_member *nbf,
                       struct arda_claims *claims, struct base_why *why)
{
    int64_t now = base_clock_wall_ms(), not_before_ms;
    int failed = read_time(exp, &claims->expires_ms, why);
    if (!failed)
        failed = read_time(nbf, &not_before_ms, why);
    if (failed)
        return failed;
    if (exp->value.kind != BASE_JSON_ABSENT && claims->expires_ms <= now)
        return base_why_set(why, BASE_ERR_DENIED, "expired %" PRId64 " s ago",
                            (now - claims->expires_ms) / 1000);
    if (nbf->value.kind != BASE_JSON_ABSENT && not_before_ms > now)
        return base_why_set(why, BASE_ERR_DENIED, "not valid for another %" PRId64 " s",
                            (not_before_ms - now + 999) / 1000);
    return BASE_OK;
}

static int read_claims(const struct base_buf *text, struct arda_claims *claims,
                       struct base_why *why)
{
    struct base_json_member wanted[] = {
        BASE_JSON_WANT("sub"), BASE_JSON_WANT("tenantId"), BASE_JSON_WANT("role"),
        BASE_JSON_WANT("exp"), BASE_JSON_WANT("nbf"),
    };
    struct base_slice role;
    *claims = (struct arda_claims){0};
    if (base_json_pick(text->data, text->len, wanted, 5, NULL, NULL) < 0)
        return base_why_set(why, BASE_ERR_DENIED, "the payload is no JSON object");
    int failed = copy_id(&wanted[0], false, claims->user, why);
    if (!failed)
        failed = copy_id(&wanted[1], true, claims->tenant, why);
    if (!failed)
        failed = check_times(&wanted[3], &wanted[4], claims, why);
    if (base_json_plain(&wanted[2].value, &role) && role.len <= ARDA_TOKEN_ROLE_MAX)
        memcpy(claims->role, role.data, role.len);
    return failed;
}

/* libjwt wants a string, and says whether the signature is good. Its comparison is of encoded
 * signatures, so a cut or lengthened one fails. */
static int check_signature(const struct arda_token_key *key, const char *token, size_t len,
                           struct base_why *why)
{
    char copy[ARDA_TOKEN_MAX_BYTES + 1];
    jwt_t *jwt = NULL;
    memcpy(copy, token, len);
    copy[len] = '\0';
    int failed = jwt_decode(&jwt, copy, key->secret, (int)key->len);
    bool good = !failed && jwt_get_alg(jwt) == JWT_ALG_HS256;
    jwt_free(jwt);
    explicit_bzero(copy, len);
    if (failed == ENOMEM)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    return good ? BASE_OK : base_why_set(why, BASE_ERR_DENIED, "the signature is wrong");
}

int arda_token_verify(const struct arda_token_key *key, const char *token, size_t len,
                      struct arda_claims *claims, struct base_why *why)
{
    struct base_buf header = BASE_BUF_INIT, payload = BASE_BUF_INIT;
    int failed = arda_token_decode(token, len, &header, &payload, why);
    if (!failed)
        failed = check_header(&header, why);
    if (!failed)
        failed = check_signature(key, token, len, why);
    if (!failed)
        failed = read_claims(&payload, claims, why);
    base_buf_fini(&header);
    base_buf_fini(&payload);
    if (failed && why)
        why->code = BASE_ERR_DENIED;
    return failed ? BASE_ERR_DENIED : BASE_OK;
}

/* ---- minting ---- */

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

int arda_token_mint(const struct arda_token_key *key, const struct arda_token_request *request,
                    struct base_buf *out, struct base_why *why)
{
    if (!request->tenant || !arda_tenant_valid(request->tenant, strlen(request->tenant)))
        return base_why_set(why, BASE_ERR_INVALID, "the tenant is no id");
    if (!request->user || !arda_id_valid(request->user, strlen(request->user)))
        return base_why_set(why, BASE_ERR_INVALID, "the user is no id");
    jwt_t *jwt = NULL;
    if (jwt_new(&jwt))
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    char *token = NULL;
    if (!add_claims(jwt, request) && !jwt_set_alg(jwt, JWT_ALG_HS256, key->secret, (int)key->len))
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    int failed = token ? base_buf_add_text(out, token) : BASE_ERR_NOMEM;
    free(token); /* libjwt 1.10 has no function of its own for it */
    if (failed)
        return base_why_set(why, failed, "out of memory");
    return BASE_OK;
}
