/* SPDX-License-Identifier: ISC
 *
 * A publication is one MULTI of two PUBLISH and an XADD, so that a live event is never missing in
 * the log. Redis answers OK, QUEUED for each, and the array of EXEC; an error may be in any of them
 * and in any element of the array. Where a mark decides, it is the script of once.c.
 */
#include "arda/bus/internal.h"

#include "arda/bus/reply.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MAX_LEN 10000
#define RENEW_US        60000000u /* a run's marks live a minute longer than was asked for */

/* The commands of a step, counted as they are added. */
struct step {
    struct arda_bus *bus;
    struct base_buf *out;
    unsigned commands;
    int failed;
};

static void add_text(struct step *step, const char *text)
{
    step->failed |= base_buf_add_text(step->out, text);
}

static void add_argument(struct step *step, struct base_slice argument)
{
    step->failed |= arda_redis_add_argument(step->out, argument.data, argument.len);
}

static void add_number(struct step *step, uint64_t number)
{
    step->failed |= arda_redis_add_number(step->out, number);
}

static void add_publish(struct step *step, const char *id, size_t id_len, struct base_slice message)
{
    char channel[ARDA_KEY_MAX];
    size_t len = arda_key(channel, step->bus->prefix, ARDA_KEY_EVENTS, id, id_len);
    add_text(step, "*3\r\n$7\r\nPUBLISH\r\n");
    add_argument(step, (struct base_slice){channel, len});
    add_argument(step, message);
    step->commands++;
}

uint64_t arda_bus_stream_bound(const struct arda_publication *publication)
{
    return publication->max_len ? publication->max_len : DEFAULT_MAX_LEN;
}

static void add_entry(struct step *step, const struct arda_publication *publication, uint64_t bound)
{
    char key[ARDA_KEY_MAX];
    size_t len = arda_key(key, step->bus->prefix, ARDA_KEY_STREAM, publication->tenant.data,
                          publication->tenant.len);
    add_text(step, "*14\r\n$4\r\nXADD\r\n");
    add_argument(step, (struct base_slice){key, len});
    add_text(step, "$6\r\nMAXLEN\r\n$1\r\n~\r\n");
    add_number(step, bound);
    add_text(step, "$1\r\n*\r\n$8\r\nenvelope\r\n");
    add_argument(step, publication->envelope);
    add_text(step, "$4\r\ntype\r\n");
    add_argument(step, publication->type);
    add_text(step, "$6\r\nsource\r\n");
    add_argument(step, publication->source);
    add_text(step, "$9\r\ntimestamp\r\n");
    add_argument(step, publication->timestamp);
    step->commands++;
}

/* The bit, and once a minute and chunk how long it stays. What fails in between is sent again by
 * the script, which says so each time. */
static void add_mark(struct step *step, const struct arda_publication *publication)
{
    struct arda_bus *bus = step->bus;
    char text[ARDA_MARK_KEY_MAX];
    size_t len = arda_run_key(text, bus->prefix, publication->run.data, publication->run.len,
                              publication->number);
    const struct base_slice key = {text, len};
    uint64_t now_us = base_clock_mono_us(), chunk = publication->number / ARDA_RUN_CHUNK;
    add_text(step, "*4\r\n$6\r\nSETBIT\r\n");
    add_argument(step, key);
    add_number(step, publication->number % ARDA_RUN_CHUNK);
    add_text(step, "$1\r\n1\r\n");
    step->commands++;
    if (chunk == bus->renewed_chunk && now_us < bus->renew_at_us)
        return;
    add_text(step, "*3\r\n$7\r\nPEXPIRE\r\n");
    add_argument(step, key);
    add_number(step, publication->dedupe_for_ms + RENEW_US / 1000);
    step->commands++;
    bus->renewed_chunk = chunk;
    bus->renew_at_us = now_us + RENEW_US;
}

/* Channels and stream. */
static void add_publication(struct step *step, const struct arda_publication *publication,
                            uint64_t bound)
{
    struct base_slice tenant = publication->tenant;
    add_publish(step, "global", 6, publication->message);
    if (tenant.len == 0)
        return;
    add_publish(step, tenant.data, tenant.len, publication->message);
    if (publication->envelope.len > 0)
        add_entry(step, publication, bound);
}

