/* SPDX-License-Identifier: ISC
 *
 * A daemon claims the channels that it can deliver. Which these are it says to Redis, so that
 * everybody knows what no daemon takes: that waits, and every daemon that leaves it warns of it.
 */
#include "deliver/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define ATTEND_US   5000000u
#define COUNT_US    5000000u
#define PATIENCE_MS 10000        /* that something is due without a warning */
#define WARN_US     300000000ull /* between two warnings */

static const enum arda_notify_channel channels[] = {ARDA_NOTIFY_EMAIL, ARDA_NOTIFY_WEBHOOK};
#define CHANNELS (sizeof channels / sizeof channels[0])

static const char *plural_of(enum arda_notify_channel channel)
{
    return channel == ARDA_NOTIFY_EMAIL ? "e-mails" : "webhooks";
}

static bool takes(const struct deliver *deliver, enum arda_notify_channel channel)
{
    return deliver->on && deliver->channels & ARDA_NOTIFY_BIT(channel);
}

static bool takes_all(const struct deliver *deliver)
{
    for (size_t i = 0; i < CHANNELS; i++)
        if (!takes(deliver, channels[i]))
            return false;
    return true;
}

void deliver_attend_init(const struct deliver *deliver)
{
    for (size_t i = 0; deliver->on && i < CHANNELS; i++)
        if (!takes(deliver, channels[i]))
            base_log(BASE_LOG_INFO, "%s: this daemon leaves %s to others",
                     deliver->why_left[channels[i]], plural_of(channels[i]));
}

/* ---- a warning ---- */

static void warn(struct deliver *deliver, enum arda_notify_channel channel)
{
    char age[BASE_TEXT_AGE_MAX];
    uint64_t now_us = base_clock_mono_us(), due = deliver->stats.counts.unattended[channel].due;
    int64_t age_ms = base_clock_wall_ms() - deliver->stats.counts.unattended[channel].oldest_ms;
    const char *why = deliver->why_left[channel];
    if (takes(deliver, channel) || due == 0 || age_ms < PATIENCE_MS ||
        (deliver->warned_us[channel] && now_us - deliver->warned_us[channel] < WARN_US))
        return;
    deliver->warned_us[channel] = now_us;
    base_log(BASE_LOG_WARNING, "%" PRIu64 " %s due and no daemon takes %s, for %s%s%s", due,
             channel == ARDA_NOTIFY_EMAIL ? (due == 1 ? "e-mail is" : "e-mails are")
                                          : (due == 1 ? "webhook is" : "webhooks are"),
             due == 1 ? "it" : "them", base_text_age(age_ms, age), why ? ": " : "", why ? why : "");
}

static void on_counts(void *data, int result, const struct arda_delivery_counts *counts)
{
    struct deliver *deliver = data;
    deliver->counting = false;
    if (!result) {
        deliver->stats.counts = *counts;
        for (size_t i = 0; i < CHANNELS; i++)
            warn(deliver, channels[i]);
    }
    deliver_changed(deliver);
}

/* ---- now and then ---- */

static bool is_time(uint64_t *last_us, uint64_t every_us)
{
    uint64_t now_us = base_clock_mono_us();
    if (*last_us != 0 && now_us - *last_us < every_us)
        return false;
    *last_us = now_us;
    return true;
}

void deliver_attend(struct deliver *deliver)
{
    if (deliver->on && is_time(&deliver->attended_us, ATTEND_US)) {
        struct arda_delivery_attendance attendance = {.name = deliver->options.name,
                                                      .channels = deliver->channels};
        memcpy(attendance.why_left, deliver->why_left, sizeof attendance.why_left);
        (void)arda_delivery_attend(deliver->bus, &attendance); /* else the next time */
    }
    bool to_know = deliver->watched || !takes_all(deliver);
    if (to_know && !deliver->counting && is_time(&deliver->counted_us, COUNT_US))
        deliver->counting =
            arda_delivery_count(deliver->bus, base_clock_wall_ms(), on_counts, deliver) == BASE_OK;
}
