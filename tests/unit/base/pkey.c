/* SPDX-License-Identifier: ISC */
#include "base/pkey.h"

#include "base/mem.h"
#include "lib/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static char pem[16384];
static size_t pem_len;
static struct base_pkey *key;
static struct base_why why;

/* Takes the text of a BIO, and frees it. */
static void take(BIO *bio)
{
    int got = BIO_read(bio, pem, sizeof pem);
    CHECK(got > 0);
    pem_len = got > 0 ? (size_t)got : 0;
    BIO_free(bio);
}

static void write_public(EVP_PKEY *evp)
{
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PUBKEY(bio, evp) == 1);
    take(bio);
}

static void parses(bool rsa, bool is_private)
{
    key = NULL;
    CHECK_INT(base_pkey_parse(pem, pem_len, &key, &why), 0);
    CHECK(base_pkey_is_pem(pem, pem_len));
    CHECK(key && base_pkey_is_rsa(key) == rsa && base_pkey_is_private(key) == is_private);
}

static void refuses(const char *reason)
{
    CHECK_INT(base_pkey_parse(pem, pem_len, &key, &why), BASE_ERR_CONFIG);
    CHECK_STR(why.text, reason);
}

/* "EC PARAMETERS" before "EC PRIVATE KEY", as openssl ecparam writes it, and "RSA PRIVATE KEY". */
static void reads_traditional_forms(void)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    static const char parameters[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                                     "-----END EC PARAMETERS-----\n";
    BIO_puts(bio, parameters);
    CHECK(PEM_write_bio_PrivateKey_traditional(bio, ec, NULL, NULL, 0, NULL, NULL) == 1);
    take(bio);
    parses(false, true);
    base_pkey_free(key);
    bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PrivateKey_traditional(bio, rsa, NULL, NULL, 0, NULL, NULL) == 1);
    take(bio);
    parses(true, true);
    base_pkey_free(key);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

/* It would be asked for on the terminal otherwise. */
static void asks_nobody_for_a_password(void)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PrivateKey(bio, ec, EVP_aes_128_cbc(), (const unsigned char *)"pass", 4,
                                   NULL, NULL) == 1);
    take(bio);
    refuses("no usable PEM of a private key");
    EVP_PKEY_free(ec);
}

/* Restricted to RSASSA-PSS: no RS256 with it. */
static void a_pss_key_is_no_rsa_key(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pss = NULL;
    CHECK(EVP_PKEY_keygen_init(context) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1);
    CHECK(EVP_PKEY_keygen(context, &pss) == 1);
    write_public(pss);
    refuses("a key that is neither RSA nor EC over P-256");
    EVP_PKEY_free(pss);
    EVP_PKEY_CTX_free(context);
}

static void a_key_cut_anywhere_is_refused(void)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    write_public(ec);
    parses(false, false);
    base_pkey_free(key);
    /* The line end behind the last line may be missing. */
    for (size_t len = 0; len + 1 < pem_len; len++)
        CHECK_INT(base_pkey_parse(pem, len, &key, NULL), BASE_ERR_CONFIG);
    EVP_PKEY_free(ec);
}

static void signatures_of_any_bytes_are_refused(void)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
    unsigned char bytes[257];
    for (int is_rsa = 0; is_rsa < 2; is_rsa++) {
        write_public(is_rsa ? rsa : ec);
        parses(is_rsa, false);
        for (int fill = 0; fill < 256; fill += 51) {
            memset(bytes, fill, sizeof bytes);
            for (size_t len = 0; len <= sizeof bytes; len++)
                CHECK_INT(base_pkey_verify(key, "text", 4, bytes, len), BASE_ERR_DENIED);
        }
        base_pkey_free(key);
    }
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

static void secrets_are_no_foreign_keys(void)
{
    static const char *const secrets[] = {
        "a-secret-of-thirty-two-bytes-or-more",
        "{\"a\":\"secret of the form of an object\"}",
        "AAAAB3NzaC1yc2EAAAADAQABAAABAQDnotakey",
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
    };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        CHECK(!base_pkey_is_foreign(secrets[i], strlen(secrets[i])));
    CHECK(!base_pkey_is_foreign("", 0));
    CHECK(base_pkey_is_foreign("{ \"kty\": \"RSA\" }", 16));
}

static void survives_failing_allocations(void)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    write_public(ec);
    base_mem_fail(1, 1);
    CHECK_INT(base_pkey_parse(pem, pem_len, &key, &why), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    base_pkey_free(NULL);
    EVP_PKEY_free(ec);
}

int main(void)
{
    RUN(reads_traditional_forms);
    RUN(asks_nobody_for_a_password);
    RUN(a_pss_key_is_no_rsa_key);
    RUN(a_key_cut_anywhere_is_refused);
    RUN(signatures_of_any_bytes_are_refused);
    RUN(secrets_are_no_foreign_keys);
    RUN(survives_failing_allocations);
    return test_end();
}
