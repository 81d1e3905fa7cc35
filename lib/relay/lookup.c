/* SPDX-License-Identifier: ISC
 *
 * Which numbers are those of other gateways. Anybody can ask for a session with any number in it,
 * so what an unknown one costs is bounded: all that are asked for within LOOK_UP_US go to Redis in
 * one command, and what Redis does not have is remembered for half a second to a second, during
 * which workers answer it by themselves. It is no longer, since a gateway that starts may draw a
 * number that somebody has asked for.
 */
#include "relay/internal.h"

#include "arda/bus/registry.h"
#include "base/clock.h"

#include <string.h>

#define LOOK_UP_US       20000u
#define GENERATION_US    500000u
#define REMEMBER_US      (2 * GENERATION_US)
#define BATCH_MAX        1000 /* numbers in a command */
#define ASKING_MAX       4096 /* requests that wait */
#define WORD(id)         ((id) / 64)
#define BIT(id)          (UINT64_C(1) << ((id) % 64))
#define GENERATION_WORDS (65536 / 64)

/* ---- what nobody has; read by any thread, written by the home loop ---- */

static bool is_fresh(const struct relay_generation *generation, uint64_t now)
{
    return now - atomic_load_explicit(&generation->since_us, memory_order_acquire) < REMEMBER_US;
}

static bool is_absent(struct relay *relay, uint16_t id, uint64_t now)
{
    for (int i = 0; i < 2; i++) {
        struct relay_generation *generation = &relay->absent[i];
        if (is_fresh(generation, now) &&
            (atomic_load_explicit(&generation->bits[WORD(id)], memory_order_relaxed) & BIT(id)))
            return true;
    }
    return false;
}

/* A generation is emptied before it begins again, so nobody takes old bits for new ones. */
static void remember_absent(struct relay *relay, uint16_t id, uint64_t now)
{
    struct relay_generation *current = &relay->absent[relay->generation];
    if (now - current->since_us >= GENERATION_US) {
        relay->generation ^= 1;
        current = &relay->absent[relay->generation];
        atomic_store_explicit(&current->since_us, 0, memory_order_release);
        for (size_t i = 0; i < GENERATION_WORDS; i++)
            atomic_store_explicit(&current->bits[i], 0, memory_order_relaxed);
        atomic_store_explicit(&current->since_us, now, memory_order_release);
    }
    atomic_fetch_or_explicit(&current->bits[WORD(id)], BIT(id), memory_order_relaxed);
}

static bool knows(void *data, uint16_t id)
{
    return !is_absent(data, id, base_clock_mono_us());
}

/* ---- asking Redis ---- */

static void end_wait(struct relay *relay, struct relay_wait *wait, bool found)
{
    base_list_remove(&wait->at);
    relay->lookup_count--;
    relay_entry_looked_up(relay, wait, found);
}

static void send_batch(struct relay *relay);

static void on_known(void *data, int result, const uint16_t *ids, const bool *present, size_t count)
{
    struct relay *relay = data;
    uint64_t now = base_clock_mono_us();
    relay->batch_sent = false;
    for (size_t i = 0; i < count && !result; i++)
        if (!present[i])
            remember_absent(relay, ids[i], now);
    BASE_LIST_FOREACH_SAFE (at, &relay->lookups) {
        struct relay_wait *wait = base_container(at, struct relay_wait, at);
        if (wait->asked)
            end_wait(relay, wait, !result && !is_absent(relay, wait->id, now));
    }
    if (!relay->stopping)
        send_batch(relay);
}

/* The numbers that wait, each once; those that do not fit come with the next batch. */
static size_t collect(struct relay *relay, uint16_t ids[static BATCH_MAX])
{
    uint64_t seen[GENERATION_WORDS] = {0};
    size_t count = 0;
    BASE_LIST_FOREACH (at, &relay->lookups) {
        struct relay_wait *wait = base_container(at, struct relay_wait, at);
        bool is_new = !(seen[WORD(wait->id)] & BIT(wait->id));
        if (is_new && count == BATCH_MAX)
            continue;
        if (is_new)
            ids[count++] = wait->id;
        seen[WORD(wait->id)] |= BIT(wait->id);
        wait->asked = true;
    }
    return count;
}

static void on_batch_timer(uv_timer_t *timer)
{
    send_batch(timer->data);
}

static void send_batch(struct relay *relay)
{
    uint16_t ids[BATCH_MAX];
    uint64_t now = base_clock_mono_us();
    if (relay->batch_sent || base_list_empty(&relay->lookups) ||
        uv_is_active((uv_handle_t *)&relay->batch_timer))
        return;
    if (now < relay->next_batch_us) {
        uint64_t left_ms = (relay->next_batch_us - now + 999) / 1000;
        uv_timer_start(&relay->batch_timer, on_batch_timer, left_ms, 0);
        return;
    }
    size_t count = collect(relay, ids);
    relay->next_batch_us = now + LOOK_UP_US;
    relay->batch_sent = true;
    int failed = arda_registry_which(relay->bus, ids, count, on_known, relay);
    if (failed)
        on_known(relay, failed, ids, NULL, 0);
}

bool relay_lookup_ask(struct relay *relay, struct relay_wait *wait)
{
    if (relay->lookup_count >= ASKING_MAX || is_absent(relay, wait->id, base_clock_mono_us()))
        return false;
    relay->lookup_count++;
    base_list_append(&relay->lookups, &wait->at);
    /* In the next turn: what comes in this one goes with it, and nobody is answered within a call.
     */
    if (!relay->batch_sent && !uv_is_active((uv_handle_t *)&relay->batch_timer))
        uv_timer_start(&relay->batch_timer, on_batch_timer, 0, 0);
    return true;
}

void relay_lookup_forget(struct relay *relay, struct relay_wait *wait)
{
    base_list_remove(&wait->at);
    relay->lookup_count--;
}

void relay_lookup_init(struct relay *relay)
{
    base_list_init(&relay->lookups);
    relay->handlers.knows = knows;
}

void relay_lookup_start(struct relay *relay)
{
    uv_timer_init(relay->loop, &relay->batch_timer);
    relay->batch_timer.data = relay;
}

void relay_lookup_stop(struct relay *relay)
{
    uv_close((uv_handle_t *)&relay->batch_timer, NULL);
    while (!base_list_empty(&relay->lookups))
        end_wait(relay, base_container(relay->lookups.next, struct relay_wait, at), false);
}
