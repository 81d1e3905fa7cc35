/* SPDX-License-Identifier: ISC */
#include "base/ca.h"

#include "base/mem.h"
#include "lib/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/test-ca-XXXXXX";

/* ---- certificates ---- */

/* Of `name`, signed by the issuer, or by itself. */
static X509 *certify(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *made = X509_new();
    X509_NAME *subject = X509_get_subject_name(made);
    X509_set_version(made, 0); /* of version 1 each may sign others */
    ASN1_INTEGER_set(X509_get_serialNumber(made), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made, issuer ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(made, key);
    CHECK(X509_sign(made, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return made;
}

struct authority {
    EVP_PKEY *key;
    X509 *own, *leaf; /* `leaf` is signed by it */
};

static struct authority found(const char *name)
{
    struct authority made = {.key = EVP_EC_gen("P-256")};
    made.own = certify(name, made.key, NULL, NULL);
    made.leaf = certify("leaf", made.key, made.own, made.key);
    return made;
}

static void dissolve(struct authority *authority)
{
    X509_free(authority->own);
    X509_free(authority->leaf);
    EVP_PKEY_free(authority->key);
}

static void write_file(const struct authority *list, size_t count, const char *more)
{
    FILE *file = fopen(path, "w");
    for (size_t i = 0; i < count; i++) {
        PEM_write_PrivateKey(file, list[i].key, NULL, NULL, 0, NULL, NULL);
        PEM_write_X509(file, list[i].own);
    }
    fputs(more, file);
    fclose(file);
}

static bool trusts(SSL_CTX *context, const struct authority *authority)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), authority->leaf, NULL);
    bool trusted = X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    return trusted;
}

/* ---- tests ---- */

static void authorities_are_added_to_those_that_are_there(void)
{
    struct authority list[] = {found("system"), found("ours"), found("ours, too"), found("none")};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct base_ca *ca = NULL;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), list[0].own);
    write_file(&list[1], 2, "a remark at the end\n");
    CHECK_INT(base_ca_load(path, &ca, NULL), 0);
    CHECK(!trusts(context, &list[1]));
    CHECK(base_ca_add(ca, context));
    CHECK(base_ca_add(ca, context)); /* known already */
    base_ca_free(ca);
    CHECK(trusts(context, &list[0]) && trusts(context, &list[1]) && trusts(context, &list[2]));
    CHECK(!trusts(context, &list[3]));
    SSL_CTX_free(context);
    for (size_t i = 0; i < 4; i++)
        dissolve(&list[i]);
}

static const char *refusal(const char *text)
{
    static struct base_why why;
    struct base_ca *ca = NULL;
    write_file(NULL, 0, text);
    CHECK_INT(base_ca_load(path, &ca, &why), BASE_ERR_CONFIG);
    CHECK(strncmp(why.text, path, strlen(path)) == 0);
    return why.text + strlen(path);
}

static void what_is_no_certificate_is_explained(void)
{
    struct base_why why;
    struct base_ca *ca = NULL;
    CHECK_STR(refusal(""), ": there is no certificate in PEM in it");
    CHECK_STR(refusal("text"), ": there is no certificate in PEM in it");
    CHECK_STR(refusal("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
              ": a certificate in it is malformed");
    CHECK_STR(refusal("-----BEGIN CERTIFICATE-----\nMIIB"), ": a certificate in it is malformed");
    CHECK_INT(base_ca_load("/nonexistent/ca", &ca, &why), BASE_ERR_CONFIG);
    CHECK_INT(why.code, BASE_ERR_CONFIG);
    base_ca_free(NULL);
}

static void memory_may_be_short(void)
{
    struct authority one = found("ours");
    struct base_ca *ca = NULL;
    int failed = BASE_ERR_NOMEM;
    write_file(&one, 1, "");
    for (long n = 1; failed == BASE_ERR_NOMEM; n++) {
        base_mem_fail(n, 1);
        failed = base_ca_load(path, &ca, NULL);
        base_mem_fail(0, 0);
    }
    CHECK_INT(failed, 0);
    base_ca_free(ca);
    dissolve(&one);
}

int main(void)
{
    close(mkstemp(path));
    RUN(authorities_are_added_to_those_that_are_there);
    RUN(what_is_no_certificate_is_explained);
    RUN(memory_may_be_short);
    unlink(path);
    return test_end();
}
