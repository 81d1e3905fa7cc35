/* SPDX-License-Identifier: ISC
 *
 * libcurl leads the dialogue; what it shows of it says which command the relay has refused, and
 * how. An answer counts until the next command: what ends an attempt is the answer to the last
 * command, or else what libcurl says.
 */
#include "arda/mail/transfer.h"

#include "arda/mail/message.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* What was said last to the relay: command, name. From `MAIL FROM` on it is about the message. No
 * part of a log-in looks like a command: it is base64, and of these two, which would do, none that
 * a user or a password without control characters gives. */
#define STAGE_MAP(X)                                                                               \
    X(STAGE_CONNECT, NULL, "the connection")                                                       \
    X(STAGE_EHLO, "EHLO ", "EHLO")                                                                 \
    X(STAGE_HELO, "HELO ", "HELO")                                                                 \
    X(STAGE_STARTTLS, "STARTTLS\r", "STARTTLS")                                                    \
    X(STAGE_AUTH, "AUTH ", "AUTH")                                                                 \
    X(STAGE_MAIL, "MAIL ", "MAIL FROM")                                                            \
    X(STAGE_RCPT, "RCPT ", "RCPT TO")                                                              \
    X(STAGE_DATA, "DATA\r", "DATA")                                                                \
    X(STAGE_CONTENT, NULL, "the message")

enum stage {
#define STAGE_ENUM_(stage, command, name) stage,
    STAGE_MAP(STAGE_ENUM_)
#undef STAGE_ENUM_
        STAGES
};

/* A connection knows what the relay has offered when it was made: EHLO is sent once. */
struct arda_mail_handle {
    CURL *easy;
    bool offers_utf8;
};

/* ---- the dialogue ---- */

static void on_command(struct arda_mail_transfer *transfer, const char *bytes, size_t len)
{
    static const char *const commands[STAGES] = {
#define STAGE_COMMAND_(stage, command, name) command,
        STAGE_MAP(STAGE_COMMAND_)
#undef STAGE_COMMAND_
    };
    transfer->over = len >= 5 && strncasecmp(bytes, "QUIT\r", 5) == 0;
    if (transfer->over) /* what was refused is known */
        return;
    for (int stage = 0; stage < STAGES; stage++) {
        const char *command = commands[stage];
        if (!command || len < strlen(command) || strncasecmp(bytes, command, strlen(command)) != 0)
            continue;
        transfer->stage = stage;
        if (stage == STAGE_EHLO || stage == STAGE_HELO)
            transfer->handle->offers_utf8 = false; /* the answer tells */
    }
    transfer->code = 0;
    transfer->reply_len = 0;
}

/* An extension is a keyword, with parameters perhaps (RFC 5321 section 4.1.1.1). */
static bool is_keyword(const char *text, size_t len, const char *keyword)
{
    size_t end = strlen(keyword);
    return len >= end && strncasecmp(text, keyword, end) == 0 &&
           (len == end || strchr(" \r\n", text[end]));
}

/* One line of an answer, `550-text` or, the last one, `550 text`. */
static void on_reply(struct arda_mail_transfer *transfer, const char *bytes, size_t len)
{
    int code = 0;
    if (transfer->over)
        return;
    if (transfer->code > 0) { /* another one */
        transfer->code = 0;
        transfer->reply_len = 0;
    }
    for (size_t i = 0; i < 3; i++) {
        if (i >= len || bytes[i] < '0' || bytes[i] > '9')
            return;
        code = code * 10 + (bytes[i] - '0');
    }
    bool last = len == 3 || bytes[3] != '-';
    if (transfer->stage == STAGE_EHLO && len > 4 && is_keyword(bytes + 4, len - 4, "SMTPUTF8"))
        transfer->handle->offers_utf8 = true;
    size_t skipped = len > 3 ? 4 : 3, room = sizeof transfer->reply - transfer->reply_len;
    size_t kept = len - skipped < room ? len - skipped : room;
    memcpy(transfer->reply + transfer->reply_len, bytes + skipped, kept);
    transfer->reply_len += kept;
    if (!last)
        return;
    transfer->code = code;
    if (transfer->stage == STAGE_DATA && code == 354) {
        transfer->stage = STAGE_CONTENT;
        transfer->code = 0;
        transfer->reply_len = 0;
    }
}

static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t len, void *data)
{
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        on_command(data, bytes, len);
    else if (type == CURLINFO_HEADER_IN)
        on_reply(data, bytes, len);
    return 0;
}

static size_t on_nothing(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    (void)data;
    return size * count;
}

/* True: libcurl is to give up. It asks at least once a second, also while it says good-bye. */
static int on_progress(void *data, curl_off_t down, curl_off_t downloaded, curl_off_t up,
                       curl_off_t uploaded)
{
    struct arda_mail_transfer *transfer = data;
    (void)down;
    (void)downloaded;
    (void)up;
    (void)uploaded;
    int64_t taken_ms = (int64_t)((base_clock_mono_us() - transfer->began_us) / 1000);
    return atomic_load(&transfer->cancelled) || taken_ms > transfer->way->timeout_ms;
}

