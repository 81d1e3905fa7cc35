/* SPDX-License-Identifier: ISC */
#include "arda/keyring.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lib/test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER  "another-secret-of-more-than-32-bytes"
#define NOW_S  1770552896
#define IDS    "\"sub\":\"u1\",\"tenantId\":\"t1\""
#define USUAL  "{" IDS "}"

static char folder[] = "/tmp/keyring.XXXXXX";
static EVP_PKEY *rsa, *rsa_small, *p256, *p384, *ed25519;
static struct arda_claims claims;
static struct base_why why;

static int64_t fixed_wall_ms(void)
{
    return NOW_S * 1000LL;
}

/* ---- files ---- */

static const char *path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *out = paths[next++ % 8];
    snprintf(out, sizeof paths[0], "%s/%s", folder, name);
    return out;
}

/* KID=FILE, or FILE for an empty kid. */
static const char *named(const char *kid, const char *name)
{
    static char texts[20][256];
    static unsigned next;
    char *out = texts[next++ % 20];
    snprintf(out, sizeof texts[0], "%s%s%s", kid, *kid ? "=" : "", path(name));
    return out;
}

static void write_file(const char *name, const void *bytes, size_t len)
{
    FILE *out = fopen(path(name), "w");
    CHECK(out && fwrite(bytes, 1, len, out) == len);
    CHECK(out && fclose(out) == 0);
}

static void write_pem(const char *name, EVP_PKEY *key, bool private_key)
{
    FILE *out = fopen(path(name), "w");
    CHECK(out != NULL);
    CHECK((private_key ? PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)
                       : PEM_write_PUBKEY(out, key)) == 1);
    CHECK(out && fclose(out) == 0);
}

static size_t read_text(const char *name, char *out, size_t room)
{
    FILE *in = fopen(path(name), "r");
    size_t len = in ? fread(out, 1, room, in) : 0;
    CHECK(in && fclose(in) == 0);
    return len;
}

/* ---- tokens, signed without the code under test ---- */

static void add_base64url(struct base_buf *out, const void *bytes, size_t len)
{
    size_t encoded = base_base64_encoded_len(BASE_BASE64_URL, len);
    CHECK_INT(base_buf_reserve(out, encoded + 1), 0);
    base_base64_encode(BASE_BASE64_URL, bytes, len, out->data + out->len);
    out->len += encoded;
}

static void add_parts(struct base_buf *out, const char *header, const char *payload)
{
    add_base64url(out, header, strlen(header));
    CHECK_INT(base_buf_add_byte(out, '.'), 0);
    add_base64url(out, payload, strlen(payload));
}

static void add_signature(struct base_buf *out, const void *bytes, size_t len)
{
    CHECK_INT(base_buf_add_byte(out, '.'), 0);
    add_base64url(out, bytes, len);
}

static struct base_buf by_secret(const EVP_MD *digest, const char *secret, size_t len,
                                 const char *header, const char *payload)
{
    struct base_buf out = BASE_BUF_INIT;
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    add_parts(&out, header, payload);
    CHECK(HMAC(digest, secret, (int)len, (const unsigned char *)out.data, out.len, mac, &mac_len));
    add_signature(&out, mac, mac_len);
    return out;
}

static size_t sign(EVP_PKEY *key, const void *bytes, size_t len, unsigned char *out, size_t room)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
    CHECK(EVP_DigestSign(context, out, &room, bytes, len) == 1);
    EVP_MD_CTX_free(context);
    return room;
}

static struct base_buf by_rsa(EVP_PKEY *key, const char *header, const char *payload)
{
    struct base_buf out = BASE_BUF_INIT;
    unsigned char signature[512];
    add_parts(&out, header, payload);
    add_signature(&out, signature, sign(key, out.data, out.len, signature, sizeof signature));
    return out;
}

