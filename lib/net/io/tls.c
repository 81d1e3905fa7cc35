/* SPDX-License-Identifier: ISC
 *
 * OpenSSL sees the descriptor through a BIO of ours. Its write never asks to be called again: what
 * the kernel does not take waits in `unsent`. With a BIO that does ask, a record that is encrypted
 * but not gone would have to be presented again, with the same bytes; a session that ends in
 * between, or puts a frame first, could not do that.
 */
#include "net/io/tls.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret_file.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD_BYTES SSL3_RT_MAX_PLAIN_LENGTH
/* A record and what the handshake or an alert adds; a peer that makes us answer it without reading
 * the answers gets there, nobody else. */
#define UNSENT_MAX (64 * 1024)
/* Of TLS 1.2; those of 1.3 are all good. With a key of its own for each session, authenticated. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct net_tls {
    pthread_mutex_t lock; /* of the context, which reloading replaces */
    SSL_CTX *context;
    char *cert_file;
    char *key_file;
};

struct net_tls_conn {
    SSL *ssl;
    struct base_buf unsent; /* ciphertext */
    unsigned long error;    /* of OpenSSL, when `broken`; 0: of the socket */
    int fd;
    bool established;
    bool ended_by_peer;
    bool drained; /* the kernel has said that it has nothing more to read */
    bool broken;  /* nothing may be asked of OpenSSL any more */
};

/* ---- the descriptor ---- */

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

/* How much went; -1 when the connection is lost. */
static ssize_t send_some(int fd, const char *bytes, size_t len)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 && would_block(errno) ? 0 : sent;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct net_tls_conn *conn = BIO_get_data(bio);
    size_t rest = (size_t)len;
    if (conn->unsent.len == 0) {
        ssize_t sent = send_some(conn->fd, bytes, rest);
        if (sent < 0)
            return -1;
        rest -= (size_t)sent;
    }
    if (rest == 0)
        return len;
    if (conn->unsent.len + rest > UNSENT_MAX ||
        base_buf_add(&conn->unsent, bytes + ((size_t)len - rest), rest) < 0)
        return -1;
    return len;
}

static int bio_read(BIO *bio, char *bytes, int len)
{
    struct net_tls_conn *conn = BIO_get_data(bio);
    ssize_t got;
    BIO_clear_retry_flags(bio);
    do
        got = recv(conn->fd, bytes, (size_t)len, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        conn->ended_by_peer = true;
    conn->drained = got < 0 && would_block(errno);
    if (conn->drained)
        BIO_set_retry_read(bio);
    return (int)got;
}

/* OpenSSL asks whether all has been flushed, and is content with what does not fail. */
static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;
static pthread_once_t method_made = PTHREAD_ONCE_INIT;

static void free_method(void)
{
    BIO_meth_free(method);
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "net_tls");
    if (!method)
        return;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    OPENSSL_atexit(free_method);
}

/* ---- certificate and key ---- */

static const char *reason_text(unsigned long error)
{
    const char *text = ERR_reason_error_string(error);
    return text ? text : "unknown reason";
}

static int fail_file(struct base_why *why, const char *file, const char *what)
{
    unsigned long error = ERR_peek_error();
    /* One of the system's errors carries errno. */
    if (ERR_SYSTEM_ERROR(error))
        return base_why_errno(why, BASE_ERR_CONFIG, ERR_GET_REASON(error), "%s", file);
    return base_why_set(why, BASE_ERR_CONFIG, "%s: %s: %s", file, what, reason_text(error));
}

/* A key with a passphrase is refused: nobody is there to type it. */
static int no_passphrase(char *out, int size, int writing, void *data)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

/* http/1.1 or, for a client that offers other protocols alone, none: it must not go on and take us
 * for something else. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *data)
{
    static const unsigned char http11[] = "\x08http/1.1";
    (void)ssl;
    (void)data;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, http11, sizeof http11 - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, CIPHERS) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    /* A peer that sends new keys without end, and no data, must not keep us within one call. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    /* One recv instead of two per record. Nothing stays behind unseen: reading ends when the kernel
     * has no more. */
    SSL_CTX_set_read_ahead(context, 1);
    /* Who comes back has its ticket; the server keeps nothing. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

/* A key that is not the certificate's is noticed when it is read, or, when it is of another kind,
 * by the check behind it. */
static int load_files(SSL_CTX *context, const char *cert_file, const char *key_file,
                      struct base_why *why)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1)
        return fail_file(why, cert_file, "not a certificate in PEM");
    ERR_clear_error();
    bool read = SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1;
    if (!read && ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_X509)
        return fail_file(why, key_file, "not a private key in PEM without a passphrase");
    if (!read || SSL_CTX_check_private_key(context) != 1)
        return base_why_set(why, BASE_ERR_CONFIG, "%s: not the key of the certificate in %s",
                            key_file, cert_file);
    base_secret_file_check(key_file);
    return BASE_OK;
}

int net_tls_reload(struct net_tls *tls, struct base_why *why)
{
    SSL_CTX *context = new_context();
    if (!context)
        return base_why_set(why, BASE_ERR_NOMEM, "cannot start TLS: %s",
                            reason_text(ERR_peek_error()));
    int failed = load_files(context, tls->cert_file, tls->key_file, why);
    ERR_clear_error();
    if (failed) {
        SSL_CTX_free(context);
        return failed;
    }
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = context;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old); /* connections hold on to theirs */
    return BASE_OK;
}

