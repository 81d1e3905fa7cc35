/* SPDX-License-Identifier: ISC
 *
 * deliver_mail: what the e-mail channel's files share.
 *
 *     deliver_mail.c          options, and one attempt
 *     deliver_mail_values.c   what an e-mail says, and to whom
 */
#ifndef DELIVER_MAIL_H
#define DELIVER_MAIL_H

#include "arda/delivery.h"
#include "arda/mail_send.h"
#include "arda/mail_templates.h"
#include "arda/token.h"

struct deliver_mail {
    struct arda_mail_sender *sender; /* NULL: no relay, nothing can be sent */
    struct base_buf from_text;       /* of --mail-from, or made; the two lie in it */
    struct base_slice from_name, from_address;
    struct base_buf public_url;          /* empty: not known */
    struct arda_token_key *unsubscribe;  /* NULL: no links to unsubscribe */
    struct arda_mail_templates *current; /* templates as last read */
};

/* What an e-mail is made of. All texts are UTF-8 and may hold anything. */
struct mail_input {
    struct base_buf address, user_name;
    struct base_buf title, body, action_url; /* the link absolute and safe, or empty */
    struct base_buf unsubscribe_url;
};

/* Fills `input` (zeroed) from a delivery. 0; BASE_ERR_INVALID: it can go to nobody, or it is about
 * nothing, with the reason; BASE_ERR_NOMEM. */
int mail_input_read(const struct deliver_mail *mail, const struct arda_delivery *delivery,
                    struct mail_input *input, struct base_why *why);
void mail_input_fini(struct mail_input *input);

/* Subject and texts of a delivery, digest or not. 0 or BASE_ERR_NOMEM. */
int mail_content_write(const struct deliver_mail *mail, const struct arda_delivery *delivery,
                       const struct mail_input *input, struct arda_mail_content *content);

#endif
