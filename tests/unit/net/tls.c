/* SPDX-License-Identifier: ISC
 *
 * The server's side of TLS against a client of OpenSSL, over a pair of sockets.
 */
#include "net/io/tls.h"

#include "base/mem.h"
#include "lib/test.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[] = "/tmp/arda-tls-XXXXXX";
static char cert_file[64], key_file[64];

/* Writes a certificate with that number, signed by its own new key. */
static void certify(long number)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), number);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
    FILE *file = fopen(cert_file, "w");
    PEM_write_X509(file, cert);
    fclose(file);
    file = fopen(key_file, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

struct pair {
    SSL_CTX *context;
    SSL *client;
    struct net_tls_conn *server;
    int fds[2]; /* the client's, the server's */
};

static void open_pair(struct pair *pair, struct net_tls *tls)
{
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds);
    pair->context = SSL_CTX_new(TLS_client_method());
    pair->client = SSL_new(pair->context);
    SSL_set_fd(pair->client, pair->fds[0]);
    SSL_set_connect_state(pair->client);
    CHECK_INT(net_tls_accept(tls, pair->fds[1], &pair->server), 0);
}

static void close_pair(struct pair *pair)
{
    SSL_free(pair->client);
    SSL_CTX_free(pair->context);
    net_tls_conn_free(pair->server);
    close(pair->fds[0]);
    close(pair->fds[1]);
}

static struct net_tls *load(void)
{
    struct net_tls *tls = NULL;
    struct base_why why = {0};
    CHECK_INT(net_tls_new(cert_file, key_file, &tls, &why), 0);
    return tls;
}

/* Until there is something to tell. */
static ssize_t read_server(struct pair *pair, char *bytes, size_t len, struct base_why *why)
{
    ssize_t got;
    do
        got = net_tls_read(pair->server, bytes, len, why);
    while (got == BASE_ERR_LIMIT);
    return got;
}

static void shake_hands(struct pair *pair)
{
    char byte;
    for (int turn = 0; turn < 10; turn++) {
        SSL_do_handshake(pair->client);
        CHECK_INT(read_server(pair, &byte, 1, NULL), BASE_ERR_AGAIN);
    }
    CHECK(SSL_is_init_finished(pair->client));
    CHECK(net_tls_established(pair->server));
    /* The ticket is read away. */
    CHECK(SSL_read(pair->client, &byte, 1) < 0);
}

static void takes_a_handshake_byte_by_byte(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    int between[2];
    char byte, flight[8192];
    open_pair(&pair, tls);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, between);
    SSL_set_fd(pair.client, between[0]);
    for (int turn = 0; turn < 3; turn++) {
        SSL_do_handshake(pair.client);
        while (read(between[1], &byte, 1) == 1) {
            CHECK_INT(write(pair.fds[0], &byte, 1), 1);
            CHECK_INT(read_server(&pair, &byte, 1, NULL), BASE_ERR_AGAIN);
        }
        ssize_t len = read(pair.fds[0], flight, sizeof flight);
        if (len > 0)
            CHECK_INT(write(between[1], flight, (size_t)len), len);
    }
    CHECK(net_tls_established(pair.server));
    close_pair(&pair);
    close(between[0]);
    close(between[1]);
    net_tls_free(tls);
}

/* How many records of application data lie on the wire. */
static int count_records(int fd)
{
    static unsigned char bytes[256 * 1024];
    ssize_t len = read(fd, bytes, sizeof bytes);
    int count = 0;
    for (ssize_t at = 0; at + 5 <= len; at += 5 + bytes[at + 3] * 256 + bytes[at + 4])
        count += bytes[at] == 23;
    return count;
}

static void puts_pieces_together(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    static char bytes[40000];
    struct iovec pieces[32];
    struct iovec large[] = {{bytes, 100}, {bytes, 40000}, {NULL, 0}, {bytes, 100}};
    for (int i = 0; i < 32; i++)
        pieces[i] = (struct iovec){bytes, 300};
    open_pair(&pair, tls);
    shake_hands(&pair);
    CHECK_INT(net_tls_writev(pair.server, pieces, 32, NULL), 32 * 300);
    CHECK_INT(count_records(pair.fds[0]), 1);
    CHECK_INT(net_tls_writev(pair.server, pieces, 1, NULL), 300);
    CHECK_INT(count_records(pair.fds[0]), 1);
    CHECK_INT(net_tls_writev(pair.server, large, 4, NULL), 40200);
    CHECK_INT(count_records(pair.fds[0]), 3);
    close_pair(&pair);
    net_tls_free(tls);
}

