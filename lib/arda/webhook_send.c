/* SPDX-License-Identifier: ISC
 *
 * An address is judged where libcurl opens the socket, so it is the one that is connected to: what
 * a name resolved to before does not matter, nor how an address is spelled. A connection that is
 * used again was judged when it was opened.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "arda/webhook_send.h"

#include "arda/curl_loop.h"
#include "arda/text.h"
#include "arda/webhook_guard.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define HEADER_MAX 512
#define HOST_MAX   200 /* bytes of a host name that a text shows */
#define START_MAX  512 /* bytes of a body that an excerpt is made of */

struct arda_webhook_sender {
    struct arda_curl *curl;
    struct arda_webhook_sender_options options;
    size_t attempts;
};

struct arda_webhook_attempt {
    struct arda_webhook_sender *sender;
    struct arda_transfer *transfer;
    struct curl_slist *headers;
    void (*done)(void *data, const struct arda_webhook_result *result);
    void *data;
    uint64_t began_us;
    const char *bad_url; /* what is wrong with it; NULL: nothing */
    char host[HOST_MAX + 1];
    const char *refused; /* what an address was that is not allowed */
    bool opened;         /* a socket to one that is */
    size_t head_bytes;   /* so far */
    size_t body_bytes;
    char start[START_MAX]; /* of the body */
    size_t start_len;
};

/* ---- the result ---- */

static enum arda_webhook_outcome outcome_of(long status)
{
    switch (status) {
    case 410: return ARDA_WEBHOOK_GONE;
    case 429:
    case 502:
    case 504: return ARDA_WEBHOOK_SLOW_DOWN;
    case 408:
    case 425: return ARDA_WEBHOOK_RETRY;
    default: break;
    }
    if (status < 300)
        return ARDA_WEBHOOK_DELIVERED;
    return status >= 500 && status < 600 ? ARDA_WEBHOOK_RETRY : ARDA_WEBHOOK_FINAL;
}

static void judge_answer(const struct arda_webhook_attempt *attempt, long status,
                         struct arda_webhook_result *result)
{
    char excerpt[ARDA_WEBHOOK_EXCERPT_MAX + 1];
    curl_off_t wait_s = 0;
    CURL *easy = arda_transfer_easy(attempt->transfer);
    result->outcome = outcome_of(status);
    result->status = (int)status;
    arda_text_excerpt(excerpt, sizeof excerpt, attempt->start, attempt->start_len);
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
    result->outcome = ARDA_WEBHOOK_FINAL;
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
    result->outcome = ARDA_WEBHOOK_RETRY;
    arda_text_excerpt(line, sizeof line, text, strlen(text));
    snprintf(result->text, sizeof result->text, "%s", line[0] ? line : "no answer");
}

static void free_attempt(struct arda_webhook_attempt *attempt)
{
    arda_transfer_free(attempt->transfer); /* it borrows the headers */
    curl_slist_free_all(attempt->headers);
    attempt->sender->attempts--;
    base_free(attempt);
}

static void on_done(void *data, CURLcode code, const char *text)
{
    struct arda_webhook_attempt *attempt = data;
    struct arda_webhook_result result = {0};
    long status = 0;
    curl_easy_getinfo(arda_transfer_easy(attempt->transfer), CURLINFO_RESPONSE_CODE, &status);
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

/* ---- what libcurl asks ---- */

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct arda_webhook_attempt *attempt = data;
    const struct arda_webhook_sender_options *options = &attempt->sender->options;
    const char *what =
        purpose == CURLSOCKTYPE_IPCXN
            ? arda_webhook_guard(&address->addr, options->allowed, options->allowed_count)
            : "no connection to a receiver";
    if (what) {
        attempt->refused = what;
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
    bool http = url.scheme.len == 4 && strncasecmp(url.scheme.data, "http", 4) == 0;
    bool https = url.scheme.len == 5 && strncasecmp(url.scheme.data, "https", 5) == 0;
    if (!http && !https)
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

static int make_transfer(struct arda_webhook_attempt *attempt,
                         const struct arda_webhook_request *request)
{
    struct arda_transfer_options options = {
        .protocols = "http,https", .done = on_done, .data = attempt};
    int failed = arda_transfer_new(attempt->sender->curl, &options, &attempt->transfer);
    if (failed)
        return failed;
    CURL *easy = arda_transfer_easy(attempt->transfer);
    int64_t timeout_ms = attempt->sender->options.timeout_ms;
    /* libcurl guesses where something is missing; an empty URL fails for certain, and later. */
    const char *url = attempt->bad_url ? "" : request->url;
    const char *body = request->body.len > 0 ? request->body.data : "";
    bool set = curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) ==
                   CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HTTPHEADER, attempt->headers) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_USERAGENT, "Arda/" PACKAGE_VERSION) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, attempt) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt) == CURLE_OK;
    return set ? BASE_OK : BASE_ERR_NOMEM;
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
    sender->attempts++;
    int failed = make_headers(attempt, request);
    if (!failed)
        failed = make_transfer(attempt, request);
    if (!failed)
        failed = arda_transfer_start(attempt->transfer);
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

int arda_webhook_sender_new(const struct arda_webhook_sender_options *options,
                            struct arda_webhook_sender **out)
{
    struct arda_webhook_sender *sender = base_calloc(1, sizeof *sender);
    if (!sender)
        return BASE_ERR_NOMEM;
    int failed = arda_curl_new(options->loop, &sender->curl);
    if (failed) {
        base_free(sender);
        return failed;
    }
    sender->options = *options;
    if (sender->options.timeout_ms == 0)
        sender->options.timeout_ms = ARDA_WEBHOOK_TIMEOUT_MS;
    *out = sender;
    return BASE_OK;
}

void arda_webhook_sender_close(struct arda_webhook_sender *sender)
{
    if (!sender)
        return;
    base_assert(sender->attempts == 0);
    arda_curl_close(sender->curl);
    base_free(sender);
}