/* `raw`: as r and s, which RFC 7518 wants; else as OpenSSL writes it. */
static struct base_buf by_ec(EVP_PKEY *key, const char *header, const char *payload, bool raw)
{
    struct base_buf out = BASE_BUF_INIT;
    unsigned char der[128], pair[64];
    const unsigned char *at = der;
    add_parts(&out, header, payload);
    size_t len = sign(key, out.data, out.len, der, sizeof der);
    if (!raw) {
        add_signature(&out, der, len);
        return out;
    }
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32) == 32);
    CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32) == 32);
    ECDSA_SIG_free(sig);
    add_signature(&out, pair, sizeof pair);
    return out;
}

static struct base_buf hs256(const char *header, const char *payload)
{
    return by_secret(EVP_sha256(), SECRET, strlen(SECRET), header, payload);
}

/* ---- keyrings ---- */

static struct arda_keyring *ring_of(const struct arda_keyring_options *options)
{
    struct arda_keyring *ring = NULL;
    why.text[0] = '\0';
    int result = arda_keyring_new(options, &ring, &why);
    if (result)
        printf("# %s\n", why.text);
    CHECK_INT(result, 0);
    return ring;
}

static struct arda_keyring *ring_of_files(const char *const *files, size_t count)
{
    return ring_of(&(struct arda_keyring_options){.key_files = files, .key_file_count = count});
}

static void refuses_ring(const struct arda_keyring_options *options, int code, const char *part)
{
    struct arda_keyring *ring = NULL;
    CHECK_INT(arda_keyring_new(options, &ring, &why), code);
    if (!strstr(why.text, part))
        printf("# got `%s', expected `%s' in it\n", why.text, part);
    CHECK(strstr(why.text, part) != NULL);
    CHECK(!ring);
}

static void refuses_file(const char *file, const char *part)
{
    refuses_ring(&(struct arda_keyring_options){.key_files = &file, .key_file_count = 1},
                 BASE_ERR_CONFIG, part);
    CHECK(strstr(why.text, folder) != NULL);
}

/* Frees the token. */
static void accepts(const struct arda_keyring *ring, struct base_buf token)
{
    int result = arda_keyring_verify(ring, token.data, token.len, &claims, &why);
    if (result)
        printf("# %s\n", why.text);
    CHECK_INT(result, 0);
    CHECK_STR(claims.user, "u1");
    base_buf_fini(&token);
}

static void denies(const struct arda_keyring *ring, struct base_buf token, const char *reason)
{
    CHECK_INT(arda_keyring_verify(ring, token.data, token.len, &claims, &why), BASE_ERR_DENIED);
    CHECK_STR(why.text, reason);
    base_buf_fini(&token);
}

/* ---- kinds of keys ---- */

static void each_kind_has_its_usual_algorithm(void)
{
    const char *const files[] = {path("rsa.pub"), path("p256.pub"), path("secret")};
    struct arda_keyring *ring = ring_of_files(files, 3);
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\"}", USUAL));
    accepts(ring, by_ec(p256, "{\"alg\":\"ES256\"}", USUAL, true));
    accepts(ring, hs256("{\"alg\":\"HS256\"}", USUAL));
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", USUAL));
    denies(ring, by_ec(p256, "{\"alg\":\"ES256\"}", USUAL, false), "the signature is wrong");
    denies(ring, by_rsa(rsa, "{\"alg\":\"ES256\"}", USUAL), "the signature is wrong");
    denies(ring, by_ec(p256, "{\"alg\":\"RS256\"}", USUAL, true), "the signature is wrong");
    denies(ring, by_rsa(rsa_small, "{\"alg\":\"RS256\"}", USUAL), "the signature is wrong");
    denies(ring, by_secret(EVP_sha384(), SECRET, 32, "{\"alg\":\"HS384\"}", USUAL),
           "the algorithm is not HS256 or RS256 or ES256");
    arda_keyring_free(ring);
}

