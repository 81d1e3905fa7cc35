/* SPDX-License-Identifier: ISC
 *
 * As many threads as there may be connections, made when they are needed, take attempts from one
 * queue; each keeps its connection. An attempt that has ended comes back to the loop. `lock` guards
 * the two lists, the states and the counts of them; all else is the loop's, or, of an attempt
 * that runs, its thread's.
 */
#include "arda/mail/send.h"

#include "arda/mail/address.h"
#include "arda/mail/relay.h"
#include "arda/mail/transfer.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum state { QUEUED, RUNNING, ENDED };

struct arda_mail_attempt {
    struct base_list link; /* in the queue, or among those that have ended */
    struct arda_mail_sender *sender;
    void (*done)(void *data, const struct arda_mail_result *result); /* NULL: cancelled */
    void *data;
    uint64_t queued_us;
    enum state state;
    bool ran; /* else it has waited in vain, or there was no memory */
    bool no_memory;
    char *from, *to;
    struct arda_mail_transfer transfer;
};

struct worker {
    struct arda_mail_sender *sender;
    uv_thread_t thread;
};

struct arda_mail_sender {
    struct arda_mail_relay relay;
    struct arda_mail_way way;
    char *ca_file;
    uv_async_t async; /* attempts have ended, or threads */
    size_t attempts;  /* neither told nor cancelled */
    struct worker *workers;
    uint32_t worker_count, connections;
    uv_mutex_t lock;
    uv_cond_t more;
    struct base_list queue, ended;
    size_t queued;
    uint32_t idle, gone; /* of the workers */
    bool closing;
};

static void free_attempt(struct arda_mail_attempt *attempt)
{
    base_buf_fini(&attempt->transfer.headers);
    base_buf_fini(&attempt->transfer.plain);
    base_buf_fini(&attempt->transfer.html);
    base_free(attempt->from);
    base_free(attempt->to);
    base_free(attempt);
}

/* ---- a thread ---- */

/* With the lock. NULL: it is over. */
static struct arda_mail_attempt *take(struct arda_mail_sender *sender)
{
    while (!sender->closing && base_list_empty(&sender->queue)) {
        sender->idle++;
        uv_cond_wait(&sender->more, &sender->lock);
        sender->idle--;
    }
    if (sender->closing)
        return NULL;
    struct arda_mail_attempt *oldest =
        base_container(sender->queue.next, struct arda_mail_attempt, link);
    base_list_remove(&oldest->link);
    sender->queued--;
    oldest->state = RUNNING;
    return oldest;
}

/* Nobody has to look after those that wait: only attempts that run keep them waiting, and each of
 * these ends in time. */
static void run(struct arda_mail_attempt *attempt, struct arda_mail_handle **handle)
{
    uint64_t waited_ms = (base_clock_mono_us() - attempt->queued_us) / 1000;
    if (waited_ms >= (uint64_t)attempt->sender->way.timeout_ms)
        return;
    if (!*handle)
        *handle = arda_mail_transfer_handle();
    attempt->no_memory = !*handle;
    attempt->ran = !attempt->no_memory;
    if (attempt->ran)
        arda_mail_transfer_run(&attempt->transfer, *handle);
}

static void work(void *data)
{
    struct worker *worker = data;
    struct arda_mail_sender *sender = worker->sender;
    struct arda_mail_attempt *attempt;
    struct arda_mail_handle *handle = NULL;
    uv_mutex_lock(&sender->lock);
    while ((attempt = take(sender))) {
        uv_mutex_unlock(&sender->lock);
        run(attempt, &handle);
        uv_mutex_lock(&sender->lock);
        attempt->state = ENDED;
        base_list_append(&sender->ended, &attempt->link);
        uv_async_send(&sender->async);
    }
    uv_mutex_unlock(&sender->lock);
    arda_mail_transfer_handle_free(handle);
    uv_mutex_lock(&sender->lock);
    sender->gone++;
    uv_async_send(&sender->async);
    uv_mutex_unlock(&sender->lock);
}

/* ---- back on the loop ---- */

