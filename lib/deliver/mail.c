/* SPDX-License-Identifier: ISC
 *
 * Message-ID and recipient are the same in every attempt. So is the Date, that of the record, but
 * where an e-mail was held: then it is that of the attempt, or a digest would lie among the mails
 * of yesterday.
 */
#include "deliver/internal.h"

#include "deliver/mail.h"

#include "arda/mail/address.h"
#include "arda/mail/link.h"
#include "arda/mail/message.h"
#include "arda/notify/unsubscribe.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE_MARGIN_MS 30000 /* of a lease beyond the time of an attempt and its wait */
#define HOST_SIZE       256

static bool is_given(const char *text)
{
    return text && *text;
}

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

/* ---- options ---- */

static int read_from(struct deliver_mail_state *mail, const char *text, struct base_why *why)
{
    char host[HOST_SIZE] = "";
    struct base_buf *out = &mail->from_text;
    if (!is_given(text) && gethostname(host, sizeof host - 1) < 0)
        strcpy(host, "localhost");
    int failed =
        is_given(text) ? base_buf_add_text(out, text) : base_buf_printf(out, "arda@%s", host);
    if (failed || !base_buf_cstr(out))
        return no_memory(why);
    failed = arda_mail_sender_parse(out->data, &mail->from_name, &mail->from_address, why);
    if (!failed)
        failed = arda_mail_address_wire(mail->from_address, &mail->from_wire, why);
    mail->from_address = (struct base_slice){mail->from_wire.data, mail->from_wire.len};
    if (failed == BASE_OK || failed == BASE_ERR_NOMEM)
        return failed;
    base_why_prefix(why, is_given(text) ? "--mail-from" : "--mail-from is needed: arda@%s", host);
    return BASE_ERR_CONFIG;
}

static int check_public_url(const char *text, struct base_why *why)
{
    struct base_url url;
    if (!arda_mail_link_is_safe((struct base_slice){text, strlen(text)}) ||
        base_url_parse(text, &url, NULL) < 0 || url.host.len == 0 || url.user.data ||
        strpbrk(text, "?#"))
        return base_why_set(why, BASE_ERR_CONFIG,
                            "--public-url: expected http(s)://HOST, with a path at most, got `%s'",
                            text);
    return BASE_OK;
}

/* --public-url as it is, without slashes at its end; or the origin of APP_URL. */
static int read_public_url(struct deliver_mail_state *mail, const char *text, struct base_why *why)
{
    struct base_buf *out = &mail->public_url;
    const char *app_url = getenv("APP_URL");
    int failed = BASE_OK;
    if (!is_given(text)) {
        failed = is_given(app_url) ? base_url_origin(app_url, out, why) : BASE_OK;
        if (failed == BASE_ERR_SYNTAX)
            return base_why_prefix(why, "APP_URL"), BASE_ERR_CONFIG;
        return failed;
    }
    failed = check_public_url(text, why);
    if (!failed && base_buf_add_text(out, text) < 0)
        return no_memory(why);
    while (out->len > 0 && out->data[out->len - 1] == '/')
        out->len--;
    return failed;
}

static int read_secret(struct deliver_mail_state *mail, const char *file, struct base_why *why)
{
    int failed = arda_unsubscribe_key_load(file, &mail->unsubscribe, why);
    if (failed && failed != BASE_ERR_NOTFOUND && is_given(file))
        base_why_prefix(why, "--unsubscribe-secret-file");
    return failed == BASE_ERR_NOTFOUND ? BASE_OK : failed;
}

/* Both or none. */
static int read_templates(const char *templates, struct arda_mail_templates **out,
                          struct arda_mail_digests **digests, struct base_why *why)
{
    const char *folder = is_given(templates) ? templates : NULL;
    int failed = arda_mail_templates_new(folder, out, why);
    if (failed)
        return base_why_prefix(why, "--templates"), failed;
    failed = arda_mail_digests_new(folder, digests, why);
    if (failed) {
        arda_mail_templates_free(*out);
        *out = NULL;
        base_why_prefix(why, "--templates");
    }
    return failed;
}

