/* SPDX-License-Identifier: ISC
 *
 * Happy path: something is due, a claim gives it, its channel makes an attempt, the end is written
 * down, and that makes room for the next claim. One claim is on its way at a time.
 */
#include "notifyd.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define POLL_MS   1000    /* other daemons record deliveries, too */
#define PAUSE_MS  1000    /* when an attempt could not even begin */
#define RETRY_US  500000u /* of ends that Redis could not take */
#define ALERT_US  5000000u
#define REPORT_US 60000000u /* between two lines about the same trouble with claims */

/* What of a lane is in flight. */
struct lane {
    uint32_t in_flight;
};

const char *deliver_outcome_name(int outcome)
{
    static const char *const names[] = {
#define NAME_(outcome, name) name,
        DELIVER_OUTCOME_MAP(NAME_)
#undef NAME_
    };
    return names[outcome];
}

/* ---- what is in flight ---- */

static size_t name_lane(const struct arda_delivery *delivery,
                        char out[static ARDA_DELIVERY_LANE_MAX + 1])
{
    return (size_t)snprintf(out, ARDA_DELIVERY_LANE_MAX + 1, "%s:%s", delivery->tenant,
                            arda_notify_channel_name(delivery->channel));
}

static int enter_lane(struct deliver *deliver, const struct arda_delivery *delivery)
{
    char name[ARDA_DELIVERY_LANE_MAX + 1];
    size_t len = name_lane(delivery, name);
    struct lane *lane = base_map_get(&deliver->lanes, name, len);
    if (!lane) {
        lane = base_calloc(1, sizeof *lane);
        if (!lane || base_map_set(&deliver->lanes, name, len, lane) < 0) {
            base_free(lane);
            return BASE_ERR_NOMEM;
        }
    }
    lane->in_flight++;
    deliver->in_flight++;
    return BASE_OK;
}

void deliver_left(struct notifyd *nd, struct arda_delivery *delivery)
{
    char name[ARDA_DELIVERY_LANE_MAX + 1];
    struct deliver *deliver = &nd->deliver;
    size_t len = name_lane(delivery, name);
    struct lane *lane = base_map_get(&deliver->lanes, name, len);
    if (--lane->in_flight == 0) {
        base_map_remove(&deliver->lanes, name, len);
        base_free(lane);
    }
    deliver->in_flight--;
    deliver->wanted = true;
    arda_delivery_free(delivery);
    notifyd_check_end(nd);
}

/* ---- the end of an attempt ---- */

static void free_job(struct deliver_job *job)
{
    base_list_remove(&job->link);
    job->nd->deliver.jobs_of[job->delivery->channel]--;
    base_free(job);
}

static uint32_t any_number(void)
{
    char id[BASE_UUID_LEN + 1];
    static uint64_t turn;
    if (base_id_uuid7(id) < 0)
        return 0;
    turn++;
    return (uint32_t)(base_map_hash(id, BASE_UUID_LEN) ^ turn);
}

/* Due again by the schedule, or given up. */
static void try_again(const struct notifyd *nd, const struct arda_delivery *delivery,
                      const struct deliver_result *result,
                      struct arda_delivery_settlement *settlement)
{
    int64_t pause_ms =
        arda_retry_schedule_pause(&nd->deliver.schedule, delivery->attempts + result->attempted,
                                  result->retry_after_ms, any_number());
    settlement->status = pause_ms < 0 ? ARDA_DELIVERY_FAILED : ARDA_DELIVERY_PENDING;
    settlement->due_ms = base_clock_wall_ms() + (pause_ms < 0 ? 0 : pause_ms);
}

/* An answer that refuses this delivery for good says, too, that the endpoint does not do what it
 * should; a URL or an address that is not allowed was never asked. */
static enum arda_endpoint_verdict judge(const struct arda_delivery *delivery,
                                        const struct deliver_result *result)
{
    if (delivery->channel != ARDA_NOTIFY_WEBHOOK || !result->attempted)
        return ARDA_ENDPOINT_UNTOUCHED;
    switch (result->outcome) {
    case DELIVER_DONE: return ARDA_ENDPOINT_WELL;
    case DELIVER_RETRY: return ARDA_ENDPOINT_FAILING;
    case DELIVER_SLOW_DOWN: return ARDA_ENDPOINT_BUSY;
    case DELIVER_GONE: return ARDA_ENDPOINT_GONE;
    default: return result->answer ? ARDA_ENDPOINT_FAILING : ARDA_ENDPOINT_UNTOUCHED;
    }
}