static void other_keys_are_refused_and_named(void)
{
    refuses_file(path("small.pub"), "an RSA key of 1024 bits; expected 2048 to 16384");
    refuses_file(path("p384.pub"), "a key that is neither RSA nor EC over P-256");
    refuses_file(path("ed25519.pub"), "a key that is neither RSA nor EC over P-256");
    refuses_file(path("rsa.key"), "a private key; expected the public one");
    refuses_file(named("k", "p256.key"), "a private key; expected the public one");
    refuses_file(path("absent"), "No such file or directory");
}

static void what_is_broken_is_refused(void)
{
    char pem[4096], cut[4200];
    size_t len = read_text("rsa.pub", pem, sizeof pem);
    write_file("bad", pem, len - 40);
    refuses_file(path("bad"), "no usable PEM of a public key");
    snprintf(cut, sizeof cut, "-----BEGIN CERTIFICATE-----%.*s", (int)len - 26, pem + 26);
    write_file("bad", cut, strlen(cut));
    refuses_file(path("bad"), "no usable PEM of a public key");
    write_file("bad", "short secret\n", 13);
    refuses_file(path("bad"), "the secret has 12 bytes; it needs at least 32");
    write_file("bad", "", 0);
    refuses_file(path("bad"), "the secret has 0 bytes");
    memset(cut, 'x', sizeof cut);
    write_file("bad", cut, 4097);
    refuses_file(path("bad"), "longer than 4096 bytes");
}

/* A secret that everybody knows. */
static void public_keys_are_no_secrets(void)
{
    char pem[4096], body[4096];
    size_t len = read_text("rsa.pub", pem, sizeof pem), body_len = 0;
    struct arda_token_key *key = NULL;
    CHECK_INT(arda_token_key_new(pem, len, &key, &why), BASE_ERR_CONFIG);
    refuses_ring(&(struct arda_keyring_options){.secret_file = path("rsa.pub")}, BASE_ERR_CONFIG,
                 "a key in PEM is no secret");
    const char *line = strchr(pem, '\n') + 1;
    while (*line != '-')
        body[body_len++] = *line++;
    write_file("bad", body, body_len);
    refuses_file(path("bad"), "a public key is no secret");
    unsigned char *der = NULL;
    int der_len = i2d_PUBKEY(p256, &der);
    write_file("bad", der, (size_t)der_len);
    OPENSSL_free(der);
    refuses_file(path("bad"), "a public key is no secret");
    static const char jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"abc\",\"y\":\"def\"}\n";
    write_file("bad", jwk, strlen(jwk));
    refuses_file(path("bad"), "a public key is no secret");
    static const char ssh[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample someone@host\n";
    write_file("bad", ssh, strlen(ssh));
    refuses_file(path("bad"), "a public key is no secret");
}

/* The attack: the text of the public key as the secret of an HMAC. */
static void a_public_key_never_checks_an_hmac(void)
{
    char pem[4096];
    size_t len = read_text("rsa.pub", pem, sizeof pem);
    const char *const files[] = {path("rsa.pub"), path("secret")};
    struct arda_keyring *alone = ring_of_files(files, 1), *both = ring_of_files(files, 2);
    for (size_t cut = 0; cut < 2; cut++) {
        denies(alone, by_secret(EVP_sha256(), pem, len - cut, "{\"alg\":\"HS256\"}", USUAL),
               "the algorithm is not RS256");
        denies(both, by_secret(EVP_sha256(), pem, len - cut, "{\"alg\":\"HS256\"}", USUAL),
               "the signature is wrong");
    }
    arda_keyring_free(alone);
    arda_keyring_free(both);
}

/* ---- algorithms ---- */

static void names_of_algorithms_are_exact(void)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",  "{\"alg\":\"None\"}",  "{\"alg\":\"NONE\"}", "{\"alg\":\"hs256\"}",
        "{\"alg\":\"Hs256\"}", "{\"alg\":\"rs256\"}", "{\"alg\":\"HS1\"}",  "{\"alg\":\"PS256\"}",
        "{\"alg\":\"RS512\"}", "{\"alg\":256}",       "{\"alg\":null}",     "{}",
    };
    const char *const files[] = {path("rsa.pub"), path("secret")};
    struct arda_keyring *ring = ring_of_files(files, 2);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        denies(ring, hs256(headers[i], USUAL), "the algorithm is not HS256 or RS256");
    arda_keyring_free(ring);
}

