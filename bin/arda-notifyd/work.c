/* SPDX-License-Identifier: ISC
 *
 * Happy path: make, add, people, step, done. Steps of a tenant are sent in the order of its queue,
 * several at once, and Redis does them in that order. The directory has changed: its people are
 * read again, and what came back stale is sent once more, in order. An answer was lost, or Redis
 * cannot just now: sent again. Refused for good: among the dead letters with it.
 *
 * What a write to the directory has returned from counts for every event after it. So a copy that
 * was read after an event had come is new enough for it, and its step does not ask for the version;
 * a copy from before does. Thus an event waits for two readings at most, however often the
 * directory changes, and a tenant's readings take at most a quarter of the time.
 */
#include "notifyd.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define MAX_WORKS       4096 /* taken in, of all tenants */
#define MAX_BYTES       (32u * 1024 * 1024)
#define MAX_FLIGHT      256   /* steps */
#define MAX_FLIGHT_COST 20000 /* users of those */
#define MAX_TENANT      64    /* steps of one tenant */
#define PAUSE_US        300000
#define MAX_DOUBLINGS   4 /* of that, after readings that fail */
#define LOAD_REST       3 /* times as long as a reading took, none follows */

/* ---- making ---- */

static enum notifyd_skip skip_of(const struct arda_message *message, enum arda_notify_match match)
{
    if (base_json_equals(&message->type, "notification.created", 20))
        return SKIP_NOTIFICATION;
    return match == ARDA_NOTIFY_FOREIGN_ORDER ? SKIP_ORDER_TYPE : SKIP_NO_RULE;
}

static struct work_verdict skipped(enum notifyd_skip skip)
{
    return (struct work_verdict){.result = WORK_SKIPPED, .skip = skip};
}

static struct work *new_work(struct tenant *tenant, struct base_slice text, enum origin origin,
                             const char *id)
{
    struct work *work = base_calloc(1, sizeof *work + text.len + 1);
    if (!work)
        return NULL;
    base_list_init(&work->link);
    work->tenant = tenant;
    work->origin = origin;
    work->len = text.len;
    if (id)
        strncpy(work->id, id, sizeof work->id - 1);
    memcpy(work->text, text.data, text.len);
    return work;
}

struct work_verdict work_make(struct tenant *tenant, struct base_slice text, enum origin origin,
                              const char *id)
{
    struct work_verdict nomem = {.result = WORK_NOMEM};
    struct arda_message message;
    const struct arda_notify_rule *rule = NULL;
    enum arda_drop drop =
        arda_message_parse(text.data, text.len, tenant->id, strlen(tenant->id), &message, NULL);
    if (drop)
        return (struct work_verdict){.result = WORK_POISON, .reason = arda_drop_text(drop)};
    enum arda_notify_match match = arda_notify_rule_find(message.event, &rule);
    if (match != ARDA_NOTIFY_RULE)
        return skipped(skip_of(&message, match));
    struct work *work = new_work(tenant, text, origin, id);
    if (!work)
        return nomem;
    /* Once more, so that all positions point into the copy. */
    (void)arda_message_parse(work->text, work->len, tenant->id, strlen(tenant->id), &work->message,
                             NULL);
    work->rule = rule;
    if (arda_notify_cause_of(&work->message, &work->cause) < 0 ||
        arda_notify_render(rule, work->message.event, &work->room, &work->notification) < 0 ||
        arda_notify_type_find(work->notification.type.data, work->notification.type.len,
                              &work->type) < 0) {
        work_free(work);
        return nomem;
    }
    return (struct work_verdict){.result = WORK_MADE, .work = work};
}

void work_free(struct work *work)
{
    base_list_remove(&work->link);
    base_buf_fini(&work->room);
    people_unref(work->people);
    base_free(work);
}

void work_add(struct work *work)
{
    struct tenant *tenant = work->tenant;
    struct notifyd *nd = tenant->nd;
    base_list_append(&tenant->queue, &work->link);
    work->number = ++tenant->works;
    tenant->queued++;
    nd->work_count++;
    nd->work_bytes += work->len;
    if (base_list_empty(&tenant->ready))
        base_list_append(&nd->ready, &tenant->ready);
}

bool work_has_room(const struct notifyd *nd)
{
    return nd->work_count < MAX_WORKS && nd->work_bytes < MAX_BYTES && !print_is_stuck(nd);
}

/* ---- the end of a work ---- */

