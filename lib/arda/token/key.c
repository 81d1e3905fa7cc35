/* SPDX-License-Identifier: ISC */
#include "arda/token/internal.h"
#include "base/encoding.h"
#include "base/env_secrets.h"
#include "base/mask.h"
#include "base/mem.h"
#include "base/secret_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_FILE_MAX 4096
#define PEM_FILE_MAX    16384

/* ---- kinds ---- */

const struct token_algorithm_row arda_token_algorithms[TOKEN_ALGORITHMS] = {
#define ROW_(code, name, kind, hash) {name, kind, hash},
    TOKEN_ALGORITHM_MAP(ROW_)
#undef ROW_
};

unsigned arda_token_algorithms_of(enum token_kind kind)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < TOKEN_ALGORITHMS; i++)
        if (arda_token_algorithms[i].kind == kind)
            bits |= TOKEN_BIT(i);
    return bits;
}

enum token_algorithm arda_token_usual_algorithm(enum token_kind kind)
{
    unsigned i = 0;
    while (arda_token_algorithms[i].kind != kind)
        i++;
    return i;
}

enum token_algorithm arda_token_find_algorithm(const char *name, size_t len)
{
    unsigned i = 0;
    while (i < TOKEN_ALGORITHMS && (strlen(arda_token_algorithms[i].name) != len ||
                                    memcmp(arda_token_algorithms[i].name, name, len) != 0))
        i++;
    return i;
}

/* ---- making ---- */

static struct arda_token_key *new_key(const char *text, size_t len)
{
    struct arda_token_key *key = base_calloc(1, sizeof *key + len);
    if (!key)
        return NULL;
    key->len = len;
    memcpy(key->text, text, len);
    return key;
}

static int check_secret(const char *secret, size_t len, struct base_why *why)
{
    if (base_pkey_is_pem(secret, len))
        return base_why_set(why, BASE_ERR_CONFIG,
                            "a key in PEM is no secret; give it by "
                            "--jwt-key");
    if (len < ARDA_TOKEN_MIN_SECRET)
        return base_why_set(why, BASE_ERR_CONFIG, "the secret has %zu bytes; it needs at least %d",
                            len, ARDA_TOKEN_MIN_SECRET);
    if (base_pkey_is_foreign(secret, len))
        return base_why_set(why, BASE_ERR_CONFIG,
                            "a public key is no secret; it is expected in PEM, by --jwt-key");
    return BASE_OK;
}

int arda_token_key_new(const char *secret, size_t len, struct arda_token_key **out,
                       struct base_why *why)
{
    int failed = check_secret(secret, len, why);
    if (failed)
        return failed;
    struct arda_token_key *key = new_key(secret, len);
    if (!key)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    *out = key;
    return BASE_OK;
}

static int new_from_pem(const char *pem, size_t len, struct arda_token_key **out,
                        struct base_why *why)
{
    struct base_pkey *pkey;
    int failed = base_pkey_parse(pem, len, &pkey, why);
    if (failed)
        return failed;
    struct arda_token_key *key = new_key(pem, len);
    if (!key) {
        base_pkey_free(pkey);
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    key->pkey = pkey;
    key->kind = base_pkey_is_rsa(pkey) ? TOKEN_RSA : TOKEN_P256;
    *out = key;
    return BASE_OK;
}

void arda_token_key_free(struct arda_token_key *key)
{
    if (!key)
        return;
    base_pkey_free(key->pkey);
    explicit_bzero(key->text, key->len);
    base_free(key);
}

/* ---- loading ---- */

static int new_from_text(struct base_slice text, bool pem_too, struct arda_token_key **key,
                         struct base_why *why)
{
    size_t whole = text.len;
    if (base_encoding_strip_secret(&text, why) < 0)
        return BASE_ERR_CONFIG;
    if (pem_too && whole <= PEM_FILE_MAX && base_pkey_is_pem(text.data, text.len))
        return new_from_pem(text.data, text.len, key, why);
    if (whole > SECRET_FILE_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "longer than %d bytes", SECRET_FILE_MAX);
    return arda_token_key_new(text.data, text.len, key, why);
}

static int load_file(const char *file, bool pem_too, struct arda_token_key **key,
                     struct base_why *why)
{
    char text[PEM_FILE_MAX + 1];
    ssize_t len = base_secret_file_read(file, text, sizeof text);
    if (len < 0)
        return base_why_errno(why, BASE_ERR_CONFIG, errno, "cannot read the %s file %s",
                              pem_too ? "key" : "secret", base_mask_file(file));
    int failed = new_from_text((struct base_slice){text, (size_t)len}, pem_too, key, why);
    explicit_bzero(text, sizeof text);
    if (failed)
        base_why_prefix(why, "%s", file);
    else if (!(*key)->pkey || base_pkey_is_private((*key)->pkey))
        base_secret_file_check(file);
    return failed;
}

int arda_token_secret_load(const char *file, const char *const names[static 2], const char *missing,
                           struct arda_token_key **key, struct base_why *why)
{
    *key = NULL;
    if (file && *file)
        return load_file(file, false, key, why);
    for (size_t i = 0; i < 2; i++) {
        const char *secret = getenv(names[i]);
        if (!secret || !*secret)
            continue;
        int failed = arda_token_key_new(secret, strlen(secret), key, why);
        if (failed)
            base_why_prefix(why, "%s", names[i]);
        return failed;
    }
    return base_why_set(why, BASE_ERR_NOTFOUND, "no secret: %s", missing);
}

int arda_token_key_load(const char *file, struct arda_token_key **key, struct base_why *why)
{
    static const char *const names[] = {BASE_ENV_JWT_SECRET, "JWT_SECRET"};
    return arda_token_secret_load(file, names, "set JWT_SECRET or give --jwt-secret-file", key,
                                  why);
}

int arda_token_key_open(const char *kid_and_file, struct arda_token_key **key, struct base_why *why)
{
    const char *equals = strchr(kid_and_file, '=');
    size_t kid_len = equals ? (size_t)(equals - kid_and_file) : 0;
    if (kid_len > ARDA_TOKEN_KID_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "the kid of %s is longer than %d bytes",
                            equals + 1, ARDA_TOKEN_KID_MAX);
    int failed = load_file(equals ? equals + 1 : kid_and_file, true, key, why);
    if (!failed)
        memcpy((*key)->kid, kid_and_file, kid_len);
    return failed;
}
