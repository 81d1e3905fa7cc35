/* SPDX-License-Identifier: ISC
 *
 * Ends of attempts, until Redis has them. While it is away they wait, however long: a good end
 * counts even when the lease is over. What Redis refuses is given up with the lease, for another
 * attempt is then as good as any.
 */
#include "deliver/internal.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

enum end_kind { END_SETTLE, END_RELEASE, END_HOLD };

struct end {
    struct base_list link; /* in `waiting`, else alone */
    struct deliver *deliver;
    struct arda_delivery *delivery;
    enum end_kind kind;
    uint64_t begun_us;
    int64_t due_ms; /* of a release or hold */
    struct arda_delivery_settlement settlement;
    char text[ARDA_DELIVERY_ERROR_MAX + 1];
    bool digest;
    char digest_id[BASE_UUID_LEN + 1];
};

static void free_end(struct end *end)
{
    struct deliver *deliver = end->deliver;
    struct arda_delivery *delivery = end->delivery;
    base_list_remove(&end->link);
    base_free(end);
    deliver_left(deliver, delivery);
}

static bool is_outage(int result)
{
    return result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE || result == BASE_ERR_AGAIN;
}

static void note_result(struct deliver *deliver, const struct end *end,
                        const struct arda_delivery_settled *settled)
{
    if (settled->late && end->kind == END_SETTLE)
        deliver->stats.late++;
    if (!settled->disabled)
        return;
    deliver->stats.disabled++;
    deliver->alerted_us = 0;
    base_log(BASE_LOG_WARNING, "the webhook of %s was disabled: %s", end->delivery->tenant,
             end->text);
}

static void wait_or_drop(struct end *end, int result, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct deliver *deliver = end->deliver;
    uint64_t age_us = base_clock_mono_us() - end->begun_us;
    if (!is_outage(result))
        base_log_limited(&limit, BASE_LOG_ERROR, "delivery %s of %s: %s", end->delivery->id,
                         end->delivery->tenant, why ? why->text : base_err_text(result));
    bool over = !is_outage(result) && age_us / 1000 > (uint64_t)deliver->lease_ms;
    if (deliver->closed || over)
        free_end(end);
    else
        base_list_append(&deliver->waiting, &end->link);
}

static void on_told(void *data, int result, const struct arda_delivery_settled *settled,
                    const struct base_why *why)
{
    struct end *end = data;
    end->deliver->told--;
    if (result) {
        wait_or_drop(end, result, why);
        return;
    }
    note_result(end->deliver, end, settled);
    free_end(end);
}

static void tell(struct end *end)
{
    struct deliver *deliver = end->deliver;
    int64_t now_ms = base_clock_wall_ms();
    const char *schedule = end->digest ? end->delivery->digest.data : NULL;
    int failed = BASE_ERR_INTERNAL;
    switch (end->kind) {
    case END_SETTLE:
        end->settlement.now_ms = now_ms;
        failed = arda_delivery_settle(deliver->bus, &end->settlement, on_told, end);
        break;
    case END_RELEASE:
        failed = arda_delivery_release(deliver->bus, end->delivery, end->due_ms, on_told, end);
        break;
    case END_HOLD:
        failed = arda_delivery_hold(deliver->bus, end->delivery, end->due_ms, schedule,
                                    end->digest_id, now_ms, on_told, end);
        break;
    }
    if (failed)
        wait_or_drop(end, failed, NULL);
    else
        deliver->told++;
}

/* Without memory the lease ends by itself. */
static struct end *new_end(struct deliver *deliver, struct arda_delivery *delivery,
                           enum end_kind kind)
{
    struct end *end = base_calloc(1, sizeof *end);
    if (!end) {
        deliver_left(deliver, delivery);
        return NULL;
    }
    base_list_init(&end->link);
    end->deliver = deliver;
    end->delivery = delivery;
    end->kind = kind;
    end->begun_us = base_clock_mono_us();
    return end;
}

/* Of whole characters; no end is lost for a text that Redis would not get. */
static void copy_text(char out[static ARDA_DELIVERY_ERROR_MAX + 1], const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (!base_utf8_valid(text, len)) {
        text = "the reason is no UTF-8";
        len = strlen(text);
    }
    if (len > ARDA_DELIVERY_ERROR_MAX)
        len = base_utf8_cut(text, ARDA_DELIVERY_ERROR_MAX);
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

void deliver_settle(struct deliver *deliver, struct arda_delivery *delivery,
                    const struct arda_delivery_settlement *settlement)
{
    struct end *end = new_end(deliver, delivery, END_SETTLE);
    if (!end)
        return;
    copy_text(end->text, settlement->text);
    end->settlement = *settlement;
    end->settlement.delivery = delivery;
    end->settlement.text = end->text;
    end->settlement.retain_ms = deliver->options.retain_ms;
    tell(end);
}

void deliver_release(struct deliver *deliver, struct arda_delivery *delivery, int64_t due_ms)
{
    struct end *end = new_end(deliver, delivery, END_RELEASE);
    if (!end)
        return;
    end->due_ms = due_ms;
    tell(end);
}

void deliver_hold(struct deliver *deliver, struct arda_delivery *delivery, int64_t until_ms,
                  bool digest)
{
    struct end *end = new_end(deliver, delivery, END_HOLD);
    if (!end)
        return;
    end->due_ms = until_ms;
    end->digest = digest && base_id_uuid7(end->digest_id) == BASE_OK;
    tell(end);
}

void deliver_settle_again(struct deliver *deliver)
{
    struct base_list again;
    base_list_init(&again);
    base_list_splice(&again, &deliver->waiting);
    BASE_LIST_FOREACH_SAFE (link, &again) {
        base_list_remove(link);
        tell(base_container(link, struct end, link));
    }
}

void deliver_settle_fini(struct deliver *deliver)
{
    size_t count = 0;
    if (!deliver->waiting.next)
        return;
    for (; !base_list_empty(&deliver->waiting); count++)
        free_end(base_container(deliver->waiting.next, struct end, link));
    if (count > 0)
        base_log(BASE_LOG_WARNING, "%zu ends of deliveries could not be recorded", count);
}