static void finish(struct work *work)
{
    struct tenant *tenant = work->tenant;
    struct notifyd *nd = tenant->nd;
    tenant->queued--;
    nd->work_count--;
    nd->work_bytes -= work->len;
    work_free(work);
    notifyd_check_end(nd);
}

static void on_buried(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    (void)result; /* not buried: still pending for us, and taken again */
    (void)why;
    nd->others_in_flight--;
    notifyd_check_end(nd);
}

static void refuse(struct work *work, const char *reason)
{
    static struct base_log_limit limit;
    static const struct base_slice name = {"envelope", 8};
    struct notifyd *nd = work->tenant->nd;
    struct arda_intake_field field = {name, {work->text, work->len}};
    base_log_limited(&limit, BASE_LOG_ERROR, "tenant %s: event %s: %s", work->tenant->id,
                     work->cause.key, reason);
    if (work->origin == FROM_DEAD) {
        redrive_done(work, reason);
    } else {
        nd->counters.dead_letters++;
        if (work->origin == FROM_STREAM &&
            arda_intake_bury(nd->bus, work->tenant->id, reason, work->id, &field, 1, on_buried,
                             nd) == 0)
            nd->others_in_flight++;
    }
    finish(work);
}

/* ---- steps ---- */

static bool is_outage(int result)
{
    return result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE;
}

static void put_off(struct work *work)
{
    struct tenant *tenant = work->tenant;
    tenant->nd->counters.retries++;
    tenant->wait_us = base_clock_mono_us() + PAUSE_US;
    if (tenant->people)
        tenant->people->covers = 0; /* who knows how long it takes */
    if (base_list_empty(&tenant->ready))
        base_list_append(&tenant->nd->ready, &tenant->ready);
}

static void done(struct work *work, const struct arda_notify_result *result)
{
    struct counters *counters = &work->tenant->nd->counters;
    if (result->outcome == ARDA_NOTIFY_BEFORE)
        counters->skipped[SKIP_HANDLED]++;
    else
        counters->events++;
    counters->rows += result->rows;
    counters->deliveries += result->deliveries;
    if (result->deliveries > 0)
        deliver_wake(work->tenant->nd->deliver);
    counters->trimmed += result->trimmed;
    if (work->origin == FROM_DEAD)
        redrive_done(work, NULL);
    finish(work);
}

static void on_stale(struct work *work, const struct people *used)
{
    struct tenant *tenant = work->tenant;
    tenant->nd->counters.stale++;
    if (tenant->people == used) {
        people_unref(tenant->people);
        tenant->people = NULL;
    }
    if (base_list_empty(&tenant->ready))
        base_list_append(&tenant->nd->ready, &tenant->ready);
}

static void on_step(void *data, int result, const struct arda_notify_result *outcome,
                    const struct base_why *why)
{
    struct work *work = data;
    struct tenant *tenant = work->tenant;
    struct notifyd *nd = tenant->nd;
    struct people *people = work->people;
    work->people = NULL;
    work->sent = false;
    nd->in_flight--;
    nd->in_flight_cost -= work->cost;
    tenant->in_flight--;
    if (is_outage(result) || result == BASE_ERR_NOMEM ||
        (result == BASE_ERR_AGAIN && work->origin != FROM_DEAD))
        put_off(work);
    else if (result)
        refuse(work, why->text);
    else if (outcome->outcome == ARDA_NOTIFY_STALE)
        on_stale(work, people);
    else
        done(work, outcome);
    people_unref(people);
}

static int send_step(struct work *work)
{
    struct tenant *tenant = work->tenant;
    struct notifyd *nd = tenant->nd;
    struct people *people = tenant->people;
    const struct arda_notify_user *users = people_users(people, work->type);
    if (!users)
        return BASE_ERR_NOMEM;
    struct arda_notify_step step = {
        .tenant = tenant->id,
        .cause = work->cause,
        .stream_id = work->origin == FROM_STREAM ? work->id : NULL,
        .event = work->message.event,
        .notification = work->notification,
        .users = users,
        .user_count = people->count,
        .version = work->number <= people->covers ? -1 : people->version,
        .now_ms = base_clock_wall_ms(),
        .retention = nd->retention,
        .on_row = nd->settings.print ? print_row : NULL,
    };
    work->people = people_ref(people);
    work->cost = people->count + 1;
    int failed = arda_notify_step(nd->bus, &step, on_step, work);
    if (failed) {
        people_unref(people);
        work->people = NULL;
        return failed;
    }
    work->sent = true;
    nd->in_flight++;
    nd->in_flight_cost += work->cost;
    tenant->in_flight++;
    return BASE_OK;
}

