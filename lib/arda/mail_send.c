/* SPDX-License-Identifier: ISC
 *
 * libcurl leads the dialogue; what it shows of it says which command the relay has refused, and
 * how. An answer counts until the next command: what ends an attempt is the answer to the last
 * command, or else what libcurl says.
 */
#include "arda/mail_send.h"

#include "arda/curl_loop.h"
#include "arda/mail_address.h"
#include "arda/mail_message.h"
#include "arda/mail_relay.h"
#include "arda/text.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct arda_mail_sender {
    struct arda_curl *curl;
    struct arda_mail_relay relay;
    bool secure; /* TLS, and a certificate that is checked */
    char *ca_file;
    int64_t timeout_ms;
    uint32_t connections;
    uint32_t active;        /* attempts that have begun */
    size_t attempts;        /* and all */
    struct base_list queue; /* of those that wait, the oldest first */
};

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

struct arda_mail_attempt {
    struct base_list link; /* in the sender's queue, or among those that have ended */
    struct arda_mail_sender *sender;
    struct arda_transfer *transfer;
    struct curl_slist *headers, *recipients;
    curl_mime *mime;
    void (*done)(void *data, const struct arda_mail_result *result);
    void *data;
    uint64_t queued_us, began_us;
    bool active;
    enum stage stage;
    int code; /* of the answer to it; 0: none that is whole */
    char reply[ARDA_MAIL_REPLY_MAX];
    size_t reply_len;
    struct arda_mail_result result;
};

/* ---- the dialogue ---- */

static void on_command(struct arda_mail_attempt *attempt, const char *bytes, size_t len)
{
    static const char *const commands[STAGES] = {
#define STAGE_COMMAND_(stage, command, name) command,
        STAGE_MAP(STAGE_COMMAND_)
#undef STAGE_COMMAND_
    };
    for (int stage = 0; stage < STAGES; stage++) {
        const char *command = commands[stage];
        if (command && len >= strlen(command) && strncasecmp(bytes, command, strlen(command)) == 0)
            attempt->stage = (enum stage)stage;
    }
    attempt->code = 0;
    attempt->reply_len = 0;
}

