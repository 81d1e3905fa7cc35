/* SPDX-License-Identifier: ISC
 *
 * The body is the same in every attempt: its time is that of the delivery, while the signature's is
 * that of the attempt.
 */
#include "deliver/internal.h"

#include "arda/webhook/body.h"
#include "arda/webhook/send.h"
#include "base/ca.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/url.h"

#include <stdio.h>
#include <string.h>

#define MARGIN_MIN_MS 1000  /* of a lease beyond the time of an attempt */
#define MARGIN_MAX_MS 45000 /* and at most */

struct deliver_webhook_state {
    struct arda_webhook_sender *sender;
    struct base_block *allowed;
    size_t allowed_count;
    struct base_ca *ca; /* NULL: the system's alone */
};

struct attempt {
    struct arda_webhook_attempt *sending;
    struct base_buf body;
};

/* ---- options ---- */

static int add_block(struct deliver_webhook_state *webhook, const char *text, size_t len,
                     struct base_why *why)
{
    char block[64];
    if (len >= sizeof block)
        return base_why_set(why, BASE_ERR_INVALID, "expected addresses such as 10.0.0.0/8");
    memcpy(block, text, len);
    block[len] = '\0';
    struct base_block *more =
        base_realloc(webhook->allowed, (webhook->allowed_count + 1) * sizeof *more);
    if (!more)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    webhook->allowed = more;
    int failed = base_block_parse(block, &more[webhook->allowed_count], why);
    webhook->allowed_count += !failed;
    return failed;
}

static int read_allowed(struct deliver_webhook_state *webhook, const struct base_opt_list *list,
                        struct base_why *why)
{
    for (size_t i = 0; i < list->count; i++)
        for (const char *at = list->items[i];; at++) {
            size_t len = strcspn(at, ",");
            int failed = add_block(webhook, at, len, why);
            if (failed)
                return failed;
            at += len;
            if (!*at)
                break;
        }
    return BASE_OK;
}

/* Short attempts are taken over soon when a daemon dies; long ones need not wait much longer. */
static int64_t margin_of(int64_t timeout_ms)
{
    if (timeout_ms > MARGIN_MAX_MS / 3)
        return MARGIN_MAX_MS;
    return timeout_ms < MARGIN_MIN_MS / 3 ? MARGIN_MIN_MS : 3 * timeout_ms;
}

static bool is_given(const char *text)
{
    return text && *text;
}

/* The log would mask a password in the form of a URL. */
#define PROXY_EXPECTED                                                                             \
    "--webhook-proxy: expected http://HOST:PORT, perhaps with USER:PASS@ before HOST"

/* A port has to be named: that of proxies is no common one. */
static int check_proxy(const char *text, struct base_why *why)
{
    struct base_url url;
    struct base_why reason;
    if (!is_given(text))
        return BASE_OK;
    if (base_url_parse(text, &url, &reason) < 0)
        return base_why_set(why, BASE_ERR_CONFIG, PROXY_EXPECTED ": %s", reason.text);
    if (base_url_has_scheme(&url, "http") && url.host.len > 0 && url.port > 0 &&
        url.path.len <= 1 && !url.query.data && !url.fragment.data)
        return BASE_OK;
    base_why_set(why, BASE_ERR_CONFIG, PROXY_EXPECTED);
    if (base_url_is_torn(&url))
        base_url_explain(why);
    return BASE_ERR_CONFIG;
}

static int read_ca(const char *file, struct base_ca **ca, struct base_why *why)
{
    int failed = base_ca_load(file, ca, why);
    if (failed)
        base_why_prefix(why, "--webhook-ca");
    return failed;
}

static int make_sender(struct deliver *deliver, int64_t timeout_ms, struct base_why *why)
{
    const struct deliver_webhook_options *given = &deliver->options.webhook;
    struct deliver_webhook_state *webhook = deliver->webhook;
    const struct arda_webhook_sender_options options = {
        .loop = deliver->loop,
        .allowed = webhook->allowed,
        .allowed_count = webhook->allowed_count,
        .timeout_ms = timeout_ms,
        .proxy = is_given(given->proxy) ? given->proxy : NULL,
        .ca = webhook->ca,
    };
    int failed = arda_webhook_sender_new(&options, &webhook->sender);
    if (failed == BASE_ERR_CONFIG)
        return base_why_set(why, failed, "--webhook-ca: this libcurl does TLS without OpenSSL");
    if (failed)
        return base_why_set(why, failed, "webhooks: %s", base_err_text(failed));
    return BASE_OK;
}

