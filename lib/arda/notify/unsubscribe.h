/* SPDX-License-Identifier: ISC
 *
 * unsubscribe: the token in the link at the end of an e-mail, with which its reader, without any
 * log-in, takes that type of notification off that channel (RFC 8058).
 *
 * It is a JSON Web Token, HS256, as the notification service beside us makes and reads it: iss
 * `arda-notifications`, claims userId, tenantId, notificationType, channel, iat, exp. It opens
 * nothing else: no gateway takes one for a user's token, for want of `sub`. Threads: any.
 */
#ifndef ARDA_NOTIFY_UNSUBSCRIBE_H
#define ARDA_NOTIFY_UNSUBSCRIBE_H

#include "arda/notify_channels.h"
#include "arda/token.h"

#define ARDA_UNSUBSCRIBE_DAYS 30 /* a link works */

/* The secret: the content of `file` without a final newline, or, if that is NULL or empty, of
 * ARDA_UNSUBSCRIBE_TOKEN_SECRET or UNSUBSCRIBE_TOKEN_SECRET. `*key` is NULL and the result
 * BASE_ERR_NOTFOUND when there is none; otherwise as arda_token_key_load. */
int arda_unsubscribe_key_load(const char *file, struct arda_token_key **key, struct base_why *why);

struct arda_unsubscribe {
    char tenant[ARDA_ID_MAX + 1];
    char user[ARDA_ID_MAX + 1];
    enum arda_notify_type type;
    enum arda_notify_channel channel;
};

/* Appends a token that expires ARDA_UNSUBSCRIBE_DAYS after `now_ms`. `key` must be a secret:
 * BASE_ERR_CONFIG else; BASE_ERR_NOMEM, BASE_ERR_INTERNAL. `out` is then unchanged. */
int arda_unsubscribe_mint(const struct arda_token_key *key, const struct arda_unsubscribe *what,
                          int64_t now_ms, struct base_buf *out);

/* One that would last longer than a new one, clocks differing by five minutes at most, is denied.
 * 0; BASE_ERR_DENIED with a reason that does not quote the token; BASE_ERR_TIMEOUT for one that was
 * good and has expired; BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
int arda_unsubscribe_verify(const struct arda_token_key *key, const char *token, size_t len,
                            int64_t now_ms, struct arda_unsubscribe *what, struct base_why *why);

#endif
