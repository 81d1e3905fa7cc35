/* SPDX-License-Identifier: ISC
 *
 * Which streams to ask when. A tenant is rung by a message on the channel, and all are by a sweep:
 * at the start, when Redis is back, every few seconds, and when another daemon has died. At the end
 * of each turn of the loop those that were rung are asked for together. Doorbells go before sweeps.
 *
 * An answer that was lost may have given us entries that we do not know. Then nothing is read of
 * that tenant until its queue is empty; whatever is pending for us by then belongs to nobody, and
 * is asked for again.
 */
#include "notifyd.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS        250
#define SIGN_US        500000ull
#define SWEEP_US       3000000ull
#define SWEEP_TENANTS  1000 /* with more of them, sweeps are rarer */
#define SCAN_US        60000000ull
#define MAX_TAKES      2
#define STREAMS        32 /* of a take */
#define ENTRIES        256
#define TENANT_ENTRIES 64 /* of each stream, at most */
#define PAUSE_US       300000
#define BEGIN_US       1000000u /* between two questions for the beginning */
#define TENANT_QUEUE   64       /* no more is read of a tenant with so many in its queue */

/* ---- ringing ---- */

static void ring(struct tenant *tenant, struct base_list *list)
{
    if (tenant->taking) {
        tenant->again = true;
        return;
    }
    base_list_remove(&tenant->ring);
    base_list_append(list, &tenant->ring);
}

void intake_ring(struct tenant *tenant)
{
    ring(tenant, &tenant->nd->intake.rung);
}

/* ---- sweeps ---- */

static void end_sweep(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    intake->sweeping = false;
    intake->sweep_us = base_clock_mono_us();
    if (intake->sweep_dead_ms && nd->mode->delivers)
        (void)arda_intake_forget(nd->bus, intake->sweep_dead_ms);
    intake->dead_ms = 0; /* who has died since is told of again */
}

void intake_left(struct tenant *tenant)
{
    struct intake *intake = &tenant->nd->intake;
    if (!tenant->in_sweep)
        return;
    tenant->in_sweep = false;
    if (--intake->sweep_left == 0 && intake->sweeping)
        end_sweep(tenant->nd);
}

void intake_taken(struct tenant *tenant)
{
    if (tenant->take_number >= tenant->sweep_number)
        intake_left(tenant);
}

static void sweep(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    size_t cursor = 0;
    struct base_map_entry *entry;
    intake->sweeping = true;
    intake->sweep_left = nd->tenants.count;
    intake->sweep_dead_ms = intake->dead_ms;
    while ((entry = base_map_next(&nd->tenants, &cursor))) {
        struct tenant *tenant = entry->value;
        tenant->in_sweep = true;
        tenant->sweep_number = tenant->take_number + 1;
        if (base_list_empty(&tenant->ring))
            ring(tenant, &intake->swept);
    }
    if (intake->sweep_left == 0)
        end_sweep(nd);
}

/* ---- what came ---- */

struct take {
    struct notifyd *nd;
    size_t count;
    struct tenant *tenants[STREAMS];
};

static void on_acked(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    (void)result; /* not acknowledged: pending for us, and given again */
    (void)why;
    nd->others_in_flight--;
    notifyd_check_end(nd);
}

static void bury(struct tenant *tenant, const struct arda_intake_entry *entry, const char *reason)
{
    static struct base_log_limit limit;
    struct notifyd *nd = tenant->nd;
    nd->counters.dead_letters++;
    base_log_limited(&limit, BASE_LOG_WARNING, "tenant %s: entry %s of the stream: %s", tenant->id,
                     entry->id, reason);
    if (arda_intake_bury(nd->bus, tenant->id, reason, entry->id, entry->fields, entry->field_count,
                         on_acked, nd) == 0)
        nd->others_in_flight++;
}