/* One line of an answer, `550-text` or, the last one, `550 text`. */
static void on_reply(struct arda_mail_attempt *attempt, const char *bytes, size_t len)
{
    int code = 0;
    if (attempt->code > 0) { /* another one */
        attempt->code = 0;
        attempt->reply_len = 0;
    }
    for (size_t i = 0; i < 3; i++) {
        if (i >= len || bytes[i] < '0' || bytes[i] > '9')
            return;
        code = code * 10 + (bytes[i] - '0');
    }
    bool last = len == 3 || bytes[3] != '-';
    size_t skipped = len > 3 ? 4 : 3, room = sizeof attempt->reply - attempt->reply_len;
    size_t kept = len - skipped < room ? len - skipped : room;
    memcpy(attempt->reply + attempt->reply_len, bytes + skipped, kept);
    attempt->reply_len += kept;
    if (!last)
        return;
    attempt->code = code;
    if (attempt->stage == STAGE_DATA && code == 354) {
        attempt->stage = STAGE_CONTENT;
        attempt->code = 0;
        attempt->reply_len = 0;
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

/* ---- the result ---- */

static const char *stage_name(enum stage stage)
{
    static const char *const names[STAGES] = {
#define STAGE_NAME_(stage, command, name) name,
        STAGE_MAP(STAGE_NAME_)
#undef STAGE_NAME_
    };
    return names[stage];
}

static enum arda_mail_outcome outcome_of(enum stage stage, int code)
{
    bool wants_login = code == 530 || code == 534 || code == 535 || code == 538;
    if (code < 500 || wants_login || stage < STAGE_MAIL)
        return ARDA_MAIL_RETRY;
    return stage == STAGE_RCPT ? ARDA_MAIL_BOUNCED : ARDA_MAIL_FAILED;
}

/* An answer to a log-in may repeat some of it. */
static bool is_secret(const struct arda_mail_attempt *attempt, const char *text)
{
    const struct arda_mail_relay *relay = &attempt->sender->relay;
    return relay->user && ((*relay->user && strstr(text, relay->user)) ||
                           (*relay->password && strstr(text, relay->password)));
}

static void say_reply(struct arda_mail_attempt *attempt)
{
    struct arda_mail_result *result = &attempt->result;
    char text[sizeof result->text - 32];
    arda_text_excerpt(text, sizeof text, attempt->reply, attempt->reply_len);
    bool shown = text[0] && !(attempt->stage == STAGE_AUTH && is_secret(attempt, text));
    const char *about = result->outcome == ARDA_MAIL_SENT ? "" : " to ";
    snprintf(result->text, sizeof result->text, "SMTP %d%s%s%s%s", attempt->code, about,
             *about ? stage_name(attempt->stage) : "", shown ? ": " : "", shown ? text : "");
}

static void say_failure(struct arda_mail_attempt *attempt, CURLcode code, const char *text)
{
    struct arda_mail_result *result = &attempt->result;
    const struct arda_mail_sender *sender = attempt->sender;
    char line[sizeof result->text - 32];
    if (code == CURLE_OPERATION_TIMEDOUT) {
        snprintf(result->text, sizeof result->text, "not ended within %lld ms, at %s",
                 (long long)sender->timeout_ms, stage_name(attempt->stage));
        return;
    }
    if (code == CURLE_USE_SSL_FAILED && attempt->stage == STAGE_EHLO) {
        snprintf(result->text, sizeof result->text,
                 "the relay does not offer STARTTLS, without which nothing is said to it");
        return;
    }
    arda_text_excerpt(line, sizeof line, text, strlen(text));
    bool connected = attempt->stage != STAGE_CONNECT;
    snprintf(result->text, sizeof result->text, "%s%s%s", line[0] ? line : "broken off",
             connected ? ", at " : "", connected ? stage_name(attempt->stage) : "");
}

static void judge(struct arda_mail_attempt *attempt, CURLcode code, const char *text)
{
    struct arda_mail_result *result = &attempt->result;
    result->attempted = true;
    result->duration_ms = (int64_t)((base_clock_mono_us() - attempt->began_us) / 1000);
    result->outcome = code == CURLE_OK       ? ARDA_MAIL_SENT
                      : attempt->code >= 400 ? outcome_of(attempt->stage, attempt->code)
                                             : ARDA_MAIL_RETRY;
    if (code == CURLE_OK || attempt->code >= 400) {
        result->reply = attempt->code;
        say_reply(attempt);
    } else {
        say_failure(attempt, code, text);
    }
}

/* ---- the queue ---- */

static void free_attempt(struct arda_mail_attempt *attempt)
{
    struct arda_mail_sender *sender = attempt->sender;
    base_list_remove(&attempt->link);
    arda_transfer_free(attempt->transfer); /* it borrows what follows */
    curl_mime_free(attempt->mime);
    curl_slist_free_all(attempt->headers);
    curl_slist_free_all(attempt->recipients);
    sender->active -= attempt->active;
    sender->attempts--;
    base_free(attempt);
}

static int begin(struct arda_mail_attempt *attempt)
{
    attempt->began_us = base_clock_mono_us();
    int failed = arda_transfer_start(attempt->transfer);
    attempt->active = !failed;
    attempt->sender->active += attempt->active;
    return failed;
}

/* Begins what may begin; what has waited too long, or cannot begin, goes to `ended`. Without a
 * timer: only attempts that have begun keep others waiting, and each of them ends in time. */
static void pump(struct arda_mail_sender *sender, struct base_list *ended)
{
    while (!base_list_empty(&sender->queue)) {
        struct arda_mail_attempt *oldest =
            base_container(sender->queue.next, struct arda_mail_attempt, link);
        uint64_t waited_ms = (base_clock_mono_us() - oldest->queued_us) / 1000;
        bool too_long = waited_ms > (uint64_t)sender->timeout_ms;
        if (!too_long && sender->active >= sender->connections)
            return;
        base_list_remove(&oldest->link);
        if (!too_long && begin(oldest) == BASE_OK)
            continue;
        struct arda_mail_result *result = &oldest->result;
        result->outcome = ARDA_MAIL_RETRY;
        if (too_long)
            snprintf(result->text, sizeof result->text,
                     "no connection to the relay was free within %lld ms",
                     (long long)sender->timeout_ms);
        else
            snprintf(result->text, sizeof result->text, "%s", base_err_text(BASE_ERR_NOMEM));
        base_list_append(ended, &oldest->link);
    }
}

/* Whoever is told may cancel others, and close the sender with the last one: it is not looked at
 * any more. */
static void tell(struct base_list *ended)
{
    while (!base_list_empty(ended)) {
        struct arda_mail_attempt *attempt =
            base_container(ended->next, struct arda_mail_attempt, link);
        struct arda_mail_result result = attempt->result;
        void (*done)(void *, const struct arda_mail_result *) = attempt->done;
        void *data = attempt->data;
        free_attempt(attempt);
        done(data, &result);
    }
}

static void on_done(void *data, CURLcode code, const char *text)
{
    struct arda_mail_attempt *attempt = data;
    struct arda_mail_sender *sender = attempt->sender;
    struct base_list ended;
    base_list_init(&ended);
    judge(attempt, code, text);
    attempt->active = false;
    sender->active--;
    base_list_append(&ended, &attempt->link);
    pump(sender, &ended);
    tell(&ended);
}

/* ---- the message ---- */

/* False when memory is short; so do the functions below. */
static bool add_text(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_headers(struct arda_mail_attempt *attempt, const struct base_buf *headers)
{
    const char *header = NULL;
    while ((header = arda_mail_headers_next(headers, header)))
        if (!add_text(&attempt->headers, header))
            return false;
    return add_text(&attempt->headers, "MIME-Version: 1.0") &&
           add_text(&attempt->headers, "Content-Type: multipart/alternative");
}

static bool add_part(struct arda_mail_attempt *attempt, struct base_slice text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(attempt->mime);
    return part && curl_mime_data(part, text.len > 0 ? text.data : "", text.len) == CURLE_OK &&
           curl_mime_type(part, type) == CURLE_OK &&
           curl_mime_encoder(part, ARDA_MAIL_ENCODING) == CURLE_OK;
}

static bool set_security(CURL *easy, const struct arda_mail_sender *sender)
{
    long usage = sender->secure ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    const struct arda_mail_relay *relay = &sender->relay;
    return curl_easy_setopt(easy, CURLOPT_USE_SSL, usage) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, sender->secure ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, sender->secure ? 2L : 0L) == CURLE_OK &&
           (!sender->ca_file ||
            (curl_easy_setopt(easy, CURLOPT_CAINFO, sender->ca_file) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK)) &&
           (!relay->user ||
            (curl_easy_setopt(easy, CURLOPT_USERNAME, relay->user) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PASSWORD, relay->password) == CURLE_OK));
}

static bool set_transfer(struct arda_mail_attempt *attempt, const char *from)
{
    CURL *easy = arda_transfer_easy(attempt->transfer);
    long timeout_ms = (long)attempt->sender->timeout_ms;
    return curl_easy_setopt(easy, CURLOPT_URL, attempt->sender->relay.url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, attempt->recipients) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, attempt->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MIMEPOST, attempt->mime) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_nothing) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGDATA, attempt) == CURLE_OK;
}