void deliver_done(struct deliver_job *job, const struct deliver_result *result)
{
    struct notifyd *nd = job->nd;
    struct arda_delivery *delivery = job->delivery;
    struct arda_delivery_settlement settlement = {
        .attempted = result->attempted,
        .answer = result->answer,
        .text = result->text,
        .duration_ms = result->duration_ms,
        .endpoint = judge(delivery, result),
        .spare_ms = result->outcome == DELIVER_SLOW_DOWN ? result->retry_after_ms : 0,
    };
    nd->deliver.outcomes[delivery->channel][result->outcome]++;
    switch (result->outcome) {
    case DELIVER_DONE:
        settlement.status =
            delivery->channel == ARDA_NOTIFY_WEBHOOK ? ARDA_DELIVERY_DELIVERED : ARDA_DELIVERY_SENT;
        break;
    case DELIVER_RETRY:
    case DELIVER_SLOW_DOWN: try_again(nd, delivery, result, &settlement); break;
    case DELIVER_BOUNCED: settlement.status = ARDA_DELIVERY_BOUNCED; break;
    default: settlement.status = ARDA_DELIVERY_FAILED; break;
    }
    base_log(BASE_LOG_DEBUG, "delivery %s of %s by %s: %s%s%s", delivery->id, delivery->tenant,
             arda_notify_channel_name(delivery->channel),
             arda_delivery_status_name(settlement.status), result->text ? ": " : "",
             result->text ? result->text : "");
    deliver_settle(nd, delivery, &settlement);
    free_job(job);
}

void deliver_done_soon(struct deliver_job *job, const struct deliver_result *result)
{
    struct deliver *deliver = &job->nd->deliver;
    job->result = *result;
    snprintf(job->text, sizeof job->text, "%s", result->text ? result->text : "");
    job->result.text = job->text;
    base_list_remove(&job->link);
    base_list_append(&deliver->finished, &job->link);
}

static void finish(struct deliver *deliver)
{
    while (!base_list_empty(&deliver->finished)) {
        struct deliver_job *job = base_container(deliver->finished.next, struct deliver_job, link);
        deliver_done(job, &job->result);
    }
}

/* ---- the beginning of an attempt ---- */

static void fail_delivery(struct notifyd *nd, struct arda_delivery *delivery, const char *text)
{
    const struct arda_delivery_settlement settlement = {.status = ARDA_DELIVERY_FAILED,
                                                        .text = text};
    nd->deliver.outcomes[delivery->channel][DELIVER_FAILED]++;
    deliver_settle(nd, delivery, &settlement);
}

/* Its schedule is over, and no daemon was there to attempt it. */
static void give_up(struct notifyd *nd, struct arda_delivery *delivery)
{
    char text[ARDA_DELIVERY_ERROR_MAX + 1];
    const char *why = nd->deliver.why_left[delivery->channel];
    snprintf(text, sizeof text, "no daemon has taken it within the retry schedule%s%s",
             why ? ": " : "", why ? why : "");
    fail_delivery(nd, delivery, text);
}

static void attempt(struct notifyd *nd, struct arda_delivery *delivery)
{
    struct deliver *deliver = &nd->deliver;
    struct deliver_job *job = base_calloc(1, sizeof *job);
    if (!job) {
        deliver_release(nd, delivery, base_clock_wall_ms() + PAUSE_MS);
        return;
    }
    job->nd = nd;
    job->delivery = delivery;
    base_list_append(&deliver->jobs, &job->link);
    deliver->jobs_of[delivery->channel]++;
    int failed = delivery->channel == ARDA_NOTIFY_WEBHOOK ? deliver_webhook_begin(job)
                                                          : deliver_mail_begin(job);
    if (failed) {
        free_job(job);
        deliver_release(nd, delivery, base_clock_wall_ms() + PAUSE_MS);
    }
}

/* Whether it has to wait still; then it has been put off. */
static bool put_off(struct notifyd *nd, struct arda_delivery *delivery)
{
    int64_t now_ms = base_clock_wall_ms();
    int64_t first_ms = delivery->created_ms + nd->deliver.schedule.pause_ms[0];
    bool digest = false;
    if (delivery->attempts == 0 && nd->deliver.schedule.pause_ms[0] > 0 && first_ms > now_ms) {
        deliver_release(nd, delivery, first_ms);
        return true;
    }
    if (delivery->channel != ARDA_NOTIFY_EMAIL)
        return false;
    int64_t until_ms = deliver_hold_until(delivery, now_ms, &digest);
    if (until_ms <= now_ms)
        return false;
    nd->deliver.held++;
    deliver_hold(nd, delivery, until_ms, digest);
    return true;
}

