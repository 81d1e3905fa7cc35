/* SPDX-License-Identifier: ISC
 *
 * send: one attempt to deliver a webhook, by the Standard Webhooks specification: a POST
 * with the headers webhook-id, webhook-timestamp and webhook-signature. Knows no records and no
 * schedule; the result says what its caller should do next.
 *
 * The URL is a tenant's and not trusted: http and https only, no redirects, no proxy of the
 * environment, and each address is judged by guard.h at the moment its socket is opened.
 * Under a proxy the receiver's name is resolved here, its addresses are judged, and the proxy is
 * asked for a tunnel (CONNECT) to the first that is allowed, not to the name, which it might
 * resolve otherwise. So the names of receivers have to be known here, and a proxy that allows names
 * alone does not do. Of the answer no more than 64 KiB are read. Threads: the loop's only.
 */
#ifndef ARDA_WEBHOOK_SEND_H
#define ARDA_WEBHOOK_SEND_H

#include "arda/name/outcome.h"
#include "arda/webhook/sign.h"
#include "base/block.h"
#include "base/ca.h"

struct uv_loop_s;

#define ARDA_WEBHOOK_ID_MAX      128
#define ARDA_WEBHOOK_TIMEOUT_MS  15000
#define ARDA_WEBHOOK_BODY_MAX    65536 /* bytes of an answer's body that are read */
#define ARDA_WEBHOOK_HEAD_MAX    65536 /* and of its headers */
#define ARDA_WEBHOOK_EXCERPT_MAX 200   /* bytes of the body in a result's text */
#define ARDA_WEBHOOK_TEXT_MAX    255
#define ARDA_WEBHOOK_RETRY_AFTER_MS                                                                \
    (24 * 60 * 60 * 1000) /* a longer Retry-After counts as this                                   \
                           */

/* ---- what attempts share: connections, which are used again ---- */

struct arda_webhook_sender;

struct arda_webhook_sender_options {
    struct uv_loop_s *loop;
    const struct base_block *allowed; /* refused addresses that are allowed after all; borrowed as
                                         long as the sender lives */
    size_t allowed_count;
    int64_t timeout_ms; /* for all of an attempt; 0: ARDA_WEBHOOK_TIMEOUT_MS */
    const char *proxy;  /* http://[user:password@]host:port; NULL: none. Borrowed likewise */
    /* Authorities that are trusted in addition to the system's; NULL: none. Borrowed likewise, or
     * until others are set. */
    const struct base_ca *ca;
};

/* 0, BASE_ERR_NOMEM, BASE_ERR_INTERNAL when libcurl cannot be initialised, or BASE_ERR_CONFIG when
 * it does TLS without OpenSSL, and there is `ca`. */
int arda_webhook_sender_new(const struct arda_webhook_sender_options *options,
                            struct arda_webhook_sender **sender);
/* Of connections that are made from now on; those that stand are not judged again. */
void arda_webhook_sender_set_ca(struct arda_webhook_sender *sender, const struct base_ca *ca);
/* All its attempts must have ended or been cancelled. May be called by the `done` of the last one.
 * NULL is allowed. */
void arda_webhook_sender_close(struct arda_webhook_sender *sender);

/* ---- an attempt ---- */

/* The status decides as soon as its line has come, however the rest of the answer ends: 2xx is
 * DONE; 410 GONE; 429, 502 and 504 SLOW_DOWN; 408, 425, other 5xx, no answer in time, and
 * connection and TLS errors RETRY; other statuses, redirects too, a bad URL, and an address that is
 * not allowed FAILED. */
struct arda_webhook_result {
    enum arda_outcome outcome;
    int status; /* 0: no answer */
    /* One line of UTF-8 for a person, without control characters: the status with the beginning of
     * the body, or why there is none. Of the URL it has the host name at most. The excerpt is what
     * the receiver has written. */
    char text[ARDA_WEBHOOK_TEXT_MAX + 1];
    int64_t duration_ms;
    int64_t retry_after_ms; /* what the receiver has asked for, 0 to a day; 0: nothing */
};

struct arda_webhook_request {
    const char *url;
    struct base_slice id;   /* visible ASCII without '.', at most ARDA_WEBHOOK_ID_MAX bytes;
                  the same in every attempt */
    struct base_slice body; /* JSON; borrowed until the attempt has ended */
    const struct arda_webhook_key *keys; /* the newest first; see arda_webhook_sign */
    size_t key_count;                    /* 1 or 2 */
    /* The attempt has ended, and is freed already; called from the loop, never by
     * arda_webhook_send. The result is borrowed for the call. */
    void (*done)(void *data, const struct arda_webhook_result *result);
    void *data;
};

struct arda_webhook_attempt;

/* Begins; the timestamp that is signed is now. Everything but the body is borrowed for the call.
 * A bad URL is a result, no error. `attempt` is for arda_webhook_cancel and valid until `done`.
 * BASE_ERR_INVALID: the id; BASE_ERR_NOMEM; BASE_ERR_INTERNAL from the signature. Then `done` is
 * not called. */
int arda_webhook_send(struct arda_webhook_sender *sender,
                      const struct arda_webhook_request *request,
                      struct arda_webhook_attempt **attempt);
/* Breaks off and frees; `done` is not called any more. The receiver may have got the webhook. NULL
 * is allowed. */
void arda_webhook_cancel(struct arda_webhook_attempt *attempt);

#endif
