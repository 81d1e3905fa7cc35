/* SPDX-License-Identifier: ISC */
#include "unsubscribe_page.h"

#include "base/base64.h"
#include "base/crypto.h"

#include <stdio.h>

/* The policy names its hash, so no other style is applied. */
static const char style[] =
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:1rem;font:1.125rem/1.5 system-ui,sans-serif;"
    "background:Canvas;color:CanvasText;overflow-wrap:break-word}"
    "main{max-width:34rem;margin:8vh auto 0}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "button{font:inherit;padding:.75rem 1.5rem;border:0;border-radius:.375rem;"
    "background:#1d4ed8;color:#fff;cursor:pointer}"
    "button:focus-visible{outline:3px solid;outline-offset:2px}";

#define HASH_CHARS ((BASE_SHA256_LEN + 2) / 3 * 4)

static char headers[512];

int unsubscribe_page_prepare(void)
{
    uint8_t hash[BASE_SHA256_LEN];
    char text[HASH_CHARS + 1] = "";
    if (base_crypto_sha256(style, sizeof style - 1, hash) < 0)
        return BASE_ERR_INTERNAL;
    base_base64_encode(BASE_BASE64_STD, hash, sizeof hash, text);
    snprintf(headers, sizeof headers,
             "Content-Security-Policy: default-src 'none'; style-src 'sha256-%s'; "
             "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
             "Referrer-Policy: no-referrer\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Robots-Tag: noindex, nofollow\r\n"
             "Cache-Control: no-store\r\n",
             text);
    return BASE_OK;
}

/* ---- words ---- */

static const char *about(enum arda_notify_type type)
{
    static const char *const words[] = {
        [ARDA_NOTIFY_CARD_TRIGGERED] = "Kanban cards that move",
        [ARDA_NOTIFY_PO_CREATED] = "new orders",
        [ARDA_NOTIFY_PO_SENT] = "purchase orders that were sent",
        [ARDA_NOTIFY_PO_RECEIVED] = "purchase orders that were received",
        [ARDA_NOTIFY_STOCKOUT_WARNING] = "stockout warnings",
        [ARDA_NOTIFY_RELOWISA_RECOMMENDATION] = "ReLoWiSa recommendations",
        [ARDA_NOTIFY_EXCEPTION_ALERT] = "exceptions",
        [ARDA_NOTIFY_WO_STATUS_CHANGE] = "changes of work orders",
        [ARDA_NOTIFY_TRANSFER_STATUS_CHANGE] = "changes of transfer orders",
        [ARDA_NOTIFY_SYSTEM_ALERT] = "system alerts",
    };
    _Static_assert(sizeof words / sizeof words[0] == ARDA_NOTIFY_TYPES, "one for each type");
    return words[type];
}

static const char *by(enum arda_notify_channel channel)
{
    static const char *const words[] = {
        [ARDA_NOTIFY_IN_APP] = "messages in the application",
        [ARDA_NOTIFY_EMAIL] = "e-mails",
        [ARDA_NOTIFY_WEBHOOK] = "webhook calls",
    };
    _Static_assert(sizeof words / sizeof words[0] == ARDA_NOTIFY_CHANNELS, "one for each channel");
    return words[channel];
}

/* ---- pages ---- */

struct row {
    int status;
    const char *heading;
};

static const struct row rows[] = {
#define ROW_(page, status, outcome, heading) {status, heading},
    UNSUBSCRIBE_PAGE_MAP(ROW_)
#undef ROW_
};

/* Without an action it goes to where the page has come from, the token being part of that. It sends
 * what a mail program sends by itself (RFC 8058). */
static int add_form(struct base_buf *out, const char *button)
{
    return base_buf_printf(out,
                           "<form method=\"post\">"
                           "<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"
                           "<button>%s</button></form>\n",
                           button);
}

static int add_question(struct base_buf *out, const struct arda_unsubscribe *what)
{
    int failed = base_buf_printf(out,
                                 "<p>You are about to switch off <strong>%s</strong> about "
                                 "<strong>%s</strong>.</p>\n",
                                 by(what->channel), about(what->type));
    failed |= add_form(out, "Unsubscribe");
    failed |= base_buf_add_text(out, "<p>Nothing has been changed yet. Your other notifications "
                                     "stay as they are.</p>\n");
    return failed;
}

static int add_text(struct base_buf *out, enum unsubscribe_page page,
                    const struct arda_unsubscribe *what)
{
    switch (page) {
    case UNSUBSCRIBE_ASK: return add_question(out, what);
    case UNSUBSCRIBE_DONE:
        return base_buf_printf(
            out,
            "<p>You will get no more <strong>%s</strong> about <strong>%s</strong>. What is on its "
            "way already may still arrive.</p>\n"
            "<p>To switch them on again, open the application and change your notification "
            "preferences.</p>\n",
            by(what->channel), about(what->type));
    case UNSUBSCRIBE_EXPIRED:
        return base_buf_printf(out,
                               "<p>Links to unsubscribe work for %d days. Use the link of a newer "
                               "e-mail, or change your notification preferences in the "
                               "application.</p>\n",
                               ARDA_UNSUBSCRIBE_DAYS);
    case UNSUBSCRIBE_MISSING:
    case UNSUBSCRIBE_DENIED:
        return base_buf_add_text(out, "<p>Perhaps it was cut off when it was copied. Use the link "
                                      "in the e-mail itself, or change your notification "
                                      "preferences in the application.</p>\n");
    case UNSUBSCRIBE_FAILED:
        if (base_buf_add_text(out, "<p>Your preferences could not be changed just now.</p>\n") < 0)
            return BASE_ERR_NOMEM;
        return add_form(out, "Try again");
    default:
        return base_buf_add_text(out, "<p>The request was not understood. Open the link in the "
                                      "e-mail again.</p>\n");
    }
}

static int add_page(struct base_buf *out, enum unsubscribe_page page,
                    const struct arda_unsubscribe *what)
{
    const char *heading = rows[page].heading;
    int failed = base_buf_printf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex, nofollow\">\n"
        "<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n",
        heading, style, heading);
    failed |= add_text(out, page, what);
    failed |= base_buf_add_text(out, "</main>\n</body>\n</html>\n");
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

void unsubscribe_page_answer(struct net_request *request, enum unsubscribe_page page,
                             const struct arda_unsubscribe *what)
{
    struct base_buf html = BASE_BUF_INIT;
    char more[sizeof headers + 32];
    snprintf(more, sizeof more, "%s%s", headers,
             page == UNSUBSCRIBE_FAILED ? "Retry-After: 30\r\n" : "");
    struct net_response response = {.status = rows[page].status, .headers = more};
    /* Without memory for the words, the status says it. */
    if (add_page(&html, page, what) == BASE_OK) {
        response.type = "text/html; charset=utf-8";
        response.body = (struct base_slice){html.data, html.len};
    }
    net_request_answer(request, &response);
    base_buf_fini(&html);
}