/* ---- sending what there is ---- */

/* --redrive ends: what cannot be processed now is reported, and stays among the dead letters. */
static void refuse_letters(struct tenant *tenant, const char *reason)
{
    BASE_LIST_FOREACH_SAFE (link, &tenant->queue) {
        struct work *work = base_container(link, struct work, link);
        if (!work->sent)
            refuse(work, reason);
    }
}

static void on_bad_people(struct tenant *tenant, int result, const struct base_why *why)
{
    static struct base_log_limit limit;
    unsigned doublings = 0;
    if (result != BASE_ERR_CLOSED) {
        base_log_limited(&limit, BASE_LOG_ERROR, "tenant %s: its users cannot be read: %s",
                         tenant->id, why->text);
        doublings = tenant->bad_loads < MAX_DOUBLINGS ? tenant->bad_loads++ : MAX_DOUBLINGS;
    }
    tenant->wait_us = base_clock_mono_us() + ((uint64_t)PAUSE_US << doublings);
}

static void on_people(void *data, int result, struct people *people, const struct base_why *why)
{
    struct tenant *tenant = data;
    uint64_t now = base_clock_mono_us();
    tenant->loading = false;
    if (!result) {
        tenant->people = people;
        people->covers = tenant->load_works;
        tenant->bad_loads = 0;
        tenant->next_load_us = now + LOAD_REST * (now - tenant->load_us);
        tenant->nd->counters.people_loads++;
    } else {
        on_bad_people(tenant, result, why);
        if (tenant->nd->mode->refuses_letters && !is_outage(result))
            refuse_letters(tenant, why->text);
    }
    notifyd_check_end(tenant->nd);
}

static void load_people(struct tenant *tenant)
{
    /* Steps with the former ones are to come back first, or theirs would overtake. */
    if (tenant->loading || tenant->in_flight > 0 || tenant->next_load_us > tenant->used_us)
        return;
    int failed = people_load(tenant->nd->bus, tenant->id, false, on_people, tenant);
    tenant->loading = !failed;
    tenant->load_us = tenant->used_us;
    tenant->load_works = tenant->works;
    if (failed)
        tenant->wait_us = base_clock_mono_us() + PAUSE_US;
}

static bool may_send(const struct tenant *tenant)
{
    const struct notifyd *nd = tenant->nd;
    size_t most = tenant->people->count > ARDA_NOTIFY_CHUNK ? 1 : MAX_TENANT;
    return tenant->in_flight < most && nd->in_flight < MAX_FLIGHT &&
           (nd->in_flight_cost < MAX_FLIGHT_COST || nd->in_flight == 0) && !print_is_stuck(nd);
}

/* False: there is more to send, later. */
static bool pump(struct tenant *tenant)
{
    tenant->used_us = base_clock_mono_us();
    if (tenant->wait_us > tenant->used_us)
        return false;
    if (!tenant->people) {
        load_people(tenant);
        return false;
    }
    BASE_LIST_FOREACH_SAFE (link, &tenant->queue) {
        struct work *work = base_container(link, struct work, link);
        if (work->sent)
            continue;
        if (!may_send(tenant))
            return false;
        if (tenant->nd->mode->show) {
            tenant->nd->mode->show(work, tenant->people);
            tenant->nd->counters.events++;
            finish(work);
            continue;
        }
        int failed = send_step(work);
        if (failed == BASE_ERR_INVALID) {
            refuse(work, "cannot be notified of");
        } else if (failed) {
            put_off(work);
            return false;
        }
    }
    return true;
}

void work_pump(struct notifyd *nd)
{
    struct base_list todo;
    base_list_init(&todo);
    if (!arda_bus_is_up(nd->bus))
        return;
    base_list_splice(&todo, &nd->ready);
    while (!base_list_empty(&todo)) {
        struct tenant *tenant = base_container(todo.next, struct tenant, ready);
        base_list_remove(&tenant->ready);
        if (base_list_empty(&tenant->queue))
            continue;
        if (!pump(tenant) && base_list_empty(&tenant->ready))
            base_list_append(&nd->ready, &tenant->ready);
    }
}

void work_resume(struct notifyd *nd)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&nd->tenants, &cursor))) {
        struct tenant *tenant = entry->value;
        tenant->wait_us = 0;
        tenant->bad_loads = 0;
        if (!base_list_empty(&tenant->queue) && base_list_empty(&tenant->ready))
            base_list_append(&nd->ready, &tenant->ready);
    }
}
