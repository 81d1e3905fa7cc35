/* SPDX-License-Identifier: ISC
 *
 * An address is judged where libcurl opens the socket, so it is the one that is connected to: what
 * a name resolved to before does not matter, nor how an address is spelled. A connection that is
 * used again was judged when it was opened.
 *
 * Under a proxy an attempt has two transfers. The first looks: libcurl resolves the name, and would
 * connect, but is given no socket; what it would have connected to is judged. The second goes
 * through the proxy to the address that was found.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "arda/webhook/send.h"

#include "arda/webhook/guard.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "http/curl_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define HEADER_MAX 512
#define HOST_MAX   200 /* bytes of a host name that a text shows */
#define START_MAX  512 /* bytes of a body that an excerpt is made of */
#define FOUND_MAX  64

struct arda_webhook_sender {
    struct http_curl *curl;
    struct arda_webhook_sender_options options;
    bool trusts_more; /* there are authorities of one's own */
    size_t attempts;
};

struct arda_webhook_attempt {
    struct arda_webhook_sender *sender;
    struct http_transfer *transfer;
    struct curl_slist *headers;
    void (*done)(void *data, const struct arda_webhook_result *result);
    void *data;
    uint64_t began_us;
    const char *bad_url; /* what is wrong with it; NULL: nothing */
    char host[HOST_MAX + 1];
    const char *refused;   /* what an address was that is not allowed */
    bool opened;           /* a socket to one that is */
    bool looking;          /* for an address, under a proxy */
    char found[FOUND_MAX]; /* the address, as CURLOPT_CONNECT_TO takes it; empty: none yet */
    struct curl_slist *connect_to;
    char *url; /* for the second transfer */
    struct base_slice body;
    size_t head_bytes; /* so far */
    size_t body_bytes;
    char start[START_MAX]; /* of the body */
    size_t start_len;
};

/* ---- the result ---- */

static enum arda_outcome outcome_of(long status)
{
    switch (status) {
    case 410: return ARDA_OUTCOME_GONE;
    case 429:
    case 502:
    case 504: return ARDA_OUTCOME_SLOW_DOWN;
    case 408:
    case 425: return ARDA_OUTCOME_RETRY;
    default: break;
    }
    if (status < 300)
        return ARDA_OUTCOME_DONE;
    return status >= 500 && status < 600 ? ARDA_OUTCOME_RETRY : ARDA_OUTCOME_FAILED;
}

static void judge_answer(const struct arda_webhook_attempt *attempt, long status,
                         struct arda_webhook_result *result)
{
    char excerpt[ARDA_WEBHOOK_EXCERPT_MAX + 1];
    curl_off_t wait_s = 0;
    CURL *easy = http_transfer_easy(attempt->transfer);
    result->outcome = outcome_of(status);
    result->status = (int)status;
    base_text_excerpt(excerpt, sizeof excerpt, attempt->start, attempt->start_len);
    const char *about = status >= 300 && status < 400 ? ", redirects are not followed" : "";
    snprintf(result->text, sizeof result->text, "HTTP %ld%s%s%s", status, about,
             excerpt[0] ? ": " : "", excerpt);
    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait_s) != CURLE_OK || wait_s <= 0)
        return;
    bool more = wait_s > ARDA_WEBHOOK_RETRY_AFTER_MS / 1000;
    result->retry_after_ms = more ? ARDA_WEBHOOK_RETRY_AFTER_MS : (int64_t)wait_s * 1000;
}

static void judge_failure(const struct arda_webhook_attempt *attempt, CURLcode code,
                          const char *text, struct arda_webhook_result *result)
{
    char line[ARDA_WEBHOOK_EXCERPT_MAX + 1];
    result->outcome = ARDA_OUTCOME_FAILED;
    if (attempt->bad_url || code == CURLE_URL_MALFORMAT) {
        snprintf(result->text, sizeof result->text, "bad URL: %s",
                 attempt->bad_url ? attempt->bad_url : "malformed");
        return;
    }
    if (attempt->refused && !attempt->opened) {
        snprintf(result->text, sizeof result->text, "not sent to %s: it is %s", attempt->host,
                 attempt->refused);
        return;
    }
    result->outcome = ARDA_OUTCOME_RETRY;
    base_text_excerpt(line, sizeof line, text, strlen(text));
    snprintf(result->text, sizeof result->text, "%s", line[0] ? line : "no answer");
}

