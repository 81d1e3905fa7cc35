/* SPDX-License-Identifier: ISC
 *
 * unsubscribe_page: what the reader of an e-mail sees who follows its link to unsubscribe. The
 * pages are made of our own words alone, nothing of a request comes back in them; they have no
 * script, load nothing, and no other site may show them in a frame.
 */
#ifndef UNSUBSCRIBE_PAGE_H
#define UNSUBSCRIBE_PAGE_H

#include "arda/notify/unsubscribe.h"
#include "net/server/server.h"

/* Status; outcome, as in GATEWAY_UNSUBSCRIBE_MAP; heading. */
#define UNSUBSCRIBE_PAGE_MAP(X)                                                                    \
    X(UNSUBSCRIBE_ASK, 200, GATEWAY_UNSUBSCRIBE_SHOWN, "Unsubscribe")                              \
    X(UNSUBSCRIBE_DONE, 200, GATEWAY_UNSUBSCRIBE_DONE, "You are unsubscribed")                     \
    X(UNSUBSCRIBE_EXPIRED, 410, GATEWAY_UNSUBSCRIBE_EXPIRED, "This link has expired")              \
    X(UNSUBSCRIBE_MISSING, 400, GATEWAY_UNSUBSCRIBE_REFUSED, "This link is not complete")          \
    X(UNSUBSCRIBE_DENIED, 403, GATEWAY_UNSUBSCRIBE_REFUSED, "This link is not valid")              \
    X(UNSUBSCRIBE_UNCLEAR, 400, GATEWAY_UNSUBSCRIBE_REFUSED, "Nothing was changed")                \
    X(UNSUBSCRIBE_FOREIGN, 415, GATEWAY_UNSUBSCRIBE_REFUSED, "Nothing was changed")                \
    X(UNSUBSCRIBE_FAILED, 503, GATEWAY_UNSUBSCRIBE_FAILED, "Please try again")

enum unsubscribe_page {
#define UNSUBSCRIBE_PAGE_ENUM_(page, status, outcome, heading) page,
    UNSUBSCRIBE_PAGE_MAP(UNSUBSCRIBE_PAGE_ENUM_)
#undef UNSUBSCRIBE_PAGE_ENUM_
        UNSUBSCRIBE_PAGES
};

/* Once, before any other thread. 0, or BASE_ERR_INTERNAL. */
int unsubscribe_page_prepare(void);
/* Answers the request, which is gone after the call. `what` is only looked at for UNSUBSCRIBE_ASK
 * and _DONE. The request's worker. */
void unsubscribe_page_answer(struct net_request *request, enum unsubscribe_page page,
                             const struct arda_unsubscribe *what);

#endif