static void the_list_says_what_is_allowed(void)
{
    const char *const files[] = {path("secret"), path("rsa.pub")};
    struct arda_keyring_options options = {
        .key_files = files, .key_file_count = 2, .algorithms = "HS512,HS384"};
    struct arda_keyring *ring = ring_of(&options);
    accepts(ring, by_secret(EVP_sha384(), SECRET, 32, "{\"alg\":\"HS384\"}", USUAL));
    accepts(ring, by_secret(EVP_sha512(), SECRET, 32, "{\"alg\":\"HS512\"}", USUAL));
    denies(ring, hs256("{\"alg\":\"HS512\"}", USUAL), "the signature is wrong");
    denies(ring, hs256("{\"alg\":\"HS256\"}", USUAL), "the algorithm is not HS384 or HS512");
    denies(ring, by_rsa(rsa, "{\"alg\":\"RS256\"}", USUAL), "the algorithm is not HS384 or HS512");
    arda_keyring_free(ring);
    options.algorithms = "ES256";
    refuses_ring(&options, BASE_ERR_CONFIG, "no key is for an algorithm of --jwt-algorithms");
    static const char *const bad[] = {"", "none", "HS256,", "hs256", "HS256 RS256", "HS256, RS256"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.algorithms = bad[i];
        refuses_ring(&options, BASE_ERR_INVALID, "--jwt-algorithms: expected");
    }
}

/* ---- kid ---- */

static void a_kid_chooses_its_key_alone(void)
{
    const char *const files[] = {named("old", "secret"), named("new", "other"), path("rsa.pub")};
    struct arda_keyring *ring = ring_of_files(files, 3);
    accepts(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"old\"}", USUAL));
    accepts(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"\\u006fld\"}", USUAL));
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\"}", USUAL));
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\",\"kid\":\"unknown\"}", USUAL));
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\",\"kid\":\"\"}", USUAL));
    denies(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"new\"}", USUAL), "the signature is wrong");
    denies(ring, hs256("{\"alg\":\"HS256\"}", USUAL), "the algorithm is not RS256");
    denies(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"OLD\"}", USUAL), "the algorithm is not RS256");
    denies(ring, by_rsa(rsa, "{\"alg\":\"RS256\",\"kid\":\"old\"}", USUAL),
           "the algorithm is not HS256");
    denies(ring, hs256("{\"alg\":\"HS256\",\"kid\":5}", USUAL), "kid is no string");
    denies(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"old\",\"crit\":[\"b64\"]}", USUAL),
           "the header has a crit");
    arda_keyring_free(ring);
    ring = ring_of_files(files, 2);
    denies(ring, hs256("{\"alg\":\"HS256\"}", USUAL), "there is no key for it");
    denies(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"x\"}", USUAL), "there is no key for it");
    arda_keyring_free(ring);
}

static void keys_without_kid_are_tried_in_turn(void)
{
    const char *const files[] = {path("other"), path("rsa.pub"), path("secret")};
    struct arda_keyring *ring = ring_of_files(files, 3);
    accepts(ring, hs256("{\"alg\":\"HS256\"}", USUAL));
    accepts(ring, by_secret(EVP_sha256(), OTHER, strlen(OTHER), "{\"alg\":\"HS256\"}", USUAL));
    denies(ring, by_secret(EVP_sha256(), OTHER, 32, "{\"alg\":\"HS256\"}", USUAL),
           "the signature is wrong");
    arda_keyring_free(ring);
}