/* Appends all; how many answers there will be is the result, or BASE_ERR_NOMEM. */
static int add_step(struct arda_bus *bus, struct base_buf *out,
                    const struct arda_publication *publication)
{
    struct step step = {.bus = bus, .out = out};
    uint64_t bound = arda_bus_stream_bound(publication);
    bool single = publication->tenant.len == 0 && !publication->also && publication->run.len == 0;
    if (!single)
        add_text(&step, "*1\r\n$5\r\nMULTI\r\n");
    add_publication(&step, publication, bound);
    if (publication->also)
        add_publication(&step, publication->also, bound);
    if (publication->run.len > 0)
        add_mark(&step, publication);
    if (!single)
        add_text(&step, "*1\r\n$4\r\nEXEC\r\n");
    if (step.failed)
        return BASE_ERR_NOMEM;
    return single ? 1 : (int)step.commands + 2;
}

static bool are_names_valid(const struct arda_publication *publication)
{
    struct base_slice tenant = publication->tenant, id = publication->event_id;
    if (publication->run.len > 0)
        id = publication->run;
    if (tenant.len > 0 && !arda_tenant_valid(tenant.data, tenant.len))
        return false;
    return publication->dedupe_for_ms == 0 || arda_id_valid(id.data, id.len);
}

int arda_bus_publish(struct arda_bus *bus, const struct arda_publication *publication,
                     arda_published_fn done, void *data)
{
    if (!arda_redis_conn_is_up(bus->commands) || bus->fencing)
        return BASE_ERR_UNAVAILABLE;
    if (!are_names_valid(publication))
        return BASE_ERR_INVALID;
    if (arda_bus_needs_script(publication))
        return arda_bus_script_send(bus, publication, done, data);
    struct base_buf *out = arda_bus_out(bus);
    size_t before = out->len;
    int replies = add_step(bus, out, publication);
    struct bus_waiting waiting = {.kind = WAIT_PUBLISHED,
                                  .replies_left = (unsigned)replies,
                                  .on_published = done,
                                  .data = data};
    if (replies < 0 || arda_bus_add_waiting(bus, &waiting) < 0) {
        out->len = before;
        bus->renew_at_us = 0;
        return BASE_ERR_NOMEM;
    }
    arda_redis_conn_touch(bus->commands);
    return BASE_OK;
}

static void on_forgotten(void *data, int result, const redisReply *reply)
{
    (void)data;
    (void)result;
    (void)reply;
}

void arda_bus_forget_run(struct arda_bus *bus, struct base_slice run, uint64_t last_number)
{
    char key[ARDA_MARK_KEY_MAX];
    const char *argv[] = {"UNLINK", key};
    for (uint64_t chunk = 0; chunk <= last_number / ARDA_RUN_CHUNK; chunk++) {
        arda_run_key(key, bus->prefix, run.data, run.len, chunk * ARDA_RUN_CHUNK);
        if (arda_bus_command(bus, 2, argv, NULL, on_forgotten, NULL) < 0)
            return;
    }
}

size_t arda_bus_pending(const struct arda_bus *bus)
{
    return bus->publications;
}

/* ---- the answer ---- */

void arda_bus_publish_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                            const redisReply *reply)
{
    const char *stream_id = NULL;
    if (waiting->script) {
        arda_bus_script_reply(bus, waiting, reply);
        return;
    }
    size_t elements = reply->type == REDIS_REPLY_ARRAY ? (size_t)reply->elements : 0;
    if (elements >= 3 && reply->element[2]->type == REDIS_REPLY_STRING)
        stream_id = reply->element[2]->str;
    /* The answers of EXEC, or of a PUBLISH alone. */
    if (!bus->step_error[0] && !arda_reply_is_array(reply) && !arda_reply_is_number(reply))
        snprintf(bus->step_error, sizeof bus->step_error, "the answer makes no sense");
    if (!bus->step_error[0]) {
        bus->stats.published++;
        waiting->on_published(waiting->data, ARDA_PUBLISHED, stream_id, NULL);
        return;
    }
    struct base_why why;
    int code = arda_bus_error(bus, bus->step_error, &why);
    bus->step_error[0] = '\0';
    bus->renew_at_us = 0; /* perhaps it did not happen */
    waiting->on_published(waiting->data, code, stream_id, &why);
}