/* Reads with the client, and flushes, until both have nothing more; the bytes have to count on. */
static void drain(struct pair *pair, unsigned *next)
{
    static unsigned char bytes[65536];
    int got;
    while ((got = SSL_read(pair->client, bytes, sizeof bytes)) > 0 ||
           net_tls_unsent(pair->server)) {
        for (int i = 0; i < got; i++)
            if (bytes[i] != (*next)++ % 251)
                test_fail(__FILE__, __LINE__, "bytes in order");
        CHECK_INT(net_tls_flush(pair->server), 0);
    }
}

static struct iovec count_from(unsigned from, size_t len)
{
    static unsigned char bytes[100000];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)((from + i) % 251);
    return (struct iovec){bytes, len};
}

/* A piece is never handed in twice, whatever comes behind it, and also when the client wants a new
 * key in between. */
static void keeps_what_the_kernel_does_not_take(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    unsigned written = 0, read = 0, times_blocked = 0;
    char byte;
    open_pair(&pair, tls);
    shake_hands(&pair);
    for (unsigned turn = 0; turn < 200; turn++) {
        struct iovec piece = count_from(written, turn * 499);
        ssize_t took = net_tls_writev(pair.server, &piece, 1, NULL);
        CHECK(took >= 0);
        written += (unsigned)took;
        if (!net_tls_unsent(pair.server))
            continue;
        times_blocked++;
        CHECK_INT(net_tls_writev(pair.server, &piece, 1, NULL), 0);
        CHECK_INT(SSL_key_update(pair.client, SSL_KEY_UPDATE_REQUESTED), 1);
        CHECK_INT(SSL_do_handshake(pair.client), 1);
        CHECK_INT(read_server(&pair, &byte, 1, NULL), BASE_ERR_AGAIN);
        drain(&pair, &read);
        CHECK_INT(read, written);
    }
    drain(&pair, &read);
    CHECK_INT(read, written);
    CHECK(times_blocked > 5);
    close_pair(&pair);
    net_tls_free(tls);
}

/* Each call does a bounded piece of work, and none of them loses what comes behind. */
static void comes_back_from_a_flood_of_keys(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    ssize_t got;
    char byte = 'x';
    open_pair(&pair, tls);
    shake_hands(&pair);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(SSL_key_update(pair.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        CHECK_INT(SSL_do_handshake(pair.client), 1);
        if (i % 10 == 0)
            CHECK_INT(net_tls_read(pair.server, &byte, 1, NULL), BASE_ERR_LIMIT);
    }
    CHECK_INT(SSL_write(pair.client, "y", 1), 1);
    while ((got = net_tls_read(pair.server, &byte, 1, NULL)) == BASE_ERR_LIMIT)
        continue;
    CHECK_INT(got, 1);
    CHECK_INT(byte, 'y');
    CHECK_INT(net_tls_read(pair.server, &byte, 1, NULL), BASE_ERR_AGAIN);
    close_pair(&pair);
    net_tls_free(tls);
}

static void reads_to_the_last_byte_and_no_further(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    static char bytes[20000], got[20000];
    size_t total = 0;
    ssize_t len;
    open_pair(&pair, tls);
    shake_hands(&pair);
    CHECK_INT(SSL_write(pair.client, bytes, sizeof bytes), (int)sizeof bytes);
    CHECK_INT(SSL_shutdown(pair.client), 0);
    while ((len = read_server(&pair, got, 777, NULL)) > 0)
        total += (size_t)len;
    CHECK_INT(len, 0);
    CHECK_INT(total, sizeof bytes);
    CHECK_INT(read_server(&pair, got, 777, NULL), 0);
    /* The other direction is open still. */
    CHECK_INT(net_tls_writev(pair.server, &(struct iovec){bytes, 5}, 1, NULL), 5);
    net_tls_end(pair.server);
    net_tls_end(pair.server);
    CHECK_INT(SSL_read(pair.client, got, sizeof got), 5);
    len = SSL_read(pair.client, got, sizeof got);
    CHECK_INT(SSL_get_error(pair.client, (int)len), SSL_ERROR_ZERO_RETURN);
    close_pair(&pair);
    net_tls_free(tls);
}

static void an_end_without_a_word_is_an_end(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    char byte;
    open_pair(&pair, tls);
    CHECK_INT(read_server(&pair, &byte, 1, NULL), BASE_ERR_AGAIN);
    shutdown(pair.fds[0], SHUT_WR);
    CHECK_INT(read_server(&pair, &byte, 1, NULL), 0);
    CHECK(!net_tls_established(pair.server));
    net_tls_end(pair.server);
    CHECK_INT(read(pair.fds[0], &byte, 1), -1);
    close_pair(&pair);
    net_tls_free(tls);
}

static void tells_http_from_garbage(void)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                      garbage[] = "\x16\x03\x01\1\1no";
    struct net_tls *tls = load();
    struct pair pair;
    struct base_why why;
    char byte;
    open_pair(&pair, tls);
    CHECK_INT(write(pair.fds[0], http, sizeof http - 1), sizeof http - 1);
    CHECK_INT(read_server(&pair, &byte, 1, &why), BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "plain HTTP where TLS is expected");
    close_pair(&pair);
    open_pair(&pair, tls);
    for (int i = 0; i < 100; i++)
        CHECK_INT(write(pair.fds[0], garbage, sizeof garbage - 1), sizeof garbage - 1);
    CHECK_INT(read_server(&pair, &byte, 1, &why), BASE_ERR_CLOSED);
    /* It stays so, and nothing more is asked of it. */
    why.text[0] = '\0';
    CHECK_INT(read_server(&pair, &byte, 1, &why), BASE_ERR_CLOSED);
    CHECK(strlen(why.text) > 0);
    CHECK_INT(net_tls_writev(pair.server, &(struct iovec){&byte, 1}, 1, &why), BASE_ERR_CLOSED);
    close_pair(&pair);
    net_tls_free(tls);
}