static void on_delivery(void *data, struct arda_delivery *delivery)
{
    struct notifyd *nd = data;
    if (enter_lane(&nd->deliver, delivery) < 0) {
        (void)arda_delivery_release(nd->bus, delivery, base_clock_wall_ms(), NULL, NULL);
        arda_delivery_free(delivery);
        return;
    }
    nd->deliver.taken_over += delivery->taken_over;
    if (nd->stopping || nd->closed)
        deliver_release(nd, delivery, base_clock_wall_ms());
    else if (delivery->off)
        fail_delivery(nd, delivery, ARDA_DELIVERY_OFF);
    else if (delivery->unattended)
        give_up(nd, delivery);
    else if (delivery->channel == ARDA_NOTIFY_WEBHOOK && delivery->url.len == 0)
        fail_delivery(nd, delivery, "the tenant has no webhook");
    else if (delivery->channel == ARDA_NOTIFY_WEBHOOK && !delivery->endpoint_enabled)
        fail_delivery(nd, delivery, "the tenant's webhook is disabled");
    else if (!put_off(nd, delivery))
        attempt(nd, delivery);
}

/* ---- claims ---- */

static void on_timer(uv_timer_t *timer);

static void wait_for(struct deliver *deliver, int64_t pause_ms)
{
    uint64_t pause = pause_ms < 0 || pause_ms > POLL_MS ? POLL_MS : (uint64_t)pause_ms;
    uv_timer_start(&deliver->timer, on_timer, pause, 0);
}

/* Ends that wait for Redis need a turn now and then, too. */
static void on_timer(uv_timer_t *timer)
{
    struct notifyd *nd = timer->data;
    if (nd->closed)
        return;
    nd->deliver.wanted = true;
    wait_for(&nd->deliver, POLL_MS);
    notifyd_turn(nd);
}

/* The same trouble comes back with each claim, such as a permission that is missing. */
static void report(const char *text)
{
    static char last[256];
    static uint64_t reported_us;
    uint64_t now_us = base_clock_mono_us();
    if (strncmp(last, text, sizeof last - 1) == 0 && now_us - reported_us < REPORT_US)
        return;
    snprintf(last, sizeof last, "%s", text);
    reported_us = now_us;
    base_log(BASE_LOG_ERROR, "deliveries: %s", text);
}

static void on_claimed(void *data, int result, int64_t next_ms, const struct base_why *why)
{
    struct notifyd *nd = data;
    nd->deliver.claiming = false;
    if (result && result != BASE_ERR_CLOSED && result != BASE_ERR_UNAVAILABLE)
        report(why->text);
    int64_t pause_ms = next_ms - base_clock_wall_ms();
    if (!nd->closed)
        wait_for(&nd->deliver, result || next_ms < 0 ? POLL_MS : pause_ms < 0 ? 0 : pause_ms);
    notifyd_check_end(nd);
}

/* A name and a number for each lane; NULL: no memory. */
static struct arda_delivery_share *list_shares(const struct deliver *deliver, size_t *count)
{
    struct arda_delivery_share *shares = base_calloc(deliver->lanes.count + 1, sizeof *shares);
    size_t cursor = 0;
    struct base_map_entry *entry;
    *count = 0;
    while (shares && (entry = base_map_next(&deliver->lanes, &cursor))) {
        const struct lane *lane = entry->value;
        shares[(*count)++] = (struct arda_delivery_share){entry->key, lane->in_flight};
    }
    return shares;
}

static void claim(struct notifyd *nd)
{
    struct deliver *deliver = &nd->deliver;
    const struct arda_delivery_claimer claimer = {on_delivery, on_claimed, nd};
    char lease[BASE_UUID_LEN + 1];
    int64_t span_ms = arda_retry_schedule_span(&deliver->schedule);
    struct arda_delivery_claim claim = {
        .now_ms = base_clock_wall_ms(),
        .lease_ms = deliver->lease_ms,
        .channels = deliver->channels,
        .patience_ms = span_ms > 0 ? span_ms : 1,
        .max = (uint32_t)((size_t)nd->settings.deliveries_in_flight - deliver->in_flight),
        .per_lane = (uint32_t)nd->settings.per_endpoint,
        .lease = lease,
    };
    struct arda_delivery_share *shares = list_shares(deliver, &claim.share_count);
    claim.shares = shares;
    deliver->wanted = false;
    deliver->seen = nd->counters.deliveries;
    int failed = shares ? base_id_uuid7(lease) : BASE_ERR_NOMEM;
    if (!failed)
        failed = arda_delivery_claim(nd->bus, &claim, &claimer);
    if (failed)
        wait_for(deliver, POLL_MS);
    else
        deliver->claiming = true;
    base_free(shares);
}

