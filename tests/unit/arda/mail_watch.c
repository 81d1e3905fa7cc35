/* SPDX-License-Identifier: ISC */
#include "arda/mail/watch.h"

#include "lib/test.h"

#define MINUTE 60000000ull
#define FAILS  ARDA_MAIL_RELAY_FAILS
#define WORKS  ARDA_MAIL_RELAY_WORKS

static struct arda_mail_watch watch;
static uint64_t failed;

static enum arda_mail_news note(enum arda_mail_relay_state state, uint64_t now_us)
{
    return arda_mail_watch_note(&watch, state, now_us, &failed);
}

static void a_relay_that_works_is_no_news(void)
{
    watch = (struct arda_mail_watch){0};
    CHECK_INT(note(WORKS, 1), ARDA_MAIL_NO_NEWS);
    CHECK_INT(note(ARDA_MAIL_RELAY_UNKNOWN, 2), ARDA_MAIL_NO_NEWS);
    CHECK(!watch.down);
}

static void a_failure_is_reported_at_once_and_again_every_five_minutes(void)
{
    watch = (struct arda_mail_watch){0};
    CHECK_INT(note(FAILS, 7), ARDA_MAIL_FAILS);
    CHECK_INT(failed, 1);
    for (uint64_t i = 1; i < 100; i++)
        CHECK_INT(note(FAILS, 7 + 5 * MINUTE - i), ARDA_MAIL_NO_NEWS);
    CHECK_INT(note(ARDA_MAIL_RELAY_UNKNOWN, 7 + 5 * MINUTE), ARDA_MAIL_NO_NEWS);
    CHECK_INT(note(FAILS, 7 + 5 * MINUTE), ARDA_MAIL_STILL_FAILS);
    CHECK_INT(failed, 100);
    CHECK_INT(note(FAILS, 7 + 10 * MINUTE), ARDA_MAIL_STILL_FAILS);
    CHECK_INT(failed, 1);
    CHECK(watch.down);
}

static void its_end_is_reported_once(void)
{
    watch = (struct arda_mail_watch){0};
    note(FAILS, MINUTE);
    note(FAILS, MINUTE);
    note(FAILS, MINUTE);
    CHECK_INT(note(WORKS, 2 * MINUTE), ARDA_MAIL_WORKS_AGAIN);
    CHECK_INT(failed, 2);
    CHECK(!watch.down);
    CHECK_INT(note(WORKS, 2 * MINUTE), ARDA_MAIL_NO_NEWS);
}

/* One line of each kind in five minutes, and none of an end whose beginning was not reported. */
static void one_that_comes_and_goes_does_not_fill_the_log(void)
{
    int lines = 0;
    watch = (struct arda_mail_watch){0};
    for (uint64_t i = 0; i < 600; i++) { /* for ten minutes */
        lines += note(FAILS, i * 1000000) != ARDA_MAIL_NO_NEWS;
        lines += note(WORKS, i * 1000000 + 1) != ARDA_MAIL_NO_NEWS;
    }
    CHECK_INT(lines, 4);
    CHECK_INT(note(FAILS, 600 * 1000000ull), ARDA_MAIL_FAILS);
    CHECK_INT(failed, 300);
}

int main(void)
{
    RUN(a_relay_that_works_is_no_news);
    RUN(a_failure_is_reported_at_once_and_again_every_five_minutes);
    RUN(its_end_is_reported_once);
    RUN(one_that_comes_and_goes_does_not_fill_the_log);
    return test_end();
}
