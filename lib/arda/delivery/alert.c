/* SPDX-License-Identifier: ISC
 *
 * The settlement that disables an endpoint notes its tenant, so that whichever daemon is alive
 * tells the tenant, and a note goes when that is done.
 */
#include "arda/bus/reply.h"
#include "arda/delivery/internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- endpoints that were disabled ---- */

struct asking {
    struct arda_bus *bus;
    struct arda_delivery_alerts alerts;
};

/* "MS WHY" */
static void give_note(const struct asking *asking, const redisReply *tenant, const redisReply *note)
{
    char *why = NULL;
    if (!arda_tenant_valid(tenant->str, tenant->len))
        return;
    long long since_ms = strtoll(note->str, &why, 10);
    if (since_ms > 0)
        asking->alerts.on_alert(asking->alerts.data, tenant->str, since_ms,
                                *why == ' ' ? why + 1 : why);
}

static void on_notes(void *data, int result, const struct redisReply *reply)
{
    struct asking *asking = data;
    struct base_why why = {0};
    result = arda_script_error(asking->bus, result, reply, &why);
    if (!result && !arda_reply_are_texts(reply, 2))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    for (size_t i = 0; !result && i < reply->elements; i += 2)
        give_note(asking, reply->element[i], reply->element[i + 1]);
    asking->alerts.done(asking->alerts.data, result, &why);
    base_free(asking);
}

int arda_delivery_alerts(struct arda_bus *bus, const struct arda_delivery_alerts *alerts)
{
    char key[ARDA_KEY_MAX];
    const char *argv[] = {"HGETALL", key};
    struct asking *asking = base_malloc(sizeof *asking);
    if (!asking)
        return BASE_ERR_NOMEM;
    *asking = (struct asking){bus, *alerts};
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_DISABLED, NULL, 0);
    int failed = arda_bus_command(bus, 2, argv, NULL, on_notes, asking);
    if (failed)
        base_free(asking);
    return failed;
}

ARDA_SCRIPT(delivery_alerted);

int arda_delivery_alerted(struct arda_bus *bus, const char *tenant, int64_t since_ms)
{
    char since[DELIVERY_MS_LEN];
    const char *argv[] = {arda_bus_prefix(bus), tenant, since};
    arda_delivery_ms(since_ms, since);
    return arda_delivery_change(bus, &arda_delivery_alerted_script, 3, argv, NULL, NULL);
}

/* ---- how it stands ---- */

ARDA_SCRIPT(delivery_count);

#define COUNTS 7

struct counting {
    struct arda_bus *bus;
    void (*done)(void *data, int result, const struct arda_delivery_counts *counts);
    void *data;
};

static void on_counted(void *data, int result, const struct redisReply *reply)
{
    struct counting *counting = data;
    struct arda_delivery_counts counts = {.oldest_ms = -1};
    int64_t numbers[COUNTS] = {0};
    result = arda_script_error(counting->bus, result, reply, NULL);
    if (!result && !arda_reply_are_numbers(reply, COUNTS))
        result = BASE_ERR_INTERNAL;
    for (int i = 0; !result && i < COUNTS; i++)
        numbers[i] = reply->element[i]->integer;
    if (!result)
        counts = (struct arda_delivery_counts){
            .pending = (uint64_t)numbers[0],
            .circuits = (uint64_t)numbers[1],
            .oldest_ms = numbers[2],
            .unattended = {[ARDA_NOTIFY_EMAIL] = {(uint64_t)numbers[3], numbers[4]},
                           [ARDA_NOTIFY_WEBHOOK] = {(uint64_t)numbers[5], numbers[6]}},
        };
    counting->done(counting->data, result, &counts);
    base_free(counting);
}

int arda_delivery_count(struct arda_bus *bus, int64_t now_ms,
                        void (*done)(void *data, int result,
                                     const struct arda_delivery_counts *counts),
                        void *data)
{
    char now[DELIVERY_MS_LEN];
    const char *argv[] = {arda_bus_prefix(bus), now};
    struct counting *counting = base_malloc(sizeof *counting);
    if (!counting)
        return BASE_ERR_NOMEM;
    *counting = (struct counting){bus, done, data};
    arda_delivery_ms(now_ms, now);
    int failed =
        arda_script_call(bus, &arda_delivery_count_script, 2, argv, NULL, on_counted, counting);
    if (failed)
        base_free(counting);
    return failed;
}
