/* SPDX-License-Identifier: ISC
 *
 * The end of an attempt is one step with what it says of the endpoint, so that all daemons see the
 * same endpoint, and so that an answer that got lost and is given again does not count twice: the
 * lease has gone with the first time.
 */
#include "arda/delivery/internal.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

ARDA_SCRIPT(delivery_settle);

static const char *const verdicts[] = {
    [ARDA_ENDPOINT_UNTOUCHED] = "",      [ARDA_ENDPOINT_WELL] = "well",
    [ARDA_ENDPOINT_FAILING] = "failing", [ARDA_ENDPOINT_BUSY] = "busy",
    [ARDA_ENDPOINT_GONE] = "gone",
};

/* At most so much of the text as a record keeps. */
static void cut_text(const char *text, char out[static ARDA_DELIVERY_ERROR_MAX + 1])
{
    size_t len = text ? strlen(text) : 0;
    if (len > ARDA_DELIVERY_ERROR_MAX)
        len = base_utf8_cut(text, ARDA_DELIVERY_ERROR_MAX);
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

/* `at` comes first: the script looks for it to find where an attempt begins. */
static int write_attempt(struct base_buf *out, const struct arda_delivery_settlement *settlement,
                         const char *at, const char *text)
{
    int failed = base_buf_printf(out, "{\"at\":\"%s\",\"status\":", at);
    failed |= settlement->answer ? base_buf_printf(out, "%d", settlement->answer)
                                 : base_buf_add_text(out, "null");
    failed |= base_buf_add_text(out, ",\"text\":");
    failed |= base_json_quote(out, text, strlen(text));
    failed |= base_buf_printf(out, ",\"durationMs\":%lld}", (long long)settlement->duration_ms);
    return failed || !base_buf_cstr(out) ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_delivery_settle(struct arda_bus *bus, const struct arda_delivery_settlement *settlement,
                         arda_delivery_settle_fn done, void *data)
{
    const struct arda_delivery *delivery = settlement->delivery;
    char now[DELIVERY_MS_LEN], due[DELIVERY_MS_LEN] = "", spare[DELIVERY_MS_LEN];
    char cutoff[DELIVERY_MS_LEN] = "", text[ARDA_DELIVERY_ERROR_MAX + 1];
    char iso[BASE_RFC3339_LEN + 1], due_iso[BASE_RFC3339_LEN + 1], at[BASE_RFC3339_LEN + 1];
    struct base_buf attempt = BASE_BUF_INIT;
    if (settlement->text && !base_utf8_valid(settlement->text, strlen(settlement->text)))
        return BASE_ERR_INVALID;
    cut_text(settlement->text, text);
    arda_delivery_ms(settlement->now_ms, now);
    arda_delivery_ms(settlement->spare_ms, spare);
    if (settlement->status == ARDA_DELIVERY_PENDING)
        arda_delivery_ms(settlement->due_ms, due);
    if (settlement->retain_ms > 0)
        arda_delivery_ms(settlement->now_ms - settlement->retain_ms, cutoff);
    base_rfc3339_format(settlement->now_ms, iso);
    base_rfc3339_format(settlement->due_ms, due_iso);
    base_rfc3339_format(settlement->now_ms - settlement->duration_ms, at);
    int failed = settlement->attempted ? write_attempt(&attempt, settlement, at, text) : BASE_OK;
    if (!failed) {
        const char *argv[] = {
            arda_bus_prefix(bus),
            delivery->tenant,
            arda_notify_channel_name(delivery->channel),
            delivery->id,
            delivery->lease,
            now,
            iso,
            arda_delivery_status_name(settlement->status),
            due,
            due_iso,
            settlement->attempted ? attempt.data : "",
            at,
            text,
            verdicts[settlement->endpoint],
            spare,
            cutoff,
            delivery->url.len > 0 ? delivery->url.data : "",
        };
        failed = arda_delivery_change(bus, &arda_delivery_settle_script,
                                      (int)(sizeof argv / sizeof argv[0]), argv, done, data);
    }
    base_buf_fini(&attempt);
    return failed;
}