static void free_sender(struct arda_mail_sender *sender)
{
    arda_mail_relay_fini(&sender->relay);
    base_free(sender->ca_file);
    base_free(sender->workers);
    base_free(sender);
}

static void on_closed(uv_handle_t *handle)
{
    struct arda_mail_sender *sender = handle->data;
    uv_cond_destroy(&sender->more);
    uv_mutex_destroy(&sender->lock);
    free_sender(sender);
}

static void judge(const struct arda_mail_attempt *attempt, struct arda_mail_result *result)
{
    if (attempt->ran) {
        arda_mail_transfer_judge(&attempt->transfer, result);
        return;
    }
    result->outcome = ARDA_OUTCOME_RETRY;
    if (attempt->no_memory)
        snprintf(result->text, sizeof result->text, "%s", base_err_text(BASE_ERR_NOMEM));
    else
        snprintf(result->text, sizeof result->text,
                 "no connection to the relay was free within %lld ms",
                 (long long)attempt->sender->way.timeout_ms);
}

static void tell(struct arda_mail_attempt *attempt)
{
    struct arda_mail_result result = {0};
    void (*done)(void *, const struct arda_mail_result *) = attempt->done;
    void *data = attempt->data;
    if (done) {
        judge(attempt, &result);
        attempt->sender->attempts--;
    }
    free_attempt(attempt);
    if (done)
        done(data, &result);
}

static struct arda_mail_attempt *next_ended(struct arda_mail_sender *sender)
{
    struct arda_mail_attempt *attempt = NULL;
    uv_mutex_lock(&sender->lock);
    if (!base_list_empty(&sender->ended)) {
        attempt = base_container(sender->ended.next, struct arda_mail_attempt, link);
        base_list_remove(&attempt->link);
    }
    uv_mutex_unlock(&sender->lock);
    return attempt;
}

static bool all_gone(struct arda_mail_sender *sender)
{
    uv_mutex_lock(&sender->lock);
    bool all = sender->gone == sender->worker_count;
    uv_mutex_unlock(&sender->lock);
    return all;
}

static void end_workers(struct arda_mail_sender *sender)
{
    for (uint32_t i = 0; i < sender->worker_count; i++)
        uv_thread_join(&sender->workers[i].thread);
    uv_close((uv_handle_t *)&sender->async, on_closed);
}

/* The sender is there until its handle is closed, whatever is done with it by those who are told.
 * A thread that is gone has left nothing behind that is not seen here. */
static void on_async(uv_async_t *async)
{
    struct arda_mail_sender *sender = async->data;
    struct arda_mail_attempt *attempt;
    bool all = all_gone(sender);
    while ((attempt = next_ended(sender)))
        tell(attempt);
    if (sender->closing && all && !uv_is_closing((uv_handle_t *)async))
        end_workers(sender);
}

/* ---- attempts ---- */

static bool is_address(const char *text)
{
    return arda_mail_address_check((struct base_slice){text, strlen(text)}, NULL) == BASE_OK;
}

static bool needs_utf8(const char *address)
{
    return arda_mail_address_is_utf8((struct base_slice){address, strlen(address)});
}

static bool copy_request(struct arda_mail_attempt *attempt, const struct arda_mail_request *request)
{
    struct arda_mail_transfer *transfer = &attempt->transfer;
    transfer->from = attempt->from = base_strdup(request->from);
    transfer->to = attempt->to = base_strdup(request->to);
    return attempt->from && attempt->to &&
           base_buf_add(&transfer->headers, request->headers->data, request->headers->len) == 0 &&
           base_buf_add(&transfer->plain, request->plain.data, request->plain.len) == 0 &&
           base_buf_add(&transfer->html, request->html.data, request->html.len) == 0;
}

/* One thread more if all have work. False: there is none. */
static bool call_worker(struct arda_mail_sender *sender)
{
    uv_mutex_lock(&sender->lock);
    bool enough = sender->idle > sender->queued;
    uv_mutex_unlock(&sender->lock);
    if (enough || sender->worker_count == sender->connections)
        return true;
    struct worker *worker = &sender->workers[sender->worker_count];
    worker->sender = sender;
    if (uv_thread_create(&worker->thread, work, worker) == 0)
        sender->worker_count++;
    return sender->worker_count > 0;
}

