/* SPDX-License-Identifier: ISC
 *
 * digest: what an e-mail says that stands for several notifications. Templates substitute and
 * do nothing else, so what is repeated has a template of its own, and what that has written is the
 * value of a name:
 *
 *     digest.txt, digest.html              the mail; names below
 *     digest-item.txt, digest-item.html    one notification, for {{items}}; names of
 *                                          templates.h, and no subject
 *     digest-type.txt, digest-type.html    one type of those notifications that has an unsubscribe
 *                                          link, for {{types}}; the same names
 *
 * Each is built in, and may be replaced by a file of the folder with all templates. Threads: any; a
 * set does not change.
 */
#ifndef ARDA_MAIL_DIGEST_H
#define ARDA_MAIL_DIGEST_H

#include "arda/mail/templates.h"

/* Name in digest.txt and digest.html. */
#define ARDA_MAIL_DIGEST_NAME_MAP(X)                                                               \
    X(ARDA_MAIL_DIGEST_COUNT, "count")                                                             \
    X(ARDA_MAIL_DIGEST_ITEMS, "items") /* without the last line end */                             \
    X(ARDA_MAIL_DIGEST_TYPES, "types") /* the same; empty: none has a link */                      \
    X(ARDA_MAIL_DIGEST_TENANT_ID, "tenantId")                                                      \
    X(ARDA_MAIL_DIGEST_TENANT_NAME, "tenantName")                                                  \
    X(ARDA_MAIL_DIGEST_USER_NAME, "userName")

enum arda_mail_digest_name {
#define ARDA_MAIL_DIGEST_NAME_ENUM_(name, text) name,
    ARDA_MAIL_DIGEST_NAME_MAP(ARDA_MAIL_DIGEST_NAME_ENUM_)
#undef ARDA_MAIL_DIGEST_NAME_ENUM_
        ARDA_MAIL_DIGEST_NAMES
};

struct arda_mail_digest_item {
    enum arda_notify_type type;
    struct arda_mail_values values; /* the link to unsubscribe is that of its type */
};

struct arda_mail_digests;

/* Arguments and results as of arda_mail_templates_new. */
int arda_mail_digests_new(const char *folder, struct arda_mail_digests **digests,
                          struct base_why *why);
void arda_mail_digests_free(struct arda_mail_digests *digests); /* NULL is allowed */

/* Overwrites `content` (zeroed or used before). Items in the order given, at least one; tenant and
 * user are those of the first. 0 or BASE_ERR_NOMEM; then it is empty. */
int arda_mail_digests_write(const struct arda_mail_digests *digests,
                            const struct arda_mail_digest_item *items, size_t count,
                            struct arda_mail_content *content);

/* The link for the header List-Unsubscribe: that of the type, if there is but one. A single click
 * there has to end what the reader sees, and a link is good for one type, so mails with several
 * have none. */
struct base_slice arda_mail_digest_link(const struct arda_mail_digest_item *items, size_t count);

#endif