static void sixteen_keys_and_no_kid_twice(void)
{
    const char *files[18];
    char kid[200];
    for (int i = 0; i < 18; i++) {
        snprintf(kid, sizeof kid, "k%d", i);
        files[i] = named(kid, "secret");
    }
    struct arda_keyring_options options = {.key_files = files, .key_file_count = 16};
    struct arda_keyring *ring = ring_of(&options);
    accepts(ring, hs256("{\"alg\":\"HS256\",\"kid\":\"k15\"}", USUAL));
    arda_keyring_free(ring);
    options.secret_file = path("other");
    refuses_ring(&options, BASE_ERR_CONFIG, "more than 16 keys");
    options.secret_file = NULL;
    options.key_file_count = 17;
    refuses_ring(&options, BASE_ERR_CONFIG, "more than 16 keys");
    const char *const twice[] = {named("a", "secret"), named("b", "other"), named("a", "rsa.pub")};
    options = (struct arda_keyring_options){.key_files = twice, .key_file_count = 3};
    refuses_ring(&options, BASE_ERR_CONFIG, "a second key of this kid");
    memset(kid, 'k', 129);
    kid[129] = '\0';
    files[0] = named(kid, "secret");
    refuses_file(files[0], "longer than 128 bytes");
}

/* ---- what else is asked ---- */

static void issuer_and_audience(void)
{
    const char *const files[] = {path("secret")};
    struct arda_keyring *ring = ring_of(&(struct arda_keyring_options){
        .key_files = files, .key_file_count = 1, .issuer = "arda", .audience = "web"});
    const char *const hs = "{\"alg\":\"HS256\"}";
    accepts(ring, hs256(hs, "{" IDS ",\"iss\":\"arda\",\"aud\":\"web\"}"));
    accepts(ring, hs256(hs, "{" IDS ",\"iss\":\"arda\",\"aud\":[\"api\",5,\"w\\u0065b\"]}"));
    static const char *const auds[] = {"",
                                       ",\"aud\":\"Web\"",
                                       ",\"aud\":[]",
                                       ",\"aud\":5",
                                       ",\"aud\":[\"api\"]",
                                       ",\"aud\":[[\"web\"]]",
                                       ",\"aud\":{\"web\":1}"};
    char payload[256];
    for (size_t i = 0; i < sizeof auds / sizeof auds[0]; i++) {
        snprintf(payload, sizeof payload, "{" IDS ",\"iss\":\"arda\"%s}", auds[i]);
        denies(ring, hs256(hs, payload), "aud is not the audience");
    }
    static const char *const isss[] = {"", ",\"iss\":\"ard\"", ",\"iss\":[\"arda\"]",
                                       ",\"iss\":null", ",\"iss\":\"arda2\""};
    for (size_t i = 0; i < sizeof isss / sizeof isss[0]; i++) {
        snprintf(payload, sizeof payload, "{" IDS ",\"aud\":\"web\"%s}", isss[i]);
        denies(ring, hs256(hs, payload), "iss is not the issuer");
    }
    arda_keyring_free(ring);
    ring = ring_of_files(files, 1);
    accepts(ring, hs256(hs, "{" IDS ",\"iss\":5,\"aud\":null}"));
    arda_keyring_free(ring);
    refuses_ring(
        &(struct arda_keyring_options){.key_files = files, .key_file_count = 1, .issuer = ""},
        BASE_ERR_INVALID, "--jwt-issuer: expected a name");
    refuses_ring(
        &(struct arda_keyring_options){.key_files = files, .key_file_count = 1, .audience = ""},
        BASE_ERR_INVALID, "--jwt-audience: expected a name");
}