static int make_sender(struct deliver *deliver, struct base_why *why)
{
    const struct deliver_mail_options *given = &deliver->options.mail;
    struct deliver_mail_state *mail = deliver->mail;
    int64_t timeout_ms = given->timeout_ms;
    if (timeout_ms < 1)
        return base_why_set(why, BASE_ERR_INVALID, "--smtp-timeout: expected more than 0");
    const struct arda_mail_sender_options options = {
        .loop = deliver->loop,
        .url = given->relay,
        .tls = given->tls_optional ? ARDA_MAIL_TLS_OPTIONAL : ARDA_MAIL_TLS_REQUIRED,
        .ca_file = is_given(given->ca) ? given->ca : NULL,
        .timeout_ms = timeout_ms,
        .connections = given->connections,
    };
    if (options.ca_file && access(options.ca_file, R_OK) < 0)
        return base_why_set(why, BASE_ERR_CONFIG, "--smtp-ca: cannot read %s", options.ca_file);
    int failed = arda_mail_sender_new(&options, &mail->sender, why);
    if (failed)
        return base_why_prefix(why, "--smtp"), failed;
    if (deliver->lease_ms < 2 * timeout_ms + LEASE_MARGIN_MS)
        deliver->lease_ms = 2 * timeout_ms + LEASE_MARGIN_MS;
    deliver->channels |= ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL);
    base_log(BASE_LOG_INFO, "e-mails go to %s", arda_mail_sender_name(mail->sender));
    if (mail->public_url.len == 0)
        base_log(BASE_LOG_WARNING, "no --public-url: e-mails have no links");
    else if (!mail->unsubscribe)
        base_log(BASE_LOG_WARNING,
                 "no UNSUBSCRIBE_TOKEN_SECRET: e-mails have no link to unsubscribe");
    return BASE_OK;
}

/* Where nothing is delivered, nothing of it has to be right. */
static int mail_open(struct deliver *deliver, struct base_why *why)
{
    const struct deliver_mail_options *given = &deliver->options.mail;
    struct deliver_mail_state *mail = base_calloc(1, sizeof *mail);
    if (!mail)
        return no_memory(why);
    deliver->mail = mail;
    if (!deliver->on)
        return BASE_OK;
    int failed = read_templates(given->templates, &mail->current, &mail->digests, why);
    if (!is_given(given->relay))
        deliver->why_left[ARDA_NOTIFY_EMAIL] = "no relay is given (--smtp or SMTP_URL)";
    if (failed || !is_given(given->relay))
        return failed;
    failed = read_from(mail, given->from, why);
    if (!failed)
        failed = read_public_url(mail, given->public_url, why);
    if (!failed)
        failed = read_secret(mail, given->unsubscribe_secret_file, why);
    return failed ? failed : make_sender(deliver, why);
}

static void mail_reload(struct deliver *deliver)
{
    struct arda_mail_templates *templates;
    struct arda_mail_digests *digests;
    struct deliver_mail_state *mail = deliver->mail;
    struct base_why why;
    if (!mail->current)
        return;
    if (read_templates(deliver->options.mail.templates, &templates, &digests, &why) < 0) {
        base_log(BASE_LOG_ERROR, "%s; the templates stay as they were", why.text);
        return;
    }
    arda_mail_templates_free(mail->current);
    arda_mail_digests_free(mail->digests);
    mail->current = templates;
    mail->digests = digests;
}

static void mail_close(struct deliver *deliver)
{
    if (!deliver->mail)
        return;
    arda_mail_sender_close(deliver->mail->sender);
    deliver->mail->sender = NULL;
}

static void mail_free(struct deliver *deliver)
{
    struct deliver_mail_state *mail = deliver->mail;
    if (!mail)
        return;
    arda_mail_templates_free(mail->current);
    arda_mail_digests_free(mail->digests);
    arda_token_key_free(mail->unsubscribe);
    base_buf_fini(&mail->from_text);
    base_buf_fini(&mail->from_wire);
    base_buf_fini(&mail->public_url);
    base_free_clear(&deliver->mail);
}

/* ---- an attempt ---- */

/* What fails for the relay's sake concerns all e-mails, and is worth a line. */
static void watch_relay(struct deliver_mail_state *mail, const struct arda_mail_result *sent)
{
    uint64_t failed;
    const char *relay = mail->sender ? arda_mail_sender_name(mail->sender) : "";
    switch (arda_mail_watch_note(&mail->watch, sent->relay, base_clock_mono_us(), &failed)) {
    case ARDA_MAIL_FAILS:
        base_log(BASE_LOG_WARNING, "the relay %s fails: %s; e-mails are tried again", relay,
                 sent->text);
        break;
    case ARDA_MAIL_STILL_FAILS:
        base_log(BASE_LOG_WARNING,
                 "the relay %s still fails: %s; %" PRIu64 " messages since the last such line",
                 relay, sent->text, failed);
        break;
    case ARDA_MAIL_WORKS_AGAIN: base_log(BASE_LOG_INFO, "the relay %s works again", relay); break;
    default: break;
    }
}

