/* SPDX-License-Identifier: ISC
 *
 * Happy path: something is due, a claim gives it, its channel makes an attempt, the end is written
 * down, and that makes room for the next claim. One claim is on its way at a time.
 */
#include "deliver/internal.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/mail.h"

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

static const struct deliver_channel *const channels[] = {&deliver_webhook, &deliver_mail};
#define CHANNELS (sizeof channels / sizeof channels[0])

static const struct deliver_channel *channel_of(const struct arda_delivery *delivery)
{
    return delivery->channel == ARDA_NOTIFY_WEBHOOK ? &deliver_webhook : &deliver_mail;
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

void deliver_left(struct deliver *deliver, struct arda_delivery *delivery)
{
    char name[ARDA_DELIVERY_LANE_MAX + 1];
    size_t len = name_lane(delivery, name);
    struct lane *lane = base_map_get(&deliver->lanes, name, len);
    if (--lane->in_flight == 0) {
        base_map_remove(&deliver->lanes, name, len);
        base_free(lane);
    }
    deliver->in_flight--;
    deliver->wanted = true;
    arda_delivery_free(delivery);
    deliver_changed(deliver);
}

/* ---- the end of an attempt ---- */

static void free_job(struct deliver_job *job)
{
    base_list_remove(&job->link);
    job->deliver->stats.under_way[job->delivery->channel]--;
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
static void try_again(const struct deliver *deliver, const struct arda_delivery *delivery,
                      const struct deliver_result *result,
                      struct arda_delivery_settlement *settlement)
{
    int64_t pause_ms =
        arda_retry_schedule_pause(&deliver->schedule, delivery->attempts + result->attempted,
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
    case ARDA_OUTCOME_DONE: return ARDA_ENDPOINT_WELL;
    case ARDA_OUTCOME_RETRY: return ARDA_ENDPOINT_FAILING;
    case ARDA_OUTCOME_SLOW_DOWN: return ARDA_ENDPOINT_BUSY;
    case ARDA_OUTCOME_GONE: return ARDA_ENDPOINT_GONE;
    default: return result->answer ? ARDA_ENDPOINT_FAILING : ARDA_ENDPOINT_UNTOUCHED;
    }
}

void deliver_done(struct deliver_job *job, const struct deliver_result *result)
{
    struct deliver *deliver = job->deliver;
    struct arda_delivery *delivery = job->delivery;
    struct arda_delivery_settlement settlement = {
        .attempted = result->attempted,
        .answer = result->answer,
        .text = result->text,
        .duration_ms = result->duration_ms,
        .endpoint = judge(delivery, result),
        .spare_ms = result->outcome == ARDA_OUTCOME_SLOW_DOWN ? result->retry_after_ms : 0,
    };
    deliver->stats.outcomes[delivery->channel][result->outcome]++;
    switch (result->outcome) {
    case ARDA_OUTCOME_DONE: settlement.status = channel_of(delivery)->taken; break;
    case ARDA_OUTCOME_RETRY:
    case ARDA_OUTCOME_SLOW_DOWN: try_again(deliver, delivery, result, &settlement); break;
    case ARDA_OUTCOME_BOUNCED: settlement.status = ARDA_DELIVERY_BOUNCED; break;
    default: settlement.status = ARDA_DELIVERY_FAILED; break;
    }
    base_log(BASE_LOG_DEBUG, "delivery %s of %s by %s: %s%s%s", delivery->id, delivery->tenant,
             arda_notify_channel_name(delivery->channel),
             arda_delivery_status_name(settlement.status), result->text ? ": " : "",
             result->text ? result->text : "");
    deliver_settle(deliver, delivery, &settlement);
    free_job(job);
}

void deliver_done_soon(struct deliver_job *job, const struct deliver_result *result)
{
    struct deliver *deliver = job->deliver;
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

static void fail_delivery(struct deliver *deliver, struct arda_delivery *delivery, const char *text)
{
    const struct arda_delivery_settlement settlement = {.status = ARDA_DELIVERY_FAILED,
                                                        .text = text};
    deliver->stats.outcomes[delivery->channel][ARDA_OUTCOME_FAILED]++;
    deliver_settle(deliver, delivery, &settlement);
}

/* Its schedule is over, and no daemon was there to attempt it. */
static void give_up(struct deliver *deliver, struct arda_delivery *delivery)
{
    char text[ARDA_DELIVERY_ERROR_MAX + 1];
    const char *why = deliver->why_left[delivery->channel];
    snprintf(text, sizeof text, "no daemon has taken it within the retry schedule%s%s",
             why ? ": " : "", why ? why : "");
    fail_delivery(deliver, delivery, text);
}

static void attempt(struct deliver *deliver, struct arda_delivery *delivery)
{
    struct deliver_job *job = base_calloc(1, sizeof *job);
    if (!job) {
        deliver_release(deliver, delivery, base_clock_wall_ms() + PAUSE_MS);
        return;
    }
    job->deliver = deliver;
    job->delivery = delivery;
    base_list_append(&deliver->jobs, &job->link);
    deliver->stats.under_way[delivery->channel]++;
    if (channel_of(delivery)->begin(job) < 0) {
        free_job(job);
        deliver_release(deliver, delivery, base_clock_wall_ms() + PAUSE_MS);
    }
}

/* Whether it has to wait still; then it has been put off. */
static bool put_off(struct deliver *deliver, struct arda_delivery *delivery)
{
    int64_t now_ms = base_clock_wall_ms();
    int64_t first_ms = delivery->created_ms + deliver->schedule.pause_ms[0];
    bool digest = false;
    if (delivery->attempts == 0 && deliver->schedule.pause_ms[0] > 0 && first_ms > now_ms) {
        deliver_release(deliver, delivery, first_ms);
        return true;
    }
    if (delivery->channel != ARDA_NOTIFY_EMAIL)
        return false;
    int64_t until_ms = deliver_hold_until(delivery, now_ms, &digest);
    if (until_ms <= now_ms)
        return false;
    deliver->stats.held++;
    deliver_hold(deliver, delivery, until_ms, digest);
    return true;
}

static void on_delivery(void *data, struct arda_delivery *delivery)
{
    struct deliver *deliver = data;
    if (enter_lane(deliver, delivery) < 0) {
        (void)arda_delivery_release(deliver->bus, delivery, base_clock_wall_ms(), NULL, NULL);
        arda_delivery_free(delivery);
        return;
    }
    deliver->stats.taken_over += delivery->taken_over;
    if (deliver->stopping || deliver->closed)
        deliver_release(deliver, delivery, base_clock_wall_ms());
    else if (delivery->off)
        fail_delivery(deliver, delivery, ARDA_DELIVERY_OFF);
    else if (delivery->unattended)
        give_up(deliver, delivery);
    else if (delivery->channel == ARDA_NOTIFY_WEBHOOK && delivery->url.len == 0)
        fail_delivery(deliver, delivery, "the tenant has no webhook");
    else if (delivery->channel == ARDA_NOTIFY_WEBHOOK && !delivery->endpoint_enabled)
        fail_delivery(deliver, delivery, "the tenant's webhook is disabled");
    else if (!put_off(deliver, delivery))
        attempt(deliver, delivery);
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
    struct deliver *deliver = timer->data;
    if (deliver->closed)
        return;
    deliver->wanted = true;
    wait_for(deliver, POLL_MS);
    deliver->host.turn(deliver->host.data);
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
    struct deliver *deliver = data;
    deliver->claiming = false;
    if (result && result != BASE_ERR_CLOSED && result != BASE_ERR_UNAVAILABLE)
        report(why->text);
    int64_t pause_ms = next_ms - base_clock_wall_ms();
    if (!deliver->closed)
        wait_for(deliver, result || next_ms < 0 ? POLL_MS : pause_ms < 0 ? 0 : pause_ms);
    deliver_changed(deliver);
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

static void claim(struct deliver *deliver)
{
    const struct arda_delivery_claimer claimer = {on_delivery, on_claimed, deliver};
    char lease[BASE_UUID_LEN + 1];
    int64_t span_ms = arda_retry_schedule_span(&deliver->schedule);
    struct arda_delivery_claim claim = {
        .now_ms = base_clock_wall_ms(),
        .lease_ms = deliver->lease_ms,
        .channels = deliver->channels,
        .patience_ms = span_ms > 0 ? span_ms : 1,
        .max = (uint32_t)(deliver->options.max - deliver->in_flight),
        .per_lane = deliver->options.per_lane,
        .lease = lease,
    };
    struct arda_delivery_share *shares = list_shares(deliver, &claim.share_count);
    claim.shares = shares;
    deliver->wanted = false;
    int failed = shares ? base_id_uuid7(lease) : BASE_ERR_NOMEM;
    if (!failed)
        failed = arda_delivery_claim(deliver->bus, &claim, &claimer);
    if (failed)
        wait_for(deliver, POLL_MS);
    else
        deliver->claiming = true;
    base_free(shares);
}

/* ---- now and then ---- */

static void look_around(struct deliver *deliver)
{
    uint64_t now_us = base_clock_mono_us();
    deliver_attend(deliver);
    if (deliver->on && (deliver->alerted_us == 0 || now_us - deliver->alerted_us >= ALERT_US)) {
        deliver->alerted_us = now_us;
        deliver_disabled(deliver);
    }
}

void deliver_turn(struct deliver *deliver)
{
    if (!deliver || !deliver->options.runs || deliver->closed)
        return;
    finish(deliver);
    if (!base_list_empty(&deliver->waiting) && arda_bus_is_up(deliver->bus) &&
        base_clock_mono_us() - deliver->retried_us >= RETRY_US) {
        deliver->retried_us = base_clock_mono_us();
        deliver_settle_again(deliver);
    }
    if (deliver->stopping || !arda_bus_is_up(deliver->bus))
        return;
    look_around(deliver);
    if (!deliver->on)
        return;
    if (deliver->wanted && !deliver->claiming && deliver->in_flight < deliver->options.max)
        claim(deliver);
}

void deliver_up(struct deliver *deliver)
{
    if (!deliver || !deliver->on)
        return;
    deliver->wanted = true;
    deliver_settle_again(deliver);
}

void deliver_wake(struct deliver *deliver)
{
    if (deliver)
        deliver->wanted = true;
}

void deliver_watch(struct deliver *deliver)
{
    deliver->watched = true;
}

bool deliver_is_idle(const struct deliver *deliver)
{
    return !deliver || (deliver->in_flight == 0 && !deliver->claiming && !deliver->counting &&
                        !deliver->alerting && deliver->alerts == 0);
}

/* ---- begin and end ---- */

static int open_all(struct deliver *deliver, struct base_why *why)
{
    const struct deliver_options *options = &deliver->options;
    if (arda_retry_schedule_parse(options->schedule, &deliver->schedule, why) < 0)
        return base_why_prefix(why, "--retry-schedule");
    int failed = BASE_OK;
    for (size_t i = 0; i < CHANNELS && !failed; i++)
        failed = channels[i]->open(deliver, why);
    return failed;
}

int deliver_new(const struct deliver_options *options, struct deliver **out, struct base_why *why)
{
    struct deliver *deliver = base_calloc(1, sizeof *deliver);
    *out = NULL;
    if (!deliver)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    deliver->options = *options;
    deliver->loop = options->loop;
    deliver->bus = options->bus;
    deliver->host = options->host;
    deliver->on = options->runs && options->on;
    deliver->stats.counts.oldest_ms = -1;
    base_list_init(&deliver->jobs);
    base_list_init(&deliver->finished);
    base_list_init(&deliver->waiting);
    uv_timer_init(deliver->loop, &deliver->timer);
    deliver->timer.data = deliver;
    *out = deliver;
    int failed = open_all(deliver, why);
    if (failed)
        return failed;
    deliver_attend_init(deliver);
    if (options->runs)
        wait_for(deliver, POLL_MS);
    return BASE_OK;
}

void deliver_reload(struct deliver *deliver)
{
    for (size_t i = 0; i < CHANNELS && deliver; i++)
        channels[i]->reload(deliver);
}

void deliver_stop(struct deliver *deliver)
{
    if (deliver)
        deliver->stopping = true;
}

/* The receiver may have got it all the same; it knows the next one by its id. */
bool deliver_break_off(struct deliver *deliver)
{
    if (!deliver)
        return false;
    bool any = deliver->on && !base_list_empty(&deliver->jobs);
    finish(deliver);
    BASE_LIST_FOREACH_SAFE (link, &deliver->jobs) {
        struct deliver_job *job = base_container(link, struct deliver_job, link);
        struct arda_delivery *delivery = job->delivery;
        channel_of(delivery)->cancel(job);
        free_job(job);
        deliver_release(deliver, delivery, base_clock_wall_ms());
    }
    return any;
}

void deliver_close(struct deliver *deliver)
{
    if (!deliver)
        return;
    deliver->closed = true;
    (void)deliver_break_off(deliver);
    uv_close((uv_handle_t *)&deliver->timer, NULL);
    for (size_t i = 0; i < CHANNELS; i++)
        channels[i]->close(deliver);
}

void deliver_free(struct deliver *deliver)
{
    if (!deliver)
        return;
    deliver_settle_fini(deliver);
    for (size_t i = 0; i < CHANNELS; i++)
        channels[i]->free(deliver);
    base_map_fini(&deliver->lanes);
    base_free(deliver);
}

void deliver_get_stats(const struct deliver *deliver, struct deliver_stats *stats)
{
    *stats = deliver ? deliver->stats : (struct deliver_stats){.counts.oldest_ms = -1};
    stats->relay = deliver ? deliver_mail_relay(deliver->mail) : -1;
}
