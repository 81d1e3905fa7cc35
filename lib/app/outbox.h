/* SPDX-License-Identifier: ISC
 *
 * outbox: requests that go to Redis in the order they were made, several at once, and are sent
 * again until they are confirmed.
 *
 * Happy path: blank, add, `send`, answer, spare. Redis away, or an answer lost: back among the
 * waiting, in the old order, and sent again when Redis is back; requests have to stand being done
 * twice. A refusal that may pass (LOADING, READONLY, OOM): the same after a pause. Any other
 * refusal, by Redis or by `send`: reported with its place, and the request is dropped. Threads: the
 * loop's.
 */
#ifndef APP_OUTBOX_H
#define APP_OUTBOX_H

#include "base/err.h"
#include "base/list.h"
#include "base/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;
struct app_outbox;

/* First member of a request, whose kind is the caller's. */
struct app_outbox_item {
    struct base_list link;
    struct app_outbox *outbox;
    struct base_place place;
    uint64_t number; /* in the order they were made */
    int refused;     /* by `send`, and not reported yet; else 0 */
};

struct app_outbox_options {
    size_t item_size;     /* of a request with its item; zeroed when it is new */
    uint64_t patience_ms; /* of trouble before on_impatient */
    size_t window;        /* most requests under way at a time; 0: any number */
    /* Sends it, so that app_outbox_answer will be called: 0; or BASE_ERR_UNAVAILABLE,
     * BASE_ERR_NOMEM, and it is tried again; or another error, and it is refused, on a later turn
     * of the loop. */
    int (*send)(void *data, struct app_outbox_item *item);
    /* Frees what a request owns, not itself. */
    void (*fini)(struct app_outbox_item *item);
    void (*on_change)(void *data); /* fewer are held */
    void (*on_impatient)(void *data);
    void *data;
};

/* NULL without memory. Trouble is taken to have begun, until Redis answers. */
struct app_outbox *app_outbox_new(struct uv_loop_s *loop, const struct app_outbox_options *options);
/* A request to fill, perhaps a former one, whose members hold what it held. It is to be given to
 * add or drop before the next is asked for. NULL without memory. */
struct app_outbox_item *app_outbox_blank(struct app_outbox *outbox);
void app_outbox_add(struct app_outbox *outbox, struct app_outbox_item *item);
void app_outbox_drop(struct app_outbox_item *item);
void app_outbox_answer(struct app_outbox_item *item, int result, const struct base_why *why);
/* In place of an answer: one has come, and what was to be sent then could not be, as `send` says.
 */
void app_outbox_unsent(struct app_outbox_item *item, int failed);
/* Whether that answer leaves the request in the outbox, to be sent again. */
bool app_outbox_tries_again(int result);
/* Redis is there, or away. */
void app_outbox_on_state(struct app_outbox *outbox, bool up);
/* For on_impatient; logs "giving up after 30 s: " with the last cause: the bus' (arda_bus_reason)
 * while it is away, else the last refusal. */
void app_outbox_log_giving_up(const struct app_outbox *outbox, const char *bus_reason);

/* The `data` of its options. */
void *app_outbox_data(const struct app_outbox *outbox);
/* Requests that are not confirmed. */
size_t app_outbox_held(const struct app_outbox *outbox);
/* The code of the first refusal, or 0. */
int app_outbox_refusal(const struct app_outbox *outbox);

/* Sends nothing more and closes its timers; answers are still taken. */
void app_outbox_end(struct app_outbox *outbox);
/* After app_outbox_end, when no answer can come any more: what is not confirmed, in order. */
void app_outbox_each(const struct app_outbox *outbox,
                     void (*visit)(void *data, struct app_outbox_item *item), void *data);
/* After app_outbox_end, when no answer can come any more: says what is not confirmed, by place;
 * how many requests is the result. */
size_t app_outbox_report(const struct app_outbox *outbox);
/* After app_outbox_end, when the loop has closed its timers; NULL is allowed. */
void app_outbox_free(struct app_outbox *outbox);

#endif
