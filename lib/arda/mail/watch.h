/* SPDX-License-Identifier: ISC
 *
 * watch: whether a mail relay works, from the ends of attempts, and when that is worth a line
 * in a log: at the first failure, again every few minutes while it lasts, and when it is over.
 * Threads: one at a time.
 */
#ifndef ARDA_MAIL_WATCH_H
#define ARDA_MAIL_WATCH_H

#include "arda/mail/send.h"

#define ARDA_MAIL_WATCH_US (300 * 1000000ull) /* between two lines about failures */

/* Zeroed: nothing has been attempted, and the relay is taken for one that works. */
struct arda_mail_watch {
    bool down;
    bool reported; /* this failure */
    bool ever;     /* a failure has been reported at all */
    uint64_t reported_us;
    uint64_t failed; /* attempts, since the last line */
};

enum arda_mail_news {
    ARDA_MAIL_NO_NEWS,
    ARDA_MAIL_FAILS, /* worth a line now */
    ARDA_MAIL_STILL_FAILS,
    ARDA_MAIL_WORKS_AGAIN, /* after a failure that was reported */
};

/* Notes the end of an attempt, at a time of the monotonic clock. `failed` gets how many attempts
 * have failed for the relay's sake since the last news, this one included. */
enum arda_mail_news arda_mail_watch_note(struct arda_mail_watch *watch,
                                         enum arda_mail_relay_state state, uint64_t now_us,
                                         uint64_t *failed);

#endif
