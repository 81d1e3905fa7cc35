/* SPDX-License-Identifier: ISC
 *
 * Requests are numbered and stand in one of two lists, waiting or sent. What is refused for a while
 * or lost goes back among the waiting at its old place; a timer sends it again.
 */
#include "app/outbox.h"

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS  1000

struct app_outbox {
    struct app_outbox_options options;
    uv_timer_t retry;         /* after a refusal that may pass */
    uv_timer_t patience;      /* runs from the first trouble to the next confirmation */
    uv_timer_t refuse;        /* for `refused` */
    struct base_list refused; /* what cannot be sent: reported soon, and not within app_outbox_add,
                                 whose caller may have more to add before it hears of an end */
    struct base_list waiting; /* to be sent, in order */
    struct base_list sent;    /* not answered yet */
    struct base_list spare;
    size_t held;      /* waiting or sent */
    size_t under_way; /* sent */
    uint64_t numbered;
    struct base_backoff backoff;
    int refusal;
    bool ending;
    char cause[sizeof(((struct base_why *)0)->text)]; /* the last refusal that may pass, or "" */
};

static void send_waiting(struct app_outbox *outbox);

static struct app_outbox_item *first_of(struct base_list *list)
{
    return base_container(list->next, struct app_outbox_item, link);
}

/* ---- trouble ---- */

static void on_patience_end(uv_timer_t *timer)
{
    struct app_outbox *outbox = timer->data;
    outbox->options.on_impatient(outbox->options.data);
}

static void trouble_begins(struct app_outbox *outbox)
{
    if (!outbox->ending && !uv_is_active((uv_handle_t *)&outbox->patience))
        uv_timer_start(&outbox->patience, on_patience_end, outbox->options.patience_ms, 0);
}

/* What Redis itself has answered stands for itself: without the name of the server. */
static const char *answer_of(const struct base_why *why)
{
    const char *text = strncmp(why->text, "redis ", 6) == 0 ? strstr(why->text, ": ") : NULL;
    return text ? text + 2 : why->text;
}

void app_outbox_log_giving_up(const struct app_outbox *outbox, const char *bus_reason)
{
    const char *cause = *bus_reason      ? bus_reason
                        : *outbox->cause ? outbox->cause
                                         : "Redis does not answer";
    base_log(BASE_LOG_ERROR, "giving up after %g s: %s", (double)outbox->options.patience_ms / 1000,
             cause);
}

static void trouble_ends(struct app_outbox *outbox)
{
    uv_timer_stop(&outbox->patience);
    outbox->cause[0] = '\0';
    base_backoff_reset(&outbox->backoff);
}

static void on_retry(uv_timer_t *timer)
{
    send_waiting(timer->data);
}

static void retry_later(struct app_outbox *outbox)
{
    trouble_begins(outbox);
    if (outbox->ending || uv_is_active((uv_handle_t *)&outbox->retry))
        return;
    uv_timer_start(&outbox->retry, on_retry, base_backoff_pause(&outbox->backoff), 0);
}

/* ---- sending ---- */

/* Among the waiting, where its number belongs. */
static void put_back(struct app_outbox *outbox, struct app_outbox_item *item)
{
    struct base_list *behind = &outbox->waiting;
    BASE_LIST_FOREACH (link, &outbox->waiting) {
        if (base_container(link, struct app_outbox_item, link)->number < item->number)
            continue;
        behind = link;
        break;
    }
    outbox->under_way--;
    base_list_remove(&item->link);
    base_list_append(behind, &item->link); /* before `behind`, which may be the head */
}

static void settle(struct app_outbox *outbox, struct app_outbox_item *item)
{
    base_list_remove(&item->link);
    base_list_append(&outbox->spare, &item->link);
    outbox->held--;
    outbox->under_way--;
    outbox->options.on_change(outbox->options.data);
    if (outbox->options.window > 0 && !uv_is_active((uv_handle_t *)&outbox->retry))
        send_waiting(outbox);
}

static void report_refusal(struct app_outbox_item *item, int result, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&item->place, where), text);
    if (!item->outbox->refusal)
        item->outbox->refusal = result;
}

static void on_refused(uv_timer_t *timer)
{
    struct app_outbox *outbox = timer->data;
    while (!base_list_empty(&outbox->refused)) {
        struct app_outbox_item *item = first_of(&outbox->refused);
        report_refusal(item, item->refused, base_err_text(item->refused));
        item->refused = BASE_OK;
        settle(outbox, item);
    }
}

/* It was to be sent, and counts as under way. */
static void not_sent(struct app_outbox *outbox, struct app_outbox_item *item, int failed)
{
    if (failed == BASE_ERR_UNAVAILABLE || failed == BASE_ERR_NOMEM || outbox->ending) {
        put_back(outbox, item);
        if (failed == BASE_ERR_NOMEM)
            retry_later(outbox);
        return;
    }
    item->refused = failed;
    base_list_remove(&item->link);
    base_list_append(&outbox->refused, &item->link);
    uv_timer_start(&outbox->refuse, on_refused, 0, 0);
}

void app_outbox_unsent(struct app_outbox_item *item, int failed)
{
    if (failed == BASE_ERR_UNAVAILABLE)
        trouble_begins(item->outbox);
    not_sent(item->outbox, item, failed);
}

bool app_outbox_tries_again(int result)
{
    return result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE || result == BASE_ERR_AGAIN;
}

