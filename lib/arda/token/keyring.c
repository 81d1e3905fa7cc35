/* SPDX-License-Identifier: ISC */
#include "arda/keyring.h"

#include "arda/token/internal.h"
#include "base/mem.h"

#include <string.h>

/* ---- making ---- */

static int read_algorithms(const char *list, unsigned *bits, struct base_why *why)
{
    *bits = list ? 0 : TOKEN_USUAL;
    while (list) {
        size_t len = strcspn(list, ",");
        enum token_algorithm algorithm = arda_token_find_algorithm(list, len);
        if (algorithm == TOKEN_ALGORITHMS)
            return base_why_set(why, BASE_ERR_INVALID,
                                "--jwt-algorithms: expected HS256, HS384, HS512, RS256 or ES256 "
                                "with commas between them, got `%.*s'",
                                (int)len, list);
        *bits |= TOKEN_BIT(algorithm);
        list = list[len] ? list + len + 1 : NULL;
    }
    return BASE_OK;
}

static int copy_name(const char *name, const char *option, char **copy, struct base_why *why)
{
    if (!name)
        return BASE_OK;
    if (!*name)
        return base_why_set(why, BASE_ERR_INVALID, "%s: expected a name, got nothing", option);
    *copy = base_strdup(name);
    return *copy ? BASE_OK : base_why_set(why, BASE_ERR_NOMEM, "out of memory");
}

static int copy_settings(struct arda_keyring *ring, const struct arda_keyring_options *options,
                         struct base_why *why)
{
    ring->leeway_ms = options->leeway_ms;
    ring->require_exp = options->require_exp;
    int failed = read_algorithms(options->algorithms, &ring->algorithms, why);
    if (!failed)
        failed = copy_name(options->issuer, "--jwt-issuer", &ring->issuer, why);
    if (!failed)
        failed = copy_name(options->audience, "--jwt-audience", &ring->audience, why);
    return failed;
}

static bool has_kid(const struct arda_keyring *ring, const char *kid)
{
    for (size_t i = 0; i < ring->count; i++)
        if (*kid && strcmp(ring->keys[i]->kid, kid) == 0)
            return true;
    return false;
}

static int add_file(struct arda_keyring *ring, const char *kid_and_file, bool allow_private,
                    struct base_why *why)
{
    struct arda_token_key *key;
    if (ring->count == ARDA_KEYRING_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "more than %d keys", ARDA_KEYRING_MAX);
    int failed = arda_token_key_open(kid_and_file, &key, why);
    if (failed)
        return failed;
    if (has_kid(ring, key->kid))
        failed = base_why_set(why, BASE_ERR_CONFIG, "%s: a second key of this kid", kid_and_file);
    else if (key->pkey && base_pkey_is_private(key->pkey) && !allow_private)
        failed = base_why_set(why, BASE_ERR_CONFIG, "%s: a private key; expected the public one",
                              kid_and_file);
    if (failed)
        arda_token_key_free(key);
    else
        ring->keys[ring->count++] = key;
    return failed;
}

static int add_secret(struct arda_keyring *ring, const char *file, struct base_why *why)
{
    struct arda_token_key *key;
    int failed = arda_token_key_load(file, &key, why);
    if (failed == BASE_ERR_NOTFOUND && ring->count > 0)
        return BASE_OK;
    if (failed)
        return failed;
    if (ring->count == ARDA_KEYRING_MAX) {
        arda_token_key_free(key);
        return base_why_set(why, BASE_ERR_CONFIG, "more than %d keys", ARDA_KEYRING_MAX);
    }
    ring->keys[ring->count++] = key;
    return BASE_OK;
}

static int add_keys(struct arda_keyring *ring, const struct arda_keyring_options *options,
                    struct base_why *why)
{
    int failed = BASE_OK;
    for (size_t i = 0; i < options->key_file_count && !failed; i++)
        failed = add_file(ring, options->key_files[i], options->allow_private_keys, why);
    if (!failed)
        failed = add_secret(ring, options->secret_file, why);
    if (failed == BASE_ERR_NOTFOUND)
        return base_why_set(why, failed,
                            "no key: set JWT_SECRET, or give --jwt-secret-file or --jwt-key");
    unsigned usable = 0;
    for (size_t i = 0; i < ring->count; i++)
        usable |= ring->algorithms & arda_token_algorithms_of(ring->keys[i]->kind);
    if (!failed && !usable)
        return base_why_set(why, BASE_ERR_CONFIG,
                            "no key is for an algorithm of "
                            "--jwt-algorithms");
    return failed;
}

int arda_keyring_new(const struct arda_keyring_options *options, struct arda_keyring **out,
                     struct base_why *why)
{
    struct arda_keyring *ring = base_calloc(1, sizeof *ring);
    if (!ring)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    int failed = copy_settings(ring, options, why);
    if (!failed)
        failed = add_keys(ring, options, why);
    if (failed)
        arda_keyring_free(ring);
    else
        *out = ring;
    return failed;
}

void arda_keyring_free(struct arda_keyring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->count; i++)
        arda_token_key_free((void *)(uintptr_t)ring->keys[i]);
    base_free(ring->issuer);
    base_free(ring->audience);
    base_free(ring);
}

/* ---- minting ---- */

static bool can_sign(const struct arda_token_key *key, enum token_algorithm algorithm)
{
    return (algorithm == TOKEN_ALGORITHMS || arda_token_algorithms[algorithm].kind == key->kind) &&
           (!key->pkey || base_pkey_is_private(key->pkey));
}

int arda_keyring_mint(const struct arda_keyring *ring, const char *name,
                      const struct arda_token_request *request, struct base_buf *out,
                      struct base_why *why)
{
    enum token_algorithm algorithm =
        name ? arda_token_find_algorithm(name, strlen(name)) : TOKEN_ALGORITHMS;
    if (name && algorithm == TOKEN_ALGORITHMS)
        return base_why_set(why, BASE_ERR_INVALID, "unknown algorithm `%s'", name);
    for (size_t i = 0; i < ring->count; i++) {
        const struct arda_token_key *key = ring->keys[i];
        if (can_sign(key, algorithm))
            return arda_token_mint_with(
                key, name ? algorithm : arda_token_usual_algorithm(key->kind), request, out, why);
    }
    return base_why_set(why, BASE_ERR_CONFIG, "no key that could sign%s%s", name ? " by " : "",
                        name ? name : "");
}
