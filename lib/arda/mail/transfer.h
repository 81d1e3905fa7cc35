/* SPDX-License-Identifier: ISC
 *
 * transfer: the dialogue of an attempt (send.h) with the relay, on a thread where it may
 * block. libcurl waits for the answer to a message, and to its good-bye, inside a call, also with
 * its multi interface, so a slow relay would hold up an event loop.
 */
#ifndef ARDA_MAIL_TRANSFER_H
#define ARDA_MAIL_TRANSFER_H

#include "arda/mail/relay.h"
#include "arda/mail/send.h"

#include <stdatomic.h>

/* How to the relay: the same for all transfers. */
struct arda_mail_way {
    const struct arda_mail_relay *relay;
    bool secure; /* TLS, and a certificate that is checked */
    const char *ca_file;
    int64_t timeout_ms;
};

struct arda_mail_handle;

struct arda_mail_transfer {
    const struct arda_mail_way *way;
    const char *from, *to;
    bool utf8; /* one of them needs SMTPUTF8 */
    struct base_buf headers, plain, html;
    atomic_bool cancelled; /* by another thread: soon over */
    /* Of the run. */
    struct arda_mail_handle *handle;
    bool refused_utf8; /* the relay does not offer SMTPUTF8, and nothing was sent */
    uint64_t began_us;
    int64_t taken_ms;
    int stage; /* what was said last */
    bool over; /* it was good-bye */
    int code;  /* of the answer to it; 0: none that is whole */
    char reply[ARDA_MAIL_REPLY_MAX];
    size_t reply_len;
    int curl_code;
    char text[256]; /* of libcurl's */
};

/* What keeps a connection from one run to the next; used by one thread at a time. NULL: out of
 * memory. */
struct arda_mail_handle *arda_mail_transfer_handle(void);
/* Closes the connection. NULL is allowed. */
void arda_mail_transfer_handle_free(struct arda_mail_handle *handle);
/* Blocks until it has ended, or a second longer than the way's timeout. */
void arda_mail_transfer_run(struct arda_mail_transfer *transfer, struct arda_mail_handle *handle);
/* Fills a zeroed result after a run. */
void arda_mail_transfer_judge(const struct arda_mail_transfer *transfer,
                              struct arda_mail_result *result);

#endif