int arda_mail_send(struct arda_mail_sender *sender, const struct arda_mail_request *request,
                   struct arda_mail_attempt **out)
{
    if (!is_address(request->from) || !is_address(request->to))
        return BASE_ERR_INVALID;
    struct arda_mail_attempt *attempt = base_calloc(1, sizeof *attempt);
    if (!attempt)
        return BASE_ERR_NOMEM;
    attempt->sender = sender;
    attempt->done = request->done;
    attempt->data = request->data;
    attempt->transfer.way = &sender->way;
    attempt->transfer.utf8 = needs_utf8(request->from) || needs_utf8(request->to);
    if (!copy_request(attempt, request) || !call_worker(sender)) {
        free_attempt(attempt);
        return BASE_ERR_NOMEM;
    }
    attempt->queued_us = base_clock_mono_us();
    sender->attempts++;
    uv_mutex_lock(&sender->lock);
    base_list_append(&sender->queue, &attempt->link);
    sender->queued++;
    uv_cond_signal(&sender->more);
    uv_mutex_unlock(&sender->lock);
    *out = attempt;
    return BASE_OK;
}

void arda_mail_cancel(struct arda_mail_attempt *attempt)
{
    if (!attempt)
        return;
    struct arda_mail_sender *sender = attempt->sender;
    sender->attempts--;
    uv_mutex_lock(&sender->lock);
    bool runs = attempt->state == RUNNING;
    attempt->done = NULL;
    if (runs)
        atomic_store(&attempt->transfer.cancelled, true);
    else
        base_list_remove(&attempt->link);
    sender->queued -= attempt->state == QUEUED;
    uv_mutex_unlock(&sender->lock);
    if (!runs)
        free_attempt(attempt);
}

/* ---- senders ---- */

static int copy_options(struct arda_mail_sender *sender,
                        const struct arda_mail_sender_options *options, struct base_why *why)
{
    int failed = arda_mail_relay_parse(options->url, &sender->relay, why);
    if (failed)
        return failed;
    sender->connections = options->connections > 0 ? options->connections : ARDA_MAIL_CONNECTIONS;
    sender->workers = base_calloc(sender->connections, sizeof *sender->workers);
    if (options->ca_file)
        sender->ca_file = base_strdup(options->ca_file);
    if (!sender->workers || (options->ca_file && !sender->ca_file))
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    bool required = options->tls == ARDA_MAIL_TLS_REQUIRED && !sender->relay.loopback;
    sender->way = (struct arda_mail_way){
        .relay = &sender->relay,
        .secure = sender->relay.tls || required,
        .ca_file = sender->ca_file,
        .timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : ARDA_MAIL_TIMEOUT_MS,
    };
    return BASE_OK;
}

int arda_mail_sender_new(const struct arda_mail_sender_options *options,
                         struct arda_mail_sender **out, struct base_why *why)
{
    struct arda_mail_sender *sender = base_calloc(1, sizeof *sender);
    if (!sender)
        return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
    int failed = copy_options(sender, options, why);
    if (failed) {
        free_sender(sender);
        return failed;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        uv_async_init(options->loop, &sender->async, on_async) < 0) {
        free_sender(sender);
        return base_why_set(why, BASE_ERR_INTERNAL, "%s", base_err_text(BASE_ERR_INTERNAL));
    }
    base_assert(uv_mutex_init(&sender->lock) == 0 && uv_cond_init(&sender->more) == 0);
    sender->async.data = sender;
    base_list_init(&sender->queue);
    base_list_init(&sender->ended);
    *out = sender;
    return BASE_OK;
}

const char *arda_mail_sender_name(const struct arda_mail_sender *sender)
{
    return sender->relay.name;
}

void arda_mail_sender_close(struct arda_mail_sender *sender)
{
    if (!sender)
        return;
    base_assert(sender->attempts == 0 && !sender->closing);
    uv_mutex_lock(&sender->lock);
    sender->closing = true;
    uv_cond_broadcast(&sender->more);
    uv_mutex_unlock(&sender->lock);
    uv_async_send(&sender->async);
}