static void leeway_moves_both_ends(void)
{
    const char *const files[] = {path("secret")}, *const hs = "{\"alg\":\"HS256\"}";
    struct arda_keyring *ring = ring_of(&(struct arda_keyring_options){
        .key_files = files, .key_file_count = 1, .leeway_ms = 30000});
    char payload[128];
    snprintf(payload, sizeof payload, "{" IDS ",\"exp\":%d}", NOW_S - 29);
    accepts(ring, hs256(hs, payload));
    CHECK(claims.expires_ms == (NOW_S - 29) * 1000LL);
    snprintf(payload, sizeof payload, "{" IDS ",\"exp\":%d}", NOW_S - 30);
    denies(ring, hs256(hs, payload), "expired 30 s ago");
    snprintf(payload, sizeof payload, "{" IDS ",\"nbf\":%d}", NOW_S + 30);
    accepts(ring, hs256(hs, payload));
    snprintf(payload, sizeof payload, "{" IDS ",\"nbf\":%d}", NOW_S + 31);
    denies(ring, hs256(hs, payload), "not valid for another 31 s");
    arda_keyring_free(ring);
}

static void an_end_can_be_asked_for(void)
{
    const char *const files[] = {path("secret")}, *const hs = "{\"alg\":\"HS256\"}";
    struct arda_keyring *ring = ring_of(&(struct arda_keyring_options){
        .key_files = files, .key_file_count = 1, .leeway_ms = 30000, .require_exp = true});
    char payload[128];
    snprintf(payload, sizeof payload, "{" IDS ",\"exp\":%d}", NOW_S - 29);
    accepts(ring, hs256(hs, payload));
    denies(ring, hs256(hs, USUAL), "it has no exp");
    denies(ring, hs256(hs, "{" IDS ",\"exp\":null}"), "exp is no time");
    denies(ring, hs256(hs, "{" IDS ",\"exp\":1e400}"), "exp is no time");
    denies(ring, hs256(hs, "{" IDS ",\"exp\":\"never\"}"), "exp is no time");
    arda_keyring_free(ring);
}

/* ---- minting ---- */

static const struct arda_token_request request = {
    .user = "u1", .tenant = "t1", .issued_s = NOW_S, .expires_s = NOW_S + 60};

static struct base_buf mint(const struct arda_keyring *ring, const char *algorithm)
{
    struct base_buf token = BASE_BUF_INIT;
    CHECK_INT(arda_keyring_mint(ring, algorithm, &request, &token, &why), 0);
    return token;
}

static void mints_what_public_keys_verify(void)
{
    const char *const signing[] = {named("r", "rsa.key"), named("e", "p256.key"), path("secret")};
    const char *const public[] = {named("r", "rsa.pub"), named("e", "p256.pub"), path("secret")};
    const char *const algorithms[] = {NULL, "RS256", "ES256", "HS256", "HS384", "HS512"};
    struct arda_keyring *signer = ring_of(&(struct arda_keyring_options){
        .key_files = signing, .key_file_count = 3, .allow_private_keys = true});
    struct arda_keyring *ring = ring_of(&(struct arda_keyring_options){
        .key_files = public, .key_file_count = 3, .algorithms = "HS256,HS384,HS512,RS256,ES256"});
    for (size_t i = 0; i < 6; i++) {
        struct base_buf header = BASE_BUF_INIT, payload = BASE_BUF_INIT;
        struct base_buf token = mint(signer, algorithms[i]);
        CHECK_INT(arda_token_decode(token.data, token.len, &header, &payload, NULL), 0);
        CHECK(memmem(header.data, header.len, i ? algorithms[i] : "RS256", 5) != NULL);
        CHECK((memmem(header.data, header.len, "\"kid\"", 5) != NULL) == (i < 3));
        accepts(ring, token);
        base_buf_fini(&header);
        base_buf_fini(&payload);
    }
    struct base_buf token = BASE_BUF_INIT;
    CHECK_INT(arda_keyring_mint(ring, "RS256", &request, &token, &why), BASE_ERR_CONFIG);
    CHECK_STR(why.text, "no key that could sign by RS256");
    CHECK_INT(arda_keyring_mint(signer, "none", &request, &token, &why), BASE_ERR_INVALID);
    CHECK_INT(token.len, 0);
    arda_keyring_free(signer);
    arda_keyring_free(ring);
}