static void free_attempt(struct arda_webhook_attempt *attempt)
{
    http_transfer_free(attempt->transfer); /* it borrows the headers */
    curl_slist_free_all(attempt->headers);
    curl_slist_free_all(attempt->connect_to);
    base_free(attempt->url);
    attempt->sender->attempts--;
    base_free(attempt);
}

static int go_through_proxy(struct arda_webhook_attempt *attempt);

static void end(struct arda_webhook_attempt *attempt, CURLcode code, const char *text)
{
    struct arda_webhook_result result = {0};
    long status = 0;
    if (!attempt->looking)
        curl_easy_getinfo(http_transfer_easy(attempt->transfer), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200)
        judge_answer(attempt, status, &result);
    else
        judge_failure(attempt, code, text, &result);
    result.duration_ms = (int64_t)((base_clock_mono_us() - attempt->began_us) / 1000);
    void (*done)(void *, const struct arda_webhook_result *) = attempt->done;
    void *user = attempt->data;
    free_attempt(attempt);
    done(user, &result);
}

static void on_done(void *data, CURLcode code, const char *text)
{
    struct arda_webhook_attempt *attempt = data;
    if (attempt->looking && attempt->found[0]) {
        int failed = go_through_proxy(attempt);
        if (!failed)
            return;
        code = CURLE_OUT_OF_MEMORY;
        text = base_err_text(failed);
    }
    end(attempt, code, text);
}

/* ---- what libcurl asks ---- */

/* The first that is allowed is kept, as what to connect to in place of any host. */
static void keep_found(struct arda_webhook_attempt *attempt, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    bool v6 = address->sa_family == AF_INET6;
    const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                           : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (!attempt->found[0] && inet_ntop(address->sa_family, bytes, text, sizeof text))
        snprintf(attempt->found, sizeof attempt->found, v6 ? "::[%s]:" : "::%s:", text);
}

/* Whether the address may be used; under a proxy the connection is the proxy's. */
static bool is_allowed(struct arda_webhook_attempt *attempt, curlsocktype purpose,
                       const struct sockaddr *address)
{
    const struct arda_webhook_sender_options *options = &attempt->sender->options;
    if (options->proxy && !attempt->looking)
        return true;
    const char *what = purpose == CURLSOCKTYPE_IPCXN
                           ? arda_webhook_guard(address, options->allowed, options->allowed_count)
                           : "no connection to a receiver";
    if (what)
        attempt->refused = what;
    return !what;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct arda_webhook_attempt *attempt = data;
    if (!is_allowed(attempt, purpose, &address->addr))
        return CURL_SOCKET_BAD;
    if (attempt->looking) {
        keep_found(attempt, &address->addr);
        return CURL_SOCKET_BAD;
    }
    attempt->opened = true;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* Less than what came breaks the transfer off. */
static size_t on_head(char *bytes, size_t size, size_t count, void *data)
{
    struct arda_webhook_attempt *attempt = data;
    (void)bytes;
    attempt->head_bytes += size * count;
    return attempt->head_bytes > ARDA_WEBHOOK_HEAD_MAX ? 0 : size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct arda_webhook_attempt *attempt = data;
    size_t len = size * count, room = START_MAX - attempt->start_len;
    size_t kept = len < room ? len : room;
    memcpy(attempt->start + attempt->start_len, bytes, kept);
    attempt->start_len += kept;
    attempt->body_bytes += len;
    return attempt->body_bytes > ARDA_WEBHOOK_BODY_MAX ? 0 : len;
}

/* ---- the request ---- */

/* A user and a password are none of what a webhook needs; without them no text can tell them. */
static const char *check_url(const char *text, char host[static HOST_MAX + 1])
{
    struct base_url url;
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~')
            return "a character that a URL cannot have";
    if (base_url_parse(text, &url, NULL) < 0 || url.host.len == 0)
        return "expected http://HOST or https://HOST";
    if (!base_url_has_scheme(&url, "http") && !base_url_has_scheme(&url, "https"))
        return "neither http nor https";
    if (url.user.data)
        return "it has a user or a password";
    size_t len = url.host.len < HOST_MAX ? url.host.len : HOST_MAX;
    memcpy(host, url.host.data, len);
    host[len] = '\0';
    return NULL;
}

static bool is_id(struct base_slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '.')
            return false;
    return id.len > 0 && id.len <= ARDA_WEBHOOK_ID_MAX;
}