/* ---- the message ---- */

/* Of one transfer; libcurl borrows it. */
struct parts {
    struct curl_slist *headers, *recipients;
    curl_mime *mime;
};

/* False when memory is short; so do the functions below. */
static bool add_text(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_headers(struct parts *parts, const struct base_buf *headers)
{
    const char *header = NULL;
    while ((header = arda_mail_headers_next(headers, header)))
        if (!add_text(&parts->headers, header))
            return false;
    return add_text(&parts->headers, "MIME-Version: 1.0") &&
           add_text(&parts->headers, "Content-Type: multipart/alternative");
}

static bool add_part(struct parts *parts, const struct base_buf *text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(parts->mime);
    return part && curl_mime_data(part, text->len > 0 ? text->data : "", text->len) == CURLE_OK &&
           curl_mime_type(part, type) == CURLE_OK &&
           curl_mime_encoder(part, ARDA_MAIL_ENCODING) == CURLE_OK;
}

static bool make_parts(CURL *easy, const struct arda_mail_transfer *transfer, struct parts *parts)
{
    parts->mime = curl_mime_init(easy);
    return parts->mime && add_headers(parts, &transfer->headers) &&
           add_text(&parts->recipients, transfer->to) &&
           add_part(parts, &transfer->plain, ARDA_MAIL_PLAIN_TYPE) &&
           add_part(parts, &transfer->html, ARDA_MAIL_HTML_TYPE);
}

static bool set_security(CURL *easy, const struct arda_mail_way *way)
{
    long usage = way->secure ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    const struct arda_mail_relay *relay = way->relay;
    return curl_easy_setopt(easy, CURLOPT_USE_SSL, usage) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, way->secure ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, way->secure ? 2L : 0L) == CURLE_OK &&
           (!way->ca_file || (curl_easy_setopt(easy, CURLOPT_CAINFO, way->ca_file) == CURLE_OK &&
                              curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
           (!relay->user ||
            (curl_easy_setopt(easy, CURLOPT_USERNAME, relay->user) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PASSWORD, relay->password) == CURLE_OK));
}

static bool set_watchers(CURL *easy, struct arda_mail_transfer *transfer, char *text)
{
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_nothing) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer) == CURLE_OK;
}

static bool set_way(CURL *easy, struct arda_mail_transfer *transfer, char *text)
{
    return curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_URL, transfer->way->relay->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->way->timeout_ms) ==
               CURLE_OK &&
           set_security(easy, transfer->way) && set_watchers(easy, transfer, text);
}

static bool set_message(CURL *easy, const struct arda_mail_transfer *transfer,
                        const struct parts *parts)
{
    return curl_easy_setopt(easy, CURLOPT_MAIL_FROM, transfer->from) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, parts->recipients) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, parts->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MIMEPOST, parts->mime) == CURLE_OK;
}

/* ---- a run ---- */

/* A connection, and with it what the relay offers: libcurl would hand over an address in UTF-8
 * without SMTPUTF8, too. The message then goes over the same connection. */
static CURLcode look_for_utf8(struct arda_mail_transfer *transfer, CURL *easy, char *text)
{
    if (!set_way(easy, transfer, text) ||
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "NOOP") != CURLE_OK)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_perform(easy);
    curl_easy_reset(easy);
    transfer->refused_utf8 = code == CURLE_OK && !transfer->handle->offers_utf8;
    return code;
}

static CURLcode send_message(struct arda_mail_transfer *transfer, CURL *easy, char *text)
{
    struct parts parts = {NULL, NULL, NULL};
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (make_parts(easy, transfer, &parts) && set_way(easy, transfer, text) &&
        set_message(easy, transfer, &parts))
        code = curl_easy_perform(easy);
    curl_easy_reset(easy); /* connections stay; nothing of the transfer may */
    curl_mime_free(parts.mime);
    curl_slist_free_all(parts.headers);
    curl_slist_free_all(parts.recipients);
    return code;
}