void app_outbox_answer(struct app_outbox_item *item, int result, const struct base_why *why)
{
    static struct base_log_limit limit;
    struct app_outbox *outbox = item->outbox;
    if (result == BASE_OK) {
        trouble_ends(outbox);
        settle(outbox, item);
    } else if (result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE) {
        trouble_begins(outbox);
        put_back(outbox, item);
    } else if (result == BASE_ERR_AGAIN) {
        base_log_limited(&limit, BASE_LOG_WARNING, "%s; trying again", why->text);
        snprintf(outbox->cause, sizeof outbox->cause, "%s", answer_of(why));
        put_back(outbox, item);
        retry_later(outbox);
    } else {
        report_refusal(item, result, why->text);
        settle(outbox, item);
    }
}

static bool may_send(const struct app_outbox *outbox)
{
    size_t window = outbox->options.window;
    return !outbox->ending && !base_list_empty(&outbox->waiting) &&
           (window == 0 || outbox->under_way < window);
}

static void send_waiting(struct app_outbox *outbox)
{
    while (may_send(outbox)) {
        struct app_outbox_item *item = first_of(&outbox->waiting);
        base_list_remove(&item->link);
        base_list_append(&outbox->sent, &item->link);
        outbox->under_way++;
        int failed = outbox->options.send(outbox->options.data, item);
        if (!failed)
            continue;
        not_sent(outbox, item, failed);
        if (!item->refused)
            return;
    }
}

void app_outbox_add(struct app_outbox *outbox, struct app_outbox_item *item)
{
    base_list_append(&outbox->waiting, &item->link);
    outbox->held++;
    if (!uv_is_active((uv_handle_t *)&outbox->retry))
        send_waiting(outbox);
}

void app_outbox_on_state(struct app_outbox *outbox, bool up)
{
    if (!up)
        trouble_begins(outbox);
    else if (outbox->held == 0)
        trouble_ends(outbox);
    else
        send_waiting(outbox);
}

/* ---- requests and their memory ---- */

struct app_outbox_item *app_outbox_blank(struct app_outbox *outbox)
{
    struct app_outbox_item *item;
    if (!base_list_empty(&outbox->spare)) {
        item = first_of(&outbox->spare);
        base_list_remove(&item->link);
    } else {
        item = base_calloc(1, outbox->options.item_size);
        if (!item)
            return NULL;
        base_list_init(&item->link);
        item->outbox = outbox;
    }
    item->number = ++outbox->numbered;
    return item;
}

void app_outbox_drop(struct app_outbox_item *item)
{
    base_list_append(&item->outbox->spare, &item->link);
}

struct app_outbox *app_outbox_new(struct uv_loop_s *loop, const struct app_outbox_options *options)
{
    struct app_outbox *outbox = base_calloc(1, sizeof *outbox);
    if (!outbox)
        return NULL;
    outbox->options = *options;
    outbox->backoff = (struct base_backoff){RETRY_FIRST_MS, RETRY_MOST_MS, 0};
    base_list_init(&outbox->waiting);
    base_list_init(&outbox->sent);
    base_list_init(&outbox->refused);
    base_list_init(&outbox->spare);
    uv_timer_init(loop, &outbox->retry);
    uv_timer_init(loop, &outbox->patience);
    uv_timer_init(loop, &outbox->refuse);
    outbox->retry.data = outbox->patience.data = outbox->refuse.data = outbox;
    trouble_begins(outbox);
    return outbox;
}

void *app_outbox_data(const struct app_outbox *outbox)
{
    return outbox->options.data;
}

size_t app_outbox_held(const struct app_outbox *outbox)
{
    return outbox->held;
}

int app_outbox_refusal(const struct app_outbox *outbox)
{
    return outbox->refusal;
}

void app_outbox_end(struct app_outbox *outbox)
{
    if (outbox->ending)
        return;
    outbox->ending = true;
    while (!base_list_empty(&outbox->refused)) /* not reported as refused, nor done */
        put_back(outbox, first_of(&outbox->refused));
    uv_close((uv_handle_t *)&outbox->refuse, NULL);
    uv_close((uv_handle_t *)&outbox->retry, NULL);
    uv_close((uv_handle_t *)&outbox->patience, NULL);
}

static void free_all(struct app_outbox *outbox, struct base_list *list)
{
    BASE_LIST_FOREACH_SAFE (link, list) {
        struct app_outbox_item *item = base_container(link, struct app_outbox_item, link);
        outbox->options.fini(item);
        base_free(item);
    }
}

void app_outbox_free(struct app_outbox *outbox)
{
    if (!outbox)
        return;
    free_all(outbox, &outbox->waiting);
    free_all(outbox, &outbox->sent);
    free_all(outbox, &outbox->spare);
    base_free(outbox);
}

/* ---- what is not confirmed ---- */

/* Runs of lines of one file: "a.jsonl: lines 3-12 are not confirmed". */
static void report_run(const struct base_place *first, uint64_t last)
{
    struct base_place file = {first->file, 0};
    char where[BASE_PLACE_MAX];
    base_place_text(&file, where);
    if (first->line == 0)
        base_log(BASE_LOG_ERROR, "%snot confirmed", where);
    else if (first->line == last)
        base_log(BASE_LOG_ERROR, "%sline %" PRIu64 ": not confirmed", where, last);
    else
        base_log(BASE_LOG_ERROR, "%slines %" PRIu64 "-%" PRIu64 ": not confirmed", where,
                 first->line, last);
}

void app_outbox_each(const struct app_outbox *outbox,
                     void (*visit)(void *data, struct app_outbox_item *item), void *data)
{
    BASE_LIST_FOREACH (link, &outbox->waiting)
        visit(data, base_container(link, struct app_outbox_item, link));
}

size_t app_outbox_report(const struct app_outbox *outbox)
{
    const struct base_place *first = NULL;
    uint64_t last = 0;
    size_t count = 0;
    BASE_LIST_FOREACH (link, &outbox->waiting) {
        const struct base_place *place = &base_container(link, struct app_outbox_item, link)->place;
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