/* False when memory is short. */
__attribute__((format(printf, 2, 3))) static bool add_header(struct arda_webhook_attempt *attempt,
                                                             const char *format, ...)
{
    char text[HEADER_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_assert(len >= 0 && (size_t)len < sizeof text);
    struct curl_slist *longer = curl_slist_append(attempt->headers, text);
    if (longer)
        attempt->headers = longer;
    return longer != NULL;
}

static int make_headers(struct arda_webhook_attempt *attempt,
                        const struct arda_webhook_request *request)
{
    struct arda_webhook_content content = {request->id, base_clock_wall_ms() / 1000, request->body};
    struct base_buf signature = BASE_BUF_INIT;
    int failed = arda_webhook_sign(&signature, &content, request->keys, request->key_count);
    const char *text = failed ? NULL : base_buf_cstr(&signature);
    if (!failed) {
        /* The last one takes away "Expect: 100-continue", which not all receivers know. */
        bool added =
            text &&
            add_header(attempt, "webhook-id: %.*s", (int)request->id.len, request->id.data) &&
            add_header(attempt, "webhook-timestamp: %lld", (long long)content.timestamp_s) &&
            add_header(attempt, "webhook-signature: %s", text) &&
            add_header(attempt, "content-type: application/json") && add_header(attempt, "expect:");
        failed = added ? BASE_OK : BASE_ERR_NOMEM;
    }
    base_buf_fini(&signature);
    return failed;
}

/* Called for each connection; it reads what is trusted now. */
static CURLcode add_authorities(CURL *easy, void *ssl_ctx, void *data)
{
    const struct arda_webhook_sender *sender = data;
    (void)easy;
    return !sender->options.ca || base_ca_add(sender->options.ca, ssl_ctx) ? CURLE_OK
                                                                           : CURLE_OUT_OF_MEMORY;
}

/* The store that libcurl would keep for later connections would keep our authorities, too. */
static bool set_authorities(CURL *easy, struct arda_webhook_sender *sender)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    if (curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) != CURLE_OK)
        return false;
#endif
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, sender) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, add_authorities) == CURLE_OK;
}

/* A proxy is one for all hosts, whatever the environment says, and gets a tunnel for each, since
 * CURLOPT_CONNECT_TO asks for one. What it answers to that is no answer of the receiver. */
static bool set_proxy(CURL *easy, const struct arda_webhook_attempt *attempt)
{
    return curl_easy_setopt(easy, CURLOPT_PROXY, attempt->sender->options.proxy) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECT_TO, attempt->connect_to) == CURLE_OK;
}

static bool set_request(CURL *easy, struct arda_webhook_attempt *attempt)
{
    /* libcurl guesses where something is missing; an empty URL fails for certain, and later. */
    const char *url = attempt->bad_url ? "" : attempt->url;
    const char *body = attempt->body.len > 0 ? attempt->body.data : "";
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)attempt->body.len) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, attempt->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "Arda/" PACKAGE_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
}

static bool set_watchers(CURL *easy, struct arda_webhook_attempt *attempt)
{
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, attempt) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt) == CURLE_OK;
}

/* What is left of the time of the attempt; a transfer has a millisecond at least, 0 would mean for
 * ever. */
static long time_left(const struct arda_webhook_attempt *attempt)
{
    int64_t taken_ms = (int64_t)((base_clock_mono_us() - attempt->began_us) / 1000);
    int64_t left_ms = attempt->sender->options.timeout_ms - taken_ms;
    return left_ms > 0 ? (long)left_ms : 1;
}