/* True: there is nothing to be done with it but to acknowledge it. */
static bool take_entry(struct tenant *tenant, const struct arda_intake_entry *entry)
{
    struct counters *counters = &tenant->nd->counters;
    counters->entries++;
    if (!entry->envelope.data) {
        bury(tenant, entry, "no field \"envelope\"");
        return false;
    }
    struct work_verdict verdict = work_make(tenant, entry->envelope, FROM_STREAM, entry->id);
    switch (verdict.result) {
    case WORK_MADE:
        channel_taken(tenant, &verdict.work->cause);
        work_add(verdict.work);
        return false;
    case WORK_POISON: bury(tenant, entry, verdict.reason); return false;
    case WORK_NOMEM: tenant->suspect = true; return false;
    default: counters->skipped[verdict.skip]++; return true;
    }
}

static void take_entries(struct tenant *tenant, const struct arda_intake_batch *batch)
{
    struct notifyd *nd = tenant->nd;
    const char *ids[ARDA_INTAKE_MAX_ENTRIES];
    size_t count = 0;
    for (size_t i = 0; i < batch->entry_count; i++)
        if (take_entry(tenant, &batch->entries[i]))
            ids[count++] = batch->entries[i].id;
    if (count > 0 && arda_intake_ack(nd->bus, tenant->id, ids, count, on_acked, nd) == 0)
        nd->others_in_flight++;
}

static void tell_of_gaps(struct tenant *tenant, const struct arda_intake_batch *batch)
{
    static struct base_log_limit gaps, lost;
    struct counters *counters = &tenant->nd->counters;
    if (batch->missed) {
        counters->gaps++;
        counters->missed += batch->missed;
        base_log_limited(&gaps, BASE_LOG_WARNING,
                         "tenant %s: a gap: up to %" PRIu64 " entries of its stream were trimmed "
                         "before they could be read",
                         tenant->id, batch->missed);
    }
    if (batch->gone) {
        counters->gaps++;
        counters->gone += batch->gone;
        base_log_limited(&lost, BASE_LOG_WARNING,
                         "tenant %s: a gap: %" PRIu64 " entries of its stream were trimmed before "
                         "they were handled",
                         tenant->id, batch->gone);
    }
}

static void on_batch(void *data, const struct arda_intake_batch *batch)
{
    static struct base_log_limit limit;
    struct take *take = data;
    struct tenant *tenant = take->tenants[batch->stream];
    tenant->taking = false;
    tenant->exists = batch->exists;
    if (batch->error) {
        base_log_limited(&limit, BASE_LOG_ERROR, "tenant %s: its stream cannot be read: %s",
                         tenant->id, batch->error);
        tenant->again = false; /* until it is rung again, or swept */
        channel_settle(tenant, tenant->take_number);
        return;
    }
    tenant->suspect = false;
    if (batch->taken_over) {
        take->nd->counters.taken_over += batch->taken_over;
        base_log(BASE_LOG_INFO, "tenant %s: %zu entries taken over", tenant->id, batch->taken_over);
    }
    tell_of_gaps(tenant, batch);
    take_entries(tenant, batch);
    if (batch->more || tenant->again)
        ring(tenant, &take->nd->intake.rung);
    tenant->again = false;
    if (!batch->more)
        channel_settle(tenant, tenant->take_number);
}

static void on_take_failed(struct take *take, const struct base_why *why)
{
    static struct base_log_limit limit;
    if (why->code != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_ERROR, "the streams cannot be read: %s", why->text);
    for (size_t i = 0; i < take->count; i++) {
        struct tenant *tenant = take->tenants[i];
        if (!tenant->taking)
            continue; /* its batch came before the failure */
        tenant->taking = tenant->again = false;
        tenant->suspect = true;
        ring(tenant, &take->nd->intake.swept);
    }
    take->nd->intake.wait_us = base_clock_mono_us() + PAUSE_US;
}

