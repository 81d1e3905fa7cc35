/* SPDX-License-Identifier: ISC */
#include "base/pkey.h"

#include "base/base64.h"
#include "base/mem.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define DER_SIGNATURE_MAX 80
#define BASE64_MAX        8192 /* the largest key has 2,800 characters */

struct base_pkey {
    EVP_PKEY *evp;
    bool is_rsa;
    bool is_private;
};

/* ---- what a text is ---- */

static bool contains(const char *text, size_t len, const char *part)
{
    return memmem(text, len, part, strlen(part)) != NULL;
}

static bool begins(const char *text, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

bool base_pkey_is_pem(const char *text, size_t len)
{
    return contains(text, len, "-----BEGIN ");
}

static bool is_der(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    EVP_PKEY *evp = d2i_PUBKEY(NULL, &at, (long)len);
    ERR_clear_error();
    EVP_PKEY_free(evp);
    return evp != NULL;
}

/* The inside of a PEM file without its first and last line, with or without line ends. */
static bool is_base64_of_der(const char *text, size_t len)
{
    char copy[BASE64_MAX + 3];
    size_t count = 0;
    if (len > BASE64_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!memchr(" \t\r\n", text[i], 4))
            copy[count++] = text[i];
    ssize_t decoded = base_base64_decode(BASE_BASE64_STD, copy, count, copy);
    return decoded > 0 && is_der(copy, (size_t)decoded);
}

bool base_pkey_is_foreign(const char *text, size_t len)
{
    return begins(text, len, "ssh-") || begins(text, len, "ecdsa-sha2-") ||
           (memchr(text, '{', len) && contains(text, len, "\"kty\"")) || is_der(text, len) ||
           is_base64_of_der(text, len);
}

/* ---- reading ---- */

static int no_password(char *buf, int size, int writing, void *data)
{
    (void)buf, (void)size, (void)writing, (void)data;
    return -1;
}

static EVP_PKEY *read_pem(const char *pem, size_t len, bool is_private)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    if (!bio)
        return NULL;
    EVP_PKEY *evp = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                               : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return evp;
}

static bool is_p256(const EVP_PKEY *evp)
{
    char group[32];
    size_t len;
    return EVP_PKEY_get_group_name(evp, group, sizeof group, &len) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

static int check_kind(struct base_pkey *key, struct base_why *why)
{
    int kind = EVP_PKEY_get_base_id(key->evp), bits = EVP_PKEY_get_bits(key->evp);
    key->is_rsa = kind == EVP_PKEY_RSA;
    if (key->is_rsa && (bits < BASE_PKEY_MIN_RSA_BITS || bits > BASE_PKEY_MAX_RSA_BITS))
        return base_why_set(why, BASE_ERR_CONFIG, "an RSA key of %d bits; expected %d to %d", bits,
                            BASE_PKEY_MIN_RSA_BITS, BASE_PKEY_MAX_RSA_BITS);
    if (!key->is_rsa && !(kind == EVP_PKEY_EC && is_p256(key->evp)))
        return base_why_set(why, BASE_ERR_CONFIG, "a key that is neither RSA nor EC over P-256");
    return BASE_OK;
}

int base_pkey_parse(const char *pem, size_t len, struct base_pkey **out, struct base_why *why)
{
    bool is_private = contains(pem, len, "PRIVATE KEY-----");
    EVP_PKEY *evp = read_pem(pem, len, is_private);
    if (!evp)
        return base_why_set(why, BASE_ERR_CONFIG, "no usable PEM of a %s key",
                            is_private ? "private" : "public");
    struct base_pkey *key = base_calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(evp);
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    key->evp = evp;
    key->is_private = is_private;
    int failed = check_kind(key, why);
    if (failed)
        base_pkey_free(key);
    else
        *out = key;
    return failed;
}

void base_pkey_free(struct base_pkey *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->evp);
    base_free(key);
}

bool base_pkey_is_rsa(const struct base_pkey *key)
{
    return key->is_rsa;
}

bool base_pkey_is_private(const struct base_pkey *key)
{
    return key->is_private;
}

/* ---- verifying ---- */

/* OpenSSL wants r and s in DER. The length, or 0 when memory is short. */
static size_t to_der(const unsigned char *raw, unsigned char out[static DER_SIGNATURE_MAX])
{
    const int half = BASE_PKEY_P256_SIGNATURE / 2;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, half, NULL), *s = BN_bin2bn(raw + half, half, NULL);
    int len = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        len = i2d_ECDSA_SIG(pair, NULL);
        len = len > 0 && len <= DER_SIGNATURE_MAX ? i2d_ECDSA_SIG(pair, &out) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}

int base_pkey_verify(const struct base_pkey *key, const void *bytes, size_t len,
                     const unsigned char *signature, size_t signature_len)
{
    unsigned char der[DER_SIGNATURE_MAX];
    if (!key->is_rsa) {
        if (signature_len != BASE_PKEY_P256_SIGNATURE)
            return BASE_ERR_DENIED;
        signature_len = to_der(signature, der);
        signature = der;
        if (!signature_len)
            return BASE_ERR_NOMEM;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return BASE_ERR_NOMEM;
    bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->evp) == 1 &&
                EVP_DigestVerify(context, signature, signature_len, bytes, len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good ? BASE_OK : BASE_ERR_DENIED;
}