static int make_transfer(struct arda_webhook_attempt *attempt)
{
    struct arda_webhook_sender *sender = attempt->sender;
    struct http_transfer_options options = {
        .protocols = "http,https", .done = on_done, .data = attempt};
    int failed = http_transfer_new(sender->curl, &options, &attempt->transfer);
    if (failed)
        return failed;
    CURL *easy = http_transfer_easy(attempt->transfer);
    bool set = set_request(easy, attempt) && set_watchers(easy, attempt) &&
               curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, time_left(attempt)) == CURLE_OK &&
               (!sender->trusts_more || set_authorities(easy, sender)) &&
               (!sender->options.proxy || attempt->looking || set_proxy(easy, attempt));
    return set ? BASE_OK : BASE_ERR_NOMEM;
}

/* The transfer that has looked has ended. Where the second cannot begin, the attempt ends as one
 * that has failed. */
static int go_through_proxy(struct arda_webhook_attempt *attempt)
{
    http_transfer_free(attempt->transfer);
    attempt->transfer = NULL;
    attempt->looking = false;
    attempt->refused = NULL; /* another address than that which was found */
    attempt->connect_to = curl_slist_append(NULL, attempt->found);
    int failed = attempt->connect_to ? make_transfer(attempt) : BASE_ERR_NOMEM;
    if (!failed)
        failed = http_transfer_start(attempt->transfer);
    attempt->looking = failed != BASE_OK; /* no answer is to be looked for */
    return failed;
}

int arda_webhook_send(struct arda_webhook_sender *sender,
                      const struct arda_webhook_request *request, struct arda_webhook_attempt **out)
{
    if (!is_id(request->id))
        return BASE_ERR_INVALID;
    struct arda_webhook_attempt *attempt = base_calloc(1, sizeof *attempt);
    if (!attempt)
        return BASE_ERR_NOMEM;
    attempt->sender = sender;
    attempt->done = request->done;
    attempt->data = request->data;
    attempt->began_us = base_clock_mono_us();
    attempt->bad_url = check_url(request->url, attempt->host);
    attempt->looking = sender->options.proxy != NULL;
    attempt->body = request->body;
    attempt->url = base_strdup(request->url);
    sender->attempts++;
    int failed = attempt->url ? make_headers(attempt, request) : BASE_ERR_NOMEM;
    if (!failed)
        failed = make_transfer(attempt);
    if (!failed)
        failed = http_transfer_start(attempt->transfer);
    if (failed) {
        free_attempt(attempt);
        return failed;
    }
    *out = attempt;
    return BASE_OK;
}

void arda_webhook_cancel(struct arda_webhook_attempt *attempt)
{
    if (attempt)
        free_attempt(attempt);
}

/* ---- senders ---- */

/* Only OpenSSL's context can be added to. */
static bool has_openssl(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return info->ssl_version && strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
}

int arda_webhook_sender_new(const struct arda_webhook_sender_options *options,
                            struct arda_webhook_sender **out)
{
    struct arda_webhook_sender *sender = base_calloc(1, sizeof *sender);
    if (!sender)
        return BASE_ERR_NOMEM;
    int failed = options->ca && !has_openssl() ? BASE_ERR_CONFIG
                                               : http_curl_new(options->loop, &sender->curl);
    if (failed) {
        base_free(sender);
        return failed;
    }
    sender->options = *options;
    sender->trusts_more = options->ca != NULL;
    if (sender->options.timeout_ms == 0)
        sender->options.timeout_ms = ARDA_WEBHOOK_TIMEOUT_MS;
    *out = sender;
    return BASE_OK;
}

void arda_webhook_sender_set_ca(struct arda_webhook_sender *sender, const struct base_ca *ca)
{
    sender->options.ca = ca;
    sender->trusts_more = ca != NULL;
}

void arda_webhook_sender_close(struct arda_webhook_sender *sender)
{
    if (!sender)
        return;
    base_assert(sender->attempts == 0);
    http_curl_close(sender->curl);
    base_free(sender);
}
