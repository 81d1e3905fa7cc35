/* SPDX-License-Identifier: ISC
 *
 * send: one attempt to hand one message for one recipient to a mail relay, by SMTP (RFC 5321)
 * or submission (RFC 6409). Knows no records and no schedule; the result says what its caller
 * should do next.
 *
 * TLS: `smtps` begins with it. With `smtp` the relay has to take STARTTLS, or nothing is said to
 * it, no password either; except where the relay is on this computer (relay.h) or TLS is
 * optional: then TLS is used if it is offered. The relay's certificate is checked wherever TLS is
 * required. Where it is not, a check would keep nobody from listening, and so there is none.
 *
 * Connections are used again. At most as many as are allowed are open; what more there is to send
 * waits, but no longer than an attempt may take. Threads: the loop's only. Each connection is led
 * by a thread of its own (transfer.h says why), of which nothing is seen from here.
 */
#ifndef ARDA_MAIL_SEND_H
#define ARDA_MAIL_SEND_H

#include "arda/name/outcome.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;

#define ARDA_MAIL_TIMEOUT_MS  25000
#define ARDA_MAIL_CONNECTIONS 8
#define ARDA_MAIL_REPLY_MAX   512 /* bytes of a relay's answer that are kept */
#define ARDA_MAIL_RESULT_MAX  255

/* ---- what attempts share: a relay, and the connections to it ---- */

enum arda_mail_tls { ARDA_MAIL_TLS_REQUIRED, ARDA_MAIL_TLS_OPTIONAL };

struct arda_mail_sender;

/* Texts are borrowed for the call. */
struct arda_mail_sender_options {
    struct uv_loop_s *loop;
    const char *url; /* of the relay: relay.h */
    enum arda_mail_tls tls;
    const char *ca_file;  /* PEM; who may have signed the relay's certificate; NULL: the system's */
    int64_t timeout_ms;   /* from the connection to the last answer; 0: ARDA_MAIL_TIMEOUT_MS. An
                             attempt ends within twice that, with the time it has waited */
    uint32_t connections; /* at most; 0: ARDA_MAIL_CONNECTIONS */
};

/* 0; BASE_ERR_CONFIG with what is wrong with the URL; BASE_ERR_NOMEM; BASE_ERR_INTERNAL when
 * libcurl cannot be initialised. */
int arda_mail_sender_new(const struct arda_mail_sender_options *options,
                         struct arda_mail_sender **sender, struct base_why *why);
/* Host and port of the relay, for a person. Borrowed. */
const char *arda_mail_sender_name(const struct arda_mail_sender *sender);
/* All its attempts must have ended or been cancelled. May be called by the `done` of the last one.
 * The loop frees it, after up to a second where an attempt was broken off. NULL is allowed. */
void arda_mail_sender_close(struct arda_mail_sender *sender);

/* ---- an attempt ---- */

/* What the relay says before MAIL FROM, and that it wants a log-in, is about the relay and not
 * about the message: a wrong password may be put right, and no message is lost for it. So RETRY is
 * 4yz; any refusal before MAIL FROM; 530, 534, 535 and 538, which ask for another log-in; no
 * connection, no TLS, no answer in time. BOUNCED is another 5yz at RCPT TO. FAILED is another 5yz
 * at MAIL FROM, DATA or after the message, or an address that needs SMTPUTF8 (RFC 6531), which the
 * relay does not offer. */
/* What an attempt has shown of the relay, whatever became of the message. */
enum arda_mail_relay_state {
    ARDA_MAIL_RELAY_UNKNOWN, /* it was not asked */
    ARDA_MAIL_RELAY_WORKS,   /* it has judged the message */
    ARDA_MAIL_RELAY_FAILS,   /* it could not be asked, has not answered, or wants another log-in */
};

struct arda_mail_result {
    enum arda_outcome outcome;
    enum arda_mail_relay_state relay;
    bool attempted; /* false: it has only waited for a connection */
    int reply;      /* the relay's, if it was that which ended it; 0: none */
    /* One line of UTF-8 for a person, without control characters: the relay's answer and to what,
     * or why there is none. Neither user nor password. */
    char text[ARDA_MAIL_RESULT_MAX + 1];
    int64_t duration_ms; /* without the wait */
};

struct arda_mail_request {
    const char *from, *to;          /* of the envelope: addresses for the wire (address.h) */
    const struct base_buf *headers; /* as arda_mail_headers_add has made them */
    struct base_slice plain, html;  /* UTF-8, lines that end with CR LF */
    /* The attempt has ended, and is freed already; called from the loop, never by arda_mail_send.
     * The result is borrowed for the call. */
    void (*done)(void *data, const struct arda_mail_result *result);
    void *data;
};

struct arda_mail_attempt;

/* Begins. All of the request is borrowed for the call. `attempt` is for arda_mail_cancel and valid
 * until `done`. BASE_ERR_INVALID: an address; BASE_ERR_NOMEM. Then `done` is not called. */
int arda_mail_send(struct arda_mail_sender *sender, const struct arda_mail_request *request,
                   struct arda_mail_attempt **attempt);
/* Breaks off and frees; `done` is not called any more. The relay may have taken the message. NULL
 * is allowed. */
void arda_mail_cancel(struct arda_mail_attempt *attempt);

#endif
