/* SPDX-License-Identifier: ISC */
#include "base/ca.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

struct base_ca {
    STACK_OF(X509) * certificates;
};

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

static int bad(struct base_why *why, const char *path, const char *text)
{
    return base_why_set(why, BASE_ERR_CONFIG, "%s: %s", path, text);
}

/* The end of a file, after whatever has stood there, is an error of this kind, too. */
static bool is_end(void)
{
    unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int read_all(struct base_ca *ca, BIO *bio, const char *path, struct base_why *why)
{
    X509 *one;
    ERR_clear_error();
    while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (sk_X509_push(ca->certificates, one) == 0) {
            X509_free(one);
            return no_memory(why);
        }
    bool ended = is_end();
    ERR_clear_error();
    if (!ended)
        return bad(why, path, "a certificate in it is malformed");
    if (sk_X509_num(ca->certificates) == 0)
        return bad(why, path, "there is no certificate in PEM in it");
    return BASE_OK;
}

static int parse(const struct base_buf *text, const char *path, struct base_ca **out,
                 struct base_why *why)
{
    struct base_ca *ca = base_calloc(1, sizeof *ca);
    BIO *bio = BIO_new_mem_buf(text->len ? text->data : "", (int)text->len);
    if (ca)
        ca->certificates = sk_X509_new_null();
    int failed = ca && ca->certificates && bio ? read_all(ca, bio, path, why) : no_memory(why);
    BIO_free(bio);
    if (failed)
        base_ca_free(ca);
    else
        *out = ca;
    return failed;
}

int base_ca_load(const char *path, struct base_ca **ca, struct base_why *why)
{
    struct base_buf text = BASE_BUF_INIT;
    int failed = base_file_read(path, BASE_CA_FILE_MAX, &text, why);
    if (failed && failed != BASE_ERR_NOMEM)
        failed = why ? why->code = BASE_ERR_CONFIG : BASE_ERR_CONFIG;
    if (!failed)
        failed = parse(&text, path, ca, why);
    base_buf_fini(&text);
    return failed;
}

bool base_ca_add(const struct base_ca *ca, void *ssl_ctx)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    for (int i = 0; i < sk_X509_num(ca->certificates); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(ca->certificates, i)) != 1)
            return false;
    return true;
}

void base_ca_free(struct base_ca *ca)
{
    if (!ca)
        return;
    sk_X509_pop_free(ca->certificates, X509_free);
    base_free(ca);
}