/* ---- memory ---- */

static void survives_every_failing_allocation(void)
{
    const char *const files[] = {named("r", "rsa.pub"), path("secret")};
    const struct arda_keyring_options options = {
        .key_files = files, .key_file_count = 2, .issuer = "i", .audience = "a"};
    struct arda_keyring *ring = NULL;
    int result = BASE_ERR_NOMEM;
    long n = 0;
    while (result == BASE_ERR_NOMEM && n < 100) {
        base_mem_fail(++n, 1);
        result = arda_keyring_new(&options, &ring, &why);
        base_mem_fail(0, 0);
    }
    CHECK_INT(result, 0);
    CHECK(n > 5);
    arda_keyring_free(ring);
    arda_keyring_free(NULL);
}

static void without_keys_there_is_none(void)
{
    refuses_ring(&(struct arda_keyring_options){0}, BASE_ERR_NOTFOUND, "no key: set JWT_SECRET");
    setenv("JWT_SECRET", SECRET, 1);
    struct arda_keyring *ring = ring_of(&(struct arda_keyring_options){0});
    accepts(ring, hs256("{\"alg\":\"HS256\"}", USUAL));
    arda_keyring_free(ring);
    const char *const files[] = {path("rsa.pub")};
    ring = ring_of_files(files, 1);
    accepts(ring, hs256("{\"alg\":\"HS256\"}", USUAL));
    accepts(ring, by_rsa(rsa, "{\"alg\":\"RS256\"}", USUAL));
    arda_keyring_free(ring);
    unsetenv("JWT_SECRET");
}

static void make_files(void)
{
    rsa = EVP_RSA_gen(2048);
    rsa_small = EVP_RSA_gen(1024);
    p256 = EVP_EC_gen("P-256");
    p384 = EVP_EC_gen("P-384");
    ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    write_pem("rsa.pub", rsa, false);
    write_pem("rsa.key", rsa, true);
    write_pem("small.pub", rsa_small, false);
    write_pem("p256.pub", p256, false);
    write_pem("p256.key", p256, true);
    write_pem("p384.pub", p384, false);
    write_pem("ed25519.pub", ed25519, false);
    write_file("secret", SECRET "\n", strlen(SECRET) + 1);
    write_file("other", OTHER, strlen(OTHER));
}

static void remove_files(void)
{
    static const char *const names[] = {"rsa.pub",  "rsa.key",  "small.pub",   "p256.pub", "bad",
                                        "p256.key", "p384.pub", "ed25519.pub", "secret",   "other"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path(names[i]));
    rmdir(folder);
    EVP_PKEY *const keys[] = {rsa, rsa_small, p256, p384, ed25519};
    for (size_t i = 0; i < 5; i++)
        EVP_PKEY_free(keys[i]);
}

int main(void)
{
    unsetenv("JWT_SECRET");
    unsetenv("ARDA_JWT_SECRET");
    base_clock_replace(NULL, fixed_wall_ms);
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    make_files();
    RUN(each_kind_has_its_usual_algorithm);
    RUN(other_keys_are_refused_and_named);
    RUN(what_is_broken_is_refused);
    RUN(public_keys_are_no_secrets);
    RUN(a_public_key_never_checks_an_hmac);
    RUN(names_of_algorithms_are_exact);
    RUN(the_list_says_what_is_allowed);
    RUN(a_kid_chooses_its_key_alone);
    RUN(keys_without_kid_are_tried_in_turn);
    RUN(sixteen_keys_and_no_kid_twice);
    RUN(issuer_and_audience);
    RUN(leeway_moves_both_ends);
    RUN(an_end_can_be_asked_for);
    RUN(mints_what_public_keys_verify);
    RUN(survives_every_failing_allocation);
    RUN(without_keys_there_is_none);
    remove_files();
    return test_end();
}