int net_tls_new(const char *cert_file, const char *key_file, struct net_tls **out,
                struct base_why *why)
{
    pthread_once(&method_made, make_method);
    struct net_tls *tls = base_calloc(1, sizeof *tls);
    if (!tls || !method) {
        base_free(tls);
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->cert_file = base_strdup(cert_file);
    tls->key_file = base_strdup(key_file);
    int failed = tls->cert_file && tls->key_file
                     ? net_tls_reload(tls, why)
                     : base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    if (failed) {
        net_tls_free(tls);
        return failed;
    }
    *out = tls;
    return BASE_OK;
}

void net_tls_free(struct net_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    base_free(tls->cert_file);
    base_free(tls->key_file);
    base_free(tls);
}

/* ---- a connection ---- */

static SSL *new_ssl(struct net_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->context;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->lock);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    return ssl;
}

int net_tls_accept(struct net_tls *tls, int fd, struct net_tls_conn **out)
{
    struct net_tls_conn *conn = base_calloc(1, sizeof *conn);
    BIO *bio = BIO_new(method);
    if (conn)
        conn->ssl = new_ssl(tls);
    if (!conn || !bio || !conn->ssl) {
        BIO_free(bio);
        net_tls_conn_free(conn);
        ERR_clear_error();
        return BASE_ERR_NOMEM;
    }
    conn->fd = fd;
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_bio(conn->ssl, bio, bio);
    SSL_set_accept_state(conn->ssl);
    *out = conn;
    return BASE_OK;
}

void net_tls_conn_free(struct net_tls_conn *conn)
{
    if (!conn)
        return;
    SSL_free(conn->ssl);
    base_buf_fini(&conn->unsent);
    base_free(conn);
}

bool net_tls_established(const struct net_tls_conn *conn)
{
    return conn->established;
}

bool net_tls_unsent(const struct net_tls_conn *conn)
{
    return conn->unsent.len > 0;
}

/* The first failure is the one to report, also when it is asked for later. */
static int fail_conn(struct net_tls_conn *conn, struct base_why *why)
{
    if (!conn->broken)
        conn->error = ERR_peek_error();
    conn->broken = true;
    ERR_clear_error();
    if (ERR_GET_LIB(conn->error) == ERR_LIB_SSL &&
        ERR_GET_REASON(conn->error) == SSL_R_HTTP_REQUEST)
        return base_why_set(why, BASE_ERR_SYNTAX, "plain HTTP where TLS is expected");
    return base_why_set(why, BASE_ERR_CLOSED, "%s",
                        conn->error ? reason_text(conn->error) : "connection lost");
}

ssize_t net_tls_read(struct net_tls_conn *conn, char *bytes, size_t len, struct base_why *why)
{
    size_t got = 0;
    if (conn->broken)
        return fail_conn(conn, why);
    ERR_clear_error();
    conn->drained = false;
    int done = SSL_read_ex(conn->ssl, bytes, len, &got);
    conn->established |= SSL_is_init_finished(conn->ssl);
    if (done == 1)
        return (ssize_t)got;
    int error = SSL_get_error(conn->ssl, done);
    if (error == SSL_ERROR_WANT_READ)
        return conn->drained ? BASE_ERR_AGAIN : BASE_ERR_LIMIT;
    /* Not every peer says goodbye, and what comes over HTTP or WebSocket knows its own length. */
    if (error == SSL_ERROR_ZERO_RETURN || conn->ended_by_peer) {
        ERR_clear_error();
        return 0;
    }
    return fail_conn(conn, why);
}

/* Puts the next bytes together for one record, from piece `*index` on at `*at`. Bytes that lie
 * together are not copied. */
static struct base_slice next_record(const struct iovec *pieces, int count, int *index, size_t *at,
                                     char space[static RECORD_BYTES])
{
    size_t len = 0;
    while (*index < count && len < RECORD_BYTES) {
        size_t left = pieces[*index].iov_len - *at;
        if (left == 0) {
            (*index)++;
            *at = 0;
            continue;
        }
        const char *from = (const char *)pieces[*index].iov_base + *at;
        size_t step = left < RECORD_BYTES - len ? left : RECORD_BYTES - len;
        bool alone = len == 0 && (step == RECORD_BYTES || *index == count - 1);
        if (!alone)
            memcpy(space + len, from, step);
        len += step;
        *at += step;
        if (alone)
            return (struct base_slice){from, len};
    }
    return (struct base_slice){space, len};
}

ssize_t net_tls_writev(struct net_tls_conn *conn, const struct iovec *pieces, int count,
                       struct base_why *why)
{
    char space[RECORD_BYTES];
    size_t total = 0, at = 0;
    int index = 0;
    if (conn->broken)
        return fail_conn(conn, why);
    while (index < count && conn->unsent.len == 0) {
        struct base_slice record = next_record(pieces, count, &index, &at, space);
        size_t written;
        if (record.len == 0)
            break;
        ERR_clear_error();
        /* It would wait for the peer only within a handshake, which we do not let it begin anew,
         * or while it has sent us one half of a handshake message, which nobody needs to do. */
        if (SSL_write_ex(conn->ssl, record.data, record.len, &written) != 1)
            return fail_conn(conn, why);
        total += record.len;
    }
    return (ssize_t)total;
}

int net_tls_flush(struct net_tls_conn *conn)
{
    while (conn->unsent.len > 0) {
        ssize_t sent = send_some(conn->fd, conn->unsent.data, conn->unsent.len);
        if (sent < 0) {
            conn->broken = true;
            return BASE_ERR_CLOSED;
        }
        if (sent == 0)
            return BASE_OK;
        base_buf_consume(&conn->unsent, (size_t)sent);
    }
    base_buf_fini(&conn->unsent);
    return BASE_OK;
}

void net_tls_end(struct net_tls_conn *conn)
{
    if (conn->broken || !conn->established || (SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN))
        return;
    ERR_clear_error();
    if (SSL_shutdown(conn->ssl) < 0)
        conn->broken = true;
    ERR_clear_error();
}