static bool make(struct arda_mail_attempt *attempt, const struct arda_mail_request *request)
{
    struct arda_transfer_options options = {
        .protocols = "smtp,smtps", .done = on_done, .data = attempt};
    if (arda_transfer_new(attempt->sender->curl, &options, &attempt->transfer) < 0)
        return false;
    CURL *easy = arda_transfer_easy(attempt->transfer);
    attempt->mime = curl_mime_init(easy);
    return attempt->mime && add_headers(attempt, request->headers) &&
           add_text(&attempt->recipients, request->to) &&
           add_part(attempt, request->plain, ARDA_MAIL_PLAIN_TYPE) &&
           add_part(attempt, request->html, ARDA_MAIL_HTML_TYPE) &&
           set_security(easy, attempt->sender) && set_transfer(attempt, request->from);
}

static bool is_address(const char *text)
{
    return arda_mail_address_check((struct base_slice){text, strlen(text)}, NULL) == BASE_OK;
}

int arda_mail_send(struct arda_mail_sender *sender, const struct arda_mail_request *request,
                   struct arda_mail_attempt **out)
{
    if (!is_address(request->from) || !is_address(request->to))
        return BASE_ERR_INVALID;
    struct arda_mail_attempt *attempt = base_calloc(1, sizeof *attempt);
    if (!attempt)
        return BASE_ERR_NOMEM;
    base_list_init(&attempt->link);
    attempt->sender = sender;
    attempt->done = request->done;
    attempt->data = request->data;
    attempt->queued_us = base_clock_mono_us();
    sender->attempts++;
    bool waits = sender->active >= sender->connections;
    if (!make(attempt, request) || (!waits && begin(attempt) < 0)) {
        free_attempt(attempt);
        return BASE_ERR_NOMEM;
    }
    if (waits)
        base_list_append(&sender->queue, &attempt->link);
    *out = attempt;
    return BASE_OK;
}