static void on_take(void *data, int result, uint32_t others, uint64_t dead_ms,
                    const struct base_why *why)
{
    struct take *take = data;
    struct notifyd *nd = take->nd;
    struct intake *intake = &nd->intake;
    intake->takes--;
    if (result) {
        on_take_failed(take, why);
    } else {
        intake->others = others;
        intake->dead_ms = dead_ms;
    }
    for (size_t i = 0; i < take->count && !result; i++) {
        intake_taken(take->tenants[i]);
        tenants_release(take->tenants[i]);
    }
    base_free(take);
    notifyd_check_end(nd);
}

/* ---- asking ---- */

static bool may_take(const struct tenant *tenant)
{
    return tenant->suspect ? tenant->queued == 0 : tenant->queued < TENANT_QUEUE;
}

static size_t pick(struct base_list *list, struct tenant **tenants, size_t most)
{
    size_t count = 0;
    BASE_LIST_FOREACH_SAFE (link, list) {
        struct tenant *tenant = base_container(link, struct tenant, ring);
        if (count == most)
            break;
        if (!may_take(tenant))
            continue;
        base_list_remove(link);
        tenants[count++] = tenant;
    }
    return count;
}

size_t intake_pick(struct notifyd *nd, struct tenant **tenants, size_t most)
{
    if (!work_has_room(nd))
        return 0;
    size_t count = pick(&nd->intake.rung, tenants, most);
    return count + pick(&nd->intake.swept, tenants + count, most - count);
}

static void put_back(struct take *take)
{
    for (size_t i = 0; i < take->count; i++)
        ring(take->tenants[i], &take->nd->intake.rung);
    base_free(take);
}

static void mark(struct take *take)
{
    for (size_t i = 0; i < take->count; i++) {
        take->tenants[i]->taking = true;
        take->tenants[i]->again = false;
        take->tenants[i]->take_number++;
    }
}

/* True: it is on its way. */
static bool send_take(struct take *take)
{
    static const struct arda_intake_handlers handlers = {on_batch, on_take};
    struct notifyd *nd = take->nd;
    struct arda_intake_stream streams[STREAMS];
    size_t share = ENTRIES / (take->count ? take->count : 1);
    for (size_t i = 0; i < take->count; i++)
        streams[i] =
            (struct arda_intake_stream){take->tenants[i]->id, take->tenants[i]->queued == 0};
    struct arda_intake_request request = {
        .consumer = nd->intake.consumer,
        .start = nd->intake.start,
        .streams = streams,
        .stream_count = take->count,
        .entries = (uint32_t)(share < TENANT_ENTRIES ? share : TENANT_ENTRIES),
    };
    if (arda_intake_take(nd->bus, &request, &handlers, take) < 0) {
        put_back(take);
        return false;
    }
    mark(take);
    nd->intake.takes++;
    nd->intake.sign_us = base_clock_mono_us();
    return true;
}

static bool take_some(struct notifyd *nd, bool sign)
{
    struct take *take = base_calloc(1, sizeof *take);
    if (!take)
        return false;
    take->nd = nd;
    take->count = intake_pick(nd, take->tenants, STREAMS);
    if (take->count > 0 || sign)
        return send_take(take);
    base_free(take);
    return false;
}

void intake_flush(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    if (!intake->begun || nd->stopping || !arda_bus_is_up(nd->bus))
        return;
    if (nd->mode->read_streams) {
        nd->mode->read_streams(nd);
        return;
    }
    bool some = (!base_list_empty(&intake->rung) || !base_list_empty(&intake->swept)) &&
                base_clock_mono_us() >= intake->wait_us;
    while (some && intake->takes < MAX_TAKES)
        some = take_some(nd, false);
}

/* ---- time passing ---- */

static uint64_t sweep_every(const struct notifyd *nd)
{
    return SWEEP_US * (1 + nd->tenants.count / SWEEP_TENANTS);
}

