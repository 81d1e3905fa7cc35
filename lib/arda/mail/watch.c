/* SPDX-License-Identifier: ISC
 *
 * A relay that fails now and then is reported no more often than one that is down: what is not
 * reported when it begins may be later, with the count of all that has failed since the last line.
 */
#include "arda/mail/watch.h"

static enum arda_mail_news on_failure(struct arda_mail_watch *watch, uint64_t now_us,
                                      uint64_t *failed)
{
    bool again = watch->reported;
    watch->down = true;
    watch->failed++;
    *failed = watch->failed;
    if (watch->ever && now_us - watch->reported_us < ARDA_MAIL_WATCH_US)
        return ARDA_MAIL_NO_NEWS;
    watch->reported = watch->ever = true;
    watch->reported_us = now_us;
    watch->failed = 0;
    return again ? ARDA_MAIL_STILL_FAILS : ARDA_MAIL_FAILS;
}

static enum arda_mail_news on_success(struct arda_mail_watch *watch, uint64_t *failed)
{
    bool reported = watch->reported;
    *failed = watch->failed;
    watch->down = watch->reported = false;
    if (reported)
        watch->failed = 0;
    return reported ? ARDA_MAIL_WORKS_AGAIN : ARDA_MAIL_NO_NEWS;
}

enum arda_mail_news arda_mail_watch_note(struct arda_mail_watch *watch,
                                         enum arda_mail_relay_state state, uint64_t now_us,
                                         uint64_t *failed)
{
    *failed = 0;
    switch (state) {
    case ARDA_MAIL_RELAY_FAILS: return on_failure(watch, now_us, failed);
    case ARDA_MAIL_RELAY_WORKS: return on_success(watch, failed);
    default: return ARDA_MAIL_NO_NEWS;
    }
}