int deliver_mail_relay(const struct deliver_mail_state *mail)
{
    return !mail || !mail->sender ? -1 : !mail->watch.down;
}

/* One that has waited for a connection in vain counts, too: its next one is to come later. */
static void on_sent(void *data, const struct arda_mail_result *sent)
{
    struct deliver_job *job = data;
    const struct deliver_result result = {
        .outcome = sent->outcome,
        .attempted = true,
        .answer = sent->reply,
        .text = sent->text,
        .duration_ms = sent->duration_ms,
    };
    watch_relay(job->deliver->mail, sent);
    job->attempt = NULL;
    deliver_done(job, &result);
}

static int write_headers(const struct deliver_mail_state *mail,
                         const struct arda_delivery *delivery,
                         const struct deliver_mail_input *input,
                         const struct arda_mail_content *content, struct base_buf *headers,
                         struct base_why *why)
{
    bool was_held = delivery->held || delivery->item_count > 0;
    const struct arda_mail message = {
        .delivery_id = {delivery->id, strlen(delivery->id)},
        .from_name = mail->from_name,
        .from_address = mail->from_address,
        .to_name = {input->user_name.data, input->user_name.len},
        .to_address = {input->address.data, input->address.len},
        .subject = {content->subject.data, content->subject.len},
        .unsubscribe_url = {input->unsubscribe_url.data, input->unsubscribe_url.len},
        .date_ms = was_held ? base_clock_wall_ms() : delivery->created_ms,
    };
    return arda_mail_headers_add(headers, &message, why);
}

static int send_content(struct deliver_job *job, struct deliver_mail_input *input,
                        const struct arda_mail_content *content, struct base_why *why)
{
    struct deliver_mail_state *mail = job->deliver->mail;
    struct base_buf headers = BASE_BUF_INIT, from = BASE_BUF_INIT;
    struct arda_mail_attempt *attempt;
    int failed = write_headers(mail, job->delivery, input, content, &headers, why);
    if (!failed && (base_buf_add(&from, mail->from_address.data, mail->from_address.len) < 0 ||
                    !base_buf_cstr(&from) || !base_buf_cstr(&input->address)))
        failed = no_memory(why);
    if (!failed) {
        const struct arda_mail_request request = {
            .from = from.data,
            .to = input->address.data,
            .headers = &headers,
            .plain = {content->plain.data, content->plain.len},
            .html = {content->html.data, content->html.len},
            .done = on_sent,
            .data = job,
        };
        failed = arda_mail_send(mail->sender, &request, &attempt);
        if (failed)
            base_why_set(why, failed, "%s", base_err_text(failed));
        else
            job->attempt = attempt;
    }
    base_buf_fini(&headers);
    base_buf_fini(&from);
    return failed;
}

static int send_mail(struct deliver_job *job, struct base_why *why)
{
    const struct deliver_mail_state *mail = job->deliver->mail;
    struct deliver_mail_input input = {0};
    struct arda_mail_content content = {0};
    int failed = deliver_mail_input_read(mail, job->delivery, &input, why);
    if (!failed) {
        failed = deliver_mail_content_write(mail, job->delivery, &input, &content);
        failed = failed ? no_memory(why) : send_content(job, &input, &content, why);
    }
    arda_mail_content_fini(&content);
    deliver_mail_input_fini(&input);
    return failed;
}

static int mail_begin(struct deliver_job *job)
{
    struct base_why why = {BASE_OK, ""};
    job->attempt = NULL;
    int failed = send_mail(job, &why);
    if (!failed || failed == BASE_ERR_NOMEM)
        return failed;
    const struct deliver_result result = {.outcome = ARDA_OUTCOME_FAILED, .text = why.text};
    deliver_done_soon(job, &result);
    return BASE_OK;
}

static void mail_cancel(struct deliver_job *job)
{
    arda_mail_cancel(job->attempt);
    job->attempt = NULL;
}

const struct deliver_channel deliver_mail = {
    .channel = ARDA_NOTIFY_EMAIL,
    .taken = ARDA_DELIVERY_SENT,
    .open = mail_open,
    .begin = mail_begin,
    .cancel = mail_cancel,
    .reload = mail_reload,
    .close = mail_close,
    .free = mail_free,
};