static void on_tick(uv_timer_t *timer)
{
    struct notifyd *nd = timer->data;
    struct intake *intake = &nd->intake;
    uint64_t now = base_clock_mono_us();
    if (!arda_bus_is_up(nd->bus) || nd->stopping) {
        notifyd_turn(nd);
        return;
    }
    if (!intake->begun) { /* Redis could not be asked, or could not answer */
        if (now - intake->asked_us > BEGIN_US)
            intake_up(nd);
        notifyd_turn(nd);
        return;
    }
    if (nd->mode->delivers && now - intake->sign_us > SIGN_US && intake->takes < MAX_TAKES)
        take_some(nd, true);
    if (now - intake->scan_us > SCAN_US) {
        intake->scan_us = now;
        tenants_discover(nd, true);
        tenants_forget_people(nd, false);
    }
    if (!intake->sweeping && (intake->dead_ms || now - intake->sweep_us > sweep_every(nd))) {
        tenants_discover(nd, false);
        sweep(nd);
    }
    notifyd_turn(nd);
}

/* ---- begin and end ---- */

static void name_consumer(struct intake *intake)
{
    char host[64] = "", token[BASE_TOKEN_LEN + 1] = "";
    if (gethostname(host, sizeof host - 1) < 0)
        strcpy(host, "localhost");
    (void)base_id_token(token);
    snprintf(intake->consumer, sizeof intake->consumer, "%s-%ld-%s", host, (long)getpid(), token);
}

void intake_init(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    base_list_init(&intake->rung);
    base_list_init(&intake->swept);
    name_consumer(intake);
    uv_timer_init(&nd->loop, &intake->timer);
    intake->timer.data = nd;
    uv_timer_start(&intake->timer, on_tick, TICK_MS, TICK_MS);
}

static void begin(struct notifyd *nd)
{
    nd->intake.begun = true;
    base_log(BASE_LOG_INFO, "streams are read from %s on", nd->intake.start);
    channel_start(nd);
}

static void on_start(void *data, int result, const char *start, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct notifyd *nd = data;
    nd->intake.beginning = false;
    if (result == BASE_ERR_CLOSED)
        return; /* the next time that Redis is there */
    if (result == BASE_ERR_AGAIN) {
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "the beginning cannot be recorded: %s; trying again", why->text);
        return;
    }
    if (result) {
        base_log(BASE_LOG_ERROR, "%s", why->text);
        notifyd_stop(nd, BASE_EXIT_CONFIG);
        return;
    }
    snprintf(nd->intake.start, sizeof nd->intake.start, "%s", start);
    nd->intake.since[0] = '\0'; /* it is done */
    begin(nd);
}

static void on_time(void *data, int result, uint64_t ms, const struct base_why *why)
{
    struct notifyd *nd = data;
    struct arda_stream_id now = {ms ? ms - 1 : 0, UINT64_MAX};
    (void)why;
    nd->intake.beginning = false;
    if (result)
        return;
    arda_stream_id_format(now, nd->intake.start);
    begin(nd);
}

bool intake_begin_as_member(struct notifyd *nd)
{
    const char *since = *nd->intake.since ? nd->intake.since : NULL;
    return arda_intake_start(nd->bus, since, on_start, nd) == 0;
}

bool intake_begin_without_trace(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    if (!*intake->since)
        return arda_stream_time(nd->bus, on_time, nd) == 0;
    snprintf(intake->start, sizeof intake->start, "%s", intake->since);
    begin(nd);
    return false;
}

void intake_up(struct notifyd *nd)
{
    struct intake *intake = &nd->intake;
    intake->asked_us = base_clock_mono_us();
    if (intake->begun) {
        intake->sign_us = 0;
        intake->scan_us = base_clock_mono_us();
        intake->wait_us = 0;
        tenants_discover(nd, true);
        sweep(nd); /* one that was under way begins anew */
    } else if (!intake->beginning) {
        intake->beginning = nd->mode->begin_intake(nd);
    }
}

void intake_close(struct notifyd *nd)
{
    uv_close((uv_handle_t *)&nd->intake.timer, NULL);
}
