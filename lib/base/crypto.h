/* SPDX-License-Identifier: ISC
 *
 * crypto: what the toolkit needs of OpenSSL besides TLS and keys (pkey.h): random bytes, SHA-1 (RFC
 * 6455 wants it), SHA-256, HMAC, comparison in constant time. Threads: any.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_SHA1_LEN   20
#define BASE_SHA256_LEN 32
#define BASE_SHA512_LEN 64

enum base_hash { BASE_HASH_SHA256, BASE_HASH_SHA384, BASE_HASH_SHA512 };

/* 0, or BASE_ERR_INTERNAL. Drawn in blocks of 4 KB per thread. */
int base_crypto_random(void *out, size_t len);
int base_crypto_sha1(const void *bytes, size_t len, uint8_t out[static BASE_SHA1_LEN]);
int base_crypto_sha256(const void *bytes, size_t len, uint8_t out[static BASE_SHA256_LEN]);
int base_crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                            uint8_t out[static BASE_SHA256_LEN]);
/* The number of bytes written, or BASE_ERR_INTERNAL. */
int base_crypto_hmac(enum base_hash hash, const void *key, size_t key_len, const void *bytes,
                     size_t len, uint8_t out[static BASE_SHA512_LEN]);
bool base_crypto_equal(const void *a, const void *b, size_t len);

#endif
