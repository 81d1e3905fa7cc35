/* SPDX-License-Identifier: ISC
 *
 * mail: what the e-mail channel's files share.
 *
 *     mail.c         options, and one attempt
 *     mail_values.c  what an e-mail says, and to whom
 *     mail_digest.c  what one says that stands for several notifications
 */
#ifndef DELIVER_MAIL_H
#define DELIVER_MAIL_H

#include "arda/delivery/delivery.h"
#include "arda/mail/digest.h"
#include "arda/mail/send.h"
#include "arda/mail/templates.h"
#include "arda/mail/watch.h"
#include "arda/token.h"

struct deliver_mail_state {
    struct arda_mail_sender *sender; /* NULL: no relay, and no e-mail is claimed */
    struct arda_mail_watch watch;    /* of the relay */
    struct base_buf from_text;       /* of --mail-from, or made; the name lies in it */
    struct base_buf from_wire;       /* the address for the wire, which lies here */
    struct base_slice from_name, from_address;
    struct base_buf public_url;          /* empty: not known */
    struct arda_token_key *unsubscribe;  /* NULL: no links to unsubscribe */
    struct arda_mail_templates *current; /* templates as last read */
    struct arda_mail_digests *digests;   /* the same, of digests */
};

/* What an e-mail is made of. All texts are UTF-8 and may hold anything. */
struct deliver_mail_input {
    struct base_buf address, user_name;      /* the address for the wire */
    struct base_buf title, body, action_url; /* the link absolute and safe, or empty */
    struct base_buf unsubscribe_url;
    enum arda_notify_type type;
};

/* Fills `input` (zeroed) from a delivery. 0; BASE_ERR_INVALID: it can go to nobody, or it is about
 * nothing, with the reason; BASE_ERR_NOMEM. */
int deliver_mail_input_read(const struct deliver_mail_state *mail,
                            const struct arda_delivery *delivery, struct deliver_mail_input *input,
                            struct base_why *why);
void deliver_mail_input_fini(struct deliver_mail_input *input);
/* What a row says, and the link for its type; of `input` the rest stays. Errors as above. */
int deliver_mail_input_add_row(const struct deliver_mail_state *mail,
                               const struct arda_delivery *delivery, struct base_slice row,
                               struct deliver_mail_input *input, struct base_why *why);
/* Borrowed from both. */
struct arda_mail_values deliver_mail_input_values(const struct arda_delivery *delivery,
                                                  const struct deliver_mail_input *input);

/* Subject and texts of a delivery, digest or not. Of a digest of several types the link for the
 * header is taken out of `input`. 0 or BASE_ERR_NOMEM. */
int deliver_mail_content_write(const struct deliver_mail_state *mail,
                               const struct arda_delivery *delivery,
                               struct deliver_mail_input *input, struct arda_mail_content *content);

/* The same of a digest, in mail_digest.c. Rows that are malformed are left out. */
int deliver_mail_digest_write(const struct deliver_mail_state *mail,
                              const struct arda_delivery *delivery,
                              struct deliver_mail_input *input, struct arda_mail_content *content);

/* 1 while the relay works, or has not been asked yet; 0 since it failed; negative: there is none.
 */
int deliver_mail_relay(const struct deliver_mail_state *mail);

#endif