void arda_mail_transfer_run(struct arda_mail_transfer *transfer, struct arda_mail_handle *handle)
{
    char text[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_OK;
    transfer->began_us = base_clock_mono_us();
    transfer->stage = STAGE_CONNECT;
    transfer->handle = handle;
    if (transfer->utf8)
        code = look_for_utf8(transfer, handle->easy, text);
    if (code == CURLE_OK && !transfer->refused_utf8)
        code = send_message(transfer, handle->easy, text);
    int64_t taken_ms = (int64_t)((base_clock_mono_us() - transfer->began_us) / 1000);
    bool late = code == CURLE_ABORTED_BY_CALLBACK && !atomic_load(&transfer->cancelled);
    transfer->curl_code = (int)(late ? CURLE_OPERATION_TIMEDOUT : code);
    snprintf(transfer->text, sizeof transfer->text, "%s", *text ? text : curl_easy_strerror(code));
    transfer->taken_ms = taken_ms;
}

/* ---- the result ---- */

static const char *stage_name(int stage)
{
    static const char *const names[STAGES] = {
#define STAGE_NAME_(stage, command, name) name,
        STAGE_MAP(STAGE_NAME_)
#undef STAGE_NAME_
    };
    return names[stage];
}

/* What is refused is not the message. */
static bool is_about_relay(int stage, int code)
{
    return stage < STAGE_MAIL || code == 530 || code == 534 || code == 535 || code == 538;
}

static enum arda_outcome outcome_of(int stage, int code)
{
    if (code < 500 || is_about_relay(stage, code))
        return ARDA_OUTCOME_RETRY;
    return stage == STAGE_RCPT ? ARDA_OUTCOME_BOUNCED : ARDA_OUTCOME_FAILED;
}

/* An answer to a log-in may repeat some of it. */
static bool is_secret(const struct arda_mail_transfer *transfer, const char *text)
{
    const struct arda_mail_relay *relay = transfer->way->relay;
    return relay->user && ((*relay->user && strstr(text, relay->user)) ||
                           (*relay->password && strstr(text, relay->password)));
}

static void say_reply(const struct arda_mail_transfer *transfer, struct arda_mail_result *result)
{
    char text[sizeof result->text - 32];
    base_text_excerpt(text, sizeof text, transfer->reply, transfer->reply_len);
    bool shown = text[0] && !(transfer->stage == STAGE_AUTH && is_secret(transfer, text));
    const char *about = result->outcome == ARDA_OUTCOME_DONE ? "" : " to ";
    snprintf(result->text, sizeof result->text, "SMTP %d%s%s%s%s", transfer->code, about,
             *about ? stage_name(transfer->stage) : "", shown ? ": " : "", shown ? text : "");
}

static void say_failure(const struct arda_mail_transfer *transfer, struct arda_mail_result *result)
{
    char line[sizeof result->text - 32];
    if (transfer->curl_code == CURLE_OPERATION_TIMEDOUT) {
        snprintf(result->text, sizeof result->text, "not ended within %lld ms, at %s",
                 (long long)transfer->way->timeout_ms, stage_name(transfer->stage));
        return;
    }
    if (transfer->curl_code == CURLE_USE_SSL_FAILED && transfer->stage == STAGE_EHLO) {
        snprintf(result->text, sizeof result->text,
                 "the relay does not offer STARTTLS, without which nothing is sent to it");
        return;
    }
    base_text_excerpt(line, sizeof line, transfer->text, strlen(transfer->text));
    bool connected = transfer->stage != STAGE_CONNECT;
    snprintf(result->text, sizeof result->text, "%s%s%s", line[0] ? line : "broken off",
             connected ? ", at " : "", connected ? stage_name(transfer->stage) : "");
}

void arda_mail_transfer_judge(const struct arda_mail_transfer *transfer,
                              struct arda_mail_result *result)
{
    bool well = transfer->curl_code == CURLE_OK;
    bool refused = !well && transfer->code >= 400;
    result->attempted = true;
    result->duration_ms = transfer->taken_ms;
    if (transfer->refused_utf8) {
        result->outcome = ARDA_OUTCOME_FAILED;
        result->relay = ARDA_MAIL_RELAY_WORKS;
        snprintf(result->text, sizeof result->text,
                 "the relay does not offer SMTPUTF8, which the address needs");
        return;
    }
    result->outcome = well      ? ARDA_OUTCOME_DONE
                      : refused ? outcome_of(transfer->stage, transfer->code)
                                : ARDA_OUTCOME_RETRY;
    bool works = well || (refused && !is_about_relay(transfer->stage, transfer->code));
    result->relay = works ? ARDA_MAIL_RELAY_WORKS : ARDA_MAIL_RELAY_FAILS;
    if (well || refused) {
        result->reply = transfer->code;
        say_reply(transfer, result);
    } else {
        say_failure(transfer, result);
    }
}

/* ---- handles ---- */

struct arda_mail_handle *arda_mail_transfer_handle(void)
{
    struct arda_mail_handle *handle = base_calloc(1, sizeof *handle);
    if (handle)
        handle->easy = curl_easy_init();
    if (handle && !handle->easy)
        base_free_clear(&handle);
    return handle;
}

/* Good-bye would be waited for, minutes long. */
void arda_mail_transfer_handle_free(struct arda_mail_handle *handle)
{
    curl_socket_t fd;
    if (!handle)
        return;
    if (curl_easy_getinfo(handle->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        shutdown(fd, SHUT_RDWR);
    curl_easy_cleanup(handle->easy);
    base_free(handle);
}