static void a_lost_peer_is_an_error_and_no_signal(void)
{
    struct net_tls *tls = load();
    struct pair pair;
    struct base_why why;
    char byte = 'x';
    open_pair(&pair, tls);
    shake_hands(&pair);
    SSL_set_quiet_shutdown(pair.client, 1);
    shutdown(pair.fds[0], SHUT_RDWR);
    CHECK_INT(net_tls_writev(pair.server, &(struct iovec){&byte, 1}, 1, &why), BASE_ERR_CLOSED);
    close_pair(&pair);
    net_tls_free(tls);
}

static long number_shown(struct net_tls *tls)
{
    struct pair pair;
    open_pair(&pair, tls);
    shake_hands(&pair);
    X509 *cert = SSL_get1_peer_certificate(pair.client);
    long number = cert ? ASN1_INTEGER_get(X509_get_serialNumber(cert)) : -1;
    X509_free(cert);
    close_pair(&pair);
    return number;
}

static void reloads_for_those_who_come_later(void)
{
    struct net_tls *tls = load();
    struct pair early, before;
    char byte;
    struct base_why why;
    open_pair(&early, tls); /* has not begun the handshake */
    open_pair(&before, tls);
    shake_hands(&before);
    certify(8);
    CHECK_INT(number_shown(tls), 7);
    CHECK_INT(net_tls_reload(tls, &why), 0);
    CHECK_INT(number_shown(tls), 8);
    shake_hands(&early);
    CHECK_INT(net_tls_writev(before.server, &(struct iovec){"a", 1}, 1, NULL), 1);
    CHECK_INT(SSL_read(before.client, &byte, 1), 1);
    CHECK_INT(truncate(key_file, 30), 0);
    CHECK_INT(net_tls_reload(tls, &why), BASE_ERR_CONFIG);
    CHECK(strncmp(why.text, key_file, strlen(key_file)) == 0);
    CHECK_INT(number_shown(tls), 8);
    close_pair(&early);
    close_pair(&before);
    net_tls_free(tls);
    certify(7);
}

static void short_memory_is_an_error(void)
{
    struct net_tls *tls = NULL;
    struct net_tls_conn *conn = NULL;
    struct base_why why;
    int failures = 0;
    for (base_mem_fail(1, 1); net_tls_new(cert_file, key_file, &tls, &why) < 0;
         base_mem_fail(++failures + 1, 1))
        CHECK_INT(why.code, BASE_ERR_NOMEM);
    CHECK_INT(failures, 3);
    base_mem_fail(1, 1);
    CHECK_INT(net_tls_accept(tls, -1, &conn), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    net_tls_free(tls);
    net_tls_free(NULL);
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    snprintf(cert_file, sizeof cert_file, "%s/cert.pem", folder);
    snprintf(key_file, sizeof key_file, "%s/key.pem", folder);
    certify(7);
    RUN(takes_a_handshake_byte_by_byte);
    RUN(puts_pieces_together);
    RUN(keeps_what_the_kernel_does_not_take);
    RUN(comes_back_from_a_flood_of_keys);
    RUN(reads_to_the_last_byte_and_no_further);
    RUN(an_end_without_a_word_is_an_end);
    RUN(tells_http_from_garbage);
    RUN(a_lost_peer_is_an_error_and_no_signal);
    RUN(reloads_for_those_who_come_later);
    RUN(short_memory_is_an_error);
    unlink(cert_file);
    unlink(key_file);
    rmdir(folder);
    return test_end();
}