/* ---- now and then ---- */

static void look_around(struct notifyd *nd)
{
    struct deliver *deliver = &nd->deliver;
    uint64_t now_us = base_clock_mono_us();
    deliver_attend(nd);
    if (deliver->on && (deliver->alerted_us == 0 || now_us - deliver->alerted_us >= ALERT_US)) {
        deliver->alerted_us = now_us;
        deliver_alert(nd);
    }
}

void deliver_turn(struct notifyd *nd)
{
    struct deliver *deliver = &nd->deliver;
    if (nd->mode != MODE_RUN || nd->closed)
        return;
    finish(deliver);
    if (!base_list_empty(&deliver->waiting) && arda_bus_is_up(nd->bus) &&
        base_clock_mono_us() - deliver->retried_us >= RETRY_US) {
        deliver->retried_us = base_clock_mono_us();
        deliver_settle_again(nd);
    }
    if (nd->stopping || !arda_bus_is_up(nd->bus))
        return;
    look_around(nd);
    if (!deliver->on)
        return;
    bool wanted = deliver->wanted || deliver->seen != nd->counters.deliveries;
    if (wanted && !deliver->claiming &&
        deliver->in_flight < (size_t)nd->settings.deliveries_in_flight)
        claim(nd);
}

void deliver_up(struct notifyd *nd)
{
    if (!nd->deliver.on)
        return;
    nd->deliver.wanted = true;
    deliver_settle_again(nd);
}

bool deliver_is_idle(const struct notifyd *nd)
{
    const struct deliver *deliver = &nd->deliver;
    return deliver->in_flight == 0 && !deliver->claiming && !deliver->counting &&
           !deliver->alerting && deliver->alerts == 0;
}

/* ---- begin and end ---- */

int deliver_init(struct notifyd *nd, struct base_why *why)
{
    struct deliver *deliver = &nd->deliver;
    base_list_init(&deliver->jobs);
    base_list_init(&deliver->finished);
    base_list_init(&deliver->waiting);
    deliver->counts.oldest_ms = -1;
    if (arda_retry_schedule_parse(nd->settings.retry_schedule, &deliver->schedule, why) < 0)
        return base_why_prefix(why, "--retry-schedule");
    int failed = deliver_webhook_init(nd, why);
    if (!failed)
        failed = deliver_mail_init(nd, why);
    if (failed)
        return failed;
    uv_timer_init(&nd->loop, &deliver->timer);
    deliver->timer.data = nd;
    deliver->on = nd->mode == MODE_RUN && !nd->settings.no_deliver;
    deliver_attend_init(nd);
    if (nd->mode == MODE_RUN)
        wait_for(deliver, POLL_MS);
    return BASE_OK;
}

/* The receiver may have got it all the same; it knows the next one by its id. */
bool deliver_break_off(struct notifyd *nd)
{
    bool any = nd->deliver.on && !base_list_empty(&nd->deliver.jobs);
    finish(&nd->deliver);
    BASE_LIST_FOREACH_SAFE (link, &nd->deliver.jobs) {
        struct deliver_job *job = base_container(link, struct deliver_job, link);
        struct arda_delivery *delivery = job->delivery;
        if (delivery->channel == ARDA_NOTIFY_WEBHOOK)
            deliver_webhook_cancel(job);
        else
            deliver_mail_cancel(job);
        free_job(job);
        deliver_release(nd, delivery, base_clock_wall_ms());
    }
    return any;
}

void deliver_close(struct notifyd *nd)
{
    struct deliver *deliver = &nd->deliver;
    (void)deliver_break_off(nd);
    uv_close((uv_handle_t *)&deliver->timer, NULL);
    deliver_webhook_close(nd);
    deliver_mail_close(nd);
}

void deliver_fini(struct notifyd *nd)
{
    deliver_settle_fini(nd);
    deliver_webhook_fini(nd);
    deliver_mail_fini(nd);
    base_map_fini(&nd->deliver.lanes);
}
