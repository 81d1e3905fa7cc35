/* SPDX-License-Identifier: ISC
 *
 * What has become of it: at the end, and meanwhile on a terminal.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static double ms(uint64_t us)
{
    return (double)us / 1000;
}

static double seconds(const struct replay *replay)
{
    bool any = replay->settled_us > replay->began_us;
    return any ? (double)(replay->settled_us - replay->began_us) / 1e6 : 0;
}

static int add_count(struct base_buf *out, uint64_t count, const char *what)
{
    return count ? base_buf_printf(out, "; %s: %" PRIu64, what, count) : BASE_OK;
}

static int write_text(const struct replay *replay, struct base_buf *out)
{
    const struct counts *counts = &replay->counts;
    const struct base_quantile *late = &replay->late_us;
    int failed = base_buf_printf(out, "sent %" PRIu64 " in %.3f s",
                                 counts->sent - counts->sent_before, seconds(replay));
    if (late->count > 0)
        failed |= base_buf_printf(out, ", late p50 %.3f ms, p99 %.3f ms, max %.3f ms",
                                  ms(base_quantile_get(late, 0.5)),
                                  ms(base_quantile_get(late, 0.99)), ms(late->max));
    failed |= add_count(out, counts->sent_before, "sent before");
    failed |= add_count(out, counts->duplicates, "known already");
    failed |= add_count(out, counts->filtered, "left out by --type");
    failed |= add_count(out, counts->bad_lines, "bad lines");
    failed |= add_count(out, counts->gaps, "gaps in the recording");
    failed |= add_count(out, counts->untimed, "without a time");
    return failed | add_count(out, counts->behind, "out of order");
}

static int write_json(const struct replay *replay, struct base_buf *out)
{
    const struct counts *counts = &replay->counts;
    const struct base_quantile *late = &replay->late_us;
    int failed = base_buf_printf(
        out,
        "{\"report\":1,\"run\":\"%s\",\"sent\":%" PRIu64 ",\"sentBefore\":%" PRIu64
        ",\"duplicates\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"badLines\":%" PRIu64
        ",\"gaps\":%" PRIu64 ",\"untimed\":%" PRIu64 ",\"outOfOrder\":%" PRIu64 ",\"seconds\":%.3f",
        replay->run, counts->sent - counts->sent_before, counts->sent_before, counts->duplicates,
        counts->filtered, counts->bad_lines, counts->gaps, counts->untimed, counts->behind,
        seconds(replay));
    if (late->count > 0)
        failed |= base_buf_printf(
            out, ",\"late\":{\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f}}\n",
            ms(base_quantile_get(late, 0.5)), ms(base_quantile_get(late, 0.99)), ms(late->max));
    else
        failed |= base_buf_add_text(out, ",\"late\":null}\n");
    return failed;
}

void report_print(struct replay *replay)
{
    struct base_buf text = BASE_BUF_INIT;
    bool as_json = replay->settings.format == FORMAT_JSON;
    base_progress_end();
    if (!base_log_enabled(BASE_LOG_INFO))
        return;
    int failed = as_json ? write_json(replay, &text) : write_text(replay, &text);
    if (failed || !base_buf_cstr(&text))
        base_log(BASE_LOG_ERROR, "out of memory");
    else if (as_json && write(STDERR_FILENO, text.data, text.len) < 0)
        base_log(BASE_LOG_DEBUG, "the report could not be written");
    else if (!as_json)
        base_log(BASE_LOG_INFO, "%s", text.data);
    base_buf_fini(&text);
}

void report_progress(struct replay *replay)
{
    char at[BASE_RFC3339_LEN + 1];
    if (!base_progress_is_due() || !replay->ledger.has_time)
        return;
    base_rfc3339_format(replay->ledger.time_ms, at);
    base_progress_show("%" PRIu64 " sent, at %s, late %.1f ms at most", replay->counts.sent, at,
                       ms(replay->late_us.max));
}
