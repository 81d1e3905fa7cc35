/* SPDX-License-Identifier: ISC
 *
 * Happy path: outbox_add, publish, confirmed, spare. Redis away, or an answer lost: back among the
 * waiting in its old order, sent again when Redis is back; consumers know the second copy by its
 * eventId. A refusal that may pass (LOADING, READONLY, OOM): the same after a pause. Any other
 * refusal: said with the line's number, and the event is dropped.
 */
#include "arda-publish/publish.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS  1000

static void send_waiting(struct outbox *outbox);

static struct outgoing *first_of(struct base_list *list)
{
    return base_container(list->next, struct outgoing, link);
}

/* ---- trouble ---- */

static void on_patience_end(uv_timer_t *timer)
{
    struct outbox *outbox = timer->data;
    outbox->on_impatient(outbox->data);
}

static void trouble_begins(struct outbox *outbox)
{
    if (!outbox->ending && !uv_is_active((uv_handle_t *)&outbox->patience))
        uv_timer_start(&outbox->patience, on_patience_end, outbox->patience_ms, 0);
}

static void trouble_ends(struct outbox *outbox)
{
    uv_timer_stop(&outbox->patience);
    outbox->retry_ms = RETRY_FIRST_MS;
}

static void on_retry(uv_timer_t *timer)
{
    send_waiting(timer->data);
}

static void retry_later(struct outbox *outbox)
{
    trouble_begins(outbox);
    if (outbox->ending || uv_is_active((uv_handle_t *)&outbox->retry))
        return;
    uv_timer_start(&outbox->retry, on_retry, outbox->retry_ms, 0);
    if (outbox->retry_ms < RETRY_MOST_MS)
        outbox->retry_ms *= 2;
}

/* ---- sending ---- */

/* Among the waiting, where its number belongs. */
static void put_back(struct outbox *outbox, struct outgoing *event)
{
    struct base_list *behind = &outbox->waiting;
    BASE_LIST_FOREACH (link, &outbox->waiting) {
        if (base_container(link, struct outgoing, link)->number < event->number)
            continue;
        behind = link;
        break;
    }
    base_list_remove(&event->link);
    base_list_append(behind, &event->link); /* before `behind`, which may be the head */
}

static void settle(struct outbox *outbox, struct outgoing *event)
{
    base_list_remove(&event->link);
    base_list_append(&outbox->spare, &event->link);
    outbox->held--;
    outbox->on_change(outbox->data);
}

static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    struct outgoing *event = data;
    struct outbox *outbox = event->outbox;
    char where[PLACE_MAX];
    (void)stream_id;
    if (result == 0) {
        outbox->confirmed++;
        trouble_ends(outbox);
        settle(outbox, event);
    } else if (result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE) {
        trouble_begins(outbox);
        put_back(outbox, event);
    } else if (result == BASE_ERR_AGAIN) {
        static struct base_log_limit limit;
        base_log_limited(&limit, BASE_LOG_WARNING, "%s; trying again", why->text);
        put_back(outbox, event);
        retry_later(outbox);
    } else {
        base_log(BASE_LOG_ERROR, "%s%s", place_text(&event->place, where), why->text);
        if (!outbox->status)
            outbox->status = base_exit_status(result);
        settle(outbox, event);
    }
}

static void send_waiting(struct outbox *outbox)
{
    while (!outbox->ending && !base_list_empty(&outbox->waiting)) {
        struct outgoing *event = first_of(&outbox->waiting);
        base_list_remove(&event->link);
        base_list_append(&outbox->sent, &event->link);
        int failed = arda_bus_publish(outbox->bus, &event->publication, on_published, event);
        if (!failed)
            continue;
        put_back(outbox, event);
        if (failed == BASE_ERR_NOMEM)
            retry_later(outbox);
        return;
    }
}

void outbox_add(struct outbox *outbox, struct outgoing *event)
{
    base_list_append(&outbox->waiting, &event->link);
    outbox->held++;
    if (!uv_is_active((uv_handle_t *)&outbox->retry))
        send_waiting(outbox);
}

void outbox_on_state(struct outbox *outbox, bool up)
{
    if (!up)
        trouble_begins(outbox);
    else if (outbox->held == 0)
        trouble_ends(outbox);
    else
        send_waiting(outbox);
}

/* ---- events and their memory ---- */

struct outgoing *outbox_blank(struct outbox *outbox)
{
    struct outgoing *event;
    if (!base_list_empty(&outbox->spare)) {
        event = first_of(&outbox->spare);
        base_list_remove(&event->link);
    } else {
        event = base_calloc(1, sizeof *event);
        if (!event)
            return NULL;
        base_list_init(&event->link);
        event->outbox = outbox;
    }
    event->number = ++outbox->numbered;
    return event;
}

void outbox_drop(struct outbox *outbox, struct outgoing *event)
{
    base_list_append(&outbox->spare, &event->link);
}

void outbox_start(struct outbox *outbox, uv_loop_t *loop, uint64_t patience_ms)
{
    base_list_init(&outbox->waiting);
    base_list_init(&outbox->sent);
    base_list_init(&outbox->spare);
    outbox->patience_ms = patience_ms;
    outbox->retry_ms = RETRY_FIRST_MS;
    uv_timer_init(loop, &outbox->retry);
    uv_timer_init(loop, &outbox->patience);
    outbox->retry.data = outbox->patience.data = outbox;
    trouble_begins(outbox); /* until Redis has answered for the first time */
}

void outbox_end(struct outbox *outbox)
{
    outbox->ending = true;
    uv_close((uv_handle_t *)&outbox->retry, NULL);
    uv_close((uv_handle_t *)&outbox->patience, NULL);
}

static void free_all(struct base_list *list)
{
    BASE_LIST_FOREACH_SAFE (link, list) {
        struct outgoing *event = base_container(link, struct outgoing, link);
        base_buf_fini(&event->strings);
        base_buf_fini(&event->message);
        base_buf_fini(&event->envelope);
        base_free(event);
    }
    base_list_init(list);
}

void outbox_fini(struct outbox *outbox)
{
    free_all(&outbox->waiting);
    free_all(&outbox->sent);
    free_all(&outbox->spare);
}

/* ---- what is not confirmed ---- */

/* Runs of lines of one file: "a.jsonl: lines 3-12 are not confirmed". */
static void report_run(const struct place *first, uint64_t last)
{
    struct place file = {first->file, 0};
    char where[PLACE_MAX];
    place_text(&file, where);
    if (first->line == 0)
        base_log(BASE_LOG_ERROR, "the event is not confirmed");
    else if (first->line == last)
        base_log(BASE_LOG_ERROR, "%sline %" PRIu64 ": not confirmed", where, last);
    else
        base_log(BASE_LOG_ERROR, "%slines %" PRIu64 "-%" PRIu64 ": not confirmed", where,
                 first->line, last);
}

size_t outbox_report(const struct outbox *outbox)
{
    const struct place *first = NULL;
    uint64_t last = 0;
    size_t count = 0;
    BASE_LIST_FOREACH (link, &outbox->waiting) {
        const struct place *place = &base_container(link, struct outgoing, link)->place;
        count++;
        if (first && place->file == first->file && place->line == last + 1) {
            last++;
            continue;
        }
        if (first)
            report_run(first, last);
        first = place;
        last = place->line;
    }
    if (first)
        report_run(first, last);
    return count;
}