static int webhook_open(struct deliver *deliver, struct base_why *why)
{
    struct deliver_webhook_state *webhook = base_calloc(1, sizeof *webhook);
    if (!webhook)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    deliver->webhook = webhook;
    int64_t timeout_ms = deliver->options.webhook.timeout_ms;
    if (timeout_ms < 1)
        return base_why_set(why, BASE_ERR_INVALID, "--webhook-timeout: expected more than 0");
    if (read_allowed(webhook, deliver->options.webhook.allow, why) < 0)
        return base_why_prefix(why, "--webhook-allow");
    int64_t lease_ms = timeout_ms + margin_of(timeout_ms);
    if (deliver->lease_ms < lease_ms)
        deliver->lease_ms = lease_ms;
    int failed = check_proxy(deliver->options.webhook.proxy, why);
    if (!failed && is_given(deliver->options.webhook.ca))
        failed = read_ca(deliver->options.webhook.ca, &webhook->ca, why);
    if (!failed)
        failed = make_sender(deliver, timeout_ms, why);
    if (failed)
        return failed;
    deliver->channels |= ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
    return BASE_OK;
}

static void webhook_reload(struct deliver *deliver)
{
    struct deliver_webhook_state *webhook = deliver->webhook;
    struct base_ca *ca;
    struct base_why why;
    if (!webhook->ca || !webhook->sender)
        return;
    if (read_ca(deliver->options.webhook.ca, &ca, &why) < 0) {
        base_log(BASE_LOG_ERROR, "%s; it stays as it was", why.text);
        return;
    }
    arda_webhook_sender_set_ca(webhook->sender, ca);
    base_ca_free(webhook->ca);
    webhook->ca = ca;
}

static void webhook_close(struct deliver *deliver)
{
    if (!deliver->webhook)
        return;
    arda_webhook_sender_close(deliver->webhook->sender);
    deliver->webhook->sender = NULL;
}

static void webhook_free(struct deliver *deliver)
{
    if (!deliver->webhook)
        return;
    base_free(deliver->webhook->allowed);
    base_ca_free(deliver->webhook->ca);
    base_free_clear(&deliver->webhook);
}

/* ---- an attempt ---- */

static void free_attempt(struct deliver_job *job)
{
    struct attempt *attempt = job->attempt;
    base_buf_fini(&attempt->body);
    base_free(attempt);
    job->attempt = NULL;
}

static void on_sent(void *data, const struct arda_webhook_result *sent)
{
    struct deliver_job *job = data;
    const struct deliver_result result = {
        .outcome = sent->outcome,
        .attempted = true,
        .answer = sent->status,
        .text = sent->text,
        .duration_ms = sent->duration_ms,
        .retry_after_ms = sent->retry_after_ms,
    };
    free_attempt(job);
    deliver_done(job, &result);
}

/* A secret that makes no sense: nothing can be signed. */
static int read_keys(const struct arda_delivery *delivery, struct arda_webhook_key keys[static 2],
                     size_t *count, struct base_why *why)
{
    *count = 1;
    int failed = arda_webhook_key_parse(delivery->secret, &keys[0], why);
    if (failed)
        return base_why_prefix(why, "the webhook's secret");
    if (delivery->previous_secret.len == 0)
        return BASE_OK;
    *count = 2;
    failed = arda_webhook_key_parse(delivery->previous_secret, &keys[1], why);
    return failed ? base_why_prefix(why, "the webhook's previous secret") : BASE_OK;
}

static int webhook_begin(struct deliver_job *job)
{
    const struct arda_delivery *delivery = job->delivery;
    struct arda_webhook_key keys[2];
    struct base_why why;
    size_t count;
    if (read_keys(delivery, keys, &count, &why) < 0) {
        const struct deliver_result result = {.outcome = ARDA_OUTCOME_FAILED, .text = why.text};
        deliver_done_soon(job, &result);
        return BASE_OK;
    }
    struct attempt *attempt = base_calloc(1, sizeof *attempt);
    if (!attempt)
        return BASE_ERR_NOMEM;
    job->attempt = attempt;
    int failed = arda_webhook_body_add(&attempt->body, delivery->notification, delivery->cause,
                                       delivery->created_ms);
    if (!failed) {
        const struct arda_webhook_request request = {
            .url = delivery->url.data,
            .id = {delivery->id, strlen(delivery->id)},
            .body = {attempt->body.data, attempt->body.len},
            .keys = keys,
            .key_count = count,
            .done = on_sent,
            .data = job,
        };
        failed = arda_webhook_send(job->deliver->webhook->sender, &request, &attempt->sending);
    }
    if (!failed)
        return BASE_OK;
    free_attempt(job);
    if (failed != BASE_ERR_INVALID)
        return failed;
    /* Another try would end the same way. */
    const struct deliver_result result = {.outcome = ARDA_OUTCOME_FAILED,
                                          .text = "its id cannot be sent in a header"};
    deliver_done_soon(job, &result);
    return BASE_OK;
}

static void webhook_cancel(struct deliver_job *job)
{
    struct attempt *attempt = job->attempt;
    arda_webhook_cancel(attempt->sending);
    free_attempt(job);
}

const struct deliver_channel deliver_webhook = {
    .channel = ARDA_NOTIFY_WEBHOOK,
    .taken = ARDA_DELIVERY_DELIVERED,
    .open = webhook_open,
    .begin = webhook_begin,
    .cancel = webhook_cancel,
    .reload = webhook_reload,
    .close = webhook_close,
    .free = webhook_free,
};
