/* SPDX-License-Identifier: ISC */
#include "base/crypto.h"

#include "base/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

/* A draw costs OpenSSL much the same for fifteen bytes as for four thousand. */
#define POOL_BYTES 4096

int base_crypto_random(void *out, size_t len)
{
    static _Thread_local unsigned char pool[POOL_BYTES];
    static _Thread_local size_t left;
    if (len > POOL_BYTES)
        return RAND_bytes(out, (int)len) == 1 ? BASE_OK : BASE_ERR_INTERNAL;
    if (left < len) {
        if (RAND_bytes(pool, POOL_BYTES) != 1)
            return BASE_ERR_INTERNAL;
        left = POOL_BYTES;
    }
    unsigned char *from = pool + (POOL_BYTES - left);
    memcpy(out, from, len);
    OPENSSL_cleanse(from, len);
    left -= len;
    return BASE_OK;
}

/* Fetched once: a look-up by name costs three times the digest of a WebSocket key. */
static EVP_MD *sha1, *sha256;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void free_digests(void)
{
    EVP_MD_free(sha1);
    EVP_MD_free(sha256);
}

static void fetch_digests(void)
{
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    OPENSSL_atexit(free_digests);
}

int base_crypto_sha1(const void *bytes, size_t len, uint8_t out[static BASE_SHA1_LEN])
{
    pthread_once(&fetched, fetch_digests);
    if (!sha1 || EVP_Digest(bytes, len, out, NULL, sha1, NULL) != 1)
        return BASE_ERR_INTERNAL;
    return BASE_OK;
}

int base_crypto_sha256(const void *bytes, size_t len, uint8_t out[static BASE_SHA256_LEN])
{
    pthread_once(&fetched, fetch_digests);
    if (!sha256 || EVP_Digest(bytes, len, out, NULL, sha256, NULL) != 1)
        return BASE_ERR_INTERNAL;
    return BASE_OK;
}

int base_crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                            uint8_t out[static BASE_SHA256_LEN])
{
    if (!HMAC(EVP_sha256(), key, (int)key_len, bytes, len, out, NULL))
        return BASE_ERR_INTERNAL;
    return BASE_OK;
}

int base_crypto_hmac(enum base_hash hash, const void *key, size_t key_len, const void *bytes,
                     size_t len, uint8_t out[static BASE_SHA512_LEN])
{
    unsigned written = 0;
    const EVP_MD *md = hash == BASE_HASH_SHA256   ? EVP_sha256()
                       : hash == BASE_HASH_SHA384 ? EVP_sha384()
                                                  : EVP_sha512();
    if (!HMAC(md, key, (int)key_len, bytes, len, out, &written))
        return BASE_ERR_INTERNAL;
    return (int)written;
}

bool base_crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