/* One that waits may begin in its place. If it cannot, it waits for the end of another. */
void arda_mail_cancel(struct arda_mail_attempt *attempt)
{
    if (!attempt)
        return;
    struct arda_mail_sender *sender = attempt->sender;
    free_attempt(attempt);
    if (base_list_empty(&sender->queue) || sender->active >= sender->connections)
        return;
    struct arda_mail_attempt *oldest =
        base_container(sender->queue.next, struct arda_mail_attempt, link);
    if (begin(oldest) == BASE_OK)
        base_list_remove(&oldest->link);
}

/* ---- senders ---- */

int arda_mail_sender_new(const struct arda_mail_sender_options *options,
                         struct arda_mail_sender **out, struct base_why *why)
{
    struct arda_mail_sender *sender = base_calloc(1, sizeof *sender);
    if (!sender)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    base_list_init(&sender->queue);
    int failed = arda_mail_relay_parse(options->url, &sender->relay, why);
    if (!failed && options->ca_file && !(sender->ca_file = base_strdup(options->ca_file)))
        failed = base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    if (!failed && (failed = arda_curl_new(options->loop, &sender->curl)))
        base_why_set(why, failed, "%s", base_err_text(failed));
    if (failed) {
        arda_mail_relay_fini(&sender->relay);
        base_free(sender->ca_file);
        base_free(sender);
        return failed;
    }
    sender->secure =
        sender->relay.tls || (options->tls == ARDA_MAIL_TLS_REQUIRED && !sender->relay.loopback);
    sender->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : ARDA_MAIL_TIMEOUT_MS;
    sender->connections = options->connections > 0 ? options->connections : ARDA_MAIL_CONNECTIONS;
    *out = sender;
    return BASE_OK;
}

const char *arda_mail_sender_name(const struct arda_mail_sender *sender)
{
    return sender->relay.name;
}

void arda_mail_sender_close(struct arda_mail_sender *sender)
{
    if (!sender)
        return;
    base_assert(sender->attempts == 0);
    arda_curl_close(sender->curl);
    arda_mail_relay_fini(&sender->relay);
    base_free(sender->ca_file);
    base_free(sender);
}
